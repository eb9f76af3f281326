//! The memory of one key: the groups of runs that are open, by where they wait.

use std::collections::{HashMap, VecDeque};
use std::ops::{Add, Sub};

use ensue_model::output::Taken;
use ensue_model::pattern::StageId;
use ensue_model::{Event, Timestamp};
use serde::{Deserialize, Serialize};

use crate::graph::{Graph, NodeId, SavedGraph};
use crate::matcher::Scratch;
use crate::ordered::{Ordered, OrderedRun};
use crate::program::{Program, StateId};
use crate::registers::Registers;
use crate::subsets::{Position, SubsetId};

/// The open runs of one key.
#[derive(Debug)]
pub struct Runs<E> {
    pub(crate) waiting: Vec<Waiting>,
    /// The runs in their place under a skip strategy.
    pub(crate) ordered: Ordered,
    pub(crate) graph: Graph<E>,
}

/// The runs that wait in one subset.
#[derive(Debug)]
pub(crate) struct Waiting {
    pub(crate) subset: SubsetId,
    pub(crate) groups: VecDeque<Group>,
}

/// Runs that nothing can tell apart: they wait in the same subset, and no later condition, and, where starts count, no
/// window, makes a difference between them.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Group {
    /// Where they began, if starts are told apart; else where the latest did.
    pub(crate) start: Start,
    /// The runs.
    pub(crate) runs: NodeId,
    pub(crate) registers: Registers,
}

/// The event that a run began with.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub(crate) struct Start {
    pub(crate) time: Timestamp,
    pub(crate) position: u64,
}

impl<E> Default for Runs<E> {
    fn default() -> Self {
        Runs { waiting: Vec::new(), ordered: Ordered::default(), graph: Graph::default() }
    }
}

impl<E: Event> Runs<E> {
    /// Whether no run is open, so that the key needs no memory.
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty() && self.ordered.is_empty()
    }

    /// How much the open runs are. Where starts are told apart, as many runs as there are; where they move together, one for
    /// each group, since a run that is not spelled out costs nothing.
    pub fn size(&self, scratch: &Scratch) -> Size {
        let groups = self.waiting.iter().flat_map(|waiting| &waiting.groups);
        let (count, runs) = groups.fold((0, 0), |(count, runs): (usize, u64), group| {
            let extent = self.graph.extent(group.runs);
            (count + 1, runs + if scratch.tells_starts_apart() { u64::from(extent.runs) } else { 1 })
        });
        let ordered = self.ordered.len();
        Size {
            runs: runs + ordered as u64,
            bytes: self.graph.bytes() + count * size_of::<Group>() + ordered * size_of::<OrderedRun>(),
        }
    }

    /// Drops the runs that started first, where starts are told apart; else the groups that began first. Gives how many.
    pub fn drop_oldest(&mut self, scratch: &Scratch) -> u64 {
        let Some(oldest) = self.starts().min() else { return 0 };
        let before = self.size(scratch).runs;
        for waiting in &mut self.waiting {
            waiting.groups.retain(|group| (group.start.time, group.start.position) != oldest);
        }
        self.waiting.retain(|waiting| !waiting.groups.is_empty());
        self.ordered.drop_start(oldest);
        let dropped = before - self.size(scratch).runs;
        self.collect(Timestamp::MIN);
        dropped
    }

    /// The time and the position of the events that open runs began with; where starts are not told apart, of the latest.
    pub fn starts(&self) -> impl Iterator<Item = (Timestamp, u64)> {
        let groups = self.waiting.iter().flat_map(|waiting| &waiting.groups);
        groups.map(|group| (group.start.time, group.start.position)).chain(self.ordered.starts())
    }

    /// Frees what no open run needs, where that pays.
    pub(crate) fn sweep(&mut self, closed: Timestamp) {
        if self.is_empty() || self.graph.wants_sweep() {
            self.collect(closed);
        }
    }

    fn collect(&mut self, closed: Timestamp) {
        if self.is_empty() {
            self.graph = Graph::default();
        } else {
            let graph = &mut self.graph;
            for waiting in &mut self.waiting {
                waiting.groups.retain(|group| graph.latest(group.runs) > closed);
            }
            self.waiting.retain(|waiting| !waiting.groups.is_empty());
            let groups = self.waiting.iter_mut().flat_map(|waiting| &mut waiting.groups);
            let roots = groups.map(|group| &mut group.runs).chain(self.ordered.roots());
            graph.sweep(&mut roots.collect::<Vec<_>>(), closed);
        }
    }

    /// The runs as a snapshot holds them: with states in place of what a cache made of them.
    pub fn save(&self, scratch: &Scratch) -> SavedRuns<E> {
        let waiting = self.waiting.iter().map(|waiting| {
            let position = scratch.position(waiting.subset);
            SavedWaiting {
                states: position.states.iter().map(|state| state.0).collect(),
                matched: position.matched,
                groups: waiting.groups.clone(),
            }
        });
        SavedRuns { waiting: waiting.collect(), ordered: self.ordered.clone(), graph: self.graph.save() }
    }

    /// The runs that a snapshot holds. None if it is of another program: a state is not there.
    pub fn load(saved: SavedRuns<E>, program: &Program, scratch: &mut Scratch) -> Option<Self> {
        let mut waiting = Vec::with_capacity(saved.waiting.len());
        for SavedWaiting { states, matched, groups } in saved.waiting {
            if states.iter().any(|state| *state as usize >= program.state_count()) {
                return None;
            }
            let states = states.into_iter().map(StateId).collect();
            waiting.push(Waiting { subset: scratch.intern(program, Position { states, matched }), groups });
        }
        let graph = Graph::load(saved.graph)?;
        let roots = waiting.iter().flat_map(|waiting| &waiting.groups);
        let is_whole = roots.into_iter().all(|group| graph.has(group.runs));
        let is_whole = is_whole && saved.ordered.is_whole(&graph, program.state_count());
        is_whole.then_some(Runs { waiting, ordered: saved.ordered, graph })
    }
}

