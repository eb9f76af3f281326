//! Runs under a skip strategy.
//!
//! A match makes other runs void, so which of several comes first decides what comes out at all. Runs are kept one by one
//! in the order in which Flink's CEP library keeps them, each in one state of the automaton; those that hold the same
//! events share their node of the graph. A match waits until no run with an earlier start is left that could still make it
//! void.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use ensue_model::output::Taken;
use ensue_model::pattern::{Skip, StageId};
use ensue_model::{Event, Timestamp};
use serde::{Deserialize, Serialize};

use crate::count::Count;
use crate::due::{self, Begun, Due, Reached};
use crate::graph::{Graph, NodeId};
use crate::incoming::Incoming;
use crate::matcher::{Sink, Stepped, in_taken_order};
use crate::outcomes::Outcome;
use crate::products::Restored;
use crate::program::{Program, StateId};
use crate::registers::{self, Registers};
use crate::runs::{Many, Spelled, Start};
use crate::scratch::Scratch;
use crate::subsets::{Position, SubsetId};

/// The open runs of one key, in order, and the matches that wait.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Ordered {
    /// In the order of their starts; those of one start in the order in which they were made.
    pub(crate) runs: Vec<OrderedRun>,
    pub(crate) waiting: Waiting,
}

/// One run in one state.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct OrderedRun {
    start: Start,
    pub(crate) state: u32,
    pub(crate) events: NodeId,
    /// The number of the first event among those of its key, where these are counted.
    number: u32,
    /// Whether what it holds has come out as a match.
    matched: bool,
    /// Whether the absence at the end has made a match of it, which may still wait.
    is_awaited: bool,
    pub(crate) registers: Registers,
}

/// A match that waits for the runs with earlier starts.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct WaitingMatch {
    start: Start,
    pub(crate) events: NodeId,
}

/// A binary heap by start. Of equal elements it gives the one that `java.util.PriorityQueue` would give, which is what
/// Flink uses: `std`'s heap orders equal ones differently.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Waiting {
    pub(crate) heap: Vec<WaitingMatch>,
}

impl Waiting {
    fn push(&mut self, found: WaitingMatch) {
        self.heap.push(found);
        let mut at = self.heap.len() - 1;
        while at > 0 && self.heap[at].start < self.heap[(at - 1) / 2].start {
            self.heap.swap(at, (at - 1) / 2);
            at = (at - 1) / 2;
        }
    }

    fn peek(&self) -> Option<&WaitingMatch> {
        self.heap.first()
    }

    fn pop(&mut self) -> Option<WaitingMatch> {
        if self.heap.is_empty() {
            return None;
        }
        let first = self.heap.swap_remove(0);
        self.sink(0);
        Some(first)
    }

    fn sink(&mut self, from: usize) {
        let mut at = from;
        loop {
            let (left, right) = (2 * at + 1, 2 * at + 2);
            let is_right_less = right < self.heap.len() && self.heap[right].start < self.heap[left].start;
            let child = if is_right_less { right } else { left };
            if child >= self.heap.len() || self.heap[at].start <= self.heap[child].start {
                return;
            }
            self.heap.swap(at, child);
            at = child;
        }
    }

    fn retain(&mut self, keep: impl Fn(&WaitingMatch) -> bool) {
        self.heap.retain(keep);
        for at in (0..self.heap.len() / 2).rev() {
            self.sink(at);
        }
    }
}

impl Ordered {
    pub(crate) fn is_empty(&self) -> bool {
        self.runs.is_empty() && self.waiting.heap.is_empty()
    }

    /// How many runs and waiting matches there are.
    pub(crate) fn len(&self) -> usize {
        self.runs.len() + self.waiting.heap.len()
    }

    /// Drops the runs that began with an event, and the matches that wait.
    pub(crate) fn drop_start(&mut self, (time, position): (Timestamp, u64)) {
        let dropped = Start { time, position };
        self.runs.retain(|run| run.start != dropped);
        self.waiting.retain(|found| found.start != dropped);
    }

    pub(crate) fn starts(&self) -> impl Iterator<Item = (Timestamp, u64)> {
        self.runs.iter().map(|run| (run.start.time, run.start.position))
    }

