//! Guesses in sequences, and in what stands behind them.

use super::{Found, Guess, Token, in_other_letters, respelled};
use crate::literal;
use crate::parse::Rule;
use crate::parse::failure::{
    A_DURATION, A_NAME, A_QUANTIFIER, A_RELATION, A_STAGE, AN_ENDING, AN_ITEM, AN_OPERATOR, THE_END,
};

const RELATIONS: [&str; 5] = ["next", "followedBy", "followedByAny", "notNext", "notFollowedBy"];

/// The relation that a word is almost.
fn meant_relation(word: &str) -> Option<&'static str> {
    let word = word.to_lowercase().replace(['_', '-'], "");
    let distance = |relation: &&str| strsim::damerau_levenshtein(&relation.to_lowercase(), &word);
    // Short words are near to each other: `net` may be `next`, `not` is something else.
    let allowed = if word.len() < 6 { 1 } else { 2 };
    let near = RELATIONS.into_iter().filter(|relation| word.len() > 2 && distance(relation) <= allowed);
    near.min_by_key(distance).filter(|_| word != "not")
}

/// The relation that several words, or `!` and a word, are together.
fn joined_relation(found: &Found<'_>) -> Option<Guess> {
    let [second, third] = found.onwards::<2>();
    let first = found.token();
    let not = matches!(first.text, "!" | "not" | "NOT");
    let word = if not { "not" } else { first.text };
    for last in [third, second] {
        let words = &found.text[first.end()..last.end()];
        let plain = format!("{word}{words}").replace([' ', '_', '-'], "").to_lowercase();
        let relation = RELATIONS.into_iter().find(|relation| relation.to_lowercase() == plain);
        if let Some(relation) = relation {
            return Some(Guess::new(format!("write `{relation}`, as one word")).at(first.start, last.end()));
        }
    }
    None
}

/// Where a relation could stand: behind a stage, or behind its condition.
pub(super) fn relation(found: &Found<'_>) -> Option<Guess> {
    if !found.wants(A_RELATION) {
        return None;
    }
    let token = found.token();
    if let Some(guess) = joined_relation(found) {
        return Some(guess);
    }
    if let Some(relation) = meant_relation(token.text) {
        let help = match relation.eq_ignore_ascii_case(&token.text.replace('_', "")) {
            true => format!("write `{relation}`; capitals and small letters differ"),
            false => format!("did you mean `{relation}`?"),
        };
        return Some(Guess::new(help));
    }
    let help = match token.text {
        "=>" if found.wants(AN_OPERATOR) => return None,
        "then" | "->" | "=>" | ">>" => "write `followedBy`, or `next` for the very next event",
        "select" | "SELECT" | "return" | "output" | "yield" => "what a match gives is written `emit { name: value }`",
        "window" | "during" | "for" | "WITHIN" => "the window is written `within 15m`",
        "key" | "from" | "active" => return Some(misplaced_clause(token)),
        "begin" => "a pattern has one sequence; the next pattern starts with `pattern NAME`",
        _ if is_stage(found) => return None,
        word => return meant(word),
    };
    Some(Guess::new(help))
}

/// What else can stand behind a stage or its condition.
const BEHIND: [&str; 12] = [
    "where",
    "until",
    "within",
    "skip",
    "keep",
    "cooldown",
    "emit",
    "timeout",
    "optional",
    "greedy",
    "consecutive",
    "combinations",
];

/// The word that another is almost.
fn meant(word: &str) -> Option<Guess> {
    let distance = |other: &&str| strsim::damerau_levenshtein(other, &word.to_lowercase());
    let near = BEHIND
        .into_iter()
        .filter(|other| word.len() > 2 && distance(other) == 1 || distance(other) == 2 && word.len() > 6);
    near.min_by_key(distance).map(|other| Guess::new(format!("did you mean `{other}`?")))
}

fn misplaced_clause(token: Token<'_>) -> Guess {
    Guess::new(format!("`{}` stands before the sequence: `pattern NAME {0} .. begin ..`", token.text))
}

