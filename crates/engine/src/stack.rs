//! What one thread owns: a shard for each level of patterns.

use std::ops::Add;
use std::sync::Arc;

use ensue_model::table::{Table, TableId};
use ensue_model::{Event, Patterns, Timestamp, Value};
use ensue_nfa::Size;

use crate::config::Config;
use crate::error::Error;
use crate::lane::Lane;
use crate::levels::Levels;
use crate::output::{Load, Most, OpenRuns, Outputs, Place, Shed};
use crate::shard::{Routed, Shard};

/// The shards of all levels that one thread owns. What its patterns emit for each other does not flow inside it, but by way of a
/// [`Cascade`](crate::Cascade): it may be for keys that another thread owns.
#[derive(Debug)]
pub struct Stack<E> {
    pub(crate) levels: Vec<Shard<E>>,
}

impl<E: Event> Stack<E> {
    /// Shards without events.
    ///
    /// # Errors
    /// If a pattern is larger than a program may be.
    pub fn new(patterns: &Patterns, levels: &Levels, config: &Config) -> Result<Self, Error> {
        let shards = levels.iter().map(|level| Shard::new(patterns, level, config));
        Ok(Stack { levels: shards.collect::<Result<_, _>>()? })
    }

    fn first(&mut self) -> &mut Shard<E> {
        &mut self.levels[0]
    }

    /// Takes an event. One for patterns of the first level is handled at once, if no event before it can come and none waits.
    ///
    /// # Errors
    /// As [`Stack::advance`].
    pub fn push(&mut self, event: Routed<E>, out: &mut Outputs<E>) -> Result<(), Error> {
        match event.level {
            0 => self.first().push(event, out),
            level => {
                self.levels[level].hold(event);
                Ok(())
            }
        }
    }

    /// As [`Stack::push`] for one after the other, but faster.
    ///
    /// # Errors
    /// As [`Stack::advance`]. The events behind the one that reached the limit are lost.
    pub fn push_all(&mut self, events: &mut Vec<Routed<E>>, out: &mut Outputs<E>) -> Result<(), Error> {
        if self.levels.len() > 1 {
            for event in events.extract_if(.., |event| event.level > 0) {
                self.levels[event.level].hold(event);
            }
        }
        self.first().push_all(events, out)
    }

    /// Moves event time for the patterns of a level: handles the events up to `through` in their order, and closes the windows
    /// that end up to then.
    ///
    /// # Errors
    /// If a limit is reached, and the engine is to stop there.
    pub fn advance(&mut self, level: usize, through: Timestamp, out: &mut Outputs<E>) -> Result<(), Error> {
        self.levels[level].advance(through, out)
    }

    /// A time by which some of what is open will have ended, and not all, if there is much: at the end of a bounded input, time can
    /// go there first. It is the end of time where there is little, or where the steps in which time goes on make a difference, as
    /// with [explicit watermarks](crate::Watermarks::Explicit) under a skip strategy.
    pub fn some_end(&self) -> Timestamp {
        self.levels.iter().map(Shard::some_end).min().unwrap_or(Timestamp::MAX)
    }

    /// Gives a table other rows, for the events that are handled from now on.
    pub fn set_table(&mut self, table: TableId, rows: &Arc<Table>) {
        self.levels.iter_mut().for_each(|shard| shard.set_table(table, rows));
    }

    /// How many evaluations had no result because of unlike types, overflow and the like.
    pub fn faults(&self) -> u64 {
        self.levels.iter().map(Shard::faults).sum()
    }

    /// How many matches cooldowns have kept back.
    pub fn kept_back(&self) -> u64 {
        self.levels.iter().map(Shard::kept_back).sum()
    }

    /// How many keys have open runs, over all patterns.
    pub fn open_keys(&self) -> usize {
        self.levels.iter().map(Shard::open_keys).sum()
    }

    /// What was given up at limits.
    pub fn shed(&self) -> Shed {
        let mut shed = Shed::default();
        self.levels.iter().for_each(|shard| shed.add(shard.shed()));
        shed
    }

    /// What each pattern has open, and what it has counted.
    pub fn loads(&self) -> impl Iterator<Item = Load> {
        self.levels.iter().flat_map(|shard| &shard.lanes).map(Lane::load)
    }

    /// Where the open runs of each pattern wait. Looks at all of them, which takes a while where there are many.
    pub fn places(&mut self) -> impl Iterator<Item = Place> {
        self.levels.iter_mut().flat_map(Shard::places)
    }

    /// The open runs of a key of a pattern, by its place among the patterns: those that no window has closed at `now`, as
    /// far as they are asked for. None for a key that another thread owns.
    pub fn runs_of(&mut self, pattern: usize, key: &[Value<'_>], now: Timestamp, most: Most) -> OpenRuns<E> {
        self.levels.iter_mut().find_map(|shard| shard.runs_of(pattern, key, now, most)).unwrap_or_default()
    }

    /// How much all open runs are: how many, and about how many bytes.
    pub fn size(&self) -> Size {
        self.levels.iter().map(Shard::size).fold(Size::default(), Size::add)
    }
}
