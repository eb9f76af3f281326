//! A job: sources through patterns to sinks, for as long as it is left alone.
//!
//! Each source is read and decoded on a thread of its own (`reader`, `inlet`). The thread that calls [`Running::run`] takes
//! their batches through the engine in the order of time (`flow`); what comes out is written on another (`outlets`), and
//! checkpoints are made bytes and written on a third ([`checkpoint`]). All that crosses threads has a bound, so that a slow
//! sink slows the sources.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use ensue_connect::{Position, Sink, Source};
use ensue_engine::{Config, Limits};
use ensue_io::{Layout, RowFormat, TimeFormat};
use ensue_lang::{Diagnostics, Options};
use ensue_model::{Patterns, Span, Timestamp};
use tracing::{info, warn};

use crate::clock;

mod binding;
mod changing;
pub mod checkpoint;
mod control;
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
mod renewal;
mod rules;
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
pub use secret::Text;
pub use tables::TableFile;
pub use texts::Texts;

use changing::Changing;
use checkpoint::{Checkpoint, SavedSource, Store};
use flow::Flow;
use http::figures::Figures;
use http::{Question, Server};
use inlet::{Batch, Decoding, Given, Inlet};
use keeper::{Keeper, Stored};
use meters::{Meters, micros};
use outlets::{Outlet, Outlets};
use plan::{Feed, Plan, Planner};
use reader::Reader;
use renewal::Renewal;
use rules::Rules;
use threads::{Listener, Message, Writer};
use watch::WatchedFiles;

/// How long the job waits for something to happen until it looks at the clock.
const TICK: Duration = Duration::from_millis(100);

/// So long a source may hold time back until that is said, and then again.
const STUCK: Span = Span::from_seconds(30);

/// The time from one line of the log that says how the job goes to the next.
const TELLING: Span = Span::from_seconds(30);

/// How long the shards are waited for when that is said.
const TELLING_PATIENCE: Duration = Duration::from_secs(1);

/// How long a source is waited for when a job starts and its columns have to be known.
const FIRST_PATIENCE: Duration = Duration::from_secs(1);

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
        let feeds = open_sources(sources, None)?.iter().map(Opened::feed).collect();
        let sinks = sinks.into_iter().map(|spec| spec.name).collect();
        let planner = Planner { options, feeds, outputs, sinks, tables };
        let (_, warnings) = planner.plan(texts.read().map_err(JobError::config)?)?;
        Ok(warnings)
    }
}

/// A job that is ready to run.
pub struct Running {
    plan: Arc<Plan>,
    /// What makes plans of other texts, and finds these.
    planner: Planner,
    rules: Rules,
    on_change: OnChange,
    config: Config,
    flow: Flow,
    decodings: Vec<Arc<Decoding>>,
    inlets: Vec<Option<Inlet>>,
    sources: Vec<SavedSource>,
    outlets: Outlets,
    meters: Arc<Meters>,
    shards: usize,
    /// The files of the tables.
    watched: WatchedFiles,
    http: Option<http::Bound>,
    /// Where checkpoints are kept, and the time from one to the next.
    checkpoints: Option<(Store, Duration)>,
    /// The number of the newest checkpoint.
    number: u64,
    has_ended: bool,
}

/// A source that has been opened.
struct Opened {
    spec: SourceSpec,
    reader: Option<Reader>,
    rows: RowFormat,
    progress: Progress,
}

