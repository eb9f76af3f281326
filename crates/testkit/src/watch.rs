//! Which runs are open after each event of a trial.
//!
//! An engine does not show its open runs. It is therefore saved after each event, and a copy is brought to the end of time:
//! what times out there was open. Slow, and without a word in the engine that only tests would need.

use std::sync::Arc;

use ensue_engine::{Engine, Outputs};
use ensue_model::record::{Emission, Record};
use ensue_model::{Pattern, Patterns, Span, Timestamp};

use crate::arrivals::Arrival;
use crate::outcome::{Held, Scribe};
use crate::trial::{Refusal, Trial, given_up};

/// The most that may arrive in a trial that is watched: the work grows with its square.
pub(crate) const ARRIVALS_MAX: usize = 1_000;

/// A window that no case reaches the end of: 100,000 years.
const FOREVER: Span = Span::from_seconds(100_000 * 365 * 24 * 3_600);

/// Shows after what arrives at a place the runs that are open then. Nothing is shown where more than [`ARRIVALS_MAX`] arrive.
pub(crate) fn watch(trial: &Trial, mut see: impl FnMut(usize, Vec<Held>)) -> Result<(), Refusal> {
    if trial.arrivals.len() > ARRIVALS_MAX {
        return Ok(());
    }
    let (running, ended) = (Arc::new(running(&trial.patterns)), Arc::new(ended(&trial.patterns)));
    let mut engine = trial.engine(&running)?;
    let mut now = Timestamp::MIN;
    for at in 0..trial.arrivals.len() {
        trial.give(at, &mut engine, &mut Outputs::new())?;
        now = now.max(time_of(&trial.arrivals[at]));
        let bytes = engine.snapshot().map_err(given_up)?;
        let mut copy = Engine::restore(&ended, trial.config(), &bytes).map_err(given_up)?;
        trial.set_tables(&mut copy);
        let mut out = Outputs::new();
        copy.finish(&mut out).map_err(given_up)?;
        see(at, open(trial, &ended, &out, now));
    }
    Ok(())
}

fn time_of(arrival: &Arrival) -> Timestamp {
    match arrival {
        Arrival::Event(event) => event.row.time,
        Arrival::Watermark(time) => *time,
        Arrival::NoEvent(_) => Timestamp::MIN,
    }
}

/// What timed out in the copy and was open before. Runs over records that only the end of time has brought were not.
fn open(trial: &Trial, patterns: &Patterns, out: &Outputs<crate::arrivals::CaseRow>, now: Timestamp) -> Vec<Held> {
    let scribe = Scribe { trial, patterns };
    let names = |pattern: usize, awaiting: &[ensue_model::pattern::StageId]| {
        awaiting.iter().map(|stage| patterns.patterns[pattern].stage_name(*stage).to_owned()).collect()
    };
    let held = out
        .timeouts
        .iter()
        .map(|lapsed| scribe.held(&lapsed.run, lapsed.deadline, Some(names(lapsed.run.pattern, &lapsed.awaiting))));
    held.filter(|held| held.taken.iter().all(|taken| taken.arrival.is_some() || taken.time < now)).collect()
}

/// The patterns with a window each, and with their timeouts, so that the runs that an engine saves can time out.
fn running(patterns: &Patterns) -> Patterns {
    let pattern = |pattern: &Pattern| Pattern {
        within: Some(pattern.within.unwrap_or(FOREVER)),
        timeout: match &pattern.timeout {
            Emission::Record(Record { stream: Some(_), .. }) => pattern.timeout.clone(),
            Emission::Events | Emission::Nothing | Emission::Record(_) => Emission::Events,
        },
        ..pattern.clone()
    };
    Patterns { patterns: patterns.patterns.iter().map(pattern).collect(), ..patterns.clone() }
}

/// The same, of which all timeouts come out.
fn ended(patterns: &Patterns) -> Patterns {
    let mut patterns = running(patterns);
    for pattern in &mut patterns.patterns {
        if let Emission::Record(record) = &mut pattern.timeout {
            record.condition = None;
        }
    }
    patterns
}
