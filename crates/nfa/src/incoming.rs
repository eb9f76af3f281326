//! An event on its way to the matchers.

use std::sync::Arc;

use ensue_model::output::Taken;
use ensue_model::{Event, Timestamp};

/// An event on its way to the matchers of several patterns. It is shared only once one of them takes it.
#[derive(Debug)]
pub struct Incoming<E> {
    held: Held<E>,
    time: Timestamp,
    position: u64,
}

#[derive(Debug)]
enum Held<E> {
    Alone(E),
    Shared(Arc<E>),
    /// Only while the event moves from one to the other.
    Moving,
}

impl<E: Event> Incoming<E> {
    /// An event with its position in the input.
    pub fn new(event: E, position: u64) -> Self {
        Incoming { time: event.time(), held: Held::Alone(event), position }
    }

    /// An event that is shared already.
    pub fn shared(event: Arc<E>, position: u64) -> Self {
        Incoming { time: event.time(), held: Held::Shared(event), position }
    }

    /// The event.
    pub fn event(&self) -> &E {
        match &self.held {
            Held::Alone(event) => event,
            Held::Shared(event) => event,
            Held::Moving => unreachable!("the event is put back at once"),
        }
    }

    /// Its event time.
    pub fn time(&self) -> Timestamp {
        self.time
    }

    /// Its position in the input.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// The event, shared from now on.
    pub fn share(&mut self) -> Arc<E> {
        self.taken().event
    }

    pub(crate) fn taken(&mut self) -> Taken<E> {
        let event = match std::mem::replace(&mut self.held, Held::Moving) {
            Held::Alone(event) => Arc::new(event),
            Held::Shared(event) => event,
            Held::Moving => unreachable!("the event is put back at once"),
        };
        self.held = Held::Shared(event.clone());
        Taken { event, time: self.time, position: self.position }
    }
}
