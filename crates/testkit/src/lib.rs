//! Cases of patterns, events and expected outputs: the naive reference matcher, the runner, the generator.

pub mod case;
pub mod generate;
pub mod reference;
