//! Workloads for measuring Ensue: streams that a seed decides, so that every run sees the same, and the patterns over them;
//! and what the programs that measure it share.

mod line;
pub mod signal;

pub mod alerts;
pub mod any;
pub mod creates;
pub mod loops;
pub mod orders;

pub mod job;
pub mod rows;

pub mod report;
pub mod service;
pub mod stopwatch;

pub use line::Line;
