//! What the matcher sees of an event.

use crate::schema::{FieldId, StreamId};
use crate::time::Timestamp;
use crate::value::Value;

/// An event: a time, and fields by their position in the schema that the patterns were compiled with.
///
/// A program implements it for its own type, and gets that type back in matches. [`Row`](crate::Row) is the one for events whose
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

    /// The stream that it is of: the caller's only one, where nothing else is said.
    fn stream(&self) -> StreamId {
        StreamId(0)
    }

    /// The event that a record is that a pattern emitted, for the patterns that read it. None, which is what is given where
    /// nothing else is said, if it cannot be one: then no pattern can read what another emits.
    fn of_record(stream: StreamId, time: Timestamp, fields: &[(FieldId, Value<'static>)]) -> Option<Self>
    where
        Self: Sized,
    {
        let _ = (stream, time, fields);
        None
    }

    /// How many bytes it holds, about: what limits on memory count.
    fn size(&self) -> usize {
        size_of_val(self)
    }

    /// Puts the text that it holds in memory of its own behind `texts`, for its way to another thread. Until it is
    /// [unpacked](Event::unpack), only its time may be asked for. Does nothing, if nothing else is said.
    fn pack(&mut self, texts: &mut String) {
        let _ = texts;
    }

    /// Takes back the text that it has put behind others, which is empty if it put none.
    fn unpack(&mut self, text: &str) {
        let _ = text;
    }

    /// Reads a little of what will be read when the event comes out, so that it is in the cache by then. What it gives
    /// means nothing.
    fn touch(&self) -> i64 {
        self.time().as_micros()
    }
}
