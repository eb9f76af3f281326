//! An event as a JSON object with all its fields, also those that no pattern asked for.

use std::slice;

use ensue_model::schema::{Field, Stream};
use ensue_model::{Event, FieldId, Row, Schema, Type};
use serde::de::IgnoredAny;

use super::json::{quoted, write_items, write_string, write_value};
use super::line::{Line, PART_BYTES, Pen, Piece};
use crate::csv;
use crate::format::{Csv, RowFormat};
use crate::logfmt::{self, Member, Said};
use crate::marks::{self, WINDOW, marks};
use crate::scalar;

/// Writes the events of one stream.
#[derive(Clone, Debug)]
pub(super) struct Events {
    source: Source,
    /// What stands before the value of each field of a row that was never bytes.
    fields: Vec<(FieldId, Piece)>,
}

#[derive(Clone, Debug)]
enum Source {
    Csv {
        delimiter: u8,
        columns: Columns,
    },
    /// Also where rows were never bytes.
    Json,
    Logfmt {
        /// The fields whose type says how they are written.
        declared: Vec<(String, Text)>,
    },
}

#[derive(Clone, Debug)]
struct Columns {
    columns: Vec<Column>,
    /// How many bytes of room it takes to write all of them, but for what stands in the fields.
    room: usize,
}

/// A column: what stands before its value, and how its text becomes JSON.
#[derive(Clone, Debug)]
struct Column {
    before: Piece,
    text: Text,
}

/// How the text of a column becomes JSON.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
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
            Some(RowFormat::Logfmt) => Source::Logfmt { declared: Text::of_all(&fields) },
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
            Source::Logfmt { declared } => write_logfmt(row.raw(), declared, line),
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
        /// What stands around a field or in its place, and what is too much in its last block.
        const AROUND_BYTES: usize = 8 + PART_BYTES;
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

fn write_csv(raw: &str, delimiter: u8, Columns { columns, room }: &Columns, line: &mut Line<'_>) {
    line.put(b"{");
    let mut columns = columns.iter();
    let mut start = 0;
    while let Some(column) = write_simple(raw.as_bytes(), &mut start, delimiter, &mut columns, *room, line) {
        let mut rest = csv::fields(&raw[start..], delimiter);
        let field = rest.next().expect("a record has one field more than delimiters");
        column.text.write(&field.text(), line);
        start += rest.start();
    }
    line.put(b"}");
}

/// Writes columns until one comes that is not simple: its name has been written then, and its field, which starts at `start`,
/// has not.
#[inline(always)]
fn write_simple<'c>(
    record: &[u8],
    start: &mut usize,
    delimiter: u8,
    columns: &mut slice::Iter<'c, Column>,
    room: usize,
    line: &mut Line<'_>,
) -> Option<&'c Column> {
    let mut pen = line.pen(room + record.len());
    let mut other = None;
    while let Some(window) = Window::at(record, *start, delimiter)
        && other.is_none()
    {
        let (end, found) = window.write(columns, &mut pen);
        other = found;
        *start += end;
    }
    let written = pen.at();
    line.take(written);
    other
}

/// The first bytes of what is left of a record, and what they are, a bit each.
struct Window<'a> {
    bytes: &'a [u8],
    /// Where fields end: at delimiters and at the end of the record.
    ends: u64,
    digits: u64,
    plain: u64,
}

impl<'a> Window<'a> {
    /// From the start of a field on; none behind the last one.
    #[inline(always)]
    fn at(record: &'a [u8], start: usize, delimiter: u8) -> Option<Self> {
        let bytes = record.get(start..)?;
        let kinds = |block| [marks::same(block, delimiter), marks::digits(block), marks::plain(block)];
        let [delimiters, digits, plain] = marks(bytes, 0, kinds);
        let ends = delimiters | 1_u64.unbounded_shl(bytes.len() as u32);
        Some(Window { bytes, ends, digits, plain })
    }

