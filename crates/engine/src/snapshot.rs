//! The state of an engine as versioned, self-describing bytes, independent of the number of shards.

use std::io::Write;
use std::sync::Arc;

use ensue_model::hash::key_hash;
use ensue_model::{Event, Patterns, Timestamp, Value};
use ensue_nfa::{Incoming, Runs, SavedRuns};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::cascade::{Cascade, Source};
use crate::error::{Error, Kind};
use crate::identity::{Identity, Sign};
use crate::intake::{Intake, shard_of};
use crate::keys::KeyClasses;
use crate::lane::Lane;
use crate::levels::{Level, Levels};
use crate::shard::{Routed, Shard};
use crate::stack::Stack;

mod survey;

pub use survey::Survey;

/// The version of the format. A change that an older program cannot read raises it.
const VERSION: u32 = 5;

/// Everything that an engine knows at one point of the input.
#[derive(Debug, Serialize, Deserialize)]
#[serde(bound(serialize = "E: Serialize", deserialize = "E: DeserializeOwned"))]
pub struct Snapshot<E> {
    pub(crate) version: u32,
    /// What tells the patterns.
    pub(crate) patterns: Arc<[Identity]>,
    pub(crate) position: u64,
    pub(crate) late: Timestamp,
    pub(crate) through: Timestamp,
    /// What patterns have emitted for others, which these have not seen yet.
    pub(crate) emitted: Vec<Source<E>>,
    pub(crate) stacks: Vec<SavedStack<E>>,
}

/// What the shards of one thread know, by level.
#[derive(Debug, Serialize, Deserialize)]
#[serde(bound(serialize = "E: Serialize", deserialize = "E: DeserializeOwned"))]
pub struct SavedStack<E> {
    pub(crate) levels: Vec<SavedShard<E>>,
}

/// What one shard knows.
#[derive(Debug, Serialize, Deserialize)]
#[serde(bound(serialize = "E: Serialize", deserialize = "E: DeserializeOwned"))]
pub(crate) struct SavedShard<E> {
    /// By pattern of the level.
    pub(crate) lanes: Vec<SavedLane<E>>,
    /// The events that wait for the watermark.
    pub(crate) held: Vec<SavedEvent<E>>,
}

