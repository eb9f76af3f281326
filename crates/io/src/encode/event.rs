//! An event as a JSON object with all its fields, also those that no pattern asked for.

use ensue_model::{Event, FieldId, Row, Schema, Type, Value};

use super::json::{quoted, write_items, write_string, write_value};
use crate::csv;
use crate::format::RowFormat;
use crate::scalar;

/// Writes events of one format.
#[derive(Debug)]
pub(super) struct Events {
    source: Source,
    /// The names of the row's fields as JSON, for rows that were never bytes.
    fields: Vec<Vec<u8>>,
}

#[derive(Debug)]
enum Source {
    Csv { delimiter: u8, columns: Vec<Column> },
    Json,
}

/// A column: its name as JSON, and how its text becomes JSON.
#[derive(Debug)]
struct Column {
    name: Vec<u8>,
    text: Text,
}

/// How the text of a column becomes JSON.
#[derive(Clone, Copy, Debug)]
enum Text {
    /// As a number or null where it looks like one.
    Inferred,
    /// As true or false.
    Bool,
    /// As a string; nothing is null.
    String,
    /// As a string; nothing is the empty one.
    StringNeverNull,
    /// As the JSON that it is.
    Json,
}

impl Events {
    pub(super) fn new(schema: &Schema, format: RowFormat) -> Self {
        let source = match format {
            RowFormat::JsonLines => Source::Json,
            RowFormat::Csv(csv) => {
                let columns = csv.columns.iter();
                let columns = columns.map(|name| Column { name: quoted(name), text: Text::of(schema, name) }).collect();
                Source::Csv { delimiter: csv.delimiter, columns }
            }
        };
        Events { source, fields: schema.fields.iter().map(|field| quoted(&field.name)).collect() }
    }

    /// Writes the event that a row was made of.
    pub(super) fn write(&self, row: &Row, out: &mut Vec<u8>) {
        match &self.source {
            _ if row.raw().is_empty() => self.write_values(row, out),
            Source::Json => out.extend_from_slice(row.raw()),
            Source::Csv { delimiter, columns } => write_csv(row.raw(), *delimiter, columns, out),
        }
    }

    fn write_values(&self, row: &Row, out: &mut Vec<u8>) {
        out.push(b'{');
        write_items((0..).map(FieldId).zip(&self.fields), out, |(field, name), out| {
            out.extend_from_slice(name);
            out.push(b':');
            write_value(&row.field(field), out);
        });
        out.push(b'}');
    }
}

fn write_csv(raw: &[u8], delimiter: u8, columns: &[Column], out: &mut Vec<u8>) {
    let record = String::from_utf8_lossy(raw);
    out.push(b'{');
    write_items(columns.iter().zip(csv::fields(&record, delimiter)), out, |(column, field), out| {
        out.extend_from_slice(&column.name);
        out.push(b':');
        column.text.write(&field.text(), out);
    });
    out.push(b'}');
}

impl Text {
    fn of(schema: &Schema, column: &str) -> Self {
        let Some(field) = schema.find(column).map(|field| schema.get(field)) else { return Text::Inferred };
        match field.kind {
            Type::String if field.nullable => Text::String,
            Type::String => Text::StringNeverNull,
            Type::Bool => Text::Bool,
            Type::List(_) => Text::Json,
            Type::Int | Type::Float | Type::Decimal | Type::Timestamp | Type::Duration | Type::Any => Text::Inferred,
        }
    }

    fn write(self, text: &str, out: &mut Vec<u8>) {
        match self {
            Text::StringNeverNull => write_string(text, out),
            _ if text.is_empty() => out.extend_from_slice(b"null"),
            Text::String => write_string(text, out),
            Text::Bool if scalar::bool(text).is_some() => out.extend_from_slice(text.as_bytes()),
            Text::Json if serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok() => {
                // Line ends are white space there, and would end the line of the output.
                out.extend_from_slice(text.replace(['\n', '\r'], " ").as_bytes());
            }
            Text::Inferred | Text::Bool | Text::Json => write_inferred(text, out),
        }
    }
}

/// A number keeps the digits that it came with.
fn write_inferred(text: &str, out: &mut Vec<u8>) {
    match scalar::inferred(text) {
        Value::Int(_) | Value::Float(_) => out.extend_from_slice(text.as_bytes()),
        _ => write_string(text, out),
    }
}
