//! Branches of `( a | b )` that another one makes void or repeats.
//!
//! A run goes into each branch that an event fits. So two branches that take the same events give the same matches twice, under
//! other names. One that takes less than an earlier one has a meaning, unless matches make void what started before their end: then
//! it hardly gives one: the order of two runs that began with the same event is as in Flink, and nearly always that of the
//! branches. What is looked at is branches of one stage that nothing else in the pattern asks for: behind all others the
//! two runs may part. With `skip to next` either of them may come out, as in Flink.

use ensue_model::Pattern;
use ensue_model::expr::{BinaryOperator, Expr};
use ensue_model::pattern::{Anchor, Keep, Quantifier, Sequence, Skip, StageId, Step, Term};

use super::contradiction::{Claim, conflict};
use super::declarations::Declarations;
use crate::code;
use crate::diagnostic::Diagnostic;
use crate::tree;

/// Looks through a pattern for branches that decide nothing.
pub(super) fn check(written: &tree::Pattern, checked: &Pattern, declared: &Declarations<'_>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    Branches { pattern: checked, declared, found: &mut found }.sequence(&written.sequence, &checked.sequence);
    found
}

struct Branches<'b, 'd> {
    pattern: &'b Pattern,
    declared: &'b Declarations<'d>,
    found: &'b mut Vec<Diagnostic>,
}

impl Branches<'_, '_> {
    fn sequence(&mut self, written: &tree::Sequence, checked: &Sequence) {
        for (written, step) in written.steps.iter().zip(&checked.steps) {
            // In a loop, each round chooses anew.
            if let tree::Term::Group(group) = &written.term
                && step.quantifier.max == Some(1)
            {
                if let Term::Either(branches) = &step.term {
                    self.branches(group, branches);
                }
                let parts = group.parts.iter().zip(step.term.sequences());
                parts.for_each(|(written, checked)| self.sequence(written, checked));
            }
        }
    }

    /// Says of each branch the first that takes all that it takes.
    fn branches(&mut self, group: &tree::Group, branches: &[Sequence]) {
        let is_fixed: Vec<bool> = group.parts.iter().map(|part| self.is_fixed(part)).collect();
        for (index, later) in branches.iter().enumerate().filter(|(index, _)| is_fixed[*index]) {
            let hides = |earlier: &usize| is_fixed[*earlier] && self.hides(&branches[*earlier], later);
            if let Some(earlier) = (0..index).find(hides) {
                self.found.extend(self.diagnostic(&group.parts[earlier], &group.parts[index]));
            }
        }
    }

    /// Whether no parameter has a say in the condition: it may be another one tomorrow. A let may name one.
    fn is_fixed(&self, branch: &tree::Sequence) -> bool {
        let Declarations { parameters, lets, .. } = self.declared;
        let mut is_fixed = true;
        for condition in branch.steps.iter().filter_map(|step| step.condition.as_ref()) {
            condition.names(&mut |name| {
                let name = name.text.as_str();
                is_fixed &= !parameters.contains_key(name) && (parameters.is_empty() || !lets.contains_key(name));
            });
        }
        is_fixed
    }

    fn hides(&self, earlier: &Sequence, later: &Sequence) -> bool {
        let (Some((first, taken)), Some((second, takes))) = (only_stage(earlier), only_stage(later)) else {
            return false;
        };
        let is_same = covers(taken, takes) && (self.first_alone_matches() || covers(takes, taken));
        is_same && !self.is_asked(first) && !self.is_asked(second)
    }

    /// Whether of two runs that began and end with the same events one comes out, as a rule that of the first branch.
    fn first_alone_matches(&self) -> bool {
        self.pattern.skip == Skip::PastLast && self.pattern.keep == Keep::All
    }

    /// Whether anything asks what the stage has taken: then the two are not alike.
    fn is_asked(&self, stage: StageId) -> bool {
        let is_target = matches!(self.pattern.skip, Skip::ToFirst(target) | Skip::ToLast(target) if target == stage);
        let is_anchor = has_anchor(&self.pattern.sequence, stage);
        is_target || is_anchor || self.pattern.lookbacks.iter().any(|lookback| lookback.stage == stage)
    }

    fn diagnostic(&self, earlier: &tree::Sequence, later: &tree::Sequence) -> Option<Diagnostic> {
        let (earlier, later) = (name_of(earlier)?, name_of(later)?);
        let (first, second) = (&earlier.text, &later.text);
        let (message, help) = if self.first_alone_matches() {
            let message = format!("branch `{second}` is hidden: all that it takes, `{first}` takes before it");
            (
                message,
                "one match comes out of the same events, as a rule of the first branch: write first the one that asks for more",
            )
        } else {
            let message = format!("branches `{first}` and `{second}` take the same events");
            (message, "an event that fits both begins both: leave one of them out, or let them exclude each other")
        };
        let diagnostic = Diagnostic::warning(&code::HIDDEN_BRANCH, later.place, message);
        Some(diagnostic.also(earlier.place, "this takes them too").help(help))
    }
}

/// The stage of a branch that is one, with its condition.
fn only_stage(branch: &Sequence) -> Option<(StageId, &Expr)> {
    match branch.steps.as_slice() {
        [
            Step {
                term: Term::Stage(stage, condition), quantifier: Quantifier::ONE, until: None, within: None, ..
            },
        ] => Some((*stage, condition)),
        _ => None,
    }
}

fn name_of(branch: &tree::Sequence) -> Option<&tree::Name> {
    match &branch.steps.first()?.term {
        tree::Term::Stage(stage) => Some(&stage.name),
        tree::Term::Group(_) => None,
    }
}

/// Whether an event that fulfils `asked` always fulfils `wide`: what `wide` asks for is asked there too, or cannot be otherwise.
fn covers(wide: &Expr, asked: &Expr) -> bool {
    let (mut needed, mut given) = (Vec::new(), Vec::new());
    conjuncts(wide, &mut needed);
    conjuncts(asked, &mut given);
    needed
        .iter()
        .all(|condition| **condition == Expr::truth() || given.contains(condition) || follows(condition, &given))
}

/// Whether the condition is true of every event of which the given ones are.
fn follows(condition: &Expr, given: &[&Expr]) -> bool {
    let Some(denied) = Claim::of(condition, false) else { return false };
    // Of null a condition is neither true nor false: something else must say that there is a value.
    let is_there = given
        .iter()
        .filter_map(|given| Claim::of(given, true))
        .any(|claim| claim.subject().is_some() && claim.subject() == denied.subject() && claim.constant().is_some());
    let claims = given.iter().map(|given| Claim::of(given, true)).chain([Some(denied)]);
    is_there && conflict(&claims.collect::<Vec<_>>()).is_some()
}

fn conjuncts<'e>(condition: &'e Expr, all: &mut Vec<&'e Expr>) {
    match condition {
        Expr::Binary(BinaryOperator::And, left, right) => {
            conjuncts(left, all);
            conjuncts(right, all);
        }
        condition => all.push(condition),
    }
}

/// Whether the window of a step counts from the stage.
fn has_anchor(sequence: &Sequence, stage: StageId) -> bool {
    sequence.steps.iter().any(|step| {
        let is_anchor = step.within.is_some_and(|within| within.anchor == Anchor::Stage(stage));
        is_anchor || step.term.sequences().iter().any(|inside| has_anchor(inside, stage))
    })
}
