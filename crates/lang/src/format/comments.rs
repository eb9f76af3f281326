//! What a text holds beside words: white space and comments.

use std::collections::HashSet;

use crate::parse::quoted_length;
use crate::print::Parentheses;

/// A part of a text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Token<'s> {
    /// Blanks and line breaks.
    Blank(&'s str),
    /// A comment, with its signs, without the line's end.
    Comment(&'s str),
    /// A quoted text or name.
    Quoted(&'s str),
    /// A word or a number.
    Word(&'s str),
    /// One character.
    Sign(&'s str),
}

impl<'s> Token<'s> {
    /// The token with which a text begins; none where it is empty.
    pub(super) fn first(text: &'s str) -> Option<Self> {
        let first = text.chars().next()?;
        let (length, token): (usize, fn(&'s str) -> Token<'s>) = match first {
            _ if is_blank(first) => (length_while(text, is_blank), Token::Blank),
            '/' if text.starts_with("//") => (text.find('\n').unwrap_or(text.len()), Token::Comment),
            '/' if text.starts_with("/*") => (text[2..].find("*/").map_or(text.len(), |end| end + 4), Token::Comment),
            '"' | '`' => (quoted_length(text, first), Token::Quoted),
            _ if is_word(first) => (length_while(text, is_word), Token::Word),
            _ => (first.len_utf8(), Token::Sign),
        };
        Some(token(&text[..length]))
    }

    pub(super) fn text(self) -> &'s str {
        match self {
            Token::Blank(text) | Token::Comment(text) | Token::Quoted(text) | Token::Word(text) | Token::Sign(text) => {
                text
            }
        }
    }
}

pub(super) fn is_word(char: char) -> bool {
    char.is_alphanumeric() || char == '_'
}

fn is_blank(char: char) -> bool {
    matches!(char, ' ' | '\t' | '\r' | '\n' | '\u{feff}')
}

fn length_while(text: &str, fits: fn(char) -> bool) -> usize {
    text.find(|char| !fits(char)).unwrap_or(text.len())
}

/// The tokens of a text, each with its place.
fn tokens(text: &str) -> impl Iterator<Item = (usize, Token<'_>)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let token = Token::first(&text[at..])?;
        let place = at;
        at += token.text().len();
        Some((place, token))
    })
}

/// The comments of a text, as they are written into another.
pub(super) struct Comments;

impl Comments {
    pub(super) fn of(text: &str) -> impl Iterator<Item = String> {
        tokens(text).filter_map(|(_, token)| match token {
            Token::Comment(comment) => Some(written(comment)),
            _ => None,
        })
    }
}

/// A comment without blanks at the ends of its lines, and with line ends of one kind.
pub(super) fn written(comment: &str) -> String {
    comment.lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
}

/// From where to where there are parentheses; the end is the place behind.
pub(super) fn parentheses(text: &str) -> Parentheses {
    let mut open = Vec::new();
    let mut found = HashSet::new();
    for (place, token) in tokens(text) {
        match token {
            Token::Sign("(") => open.push(place),
            Token::Sign(")") => found.extend(open.pop().map(|start| (start, place + 1))),
            _ => {}
        }
    }
    found
}
