//! Where events come from: a file or standard input, in a format.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use ensue_io::{Csv, Record, Records, RowFormat};

use crate::args::{Format, OfStream, Reading, said};
use crate::failure::Failure;

/// How much is read at once.
const CHUNK_BYTES: usize = 1024 * 1024;

/// A source of events, opened, with what is known of its format.
pub(crate) struct Input {
    /// Its name, for messages.
    pub(crate) name: String,
    /// The stream that it is for, where the call names it.
    pub(crate) stream: Option<String>,
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
    /// Opens an input and reads its header, where it has one.
    pub(crate) fn open(
        file: &OfStream<PathBuf>,
        formats: &[OfStream<Format>],
        args: &Reading,
    ) -> Result<Self, Failure> {
        let OfStream { stream, value: path } = file;
        let format = match said(formats, stream.as_deref()) {
            Some(format) => *format,
            None => told_format(path, stream.as_deref())?,
        };
        let (format, bytes) = match format {
            Format::Csv => csv(path, stream.as_deref(), args)?,
            // What is said of all inputs is said of those that are CSV.
            Format::Jsonl | Format::Logfmt if args.events.columns.iter().any(|said| said.stream == *stream) => {
                let names =
                    if format == Format::Jsonl { "the objects of JSON lines name" } else { "lines of logfmt name" };
                return Err(Failure::Call(format!("--columns is for CSV: {names} their fields")));
            }
            Format::Jsonl => of_lines(path, RowFormat::JsonLines, args)?,
            Format::Logfmt => of_lines(path, RowFormat::Logfmt, args)?,
        };
        Ok(Input { name: bytes.name.clone(), stream: stream.clone(), format, bytes })
    }

    /// The columns of a CSV.
    pub(crate) fn columns(&self) -> Option<&[String]> {
        match &self.format {
            RowFormat::Csv(csv) => Some(&csv.columns),
            RowFormat::JsonLines | RowFormat::Logfmt => None,
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
        if self.read == 0
            && let Some(what) = packed(&self.chunk[..count])
        {
            return Err(Failure::Data(format!("cannot read {}: it is {what}", self.name)));
        }
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

/// What bytes are that are no text, where their beginning tells, and what can be done.
fn packed(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0x1f, 0x8b, ..] => {
            Some("packed by gzip; unpack it, as in `gunzip -c FILE | ensue run -i -`, or read it in a job")
        }
        [0x28, 0xb5, 0x2f, 0xfd, ..] => {
            Some("packed by zstd; unpack it, as in `zstdcat FILE | ensue run -i -`, or read it in a job")
        }
        [b'P', b'A', b'R', b'1', ..] => Some("a Parquet file; read it in a job, `from: Parquet(..)`"),
        _ => None,
    }
}

/// A CSV, with its columns: from the call, else from the header.
fn csv(path: &Path, stream: Option<&str>, args: &Reading) -> Result<(RowFormat, Bytes), Failure> {
    let delimiter = said(&args.delimiter, stream).copied().unwrap_or(b',');
    let mut bytes = Bytes::open(path, Records::csv(delimiter).with_limit(args.event_limit))?;
    let csv = match said(&args.events.columns, stream) {
        None => {
            let header = bytes.first(|header| Csv::from_header(header, delimiter).map_err(|bad| bad.to_string()))?;
            header.ok_or_else(|| {
                let expected = "expected a header, or --columns that name the columns";
                Failure::Data(format!("{} is empty: {expected}", bytes.name))
            })?
        }
        Some(columns) => {
            if args.header {
                bytes.first(|_| Ok(()))?;
            }
            Csv { columns: columns.clone(), delimiter }
        }
    };
    Ok((RowFormat::Csv(csv), bytes))
}

/// The format of an input of which nothing is said.
fn told_format(path: &Path, stream: Option<&str>) -> Result<Format, Failure> {
    if path.is_dir() {
        return Err(Failure::read(&format!("`{}`", path.display()), &io::ErrorKind::IsADirectory.into()));
    }
    format_of(path).ok_or_else(|| {
        let of = stream.map_or_else(String::new, |stream| format!("{stream}="));
        let unknown = match path == Path::new("-") {
            true => "the format of standard input is not known".to_owned(),
            false => format!("the name of `{}` does not tell its format", path.display()),
        };
        Failure::Call(format!("{unknown}: say --format {of}csv, --format {of}jsonl or --format {of}logfmt"))
    })
}

/// An input of which each line is an event, and says what its fields are called.
fn of_lines(path: &Path, format: RowFormat, args: &Reading) -> Result<(RowFormat, Bytes), Failure> {
    let bytes = Bytes::open(path, Records::new(&format).with_limit(args.event_limit))?;
    Ok((format, bytes))
}

/// The format that a file's name tells.
pub(crate) fn format_of(path: &Path) -> Option<Format> {
    let extension = path.extension()?.to_string_lossy().to_lowercase();
    match extension.as_str() {
        "csv" => Some(Format::Csv),
        "jsonl" | "ndjson" | "json" => Some(Format::Jsonl),
        "logfmt" => Some(Format::Logfmt),
        _ => None,
    }
}
