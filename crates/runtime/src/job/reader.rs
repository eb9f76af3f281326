//! The records of a source: its documents cut into records, with the place behind each record.

use std::collections::VecDeque;
use std::time::Duration;

use ensue_connect::{Error, Opened, Position, Read, Source};
use ensue_io::records::RECORD_BYTES_MAX;
use ensue_io::{BadLine, Csv, Record, Records, RowFormat};
use serde::{Deserialize, Serialize};

/// How much of a source has been taken: enough to go on behind it in another process.
#[derive(Clone, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
pub struct Mark {
    /// Where the source is opened again.
    pub position: Position,
    /// How many bytes behind that have been taken.
    pub bytes: u64,
    /// The document that these are of.
    pub document: Option<Place>,
    /// How many records behind that have been taken.
    pub records: u64,
}

/// A place in a document, between two records.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Place {
    /// What the document is called.
    pub name: String,
    /// How many bytes of it have been taken.
    pub bytes: u64,
    /// The number of the next line.
    pub line: u64,
    /// Whether that is the rest of a line that was too long.
    pub is_skipping: bool,
    /// Whether the header is still to come.
    pub awaits_header: bool,
}

/// The format of a source's documents.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Format {
    /// How rows are written. The columns of a CSV may be left out where a header says them.
    pub rows: RowFormat,
    /// Whether each document begins with a header.
    pub has_header: bool,
}

/// What a source has given.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Heard {
    /// Something: there may be records.
    More,
    /// Nothing for now.
    Nothing,
    /// Nothing any more.
    Ended,
}

/// Cuts the documents of a source into records.
pub(crate) struct Reader {
    source: Box<dyn Source>,
    format: Format,
    /// The longest record, in bytes.
    limit: usize,
    document: Option<Document>,
    /// The document that the source has opened while records of the one before it were left.
    next: Option<Document>,
    /// Where the source was opened, until it has opened the document that this is in.
    resumed: Option<Place>,
    /// How many bytes are passed over, since they were taken before the source was opened.
    passed_over: u64,
}

/// The document that is being read.
struct Document {
    name: String,
    records: Records,
    awaits_header: bool,
    /// How many of its bytes came before those that have been fed.
    base: u64,
    /// How many bytes have been fed.
    fed: u64,
    /// Where pieces of it start that have not been taken as a whole, and the position of the source there.
    pieces: VecDeque<(u64, Position)>,
    /// Whether all of it has been fed.
    has_ended: bool,
}

impl Document {
    fn new(name: &str, offset: u64, records: Records, awaits_header: bool) -> Self {
        let pieces = VecDeque::new();
        Document { name: name.to_owned(), records, awaits_header, base: offset, fed: 0, pieces, has_ended: false }
    }

    fn place(&self) -> Place {
        Place {
            name: self.name.clone(),
            bytes: self.base + self.taken(),
            line: self.records.line(),
            is_skipping: self.records.is_skipping(),
            awaits_header: self.awaits_header,
        }
    }

    /// How many of the bytes that have been fed have been taken.
    fn taken(&self) -> u64 {
        self.fed - self.records.pending_bytes() as u64
    }

    /// Takes note of where the next piece starts. Pieces that have been taken are forgotten.
    fn begin_piece(&mut self, position: Position) {
        let taken = self.taken();
        while self.pieces.get(1).is_some_and(|(start, _)| *start <= taken) {
            self.pieces.pop_front();
        }
        self.pieces.push_back((self.fed, position));
    }

    /// Says that no more of it will come than was there at that position.
    fn end(&mut self, position: Position) {
        self.begin_piece(position);
        self.records.end();
        self.has_ended = true;
    }
}

impl Reader {
    /// The records of a source that was opened where `mark` says, from there on.
    pub(crate) fn new(source: Box<dyn Source>, format: Format, mark: &Mark) -> Self {
        let resumed = mark.document.clone();
        let limit = RECORD_BYTES_MAX;
        Reader { source, format, limit, document: None, next: None, resumed, passed_over: mark.bytes }
    }

    /// With another limit on the length of a record, in bytes.
    pub(crate) fn with_limit(self, bytes: usize) -> Self {
        Reader { limit: bytes, ..self }
    }

    /// What is being read, for messages.
    pub(crate) fn document(&self) -> &str {
        self.document.as_ref().map_or("", |document| &document.name)
    }

    /// How the rows are written.
    pub(crate) fn rows(&self) -> &RowFormat {
        &self.format.rows
    }

