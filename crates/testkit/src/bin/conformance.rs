//! Runs files of cases, and says which fail and how.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use ensue_testkit::readings::Reading;
use ensue_testkit::suite::{self, Verdict};

/// Runs files of cases, and says which fail and how.
#[derive(Parser)]
struct Arguments {
    /// Files of cases, one JSON object a line.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Save and restore the engine after every input item.
    #[arg(long, conflicts_with_all = ["shards", "reference"])]
    restart: bool,
    /// Run the engine on so many threads.
    #[arg(long, value_name = "N", conflicts_with = "reference")]
    shards: Option<usize>,
    /// Run the naive reference matcher instead of the engine.
    #[arg(long)]
    reference: bool,
    /// A text that names, in backticks, the ids of cases that differ on purpose. One that does not differ is a failure.
    #[arg(long, value_name = "FILE")]
    allow: Option<PathBuf>,
}

#[derive(Default)]
struct Counts {
    passed: usize,
    failed: usize,
    allowed: usize,
    /// Those that are said to differ and do not.
    stale: Vec<String>,
}

/// A wrong call or a file that cannot be read; clap says the same of a wrong call.
const UNUSABLE: u8 = 2;

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(counts) if counts.failed == 0 && counts.stale.is_empty() => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::from(UNUSABLE)
        }
    }
}

fn run(arguments: &Arguments) -> Result<Counts, String> {
    let allowed = allowed(arguments)?;
    let mut cases = Vec::new();
    for file in &arguments.files {
        cases.extend(suite::read(file).map_err(|error| error.to_string())?);
    }
    let reading = reading(arguments);
    let mut counts = Counts::default();
    let mut out = io::stdout().lock();
    for case in &cases {
        match suite::judge(case, reading) {
            Verdict::Passed if allowed.contains(&case.id) => counts.stale.push(case.id.clone()),
            Verdict::Passed => counts.passed += 1,
            Verdict::Failed(_) if allowed.contains(&case.id) => counts.allowed += 1,
            Verdict::Failed(report) => {
                counts.failed += 1;
                writeln!(out, "{report}").map_err(|error| format!("cannot write the report: {error}"))?;
            }
        }
    }
    summarize(&mut out, &counts).map_err(|error| format!("cannot write the summary: {error}"))?;
    Ok(counts)
}

fn summarize(out: &mut impl Write, counts: &Counts) -> io::Result<()> {
    let Counts { passed, failed, allowed, stale } = counts;
    for id in stale {
        writeln!(out, "case {id} passes, but is listed as one that differs: take it off the list")?;
    }
    if *allowed > 0 {
        writeln!(out, "{allowed} differ on purpose")?;
    }
    writeln!(out, "{passed} passed, {failed} failed")
}

fn reading(arguments: &Arguments) -> Reading {
    match arguments {
        Arguments { reference: true, .. } => Reading::Reference,
        Arguments { restart: true, .. } => Reading::Restarted,
        Arguments { shards: Some(shards), .. } => Reading::Shards(*shards),
        Arguments { .. } => Reading::Engine,
    }
}

/// The ids in backticks.
fn allowed(arguments: &Arguments) -> Result<BTreeSet<String>, String> {
    let Some(path) = &arguments.allow else { return Ok(BTreeSet::new()) };
    let text = fs::read_to_string(path).map_err(|error| format!("cannot read `{}`: {error}", path.display()))?;
    Ok(text.split('`').skip(1).step_by(2).map(str::to_owned).collect())
}
