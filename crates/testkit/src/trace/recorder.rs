//! The events of one key, in the order in which they come to a pattern, out of all that arrives.
//!
//! What comes in which order, what is late, and which records the patterns below emit, is for the engine to say. So one runs
//! over the input: with the patterns whose records are read, and in the place of the pattern itself with a *probe*, which reads
//! the same streams by the same key and takes each event by itself. The probe's matches are the events.

use std::cell::Cell;
use std::sync::Arc;

use ensue_engine::{Config, Engine, Error, Intake, Outputs, Watermarks};
use ensue_model::key::key_part;
use ensue_model::pattern::{Relation, Sequence, Skip, Stage, StageId, Step};
use ensue_model::record::Emission;
use ensue_model::table::{Table, TableId};
use ensue_model::{Event, Expr, FieldId, Key, Pattern, Patterns, StreamId, Timestamp, Value};

use super::wanted::{Near, Wanted};
use crate::reference::Item;

/// An event with its position in the whole input.
#[derive(Debug)]
pub struct Placed<E> {
    /// As outputs are identified by; none for a record, until it has come to the key.
    pub(super) position: Option<u64>,
    pub(super) event: Arc<E>,
}

impl<E> Clone for Placed<E> {
    fn clone(&self) -> Self {
        Placed { position: self.position, event: self.event.clone() }
    }
}

impl<E: Event> Event for Placed<E> {
    fn time(&self) -> Timestamp {
        self.event.time()
    }

