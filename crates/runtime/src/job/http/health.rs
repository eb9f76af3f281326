//! Whether a job does what it should, and if not, why.

use ensue_model::{Span, Timestamp};
use serde::Serialize;

use crate::job::http::written;
use crate::job::meters::{Meters, Trouble};

/// So long something may fail, or stand still, until the job counts as ill.
const PATIENCE: Span = Span::from_seconds(60);

/// What is said of a job's health.
#[derive(Debug, Serialize)]
pub(super) struct Health {
    job: String,
    status: &'static str,
    problems: Vec<Problem>,
}

/// Something that keeps a job from doing what it should.
#[derive(Debug, Serialize)]
struct Problem {
    what: String,
    since: String,
    reason: String,
}

impl Health {
    pub(super) fn of(meters: &Meters, now: Timestamp) -> Self {
        let long = |trouble: &Trouble| trouble.get().filter(|(since, _)| now - *since >= PATIENCE);
        let problem =
            |what: String, (since, reason): (Timestamp, String)| Problem { what, since: written(since), reason };
        let sources = meters
            .sources
            .iter()
            .filter_map(|source| Some(problem(format!("source {}", source.name), long(&source.trouble)?)));
        let sinks =
            meters.sinks.iter().filter_map(|sink| Some(problem(format!("sink {}", sink.name), long(&sink.trouble)?)));
        let checkpoint = long(&meters.checkpoints.trouble).map(|trouble| problem("checkpoint".to_owned(), trouble));
        let mut problems: Vec<Problem> = sources.chain(sinks).chain(checkpoint).collect();
        if let Some(turn) = meters.turn.get().filter(|turn| now - *turn >= PATIENCE) {
            let reason = "nothing is taken from the sources: the patterns or the sinks do not keep up".to_owned();
            problems.push(problem("progress".to_owned(), (turn, reason)));
        }
        let status = if problems.is_empty() { "ok" } else { "failing" };
        Health { job: meters.job.clone(), status, problems }
    }

    pub(super) fn is_ok(&self) -> bool {
        self.problems.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use ensue_engine::Limits;
    use ensue_model::{Patterns, Schema};

    use super::*;
    use crate::clock;

    #[test]
    fn what_fails_for_a_minute_makes_the_job_ill_until_it_works_again() {
        let meters = Meters::new(
            "shop",
            ["orders"],
            &Patterns::of_one_stream(Schema::open(), Vec::new()),
            ["out.jsonl"],
            Limits::default(),
        );
        let now = clock::now();
        meters.turn.set(now);
        meters.sinks[0].trouble.failed(&"the disk is full");
        assert!(Health::of(&meters, now).is_ok(), "it may be over soon");
        let later = now + Span::from_seconds(61);
        meters.turn.set(later);
        let health = Health::of(&meters, later);
        let [problem] = &health.problems[..] else { panic!("one sink fails: {health:?}") };
        assert_eq!((&*problem.what, &*problem.reason), ("sink out.jsonl", "the disk is full"));
        meters.sinks[0].trouble.is_over();
        assert!(Health::of(&meters, later).is_ok());
        let stuck = Health::of(&meters, later + Span::from_seconds(60));
        assert_eq!((stuck.status, &*stuck.problems[0].what), ("failing", "progress"));
    }
}
