//! The runs of one key, one by one.

use std::cmp::Ordering;
use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use ensue_model::pattern::{Keep, Skip, StageId};
use ensue_model::{Event, Timestamp};

use super::automaton::{Automaton, Edge, Kind};
use super::moment::{Count, Holding, Moment, Taken};
use super::observer::{Asked, Awaits, Held, Look, Refusal, Step};
use super::position::{Position, closing, earliest};
use super::queue::Queue;

/// A run: where it is and what it took. The run that has taken nothing yet is always there.
///
/// Those that took the same are, to the outside, one run with several ways on. It comes out once, and its time is over when
/// that of its last way is.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct Run {
    position: Position,
    taken: Vec<Taken>,
}

/// Runs stand in the order of their first events; last the one that has none yet.
type Order = (Timestamp, usize);

/// A run that is a match, and since when.
#[derive(Clone, Debug)]
struct Complete {
    run: Run,
    since: Timestamp,
}

/// All runs of a key.
pub(super) struct Runs {
    open: Queue<Run, Order>,
    /// Complete, and waiting until no earlier run can make them void.
    complete: Queue<Complete, Order>,
    /// What became a match because nothing came. It may wait in a loop for more.
    absent: HashSet<Vec<Taken>>,
}

/// How far a key has come.
#[derive(Clone, Copy)]
pub(super) struct Instant {
    pub(super) now: Timestamp,
    pub(super) count: Count,
    /// Whether it is an event that was counted, and not the time before it.
    pub(super) by_event: bool,
}

/// What ended at one event, or as time moved.
#[derive(Default)]
pub(super) struct Ended<'p> {
    pub(super) matches: Vec<Found>,
    pub(super) timeouts: Vec<Timeout>,
    /// What happened to runs, where somebody observes them.
    pub(super) steps: Option<Vec<Step<'p>>>,
}

/// A match.
pub(super) struct Found {
    /// The time of the event that completed it, or when the window of its absence was over; with a skip strategy, when
    /// nothing could make it void any more.
    pub(super) at: Timestamp,
    pub(super) taken: Vec<Taken>,
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
    /// What is open, to have it once: runs at the same state that took the same will never differ again. None with a skip
    /// strategy: there each counts, as in Flink, since their number decides where the others stand in the queue.
    known: Option<HashSet<Run>>,
}

impl Successors {
    fn new(skip: Skip) -> Self {
        let known = (skip == Skip::None).then(HashSet::new);
        Successors { open: Queue::new(Run::order), complete: Queue::new(Run::order), known }
    }

    fn go_on(&mut self, run: Run) {
        if self.known.as_mut().is_none_or(|known| known.insert(run.clone())) {
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

    fn holding(&self, count: Count) -> Holding<'_> {
        Holding { taken: &self.taken, count }
    }

    fn held(&self) -> Held {
        held(&self.taken)
    }

    fn of(&self, stage: StageId) -> impl DoubleEndedIterator<Item = &Taken> {
        self.taken.iter().filter(move |taken| taken.stage == stage)
    }
}

impl Complete {
    fn order(&self) -> Order {
        self.run.order()
    }
}

/// What time does to a run.
struct Due {
    /// When it is a match, since what must not come has not come.
    absent: Option<Timestamp>,
    /// When it can take nothing more.
    closes: Option<Timestamp>,
}

impl Runs {
    /// Nothing but the run that has not begun.
    pub(super) fn new(automaton: &Automaton<'_>) -> Self {
        let mut open = Queue::new(Run::order);
        open.push(Run { position: Position::At(automaton.start), taken: Vec::new() });
        Runs { open, complete: Queue::new(Complete::order), absent: HashSet::new() }
    }

