//! Writes what comes out, on the reader's thread or on one of its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use ensue_io::{BadLine, Envelope};
use ensue_model::{Patterns, StreamId};
use ensue_runtime::lines::{self, Line, Lines};

use crate::failure::Failure;
use crate::feeds::Feed;
use crate::sinks::{Kind, Sinks};
use crate::summary::Counts;

/// What puts outputs into sinks.
pub(crate) enum Writer {
    Here(Box<WayOut>),
    Apart(Apart),
}

/// A thread that writes.
pub(crate) struct Apart {
    orders: SyncSender<Order>,
    thread: JoinHandle<Result<Box<WayOut>, Failure>>,
    /// Whether nobody reads any output any more.
    is_closed: Arc<AtomicBool>,
}

/// What the thread is told.
enum Order {
    Write(Lines),
    Reject(StreamId, BadLine),
    Flush,
}

/// How many orders may wait until the reader waits.
const ORDERS_AHEAD: usize = 16;

impl Writer {
    /// Writes when it is told to.
    pub(crate) fn here(way_out: WayOut) -> Self {
        Writer::Here(Box::new(way_out))
    }

    /// Writes on a thread of its own, while the caller goes on.
    pub(crate) fn apart(way_out: WayOut) -> Self {
        let (orders, incoming) = sync_channel(ORDERS_AHEAD);
        let is_closed = Arc::new(AtomicBool::new(false));
        let closed = is_closed.clone();
        let way_out = Box::new(way_out);
        let thread = std::thread::spawn(move || way_out.carry_out(&incoming, &closed));
        Writer::Apart(Apart { orders, thread, is_closed })
    }

    /// Writes lines, and leaves none.
    #[inline]
    pub(crate) fn write(&mut self, lines: &mut Lines) -> Result<(), Failure> {
        match self {
            _ if lines.is_empty() => Ok(()),
            Writer::Here(way_out) => {
                let written = way_out.write(lines);
                lines.clear();
                written
            }
            Writer::Apart(apart) => apart.order(Order::Write(std::mem::take(lines))),
        }
    }

    /// Writes a line of the input of a stream that is no event.
    pub(crate) fn reject(&mut self, stream: StreamId, bad: BadLine) -> Result<(), Failure> {
        match self {
            Writer::Here(way_out) => way_out.reject(stream, &bad),
            Writer::Apart(apart) => apart.order(Order::Reject(stream, bad)),
        }
    }

    /// Hands on what has been written.
    pub(crate) fn flush(&mut self) -> Result<(), Failure> {
        match self {
            Writer::Here(way_out) => way_out.sinks.flush(),
            Writer::Apart(apart) => apart.order(Order::Flush),
        }
    }

    /// Whether nobody reads any output any more.
    pub(crate) fn is_closed(&self) -> bool {
        match self {
            Writer::Here(way_out) => way_out.sinks.are_closed(),
            Writer::Apart(apart) => apart.is_closed.load(Ordering::Relaxed),
        }
    }

    /// Waits until all is written.
    ///
    /// # Errors
    /// If something could not be written.
    pub(crate) fn finish(self) -> Result<Box<WayOut>, Failure> {
        match self {
            Writer::Here(mut way_out) => {
                way_out.sinks.flush()?;
                Ok(way_out)
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

/// The way of lines to their sinks.
pub(crate) struct WayOut {
    /// Writes the lines that are no events.
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

impl WayOut {
    pub(crate) fn new(envelope: Envelope, sinks: Sinks, origins: Origins, is_strict: bool) -> Self {
        WayOut { envelope, sinks, counts: Counts::default(), origins, is_strict, first_unseen: None }
    }

    /// Whether outputs are shown on a terminal.
    pub(crate) fn on_terminal(&self) -> bool {
        self.sinks.on_terminal()
    }

    fn carry_out(mut self: Box<Self>, orders: &Receiver<Order>, is_closed: &AtomicBool) -> Result<Box<Self>, Failure> {
        for order in orders {
            match order {
                Order::Write(lines) => self.write(&lines)?,
                Order::Reject(stream, bad) => self.reject(stream, &bad)?,
                Order::Flush => self.sinks.flush()?,
            }
            is_closed.store(self.sinks.are_closed(), Ordering::Relaxed);
        }
        self.sinks.flush()?;
        Ok(self)
    }

    fn write(&mut self, lines: &Lines) -> Result<(), Failure> {
        let are_alike = |a: &Line, b: &Line| Kind::of(a) == Kind::of(b);
        for run in lines.runs().flat_map(|run| run.split(are_alike)) {
            let kind = Kind::of(&run.lines[0]);
            for line in run.lines {
                self.count(line)?;
            }
            self.sinks.write(kind, run.text)?;
        }
        Ok(())
    }

    fn count(&mut self, line: &Line) -> Result<(), Failure> {
        let counted = match &line.kind {
            lines::Kind::Match(_) => &mut self.counts.matches,
            lines::Kind::Timeout(_) => &mut self.counts.timeouts,
            lines::Kind::Late => &mut self.counts.late,
            lines::Kind::Rejected(refusal) => return self.refuse(refusal.stream, &refusal.what),
        };
        *counted += 1;
        Ok(())
    }

    fn reject(&mut self, stream: StreamId, bad: &BadLine) -> Result<(), Failure> {
        self.refuse(stream, &bad.to_string())?;
        let mut text = Vec::new();
        self.envelope.write_rejected(stream, bad.line, &bad.reason, &bad.raw, &mut text);
        self.sinks.write(Kind::Rejected, &text)
    }

    /// Counts what is rejected.
    fn refuse(&mut self, stream: StreamId, what: &str) -> Result<(), Failure> {
        let origin = self.origins.of(stream);
        if self.is_strict {
            return Err(Failure::Data(format!("{origin}, {what}; without --strict it would be passed over")));
        }
        self.counts.rejected += 1;
        if !self.sinks.wants(Kind::Rejected) && self.first_unseen.is_none() {
            let is_one = self.origins.is_one;
            self.first_unseen = Some(if is_one { what.to_owned() } else { format!("{origin}, {what}") });
        }
        Ok(())
    }
}
