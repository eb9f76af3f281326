//! The grammar's pairs, as the readers of items, patterns and expressions ask them.

use pest::iterators::{Pair, Pairs};

use super::{Reader, Rule};
use crate::code;
use crate::diagnostic::Diagnostic;
use crate::tree::{Name, Number, Place};

impl<'s> Reader<'s> {
    /// Where the pair stands. Its end is that of its last token: the grammar's own takes in the white space before an
    /// optional part that is not there.
    pub(super) fn place(&self, pair: &Pair<'s, Rule>) -> Place {
        let mut last = pair.clone();
        while let Some(inner) = last.clone().into_inner().next_back() {
            last = inner;
        }
        Place { start: self.offset + pair.as_span().start(), end: self.offset + last.as_span().end() }
    }

    /// A `name` or a `label`.
    pub(super) fn name(&self, pair: Pair<'s, Rule>) -> Name {
        let text = pair.as_str().trim_matches('`').to_owned();
        Name { text, place: self.place(&pair) }
    }

    /// All names among the pairs.
    pub(super) fn names(&self, pairs: Pairs<'s, Rule>) -> Vec<Name> {
        pairs.filter(|pair| pair.as_rule() == Rule::name).map(|pair| self.name(pair)).collect()
    }

    pub(super) fn number(&self, pair: Pair<'s, Rule>) -> Number {
        Number { text: pair.as_str().to_owned(), place: self.place(&pair) }
    }

    pub(super) fn error(&mut self, code: &'static code::Code, place: Place, message: impl Into<String>) {
        self.diagnostics.push(Diagnostic::error(code, place, message));
    }

    /// What the `///` lines directly before an item say. They are not those of an item that begins where another ends.
    pub(super) fn doc(&self, place: Place) -> String {
        let line_start = self.text[..place.start].rfind('\n').map_or(0, |newline| newline + 1);
        if line_start < self.end_before {
            return String::new();
        }
        let lines = self.text[..line_start].lines().rev();
        let mut doc: Vec<&str> = lines.map_while(|line| line.trim().strip_prefix("///")).collect();
        doc.reverse();
        doc.iter().map(|line| line.strip_prefix(' ').unwrap_or(line)).collect::<Vec<_>>().join("\n")
    }
}

/// The pairs but for the words, commas and brackets that the grammar names only so that errors can.
pub(super) fn parts<'s>(pair: Pair<'s, Rule>) -> impl Iterator<Item = Pair<'s, Rule>> {
    pair.into_inner().filter(|pair| !is_punctuation(pair.as_rule()))
}

/// The next pair, which the grammar promises.
pub(super) fn expect<'s>(pairs: &mut impl Iterator<Item = Pair<'s, Rule>>) -> Pair<'s, Rule> {
    pairs.next().expect("the grammar has a part here: it matched")
}

fn is_punctuation(rule: Rule) -> bool {
    matches!(
        rule,
        Rule::comma
            | Rule::colon
            | Rule::assign
            | Rule::dot
            | Rule::pipe
            | Rule::ampersand
            | Rule::open_brace
            | Rule::close_brace
            | Rule::open_paren
            | Rule::close_paren
            | Rule::open_bracket
            | Rule::close_bracket
            | Rule::kw_active
            | Rule::kw_any
            | Rule::kw_begin
            | Rule::kw_between
            | Rule::kw_cooldown
            | Rule::kw_else
            | Rule::kw_emit
            | Rule::kw_events
            | Rule::kw_from
            | Rule::kw_if
            | Rule::kw_in
            | Rule::kw_is
            | Rule::kw_keep
            | Rule::kw_key
            | Rule::kw_let
            | Rule::kw_like
            | Rule::kw_matches
            | Rule::kw_of
            | Rule::kw_param
            | Rule::kw_pattern
            | Rule::kw_skip
            | Rule::kw_stream
            | Rule::kw_table
            | Rule::kw_then
            | Rule::kw_timeout
            | Rule::kw_until
            | Rule::kw_where
            | Rule::kw_within
    )
}