/// Directly behind a stage's name, where its condition could begin.
pub(super) fn condition(found: &Found<'_>) -> Option<Guess> {
    if found.wants(AN_OPERATOR) || !found.wants(A_RELATION) {
        return missing_relation(found);
    }
    let token = found.token();
    let [stage, word] = found.backwards();
    let help = match token.text {
        "," => "between two stages stands a relation such as `followedBy`",
        "and" | "&&" | "&" => "write `followedBy`, or `(a & b)` for both in any order",
        "or" | "||" | "|" => "write `(a | b)` for one of them",
        "=" | "==" | "!=" | "<" | ">" | "<=" | ">=" | "." if stage.is_name() && word.text != "of" => {
            "a stage has a name, and behind `where` its condition: `a where x > 1`"
        }
        "if" | "when" | "with" | "having" | "filter" | "such" | "("
            if stage.is_name() && !found.starts_line(token.start) =>
        {
            return Some(Guess::new(format!("a condition stands behind `where`: `{} where ..`", stage.text)));
        }
        "as" | "AS" => {
            let name = found.from(token.end());
            return Some(Guess::new(format!("the stage's own name comes first: `{} where ..`", name.text)));
        }
        word if in_other_letters(word).is_some() => return respelled(word),
        _ => return missing_relation(found),
    };
    Some(Guess::new(help))
}

/// Whether what was found is most likely the next stage, as a name before a `where` or a relation is.
fn is_stage(found: &Found<'_>) -> bool {
    let token = found.token();
    let next = found.from(token.end()).text;
    token.is_name() && (next == "where" || RELATIONS.contains(&next))
}

/// A name, or a group, that stands alone.
fn missing_relation(found: &Found<'_>) -> Option<Guess> {
    let token = found.token();
    let is_name = token.is_name() && crate::parse::is_name(token.text) && in_other_letters(token.text).is_none();
    // `skip to next` has the word of a relation, too.
    let is_skip = found.wants_rule(Rule::kw_last);
    if !found.wants(A_RELATION) || is_skip || !is_name && token.text != "(" {
        return None;
    }
    let shown = if is_name { token.text } else { "( .. )" };
    let relation = format!("a relation is missing before `{}`: `followedBy {shown}`, or `next {shown}`", token.text);
    match is_stage(found) || found.starts_line(token.start) {
        true => Some(Guess::new(relation)),
        false
            if is_name
                && !found.wants(AN_OPERATOR)
                && !found.backwards::<2>().iter().any(|token| token.text == "of") =>
        {
            Some(Guess::new("before a condition stands `where`, before a stage a relation such as `followedBy`"))
        }
        false => None,
    }
}

/// How often a stage is taken.
pub(super) fn counted(found: &Found<'_>) -> Option<Guess> {
    let token = found.token();
    let [before, second] = found.backwards();
    let behind = found.from(token.end());
    if found.wants_rule(Rule::times_comma) && matches!(token.text, "-" | "." | "..") {
        let most = found.text[token.start..].trim_start_matches(['-', '.', ' ']);
        let most: String = most.chars().take_while(char::is_ascii_digit).collect();
        return Some(Guess::new(format!("write `{{{},{most}}}`", before.text)));
    }
    if found.wants_rule(Rule::times_comma) && token.text == "times" {
        return Some(Guess::new(format!("write `{{{}}}`", before.text)));
    }
    if before.text == "{" && token.text == "," && found.wants("a number") {
        return Some(Guess::new(format!("write `{{0,{}}}`", behind.text)).at(before.start, behind.end() + 1));
    }
    let is_stage_end = found.wants(A_RELATION);
    match token.text {
        "{" if found.wants(AN_OPERATOR) && is_stage_end => {
            Some(Guess::new("how often is said behind the stage's name: `a{3} where ..`"))
        }
        _ if !is_stage_end || found.wants(AN_OPERATOR) => None,
        "+" | "*" | "?" | "{" if is_modifier(before.text) => {
            Some(Guess::new(format!("how often stands before `{}`: `a{} {0}`", before.text, token.text)))
        }
        "+" | "*" | "?" => Some(Guess::new("a stage has one quantifier: `?`, `+`, `*`, or `{2,4}`")),
        "[" if behind.is_number() => {
            Some(Guess::new(format!("write `{{{}}}`", behind.text)).at(token.start, behind.end() + 1))
        }
        "times" | "exactly" => Some(Guess::new("how often is said in braces: `a{3}`")),
        "timesOrMore" | "atLeast" => Some(Guess::new("how often is said in braces: `a{3,}` for three or more")),
        "oneOrMore" => Some(Guess::new("write `+` behind the stage's name: `a+`")),
        "zeroOrMore" => Some(Guess::new("write `*` behind the stage's name: `a*`")),
        "allowCombinations" => Some(Guess::new("write `combinations`")),
        _ if token.is_number() && before.text == "*" => {
            Some(Guess::new(format!("write `{{{}}}`", token.text)).at(before.start, token.end()))
        }
        _ if token.is_number() && matches!(second.text, "begin" | "next" | "followedBy") => {
            Some(Guess::new(format!("how often is said in braces: `{}{{{}}}`", before.text, token.text)))
        }
        _ => None,
    }
}

