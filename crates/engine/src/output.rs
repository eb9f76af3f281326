//! What comes out of an engine, each kind apart.

use std::sync::Arc;

use ensue_model::pattern::StageId;
use ensue_model::{Match, Partial, Timeout, Timestamp};

/// What came out, each kind apart and in its order. The caller drains it.
#[derive(Debug)]
pub struct Outputs<E> {
    /// Matches, in event time; those of one event in the order in which their runs started.
    pub matches: Vec<Match<E>>,
    /// Timeouts, in the order of their deadlines; those of one deadline in the order in which their runs started.
    pub timeouts: Vec<Timeout<E>>,
    /// Events that came at or before the watermark.
    pub late: Vec<E>,
    /// Events without a key, or for a key that is full.
    pub rejected: Vec<Rejected<E>>,
}

/// An event that a pattern could not take in, and why.
#[derive(Debug)]
pub struct Rejected<E> {
    /// The event; other patterns may have taken it.
    pub event: Arc<E>,
    /// Why, in one sentence.
    pub reason: String,
}

/// What was given up at limits.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Shed {
    /// Events that a pattern did not take in because their key, or the engine, was full.
    pub events: u64,
    /// Open runs that were dropped.
    pub runs: u64,
    /// Events at which a run was too long to take on, or the matches too many to come out.
    pub overflows: u64,
}

impl Shed {
    /// Adds what was given up elsewhere.
    pub fn add(&mut self, other: Shed) {
        self.events += other.events;
        self.runs += other.runs;
        self.overflows += other.overflows;
    }
}

impl<E> Default for Outputs<E> {
    fn default() -> Self {
        Outputs { matches: Vec::new(), timeouts: Vec::new(), late: Vec::new(), rejected: Vec::new() }
    }
}

impl<E> Outputs<E> {
    /// Nothing came out yet.
    pub fn new() -> Self {
        Outputs::default()
    }

    /// Whether nothing came out.
    pub fn is_empty(&self) -> bool {
        self.matches.is_empty() && self.timeouts.is_empty() && self.late.is_empty() && self.rejected.is_empty()
    }

    /// Takes over what came out elsewhere, behind what is here.
    pub fn append(&mut self, other: &mut Outputs<E>) {
        self.matches.append(&mut other.matches);
        self.timeouts.append(&mut other.timeouts);
        self.late.append(&mut other.late);
        self.rejected.append(&mut other.rejected);
    }

    /// Puts into order what several shards gave for the same stretch of time.
    pub fn sort(&mut self) {
        self.matches.sort_by_cached_key(|found| (found.at, order_of(&found.run)));
        self.timeouts.sort_by_cached_key(|found| (found.deadline, order_of(&found.run)));
    }
}

/// Runs come out by their start, then by their events, then by pattern, then by the stages that took the events.
pub(crate) fn order_of<E>(run: &Partial<E>) -> (Vec<(Timestamp, u64)>, usize, Vec<StageId>) {
    let events = run.events.iter().map(|(_, taken)| (taken.time, taken.position));
    (events.collect(), run.pattern, run.events.iter().map(|(stage, _)| *stage).collect())
}
