//! What comes out of an engine, each kind apart.

use std::cmp::Ordering;
use std::sync::Arc;

use ensue_model::pattern::StageId;
use ensue_model::{Match, Partial, Timeout, Timestamp};
use ensue_nfa::Size;

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

/// What a pattern has open in one stack, and what it has counted there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Load {
    /// The pattern, by its place among the patterns.
    pub pattern: usize,
    /// How much its open runs are.
    pub size: Size,
    /// How many keys have open runs.
    pub keys: usize,
    /// How many evaluations of its conditions had no result.
    pub faults: u64,
    /// What was given up at limits.
    pub shed: Shed,
}

/// Open runs of a pattern that wait for the same stages.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Place {
    /// The pattern, by its place among the patterns.
    pub pattern: usize,
    /// The stages that can take their next event.
    pub awaiting: Vec<StageId>,
    /// How many runs there are.
    pub runs: u64,
    /// When the first of them began.
    pub oldest: Timestamp,
}

/// How many open runs are asked for at most.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Most {
    /// So many runs.
    pub runs: usize,
    /// No more runs when those that there are have so many events in all.
    pub events: usize,
}

/// Some open runs of a key.
#[derive(Debug)]
pub struct OpenRuns<E> {
    /// How many there are; where not all were asked for, those may be counted too that a window has closed.
    pub count: u64,
    /// The first of them.
    pub runs: Vec<Open<E>>,
}

/// An open run.
#[derive(Debug)]
pub struct Open<E> {
    /// What it has taken.
    pub run: Partial<E>,
    /// The stages that can take its next event.
    pub awaiting: Vec<StageId>,
    /// When it ends by its windows, if time goes on alone; none where no window of time ends it.
    pub end: Option<Timestamp>,
}

impl<E> Default for OpenRuns<E> {
    fn default() -> Self {
        OpenRuns { count: 0, runs: Vec::new() }
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

    /// Puts into order what came out together, from these places on: by time, and then as runs come out.
    pub(crate) fn sort_from(&mut self, matches: usize, timeouts: usize) {
        if self.matches.len() > matches + 1 {
            self.matches[matches..].sort_by(|a, b| a.at.cmp(&b.at).then_with(|| compare(&a.run, &b.run)));
        }
        if self.timeouts.len() > timeouts + 1 {
            self.timeouts[timeouts..].sort_by(|a, b| a.deadline.cmp(&b.deadline).then_with(|| compare(&a.run, &b.run)));
        }
    }

    /// Puts together, in event time, what several shards gave for the same stretch of time. What one shard gave keeps its
    /// order: keys do not part, and what comes out of a key late keeps its place.
    pub fn merge(shards: Vec<Outputs<E>>, out: &mut Outputs<E>) {
        let (mut matches, mut timeouts) = (Vec::new(), Vec::new());
        for mut shard in shards {
            matches.push(shard.matches.into_iter());
            timeouts.push(shard.timeouts.into_iter());
            out.late.append(&mut shard.late);
            out.rejected.append(&mut shard.rejected);
        }
        merge_by(matches, |found| found.at, &mut out.matches);
        merge_by(timeouts, |lapsed| lapsed.deadline, &mut out.timeouts);
    }
}

/// Runs come out by their start, then by their events, then by pattern, then by the stages that took the events.
fn compare<E>(a: &Partial<E>, b: &Partial<E>) -> Ordering {
    events(a).cmp(events(b)).then_with(|| a.pattern.cmp(&b.pattern)).then_with(|| stages(a).cmp(stages(b)))
}

fn events<E>(run: &Partial<E>) -> impl Iterator<Item = (Timestamp, u64)> {
    run.events.iter().map(|(_, taken)| (taken.time, taken.position))
}

fn stages<E>(run: &Partial<E>) -> impl Iterator<Item = StageId> {
    run.events.iter().map(|(stage, _)| *stage)
}

/// Of the first of each sequence, the earliest comes next, and of equal ones that of the first shard.
fn merge_by<T>(sequences: Vec<std::vec::IntoIter<T>>, time: impl Fn(&T) -> Timestamp, out: &mut Vec<T>) {
    let mut heads: Vec<_> = sequences.into_iter().map(Iterator::peekable).collect();
    loop {
        let first = heads.iter_mut().enumerate().filter_map(|(shard, head)| Some((time(head.peek()?), shard))).min();
        let Some((_, shard)) = first else { return };
        out.extend(heads[shard].next());
    }
}
