//! Guesses at the top level: what items begin with, and what declarations hold.

use super::{Found, Guess, LOOKED_BACK_MAX, in_other_letters, respelled};
use crate::literal::{self, NumberShape};
use crate::parse::Rule;
use crate::parse::failure::{A_NAME, A_TYPE, AN_ITEM, AN_OPERATOR, BEGIN};

pub(super) const ITEMS: [&str; 5] = ["pattern", "stream", "param", "let", "table"];

/// Where an item could begin.
pub(super) fn item(found: &Found<'_>) -> Option<Guess> {
    if !found.wants(AN_ITEM) || found.wants(AN_OPERATOR) {
        return None;
    }
    let token = found.token();
    let behind = found.from(token.end()).text;
    let near = |item: &&str| strsim::damerau_levenshtein(item, &token.text.to_lowercase()) <= 2;
    let help = match token.text {
        "-" if behind == "-" => "a comment starts with `//`".to_owned(),
        "key" | "from" | "active" => {
            format!("`{}` belongs to a pattern with a name: write `pattern NAME` before it", token.text)
        }
        "where" => "a sequence starts with `begin` and a stage: `begin a where ..`".to_owned(),
        "within" | "skip" | "keep" | "cooldown" | "emit" | "timeout" => {
            "it stands behind the sequence, which starts with `begin`".to_owned()
        }
        word if in_other_letters(word).is_some() => return respelled(word),
        _ if starts_stage(behind, found.text[token.end()..].starts_with(behind)) => {
            format!("a sequence starts with `begin`: `begin {}`", token.text)
        }
        word if word.len() > 2 => match ITEMS.iter().find(|item| near(item)) {
            Some(item) => format!("did you mean `{item}`?"),
            None => "a pattern starts with `pattern NAME`, or with `begin`".to_owned(),
        },
        _ => "a pattern starts with `pattern NAME`, or with `begin`".to_owned(),
    };
    Some(Guess::new(help))
}

/// Whether a token can stand behind the first stage.
fn starts_stage(behind: &str, touches: bool) -> bool {
    let words = ["where", "next", "followedBy", "followedByAny", "notNext", "notFollowedBy", "within"];
    words.contains(&behind) || touches && ["+", "*", "?", "{"].contains(&behind)
}

/// Between a pattern's name and its sequence.
pub(super) fn head(found: &Found<'_>) -> Option<Guess> {
    if !found.wants(BEGIN) {
        return name(found);
    }
    let token = found.token();
    let before = found.before(token.start);
    let help = match token.text {
        "{" | "(" => "a pattern stands in no braces: it ends where the next one starts",
        ":" | "=" => "nothing stands between a pattern's name and its sequence: `pattern NAME begin ..`",
        "within" | "skip" | "keep" | "cooldown" | "emit" | "timeout" => {
            "it stands behind the sequence, which starts with `begin`"
        }
        "-" if before.end() == token.start => {
            let rest = found.from(token.end()).text;
            let end = token.end() + rest.len();
            let guess = Guess::new(format!("write `{}_{rest}`", before.text)).at(before.start, end);
            return Some(guess.says("a name is letters, digits and `_`"));
        }
        word if in_other_letters(word).is_some() => return respelled(word),
        // Its name has been taken for that of the pattern.
        _ if ["key", "from", "active"].contains(&before.text) => "a pattern has a name: `pattern NAME`",
        _ if token.is_name() && found.from(token.end()).text != "begin" => {
            return Some(Guess::new(format!("a sequence starts with `begin`: `begin {}`", token.text)));
        }
        _ => return None,
    };
    Some(Guess::new(help))
}

/// An item without a name.
fn name(found: &Found<'_>) -> Option<Guess> {
    let word = found.before(found.place.start).text;
    let is_nameless = ITEMS.contains(&word) && ["begin", "{", ":", "=", "("].contains(&found.token().text);
    let help = || format!("a {word} has a name: `{word} NAME`");
    (is_nameless && found.wants(A_NAME)).then(|| Guess::new(help()))
}

