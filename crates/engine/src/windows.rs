//! When the windows of a pattern's runs end.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use ensue_model::Timestamp;
use ensue_nfa::Program;
use hashbrown::HashMap;

/// When the window of some runs of a key ends. The runs may be gone by then, and the place be another key's.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct WindowEnd {
    pub(crate) deadline: Timestamp,
    pub(crate) place: u32,
}

/// When windows end, the earliest first.
#[derive(Debug)]
pub(crate) enum Windows {
    /// Starts come in the order of time, and the window is the same for all.
    Queue(Queue),
    /// Steps have windows of their own: for each key the next end.
    Heap(NextEnds),
}

/// The next end of each place.
#[derive(Debug, Default)]
pub(crate) struct NextEnds {
    heap: BinaryHeap<Reverse<WindowEnd>>,
    /// The earliest end that the heap has of each place.
    noted: HashMap<u32, Timestamp>,
}

impl NextEnds {
    fn push(&mut self, end: WindowEnd) {
        let noted = self.noted.entry(end.place).or_insert(Timestamp::MAX);
        if end.deadline < *noted {
            *noted = end.deadline;
            self.heap.push(Reverse(end));
        }
    }

    fn pop(&mut self) -> Option<WindowEnd> {
        let Reverse(first) = self.heap.pop()?;
        self.noted.remove(&first.place);
        Some(first)
    }
}

impl Windows {
    pub(crate) fn new(program: &Program) -> Self {
        if program.has_step_windows() { Windows::Heap(NextEnds::default()) } else { Windows::Queue(Queue::default()) }
    }

    #[inline]
    pub(crate) fn first(&self) -> Option<WindowEnd> {
        match self {
            Windows::Queue(queue) => queue.first(),
            Windows::Heap(ends) => ends.heap.peek().map(|Reverse(first)| *first),
        }
    }

    /// Some of those that end next, if there are any; of a heap, none.
    pub(crate) fn ahead(&self) -> &[WindowEnd] {
        match self {
            Windows::Queue(queue) => queue.ahead(),
            Windows::Heap(_) => &[],
        }
    }

    #[inline]
    pub(crate) fn pop(&mut self) -> Option<WindowEnd> {
        match self {
            Windows::Queue(queue) => queue.pop(),
            Windows::Heap(ends) => ends.pop(),
        }
    }

    #[inline]
    pub(crate) fn push(&mut self, end: WindowEnd) {
        match self {
            Windows::Queue(queue) => queue.push(end),
            Windows::Heap(ends) => ends.push(end),
        }
    }
}

/// A queue in blocks, so that it grows without moving what it holds.
#[derive(Debug, Default)]
pub(crate) struct Queue {
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

    #[inline]
    fn push(&mut self, end: WindowEnd) {
        match self.behind.back_mut().unwrap_or(&mut self.first) {
            block if block.len() < BLOCK => block.push(end),
            _ => self.push_block(end),
        }
    }

    fn push_block(&mut self, end: WindowEnd) {
        let mut block = Vec::with_capacity(BLOCK);
        block.push(end);
        self.behind.push_back(block);
    }
}

impl FromIterator<WindowEnd> for Queue {
    fn from_iter<I: IntoIterator<Item = WindowEnd>>(ends: I) -> Self {
        let mut queue = Queue::default();
        ends.into_iter().for_each(|end| queue.push(end));
        queue
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_queue_gives_what_was_put_in_in_that_order() {
        let ends = (0..3 * BLOCK as u32).map(|place| WindowEnd { deadline: Timestamp::MIN, place });
        let mut queue: Queue = ends.clone().collect();
        let mut given = Vec::new();
        while let Some(first) = queue.first() {
            assert_eq!(queue.pop(), Some(first));
            given.push(first);
        }
        assert!(given.into_iter().eq(ends));
        assert_eq!(queue.pop(), None);
    }
}
