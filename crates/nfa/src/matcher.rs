//! Gives one event, or the end of windows, to the runs of one key.

use std::cell::Cell;
use std::ops::ControlFlow;

use ensue_model::eval::OfEvent;
use ensue_model::output::Taken;
use ensue_model::pattern::StageId;
use ensue_model::{Event, Timestamp};

use crate::asks::Asked;
use crate::closing::Closing;
use crate::comparison::Need;
use crate::conditions::Conditions;
use crate::due::{self, Begun, Cause, Due, Reached};
use crate::graph::{Graph, NodeId};
use crate::incoming::Incoming;
use crate::one::OneStep;
use crate::program::{Counted, Program};
use crate::registers;
use crate::runs::{Group, Held, Many, Runs, Spelled, Start, Waiting};
use crate::scratch::{Limits, Overflow, Scratch};
use crate::subsets::{Position, SubsetId, Taking, TransitionId};

/// Takes what comes out.
pub trait Sink<E> {
    /// A match: its events in the order in which they were taken, and the event time at which it came out. Those of one
    /// event come in no order.
    fn matched(&mut self, events: Vec<(StageId, Taken<E>)>, at: Timestamp);

    /// A partial match whose time ran out, and the stages that it was waiting for.
    fn timed_out(&mut self, events: Vec<(StageId, Taken<E>)>, deadline: Timestamp, awaiting: Vec<StageId>);
}

/// What an event has done to the runs of its key.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Stepped {
    /// Whether it has started a run that is still open.
    pub has_started: bool,
    /// Whether any run is another than before, or takes more memory.
    pub has_changed: bool,
}

impl Program {
    /// Whether an event can make a difference to any key. One that fulfils no condition makes none to a pattern that
    /// passes such events over.
    ///
    /// It must be asked before the event is given to the runs of a key: it evaluates the conditions on the event alone.
    pub fn concerns<E: Event>(
        &self,
        incoming: &Incoming<E>,
        scratch: &mut Scratch,
        conditions: &mut Conditions,
    ) -> bool {
        scratch.look_at(self, incoming, conditions) != 0 || !self.passes_over || self.asks_more
    }

    /// As [`Program::concerns`], where these of the program's conditions were found for the event, among those of all that it
    /// [needs](Program::needs).
    #[inline]
    pub fn is_concerned<E: Event>(
        &self,
        incoming: &Incoming<E>,
        asked: &[Asked],
        scratch: &mut Scratch,
        conditions: &mut Conditions,
    ) -> bool {
        scratch.know(incoming, asked) || self.concerns(incoming, scratch, conditions)
    }

    /// Whether an event that fulfils what is needed there, and no other condition, may start a run.
    pub fn may_start(&self, need: &Need, scratch: &Scratch) -> bool {
        let start = scratch.subset(scratch.start);
        match need.condition {
            Some(condition) if self.passes_over && !start.asks_more => start.asks.contains(&condition),
            _ => true,
        }
    }

    /// Whether an event that comes to a key without runs starts one, or is a match by itself.
    #[inline]
    pub fn starts<E: Event>(&self, incoming: &Incoming<E>, scratch: &mut Scratch) -> bool {
        self.one_step(None, incoming, scratch) != OneStep::Stay
    }

    /// Where runs that the event starts go, if it starts any.
    #[inline]
    pub(crate) fn beginning<E: Event>(&self, incoming: &Incoming<E>, scratch: &mut Scratch) -> Option<TransitionId> {
        if !self.active.includes(incoming.time()) {
            return None;
        }
        let start = scratch.find(self, scratch.start, incoming);
        (!scratch.transition(start).taken.is_empty()).then_some(start)
    }

    /// Gives an event that concerns the program ([`Program::concerns`]) to the runs of its key. Windows must have been closed
    /// up to its time ([`Program::close`]).
    pub fn step<E: Event>(
        &self,
        runs: &mut Runs<E>,
        incoming: &Incoming<E>,
        scratch: &mut Scratch,
        out: &mut impl Sink<E>,
    ) -> Stepped {
        if scratch.keeps_one
            && let Some(stepped) = self.step_one(runs, incoming, scratch, out)
        {
            return stepped;
        }
        let was_one = matches!(runs.0, Held::One { .. });
        let many = runs.many();
        let has_ended = self.counts() && self.count(many, incoming, scratch, out);
        let stepped = if self.skips() {
            self.step_ordered(many, incoming, scratch, out)
        } else {
            self.step_many(many, incoming, scratch, out)
        };
        runs.settle();
        Stepped { has_changed: stepped.has_changed || was_one || has_ended, ..stepped }
    }

