//! A job: sources through patterns to sinks, for as long as it is left alone.
//!
//! Each source is read and decoded on a thread of its own (`reader`, `inlet`). The thread that calls [`Running::run`] takes
//! their batches through the engine in the order of time (`flow`); what comes out is written on another (`outlets`), and
//! checkpoints are made bytes and written on a third ([`checkpoint`]). All that crosses threads has a bound, so that a slow
//! sink slows the sources.

use std::path::PathBuf;
use std::time::Duration;

use ensue_connect::{Position, Sink, Source};
use ensue_engine::Limits;
use ensue_io::TimeFormat;
use ensue_lang::{Diagnostics, Options};
use tracing::{info, warn};

mod binding;
mod changing;
pub mod checkpoint;
mod control;
mod drive;
mod error;
pub mod file;
mod flow;
mod http;
mod inlet;
mod keeper;
mod meters;
mod outlets;
mod plan;
mod reader;
mod records;
mod renewal;
mod rules;
mod running;
mod secret;
mod tables;
mod texts;
mod threads;
mod values;
mod watch;

pub use control::Control;
pub use error::JobError;
pub use file::JobFile;
pub use flow::{Cut, Pace, Progress, SOURCES_MAX};
pub use http::{Http, Token};
pub use outlets::{Counts, OfPattern, Routes};
pub use reader::{Format, Mark, Place};
pub use running::Running;
pub use secret::Text;
pub use tables::TableFile;
pub use texts::Texts;

use checkpoint::Store;
use plan::Planner;
use running::open_sources;

/// Opens something at a position that it gave in an earlier process, or at its start.
type Open<T> = Box<dyn Fn(Option<&Position>) -> Result<Box<T>, ensue_connect::Error> + Send>;

/// A source of a job.
pub struct SourceSpec {
    /// Its name, which tells it from the others, also after a restart.
    pub name: String,
    /// The stream that it feeds; may be left out where there is one.
    pub stream: Option<String>,
    /// Opens it.
    pub open: Open<dyn Source>,
    /// How its rows are written.
    pub format: Format,
    /// The longest event in bytes. Longer ones are rejected, and never held in memory as a whole.
    pub event_bytes_max: usize,
    /// The field of the event time; none if the stream marks it.
    pub time: Option<String>,
    /// How times are written.
    pub time_format: TimeFormat,
    /// How its time passes.
    pub pace: Pace,
}

/// A sink of a job.
pub struct SinkSpec {
    /// Its name, which tells it from the others, also after a restart.
    pub name: String,
    /// Opens it.
    pub open: Open<dyn Sink>,
}

/// Which sinks take what, by their names.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Outputs {
    /// Matches.
    pub matches: Vec<String>,
    /// Timeouts.
    pub timeouts: Vec<String>,
    /// Late events.
    pub late: Vec<String>,
    /// Lines that are no events, and events without a key.
    pub rejected: Vec<String>,
    /// For patterns by name, where their matches and their timeouts go instead; none: where all go.
    pub patterns: Vec<(String, OfOne)>,
}

/// Where the outputs of one pattern go.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct OfOne {
    /// Its matches.
    pub matches: Option<Vec<String>>,
    /// Its timeouts.
    pub timeouts: Option<Vec<String>>,
}

/// A job, as it is described.
pub struct Job {
    /// Its name.
    pub name: String,
    /// The pattern files, which are compiled together.
    pub texts: Texts,
    /// What they are compiled with. The fields of a stream that nobody declares come from the only source.
    pub options: Options,
    /// Where events come from.
    pub sources: Vec<SourceSpec>,
    /// Where outputs can go.
    pub sinks: Vec<SinkSpec>,
    /// Which go where.
    pub outputs: Outputs,
    /// The rows of tables. They are read again when their files change.
    pub tables: Vec<TableFile>,
    /// Where checkpoints are kept.
    pub checkpoints: Option<Checkpoints>,
    /// Threads that share the keys among them.
    pub shards: usize,
    /// What the engine does not grow beyond.
    pub limits: Limits,
    /// What becomes of open runs whose pattern has changed.
    pub on_change: OnChange,
    /// Where it is to be seen while it runs.
    pub http: Option<Http>,
}

/// What becomes of open runs whose pattern has changed since they began.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum OnChange {
    /// Those stay that have passed only what is unchanged; the others are dropped.
    Keep,
    /// All runs of patterns that have changed are dropped.
    Drop,
    /// Those stay that have passed only what is unchanged; if there are others, the patterns do not change.
    #[default]
    Stop,
}

/// Where checkpoints are kept, and how often they are taken.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Checkpoints {
    /// The folder.
    pub folder: PathBuf,
    /// The time from one to the next.
    pub every: Duration,
    /// How many of the newest are kept.
    pub keep: usize,
}

/// What a job has done when it returns.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Report {
    /// How many events each source has given since the job first began.
    pub events: Vec<(String, u64)>,
    /// What came out.
    pub counts: Counts,
    /// Whether all sources had ended. Otherwise it was told to stop.
    pub has_ended: bool,
    /// The number of the last checkpoint.
    pub checkpoint: Option<u64>,
}

impl Job {
    /// Makes everything ready: reads the newest checkpoint, opens sources and sinks where it says, compiles the patterns.
    ///
    /// # Errors
    /// If anything of that fails. Nothing has been written then, but for files of sinks that may have been made or cut back.
    pub fn prepare(self) -> Result<Running, JobError> {
        let store = self.checkpoints.as_ref().map(|kept| Store::open(&kept.folder, kept.keep)).transpose()?;
        let found = store.as_ref().map(Store::newest).transpose()?.flatten();
        let saved = found.map(|found| {
            found.damaged.iter().for_each(|damaged| warn!("{damaged}; an older one is used"));
            found.checkpoint
        });
        if let Some(saved) = &saved {
            info!(number = saved.number, "goes on from a checkpoint");
        }
        Running::new(self, store, saved)
    }

    /// Looks at the whole job without running it: compiles the patterns for what the sources have. Gives what is odd about
    /// them.
    ///
    /// # Errors
    /// As [`Job::prepare`], but for checkpoints and sinks, which are not touched.
    pub fn check(self) -> Result<Diagnostics, JobError> {
        let Job { texts, options, sources, sinks, outputs, tables, .. } = self;
        let feeds = open_sources(sources, None)?.iter().map(running::Opened::feed).collect();
        let sinks = sinks.into_iter().map(|spec| spec.name).collect();
        let planner = Planner { options, feeds, outputs, sinks, tables };
        let (_, warnings) = planner.plan(texts.read().map_err(JobError::config)?)?;
        Ok(warnings)
    }
}
