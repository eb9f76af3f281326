//! The thread that makes checkpoints bytes and writes them, while the stream goes on.

use std::sync::mpsc::{Receiver, Sender, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use ensue_engine::Snapshot;
use ensue_model::Timestamp;

use crate::clock;
use crate::event::Numbered;
use crate::job::JobError;
use crate::job::checkpoint::{Checkpoint, SavedSink, SavedSource, Store, StoreError};
use crate::job::threads::{Message, Synced};

/// A checkpoint that has been written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Stored {
    pub(crate) number: u64,
    pub(crate) bytes: u64,
    /// How long it took to write it, since it was cut.
    pub(crate) took: Duration,
}

/// The thread that keeps checkpoints.
pub(crate) struct Keeper {
    orders: SyncSender<Order>,
    thread: JoinHandle<Result<(), StoreError>>,
}

/// A checkpoint to be written, when the sinks are as far.
struct Order {
    number: u64,
    taken: Timestamp,
    sources: Vec<SavedSource>,
    engine: Snapshot<Numbered>,
    has_ended: bool,
    synced: Receiver<Synced>,
}

/// What is the same in all checkpoints of a process.
struct Desk {
    store: Store,
    job: String,
    patterns: Vec<(String, String)>,
}

impl Keeper {
    pub(crate) fn start(store: Store, job: String, patterns: Vec<(String, String)>, to: Sender<Message>) -> Self {
        let (orders, incoming) = sync_channel::<Order>(1);
        let desk = Desk { store, job, patterns };
        let thread = std::thread::spawn(move || {
            let mut last = Ok(());
            for order in incoming {
                let stored = desk.keep(order);
                last = stored.as_ref().map(|_| ()).map_err(StoreError::copied);
                // Whoever drives the job may be waiting for the end of this thread alone.
                let _ = to.send(Message::Stored(stored));
            }
            last
        });
        Keeper { orders, thread }
    }

    /// Writes a checkpoint, as soon as the sinks have made safe what came before.
    pub(crate) fn keep(
        &self,
        number: u64,
        taken: Timestamp,
        sources: Vec<SavedSource>,
        engine: Snapshot<Numbered>,
        has_ended: bool,
        synced: Receiver<Synced>,
    ) {
        let order = Order { number, taken, sources, engine, has_ended, synced };
        self.orders.send(order).expect("the keeper takes orders until its channel is closed");
    }

    /// Waits until the last checkpoint is written.
    ///
    /// # Errors
    /// If it could not be.
    pub(crate) fn finish(self) -> Result<(), JobError> {
        let Keeper { orders, thread } = self;
        drop(orders);
        Ok(thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?)
    }
}

impl Desk {
    fn keep(&self, order: Order) -> Result<Stored, StoreError> {
        let started = clock::started();
        let Order { number, taken, sources, engine, has_ended, synced } = order;
        let engine = engine.to_bytes().map_err(|error| StoreError::new(error.to_string()))?;
        let Synced { positions, counts } =
            synced.recv().map_err(|_| StoreError::new("a sink has failed".to_owned()))?;
        let sinks = positions.into_iter().map(|(name, position)| SavedSink { name, position }).collect();
        let (job, patterns) = (self.job.clone(), self.patterns.clone());
        let checkpoint = Checkpoint { job, number, taken, patterns, sources, sinks, counts, has_ended, engine };
        let bytes = self.store.write(&checkpoint)?;
        Ok(Stored { number, bytes, took: started.elapsed() })
    }
}
