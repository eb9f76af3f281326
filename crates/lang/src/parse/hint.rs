//! What somebody may have meant who wrote what the grammar refuses: most often another language's word for it, or the right
//! word in a wrong place. Each guess looks at what was found, at what could stand there instead, and around. A guess that
//! is not likely is none: wrong advice is worse than a list of what could stand there.

mod declaration;
mod expression;
mod sequence;

use super::Rule;
use super::failure::{A_NAME, A_STAGE, AN_EXPRESSION, word};
use crate::tree::Place;

/// How far back a bracket is looked for.
const LOOKED_BACK_MAX: usize = 10_000;

/// What to say of a refusal.
pub(super) struct Guess {
    /// What to write.
    pub(super) help: String,
    /// Where the mistake is, if it is not only what was found.
    pub(super) place: Option<Place>,
    /// What is wrong, where there is more to say than that it cannot stand there.
    pub(super) message: Option<String>,
}

impl Guess {
    fn new(help: impl Into<String>) -> Self {
        Guess { help: help.into(), place: None, message: None }
    }

    fn at(self, start: usize, end: usize) -> Self {
        Guess { place: Some(Place { start, end }), ..self }
    }

    fn says(self, message: impl Into<String>) -> Self {
        Guess { message: Some(message.into()), ..self }
    }
}

/// Looked through in this order: what is certain first.
const GUESSES: [fn(&Found<'_>) -> Option<Guess>; 23] = [
    foreign,
    twice,
    expression::quoted,
    expression::time,
    expression::list,
    expression::called,
    sequence::duration,
    sequence::counted,
    sequence::group,
    sequence::relation,
    sequence::condition,
    sequence::stage,
    sequence::behind_window,
    sequence::ending,
    declaration::item,
    declaration::head,
    declaration::colon,
    declaration::value,
    expression::cut,
    expression::open,
    expression::operator,
    expression::operand,
    reserved,
];

/// The likeliest guess.
pub(super) fn guess(found: &Found<'_>) -> Option<Guess> {
    GUESSES.iter().find_map(|guess| guess(found))
}

/// A word of the language, or a sign between parts, that stands there once too often.
fn twice(found: &Found<'_>) -> Option<Guess> {
    let (token, before) = (found.token(), found.before(found.place.start));
    let is_said = WORDS.contains(&token.text) || ["|", "&", ",", ":"].contains(&token.text);
    (is_said && before.text == token.text).then(|| Guess::new(format!("`{}` stands here twice", token.text)))
}

/// Signs of other languages that stand for nothing here.
fn foreign(found: &Found<'_>) -> Option<Guess> {
    match found.token().text {
        "#" => Some(Guess::new("a comment starts with `//`")),
        ";" => Some(Guess::new("nothing needs a semicolon")),
        _ => None,
    }
}

/// What was found where something else was expected.
pub(super) struct Found<'t> {
    pub(super) text: &'t str,
    pub(super) place: Place,
    pub(super) expected: &'t [Rule],
}

/// A word, a sign, or a text in quotes.
#[derive(Clone, Copy)]
struct Token<'t> {
    text: &'t str,
    start: usize,
}

impl Token<'_> {
    fn end(&self) -> usize {
        self.start + self.text.len()
    }

    /// Whether it begins as names do.
    fn is_name(&self) -> bool {
        self.text.starts_with(|char: char| char.is_alphabetic() || char == '_')
    }

    fn is_number(&self) -> bool {
        self.text.starts_with(|char: char| char.is_ascii_digit())
    }
}

