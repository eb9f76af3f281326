//! The fields that patterns ask for: only these are decoded.

use std::collections::BTreeSet;

use ensue_model::expr::{Ask, Expr, Lookback};
use ensue_model::pattern::{Sequence, Step, Term};
use ensue_model::{FieldId, Pattern, Patterns, Record};

/// The fields that the patterns ask for.
pub(crate) fn fields(patterns: &Patterns) -> BTreeSet<FieldId> {
    let mut asked = BTreeSet::new();
    patterns.patterns.iter().for_each(|pattern| ask_pattern(pattern, &mut asked));
    asked
}

/// The parts of a pattern are named one by one, so that a new part with an expression cannot be forgotten here: its fields
/// would silently be null.
fn ask_pattern(pattern: &Pattern, asked: &mut BTreeSet<FieldId>) {
    let Pattern { name: _, doc: _, from: _, key, active: _, stages: _, lookbacks, sequence, .. } = pattern;
    let Pattern { within: _, within_events: _, skip: _, keep: _, cooldown: _, emit, timeout, .. } = pattern;
    key.ways.iter().flat_map(|way| &way.parts).for_each(|part| ask(part, asked));
    ask_lookbacks(lookbacks, asked);
    ask_sequence(sequence, asked);
    for Record { name: _, stream: _, entries, lookbacks } in emit.iter().chain(timeout) {
        entries.iter().for_each(|entry| ask(&entry.value, asked));
        ask_lookbacks(lookbacks, asked);
    }
}

fn ask_lookbacks(lookbacks: &[Lookback], asked: &mut BTreeSet<FieldId>) {
    for Lookback { stage: _, ask: lookback } in lookbacks {
        match lookback {
            Ask::Pick(_, value) | Ask::Aggregate(_, value) => ask(value, asked),
        }
    }
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
