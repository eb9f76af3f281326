//! When the windows of steps close the ways on for a run.

use ensue_model::Timestamp;
use ensue_model::pattern::StageId;

use crate::count::Count;
use crate::products::{Product, Products, Standing};
use crate::program::{Action, ConditionId, Edge, Program, ShuffleId, State, StateId, StateKind, Window};
use crate::registers::{Registers, window_end};

/// When there is no way on any more.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Closing {
    /// No window closes it.
    Never,
    /// When the first of these windows ends.
    Windows(Box<[Window]>),
    /// When fewer than so many of these are open.
    Fewer(usize, Box<[Closing]>),
}

impl Closing {
    /// The time for runs with these registers; none is never.
    pub(crate) fn time(&self, registers: &Registers, count: &Count) -> Option<Timestamp> {
        match self {
            Closing::Never => None,
            Closing::Windows(windows) => windows.iter().filter_map(|window| window_end(registers, window, count)).min(),
            Closing::Fewer(needed, of) => {
                let mut times: Vec<Option<Timestamp>> =
                    of.iter().map(|closing| closing.time(registers, count)).collect();
                // What is never closed comes last.
                times.sort_by_key(|time| (time.is_none(), *time));
                times.len().checked_sub(*needed).and_then(|first| times.get(first).copied().flatten())
            }
        }
    }

    /// Whether there is a way on for an event that fulfils these conditions.
    pub(crate) fn is_open(&self, holds: &impl Fn(ConditionId) -> bool) -> bool {
        match self {
            Closing::Never => true,
            Closing::Windows(windows) => windows.iter().all(|window| holds(window.condition)),
            Closing::Fewer(needed, of) => of.iter().filter(|closing| closing.is_open(holds)).count() >= *needed,
        }
    }

    /// When either is closed.
    fn or(self, other: &Closing) -> Closing {
        match (self, other) {
            (Closing::Never, other) => other.clone(),
            (closing, Closing::Never) => closing,
            (closing, other) => Closing::Fewer(2, [closing, other.clone()].into()),
        }
    }

    fn of(state: &State) -> Closing {
        if state.windows.is_empty() { Closing::Never } else { Closing::Windows(state.windows.clone().into()) }
    }

    /// When the last of several is closed.
    fn last_of(of: Vec<Closing>) -> Closing {
        if of.is_empty() { Closing::Never } else { Closing::fewer(1, of) }
    }

    /// When fewer than so many of these are open. If so many of them never close, that is said so, for who asks whether there is
    /// anything to wait for.
    fn fewer(needed: usize, of: Vec<Closing>) -> Closing {
        let open = of.iter().filter(|closing| **closing == Closing::Never).count();
        if open >= needed { Closing::Never } else { Closing::Fewer(needed, of.into()) }
    }
}

/// When the ways on from some states are closed, whichever of them a run is in.
pub(crate) fn closing(program: &Program, products: &Products, states: &[StateId]) -> Closing {
    Closing::last_of(ways(program, products, states))
}

/// The stages that may take an event in some states, each with when it no longer may: in an any-order group also when that
/// can no longer be over.
pub(crate) fn takers(program: &Program, products: &Products, states: &[StateId]) -> Vec<(StageId, Closing)> {
    let mut found = Vec::new();
    let mut open: Vec<(StateId, Closing)> = states.iter().map(|state| (*state, Closing::Never)).collect();
    while let Some((from, around)) = open.pop() {
        for state in products.beside(program, &[from], &|_| true) {
            if let Some(product) = products.get(state) {
                let group = match products.is_whole(program, product) {
                    true => around.clone(),
                    false => ways_to_end(program, products, product).or(&around),
                };
                open.extend(product.looking(program).into_iter().map(|state| (state, group.clone())));
                continue;
            }
            let state = &program.states[state.index()];
            if let StateKind::Shuffle(shuffle) = state.kind {
                let group = ways_of_group(program, products, shuffle).or(&around);
                let heads = program.shuffle(shuffle).parts.iter().map(|part| part.head);
                open.extend(heads.map(|head| (head, group.clone())));
            }
            let stage = state.stage.filter(|_| state.edges.iter().any(|edge| edge.action == Action::Take));
            found.extend(stage.map(|stage| (stage, Closing::of(state).or(&around))));
        }
    }
    found
}

