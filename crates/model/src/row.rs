//! An event whose fields are known only at run time.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use crate::event::Event;
use crate::schema::{FieldId, StreamId};
use crate::time::{Span, Timestamp};
use crate::value::Value;

/// An event whose fields are known only at run time: the fields that the patterns ask for, decoded, and the bytes that it
/// came in, for the output.
///
/// It is made to be kept, for every open run keeps one: few values lie in the row itself, nulls take no room, and a text
/// that stands in the event's bytes is not held twice.
///
/// ```
/// use ensue_model::{Event, FieldId, Row, Timestamp, Value};
///
/// let raw = "1234,create";
/// let values = [(FieldId(1), Value::from(&raw[5..])), (FieldId(0), Value::Int(1234))];
/// let row = Row::of_text(Timestamp::from_seconds(0), raw, values);
/// assert_eq!(row.field(FieldId(0)), Value::Int(1234));
/// assert_eq!(row.field(FieldId(1)), Value::from("create"));
/// assert_eq!(row.field(FieldId(2)), Value::Null);
/// assert_eq!(row.raw(), raw);
/// ```
#[derive(Clone)]
pub struct Row {
    /// The event time.
    pub time: Timestamp,
    /// The values that are not null, in the order of their fields.
    cells: SmallVec<[Cell; CELLS]>,
    /// The event as it came; then the texts that do not stand in it.
    text: Box<str>,
    /// How many bytes stand behind the event as it came.
    own: u32,
    stream: StreamId,
    /// What fits no cell: decimals, lists, records.
    others: Option<Box<Others>>,
}

/// How many cells need no memory of their own: patterns seldom ask for more than a key, a type and a value.
const CELLS: usize = 3;

#[derive(Clone, Default, Debug)]
struct Others(Vec<Value<'static>>);

/// A field with its value: a word that holds it or says where it is, and which of both.
#[derive(Clone, Copy, Debug)]
struct Cell {
    word: u64,
    field: FieldId,
    kind: Kind,
}

/// What the word of a cell is.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Bool,
    Int,
    /// The float's bits.
    Float,
    /// Microseconds.
    Timestamp,
    /// Microseconds.
    Duration,
    /// Where a text stands: its start, and above that its length.
    Text,
    /// A value's place among the others.
    Other,
}

impl Row {
    /// A row that was never bytes, with a value for each field of the schema, in its order.
    pub fn new(time: Timestamp, values: Vec<Value<'static>>) -> Self {
        Row::of_text(time, "", numbered(values))
    }

    /// The row of an event that came as `raw`, in the source's format, with the values of its fields. A text that borrows
    /// from `raw` is not copied again.
    pub fn of_text<'a>(time: Timestamp, raw: &'a str, values: impl IntoIterator<Item = (FieldId, Value<'a>)>) -> Self {
        let mut draft = Draft::new(raw);
        values.into_iter().for_each(|(field, value)| draft.put(field, value));
        draft.row(time)
    }

    /// The row as an event of a stream; if nothing is said, it is of the only one.
    #[must_use]
    pub fn of_stream(self, stream: StreamId) -> Self {
        Row { stream, ..self }
    }

    /// The event as it came, in the source's format; empty where it was never bytes.
    pub fn raw(&self) -> &str {
        &self.text[..self.text.len() - self.own as usize]
    }

    /// The fields that are not null, in the order of the schema.
    pub fn values(&self) -> impl Iterator<Item = (FieldId, Value<'_>)> {
        self.cells.iter().map(|cell| (cell.field, self.value(*cell)))
    }

    #[inline]
    fn value(&self, Cell { word, kind, .. }: Cell) -> Value<'_> {
        let int = word.cast_signed();
        match kind {
            Kind::Bool => Value::Bool(int != 0),
            Kind::Int => Value::Int(int),
            Kind::Float => Value::Float(f64::from_bits(word)),
            Kind::Timestamp => Value::Timestamp(Timestamp::from_micros(int)),
            Kind::Duration => Value::Duration(Span::from_micros(int)),
            Kind::Text => self.text[place(word)].into(),
            Kind::Other => self.others.as_ref().expect("put has pushed one").0[int as usize].borrowed(),
        }
    }
}

impl Event for Row {
    #[inline]
    fn time(&self) -> Timestamp {
        self.time
    }

