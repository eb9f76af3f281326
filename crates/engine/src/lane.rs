//! One pattern in one shard: the runs of each key, and when their windows end.

use std::collections::VecDeque;
use std::sync::Arc;

use ensue_model::hash::key_hash;
use ensue_model::output::Taken;
use ensue_model::pattern::StageId;
use ensue_model::{Event, Match, Partial, Timeout, Timestamp, Value};
use ensue_nfa::{Context, Incoming, Program, Runs, Scratch, Sink};
use hashbrown::HashTable;

use crate::output::Outputs;

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
    /// When windows end. Starts come in the order of time and the window is the same for all, so it is a queue. A run may
    /// have ended earlier, and its key may be another by then: closing windows that are not due does nothing.
    windows: VecDeque<WindowEnd>,
}

#[derive(Debug)]
struct Keyed<E> {
    hash: u64,
    key: Arc<[Value<'static>]>,
    runs: Runs<E>,
}

/// When the window of the runs that started with one event ends.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct WindowEnd {
    pub(crate) deadline: Timestamp,
    pub(crate) start_position: u64,
    place: u32,
}

impl<E: Event> Lane<E> {
    pub(crate) fn new(pattern: usize, program: Arc<Program>, wants_timeouts: bool) -> Self {
        Lane {
            pattern,
            scratch: Scratch::new(&program, wants_timeouts),
            program,
            places: HashTable::new(),
            keyed: Vec::new(),
            free: Vec::new(),
            windows: VecDeque::new(),
        }
    }

    /// The earliest window end that has not come yet.
    pub(crate) fn next_window_end(&self) -> Option<WindowEnd> {
        self.windows.front().copied()
    }

    /// How many evaluations had no result.
    pub(crate) fn faults(&self) -> u64 {
        self.scratch.faults()
    }

    /// How many keys have open runs.
    pub(crate) fn key_count(&self) -> usize {
        self.places.len()
    }

    /// Gives an event to the runs of its key; gives whether a window began.
    pub(crate) fn step(&mut self, key: &[Value<'_>], incoming: &mut Incoming<E>, out: &mut Outputs<E>) -> bool {
        let hash = key_hash(key);
        let place = self.find(hash, key);
        let Lane { program, scratch, keyed, .. } = self;
        let mut sink = KeySink { pattern: self.pattern, key, shared: None, out };
        let has_started = match place {
            Some(place) => {
                let keyed = &mut keyed[place as usize];
                sink.shared = Some(&keyed.key);
                let context = Context { program, key };
                context.step(&mut keyed.runs, incoming, scratch, &mut sink)
            }
            None => {
                let mut runs = Runs::default();
                let has_started = Context { program, key }.step(&mut runs, incoming, scratch, &mut sink);
                if !runs.is_empty() {
                    self.insert(Keyed { hash, key: own(key), runs });
                }
                has_started
            }
        };
        let place = place.or_else(|| self.find(hash, key));
        let Some(place) = place else { return false };
        if self.keyed[place as usize].runs.is_empty() {
            self.remove(place);
        } else if has_started && let Some(within) = self.program.within() {
            let deadline = incoming.time() + within;
            self.windows.push_back(WindowEnd { deadline, start_position: incoming.position(), place });
            return true;
        }
        false
    }

    /// Closes the window that ends first, and the others of its key that end up to `now`.
    pub(crate) fn close_first_window(&mut self, now: Timestamp, out: &mut Outputs<E>) {
        let Some(WindowEnd { place, .. }) = self.windows.pop_front() else { return };
        let keyed = &mut self.keyed[place as usize];
        if keyed.runs.is_empty() {
            return;
        }
        let Keyed { key, runs, .. } = keyed;
        let mut sink = KeySink { pattern: self.pattern, key, shared: Some(key), out };
        Context { program: &self.program, key }.close(runs, now, &mut self.scratch, &mut sink);
        if runs.is_empty() {
            self.remove(place);
        }
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
        self.insert(Keyed { hash, key, runs });
    }

    /// Finds the ends of the windows of all runs that are open.
    pub(crate) fn restore_windows(&mut self) {
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
        self.windows = windows.into();
    }
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
