//! The job file: a job as people write it, in RON.
//!
//! It is read whole before anything starts: what it does not know is an error, with its line.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::time::Duration;

use ensue_connect::{
    FileSink, FileSource, FileSourceConfig, ParquetSource, ParquetSourceConfig, Sink, Source, StreamSink, StreamSource,
};
use ensue_engine::{Limits, OnFull};
use ensue_io::records::RECORD_BYTES_MAX;
use ensue_io::{Csv, RowFormat, TimeFormat};
use ensue_lang::Options;
use ensue_model::Span;
use ron::extensions::Extensions;
use serde::Deserialize;

use crate::job::secret::Text;
use crate::job::values::{Bytes, Delimiter, HttpEntry, Period, Shards};
use crate::job::{
    Checkpoints, Format, Job, JobError, OfOne, OnChange, Open, Outputs, Pace, SinkSpec, SourceSpec, TableFile, Texts,
};

/// A job as it stands in a file.
#[derive(Debug, Deserialize)]
#[serde(rename = "Job", deny_unknown_fields)]
pub struct JobFile {
    name: String,
    patterns: Vec<String>,
    #[serde(default)]
    params: BTreeMap<String, Text>,
    #[serde(default)]
    key: Vec<String>,
    type_field: Option<String>,
    #[serde(default)]
    tables: BTreeMap<String, String>,
    sources: Vec<SourceEntry>,
    matches: Option<Vec<SinkEntry>>,
    timeouts: Option<Vec<SinkEntry>>,
    #[serde(default)]
    outputs: BTreeMap<String, OutputsEntry>,
    late: Option<SinkEntry>,
    rejected: Option<SinkEntry>,
    checkpoint: Option<CheckpointEntry>,
    #[serde(default)]
    shards: Shards,
    #[serde(default)]
    limits: LimitsEntry,
    http: Option<HttpEntry>,
}

#[derive(Debug, Deserialize)]
#[serde(rename = "Source", deny_unknown_fields)]
struct SourceEntry {
    name: Option<String>,
    stream: Option<String>,
    from: FromEntry,
    #[serde(default)]
    follow: bool,
    format: Option<FormatEntry>,
    #[serde(default)]
    time: TimeEntry,
    #[serde(default)]
    watermark: WatermarkEntry,
    idle: Option<Period>,
}

#[derive(Debug, Deserialize)]
#[serde(rename = "From")]
enum FromEntry {
    File(String),
    Files(Vec<String>),
    Parquet(String),
    Stdin,
}

#[derive(Debug, Deserialize)]
#[serde(rename = "Format")]
enum FormatEntry {
    Csv {
        columns: Option<Vec<String>>,
        #[serde(default)]
        delimiter: Delimiter,
        #[serde(default)]
        header: bool,
    },
    JsonLines,
    Logfmt,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename = "Time", default, deny_unknown_fields)]
struct TimeEntry {
    field: Option<String>,
    unit: UnitEntry,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename = "Unit")]
enum UnitEntry {
    #[default]
    Rfc3339,
    Seconds,
    Millis,
    Micros,
    Nanos,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename = "Watermark")]
enum WatermarkEntry {
    #[default]
    Ascending,
    OutOfOrder(Period),
}

#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename = "Sink")]
enum SinkEntry {
    File(String),
    Stdout,
}

#[derive(Debug, Deserialize)]
#[serde(rename = "Outputs", deny_unknown_fields)]
struct OutputsEntry {
    matches: Option<Vec<SinkEntry>>,
    timeouts: Option<Vec<SinkEntry>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename = "Checkpoint", deny_unknown_fields)]
struct CheckpointEntry {
    dir: String,
    #[serde(default = "every_ten_seconds")]
    every: Period,
    #[serde(default = "three")]
    keep: usize,
}

fn every_ten_seconds() -> Period {
    Period(Span::from_seconds(10))
}

fn three() -> usize {
    3
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename = "Limits", default, deny_unknown_fields)]
struct LimitsEntry {
    open_runs: Option<u64>,
    open_runs_per_key: Option<u64>,
    state: Option<Bytes>,
    state_per_key: Option<Bytes>,
    events_per_run: Option<u32>,
    matches_per_event: Option<u32>,
    event: Option<Bytes>,
    on_full: OnFullEntry,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename = "OnFull")]
enum OnFullEntry {
    #[default]
    Stop,
    RejectEvent,
    DropOldest,
}

/// Why a text is no job file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FileError {
    /// Where it is wrong, from 1.
    pub line: usize,
    /// The character in the line, from 1.
    pub column: usize,
    message: String,
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for FileError {}

impl JobFile {
    /// Reads a job file.
    ///
    /// # Errors
    /// Where it is not written as RON, or says what no job knows.
    pub fn parse(text: &str) -> Result<Self, FileError> {
        let options = ron::Options::default().with_default_extension(Extensions::IMPLICIT_SOME);
        options.from_str(text).map_err(|error| FileError {
            line: error.span.start.line,
            column: error.span.start.col,
            message: error.code.to_string(),
        })
    }

