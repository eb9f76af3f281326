//! Bytes to records: a line each, or several where a CSV field in quotes holds line ends.

use std::error::Error;
use std::fmt;
use std::ops::Range;
use std::str;

use memchr::memchr;

use crate::buffer::Buffer;
use crate::csv::QUOTE;
use crate::format::RowFormat;
use crate::quotes::{End, Quotes};

/// The longest record in bytes, unless [`Records::with_limit`] says otherwise: 16 MiB.
pub const RECORD_BYTES_MAX: usize = 16 * 1024 * 1024;

/// The most lines that a CSV record may span. It bounds how far one stray quote can reach, and how often a line is read
/// again when decoding goes on behind the line with that quote.
pub const RECORD_LINES_MAX: u64 = 1_000;

/// What is kept of a record that is too long, in bytes.
pub const PREFIX_BYTES: usize = 1_024;

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Cuts bytes into records. Bytes come in chunks of any size, as a source reads them; a record that they end in waits for
/// the next chunk.
///
/// A byte order mark at the start and empty lines are passed over; lines end with `\n` or `\r\n`.
#[derive(Debug)]
pub struct Records {
    /// What stands between two fields, where quotes have a meaning.
    delimiter: Option<u8>,
    limit: usize,
    buffer: Buffer,
    /// Where the next record starts in the buffer.
    start: usize,
    /// How many of the next record's bytes are known to hold no line end.
    searched: usize,
    /// Where the first quote behind `start` stands, or up to where there is none.
    quote: usize,
    /// How far the quotes of the next record have been read.
    quotes: Quotes,
    /// The number of the line at `start`.
    line: u64,
    /// Whether the first bytes have been looked at for a byte order mark.
    opened: bool,
    ended: bool,
    /// Whether `start` is inside a line that was too long.
    skipping: bool,
}

/// The bytes of one event, without the line end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Record<'a> {
    /// The number of its line, from 1, also counting a header and empty lines; of its first line where it spans several.
    pub line: u64,
    /// Its bytes.
    pub bytes: &'a [u8],
    /// The same as text, where it is known to be.
    text: Option<&'a str>,
}

/// A record that is no event.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BadLine {
    /// The number of its line, from 1.
    pub line: u64,
    /// What is wrong with it.
    pub reason: String,
    /// The line as it came; its first [`PREFIX_BYTES`] where it is too long.
    pub raw: Vec<u8>,
}

impl fmt::Display for BadLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.reason)
    }
}

impl Error for BadLine {}

impl<'a> Record<'a> {
    /// A record that was cut by other means than [`Records`].
    pub fn new(line: u64, bytes: &'a [u8]) -> Self {
        Record { line, bytes, text: None }
    }

    /// The record as text.
    #[inline]
    pub fn text(&self) -> Result<&'a str, BadLine> {
        match self.text {
            Some(text) => Ok(text),
            None => self.checked_text(),
        }
    }

    #[cold]
    fn checked_text(&self) -> Result<&'a str, BadLine> {
        str::from_utf8(self.bytes).map_err(|error| self.bad(format!("byte {} is not UTF-8", error.valid_up_to() + 1)))
    }

    /// This record, refused.
    pub(crate) fn bad(&self, reason: String) -> BadLine {
        BadLine { line: self.line, reason, raw: self.bytes.to_vec() }
    }
}

/// The next record in the buffer.
enum Frame {
    /// More bytes are needed to tell.
    Incomplete,
    /// A record of so many bytes, with so many line ends inside.
    Record(usize, u64),
    /// A first line of so many bytes that belongs to no record.
    Broken(usize, String),
    /// A line that reaches beyond the limit.
    TooLong,
}

impl Records {
    /// Records as this format writes them, none longer than [`RECORD_BYTES_MAX`].
    pub fn new(format: &RowFormat) -> Self {
        match format {
            RowFormat::Csv(csv) => Records::csv(csv.delimiter),
            RowFormat::JsonLines | RowFormat::Logfmt => Records::of(None),
        }
    }

    /// Records of a CSV whose columns are not known yet: the first one is the header.
    pub fn csv(delimiter: u8) -> Self {
        Records::of(Some(delimiter))
    }

