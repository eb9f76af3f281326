//! What a run has gone through to be where it is, as something that can be compared: the *roles* of states. Where a pattern has
//! changed, a run goes on in the state that has the role of the one it was in; if there is none, the steps that it has passed
//! are not those of the new pattern.
//!
//! The role of a state is a hash of all that leads there: of the states in which events were taken on the way, with all their
//! edges. What lies ahead of a run is not part of it, and neither is what it only waits for.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt::Write;

use ensue_model::hash::text_hash;
use ensue_model::pattern::{Pattern, Skip, StageId};
use ensue_model::{Patterns, Span, StreamId};
use serde::{Deserialize, Serialize};

use crate::program::{Action, Asked, Edge, Guard, Kept, Program, Shuffle, ShuffleId, State, StateKind};

/// A pattern and its program, as far as it decides which runs of one version can go on in another.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Shape {
    /// What must be the same for any run to go on, by what it is called, hashed.
    pub(crate) frame: Vec<(String, u64)>,
    /// The window over the whole match.
    pub(crate) within: Option<Span>,
    /// For each stage its name, and a hash of what it does.
    pub(crate) stages: Vec<(String, u64)>,
    /// What is kept of the events taken, hashed.
    pub(crate) kept: Vec<u64>,
    /// For each state its role.
    pub(crate) roles: Vec<u64>,
    /// The same for each any-order group, with its parts, which must be the same as well.
    pub(crate) shuffles: Vec<u64>,
}

impl Shape {
    /// The shape of a program.
    ///
    /// # Panics
    /// If the program was not compiled from that pattern.
    pub fn of(program: &Program, patterns: &Patterns, pattern: &Pattern) -> Self {
        let texts = Texts::new(program, patterns, pattern);
        let history = History::new(&texts);
        Shape {
            frame: frame(&texts),
            within: program.within,
            stages: texts.stages(),
            kept: texts.kept(),
            roles: (0..program.states.len()).map(|state| history.role(state)).collect(),
            shuffles: program.shuffles.iter().zip(0..).map(|(it, id)| history.shuffle(it, ShuffleId(id))).collect(),
        }
    }

    /// The stages of this pattern that the other has not, or that are others there.
    pub fn stages_changed<'s>(&'s self, other: &'s Shape) -> impl Iterator<Item = &'s str> {
        self.stages.iter().filter(|stage| !other.stages.contains(stage)).map(|(name, _)| &**name)
    }
}

/// What must be the same for any run to go on.
fn frame(texts: &Texts<'_>) -> Vec<(String, u64)> {
    let Texts { program, patterns, pattern, .. } = texts;
    let stream = |stream: &StreamId| patterns.streams[usize::from(stream.0)].name.clone();
    let from: Vec<_> = pattern.from.iter().map(stream).collect();
    let ways = pattern.key.ways.iter().map(|way| {
        let parts = way.parts.iter().map(|part| part.display(patterns, pattern).to_string());
        (way.stream.map(|of| stream(&of)), parts.collect::<Vec<_>>())
    });
    let parts = [
        ("the streams that it reads", format!("{from:?}")),
        ("its key", format!("{:?}", ways.collect::<Vec<_>>())),
        ("`skip`", texts.skip()),
        ("`keep`", format!("{:?}", program.keep)),
        ("whether its windows count events", program.counts().to_string()),
    ];
    parts.map(|(name, text)| (name.to_owned(), text_hash(&text))).into()
}

/// A program with its conditions in words, so that numbers make no difference.
struct Texts<'p> {
    program: &'p Program,
    patterns: &'p Patterns,
    pattern: &'p Pattern,
    conditions: Vec<String>,
}

impl<'p> Texts<'p> {
    fn new(program: &'p Program, patterns: &'p Patterns, pattern: &'p Pattern) -> Self {
        let conditions = program.conditions.iter();
        let conditions = conditions.map(|condition| program.test_text(&condition.test, patterns, pattern));
        Texts { program, patterns, pattern, conditions: conditions.collect() }
    }

    fn guard(&self, guard: &Guard) -> String {
        match guard {
            Guard::Always => String::new(),
            Guard::When(condition) => format!("({})", self.conditions[usize::from(condition.0)]),
            Guard::Not(guard) => format!("not({})", self.guard(guard)),
            Guard::All(guards) => {
                let guards: Vec<String> = guards.iter().map(|guard| self.guard(guard)).collect();
                format!("({})", guards.join(" and "))
            }
        }
    }

    fn edge(&self, edge: &Edge) -> String {
        format!("{:?} {}", edge.action, self.guard(&edge.guard))
    }

