//! When runs end because time passes: by the window of the whole match, or by those of the steps that they wait for.

use ensue_model::pattern::StageId;
use ensue_model::{Span, Timestamp};

use crate::registers::{Registers, window_end};
use crate::subsets::Subset;

/// What time does to the runs of a group.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Due {
    /// When they end; none is never.
    pub(crate) end: Option<Timestamp>,
    /// When what they wait for not to come has not come, so that they are matches; at their end or before it.
    pub(crate) absence: Option<Timestamp>,
}

impl Due {
    /// For runs that started at `start` and wait in `subset`.
    pub(crate) fn new(subset: &Subset, within: Option<Span>, start: Timestamp, registers: &Registers) -> Self {
        let whole = within.map(|within| start + within);
        let end = earliest([whole, subset.closing.time(registers)]);
        if !subset.is_absence || subset.position.matched {
            return Due { end, absence: None };
        }
        let own = earliest(subset.absence_windows.iter().map(|window| window_end(registers, window)));
        Due { end, absence: earliest([end, own]) }
    }

    /// The next time at which something happens.
    pub(crate) fn next(&self) -> Option<Timestamp> {
        earliest([self.end, self.absence])
    }
}

/// The stages that runs were waiting for when they ended: those whose windows were open until then.
pub(crate) fn awaiting(subset: &Subset, registers: &Registers, end: Timestamp) -> Vec<StageId> {
    let takers = subset.takers.iter().filter(|(_, closing)| closing.time(registers).is_none_or(|closes| closes >= end));
    let mut found: Vec<StageId> = takers.map(|(stage, _)| *stage).collect();
    found.sort();
    found.dedup();
    found
}

fn earliest(times: impl IntoIterator<Item = Option<Timestamp>>) -> Option<Timestamp> {
    times.into_iter().flatten().min()
}
