//! The members of a flat JSON object, the short way: strings without escapes, numbers, true, false and null.
//!
//! Most events are such objects, and so little of JSON takes no parser. What is accepted here is JSON beyond doubt; of all
//! else, right or wrong, nothing is said, and `serde_json` reads it again from the start.

use std::ops::Range;

use crate::marks::{self, Block, Finder};

/// Gives the name of each member and where its text stands, in order, to `each`. None where the object is not so simple; some
/// members may have been given then.
pub(super) fn members<'a>(object: &'a str, mut each: impl FnMut(&'a [u8], Range<usize>)) -> Option<()> {
    let bytes = object.as_bytes();
    let mut scan = Scan { bytes, at: 0, finder: Finder::new(bytes, kinds) };
    scan.take(b'{')?;
    if scan.take(b'}').is_none() {
        loop {
            let name = scan.string()?;
            scan.take(b':')?;
            each(&bytes[name.start + 1..name.end - 1], scan.value()?);
            if scan.take(b',').is_none() {
                break scan.take(b'}')?;
            }
        }
    }
    (scan.at == object.len()).then_some(())
}

struct Scan<'a> {
    bytes: &'a [u8],
    at: usize,
    finder: Finder<'a, 2>,
}

/// What ends a string, and what ends digits.
fn kinds(block: Block) -> [Block; 2] {
    [marks::ends_string(block), !marks::digits(block)]
}

const STRING_END: usize = 0;
const DIGITS_END: usize = 1;

impl Scan<'_> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    /// Takes this character, with the white space around it.
    fn take(&mut self, wanted: u8) -> Option<()> {
        self.skip_space();
        if self.peek()? != wanted {
            return None;
        }
        self.at += 1;
        self.skip_space();
        Some(())
    }

    fn skip_space(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    fn value(&mut self) -> Option<Range<usize>> {
        match self.peek()? {
            b'"' => self.string(),
            b'-' | b'0'..=b'9' => self.number(),
            b't' => self.word(b"true"),
            b'f' => self.word(b"false"),
            b'n' => self.word(b"null"),
            _ => None,
        }
    }

    /// A string in its quotes.
    fn string(&mut self) -> Option<Range<usize>> {
        if self.peek()? != b'"' {
            return None;
        }
        let end = self.finder.find(STRING_END, self.at + 1);
        if *self.bytes.get(end)? != b'"' {
            return None;
        }
        Some(self.cut(end + 1))
    }

    /// `-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?`
    fn number(&mut self) -> Option<Range<usize>> {
        let bytes = self.bytes;
        let start = self.at + usize::from(bytes[self.at] == b'-');
        let mut end = self.digits(start)?;
        if end - start > 1 && bytes[start] == b'0' {
            return None;
        }
        if bytes.get(end) == Some(&b'.') {
            end = self.digits(end + 1)?;
        }
        if let Some(b'e' | b'E') = bytes.get(end) {
            end += 1 + usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
            end = self.digits(end)?;
        }
        Some(self.cut(end))
    }

    /// Where the digits end that start there; none if there are none.
    fn digits(&mut self, start: usize) -> Option<usize> {
        let end = self.finder.find(DIGITS_END, start);
        (end > start).then_some(end)
    }

    fn word(&mut self, word: &[u8]) -> Option<Range<usize>> {
        self.bytes[self.at..].starts_with(word).then(|| self.cut(self.at + word.len()))
    }

    /// What stands from here to there, which is passed over.
    fn cut(&mut self, end: usize) -> Range<usize> {
        let start = self.at;
        self.at = end;
        start..end
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;
    use serde_json::value::RawValue;

    use super::*;

    /// What is found, or that it is left to the parser.
    fn read(object: &str) -> Option<Vec<(&str, &str)>> {
        let mut found = Vec::new();
        let text = |name| str::from_utf8(name).unwrap();
        members(object, |name, value| found.push((text(name), &object[value]))).map(|()| found)
    }

    #[test]
    fn members_are_given_as_they_stand_there() {
        let object = "{ \"a\" : 1.50 ,\"b\":\"é\",\"\":-0,\t\"c\":true,\"d\":null,\"e\":false,\"a\":1E+9\r}";
        let expected =
            [("a", "1.50"), ("b", "\"é\""), ("", "-0"), ("c", "true"), ("d", "null"), ("e", "false"), ("a", "1E+9")];
        assert_eq!(read(object).unwrap(), expected);
        assert_eq!(read("{ }").unwrap(), []);
    }

    #[test]
    fn what_is_not_flat_or_wrong_is_left_to_the_parser() {
        let inner = [
            "\"a\":{}",
            "\"a\":[]",
            "\"a\":\"\\n\"",
            "\"\\u0061\":1",
            "\"a\":\"\t\"",
            "\"a\":01",
            "\"a\":1.",
            "\"a\":-",
            "\"a\":1e",
            "\"a\":.5",
            "\"a\":+1",
            "\"a\":1,",
            ",\"a\":1",
            "\"a\" 1",
            "a:1",
            "\"a\":nul",
            "\"a\":truee",
            "\"a\":1 2",
            "\"a",
            "\"a\":\"",
            "\"a\":",
        ];
        for object in inner.map(|inner| format!("{{{inner}}}")) {
            assert_eq!(read(&object), None, "{object}");
        }
        for object in ["", "{", "{}}", "{} {}", "[]", "{\"a\":1"] {
            assert_eq!(read(object), None, "{object}");
        }
    }

    fn agrees(object: &str) -> Result<(), TestCaseError> {
        let parsed: Option<HashMap<String, &RawValue>> = serde_json::from_str(object).ok();
        if let Some(found) = read(object) {
            let parsed = parsed.expect("what the short way accepts is JSON");
            let found: HashMap<_, _> = found.into_iter().collect();
            prop_assert_eq!(found.len(), parsed.len());
            prop_assert!(found.iter().all(|(name, text)| parsed[*name].get() == *text));
        }
        Ok(())
    }

    proptest! {
        #[test]
        fn what_the_short_way_accepts_the_parser_reads_alike(
            inner in "(\"[ab]\" ?: ?(-?[0-9]{1,2}(\\.[0-9]?)?([eE][+-]?[0-9]?)?|true|null|\"[a\\\\\té]?\"|\\[\\])[, }]{0,2}){0,4}",
        ) {
            agrees(&format!("{{{inner}}}"))?;
            agrees(&format!("{{{}}}", inner.trim_end_matches([',', ' ', '}'])))?;
        }

        #[test]
        fn no_text_panics(text in "[{}\"\\\\:,01.eE+-tnull é]{0,20}") {
            agrees(&text)?;
            agrees(&format!("{{\"a\":{text}"))?;
        }
    }
}
