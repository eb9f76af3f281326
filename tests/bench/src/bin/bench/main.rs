//! Measures Ensue: runs programs and their yardsticks in turn, verifies what they put out, and prints one table.
//!
//! Other programs may be busy on the machine. So what counts is not how long one program took, but how much longer than
//! its yardstick in the same round.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;

use crate::contest::{Contest, Summary};
use crate::expected::Expected;
use crate::place::Place;

mod place;
mod program;
mod sample;

mod contest;
mod expected;
mod suite;

mod goal;
mod table;

type Failure = Box<dyn std::error::Error>;

/// Measures Ensue, and prints a table of what it took and one of the goals.
#[derive(Parser)]
struct Arguments {
    /// Which workloads [default: all]
    #[arg(value_parser = clap::builder::PossibleValuesParser::new(suite::names()))]
    workloads: Vec<String>,
    /// How many events, instead of each workload's own number.
    #[arg(long)]
    events: Option<usize>,
    /// The numbers of events that others were measured with; takes a while.
    #[arg(long, conflicts_with = "events")]
    full: bool,
    /// How often each program runs.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// What decides the streams.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Where inputs are kept [default: target/bench]
    #[arg(long, value_name = "FOLDER")]
    folder: Option<PathBuf>,
    /// Where outputs go while a program is measured [default: memory]
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
    /// Keep what comes out as what is expected from now on, where nothing else says what is right.
    #[arg(long)]
    store: bool,
}

fn main() -> ExitCode {
    match bench(Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("{failure}");
            ExitCode::FAILURE
        }
    }
}

fn bench(arguments: Arguments) -> Result<(), Failure> {
    let size = match arguments.events {
        Some(events) => suite::Size::Events(events),
        None if arguments.full => suite::Size::Full,
        None => suite::Size::Some,
    };
    let place = Place::new(arguments.folder, arguments.out, arguments.seed)?;
    let mut expected = Expected::read()?;
    let mut summaries = Vec::new();
    for contest in suite::contests(&place, size, &arguments.workloads)? {
        summaries.extend(run(&contest, &place, arguments.rounds.max(1), &mut expected)?);
    }
    // Nothing is printed before everything is verified.
    print!("{}\n{}", table::measured(&summaries), table::goals(&summaries));
    if arguments.store { expected.write() } else { Ok(()) }
}

fn run(contest: &Contest, place: &Place, rounds: usize, expected: &mut Expected) -> Result<Vec<Summary>, Failure> {
    eprint!("{} ", contest.name);
    let samples = contest.run(place, rounds)?;
    eprintln!();
    contest.summarise(&samples, place.seed, expected)
}
