//! One intake and several shards, each on a thread of its own.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread::JoinHandle;

use ensue_engine::{Config, Error, Intake, Outputs, Routed, Shard};
use ensue_model::{Event, Patterns, Timestamp};

/// An engine with its keys dealt out to threads. With one shard it runs on the caller's thread.
///
/// Outputs come in event time; those of one key in the same order for any number of shards.
#[derive(Debug)]
pub struct Sharded<E: Event + Send + Sync + 'static> {
    inner: Inner<E>,
}

#[derive(Debug)]
enum Inner<E: Event + Send + Sync + 'static> {
    Inline(Box<Inline<E>>),
    Threads(Threads<E>),
}

/// One shard, on the caller's thread.
#[derive(Debug)]
struct Inline<E> {
    intake: Intake,
    shard: Shard<E>,
    /// Events that wait to be handled together.
    batch: Vec<Routed<E>>,
}

impl<E: Event> Inline<E> {
    fn new(patterns: &Patterns, config: &Config) -> Result<Self, Error> {
        let intake = Intake::new(patterns, config.watermarks)?;
        let shard = Shard::new(patterns, intake.classes().clone(), config)?;
        Ok(Inline { intake, shard, batch: Vec::with_capacity(INLINE_EVENTS) })
    }

    fn push(&mut self, event: E, out: &mut Outputs<E>) -> Result<(), Error> {
        match self.intake.admit(&event, 1) {
            Ok(admitted) => {
                self.batch.extend(admitted.routes.first().map(|route| Routed::alone(event, &admitted, route)))
            }
            Err(refusal) => refusal.put(event, out),
        }
        if self.batch.len() < INLINE_EVENTS { Ok(()) } else { self.catch_up(out) }
    }

    fn advance(&mut self, watermark: Timestamp, out: &mut Outputs<E>) -> Result<(), Error> {
        self.intake.advance(watermark);
        self.catch_up(out)
    }

    fn catch_up(&mut self, out: &mut Outputs<E>) -> Result<(), Error> {
        self.shard.push_all(&mut self.batch, out)?;
        self.shard.advance(self.intake.through(), out)
    }
}

/// The caller's side of the threads.
#[derive(Debug)]
struct Threads<E: Event + Send + Sync + 'static> {
    intake: Intake,
    workers: Vec<Worker<E>>,
    /// For each shard, the events that wait to be sent.
    batches: Vec<Vec<Routed<E>>>,
    waiting: usize,
    /// What of earlier batches has come back, of the oldest first: for each, the shards that are still at it.
    flying: VecDeque<Flying<E>>,
    first_flying: u64,
    sent: u64,
    /// For each shard, its evaluation errors when it last replied.
    faults: Vec<u64>,
    replies: Receiver<Reply<E>>,
}

#[derive(Debug)]
struct Flying<E> {
    missing: usize,
    /// By shard.
    outputs: Vec<Outputs<E>>,
}

#[derive(Debug)]
struct Worker<E> {
    batches: Option<SyncSender<Batch<E>>>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Batch<E> {
    number: u64,
    events: Vec<Routed<E>>,
    through: Timestamp,
}

#[derive(Debug)]
struct Reply<E> {
    number: u64,
    shard: usize,
    outputs: Outputs<E>,
    /// Whether the shard goes on.
    done: Result<(), Error>,
    /// All that the shard has had, not only with this batch.
    faults: u64,
}

/// How many events one shard gathers: as many as stay in the cache until they are handled.
const INLINE_EVENTS: usize = 128;

/// How many events are gathered before they are sent.
const BATCH_EVENTS: usize = 1_024;

/// How many batches may wait at a shard before the caller waits.
const BATCHES_AHEAD: usize = 8;

impl<E: Event + Send + Sync + 'static> Sharded<E> {
    /// An engine with so many shards; 0 is taken as 1.
    ///
    /// # Errors
    /// If a pattern is larger than a limit.
    pub fn new(patterns: &Arc<Patterns>, config: Config, shards: usize) -> Result<Self, Error> {
        let inner = if shards <= 1 {
            Inner::Inline(Box::new(Inline::new(patterns, &config)?))
        } else {
            Inner::Threads(Threads::new(patterns, &config, shards)?)
        };
        Ok(Sharded { inner })
    }

    /// Takes an event. What it completes comes out with this call or a later one.
    ///
    /// # Errors
    /// As [`Engine::push`](ensue_engine::Engine::push).
    pub fn push(&mut self, event: E, out: &mut Outputs<E>) -> Result<(), Error> {
        match &mut self.inner {
            Inner::Inline(inline) => inline.push(event, out),
            Inner::Threads(threads) => threads.push(event, out),
        }
    }

    /// Moves the watermark, and waits until all that it completes has come out.
    ///
    /// # Errors
    /// As [`Engine::advance`](ensue_engine::Engine::advance).
    pub fn advance(&mut self, watermark: Timestamp, out: &mut Outputs<E>) -> Result<(), Error> {
        match &mut self.inner {
            Inner::Inline(inline) => inline.advance(watermark, out),
            Inner::Threads(threads) => {
                threads.intake.advance(watermark);
                threads.send();
                threads.receive_all(out)
            }
        }
    }

