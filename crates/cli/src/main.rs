//! The command `ensue`: patterns over files and streams, from a shell.
//!
//! Knows files, the terminal and the clock. What a pattern means, how bytes become events and what matches is asked of the
//! crates below.

use std::process::ExitCode;

mod args;
mod check;
mod completions;
mod explain;
mod fmt;
mod man;
mod new;
mod run;
mod state;
mod test;
mod trace;
mod why;

mod counted;
mod feeds;
mod input;
mod job;
mod junit;
mod merge;
mod patterns;
mod sinks;
mod streams;
mod subject;
mod summary;
mod tables;
mod telling;
mod writer;
mod xml;

mod failure;

#[cfg(feature = "mimalloc")]
#[global_allocator]
static ALLOCATOR: ensue_allocator::MiMalloc = ensue_allocator::MiMalloc;

fn main() -> ExitCode {
    let done = match args::Arguments::of_call().command {
        args::Command::Run(run) => run::run(&run),
        args::Command::Check(check) => check::check(&check),
        args::Command::Explain(explain) => explain::explain(&explain),
        args::Command::State(state) => state::state(&state),
        args::Command::Test(test) => test::test(&test),
        args::Command::Fmt(fmt) => fmt::fmt(&fmt),
        args::Command::New(new) => new::new(&new),
        args::Command::Completions(completions) => completions::completions(&completions),
        args::Command::Man(man) => man::man(&man),
        args::Command::Trace(trace) => trace::trace(&trace),
        args::Command::Why(why) => why::why(&why),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}
