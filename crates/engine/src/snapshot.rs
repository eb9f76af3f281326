//! The state of an engine as versioned, self-describing bytes, independent of the number of shards.

use std::sync::Arc;

use ensue_model::hash::key_hash;
use ensue_model::{Event, Pattern, Patterns, Timestamp, Value};
use ensue_nfa::{Runs, SavedRuns};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Kind};
use crate::intake::{Intake, shard_of};
use crate::keys::KeyClasses;
use crate::shard::{Routed, Shard};

/// The version of the format. A change that an older program cannot read raises it.
const VERSION: u32 = 2;

/// Everything that an engine knows at one point of the input.
#[derive(Debug, Serialize, Deserialize)]
#[serde(bound(serialize = "E: Serialize", deserialize = "E: DeserializeOwned"))]
pub struct Snapshot<E> {
    version: u32,
    /// What tells the patterns: their names, and a hash of what they are.
    patterns: Vec<(String, u64)>,
    position: u64,
    late: Timestamp,
    through: Timestamp,
    shards: Vec<SavedShard<E>>,
}

/// What one shard knows.
#[derive(Debug, Serialize, Deserialize)]
#[serde(bound(serialize = "E: Serialize", deserialize = "E: DeserializeOwned"))]
pub struct SavedShard<E> {
    /// For each pattern, the keys with open runs.
    lanes: Vec<Vec<(Vec<Value<'static>>, SavedRuns<E>)>>,
    /// The events that wait for the watermark.
    held: Vec<SavedEvent<E>>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(bound(serialize = "E: Serialize", deserialize = "E: DeserializeOwned"))]
struct SavedEvent<E> {
    event: Arc<E>,
    position: u64,
    classes: u64,
}

#[derive(Deserialize)]
struct Versioned {
    version: u32,
}

impl<E: Event + Serialize + DeserializeOwned> Snapshot<E> {
    /// The state of an intake and its shards.
    pub fn new(patterns: &Patterns, intake: &Intake, shards: Vec<SavedShard<E>>) -> Self {
        Snapshot {
            version: VERSION,
            patterns: patterns.patterns.iter().map(identity).collect(),
            position: intake.position(),
            late: intake.watermark(),
            through: intake.through(),
            shards,
        }
    }

    /// The snapshot as bytes.
    ///
    /// # Errors
    /// If an event cannot be serialised.
    pub fn to_bytes(&self) -> Result<Vec<u8>, Error> {
        rmp_serde::to_vec_named(self).map_err(|error| Kind::Encode(error).into())
    }

    /// The snapshot that bytes hold.
    ///
    /// # Errors
    /// If they are no snapshot of this version and of these patterns.
    pub fn from_bytes(bytes: &[u8], patterns: &Patterns) -> Result<Self, Error> {
        let Versioned { version } = rmp_serde::from_slice(bytes).map_err(Kind::Decode)?;
        if version != VERSION {
            return Err(Kind::Version { found: version, known: VERSION }.into());
        }
        let snapshot: Snapshot<E> = rmp_serde::from_slice(bytes).map_err(Kind::Decode)?;
        let known: Vec<_> = patterns.patterns.iter().map(identity).collect();
        if let Some((name, _)) = known.iter().find(|pattern| !snapshot.patterns.contains(pattern)) {
            return Err(Kind::OtherPatterns { pattern: name.clone() }.into());
        }
        if known != snapshot.patterns {
            let pattern = snapshot.patterns.iter().find(|pattern| !known.contains(pattern));
            let pattern = pattern.or(snapshot.patterns.first()).map_or_else(String::new, |(name, _)| name.clone());
            return Err(Kind::OtherPatterns { pattern }.into());
        }
        Ok(snapshot)
    }

    /// Lets an intake go on where the snapshot was taken.
    pub fn restore_intake(&self, intake: &mut Intake) {
        intake.restore(self.position, self.late, self.through);
    }

    /// What each of `count` shards knows: the keys are dealt out anew.
    pub fn into_shards(self, count: usize, classes: &KeyClasses) -> Vec<SavedShard<E>> {
        let lanes = self.patterns.len();
        let mut shards: Vec<SavedShard<E>> = Vec::new();
        shards.resize_with(count, || SavedShard::empty(lanes));
        for saved in self.shards {
            for (lane, keyed) in saved.lanes.into_iter().enumerate() {
                for (key, runs) in keyed {
                    shards[shard_of(key_hash(&key), count)].lanes[lane].push((key, runs));
                }
            }
            for event in saved.held {
                deal(event, classes, &mut shards);
            }
        }
        shards
    }
}

/// Gives an event that waits to the shards that own its keys.
fn deal<E: Event>(saved: SavedEvent<E>, classes: &KeyClasses, shards: &mut [SavedShard<E>]) {
    let mut of_shard = vec![0u64; shards.len()];
    for class in (0..classes.len()).filter(|class| saved.classes >> class & 1 == 1) {
        if let Ok(shard) = classes.with_key(class, &*saved.event, |key| shard_of(key_hash(key), shards.len())) {
            of_shard[shard] |= 1 << class;
        }
    }
    for (shard, classes) in shards.iter_mut().zip(of_shard) {
        if classes != 0 {
            shard.held.push(SavedEvent { event: saved.event.clone(), position: saved.position, classes });
        }
    }
}

impl<E> SavedShard<E> {
    fn empty(lanes: usize) -> Self {
        let mut saved = SavedShard { lanes: Vec::new(), held: Vec::new() };
        saved.lanes.resize_with(lanes, Vec::new);
        saved
    }
}

impl<E: Event> Shard<E> {
    /// What the shard knows.
    pub fn save(&self) -> SavedShard<E> {
        let lanes = self
            .lanes
            .iter()
            .map(|lane| lane.open().map(|(key, runs)| (key.to_vec(), runs.save(lane.scratch()))).collect());
        let held = self.held.iter().map(|routed| SavedEvent {
            event: routed.incoming.share(),
            position: routed.incoming.position(),
            classes: routed.classes,
        });
        SavedShard { lanes: lanes.collect(), held: held.collect() }
    }

    /// Takes over what a snapshot holds.
    ///
    /// # Errors
    /// If the runs are not whole.
    pub fn load(&mut self, saved: SavedShard<E>, patterns: &Patterns) -> Result<(), Error> {
        for (index, keyed) in saved.lanes.into_iter().enumerate() {
            let lane = &mut self.lanes[index];
            for (key, runs) in keyed {
                let (program, scratch) = lane.parts();
                let Some(runs) = Runs::load(runs, program, scratch) else {
                    return Err(Kind::Damaged { pattern: patterns.patterns[index].name.clone() }.into());
                };
                lane.restore(key.into_iter().collect(), runs);
            }
        }
        for SavedEvent { event, position, classes } in saved.held {
            self.hold(Routed::waiting(event, position, classes));
        }
        self.restore_windows();
        Ok(())
    }
}

/// What tells a pattern from another: its name, and a hash of all that decides what its runs are.
fn identity(pattern: &Pattern) -> (String, u64) {
    let Pattern { from, key, active, stages, lookbacks, sequence, within, within_events, skip, keep, .. } = pattern;
    let text = format!(
        "{from:?} {key:?} {active:?} {stages:?} {lookbacks:?} {sequence:?} {within:?} {within_events:?} {skip:?} {keep:?}"
    );
    (pattern.name.clone(), key_hash(&[text.as_str().into()]))
}
