//! Compiles a checked pattern to a program.
//!
//! The states are made from the last term to the first, so that each term knows the state that follows it, its *sink*.
//! What the edges are for each contiguity, quantifier and group follows Apache Flink's CEP library, so that a pattern
//! gives the same here as there.

use std::collections::HashMap;

use ensue_model::expr::{Ask, BinaryOperator, Expr, Lookback, LookbackId, Pick};
use ensue_model::pattern::{
    Anchor, Contiguity, Pattern, Quantifier, Relation, Sequence, StageId, Step, StepWindow, Term, WindowSpan,
};

use crate::outcomes::passes_over;
use crate::program::{
    Action, Asked, Between, CompileError, Condition, ConditionId, Counted, Edge, Guard, Kept, Of, Part, Program,
    Shuffle, ShuffleId, State, StateId, StateKind, Test, Window,
};

/// The most states that a program may have.
pub const STATES_MAX: usize = 65_536;

/// The most different conditions that a program may have.
pub const CONDITIONS_MAX: usize = 128;

/// Compiles a checked pattern.
///
/// # Errors
/// If the program would be larger than [`STATES_MAX`] states or [`CONDITIONS_MAX`] conditions.
pub fn compile(pattern: &Pattern) -> Result<Program, CompileError> {
    let mut compiler = Compiler::new(pattern);
    let end = compiler.state(StateKind::Final, None);
    let start = compiler.sequence(&pattern.sequence, end, None, None);
    compiler.program(start)
}

struct Compiler<'p> {
    pattern: &'p Pattern,
    states: Vec<State>,
    shuffles: Vec<Shuffle>,
    conditions: Vec<Condition>,
    kept: Vec<Kept>,
    /// The state that drops a run, for each negated stage.
    stops: HashMap<StageId, StateId>,
    /// The state behind a greedy loop with `until`, as it was before the loop narrowed it: an event that fulfils the
    /// `until` may go on there.
    before_greedy: HashMap<StateId, StateId>,
}

/// A group as the terms inside see it.
#[derive(Clone)]
struct Group {
    /// What may lie before this round of the group.
    contiguity: Contiguity,
    /// What may lie between two rounds of its first term, if that is for the group to say.
    inner: Option<Contiguity>,
    /// Whether this is a first round that may be left out.
    optional: bool,
    until: Option<Guard>,
    /// The windows of the group and of those around it, which hold for each event that it takes.
    windows: Vec<StepWindow>,
    /// Whether it is, or stands in, a part of an any-order group, so that another part may take an event.
    in_part: bool,
}

/// Where the compiler is: a step of a sequence, in its group, and what follows it.
#[derive(Clone, Copy)]
struct Place<'p> {
    steps: &'p [Step],
    index: usize,
    group: Option<&'p Group>,
    /// The step behind the sequence's last one, in the sequence around.
    behind: Option<&'p Step>,
}

impl<'p> Place<'p> {
    fn step(&self) -> &'p Step {
        &self.steps[self.index]
    }

    /// The group of which this is the first term.
    fn heads(&self) -> Option<&'p Group> {
        self.group.filter(|_| self.index == 0)
    }

    fn following(&self) -> Option<&'p Step> {
        self.steps.get(self.index + 1).or(self.behind)
    }

    /// What may lie between the term and the one before.
    fn contiguity(&self) -> Contiguity {
        self.heads().map_or(contiguity_of(self.step().relation, self.index), |group| group.contiguity)
    }

    /// What may lie between two rounds of the term. Flink gives the first stage of a group that of the group's rounds.
    fn inner_contiguity(&self) -> Contiguity {
        let of_group = match self.step().term {
            Term::Stage(..) => self.heads().and_then(|group| group.inner),
            Term::Group(_) | Term::Either(_) | Term::All { .. } => None,
        };
        of_group.unwrap_or(self.step().quantifier.inner)
    }

    /// The step windows that an event must lie in to be taken here.
    fn windows(&self) -> Vec<StepWindow> {
        let around = self.group.map_or(&[][..], |group| &group.windows);
        around.iter().copied().chain(self.step().within).collect()
    }

    fn in_part(&self) -> bool {
        self.group.is_some_and(|group| group.in_part)
    }

    fn group_until(&self) -> Option<&'p Guard> {
        self.group.and_then(|group| group.until.as_ref())
    }

    /// The `notFollowedBy` steps before this one that nothing but optional terms lies between.
    fn absences_before(&self) -> Vec<&'p Step> {
        let is_passed = |step: &&Step| step.quantifier.optional || step.relation == Relation::NotFollowedBy;
        let before = self.steps[..self.index].iter().rev().take_while(is_passed);
        before.filter(|step| step.relation == Relation::NotFollowedBy).collect()
    }
}

