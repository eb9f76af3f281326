//! Fenced blocks of the documents, and documents that are made from the code.

use std::path::PathBuf;

/// A fenced block: the word behind its fence, the line of the fence, its text.
pub struct Block<'t> {
    /// What stands behind the fence.
    pub word: &'t str,
    /// The line of the fence, from 1.
    pub line: usize,
    /// What stands between the fences, each line with its end.
    pub text: String,
}

/// The fenced blocks of a document.
pub fn blocks(document: &str) -> Vec<Block<'_>> {
    let mut blocks = Vec::new();
    let mut lines = document.lines().enumerate();
    while let Some((index, line)) = lines.next() {
        if let Some(word) = line.strip_prefix("```") {
            let inside = lines.by_ref().map(|(_, line)| line).take_while(|line| *line != "```");
            let text = inside.map(|line| format!("{line}\n")).collect();
            blocks.push(Block { word, line: index + 1, text });
        }
    }
    blocks
}

/// A file of `docs`.
pub fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs").join(name)
}

/// A file of `docs`, which has to be there.
///
/// # Panics
/// If it is not.
pub fn document(name: &str) -> String {
    std::fs::read_to_string(path(name)).unwrap_or_else(|error| panic!("docs/{name}: {error}"))
}

/// Whether documents are written anew, as snapshots are.
pub fn is_written() -> bool {
    std::env::var_os("INSTA_UPDATE").is_some_and(|update| update == "always")
}

/// Holds a document to what it should be; writes it anew where snapshots are.
///
/// # Panics
/// If the two differ.
pub fn hold(name: &str, expected: &str) {
    let found = std::fs::read_to_string(path(name)).unwrap_or_default();
    if found == expected {
        return;
    }
    if is_written() {
        std::fs::write(path(name), expected).unwrap_or_else(|error| panic!("docs/{name}: {error}"));
        return;
    }
    let differs = found.lines().zip(expected.lines()).take_while(|(found, expected)| found == expected).count();
    let line = |text: &str| text.lines().nth(differs).unwrap_or("the end").to_owned();
    panic!(
        "docs/{name} is not up to date; run `INSTA_UPDATE=always cargo test -p ensue-tests`\nline {}: {}\nshould be: {}",
        differs + 1,
        line(&found),
        line(expected)
    );
}
