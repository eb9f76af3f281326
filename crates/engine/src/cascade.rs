//! What patterns emit for other patterns: collected from the outputs of a level, put into an order that does not depend on the
//! shards that they came from, and given to the levels above as events.

use std::sync::Arc;

use ensue_model::pattern::{Pattern, StageId};
use ensue_model::record::{Emission, Values};
use ensue_model::{Event, FieldId, Partial, Patterns, Record, StreamId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::error::{Error, Kind};
use crate::intake::{Intake, Route, without_key};
use crate::levels::emitted;
use crate::output::Outputs;
use crate::shard::Routed;

/// The records on their way from the patterns that emit them to those that read them.
#[derive(Debug)]
pub struct Cascade<E> {
    feeds: Feeds,
    /// For each level but the last, what it has emitted.
    sources: Vec<Source<E>>,
}

/// What patterns emit for others: known to each thread that puts something out.
#[derive(Clone, Debug)]
pub struct Feeds {
    /// For each pattern, what its matches and what its timeouts are for others.
    patterns: Arc<[[Option<Feed>; 2]]>,
}

/// The stream that a record is, and the fields of its entries.
#[derive(Debug)]
struct Feed {
    stream: StreamId,
    fields: Vec<FieldId>,
}

/// What a level has emitted.
#[derive(Debug, Serialize, Deserialize)]
#[serde(bound(serialize = "E: Serialize", deserialize = "E: serde::de::DeserializeOwned"))]
pub(crate) struct Source<E> {
    /// What has not been given to those that read it: time may not be over for more of the same time.
    waiting: Vec<Derived<E>>,
    /// How many events have been given.
    given: u64,
}

/// A record as an event, on its way to the patterns that read it.
#[derive(Debug, Serialize, Deserialize)]
#[serde(bound(serialize = "E: Serialize", deserialize = "E: serde::de::DeserializeOwned"))]
pub struct Derived<E> {
    time: Timestamp,
    rank: Rank,
    event: Arc<E>,
}

/// Where a record stands among those of the same time: as outputs do.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
struct Rank {
    events: Vec<(Timestamp, u64)>,
    pattern: usize,
    stages: Vec<StageId>,
    is_timeout: bool,
}

/// Positions of what a level has emitted start here, times the level from 1: behind all that the caller feeds, and behind what
/// the levels below have emitted.
pub const LEVEL_POSITIONS: u64 = 1 << 56;

impl<E: Event> Cascade<E> {
    /// Nothing emitted yet.
    ///
    /// # Errors
    /// If a pattern reads records, and the program's events cannot be records.
    pub fn new(patterns: &Patterns, levels: usize) -> Result<Self, Error> {
        let is_read = |stream: &StreamId| patterns.patterns.iter().any(|pattern| pattern.from.contains(stream));
        let reader = patterns
            .patterns
            .iter()
            .find(|pattern| patterns.patterns.iter().flat_map(emitted).any(|stream| pattern.from.contains(&stream)));
        if let Some(reader) = reader
            && E::of_record(StreamId(0), Timestamp::MIN, &[]).is_none()
        {
            return Err(Kind::NoRecords { pattern: reader.name.clone() }.into());
        }
        let feed = |emission: &Emission| Feed::of(emission.record()?).filter(|feed| is_read(&feed.stream));
        let feeds = |pattern: &Pattern| [feed(&pattern.emit), feed(&pattern.timeout)];
        let sources = (1..levels).map(|_| Source { waiting: Vec::new(), given: 0 });
        let feeds = Feeds { patterns: patterns.patterns.iter().map(feeds).collect() };
        Ok(Cascade { feeds, sources: sources.collect() })
    }

    /// What finds the records among outputs.
    pub fn feeds(&self) -> &Feeds {
        &self.feeds
    }

    /// Takes the records of what a level has put out. Those of the last level are read by nobody.
    pub fn collect(&mut self, level: usize, records: Vec<Derived<E>>) {
        if let Some(source) = self.sources.get_mut(level) {
            source.waiting.extend(records);
        }
    }

    /// What a level has emitted up to `through`, a time up to which it emits no more, for the shards of the levels above.
    /// What has no key is rejected.
    pub fn release(
        &mut self,
        level: usize,
        through: Timestamp,
        intake: &Intake,
        shards: usize,
        out: &mut Outputs<E>,
    ) -> Vec<(usize, Routed<E>)> {
        let Some(source) = self.sources.get_mut(level) else { return Vec::new() };
        let mut due: Vec<Derived<E>> = source.waiting.extract_if(.., |derived| derived.time <= through).collect();
        due.sort_by(|a, b| (a.time, &a.rank).cmp(&(b.time, &b.rank)));
        let mut routed = Vec::with_capacity(due.len());
        for Derived { event, .. } in due {
            let position = (level as u64 + 1) * LEVEL_POSITIONS + source.given;
            source.given += 1;
            match intake.route(&*event, shards) {
                Ok(routes) => {
                    let to = |route: &Route| (route.shard, Routed::new(event.clone(), position, through, route));
                    routed.extend(routes.iter().map(to));
                }
                Err(part) => out.rejected.push(without_key(event, part)),
            }
        }
        routed
    }
}

impl Feeds {
    /// The records among outputs that patterns read.
    pub fn records<E: Event>(&self, outputs: &Outputs<E>) -> Vec<Derived<E>> {
        let matches = outputs.matches.iter().filter_map(|found| {
            let [feed, _] = &self.patterns[found.run.pattern];
            feed.as_ref()?.derived(&found.run, found.at, found.record.as_ref()?, false)
        });
        let timeouts = outputs.timeouts.iter().filter_map(|lapsed| {
            let [_, feed] = &self.patterns[lapsed.run.pattern];
            feed.as_ref()?.derived(&lapsed.run, lapsed.deadline, lapsed.record.as_ref()?, true)
        });
        matches.chain(timeouts).collect()
    }
}

impl Feed {
    /// None where no pattern can read the record.
    fn of(record: &Record) -> Option<Self> {
        let fields = record.entries.iter().map(|entry| entry.field).collect::<Option<_>>()?;
        Some(Feed { stream: record.stream?, fields })
    }

    fn derived<E: Event>(
        &self,
        run: &Partial<E>,
        time: Timestamp,
        values: &Values,
        is_timeout: bool,
    ) -> Option<Derived<E>> {
        let fields: Vec<_> = self.fields.iter().copied().zip(values.iter().cloned()).collect();
        let rank = Rank {
            events: run.events.iter().map(|(_, taken)| (taken.time, taken.position)).collect(),
            pattern: run.pattern,
            stages: run.events.iter().map(|(stage, _)| *stage).collect(),
            is_timeout,
        };
        // A window can have been over before the last event that the run has taken, and then that is when it is known.
        let time = time.max(run.end());
        let event = E::of_record(self.stream, time, &fields)?;
        Some(Derived { time, rank, event: Arc::new(event) })
    }
}

impl<E> Cascade<E> {
    pub(crate) fn save(&self) -> Vec<Source<E>> {
        self.sources.clone()
    }

    pub(crate) fn load(&mut self, saved: Vec<Source<E>>) {
        self.sources = saved;
    }
}

impl<E> Source<E> {
    /// What is on its way, for other patterns, which have so many levels. `place` gives the position and the level of a pattern now, and
    /// `renew` a record as the patterns see it now; one that nobody reads any more is dropped.
    pub(crate) fn change(
        emitted: Vec<Self>,
        levels: usize,
        place: impl Fn(usize) -> Option<(usize, usize)>,
        renew: &mut impl FnMut(&Arc<E>) -> Option<Arc<E>>,
    ) -> Vec<Self> {
        let given = emitted.iter().map(|source| source.given).chain(std::iter::repeat(0));
        let sources = given.take(levels - 1).map(|given| Source { waiting: Vec::new(), given });
        let mut sources: Vec<Self> = sources.collect();
        let emitted = emitted.into_iter().enumerate();
        for (before, derived) in
            emitted.flat_map(|(level, source)| source.waiting.into_iter().map(move |it| (level, it)))
        {
            let Derived { time, mut rank, event } = derived;
            let (pattern, level) = place(rank.pattern).unwrap_or((rank.pattern, before));
            rank.pattern = pattern;
            if let (Some(source), Some(event)) = (sources.get_mut(level), renew(&event)) {
                source.waiting.push(Derived { time, rank, event });
            }
        }
        sources
    }
}

impl<E> Clone for Source<E> {
    fn clone(&self) -> Self {
        Source { waiting: self.waiting.clone(), given: self.given }
    }
}

impl<E> Clone for Derived<E> {
    fn clone(&self) -> Self {
        Derived { time: self.time, rank: self.rank.clone(), event: self.event.clone() }
    }
}
