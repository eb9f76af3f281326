//! What the runs of a trial do: the reference matcher goes through it, and shows each step.
//!
//! So the engine has no word that only tests would need.

use std::ops::ControlFlow;

use ensue_engine::Watermarks;
use ensue_model::pattern::{Skip, StageId};
use ensue_model::{Key, Pattern, Tables, Timestamp};

use crate::arrivals::{Arrival, CaseRow};
use crate::outcome::{Held, Scribe, Taken};
use crate::reference::{self, Held as Positions, Item, Look, Passing, Sight, Step};
use crate::trial::Trial;

/// The most that may arrive in a trial that is watched.
pub(crate) const ARRIVALS_MAX: usize = 10_000;

/// How often runs may look at events in a trial that is watched; what comes behind is not shown.
const LOOKS_MAX: usize = 1_000_000;

/// What is seen of a run.
pub(crate) enum Seen {
    /// Stages take an event for the run.
    Taken(Vec<StageId>),
    /// It has taken an event, and waits.
    Waiting(Held),
    /// It has ended, and is no match: the run, and the event at which it was seen.
    Ended(Held, Taken),
}

/// Shows what runs of a pattern do. Nothing is where more than [`ARRIVALS_MAX`] arrive.
pub(crate) fn watch(trial: &Trial, mut see: impl FnMut(usize, Seen)) {
    if trial.arrivals.len() > ARRIVALS_MAX {
        return;
    }
    let mut watcher = Watcher { trial, came: 0, looks: 0 };
    let mut shown = |(pattern, key, events, step): Sight<'_, '_, CaseRow>| {
        if let Some(seen) = watcher.seen(pattern, Key::of(key), events, step) {
            see(pattern, seen);
        }
        if watcher.looks < LOOKS_MAX { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    };
    let items = items(trial);
    let tables = Tables::of(&trial.patterns.tables, trial.tables());
    reference::observe_all(&trial.patterns, &tables, &items, |pattern| passing(trial, pattern), &mut shown);
}

/// What arrives, with the watermarks that the events make, and that of the end.
fn items(trial: &Trial) -> Vec<Item<CaseRow>> {
    let mut items = Vec::with_capacity(2 * trial.arrivals.len());
    for (at, arrival) in trial.arrivals.iter().enumerate() {
        match arrival {
            Arrival::Event(event) => {
                let time = event.row.time;
                items.push(Item::Event(CaseRow { arrival: Some(at), row: event.row.clone() }));
                let through = match trial.config().watermarks {
                    Watermarks::Explicit | Watermarks::Steady => continue,
                    Watermarks::Ascending => time,
                    Watermarks::OutOfOrder(most) => time - most,
                };
                // An event with the same time as the latest is still in order.
                items.push(Item::Watermark(through.just_before()));
            }
            Arrival::Watermark(time) => items.push(Item::Watermark(*time)),
            Arrival::NoEvent(_) => {}
        }
    }
    items.push(Item::Watermark(Timestamp::MAX));
    items
}

/// As the engine lets time pass.
fn passing(trial: &Trial, pattern: &Pattern) -> Passing {
    match (trial.config().watermarks, pattern.skip) {
        (Watermarks::Explicit, _) | (_, Skip::None) => Passing::Together,
        (_, Skip::ToNext | Skip::PastLast | Skip::ToFirst(_) | Skip::ToLast(_)) => Passing::InTurn,
    }
}

struct Watcher<'t> {
    trial: &'t Trial,
    /// The position of the event that has come last.
    came: usize,
    looks: usize,
}

impl Watcher<'_> {
    fn seen(&mut self, pattern: usize, key: Key, events: &[Item<CaseRow>], step: Step<'_>) -> Option<Seen> {
        let held = |run: &Positions, awaiting| self.held(pattern, key.clone(), events, run, awaiting);
        match step {
            Step::Came { position } => {
                self.came = position;
                None
            }
            Step::Looked(look) => {
                let ended = has_ended(&look).then(|| Seen::Ended(held(&look.run, None), self.event(events)));
                self.looks += 1;
                ended.or_else(|| (!look.takes.is_empty()).then_some(Seen::Taken(look.takes)))
            }
            Step::Waits { run, waiting } => {
                let stages = waiting.stages.iter().map(|(stage, _)| self.stage(pattern, *stage)).collect();
                Some(Seen::Waiting(held(&run, Some(stages))))
            }
            Step::Skipped { run, .. } | Step::Displaced { run } => {
                Some(Seen::Ended(held(&run, None), self.event(events)))
            }
            // What came out tells it.
            Step::Closed { .. } | Step::Matched { .. } | Step::TimedOut { .. } => None,
        }
    }

    fn stage(&self, pattern: usize, stage: StageId) -> String {
        self.trial.patterns.patterns[pattern].stage_name(stage).to_owned()
    }

    fn held(
        &self,
        pattern: usize,
        key: Key,
        events: &[Item<CaseRow>],
        run: &Positions,
        awaiting: Option<Vec<String>>,
    ) -> Held {
        let taken: Vec<Taken> = run.iter().map(|(stage, position)| self.taken(*stage, *position, events)).collect();
        let at = taken.last().map_or(Timestamp::MIN, |last| last.time);
        Held { pattern, key, at, taken, awaiting }
    }

    fn taken(&self, stage: StageId, position: usize, events: &[Item<CaseRow>]) -> Taken {
        let scribe = Scribe { trial: self.trial, patterns: &self.trial.patterns };
        match &events[position] {
            Item::Event(event) => scribe.taken(stage, event),
            Item::Watermark(_) => unreachable!("only events are taken"),
        }
    }

    /// The event that has come last, which no stage has taken.
    fn event(&self, events: &[Item<CaseRow>]) -> Taken {
        self.taken(StageId(0), self.came, events)
    }
}

/// Whether the run ends with the event.
fn has_ended(look: &Look<'_>) -> bool {
    !look.run.is_empty() && look.takes.is_empty() && !look.passes && !look.completes
}
