//! The small automaton that says what an event may do to a run.
//!
//! A run stands at a state. A *take* edge takes the event and moves, an *ignore* edge passes it over, a *proceed* edge is
//! followed before the event is looked at: what the next state does with it, the run does too. An edge has a condition,
//! and where several hold, the run forks. A run that no edge fits ends.
//!
//! It is built backwards: of every term we know the state that comes after it.
//!
//! A step's window, and those of the groups around it, are part of what fits: an event that is too late is not taken, and
//! nobody waits for the step any longer, not even by passing an event over. A state knows these windows, so that a run ends
//! without an event when they are over.
//!
//! # What is odd, and kept
//!
//! Patterns must keep the meaning that they have in Apache Flink CEP, so this is as it is there:
//!
//! * The first term of a group stands, between two rounds, under the contiguity of the group, whatever its own is. A group
//!   that is the first term of a group follows at once what is before.
//! * `until` of a group reaches the terms of that group, not those of groups inside.
//! * `notFollowedBy` at the end of a group that something follows stops nothing, and of several at the end of a pattern
//!   only the last one counts.
//! * Before an absence at the end, a term that may be left out is left out by the next event, not by the end of the window:
//!   if none comes the run times out. (After a loop that has begun the end of the window is enough; there Ensue differs.)
//! * What comes after a greedy loop with a bound gives way to it even when it is full: a run that has taken all it can ends
//!   at one more event that fits.

use std::collections::HashMap;
use std::num::NonZeroU32;

use ensue_model::pattern::{
    Active, Contiguity, Keep, Pattern, Quantifier, Relation, Sequence, Skip, StageId, Step, StepWindow, Term,
};
use ensue_model::{Expr, Span};

/// A condition on an event and a run.
#[derive(Clone, Debug)]
pub(super) enum Condition<'p> {
    /// The expression holds: it is neither false nor null.
    Holds(&'p Expr),
    /// The event comes before the window is over.
    InTime(StepWindow),
    /// The condition does not hold.
    Not(Box<Condition<'p>>),
    /// Each holds; of none it is true.
    All(Vec<Condition<'p>>),
}

/// A state by its position in [`Automaton::states`].
pub(super) type StateId = usize;

/// A state and what leads out of it.
#[derive(Clone, Debug)]
pub(super) struct State<'p> {
    pub(super) kind: Kind,
    /// Whether a run there has begun a loop that it may leave, or go on with.
    pub(super) in_loop: bool,
    /// The windows in which it takes an event, or in which the event of its absence must not come.
    pub(super) windows: Vec<StepWindow>,
    pub(super) edges: Vec<Edge<'p>>,
}

/// What it means that a run is at a state.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    /// It goes on.
    Open,
    /// It is a match.
    Complete,
    /// A `notNext` or `notFollowedBy` of this stage met its event.
    Stopped(StageId),
    /// It is a match when its window ends, or that of the pattern: the pattern ends with a `notFollowedBy`.
    Absence,
    /// It waits for an event that a part of this any-order group begins with.
    AnyOrder(usize),
    /// A part of an any-order group may be over. The edge that leads on is for when all are.
    PartEnd,
}

/// A way out of a state.
#[derive(Clone, Debug)]
pub(super) struct Edge<'p> {
    pub(super) action: Action,
    pub(super) condition: Condition<'p>,
    pub(super) target: StateId,
}

/// What happens to the event on an edge.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Action {
    /// The stage takes it.
    Take(StageId),
    /// It is passed over.
    Ignore,
    /// Nothing yet: the target decides.
    Proceed,
    /// Nothing yet: the target, with which a part of an any-order group begins, decides.
    Begin(usize),
    /// Another part of an any-order group takes it, whatever it is here.
    Yield,
}

/// A group of parts that go on side by side.
#[derive(Clone, Debug)]
pub(super) struct AnyOrder<'p> {
    pub(super) parts: Vec<AnyOrderPart<'p>>,
    /// How many of them are taken.
    pub(super) needed: usize,
    /// When an event that no part takes may lie between the beginnings of two parts; never, if there is none.
    pub(super) ignore: Option<Condition<'p>>,
    /// Whether not if a part that is still to begin could begin with it.
    pub(super) is_relaxed: bool,
    /// What comes after the group.
    pub(super) sink: StateId,
}