    #[inline]
    fn field(&self, field: FieldId) -> Value<'_> {
        find(&self.cells, field).map_or(Value::Null, |cell| self.value(*cell))
    }

    fn stream(&self) -> StreamId {
        self.stream
    }

    fn of_record(stream: StreamId, time: Timestamp, fields: &[(FieldId, Value<'static>)]) -> Option<Self> {
        let values = fields.iter().map(|(field, value)| (*field, value.borrowed()));
        Some(Row::of_text(time, "", values).of_stream(stream))
    }

    fn pack(&mut self, texts: &mut String) {
        texts.push_str(&std::mem::take(&mut self.text));
    }

    fn unpack(&mut self, text: &str) {
        self.text = text.into();
    }

    fn touch(&self) -> i64 {
        let first = self.text.bytes().next().map_or(0, i64::from);
        // They lie at both ends.
        first ^ self.time.as_micros() ^ i64::from(self.own) ^ self.cells.len() as i64 ^ i64::from(self.others.is_some())
    }

    fn size(&self) -> usize {
        let cells = if self.cells.spilled() { size_of_val(&*self.cells) } else { 0 };
        let others = self.others.as_ref().map_or(0, |others| size_of::<Others>() + size_of_val(&*others.0));
        size_of::<Row>() + cells + self.text.len() + others
    }
}

/// The cell of a field. Where no field before it is null it stands at the field's own number, and never behind that.
#[inline]
fn find(cells: &[Cell], field: FieldId) -> Option<&Cell> {
    match cells.get(usize::from(field.0)) {
        Some(cell) if cell.field == field => Some(cell),
        _ => find_before(cells, field),
    }
}

fn find_before(cells: &[Cell], field: FieldId) -> Option<&Cell> {
    let end = cells.len().min(usize::from(field.0) + 1);
    cells[..end].iter().rev().find(|cell| cell.field <= field).filter(|cell| cell.field == field)
}

fn place(word: u64) -> Range<usize> {
    let start = word as u32 as usize;
    start..start + (word >> 32) as usize
}

fn numbered<'a>(values: Vec<Value<'a>>) -> impl Iterator<Item = (FieldId, Value<'a>)> {
    (0..=u16::MAX).map(FieldId).zip(values)
}

/// A row in the making, for what may fail halfway, or reads one value after the other; else [`Row::of_text`] is shorter.
#[derive(Debug)]
pub struct Draft<'a> {
    raw: &'a str,
    stream: StreamId,
    cells: SmallVec<[Cell; CELLS]>,
    /// What will stand behind `raw`.
    own: String,
    others: Option<Box<Others>>,
}

impl<'a> Draft<'a> {
    /// The draft of a row that came as `raw`, without a value yet.
    pub fn new(raw: &'a str) -> Self {
        Draft { raw, stream: StreamId(0), cells: SmallVec::new(), own: String::new(), others: None }
    }

    /// The draft of an event of a stream; if nothing is said, it is of the only one.
    #[must_use]
    pub fn of_stream(self, stream: StreamId) -> Self {
        Draft { stream, ..self }
    }

    /// Puts the value of a field, each field once. A text that borrows from `raw` is not copied.
    #[inline]
    pub fn put(&mut self, field: FieldId, value: Value<'_>) {
        match value {
            Value::Null => {}
            Value::Bool(value) => self.put_cell(field, Kind::Bool, u64::from(value)),
            Value::Int(value) => self.put_int(field, value),
            Value::Float(value) => self.put_cell(field, Kind::Float, value.to_bits()),
            Value::Timestamp(value) => self.put_cell(field, Kind::Timestamp, value.as_micros().cast_unsigned()),
            Value::Duration(value) => self.put_cell(field, Kind::Duration, value.as_micros().cast_unsigned()),
            Value::String(text) => self.put_text(field, text.as_str()),
            Value::Decimal(_) | Value::List(_) | Value::Record(_) => self.put_other(field, value),
        }
    }

    /// Puts an int, as [`Draft::put`] does.
    #[inline(always)]
    pub fn put_int(&mut self, field: FieldId, int: i64) {
        self.put_cell(field, Kind::Int, int.cast_unsigned());
    }

    /// Puts a text, as [`Draft::put`] does.
    #[inline(always)]
    pub fn put_text(&mut self, field: FieldId, text: &str) {
        match self.standing(text).or_else(|| self.append(text)) {
            Some(place) => self.put_cell(field, Kind::Text, place),
            None => self.put_other(field, text.into()),
        }
    }

    #[cold]
    fn put_other(&mut self, field: FieldId, value: Value<'_>) {
        let Others(others) = &mut **self.others.get_or_insert_default();
        others.push(value.into_owned());
        let place = others.len() as u64 - 1;
        self.put_cell(field, Kind::Other, place);
    }

    /// Puts a text that is a part of `raw`.
    ///
    /// # Panics
    /// Later, if it is none.
    #[inline(always)]
    pub fn put_part(&mut self, field: FieldId, part: Range<usize>) {
        match place_of(part.start, part.len()) {
            Some(place) => self.put_cell(field, Kind::Text, place),
            None => self.put_other(field, self.raw[part].into()),
        }
    }

