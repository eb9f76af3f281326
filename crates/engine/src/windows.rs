//! When the windows of a shard's runs end.

use std::cmp::Reverse;
use std::collections::binary_heap::PeekMut;
use std::collections::{BinaryHeap, VecDeque};

use ensue_model::{Span, Timestamp};
use hashbrown::HashMap;

/// When the windows of some runs of a key end. The runs may be gone by then, and the place be another key's.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct WindowEnd {
    pub(crate) deadline: Timestamp,
    /// The place of the key.
    pub(crate) place: u32,
    pub(crate) of: Of,
}

/// Whose windows end.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Of {
    /// Those of this length in all lanes of a class that are closed in turn.
    Class(usize, Span),
    /// Those of one lane.
    Lane(usize),
}

/// What ends next: windows of one length, in one class.
pub(crate) struct Ahead<'q> {
    pub(crate) class: usize,
    pub(crate) within: Span,
    /// When the last of them ends.
    pub(crate) last: Timestamp,
    /// The places of their keys.
    pub(crate) places: &'q [u32],
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
struct Ends {
    of: Of,
    /// Whether they are closed in turn, or only when they are asked for.
    is_in_turn: bool,
    order: Order,
}

/// The ends by their order.
#[derive(Debug)]
enum Order {
    /// In which they are noted.
    AsNoted(Queue),
    /// Any; for each place the next end.
    Any(NextEnds),
}

impl Windows {
    /// For lanes of these classes whose ends come so; and whether they are closed in turn, or only when they are asked for.
    pub(crate) fn new(lanes: impl Iterator<Item = (usize, EndsOf, bool)>) -> Self {
        let mut windows =
            Windows { queues: Vec::new(), of_lane: Vec::new(), noted: Vec::new(), next: BinaryHeap::new() };
        for (lane, (class, ends, is_in_turn)) in lanes.enumerate() {
            let (of, order) = match ends {
                EndsOf::Never => {
                    windows.of_lane.push(None);
                    continue;
                }
                EndsOf::Starts(within) if is_in_turn => (Of::Class(class, within), Order::AsNoted(Queue::default())),
                EndsOf::Starts(_) => (Of::Lane(lane), Order::AsNoted(Queue::default())),
                EndsOf::Steps => (Of::Lane(lane), Order::Any(NextEnds::default())),
            };
            let queue = windows.queue(Ends { of, is_in_turn, order });
            windows.of_lane.push(Some(queue));
        }
        windows
    }

    /// The place of the queue of the same ends, which is put in if it is not there. A thousand rules with one key that all hold for
    /// a minute have but one.
    fn queue(&mut self, ends: Ends) -> usize {
        self.queues.iter().position(|queue| queue.of == ends.of).unwrap_or_else(|| {
            self.queues.push(ends);
            self.noted.push(None);
            self.queues.len() - 1
        })
    }

    /// Takes note that windows of a lane end then, of the key at a place.
    #[inline]
    pub(crate) fn push(&mut self, lane: u32, deadline: Timestamp, place: u32) {
        let Some(queue) = self.of_lane[lane as usize] else { return };
        let Ends { is_in_turn, order, .. } = &mut self.queues[queue];
        if order.push(deadline, place) && *is_in_turn {
            self.noted[queue] = Some(deadline);
            self.next.push(Reverse((deadline, queue)));
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
            let Ends { of, order, .. } = &mut self.queues[queue];
            let popped = order.pop();
            let first = order.first();
            match first {
                Some(same) if same == deadline => {}
                Some(later) => *next = Reverse((later, queue)),
                None => drop(PeekMut::pop(next)),
            }
            self.noted[queue] = first;
            return popped.map(|(deadline, place)| WindowEnd { deadline, place, of: *of });
        }
    }

    /// Some of the places whose windows end next in a class, if they were noted in the order of their ends.
    pub(crate) fn ahead(&self) -> Option<Ahead<'_>> {
        let Reverse((_, queue)) = self.next.peek()?;
        match &self.queues[*queue] {
            Ends { of: Of::Class(class, within), order: Order::AsNoted(queue), .. } => {
                let (last, _) = queue.first.instants.last()?;
                Some(Ahead { class: *class, within: *within, last: *last, places: &queue.first.places[queue.given..] })
            }
            _ => None,
        }
    }

    /// A time by which some windows will have ended, and not all, if many are to end; else the end of time. Where a lane is closed
    /// whenever time moves, it must not move in more steps than it is told to.
    pub(crate) fn some_end(&self) -> Timestamp {
        if self.queues.iter().any(|ends| !ends.is_in_turn) {
            return Timestamp::MAX;
        }
        let some = |ends: &Ends| match &ends.order {
            Order::AsNoted(queue) => queue.some_end(),
            Order::Any(_) => None,
        };
        self.queues.iter().filter_map(some).min().unwrap_or(Timestamp::MAX)
    }

    /// Takes the first of a lane that is not closed in turn, if it ends up to then: the place of its key.
    pub(crate) fn pop_of(&mut self, lane: usize, through: Timestamp) -> Option<u32> {
        let Ends { order, .. } = &mut self.queues[self.of_lane[lane]?];
        order.first().filter(|first| *first <= through)?;
        order.pop().map(|(_, place)| place)
    }
}

