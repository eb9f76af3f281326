//! Words about names: what was meant by one that there is not, and which were given twice.

use crate::code;
use crate::diagnostic::Diagnostic;
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
    let best = names
        .take(COMPARED_MAX)
        .filter(alike)
        .map(|other| (near(other), other))
        .min_by_key(|(distance, _)| *distance)?;
    (best.0 <= allowed).then(|| format!("did you mean `{}`?", best.1))
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
    let message = format!("there are two {what}s `{}`", name.text);
    Diagnostic::error(&code::DUPLICATE, name.place, message).label("given again").also(first, "given here")
}
