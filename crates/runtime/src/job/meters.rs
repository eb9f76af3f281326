//! What a running job has counted: its threads write, once for a batch or for a turn, and whoever asks reads. Nobody waits.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use ensue_engine::Limits;
use ensue_model::{Pattern, Patterns, Timestamp};
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};

use crate::clock;
use crate::job::keeper::Stored;
use crate::job::outlets::Counts;

/// The meters of a job.
#[derive(Debug)]
pub(crate) struct Meters {
    /// The name of the job.
    pub(crate) job: String,
    pub(crate) sources: Vec<OfSource>,
    patterns: RwLock<Arc<[OfPattern]>>,
    /// Since when the files of the patterns say what cannot be taken up, and why not.
    refused: Mutex<Option<(Timestamp, String)>>,
    pub(crate) sinks: Vec<OfSink>,
    pub(crate) late: Count,
    /// Lines that are no events, and events that no pattern could take in.
    pub(crate) rejected: Count,
    pub(crate) checkpoints: OfCheckpoints,
    /// The time from reading a batch until all of it has been taken, and what came out of that handed to the sinks.
    pub(crate) latency: Histogram,
    pub(crate) limits: Limits,
    /// When the thread that drives the job last came round.
    pub(crate) turn: Moment,
    /// Where event time is.
    pub(crate) watermark: Moment,
    /// The source that holds time back; none is beyond all sources.
    holder: AtomicUsize,
    is_stopping: AtomicBool,
}

/// A number that only grows.
#[derive(Debug, Default)]
pub(crate) struct Count(AtomicU64);

impl Count {
    pub(crate) fn add(&self, more: u64) {
        self.0.fetch_add(more, Relaxed);
    }