    /// Counts the event, and ends the runs for which it is one too many, before they look at it; gives whether there are any,
    /// or when others end may have changed.
    fn count<E: Event>(
        &self,
        many: &mut Many<E>,
        incoming: &Incoming<E>,
        scratch: &mut Scratch,
        out: &mut impl Sink<E>,
    ) -> bool {
        many.count.add(incoming.time());
        scratch.count = many.count;
        let reached = Reached { now: incoming.time(), count: many.count, cause: Cause::Event };
        if self.skips() {
            self.close_ordered(many, reached, scratch, out);
            true
        } else {
            self.close_many(many, reached, scratch, out) || self.counted == Counted::ForTimes
        }
    }

    /// As [`Program::step`], where there is at most one run before and after. None, and nothing is done, where there may
    /// be more.
    fn step_one<E: Event>(
        &self,
        runs: &mut Runs<E>,
        incoming: &Incoming<E>,
        scratch: &mut Scratch,
        out: &mut impl Sink<E>,
    ) -> Option<Stepped> {
        let waits = match &runs.0 {
            Held::Many(_) => return None,
            Held::One { taken, .. } if taken.time <= self.closed(incoming.time()) => return None,
            Held::One { subset, .. } => Some(*subset),
            Held::None => None,
        };
        match self.one_step(waits, incoming, scratch) {
            OneStep::More => return None,
            OneStep::Stay => return Some(Stepped::default()),
            OneStep::Start { stage, target } => {
                runs.0 = Held::One { taken: incoming.taken(), subset: target, stage };
                return Some(Stepped { has_started: true, has_changed: true });
            }
            OneStep::Move(target) => runs.move_one(target),
            OneStep::End => runs.0 = Held::None,
            OneStep::Match(stage) => {
                if let Some(first) = runs.take_one() {
                    out.matched(vec![first, (stage, incoming.taken())], incoming.time());
                }
            }
        }
        Some(Stepped { has_started: false, has_changed: true })
    }

    fn step_many<E: Event>(
        &self,
        many: &mut Many<E>,
        incoming: &Incoming<E>,
        scratch: &mut Scratch,
        out: &mut impl Sink<E>,
    ) -> Stepped {
        let closed = self.closed(incoming.time());
        let at = incoming.time();
        let mut before = std::mem::take(&mut many.waiting);
        let mut step = Step { program: self, scratch, incoming, many, closed, matches: vec![], has_changed: false };
        before.retain_mut(|waiting| step.advance(waiting));
        let mut has_started = step.start();
        let Step { matches, has_changed, many, scratch, .. } = step;
        many.waiting = before;
        if self.keeps_all() {
            self.settle(many, scratch);
        } else {
            self.settle_kept(many, scratch);
            has_started &= many.starts().any(|(_, position)| position == incoming.position());
        }
        many.sweep(closed);
        matches.into_iter().for_each(|events| out.matched(events, at));
        Stepped { has_started, has_changed }
    }

    /// The time at or before which a run must have started to be closed now.
    pub(crate) fn closed(&self, now: Timestamp) -> Timestamp {
        self.within.map_or(Timestamp::MIN, |within| now - within)
    }

    /// Puts the groups that came to their subsets to those that wait there.
    pub(crate) fn settle<E: Event>(&self, many: &mut Many<E>, scratch: &mut Scratch) {
        let mut arrived = std::mem::take(&mut scratch.arrived);
        arrived.sort_by_key(|(subset, group)| (*subset, group.start));
        let mut rest = arrived.drain(..).peekable();
        while let Some((subset, group)) = rest.next() {
            let is_of_subset = |(next, _): &(SubsetId, Group)| *next == subset;
            if !rest.peek().is_some_and(is_of_subset) {
                many.settle_one(subset, group, scratch);
                continue;
            }
            let mut groups = vec![group];
            while let Some((_, group)) = rest.next_if(is_of_subset) {
                groups.push(group);
            }
            many.settle_several(subset, groups, scratch);
        }
        drop(rest);
        scratch.arrived = arrived;
    }

    /// Ends the runs whose time is over at `now`: they time out, or are matches if they waited for an absence. What comes out
    /// is in no order: the caller knows what else comes out at the same time.
    pub fn close<E: Event>(&self, runs: &mut Runs<E>, now: Timestamp, scratch: &mut Scratch, out: &mut impl Sink<E>) {
        let reached = Reached { now, count: runs.count(), cause: Cause::Time };
        match &mut runs.0 {
            Held::None => {}
            Held::One { taken, subset, .. } => {
                let end = self.end_of_one(taken.time).filter(|end| *end <= now);
                let subset = *subset;
                if let Some(end) = end {
                    self.close_one(runs, subset, end, scratch, out);
                }
            }
            Held::Many(many) if self.skips() => self.close_ordered(many, reached, scratch, out),
            Held::Many(many) => {
                self.close_many(many, reached, scratch, out);
            }
        }
        runs.settle();
    }