impl Running {
    fn new(job: Job, store: Option<Store>, saved: Option<Checkpoint>) -> Result<Self, JobError> {
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
    fn feed(&self) -> Feed {
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
fn open_sources(sources: Vec<SourceSpec>, saved: Option<&Checkpoint>) -> Result<Vec<Opened>, JobError> {
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

/// The thread that drives a job, with the ends of what leads to the others.
struct Drive {
    plan: Arc<Plan>,
    /// What rows held before the patterns last changed, and before that.
    layouts: Vec<Layout>,
    planner: Planner,
    rules: Rules,
    on_change: OnChange,
    config: Config,
    shards: usize,
    /// What decodes the records of each source.
    decodings: Vec<Arc<Decoding>>,
    flow: Flow,
    /// The files of the tables.
    watched: WatchedFiles,
    sources: Vec<SavedSource>,
    /// What sources and the keeper say.
    messages: Receiver<Message>,
    listeners: Vec<Option<Listener>>,
    writer: Writer,
    keeper: Option<Keeper>,
    meters: Arc<Meters>,
    /// For each source, when the batches were read that have not been taken yet.
    read: Vec<VecDeque<Instant>>,
    /// Shows the job as long as it runs.
    _server: Option<Server>,
    every: Duration,
    /// When the last checkpoint was begun.
    last_cut: Timestamp,
    /// Whether one is being written.
    is_cutting: bool,
    number: u64,
    /// When the log last said how the job goes, and how many events there were.
    told: (Timestamp, u64),
    /// The source that holds time back, and since when.
    held: Option<(usize, Timestamp)>,
    control: Arc<Control>,
}

impl Drive {
    fn start(running: Running, control: &Arc<Control>) -> Self {
        let Running { plan, planner, rules, watched, on_change, config, shards, decodings, .. } = running;
        let Running { flow, inlets, sources, outlets, meters, http, checkpoints, number, .. } = running;
        let (to, messages): (Sender<Message>, _) = channel();
        let listener = |(source, inlet): (usize, Option<Inlet>)| {
            inlet.map(|inlet| Listener::start(source, meters.clone(), inlet, to.clone(), control.clone()))
        };
        let listeners = inlets.into_iter().enumerate().map(listener).collect();
        let every = checkpoints.as_ref().map_or(Duration::MAX, |(_, every)| *every);
        let events = sources.iter().map(|source| source.progress.events).sum();
        let server = http.map(|http| http.serve(meters.clone(), to.clone()));
        let keeper = checkpoints.map(|(store, _)| Keeper::start(store, meters.clone(), config.clone(), to));
        Drive {
            plan,
            layouts: Vec::new(),
            planner,
            rules,
            on_change,
            config,
            shards,
            decodings,
            flow,
            watched,
            read: vec![VecDeque::new(); sources.len()],
            sources,
            messages,
            listeners,
            writer: Writer::start(outlets, control.clone(), meters.clone()),
            keeper,
            meters,
            _server: server,
            every,
            last_cut: Timestamp::MIN,
            is_cutting: false,
            number,
            told: (clock::now(), events),
            held: None,
            control: control.clone(),
        }
    }

    fn run(mut self) -> Result<Report, JobError> {
        if self.number == 0 {
            self.begin()?;
        }
        while !self.control.is_stopping() && !self.flow.has_ended() {
            let has_more = self.flow.run(clock::now())?;
            if !has_more {
                self.flow.settle()?;
            }
            self.hand_out()?;
            self.hear(if has_more { Duration::ZERO } else { TICK })?;
            self.look_at_files()?;
            self.look_at_rules()?;
            self.look_for_holder();
            self.note();
            self.tell();
            if !self.is_cutting && self.is_due() {
                self.cut(false)?;
            }
        }
        self.end()
    }

    /// Takes the first checkpoint, and waits for it: where outputs begin has to be safe before there are any, or those that are
    /// written until a crash would stay and come again.
    fn begin(&mut self) -> Result<(), JobError> {
        self.cut(false)?;
        while self.is_cutting {
            match self.messages.recv().expect("the keeper says when the checkpoint is written") {
                Message::Stored(Err(error)) => return Err(error.into()),
                message => self.take(message)?,
            }
        }
        Ok(())
    }

    /// Takes up patterns whose files have changed, at a cut through all of the job. What cannot be taken up is said, and those that
    /// run go on.
    fn look_at_rules(&mut self) -> Result<(), JobError> {
        // One checkpoint after the other: the one behind a change must be the first that knows it.
        let found = if self.is_cutting { None } else { self.rules.look(clock::now()) };
        match found {
            None => Ok(()),
            Some(Err(reason)) => {
                self.refuse(&reason);
                Ok(())
            }
            Some(Ok(texts)) if texts == self.plan.texts => {
                info!("the pattern files say again what runs");
                self.meters.set_refused(None);
                Ok(())
            }
            Some(Ok(texts)) => self.take_up(texts),
        }
    }

    /// Takes up tables whose files have changed. One that cannot be used changes nothing, until it changes again.
    fn look_at_files(&mut self) -> Result<(), JobError> {
        for changed in self.watched.changed(clock::now()) {
            let file = &self.planner.tables[changed];
            let TableFile { name, path } = file;
            match file.read(&self.plan.patterns) {
                Ok((table, rows)) => {
                    info!(table = name, file = %path.display(), rows = rows.len(), "read again");
                    self.flow.set_table(table, Arc::new(rows))?;
                }
                Err(reason) => warn!("{reason}; the rows stay as they were"),
            }
        }
        Ok(())
    }

    fn refuse(&self, reason: &str) {
        warn!("the patterns that run go on; what their files say cannot be taken up: {reason}");
        self.meters.set_refused(Some(reason.to_owned()));
    }

    fn take_up(&mut self, texts: Vec<ensue_lang::Source>) -> Result<(), JobError> {
        let (plan, warnings) = match self.planner.plan(texts) {
            Ok(planned) => planned,
            Err(error) => {
                self.refuse(&error.to_string());
                return Ok(());
            }
        };
        let started = clock::started();
        let cut = self.flow.cut()?;
        self.hand_out()?;
        let Drive { plan: before, config, on_change, shards, .. } = self;
        let mut renewal = Renewal::new(&before.layout, &plan);
        let changing = Changing { plan: &plan, config, on_change: *on_change };
        let engine = match changing.change(cut.engine, &mut renewal) {
            Ok(engine) => engine,
            Err(error) => {
                self.refuse(&error.to_string());
                return Ok(());
            }
        };
        for warning in warnings.render(false).lines() {
            warn!("{warning}");
        }
        self.flow.change(&plan, config, *shards, engine, |record| renewal.of_decoded(record))?;
        self.run_with(plan)?;
        info!(took = ?started.elapsed(), "other patterns run from now on");
        self.cut(false)
    }

    /// Lets all else around the flow know other patterns.
    fn run_with(&mut self, plan: Plan) -> Result<(), JobError> {
        for (decoding, decoder) in self.decodings.iter().zip(&plan.decoders) {
            decoding.replace(decoder.clone());
        }
        let plan = Arc::new(plan);
        self.writer.change(&plan)?;
        self.meters.set_refused(None);
        let before = std::mem::replace(&mut self.plan, plan);
        self.layouts.push(before.layout.clone());
        Ok(())
    }

    /// A batch as the patterns see it now, which may have changed since it was decoded.
    fn renewed(&self, batch: Batch) -> Batch {
        let Some(before) = self.layouts.get(batch.changes) else { return batch };
        let renewal = Renewal::new(before, &self.plan);
        let records = batch.records.into_iter().map(|record| renewal.of_decoded(record)).collect();
        Batch { records, ..batch }
    }

    /// Takes note of how far the job has come.
    fn note(&self) {
        let Drive { flow, meters, held, .. } = self;
        meters.turn.set(clock::now());
        meters.watermark.set(flow.event_time());
        meters.set_holder(held.map(|(source, _)| source));
        for (meter, (events, watermark)) in meters.sources.iter().zip(flow.sources()) {
            meter.events.set(events);
            meter.watermark.set(watermark);
        }
    }

    /// Says in the log how the job goes, every now and then.
    fn tell(&mut self) {
        let (before, events_before) = self.told;
        let (now, events) = (clock::now(), self.flow.sources().map(|(events, _)| events).sum::<u64>());
        if now - before < TELLING {
            return;
        }
        self.told = (now, events);
        let seconds = (now - before).as_micros() as f64 / 1e6;
        let events_per_second = (events.saturating_sub(events_before) as f64 / seconds).round();
        let figures = Figures::gather(self.flow.figures(), TELLING_PATIENCE);
        let open_runs = figures.map(|figures| figures.open_runs());
        let behind = self.meters.watermark.get().map(|watermark| (now - watermark).as_micros() / 1_000_000);
        info!(events, events_per_second, open_runs, seconds_behind = behind, "goes on");
    }

    /// Whether it is time for a checkpoint.
    fn is_due(&self) -> bool {
        let since = clock::now() - self.last_cut;
        self.keeper.is_some() && u128::try_from(since.as_micros()).is_ok_and(|since| since >= self.every.as_micros())
    }

    /// Says which source holds time back, when it has done so for long.
    fn look_for_holder(&mut self) {
        let now = clock::now();
        self.held = match (self.flow.holder(now), self.held) {
            (Some(source), Some((held, since))) if source == held && now - since < STUCK => Some((source, since)),
            (Some(source), Some((held, _))) if source == held => {
                let source_name = &self.sources[source].name;
                warn!(source = source_name, "time stands still: this source gives nothing, and others have gone on");
                Some((source, now))
            }
            (Some(source), _) => Some((source, now)),
            (None, _) => None,
        };
    }

    /// Hands to the sinks what has come out, and lets sources go on whose batches have been taken.
    fn hand_out(&mut self) -> Result<(), JobError> {
        self.writer.put(self.flow.out())?;
        for (source, listener) in self.listeners.iter().enumerate() {
            let finished = self.flow.finished(source);
            let batches = self.read[source].drain(..finished);
            batches.for_each(|read| self.meters.latency.observe(read.elapsed().as_secs_f64()));
            listener.iter().for_each(|listener| listener.go_on(finished));
        }
        Ok(())
    }

    /// Hears what sources and the keeper say, and waits for the first of it.
    fn hear(&mut self, patience: Duration) -> Result<(), JobError> {
        let mut heard = self.messages.recv_timeout(patience);
        loop {
            match heard {
                Ok(message) => self.take(message)?,
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return Ok(()),
            }
            heard = self.messages.recv_timeout(Duration::ZERO);
        }
    }

    fn take(&mut self, message: Message) -> Result<(), JobError> {
        match message {
            Message::Given(source, Given::Batch(batch)) => {
                self.meters.sources[source].unreadable.add(batch.bad());
                self.read[source].push_back(batch.read);
                let batch = self.renewed(batch);
                self.flow.give(source, batch, clock::now());
            }
            Message::Given(source, Given::Nothing(mark)) => self.flow.silent(source, mark),
            Message::Given(source, Given::Ended(mark)) => self.flow.close(source, mark),
            Message::Failed(source, error) => return Err(JobError::source(&self.sources[source].name, error)),
            Message::Asked(question) => self.answer(question),
            Message::Stored(stored) => {
                self.is_cutting = false;
                match stored {
                    Ok(stored) => {
                        let Stored { number, bytes, took } = stored;
                        info!(number, bytes, ?took, "checkpoint");
                        self.meters.stored(&stored);
                    }
                    Err(error) => {
                        warn!("no checkpoint: {error}; it is tried again");
                        self.meters.checkpoints.trouble.failed(&error);
                    }
                }
            }
        }
        Ok(())
    }

    /// Answers somebody who may have given up.
    fn answer(&mut self, question: Question) {
        let plan = self.plan.clone();
        match question {
            Question::Figures(to) => drop(to.send((plan, self.flow.figures()))),
            Question::Places(to) => drop(to.send((plan, self.flow.places()))),
            Question::Runs(asked, to) => {
                // The patterns may have changed since it was asked.
                let pattern = plan.patterns.patterns.iter().position(|pattern| pattern.name == asked.pattern);
                if let Some(pattern) = pattern {
                    let _ = to.send((plan, self.flow.runs(pattern, asked)));
                }
            }
        }
    }

    /// Takes a checkpoint. It is written on another thread.
    fn cut(&mut self, has_ended: bool) -> Result<(), JobError> {
        let Some(keeper) = &self.keeper else { return Ok(()) };
        self.last_cut = clock::now();
        let started = clock::started();
        let cut = self.flow.cut()?;
        self.meters.checkpoints.pause_us.set(micros(started.elapsed()));
        for (saved, progress) in self.sources.iter_mut().zip(&cut.progress) {
            saved.progress = progress.clone();
        }
        self.writer.put(self.flow.out())?;
        self.number += 1;
        let synced = self.writer.sync()?;
        keeper.keep(keeper::Order {
            number: self.number,
            taken: self.last_cut,
            plan: self.plan.clone(),
            sources: self.sources.clone(),
            engine: cut.engine,
            has_ended,
            figures: self.flow.figures(),
            synced,
        });
        self.is_cutting = true;
        Ok(())
    }

    /// Ends the job, or stops it where it is.
    fn end(mut self) -> Result<Report, JobError> {
        self.meters.stops();
        let has_ended = self.flow.has_ended();
        if has_ended {
            self.flow.finish()?;
        } else {
            self.flow.settle()?;
        }
        self.hand_out()?;
        self.cut(has_ended)?;
        self.keeper.map_or(Ok(()), Keeper::finish)?;
        let counts = self.writer.finish()?;
        info!(checkpoint = self.number, "{}", if has_ended { "all sources have ended" } else { "stopped" });
        let events = self.sources.into_iter().zip(self.flow.progress());
        let events = events.map(|(source, progress)| (source.name, progress.events)).collect();
        Ok(Report { events, counts, has_ended, checkpoint: Some(self.number).filter(|number| *number > 0) })
    }
}
