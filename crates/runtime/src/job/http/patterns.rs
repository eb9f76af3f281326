//! The page `/patterns`: where the open runs of each pattern wait.

use std::collections::BTreeMap;

use ensue_engine::Place;
use ensue_model::Timestamp;
use ensue_model::pattern::StageId;
use serde::Serialize;

use crate::job::http::written;
use crate::job::meters::{Meters, OfPattern};

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
pub(super) fn page(meters: &Meters, places: Vec<Place>) -> Page {
    let refused = meters.refused().map(|(since, reason)| Refused { since: written(since), reason });
    Page { patterns: open(meters, places), refused }
}

fn open(meters: &Meters, places: Vec<Place>) -> Vec<Open> {
    let patterns = meters.patterns();
    let mut found: BTreeMap<(usize, Vec<StageId>), (u64, Timestamp)> = BTreeMap::new();
    for Place { pattern, awaiting, runs, oldest } in places {
        let (all, first) = found.entry((pattern, awaiting)).or_insert((0, oldest));
        (*all, *first) = (*all + runs, oldest.min(*first));
    }
    let mut open: Vec<Open> = patterns.iter().map(Open::nothing).collect();
    for ((pattern, awaiting), (runs, oldest)) in found {
        // Those that run may be others than those that were asked.
        let Some(OfPattern { stages, .. }) = patterns.get(pattern) else { continue };
        let awaiting = awaiting.iter().filter_map(|stage| stages.get(usize::from(stage.0)).cloned()).collect();
        open[pattern].open_runs += runs;
        open[pattern].waiting.push(Waiting { awaiting, runs, oldest: written(oldest) });
    }
    open
}

impl Open {
    fn nothing(pattern: &OfPattern) -> Self {
        let (name, stages) = (pattern.name.clone(), pattern.stages.clone());
        Open { pattern: name, stages, open_runs: 0, waiting: Vec::new() }
    }
}
