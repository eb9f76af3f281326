//! One intake and several shards, each on a thread of its own.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread::JoinHandle;

use ensue_engine::{
    Cascade, Config, Derived, EVENTS_TOGETHER, Engine, Error, Feeds, Freight, Intake, Outputs, Routed, SavedStack,
    Snapshot, Stack,
};
use ensue_model::table::{Table, TableId};
use ensue_model::{Event, Patterns, Timestamp};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::make::{Events, Make};

/// An engine with its keys dealt out to threads. With one shard it runs on the caller's thread.
///
/// Outputs come in event time; those of one key in the same order for any number of shards. What a shard [makes](Make) of its
/// outputs is what crosses to the caller: the outputs themselves, if nothing else is said.
pub struct Sharded<E: Event + Send + Sync + 'static, M: Make<E> = Events> {
    inner: Inner<E, M>,
    make: M,
    /// What has come out on the caller's thread, and was made nothing of yet.
    outputs: Outputs<E>,
}

enum Inner<E: Event + Send + Sync + 'static, M: Make<E>> {
    Inline(Box<Engine<E>>),
    Threads(Box<Threads<E, M>>),
}

/// The caller's side of the threads.
struct Threads<E: Event + Send + Sync + 'static, M: Make<E>> {
    patterns: Arc<Patterns>,
    intake: Intake,
    cascade: Cascade<E>,
    workers: Vec<Worker<E>>,
    /// For each shard, the events that wait to be sent.
    batches: Vec<Freight<E>>,
    /// Room that batches have had before.
    room: Vec<Freight<E>>,
    waiting: usize,
    /// What of earlier batches has come back, of the oldest first.
    flying: VecDeque<Flying<E, M::Made>>,
    first_flying: u64,
    sent: u64,
    /// For each shard, what it had counted when it last replied.
    counts: Vec<Counts>,
    replies: Receiver<Reply<E, M::Made>>,
}

/// A batch that is with the shards. The patterns of each level see it when those below have: what these emit is part of it.
struct Flying<E, T> {
    /// The time up to which the levels above the first may handle it.
    through: Timestamp,
    /// The level that is at it.
    level: usize,
    /// The shards that are still at it.
    missing: usize,
    /// What each shard has made of the level's outputs.
    made: Vec<Option<T>>,
    /// What the level has emitted for others, by shard.
    records: Vec<Vec<Derived<E>>>,
    /// What was made of the outputs of the levels below.
    below: Vec<T>,
}

struct Worker<E> {
    work: Option<SyncSender<Work<E>>>,
    thread: Option<JoinHandle<()>>,
}

enum Work<E> {
    Batch(Batch<E>),
    Table(TableId, Arc<Table>),
    Save(SyncSender<SavedStack<E>>),
    Look(Box<LookAt<E>>),
}

/// Looks at what a shard owns, and tells somebody.
type LookAt<E> = dyn FnOnce(&mut Stack<E>) + Send;

struct Batch<E> {
    number: u64,
    /// The level of patterns that is to handle it.
    level: usize,
    events: Dealt<E>,
    through: Timestamp,
}

/// The events of a batch: those of the input for the first level, those that levels have emitted for the others.
enum Dealt<E> {
    Input(Freight<E>),
    Emitted(Vec<Routed<E>>),
}

struct Reply<E, T> {
    number: u64,
    shard: usize,
    made: T,
    records: Vec<Derived<E>>,
    /// The room that the events of the input had.
    room: Option<Freight<E>>,
    /// Whether the shard goes on.
    done: Result<(), Error>,
    counts: Counts,
}

/// What a shard has counted, with all that it has had.
#[derive(Clone, Copy, Default, Debug)]
struct Counts {
    faults: u64,
    kept_back: u64,
}

/// How many events are gathered for each shard before it is told: to wake a thread takes as long as to handle some of them.
const BATCH_EVENTS: usize = 1_024;

/// How many batches may wait at a shard before the caller waits.
const BATCHES_AHEAD: usize = 8;