/// A part of a group.
#[derive(Clone, Debug)]
pub(super) struct AnyOrderPart<'p> {
    pub(super) first: StateId,
    /// What it can begin with.
    pub(super) begins: Condition<'p>,
}

/// A pattern as states.
#[derive(Debug)]
pub(super) struct Automaton<'p> {
    pub(super) states: Vec<State<'p>>,
    pub(super) any_orders: Vec<AnyOrder<'p>>,
    pub(super) start: StateId,
    /// When a run may start.
    pub(super) active: Active,
    pub(super) within: Option<Span>,
    pub(super) within_events: Option<NonZeroU32>,
    pub(super) skip: Skip,
    pub(super) keep: Keep,
}

impl<'p> Automaton<'p> {
    /// The automaton of a pattern.
    pub(super) fn of(pattern: &'p Pattern) -> Self {
        // A window of no length is none.
        let within = pattern.within.filter(|within| *within > Span::ZERO);
        let mut builder = Builder {
            states: Vec::new(),
            any_orders: Vec::new(),
            windowed: within.is_some() || pattern.within_events.is_some(),
            stops: HashMap::new(),
            ungreedy: HashMap::new(),
        };
        let complete = builder.state(Kind::Complete);
        let start = builder.sequence(&pattern.sequence, complete, Outside { group: None, following: None });
        Automaton {
            states: builder.states,
            any_orders: builder.any_orders,
            start,
            active: pattern.active,
            within,
            within_events: pattern.within_events,
            skip: pattern.skip,
            keep: pattern.keep,
        }
    }
}

impl<'p> Condition<'p> {
    fn always() -> Self {
        Condition::All(Vec::new())
    }

    fn not(self) -> Self {
        Condition::Not(Box::new(self))
    }

    fn and(self, other: Condition<'p>) -> Self {
        Condition::All(vec![self, other])
    }

    /// It holds, and none of the windows is over.
    fn in_time(self, windows: &[StepWindow]) -> Self {
        windows.iter().fold(self, |condition, window| condition.and(Condition::InTime(*window)))
    }

    /// It holds, and the loop has not been ended.
    fn before(self, until: Option<&'p Expr>) -> Self {
        match until {
            Some(until) => Condition::Holds(until).not().and(self),
            None => self,
        }
    }
}

struct Builder<'p> {
    states: Vec<State<'p>>,
    any_orders: Vec<AnyOrder<'p>>,
    windowed: bool,
    /// The one state in which a negation has met its event.
    stops: HashMap<StageId, StateId>,
    /// Of what comes after a greedy loop, a copy that does not give way to the loop.
    ungreedy: HashMap<StateId, StateId>,
}

/// What a sequence knows of what is around it.
#[derive(Clone)]
struct Outside<'p> {
    group: Option<Group<'p>>,
    /// The step after the group.
    following: Option<&'p Step>,
}

/// The group around a sequence, in one of its rounds.
#[derive(Clone)]
struct Group<'p> {
    until: Option<&'p Expr>,
    /// What may lie before its first term in this round.
    before: Contiguity,
    /// What may lie between the rounds of its first stage, if that is for the group to say.
    inner: Option<Contiguity>,
    /// Whether this round may be left out with the group.
    optional: bool,
    /// The windows that hold for whatever it takes: its own, and those of the groups around it.
    windows: Vec<StepWindow>,
    /// Whether it is in a part of an any-order group.
    in_part: bool,
}

/// A step and where it stands.
struct Place<'p> {
    step: &'p Step,
    /// The steps before it in the same sequence.
    earlier: &'p [Step],
    /// The step after it, or after the group that it ends.
    following: Option<&'p Step>,
    group: Option<Group<'p>>,
}

/// Several parts, by the states that they begin with, or by their group.
enum Parts {
    Alternatives(Vec<StateId>),
    AnyOrder(usize),
}

/// One round of a step.
struct Round {
    /// Where a run goes that has taken the round.
    sink: StateId,
    /// Where a run goes that leaves it out; none if it must not.
    skips_to: Option<StateId>,
    /// Whether it is the first.
    first: bool,
}

