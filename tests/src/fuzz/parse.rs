//! Any bytes as a pattern text.

use ensue_lang::{Source, format, print};

use super::words;

/// Reads a text, prints what was read, and reads that: it must be the same tree, without a complaint, and printed as it
/// stands. That holds of a text with mistakes too: the tree is what could be read of it. A text without mistakes is formatted,
/// which says the same, and a second time nothing changes.
///
/// # Panics
/// If it does not hold.
pub fn parse(data: &[u8]) {
    let text = words::text(data);
    let (file, complaints) = ensue_lang::parse(&Source::new("fuzz.pattern", text.as_str()));
    if complaints.is_empty() {
        is_formatted_for_good(&text);
    }
    if file.items.is_empty() {
        return;
    }
    let printed = print(&file);
    let (again, complaints) = ensue_lang::parse(&Source::new("fuzz.pattern", printed.as_str()));
    assert_eq!(complaints, [], "what was printed is not read:\n{printed}");
    assert_eq!(again, file, "what was printed is read as something else:\n{printed}");
    assert_eq!(print(&again), printed);
}

fn is_formatted_for_good(text: &str) {
    let formatted =
        |text: &str| format(&Source::new("fuzz.pattern", text)).unwrap_or_else(|why| panic!("{text}\n{why}"));
    let once = formatted(text);
    assert_eq!(formatted(&once), once, "formatted again, it is another text:\n{text}");
}
