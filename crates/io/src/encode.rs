//! Outputs to lines of JSON, written straight into the caller's bytes.

use std::borrow::Borrow;

use ensue_model::hash::OutputIds;
use ensue_model::output::Taken;
use ensue_model::pattern::StageId;
use ensue_model::{Event, Match, Partial, Pattern, Patterns, Record, Row, StreamId, Timeout, Timestamp, Value};

use crate::encode::event::Events;
use crate::encode::json::{write_hex, write_int, write_items, write_string, write_time, write_value};
use crate::encode::last_time::LastTime;
use crate::encode::line::{Line, Piece};
use crate::format::RowFormat;

mod event;
mod json;
mod last_time;
mod line;

/// Writes matches, timeouts, late events and refused lines, each as one line of JSON.
///
/// An event may be a [`Row`], or what a program keeps a row in.
#[derive(Clone, Debug)]
pub struct Envelope {
    patterns: Vec<Names>,
    streams: Vec<Written>,
    /// The ends of matches.
    ends: LastTime,
    /// The starts of timeouts, which came one after the other, too.
    starts: LastTime,
    deadlines: LastTime,
}

/// How what is of a stream is written.
#[derive(Clone, Debug)]
struct Written {
    /// `,"stream":".."`, where there is more than one.
    name: Piece,
    events: Events,
}

/// What is written of a pattern in every output, as JSON.
#[derive(Clone, Debug)]
struct Names {
    matched: Kind,
    timed_out: Kind,
    /// What stands before each part of the key.
    key: Vec<Piece>,
    stages: Vec<StageName>,
}

/// A stage's name in quotes, and what stands before its events.
#[derive(Clone, Debug)]
struct StageName {
    quoted: Piece,
    /// Where it is the first that has events.
    first: Piece,
    /// Where it comes behind another one.
    next: Piece,
}

/// A kind of output of a pattern.
#[derive(Clone, Debug)]
struct Kind {
    /// What it begins with, up to its key.
    opening: Piece,
    ids: OutputIds,
    /// What stands before each value of its record, if it has one.
    record: Vec<Piece>,
}

impl Envelope {
    /// An envelope for the outputs of `patterns`, with the format in which the events of each stream came. Those of other
    /// streams were never bytes.
    pub fn new(patterns: &Patterns, formats: &[(StreamId, RowFormat)]) -> Self {
        let names = patterns.patterns.iter().map(Names::of).collect();
        let streams = (0..).map(StreamId).zip(&patterns.streams).map(|(id, stream)| {
            let format = formats.iter().find(|(of, _)| *of == id).map(|(_, format)| format);
            let name = stream.name.as_ref().filter(|_| patterns.streams.len() > 1);
            let name = name.map_or_else(Vec::new, |name| [b",\"stream\":", &*json::quoted(name)].concat());
            Written { name: Piece::new(&name), events: Events::new(&patterns.schema, stream, format) }
        });
        Envelope {
            patterns: names,
            streams: streams.collect(),
            ends: LastTime::default(),
            starts: LastTime::default(),
            deadlines: LastTime::default(),
        }
    }

    /// `{"kind":"match","pattern":..,"key":{..},"start":..,"end":..,"id":..,"events":{..}}`; where the pattern has an `emit`,
    /// with its `"record":{..}` in the place of the events. Gives the id.
    pub fn write_match<E: Borrow<Row>>(&self, matched: &Match<E>, out: &mut Vec<u8>) -> u128 {
        let run = &matched.run;
        let names = &self.patterns[run.pattern];
        let id = names.matched.ids.id(run);
        let mut line = Line::behind(out);
        line.put_piece(&names.matched.opening);
        names.write_key(&run.key, &mut line);
        write_named_time(b"},\"start\":\"", run.start(), &mut line);
        write_last_time(b",\"end\":\"", run.end(), &self.ends, &mut line);
        self.close(id, run, (&names.matched, matched.record.as_deref()), line);
        id
    }

