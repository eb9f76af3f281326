//! A job that has been made ready: its newest checkpoint taken up, sources and sinks opened, patterns compiled.

use std::sync::Arc;
use std::time::Duration;

use ensue_connect::Position;
use ensue_engine::Config;
use ensue_io::RowFormat;
use ensue_model::Patterns;
use tracing::{info, warn};

use crate::clock;
use crate::job::changing::Changing;
use crate::job::checkpoint::{Checkpoint, SavedSource, Store};
use crate::job::drive::Drive;
use crate::job::flow::Flow;
use crate::job::http;
use crate::job::inlet::{Decoding, Inlet};
use crate::job::meters::Meters;
use crate::job::outlets::{Outlet, Outlets};
use crate::job::plan::{Feed, Plan, Planner};
use crate::job::reader::Reader;
use crate::job::rules::Rules;
use crate::job::watch::WatchedFiles;
use crate::job::{Control, Cut, Job, JobError, OnChange, Pace, Progress, Report, SOURCES_MAX, SinkSpec, SourceSpec};

/// How long a source is waited for when a job starts and its columns have to be known.
const FIRST_PATIENCE: Duration = Duration::from_secs(1);

/// A job that is ready to run.
pub struct Running {
    pub(crate) plan: Arc<Plan>,
    /// What makes plans of other texts, and finds these.
    pub(crate) planner: Planner,
    pub(crate) rules: Rules,
    pub(crate) on_change: OnChange,
    pub(crate) config: Config,
    pub(crate) flow: Flow,
    pub(crate) decodings: Vec<Arc<Decoding>>,
    pub(crate) inlets: Vec<Option<Inlet>>,
    pub(crate) sources: Vec<SavedSource>,
    pub(crate) outlets: Outlets,
    pub(crate) meters: Arc<Meters>,
    pub(crate) shards: usize,
    /// The files of the tables.
    pub(crate) watched: WatchedFiles,
    pub(crate) http: Option<http::Bound>,
    /// Where checkpoints are kept, and the time from one to the next.
    pub(crate) checkpoints: Option<(Store, Duration)>,
    /// The number of the newest checkpoint.
    pub(crate) number: u64,
    pub(crate) has_ended: bool,
}

/// A source that has been opened.
pub(crate) struct Opened {
    spec: SourceSpec,
    reader: Option<Reader>,
    rows: RowFormat,
    progress: Progress,
}

impl Running {
    pub(crate) fn new(job: Job, store: Option<Store>, saved: Option<Checkpoint>) -> Result<Self, JobError> {
        let Job { name, texts, options, sources, sinks, outputs, tables, .. } = job;
        let Job { checkpoints, shards, limits, on_change, http, .. } = job;
        let mut opened = open_sources(sources, saved.as_ref())?;
        // Before they are read, so that no change is missed.
        let watched = WatchedFiles::new(tables.iter().map(|table| table.path.clone()), clock::now());
        let planner = Planner {
            options,
            feeds: opened.iter().map(Opened::feed).collect(),
            outputs,
            sinks: sinks.iter().map(|spec| spec.name.clone()).collect(),
            tables,
        };
        let (plan, warnings) = planner.plan(texts.read().map_err(JobError::config)?)?;
        for warning in warnings.render(false).lines() {
            warn!("{warning}");
        }
        let config = Config { limits, ..Config::default() };
        let from = saved.as_ref().map(|saved| {
            let progress = opened.iter().map(|opened| opened.progress.clone()).collect();
            let engine = Changing { plan: &plan, config: &config, on_change }.restore(saved)?;
            Ok::<_, JobError>(Cut { progress, engine })
        });
        let from = from.transpose()?;
        let decodings: Vec<_> = plan.decoders.iter().cloned().map(Decoding::new).collect();
        let inlets = opened.iter_mut().zip(&decodings).map(|(opened, decoding)| opened.inlet(decoding)).collect();

        let has_ended = saved.as_ref().is_some_and(|saved| saved.has_ended);
        let outlets = sinks.into_iter().map(|spec| open_sink(&spec, saved.as_ref())).collect::<Result<Vec<_>, _>>()?;
        let counts = saved.as_ref().map(|saved| saved.counts.clone()).unwrap_or_default();
        let outlets = Outlets::new(&plan, outlets, counts);

        let number = saved.as_ref().map_or(0, |saved| saved.number);
        let paces: Vec<Pace> = opened.iter().map(|opened| opened.spec.pace).collect();
        let meters = Meters::new(
            &name,
            opened.iter().map(|opened| &*opened.spec.name),
            &plan.patterns,
            outlets.names(),
            config.limits.clone(),
        );
        meters.came_out(&outlets.counts);
        let mut flow = Flow::new(&plan.patterns, plan.encoder(), &config, shards, &paces, from, clock::now())?;
        for (table, rows) in &plan.tables {
            flow.set_table(*table, rows.clone())?;
        }
        let http = http.map(http::Bound::new).transpose()?;
        Ok(Running {
            rules: Rules::new(texts, plan.texts.clone()),
            plan: Arc::new(plan),
            planner,
            on_change,
            config,
            flow,
            decodings,
            inlets,
            sources: opened.into_iter().map(Opened::saved).collect(),
            outlets,
            meters: Arc::new(meters),
            shards,
            watched,
            http,
            checkpoints: store.zip(checkpoints.map(|checkpoints| checkpoints.every)),
            number,
            has_ended,
        })
    }

