//! What the fuzz targets in `fuzz/` do with their bytes: one function a target. Each panics on what must not be.
//!
//! Knows the language, the codecs, the engine and the reference matcher by their front doors. Knows nothing of the fuzzer, so that
//! the ordinary tests replay what it has found.

mod check;
mod decode;
mod parse;
mod run;

mod arrivals;
mod words;

pub use check::check;
pub use decode::decode;
pub use parse::parse;
pub use run::{case, run};
