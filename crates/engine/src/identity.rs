//! What tells a pattern from another, also from another version of itself.

use std::sync::Arc;

use ensue_model::hash::text_hash;
use ensue_model::{Pattern, Patterns};
use ensue_nfa::Shape;
use serde::{Deserialize, Serialize};

use crate::levels::Levels;

/// A pattern in a snapshot.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Identity {
    pub(crate) sign: Sign,
    /// The level at which it runs. The lanes of a level are its patterns in their order.
    pub(crate) level: usize,
    /// What of its runs can go on where it has changed.
    pub(crate) shape: Shape,
}

/// The name of a pattern, and a hash of all that decides what its runs are, as numbers say it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Sign {
    pub(crate) name: String,
    hash: u64,
}

impl Sign {
    pub(crate) fn of(pattern: &Pattern) -> Self {
        let Pattern { from, key, active, stages, lookbacks, sequence, within, within_events, skip, keep, .. } = pattern;
        let Pattern { cooldown, emit, timeout, .. } = pattern;
        let streams = [emit, timeout].map(|emission| emission.record().and_then(|record| record.stream));
        let text = format!(
            "{from:?} {key:?} {active:?} {stages:?} {lookbacks:?} {sequence:?} {within:?} {within_events:?} {skip:?} {keep:?} {cooldown:?} {streams:?}"
        );
        Sign { name: pattern.name.clone(), hash: text_hash(&text) }
    }
}

/// The identities of patterns that have been compiled before.
///
/// # Panics
/// If one of them is larger than a program may be.
pub(crate) fn of_all(patterns: &Patterns, levels: &Levels) -> Arc<[Identity]> {
    let level = |index: usize| {
        let mut levels = levels.iter();
        levels.position(|level| level.patterns.contains(&index)).expect("each pattern is of a level")
    };
    let identity = |(index, pattern): (usize, &Pattern)| {
        let program = ensue_nfa::compile(pattern).expect("it has been compiled before");
        Identity { sign: Sign::of(pattern), level: level(index), shape: Shape::of(&program, patterns, pattern) }
    };
    patterns.patterns.iter().enumerate().map(identity).collect()
}
