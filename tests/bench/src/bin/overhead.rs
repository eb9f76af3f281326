//! What checkpoints and metrics cost a job: the same job over the same file, with and without them, in turn.

use std::fs::File;
use std::io::{self, BufWriter, Read, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use clap::Parser;
use ensue_bench::Line;
use ensue_bench::orders::Orders;
use ensue_bench::service::{Service, Settings, command_beside, metrics};
use ensue_bench::stopwatch::{Took, now};
use tempfile::NamedTempFile;

type Failure = Box<dyn std::error::Error>;

/// Measures what checkpoints and metrics cost a job.
#[derive(Parser)]
struct Arguments {
    /// How many events of W1: so many that a job takes half a minute.
    #[arg(long, default_value_t = 40_000_000)]
    events: usize,
    /// How often each job runs.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Threads of the job that share the keys.
    #[arg(long, default_value_t = 1)]
    shards: usize,
    /// What decides the orders.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The command [default: the one beside this program]
    #[arg(long, value_name = "PATH")]
    ensue: Option<PathBuf>,
}

/// What each round runs: whether with checkpoints, whether with metrics that are asked for, and the speed that is wanted
/// compared with the first.
const JOBS: [(&str, bool, bool, f64); 3] =
    [("neither", false, false, 1.0), ("checkpoints", true, false, 0.93), ("metrics", false, true, 0.99)];

fn main() -> Result<(), Failure> {
    let arguments = Arguments::parse();
    let ensue = arguments.ensue.clone().map_or_else(command_beside, Ok)?;
    let (input, creates) = orders(arguments.seed, arguments.events)?;
    let mut rounds = Vec::new();
    for _ in 0..arguments.rounds.max(1) {
        let run = |(_, has_checkpoints, answers, _)| {
            let settings = Settings { input: Some(input.path()), shards: arguments.shards, has_checkpoints, answers };
            measure(&ensue, &settings, creates)
        };
        let [neither, checkpoints, metrics] = JOBS.map(run);
        rounds.push([neither?, checkpoints?, metrics?]);
        eprint!(".");
    }
    eprintln!();
    print(&rounds);
    Ok(())
}

/// Writes events to a file, and says how many orders they create.
fn orders(seed: u64, events: usize) -> io::Result<(NamedTempFile, usize)> {
    let file = NamedTempFile::with_suffix(".csv")?;
    let mut out = BufWriter::with_capacity(1 << 20, File::create(file.path())?);
    let (mut line, mut creates) = (Vec::new(), 0);
    for order in Orders::new(seed).take(events) {
        creates += usize::from(order.payment.is_none());
        line.clear();
        order.write(&mut line);
        out.write_all(&line)?;
    }
    out.flush()?;
    Ok((file, creates))
}

/// Runs a job, whole. Each order that is created comes out once: paid or timed out.
fn measure(ensue: &Path, settings: &Settings<'_>, creates: usize) -> Result<Took, Failure> {
    let started = now();
    let mut service = Service::start(ensue, settings, Stdio::piped())?;
    let stdout = service.child.stdout.take().ok_or("the job has no standard output")?;
    let address = service.address;
    let (lines, scrapes) = thread::scope(|scope| {
        let (over, is_over) = channel();
        let scraping = scope.spawn(move || address.map_or(0, |address| scrape(address, &is_over)));
        let lines = lines(stdout);
        drop(over);
        (lines, scraping.join().expect("asking has no panic"))
    });
    let cpu = service.end()?;
    let took = Took { wall: started.elapsed(), cpu };
    let lines = lines?;
    if lines != creates {
        return Err(format!("the job put out {lines} lines for {creates} orders").into());
    }
    if settings.answers && scrapes == 0 {
        return Err("the job never answered: it was too short".into());
    }
    Ok(took)
}

/// Asks for metrics every second until it is over. Says how often they came: at its end a job answers no more.
fn scrape(address: SocketAddr, is_over: &Receiver<()>) -> usize {
    let mut scrapes = 0;
    while is_over.recv_timeout(Duration::from_secs(1)) == Err(RecvTimeoutError::Timeout) {
        scrapes += usize::from(metrics(address).is_ok());
    }
    scrapes
}

fn lines(mut stdout: impl Read) -> io::Result<usize> {
    let mut chunk = vec![0; 1 << 20];
    let mut lines = 0;
    loop {
        match stdout.read(&mut chunk)? {
            0 => return Ok(lines),
            length => lines += memchr::memchr_iter(b'\n', &chunk[..length]).count(),
        }
    }
}

fn print(rounds: &[[Took; JOBS.len()]]) {
    println!("job           CPU s  by CPU  seconds  by the clock  wanted");
    for (at, (name, _, _, wanted)) in JOBS.into_iter().enumerate() {
        let each =
            |value: fn([&Took; 2]) -> f64| median(rounds.iter().map(|round| value([&round[0], &round[at]])).collect());
        println!(
            "{name:12} {:6.1} {:7.3} {:8.1} {:13.3} {wanted:7}",
            each(|[_, took]| took.cpu.as_secs_f64()),
            each(|[neither, took]| neither.cpu.as_secs_f64() / took.cpu.as_secs_f64()),
            each(|[_, took]| took.wall.as_secs_f64()),
            each(|[neither, took]| neither.wall.as_secs_f64() / took.wall.as_secs_f64()),
        );
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