    /// An event goes through all runs.
    pub(super) fn step<'p, E: Event>(
        &mut self,
        automaton: &Automaton<'p>,
        moment: &Moment<'_, E>,
        position: usize,
        ended: &mut Ended<'p>,
    ) {
        if let Some(steps) = &mut ended.steps {
            steps.extend(self.looks(automaton, moment).into_iter().map(Step::Looked));
        }
        let mut next = Successors::new(automaton.skip);
        for run in self.open.items() {
            automaton.follow(run, moment, position, &mut next);
        }
        self.open = next.open;
        let now = moment.now();
        self.complete.extend(next.complete.items().iter().map(|run| Complete { run: run.clone(), since: now }));
        self.settle(automaton.skip, now, ended);
        if automaton.keep != Keep::All {
            self.keep(automaton, moment.count, ended);
            // What was dropped may be what a match waited for.
            self.settle(automaton.skip, now, ended);
        }
        if let Some(steps) = &mut ended.steps {
            steps.extend(self.waiting(automaton, moment.count, position));
        }
    }

    /// What each run makes of an event.
    fn looks<'p, E: Event>(&self, automaton: &Automaton<'p>, moment: &Moment<'_, E>) -> Vec<Look<'p>> {
        let mut looks: Vec<Look<'p>> = Vec::new();
        let mut places: HashMap<&[Taken], usize> = HashMap::new();
        for run in self.open.items() {
            let look = automaton.look_of(run, moment);
            match places.entry(&run.taken) {
                Entry::Occupied(known) => looks[*known.get()].add(look),
                Entry::Vacant(place) => {
                    place.insert(looks.len());
                    looks.push(look);
                }
            }
        }
        looks
    }

