//! Loops that nothing ends: a run that has begun one stays open, and grows with each event that fits.
//!
//! It says only what is certain. A window of any kind, an `until`, a number, `consecutive`, a skip strategy or a `keep` that
//! lets go of runs, an absence behind the loop: whatever may end a run is taken to end it.

use ensue_model::Pattern;
use ensue_model::pattern::{Contiguity, Keep, Quantifier, Relation, Sequence, Skip, Step, Term};

use crate::code;
use crate::diagnostic::Diagnostic;
use crate::tree;

/// Looks through a pattern for loops without an end.
pub(super) fn check(written: &tree::Pattern, checked: &Pattern) -> Vec<Diagnostic> {
    let drops_runs = match (checked.skip, checked.keep) {
        (Skip::None | Skip::ToNext, Keep::All) => false,
        (Skip::PastLast | Skip::ToFirst(_) | Skip::ToLast(_), _) | (_, Keep::Latest | Keep::First) => true,
    };
    let mut found = Vec::new();
    if !drops_runs && checked.within.is_none() && checked.within_events.is_none() {
        sequence(&written.sequence, &checked.sequence, Around::Pattern, &mut found);
    }
    found
}

/// What stands around a sequence.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Around {
    Pattern,
    /// A group; the first stage of a plain one has what the group says between its rounds.
    Group(Contiguity),
}

fn sequence(written: &tree::Sequence, checked: &Sequence, around: Around, found: &mut Vec<Diagnostic>) {
    for (index, (written, step)) in written.steps.iter().zip(&checked.steps).enumerate() {
        let behind = checked.steps.get(index + 1);
        if step.within.is_some() || step.until.is_some() {
            continue;
        }
        let between = match around {
            Around::Group(of_group) if index == 0 => of_group,
            Around::Group(_) | Around::Pattern => step.quantifier.inner,
        };
        match (&written.term, &step.term) {
            (tree::Term::Stage(stage), Term::Stage(..)) => {
                if is_endless(&step.quantifier, between, behind) {
                    found.push(diagnostic(written, &stage.name, between));
                }
            }
            (tree::Term::Group(group), term) => {
                let around = match term {
                    Term::Group(_) => Around::Group(step.quantifier.inner),
                    Term::Stage(..) | Term::Either(_) | Term::All { .. } => Around::Pattern,
                };
                let parts = group.parts.iter().zip(term.sequences());
                parts.for_each(|(written, checked)| sequence(written, checked, around, found));
            }
            (tree::Term::Stage(_), _) => {}
        }
    }
}

/// Whether a run that is in the loop waits there for ever: what does not fit is passed over, and no absence ends it.
fn is_endless(times: &Quantifier, between: Contiguity, behind: Option<&Step>) -> bool {
    let is_ended = behind.is_some_and(|step| step.relation == Relation::NotFollowedBy);
    times.max.is_none() && between != Contiguity::Strict && !is_ended
}

fn diagnostic(written: &tree::Step, name: &tree::Name, between: Contiguity) -> Diagnostic {
    let message = format!("nothing ends the loop of `{}`: its runs stay open for ever", name.text);
    let cost = match between {
        Contiguity::Any => "each event that fits doubles them: 20 make a million",
        Contiguity::Strict | Contiguity::Relaxed => "each event that fits is held by all of them",
    };
    let place = written.quantifier.as_ref().map_or(name.place, |quantifier| quantifier.place);
    let help =
        "write `within ..` behind the sequence; or, at the loop, `consecutive`, `until ..` or a bound such as `{1,10}`";
    Diagnostic::warning(&code::ENDLESS_LOOP, place, message).label(cost).help(help)
}
