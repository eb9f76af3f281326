//! The pure part of a job: batches of several sources in, outputs out, and cuts through all of it.
//!
//! Knows no clock, no thread of a source, no file: what time it is, it is told. So it can be run by a simulator as well as by
//! threads.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::mpsc::Receiver;

use ensue_engine::{Config, EVENTS_TOGETHER, Error, LEVEL_POSITIONS, OpenRuns, Outputs, Place, Snapshot, Watermarks};
use ensue_model::table::{Table, TableId};
use ensue_model::{Event, Patterns, Span, Timestamp};
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use crate::Sharded;
use crate::event::Numbered;
use crate::job::http::figures::Figures;
use crate::job::http::runs::Asked;
use crate::job::inlet::Batch;
use crate::job::plan::Plan;
use crate::job::reader::Mark;
use crate::job::records::{Bad, Decoded, Next, Records};
use crate::lines::{Encoder, Lines};

#[cfg(test)]
mod simulation;

/// The most sources that a job has.
pub const SOURCES_MAX: usize = 4_096;

/// So many events each source can give: positions tell sources apart by their upper bits.
const SOURCE_POSITIONS: u64 = LEVEL_POSITIONS / SOURCES_MAX as u64;

/// So many events are taken from the other sources while one holds time back. Then they wait for it.
const AHEAD_MAX: u64 = 100_000;

/// So many events are taken at once at most: then the caller can see to other things.
const RUN_EVENTS: usize = 8_192;

/// How the time of a source passes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Pace {
    /// How much later than one with a later time an event may come.
    pub out_of_order: Span,
    /// So long a source may be silent until the others do not wait for it. None: they wait forever.
    pub idle: Option<Span>,
}

/// How far a source has come.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Progress {
    /// What of it has been taken.
    pub mark: Mark,
    /// How many events it has given.
    pub events: u64,
    /// The latest time of its events.
    pub newest: Timestamp,
    /// Whether it has ended.
    pub has_ended: bool,
}

impl Default for Progress {
    fn default() -> Self {
        Progress { mark: Mark::default(), events: 0, newest: Timestamp::MIN, has_ended: false }
    }
}

/// A point in the stream: what all sources had given up to there, and what the engine knew.
#[derive(Debug)]
pub struct Cut {
    /// How far each source had come.
    pub progress: Vec<Progress>,
    /// What the engine knew.
    pub engine: Snapshot<Numbered>,
}

/// What comes out of a flow, and has to go to the sinks.
#[derive(Debug, Default)]
pub(crate) struct Outflow {
    pub(crate) lines: Lines,
    /// Lines that are no events, with the source that they are of.
    pub(crate) bad: Vec<(usize, Box<Bad>)>,
}

impl Outflow {
    pub(crate) fn is_empty(&self) -> bool {
        self.lines.is_empty() && self.bad.is_empty()
    }
}

/// Batches of several sources through an engine.
pub(crate) struct Flow {
    engine: Sharded<Numbered, Encoder>,
    inflows: Vec<Inflow>,
    /// How many events have been taken while a source held time back.
    ahead: u64,
    /// What has come out since it was last asked for.
    out: Outflow,
    /// Room for the events that are pushed together.
    placed: Vec<(u64, Numbered)>,
    /// Room for those that are late.
    late: Outputs<Numbered>,
}

/// What a source has given.
struct Inflow {
    pace: Pace,
    batches: VecDeque<Waiting>,
    /// How far it has come. The mark is that behind the batches that have been taken.
    progress: Progress,
    /// Whether it will give nothing more.
    is_closed: bool,
    /// When it last gave something, by the clock on the wall.
    heard: Timestamp,
    /// How many batches have been taken since this was last asked.
    finished: usize,
}

/// A batch, some of which may have been taken.
struct Waiting {
    mark: Mark,
    after: Mark,
    records: Records,
    taken: u64,
}

impl Inflow {
    fn new(pace: Pace, progress: Progress, now: Timestamp) -> Self {
        let is_closed = progress.has_ended;
        Inflow { pace, batches: VecDeque::new(), progress, is_closed, heard: now, finished: 0 }
    }

    fn give(&mut self, Batch { mark, after, records, changes: _, read: _ }: Batch, now: Timestamp) {
        self.batches.push_back(Waiting { mark, after, records, taken: 0 });
        self.heard = now;
    }

    /// The time before which, by its own events, none will come.
    fn through(&self) -> Timestamp {
        match self.progress.newest {
            Timestamp::MIN => Timestamp::MIN,
            newest => newest - self.pace.out_of_order,
        }
    }

