//! Guesses inside expressions.

use ensue_model::functions;

use super::declaration::ITEMS;
use super::{Found, Guess, in_other_letters, is_reserved, is_word, respelled};
use crate::literal;
use crate::parse::Rule;
use crate::parse::failure::{A_DURATION, A_NAME, A_RELATION, A_STAGE, A_TYPE, AN_EXPRESSION, AN_OPERATOR};

/// Quotes that other languages and text editors write, with what ends each.
const QUOTES: [(char, char); 6] = [('\'', '\''), ('“', '”'), ('„', '“'), ('”', '”'), ('‘', '’'), ('«', '»')];

/// A text in other quotes than `"`, or quotes around what is no text.
pub(super) fn quoted(found: &Found<'_>) -> Option<Guess> {
    let token = found.token();
    if let Some(text) = token.text.strip_prefix('"') {
        return unquoted(found, text.strip_suffix('"')?);
    }
    let quote = token.text.chars().next()?;
    let (_, end) = QUOTES.iter().find(|(start, _)| *start == quote)?;
    let inside = &found.line_from(token.start)[quote.len_utf8()..];
    let Some(length) = inside.find(*end) else { return Some(Guess::new("a text stands in double quotes: `\"..\"`")) };
    let guess = Guess::new(format!("write `\"{}\"`", &inside[..length]));
    Some(guess.at(token.start, token.end() + length + end.len_utf8()).says("a text stands in double quotes"))
}

/// What stands in quotes, and needs none.
fn unquoted(found: &Found<'_>, inside: &str) -> Option<Guess> {
    let help = if found.wants(A_DURATION) {
        format!("a duration has no quotes: `{inside}`")
    } else if found.wants(A_STAGE) || found.wants(A_NAME) && !found.wants(AN_EXPRESSION) {
        format!("a name has no quotes: `{}`", name_of(inside))
    } else if found.wants(A_TYPE) {
        format!("a type has no quotes: `{inside}`")
    } else {
        return None;
    };
    Some(Guess::new(help))
}

/// A text as a name: as it is, or in backticks.
fn name_of(text: &str) -> String {
    if crate::parse::is_name(text) { text.to_owned() } else { format!("`` `{text}` ``") }
}

/// `2021-01-19T10:00:00Z` is read as a subtraction that something strange stands behind.
pub(super) fn time(found: &Found<'_>) -> Option<Guess> {
    let is_part = |char: char| char.is_ascii_alphanumeric() || "-:+.".contains(char);
    let start = found.text[..found.place.start].trim_end_matches(is_part).len();
    let rest = &found.text[start..];
    let written = &rest[..rest.find(|char| !is_part(char)).unwrap_or(rest.len())];
    let is_unmarked = start < found.place.start && literal::time(written).is_some();
    let guess = Guess::new(format!("a time starts with `@`: `@{written}`"));
    is_unmarked.then(|| guess.at(start, start + written.len()))
}

/// A list in parentheses, or in nothing; and the comma that `between` does not have.
pub(super) fn list(found: &Found<'_>) -> Option<Guess> {
    if found.token().text != "," || !found.wants(AN_OPERATOR) || found.wants_rule(Rule::comma) {
        return None;
    }
    let [_, before, second] = found.backwards();
    let items = found.line_from(found.before(found.place.start).start);
    match (before.text, second.text) {
        ("between", _) => Some(Guess::new("between two bounds stands `and`: `between 3 and 5`")),
        ("(", "in") => {
            let end = items.find(')').unwrap_or(items.len());
            let guess = Guess::new(format!("a list stands in brackets: `in [{}]`", &items[..end]));
            let whole = guess.at(before.start, before.end() + (end + 1).min(items.len()));
            Some(whole.says("a list stands in brackets, not in parentheses"))
        }
        ("in", _) => Some(Guess::new(format!("a list stands in brackets: `in [{}]`", plain_items(items)))),
        _ => grouped_digits(found).or_else(|| {
            let help = "conditions are joined with `and`, stages with a relation such as `followedBy`";
            found.wants(A_RELATION).then(|| Guess::new(help))
        }),
    }
}

