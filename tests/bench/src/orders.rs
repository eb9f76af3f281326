//! W1: orders that are created and, most of them, paid.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use rand::{Rng, RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

use crate::line::{self, Line};

/// An order is paid within 15 minutes.
pub const PATTERN: &str = include_str!("../../../patterns/order_payment.pattern");

/// An event of an order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Order {
    /// The event time in seconds since 1970.
    pub seconds: i64,
    /// The order: eight digits, scattered; more digits when those are used up.
    pub order_id: u32,
    /// The payment, for a `pay`; none for a `create`.
    pub payment: Option<u32>,
}

impl Line for Order {
    /// `order_id,type,tx_id,seconds`
    fn write(&self, out: &mut Vec<u8>) {
        line::number(self.order_id, out);
        match self.payment {
            None => out.extend_from_slice(b",create,,"),
            Some(payment) => {
                out.extend_from_slice(b",pay,");
                line::hexadecimal(payment, out);
                out.push(b',');
            }
        }
        line::number(self.seconds, out);
        out.push(b'\n');
    }
}

/// The number of the order that is created as the `nth`. No number comes twice among the first four thousand million: an odd
/// factor that 90 million has no divisor with deals those of eight digits out, and then as many higher ones.
pub(crate) fn order_id(nth: u64) -> u32 {
    let dealt = nth / EIGHT_DIGITS * EIGHT_DIGITS;
    (10_000_000 + dealt + nth * 67_867_967 % EIGHT_DIGITS) as u32
}

/// How many numbers there are of eight digits.
const EIGHT_DIGITS: u64 = 90_000_000;

/// The events of W1 in the order of their times: 555 orders are created each second; 75 of 100 are paid within 15
/// minutes, 8 later, and the rest never. About 200 thousand orders are open at any time.
#[derive(Debug)]
pub struct Orders {
    random: Pcg64Mcg,
    pays: BinaryHeap<Reverse<Order>>,
    created: u64,
}

const CREATES_PER_SECOND: u64 = 555;
pub(crate) const FIRST_SECOND: i64 = 1_611_047_605;
/// How long after it was created an order may be paid; less than that.
pub const PATIENCE_SECONDS: i64 = 900;
/// Those who pay in time do so within this: with it about 200 thousand orders are open.
const PROMPT_SECONDS: i64 = 360;

impl Orders {
    /// The stream of a seed; it has no end.
    pub fn new(seed: u64) -> Self {
        Orders { random: Pcg64Mcg::seed_from_u64(seed), pays: BinaryHeap::new(), created: 0 }
    }

    fn create(&mut self, seconds: i64) -> Order {
        let order_id = order_id(self.created);
        self.created += 1;
        let wait = match self.random.random_range(0..100) {
            0..75 => Some(self.random.random_range(1..PROMPT_SECONDS)),
            75..83 => Some(self.random.random_range(PATIENCE_SECONDS..2 * PATIENCE_SECONDS)),
            _ => None,
        };
        if let Some(wait) = wait {
            let payment = Some(self.random.next_u32());
            self.pays.push(Reverse(Order { seconds: seconds + wait, order_id, payment }));
        }
        Order { seconds, order_id, payment: None }
    }
}

impl Iterator for Orders {
    type Item = Order;

    fn next(&mut self) -> Option<Order> {
        let seconds = FIRST_SECOND + (self.created / CREATES_PER_SECOND) as i64;
        let is_pay_next = self.pays.peek().is_some_and(|Reverse(pay)| pay.seconds <= seconds);
        match self.pays.pop() {
            Some(Reverse(pay)) if is_pay_next => Some(pay),
            waiting => {
                self.pays.extend(waiting);
                Some(self.create(seconds))
            }
        }
    }
}

/// W1b: events that arrive up to so many seconds after one with a later time.
#[derive(Debug)]
pub struct Shuffled {
    orders: std::iter::Peekable<Orders>,
    random: Pcg64Mcg,
    most_seconds: i64,
    arriving: BinaryHeap<Reverse<(i64, u64, Order)>>,
    count: u64,
}

