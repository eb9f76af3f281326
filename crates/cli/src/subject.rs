//! The key that a trace is of: its events, found among all inputs.

use std::num::NonZeroU64;
use std::path::Path;
use std::sync::Arc;

use ensue_io::{BadLine, Envelope};
use ensue_lang::compile;
use ensue_model::{Event, Patterns, Row, StreamId, Value};
use ensue_runtime::event::Numbered;
use ensue_testkit::trace::{Recorded, Recorder, Recording, Trace, Wanted, plain};

use crate::args::{Events, Format, OfStream, Subject};
use crate::counted::counted;
use crate::failure::{Failure, print_diagnostics, say};
use crate::feeds::{self, Feed};
use crate::input::Input;
use crate::merge::{Taker, merge};
use crate::patterns;
use crate::tables;

/// What was found of a key.
pub(crate) struct Found {
    pub(crate) patterns: Arc<Patterns>,
    pub(crate) pattern: usize,
    /// The key as the call writes it.
    pub(crate) wanted: String,
    pub(crate) recording: Recording<Numbered>,
    /// What happened; nothing, if no event has come for the key.
    pub(crate) trace: Option<Trace<Numbered>>,
    /// Lines that are no events, or have no key, and hold the key's values.
    pub(crate) suspects: Vec<String>,
    /// How many lines were no events or had no key.
    pub(crate) rejected: u64,
    /// Where the events of each stream come from.
    origins: Vec<Option<String>>,
    envelope: Envelope,
}

/// The most suspects that are named.
const SUSPECTS_MAX: usize = 3;

/// Reads all inputs, and follows the events of the key.
pub(crate) fn find(args: &Subject, formats: &[OfStream<Format>]) -> Result<Found, Failure> {
    let reading = &args.reading;
    reading.check_inputs(&args.inputs, formats).map_err(Failure::Call)?;
    let wanted = match reading.events.key.as_slice() {
        [key] => Wanted::read(key).map_err(|why| Failure::Call(format!("--key {key}: {why}")))?,
        [] => Wanted::default(),
        _ => return Err(Failure::Call("--key stands there twice: a trace is of one key".to_owned())),
    };
    let sources = patterns::read(&args.patterns)?;
    let inputs = args.inputs.iter().map(|input| Input::open(input, formats, reading));
    let inputs = inputs.collect::<Result<Vec<_>, _>>()?;
    let names = wanted.names().unwrap_or_default().into_iter().map(str::to_owned).collect();
    let events = Events { key: names, ..reading.events.clone() };
    let compiled = match compile(&sources, &patterns::options_of_inputs(&events, &inputs)) {
        Ok(compiled) => compiled,
        Err(diagnostics) => {
            patterns::check_columns(&events, &inputs)?;
            return Err(Failure::Patterns(diagnostics));
        }
    };
    if !compiled.warnings.is_empty() {
        print_diagnostics(&compiled.warnings);
    }
    let patterns = Arc::new(compiled.patterns);
    let pattern = chosen(&patterns, args.pattern.as_deref())?;
    let key_names = &patterns.patterns[pattern].key.names;
    let wanted = match wanted.in_order(key_names) {
        Ok(wanted) => wanted,
        // A key that the call alone could name.
        Err(_) if key_names.is_empty() && !reading.events.key.is_empty() => {
            let key = reading.events.key.join(",");
            let message = "neither the pattern nor its stream has a key: say whose value it is";
            return Err(Failure::Call(format!("{message}, --key FIELD={key}")));
        }
        Err(why) => return Err(Failure::Call(why)),
    };
    let mut feeds = feeds::connect(inputs, &patterns, reading)?;
    let envelope = Envelope::new(&patterns, &feeds::formats(&feeds));
    let origins = origins(&patterns, &feeds);
    let (recording, listener) = record(args, &patterns, pattern, wanted, &mut feeds)?;
    Ok(Found {
        pattern,
        wanted: reading.events.key.join(","),
        trace: Trace::of(&recording, args.steps as usize),
        recording,
        suspects: listener.suspects,
        rejected: listener.rejected,
        origins,
        envelope,
        patterns,
    })
}

