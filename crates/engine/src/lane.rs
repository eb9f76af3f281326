//! One pattern in one shard: the runs of each key, and when their windows end.

use std::ops::ControlFlow;
use std::sync::Arc;

use ensue_model::hash::key_hash;
use ensue_model::output::Taken;
use ensue_model::pattern::StageId;
use ensue_model::{Event, Key, Match, Partial, Tables, Timeout, Timestamp, Value};
use ensue_nfa::{Asked, Conditions, Incoming, OpenRun, Overflow, Program, Runs, SUBSETS_MAX, Scratch, Sink, Size};
use smallvec::SmallVec;

use crate::config::{Config, Limits, OnFull, Watermarks};
use crate::error::Full;
use crate::keys::KeyClasses;
use crate::open_keys::OpenKeys;
use crate::output::{Load, Most, Open, OpenRuns, Outputs, Place, Rejected, Shed};
use crate::places::Places;
use crate::shard::LOOK_AHEAD;
use crate::windows::EndsOf;

/// The runs of one pattern.
#[derive(Debug)]
pub(crate) struct Lane<E> {
    pattern: usize,
    program: Arc<Program>,
    scratch: Scratch,
    keys: OpenKeys<Keyed<E>>,
    ends: EndsOf,
    /// When time next does something to the runs of a place, if that was found out since it was last asked.
    new_end: Option<(Timestamp, u32)>,
    closing: Closing,
    /// How much all open runs are.
    size: Size,
    limits: Limits,
    shed: Shed,
}

/// How time passes for the runs of a key. Without a skip strategy it makes no difference.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Closing {
    /// All that is over ends together.
    Together,
    /// One end after the other: where events move time, it passes every instant.
    InTurn,
    /// All that is over ends together, at each event of the key and at each watermark: explicit watermarks under a skip
    /// strategy, as in Flink. What other keys see must make no difference.
    ByKey,
}

impl Closing {
    fn new(program: &Program, watermarks: Watermarks) -> Self {
        match watermarks {
            _ if !program.skips() => Closing::Together,
            Watermarks::Explicit => Closing::ByKey,
            Watermarks::Steady | Watermarks::Ascending | Watermarks::OutOfOrder(_) => Closing::InTurn,
        }
    }
}

/// A key with its open runs.
#[derive(Debug)]
struct Keyed<E> {
    key: Key,
    runs: Runs<E>,
}

/// What a lane has of the key of an event.
pub(crate) enum Found {
    /// Runs, at this place.
    Known(u32),
    /// No runs, but the event starts one, or is a match by itself.
    New(Key),
    /// No runs, and there will be none.
    Nothing,
}

/// An event that has come to the lanes of a class of keys.
pub(crate) struct Arrival<'a, E> {
    pub(crate) incoming: &'a Incoming<E>,
    pub(crate) classes: &'a KeyClasses,
    pub(crate) class: usize,
    /// The hash of its key.
    pub(crate) hash: u64,
    pub(crate) out: &'a mut Outputs<E>,
}

impl<E: Event> Arrival<'_, E> {
    /// The key, which the intake has seen to be there.
    fn key(&self) -> Key {
        let key = self.classes.with_key(self.class, self.incoming.event(), self.incoming.ways(), Key::of);
        key.expect("the intake has seen the key")
    }
}

impl<E: Event> Lane<E> {
    pub(crate) fn new(pattern: usize, program: Arc<Program>, config: &Config, conditions: &mut Conditions) -> Self {
        let Config { limits, timeouts, .. } = config;
        let of_runs =
            ensue_nfa::Limits { events_per_run: limits.events_per_run, matches_per_event: limits.matches_per_event };
        Lane {
            pattern,
            scratch: Scratch::new(&program, *timeouts, of_runs, conditions),
            ends: match program.within() {
                _ if program.has_step_windows() => EndsOf::Steps,
                Some(within) => EndsOf::Starts(within),
                None => EndsOf::Never,
            },
            new_end: None,
            closing: Closing::new(&program, config.watermarks),
            program,
            keys: OpenKeys::new(),
            size: Size::default(),
            limits: limits.clone(),
            shed: Shed::default(),
        }
    }