/// How much the open runs of a key are.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Size {
    /// How many.
    pub runs: u64,
    /// How many bytes they take, about.
    pub bytes: usize,
}

impl Add for Size {
    type Output = Size;

    fn add(self, other: Size) -> Size {
        Size { runs: self.runs + other.runs, bytes: self.bytes + other.bytes }
    }
}

impl Sub for Size {
    type Output = Size;

    fn sub(self, part: Size) -> Size {
        Size { runs: self.runs - part.runs, bytes: self.bytes - part.bytes }
    }
}

/// The open runs of one key as a snapshot holds them.
#[derive(Debug, Serialize, Deserialize)]
#[serde(bound(serialize = "E: Serialize", deserialize = "E: Deserialize<'de>"))]
pub struct SavedRuns<E> {
    waiting: Vec<SavedWaiting>,
    ordered: Ordered,
    graph: SavedGraph<E>,
}

#[derive(Debug, Serialize, Deserialize)]
struct SavedWaiting {
    states: Vec<u32>,
    matched: bool,
    groups: VecDeque<Group>,
}

/// The groups that came to one subset with an event, put to those that wait there.
pub(crate) fn settle<E: Event>(waiting: &mut Waiting, arrived: Vec<Group>, graph: &mut Graph<E>, by_start: bool) {
    if arrived.iter().chain(&waiting.groups).any(|group| group.registers.is_some()) {
        settle_by_registers(waiting, arrived, graph, by_start);
    } else if by_start {
        settle_by_start(waiting, arrived, graph);
    } else {
        arrived.into_iter().for_each(|group| unite(&mut waiting.groups, group, graph));
    }
}

/// Starts do not count: there is one group.
fn unite<E: Event>(groups: &mut VecDeque<Group>, arrived: Group, graph: &mut Graph<E>) {
    match groups.front_mut() {
        Some(group) => group.join(arrived, graph),
        None => groups.push_back(arrived),
    }
}

/// Both sides are in the order of their starts, and so is the outcome.
fn settle_by_start<E: Event>(waiting: &mut Waiting, arrived: Vec<Group>, graph: &mut Graph<E>) {
    let is_later = |group: &Group| waiting.groups.back().is_none_or(|last| last.start < group.start);
    if arrived.first().is_some_and(is_later) && arrived.is_sorted_by(|a, b| a.start < b.start) {
        waiting.groups.extend(arrived);
        return;
    }
    let mut merged: VecDeque<Group> = VecDeque::with_capacity(waiting.groups.len() + arrived.len());
    let mut here = std::mem::take(&mut waiting.groups).into_iter().peekable();
    for group in arrived {
        while let Some(earlier) = here.next_if(|earlier| earlier.start <= group.start) {
            merged.push_back(earlier);
        }
        match merged.back_mut() {
            Some(last) if last.start == group.start => last.join(group, graph),
            _ => merged.push_back(group),
        }
    }
    merged.extend(here);
    waiting.groups = merged;
}

fn settle_by_registers<E: Event>(waiting: &mut Waiting, arrived: Vec<Group>, graph: &mut Graph<E>, by_start: bool) {
    let mut places: HashMap<(Option<Start>, Registers), usize> = HashMap::new();
    let mut merged: Vec<Group> = Vec::with_capacity(waiting.groups.len() + arrived.len());
    for group in std::mem::take(&mut waiting.groups).into_iter().chain(arrived) {
        let place = (by_start.then_some(group.start), group.registers.clone());
        match places.get(&place) {
            Some(place) => merged[*place].join(group, graph),
            None => {
                places.insert(place, merged.len());
                merged.push(group);
            }
        }
    }
    merged.sort_by_key(|group| group.start);
    waiting.groups = merged.into();
}

impl Group {
    fn join<E: Event>(&mut self, other: Group, graph: &mut Graph<E>) {
        self.runs = graph.union(self.runs, other.runs);
        self.start = self.start.max(other.start);
    }
}

/// A run's events in the order in which they were taken.
pub(crate) type Spelled<E> = Vec<(StageId, Taken<E>)>;
