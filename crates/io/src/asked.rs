//! The fields that patterns ask for: only these are decoded.

use std::collections::BTreeSet;

use ensue_model::expr::{Ask, Expr, Lookback};
use ensue_model::pattern::{KeyPart, Sequence, Step, Term};
use ensue_model::{FieldId, Pattern, Patterns};

/// The fields that the patterns ask for.
pub(crate) fn fields(patterns: &Patterns) -> BTreeSet<FieldId> {
    let mut asked = BTreeSet::new();
    patterns.patterns.iter().for_each(|pattern| ask_pattern(pattern, &mut asked));
    asked
}

/// The parts of a pattern are named one by one, so that a new part with an expression cannot be forgotten here: its fields
/// would silently be null.
fn ask_pattern(pattern: &Pattern, asked: &mut BTreeSet<FieldId>) {
    let Pattern { name: _, doc: _, key, stages: _, lookbacks, sequence, within: _, skip: _ } = pattern;
    key.iter().for_each(|KeyPart { name: _, value }| ask(value, asked));
    for Lookback { stage: _, ask: lookback } in lookbacks {
        match lookback {
            Ask::Pick(_, value) | Ask::Aggregate(_, value) => ask(value, asked),
        }
    }
    ask_sequence(sequence, asked);
}

fn ask_sequence(sequence: &Sequence, asked: &mut BTreeSet<FieldId>) {
    for Step { relation: _, term, quantifier: _, until, within: _ } in &sequence.steps {
        if let Term::Stage(_, condition) = term {
            ask(condition, asked);
        }
        term.sequences().iter().for_each(|inner| ask_sequence(inner, asked));
        until.iter().for_each(|until| ask(until, asked));
    }
}

fn ask(expr: &Expr, asked: &mut BTreeSet<FieldId>) {
    expr.walk(&mut |expr| {
        if let Expr::Field(field) = expr {
            asked.insert(*field);
        }
    });
}
