//! An event whose fields are known only at run time.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use crate::event::Event;
use crate::schema::FieldId;
use crate::time::{Span, Timestamp};
use crate::value::Value;

/// An event whose fields are known only at run time: the fields that the patterns ask for, decoded, and the bytes that it
/// came in, for the output.
///
/// It is made to be kept, for every open run keeps one: all that it holds lies in one allocation, nulls take no room, and a
/// text that stands in the event's bytes is not held twice.
///
/// ```
/// use ensue_model::{Event, FieldId, Row, Timestamp, Value};
///
/// let raw = "1234,create";
/// let values = [(FieldId(1), Value::from(&raw[5..])), (FieldId(0), Value::Int(1234))];
/// let row = Row::of_bytes(Timestamp::from_seconds(0), raw.as_bytes(), values);
/// assert_eq!(row.field(FieldId(0)), Value::Int(1234));
/// assert_eq!(row.field(FieldId(1)), Value::from("create"));
/// assert_eq!(row.field(FieldId(2)), Value::Null);
/// assert_eq!(row.raw(), raw.as_bytes());
/// ```
#[derive(Clone)]
pub struct Row {
    /// The event time.
    pub time: Timestamp,
    /// The cells, in the order of their fields; then the event as it came; then what texts and decimals do not stand in it.
    bytes: Box<[u8]>,
    /// How many cells there are.
    cells: u32,
    /// How many bytes stand behind the event as it came.
    own: u32,
    /// What fits no cell: lists, records.
    others: Option<Box<Others>>,
}

#[derive(Clone)]
struct Others(Vec<Value<'static>>);

/// A field with its value: the field's number, what kind of value it is, and a word that holds it or says where it is. Bytes
/// and not a struct, because they lie one behind the other, before the event's own bytes.
type Cell = [u8; CELL_BYTES];

const CELL_BYTES: usize = 2 + 1 + 8;

/// What the word of a cell is.
mod kind {
    /// A bool, as 0 or 1.
    pub(super) const BOOL: u8 = 0;
    /// An int.
    pub(super) const INT: u8 = 1;
    /// A float's bits.
    pub(super) const FLOAT: u8 = 2;
    /// A timestamp's microseconds.
    pub(super) const TIMESTAMP: u8 = 3;
    /// A duration's microseconds.
    pub(super) const DURATION: u8 = 4;
    /// Where a text stands: its start and its length.
    pub(super) const TEXT: u8 = 5;
    /// Where a decimal stands.
    pub(super) const DECIMAL: u8 = 6;
    /// A value's place among the others.
    pub(super) const OTHER: u8 = 7;
}

impl Row {
    /// A row that was never bytes, with a value for each field of the schema, in its order.
    pub fn new(time: Timestamp, values: Vec<Value<'static>>) -> Self {
        Row::of_bytes(time, &[], numbered(values))
    }

    /// The row of an event that came as `raw`, in the source's format, with the values of its fields. A text that borrows
    /// from `raw` is not copied again.
    pub fn of_bytes<'a>(
        time: Timestamp,
        raw: &'a [u8],
        values: impl IntoIterator<Item = (FieldId, Value<'a>)>,
    ) -> Self {
        let mut draft = Draft::new(raw);
        values.into_iter().for_each(|(field, value)| draft.put(field, value));
        draft.row(time)
    }

    /// The event as it came, in the source's format; empty where it was never bytes.
    pub fn raw(&self) -> &[u8] {
        let texts = self.texts();
        &texts[..texts.len() - self.own as usize]
    }

    /// The fields that are not null, in the order of the schema.
    pub fn values(&self) -> impl Iterator<Item = (FieldId, Value<'_>)> {
        self.cells().iter().map(|cell| (field_of(cell), self.value(cell)))
    }

    fn cells(&self) -> &[Cell] {
        self.bytes[..self.cells as usize * CELL_BYTES].as_chunks().0
    }

    /// The bytes in which texts stand.
    fn texts(&self) -> &[u8] {
        &self.bytes[self.cells as usize * CELL_BYTES..]
    }

    fn value(&self, cell: &Cell) -> Value<'_> {
        let &[_, _, kind, ref word @ ..] = cell;
        let int = i64::from_le_bytes(*word);
        match kind {
            kind::BOOL => Value::Bool(int != 0),
            kind::INT => Value::Int(int),
            kind::FLOAT => Value::Float(f64::from_bits(int.cast_unsigned())),
            kind::TIMESTAMP => Value::Timestamp(Timestamp::from_micros(int)),
            kind::DURATION => Value::Duration(Span::from_micros(int)),
            kind::TEXT => str::from_utf8(&self.texts()[place(*word)]).expect("put has placed a text there").into(),
            kind::DECIMAL => {
                let bytes = self.texts()[place(*word)].try_into().expect("put has placed 16 bytes there");
                Value::Decimal(Decimal::deserialize(bytes))
            }
            _ => self.others.as_ref().expect("put has pushed one").0[int as usize].borrowed(),
        }
    }
}