    pub(crate) fn program(&self) -> &Program {
        &self.program
    }

    /// How the ends of its windows come.
    pub(crate) fn ends(&self) -> EndsOf {
        self.ends
    }

    /// When time next does something to the runs of a place, if that was found out since this was last asked.
    #[inline]
    pub(crate) fn take_new_end(&mut self) -> Option<(Timestamp, u32)> {
        self.new_end.take()
    }

    /// Whether windows are closed at the events of their key and at watermarks only.
    pub(crate) fn is_closed_by_key(&self) -> bool {
        self.closing == Closing::ByKey
    }

    pub(crate) fn pattern(&self) -> usize {
        self.pattern
    }

    /// Gives conditions other reference data.
    pub(crate) fn set_tables(&mut self, tables: Tables) {
        self.scratch.set_tables(tables);
    }

    /// How many evaluations had no result.
    pub(crate) fn faults(&self) -> u64 {
        self.scratch.faults()
    }

    /// What is open, and what was counted.
    pub(crate) fn load(&self) -> Load {
        let Lane { pattern, size, shed, .. } = *self;
        Load { pattern, size, keys: self.key_count(), faults: self.faults(), shed }
    }

    /// Where the open runs wait. Looks at all of them.
    pub(crate) fn places(&mut self) -> impl Iterator<Item = Place> {
        let Lane { pattern, program, scratch, keys, .. } = self;
        let mut places = Places::default();
        for (_, keyed) in keys.iter() {
            keyed.runs.each_place(program, scratch, |stages, runs, first| places.add(stages, runs, first));
        }
        places.of(*pattern)
    }

