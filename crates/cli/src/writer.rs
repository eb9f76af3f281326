//! Writes what comes out, on the reader's thread or on one of its own.

use std::fmt::Display;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use ensue_engine::Outputs;
use ensue_io::{BadLine, Envelope};
use ensue_model::{Event, Match, Patterns, Row, StreamId, Timeout};
use ensue_runtime::event::Numbered;

use crate::failure::Failure;
use crate::feeds::Feed;
use crate::sinks::{Kind, Sinks};
use crate::summary::Counts;

/// What writes outputs.
pub(crate) enum Writer {
    Here(Box<Lines>),
    Apart(Apart),
}

/// A thread that writes.
pub(crate) struct Apart {
    orders: SyncSender<Order>,
    thread: JoinHandle<Result<Box<Lines>, Failure>>,
    /// Whether nobody reads any output any more.
    is_closed: Arc<AtomicBool>,
}

/// What the thread is told.
enum Order {
    Write(Outputs<Numbered>),
    Reject(StreamId, BadLine),
    Flush,
}

/// How many orders may wait until the reader waits.
const ORDERS_AHEAD: usize = 16;

impl Writer {
    /// Writes when it is told to.
    pub(crate) fn here(lines: Lines) -> Self {
        Writer::Here(Box::new(lines))
    }

    /// Writes on a thread of its own, while the caller goes on.
    pub(crate) fn apart(lines: Lines) -> Self {
        let (orders, incoming) = sync_channel(ORDERS_AHEAD);
        let is_closed = Arc::new(AtomicBool::new(false));
        let closed = is_closed.clone();
        let lines = Box::new(lines);
        let thread = std::thread::spawn(move || lines.carry_out(&incoming, &closed));
        Writer::Apart(Apart { orders, thread, is_closed })
    }

    /// Writes outputs, and leaves none.
    pub(crate) fn write(&mut self, outputs: &mut Outputs<Numbered>) -> Result<(), Failure> {
        match self {
            _ if outputs.is_empty() => Ok(()),
            Writer::Here(lines) => lines.write(outputs),
            Writer::Apart(apart) => apart.order(Order::Write(std::mem::take(outputs))),
        }
    }

    /// Writes a line of the input of a stream that is no event.
    pub(crate) fn reject(&mut self, stream: StreamId, bad: BadLine) -> Result<(), Failure> {
        match self {
            Writer::Here(lines) => lines.reject(stream, &bad),
            Writer::Apart(apart) => apart.order(Order::Reject(stream, bad)),
        }
    }

    /// Hands on what has been written.
    pub(crate) fn flush(&mut self) -> Result<(), Failure> {
        match self {
            Writer::Here(lines) => lines.sinks.flush(),
            Writer::Apart(apart) => apart.order(Order::Flush),
        }
    }

    /// Whether nobody reads any output any more.
    pub(crate) fn is_closed(&self) -> bool {
        match self {
            Writer::Here(lines) => lines.sinks.are_closed(),
            Writer::Apart(apart) => apart.is_closed.load(Ordering::Relaxed),
        }
    }

    /// Waits until all is written.
    ///
    /// # Errors
    /// If something could not be written.
    pub(crate) fn finish(self) -> Result<Box<Lines>, Failure> {
        match self {
            Writer::Here(mut lines) => {
                lines.sinks.flush()?;
                Ok(lines)
            }
            Writer::Apart(Apart { orders, thread, .. }) => {
                drop(orders);
                thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            }
        }
    }
}

impl Apart {
    /// An order to a thread that has failed is lost: [`Writer::finish`] says why it failed.
    fn order(&self, order: Order) -> Result<(), Failure> {
        if self.orders.send(order).is_err() {
            self.is_closed.store(true, Ordering::Relaxed);
        }
        Ok(())
    }
}

/// Outputs as lines in their sinks.
pub(crate) struct Lines {
    envelope: Envelope,
    sinks: Sinks,
    /// What came out; of the events and the faults it knows nothing.
    pub(crate) counts: Counts,
    origins: Origins,
    /// Whether the first that is rejected ends the run.
    is_strict: bool,
    /// The first that was rejected, where no sink takes them: a count alone does not say what is wrong.
    pub(crate) first_unseen: Option<String>,
}

/// Where the events of each stream come from, in words.
pub(crate) struct Origins {
    streams: Vec<String>,
    /// Whether nothing need be said of it, as there is one input.
    is_one: bool,
}

