//! What happened to the runs of one key, event by event, and why.
//!
//! The engine moves groups of runs, and has no word for what only a person wants to know. So a [`Recorder`] collects the events of
//! the key while the whole input passes, and [`Trace::of`] lets the reference matcher follow them, which keeps each run apart
//! and tells every step. The engine runs over the same events as well: the two must give the same.

mod recorder;
mod story;
mod wanted;
mod words;

use std::sync::Arc;

use ensue_engine::{Config, Engine, Limits, Outputs, Watermarks};
use ensue_model::hash::OutputIds;
use ensue_model::output::Taken;
use ensue_model::pattern::{Skip, StageId};
use ensue_model::record::Values;
use ensue_model::{Event, Key, Partial, Pattern, Patterns, Tables, Timestamp};

use crate::reason::without_a_clause;
use crate::reference::{self, Awaits, Held, Item, KeptBack, Lapsed, Passing};
pub use recorder::{Placed, Recorded, Recorder, Recording};
use story::Storyteller;
pub use wanted::{Wanted, plain};
pub use words::{Answer, Sentence};

/// What happened to the runs of one key of one pattern.
#[derive(Debug)]
pub struct Trace<E> {
    /// The patterns.
    pub patterns: Arc<Patterns>,
    /// Which of them.
    pub pattern: usize,
    /// The key.
    pub key: Key,
    /// The events of the key, in their order.
    pub events: Vec<TracedEvent<E>>,
    /// The runs, in the order in which they started.
    pub runs: Vec<Run>,
    /// What happened, in the order of time.
    pub moments: Vec<Moment>,
    /// What was asked of events, each once.
    pub answers: Vec<Vec<Answer>>,
    /// The matches that came out.
    pub matches: Vec<Output>,
    /// The timeouts that came out.
    pub timeouts: Vec<Output>,
    /// Where the engine gives something else: a defect of Ensue.
    pub differences: Vec<String>,
    /// Why what the engine gives was not compared.
    pub uncompared: Option<String>,
    /// How many of the events were looked at, where there was too much to tell of all.
    pub cut: Option<usize>,
}

/// An event of the key.
#[derive(Debug)]
pub struct TracedEvent<E> {
    /// Its position in the whole input.
    pub position: u64,
    /// Its time.
    pub time: Timestamp,
    /// The event.
    pub event: Arc<E>,
}

/// A run. What starts with one event and forks is several, each with its own life from the fork on.
#[derive(Clone, PartialEq, Debug)]
pub struct Run {
    /// The run that it was a part of before it forked.
    pub parent: Option<usize>,
    /// The event with which its life begins.
    pub since: usize,
    /// What it holds in the end: stage and event. Of one that forked, also what it had taken before.
    pub taken: Vec<(StageId, usize)>,
    /// What it waits for, from each event on that it took.
    pub waits: Vec<(usize, Awaits)>,
    /// How and when it ended; nothing, if it was still open at the end of the input.
    pub end: Option<(Timestamp, End)>,
    /// The matches that it was, by what they came out as.
    pub matched: Vec<Result<usize, KeptBack>>,
}

/// How a run ended.
#[derive(Clone, PartialEq, Debug)]
pub enum End {
    /// It was a match, and could take nothing more.
    Matched,
    /// Its time was over; which of the timeouts it came out as.
    TimedOut(Vec<StageId>, Result<usize, KeptBack>),
    /// Its time was over, when it had been a match already.
    Over,
    /// An event came that did not fit, where nothing may lie between.
    Unfit,
    /// A negation met its event.
    Stopped(StageId),
    /// A match made it void by the skip strategy: that of this run.
    Skipped(usize),
    /// Another run waited for the same, and `keep` left one.
    Displaced,
}

/// What happened at an event, or as time passed.
#[derive(Clone, PartialEq, Debug)]
pub struct Moment {
    /// The event time.
    pub at: Timestamp,
    /// The event, if it was one.
    pub event: Option<usize>,
    /// What happened.
    pub happenings: Vec<Happening>,
}

