//! The fields of one CSV record.
//!
//! Our own and not the `csv` crate, because that takes any bytes for CSV: it reads an open quote to the end of the file and
//! text behind a closing quote without a word, where a stream has to say which line is wrong and go on with the next one.
//! Nor does it borrow: it copies each field, also those that no pattern asks for.

use std::borrow::Cow;
use std::ops::Range;

use memchr::memchr;

use crate::marks::{self, WINDOW, marks};

pub(crate) const QUOTE: u8 = b'"';

/// A field as it stands in its record.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Field<'a> {
    record: &'a str,
    /// Where it starts, without the quotes around it.
    start: usize,
    end: usize,
    /// Whether there were quotes, and those inside are doubled.
    quoted: bool,
}

impl<'a> Field<'a> {
    /// What the field says, copied only where it holds quotes.
    #[inline]
    pub(crate) fn text(self) -> Cow<'a, str> {
        let inner = &self.record[self.start..self.end];
        if self.quoted { unescaped(inner) } else { Cow::Borrowed(inner) }
    }

    /// Whether there are quotes around it.
    #[inline]
    pub(crate) fn is_quoted(self) -> bool {
        self.quoted
    }

    /// Where it stands in the record without the quotes around it; those inside are still doubled.
    #[inline]
    pub(crate) fn inner(self) -> Range<usize> {
        self.start..self.end
    }
}

fn unescaped(inner: &str) -> Cow<'_, str> {
    match memchr(QUOTE, inner.as_bytes()) {
        Some(_) => Cow::Owned(inner.replace("\"\"", "\"")),
        None => Cow::Borrowed(inner),
    }
}

/// The fields of a record whose quotes are balanced, which [`crate::records::Records`] has seen to.
#[inline]
pub(crate) fn fields(record: &str, delimiter: u8) -> Fields<'_> {
    let mut fields = Fields { record, delimiter, start: 0, window: 0, ends: 0 };
    fields.look(0);
    fields
}

pub(crate) struct Fields<'a> {
    record: &'a str,
    delimiter: u8,
    /// Where the next field starts; behind the last one, beyond the record.
    start: usize,
    /// Where the bytes start that were looked at.
    window: usize,
    /// Where fields end among them: at delimiters and at the end of the record.
    ends: u64,
}

impl<'a> Iterator for Fields<'a> {
    type Item = Field<'a>;

    #[inline(always)]
    fn next(&mut self) -> Option<Field<'a>> {
        let Fields { record, start, .. } = *self;
        let field = match record.as_bytes().get(start) {
            Some(&QUOTE) => return Some(self.quoted()),
            Some(_) => Field { record, start, end: self.end_from(start), quoted: false },
            None if start == record.len() => Field { record, start, end: start, quoted: false },
            None => return None,
        };
        self.start = field.end + 1;
        Some(field)
    }
}

impl<'a> Fields<'a> {
    /// Where the next field starts; behind the last one, beyond the record.
    pub(crate) fn start(&self) -> usize {
        self.start
    }

    /// Looks at the bytes from there on.
    #[inline(always)]
    fn look(&mut self, at: usize) {
        self.window = at;
        [self.ends] = marks(self.record.as_bytes(), at, |block| [marks::same(block, self.delimiter)]);
        self.ends |= 1_u64.unbounded_shl((self.record.len() - at) as u32);
    }

    /// Where the next delimiter stands, or the end of the record.
    #[inline(always)]
    fn end_from(&mut self, from: usize) -> usize {
        match self.ends.unbounded_shr((from - self.window) as u32) {
            0 => self.end_behind_window(from),
            ends => from + ends.trailing_zeros() as usize,
        }
    }

    fn end_behind_window(&mut self, from: usize) -> usize {
        let mut at = from.max(self.window + WINDOW).min(self.record.len());
        loop {
            self.look(at);
            if self.ends != 0 {
                return at + self.ends.trailing_zeros() as usize;
            }
            at += WINDOW;
        }
    }

    /// The field at the front, which opens with a quote.
    #[cold]
    fn quoted(&mut self) -> Field<'a> {
        let Fields { record, start, .. } = *self;
        let start = start + 1;
        let end = closing_quote(record.as_bytes(), start);
        self.start = self.end_from(end + 1) + 1;
        Field { record, start, end, quoted: true }
    }
}

/// Where the quote stands that closes a field that starts there, or the end of the record.
fn closing_quote(record: &[u8], start: usize) -> usize {
    let mut at = start;
    while let Some(quote) = memchr(QUOTE, &record[at..]) {
        at += quote;
        if record.get(at + 1) != Some(&QUOTE) {
            return at;
        }
        at += 2;
    }
    record.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(record: &str, expected: &[&str]) {
        assert_eq!(texts(record), expected, "{record}");
    }

    fn texts(record: &str) -> Vec<String> {
        fields(record, b',').map(|field| field.text().into_owned()).collect()
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
    fn text_behind_a_closing_quote_is_passed_over() {
        // No record has it; a row that another program made of one may.
        check("\"a\"é,b", &["a", "b"]);
        check("\"a\"éé", &["a"]);
        check("\"é\"\"", &["é\""]);
    }

    #[test]
    fn a_quote_inside_a_plain_field_is_text() {
        check(r#"6" pipe,b"#, &["6\" pipe", "b"]);
    }

    #[test]
    fn any_ascii_character_may_be_the_delimiter() {
        for delimiter in [b'\0', b'\t', b';', b'|', 0x7f] {
            for record in ["a_bcdefgh_1", "_", "", "abcdefg_", "abcdefgh", "\"a_\"_12345678_1234567\x01"] {
                let record = record.replace('_', str::from_utf8(&[delimiter]).unwrap());
                let found: Vec<_> = fields(&record, delimiter).map(|field| field.text().into_owned()).collect();
                let expected: Vec<_> = match record.strip_prefix('"') {
                    Some(inner) => vec![&inner[..2], "12345678", "1234567\x01"],
                    None => record.split(char::from(delimiter)).collect(),
                };
                assert_eq!(found, expected, "{record:?}");
            }
        }
    }

    proptest::proptest! {
        #[test]
        fn fields_without_quotes_are_split_at_every_delimiter(record in "[a-cé,+\u{0}-]{0,40}") {
            proptest::prop_assert_eq!(texts(&record), record.split(',').collect::<Vec<_>>());
        }

        #[test]
        fn no_record_panics(record in "[a\"é,]{0,12}", delimiter in 0..128_u8) {
            proptest::prop_assert!(fields(&record, delimiter).all(|field| field.text().len() <= record.len()));
        }

        #[test]
        fn what_the_csv_crate_writes_is_read(record in proptest::collection::vec("[ab,\"\n\r é]{0,12}", 2..5)) {
            let mut writer = csv::Writer::from_writer(Vec::new());
            writer.write_record(&record).unwrap();
            let written = String::from_utf8(writer.into_inner().unwrap()).unwrap();
            proptest::prop_assert_eq!(texts(written.strip_suffix('\n').unwrap()), record);
        }
    }
}