impl<'p> Place<'p> {
    fn quantifier(&self) -> Quantifier {
        self.step.quantifier
    }

    fn until(&self) -> Option<&'p Expr> {
        self.step.until.as_ref()
    }

    /// The group of which the step is the first one.
    fn heads(&self) -> Option<&Group<'p>> {
        self.group.as_ref().filter(|_| self.earlier.is_empty())
    }

    fn in_part(&self) -> bool {
        self.group.as_ref().is_some_and(|group| group.in_part)
    }

    fn group_until(&self) -> Option<&'p Expr> {
        self.group.as_ref().and_then(|group| group.until)
    }

    /// The windows that hold for what the step takes.
    fn windows(&self) -> Vec<StepWindow> {
        let around = self.group.as_ref().map_or(&[][..], |group| &group.windows);
        around.iter().copied().chain(self.step.within).collect()
    }

    /// What may lie before the first round.
    fn before(&self) -> Contiguity {
        match self.heads() {
            Some(group) => group.before,
            None => contiguity(self.step.relation),
        }
    }

    /// What may lie before the first round of a group. Flink has nothing between the beginning of a group and that of a
    /// group that it begins with.
    fn before_group(&self) -> Contiguity {
        match self.heads() {
            Some(_) => Contiguity::Strict,
            None => contiguity(self.step.relation),
        }
    }

    /// What may lie between two rounds. Flink gives the first stage of a group the contiguity of the group's rounds.
    fn between(&self) -> Contiguity {
        let of_group = match &self.step.term {
            Term::Stage(..) => self.heads().and_then(|group| group.inner),
            Term::Group(_) | Term::Either(_) | Term::All { .. } => None,
        };
        of_group.unwrap_or(self.quantifier().inner)
    }

    /// The negations that still hold before this step: those right before it, and before optional steps.
    fn negations(&self) -> Vec<(StageId, Condition<'p>)> {
        let reaches = |step: &&Step| step.quantifier.optional || step.relation == Relation::NotFollowedBy;
        let before = self.earlier.iter().rev().take_while(reaches);
        let negated = before.filter(|step| step.relation == Relation::NotFollowedBy);
        negated.map(|step| (stage_of(step), stage_condition(step).before(self.group_until()))).collect()
    }

    /// What leads to the next state without an event.
    fn onward(&self) -> Condition<'p> {
        Condition::always().before(self.group_until())
    }
}

impl<'p> Builder<'p> {
    fn state(&mut self, kind: Kind) -> StateId {
        self.states.push(State { kind, in_loop: false, windows: Vec::new(), edges: Vec::new() });
        self.states.len() - 1
    }

    fn state_within(&mut self, kind: Kind, windows: Vec<StepWindow>) -> StateId {
        let state = self.state(kind);
        self.states[state].windows = windows;
        state
    }

    fn edge(&mut self, from: StateId, action: Action, condition: Condition<'p>, target: StateId) {
        self.states[from].edges.push(Edge { action, condition, target });
    }

    /// The first state of a sequence that goes on at `sink`.
    fn sequence(&mut self, sequence: &'p Sequence, sink: StateId, outside: Outside<'p>) -> StateId {
        let mut sink = sink;
        for (index, step) in sequence.steps.iter().enumerate().rev() {
            let following = sequence.steps.get(index + 1).or(outside.following);
            let place = Place { step, earlier: &sequence.steps[..index], following, group: outside.group.clone() };
            sink = match step.relation {
                Relation::NotNext => self.not_next(&place, sink),
                Relation::NotFollowedBy => self.not_followed_by(&place, sink),
                Relation::Next | Relation::FollowedBy | Relation::FollowedByAny => self.term(&place, sink),
            };
        }
        sink
    }

    /// The next event decides. At the end of the pattern it must come: proceeding would not wait for it.
    fn not_next(&mut self, place: &Place<'p>, sink: StateId) -> StateId {
        let condition = stage_condition(place.step).before(place.group_until());
        let waits = self.state(Kind::Open);
        let action = if self.states[sink].kind == Kind::Complete { Action::Ignore } else { Action::Proceed };
        self.edge(waits, action, condition.clone().not(), sink);
        self.stop_at(waits, stage_of(place.step), condition);
        waits
    }

