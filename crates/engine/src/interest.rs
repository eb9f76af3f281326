//! Which patterns an event can make a difference to: of a thousand rules an event concerns a few, and must not cost what
//! all of them would.

use ensue_model::{Event, FieldId, Value};
use ensue_nfa::{Asked, Asks, Need};
use hashbrown::HashMap;

use crate::lane::Lane;

/// Patterns by what their conditions ask of an event first.
#[derive(Debug)]
pub(crate) struct Interest {
    /// Those that any event may concern, in order.
    always: Vec<Asked>,
    fields: Vec<ByValue>,
}

/// The patterns that ask for values of one field.
#[derive(Debug)]
struct ByValue {
    field: FieldId,
    texts: HashMap<Box<str>, Asks>,
    ints: HashMap<i64, Asks>,
    /// All of them, in order: whether a value of another type is equal to theirs, and what it means if it cannot be, is not
    /// for a table to say.
    all: Vec<Asked>,
}

impl Interest {
    pub(crate) fn new() -> Self {
        Interest { always: Vec::new(), fields: Vec::new() }
    }

    /// Adds a pattern that any event may concern, behind those that are there.
    pub(crate) fn add_always(&mut self, pattern: usize) {
        self.always.push(Asked::unsure(pattern as u32));
    }

    /// Adds a pattern behind those that are there.
    pub(crate) fn add(&mut self, pattern: usize, lane: &Lane) {
        let Some(needs) = lane.program().needs() else { return self.add_always(pattern) };
        for need in needs {
            let begins = lane.may_begin_with(&need);
            self.by_value(need.field).add(pattern as u32, need, begins);
        }
    }

    fn by_value(&mut self, field: FieldId) -> &mut ByValue {
        let place = self.fields.iter().position(|by_value| by_value.field == field).unwrap_or_else(|| {
            self.fields.push(ByValue { field, texts: HashMap::new(), ints: HashMap::new(), all: Vec::new() });
            self.fields.len() - 1
        });
        &mut self.fields[place]
    }

    /// The patterns that an event may concern, in order, each with what was found out of its conditions; `found` is room for
    /// them.
    #[inline]
    pub(crate) fn find<'a, E: Event>(&'a self, event: &E, found: &'a mut Vec<Asked>) -> &'a [Asked] {
        if self.fields.is_empty() {
            return &self.always;
        }
        self.look_up(event, found);
        found
    }

    fn look_up<E: Event>(&self, event: &E, found: &mut Vec<Asked>) {
        found.clear();
        found.extend_from_slice(&self.always);
        self.fields.iter().for_each(|by_value| by_value.find(event, found));
        if !found.is_sorted_by_key(|asked| asked.program) {
            found.sort_unstable();
        }
    }
}

impl ByValue {
    fn add(&mut self, pattern: u32, need: Need, begins: bool) {
        let asks = match &need.value {
            Value::String(text) => self.texts.entry(text.as_str().into()).or_default(),
            Value::Int(int) => self.ints.entry(*int).or_default(),
            _ => unreachable!("a program needs texts and ints"),
        };
        asks.add(pattern, need, begins);
        let unsure = Asked::unsure(pattern);
        if self.all.last() != Some(&unsure) {
            self.all.push(unsure);
        }
    }

    fn find<E: Event>(&self, event: &E, found: &mut Vec<Asked>) {
        let asks = match event.field(self.field) {
            Value::Null => None,
            Value::String(text) if self.ints.is_empty() => self.texts.get(text.as_str()),
            Value::Int(int) if self.texts.is_empty() => self.ints.get(&int),
            _ => return found.extend_from_slice(&self.all),
        };
        if let Some(asks) = asks {
            asks.find(event, found);
        }
    }
}
