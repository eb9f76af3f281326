//! What all sources share: the schema, the patterns, the diagnostics.

use std::collections::HashMap;

use ensue_model::schema::{Field, FieldId};
use ensue_model::{Patterns, Schema, Type};

use super::declarations::{self, Declarations};
use super::{Options, names, pattern};
use crate::code;
use crate::diagnostic::{DIAGNOSTICS_MAX, Diagnostic};
use crate::source::Source;
use crate::tree::{File, Item, MarkKind, Place, Stream};

/// The most fields that there can be: a row holds them by a number of 16 bits.
const FIELDS_MAX: usize = u16::MAX as usize;

/// What all sources share while they are checked.
pub(super) struct World<'a> {
    pub(super) sources: &'a [Source],
    pub(super) options: &'a Options,
    pub(super) schema: Schema,
    /// The schema's fields by name: hostile patterns name many.
    fields: HashMap<String, FieldId>,
    pub(super) found: &'a mut Vec<Diagnostic>,
}

impl World<'_> {
    pub(super) fn report(&mut self, source: usize, diagnostic: Diagnostic) {
        self.found.push(diagnostic.of(source));
    }

    /// The field of that name. None where there is none, which has been reported.
    pub(super) fn field(&mut self, source: usize, name: &str, place: Place) -> Option<FieldId> {
        let field = self.find_or_add(name);
        if field.is_none() {
            let diagnostic = self.unknown_field(name, place);
            self.report(source, diagnostic);
        }
        field
    }

    /// The field of that name, if it is known.
    pub(super) fn find(&self, name: &str) -> Option<FieldId> {
        self.fields.get(name).copied()
    }

    /// The field of that name; an open schema grows by it.
    pub(super) fn find_or_add(&mut self, name: &str) -> Option<FieldId> {
        if let Some(field) = self.find(name) {
            return Some(field);
        }
        if self.schema.closed || self.schema.fields.len() >= FIELDS_MAX {
            return None;
        }
        let field = FieldId(self.schema.fields.len() as u16);
        self.schema.fields.push(Field { name: name.to_owned(), kind: Type::Any, nullable: true });
        self.fields.insert(name.to_owned(), field);
        Some(field)
    }

    /// The field that a bare stage name stands for: the stream's, else the caller's, which an open schema grows by when
    /// the first bare stage needs it.
    pub(super) fn type_field(&mut self) -> Option<FieldId> {
        if self.schema.type_field.is_none() {
            let options = self.options;
            self.schema.type_field = options.type_field.as_deref().and_then(|name| self.find_or_add(name));
        }
        self.schema.type_field
    }

    fn unknown_field(&self, name: &str, place: Place) -> Diagnostic {
        if !self.schema.closed {
            let message = format!("the patterns name more than {FIELDS_MAX} fields");
            return Diagnostic::error(&code::TOO_LARGE, place, message);
        }
        let fields = self.schema.fields.iter().map(|field| field.name.as_str());
        let message = match &self.schema.stream {
            Some(stream) => format!("stream `{stream}` has no field `{name}`"),
            None => format!("the events have no field `{name}`"),
        };
        let help = self.meant(name, fields.clone()).unwrap_or_else(|| names::listed("the fields are", fields));
        Diagnostic::error(&code::UNKNOWN_FIELD, place, message).help(help)
    }

    /// What was meant by a name that there is not; nobody reads what more diagnostics than are shown would guess.
    pub(super) fn meant<'n>(&self, name: &str, names: impl Iterator<Item = &'n str>) -> Option<String> {
        if self.found.len() < DIAGNOSTICS_MAX { names::meant(name, names) } else { None }
    }
}

