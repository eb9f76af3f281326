//! The threads around a job's flow: one for each source, one for the sinks.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, SyncSender, TryRecvError, channel, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use ensue_connect::{Error, Position};
use tracing::{info, warn};

use crate::job::JobError;
use crate::job::checkpoint::StoreError;
use crate::job::control::Control;
use crate::job::flow::Outflow;
use crate::job::http::Question;
use crate::job::inlet::{Given, Inlet};
use crate::job::keeper::Stored;
use crate::job::meters::{Meters, OfSource};
use crate::job::outlets::{Counts, Outlets, Watch};
use crate::job::plan::Plan;

/// How many batches of a source wait at most until they are taken.
const BATCHES_AHEAD: usize = 4;

/// How long a source is waited for before its thread looks at other things.
const PATIENCE: Duration = Duration::from_millis(100);

/// The pauses between attempts to read: each twice as long as the one before.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// How many orders wait at the writer at most until the job waits.
const ORDERS_AHEAD: usize = 16;

/// What the thread that drives a job is told.
pub(crate) enum Message {
    /// A source has given something.
    Given(usize, Given),
    /// A source has failed for good.
    Failed(usize, Error),
    /// A checkpoint has been written.
    Stored(Result<Stored, StoreError>),
    /// Somebody wants to see something.
    Asked(Question),
}

/// The thread that listens to a source.
pub(crate) struct Listener {
    /// Each word lets it read another batch.
    leave: Sender<()>,
}

impl Listener {
    pub(crate) fn start(
        source: usize,
        meters: Arc<Meters>,
        inlet: Inlet,
        to: Sender<Message>,
        control: Arc<Control>,
    ) -> Self {
        let (leave, allowed) = channel();
        let listener = Listener { leave };
        listener.go_on(BATCHES_AHEAD);
        let _thread = std::thread::spawn(move || Ear { source, meters, inlet, to, control }.listen(&allowed));
        listener
    }

    /// Lets it read so many more batches.
    pub(crate) fn go_on(&self, batches: usize) {
        for _ in 0..batches {
            // A source that has ended needs no leave.
            let _ = self.leave.send(());
        }
    }
}

/// What the thread of a source knows.
struct Ear {
    source: usize,
    meters: Arc<Meters>,
    inlet: Inlet,
    to: Sender<Message>,
    control: Arc<Control>,
}

impl Ear {
    fn listen(mut self, allowed: &Receiver<()>) {
        while allowed.recv().is_ok() {
            loop {
                let Some(given) = self.read() else { return };
                let (is_batch, is_end) = (matches!(given, Given::Batch(_)), matches!(given, Given::Ended(_)));
                if self.to.send(Message::Given(self.source, given)).is_err() || is_end {
                    return;
                }
                if is_batch {
                    break;
                }
            }
        }
    }

    /// Reads on. A source that fails is asked again, with growing pauses. None if the job stops.
    fn read(&mut self) -> Option<Given> {
        let mut pause = FIRST_PAUSE;
        let OfSource { name, trouble, .. } = &self.meters.sources[self.source];
        loop {
            if self.control.is_stopping() {
                return None;
            }
            match self.inlet.read(PATIENCE) {
                Ok(given) => {
                    if pause > FIRST_PAUSE {
                        trouble.is_over();
                        info!(source = name, "can be read again");
                    }
                    return Some(given);
                }
                Err(error) if error.is_final() => {
                    let _ = self.to.send(Message::Failed(self.source, error));
                    return None;
                }
                Err(error) => {
                    warn!(source = name, "cannot read: {error}; it is tried again in {pause:?}");
                    trouble.failed(&error);
                    self.control.wait(pause);
                    pause = LONGEST_PAUSE.min(pause * 2);
                }
            }
        }
    }
}

/// What the sinks have made safe.
pub(crate) struct Synced {
    pub(crate) positions: Vec<(String, Position)>,
    pub(crate) counts: Counts,
}

/// The thread that writes what comes out.
pub(crate) struct Writer {
    orders: Option<SyncSender<Order>>,
    thread: Option<JoinHandle<Result<Counts, JobError>>>,
}

