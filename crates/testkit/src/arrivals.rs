//! What arrives in a case, as rows: of events that stand in it, and of files.
//!
//! An event that stands in a case becomes a JSON object, and that a row by the codec of JSON lines: a value means what it
//! would mean in a file.

use std::fs;
use std::path::Path;

use ensue_io::{BadLine, Csv, Decoder, Record, Records, RowFormat, TimeField, TimeFormat};
use ensue_model::schema::Stream;
use ensue_model::{Event, FieldId, Patterns, Row, Span, StreamId, Timestamp, Type, Value};
use serde_json::{Map, Value as Json};

use crate::case_file::{EventLine, FormatError, InputFile, Settings, When, instant, unquoted};
use crate::cases::cause;

/// What arrives.
#[derive(Clone, Debug)]
pub(crate) enum Arrival {
    /// An event.
    Event(Arrived),
    /// A watermark.
    Watermark(Timestamp),
    /// A line of a file that is no event, by its name.
    NoEvent(String),
}

/// An event with what it is called and shown as.
#[derive(Clone, Debug)]
pub(crate) struct Arrived {
    pub(crate) name: String,
    pub(crate) text: String,
    pub(crate) row: Row,
}

/// An event in the engine: which of the arrivals it is; none for a record that a pattern has emitted.
#[derive(Clone, Debug)]
pub(crate) struct CaseRow {
    pub(crate) arrival: Option<usize>,
    pub(crate) row: Row,
}

impl Event for CaseRow {
    fn time(&self) -> Timestamp {
        self.row.time()
    }

    fn field(&self, field: FieldId) -> Value<'_> {
        self.row.field(field)
    }

    fn stream(&self) -> StreamId {
        self.row.stream()
    }

    fn of_record(stream: StreamId, time: Timestamp, fields: &[(FieldId, Value<'static>)]) -> Option<Self> {
        Row::of_record(stream, time, fields).map(|row| CaseRow { arrival: None, row })
    }
}

/// The field of the event time where the stream has none: no event has a field of that name.
const NO_TIME_FIELD: &str = "@time";

/// The field that a type stands for where nobody says otherwise.
pub(crate) const TYPE_FIELD: &str = "type";

/// Makes rows of the events that stand in a case.
pub(crate) struct Writer<'p> {
    pub(crate) patterns: &'p Patterns,
    pub(crate) settings: &'p Settings,
    /// The instant from which times count.
    pub(crate) zero: Timestamp,
}

