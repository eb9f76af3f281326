//! The parts of `( a | b )`: what each must be, so that there is something to choose between.

use ensue_model::expr::{BinaryOperator, Expr};
use ensue_model::pattern::{Relation, Sequence, Step, Term};

use crate::code;
use crate::diagnostic::Diagnostic;
use crate::tree::{self, Place};

/// A group's parts, as they were written and as they were checked.
pub(super) struct Parts<'t> {
    pub(super) written: &'t [tree::Sequence],
    pub(super) checked: &'t [Sequence],
    /// Whether the pattern ends behind them, and they are in no loop.
    pub(super) is_last: bool,
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
            return Some(empty(place_of(written)));
        }
        let begins = first_negation(written, checked).map(begins_with_negation);
        let ends = || last_absence(written, checked).filter(|_| !self.is_last).map(ends_with_absence);
        let never = || checked.steps.iter().any(is_never).then(|| never_taken(place_of(written)));
        begins.or_else(ends).or_else(never)
    }
}

fn empty(place: Place) -> Diagnostic {
    let diagnostic = Diagnostic::error(&code::EMPTY_PART, place, "this branch can be over without an event");
    diagnostic
        .label("nothing in it has to be taken")
        .help("a branch takes at least one event; where the whole may be left out, write `?` behind the group")
}

fn begins_with_negation(step: &tree::Step) -> Diagnostic {
    let message = "nothing of this branch need be taken before the negation, so it cannot say since when";
    Diagnostic::error(&code::PART_NEGATION, step.relation_place, message)
        .help("write the negation before the group, where it holds for all branches")
}

fn ends_with_absence(step: &tree::Step) -> Diagnostic {
    let message = "nothing says until when this must not come: the branch is over before";
    Diagnostic::error(&code::PART_NEGATION, step.relation_place, message)
        .help("write what ends the wait behind it in the branch, or the `notFollowedBy` behind the group")
}

fn never_taken(place: Place) -> Diagnostic {
    let diagnostic = Diagnostic::warning(&code::NEVER_TAKEN, place, "this branch is never taken");
    diagnostic.label("a condition in it never holds").help("leave it out, or correct the condition")
}

/// A negation before which nothing need have been taken.
fn first_negation<'t>(written: &'t tree::Sequence, checked: &Sequence) -> Option<&'t tree::Step> {
    for (written, checked) in written.steps.iter().zip(&checked.steps) {
        let found = if checked.is_negated() { Some(written) } else { inside(written, checked, first_negation) };
        if found.is_some() || !checked.can_be_empty() {
            return found;
        }
    }
    None
}

/// A `notFollowedBy` behind which nothing need be taken.
fn last_absence<'t>(written: &'t tree::Sequence, checked: &Sequence) -> Option<&'t tree::Step> {
    for (written, checked) in written.steps.iter().zip(&checked.steps).rev() {
        let is_absence = checked.relation == Relation::NotFollowedBy;
        let found = if is_absence { Some(written) } else { inside(written, checked, last_absence) };
        if found.is_some() || !checked.can_be_empty() {
            return found;
        }
    }
    None
}

/// Looks into a plain group. What is wrong with the parts of others has been reported there.
fn inside<'t>(
    written: &'t tree::Step,
    checked: &Step,
    look: fn(&'t tree::Sequence, &Sequence) -> Option<&'t tree::Step>,
) -> Option<&'t tree::Step> {
    match (&written.term, &checked.term) {
        (tree::Term::Group(group), Term::Group(sequence)) => look(&group.parts[0], sequence),
        _ => None,
    }
}

/// Whether a step can neither be taken nor left out.
fn is_never(step: &Step) -> bool {
    let is_never_taken = match &step.term {
        Term::Stage(_, condition) => never_holds(condition),
        Term::Group(sequence) => sequence.steps.iter().any(is_never),
        Term::Either(branches) => branches.iter().all(|branch| branch.steps.iter().any(is_never)),
    };
    is_never_taken && !step.can_be_empty()
}

fn never_holds(condition: &Expr) -> bool {
    match condition {
        Expr::Constant(value) => !value.holds(),
        Expr::Binary(BinaryOperator::And, a, b) => never_holds(a) || never_holds(b),
        Expr::Binary(BinaryOperator::Or, a, b) => never_holds(a) && never_holds(b),
        _ => false,
    }
}

fn place_of(sequence: &tree::Sequence) -> Place {
    let steps = &sequence.steps;
    steps[0].place.to(steps[steps.len() - 1].place)
}