    /// What a state is, and the ways on from it.
    fn state(&self, state: &State) -> String {
        let mut text = format!("{} {} {}", kind(state), self.stage(state), state.in_loop);
        let windows = state.windows.iter().map(|window| self.program.window_text(window.since, window.span));
        windows.for_each(|window| write!(text, " {window}").expect("a text takes all"));
        state.edges.iter().for_each(|edge| write!(text, "; {}", self.edge(edge)).expect("a text takes all"));
        text
    }

    fn stage(&self, state: &State) -> &str {
        state.stage.map_or("", |stage| &self.program.stage_names[usize::from(stage.0)])
    }

    /// Whether a run has passed a negation when it goes on from there.
    fn is_negation(&self, state: &State) -> bool {
        state.stage.is_some_and(|stage| self.pattern.stages[usize::from(stage.0)].negated)
    }

    fn stages(&self) -> Vec<(String, u64)> {
        let of = |name: &String| {
            let states = self.program.states.iter().filter(|state| self.stage(state) == name);
            let mut states: Vec<String> = states.map(|state| self.state(state)).collect();
            states.sort();
            (name.clone(), text_hash(&states.join("\n")))
        };
        self.program.stage_names.iter().map(of).collect()
    }

    fn kept(&self) -> Vec<u64> {
        let of = |kept: &Kept| {
            let stage = kept.stage.map(|stage| &self.program.stage_names[usize::from(stage.0)]);
            match &kept.asked {
                // Only numbers cannot be found again from the events.
                Asked::Number => text_hash(&format!("{stage:?}")),
                Asked::Value(_) => 0,
            }
        };
        self.program.kept.iter().map(of).collect()
    }

    fn skip(&self) -> String {
        let name = |stage: StageId| &self.program.stage_names[usize::from(stage.0)];
        match self.program.skip {
            Skip::ToFirst(stage) => format!("to first {}", name(stage)),
            Skip::ToLast(stage) => format!("to last {}", name(stage)),
            other @ (Skip::None | Skip::ToNext | Skip::PastLast) => format!("{other:?}"),
        }
    }
}

/// A state's kind without the number of its group.
fn kind(state: &State) -> &'static str {
    match state.kind {
        StateKind::Normal => "normal",
        StateKind::Final => "final",
        StateKind::Stop => "stop",
        StateKind::Absence => "absence",
        StateKind::Fork => "fork",
        StateKind::Shuffle(_) => "shuffle",
        StateKind::PartEnd(_) => "part end",
    }
}

/// What leads to the states of a program.
struct History<'t> {
    texts: &'t Texts<'t>,
    /// For each state, a hash of the first way there: which edges lead to what kinds of states. 0 if there is none.
    names: Vec<u64>,
    /// For each state, from where edges lead there.
    incoming: Vec<Vec<(usize, &'t Edge)>>,
    /// For each state, a hash of it and of all from which it can be reached.
    pasts: Vec<u64>,
}

impl<'t> History<'t> {
    fn new(texts: &'t Texts<'t>) -> Self {
        let states = &texts.program.states;
        let mut incoming: Vec<Vec<(usize, &Edge)>> = vec![Vec::new(); states.len()];
        for (from, state) in states.iter().enumerate() {
            state.edges.iter().for_each(|edge| incoming[edge.target.index()].push((from, edge)));
        }
        let names = names(texts.program);
        let pasts = pasts(texts, &names);
        History { texts, names, incoming, pasts }
    }

    /// The role of a state: what it is, and how its last event was taken. Ways on which nothing is taken lead from one wait to
    /// another, and what is waited for makes no difference; but a negation that was passed does.
    fn role(&self, state: usize) -> u64 {
        let states = &self.texts.program.states;
        let (mut seen, mut open) = (BTreeSet::from([state]), vec![state]);
        let mut arrivals: Vec<String> = Vec::new();
        while let Some(here) = open.pop() {
            if here == self.texts.program.start.index() {
                arrivals.push("start".to_owned());
            }
            for (from, edge) in &self.incoming[here] {
                let is_taken = matches!(edge.action, Action::Take | Action::Begin(_));
                if is_taken || self.texts.is_negation(&states[*from]) {
                    arrivals.push(format!("{:x} {}", self.pasts[*from], self.texts.edge(edge)));
                } else if seen.insert(*from) {
                    open.push(*from);
                }
            }
        }
        arrivals.sort();
        arrivals.dedup();
        text_hash(&format!("{:x} {} {arrivals:?}", self.names[state], kind(&states[state])))
    }

