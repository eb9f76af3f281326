//! An event on its way to the matchers.

use std::sync::Arc;

use ensue_model::output::Taken;
use ensue_model::{Event, Timestamp};

/// An event on its way to the matchers of several patterns, with its place in the input.
///
/// It is shared from the start: most events are taken by some run, and until then a pointer moves, not the event.
#[derive(Debug)]
pub struct Incoming<E> {
    event: Arc<E>,
    time: Timestamp,
    position: u64,
    /// The ways of key by which it has come, a bit each.
    ways: u64,
}

impl<E: Event> Incoming<E> {
    /// An event with its position in the input.
    pub fn new(event: E, position: u64) -> Self {
        Incoming::shared(Arc::new(event), position)
    }

    /// An event that is shared already.
    pub fn shared(event: Arc<E>, position: u64) -> Self {
        Incoming { time: event.time(), event, position, ways: u64::MAX }
    }

    /// As it comes to one of its keys: by these ways of key, a bit each. If nothing is said, it comes by all.
    #[must_use]
    pub fn by_ways(self, ways: u64) -> Self {
        Incoming { ways, ..self }
    }

    /// The ways of key by which it has come, a bit each.
    pub fn ways(&self) -> u64 {
        self.ways
    }

    pub(crate) fn is_keyed_by(&self, way: u8) -> bool {
        self.ways >> way & 1 == 1
    }

    /// The event.
    pub fn event(&self) -> &E {
        &self.event
    }

    /// Its event time.
    pub fn time(&self) -> Timestamp {
        self.time
    }

    /// Its position in the input.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// The event, shared.
    pub fn share(&self) -> Arc<E> {
        self.event.clone()
    }

    pub(crate) fn taken(&self) -> Taken<E> {
        Taken { event: self.event.clone(), time: self.time, position: self.position }
    }
}
