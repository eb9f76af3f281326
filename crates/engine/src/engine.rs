//! The engine: patterns and events in, matches and timeouts out.

use std::sync::Arc;

use ensue_model::table::{Table, TableId};
use ensue_model::{Event, Patterns, Timestamp};
use ensue_nfa::Size;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::cascade::Cascade;
use crate::config::Config;
use crate::error::Error;
use crate::intake::Intake;
use crate::output::{Outputs, Shed};
use crate::shard::Routed;
use crate::snapshot::Snapshot;
use crate::stack::Stack;

/// How many events are taken in before they are handled: as many as stay in the cache until then.
pub const EVENTS_TOGETHER: usize = 128;

/// Runs patterns over events, on the caller's thread.
#[derive(Debug)]
pub struct Engine<E> {
    patterns: Arc<Patterns>,
    intake: Intake,
    stack: Stack<E>,
    cascade: Cascade<E>,
    /// Room for the events that are pushed together.
    admitted: Vec<Routed<E>>,
}

impl<E: Event> Engine<E> {
    /// An engine that has seen nothing.
    ///
    /// # Errors
    /// If a pattern is larger than a limit; if patterns read what others emit and events of this type cannot be records
    /// ([`Event::of_record`]).
    pub fn new(patterns: &Arc<Patterns>, config: Config) -> Result<Self, Error> {
        let intake = Intake::new(patterns, config.watermarks)?;
        let stack = Stack::new(patterns, intake.levels(), &config)?;
        let cascade = Cascade::new(patterns, intake.levels().count())?;
        Ok(Engine { patterns: patterns.clone(), intake, stack, cascade, admitted: Vec::new() })
    }

    /// Takes an event. What it completes comes out when the watermark passes it; with ascending watermarks, at once. What
    /// patterns make of what others emit comes out when the watermark passes its time.
    ///
    /// # Errors
    /// If a limit is reached and [`OnFull::Stop`](crate::OnFull::Stop) is what then happens. The event is lost to the
    /// pattern that the error names; the engine should be dropped.
    pub fn push(&mut self, event: E, out: &mut Outputs<E>) -> Result<(), Error> {
        self.push_all(std::iter::once(event), out)
    }

    /// As [`Engine::push`] for one event after the other, but faster.
    ///
    /// # Errors
    /// As [`Engine::push`]. The events behind the one that reached the limit are lost.
    pub fn push_all(&mut self, events: impl IntoIterator<Item = E>, out: &mut Outputs<E>) -> Result<(), Error> {
        self.push_each(events, out, |intake, event, admitted, out| {
            intake.admit(event, 1, out, |_, parcel| admitted.push(parcel.open()));
        })
    }

    /// As [`Engine::push`], but the event may wait until some more have come, or [`Engine::settle`] is called.
    ///
    /// # Errors
    /// As [`Engine::push_all`].
    #[inline]
    pub fn push_later(&mut self, event: E, out: &mut Outputs<E>) -> Result<(), Error> {
        self.intake.admit(event, 1, out, |_, parcel| self.admitted.push(parcel.open()));
        if self.admitted.len() < EVENTS_TOGETHER { Ok(()) } else { self.settle(out) }
    }

    /// As [`Engine::push_all`], of events with their positions: of those with the same time, the one with the lower position
    /// comes first. Positions are different, and below [`LEVEL_POSITIONS`](crate::LEVEL_POSITIONS).
    ///
    /// # Errors
    /// As [`Engine::push_all`].
    pub fn push_all_at(
        &mut self,
        events: impl IntoIterator<Item = (u64, E)>,
        out: &mut Outputs<E>,
    ) -> Result<(), Error> {
        self.push_each(events, out, |intake, (position, event), admitted, out| {
            intake.admit_at(position, event, 1, out, |_, parcel| admitted.push(parcel.open()));
        })
    }

    #[inline]
    fn push_each<T>(
        &mut self,
        events: impl IntoIterator<Item = T>,
        out: &mut Outputs<E>,
        admit: impl Fn(&mut Intake, T, &mut Vec<Routed<E>>, &mut Outputs<E>),
    ) -> Result<(), Error> {
        let mut events = events.into_iter();
        loop {
            let mut taken = 0;
            for event in events.by_ref().take(EVENTS_TOGETHER) {
                admit(&mut self.intake, event, &mut self.admitted, out);
                taken += 1;
            }
            self.settle(out)?;
            if taken < EVENTS_TOGETHER {
                return Ok(());
            }
        }
    }

