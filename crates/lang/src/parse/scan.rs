//! A first look at the text, before the grammar: what is nested too deeply would cost the grammar its stack, and where
//! lines start like items is where reading goes on behind a broken one.

use super::NESTING_MAX;
use crate::code;
use crate::diagnostic::Diagnostic;
use crate::tree::Place;

/// What the first look found.
pub(super) struct Scan {
    /// Where the first word stands; the text's end where there is none.
    pub(super) start: usize,
    /// Whether that word is `begin`.
    pub(super) is_body: bool,
    /// Where lines start with `stream`, `param`, `let`, `table` or `pattern`.
    pub(super) items: Vec<usize>,
}

/// Looks through a text; fails where it is nested too deeply or a comment does not end.
pub(super) fn scan(text: &str) -> Result<Scan, Diagnostic> {
    let mut scanner = Scanner { text, at: 0, first: None, items: Vec::new(), brackets: 0, ifs: 0, line_is_empty: true };
    while let Some(char) = text[scanner.at..].chars().next() {
        scanner.token(char)?;
    }
    let start = scanner.first.unwrap_or(text.len());
    Ok(Scan { start, is_body: word_at(&text[start..]) == "begin", items: scanner.items })
}

struct Scanner<'s> {
    text: &'s str,
    at: usize,
    first: Option<usize>,
    items: Vec<usize>,
    brackets: usize,
    /// How many `if`s the expression at hand has had so far.
    ifs: usize,
    line_is_empty: bool,
}

impl Scanner<'_> {
    fn token(&mut self, char: char) -> Result<(), Diagnostic> {
        let rest = &self.text[self.at..];
        match char {
            '\n' => {
                self.line_is_empty = true;
                self.at += 1;
            }
            ' ' | '\t' | '\r' | '\u{feff}' => self.at += char.len_utf8(),
            '/' if rest.starts_with("//") => self.at += rest.find('\n').unwrap_or(rest.len()),
            '/' if rest.starts_with("/*") => self.at += self.comment_length(rest)?,
            '"' | '`' => self.solid(quoted_length(rest, char)),
            '(' | '[' | '{' => self.open()?,
            ')' | ']' | '}' => {
                self.brackets = self.brackets.saturating_sub(1);
                self.solid(1);
            }
            '.' => self.solid(1 + word_at(&rest[1..]).len()),
            char if is_word(char) => self.word(word_at(rest))?,
            char => self.solid(char.len_utf8()),
        }
        Ok(())
    }

    /// Goes past something that is neither white space nor a comment.
    fn solid(&mut self, length: usize) {
        self.first.get_or_insert(self.at);
        self.line_is_empty = false;
        self.at += length;
    }

    fn comment_length(&self, rest: &str) -> Result<usize, Diagnostic> {
        let end = rest[2..].find("*/").map(|end| end + 4);
        end.ok_or_else(|| {
            let place = Place { start: self.at, end: self.at + 2 };
            Diagnostic::error(&code::OPEN_COMMENT, place, "this comment does not end").help("end it with `*/`")
        })
    }

    fn open(&mut self) -> Result<(), Diagnostic> {
        self.brackets += 1;
        self.limit(self.brackets, 1)?;
        self.solid(1);
        Ok(())
    }

    fn word(&mut self, word: &str) -> Result<(), Diagnostic> {
        match word {
            "if" => {
                self.ifs += 1;
                self.limit(self.ifs, word.len())?;
            }
            // Words that cannot stand inside an expression end it.
            "begin" | "next" | "followedBy" | "followedByAny" | "notNext" | "notFollowedBy" | "where" | "until"
            | "within" => self.ifs = 0,
            "stream" | "param" | "let" | "table" | "pattern" if self.line_is_empty => {
                self.items.push(self.at);
                (self.ifs, self.brackets) = (0, 0);
            }
            _ => {}
        }
        self.solid(word.len());
        Ok(())
    }

    fn limit(&self, depth: usize, length: usize) -> Result<(), Diagnostic> {
        if depth <= NESTING_MAX {
            return Ok(());
        }
        let place = Place { start: self.at, end: self.at + length };
        let message = format!("this is nested more than {NESTING_MAX} deep");
        Err(Diagnostic::error(&code::TOO_DEEP, place, message).help("name parts of it with `let`"))
    }
}

fn is_word(char: char) -> bool {
    char.is_alphanumeric() || char == '_'
}

fn word_at(text: &str) -> &str {
    text.split(|char| !is_word(char)).next().unwrap_or_default()
}

/// The length of a quoted text; up to the line's end where it does not end.
fn quoted_length(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (index, char) in text.char_indices().skip(1) {
        match char {
            '\n' => return index,
            _ if escaped => escaped = false,
            '\\' if quote == '"' => escaped = true,
            char if char == quote => return index + 1,
            _ => {}
        }
    }
    text.len()
}
