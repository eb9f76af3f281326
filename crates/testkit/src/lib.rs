//! Cases of patterns, events and expected outputs: the naive reference matcher, the runner, the generator.
//!
//! Knows the language and the engine by their front doors. Is used by tests only.

pub mod case;
pub mod reference;

pub mod readings;
pub mod suite;
pub mod variants;

pub mod generate;
pub mod search;
