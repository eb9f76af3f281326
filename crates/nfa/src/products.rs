//! The states of runs inside any-order groups.
//!
//! The parts of `( a & b & c )` go on side by side, so a run in such a group stands in several states at once: in each part
//! that has begun, at the place it has come to there. That is the product of the parts' automata, their *shuffle*, and it
//! has as many states as there are combinations, 2^n for n parts of one stage. A program does not hold them: it holds each
//! part's own states once, and a *product state* is made when a run first comes to it, from what the parts do with an event,
//! as in M. Sulzmann and P. Thiemann, *Derivatives for regular shuffle expressions*, LATA 2015. It has an id like any other
//! state, behind those of the program, so that a run's position, and all that is kept of it, stays one number.
//!
//! Of each part a product state holds the set of states in which it can be, since what a part has taken does not say whether
//! it has left a loop. So ways through different parts are not multiplied.

use std::collections::HashMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::program::{Action, Edge, Guard, Program, ShuffleId, State, StateId};

/// How far each part of an any-order group has come.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Product {
    pub(crate) shuffle: ShuffleId,
    pub(crate) parts: Box<[Standing]>,
    /// Whether an event has been passed over that could have come behind the group. The group goes on then: it is not over
    /// before it has taken another.
    pub(crate) lingers: bool,
}

/// How far a part has come.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub(crate) enum Standing {
    /// It has not begun.
    Waiting,
    /// It is in one of these states, in their order. They can be product states themselves.
    Inside(Box<[StateId]>),
    /// It is over, and will not take anything.
    Done,
}

/// The product states of one program that were needed so far.
#[derive(Debug)]
pub(crate) struct Products {
    /// How many states the program has of its own.
    own: usize,
    made: Vec<Arc<Product>>,
    ids: HashMap<Arc<Product>, StateId>,
}

impl Products {
    pub(crate) fn new(program: &Program) -> Self {
        Products { own: program.states.len(), made: Vec::new(), ids: HashMap::new() }
    }

    pub(crate) fn len(&self) -> usize {
        self.made.len()
    }

    /// The product that a state is; none if it is one of the program's own.
    pub(crate) fn get(&self, state: StateId) -> Option<&Arc<Product>> {
        self.made.get(state.index().checked_sub(self.own)?)
    }

    /// The state that a product is. Where all parts are over, that is the one behind the group.
    pub(crate) fn state(&mut self, program: &Program, mut product: Product) -> StateId {
        for part in &mut product.parts {
            if matches!(part, Standing::Inside(states) if matches!(**states, [end] if is_free_end(program, end))) {
                *part = Standing::Done;
            }
        }
        let is_over = product.parts.iter().all(|part| matches!(part, Standing::Waiting | Standing::Done));
        if is_over && !product.may_begin(program) {
            return program.shuffle(product.shuffle).sink;
        }
        self.intern(product)
    }

    fn intern(&mut self, product: Product) -> StateId {
        if let Some(state) = self.ids.get(&product) {
            return *state;
        }
        let product = Arc::new(product);
        let state = StateId((self.own + self.made.len()) as u32);
        self.made.push(product.clone());
        self.ids.insert(product, state);
        state
    }

    /// The states that a run in one of these is in as well, since open `proceed` edges lead there, each once. Parts of
    /// groups are not looked into; where they may all be over, what follows the group is reached.
    ///
    /// An empty round of a loop leads back to where it began, and is not taken.
    pub(crate) fn beside(&self, program: &Program, from: &[StateId], is_open: &impl Fn(&Edge) -> bool) -> Vec<StateId> {
        let mut found: Vec<StateId> = Vec::new();
        let mut open = from.to_vec();
        while let Some(state) = open.pop() {
            if found.contains(&state) {
                continue;
            }
            found.push(state);
            match self.get(state) {
                Some(product) if self.can_be_over(program, product, is_open) => {
                    open.push(program.shuffle(product.shuffle).sink);
                }
                Some(_) => {}
                None => open.extend(program.states[state.index()].proceeding(is_open)),
            }
        }
        found
    }

