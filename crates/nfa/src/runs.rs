//! The memory of one key: its open runs, by where they wait.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::ops::{Add, Sub};

use ensue_model::output::Taken;
use ensue_model::pattern::StageId;
use ensue_model::{Event, Span, Timestamp};
use serde::{Deserialize, Serialize};

use crate::count::Count;
use crate::due::Begun;
use crate::graph::{Extent, Graph, NodeId, SavedGraph};
use crate::ordered::{Ordered, OrderedRun};
use crate::products::SavedProduct;
use crate::program::{Program, StateId};
use crate::registers::Registers;
use crate::scratch::Scratch;
use crate::subsets::{Position, SubsetId};

mod saved;

/// The open runs of one key. A single run that has taken one event, which is what most keys have, is small.
#[derive(Debug)]
pub struct Runs<E>(pub(crate) Held<E>);

#[derive(Debug)]
pub(crate) enum Held<E> {
    None,
    /// The only run of a key, which has taken one event and has no registers.
    One {
        taken: Taken<E>,
        subset: SubsetId,
        stage: StageId,
    },
    Many(Box<Many<E>>),
}

/// Any runs: groups of those that nothing can tell apart, over a graph of what they have taken.
#[derive(Debug)]
pub(crate) struct Many<E> {
    pub(crate) waiting: Vec<Waiting>,
    /// The runs in their place under a skip strategy.
    pub(crate) ordered: Ordered,
    pub(crate) graph: Graph<E>,
    /// The events of the key that have come, where they are counted.
    pub(crate) count: Count,
    /// Of the groups that wait, and of those that are on their way with the event at hand.
    pub(crate) tally: Tally,
}

/// The runs that wait in one subset.
#[derive(Debug)]
pub(crate) struct Waiting {
    pub(crate) subset: SubsetId,
    /// In the order of their starts.
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
    /// The number of the first event among those of its key, where these are counted.
    pub(crate) number: u32,
    pub(crate) registers: Registers,
}

/// The event that a run began with.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub(crate) struct Start {
    pub(crate) time: Timestamp,
    pub(crate) position: u64,
}

/// How many groups there are, and how many runs are in them.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(crate) struct Tally {
    groups: usize,
    runs: u64,
}

impl Tally {
    pub(crate) fn add(&mut self, group: Extent) {
        self.groups += 1;
        self.runs += u64::from(group.runs);
    }

    pub(crate) fn remove(&mut self, group: Extent) {
        self.groups -= 1;
        self.runs -= u64::from(group.runs);
    }
}

impl<E> Default for Runs<E> {
    fn default() -> Self {
        Runs(Held::None)
    }
}

impl<E> Default for Many<E> {
    fn default() -> Self {
        Many {
            waiting: Vec::new(),
            ordered: Ordered::default(),
            graph: Graph::default(),
            count: Count::NONE,
            tally: Tally::default(),
        }
    }
}

impl<E: Event> Runs<E> {
    /// Whether no run is open, so that the key needs no memory.
    pub fn is_empty(&self) -> bool {
        matches!(self.0, Held::None)
    }

    /// The events of the key that have come, where they are counted.
    pub(crate) fn count(&self) -> Count {
        match &self.0 {
            Held::None | Held::One { .. } => Count::NONE,
            Held::Many(many) => many.count,
        }
    }

    /// The runs in their general form.
    pub(crate) fn many(&mut self) -> &mut Many<E> {
        if let Held::None | Held::One { .. } = self.0 {
            let mut many = Box::<Many<E>>::default();
            if let Held::One { taken, subset, stage } = std::mem::replace(&mut self.0, Held::None) {
                many.add_one(taken, subset, stage);
            }
            self.0 = Held::Many(many);
        }
        match &mut self.0 {
            Held::Many(many) => many,
            Held::None | Held::One { .. } => unreachable!("they have become many"),
        }
    }

    /// Takes the only run, of one event, away.
    #[inline]
    pub(crate) fn take_one(&mut self) -> Option<(StageId, Taken<E>)> {
        match std::mem::replace(&mut self.0, Held::None) {
            Held::One { taken, stage, .. } => Some((stage, taken)),
            other => {
                self.0 = other;
                None
            }
        }
    }

    /// Lets the only run wait elsewhere.
    #[inline]
    pub(crate) fn move_one(&mut self, target: SubsetId) {
        if let Held::One { subset, .. } = &mut self.0 {
            *subset = target;
        }
    }