    /// At the end of a pattern, with a window of its own or of the pattern, it is a state of its own. Elsewhere it is in the
    /// states around it.
    fn not_followed_by(&mut self, place: &Place<'p>, sink: StateId) -> StateId {
        let windowed = self.windowed || place.step.within.is_some();
        if !windowed || self.states[sink].kind != Kind::Complete {
            return sink;
        }
        let condition = stage_condition(place.step).before(place.group_until());
        let waits = self.state_within(Kind::Absence, place.step.within.into_iter().collect());
        self.stop_at(waits, stage_of(place.step), condition.clone());
        self.edge(waits, Action::Ignore, condition.not(), waits);
        waits
    }

    /// A run at that state ends when the condition holds.
    fn stop_at(&mut self, state: StateId, stage: StageId, condition: Condition<'p>) {
        let stop = match self.stops.get(&stage) {
            Some(stop) => *stop,
            None => self.state(Kind::Stopped(stage)),
        };
        self.stops.insert(stage, stop);
        self.edge(state, Action::Proceed, condition, stop);
    }

    /// A stage or a group with its quantifier.
    fn term(&mut self, place: &Place<'p>, sink: StateId) -> StateId {
        let Quantifier { min, max, .. } = place.quantifier();
        let first = match max {
            None => {
                // Once the loop has begun, the negations before it are over.
                let after = self.without_negations(place, sink);
                let looping = self.looping(place, after);
                self.times(place, looping, sink, min, min)
            }
            Some(max) => self.times(place, sink, sink, min, max),
        };
        self.stop_at_negations(place, first);
        first
    }

    /// `min` to `max` rounds, each with states of its own.
    fn times(&mut self, place: &Place<'p>, sink: StateId, skips_to: StateId, min: u32, max: u32) -> StateId {
        if place.quantifier().greedy && min != max {
            self.give_way(place, sink);
        }
        let mut sink = sink;
        for _ in min..max {
            sink = self.later_round(place, sink, Some(skips_to));
        }
        for _ in 1..min {
            sink = self.later_round(place, sink, None);
        }
        let skips_to = Some(skips_to).filter(|_| place.quantifier().optional);
        self.round(place, &Round { sink, skips_to, first: true })
    }

    fn later_round(&mut self, place: &Place<'p>, sink: StateId, skips_to: Option<StateId>) -> StateId {
        let state = self.round(place, &Round { sink, skips_to, first: false });
        self.states[state].in_loop = skips_to.is_some();
        self.stop_at_following(place, state);
        state
    }

    fn round(&mut self, place: &Place<'p>, round: &Round) -> StateId {
        match &place.step.term {
            Term::Stage(stage, condition) => self.stage_round(place, round, *stage, condition),
            Term::Group(sequence) => self.group_round(place, round, sequence),
            Term::Either(parts) | Term::All { parts, .. } => self.parts_round(place, round, parts),
        }
    }
}

impl<'p> Builder<'p> {
    fn stage_round(&mut self, place: &Place<'p>, round: &Round, stage: StageId, condition: &'p Expr) -> StateId {
        let take = take_condition(place, condition);
        let contiguity = if round.first { place.before() } else { place.between() };
        let until = place.until().filter(|_| !round.first);
        let ignore = ignore_condition(place, contiguity, Condition::Holds(condition), until);

        let state = self.state_within(Kind::Open, place.windows());
        let sink = self.without_negations(place, round.sink);
        self.edge(state, Action::Take(stage), take.clone(), sink);
        if let Some(skips_to) = round.skips_to {
            self.skip_edges(place, state, skips_to);
        }
        if let Some(ignore) = ignore {
            let waits = if round.skips_to.is_some() || place.heads().is_some_and(|group| group.optional) {
                // A run that has passed an event over has left its round out already, if it ever will.
                let waits = self.state_within(Kind::Open, place.windows());
                self.edge(waits, Action::Take(stage), take, sink);
                self.ignore_edges(place, waits, &ignore, waits);
                self.stop_at_negations(place, waits);
                waits
            } else {
                state
            };
            self.ignore_edges(place, state, &ignore, waits);
        }
        state
    }