    #[inline(always)]
    fn put_cell(&mut self, field: FieldId, kind: Kind, word: u64) {
        self.cells.push(Cell { word, field, kind });
    }

    /// Where a text stands that borrows from `raw`: addresses tell.
    fn standing(&self, text: &str) -> Option<u64> {
        let start = text.as_ptr().addr().checked_sub(self.raw.as_ptr().addr())?;
        (start + text.len() <= self.raw.len()).then(|| place_of(start, text.len())).flatten()
    }

    /// A text behind `raw`; none where it ends up beyond what a place can say.
    fn append(&mut self, text: &str) -> Option<u64> {
        let place = place_of(self.raw.len() + self.own.len(), text.len())?;
        self.own.push_str(text);
        Some(place)
    }

    /// The row.
    #[inline]
    pub fn row(mut self, time: Timestamp) -> Row {
        if !self.cells.is_sorted_by_key(|cell| cell.field) {
            self.cells.sort_by_key(|cell| cell.field);
        }
        let text = if self.own.is_empty() { Box::from(self.raw) } else { [self.raw, &self.own].concat().into() };
        Row { time, cells: self.cells, text, own: self.own.len() as u32, stream: self.stream, others: self.others }
    }
}

/// A place in 64 bits; none where it ends beyond 4 GiB.
fn place_of(start: usize, length: usize) -> Option<u64> {
    u32::try_from(start + length).ok()?;
    Some(start as u64 | (length as u64) << 32)
}

/// A row as it is written: a value for each field, up to the last one that is not null.
#[derive(Serialize, Deserialize)]
#[serde(rename = "Row")]
struct Plain<'a> {
    time: Timestamp,
    #[serde(default, skip_serializing_if = "is_only")]
    stream: StreamId,
    values: Vec<Value<'a>>,
    #[serde(with = "serde_bytes", borrow)]
    raw: Cow<'a, [u8]>,
}

/// Whether nothing need be said of a stream.
fn is_only(stream: &StreamId) -> bool {
    *stream == StreamId(0)
}

impl Row {
    fn plain(&self) -> Plain<'_> {
        let fields = self.cells.last().map(|cell| (0..=cell.field.0).map(FieldId));
        let values = fields.into_iter().flatten().map(|field| self.field(field)).collect();
        Plain { time: self.time, stream: self.stream, values, raw: Cow::Borrowed(self.raw().as_bytes()) }
    }
}

impl Serialize for Row {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.plain().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Row {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Plain { time, stream, values, raw } = Plain::deserialize(deserializer)?;
        let raw = str::from_utf8(&raw).map_err(serde::de::Error::custom)?;
        Ok(Row::of_text(time, raw, numbered(values)).of_stream(stream))
    }
}

impl PartialEq for Row {
    /// Whether both say the same, wherever their texts stand.
    fn eq(&self, other: &Self) -> bool {
        let is_alike = self.time == other.time && self.stream == other.stream;
        is_alike && self.raw() == other.raw() && self.values().eq(other.values())
    }
}

