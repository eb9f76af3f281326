//! Runs a workload in this process, from a program's own rows, and says how long the engine took. Nothing else is timed.

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use clap::{Parser, ValueEnum};
use ensue::lang::Options;
use ensue::{Config, Engine, Error, Outputs, Patterns, Row, Schema, Timestamp, Watermarks};
use ensue_bench::alerts::{Alerts, rules};
use ensue_bench::any::{self, Any};
use ensue_bench::creates::Creates;
use ensue_bench::job::{Job, checked};
use ensue_bench::loops::{self, Loops};
use ensue_bench::orders::{self, Orders, PATIENCE_SECONDS, Shuffled};
use ensue_bench::report::Report;
use ensue_bench::rows::{self, AsRow};
use ensue_bench::stopwatch::{Took, timed};
use ensue_bench::{Line, signal::VALUES};
use mimalloc::MiMalloc;

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
        Workload::W5 if arguments.hold => hold(&arguments),
        Workload::W5 => open(&arguments)?,
        Workload::Compile => compile(&arguments)?,
    };
    print!("{report}");
    Ok(())
}

const TEN_SECONDS: Watermarks = Watermarks::OutOfOrder(ensue::Span::from_seconds(10));

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

/// What came out.
#[derive(Default)]
struct Counts {
    matches: usize,
    timeouts: usize,
    /// The events that matches hold.
    taken: usize,
}

impl Counts {
    fn take(&mut self, out: &mut Outputs<Row>) {
        if !out.is_empty() {
            self.count(out);
            out.matches.clear();
            out.timeouts.clear();
            assert!(out.is_empty(), "a workload has no late events and none without a key");
        }
    }

    fn count(&mut self, out: &Outputs<Row>) {
        self.matches += out.matches.len();
        self.timeouts += out.timeouts.len();
        self.taken += out.matches.iter().map(|found| found.run.events.len()).sum::<usize>();
    }

    fn report(&self, events: usize, took: Took) -> Report {
        Report::of(events, took)
            .with("matches", self.matches as f64)
            .with("timeouts", self.timeouts as f64)
            .with("taken", self.taken as f64)
    }
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

/// Holds rows in a vector.
fn hold(arguments: &Arguments) -> Report {
    let before = resident_bytes();
    let mut rows: Vec<Row> = Vec::with_capacity(arguments.events);
    let ((), took) =
        timed(|| rows.extend(Creates::new(arguments.seed).take(arguments.events).map(|order| order.row())));
    let bytes = (resident_bytes() - before) / rows.len() as f64;
    Report::of(rows.len(), took).with("bytes_per_event", bytes)
}

/// Opens a run for each key, then lets time go on until all have ended.
fn open(arguments: &Arguments) -> Result<Report, Error> {
    const AT_ONCE: usize = 256;
    let patterns = compiled(orders::PATTERN, rows::orders());
    let mut engine = Engine::new(&patterns, Config { watermarks: Watermarks::Ascending, ..Config::default() })?;
    let (mut counts, mut out) = (Counts::default(), Outputs::new());
    let before = resident_bytes();
    let mut creates = Creates::new(arguments.seed).take(arguments.events);
    let (mut total, mut longest, mut last) = (Took::default(), Longest::default(), 0);
    loop {
        let orders: Vec<_> = creates.by_ref().take(AT_ONCE).collect();
        let Some(order) = orders.last() else { break };
        last = order.seconds;
        let rows: Vec<Row> = orders.iter().map(AsRow::row).collect();
        let (done, took) = timed(|| rows.into_iter().try_for_each(|row| longest.time(|| engine.push(row, &mut out))));
        done?;
        total += took;
        longest.cpu = longest.cpu.max(took.cpu);
        counts.take(&mut out);
    }
    let bytes = (resident_bytes() - before) / engine.open_keys() as f64;
    let open = engine.open_keys();
    let expiry = expire(&mut engine, last, &mut counts)?;
    Ok(counts
        .report(arguments.events, total)
        .with("open", open as f64)
        .with("bytes_per_event", bytes)
        .with("push_longest_ms", longest.wall.as_secs_f64() * 1e3)
        .with("push_longest_cpu_ms", longest.cpu.as_secs_f64() * 1e3)
        .with("expiry_longest_ms", expiry.wall.as_secs_f64() * 1e3)
        .with("expiry_longest_cpu_ms", expiry.cpu.as_secs_f64() * 1e3))
}

/// The longest that anything took. What the processor did is known only of many pushes together, since reading its clock
/// costs more than a push; but other programs do not count there.
#[derive(Default)]
struct Longest {
    wall: Duration,
    cpu: Duration,
}

impl Longest {
    fn time<T>(&mut self, work: impl FnOnce() -> T) -> T {
        let before = ensue_bench::stopwatch::now();
        let done = work();
        self.wall = self.wall.max(before.elapsed());
        done
    }
}

/// Lets time go on second by second until every window is over; gives the longest that a second took.
fn expire(engine: &mut Engine<Row>, last: i64, counts: &mut Counts) -> Result<Longest, Error> {
    let (mut longest, mut out) = (Longest::default(), Outputs::new());
    for seconds in last..=last + PATIENCE_SECONDS {
        let (done, took) = timed(|| engine.advance(Timestamp::from_seconds(seconds), &mut out));
        done?;
        longest = Longest { wall: longest.wall.max(took.wall), cpu: longest.cpu.max(took.cpu) };
        counts.take(&mut out);
    }
    Ok(longest)
}

/// How much memory this process has.
fn resident_bytes() -> f64 {
    let status = fs::read_to_string("/proc/self/status").expect("Linux says of a process how much memory it has");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("it says what is resident");
    let kilobytes = line.trim().trim_end_matches("kB").trim();
    kilobytes.parse::<f64>().expect("a number of kB") * 1_024.0
}

fn compile(arguments: &Arguments) -> Result<Report, Error> {
    let text = rules(arguments.seed, arguments.rules);
    let (engine, took) = timed(|| Engine::<Row>::new(&compiled(&text, Schema::open()), Config::default()));
    engine.map(|_| Report::of(arguments.rules, took))
}
