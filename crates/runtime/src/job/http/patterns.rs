//! The page `/patterns`: where the open runs of each pattern wait.

use std::collections::BTreeMap;

use ensue_engine::Place;
use ensue_model::pattern::StageId;
use ensue_model::{Pattern, Patterns, Timestamp};
use serde::Serialize;

use crate::job::http::written;

/// The patterns that run, and what their files say if that cannot be taken up.
#[derive(Debug, Serialize)]
pub(super) struct Page {
    patterns: Vec<Open>,
    refused: Option<Refused>,
}

/// Files of patterns that cannot be taken up.
#[derive(Debug, Serialize)]
struct Refused {
    since: String,
    reason: String,
}

/// A pattern with its open runs.
#[derive(Debug, Serialize)]
struct Open {
    pattern: String,
    stages: Vec<String>,
    open_runs: u64,
    waiting: Vec<Waiting>,
}

/// Runs that wait for the same stages.
#[derive(Debug, Serialize)]
struct Waiting {
    awaiting: Vec<String>,
    runs: u64,
    oldest: String,
}

/// All patterns, with what all shards have said.
pub(super) fn page(patterns: &Patterns, refused: Option<(Timestamp, String)>, places: Vec<Place>) -> Page {
    let refused = refused.map(|(since, reason)| Refused { since: written(since), reason });
    Page { patterns: open(&patterns.patterns, places), refused }
}

fn open(patterns: &[Pattern], places: Vec<Place>) -> Vec<Open> {
    let mut found: BTreeMap<(usize, Vec<StageId>), (u64, Timestamp)> = BTreeMap::new();
    for Place { pattern, awaiting, runs, oldest } in places {
        let (all, first) = found.entry((pattern, awaiting)).or_insert((0, oldest));
        (*all, *first) = (*all + runs, oldest.min(*first));
    }
    let mut open: Vec<Open> = patterns.iter().map(Open::nothing).collect();
    for ((pattern, awaiting), (runs, oldest)) in found {
        let awaiting = awaiting.iter().map(|stage| patterns[pattern].stage_name(*stage).to_owned()).collect();
        open[pattern].open_runs += runs;
        open[pattern].waiting.push(Waiting { awaiting, runs, oldest: written(oldest) });
    }
    open
}

impl Open {
    fn nothing(pattern: &Pattern) -> Self {
        let stages = pattern.stages.iter().map(|stage| stage.name.clone()).collect();
        Open { pattern: pattern.name.clone(), stages, open_runs: 0, waiting: Vec::new() }
    }
}