impl<E: Event + Send + Sync + 'static> Sharded<E> {
    /// An engine with so many shards; 0 is taken as 1.
    ///
    /// # Errors
    /// If a pattern is larger than a limit.
    pub fn new(patterns: &Arc<Patterns>, config: Config, shards: usize) -> Result<Self, Error> {
        Sharded::making(Events, patterns, config, shards)
    }

    /// An engine with so many shards that goes on where a snapshot of these patterns was taken, with whatever number of shards.
    ///
    /// # Errors
    /// If a pattern is larger than a limit, or the snapshot is not whole.
    pub fn load(patterns: &Arc<Patterns>, config: Config, shards: usize, snapshot: Snapshot<E>) -> Result<Self, Error>
    where
        E: Serialize + DeserializeOwned,
    {
        Sharded::load_making(Events, patterns, config, shards, snapshot)
    }
}

impl<E: Event + Send + Sync + 'static, M: Make<E>> Sharded<E, M> {
    /// As [`Sharded::new`], with what each shard makes of its outputs.
    ///
    /// # Errors
    /// As [`Sharded::new`].
    pub fn making(make: M, patterns: &Arc<Patterns>, config: Config, shards: usize) -> Result<Self, Error> {
        let inner = if shards <= 1 {
            Inner::Inline(Box::new(Engine::new(patterns, config)?))
        } else {
            Inner::Threads(Box::new(Threads::new(&make, patterns, &config, shards)?))
        };
        Ok(Sharded { inner, make, outputs: Outputs::new() })
    }

    /// As [`Sharded::load`], with what each shard makes of its outputs.
    ///
    /// # Errors
    /// As [`Sharded::load`].
    pub fn load_making(
        make: M,
        patterns: &Arc<Patterns>,
        config: Config,
        shards: usize,
        snapshot: Snapshot<E>,
    ) -> Result<Self, Error>
    where
        E: Serialize + DeserializeOwned,
    {
        let inner = if shards <= 1 {
            Inner::Inline(Box::new(Engine::load(patterns, config, snapshot)?))
        } else {
            Inner::Threads(Box::new(Threads::load(&make, patterns, &config, shards, snapshot)?))
        };
        Ok(Sharded { inner, make, outputs: Outputs::new() })
    }

    /// Takes an event. What it completes comes out with this call or a later one.
    ///
    /// # Errors
    /// As [`Engine::push`](ensue_engine::Engine::push).
    #[inline]
    pub fn push(&mut self, event: E, out: &mut M::Out) -> Result<(), Error> {
        let done = match &mut self.inner {
            Inner::Inline(engine) => engine.push_later(event, &mut self.outputs),
            Inner::Threads(threads) => threads.push(event, &mut self.outputs, out),
        };
        self.make(out);
        done
    }

    /// Takes events with their positions: of those with the same time, the one with the lower position comes first. Positions
    /// are different, and below [`LEVEL_POSITIONS`](ensue_engine::LEVEL_POSITIONS).
    ///
    /// # Errors
    /// As [`Engine::push`](ensue_engine::Engine::push).
    pub fn push_all_at(&mut self, events: impl IntoIterator<Item = (u64, E)>, out: &mut M::Out) -> Result<(), Error> {
        let outputs = &mut self.outputs;
        let done = match &mut self.inner {
            Inner::Inline(engine) => engine.push_all_at(events, outputs),
            Inner::Threads(threads) => {
                events.into_iter().try_for_each(|(position, event)| threads.push_at(position, event, outputs, out))
            }
        };
        self.make(out);
        done
    }

    /// Moves the watermark, and does not wait: what it completes comes out with this call or a later one.
    ///
    /// # Errors
    /// As [`Engine::advance`](ensue_engine::Engine::advance).
    pub fn pass(&mut self, watermark: Timestamp, out: &mut M::Out) -> Result<(), Error> {
        let done = match &mut self.inner {
            Inner::Inline(engine) => engine.advance(watermark, &mut self.outputs),
            Inner::Threads(threads) => {
                threads.intake.advance(watermark);
                threads.receive_ready(&mut self.outputs, out)
            }
        };
        self.make(out);
        done
    }

    /// Moves the watermark, and waits until all that it completes has come out.
    ///
    /// # Errors
    /// As [`Engine::advance`](ensue_engine::Engine::advance).
    pub fn advance(&mut self, watermark: Timestamp, out: &mut M::Out) -> Result<(), Error> {
        let done = match &mut self.inner {
            Inner::Inline(engine) => engine.advance(watermark, &mut self.outputs),
            Inner::Threads(threads) => {
                threads.intake.advance(watermark);
                threads.settle(&mut self.outputs, out)
            }
        };
        self.make(out);
        done
    }

    /// Ends a bounded input.
    ///
    /// # Errors
    /// As [`Engine::finish`](ensue_engine::Engine::finish).
    pub fn finish(&mut self, out: &mut M::Out) -> Result<(), Error> {
        while !self.finish_some(out)? {}
        Ok(())
    }

    /// As [`Sharded::finish`], a piece at a time: all that is open can be far more than what comes out at any other time. Gives
    /// whether it was the last piece.
    ///
    /// # Errors
    /// As [`Engine::finish`](ensue_engine::Engine::finish).
    pub fn finish_some(&mut self, out: &mut M::Out) -> Result<bool, Error> {
        let seen = self.look(|stack| stack.some_end());
        let ends = seen.into_iter().map(|seen| seen.recv().expect("a shard lives as long as the engine"));
        let until = ends.min().unwrap_or(Timestamp::MAX);
        self.advance(until, out)?;
        Ok(until == Timestamp::MAX)
    }

    /// Takes outputs that came about elsewhere, and makes of them what shards make of theirs.
    pub fn give(&mut self, outputs: &mut Outputs<E>, out: &mut M::Out) {
        self.outputs.append(outputs);
        self.make(out);
    }

    #[inline]
    fn make(&mut self, out: &mut M::Out) {
        if !self.outputs.is_empty() {
            self.make.make_here(&mut self.outputs, out);
        }
    }

    /// The whole state, behind all events that have come; what they complete comes out.
    ///
    /// # Errors
    /// As [`Engine::push`](ensue_engine::Engine::push).
    pub fn save(&mut self, out: &mut M::Out) -> Result<Snapshot<E>, Error>
    where
        E: Serialize + DeserializeOwned,
    {
        let saved = match &mut self.inner {
            Inner::Inline(engine) => engine.settle(&mut self.outputs).map(|()| engine.save()),
            Inner::Threads(threads) => threads.save(&mut self.outputs, out),
        };
        self.make(out);
        saved
    }

    /// How many evaluations had no result because of unlike types, overflow and the like. Those of events whose outputs
    /// have not come out yet may be missing.
    pub fn faults(&self) -> u64 {
        match &self.inner {
            Inner::Inline(engine) => engine.faults(),
            Inner::Threads(threads) => threads.counts.iter().map(|counts| counts.faults).sum(),
        }
    }

    /// How many matches cooldowns have kept back, as far as outputs have come out.
    pub fn kept_back(&self) -> u64 {
        match &self.inner {
            Inner::Inline(engine) => engine.kept_back(),
            Inner::Threads(threads) => threads.counts.iter().map(|counts| counts.kept_back).sum(),
        }
    }

    /// The watermark: events at or before it are late.
    pub fn watermark(&self) -> Timestamp {
        match &self.inner {
            Inner::Inline(engine) => engine.watermark(),
            Inner::Threads(threads) => threads.intake.watermark(),
        }
    }

    /// Looks at what each shard owns when it has handled what it was given before. Does not wait: what is seen comes over the
    /// channels, of which there is one for each shard.
    pub fn look<T: Send + 'static>(
        &mut self,
        look: impl Fn(&mut Stack<E>) -> T + Clone + Send + 'static,
    ) -> Vec<Receiver<T>> {
        let ask = |to: SyncSender<T>, look: &dyn Fn(&mut Stack<E>) -> T, stack: &mut Stack<E>| {
            // Who asked may have given up.
            let _ = to.send(look(stack));
        };
        match &mut self.inner {
            Inner::Inline(engine) => {
                let (to, seen) = sync_channel(1);
                ask(to, &look, engine.stack());
                vec![seen]
            }
            Inner::Threads(threads) => {
                let of_worker = |worker: &Worker<E>| {
                    let (to, seen) = sync_channel(1);
                    let look = look.clone();
                    worker.send(Work::Look(Box::new(move |stack| ask(to, &look, stack))));
                    seen
                };
                threads.workers.iter().map(of_worker).collect()
            }
        }
    }

    /// Gives a table other rows, for the events that come from now on. Before that, each table is empty.
    ///
    /// # Errors
    /// As [`Engine::push`]: the events that have come before are handled.
    ///
    /// # Panics
    /// If the patterns have no such table.
    pub fn set_table(&mut self, table: TableId, rows: Arc<Table>, out: &mut M::Out) -> Result<(), Error> {
        let outputs = &mut self.outputs;
        let done = match &mut self.inner {
            Inner::Inline(engine) => engine.settle(outputs).map(|()| engine.set_table(table, rows)),
            // Also the levels above the first must be done with what came before.
            Inner::Threads(threads) => threads.settle(outputs, out).map(|()| {
                threads.workers.iter().for_each(|worker| worker.send(Work::Table(table, rows.clone())));
            }),
        };
        self.make(out);
        done
    }
}