    pub(crate) fn roots(&mut self) -> impl Iterator<Item = &mut NodeId> {
        let waiting = self.waiting.heap.iter_mut().map(|found| &mut found.events);
        self.runs.iter_mut().map(|run| &mut run.events).chain(waiting)
    }

    /// The states that runs are in.
    pub(crate) fn states(&self) -> impl Iterator<Item = StateId> {
        self.runs.iter().map(|run| StateId(run.state))
    }

    /// Puts the states of a snapshot into the words of this memory. None if one is not there.
    pub(crate) fn restore(&mut self, restored: &Restored) -> Option<()> {
        for run in &mut self.runs {
            run.state = restored.get(StateId(run.state))?.0;
        }
        Some(())
    }

    /// Whether all events that the runs name are there.
    pub(crate) fn is_whole<E: Event>(&self, graph: &Graph<E>) -> bool {
        self.runs.iter().all(|run| graph.has(run.events))
            && self.waiting.heap.iter().all(|found| graph.has(found.events))
    }
}

/// What one event makes of the runs.
struct Made<'s, E> {
    incoming: &'s Incoming<E>,
    graph: &'s mut Graph<E>,
    runs: Vec<OrderedRun>,
    /// The nodes that were made: runs that hold the same events share theirs.
    nodes: Vec<(Option<NodeId>, StageId, NodeId)>,
    matches: Vec<WaitingMatch>,
}

impl Program {
    /// Gives an event to the runs of its key.
    pub(crate) fn step_ordered<E: Event>(
        &self,
        runs: &mut Many<E>,
        incoming: &Incoming<E>,
        scratch: &mut Scratch,
        out: &mut impl Sink<E>,
    ) -> Stepped {
        let at = incoming.time();
        let here = Start { time: at, position: incoming.position() };
        let before = std::mem::take(&mut runs.ordered.runs);
        let graph = &mut runs.graph;
        let mut made = Made { incoming, graph, runs: Vec::with_capacity(before.len()), nodes: vec![], matches: vec![] };
        for run in before {
            self.move_run(Some(run), here, scratch, &mut made);
        }
        if self.active.includes(at) {
            self.move_run(None, here, scratch, &mut made);
        }
        let Made { runs: open, matches, .. } = made;
        runs.ordered.runs = open;
        matches.into_iter().for_each(|found| runs.ordered.waiting.push(found));
        self.release(runs, at, out);
        if !self.keeps_all() {
            self.keep_ordered(runs, scratch);
            // What was dropped may be what a match waited for.
            self.release(runs, at, out);
        }
        let has_started = runs.ordered.runs.last().is_some_and(|last| last.start == here);
        runs.sweep(Timestamp::MIN);
        Stepped { has_started, has_changed: true }
    }

    /// Moves one run, or lets the event start one.
    fn move_run<E: Event>(&self, run: Option<OrderedRun>, here: Start, scratch: &mut Scratch, made: &mut Made<'_, E>) {
        let state = run.as_ref().map_or(self.start, |run| StateId(run.state));
        let subset = self.subset_of(state, scratch);
        let registers = run.as_ref().map_or(&scratch.no_registers, |run| &run.registers);
        let bits = scratch.bits(self, subset, made.incoming, registers);
        for outcome in scratch.outcomes(self, subset, bits) {
            match (outcome, &run) {
                (Outcome::Pass(target), Some(run)) => made.runs.push(OrderedRun { state: target.0, ..run.clone() }),
                (Outcome::PassMatches, Some(run)) if !run.matched => {
                    made.matches.push(WaitingMatch { start: run.start, events: run.events });
                }
                (Outcome::Pass(_) | Outcome::PassMatches, _) => {}
                (Outcome::Take { .. }, Some(run)) if scratch.is_long(made.graph.extent(run.events)) => {}
                (Outcome::Take { stage, target, matches }, run) => {
                    let start = run.as_ref().map_or(here, |run| run.start);
                    let events = made.take(run.as_ref().map(|run| run.events), stage);
                    if let Some(target) = target {
                        let before = run.as_ref().map_or(&scratch.no_registers, |run| &run.registers);
                        let registers = self.registers_after(before, stage, made.incoming.event(), scratch);
                        made.runs.push(OrderedRun {
                            start,
                            state: target.0,
                            events,
                            number: run.as_ref().map_or(scratch.count.short_number(), |run| run.number),
                            matched: false,
                            is_awaited: false,
                            registers,
                        });
                    }
                    if matches {
                        made.matches.push(WaitingMatch { start, events });
                    }
                }
            }
        }
    }

