//! W5: what open keys take, and how long an engine is busy with its tables.

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use ensue::{Config, Engine, Error, Outputs, Patterns, Row, Timestamp, Watermarks};
use ensue_bench::orders::{Order, PATIENCE_SECONDS};
use ensue_bench::report::Report;
use ensue_bench::rows::AsRow;
use ensue_bench::stopwatch::{Took, now, timed};

use crate::counts::Counts;

/// How many events are made before they are pushed.
const AT_ONCE: usize = 256;

/// Holds the rows of so many orders in a vector.
pub(crate) fn hold(orders: impl Iterator<Item = Order>, events: usize) -> Report {
    let before = resident_bytes();
    let mut rows = Vec::with_capacity(events);
    let ((), took) = timed(|| rows.extend(orders.take(events).map(|order| order.row())));
    let bytes = (resident_bytes() - before) / rows.len() as f64;
    Report::of(rows.len(), took).with("bytes_per_event", bytes)
}

/// Opens a run for each key, then lets time go on until all have ended.
pub(crate) fn open(patterns: &Arc<Patterns>, mut orders: impl Iterator<Item = Order>) -> Result<Report, Error> {
    let mut engine = Engine::new(patterns, Config { watermarks: Watermarks::Ascending, ..Config::default() })?;
    let (mut counts, mut took, mut pushing) = (Counts::default(), Took::default(), Longest::default());
    let (mut events, mut last, before) = (0, 0, resident_bytes());
    loop {
        let some: Vec<Order> = orders.by_ref().take(AT_ONCE).collect();
        let Some(order) = some.last() else { break };
        (events, last) = (events + some.len(), order.seconds);
        took += push(&mut engine, some.iter().map(AsRow::row).collect(), &mut pushing, &mut counts)?;
    }
    let open = engine.open_keys() as f64;
    let bytes = (resident_bytes() - before) / open;
    let expiring = expire(&mut engine, last, &mut counts)?;
    let report = counts.report(events, took).with("open", open).with("bytes_per_event", bytes);
    Ok(expiring.report("expiry", pushing.report("push", report)))
}

/// The longest that anything took. What the processor did is known only of many pushes together, since reading its clock
/// costs more than a push; but what other programs did does not count there.
#[derive(Default)]
struct Longest {
    wall: Duration,
    cpu: Duration,
}

impl Longest {
    fn report(&self, of: &str, report: Report) -> Report {
        let milliseconds = |duration: Duration| duration.as_secs_f64() * 1e3;
        report
            .with(&format!("{of}_longest_ms"), milliseconds(self.wall))
            .with(&format!("{of}_longest_cpu_ms"), milliseconds(self.cpu))
    }
}

fn push(engine: &mut Engine<Row>, rows: Vec<Row>, longest: &mut Longest, counts: &mut Counts) -> Result<Took, Error> {
    let mut out = Outputs::new();
    let (done, took) = timed(|| {
        rows.into_iter().try_for_each(|row| {
            let before = now();
            let done = engine.push(row, &mut out);
            longest.wall = longest.wall.max(before.elapsed());
            done
        })
    });
    longest.cpu = longest.cpu.max(took.cpu);
    counts.take(&mut out);
    done.map(|()| took)
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
