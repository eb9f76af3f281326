//! CSV records to rows.

use std::borrow::Cow;

use ensue_model::row::Draft;
use ensue_model::schema::Field;
use ensue_model::{Row, Timestamp, Type, Value};

use super::{FormatError, Slot, absent, no_time};
use crate::csv;
use crate::format::Csv;
use crate::scalar;
use crate::time::{TimeField, TimeFormat};

#[derive(Debug)]
pub(super) struct Decoder {
    delimiter: u8,
    /// What each column is read for.
    columns: Vec<Option<Slot>>,
    time: TimeField,
}

impl Decoder {
    pub(super) fn new(csv: &Csv, slots: Vec<(String, Slot)>, time: &TimeField) -> Result<Self, FormatError> {
        let mut columns = vec![None; csv.columns.len()];
        for (name, slot) in slots {
            match csv.columns.iter().position(|column| *column == name) {
                Some(column) => columns[column] = Some(slot),
                None if slot.may_be_missing() => {}
                None => return Err(no_column(csv, &name, slot.time)),
            }
        }
        Ok(Decoder { delimiter: csv.delimiter, columns, time: time.clone() })
    }

    pub(super) fn decode(&self, record: &str) -> Result<Row, String> {
        let mut row = Draft::new(record);
        let mut time = None;
        let mut fields = csv::fields(record, self.delimiter);
        for (column, slot) in self.columns.iter().enumerate() {
            let Some(field) = fields.next() else { return Err(self.miscounted(column)) };
            let Some(slot) = slot else { continue };
            match scalar::short_int_at(record.as_bytes(), field.inner()) {
                Some(int) if slot.takes_int() => self.put_int(int, slot, &mut row, &mut time)?,
                _ => match field.text() {
                    Cow::Borrowed(text) if slot.takes_word(text) => slot.put_word(text, &mut row),
                    text => self.put(&text, slot, &mut row, &mut time)?,
                },
            }
        }
        if fields.next().is_some() {
            return Err(self.miscounted(self.columns.len() + 1 + fields.count()));
        }
        Ok(row.row(time.ok_or_else(|| no_time(&self.time))?))
    }

    /// Puts a short int, which most fields are.
    #[inline(always)]
    fn put_int(&self, int: i64, slot: &Slot, row: &mut Draft<'_>, time: &mut Option<Timestamp>) -> Result<(), String> {
        if slot.time {
            *time = Some(match self.time.format.event_time_of_int(int) {
                Some(time) => time,
                None => self.event_time(&int.to_string())?,
            });
        }
        if let Some((id, _)) = &slot.field {
            row.put_int(*id, int);
        }
        Ok(())
    }

    #[inline(never)]
    fn put(&self, text: &str, slot: &Slot, row: &mut Draft<'_>, time: &mut Option<Timestamp>) -> Result<(), String> {
        if slot.time && !text.is_empty() {
            *time = Some(self.event_time(text)?);
        }
        if let Some((id, field)) = &slot.field {
            row.put(*id, value(text, field, self.time.format)?);
        }
        Ok(())
    }

    #[inline]
    fn event_time(&self, text: &str) -> Result<Timestamp, String> {
        self.time.format.event_time(text).map_err(|misfit| scalar::refusal(&self.time.name, text, &misfit))
    }

    fn miscounted(&self, found: usize) -> String {
        miscounted(found, self.columns.len())
    }
}

/// The value of a field. Nothing between two delimiters is null, unless it can only be the empty string.
#[inline]
pub(crate) fn value<'a>(text: &'a str, field: &Field, times: TimeFormat) -> Result<Value<'a>, String> {
    let empty_is_null = field.kind != Type::String || field.nullable;
    if text.is_empty() && empty_is_null {
        return absent(field);
    }
    scalar::value(text, &field.kind, times).map_err(|misfit| scalar::refusal(&field.name, text, &misfit))
}

/// The reason where a record has another number of fields than there are columns.
pub(crate) fn miscounted(found: usize, columns: usize) -> String {
    let fields = if found == 1 { "field" } else { "fields" };
    format!("{found} {fields}, expected {columns}, one for each column")
}

impl Slot {
    /// Whether a word can only be a string.
    #[inline]
    fn takes_word(&self, text: &str) -> bool {
        let is_any = self.field.as_ref().is_some_and(|(_, field)| field.kind == Type::Any);
        is_any && !self.time && scalar::is_word(text)
    }

    /// Puts a word that borrows from the record.
    #[inline]
    fn put_word(&self, text: &str, row: &mut Draft<'_>) {
        if let Some((id, _)) = &self.field {
            row.put_text(*id, text);
        }
    }

    /// Whether a short int is what it looks like.
    #[inline]
    fn takes_int(&self) -> bool {
        self.field.as_ref().is_none_or(|(_, field)| matches!(field.kind, Type::Any | Type::Int))
    }

    /// Whether rows can do without the column.
    fn may_be_missing(&self) -> bool {
        !self.time && self.field.as_ref().is_some_and(|(_, field)| field.nullable)
    }
}

fn no_column(csv: &Csv, name: &str, time: bool) -> FormatError {
    let purpose = if time { "for the event time" } else { "that a pattern asks for" };
    FormatError { message: format!("no column `{name}` {purpose}: {}", named(csv)) }
}

/// The columns that there are.
pub(crate) fn named(csv: &Csv) -> String {
    let columns: Vec<_> = csv.columns.iter().map(|column| format!("`{column}`")).collect();
    format!("the columns are {}", columns.join(", "))
}
