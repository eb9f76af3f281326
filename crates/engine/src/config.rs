//! What the caller decides about an engine.

use ensue_model::Span;

/// What the caller decides about an engine.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Config {
    /// Where watermarks come from.
    pub watermarks: Watermarks,
    /// Whether anybody takes the partial matches that time out. If nobody does, runs with different starts move together
    /// where the pattern lets them, and no timeout comes out.
    pub timeouts: bool,
    /// What the engine does not grow beyond.
    pub limits: Limits,
}

/// What an engine does not grow beyond, and what happens when it comes there. Sizes in bytes are estimates.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Open runs of one key of one pattern.
    pub open_runs_per_key: u64,
    /// Open runs of all keys and patterns.
    pub open_runs: u64,
    /// Bytes of the runs of one key of one pattern, with their events.
    pub bytes_per_key: usize,
    /// Bytes of all runs, with their events.
    pub bytes: usize,
    /// Events that one run takes; with it, the length of a loop. A run that has so many takes no more.
    pub events_per_run: u32,
    /// Matches that one event completes for one pattern.
    pub matches_per_event: u32,
    /// What happens.
    pub on_full: OnFull,
}

/// What happens when a limit is reached. It is counted ([`Shed`](crate::Shed)) in any case.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OnFull {
    /// The engine stops with an error that names the limit, the pattern and the key.
    Stop,
    /// A key, or an engine, that is full takes no more events until runs have ended: they are rejected.
    RejectEvent,
    /// The runs that started first are dropped; they do not time out.
    DropOldest,
}

impl Default for Limits {
    /// A million open runs and 256 MiB a key, 100 million and 8 GiB in all, 100,000 events a run, a million matches
    /// an event; stops.
    fn default() -> Self {
        Limits {
            open_runs_per_key: 1_000_000,
            open_runs: 100_000_000,
            bytes_per_key: 256 << 20,
            bytes: 8 << 30,
            events_per_run: 100_000,
            matches_per_event: 1_000_000,
            on_full: OnFull::Stop,
        }
    }
}

impl Limits {
    /// The limits of each of so many shards, which have what is for all in equal parts.
    pub fn shared_by(&self, shards: usize) -> Limits {
        let shards = shards.max(1);
        Limits { open_runs: self.open_runs / shards as u64, bytes: self.bytes / shards, ..self.clone() }
    }
}

impl Default for Config {
    /// Explicit watermarks; timeouts come out; the limits of [`Limits::default`].
    fn default() -> Self {
        Config { watermarks: Watermarks::Explicit, timeouts: true, limits: Limits::default() }
    }
}

/// Where watermarks come from: the points of event time before which no more events are expected.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Watermarks {
    /// From the caller, by `advance`. Under a skip strategy, all windows that are over at a watermark close together, as in
    /// Flink: what comes out depends on where the watermarks fall.
    Explicit,
    /// From the caller, by `advance`, and windows close one after the other: what comes out does not depend on the number of
    /// steps in which time moves.
    Steady,
    /// From the events, which come in the order of their times. One before the latest is late.
    Ascending,
    /// From the events, which come at most so much later than one with a later time.
    OutOfOrder(Span),
}
