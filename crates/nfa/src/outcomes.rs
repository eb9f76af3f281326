//! What an event does to a run that waits in one state: the ways that are open, in the order in which Flink's CEP library
//! goes them. The order matters where a skip strategy keeps the first of several.
//!
//! Inside an any-order group a run waits in several parts at once. An event is taken by one of them, and the others *yield*
//! it: they do not look whether it would fit, but one that waits for the very next event ends the run, and so does what
//! an absence in it waits for. What no part takes is passed over by each, as if it were alone.

use std::collections::{BTreeMap, BTreeSet};

use ensue_model::pattern::StageId;

use crate::closing::{ways_of_group, ways_to_end};
use crate::products::{Product, Products, Standing, end_of_part};
use crate::program::{Action, ConditionId, Edge, Guard, Program, Shuffle, ShuffleId, StateId, StateKind, Test};

/// One way that a run can go with an event.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Outcome {
    /// It passes the event over, and waits there.
    Pass(StateId),
    /// It passes the event over, and is a match by that.
    PassMatches,
    /// A stage takes the event: it waits there, if there is more to come, and is a match, or both.
    Take { stage: StageId, target: Option<StateId>, matches: bool },
}

/// An event as the automaton sees it: which conditions hold.
pub(crate) struct Look<'l, H> {
    pub(crate) program: &'l Program,
    pub(crate) products: &'l mut Products,
    pub(crate) holds: H,
}

/// What an event does from one state, at the level of that state: the pattern's, or that of a part of a group.
#[derive(Default)]
struct Seen {
    ways: Vec<Way>,
    /// Where the run is if another part takes the event.
    yielded: Vec<StateId>,
    /// The ends of the part that it may have come to.
    ends: Vec<StateId>,
    is_stopped: bool,
}

#[derive(Clone, Copy)]
enum Way {
    Pass(StateId),
    Take(StageId, StateId),
}

/// What an event does in a part of a group.
struct Part {
    taken: BTreeMap<StageId, BTreeSet<StateId>>,
    /// What becomes of it if no part takes the event; none if the run ends by that.
    passed: Option<Standing>,
    /// What becomes of it if another part takes the event; none if the run ends by that.
    yielded: Option<Standing>,
    is_over: bool,
}