impl Origins {
    pub(crate) fn new(patterns: &Patterns, feeds: &[Feed]) -> Self {
        let streams = (0..).map(StreamId).zip(&patterns.streams).map(|(id, stream)| {
            let feed = feeds.iter().find(|feed| feed.stream == id).map(|feed| feed.input.name.clone());
            feed.unwrap_or_else(|| format!("a record `{}`", stream.name.as_deref().unwrap_or_default()))
        });
        Origins { streams: streams.collect(), is_one: patterns.streams.len() == 1 }
    }

    fn of(&self, stream: StreamId) -> &str {
        &self.streams[usize::from(stream.0)]
    }
}

impl Lines {
    pub(crate) fn new(envelope: Envelope, sinks: Sinks, origins: Origins, is_strict: bool) -> Self {
        Lines { envelope, sinks, counts: Counts::default(), origins, is_strict, first_unseen: None }
    }

    /// Whether outputs are shown on a terminal.
    pub(crate) fn on_terminal(&self) -> bool {
        self.sinks.on_terminal()
    }

    fn carry_out(mut self: Box<Self>, orders: &Receiver<Order>, is_closed: &AtomicBool) -> Result<Box<Self>, Failure> {
        for order in orders {
            match order {
                Order::Write(mut outputs) => self.write(&mut outputs)?,
                Order::Reject(stream, bad) => self.reject(stream, &bad)?,
                Order::Flush => self.sinks.flush()?,
            }
            is_closed.store(self.sinks.are_closed(), Ordering::Relaxed);
        }
        self.sinks.flush()?;
        Ok(self)
    }

    fn write(&mut self, outputs: &mut Outputs<Numbered>) -> Result<(), Failure> {
        for rejected in outputs.rejected.drain(..) {
            let Numbered { line, row } = &*rejected.event;
            match line {
                Some(line) => {
                    let raw = row.raw().as_bytes().to_vec();
                    self.reject(row.stream(), &BadLine { line: line.get(), reason: rejected.reason, raw })?;
                }
                None => self.reject_record(row, &rejected.reason)?,
            }
        }
        for late in outputs.late.drain(..) {
            self.counts.late += 1;
            self.sinks.write(Kind::Late, |line| self.envelope.write_late(&late.row, line))?;
        }
        self.write_matches_and_timeouts(outputs)
    }

    /// Writes matches and timeouts in the order of their times, in which each of them come. Time runs out before what
    /// happens at that time.
    fn write_matches_and_timeouts(&mut self, outputs: &mut Outputs<Numbered>) -> Result<(), Failure> {
        let mut matches = outputs.matches.drain(..).peekable();
        for timeout in outputs.timeouts.drain(..) {
            while let Some(matched) = matches.next_if(|matched| matched.at < timeout.deadline) {
                self.write_match(&matched)?;
            }
            self.write_timeout(&timeout)?;
        }
        matches.try_for_each(|matched| self.write_match(&matched))
    }

    fn write_match(&mut self, matched: &Match<Numbered>) -> Result<(), Failure> {
        self.counts.matches += 1;
        self.sinks.write(Kind::Match, |line| self.envelope.write_match(matched, line))
    }

    fn write_timeout(&mut self, timeout: &Timeout<Numbered>) -> Result<(), Failure> {
        self.counts.timeouts += 1;
        self.sinks.write(Kind::Timeout, |line| self.envelope.write_timeout(timeout, line))
    }

    fn reject(&mut self, stream: StreamId, bad: &BadLine) -> Result<(), Failure> {
        self.refuse(stream, bad, |envelope, line| {
            envelope.write_rejected(stream, bad.line, &bad.reason, &bad.raw, line)
        })
    }

    fn reject_record(&mut self, row: &Row, reason: &str) -> Result<(), Failure> {
        self.refuse(row.stream(), &reason, |envelope, line| envelope.write_rejected_record(row, reason, line))
    }

    /// Counts what is rejected, and writes it if anybody wants it.
    fn refuse(
        &mut self,
        stream: StreamId,
        what: &dyn Display,
        write: impl FnOnce(&Envelope, &mut Vec<u8>),
    ) -> Result<(), Failure> {
        let origin = self.origins.of(stream);
        if self.is_strict {
            return Err(Failure::Data(format!("{origin}, {what}; without --strict it would be passed over")));
        }
        self.counts.rejected += 1;
        if !self.sinks.wants(Kind::Rejected) && self.first_unseen.is_none() {
            let is_one = self.origins.is_one;
            self.first_unseen = Some(if is_one { what.to_string() } else { format!("{origin}, {what}") });
        }
        self.sinks.write(Kind::Rejected, |line| write(&self.envelope, line))
    }
}