    fn field(&self, field: FieldId) -> Value<'_> {
        self.event.field(field)
    }

    fn stream(&self) -> StreamId {
        self.event.stream()
    }

    fn of_record(stream: StreamId, time: Timestamp, fields: &[(FieldId, Value<'static>)]) -> Option<Self> {
        E::of_record(stream, time, fields).map(|event| Placed { position: None, event: Arc::new(event) })
    }
}

/// What became of an event that was given to a recorder.
#[derive(Clone, Debug)]
pub enum Recorded<E> {
    /// It is for the key.
    OfKey,
    /// It is for other keys, or the pattern does not read it.
    Other,
    /// It came too late; whether it is for the key.
    Late(bool),
    /// It has no key, for this reason.
    NoKey(String, Arc<E>),
}

/// Collects the events of one key for one of several patterns. It holds those, and the state of the patterns whose records are
/// read; nothing else of the input.
#[derive(Debug)]
pub struct Recorder<E> {
    wanted: Wanted,
    /// Says what is late, where the engine is given the events of the key alone.
    intake: Intake,
    engine: Engine<Placed<E>>,
    /// Where the probe is among the engine's patterns.
    probe: usize,
    out: Outputs<Placed<E>>,
    recording: Recording<E>,
    near: Near,
    /// The most events that are kept.
    events_max: usize,
}

/// What a recorder has found.
#[derive(Debug)]
pub struct Recording<E> {
    pub(super) patterns: Arc<Patterns>,
    pub(super) pattern: usize,
    pub(super) watermarks: Watermarks,
    pub(super) tables: Vec<(TableId, Arc<Table>)>,
    /// The key, if it came.
    pub key: Option<Key>,
    /// Another key that is written the same, if there is one: `7` and `"7"`.
    pub namesake: Option<Key>,
    /// The keys that come nearest, if it did not come; and whether one of them may be meant.
    pub near: (Vec<Vec<Value<'static>>>, bool),
    /// How many events came for the key.
    pub events: u64,
    /// How many of them came too late.
    pub late: u64,
    /// The first of those, with the watermark that they came behind.
    pub first_late: Option<(Arc<E>, Timestamp)>,
    /// How many events came in all.
    pub all: u64,
    /// The latest time of all events.
    pub latest: Option<Timestamp>,
    /// The events of the key, up to a limit, and the watermarks, if the caller gave some, in their order.
    pub(super) items: Vec<Item<Placed<E>>>,
}

impl<E: Event> Recorder<E> {
    /// A recorder that has seen nothing. Of the key's events it keeps so many.
    ///
    /// # Errors
    /// If the engine refuses the patterns.
    pub fn new(
        patterns: &Arc<Patterns>,
        pattern: usize,
        wanted: Wanted,
        watermarks: Watermarks,
        events_max: usize,
    ) -> Result<Self, Error> {
        let observed = Arc::new(observed(patterns, pattern));
        let config = Config { watermarks, ..Config::default() };
        Ok(Recorder {
            wanted,
            intake: Intake::new(&observed, watermarks)?,
            engine: Engine::new(&observed, config)?,
            probe: observed.patterns.len() - 1,
            out: Outputs::new(),
            recording: Recording {
                patterns: patterns.clone(),
                pattern,
                watermarks,
                tables: Vec::new(),
                key: None,
                namesake: None,
                near: Default::default(),
                events: 0,
                late: 0,
                first_late: None,
                all: 0,
                latest: None,
                items: Vec::new(),
            },
            near: Near::default(),
            events_max,
        })
    }

    /// Gives a table its rows.
    pub fn set_table(&mut self, table: TableId, rows: Arc<Table>) {
        self.engine.set_table(table, rows.clone());
        self.recording.tables.push((table, rows));
    }

    /// Takes an event of the input.
    ///
    /// # Errors
    /// If a pattern whose records are read reaches a limit of the engine.
    pub fn push(&mut self, event: E) -> Result<Recorded<E>, Error> {
        self.recording.all += 1;
        self.recording.latest = self.recording.latest.max(Some(event.time()));
        let is_of_key = self.is_of_key(&event);
        let event = Placed { position: Some(self.intake.position()), event: Arc::new(event) };
        let mut refused = Outputs::new();
        self.intake.admit(event.clone(), 1, &mut refused, |_, _| {});
        if let Some(rejected) = refused.rejected.pop() {
            return Ok(Recorded::NoKey(rejected.reason, event.event));
        }
        if !refused.late.is_empty() {
            if is_of_key {
                self.note_late(event.event);
            }
            return Ok(Recorded::Late(is_of_key));
        }
        // Alone, the probe need not see what it would pass over.
        if is_of_key || self.probe > 0 {
            self.engine.push(event, &mut self.out)?;
            self.collect();
        }
        Ok(if is_of_key { Recorded::OfKey } else { Recorded::Other })
    }

    /// Moves the watermark, where the caller does.
    ///
    /// # Errors
    /// As [`Recorder::push`].
    pub fn advance(&mut self, watermark: Timestamp) -> Result<(), Error> {
        self.intake.advance(watermark);
        self.engine.advance(watermark, &mut self.out)?;
        self.collect();
        self.recording.items.push(Item::Watermark(watermark));
        Ok(())
    }

    /// Ends the input.
    ///
    /// # Errors
    /// As [`Recorder::push`].
    pub fn finish(mut self) -> Result<Recording<E>, Error> {
        self.engine.finish(&mut self.out)?;
        self.collect();
        let Recorder { wanted, mut recording, near, .. } = self;
        if recording.key.is_none() {
            recording.near = near.into_keys(&wanted);
        }
        Ok(recording)
    }

    /// Whether one of an event's keys is the one that is wanted.
    fn is_of_key(&mut self, event: &E) -> bool {
        let patterns = self.recording.patterns.clone();
        let pattern = &patterns.patterns[self.recording.pattern];
        if !pattern.from.contains(&event.stream()) {
            return false;
        }
        let faults = Cell::new(0);
        for (_, way) in pattern.key.ways_of(event.stream()) {
            let key: Vec<Value<'_>> = way.parts.iter().map(|part| key_part(part, event, &faults)).collect();
            if key.iter().any(Value::is_null) {
                continue;
            }
            if self.wanted.fits(&key) {
                return true;
            }
            if self.recording.key.is_none() {
                self.near.add(&key, &self.wanted);
            }
        }
        false
    }

    fn note_late(&mut self, event: Arc<E>) {
        self.recording.late += 1;
        let watermark = self.intake.watermark();
        self.recording.first_late.get_or_insert((event, watermark));
    }

    /// Takes over what has come to the probe for the key.
    fn collect(&mut self) {
        for found in self.out.matches.drain(..).filter(|found| found.run.pattern == self.probe) {
            let key = found.run.key;
            if !self.wanted.fits(&key) {
                if self.recording.key.is_none() {
                    self.near.add(&key, &self.wanted);
                }
                continue;
            }
            match &self.recording.key {
                None => self.recording.key = Some(key),
                Some(known) if *known == key => {}
                Some(_) => {
                    self.recording.namesake.get_or_insert(key);
                    continue;
                }
            }
            self.recording.events += 1;
            if self.recording.events <= self.events_max as u64 {
                for (_, taken) in found.run.events {
                    let position = Some(taken.event.position.unwrap_or(taken.position));
                    let event = Placed { position, event: taken.event.event.clone() };
                    self.recording.items.push(Item::Event(event));
                }
            }
        }
        self.out.timeouts.clear();
        self.out.late.clear();
        self.out.rejected.clear();
    }
}

/// The patterns whose records a pattern reads, and those that these read, and the probe in its place.
fn observed(patterns: &Patterns, pattern: usize) -> Patterns {
    let all = &patterns.patterns;
    let mut needed = vec![pattern];
    let mut next = 0;
    while let Some(reader) = needed.get(next).map(|index| &all[*index]) {
        let emits = |other: &Pattern| emitted(other).any(|stream| reader.from.contains(&stream));
        let below: Vec<usize> = (0..all.len()).filter(|index| emits(&all[*index]) && !needed.contains(index)).collect();
        needed.extend(below);
        next += 1;
    }
    let mut below: Vec<usize> = needed.split_off(1);
    below.sort_unstable();
    let below = below.into_iter().map(|index| all[index].clone());
    Patterns { patterns: below.chain([probe(&all[pattern])]).collect(), ..patterns.clone() }
}

fn emitted(pattern: &Pattern) -> impl Iterator<Item = StreamId> {
    [&pattern.emit, &pattern.timeout].into_iter().filter_map(|emission| emission.record()?.stream)
}

/// A pattern that takes each event that another one reads, by the same key.
fn probe(pattern: &Pattern) -> Pattern {
    let step = Step { relation: Relation::FollowedBy, ..Step::stage(StageId(0), Expr::truth()) };
    let sequence = Sequence { steps: vec![step] };
    Pattern {
        from: pattern.from.clone(),
        key: pattern.key.clone(),
        skip: Skip::None,
        timeout: Emission::Nothing,
        ..Pattern::new(&pattern.name, vec![Stage::named("event")], sequence)
    }
}