impl<H: Fn(ConditionId) -> bool> Look<'_, H> {
    /// The ways that are open from a state. A stop closes them all, but for those that are matches at once.
    pub(crate) fn outcomes(&mut self, from: StateId) -> Vec<Outcome> {
        let Seen { ways, is_stopped, .. } = self.look(from);
        let found = ways.into_iter().filter_map(|way| match way {
            // Nothing waits at the start: a run begins with the event that it takes.
            Way::Pass(_) if from == self.program.start => None,
            Way::Pass(target) if self.is_final(target) => Some(Outcome::PassMatches),
            Way::Pass(target) => Some(Outcome::Pass(target)),
            Way::Take(stage, target) => Some(Outcome::Take {
                stage,
                target: (!self.is_final(target)).then_some(target),
                matches: self.leads_to_match(target),
            }),
        });
        if is_stopped { found.filter_map(Outcome::stopped).collect() } else { found.collect() }
    }

    fn is_final(&self, state: StateId) -> bool {
        self.program.states.get(state.index()).is_some_and(|state| state.kind == StateKind::Final)
    }

    /// Whether open `proceed` edges lead to the end of the pattern, or it is there.
    fn leads_to_match(&self, from: StateId) -> bool {
        let is_open = |edge: &Edge| edge.guard.is_open(&self.holds);
        self.products.beside(self.program, &[from], &is_open).into_iter().any(|state| self.is_final(state))
    }

    fn is_open(&self, guard: &Guard) -> bool {
        guard.is_open(&self.holds)
    }

    /// What happens in a state, and in those that look at the event in its place.
    fn look(&mut self, from: StateId) -> Seen {
        let mut seen = Seen::default();
        let mut looked: Vec<StateId> = Vec::new();
        let mut open: Vec<StateId> = vec![from];
        while let Some(state) = open.pop() {
            if looked.contains(&state) {
                continue;
            }
            looked.push(state);
            match self.products.get(state).cloned() {
                Some(product) => open.extend(self.look_at_parts(&product, &mut seen)),
                None => self.look_at(state, &mut seen, &mut open),
            }
        }
        seen
    }

    fn look_at(&mut self, id: StateId, seen: &mut Seen, open: &mut Vec<StateId>) {
        let state = &self.program.states[id.index()];
        seen.is_stopped |= state.kind == StateKind::Stop;
        let is_late = match state.kind {
            StateKind::Shuffle(shuffle) => self.is_late_to_begin(shuffle),
            _ => false,
        };
        for edge in &state.edges {
            if !self.is_open(&edge.guard) {
                continue;
            }
            match (edge.action, state.kind, state.stage) {
                (Action::Proceed, StateKind::PartEnd(_), _) => seen.ends.push(id),
                (Action::Proceed, ..) => open.push(edge.target),
                // What a group needs can come no more: there is only the way past it.
                _ if is_late => {}
                (Action::Ignore, ..) => seen.ways.push(Way::Pass(edge.target)),
                (Action::Yield, ..) => seen.yielded.push(edge.target),
                (Action::Take, _, Some(stage)) => seen.ways.push(Way::Take(stage, edge.target)),
                (Action::Take, _, None) => unreachable!("only a stage's state takes events"),
                (Action::Begin(part), StateKind::Shuffle(shuffle), _) => self.begin(shuffle, part, seen),
                (Action::Begin(_), ..) => unreachable!("only an any-order group begins parts"),
            }
        }
    }

    /// Whether the windows of steps leave a group fewer parts than it needs.
    fn is_late_to_begin(&self, shuffle: ShuffleId) -> bool {
        let is_timed = self.program.shuffle(shuffle).is_timed;
        is_timed && !ways_of_group(self.program, self.products, shuffle).is_open(&self.holds)
    }

    fn is_late_to_end(&self, product: &Product) -> bool {
        !self.products.is_whole(self.program, product)
            && !ways_to_end(self.program, self.products, product).is_open(&self.holds)
    }

    /// The event may be the first of a part, and that part the first of its group.
    fn begin(&mut self, shuffle: ShuffleId, part: u16, seen: &mut Seen) {
        let part = usize::from(part);
        let head = self.program.shuffle(shuffle).parts[part].head;
        for (stage, targets) in self.look(head).taken() {
            let mut product = Product::new(self.program, shuffle);
            product.parts[part] = Standing::Inside(targets.into_iter().collect());
            seen.ways.push(Way::Take(stage, self.products.state(self.program, product)));
        }
    }

    /// What happens in the parts of a group; gives what follows the group, if they may all be over.
    fn look_at_parts(&mut self, product: &Product, seen: &mut Seen) -> Option<StateId> {
        let shuffle = self.program.shuffle(product.shuffle);
        if shuffle.is_timed && self.is_late_to_end(product) {
            return None;
        }
        let parts = self.parts(product);
        let next =
            |parts: Option<Box<[Standing]>>, lingers| parts.map(|parts| Product { parts, lingers, ..product.clone() });
        for (index, part) in parts.iter().enumerate() {
            for (stage, targets) in &part.taken {
                let taken = Standing::Inside(targets.iter().copied().collect());
                let standing = parts.iter().enumerate().map(|(other, part)| match other == index {
                    true => Some(taken.clone()),
                    false => part.yielded.clone(),
                });
                let target = next(standing.collect(), false).map(|next| self.products.state(self.program, next));
                seen.ways.extend(target.map(|target| Way::Take(*stage, target)));
            }
        }
        let may_begin = product.may_begin(self.program);
        let is_over = !may_begin && parts.iter().all(|part| part.is_over);
        let lingers = product.lingers || is_over;
        if !may_begin || self.passes_between(product, shuffle) {
            let next = next(parts.iter().map(|part| part.passed.clone()).collect(), lingers);
            seen.ways.extend(self.going_on(next).map(Way::Pass));
        }
        if shuffle.is_inner && (!may_begin || self.yields_between(shuffle)) {
            let next = next(parts.iter().map(|part| part.yielded.clone()).collect(), lingers);
            seen.yielded.extend(self.going_on(next));
        }
        (is_over && !product.lingers).then_some(shuffle.sink)
    }

    /// The state of a group that has taken nothing from an event; none, if it is over, for then what follows it has looked at
    /// the event.
    fn going_on(&mut self, next: Option<Product>) -> Option<StateId> {
        let next = next?;
        let is_end = |state: StateId| end_of_part(self.program, state).is_some();
        let goes_on = !next.lingers || next.inside().any(|state| !is_end(state));
        goes_on.then(|| self.products.state(self.program, next))
    }

    fn parts(&mut self, product: &Product) -> Vec<Part> {
        let may_begin = product.may_begin(self.program);
        let heads = self.program.shuffle(product.shuffle).parts.iter().map(|part| part.head);
        let parts = product.parts.iter().zip(heads).map(|(standing, head)| match standing {
            Standing::Waiting if may_begin => Part { taken: self.look(head).taken(), ..Part::still(standing) },
            Standing::Waiting | Standing::Done => Part::still(standing),
            Standing::Inside(states) => self.part_inside(states),
        });
        parts.collect()
    }

    /// What happens in a part that has begun, whichever of its states it is in.
    fn part_inside(&mut self, states: &[StateId]) -> Part {
        let mut all = Seen::default();
        for state in states {
            let seen = self.look(*state);
            // What an absence in the part ends is one of the states, and not what the part may be besides.
            if !seen.is_stopped {
                all.ways.extend(seen.ways);
                all.yielded.extend(seen.yielded);
                all.ends.extend(seen.ends);
            }
        }
        let passed = all.ways.iter().filter_map(|way| match way {
            Way::Pass(target) => Some(*target),
            Way::Take(..) => None,
        });
        // A part that is over stays so, whatever comes.
        let ends = || all.ends.iter().copied();
        Part {
            passed: inside(passed.chain(ends())),
            yielded: inside(all.yielded.iter().copied().chain(ends())),
            is_over: !all.ends.is_empty(),
            taken: all.taken(),
        }
    }

    /// Whether an event that no part takes may lie there, while there are parts to begin.
    fn passes_between(&self, product: &Product, shuffle: &Shuffle) -> bool {
        let Some(between) = &shuffle.between else { return false };
        let parts = product.parts.iter().zip(&shuffle.parts);
        let mut waiting = parts.filter(|(standing, _)| **standing == Standing::Waiting);
        self.is_open(&between.guard) && !(between.is_relaxed && waiting.any(|(_, part)| self.is_open(&part.entry)))
    }

    /// Whether the event that a part of an outer group takes may lie there.
    fn yields_between(&self, shuffle: &Shuffle) -> bool {
        shuffle.between.as_ref().is_some_and(|between| self.is_open(&between.guard))
    }
}

