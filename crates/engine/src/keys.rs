//! The keys of a set of patterns, and the keys that an event has in each.

use std::cell::Cell;

use ensue_model::key::{KeyWay, key_part};
use ensue_model::pattern::Pattern;
use ensue_model::{Event, Expr, FieldId, Keys, StreamId, Value};
use smallvec::SmallVec;

use crate::error::{Error, Kind};

/// The most different keys that the patterns of one level may have.
pub const CLASSES_MAX: usize = 64;

/// The ways of key by which an event comes, a bit each.
pub(crate) const ALL_WAYS: u64 = u64::MAX;

/// The different keys of a set of patterns: patterns with the same key, over the same streams, form a class.
#[derive(Debug)]
pub struct KeyClasses {
    classes: Vec<Class>,
    /// For each class, its patterns.
    patterns: Vec<Vec<usize>>,
}

/// A key over some streams.
#[derive(PartialEq, Debug)]
struct Class {
    from: Vec<StreamId>,
    keys: Keys,
    /// The field that is the key of every event, where it is one.
    field: Option<FieldId>,
}

impl Class {
    fn of(pattern: &Pattern) -> Self {
        let field = match &pattern.key.ways[..] {
            [KeyWay { stream: None, parts }] => match parts[..] {
                [Expr::Field(field)] => Some(field),
                _ => None,
            },
            _ => None,
        };
        Class { from: pattern.from.clone(), keys: pattern.key.clone(), field }
    }
}

impl KeyClasses {
    /// The classes of some patterns, which are known by their positions among them.
    ///
    /// # Errors
    /// If there are more than [`CLASSES_MAX`].
    pub(crate) fn new<'p>(patterns: impl Iterator<Item = &'p Pattern>) -> Result<Self, Error> {
        let mut classes: Vec<Class> = Vec::new();
        let mut of_class: Vec<Vec<usize>> = Vec::new();
        for (index, pattern) in patterns.enumerate() {
            let is_of = |class: &Class| class.from == pattern.from && class.keys == pattern.key;
            match classes.iter().position(is_of) {
                Some(class) => of_class[class].push(index),
                None => {
                    classes.push(Class::of(pattern));
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

    /// Whether there is one class, and one way in which events come to its key.
    #[inline]
    pub(crate) fn is_one_way(&self) -> bool {
        matches!(&self.classes[..], [class] if class.keys.ways.len() == 1)
    }

    pub(crate) fn patterns_of(&self, class: usize) -> &[usize] {
        &self.patterns[class]
    }

    /// Whether the patterns of a class read a stream.
    pub(crate) fn reads(&self, class: usize, stream: StreamId) -> bool {
        self.classes[class].from.contains(&stream)
    }

    /// The ways by which an event of a stream comes to the keys of a class, where there is more than one.
    pub(crate) fn ways(&self, class: usize, stream: StreamId) -> Option<SmallVec<[u8; 4]>> {
        let keys = &self.classes[class].keys;
        let ways = || keys.ways_of(stream).map(|(way, _)| way);
        (keys.ways.len() > 1 && ways().count() > 1).then(|| ways().collect())
    }

    /// What `use_key` makes of the key of an event in a class, by the first of these ways that its stream has.
    ///
    /// # Errors
    /// The name of the part that is null or has no value.
    #[inline]
    pub(crate) fn with_key<E: Event, T>(
        &self,
        class: usize,
        event: &E,
        ways: u64,
        use_key: impl FnOnce(&[Value<'_>]) -> T,
    ) -> Result<T, &str> {
        let Class { keys: Keys { names, .. }, field, .. } = &self.classes[class];
        if let Some(field) = field {
            let value = event.field(*field);
            return if value.is_null() { Err(&names[0]) } else { Ok(use_key(std::slice::from_ref(&value))) };
        }
        // All events have one key.
        if names.is_empty() {
            return Ok(use_key(&[]));
        }
        self.with_parts(class, event, ways, use_key)
    }

    fn with_parts<E: Event, T>(
        &self,
        class: usize,
        event: &E,
        ways: u64,
        use_key: impl FnOnce(&[Value<'_>]) -> T,
    ) -> Result<T, &str> {
        // What has no value makes the event rejected, and is counted there.
        let faults = Cell::new(0);
        let Keys { names, .. } = &self.classes[class].keys;
        let Some(KeyWay { parts, .. }) = self.way(class, event, ways) else {
            return Err(names.first().map_or("", String::as_str));
        };
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

    #[inline]
    fn way<E: Event>(&self, class: usize, event: &E, ways: u64) -> Option<&KeyWay> {
        match &self.classes[class].keys.ways[..] {
            [way @ KeyWay { stream: None, .. }] => Some(way),
            _ => {
                let mut of_stream = self.classes[class].keys.ways_of(event.stream());
                of_stream.find(|(way, _)| ways >> way & 1 == 1).map(|(_, way)| way)
            }
        }
    }
}
