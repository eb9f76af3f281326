//! Words about names: what was meant by one that there is not, and which were given twice.

use crate::code;
use crate::diagnostic::Diagnostic;
use crate::source::Source;
use crate::tree::{Name, Place};

/// The most names that one that there is not is compared with.
const COMPARED_MAX: usize = 1_000;

/// The most that a list of what there is shows.
const LISTED_MAX: usize = 12;

/// "did you mean `amount`?", where one of the names is near.
pub(super) fn meant<'n>(name: &str, names: impl Iterator<Item = &'n str>) -> Option<String> {
    let near = |other: &str| strsim::damerau_levenshtein(&name.to_lowercase(), &other.to_lowercase());
    let allowed = (name.chars().count() / 3).max(1);
    // A name that is longer or shorter by more than that is not compared, and no more than a reader could have meant.
    let alike = |other: &&str| other.len().abs_diff(name.len()) <= 4 * allowed;
    let names: Vec<&str> = names.take(COMPARED_MAX).collect();
    let nearest = names.iter().copied().filter(alike).map(|other| (near(other), other));
    // Of several that are as near, the first in the alphabet: names come out of tables in any order.
    let nearest = nearest.min().filter(|(distance, _)| *distance <= allowed);
    let parts = || names.iter().copied().filter(|other| is_part(name, other) || is_part(other, name));
    let meant = nearest.map(|(_, other)| other).or_else(|| parts().min());
    meant.map(|meant| format!("did you mean `{meant}`?"))
}

/// `id` of `order_id`, `order` of `order_id`.
fn is_part(name: &str, other: &str) -> bool {
    let rest = other.strip_prefix(name).and_then(|rest| rest.strip_prefix('_'));
    rest.or_else(|| other.strip_suffix(name).and_then(|rest| rest.strip_suffix('_'))).is_some()
}

/// The word of the language for what other languages call so, where that is no likely name of a field.
pub(super) fn foreign(name: &str) -> Option<&'static str> {
    match name {
        "NULL" | "Null" | "None" | "NONE" | "nil" | "NIL" | "Nil" | "undefined" => Some("null"),
        "TRUE" | "True" => Some("true"),
        "FALSE" | "False" => Some("false"),
        _ => None,
    }
}

/// "the fields are a, b and c"
pub(super) fn listed<'n>(intro: &str, names: impl Iterator<Item = &'n str>) -> String {
    let names: Vec<&str> = names.take(LISTED_MAX + 1).collect();
    let shown = names.iter().take(LISTED_MAX).copied().collect::<Vec<_>>().join(", ");
    let rest = if names.len() > LISTED_MAX { ", ..." } else { "" };
    format!("{intro} {shown}{rest}")
}

/// A name that was given before.
pub(super) fn twice(what: &str, name: &Name, first: Place) -> Diagnostic {
    let diagnostic = Diagnostic::error(&code::DUPLICATE, name.place, two(what, name)).label("given again");
    diagnostic.also(first, "given here").help("give one of them another name")
}

/// A name that was given before, in this or another of the sources.
pub(super) fn twice_in_all(
    sources: &[Source],
    what: &str,
    source: usize,
    name: &Name,
    (first_source, first): (usize, Place),
) -> Diagnostic {
    if first_source == source {
        return twice(what, name, first);
    }
    let help = format!("the other one is in {}", sources[first_source].name);
    Diagnostic::error(&code::DUPLICATE, name.place, two(what, name)).label("given again").help(help)
}

fn two(what: &str, name: &Name) -> String {
    match what.strip_suffix('y') {
        Some(start) => format!("there are two {start}ies `{}`", name.text),
        None => format!("there are two {what}s `{}`", name.text),
    }
}

/// "`a`, `b` and `c`"
pub(super) fn joined<'n>(names: impl Iterator<Item = &'n str>) -> String {
    let names: Vec<String> = names.take(LISTED_MAX + 1).map(|name| format!("`{name}`")).collect();
    match names.as_slice() {
        [most @ .., _] if most.len() == LISTED_MAX => format!("{}, ...", most.join(", ")),
        [most @ .., last] if !most.is_empty() => format!("{} and {last}", most.join(", ")),
        names => names.concat(),
    }
}