enum Order {
    Put(Outflow),
    Sync(SyncSender<Synced>),
    Change(Arc<Plan>),
}

impl Writer {
    pub(crate) fn start(mut outlets: Outlets, control: Arc<Control>, meters: Arc<Meters>) -> Self {
        let (orders, incoming) = sync_channel(ORDERS_AHEAD);
        let thread = std::thread::spawn(move || {
            let mut patience = Patience { control, meters, failed: None };
            match write(&mut outlets, &incoming, &mut patience) {
                Ok(()) => Ok(outlets.counts),
                Err(error) => Err(JobError::sink(&patience.failed.unwrap_or_default(), error)),
            }
        });
        Writer { orders: Some(orders), thread: Some(thread) }
    }

    /// Hands over what has come out, and leaves none. Waits as long as the sinks are behind.
    ///
    /// # Errors
    /// If a sink was given up.
    pub(crate) fn put(&mut self, out: &mut Outflow) -> Result<(), JobError> {
        if out.is_empty() { Ok(()) } else { self.order(Order::Put(std::mem::take(out))) }
    }

    /// What is handed over from now on is of other patterns.
    ///
    /// # Errors
    /// If a sink was given up.
    pub(crate) fn change(&mut self, plan: &Arc<Plan>) -> Result<(), JobError> {
        self.order(Order::Change(plan.clone()))
    }

    /// Lets the sinks make safe all that has been handed over.
    ///
    /// # Errors
    /// If a sink was given up.
    pub(crate) fn sync(&mut self) -> Result<Receiver<Synced>, JobError> {
        let (to, synced) = sync_channel(1);
        self.order(Order::Sync(to))?;
        Ok(synced)
    }

    fn order(&mut self, order: Order) -> Result<(), JobError> {
        match self.orders.as_ref().map(|orders| orders.send(order)) {
            Some(Ok(())) => Ok(()),
            _ => self.close().map(drop),
        }
    }

    /// Waits until all is written and safe.
    ///
    /// # Errors
    /// If a sink was given up.
    pub(crate) fn finish(mut self) -> Result<Counts, JobError> {
        self.close()
    }

    fn close(&mut self) -> Result<Counts, JobError> {
        self.orders = None;
        match self.thread.take() {
            Some(thread) => thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
            None => Ok(Counts::default()),
        }
    }
}

fn write(outlets: &mut Outlets, orders: &Receiver<Order>, patience: &mut Patience) -> Result<(), Error> {
    loop {
        let order = match orders.try_recv() {
            Ok(order) => Some(order),
            Err(TryRecvError::Disconnected) => None,
            Err(TryRecvError::Empty) => {
                // Nothing waits, so what has been put need not wait either.
                outlets.flush(true, patience)?;
                orders.recv().ok()
            }
        };
        match order {
            Some(Order::Put(mut out)) => {
                outlets.put(&mut out);
                patience.meters.came_out(&outlets.counts);
                outlets.flush(false, patience)?;
            }
            Some(Order::Change(plan)) => {
                outlets.change(&plan);
                patience.meters.change(&plan.patterns);
                patience.meters.came_out(&outlets.counts);
            }
            Some(Order::Sync(to)) => {
                let positions = outlets.sync(patience)?;
                // Who asked may have given up.
                let _ = to.send(Synced { positions, counts: outlets.counts.clone() });
            }
            None => {
                outlets.sync(patience)?;
                return Ok(());
            }
        }
    }
}

/// Waits for a sink that fails, as long as the job goes on.
struct Patience {
    control: Arc<Control>,
    meters: Arc<Meters>,
    /// The sink that failed last.
    failed: Option<String>,
}

impl Watch for Patience {
    fn failed(&mut self, sink: &str, error: &Error, pause: Duration) -> bool {
        warn!(sink, "cannot write: {error}; it is tried again in {pause:?}");
        self.meters.sink(sink).into_iter().for_each(|meter| meter.trouble.failed(error));
        self.failed = Some(sink.to_owned());
        !self.control.wait(pause)
    }

    fn recovered(&mut self, sink: &str) {
        info!(sink, "can be written again");
        self.meters.sink(sink).into_iter().for_each(|meter| meter.trouble.is_over());
    }
}