    /// The job, without the state that an earlier process has left: what it takes to check it. Paths are relative to `folder`.
    ///
    /// # Errors
    /// If a file is not there, or the job contradicts itself.
    pub fn job(self, folder: &Path) -> Result<Job, JobError> {
        let JobFile { name, patterns, params, key, type_field, tables, sources, checkpoint, .. } = &self;
        let JobFile { shards, limits, http, .. } = &self;
        let parameters = params.iter().map(|(name, value)| Ok((name.clone(), value.get(folder)?)));
        let parameters = parameters.collect::<Result<_, String>>().map_err(JobError::config)?;
        let options = Options { key: key.clone(), type_field: type_field.clone(), parameters, ..Options::default() };
        let texts = Texts::Files(patterns.iter().map(|path| folder.join(path)).collect());
        let mut sinks = Sinks { folder, entries: Vec::new() };
        let outputs = self.outputs(&mut sinks);
        let specs = sources.iter().enumerate().map(|(index, source)| source.spec(index, folder, limits));
        let specs: Vec<SourceSpec> = specs.collect::<Result<_, _>>()?;
        if let Some(twice) =
            specs.iter().enumerate().find(|(at, spec)| specs[..*at].iter().any(|it| it.name == spec.name))
        {
            let message = format!("two sources are called `{}`: give each a `name` of its own", twice.1.name);
            return Err(JobError::config(message));
        }
        let tables = tables.iter().map(|(name, path)| TableFile { name: name.clone(), path: folder.join(path) });
        Ok(Job {
            name: name.clone(),
            texts,
            options,
            sources: specs,
            sinks: sinks.specs(),
            outputs,
            tables: tables.collect(),
            checkpoints: checkpoint.as_ref().map(|checkpoint| checkpoint.checkpoints(folder)),
            shards: shards.count(),
            limits: limits.limits(),
            on_change: OnChange::default(),
            http: http.as_ref().map(|http| http.http(folder)).transpose().map_err(JobError::config)?,
        })
    }

    /// The same job, which ends where its inputs end now.
    pub fn until_end(&mut self) {
        for source in &mut self.sources {
            source.follow = false;
            source.idle = None;
        }
    }

    fn outputs(&self, sinks: &mut Sinks<'_>) -> Outputs {
        let standard_output = [SinkEntry::Stdout];
        let all = |entries: &Option<Vec<SinkEntry>>, sinks: &mut Sinks<'_>| {
            sinks.names(entries.as_deref().unwrap_or(&standard_output))
        };
        let of_one = |entries: &OutputsEntry, sinks: &mut Sinks<'_>| OfOne {
            matches: entries.matches.as_deref().map(|entries| sinks.names(entries)),
            timeouts: entries.timeouts.as_deref().map(|entries| sinks.names(entries)),
        };
        Outputs {
            matches: all(&self.matches, sinks),
            timeouts: all(&self.timeouts, sinks),
            late: sinks.names(self.late.as_slice()),
            rejected: sinks.names(self.rejected.as_slice()),
            patterns: self.outputs.iter().map(|(name, entries)| (name.clone(), of_one(entries, sinks))).collect(),
        }
    }
}

/// The sinks that a job file names, each once.
struct Sinks<'f> {
    folder: &'f Path,
    entries: Vec<SinkEntry>,
}

impl Sinks<'_> {
    fn names(&mut self, entries: &[SinkEntry]) -> Vec<String> {
        for entry in entries {
            if !self.entries.contains(entry) {
                self.entries.push(entry.clone());
            }
        }
        entries.iter().map(SinkEntry::name).collect()
    }

    fn specs(self) -> Vec<SinkSpec> {
        self.entries.iter().map(|entry| entry.spec(self.folder)).collect()
    }
}

impl SinkEntry {
    fn name(&self) -> String {
        match self {
            SinkEntry::File(path) => path.clone(),
            SinkEntry::Stdout => "standard output".to_owned(),
        }
    }

    fn spec(&self, folder: &Path) -> SinkSpec {
        let open: Open<dyn Sink> = match self {
            SinkEntry::File(path) => {
                let path = in_folder(folder, path);
                Box::new(move |at| Ok(Box::new(FileSink::open(&path, at)?)))
            }
            SinkEntry::Stdout => Box::new(|_| Ok(Box::new(StreamSink::stdout()))),
        };
        SinkSpec { name: self.name(), open }
    }
}

