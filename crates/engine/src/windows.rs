//! When the windows of a shard's runs end.

use std::cmp::Reverse;
use std::collections::binary_heap::PeekMut;
use std::collections::{BinaryHeap, VecDeque};

use ensue_model::{Span, Timestamp};
use hashbrown::HashMap;

/// When the window of some runs of a key ends. The runs may be gone by then, and the place be another key's.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct WindowEnd {
    pub(crate) deadline: Timestamp,
    pub(crate) lane: u32,
    pub(crate) place: u32,
}

/// How the ends of a lane's windows come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum EndsOf {
    /// They do not.
    Never,
    /// In the order of the starts, so long behind them.
    Starts(Span),
    /// As the steps say, that have windows of their own: in any order.
    Steps,
}

/// When the windows of a shard's runs end. A run may have ended earlier, and its key may be another by then: closing what is
/// not due does nothing.
#[derive(Debug)]
pub(crate) struct Windows {
    queues: Vec<Ends>,
    /// For each lane, its queue, if its windows end.
    of_lane: Vec<Option<usize>>,
    /// For each queue, the end of it that is in `next`, if it has any and they are closed in turn.
    noted: Vec<Option<Timestamp>>,
    /// The first end of each queue; and some that were the first until an earlier one came, which are passed over.
    next: BinaryHeap<Reverse<(Timestamp, usize)>>,
}

/// The ends of some lanes.
#[derive(Debug)]
enum Ends {
    /// Of lanes with windows of the same length. A thousand rules that all hold for a minute have but one queue.
    Queue { within: Span, queue: Queue, is_in_turn: bool },
    /// Of one lane, for each place the next end.
    Heap { ends: NextEnds, is_in_turn: bool },
}

impl Windows {
    /// For lanes whose ends come so; and whether they are closed in turn, or only when they are asked for.
    pub(crate) fn new(lanes: impl Iterator<Item = (EndsOf, bool)>) -> Self {
        let mut windows =
            Windows { queues: Vec::new(), of_lane: Vec::new(), noted: Vec::new(), next: BinaryHeap::new() };
        for (ends, is_in_turn) in lanes {
            let queue = match ends {
                EndsOf::Never => None,
                EndsOf::Starts(within) => Some(windows.queue_of(within, is_in_turn)),
                EndsOf::Steps => Some(windows.add(Ends::Heap { ends: NextEnds::default(), is_in_turn })),
            };
            windows.of_lane.push(queue);
        }
        windows
    }

    /// The queue of windows of that length. Lanes that are asked one by one have their own.
    fn queue_of(&mut self, length: Span, in_turn: bool) -> usize {
        let is_it = |ends: &Ends| matches!(ends, Ends::Queue { within, is_in_turn: true, .. } if *within == length);
        match self.queues.iter().position(is_it).filter(|_| in_turn) {
            Some(queue) => queue,
            None => self.add(Ends::Queue { within: length, queue: Queue::default(), is_in_turn: in_turn }),
        }
    }

    fn add(&mut self, ends: Ends) -> usize {
        self.queues.push(ends);
        self.noted.push(None);
        self.queues.len() - 1
    }

    /// Takes note of an end.
    #[inline]
    pub(crate) fn push(&mut self, end: WindowEnd) {
        let Some(queue) = self.of_lane[end.lane as usize] else { return };
        let is_first = match &mut self.queues[queue] {
            Ends::Queue { queue, is_in_turn, .. } => queue.push(end) && *is_in_turn,
            Ends::Heap { ends, is_in_turn } => ends.push(end) && *is_in_turn,
        };
        if is_first {
            self.noted[queue] = Some(end.deadline);
            self.next.push(Reverse((end.deadline, queue)));
        }
    }

    /// Whether one of those that are closed in turn ends up to then.
    #[inline]
    pub(crate) fn is_due(&self, through: Timestamp) -> bool {
        self.next.peek().is_some_and(|Reverse((first, _))| *first <= through)
    }

    /// Takes the first of those that are closed in turn, if it ends up to then.
    #[inline]
    pub(crate) fn pop(&mut self, through: Timestamp) -> Option<WindowEnd> {
        loop {
            let mut next = self.next.peek_mut()?;
            let Reverse((deadline, queue)) = *next;
            if deadline > through {
                return None;
            }
            if self.noted[queue] != Some(deadline) {
                PeekMut::pop(next);
                continue;
            }
            let ends = &mut self.queues[queue];
            let popped = ends.pop();
            let first = ends.first().map(|first| first.deadline);
            match first {
                Some(same) if same == deadline => {}
                Some(later) => *next = Reverse((later, queue)),
                None => drop(PeekMut::pop(next)),
            }
            self.noted[queue] = first;
            return popped;
        }
    }

    /// Some of those that end next, if there are any that were noted in the order of their ends.
    pub(crate) fn ahead(&self) -> &[WindowEnd] {
        match self.next.peek().map(|Reverse((_, queue))| &self.queues[*queue]) {
            Some(Ends::Queue { queue, .. }) => queue.ahead(),
            Some(Ends::Heap { .. }) | None => &[],
        }
    }

    /// Takes the first of a lane that is not closed in turn, if it ends up to then.
    pub(crate) fn pop_of(&mut self, lane: usize, through: Timestamp) -> Option<WindowEnd> {
        let ends = &mut self.queues[self.of_lane[lane]?];
        let is_due = ends.first().is_some_and(|first| first.deadline <= through);
        if is_due { ends.pop() } else { None }
    }
}

impl Ends {
    #[inline]
    fn first(&self) -> Option<WindowEnd> {
        match self {
            Ends::Queue { queue, .. } => queue.first(),
            Ends::Heap { ends, .. } => ends.first(),
        }
    }