impl<E: Event + Send + Sync + 'static, M: Make<E>> fmt::Debug for Sharded<E, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sharded").finish_non_exhaustive()
    }
}

impl<E: Event + Send + Sync + 'static, M: Make<E>> Threads<E, M> {
    fn new(make: &M, patterns: &Arc<Patterns>, config: &Config, shards: usize) -> Result<Self, Error> {
        let intake = Intake::new(patterns, config.watermarks)?;
        let cascade = Cascade::new(patterns, intake.levels().count())?;
        let stacks = stacks(patterns, &intake, config, shards)?;
        Ok(Threads::start(make, patterns, intake, cascade, stacks))
    }

    fn start(make: &M, patterns: &Arc<Patterns>, intake: Intake, cascade: Cascade<E>, stacks: Vec<Stack<E>>) -> Self {
        let (replies_in, replies) = channel();
        let shards = stacks.len();
        let feeds = cascade.feeds();
        let worker = |(index, stack)| {
            let (make, feeds) = (make.clone(), feeds.clone());
            let owned = Owned { index, stack, make, feeds, events: Vec::new(), outputs: Outputs::new() };
            Worker::new(owned, replies_in.clone())
        };
        let workers: Vec<_> = stacks.into_iter().enumerate().map(worker).collect();
        Threads {
            patterns: patterns.clone(),
            intake,
            cascade,
            batches: workers.iter().map(|_| Freight::default()).collect(),
            room: Vec::new(),
            workers,
            waiting: 0,
            flying: VecDeque::new(),
            first_flying: 0,
            sent: 0,
            counts: vec![Counts::default(); shards],
            replies,
        }
    }

    fn push(&mut self, event: E, outputs: &mut Outputs<E>, out: &mut M::Out) -> Result<(), Error> {
        let Threads { intake, batches, .. } = self;
        intake.admit(event, self.workers.len(), outputs, |shard, parcel| batches[shard].load(parcel));
        self.admitted(outputs, out)
    }

    fn push_at(&mut self, position: u64, event: E, outputs: &mut Outputs<E>, out: &mut M::Out) -> Result<(), Error> {
        let Threads { intake, batches, .. } = self;
        intake.admit_at(position, event, self.workers.len(), outputs, |shard, parcel| batches[shard].load(parcel));
        self.admitted(outputs, out)
    }

    /// Sends what waits, if it is enough.
    fn admitted(&mut self, outputs: &mut Outputs<E>, out: &mut M::Out) -> Result<(), Error> {
        self.waiting += 1;
        if self.waiting < BATCH_EVENTS * self.workers.len() {
            return Ok(());
        }
        self.send();
        self.receive_ready(outputs, out)
    }

    /// Lets the shards handle all that has come, and waits for them.
    fn settle(&mut self, outputs: &mut Outputs<E>, out: &mut M::Out) -> Result<(), Error> {
        self.send();
        self.receive_all(outputs, out)
    }

    /// Sends what waits to the shards, with the time up to which they may handle it.
    fn send(&mut self) {
        self.waiting = 0;
        let number = self.sent;
        self.sent += 1;
        let mut flying = Flying {
            through: self.intake.watermark(),
            level: 0,
            missing: 0,
            made: Vec::new(),
            records: Vec::new(),
            below: Vec::new(),
        };
        let Threads { batches, room, .. } = self;
        let mut take = |batch: &mut Freight<E>| std::mem::replace(batch, room.pop().unwrap_or_default());
        let batches = batches.iter_mut().map(|batch| Dealt::Input(take(batch))).collect();
        self.fly(&mut flying, number, batches, self.intake.through());
        self.flying.push_back(flying);
    }

    /// Sends the events of a batch to the shards, for the level that is to handle it next.
    fn fly(&self, flying: &mut Flying<E, M::Made>, number: u64, batches: Vec<Dealt<E>>, through: Timestamp) {
        let Flying { level, missing, made, records, .. } = flying;
        *missing = self.workers.len();
        *made = self.workers.iter().map(|_| None).collect();
        *records = self.workers.iter().map(|_| Vec::new()).collect();
        for (worker, events) in self.workers.iter().zip(batches) {
            worker.send(Work::Batch(Batch { number, level: *level, events, through }));
        }
    }

    fn receive_ready(&mut self, outputs: &mut Outputs<E>, out: &mut M::Out) -> Result<(), Error> {
        while let Ok(reply) = self.replies.try_recv() {
            self.land(reply)?;
        }
        self.take_landed(outputs, out);
        Ok(())
    }

    fn receive_all(&mut self, outputs: &mut Outputs<E>, out: &mut M::Out) -> Result<(), Error> {
        self.take_landed(outputs, out);
        while !self.flying.is_empty() {
            let reply = self.replies.recv().expect("a shard that has a batch replies");
            self.land(reply)?;
            self.take_landed(outputs, out);
        }
        Ok(())
    }

    fn land(&mut self, reply: Reply<E, M::Made>) -> Result<(), Error> {
        let Reply { number, shard, made, records, room, done, counts } = reply;
        self.room.extend(room);
        let flying = &mut self.flying[(number - self.first_flying) as usize];
        flying.missing -= 1;
        flying.made[shard] = Some(made);
        flying.records[shard] = records;
        self.counts[shard] = counts;
        done
    }

    /// Gives out the batches that are whole, in their order.
    fn take_landed(&mut self, outputs: &mut Outputs<E>, out: &mut M::Out) {
        while let Some(mut flying) = self.flying.pop_front_if(|flying| flying.missing == 0) {
            flying.below.extend(flying.made.drain(..).flatten());
            if flying.level + 1 < self.intake.levels().count() {
                self.rise(&mut flying, outputs);
                self.flying.push_front(flying);
            } else {
                self.first_flying += 1;
                M::put_together(flying.below, out);
            }
        }
    }

    /// Gives the oldest batch to the next level, with what the one below has emitted.
    fn rise(&mut self, flying: &mut Flying<E, M::Made>, outputs: &mut Outputs<E>) {
        let below = flying.level;
        flying.level += 1;
        flying.records.drain(..).for_each(|records| self.cascade.collect(below, records));
        let mut batches: Vec<Vec<Routed<E>>> = self.workers.iter().map(|_| Vec::new()).collect();
        let emitted = self.cascade.release(below, flying.through, &self.intake, self.workers.len(), outputs);
        emitted.into_iter().for_each(|(shard, routed)| batches[shard].push(routed));
        let batches = batches.into_iter().map(Dealt::Emitted).collect();
        self.fly(flying, self.first_flying, batches, flying.through);
    }
}

