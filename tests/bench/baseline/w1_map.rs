//! W1 as the least that any program must do for it: for each event, one look-up in a hash map and one update.
//!
//! `w1_map [EVENTS [SEED]]`. The matches and timeouts are counted apart, in another pass that is not timed.

use ensue_allocator::MiMalloc;
use ensue_bench::orders::{Order, Orders, PATIENCE_SECONDS};
use ensue_bench::report::Report;
use ensue_bench::stopwatch::timed;
use hashbrown::HashMap;

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() {
    let mut arguments = std::env::args().skip(1).map(|text| text.parse().expect("a number of events, and a seed"));
    let (events, seed) = (arguments.next().unwrap_or(3_000_000), arguments.next().unwrap_or(1));
    let orders: Vec<Order> = Orders::new(seed).take(events as usize).collect();
    let (open, took) = timed(|| open_orders(&orders));
    let (matches, timeouts) = outputs(&orders);
    let report = Report::of(orders.len(), took).with("matches", matches as f64).with("timeouts", timeouts as f64);
    print!("{}", report.with("open_at_end", open as f64));
}

/// How many orders have not been paid when all events have been seen.
fn open_orders(orders: &[Order]) -> usize {
    let mut open = HashMap::new();
    for order in orders {
        match order.payment {
            None => open.insert(order.order_id, order.seconds),
            Some(_) => open.remove(&order.order_id),
        };
    }
    open.len()
}

/// How many orders are paid in time, and how many are not.
fn outputs(orders: &[Order]) -> (usize, usize) {
    let (mut created, mut matches) = (HashMap::new(), 0);
    for order in orders {
        match order.payment {
            None => drop(created.insert(order.order_id, order.seconds)),
            Some(_) => matches += usize::from(order.seconds - created[&order.order_id] < PATIENCE_SECONDS),
        }
    }
    (matches, created.len() - matches)
}