    /// What the runs wait for that have taken the event at a position.
    fn waiting<'p>(&self, automaton: &Automaton<'p>, count: Count, position: usize) -> Vec<Step<'p>> {
        let took_it = |run: &&Run| run.taken.last().is_some_and(|last| last.position == position);
        let mut waiting: Vec<(Held, Awaits)> = Vec::new();
        let mut places: HashMap<&[Taken], usize> = HashMap::new();
        for run in self.open.items().iter().filter(took_it) {
            let place = *places.entry(&run.taken).or_insert_with(|| {
                waiting.push((run.held(), Awaits::default()));
                waiting.len() - 1
            });
            automaton.add_waiting(run, count, &mut waiting[place].1);
        }
        waiting.into_iter().map(|(run, waiting)| Step::Waits { run, waiting }).collect()
    }

    /// When time next does something to a run.
    pub(super) fn next_due(&self, automaton: &Automaton<'_>, count: Count) -> Option<Timestamp> {
        let due = self.open.items().iter().flat_map(|run| {
            let Due { absent, closes } = automaton.due(run, count);
            absent.filter(|_| !self.absent.contains(&run.taken)).into_iter().chain(closes)
        });
        due.min()
    }

    /// Of the runs that wait for the same stages one stays: the last or the first that took its latest event; of those that took
    /// the same one, by the order in which runs come out. One that has taken nothing does not wait.
    fn keep(&mut self, automaton: &Automaton<'_>, count: Count, ended: &mut Ended<'_>) {
        let mut waiting: BTreeMap<Vec<Taken>, BTreeSet<StageId>> = BTreeMap::new();
        for run in self.open.items().iter().filter(|run| run.has_begun()) {
            let awaited = automaton.awaited(&run.position, run.holding(count));
            waiting.entry(run.taken.clone()).or_default().extend(awaited.into_iter().map(|(stage, _)| stage));
        }
        let came = |taken: &Vec<Taken>| (taken.last().map(Taken::order), output_order(taken));
        let dropped = |taken: &Vec<Taken>| {
            let rivals = waiting.iter().filter(|(other, stages)| *other != taken && **stages == waiting[taken]);
            let mut rivals = rivals.map(|(other, _)| came(other));
            match automaton.keep {
                Keep::All => false,
                Keep::Latest => rivals.any(|other| other > came(taken)),
                Keep::First => rivals.any(|other| other < came(taken)),
            }
        };
        let stays = |run: &Run| !run.has_begun() || !dropped(&run.taken);
        for run in self.open.items().iter().filter(|run| !stays(run)) {
            ended.note(|| Step::Displaced { run: run.held() });
        }
        self.open.retain(stays);
    }

    /// Time moves to `now`, or an event was counted: runs whose window is over end, and those that wait for an absence are
    /// matches.
    pub(super) fn expire(&mut self, automaton: &Automaton<'_>, at: Instant, ended: &mut Ended<'_>) {
        let Instant { now, count, .. } = at;
        let is_over = |time: Option<Timestamp>| time.is_some_and(|time| time <= now);
        let mut open = Queue::new(Run::order);
        let mut complete = Queue::new(Complete::order);
        let mut closed = Vec::new();
        for run in self.open.items() {
            let Due { absent, closes } = automaton.due(run, count);
            if let Some(since) = absent.filter(|_| is_over(absent))
                && self.absent.insert(run.taken.clone())
            {
                complete.push(Complete { run: run.clone(), since: count.comes_out(since) });
            }
            match closes.filter(|_| is_over(closes)) {
                Some(_) if is_over(absent) => {}
                Some(closes) => closed.push((run.clone(), closes)),
                None => open.push(run.clone()),
            }
        }
        self.open = open;
        self.complete.extend(complete.items().iter().cloned());
        self.time_out(automaton, &closed, at, ended);
        self.settle(automaton.skip, now, ended);
    }

    /// Runs that took the same are one timeout, when the last of them can take nothing more.
    fn time_out(&self, automaton: &Automaton<'_>, closed: &[(Run, Timestamp)], at: Instant, ended: &mut Ended<'_>) {
        let is_open = |taken: &[Taken]| self.open.items().iter().any(|run| run.taken == taken);
        let mut known: HashSet<&[Taken]> = HashSet::new();
        for (Run { taken, .. }, _) in closed {
            if is_open(taken) || !known.insert(taken) {
                continue;
            }
            let ways = || closed.iter().filter(|(run, _)| run.taken == *taken);
            let end = ways().map(|(_, closes)| *closes).max().expect("the run is one of its ways");
            let mut awaiting: Vec<StageId> =
                ways().flat_map(|(run, _)| automaton.awaited_until(run, end, at)).collect();
            awaiting.sort();
            awaiting.dedup();
            let deadline = at.count.comes_out(end);
            ended.note(|| Step::Closed { run: held(taken), at: deadline });
            ended.timeouts.push(Timeout { deadline, taken: taken.clone(), awaiting });
        }
    }

    /// Complete runs become matches: at once, or with a skip strategy when no open run started earlier. Each match drops
    /// the runs that the strategy says.
    fn settle(&mut self, skip: Skip, now: Timestamp, ended: &mut Ended<'_>) {
        while let Some(order) = self.complete.first().map(Complete::order) {
            if skip != Skip::None && self.open.first().is_some_and(|open| open.order() < order) {
                return;
            }
            if let Some(Complete { run, since }) = self.complete.pop() {
                self.drop_void(skip, &run, now, ended);
                let at = if skip == Skip::None { since } else { now };
                ended.matches.push(Found { at, taken: run.taken });
            }
        }
    }

    /// Drops the runs that a match makes void.
    fn drop_void(&mut self, skip: Skip, matched: &Run, at: Timestamp, ended: &mut Ended<'_>) {
        let bound = match skip {
            Skip::None => None,
            Skip::ToNext => matched.taken.first().map(|first| (first, true)),
            Skip::PastLast => matched.taken.last().map(|last| (last, true)),
            Skip::ToFirst(stage) => matched.of(stage).next().map(|first| (first, false)),
            Skip::ToLast(stage) => matched.of(stage).next_back().map(|last| (last, false)),
        };
        let Some((bound, inclusive)) = bound else { return };
        let stays = |order: Order| match order.cmp(&bound.order()) {
            Ordering::Less => false,
            Ordering::Equal => !inclusive,
            Ordering::Greater => true,
        };
        let complete = self.complete.items().iter().map(|complete| &complete.run);
        for run in self.open.items().iter().chain(complete).filter(|run| !stays(run.order())) {
            ended.note(|| Step::Skipped { at, run: run.held(), by: matched.held() });
        }
        self.open.retain(|run| stays(run.order()));
        self.complete.retain(|complete| stays(complete.order()));
    }
}

impl<'p> Ended<'p> {
    /// Nothing has ended yet; what happens to runs is noted where somebody observes them.
    pub(super) fn nothing(is_observed: bool) -> Self {
        Ended { steps: is_observed.then(Vec::new), ..Ended::default() }
    }