    /// Events at or before this time are late.
    fn watermark(&self) -> Timestamp {
        self.through().just_before()
    }

    /// Whether all that it gave has been taken, and no more will come.
    fn has_ended(&self) -> bool {
        self.is_closed && self.batches.is_empty()
    }

    /// Whether it has nothing now, and may have something later.
    fn is_awaited(&self) -> bool {
        !self.is_closed && self.batches.is_empty()
    }

    /// Whether the others do not wait for it any more.
    fn is_idle(&self, now: Timestamp) -> bool {
        self.is_awaited() && self.pace.idle.is_some_and(|idle| now - self.heard >= idle)
    }

    /// Where time is if nothing comes and it follows the clock. None where nothing ever came.
    fn by_clock(&self, now: Timestamp) -> Option<Timestamp> {
        let watermark = self.watermark();
        (watermark > Timestamp::MIN).then(|| watermark + (now - self.heard))
    }

    /// The time of its next event. Lines before that, which are none, are given to `reject`.
    fn next_time(&mut self, mut reject: impl FnMut(Box<Bad>)) -> Option<Timestamp> {
        loop {
            match self.batches.front()?.records.peek()? {
                Next::Event(time) => return Some(time),
                Next::Bad => self.take_bad().into_iter().for_each(&mut reject),
            }
        }
    }

    fn take_bad(&mut self) -> Option<Box<Bad>> {
        match self.take()? {
            Decoded::Bad(bad) => Some(bad),
            Decoded::Event(_) => None,
        }
    }

    /// Takes its next event, if that comes no later than others: up to this time, or before it.
    fn take_event(&mut self, until: Option<Until>) -> Option<Numbered> {
        let Next::Event(time) = self.batches.front()?.records.peek()? else { return None };
        if until.is_some_and(|until| until.is_over(time)) {
            return None;
        }
        match self.take()? {
            Decoded::Event(event) => Some(event),
            Decoded::Bad(_) => None,
        }
    }

    fn take(&mut self) -> Option<Decoded> {
        let batch = self.batches.front_mut()?;
        let next = batch.records.next()?;
        batch.taken += 1;
        if batch.records.is_empty()
            && let Some(batch) = self.batches.pop_front()
        {
            self.progress.mark = batch.after;
            self.finished += 1;
        }
        Some(next)
    }

    /// How far it has come.
    fn progress(&self) -> Progress {
        let mark = match self.batches.front() {
            Some(batch) => Mark { records: batch.mark.records + batch.taken, ..batch.mark.clone() },
            None => self.progress.mark.clone(),
        };
        Progress { mark, has_ended: self.has_ended(), ..self.progress.clone() }
    }
}

/// Up to where the events of a source come before those of the others: of equal times, those of the source that is named first.
#[derive(Clone, Copy)]
struct Until {
    time: Timestamp,
    /// Whether events of that time still come before.
    inclusive: bool,
}

impl Until {
    fn is_over(self, time: Timestamp) -> bool {
        if self.inclusive { time > self.time } else { time >= self.time }
    }
}

/// How event time moves. A single source moves it itself, so that its events need not wait.
fn watermarks(paces: &[Pace]) -> Watermarks {
    match paces {
        [only] if only.out_of_order == Span::ZERO => Watermarks::Ascending,
        [only] => Watermarks::OutOfOrder(only.out_of_order),
        _ => Watermarks::Steady,
    }
}

impl Flow {
    /// A flow of sources with their paces, from where they had come to, and what writes what comes out of it. The time by the
    /// clock on the wall is needed to know later for how long they have been silent.
    ///
    /// # Errors
    /// If a pattern is larger than a limit; if the snapshot is not whole.
    pub(crate) fn new(
        patterns: &Arc<Patterns>,
        encoder: Encoder,
        config: &Config,
        shards: usize,
        paces: &[Pace],
        from: Option<Cut>,
        now: Timestamp,
    ) -> Result<Self, Error> {
        let config = Config { watermarks: watermarks(paces), ..config.clone() };
        let (engine, progress) = match from {
            Some(Cut { engine, progress }) => {
                (Sharded::load_making(encoder, patterns, config, shards, engine)?, progress)
            }
            None => (Sharded::making(encoder, patterns, config, shards)?, Vec::new()),
        };
        let progress = progress.into_iter().chain(std::iter::repeat_with(Progress::default));
        let inflows = paces.iter().zip(progress).map(|(pace, progress)| Inflow::new(*pace, progress, now)).collect();
        Ok(Flow { engine, inflows, ahead: 0, out: Outflow::default(), placed: Vec::new(), late: Outputs::new() })
    }

