//! The engine: patterns and events in, matches and timeouts out.

use std::sync::Arc;

use ensue_model::{Event, Patterns, Timestamp};
use ensue_nfa::Size;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::config::Config;
use crate::error::Error;
use crate::intake::Intake;
use crate::output::{Outputs, Shed};
use crate::shard::{Routed, Shard};
use crate::snapshot::Snapshot;

/// Runs patterns over events, on the caller's thread.
#[derive(Debug)]
pub struct Engine<E> {
    patterns: Arc<Patterns>,
    intake: Intake,
    shard: Shard<E>,
    /// Room for the events that are pushed together.
    admitted: Vec<Routed<E>>,
}

impl<E: Event> Engine<E> {
    /// An engine that has seen nothing.
    ///
    /// # Errors
    /// If a pattern is larger than a limit.
    pub fn new(patterns: &Arc<Patterns>, config: Config) -> Result<Self, Error> {
        let intake = Intake::new(patterns, config.watermarks)?;
        let shard = Shard::new(patterns, intake.classes().clone(), &config)?;
        Ok(Engine { patterns: patterns.clone(), intake, shard, admitted: Vec::new() })
    }

    /// Takes an event. What it completes comes out when the watermark passes it; with ascending watermarks, at once.
    ///
    /// # Errors
    /// If a limit is reached and [`OnFull::Stop`](crate::OnFull::Stop) is what then happens. The event is lost to the
    /// pattern that the error names; the engine should be dropped.
    pub fn push(&mut self, event: E, out: &mut Outputs<E>) -> Result<(), Error> {
        if let Some(event) = self.admit(event, out) {
            self.shard.push(event, out)?;
        }
        self.shard.advance(self.intake.through(), out)
    }

    /// As [`Engine::push`] for one event after the other, but faster.
    ///
    /// # Errors
    /// As [`Engine::push`]. The events behind the one that reached the limit are lost.
    pub fn push_all(&mut self, events: impl IntoIterator<Item = E>, out: &mut Outputs<E>) -> Result<(), Error> {
        let mut admitted = std::mem::take(&mut self.admitted);
        admitted.extend(events.into_iter().filter_map(|event| self.admit(event, out)));
        let pushed = self.shard.push_all(&mut admitted, out);
        self.admitted = admitted;
        pushed?;
        self.shard.advance(self.intake.through(), out)
    }

    fn admit(&mut self, event: E, out: &mut Outputs<E>) -> Option<Routed<E>> {
        match self.intake.admit(&event, 1) {
            Ok(admitted) => admitted.routes.first().map(|route| Routed::alone(event, &admitted, route)),
            Err(refusal) => {
                refusal.put(event, out);
                None
            }
        }
    }

    /// Moves the watermark: no event at or before it will come. One that does not rise changes nothing.
    ///
    /// # Errors
    /// As [`Engine::push`].
    pub fn advance(&mut self, watermark: Timestamp, out: &mut Outputs<E>) -> Result<(), Error> {
        self.intake.advance(watermark);
        self.shard.advance(self.intake.through(), out)
    }

    /// Ends a bounded input: time goes to its end, and what is open and has a window times out.
    ///
    /// # Errors
    /// As [`Engine::push`].
    pub fn finish(&mut self, out: &mut Outputs<E>) -> Result<(), Error> {
        self.advance(Timestamp::MAX, out)
    }

    /// The watermark: events at or before it are late.
    pub fn watermark(&self) -> Timestamp {
        self.intake.watermark()
    }

    /// How many evaluations had no result because of unlike types, overflow and the like.
    pub fn faults(&self) -> u64 {
        self.shard.faults()
    }

    /// What was given up at limits.
    pub fn shed(&self) -> Shed {
        self.shard.shed()
    }

    /// How much all open runs are: how many, and about how many bytes.
    pub fn size(&self) -> Size {
        self.shard.size()
    }

    /// How many keys have open runs, over all patterns.
    pub fn open_keys(&self) -> usize {
        self.shard.open_keys()
    }
}

impl<E: Event + Serialize + DeserializeOwned> Engine<E> {
    /// The whole state, as versioned bytes.
    ///
    /// # Errors
    /// If an event cannot be serialised.
    pub fn snapshot(&self) -> Result<Vec<u8>, Error> {
        Snapshot::new(&self.patterns, &self.intake, vec![self.shard.save()]).to_bytes()
    }

    /// An engine that goes on where a snapshot was taken.
    ///
    /// # Errors
    /// If the bytes are no snapshot of this version and of these patterns.
    pub fn restore(patterns: &Arc<Patterns>, config: Config, bytes: &[u8]) -> Result<Self, Error> {
        let mut engine = Engine::new(patterns, config)?;
        let snapshot = Snapshot::from_bytes(bytes, patterns)?;
        snapshot.restore_intake(&mut engine.intake);
        for shard in snapshot.into_shards(1, engine.intake.classes()) {
            engine.shard.load(shard, patterns)?;
        }
        Ok(engine)
    }
}
