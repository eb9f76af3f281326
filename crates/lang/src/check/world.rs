//! What all sources share: the streams and their fields, the diagnostics.

use std::collections::{BTreeSet, HashMap};

use ensue_model::schema::{FieldId, StreamId};
use ensue_model::{Patterns, Schema, Type};

use super::composition::Composition;
use super::declarations::{self, Declarations};
use super::record::Emitted;
use super::stages::Stages;
use super::streams::{FIELDS_MAX, STREAMS_MAX, Streams};
use super::table::Tables;
use super::{Options, function, names, pattern, table};
use crate::code;
use crate::diagnostic::{DIAGNOSTICS_MAX, Diagnostic};
use crate::source::Source;
use crate::tree::{File, Item, MarkKind, Name, Place, Stream};

/// What all sources share while they are checked.
pub(super) struct World<'a> {
    pub(super) sources: &'a [Source],
    pub(super) options: &'a Options,
    pub(super) streams: Streams,
    /// The names of the records that patterns emit.
    pub(super) records: BTreeSet<String>,
    /// Those of the patterns that are checked.
    pub(super) emitted: HashMap<String, Emitted>,
    pub(super) tables: Tables,
    pub(super) found: &'a mut Vec<Diagnostic>,
}

/// Whose field a name is.
#[derive(Clone, Copy)]
pub(super) struct Whose<'n> {
    /// One of these streams'.
    pub(super) streams: &'n [StreamId],
    /// All streams that the pattern reads.
    pub(super) read: &'n [StreamId],
    /// The stage that it is asked in, or of.
    pub(super) stage: Option<&'n str>,
    /// The stages of the pattern.
    pub(super) stages: Option<&'n Stages<'n>>,
}

impl World<'_> {
    pub(super) fn report(&mut self, source: usize, diagnostic: Diagnostic) {
        self.found.push(diagnostic.of(source));
    }

    /// The field of that name. None where there is none, which has been reported.
    pub(super) fn field(&mut self, source: usize, name: &Name, whose: Whose<'_>) -> Option<FieldId> {
        let mut fields: Vec<(StreamId, FieldId)> = Vec::new();
        for stream in whose.streams {
            let field = self.streams.find_or_add(*stream, &name.text).map(|field| (*stream, field));
            fields.extend(field.filter(|(_, field)| fields.iter().all(|(_, other)| other != field)));
        }
        if let [(_, field)] = fields.as_slice() {
            return Some(*field);
        }
        // What is not known of a stream has been reported.
        if !whose.streams.iter().any(|stream| self.streams.is_unknown(*stream)) {
            let diagnostic = match fields.as_slice() {
                [first, second, ..] => self.ambiguous(name, [*first, *second], whose),
                _ => self.unknown_field(&name.text, name.place, whose),
            };
            self.report(source, diagnostic);
        }
        None
    }

    fn ambiguous(&self, name: &Name, fields: [(StreamId, FieldId); 2], whose: Whose<'_>) -> Diagnostic {
        let [first, second] =
            fields.map(|(stream, field)| format!("{} in {}", self.streams.field(field).kind, self.stream(stream)));
        let message = format!("`{}` is {first} and {second}", name.text);
        let stage = whose.stage.unwrap_or("a");
        let named = fields.iter().find_map(|(stream, _)| self.streams.get(*stream).name.as_deref());
        let help = format!("say whose events the stage takes, as in `{stage}: {}`", named.unwrap_or_default());
        Diagnostic::error(&code::AMBIGUOUS_FIELD, name.place, message).help(help)
    }

    /// "stream `orders`"
    pub(super) fn stream(&self, stream: StreamId) -> String {
        match &self.streams.get(stream).name {
            Some(name) => format!("stream `{name}`"),
            None => "the events that are fed".to_owned(),
        }
    }

    fn unknown_field(&self, name: &str, place: Place, whose: Whose<'_>) -> Diagnostic {
        if whose.streams.iter().any(|stream| !self.streams.is_closed(*stream)) {
            let message = format!("the patterns name more than {FIELDS_MAX} fields");
            return Diagnostic::error(&code::TOO_LARGE, place, message);
        }
        let message = match whose.streams {
            [stream] => match &self.streams.get(*stream).name {
                Some(stream) => format!("stream `{stream}` has no field `{name}`"),
                None => format!("the events have no field `{name}`"),
            },
            streams => format!("none of the streams {} has a field `{name}`", self.listed(streams)),
        };
        let fields = whose.streams.iter().flat_map(|stream| self.streams.names(*stream));
        let foreign = names::foreign(name).map(|meant| format!("write `{meant}`"));
        let help = foreign.or_else(|| self.meant(name, fields.clone())).or_else(|| self.field_of_others(name, whose));
        let help = help.unwrap_or_else(|| names::listed("the fields are", fields));
        Diagnostic::error(&code::UNKNOWN_FIELD, place, message).help(help)
    }

    /// A field of that name, or one like it, of another stream that the pattern reads.
    fn field_of_others(&self, name: &str, whose: Whose<'_>) -> Option<String> {
        let others = || whose.read.iter().copied().filter(|stream| !whose.streams.contains(stream));
        let of = |stream: StreamId| self.streams.get(stream).name.as_deref();
        let has_it = others().find(|stream| self.streams.find(*stream, name).is_some());
        if let Some((stream, other)) = has_it.and_then(|stream| Some((stream, of(stream)?))) {
            let taken_by =
                whose.stages.and_then(|stages| stages.list.iter().find(|stage| stage.stream == Some(stream)));
            let own = whose.streams.first().and_then(|stream| of(*stream)).unwrap_or("..");
            return Some(match (whose.stage, taken_by) {
                (None, _) => {
                    format!("a key may differ by stream: `key {{ {other}: {name}, {own}: .. }}`")
                }
                (Some(_), Some(stage)) => {
                    let stage = &stage.name.text;
                    format!("stream `{other}` has it, of which stage `{stage}` takes events: `{stage}.{name}`")
                }
                (Some(_), None) => format!("stream `{other}` has it"),
            });
        }
        others().find_map(|stream| {
            let help = self.meant(name, self.streams.names(stream))?;
            Some(format!("{help} stream `{}` has that", of(stream)?))
        })
    }

    /// "`orders`, `receipts` and `refunds`"
    pub(super) fn listed(&self, streams: &[StreamId]) -> String {
        names::joined(streams.iter().filter_map(|stream| self.streams.get(*stream).name.as_deref()))
    }

    /// What was meant by a name that there is not; nobody reads what more diagnostics than are shown would guess.
    pub(super) fn meant<'n>(&self, name: &str, names: impl Iterator<Item = &'n str>) -> Option<String> {
        if self.found.len() < DIAGNOSTICS_MAX { names::meant(name, names) } else { None }
    }
}

