//! Runs an engine on several threads: an intake on the caller's, and a shard of the keys on each of the others.
//!
//! Knows no formats and no files. Batches of events cross threads, not single ones; what comes out for one key does not
//! depend on the number of shards.

mod clock;
pub mod event;
pub mod job;
mod sharded;

pub use sharded::Sharded;
