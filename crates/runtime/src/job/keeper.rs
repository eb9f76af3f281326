//! The thread that makes checkpoints bytes and writes them, while the stream goes on.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use ensue_engine::{Config, Load, Place, Snapshot, Survey};
use ensue_model::Timestamp;

use crate::clock;
use crate::event::Numbered;
use crate::job::JobError;
use crate::job::checkpoint::{Checkpoint, SavedLoad, SavedPlace, SavedSink, SavedSource, Store, StoreError};
use crate::job::http::figures::Figures;
use crate::job::meters::Meters;
use crate::job::plan::Plan;
use crate::job::threads::{Message, Synced};

/// How long the shards are waited for to say how much they hold. They have nothing else to do when a checkpoint is cut.
const PATIENCE: Duration = Duration::from_secs(1);

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
pub(crate) struct Order {
    pub(crate) number: u64,
    pub(crate) taken: Timestamp,
    pub(crate) plan: Arc<Plan>,
    pub(crate) sources: Vec<SavedSource>,
    pub(crate) engine: Snapshot<Numbered>,
    pub(crate) has_ended: bool,
    /// What the engine has said of itself.
    pub(crate) figures: Vec<Receiver<Figures>>,
    pub(crate) synced: Receiver<Synced>,
}

/// What is the same in all checkpoints of a process.
struct Desk {
    store: Store,
    meters: Arc<Meters>,
    config: Config,
    /// What looks into the snapshots of the newest plan.
    survey: Option<(Arc<Plan>, Survey<Numbered>)>,
}

impl Keeper {
    pub(crate) fn start(store: Store, meters: Arc<Meters>, config: Config, to: Sender<Message>) -> Self {
        let (orders, incoming) = sync_channel::<Order>(1);
        let mut desk = Desk { store, meters, config, survey: None };
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
    pub(crate) fn keep(&self, order: Order) {
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
    fn keep(&mut self, order: Order) -> Result<Stored, StoreError> {
        let started = clock::started();
        let Order { number, taken, plan, sources, engine, has_ended, figures, synced } = order;
        let waiting = self.waiting(&plan, &engine);
        let Synced { positions, counts } =
            synced.recv().map_err(|_| StoreError::new("a sink has failed".to_owned()))?;
        let sinks = positions.into_iter().map(|(name, position)| SavedSink { name, position }).collect();
        let patterns = plan.texts.iter().map(|text| (text.name.clone(), text.text.clone())).collect();
        let (job, layout) = (self.meters.job.clone(), Some(plan.layout.clone()));
        let open = open(&plan, figures);
        #[rustfmt::skip]
        let checkpoint = Checkpoint {
            job, number, taken, patterns, layout, sources, sinks, counts, open, waiting, has_ended, engine: Vec::new(),
        };
        let bytes = self.store.write(&checkpoint, |out| engine.write(out).map_err(|error| error.to_string()))?;
        Ok(Stored { number, bytes, took: started.elapsed() })
    }

    /// Where the open runs wait. The shards could say it too, but the stream would stand still for so long.
    fn waiting(&mut self, plan: &Arc<Plan>, engine: &Snapshot<Numbered>) -> Vec<SavedPlace> {
        let Some(survey) = self.survey(plan) else { return Vec::new() };
        let saved = |Place { pattern, awaiting, runs, oldest }| {
            let pattern = &plan.patterns.patterns[pattern];
            let awaiting = awaiting.iter().map(|stage| pattern.stage_name(*stage).to_owned()).collect();
            SavedPlace { pattern: pattern.name.clone(), awaiting, runs, oldest }
        };
        survey.places(engine).into_iter().map(saved).collect()
    }

    fn survey(&mut self, plan: &Arc<Plan>) -> Option<&mut Survey<Numbered>> {
        if self.survey.as_ref().is_none_or(|(surveyed, _)| !Arc::ptr_eq(surveyed, plan)) {
            let survey = Survey::new(&plan.patterns, &self.config).ok()?;
            self.survey = Some((plan.clone(), survey));
        }
        self.survey.as_mut().map(|(_, survey)| survey)
    }
}

/// What each pattern has open. A checkpoint is none the worse for not saying it.
fn open(plan: &Plan, figures: Vec<Receiver<Figures>>) -> Vec<SavedLoad> {
    let figures = Figures::gather(figures, PATIENCE).unwrap_or_default();
    let saved = |load: Load| SavedLoad {
        pattern: plan.patterns.patterns[load.pattern].name.clone(),
        keys: load.keys as u64,
        runs: load.size.runs,
        bytes: load.size.bytes as u64,
    };
    figures.loads.into_iter().map(saved).collect()
}