impl Order {
    #[inline]
    fn first(&self) -> Option<Timestamp> {
        match self {
            Order::AsNoted(queue) => queue.first(),
            Order::Any(ends) => ends.first().map(|(deadline, _)| deadline),
        }
    }

    #[inline]
    fn pop(&mut self) -> Option<(Timestamp, u32)> {
        match self {
            Order::AsNoted(queue) => queue.pop(),
            Order::Any(ends) => ends.pop(),
        }
    }

    /// Gives whether it is the first.
    #[inline]
    fn push(&mut self, deadline: Timestamp, place: u32) -> bool {
        match self {
            Order::AsNoted(queue) => queue.push(deadline, place),
            Order::Any(ends) => ends.push(deadline, place),
        }
    }
}

/// The next end of each place.
#[derive(Debug, Default)]
struct NextEnds {
    heap: BinaryHeap<Reverse<(Timestamp, u32)>>,
    /// The earliest end that the heap has of each place.
    noted: HashMap<u32, Timestamp>,
}

impl NextEnds {
    fn first(&self) -> Option<(Timestamp, u32)> {
        self.heap.peek().map(|Reverse(first)| *first)
    }

    /// Gives whether it is the first.
    fn push(&mut self, deadline: Timestamp, place: u32) -> bool {
        let noted = self.noted.entry(place).or_insert(Timestamp::MAX);
        if deadline >= *noted {
            return false;
        }
        *noted = deadline;
        self.heap.push(Reverse((deadline, place)));
        self.first() == Some((deadline, place))
    }

    fn pop(&mut self) -> Option<(Timestamp, u32)> {
        let Reverse(first) = self.heap.pop()?;
        self.noted.remove(&first.1);
        Some(first)
    }
}

/// A queue in blocks, so that it grows without moving what it holds.
#[derive(Debug, Default)]
struct Queue {
    /// The first that has not been given out is in it.
    first: Block,
    /// How many places of the first block were given out.
    given: usize,
    /// The instant of the next place.
    instant: usize,
    /// None is empty.
    behind: VecDeque<Block>,
}

/// Places by the instants at which their windows end: many keys have the same.
#[derive(Debug, Default)]
struct Block {
    /// Each with how many places there are up to its last one.
    instants: Vec<(Timestamp, u32)>,
    places: Vec<u32>,
}

const BLOCK: usize = 4_096;

impl Queue {
    #[inline]
    fn first(&self) -> Option<Timestamp> {
        self.first.instants.get(self.instant).map(|(deadline, _)| *deadline)
    }

    #[inline]
    fn pop(&mut self) -> Option<(Timestamp, u32)> {
        let (deadline, through) = *self.first.instants.get(self.instant)?;
        let place = self.first.places[self.given];
        self.given += 1;
        if self.given == through as usize {
            self.instant += 1;
            if self.given == self.first.places.len() {
                self.turn();
            }
        }
        Some((deadline, place))
    }

    /// When the last of the first block ends, if others are behind it.
    fn some_end(&self) -> Option<Timestamp> {
        let (last, _) = self.first.instants.last().filter(|_| !self.behind.is_empty())?;
        Some(*last)
    }

    /// Goes on with the next block. The last one stays, for what comes next.
    fn turn(&mut self) {
        (self.given, self.instant) = (0, 0);
        match self.behind.pop_front() {
            Some(next) => self.first = next,
            None => self.first.clear(),
        }
    }

    /// Gives whether it is the first. One place is noted for an instant once, whatever the number of lanes whose windows end there.
    #[inline]
    fn push(&mut self, deadline: Timestamp, place: u32) -> bool {
        let is_first = self.first.places.is_empty();
        let last = self.behind.back_mut().unwrap_or(&mut self.first);
        if last.places.len() == BLOCK {
            self.behind.push_back(Block::with(deadline, place));
        } else {
            last.push(deadline, place);
        }
        is_first
    }
}

impl Block {
    fn with(deadline: Timestamp, place: u32) -> Self {
        let mut block = Block { instants: Vec::new(), places: Vec::with_capacity(BLOCK) };
        block.push(deadline, place);
        block
    }

