//! The thread that drives a job: takes what the sources give through the flow, hands out what comes of it, takes checkpoints, and
//! looks at what has changed meanwhile.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use ensue_engine::Config;
use ensue_io::Layout;
use ensue_model::{Span, Timestamp};
use tracing::{info, warn};

use crate::clock;
use crate::job::changing::Changing;
use crate::job::checkpoint::SavedSource;
use crate::job::flow::Flow;
use crate::job::http::figures::Figures;
use crate::job::http::{Question, Server};
use crate::job::inlet::{Batch, Decoding, Given, Inlet};
use crate::job::keeper::{self, Keeper, Stored};
use crate::job::meters::{Meters, micros};
use crate::job::plan::{Plan, Planner};
use crate::job::renewal::Renewal;
use crate::job::rules::Rules;
use crate::job::threads::{Listener, Message, Writer};
use crate::job::watch::WatchedFiles;
use crate::job::{Control, JobError, OnChange, Report, Running, TableFile};

/// How long the job waits for something to happen until it looks at the clock.
const TICK: Duration = Duration::from_millis(100);

/// So long a source may hold time back until that is said, and then again.
const STUCK: Span = Span::from_seconds(30);

/// The time from one line of the log that says how the job goes to the next.
const TELLING: Span = Span::from_seconds(30);

/// How long the shards are waited for when that is said.
const TELLING_PATIENCE: Duration = Duration::from_secs(1);

/// The thread that drives a job, with the ends of what leads to the others.
pub(crate) struct Drive {
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
    pub(crate) fn start(running: Running, control: &Arc<Control>) -> Self {
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

    pub(crate) fn run(mut self) -> Result<Report, JobError> {
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
            self.look_at_tables()?;
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
    fn look_at_tables(&mut self) -> Result<(), JobError> {
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
        let records = batch.records.map(|record| renewal.of_decoded(record)).collect();
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
                self.meters.sources[source].unreadable.add(batch.records.bad());
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
            while !self.flow.finish_some()? {
                self.hand_out()?;
            }
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
