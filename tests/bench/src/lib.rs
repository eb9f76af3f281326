//! Workloads for measuring Ensue: streams that a seed decides, so that every run sees the same.

mod orders;

pub use orders::{Order, Orders, Shuffled};