    /// The program's states that may look at an event from here, whatever the event: also those of parts.
    pub(crate) fn reached(&self, program: &Program, from: &[StateId]) -> Vec<StateId> {
        let (mut found, mut products) = (Vec::new(), Vec::new());
        let mut open = from.to_vec();
        while let Some(state) = open.pop() {
            let list = if self.get(state).is_some() { &mut products } else { &mut found };
            if list.contains(&state) {
                continue;
            }
            list.push(state);
            match self.get(state) {
                Some(product) => {
                    open.extend(product.looking(program));
                    if self.can_be_over(program, product, &|_| true) {
                        open.push(program.shuffle(product.shuffle).sink);
                    }
                }
                None => {
                    let state = &program.states[state.index()];
                    open.extend(state.proceeding(&|_| true));
                    let begun = state.edges.iter().filter(|edge| matches!(edge.action, Action::Begin(_)));
                    open.extend(begun.map(|edge| edge.target));
                }
            }
        }
        found
    }

    /// Calls `visit` with the products that some states are, and with those inside them.
    pub(crate) fn each_inside(&self, states: &[StateId], visit: &mut impl FnMut(&Product)) {
        let mut open = states.to_vec();
        while let Some(state) = open.pop() {
            if let Some(product) = self.get(state) {
                visit(product);
                open.extend(product.inside());
            }
        }
    }

    /// Whether a run can leave the group over open edges.
    pub(crate) fn can_be_over(&self, program: &Program, product: &Product, is_open: &impl Fn(&Edge) -> bool) -> bool {
        let is_over = |part: &Standing| match part {
            Standing::Waiting | Standing::Done => true,
            Standing::Inside(states) => self.can_end(program, states, is_open),
        };
        !product.lingers && !product.may_begin(program) && product.parts.iter().all(is_over)
    }

    /// Whether a group has all that it needs, though it may take more.
    pub(crate) fn is_whole(&self, program: &Program, product: &Product) -> bool {
        product.lingers || self.can_be_over(program, product, &|_| true)
    }

    /// Whether a part that stands there can be over.
    pub(crate) fn can_end(&self, program: &Program, part: &[StateId], is_open: &impl Fn(&Edge) -> bool) -> bool {
        let ends = |state: &StateId| end_of_part(program, *state).is_some_and(|end| end.edges.iter().all(is_open));
        self.beside(program, part, is_open).iter().any(ends)
    }

    /// Whether a run waits there for another round of a loop that it may leave: in a group, whether each part that is not
    /// over does.
    pub(crate) fn in_loop(&self, program: &Program, state: StateId) -> bool {
        let Some(product) = self.get(state) else { return program.states[state.index()].in_loop };
        let may_leave = |state: &StateId| {
            let is_end = end_of_part(program, *state).is_some();
            is_end || (self.in_loop(program, *state) && self.can_end(program, &[*state], &|_| true))
        };
        product.parts.iter().all(|part| match part {
            Standing::Waiting | Standing::Done => true,
            Standing::Inside(states) => states.iter().any(may_leave),
        })
    }

    /// The products that runs in these states are in, the inner before the outer, with the states that they are.
    pub(crate) fn save(&self, states: impl IntoIterator<Item = StateId>) -> Vec<SavedProduct> {
        let mut saved: Vec<SavedProduct> = Vec::new();
        let is_product = |state: &StateId| self.get(*state).is_some();
        let mut open: Vec<StateId> = states.into_iter().filter(is_product).collect();
        while let Some(state) = open.pop() {
            let Some(product) = self.get(state).filter(|_| saved.iter().all(|saved| saved.state != state)) else {
                continue;
            };
            open.extend(product.inside());
            let Product { shuffle, parts, lingers } = &**product;
            saved.push(SavedProduct { state, shuffle: *shuffle, parts: parts.to_vec(), lingers: *lingers });
        }
        // What a product is made of was made before it.
        saved.sort_by_key(|saved| saved.state);
        saved
    }

