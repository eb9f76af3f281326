//! Tests over the whole of Ensue: see `tests/`. Here is what the fuzz targets and the ordinary tests share.

/// The page of the Rust API: its examples are tests of this documentation.
#[cfg(doctest)]
#[doc = include_str!("../../docs/rust.md")]
pub struct RustPage;

pub mod fuzz;
pub mod markdown;
pub mod page;