    pub(crate) fn set(&self, count: u64) {
        self.0.store(count, Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

/// A point in time; none is [`Timestamp::MIN`].
#[derive(Debug)]
pub(crate) struct Moment(AtomicI64);

impl Default for Moment {
    fn default() -> Self {
        Moment(AtomicI64::new(Timestamp::MIN.as_micros()))
    }
}

impl Moment {
    pub(crate) fn set(&self, time: Timestamp) {
        self.0.store(time.as_micros(), Relaxed);
    }

    pub(crate) fn get(&self) -> Option<Timestamp> {
        Some(Timestamp::from_micros(self.0.load(Relaxed))).filter(|time| *time > Timestamp::MIN)
    }
}

/// Something that is tried again when it fails.
#[derive(Debug, Default)]
pub(crate) struct Trouble {
    pub(crate) retries: Count,
    /// Since when it fails, and with what.
    failing: Mutex<Option<(Timestamp, String)>>,
}

impl Trouble {
    /// It has failed once more.
    pub(crate) fn failed(&self, reason: &impl fmt::Display) {
        self.retries.add(1);
        let mut failing = self.failing.lock().unwrap_or_else(PoisonError::into_inner);
        let since = failing.as_ref().map_or_else(clock::now, |(since, _)| *since);
        *failing = Some((since, reason.to_string()));
    }

    /// It works, or does so again.
    pub(crate) fn is_over(&self) {
        *self.failing.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Since when it fails, and with what.
    pub(crate) fn get(&self) -> Option<(Timestamp, String)> {
        self.failing.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Of a source.
#[derive(Debug, Default)]
pub(crate) struct OfSource {
    pub(crate) name: String,
    /// Events that have been taken.
    pub(crate) events: Count,
    /// Lines that are no events.
    pub(crate) unreadable: Count,
    /// Where its time is, by its own events.
    pub(crate) watermark: Moment,
    pub(crate) trouble: Trouble,
}

/// Of a pattern.
#[derive(Debug, Default)]
pub(crate) struct OfPattern {
    pub(crate) name: String,
    /// The names of the parts of its key.
    pub(crate) key: Vec<String>,
    pub(crate) matches: Count,
    pub(crate) timeouts: Count,
}

impl OfPattern {
    fn new(pattern: &Pattern) -> Self {
        let (name, key) = (pattern.name.clone(), pattern.key.names.clone());
        OfPattern { name, key, ..OfPattern::default() }
    }
}

/// Of a sink.
#[derive(Debug, Default)]
pub(crate) struct OfSink {
    pub(crate) name: String,
    pub(crate) trouble: Trouble,
}

/// Of checkpoints.
#[derive(Debug, Default)]
pub(crate) struct OfCheckpoints {
    /// The number of the newest.
    pub(crate) number: Count,
    pub(crate) bytes: Count,
    /// For how long the stream stood still when the last was cut, in microseconds.
    pub(crate) pause_us: Count,
    /// How long it took to write the newest, in microseconds.
    pub(crate) took_us: Count,
    /// When the newest was written.
    pub(crate) written: Moment,
    pub(crate) trouble: Trouble,
}

impl Meters {
    pub(crate) fn new<'n>(
        job: &str,
        sources: impl IntoIterator<Item = &'n str>,
        patterns: &Patterns,
        sinks: impl IntoIterator<Item = &'n str>,
        limits: Limits,
    ) -> Self {
        let source = |name: &str| OfSource { name: name.to_owned(), ..OfSource::default() };
        let sink = |name: &str| OfSink { name: name.to_owned(), ..OfSink::default() };
        Meters {
            job: job.to_owned(),
            sources: sources.into_iter().map(source).collect(),
            patterns: RwLock::new(patterns.patterns.iter().map(OfPattern::new).collect()),
            refused: Mutex::default(),
            sinks: sinks.into_iter().map(sink).collect(),
            late: Count::default(),
            rejected: Count::default(),
            checkpoints: OfCheckpoints::default(),
            // From 0.1 ms to 52 s.
            latency: Histogram::new(exponential_buckets(0.0001, 2.0, 20)),
            limits,
            turn: Moment::default(),
            watermark: Moment::default(),
            holder: AtomicUsize::new(usize::MAX),
            is_stopping: AtomicBool::new(false),
        }
    }

    /// Takes note of what has come out since the job first began.
    pub(crate) fn came_out(&self, counts: &Counts) {
        for (meter, counts) in self.patterns().iter().zip(&counts.patterns) {
            meter.matches.set(counts.matches);
            meter.timeouts.set(counts.timeouts);
        }
        self.late.set(counts.late);
        self.rejected.set(counts.rejected);
    }

    /// The patterns that run, in their order.
    pub(crate) fn patterns(&self) -> Arc<[OfPattern]> {
        self.patterns.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Other patterns run from now on.
    pub(crate) fn change(&self, patterns: &Patterns) {
        let patterns = patterns.patterns.iter().map(OfPattern::new).collect();
        *self.patterns.write().unwrap_or_else(PoisonError::into_inner) = patterns;
    }

    /// Takes note of whether the files of the patterns say what cannot be taken up.
    pub(crate) fn set_refused(&self, reason: Option<String>) {
        let refused = reason.map(|reason| (clock::now(), reason));
        *self.refused.lock().unwrap_or_else(PoisonError::into_inner) = refused;
    }

    /// Since when the files of the patterns say what cannot be taken up, and why not.
    pub(crate) fn refused(&self) -> Option<(Timestamp, String)> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn set_holder(&self, source: Option<usize>) {
        self.holder.store(source.unwrap_or(usize::MAX), Relaxed);
    }

    /// The source that holds time back.
    pub(crate) fn holder(&self) -> Option<&OfSource> {
        self.sources.get(self.holder.load(Relaxed))
    }

    pub(crate) fn sink(&self, name: &str) -> Option<&OfSink> {
        self.sinks.iter().find(|sink| sink.name == name)
    }

    /// Takes note of a checkpoint that has been written.
    pub(crate) fn stored(&self, stored: &Stored) {
        let Stored { number, bytes, took } = *stored;
        let OfCheckpoints { number: newest, bytes: size, took_us, written, trouble, .. } = &self.checkpoints;
        newest.set(number);
        size.set(bytes);
        took_us.set(micros(took));
        written.set(clock::now());
        trouble.is_over();
    }

    pub(crate) fn stops(&self) {
        self.is_stopping.store(true, Relaxed);
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.is_stopping.load(Relaxed)
    }
}

/// A duration in microseconds.
pub(crate) fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
