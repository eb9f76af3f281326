//! `ensue run`: events from a file or a stream through the engine, and what comes out to its sinks.

use std::borrow::Borrow;
use std::sync::Arc;
use std::time::Instant;

use ensue_engine::{Config, Outputs};
use ensue_io::{BadLine, Decoder, Envelope, TimeField};
use ensue_lang::compile;
use ensue_model::{Event, FieldId, Match, Patterns, Row, Timeout, Timestamp, Value};
use ensue_runtime::Sharded;
use indicatif::ProgressBar;

use crate::args::{Events, Run};
use crate::failure::{Failure, print_diagnostics, say};
use crate::input::Input;
use crate::patterns;
use crate::sinks::{Kind, Sinks};
use crate::summary::{Counts, Summary, progress_bar};

pub(crate) fn run(args: &Run) -> Result<(), Failure> {
    let started = now();
    let sources = patterns::read(&args.patterns)?;
    let mut input = Input::open(args)?;
    check_columns(&args.events, input.columns())?;
    let options = patterns::options(&args.events, input.columns());
    let compiled = compile(&sources, &options).map_err(Failure::Patterns)?;
    if !compiled.warnings.is_empty() {
        print_diagnostics(&compiled.warnings);
    }
    let mut job = Job::new(args, &Arc::new(compiled.patterns), &input)?;
    let bar = bar(args, &input, &job.sinks);
    job.read(&mut input, &bar)?;
    if !args.quiet && !job.sinks.are_closed() {
        let counts = Counts { faults: job.shards.faults(), ..job.counts };
        say(&Summary { counts, took: started.elapsed() }.to_string());
        if let Some(first) = &job.first_unseen {
            say(&format!("the first that was rejected: {first}; --rejected FILE writes them all"));
        }
    }
    Ok(())
}

/// Fields that the call names must be there, where it is known what is there: a misspelt key would make every event a
/// rejected one.
fn check_columns(events: &Events, columns: Option<&[String]>) -> Result<(), Failure> {
    let Some(columns) = columns else { return Ok(()) };
    let named = events.key.iter().map(|field| (field, "key"));
    let mut named = named.chain(events.type_field.iter().map(|field| (field, "type")));
    match named.find(|(field, _)| !columns.contains(field)) {
        None => Ok(()),
        Some((field, purpose)) => {
            let columns: Vec<_> = columns.iter().map(|column| format!("`{column}`")).collect();
            let columns = columns.join(", ");
            Err(Failure::Call(format!("no column `{field}` for the {purpose}: the columns are {columns}")))
        }
    }
}

/// The field of the event time: from the call, else from the stream.
fn time_field(args: &Run, patterns: &Patterns) -> Result<TimeField, Failure> {
    let schema = &patterns.schema;
    let name = args.time.clone().or_else(|| schema.time.map(|field| schema.get(field).name.clone()));
    let name = name.ok_or_else(|| {
        Failure::Call("the field of the event time is not known: say --time FIELD, or mark it with @time".to_owned())
    })?;
    Ok(TimeField { name, format: args.time_unit })
}

/// A bar, hidden where it would not be seen or would run through the output.
fn bar(args: &Run, input: &Input, sinks: &Sinks) -> ProgressBar {
    match input.size() {
        Some(bytes) if !args.quiet && !sinks.on_terminal() => progress_bar(bytes),
        _ => ProgressBar::hidden(),
    }
}

#[expect(clippy::disallowed_methods, reason = "the summary says how long the run took")]
fn now() -> Instant {
    Instant::now()
}

/// An event with the number of its line, for those that are rejected.
#[derive(Debug)]
struct Numbered {
    line: u64,
    row: Row,
}

impl Event for Numbered {
    fn time(&self) -> Timestamp {
        self.row.time()
    }

    fn field(&self, field: FieldId) -> Value<'_> {
        self.row.field(field)
    }

    fn touch(&self) -> i64 {
        self.row.touch()
    }

    fn size(&self) -> usize {
        size_of::<u64>() + self.row.size()
    }
}

impl Borrow<Row> for Numbered {
    fn borrow(&self) -> &Row {
        &self.row
    }
}

/// Patterns that run, with what stands before and behind them.
struct Job {
    decoder: Decoder,
    shards: Sharded<Numbered>,
    envelope: Envelope,
    sinks: Sinks,
    counts: Counts,
    /// The name of the input, where the first rejected line ends the run.
    strict: Option<String>,
    /// The first rejected line, where no sink takes them: a count alone does not say what is wrong.
    first_unseen: Option<BadLine>,
    /// What has come out and is not written yet.
    out: Outputs<Numbered>,
    /// The line that is being written.
    line: Vec<u8>,
}