    /// Notes what happens, if somebody wants to know.
    fn note(&mut self, step: impl FnOnce() -> Step<'p>) {
        if let Some(steps) = &mut self.steps {
            steps.push(step());
        }
    }

    /// With what ended after it.
    pub(super) fn and(mut self, later: Ended<'p>) -> Ended<'p> {
        self.matches.extend(later.matches);
        self.timeouts.extend(later.timeouts);
        self.steps.iter_mut().for_each(|steps| steps.extend(later.steps.iter().flatten().cloned()));
        self
    }

    /// What comes out at one time does so in the order in which the runs started, then by their events.
    pub(super) fn sort(&mut self) {
        self.matches.sort_by_cached_key(|found| (found.at, output_order(&found.taken)));
        self.timeouts.sort_by_cached_key(|timeout| (timeout.deadline, output_order(&timeout.taken)));
    }
}

/// What a run has taken, as observers see it.
pub(super) fn held(taken: &[Taken]) -> Held {
    taken.iter().map(|taken| (taken.stage, taken.position)).collect()
}

impl<'p> Look<'p> {
    /// With another way on of the same run.
    fn add(&mut self, other: Look<'p>) {
        for asked in other.asked {
            let is_same = |known: &&mut Asked<'p>| (known.stage, known.is_negated) == (asked.stage, asked.is_negated);
            match self.asked.iter_mut().find(is_same) {
                Some(known) if asked.refusals.len() < known.refusals.len() => *known = asked,
                Some(_) => {}
                None => self.asked.push(asked),
            }
        }
        self.takes.extend(other.takes);
        self.takes.sort();
        self.takes.dedup();
        self.passes |= other.passes;
        self.completes |= other.completes;
        self.is_stopped |= other.is_stopped;
    }
}

/// Runs come out by their events, from the first on, then by the stages that took them.
fn output_order(taken: &[Taken]) -> (Vec<Order>, Vec<StageId>) {
    (taken.iter().map(Taken::order).collect(), taken.iter().map(|taken| taken.stage).collect())
}

impl<'p> Automaton<'p> {
    /// What an event makes of a run.
    fn follow<E: Event>(&self, run: &Run, moment: &Moment<'_, E>, position: usize, next: &mut Successors) {
        let moment = moment.against(&run.taken);
        let looked = self.look(&run.position, &moment);
        let mut open = Vec::new();
        for (taken_by, target) in looked.ways {
            let mut taken = run.taken.clone();
            match taken_by {
                None if !run.has_begun() => continue,
                Some(_) if !run.has_begun() && !self.active.includes(moment.now()) => continue,
                None => {}
                Some(stage) => taken.push(Taken { stage, position, time: moment.now(), number: moment.count.events }),
            }
            let successor = Run { position: target, taken };
            if taken_by.is_some() && self.completes(&successor.position, &moment) {
                next.complete.push(successor.clone());
            }
            match self.kind(&successor.position) {
                Kind::Complete => next.complete.push(successor),
                Kind::Open | Kind::Absence | Kind::AnyOrder(_) => open.push(successor),
                Kind::Stopped(_) | Kind::PartEnd => unreachable!("such states are only proceeded to"),
            }
        }
        // What a negation stops ends here; what the same event completes is a match all the same.
        if !looked.is_stopped {
            open.into_iter().for_each(|run| next.go_on(run));
        }
        if !run.has_begun() {
            next.go_on(run.clone());
        }
    }

