//! What the fuzz targets in `fuzz/` do with their bytes: one function a target. Each panics on what must not be.
//!
//! Knows the language, the codecs, the engine, jobs and the reference matcher by their front doors. Knows nothing of the fuzzer, so that
//! the ordinary tests replay what it has found.

mod check;
mod checkpoint;
mod decode;
mod job;
mod parse;
mod run;
mod table;
mod time;

mod arrivals;
mod words;

pub use check::check;
pub use checkpoint::checkpoint;
pub use decode::decode;
pub use job::job;
pub use parse::parse;
pub use run::{case, run};
pub use table::table;
pub use time::time;
