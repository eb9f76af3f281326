//! A first look at the text, before the grammar: what is nested too deeply would cost the grammar its stack, and where items
//! and parts of sequences start is where reading goes on behind what is broken.

use super::{NESTING_MAX, Unread};
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
    items: Vec<usize>,
    /// Where words stand that start a part of a sequence: a relation, `where`, `within`, ...
    parts: Vec<usize>,
}

impl Scan {
    /// Where the first item behind a place starts.
    pub(super) fn item_behind(&self, place: usize) -> Option<usize> {
        self.items.get(self.items.partition_point(|item| *item <= place)).copied()
    }

    /// Where the first part of a sequence from a place on starts.
    pub(super) fn part_from(&self, place: usize) -> Option<usize> {
        self.parts.get(self.parts.partition_point(|part| *part < place)).copied()
    }
}

/// The most names that an item is taken to give.
const NAMES_MAX: usize = 1_000;

/// Looks through a text; fails where it is nested too deeply or a comment does not end.
pub(super) fn scan(text: &str) -> Result<Scan, Diagnostic> {
    let (items, parts) = (Vec::new(), Vec::new());
    let mut scanner = Scanner { text, at: 0, first: None, items, parts, brackets: 0, ifs: 0, line_is_empty: true };
    while let Some(char) = text[scanner.at..].chars().next() {
        scanner.token(char)?;
    }
    let start = scanner.first.unwrap_or(text.len());
    Ok(Scan { start, is_body: word_at(&text[start..]) == "begin", items: scanner.items, parts: scanner.parts })
}

struct Scanner<'s> {
    text: &'s str,
    at: usize,
    first: Option<usize>,
    items: Vec<usize>,
    parts: Vec<usize>,
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
            | "within" => {
                self.ifs = 0;
                self.part(word);
            }
            // A field can be called so; at the start of a line that is unlikely.
            "skip" | "keep" | "cooldown" | "emit" | "timeout" if self.line_is_empty => self.part(word),
            "stream" | "param" | "let" | "table" | "pattern" if self.line_is_empty => {
                self.items.push(self.at);
                (self.ifs, self.brackets) = (0, 0);
            }
            _ => {}
        }
        self.solid(word.len());
        Ok(())
    }

    /// Notes where a part of a sequence starts; `emit { next: a.x }` names an entry.
    fn part(&mut self, word: &str) {
        let behind = self.text[self.at + word.len()..].trim_start();
        if !behind.starts_with(':') {
            self.parts.push(self.at);
        }
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

/// The names that an item may give: of a pattern those of its records, of others any word in it.
pub(super) fn names(item: &str) -> Unread {
    let mut words = item.split(|char| !is_word(char)).filter(|word| !word.is_empty());
    let word = words.next().unwrap_or_default();
    let mut before = "";
    let given = words.filter(|name| {
        let is_given = word != "pattern" || ["emit", "timeout"].contains(&before);
        before = name;
        is_given
    });
    let names = given.chain([word]).take(NAMES_MAX).map(str::to_owned).collect();
    Unread { word: word.to_owned(), names }
}

/// Whether a text is one word, and behind it white space.
pub(super) fn is_one_word(text: &str) -> bool {
    text[word_at(text).len()..].trim().is_empty()
}

fn is_word(char: char) -> bool {
    char.is_alphanumeric() || char == '_'
}

fn word_at(text: &str) -> &str {
    text.split(|char| !is_word(char)).next().unwrap_or_default()
}

/// The length of a quoted text; up to the line's end where it does not end.
pub(crate) fn quoted_length(text: &str, quote: char) -> usize {
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