    fn skip_edges(&mut self, place: &Place<'p>, state: StateId, skips_to: StateId) {
        match place.until().filter(|_| place.quantifier().greedy) {
            Some(until) => {
                let ended = self.ungreedy.get(&skips_to).copied().unwrap_or(skips_to);
                self.edge(state, Action::Proceed, place.onward().and(Condition::Holds(until)), ended);
                self.edge(state, Action::Proceed, place.onward().before(Some(until)), skips_to);
            }
            None => self.edge(state, Action::Proceed, place.onward(), skips_to),
        }
    }

    fn group_round(&mut self, place: &Place<'p>, round: &Round, sequence: &'p Sequence) -> StateId {
        let group = Group {
            until: place.until(),
            before: if round.first { place.before_group() } else { place.quantifier().inner },
            inner: Some(place.quantifier().inner),
            optional: round.first && place.quantifier().optional,
            windows: place.windows(),
            in_part: place.in_part(),
        };
        let outside = Outside { group: Some(group), following: place.following };
        let first = self.sequence(sequence, round.sink, outside);
        if let Some(skips_to) = round.skips_to {
            self.skip_edges(place, first, skips_to);
        }
        first
    }

    /// A round that comes back to itself, and may be left for `sink`.
    fn looping(&mut self, place: &Place<'p>, sink: StateId) -> StateId {
        match &place.step.term {
            Term::Stage(stage, condition) => self.looping_stage(place, *stage, condition, sink),
            Term::Group(sequence) => self.looping_group(place, sequence, sink),
            Term::Either(parts) | Term::All { parts, .. } => self.looping_parts(place, parts, sink),
        }
    }

    fn looping_stage(&mut self, place: &Place<'p>, stage: StageId, condition: &'p Expr, sink: StateId) -> StateId {
        let take = take_condition(place, condition);
        let ignore = ignore_condition(place, place.between(), Condition::Holds(condition), place.until());

        let state = self.state_within(Kind::Open, place.windows());
        self.states[state].in_loop = true;
        if place.quantifier().greedy {
            self.give_way(place, sink);
        }
        self.skip_edges(place, state, sink);
        self.edge(state, Action::Take(stage), take.clone(), state);
        self.stop_at_following(place, state);
        if let Some(ignore) = ignore {
            let waits = self.state_within(Kind::Open, place.windows());
            self.edge(waits, Action::Take(stage), take, state);
            self.ignore_edges(place, waits, &ignore, waits);
            self.ignore_edges(place, state, &ignore, waits);
            self.stop_at_following(place, waits);
        }
        state
    }

    fn looping_group(&mut self, place: &Place<'p>, sequence: &'p Sequence, sink: StateId) -> StateId {
        if place.quantifier().greedy {
            self.give_way(place, sink);
        }
        let again = self.state(Kind::Open);
        self.states[again].in_loop = true;
        let round = Round { sink: again, skips_to: Some(sink), first: false };
        let first = self.group_round(place, &round, sequence);
        self.states[first].in_loop = true;
        self.edge(again, Action::Proceed, place.onward(), first);
        first
    }

    fn ignore_edges(&mut self, place: &Place<'p>, from: StateId, ignore: &Ignore<'p>, target: StateId) {
        self.edge(from, Action::Ignore, ignore.untaken.clone(), target);
        if place.in_part() {
            self.edge(from, Action::Yield, ignore.taken_beside.clone(), target);
        }
    }

    /// A round of alternatives, or of an any-order group: a state that waits for what one of the parts begins with.
    fn parts_round(&mut self, place: &Place<'p>, round: &Round, parts: &'p [Sequence]) -> StateId {
        let until = place.until().filter(|_| !round.first);
        let contiguity = if round.first { place.before() } else { place.between() };
        let ignore = ignore_condition(place, contiguity, begins(place.step), until);
        let sink = self.without_negations(place, round.sink);
        let parts = self.parts(place, parts, sink);

        let fork = self.fork(place, round.skips_to, &parts);
        if let Some(ignore) = ignore {
            let waits = if round.skips_to.is_some() || place.heads().is_some_and(|group| group.optional) {
                let waits = self.fork(place, None, &parts);
                self.ignore_edges(place, waits, &ignore, waits);
                self.stop_at_negations(place, waits);
                waits
            } else {
                fork
            };
            self.ignore_edges(place, fork, &ignore, waits);
        }
        fork
    }

