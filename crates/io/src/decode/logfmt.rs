//! Lines of logfmt to rows.

use std::borrow::Cow;

use ensue_model::row::Draft;
use ensue_model::schema::Field;
use ensue_model::{Row, StreamId, Timestamp, Type, Value};
use smallvec::{SmallVec, smallvec};

use super::json::Names;
use super::{Slot, absent, no_time};
use crate::logfmt::{self, Member, Said};
use crate::scalar;
use crate::time::{TimeField, TimeFormat};

#[derive(Debug)]
pub(super) struct Decoder {
    stream: StreamId,
    names: Names,
    /// What each name is read for.
    slots: Vec<Slot>,
    time: TimeField,
}

impl Decoder {
    pub(super) fn new(stream: StreamId, slots: Vec<(String, Slot)>, time: &TimeField) -> Self {
        let (names, slots) = slots.into_iter().unzip();
        Decoder { stream, names: Names::new(names), slots, time: time.clone() }
    }

    pub(super) fn decode(&self, record: &str) -> Result<Row, String> {
        let mut row = Draft::new(record).of_stream(self.stream);
        let mut time = None;
        for (slot, said) in self.slots.iter().zip(self.said(record)?) {
            if slot.time {
                time = self.event_time(&said)?;
            }
            if let Some((id, field)) = &slot.field {
                row.put(*id, value(said, field, self.time.format)?);
            }
        }
        Ok(row.row(time.ok_or_else(|| no_time(&self.time))?))
    }

    /// What is said of each name that is read; of one that comes twice, what is said last.
    fn said<'a>(&self, record: &'a str) -> Result<SmallVec<[Said<'a>; 16]>, String> {
        let mut all = smallvec![Said::Nothing; self.slots.len()];
        for member in logfmt::members(record) {
            let Member { name, said } = member?;
            if let Some(place) = self.names.find(name.as_bytes()) {
                all[place] = said;
            }
        }
        Ok(all)
    }

    fn event_time(&self, said: &Said<'_>) -> Result<Option<Timestamp>, String> {
        let text = match said {
            Said::Nothing => return Ok(None),
            Said::Present => logfmt::PRESENT,
            Said::Bare(text) => text,
            Said::Quoted(text) => text,
        };
        let time = self.time.format.event_time(text);
        time.map(Some).map_err(|misfit| scalar::refusal(&self.time.name, text, &misfit))
    }
}

/// The value of a field. Where nothing is declared, what stands in quotes is a string, and the rest what it looks like.
fn value<'a>(said: Said<'a>, field: &Field, times: TimeFormat) -> Result<Value<'a>, String> {
    match (said, &field.kind) {
        (Said::Nothing, Type::String) if !field.nullable => Ok("".into()),
        (Said::Nothing | Said::Bare(logfmt::NULL), _) => absent(field),
        (Said::Present, kind) => typed(logfmt::PRESENT, kind, field, times),
        (Said::Bare(text), kind) => typed(text, kind, field, times),
        (Said::Quoted(text), Type::Any) => Ok(scalar::string(text)),
        (Said::Quoted(Cow::Borrowed(text)), kind) => typed(text, kind, field, times),
        (Said::Quoted(Cow::Owned(text)), kind) => typed(&text, kind, field, times).map(Value::into_owned),
    }
}

fn typed<'a>(text: &'a str, kind: &Type, field: &Field, times: TimeFormat) -> Result<Value<'a>, String> {
    let value = match (kind, scalar::bool(text)) {
        (Type::Any, Some(bool)) => Ok(Value::Bool(bool)),
        _ => scalar::value(text, kind, times),
    };
    value.map_err(|misfit| scalar::refusal(&field.name, text, &misfit))
}
