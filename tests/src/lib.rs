//! Tests over the whole of Ensue: see `tests/`. Here is what the fuzz targets and the ordinary tests share.

pub mod fuzz;
pub mod markdown;
pub mod page;
