//! The program: what a pattern is compiled to, and all that the matcher knows of it.

use std::fmt;
use std::num::NonZeroU32;

use ensue_model::expr::{Ask, LookbackId};
use ensue_model::pattern::{Active, Keep, Skip, StageId, WindowSpan};
use ensue_model::{Expr, Keys, Span};
use serde::{Deserialize, Serialize};

use crate::comparison::Need;

/// A state of the automaton.
///
/// The program's own are the first; behind them are those that are made as runs come to them, see
/// [`crate::products`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct StateId(pub(crate) u32);

/// A condition of the program; equal ones are one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) struct ConditionId(pub(crate) u16);

/// The compiled pattern: immutable, and shared by all keys and threads.
#[derive(Clone, Debug)]
pub struct Program {
    pub(crate) states: Vec<State>,
    /// The any-order groups.
    pub(crate) shuffles: Vec<Shuffle>,
    pub(crate) start: StateId,
    pub(crate) conditions: Vec<Condition>,
    /// What is kept of the events taken: first the pattern's lookbacks, then from where step windows count.
    pub(crate) kept: Vec<Kept>,
    pub(crate) stage_names: Vec<String>,
    /// The key, which an event and all runs that it comes to have in common.
    pub(crate) key: Keys,
    /// When runs may start.
    pub(crate) active: Active,
    pub(crate) within: Option<Span>,
    /// Whether some condition asks for more than the event under test, and its way of key alone.
    pub(crate) asks_more: bool,
    pub(crate) within_events: Option<NonZeroU32>,
    pub(crate) counted: Counted,
    /// Whether an event that fulfils no condition but for its way of key changes nothing, whatever has come before.
    pub(crate) passes_over: bool,
    pub(crate) skip: Skip,
    /// Which runs a key keeps where several wait for the same.
    pub(crate) keep: Keep,
}

impl Program {
    /// The window over the whole match; none is forever.
    pub fn within(&self) -> Option<Span> {
        self.within
    }

    /// Whether a run can end as a match because something did not come until its window closed.
    pub(crate) fn has_absence_at_end(&self) -> bool {
        self.states.iter().any(|state| state.kind == StateKind::Absence)
    }

    /// Whether a match makes other runs void, so that it matters what ends first.
    pub fn skips(&self) -> bool {
        self.skip != Skip::None
    }

    /// Whether some step has a window of its own, so that runs end at times that do not come in the order of their starts.
    pub fn has_step_windows(&self) -> bool {
        self.states.iter().any(|state| !state.windows.is_empty())
    }

    /// Whether events are counted, so that each of a key with open runs makes a difference.
    pub(crate) fn counts(&self) -> bool {
        self.counted != Counted::Not
    }

    /// What an event must have, one of these, to make a difference to any run; none where any event may. Each condition
    /// begins with such a comparison, and an event that fulfils no condition changes nothing.
    pub fn needs(&self) -> Option<Vec<Need>> {
        if !self.passes_over {
            return None;
        }
        let numbered = (0..).map(ConditionId).zip(&self.conditions);
        let needs = numbered.map(|(number, condition)| match &condition.test {
            Test::Holds(expr) => Need::of(expr, number),
            // It stands beside other conditions.
            Test::KeyedBy(_) => Some(Vec::new()),
            Test::InWindow { .. } => None,
        });
        needs.collect::<Option<Vec<_>>>().map(|needs| needs.concat())
    }

    /// Whether anything is kept of the events that a run has taken, besides the events.
    pub(crate) fn looks_back(&self) -> bool {
        !self.kept.is_empty()
    }

    /// How many parts each group has whose parts go on side by side, in any order.
    pub fn side_by_side(&self) -> impl Iterator<Item = usize> {
        self.shuffles.iter().map(|shuffle| shuffle.parts.len())
    }

    pub(crate) fn shuffle(&self, shuffle: ShuffleId) -> &Shuffle {
        &self.shuffles[usize::from(shuffle.0)]
    }

