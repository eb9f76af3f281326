//! The fields that patterns ask for: only these are decoded.

use std::collections::BTreeSet;

use ensue_model::expr::{Ask, Expr, Lookback};
use ensue_model::pattern::{Sequence, StageId, Step, Term};
use ensue_model::record::{Emission, Record};
use ensue_model::{FieldId, Pattern, Patterns, StreamId};

/// The fields that the patterns ask of the events of a stream.
pub(crate) fn fields(patterns: &Patterns, stream: StreamId) -> BTreeSet<FieldId> {
    let readers = patterns.patterns.iter().filter(|pattern| pattern.from.contains(&stream));
    let mut asked = BTreeSet::new();
    readers.for_each(|pattern| Question { pattern, stream, asked: &mut asked }.ask_pattern());
    let has = &patterns.streams[usize::from(stream.0)].fields;
    // A field that only other streams have is null here.
    asked.retain(|field| has.contains(field));
    asked
}

/// What a pattern asks of the events of a stream.
struct Question<'a> {
    pattern: &'a Pattern,
    stream: StreamId,
    asked: &'a mut BTreeSet<FieldId>,
}

impl Question<'_> {
    /// The parts of a pattern are named one by one, so that a new part with an expression cannot be forgotten here: its
    /// fields would silently be null.
    fn ask_pattern(&mut self) {
        #[rustfmt::skip]
        let Pattern {
            name: _, doc: _, from: _, key, active: _, stages: _, lookbacks, sequence, within: _, within_events: _, skip: _,
            keep: _, cooldown: _, emit, timeout,
        } = self.pattern;
        key.ways_of(self.stream).flat_map(|(_, way)| &way.parts).for_each(|part| self.ask(part));
        self.ask_lookbacks(lookbacks);
        self.ask_sequence(sequence);
        for Record { name: _, stream: _, entries, condition, lookbacks } in
            [emit, timeout].into_iter().filter_map(Emission::record)
        {
            entries.iter().map(|entry| &entry.value).chain(condition).for_each(|value| self.ask(value));
            self.ask_lookbacks(lookbacks);
        }
    }

    fn ask_lookbacks(&mut self, lookbacks: &[Lookback]) {
        for Lookback { stage, ask } in lookbacks {
            match ask {
                Ask::Pick(_, value) | Ask::Aggregate(_, value) => self.ask_of_stage(*stage, value),
            }
        }
    }

    fn ask_sequence(&mut self, sequence: &Sequence) {
        for Step { relation: _, term, quantifier: _, until, within: _ } in &sequence.steps {
            if let Term::Stage(stage, condition) = term {
                self.ask_of_stage(*stage, condition);
            }
            term.sequences().iter().for_each(|inner| self.ask_sequence(inner));
            until.iter().for_each(|until| self.ask(until));
        }
    }

    /// What is asked of the events of a stage is asked of its stream alone, if it has one.
    fn ask_of_stage(&mut self, stage: StageId, expr: &Expr) {
        if self.pattern.stages[usize::from(stage.0)].stream.is_none_or(|stream| stream == self.stream) {
            self.ask(expr);
        }
    }

    fn ask(&mut self, expr: &Expr) {
        expr.walk(&mut |expr| {
            if let Expr::Field(field) = expr {
                self.asked.insert(*field);
            }
        });
    }
}
