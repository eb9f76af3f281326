//! What is to be seen in a snapshot without taking it up again.

use std::collections::BTreeMap;

use ensue_model::{Event, Patterns};

use super::Snapshot;
use crate::config::Config;
use crate::error::Error;
use crate::intake::Intake;
use crate::output::Place;
use crate::places::Places;
use crate::stack::Stack;

/// Looks into snapshots of some patterns. It is slow where there are many runs, and can be done on any thread.
#[derive(Debug)]
pub struct Survey<E> {
    /// Shards of the patterns, which stay without events: they know what the states of runs are.
    stack: Stack<E>,
}

impl<E: Event> Survey<E> {
    /// For snapshots of engines with these patterns and this configuration.
    ///
    /// # Errors
    /// If a pattern is larger than a limit.
    pub fn new(patterns: &Patterns, config: &Config) -> Result<Self, Error> {
        let intake = Intake::new(patterns, config.watermarks)?;
        Ok(Survey { stack: Stack::new(patterns, intake.levels(), config)? })
    }

    /// Where the open runs of each pattern waited, over all keys.
    pub fn places(&mut self, snapshot: &Snapshot<E>) -> Vec<Place> {
        let mut places: BTreeMap<usize, Places> = BTreeMap::new();
        for saved in &snapshot.stacks {
            for (shard, saved) in self.stack.levels.iter_mut().zip(&saved.levels) {
                for (lane, saved) in shard.lanes.iter_mut().zip(&saved.lanes) {
                    let places = places.entry(lane.pattern()).or_default();
                    let (program, scratch) = lane.parts();
                    for (_, runs) in &saved.keys {
                        runs.each_place(program, scratch, |stages, runs, first| places.add(stages, runs, first));
                    }
                }
            }
        }
        places.into_iter().flat_map(|(pattern, places)| places.of(pattern)).collect()
    }
}
