//! Gives one event, or the end of windows, to the runs of one key.

use std::cell::Cell;
use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::sync::Arc;

use ensue_model::eval::eval;
use ensue_model::output::Taken;
use ensue_model::pattern::StageId;
use ensue_model::{Event, Timestamp, Value};

use crate::due::{self, Due};
use crate::graph::{Extent, Graph, NodeId};
use crate::outcomes::Outcome;
use crate::program::{ConditionId, Program};
use crate::registers::{self, Registers, UnderTest};
use crate::runs::{Group, Runs, Spelled, Start, Waiting, settle};
use crate::subsets::{Bits, Position, Subset, SubsetId, Subsets, TransitionId};

/// Takes what comes out.
pub trait Sink<E> {
    /// A match: its events in the order in which they were taken, and the event time at which it came out. Those of one
    /// event come in no order.
    fn matched(&mut self, events: Vec<(StageId, Taken<E>)>, at: Timestamp);

    /// A partial match whose time ran out, and the stages that it was waiting for.
    fn timed_out(&mut self, events: Vec<(StageId, Taken<E>)>, deadline: Timestamp, awaiting: &[StageId]);
}

/// An event on its way to the matchers of several patterns. It is shared only once one of them takes it.
#[derive(Debug)]
pub struct Incoming<E> {
    held: Held<E>,
    time: Timestamp,
    position: u64,
}

#[derive(Debug)]
enum Held<E> {
    Alone(E),
    Shared(Arc<E>),
    /// Only while the event moves from one to the other.
    Moving,
}

impl<E: Event> Incoming<E> {
    /// An event with its position in the input.
    pub fn new(event: E, position: u64) -> Self {
        Incoming { time: event.time(), held: Held::Alone(event), position }
    }

    /// An event that is shared already.
    pub fn shared(event: Arc<E>, position: u64) -> Self {
        Incoming { time: event.time(), held: Held::Shared(event), position }
    }

    /// The event.
    pub fn event(&self) -> &E {
        match &self.held {
            Held::Alone(event) => event,
            Held::Shared(event) => event,
            Held::Moving => unreachable!("the event is put back at once"),
        }
    }

    /// Its event time.
    pub fn time(&self) -> Timestamp {
        self.time
    }

    /// Its position in the input.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// The event, shared from now on.
    pub fn share(&mut self) -> Arc<E> {
        self.taken().event
    }

    pub(crate) fn taken(&mut self) -> Taken<E> {
        let event = match std::mem::replace(&mut self.held, Held::Moving) {
            Held::Alone(event) => Arc::new(event),
            Held::Shared(event) => event,
            Held::Moving => unreachable!("the event is put back at once"),
        };
        self.held = Held::Shared(event.clone());
        Taken { event, time: self.time, position: self.position }
    }
}

/// What an event has done to the runs of its key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stepped {
    /// Whether it has started a run that is still open.
    pub has_started: bool,
    /// Whether any run is another than before.
    pub has_changed: bool,
}

/// What the matcher is told besides the event: whose runs they are.
#[derive(Clone, Copy, Debug)]
pub struct Context<'c> {
    /// The program.
    pub program: &'c Program,
    /// The values of the key's parts.
    pub key: &'c [Value<'c>],
}

/// What a matcher does not go beyond.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// How many events a run may take; with it, how long a loop may be. A longer one is not taken on.
    pub events_per_run: u32,
    /// How many matches one event may complete. Further ones do not come out.
    pub matches_per_event: u32,
}

/// A limit that a matcher has come to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Overflow {
    /// [`Limits::events_per_run`]
    EventsPerRun,
    /// [`Limits::matches_per_event`]
    MatchesPerEvent,
    /// The automaton has more than [`SUBSETS_MAX`](crate::SUBSETS_MAX) subsets.
    Subsets,
}

/// The working memory of one thread for one program: the automaton as far as it was made deterministic, and what is
/// known of the event at hand.
#[derive(Debug)]
pub struct Scratch {
    subsets: Subsets,
    start: SubsetId,
    no_registers: Registers,
    /// Whether runs with different starts are told apart.
    by_start: bool,
    wants_timeouts: bool,
    /// For each condition on the event alone, whether it holds, once that is known.
    known: Vec<Option<bool>>,
    arrived: Vec<(SubsetId, Group)>,
    faults: Cell<u64>,
    limits: Limits,
    overflow: Cell<Option<Overflow>>,
}