    /// The open runs of a key at `now`, as far as they are asked for.
    pub(crate) fn runs_of(&mut self, key: &[Value<'_>], now: Timestamp, most: Most) -> OpenRuns<E> {
        let Some(place) = self.find(key_hash(key), key) else { return OpenRuns::default() };
        let Lane { pattern, program, scratch, keys, .. } = self;
        let Keyed { key, runs: of_key } = keys.get(place);
        let (mut runs, mut taken) = (Vec::new(), 0);
        let flow = of_key.each_open(program, scratch, now, |OpenRun { events, awaiting, end }| {
            if runs.len() >= most.runs || taken >= most.events {
                return ControlFlow::Break(());
            }
            taken += events.len();
            runs.push(Open { run: Partial { pattern: *pattern, key: key.clone(), events }, awaiting, end });
            ControlFlow::Continue(())
        });
        let count = if flow.is_break() { of_key.count_open() } else { runs.len() as u64 };
        OpenRuns { count, runs }
    }

    /// How many keys have open runs.
    pub(crate) fn key_count(&self) -> usize {
        self.keys.len()
    }

    /// Reads a little of what events with keys of these hashes will need, all at once: one after the other, each would wait
    /// for the memory. What it gives means nothing.
    pub(crate) fn touch(&self, hashes: &[u64]) -> i64 {
        let places: SmallVec<[u32; LOOK_AHEAD]> = hashes.iter().filter_map(|hash| self.keys.probe(*hash)).collect();
        self.touch_places(places.into_iter())
    }

    pub(crate) fn touch_places(&self, places: impl Iterator<Item = u32>) -> i64 {
        let touched = places.filter_map(|place| self.keys.at(place));
        touched.map(|keyed| keyed.runs.touch()).fold(0, i64::wrapping_add)
    }

    /// Whether an event can make a difference to any key, if this is what was found out of its conditions.
    pub(crate) fn concerns(&mut self, incoming: &Incoming<E>, asked: &[Asked], conditions: &mut Conditions) -> bool {
        self.program.is_concerned(incoming, asked, &mut self.scratch, conditions) || self.is_closed_by_key()
    }

    /// What there is of the key of an event that concerns the pattern.
    #[inline]
    pub(crate) fn find_for(&mut self, incoming: &Incoming<E>, hash: u64, key: &[Value<'_>]) -> Found {
        match self.find(hash, key) {
            Some(place) => Found::Known(place),
            None if self.program.starts(incoming, &mut self.scratch) => Found::New(Key::of(key)),
            None => Found::Nothing,
        }
    }

    /// Gives an event to the runs of its key. `others` is how much the runs of other patterns are.
    pub(crate) fn step(&mut self, found: Found, arrival: &mut Arrival<'_, E>, others: Size) -> Result<(), Reached> {
        if self.limits.on_full == OnFull::RejectEvent && self.reject_if_full(&found, arrival, others) {
            return Ok(());
        }
        match found {
            Found::Known(place) => self.step_known(place, arrival, others),
            Found::New(key) => self.step_new(key, arrival, others),
            Found::Nothing => self.overflowed(),
        }
    }

    fn step_known(&mut self, place: u32, arrival: &mut Arrival<'_, E>, others: Size) -> Result<(), Reached> {
        let Lane { program, scratch, keys, size, pattern, .. } = self;
        let Keyed { key, runs, .. } = keys.get_mut(place);
        let before = runs.size(scratch);
        let mut sink = KeySink { pattern: *pattern, key, out: arrival.out };
        let stepped = program.step(runs, arrival.incoming, scratch, &mut sink);
        if !stepped.has_changed {
            return self.overflowed();
        }
        let after = runs.size(scratch);
        *size = *size - before + after;
        let kept = self.keep_in_limits(place, after, others);
        self.settle(place, arrival, stepped.has_started, kept)
    }

    /// A key that has no runs yet.
    fn step_new(&mut self, key: Key, arrival: &mut Arrival<'_, E>, others: Size) -> Result<(), Reached> {
        let Lane { program, scratch, keys, size, pattern, .. } = self;
        let mut runs = Runs::default();
        let mut sink = KeySink { pattern: *pattern, key: &key, out: arrival.out };
        let stepped = program.step(&mut runs, arrival.incoming, scratch, &mut sink);
        if runs.is_empty() {
            return self.overflowed();
        }
        let after = runs.size(scratch);
        *size = *size + after;
        let place = keys.insert(arrival.hash, Keyed { key, runs });
        let kept = self.keep_in_limits(place, after, others);
        self.settle(place, arrival, stepped.has_started, kept)
    }

    /// What follows when the runs of a key have changed.
    fn settle(
        &mut self,
        place: u32,
        arrival: &Arrival<'_, E>,
        has_started: bool,
        kept: Result<(), Reached>,
    ) -> Result<(), Reached> {
        if self.keys.get(place).runs.is_empty() {
            self.keys.remove(arrival.hash, place);
        } else {
            self.note_window(place, arrival.incoming, has_started);
        }
        kept.and_then(|()| self.overflowed())
    }

    /// Takes note of a limit that the matcher itself came to.
    fn overflowed(&mut self) -> Result<(), Reached> {
        let Some(overflow) = self.scratch.take_overflow() else { return Ok(()) };
        self.shed.overflows += 1;
        let reached = match overflow {
            Overflow::EventsPerRun => Reached::new("events_per_run", self.limits.events_per_run.into()),
            Overflow::MatchesPerEvent => Reached::new("matches_per_event", self.limits.matches_per_event.into()),
            Overflow::Subsets => return Err(Reached::new("subsets of the automaton", SUBSETS_MAX as u64)),
        };
        if self.limits.on_full == OnFull::Stop { Err(reached) } else { Ok(()) }
    }

    /// The limit that the runs of a key, or all runs, are beyond.
    fn reached(&self, of_key: Size, others: Size) -> Option<Reached> {
        let Limits { open_runs_per_key, open_runs, bytes_per_key, bytes, .. } = self.limits;
        let all = self.size + others;
        let is_kept = of_key.runs <= open_runs_per_key && of_key.bytes <= bytes_per_key;
        if is_kept && all.runs <= open_runs && all.bytes <= bytes {
            return None;
        }
        let limits = [
            ("open_runs_per_key", of_key.runs, open_runs_per_key),
            ("open_runs", all.runs, open_runs),
            ("bytes_per_key", of_key.bytes as u64, bytes_per_key as u64),
            ("bytes", all.bytes as u64, bytes as u64),
        ];
        let reached = limits.into_iter().find(|(_, now, limit)| now > limit);
        reached.map(|(name, _, limit)| Reached::new(name, limit))
    }

    fn reject_if_full(&mut self, found: &Found, arrival: &mut Arrival<'_, E>, others: Size) -> bool {
        let of_key = match found {
            Found::Known(place) => self.keys.get(*place).runs.size(&self.scratch),
            Found::New(_) | Found::Nothing => Size::default(),
        };
        let Some(reached) = self.reached(of_key, others) else { return false };
        self.shed.events += 1;
        let key = show(&arrival.key());
        let reason = format!("key {key} is full: the limit `{}` of {} is reached", reached.name, reached.limit);
        arrival.out.rejected.push(Rejected { event: arrival.incoming.share(), reason });
        true
    }

    fn keep_in_limits(&mut self, place: u32, mut of_key: Size, others: Size) -> Result<(), Reached> {
        while let Some(reached) = self.reached(of_key, others) {
            match self.limits.on_full {
                OnFull::Stop => return Err(reached),
                // What made it full stays; the next event does not come in.
                OnFull::RejectEvent => return Ok(()),
                OnFull::DropOldest => {
                    let Lane { keys, scratch, size, .. } = self;
                    let runs = &mut keys.get_mut(place).runs;
                    let dropped = runs.drop_oldest(scratch);
                    *size = *size - of_key;
                    of_key = runs.size(scratch);
                    *size = *size + of_key;
                    self.shed.runs += dropped;
                    if dropped == 0 {
                        return Ok(());
                    }
                }
            }
        }
        Ok(())
    }

    /// How much all open runs are.
    pub(crate) fn size(&self) -> Size {
        self.size
    }

    /// What was given up at limits.
    pub(crate) fn shed(&self) -> Shed {
        self.shed
    }

    /// A limit that was reached with a key, for the error.
    pub(crate) fn full(&self, pattern: &str, arrival: &Arrival<'_, E>, reached: Reached) -> Full {
        Full { pattern: pattern.to_owned(), key: show(&arrival.key()), name: reached.name, limit: reached.limit }
    }

    /// Notes when time next does something to the runs of a key.
    fn note_window(&mut self, place: u32, incoming: &Incoming<E>, has_started: bool) {
        match self.ends {
            EndsOf::Steps => self.note_next_due(place),
            EndsOf::Starts(within) if has_started => self.new_end = Some((incoming.time() + within, place)),
            EndsOf::Starts(_) | EndsOf::Never => {}
        }
    }

    fn note_next_due(&mut self, place: u32) {
        let due = self.program.next_due(&self.keys.get(place).runs, &mut self.scratch);
        self.new_end = due.map(|deadline| (deadline, place));
    }

    /// Whether a place has a key. If the one that a window was noted for is gone, nothing is due at its place.
    #[inline]
    pub(crate) fn has(&self, place: u32) -> bool {
        self.keys.at(place).is_some()
    }

    /// Closes the windows of a key that end up to `now`.
    pub(crate) fn close(&mut self, place: u32, now: Timestamp, out: &mut Outputs<E>) {
        let Lane { program, scratch, keys, size, pattern, closing, .. } = self;
        let Keyed { key, runs } = keys.get_mut(place);
        let before = runs.size(scratch);
        let (matches, timeouts) = (out.matches.len(), out.timeouts.len());
        let mut sink = KeySink { pattern: *pattern, key, out };
        match closing {
            Closing::InTurn => program.close_in_turn(runs, now, scratch, &mut sink),
            Closing::Together | Closing::ByKey => program.close(runs, now, scratch, &mut sink),
        }
        *size = *size - before + runs.size(scratch);
        let is_over = runs.is_empty();
        out.sort_from(matches, timeouts);
        if is_over {
            let hash = key_hash(&self.keys.get(place).key);
            self.keys.remove(hash, place);
        } else if self.ends == EndsOf::Steps {
            self.note_next_due(place);
        }
    }

    /// The place of a key with open runs.
    pub(crate) fn find(&self, hash: u64, key: &[Value<'_>]) -> Option<u32> {
        self.keys.find(hash, |keyed| keyed.key.iter().zip(key).all(|(a, b)| a.is_same(b)))
    }

    /// The keys with open runs, and their runs.
    pub(crate) fn open(&self) -> impl Iterator<Item = (&Key, &Runs<E>)> {
        self.keys.iter().map(|(_, keyed)| (&keyed.key, &keyed.runs))
    }

    pub(crate) fn parts(&mut self) -> (&Program, &mut Scratch) {
        (&self.program, &mut self.scratch)
    }

    pub(crate) fn scratch(&self) -> &Scratch {
        &self.scratch
    }

    /// Takes over the runs of a key from a snapshot; their windows must follow.
    pub(crate) fn restore(&mut self, key: Key, runs: Runs<E>) {
        if runs.is_empty() {
            return;
        }
        self.size = self.size + runs.size(&self.scratch);
        self.keys.insert(key_hash(&key), Keyed { key, runs });
    }

    /// The ends of the windows of all runs that are open, in any order.
    pub(crate) fn find_ends(&mut self) -> Vec<(Timestamp, u32)> {
        let Lane { program, scratch, keys, ends, .. } = self;
        let mut found = Vec::new();
        for (place, keyed) in keys.iter() {
            match ends {
                EndsOf::Never => {}
                EndsOf::Starts(within) => {
                    found.extend(keyed.runs.starts().map(|(time, _)| (time + *within, place)));
                }
                EndsOf::Steps => {
                    found.extend(program.next_due(&keyed.runs, scratch).map(|deadline| (deadline, place)));
                }
            }
        }
        found
    }
}

/// A limit that was reached.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Reached {
    name: &'static str,
    limit: u64,
}

impl Reached {
    fn new(name: &'static str, limit: u64) -> Self {
        Reached { name, limit }
    }
}

/// A key as a message shows it.
fn show(key: &[Value<'_>]) -> String {
    let parts: Vec<String> = key.iter().map(Value::to_string).collect();
    if parts.is_empty() { "(none)".to_owned() } else { parts.join(", ") }
}

/// Adds the pattern and the key to what the matcher gives.
struct KeySink<'k, E> {
    pattern: usize,
    key: &'k Key,
    out: &'k mut Outputs<E>,
}

impl<E> KeySink<'_, E> {
    fn run(&self, events: Vec<(StageId, Taken<E>)>) -> Partial<E> {
        Partial { pattern: self.pattern, key: self.key.clone(), events }
    }
}

impl<E> Sink<E> for KeySink<'_, E> {
    fn matched(&mut self, events: Vec<(StageId, Taken<E>)>, at: Timestamp) {
        let run = self.run(events);
        self.out.matches.push(Match { run, at, record: None });
    }

    fn timed_out(&mut self, events: Vec<(StageId, Taken<E>)>, deadline: Timestamp, awaiting: Vec<StageId>) {
        let run = self.run(events);
        self.out.timeouts.push(Timeout { run, deadline, awaiting, record: None });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_open_key_takes_few_bytes() {
        assert_eq!(size_of::<Option<Keyed<u64>>>(), 56);
    }
}
