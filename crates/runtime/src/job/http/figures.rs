//! What the engine says of itself when it is asked: taken by the threads that own the runs, put together by who asks.

use std::sync::mpsc::Receiver;
use std::time::Duration;

use ensue_engine::{Load, Stack};
use ensue_model::Event;

/// The figures of an engine.
#[derive(Clone, Default, Debug)]
pub(crate) struct Figures {
    /// By pattern.
    pub(crate) loads: Vec<Load>,
    /// All evaluations that had no result.
    pub(crate) faults: u64,
    pub(crate) kept_back: u64,
}

impl Figures {
    pub(crate) fn of<E: Event>(stack: &Stack<E>) -> Self {
        Figures { loads: stack.loads().collect(), faults: stack.faults(), kept_back: stack.kept_back() }
    }

    /// Evaluations for outputs that had no result.
    pub(crate) fn output_faults(&self) -> u64 {
        self.faults - self.loads.iter().map(|load| load.faults).sum::<u64>()
    }

    /// The open runs of all patterns.
    pub(crate) fn open_runs(&self) -> u64 {
        self.loads.iter().map(|load| load.size.runs).sum()
    }

    /// What all shards say, if each does so in time.
    pub(crate) fn gather(shards: Vec<Receiver<Figures>>, patience: Duration) -> Option<Self> {
        let of_shards: Option<Vec<Figures>> = shards.iter().map(|shard| shard.recv_timeout(patience).ok()).collect();
        let mut all = Figures::default();
        of_shards?.into_iter().for_each(|shard| all.add(shard));
        all.loads.sort_by_key(|load| load.pattern);
        Some(all)
    }

    fn add(&mut self, other: Figures) {
        self.faults += other.faults;
        self.kept_back += other.kept_back;
        for load in other.loads {
            match self.loads.iter_mut().find(|known| known.pattern == load.pattern) {
                Some(known) => {
                    known.size = known.size + load.size;
                    known.keys += load.keys;
                    known.faults += load.faults;
                    known.shed.add(load.shed);
                }
                None => self.loads.push(load),
            }
        }
    }
}
