//! Which stream each source feeds, what patterns are compiled with, and which field is the event time.

use ensue_io::{RowFormat, TimeField, TimeFormat};
use ensue_lang::Options;
use ensue_model::schema::Stream;
use ensue_model::{FieldId, Patterns, Schema, StreamId, Type};

/// The field that a bare stage stands for where nobody says otherwise.
const TYPE_FIELD: &str = "type";

/// What is known of a source.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bound<'s> {
    /// Its name, for messages.
    pub(crate) name: &'s str,
    /// The stream that it is for, where that is said.
    pub(crate) stream: Option<&'s str>,
    pub(crate) rows: &'s RowFormat,
}

impl Bound<'_> {
    fn columns(&self) -> Option<&[String]> {
        match self.rows {
            RowFormat::Csv(csv) => Some(&csv.columns),
            _ => None,
        }
    }
}

/// What patterns are compiled with, for sources with these columns. Those of a source that is the only one are all that there
/// is; of several it is for the patterns to say which stream has which fields.
pub(crate) fn options(sources: &[Bound<'_>], said: &Options) -> Options {
    let (stream, columns) = match sources {
        [only] => (only.stream, only.columns()),
        _ => (None, None),
    };
    let has_type = columns.is_none_or(|columns| columns.iter().any(|column| column == TYPE_FIELD));
    let schema = columns.map_or_else(Schema::open, schema);
    Options {
        schema: Schema { stream: stream.map(str::to_owned), ..schema },
        type_field: said.type_field.clone().or_else(|| has_type.then(|| TYPE_FIELD.to_owned())),
        ..said.clone()
    }
}

/// The columns of a CSV: no others can be asked for, and what is in them is not known before it comes.
fn schema(columns: &[String]) -> Schema {
    let fields = columns.iter().fold(Schema::open(), |schema, column| schema.nullable(column, Type::Any));
    Schema { closed: true, ..fields }
}

/// The stream that each source feeds; several may feed the same. Each stream that a pattern reads needs one.
///
/// # Errors
/// What is wrong, in a sentence.
pub(crate) fn streams_of(sources: &[Bound<'_>], patterns: &Patterns) -> Result<Vec<StreamId>, String> {
    let streams: Vec<StreamId> = match sources {
        [Bound { stream: None, .. }] => vec![only_stream(patterns)?],
        _ => sources.iter().map(|source| stream_of(source, patterns)).collect::<Result<_, _>>()?,
    };
    match read(patterns).find(|(stream, _)| !streams.contains(stream)) {
        None => Ok(streams),
        Some((stream, pattern)) => {
            let name = get(patterns, stream).name.as_deref().unwrap_or("events");
            Err(format!("pattern `{pattern}` reads stream `{name}`, which has no source"))
        }
    }
}

fn stream_of(source: &Bound<'_>, patterns: &Patterns) -> Result<StreamId, String> {
    let Some(name) = source.stream else {
        return Err(format!("no stream is named for {}: with several sources each needs one", source.name));
    };
    match patterns.stream(name) {
        Some(stream) if !get(patterns, stream).is_emitted => Ok(stream),
        Some(_) => Err(format!("stream `{name}` takes no source: its events are what a pattern makes")),
        None => Err(format!("no stream `{name}` for {}: {}", source.name, fed(patterns))),
    }
}

/// The stream of a source that is the only one and names none: the only one that patterns read.
fn only_stream(patterns: &Patterns) -> Result<StreamId, String> {
    let mut streams = read(patterns).map(|(stream, _)| stream);
    let first = streams.next().unwrap_or_default();
    match streams.all(|stream| stream == first) {
        true => Ok(first),
        false => Err(format!("the patterns read several streams, so each source names its own; {}", fed(patterns))),
    }
}

/// The streams that patterns read and sources feed, each with a pattern that reads it.
fn read(patterns: &Patterns) -> impl Iterator<Item = (StreamId, &str)> {
    let read = patterns.patterns.iter().flat_map(|pattern| pattern.from.iter().map(|stream| (*stream, &*pattern.name)));
    read.filter(|(stream, _)| !get(patterns, *stream).is_emitted)
}

/// The streams that sources can feed, in words.
fn fed(patterns: &Patterns) -> String {
    let fed = patterns.streams.iter().filter(|stream| !stream.is_emitted);
    let names: Vec<String> = fed.filter_map(|stream| Some(format!("`{}`", stream.name.as_ref()?))).collect();
    match names.as_slice() {
        [] => "the patterns name none".to_owned(),
        [only] => format!("there is only {only}"),
        names => format!("the streams are {}", names.join(", ")),
    }
}

fn get(patterns: &Patterns, stream: StreamId) -> &Stream {
    &patterns.streams[usize::from(stream.0)]
}

/// Where nothing is declared, a field that patterns name must be a column of a source that can have it: a misspelt one would
/// be null in all events. The fields of JSON show only in the events.
///
/// # Errors
/// The field that is not there.
pub(crate) fn check_fields(sources: &[Bound<'_>], streams: &[StreamId], patterns: &Patterns) -> Result<(), String> {
    let fields = (0..).map(FieldId).zip(&patterns.schema.fields).filter(|_| !patterns.schema.closed);
    for (id, field) in fields {
        let can_have = |stream: &StreamId| get(patterns, *stream).fields.contains(&id);
        let sources = sources.iter().zip(streams).filter(|(_, stream)| can_have(stream)).map(|(source, _)| source);
        let columns: Option<Vec<_>> = sources.map(|source| Some((source.name, source.columns()?))).collect();
        let Some(columns) = columns.filter(|sources| !sources.is_empty()) else { continue };
        if columns.iter().all(|(_, columns)| !columns.contains(&field.name)) {
            let there = columns.iter().map(|(name, columns)| format!("{name} has {}", listed(columns)));
            let there = there.collect::<Vec<_>>().join(", ");
            return Err(format!("no column `{}` that a pattern asks for: {there}", field.name));
        }
    }
    Ok(())
}

/// Names, each as it stands in a pattern.
fn listed(names: &[String]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// The field of a source's event time: what is said of it, else what the stream marks.
///
/// # Errors
/// If neither says it.
pub(crate) fn time_field(
    source: &Bound<'_>,
    said: Option<&str>,
    format: TimeFormat,
    stream: StreamId,
    patterns: &Patterns,
) -> Result<TimeField, String> {
    let marked = get(patterns, stream).time.map(|field| &*patterns.schema.get(field).name);
    match said.or(marked) {
        Some(name) => Ok(TimeField { name: name.to_owned(), format }),
        None => {
            let name = source.name;
            Err(format!("the field of the event time of {name} is not known: say which, or mark it with @time"))
        }
    }
}
