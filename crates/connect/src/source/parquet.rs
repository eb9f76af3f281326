//! Parquet files as a source.

use std::collections::VecDeque;
use std::fmt;
use std::fs::{self, File};
use std::panic::{self, AssertUnwindSafe};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use memchr::memrchr;
use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::reader::{ReaderIter, TreeBuilder};
use parquet::schema::types::{SchemaDescriptor, Type};
use serde::{Deserialize, Serialize};

use crate::source::file::listing::{self, Pattern};
use crate::source::{Opened, Read, Source};
use crate::{Error, Position};

mod json;

/// So many bytes of JSON are given at once, or a row more.
const CHUNK_BYTES: usize = 256 * 1024;

/// Which files a [`ParquetSource`] reads, and what of them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ParquetSourceConfig {
    /// What they are called, as in [`FileSourceConfig`](crate::FileSourceConfig).
    pub paths: Vec<String>,
    /// The columns that are read, which must be there; all, if nothing is said.
    pub columns: Option<Vec<String>>,
}

/// Parquet files as a source: each is a document, in the order of their names in which people count, and each row a line of JSON.
///
/// Timestamps become text in RFC 3339 with microseconds, taken for UTC where the file does not say so; those of 96 bits have
/// milliseconds only. Dates and times of day become text, decimals numbers with all their digits, structs and maps objects, lists
/// arrays. A float that is not finite is null. Bytes that are no text become hexadecimal digits.
///
/// A position is JSON: the file, and the row that comes next. Rows before it in its row group are read again and passed over.
pub struct ParquetSource {
    columns: Option<Vec<String>>,
    /// What is to be read, by name.
    next: VecDeque<String>,
    /// The one that is open, or was last.
    document: Option<Document>,
    is_opening: bool,
    /// What was given last: lines.
    chunk: Vec<u8>,
}

/// How far a file has been read.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "the place in a Parquet file")]
struct Place {
    path: String,
    /// The length of the file in bytes: it does not change.
    length: u64,
    /// The columns that are read, since with others the lines are different.
    columns: Option<Vec<String>>,
    /// How many rows have been given.
    row: u64,
    /// How many bytes of JSON they were.
    offset: u64,
}

/// A file that is open.
struct Document {
    place: Place,
    reader: SerializedFileReader<File>,
    /// The columns that are read.
    schema: Arc<SchemaDescriptor>,
    /// The rows that come next, and how many of them are left in their row group. None where they are to be looked for.
    rows: Option<ReaderIter>,
    /// The first line, where rows have been given before.
    first_line: Vec<u8>,
}

impl ParquetSource {
    /// Opens the files, at their beginning or where a source of them was.
    ///
    /// # Errors
    /// If there is no such file; if it is not possible to go on at that position: the file there is gone or has changed, or other
    /// columns are asked for.
    pub fn open(config: &ParquetSourceConfig, from: Option<&Position>) -> Result<Self, Error> {
        let patterns: Vec<Pattern> =
            config.paths.iter().map(|path| Pattern::new(path)).collect::<Result<_, Error>>()?;
        let place = from.map(Place::parse).transpose()?.flatten();
        let listed = listing::files(&patterns)?;
        if listed.is_empty() {
            return Err(Error::new(format!("no file is called {}", listing::called(&patterns))));
        }
        let is_next =
            |path: &Path| place.as_ref().is_none_or(|place| listing::natural(path, Path::new(&place.path)).is_gt());
        let next = listed.iter().filter(|file| is_next(&file.path));
        let next = next.map(|file| file.name().map(str::to_owned)).collect::<Result<_, Error>>()?;
        let document = place.map(|place| Document::at(place, config.columns.as_deref())).transpose()?;
        let is_opening = document.is_some();
        Ok(ParquetSource { columns: config.columns.clone(), next, document, is_opening, chunk: Vec::new() })
    }

    /// Opens the next file. False if there is none.
    fn begin(&mut self) -> Result<bool, Error> {
        let Some(path) = self.next.front() else { return Ok(false) };
        self.document = Some(Document::open(path, self.columns.as_deref())?);
        self.next.pop_front();
        self.is_opening = true;
        Ok(true)
    }

