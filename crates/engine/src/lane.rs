//! One pattern in one shard: the runs of each key, and when their windows end.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::sync::Arc;

use ensue_model::hash::key_hash;
use ensue_model::output::Taken;
use ensue_model::pattern::StageId;
use ensue_model::{Event, Match, Partial, Timeout, Timestamp, Value};
use ensue_nfa::{Context, Incoming, Overflow, Program, Runs, SUBSETS_MAX, Scratch, Sink, Size};
use hashbrown::HashTable;

use crate::config::{Config, Limits, OnFull, Watermarks};
use crate::error::Full;
use crate::output::{Outputs, Rejected, Shed};

/// The runs of one pattern.
#[derive(Debug)]
pub(crate) struct Lane<E> {
    pattern: usize,
    program: Arc<Program>,
    scratch: Scratch,
    /// The keys with open runs, by where they are in `keyed`.
    places: HashTable<u32>,
    keyed: Vec<Keyed<E>>,
    free: Vec<u32>,
    /// When windows end. A run may have ended earlier, and its key may be another by then: closing what is not due does
    /// nothing.
    windows: Windows,
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
            Watermarks::Ascending | Watermarks::OutOfOrder(_) => Closing::InTurn,
        }
    }
}

/// When windows end, the earliest first.
#[derive(Debug)]
enum Windows {
    /// Starts come in the order of time, and the window is the same for all.
    Queue(VecDeque<WindowEnd>),
    /// Steps have windows of their own: for each key the next end.
    Heap(BinaryHeap<Reverse<WindowEnd>>),
}

impl Windows {
    fn new(program: &Program) -> Self {
        if program.has_step_windows() { Windows::Heap(BinaryHeap::new()) } else { Windows::Queue(VecDeque::new()) }
    }

    fn first(&self) -> Option<&WindowEnd> {
        match self {
            Windows::Queue(queue) => queue.front(),
            Windows::Heap(heap) => heap.peek().map(|Reverse(first)| first),
        }
    }

    fn pop(&mut self) -> Option<WindowEnd> {
        match self {
            Windows::Queue(queue) => queue.pop_front(),
            Windows::Heap(heap) => heap.pop().map(|Reverse(first)| first),
        }
    }

    fn push(&mut self, end: WindowEnd) {
        match self {
            Windows::Queue(queue) => queue.push_back(end),
            Windows::Heap(heap) => heap.push(Reverse(end)),
        }
    }
}

#[derive(Debug)]
struct Keyed<E> {
    hash: u64,
    key: Arc<[Value<'static>]>,
    runs: Runs<E>,
    /// How much the runs are.
    size: Size,
    /// Where steps have windows: the end that was noted last.
    noted: Option<Timestamp>,
}

/// When the window of the runs that started with one event ends.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct WindowEnd {
    pub(crate) deadline: Timestamp,
    pub(crate) start_position: u64,
    place: u32,
}

impl<E: Event> Lane<E> {
    pub(crate) fn new(pattern: usize, program: Arc<Program>, config: &Config) -> Self {
        let Config { limits, timeouts, .. } = config;
        let of_runs =
            ensue_nfa::Limits { events_per_run: limits.events_per_run, matches_per_event: limits.matches_per_event };
        Lane {
            pattern,
            scratch: Scratch::new(&program, *timeouts, of_runs),
            windows: Windows::new(&program),
            closing: Closing::new(&program, config.watermarks),
            program,
            places: HashTable::new(),
            keyed: Vec::new(),
            free: Vec::new(),
            size: Size::default(),
            limits: limits.clone(),
            shed: Shed::default(),
        }
    }

    /// The earliest window end that has not come yet; none where windows are closed by key.
    pub(crate) fn next_window_end(&self) -> Option<WindowEnd> {
        self.windows.first().copied().filter(|_| !self.is_closed_by_key())
    }

    /// Whether windows are closed at the events of their key and at watermarks only.
    pub(crate) fn is_closed_by_key(&self) -> bool {
        self.closing == Closing::ByKey
    }

    /// Where windows are closed by key, closes those that end up to `through`.
    pub(crate) fn close_by_key(&mut self, through: Timestamp, out: &mut Outputs<E>) {
        while self.is_closed_by_key() && self.windows.first().is_some_and(|end| end.deadline <= through) {
            self.close_first_window(through, out);
        }
    }

    /// How many evaluations had no result.
    pub(crate) fn faults(&self) -> u64 {
        self.scratch.faults()
    }

    /// How many keys have open runs.
    pub(crate) fn key_count(&self) -> usize {
        self.places.len()
    }

