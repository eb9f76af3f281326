//! Records to rows: only the fields that a pattern asks for are decoded, the rest stays the bytes it came in.

use std::error::Error;
use std::fmt;

use ensue_model::schema::Field;
use ensue_model::{FieldId, Patterns, Row, StreamId, Type, Value};

use crate::asked;
use crate::format::RowFormat;
use crate::records::{BadLine, Record};
use crate::time::TimeField;

pub(crate) mod csv;
mod flat;
pub(crate) mod json;
mod logfmt;

/// Makes rows of the records of a stream: the values that the patterns ask for, the event time, and the record itself.
#[derive(Debug)]
pub struct Decoder {
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Csv(csv::Decoder),
    Json(json::Decoder),
    Logfmt(logfmt::Decoder),
}

/// Why records of this format cannot be decoded for these patterns.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FormatError {
    message: String,
}

impl fmt::Display for FormatError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for FormatError {}

/// What a field of the input is read for.
#[derive(Clone, Debug)]
struct Slot {
    /// The field of the row, with what was declared, where a pattern asks for it.
    field: Option<(FieldId, Field)>,
    /// Whether it is the event time.
    time: bool,
}

impl Decoder {
    /// A decoder of the fields that `patterns` ask of the events of a stream.
    ///
    /// Types that a stream declares are read strictly; a field that is not declared is what it looks like. Fails if a CSV
    /// has no column for the time, or for a field that is asked for and never null.
    ///
    /// # Panics
    /// If the stream is not one of theirs.
    pub fn new(
        patterns: &Patterns,
        stream: StreamId,
        format: &RowFormat,
        time: &TimeField,
    ) -> Result<Self, FormatError> {
        let slots = slots(patterns, stream, &time.name);
        let kind = match format {
            RowFormat::Csv(csv) => Kind::Csv(csv::Decoder::new(csv, stream, slots, time)?),
            RowFormat::JsonLines => Kind::Json(json::Decoder::new(stream, slots, time)),
            RowFormat::Logfmt => Kind::Logfmt(logfmt::Decoder::new(stream, slots, time)),
        };
        Ok(Decoder { kind })
    }

    /// The row of a record.
    pub fn decode(&self, record: &Record<'_>) -> Result<Row, BadLine> {
        self.decode_again(record.text()?).map_err(|reason| record.bad(reason))
    }

    /// The row of a record that was one before, from its text ([`Row::raw`]): for other patterns it may hold other fields.
    ///
    /// # Errors
    /// What is wrong with it, in a sentence.
    #[inline]
    pub fn decode_again(&self, text: &str) -> Result<Row, String> {
        match &self.kind {
            Kind::Csv(decoder) => decoder.decode(text),
            Kind::Json(decoder) => decoder.decode(text),
            Kind::Logfmt(decoder) => decoder.decode(text),
        }
    }
}

/// The fields to read, by name.
fn slots(patterns: &Patterns, stream: StreamId, time: &str) -> Vec<(String, Slot)> {
    let schema = &patterns.schema;
    let mut slots: Vec<(String, Slot)> = asked::fields(patterns, stream)
        .into_iter()
        .map(|id| (id, schema.get(id)))
        .map(|(id, field)| (field.name.clone(), Slot { field: Some((id, field.clone())), time: field.name == time }))
        .collect();
    if !slots.iter().any(|(_, slot)| slot.time) {
        slots.push((time.to_owned(), Slot { field: None, time: true }));
    }
    slots
}

/// What a field without a value is: null, or an error where the stream says that it never is.
fn absent(field: &Field) -> Result<Value<'static>, String> {
    match field.nullable || field.kind == Type::Any {
        true => Ok(Value::Null),
        false => Err(format!("`{}` has no value, and its type `{}` does not allow null", field.name, field.kind)),
    }
}

/// The reason where there is no event time.
fn no_time(time: &TimeField) -> String {
    format!("`{}`, the event time, has no value", time.name)
}

#[cfg(test)]
mod tests;