    /// Writes the columns that end here, until one comes that is not simple. Gives where the field of the next one starts,
    /// and the one that is not simple.
    #[inline(always)]
    fn write<'c>(&self, columns: &mut slice::Iter<'c, Column>, pen: &mut Pen<'_>) -> (usize, Option<&'c Column>) {
        let (mut ends, mut start) = (self.ends, 0);
        while ends != 0 {
            let Some(column) = columns.next() else { return (WINDOW, None) };
            let end = ends.trailing_zeros() as usize;
            pen.put_piece(&column.before);
            if column.text != Text::Inferred || !self.copy_simple(start, end - start, pen) {
                return (start, Some(column));
            }
            ends &= ends - 1;
            start = end + 1;
        }
        if start > 0 {
            return (start, None);
        }
        // The field is longer than what is looked at.
        let Some(column) = columns.next() else { return (WINDOW, None) };
        pen.put_piece(&column.before);
        (start, Some(column))
    }

    /// Copies a field of which it is soon told what it is: nothing, an int, or a word that needs no escapes. False, and
    /// nothing is written, where it may be something else.
    #[inline(always)]
    fn copy_simple(&self, start: usize, length: usize, pen: &mut Pen<'_>) -> bool {
        let are_all = |marks: u64| (!(marks >> start)).trailing_zeros() as usize >= length;
        match self.bytes.get(start) {
            _ if length == 0 => pen.put(b"null"),
            Some(b'1'..=b'9') if are_all(self.digits) => pen.put_part(self.bytes, start, length),
            Some(b'a'..=b'z' | b'A'..=b'Z') if are_all(self.plain) => {
                pen.put(b"\"");
                pen.put_part(self.bytes, start, length);
                pen.put(b"\"");
            }
            _ => return false,
        }
        true
    }
}

impl Text {
    fn of(fields: &[(FieldId, &Field)], column: &str) -> Self {
        let field = fields.iter().find(|(_, field)| field.name == column);
        field.map_or(Text::Inferred, |(_, field)| Text::of_field(field))
    }

    /// Those that are not what they look like.
    fn of_all(fields: &[(FieldId, &Field)]) -> Vec<(String, Text)> {
        let all = fields.iter().map(|(_, field)| (field.name.clone(), Text::of_field(field)));
        all.filter(|(_, text)| *text != Text::Inferred).collect()
    }

    fn of_field(field: &Field) -> Self {
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

/// Writes each member where its name stands last, as JSON has each name once.
fn write_logfmt(raw: &str, declared: &[(String, Text)], line: &mut Line<'_>) {
    let members: Vec<Member<'_>> = logfmt::members(raw).map_while(Result::ok).collect();
    let lasts = members
        .iter()
        .enumerate()
        .filter(|(at, member)| members[at + 1..].iter().all(|later| later.name != member.name));
    line.put(b"{");
    write_items(lasts, line, |(_, member), line| {
        write_string(member.name, line);
        line.put(b":");
        let text = declared.iter().find(|(name, _)| name == member.name).map_or(Text::Inferred, |(_, text)| *text);
        write_said(&member.said, text, line);
    });
    line.put(b"}");
}

fn write_said(said: &Said<'_>, text: Text, line: &mut Line<'_>) {
    match (said, text) {
        (Said::Nothing, text) => text.write("", line),
        (Said::Bare(logfmt::NULL), _) => line.put(b"null"),
        (Said::Present, Text::String | Text::StringNeverNull) => write_string(logfmt::PRESENT, line),
        (Said::Present, _) => line.put(b"true"),
        (Said::Bare(bare), Text::Inferred) => Text::Bool.write(bare, line),
        (Said::Bare(bare), text) => text.write(bare, line),
        (Said::Quoted(quoted), Text::Json) if is_json(quoted) => write_on_one_line(quoted, line),
        (Said::Quoted(quoted), _) => write_string(quoted, line),
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

#[cfg(test)]
mod tests {
    use super::*;

    fn written(write: impl FnOnce(&mut Line<'_>)) -> String {
        let mut out = Vec::new();
        let mut line = Line::behind(&mut out);
        write(&mut line);
        line.end();
        String::from_utf8(out).unwrap()
    }

    /// Each field by itself, with none of the short ways.
    fn one_by_one(record: &str, columns: &Columns, line: &mut Line<'_>) {
        line.put(b"{");
        for (column, field) in columns.columns.iter().zip(csv::fields(record, b',')) {
            line.put_piece(&column.before);
            column.text.write(&field.text(), line);
        }
        line.put(b"}");
    }

    proptest::proptest! {
        #[test]
        fn the_short_ways_write_what_the_long_one_does(
            fields in proptest::collection::vec(
                proptest::prop_oneof!["[0-9]{0,20}", "[a-z]{1,20}", "[a0\"é -]{0,20}", "[a1é]{60,70}", "\"[a,\"]{0,70}\""],
                0..9,
            ),
            columns in 0..9,
        ) {
            let names: Vec<String> = (0..columns).map(|column| format!("column {column}")).collect();
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            let columns = Columns::new(&[], &Csv::new(&names));
            let record = fields.join(",");
            let found = written(|line| write_csv(&record, b',', &columns, line));
            proptest::prop_assert_eq!(found, written(|line| one_by_one(&record, &columns, line)));
        }
    }
}
