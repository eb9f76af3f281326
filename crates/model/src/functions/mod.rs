//! The built-in functions, one file each, and the table of them all.

use crate::function::Function;

/// All built-in functions, by name.
pub static FUNCTIONS: &[&Function] = &[];

/// The function of that name.
pub fn find(name: &str) -> Option<&'static Function> {
    FUNCTIONS.iter().copied().find(|function| function.name == name)
}