    /// Lets go of the general form where no run is left.
    pub(crate) fn settle(&mut self) {
        if let Held::Many(many) = &self.0
            && many.is_empty()
        {
            self.0 = Held::None;
        }
    }

    /// Whether a window of this length, from the start of a run, may end up to `now`; of many runs, that is not looked up.
    #[inline]
    pub fn may_end(&self, within: Span, now: Timestamp) -> bool {
        match &self.0 {
            Held::None => false,
            Held::One { taken, .. } => taken.time + within <= now,
            Held::Many(_) => true,
        }
    }

    /// The event that the only run of the key has taken, if it has taken one.
    #[inline]
    pub fn only_event(&self) -> Option<&E> {
        match &self.0 {
            Held::One { taken, .. } => Some(&taken.event),
            Held::None | Held::Many(_) => None,
        }
    }

    /// Reads a little of where the runs are, so that it is in the cache when the next event of the key comes. What it gives
    /// means nothing.
    #[inline]
    pub fn touch(&self) -> i64 {
        match &self.0 {
            Held::None | Held::One { .. } => 0,
            Held::Many(many) => many.waiting.len() as i64,
        }
    }

    /// How much the open runs are. Where starts are told apart, as many runs as there are; where they move together, one for
    /// each group, since a run that is not spelled out costs nothing.
    pub fn size(&self, scratch: &Scratch) -> Size {
        match &self.0 {
            Held::None => Size::default(),
            Held::One { taken, .. } => Size { runs: 1, bytes: size_of::<Self>() + taken.event.size() },
            Held::Many(many) => many.size(scratch),
        }
    }

    /// Drops the runs that started first, where starts are told apart; else the groups that began first. Gives how many.
    pub fn drop_oldest(&mut self, scratch: &Scratch) -> u64 {
        let dropped = match &mut self.0 {
            Held::None => 0,
            Held::One { .. } => {
                self.0 = Held::None;
                1
            }
            Held::Many(many) => many.drop_oldest(scratch),
        };
        self.settle();
        dropped
    }

    /// The time and the position of the events that open runs began with; where starts are not told apart, of the latest.
    pub fn starts(&self) -> impl Iterator<Item = (Timestamp, u64)> {
        let (one, many) = match &self.0 {
            Held::None => (None, None),
            Held::One { taken, .. } => (Some((taken.time, taken.position)), None),
            Held::Many(many) => (None, Some(many.starts())),
        };
        one.into_iter().chain(many.into_iter().flatten())
    }

    /// Tells where the open runs wait: by which stages their next event can be taken, how many runs, and when the first of them
    /// began. Where starts are not told apart, groups are counted as in [`Runs::size`], with the latest start.
    pub fn each_place(
        &self,
        program: &Program,
        scratch: &mut Scratch,
        mut tell: impl FnMut(&[StageId], u64, Timestamp),
    ) {
        match &self.0 {
            Held::None => {}
            Held::One { taken, subset, .. } => tell(&scratch.subset(*subset).awaited, 1, taken.time),
            Held::Many(many) => {
                for Waiting { subset, groups } in &many.waiting {
                    let of_group = |group: &Group| u64::from(many.graph.extent(group.runs).runs);
                    let runs = if scratch.by_start { groups.iter().map(of_group).sum() } else { groups.len() as u64 };
                    let first = groups.iter().map(|group| group.start.time).min();
                    first.into_iter().for_each(|first| tell(&scratch.subset(*subset).awaited, runs, first));
                }
                program.each_ordered_place(&many.ordered, scratch, tell);
            }
        }
    }

    /// The runs as a snapshot holds them: with states in place of what a cache made of them.
    pub fn save(&self, scratch: &Scratch) -> SavedRuns<E> {
        SavedRuns(match &self.0 {
            Held::None => Saved::Many(Box::new(Many::default().save(scratch))),
            Held::One { taken, subset, stage } => Saved::One(SavedOne::new(taken, *subset, *stage, scratch)),
            Held::Many(many) => Saved::Many(Box::new(many.save(scratch))),
        })
    }

