//! A pattern text with its name.

use crate::tree::Place;

/// A pattern text with its name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Source {
    /// As shown in messages, a path most often; its stem names a pattern that the text gives no name.
    pub name: String,
    /// The text.
    pub text: String,
}

impl Source {
    /// A text with its name.
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Self {
        Source { name: name.into(), text: text.into() }
    }

    /// The name without folders and ending: `orders` of `jobs/orders.pattern`.
    pub(crate) fn stem(&self) -> &str {
        let file = self.name.rsplit(['/', '\\']).next().unwrap_or(&self.name);
        match file.rsplit_once('.') {
            Some((stem, _)) if !stem.is_empty() => stem,
            _ => file,
        }
    }

    /// What stands at a place.
    pub(crate) fn at(&self, place: Place) -> &str {
        self.text.get(place.start..place.end).unwrap_or_default()
    }

    /// Line and column of a byte, both from 1; columns count characters.
    pub(crate) fn line_and_column(&self, byte: usize) -> (usize, usize) {
        let before = &self.text[..self.text.floor_char_boundary(byte)];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stem_is_the_name_without_folders_and_ending() {
        for (name, stem) in
            [("orders.pattern", "orders"), ("a/b.c/orders", "orders"), (".pattern", ".pattern"), ("<stdin>", "<stdin>")]
        {
            assert_eq!(Source::new(name, "").stem(), stem);
        }
    }

    #[test]
    fn columns_count_characters() {
        let source = Source::new("x", "ä\näb");
        assert_eq!(source.line_and_column(0), (1, 1));
        assert_eq!(source.line_and_column(5), (2, 2));
    }
}
