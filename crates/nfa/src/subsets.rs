//! The automaton, made deterministic as it runs.
//!
//! Different ways through the automaton can take the same events into the same stages. All states that the same events
//! lead to form one *subset*; a run is in exactly one subset, so that a match comes out once, whatever the number of ways.
//! Subsets and the transitions between them are found when they are first needed and kept: the program stays as it was
//! compiled, and this is its cache. The construction is the usual one for finite automata, over an alphabet of which
//! conditions an event fulfils, with the stage that takes the event as the mark of a transition, as in A. Grez, C. Riveros,
//! M. Ugarte and S. Vansummeren, *A formal framework for complex event recognition*.

use std::collections::{BTreeMap, BTreeSet};

use ensue_model::pattern::StageId;
use hashbrown::HashMap;

use crate::closing::{Closing, closing, takers};
use crate::outcomes::{Look, Outcome};
use crate::products::Products;
use crate::program::{Action, ConditionId, Of, Program, State, StateId, StateKind, Window};

/// A subset by its position in the cache. Not stable: a snapshot holds the states.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) struct SubsetId(pub(crate) u32);

/// What a run that waits here is: the states, and whether what it holds has come out as a match.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Position {
    pub(crate) states: Box<[StateId]>,
    pub(crate) matched: bool,
}

/// Which of the program's conditions hold, one bit each.
pub(crate) type Bits = u128;

/// A subset, and what was found out about it.
#[derive(Debug)]
pub(crate) struct Subset {
    pub(crate) position: Position,
    /// The conditions that decide what happens here.
    pub(crate) asks: Box<[ConditionId]>,
    /// The same, a bit each.
    pub(crate) asked: Bits,
    /// Whether one of them asks for more than the event under test.
    pub(crate) asks_more: bool,
    /// Whether one of them asks for what the run has taken.
    pub(crate) looks_back: bool,
    /// The lookbacks that some condition ahead may still ask for.
    pub(crate) live: Box<[bool]>,
    /// The stages that may take an event from here, each with when it no longer may.
    pub(crate) takers: Box<[(StageId, Closing)]>,
    /// These stages, each once, in their order.
    pub(crate) awaited: Box<[StageId]>,
    /// Whether a run that is still here when its window ends is a match.
    pub(crate) is_absence: bool,
    /// The windows that the absence has of its own.
    pub(crate) absence_windows: Box<[Window]>,
    /// When the ways on are closed by the windows of steps.
    pub(crate) closing: Closing,
    transitions: Transitions,
}

/// The transitions of a subset that were needed so far, by which of its conditions hold.
#[derive(Debug)]
enum Transitions {
    /// One place for each combination, where the conditions are near each other; the first one has this bit.
    Table {
        first: u32,
        places: Box<[Option<TransitionId>]>,
    },
    Map(HashMap<Bits, TransitionId>),
}

/// So many conditions behind each other have a place for each combination.
const TABLE_ASKS_MAX: u32 = 5;

impl Transitions {
    fn new(asked: Bits) -> Self {
        let first = asked.trailing_zeros() % Bits::BITS;
        match Bits::BITS - (asked >> first).leading_zeros() {
            asks @ 0..=TABLE_ASKS_MAX => Transitions::Table { first, places: vec![None; 1 << asks].into() },
            _ => Transitions::Map(HashMap::new()),
        }
    }

    fn get(&self, bits: Bits) -> Option<TransitionId> {
        match self {
            Transitions::Table { first, places } => places[(bits >> first) as usize],
            Transitions::Map(map) => map.get(&bits).copied(),
        }
    }

    fn insert(&mut self, bits: Bits, transition: TransitionId) {
        match self {
            Transitions::Table { first, places } => places[(bits >> *first) as usize] = Some(transition),
            Transitions::Map(map) => drop(map.insert(bits, transition)),
        }
    }

    fn clear(&mut self) {
        match self {
            Transitions::Table { places, .. } => places.fill(None),
            Transitions::Map(map) => map.clear(),
        }
    }
}

