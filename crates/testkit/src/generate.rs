//! Draws cases at random: patterns as text, and streams.
//!
//! Alphabets are small and streams short, so that things meet: types `a` to `d` and `x`, `v` from 1 to 6, few keys, of which
//! some are null, times that tie, watermarks that lag or hurry, events that come out of order or late. What is drawn shrinks: a failure
//! is reported for the smallest case found.
//!
//! Knows the text of the language, and nothing of what it means. The outputs of a drawn case are empty.

mod draft;
mod file;
mod stream;

use std::fmt;

use proptest::prelude::*;

use crate::case::Case;

/// What the drawn cases are about.
#[derive(Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum)]
pub enum Profile {
    /// Sequences of single stages.
    Basic,
    /// Quantifiers and `until`.
    Loops,
    /// Negations.
    Not,
    /// Nested groups.
    Groups,
    /// Skip strategies.
    Skip,
    /// Windows, watermarks, late events, events out of order.
    Time,
    /// Windows of single steps.
    Steps,
    /// Conditions that look back.
    Iter,
    /// Everything.
    Mixed,
    /// Alternatives, and parts in any order.
    Branches,
    /// What bounds runs: `active`, windows in events, `keep`.
    Bounds,
    /// Several streams, keys by stream and by stage, tables, records.
    Streams,
    /// Several patterns, of which some read what others emit.
    Levels,
}

impl Profile {
    /// All profiles.
    pub const ALL: [Profile; 13] = [
        Profile::Basic,
        Profile::Loops,
        Profile::Not,
        Profile::Groups,
        Profile::Skip,
        Profile::Time,
        Profile::Steps,
        Profile::Iter,
        Profile::Mixed,
        Profile::Branches,
        Profile::Bounds,
        Profile::Streams,
        Profile::Levels,
    ];
}

/// How likely things are, from 0 to 1.
#[derive(Clone, Copy, Debug)]
struct Odds {
    steps_max: usize,
    quantifier: f64,
    negation: f64,
    group: f64,
    /// Of a group, to have branches.
    branches: f64,
    skip: f64,
    keep: f64,
    active: f64,
    /// Of the whole to span so many events, and of a step's window to count events.
    counted: f64,
    within: f64,
    /// Of a step.
    window: f64,
    lookback: f64,
    disorder: f64,
    /// That there are two.
    streams: f64,
    /// That the key differs by stage, or by stream.
    keys: f64,
    cooldown: f64,
    /// That matches, or timeouts, come out as a record, or do not.
    emission: f64,
    /// Whether there are several patterns.
    levels: bool,
    /// Longer streams make patterns whose runs multiply with every event too slow for the reference.
    events_max: usize,
}

impl Odds {
    const BASIC: Odds = Odds {
        steps_max: 4,
        quantifier: 0.0,
        negation: 0.0,
        group: 0.0,
        branches: 0.0,
        skip: 0.0,
        keep: 0.0,
        active: 0.0,
        counted: 0.0,
        within: 0.3,
        window: 0.0,
        lookback: 0.0,
        disorder: 0.1,
        streams: 0.0,
        keys: 0.0,
        cooldown: 0.0,
        emission: 0.0,
        levels: false,
        events_max: 14,
    };

    /// Whether streams are.
    fn is_declared(self) -> bool {
        self.streams > 0.0 || self.levels
    }