    /// `{"kind":"timeout","pattern":..,"key":{..},"start":..,"deadline":..,"awaiting":[..],"id":..,"events":{..}}`; where the
    /// pattern has a `timeout`, with its `"record":{..}` in the place of the events. Gives the id.
    pub fn write_timeout<E: Borrow<Row>>(&self, timeout: &Timeout<E>, out: &mut Vec<u8>) -> u128 {
        let run = &timeout.run;
        let names = &self.patterns[run.pattern];
        let id = names.timed_out.ids.id(run);
        let mut line = Line::behind(out);
        line.put_piece(&names.timed_out.opening);
        names.write_key(&run.key, &mut line);
        write_last_time(b"},\"start\":\"", run.start(), &self.starts, &mut line);
        write_last_time(b",\"deadline\":\"", timeout.deadline, &self.deadlines, &mut line);
        line.put(b",\"awaiting\":[");
        write_items(&timeout.awaiting, &mut line, |stage, line| line.put_piece(&names.stage(*stage).quoted));
        line.put(b"]");
        self.close(id, run, (&names.timed_out, timeout.record.as_deref()), line);
        id
    }

    /// `{"kind":"late","time":..,"event":{..}}`; with its `"stream"`, where there are several.
    pub fn write_late(&self, row: &Row, out: &mut Vec<u8>) {
        let mut line = Line::behind(out);
        line.put(b"{\"kind\":\"late\"");
        line.put_piece(&self.stream(row.stream()).name);
        write_named_time(b",\"time\":\"", row.time, &mut line);
        line.put(b",\"event\":");
        self.write_event(row, &mut line);
        line.put(b"}\n");
        line.end();
    }

    /// `{"kind":"rejected","line":..,"reason":..,"raw":..}`; with its `"stream"`, where there are several. Bytes that are not
    /// UTF-8 become `U+FFFD`.
    pub fn write_rejected(&self, stream: StreamId, line_number: u64, reason: &str, raw: &[u8], out: &mut Vec<u8>) {
        let mut line = Line::behind(out);
        line.put(b"{\"kind\":\"rejected\"");
        line.put_piece(&self.stream(stream).name);
        line.put(b",\"line\":");
        write_int(line_number, &mut line);
        line.put(b",\"reason\":");
        write_string(reason, &mut line);
        line.put(b",\"raw\":");
        write_string(&String::from_utf8_lossy(raw), &mut line);
        line.put(b"}\n");
        line.end();
    }

    /// `{"kind":"rejected","stream":..,"reason":..,"event":{..}}`, of an event that never was a line: the record of another
    /// pattern.
    pub fn write_rejected_record(&self, row: &Row, reason: &str, out: &mut Vec<u8>) {
        let mut line = Line::behind(out);
        line.put(b"{\"kind\":\"rejected\"");
        line.put_piece(&self.stream(row.stream()).name);
        line.put(b",\"reason\":");
        write_string(reason, &mut line);
        line.put(b",\"event\":");
        self.write_event(row, &mut line);
        line.put(b"}\n");
        line.end();
    }

    /// `{"key":{..},"start":..,"ends":..,"awaiting":[..],"events":{..}}` of a run that is open, without a line end; `ends` is null
    /// where no window of time ends it.
    pub fn write_open<E: Borrow<Row>>(
        &self,
        run: &Partial<E>,
        awaiting: &[StageId],
        end: Option<Timestamp>,
        out: &mut Vec<u8>,
    ) {
        let names = &self.patterns[run.pattern];
        let mut line = Line::behind(out);
        line.put(b"{\"key\":{");
        names.write_key(&run.key, &mut line);
        write_named_time(b"},\"start\":\"", run.start(), &mut line);
        match end {
            Some(end) => write_named_time(b",\"ends\":\"", end, &mut line),
            None => line.put(b",\"ends\":null"),
        }
        line.put(b",\"awaiting\":[");
        write_items(awaiting, &mut line, |stage, line| line.put_piece(&names.stage(*stage).quoted));
        line.put(b"],\"events\":{");
        self.write_events_of(run, &mut line);
        line.put(b"}}");
        line.end();
    }

