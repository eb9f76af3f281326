//! The runs of one key, one by one.

use std::cmp::Ordering;
use std::collections::HashSet;

use ensue_model::pattern::{Skip, StageId};
use ensue_model::{Event, Timestamp};

use super::automaton::{Action, Automaton, Edge, Kind, Position};
use super::moment::{Moment, Taken};
use super::queue::Queue;

/// A run: where it is and what it took. The run that has taken nothing yet is always there.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct Run {
    position: Position,
    taken: Vec<Taken>,
}

/// Runs stand in the order of their first events; last the one that has none yet.
type Order = (Timestamp, usize);

/// All runs of a key.
pub(super) struct Runs {
    open: Queue<Run, Order>,
    /// Complete, and waiting until no earlier run can make them void.
    complete: Queue<Run, Order>,
}

/// What ended at one event, or as time moved.
#[derive(Default)]
pub(super) struct Ended {
    pub(super) matches: Vec<Vec<Taken>>,
    pub(super) timeouts: Vec<Timeout>,
}

/// A run whose time ran out.
pub(super) struct Timeout {
    pub(super) deadline: Timestamp,
    pub(super) taken: Vec<Taken>,
    pub(super) awaiting: Vec<StageId>,
}

/// What one event makes of the runs.
struct Successors {
    open: Queue<Run, Order>,
    complete: Queue<Run, Order>,
    /// What is open, to have it once: runs at the same state that took the same will never differ again.
    known: HashSet<Run>,
}

impl Successors {
    fn new() -> Self {
        Successors { open: Queue::new(Run::order), complete: Queue::new(Run::order), known: HashSet::new() }
    }

    fn go_on(&mut self, run: Run) {
        if self.known.insert(run.clone()) {
            self.open.push(run);
        }
    }
}

impl Run {
    fn has_begun(&self) -> bool {
        !self.taken.is_empty()
    }

    /// By event time, then order of arrival.
    fn order(&self) -> Order {
        self.taken.first().map_or((Timestamp::MAX, usize::MAX), Taken::order)
    }

    fn of(&self, stage: StageId) -> impl DoubleEndedIterator<Item = &Taken> {
        self.taken.iter().filter(move |taken| taken.stage == stage)
    }
}

impl Runs {
    /// Nothing but the run that has not begun.
    pub(super) fn new(automaton: &Automaton<'_>) -> Self {
        let mut open = Queue::new(Run::order);
        open.push(Run { position: automaton.start, taken: Vec::new() });
        Runs { open, complete: Queue::new(Run::order) }
    }

    /// An event goes through all runs.
    pub(super) fn step<E: Event>(
        &mut self,
        automaton: &Automaton<'_>,
        moment: &Moment<'_, E>,
        position: usize,
        ended: &mut Ended,
    ) {
        let mut next = Successors::new();
        for run in self.open.items() {
            automaton.follow(run, moment, position, &mut next);
        }
        self.open = next.open;
        self.settle(automaton.skip, next.complete, ended);
    }

    /// Time moves to `now`: runs whose window is over end, as a match if the pattern ends with an absence.
    pub(super) fn expire(&mut self, automaton: &Automaton<'_>, now: Timestamp, ended: &mut Ended) {
        let Some(within) = automaton.within else { return };
        let mut open = Queue::new(Run::order);
        let mut complete = Queue::new(Run::order);
        for run in self.open.items() {
            let deadline = run.order().0 + within;
            if !run.has_begun() || now < deadline {
                open.push(run.clone());
            } else if automaton.awaits_absence(run.position) {
                complete.push(run.clone());
            } else {
                let awaiting = automaton.awaiting(run.position);
                ended.time_out(Timeout { deadline, taken: run.taken.clone(), awaiting });
            }
        }
        self.open = open;
        self.settle(automaton.skip, complete, ended);
    }

    /// Complete runs become matches: at once, or with a skip strategy when no open run started earlier. Each match drops
    /// the runs that the strategy says.
    fn settle(&mut self, skip: Skip, complete: Queue<Run, Order>, ended: &mut Ended) {
        self.complete.extend(complete.items().iter().cloned());
        while let Some(order) = self.complete.first().map(Run::order) {
            if skip != Skip::None && self.open.first().is_some_and(|open| open.order() < order) {
                return;
            }
            if let Some(run) = self.complete.pop() {
                self.drop_void(skip, &run);
                ended.matches.push(run.taken);
            }
        }
    }

    /// Drops the runs that a match makes void.
    fn drop_void(&mut self, skip: Skip, matched: &Run) {
        let bound = match skip {
            Skip::None => None,
            Skip::ToNext => matched.taken.first().map(|first| (first, true)),
            Skip::PastLast => matched.taken.last().map(|last| (last, true)),
            Skip::ToFirst(stage) => matched.of(stage).next().map(|first| (first, false)),
            Skip::ToLast(stage) => matched.of(stage).next_back().map(|last| (last, false)),
        };
        let Some((bound, inclusive)) = bound else { return };
        let stays = |run: &Run| match run.order().cmp(&bound.order()) {
            Ordering::Less => false,
            Ordering::Equal => !inclusive,
            Ordering::Greater => true,
        };
        self.open.retain(stays);
        self.complete.retain(stays);
    }
}