/// The first term of a sequence has no term before it; a group there is as strict as Flink makes it.
fn contiguity_of(relation: Relation, index: usize) -> Contiguity {
    match relation {
        _ if index == 0 => Contiguity::Strict,
        Relation::Next | Relation::NotNext => Contiguity::Strict,
        Relation::FollowedBy | Relation::NotFollowedBy => Contiguity::Relaxed,
        Relation::FollowedByAny => Contiguity::Any,
    }
}

/// The edges of a term: when it takes an event, and when it passes one over, if it may.
#[derive(Clone)]
struct Edges {
    take: Guard,
    pass: Option<Pass>,
}

/// When an event is passed over.
#[derive(Clone)]
struct Pass {
    /// If nobody takes it.
    ignore: Guard,
    /// If another part of an any-order group takes it.
    yields: Guard,
}

impl Pass {
    fn and(self, guard: &Guard) -> Pass {
        Pass { ignore: guard.clone().and(self.ignore), yields: guard.clone().and(self.yields) }
    }
}

/// What a run waits for.
enum Wait {
    Stage { stage: StageId, take: Guard, target: StateId },
    Fork(Vec<StateId>),
    Shuffle(ShuffleId),
}

/// Where the copy of an edge leads.
enum Leads {
    /// There is none.
    Nowhere,
    AsBefore,
    /// To the copy of the state that it starts from.
    ToItself,
    /// To a copy of where it led.
    ToCopy,
}

impl<'p> Compiler<'p> {
    fn new(pattern: &'p Pattern) -> Self {
        Compiler {
            pattern,
            states: Vec::new(),
            shuffles: Vec::new(),
            conditions: Vec::new(),
            kept: pattern.lookbacks.iter().map(Kept::of).collect(),
            stops: HashMap::new(),
            before_greedy: HashMap::new(),
        }
    }

    fn program(self, start: StateId) -> Result<Program, CompileError> {
        let pattern = self.pattern;
        let over = |what, limit| CompileError { pattern: pattern.name.clone(), what, limit };
        if self.is_over_limit() {
            return Err(over("states", STATES_MAX));
        }
        if self.conditions.len() > CONDITIONS_MAX {
            return Err(over("different conditions", CONDITIONS_MAX));
        }
        let counted = self.counted();
        let program = Program {
            states: self.states,
            shuffles: self.shuffles,
            start,
            asks_more: self.conditions.iter().any(asks_more),
            conditions: self.conditions,
            kept: self.kept,
            stage_names: pattern.stages.iter().map(|stage| stage.name.clone()).collect(),
            key: pattern.key.clone(),
            active: pattern.active,
            within: pattern.within,
            within_events: pattern.within_events,
            counted,
            skip: pattern.skip,
            keep: pattern.keep,
            passes_over: false,
        };
        Ok(Program { passes_over: !program.counts() && passes_over(&program), ..program })
    }

    fn counted(&self) -> Counted {
        let spans = || self.states.iter().flat_map(|state| &state.windows).map(|window| window.span);
        let in_events = spans().any(|span| matches!(span, WindowSpan::Events(_)));
        let in_time = spans().any(|span| matches!(span, WindowSpan::Time(_)));
        match in_events {
            true if in_time => Counted::ForTimes,
            false if self.pattern.within_events.is_none() => Counted::Not,
            _ => Counted::ForEnds,
        }
    }

    /// The states of a sequence; gives the first.
    fn sequence(
        &mut self,
        sequence: &Sequence,
        sink: StateId,
        group: Option<&Group>,
        behind: Option<&Step>,
    ) -> StateId {
        let mut sink = sink;
        for index in (0..sequence.steps.len()).rev() {
            sink = self.step(Place { steps: &sequence.steps, index, group, behind }, sink);
        }
        sink
    }

    fn step(&mut self, place: Place<'_>, sink: StateId) -> StateId {
        match place.step().relation {
            Relation::NotFollowedBy => self.not_followed_by(place, sink),
            Relation::NotNext => self.not_next(place, sink),
            Relation::Next | Relation::FollowedBy | Relation::FollowedByAny => self.term(place, sink),
        }
    }

    /// In the middle an absence becomes an edge of the terms around it; at the end it is a state of its own.
    fn not_followed_by(&mut self, place: Place<'_>, sink: StateId) -> StateId {
        let Pattern { within, within_events, .. } = self.pattern;
        let has_window = within.is_some() || within_events.is_some() || place.step().within.is_some();
        if self.states[sink.index()].kind != StateKind::Final || !has_window {
            return sink;
        }
        let guard = self.absence_guard(place, place.step());
        let absence = self.state(StateKind::Absence, Some(stage_of(place.step())));
        // The windows of the groups around are for the events that they take.
        let own = place.step().within.map(|window| self.window(&window));
        self.states[absence.index()].windows.extend(own);
        let stop = self.stop(place.step());
        self.edge(absence, Action::Proceed, guard.clone(), stop);
        self.edge(absence, Action::Ignore, guard.negated(), absence);
        absence
    }

