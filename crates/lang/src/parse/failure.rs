//! What the grammar's refusal means to a user: what was found, what was expected, in the language's words.

use pest::error::{Error, ErrorVariant, InputLocation};

use super::Rule;
use crate::code;
use crate::diagnostic::Diagnostic;
use crate::tree::Place;

/// The diagnostic for what the grammar refused in the text from `offset` on.
pub(super) fn explain(text: &str, offset: usize, error: &Error<Rule>) -> Diagnostic {
    let at = offset
        + match error.location {
            InputLocation::Pos(at) => at,
            InputLocation::Span((at, _)) => at,
        };
    let ErrorVariant::ParsingError { positives, .. } = &error.variant else {
        let place = found_place(text, at);
        return Diagnostic::error(&code::TOO_DEEP, place, "this is nested too deeply to be read");
    };
    let place = found_place(text, at);
    let found = &text[place.start..place.end];
    if found.starts_with('"') {
        return open_text(place);
    }
    let expected = expected(positives);
    let diagnostic = Diagnostic::error(&code::SYNTAX, place, format!("expected {expected}, found {}", shown(found)));
    diagnostic.maybe_help(hint(text, place, positives))
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

/// "a, b or c", each once, in the order of the table below.
fn expected(rules: &[Rule]) -> String {
    let mut words: Vec<&str> = rules.iter().map(|rule| word(*rule)).filter(|word| !word.is_empty()).collect();
    words.sort_by_key(|word| (word.starts_with("the end"), word.starts_with('`'), !word.starts_with("an operator")));
    let mut each: Vec<&str> = Vec::new();
    for word in words {
        if !each.contains(&word) {
            each.push(word);
        }
    }
    match each.as_slice() {
        [] => "something else".into(),
        [one] => (*one).into(),
        [most @ .., last] => format!("{} or {last}", most.join(", ")),
    }
}

/// A fix that can be guessed from what was found.
fn hint(text: &str, place: Place, expected: &[Rule]) -> Option<String> {
    let found = &text[place.start..place.end];
    let wants = |rule| expected.contains(&rule);
    let help = match found {
        "=" => "to compare, write `==`",
        "&&" => "write `and`",
        "||" => "write `or`",
        "!" => "write `not`",
        "<>" => "write `!=`",
        "'" => "a text stands in double quotes: `\"..\"`",
        ";" => "nothing needs a semicolon",
        "begin" if wants(Rule::top_word) || wants(Rule::unit) || wants(Rule::item_end) => {
            "beside other items a pattern has a name: write `pattern NAME` before `begin`"
        }
        "begin" => "a pattern has one sequence; the next pattern starts with `pattern NAME`",
        "not" => "`not` stands before the whole comparison: `not (a in b)`",
        "where" => "a stage has one `where`, behind its quantifier; join conditions with `and`",
        "of" => "`within .. of ..` belongs to a stage, and stands before the next relation",
        "within" if wants(Rule::name) || wants(Rule::expression) => "a field of that name is written `` `within` ``",
        word if is_like_relation(word) => {
            "the relations are next, followedBy, followedByAny, notNext and notFollowedBy"
        }
        word if wants(Rule::name) && is_reserved(word) => {
            return Some(format!("`{word}` is a word of the language; as a name it is written `` `{word}` ``"));
        }
        _ => return None,
    };
    Some(help.into())
}

fn is_like_relation(word: &str) -> bool {
    let relations = ["next", "followedby", "followedbyany", "notnext", "notfollowedby"];
    let word = word.to_lowercase().replace('_', "");
    word.len() > 2 && relations.iter().any(|relation| strsim::damerau_levenshtein(relation, &word) <= 2)
}

fn is_reserved(word: &str) -> bool {
    use pest::Parser;
    !word.is_empty() && super::Grammar::parse(Rule::name, word).is_err()
}

/// What a rule is called to a user; empty where other rules at the same place say it better.
fn word(rule: Rule) -> &'static str {
    match rule {
        Rule::logic | Rule::compare_op | Rule::sum_op | Rule::kw_and | Rule::kw_or => "an operator",
        Rule::compare | Rule::between | Rule::in_ | Rule::like | Rule::matches | Rule::is_null => "an operator",
        Rule::kw_between | Rule::kw_in | Rule::kw_like | Rule::kw_matches | Rule::kw_is => "an operator",
        Rule::member | Rule::index | Rule::dot | Rule::open_bracket => "",
        Rule::expression | Rule::comparison | Rule::sum | Rule::postfix => "an expression",
        Rule::parens | Rule::conditional | Rule::call | Rule::list | Rule::minus | Rule::kw_not => "an expression",
        Rule::kw_true | Rule::kw_false | Rule::string => "an expression",
        Rule::name | Rule::label | Rule::word | Rule::quoted => "a name",
        Rule::number | Rule::times => "a number",
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
        Rule::term | Rule::stage | Rule::group | Rule::inner_sequence | Rule::inner | Rule::any_of => "a stage",
        Rule::relation | Rule::kw_next | Rule::kw_followed_by | Rule::kw_followed_by_any => "a relation",
        Rule::kw_not_next | Rule::kw_not_followed_by => "a relation",
        Rule::quantifier | Rule::modifier => "a quantifier",
        Rule::kw_optional | Rule::kw_greedy | Rule::kw_consecutive | Rule::kw_combinations => "a quantifier",
        Rule::condition | Rule::kw_where => "`where`",
        Rule::until | Rule::kw_until | Rule::active_until => "`until`",
        Rule::within | Rule::term_within | Rule::kw_within => "`within`",
        Rule::sequence | Rule::kw_begin | Rule::body | Rule::bare_body => "`begin`",
        Rule::from | Rule::kw_from | Rule::active_from => "`from`",
        Rule::key | Rule::kw_key | Rule::key_map => "`key`",
        Rule::active | Rule::kw_active => "`active`",
        Rule::skip | Rule::kw_skip => "`skip`",
        Rule::keep | Rule::kw_keep => "`keep`",
        Rule::cooldown | Rule::kw_cooldown => "`cooldown`",
        Rule::emit | Rule::kw_emit => "`emit`",
        Rule::timeout | Rule::kw_timeout => "`timeout`",
        Rule::stream | Rule::param | Rule::let_ | Rule::table | Rule::pattern | Rule::unit => {
            "a `pattern`, `stream`, `param`, `let` or `table`"
        }
        Rule::kw_stream | Rule::kw_param | Rule::kw_let | Rule::kw_table | Rule::kw_pattern | Rule::top_word => {
            "a `pattern`, `stream`, `param`, `let` or `table`"
        }
        Rule::item_end | Rule::EOI => "the end of the pattern",
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
        Rule::primary | Rule::clause | Rule::bare_expression | Rule::reserved | Rule::WHITESPACE | Rule::COMMENT => "",
    }
}
