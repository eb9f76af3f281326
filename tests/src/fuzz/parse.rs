//! Any bytes as a pattern text.

use ensue_lang::{Source, print};

use super::words;

/// Reads a text, prints what was read, and reads that: it must be the same tree, without a complaint, and printed as it
/// stands. That holds of a text with mistakes too: the tree is what could be read of it.
///
/// # Panics
/// If it does not hold.
pub fn parse(data: &[u8]) {
    let (file, _) = ensue_lang::parse(&Source::new("fuzz.pattern", words::text(data)));
    if file.items.is_empty() {
        return;
    }
    let printed = print(&file);
    let (again, complaints) = ensue_lang::parse(&Source::new("fuzz.pattern", printed.as_str()));
    assert_eq!(complaints, [], "what was printed is not read:\n{printed}");
    assert_eq!(again, file, "what was printed is read as something else:\n{printed}");
    assert_eq!(print(&again), printed);
}
