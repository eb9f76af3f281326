//! The fields of one CSV record.
//!
//! Our own and not the `csv` crate, because that takes any bytes for CSV: it reads an open quote to the end of the file and
//! text behind a closing quote without a word, where a stream has to say which line is wrong and go on with the next one.
//! Nor does it borrow: it copies each field, also those that no pattern asks for.

use std::borrow::Cow;

use memchr::memchr;

pub(crate) const QUOTE: u8 = b'"';

/// A field as it stands in its record.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Field<'a> {
    /// Without the quotes around it.
    inner: &'a [u8],
    /// Whether there were quotes, and those inside are doubled.
    quoted: bool,
}

impl<'a> Field<'a> {
    /// What the field says, copied only where it holds quotes.
    #[inline]
    pub(crate) fn text(self) -> Cow<'a, [u8]> {
        if self.quoted { unescaped(self.inner) } else { Cow::Borrowed(self.inner) }
    }
}

fn unescaped(inner: &[u8]) -> Cow<'_, [u8]> {
    match memchr(QUOTE, inner) {
        Some(_) => Cow::Owned(halved(inner)),
        None => Cow::Borrowed(inner),
    }
}

/// Each two quotes as one.
fn halved(inner: &[u8]) -> Vec<u8> {
    let mut text = Vec::with_capacity(inner.len());
    let mut rest = inner;
    while let Some(quote) = memchr(QUOTE, rest) {
        text.extend_from_slice(&rest[..=quote]);
        rest = rest.get(quote + 2..).unwrap_or_default();
    }
    text.extend_from_slice(rest);
    text
}

/// The fields of a record whose quotes are balanced, which [`crate::records::Records`] has seen to.
///
/// Bytes and not text: numbers are read and written as bytes, and what is cut at ASCII stays UTF-8.
pub(crate) fn fields(record: &[u8], delimiter: u8) -> Fields<'_> {
    Fields { rest: Some(record), delimiter }
}

pub(crate) struct Fields<'a> {
    rest: Option<&'a [u8]>,
    delimiter: u8,
}

impl<'a> Iterator for Fields<'a> {
    type Item = Field<'a>;

    #[inline(always)]
    fn next(&mut self) -> Option<Field<'a>> {
        let rest = self.rest?;
        let (field, end) = match rest.first() {
            Some(&QUOTE) => quoted(rest),
            _ => plain(rest, self.delimiter),
        };
        self.rest = rest.get(end + 1..);
        Some(field)
    }
}

/// The field at the front, and where it ends.
#[inline(always)]
fn plain(rest: &[u8], delimiter: u8) -> (Field<'_>, usize) {
    // Most fields are so short that they end before a call of memchr would have begun to search.
    const SHORT: usize = 16;
    let near = &rest[..rest.len().min(SHORT)];
    let end = match near.iter().position(|&byte| byte == delimiter) {
        Some(end) => end,
        None if rest.len() <= SHORT => rest.len(),
        None => memchr(delimiter, rest).unwrap_or(rest.len()),
    };
    (Field { inner: &rest[..end], quoted: false }, end)
}

/// The field at the front, which opens with a quote, and where its closing quote ends.
fn quoted(rest: &[u8]) -> (Field<'_>, usize) {
    let mut at = 1;
    while let Some(quote) = memchr(QUOTE, &rest[at..]) {
        at += quote;
        if rest.get(at + 1) != Some(&QUOTE) {
            return (Field { inner: &rest[1..at], quoted: true }, at + 1);
        }
        at += 2;
    }
    (Field { inner: &rest[1..], quoted: true }, rest.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(record: &str, expected: &[&str]) {
        assert_eq!(texts(record.as_bytes()), expected, "{record}");
    }

    fn texts(record: &[u8]) -> Vec<String> {
        fields(record, b',').map(|field| String::from_utf8(field.text().into_owned()).unwrap()).collect()
    }

    #[test]
    fn fields_lie_between_delimiters() {
        check("a,b", &["a", "b"]);
        check("a,", &["a", ""]);
        check(",", &["", ""]);
        check("", &[""]);
    }

    #[test]
    fn quotes_hide_delimiters_and_doubled_quotes() {
        check(r#""a,b",c"#, &["a,b", "c"]);
        check(r#""say ""hi""","""#, &["say \"hi\"", ""]);
        check(r#"",""""#, &[",\""]);
        check(r#"a,"""#, &["a", ""]);
    }

    #[test]
    fn a_quote_inside_a_plain_field_is_text() {
        check(r#"6" pipe,b"#, &["6\" pipe", "b"]);
    }

    #[test]
    fn any_ascii_character_may_be_the_delimiter() {
        for delimiter in [b'\0', b'\t', b';', b'|', 0x7f] {
            for record in [&b"a_bcdefgh_1"[..], b"_", b"", b"abcdefg_", b"abcdefgh", b"\"a_\"_12345678_1234567\x01"] {
                let record: Vec<u8> = record.iter().map(|&byte| if byte == b'_' { delimiter } else { byte }).collect();
                let found: Vec<_> = fields(&record, delimiter).map(|field| field.inner).collect();
                let expected: Vec<_> = match record.first() {
                    Some(&QUOTE) => vec![&record[1..3], b"12345678", b"1234567\x01"],
                    _ => record.split(|&byte| byte == delimiter).collect(),
                };
                assert_eq!(found, expected, "{}", record.escape_ascii());
            }
        }
    }

    proptest::proptest! {
        #[test]
        fn fields_without_quotes_are_split_at_every_delimiter(record in "[a-cé,+\u{0}-]{0,40}") {
            proptest::prop_assert_eq!(texts(record.as_bytes()), record.split(',').collect::<Vec<_>>());
        }

        #[test]
        fn what_the_csv_crate_writes_is_read(record in proptest::collection::vec("[ab,\"\n\r é]{0,12}", 2..5)) {
            let mut writer = csv::Writer::from_writer(Vec::new());
            writer.write_record(&record).unwrap();
            let written = writer.into_inner().unwrap();
            proptest::prop_assert_eq!(texts(written.strip_suffix(b"\n").unwrap()), record);
        }
    }
}