impl Seen {
    /// What is taken by which stage, and where that can lead to.
    fn taken(&self) -> BTreeMap<StageId, BTreeSet<StateId>> {
        let mut taken: BTreeMap<StageId, BTreeSet<StateId>> = BTreeMap::new();
        for way in &self.ways {
            match way {
                Way::Take(stage, target) => taken.entry(*stage).or_default().insert(*target),
                Way::Pass(_) => continue,
            };
        }
        taken
    }
}

impl Part {
    /// One that no event changes.
    fn still(standing: &Standing) -> Part {
        let stays = Some(standing.clone());
        Part { taken: BTreeMap::new(), passed: stays.clone(), yielded: stays, is_over: true }
    }
}

/// Whether an event that fulfils no condition makes no difference to any run, and starts none, by whatever way of key it
/// has come.
pub(crate) fn passes_over(program: &Program) -> bool {
    let is_keyed_by = |ConditionId(id)| matches!(program.conditions[usize::from(id)].test, Test::KeyedBy(_));
    // Ways stand beside other conditions, or decide something where all of them hold, or where none does.
    is_passed_over(program, |_| false) && is_passed_over(program, is_keyed_by)
}

fn is_passed_over(program: &Program, holds: impl Fn(ConditionId) -> bool) -> bool {
    let mut look = Look { program, products: &mut Products::new(program), holds };
    let is_passed = |look: &mut Look<'_, _>, state: StateId| match program.states[state.index()].kind {
        StateKind::Final => true,
        // The run is in the group still, or where the group leads to.
        StateKind::PartEnd(shuffle) => look.yields_between(program.shuffle(shuffle)),
        StateKind::Normal | StateKind::Stop | StateKind::Absence | StateKind::Fork | StateKind::Shuffle(_) => {
            look.outcomes(state) == [Outcome::Pass(state)]
        }
    };
    // No run waits where a part begins.
    let leads_on = |edge: &&Edge| !matches!(edge.action, Action::Proceed | Action::Begin(_));
    let sinks = program.shuffles.iter().map(|shuffle| shuffle.sink);
    let edges = program.states.iter().flat_map(|state| &state.edges);
    let mut waited_in = edges.filter(leads_on).map(|edge| edge.target).chain(sinks);
    !program.skips() && look.outcomes(program.start).is_empty() && waited_in.all(|state| is_passed(&mut look, state))
}

impl Outcome {
    /// What a stop leaves of a way.
    fn stopped(self) -> Option<Outcome> {
        match self {
            Outcome::Pass(_) => None,
            Outcome::PassMatches => Some(self),
            Outcome::Take { stage, matches, .. } => matches.then_some(Outcome::Take { stage, target: None, matches }),
        }
    }
}

/// A part in one of these states; none if there are none.
fn inside(states: impl Iterator<Item = StateId>) -> Option<Standing> {
    let states: BTreeSet<StateId> = states.collect();
    (!states.is_empty()).then(|| Standing::Inside(states.into_iter().collect()))
}
