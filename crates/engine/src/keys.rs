//! The keys of a set of patterns, and the key that an event has in each.

use std::cell::Cell;

use ensue_model::eval::{OfEvent, eval};
use ensue_model::pattern::{KeyPart, Pattern};
use ensue_model::{Event, Value};
use smallvec::SmallVec;

use crate::error::{Error, Kind};

/// The most different keys that the patterns of one engine may have.
pub const CLASSES_MAX: usize = 64;

/// The values of a key's parts.
pub(crate) type Key<'e> = SmallVec<[Value<'e>; 2]>;

/// The different keys of a set of patterns: patterns with the same key form a class.
#[derive(Debug)]
pub struct KeyClasses {
    classes: Vec<Vec<KeyPart>>,
    /// For each pattern, its class.
    of_pattern: Vec<usize>,
}

impl KeyClasses {
    /// The classes of some patterns.
    ///
    /// # Errors
    /// If there are more than [`CLASSES_MAX`].
    pub fn new(patterns: &[Pattern]) -> Result<Self, Error> {
        let mut classes: Vec<Vec<KeyPart>> = Vec::new();
        let of_pattern = patterns.iter().map(|pattern| {
            classes.iter().position(|class| *class == pattern.key).unwrap_or_else(|| {
                classes.push(pattern.key.clone());
                classes.len() - 1
            })
        });
        let of_pattern = of_pattern.collect();
        if classes.len() > CLASSES_MAX {
            return Err(Kind::KeyClasses { limit: CLASSES_MAX }.into());
        }
        Ok(KeyClasses { classes, of_pattern })
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.classes.len()
    }

    /// Whether there is no pattern.
    pub fn is_empty(&self) -> bool {
        self.classes.is_empty()
    }

    pub(crate) fn patterns_of(&self, class: usize) -> impl Iterator<Item = usize> {
        self.of_pattern.iter().enumerate().filter(move |(_, of)| **of == class).map(|(pattern, _)| pattern)
    }

    /// The key of an event in a class.
    ///
    /// # Errors
    /// The name of the part that is null or has no value.
    pub(crate) fn key<'e, E: Event>(&'e self, class: usize, event: &'e E) -> Result<Key<'e>, &'e str> {
        // What has no value makes the event rejected, and is counted there.
        let faults = Cell::new(0);
        let mut key = Key::new();
        for part in &self.classes[class] {
            let value = match &part.value {
                ensue_model::Expr::Field(field) => event.field(*field),
                computed => eval(computed, &OfEvent { event, faults: &faults }).into_owned(),
            };
            if value.is_null() {
                return Err(&part.name);
            }
            key.push(value);
        }
        Ok(key)
    }
}
