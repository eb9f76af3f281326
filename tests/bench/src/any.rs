//! W2: three types of events in any combination, of which the last is hardly ever the one that is wanted.

use std::collections::VecDeque;

use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

use crate::signal::{FIRST_MS, Signal, VALUES};

/// The events of W2: one key, one event each millisecond. 20 of 100 are an A, as many a B and a C; the rest is noise.
#[derive(Debug)]
pub struct Any {
    random: Pcg64Mcg,
    next: u64,
}

/// The least value of a C with which about 85 of a million events are wanted.
pub const RARE: u32 = VALUES - 425;

/// The least value of a C with which none is wanted: what is measured is the upkeep, not the output.
pub const NEVER: u32 = VALUES;

/// Any A, any B after it and any C after that, of at least this value, within the time of so many events.
pub fn pattern(window_events: u32, least: u32) -> String {
    format!(
        "pattern any\nbegin a where type == \"A\"\nfollowedByAny b where type == \"B\"\n\
         followedByAny c where type == \"C\" and v >= {least}\nwithin {window_events}ms\n"
    )
}

/// How many matches of the pattern there are, counted by hand: how many A are in the window, and how many pairs of an A and
/// a B after it.
pub fn matches(signals: &[Signal], window_events: u32, least: u32) -> u64 {
    let window_ms = i64::from(window_events);
    // When each A in the window came, and how many B had come before.
    let mut starts: VecDeque<(i64, u64)> = VecDeque::new();
    let (mut seconds, mut pairs, mut matches) = (0, 0, 0);
    for signal in signals {
        while let Some((ms, seconds_before)) = starts.front()
            && signal.ms - ms >= window_ms
        {
            pairs -= seconds - seconds_before;
            starts.pop_front();
        }
        match signal.kind.as_bytes() {
            b"A" => starts.push_back((signal.ms, seconds)),
            b"B" => {
                seconds += 1;
                pairs += starts.len() as u64;
            }
            b"C" if signal.value >= least => matches += pairs,
            _ => {}
        }
    }
    matches
}

impl Any {
    /// The stream of a seed; it has no end.
    pub fn new(seed: u64) -> Self {
        Any { random: Pcg64Mcg::seed_from_u64(seed), next: 0 }
    }
}

impl Iterator for Any {
    type Item = Signal;

    fn next(&mut self) -> Option<Signal> {
        let sequence = self.next;
        self.next += 1;
        let kind = match self.random.random_range(0..5) {
            0 => "A",
            1 => "B",
            2 => "C",
            _ => "X",
        };
        let value = self.random.random_range(0..VALUES);
        Some(Signal { sequence, kind, key: 0, value, ms: FIRST_MS + sequence as i64 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOME: usize = 1_000_000;

    #[test]
    fn the_same_seed_gives_the_same_events() {
        let first: Vec<Signal> = Any::new(7).take(1_000).collect();
        assert_eq!(first, Any::new(7).take(1_000).collect::<Vec<_>>());
        assert_ne!(first, Any::new(8).take(1_000).collect::<Vec<_>>());
    }

    #[test]
    fn three_types_have_a_fifth_of_the_events_each() {
        for kind in ["A", "B", "C"] {
            let count = Any::new(1).take(SOME).filter(|event| event.kind == kind).count();
            assert!((198_000..202_000).contains(&count), "{count} of {kind}");
        }
    }

    #[test]
    fn an_event_comes_each_millisecond() {
        assert!(Any::new(1).take(1_000).is_sorted_by(|first, second| second.ms == first.ms + 1));
    }

    #[test]
    fn few_of_the_last_type_are_wanted_and_none_where_none_should_be() {
        let wanted = |least| Any::new(1).take(SOME).filter(|event| event.kind == "C" && event.value >= least).count();
        assert!((60..110).contains(&wanted(RARE)), "{}", wanted(RARE));
        assert_eq!(wanted(NEVER), 0);
    }
}
