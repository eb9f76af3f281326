//! The words of which sentences and drawings are made.

use crate::counted::counted;
use ensue_model::pattern::{Quantifier, WindowSpan};

use super::outline::{Stage, Window};

/// The widest line of a text.
const LINE_MAX: usize = 100;

/// "a", "a and b", "a, b and c"
pub(super) fn listed(items: &[String]) -> String {
    match items {
        [most @ .., last] if !most.is_empty() => format!("{} and {last}", most.join(", ")),
        items => items.concat(),
    }
}

/// Whether a step is taken once, or left out.
pub(super) fn is_once(times: &Quantifier) -> bool {
    times.max == Some(1)
}

/// How many rounds a loop has: "3 times", "one or more times". Whether it may be left out is said apart.
pub(super) fn rounds(times: &Quantifier) -> String {
    match (times.min, times.max) {
        (1, None) => "one or more times".to_owned(),
        (min, None) => format!("{min} or more times"),
        (1, Some(1)) => "once".to_owned(),
        (min, Some(max)) if min == max => format!("{min} times"),
        (min, Some(max)) => format!("{min} to {max} times"),
    }
}

/// How many events a loop takes: "3", "one or more".
pub(super) fn amount(times: &Quantifier) -> String {
    match (times.min, times.max) {
        (1, None) => "one or more".to_owned(),
        (min, None) => format!("{min} or more"),
        (min, Some(max)) if min == max => min.to_string(),
        (min, Some(max)) => format!("{min} to {max}"),
    }
}

/// The noun for what a stage takes: `event`, or `events`, with which of them it is.
pub(super) fn events(noun: &str, stage: &Stage) -> String {
    let of = stage.stream.as_ref().map_or_else(String::new, |stream| format!(" of `{stream}`"));
    let with = stage.condition.as_ref().map_or_else(String::new, |condition| format!(" with {}", quoted(condition)));
    format!("{noun}{of}{with}")
}

/// Whether a stage takes whatever comes.
pub(super) fn takes_any(stage: &Stage) -> bool {
    stage.stream.is_none() && stage.condition.is_none() && stage.key.is_none()
}

/// A piece of pattern text in a sentence. Names in backticks are told apart by doubled ones around the whole.
pub(super) fn quoted(text: &str) -> String {
    if text.contains('`') { format!("`` {text} ``") } else { format!("`{text}`") }
}

/// How far behind its anchor a step's window lets its events lie: "less than 15 minutes", "at most 5 events".
pub(super) fn reach(span: WindowSpan) -> String {
    match span {
        WindowSpan::Time(span) => format!("less than {}", span.in_words()),
        WindowSpan::Events(count) => format!("at most {}", counted(u64::from(count.get()), "event")),
    }
}

/// Behind what a step's window counts: "after `paid`", "after the event before".
pub(super) fn since(window: &Window) -> String {
    match &window.anchor_name {
        None => "after the event taken before".to_owned(),
        Some(name) => format!("after `{name}`"),
    }
}

/// A text in lines that are not too long: the first begins with `first`, the others with `others`.
pub(super) fn wrapped(text: &str, first: &str, others: &str) -> Vec<String> {
    let mut lines = vec![first.to_owned()];
    let mut is_fresh = true;
    for word in text.split(' ') {
        let line = lines.last_mut().expect("there is a first line");
        // A brace that closes does not stand alone.
        if !is_fresh && word != "}" && line.chars().count() + 1 + word.chars().count() > LINE_MAX {
            lines.push(format!("{others}{word}"));
            continue;
        }
        if !is_fresh {
            line.push(' ');
        }
        line.push_str(word);
        is_fresh = false;
    }
    lines
}

/// A condition in lines of so many characters. Where it is longer, what `and` and `or` join has lines of its own.
pub(super) fn broken_code(code: &str, chars_max: usize) -> Vec<String> {
    if code.chars().count() <= chars_max {
        return vec![code.to_owned()];
    }
    joined(code).iter().flat_map(|piece| broken(piece, chars_max)).collect()
}

/// The pieces of a condition, which but for the first begin with `and` or `or`. What stands in a text joins nothing.
fn joined(code: &str) -> Vec<String> {
    let mut pieces = vec![String::new()];
    let mut is_in_text = false;
    for word in code.split(' ') {
        if !is_in_text && (word == "and" || word == "or") {
            pieces.push(String::new());
        }
        let piece = pieces.last_mut().expect("there is a first piece");
        if !piece.is_empty() {
            piece.push(' ');
        }
        piece.push_str(word);
        let escaped = word.matches("\\\"").count();
        is_in_text ^= (word.matches('"').count() - escaped) % 2 == 1;
    }
    pieces
}

/// A text in lines of so many characters, broken between words; a word that is longer is broken too.
pub(super) fn broken(text: &str, chars_max: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut length = 0;
    for word in text.split(' ') {
        let word_length = word.chars().count();
        if length > 0 && length + 1 + word_length > chars_max {
            lines.push(String::new());
            length = 0;
        }
        for (char, position) in word.chars().zip(0..) {
            if length >= chars_max {
                lines.push(String::new());
                length = 0;
            }
            let line = lines.last_mut().expect("there is a first line");
            if position == 0 && length > 0 {
                line.push(' ');
                length += 1;
            }
            line.push(char);
            length += 1;
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_are_broken_where_they_are_joined() {
        let code = r#"status == "bread and butter" and amount > 10 or is_large"#;
        assert_eq!(broken_code(code, 40), [r#"status == "bread and butter""#, "and amount > 10", "or is_large"]);
        assert_eq!(broken_code(code, 100), [code]);
        assert_eq!(broken_code("abcdefgh or i", 4), ["abcd", "efgh", "or i"]);
    }

    #[test]
    fn lines_are_broken_between_words_and_a_word_that_is_too_long_has_its_own() {
        let long = "x".repeat(LINE_MAX);
        let lines = wrapped(&format!("one two {long} three"), "1. ", "   ");
        assert_eq!(lines, ["1. one two".to_owned(), format!("   {long}"), "   three".to_owned()]);
    }
}