impl Shuffled {
    /// The stream of a seed, each event up to `most_seconds` late; it has no end.
    pub fn new(seed: u64, most_seconds: i64) -> Self {
        Shuffled {
            orders: Orders::new(seed).peekable(),
            random: Pcg64Mcg::seed_from_u64(!seed),
            most_seconds,
            arriving: BinaryHeap::new(),
            count: 0,
        }
    }
}

impl Iterator for Shuffled {
    type Item = Order;

    fn next(&mut self) -> Option<Order> {
        // No event that has not been drawn yet arrives before its own time.
        loop {
            let next_seconds = self.orders.peek().map(|order| order.seconds)?;
            if let Some(Reverse((arrival, _, _))) = self.arriving.peek()
                && *arrival < next_seconds
            {
                return self.arriving.pop().map(|Reverse((_, _, order))| order);
            }
            let order = self.orders.next()?;
            let arrival = order.seconds + self.random.random_range(0..=self.most_seconds);
            self.arriving.push(Reverse((arrival, self.count, order)));
            self.count += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOME: usize = 1_500_000;

    #[test]
    fn an_order_is_a_line_of_four_fields() {
        let create = Order { seconds: 1_611_047_605, order_id: 12_345_678, payment: None };
        let pay = Order { payment: Some(0x00ab_cdef), ..create };
        let written = line::lines([create, pay].into_iter());
        assert_eq!(written, "12345678,create,,1611047605\n12345678,pay,00abcdef,1611047605\n");
    }

    #[test]
    fn most_orders_are_paid_in_time() {
        let mut created = std::collections::HashMap::new();
        let (mut prompt, mut slow) = (0, 0);
        for order in Orders::new(1).take(SOME) {
            match order.payment {
                None => drop(created.insert(order.order_id, order.seconds)),
                Some(_) if order.seconds - created[&order.order_id] < PATIENCE_SECONDS => prompt += 1,
                Some(_) => slow += 1,
            }
        }
        // Of the latest orders the payments are still to come.
        let share = |count: usize| count as f64 / created.len() as f64;
        assert!((0.55..0.75).contains(&share(prompt)) && (0.01..0.08).contains(&share(slow)), "{prompt} {slow}");
    }

    #[test]
    fn the_same_seed_gives_the_same_orders() {
        let first: Vec<Order> = Orders::new(7).take(1_000).collect();
        assert_eq!(first, Orders::new(7).take(1_000).collect::<Vec<_>>());
        assert_ne!(first, Orders::new(8).take(1_000).collect::<Vec<_>>());
    }

    #[test]
    fn times_ascend_and_no_order_is_created_twice() {
        let orders: Vec<Order> = Orders::new(1).take(SOME).collect();
        assert!(orders.is_sorted_by_key(|order| order.seconds));
        let created = orders.iter().filter(|order| order.payment.is_none());
        let mut ids: Vec<u32> = created.map(|order| order.order_id).collect();
        let count = ids.len();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), count);
    }

    #[test]
    fn numbers_go_on_when_those_of_eight_digits_are_used_up() {
        let deals: Vec<Vec<u32>> =
            (0..3).map(|deal| (0..1_000).map(|nth| order_id(deal * EIGHT_DIGITS + nth)).collect()).collect();
        assert!(deals[0].iter().all(|id| (10_000_000..100_000_000).contains(id)));
        for later in &deals[1..] {
            assert!(later.iter().all(|id| *id >= 100_000_000));
        }
        assert!(deals[1].iter().max() < deals[2].iter().min());
    }

    #[test]
    fn arrival_is_out_of_order_by_at_most_what_was_asked_for() {
        let mut latest = i64::MIN;
        let mut most = 0;
        for order in Shuffled::new(1, 10).take(100_000) {
            latest = latest.max(order.seconds);
            most = most.max(latest - order.seconds);
        }
        assert!((9..=10).contains(&most), "{most}");
    }
}
