//! Why an expected match did not come, as far as it can be said.

use std::sync::Arc;

use ensue_model::pattern::{Active, Keep, Sequence, Skip, StageId, Step, Term};
use ensue_model::record::Emission;
use ensue_model::{Key, Pattern, Patterns, Timestamp};

use crate::arrivals::Arrived;
use crate::case_file::{single_blanks, split_pattern};
use crate::expectation::{Expectation, place_of};
use crate::outcome::{Held, Outcome, Output, Taken, plain, stages};
use crate::trial::{Refusal, Trial};
use crate::watch::{self, Seen};

/// The sentences that say why.
///
/// # Errors
/// If the engine reaches a limit.
pub(crate) fn reasons(
    trial: &Trial,
    expectation: &Expectation<'_>,
    key: Option<&Key>,
    outcome: &Outcome,
) -> Result<Vec<String>, Refusal> {
    let unknown = unknown_names(trial, expectation);
    if !unknown.is_empty() {
        return Ok(unknown);
    }
    if let Some(came) = as_it_came(trial, expectation, outcome) {
        return Ok(vec![format!("it came, as `{}`", single_blanks(split_pattern(&came.text).1))]);
    }
    let mut reasons = Vec::new();
    for (clause, pattern) in without_a_clause(&trial.patterns.patterns[expectation.pattern]) {
        if comes_with(trial, expectation, pattern)? {
            reasons.push(format!("without {clause} it would have come"));
        }
    }
    let Some(key) = key else { return Ok(reasons) };
    match furthest(trial, expectation, key, outcome) {
        // A clause that is to blame says more than how the run ended, unless its time was over.
        Some(furthest) if reasons.is_empty() || timeout_of(&furthest.run, outcome).is_some() => {
            reasons.push(furthest.said(trial, &wanted(trial, expectation), outcome));
        }
        None if reasons.is_empty() && trial.arrivals.len() <= watch::ARRIVALS_MAX => {
            reasons.push(unbegun(trial, expectation));
        }
        Some(_) | None => {}
    }
    Ok(reasons)
}

/// The stages and events that a line names and that there are not.
fn unknown_names(trial: &Trial, expectation: &Expectation<'_>) -> Vec<String> {
    let pattern = &trial.patterns.patterns[expectation.pattern];
    let mut unknown = Vec::new();
    for (stage, names) in expectation.stages.iter().flatten() {
        if pattern.stage(stage).is_none() {
            unknown.push(format!("pattern `{}` has no stage `{stage}`", pattern.name));
        }
        // A record that another pattern emits is named by its time.
        let missing = names.iter().filter(|name| !name.contains('@') && place_of(name, trial).is_none());
        unknown.extend(missing.map(|name| format!("no event is called `{name}`")));
    }
    unknown
}

/// The pattern without each of the clauses that keep matches from coming, and how a pattern writes the clause.
pub(crate) fn without_a_clause(pattern: &Pattern) -> Vec<(String, Pattern)> {
    let mut without = Vec::new();
    let mut lift = |clause: String, lifted: Pattern| without.push((clause, lifted));
    if let Some(within) = pattern.within {
        lift(format!("`within {within}`"), Pattern { within: None, ..pattern.clone() });
    }
    if let Some(within) = pattern.within_events {
        lift(format!("`within {within} events`"), Pattern { within_events: None, ..pattern.clone() });
    }
    let mut sequence = pattern.sequence.clone();
    if open_steps(&mut sequence) {
        lift("the windows of its steps".to_owned(), Pattern { sequence, ..pattern.clone() });
    }
    match pattern.skip {
        Skip::None => {}
        Skip::ToNext | Skip::PastLast | Skip::ToFirst(_) | Skip::ToLast(_) => {
            lift(
                "its `skip`, by which one match makes others void,".to_owned(),
                Pattern { skip: Skip::None, ..pattern.clone() },
            );
        }
    }
    match pattern.keep {
        Keep::All => {}
        Keep::First => lift("`keep first`".to_owned(), Pattern { keep: Keep::All, ..pattern.clone() }),
        Keep::Latest => lift("`keep latest`".to_owned(), Pattern { keep: Keep::All, ..pattern.clone() }),
    }
    if let Some(cooldown) = pattern.cooldown {
        lift(format!("`cooldown {cooldown}`"), Pattern { cooldown: None, ..pattern.clone() });
    }
    if pattern.active != Active::default() {
        lift("its `active`".to_owned(), Pattern { active: Active::default(), ..pattern.clone() });
    }
    if let Emission::Record(record) = &pattern.emit
        && record.condition.is_some()
    {
        let emit = Emission::Record(ensue_model::Record { condition: None, ..record.clone() });
        lift("the `where` of its `emit`".to_owned(), Pattern { emit, ..pattern.clone() });
    }
    if pattern.emit == Emission::Nothing {
        lift("`emit none`".to_owned(), Pattern { emit: Emission::Events, ..pattern.clone() });
    }
    without
}