    /// The runs that a snapshot holds. None if it is of another program: a state is not there.
    pub fn load(saved: SavedRuns<E>, program: &Program, scratch: &mut Scratch) -> Option<Self> {
        let many = match saved.0 {
            Saved::One(one) => one.load(program, scratch)?,
            Saved::Many(many) => Many::load(*many, program, scratch)?,
        };
        Some(Runs::of(many, scratch))
    }

    /// The runs in the smallest form.
    pub(crate) fn of(many: Many<E>, scratch: &Scratch) -> Self {
        let one = if scratch.keeps_one { many.only() } else { None };
        let mut runs = Runs(one.unwrap_or_else(|| Held::Many(Box::new(many))));
        runs.settle();
        runs
    }
}

impl<E: Event> Many<E> {
    fn is_empty(&self) -> bool {
        self.waiting.is_empty() && self.ordered.is_empty()
    }

    fn add_one(&mut self, taken: Taken<E>, subset: SubsetId, stage: StageId) {
        let start = Start { time: taken.time, position: taken.position };
        let runs = self.graph.take(None, stage, taken);
        self.tally.add(self.graph.extent(runs));
        self.waiting
            .push(Waiting { subset, groups: VecDeque::from([Group { start, runs, number: 0, registers: None }]) });
    }

    /// The only run, if there is but one and it has taken one event.
    fn only(&self) -> Option<Held<E>> {
        let ([Waiting { subset, groups }], true) = (&self.waiting[..], self.ordered.is_empty()) else { return None };
        let (stage, taken) = self.graph.only_event()?;
        (groups.len() == 1).then(|| Held::One { taken: taken.clone(), subset: *subset, stage })
    }

    fn size(&self, scratch: &Scratch) -> Size {
        let Tally { groups, runs } = self.tally;
        let runs = if scratch.by_start { runs } else { groups as u64 };
        let ordered = self.ordered.len();
        Size {
            runs: runs + ordered as u64,
            bytes: self.graph.bytes() + groups * size_of::<Group>() + ordered * size_of::<OrderedRun>(),
        }
    }

    fn drop_oldest(&mut self, scratch: &Scratch) -> u64 {
        let Some(oldest) = self.starts().min() else { return 0 };
        let before = self.size(scratch).runs;
        for waiting in &mut self.waiting {
            waiting.groups.retain(|group| (group.start.time, group.start.position) != oldest);
        }
        self.waiting.retain(|waiting| !waiting.groups.is_empty());
        self.ordered.drop_start(oldest);
        self.collect(Timestamp::MIN);
        before - self.size(scratch).runs
    }

    pub(crate) fn starts(&self) -> impl Iterator<Item = (Timestamp, u64)> {
        let groups = self.waiting.iter().flat_map(|waiting| &waiting.groups);
        groups.map(|group| (group.start.time, group.start.position)).chain(self.ordered.starts())
    }

    /// Frees what no open run needs, where that pays.
    pub(crate) fn sweep(&mut self, closed: Timestamp) {
        if !self.is_empty() && self.graph.wants_sweep() {
            self.collect(closed);
        }
    }

    /// Frees what no open run needs, and the runs that started at `closed` or before.
    pub(crate) fn collect(&mut self, closed: Timestamp) {
        let Many { waiting, ordered, graph, tally, count: _ } = self;
        for waiting in waiting.iter_mut() {
            waiting.groups.retain(|group| graph.latest(group.runs) > closed);
        }
        waiting.retain(|waiting| !waiting.groups.is_empty());
        let groups = waiting.iter_mut().flat_map(|waiting| &mut waiting.groups);
        let roots = groups.map(|group| &mut group.runs).chain(ordered.roots());
        graph.sweep(&mut roots.collect::<Vec<_>>(), closed);
        *tally = tally_of(waiting, graph);
    }

    fn save(&self, scratch: &Scratch) -> SavedMany<E> {
        let waiting = self.waiting.iter().map(|waiting| {
            let position = scratch.position(waiting.subset);
            SavedWaiting {
                states: position.states.iter().map(|state| state.0).collect(),
                matched: position.matched,
                groups: waiting.groups.clone(),
            }
        });
        let states = self.waiting.iter().flat_map(|waiting| scratch.position(waiting.subset).states.iter().copied());
        SavedMany {
            products: scratch.products().save(states.chain(self.ordered.states())),
            waiting: waiting.collect(),
            ordered: self.ordered.clone(),
            graph: self.graph.save(),
            count: self.count,
        }
    }

