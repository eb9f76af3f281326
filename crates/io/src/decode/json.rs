//! JSON objects to rows.

use std::fmt;

use ensue_model::row::Draft;
use ensue_model::schema::Field;
use ensue_model::{Row, StreamId, Timestamp, Type, Value};
use memchr::memchr2_iter;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;
use smallvec::{SmallVec, smallvec};

use super::{Slot, absent, flat, no_time};
use crate::json::{self, Name};
use crate::scalar;
use crate::time::{TimeField, TimeFormat};

/// How deep arrays and objects may be nested, which is also what most readers of the output allow.
const DEPTH_MAX: usize = 128;

#[derive(Debug)]
pub(super) struct Decoder {
    stream: StreamId,
    names: Names,
    /// What each name is read for.
    slots: Vec<Slot>,
    time: TimeField,
}

/// The JSON of each field that is read, where the record has it.
pub(crate) type Texts<'a> = SmallVec<[Option<&'a str>; 16]>;

impl Decoder {
    pub(super) fn new(stream: StreamId, slots: Vec<(String, Slot)>, time: &TimeField) -> Self {
        let (names, slots) = slots.into_iter().unzip();
        Decoder { stream, names: Names::new(names), slots, time: time.clone() }
    }

    pub(super) fn decode(&self, record: &str) -> Result<Row, String> {
        let record = record.trim_ascii();
        match self.names.flat_texts(record) {
            Some(texts) => self.row(record, &texts),
            None => self.row(record, &self.names.nested_texts(record)?),
        }
    }

    fn row(&self, record: &str, texts: &[Option<&str>]) -> Result<Row, String> {
        let mut row = Draft::new(record).of_stream(self.stream);
        let mut time = None;
        for (slot, text) in self.slots.iter().zip(texts) {
            let text = text.unwrap_or("null");
            if slot.time && text != "null" {
                time = Some(self.event_time(text)?);
            }
            if let Some((id, field)) = &slot.field {
                row.put(*id, value(text, field, self.time.format)?);
            }
        }
        Ok(row.row(time.ok_or_else(|| no_time(&self.time))?))
    }

    fn event_time(&self, text: &str) -> Result<Timestamp, String> {
        if let Some(time) = self.time.format.short_event_time(text.as_bytes()) {
            return Ok(time);
        }
        let time = self.time.format.event_time(&json::scalar_text(text).unwrap_or_default());
        time.map_err(|misfit| scalar::refusal(&self.time.name, text, &misfit))
    }
}

/// The value of a field.
pub(crate) fn value<'a>(text: &'a str, field: &Field, times: TimeFormat) -> Result<Value<'a>, String> {
    if let (Type::Any | Type::Int, Some(int)) = (&field.kind, scalar::short_int(text.as_bytes())) {
        return Ok(Value::Int(int));
    }
    match json::value(text, &field.kind, times) {
        Ok(Value::Null) => absent(field),
        Ok(value) => Ok(value),
        Err(misfit) => Err(scalar::refusal(&field.name, text, &misfit)),
    }
}

/// Names with their places. They are looked up by length, which tells most of them apart; texts are compared where it does
/// not.
#[derive(Debug)]
pub(crate) struct Names {
    count: usize,
    /// Those of each length; the last ones are of that length or longer.
    by_length: Vec<Vec<(Box<[u8]>, usize)>>,
}

impl Names {
    pub(crate) fn new(names: Vec<String>) -> Self {
        const LENGTHS: usize = 32;
        let count = names.len();
        let mut by_length = vec![Vec::new(); LENGTHS];
        for (place, name) in names.into_iter().enumerate() {
            by_length[name.len().min(LENGTHS - 1)].push((name.into_bytes().into(), place));
        }
        Names { count, by_length }
    }

    /// The texts of what an object has by these names.
    pub(crate) fn texts<'a>(&self, object: &'a str) -> Result<Texts<'a>, String> {
        self.flat_texts(object).map_or_else(|| self.nested_texts(object), Ok)
    }

    /// The texts of a flat object; none where it is something else.
    fn flat_texts<'a>(&self, record: &'a str) -> Option<Texts<'a>> {
        let mut texts = smallvec![None; self.count];
        flat::members(record, |name, text| {
            if let Some(field) = self.find(name) {
                texts[field] = Some(&record[text]);
            }
        })?;
        Some(texts)
    }

    /// The texts of any object.
    fn nested_texts<'a>(&self, record: &'a str) -> Result<Texts<'a>, String> {
        if !record.starts_with('{') {
            return Err("expected a JSON object".to_owned());
        }
        check_depth(record.as_bytes())?;
        let mut texts = smallvec![None; self.count];
        let mut deserializer = serde_json::Deserializer::from_str(record);
        let read = Reading { names: self, texts: &mut texts }.deserialize(&mut deserializer);
        read.and_then(|()| deserializer.end()).map_err(|error| not_json(&error))?;
        Ok(texts)
    }

    pub(super) fn find(&self, name: &[u8]) -> Option<usize> {
        let candidates = &self.by_length[name.len().min(self.by_length.len() - 1)];
        candidates.iter().find(|(candidate, _)| **candidate == *name).map(|(_, place)| *place)
    }
}

/// Reads an object and keeps the texts of the fields that are wanted; of a name that comes twice, the last.
struct Reading<'a, 'de> {
    names: &'a Names,
    texts: &'a mut [Option<&'de str>],
}

impl<'de> DeserializeSeed<'de> for Reading<'_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Reading<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        while let Some(Name(name)) = entries.next_key()? {
            match self.names.find(name.as_bytes()) {
                Some(field) => self.texts[field] = Some(entries.next_value::<&'de RawValue>()?.get()),
                None => drop(entries.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }
}

/// Refuses what is nested too deep, before anything recurses into it.
fn check_depth(record: &[u8]) -> Result<(), String> {
    // Nearly every event has fewer brackets than the limit, in strings or not, and needs no closer look.
    if memchr2_iter(b'{', b'[', record).nth(DEPTH_MAX).is_none() {
        return Ok(());
    }
    match depth(record) > DEPTH_MAX {
        true => Err(format!("the JSON is nested deeper than the limit of {DEPTH_MAX}")),
        false => Ok(()),
    }
}

fn depth(record: &[u8]) -> usize {
    let (mut depth, mut deepest, mut in_string) = (0_usize, 0, false);
    let mut bytes = record.iter();
    while let Some(byte) = bytes.next() {
        match (byte, in_string) {
            (b'"', _) => in_string = !in_string,
            (b'\\', true) => drop(bytes.next()),
            (b'{' | b'[', false) => depth += 1,
            (b'}' | b']', false) => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    deepest
}

/// The parser's message, with the position in the words of a line.
fn not_json(error: &serde_json::Error) -> String {
    let message = error.to_string();
    let position = format!(" at line {} column {}", error.line(), error.column());
    let message = message.strip_suffix(&position).unwrap_or(&message);
    format!("the JSON is broken at byte {}: {message}", error.column())
}
