//! How many events of a key have come: what windows in events are measured by.

use std::num::NonZeroU32;

use ensue_model::Timestamp;
use serde::{Deserialize, Serialize};

/// The events of a key that have come since it had no runs, where windows count them.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Count {
    /// How many; that is the number of the latest.
    events: u64,
    /// The time of the latest.
    latest: Timestamp,
}

/// The end of a window that was over before the latest event came. When that was is not kept: it would take the times of
/// all events of the key.
const OVER: Timestamp = Timestamp::MIN;

impl Count {
    /// Before the first event.
    pub(crate) const NONE: Count = Count { events: 0, latest: OVER };

    /// One more event has come.
    pub(crate) fn add(&mut self, time: Timestamp) {
        *self = Count { events: self.events + 1, latest: time };
    }

    /// Before the latest event came. What was over then was so at its time, or before.
    pub(crate) fn before(&self) -> Count {
        Count { events: self.events - 1, ..*self }
    }

    /// The number of the latest event.
    pub(crate) fn number(&self) -> u64 {
        self.events
    }

    /// The same as a run keeps it of its first event: in few bits. A run that such numbers matter for is over before they
    /// come again.
    pub(crate) fn short_number(&self) -> u32 {
        self.events as u32
    }

    /// When the window that holds so many events behind that of a number is over: with the first event that comes too late.
    pub(crate) fn end_of_step(&self, since: u64, most: NonZeroU32) -> Option<Timestamp> {
        self.end(self.events - since, u64::from(most.get()))
    }

    /// When the window is over that holds so many events from that of a number on, and this one.
    pub(crate) fn end_of_whole(&self, first: u32, most: NonZeroU32) -> Option<Timestamp> {
        self.end(self.short_number().wrapping_sub(first).into(), u64::from(most.get()) - 1)
    }

    fn end(&self, behind: u64, most: u64) -> Option<Timestamp> {
        match behind.checked_sub(most) {
            None | Some(0) => None,
            Some(1) => Some(self.latest),
            Some(_) => Some(OVER),
        }
    }

    /// The time at which something comes out whose window ends then. Where a run comes to a step whose window was over before,
    /// that is the time of the event that has brought it there.
    pub(crate) fn comes_out(&self, end: Timestamp) -> Timestamp {
        if end == OVER { self.latest } else { end }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(events: i64) -> Count {
        let mut count = Count::NONE;
        (1..=events).for_each(|at| count.add(Timestamp::from_seconds(at)));
        count
    }

    fn most(events: u32) -> NonZeroU32 {
        NonZeroU32::new(events).expect("it is not 0")
    }

    #[test]
    fn a_window_over_the_whole_holds_its_first_event() {
        assert_eq!(counted(3).end_of_whole(1, most(3)), None);
        assert_eq!(counted(4).end_of_whole(1, most(3)), Some(Timestamp::from_seconds(4)));
    }

    #[test]
    fn a_window_of_a_step_does_not_hold_its_anchor() {
        assert_eq!(counted(4).end_of_step(1, most(3)), None);
        assert_eq!(counted(5).end_of_step(1, most(3)), Some(Timestamp::from_seconds(5)));
        let over = counted(6).end_of_step(1, most(3)).expect("it is over");
        assert!(over < Timestamp::from_seconds(0), "it was over before, and {over} is not before");
        assert_eq!(counted(6).comes_out(over), Timestamp::from_seconds(6));
    }

    #[test]
    fn the_numbers_of_first_events_may_begin_anew() {
        let count = Count { events: (1 << 32) + 1, latest: Timestamp::from_seconds(9) };
        assert_eq!(count.end_of_whole(u32::MAX, most(3)), None);
        assert_eq!(count.end_of_whole(u32::MAX, most(2)), Some(count.latest));
    }
}
