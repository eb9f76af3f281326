//! Which runs are open after each event of a trial.
//!
//! An engine does not show its open runs. It is therefore saved after each event, and a copy is brought to the end of time:
//! what times out there was open. Slow, and without a word in the engine that only tests would need.
//!
//! Matches are seen too, also those that do not come out because of `emit none`, a condition or a cooldown.

use std::sync::Arc;

use ensue_engine::{Engine, Outputs};
use ensue_model::record::Emission;
use ensue_model::{Pattern, Patterns, Span, Timestamp};

use crate::arrivals::{Arrival, CaseRow};
use crate::outcome::{Held, Scribe};
use crate::trial::{Refusal, Trial, given_up};

/// The most that may arrive in a trial that is watched: the work grows with its square.
pub(crate) const ARRIVALS_MAX: usize = 1_000;

/// A window that no case reaches the end of: 100,000 years.
const FOREVER: Span = Span::from_seconds(100_000 * 365 * 24 * 3_600);

/// What is seen after something has arrived.
pub(crate) struct Moment {
    /// Where it is among what arrives.
    pub(crate) at: usize,
    /// The runs that are open.
    pub(crate) open: Vec<Held>,
    /// The matches that it has brought.
    pub(crate) matched: Vec<Held>,
}

/// Shows what is seen after each arrival. Nothing is where more than [`ARRIVALS_MAX`] arrive.
pub(crate) fn watch(trial: &Trial, mut see: impl FnMut(Moment)) -> Result<(), Refusal> {
    if trial.arrivals.len() > ARRIVALS_MAX {
        return Ok(());
    }
    let (running, ended) = (Arc::new(running(&trial.patterns)), Arc::new(ended(&trial.patterns)));
    let mut engine = trial.engine(&running)?;
    let mut now = Timestamp::MIN;
    for at in 0..trial.arrivals.len() {
        let mut out = Outputs::new();
        trial.give(at, &mut engine, &mut out)?;
        let matched = matched(trial, &running, &out);
        now = now.max(time_of(&trial.arrivals[at]));
        let bytes = engine.snapshot().map_err(given_up)?;
        let mut copy = Engine::restore(&ended, trial.config(), &bytes).map_err(given_up)?;
        trial.set_tables(&mut copy);
        let mut out = Outputs::new();
        copy.finish(&mut out).map_err(given_up)?;
        see(Moment { at, open: open(trial, &ended, &out, now), matched });
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

fn matched(trial: &Trial, patterns: &Patterns, out: &Outputs<CaseRow>) -> Vec<Held> {
    let scribe = Scribe { trial, patterns };
    out.matches.iter().map(|found| scribe.held(&found.run, found.at, None)).collect()
}

/// What timed out in the copy and was open before. Runs over records that only the end of time has brought were not.
fn open(trial: &Trial, patterns: &Patterns, out: &Outputs<CaseRow>, now: Timestamp) -> Vec<Held> {
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

/// The patterns with a window each, and with their timeouts, so that the runs that an engine saves can time out; and with
/// all their matches. What other patterns read stays as it is.
fn running(patterns: &Patterns) -> Patterns {
    let pattern = |pattern: &Pattern| Pattern {
        within: Some(pattern.within.unwrap_or(FOREVER)),
        cooldown: pattern.cooldown.filter(|_| is_read(&pattern.emit)),
        emit: seen(&pattern.emit),
        timeout: seen(&pattern.timeout),
        ..pattern.clone()
    };
    Patterns { patterns: patterns.patterns.iter().map(pattern).collect(), ..patterns.clone() }
}

fn seen(emission: &Emission) -> Emission {
    if is_read(emission) { emission.clone() } else { Emission::Events }
}

/// Whether a pattern reads what comes out so.
fn is_read(emission: &Emission) -> bool {
    emission.record().is_some_and(|record| record.stream.is_some())
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
