//! `ensue run`: events from files and streams through the engine, and what comes out to its sinks.

use std::sync::Arc;
use std::time::Instant;

use ensue_engine::Config;
use ensue_io::{BadLine, Envelope};
use ensue_lang::compile;
use ensue_model::{Patterns, StreamId, Timestamp};
use ensue_runtime::Sharded;
use ensue_runtime::event::Numbered;
use ensue_runtime::lines::{Encoder, Lines, Wanted};
use indicatif::ProgressBar;

use crate::args::Run;
use crate::failure::{Failure, print_diagnostics, say};
use crate::feeds::{self, Feed};
use crate::input::Input;
use crate::job;
use crate::merge::{Taker, merge};
use crate::patterns;
use crate::sinks::Sinks;
use crate::summary::{Counts, Summary, progress_bar};
use crate::tables;
use crate::writer::{Origins, WayOut, Writer};

pub(crate) fn run(args: &Run) -> Result<(), Failure> {
    if let Some(job) = &args.job {
        if job.extension().is_some_and(|extension| extension == "pattern") {
            let name = job.display();
            return Err(Failure::Call(format!(
                "`{name}` is a pattern, by its name: say -p {name}, and -i with its events"
            )));
        }
        return job::run(job, &args.of_job, args.quiet);
    }
    let started = now();
    let reading = &args.reading;
    reading.check_inputs(&args.inputs, &args.format).map_err(Failure::Call)?;
    let sources = patterns::read(&args.patterns)?;
    let inputs = args.inputs.iter().map(|input| Input::open(input, &args.format, reading));
    let inputs = inputs.collect::<Result<Vec<_>, _>>()?;
    patterns::check_columns(&reading.events, &inputs)?;
    let options = patterns::options_of_inputs(&reading.events, &inputs);
    let compiled = compile(&sources, &options).map_err(Failure::Patterns)?;
    if !compiled.warnings.is_empty() {
        print_diagnostics(&compiled.warnings);
    }
    let patterns = Arc::new(compiled.patterns);
    let mut feeds = feeds::connect(inputs, &patterns, reading)?;
    let mut job = Job::new(args, &patterns, &feeds)?;
    let bar = bar(args, &feeds, &job);
    let read = job.read(&mut feeds, &bar);
    let is_closed = job.writer.is_closed();
    let way_out = job.writer.finish()?;
    read?;
    if !args.quiet && !is_closed {
        let (faults, kept_back) = (job.shards.faults(), job.shards.kept_back());
        let counts = Counts { events: job.events, faults, kept_back, ..way_out.counts };
        say(&Summary { counts, took: started.elapsed() }.to_string());
        if let Some(first) = &way_out.first_unseen {
            say(&format!("the first that was rejected: {first}; --rejected FILE writes them all"));
        }
    }
    Ok(())
}

/// A bar, hidden where it would not be seen or would run through the output.
fn bar(args: &Run, feeds: &[Feed], job: &Job) -> ProgressBar {
    match feeds::size(feeds) {
        Some(bytes) if !args.quiet && !job.is_on_terminal => progress_bar(bytes),
        _ => ProgressBar::hidden(),
    }
}

#[expect(clippy::disallowed_methods, reason = "the summary says how long the run took")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// Patterns that run, with what stands before and behind them.
struct Job {
    shards: Sharded<Numbered, Encoder>,
    writer: Writer,
    /// Whether outputs are shown on a terminal.
    is_on_terminal: bool,
    /// How many records were read.
    events: u64,
    /// What has come out and is not written yet.
    out: Lines,
}

impl Job {
    fn new(args: &Run, patterns: &Arc<Patterns>, feeds: &[Feed]) -> Result<Self, Failure> {
        let config = Config { watermarks: args.reading.watermark, ..Config::default() };
        let envelope = Envelope::new(patterns, &feeds::formats(feeds));
        let encoder = Encoder::new(envelope.clone(), wanted(args, patterns));
        let shards = Sharded::making(encoder, patterns, config, usize::from(args.shards));
        let mut shards = shards.map_err(|error| Failure::Call(error.to_string()))?;
        let mut out = Lines::default();
        for (table, rows) in tables::read(&args.reading.tables, patterns)? {
            shards.set_table(table, rows, &mut out).map_err(|error| Failure::Data(error.to_string()))?;
        }
        let way_out = WayOut::new(envelope, Sinks::create(args)?, Origins::new(patterns, feeds), args.strict);
        // The line that ends a strict run must be the last one that is read.
        let is_apart = args.shards > 1 && !args.strict;
        Ok(Job {
            shards,
            is_on_terminal: way_out.on_terminal(),
            writer: if is_apart { Writer::apart(way_out) } else { Writer::here(way_out) },
            events: 0,
            out,
        })
    }

    /// Reads the inputs to their ends, or until nobody reads what comes out. What came out before a failure is written.
    fn read(&mut self, feeds: &mut [Feed], bar: &ProgressBar) -> Result<(), Failure> {
        let read = self.read_all(feeds, bar);
        if read.is_err() {
            self.catch_up()?;
            self.writer.flush()?;
        }
        read
    }

    fn read_all(&mut self, feeds: &mut [Feed], bar: &ProgressBar) -> Result<(), Failure> {
        if !merge(feeds, &mut Reader { job: self, bar })? {
            return Ok(());
        }
        bar.finish_and_clear();
        loop {
            let finished = self.shards.finish_some(&mut self.out);
            let is_last = finished.map_err(|error| Failure::Data(error.to_string()))?;
            self.writer.write(&mut self.out)?;
            if is_last {
                return Ok(());
            }
        }
    }

    /// Waits until all that the events up to now complete has come out.
    fn catch_up(&mut self) -> Result<(), Failure> {
        self.shards.advance(Timestamp::MIN, &mut self.out).map_err(|error| Failure::Data(error.to_string()))?;
        self.writer.write(&mut self.out)
    }
}

/// What goes to a sink: where nothing is said of matches and timeouts, they go to standard output.
fn wanted(args: &Run, patterns: &Patterns) -> Wanted {
    let all = vec![true; patterns.patterns.len()];
    Wanted { matches: all.clone(), timeouts: all, late: args.late.is_some(), rejected: args.rejected.is_some() }
}

/// A job that is given what is read, with the bar that shows it.
struct Reader<'j> {
    job: &'j mut Job,
    bar: &'j ProgressBar,
}

impl Taker for Reader<'_> {
    #[inline]
    fn take(&mut self, event: Numbered) -> Result<(), Failure> {
        let Job { shards, writer, out, events, .. } = &mut *self.job;
        *events += 1;
        shards.push(event, out).map_err(|error| Failure::Data(error.to_string()))?;
        writer.write(out)
    }

    fn refuse(&mut self, stream: StreamId, bad: BadLine) -> Result<(), Failure> {
        self.job.events += 1;
        self.job.writer.reject(stream, bad)
    }

    fn before_waiting(&mut self, feed: &Feed) -> Result<bool, Failure> {
        // What has come out is written before a source that may stay silent is asked for more. A file never is silent, and
        // its shards need not wait for each other.
        if feed.input.size().is_none() {
            self.job.catch_up()?;
        }
        self.job.writer.flush()?;
        Ok(!self.job.writer.is_closed())
    }

    fn has_read(&mut self, bytes: u64) {
        self.bar.inc(bytes);
    }
}