    #[inline]
    fn pop(&mut self) -> Option<WindowEnd> {
        match self {
            Ends::Queue { queue, .. } => queue.pop(),
            Ends::Heap { ends, .. } => ends.pop(),
        }
    }
}

/// The next end of each place.
#[derive(Debug, Default)]
struct NextEnds {
    heap: BinaryHeap<Reverse<WindowEnd>>,
    /// The earliest end that the heap has of each place.
    noted: HashMap<u32, Timestamp>,
}

impl NextEnds {
    fn first(&self) -> Option<WindowEnd> {
        self.heap.peek().map(|Reverse(first)| *first)
    }

    /// Gives whether it is the first.
    fn push(&mut self, end: WindowEnd) -> bool {
        let noted = self.noted.entry(end.place).or_insert(Timestamp::MAX);
        if end.deadline >= *noted {
            return false;
        }
        *noted = end.deadline;
        self.heap.push(Reverse(end));
        self.first() == Some(end)
    }

    fn pop(&mut self) -> Option<WindowEnd> {
        let Reverse(first) = self.heap.pop()?;
        self.noted.remove(&first.place);
        Some(first)
    }
}

/// A queue in blocks, so that it grows without moving what it holds.
#[derive(Debug, Default)]
struct Queue {
    /// The first that has not been given out, and those behind it in its block.
    first: Vec<WindowEnd>,
    given: usize,
    /// None is empty.
    behind: VecDeque<Vec<WindowEnd>>,
}

const BLOCK: usize = 4_096;

impl Queue {
    #[inline]
    fn first(&self) -> Option<WindowEnd> {
        self.first.get(self.given).copied()
    }

    fn ahead(&self) -> &[WindowEnd] {
        &self.first[self.given..]
    }

    #[inline]
    fn pop(&mut self) -> Option<WindowEnd> {
        let first = self.first()?;
        self.given += 1;
        if self.given == self.first.len() {
            self.turn();
        }
        Some(first)
    }

    /// Goes on with the next block. The last one stays, for what comes next.
    fn turn(&mut self) {
        self.given = 0;
        match self.behind.pop_front() {
            Some(next) => self.first = next,
            None => self.first.clear(),
        }
    }

    /// Gives whether it is the first.
    #[inline]
    fn push(&mut self, end: WindowEnd) -> bool {
        let is_first = self.first.is_empty();
        match self.behind.back_mut().unwrap_or(&mut self.first) {
            block if block.len() < BLOCK => block.push(end),
            _ => self.push_block(end),
        }
        is_first
    }

    fn push_block(&mut self, end: WindowEnd) {
        let mut block = Vec::with_capacity(BLOCK);
        block.push(end);
        self.behind.push_back(block);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn end(deadline: i64, lane: u32, place: u32) -> WindowEnd {
        WindowEnd { deadline: Timestamp::from_micros(deadline), lane, place }
    }

    fn popped(windows: &mut Windows, through: i64) -> Vec<WindowEnd> {
        std::iter::from_fn(|| windows.pop(Timestamp::from_micros(through))).collect()
    }

    #[test]
    fn a_queue_gives_what_was_put_in_in_that_order() {
        let ends = (0..3 * BLOCK as u32).map(|place| end(0, 0, place));
        let mut queue = Queue::default();
        assert_eq!(ends.clone().filter(|end| queue.push(*end)).count(), 1);
        let mut given = Vec::new();
        while let Some(first) = queue.first() {
            assert_eq!(queue.pop(), Some(first));
            given.push(first);
        }
        assert!(given.into_iter().eq(ends));
        assert_eq!(queue.pop(), None);
        assert!(queue.push(end(1, 0, 0)));
    }

    #[test]
    fn ends_come_in_their_order_whatever_queue_they_are_in() {
        let lanes =
            [EndsOf::Starts(Span::from_micros(3)), EndsOf::Never, EndsOf::Steps, EndsOf::Starts(Span::from_micros(3))];
        let mut windows = Windows::new(lanes.into_iter().map(|ends| (ends, true)));
        let put = [end(3, 0, 0), end(7, 2, 0), end(5, 3, 1), end(2, 2, 5), end(5, 1, 9), end(9, 0, 2)];
        put.into_iter().for_each(|end| windows.push(end));
        assert!(!windows.is_due(Timestamp::from_micros(1)));
        assert_eq!(popped(&mut windows, 5), [end(2, 2, 5), end(3, 0, 0), end(5, 3, 1)]);
        windows.push(end(6, 2, 0));
        assert_eq!(popped(&mut windows, 9), [end(6, 2, 0), end(7, 2, 0), end(9, 0, 2)]);
        windows.push(end(10, 3, 2));
        assert_eq!(popped(&mut windows, 20), [end(10, 3, 2)]);
    }

    #[test]
    fn what_is_closed_by_key_is_given_only_when_it_is_asked_for() {
        let lanes = [(EndsOf::Starts(Span::from_micros(3)), true), (EndsOf::Starts(Span::from_micros(3)), false)];
        let mut windows = Windows::new(lanes.into_iter());
        windows.push(end(3, 1, 0));
        windows.push(end(4, 0, 0));
        assert_eq!(popped(&mut windows, 9), [end(4, 0, 0)]);
        assert_eq!(windows.pop_of(1, Timestamp::from_micros(2)), None);
        assert_eq!(windows.pop_of(1, Timestamp::from_micros(3)), Some(end(3, 1, 0)));
        assert_eq!(windows.pop_of(1, Timestamp::MAX), None);
    }
}