    fn not_next(&mut self, place: Place<'_>, sink: StateId) -> StateId {
        let guard = self.absence_guard(place, place.step());
        let state = self.state(StateKind::Normal, Some(stage_of(place.step())));
        let stop = self.stop(place.step());
        // At the end of a pattern the event that is not there must pass before the run is a match.
        let action = if self.states[sink.index()].kind == StateKind::Final { Action::Ignore } else { Action::Proceed };
        self.edge(state, action, guard.clone().negated(), sink);
        self.edge(state, Action::Proceed, guard, stop);
        state
    }

    fn term(&mut self, place: Place<'_>, sink: StateId) -> StateId {
        let quantifier = place.step().quantifier;
        let first = match quantifier.max {
            None => {
                let behind_loop = self.without_absences(place, sink);
                let looping = self.looping(place, behind_loop);
                self.times(place, looping, sink)
            }
            Some(max) if (quantifier.min, max) != (1, 1) => self.times(place, sink, sink),
            Some(_) => {
                let edges = self.edges(place);
                self.round(place, sink, quantifier.optional.then_some(sink), edges, true)
            }
        };
        self.stop_edges(place, first);
        first
    }

    /// The rounds of a loop that are counted: from the last to the first, each with a state of its own. `after` follows
    /// the last, `exit` is where a round that need not be taken is left to.
    fn times(&mut self, place: Place<'_>, after: StateId, exit: StateId) -> StateId {
        let step = place.step();
        let Quantifier { min, max, optional, greedy, .. } = step.quantifier;
        let max = max.unwrap_or(min);
        let edges = self.loop_edges(place);
        if greedy && min != max {
            self.narrow_greedily(place, after);
        }
        let mut next = after;
        for round in (2..=max).rev() {
            if self.is_over_limit() {
                break;
            }
            let left_to = (round > min).then_some(exit);
            next = self.round(place, next, left_to, edges.clone(), false);
            self.states[next.index()].in_loop = left_to.is_some();
            self.stop_edge_of_following(place, next);
        }
        // The first round waits under the term's own relation: `until` does nothing before the first event.
        let pass = self.pass(place);
        self.round(place, next, optional.then_some(exit), Edges { take: edges.take, pass }, true)
    }

    /// One round of a term: a stage's state, or a group's states. `exit` is where the round may be left out to.
    fn round(&mut self, place: Place<'_>, sink: StateId, exit: Option<StateId>, edges: Edges, first: bool) -> StateId {
        match &place.step().term {
            Term::Stage(stage, _) => self.single(place, *stage, sink, exit, edges),
            Term::Group(sequence) => self.group_round(place, sequence, sink, exit, first),
            Term::Either(parts) | Term::All { parts, .. } => {
                let taken = self.without_absences(place, sink);
                let wait = self.parts(place, parts, taken);
                self.waiting(place, &wait, exit, edges.pass)
            }
        }
    }

    fn single(
        &mut self,
        place: Place<'_>,
        stage: StageId,
        sink: StateId,
        exit: Option<StateId>,
        edges: Edges,
    ) -> StateId {
        // Once the term takes an event, the absences before it no longer count.
        let taken = self.without_absences(place, sink);
        self.waiting(place, &Wait::Stage { stage, take: edges.take, target: taken }, exit, edges.pass)
    }

    /// A state in which a run waits for a term.
    fn waiting(&mut self, place: Place<'_>, wait: &Wait, exit: Option<StateId>, pass: Option<Pass>) -> StateId {
        let state = self.wait(place, wait, exit);
        let Some(pass) = pass else { return state };
        let has_way_out = exit.is_some() || place.heads().is_some_and(|group| group.optional);
        if !has_way_out {
            self.pass_edges(place, state, &pass, state);
            return state;
        }
        // The copy has no way out, so that a run that waits leaves the term out once and not at each event.
        let waiting = self.wait(place, wait, None);
        self.pass_edges(place, waiting, &pass, waiting);
        self.stop_edges(place, waiting);
        self.pass_edges(place, state, &pass, waiting);
        state
    }

    fn pass_edges(&mut self, place: Place<'_>, from: StateId, pass: &Pass, target: StateId) {
        self.edge(from, Action::Ignore, pass.ignore.clone(), target);
        if place.in_part() {
            self.edge(from, Action::Yield, pass.yields.clone(), target);
        }
    }

