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
    inner: &'a str,
    /// Whether there were quotes, and those inside are doubled.
    quoted: bool,
}

impl<'a> Field<'a> {
    /// What the field says.
    pub(crate) fn text(self) -> Cow<'a, str> {
        if self.quoted && self.inner.contains("\"\"") {
            return Cow::Owned(self.inner.replace("\"\"", "\""));
        }
        Cow::Borrowed(self.inner)
    }
}

/// The fields of a record whose quotes are balanced, which [`crate::records::Records`] has seen to.
pub(crate) fn fields(record: &str, delimiter: u8) -> Fields<'_> {
    Fields { rest: Some(record), delimiter }
}

pub(crate) struct Fields<'a> {
    rest: Option<&'a str>,
    delimiter: u8,
}

impl<'a> Iterator for Fields<'a> {
    type Item = Field<'a>;

    fn next(&mut self) -> Option<Field<'a>> {
        let rest = self.rest?;
        let (field, end) = match rest.as_bytes().first() {
            Some(&QUOTE) => quoted(rest),
            _ => plain(rest, self.delimiter),
        };
        self.rest = rest.get(end + 1..);
        Some(field)
    }
}

/// The field at the front, and where it ends.
fn plain(rest: &str, delimiter: u8) -> (Field<'_>, usize) {
    let end = memchr(delimiter, rest.as_bytes()).unwrap_or(rest.len());
    (Field { inner: &rest[..end], quoted: false }, end)
}

/// The field at the front, which opens with a quote, and where its closing quote ends.
fn quoted(rest: &str) -> (Field<'_>, usize) {
    let bytes = rest.as_bytes();
    let mut at = 1;
    while let Some(quote) = memchr(QUOTE, &bytes[at..]) {
        at += quote;
        if bytes.get(at + 1) != Some(&QUOTE) {
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
        let found: Vec<_> = fields(record, b',').map(Field::text).collect();
        assert_eq!(found, expected, "{record}");
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

    proptest::proptest! {
        #[test]
        fn what_the_csv_crate_writes_is_read(record in proptest::collection::vec("[ab,\"\n\r é]{0,6}", 2..5)) {
            let mut writer = csv::Writer::from_writer(Vec::new());
            writer.write_record(&record).unwrap();
            let written = String::from_utf8(writer.into_inner().unwrap()).unwrap();
            let found: Vec<_> = fields(written.strip_suffix('\n').unwrap(), b',').map(Field::text).collect();
            proptest::prop_assert_eq!(found, record);
        }
    }
}