/// Something that happened. Runs and answers are those of the trace.
#[derive(Clone, PartialEq, Debug)]
pub enum Happening {
    /// No run began with the event.
    NoneBegan {
        /// What the first stages asked of it.
        answers: usize,
    },
    /// A run began.
    Began {
        /// The run.
        run: usize,
        /// The stage that took the event.
        stage: StageId,
    },
    /// A run took the event.
    Took {
        /// The run.
        run: usize,
        /// The stage.
        stage: StageId,
    },
    /// A run took the event, and another went on without it or took it into another stage.
    Forked {
        /// The run that took it.
        run: usize,
        /// The other.
        from: usize,
        /// The stage.
        stage: StageId,
    },
    /// Runs passed the event over.
    Passed {
        /// The runs.
        runs: Vec<usize>,
        /// What they asked of it.
        answers: usize,
    },
    /// A run ended without a word to the outside.
    Ended {
        /// The run.
        run: usize,
        /// How.
        end: End,
        /// What it asked of the event.
        answers: Option<usize>,
    },
    /// A run is complete, and waits until no earlier one can make it void.
    Complete {
        /// The run.
        run: usize,
    },
    /// A run was a match.
    Matched {
        /// The run.
        run: usize,
        /// Which of the matches it came out as.
        output: Result<usize, KeptBack>,
    },
    /// A run timed out.
    TimedOut {
        /// The run.
        run: usize,
        /// The stages that it was waiting for.
        awaiting: Vec<StageId>,
        /// Which of the timeouts it came out as.
        output: Result<usize, KeptBack>,
    },
}

/// A match or a timeout that came out.
#[derive(Clone, PartialEq, Debug)]
pub struct Output {
    /// Whether it is a timeout, and not a match.
    pub is_timeout: bool,
    /// Its id, as the command writes it.
    pub id: u128,
    /// The stages with the events that they took.
    pub taken: Vec<(StageId, usize)>,
    /// When it came out, or its deadline.
    pub at: Timestamp,
    /// Of a timeout: what it was waiting for.
    pub awaiting: Vec<StageId>,
    /// The values of its record, if it is one.
    pub record: Option<Values>,
}

impl<E: Event> Trace<E> {
    /// What happened to a key of which events have come. `steps_max` bounds how often runs may look at events.
    ///
    /// Nothing, if no event has come for the key.
    pub fn of(recording: &Recording<E>, steps_max: usize) -> Option<Self> {
        let Recording { patterns, pattern, watermarks, tables: rows, key, items, events, .. } = recording;
        let (index, watermarks, events) = (*pattern, *watermarks, *events);
        let (key, mut items) = (key.clone()?, items.clone());
        let is_explicit = watermarks == Watermarks::Explicit;
        let tables = Tables::of(&patterns.tables, rows);
        if !is_explicit {
            items.push(Item::Watermark(Timestamp::MAX));
        }
        let pattern = &patterns.patterns[index];
        // As the engine: without a skip strategy what ends at one event or watermark comes out together.
        let in_turn = !is_explicit && pattern.skip != Skip::None;
        let passing = if in_turn { Passing::InTurn } else { Passing::Together };
        let mut storyteller = Storyteller::new(patterns, pattern, &items, steps_max);
        let outcome = reference::follow(pattern, &tables, &items, &key, passing, &mut storyteller);
        let told = storyteller.told();
        let ids = Ids { pattern, key: &key, items: &items };
        let mut trace = Trace {
            matches: outcome.matches.iter().map(|found| ids.of_match(found)).collect(),
            timeouts: outcome.timeouts.iter().map(|lapsed| ids.of_timeout(lapsed)).collect(),
            runs: told.runs,
            moments: told.moments,
            answers: told.answers,
            differences: Vec::new(),
            uncompared: None,
            cut: told.cut,
            events: Vec::new(),
            pattern: index,
            key: key.clone(),
            patterns: patterns.clone(),
        };
        let places = places(&items);
        let kept = items.iter().filter(|item| matches!(item, Item::Event(_))).count();
        if trace.cut.is_none() && events > kept as u64 {
            trace.cut = Some(kept);
        }
        match (trace.cut, engine_outputs(patterns, index, rows, watermarks, &items, &key)) {
            (Some(_), _) => trace.uncompared = Some("not all of its events were followed".to_owned()),
            (None, Err(why)) => trace.uncompared = Some(why),
            (None, Ok((matches, timeouts))) => {
                trace.differences = differences(pattern, "match", &trace.matches, &matches);
                trace.differences.extend(differences(pattern, "timeout", &trace.timeouts, &timeouts));
            }
        }
        let place = |output: &mut Output| {
            output.taken.iter_mut().for_each(|(_, position)| *position = places[*position]);
        };
        trace.matches.iter_mut().chain(&mut trace.timeouts).for_each(place);
        trace.events = items.into_iter().filter_map(traced).collect();
        Some(trace)
    }

    /// The pattern.
    pub fn of_pattern(&self) -> &Pattern {
        &self.patterns.patterns[self.pattern]
    }
}

/// A clause without which a key that did not match would have.
#[derive(Clone, PartialEq, Debug)]
pub struct Blamed {
    /// As a pattern writes it: `` `within 15m` ``.
    pub clause: String,
    /// The matches that would have come.
    pub matches: Vec<Output>,
}

