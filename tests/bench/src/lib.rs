//! Workloads for measuring Ensue: streams that a seed decides, so that every run sees the same, and the patterns over them.

mod line;
mod signal;

pub mod alerts;
pub mod any;
pub mod creates;
pub mod loops;
pub mod orders;

pub use line::Line;
pub use signal::{Signal, VALUES};