    /// Ends a bounded input.
    ///
    /// # Errors
    /// As [`Engine::finish`](ensue_engine::Engine::finish).
    pub fn finish(&mut self, out: &mut Outputs<E>) -> Result<(), Error> {
        self.advance(Timestamp::MAX, out)
    }

    /// How many evaluations had no result because of unlike types, overflow and the like. Those of events whose outputs
    /// have not come out yet may be missing.
    pub fn faults(&self) -> u64 {
        match &self.inner {
            Inner::Inline(inline) => inline.shard.faults(),
            Inner::Threads(threads) => threads.faults.iter().sum(),
        }
    }
}

impl<E: Event + Send + Sync + 'static> Threads<E> {
    fn new(patterns: &Patterns, config: &Config, shards: usize) -> Result<Self, Error> {
        let intake = Intake::new(patterns, config.watermarks)?;
        let config = &Config { limits: config.limits.shared_by(shards), ..config.clone() };
        let (replies_in, replies) = channel();
        let mut workers = Vec::with_capacity(shards);
        for index in 0..shards {
            let shard = Shard::new(patterns, intake.classes().clone(), config)?;
            workers.push(Worker::new(index, shard, replies_in.clone()));
        }
        Ok(Threads {
            intake,
            batches: workers.iter().map(|_| Vec::new()).collect(),
            workers,
            waiting: 0,
            flying: VecDeque::new(),
            first_flying: 0,
            sent: 0,
            faults: vec![0; shards],
            replies,
        })
    }

    fn push(&mut self, event: E, out: &mut Outputs<E>) -> Result<(), Error> {
        let admitted = match self.intake.admit(&event, self.workers.len()) {
            Ok(admitted) => admitted,
            Err(refusal) => {
                refusal.put(event, out);
                return Ok(());
            }
        };
        match admitted.routes[..] {
            [ref route] => self.batches[route.shard].push(Routed::alone(event, &admitted, route)),
            ref routes => {
                let event = Arc::new(event);
                for route in routes {
                    self.batches[route.shard].push(Routed::shared(event.clone(), &admitted, route));
                }
            }
        }
        self.waiting += 1;
        if self.waiting >= BATCH_EVENTS {
            self.send();
            self.receive_ready(out)?;
        }
        Ok(())
    }

    /// Sends what waits to the shards, with the time up to which they may handle it.
    fn send(&mut self) {
        self.waiting = 0;
        let (number, through) = (self.sent, self.intake.through());
        self.sent += 1;
        self.flying.push_back(Flying {
            missing: self.workers.len(),
            outputs: self.workers.iter().map(|_| Outputs::new()).collect(),
        });
        for (worker, events) in self.workers.iter().zip(&mut self.batches) {
            worker.send(Batch { number, events: std::mem::take(events), through });
        }
    }

    fn receive_ready(&mut self, out: &mut Outputs<E>) -> Result<(), Error> {
        while let Ok(reply) = self.replies.try_recv() {
            self.land(reply)?;
        }
        self.take_landed(out);
        Ok(())
    }

    fn receive_all(&mut self, out: &mut Outputs<E>) -> Result<(), Error> {
        while self.flying.iter().any(|flying| flying.missing > 0) {
            let reply = self.replies.recv().expect("a shard that has a batch replies");
            self.land(reply)?;
        }
        self.take_landed(out);
        Ok(())
    }

    fn land(&mut self, mut reply: Reply<E>) -> Result<(), Error> {
        let flying = &mut self.flying[(reply.number - self.first_flying) as usize];
        flying.missing -= 1;
        flying.outputs[reply.shard].append(&mut reply.outputs);
        self.faults[reply.shard] = reply.faults;
        reply.done
    }

    /// Gives out the batches that are whole, in their order.
    fn take_landed(&mut self, out: &mut Outputs<E>) {
        while let Some(mut flying) = self.flying.pop_front_if(|flying| flying.missing == 0) {
            self.first_flying += 1;
            Outputs::merge(std::mem::take(&mut flying.outputs), out);
        }
    }
}

impl<E: Event + Send + Sync + 'static> Worker<E> {
    fn new(index: usize, mut shard: Shard<E>, replies: Sender<Reply<E>>) -> Self {
        let (batches, incoming) = sync_channel::<Batch<E>>(BATCHES_AHEAD);
        let work = move || {
            for Batch { number, mut events, through } in incoming {
                let mut outputs = Outputs::new();
                let done = shard.push_all(&mut events, &mut outputs);
                let done = done.and_then(|()| shard.advance(through, &mut outputs));
                let faults = shard.faults();
                if replies.send(Reply { number, shard: index, outputs, done, faults }).is_err() {
                    return;
                }
            }
        };
        Worker { batches: Some(batches), thread: Some(std::thread::spawn(work)) }
    }

    fn send(&self, batch: Batch<E>) {
        let batches = self.batches.as_ref().expect("the channel is open until the worker is dropped");
        batches.send(batch).expect("a shard takes batches until its channel is closed");
    }
}

impl<E> Drop for Worker<E> {
    fn drop(&mut self) {
        self.batches = None;
        if let Some(thread) = self.thread.take() {
            // A shard that panicked has said so already.
            let _ = thread.join();
        }
    }
}
