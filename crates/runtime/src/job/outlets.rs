//! What comes out of a job, as lines in its sinks.

use std::time::Duration;

use ensue_connect::{Error, Output, Position, Sink};
use ensue_io::Envelope;
use ensue_model::hash::OutputIds;
use ensue_model::{Event, Match, StreamId, Timeout, Timestamp};
use serde::{Deserialize, Serialize};

use crate::event::Numbered;
use crate::job::flow::Outflow;
use crate::job::inlet::Bad;
use crate::job::plan::Plan;

/// So many bytes are put into a sink until it is asked to hand them on.
const FLUSH_BYTES: usize = 256 * 1024;

/// The pauses between attempts to write: each twice as long as the one before.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// What came out.
#[derive(Clone, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
pub struct Counts {
    /// By pattern, in their order.
    pub patterns: Vec<OfPattern>,
    /// Events that came too late.
    pub late: u64,
    /// Lines that are no events, and events without a key.
    pub rejected: u64,
}

/// What came out of a pattern.
#[derive(Clone, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
pub struct OfPattern {
    /// Its name.
    pub name: String,
    /// Matches.
    pub matches: u64,
    /// Timeouts.
    pub timeouts: u64,
}

/// Which sinks take what: places among the sinks.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Routes {
    /// The matches of each pattern.
    pub matches: Vec<Vec<usize>>,
    /// The timeouts of each pattern.
    pub timeouts: Vec<Vec<usize>>,
    /// Late events.
    pub late: Vec<usize>,
    /// Lines that are no events, and events without a key.
    pub rejected: Vec<usize>,
}

/// A sink with its name.
pub(crate) struct Outlet {
    pub(crate) name: String,
    pub(crate) sink: Box<dyn Sink>,
    /// How many bytes have been put since it was flushed.
    unflushed: usize,
}

impl Outlet {
    pub(crate) fn new(name: String, sink: Box<dyn Sink>) -> Self {
        Outlet { name, sink, unflushed: 0 }
    }
}

/// Writes what comes out.
pub(crate) struct Outlets {
    envelope: Envelope,
    /// For each pattern, the ids of its matches and of its timeouts.
    ids: Vec<[OutputIds; 2]>,
    routes: Routes,
    outlets: Vec<Outlet>,
    /// The stream of each source.
    streams: Vec<StreamId>,
    pub(crate) counts: Counts,
    line: Vec<u8>,
}

impl Outlets {
    pub(crate) fn new(plan: &Plan, outlets: Vec<Outlet>, counts: Counts) -> Self {
        let mut made = Outlets {
            envelope: plan.envelope(),
            ids: Vec::new(),
            routes: Routes::default(),
            outlets,
            streams: Vec::new(),
            counts,
            line: Vec::new(),
        };
        made.change(plan);
        made
    }

    /// Writes what comes out of other patterns from now on. What those of the same names have put out is counted on.
    pub(crate) fn change(&mut self, plan: &Plan) {
        let ids = |name: &str| ["match", "timeout"].map(|kind| OutputIds::new(kind, name));
        let patterns = || plan.patterns.patterns.iter().map(|pattern| &*pattern.name);
        let of_pattern = |name: &str| {
            let known = self.counts.patterns.iter().find(|known| known.name == name).cloned();
            known.unwrap_or_else(|| OfPattern { name: name.to_owned(), ..OfPattern::default() })
        };
        self.counts.patterns = patterns().map(of_pattern).collect();
        self.ids = patterns().map(ids).collect();
        self.envelope = plan.envelope();
        self.routes = plan.routes.clone();
        self.streams.clone_from(&plan.streams);
    }