    fn of(delimiter: Option<u8>) -> Self {
        Records {
            delimiter,
            limit: RECORD_BYTES_MAX,
            buffer: Buffer::new(),
            start: 0,
            searched: 0,
            quote: 0,
            quotes: Quotes::new(),
            line: 1,
            opened: false,
            ended: false,
            skipping: false,
        }
    }

    /// With another limit on the length of a record, in bytes.
    pub fn with_limit(mut self, bytes: usize) -> Self {
        self.limit = bytes;
        self
    }

    /// Records from the middle of a document on, where others have come to: at this line, and perhaps inside one that was too
    /// long ([`Records::is_skipping`]).
    pub fn resumed(mut self, line: u64, is_skipping: bool) -> Self {
        self.line = line;
        self.skipping = is_skipping;
        self.opened = true;
        self
    }

    /// How many of the bytes that were fed belong to no record that has been given.
    pub fn pending_bytes(&self) -> usize {
        self.buffer.bytes().len() - self.start
    }

    /// The number of the line behind the record that was given last.
    pub fn line(&self) -> u64 {
        self.line
    }

    /// Whether that is the rest of a line that was too long and has been given as such.
    pub fn is_skipping(&self) -> bool {
        self.skipping
    }

    /// Takes the next bytes of the source. Call [`Records::next`] until it gives none before the next chunk, or the
    /// chunks pile up.
    pub fn feed(&mut self, chunk: &[u8]) {
        self.buffer.feed(self.start, chunk);
        self.quote = self.quote.saturating_sub(self.start);
        self.start = 0;
    }

    /// Says that no more bytes come, so that the last line needs no line end.
    pub fn end(&mut self) {
        self.ended = true;
    }

