//! Replays the cases in `tests/corpus`: the reference gives what each expects, and every reading gives what the reference
//! gives.
//!
//! `corners.jsonl` is what Apache Flink CEP 2.3 gives, `beyond-flink.jsonl` where Ensue differs on purpose, and those that are
//! named after a construct have what Flink does not. A case that a search has found goes into a file of its own, or into
//! `found.jsonl`.

use std::fs;
use std::path::{Path, PathBuf};

use ensue_testkit::case::Case;
use ensue_testkit::readings::{self, Prepared, Reading};
use ensue_testkit::suite::{self, Verdict};

fn corpus() -> Vec<Case> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus");
    let entries = fs::read_dir(folder).expect("the corpus is a folder");
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("the folder can be listed").path()).collect();
    files.sort();
    files.iter().flat_map(|file| suite::read(file).expect("the corpus holds cases")).collect()
}

#[test]
fn the_reference_gives_what_is_expected() {
    let mut passed = 0;
    for case in corpus() {
        match suite::judge(&case, Reading::Reference) {
            Verdict::Passed => passed += 1,
            Verdict::Failed(report) => panic!("{report}"),
        }
    }
    assert!(passed >= 380, "only {passed} cases were run");
}

#[test]
fn all_readings_give_what_the_reference_gives() {
    for case in corpus() {
        let Ok(prepared) = Prepared::of(&case) else { continue };
        if let Err(disagreement) = readings::agree(&case, prepared.patterns(), 1) {
            panic!("{disagreement}");
        }
    }
}
