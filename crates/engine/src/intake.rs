//! Gives each event its place: its position in the input, its place in time, and the shards that own its keys.

use std::sync::Arc;

use ensue_model::hash::{KEY_GROUPS, key_hash};
use ensue_model::{Event, Patterns, Timestamp};
use smallvec::SmallVec;

use crate::config::Watermarks;
use crate::error::Error;
use crate::keys::KeyClasses;
use crate::output::{Outputs, Rejected};
use crate::shard::Routed;

/// What events pass before they come to a shard.
#[derive(Debug)]
pub struct Intake {
    classes: Arc<KeyClasses>,
    clock: Clock,
    next_position: u64,
}

/// What became of an event.
#[derive(Debug)]
pub enum Admitted<E> {
    /// It belongs to these shards, each with the classes of keys that it is for.
    To(E, u64, SmallVec<[(usize, u64); 1]>),
    /// It went to the late or the rejected ones.
    Out,
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

    /// Takes an event in: decides whether it is late, and which of `shards` shards own its keys.
    pub fn admit<E: Event>(&mut self, event: E, shards: usize, out: &mut Outputs<E>) -> Admitted<E> {
        let position = self.next_position;
        self.next_position += 1;
        let time = event.time();
        if time <= self.clock.late {
            out.late.push(event);
            return Admitted::Out;
        }
        match self.route(&event, shards) {
            Ok(routes) => {
                self.clock.observe(time);
                Admitted::To(event, position, routes)
            }
            Err(part) => {
                let reason = format!("its key `{part}` is null");
                self.clock.observe(time);
                out.rejected.push(Rejected { event: Arc::new(event), reason });
                Admitted::Out
            }
        }
    }

    /// The shards that own the event's keys. An event without one of the keys still goes to the patterns whose key it
    /// has.
    fn route<E: Event>(&self, event: &E, shards: usize) -> Result<SmallVec<[(usize, u64); 1]>, String> {
        let mut routes: SmallVec<[(usize, u64); 1]> = SmallVec::new();
        let mut missing = None;
        for class in 0..self.classes.len() {
            match self.classes.key(class, event) {
                Ok(_) if shards == 1 => add_route(&mut routes, 0, class),
                Ok(key) => add_route(&mut routes, shard_of(key_hash(&key), shards), class),
                Err(part) => missing = Some(part.to_owned()),
            }
        }
        match missing {
            Some(part) if routes.is_empty() => Err(part),
            _ => Ok(routes),
        }
    }
}

fn add_route(routes: &mut SmallVec<[(usize, u64); 1]>, shard: usize, class: usize) {
    match routes.iter_mut().find(|(to, _)| *to == shard) {
        Some((_, classes)) => *classes |= 1 << class,
        None => routes.push((shard, 1 << class)),
    }
}

/// The shard that owns a key: shards own ranges of key groups.
pub(crate) fn shard_of(hash: u64, shards: usize) -> usize {
    ((hash % KEY_GROUPS) as usize * shards) / KEY_GROUPS as usize
}

impl<E: Event> Admitted<E> {
    /// The event for the only shard there is.
    pub fn alone(self) -> Option<Routed<E>> {
        match self {
            Admitted::To(event, position, routes) => {
                Some(Routed::alone(event, position, routes.first().map_or(0, |(_, classes)| *classes)))
            }
            Admitted::Out => None,
        }
    }
}