    /// The state of a wait, without a way to pass an event over.
    fn wait(&mut self, place: Place<'_>, wait: &Wait, exit: Option<StateId>) -> StateId {
        let state = match wait {
            Wait::Stage { stage, take, target } => {
                let state = self.state(StateKind::Normal, Some(*stage));
                self.edge(state, Action::Take, take.clone(), *target);
                state
            }
            Wait::Fork(_) => self.state(StateKind::Fork, None),
            Wait::Shuffle(shuffle) => self.state(StateKind::Shuffle(*shuffle), None),
        };
        self.set_windows(state, place);
        if let Some(exit) = exit {
            self.exit_edges(place, state, exit);
        }
        match wait {
            Wait::Stage { .. } => {}
            // The last is looked at first.
            Wait::Fork(branches) => branches.iter().rev().for_each(|branch| self.proceed(state, *branch)),
            Wait::Shuffle(shuffle) => {
                let heads = self.shuffles[usize::from(shuffle.0)].parts.iter().map(|part| part.head);
                let heads: Vec<StateId> = heads.collect();
                (0..).zip(heads).for_each(|(part, head)| self.edge(state, Action::Begin(part), Guard::Always, head));
            }
        }
        state
    }

    /// The ways out of a term that is left out.
    fn exit_edges(&mut self, place: Place<'_>, state: StateId, exit: StateId) {
        let open = self.group_open(place);
        let step = place.step();
        match self.until(step) {
            Some(until) if step.quantifier.greedy => {
                let before = self.before_greedy.get(&exit).copied().unwrap_or(exit);
                self.edge(state, Action::Proceed, open.clone().and(until.clone()), before);
                self.edge(state, Action::Proceed, open.and(until.negated()), exit);
            }
            _ => self.edge(state, Action::Proceed, open, exit),
        }
    }

    fn group_round(
        &mut self,
        place: Place<'_>,
        sequence: &Sequence,
        sink: StateId,
        exit: Option<StateId>,
        first_round: bool,
    ) -> StateId {
        let group = self.group(place, first_round);
        let first = self.sequence(sequence, sink, Some(&group), place.following());
        if let Some(exit) = exit {
            self.exit_edges(place, first, exit);
        }
        first
    }

    fn group(&mut self, place: Place<'_>, first_round: bool) -> Group {
        let step = place.step();
        Group {
            contiguity: if first_round { contiguity_of(step.relation, place.index) } else { step.quantifier.inner },
            inner: Some(step.quantifier.inner),
            optional: first_round && step.quantifier.optional,
            until: self.until(step),
            windows: place.windows(),
            in_part: place.in_part(),
        }
    }

    /// The rounds of a loop that are not counted.
    fn looping(&mut self, place: Place<'_>, sink: StateId) -> StateId {
        match &place.step().term {
            Term::Stage(stage, _) => self.looping_stage(place, *stage, sink),
            Term::Group(sequence) => self.looping_group(place, sequence, sink),
            Term::Either(parts) | Term::All { parts, .. } => self.looping_parts(place, parts, sink),
        }
    }

    fn looping_stage(&mut self, place: Place<'_>, stage: StageId, sink: StateId) -> StateId {
        let edges = self.loop_edges(place);
        let state = self.state_in_loop(Some(stage));
        self.set_windows(state, place);
        if place.step().quantifier.greedy {
            self.narrow_greedily(place, sink);
        }
        self.exit_edges(place, state, sink);
        self.edge(state, Action::Take, edges.take.clone(), state);
        self.stop_edge_of_following(place, state);
        if let Some(pass) = edges.pass {
            let waiting = self.state(StateKind::Normal, Some(stage));
            self.set_windows(waiting, place);
            self.edge(waiting, Action::Take, edges.take, state);
            self.pass_edges(place, waiting, &pass, waiting);
            self.pass_edges(place, state, &pass, waiting);
            self.stop_edge_of_following(place, waiting);
        }
        state
    }

    fn looping_group(&mut self, place: Place<'_>, sequence: &Sequence, sink: StateId) -> StateId {
        let group = self.group(place, false);
        let open = self.group_open(place);
        let joint = self.state_in_loop(None);
        let first = self.sequence(sequence, joint, Some(&group), place.following());
        self.states[first.index()].in_loop = true;
        if place.step().quantifier.greedy {
            self.narrow_greedily(place, sink);
        }
        self.exit_edges(place, first, sink);
        self.edge(joint, Action::Proceed, open, first);
        first
    }

    fn looping_parts(&mut self, place: Place<'_>, parts: &[Sequence], sink: StateId) -> StateId {
        let edges = self.loop_edges(place);
        let open = self.group_open(place);
        let joint = self.state_in_loop(None);
        let wait = self.parts(place, parts, joint);
        if place.step().quantifier.greedy {
            self.narrow_greedily(place, sink);
        }
        let state = self.wait(place, &wait, Some(sink));
        self.states[state.index()].in_loop = true;
        self.edge(joint, Action::Proceed, open, state);
        self.stop_edge_of_following(place, state);
        if let Some(pass) = edges.pass {
            let waiting = self.wait(place, &wait, None);
            self.pass_edges(place, waiting, &pass, waiting);
            self.pass_edges(place, state, &pass, waiting);
            self.stop_edge_of_following(place, waiting);
        }
        state
    }

