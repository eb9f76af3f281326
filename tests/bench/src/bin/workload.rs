//! Writes a workload to standard output.

use std::io::{self, Write};

use clap::{Parser, ValueEnum};
use ensue_bench::Line;
use ensue_bench::alerts::{Alerts, rules};
use ensue_bench::any::Any;
use ensue_bench::creates::Creates;
use ensue_bench::loops::Loops;
use ensue_bench::orders::{Orders, Shuffled};

/// Writes a workload to standard output, without a header.
#[derive(Parser)]
struct Arguments {
    /// Which workload.
    workload: Workload,
    /// How many events.
    #[arg(long, default_value_t = 10_000_000)]
    events: usize,
    /// What decides the stream.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many rules.
    #[arg(long, default_value_t = 1_000)]
    rules: usize,
}

#[derive(Clone, Copy, ValueEnum)]
enum Workload {
    /// Orders that are created and paid, in the order of their times: order_id,type,tx_id,seconds
    W1,
    /// The same, arriving up to 10 seconds out of order
    W1b,
    /// Types A, B, C and noise, of one key: seq,type,key,v,ms
    W2,
    /// Types a, b, c and noise, of one key: seq,type,key,v,ms
    W3,
    /// The same, of 10,000 keys
    W3Keys,
    /// Log records as lines of JSON
    W4,
    /// Rules over W4, as the text of a pattern file
    W4Rules,
    /// Orders that are created and not paid: order_id,type,tx_id,seconds
    W5,
}

fn main() -> io::Result<()> {
    let Arguments { workload, events, seed, rules: count } = Arguments::parse();
    match workload {
        Workload::W1 => write(Orders::new(seed).take(events)),
        Workload::W1b => write(Shuffled::new(seed, 10).take(events)),
        Workload::W2 => write(Any::new(seed).take(events)),
        Workload::W3 => write(Loops::new(seed, 1).take(events)),
        Workload::W3Keys => write(Loops::new(seed, 10_000).take(events)),
        Workload::W4 => write(Alerts::new(seed).take(events)),
        Workload::W4Rules => io::stdout().write_all(rules(seed, count).as_bytes()),
        Workload::W5 => write(Creates::new(seed).take(events)),
    }
}

fn write(events: impl Iterator<Item = impl Line>) -> io::Result<()> {
    const FULL_BYTES: usize = 1 << 20;
    let mut out = io::stdout().lock();
    let mut lines = Vec::with_capacity(FULL_BYTES + 4_096);
    for event in events {
        event.write(&mut lines);
        if lines.len() >= FULL_BYTES {
            out.write_all(&lines)?;
            lines.clear();
        }
    }
    out.write_all(&lines)
}