    fn looping_parts(&mut self, place: &Place<'p>, parts: &'p [Sequence], sink: StateId) -> StateId {
        let ignore = ignore_condition(place, place.between(), begins(place.step), place.until());
        let again = self.state(Kind::Open);
        self.states[again].in_loop = true;
        let parts = self.parts(place, parts, again);
        if place.quantifier().greedy {
            self.give_way(place, sink);
        }
        let fork = self.fork(place, Some(sink), &parts);
        self.states[fork].in_loop = true;
        self.edge(again, Action::Proceed, place.onward(), fork);
        self.stop_at_following(place, fork);
        if let Some(ignore) = ignore {
            let waits = self.fork(place, None, &parts);
            self.ignore_edges(place, waits, &ignore, waits);
            self.ignore_edges(place, fork, &ignore, waits);
            self.stop_at_following(place, waits);
        }
        fork
    }

    /// A state that goes into each branch, and looks at the first of them first; at what follows the term, if it may be
    /// left out, last. Of an any-order group it begins the parts.
    fn fork(&mut self, place: &Place<'p>, skips_to: Option<StateId>, parts: &Parts) -> StateId {
        let fork = self.state_within(Kind::Open, place.windows());
        if let Some(skips_to) = skips_to {
            self.skip_edges(place, fork, skips_to);
        }
        match parts {
            Parts::Alternatives(branches) => {
                for branch in branches.iter().rev() {
                    self.edge(fork, Action::Proceed, Condition::always(), *branch);
                }
            }
            Parts::AnyOrder(group) => {
                self.states[fork].kind = Kind::AnyOrder(*group);
                let firsts: Vec<StateId> = self.any_orders[*group].parts.iter().map(|part| part.first).collect();
                for (index, first) in firsts.into_iter().enumerate() {
                    self.edge(fork, Action::Begin(index), Condition::always(), first);
                }
            }
        }
        fork
    }

    /// One part of several is an alternative.
    fn parts(&mut self, place: &Place<'p>, parts: &'p [Sequence], sink: StateId) -> Parts {
        match place.step.term {
            Term::All { needed, .. } if needed > 1 => {
                Parts::AnyOrder(self.any_order(place, parts, sink, needed as usize))
            }
            Term::Stage(..) | Term::Group(_) | Term::Either(_) | Term::All { .. } => {
                Parts::Alternatives(self.branches(place, parts, sink))
            }
        }
    }

    fn any_order(&mut self, place: &Place<'p>, parts: &'p [Sequence], sink: StateId, needed: usize) -> usize {
        let group = Group { in_part: true, ..part_group(place) };
        let inner = place.quantifier().inner;
        let ignore = Condition::always().before(place.group_until()).before(place.until()).in_time(&place.windows());
        let mut built = Vec::new();
        for part in parts {
            let end = self.state(Kind::PartEnd);
            self.edge(end, Action::Proceed, Condition::always(), sink);
            let first = self.sequence(part, end, Outside { group: Some(group.clone()), following: None });
            built.push(AnyOrderPart { first, begins: any_of(part_entries(part)) });
        }
        self.any_orders.push(AnyOrder {
            parts: built,
            needed,
            ignore: (inner != Contiguity::Strict).then_some(ignore),
            is_relaxed: inner == Contiguity::Relaxed,
            sink,
        });
        self.any_orders.len() - 1
    }

    /// The first states of branches, each with nothing before it: the fork is what waits.
    fn branches(&mut self, place: &Place<'p>, branches: &'p [Sequence], sink: StateId) -> Vec<StateId> {
        let group = part_group(place);
        let mut firsts = Vec::new();
        for branch in branches {
            let sink = self.sink_of(branch, sink);
            let outside = Outside { group: Some(group.clone()), following: place.following };
            let first = self.sequence(branch, sink, outside);
            firsts.push(self.at_once(first, &mut HashMap::new()));
        }
        firsts
    }

