//! The keys of a set of patterns, and the key that an event has in each.

use std::cell::Cell;

use ensue_model::pattern::{KeyPart, Pattern};
use ensue_model::{Event, Value};
use smallvec::SmallVec;

use crate::error::{Error, Kind};

/// The most different keys that the patterns of one engine may have.
pub const CLASSES_MAX: usize = 64;

/// The values of a key's parts, borrowed from the event where they can be.
pub(crate) type KeyOf<'e> = SmallVec<[Value<'e>; 1]>;

/// The different keys of a set of patterns: patterns with the same key form a class.
#[derive(Debug)]
pub struct KeyClasses {
    classes: Vec<Vec<KeyPart>>,
    /// For each class, its patterns.
    patterns: Vec<Vec<usize>>,
}

impl KeyClasses {
    /// The classes of some patterns.
    ///
    /// # Errors
    /// If there are more than [`CLASSES_MAX`].
    pub fn new(patterns: &[Pattern]) -> Result<Self, Error> {
        let mut classes: Vec<Vec<KeyPart>> = Vec::new();
        let mut of_class: Vec<Vec<usize>> = Vec::new();
        for (index, pattern) in patterns.iter().enumerate() {
            match classes.iter().position(|class| *class == pattern.key) {
                Some(class) => of_class[class].push(index),
                None => {
                    classes.push(pattern.key.clone());
                    of_class.push(vec![index]);
                }
            }
        }
        if classes.len() > CLASSES_MAX {
            return Err(Kind::KeyClasses { limit: CLASSES_MAX }.into());
        }
        Ok(KeyClasses { classes, patterns: of_class })
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.classes.len()
    }

    /// Whether there is no pattern.
    pub fn is_empty(&self) -> bool {
        self.classes.is_empty()
    }

    pub(crate) fn patterns_of(&self, class: usize) -> &[usize] {
        &self.patterns[class]
    }

    /// The key of an event in a class.
    ///
    /// # Errors
    /// The name of the part that is null or has no value.
    pub(crate) fn key<'e, E: Event>(&'e self, class: usize, event: &'e E) -> Result<KeyOf<'e>, &'e str> {
        // What has no value makes the event rejected, and is counted there.
        let faults = Cell::new(0);
        let mut key = KeyOf::new();
        for part in &self.classes[class] {
            let value = part.of(event, &faults);
            if value.is_null() {
                return Err(&part.name);
            }
            key.push(value);
        }
        Ok(key)
    }
}
