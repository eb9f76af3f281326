//! What rows hold: which fields of which streams, under which numbers. Rows that were decoded for other patterns may hold other
//! things.

use ensue_model::schema::{Field, Stream};
use ensue_model::{Event, FieldId, Patterns, Row, StreamId, Value};
use serde::{Deserialize, Serialize};

use crate::asked;

/// What the rows that are decoded for a set of patterns hold.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Layout {
    streams: Vec<OfStream>,
}

/// What the rows of a stream hold.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
struct OfStream {
    name: Option<String>,
    is_emitted: bool,
    /// The fields with their numbers.
    fields: Vec<(FieldId, Field)>,
}

impl Layout {
    /// The layout of the rows that are decoded for these patterns, and of the records that they emit for each other.
    pub fn of(patterns: &Patterns) -> Self {
        let of_stream = |(id, stream): (StreamId, &Stream)| {
            let fields: Vec<FieldId> = match stream.is_emitted {
                true => stream.fields.clone(),
                false => asked::fields(patterns, id).into_iter().collect(),
            };
            let fields = fields.into_iter().map(|field| (field, patterns.schema.get(field).clone()));
            OfStream { name: stream.name.clone(), is_emitted: stream.is_emitted, fields: fields.collect() }
        };
        Layout { streams: (0..).map(StreamId).zip(&patterns.streams).map(of_stream).collect() }
    }

    /// What a stream of this layout is among these patterns: the one of the same name; or the only one, where one of both has no
    /// name. None if there is none, or it is a record here and not there.
    pub fn stream_in(&self, stream: StreamId, patterns: &Patterns) -> Option<StreamId> {
        let before = self.streams.get(usize::from(stream.0))?;
        let alike =
            || (0..).map(StreamId).zip(&patterns.streams).filter(|(_, now)| now.is_emitted == before.is_emitted);
        let named = alike().find(|(_, now)| now.name == before.name);
        let only = match (before.is_emitted, alike().count(), self.streams.iter().filter(|it| !it.is_emitted).count()) {
            (false, 1, 1) => alike().next(),
            _ => None,
        };
        named.or(only).map(|(id, _)| id)
    }

    /// A record that a pattern has emitted, as these patterns see it. None if none of them reads its stream.
    pub fn record_in(&self, record: &Row, patterns: &Patterns) -> Option<Row> {
        let stream = self.stream_in(record.stream(), patterns)?;
        let before = &self.streams[usize::from(record.stream().0)].fields;
        let fields = patterns.streams[usize::from(stream.0)].fields.iter().map(|field| {
            let Field { name, .. } = patterns.schema.get(*field);
            let known = before.iter().find(|(_, before)| before.name == *name);
            (*field, known.map_or(Value::Null, |(field, _)| record.field(*field)))
        });
        Some(Row::of_text(record.time, "", fields).of_stream(stream))
    }
}

#[cfg(test)]
mod tests {
    use ensue_model::{Pattern, Schema, Timestamp, Type};

    use super::*;

    fn patterns(name: Option<&str>, records: &[(&str, &[&str])]) -> Patterns {
        let mut patterns =
            Patterns::of_one_stream(Schema::stream("orders").field("id", Type::Int), Vec::<Pattern>::new());
        patterns.streams[0].name = name.map(str::to_owned);
        for (record, fields) in records {
            let field = |name: &&str| {
                patterns.schema.fields.push(Field { name: (*name).to_owned(), kind: Type::Any, nullable: true });
                FieldId(patterns.schema.fields.len() as u16 - 1)
            };
            let stream = Stream { name: Some((*record).to_owned()), is_emitted: true, ..Stream::only(&Schema::open()) };
            let fields = fields.iter().map(field).collect();
            patterns.streams.push(Stream { fields, ..stream });
        }
        patterns
    }

    #[test]
    fn a_stream_is_known_by_its_name_and_the_only_one_without() {
        let before = Layout::of(&patterns(None, &[]));
        assert_eq!(before.stream_in(StreamId(0), &patterns(Some("orders"), &[])), Some(StreamId(0)));
        let before = Layout::of(&patterns(Some("orders"), &[("paid", &[]), ("unpaid", &[])]));
        let after = patterns(Some("orders"), &[("unpaid", &[])]);
        assert_eq!(before.stream_in(StreamId(1), &after), None);
        assert_eq!(before.stream_in(StreamId(2), &after), Some(StreamId(1)));
    }

    #[test]
    fn a_record_keeps_the_fields_that_still_have_their_names() {
        let before = Layout::of(&patterns(Some("orders"), &[("paid", &["order", "amount"])]));
        let values = [(FieldId(1), Value::Int(7)), (FieldId(2), Value::Int(20))];
        let record = Row::of_text(Timestamp::from_seconds(1), "", values).of_stream(StreamId(1));
        let after = patterns(Some("orders"), &[("paid", &["channel", "amount"])]);
        let renewed = before.record_in(&record, &after).expect("it is read");
        assert_eq!(renewed.values().collect::<Vec<_>>(), [(FieldId(2), Value::Int(20))]);
    }
}
