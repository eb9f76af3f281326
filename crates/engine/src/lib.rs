//! Runs many patterns over many keys in event time: watermarks, events out of order and late, windows that close whether
//! or not the key sees another event, snapshots.
//!
//! A pure function of patterns, state and input. Knows no pattern text, no files, no clock, no threads: time is what the
//! events and the caller say.
//!
//! [`Engine`] is an [`Intake`], which gives each event its place in time, one [`Stack`] of shards, which own keys and their
//! runs, and a [`Cascade`], by which what patterns emit comes to those that read it. A runtime with threads puts several stacks
//! behind one intake.

mod cascade;
mod change;
mod config;
mod cooling;
mod engine;
mod error;
mod identity;
mod intake;
mod interest;
mod key_table;
mod keyed;
mod keys;
mod lane;
mod levels;
mod open_keys;
mod outlet;
mod output;
mod parcel;
mod places;
mod reorder;
mod shard;
mod snapshot;
mod stack;
mod windows;

pub use cascade::{Cascade, Derived, Feeds, LEVEL_POSITIONS};
pub use change::{Change, Changed, Fate, OnChange};
pub use config::{Config, Limits, OnFull, Watermarks};
pub use engine::{EVENTS_TOGETHER, Engine};
pub use ensue_nfa::Size;
pub use error::Error;
pub use intake::Intake;
pub use keys::{CLASSES_MAX, KeyClasses};
pub use levels::{Level, Levels};
pub use output::{Load, Most, Open, OpenRuns, Outputs, Place, Rejected, Shed};
pub use parcel::{Freight, Parcel};
pub use shard::Routed;
pub use snapshot::{SavedStack, Snapshot, Survey};
pub use stack::Stack;
