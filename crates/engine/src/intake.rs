//! Gives each event its place: its position in the input, its place in time, and the shards that own its keys.

use std::sync::Arc;

use ensue_model::hash::{KEY_GROUPS, key_hash};
use ensue_model::{Event, Patterns, Timestamp};
use smallvec::SmallVec;

use crate::config::Watermarks;
use crate::error::Error;
use crate::keys::KeyClasses;
use crate::output::{Outputs, Rejected};

/// What events pass before they come to a shard.
#[derive(Debug)]
pub struct Intake {
    classes: Arc<KeyClasses>,
    clock: Clock,
    next_position: u64,
}

/// Where an event goes.
#[derive(Debug)]
pub struct Admitted {
    /// Its position in the input.
    pub position: u64,
    /// The time up to which all events have come with it.
    pub through: Timestamp,
    /// The shards that own its keys.
    pub routes: SmallVec<[Route; 1]>,
}

/// A shard that an event goes to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Route {
    /// The shard.
    pub shard: usize,
    /// The classes of keys that it is for there, a bit each.
    pub(crate) classes: u64,
    /// The hash of its key in the first of these classes.
    pub(crate) hash: u64,
}

/// Why an event goes nowhere.
#[derive(Debug)]
pub enum Refusal {
    /// It came at or before the watermark.
    Late,
    /// This part of its key is null.
    NoKey(String),
}

impl Refusal {
    /// Puts the event to the late or to the rejected ones.
    pub fn put<E>(self, event: E, out: &mut Outputs<E>) {
        match self {
            Refusal::Late => out.late.push(event),
            Refusal::NoKey(part) => {
                let reason = format!("its key `{part}` is null");
                out.rejected.push(Rejected { event: Arc::new(event), reason });
            }
        }
    }
}

/// How far event time has come.
#[derive(Clone, Debug)]
pub(crate) struct Clock {
    watermarks: Watermarks,
    /// Events at or before are late.
    pub(crate) late: Timestamp,
    /// Events up to here can be handled: none before them will come.
    pub(crate) through: Timestamp,
}

impl Clock {
    fn observe(&mut self, time: Timestamp) {
        let through = match self.watermarks {
            Watermarks::Explicit => return,
            Watermarks::Ascending => time,
            Watermarks::OutOfOrder(most) => time - most,
        };
        if through > self.through {
            self.through = through;
            // An event with the same time as the latest is still in order.
            self.late = self.late.max(through.just_before());
        }
    }

    fn advance(&mut self, watermark: Timestamp) {
        self.late = self.late.max(watermark);
        self.through = self.through.max(watermark);
    }
}

impl Intake {
    /// An intake at the start of the input.
    ///
    /// # Errors
    /// If the patterns have too many different keys.
    pub fn new(patterns: &Patterns, watermarks: Watermarks) -> Result<Self, Error> {
        let classes = Arc::new(KeyClasses::new(&patterns.patterns)?);
        let clock = Clock { watermarks, late: Timestamp::MIN, through: Timestamp::MIN };
        Ok(Intake { classes, clock, next_position: 0 })
    }

    pub(crate) fn restore(&mut self, position: u64, late: Timestamp, through: Timestamp) {
        self.next_position = position;
        self.clock.late = late;
        self.clock.through = through;
    }

    /// The classes of keys, which shards share.
    pub fn classes(&self) -> &Arc<KeyClasses> {
        &self.classes
    }

    /// The time up to which no more events will come: shards may handle what they hold up to here.
    pub fn through(&self) -> Timestamp {
        self.clock.through
    }

    /// The watermark: events at or before it are late.
    pub fn watermark(&self) -> Timestamp {
        self.clock.late
    }

    /// How many events have come.
    pub fn position(&self) -> u64 {
        self.next_position
    }

    /// Moves the watermark; one that does not rise changes nothing.
    pub fn advance(&mut self, watermark: Timestamp) {
        self.clock.advance(watermark);
    }

    /// Takes an event in: decides which of `shards` shards own its keys.
    ///
    /// # Errors
    /// If it is late, or has no key.
    pub fn admit<E: Event>(&mut self, event: &E, shards: usize) -> Result<Admitted, Refusal> {
        let position = self.next_position;
        self.next_position += 1;
        let time = event.time();
        if time <= self.clock.late {
            return Err(Refusal::Late);
        }
        self.clock.observe(time);
        let routes = self.route(event, shards).map_err(|part| Refusal::NoKey(part.to_owned()))?;
        Ok(Admitted { position, through: self.clock.through, routes })
    }

    /// The shards that own the event's keys. An event without one of the keys still goes to the patterns whose key it
    /// has.
    fn route<E: Event>(&self, event: &E, shards: usize) -> Result<SmallVec<[Route; 1]>, &str> {
        let mut routes: SmallVec<[Route; 1]> = SmallVec::new();
        let mut missing = None;
        for class in 0..self.classes.len() {
            match self.classes.with_key(class, event, key_hash) {
                Ok(hash) => add_route(&mut routes, Route { shard: shard_of(hash, shards), classes: 1 << class, hash }),
                Err(part) => missing = Some(part),
            }
        }
        match missing {
            Some(part) if routes.is_empty() => Err(part),
            _ => Ok(routes),
        }
    }
}

fn add_route(routes: &mut SmallVec<[Route; 1]>, route: Route) {
    match routes.iter_mut().find(|known| known.shard == route.shard) {
        Some(known) => known.classes |= route.classes,
        None => routes.push(route),
    }
}

/// The shard that owns a key: shards own ranges of key groups.
pub(crate) fn shard_of(hash: u64, shards: usize) -> usize {
    ((hash % KEY_GROUPS) as usize * shards) / KEY_GROUPS as usize
}
