//! The keys of one class with their open runs, for all patterns of the class.

use ensue_model::hash::key_hash;
use ensue_model::{Event, Key, Span, Timestamp, Value};
use ensue_nfa::{Incoming, Runs, Size};
use smallvec::SmallVec;

use crate::keyed::Keyed;
use crate::lane::{Lane, Reached};
use crate::open_keys::{OpenKeys, part_of};
use crate::output::Outputs;
use crate::shard::LOOK_AHEAD;

/// The keys of one class with their open runs.
#[derive(Debug)]
pub(crate) struct KeyTable<E> {
    keys: OpenKeys<Keyed<E>>,
}

/// An event that has come to a key.
pub(crate) struct Arrival<'a, E> {
    pub(crate) incoming: &'a Incoming<E>,
    pub(crate) key: &'a [Value<'a>],
    /// The hash of the key.
    pub(crate) hash: u64,
    /// Where the key is, if it has open runs.
    pub(crate) place: Option<u32>,
    pub(crate) out: &'a mut Outputs<E>,
}

/// With fewer keys, what events need is in the cache.
const READ_AHEAD_MIN: usize = 2_048;

impl<E: Event> KeyTable<E> {
    pub(crate) fn new() -> Self {
        KeyTable { keys: OpenKeys::new() }
    }