    fn of(profile: Profile) -> Odds {
        match profile {
            Profile::Basic => Odds::BASIC,
            Profile::Loops => Odds { quantifier: 0.6, ..Odds::BASIC },
            Profile::Not => Odds { quantifier: 0.2, negation: 0.4, within: 0.6, cooldown: 0.1, ..Odds::BASIC },
            Profile::Groups => Odds { steps_max: 3, quantifier: 0.3, negation: 0.1, group: 0.4, ..Odds::BASIC },
            Profile::Branches => Odds {
                steps_max: 3,
                quantifier: 0.3,
                negation: 0.15,
                group: 0.5,
                branches: 0.8,
                skip: 0.2,
                within: 0.4,
                window: 0.1,
                lookback: 0.15,
                ..Odds::BASIC
            },
            Profile::Skip => Odds { quantifier: 0.4, skip: 1.0, cooldown: 0.1, ..Odds::BASIC },
            Profile::Time => {
                Odds { quantifier: 0.2, negation: 0.2, within: 1.0, window: 0.1, disorder: 0.5, ..Odds::BASIC }
            }
            Profile::Steps => Odds {
                quantifier: 0.5,
                negation: 0.2,
                group: 0.2,
                skip: 0.1,
                counted: 0.3,
                window: 0.5,
                disorder: 0.2,
                ..Odds::BASIC
            },
            Profile::Iter => Odds { quantifier: 0.5, lookback: 0.6, skip: 0.2, ..Odds::BASIC },
            Profile::Bounds => Odds {
                quantifier: 0.4,
                negation: 0.15,
                group: 0.15,
                branches: 0.4,
                skip: 0.25,
                keep: 0.5,
                active: 0.25,
                cooldown: 0.2,
                counted: 0.5,
                within: 0.4,
                window: 0.25,
                lookback: 0.1,
                ..Odds::BASIC
            },
            Profile::Streams => Odds {
                quantifier: 0.3,
                negation: 0.15,
                group: 0.15,
                branches: 0.4,
                skip: 0.15,
                keep: 0.1,
                counted: 0.15,
                window: 0.1,
                lookback: 0.2,
                streams: 0.6,
                keys: 0.7,
                cooldown: 0.15,
                emission: 0.2,
                ..Odds::BASIC
            },
            // Each level can multiply what comes to it, so all is shorter, and nothing loops.
            Profile::Levels => Odds {
                steps_max: 2,
                negation: 0.1,
                group: 0.1,
                branches: 0.5,
                skip: 0.15,
                keep: 0.1,
                counted: 0.1,
                within: 0.4,
                window: 0.15,
                lookback: 0.1,
                keys: 0.3,
                cooldown: 0.2,
                emission: 0.85,
                levels: true,
                events_max: 10,
                ..Odds::BASIC
            },
            Profile::Mixed => Odds {
                steps_max: 4,
                quantifier: 0.4,
                negation: 0.2,
                group: 0.2,
                branches: 0.4,
                skip: 0.3,
                keep: 0.15,
                active: 0.1,
                counted: 0.15,
                within: 0.5,
                window: 0.1,
                lookback: 0.3,
                disorder: 0.3,
                streams: 0.1,
                keys: 0.1,
                cooldown: 0.15,
                emission: 0.1,
                ..Odds::BASIC
            },
        }
    }
}

/// Cases of a profile; their outputs are empty.
pub fn cases(profile: Profile) -> impl Strategy<Value = Case> {
    let odds = Odds::of(profile);
    (file::files(odds), stream::streams(odds)).prop_map(|(file, input)| file.case(input))
}

/// Types of events, some more often than others, so that what a pattern asks for is likely to come.
fn kinds() -> impl Strategy<Value = &'static str> {
    prop_oneof![4 => Just("a"), 4 => Just("b"), 2 => Just("c"), 1 => Just("d")]
}

/// `rare` with these odds, else `plain`, to which it shrinks.
fn either<T: fmt::Debug + 'static>(
    odds: f64,
    rare: impl Strategy<Value = T> + 'static,
    plain: impl Strategy<Value = T> + 'static,
) -> BoxedStrategy<T> {
    match (odds * 100.0) as u32 {
        0 => plain.boxed(),
        percent @ 1..100 => prop_oneof![100 - percent => plain, percent => rare].boxed(),
        _ => rare.boxed(),
    }
}

/// Something with these odds.
fn maybe<T: Clone + fmt::Debug + 'static>(
    odds: f64,
    strategy: impl Strategy<Value = T> + 'static,
) -> BoxedStrategy<Option<T>> {
    either(odds, strategy.prop_map(Some), Just(None))
}

/// True with these odds.
fn chance(odds: f64) -> BoxedStrategy<bool> {
    either(odds, Just(true), Just(false))
}
