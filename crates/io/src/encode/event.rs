//! An event as a JSON object with all its fields, also those that no pattern asked for.

use std::slice;

use ensue_model::schema::{Field, Stream};
use ensue_model::{Event, FieldId, Row, Schema, Type};
use serde::de::IgnoredAny;

use super::json::{self, quoted, write_string, write_value};
use super::line::{Line, Pen, Piece};
use crate::csv;
use crate::format::{Csv, RowFormat};
use crate::scalar;
use crate::words;

/// Writes the events of one stream.
#[derive(Debug)]
pub(super) struct Events {
    source: Source,
    /// What stands before the value of each field of a row that was never bytes.
    fields: Vec<(FieldId, Piece)>,
}

#[derive(Debug)]
enum Source {
    Csv {
        delimiter: u8,
        columns: Columns,
    },
    /// Also where rows were never bytes.
    Json,
}

#[derive(Debug)]
struct Columns {
    columns: Vec<Column>,
    /// How many bytes of room it takes to write all of them, but for what stands in the fields.
    room: usize,
}

/// A column: what stands before its value, and how its text becomes JSON.
#[derive(Debug)]
struct Column {
    before: Piece,
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
    /// For the events of a stream of these fields, which came in a format unless they were never bytes.
    pub(super) fn new(schema: &Schema, stream: &Stream, format: Option<&RowFormat>) -> Self {
        let fields: Vec<(FieldId, &Field)> = stream.fields.iter().map(|field| (*field, schema.get(*field))).collect();
        let source = match format {
            None | Some(RowFormat::JsonLines) => Source::Json,
            Some(RowFormat::Csv(csv)) => Source::Csv { delimiter: csv.delimiter, columns: Columns::new(&fields, csv) },
        };
        let fields = (0..).zip(fields).map(|(at, (id, field))| (id, before(at, &field.name))).collect();
        Events { source, fields }
    }

    /// Writes the event that a row was made of.
    pub(super) fn write(&self, row: &Row, line: &mut Line<'_>) {
        match &self.source {
            _ if row.raw().is_empty() => self.write_values(row, line),
            Source::Json => line.write(row.raw().as_bytes()),
            Source::Csv { delimiter, columns } => write_csv(row.raw(), *delimiter, columns, line),
        }
    }

    fn write_values(&self, row: &Row, line: &mut Line<'_>) {
        line.put(b"{");
        for (field, before) in &self.fields {
            line.put_piece(before);
            write_value(&row.field(*field), line);
        }
        line.put(b"}");
    }
}

impl Columns {
    fn new(fields: &[(FieldId, &Field)], csv: &Csv) -> Self {
        /// What stands around a field or in its place, and what is too much in its last word.
        const AROUND_BYTES: usize = 16;
        let columns = (0..).zip(&csv.columns);
        let column = |(at, name): (usize, &String)| Column { before: before(at, name), text: Text::of(fields, name) };
        let columns: Vec<Column> = columns.map(column).collect();
        let room = columns.iter().map(|column| column.before.room() + AROUND_BYTES).sum();
        Columns { columns, room }
    }
}

/// `"name":`, with a comma between it and the value before.
pub(super) fn before(at: usize, name: &str) -> Piece {
    let comma: &[u8] = if at == 0 { b"" } else { b"," };
    Piece::new(&[comma, &quoted(name), b":"].concat())
}

fn write_csv(raw: &str, delimiter: u8, columns: &Columns, line: &mut Line<'_>) {
    line.put(b"{");
    let mut fields = csv::fields(raw, delimiter);
    let Columns { columns, room } = columns;
    let mut columns = columns.iter();
    while let Some(column) = write_simple(&mut fields, &mut columns, *room, line)
        && let Some(field) = fields.next()
    {
        column.text.write(&field.text(), line);
    }
    line.put(b"}");
}

