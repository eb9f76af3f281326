//! Gives each event its place: its position in the input, its place in time, and the shards that own its keys.

use std::sync::{Arc, OnceLock};

use ensue_model::hash::{KEY_GROUPS, key_hash};
use ensue_model::{Event, Key, Patterns, Timestamp};
use smallvec::SmallVec;

use crate::config::Watermarks;
use crate::error::Error;
use crate::identity::{self, Identity};
use crate::keys::{ALL_WAYS, KeyClasses};
use crate::levels::Levels;
use crate::output::{Outputs, Rejected};
use crate::parcel::Parcel;

/// What events pass before they come to a shard.
#[derive(Debug)]
pub struct Intake {
    levels: Levels,
    /// Found out when it is first asked for.
    identities: OnceLock<Arc<[Identity]>>,
    clock: Clock,
    next_position: u64,
}

/// A shard that an event goes to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Route {
    /// The shard.
    pub(crate) shard: usize,
    /// The level of the patterns that it is for.
    pub(crate) level: usize,
    /// The classes of keys that it is for there, a bit each.
    pub(crate) classes: u64,
    /// The hash of its key in the first of these classes.
    pub(crate) hash: u64,
    /// The ways of key by which it comes there, a bit each.
    pub(crate) ways: u64,
}

/// An event without this part of its key.
pub(crate) fn without_key<E>(event: Arc<E>, part: &str) -> Rejected<E> {
    Rejected { event, reason: format!("its key `{part}` is null") }
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
            Watermarks::Explicit | Watermarks::Steady => return,
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
    /// If the patterns have too many different keys, or read each other in a circle.
    pub fn new(patterns: &Patterns, watermarks: Watermarks) -> Result<Self, Error> {
        let levels = Levels::new(patterns)?;
        let clock = Clock { watermarks, late: Timestamp::MIN, through: Timestamp::MIN };
        Ok(Intake { levels, identities: OnceLock::new(), clock, next_position: 0 })
    }

    pub(crate) fn restore(&mut self, position: u64, late: Timestamp, through: Timestamp) {
        self.next_position = position;
        self.clock.late = late;
        self.clock.through = through;
    }

    /// The patterns by level, with the classes of their keys, which shards share.
    pub fn levels(&self) -> &Levels {
        &self.levels
    }

    /// What tells its patterns, which are these, from others.
    pub(crate) fn identities(&self, patterns: &Patterns) -> Arc<[Identity]> {
        self.identities.get_or_init(|| identity::of_all(patterns, &self.levels)).clone()
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

    /// Takes an event in: gives it to those of `shards` shards that own its keys. One that is late, or has no key, comes out.
    #[inline]
    pub fn admit<E: Event>(
        &mut self,
        event: E,
        shards: usize,
        out: &mut Outputs<E>,
        give: impl FnMut(usize, Parcel<E>),
    ) {
        self.admit_at(self.next_position, event, shards, out, give);
    }

    /// As [`Intake::admit`], at a position of the caller's: of events with the same time, the one with the lower position comes
    /// first. Positions are different, and below [`LEVEL_POSITIONS`](crate::LEVEL_POSITIONS).
    #[inline]
    pub fn admit_at<E: Event>(
        &mut self,
        position: u64,
        event: E,
        shards: usize,
        out: &mut Outputs<E>,
        mut give: impl FnMut(usize, Parcel<E>),
    ) {
        self.next_position = position + 1;
        let time = event.time();
        if time <= self.clock.late {
            return out.late.push(event);
        }
        self.clock.observe(time);
        let through = self.clock.through;
        match self.only_route(&event, shards) {
            Some(Ok(route)) => give(route.shard, Parcel::whole(event, position, through, route)),
            Some(Err(part)) => out.rejected.push(without_key(event.into(), part)),
            None => match self.route_each(&event, shards).as_deref() {
                Ok([route]) => give(route.shard, Parcel::whole(event, position, through, *route)),
                Ok(routes) => {
                    let event = Arc::new(event);
                    routes.iter().for_each(|route| {
                        give(route.shard, Parcel::shared(event.clone(), position, through, *route));
                    });
                }
                Err(part) => out.rejected.push(without_key(event.into(), part)),
            },
        }
    }

    /// The shards that own the event's keys. An event without one of the keys still goes to the patterns whose key it
    /// has; one of a stream that no pattern reads goes nowhere.
    ///
    /// # Errors
    /// The name of a part of a key that it does not have, if it has none.
    pub(crate) fn route<E: Event>(&self, event: &E, shards: usize) -> Result<SmallVec<[Route; 1]>, &str> {
        match self.only_route(event, shards) {
            Some(route) => Ok(SmallVec::from_buf([route?])),
            None => self.route_each(event, shards),
        }
    }

    /// Most sets of patterns have one key, which is the same for all that they read.
    #[inline]
    fn only_route<E: Event>(&self, event: &E, shards: usize) -> Option<Result<Route, &str>> {
        let classes = self.levels.only_key().filter(|classes| classes.reads(0, event.stream()))?;
        let hash = classes.with_key(0, event, ALL_WAYS, key_hash);
        Some(hash.map(|hash| Route { shard: shard_of(hash, shards), level: 0, classes: 1, hash, ways: ALL_WAYS }))
    }

    fn route_each<E: Event>(&self, event: &E, shards: usize) -> Result<SmallVec<[Route; 1]>, &str> {
        let mut routes = Routes { routes: SmallVec::new(), missing: None, shards };
        for (level, of_level) in self.levels.iter().enumerate() {
            for class in 0..of_level.classes.len() {
                if of_level.classes.reads(class, event.stream()) {
                    routes.add_class(level, &of_level.classes, class, event);
                }
            }
        }
        match routes.missing {
            Some(part) if routes.routes.is_empty() => Err(part),
            _ => Ok(routes.routes),
        }
    }
}

/// Where an event goes, as far as that is known.
struct Routes<'c> {
    routes: SmallVec<[Route; 1]>,
    /// A part of a key that it does not have.
    missing: Option<&'c str>,
    shards: usize,
}