/// What the thread of a shard owns.
struct Owned<E, M> {
    index: usize,
    stack: Stack<E>,
    make: M,
    feeds: Feeds,
    /// Room for the events that are handled together.
    events: Vec<Routed<E>>,
    /// Room for what comes out of a batch.
    outputs: Outputs<E>,
}

impl<E: Event, M: Make<E>> Owned<E, M> {
    fn run(mut self, incoming: &Receiver<Work<E>>, replies: &Sender<Reply<E, M::Made>>) {
        for work in incoming {
            match work {
                Work::Batch(batch) => {
                    if replies.send(self.handle(batch)).is_err() {
                        return;
                    }
                }
                Work::Table(table, rows) => self.stack.set_table(table, &rows),
                // Who asked may have given up.
                Work::Save(to) => drop(to.send(self.stack.save())),
                Work::Look(look) => look(&mut self.stack),
            }
        }
    }

    /// Lets the patterns of a level handle a batch.
    fn handle(&mut self, batch: Batch<E>) -> Reply<E, M::Made> {
        let Owned { index, stack, make, feeds, events, outputs } = self;
        let Batch { number, level, events: dealt, through } = batch;
        let (taken, room) = match dealt {
            Dealt::Input(mut freight) => (take(freight.unload(), events, stack, outputs), Some(freight)),
            Dealt::Emitted(emitted) => (take(emitted, events, stack, outputs), None),
        };
        let done = taken.and_then(|()| stack.advance(level, through, outputs));
        let counts = Counts { faults: stack.faults(), kept_back: stack.kept_back() };
        let records = feeds.records(outputs);
        Reply { number, shard: *index, made: make.make(outputs), records, room, done, counts }
    }
}