/// Writes columns until one comes that is not simple: its name has been written then, and its field has not.
fn write_simple<'c>(
    fields: &mut csv::Fields<'_>,
    columns: &mut slice::Iter<'c, Column>,
    room: usize,
    line: &mut Line<'_>,
) -> Option<&'c Column> {
    let mut pen = line.pen(room + fields.rest().unwrap_or_default().len());
    let found = columns.find(|column| {
        let Some(rest) = fields.rest() else { return true };
        pen.put_piece(&column.before);
        match column.text {
            Text::Inferred if let Some(bytes) = copy_simple(rest, fields.delimiter(), &mut pen) => {
                fields.pass(bytes);
                false
            }
            _ => true,
        }
    });
    let written = pen.at();
    line.take(written);
    found
}

/// Copies the field at the front if one look at each eight bytes tells what it is: nothing, an int, or a word that needs no
/// escapes. Gives its length; none, and nothing written, where it may be something else.
#[inline(always)]
fn copy_simple(rest: &[u8], delimiter: u8, pen: &mut Pen<'_>) -> Option<usize> {
    let start = pen.at();
    let copied = match rest.first() {
        Some(b'1'..=b'9') => {
            copy_while(words::digits, rest, delimiter, pen).filter(|&bytes| bytes <= scalar::FINITE_DIGITS)
        }
        Some(b'a'..=b'z' | b'A'..=b'Z') => {
            pen.put(b"\"");
            let copied = copy_while(json::plain, rest, delimiter, pen);
            pen.put(b"\"");
            copied
        }
        Some(&first) if first != delimiter => None,
        _ => {
            pen.put(b"null");
            Some(0)
        }
    };
    if copied.is_none() {
        pen.back(start);
    }
    copied
}

/// Copies the field at the front while its bytes are of a kind: `kind` gives the highest bits of those that are. Gives its
/// length; none where a byte is something else.
#[inline(always)]
fn copy_while(kind: impl Fn(u64) -> u64, field: &[u8], delimiter: u8, pen: &mut Pen<'_>) -> Option<usize> {
    let mut at = 0;
    loop {
        let (word, behind_end) = words::word_and_end(field, at);
        let ends = words::same(word, words::all(delimiter)) | behind_end;
        let before_end = ends.wrapping_sub(1) & !ends;
        if words::HIGH & before_end & !kind(word) != 0 {
            return None;
        }
        let bytes = ends.trailing_zeros() as usize / 8;
        pen.put_word(word, bytes);
        at += bytes;
        if ends != 0 {
            return Some(at);
        }
    }
}

impl Text {
    fn of(fields: &[(FieldId, &Field)], column: &str) -> Self {
        let Some((_, field)) = fields.iter().find(|(_, field)| field.name == column) else { return Text::Inferred };
        match field.kind {
            Type::String if field.nullable => Text::String,
            Type::String => Text::StringNeverNull,
            Type::Bool => Text::Bool,
            Type::List(_) => Text::Json,
            Type::Int | Type::Float | Type::Decimal | Type::Timestamp | Type::Duration | Type::Any => Text::Inferred,
        }
    }

    fn write(self, text: &str, line: &mut Line<'_>) {
        match self {
            Text::StringNeverNull => write_string(text, line),
            _ if text.is_empty() => line.put(b"null"),
            Text::String => write_string(text, line),
            Text::Bool if matches!(text, "true" | "false") => line.write(text.as_bytes()),
            Text::Json if is_json(text) => write_on_one_line(text, line),
            Text::Inferred | Text::Bool | Text::Json => write_inferred(text, line),
        }
    }
}

/// A number keeps the digits that it came with.
fn write_inferred(text: &str, line: &mut Line<'_>) {
    match scalar::is_number(text) {
        true => line.write(text.as_bytes()),
        false => write_string(text, line),
    }
}

fn is_json(text: &str) -> bool {
    serde_json::from_str::<IgnoredAny>(text).is_ok()
}

/// Writes JSON. Line ends are white space there, and would end the line of the output.
fn write_on_one_line(json: &str, line: &mut Line<'_>) {
    let one_line: Vec<u8> = json.bytes().map(|byte| if matches!(byte, b'\n' | b'\r') { b' ' } else { byte }).collect();
    line.write(&one_line);
}
