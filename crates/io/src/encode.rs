//! Outputs to lines of JSON, written straight into the caller's bytes.

use std::borrow::Borrow;

use ensue_model::hash::output_id;
use ensue_model::output::Taken;
use ensue_model::pattern::StageId;
use ensue_model::{Match, Partial, Pattern, Patterns, Row, Timeout, Timestamp};

use crate::encode::event::Events;
use crate::encode::json::{write_items, write_plain, write_string, write_value};
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

/// The names of a pattern, written as JSON once.
#[derive(Debug)]
struct Names {
    pattern: String,
    quoted: Vec<u8>,
    key: Vec<Vec<u8>>,
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
        self.open("match", run, out);
        write_time("end", run.end(), out);
        self.close("match", run, out);
    }

    /// `{"kind":"timeout","pattern":..,"key":{..},"start":..,"deadline":..,"awaiting":[..],"id":..,"events":{..}}`
    pub fn write_timeout<E: Borrow<Row>>(&self, timeout: &Timeout<E>, out: &mut Vec<u8>) {
        let run = &timeout.run;
        self.open("timeout", run, out);
        write_time("deadline", timeout.deadline, out);
        out.extend_from_slice(b",\"awaiting\":[");
        let stages = &self.patterns[run.pattern].stages;
        write_items(&timeout.awaiting, out, |stage, out| out.extend_from_slice(&stages[usize::from(stage.0)]));
        out.push(b']');
        self.close("timeout", run, out);
    }

    /// `{"kind":"late","time":..,"event":{..}}`
    pub fn write_late(&self, row: &Row, out: &mut Vec<u8>) {
        out.extend_from_slice(b"{\"kind\":\"late\"");
        write_time("time", row.time, out);
        out.extend_from_slice(b",\"event\":");
        self.events.write(row, out);
        out.extend_from_slice(b"}\n");
    }

    /// `{"kind":"rejected","line":..,"reason":..,"raw":..}`; bytes that are not UTF-8 become `U+FFFD`.
    pub fn write_rejected(&self, line: u64, reason: &str, raw: &[u8], out: &mut Vec<u8>) {
        out.extend_from_slice(b"{\"kind\":\"rejected\",\"line\":");
        write_plain(line, out);
        out.extend_from_slice(b",\"reason\":");
        write_string(reason, out);
        out.extend_from_slice(b",\"raw\":");
        write_string(&String::from_utf8_lossy(raw), out);
        out.extend_from_slice(b"}\n");
    }

    /// What matches and timeouts begin with.
    fn open<E>(&self, kind: &str, run: &Partial<E>, out: &mut Vec<u8>) {
        let names = &self.patterns[run.pattern];
        out.extend_from_slice(b"{\"kind\":");
        write_string(kind, out);
        out.extend_from_slice(b",\"pattern\":");
        out.extend_from_slice(&names.quoted);
        out.extend_from_slice(b",\"key\":{");
        write_items(names.key.iter().zip(run.key.iter()), out, |(name, value), out| {
            out.extend_from_slice(name);
            out.push(b':');
            write_value(value, out);
        });
        out.push(b'}');
        write_time("start", run.start(), out);
    }

    /// What they end with.
    fn close<E: Borrow<Row>>(&self, kind: &str, run: &Partial<E>, out: &mut Vec<u8>) {
        let names = &self.patterns[run.pattern];
        let id = output_id(kind, &names.pattern, run);
        write_plain(format_args!(",\"id\":\"{id:032x}\",\"events\":{{"), out);
        let stages = names.stages.iter().zip(0..).filter_map(|(name, stage)| {
            let mut taken = run.of(StageId(stage)).peekable();
            taken.peek().is_some().then_some((name, taken))
        });
        write_items(stages, out, |(name, taken), out| {
            out.extend_from_slice(name);
            out.extend_from_slice(b":[");
            write_items(taken, out, |Taken { event, .. }, out| self.events.write((**event).borrow(), out));
            out.push(b']');
        });
        out.extend_from_slice(b"}}\n");
    }
}

impl Names {
    fn of(pattern: &Pattern) -> Self {
        Names {
            pattern: pattern.name.clone(),
            quoted: json::quoted(&pattern.name),
            key: pattern.key.iter().map(|part| json::quoted(&part.name)).collect(),
            stages: pattern.stages.iter().map(|stage| json::quoted(&stage.name)).collect(),
        }
    }
}

/// `,"name":"2021-01-19T09:13:25Z"`
fn write_time(name: &str, time: Timestamp, out: &mut Vec<u8>) {
    write_plain(format_args!(",\"{name}\":\"{time}\""), out);
}

#[cfg(test)]
mod tests;
