//! Writes a workload to standard output.

use std::io::{self, BufWriter, Write};

use clap::{Parser, ValueEnum};
use ensue_bench::{Order, Orders, Shuffled};

/// Writes a workload to standard output, as CSV without a header: order_id,type,tx_id,seconds.
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
}

#[derive(Clone, Copy, ValueEnum)]
enum Workload {
    /// Orders that are created and paid, in the order of their times.
    W1,
    /// The same, arriving up to 10 seconds out of order.
    W1b,
}

fn main() -> io::Result<()> {
    let Arguments { workload, events, seed } = Arguments::parse();
    match workload {
        Workload::W1 => write(Orders::new(seed).take(events)),
        Workload::W1b => write(Shuffled::new(seed, 10).take(events)),
    }
}

fn write(orders: impl Iterator<Item = Order>) -> io::Result<()> {
    let mut out = BufWriter::with_capacity(1 << 20, io::stdout().lock());
    for order in orders {
        writeln!(out, "{}", order.line())?;
    }
    out.flush()
}