    /// The states of several parts, in front of `sink`. One part of several is an alternative.
    fn parts(&mut self, place: Place<'_>, parts: &[Sequence], sink: StateId) -> Wait {
        match place.step().term {
            Term::All { needed: 2.., .. } => Wait::Shuffle(self.shuffle(place, parts, sink)),
            Term::Stage(..) | Term::Group(_) | Term::Either(_) | Term::All { .. } => {
                Wait::Fork(self.branches(place, parts, sink))
            }
        }
    }

    fn shuffle(&mut self, place: Place<'_>, parts: &[Sequence], sink: StateId) -> ShuffleId {
        let Term::All { needed, .. } = place.step().term else { unreachable!("only any-order groups are shuffled") };
        let group = Group { in_part: true, ..self.group_of_parts(place) };
        let shuffle = Shuffle {
            parts: Vec::new(),
            needed: needed as usize,
            between: self.between(place),
            sink,
            is_inner: place.in_part(),
            is_timed: !place.windows().is_empty() || parts.iter().any(is_timed),
        };
        self.shuffles.push(shuffle);
        let shuffle = ShuffleId(self.shuffles.len() as u16 - 1);
        let parts = parts.iter().map(|part| {
            let end = self.state(StateKind::PartEnd(shuffle), None);
            self.proceed(end, sink);
            let head = self.sequence(part, end, Some(&group), None);
            Part { head, entry: self.one_of(sequence_entries(part)) }
        });
        self.shuffles[usize::from(shuffle.0)].parts = parts.collect();
        shuffle
    }

    /// What may lie between the beginnings of parts: what may lie between rounds.
    fn between(&mut self, place: Place<'_>) -> Option<Between> {
        let inner = place.step().quantifier.inner;
        let open = self.until(place.step()).map_or(Guard::Always, Guard::negated);
        let guard = self.group_open(place).and(open).and(self.in_time(&place.windows()));
        (inner != Contiguity::Strict).then_some(Between { guard, is_relaxed: inner == Contiguity::Relaxed })
    }

    /// Parts as their terms see them: it is the state before them that waits for the first event of each.
    fn group_of_parts(&mut self, place: Place<'_>) -> Group {
        Group {
            contiguity: Contiguity::Strict,
            inner: None,
            optional: false,
            until: self.until(place.step()),
            windows: place.windows(),
            in_part: place.in_part(),
        }
    }

    /// The states that branches begin with. They take the very next event; it is the fork before them that waits, for what
    /// fits one of them.
    fn branches(&mut self, place: Place<'_>, branches: &[Sequence], sink: StateId) -> Vec<StateId> {
        let group = self.group_of_parts(place);
        let firsts = branches.iter().map(|branch| {
            let sink = if ends_greedily(branch) { self.sink_of_its_own(sink) } else { sink };
            let first = self.sequence(branch, sink, Some(&group), place.following());
            self.entered(first)
        });
        firsts.collect()
    }

    /// The same as `sink` for one branch, so that what a greedy loop makes of it does not concern the others.
    fn sink_of_its_own(&mut self, sink: StateId) -> StateId {
        let State { kind, edges, .. } = &self.states[sink.index()];
        match kind {
            StateKind::Final => sink,
            // The joint of a loop that is still being made.
            _ if edges.is_empty() => {
                let joint = self.state_in_loop(None);
                self.proceed(joint, sink);
                joint
            }
            _ => self.copy(sink),
        }
    }

    /// A state that a run does not wait in: where it, or what may be taken in its place, would pass an event over, a copy
    /// that does not.
    fn entered(&mut self, state: StateId) -> StateId {
        let waits = |edge: &Edge| matches!(edge.action, Action::Ignore | Action::Yield);
        let mut here = self.proceeding_from(state).into_iter();
        if here.any(|state| self.states[state.index()].edges.iter().any(waits)) {
            let leads = |_: &[State], _, edge: &Edge| match edge.action {
                Action::Ignore | Action::Yield => Leads::Nowhere,
                Action::Take | Action::Begin(_) => Leads::AsBefore,
                Action::Proceed => Leads::ToCopy,
            };
            self.copy_along(state, &leads, &mut HashMap::new())
        } else {
            state
        }
    }

    fn proceeding_from(&self, state: StateId) -> Vec<StateId> {
        let mut found = vec![state];
        let mut looked_at = 0;
        while let Some(state) = found.get(looked_at) {
            let edges = self.states[state.index()].edges.iter().filter(|edge| edge.action == Action::Proceed);
            let targets: Vec<StateId> =
                edges.map(|edge| edge.target).filter(|target| !found.contains(target)).collect();
            found.extend(targets);
            looked_at += 1;
        }
        found
    }

