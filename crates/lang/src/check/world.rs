//! What all sources share: the schema, the patterns, the diagnostics.

use ensue_model::schema::FieldId;
use ensue_model::{Patterns, Schema, Type};

use super::declarations::{self, Declarations};
use super::{Options, names, pattern};
use crate::code;
use crate::diagnostic::Diagnostic;
use crate::source::Source;
use crate::tree::{File, Item, MarkKind, Place, Stream};

/// What all sources share while they are checked.
pub(super) struct World<'a> {
    pub(super) sources: &'a [Source],
    pub(super) options: &'a Options,
    pub(super) schema: Schema,
    pub(super) found: &'a mut Vec<Diagnostic>,
}

impl World<'_> {
    pub(super) fn report(&mut self, source: usize, diagnostic: Diagnostic) {
        self.found.push(diagnostic.of(source));
    }

    /// The field of that name. None where there is none, which has been reported.
    pub(super) fn field(&mut self, source: usize, name: &str, place: Place) -> Option<FieldId> {
        let field = self.schema.find_or_add(name);
        if field.is_none() {
            let diagnostic = self.unknown_field(name, place);
            self.report(source, diagnostic);
        }
        field
    }

    fn unknown_field(&self, name: &str, place: Place) -> Diagnostic {
        if !self.schema.closed {
            let message = format!("the patterns name more than {} fields", u16::MAX);
            return Diagnostic::error(&code::TOO_LARGE, place, message);
        }
        let fields = self.schema.fields.iter().map(|field| field.name.as_str());
        let message = match &self.schema.stream {
            Some(stream) => format!("stream `{stream}` has no field `{name}`"),
            None => format!("the events have no field `{name}`"),
        };
        let help = names::meant(name, fields.clone()).unwrap_or_else(|| names::listed("the fields are", fields));
        Diagnostic::error(&code::UNKNOWN_FIELD, place, message).help(help)
    }
}

/// Checks all patterns of all files.
pub(super) fn check(sources: &[Source], files: &[File], options: &Options, found: &mut Vec<Diagnostic>) -> Patterns {
    let mut world = World { sources, options, schema: options.schema.clone(), found };
    declare_stream(&mut world, files);
    caller_fields(&mut world);
    let declared: Vec<Declarations<'_>> =
        files.iter().enumerate().map(|(source, file)| declarations::collect(&mut world, source, file)).collect();
    declarations::check_caller_parameters(&mut world, files);
    let patterns = pattern::check_all(&mut world, files, &declared);
    Patterns { schema: world.schema, patterns }
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
    for field in &stream.fields {
        if schema.find(&field.name.text).is_some() {
            let first = stream.fields.iter().find(|other| other.name.text == field.name.text);
            let first = first.map_or(field.name.place, |first| first.name.place);
            world.report(source, names::twice("field", &field.name, first));
            continue;
        }
        schema = match field.kind.nullable {
            true => schema.nullable(&field.name.text, field.kind.kind.clone()),
            false => schema.field(&field.name.text, field.kind.kind.clone()),
        };
        for mark in &field.marks {
            let id = schema.find(&field.name.text);
            let slot = match mark.kind {
                MarkKind::Time => &mut schema.time,
                MarkKind::Key => &mut schema.key,
                MarkKind::Type => &mut schema.type_field,
            };
            if slot.is_some() {
                let message = format!("stream `{}` has this mark twice", stream.name.text);
                world.report(source, Diagnostic::error(&code::DUPLICATE, mark.place, message));
            }
            *slot = id;
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

/// What the caller says of key and type must be there.
fn caller_fields(world: &mut World<'_>) {
    let options = world.options;
    let named = options.key.iter().chain(options.type_field.iter());
    for name in named {
        if world.schema.find_or_add(name).is_none() {
            let diagnostic = world.unknown_field(name, Place::default());
            let diagnostic = Diagnostic { labels: Vec::new(), ..diagnostic };
            world.report(0, diagnostic);
        }
    }
    if world.schema.type_field.is_none() {
        world.schema.type_field = options.type_field.as_deref().and_then(|name| world.schema.find(name));
    }
}
