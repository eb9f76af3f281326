//! The queue in which runs wait: first events first, and what "first" means where those are equal.
//!
//! With a skip strategy it matters which of two runs with the same first event is complete first: it makes the other one
//! void. Nothing in the pattern says which, so it is said here, once and for all, and as Apache Flink has it, whose
//! patterns must keep their meaning: runs lie in a binary heap, and are gone through in the order of its array. Of equal
//! ones that came in a row the first comes out first, then the last, the last but one, and so on.

/// A binary heap by a key, with the lowest on top. That of the standard library does not say which of several equal
/// elements comes first.
#[derive(Debug)]
pub(super) struct Queue<T, K> {
    items: Vec<T>,
    key: fn(&T) -> K,
}

impl<T, K: Ord> Queue<T, K> {
    pub(super) fn new(key: fn(&T) -> K) -> Self {
        Queue { items: Vec::new(), key }
    }

    /// The items in the order in which they are gone through.
    pub(super) fn items(&self) -> &[T] {
        &self.items
    }

    /// The first item.
    pub(super) fn first(&self) -> Option<&T> {
        self.items.first()
    }

    pub(super) fn push(&mut self, item: T) {
        self.items.push(item);
        let mut child = self.items.len() - 1;
        while child > 0 && self.is_before(child, (child - 1) / 2) {
            self.items.swap(child, (child - 1) / 2);
            child = (child - 1) / 2;
        }
    }

    /// Takes the first item out; the last one of the array takes its place and sinks.
    pub(super) fn pop(&mut self) -> Option<T> {
        if self.items.is_empty() {
            return None;
        }
        let item = self.items.swap_remove(0);
        self.sink(0);
        Some(item)
    }

    /// Drops the items that do not stay, and puts the others in order anew.
    pub(super) fn retain(&mut self, stays: impl FnMut(&T) -> bool) {
        let before = self.items.len();
        self.items.retain(stays);
        if self.items.len() < before {
            (0..self.items.len() / 2).rev().for_each(|index| self.sink(index));
        }
    }

    fn sink(&mut self, index: usize) {
        let mut parent = index;
        while 2 * parent + 1 < self.items.len() {
            let left = 2 * parent + 1;
            let right = left + 1;
            let child = if right < self.items.len() && self.is_before(right, left) { right } else { left };
            if !self.is_before(child, parent) {
                return;
            }
            self.items.swap(child, parent);
            parent = child;
        }
    }

    fn is_before(&self, a: usize, b: usize) -> bool {
        (self.key)(&self.items[a]) < (self.key)(&self.items[b])
    }
}

impl<T, K: Ord> Extend<T> for Queue<T, K> {
    fn extend<I: IntoIterator<Item = T>>(&mut self, items: I) {
        items.into_iter().for_each(|item| self.push(item));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn polled(items: &[(i32, char)]) -> String {
        let mut queue = Queue::new(|item: &(i32, char)| item.0);
        queue.extend(items.iter().copied());
        std::iter::from_fn(|| queue.pop()).map(|(_, name)| name).collect()
    }

    #[test]
    fn the_lowest_comes_first() {
        assert_eq!(polled(&[(3, 'c'), (1, 'a'), (4, 'd'), (2, 'b')]), "abcd");
    }

    #[test]
    fn of_equal_ones_the_first_comes_first_and_then_the_last() {
        assert_eq!(polled(&[(1, 'a'), (1, 'b'), (1, 'c'), (1, 'd')]), "adcb");
    }

    #[test]
    fn dropping_keeps_the_order_of_the_rest_by_key() {
        let mut queue = Queue::new(|item: &i32| *item);
        queue.extend([5, 3, 4, 1, 2]);
        queue.retain(|item| item % 2 == 1);
        assert_eq!(std::iter::from_fn(|| queue.pop()).collect::<Vec<_>>(), [1, 3, 5]);
    }
}
