//! Cases of patterns, events and expected outputs: those that people write beside their patterns, and those by which the
//! engine is held to the naive reference matcher, with their generator.
//!
//! Knows the language, the engine and the codecs by their front doors. Is used by tests, and by the command that runs them.

pub mod case;
pub mod reference;

pub mod readings;
pub mod suite;
pub mod variants;

#[cfg(feature = "generate")]
pub mod generate;
#[cfg(feature = "generate")]
pub mod search;

pub mod asserts;
pub mod case_file;
pub mod cases;
pub mod coverage;
pub mod outcome;
pub mod trace;
pub mod trial;

mod arrivals;
mod expectation;
mod reason;
mod time_line;
mod watch;