    /// Goes on with other patterns, from where the flow was [cut](Flow::cut): `engine` is what that gave, as one of them. `renew` makes
    /// what has been given and not been taken yet as they see it.
    ///
    /// # Errors
    /// If a pattern is larger than a limit; if the snapshot is not whole.
    pub(crate) fn change(
        &mut self,
        plan: &Plan,
        config: &Config,
        shards: usize,
        engine: Snapshot<Numbered>,
        mut renew: impl FnMut(Decoded) -> Decoded,
    ) -> Result<(), Error> {
        let paces: Vec<Pace> = self.inflows.iter().map(|inflow| inflow.pace).collect();
        let config = Config { watermarks: watermarks(&paces), ..config.clone() };
        self.engine = Sharded::load_making(plan.encoder(), &plan.patterns, config, shards, engine)?;
        for (table, rows) in &plan.tables {
            self.set_table(*table, rows.clone())?;
        }
        for batch in self.inflows.iter_mut().flat_map(|inflow| &mut inflow.batches) {
            batch.records = std::mem::take(&mut batch.records).map(&mut renew).collect();
        }
        Ok(())
    }

    /// Gives a table other rows, for the events that are taken from now on.
    ///
    /// # Errors
    /// As [`Flow::run`].
    pub(crate) fn set_table(&mut self, table: TableId, rows: Arc<Table>) -> Result<(), Error> {
        self.engine.set_table(table, rows, &mut self.out.lines)
    }

    /// Takes a batch of a source.
    pub(crate) fn give(&mut self, source: usize, batch: Batch, now: Timestamp) {
        self.inflows[source].give(batch, now);
    }

    /// Takes note that a source has nothing for now, and has come to there.
    pub(crate) fn silent(&mut self, source: usize, mark: Mark) {
        let inflow = &mut self.inflows[source];
        match inflow.batches.back_mut() {
            Some(batch) => batch.after = mark,
            None => inflow.progress.mark = mark,
        }
    }

    /// Takes note that a source will give nothing more.
    pub(crate) fn close(&mut self, source: usize, mark: Mark) {
        self.silent(source, mark);
        self.inflows[source].is_closed = true;
    }

    /// Whether all sources have given all that they have, and it has been taken.
    pub(crate) fn has_ended(&self) -> bool {
        self.inflows.iter().all(Inflow::has_ended)
    }

    /// Takes events in the order of their times, as far as that is known, up to some thousand. False if there is nothing to do
    /// until more is given, or time has gone on.
    ///
    /// # Errors
    /// If a limit is reached, and the engine is to stop there.
    pub(crate) fn run(&mut self, now: Timestamp) -> Result<bool, Error> {
        let mut left = RUN_EVENTS;
        while left > 0
            && let Some((source, until)) = self.next(now)
        {
            left -= self.take(source, until, left.min(EVENTS_TOGETHER))?;
        }
        self.pass(now)?;
        Ok(left == 0)
    }

    /// The source whose next event comes first, and up to where its events do.
    fn next(&mut self, now: Timestamp) -> Option<(usize, Option<Until>)> {
        let Flow { inflows, out, .. } = self;
        let mut heads: SmallVec<[(Timestamp, usize); 4]> = SmallVec::new();
        for (source, inflow) in inflows.iter_mut().enumerate() {
            let next = inflow.next_time(|bad| out.bad.push((source, bad)));
            heads.extend(next.map(|time| (time, source)));
        }
        let is_held = self.inflows.iter().any(|inflow| inflow.is_awaited() && !inflow.is_idle(now));
        if !is_held {
            self.ahead = 0;
        } else if self.ahead >= AHEAD_MAX {
            return None;
        }
        let (_, first) = heads.iter().copied().min()?;
        let second = heads.into_iter().filter(|(_, source)| *source != first).min();
        Some((first, second.map(|(time, source)| Until { time, inclusive: first < source })))
    }

    /// Takes events of a source, up to so many. Gives how many there were.
    fn take(&mut self, source: usize, until: Option<Until>, most: usize) -> Result<usize, Error> {
        let is_alone = self.inflows.len() == 1;
        let Flow { inflows, placed, late, out, engine, ahead } = self;
        let inflow = &mut inflows[source];
        let mut taken = 0;
        while taken < most
            && let Some(event) = inflow.take_event(until)
        {
            taken += 1;
            let time = event.time();
            // What is late is known by the source alone: how far the others have come must make no difference.
            if !is_alone && time <= inflow.watermark() {
                late.late.push(event);
            } else {
                placed.push((source as u64 * SOURCE_POSITIONS + inflow.progress.events, event));
            }
            inflow.progress.events += 1;
            inflow.progress.newest = inflow.progress.newest.max(time);
        }
        *ahead += taken as u64;
        engine.give(late, &mut out.lines);
        engine.push_all_at(placed.drain(..), &mut out.lines)?;
        Ok(taken)
    }

