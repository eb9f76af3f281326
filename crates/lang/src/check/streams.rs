//! The streams that patterns read, and the fields of them all, as rows hold them.

use std::collections::HashMap;

use ensue_model::schema::{Field, FieldId, Stream, StreamId};
use ensue_model::{Schema, Type};

/// The most fields that there can be: a row holds them by a number of 16 bits.
pub(super) const FIELDS_MAX: usize = u16::MAX as usize;

/// The most streams that there can be.
pub(super) const STREAMS_MAX: usize = 1_024;

/// The streams by number: first those that the caller feeds, then those of the records that patterns emit.
#[derive(Default)]
pub(super) struct Streams {
    list: Vec<StreamInfo>,
    by_name: HashMap<String, StreamId>,
    /// The fields of all streams.
    fields: Vec<Field>,
    /// The fields of a name, one for each type.
    alike: HashMap<String, Vec<FieldId>>,
    /// What stands for a stream that there is not.
    unknown: Option<StreamId>,
    /// Whether there were more fields than there can be.
    pub(super) overflowed: bool,
}

struct StreamInfo {
    shape: Stream,
    by_name: HashMap<String, FieldId>,
    /// Whether its fields are known; else it grows by those that are named.
    closed: bool,
}

impl Streams {
    /// Adds a stream that the caller feeds. The fields of the first keep their positions, which the caller may know.
    pub(super) fn feed(&mut self, schema: Schema) {
        let Schema { stream, fields, closed, time, key, type_field } = schema;
        let is_first = self.list.is_empty();
        let ids: Vec<FieldId> = fields
            .into_iter()
            .filter_map(|field| if is_first { self.append(field) } else { self.share(field) })
            .collect();
        let of = |field: Option<FieldId>| field.and_then(|field| ids.get(usize::from(field.0)).copied());
        let shape = Stream {
            name: stream,
            time: of(time),
            key: of(key),
            type_field: of(type_field),
            fields: Vec::new(),
            is_emitted: false,
        };
        self.push(shape, ids, closed);
    }

    /// Adds the stream of a record whose entries are not known yet: until they are, every field will do.
    pub(super) fn expect(&mut self, name: &str) {
        let name = Some(name.to_owned());
        let shape = Stream { name, fields: Vec::new(), time: None, key: None, type_field: None, is_emitted: true };
        self.push(shape, Vec::new(), false);
    }

    /// Says what the fields of a record's stream are.
    pub(super) fn define(&mut self, stream: StreamId, entries: impl Iterator<Item = Field>) {
        let ids: Vec<FieldId> = entries.filter_map(|field| self.share(field)).collect();
        for field in ids {
            // Another pattern may have said it before.
            let name = &self.fields[usize::from(field.0)].name;
            if self.find(stream, name) != Some(field) {
                self.add(stream, field);
            }
        }
        self.list[usize::from(stream.0)].closed = true;
    }

    /// What stands for a stream that there is not, which has been reported: every field will do.
    pub(super) fn unknown(&mut self) -> StreamId {
        if let Some(unknown) = self.unknown {
            return unknown;
        }
        let shape =
            Stream { name: None, fields: Vec::new(), time: None, key: None, type_field: None, is_emitted: true };
        let unknown = self.push(shape, Vec::new(), false);
        self.unknown = Some(unknown);
        unknown
    }

    pub(super) fn is_unknown(&self, stream: StreamId) -> bool {
        self.unknown == Some(stream)
    }

    fn push(&mut self, shape: Stream, fields: Vec<FieldId>, closed: bool) -> StreamId {
        let stream = StreamId(self.list.len() as u16);
        if let Some(name) = &shape.name {
            self.by_name.insert(name.clone(), stream);
        }
        self.list.push(StreamInfo { shape, by_name: HashMap::new(), closed });
        fields.into_iter().for_each(|field| self.add(stream, field));
        stream
    }

    fn add(&mut self, stream: StreamId, field: FieldId) {
        let name = self.fields[usize::from(field.0)].name.clone();
        let info = &mut self.list[usize::from(stream.0)];
        info.by_name.entry(name).or_insert(field);
        info.shape.fields.push(field);
    }