    /// How many states the automaton has.
    pub fn state_count(&self) -> usize {
        self.states.len()
    }
}

/// An any-order group by its position in the program.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct ShuffleId(pub(crate) u16);

/// An any-order group: parts that go on side by side.
#[derive(Clone, Debug)]
pub(crate) struct Shuffle {
    pub(crate) parts: Vec<Part>,
    /// How many of them are taken: no more begin.
    pub(crate) needed: usize,
    /// What may lie between the first event of one part and that of another; nothing if there is none.
    pub(crate) between: Option<Between>,
    /// Where a run goes on that has taken them.
    pub(crate) sink: StateId,
    /// Whether it stands in a part of another any-order group.
    pub(crate) is_inner: bool,
    /// Whether a step in it has a window.
    pub(crate) is_timed: bool,
}

/// A part of an any-order group.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    /// The state with which it begins. No run waits there.
    pub(crate) head: StateId,
    /// Whether an event is one that it can begin with.
    pub(crate) entry: Guard,
}

/// Which events may be passed over while parts of a group wait to begin.
#[derive(Clone, Debug)]
pub(crate) struct Between {
    pub(crate) guard: Guard,
    /// Whether only those may that no waiting part can begin with.
    pub(crate) is_relaxed: bool,
}

/// What the events of a key are counted for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Counted {
    /// They are not.
    Not,
    /// A run ends with one, or ends when it would have ended in any case.
    ForEnds,
    /// The same; and when a run ends in time may change with one, since it closes one of several ways on: some steps have a
    /// window in events, others one in time.
    ForTimes,
}

/// A condition, and what decides it.
#[derive(Clone, Debug)]
pub(crate) struct Condition {
    pub(crate) test: Test,
    pub(crate) of: Of,
}

/// What decides a condition.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Of {
    /// The event under test alone.
    Event,
    /// The event, and how it has come to its key: it may come to several.
    Arrival,
    /// The event, and what the run has taken.
    Run,
}

/// What a condition asks.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Test {
    /// Whether the expression holds.
    Holds(Expr),
    /// Whether the event has come by this way of key.
    KeyedBy(u8),
    /// Whether the event lies in the window of a step. If its anchor has taken nothing, it does.
    InWindow { since: LookbackId, span: WindowSpan },
}

impl Condition {
    /// The expression, if it is on the event under test alone.
    pub(crate) fn of_event(&self) -> Option<&Expr> {
        match &self.test {
            Test::Holds(expr) if self.of == Of::Event => Some(expr),
            Test::Holds(_) | Test::KeyedBy(_) | Test::InWindow { .. } => None,
        }
    }

    /// What it asks of what a run has taken, each once.
    pub(crate) fn lookbacks(&self) -> Vec<LookbackId> {
        match &self.test {
            Test::Holds(expr) => expr.lookbacks(),
            Test::KeyedBy(_) => Vec::new(),
            Test::InWindow { since, .. } => vec![*since],
        }
    }
}

/// A state: what happens to a run that waits here when the next event comes.
#[derive(Clone, Debug)]
pub(crate) struct State {
    pub(crate) kind: StateKind,
    /// The stage that the state belongs to; none for a joint between terms.
    pub(crate) stage: Option<StageId>,
    /// Whether a run waits here for another round of a loop that it may leave.
    pub(crate) in_loop: bool,
    /// The step windows outside of which the state is closed.
    pub(crate) windows: Vec<Window>,
    pub(crate) edges: Vec<Edge>,
}

/// A step window, as the automaton knows it: open for `span` behind what is in a register; if there is nothing, always.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Window {
    pub(crate) since: LookbackId,
    pub(crate) span: WindowSpan,
    /// Whether an event lies in it.
    pub(crate) condition: ConditionId,
}

/// What is kept of the events that a run has taken.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Kept {
    /// The stage whose events count; all where none is named.
    pub(crate) stage: Option<StageId>,
    pub(crate) asked: Asked,
}

