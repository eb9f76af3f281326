//! What the matcher sees of an event.

use serde::{Deserialize, Serialize};

use crate::schema::FieldId;
use crate::time::Timestamp;
use crate::value::Value;

/// An event: a time, and fields by their position in the schema that the patterns were compiled with.
///
/// A program implements it for its own type, and gets that type back in matches. [`Row`] is the one for events whose
/// fields are known only at run time.
///
/// ```
/// use ensue_model::{Event, FieldId, Timestamp, Value};
///
/// struct Order { id: i64, kind: &'static str, ms: i64 }
///
/// impl Event for Order {
///     fn time(&self) -> Timestamp { Timestamp::from_millis(self.ms) }
///     fn field(&self, field: FieldId) -> Value<'_> {
///         match field.0 { 0 => self.id.into(), 1 => self.kind.into(), _ => Value::Null }
///     }
/// }
/// ```
pub trait Event {
    /// The event time.
    fn time(&self) -> Timestamp;

    /// The value of a field; null where the event has none.
    fn field(&self, field: FieldId) -> Value<'_>;

    /// How many bytes it holds, about: what limits on memory count.
    fn size(&self) -> usize {
        size_of_val(self)
    }
}

/// An event whose fields are known only at run time: the fields that the patterns ask for, decoded, and the bytes that it
/// came in, for the output.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Row {
    /// The event time.
    pub time: Timestamp,
    /// A value for each field of the schema, in its order.
    pub values: Box<[Value<'static>]>,
    /// The event as it came, in the source's format; empty where it was never bytes.
    #[serde(with = "serde_bytes")]
    pub raw: Box<[u8]>,
}

impl Row {
    /// A row that was never bytes.
    pub fn new(time: Timestamp, values: Vec<Value<'static>>) -> Self {
        Row { time, values: values.into(), raw: Box::default() }
    }
}

impl Event for Row {
    fn time(&self) -> Timestamp {
        self.time
    }

    fn size(&self) -> usize {
        size_of::<Row>() + size_of_val(&*self.values) + self.raw.len()
    }

    fn field(&self, field: FieldId) -> Value<'_> {
        self.values.get(usize::from(field.0)).map_or(Value::Null, Value::borrowed)
    }
}