/// The ways on: by the states that may take an event, or wait for none.
fn ways(program: &Program, products: &Products, states: &[StateId]) -> Vec<Closing> {
    let beside = products.beside(program, states, &|_| true);
    beside.into_iter().flat_map(|state| ways_of(program, products, state)).collect()
}

fn ways_of(program: &Program, products: &Products, state: StateId) -> Vec<Closing> {
    if let Some(product) = products.get(state) {
        return ways_of_product(program, products, product);
    }
    let is_final = |edge: &Edge| program.states[edge.target.index()].kind == StateKind::Final;
    let state = &program.states[state.index()];
    let is_way = match state.kind {
        StateKind::Absence => true,
        StateKind::Normal => state.edges.iter().any(|edge| match edge.action {
            Action::Take => true,
            Action::Ignore => is_final(edge),
            Action::Proceed | Action::Begin(_) | Action::Yield => false,
        }),
        StateKind::Shuffle(shuffle) => return vec![ways_of_group(program, products, shuffle)],
        // Those that the branches begin with are ways by themselves.
        StateKind::Fork => false,
        StateKind::Final | StateKind::Stop | StateKind::PartEnd(_) => false,
    };
    is_way.then(|| Closing::of(state)).into_iter().collect()
}

/// An any-order group that has not begun.
pub(crate) fn ways_of_group(program: &Program, products: &Products, shuffle: ShuffleId) -> Closing {
    let shuffle = program.shuffle(shuffle);
    let parts = shuffle.parts.iter().map(|part| closing(program, products, &[part.head]));
    Closing::fewer(shuffle.needed, parts.collect())
}

/// While parts are needed, a group goes on only as long as each that has begun does, and as many that have not as are
/// needed. Where all may be over, those that could take more are ways like any other.
fn ways_of_product(program: &Program, products: &Products, product: &Product) -> Vec<Closing> {
    let inside = product.parts.iter().filter_map(|part| match part {
        Standing::Inside(states) => Some(states),
        Standing::Waiting | Standing::Done => None,
    });
    if products.is_whole(program, product) {
        return inside.flat_map(|states| ways(program, products, states)).collect();
    }
    vec![ways_to_end(program, products, product)]
}

/// When a group that has begun, and is not over, can no longer be.
pub(crate) fn ways_to_end(program: &Program, products: &Products, product: &Product) -> Closing {
    let unfinished = product.parts.iter().filter_map(|part| match part {
        Standing::Inside(states) => Some(states),
        Standing::Waiting | Standing::Done => None,
    });
    let unfinished = unfinished.filter(|states| !products.can_end(program, states, &|_| true));
    let mut needed: Vec<Closing> = unfinished.map(|states| closing(program, products, states)).collect();
    let beginnings = product.beginnings(program);
    if !beginnings.is_empty() {
        let beginnings = beginnings.into_iter().map(|head| closing(program, products, &[head]));
        needed.push(Closing::fewer(product.to_begin(program), beginnings.collect()));
    }
    Closing::fewer(needed.len(), needed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_so_many_ways_keep_open_is_never_closed() {
        let closed = || Closing::Windows(Box::default());
        assert_eq!(Closing::fewer(2, vec![Closing::Never, closed(), Closing::Never]), Closing::Never);
        assert_ne!(Closing::fewer(2, vec![Closing::Never, closed(), closed()]), Closing::Never);
        assert_eq!(Closing::fewer(0, Vec::new()), Closing::Never);
    }
}