    /// Takes up the products of a snapshot; gives what state each state of it is here. None if it is of another program.
    pub(crate) fn load(&mut self, program: &Program, saved: Vec<SavedProduct>) -> Option<Restored> {
        let mut restored = Restored { own: self.own, states: HashMap::new() };
        for product in saved {
            let state = product.state;
            let product = product.moved(|state| restored.get(state)).filter(|_| state.index() >= self.own)?;
            restored.states.insert(state, self.take_up(program, product)?);
        }
        Some(restored)
    }

    /// The state that a product of a snapshot is here. None if it is of another program.
    pub(crate) fn take_up(&mut self, program: &Program, product: SavedProduct) -> Option<StateId> {
        let SavedProduct { state: _, shuffle, parts, lingers } = product;
        let known = program.shuffles.get(usize::from(shuffle.0))?;
        (parts.len() == known.parts.len()).then(|| self.intern(Product { shuffle, parts: parts.into(), lingers }))
    }
}

impl Product {
    /// A group of which nothing has been taken.
    pub(crate) fn new(program: &Program, shuffle: ShuffleId) -> Self {
        let parts = program.shuffle(shuffle).parts.iter().map(|_| Standing::Waiting);
        Product { shuffle, parts: parts.collect(), lingers: false }
    }

    /// How many parts are still to begin.
    pub(crate) fn to_begin(&self, program: &Program) -> usize {
        let begun = self.parts.iter().filter(|part| **part != Standing::Waiting).count();
        program.shuffle(self.shuffle).needed.saturating_sub(begun)
    }

    /// Whether another part may begin.
    pub(crate) fn may_begin(&self, program: &Program) -> bool {
        self.to_begin(program) > 0
    }

    /// The states in which parts are.
    pub(crate) fn inside(&self) -> impl Iterator<Item = StateId> {
        let states = self.parts.iter().filter_map(|part| match part {
            Standing::Inside(states) => Some(states),
            Standing::Waiting | Standing::Done => None,
        });
        states.flatten().copied()
    }

    /// The states from which an event is looked at: those in which parts are, and those with which others may begin.
    pub(crate) fn looking(&self, program: &Program) -> Vec<StateId> {
        self.inside().chain(self.beginnings(program)).collect()
    }

    /// The states with which further parts may begin.
    pub(crate) fn beginnings(&self, program: &Program) -> Vec<StateId> {
        if !self.may_begin(program) {
            return Vec::new();
        }
        let parts = self.parts.iter().zip(&program.shuffle(self.shuffle).parts);
        parts.filter(|(standing, _)| **standing == Standing::Waiting).map(|(_, part)| part.head).collect()
    }
}

/// The state, if it is the end of a part.
pub(crate) fn end_of_part(program: &Program, state: StateId) -> Option<&State> {
    program.states.get(state.index()).filter(|state| state.is_part_end())
}

/// Whether a state is the end of a part, and nothing that the part could still take holds it back.
fn is_free_end(program: &Program, state: StateId) -> bool {
    end_of_part(program, state).is_some_and(|end| end.edges.iter().all(|edge| edge.guard == Guard::Always))
}

/// A product state as a snapshot holds it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct SavedProduct {
    pub(crate) state: StateId,
    pub(crate) shuffle: ShuffleId,
    pub(crate) parts: Vec<Standing>,
    pub(crate) lingers: bool,
}

impl SavedProduct {
    /// With the states in its parts as they are here. None if one is not.
    pub(crate) fn moved(mut self, here: impl Fn(StateId) -> Option<StateId>) -> Option<Self> {
        for part in &mut self.parts {
            if let Standing::Inside(states) = part {
                let mut moved = states.iter().map(|state| here(*state)).collect::<Option<Vec<StateId>>>()?;
                moved.sort();
                *states = moved.into();
            }
        }
        Some(self)
    }
}

/// What the states of a snapshot are here.
pub(crate) struct Restored {
    own: usize,
    states: HashMap<StateId, StateId>,
}

impl Restored {
    /// None if there is no such state.
    pub(crate) fn get(&self, saved: StateId) -> Option<StateId> {
        if saved.index() < self.own { Some(saved) } else { self.states.get(&saved).copied() }
    }
}