    /// The names of the sinks.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.outlets.iter().map(|outlet| &*outlet.name)
    }

    /// Puts what has come out into its sinks.
    pub(crate) fn put(&mut self, out: &mut Outflow) {
        for (source, bad) in out.bad.drain(..) {
            self.put_bad(self.streams[source], &bad);
        }
        let outputs = &mut out.outputs;
        for rejected in outputs.rejected.drain(..) {
            self.put_rejected(&rejected.event, &rejected.reason);
        }
        for late in outputs.late.drain(..) {
            self.put_late(&late);
        }
        // In the order of their times. Time runs out before what happens at that time.
        let mut matches = outputs.matches.drain(..).peekable();
        for timeout in outputs.timeouts.drain(..) {
            while let Some(matched) = matches.next_if(|matched| matched.at < timeout.deadline) {
                self.put_match(&matched);
            }
            self.put_timeout(&timeout);
        }
        matches.for_each(|matched| self.put_match(&matched));
    }

    fn put_match(&mut self, matched: &Match<Numbered>) {
        let Outlets { envelope, ids, routes, outlets, counts, line, .. } = self;
        let pattern = matched.run.pattern;
        counts.patterns[pattern].matches += 1;
        envelope.write_match(matched, line);
        let id = Some(ids[pattern][0].id(&matched.run));
        put(line, matched.at, id, &routes.matches[pattern], outlets);
    }

    fn put_timeout(&mut self, timeout: &Timeout<Numbered>) {
        let Outlets { envelope, ids, routes, outlets, counts, line, .. } = self;
        let pattern = timeout.run.pattern;
        counts.patterns[pattern].timeouts += 1;
        envelope.write_timeout(timeout, line);
        let id = Some(ids[pattern][1].id(&timeout.run));
        put(line, timeout.deadline, id, &routes.timeouts[pattern], outlets);
    }

    fn put_late(&mut self, late: &Numbered) {
        self.counts.late += 1;
        self.envelope.write_late(&late.row, &mut self.line);
        put(&mut self.line, late.time(), None, &self.routes.late, &mut self.outlets);
    }

    fn put_bad(&mut self, stream: StreamId, bad: &Bad) {
        self.counts.rejected += 1;
        let Bad { document, line } = bad;
        let reason = format!("{document}, {}", line.reason);
        self.envelope.write_rejected(stream, line.line, &reason, &line.raw, &mut self.line);
        put(&mut self.line, Timestamp::MIN, None, &self.routes.rejected, &mut self.outlets);
    }

    fn put_rejected(&mut self, event: &Numbered, reason: &str) {
        self.counts.rejected += 1;
        let Numbered { line, row } = event;
        match line {
            Some(line) => {
                let raw = row.raw().as_bytes();
                self.envelope.write_rejected(row.stream(), line.get(), reason, raw, &mut self.line);
            }
            None => self.envelope.write_rejected_record(row, reason, &mut self.line),
        }
        put(&mut self.line, event.time(), None, &self.routes.rejected, &mut self.outlets);
    }

    /// Lets the sinks hand on what has been put: those that hold much, or all of them. A sink that fails is asked again, with
    /// growing pauses, as long as `goes_on` says so.
    ///
    /// # Errors
    /// The last error of a sink, if it was given up.
    pub(crate) fn flush(&mut self, all: bool, watch: &mut impl Watch) -> Result<(), Error> {
        let waiting = |outlet: &&mut Outlet| outlet.unflushed > if all { 0 } else { FLUSH_BYTES };
        for outlet in self.outlets.iter_mut().filter(waiting) {
            insist(&mut *outlet.sink, &outlet.name, watch, |sink| sink.flush())?;
            outlet.unflushed = 0;
        }
        Ok(())
    }

    /// Makes all that has been put safe. Gives the names of the sinks, and where each can be taken up again.
    ///
    /// # Errors
    /// As [`Outlets::flush`].
    pub(crate) fn sync(&mut self, watch: &mut impl Watch) -> Result<Vec<(String, Position)>, Error> {
        let mut positions = Vec::with_capacity(self.outlets.len());
        for outlet in &mut self.outlets {
            let position = insist(&mut *outlet.sink, &outlet.name, watch, |sink| sink.sync())?;
            outlet.unflushed = 0;
            positions.push((outlet.name.clone(), position));
        }
        Ok(positions)
    }
}

/// Puts a line into sinks, and clears it.
fn put(line: &mut Vec<u8>, time: Timestamp, id: Option<u128>, to: &[usize], outlets: &mut [Outlet]) {
    for place in to {
        let outlet = &mut outlets[*place];
        outlet.sink.put(Output { time, id, line });
        outlet.unflushed += line.len();
    }
    line.clear();
}

/// Who is told that a sink fails, and decides whether it is asked again.
pub(crate) trait Watch {
    /// A sink has failed. Waits for this pause until it is asked again; false if it will not be.
    fn failed(&mut self, sink: &str, error: &Error, pause: Duration) -> bool;

    /// A sink that had failed works again.
    fn recovered(&mut self, sink: &str);
}

/// Asks a sink until it has done it.
fn insist<T>(
    sink: &mut dyn Sink,
    name: &str,
    watch: &mut impl Watch,
    mut ask: impl FnMut(&mut dyn Sink) -> Result<T, Error>,
) -> Result<T, Error> {
    let mut pause = FIRST_PAUSE;
    loop {
        match ask(sink) {
            Ok(done) if pause == FIRST_PAUSE => return Ok(done),
            Ok(done) => {
                watch.recovered(name);
                return Ok(done);
            }
            Err(error) if error.is_final() || !watch.failed(name, &error, pause) => return Err(error),
            Err(_) => pause = LONGEST_PAUSE.min(pause * 2),
        }
    }
}
