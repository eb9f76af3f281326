//! Replays what has been found: the inputs of the fuzz targets, in a folder of `corpus` each, and the
//! cases in `corpus/cases` through all readings. The seeds of the fuzzer are replayed too, so that they stay of use.

use std::fs;
use std::path::{Path, PathBuf};

use ensue_testkit::case::Case;
use ensue_testkit::readings::{self, Prepared, Reading};
use ensue_testkit::suite::{self, Verdict};
use ensue_tests::fuzz;

/// The files of a folder under `tests/`, in the order of their names.
fn files(folder: &str) -> Vec<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let entries = fs::read_dir(&path).unwrap_or_else(|error| panic!("cannot list `{}`: {error}", path.display()));
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("the folder can be listed").path()).collect();
    files.sort();
    files
}

/// Gives each file to the body of a target. A failure is about the file that was named last.
fn replay(folder: &str, target: fn(&[u8])) {
    for file in files(folder) {
        println!("{}", file.display());
        target(&fs::read(&file).expect("the file can be read"));
    }
}

#[test]
fn what_parse_has_found_is_mended() {
    replay("corpus/parse", fuzz::parse);
}

#[test]
fn what_check_has_found_is_mended() {
    replay("corpus/check", fuzz::check);
}

#[test]
fn what_decode_has_found_is_mended() {
    replay("corpus/decode", fuzz::decode);
}

#[test]
fn what_table_has_found_is_mended() {
    replay("corpus/table", fuzz::table);
}

#[test]
fn what_time_has_found_is_mended() {
    replay("corpus/time", fuzz::time);
}

#[test]
fn what_job_has_found_is_mended() {
    replay("corpus/job", fuzz::job);
}

#[test]
fn what_checkpoint_has_found_is_mended() {
    replay("corpus/checkpoint", fuzz::checkpoint);
}

#[test]
fn what_run_has_found_is_mended() {
    replay("corpus/run", fuzz::run);
}

fn cases(folder: &str) -> Vec<Case> {
    files(folder).iter().flat_map(|file| suite::read(file).expect("the corpus holds cases")).collect()
}

#[test]
fn all_readings_of_a_case_give_what_it_expects() {
    for case in cases("corpus/cases") {
        match suite::judge(&case, Reading::Engine) {
            Verdict::Passed => {}
            Verdict::Failed(report) => panic!("{report}"),
        }
        let prepared = Prepared::of(&case).expect("judge has compiled it");
        if let Err(disagreement) = readings::agree(&case, prepared.patterns(), 1) {
            panic!("{disagreement}");
        }
    }
}

#[test]
fn the_seeds_pass() {
    replay("fuzz/seeds/text", fuzz::parse);
    replay("fuzz/seeds/text", fuzz::check);
    replay("fuzz/seeds/lines", fuzz::decode);
    replay("fuzz/seeds/run", fuzz::run);
    replay("fuzz/seeds/table", fuzz::table);
    replay("fuzz/seeds/time", fuzz::time);
    replay("fuzz/seeds/job", fuzz::job);
    replay("fuzz/seeds/checkpoint", fuzz::checkpoint);
}

#[test]
fn the_seeds_of_run_are_cases_that_run() {
    let mut outputs = 0;
    for file in files("fuzz/seeds/run") {
        let case = fuzz::case(&fs::read(&file).expect("the file can be read"));
        let case = case.unwrap_or_else(|| panic!("{} is no case", file.display()));
        let prepared = Prepared::of(&case).unwrap_or_else(|refused| panic!("{refused}"));
        let came = prepared.outputs(Reading::Engine).unwrap_or_else(|why| panic!("{case}{why}"));
        outputs += came.matches.len() + came.timeouts.len();
    }
    assert!(outputs >= 200, "the seeds bring only {outputs} outputs");
}
