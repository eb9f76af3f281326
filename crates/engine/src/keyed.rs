//! A key with its open runs, for all patterns that have this key: what an event needs of them lies together, and is looked
//! up once, whatever the number of patterns.

use std::collections::VecDeque;

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
    Several(Box<Several<E>>),
}

/// Runs of several lanes, in the order in which they began: those whose windows end next are the first, and the others need not
/// be looked at. The lanes lie apart from them, so that to find one is to read little.
#[derive(Debug)]
struct Several<E> {
    lanes: VecDeque<u32>,
    runs: VecDeque<Runs<E>>,
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
            Open::Several(several) => several.lanes.is_empty(),
        }
    }

    /// Whether a lane has runs.
    #[inline]
    pub(crate) fn has(&self, lane: u32) -> bool {
        match &self.open {
            Open::One(_) => self.lane == lane,
            Open::Several(several) => several.place(lane).is_some(),
        }
    }

    /// The key, and the runs of a lane.
    #[inline]
    pub(crate) fn of_lane(&mut self, lane: u32) -> (&Key, Option<&mut Runs<E>>) {
        let runs = match &mut self.open {
            Open::One(runs) => (self.lane == lane).then_some(runs),
            Open::Several(several) => several.of_lane(lane),
        };
        (&self.key, runs)
    }

    /// Adds runs of a lane that has none, which began after all others.
    pub(crate) fn add(&mut self, lane: u32, runs: Runs<E>) {
        match &mut self.open {
            Open::One(first) => {
                let first = std::mem::take(first);
                let several = Several { lanes: [self.lane, lane].into(), runs: [first, runs].into() };
                self.open = Open::Several(Box::new(several));
            }
            Open::Several(several) => several.add(lane, runs),
        }
    }

    /// Puts runs that were added in any order into that in which they began.
    pub(crate) fn sort(&mut self) {
        if let Open::Several(several) = &mut self.open {
            several.sort();
        }
    }

    /// Lets go of a lane whose runs are over.
    #[inline]
    pub(crate) fn remove(&mut self, lane: u32) {
        if let Open::Several(several) = &mut self.open {
            several.remove(lane);
        }
    }

    /// The lanes with their runs.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u32, &Runs<E>)> {
        let (one, several) = match &self.open {
            Open::One(runs) => (Some((self.lane, runs)), None),
            Open::Several(several) => (None, Some(several.lanes.iter().copied().zip(&several.runs))),
        };
        one.into_iter().chain(several.into_iter().flatten())
    }

    /// Whether windows of this length may end up to `now`.
    #[inline]
    pub(crate) fn may_end(&self, within: Span, now: Timestamp) -> bool {
        match &self.open {
            Open::One(runs) => runs.may_end(within, now),
            Open::Several(_) => true,
        }
    }

    /// Gives `close` the lanes in which windows of this length may end up to `now`, with the key.
    #[inline]
    pub(crate) fn each_ending(&mut self, within: Span, now: Timestamp, mut close: impl FnMut(u32, &Key, &mut Runs<E>)) {
        let Keyed { key, lane, open, .. } = self;
        match open {
            Open::One(runs) if runs.may_end(within, now) => close(*lane, key, runs),
            Open::One(_) => {}
            Open::Several(several) => several.each_ending(within, now, |lane, runs| close(lane, key, runs)),
        }
    }

    /// Reads a little of where its runs are. What it gives means nothing.
    #[inline]
    pub(crate) fn touch(&self) -> i64 {
        match &self.open {
            Open::One(runs) => runs.touch(),
            Open::Several(several) => several.lanes.len() as i64,
        }
    }

    /// Reads a little of what [`Keyed::touch`] leads to. What it gives means nothing.
    #[inline]
    pub(crate) fn touch_behind(&self) -> i64 {
        let several = match &self.open {
            Open::One(_) => 0,
            Open::Several(several) => several.touch_behind(),
        };
        several ^ touch_text(&self.key)
    }

    /// The event that the first of its runs has taken, if it has taken one.
    #[inline]
    pub(crate) fn first_event(&self) -> Option<&E> {
        match &self.open {
            Open::One(runs) => runs.only_event(),
            Open::Several(several) => several.runs.front()?.only_event(),
        }
    }
}

/// The text of a key lies apart from it.
#[inline]
fn touch_text(key: &Key) -> i64 {
    let Some(Value::String(text)) = key.first() else { return 0 };
    text.as_str().bytes().next().map_or(0, i64::from)
}

impl<E: Event> Several<E> {
    #[inline]
    fn place(&self, lane: u32) -> Option<usize> {
        let (front, back) = self.lanes.as_slices();
        place_in(front, lane).or_else(|| Some(front.len() + place_in(back, lane)?))
    }

    fn of_lane(&mut self, lane: u32) -> Option<&mut Runs<E>> {
        let place = self.place(lane)?;
        Some(&mut self.runs[place])
    }

    fn add(&mut self, lane: u32, runs: Runs<E>) {
        self.lanes.push_back(lane);
        self.runs.push_back(runs);
    }

    fn remove(&mut self, lane: u32) {
        if let Some(place) = self.place(lane) {
            self.lanes.remove(place);
            self.runs.remove(place);
        }
    }

    fn sort(&mut self) {
        let mut all: Vec<(u32, Runs<E>)> = self.lanes.drain(..).zip(self.runs.drain(..)).collect();
        all.sort_by_key(|(_, runs)| runs.starts().min());
        all.into_iter().for_each(|(lane, runs)| self.add(lane, runs));
    }

    /// Gives `close` the runs of which windows of this length may end up to `now`; they come first. Lets go of those that end.
    fn each_ending(&mut self, within: Span, now: Timestamp, mut close: impl FnMut(u32, &mut Runs<E>)) {
        let mut place = 0;
        while let Some(runs) = self.runs.get_mut(place).filter(|runs| runs.may_end(within, now)) {
            close(self.lanes[place], runs);
            if runs.is_empty() {
                self.lanes.remove(place);
                self.runs.remove(place);
            } else {
                place += 1;
            }
        }
    }

    fn touch_behind(&self) -> i64 {
        // Runs that begin are put behind the last.
        let last = self.runs.back().map_or(0, |runs| i64::from(runs.is_empty()));
        last ^ self.lanes.iter().copied().map(i64::from).sum::<i64>()
    }
}

/// Where a lane stands. Most are not there: that is found out without a branch for each that is.
#[inline]
fn place_in(lanes: &[u32], lane: u32) -> Option<usize> {
    let is_there = lanes.iter().fold(false, |is_there, other| is_there | (*other == lane));
    is_there.then(|| lanes.iter().position(|other| *other == lane)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_open_key_is_a_line_of_the_cache() {
        assert_eq!(size_of::<Option<Keyed<u64>>>(), 64);
    }
}