impl Scratch {
    /// For a program; `wants_timeouts` says whether anybody takes the partial matches that time out. If nobody does, and
    /// the pattern lets it, runs with different starts move together.
    pub fn new(program: &Program, wants_timeouts: bool, limits: Limits) -> Self {
        let mut subsets = Subsets::new(program);
        let start = subsets.start(program);
        let ends_runs = program.within.is_some() && (wants_timeouts || program.has_absence_at_end());
        Scratch {
            start,
            subsets,
            no_registers: registers::empty(&program.kept),
            by_start: ends_runs,
            wants_timeouts,
            known: vec![None; program.conditions.len()],
            arrived: Vec::new(),
            faults: Cell::new(0),
            limits,
            overflow: Cell::new(None),
        }
    }

    /// The limit that the last event, or the last closing of windows, came to, if it did.
    pub fn take_overflow(&mut self) -> Option<Overflow> {
        if self.subsets.is_full() { Some(Overflow::Subsets) } else { self.overflow.take() }
    }

    /// Whether runs with different starts are told apart.
    pub(crate) fn tells_starts_apart(&self) -> bool {
        self.by_start
    }

    /// Whether the runs of a node must take no more events; notes that the limit was reached.
    pub(crate) fn is_long(&self, runs: Extent) -> bool {
        let is_long = runs.events >= self.limits.events_per_run;
        if is_long {
            self.overflow.set(Some(Overflow::EventsPerRun));
        }
        is_long
    }

    /// How many evaluations had no result because of unlike types, overflow and the like.
    pub fn faults(&self) -> u64 {
        self.faults.get()
    }

    pub(crate) fn fault_count(&self) -> &Cell<u64> {
        &self.faults
    }

    pub(crate) fn wants_timeouts(&self) -> bool {
        self.wants_timeouts
    }

    pub(crate) fn no_registers(&self) -> &Registers {
        &self.no_registers
    }

    pub(crate) fn subset(&self, subset: SubsetId) -> &Subset {
        self.subsets.get(subset)
    }

    pub(crate) fn outcomes(&self, program: &Program, subset: SubsetId, bits: Bits) -> Vec<Outcome> {
        self.subsets.outcomes(program, subset, bits)
    }

    /// Which of a subset's conditions an event fulfils, for runs with these registers.
    pub(crate) fn bits<E: Event>(
        &mut self,
        context: &Context<'_>,
        subset: SubsetId,
        event: &E,
        registers: Option<&Registers>,
    ) -> Bits {
        let Scratch { subsets, known, faults, no_registers, .. } = self;
        let Context { program, key } = context;
        let registers = registers.unwrap_or(no_registers);
        let under_test = UnderTest { event, key, kept: &program.kept, registers, faults };
        let mut bits = 0;
        for (bit, ConditionId(condition)) in subsets.get(subset).asks.iter().enumerate() {
            let index = usize::from(*condition);
            let condition = &program.conditions[index];
            let holds = known[index].unwrap_or_else(|| eval(&condition.expr, &under_test).holds());
            if !condition.looks_back {
                known[index] = Some(holds);
            }
            bits |= Bits::from(holds) << bit;
        }
        bits
    }

    pub(crate) fn position(&self, subset: SubsetId) -> &Position {
        &self.subsets.get(subset).position
    }

    pub(crate) fn intern(&mut self, program: &Program, position: Position) -> SubsetId {
        self.subsets.intern(program, position)
    }
}