    #[inline]
    fn push(&mut self, deadline: Timestamp, place: u32) {
        let through = self.places.len() as u32 + 1;
        match self.instants.last_mut() {
            Some((instant, _)) if *instant == deadline && self.places.last() == Some(&place) => return,
            Some((instant, last)) if *instant == deadline => *last = through,
            _ => self.instants.push((deadline, through)),
        }
        self.places.push(place);
    }

    fn clear(&mut self) {
        self.instants.clear();
        self.places.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPAN: Span = Span::from_micros(3);

    fn at(micros: i64) -> Timestamp {
        Timestamp::from_micros(micros)
    }

    fn popped(windows: &mut Windows, through: i64) -> Vec<(i64, u32, Of)> {
        let popped = std::iter::from_fn(|| windows.pop(at(through)));
        popped.map(|WindowEnd { deadline, place, of }| (deadline.as_micros(), place, of)).collect()
    }

    #[test]
    fn a_queue_gives_what_was_put_in_in_that_order() {
        let ends: Vec<_> = (0..3 * BLOCK as u32).map(|place| (at(i64::from(place / 7)), place)).collect();
        let mut queue = Queue::default();
        assert_eq!(ends.iter().filter(|(deadline, place)| queue.push(*deadline, *place)).count(), 1);
        let mut given = Vec::new();
        while let Some(first) = queue.first() {
            given.extend(queue.pop());
            assert_eq!(given.last().map(|(deadline, _)| *deadline), Some(first));
        }
        assert_eq!(given, ends);
        assert_eq!(queue.pop(), None);
        assert!(queue.push(at(1), 0));
    }

    #[test]
    fn a_place_is_noted_once_for_an_instant() {
        let mut queue = Queue::default();
        let put = [(1, 5), (1, 5), (1, 6), (1, 5), (2, 5)].map(|(deadline, place)| (at(deadline), place));
        for (deadline, place) in put {
            queue.push(deadline, place);
        }
        let given: Vec<_> = std::iter::from_fn(|| queue.pop()).collect();
        assert_eq!(given, [put[0], put[2], put[3], put[4]]);
    }

    #[test]
    fn ends_come_in_their_order_whatever_queue_they_are_in() {
        let lanes = [(0, EndsOf::Starts(SPAN)), (0, EndsOf::Never), (1, EndsOf::Steps), (0, EndsOf::Starts(SPAN))];
        let mut windows = Windows::new(lanes.into_iter().map(|(class, ends)| (class, ends, true)));
        let put = [(3, 0, 0), (7, 2, 0), (5, 3, 1), (2, 2, 5), (5, 1, 9), (9, 0, 2)];
        put.into_iter().for_each(|(deadline, lane, place)| windows.push(lane, at(deadline), place));
        let of = Of::Class(0, SPAN);
        assert!(!windows.is_due(at(1)));
        assert_eq!(popped(&mut windows, 5), [(2, 5, Of::Lane(2)), (3, 0, of), (5, 1, of)]);
        windows.push(2, at(6), 0);
        assert_eq!(popped(&mut windows, 9), [(6, 0, Of::Lane(2)), (7, 0, Of::Lane(2)), (9, 2, of)]);
        windows.push(3, at(10), 2);
        assert_eq!(popped(&mut windows, 20), [(10, 2, of)]);
    }

    #[test]
    fn the_ends_of_many_windows_come_in_pieces() {
        let ends = |is_in_turn| {
            let mut windows = Windows::new([(0, EndsOf::Starts(SPAN), is_in_turn)].into_iter());
            (0..3 * BLOCK as u32).for_each(|place| windows.push(0, at(i64::from(place)), place));
            windows
        };
        let mut windows = ends(true);
        let mut pieces = Vec::new();
        while pieces.last() != Some(&i64::MAX) {
            let end = windows.some_end().as_micros();
            pieces.push(end);
            popped(&mut windows, end);
        }
        let block = BLOCK as i64;
        assert_eq!(pieces, [block - 1, 2 * block - 1, i64::MAX]);
        assert_eq!(ends(false).some_end(), Timestamp::MAX);
    }

    #[test]
    fn what_is_closed_by_key_is_given_only_when_it_is_asked_for() {
        let lanes = [(0, EndsOf::Starts(SPAN), true), (0, EndsOf::Starts(SPAN), false)];
        let mut windows = Windows::new(lanes.into_iter());
        windows.push(1, at(3), 0);
        windows.push(0, at(4), 0);
        assert_eq!(popped(&mut windows, 9), [(4, 0, Of::Class(0, SPAN))]);
        assert_eq!(windows.pop_of(1, at(2)), None);
        assert_eq!(windows.pop_of(1, at(3)), Some(0));
        assert_eq!(windows.pop_of(1, Timestamp::MAX), None);
    }
}
