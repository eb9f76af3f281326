//! JSON objects to rows.

use std::fmt;

use ensue_model::row::Draft;
use ensue_model::schema::Field;
use ensue_model::{Row, Timestamp, Value};
use memchr::memchr2_iter;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::{Slot, absent, no_time};
use crate::json::{self, Name};
use crate::scalar;
use crate::time::TimeField;

/// How deep arrays and objects may be nested, which is also what most readers of the output allow.
const DEPTH_MAX: usize = 128;

#[derive(Debug)]
pub(super) struct Decoder {
    /// What each field is read for, sorted by name.
    slots: Vec<(String, Slot)>,
    time: TimeField,
}

impl Decoder {
    pub(super) fn new(mut slots: Vec<(String, Slot)>, time: &TimeField) -> Self {
        slots.sort_by(|(a, _), (b, _)| a.cmp(b));
        Decoder { slots, time: time.clone() }
    }

    pub(super) fn decode(&self, record: &str) -> Result<Row, String> {
        let record = record.trim_ascii();
        if !record.starts_with('{') {
            return Err("expected a JSON object".to_owned());
        }
        check_depth(record.as_bytes())?;
        let mut texts = vec![None; self.slots.len()];
        let mut deserializer = serde_json::Deserializer::from_str(record);
        let read = Wanted { slots: &self.slots, texts: &mut texts }.deserialize(&mut deserializer);
        read.and_then(|()| deserializer.end()).map_err(|error| not_json(&error))?;
        self.row(record, &texts)
    }

    fn row<'a>(&self, record: &'a str, texts: &[Option<&'a str>]) -> Result<Row, String> {
        let mut row = Draft::new(record);
        let mut time = None;
        for ((_, slot), text) in self.slots.iter().zip(texts) {
            let text = text.unwrap_or("null");
            if slot.time && text != "null" {
                time = Some(self.event_time(text)?);
            }
            if let Some((id, field)) = &slot.field {
                row.put(*id, self.value(text, field)?);
            }
        }
        Ok(row.row(time.ok_or_else(|| no_time(&self.time))?))
    }

    fn event_time(&self, text: &str) -> Result<Timestamp, String> {
        let time = self.time.format.event_time(&json::scalar_text(text).unwrap_or_default());
        time.map_err(|misfit| scalar::refusal(&self.time.name, text, &misfit))
    }

    fn value<'a>(&self, text: &'a str, field: &Field) -> Result<Value<'a>, String> {
        match json::value(text, &field.kind, self.time.format) {
            Ok(Value::Null) => absent(field),
            Ok(value) => Ok(value),
            Err(misfit) => Err(scalar::refusal(&field.name, text, &misfit)),
        }
    }
}

/// Reads an object and keeps the texts of the fields that have a slot; of a name that comes twice, the last.
struct Wanted<'a, 'de> {
    slots: &'a [(String, Slot)],
    texts: &'a mut [Option<&'de str>],
}

impl<'de> DeserializeSeed<'de> for Wanted<'_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Wanted<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        while let Some(Name(name)) = entries.next_key()? {
            match self.slots.binary_search_by(|(slot, _)| slot.as_str().cmp(&name)) {
                Ok(slot) => self.texts[slot] = Some(entries.next_value::<&'de RawValue>()?.get()),
                Err(_) => drop(entries.next_value::<IgnoredAny>()?),
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