    fn shuffle(&self, shuffle: &Shuffle, id: ShuffleId) -> u64 {
        let states = &self.texts.program.states;
        let of_kind = |kind: StateKind| (0..states.len()).filter(move |state| states[*state].kind == kind);
        let mut ends: Vec<u64> = of_kind(StateKind::PartEnd(id)).map(|end| self.pasts[end]).collect();
        ends.sort();
        let mut waits: Vec<u64> = of_kind(StateKind::Shuffle(id)).map(|wait| self.role(wait)).collect();
        waits.sort();
        let parts: Vec<String> = shuffle.parts.iter().map(|part| self.texts.guard(&part.entry)).collect();
        let between = shuffle.between.as_ref();
        let between = between.map(|between| (self.texts.guard(&between.guard), between.is_relaxed));
        text_hash(&format!("{} {parts:?} {between:?} {ends:?} {waits:?}", shuffle.needed))
    }
}

/// A name for each state that does not depend on numbers: a hash of the first way there.
fn names(program: &Program) -> Vec<u64> {
    let mut names = vec![0; program.states.len()];
    names[program.start.index()] = text_hash("start");
    let mut open = VecDeque::from([program.start.index()]);
    while let Some(from) = open.pop_front() {
        let mut alike: BTreeMap<(Action, &str), usize> = BTreeMap::new();
        for edge in &program.states[from].edges {
            let kind = kind(&program.states[edge.target.index()]);
            let ordinal = alike.entry((edge.action, kind)).or_default();
            *ordinal += 1;
            let target = edge.target.index();
            if names[target] == 0 {
                names[target] = text_hash(&format!("{:x} {:?} {kind} {ordinal}", names[from], edge.action));
                open.push_back(target);
            }
        }
    }
    names
}

/// For each state, a hash of it and of all states from which it can be reached: states that lead to each other have one past.
fn pasts(texts: &Texts<'_>, names: &[u64]) -> Vec<u64> {
    let states = &texts.program.states;
    let rings = rings(states);
    let count = rings.iter().max().map_or(0, |last| last + 1);
    let mut members: Vec<Vec<String>> = vec![Vec::new(); count];
    let mut before: Vec<BTreeSet<usize>> = vec![BTreeSet::new(); count];
    for (from, state) in states.iter().enumerate() {
        let targets: Vec<u64> = state.edges.iter().map(|edge| names[edge.target.index()]).collect();
        members[rings[from]].push(format!("{:x} {} {targets:x?}", names[from], texts.state(state)));
        for ring in state.edges.iter().map(|edge| rings[edge.target.index()]).filter(|ring| *ring != rings[from]) {
            before[ring].insert(rings[from]);
        }
    }
    // A ring has a higher number than those that lead to it.
    let mut of_ring: Vec<u64> = Vec::with_capacity(count);
    for (mut members, before) in members.into_iter().zip(before) {
        members.sort();
        let mut before: Vec<u64> = before.into_iter().map(|ring| of_ring[ring]).collect();
        before.sort();
        of_ring.push(text_hash(&format!("{members:?} {before:x?}")));
    }
    names.iter().zip(rings).map(|(name, ring)| text_hash(&format!("{name:x} {:x}", of_ring[ring]))).collect()
}

/// For each state the number of its ring: of the states that can be reached from each other. Those that lead to a ring have lower
/// numbers (S. R. Kosaraju's algorithm, with stacks of its own, since patterns can be long).
fn rings(states: &[State]) -> Vec<usize> {
    let mut incoming: Vec<Vec<usize>> = vec![Vec::new(); states.len()];
    for (from, state) in states.iter().enumerate() {
        state.edges.iter().for_each(|edge| incoming[edge.target.index()].push(from));
    }
    let mut rings: Vec<Option<usize>> = vec![None; states.len()];
    let mut count = 0;
    for root in finished_last_first(states) {
        if rings[root].is_some() {
            continue;
        }
        let mut open = vec![root];
        while let Some(state) = open.pop() {
            if rings[state].is_none() {
                rings[state] = Some(count);
                open.extend(&incoming[state]);
            }
        }
        count += 1;
    }
    rings.into_iter().map(|ring| ring.expect("each state is in a ring")).collect()
}

/// The states of a walk through all of them, those first that it left last.
fn finished_last_first(states: &[State]) -> Vec<usize> {
    let mut is_seen = vec![false; states.len()];
    let mut finished = Vec::with_capacity(states.len());
    for root in 0..states.len() {
        let mut path: Vec<(usize, usize)> = Vec::new();
        if !std::mem::replace(&mut is_seen[root], true) {
            path.push((root, 0));
        }
        while let Some((state, next)) = path.last_mut() {
            match states[*state].edges.get(*next) {
                Some(edge) => {
                    *next += 1;
                    let target = edge.target.index();
                    if !std::mem::replace(&mut is_seen[target], true) {
                        path.push((target, 0));
                    }
                }
                None => {
                    finished.push(*state);
                    path.pop();
                }
            }
        }
    }
    finished.reverse();
    finished
}
