//! Lets a snapshot go on with patterns that have changed since it was taken.

use std::collections::BTreeMap;
use std::sync::Arc;

use ensue_model::{Event, Patterns, Tables, Timestamp};
use ensue_nfa::{Carry, Conditions, Shape};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::cascade::Source;
use crate::config::Config;
use crate::error::Error;
use crate::identity::Identity;
use crate::intake::Intake;
use crate::shard;
use crate::snapshot::{SavedEvent, SavedLane, SavedShard, SavedStack, Snapshot};

/// What becomes of the open runs of a pattern that has changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OnChange {
    /// Those stay that have passed only what is unchanged.
    Keep,
    /// They are dropped.
    Drop,
}

/// A pattern that has changed, has come or has gone.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Change {
    /// Its name.
    pub pattern: String,
    /// What that means for its open runs.
    pub fate: Fate,
}

/// What a change means for the open runs of a pattern. Where runs with different starts move together, those that do count once.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Fate {
    /// The pattern is new, and begins with the events that come from now on.
    New,
    /// It is gone, and its runs with it.
    Gone {
        /// How many there were.
        dropped: u64,
    },
    /// It is another.
    Changed {
        /// How many runs go on.
        kept: u64,
        /// How many do not.
        dropped: u64,
        /// Why they do not, in words, if there are any.
        reason: Option<String>,
    },
}

impl Fate {
    /// How many runs do not go on.
    pub fn dropped(&self) -> u64 {
        match self {
            Fate::New => 0,
            Fate::Gone { dropped } | Fate::Changed { dropped, .. } => *dropped,
        }
    }
}

/// A snapshot of other patterns than it was taken of.
#[derive(Debug)]
pub struct Changed<E> {
    /// It.
    pub snapshot: Snapshot<E>,
    /// What that means for the patterns, in the order of their names. Of those that are as they were nothing is said.
    pub changes: Vec<Change>,
    /// How many of the events that waited for time to come to them could not be read as the patterns see them now.
    pub unreadable: u64,
}

impl<E: Event + Serialize + DeserializeOwned> Snapshot<E> {
    /// The snapshot as one of these patterns, which may be others than it was taken of; patterns are the same if their names
    /// are. A run stays if the steps that it has passed are unchanged. What waits for time to come to it is given to the patterns that
    /// read it now.
    ///
    /// `renew` gives each event as the patterns see it now: the fields that they ask for may be others, and so may the numbers of
    /// fields and streams. If it gives none, the runs that hold the event are dropped.
    ///
    /// # Errors
    /// If a pattern is larger than a limit.
    pub fn change(
        self,
        patterns: &Patterns,
        config: &Config,
        tables: &Tables,
        on_change: OnChange,
        mut renew: impl FnMut(&Arc<E>) -> Option<Arc<E>>,
    ) -> Result<Changed<E>, Error> {
        let Snapshot { version, patterns: before, position, late, through, emitted, stacks } = self;
        let intake = Intake::new(patterns, config.watermarks)?;
        let (after, levels) = (intake.identities(patterns), intake.levels());
        let Parts { mut lanes, held } = Parts::of(stacks, &before);
        let mut stack = SavedStack { levels: levels.iter().map(SavedShard::empty).collect() };
        let mut changes = Vec::new();
        for (index, identity) in after.iter().enumerate() {
            let to = To { shape: &identity.shape, index, patterns, config, tables, on_change };
            let now = if identity.level == 0 { through } else { late };
            let (lane, change) = match lanes.remove(identity.sign.name.as_str()) {
                Some((shape, lane)) => to.take_over(shape, lane, now, &mut renew)?,
                None => (SavedLane::default(), Some(Fate::New)),
            };
            let place = levels.get(identity.level).patterns.binary_search(&index).expect("it is of its level");
            stack.levels[identity.level].lanes[place] = lane;
            changes.extend(change.map(|fate| Change { pattern: identity.sign.name.clone(), fate }));
        }
        changes.extend(lanes.into_iter().map(|(pattern, (_, lane))| {
            let fate = Fate::Gone { dropped: lane.runs() };
            Change { pattern: pattern.to_owned(), fate }
        }));
        let unreadable = hold_again(held, (&intake, late, through), &mut stack, &mut renew);
        let now = |pattern: usize| after.iter().position(|identity| identity.sign.name == before[pattern].sign.name);
        let place = |pattern: usize| now(pattern).map(|index| (index, after[index].level));
        let emitted = Source::change(emitted, levels.count(), place, &mut renew);
        let snapshot =
            Snapshot { version, patterns: after.clone(), position, late, through, emitted, stacks: vec![stack] };
        Ok(Changed { snapshot, changes, unreadable })
    }
}

