//! Crashes a job, over and over, and looks whether a line of its outputs is lost or there twice.
//!
//! A run is a job over generated streams whose files grow and are rotated while it reads them. It is killed at any moment, stopped,
//! started again with another number of shards; files cannot be written for a while, a checkpoint is damaged, patterns change beside
//! those whose outputs are compared. At the end its
//! outputs are held against those of a job that read the whole input in peace.

mod compare;
mod input;
mod process;
mod rules;
mod run;
mod trouble;
mod writer;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use clap::Parser;

use run::Told;

/// Crashes a job, over and over, and looks whether a line of its outputs is lost or there twice.
#[derive(Parser)]
struct Arguments {
    /// How many runs.
    #[arg(long, default_value_t = 20)]
    runs: u64,
    /// The seed of the first run; each one after it has the next. It decides inputs and troubles; how far the job comes until
    /// then is up to the machine.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many runs go on at the same time.
    #[arg(long, default_value_t = 2)]
    jobs: usize,
    /// Keep the folders of all runs, not only of those that fail.
    #[arg(long)]
    keep: bool,
    /// The command to crash; without it, that of this project, which is built.
    #[arg(long)]
    ensue: Option<PathBuf>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let ensue = match arguments.ensue.clone().map_or_else(built, Ok) {
        Ok(ensue) => ensue,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    };
    trouble::untried().into_iter().for_each(|untried| println!("not tried here: {untried}"));
    let next = AtomicU64::new(arguments.seed);
    let sum = Mutex::new((Told::default(), Vec::new()));
    thread::scope(|scope| {
        for _ in 0..arguments.jobs.max(1) {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= arguments.seed + arguments.runs {
                        return;
                    }
                    let outcome = one(seed, &ensue, arguments.keep);
                    let (told, failed) = &mut *sum.lock().unwrap_or_else(PoisonError::into_inner);
                    match outcome {
                        Ok(of_run) => told.add(&of_run),
                        Err(report) => {
                            println!("{report}");
                            failed.push(seed);
                        }
                    }
                }
            });
        }
    });
    let (told, failed) = sum.into_inner().unwrap_or_else(PoisonError::into_inner);
    println!("{} of {} runs lost and doubled nothing: {told}", arguments.runs - failed.len() as u64, arguments.runs);
    if failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// One run, in a folder that stays if it fails. The error is what is shown of it.
fn one(seed: u64, ensue: &Path, keep: bool) -> Result<Told, String> {
    let folder = tempfile::Builder::new().prefix(&format!("ensue-crash-{seed}-")).tempdir();
    let mut folder = folder.map_err(|error| format!("seed {seed}: no folder: {error}"))?;
    let outcome = run::run(seed, ensue, folder.path());
    folder.disable_cleanup(keep || outcome.is_err());
    outcome.map_err(|failure| {
        let folder = folder.path().display();
        let again = format!("cargo run --release -p ensue-tests --bin crash -- --runs 1 --seed {seed}");
        format!("seed {seed} FAILED: {failure}\n  its folder: {folder}\n  again: {again}")
    })
}

/// The command, built as this program was.
fn built() -> Result<PathBuf, String> {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["build", "--quiet", "--package", "ensue-cli", "--manifest-path"]);
    cargo.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.toml"));
    if !cfg!(debug_assertions) {
        cargo.arg("--release");
    }
    match cargo.status() {
        Ok(status) if status.success() => {}
        Ok(status) => return Err(format!("the command cannot be built: {status}")),
        Err(error) => return Err(format!("cargo does not run: {error}")),
    }
    let own = std::env::current_exe().map_err(|error| format!("where this program is, is not known: {error}"))?;
    Ok(own.with_file_name(format!("ensue{}", std::env::consts::EXE_SUFFIX)))
}