impl<'c> Routes<'c> {
    fn add_class<E: Event>(&mut self, level: usize, classes: &'c KeyClasses, class: usize, event: &E) {
        if let Some(ways) = classes.ways(class, event.stream()) {
            return self.add_ways(level, classes, class, &ways, event);
        }
        match classes.with_key(class, event, ALL_WAYS, key_hash) {
            Ok(hash) => {
                let shard = shard_of(hash, self.shards);
                let is_there = |known: &&mut Route| (known.shard, known.level, known.ways) == (shard, level, ALL_WAYS);
                match self.routes.iter_mut().find(is_there) {
                    Some(known) => known.classes |= 1 << class,
                    None => self.routes.push(Route { shard, level, classes: 1 << class, hash, ways: ALL_WAYS }),
                }
            }
            Err(part) => self.missing = Some(part),
        }
    }

    /// Where the key differs by stage: the event goes to each key that one of the ways gives, once.
    fn add_ways<E: Event>(&mut self, level: usize, classes: &'c KeyClasses, class: usize, ways: &[u8], event: &E) {
        let first = self.routes.len();
        let mut keys: SmallVec<[Key; 4]> = SmallVec::new();
        for way in ways {
            let ways = 1 << way;
            let key = match classes.with_key(class, event, ways, Key::of) {
                Ok(key) => key,
                Err(part) => {
                    self.missing = Some(part);
                    continue;
                }
            };
            if let Some(known) = keys.iter().position(|known| known.iter().zip(&*key).all(|(a, b)| a.is_same(b))) {
                self.routes[first + known].ways |= ways;
                continue;
            }
            let hash = key_hash(&key);
            let shard = shard_of(hash, self.shards);
            self.routes.push(Route { shard, level, classes: 1 << class, hash, ways });
            keys.push(key);
        }
    }
}

/// The shard that owns a key: shards own ranges of key groups.
pub(crate) fn shard_of(hash: u64, shards: usize) -> usize {
    ((hash % KEY_GROUPS) as usize * shards) / KEY_GROUPS as usize
}