    /// The next record. None until more bytes are fed, and at the end.
    ///
    /// What is wrong with a record is reported once, and the next line is tried next.
    #[expect(clippy::should_implement_trait, reason = "a record borrows from the buffer, so this is no Iterator")]
    pub fn next(&mut self) -> Option<Result<Record<'_>, BadLine>> {
        if !self.open() {
            return None;
        }
        loop {
            if self.skipping && !self.skip_line() {
                return None;
            }
            let (start, line) = (self.start, self.line);
            match self.frame() {
                Frame::Incomplete => return None,
                Frame::Record(length, line_ends) => {
                    self.advance(length, line_ends + 1);
                    let end = start + without_return(&self.buffer.bytes()[start..start + length]).len();
                    if !self.is_blank(start, end) {
                        return Some(Ok(self.record(line, start..end)));
                    }
                }
                Frame::Broken(length, reason) => {
                    let raw = without_return(&self.buffer.bytes()[start..start + length]).to_vec();
                    self.advance(length, 1);
                    return Some(Err(BadLine { line, reason, raw }));
                }
                Frame::TooLong => {
                    self.skipping = true;
                    let line_bytes =
                        self.buffer.bytes()[start..].split(|&byte| byte == b'\n').next().unwrap_or_default();
                    let raw = line_bytes[..line_bytes.len().min(PREFIX_BYTES)].to_vec();
                    return Some(Err(BadLine { line, reason: self.too_long(), raw }));
                }
            }
        }
    }

    #[inline]
    fn record(&self, line: u64, part: Range<usize>) -> Record<'_> {
        match self.buffer.text(part.clone()) {
            Some(text) => Record { line, bytes: text.as_bytes(), text: Some(text) },
            None => Record::new(line, &self.buffer.bytes()[part]),
        }
    }

    /// Passes over a byte order mark. False while there are too few bytes to tell.
    fn open(&mut self) -> bool {
        if self.opened {
            return true;
        }
        if !self.ended
            && self.buffer.bytes().len() < BYTE_ORDER_MARK.len()
            && BYTE_ORDER_MARK.starts_with(self.buffer.bytes())
        {
            return false;
        }
        if self.buffer.bytes().starts_with(BYTE_ORDER_MARK) {
            self.start = BYTE_ORDER_MARK.len();
        }
        self.opened = true;
        true
    }

    fn frame(&mut self) -> Frame {
        let Some(length) = self.line_length() else {
            return if self.buffer.bytes().len() - self.start > self.limit {
                Frame::TooLong
            } else {
                Frame::Incomplete
            };
        };
        if length > self.limit {
            return Frame::TooLong;
        }
        if let Some(delimiter) = self.delimiter
            && self.has_quote(length)
        {
            return self.frame_with_quotes(delimiter, length);
        }
        Frame::Record(length, 0)
    }

    /// The length of the line at `start`, without its line end.
    fn line_length(&mut self) -> Option<usize> {
        let rest = &self.buffer.bytes()[self.start..];
        match memchr(b'\n', &rest[self.searched..]) {
            Some(found) => {
                self.searched += found;
                Some(self.searched)
            }
            None if self.ended && !rest.is_empty() => Some(rest.len()),
            None => {
                self.searched = rest.len();
                None
            }
        }
    }

    /// Whether there is a quote in the next `length` bytes. Many files have none: what one search finds serves many lines.
    fn has_quote(&mut self, length: usize) -> bool {
        let end = self.start + length;
        let is_stale = |quote: usize| quote < self.start || quote < end && self.buffer.bytes()[quote] != QUOTE;
        if is_stale(self.quote) {
            let from = self.quote.max(self.start);
            let found = memchr(QUOTE, &self.buffer.bytes()[from..]);
            self.quote = found.map_or(self.buffer.bytes().len(), |found| from + found);
        }
        self.quote < end
    }

    fn frame_with_quotes(&mut self, delimiter: u8, first_line: usize) -> Frame {
        let rest = &self.buffer.bytes()[self.start..];
        match self.quotes.read(rest, delimiter, RECORD_LINES_MAX) {
            End::At { length, .. } if length > self.limit => Frame::Broken(first_line, self.too_long()),
            End::At { length, line_ends } => Frame::Record(length, line_ends),
            End::Unclosed(field) if self.ended => {
                Frame::Broken(first_line, format!("field {field} opens a quote that is never closed"))
            }
            End::Unclosed(field) if rest.len() > self.limit => {
                let reason = format!("field {field} opens a quote that is not closed within {}", self.limit_in_words());
                Frame::Broken(first_line, reason)
            }
            End::TooManyLines(field) => {
                let reason = format!("field {field} opens a quote that is not closed within {RECORD_LINES_MAX} lines");
                Frame::Broken(first_line, reason)
            }
            End::TextBehindQuote(field) => {
                Frame::Broken(first_line, format!("field {field} has text behind its closing quote"))
            }
            End::Open if self.ended => Frame::Record(rest.len(), self.quotes.line_ends()),
            End::Open if rest.len() > self.limit => Frame::Broken(first_line, self.too_long()),
            End::Open | End::Unclosed(_) => Frame::Incomplete,
        }
    }

    /// Moves behind `length` bytes, the line end that follows them, and `lines` lines.
    fn advance(&mut self, length: usize, lines: u64) {
        let end = self.start + length;
        self.start = match self.buffer.bytes().get(end) {
            Some(b'\n') => end + 1,
            _ => memchr(b'\n', &self.buffer.bytes()[end..]).map_or(self.buffer.bytes().len(), |found| end + found + 1),
        };
        self.line += lines;
        self.searched = 0;
        self.quotes = Quotes::new();
    }

    /// Moves behind a line that was too long, and lets go of its bytes. False while it goes on.
    fn skip_line(&mut self) -> bool {
        match memchr(b'\n', &self.buffer.bytes()[self.start..]) {
            Some(found) => self.advance(found, 1),
            None => {
                self.start = 0;
                self.searched = 0;
                self.quote = 0;
                self.buffer = Buffer::new();
                return false;
            }
        }
        self.skipping = false;
        true
    }

    /// Whether nothing stands in a line. White space alone is nothing in JSON; in CSV it may be a field.
    fn is_blank(&self, start: usize, end: usize) -> bool {
        let bytes = &self.buffer.bytes()[start..end];
        bytes.is_empty() || self.delimiter.is_none() && bytes.trim_ascii().is_empty()
    }

    fn limit_in_words(&self) -> String {
        const MEBIBYTE: usize = 1024 * 1024;
        match self.limit % MEBIBYTE {
            0 => format!("{} MiB", self.limit / MEBIBYTE),
            _ => format!("{} bytes", self.limit),
        }
    }

    fn too_long(&self) -> String {
        format!("the event is longer than the limit of {}", self.limit_in_words())
    }
}

