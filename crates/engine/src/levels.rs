//! Which patterns read what others emit. They run a level above those, so that what comes to them is whole when they look at
//! it.

use std::sync::Arc;

use ensue_model::pattern::Pattern;
use ensue_model::{Patterns, StreamId};

use crate::error::{Error, Kind};
use crate::keys::KeyClasses;

/// The patterns by level: the first reads what the caller feeds, each other one also what those below it emit.
#[derive(Clone, Debug)]
pub struct Levels(Vec<Level>);

/// The patterns of one level.
#[derive(Clone, Debug)]
pub struct Level {
    /// By their positions in the set, ascending.
    pub(crate) patterns: Vec<usize>,
    /// Their keys; what they know as a pattern is a position in `patterns`.
    pub(crate) classes: Arc<KeyClasses>,
}

impl Levels {
    /// The levels of a set of patterns; there is at least one.
    ///
    /// # Errors
    /// If patterns read each other in a circle, or those of a level have too many different keys.
    pub fn new(patterns: &Patterns) -> Result<Self, Error> {
        let of_pattern = level_of_each(&patterns.patterns)?;
        let top = of_pattern.iter().max().copied().unwrap_or(0);
        let levels = (0..=top).map(|level| {
            let members = (0..of_pattern.len()).filter(|pattern| of_pattern[*pattern] == level).collect();
            Level::new(patterns, members)
        });
        Ok(Levels(levels.collect::<Result<_, _>>()?))
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// The levels, from the first.
    pub fn iter(&self) -> impl Iterator<Item = &Level> {
        self.0.iter()
    }

    /// The key of all patterns, where they are of one level and events come to it in one way only.
    #[inline]
    pub(crate) fn only_key(&self) -> Option<&KeyClasses> {
        let [Level { classes, .. }] = &self.0[..] else { return None };
        classes.is_one_way().then_some(classes)
    }

    pub(crate) fn get(&self, level: usize) -> &Level {
        &self.0[level]
    }
}

impl Level {
    fn new(patterns: &Patterns, members: Vec<usize>) -> Result<Self, Error> {
        let classes = KeyClasses::new(members.iter().map(|member| &patterns.patterns[*member]))?;
        Ok(Level { patterns: members, classes: Arc::new(classes) })
    }
}

/// The streams that a pattern's records are.
pub(crate) fn emitted(pattern: &Pattern) -> impl Iterator<Item = StreamId> {
    [&pattern.emit, &pattern.timeout].into_iter().filter_map(|emission| emission.record()?.stream)
}

/// Each pattern one above the highest that emits what it reads.
fn level_of_each(patterns: &[Pattern]) -> Result<Vec<usize>, Error> {
    let mut levels = vec![0; patterns.len()];
    // Each round settles at least those of one more level, so that only a circle needs more rounds than there are patterns.
    for _ in 0..=patterns.len() {
        let above = |reader: &Pattern| {
            let below = patterns.iter().zip(&levels);
            let below = below.filter(|(emitter, _)| emitted(emitter).any(|stream| reader.from.contains(&stream)));
            below.map(|(_, level)| level + 1).max().unwrap_or(0)
        };
        let next: Vec<usize> = patterns.iter().map(above).collect();
        if next == levels {
            return Ok(levels);
        }
        levels = next;
    }
    let deepest = levels.iter().zip(patterns).max_by_key(|(level, _)| **level);
    Err(Kind::Circle { pattern: deepest.map_or_else(String::new, |(_, pattern)| pattern.name.clone()) }.into())
}