impl<E: Event> Recording<E> {
    /// The clauses of the pattern that keep matches of the key from coming: those without which the engine gives some.
    pub fn blamed(&self) -> Vec<Blamed> {
        let Recording { patterns, pattern, watermarks, tables, key: Some(key), items, .. } = self else {
            return Vec::new();
        };
        let places = places(items);
        let without = without_a_clause(&patterns.patterns[*pattern]);
        let blamed = without.into_iter().filter_map(|(clause, lifted)| {
            let mut patterns = Patterns::clone(patterns);
            patterns.patterns[*pattern] = lifted;
            // Without its window an absence never ends: the engine refuses such a pattern.
            let (mut matches, _) =
                engine_outputs(&Arc::new(patterns), *pattern, tables, *watermarks, items, key).ok()?;
            for (_, position) in matches.iter_mut().flat_map(|output| &mut output.taken) {
                *position = places[*position];
            }
            (!matches.is_empty()).then_some(Blamed { clause, matches })
        });
        blamed.collect()
    }
}

fn traced<E: Event>(item: Item<Placed<E>>) -> Option<TracedEvent<E>> {
    let Item::Event(Placed { position, event }) = item else { return None };
    Some(TracedEvent { position: position.unwrap_or_default(), time: event.time(), event })
}

/// For each item, which of the events it is.
fn places<E>(items: &[Item<E>]) -> Vec<usize> {
    let mut events = 0;
    let place = |item: &Item<E>| {
        let place = events;
        events += usize::from(matches!(item, Item::Event(_)));
        place
    };
    items.iter().map(place).collect()
}

/// What outputs of a key are told by.
struct Ids<'t, E> {
    pattern: &'t Pattern,
    key: &'t Key,
    items: &'t [Item<Placed<E>>],
}

impl<E: Event> Ids<'_, E> {
    fn of_match(&self, found: &reference::Found) -> Output {
        let record = found.record.clone();
        let awaiting = Vec::new();
        let (id, taken) = (self.id("match", &found.events), found.events.clone());
        Output { is_timeout: false, id, taken, at: found.time, awaiting, record }
    }

    fn of_timeout(&self, lapsed: &Lapsed) -> Output {
        let Lapsed { deadline, events, awaiting, record, .. } = lapsed.clone();
        let id = self.id("timeout", &events);
        Output { is_timeout: true, id, taken: events, at: deadline, awaiting, record }
    }

    fn id(&self, kind: &str, held: &Held) -> u128 {
        let taken = |position: usize| match &self.items[position] {
            Item::Event(event) => {
                let position = event.position.unwrap_or_default();
                Taken { event: event.event.clone(), time: event.time(), position }
            }
            Item::Watermark(_) => unreachable!("only events are taken"),
        };
        let events = held.iter().map(|(stage, position)| (*stage, taken(*position))).collect();
        OutputIds::new(kind, &self.pattern.name).id(&Partial { pattern: 0, key: self.key.clone(), events })
    }
}

/// An event with its place among the items.
#[derive(Clone)]
struct Numbered<E> {
    number: usize,
    event: Placed<E>,
}

impl<E: Event> Event for Numbered<E> {
    fn time(&self) -> Timestamp {
        self.event.time()
    }

    fn field(&self, field: ensue_model::FieldId) -> ensue_model::Value<'_> {
        self.event.field(field)
    }

    fn stream(&self) -> ensue_model::StreamId {
        self.event.stream()
    }
}

/// The most matches that one event of a key may bring, so that a trace ends.
const MATCHES_MAX: u32 = 10_000;

/// The matches and timeouts of a key that the engine makes of the items, or why there are none.
fn engine_outputs<E: Event>(
    patterns: &Arc<Patterns>,
    pattern: usize,
    tables: &[(ensue_model::table::TableId, Arc<ensue_model::table::Table>)],
    watermarks: Watermarks,
    items: &[Item<Placed<E>>],
    key: &Key,
) -> Result<(Vec<Output>, Vec<Output>), String> {
    let alone = vec![unread(&patterns.patterns[pattern])];
    let patterns = Arc::new(Patterns { patterns: alone, ..Patterns::clone(patterns) });
    // What came out of order is in order by now.
    let watermarks = match watermarks {
        Watermarks::Explicit => Watermarks::Explicit,
        Watermarks::Steady | Watermarks::Ascending | Watermarks::OutOfOrder(_) => Watermarks::Ascending,
    };
    let limits = Limits { matches_per_event: MATCHES_MAX, ..Limits::default() };
    let text = |error: ensue_engine::Error| error.to_string();
    let mut engine = Engine::new(&patterns, Config { watermarks, limits, ..Config::default() }).map_err(text)?;
    tables.iter().for_each(|(table, rows)| engine.set_table(*table, rows.clone()));
    let mut out = Outputs::new();
    for (number, item) in items.iter().enumerate() {
        match item {
            Item::Event(event) => engine.push(Numbered { number, event: event.clone() }, &mut out).map_err(text)?,
            Item::Watermark(watermark) => engine.advance(*watermark, &mut out).map_err(text)?,
        }
    }
    if watermarks != Watermarks::Explicit {
        engine.finish(&mut out).map_err(text)?;
    }
    let taken = |run: &Partial<Numbered<E>>| {
        run.events.iter().map(|(stage, taken)| (*stage, taken.event.number)).collect::<Vec<_>>()
    };
    let matches = out.matches.into_iter().filter(|found| found.run.key == *key).map(|found| Output {
        is_timeout: false,
        id: 0,
        taken: taken(&found.run),
        at: found.at,
        awaiting: Vec::new(),
        record: found.record,
    });
    let timeouts = out.timeouts.into_iter().filter(|lapsed| lapsed.run.key == *key).map(|lapsed| Output {
        is_timeout: true,
        id: 0,
        taken: taken(&lapsed.run),
        at: lapsed.deadline,
        awaiting: lapsed.awaiting,
        record: lapsed.record,
    });
    Ok((matches.collect(), timeouts.collect()))
}

