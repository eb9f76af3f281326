//! Which patterns an event can make a difference to: of a thousand rules an event concerns a few, and must not cost what
//! all of them would.

use ensue_model::{Event, FieldId, Value};
use ensue_nfa::Program;
use hashbrown::HashMap;

/// Patterns by what their conditions ask of an event first.
#[derive(Debug)]
pub(crate) struct Interest {
    /// Those that any event may concern, in order.
    always: Vec<usize>,
    fields: Vec<ByValue>,
}

/// The patterns that ask for values of one field.
#[derive(Debug)]
struct ByValue {
    field: FieldId,
    texts: HashMap<Box<str>, Vec<usize>>,
    ints: HashMap<i64, Vec<usize>>,
    /// All of them, in order: whether a value of another type is equal to theirs, and what it means if it cannot be, is not
    /// for a table to say.
    all: Vec<usize>,
}

impl Interest {
    pub(crate) fn new() -> Self {
        Interest { always: Vec::new(), fields: Vec::new() }
    }

    /// Adds a pattern that any event may concern, behind those that are there.
    pub(crate) fn add_always(&mut self, pattern: usize) {
        self.always.push(pattern);
    }

    /// Adds a pattern behind those that are there.
    pub(crate) fn add(&mut self, pattern: usize, program: &Program) {
        let Some(needs) = program.needs() else { return self.add_always(pattern) };
        for (field, value) in needs {
            let by_value = self.by_value(field);
            let places = match value {
                Value::String(text) => by_value.texts.entry(text.as_str().into()).or_default(),
                Value::Int(int) => by_value.ints.entry(*int).or_default(),
                _ => unreachable!("a program needs texts and ints"),
            };
            for patterns in [places, &mut by_value.all] {
                if patterns.last() != Some(&pattern) {
                    patterns.push(pattern);
                }
            }
        }
    }

    fn by_value(&mut self, field: FieldId) -> &mut ByValue {
        let place = self.fields.iter().position(|by_value| by_value.field == field).unwrap_or_else(|| {
            self.fields.push(ByValue { field, texts: HashMap::new(), ints: HashMap::new(), all: Vec::new() });
            self.fields.len() - 1
        });
        &mut self.fields[place]
    }

    /// Puts the patterns that an event may concern into `found`, in order.
    pub(crate) fn find<E: Event>(&self, event: &E, found: &mut Vec<usize>) {
        found.clear();
        found.extend_from_slice(&self.always);
        for by_value in &self.fields {
            found.extend_from_slice(by_value.patterns(&event.field(by_value.field)));
        }
        if !found.is_sorted_by(|a, b| a < b) {
            found.sort_unstable();
            found.dedup();
        }
    }
}

impl ByValue {
    fn patterns(&self, value: &Value<'_>) -> &[usize] {
        let found = match value {
            Value::Null => None,
            Value::String(text) if self.ints.is_empty() => self.texts.get(text.as_str()),
            Value::Int(int) if self.texts.is_empty() => self.ints.get(int),
            _ => Some(&self.all),
        };
        found.map_or(&[], |patterns| patterns)
    }
}
