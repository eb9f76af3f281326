//! W5: orders that are created and stay open.

use crate::orders::{FIRST_SECOND, Order, order_id};

/// The events of W5: 20,000 creates a second, each of another order. With a window of 15 minutes, 18 million of them are
/// open at a time.
#[derive(Debug)]
pub struct Creates {
    next: u64,
}

/// How many orders are created each second.
pub const CREATES_PER_SECOND: u64 = 20_000;

impl Creates {
    /// The stream of a seed, which decides the first order; it has no end.
    pub fn new(seed: u64) -> Self {
        Creates { next: (seed % 900) * CREATES_PER_SECOND }
    }
}

impl Iterator for Creates {
    type Item = Order;

    fn next(&mut self) -> Option<Order> {
        let nth = self.next;
        self.next += 1;
        let seconds = FIRST_SECOND + (nth / CREATES_PER_SECOND) as i64;
        Some(Order { seconds, order_id: order_id(nth), payment: None })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_order_is_created_twice_and_all_are_open_at_once() {
        let orders: Vec<Order> = Creates::new(1).take(2_000_000).collect();
        let mut ids: Vec<u32> = orders.iter().map(|order| order.order_id).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), orders.len());
        assert!(orders.is_sorted_by_key(|order| order.seconds));
        // So do ten million.
        assert!(5 * (orders[orders.len() - 1].seconds - orders[0].seconds) < 900);
    }
}