    /// A greedy loop keeps what it can take from the state behind it.
    fn narrow_greedily(&mut self, place: Place<'_>, sink: StateId) {
        if place.step().until.is_some() {
            let before = self.copy(sink);
            self.before_greedy.insert(sink, before);
        }
        let open = self.group_open(place);
        let around = place.group.map_or(&[][..], |group| &group.windows);
        let not_taken = open.and(self.entry_guard(place.step())).and(self.in_time(around)).negated();
        for edge in &mut self.states[sink.index()].edges {
            edge.guard = edge.guard.clone().and(not_taken.clone());
        }
    }

    /// Whether an event can begin a round of a term: of a group, whether one of the stages that it can begin with takes it.
    fn entry_guard(&mut self, step: &Step) -> Guard {
        let fits = match &step.term {
            Term::Stage(_, condition) => self.guard(condition),
            Term::Group(sequence) => self.one_of(sequence_entries(sequence)),
            Term::Either(parts) | Term::All { parts, .. } => self.one_of(parts.iter().flat_map(sequence_entries)),
        };
        fits.and(self.in_time(step.within.as_slice()))
    }

    /// Whether an event can begin one of several terms.
    fn one_of<'s>(&mut self, steps: impl IntoIterator<Item = &'s Step>) -> Guard {
        let none = steps.into_iter().map(|step| self.entry_guard(step).negated()).collect();
        Guard::All(none).negated()
    }

    /// The edges of a term that is taken once.
    fn edges(&mut self, place: Place<'_>) -> Edges {
        Edges { take: self.take_guard(place), pass: self.pass(place) }
    }

    /// The edges of the rounds inside a loop.
    fn loop_edges(&mut self, place: Place<'_>) -> Edges {
        let until = self.until(place.step());
        let take = self.take_guard(place);
        let pass = self.passed_over(place, place.inner_contiguity());
        let open = until.map_or(Guard::Always, Guard::negated);
        Edges { take: open.clone().and(take), pass: pass.map(|pass| pass.and(&open)) }
    }

    fn take_guard(&mut self, place: Place<'_>) -> Guard {
        let guard = self.condition_of(place.step());
        let in_time = self.in_time(&place.windows());
        self.group_open(place).and(guard).and(in_time)
    }

    /// When an absence, here or beside this place, drops a run.
    fn absence_guard(&mut self, place: Place<'_>, absence: &Step) -> Guard {
        let guard = self.condition_of(absence);
        let in_time = self.in_time(absence.within.as_slice());
        self.group_open(place).and(guard).and(in_time)
    }

    /// Open for an event that lies in all of the windows.
    fn in_time(&mut self, windows: &[StepWindow]) -> Guard {
        windows.iter().fold(Guard::Always, |guard, window| guard.and(Guard::When(self.window(window).condition)))
    }

    fn window(&mut self, window: &StepWindow) -> Window {
        let StepWindow { span, anchor } = *window;
        let stage = match anchor {
            Anchor::Previous => None,
            Anchor::Stage(stage) => Some(stage),
        };
        let asked = match span {
            WindowSpan::Time(_) => Asked::Value(Ask::Pick(Pick::Last, Expr::Time)),
            WindowSpan::Events(_) => Asked::Number,
        };
        let anchor = Kept { stage, asked };
        let position = self.kept.iter().position(|kept| *kept == anchor).unwrap_or_else(|| {
            self.kept.push(anchor);
            self.kept.len() - 1
        });
        let since = LookbackId(position as u16);
        Window { since, span, condition: self.condition(Test::InWindow { since, span }) }
    }

    fn pass(&mut self, place: Place<'_>) -> Option<Pass> {
        self.passed_over(place, place.contiguity())
    }

    fn passed_over(&mut self, place: Place<'_>, contiguity: Contiguity) -> Option<Pass> {
        let guard = match contiguity {
            Contiguity::Strict => return None,
            Contiguity::Relaxed => self.condition_of(place.step()).negated(),
            Contiguity::Any => Guard::Always,
        };
        let (open, in_time) = (self.group_open(place), self.in_time(&place.windows()));
        Some(Pass { ignore: open.clone().and(guard).and(in_time.clone()), yields: open.and(in_time) })
    }

    /// Open as long as the `until` of the group around is not fulfilled.
    fn group_open(&self, place: Place<'_>) -> Guard {
        place.group_until().map_or(Guard::Always, |until| until.clone().negated())
    }

    /// What is not passed over: the condition of a stage, or what a branch begins with. The stages of a plain group say it
    /// for themselves.
    fn condition_of(&mut self, step: &Step) -> Guard {
        match &step.term {
            Term::Stage(_, condition) => self.guard(condition),
            Term::Group(_) => Guard::Always,
            Term::Either(parts) | Term::All { parts, .. } => self.one_of(parts.iter().flat_map(sequence_entries)),
        }
    }

    fn until(&mut self, step: &Step) -> Option<Guard> {
        step.until.as_ref().map(|until| self.guard(until))
    }

    fn guard(&mut self, expr: &Expr) -> Guard {
        let mut ways = Vec::new();
        let of_event = without_ways(expr, &mut ways);
        let keyed = ways.into_iter().map(|way| Guard::When(self.condition(Test::KeyedBy(way))));
        let keyed = keyed.fold(Guard::Always, Guard::and);
        match of_event {
            None => keyed,
            Some(truth) if truth == Expr::truth() => keyed,
            Some(expr) => keyed.and(Guard::When(self.condition(Test::Holds(expr)))),
        }
    }

    fn condition(&mut self, test: Test) -> ConditionId {
        let found = self.conditions.iter().position(|condition| condition.test == test);
        let position = found.unwrap_or_else(|| {
            let of = self.decided_by(&test);
            self.conditions.push(Condition { test, of });
            self.conditions.len() - 1
        });
        // Past the limit the number may wrap; `program` refuses such a pattern.
        ConditionId(position as u16)
    }

    fn decided_by(&self, test: &Test) -> Of {
        match test {
            Test::Holds(expr) => self.expression_decided_by(expr),
            Test::KeyedBy(_) => Of::Arrival,
            Test::InWindow { .. } => Of::Run,
        }
    }

    fn expression_decided_by(&self, expr: &Expr) -> Of {
        // Where there are several ways of key, an event may have several keys.
        let has_ways = self.pattern.key.ways.len() > 1;
        let (mut looks_back, mut asks_way) = (false, false);
        expr.walk(&mut |part| {
            looks_back |= matches!(part, Expr::Lookback(_));
            asks_way |= matches!(part, Expr::KeyedBy(_)) || has_ways && matches!(part, Expr::Key(_));
        });
        match (looks_back, asks_way) {
            (true, _) => Of::Run,
            (false, true) => Of::Arrival,
            (false, false) => Of::Event,
        }
    }

    /// The edges by which the absences before a term drop a run that waits for it.
    fn stop_edges(&mut self, place: Place<'_>, state: StateId) {
        for absence in place.absences_before() {
            let guard = self.absence_guard(place, absence);
            let stop = self.stop(absence);
            self.edge(state, Action::Proceed, guard, stop);
        }
    }

    /// A run inside a loop that an absence follows may have left the loop already: the absence counts.
    fn stop_edge_of_following(&mut self, place: Place<'_>, state: StateId) {
        if let Some(following) = place.following()
            && following.relation == Relation::NotFollowedBy
        {
            let guard = self.absence_guard(place, following);
            let stop = self.stop(following);
            self.edge(state, Action::Proceed, guard, stop);
        }
    }

    /// The state behind a term that has taken an event: the same as `sink`, without the edges of the absences that lie
    /// before the term, if it could have been left out.
    fn without_absences(&mut self, place: Place<'_>, sink: StateId) -> StateId {
        let absences = place.absences_before();
        if absences.is_empty() || !place.step().quantifier.optional {
            return sink;
        }
        let dropped: Vec<StateId> = absences.iter().map(|absence| self.stop(absence)).collect();
        let leads = |states: &[State], state, edge: &Edge| match edge.action {
            Action::Proceed if dropped.contains(&edge.target) => Leads::Nowhere,
            Action::Proceed if states[edge.target.index()].kind == StateKind::Stop => Leads::AsBefore,
            Action::Proceed => Leads::ToCopy,
            Action::Take | Action::Ignore | Action::Yield if edge.target == state => Leads::ToItself,
            Action::Take | Action::Ignore | Action::Yield | Action::Begin(_) => Leads::AsBefore,
        };
        self.copy_along(sink, &leads, &mut HashMap::new())
    }

    /// A copy of a state and of those that it proceeds to, with edges that lead where `leads` says.
    fn copy_along(
        &mut self,
        state: StateId,
        leads: &impl Fn(&[State], StateId, &Edge) -> Leads,
        copies: &mut HashMap<StateId, StateId>,
    ) -> StateId {
        if let Some(copy) = copies.get(&state) {
            return *copy;
        }
        let edges = self.states[state.index()].edges.clone();
        let copy = self.copy_of_state(state);
        copies.insert(state, copy);
        for edge in edges {
            let target = match leads(&self.states, state, &edge) {
                Leads::Nowhere => continue,
                Leads::AsBefore => edge.target,
                Leads::ToItself => copy,
                Leads::ToCopy => self.copy_along(edge.target, leads, copies),
            };
            self.edge(copy, edge.action, edge.guard, target);
        }
        copy
    }

    fn copy(&mut self, state: StateId) -> StateId {
        let edges = self.states[state.index()].edges.clone();
        let copy = self.copy_of_state(state);
        for edge in edges {
            let target = if edge.target == state { copy } else { edge.target };
            self.edge(copy, edge.action, edge.guard, target);
        }
        copy
    }

    /// A state like another, without edges and outside of any loop.
    fn copy_of_state(&mut self, state: StateId) -> StateId {
        let State { kind, stage, windows, .. } = self.states[state.index()].clone();
        let copy = self.state(kind, stage);
        self.states[copy.index()].windows = windows;
        copy
    }

    fn stop(&mut self, absence: &Step) -> StateId {
        let stage = stage_of(absence);
        if let Some(stop) = self.stops.get(&stage) {
            return *stop;
        }
        let stop = self.state(StateKind::Stop, Some(stage));
        self.stops.insert(stage, stop);
        stop
    }

    fn set_windows(&mut self, state: StateId, place: Place<'_>) {
        let windows = place.windows();
        self.states[state.index()].windows = windows.iter().map(|window| self.window(window)).collect();
    }

    fn state_in_loop(&mut self, stage: Option<StageId>) -> StateId {
        let state = self.state(StateKind::Normal, stage);
        self.states[state.index()].in_loop = true;
        state
    }

    fn is_over_limit(&self) -> bool {
        self.states.len() > STATES_MAX
    }

    /// A new state. Past the limit no more are made: `program` refuses such a pattern.
    fn state(&mut self, kind: StateKind, stage: Option<StageId>) -> StateId {
        if !self.is_over_limit() {
            self.states.push(State { kind, stage, in_loop: false, windows: Vec::new(), edges: Vec::new() });
        }
        StateId(self.states.len() as u32 - 1)
    }

    fn proceed(&mut self, from: StateId, target: StateId) {
        self.edge(from, Action::Proceed, Guard::Always, target);
    }

    fn edge(&mut self, from: StateId, action: Action, guard: Guard, target: StateId) {
        self.states[from.index()].edges.push(Edge { action, guard, target });
    }
}

