//! Draws cases at random, and compares all readings of each.

use std::process::ExitCode;

use clap::Parser;
use ensue_testkit::generate::Profile;
use ensue_testkit::search;

/// Draws cases at random, and compares all readings of each.
#[derive(Parser)]
struct Arguments {
    /// How many cases to draw of each profile.
    #[arg(long, default_value_t = 1_000)]
    cases: u32,
    /// The same seed draws the same cases.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// What the cases are about; all profiles if none is named.
    #[arg(long, value_enum)]
    profile: Vec<Profile>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let profiles = if arguments.profile.is_empty() { Profile::ALL.to_vec() } else { arguments.profile };
    let mut status = ExitCode::SUCCESS;
    for profile in profiles {
        match search::disagreement(profile, arguments.cases, arguments.seed) {
            Ok(searched) => println!("{profile:?}: {searched}"),
            Err(disagreement) => {
                println!("{profile:?}: {disagreement}");
                status = ExitCode::FAILURE;
            }
        }
    }
    status
}
