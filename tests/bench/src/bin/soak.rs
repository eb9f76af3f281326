//! Whether a job's memory stays what it is: feeds one at full speed with orders that never come again, and looks at its
//! memory all the time.

use std::io::Write;
use std::path::PathBuf;
use std::process::{ChildStdin, ExitCode, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use clap::Parser;
use ensue_bench::Line;
use ensue_bench::orders::Orders;
use ensue_bench::report::Report;
use ensue_bench::service::{Service, Settings, command_beside, metrics};
use ensue_bench::stopwatch::now;

type Failure = Box<dyn std::error::Error>;

/// Feeds a job at full speed, and fails if its memory grows by more than 5%.
#[derive(Parser)]
struct Arguments {
    /// For how long.
    #[arg(long, default_value_t = 30.0)]
    minutes: f64,
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

/// What was seen at one time.
struct Sample {
    elapsed: Duration,
    resident_bytes: u64,
    metrics: Report,
}

/// By how much memory may grow.
const MOST_GROWTH: f64 = 1.05;

fn main() -> ExitCode {
    match soak(&Arguments::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(failure) => {
            eprintln!("{failure}");
            ExitCode::FAILURE
        }
    }
}

fn soak(arguments: &Arguments) -> Result<bool, Failure> {
    let ensue = arguments.ensue.clone().map_or_else(command_beside, Ok)?;
    let settings = Settings { input: None, shards: arguments.shards, has_checkpoints: true, answers: true };
    let mut service = Service::start(&ensue, &settings, Stdio::null())?;
    let stdin = service.child.stdin.take().ok_or("the job has no standard input")?;
    let length = Duration::from_secs_f64(arguments.minutes * 60.0);
    let is_over = AtomicBool::new(false);
    let samples = thread::scope(|scope| {
        let feeding = scope.spawn(|| feed(stdin, arguments.seed, &is_over));
        let samples = watch(&service, length);
        is_over.store(true, Ordering::Relaxed);
        if samples.is_err() {
            // What does not answer may not read either.
            service.child.kill()?;
        }
        let fed = feeding.join().expect("a generator has no panic");
        let samples = samples?;
        fed?;
        Ok::<_, Failure>(samples)
    })?;
    service.end()?;
    Ok(judge(&samples, length))
}

/// Writes orders until it is over.
fn feed(mut stdin: ChildStdin, seed: u64, is_over: &AtomicBool) -> std::io::Result<()> {
    const FULL_BYTES: usize = 1 << 16;
    let mut lines = Vec::with_capacity(FULL_BYTES + 4_096);
    for order in Orders::new(seed) {
        order.write(&mut lines);
        if lines.len() >= FULL_BYTES {
            stdin.write_all(&lines)?;
            lines.clear();
            if is_over.load(Ordering::Relaxed) {
                break;
            }
        }
    }
    Ok(())
}

/// Looks at the job every second, and says what it sees every minute.
fn watch(service: &Service, length: Duration) -> Result<Vec<Sample>, Failure> {
    let address = service.address.ok_or("the job answers nowhere")?;
    let started = now();
    let mut samples: Vec<Sample> = Vec::new();
    let mut minute = 0;
    let mut events = 0.0;
    println!("minute         events  resident MB  open runs  checkpoint pause ms");
    while samples.last().is_none_or(|sample| sample.elapsed < length) {
        thread::sleep(Duration::from_secs(1));
        let metrics = metrics(address).map_err(|error| format!("the job does not answer: {error}"))?;
        let sample = Sample { elapsed: started.elapsed(), resident_bytes: service.resident_bytes()?, metrics };
        if sample.elapsed.as_secs() / 60 > minute {
            minute += 1;
            println!("{minute:6} {sample}");
            if sample.events() <= events {
                return Err("the job took nothing for a minute".into());
            }
            events = sample.events();
        }
        samples.push(sample);
    }
    Ok(samples)
}

/// Says how memory went, and whether that is well.
fn judge(samples: &[Sample], length: Duration) -> bool {
    let early = length.div_f64(6.0).min(Duration::from_secs(300));
    let (before, after) = (resident_megabytes(samples, early), resident_megabytes(samples, length));
    println!("resident after {} s: {before:.1} MB", early.as_secs());
    println!("resident after {} s: {after:.1} MB", length.as_secs());
    println!("ratio: {:.3}, at most {MOST_GROWTH} is wanted", after / before);
    println!("events: {}", samples.last().map_or(0.0, Sample::events));
    after <= before * MOST_GROWTH
}

/// The memory at a time: of some seconds before it the mean, since a checkpoint that is being written takes some more.
fn resident_megabytes(samples: &[Sample], at: Duration) -> f64 {
    const SPAN: Duration = Duration::from_secs(30);
    let is_near = |sample: &&Sample| (at.saturating_sub(SPAN)..at + Duration::from_secs(1)).contains(&sample.elapsed);
    let near: Vec<f64> = samples.iter().filter(is_near).map(Sample::megabytes).collect();
    near.iter().sum::<f64>() / near.len() as f64
}

impl Sample {
    fn value(&self, name: &str) -> f64 {
        self.metrics.get(name).unwrap_or(f64::NAN)
    }

    fn events(&self) -> f64 {
        self.value("ensue_events_total{source=\"orders\"}")
    }

    fn megabytes(&self) -> f64 {
        self.resident_bytes as f64 / 1e6
    }
}

impl std::fmt::Display for Sample {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let open_runs = self.value("ensue_open_runs{pattern=\"order_payment\"}");
        let pause_ms = self.value("ensue_checkpoint_pause_seconds") * 1e3;
        write!(f, "{:14} {:12.1} {open_runs:10} {pause_ms:20.2}", self.events(), self.megabytes())
    }
}