    fn load(saved: SavedMany<E>, program: &Program, scratch: &mut Scratch) -> Option<Self> {
        let restored = scratch.products_mut().load(program, saved.products)?;
        let mut ordered = saved.ordered;
        ordered.restore(&restored)?;
        let mut waiting = Vec::with_capacity(saved.waiting.len());
        for SavedWaiting { states, matched, groups } in saved.waiting {
            waiting.push(Waiting {
                subset: subset_of(&states, matched, |state| restored.get(state), program, scratch)?,
                groups,
            });
        }
        let graph = Graph::load(saved.graph)?;
        let mut groups = waiting.iter().flat_map(|waiting| &waiting.groups);
        let is_whole = groups.all(|group| graph.has(group.runs) && group.registers.is_some() == program.looks_back());
        if !is_whole || !ordered.is_whole(&graph) {
            return None;
        }
        let tally = tally_of(&waiting, &graph);
        Some(Many { waiting, ordered, graph, count: saved.count, tally })
    }
}

fn tally_of<E: Event>(waiting: &[Waiting], graph: &Graph<E>) -> Tally {
    let mut tally = Tally::default();
    let groups = waiting.iter().flat_map(|waiting| &waiting.groups);
    groups.for_each(|group| tally.add(graph.extent(group.runs)));
    tally
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
#[serde(transparent)]
pub struct SavedRuns<E>(Saved<E>);

impl<E: Event> SavedRuns<E> {
    /// In the general form.
    pub(crate) fn into_many(self) -> SavedMany<E> {
        match self.0 {
            Saved::One(one) => one.into_many(),
            Saved::Many(many) => *many,
        }
    }
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(bound(serialize = "E: Serialize", deserialize = "E: Deserialize<'de>"))]
enum Saved<E> {
    One(SavedOne<E>),
    Many(Box<SavedMany<E>>),
}

/// A single run of one event. Most keys have no more, and to save a million of them takes no longer than it must.
#[derive(Debug, Serialize, Deserialize)]
#[serde(bound(serialize = "E: Serialize", deserialize = "E: Deserialize<'de>"))]
struct SavedOne<E> {
    products: Vec<SavedProduct>,
    states: Vec<u32>,
    matched: bool,
    stage: StageId,
    taken: Taken<E>,
}

impl<E: Event> SavedOne<E> {
    fn new(taken: &Taken<E>, subset: SubsetId, stage: StageId, scratch: &Scratch) -> Self {
        let position = scratch.position(subset);
        SavedOne {
            products: scratch.products().save(position.states.iter().copied()),
            states: position.states.iter().map(|state| state.0).collect(),
            matched: position.matched,
            stage,
            taken: taken.clone(),
        }
    }

    fn into_many(self) -> SavedMany<E> {
        let SavedOne { products, states, matched, stage, taken } = self;
        let start = Start { time: taken.time, position: taken.position };
        let graph = SavedGraph::of_one(stage, taken);
        let group = Group { start, runs: NodeId::FIRST, number: 0, registers: None };
        let waiting = vec![SavedWaiting { states, matched, groups: VecDeque::from([group]) }];
        SavedMany { products, waiting, ordered: Ordered::default(), graph, count: Count::NONE }
    }

    fn load(self, program: &Program, scratch: &mut Scratch) -> Option<Many<E>> {
        let SavedOne { products, states, matched, stage, taken } = self;
        let restored = scratch.products_mut().load(program, products)?;
        if program.looks_back() || usize::from(stage.0) >= program.stage_names.len() {
            return None;
        }
        let subset = subset_of(&states, matched, |state| restored.get(state), program, scratch)?;
        let mut many = Many::default();
        many.add_one(taken, subset, stage);
        Some(many)
    }
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(bound(serialize = "E: Serialize", deserialize = "E: Deserialize<'de>"))]
pub(crate) struct SavedMany<E> {
    pub(crate) products: Vec<SavedProduct>,
    pub(crate) waiting: Vec<SavedWaiting>,
    pub(crate) ordered: Ordered,
    pub(crate) graph: SavedGraph<E>,
    pub(crate) count: Count,
}

/// The subset of saved states, which are these here. None if one of them is not there.
pub(crate) fn subset_of(
    states: &[u32],
    matched: bool,
    here: impl Fn(StateId) -> Option<StateId>,
    program: &Program,
    scratch: &mut Scratch,
) -> Option<SubsetId> {
    let states = states.iter().map(|state| here(StateId(*state)));
    let states: BTreeSet<StateId> = states.collect::<Option<_>>()?;
    let states = states.into_iter().collect();
    Some(scratch.intern(program, Position { states, matched }))
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct SavedWaiting {
    pub(crate) states: Vec<u32>,
    pub(crate) matched: bool,
    pub(crate) groups: VecDeque<Group>,
}

impl<E: Event> Many<E> {
    /// Puts a group that came to a subset to those that wait there, where starts and registers do not count, or nothing
    /// that waits there or comes after has to be put before it.
    pub(crate) fn settle_one(&mut self, subset: SubsetId, group: Group, scratch: &Scratch) {
        let Many { waiting, graph, tally, .. } = self;
        let waiting = at(waiting, subset);
        match waiting.groups.back_mut() {
            None => waiting.groups.push_back(group),
            Some(last) if !scratch.by_start && group.registers.is_none() => last.join(group, graph, tally),
            Some(last) if last.start < group.start && group.registers.is_none() => waiting.groups.push_back(group),
            Some(_) => self.settle_several(subset, vec![group], scratch),
        }
    }

    /// Puts the groups that came to one subset with an event to those that wait there.
    pub(crate) fn settle_several(&mut self, subset: SubsetId, arrived: Vec<Group>, scratch: &Scratch) {
        let Many { waiting, graph, tally, .. } = self;
        let waiting = at(waiting, subset);
        if arrived.iter().any(|group| group.registers.is_some()) {
            settle_by_registers(waiting, arrived, graph, tally, scratch.by_start);
        } else if scratch.by_start {
            settle_by_start(waiting, arrived, graph, tally);
        } else {
            arrived.into_iter().for_each(|group| unite(&mut waiting.groups, group, graph, tally));
        }
    }
}

/// What waits in a subset.
fn at(waiting: &mut Vec<Waiting>, subset: SubsetId) -> &mut Waiting {
    let index = waiting.iter().position(|waiting| waiting.subset == subset).unwrap_or_else(|| {
        waiting.push(Waiting { subset, groups: VecDeque::new() });
        waiting.len() - 1
    });
    &mut waiting[index]
}

/// Starts do not count: there is one group.
fn unite<E: Event>(groups: &mut VecDeque<Group>, arrived: Group, graph: &mut Graph<E>, tally: &mut Tally) {
    match groups.front_mut() {
        Some(group) => group.join(arrived, graph, tally),
        None => groups.push_back(arrived),
    }
}

/// Both sides are in the order of their starts, and so is the outcome.
fn settle_by_start<E: Event>(waiting: &mut Waiting, arrived: Vec<Group>, graph: &mut Graph<E>, tally: &mut Tally) {
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
            Some(last) if last.start == group.start => last.join(group, graph, tally),
            _ => merged.push_back(group),
        }
    }
    merged.extend(here);
    waiting.groups = merged;
}

