//! A naive matcher, which is the definition of what a pattern means.
//!
//! Obviously right, and slow: a list of single runs, each with the list of the events that it took. Nothing is shared,
//! nothing is compiled beyond the small automaton of `reference/automaton.rs`, every condition is evaluated wherever it is asked.
//! The engine must give the same; where it does not, one of the two has a bug.
//!
//! Knows one pattern, its keys, and event time with watermarks; of several patterns, that each reads what others emit when
//! those are done with the whole input. Knows no threads, no limits, no snapshots, no output formats.
//!
//! Where the language says nothing it does what Apache Flink CEP 2.3 does, also where that is odd: the places that do so
//! say it. Where the language says that Ensue differs, it does what the language says.
//!
//! # What happens when
//!
//! Events wait for the watermark. At a watermark, each key goes through the times of the events that it has waiting: time
//! moves to that time (what is due ends), and then the events of that time come, in the order of arrival. At the end
//! time moves to the watermark itself.

mod asked;
mod automaton;
mod composition;
mod moment;
mod observer;
mod position;
mod queue;
mod runs;

use std::cell::Cell;
use std::collections::HashSet;
use std::sync::Arc;

use ensue_model::eval::eval;
use ensue_model::key::KeyWay;
use ensue_model::output::{Partial, Taken as TakenEvent};
use ensue_model::pattern::StageId;
use ensue_model::record::{Emission, Occasion, Values};
use ensue_model::{Event, Key, Pattern, Span, Tables, Timestamp, Value};

use automaton::Automaton;
pub use composition::{Composed, Sight, observe_all, run_all};
use moment::{Count, Moment, Taken};
pub use observer::{Asked, Awaits, Held, KeptBack, Look, Observer, Refusal, Step};
use runs::{Ended, Instant, Runs, held};

/// What arrives.
#[derive(Clone, PartialEq, Debug)]
pub enum Item<E> {
    /// An event.
    Event(E),
    /// No event at or before this time will come any more; one that does is late.
    Watermark(Timestamp),
}

/// All that came out. Events are positions in the input, so that it can be compared with what others make of the same
/// input.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Outcome {
    /// The matches, in the order in which they came.
    pub matches: Vec<Found>,
    /// The timeouts, in the order in which they came.
    pub timeouts: Vec<Lapsed>,
    /// The late events, in order of arrival.
    pub late: Vec<usize>,
    /// The events of the streams that it reads without any key, in order of arrival.
    pub rejected: Vec<usize>,
}

/// A match.
#[derive(Clone, PartialEq, Debug)]
pub struct Found {
    /// The input item while which it came out.
    pub at: usize,
    /// The event time at which it came out.
    pub time: Timestamp,
    /// The values of the key's parts.
    pub key: Vec<Value<'static>>,
    /// Stage and event, in the order in which they were taken.
    pub events: Vec<(StageId, usize)>,
    /// The record that it comes out as, if it is one.
    pub record: Option<Values>,
}

/// A timeout.
#[derive(Clone, PartialEq, Debug)]
pub struct Lapsed {
    /// The input item while which it came out.
    pub at: usize,
    /// The values of the key's parts.
    pub key: Vec<Value<'static>>,
    /// When its time ran out.
    pub deadline: Timestamp,
    /// Stage and event, in the order in which they were taken.
    pub events: Vec<(StageId, usize)>,
    /// The stages that could have taken the next event, in the order of the pattern.
    pub awaiting: Vec<StageId>,
    /// The record that it comes out as, if it is one.
    pub record: Option<Values>,
}

/// What the pattern makes of the input. There is no end of the input: what no watermark reaches does not happen.
///
/// ```
/// use ensue_model::pattern::{Pattern, Sequence, Stage, StageId, Step};
/// use ensue_model::{Expr, Row, Timestamp};
/// use ensue_testkit::reference::{self, Item};
///
/// let sequence = Sequence { steps: vec![Step::stage(StageId(0), Expr::truth())] };
/// let pattern = Pattern::new("anything", vec![Stage::named("a")], sequence);
/// let event = Row::new(Timestamp::from_millis(1), vec![]);
/// let outcome = reference::run(&pattern, &[Item::Event(event), Item::Watermark(Timestamp::from_millis(1))]);
/// assert_eq!(outcome.matches[0].events, [(StageId(0), 0)]);
/// ```
pub fn run<E: Event + Clone>(pattern: &Pattern, input: &[Item<E>]) -> Outcome {
    run_in_order(pattern, Tables::NONE, input, 0..input.len())
}