    /// What an observer sees of [`Automaton::follow`].
    fn look_of<E: Event>(&self, run: &Run, moment: &Moment<'_, E>) -> Look<'p> {
        let moment = moment.against(&run.taken);
        let looked = self.look(&run.position, &moment);
        let mut asked = self.asked(&run.position, &moment);
        let may_begin = run.has_begun() || self.active.includes(moment.now());
        if !may_begin {
            asked.iter_mut().for_each(|asked| asked.refusals.push(Refusal::Inactive));
        }
        let goes_on = |target: &Position| {
            !looked.is_stopped || self.kind(target) == Kind::Complete || self.completes(target, &moment)
        };
        let takes = looked.ways.iter().filter(|(_, target)| may_begin && goes_on(target));
        let mut takes: Vec<StageId> = takes.filter_map(|(stage, _)| *stage).collect();
        takes.sort();
        takes.dedup();
        let passed = || looked.ways.iter().filter(|(stage, _)| stage.is_none());
        let is_complete = |target: &Position| self.kind(target) == Kind::Complete;
        Look {
            run: run.held(),
            asked,
            takes,
            passes: !run.has_begun() || !looked.is_stopped && passed().any(|(_, target)| !is_complete(target)),
            completes: run.has_begun() && passed().any(|(_, target)| is_complete(target)),
            is_stopped: looked.is_stopped,
        }
    }

    /// Adds what a run waits for, which may be one of several ways on of the same.
    fn add_waiting(&self, run: &Run, count: Count, waiting: &mut Awaits) {
        let is_first = waiting.stages.is_empty() && waiting.absent.is_none();
        for (stage, until) in self.awaited(&run.position, run.holding(count)) {
            match waiting.stages.iter_mut().find(|(known, _)| *known == stage) {
                Some((_, known)) => *known = known.zip(until).map(|(one, other)| one.max(other)),
                None => waiting.stages.push((stage, until)),
            }
        }
        waiting.stages.sort_by_key(|(stage, _)| *stage);
        let Due { absent, closes } = self.due(run, count);
        waiting.absent = earliest(waiting.absent, absent);
        waiting.closes = if is_first { closes } else { waiting.closes.zip(closes).map(|(one, other)| one.max(other)) };
    }

    /// Whether a run that has just come to a state by an event is a match, since the rest of the pattern may be left
    /// out.
    fn completes<E: Event>(&self, from: &Position, moment: &Moment<'_, E>) -> bool {
        let beside = self.proceed(from, &|edge: &Edge<'_>| moment.meets(&edge.condition));
        beside.iter().any(|position| position != from && self.kind(position) == Kind::Complete)
    }

    /// What time does to a run.
    fn due(&self, run: &Run, count: Count) -> Due {
        let Some(first) = run.taken.first() else { return Due { absent: None, closes: None } };
        let holding = run.holding(count);
        let in_time = self.within.map(|within| first.time + within);
        let in_events = self.within_events.and_then(|most| count.end(first.number, u64::from(most.get()) - 1));
        let whole = earliest(in_time, in_events);
        let closes = self.closes(&run.position, holding);
        let absent = self.absence(run, holding).and_then(|own| earliest(whole, own));
        Due { absent, closes: earliest(whole, closes) }
    }

    /// Whether a run is a match once nothing has come, and when its own window for that is over. It waits for nothing but
    /// the absence, or could leave its loop for it; for an absence with a window of its own it could leave out, too, what is
    /// optional. No event will come that could say otherwise, so conditions are not asked.
    fn absence(&self, run: &Run, holding: Holding<'_>) -> Option<Option<Timestamp>> {
        let ahead = self.proceed(&run.position, &|_: &Edge<'_>| true);
        let states = ahead.iter().filter_map(|position| self.state(position));
        let absence = states.into_iter().find(|state| state.kind == Kind::Absence)?;
        let is_here = self.kind(&run.position) == Kind::Absence;
        let waits = is_here || self.in_loop(&run.position) || !absence.windows.is_empty();
        waits.then(|| closing(absence, holding))
    }

    /// The stages for which it is not too late before `end`. Where that is an event that was counted, time has come there
    /// already, and the stages are those that it was not too late for before it came.
    fn awaited_until(&self, run: &Run, end: Timestamp, at: Instant) -> impl Iterator<Item = StageId> {
        let count = if at.by_event { Count { events: at.count.events - 1, ..at.count } } else { at.count };
        let in_time = move |closes: Timestamp| closes > end || closes == end && !at.by_event;
        let awaited = self.awaited(&run.position, run.holding(count)).into_iter();
        awaited.filter(move |(_, closes)| closes.is_none_or(in_time)).map(|(stage, _)| stage)
    }
}