    fn registers_after<E: Event>(&self, before: &Registers, stage: StageId, event: &E, scratch: &Scratch) -> Registers {
        // Runs are told apart anyway: registers that nobody asks for are kept.
        let live = vec![true; self.kept.len()];
        registers::after(before, &self.kept, &live, stage, &scratch.of_event(event), &scratch.count)
    }

    /// Lets go the matches that nothing earlier can make void any more, and drops what they make void. Gives the nodes of
    /// those that came out.
    fn release<E: Event>(&self, runs: &mut Many<E>, at: Timestamp, out: &mut impl Sink<E>) -> Vec<NodeId> {
        let Many { ordered, graph, .. } = runs;
        let mut released: Vec<NodeId> = Vec::new();
        while let Some(found) = ordered.waiting.peek()
            && ordered.runs.first().is_none_or(|earliest| found.start <= earliest.start)
        {
            let Some(found) = ordered.waiting.pop() else { break };
            let events = spell(graph, found.events);
            if let Some(void) = self.void(&events) {
                ordered.runs.retain(|run| !void(run.start));
                ordered.waiting.retain(|waiting| !void(waiting.start));
            }
            if !released.contains(&found.events) {
                released.push(found.events);
                out.matched(events, at);
            }
        }
        for run in &mut ordered.runs {
            run.matched |= released.contains(&run.events);
        }
        released
    }

    /// Which starts a match makes void.
    fn void<E>(&self, events: &Spelled<E>) -> Option<impl Fn(Start) -> bool + use<E>> {
        let start_of = |taken: &Taken<E>| Start { time: taken.time, position: taken.position };
        let of = |wanted: StageId| events.iter().filter(move |(stage, _)| *stage == wanted).map(|(_, taken)| taken);
        let (bound, is_included) = match self.skip {
            Skip::None => None,
            Skip::ToNext => events.first().map(|(_, taken)| (taken, true)),
            Skip::PastLast => events.last().map(|(_, taken)| (taken, true)),
            Skip::ToFirst(stage) => of(stage).next().map(|taken| (taken, false)),
            Skip::ToLast(stage) => of(stage).next_back().map(|taken| (taken, false)),
        }?;
        let bound = start_of(bound);
        Some(move |start: Start| match start.cmp(&bound) {
            Ordering::Less => true,
            Ordering::Equal => is_included,
            Ordering::Greater => false,
        })
    }

    /// Ends the runs whose time is over at `now`. Of runs that hold the same events, the last to end times out.
    pub(crate) fn close_ordered<E: Event>(
        &self,
        runs: &mut Many<E>,
        reached: Reached,
        scratch: &mut Scratch,
        out: &mut impl Sink<E>,
    ) {
        let Reached { now, count, .. } = reached;
        let mut ended: Vec<(OrderedRun, Timestamp)> = Vec::new();
        let mut open: Vec<OrderedRun> = Vec::with_capacity(runs.ordered.runs.len());
        for mut run in std::mem::take(&mut runs.ordered.runs) {
            let due = self.due(&run, &count, scratch);
            let is_over = |time: Option<Timestamp>| time.is_some_and(|time| time <= now);
            if is_over(due.absence) {
                runs.ordered.waiting.push(WaitingMatch { start: run.start, events: run.events });
                run.is_awaited = true;
            }
            match due.end.filter(|_| is_over(due.end)) {
                None => open.push(run),
                Some(_) if run.matched || run.is_awaited => {}
                Some(end) => ended.push((run, end)),
            }
        }
        runs.ordered.runs = open;
        let mut timed_out: Vec<TimedOut> = Vec::new();
        for (run, _) in &ended {
            let ends = ended.iter().filter(|(other, _)| other.events == run.events).map(|(_, end)| *end);
            if let Some(end) = ends.max() {
                let subset = self.subset_of(StateId(run.state), scratch);
                let awaiting = due::awaiting(scratch.subset(subset), &run.registers, end, &reached);
                TimedOut::add(&mut timed_out, run, end, awaiting);
            }
        }
        let released = self.release(runs, now, out);
        let is_open = |node: NodeId| runs.ordered.runs.iter().any(|run| run.events == node);
        timed_out.retain(|run| scratch.wants_timeouts && !released.contains(&run.events) && !is_open(run.events));
        for TimedOut { events, end, mut awaiting } in timed_out {
            awaiting.sort();
            awaiting.dedup();
            out.timed_out(spell(&runs.graph, events), count.comes_out(end), awaiting);
        }
        runs.sweep(Timestamp::MIN);
    }