/// As [`run`], of items that arrive in this order.
fn run_in_order<E: Event + Clone>(
    pattern: &Pattern,
    tables: &Tables,
    input: &[Item<E>],
    arrivals: impl IntoIterator<Item = usize>,
) -> Outcome {
    let automaton = Automaton::of(pattern);
    Matcher::new(pattern, &automaton, tables, input).run(arrivals)
}

/// How time passes between two events.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Passing {
    /// All that is over at a watermark, or at the next event of its key, ends together: where the caller moves the watermark.
    Together,
    /// One end after the other: where the events move it. It makes a difference under a skip strategy.
    InTurn,
}

/// What the pattern makes of one key of the input, shown to an observer. Events of other keys are passed over.
pub fn follow<'p, E: Event + Clone>(
    pattern: &'p Pattern,
    tables: &Tables,
    input: &[Item<E>],
    key: &[Value<'static>],
    passing: Passing,
    observer: &mut dyn Observer<'p>,
) -> Outcome {
    let automaton = Automaton::of(pattern);
    let matcher = Matcher::new(pattern, &automaton, tables, input);
    Matcher { only: Some(key), passing, observer: Some(observer), ..matcher }.run(0..input.len())
}

/// The whole stream of one pattern.
struct Matcher<'p, 'a, E> {
    pattern: &'p Pattern,
    automaton: &'a Automaton<'p>,
    tables: &'a Tables,
    input: &'a [Item<E>],
    /// The key to which all is bound, if it is one.
    only: Option<&'a [Value<'static>]>,
    passing: Passing,
    observer: Option<&'a mut dyn Observer<'p>>,
    watermark: Timestamp,
    keys: Vec<KeyState>,
    outcome: Outcome,
}

/// One key: what waits for the watermark, what runs, what came out.
struct KeyState {
    key: Vec<Value<'static>>,
    waiting: Vec<Waiting>,
    count: Count,
    runs: Runs,
    seen: Seen,
}

/// An event that waits for the watermark.
struct Waiting {
    time: Timestamp,
    position: usize,
    /// The ways by which it comes to the key.
    ways: Vec<u8>,
}

/// What has come out of a key, as it comes out once.
#[derive(Default)]
struct Seen {
    matches: HashSet<Vec<Taken>>,
    timeouts: HashSet<Vec<Taken>>,
    /// When the last match came out, as a cooldown counts.
    last: Option<Timestamp>,
}

impl Seen {
    /// What came out once does not come out again, and what came out as a match does not time out.
    fn new_of<'p>(&mut self, mut ended: Ended<'p>) -> Ended<'p> {
        let Seen { matches, timeouts, .. } = self;
        ended.matches.retain(|found| matches.insert(found.taken.clone()));
        ended.timeouts.retain(|lapsed| !matches.contains(&lapsed.taken) && timeouts.insert(lapsed.taken.clone()));
        ended
    }

    /// Whether a match is later than the last one by the cooldown; then it is the last one.
    fn is_cold(&mut self, at: Timestamp, cooldown: Option<Span>) -> bool {
        let is_cold = self.last.zip(cooldown).is_none_or(|(last, cooldown)| at >= last + cooldown);
        if is_cold {
            self.last = Some(at);
        }
        is_cold
    }
}

impl<'p, 'a, E: Event + Clone> Matcher<'p, 'a, E> {
    fn new(pattern: &'p Pattern, automaton: &'a Automaton<'p>, tables: &'a Tables, input: &'a [Item<E>]) -> Self {
        Matcher {
            pattern,
            automaton,
            tables,
            input,
            only: None,
            passing: Passing::Together,
            observer: None,
            watermark: Timestamp::MIN,
            keys: Vec::new(),
            outcome: Outcome::default(),
        }
    }

    fn run(mut self, arrivals: impl IntoIterator<Item = usize>) -> Outcome {
        for at in arrivals {
            match &self.input[at] {
                Item::Event(event) => self.take_in(at, event),
                Item::Watermark(watermark) if *watermark > self.watermark => self.advance(at, *watermark),
                Item::Watermark(_) => {}
            }
        }
        self.outcome
    }