fn record(
    args: &Subject,
    patterns: &Arc<Patterns>,
    pattern: usize,
    wanted: Wanted,
    feeds: &mut [Feed],
) -> Result<(Recording<Numbered>, Heard), Failure> {
    let watermarks = args.reading.watermark;
    let recorder = Recorder::new(patterns, pattern, wanted.clone(), watermarks, args.steps as usize);
    let mut recorder = recorder.map_err(|error| Failure::Call(error.to_string()))?;
    for (table, rows) in tables::read(&args.reading.tables, patterns)? {
        recorder.set_table(table, rows);
    }
    let origins = origins(patterns, feeds);
    let mut listener = Listener { recorder, wanted, origins, heard: Heard::default() };
    merge(feeds, &mut listener)?;
    let Listener { recorder, heard, .. } = listener;
    let recording = recorder.finish().map_err(|error| Failure::Data(error.to_string()))?;
    Ok((recording, heard))
}

/// The pattern of that name, or the only one.
fn chosen(patterns: &Patterns, name: Option<&str>) -> Result<usize, Failure> {
    let names = || {
        let names: Vec<_> = patterns.patterns.iter().map(|pattern| format!("`{}`", pattern.name)).collect();
        names.join(", ")
    };
    match (name, patterns.patterns.as_slice()) {
        (None, [_]) => Ok(0),
        (None, _) => Err(Failure::Call(format!("which pattern is it? Say --pattern NAME: there are {}", names()))),
        (Some(name), all) => all
            .iter()
            .position(|pattern| pattern.name == name)
            .ok_or_else(|| Failure::Call(format!("there is no pattern `{name}`: there are {}", names()))),
    }
}

/// Where the events of each stream come from: the file's name; of records, nothing.
fn origins(patterns: &Patterns, feeds: &[Feed]) -> Vec<Option<String>> {
    let origin = |id: StreamId| {
        let feed = feeds.iter().find(|feed| feed.stream == id)?;
        let name = feed.input.name.trim_matches('`');
        let file = Path::new(name).file_name().map(|file| file.to_string_lossy().into_owned());
        Some(file.unwrap_or_else(|| name.to_owned()))
    };
    (0..).map(StreamId).zip(&patterns.streams).map(|(id, _)| origin(id)).collect()
}

/// Gives what is read to a recorder.
struct Listener {
    recorder: Recorder<Numbered>,
    wanted: Wanted,
    origins: Vec<Option<String>>,
    heard: Heard,
}

/// What a listener has heard of lines that are no events of any key.
#[derive(Default)]
struct Heard {
    suspects: Vec<String>,
    rejected: u64,
}

impl Listener {
    fn note(&mut self, stream: StreamId, line: u64, raw: &str, reason: &str) {
        self.heard.rejected += 1;
        if self.heard.suspects.len() < SUSPECTS_MAX && self.wanted.stands_in(raw) {
            let origin = self.origins[usize::from(stream.0)].as_deref().unwrap_or_default();
            self.heard.suspects.push(format!("{origin} line {line} was rejected: {reason}"));
        }
    }
}

impl Taker for Listener {
    fn take(&mut self, event: Numbered) -> Result<(), Failure> {
        let recorded = self.recorder.push(event).map_err(|error| Failure::Data(error.to_string()))?;
        if let Recorded::NoKey(reason, event) = recorded {
            let line = event.line.map_or(0, NonZeroU64::get);
            self.note(event.stream(), line, event.row.raw(), &reason);
        }
        Ok(())
    }

    fn refuse(&mut self, stream: StreamId, bad: BadLine) -> Result<(), Failure> {
        self.note(stream, bad.line, &String::from_utf8_lossy(&bad.raw), &bad.reason);
        Ok(())
    }
}

impl Found {
    /// The name of an event's stream, where there are several.
    pub(crate) fn stream(&self, row: &Row) -> Option<&str> {
        let streams = &self.patterns.streams;
        streams[usize::from(row.stream().0)].name.as_deref().filter(|_| streams.len() > 1)
    }

    /// Where an event comes from: `OrderLog.csv line 2`, `record unpaid`.
    pub(crate) fn origin(&self, event: &Numbered) -> String {
        let stream = usize::from(event.stream().0);
        match (&self.origins[stream], event.line) {
            (Some(file), Some(line)) => format!("{file} line {line}"),
            _ => format!("record {}", self.patterns.streams[stream].name.as_deref().unwrap_or_default()),
        }
    }

