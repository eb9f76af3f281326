//! The members of a flat JSON object, the short way: strings without escapes, numbers, true, false and null.
//!
//! Most events are such objects, and so little of JSON takes no parser. What is accepted here is JSON beyond doubt; of all
//! else, right or wrong, nothing is said, and `serde_json` reads it again from the start.

/// Gives the name and the text of each member, in order, to `each`. None where the object is not so simple; some members may
/// have been given then.
pub(super) fn members<'a>(object: &'a [u8], mut each: impl FnMut(&'a [u8], &'a [u8])) -> Option<()> {
    let mut scan = Scan { bytes: object, at: 0 };
    scan.take(b'{')?;
    if scan.take(b'}').is_none() {
        loop {
            let name = scan.string()?;
            scan.take(b':')?;
            each(&name[1..name.len() - 1], scan.value()?);
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
}

impl<'a> Scan<'a> {
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

    fn value(&mut self) -> Option<&'a [u8]> {
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
    fn string(&mut self) -> Option<&'a [u8]> {
        let rest = &self.bytes[self.at..];
        let [b'"', inner @ ..] = rest else { return None };
        let length = inner.iter().position(|&byte| ENDS_STRING[usize::from(byte)])?;
        if inner[length] != b'"' {
            return None;
        }
        Some(self.cut(length + 2))
    }

    /// `-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?`
    fn number(&mut self) -> Option<&'a [u8]> {
        let bytes = &self.bytes[self.at..];
        let mut end = usize::from(bytes[0] == b'-');
        let integer = digits(&bytes[end..]);
        if integer == 0 || integer > 1 && bytes[end] == b'0' {
            return None;
        }
        end += integer;
        if bytes.get(end) == Some(&b'.') {
            end += 1 + at_least_one(digits(&bytes[end + 1..]))?;
        }
        if let Some(b'e' | b'E') = bytes.get(end) {
            end += 1 + usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
            end += at_least_one(digits(&bytes[end..]))?;
        }
        Some(self.cut(end))
    }

    fn word(&mut self, word: &[u8]) -> Option<&'a [u8]> {
        self.bytes[self.at..].starts_with(word).then(|| self.cut(word.len()))
    }

    /// The next `length` bytes.
    fn cut(&mut self, length: usize) -> &'a [u8] {
        let start = self.at;
        self.at += length;
        &self.bytes[start..self.at]
    }
}

/// How many digits stand at the front.
fn digits(bytes: &[u8]) -> usize {
    bytes.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(bytes.len())
}

fn at_least_one(digits: usize) -> Option<usize> {
    (digits > 0).then_some(digits)
}

/// What cannot stand in a string as it is: the quote that ends it, escapes, control characters.
const ENDS_STRING: [bool; 256] = {
    let mut ends = [false; 256];
    let mut control = 0;
    while control < 0x20 {
        ends[control] = true;
        control += 1;
    }
    ends[b'"' as usize] = true;
    ends[b'\\' as usize] = true;
    ends
};

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;
    use serde_json::value::RawValue;

    use super::*;

    /// What is found, or that it is left to the parser.
    fn read(object: &str) -> Option<Vec<(&str, &str)>> {
        let mut found = Vec::new();
        let text = |bytes| str::from_utf8(bytes).unwrap();
        members(object.as_bytes(), |name, value| found.push((text(name), text(value)))).map(|()| found)
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