impl<'t> Found<'t> {
    fn token(&self) -> Token<'t> {
        Token { text: &self.text[self.place.start..self.place.end], start: self.place.start }
    }

    fn wants(&self, wanted: &str) -> bool {
        self.expected.iter().any(|rule| word(*rule) == wanted)
    }

    fn wants_rule(&self, rule: Rule) -> bool {
        self.expected.contains(&rule)
    }

    /// The token before a place.
    fn before(&self, place: usize) -> Token<'t> {
        let text = self.text[..place].trim_end();
        if let Some(start) = text.strip_suffix('"').and_then(|inside| inside.rfind(['"', '\n'])) {
            return Token { text: &text[start..], start };
        }
        let word = text.trim_end_matches(is_word);
        let start = match text.len() - word.len() {
            0 => text.char_indices().next_back().map_or(0, |(start, _)| start),
            _ => word.len(),
        };
        Token { text: &text[start..], start }
    }

    /// The last tokens before what was found, the nearest first.
    fn backwards<const N: usize>(&self) -> [Token<'t>; N] {
        let mut place = self.place.start;
        [(); N].map(|()| {
            let token = self.before(place);
            place = token.start;
            token
        })
    }

    /// The token from a place on.
    fn from(&self, place: usize) -> Token<'t> {
        let start = self.text.len() - self.text[place..].trim_start().len();
        let rest = &self.text[start..];
        let word = rest.len() - rest.trim_start_matches(is_word).len();
        let length = if word > 0 { word } else { rest.chars().next().map_or(0, char::len_utf8) };
        Token { text: &rest[..length], start }
    }

    /// The first tokens behind what was found.
    fn onwards<const N: usize>(&self) -> [Token<'t>; N] {
        let mut place = self.place.end;
        [(); N].map(|()| {
            let token = self.from(place);
            place = token.end();
            token
        })
    }

    /// The rest of the line from a place on.
    fn line_from(&self, place: usize) -> &'t str {
        self.text[place..].lines().next().unwrap_or_default()
    }

    /// What to say where a bracket before what was found is still open.
    fn unclosed(&self, open: char, close: char) -> Option<Guess> {
        let mut closed = 0;
        for (at, char) in self.text[..self.place.start].char_indices().rev().take(LOOKED_BACK_MAX) {
            match char {
                char if char == close => closed += 1,
                char if char == open && closed > 0 => closed -= 1,
                char if char == open => {
                    let guess = Guess::new(format!("write `{close}` where it ends")).at(at, at + 1);
                    return Some(guess.says(format!("this `{open}` is not closed")));
                }
                _ => {}
            }
        }
        None
    }

    /// Whether a line starts at a place.
    fn starts_line(&self, place: usize) -> bool {
        self.text[..place].trim_end_matches([' ', '\t']).ends_with('\n')
    }
}

fn is_word(char: char) -> bool {
    char.is_alphanumeric() || char == '_'
}

/// All words of the language.
const WORDS: [&str; 47] = [
    "pattern",
    "stream",
    "param",
    "let",
    "table",
    "from",
    "key",
    "active",
    "begin",
    "next",
    "followedBy",
    "followedByAny",
    "notNext",
    "notFollowedBy",
    "where",
    "until",
    "within",
    "of",
    "any",
    "optional",
    "greedy",
    "consecutive",
    "combinations",
    "skip",
    "none",
    "past",
    "last",
    "to",
    "first",
    "keep",
    "latest",
    "cooldown",
    "emit",
    "timeout",
    "events",
    "and",
    "or",
    "not",
    "in",
    "is",
    "like",
    "matches",
    "between",
    "if",
    "then",
    "else",
    "null",
];

/// The word of the language that this is in other letters: `AND`, `Begin`, `FOLLOWED_BY`.
fn in_other_letters(word: &str) -> Option<&'static str> {
    let plain = word.replace('_', "").to_lowercase();
    WORDS.into_iter().find(|other| other.to_lowercase() == plain && *other != word)
}

/// "write `and`: ..", where a word is one of the language's in other letters.
fn respelled(word: &str) -> Option<Guess> {
    in_other_letters(word).map(|meant| Guess::new(format!("write `{meant}`; capitals and small letters differ")))
}

/// A word of the language where a value or a name belongs.
fn reserved(found: &Found<'_>) -> Option<Guess> {
    let word = found.token().text;
    let is_value = found.wants(AN_EXPRESSION);
    if !is_reserved(word) || !is_value && !found.wants(A_NAME) && !found.wants(A_STAGE) {
        return None;
    }
    let before = found.before(found.place.start).text;
    let is_field = ["=", "!", "<", ">", ".", "+", "*", "/", "is"].contains(&found.from(found.place.end).text);
    let help = match (before, is_value) {
        (_, true) if is_field => format!("if a field is meant, write `` `{word}` ``"),
        ("where", true) => "a condition is missing behind `where`; `where true` takes any event".to_owned(),
        ("and" | "or" | "not", true) => format!("a condition is missing behind `{before}`"),
        (_, true) => format!("something is missing before `{word}`"),
        (_, false) => format!("`{word}` is a word of the language; as a name it is written `` `{word}` ``"),
    };
    Some(Guess::new(help))
}

fn is_reserved(word: &str) -> bool {
    word.starts_with(char::is_alphabetic) && !super::is_name(word)
}
