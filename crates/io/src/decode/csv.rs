//! CSV records to rows.

use ensue_model::row::Draft;
use ensue_model::schema::Field;
use ensue_model::{FieldId, Row, StreamId, Timestamp, Type, Value};

use super::{FormatError, Slot, absent, no_time};
use crate::csv;
use crate::format::Csv;
use crate::scalar;
use crate::time::{TimeField, TimeFormat};

#[derive(Debug)]
pub(super) struct Decoder {
    stream: StreamId,
    delimiter: u8,
    columns: Vec<Column>,
    time: TimeField,
}

/// What a column is read for.
#[derive(Clone, Debug)]
struct Column {
    short_way: ShortWay,
    slot: Option<Slot>,
}

/// Where what stands in a column goes if it is what most columns hold: a short int or a word.
#[derive(Clone, Copy, Debug)]
enum ShortWay {
    /// Nobody reads it.
    Unread,
    /// An int is the event time, and perhaps a field.
    Time(Option<FieldId>),
    /// An int is an int, and a word a string.
    Any(FieldId),
    /// An int is an int.
    Int(FieldId),
    /// What has no quotes is what it says.
    Text(FieldId),
    /// There is none.
    None,
}

impl Decoder {
    pub(super) fn new(
        csv: &Csv,
        stream: StreamId,
        slots: Vec<(String, Slot)>,
        time: &TimeField,
    ) -> Result<Self, FormatError> {
        let mut columns = vec![None; csv.columns.len()];
        for (name, slot) in slots {
            match csv.columns.iter().position(|column| *column == name) {
                Some(column) => columns[column] = Some(slot),
                None if slot.may_be_missing() => {}
                None => return Err(no_column(csv, &name, slot.time)),
            }
        }
        let column = |slot: Option<Slot>| Column { short_way: ShortWay::of(slot.as_ref()), slot };
        let columns = columns.into_iter().map(column).collect();
        Ok(Decoder { stream, delimiter: csv.delimiter, columns, time: time.clone() })
    }

    pub(super) fn decode(&self, record: &str) -> Result<Row, String> {
        let mut row = Draft::new(record).of_stream(self.stream);
        let mut time = None;
        let mut fields = csv::fields(record, self.delimiter);
        for (at, column) in self.columns.iter().enumerate() {
            let Some(field) = fields.next() else { return Err(self.miscounted(at)) };
            let is_done = match column.short_way {
                ShortWay::Unread => true,
                ShortWay::Time(id) => self.take_time(record, field, id, &mut row, &mut time),
                ShortWay::Any(id) => {
                    put_part(record, field, id, scalar::begins_word, &mut row) || put_int(record, field, id, &mut row)
                }
                ShortWay::Int(id) => put_int(record, field, id, &mut row),
                ShortWay::Text(id) => put_part(record, field, id, |_| true, &mut row),
                ShortWay::None => false,
            };
            if !is_done && let Some(slot) = &column.slot {
                self.put(&field.text(), slot, &mut row, &mut time)?;
            }
        }
        if fields.next().is_some() {
            return Err(self.miscounted(self.columns.len() + 1 + fields.count()));
        }
        Ok(row.row(time.ok_or_else(|| no_time(&self.time))?))
    }

    #[inline(always)]
    fn take_time(
        &self,
        record: &str,
        field: csv::Field<'_>,
        id: Option<FieldId>,
        row: &mut Draft<'_>,
        time: &mut Option<Timestamp>,
    ) -> bool {
        let Some(int) = scalar::short_int_at(record.as_bytes(), field.inner()) else { return false };
        *time = self.time.format.event_time_of_int(int);
        if let (Some(id), Some(_)) = (id, &time) {
            row.put_int(id, int);
        }
        time.is_some()
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

/// Puts a short int. False, and nothing is put, where it is something else.
#[inline(always)]
fn put_int(record: &str, field: csv::Field<'_>, id: FieldId, row: &mut Draft<'_>) -> bool {
    match scalar::short_int_at(record.as_bytes(), field.inner()) {
        Some(int) => row.put_int(id, int),
        None => return false,
    }
    true
}

/// Puts what stands in a field that has no quotes and begins as it should. False, and nothing is put, where it does not.
#[inline(always)]
fn put_part(
    record: &str,
    field: csv::Field<'_>,
    id: FieldId,
    begins: impl Fn(u8) -> bool,
    row: &mut Draft<'_>,
) -> bool {
    let part = field.inner();
    let is_text = !field.is_quoted() && !part.is_empty() && begins(record.as_bytes()[part.start]);
    if is_text {
        row.put_part(id, part);
    }
    is_text
}

impl ShortWay {
    fn of(slot: Option<&Slot>) -> Self {
        let Some(Slot { field, time }) = slot else { return ShortWay::Unread };
        match (field.as_ref().map(|(id, field)| (*id, &field.kind)), time) {
            (None, _) => ShortWay::Time(None),
            (Some((id, Type::Any | Type::Int)), true) => ShortWay::Time(Some(id)),
            (Some((id, Type::Any)), false) => ShortWay::Any(id),
            (Some((id, Type::Int)), false) => ShortWay::Int(id),
            (Some((id, Type::String)), false) => ShortWay::Text(id),
            (Some(_), _) => ShortWay::None,
        }
    }
}

impl Slot {
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
