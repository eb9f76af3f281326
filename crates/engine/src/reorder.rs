//! Holds events until the watermark says that none before them will come.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use ensue_model::Timestamp;

/// Events in the order of their times; those with equal times in the order of their positions.
///
/// Most streams are nearly in order: what comes in order is a queue, and only the rest a heap.
#[derive(Debug)]
pub(crate) struct Reorder<T> {
    in_order: VecDeque<Held<T>>,
    out_of_order: BinaryHeap<Reverse<Held<T>>>,
}

#[derive(Debug)]
struct Held<T> {
    time: Timestamp,
    position: u64,
    item: T,
}

impl<T> Reorder<T> {
    pub(crate) fn new() -> Self {
        Reorder { in_order: VecDeque::new(), out_of_order: BinaryHeap::new() }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.in_order.is_empty() && self.out_of_order.is_empty()
    }

    pub(crate) fn push(&mut self, time: Timestamp, position: u64, item: T) {
        let held = Held { time, position, item };
        if self.in_order.back().is_none_or(|last| *last < held) {
            self.in_order.push_back(held);
        } else {
            self.out_of_order.push(Reverse(held));
        }
    }

    /// The earliest one, if its time is not after `through`.
    pub(crate) fn pop(&mut self, through: Timestamp) -> Option<T> {
        let is_queue_next = match (self.in_order.front(), self.out_of_order.peek()) {
            (Some(queued), Some(Reverse(heaped))) => queued < heaped,
            (queued, _) => queued.is_some(),
        };
        let next = if is_queue_next {
            self.in_order.pop_front_if(|held| held.time <= through)
        } else if self.out_of_order.peek().is_some_and(|Reverse(held)| held.time <= through) {
            self.out_of_order.pop().map(|Reverse(held)| held)
        } else {
            None
        };
        next.map(|held| held.item)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.in_order.iter().chain(self.out_of_order.iter().map(|Reverse(held)| held)).map(|held| &held.item)
    }
}

impl<T> PartialEq for Held<T> {
    fn eq(&self, other: &Self) -> bool {
        (self.time, self.position) == (other.time, other.position)
    }
}

impl<T> Eq for Held<T> {}

impl<T> PartialOrd for Held<T> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> Ord for Held<T> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.time, self.position).cmp(&(other.time, other.position))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_leave_in_the_order_of_time_and_then_of_arrival() {
        let mut reorder = Reorder::new();
        for (position, time) in [5, 3, 5, 9, 3, 1].into_iter().enumerate() {
            reorder.push(Timestamp::from_millis(time), position as u64, (time, position));
        }
        let through = Timestamp::from_millis(5);
        let left: Vec<_> = std::iter::from_fn(|| reorder.pop(through)).collect();
        assert_eq!(left, [(1, 5), (3, 1), (3, 4), (5, 0), (5, 2)]);
        assert_eq!(reorder.iter().collect::<Vec<_>>(), [&(9, 3)]);
    }
}