    /// The file and the line of an event; nothing of a record.
    pub(crate) fn source(&self, event: &Numbered) -> Option<(&str, u64)> {
        let stream = usize::from(event.stream().0);
        Some((self.origins[stream].as_deref()?, event.line?.get()))
    }

    /// An event as the JSON object that outputs hold.
    pub(crate) fn json(&self, event: &Numbered) -> String {
        // The envelope writes events as parts of its lines only.
        let mut line = Vec::new();
        self.envelope.write_late(&event.row, &mut line);
        let line = String::from_utf8_lossy(&line);
        let event = line.split_once(",\"event\":").and_then(|(_, event)| event.strip_suffix("}\n"));
        event.unwrap_or("{}").to_owned()
    }

    /// The pattern and the key, in words: `order_payment, order_id 1234`.
    pub(crate) fn title(&self) -> String {
        let pattern = &self.patterns.patterns[self.pattern];
        let key = self.trace.as_ref().map(|trace| {
            let parts = pattern.key.names.iter().zip(trace.key.iter());
            parts.map(|(name, part)| format!("{name} {}", plain(part))).collect::<Vec<_>>().join(", ")
        });
        match key {
            Some(key) if key.is_empty() => format!("{}, all events", pattern.name),
            Some(key) => format!("{}, {key}", pattern.name),
            None => pattern.name.clone(),
        }
    }

    /// Says why nothing can be told of a key for which no event has come, in lines.
    pub(crate) fn absence(&self) -> Vec<String> {
        let recording = &self.recording;
        let pattern = &self.patterns.patterns[self.pattern];
        let mut lines = vec![match recording.late {
            0 => format!(
                "{}: no event has the key {}, of {} in all",
                pattern.name,
                self.wanted,
                counted(recording.all, "event")
            ),
            _ => format!("{}: no event of the key {} came in time", pattern.name, self.wanted),
        }];
        if self.rejected > 0 && self.suspects.is_empty() {
            let lines_rejected = counted(self.rejected, "line");
            let was = if self.rejected == 1 { "was" } else { "were" };
            lines.push(format!("{lines_rejected} {was} rejected, none of which holds it"));
        }
        lines.extend(self.asides());
        if recording.late > 0 || !self.suspects.is_empty() {
            return lines;
        }
        let (keys, is_near) = &recording.near;
        let keys: Vec<String> = keys.iter().map(|key| written_key(key)).collect();
        match (keys.as_slice(), is_near) {
            ([], _) => {}
            ([only], true) => lines.push(format!("did you mean {only}?")),
            (keys, true) => lines.push(format!("near it are {}", keys.join(", "))),
            (keys, false) => lines.push(format!("its keys are like {}", keys.join(", "))),
        }
        lines
    }

    /// What else is to know of a key: events that were late, lines that were rejected, another key that is written the same.
    pub(crate) fn asides(&self) -> Vec<String> {
        let recording = &self.recording;
        let mut lines = Vec::new();
        if let Some((first, watermark)) = &recording.first_late {
            let (count, first_of) = match recording.late {
                1 => ("1 event".to_owned(), ""),
                late => (format!("{late} events"), "; it is the first of them"),
            };
            let (origin, at) = (self.origin(first), first.time());
            let came = format!("{origin}, of {at}, when the watermark was at {watermark}{first_of}");
            lines.push(format!("{count} of the key came too late: {came}"));
        }
        lines.extend(self.suspects.iter().cloned());
        if let Some(namesake) = &recording.namesake {
            let quoted = "in double quotes it is the string, without the one that came first";
            lines.push(format!("there is another key that is written so, {}: {quoted}", written_key(namesake)));
        }
        lines
    }
}

fn written_key(key: &[Value<'static>]) -> String {
    key.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
}

/// Says that the engine and the trace differ, if they do.
pub(crate) fn check(trace: &Trace<Numbered>) -> Result<(), Failure> {
    if let Some(why) = &trace.uncompared {
        say(&format!("note: what the engine gives of this key was not compared: {why}"));
    }
    if trace.differences.is_empty() {
        return Ok(());
    }
    say(
        "DEFECT OF ENSUE: what is told here is not what the engine gives. Please report it, with the pattern and these events.",
    );
    trace.differences.iter().for_each(|difference| say(&format!("  {difference}")));
    Err(Failure::Defect)
}