/// A transition by its position in the cache.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct TransitionId(u32);

/// What an event does to the runs of a subset.
#[derive(Clone, PartialEq, Debug, Default)]
pub(crate) struct Transition {
    /// What becomes of the runs that pass the event over; none if they end.
    pub(crate) passed: Option<SubsetId>,
    /// Whether passing the event over makes them matches.
    pub(crate) passed_matches: bool,
    /// What becomes of the copies that take the event.
    pub(crate) taken: Vec<Taking>,
    /// Whether nothing changes for the runs here.
    pub(crate) is_stay: bool,
}

/// What becomes of runs that take an event into a stage.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct Taking {
    pub(crate) stage: StageId,
    /// Where they wait next; none if there is nothing more to come.
    pub(crate) target: Option<SubsetId>,
    /// Whether they are matches now.
    pub(crate) matches: bool,
}

/// The subsets and transitions of one program that were needed so far.
#[derive(Debug)]
pub(crate) struct Subsets {
    subsets: Vec<Subset>,
    ids: HashMap<Position, SubsetId>,
    transitions: Vec<Transition>,
    products: Products,
    /// For each state, the lookbacks that a condition ahead may ask for.
    live: Vec<Box<[bool]>>,
}

/// Where the runs of some states go with an event, whatever way they go.
#[derive(Default)]
struct Moves {
    passed: BTreeSet<StateId>,
    passed_matches: bool,
    taken: BTreeMap<StageId, (BTreeSet<StateId>, bool)>,
}

/// The most subsets that an automaton may have. One that needs more has parts that can overlap in too many ways; an engine
/// stops there.
pub const SUBSETS_MAX: usize = 65_536;

/// The most transitions that are kept; past them the cache starts anew.
const TRANSITIONS_MAX: usize = 65_536;

impl Subsets {
    pub(crate) fn new(program: &Program) -> Self {
        Subsets {
            subsets: Vec::new(),
            ids: HashMap::new(),
            transitions: Vec::new(),
            products: Products::new(program),
            live: live_lookbacks(program),
        }
    }

    /// Whether there are more than [`SUBSETS_MAX`], or that many states inside any-order groups.
    pub(crate) fn is_full(&self) -> bool {
        self.subsets.len().max(self.products.len()) > SUBSETS_MAX
    }

    /// The states inside any-order groups.
    pub(crate) fn products(&self) -> &Products {
        &self.products
    }

    pub(crate) fn products_mut(&mut self) -> &mut Products {
        &mut self.products
    }

    pub(crate) fn get(&self, subset: SubsetId) -> &Subset {
        &self.subsets[subset.0 as usize]
    }

    /// The subset of a position, made when it is first seen.
    pub(crate) fn intern(&mut self, program: &Program, position: Position) -> SubsetId {
        if let Some(subset) = self.ids.get(&position) {
            return *subset;
        }
        let id = SubsetId(self.subsets.len() as u32);
        self.subsets.push(self.describe(program, position.clone()));
        self.ids.insert(position, id);
        id
    }

    /// The subset in which a run that has taken nothing is.
    pub(crate) fn start(&mut self, program: &Program) -> SubsetId {
        self.intern(program, Position { states: Box::new([program.start]), matched: false })
    }

    fn describe(&self, program: &Program, position: Position) -> Subset {
        let Subsets { products, .. } = self;
        let here = products.reached(program, &position.states);
        let asks = asks(program, products, &position.states, &here);
        let takers = takers(program, products, &position.states);
        let of = |ConditionId(condition)| program.conditions[usize::from(condition)].of;
        let asked = asks.iter().fold(0, |asked, condition| asked | 1 << condition.0);
        Subset {
            asks_more: asks.iter().any(|condition| of(*condition) != Of::Event),
            looks_back: asks.iter().any(|condition| of(*condition) == Of::Run),
            live: self.live(program, &position.states),
            awaited: takers.iter().map(|(stage, _)| *stage).collect::<BTreeSet<_>>().into_iter().collect(),
            takers: takers.into(),
            is_absence: waits_for_absence(program, products, &position.states),
            absence_windows: absences(program, &here).next().map_or(&[][..], |state| &state.windows).into(),
            closing: closing(program, products, &position.states),
            transitions: Transitions::new(asked),
            asked,
            asks: asks.into_iter().collect(),
            position,
        }
    }