    /// Moves event time to where the sources allow.
    fn pass(&mut self, now: Timestamp) -> Result<(), Error> {
        match self.watermark(now) {
            Some(watermark) => self.engine.pass(watermark, &mut self.out.lines),
            None => Ok(()),
        }
    }

    /// The time before which no events are expected: that of the slowest source. If all are idle, time follows the clock.
    fn watermark(&self, now: Timestamp) -> Option<Timestamp> {
        let open = || self.inflows.iter().filter(|inflow| !inflow.has_ended());
        let active = open().filter(|inflow| !inflow.is_idle(now));
        // The only source moves time by its events.
        if self.inflows.len() > 1
            && let Some(slowest) = active.clone().map(Inflow::watermark).min()
        {
            return Some(slowest);
        }
        match active.count() {
            0 => open().filter_map(|inflow| inflow.by_clock(now)).max(),
            _ => None,
        }
    }

    /// The source that holds time back while others have come further.
    pub(crate) fn holder(&self, now: Timestamp) -> Option<usize> {
        let active = self.inflows.iter().enumerate();
        let active = active.filter(|(_, inflow)| !inflow.has_ended() && !inflow.is_idle(now));
        let (holder, slowest) = active.min_by_key(|(_, inflow)| inflow.watermark())?;
        let are_ahead = self.inflows.iter().any(|inflow| inflow.watermark() > slowest.watermark());
        (slowest.is_awaited() && are_ahead).then_some(holder)
    }

    /// Waits until all that the events up to now complete has come out.
    ///
    /// # Errors
    /// As [`Flow::run`].
    pub(crate) fn settle(&mut self) -> Result<(), Error> {
        self.engine.advance(Timestamp::MIN, &mut self.out.lines)
    }

    /// Ends the job, a piece at a time: time goes to its end. Gives whether it was the last piece.
    ///
    /// # Errors
    /// As [`Flow::run`].
    pub(crate) fn finish_some(&mut self) -> Result<bool, Error> {
        self.engine.finish_some(&mut self.out.lines)
    }

    /// What has come out since this was last asked.
    pub(crate) fn out(&mut self) -> &mut Outflow {
        &mut self.out
    }

    /// How many batches of a source have been taken since this was last asked.
    pub(crate) fn finished(&mut self, source: usize) -> usize {
        std::mem::take(&mut self.inflows[source].finished)
    }

    /// A point in the stream behind all that has been taken. What that completes comes out.
    ///
    /// # Errors
    /// As [`Flow::run`].
    pub(crate) fn cut(&mut self) -> Result<Cut, Error> {
        let engine = self.engine.save(&mut self.out.lines)?;
        Ok(Cut { progress: self.progress(), engine })
    }

    /// Where event time is.
    pub(crate) fn event_time(&self) -> Timestamp {
        self.engine.watermark()
    }

    /// How many events each source has given, and where its time is by them.
    pub(crate) fn sources(&self) -> impl Iterator<Item = (u64, Timestamp)> {
        self.inflows.iter().map(|inflow| (inflow.progress.events, inflow.watermark()))
    }

    /// What the engine says of itself: each shard over its channel.
    pub(crate) fn figures(&mut self) -> Vec<Receiver<Figures>> {
        self.engine.look(|stack| Figures::of(stack))
    }

    /// Where open runs wait: each shard over its channel.
    pub(crate) fn places(&mut self) -> Vec<Receiver<Vec<Place>>> {
        self.engine.look(|stack| stack.places().collect())
    }

    /// The open runs of these keys of a pattern: each shard over its channel.
    pub(crate) fn runs(&mut self, pattern: usize, asked: Asked) -> Vec<Receiver<Vec<OpenRuns<Numbered>>>> {
        let now = self.engine.watermark();
        let asked = Arc::new(asked);
        self.engine.look(move |stack| {
            let Asked { keys, most, .. } = &*asked;
            keys.iter().map(|key| stack.runs_of(pattern, key, now, *most)).collect()
        })
    }

    /// How far each source has come.
    pub(crate) fn progress(&self) -> Vec<Progress> {
        self.inflows.iter().map(Inflow::progress).collect()
    }
}
