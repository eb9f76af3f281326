//! What the grammar's refusal means to a user: what was found, what was expected, in the language's words.

use pest::error::{Error, ErrorVariant, InputLocation};

use super::Rule;
use super::hint::{self, Found};
use super::scan::quoted_length;
use crate::code;
use crate::diagnostic::Diagnostic;
use crate::tree::Place;

/// Where the grammar stopped, in the text that it was given.
pub(super) fn position(error: &Error<Rule>) -> usize {
    match error.location {
        InputLocation::Pos(at) | InputLocation::Span((at, _)) => at,
    }
}

/// The diagnostic for what the grammar refused at a place of the text.
pub(super) fn explain(text: &str, at: usize, error: &Error<Rule>) -> Diagnostic {
    let ErrorVariant::ParsingError { positives, .. } = &error.variant else {
        let place = found_place(text, at);
        return Diagnostic::error(&code::TOO_DEEP, place, "this is nested too deeply to be read");
    };
    let place = found_place(text, at);
    let found = &text[place.start..place.end];
    if let Some(diagnostic) = open_text(text, place) {
        return diagnostic;
    }
    let expected = expected(positives);
    let Some(guess) = hint::guess(&Found { text, place, expected: positives }) else {
        let message = format!("expected {}, found {}", listed(&expected), shown(found));
        return Diagnostic::error(&code::SYNTAX, place, message);
    };
    // Where it is known what to do, all that could stand there instead is no news.
    let message = guess.message.unwrap_or_else(|| match expected.as_slice() {
        [_, _, _, ..] => format!("{} cannot stand here", shown(found)),
        expected => format!("expected {}, found {}", listed(expected), shown(found)),
    });
    Diagnostic::error(&code::SYNTAX, guess.place.unwrap_or(place), message).help(guess.help)
}

/// A text that does not end on its line; or one that does not start, which is read as a name and such a text.
fn open_text(text: &str, place: Place) -> Option<Diagnostic> {
    let inside = text[place.start..place.end].strip_prefix('"')?;
    if inside.ends_with('"') {
        return None;
    }
    let before = text[..place.start].trim_end_matches(|char: char| char.is_alphanumeric() || char == '_').len();
    let word = &text[before..place.start];
    if word.is_empty() || text[..before].ends_with('"') {
        let diagnostic = Diagnostic::error(&code::OPEN_TEXT, place, "this text does not end");
        return Some(diagnostic.help("end it with `\"` on the same line"));
    }
    let place = Place { start: before, end: place.start + 1 };
    let diagnostic = Diagnostic::error(&code::OPEN_TEXT, place, "this text ends, and does not start");
    Some(diagnostic.help(format!("write `\"{word}\"`")))
}

/// The token at a place: what a reader would call one.
fn found_place(text: &str, at: usize) -> Place {
    let rest = &text[at..];
    let Some(first) = rest.chars().next() else { return last_of(text) };
    let is_word = |char: char| char.is_alphanumeric() || char == '_';
    let length = match first {
        '"' => quoted_length(rest, '"'),
        char if is_word(char) => rest.find(|char| !is_word(char)).unwrap_or(rest.len()),
        char => {
            ["===", "!==", "&&", "||", "==", "=>", "=<", ">=", "<=", "->", ">>", "<>", "!=", "::", ":=", "**", ".."]
                .iter()
                .find(|token| rest.starts_with(**token))
                .map_or(char.len_utf8(), |token| token.len())
        }
    };
    let shown = rest[..length].trim_end();
    Place { start: at, end: at + shown.len() }
}

/// The place behind the last word, for what is missing at the end.
fn last_of(text: &str) -> Place {
    let end = text.trim_end().len();
    Place { start: end, end }
}

fn shown(found: &str) -> String {
    if found.is_empty() { "the end of the text".into() } else { format!("`{found}`") }
}

/// Each once, what a reader most likely wants first.
fn expected(rules: &[Rule]) -> Vec<&'static str> {
    let mut each: Vec<&'static str> = Vec::new();
    for word in rules.iter().map(|rule| word(*rule)).filter(|word| !word.is_empty()) {
        if !each.contains(&word) {
            each.push(word);
        }
    }
    if each.contains(&A_RELATION) || each.contains(&AN_OPERATOR) {
        // What could continue a name or a stage at any time says nothing of what is wrong.
        each.retain(|word| !["`(`", "`:`", "a number"].contains(word));
    }
    each.sort_by_key(|word| (word.starts_with("the end"), word.starts_with('`'), *word != AN_OPERATOR, *word));
    each
}

/// "a, b or c"
fn listed(words: &[&str]) -> String {
    match words {
        [] => "something else".into(),
        [one] => (*one).into(),
        [most @ .., last] => format!("{} or {last}", most.join(", ")),
    }
}

// Words that more than one rule is called by.
pub(super) const AN_OPERATOR: &str = "an operator";
pub(super) const AN_EXPRESSION: &str = "an expression";
pub(super) const A_NAME: &str = "a name";
pub(super) const A_STAGE: &str = "a stage";
pub(super) const A_RELATION: &str = "a relation";
pub(super) const A_QUANTIFIER: &str = "a quantifier";
pub(super) const AN_ENDING: &str = "a clause such as `skip`";
pub(super) const AN_ITEM: &str = "a `pattern`, `stream`, `param`, `let` or `table`";
pub(super) const THE_END: &str = "the end of the pattern";
pub(super) const A_DURATION: &str = "a duration such as `15m`";
pub(super) const A_TYPE: &str = "a type";
pub(super) const BEGIN: &str = "`begin`";