    /// What matches and timeouts end with: the record, if there is one, else the events.
    fn close<E: Borrow<Row>>(
        &self,
        id: u128,
        run: &Partial<E>,
        (kind, record): (&Kind, Option<&[Value<'_>]>),
        mut line: Line<'_>,
    ) {
        line.put(b",\"id\":\"");
        write_hex(id, &mut line);
        match record {
            Some(record) => kind.write_record(record, &mut line),
            None => self.write_events_by_stage(run, &mut line),
        }
        line.put(b"}}\n");
        line.end();
    }

    fn write_events_by_stage<E: Borrow<Row>>(&self, run: &Partial<E>, line: &mut Line<'_>) {
        line.put(b"\",\"events\":{");
        self.write_events_of(run, line);
    }

    fn write_events_of<E: Borrow<Row>>(&self, run: &Partial<E>, line: &mut Line<'_>) {
        let names = &self.patterns[run.pattern];
        // Where no group repeats they come in the order of their stages.
        if run.events.is_sorted_by_key(|event| event.0) {
            self.write_events(names, run.events.iter(), line);
        } else {
            let mut events: Vec<_> = run.events.iter().collect();
            events.sort_by_key(|event| event.0);
            self.write_events(names, events, line);
        }
    }

    /// Writes the events by their stages, those of a stage in the order in which it took them.
    fn write_events<'e, E: Borrow<Row> + 'e>(
        &self,
        names: &Names,
        events: impl IntoIterator<Item = &'e (StageId, Taken<E>)>,
        line: &mut Line<'_>,
    ) {
        let mut last = None;
        for (stage, Taken { event, .. }) in events {
            match last.replace(*stage) {
                Some(last) if last == *stage => line.put(b","),
                Some(_) => line.put_piece(&names.stage(*stage).next),
                None => line.put_piece(&names.stage(*stage).first),
            }
            self.write_event((**event).borrow(), line);
        }
        if last.is_some() {
            line.put(b"]");
        }
    }

    #[inline]
    fn write_event(&self, row: &Row, line: &mut Line<'_>) {
        self.stream(row.stream()).events.write(row, line);
    }

    #[inline]
    fn stream(&self, stream: StreamId) -> &Written {
        &self.streams[usize::from(stream.0)]
    }
}

impl Names {
    fn of(pattern: &Pattern) -> Self {
        Names {
            matched: Kind::of("match", pattern, pattern.emit.record()),
            timed_out: Kind::of("timeout", pattern, pattern.timeout.record()),
            key: before_each(&pattern.key.names),
            stages: pattern.stages.iter().map(|stage| StageName::new(&stage.name)).collect(),
        }
    }

    fn stage(&self, stage: StageId) -> &StageName {
        &self.stages[usize::from(stage.0)]
    }

    fn write_key(&self, key: &[Value<'_>], line: &mut Line<'_>) {
        write_values(&self.key, key, line);
    }
}

impl StageName {
    fn new(name: &str) -> Self {
        let quoted = json::quoted(name);
        let opening = |before: &[u8]| Piece::new(&[before, &quoted, b":["].concat());
        StageName { first: opening(b""), next: opening(b"],"), quoted: Piece::new(&quoted) }
    }
}

impl Kind {
    fn of(kind: &str, pattern: &Pattern, record: Option<&Record>) -> Self {
        let name = json::quoted(&pattern.name);
        let opening = [b"{\"kind\":\"", kind.as_bytes(), b"\",\"pattern\":", &name, b",\"key\":{"].concat();
        Kind {
            opening: Piece::new(&opening),
            ids: OutputIds::new(kind, &pattern.name),
            record: before_each(record.into_iter().flat_map(|record| &record.entries).map(|entry| &entry.name)),
        }
    }

    fn write_record(&self, values: &[Value<'_>], line: &mut Line<'_>) {
        line.put(b"\",\"record\":{");
        write_values(&self.record, values, line);
    }
}

/// What stands before each of several values of an object.
fn before_each<'n>(names: impl IntoIterator<Item = &'n String>) -> Vec<Piece> {
    (0..).zip(names).map(|(at, name)| event::before(at, name)).collect()
}

/// Writes the values of an object with what stands before each.
fn write_values(before: &[Piece], values: &[Value<'_>], line: &mut Line<'_>) {
    for (before, value) in before.iter().zip(values) {
        line.put_piece(before);
        write_value(value, line);
    }
}

/// What stands before a time, the time, and the quote that ends it.
#[inline]
fn write_named_time<const N: usize>(before: &[u8; N], time: Timestamp, line: &mut Line<'_>) {
    line.put(before);
    write_time(time, line);
    line.put(b"\"");
}

/// As [`write_named_time`], of a time that many outputs have in that place.
#[inline]
fn write_last_time<const N: usize>(before: &[u8; N], time: Timestamp, last: &LastTime, line: &mut Line<'_>) {
    line.put(before);
    last.write(time, line);
    line.put(b"\"");
}

#[cfg(test)]
mod tests;