impl fmt::Debug for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Row")
            .field("time", &self.time)
            .field("values", &self.plain().values)
            .field("raw", &self.raw())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;
    use rust_decimal::Decimal;

    use super::*;

    const RAW: &str = "8,create,1.50,é";

    fn row(values: Vec<(u16, Value<'_>)>) -> Row {
        let values = values.into_iter().map(|(field, value)| (FieldId(field), value.into_owned()));
        Row::of_text(Timestamp::from_millis(5), RAW, values)
    }

    /// A value of every kind.
    fn every_kind() -> Vec<Value<'static>> {
        vec![
            Value::Null,
            Value::Bool(true),
            Value::Int(i64::MIN),
            Value::Float(-0.5),
            Value::Decimal(Decimal::new(-1250, 2)),
            Value::from("not in the bytes"),
            Value::Timestamp(Timestamp::from_micros(-1)),
            Value::Duration(Span::from_micros(7)),
            Value::List(Arc::from([Value::from("a"), Value::Null])),
            Value::Record(Arc::from([(Arc::from("n"), Value::Int(1))])),
            Value::from(""),
            Value::Null,
        ]
    }

    #[test]
    fn a_field_has_the_value_that_it_was_given() {
        let row = row((0..).zip(every_kind()).collect());
        for (field, value) in (0..).zip(every_kind()) {
            assert_eq!(row.field(FieldId(field)), value);
        }
        assert_eq!(row.field(FieldId(u16::MAX)), Value::Null);
        assert_eq!(row.raw(), RAW);
    }

    #[test]
    fn values_may_come_in_any_order_and_leave_fields_out() {
        let row = row(vec![(9, Value::Int(9)), (u16::MAX, Value::Int(-1)), (3, Value::Int(3))]);
        let fields: Vec<_> = row.values().map(|(field, value)| format!("{}: {value}", field.0)).collect();
        assert_eq!(fields, ["3: 3", "9: 9", "65535: -1"]);
        for absent in [0, 2, 4, 8, 10, u16::MAX - 1] {
            assert_eq!(row.field(FieldId(absent)), Value::Null, "{absent}");
        }
    }

    #[test]
    fn a_text_that_stands_in_the_bytes_is_held_once() {
        let held = |text| Row::of_text(Timestamp::MIN, RAW, [(FieldId(0), Value::from(text))]);
        let (borrowed, copied) = (held(&RAW[2..8]), held("create"));
        assert_eq!(borrowed.field(FieldId(0)), Value::from("create"));
        assert_eq!(borrowed, copied);
        assert_eq!(borrowed.size() + "create".len(), copied.size());
        assert_eq!(held(&RAW[14..]).field(FieldId(0)), Value::from("é"));
        assert_eq!(held(&RAW[16..]).field(FieldId(0)), Value::from(""));
    }

    #[test]
    fn an_order_takes_few_bytes() {
        let raw = "10000000,create,,1611047605";
        let values = [(FieldId(0), Value::Int(10_000_000)), (FieldId(1), Value::from(&raw[9..15]))];
        let row = Row::of_text(Timestamp::from_seconds(1_611_047_605), raw, values);
        assert_eq!(size_of::<Row>(), 96);
        assert_eq!(row.size(), 96 + raw.len());
    }

    #[test]
    fn a_row_is_saved_by_names_and_restored() {
        let row = row((0..).zip(every_kind()).collect());
        let saved = rmp_serde::to_vec_named(&row).unwrap();
        assert_eq!(rmp_serde::from_slice::<Row>(&saved).unwrap(), row);
        // A state on disk holds this form: it says nothing of how a row lies in memory.
        let form = Plain {
            time: row.time,
            stream: StreamId(0),
            values: every_kind()[..11].to_vec(),
            raw: RAW.as_bytes().into(),
        };
        assert_eq!(saved, rmp_serde::to_vec_named(&form).unwrap());
    }

    #[test]
    fn a_row_is_of_its_stream_also_when_it_is_restored() {
        let row =
            Row::of_record(StreamId(3), Timestamp::MIN, &[(FieldId(1), Value::Int(8))]).expect("a row can be one");
        let saved = rmp_serde::to_vec_named(&row).unwrap();
        assert_eq!(rmp_serde::from_slice::<Row>(&saved).unwrap().stream(), StreamId(3));
        assert_ne!(row, row.clone().of_stream(StreamId(0)));
    }

    #[test]
    fn rows_show_what_they_hold() {
        let row = row(vec![(1, Value::Int(8))]);
        let shown = r#"Row { time: Timestamp(5000), values: [Null, Int(8)], raw: "8,create,1.50,é" }"#;
        assert_eq!(format!("{row:?}"), shown);
    }

    #[test]
    fn rows_that_differ_are_not_equal() {
        let base = row(vec![(1, Value::Int(8))]);
        assert_ne!(base, row(vec![(1, Value::Int(9))]));
        assert_ne!(base, row(vec![(2, Value::Int(8))]));
        assert_ne!(base, row(vec![(1, Value::Int(8)), (2, Value::Int(8))]));
        assert_ne!(base, Row { time: Timestamp::MIN, ..base.clone() });
        assert_ne!(base, Row::new(base.time, vec![Value::Null, Value::Int(8)]));
    }

    proptest! {
        #[test]
        fn parts_of_the_bytes_are_found_again(
            raw in ".{0,30}",
            fields in proptest::collection::btree_map(0..40_u16, (0..30_usize, 0..30_usize), 0..12),
        ) {
            let part = |(start, length): (usize, usize)| {
                raw.get(start..start + length).map_or(Value::from(length.to_string()), Value::from)
            };
            let values = fields.iter().rev().map(|(&field, &at)| (FieldId(field), part(at)));
            let row = Row::of_text(Timestamp::MIN, &raw, values);
            for field in 0..50 {
                let expected = fields.get(&field).map_or(Value::Null, |&at| part(at));
                prop_assert_eq!(row.field(FieldId(field)), expected);
            }
            prop_assert_eq!(row.raw(), raw.as_str());
            let (mut packed, mut texts) = (row.clone(), "before".to_owned());
            packed.pack(&mut texts);
            packed.unpack(&texts["before".len()..]);
            prop_assert_eq!(&packed, &row);
            let saved = rmp_serde::to_vec_named(&row).unwrap();
            prop_assert_eq!(rmp_serde::from_slice::<Row>(&saved).unwrap(), row);
        }
    }
}