    /// An event arrives: it is late, is of a stream that the pattern does not read, has no key, or waits for each of its keys.
    fn take_in(&mut self, at: usize, event: &E) {
        if event.time() <= self.watermark {
            self.outcome.late.push(at);
            return;
        }
        if !self.pattern.from.contains(&event.stream()) {
            return;
        }
        let keys = self.keys_of(event);
        if keys.is_empty() {
            self.outcome.rejected.push(at);
        }
        let only = self.only;
        for (key, ways) in keys.into_iter().filter(|(key, _)| only.is_none_or(|only| only == *key)) {
            let index = self.index_of(key);
            self.keys[index].waiting.push(Waiting { time: event.time(), position: at, ways });
        }
    }

    /// The keys of an event, each once, with the ways that give it. One of which a part is null is none.
    fn keys_of(&self, event: &E) -> Vec<(Vec<Value<'static>>, Vec<u8>)> {
        let mut keys: Vec<(Vec<Value<'static>>, Vec<u8>)> = Vec::new();
        for (number, way) in self.pattern.key.ways_of(event.stream()) {
            let key = self.key_by(way, event);
            if key.iter().any(Value::is_null) {
                continue;
            }
            match keys.iter_mut().find(|(known, _)| *known == key) {
                Some((_, ways)) => ways.push(number),
                None => keys.push((key, vec![number])),
            }
        }
        keys
    }

    fn key_by(&self, way: &KeyWay, event: &E) -> Vec<Value<'static>> {
        let &Matcher { pattern, tables, input, .. } = self;
        let moment = Moment { pattern, tables, input, event, ways: &[], key: &[], count: Count::NONE, taken: &[] };
        way.parts.iter().map(|part| eval(part, &moment).into_owned()).collect()
    }

    fn index_of(&mut self, key: Vec<Value<'static>>) -> usize {
        if let Some(index) = self.keys.iter().position(|state| state.key == key) {
            return index;
        }
        let (runs, seen) = (Runs::new(self.automaton), Seen::default());
        self.keys.push(KeyState { key, waiting: Vec::new(), count: Count::NONE, runs, seen });
        self.keys.len() - 1
    }

    /// Time moves on: each key handles what it has waiting up to the watermark.
    fn advance(&mut self, at: usize, watermark: Timestamp) {
        self.watermark = watermark;
        let mut keys = std::mem::take(&mut self.keys);
        for state in &mut keys {
            self.advance_key(at, state);
        }
        self.keys = keys;
    }

    fn advance_key(&mut self, at: usize, state: &mut KeyState) {
        // Stable: events of one time keep their order of arrival.
        state.waiting.sort_by_key(|event| event.time);
        let due = state.waiting.partition_point(|event| event.time <= self.watermark);
        let due: Vec<Waiting> = state.waiting.drain(..due).collect();
        for same_time in due.chunk_by(|a, b| a.time == b.time) {
            self.move_time(at, same_time[0].time, state);
            for event in same_time {
                if self.has_enough() {
                    return;
                }
                self.step(at, event, state);
            }
        }
        self.move_time(at, self.watermark, state);
    }

    fn has_enough(&self) -> bool {
        self.observer.as_ref().is_some_and(|observer| observer.has_enough())
    }

    /// What is due up to `now` ends.
    fn move_time(&mut self, at: usize, now: Timestamp, state: &mut KeyState) {
        while self.passing == Passing::InTurn
            && let Some(due) = state.runs.next_due(self.automaton, state.count).filter(|due| *due < now)
        {
            self.close(at, due, state);
        }
        self.close(at, now, state);
    }

    /// What is due at `now` ends: absences match, the rest times out.
    fn close(&mut self, at: usize, now: Timestamp, state: &mut KeyState) {
        let mut ended = Ended::nothing(self.observer.is_some());
        let instant = Instant { now, count: state.count, by_event: false };
        state.runs.expire(self.automaton, instant, &mut ended);
        let ended = state.seen.new_of(ended);
        self.put_out(at, state, ended);
    }