impl Ended {
    /// What ends together comes out in the order in which the runs started, then by their events.
    pub(super) fn sort(&mut self) {
        fn order(taken: &[Taken]) -> Vec<(Order, StageId)> {
            taken.iter().map(|taken| (taken.order(), taken.stage)).collect()
        }
        self.matches.sort_by_cached_key(|taken| order(taken));
        self.timeouts.sort_by_cached_key(|timeout| order(&timeout.taken));
    }

    /// Runs that took the same are one timeout, which awaits what any of them does.
    fn time_out(&mut self, timeout: Timeout) {
        match self.timeouts.iter_mut().find(|other| other.taken == timeout.taken) {
            Some(other) => {
                other.awaiting.extend(timeout.awaiting);
                other.awaiting.sort();
                other.awaiting.dedup();
            }
            None => self.timeouts.push(timeout),
        }
    }
}

impl Automaton<'_> {
    /// What an event makes of a run.
    fn follow<E: Event>(&self, run: &Run, moment: &Moment<'_, E>, position: usize, next: &mut Successors) {
        let moment = moment.against(&run.taken);
        let (edges, stopped) = self.fitting(run.position, &moment);
        let mut open = Vec::new();
        for edge in edges {
            let mut taken = run.taken.clone();
            match edge.action {
                Action::Ignore if !run.has_begun() => continue,
                Action::Ignore => {}
                Action::Take(stage) => taken.push(Taken { stage, position, time: moment.now() }),
                Action::Proceed => unreachable!("proceed edges were followed"),
            }
            let successor = Run { position: edge.target, taken };
            if matches!(edge.action, Action::Take(_)) && self.completes(edge.target, &moment) {
                next.complete.push(successor.clone());
            }
            match self.states[edge.target].kind {
                Kind::Complete => next.complete.push(successor),
                Kind::Open | Kind::Absence => open.push(successor),
                Kind::Stopped(_) => unreachable!("stop states are only proceeded to"),
            }
        }
        // What a negation stops ends here; what the same event completes is a match all the same.
        if !stopped {
            open.into_iter().for_each(|run| next.go_on(run));
        }
        if !run.has_begun() {
            next.go_on(run.clone());
        }
    }

    /// The take and ignore edges that fit from a state, and whether a negation met its event. A state that can be come
    /// to in several ways, or again without an event, is looked at once: an empty round is not taken.
    fn fitting<E: Event>(&self, from: Position, moment: &Moment<'_, E>) -> (Vec<&Edge<'_>>, bool) {
        let mut edges = Vec::new();
        let mut stopped = false;
        self.proceed(
            from,
            |edge| moment.meets(&edge.condition),
            |position| {
                let state = &self.states[position];
                stopped |= matches!(state.kind, Kind::Stopped(_));
                let fits = |edge: &&Edge<'_>| edge.action != Action::Proceed && moment.meets(&edge.condition);
                edges.extend(state.edges.iter().filter(fits));
            },
        );
        (edges, stopped)
    }

    /// Whether a run that has just come to a state by an event is a match, since the rest of the pattern may be left
    /// out.
    fn completes<E: Event>(&self, from: Position, moment: &Moment<'_, E>) -> bool {
        let mut complete = false;
        self.proceed(
            from,
            |edge| moment.meets(&edge.condition),
            |position| {
                complete |= position != from && self.states[position].kind == Kind::Complete;
            },
        );
        complete
    }

    /// Whether a run there is a match when its window ends: it waits for nothing but an absence, or could leave its loop for
    /// one. No event will come that could say otherwise, so conditions are not asked.
    fn awaits_absence(&self, from: Position) -> bool {
        let mut absence = false;
        if !self.states[from].in_loop {
            return self.states[from].kind == Kind::Absence;
        }
        self.proceed(from, |_| true, |position| absence |= self.states[position].kind == Kind::Absence);
        absence
    }

    /// The stages that could take the next event.
    fn awaiting(&self, from: Position) -> Vec<StageId> {
        let mut stages = Vec::new();
        self.proceed(
            from,
            |_| true,
            |position| {
                stages.extend(self.states[position].edges.iter().filter_map(|edge| match edge.action {
                    Action::Take(stage) => Some(stage),
                    Action::Ignore | Action::Proceed => None,
                }));
            },
        );
        stages.sort();
        stages.dedup();
        stages
    }

    /// Visits a state and all that it proceeds to over edges that fit, each once.
    fn proceed(&self, from: Position, fits: impl Fn(&Edge<'_>) -> bool, mut visit: impl FnMut(Position)) {
        let mut seen = HashSet::new();
        let mut open = vec![from];
        while let Some(position) = open.pop() {
            if !seen.insert(position) {
                continue;
            }
            visit(position);
            let onward = self.states[position].edges.iter().filter(|edge| edge.action == Action::Proceed && fits(edge));
            open.extend(onward.map(|edge| edge.target));
        }
    }
}