    /// Ends the only run of a key, which waits in a subset.
    fn close_one<E: Event>(
        &self,
        runs: &mut Runs<E>,
        subset: SubsetId,
        end: Timestamp,
        scratch: &Scratch,
        out: &mut impl Sink<E>,
    ) {
        let Some(taken) = runs.take_one() else { return };
        // Where starts are not told apart nothing comes of an end.
        if !scratch.by_start {
            return;
        }
        let here = scratch.subset(subset);
        debug_assert!(here.closing == Closing::Never && here.absence_windows.is_empty());
        if here.position.matched {
            return;
        }
        if here.is_absence {
            out.matched(vec![taken], end);
        } else if scratch.wants_timeouts {
            out.timed_out(vec![taken], end, here.awaited.to_vec());
        }
    }

    /// Gives whether something has ended, or has become a match.
    fn close_many<E: Event>(
        &self,
        many: &mut Many<E>,
        reached: Reached,
        scratch: &mut Scratch,
        out: &mut impl Sink<E>,
    ) -> bool {
        let Many { waiting, graph, tally, .. } = many;
        let mut has_changed = false;
        for Waiting { subset, groups } in waiting.iter_mut() {
            let mut keep_open = |group: &Group| {
                let give = |lapse: Lapse| {
                    graph.each_run(group.runs, Timestamp::MIN, |events| {
                        lapse.clone().give(in_taken_order(events), out);
                        ControlFlow::Continue(())
                    });
                };
                match self.lapse(*subset, group.begun(), &reached, scratch, give) {
                    Lapsed::Open => return true,
                    Lapsed::Ended => tally.remove(graph.extent(group.runs)),
                    Lapsed::Matched(matched) => scratch.arrived.push((matched, group.clone())),
                }
                has_changed = true;
                false
            };
            if self.has_step_windows() {
                groups.retain(keep_open);
            } else {
                // Windows end in the order of the starts.
                while groups.pop_front_if(|group| !keep_open(group)).is_some() {}
            }
        }
        waiting.retain(|waiting| !waiting.groups.is_empty());
        if has_changed {
            self.settle(many, scratch);
            many.sweep(self.closed(reached.now));
        }
        has_changed
    }

    /// As [`Program::close`], but one end after the other, as if it were called at each of them: under a skip strategy what
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

    /// Gives what time has made of runs that wait in a subset, and what becomes of them.
    fn lapse(
        &self,
        subset: SubsetId,
        begun: Begun<'_>,
        reached: &Reached,
        scratch: &mut Scratch,
        mut give: impl FnMut(Lapse),
    ) -> Lapsed {
        let here = scratch.subsets.get(subset);
        let Reached { now, count, .. } = reached;
        let due = Due::new(self, here, begun, count);
        let is_over = |time: Option<Timestamp>| time.is_some_and(|time| time <= *now);
        let (is_ended, is_absent) = (is_over(due.end), is_over(due.absence));
        if let Some(at) = due.absence
            && is_absent
        {
            give(Lapse::Match { at: count.comes_out(at) });
        }
        if let Some(end) = due.end
            && is_ended
            && !is_absent
            && !here.position.matched
            && scratch.wants_timeouts
        {
            let awaiting = due::awaiting(here, begun.registers, end, reached);
            give(Lapse::Timeout { deadline: count.comes_out(end), awaiting });
        }
        match (is_ended, is_absent) {
            (true, _) => Lapsed::Ended,
            (false, false) => Lapsed::Open,
            (false, true) => {
                let position = Position { matched: true, ..here.position.clone() };
                Lapsed::Matched(scratch.subsets.intern(self, position))
            }
        }
    }

    /// The next time at which something happens to the runs though no event comes.
    pub fn next_due<E: Event>(&self, runs: &Runs<E>, scratch: &mut Scratch) -> Option<Timestamp> {
        let mut next: Option<Timestamp> = None;
        match &runs.0 {
            Held::None => {}
            Held::One { taken, .. } => next = self.end_of_one(taken.time),
            Held::Many(many) => {
                let mut at = |due: Due| next = [next, due.next()].into_iter().flatten().min();
                for Waiting { subset, groups } in &many.waiting {
                    let subset = scratch.subset(*subset);
                    groups.iter().for_each(|group| at(Due::new(self, subset, group.begun(), &many.count)));
                }
                self.each_due_ordered(many, scratch, at);
            }
        }
        next.map(|time| runs.count().comes_out(time))
    }
}

/// What time makes of runs.
#[derive(Clone)]
enum Lapse {
    /// They are matches: what they waited for not to come has not come.
    Match {
        at: Timestamp,
    },
    Timeout {
        deadline: Timestamp,
        awaiting: Vec<StageId>,
    },
}

