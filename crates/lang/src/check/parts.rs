//! The parts of `( a | b )` and `( a & b )`: what each must be, so that there is something to choose from, and so that
//! it can be said when a part has begun and when it is over.

use ensue_model::pattern::{Relation, Sequence, Step, Term};

use crate::code;
use crate::diagnostic::Diagnostic;
use crate::tree::{self, Place};

/// A group's parts, as they were written and as they were checked.
pub(super) struct Parts<'t> {
    pub(super) written: &'t [tree::Sequence],
    pub(super) checked: &'t [Sequence],
    pub(super) kind: PartKind,
}

/// How parts belong together.
#[derive(Clone, Copy)]
pub(super) enum PartKind {
    /// `|`
    Branch {
        /// Whether the pattern ends behind it, and it is in no loop.
        is_last: bool,
    },
    /// `&`
    SideBySide,
}

impl PartKind {
    fn word(self) -> &'static str {
        match self {
            PartKind::Branch { .. } => "branch",
            PartKind::SideBySide => "part",
        }
    }
}

impl Parts<'_> {
    /// What is wrong with them.
    pub(super) fn diagnostics(&self) -> Vec<Diagnostic> {
        let parts = self.written.iter().zip(self.checked);
        parts.filter_map(|(written, checked)| self.diagnostic(written, checked)).collect()
    }

    /// One cause for each part: who mends it sees the next.
    fn diagnostic(&self, written: &tree::Sequence, checked: &Sequence) -> Option<Diagnostic> {
        if checked.can_be_empty() {
            return Some(self.empty(written));
        }
        let begins = first_negation(written, checked).map(|step| self.begins_with_negation(step));
        begins.or_else(|| self.end(written, checked))
    }

    /// What is wrong with its end.
    fn end(&self, written: &tree::Sequence, checked: &Sequence) -> Option<Diagnostic> {
        match self.kind {
            PartKind::Branch { is_last: true } => None,
            PartKind::Branch { is_last: false } => last_negation(written, checked, ABSENCES).map(ends_with_absence),
            PartKind::SideBySide => last_negation(written, checked, NEGATIONS).map(ends_with_negation),
        }
    }

    fn empty(&self, written: &tree::Sequence) -> Diagnostic {
        let message = format!("this {} can be over without an event", self.kind.word());
        let help = match self.kind {
            PartKind::Branch { .. } => {
                "a branch takes at least one event; where the whole may be left out, write `?` behind the group"
            }
            PartKind::SideBySide => {
                "a part takes at least one event; `any 2 of (a & b & c)` needs only some of its parts"
            }
        };
        let diagnostic = Diagnostic::error(&code::EMPTY_PART, place_of(written), message);
        diagnostic.label("nothing in it has to be taken").help(help)
    }

    fn begins_with_negation(&self, step: &tree::Step) -> Diagnostic {
        let word = self.kind.word();
        let message = format!("nothing of this {word} need be taken before the negation, so it cannot say since when");
        Diagnostic::error(&code::PART_NEGATION, step.relation_place, message)
            .help("write the negation before the group, where it holds whichever comes first")
    }
}

fn ends_with_absence(step: &tree::Step) -> Diagnostic {
    let message = "nothing says until when this must not come: the branch is over before";
    Diagnostic::error(&code::PART_NEGATION, step.relation_place, message)
        .help("write what ends the wait behind it in the branch, or the negation behind the group")
}

fn ends_with_negation(step: &tree::Step) -> Diagnostic {
    let message = "nothing says until when this must not come: the part is over before, and the others may go on";
    Diagnostic::error(&code::PART_NEGATION, step.relation_place, message)
        .help("write what ends the wait behind it in the part, or the negation behind the group")
}

/// A negation before which nothing need have been taken.
fn first_negation<'t>(written: &'t tree::Sequence, checked: &Sequence) -> Option<&'t tree::Step> {
    for (written, checked) in written.steps.iter().zip(&checked.steps) {
        // What is wrong with the parts of others than plain groups has been said there.
        let inside = || match (&written.term, &checked.term) {
            (tree::Term::Group(group), Term::Group(sequence)) => first_negation(&group.parts[0], sequence),
            _ => None,
        };
        let found = if checked.is_negated() { Some(written) } else { inside() };
        if found.is_some() || !checked.can_be_empty() {
            return found;
        }
    }
    None
}

/// Which negations are looked for.
#[derive(Clone, Copy)]
struct Wanted {
    here: fn(&Step) -> bool,
    /// In the branches of an inner group: what is wrong there has been said.
    in_branches: fn(&Step) -> bool,
}

const ABSENCES: Wanted = Wanted { here: |step| step.relation == Relation::NotFollowedBy, in_branches: |_| false };
const NEGATIONS: Wanted = Wanted { here: Step::is_negated, in_branches: |step| step.relation == Relation::NotNext };

/// A negation behind which nothing need be taken.
fn last_negation<'t>(written: &'t tree::Sequence, checked: &Sequence, wanted: Wanted) -> Option<&'t tree::Step> {
    for (written, checked) in written.steps.iter().zip(&checked.steps).rev() {
        let found = if (wanted.here)(checked) { Some(written) } else { last_inside(written, checked, wanted) };
        if found.is_some() || !checked.can_be_empty() {
            return found;
        }
    }
    None
}

/// What ends a branch of an inner group ends what the group ends.
fn last_inside<'t>(written: &'t tree::Step, checked: &Step, wanted: Wanted) -> Option<&'t tree::Step> {
    match (&written.term, &checked.term) {
        (tree::Term::Group(group), Term::Group(sequence)) => last_negation(&group.parts[0], sequence, wanted),
        (tree::Term::Group(group), Term::Either(branches)) => {
            let wanted = Wanted { here: wanted.in_branches, ..wanted };
            let mut branches = group.parts.iter().zip(branches);
            branches.find_map(|(written, checked)| last_negation(written, checked, wanted))
        }
        _ => None,
    }
}

fn place_of(sequence: &tree::Sequence) -> Place {
    let steps = &sequence.steps;
    steps[0].place.to(steps[steps.len() - 1].place)
}
