//! W3: a loop of one or more events between a first and a last one.

use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

use crate::signal::{FIRST_MS, Signal, VALUES};

/// The events of W3, one each millisecond: of 1,000, 10 are an a, 100 a b and 2 a c. Each is for one of so many keys.
#[derive(Debug)]
pub struct Loops {
    random: Pcg64Mcg,
    keys: u32,
    next: u64,
}

/// An a, one or more b and a c of at least this value, within the time in which so many events of a key come.
pub fn pattern(window_events: u32, keys: u32, least: u32) -> String {
    let window_ms = u64::from(window_events) * u64::from(keys);
    format!(
        "pattern loops\nkey key\nbegin a where type == \"a\"\nfollowedBy b+ where type == \"b\"\n\
         followedBy c where type == \"c\" and v >= {least}\nwithin {window_ms}ms\n"
    )
}

impl Loops {
    /// The stream of a seed; it has no end.
    pub fn new(seed: u64, keys: u32) -> Self {
        Loops { random: Pcg64Mcg::seed_from_u64(seed), keys, next: 0 }
    }
}

impl Iterator for Loops {
    type Item = Signal;

    fn next(&mut self) -> Option<Signal> {
        let sequence = self.next;
        self.next += 1;
        let kind = match self.random.random_range(0..1_000) {
            0..10 => "a",
            10..110 => "b",
            110..112 => "c",
            _ => "x",
        };
        let key = self.random.random_range(0..self.keys);
        let value = self.random.random_range(0..VALUES);
        Some(Signal { sequence, kind, key, value, ms: FIRST_MS + sequence as i64 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOME: usize = 1_000_000;

    #[test]
    fn the_same_seed_gives_the_same_events() {
        let first: Vec<Signal> = Loops::new(7, 10).take(1_000).collect();
        assert_eq!(first, Loops::new(7, 10).take(1_000).collect::<Vec<_>>());
        assert_ne!(first, Loops::new(8, 10).take(1_000).collect::<Vec<_>>());
    }

    #[test]
    fn most_events_are_noise() {
        for (kind, thousandths) in [("a", 10), ("b", 100), ("c", 2), ("x", 888)] {
            let count = Loops::new(1, 1).take(SOME).filter(|event| event.kind == kind).count();
            let expected = thousandths * SOME / 1_000;
            assert!(count.abs_diff(expected) < expected / 20, "{count} of {kind}");
        }
    }

    #[test]
    fn every_key_gets_its_share() {
        let mut counts = [0_u32; 100];
        Loops::new(1, 100).take(100_000).for_each(|event| counts[event.key as usize] += 1);
        assert!(counts.iter().all(|count| (800..1_200).contains(count)), "{counts:?}");
    }
}