/// What a rule is called to a user; empty where other rules at the same place say it better.
pub(super) fn word(rule: Rule) -> &'static str {
    match rule {
        Rule::logic | Rule::compare_op | Rule::sum_op | Rule::kw_and | Rule::kw_or => AN_OPERATOR,
        Rule::compare | Rule::between | Rule::in_ | Rule::like | Rule::matches | Rule::is_null => AN_OPERATOR,
        Rule::kw_between | Rule::kw_in | Rule::kw_like | Rule::kw_matches | Rule::kw_is => AN_OPERATOR,
        Rule::member | Rule::index | Rule::dot | Rule::open_bracket => "",
        Rule::expression | Rule::comparison | Rule::sum | Rule::postfix => AN_EXPRESSION,
        Rule::parens | Rule::conditional | Rule::call | Rule::list | Rule::minus | Rule::kw_not => AN_EXPRESSION,
        Rule::kw_true | Rule::kw_false | Rule::string => AN_EXPRESSION,
        Rule::name | Rule::label | Rule::word | Rule::quoted => A_NAME,
        Rule::number => "a number",
        Rule::times => A_QUANTIFIER,
        Rule::span => A_DURATION,
        Rule::event_count => "a number of events",
        Rule::time | Rule::moment => "a time such as `@2021-01-19T10:00:00Z`",
        Rule::type_name | Rule::list_of => A_TYPE,
        Rule::list_end => "`>`",
        Rule::nullable => "`?`",
        Rule::field => "a field",
        Rule::fields => "fields in `{ }`",
        Rule::mark => "a mark such as `@key`",
        Rule::entry => "a field as `name: value`",
        Rule::record | Rule::emission | Rule::nothing => "fields in `{ }`",
        Rule::parameters => "parameters in `( )`",
        Rule::term | Rule::stage | Rule::group | Rule::inner_sequence | Rule::inner | Rule::any_of => A_STAGE,
        Rule::relation | Rule::kw_next | Rule::kw_followed_by | Rule::kw_followed_by_any => A_RELATION,
        Rule::kw_not_next | Rule::kw_not_followed_by => A_RELATION,
        Rule::quantifier | Rule::modifier => A_QUANTIFIER,
        Rule::kw_optional | Rule::kw_greedy | Rule::kw_consecutive | Rule::kw_combinations => A_QUANTIFIER,
        Rule::condition | Rule::kw_where => "`where`",
        Rule::until | Rule::kw_until | Rule::active_until => "`until`",
        Rule::within | Rule::term_within | Rule::kw_within => "`within`",
        Rule::sequence | Rule::kw_begin | Rule::body | Rule::bare_body => BEGIN,
        Rule::from | Rule::kw_from | Rule::active_from => "`from`",
        Rule::key | Rule::kw_key | Rule::key_map => "`key`",
        Rule::active | Rule::kw_active => "`active`",
        Rule::skip | Rule::kw_skip => AN_ENDING,
        Rule::keep | Rule::kw_keep => AN_ENDING,
        Rule::cooldown | Rule::kw_cooldown => AN_ENDING,
        Rule::emit | Rule::kw_emit => AN_ENDING,
        Rule::timeout | Rule::kw_timeout => AN_ENDING,
        Rule::stream | Rule::param | Rule::let_ | Rule::table | Rule::pattern | Rule::unit => AN_ITEM,
        Rule::kw_stream | Rule::kw_param | Rule::kw_let | Rule::kw_table | Rule::kw_pattern | Rule::top_word => AN_ITEM,
        Rule::item_end | Rule::EOI => THE_END,
        Rule::kw_all => "`all`",
        Rule::kw_any => "`any`",
        Rule::kw_else => "`else`",
        Rule::kw_events => "`events`",
        Rule::kw_first => "`first`",
        Rule::kw_if => "`if`",
        Rule::kw_last => "`last`",
        Rule::kw_latest => "`latest`",
        Rule::kw_none => "`none`",
        Rule::kw_null => "`null`",
        Rule::kw_of => "`of`",
        Rule::kw_past => "`past`",
        Rule::kw_then => "`then`",
        Rule::kw_to => "`to`",
        Rule::comma | Rule::times_comma => "`,`",
        Rule::colon => "`:`",
        Rule::assign => "`=`",
        Rule::pipe => "`|`",
        Rule::ampersand => "`&`",
        Rule::open_brace => "`{`",
        Rule::close_brace => "`}`",
        Rule::open_paren => "`(`",
        Rule::close_paren => "`)`",
        Rule::close_bracket => "`]`",
        Rule::rest | Rule::stray | Rule::stray_end => "",
        Rule::primary | Rule::clause | Rule::ending | Rule::bare_expression | Rule::reserved => "",
        Rule::WHITESPACE | Rule::COMMENT => "",
    }
}
