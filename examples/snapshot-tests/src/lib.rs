//! Machines that overheat and that nobody looks at.

use std::sync::Arc;

use ensue::{Diagnostics, Patterns, Schema};

/// The text of the pattern; its cases stand beside it.
pub const OVERHEATING: &str = include_str!("../patterns/overheating.pattern");

/// The pattern, for an engine.
///
/// # Errors
/// If it is wrong, which a test rules out.
pub fn patterns() -> Result<Arc<Patterns>, Diagnostics> {
    ensue::compile(OVERHEATING, &Schema::open())
}