/// The numbers, names, texts and commas at the front.
fn plain_items(items: &str) -> &str {
    let end = items.find(|char: char| !is_word(char) && !", \".-".contains(char)).unwrap_or(items.len());
    items[..end].trim_end()
}

/// `1,000`
fn grouped_digits(found: &Found<'_>) -> Option<Guess> {
    let (number, rest) = (found.before(found.place.start), found.from(found.place.end));
    let is_group = number.is_number() && rest.is_number() && rest.text.len() == 3;
    let guess = Guess::new(format!("digits are parted with `_`: `{}_{}`", number.text, rest.text));
    is_group.then(|| guess.at(number.start, rest.end()).says("a number has no commas"))
}

/// A function that is written like an operator, or behind a dot.
pub(super) fn called(found: &Found<'_>) -> Option<Guess> {
    if !found.wants(AN_OPERATOR) {
        return None;
    }
    let token = found.token();
    let [name, dot, object] = found.backwards();
    if token.text == "(" && dot.text == "." && functions::find(name.text).is_some() {
        let help = format!("a function stands before what it takes: `{}({}, ..)`", name.text, object.text);
        let message = format!("`{}` is a function, and not called on a value", name.text);
        return Some(Guess::new(help).at(dot.start, name.end()).says(message));
    }
    functions::find(token.text)?;
    let help = format!("`{}` is a function: write `{0}({}, ..)`", token.text, name.text);
    name.is_name().then(|| Guess::new(help))
}

/// An expression that lacks its end, so that the next item's first word is read as a name.
pub(super) fn cut(found: &Found<'_>) -> Option<Guess> {
    let word = found.before(found.place.start);
    let is_item = ITEMS.contains(&word.text) && found.starts_line(word.start);
    let message = format!("something is missing before this `{}`", word.text);
    let guess = || Guess::new("an operator stands between two values").at(word.start, word.end()).says(message);
    (is_item && found.wants(AN_OPERATOR)).then(guess)
}

/// A bracket that is open where the expression is over.
pub(super) fn open(found: &Found<'_>) -> Option<Guess> {
    let token = found.token();
    let is_over = token.text.is_empty() || is_reserved(token.text) && token.text != "not";
    // What closes an outer bracket closes it too early.
    let closes_outer = || {
        let brackets = [(")", '(', ')'), ("]", '[', ']'), ("}", '{', '}')];
        let own = brackets.iter().find(|(close, _, _)| *close == token.text);
        own.is_some_and(|(_, open, close)| found.unclosed(*open, *close).is_some())
    };
    if !found.wants(AN_OPERATOR) || !is_over && !closes_outer() {
        return None;
    }
    [("`)`", '(', ')'), ("`]`", '[', ']'), ("`}`", '{', '}')]
        .into_iter()
        .filter(|(wanted, _, _)| found.wants(wanted))
        .find_map(|(_, open, close)| found.unclosed(open, close))
}

/// Where an operator could stand.
pub(super) fn operator(found: &Found<'_>) -> Option<Guess> {
    if !found.wants(AN_OPERATOR) {
        return None;
    }
    let token = found.token();
    let before = found.before(token.start);
    let help = match token.text {
        "=" | "===" => "to compare, write `==`",
        "!==" => "write `!=`",
        "&&" => "write `and`",
        "||" => "write `or`",
        "&" if !found.wants("`|`") => "write `and`",
        "|" => "write `or`",
        "=>" => "write `>=`",
        "=<" => "write `<=`",
        "^" | "**" => "write `pow(x, 2)`",
        "?" => "write `if condition then a else b`",
        ";" => "nothing needs a semicolon",
        "==" | "!=" | "<" | ">" | "<=" | ">=" if before.is_name() => {
            let (name, operator) = (before.text, token.text);
            return Some(Guess::new(format!("comparisons do not chain: write `.. {name} and {name} {operator} ..`")));
        }
        "==" | "!=" | "<" | ">" | "<=" | ">=" => "comparisons do not chain: write `a < b and b < c`",
        ")" => "no parenthesis is open here",
        "]" => "no bracket is open here",
        "where" => "a stage has one `where`; join conditions with `and`",
        "not" => return Some(negated(found)),
        "begin" => "a pattern has one sequence; the next pattern starts with `pattern NAME`",
        _ if before.text.eq_ignore_ascii_case("not") || before.text.eq_ignore_ascii_case("if") => {
            let guess = respelled(before.text)?;
            let message = format!("`{}` is read as a name, and nothing joins it with what follows", before.text);
            return Some(guess.at(before.start, before.end()).says(message));
        }
        word if in_other_letters(word).is_some() => return respelled(word),
        _ if found.wants_rule(Rule::kw_else) && !found.wants(A_RELATION) => {
            "`if` has two ways: `if .. then .. else ..`"
        }
        _ => return None,
    };
    Some(Guess::new(help))
}