/// What is asked of the events that a run has taken.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Asked {
    /// What an expression could ask.
    Value(Ask),
    /// The number of the latest among the events of its key.
    Number,
}

/// What a state is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum StateKind {
    /// A run waits for an event.
    Normal,
    /// A run that comes here is a match.
    Final,
    /// A run that comes here is dropped, with all that the same event made of it.
    Stop,
    /// A run that still waits here when its window ends is a match: the absence at the end of a pattern.
    Absence,
    /// A run waits for an event that one of several branches begins with, and goes into each that fits.
    Fork,
    /// A run waits for an event that a part of an any-order group begins with.
    Shuffle(ShuffleId),
    /// A part of an any-order group is over. Its edge leads to what follows the group.
    PartEnd(ShuffleId),
}

impl State {
    /// Whether a part of an any-order group is over there.
    pub(crate) fn is_part_end(&self) -> bool {
        matches!(self.kind, StateKind::PartEnd(_))
    }

    /// Where open `proceed` edges lead to. That of a part's end is not one of them: it is for when all parts are over.
    pub(crate) fn proceeding(&self, is_open: &impl Fn(&Edge) -> bool) -> impl Iterator<Item = StateId> {
        let edges = self.edges.iter().filter(|edge| edge.action == Action::Proceed && !self.is_part_end());
        edges.filter(|edge| is_open(edge)).map(|edge| edge.target)
    }
}

/// A way from one state to another.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Edge {
    pub(crate) action: Action,
    pub(crate) guard: Guard,
    pub(crate) target: StateId,
}

/// What an edge does with the event.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Action {
    /// The state's stage takes it.
    Take,
    /// It is passed over.
    Ignore,
    /// The target state looks at it.
    Proceed,
    /// The part of that number of an any-order group may begin with it: its first state looks at it.
    Begin(u16),
    /// It is passed over, whatever it is, if another part of the any-order group takes it.
    Yield,
}

/// When an edge is open, over the conditions of the program.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Guard {
    Always,
    When(ConditionId),
    Not(Box<Guard>),
    All(Vec<Guard>),
}

impl Guard {
    /// Both, in the simplest form.
    pub(crate) fn and(self, other: Guard) -> Guard {
        match (self, other) {
            (Guard::Always, guard) | (guard, Guard::Always) => guard,
            (Guard::All(mut left), Guard::All(right)) => {
                left.extend(right);
                Guard::All(left)
            }
            (Guard::All(mut guards), guard) => {
                guards.push(guard);
                Guard::All(guards)
            }
            (guard, other) => Guard::All(vec![guard, other]),
        }
    }

    /// The opposite.
    pub(crate) fn negated(self) -> Guard {
        match self {
            Guard::Not(guard) => *guard,
            guard => Guard::Not(Box::new(guard)),
        }
    }

    /// Whether the guard is open, given which conditions hold.
    pub(crate) fn is_open(&self, holds: &impl Fn(ConditionId) -> bool) -> bool {
        match self {
            Guard::Always => true,
            Guard::When(condition) => holds(*condition),
            Guard::Not(guard) => !guard.is_open(holds),
            Guard::All(guards) => guards.iter().all(|guard| guard.is_open(holds)),
        }
    }

    /// Calls `visit` on each condition that the guard asks for.
    pub(crate) fn conditions(&self, visit: &mut impl FnMut(ConditionId)) {
        match self {
            Guard::Always => {}
            Guard::When(condition) => visit(*condition),
            Guard::Not(guard) => guard.conditions(visit),
            Guard::All(guards) => guards.iter().for_each(|guard| guard.conditions(visit)),
        }
    }
}

/// Why a pattern has no program: it is larger than a limit.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CompileError {
    pub(crate) pattern: String,
    pub(crate) what: &'static str,
    pub(crate) limit: usize,
}

impl fmt::Display for CompileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "pattern `{}` needs more than {} {}, which is the limit", self.pattern, self.limit, self.what)
    }
}

impl std::error::Error for CompileError {}