impl Kept {
    fn of(lookback: &Lookback) -> Kept {
        Kept { stage: Some(lookback.stage), asked: Asked::Value(lookback.ask.clone()) }
    }
}

impl StateId {
    pub(crate) fn index(self) -> usize {
        self.0 as usize
    }
}

/// Whether it asks for more than the event, and its way of key alone.
fn asks_more(condition: &Condition) -> bool {
    match condition.test {
        Test::Holds(_) => condition.of != Of::Event,
        Test::KeyedBy(_) => false,
        Test::InWindow { .. } => true,
    }
}

/// A condition without the ways of key that it asks for before all else, which are put to `ways`: what is left can be
/// found out once for all keys of the event. None if nothing is left.
fn without_ways(expr: &Expr, ways: &mut Vec<u8>) -> Option<Expr> {
    match expr {
        Expr::KeyedBy(way) => {
            ways.push(*way);
            None
        }
        Expr::Binary(BinaryOperator::And, first, second) if begins_with_way(first) => {
            match (without_ways(first, ways), without_ways(second, ways)) {
                (Some(first), Some(second)) => {
                    Some(Expr::Binary(BinaryOperator::And, Box::new(first), Box::new(second)))
                }
                (left, None) | (None, left) => left,
            }
        }
        expr => Some(expr.clone()),
    }
}

