//! Outputs to lines of JSON, written straight into the caller's bytes.

use std::borrow::Borrow;

use ensue_model::hash::output_id;
use ensue_model::output::Taken;
use ensue_model::pattern::StageId;
use ensue_model::{Match, Partial, Pattern, Patterns, Row, Timeout, Timestamp, Value};
use smallvec::SmallVec;

use crate::encode::event::Events;
use crate::encode::json::{write_hex, write_int, write_items, write_string, write_text, write_time, write_value};
use crate::format::RowFormat;

mod event;
mod json;

/// Writes matches, timeouts, late events and refused lines, each as one line of JSON.
///
/// An event may be a [`Row`], or what a program keeps a row in.
#[derive(Debug)]
pub struct Envelope {
    patterns: Vec<Names>,
    events: Events,
}

/// What is written of a pattern in every output, as JSON.
#[derive(Debug)]
struct Names {
    pattern: String,
    /// What a match begins with, up to its key.
    matched: Vec<u8>,
    /// What a timeout begins with.
    timed_out: Vec<u8>,
    /// What stands before each part of the key.
    key: Vec<Vec<u8>>,
    /// The names of the stages in quotes.
    stages: Vec<Vec<u8>>,
}

impl Envelope {
    /// An envelope for the outputs of `patterns`, whose events came in this format.
    pub fn new(patterns: &Patterns, format: RowFormat) -> Self {
        let names = patterns.patterns.iter().map(Names::of).collect();
        Envelope { patterns: names, events: Events::new(&patterns.schema, format) }
    }

    /// `{"kind":"match","pattern":..,"key":{..},"start":..,"end":..,"id":..,"events":{..}}`
    pub fn write_match<E: Borrow<Row>>(&self, matched: &Match<E>, out: &mut Vec<u8>) {
        let run = &matched.run;
        let names = &self.patterns[run.pattern];
        out.extend_from_slice(&names.matched);
        names.write_key(&run.key, out);
        write_named_time(b"},\"start\":\"", run.start(), out);
        write_named_time(b",\"end\":\"", run.end(), out);
        self.close("match", run, out);
    }

    /// `{"kind":"timeout","pattern":..,"key":{..},"start":..,"deadline":..,"awaiting":[..],"id":..,"events":{..}}`
    pub fn write_timeout<E: Borrow<Row>>(&self, timeout: &Timeout<E>, out: &mut Vec<u8>) {
        let run = &timeout.run;
        let names = &self.patterns[run.pattern];
        out.extend_from_slice(&names.timed_out);
        names.write_key(&run.key, out);
        write_named_time(b"},\"start\":\"", run.start(), out);
        write_named_time(b",\"deadline\":\"", timeout.deadline, out);
        out.extend_from_slice(b",\"awaiting\":[");
        write_items(&timeout.awaiting, out, |stage, out| out.extend_from_slice(names.stage(*stage)));
        out.push(b']');
        self.close("timeout", run, out);
    }

    /// `{"kind":"late","time":..,"event":{..}}`
    pub fn write_late(&self, row: &Row, out: &mut Vec<u8>) {
        write_named_time(b"{\"kind\":\"late\",\"time\":\"", row.time, out);
        out.extend_from_slice(b",\"event\":");
        self.events.write(row, out);
        out.extend_from_slice(b"}\n");
    }

    /// `{"kind":"rejected","line":..,"reason":..,"raw":..}`; bytes that are not UTF-8 become `U+FFFD`.
    pub fn write_rejected(&self, line: u64, reason: &str, raw: &[u8], out: &mut Vec<u8>) {
        out.extend_from_slice(b"{\"kind\":\"rejected\",\"line\":");
        write_int(line, out);
        out.extend_from_slice(b",\"reason\":");
        write_string(reason, out);
        out.extend_from_slice(b",\"raw\":");
        write_text(raw, out);
        out.extend_from_slice(b"}\n");
    }

    /// What matches and timeouts end with.
    fn close<E: Borrow<Row>>(&self, kind: &str, run: &Partial<E>, out: &mut Vec<u8>) {
        let names = &self.patterns[run.pattern];
        out.extend_from_slice(b",\"id\":\"");
        write_hex(output_id(kind, &names.pattern, run), out);
        out.extend_from_slice(b"\",\"events\":{");
        write_items(by_stage(run).chunk_by(|(a, _), (b, _)| a == b), out, |taken, out| {
            out.extend_from_slice(names.stage(taken[0].0));
            out.extend_from_slice(b":[");
            write_items(taken, out, |(_, Taken { event, .. }), out| self.events.write((**event).borrow(), out));
            out.push(b']');
        });
        out.extend_from_slice(b"}}\n");
    }
}

impl Names {
    fn of(pattern: &Pattern) -> Self {
        let name = json::quoted(&pattern.name);
        let open = |kind: &[u8]| [b"{\"kind\":\"", kind, b"\",\"pattern\":", &name, b",\"key\":{"].concat();
        Names {
            pattern: pattern.name.clone(),
            matched: open(b"match"),
            timed_out: open(b"timeout"),
            key: (0..).zip(&pattern.key).map(|(at, part)| event::before(at, &part.name)).collect(),
            stages: pattern.stages.iter().map(|stage| json::quoted(&stage.name)).collect(),
        }
    }

    fn stage(&self, stage: StageId) -> &[u8] {
        &self.stages[usize::from(stage.0)]
    }

    fn write_key(&self, key: &[Value<'_>], out: &mut Vec<u8>) {
        for (before, value) in self.key.iter().zip(key) {
            out.extend_from_slice(before);
            write_value(value, out);
        }
    }
}

/// The events by their stages, those of a stage in the order in which it took them.
fn by_stage<E>(run: &Partial<E>) -> SmallVec<[&(StageId, Taken<E>); 8]> {
    let mut events: SmallVec<[&(StageId, Taken<E>); 8]> = run.events.iter().collect();
    // Where no group repeats they come in that order.
    if !events.is_sorted_by_key(|event| event.0) {
        events.sort_by_key(|event| event.0);
    }
    events
}

/// What stands before a time, the time, and the quote that ends it.
fn write_named_time(before: &[u8], time: Timestamp, out: &mut Vec<u8>) {
    out.extend_from_slice(before);
    write_time(time, out);
    out.push(b'"');
}

#[cfg(test)]
mod tests;
