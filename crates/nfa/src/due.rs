//! When runs end because time passes: by the window of the whole match, or by those of the steps that they wait for.

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
        let end = earliest([whole, last_way(subset, registers)]);
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

/// When the last of the ways on closes; none if one stays open.
fn last_way(subset: &Subset, registers: &Registers) -> Option<Timestamp> {
    let mut last = None;
    for way in subset.ways.as_deref()? {
        last = last.max(Some(earliest(way.iter().map(|window| window_end(registers, window)))?));
    }
    last
}

fn earliest(times: impl IntoIterator<Item = Option<Timestamp>>) -> Option<Timestamp> {
    times.into_iter().flatten().min()
}