    /// The patterns that run.
    pub fn patterns(&self) -> &Patterns {
        &self.plan.patterns
    }

    /// Runs until all sources have ended, or until `control` says that it shall stop. In either case a last checkpoint is taken.
    ///
    /// # Errors
    /// If a limit is reached and the engine is to stop there; if a source or a sink fails for good; if the last checkpoint cannot be
    /// written. The newest checkpoint then still holds, and the job can be started again.
    pub fn run(self, control: &Arc<Control>) -> Result<Report, JobError> {
        if self.has_ended {
            info!("the job has ended before: there is nothing to do");
            return Ok(self.ended_before());
        }
        self.tell_start();
        Drive::start(self, control).run()
    }

    /// Says in the log what starts, and from where.
    fn tell_start(&self) {
        let Running { meters, shards, sources, .. } = self;
        let patterns = self.patterns().patterns.iter().map(|pattern| &*pattern.name).collect::<Vec<_>>().join(", ");
        let sinks = meters.sinks.iter().map(|sink| &*sink.name).collect::<Vec<_>>().join(", ");
        let version = env!("CARGO_PKG_VERSION");
        info!(job = meters.job, version, patterns, sinks, shards, "starts");
        for SavedSource { name, progress, .. } in sources {
            let events = progress.events;
            match &progress.mark.document {
                _ if progress.has_ended => info!(source = name, events, "has ended before"),
                Some(place) => info!(source = name, events, file = place.name, line = place.line, "goes on"),
                None => info!(source = name, "begins"),
            }
        }
    }

    fn ended_before(self) -> Report {
        let events = self.sources.into_iter().map(|source| (source.name, source.progress.events)).collect();
        Report { events, counts: self.outlets.counts, has_ended: true, checkpoint: Some(self.number) }
    }
}

impl Opened {
    pub(crate) fn feed(&self) -> Feed {
        let SourceSpec { name, stream, time, time_format, .. } = &self.spec;
        let (name, stream, time) = (name.clone(), stream.clone(), time.clone());
        Feed { name, stream, rows: self.rows.clone(), time, time_format: *time_format }
    }

    /// What reads it; none if it has ended.
    fn inlet(&mut self, decoding: &Arc<Decoding>) -> Option<Inlet> {
        self.reader.take().map(|reader| Inlet::new(reader, decoding.clone(), &self.progress.mark))
    }

    fn saved(self) -> SavedSource {
        let columns = match self.rows {
            RowFormat::Csv(csv) if self.spec.format.has_header => Some(csv.columns),
            _ => None,
        };
        SavedSource { name: self.spec.name, columns, progress: self.progress }
    }
}

/// Opens the sources where a checkpoint says.
pub(crate) fn open_sources(sources: Vec<SourceSpec>, saved: Option<&Checkpoint>) -> Result<Vec<Opened>, JobError> {
    if sources.is_empty() || sources.len() > SOURCES_MAX {
        return Err(JobError::config(format!("a job has 1 to {SOURCES_MAX} sources, this one {}", sources.len())));
    }
    sources.into_iter().map(|spec| open_source(spec, saved)).collect()
}

/// Opens a source where a checkpoint says, and learns its columns.
fn open_source(spec: SourceSpec, saved: Option<&Checkpoint>) -> Result<Opened, JobError> {
    let saved = saved.and_then(|saved| saved.sources.iter().find(|source| source.name == spec.name));
    let progress = saved.map(|saved| saved.progress.clone()).unwrap_or_default();
    let mut format = spec.format.clone();
    if let (RowFormat::Csv(csv), Some(columns)) = (&mut format.rows, saved.and_then(|saved| saved.columns.clone()))
        && csv.columns.is_empty()
    {
        csv.columns = columns;
    }
    if progress.has_ended {
        return Ok(Opened { rows: format.rows, spec, reader: None, progress });
    }
    let at = saved.map(|saved| &saved.progress.mark.position).filter(|position| **position != Position::default());
    let source = (spec.open)(at).map_err(|error| JobError::source(&spec.name, error))?;
    let mut reader = Reader::new(source, format, &progress.mark).with_limit(spec.event_bytes_max);
    match reader.learn_columns(FIRST_PATIENCE) {
        Ok(true) => {}
        Ok(false) => {
            let name = &spec.name;
            let message =
                format!("the columns of source `{name}` are not known: it has no header yet; say its `columns`");
            return Err(JobError::config(message));
        }
        Err(error) => return Err(JobError::source(&spec.name, error)),
    }
    Ok(Opened { rows: reader.rows().clone(), spec, reader: Some(reader), progress })
}

/// Opens a sink where a checkpoint says.
fn open_sink(spec: &SinkSpec, saved: Option<&Checkpoint>) -> Result<Outlet, JobError> {
    let at = saved.and_then(|saved| saved.sinks.iter().find(|sink| sink.name == spec.name));
    let sink = (spec.open)(at.map(|saved| &saved.position)).map_err(|error| JobError::sink(&spec.name, error))?;
    Ok(Outlet::new(spec.name.clone(), sink))
}