fn is_modifier(word: &str) -> bool {
    matches!(word, "optional" | "greedy" | "consecutive" | "combinations")
}

/// Where a stage could stand.
pub(super) fn stage(found: &Found<'_>) -> Option<Guess> {
    if !found.wants(A_STAGE) {
        return None;
    }
    let token = found.token();
    let [relation] = found.backwards();
    let behind = found.from(token.end());
    let help = match token.text {
        "" => return Some(Guess::new(format!("a stage is missing behind `{0}`: `{0} a`", relation.text))),
        word if RELATIONS.contains(&word) && RELATIONS.contains(&relation.text) => {
            return Some(Guess::new(format!("a stage is missing behind `{}`", relation.text)));
        }
        "notNext" | "notFollowedBy" => "a negation says what may not follow, so a stage comes before it",
        "not" | "!" => match relation.text {
            "next" => {
                return Some(Guess::new(format!("write `notNext {}`", behind.text)).at(relation.start, token.end()));
            }
            "followedBy" | "followedByAny" => {
                return Some(
                    Guess::new(format!("write `notFollowedBy {}`", behind.text)).at(relation.start, token.end()),
                );
            }
            _ => {
                "a pattern starts with an event: what must not come is said behind it, with `notNext` or `notFollowedBy`"
            }
        },
        "where" => "a stage has a name before its condition: `a where ..`",
        "begin" => "a group needs no `begin` of its own in front of it",
        _ if token.is_number() && behind.text == "of" => {
            return Some(Guess::new(format!("write `any {} of (a & b & c)`", token.text)));
        }
        _ if token.is_number() && behind.is_name() => {
            return Some(Guess::new(format!("how often is said behind the name: `{}{{{}}}`", behind.text, token.text)));
        }
        _ => return None,
    };
    Some(Guess::new(help))
}

/// Groups, and `any n of`.
pub(super) fn group(found: &Found<'_>) -> Option<Guess> {
    let is_window = found.expected.iter().all(|rule| matches!(rule, Rule::kw_of | Rule::kw_events));
    let token = found.token();
    let is_over =
        token.text.is_empty() || ["within", "skip", "keep", "cooldown", "emit", "timeout"].contains(&token.text);
    let is_inside = is_window || found.wants("`)`") && found.wants("`|`") && !found.wants(AN_OPERATOR);
    if is_over && is_inside {
        return found.unclosed('(', ')');
    }
    let before = found.before(token.start);
    let help = match (before.text, token.text) {
        ("any", "of") | ("any", "(") if found.wants(A_RELATION) => "say how many: `any 1 of (a & b)`",
        ("all", "of") | ("all", "(") if found.wants(A_RELATION) => "for all of them in any order, write `(a & b)`",
        (_, "or" | "||") if found.wants("`|`") && !found.wants(AN_OPERATOR) => "write `|` for one of them: `(a | b)`",
        (_, "and" | "&&") if found.wants("`|`") && !found.wants(AN_OPERATOR) => {
            "write `&` for all of them in any order: `(a & b)`"
        }
        (_, ",") if found.wants("`|`") && !found.wants(AN_OPERATOR) => {
            "write `&` for all of them in any order, `|` for one of them, or a relation between them"
        }
        (_, "|" | "&") if found.wants("`)`") && (!found.wants(AN_OPERATOR) || found.wants("`|`")) => {
            "`|` and `&` do not mix in one group: put one of them in parentheses"
        }
        _ => return None,
    };
    Some(Guess::new(help))
}