/// Takes the windows of steps away; gives whether there was one. An absence at the end needs its own.
fn open_steps(sequence: &mut Sequence) -> bool {
    let mut found = false;
    let absence = |step: &Step| step.is_negated();
    for step in sequence.steps.iter_mut().filter(|step| !absence(step)) {
        found |= step.within.take().is_some();
        found |= match &mut step.term {
            Term::Stage(..) => false,
            Term::Group(inner) => open_steps(inner),
            Term::Either(parts) | Term::All { parts, .. } => parts.iter_mut().map(open_steps).fold(false, |a, b| a | b),
        };
    }
    found
}

/// Whether the match comes with another pattern in place of its own: one that holds the events that are named, or one that is
/// written the same.
fn comes_with(trial: &Trial, expectation: &Expectation<'_>, lifted: Pattern) -> Result<bool, Refusal> {
    let mut patterns = Patterns::clone(&trial.patterns);
    patterns.patterns[expectation.pattern] = lifted;
    match trial.run_with(&Arc::new(patterns)) {
        Ok(outcome) => Ok(as_it_came(trial, expectation, &outcome).is_some()),
        // Without its window an absence never ends: such a pattern is none.
        Err(Refusal::Engine(_)) => Ok(false),
        Err(refused) => Err(refused),
    }
}

/// The match that is expected, among those that came, perhaps written in another way.
fn as_it_came<'o>(trial: &Trial, expectation: &Expectation<'_>, outcome: &'o Outcome) -> Option<&'o Output> {
    let expected = plain(&expectation.line.text, &trial.patterns);
    let wanted = wanted(trial, expectation);
    let holds = |held: &Held| {
        let is_wanted = |taken: &Taken| wanted.contains(&(taken.stage, taken.name.clone()));
        let is_whole = !wanted.is_empty() && held.taken.len() == wanted.len() && held.taken.iter().all(is_wanted);
        held.pattern == expectation.pattern && held.awaiting.is_none() && is_whole
    };
    outcome.outputs.iter().find(|it| single_blanks(&it.text) == expected || it.held.as_ref().is_some_and(holds))
}

/// A stage and the name of an event that it should take.
type Wanted = (StageId, String);

/// The run that came furthest on the way to a match.
struct Furthest {
    run: Held,
    /// The event that ended it, if one did.
    ended_by: Option<Taken>,
}

/// Of the runs of a key that hold nothing but expected events, or of all if no events are named, the one with most events.
fn furthest(trial: &Trial, expectation: &Expectation<'_>, key: &Key, outcome: &Outcome) -> Option<Furthest> {
    let wanted = wanted(trial, expectation);
    let fits = |run: &Held| {
        let is_wanted = |taken: &Taken| wanted.contains(&(taken.stage, taken.name.clone()));
        run.pattern == expectation.pattern && run.key == *key && (wanted.is_empty() || run.taken.iter().all(is_wanted))
    };
    let timed_out = outcome.outputs.iter().filter_map(|output| output.held.as_ref());
    let timed_out = timed_out.filter(|held| held.awaiting.is_some() && fits(held));
    let timed_out = timed_out.max_by_key(|held| held.taken.len());
    let mut furthest = timed_out.map(|run| Furthest { run: run.clone(), ended_by: None });
    watch::watch(trial, |_, seen| match seen {
        Seen::Waiting(run) if fits(&run) => match &furthest {
            Some(best) if run.taken.len() < best.run.taken.len() => {}
            _ => furthest = Some(Furthest { run, ended_by: None }),
        },
        Seen::Ended(run, by) => {
            if let Some(best) = &mut furthest
                && best.run.taken == run.taken
            {
                best.ended_by = Some(by);
            }
        }
        Seen::Waiting(_) | Seen::Taken(_) => {}
    });
    furthest
}

