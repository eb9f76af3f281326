//! Runs an engine on several threads: an intake on the caller's, and a shard of the keys on each of the others.
//!
//! Knows no files. Batches of events cross threads, not single ones; what comes out for one key does not
//! depend on the number of shards.

mod clock;
pub mod event;
pub mod job;
pub mod lines;
mod make;
mod sharded;

pub use make::{Events, Make};
pub use sharded::Sharded;