impl Writer<'_> {
    /// The instant that is meant.
    pub(crate) fn instant(&self, when: When) -> Timestamp {
        match when {
            When::After(span) => self.zero + span,
            When::At(time) => time,
        }
    }

    pub(crate) fn arrived(&self, event: &EventLine) -> Result<Arrived, FormatError> {
        let row = self.row(event).map_err(|why| FormatError { line: event.line, why })?;
        Ok(Arrived { name: event.name.clone(), text: event.text.clone(), row })
    }

    fn row(&self, event: &EventLine) -> Result<Row, String> {
        let stream = self.stream(event.stream.as_deref())?;
        let shape = &self.patterns.streams[usize::from(stream.0)];
        let time = shape.time.map_or(NO_TIME_FIELD, |field| self.name(field));
        let mut object = Map::new();
        if let Some(kind) = &event.kind {
            object.insert(self.type_field(shape)?, Json::from(kind.as_str()));
        }
        for (name, text) in &event.fields {
            let value = self.value(text, self.kind(shape, name)?)?;
            if object.insert(name.clone(), value).is_some() {
                return Err(format!("`{name}` stands there twice"));
            }
        }
        let instant = self.instant(event.when).rfc3339().ok_or("the time is not in the years 0 to 9999")?;
        if object.insert(time.to_owned(), Json::from(instant.as_str())).is_some() {
            return Err(format!("`{time}` is the event time, which stands behind the event's name"));
        }
        let time = TimeField { name: time.to_owned(), format: TimeFormat::Rfc3339 };
        let decoder = Decoder::new(self.patterns, stream, &RowFormat::JsonLines, &time).map_err(|no| no.to_string())?;
        let object = Json::Object(object).to_string();
        decoder.decode(&Record::new(1, object.as_bytes())).map_err(|bad| bad.reason)
    }

    fn stream(&self, name: Option<&str>) -> Result<StreamId, String> {
        let streams = &self.patterns.streams;
        let mut fed = (0..).map(StreamId).zip(streams).filter(|(_, stream)| !stream.is_emitted);
        let found = match name {
            Some(name) => fed.find(|(_, stream)| stream.name.as_deref() == Some(name)),
            None if streams.iter().filter(|stream| !stream.is_emitted).count() == 1 => fed.next(),
            None => None,
        };
        let names: Vec<String> = fed_names(self.patterns).map(|name| format!("`{name}`")).collect();
        found.map(|(id, _)| id).ok_or_else(|| match name {
            Some(name) => format!("there is no stream `{name}` to feed: the patterns read {}", names.join(", ")),
            None => format!("which stream is it of? The patterns read {}: say it before the type", names.join(", ")),
        })
    }

    fn name(&self, field: FieldId) -> &str {
        &self.patterns.schema.get(field).name
    }

    /// The field that the type of an event stands for.
    fn type_field(&self, stream: &Stream) -> Result<String, String> {
        let said = || self.settings.type_field.as_deref().unwrap_or(TYPE_FIELD);
        let name = stream.type_field.map_or_else(said, |field| self.name(field));
        let is_there = !self.patterns.schema.closed || stream.fields.iter().any(|field| self.name(*field) == name);
        match (&stream.name, is_there) {
            (_, true) => Ok(name.to_owned()),
            (Some(stream), false) => {
                Err(format!("stream `{stream}` has no field `{name}` for the type: write `{stream}:`"))
            }
            (None, false) => Err(format!("there is no field `{name}` for the type: write `-`")),
        }
    }

    /// The declared type of a field; `Any` where nothing is declared.
    fn kind(&self, stream: &Stream, name: &str) -> Result<&Type, String> {
        let field = stream.fields.iter().find(|field| self.name(**field) == name);
        match field {
            Some(field) => Ok(&self.patterns.schema.get(*field).kind),
            None if !self.patterns.schema.closed => Ok(&Type::Any),
            None => {
                let of = stream.name.as_ref().map_or_else(String::new, |stream| format!("stream `{stream}` has "));
                let names: Vec<_> = stream.fields.iter().map(|field| format!("`{}`", self.name(*field))).collect();
                Err(format!("{of}no field `{name}`: the fields are {}", names.join(", ")))
            }
        }
    }

    /// What a value that is written so is in JSON.
    fn value(&self, text: &str, kind: &Type) -> Result<Json, String> {
        let is_quoted = text.starts_with('"');
        match kind {
            _ if is_quoted => unquoted(text).map(Json::from),
            _ if text == "null" => Ok(Json::Null),
            Type::String => Ok(Json::from(text)),
            Type::Timestamp => Ok(Json::from(self.timestamp(text))),
            // A decimal keeps all its digits in quotes.
            Type::Decimal | Type::Duration => Ok(Json::from(text)),
            Type::Bool | Type::Int | Type::Float | Type::List(_) | Type::Any => {
                Ok(serde_json::from_str(text).unwrap_or_else(|_| Json::from(text)))
            }
        }
    }

    /// A timestamp may be written as times are: `11m` is so long after the start.
    fn timestamp(&self, text: &str) -> String {
        let span = || ensue_io::time::span(text).map(|span: Span| self.zero + span);
        instant(text).or_else(span).map_or_else(|| text.to_owned(), |time| time.to_string())
    }
}

/// The streams that a caller feeds, by name.
pub(crate) fn fed_names(patterns: &Patterns) -> impl Iterator<Item = &str> {
    patterns.streams.iter().filter(|stream| !stream.is_emitted).filter_map(|stream| stream.name.as_deref())
}

/// A line of a file: an event with its line's number, or none.
pub(crate) type Line = Result<(u64, Row), BadLine>;

/// A file of events, read.
pub(crate) struct Source<'s> {
    pub(crate) said: &'s InputFile,
    pub(crate) format: RowFormat,
    records: Records,
}