/// The stages with the events that are expected, in their order.
fn wanted(trial: &Trial, expectation: &Expectation<'_>) -> Vec<Wanted> {
    let pattern = &trial.patterns.patterns[expectation.pattern];
    let stages = expectation.stages.iter().flatten();
    let mut wanted: Vec<Wanted> = stages
        .filter_map(|(stage, names)| Some((pattern.stage(stage)?, names)))
        .flat_map(|(stage, names)| names.iter().map(move |name| (stage, (*name).to_owned())))
        .collect();
    wanted.sort_by_key(|(_, name)| place_of(name, trial).map(|at| (trial.event(at).row.time, at)));
    wanted
}

fn unbegun(trial: &Trial, expectation: &Expectation<'_>) -> String {
    let pattern = &trial.patterns.patterns[expectation.pattern];
    match wanted(trial, expectation).first() {
        Some((stage, name)) => format!("no run began with {} {name}", pattern.stage_name(*stage)),
        None => "no run of this key began".to_owned(),
    }
}

impl Furthest {
    /// What it had, what it waited for, and what became of it.
    fn said(&self, trial: &Trial, wanted: &[Wanted], outcome: &Outcome) -> String {
        let Furthest { run, ended_by } = self;
        let had = stages(&trial.patterns.patterns[run.pattern], &run.taken);
        let awaiting = run.awaiting.iter().flatten().cloned().collect::<Vec<_>>().join(" or ");
        let next = next_wanted(trial, run, wanted);
        let shown = |event: &Arrived| trial.shown_time(event.row.time);
        let became = if let Some(at) = timeout_of(run, outcome) {
            let late = next.filter(|(_, event)| event.row.time >= at);
            let late = late.map(|(_, event)| format!(", and event {} came at {}", event.name, shown(event)));
            format!("its time was over at {}{}", trial.shown_time(at), late.unwrap_or_default())
        } else if let Some(found) = match_of(run, outcome) {
            format!("it became `{}`", single_blanks(split_pattern(&found.text).1))
        } else if let Some(by) = ended_by {
            format!("event {} ended it at {}", by.name, trial.shown_time(by.time))
        } else {
            let passed = next.map(|(stage, event)| format!(", and had not taken {} as {stage}", event.name));
            format!("it was still waiting at the end{}", passed.unwrap_or_default())
        };
        format!("the furthest run had {had}, and awaited {awaiting}: {became}")
    }
}

/// When the time of a run was over, if it timed out.
fn timeout_of(run: &Held, outcome: &Outcome) -> Option<Timestamp> {
    let mut held = outcome.outputs.iter().filter_map(|output| output.held.as_ref());
    let is_it = |held: &&Held| held.awaiting.is_some() && held.pattern == run.pattern && held.taken == run.taken;
    held.find(is_it).map(|held| held.at)
}

/// The match that a run went on to be.
fn match_of<'o>(run: &Held, outcome: &'o Outcome) -> Option<&'o Output> {
    let goes_on = |held: &Held| {
        held.awaiting.is_none()
            && held.pattern == run.pattern
            && run.taken.iter().all(|taken| held.taken.contains(taken))
    };
    outcome.outputs.iter().find(|output| output.held.as_ref().is_some_and(goes_on))
}

/// The stage and the event that it should have taken next.
fn next_wanted<'t>(trial: &'t Trial, run: &Held, wanted: &[Wanted]) -> Option<(&'t str, &'t Arrived)> {
    let is_taken = |name: &String| run.taken.iter().any(|taken| taken.name == *name);
    let (stage, name) = wanted.iter().find(|(_, name)| !is_taken(name))?;
    let stage = trial.patterns.patterns[run.pattern].stage_name(*stage);
    Some((stage, trial.event(place_of(name, trial)?)))
}