impl Event for Row {
    fn time(&self) -> Timestamp {
        self.time
    }

    fn field(&self, field: FieldId) -> Value<'_> {
        find(self.cells(), field).map_or(Value::Null, |cell| self.value(cell))
    }

    fn size(&self) -> usize {
        let others = self.others.as_ref().map_or(0, |others| size_of::<Others>() + size_of_val(&*others.0));
        size_of::<Row>() + self.bytes.len() + others
    }
}

/// The cell of a field. Where no field before it is null it stands at the field's own number, and never behind that.
fn find(cells: &[Cell], field: FieldId) -> Option<&Cell> {
    let end = cells.len().min(usize::from(field.0) + 1);
    cells[..end].iter().rev().find(|cell| field_of(cell) <= field).filter(|cell| field_of(cell) == field)
}

fn field_of(cell: &Cell) -> FieldId {
    FieldId(u16::from_le_bytes([cell[0], cell[1]]))
}

fn place(word: [u8; 8]) -> Range<usize> {
    let [a, b, c, d, e, f, g, h] = word;
    let start = u32::from_le_bytes([a, b, c, d]) as usize;
    start..start + u32::from_le_bytes([e, f, g, h]) as usize
}

fn numbered<'a>(values: Vec<Value<'a>>) -> impl Iterator<Item = (FieldId, Value<'a>)> {
    (0..=u16::MAX).map(FieldId).zip(values)
}

/// A row in the making, for what may fail halfway, or reads one value after the other; else [`Row::of_bytes`] is shorter.
#[derive(Debug)]
pub struct Draft<'a> {
    raw: &'a [u8],
    cells: SmallVec<[Cell; 8]>,
    /// What will stand behind `raw`.
    own: Vec<u8>,
    others: Vec<Value<'static>>,
}

impl<'a> Draft<'a> {
    /// The draft of a row that came as `raw`, without a value yet.
    pub fn new(raw: &'a [u8]) -> Self {
        Draft { raw, cells: SmallVec::new(), own: Vec::new(), others: Vec::new() }
    }

    /// Puts the value of a field, each field once. A text that borrows from `raw` is not copied.
    pub fn put(&mut self, field: FieldId, value: Value<'_>) {
        match value {
            Value::Null => {}
            Value::Bool(value) => self.put_word(field, kind::BOOL, i64::from(value)),
            Value::Int(value) => self.put_word(field, kind::INT, value),
            Value::Float(value) => self.put_word(field, kind::FLOAT, value.to_bits().cast_signed()),
            Value::Timestamp(value) => self.put_word(field, kind::TIMESTAMP, value.as_micros()),
            Value::Duration(value) => self.put_word(field, kind::DURATION, value.as_micros()),
            Value::String(ref text) => {
                let text = text.as_str().as_bytes();
                match self.standing(text).or_else(|| self.append(text)) {
                    Some(place) => self.put_cell(field, kind::TEXT, place),
                    None => self.put_other(field, value),
                }
            }
            Value::Decimal(decimal) => match self.append(&decimal.serialize()) {
                Some(place) => self.put_cell(field, kind::DECIMAL, place),
                None => self.put_other(field, value),
            },
            Value::List(_) | Value::Record(_) => self.put_other(field, value),
        }
    }

    fn put_word(&mut self, field: FieldId, kind: u8, word: i64) {
        self.put_cell(field, kind, word.to_le_bytes());
    }

    fn put_other(&mut self, field: FieldId, value: Value<'_>) {
        self.put_word(field, kind::OTHER, self.others.len() as i64);
        self.others.push(value.into_owned());
    }

    fn put_cell(&mut self, field: FieldId, kind: u8, word: [u8; 8]) {
        let [low, high] = field.0.to_le_bytes();
        let [a, b, c, d, e, f, g, h] = word;
        self.cells.push([low, high, kind, a, b, c, d, e, f, g, h]);
    }

    /// Where a text stands that borrows from `raw`: addresses tell.
    fn standing(&self, text: &[u8]) -> Option<[u8; 8]> {
        let start = text.as_ptr().addr().checked_sub(self.raw.as_ptr().addr())?;
        (start + text.len() <= self.raw.len()).then(|| place_of(start, text.len())).flatten()
    }