    /// The lookbacks that a condition ahead of some states may ask for.
    fn live(&self, program: &Program, states: &[StateId]) -> Box<[bool]> {
        let mut live = vec![false; program.kept.len()];
        let mut open = states.to_vec();
        while let Some(state) = open.pop() {
            let Some(product) = self.products.get(state) else {
                live.iter_mut().zip(&self.live[state.index()]).for_each(|(live, here)| *live |= here);
                continue;
            };
            let shuffle = program.shuffle(product.shuffle);
            open.extend(product.looking(program));
            open.push(shuffle.sink);
            if let Some(between) = &shuffle.between {
                between.guard.conditions(&mut |condition| mark_lookbacks(program, condition, &mut live));
            }
        }
        live.into()
    }

    /// The ways of the only state of a subset for an event that fulfils these of its conditions, in Flink's order.
    pub(crate) fn outcomes(&mut self, program: &Program, subset: SubsetId, bits: Bits) -> Vec<Outcome> {
        let Subsets { subsets, products, .. } = self;
        let Subset { position, .. } = &subsets[subset.0 as usize];
        Look { program, products, holds: holding(bits) }.outcomes(position.states[0])
    }

    pub(crate) fn transition(&self, id: TransitionId) -> &Transition {
        &self.transitions[id.0 as usize]
    }

    /// The transition of a subset for an event that fulfils these of its conditions.
    pub(crate) fn find(&mut self, program: &Program, subset: SubsetId, bits: Bits) -> TransitionId {
        if let Some(transition) = self.get(subset).transitions.get(bits) {
            return transition;
        }
        if self.transitions.len() >= TRANSITIONS_MAX {
            self.transitions.clear();
            self.subsets.iter_mut().for_each(|subset| subset.transitions.clear());
        }
        let transition = self.make(program, subset, bits);
        self.transitions.push(transition);
        let id = TransitionId(self.transitions.len() as u32 - 1);
        self.subsets[subset.0 as usize].transitions.insert(bits, id);
        id
    }

    fn make(&mut self, program: &Program, subset: SubsetId, bits: Bits) -> Transition {
        let Subsets { subsets, products, .. } = self;
        let Subset { position, .. } = &subsets[subset.0 as usize];
        let mut moves = Moves::default();
        let mut look = Look { program, products, holds: holding(bits) };
        position.states.iter().flat_map(|state| look.outcomes(*state)).for_each(|outcome| moves.add(outcome));
        let was_matched = position.matched;
        drop(look);
        let passed_matches = moves.passed_matches && !was_matched;
        let matched = was_matched || moves.passed_matches;
        let passed = self.target(program, moves.passed, matched);
        let taken = moves.taken.into_iter().map(|(stage, (states, matches))| Taking {
            stage,
            target: self.target(program, states, matches),
            matches,
        });
        let taken: Vec<Taking> = taken.collect();
        let is_stay = passed == Some(subset) && !passed_matches && taken.is_empty();
        Transition { passed, passed_matches, taken, is_stay }
    }

    fn target(&mut self, program: &Program, states: BTreeSet<StateId>, matched: bool) -> Option<SubsetId> {
        (!states.is_empty()).then(|| self.intern(program, Position { states: states.into_iter().collect(), matched }))
    }
}

impl Moves {
    /// Adds a way of one of the states.
    fn add(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Pass(target) => {
                self.passed.insert(target);
            }
            Outcome::PassMatches => self.passed_matches = true,
            Outcome::Take { stage, target, matches } => {
                let (states, any_matches) = self.taken.entry(stage).or_default();
                states.extend(target);
                *any_matches |= matches;
            }
        }
    }
}