    /// Handles the events that wait for others.
    ///
    /// # Errors
    /// As [`Engine::push_all`].
    pub fn settle(&mut self, out: &mut Outputs<E>) -> Result<(), Error> {
        if self.stack.levels.len() == 1 {
            return self.settle_first(out);
        }
        let mut levels = vec![Outputs::new()];
        self.settle_first(&mut levels[0])?;
        let through = self.intake.watermark();
        for level in 1..self.stack.levels.len() {
            let mut of_level = Outputs::new();
            let records = self.cascade.feeds().records(&levels[level - 1]);
            self.cascade.collect(level - 1, records);
            for (_, event) in self.cascade.release(level - 1, through, &self.intake, 1, &mut of_level) {
                self.stack.push(event, &mut of_level)?;
            }
            self.stack.advance(level, through, &mut of_level)?;
            levels.push(of_level);
        }
        Outputs::merge(levels, out);
        Ok(())
    }

    fn settle_first(&mut self, out: &mut Outputs<E>) -> Result<(), Error> {
        self.stack.push_all(&mut self.admitted, out)?;
        self.stack.advance(0, self.intake.through(), out)
    }

    /// Moves the watermark: no event at or before it will come. One that does not rise changes nothing.
    ///
    /// # Errors
    /// As [`Engine::push`].
    pub fn advance(&mut self, watermark: Timestamp, out: &mut Outputs<E>) -> Result<(), Error> {
        self.intake.advance(watermark);
        self.settle(out)
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
        self.stack.faults()
    }

    /// How many matches cooldowns have kept back.
    pub fn kept_back(&self) -> u64 {
        self.stack.kept_back()
    }

    /// Gives a table other rows, for the events that are handled from now on, also for those that still
    /// [wait](Engine::push_later). Before that, each table is empty.
    ///
    /// # Panics
    /// If the patterns have no such table.
    pub fn set_table(&mut self, table: TableId, rows: Arc<Table>) {
        self.stack.set_table(table, &rows);
    }

    /// What owns the keys and their runs, to be looked at. (What is found out when it is looked at, is kept.)
    pub fn stack(&mut self) -> &mut Stack<E> {
        &mut self.stack
    }

    /// What was given up at limits.
    pub fn shed(&self) -> Shed {
        self.stack.shed()
    }

    /// How much all open runs are: how many, and about how many bytes.
    pub fn size(&self) -> Size {
        self.stack.size()
    }

    /// How many keys have open runs, over all patterns.
    pub fn open_keys(&self) -> usize {
        self.stack.open_keys()
    }
}

impl<E: Event + Serialize + DeserializeOwned> Engine<E> {
    /// The whole state, as versioned bytes.
    ///
    /// # Errors
    /// If an event cannot be serialised.
    pub fn snapshot(&self) -> Result<Vec<u8>, Error> {
        self.save().to_bytes()
    }

    /// The whole state, to be made bytes elsewhere.
    pub fn save(&self) -> Snapshot<E> {
        let mut stack = self.stack.save();
        stack.hold(&self.admitted);
        Snapshot::new(&self.patterns, &self.intake, &self.cascade, vec![stack])
    }

    /// An engine that goes on where a snapshot was taken.
    ///
    /// # Errors
    /// If the bytes are no snapshot of this version and of these patterns.
    pub fn restore(patterns: &Arc<Patterns>, config: Config, bytes: &[u8]) -> Result<Self, Error> {
        Engine::load(patterns, config, Snapshot::from_bytes(bytes, patterns)?)
    }

    /// An engine that goes on where a snapshot of these patterns was taken.
    ///
    /// # Errors
    /// If a pattern is larger than a limit, or the snapshot is not whole.
    pub fn load(patterns: &Arc<Patterns>, config: Config, snapshot: Snapshot<E>) -> Result<Self, Error> {
        let mut engine = Engine::new(patterns, config)?;
        snapshot.restore_intake(&mut engine.intake);
        let stacks = snapshot.into_parts(1, engine.intake.levels(), &mut engine.cascade);
        for stack in stacks {
            engine.stack.load(stack, patterns)?;
        }
        Ok(engine)
    }
}
