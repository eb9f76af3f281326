//! Runs a workload in this process, from a program's own rows, and says how long the engine took. Nothing else is timed.

use std::sync::Arc;

use clap::{Parser, ValueEnum};
use ensue::lang::Options;
use ensue::{Config, Engine, Error, Outputs, Patterns, Row, Schema, Span, Watermarks};
use ensue_allocator::MiMalloc;
use ensue_bench::alerts::{Alerts, rules};
use ensue_bench::any::{self, Any};
use ensue_bench::creates::Creates;
use ensue_bench::job::{Job, checked};
use ensue_bench::loops::{self, Loops};
use ensue_bench::orders::{self, Orders, Shuffled};
use ensue_bench::report::Report;
use ensue_bench::rows::{self, AsRow};
use ensue_bench::stopwatch::timed;
use ensue_bench::{Line, signal::VALUES};

use crate::counts::Counts;

mod counts;
mod open;

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// Runs a workload in this process and says how long the engine took.
#[derive(Parser)]
struct Arguments {
    /// Which workload.
    workload: Workload,
    /// How many events.
    #[arg(long, default_value_t = 1_000_000)]
    events: usize,
    /// What decides the stream.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// W2, W3: the window, in the time of so many events.
    #[arg(long, default_value_t = 100)]
    window: u32,
    /// W2, W3: the least value with which the last stage takes an event; without it, it takes none.
    #[arg(long, default_value_t = VALUES)]
    least: u32,
    /// W3: how many keys.
    #[arg(long, default_value_t = 1)]
    keys: u32,
    /// W4, compile: how many rules.
    #[arg(long, default_value_t = 10)]
    rules: usize,
    /// W2, W3, W4: timeouts are wanted.
    #[arg(long)]
    timeouts: bool,
    /// W5: rows are held in a vector, and there is no engine.
    #[arg(long)]
    hold: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Workload {
    /// Orders
    W1,
    /// Orders, up to 10 seconds out of order
    W1b,
    /// Any A, B and C
    W2,
    /// Loops
    W3,
    /// Rules over lines of JSON, which are decoded
    W4,
    /// Orders that stay open
    W5,
    /// Compiles the rules
    Compile,
}

fn main() -> Result<(), Error> {
    let arguments = Arguments::parse();
    let Arguments { events, seed, window, least, keys, .. } = arguments;
    let report = match arguments.workload {
        Workload::W1 => run_orders(Orders::new(seed).take(events), Watermarks::Ascending)?,
        Workload::W1b => run_orders(Shuffled::new(seed, 10).take(events), TEN_SECONDS)?,
        Workload::W2 => run_signals(&any::pattern(window, least), Any::new(seed).take(events), arguments.timeouts)?,
        Workload::W3 => {
            let text = loops::pattern(window, keys, least);
            run_signals(&text, Loops::new(seed, keys).take(events), arguments.timeouts)?
        }
        Workload::W4 => run_alerts(&arguments)?,
        Workload::W5 if arguments.hold => open::hold(Creates::new(seed), events),
        Workload::W5 => open::open(&compiled(orders::PATTERN, rows::orders()), Creates::new(seed).take(events))?,
        Workload::Compile => compile(&arguments)?,
    };
    print!("{report}");
    Ok(())
}

const TEN_SECONDS: Watermarks = Watermarks::OutOfOrder(Span::from_seconds(10));

fn run_orders(events: impl Iterator<Item = impl AsRow>, watermarks: Watermarks) -> Result<Report, Error> {
    let patterns = compiled(orders::PATTERN, rows::orders());
    run(&patterns, Config { watermarks, ..Config::default() }, events)
}

fn run_signals(text: &str, events: impl Iterator<Item = impl AsRow>, timeouts: bool) -> Result<Report, Error> {
    let patterns = compiled(text, rows::signals());
    run(&patterns, Config { watermarks: Watermarks::Ascending, timeouts, ..Config::default() }, events)
}

fn compiled(text: &str, schema: Schema) -> Arc<Patterns> {
    checked("workload", text, &Options { schema, ..Options::default() })
}

/// Makes all rows, then gives them to an engine one by one.
fn run(patterns: &Arc<Patterns>, config: Config, events: impl Iterator<Item = impl AsRow>) -> Result<Report, Error> {
    let rows: Vec<Row> = events.map(|event| event.row()).collect();
    let count = rows.len();
    let mut engine = Engine::new(patterns, config)?;
    let mut counts = Counts::default();
    let (done, took) = timed(|| push_all(&mut engine, rows, &mut counts));
    done?;
    Ok(counts.report(count, took))
}

fn push_all(engine: &mut Engine<Row>, rows: Vec<Row>, counts: &mut Counts) -> Result<(), Error> {
    let mut out = Outputs::new();
    const AT_ONCE: usize = 128;
    let mut rows = rows.into_iter();
    while rows.len() > 0 {
        engine.push_all(rows.by_ref().take(AT_ONCE), &mut out)?;
        counts.take(&mut out);
    }
    engine.finish(&mut out)?;
    counts.take(&mut out);
    Ok(())
}

fn run_alerts(arguments: &Arguments) -> Result<Report, Error> {
    const CHUNK_BYTES: usize = 64 * 1_024;
    let patterns = compiled(&rules(arguments.seed, arguments.rules), Schema::open());
    let mut bytes = Vec::new();
    Alerts::new(arguments.seed).take(arguments.events).for_each(|event| event.write(&mut bytes));
    let mut job = Job::of_alerts(&patterns, arguments.timeouts)?;
    let mut counts = Counts::default();
    let (done, took) = timed(|| {
        bytes.chunks(CHUNK_BYTES).try_for_each(|chunk| job.feed(chunk, |_, out| counts.count(out)))?;
        job.finish(|_, out| counts.count(out))
    });
    done?;
    Ok(counts.report(arguments.events, took))
}

fn compile(arguments: &Arguments) -> Result<Report, Error> {
    let text = rules(arguments.seed, arguments.rules);
    let (engine, took) = timed(|| Engine::<Row>::new(&compiled(&text, Schema::open()), Config::default()));
    engine.map(|_| Report::of(arguments.rules, took))
}
