//! Stages that take only what a negation before them says must not come.

use ensue_model::expr::{BinaryOperator, Expr};
use ensue_model::pattern::{Relation, Sequence, Step, Term};

use crate::code;
use crate::diagnostic::Diagnostic;
use crate::tree;

/// Looks through the steps of one sequence.
pub(super) fn check(found: &mut Vec<Diagnostic>, written: &tree::Sequence, checked: &Sequence) {
    for (index, pair) in checked.steps.windows(2).enumerate() {
        let [negation, step] = pair else { continue };
        // Before the first event of a run nothing is ruled out.
        let has_started = checked.steps[..index].iter().any(|step| !step.can_be_empty());
        let goes_on = checked.steps[index + 2..].iter().any(|step| !step.can_be_empty()) || step.quantifier.min > 1;
        if has_started && !step.can_be_empty() && is_in_the_way(negation, step, goes_on) && is_ruled_out(negation, step)
        {
            found.extend(diagnostic(&written.steps[index], &written.steps[index + 1]));
        }
    }
}

/// Whether the event that the step takes is one that the negation looks at. Where the event that is ruled out also completes
/// the match, the match comes out, as in Flink.
fn is_in_the_way(negation: &Step, step: &Step, goes_on: bool) -> bool {
    match (negation.relation, step.relation) {
        (Relation::NotFollowedBy, Relation::Next | Relation::FollowedBy | Relation::FollowedByAny) => goes_on,
        (Relation::NotNext, Relation::Next) => true,
        _ => false,
    }
}

/// Whether all that the step takes is what must not come: it asks for all that the negation asks for.
fn is_ruled_out(negation: &Step, step: &Step) -> bool {
    let (Term::Stage(_, forbidden), Term::Stage(_, taken)) = (&negation.term, &step.term) else { return false };
    let (mut asked, mut given) = (Vec::new(), Vec::new());
    conjuncts(forbidden, &mut asked);
    conjuncts(taken, &mut given);
    asked.iter().all(|condition| **condition == Expr::truth() || given.contains(condition))
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

fn diagnostic(negation: &tree::Step, step: &tree::Step) -> Option<Diagnostic> {
    let (tree::Term::Stage(forbidden), tree::Term::Stage(taken)) = (&negation.term, &step.term) else { return None };
    let (forbidden, taken) = (&forbidden.name, &taken.name);
    let message =
        format!("stage `{}` is never taken: all that it takes is what `{}` rules out", taken.text, forbidden.text);
    let diagnostic = Diagnostic::warning(&code::NEVER_TAKEN, taken.place, message);
    let help = "what ends the wait has to be something else than what must not come";
    Some(diagnostic.also(forbidden.place, "this must not come before").help(help))
}
