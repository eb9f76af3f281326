//! What comes out of a job, as lines in its sinks.

use std::time::Duration;

use ensue_connect::{Error, Output, Position, Sink};
use ensue_io::Envelope;
use ensue_model::{StreamId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::job::flow::Outflow;
use crate::job::plan::Plan;
use crate::job::records::Bad;
use crate::lines::{Kind, Line, Run, Wanted};

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

impl Routes {
    /// What goes to a sink.
    pub fn wanted(&self) -> Wanted {
        let are_wanted = |routes: &[Vec<usize>]| routes.iter().map(|to| !to.is_empty()).collect();
        Wanted {
            matches: are_wanted(&self.matches),
            timeouts: are_wanted(&self.timeouts),
            late: !self.late.is_empty(),
            rejected: !self.rejected.is_empty(),
        }
    }
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

/// Puts the lines that come out into sinks.
pub(crate) struct Outlets {
    /// Writes what never came to a shard: lines that are no events.
    envelope: Envelope,
    routes: Routes,
    outlets: Vec<Outlet>,
    /// The stream of each source.
    streams: Vec<StreamId>,
    pub(crate) counts: Counts,
}

impl Outlets {
    pub(crate) fn new(plan: &Plan, outlets: Vec<Outlet>, counts: Counts) -> Self {
        let (envelope, routes, streams) = (plan.envelope(), plan.routes.clone(), plan.streams.clone());
        let mut made = Outlets { envelope, routes, outlets, streams, counts };
        made.count_by(plan);
        made
    }

    /// Takes what comes out of other patterns from now on.
    pub(crate) fn change(&mut self, plan: &Plan) {
        self.envelope = plan.envelope();
        self.routes = plan.routes.clone();
        self.streams.clone_from(&plan.streams);
        self.count_by(plan);
    }

    /// Counts what comes out of these patterns, on from what those of the same names have put out.
    fn count_by(&mut self, plan: &Plan) {
        let of_pattern = |name: &str| {
            let known = self.counts.patterns.iter().find(|known| known.name == name).cloned();
            known.unwrap_or_else(|| OfPattern { name: name.to_owned(), ..OfPattern::default() })
        };
        let patterns = plan.patterns.patterns.iter().map(|pattern| of_pattern(&pattern.name));
        self.counts.patterns = patterns.collect();
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
        let lines = std::mem::take(&mut out.lines);
        lines.runs().flat_map(Run::each).for_each(|(line, text)| self.put_line(line, text));
    }

    fn put_line(&mut self, line: &Line, text: &[u8]) {
        let Outlets { routes, outlets, counts, .. } = self;
        let to = match line.kind {
            Kind::Rejected(_) => {
                counts.rejected += 1;
                &routes.rejected
            }
            Kind::Late => {
                counts.late += 1;
                &routes.late
            }
            Kind::Timeout(pattern) => {
                counts.patterns[pattern].timeouts += 1;
                &routes.timeouts[pattern]
            }
            Kind::Match(pattern) => {
                counts.patterns[pattern].matches += 1;
                &routes.matches[pattern]
            }
        };
        put(Output { time: line.time, id: line.id, line: text }, to, outlets);
    }

    fn put_bad(&mut self, stream: StreamId, bad: &Bad) {
        self.counts.rejected += 1;
        let Bad { document, line } = bad;
        let reason = format!("{document}, {}", line.reason);
        let mut text = Vec::new();
        self.envelope.write_rejected(stream, line.line, &reason, &line.raw, &mut text);
        let output = Output { time: Timestamp::MIN, id: None, line: &text };
        put(output, &self.routes.rejected, &mut self.outlets);
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

/// Puts a line into sinks.
fn put(output: Output<'_>, to: &[usize], outlets: &mut [Outlet]) {
    for place in to {
        let outlet = &mut outlets[*place];
        outlet.sink.put(output);
        outlet.unflushed += output.line.len();
    }
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