    /// What comes after a branch. It gives way to a greedy loop at the end of that branch, and to no other's.
    fn sink_of(&mut self, branch: &Sequence, sink: StateId) -> StateId {
        if !ends_greedily(branch) || self.states[sink].kind == Kind::Complete {
            return sink;
        }
        if self.states[sink].edges.is_empty() {
            // A loop that is not made yet.
            let joint = self.state(Kind::Open);
            self.states[joint].in_loop = true;
            self.edge(joint, Action::Proceed, Condition::always(), sink);
            return joint;
        }
        self.copy(sink)
    }

    /// The same state for who looks at one event only: nothing is passed over, neither there nor where it proceeds to.
    fn at_once(&mut self, state: StateId, copies: &mut HashMap<StateId, StateId>) -> StateId {
        if let Some(copy) = copies.get(&state) {
            return *copy;
        }
        let copy = self.like(state);
        copies.insert(state, copy);
        for edge in self.states[state].edges.clone() {
            let target = match edge.action {
                Action::Ignore | Action::Yield => continue,
                Action::Take(_) | Action::Begin(_) => edge.target,
                Action::Proceed => self.at_once(edge.target, copies),
            };
            self.edge(copy, edge.action, edge.condition, target);
        }
        copy
    }

    /// What comes after a greedy loop takes no event that the loop could take. Once `until` has ended the loop, it may:
    /// that way out leads to a copy.
    fn give_way(&mut self, place: &Place<'p>, sink: StateId) {
        if place.until().is_some() {
            let copy = self.copy(sink);
            self.ungreedy.insert(sink, copy);
        }
        let taken = entry_condition(place);
        for edge in &mut self.states[sink].edges {
            edge.condition = edge.condition.clone().and(taken.clone().not());
        }
    }

    fn copy(&mut self, state: StateId) -> StateId {
        let copy = self.like(state);
        for edge in self.states[state].edges.clone() {
            let target = if edge.target == state { copy } else { edge.target };
            self.edge(copy, edge.action, edge.condition, target);
        }
        copy
    }

    /// A state of the same kind, without edges.
    fn like(&mut self, state: StateId) -> StateId {
        self.state_within(self.states[state].kind, self.states[state].windows.clone())
    }

    fn stop_at_negations(&mut self, place: &Place<'p>, state: StateId) {
        for (stage, condition) in place.negations() {
            self.stop_at(state, stage, condition);
        }
    }

    /// In a loop before a `notFollowedBy`, the negation holds from the first event on.
    fn stop_at_following(&mut self, place: &Place<'p>, state: StateId) {
        let Some(following) = place.following.filter(|step| step.relation == Relation::NotFollowedBy) else { return };
        let condition = stage_condition(following).before(place.group_until());
        self.stop_at(state, stage_of(following), condition);
    }

    /// The negations before an optional step hold until it is taken, or else until what follows it is. So after it was
    /// taken, what follows comes without them.
    fn without_negations(&mut self, place: &Place<'p>, sink: StateId) -> StateId {
        let over: Vec<StageId> = place.negations().into_iter().map(|(stage, _)| stage).collect();
        if over.is_empty() || !place.quantifier().optional {
            return sink;
        }
        self.copy_without(sink, &over, &mut HashMap::new())
    }

    fn copy_without(&mut self, state: StateId, over: &[StageId], copies: &mut HashMap<StateId, StateId>) -> StateId {
        if let Some(copy) = copies.get(&state) {
            return *copy;
        }
        let copy = self.like(state);
        copies.insert(state, copy);
        for edge in self.states[state].edges.clone() {
            let target = match (edge.action, self.states[edge.target].kind) {
                (Action::Proceed, Kind::Stopped(stage)) if over.contains(&stage) => continue,
                (Action::Proceed, Kind::Stopped(_)) => edge.target,
                (Action::Proceed, _) => self.copy_without(edge.target, over, copies),
                (Action::Take(_) | Action::Ignore | Action::Yield, _) if edge.target == state => copy,
                (Action::Take(_) | Action::Ignore | Action::Yield | Action::Begin(_), _) => edge.target,
            };
            self.edge(copy, edge.action, edge.condition, target);
        }
        copy
    }
}

