//! Runs many patterns over many keys in event time: watermarks, events out of order and late, windows that close whether
//! or not the key sees another event, snapshots.
//!
//! A pure function of patterns, state and input. Knows no pattern text, no files, no clock, no threads: time is what the
//! events and the caller say.
//!
//! [`Engine`] is an [`Intake`], which gives each event its place in time, and one [`Shard`], which owns keys and their
//! runs. A runtime with threads puts several shards behind one intake.

mod config;
mod engine;
mod error;
mod intake;
mod interest;
mod keys;
mod lane;
mod open_keys;
mod output;
mod reorder;
mod shard;
mod snapshot;
mod windows;

pub use config::{Config, Limits, OnFull, Watermarks};
pub use engine::Engine;
pub use ensue_nfa::Size;
pub use error::Error;
pub use intake::{Admitted, Intake, Refusal, Route};
pub use keys::{CLASSES_MAX, KeyClasses};
pub use output::{Outputs, Rejected, Shed};
pub use shard::{Routed, Shard};
pub use snapshot::{SavedShard, Snapshot};