/// `id int`, `id = 5`: what names and parts with a colon.
pub(super) fn colon(found: &Found<'_>) -> Option<Guess> {
    if found.expected != [Rule::colon] {
        return None;
    }
    let token = found.token();
    let [name, brace, word] = found.backwards();
    if TYPES.contains(&token.text) && word.text != "param" && brace.text != "param" {
        return Some(Guess::new(format!("write `{}: {}`", name.text, token.text)));
    }
    if word.text == "param" || brace.text == "param" {
        let kind = match token.text {
            "=" => type_of(found, found.from(token.end()).start),
            kind => kind,
        };
        return Some(Guess::new(format!("a parameter has a type: `param {}: {kind} = ..`", name.text)));
    }
    if matches!(name.text, "key" | "time" | "type") && brace.is_name() {
        return Some(Guess::new(format!("a field is marked with `@{}`", name.text)).at(name.start, name.end()));
    }
    if ITEMS.contains(&name.text) {
        return Some(Guess::new(format!("a `}}` is missing before `{}`", name.text)).at(name.start, name.end()));
    }
    let help = match token.text {
        "." => {
            let member = found.from(token.end());
            format!("each value has a name: `{}: {}.{0}`", member.text, name.text)
        }
        _ if is_record(found) => "write `name: value`".to_owned(),
        _ => "write `name: type`".to_owned(),
    };
    Some(Guess::new(help))
}

const TYPES: [&str; 8] = ["bool", "int", "float", "decimal", "string", "timestamp", "duration", "any"];

/// Whether the braces around belong to `emit`, `timeout` or `key`, and not to a stream or table.
fn is_record(found: &Found<'_>) -> bool {
    let start = found.text.floor_char_boundary(found.place.start.saturating_sub(LOOKED_BACK_MAX));
    let before = &found.text[start..found.place.start];
    let last = |words: &[&str]| words.iter().filter_map(|word| before.rfind(word)).max();
    last(&["emit", "timeout", "key {"]) > last(&["stream", "table"])
}

/// The type that a literal has.
fn type_of(found: &Found<'_>, start: usize) -> &'static str {
    let text = found.line_from(start);
    let word = text.split_whitespace().next().unwrap_or_default();
    match text.chars().next() {
        Some('"') => "string",
        Some('@') => "timestamp",
        Some(digit) if digit.is_ascii_digit() => match literal::number_shape(word) {
            NumberShape::Int => "int",
            NumberShape::Float => "float",
            NumberShape::Duration => "duration",
        },
        _ if matches!(word, "true" | "false") => "bool",
        _ => "TYPE",
    }
}

/// What stands behind the name of a let, a stream, an `emit`.
pub(super) fn value(found: &Found<'_>) -> Option<Guess> {
    let token = found.token();
    let [name, word, item] = found.backwards();
    let is_param = item.text == "param" && found.wants(A_TYPE) && name.text == ":";
    let behind = found.from(token.end());
    let help = match (word.text, token.text) {
        (parameter, "=") if is_param => {
            format!("a parameter has a type: `{parameter}: {} = ..`", type_of(found, behind.start))
        }
        (parameter, value) if is_param && (token.is_number() || value.starts_with(['"', '@'])) => {
            let kind = type_of(found, token.start);
            format!("a parameter has a type, and behind it its value: `{parameter}: {kind} = {value}`")
        }
        (":", "==") if found.wants("`=`") => "write `=`".to_owned(),
        (_, "|") if found.wants("`?`") => format!("what may be null ends in `?`: `{}?`", name.text),
        ("let", ":") => format!("a let has no type: `let {} = ..`", name.text),
        ("let", "==" | ":=") => format!("write `let {} = ..`", name.text),
        ("let", _) if found.wants("`=`") && !token.text.starts_with('=') && behind.text != "=" => {
            format!("write `let {} = {}`", name.text, found.line_from(token.start))
        }
        ("stream" | "table", _) if found.expected == [Rule::open_brace] => {
            format!("fields stand in braces: `{} {} {{ name: type }}`", word.text, name.text)
        }
        ("emit" | "timeout", ".") => {
            let member = found.from(token.end());
            format!("what comes out has names: `{} {{ {}: {}.{1} }}`", word.text, member.text, name.text)
        }
        _ => return None,
    };
    Some(Guess::new(help))
}
