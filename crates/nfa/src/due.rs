//! When runs end though nothing is taken: by the window of the whole match, or by those of the steps that they wait for.

use ensue_model::Timestamp;
use ensue_model::pattern::StageId;

use crate::closing::Closing;
use crate::count::Count;
use crate::program::Program;
use crate::registers::{Registers, window_end};
use crate::subsets::Subset;

/// Runs that wait, as windows see them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Begun<'r> {
    /// The time of their first event.
    pub(crate) time: Timestamp,
    /// Its number among the events of its key, where these are counted.
    pub(crate) number: u32,
    pub(crate) registers: &'r Registers,
}

/// What time, or a key's next event, does to the runs of a group. The time of a window in events is known when it is over.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Due {
    /// When they end; none is never.
    pub(crate) end: Option<Timestamp>,
    /// When what they wait for not to come has not come, so that they are matches; at their end or before it.
    pub(crate) absence: Option<Timestamp>,
}

impl Due {
    /// For runs that wait in `subset`, of a key of which so many events have come.
    pub(crate) fn new(program: &Program, subset: &Subset, begun: Begun<'_>, count: &Count) -> Self {
        let Begun { time, number, registers } = begun;
        let in_time = program.within.map(|within| time + within);
        let in_events = program.within_events.and_then(|most| count.end_of_whole(number, most));
        let end = earliest([in_time, in_events, subset.closing.time(registers, count)]);
        if !subset.is_absence || subset.position.matched {
            return Due { end, absence: None };
        }
        let own = earliest(subset.absence_windows.iter().map(|window| window_end(registers, window, count)));
        Due { end, absence: earliest([end, own]) }
    }

    /// The next time at which something happens.
    pub(crate) fn next(&self) -> Option<Timestamp> {
        earliest([self.end, self.absence])
    }
}

/// How far a key has come when runs are closed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reached {
    pub(crate) now: Timestamp,
    pub(crate) count: Count,
    pub(crate) cause: Cause,
}

/// Why runs are closed at a time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Cause {
    /// Time has come there. What comes at that time comes later.
    Time,
    /// An event of that time has been counted, and has not been looked at yet. What ends by time has ended.
    Event,
}

/// The stages that runs were waiting for when they ended: those whose windows were open until then.
pub(crate) fn awaiting(subset: &Subset, registers: &Registers, end: Timestamp, reached: &Reached) -> Vec<StageId> {
    let Reached { count, cause, .. } = reached;
    let is_open = |closing: &Closing| match cause {
        Cause::Time => closing.time(registers, count).is_none_or(|closes| closes >= end),
        Cause::Event => closing.time(registers, &count.before()).is_none_or(|closes| closes > end),
    };
    let takers = subset.takers.iter().filter(|(_, closing)| is_open(closing));
    let mut found: Vec<StageId> = takers.map(|(stage, _)| *stage).collect();
    found.sort();
    found.dedup();
    found
}

fn earliest(times: impl IntoIterator<Item = Option<Timestamp>>) -> Option<Timestamp> {
    times.into_iter().flatten().min()
}