fn begins_with_way(expr: &Expr) -> bool {
    match expr {
        Expr::KeyedBy(_) => true,
        Expr::Binary(BinaryOperator::And, first, _) => begins_with_way(first),
        _ => false,
    }
}

/// Whether a step in the sequence has a window.
fn is_timed(sequence: &Sequence) -> bool {
    sequence.steps.iter().any(|step| step.within.is_some() || step.term.sequences().iter().any(is_timed))
}

/// # Panics
/// Never: the checker lets only single stages be negated.
fn stage_of(step: &Step) -> StageId {
    match &step.term {
        Term::Stage(stage, _) => *stage,
        Term::Group(_) | Term::Either(_) | Term::All { .. } => unreachable!("the checker lets only stages be negated"),
    }
}

/// The terms that a sequence can begin with: those that may be left out, and the first that may not.
fn sequence_entries(sequence: &Sequence) -> impl Iterator<Item = &Step> {
    let first_needed = sequence.steps.iter().position(|step| !step.can_be_empty());
    let entries = &sequence.steps[..first_needed.map_or(sequence.steps.len(), |first| first + 1)];
    entries.iter().filter(|step| !step.is_negated())
}

/// Whether the last of what a sequence takes may be a greedy loop.
fn ends_greedily(sequence: &Sequence) -> bool {
    let is_greedy = |step: &Step| step.quantifier.greedy || step.term.sequences().iter().any(ends_greedily);
    let last_needed = sequence.steps.iter().rposition(|step| !step.can_be_empty());
    sequence.steps[last_needed.unwrap_or(0)..].iter().any(is_greedy)
}