/// `x not in [..]`
fn negated(found: &Found<'_>) -> Guess {
    let (value, operator) = (found.before(found.place.start), found.from(found.place.end));
    let help = match value.is_name() && ["in", "like", "matches", "between"].contains(&operator.text) {
        true => format!("`not` stands before the whole: `not ({} {} ..)`", value.text, operator.text),
        false => "`not` stands before the whole condition: `not (a in b)`".to_owned(),
    };
    Guess::new(help)
}

/// Where a value could stand.
pub(super) fn operand(found: &Found<'_>) -> Option<Guess> {
    if !found.wants(AN_EXPRESSION) {
        return in_number(found);
    }
    let token = found.token();
    let before = found.before(token.start);
    let touches = before.end() == token.start;
    let help = match (before.text, token.text) {
        ("is", word) => {
            let alone = || Guess::new("`is` asks for null alone: `x is null`, `x is not null`; to compare, write `==`");
            let guess = respelled(word).unwrap_or_else(alone);
            return Some(guess.says(format!("expected `null` or `not null`, found `{word}`")));
        }
        ("-", ">") if touches => {
            let guess = Guess::new("write `followedBy`, or `next` for the very next event");
            return Some(guess.at(before.start, token.end()));
        }
        ("<", ">") if touches => {
            return Some(Guess::new("write `!=`").at(before.start, token.end()).says("there is no operator `<>`"));
        }
        (">" | "<" | "=" | "!", "=" | "==") => return Some(compared(found)),
        (_, "!") => "write `not`",
        (_, ".") if found.from(token.end()).is_number() => {
            let digits = found.from(token.end());
            return Some(Guess::new(format!("write `0.{}`", digits.text)).at(token.start, digits.end()));
        }
        ("(", "*") => "`count(a)` counts the events of a stage `a`",
        (_, ")" | "]" | "}" | ",") => return Some(Guess::new(format!("something is missing before `{}`", token.text))),
        ("=" | "where" | "until" | "(" | "[" | "," | ":", "=" | "==" | "!=" | "<" | ">" | "<=" | ">=") => {
            return Some(Guess::new(format!("a value is missing before `{}`", token.text)));
        }
        ("and" | "or" | "not", "=" | "==" | "!=" | "<" | "<=" | ">" | ">=") => {
            "say again what is compared: `a > 1 and a < 5`"
        }
        _ => return None,
    };
    Some(Guess::new(help))
}

/// `===`, `>= =`
fn compared(found: &Found<'_>) -> Guess {
    let before = found.text[..found.place.start].trim_end();
    let start = before.trim_end_matches(['=', '<', '>', '!']).len();
    let operator = match &before[start..start + 1] {
        ">" => ">=",
        "<" => "<=",
        "!" => "!=",
        _ => "==",
    };
    let written = &found.text[start..found.place.end];
    let guess = Guess::new(format!("write `{operator}`")).at(start, found.place.end);
    guess.says(format!("there is no operator `{written}`"))
}

/// `1.` is read as a number and the dot before a field.
fn in_number(found: &Found<'_>) -> Option<Guess> {
    let [dot, number] = found.backwards();
    let is_cut = dot.text == "." && number.is_number() && number.end() == dot.start;
    let guess = Guess::new(format!("a number has digits behind its point: `{}.0`", number.text));
    is_cut.then(|| guess.at(number.start, dot.end()).says("this number ends with its point"))
}
