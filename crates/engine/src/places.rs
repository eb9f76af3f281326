//! Where open runs wait, put together over many keys.

use std::collections::BTreeMap;

use ensue_model::Timestamp;
use ensue_model::pattern::StageId;

use crate::output::Place;

/// The places of the runs of one pattern.
#[derive(Debug, Default)]
pub(crate) struct Places(BTreeMap<Vec<StageId>, (u64, Timestamp)>);

impl Places {
    /// So many more runs wait for these stages, the first of which began then.
    pub(crate) fn add(&mut self, stages: &[StageId], runs: u64, first: Timestamp) {
        match self.0.get_mut(stages) {
            Some((all, oldest)) => (*all, *oldest) = (*all + runs, first.min(*oldest)),
            None => drop(self.0.insert(stages.to_vec(), (runs, first))),
        }
    }

    pub(crate) fn of(self, pattern: usize) -> impl Iterator<Item = Place> {
        self.0.into_iter().map(move |(awaiting, (runs, oldest))| Place { pattern, awaiting, runs, oldest })
    }
}
