//! What a run says of itself on standard error: a bar while it reads, and a line at the end.

use std::fmt;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressFinish, ProgressStyle};

use crate::counted::counted;

/// What came in and what came out.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(crate) struct Counts {
    pub(crate) events: u64,
    pub(crate) matches: u64,
    pub(crate) timeouts: u64,
    pub(crate) late: u64,
    pub(crate) rejected: u64,
    /// Matches that came during a cooldown.
    pub(crate) kept_back: u64,
    /// Evaluations without a result: unlike types, overflow and the like.
    pub(crate) faults: u64,
}

/// The line at the end.
pub(crate) struct Summary {
    pub(crate) counts: Counts,
    pub(crate) took: Duration,
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Counts { events, matches, timeouts, late, rejected, kept_back, faults } = self.counts;
        write!(f, "{}: ", counted(events, "event"))?;
        write!(f, "{}, ", counted(matches, "match"))?;
        write!(f, "{}, ", counted(timeouts, "timeout"))?;
        write!(f, "{late} late, {rejected} rejected")?;
        if kept_back > 0 {
            write!(f, ", {kept_back} kept back by a cooldown")?;
        }
        if faults > 0 {
            write!(f, ", {}", counted(faults, "evaluation error"))?;
        }
        write!(f, " in {:.3} s", self.took.as_secs_f64())
    }
}

/// A bar over so many bytes, which is gone when the run is done or has failed.
pub(crate) fn progress_bar(bytes: u64) -> ProgressBar {
    let style =
        ProgressStyle::with_template("{bar:40} {percent:>3}%  {bytes} of {total_bytes}, {bytes_per_sec}, {eta}")
            .expect("the template is right: a test makes a bar with it");
    ProgressBar::new(bytes).with_style(style).with_finish(ProgressFinish::AndClear)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_summary_counts_in_words() {
        let counts = Counts { events: 4, matches: 1, timeouts: 2, late: 0, rejected: 3, ..Counts::default() };
        let took = Duration::from_micros(1_500);
        let summary = Summary { counts, took };
        assert_eq!(summary.to_string(), "4 events: 1 match, 2 timeouts, 0 late, 3 rejected in 0.002 s");
        let counts = Counts { events: 1, matches: 2, timeouts: 1, ..Counts::default() };
        let summary = Summary { counts, took };
        assert_eq!(summary.to_string(), "1 event: 2 matches, 1 timeout, 0 late, 0 rejected in 0.002 s");
    }

    #[test]
    fn a_summary_speaks_of_evaluation_errors_where_there_are_some() {
        let summary = |faults| Summary { counts: Counts { faults, ..Counts::default() }, took: Duration::ZERO };
        let nothing = "0 events: 0 matches, 0 timeouts, 0 late, 0 rejected";
        assert_eq!(summary(0).to_string(), format!("{nothing} in 0.000 s"));
        assert_eq!(summary(1).to_string(), format!("{nothing}, 1 evaluation error in 0.000 s"));
        assert_eq!(summary(2).to_string(), format!("{nothing}, 2 evaluation errors in 0.000 s"));
    }

    #[test]
    fn a_summary_speaks_of_what_cooldowns_kept_back() {
        let summary = Summary { counts: Counts { kept_back: 7, ..Counts::default() }, took: Duration::ZERO };
        let said = "0 events: 0 matches, 0 timeouts, 0 late, 0 rejected, 7 kept back by a cooldown in 0.000 s";
        assert_eq!(summary.to_string(), said);
    }

    #[test]
    fn a_bar_has_a_template_that_is_right() {
        assert_eq!(progress_bar(10).length(), Some(10));
    }
}