/// What all shards know together.
struct Parts<'i, E> {
    /// By the names of the patterns, with their shapes.
    lanes: BTreeMap<&'i str, (&'i Shape, SavedLane<E>)>,
    /// The events that wait for the watermark, by position.
    held: BTreeMap<u64, Arc<E>>,
}

impl<'i, E: Event> Parts<'i, E> {
    fn of(stacks: Vec<SavedStack<E>>, patterns: &'i [Identity]) -> Self {
        let mut parts = Parts { lanes: BTreeMap::new(), held: BTreeMap::new() };
        for (level, shard) in stacks.into_iter().flat_map(|stack| stack.levels.into_iter().enumerate()) {
            let of_level = patterns.iter().filter(|identity| identity.level == level);
            for (identity, lane) in of_level.zip(shard.lanes) {
                let (_, all) =
                    parts.lanes.entry(&identity.sign.name).or_insert((&identity.shape, SavedLane::default()));
                all.tells_starts |= lane.tells_starts;
                all.keys.extend(lane.keys);
                all.cooling.extend(lane.cooling);
            }
            // One that waits for several keys waits in several places.
            parts.held.extend(shard.held.into_iter().map(|held| (held.position, held.event)));
        }
        parts
    }
}

/// A pattern as it is now.
struct To<'p> {
    shape: &'p Shape,
    index: usize,
    patterns: &'p Patterns,
    config: &'p Config,
    tables: &'p Tables,
    on_change: OnChange,
}

impl To<'_> {
    /// Takes over what there was of the pattern at a point of event time.
    fn take_over<E: Event>(
        &self,
        before: &Shape,
        saved: SavedLane<E>,
        now: Timestamp,
        renew: &mut impl FnMut(&Arc<E>) -> Option<Arc<E>>,
    ) -> Result<(SavedLane<E>, Option<Fate>), Error> {
        let mut lane = shard::lane(self.patterns, self.index, self.config, &mut Conditions::new())?;
        lane.set_tables(self.tables.clone());
        let (program, scratch) = lane.parts();
        let is_changed = before != self.shape;
        let carry = match self.on_change {
            OnChange::Drop if is_changed => Err("it has changed".to_owned()),
            OnChange::Keep | OnChange::Drop => Carry::new(before, self.shape, program, saved.tells_starts),
        };
        let carry = match carry {
            Ok(carry) => carry,
            Err(reason) => {
                let (kept, dropped) = (0, saved.runs());
                return Ok((SavedLane::default(), Some(Fate::Changed { kept, dropped, reason: Some(reason) })));
            }
        };
        let mut taken = SavedLane { tells_starts: scratch.tells_starts(), cooling: saved.cooling, keys: Vec::new() };
        let (mut kept, mut dropped) = (0, 0);
        for (key, runs) in saved.keys {
            let carried = carry.take_over(runs, now, program, scratch, renew);
            kept += carried.kept;
            dropped += carried.dropped;
            taken.keys.extend(carried.runs.map(|runs| (key, runs)));
        }
        let reason = (dropped > 0).then(|| reason(before, self.shape));
        let fate = Fate::Changed { kept, dropped, reason };
        Ok((taken, (is_changed || dropped > 0).then_some(fate)))
    }
}

/// Why runs are dropped.
fn reason(before: &Shape, now: &Shape) -> String {
    let stages: Vec<String> = before.stages_changed(now).map(|name| format!("`{name}`")).collect();
    match &stages[..] {
        _ if before == now => "their events cannot be read as the patterns see them now".to_owned(),
        [] => "the steps that they have passed are others now".to_owned(),
        [only] => format!("{only}, which they have passed, is another now"),
        several => format!("they have passed some of {}, which are others now", several.join(", ")),
    }
}

/// Gives the events that wait to the patterns that read them now. Gives how many could not be read.
fn hold_again<E: Event>(
    held: BTreeMap<u64, Arc<E>>,
    (intake, late, through): (&Intake, Timestamp, Timestamp),
    stack: &mut SavedStack<E>,
    renew: &mut impl FnMut(&Arc<E>) -> Option<Arc<E>>,
) -> u64 {
    let mut unreadable = 0;
    for (position, event) in held {
        let Some(event) = renew(&event) else {
            unreadable += 1;
            continue;
        };
        // What has no key now is not asked for by anybody.
        for route in intake.route(&*event, 1).unwrap_or_default() {
            // The first level has handled what lies before that, the others what lies before the watermark.
            let handled = if route.level == 0 { through } else { late };
            if event.time() > handled {
                let saved = SavedEvent { event: event.clone(), position, classes: route.classes, ways: route.ways };
                stack.levels[route.level].held.push(saved);
            }
        }
    }
    unreadable
}
