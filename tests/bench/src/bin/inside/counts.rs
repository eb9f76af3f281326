//! How much came out.

use ensue::{Outputs, Row};
use ensue_bench::report::Report;
use ensue_bench::stopwatch::Took;

/// How much came out.
#[derive(Default)]
pub(crate) struct Counts {
    matches: usize,
    timeouts: usize,
    /// The events that matches hold.
    taken: usize,
}

impl Counts {
    /// Counts what came out, and forgets it.
    pub(crate) fn take(&mut self, out: &mut Outputs<Row>) {
        if !out.is_empty() {
            self.count(out);
            out.matches.clear();
            out.timeouts.clear();
            assert!(out.is_empty(), "a workload has no late events and none without a key");
        }
    }

    /// Counts what came out.
    pub(crate) fn count(&mut self, out: &Outputs<Row>) {
        self.matches += out.matches.len();
        self.timeouts += out.timeouts.len();
        self.taken += out.matches.iter().map(|found| found.run.events.len()).sum::<usize>();
    }

    /// That so many events took so long, and gave this.
    pub(crate) fn report(&self, events: usize, took: Took) -> Report {
        Report::of(events, took)
            .with("matches", self.matches as f64)
            .with("timeouts", self.timeouts as f64)
            .with("taken", self.taken as f64)
    }
}