/// Lets a shard take events, some at a time; `some` is room for them.
fn take<E: Event>(
    events: impl IntoIterator<Item = Routed<E>>,
    some: &mut Vec<Routed<E>>,
    stack: &mut Stack<E>,
    outputs: &mut Outputs<E>,
) -> Result<(), Error> {
    let mut events = events.into_iter();
    loop {
        some.extend(events.by_ref().take(EVENTS_TOGETHER));
        if some.is_empty() {
            return Ok(());
        }
        stack.push_all(some, outputs)?;
    }
}

impl<E: Event + Send + Sync + 'static> Worker<E> {
    fn new<M: Make<E>>(owned: Owned<E, M>, replies: Sender<Reply<E, M::Made>>) -> Self {
        let (work, incoming) = sync_channel(BATCHES_AHEAD);
        let thread = std::thread::spawn(move || owned.run(&incoming, &replies));
        Worker { work: Some(work), thread: Some(thread) }
    }

    fn send(&self, work: Work<E>) {
        let channel = self.work.as_ref().expect("the channel is open until the worker is dropped");
        channel.send(work).expect("a shard takes work until its channel is closed");
    }
}

impl<E: Event + Serialize + DeserializeOwned + Send + Sync + 'static, M: Make<E>> Threads<E, M> {
    fn load(
        make: &M,
        patterns: &Arc<Patterns>,
        config: &Config,
        shards: usize,
        snapshot: Snapshot<E>,
    ) -> Result<Self, Error> {
        let mut intake = Intake::new(patterns, config.watermarks)?;
        snapshot.restore_intake(&mut intake);
        let mut cascade = Cascade::new(patterns, intake.levels().count())?;
        let saved = snapshot.into_parts(shards, intake.levels(), &mut cascade);
        let mut stacks = stacks(patterns, &intake, config, shards)?;
        stacks.iter_mut().zip(saved).try_for_each(|(stack, saved)| stack.load(saved, patterns))?;
        Ok(Threads::start(make, patterns, intake, cascade, stacks))
    }

    fn save(&mut self, outputs: &mut Outputs<E>, out: &mut M::Out) -> Result<Snapshot<E>, Error> {
        self.settle(outputs, out)?;
        let ask = |worker: &Worker<E>| {
            let (to, from) = sync_channel(1);
            worker.send(Work::Save(to));
            from
        };
        let saved: Vec<_> = self.workers.iter().map(ask).collect();
        let stacks = saved.into_iter().map(|from| from.recv().expect("a shard saves when it is told to")).collect();
        Ok(Snapshot::new(&self.patterns, &self.intake, &self.cascade, stacks))
    }
}

/// The shards of each thread, without events.
fn stacks<E: Event>(
    patterns: &Patterns,
    intake: &Intake,
    config: &Config,
    shards: usize,
) -> Result<Vec<Stack<E>>, Error> {
    let config = &Config { limits: config.limits.shared_by(shards), ..config.clone() };
    (0..shards).map(|_| Stack::new(patterns, intake.levels(), config)).collect()
}

impl<E> Drop for Worker<E> {
    fn drop(&mut self) {
        self.work = None;
        if let Some(thread) = self.thread.take() {
            // A shard that panicked has said so already.
            let _ = thread.join();
        }
    }
}
