//! What the events of a stream look like, and the fields that a set of patterns asks for.

use serde::{Deserialize, Serialize};

use crate::types::Type;

/// A field by its position in the [`Schema`] that a set of patterns was compiled with.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct FieldId(pub u16);

/// A stream by its position in [`Patterns::streams`](crate::Patterns::streams).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
pub struct StreamId(pub u16);

/// A stream that patterns read: which of the fields that rows hold its events have.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Stream {
    /// Its name; none where nothing was declared.
    pub name: Option<String>,
    /// The fields that its events have; all where nothing was declared.
    pub fields: Vec<FieldId>,
    /// The field that holds the event time (`@time`).
    pub time: Option<FieldId>,
    /// The field that is the default key (`@key`).
    pub key: Option<FieldId>,
    /// The field that a bare stage name stands for (`@type`).
    pub type_field: Option<FieldId>,
    /// Whether its events are records that patterns emit, and not what the caller feeds.
    pub is_emitted: bool,
}

impl Stream {
    /// The only stream of a schema.
    pub fn only(schema: &Schema) -> Self {
        let Schema { stream, fields, closed: _, time, key, type_field } = schema;
        let fields = (0..fields.len()).map(|position| FieldId(position as u16)).collect();
        Stream { name: stream.clone(), fields, time: *time, key: *key, type_field: *type_field, is_emitted: false }
    }
}

/// A field of a stream.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Field {
    /// Its name.
    pub name: String,
    /// Its type; `Any` where nothing was declared.
    pub kind: Type,
    /// Whether it may be null.
    pub nullable: bool,
}

/// The fields of a stream, in the order in which a row holds them.
///
/// A *closed* schema was declared: a pattern that names another field is wrong. An *open* one starts empty and grows by
/// the fields that the patterns name; they are dynamic.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Schema {
    /// The stream's name, where it has one.
    pub stream: Option<String>,
    /// The fields.
    pub fields: Vec<Field>,
    /// Whether the fields were declared.
    pub closed: bool,
    /// The field that holds the event time (`@time`).
    pub time: Option<FieldId>,
    /// The field that is the default key (`@key`).
    pub key: Option<FieldId>,
    /// The field that a bare stage name stands for (`@type`).
    pub type_field: Option<FieldId>,
}

impl Schema {
    /// An open schema: fields are dynamic.
    pub fn open() -> Self {
        Schema::default()
    }

    /// A declared stream without fields; add them with [`Schema::field`].
    ///
    /// ```
    /// use ensue_model::{Schema, Type};
    /// let schema = Schema::stream("orders").field("order_id", Type::Int).field("type", Type::String).type_field("type");
    /// assert!(schema.closed);
    /// assert_eq!(schema.find("type"), schema.type_field);
    /// ```
    pub fn stream(name: &str) -> Self {
        Schema { stream: Some(name.to_owned()), closed: true, ..Schema::default() }
    }

    /// With one more field that is never null.
    pub fn field(mut self, name: &str, kind: Type) -> Self {
        self.fields.push(Field { name: name.to_owned(), kind, nullable: false });
        self
    }

    /// With one more field that may be null.
    pub fn nullable(mut self, name: &str, kind: Type) -> Self {
        self.fields.push(Field { name: name.to_owned(), kind, nullable: true });
        self
    }

    /// With `name` as the event time.
    ///
    /// # Panics
    /// If there is no such field.
    pub fn time(mut self, name: &str) -> Self {
        self.time = Some(self.find(name).expect("the time is one of the fields"));
        self
    }

    /// With `name` as the default key.
    ///
    /// # Panics
    /// If there is no such field.
    pub fn key(mut self, name: &str) -> Self {
        self.key = Some(self.find(name).expect("the key is one of the fields"));
        self
    }

    /// With `name` as the field that a bare stage name stands for.
    ///
    /// # Panics
    /// If there is no such field.
    pub fn type_field(mut self, name: &str) -> Self {
        self.type_field = Some(self.find(name).expect("the type is one of the fields"));
        self
    }

    /// The field of that name.
    pub fn find(&self, name: &str) -> Option<FieldId> {
        self.fields.iter().position(|field| field.name == name).map(|position| FieldId(position as u16))
    }

    /// The field of that name; an open schema grows by it.
    pub fn find_or_add(&mut self, name: &str) -> Option<FieldId> {
        if let Some(field) = self.find(name) {
            return Some(field);
        }
        if self.closed || self.fields.len() > usize::from(u16::MAX) {
            return None;
        }
        self.fields.push(Field { name: name.to_owned(), kind: Type::Any, nullable: true });
        Some(FieldId((self.fields.len() - 1) as u16))
    }

    /// What is known of a field.
    ///
    /// # Panics
    /// If the field is not of this schema.
    pub fn get(&self, field: FieldId) -> &Field {
        &self.fields[usize::from(field.0)]
    }
}