fn holding(bits: Bits) -> impl Fn(ConditionId) -> bool {
    move |condition| bits >> condition.0 & 1 == 1
}

/// The conditions that decide what an event does to runs in some states, from which these of the program look at it.
fn asks(program: &Program, products: &Products, states: &[StateId], here: &[StateId]) -> BTreeSet<ConditionId> {
    let mut asks = BTreeSet::new();
    let mut ask = |condition| {
        asks.insert(condition);
    };
    let edges = |state: &StateId| program.states[state.index()].edges.iter();
    here.iter().flat_map(edges).for_each(|edge| edge.guard.conditions(&mut ask));
    products.each_inside(states, &mut |product| {
        let shuffle = program.shuffle(product.shuffle);
        shuffle.between.iter().for_each(|between| between.guard.conditions(&mut ask));
        shuffle.parts.iter().for_each(|part| part.entry.conditions(&mut ask));
    });
    // Whether a run that takes the event is a match is decided by the edges behind.
    for state in behind(program, here) {
        let proceeds = edges(&state).filter(|edge| edge.action == Action::Proceed);
        proceeds.for_each(|edge| edge.guard.conditions(&mut ask));
    }
    asks
}

/// The states to which runs may proceed once an event has been taken from one of these: behind a group, too, whose last part
/// takes it.
fn behind(program: &Program, here: &[StateId]) -> Vec<StateId> {
    let edges = |state: &StateId| program.states[state.index()].edges.iter();
    let moved = here.iter().flat_map(edges).filter(|edge| matches!(edge.action, Action::Take | Action::Yield));
    let mut open: Vec<StateId> = moved.map(|edge| edge.target).collect();
    open.extend(here.iter().filter(|state| program.states[state.index()].is_part_end()));
    let mut found: Vec<StateId> = Vec::new();
    while let Some(state) = open.pop() {
        if !found.contains(&state) {
            found.push(state);
            open.extend(edges(&state).filter(|edge| edge.action == Action::Proceed).map(|edge| edge.target));
        }
    }
    found
}

fn absences<'p>(program: &'p Program, here: &[StateId]) -> impl Iterator<Item = &'p State> {
    let states = here.iter().map(|state| &program.states[state.index()]);
    states.filter(|state| state.kind == StateKind::Absence)
}

/// Whether runs here are matches when the absence at the end has lasted: they wait for it, or could leave a loop for it.
/// Where the absence has a window of its own, which counts from the latest event, they may also leave out what is
/// optional. No event will come that could say otherwise, so guards are not asked, not even those that are always shut.
fn waits_for_absence(program: &Program, products: &Products, states: &[StateId]) -> bool {
    states.iter().any(|state| {
        let ahead = products.reached(program, &[*state]);
        let in_loop = products.in_loop(program, *state);
        let is_here = |absence: &State| in_loop || !absence.windows.is_empty();
        program.states.get(state.index()).is_some_and(|state| state.kind == StateKind::Absence)
            || absences(program, &ahead).any(is_here)
    })
}

/// For each state, the lookbacks that it or a state ahead asks for.
fn live_lookbacks(program: &Program) -> Vec<Box<[bool]>> {
    let mut live: Vec<Box<[bool]>> = program.states.iter().map(|_| vec![false; program.kept.len()].into()).collect();
    if program.kept.is_empty() {
        return live;
    }
    let mut is_changed = true;
    while is_changed {
        is_changed = false;
        for (position, state) in program.states.iter().enumerate().rev() {
            let mut here = live[position].clone();
            for edge in &state.edges {
                edge.guard.conditions(&mut |condition| mark_lookbacks(program, condition, &mut here));
                here.iter_mut().zip(&live[edge.target.index()]).for_each(|(here, ahead)| *here |= ahead);
            }
            is_changed |= here != live[position];
            live[position] = here;
        }
    }
    live
}

fn mark_lookbacks(program: &Program, condition: ConditionId, live: &mut [bool]) {
    for lookback in program.conditions[usize::from(condition.0)].lookbacks() {
        live[usize::from(lookback.0)] = true;
    }
}