    /// What has been taken.
    pub(crate) fn mark(&self) -> Mark {
        let here = || (self.source.position(), self.passed_over);
        let Some(document) = &self.document else {
            let (position, bytes) = here();
            return Mark { position, bytes, document: self.resumed.clone(), records: 0 };
        };
        let taken = document.taken();
        let piece = document.pieces.iter().rfind(|(start, _)| *start <= taken);
        let (position, bytes) = match piece {
            Some((start, position)) if taken < document.fed || document.has_ended => (position.clone(), taken - start),
            _ => here(),
        };
        Mark { position, bytes, document: Some(document.place()), records: 0 }
    }

    /// The next record of what has been read.
    #[inline]
    pub(crate) fn next(&mut self) -> Option<Result<Record<'_>, BadLine>> {
        let document = self.document.as_mut()?;
        if document.awaits_header { None } else { document.records.next() }
    }

    /// Asks the source for more, when all records that are there have been taken.
    ///
    /// # Errors
    /// As [`Source::read`], and it may be asked again; or if a header is not as expected.
    pub(crate) fn read(&mut self, patience: Duration) -> Result<Heard, Error> {
        if let Some(next) = self.next.take() {
            self.document = Some(next);
            return Ok(Heard::More);
        }
        let position = self.source.position();
        match self.source.read(patience)? {
            Read::Nothing => return Ok(Heard::Nothing),
            Read::Opened(opened) => {
                let resumed = self.resumed.take();
                let resumed = resumed.filter(|place| place.bytes == opened.offset + self.passed_over);
                self.next = Some(open(opened, resumed, &mut self.format, self.limit)?);
                if let Some(document) = &mut self.document {
                    document.end(position);
                }
            }
            Read::Bytes(bytes) => {
                let document = self
                    .document
                    .as_mut()
                    .ok_or_else(|| Error::new("a source gave bytes of no document").for_good())?;
                let passed_over = bytes.len().min(usize::try_from(self.passed_over).unwrap_or(usize::MAX));
                self.passed_over -= passed_over as u64;
                document.begin_piece(position);
                document.records.feed(&bytes[passed_over..]);
                document.fed += bytes.len() as u64;
            }
            Read::Ended => match &mut self.document {
                Some(document) if !document.has_ended => document.end(position),
                _ => return Ok(Heard::Ended),
            },
        }
        self.take_header()?;
        Ok(Heard::More)
    }

    /// Reads until the columns are known, where a header says them. False if no document has come yet.
    ///
    /// # Errors
    /// As [`Reader::read`].
    pub(crate) fn learn_columns(&mut self, patience: Duration) -> Result<bool, Error> {
        loop {
            match &self.format.rows {
                RowFormat::Csv(csv) if csv.columns.is_empty() => {}
                _ => return Ok(true),
            }
            if self.read(patience)? != Heard::More {
                return Ok(false);
            }
        }
    }

    /// Reads the header of the document, where it has come.
    fn take_header(&mut self) -> Result<(), Error> {
        let Some(document) = self.document.as_mut().filter(|document| document.awaits_header) else { return Ok(()) };
        let Some(header) = document.records.next() else { return Ok(()) };
        learn(&mut self.format, header, &document.name)?;
        document.awaits_header = false;
        Ok(())
    }
}

/// A document that begins, or goes on: perhaps where an earlier process had come to.
fn open(opened: Opened<'_>, resumed: Option<Place>, format: &mut Format, limit: usize) -> Result<Document, Error> {
    let Opened { name, offset, lines, first_line } = opened;
    let records = Records::new(&format.rows).with_limit(limit);
    let place = match resumed {
        Some(place) => place,
        None => Place {
            name: name.to_owned(),
            bytes: offset,
            line: lines + 1,
            is_skipping: false,
            awaits_header: format.has_header && offset == 0,
        },
    };
    if format.has_header && !place.awaits_header {
        let mut first = Records::new(&format.rows);
        first.feed(first_line);
        first.end();
        if let Some(header) = first.next() {
            learn(format, header, name)?;
        }
    }
    let records = if place.bytes > 0 { records.resumed(place.line, place.is_skipping) } else { records };
    Ok(Document::new(name, offset, records, place.awaits_header))
}

