//! An event as a JSON object with all its fields, also those that no pattern asked for.

use ensue_model::{Event, FieldId, Row, Schema, Type};
use serde::de::IgnoredAny;

use super::json::{quoted, write_string, write_value};
use crate::csv;
use crate::format::RowFormat;
use crate::scalar;

/// Writes events of one format.
#[derive(Debug)]
pub(super) struct Events {
    source: Source,
    /// What stands before the value of each field of a row that was never bytes.
    fields: Vec<Vec<u8>>,
}

#[derive(Debug)]
enum Source {
    Csv { delimiter: u8, columns: Vec<Column> },
    Json,
}

/// A column: what stands before its value, and how its text becomes JSON.
#[derive(Debug)]
struct Column {
    before: Vec<u8>,
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
                let columns = (0..).zip(&csv.columns);
                let column =
                    |(at, name): (usize, &String)| Column { before: before(at, name), text: Text::of(schema, name) };
                Source::Csv { delimiter: csv.delimiter, columns: columns.map(column).collect() }
            }
        };
        let fields = (0..).zip(&schema.fields).map(|(at, field)| before(at, &field.name)).collect();
        Events { source, fields }
    }

    /// Writes the event that a row was made of.
    pub(super) fn write(&self, row: &Row, out: &mut Vec<u8>) {
        match &self.source {
            _ if row.raw().is_empty() => self.write_values(row, out),
            Source::Json => out.extend_from_slice(row.raw().as_bytes()),
            Source::Csv { delimiter, columns } => write_csv(row.raw(), *delimiter, columns, out),
        }
    }

    fn write_values(&self, row: &Row, out: &mut Vec<u8>) {
        out.push(b'{');
        for (field, before) in (0..).map(FieldId).zip(&self.fields) {
            out.extend_from_slice(before);
            write_value(&row.field(field), out);
        }
        out.push(b'}');
    }
}

/// `"name":`, with a comma between it and the value before.
pub(super) fn before(at: usize, name: &str) -> Vec<u8> {
    let comma: &[u8] = if at == 0 { b"" } else { b"," };
    [comma, &quoted(name), b":"].concat()
}

fn write_csv(raw: &str, delimiter: u8, columns: &[Column], out: &mut Vec<u8>) {
    out.push(b'{');
    for (column, field) in columns.iter().zip(csv::fields(raw, delimiter)) {
        out.extend_from_slice(&column.before);
        column.text.write(&field.text(), out);
    }
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
            Text::Bool if matches!(text, "true" | "false") => out.extend_from_slice(text.as_bytes()),
            Text::Json if is_json(text) => write_on_one_line(text, out),
            Text::Inferred | Text::Bool | Text::Json => write_inferred(text, out),
        }
    }
}

/// A number keeps the digits that it came with.
fn write_inferred(text: &str, out: &mut Vec<u8>) {
    match scalar::is_number(text) {
        true => out.extend_from_slice(text.as_bytes()),
        false => write_string(text, out),
    }
}

fn is_json(text: &str) -> bool {
    serde_json::from_str::<IgnoredAny>(text).is_ok()
}

/// Writes JSON. Line ends are white space there, and would end the line of the output.
fn write_on_one_line(json: &str, out: &mut Vec<u8>) {
    out.extend(json.bytes().map(|byte| if matches!(byte, b'\n' | b'\r') { b' ' } else { byte }));
}
