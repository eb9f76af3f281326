//! The keys of a set of patterns, and the key that an event has in each.

use std::cell::Cell;

use ensue_model::key::key_part;
use ensue_model::pattern::Pattern;
use ensue_model::{Event, Keys, Value};
use smallvec::SmallVec;

use crate::error::{Error, Kind};

/// The most different keys that the patterns of one engine may have.
pub const CLASSES_MAX: usize = 64;

/// The different keys of a set of patterns: patterns with the same key form a class.
#[derive(Debug)]
pub struct KeyClasses {
    classes: Vec<Keys>,
    /// For each class, its patterns.
    patterns: Vec<Vec<usize>>,
}

impl KeyClasses {
    /// The classes of some patterns.
    ///
    /// # Errors
    /// If there are more than [`CLASSES_MAX`].
    pub fn new(patterns: &[Pattern]) -> Result<Self, Error> {
        let mut classes: Vec<Keys> = Vec::new();
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

    /// What `use_key` makes of the key of an event in a class.
    ///
    /// # Errors
    /// The name of the part that is null or has no value.
    #[inline]
    pub(crate) fn with_key<E: Event, T>(
        &self,
        class: usize,
        event: &E,
        use_key: impl FnOnce(&[Value<'_>]) -> T,
    ) -> Result<T, &str> {
        // What has no value makes the event rejected, and is counted there.
        let faults = Cell::new(0);
        let Keys { names, ways } = &self.classes[class];
        let parts = &ways[0].parts;
        if let [part] = &parts[..] {
            let value = key_part(part, event, &faults);
            return if value.is_null() { Err(&names[0]) } else { Ok(use_key(std::slice::from_ref(&value))) };
        }
        let mut key: SmallVec<[Value<'_>; 4]> = SmallVec::new();
        for (part, name) in parts.iter().zip(names) {
            let value = key_part(part, event, &faults);
            if value.is_null() {
                return Err(name);
            }
            key.push(value);
        }
        Ok(use_key(&key))
    }
}
