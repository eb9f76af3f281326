//! Where a CSV record with quotes ends.

use memchr::memchr2;

use crate::csv::QUOTE;

/// How far a record has been read, so that bytes that come later go on from there.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Quotes {
    /// Bytes read, from the start of the record.
    at: usize,
    state: State,
    /// The field that it stands in, from 1.
    field: usize,
    /// The line ends inside quotes so far.
    line_ends: u64,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    /// Before the first byte of a field: a quote opens here.
    Start,
    /// In a field without quotes, where a quote is text.
    Plain,
    /// Between quotes.
    Quoted,
    /// Behind a quote inside quotes: it closes, or the next one makes it text.
    Closed,
}

/// What was found.
#[derive(PartialEq, Eq, Debug)]
pub(crate) enum End {
    /// The record ends here, before its line end.
    At {
        /// Bytes from the start of the record.
        length: usize,
        /// Line ends inside quotes.
        line_ends: u64,
    },
    /// The bytes end where a record may, but more may belong to it.
    Open,
    /// The bytes end between quotes, which this field opened.
    Unclosed(usize),
    /// This field's closing quote has text behind it.
    TextBehindQuote(usize),
    /// This field's quotes hold more line ends than are allowed.
    TooManyLines(usize),
}

impl Quotes {
    /// At the start of a record.
    pub(crate) fn new() -> Self {
        Quotes { at: 0, state: State::Start, field: 1, line_ends: 0 }
    }

    /// Reads on in `record`, which starts with the bytes that were read before.
    pub(crate) fn read(&mut self, record: &[u8], delimiter: u8, lines_max: u64) -> End {
        while let Some(&byte) = record.get(self.at) {
            match self.state {
                State::Start if byte == QUOTE => self.step(1, State::Quoted),
                State::Start | State::Plain => match memchr2(delimiter, b'\n', &record[self.at..]) {
                    Some(found) if record[self.at + found] == b'\n' => {
                        self.at += found;
                        return self.end();
                    }
                    Some(found) => self.next_field(found),
                    None => self.step(record.len() - self.at, State::Plain),
                },
                State::Quoted => match memchr2(QUOTE, b'\n', &record[self.at..]) {
                    Some(found) if record[self.at + found] == b'\n' => {
                        self.line_ends += 1;
                        if self.line_ends >= lines_max {
                            return End::TooManyLines(self.field);
                        }
                        self.step(found + 1, State::Quoted);
                    }
                    Some(found) => self.step(found + 1, State::Closed),
                    None => self.step(record.len() - self.at, State::Quoted),
                },
                State::Closed if byte == QUOTE => self.step(1, State::Quoted),
                State::Closed if byte == delimiter => self.next_field(0),
                State::Closed => match &record[self.at..] {
                    [b'\n', ..] | [b'\r', b'\n', ..] => return self.end(),
                    [b'\r'] => return End::Open,
                    _ => return End::TextBehindQuote(self.field),
                },
            }
        }
        if self.state == State::Quoted { End::Unclosed(self.field) } else { End::Open }
    }

    /// The line ends inside quotes so far.
    pub(crate) fn line_ends(&self) -> u64 {
        self.line_ends
    }

    fn step(&mut self, bytes: usize, state: State) {
        self.at += bytes;
        self.state = state;
    }

    fn next_field(&mut self, delimiter_in: usize) {
        self.step(delimiter_in + 1, State::Start);
        self.field += 1;
    }

    fn end(&self) -> End {
        End::At { length: self.at, line_ends: self.line_ends }
    }
}
