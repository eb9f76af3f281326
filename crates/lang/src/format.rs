//! Formats a text: its tree is printed, and what the tree does not hold is taken from the text and put in between: comments,
//! empty lines, and what its author wrote on one line.

mod comments;
mod weave;

use std::fmt;

use self::comments::Comments;
use self::weave::Weaver;
use crate::diagnostic::Diagnostics;
use crate::parse::parse;
use crate::print::{join, sections};
use crate::source::Source;

/// A text in the one style: each step on a line of its own, or all on one line if its author wrote it so and it fits; lines of
/// at most 100 columns; comments where they were; at most one empty line. It says the same, and formatting it again changes
/// nothing. Line ends are those of the text's first line.
///
/// # Errors
/// If the text cannot be read: then nothing is known of what it should look like.
///
/// ```
/// use ensue_lang::{Source, format};
///
/// let text = "begin a where(v>1)and b // why\n\n\nnext   `next` within 90m";
/// let formatted = format(&Source::new("x.pattern", text))?;
/// assert_eq!(formatted, "begin a where (v > 1) and b  // why\n\nnext `next`\nwithin 90m\n");
/// # Ok::<(), ensue_lang::Unformatted>(())
/// ```
pub fn format(source: &Source) -> Result<String, Unformatted> {
    let (file, found) = parse(source);
    if !found.is_empty() {
        return Err(Unformatted::Wrong(Diagnostics::new(std::slice::from_ref(source), found)));
    }
    let mut sections = sections(&file, &comments::parentheses(&source.text));
    Weaver::new(&source.text).weave(&mut sections);
    let text = join(sections);
    if !is_same(source, &text) {
        return Err(Unformatted::Changed);
    }
    Ok(if has_crlf(&source.text) { text.replace('\n', "\r\n") } else { text })
}

/// Whether a formatted text says what the source does, with the same comments.
fn is_same(source: &Source, formatted: &str) -> bool {
    let again = Source::new(source.name.as_str(), formatted);
    parse(&again) == parse(source) && Comments::of(formatted).eq(Comments::of(&source.text))
}

/// Whether the first line ends as on Windows.
fn has_crlf(text: &str) -> bool {
    text.find('\n').is_some_and(|newline| text[..newline].ends_with('\r'))
}

/// Why a text was not formatted.
#[derive(Debug)]
pub enum Unformatted {
    /// It cannot be read.
    Wrong(Diagnostics),
    /// It would say something else, which is a mistake of the formatter; so it is left as it is.
    Changed,
}

impl fmt::Display for Unformatted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unformatted::Wrong(diagnostics) => diagnostics.fmt(f),
            Unformatted::Changed => {
                f.write_str("formatting would change what the text says, which is a mistake of the formatter")
            }
        }
    }
}

impl std::error::Error for Unformatted {}