    /// Reads more rows of the document. False at its end.
    fn read_on(&mut self) -> Result<bool, Error> {
        self.chunk.clear();
        match &mut self.document {
            Some(document) => document.read(&mut self.chunk).map(|()| !self.chunk.is_empty()),
            None => Ok(false),
        }
    }
}

impl Source for ParquetSource {
    fn read(&mut self, _patience: Duration) -> Result<Read<'_>, Error> {
        if !self.is_opening {
            if self.read_on()? {
                return Ok(Read::Bytes(&self.chunk));
            }
            if !self.begin()? {
                return Ok(Read::Ended);
            }
        }
        self.is_opening = false;
        Ok(self.document.as_ref().map_or(Read::Ended, |document| Read::Opened(document.opened())))
    }

    fn position(&self) -> Position {
        let place = self.document.as_ref().map(|document| &document.place);
        Position(serde_json::to_string(&place).expect("a place is numbers and strings"))
    }
}

impl fmt::Debug for ParquetSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ParquetSource").field("position", &self.position()).field("next", &self.next).finish()
    }
}

impl Place {
    /// The place that a position says; none at the start of all.
    fn parse(position: &Position) -> Result<Option<Self>, Error> {
        match position.0.as_str() {
            "" => Ok(None),
            text => serde_json::from_str(text).map_err(|error| {
                Error::new(format!("the position `{text}` is none of a source of Parquet files: {error}"))
            }),
        }
    }
}

impl Document {
    /// A file at its first row.
    fn open(path: &str, columns: Option<&[String]>) -> Result<Self, Error> {
        let unopened = |error| Error::io(format!("cannot read `{path}`"), error);
        let file = File::open(path).map_err(unopened)?;
        let length = file.metadata().map_err(unopened)?.len();
        let reader = guarded(|| SerializedFileReader::new(file))
            .map_err(|error| unreadable(&format!("`{path}` as Parquet"), &error))?;
        let schema =
            schema(&reader, columns).map_err(|why| Error::new(format!("cannot read `{path}`: {why}")).for_good())?;
        let columns = columns.map(<[String]>::to_vec);
        let place = Place { path: path.to_owned(), length, columns, row: 0, offset: 0 };
        Ok(Document { place, reader, schema, rows: None, first_line: Vec::new() })
    }

    /// A file at the row of a position.
    fn at(place: Place, columns: Option<&[String]>) -> Result<Self, Error> {
        let Place { path, row, .. } = &place;
        let cannot = |why: &str| Error::new(format!("cannot go on in `{path}` at row {row}: {why}"));
        if place.columns.as_deref() != columns {
            return Err(cannot("other columns are asked for, so that its lines are not the same"));
        }
        if fs::metadata(path).is_ok_and(|metadata| metadata.len() != place.length) {
            return Err(cannot("it is not the file that was read so far; put that one back"));
        }
        let mut document = Document::open(path, columns)?;
        if place.row > 0 {
            document.read_first_line()?;
        }
        document.place = place;
        Ok(document)
    }