impl<'s> Source<'s> {
    /// Reads a file, with the header that a CSV without columns has.
    pub(crate) fn open(said: &'s InputFile, folder: &Path) -> Result<Self, FormatError> {
        let wrong = |why: String| FormatError { line: said.line, why };
        let bytes = fs::read(folder.join(&said.path));
        let bytes = bytes.map_err(|error| wrong(format!("cannot read `{}`: {}", said.path, cause(&error))))?;
        let delimiter = said.delimiter.unwrap_or(b',');
        // Of a CSV, the columns are not known yet.
        let (mut records, of_lines) = match extension(&said.path).as_deref() {
            Some("csv") => (Records::csv(delimiter), None),
            Some("jsonl" | "ndjson" | "json") => (Records::new(&RowFormat::JsonLines), Some(RowFormat::JsonLines)),
            Some("logfmt") => (Records::new(&RowFormat::Logfmt), Some(RowFormat::Logfmt)),
            _ => return Err(wrong(format!("`{}` is no .csv, no .jsonl and no .logfmt", said.path))),
        };
        records.feed(&bytes);
        records.end();
        let format = match (of_lines, &said.columns) {
            (Some(format), None) => format,
            (Some(_), Some(_)) => {
                return Err(wrong("columns are of a CSV: lines of JSON and of logfmt name their fields".to_owned()));
            }
            (None, Some(columns)) => RowFormat::Csv(Csv { columns: columns.clone(), delimiter }),
            (None, None) => {
                let header = records.next().ok_or_else(|| wrong(format!("`{}` has no header", said.path)))?;
                let csv = header.and_then(|header| Csv::from_header(&header, delimiter));
                RowFormat::Csv(csv.map_err(|bad| wrong(format!("`{}`, {bad}", said.path)))?)
            }
        };
        Ok(Source { said, format, records })
    }

    /// The columns of a CSV.
    pub(crate) fn columns(&self) -> Option<&[String]> {
        match &self.format {
            RowFormat::Csv(csv) => Some(&csv.columns),
            RowFormat::JsonLines | RowFormat::Logfmt => None,
        }
    }

    /// The events of the file, and its lines that are none.
    pub(crate) fn rows(mut self, patterns: &Patterns) -> Result<Vec<Line>, FormatError> {
        let wrong = |why: String| FormatError { line: self.said.line, why };
        let stream = self.stream(patterns).map_err(wrong)?;
        let marked = patterns.streams[usize::from(stream.0)].time.map(|field| patterns.schema.get(field).name.clone());
        let name = self.said.time.clone().or(marked).ok_or_else(|| {
            wrong("the field of the event time is not known: say `time=FIELD`, or mark it with @time".to_owned())
        })?;
        let time = TimeField { name, format: self.said.unit };
        let decoder = Decoder::new(patterns, stream, &self.format, &time);
        let decoder = decoder.map_err(|error| wrong(error.to_string()))?;
        let mut rows = Vec::new();
        while let Some(record) = self.records.next() {
            rows.push(record.and_then(|record| decoder.decode(&record).map(|row| (record.line, row))));
        }
        Ok(rows)
    }

    fn stream(&self, patterns: &Patterns) -> Result<StreamId, String> {
        let names: Vec<&str> = fed_names(patterns).collect();
        match &self.said.stream {
            Some(name) => match patterns.stream(name).filter(|_| names.contains(&name.as_str())) {
                Some(stream) => Ok(stream),
                None => Err(format!("there is no stream `{name}` to feed: the patterns read `{}`", names.join("`, `"))),
            },
            None if names.len() > 1 => {
                Err(format!("the patterns read `{}`: say `input STREAM=FILE` for each", names.join("`, `")))
            }
            None => Ok(StreamId(0)),
        }
    }
}

/// The lower-case ending of a file's name.
pub(crate) fn extension(path: &str) -> Option<String> {
    Path::new(path).extension().map(|extension| extension.to_string_lossy().to_lowercase())
}

/// What the files hold in the order of times, as the command takes it: each file gives its events in its own order, and the
/// one whose next event is the earliest comes next; of equal ones, that of the file that is named first.
pub(crate) fn merged(sources: Vec<(Option<String>, Vec<Line>)>) -> Vec<Arrival> {
    let name = |stream: &Option<String>, line: u64| match stream {
        Some(stream) => format!("{stream}:{line}"),
        None => line.to_string(),
    };
    let mut sources: Vec<_> = sources.into_iter().map(|(stream, rows)| (stream, rows.into_iter().peekable())).collect();
    let mut arrivals = Vec::new();
    loop {
        for (stream, rows) in &mut sources {
            while let Some(Err(bad)) = rows.next_if(Result::is_err) {
                arrivals.push(Arrival::NoEvent(name(stream, bad.line)));
            }
        }
        let time = |row: &Line| row.as_ref().ok().map(|(_, row)| row.time);
        let heads =
            sources.iter_mut().enumerate().filter_map(|(at, (_, rows))| Some((rows.peek().and_then(time)?, at)));
        let Some((_, first)) = heads.min() else { return arrivals };
        let (stream, rows) = &mut sources[first];
        if let Some(Ok((line, row))) = rows.next() {
            arrivals.push(Arrival::Event(Arrived { name: name(stream, line), text: row.raw().to_owned(), row }));
        }
    }
}
