//! `ensue run`: events from files and streams through the engine, and what comes out to its sinks.

use std::sync::Arc;
use std::time::Instant;

use ensue_engine::{Config, Outputs};
use ensue_io::Envelope;
use ensue_lang::{Options, compile};
use ensue_model::{Event, Patterns, Timestamp};
use ensue_runtime::Sharded;
use indicatif::ProgressBar;

use crate::args::{Events, Run};
use crate::failure::{Failure, print_diagnostics, say};
use crate::feeds::{self, Feed, Until};
use crate::input::Input;
use crate::patterns;
use crate::sinks::Sinks;
use crate::summary::{Counts, Summary, progress_bar};
use crate::tables;
use crate::writer::{Lines, Numbered, Origins, Writer};

pub(crate) fn run(args: &Run) -> Result<(), Failure> {
    let started = now();
    args.check_inputs().map_err(Failure::Call)?;
    let sources = patterns::read(&args.patterns)?;
    let inputs = args.inputs.iter().map(|input| Input::open(input, args)).collect::<Result<Vec<_>, _>>()?;
    let compiled = compile(&sources, &options(args, &inputs)?).map_err(Failure::Patterns)?;
    if !compiled.warnings.is_empty() {
        print_diagnostics(&compiled.warnings);
    }
    let patterns = Arc::new(compiled.patterns);
    let mut feeds = feeds::connect(inputs, &patterns, args)?;
    let mut job = Job::new(args, &patterns, &feeds)?;
    let bar = bar(args, &feeds, &job);
    let read = job.read(&mut feeds, &bar);
    let is_closed = job.writer.is_closed();
    let lines = job.writer.finish()?;
    read?;
    if !args.quiet && !is_closed {
        let (faults, kept_back) = (job.shards.faults(), job.shards.kept_back());
        let counts = Counts { events: job.events, faults, kept_back, ..lines.counts };
        say(&Summary { counts, took: started.elapsed() }.to_string());
        if let Some(first) = &lines.first_unseen {
            say(&format!("the first that was rejected: {first}; --rejected FILE writes them all"));
        }
    }
    Ok(())
}

/// What the patterns are compiled with. The columns of an input that is the only one are all that there is; of several it
/// is for the patterns to say which stream has which fields.
fn options(args: &Run, inputs: &[Input]) -> Result<Options, Failure> {
    let [only] = inputs else { return Ok(patterns::options(&args.events, None, None)) };
    check_columns(&args.events, only.columns())?;
    Ok(patterns::options(&args.events, only.stream.as_deref(), only.columns()))
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
            let columns = feeds::listed(columns);
            Err(Failure::Call(format!("no column `{field}` for the {purpose}: the columns are {columns}")))
        }
    }
}

/// A bar, hidden where it would not be seen or would run through the output.
fn bar(args: &Run, feeds: &[Feed], job: &Job) -> ProgressBar {
    match feeds::size(feeds) {
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
    fn new(args: &Run, patterns: &Arc<Patterns>, feeds: &[Feed]) -> Result<Self, Failure> {
        let config = Config { watermarks: args.watermark, ..Config::default() };
        let shards = Sharded::new(patterns, config, usize::from(args.shards));
        let mut shards = shards.map_err(|error| Failure::Call(error.to_string()))?;
        let mut out = Outputs::default();
        for (table, rows) in tables::read(&args.tables, patterns)? {
            shards.set_table(table, rows, &mut out).map_err(|error| Failure::Data(error.to_string()))?;
        }
        let envelope = Envelope::new(patterns, &feeds::formats(feeds));
        let lines = Lines::new(envelope, Sinks::create(args)?, Origins::new(patterns, feeds), args.strict);
        // The line that ends a strict run must be the last one that is read.
        let is_apart = args.shards > 1 && !args.strict;
        Ok(Job {
            shards,
            is_on_terminal: lines.on_terminal(),
            writer: if is_apart { Writer::apart(lines) } else { Writer::here(lines) },
            events: 0,
            out,
        })
    }

    /// Reads the inputs to their ends, or until nobody reads what comes out. What came out before a failure is written.
    fn read(&mut self, feeds: &mut [Feed], bar: &ProgressBar) -> Result<(), Failure> {
        let read = self.merge(feeds, bar);
        if read.is_err() {
            self.catch_up()?;
            self.writer.flush()?;
        }
        read
    }

    /// Takes the events of all inputs in the order of their times: each input gives its events in its own order, and the one
    /// whose next event is the earliest comes next.
    fn merge(&mut self, feeds: &mut [Feed], bar: &ProgressBar) -> Result<(), Failure> {
        loop {
            for feed in &mut *feeds {
                if !self.look_ahead(feed, bar)? {
                    return Ok(());
                }
            }
            match feeds::first(feeds) {
                Some((first, until)) => self.take(first, &mut feeds[first], until)?,
                None => break,
            }
        }
        bar.finish_and_clear();
        self.shards.finish(&mut self.out).map_err(|error| Failure::Data(error.to_string()))?;
        self.writer.write(&mut self.out)
    }

    /// Reads an input up to its next event, or to its end. False if nobody reads what comes out any more.
    fn look_ahead(&mut self, feed: &mut Feed, bar: &ProgressBar) -> Result<bool, Failure> {
        while feed.next.is_none() && !feed.has_ended {
            feed.next = self.next(feed)?;
            if feed.next.is_none() && !self.read_on(feed, bar)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Waits for more of an input. False if nobody reads what comes out any more.
    fn read_on(&mut self, feed: &mut Feed, bar: &ProgressBar) -> Result<bool, Failure> {
        // What has come out is written before a source that may stay silent is asked for more. A file never is silent, and
        // its shards need not wait for each other.
        if feed.input.size().is_none() {
            self.catch_up()?;
        }
        self.writer.flush()?;
        if self.writer.is_closed() {
            return Ok(false);
        }
        let before = feed.input.read();
        feed.has_ended = !feed.input.fill()?;
        bar.inc(feed.input.read() - before);
        Ok(true)
    }

    /// Takes the events of an input that have been read, up to where those of another one come first.
    fn take(&mut self, at: usize, feed: &mut Feed, until: Option<Until>) -> Result<(), Failure> {
        let mut next = feed.next.take();
        while let Some(event) = next {
            if until.is_some_and(|until| (event.time(), at) > until) {
                feed.next = Some(event);
                return Ok(());
            }
            self.push(event)?;
            next = self.next(feed)?;
        }
        Ok(())
    }

    /// The next event of what has been read of an input. What comes before and is none is rejected.
    #[inline]
    fn next(&mut self, feed: &mut Feed) -> Result<Option<Numbered>, Failure> {
        while let Some(decoded) = feed.decode() {
            self.events += 1;
            match decoded {
                Ok(event) => return Ok(Some(event)),
                Err(bad) => self.writer.reject(feed.stream, bad)?,
            }
        }
        Ok(None)
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