impl SourceEntry {
    fn spec(&self, index: usize, folder: &Path, limits: &LimitsEntry) -> Result<SourceSpec, JobError> {
        let follow = self.follow;
        let paths = match &self.from {
            FromEntry::File(path) | FromEntry::Parquet(path) => std::slice::from_ref(path),
            FromEntry::Files(paths) => paths,
            FromEntry::Stdin => &[],
        };
        let format = self.format(paths)?;
        let open: Open<dyn Source> = match &self.from {
            FromEntry::File(_) | FromEntry::Files(_) => {
                let paths = paths.iter().map(|path| in_folder(folder, path)).collect();
                let config = FileSourceConfig { paths, follow };
                Box::new(move |at| Ok(Box::new(FileSource::open(&config, at)?)))
            }
            FromEntry::Parquet(path) => {
                if follow || self.format.is_some() {
                    let message = format!("`{path}`: files of Parquet are not followed, and have no other format");
                    return Err(JobError::config(message));
                }
                let config = ParquetSourceConfig { paths: vec![in_folder(folder, path)], columns: None };
                Box::new(move |at| Ok(Box::new(ParquetSource::open(&config, at)?)))
            }
            FromEntry::Stdin => Box::new(move |at| Ok(Box::new(StreamSource::stdin(at)?))),
        };
        let out_of_order = match self.watermark {
            WatermarkEntry::Ascending => Span::ZERO,
            WatermarkEntry::OutOfOrder(Period(span)) => span,
        };
        Ok(SourceSpec {
            name: self.name.clone().or_else(|| self.stream.clone()).unwrap_or_else(|| format!("source {}", index + 1)),
            stream: self.stream.clone(),
            open,
            format,
            event_bytes_max: limits.event.map_or(RECORD_BYTES_MAX, |Bytes(bytes)| bytes),
            time: self.time.field.clone(),
            time_format: self.time.unit.format(),
            pace: Pace { out_of_order, idle: self.idle.map(|Period(span)| span) },
        })
    }

    fn format(&self, paths: &[String]) -> Result<Format, JobError> {
        match &self.format {
            Some(FormatEntry::Csv { columns, delimiter: Delimiter(delimiter), header }) => {
                let has_header = *header || columns.is_none();
                let csv = Csv { columns: columns.clone().unwrap_or_default(), delimiter: *delimiter };
                Ok(Format { rows: RowFormat::Csv(csv), has_header })
            }
            Some(FormatEntry::JsonLines) => Ok(Format { rows: RowFormat::JsonLines, has_header: false }),
            Some(FormatEntry::Logfmt) => Ok(Format { rows: RowFormat::Logfmt, has_header: false }),
            // Each row comes as a line of JSON.
            None if matches!(self.from, FromEntry::Parquet(_)) => {
                Ok(Format { rows: RowFormat::JsonLines, has_header: false })
            }
            None => told_format(paths),
        }
    }
}

/// The format that the names of files tell.
fn told_format(paths: &[String]) -> Result<Format, JobError> {
    let has = |extensions: &[&str]| {
        let ends = |path: &String| extensions.iter().any(|extension| path.to_lowercase().ends_with(extension));
        !paths.is_empty() && paths.iter().all(ends)
    };
    if has(&[".csv", ".csv.gz", ".csv.zst"]) {
        let csv = Csv { columns: Vec::new(), delimiter: b',' };
        return Ok(Format { rows: RowFormat::Csv(csv), has_header: true });
    }
    let json =
        [".jsonl", ".ndjson", ".json", ".jsonl.gz", ".ndjson.gz", ".json.gz", ".jsonl.zst", ".ndjson.zst", ".json.zst"];
    if has(&json) {
        return Ok(Format { rows: RowFormat::JsonLines, has_header: false });
    }
    let named = if paths.is_empty() { "standard input".to_owned() } else { format!("`{}`", paths.join("`, `")) };
    let message = format!("the format of {named} is not known: say `format: Csv()`, `JsonLines` or `Logfmt`");
    Err(JobError::config(message))
}

impl UnitEntry {
    fn format(self) -> TimeFormat {
        match self {
            UnitEntry::Rfc3339 => TimeFormat::Rfc3339,
            UnitEntry::Seconds => TimeFormat::Seconds,
            UnitEntry::Millis => TimeFormat::Millis,
            UnitEntry::Micros => TimeFormat::Micros,
            UnitEntry::Nanos => TimeFormat::Nanos,
        }
    }
}

impl CheckpointEntry {
    fn checkpoints(&self, folder: &Path) -> Checkpoints {
        let every = u64::try_from(self.every.0.as_micros()).unwrap_or(0);
        Checkpoints { folder: folder.join(&self.dir), every: Duration::from_micros(every), keep: self.keep }
    }
}

impl LimitsEntry {
    fn limits(&self) -> Limits {
        let default = Limits::default();
        Limits {
            open_runs: self.open_runs.unwrap_or(default.open_runs),
            open_runs_per_key: self.open_runs_per_key.unwrap_or(default.open_runs_per_key),
            bytes: self.state.map_or(default.bytes, |Bytes(bytes)| bytes),
            bytes_per_key: self.state_per_key.map_or(default.bytes_per_key, |Bytes(bytes)| bytes),
            events_per_run: self.events_per_run.unwrap_or(default.events_per_run),
            matches_per_event: self.matches_per_event.unwrap_or(default.matches_per_event),
            on_full: match self.on_full {
                OnFullEntry::Stop => OnFull::Stop,
                OnFullEntry::RejectEvent => OnFull::RejectEvent,
                OnFullEntry::DropOldest => OnFull::DropOldest,
            },
        }
    }
}

fn in_folder(folder: &Path, path: &str) -> String {
    folder.join(path).to_string_lossy().into_owned()
}