/// Checks all patterns of all files.
pub(super) fn check(sources: &[Source], files: &[File], options: &Options, found: &mut Vec<Diagnostic>) -> Patterns {
    let mut world = World { sources, options, schema: options.schema.clone(), fields: HashMap::new(), found };
    declare_stream(&mut world, files);
    world.fields = positions(&world.schema);
    check_caller_key(&mut world);
    let declared: Vec<Declarations<'_>> =
        files.iter().enumerate().map(|(source, file)| declarations::collect(&mut world, source, file)).collect();
    declarations::check_caller_parameters(&mut world, files);
    let patterns = pattern::check_all(&mut world, files, &declared);
    Patterns::of_one_stream(world.schema, patterns)
}

fn positions(schema: &Schema) -> HashMap<String, FieldId> {
    let named = schema.fields.iter().enumerate();
    named.map(|(position, field)| (field.name.clone(), FieldId(position as u16))).collect()
}

/// The declared stream decides over what the caller knows. Further ones are behind the gate.
fn declare_stream(world: &mut World<'_>, files: &[File]) {
    let streams = files.iter().enumerate().flat_map(|(source, file)| {
        file.items.iter().filter_map(move |item| match item {
            Item::Stream(stream) => Some((source, stream)),
            _ => None,
        })
    });
    let mut declared = None;
    for (source, stream) in streams {
        let schema = schema_of(world, source, stream);
        declared.get_or_insert(schema);
    }
    if let Some(schema) = declared {
        world.schema = schema;
    }
}

fn schema_of(world: &mut World<'_>, source: usize, stream: &Stream) -> Schema {
    let mut schema = Schema::stream(&stream.name.text);
    let mut given: HashMap<&str, Place> = HashMap::new();
    if let Some(too_many) = stream.fields.get(FIELDS_MAX) {
        let message =
            format!("stream `{}` has {} fields, the limit is {FIELDS_MAX}", stream.name.text, stream.fields.len());
        world.report(source, Diagnostic::error(&code::TOO_LARGE, too_many.name.place, message));
    }
    for field in stream.fields.iter().take(FIELDS_MAX) {
        if let Some(first) = given.get(field.name.text.as_str()) {
            world.report(source, names::twice("field", &field.name, *first));
            continue;
        }
        given.insert(&field.name.text, field.name.place);
        let id = FieldId(schema.fields.len() as u16);
        schema = match field.kind.nullable {
            true => schema.nullable(&field.name.text, field.kind.kind.clone()),
            false => schema.field(&field.name.text, field.kind.kind.clone()),
        };
        for mark in &field.marks {
            let slot = match mark.kind {
                MarkKind::Time => &mut schema.time,
                MarkKind::Key => &mut schema.key,
                MarkKind::Type => &mut schema.type_field,
            };
            if slot.is_some() {
                let message = format!("stream `{}` has this mark twice", stream.name.text);
                world.report(source, Diagnostic::error(&code::DUPLICATE, mark.place, message));
            }
            *slot = Some(id);
        }
    }
    check_type_field(world, source, stream);
    schema
}

/// A bare stage name is a text, so what it is compared with must be able to be one.
fn check_type_field(world: &mut World<'_>, source: usize, stream: &Stream) {
    for field in &stream.fields {
        let is_type = field.marks.iter().any(|mark| mark.kind == MarkKind::Type);
        if is_type && !matches!(field.kind.kind, Type::String | Type::Any) {
            let message =
                format!("the type field `{}` is {}, and stage names are text", field.name.text, field.kind.kind);
            let diagnostic = Diagnostic::error(&code::UNLIKE_TYPES, field.kind.place, message);
            world.report(
                source,
                diagnostic.label("a string is needed").help("write `where` conditions instead of @type"),
            );
        }
    }
}

/// The key that the caller names must be there, where the fields are known. A type field is missed when a stage needs it:
/// callers name one beforehand, for patterns that may well do without.
fn check_caller_key(world: &mut World<'_>) {
    let options = world.options;
    for name in &options.key {
        if !world.schema.closed || world.find(name).is_some() {
            continue;
        }
        let diagnostic = world.unknown_field(name, Place::default());
        world.report(0, Diagnostic { labels: Vec::new(), ..diagnostic });
    }
}