/// Checks all patterns of all files.
pub(super) fn check(sources: &[Source], files: &[File], options: &Options, found: &mut Vec<Diagnostic>) -> Patterns {
    let composition = Composition::of(files);
    let records = composition.emitted().map(str::to_owned).collect();
    let mut world = World {
        sources,
        options,
        streams: Streams::default(),
        records,
        emitted: HashMap::new(),
        tables: Tables::default(),
        found,
    };
    let declared = declared_streams(&mut world, files);
    feed(&mut world, declared, &composition);
    composition.expect(&mut world);
    check_caller_key(&mut world);
    function::check_host_functions(&mut world);
    table::collect(&mut world, files);
    let declared: Vec<Declarations<'_>> =
        files.iter().enumerate().map(|(source, file)| declarations::collect(&mut world, source, file)).collect();
    declarations::check_caller_parameters(&mut world, files);
    let patterns = pattern::check_all(&mut world, &composition, &declared);
    if world.streams.overflowed && world.found.is_empty() {
        let message = format!("streams and records have more than {FIELDS_MAX} fields together");
        world.report(0, Diagnostic::of_caller(&code::TOO_LARGE, message));
    }
    let (schema, streams) = world.streams.checked();
    Patterns { schema, streams, tables: world.tables.shapes, patterns }
}

/// The streams that files declare; each is known to all.
fn declared_streams(world: &mut World<'_>, files: &[File]) -> Vec<Schema> {
    let streams = files.iter().enumerate().flat_map(|(source, file)| {
        file.items.iter().filter_map(move |item| match item {
            Item::Stream(stream) => Some((source, stream)),
            _ => None,
        })
    });
    let mut given: HashMap<&str, (usize, Place)> = HashMap::new();
    let mut declared = Vec::new();
    for (source, stream) in streams {
        let schema = schema_of(world, source, stream);
        match given.get(stream.name.text.as_str()) {
            Some(first) => {
                let diagnostic = names::twice_in_all(world.sources, "stream", source, &stream.name, *first);
                world.report(source, diagnostic);
            }
            None if declared.len() == STREAMS_MAX => {
                let message = format!("there are more than {STREAMS_MAX} streams");
                world.report(source, Diagnostic::error(&code::TOO_LARGE, stream.name.place, message));
                break;
            }
            None => {
                given.insert(&stream.name.text, (source, stream.name.place));
                declared.push(schema);
            }
        }
    }
    declared
}

/// What is fed: the declared streams, which decide over what the caller knows; else what the caller knows. If that has no name,
/// it is the stream that the patterns name; and where they name several of which nothing is known, it is those.
fn feed(world: &mut World<'_>, declared: Vec<Schema>, composition: &Composition<'_>) {
    let schema = &world.options.schema;
    let is_open = *schema == Schema::open();
    let undeclared = match declared.is_empty() && schema.stream.is_none() {
        true => composition.undeclared_names(),
        false => Vec::new(),
    };
    if !declared.is_empty() {
        return declared.into_iter().for_each(|schema| world.streams.feed(schema));
    }
    match undeclared.as_slice() {
        [] => world.streams.feed(schema.clone()),
        [name] => world.streams.feed(Schema { stream: Some((*name).to_owned()), ..schema.clone() }),
        names if is_open => {
            if names.len() > STREAMS_MAX {
                let message = format!("the patterns name more than {STREAMS_MAX} streams");
                world.report(0, Diagnostic::of_caller(&code::TOO_LARGE, message));
            }
            let open = |name: &&str| Schema { stream: Some((*name).to_owned()), ..Schema::open() };
            names.iter().take(STREAMS_MAX).for_each(|name| world.streams.feed(open(name)));
        }
        // Which of them the caller described cannot be known: none of the names is.
        _ => world.streams.feed(schema.clone()),
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

/// The key that the caller names must be there, where the fields are known: in one stream at least, since others may have a
/// key of their own. A type field is missed when a stage needs it: callers name one beforehand, for patterns that may well do
/// without.
fn check_caller_key(world: &mut World<'_>) {
    let options = world.options;
    let fed: Vec<StreamId> = world.streams.fed().collect();
    for name in &options.key {
        let has_it =
            |stream: &StreamId| !world.streams.is_closed(*stream) || world.streams.find(*stream, name).is_some();
        if !fed.iter().any(has_it) {
            let whose = Whose { streams: &fed, read: &fed, stage: None, stages: None };
            let diagnostic = world.unknown_field(name, Place::default(), whose);
            world.report(0, Diagnostic { labels: Vec::new(), ..diagnostic });
        }
    }
}
