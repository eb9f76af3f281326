//! What runs through a job.

use std::borrow::Borrow;
use std::num::NonZeroU64;

use ensue_model::{Event, FieldId, Row, StreamId, Timestamp, Value};
use serde::{Deserialize, Serialize};

/// An event with the number of its line, for those that are rejected; the records of other patterns have none.
#[derive(Debug, Serialize, Deserialize)]
pub struct Numbered {
    /// The number of its line.
    pub line: Option<NonZeroU64>,
    /// The event.
    pub row: Row,
}

impl Event for Numbered {
    fn time(&self) -> Timestamp {
        self.row.time()
    }

    fn field(&self, field: FieldId) -> Value<'_> {
        self.row.field(field)
    }

    fn stream(&self) -> StreamId {
        self.row.stream()
    }

    fn of_record(stream: StreamId, time: Timestamp, fields: &[(FieldId, Value<'static>)]) -> Option<Self> {
        Row::of_record(stream, time, fields).map(|row| Numbered { line: None, row })
    }

    fn pack(&mut self, texts: &mut String) {
        self.row.pack(texts);
    }

    fn unpack(&mut self, text: &str) {
        self.row.unpack(text);
    }

    fn touch(&self) -> i64 {
        self.row.touch()
    }

    fn size(&self) -> usize {
        size_of::<u64>() + self.row.size()
    }
}

impl Borrow<Row> for Numbered {
    fn borrow(&self) -> &Row {
        &self.row
    }
}