    fn opened(&self) -> Opened<'_> {
        let Place { path, row, offset, .. } = &self.place;
        Opened { name: path, offset: *offset, lines: *row, first_line: &self.first_line }
    }

    fn read_first_line(&mut self) -> Result<(), Error> {
        let first = guarded(|| self.rows_from(0)?.and_then(|mut rows| rows.next()).transpose());
        let first = first.map_err(|error| self.failed(error))?;
        if let Some(row) = first {
            json::write_row(&row, self.schema.root_schema(), &mut self.first_line);
        }
        Ok(())
    }

    /// Writes rows; none at the end.
    fn read(&mut self, chunk: &mut Vec<u8>) -> Result<(), Error> {
        let result = guarded(|| self.read_rows(chunk));
        // A row that was left half written is not given.
        chunk.truncate(memrchr(b'\n', chunk).map_or(0, |end| end + 1));
        self.place.offset += chunk.len() as u64;
        match result {
            Err(error) => {
                // The next time they are looked for again: what fails then has no row before it, and is said.
                self.rows = None;
                if chunk.is_empty() { Err(self.failed(error)) } else { Ok(()) }
            }
            Ok(()) => Ok(()),
        }
    }

    fn read_rows(&mut self, chunk: &mut Vec<u8>) -> Result<(), ParquetError> {
        while chunk.len() < CHUNK_BYTES {
            if self.rows.is_none() {
                self.rows = self.rows_from(self.place.row)?;
            }
            let Some(rows) = &mut self.rows else { return Ok(()) };
            match rows.next() {
                Some(row) => {
                    json::write_row(&row?, self.schema.root_schema(), chunk);
                    self.place.row += 1;
                }
                None => self.rows = None,
            }
        }
        Ok(())
    }

    /// The rest of the row group from a row on; none at the end.
    fn rows_from(&self, row: u64) -> Result<Option<ReaderIter>, ParquetError> {
        let mut before = row;
        for (group, metadata) in self.reader.metadata().row_groups().iter().enumerate() {
            let count = metadata.num_rows().unsigned_abs();
            if before < count {
                let group = self.reader.get_row_group(group)?;
                let mut rows = TreeBuilder::new().as_iter(Arc::clone(&self.schema), &*group)?;
                (0..before).try_for_each(|_| rows.next().map_or(Ok(()), |row| row.map(drop)))?;
                return Ok(Some(rows));
            }
            before -= count;
        }
        Ok(None)
    }

    fn failed(&self, error: ParquetError) -> Error {
        unreadable(&format!("`{}` behind row {}", self.place.path, self.place.row), &error)
    }
}

/// The schema of the columns that are read, in the order of the file.
fn schema(reader: &SerializedFileReader<File>, columns: Option<&[String]>) -> Result<Arc<SchemaDescriptor>, String> {
    let schema = reader.metadata().file_metadata().schema_descr_ptr();
    let all = schema.root_schema().get_fields();
    let is_there = |column: &&String| all.iter().any(|field| field.name() == **column);
    if let Some(missing) = columns.and_then(|columns| columns.iter().find(|column| !is_there(column))) {
        let names: Vec<_> = all.iter().map(|field| format!("`{}`", field.name())).collect();
        return Err(format!("it has no column `{missing}`; its columns are {}", names.join(", ")));
    }
    let is_read = |name: &str| columns.is_none_or(|columns| columns.iter().any(|column| column == name));
    let fields = all.iter().filter(|field| is_read(field.name())).map(Arc::clone).collect();
    let root = Type::group_type_builder(schema.root_schema().name()).with_fields(fields).build();
    let root = root.map_err(|error| error.to_string())?;
    match json::unreadable(&root) {
        Some((column, kind)) => {
            Err(format!("its column `{column}` is {kind}, which is not read; name the other columns"))
        }
        None => Ok(Arc::new(SchemaDescriptor::new(Arc::new(root)))),
    }
}

/// Reads with the reader of the format, which panics on some files that are broken: it takes what they say for true. Nothing that it
/// has left half done is used again.
fn guarded<T>(read: impl FnOnce() -> Result<T, ParquetError>) -> Result<T, ParquetError> {
    panic::catch_unwind(AssertUnwindSafe(read)).unwrap_or_else(|panic| {
        let texts = (panic.downcast_ref::<String>().map(String::as_str), panic.downcast_ref::<&str>().copied());
        let why = texts.0.or(texts.1).unwrap_or("it is broken");
        Err(ParquetError::General(why.lines().next().unwrap_or_default().to_owned()))
    })
}

/// What the reader of the format says, without the name of the kind of error before it.
fn unreadable(what: &str, error: &ParquetError) -> Error {
    let why = error.to_string();
    let why = why.split_once(": ").map_or(why.as_str(), |(_, why)| why);
    Error::new(format!("cannot read {what}: {why}")).for_good()
}