/// Durations, where the grammar has read a number.
pub(super) fn duration(found: &Found<'_>) -> Option<Guess> {
    let token = found.token();
    if found.wants(A_DURATION) && token.text == "(" {
        return Some(Guess::new("write the duration without parentheses: `within 15m`"));
    }
    if !found.wants_rule(Rule::kw_events) && !found.wants_rule(Rule::kw_of) {
        return None;
    }
    let number = found.before(token.start);
    match literal::meant_unit(token.text) {
        Some(unit) if number.is_number() => {
            let guess = Guess::new(format!("write `{}{unit}`", number.text)).at(number.start, token.end());
            let written = &found.text[number.start..token.end()];
            Some(guess.says(format!("`{written}` is not a duration: number and unit are one word")))
        }
        _ if matches!(token.text, "from" | "after" | "since" | "before") && found.wants_rule(Rule::kw_of) => {
            let anchor = found.from(token.end());
            Some(Guess::new(format!(
                "from when it counts is said with `of`: `within {} of {}`",
                number.text, anchor.text
            )))
        }
        _ if token.text == "previous" && number.text == "of" => {
            Some(Guess::new("a duration is missing: `within 5m of previous`"))
        }
        _ if token.text == "previous" => {
            Some(Guess::new(format!("from when it counts is said with `of`: `within {} of previous`", number.text)))
        }
        _ => None,
    }
}

/// Behind a `within`, where the sequence is over unless the window is a stage's own.
pub(super) fn behind_window(found: &Found<'_>) -> Option<Guess> {
    let token = found.token();
    let [span, within] = found.backwards();
    if within.text != "within" || !found.wants(AN_ENDING) || found.wants(A_RELATION) {
        return None;
    }
    let window = &found.text[within.start..span.end()];
    if RELATIONS.contains(&token.text) || meant_relation(token.text).is_some() || joined_relation(found).is_some() {
        let help = format!(
            "write `{window}` behind the last stage; for the time since the stage before alone, `{window} of previous`"
        );
        let message = format!("`{window}` is about the whole sequence, and here the sequence goes on");
        return Some(Guess::new(help).at(within.start, span.end()).says(message));
    }
    let help = match token.text {
        "where" => "a stage's `where` stands before `within`",
        "until" => "a stage's `until` stands before `within`",
        _ => return None,
    };
    Some(Guess::new(help))
}

/// Behind the sequence.
pub(super) fn ending(found: &Found<'_>) -> Option<Guess> {
    let token = found.token();
    let [before, second, third] = found.backwards();
    let help = match (before.text, token.text) {
        ("to", _) if found.wants_rule(Rule::kw_last) => {
            return Some(Guess::new(format!("write `skip to first {}` or `skip to last {0}`", token.text)));
        }
        (name, ".") if second.text == "of" => {
            let member = found.from(token.end());
            return Some(
                Guess::new(format!("a window counts from an event: `of {name}`")).at(before.start, member.end()),
            );
        }
        ("last", "event") if third.text == "skip" => "write `skip past last`",
        (_, word) if word.replace('_', "").eq_ignore_ascii_case("skippastlast") => "write `skip past last`",
        (_, word) if word.replace('_', "").eq_ignore_ascii_case("skippastlastevent") => "write `skip past last`",
        ("timeout", _) if token.is_number() => {
            "the window is written `within 15m`; `timeout { .. }` says what a timeout gives"
        }
        ("past", _) if found.wants_rule(Rule::kw_last) => "write `skip past last`",
        (_, "of") if found.wants(THE_END) => {
            "`within .. of ..` belongs to a stage, and stands before the next relation"
        }
        (_, "within" | "skip" | "keep" | "emit") if found.wants(AN_ITEM) => {
            "it stands behind the sequence, which starts with `begin`"
        }
        (_, "begin") if found.wants(THE_END) && !found.wants(A_RELATION) => {
            "beside other items a pattern has a name: `pattern NAME`"
        }
        (_, "key" | "from" | "active") if found.wants(THE_END) => return Some(misplaced_clause(token)),
        (_, word) if is_late(found, word) => {
            return Some(Guess::new(format!("the sequence is over: `{word}` stands before what ends the pattern")));
        }
        (_, "}") if found.wants(THE_END) => "no brace is open here",
        (_, word) if found.wants(AN_ENDING) => return respelled(word),
        _ => return None,
    };
    Some(Guess::new(help))
}

/// Whether a word belongs to the sequence, and that is over.
fn is_late(found: &Found<'_>, word: &str) -> bool {
    let is_of_sequence = RELATIONS.contains(&word) || matches!(word, "where" | "until");
    is_of_sequence
        && found.wants(AN_ENDING)
        && !found.wants(A_RELATION)
        && !found.wants(A_QUANTIFIER)
        && !found.wants(A_NAME)
}