fn without_return(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(mut records: Records, chunks: &[&[u8]]) -> Vec<String> {
        let mut found = Vec::new();
        for chunk in chunks {
            records.feed(chunk);
            drain(&mut records, &mut found);
        }
        records.end();
        drain(&mut records, &mut found);
        found
    }

    fn drain(records: &mut Records, found: &mut Vec<String>) {
        while let Some(record) = records.next() {
            found.push(match record {
                Ok(record) => format!("{} {}", record.line, record.bytes.escape_ascii()),
                Err(bad) => format!("{bad} [{}]", bad.raw.escape_ascii()),
            });
        }
    }

    /// However the bytes are cut into chunks, the records are the same.
    fn check(records: impl Fn() -> Records, text: &str, expected: &[&str]) {
        let text = text.as_bytes();
        assert_eq!(read(records(), &[text]), expected);
        let bytes: Vec<&[u8]> = text.chunks(1).collect();
        assert_eq!(read(records(), &bytes), expected);
    }

    fn csv() -> Records {
        Records::csv(b',')
    }

    /// From wherever records have come to, others go on with the same.
    fn check_resumed(records: impl Fn() -> Records, text: &str) {
        let text = text.as_bytes();
        let whole = read(records(), &[text]);
        for (cut, given) in (0..=text.len()).flat_map(|cut| (0..=whole.len()).map(move |given| (cut, given))) {
            let mut first = records();
            first.feed(&text[..cut]);
            let taken = (0..given).map_while(|_| first.next().map(drop)).count();
            let from = cut - first.pending_bytes();
            if from == 0 && !first.is_skipping() {
                continue;
            }
            let rest = records().resumed(first.line(), first.is_skipping());
            assert_eq!(read(rest, &[&text[from..]]), whole[taken..], "{taken} records, cut at {cut}");
        }
    }

    #[test]
    fn records_go_on_where_others_have_come_to() {
        check_resumed(csv, "\u{feff}a,1\n\nb,\"x\ny\"\r\nc,\"\n2\n3\n");
        check_resumed(json, "{}\n  \n[1,\n2]");
        check_resumed(|| csv().with_limit(8), "abcdefghijkl\n1\nabcdefghijkl\n2,\"345678901\n3\n");
    }

    fn json() -> Records {
        Records::new(&RowFormat::JsonLines)
    }

    #[test]
    fn a_record_is_a_line() {
        check(csv, "a\nb\r\nc", &["1 a", "2 b", "3 c"]);
        check(json, "{}\n{}\n", &["1 {}", "2 {}"]);
        check(csv, "", &[]);
    }

    #[test]
    fn a_mark_at_the_start_and_empty_lines_are_passed_over() {
        check(csv, "\u{feff}a\n\n\r\nb\n\n", &["1 a", "4 b"]);
        check(csv, " \n", &["1  "]);
        check(json, " \n\t\r\n{}", &["3 {}"]);
        check(csv, "\u{feff}", &[]);
        check(csv, "a\n\u{feff}b", &["1 a", "2 \\xef\\xbb\\xbfb"]);
    }

    #[test]
    fn line_ends_inside_quotes_belong_to_the_field() {
        check(csv, "1,\"a\nb\",2\r\n3", &["1 1,\\\"a\\nb\\\",2", "3 3"]);
        check(csv, "\"a\r\n\n\"\r\nb", &["1 \\\"a\\r\\n\\n\\\"", "4 b"]);
        check(csv, "\"a\"", &["1 \\\"a\\\""]);
        check(csv, "\"a\"\r", &["1 \\\"a\\\""]);
        check(csv, "6\" pipe\nb", &["1 6\\\" pipe", "2 b"]);
        check(json, "\"a\nb\"", &["1 \\\"a", "2 b\\\""]);
    }

    #[test]
    fn an_open_quote_costs_only_its_line() {
        let reason = "field 2 opens a quote that is never closed";
        check(csv, "1,\"a\n2,b\n3,c\n", &[&format!("line 1: {reason} [1,\\\"a]"), "2 2,b", "3 3,c"]);
        check(csv, "1,\"", &[&format!("line 1: {reason} [1,\\\"]")]);
        let reason = "field 2 has text behind its closing quote";
        check(csv, "1,\"a\" b,2\n2,b", &[&format!("line 1: {reason} [1,\\\"a\\\" b,2]"), "2 2,b"]);
        check(
            csv,
            "1,\"a\n2,\"b\n3,c",
            &[
                &format!("line 1: {reason} [1,\\\"a]"),
                "line 2: field 2 opens a quote that is never closed [2,\\\"b]",
                "3 3,c",
            ],
        );
    }

    #[test]
    fn an_open_quote_reaches_a_thousand_lines_at_most() {
        let text = format!("\"a\n{}", "b\n".repeat(1_500));
        let found = read(csv(), &[text.as_bytes()]);
        assert_eq!(found[0], "line 1: field 1 opens a quote that is not closed within 1000 lines [\\\"a]");
        assert_eq!(found[1], "2 b");
        assert_eq!(found.len(), 1_501);
    }

    #[test]
    fn a_line_beyond_the_limit_is_refused_and_the_next_is_read() {
        let refused = "line 2: the event is longer than the limit of 4 bytes";
        check(|| csv().with_limit(4), "1234\n12\n", &["1 1234", "2 12"]);
        let found = read(csv().with_limit(4), &[b"a\n12345\nb"]);
        assert_eq!(found, ["1 a", &format!("{refused} [12345]"), "3 b"]);
        let found = read(csv().with_limit(4), &[b"a\n123", b"45", b"67", b"8\nb"]);
        assert_eq!(found, ["1 a", &format!("{refused} [12345]"), "3 b"]);
        let found = read(csv().with_limit(4), &[b"\"a\nbcdefg\"\nx"]);
        assert_eq!(found[0], "line 1: the event is longer than the limit of 4 bytes [\\\"a]");
    }

    #[test]
    fn a_line_beyond_the_limit_is_not_held() {
        let mut records = csv().with_limit(1_000);
        let mut refused = 0;
        for _ in 0..1_000 {
            records.feed(&[b'x'; 1_000]);
            refused += usize::from(records.next().is_some());
            assert!(records.buffer.bytes().len() <= 2_000, "{}", records.buffer.bytes().len());
        }
        assert_eq!(refused, 1);
    }

    #[test]
    fn the_limit_stands_in_the_reason() {
        let mut records = csv();
        records.feed(&vec![b'x'; RECORD_BYTES_MAX + 1]);
        let bad = records.next().unwrap().unwrap_err();
        assert_eq!(bad.to_string(), "line 1: the event is longer than the limit of 16 MiB");
        assert_eq!(bad.raw.len(), PREFIX_BYTES);
    }

    #[test]
    fn a_quote_is_seen_wherever_the_chunks_are_cut() {
        let text = "a\n1,\"x\ny\",2\nb\n\"c\nd\"\ne\nf,\"g\n";
        let open = "line 8: field 2 opens a quote that is never closed [f,\\\"g]";
        let expected = ["1 a", "2 1,\\\"x\\ny\\\",2", "4 b", "5 \\\"c\\nd\\\"", "7 e", open];
        for cut in 1..text.len() {
            let (front, back) = text.as_bytes().split_at(cut);
            assert_eq!(read(csv(), &[front, back]), expected, "{cut}");
        }
    }

    proptest::proptest! {
        #[test]
        fn how_bytes_are_cut_into_chunks_changes_nothing(text in "[a\"\r\n,]{0,40}", cut in 1..40_usize) {
            for records in [csv, json] {
                let whole = read(records(), &[text.as_bytes()]);
                let chunks: Vec<&[u8]> = text.as_bytes().chunks(cut).collect();
                proptest::prop_assert_eq!(read(records(), &chunks), whole);
            }
        }

        #[test]
        fn what_the_csv_crate_writes_is_cut_where_it_ends(
            rows in proptest::collection::vec(proptest::collection::vec("[ab,\"\n\r é]{1,6}", 2..4), 1..6),
        ) {
            let mut writer = ::csv::WriterBuilder::new().flexible(true).from_writer(Vec::new());
            rows.iter().for_each(|row| writer.write_record(row).unwrap());
            let mut records = csv();
            records.feed(&writer.into_inner().unwrap());
            records.end();
            let mut found = Vec::new();
            while let Some(record) = records.next() {
                let record = record.unwrap();
                let fields = crate::csv::fields(record.text().unwrap(), b',');
                found.push(fields.map(|field| field.text().into_owned()).collect::<Vec<_>>());
            }
            proptest::prop_assert_eq!(found, rows);
        }
    }
}
