//! The key of an event.

use std::cell::Cell;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use crate::eval::{OfEvent, eval};
use crate::event::Event;
use crate::expr::Expr;
use crate::schema::StreamId;
use crate::table::Tables;
use crate::value::Value;

/// The values of a key's parts, in order. A key of one part, which most keys are, needs no memory of its own.
#[derive(Clone, PartialEq, Eq)]
pub struct Key(Parts);

#[derive(Clone, PartialEq, Eq)]
enum Parts {
    One(Value<'static>),
    Several(Arc<[Value<'static>]>),
}

impl Deref for Key {
    type Target = [Value<'static>];

    fn deref(&self) -> &[Value<'static>] {
        match &self.0 {
            Parts::One(part) => std::slice::from_ref(part),
            Parts::Several(parts) => parts,
        }
    }
}

impl Key {
    /// The key of these parts.
    pub fn of(parts: &[Value<'_>]) -> Self {
        match parts {
            [part] => Key(Parts::One(part.borrowed().into_owned())),
            parts => Key(Parts::Several(parts.iter().map(|part| part.borrowed().into_owned()).collect())),
        }
    }
}

impl<'a> FromIterator<Value<'a>> for Key {
    fn from_iter<I: IntoIterator<Item = Value<'a>>>(parts: I) -> Self {
        let mut parts = parts.into_iter().map(Value::into_owned);
        match (parts.next(), parts.next()) {
            (Some(part), None) => Key(Parts::One(part)),
            (first, second) => Key(Parts::Several(first.into_iter().chain(second).chain(parts).collect())),
        }
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

/// How events come to a pattern's keys.
#[derive(Clone, PartialEq, Debug)]
pub struct Keys {
    /// The names of the parts, for the output: a field's name, or the expression as it was written. None where the whole
    /// stream is one key.
    pub names: Vec<String>,
    /// The ways in which an event may come to a key. There is one, unless the key differs by stream or by stage.
    pub ways: Vec<KeyWay>,
}

impl Default for Keys {
    /// The whole stream is one key.
    fn default() -> Self {
        Keys::new(Vec::new())
    }
}

impl Keys {
    /// A key of parts with these names and values, which is the same for all streams and stages.
    pub fn new(parts: Vec<(String, Expr)>) -> Self {
        let (names, parts) = parts.into_iter().unzip();
        Keys { names, ways: vec![KeyWay { stream: None, parts }] }
    }

    /// The ways that events of a stream may take, with their numbers.
    pub fn ways_of(&self, stream: StreamId) -> impl Iterator<Item = (u8, &KeyWay)> {
        (0..).zip(&self.ways).filter(move |(_, way)| way.stream.is_none_or(|of| of == stream))
    }
}

/// A way in which an event may come to a key.
#[derive(Clone, PartialEq, Debug)]
pub struct KeyWay {
    /// The stream that it is for; any if none is named.
    pub stream: Option<StreamId>,
    /// The parts' values, over the event.
    pub parts: Vec<Expr>,
}

/// The value of a part of a key for an event; null where it has none. Evaluation errors are counted in `faults`.
pub fn key_part<'e, E: Event>(part: &'e Expr, event: &'e E, faults: &Cell<u64>) -> Value<'e> {
    match part {
        Expr::Field(field) => event.field(*field),
        computed => eval(computed, &OfEvent { event, faults, tables: Tables::NONE }).into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_its_parts() {
        let parts = |key: Key| key.iter().map(Value::to_string).collect::<Vec<_>>().join(", ");
        let key = |count: i64| (0..count).map(Value::Int).collect::<Key>();
        assert_eq!(parts(key(0)), "");
        assert_eq!(parts(key(1)), "0");
        assert_eq!(parts(key(3)), "0, 1, 2");
        assert_ne!(key(1), key(2));
    }

    #[test]
    fn a_key_of_one_part_is_no_larger_than_that() {
        assert_eq!(size_of::<Key>(), size_of::<Value<'static>>());
    }
}