fn contiguity(relation: Relation) -> Contiguity {
    match relation {
        Relation::Next | Relation::NotNext => Contiguity::Strict,
        Relation::FollowedBy | Relation::NotFollowedBy => Contiguity::Relaxed,
        Relation::FollowedByAny => Contiguity::Any,
    }
}

/// When an event is passed over.
struct Ignore<'p> {
    /// If nobody takes it.
    untaken: Condition<'p>,
    /// If another part of an any-order group does.
    taken_beside: Condition<'p>,
}

/// The condition under which a step's loop takes another event: that of the stage, or of the stages that a round of the
/// group can begin with.
fn entry_condition<'p>(place: &Place<'p>) -> Condition<'p> {
    begins(place.step).before(place.group_until()).in_time(&place.windows())
}

/// Whether an event is one that a step can begin with.
fn begins(step: &Step) -> Condition<'_> {
    let mut entries = Vec::new();
    entries_of(step, &[], &mut entries);
    any_of(entries)
}

fn any_of(conditions: Vec<Condition<'_>>) -> Condition<'_> {
    Condition::All(conditions.into_iter().map(Condition::not).collect()).not()
}

/// What can be the first event of a step, each with the windows that it must lie in: those of the steps around it, too.
fn entries_of<'p>(step: &'p Step, around: &[StepWindow], entries: &mut Vec<Condition<'p>>) {
    let windows: Vec<StepWindow> = around.iter().copied().chain(step.within).collect();
    if let Term::Stage(_, condition) = &step.term
        && !step.is_negated()
    {
        entries.push(Condition::Holds(condition).in_time(&windows));
    }
    step.term.sequences().iter().for_each(|sequence| entries_of_sequence(sequence, &windows, entries));
}

fn entries_of_sequence<'p>(sequence: &'p Sequence, around: &[StepWindow], entries: &mut Vec<Condition<'p>>) {
    for step in &sequence.steps {
        entries_of(step, around, entries);
        if !step.can_be_empty() {
            return;
        }
    }
}

fn part_entries(part: &Sequence) -> Vec<Condition<'_>> {
    let mut entries = Vec::new();
    entries_of_sequence(part, &[], &mut entries);
    entries
}

/// What the steps of a part see around them.
fn part_group<'p>(place: &Place<'p>) -> Group<'p> {
    Group {
        until: place.until(),
        before: Contiguity::Strict,
        inner: None,
        optional: false,
        windows: place.windows(),
        in_part: place.in_part(),
    }
}

fn take_condition<'p>(place: &Place<'p>, condition: &'p Expr) -> Condition<'p> {
    Condition::Holds(condition).before(place.group_until()).before(place.until()).in_time(&place.windows())
}

/// What passes an event over; none if nothing does.
fn ignore_condition<'p>(
    place: &Place<'p>,
    contiguity: Contiguity,
    fits: Condition<'p>,
    until: Option<&'p Expr>,
) -> Option<Ignore<'p>> {
    let ignore = match contiguity {
        Contiguity::Strict => return None,
        Contiguity::Relaxed => fits.not(),
        Contiguity::Any => Condition::always(),
    };
    let allowed = |ignore: Condition<'p>| ignore.before(place.group_until()).in_time(&place.windows()).before(until);
    Some(Ignore { untaken: allowed(ignore), taken_beside: allowed(Condition::always()) })
}

/// Whether a sequence can end with a greedy loop.
fn ends_greedily(sequence: &Sequence) -> bool {
    for step in sequence.steps.iter().rev() {
        if step.quantifier.greedy || step.term.sequences().iter().any(ends_greedily) {
            return true;
        }
        if !step.can_be_empty() {
            return false;
        }
    }
    false
}

/// The stage of a negation.
fn stage_of(step: &Step) -> StageId {
    match &step.term {
        Term::Stage(stage, _) => *stage,
        Term::Group(_) | Term::Either(_) | Term::All { .. } => unreachable!("a negation is of a stage"),
    }
}

/// The condition of a negation.
fn stage_condition(step: &Step) -> Condition<'_> {
    match &step.term {
        Term::Stage(_, condition) => Condition::Holds(condition).in_time(step.within.as_slice()),
        Term::Group(_) | Term::Either(_) | Term::All { .. } => unreachable!("a negation is of a stage"),
    }
}