impl Lapse {
    fn give<E>(self, events: Spelled<E>, out: &mut impl Sink<E>) {
        match self {
            Lapse::Match { at } => out.matched(events, at),
            Lapse::Timeout { deadline, awaiting } => out.timed_out(events, deadline, awaiting),
        }
    }
}

/// What becomes of runs when time passes.
enum Lapsed {
    /// They wait on.
    Open,
    Ended,
    /// They go on as runs that were matches already.
    Matched(SubsetId),
}

/// One event, given to the groups one after the other.
struct Step<'s, E> {
    program: &'s Program,
    scratch: &'s mut Scratch,
    incoming: &'s Incoming<E>,
    many: &'s mut Many<E>,
    closed: Timestamp,
    matches: Vec<Spelled<E>>,
    has_changed: bool,
}

impl<E: Event> Step<'_, E> {
    /// Moves the groups of a subset on; gives whether some stay.
    fn advance(&mut self, waiting: &mut Waiting) -> bool {
        let subset = waiting.subset;
        if self.scratch.subsets.get(subset).looks_back {
            waiting.groups.retain_mut(|group| {
                let transition = self.scratch.find_for(self.program, subset, self.incoming, &group.registers);
                self.follow(transition, subset, std::slice::from_mut(group))
            });
            return !waiting.groups.is_empty();
        }
        let transition = self.scratch.find(self.program, subset, self.incoming);
        self.follow(transition, subset, waiting.groups.make_contiguous())
    }

    /// Moves groups over a transition; gives whether they stay where they are.
    fn follow(&mut self, transition: TransitionId, from: SubsetId, groups: &mut [Group]) -> bool {
        if self.scratch.transition(transition).is_stay {
            return true;
        }
        self.has_changed = true;
        for taking in 0..self.scratch.transition(transition).taken.len() {
            for group in groups.iter() {
                self.take(transition, taking, Some(group));
            }
        }
        self.pass(transition, from, groups)
    }

    /// Lets the event start a run, where it fits.
    fn start(&mut self) -> bool {
        let Some(transition) = self.program.beginning(self.incoming, self.scratch) else { return false };
        let mut has_started = false;
        for taking in 0..self.scratch.transition(transition).taken.len() {
            has_started |= self.take(transition, taking, None);
        }
        has_started
    }

    /// The runs of a group, or a new one, take the event into a stage; gives whether they go on.
    fn take(&mut self, transition: TransitionId, taking: usize, group: Option<&Group>) -> bool {
        let Many { graph, tally, .. } = &mut *self.many;
        if group.is_some_and(|group| self.scratch.is_long(graph.extent(group.runs))) {
            return false;
        }
        self.has_changed = true;
        let Scratch { subsets, arrived, no_registers, faults, tables, count, limits, overflow, .. } =
            &mut *self.scratch;
        let Taking { stage, target, matches } = subsets.transition(transition).taken[taking];
        let here = Start { time: self.incoming.time(), position: self.incoming.position() };
        let runs = graph.take(group.map(|group| group.runs), stage, self.incoming.taken());
        if matches {
            spell_out(graph, runs, self.closed, limits, overflow, &mut self.matches);
        }
        let Some(target) = target else { return false };
        let registers = registers::after(
            group.map_or(no_registers, |group| &group.registers),
            &self.program.kept,
            &subsets.get(target).live,
            stage,
            &OfEvent { event: self.incoming.event(), faults, tables },
            count,
        );
        tally.add(graph.extent(runs));
        let (start, number) = group.map_or((here, count.short_number()), |group| (group.start, group.number));
        arrived.push((target, Group { start, runs, number, registers }));
        true
    }

    /// The runs of the groups pass the event over; gives whether they stay where they are.
    fn pass(&mut self, transition: TransitionId, from: SubsetId, groups: &mut [Group]) -> bool {
        let Many { graph, tally, .. } = &mut *self.many;
        let Scratch { subsets, arrived, limits, overflow, .. } = &mut *self.scratch;
        let transition = subsets.transition(transition);
        if transition.passed_matches {
            for group in groups.iter() {
                spell_out(graph, group.runs, self.closed, limits, overflow, &mut self.matches);
            }
        }
        let Some(target) = transition.passed else {
            groups.iter().for_each(|group| tally.remove(graph.extent(group.runs)));
            return false;
        };
        if target == from {
            return true;
        }
        let live = &subsets.get(target).live;
        arrived.extend(groups.iter_mut().map(|group| {
            let registers = registers::trimmed(group.registers.take(), live);
            (target, Group { start: group.start, runs: group.runs, number: group.number, registers })
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

pub(crate) fn in_taken_order<E>(events: &[(StageId, &Taken<E>)]) -> Spelled<E> {
    events.iter().rev().map(|(stage, taken)| (*stage, (*taken).clone())).collect()
}