impl Context<'_> {
    /// Gives an event to the runs of its key. Windows must have been closed up to its time ([`Context::close`]).
    pub fn step<E: Event>(
        &self,
        runs: &mut Runs<E>,
        incoming: &mut Incoming<E>,
        scratch: &mut Scratch,
        out: &mut impl Sink<E>,
    ) -> Stepped {
        scratch.known.fill(None);
        if self.program.skips() {
            return self.step_ordered(runs, incoming, scratch, out);
        }
        let closed = self.closed(incoming.time);
        let at = incoming.time;
        let mut step = Step { context: self, scratch, incoming, closed, matches: Vec::new(), has_changed: false };
        let mut before = std::mem::take(&mut runs.waiting);
        before.retain_mut(|waiting| step.advance(waiting, &mut runs.graph));
        let has_started = step.start(&mut runs.graph);
        let Step { matches, has_changed, .. } = step;
        runs.waiting = before;
        self.settle(runs, scratch);
        runs.sweep(closed);
        matches.into_iter().for_each(|events| out.matched(events, at));
        Stepped { has_started, has_changed: has_changed || has_started }
    }

    /// The time at or before which a run must have started to be closed now.
    fn closed(&self, now: Timestamp) -> Timestamp {
        self.program.within.map_or(Timestamp::MIN, |within| now - within)
    }

    fn settle<E: Event>(&self, runs: &mut Runs<E>, scratch: &mut Scratch) {
        if scratch.arrived.is_empty() {
            return;
        }
        let mut arrived = std::mem::take(&mut scratch.arrived);
        arrived.sort_by_key(|(subset, group)| (*subset, group.start));
        let mut rest = arrived.drain(..).peekable();
        while let Some((subset, group)) = rest.next() {
            let mut groups = vec![group];
            while let Some((_, group)) = rest.next_if(|(next, _)| *next == subset) {
                groups.push(group);
            }
            let Runs { waiting, graph, .. } = &mut *runs;
            settle(at(waiting, subset), groups, graph, scratch.by_start);
        }
        drop(rest);
        scratch.arrived = arrived;
    }

    /// Ends the runs whose time is over at `now`: they time out, or are matches if they waited for an absence. What comes out
    /// is in no order: the caller knows what else comes out at the same time.
    pub fn close<E: Event>(&self, runs: &mut Runs<E>, now: Timestamp, scratch: &mut Scratch, out: &mut impl Sink<E>) {
        if self.program.skips() {
            return self.close_ordered(runs, now, scratch, out);
        }
        let Runs { waiting, graph, .. } = &mut *runs;
        for Waiting { subset, groups } in waiting.iter_mut() {
            groups.retain(|group| self.keep_open(*subset, group, now, graph, scratch, out));
        }
        waiting.retain(|waiting| !waiting.groups.is_empty());
        self.settle(runs, scratch);
        runs.sweep(self.closed(now));
    }

    /// As [`Context::close`], but one end after the other, as if it were called at each of them: under a skip strategy what
    /// ends first can make void what would end later.
    pub fn close_in_turn<E: Event>(
        &self,
        runs: &mut Runs<E>,
        now: Timestamp,
        scratch: &mut Scratch,
        out: &mut impl Sink<E>,
    ) {
        while let Some(next) = self.next_due(runs, scratch).filter(|next| *next <= now) {
            self.close(runs, next, scratch, out);
        }
    }

    /// Lets out what the time has made of a group; gives whether it stays where it is.
    fn keep_open<E: Event>(
        &self,
        subset: SubsetId,
        group: &Group,
        now: Timestamp,
        graph: &Graph<E>,
        scratch: &mut Scratch,
        out: &mut impl Sink<E>,
    ) -> bool {
        let here = scratch.subsets.get(subset);
        let due = Due::new(here, self.program.within, group.start.time, &group.registers);
        let is_over = |time: Option<Timestamp>| time.is_some_and(|time| time <= now);
        let (is_ended, is_absent) = (is_over(due.end), is_over(due.absence));
        if let Some(absence) = due.absence
            && is_absent
        {
            graph.each_run(group.runs, Timestamp::MIN, |events| {
                out.matched(in_taken_order(events), absence);
                ControlFlow::Continue(())
            });
        }
        if let Some(end) = due.end
            && is_ended
            && !is_absent
            && !here.position.matched
            && scratch.wants_timeouts
        {
            let awaiting = &due::awaiting(here, &group.registers, end);
            graph.each_run(group.runs, Timestamp::MIN, |events| {
                out.timed_out(in_taken_order(events), end, awaiting);
                ControlFlow::Continue(())
            });
        }
        if is_absent && !is_ended {
            let position = Position { matched: true, ..here.position.clone() };
            let matched = scratch.subsets.intern(self.program, position);
            scratch.arrived.push((matched, group.clone()));
        }
        !is_ended && !is_absent
    }

    /// The next time at which something happens to the runs though no event comes.
    pub fn next_due<E: Event>(&self, runs: &Runs<E>, scratch: &mut Scratch) -> Option<Timestamp> {
        let mut next: Option<Timestamp> = None;
        let mut at = |due: Due| next = [next, due.next()].into_iter().flatten().min();
        for Waiting { subset, groups } in &runs.waiting {
            let subset = scratch.subsets.get(*subset);
            let within = self.program.within;
            groups.iter().for_each(|group| at(Due::new(subset, within, group.start.time, &group.registers)));
        }
        self.each_due_ordered(runs, scratch, at);
        next
    }
}

/// One event, given to the groups one after the other.
struct Step<'s, 'c, E> {
    context: &'s Context<'c>,
    scratch: &'s mut Scratch,
    incoming: &'s mut Incoming<E>,
    closed: Timestamp,
    matches: Vec<Spelled<E>>,
    has_changed: bool,
}

impl<E: Event> Step<'_, '_, E> {
    /// Moves the groups of a subset on; gives whether some stay.
    fn advance(&mut self, waiting: &mut Waiting, graph: &mut Graph<E>) -> bool {
        let subset = waiting.subset;
        if self.scratch.subsets.get(subset).looks_back {
            waiting.groups.retain_mut(|group| {
                let transition = self.transition(subset, Some(&group.registers));
                self.follow(transition, subset, std::slice::from_mut(group), graph)
            });
            return !waiting.groups.is_empty();
        }
        let transition = self.transition(subset, None);
        self.follow(transition, subset, waiting.groups.make_contiguous(), graph)
    }