    /// Where runs wait in their order. One that is in several states waits for what any of them can take.
    pub(crate) fn each_ordered_place(
        &self,
        ordered: &Ordered,
        scratch: &mut Scratch,
        mut tell: impl FnMut(&[StageId], u64, Timestamp),
    ) {
        let mut awaited: BTreeMap<NodeId, (BTreeSet<StageId>, Timestamp)> = BTreeMap::new();
        for run in &ordered.runs {
            let subset = self.subset_of(StateId(run.state), scratch);
            let (stages, _) = awaited.entry(run.events).or_insert_with(|| (BTreeSet::new(), run.start.time));
            stages.extend(&scratch.subset(subset).awaited);
        }
        for (stages, start) in awaited.into_values() {
            tell(&stages.into_iter().collect::<Vec<_>>(), 1, start);
        }
    }

    pub(crate) fn subset_of(&self, state: StateId, scratch: &mut Scratch) -> SubsetId {
        scratch.intern(self, Position { states: Box::new([state]), matched: false })
    }

    pub(crate) fn due(&self, run: &OrderedRun, count: &Count, scratch: &mut Scratch) -> Due {
        let subset = self.subset_of(StateId(run.state), scratch);
        let begun = Begun { time: run.start.time, number: run.number, registers: &run.registers };
        let due = Due::new(self, scratch.subset(subset), begun, count);
        let is_done = run.matched || run.is_awaited;
        Due { absence: due.absence.filter(|_| !is_done), ..due }
    }

    /// Calls `visit` with what time does to each run.
    pub(crate) fn each_due_ordered<E: Event>(&self, runs: &Many<E>, scratch: &mut Scratch, visit: impl FnMut(Due)) {
        runs.ordered.runs.iter().map(|run| self.due(run, &runs.count, scratch)).for_each(visit);
    }
}

/// What times out, once for all runs that hold the same events.
struct TimedOut {
    events: NodeId,
    end: Timestamp,
    awaiting: Vec<StageId>,
}

impl TimedOut {
    fn add(timed_out: &mut Vec<TimedOut>, run: &OrderedRun, end: Timestamp, awaiting: Vec<StageId>) {
        match timed_out.iter_mut().find(|other| other.events == run.events) {
            Some(other) => other.awaiting.extend(awaiting),
            None => timed_out.push(TimedOut { events: run.events, end, awaiting }),
        }
    }
}

impl<E: Event> Made<'_, E> {
    fn take(&mut self, before: Option<NodeId>, stage: StageId) -> NodeId {
        let known = self.nodes.iter().find(|(of, by, _)| (*of, *by) == (before, stage));
        if let Some((_, _, node)) = known {
            return *node;
        }
        let node = self.graph.take(before, stage, self.incoming.taken());
        self.nodes.push((before, stage, node));
        node
    }
}

/// The events of a run that shares its node with no other.
pub(crate) fn spell<E: Event>(graph: &Graph<E>, node: NodeId) -> Spelled<E> {
    let mut spelled = Vec::new();
    graph.each_run(node, Timestamp::MIN, |events| {
        spelled = in_taken_order(events);
        ControlFlow::Break(())
    });
    spelled
}
