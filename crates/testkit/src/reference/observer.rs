//! What an observer of the matcher sees: each step of each run of a key, and why.
//!
//! A run is named by what it has taken: to the outside, those that took the same are one run with several ways on.

use ensue_model::pattern::{StageId, StepWindow};
use ensue_model::{Expr, Timestamp, Value};

/// What a run holds: stage and position of the event, in the order in which they were taken.
pub type Held = Vec<(StageId, usize)>;

/// Is told what happens to the runs of keys, as it happens.
pub trait Observer<'p> {
    /// The next step, of a run of that key.
    fn see(&mut self, key: &[Value<'static>], step: Step<'p>);

    /// Whether it wants to see no more. The matcher then leaves the rest of the input alone.
    fn has_enough(&self) -> bool {
        false
    }
}

/// What happens to runs.
#[derive(Clone, PartialEq, Debug)]
pub enum Step<'p> {
    /// An event has come to the key. What a window in events ends with it ends before any run looks at it.
    Came {
        /// Its position in the input.
        position: usize,
    },
    /// A run looks at the event that has come.
    Looked(Look<'p>),
    /// A run has taken the event that has come, and waits for another one.
    Waits {
        /// What it holds now.
        run: Held,
        /// What it waits for.
        waiting: Awaits,
    },
    /// The time of a run is over. It times out, unless it is a match by then.
    Closed {
        /// What it holds.
        run: Held,
        /// When its time was over.
        at: Timestamp,
    },
    /// A match drops a run by the skip strategy.
    Skipped {
        /// How far event time had come.
        at: Timestamp,
        /// What it holds.
        run: Held,
        /// What the match holds.
        by: Held,
    },
    /// A run is dropped by `keep`, since another one waits for the same.
    Displaced {
        /// What it holds.
        run: Held,
    },
    /// A run is a match.
    Matched {
        /// What it holds.
        run: Held,
        /// The event time at which it is one.
        at: Timestamp,
        /// Which of the matches it comes out as, or why it does not come out.
        output: Result<usize, KeptBack>,
    },
    /// A run times out.
    TimedOut {
        /// What it holds.
        run: Held,
        /// When its time was over.
        deadline: Timestamp,
        /// The stages that could have taken its next event.
        awaiting: Vec<StageId>,
        /// Which of the timeouts it comes out as, or why it does not come out.
        output: Result<usize, KeptBack>,
    },
}

/// Why an output does not come out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum KeptBack {
    /// `emit none`, `timeout none`.
    ByNone,
    /// The `where` of its record does not hold.
    ByCondition,
    /// It comes in the cooldown of an earlier match.
    ByCooldown,
}

/// What a run makes of an event.
#[derive(Clone, PartialEq, Debug)]
pub struct Look<'p> {
    /// What the run holds; nothing, if it is the one that has not begun.
    pub run: Held,
    /// What it asks of the event, stage by stage.
    pub asked: Vec<Asked<'p>>,
    /// The stages that take it. Each makes a run.
    pub takes: Vec<StageId>,
    /// Whether the run goes on without it.
    pub passes: bool,
    /// Whether the run is complete without it: the very next event was not what must not be next.
    pub completes: bool,
    /// Whether a negation met its event.
    pub is_stopped: bool,
}

/// Whether an event fits a stage.
#[derive(Clone, PartialEq, Debug)]
pub struct Asked<'p> {
    /// The stage.
    pub stage: StageId,
    /// Whether it is one that must not come.
    pub is_negated: bool,
    /// Why it does not fit; nothing, if it does.
    pub refusals: Vec<Refusal<'p>>,
}

/// Why an event does not fit a stage.
#[derive(Clone, PartialEq, Debug)]
pub enum Refusal<'p> {
    /// This part of the condition does not hold.
    Condition {
        /// The part.
        expr: &'p Expr,
        /// Which of the parts of its condition it is, from 0.
        part: usize,
        /// Whether it is null, and not false.
        is_null: bool,
        /// What it names, with the values.
        values: Vec<(&'p Expr, Value<'static>)>,
    },
    /// It is too late for the stage.
    TooLate {
        /// The window.
        window: StepWindow,
        /// When it was over; nothing, where it counts events.
        end: Option<Timestamp>,
    },
    /// `until` ends the loop with this event.
    Until(&'p Expr),
    /// A greedy loop before it takes the event.
    GivesWay,
    /// The pattern is not active at that time.
    Inactive,
}

/// What a run waits for.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Awaits {
    /// The stages that could take its next event, each with the time from which it is too late for it.
    pub stages: Vec<(StageId, Option<Timestamp>)>,
    /// The time at which it can take nothing more.
    pub closes: Option<Timestamp>,
    /// The time at which it is a match, if nothing comes that must not.
    pub absent: Option<Timestamp>,
}