    /// Bytes behind `raw`; none where they end up beyond what a place can say.
    fn append(&mut self, bytes: &[u8]) -> Option<[u8; 8]> {
        let place = place_of(self.raw.len() + self.own.len(), bytes.len())?;
        self.own.extend_from_slice(bytes);
        Some(place)
    }

    /// The row.
    pub fn row(mut self, time: Timestamp) -> Row {
        if !self.cells.is_sorted_by_key(field_of) {
            self.cells.sort_by_key(field_of);
        }
        let cells = self.cells.as_flattened();
        let mut bytes = Vec::with_capacity(cells.len() + self.raw.len() + self.own.len());
        bytes.extend_from_slice(cells);
        bytes.extend_from_slice(self.raw);
        bytes.extend_from_slice(&self.own);
        Row {
            time,
            bytes: bytes.into(),
            cells: self.cells.len() as u32,
            own: self.own.len() as u32,
            others: (!self.others.is_empty()).then(|| Box::new(Others(self.others))),
        }
    }
}

/// A place in 64 bits; none where it ends beyond 4 GiB.
fn place_of(start: usize, length: usize) -> Option<[u8; 8]> {
    u32::try_from(start + length).ok()?;
    Some((start as u64 | (length as u64) << 32).to_le_bytes())
}

/// A row as it is written: a value for each field, up to the last one that is not null.
#[derive(Serialize, Deserialize)]
#[serde(rename = "Row")]
struct Plain<'a> {
    time: Timestamp,
    values: Vec<Value<'a>>,
    #[serde(with = "serde_bytes", borrow)]
    raw: Cow<'a, [u8]>,
}

impl Row {
    fn plain(&self) -> Plain<'_> {
        let fields = self.cells().last().map(|cell| (0..=field_of(cell).0).map(FieldId));
        let values = fields.into_iter().flatten().map(|field| self.field(field)).collect();
        Plain { time: self.time, values, raw: Cow::Borrowed(self.raw()) }
    }
}

impl Serialize for Row {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.plain().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Row {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Plain { time, values, raw } = Plain::deserialize(deserializer)?;
        Ok(Row::of_bytes(time, &raw, numbered(values)))
    }
}

impl PartialEq for Row {
    /// Whether both say the same, wherever their texts stand.
    fn eq(&self, other: &Self) -> bool {
        self.time == other.time && self.raw() == other.raw() && self.values().eq(other.values())
    }
}

impl fmt::Debug for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Row")
            .field("time", &self.time)
            .field("values", &self.plain().values)
            .field("raw", &format_args!("b\"{}\"", self.raw().escape_ascii()))
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::*;

    const RAW: &str = "8,create,1.50,é";

    fn row(values: Vec<(u16, Value<'_>)>) -> Row {
        let values = values.into_iter().map(|(field, value)| (FieldId(field), value.into_owned()));
        Row::of_bytes(Timestamp::from_millis(5), RAW.as_bytes(), values)
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
        assert_eq!(row.raw(), RAW.as_bytes());
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
        let held = |text| Row::of_bytes(Timestamp::MIN, RAW.as_bytes(), [(FieldId(0), Value::from(text))]);
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
        let row = Row::of_bytes(Timestamp::from_seconds(1_611_047_605), raw.as_bytes(), values);
        assert_eq!(size_of::<Row>(), 40);
        assert_eq!(row.size(), 40 + 2 * 11 + raw.len());
    }

    #[test]
    fn a_row_is_saved_by_names_and_restored() {
        let row = row((0..).zip(every_kind()).collect());
        let saved = rmp_serde::to_vec_named(&row).unwrap();
        assert_eq!(rmp_serde::from_slice::<Row>(&saved).unwrap(), row);
        // A state on disk holds this form: it says nothing of how a row lies in memory.
        let form = Plain { time: row.time, values: every_kind()[..11].to_vec(), raw: RAW.as_bytes().into() };
        assert_eq!(saved, rmp_serde::to_vec_named(&form).unwrap());
    }

    #[test]
    fn rows_show_what_they_hold() {
        let row = row(vec![(1, Value::Int(8))]);
        let shown = r#"Row { time: Timestamp(5000), values: [Null, Int(8)], raw: b"8,create,1.50,\xc3\xa9" }"#;
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
            let row = Row::of_bytes(Timestamp::MIN, raw.as_bytes(), values);
            for field in 0..50 {
                let expected = fields.get(&field).map_or(Value::Null, |&at| part(at));
                prop_assert_eq!(row.field(FieldId(field)), expected);
            }
            prop_assert_eq!(row.raw(), raw.as_bytes());
            let saved = rmp_serde::to_vec_named(&row).unwrap();
            prop_assert_eq!(rmp_serde::from_slice::<Row>(&saved).unwrap(), row);
        }
    }
}
