//! Where events come from: a file or standard input, in a format.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use ensue_io::{Csv, Record, Records, RowFormat};

use crate::args::{Format, Run};
use crate::failure::Failure;

/// How much is read at once.
const CHUNK_BYTES: usize = 1024 * 1024;

/// A source of events, opened, with what is known of its format.
pub(crate) struct Input {
    /// Its name, for messages.
    pub(crate) name: String,
    /// How its rows are written.
    pub(crate) format: RowFormat,
    bytes: Bytes,
}

/// Bytes that become records.
struct Bytes {
    name: String,
    reader: Box<dyn Read>,
    /// How many bytes there are, where that is known.
    size: Option<u64>,
    /// How many of them have been read.
    read: u64,
    chunk: Vec<u8>,
    records: Records,
    ended: bool,
}

impl Input {
    /// Opens the input and reads its header, where it has one.
    pub(crate) fn open(args: &Run) -> Result<Self, Failure> {
        let is_csv = match args.format.map_or_else(|| format_of(&args.input), Ok)? {
            Format::Csv => true,
            Format::Jsonl => false,
        };
        if !is_csv && args.events.columns.is_some() {
            return Err(Failure::Call("--columns is for CSV: the objects of JSON lines name their fields".to_owned()));
        }
        let records = if is_csv { Records::csv(args.delimiter) } else { Records::new(&RowFormat::JsonLines) };
        let mut bytes = Bytes::open(&args.input, records)?;
        let format = if is_csv { RowFormat::Csv(csv(&mut bytes, args)?) } else { RowFormat::JsonLines };
        Ok(Input { name: bytes.name.clone(), format, bytes })
    }

    /// The columns of a CSV.
    pub(crate) fn columns(&self) -> Option<&[String]> {
        match &self.format {
            RowFormat::Csv(csv) => Some(&csv.columns),
            RowFormat::JsonLines => None,
        }
    }

    /// How many bytes there are, where that is known.
    pub(crate) fn size(&self) -> Option<u64> {
        self.bytes.size
    }

    /// How many bytes have been read.
    pub(crate) fn read(&self) -> u64 {
        self.bytes.read
    }

    /// Records that are there without waiting for the source.
    pub(crate) fn records(&mut self) -> &mut Records {
        &mut self.bytes.records
    }

    /// Waits for more records. False at the end.
    pub(crate) fn fill(&mut self) -> Result<bool, Failure> {
        self.bytes.fill()
    }
}

impl Bytes {
    fn open(path: &Path, records: Records) -> Result<Self, Failure> {
        let (name, reader, size): (_, Box<dyn Read>, _) = if path == Path::new("-") {
            ("standard input".to_owned(), Box::new(io::stdin()), None)
        } else {
            let name = format!("`{}`", path.display());
            let file = File::open(path).map_err(|error| Failure::read(&name, &error))?;
            let metadata = file.metadata().map_err(|error| Failure::read(&name, &error))?;
            if metadata.is_dir() {
                return Err(Failure::read(&name, &io::ErrorKind::IsADirectory.into()));
            }
            (name, Box::new(file), metadata.is_file().then_some(metadata.len()))
        };
        Ok(Bytes { name, reader, size, read: 0, chunk: vec![0; CHUNK_BYTES], records, ended: false })
    }

    fn fill(&mut self) -> Result<bool, Failure> {
        if self.ended {
            return Ok(false);
        }
        let count = self.read_chunk().map_err(|error| Failure::read(&self.name, &error))?;
        self.read += count as u64;
        self.records.feed(&self.chunk[..count]);
        if count == 0 {
            self.records.end();
            self.ended = true;
        }
        Ok(true)
    }

    fn read_chunk(&mut self) -> io::Result<usize> {
        loop {
            match self.reader.read(&mut self.chunk) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                done => return done,
            }
        }
    }

    /// Takes the first record, if there is one.
    fn first<T>(&mut self, take: impl FnOnce(&Record<'_>) -> Result<T, String>) -> Result<Option<T>, Failure> {
        while !self.ended {
            self.fill()?;
            if let Some(first) = self.records.next() {
                let taken = first.map_err(|bad| bad.to_string()).and_then(|record| take(&record));
                return taken
                    .map(Some)
                    .map_err(|reason| Failure::Data(format!("cannot read the header of {}: {reason}", self.name)));
            }
        }
        Ok(None)
    }
}

/// The columns: from the call, else from the header.
fn csv(bytes: &mut Bytes, args: &Run) -> Result<Csv, Failure> {
    let Some(columns) = &args.events.columns else {
        let header = bytes.first(|header| Csv::from_header(header, args.delimiter).map_err(|bad| bad.to_string()))?;
        return header.ok_or_else(|| {
            Failure::Data(format!("{} is empty: expected a header, or --columns that name the columns", bytes.name))
        });
    };
    if let Some(twice) = columns.iter().enumerate().find(|(at, column)| columns[..*at].contains(column)) {
        return Err(Failure::Call(format!("--columns names the column `{}` twice", twice.1)));
    }
    if args.header {
        bytes.first(|_| Ok(()))?;
    }
    Ok(Csv { columns: columns.clone(), delimiter: args.delimiter })
}

/// The format that a file's name tells.
fn format_of(path: &Path) -> Result<Format, Failure> {
    if path == Path::new("-") {
        let message = "the format of standard input is not known: say --format csv or --format jsonl";
        return Err(Failure::Call(message.to_owned()));
    }
    let extension = path.extension().map(|extension| extension.to_string_lossy().to_lowercase());
    match extension.as_deref() {
        Some("csv") => Ok(Format::Csv),
        Some("jsonl" | "ndjson" | "json") => Ok(Format::Jsonl),
        _ => Err(Failure::Call(format!(
            "the name of `{}` does not tell its format: say --format csv or --format jsonl",
            path.display()
        ))),
    }
}