    /// Gives an event to the runs of its key. `others` is how much the runs of other patterns are.
    pub(crate) fn step(
        &mut self,
        key: &[Value<'_>],
        incoming: &mut Incoming<E>,
        others: Size,
        out: &mut Outputs<E>,
    ) -> Result<(), Reached> {
        let hash = key_hash(key);
        let mut known = self.find(hash, key);
        if self.is_closed_by_key() {
            known = known.filter(|place| self.close(*place, incoming.time(), out));
        }
        if self.limits.on_full == OnFull::RejectEvent && self.reject_if_full(known, key, incoming, others, out) {
            return Ok(());
        }
        let Lane { program, scratch, keyed, .. } = self;
        let mut sink = KeySink { pattern: self.pattern, key, shared: None, out };
        let context = Context { program, key };
        let (place, stepped) = match known {
            Some(place) => {
                let keyed = &mut keyed[place as usize];
                sink.shared = Some(&keyed.key);
                (place, context.step(&mut keyed.runs, incoming, scratch, &mut sink))
            }
            None => {
                let mut runs = Runs::default();
                let stepped = context.step(&mut runs, incoming, scratch, &mut sink);
                if runs.is_empty() {
                    return self.overflowed();
                }
                (self.insert(Keyed { hash, key: own(key), runs, size: Size::default(), noted: None }), stepped)
            }
        };
        if stepped.has_changed {
            self.measure(place);
        }
        let kept = self.keep_in_limits(place, others);
        if self.keyed[place as usize].runs.is_empty() {
            self.remove(place);
        } else {
            self.note_window(place, incoming, stepped.has_started);
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
        let limits = [
            ("open_runs_per_key", of_key.runs, open_runs_per_key),
            ("open_runs", all.runs, open_runs),
            ("bytes_per_key", of_key.bytes as u64, bytes_per_key as u64),
            ("bytes", all.bytes as u64, bytes as u64),
        ];
        let reached = limits.into_iter().find(|(_, now, limit)| now > limit);
        reached.map(|(name, _, limit)| Reached::new(name, limit))
    }

    fn reject_if_full(
        &mut self,
        known: Option<u32>,
        key: &[Value<'_>],
        incoming: &mut Incoming<E>,
        others: Size,
        out: &mut Outputs<E>,
    ) -> bool {
        let of_key = known.map_or(Size::default(), |place| self.keyed[place as usize].size);
        let Some(reached) = self.reached(of_key, others) else { return false };
        self.shed.events += 1;
        let reason = format!("key {} is full: the limit `{}` of {} is reached", show(key), reached.name, reached.limit);
        out.rejected.push(Rejected { event: incoming.share(), reason });
        true
    }

    fn keep_in_limits(&mut self, place: u32, others: Size) -> Result<(), Reached> {
        while let Some(reached) = self.reached(self.keyed[place as usize].size, others) {
            match self.limits.on_full {
                OnFull::Stop => return Err(reached),
                // What made it full stays; the next event does not come in.
                OnFull::RejectEvent => return Ok(()),
                OnFull::DropOldest => {
                    let dropped = self.keyed[place as usize].runs.drop_oldest(&self.scratch);
                    self.shed.runs += dropped;
                    self.measure(place);
                    if dropped == 0 {
                        return Ok(());
                    }
                }
            }
        }
        Ok(())
    }

    /// Takes the size of a key's runs anew.
    fn measure(&mut self, place: u32) {
        let Keyed { runs, size, .. } = &mut self.keyed[place as usize];
        let now = runs.size(&self.scratch);
        self.size = self.size - *size + now;
        *size = now;
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
    pub(crate) fn full(&self, pattern: &str, key: &[Value<'_>], reached: Reached) -> Full {
        Full { pattern: pattern.to_owned(), key: show(key), name: reached.name, limit: reached.limit }
    }

    /// Notes when time next does something to the runs of a key.
    fn note_window(&mut self, place: u32, incoming: &Incoming<E>, has_started: bool) {
        match (&self.windows, self.program.within()) {
            (Windows::Heap(_), _) => self.note_next_due(place),
            (Windows::Queue(_), Some(within)) if has_started => {
                let deadline = incoming.time() + within;
                self.windows.push(WindowEnd { deadline, start_position: incoming.position(), place });
            }
            (Windows::Queue(_), _) => {}
        }
    }

    fn note_next_due(&mut self, place: u32) {
        let Keyed { key, runs, noted, .. } = &mut self.keyed[place as usize];
        let next = Context { program: &self.program, key }.next_due(runs, &mut self.scratch);
        if let Some(deadline) = next
            && noted.is_none_or(|noted| deadline < noted)
        {
            *noted = next;
            self.windows.push(WindowEnd { deadline, start_position: 0, place });
        }
    }

    /// Closes the window that ends first, and the others of its key that end up to `now`.
    pub(crate) fn close_first_window(&mut self, now: Timestamp, out: &mut Outputs<E>) {
        let Some(WindowEnd { place, .. }) = self.windows.pop() else { return };
        if !self.keyed[place as usize].runs.is_empty() {
            self.close(place, now, out);
        }
    }

    /// Closes the windows of a key that end up to `now`; gives whether runs are left.
    fn close(&mut self, place: u32, now: Timestamp, out: &mut Outputs<E>) -> bool {
        let Keyed { key, runs, noted, .. } = &mut self.keyed[place as usize];
        *noted = None;
        let (matches, timeouts) = (out.matches.len(), out.timeouts.len());
        let mut sink = KeySink { pattern: self.pattern, key, shared: Some(key), out };
        let context = Context { program: &self.program, key };
        match self.closing {
            Closing::InTurn => context.close_in_turn(runs, now, &mut self.scratch, &mut sink),
            Closing::Together | Closing::ByKey => context.close(runs, now, &mut self.scratch, &mut sink),
        }
        let is_over = runs.is_empty();
        out.sort_from(matches, timeouts);
        self.measure(place);
        if is_over {
            self.remove(place);
        } else if matches!(self.windows, Windows::Heap(_)) {
            self.note_next_due(place);
        }
        !is_over
    }

    fn find(&self, hash: u64, key: &[Value<'_>]) -> Option<u32> {
        let is_key = |place: &u32| {
            let keyed = &self.keyed[*place as usize];
            keyed.hash == hash && keyed.key.iter().zip(key).all(|(a, b)| a.is_same(b))
        };
        self.places.find(hash, is_key).copied()
    }

    fn insert(&mut self, keyed: Keyed<E>) -> u32 {
        let hash = keyed.hash;
        let place = match self.free.pop() {
            Some(place) => {
                self.keyed[place as usize] = keyed;
                place
            }
            None => {
                self.keyed.push(keyed);
                self.keyed.len() as u32 - 1
            }
        };
        let Lane { places, keyed, .. } = self;
        places.insert_unique(hash, place, |place| keyed[*place as usize].hash);
        place
    }

    /// Forgets a key without open runs.
    fn remove(&mut self, place: u32) {
        let hash = self.keyed[place as usize].hash;
        if let Ok(entry) = self.places.find_entry(hash, |other| *other == place) {
            entry.remove();
            self.free.push(place);
        }
    }

    /// The keys with open runs, and their runs.
    pub(crate) fn open(&self) -> impl Iterator<Item = (&Arc<[Value<'static>]>, &Runs<E>)> {
        self.keyed.iter().filter(|keyed| !keyed.runs.is_empty()).map(|keyed| (&keyed.key, &keyed.runs))
    }

    pub(crate) fn parts(&mut self) -> (&Program, &mut Scratch) {
        (&self.program, &mut self.scratch)
    }

    pub(crate) fn scratch(&self) -> &Scratch {
        &self.scratch
    }

    /// Takes over the runs of a key from a snapshot; their windows must follow with [`Lane::restore_windows`].
    pub(crate) fn restore(&mut self, key: Arc<[Value<'static>]>, runs: Runs<E>) {
        let hash = key_hash(&key);
        let place = self.insert(Keyed { hash, key, runs, size: Size::default(), noted: None });
        self.measure(place);
    }

    /// Finds the ends of the windows of all runs that are open.
    pub(crate) fn restore_windows(&mut self) {
        if matches!(self.windows, Windows::Heap(_)) {
            (0..self.keyed.len() as u32).for_each(|place| self.note_next_due(place));
            return;
        }
        let Some(within) = self.program.within() else { return };
        let mut windows: Vec<WindowEnd> = Vec::new();
        for (place, keyed) in self.keyed.iter().enumerate() {
            windows.extend(keyed.runs.starts().map(|(time, start_position)| WindowEnd {
                deadline: time + within,
                start_position,
                place: place as u32,
            }));
        }
        windows.sort();
        windows.dedup();
        self.windows = Windows::Queue(windows.into());
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

fn own(key: &[Value<'_>]) -> Arc<[Value<'static>]> {
    key.iter().map(|part| part.borrowed().into_owned()).collect()
}

/// Adds the pattern and the key to what the matcher gives.
struct KeySink<'k, E> {
    pattern: usize,
    key: &'k [Value<'k>],
    /// The key, once an output or a run holds it.
    shared: Option<&'k Arc<[Value<'static>]>>,
    out: &'k mut Outputs<E>,
}

impl<E> KeySink<'_, E> {
    fn run(&self, events: Vec<(StageId, Taken<E>)>) -> Partial<E> {
        let key = self.shared.map_or_else(|| own(self.key), Arc::clone);
        Partial { pattern: self.pattern, key, events }
    }
}

impl<E> Sink<E> for KeySink<'_, E> {
    fn matched(&mut self, events: Vec<(StageId, Taken<E>)>, at: Timestamp) {
        let run = self.run(events);
        self.out.matches.push(Match { run, at });
    }

    fn timed_out(&mut self, events: Vec<(StageId, Taken<E>)>, deadline: Timestamp, awaiting: &[StageId]) {
        let run = self.run(events);
        self.out.timeouts.push(Timeout { run, deadline, awaiting: awaiting.to_vec() });
    }
}
