//! A key with its open runs, for all patterns that have this key: what an event needs of them lies together, and is looked
//! up once, whatever the number of patterns.

use ensue_model::{Event, Key, Span, Timestamp, Value};
use ensue_nfa::Runs;

/// A key with its open runs.
#[derive(Debug)]
pub(crate) struct Keyed<E> {
    pub(crate) key: Key,
    /// The part of its hash that the table keeps.
    pub(crate) hash: u32,
    /// The lane of the only runs.
    lane: u32,
    open: Open<E>,
}

/// The open runs of a key. Most keys have those of one pattern, and need no memory but their place in the table.
#[derive(Debug)]
enum Open<E> {
    One(Runs<E>),
    /// In the order of the lanes.
    Several(Vec<OfLane<E>>),
}

/// The runs of one pattern.
#[derive(Debug)]
struct OfLane<E> {
    lane: u32,
    runs: Runs<E>,
}

impl<E: Event> Keyed<E> {
    /// A key with the runs of one lane.
    pub(crate) fn new(key: Key, hash: u32, lane: u32, runs: Runs<E>) -> Self {
        Keyed { key, hash, lane, open: Open::One(runs) }
    }

    #[inline]
    pub(crate) fn is_of(&self, key: &[Value<'_>]) -> bool {
        self.key.iter().zip(key).all(|(part, other)| part.is_same(other))
    }

    /// Whether no lane has runs.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        match &self.open {
            Open::One(runs) => runs.is_empty(),
            Open::Several(all) => all.is_empty(),
        }
    }

    /// The key, and the runs of a lane.
    #[inline]
    pub(crate) fn of_lane(&mut self, lane: u32) -> (&Key, Option<&mut Runs<E>>) {
        let runs = match &mut self.open {
            Open::One(runs) => (self.lane == lane).then_some(runs),
            Open::Several(all) => match all.binary_search_by_key(&lane, |of_lane| of_lane.lane) {
                Ok(found) => Some(&mut all[found].runs),
                Err(_) => None,
            },
        };
        (&self.key, runs)
    }

    /// Adds the runs of a lane that has none.
    pub(crate) fn add(&mut self, lane: u32, runs: Runs<E>) {
        if let Open::One(only) = &mut self.open {
            let first = OfLane { lane: self.lane, runs: std::mem::take(only) };
            self.open = Open::Several(vec![first]);
        }
        if let Open::Several(all) = &mut self.open {
            let place = all.partition_point(|of_lane| of_lane.lane <= lane);
            all.insert(place, OfLane { lane, runs });
        }
    }

    /// Lets go of the lanes without runs.
    #[inline]
    pub(crate) fn settle(&mut self) {
        if let Open::Several(all) = &mut self.open {
            all.retain(|of_lane| !of_lane.runs.is_empty());
        }
    }

    /// The lanes with their runs.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u32, &Runs<E>)> {
        let (one, several) = match &self.open {
            Open::One(runs) => (Some((self.lane, runs)), &[][..]),
            Open::Several(all) => (None, &all[..]),
        };
        one.into_iter().chain(several.iter().map(|of_lane| (of_lane.lane, &of_lane.runs)))
    }

    /// Gives `close` the lanes in which windows of this length may end up to `now`, with the key.
    #[inline]
    pub(crate) fn each_ending(&mut self, within: Span, now: Timestamp, mut close: impl FnMut(u32, &Key, &mut Runs<E>)) {
        let Keyed { key, lane, open, .. } = self;
        match open {
            Open::One(runs) => close(*lane, key, runs),
            Open::Several(all) => {
                let ending = all.iter_mut().filter(|of_lane| of_lane.runs.may_end(within, now));
                ending.for_each(|of_lane| close(of_lane.lane, key, &mut of_lane.runs));
            }
        }
    }

    /// Reads a little of what the next event of the key will need. What it gives means nothing.
    #[inline]
    pub(crate) fn touch(&self) -> i64 {
        match &self.open {
            Open::One(runs) => runs.touch(),
            Open::Several(all) => all.iter().map(|of_lane| i64::from(of_lane.lane)).sum(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_open_key_is_a_line_of_the_cache() {
        assert_eq!(size_of::<Option<Keyed<u64>>>(), 64);
    }
}