    /// One event goes through all runs of its key.
    fn step(&mut self, at: usize, Waiting { position, ways, .. }: &Waiting, state: &mut KeyState) {
        let event = self.event_at(*position);
        let (now, count) = (event.time(), Count { events: state.count.events + 1, latest: event.time() });
        state.count = count;
        self.tell(&state.key, Step::Came { position: *position });
        // It may be one event too many for runs, which do not look at it then.
        let mut closed = Ended::nothing(self.observer.is_some());
        state.runs.expire(self.automaton, Instant { now, count, by_event: true }, &mut closed);
        let closed = state.seen.new_of(closed);
        let &mut Matcher { pattern, tables, input, automaton, .. } = self;
        let moment = Moment { pattern, tables, input, event, ways, key: &state.key, count, taken: &[] };
        let mut stepped = Ended::nothing(self.observer.is_some());
        state.runs.step(automaton, &moment, *position, &mut stepped);
        let stepped = state.seen.new_of(stepped);
        self.put_out(at, state, closed.and(stepped));
        // A run may have come to a step whose window is over, since that counts from an earlier stage.
        self.move_time(at, now, state);
    }

    /// What ended comes out in its order, as the record that the pattern says, but for what that leaves out and for the matches
    /// that a cooldown keeps back.
    fn put_out(&mut self, at: usize, state: &mut KeyState, mut ended: Ended<'p>) {
        ended.sort();
        ended.steps.take().into_iter().flatten().for_each(|step| self.tell(&state.key, step));
        for found in ended.matches {
            let output = self.put_match(at, state, &found);
            self.tell(&state.key, Step::Matched { run: held(&found.taken), at: found.at, output });
        }
        for timeout in ended.timeouts {
            let output = self.put_timeout(at, state, &timeout);
            let runs::Timeout { deadline, taken, awaiting } = timeout;
            self.tell(&state.key, Step::TimedOut { run: held(&taken), deadline, awaiting, output });
        }
    }

    fn tell(&mut self, key: &[Value<'static>], step: Step<'p>) {
        if let Some(observer) = &mut self.observer {
            observer.see(key, step);
        }
    }

    /// Gives which of the matches it is.
    fn put_match(&mut self, at: usize, state: &mut KeyState, found: &runs::Found) -> Result<usize, KeptBack> {
        let record = self.comes_out(&self.pattern.emit, &state.key, &found.taken, None)?;
        if !state.seen.is_cold(found.at, self.pattern.cooldown) {
            return Err(KeptBack::ByCooldown);
        }
        let (key, events) = (state.key.clone(), held(&found.taken));
        self.outcome.matches.push(Found { at, time: found.at, key, events, record });
        Ok(self.outcome.matches.len() - 1)
    }

    /// Gives which of the timeouts it is.
    fn put_timeout(&mut self, at: usize, state: &KeyState, timeout: &runs::Timeout) -> Result<usize, KeptBack> {
        let runs::Timeout { deadline, taken, awaiting } = timeout;
        let names: Vec<&str> = awaiting.iter().map(|stage| self.pattern.stage_name(*stage)).collect();
        let record = self.comes_out(&self.pattern.timeout, &state.key, taken, Some((&names[..], *deadline)))?;
        let (key, events) = (state.key.clone(), held(taken));
        let lapsed = Lapsed { at, key, deadline: *deadline, events, awaiting: awaiting.clone(), record };
        self.outcome.timeouts.push(lapsed);
        Ok(self.outcome.timeouts.len() - 1)
    }

    /// Whether an output comes out, and the record that it comes out as, if it is one.
    fn comes_out(
        &self,
        emission: &Emission,
        key: &[Value<'static>],
        taken: &[Taken],
        timeout: Option<(&[&str], Timestamp)>,
    ) -> Result<Option<Values>, KeptBack> {
        match emission {
            Emission::Events => Ok(None),
            Emission::Nothing => Err(KeptBack::ByNone),
            Emission::Record(record) => {
                let occasion = Occasion { timeout, tables: self.tables, faults: &Cell::new(0) };
                record.of(&self.run_of(key, taken), occasion).map(Some).ok_or(KeptBack::ByCondition)
            }
        }
    }

    fn run_of(&self, key: &[Value<'static>], taken: &[Taken]) -> Partial<E> {
        let event = |taken: &Taken| TakenEvent {
            event: Arc::new(self.event_at(taken.position).clone()),
            time: taken.time,
            position: taken.position as u64,
        };
        let events = taken.iter().map(|taken| (taken.stage, event(taken)));
        Partial { pattern: 0, key: Key::of(key), events: events.collect() }
    }

    fn event_at(&self, position: usize) -> &'a E {
        match &self.input[position] {
            Item::Event(event) => event,
            Item::Watermark(_) => unreachable!("only events are taken"),
        }
    }
}