    /// The place of a key with open runs.
    #[inline]
    pub(crate) fn find(&self, hash: u64, key: &[Value<'_>]) -> Option<u32> {
        self.keys.find(hash, |keyed| keyed.is_of(key))
    }

    /// Whether the key at a place has runs in a lane.
    #[inline]
    pub(crate) fn has(&self, place: Option<u32>, lane: u32) -> bool {
        place.is_some_and(|place| self.keys.get(place).has(lane))
    }

    /// Gives an event to the runs that its key has in one lane, if it has any. Gives when time next does something to them, where
    /// that was found out. `all` is how much the runs of all patterns are.
    #[inline]
    pub(crate) fn step(
        &mut self,
        number: u32,
        lane: &mut Lane,
        arrival: &mut Arrival<'_, E>,
        all: &mut Size,
    ) -> Result<Option<Timestamp>, Reached> {
        let Some(place) = arrival.place else { return self.step_new(number, lane, arrival, all) };
        let keyed = self.keys.get_mut(place);
        match keyed.of_lane(number) {
            (key, Some(runs)) => {
                let end = lane.step_known(key, runs, arrival, all);
                if runs.is_empty() {
                    keyed.remove(number);
                    arrival.place = self.settle(place);
                }
                end
            }
            (_, None) if !lane.would_begin(arrival, all)? => Ok(None),
            (key, None) => {
                let (runs, end) = lane.begin(key, arrival, all)?;
                if !runs.is_empty() {
                    keyed.add(number, runs);
                }
                Ok(end)
            }
        }
    }

    /// As [`KeyTable::step`], of a key without runs.
    fn step_new(
        &mut self,
        number: u32,
        lane: &mut Lane,
        arrival: &mut Arrival<'_, E>,
        all: &mut Size,
    ) -> Result<Option<Timestamp>, Reached> {
        if !lane.would_begin(arrival, all)? {
            return Ok(None);
        }
        let key = Key::of(arrival.key);
        let (runs, end) = lane.begin(&key, arrival, all)?;
        if !runs.is_empty() {
            let keyed = Keyed::new(key, part_of(arrival.hash), number, runs);
            arrival.place = Some(self.keys.insert(arrival.hash, keyed));
        }
        Ok(end)
    }

    /// Closes the windows of this length of a key that end up to `now`, in all lanes. If the key that they were noted for is gone,
    /// nothing is due at its place.
    #[inline]
    pub(crate) fn close(
        &mut self,
        place: u32,
        within: Span,
        now: Timestamp,
        lanes: &mut [Lane],
        all: &mut Size,
        out: &mut Outputs<E>,
    ) {
        let Some(keyed) = self.keys.at_mut(place) else { return };
        keyed.each_ending(within, now, |number, key, runs| {
            let lane = &mut lanes[number as usize];
            if lane.ends_with_key() {
                lane.close(key, runs, now, all, out);
            }
        });
        self.settle(place);
    }

    /// Closes the windows of a key in one lane. Gives when time next does something to its runs, where that was found out.
    pub(crate) fn close_in(
        &mut self,
        place: u32,
        number: u32,
        lane: &mut Lane,
        now: Timestamp,
        all: &mut Size,
        out: &mut Outputs<E>,
    ) -> Option<Timestamp> {
        let keyed = self.keys.at_mut(place)?;
        let (key, runs) = keyed.of_lane(number);
        let runs = runs?;
        let end = lane.close(key, runs, now, all, out);
        if runs.is_empty() {
            keyed.remove(number);
            self.settle(place);
        }
        end
    }

    /// Lets go of a key without runs; gives its place if it stays.
    #[inline]
    fn settle(&mut self, place: u32) -> Option<u32> {
        let keyed = self.keys.get(place);
        if !keyed.is_empty() {
            return Some(place);
        }
        self.keys.remove(keyed.hash, place);
        None
    }

    /// Takes over the runs of a key in a lane; when all are there, they must be [sorted](KeyTable::sort).
    pub(crate) fn restore(&mut self, key: Key, lane: u32, runs: Runs<E>) {
        let hash = key_hash(&key);
        match self.find(hash, &key) {
            Some(place) => self.keys.get_mut(place).add(lane, runs),
            None => drop(self.keys.insert(hash, Keyed::new(key, part_of(hash), lane, runs))),
        }
    }

    /// A key with its runs in a lane, if it has any.
    pub(crate) fn runs_of(&self, lane: u32, key: &[Value<'_>]) -> Option<(&Key, &Runs<E>)> {
        let keyed = self.keys.get(self.find(key_hash(key), key)?);
        keyed.iter().find(|(of, _)| *of == lane).map(|(_, runs)| (&keyed.key, runs))
    }

    /// Puts the runs of each key, which were added in any order, into that in which they began.
    pub(crate) fn sort(&mut self) {
        self.keys.iter_mut().for_each(Keyed::sort);
    }

    /// The runs that are open: of which key, at which place, and in which lane.
    pub(crate) fn open(&self) -> impl Iterator<Item = (&Key, u32, u32, &Runs<E>)> {
        self.keys
            .iter()
            .flat_map(|(place, keyed)| keyed.iter().map(move |(lane, runs)| (&keyed.key, place, lane, runs)))
    }

    /// Reads a little of what events with keys of these hashes will need. What it gives means nothing.
    pub(crate) fn touch(&self, hashes: &[u64]) -> i64 {
        let places: SmallVec<[u32; LOOK_AHEAD]> = hashes.iter().filter_map(|hash| self.keys.probe(*hash)).collect();
        touch_all(places.iter().filter_map(|place| self.keys.at(*place)))
    }

    /// As [`KeyTable::touch`], for windows of this length that were noted at some places and end up to `now`.
    pub(crate) fn touch_ending(&self, places: &[u32], within: Span, now: Timestamp) -> i64 {
        let keyed = places.iter().filter_map(|place| self.keys.at(*place));
        touch_all(keyed.filter(|keyed| keyed.may_end(within, now)))
    }

    /// Whether there are so many keys that what an event needs is seldom in the cache.
    #[inline]
    pub(crate) fn is_large(&self) -> bool {
        self.keys.len() >= READ_AHEAD_MIN
    }
}

/// Reads a little of all keys, then of what that leads to in all of them, and so on: key by key, one would wait for each piece of
/// memory until the next is known. What it gives means nothing.
fn touch_all<'k, E: Event + 'k>(keyed: impl Iterator<Item = &'k Keyed<E>>) -> i64 {
    let keyed: SmallVec<[&Keyed<E>; LOOK_AHEAD]> = keyed.collect();
    let mut touched = keyed.iter().fold(0, |touched, keyed| touched ^ keyed.touch());
    touched ^= keyed.iter().fold(0, |touched, keyed| touched ^ keyed.touch_behind());
    let events: SmallVec<[&E; LOOK_AHEAD]> = keyed.iter().filter_map(|keyed| keyed.first_event()).collect();
    touched ^= events.iter().fold(0, |touched, event| touched ^ event.time().as_micros());
    events.iter().fold(touched, |touched, event| touched ^ event.touch())
}