/// What one shard knows of a pattern.
#[derive(Debug, Serialize, Deserialize)]
#[serde(bound(serialize = "E: Serialize", deserialize = "E: DeserializeOwned"))]
pub(crate) struct SavedLane<E> {
    /// Whether runs with different starts are told apart.
    pub(crate) tells_starts: bool,
    /// The keys with open runs.
    pub(crate) keys: Vec<(Vec<Value<'static>>, SavedRuns<E>)>,
    /// The keys with a cooldown, and its end.
    pub(crate) cooling: Vec<(Vec<Value<'static>>, Timestamp)>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(bound(serialize = "E: Serialize", deserialize = "E: DeserializeOwned"))]
pub(crate) struct SavedEvent<E> {
    pub(crate) event: Arc<E>,
    pub(crate) position: u64,
    pub(crate) classes: u64,
    /// The ways of key by which it comes.
    pub(crate) ways: u64,
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
            patterns: intake.identities(patterns),
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
        let mut bytes = Vec::new();
        self.write(&mut bytes)?;
        Ok(bytes)
    }

    /// Writes the same bytes, many small pieces one after the other.
    ///
    /// # Errors
    /// If an event cannot be serialised, or the bytes cannot be written.
    pub fn write(&self, mut to: impl Write) -> Result<(), Error> {
        rmp_serde::encode::write_named(&mut to, self).map_err(|error| Kind::Encode(error).into())
    }

    /// The snapshot that bytes hold.
    ///
    /// # Errors
    /// If they are no snapshot of this version and of these patterns.
    pub fn from_bytes(bytes: &[u8], patterns: &Patterns) -> Result<Self, Error> {
        let snapshot = Snapshot::of_any(bytes)?;
        match snapshot.stranger(patterns) {
            None => Ok(snapshot),
            Some(pattern) => Err(Kind::OtherPatterns { pattern }.into()),
        }
    }

    /// The snapshot that bytes hold, of whatever patterns. To go on with others it must be [changed](Snapshot::change).
    ///
    /// # Errors
    /// If they are no snapshot of this version.
    pub fn of_any(bytes: &[u8]) -> Result<Self, Error> {
        let Versioned { version } = rmp_serde::from_slice(bytes).map_err(Kind::Decode)?;
        if version != VERSION {
            return Err(Kind::Version { found: version, known: VERSION }.into());
        }
        Ok(rmp_serde::from_slice(bytes).map_err(Kind::Decode)?)
    }

    /// The name of a pattern that the snapshot is not of, or that these are not; none if it is of these patterns.
    pub fn stranger(&self, patterns: &Patterns) -> Option<String> {
        let known: Vec<_> = patterns.patterns.iter().map(Sign::of).collect();
        let saved: Vec<_> = self.patterns.iter().map(|identity| identity.sign.clone()).collect();
        let strange = known.iter().find(|pattern| !saved.contains(pattern));
        let strange = strange.or(saved.iter().find(|pattern| !known.contains(pattern)));
        let strange = strange.or(saved.first().filter(|_| known != saved));
        strange.map(|sign| sign.name.clone())
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
    for (lane, SavedLane { tells_starts: _, keys, cooling }) in saved.lanes.into_iter().enumerate() {
        for (key, runs) in keys {
            stacks[owner(&key)].levels[level].lanes[lane].keys.push((key, runs));
        }
        for (key, until) in cooling {
            stacks[owner(&key)].levels[level].lanes[lane].cooling.push((key, until));
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

impl<E> Default for SavedLane<E> {
    fn default() -> Self {
        SavedLane { tells_starts: false, keys: Vec::new(), cooling: Vec::new() }
    }
}

impl<E: Event> SavedLane<E> {
    /// How many runs are open.
    pub(crate) fn runs(&self) -> u64 {
        self.keys.iter().map(|(_, runs)| runs.count(self.tells_starts)).sum()
    }
}

impl<E> SavedShard<E> {
    pub(crate) fn empty(level: &Level) -> Self {
        SavedShard { lanes: level.patterns.iter().map(|_| SavedLane::default()).collect(), held: Vec::new() }
    }
}

impl<E: Event> SavedEvent<E> {
    fn of(routed: &Routed<E>) -> Self {
        SavedEvent {
            event: routed.incoming.share(),
            position: routed.incoming.position(),
            classes: routed.classes,
            ways: routed.incoming.ways(),
        }
    }
}

impl<E: Event> SavedStack<E> {
    /// Adds events that the shards have not seen yet.
    pub(crate) fn hold(&mut self, events: &[Routed<E>]) {
        events.iter().for_each(|routed| self.levels[routed.level].held.push(SavedEvent::of(routed)));
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
        let lane = |lane: &Lane| SavedLane {
            tells_starts: lane.scratch().tells_starts(),
            keys: Vec::with_capacity(lane.key_count()),
            cooling: self.outlet.cooling(lane.pattern()),
        };
        let mut lanes: Vec<SavedLane<E>> = self.lanes.iter().map(lane).collect();
        for (lane, key, runs) in self.open() {
            lanes[lane].keys.push((key.to_vec(), runs.save(self.lanes[lane].scratch())));
        }
        SavedShard { lanes, held: self.held.iter().map(SavedEvent::of).collect() }
    }

    fn load(&mut self, saved: SavedShard<E>, level: usize, patterns: &Patterns) -> Result<(), Error> {
        for (index, SavedLane { tells_starts: _, keys, cooling }) in saved.lanes.into_iter().enumerate() {
            for (key, runs) in keys {
                let lane = &mut self.lanes[index];
                let (program, scratch) = lane.parts();
                let Some(runs) = Runs::load(runs, program, scratch) else {
                    return Err(Kind::Damaged { pattern: patterns.patterns[lane.pattern()].name.clone() }.into());
                };
                self.restore(index, key.into_iter().collect(), runs);
            }
            for (key, until) in cooling {
                self.outlet.restore_cooling(self.lanes[index].pattern(), key.into_iter().collect(), until);
            }
        }
        for SavedEvent { event, position, classes, ways } in saved.held {
            self.hold(Routed::waiting(Incoming::shared(event, position).by_ways(ways), level, classes));
        }
        self.restore_windows();
        Ok(())
    }
}
