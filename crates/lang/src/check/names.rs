//! Words about names: what was meant by one that there is not, and which were given twice.

use crate::code;
use crate::diagnostic::Diagnostic;
use crate::tree::{Name, Place};

/// The most that a list of what there is shows.
const LISTED_MAX: usize = 12;

/// "did you mean `amount`?", where one of the names is near.
pub(super) fn meant<'n>(name: &str, names: impl Iterator<Item = &'n str>) -> Option<String> {
    let near = |other: &str| strsim::damerau_levenshtein(&name.to_lowercase(), &other.to_lowercase());
    let allowed = (name.chars().count() / 3).max(1);
    let best = names.map(|other| (near(other), other)).min_by_key(|(distance, _)| *distance)?;
    (best.0 <= allowed).then(|| format!("did you mean `{}`?", best.1))
}

/// "the fields are a, b and c"
pub(super) fn listed<'n>(intro: &str, names: impl Iterator<Item = &'n str>) -> String {
    let names: Vec<&str> = names.collect();
    let shown = names.iter().take(LISTED_MAX).copied().collect::<Vec<_>>().join(", ");
    let rest = if names.len() > LISTED_MAX { ", ..." } else { "" };
    format!("{intro} {shown}{rest}")
}

/// A name that was given before.
pub(super) fn twice(what: &str, name: &Name, first: Place) -> Diagnostic {
    let message = format!("there are two {what}s `{}`", name.text);
    Diagnostic::error(&code::DUPLICATE, name.place, message).label("given again").also(first, "given here")
}
