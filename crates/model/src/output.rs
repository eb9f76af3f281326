//! What comes out: matches and timeouts.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::key::Key;
use crate::pattern::StageId;
use crate::record::Values;
use crate::time::Timestamp;

/// An event that a run has taken, with its position in the input.
#[derive(Debug, Serialize, Deserialize)]
#[serde(bound(serialize = "E: Serialize", deserialize = "E: Deserialize<'de>"))]
pub struct Taken<E> {
    /// The event.
    pub event: Arc<E>,
    /// Its time.
    pub time: Timestamp,
    /// Its position among all events that were given to the engine, from 0. With the pattern and the key it makes an
    /// output's id, which is the same after a replay.
    pub position: u64,
}

impl<E> Clone for Taken<E> {
    fn clone(&self) -> Self {
        Taken { event: self.event.clone(), time: self.time, position: self.position }
    }
}

/// The events of a run by stage, in the order in which they were taken.
#[derive(Debug)]
pub struct Partial<E> {
    /// The pattern, by its position in the set.
    pub pattern: usize,
    /// The values of the key's parts.
    pub key: Key,
    /// Stage and event, in the order of the events: event time, then order of arrival.
    pub events: Vec<(StageId, Taken<E>)>,
}

/// A match.
#[derive(Debug)]
pub struct Match<E> {
    /// What it holds.
    pub run: Partial<E>,
    /// The event time at which it came out: of the event that completed it, or the end of the window for an absence.
    pub at: Timestamp,
    /// The values of the pattern's [`emit`](crate::Pattern::emit), in its order, if it has one.
    pub record: Option<Values>,
}

/// A partial match whose time ran out.
#[derive(Debug)]
pub struct Timeout<E> {
    /// What it holds.
    pub run: Partial<E>,
    /// When its time ran out.
    pub deadline: Timestamp,
    /// The stages that it was waiting for, in the order of the pattern.
    pub awaiting: Vec<StageId>,
    /// The values of the pattern's [`timeout`](crate::Pattern::timeout), in its order, if it has one.
    pub record: Option<Values>,
}

impl<E> Clone for Partial<E> {
    fn clone(&self) -> Self {
        Partial { pattern: self.pattern, key: self.key.clone(), events: self.events.clone() }
    }
}

impl<E> Partial<E> {
    /// The time of the first event.
    ///
    /// # Panics
    /// Never: a run has taken at least one event.
    pub fn start(&self) -> Timestamp {
        self.events.first().expect("a run has taken an event").1.time
    }

    /// The time of the last event.
    ///
    /// # Panics
    /// Never: a run has taken at least one event.
    pub fn end(&self) -> Timestamp {
        self.events.last().expect("a run has taken an event").1.time
    }

    /// The events of a stage, in the order in which it took them.
    pub fn of(&self, stage: StageId) -> impl Iterator<Item = &Taken<E>> {
        self.events.iter().filter(move |(taken_by, _)| *taken_by == stage).map(|(_, taken)| taken)
    }
}