    /// A field that is not shared with what other streams have. None where there are too many.
    fn append(&mut self, field: Field) -> Option<FieldId> {
        if self.fields.len() >= FIELDS_MAX {
            self.overflowed = true;
            return None;
        }
        let id = FieldId(self.fields.len() as u16);
        self.alike.entry(field.name.clone()).or_default().push(id);
        self.fields.push(field);
        Some(id)
    }

    /// The field of that name and type, which streams share: it may be null where it may be in one of them.
    fn share(&mut self, field: Field) -> Option<FieldId> {
        let alike = self.alike.get(&field.name).into_iter().flatten();
        let known = alike.copied().find(|id| self.fields[usize::from(id.0)].kind == field.kind);
        if let Some(known) = known {
            self.fields[usize::from(known.0)].nullable |= field.nullable;
        }
        known.or_else(|| self.append(field))
    }

    pub(super) fn len(&self) -> usize {
        self.list.len()
    }

    /// The stream of that name.
    pub(super) fn named(&self, name: &str) -> Option<StreamId> {
        self.by_name.get(name).copied()
    }

    /// The names of all that have one.
    pub(super) fn all_names(&self) -> impl Iterator<Item = &str> {
        self.list.iter().filter_map(|info| info.shape.name.as_deref())
    }

    pub(super) fn get(&self, stream: StreamId) -> &Stream {
        &self.list[usize::from(stream.0)].shape
    }

    /// Those that the caller feeds.
    pub(super) fn fed(&self) -> impl Iterator<Item = StreamId> + Clone {
        let numbered = (0..).map(StreamId).zip(&self.list);
        numbered.filter(|(_, info)| !info.shape.is_emitted).map(|(stream, _)| stream)
    }

    /// What is known of a field.
    pub(super) fn field(&self, field: FieldId) -> &Field {
        &self.fields[usize::from(field.0)]
    }

    /// Whether all fields of a stream are known.
    pub(super) fn is_closed(&self, stream: StreamId) -> bool {
        self.list[usize::from(stream.0)].closed
    }

    /// The names of a stream's fields.
    pub(super) fn names(&self, stream: StreamId) -> impl Iterator<Item = &str> + Clone {
        self.get(stream).fields.iter().map(|field| self.field(*field).name.as_str())
    }

    /// The field that a stream has of that name, if it is known.
    pub(super) fn find(&self, stream: StreamId, name: &str) -> Option<FieldId> {
        self.list[usize::from(stream.0)].by_name.get(name).copied()
    }

    /// The field that a stream has of that name; one whose fields are not known grows by it.
    pub(super) fn find_or_add(&mut self, stream: StreamId, name: &str) -> Option<FieldId> {
        let known = self.find(stream, name);
        if known.is_some() || self.is_closed(stream) {
            return known;
        }
        let field = self.share(Field { name: name.to_owned(), kind: Type::Any, nullable: true })?;
        self.add(stream, field);
        Some(field)
    }

    /// The field that a bare stage of a stream stands for: what the stream says, else the caller, of the streams that it
    /// feeds. An open stream grows by it only here, where the first bare stage needs it.
    pub(super) fn type_field(&mut self, stream: StreamId, callers: Option<&str>) -> Option<FieldId> {
        let shape = self.get(stream);
        if shape.type_field.is_none() && !shape.is_emitted {
            let found = callers.and_then(|name| self.find_or_add(stream, name));
            self.list[usize::from(stream.0)].shape.type_field = found;
        }
        self.get(stream).type_field
    }

    /// As the checked patterns have them: the row's fields, with the marks of the only stream that is fed, and the streams.
    pub(super) fn checked(self) -> (Schema, Vec<Stream>) {
        let closed = self.fed().all(|stream| self.is_closed(stream));
        let fed: Vec<&Stream> = self.fed().map(|stream| self.get(stream)).collect();
        let only = if let [only] = fed.as_slice() { Some((*only).clone()) } else { None };
        let schema = Schema { fields: Vec::new(), closed, ..Schema::default() };
        let schema = match only {
            Some(Stream { name, time, key, type_field, .. }) => {
                Schema { stream: name, time, key, type_field, ..schema }
            }
            None => schema,
        };
        let streams = self.list.into_iter().map(|info| info.shape).collect();
        (Schema { fields: self.fields, ..schema }, streams)
    }
}
