//! What an event does to a run that waits in one state: the ways that are open, in the order in which Flink's CEP library
//! goes them. The order matters where a skip strategy keeps the first of several.

use ensue_model::pattern::StageId;

use crate::program::{Action, ConditionId, Edge, Program, StateId, StateKind};

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

/// The ways that are open from a state. A stop closes them all, but for those that are matches at once.
pub(crate) fn outcomes(program: &Program, from: StateId, holds: &impl Fn(ConditionId) -> bool) -> Vec<Outcome> {
    let mut found = Vec::new();
    let mut is_stopped = false;
    for state in open_from(program, from, holds) {
        let state = &program.states[state.index()];
        is_stopped |= state.kind == StateKind::Stop;
        for edge in state.edges.iter().filter(|edge| edge.guard.is_open(holds)) {
            let is_final = program.states[edge.target.index()].kind == StateKind::Final;
            match (edge.action, state.stage) {
                (Action::Proceed, _) => {}
                // Nothing waits at the start: a run begins with the event that it takes.
                (Action::Ignore, _) if from == program.start => {}
                (Action::Ignore, _) if is_final => found.push(Outcome::PassMatches),
                (Action::Ignore, _) => found.push(Outcome::Pass(edge.target)),
                (Action::Take, Some(stage)) => found.push(Outcome::Take {
                    stage,
                    target: (!is_final).then_some(edge.target),
                    matches: leads_to(program, edge.target, StateKind::Final, holds),
                }),
                (Action::Take, None) => unreachable!("only a stage's state takes events"),
            }
        }
    }
    if is_stopped { found.into_iter().filter_map(Outcome::stopped).collect() } else { found }
}

/// Whether an event that fulfils no condition makes no difference to any run, and starts none.
pub(crate) fn passes_over(program: &Program) -> bool {
    let nothing = |_| false;
    let waits = |state: StateId| outcomes(program, state, &nothing) == [Outcome::Pass(state)];
    let edges = program.states.iter().flat_map(|state| &state.edges);
    let mut waited_in = edges.filter(|edge| edge.action != Action::Proceed).map(|edge| edge.target);
    let is_final = |state: StateId| program.states[state.index()].kind == StateKind::Final;
    !program.skips()
        && outcomes(program, program.start, &nothing).is_empty()
        && waited_in.all(|state| is_final(state) || waits(state))
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

/// The states that look at an event from here: this one, and what open `proceed` edges lead to, deepest last-made first.
pub(crate) fn open_from(program: &Program, from: StateId, holds: &impl Fn(ConditionId) -> bool) -> Vec<StateId> {
    closure(program, &[from], |edge| edge.guard.is_open(holds))
}

/// The states that may look at an event from here, whatever the event.
pub(crate) fn reached(program: &Program, from: &[StateId]) -> Vec<StateId> {
    closure(program, from, |_| true)
}

/// Whether open `proceed` edges lead to a state of that kind, or it is one.
fn leads_to(program: &Program, from: StateId, kind: StateKind, holds: &impl Fn(ConditionId) -> bool) -> bool {
    open_from(program, from, holds).iter().any(|state| program.states[state.index()].kind == kind)
}

/// Each state once: an empty round of a loop leads back to where it began, and is not taken.
fn closure(program: &Program, from: &[StateId], is_open: impl Fn(&Edge) -> bool) -> Vec<StateId> {
    let mut found: Vec<StateId> = Vec::new();
    let mut open: Vec<StateId> = from.to_vec();
    while let Some(state) = open.pop() {
        if found.contains(&state) {
            continue;
        }
        found.push(state);
        let edges = program.states[state.index()].edges.iter();
        open.extend(edges.filter(|edge| edge.action == Action::Proceed && is_open(edge)).map(|edge| edge.target));
    }
    found
}
