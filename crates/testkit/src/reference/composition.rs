//! Several patterns, of which some read what others emit: level by level, each over the whole input.

use std::ops::ControlFlow;

use ensue_model::pattern::StageId;
use ensue_model::record::{Emission, Entry, Values};
use ensue_model::{Event, Pattern, Patterns, StreamId, Tables, Timestamp, Value};

use super::automaton::Automaton;
use super::{Item, Matcher, Observer, Outcome, Passing, Step, run_in_order};

/// What several patterns make of an input.
#[derive(Clone, PartialEq, Debug)]
pub struct Composed<E> {
    /// What each gives.
    pub outcomes: Vec<Outcome>,
    /// The input, and behind it the events that patterns emitted for others: what positions in outcomes mean.
    pub events: Vec<Item<E>>,
    /// For each event that a pattern emitted for others, in the order in which they come to them, the level of that pattern.
    pub levels: Vec<usize>,
    /// The events that have no key in any of the patterns that read them: first those of the input, in order of arrival.
    pub rejected: Vec<usize>,
}

/// A record that others read.
struct Derived<E> {
    /// The input item while which it came out.
    at: usize,
    time: Timestamp,
    rank: Rank,
    event: E,
}

/// Where a record stands among those of its time: by the events of its run, by its pattern, by the stages that took the events; a
/// match before a timeout.
type Rank = (Vec<(Timestamp, usize)>, usize, Vec<StageId>, bool);

/// What patterns make of an input. A pattern that reads what others emit is run when those have gone through the whole input; what
/// they emitted comes to it with the watermark that brought it, behind the events of the input.
///
/// # Panics
/// If patterns read each other in a circle, or events of this type cannot be records.
pub fn run_all<E: Event + Clone>(patterns: &Patterns, tables: &Tables, input: &[Item<E>]) -> Composed<E> {
    by_level(&patterns.patterns, input, |index, events, arrivals| {
        run_in_order(&patterns.patterns[index], tables, events, arrivals.iter().copied())
    })
}

/// What an observer of several patterns is shown: the pattern, the key, the input with the records up to then, and the step.
pub type Sight<'s, 'p, E> = (usize, &'s [Value<'static>], &'s [Item<E>], Step<'p>);

/// As [`run_all`], with each step of each run shown to `see`, until it breaks off.
///
/// # Panics
/// As [`run_all`].
pub fn observe_all<'p, E: Event + Clone>(
    patterns: &'p Patterns,
    tables: &Tables,
    input: &[Item<E>],
    passing: impl Fn(&Pattern) -> Passing,
    see: &mut dyn FnMut(Sight<'_, 'p, E>) -> ControlFlow<()>,
) -> Composed<E> {
    let mut flow = ControlFlow::Continue(());
    by_level(&patterns.patterns, input, |index, events, arrivals| {
        let pattern = &patterns.patterns[index];
        let automaton = Automaton::of(pattern);
        let mut observer = OfPattern { index, events, see, flow: &mut flow };
        let matcher = Matcher::new(pattern, &automaton, tables, events);
        let matcher = Matcher { passing: passing(pattern), observer: Some(&mut observer), ..matcher };
        matcher.run(arrivals.iter().copied())
    })
}

/// The observer of one of several patterns.
struct OfPattern<'a, 'p, E> {
    index: usize,
    events: &'a [Item<E>],
    see: &'a mut dyn FnMut(Sight<'_, 'p, E>) -> ControlFlow<()>,
    flow: &'a mut ControlFlow<()>,
}