fn settle_by_registers<E: Event>(
    waiting: &mut Waiting,
    arrived: Vec<Group>,
    graph: &mut Graph<E>,
    tally: &mut Tally,
    by_start: bool,
) {
    let mut places: HashMap<(Option<Start>, Registers), usize> = HashMap::new();
    let mut merged: Vec<Group> = Vec::with_capacity(waiting.groups.len() + arrived.len());
    for group in std::mem::take(&mut waiting.groups).into_iter().chain(arrived) {
        let place = (by_start.then_some(group.start), group.registers.clone());
        match places.get(&place) {
            Some(place) => merged[*place].join(group, graph, tally),
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
    /// As windows see it.
    pub(crate) fn begun(&self) -> Begun<'_> {
        Begun { time: self.start.time, number: self.number, registers: &self.registers }
    }

    fn join<E: Event>(&mut self, other: Group, graph: &mut Graph<E>, tally: &mut Tally) {
        tally.remove(graph.extent(self.runs));
        tally.remove(graph.extent(other.runs));
        self.runs = graph.union(self.runs, other.runs);
        self.start = self.start.max(other.start);
        tally.add(graph.extent(self.runs));
    }
}

/// A run's events in the order in which they were taken.
pub(crate) type Spelled<E> = Vec<(StageId, Taken<E>)>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_with_one_run_is_small() {
        assert_eq!(size_of::<Runs<u64>>(), 32);
    }
}
