//! What the grammar's refusal means to a user: what was found, what was expected, in the language's words.

use pest::error::{Error, ErrorVariant, InputLocation};

use super::Rule;
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
    if found.starts_with('"') {
        return open_text(place);
    }
    let (expected, hint) = (expected(positives), hint(text, place, positives));
    // Where it is known what to do, all that could stand there instead is no news.
    let message = match expected.as_slice() {
        [_, _, _, ..] if hint.is_some() => format!("{} cannot stand here", shown(found)),
        expected => format!("expected {}, found {}", listed(expected), shown(found)),
    };
    Diagnostic::error(&code::SYNTAX, place, message).maybe_help(hint)
}

fn open_text(place: Place) -> Diagnostic {
    Diagnostic::error(&code::OPEN_TEXT, place, "this text does not end").help("end it with `\"` on the same line")
}

/// The token at a place: what a reader would call one.
fn found_place(text: &str, at: usize) -> Place {
    let rest = &text[at..];
    let Some(first) = rest.chars().next() else { return last_of(text) };
    let is_word = |char: char| char.is_alphanumeric() || char == '_';
    let length = match first {
        '"' => rest.find('\n').unwrap_or(rest.len()),
        char if is_word(char) => rest.find(|char| !is_word(char)).unwrap_or(rest.len()),
        char => ["&&", "||", "==", "=>", "->", "<>", "!=", "::"]
            .iter()
            .find(|token| rest.starts_with(**token))
            .map_or(char.len_utf8(), |token| token.len()),
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

/// A fix that can be guessed from what was found.
fn hint(text: &str, place: Place, expected: &[Rule]) -> Option<String> {
    let found = &text[place.start..place.end];
    let wants = |wanted: &str| expected.iter().any(|rule| word(*rule) == wanted);
    let help = match found {
        "=" if wants(AN_OPERATOR) => "to compare, write `==`",
        _ if expected == [Rule::colon] && found != "=" => "write `name: type` for a field, `name: value` for an entry",
        "=" if wants("`:`") => "a parameter has a type: `param NAME: duration = ..`",
        "&&" => "write `and`",
        "||" => "write `or`",
        "!" => "write `not`",
        "<>" => "write `!=`",
        "'" => "a text stands in double quotes: `\"..\"`",
        ";" => "nothing needs a semicolon",
        "==" | "!=" | "<" | ">" if wants(AN_OPERATOR) => "comparisons do not chain: write `a < b and b < c`",
        ")" if wants(AN_OPERATOR) => "no parenthesis is open here",
        "begin" if wants(A_NAME) => "a pattern has a name: `pattern NAME`",
        "begin" if wants(THE_END) && !wants(A_RELATION) => "beside other items a pattern has a name: `pattern NAME`",
        "begin" => "a pattern has one sequence; the next pattern starts with `pattern NAME`",
        "notNext" | "notFollowedBy" if wants(A_STAGE) => {
            "a negation says what may not follow, so a stage comes before it"
        }
        "not" if wants(AN_OPERATOR) => "`not` stands before the whole comparison: `not (a in b)`",
        "where" if wants(AN_OPERATOR) => "a stage has one `where`; join conditions with `and`",
        "of" => "`within .. of ..` belongs to a stage, and stands before the next relation",
        "within" | "skip" | "keep" | "emit" if wants(AN_ITEM) => {
            "it stands behind the sequence, which starts with `begin`"
        }
        word if wants(A_RELATION) && meant_relation(word).is_some() => {
            return meant_relation(word).map(|relation| format!("did you mean `{relation}`?"));
        }
        word if wants(AN_EXPRESSION) && is_reserved(word) => {
            let help = format!("something is missing before `{word}`; if a field is meant, write `` `{word}` ``");
            return Some(help);
        }
        word if (wants(A_NAME) || wants(A_STAGE)) && is_reserved(word) => {
            return Some(format!("`{word}` is a word of the language; as a name it is written `` `{word}` ``"));
        }
        _ => return None,
    };
    Some(help.into())
}

/// The relation that a word is almost.
fn meant_relation(word: &str) -> Option<&'static str> {
    let relations = ["next", "followedBy", "followedByAny", "notNext", "notFollowedBy"];
    let word = word.to_lowercase().replace('_', "");
    let distance = |relation: &&str| strsim::damerau_levenshtein(&relation.to_lowercase(), &word);
    relations.into_iter().filter(|relation| word.len() > 2 && distance(relation) <= 2).min_by_key(distance)
}

fn is_reserved(word: &str) -> bool {
    word.starts_with(char::is_alphabetic) && !super::is_name(word)
}

// Words that more than one rule is called by.
const AN_OPERATOR: &str = "an operator";
const AN_EXPRESSION: &str = "an expression";
const A_NAME: &str = "a name";
const A_STAGE: &str = "a stage";
const A_RELATION: &str = "a relation";
const A_QUANTIFIER: &str = "a quantifier";
const AN_ENDING: &str = "a clause such as `skip`";
const AN_ITEM: &str = "a `pattern`, `stream`, `param`, `let` or `table`";
const THE_END: &str = "the end of the pattern";

/// What a rule is called to a user; empty where other rules at the same place say it better.
fn word(rule: Rule) -> &'static str {
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
        Rule::span => "a duration such as `15m`",
        Rule::event_count => "a number of events",
        Rule::time | Rule::moment => "a time such as `@2021-01-19T10:00:00Z`",
        Rule::type_name | Rule::list_of => "a type",
        Rule::list_end => "`>`",
        Rule::nullable => "`?`",
        Rule::field => "a field",
        Rule::fields => "fields in `{ }`",
        Rule::mark => "a mark such as `@key`",
        Rule::entry => "a field as `name: value`",
        Rule::record => "fields in `{ }`",
        Rule::parameters => "parameters in `( )`",
        Rule::term | Rule::stage | Rule::group | Rule::inner_sequence | Rule::inner | Rule::any_of => A_STAGE,
        Rule::relation | Rule::kw_next | Rule::kw_followed_by | Rule::kw_followed_by_any => A_RELATION,
        Rule::kw_not_next | Rule::kw_not_followed_by => A_RELATION,
        Rule::quantifier | Rule::modifier => A_QUANTIFIER,
        Rule::kw_optional | Rule::kw_greedy | Rule::kw_consecutive | Rule::kw_combinations => A_QUANTIFIER,
        Rule::condition | Rule::kw_where => "`where`",
        Rule::until | Rule::kw_until | Rule::active_until => "`until`",
        Rule::within | Rule::term_within | Rule::kw_within => "`within`",
        Rule::sequence | Rule::kw_begin | Rule::body | Rule::bare_body => "`begin`",
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
        Rule::rest | Rule::stray => "",
        Rule::primary | Rule::clause | Rule::ending | Rule::bare_expression | Rule::reserved => "",
        Rule::WHITESPACE | Rule::COMMENT => "",
    }
}