impl<'p, E> Observer<'p> for OfPattern<'_, 'p, E> {
    fn see(&mut self, key: &[Value<'static>], step: Step<'p>) {
        if self.flow.is_continue() {
            *self.flow = (self.see)((self.index, key, self.events, step));
        }
    }

    fn has_enough(&self) -> bool {
        self.flow.is_break()
    }
}

/// Runs patterns level by level: each by `run`, over the events that there are by then, in the order in which they arrive.
fn by_level<E: Event + Clone>(
    patterns: &[Pattern],
    input: &[Item<E>],
    mut run: impl FnMut(usize, &[Item<E>], &[usize]) -> Outcome,
) -> Composed<E> {
    let level_of: Vec<usize> = patterns.iter().map(|pattern| self::level(pattern, patterns, patterns.len())).collect();
    // What was emitted stands behind the input. The order in which all arrives is another.
    let mut events = input.to_vec();
    let mut arrivals: Vec<usize> = (0..input.len()).collect();
    let mut outcomes = vec![Outcome::default(); patterns.len()];
    let mut levels = Vec::new();
    for level in 0..=level_of.iter().max().copied().unwrap_or(0) {
        let mut emitted = Vec::new();
        for index in (0..patterns.len()).filter(|index| level_of[*index] == level) {
            outcomes[index] = run(index, &events, &arrivals);
            emitted.extend(derived(index, patterns, &outcomes[index], &events));
        }
        emitted.sort_by(|a, b| (a.at, a.time, &a.rank).cmp(&(b.at, b.time, &b.rank)));
        for Derived { at, event, .. } in emitted {
            let watermark = arrivals.iter().position(|arrival| *arrival == at).expect("it came with a watermark");
            arrivals.insert(watermark, events.len());
            events.push(Item::Event(event));
            levels.push(level);
        }
    }
    let rejected = (0..events.len()).filter(|position| is_rejected(*position, &events, patterns, &outcomes));
    let rejected = rejected.collect();
    Composed { outcomes, events, levels, rejected }
}

/// How many patterns stand below one, one on the other.
fn level(pattern: &Pattern, patterns: &[Pattern], most: usize) -> usize {
    assert!(most > 0, "pattern `{}` reads what is made of what it emits", pattern.name);
    let below = patterns.iter().filter(|other| emits(other).any(|stream| pattern.from.contains(&stream)));
    below.map(|other| level(other, patterns, most - 1) + 1).max().unwrap_or(0)
}

fn emits(pattern: &Pattern) -> impl Iterator<Item = StreamId> {
    [&pattern.emit, &pattern.timeout].into_iter().filter_map(|emission| emission.record()?.stream)
}

/// What comes out of a pattern for others.
fn derived<E: Event>(pattern: usize, patterns: &[Pattern], outcome: &Outcome, events: &[Item<E>]) -> Vec<Derived<E>> {
    let Pattern { emit, timeout, .. } = &patterns[pattern];
    let rank = |taken: &[(StageId, usize)], is_timeout| {
        let order = taken.iter().map(|(_, position)| (time_of(&events[*position]), *position)).collect();
        (order, pattern, taken.iter().map(|(stage, _)| *stage).collect(), is_timeout)
    };
    // A window can have been over before the last event that the run has taken, and then that is when it is known.
    let known = |time: Timestamp, taken: &[(StageId, usize)]| {
        taken.last().map_or(time, |(_, position)| time.max(time_of(&events[*position])))
    };
    let matches = outcome.matches.iter().filter_map(|found| {
        let time = known(found.time, &found.events);
        let event = event_of(emit, patterns, time, found.record.as_ref())?;
        Some(Derived { at: found.at, time, rank: rank(&found.events, false), event })
    });
    let timeouts = outcome.timeouts.iter().filter_map(|lapsed| {
        let time = known(lapsed.deadline, &lapsed.events);
        let event = event_of(timeout, patterns, time, lapsed.record.as_ref())?;
        Some(Derived { at: lapsed.at, time, rank: rank(&lapsed.events, true), event })
    });
    matches.chain(timeouts).collect()
}

/// The event that a record is, if a pattern reads it.
fn event_of<E: Event>(
    emission: &Emission,
    patterns: &[Pattern],
    time: Timestamp,
    values: Option<&Values>,
) -> Option<E> {
    let record = emission.record()?;
    let stream = record.stream.filter(|stream| patterns.iter().any(|pattern| pattern.from.contains(stream)))?;
    let field = |entry: &Entry| entry.field.expect("what is read has its fields");
    let fields: Vec<_> = record.entries.iter().map(field).zip(values?.iter().cloned()).collect();
    Some(E::of_record(stream, time, &fields).expect("events can be records"))
}

fn time_of<E: Event>(item: &Item<E>) -> Timestamp {
    match item {
        Item::Event(event) => event.time(),
        Item::Watermark(_) => unreachable!("only events are taken"),
    }
}

/// Whether patterns read an event, and none of them has a key for it.
fn is_rejected<E: Event>(position: usize, events: &[Item<E>], patterns: &[Pattern], outcomes: &[Outcome]) -> bool {
    let Item::Event(event) = &events[position] else { return false };
    let readers = || patterns.iter().zip(outcomes).filter(|(pattern, _)| pattern.from.contains(&event.stream()));
    readers().next().is_some() && readers().all(|(_, outcome)| outcome.rejected.contains(&position))
}