/// The pattern, with records that nobody reads: alone in an engine, it needs no fields for them.
fn unread(pattern: &Pattern) -> Pattern {
    let mut pattern = pattern.clone();
    for emission in [&mut pattern.emit, &mut pattern.timeout] {
        if let ensue_model::record::Emission::Record(record) = emission {
            record.stream = None;
        }
    }
    pattern
}

/// Where the engine gives other outputs, in words.
fn differences(pattern: &Pattern, kind: &str, followed: &[Output], given: &[Output]) -> Vec<String> {
    let is_same = |one: &Output, other: &Output| {
        let holds_the_same = one.taken == other.taken && one.awaiting == other.awaiting && one.record == other.record;
        holds_the_same && (!one.is_timeout || one.at == other.at)
    };
    if followed.len() == given.len() && followed.iter().zip(given).all(|(one, other)| is_same(one, other)) {
        return Vec::new();
    }
    let shown = |output: &Output| {
        let taken = output.taken.iter().map(|(stage, at)| format!("{} {}", pattern.stage_name(*stage), at + 1));
        format!("{kind} {} at {}", taken.collect::<Vec<_>>().join(", "), output.at)
    };
    let has = |all: &[Output], one: &Output| all.iter().any(|other| is_same(one, other));
    let missing = followed.iter().filter(|one| !has(given, one));
    let missing = missing.map(|one| format!("the engine does not give {}", shown(one)));
    let more = given.iter().filter(|one| !has(followed, one));
    let more = more.map(|one| format!("the engine gives {}, which the trace does not", shown(one)));
    let mut found: Vec<String> = missing.chain(more).collect();
    if found.is_empty() {
        found.push(format!("the engine gives its outputs of kind {kind} in another order or number"));
    }
    found
}

#[cfg(test)]
mod tests {
    use ensue_model::Expr;
    use ensue_model::pattern::{Sequence, Stage, Step};

    use super::*;

    fn output(events: &[usize], second: i64, is_timeout: bool) -> Output {
        let taken = events.iter().map(|event| (StageId(0), *event)).collect();
        Output { is_timeout, id: 0, taken, at: Timestamp::from_seconds(second), awaiting: Vec::new(), record: None }
    }

    fn told(kind: &str, followed: &[Output], given: &[Output]) -> Vec<String> {
        let sequence = Sequence { steps: vec![Step::stage(StageId(0), Expr::truth())] };
        differences(&Pattern::new("p", vec![Stage::named("a")], sequence), kind, followed, given)
    }

    #[test]
    fn what_only_one_of_the_two_gives_is_a_difference() {
        let [first, second] = [output(&[0], 1, false), output(&[1, 2], 2, false)];
        let (one, both) = ([first.clone()], [first.clone(), second.clone()]);
        assert!(told("match", &both, &both).is_empty());
        assert_eq!(told("match", &both, &one), ["the engine does not give match a 2, a 3 at 1970-01-01T00:00:02Z"]);
        let more = "the engine gives match a 2, a 3 at 1970-01-01T00:00:02Z, which the trace does not";
        assert_eq!(told("match", &one, &both), [more]);
        let swapped = "the engine gives its outputs of kind match in another order or number";
        assert_eq!(told("match", &both, &[second, first]), [swapped]);
    }

    #[test]
    fn a_timeout_is_at_its_deadline_and_a_match_whenever_it_came_out() {
        assert!(told("match", &[output(&[0], 1, false)], &[output(&[0], 9, false)]).is_empty());
        assert_eq!(told("timeout", &[output(&[0], 1, true)], &[output(&[0], 9, true)]).len(), 2);
    }
}