/// Takes the columns of a header, which are the same for all documents of a source.
fn learn(format: &mut Format, header: Result<Record<'_>, BadLine>, name: &str) -> Result<(), Error> {
    let RowFormat::Csv(known) = &mut format.rows else { return Ok(()) };
    let csv = header.and_then(|header| Csv::from_header(&header, known.delimiter));
    let csv = csv.map_err(|bad| Error::new(format!("cannot read the header of {name}: {bad}")).for_good())?;
    if known.columns.is_empty() {
        *known = csv;
    } else if *known != csv {
        let (known, found) = (known.columns.join(", "), csv.columns.join(", "));
        let message = format!("{name} has the columns {found}, but those of this source are {known}");
        return Err(Error::new(message).for_good());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Documents in memory, given in pieces of some length.
    struct Memory {
        documents: Vec<(&'static str, &'static str)>,
        piece: usize,
        /// The document, and how much of it has been read.
        at: (usize, usize),
        is_open: bool,
    }

    impl Memory {
        fn open(piece: usize, from: &Position) -> Self {
            let documents = vec![
                ("one", "k,t\na,1\n\"b\n\",2\n\nc,3"),
                ("two", "\u{feff}k,t\n"),
                ("three", "k,t\r\nd,4\r\n\"e,5\nabcdefghijklmno,6\nf,7\n"),
            ];
            let (document, read) = from.0.split_once('+').unwrap_or(("0", "0"));
            let at = (document.parse().unwrap(), read.parse().unwrap());
            Memory { documents, piece, at, is_open: false }
        }
    }

    impl Source for Memory {
        fn read(&mut self, _: Duration) -> Result<Read<'_>, Error> {
            let Memory { documents, piece, at: (document, read), is_open } = self;
            loop {
                let Some((name, text)) = documents.get(*document) else { return Ok(Read::Ended) };
                if !*is_open {
                    *is_open = true;
                    return Ok(Read::Opened(Opened::at(name, &text.as_bytes()[..*read])));
                }
                if *read < text.len() {
                    let from = *read;
                    *read = text.len().min(from + *piece);
                    return Ok(Read::Bytes(&text.as_bytes()[from..*read]));
                }
                (*document, *read, *is_open) = (*document + 1, 0, false);
            }
        }

        fn position(&self) -> Position {
            let (document, read) = self.at;
            Position(format!("{document}+{read}"))
        }
    }

    fn reader(piece: usize, mark: &Mark) -> Reader {
        let rows = RowFormat::Csv(Csv { columns: Vec::new(), delimiter: b',' });
        let source = Memory::open(piece, &mark.position);
        Reader::new(Box::new(source), Format { rows, has_header: true }, mark)
    }

    /// All records with the document that they are of, and the mark before each.
    fn read(mut reader: Reader) -> (Vec<String>, Vec<Mark>) {
        let (mut found, mut marks) = (Vec::new(), Vec::new());
        loop {
            marks.push(reader.mark());
            let name = reader.document().to_owned();
            match reader.next() {
                Some(Ok(record)) => found.push(format!("{name} {} {}", record.line, record.bytes.escape_ascii())),
                Some(Err(bad)) => found.push(format!("{name} {bad}")),
                None => {
                    marks.pop();
                    match reader.read(Duration::ZERO).expect("all headers are alike") {
                        Heard::More => {}
                        Heard::Nothing | Heard::Ended => break,
                    }
                }
            }
        }
        marks.push(reader.mark());
        (found, marks)
    }

    #[test]
    fn each_document_has_a_header_and_lines_of_its_own() {
        let expected = [
            "one 2 a,1",
            "one 3 \\\"b\\n\\\",2",
            "one 6 c,3",
            "three 2 d,4",
            "three line 3: field 1 opens a quote that is never closed",
            "three 4 abcdefghijklmno,6",
            "three 5 f,7",
        ];
        assert_eq!(read(reader(100, &Mark::default())).0, expected);
    }

    #[test]
    fn from_any_mark_on_the_same_records_come() {
        let (all, _) = read(reader(100, &Mark::default()));
        for (piece, again) in (1..20).flat_map(|piece| [(piece, 1), (piece, 3), (piece, 7), (piece, 100)]) {
            let (found, marks) = read(reader(piece, &Mark::default()));
            assert_eq!(found, all, "pieces of {piece}");
            for (taken, mark) in marks.iter().enumerate() {
                let (rest, _) = read(reader(again, mark));
                assert_eq!(rest, all[taken..], "pieces of {piece}, then {again}, from {mark:?}");
            }
        }
    }

    #[test]
    fn columns_that_change_are_told() {
        let rows = RowFormat::Csv(Csv::new(&["k", "u"]));
        let source = Memory::open(100, &Position::default());
        let mut reader = Reader::new(Box::new(source), Format { rows, has_header: true }, &Mark::default());
        let error = loop {
            match reader.read(Duration::ZERO) {
                Ok(_) => {}
                Err(error) => break error.to_string(),
            }
        };
        assert_eq!(error, "one has the columns k, t, but those of this source are k, u");
    }
}