impl Job {
    fn new(args: &Run, patterns: &Arc<Patterns>, input: &Input) -> Result<Self, Failure> {
        let time = time_field(args, patterns)?;
        let call = |error: &dyn std::fmt::Display| Failure::Call(error.to_string());
        let config = Config { watermarks: args.watermark, ..Config::default() };
        Ok(Job {
            decoder: Decoder::new(patterns, &input.format, &time).map_err(|error| call(&error))?,
            shards: Sharded::new(patterns, config, usize::from(args.shards)).map_err(|error| call(&error))?,
            envelope: Envelope::new(patterns, input.format.clone()),
            sinks: Sinks::create(args)?,
            counts: Counts::default(),
            strict: args.strict.then(|| input.name.clone()),
            first_unseen: None,
            out: Outputs::default(),
            line: Vec::new(),
        })
    }

    /// Reads the input to its end, or until nobody reads what comes out.
    fn read(&mut self, input: &mut Input, bar: &ProgressBar) -> Result<(), Failure> {
        loop {
            let taken = self.take_records(input);
            // What came out before a failure is written, and so is what has come out before a source that may stay silent
            // is asked for more. A file never is silent, and its shards need not wait for each other.
            if taken.is_err() || input.size().is_none() {
                self.catch_up()?;
            }
            self.sinks.flush()?;
            taken?;
            if self.sinks.are_closed() {
                return Ok(());
            }
            bar.set_position(input.read());
            if !input.fill()? {
                break;
            }
        }
        bar.finish_and_clear();
        self.shards.finish(&mut self.out).map_err(|error| Failure::Data(error.to_string()))?;
        self.write_outputs()?;
        self.sinks.flush()
    }

    /// Takes the records that have been read.
    fn take_records(&mut self, input: &mut Input) -> Result<(), Failure> {
        while let Some(record) = input.records().next() {
            self.counts.events += 1;
            let line = match &record {
                Ok(record) => record.line,
                Err(bad) => bad.line,
            };
            match record.and_then(|record| self.decoder.decode(&record)) {
                Ok(row) => self.push(Numbered { line, row })?,
                Err(bad) => self.reject(bad)?,
            }
        }
        Ok(())
    }

    /// Waits until all that the events up to now complete has come out.
    fn catch_up(&mut self) -> Result<(), Failure> {
        self.shards.advance(Timestamp::MIN, &mut self.out).map_err(|error| Failure::Data(error.to_string()))?;
        self.write_outputs()
    }

    fn push(&mut self, event: Numbered) -> Result<(), Failure> {
        self.shards.push(event, &mut self.out).map_err(|error| Failure::Data(error.to_string()))?;
        self.write_outputs()
    }

    fn write_outputs(&mut self) -> Result<(), Failure> {
        for rejected in std::mem::take(&mut self.out.rejected) {
            let Numbered { line, row } = &*rejected.event;
            self.reject(BadLine { line: *line, reason: rejected.reason, raw: row.raw().as_bytes().to_vec() })?;
        }
        for late in std::mem::take(&mut self.out.late) {
            self.counts.late += 1;
            self.write(Kind::Late, |envelope, line| envelope.write_late(&late.row, line))?;
        }
        self.write_matches_and_timeouts()
    }

    /// Writes matches and timeouts in the order of their times, in which each of them come. Time runs out before what
    /// happens at that time.
    fn write_matches_and_timeouts(&mut self) -> Result<(), Failure> {
        let mut matches = std::mem::take(&mut self.out.matches).into_iter().peekable();
        for timeout in std::mem::take(&mut self.out.timeouts) {
            while let Some(matched) = matches.next_if(|matched| matched.at < timeout.deadline) {
                self.write_match(&matched)?;
            }
            self.write_timeout(&timeout)?;
        }
        matches.try_for_each(|matched| self.write_match(&matched))
    }

    fn write_match(&mut self, matched: &Match<Numbered>) -> Result<(), Failure> {
        self.counts.matches += 1;
        self.write(Kind::Match, |envelope, line| envelope.write_match(matched, line))
    }

    fn write_timeout(&mut self, timeout: &Timeout<Numbered>) -> Result<(), Failure> {
        self.counts.timeouts += 1;
        self.write(Kind::Timeout, |envelope, line| envelope.write_timeout(timeout, line))
    }

    fn reject(&mut self, bad: BadLine) -> Result<(), Failure> {
        if let Some(input) = &self.strict {
            return Err(Failure::Data(format!("{input}, {bad}; without --strict it would be passed over")));
        }
        self.counts.rejected += 1;
        self.write(Kind::Rejected, |envelope, line| envelope.write_rejected(bad.line, &bad.reason, &bad.raw, line))?;
        if !self.sinks.wants(Kind::Rejected) && self.first_unseen.is_none() {
            self.first_unseen = Some(bad);
        }
        Ok(())
    }

    fn write(&mut self, kind: Kind, encode: impl FnOnce(&Envelope, &mut Vec<u8>)) -> Result<(), Failure> {
        if !self.sinks.wants(kind) {
            return Ok(());
        }
        self.line.clear();
        encode(&self.envelope, &mut self.line);
        self.sinks.write(kind, &self.line)
    }
}
