//! Lets the open runs of one version of a pattern go on in another: a run stays where the steps that it has passed are unchanged.
//!
//! A run goes on in the states that have the [roles](crate::roles) of those that it waited in. What later conditions may ask of
//! its events is found anew from these, since the conditions may be others.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::sync::Arc;

use ensue_model::output::Taken;
use ensue_model::pattern::StageId;
use ensue_model::{Event, Span, Timestamp};

use crate::graph::{Graph, NodeId, SavedGraph};
use crate::matcher::in_taken_order;
use crate::ordered::{Ordered, OrderedRun, spell};
use crate::products::SavedProduct;
use crate::program::{Asked, Program, ShuffleId, StateId, StateKind};
use crate::registers::{self, Register, Registers};
use crate::roles::Shape;
use crate::runs::{Group, Many, Runs, SavedMany, SavedRuns, SavedWaiting, Spelled, Start, Tally, Waiting, subset_of};
use crate::scratch::Scratch;

/// So many runs of a key that move together are told apart at most, where what is kept of them has changed. Groups of more are
/// dropped.
pub const RUNS_TOLD_APART_MAX: u32 = 1_000_000;

/// What the states, the stages and the registers of one version of a pattern are in another.
#[derive(Debug)]
pub struct Carry {
    states: HashMap<StateId, StateId>,
    /// How many states of its own the earlier program had.
    own_before: usize,
    shuffles: Vec<Option<ShuffleId>>,
    stages: Vec<Option<StageId>>,
    /// For each register here that is a number, which it was before.
    numbers: Vec<Option<usize>>,
    /// Whether the way to a match is the same, so that those that wait are still matches.
    keeps_matches: bool,
    /// The window that the runs had.
    within: Option<Span>,
    /// Whether runs with different starts were told apart.
    tells_starts: bool,
}

/// What has become of the runs of a key.
#[derive(Debug)]
pub struct Carried<E> {
    /// Those that go on; none if there are none.
    pub runs: Option<SavedRuns<E>>,
    /// How many go on.
    pub kept: u64,
    /// How many do not.
    pub dropped: u64,
}

impl Carry {
    /// What leads from one shape to another, `program`'s. `tells_starts` says whether runs with different starts were told apart
    /// ([`Scratch::tells_starts`]).
    ///
    /// # Errors
    /// What has changed, in words, if no run at all can go on.
    pub fn new(from: &Shape, to: &Shape, program: &Program, tells_starts: bool) -> Result<Self, String> {
        let is_changed =
            |(part, hash): &&(String, u64)| !to.frame.iter().any(|(other, of)| other == part && of == hash);
        if let Some((part, _)) = from.frame.iter().find(is_changed) {
            return Err(format!("{part} is another now"));
        }
        let finals = program.states.iter().zip(&to.roles).filter(|(state, _)| state.kind == StateKind::Final);
        let shuffle = |hash: &u64| to.shuffles.iter().position(|known| known == hash).map(|at| ShuffleId(at as u16));
        let stage = |(name, _): &(String, u64)| {
            to.stages.iter().position(|(known, _)| known == name).map(|at| StageId(at as u16))
        };
        let here: HashMap<u64, StateId> = to.roles.iter().copied().zip((0..).map(StateId)).collect();
        let states = (0..).map(StateId).zip(&from.roles);
        Ok(Carry {
            states: states.filter_map(|(state, role)| Some((state, *here.get(role)?))).collect(),
            own_before: from.roles.len(),
            shuffles: from.shuffles.iter().map(shuffle).collect(),
            stages: from.stages.iter().map(stage).collect(),
            numbers: to.kept.iter().map(|hash| from.kept.iter().position(|known| known == hash)).collect(),
            keeps_matches: finals.into_iter().all(|(_, role)| from.roles.contains(role)),
            within: from.within,
            tells_starts,
        })
    }

    /// Takes over the runs of a key, at a point of event time. `renew` gives each event as the patterns see it now; if it gives
    /// none, the key's runs are dropped. The scratch must have the tables that conditions look into.
    pub fn take_over<E: Event>(
        &self,
        saved: SavedRuns<E>,
        now: Timestamp,
        program: &Program,
        scratch: &mut Scratch,
        renew: &mut impl FnMut(&Arc<E>) -> Option<Arc<E>>,
    ) -> Carried<E> {
        let mut moving = Move { carry: self, program, scratch, dropped: 0 };
        let many = moving.many(saved.into_many(), now, renew);
        let Move { scratch, dropped, .. } = moving;
        let runs = Runs::of(many, scratch);
        let kept = runs.size(scratch).runs;
        Carried { runs: (!runs.is_empty()).then(|| runs.save(scratch)), kept, dropped }
    }
}

