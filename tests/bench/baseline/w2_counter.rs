//! W2 as counters: how many A, and how many A with a B after it, are in the window. An event costs the same whatever the
//! length of the window.
//!
//! `w2_counter [EVENTS [WINDOW [LEAST [SEED]]]]`, where a C counts whose value is at least that.

use ensue_bench::any::{Any, NEVER, matches};
use ensue_bench::report::Report;
use ensue_bench::signal::Signal;
use ensue_bench::stopwatch::timed;

fn main() {
    let mut arguments = std::env::args().skip(1).map(|text| text.parse().expect("four numbers at most"));
    let mut argument = |default| arguments.next().unwrap_or(default);
    let (events, window, least, seed) = (argument(1_000_000), argument(100), argument(NEVER), argument(1));
    let signals: Vec<Signal> = Any::new(u64::from(seed)).take(events as usize).collect();
    let (matches, took) = timed(|| matches(&signals, window, least));
    print!("{}", Report::of(signals.len(), took).with("matches", matches as f64).with("timeouts", 0.0));
}