    /// The transition for the groups of a subset, or for one group, where conditions look at what it has taken.
    fn transition(&mut self, subset: SubsetId, registers: Option<&Registers>) -> TransitionId {
        let bits = self.scratch.bits(self.context, subset, self.incoming.event(), registers);
        self.scratch.subsets.find(self.context.program, subset, bits)
    }

    /// Moves groups over a transition; gives whether they stay where they are.
    fn follow(&mut self, transition: TransitionId, from: SubsetId, groups: &mut [Group], graph: &mut Graph<E>) -> bool {
        if self.scratch.subsets.transition(transition).is_stay {
            return true;
        }
        self.has_changed = true;
        for taking in 0..self.scratch.subsets.transition(transition).taken.len() {
            for group in groups.iter() {
                self.take(transition, taking, Some(group), graph);
            }
        }
        self.pass(transition, from, groups, graph)
    }

    /// Lets the event start a run, where it fits.
    fn start(&mut self, graph: &mut Graph<E>) -> bool {
        let start = self.scratch.start;
        let transition = self.transition(start, None);
        let mut has_started = false;
        for taking in 0..self.scratch.subsets.transition(transition).taken.len() {
            has_started |= self.take(transition, taking, None, graph);
        }
        has_started
    }

    /// The runs of a group, or a new one, take the event into a stage; gives whether they go on.
    fn take(&mut self, transition: TransitionId, taking: usize, group: Option<&Group>, graph: &mut Graph<E>) -> bool {
        if group.is_some_and(|group| self.scratch.is_long(graph.extent(group.runs))) {
            return false;
        }
        let Scratch { subsets, arrived, no_registers, faults, limits, overflow, .. } = &mut *self.scratch;
        let taking = &subsets.transition(transition).taken[taking];
        let here = Start { time: self.incoming.time, position: self.incoming.position };
        let runs = graph.take(group.map(|group| group.runs), taking.stage, self.incoming.taken());
        if taking.matches {
            spell_out(graph, runs, self.closed, limits, overflow, &mut self.matches);
        }
        let Some(target) = taking.target else { return false };
        let registers = registers::after(
            group.map_or(no_registers, |group| &group.registers),
            &self.context.program.kept,
            &subsets.get(target).live,
            taking.stage,
            self.incoming.event(),
            faults,
        );
        arrived.push((target, Group { start: group.map_or(here, |group| group.start), runs, registers }));
        true
    }

    /// The runs of the groups pass the event over; gives whether they stay where they are.
    fn pass(&mut self, transition: TransitionId, from: SubsetId, groups: &mut [Group], graph: &Graph<E>) -> bool {
        let Scratch { subsets, arrived, limits, overflow, .. } = &mut *self.scratch;
        let transition = subsets.transition(transition);
        if transition.passed_matches {
            for group in groups.iter() {
                spell_out(graph, group.runs, self.closed, limits, overflow, &mut self.matches);
            }
        }
        let Some(target) = transition.passed else { return false };
        if target == from {
            return true;
        }
        let live = &subsets.get(target).live;
        arrived.extend(groups.iter_mut().map(|group| {
            let registers = registers::trimmed(group.registers.take(), live);
            (target, Group { start: group.start, runs: group.runs, registers })
        }));
        false
    }
}

/// Spells out the runs of a node as matches, as many as the limit lets.
fn spell_out<E: Event>(
    graph: &Graph<E>,
    runs: NodeId,
    closed: Timestamp,
    limits: &Limits,
    overflow: &Cell<Option<Overflow>>,
    matches: &mut Vec<Spelled<E>>,
) {
    graph.each_run(runs, closed, |events| {
        if matches.len() >= limits.matches_per_event as usize {
            overflow.set(Some(Overflow::MatchesPerEvent));
            return ControlFlow::Break(());
        }
        matches.push(in_taken_order(events));
        ControlFlow::Continue(())
    });
}

/// What waits in a subset.
fn at(waiting: &mut Vec<Waiting>, subset: SubsetId) -> &mut Waiting {
    let index = waiting.iter().position(|waiting| waiting.subset == subset).unwrap_or_else(|| {
        waiting.push(Waiting { subset, groups: VecDeque::new() });
        waiting.len() - 1
    });
    &mut waiting[index]
}

pub(crate) fn in_taken_order<E>(events: &[(StageId, &Taken<E>)]) -> Spelled<E> {
    events.iter().rev().map(|(stage, taken)| (*stage, (*taken).clone())).collect()
}