/// The runs of one key on their way.
struct Move<'m> {
    carry: &'m Carry,
    program: &'m Program,
    scratch: &'m mut Scratch,
    dropped: u64,
}

impl Move<'_> {
    fn many<E: Event>(
        &mut self,
        saved: SavedMany<E>,
        now: Timestamp,
        renew: &mut impl FnMut(&Arc<E>) -> Option<Arc<E>>,
    ) -> Many<E> {
        let SavedMany { products, waiting, ordered, graph, count } = saved;
        let (graph, is_readable) = self.graph(graph, renew);
        let Some(graph) = graph.filter(|_| is_readable) else {
            self.dropped += waiting.iter().map(|waiting| waiting.groups.len() as u64).sum::<u64>();
            self.dropped += ordered.len() as u64;
            return Many::default();
        };
        let states = self.states(products);
        let waiting = waiting.into_iter().filter_map(|waiting| self.waiting(waiting, &states, &graph)).collect();
        let mut many = Many { waiting, ordered: self.ordered(ordered, &states), graph, count, ..Many::default() };
        // What a window has closed may still lie in the graph, and the window may be a longer one now.
        let within = self.carry.within.filter(|_| !self.program.skips());
        many.collect(within.map_or(Timestamp::MIN, |within| now - within));
        self.scratch.count = count;
        self.refresh(&mut many);
        many
    }

    /// The graph with the stages and the events as they are now; and whether all events could be had.
    fn graph<E: Event>(
        &self,
        mut saved: SavedGraph<E>,
        renew: &mut impl FnMut(&Arc<E>) -> Option<Arc<E>>,
    ) -> (Option<Graph<E>>, bool) {
        let mut is_readable = true;
        for taken in &mut saved.events {
            match renew(&taken.event) {
                Some(event) => taken.event = event,
                None => is_readable = false,
            }
        }
        // What took an event into a stage that is no more does not go on.
        saved.each_stage(|stage| {
            let known = self.carry.stages.get(usize::from(stage.0)).copied().flatten();
            *stage = known.unwrap_or(StageId(u16::MAX));
        });
        (Graph::load(saved), is_readable)
    }

    /// What each state of the snapshot is here, also those inside any-order groups.
    fn states(&mut self, products: Vec<SavedProduct>) -> HashMap<StateId, StateId> {
        let mut states = self.carry.states.clone();
        for product in products {
            let SavedProduct { state, shuffle, .. } = product;
            let shuffle = self.carry.shuffles.get(usize::from(shuffle.0)).copied().flatten();
            let product = product.moved(|state| states.get(&state).copied());
            let here = shuffle.zip(product).and_then(|(shuffle, product)| {
                self.scratch.products_mut().take_up(self.program, SavedProduct { shuffle, ..product })
            });
            if state.index() >= self.carry.own_before {
                states.extend(here.map(|here| (state, here)));
            }
        }
        states
    }

    /// The runs that waited together, if they can wait on.
    fn waiting<E: Event>(
        &mut self,
        saved: SavedWaiting,
        states: &HashMap<StateId, StateId>,
        graph: &Graph<E>,
    ) -> Option<Waiting> {
        let SavedWaiting { states: before, matched, groups } = saved;
        let here = |state: StateId| states.get(&state).copied();
        let subset = subset_of(&before, matched, here, self.program, self.scratch);
        if subset.is_none() {
            let runs = |group: &Group| if self.scratch.by_start { graph.extent(group.runs).runs } else { 1 };
            self.dropped += groups.iter().map(|group| u64::from(runs(group))).sum::<u64>();
        }
        subset.map(|subset| Waiting { subset, groups })
    }

    fn ordered(&mut self, mut ordered: Ordered, states: &HashMap<StateId, StateId>) -> Ordered {
        let before = ordered.len();
        ordered.runs.retain_mut(|run| match states.get(&StateId(run.state)) {
            Some(here) => {
                run.state = here.0;
                true
            }
            None => false,
        });
        if !self.carry.keeps_matches {
            ordered.waiting.heap.clear();
        }
        self.dropped += (before - ordered.len()) as u64;
        ordered
    }

    /// Finds anew what is kept of the runs besides their events.
    fn refresh<E: Event>(&mut self, many: &mut Many<E>) {
        if self.program.skips() {
            let mut runs = std::mem::take(&mut many.ordered.runs);
            runs.retain_mut(|run| self.refresh_ordered(run, &many.graph));
            many.ordered.runs = runs;
        } else if self.program.looks_back() || self.scratch.by_start != self.carry.tells_starts {
            self.tell_apart(many);
        } else {
            many.waiting.iter_mut().flat_map(|waiting| &mut waiting.groups).for_each(|group| group.registers = None);
        }
    }

    fn refresh_ordered<E: Event>(&mut self, run: &mut OrderedRun, graph: &Graph<E>) -> bool {
        let live = vec![true; self.program.kept.len()];
        let found = self.registers(&spell(graph, run.events), &run.registers, &live);
        self.dropped += u64::from(found.is_none());
        found.map(|registers| run.registers = registers).is_some()
    }

    /// Tells apart the runs that moved together, each with what is kept of it now, and puts those together that nothing tells
    /// apart any more.
    fn tell_apart<E: Event>(&mut self, many: &mut Many<E>) {
        let before = std::mem::take(&mut many.waiting);
        let graph = std::mem::take(&mut many.graph);
        many.tally = Tally::default();
        let mut chains = Chains { graph: &mut many.graph, known: HashMap::new() };
        for Waiting { subset, groups } in before {
            let live = self.scratch.subset(subset).live.clone();
            for group in groups {
                let runs = graph.extent(group.runs).runs;
                if runs > RUNS_TOLD_APART_MAX {
                    self.dropped += u64::from(runs);
                    continue;
                }
                graph.each_run(group.runs, Timestamp::MIN, |events| {
                    let events = in_taken_order(events);
                    match self.registers(&events, &group.registers, &live) {
                        None => self.dropped += 1,
                        Some(registers) => {
                            let group = Group { registers, ..chains.group(events, group.number) };
                            many.tally.add(chains.graph.extent(group.runs));
                            self.scratch.arrived.push((subset, group));
                        }
                    }
                    ControlFlow::Continue(())
                });
            }
        }
        self.program.settle(many, self.scratch);
    }

    /// What is kept of a run. None if it is a number that was not kept before.
    fn registers<E: Event>(&self, events: &Spelled<E>, before: &Registers, live: &[bool]) -> Option<Registers> {
        let Program { kept, .. } = self.program;
        let all = vec![true; kept.len()];
        let mut registers = registers::empty(kept);
        for (stage, taken) in events {
            let scope = self.scratch.of_event(&*taken.event);
            registers = registers::after(&registers, kept, &all, *stage, &scope, &self.scratch.count);
        }
        for (at, register) in registers.iter_mut().flatten().enumerate() {
            if kept[at].asked == Asked::Number && live[at] {
                let number = before.as_ref()?.get(self.carry.numbers[at]?)?;
                *register = Some(number).filter(|number| **number != Register::Dead)?.clone();
            }
        }
        Some(registers::trimmed(registers, live))
    }
}

/// Runs one by one in a graph in which those that began alike share how they did.
struct Chains<'g, E> {
    graph: &'g mut Graph<E>,
    known: HashMap<(Option<NodeId>, StageId, u64), NodeId>,
}

impl<E: Event> Chains<'_, E> {
    /// A run as a group of its own, without registers.
    fn group(&mut self, events: Spelled<E>, number: u32) -> Group {
        let first = &events[0].1;
        let start = Start { time: first.time, position: first.position };
        let runs = events.into_iter().fold(None, |before, (stage, taken)| Some(self.take(before, stage, taken)));
        Group { start, runs: runs.expect("a run has taken an event"), number, registers: None }
    }

    fn take(&mut self, before: Option<NodeId>, stage: StageId, taken: Taken<E>) -> NodeId {
        let Chains { graph, known } = self;
        *known.entry((before, stage, taken.position)).or_insert_with(|| graph.take(before, stage, taken))
    }
}
