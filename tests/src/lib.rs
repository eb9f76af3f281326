//! Tests over the whole of Ensue: see `tests/`.
