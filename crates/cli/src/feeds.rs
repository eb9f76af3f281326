//! The inputs of a run, each with the stream that it feeds, and which of them comes next.

use std::num::NonZeroU64;

use ensue_io::{BadLine, Decoder, RowFormat, TimeField};
use ensue_model::schema::Stream;
use ensue_model::{Event, FieldId, Patterns, StreamId, Timestamp};
use ensue_runtime::event::Numbered;

use crate::args::{Reading, said};
use crate::failure::Failure;
use crate::input::Input;
use crate::streams::streams_of;

/// An input with the stream that it feeds.
pub(crate) struct Feed {
    pub(crate) input: Input,
    pub(crate) stream: StreamId,
    decoder: Decoder,
    /// Its next event, where that has been read and has to wait for the events of other inputs.
    pub(crate) next: Option<Numbered>,
    /// Whether all of it has been read.
    pub(crate) has_ended: bool,
}

/// Up to where the events of an input come before those of the others. Of equal times, the input that the call names first
/// comes first.
pub(crate) type Until = (Timestamp, usize);

impl Feed {
    /// The next event of what has been read, or what is none; nothing where more has to be read.
    #[inline]
    pub(crate) fn decode(&mut self) -> Option<Result<Numbered, BadLine>> {
        let record = self.input.records().next()?;
        Some(record.and_then(|record| {
            let line = NonZeroU64::new(record.line);
            self.decoder.decode(&record).map(|row| Numbered { line, row })
        }))
    }
}

/// The input whose next event comes first, and up to where its events do. None where all have ended.
///
/// Each input needs to have its next event, or to have ended.
pub(crate) fn first(feeds: &[Feed]) -> Option<(usize, Option<Until>)> {
    let next = |(at, feed): (usize, &Feed)| Some((feed.next.as_ref()?.time(), at));
    let heads = || feeds.iter().enumerate().filter_map(next);
    let (_, first) = heads().min()?;
    Some((first, heads().filter(|(_, at)| *at != first).min()))
}

/// The inputs with the streams of the patterns that they feed.
pub(crate) fn connect(inputs: Vec<Input>, patterns: &Patterns, args: &Reading) -> Result<Vec<Feed>, Failure> {
    let streams = streams_of(&inputs, patterns)?;
    let alone = inputs.len() == 1;
    check_fields(&inputs, &streams, patterns)?;
    let feed = |(input, stream): (Input, StreamId)| {
        let time = time_field(&input, &patterns.streams[usize::from(stream.0)], patterns, args)?;
        let decoder = Decoder::new(patterns, stream, &input.format, &time).map_err(|error| {
            Failure::Call(if alone { error.to_string() } else { format!("{}: {error}", input.name) })
        })?;
        Ok(Feed { input, stream, decoder, next: None, has_ended: false })
    };
    inputs.into_iter().zip(streams).map(feed).collect()
}

/// Where nothing is declared, a field that patterns name must be a column of an input that can have it: a misspelt one would
/// be null in all events. The fields of JSON show only in the events.
fn check_fields(inputs: &[Input], streams: &[StreamId], patterns: &Patterns) -> Result<(), Failure> {
    let fields = (0..).map(FieldId).zip(&patterns.schema.fields).filter(|_| !patterns.schema.closed);
    for (id, field) in fields {
        let can_have = |stream: &StreamId| patterns.streams[usize::from(stream.0)].fields.contains(&id);
        let inputs = inputs.iter().zip(streams).filter(|(_, stream)| can_have(stream)).map(|(input, _)| input);
        let columns: Option<Vec<_>> = inputs.map(|input| Some((input, input.columns()?))).collect();
        let Some(columns) = columns.filter(|inputs| !inputs.is_empty()) else { continue };
        if columns.iter().all(|(_, columns)| !columns.contains(&field.name)) {
            let there = columns.iter().map(|(input, columns)| format!("{} has {}", input.name, listed(columns)));
            let there = there.collect::<Vec<_>>().join(", ");
            return Err(Failure::Call(format!("no column `{}` that a pattern asks for: {there}", field.name)));
        }
    }
    Ok(())
}

/// Names, each as it stands in a pattern.
pub(crate) fn listed(names: &[String]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// The format of the events of each stream that is fed.
pub(crate) fn formats(feeds: &[Feed]) -> Vec<(StreamId, RowFormat)> {
    feeds.iter().map(|feed| (feed.stream, feed.input.format.clone())).collect()
}

/// How many bytes there are in all, where that is known.
pub(crate) fn size(feeds: &[Feed]) -> Option<u64> {
    feeds.iter().map(|feed| feed.input.size()).sum()
}

/// The field of an input's event time: from the call, else from the stream.
fn time_field(input: &Input, stream: &Stream, patterns: &Patterns, args: &Reading) -> Result<TimeField, Failure> {
    let of = input.stream.as_deref();
    let marked = stream.time.map(|field| &patterns.schema.get(field).name);
    let Some(name) = said(&args.time, of).or(marked) else {
        let (whose, of) = of.map_or_else(Default::default, |of| (format!(" of stream `{of}`"), format!("{of}=")));
        let message =
            format!("the field of the event time{whose} is not known: say --time {of}FIELD, or mark it with @time");
        return Err(Failure::Call(message));
    };
    let format = said(&args.time_unit, of).copied().unwrap_or_default();
    Ok(TimeField { name: name.clone(), format })
}
