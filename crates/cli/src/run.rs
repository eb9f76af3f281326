//! `ensue run`: events from a file or a stream through the engine, and what comes out to its sinks.

use std::sync::Arc;
use std::time::Instant;

use ensue_engine::{Config, Outputs};
use ensue_io::{Decoder, Envelope, TimeField};
use ensue_lang::compile;
use ensue_model::{Patterns, StreamId, Timestamp};
use ensue_runtime::Sharded;
use indicatif::ProgressBar;

use crate::args::{Events, Run};
use crate::failure::{Failure, print_diagnostics, say};
use crate::input::Input;
use crate::patterns;
use crate::sinks::Sinks;
use crate::summary::{Counts, Summary, progress_bar};
use crate::writer::{Lines, Numbered, Writer};

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
    let bar = bar(args, &input, &job);
    let read = job.read(&mut input, &bar);
    let is_closed = job.writer.is_closed();
    let lines = job.writer.finish()?;
    read?;
    if !args.quiet && !is_closed {
        let counts = Counts { events: job.events, faults: job.shards.faults(), ..lines.counts };
        say(&Summary { counts, took: started.elapsed() }.to_string());
        if let Some(first) = &lines.first_unseen {
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
fn bar(args: &Run, input: &Input, job: &Job) -> ProgressBar {
    match input.size() {
        Some(bytes) if !args.quiet && !job.is_on_terminal => progress_bar(bytes),
        _ => ProgressBar::hidden(),
    }
}

#[expect(clippy::disallowed_methods, reason = "the summary says how long the run took")]
fn now() -> Instant {
    Instant::now()
}

/// Patterns that run, with what stands before and behind them.
struct Job {
    decoder: Decoder,
    shards: Sharded<Numbered>,
    writer: Writer,
    /// Whether outputs are shown on a terminal.
    is_on_terminal: bool,
    /// How many records were read.
    events: u64,
    /// What has come out and is not written yet.
    out: Outputs<Numbered>,
}

impl Job {
    fn new(args: &Run, patterns: &Arc<Patterns>, input: &Input) -> Result<Self, Failure> {
        let time = time_field(args, patterns)?;
        let call = |error: &dyn std::fmt::Display| Failure::Call(error.to_string());
        let config = Config { watermarks: args.watermark, ..Config::default() };
        let decoder = Decoder::new(patterns, StreamId(0), &input.format, &time).map_err(|error| call(&error))?;
        let shards = Sharded::new(patterns, config, usize::from(args.shards)).map_err(|error| call(&error))?;
        let strict = args.strict.then(|| input.name.clone());
        let envelope = Envelope::new(patterns, &[(StreamId(0), input.format.clone())]);
        let lines = Lines::new(envelope, Sinks::create(args)?, strict);
        // The line that ends a strict run must be the last one that is read.
        let is_apart = args.shards > 1 && !args.strict;
        Ok(Job {
            decoder,
            shards,
            is_on_terminal: lines.on_terminal(),
            writer: if is_apart { Writer::apart(lines) } else { Writer::here(lines) },
            events: 0,
            out: Outputs::default(),
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
            self.writer.flush()?;
            taken?;
            if self.writer.is_closed() {
                return Ok(());
            }
            bar.set_position(input.read());
            if !input.fill()? {
                break;
            }
        }
        bar.finish_and_clear();
        self.shards.finish(&mut self.out).map_err(|error| Failure::Data(error.to_string()))?;
        self.writer.write(&mut self.out)
    }

    /// Takes the records that have been read.
    fn take_records(&mut self, input: &mut Input) -> Result<(), Failure> {
        while let Some(record) = input.records().next() {
            self.events += 1;
            let line = match &record {
                Ok(record) => record.line,
                Err(bad) => bad.line,
            };
            match record.and_then(|record| self.decoder.decode(&record)) {
                Ok(row) => self.push(Numbered { line, row })?,
                Err(bad) => self.writer.reject(bad)?,
            }
        }
        Ok(())
    }

    /// Waits until all that the events up to now complete has come out.
    fn catch_up(&mut self) -> Result<(), Failure> {
        self.shards.advance(Timestamp::MIN, &mut self.out).map_err(|error| Failure::Data(error.to_string()))?;
        self.writer.write(&mut self.out)
    }

    fn push(&mut self, event: Numbered) -> Result<(), Failure> {
        self.shards.push(event, &mut self.out).map_err(|error| Failure::Data(error.to_string()))?;
        self.writer.write(&mut self.out)
    }
}
