//! The state of an engine as versioned, self-describing bytes, independent of the number of shards.

use std::sync::Arc;

use ensue_model::hash::key_hash;
use ensue_model::{Event, Pattern, Patterns, Timestamp, Value};
use ensue_nfa::{Incoming, Runs, SavedRuns};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::cascade::{Cascade, Source};
use crate::error::{Error, Kind};
use crate::intake::{Intake, shard_of};
use crate::keys::KeyClasses;
use crate::levels::{Level, Levels};
use crate::shard::{Routed, Shard};
use crate::stack::Stack;

/// The version of the format. A change that an older program cannot read raises it.
const VERSION: u32 = 4;

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
    /// What patterns have emitted for others, which these have not seen yet.
    emitted: Vec<Source<E>>,
    stacks: Vec<SavedStack<E>>,
}

/// What the shards of one thread know, by level.
#[derive(Debug, Serialize, Deserialize)]
#[serde(bound(serialize = "E: Serialize", deserialize = "E: DeserializeOwned"))]
pub struct SavedStack<E> {
    levels: Vec<SavedShard<E>>,
}

/// What one shard knows.
#[derive(Debug, Serialize, Deserialize)]
#[serde(bound(serialize = "E: Serialize", deserialize = "E: DeserializeOwned"))]
struct SavedShard<E> {
    /// For each pattern of the level, the keys with open runs.
    lanes: Vec<Vec<(Vec<Value<'static>>, SavedRuns<E>)>>,
    /// For each pattern of the level, the keys with a cooldown, and its end.
    cooling: Vec<Vec<(Vec<Value<'static>>, Timestamp)>>,
    /// The events that wait for the watermark.
    held: Vec<SavedEvent<E>>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(bound(serialize = "E: Serialize", deserialize = "E: DeserializeOwned"))]
struct SavedEvent<E> {
    event: Arc<E>,
    position: u64,
    classes: u64,
    /// The ways of key by which it comes.
    ways: u64,
}

#[derive(Deserialize)]
struct Versioned {
    version: u32,
}

impl<E: Event + Serialize + DeserializeOwned> Snapshot<E> {
    /// The state of an intake, of what is on its way between patterns, and of the stacks.
    pub fn new(patterns: &Patterns, intake: &Intake, cascade: &Cascade<E>, stacks: Vec<SavedStack<E>>) -> Self {
        Snapshot {
            version: VERSION,
            patterns: patterns.patterns.iter().map(identity).collect(),
            position: intake.position(),
            late: intake.watermark(),
            through: intake.through(),
            emitted: cascade.save(),
            stacks,
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

    /// What each of `count` stacks knows: the keys are dealt out anew. The cascade takes what is on its way between patterns.
    pub fn into_parts(self, count: usize, levels: &Levels, cascade: &mut Cascade<E>) -> Vec<SavedStack<E>> {
        let mut stacks: Vec<SavedStack<E>> = Vec::new();
        stacks.resize_with(count, || SavedStack { levels: levels.iter().map(SavedShard::empty).collect() });
        for saved in self.stacks {
            for (level, saved) in saved.levels.into_iter().enumerate().take(levels.count()) {
                deal(saved, level, &levels.get(level).classes, &mut stacks);
            }
        }
        cascade.load(self.emitted);
        stacks
    }
}

/// Gives what a shard knew to the shards that own its keys now.
fn deal<E: Event>(saved: SavedShard<E>, level: usize, classes: &KeyClasses, stacks: &mut [SavedStack<E>]) {
    let count = stacks.len();
    let owner = |key: &[Value<'_>]| shard_of(key_hash(key), count);
    for (lane, keyed) in saved.lanes.into_iter().enumerate() {
        for (key, runs) in keyed {
            stacks[owner(&key)].levels[level].lanes[lane].push((key, runs));
        }
    }
    for (lane, cooling) in saved.cooling.into_iter().enumerate() {
        for (key, until) in cooling {
            stacks[owner(&key)].levels[level].cooling[lane].push((key, until));
        }
    }
    for event in saved.held {
        deal_event(event, level, classes, stacks);
    }
}

/// Gives an event that waits to the shards that own its keys.
fn deal_event<E: Event>(saved: SavedEvent<E>, level: usize, classes: &KeyClasses, stacks: &mut [SavedStack<E>]) {
    let SavedEvent { event, position, classes: of_event, ways } = saved;
    let mut of_shard = vec![0u64; stacks.len()];
    for class in (0..classes.len()).filter(|class| of_event >> class & 1 == 1) {
        let shard = classes.with_key(class, &*event, ways, |key| shard_of(key_hash(key), stacks.len()));
        if let Ok(shard) = shard {
            of_shard[shard] |= 1 << class;
        }
    }
    for (stack, classes) in stacks.iter_mut().zip(of_shard) {
        if classes != 0 {
            stack.levels[level].held.push(SavedEvent { event: event.clone(), position, classes, ways });
        }
    }
}

impl<E> SavedShard<E> {
    fn empty(level: &Level) -> Self {
        let mut saved =
            SavedShard { lanes: Vec::new(), cooling: vec![Vec::new(); level.patterns.len()], held: Vec::new() };
        saved.lanes.resize_with(level.patterns.len(), Vec::new);
        saved
    }
}

impl<E: Event> Stack<E> {
    /// What the shards know.
    pub fn save(&self) -> SavedStack<E> {
        SavedStack { levels: self.levels.iter().map(Shard::save).collect() }
    }

    /// Takes over what a snapshot holds.
    ///
    /// # Errors
    /// If the runs are not whole.
    pub fn load(&mut self, saved: SavedStack<E>, patterns: &Patterns) -> Result<(), Error> {
        let mut shards = self.levels.iter_mut().enumerate().zip(saved.levels);
        shards.try_for_each(|((level, shard), saved)| shard.load(saved, level, patterns))
    }
}

impl<E: Event> Shard<E> {
    fn save(&self) -> SavedShard<E> {
        let mut lanes: Vec<Vec<_>> = self.lanes.iter().map(|lane| Vec::with_capacity(lane.key_count())).collect();
        self.open()
            .for_each(|(lane, key, runs)| lanes[lane].push((key.to_vec(), runs.save(self.lanes[lane].scratch()))));
        let held = self.held.iter().map(|routed| SavedEvent {
            event: routed.incoming.share(),
            position: routed.incoming.position(),
            classes: routed.classes,
            ways: routed.incoming.ways(),
        });
        SavedShard {
            lanes,
            cooling: self.lanes.iter().map(|lane| self.outlet.cooling(lane.pattern())).collect(),
            held: held.collect(),
        }
    }

    fn load(&mut self, saved: SavedShard<E>, level: usize, patterns: &Patterns) -> Result<(), Error> {
        for (index, keyed) in (0..self.lanes.len()).zip(saved.lanes) {
            for (key, runs) in keyed {
                let lane = &mut self.lanes[index];
                let (program, scratch) = lane.parts();
                let Some(runs) = Runs::load(runs, program, scratch) else {
                    return Err(Kind::Damaged { pattern: patterns.patterns[lane.pattern()].name.clone() }.into());
                };
                self.restore(index, key.into_iter().collect(), runs);
            }
        }
        for (lane, cooling) in self.lanes.iter().zip(saved.cooling) {
            for (key, until) in cooling {
                self.outlet.restore_cooling(lane.pattern(), key.into_iter().collect(), until);
            }
        }
        for SavedEvent { event, position, classes, ways } in saved.held {
            self.hold(Routed::waiting(Incoming::shared(event, position).by_ways(ways), level, classes));
        }
        self.restore_windows();
        Ok(())
    }
}

/// What tells a pattern from another: its name, and a hash of all that decides what its runs are.
fn identity(pattern: &Pattern) -> (String, u64) {
    let Pattern { from, key, active, stages, lookbacks, sequence, within, within_events, skip, keep, .. } = pattern;
    let Pattern { cooldown, emit, timeout, .. } = pattern;
    let streams = [emit, timeout].map(|emission| emission.record().and_then(|record| record.stream));
    let text = format!(
        "{from:?} {key:?} {active:?} {stages:?} {lookbacks:?} {sequence:?} {within:?} {within_events:?} {skip:?} {keep:?} {cooldown:?} {streams:?}"
    );
    (pattern.name.clone(), key_hash(&[text.as_str().into()]))
}
