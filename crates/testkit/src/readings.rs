//! The ways to run a case. They must all give the same.
//!
//! Knows the language and the engine by their front doors only. What the engine looks like from outside is written here
//! and nowhere else in this crate.

use std::collections::BTreeMap;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use ensue_engine::{Config, Engine};
use ensue_lang::{Diagnostics, Options, Source};
use ensue_model::pattern::{Pattern, Patterns, Sequence, Skip, StageId};
use ensue_model::{Event, Partial, Row, Schema, Timestamp, Value};
use ensue_runtime::Sharded;

use crate::case::{Case, CaseEvent, Difference, Input, MatchLine, Outputs, Stages, TimeoutLine};
use crate::reference::{self, Item};
use crate::variants;

/// A way to run a case.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reading {
    /// The naive matcher.
    Reference,
    /// The engine.
    Engine,
    /// The engine, saved and restored after every input item.
    Restarted,
    /// The engine on so many threads.
    Shards(usize),
}

/// A case with its pattern compiled.
#[derive(Clone, Debug)]
pub struct Prepared {
    patterns: Arc<Patterns>,
    input: Vec<Item<Row>>,
}

/// Why a case cannot run.
#[derive(Clone, Debug)]
pub struct Refused {
    /// What the compiler said.
    pub diagnostics: Diagnostics,
}

/// Two readings of a case that differ.
#[derive(Clone, Debug)]
pub struct Disagreement {
    /// The one that is not as the reference.
    pub reading: String,
    /// The case, expecting what the reference gave.
    pub case: Case,
    /// How the other differs.
    pub how: How,
}

/// How a reading differs from the reference.
#[derive(Clone, Debug)]
pub enum How {
    /// It gives other outputs.
    Outputs(Difference),
    /// It gives those of a key in another order: for a person.
    Order(String),
    /// It rejects other events, named by their ids.
    Rejected(Vec<i64>, Vec<i64>),
    /// It gives nothing: it refuses, fails or panics.
    Failed(String),
}

/// What a reading gives: also what a case does not say.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Given {
    /// What a case says.
    pub outputs: Outputs,
    /// What comes out of each pattern for each key, by kind, one line each: a key's outputs have an order.
    sequences: BTreeMap<(Kind, usize, String), Vec<String>>,
    /// The ids of the events without a key, in order of arrival.
    rejected: Vec<i64>,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Kind {
    Match,
    Timeout,
}

impl Prepared {
    /// Compiles the pattern of a case, over fields that nobody declared.
    ///
    /// # Errors
    /// If the pattern does not compile.
    pub fn of(case: &Case) -> Result<Prepared, Refused> {
        let source = Source::new(format!("{}.pattern", case.id), case.pattern.clone());
        let options = Options { schema: Schema::open(), ..Options::default() };
        match ensue_lang::compile(&[source], &options) {
            Ok(compiled) => Ok(Prepared::with(compiled.patterns, &case.input)),
            Err(diagnostics) => Err(Refused { diagnostics }),
        }
    }

    /// Patterns that were compiled elsewhere, with an input.
    pub fn with(patterns: Patterns, input: &[Input]) -> Prepared {
        let input = input.iter().map(|item| item_of(item, &patterns)).collect();
        Prepared { patterns: Arc::new(patterns), input }
    }

    /// The compiled patterns.
    pub fn patterns(&self) -> &Patterns {
        &self.patterns
    }

    /// What the case gives, as a case says it.
    ///
    /// # Errors
    /// If the engine refuses, fails or panics.
    pub fn outputs(&self, reading: Reading) -> Result<Outputs, String> {
        self.given(reading).map(|given| given.outputs)
    }

    /// All that the case gives.
    ///
    /// # Errors
    /// If the engine refuses, fails or panics.
    pub fn given(&self, reading: Reading) -> Result<Given, String> {
        catch_unwind(AssertUnwindSafe(|| self.given_or_panic(reading))).unwrap_or_else(|panic| Err(message_of(&*panic)))
    }

    fn given_or_panic(&self, reading: Reading) -> Result<Given, String> {
        let config = Config::default();
        match reading {
            Reading::Reference => Ok(self.reference()),
            Reading::Engine => self.drive(Engine::new(&self.patterns, config).map_err(text)?),
            Reading::Restarted => {
                let engine = Engine::new(&self.patterns, config.clone()).map_err(text)?;
                self.drive(Restarted { patterns: self.patterns.clone(), config, engine })
            }
            Reading::Shards(shards) => self.drive(Sharded::new(&self.patterns, config, shards).map_err(text)?),
        }
    }

    /// Each pattern by itself.
    fn reference(&self) -> Given {
        let mut given = Given::default();
        for (index, pattern) in self.patterns.patterns.iter().enumerate() {
            let outcome = reference::run(pattern, &self.input);
            let stages = |events: &[(StageId, usize)]| {
                self.stages(index, events.iter().map(|(stage, position)| (*stage, self.id_at(*position))))
            };
            for found in &outcome.matches {
                given.note_match(index, &found.key, MatchLine { at: found.at, stages: stages(&found.events) });
            }
            for lapsed in &outcome.timeouts {
                let line = TimeoutLine {
                    at: lapsed.at,
                    ts: lapsed.deadline.as_millis(),
                    stages: stages(&lapsed.events),
                    awaiting: Some(self.names(index, &lapsed.awaiting)),
                };
                given.note_timeout(index, &lapsed.key, line);
            }
            given.outputs.late = outcome.late.iter().map(|position| self.id_at(*position)).collect();
            given.rejected = outcome.rejected.iter().map(|position| self.id_at(*position)).collect();
        }
        given
    }

    fn id_at(&self, position: usize) -> i64 {
        match &self.input[position] {
            Item::Event(row) => id_of(row),
            Item::Watermark(_) => unreachable!("outputs hold events only"),
        }
    }

    fn name(&self, pattern: usize, stage: StageId) -> &str {
        &self.patterns.patterns[pattern].stages[usize::from(stage.0)].name
    }

    fn names(&self, pattern: usize, stages: &[StageId]) -> Vec<String> {
        stages.iter().map(|stage| self.name(pattern, *stage).to_owned()).collect()
    }

    fn stages(&self, pattern: usize, events: impl Iterator<Item = (StageId, i64)>) -> Stages {
        let mut stages = Stages::new();
        for (stage, id) in events {
            stages.entry(self.name(pattern, stage).to_owned()).or_default().push(id);
        }
        stages
    }

    /// Gives the input to an engine, item by item, and notes what comes with each.
    fn drive(&self, mut engine: impl Driven) -> Result<Given, String> {
        let mut given = Given::default();
        let mut out = ensue_engine::Outputs::default();
        for (at, item) in self.input.iter().enumerate() {
            match item {
                Item::Event(row) => engine.push(row.clone(), &mut out)?,
                Item::Watermark(watermark) => engine.advance(*watermark, &mut out)?,
            }
            self.note(at, &mut out, &mut given);
        }
        Ok(given)
    }

    fn note(&self, at: usize, out: &mut ensue_engine::Outputs<Row>, given: &mut Given) {
        let stages = |run: &Partial<Row>| {
            self.stages(run.pattern, run.events.iter().map(|(stage, taken)| (*stage, id_of(&taken.event))))
        };
        for found in out.matches.drain(..) {
            given.note_match(found.run.pattern, &found.run.key, MatchLine { at, stages: stages(&found.run) });
        }
        for lapsed in out.timeouts.drain(..) {
            let line = TimeoutLine {
                at,
                ts: lapsed.deadline.as_millis(),
                stages: stages(&lapsed.run),
                awaiting: Some(self.names(lapsed.run.pattern, &lapsed.awaiting)),
            };
            given.note_timeout(lapsed.run.pattern, &lapsed.run.key, line);
        }
        given.outputs.late.extend(out.late.drain(..).map(|row| id_of(&row)));
        given.rejected.extend(out.rejected.drain(..).map(|rejected| id_of(&rejected.event)));
    }
}

impl Given {
    fn note_match(&mut self, pattern: usize, key: &[Value<'static>], line: MatchLine) {
        let sequence = self.sequences.entry((Kind::Match, pattern, name_of(key))).or_default();
        sequence.push(MatchLine { at: 0, ..line.clone() }.to_string());
        self.outputs.matches.push(line);
    }

    fn note_timeout(&mut self, pattern: usize, key: &[Value<'static>], line: TimeoutLine) {
        let sequence = self.sequences.entry((Kind::Timeout, pattern, name_of(key))).or_default();
        sequence.push(TimeoutLine { at: 0, ..line.clone() }.to_string());
        self.outputs.timeouts.push(line);
    }

    /// How another reading differs from this one, if it does.
    fn difference(&self, other: &Given) -> Option<How> {
        if let Some(difference) = self.outputs.difference(&other.outputs) {
            return Some(How::Outputs(difference));
        }
        if self.rejected != other.rejected {
            return Some(How::Rejected(self.rejected.clone(), other.rejected.clone()));
        }
        let differs = |(kind, expected): &(&(Kind, usize, String), &Vec<String>)| {
            other.sequences.get(*kind).is_some_and(|came| came != *expected)
        };
        let (place, expected) = self.sequences.iter().find(differs)?;
        let (came, key) = (&other.sequences[place], &place.2);
        Some(How::Order(format!(
            "  order of the outputs of key {key}\n    expected\n      {}\n    came\n      {}\n",
            expected.join("\n      "),
            came.join("\n      ")
        )))
    }

    /// As if what is in order of arrival had no order.
    fn without_arrival(mut self) -> Given {
        self.outputs.late.sort_unstable();
        self.rejected.sort_unstable();
        self
    }
}

/// What takes events and watermarks.
trait Driven {
    fn push(&mut self, row: Row, out: &mut ensue_engine::Outputs<Row>) -> Result<(), String>;
    fn advance(&mut self, watermark: Timestamp, out: &mut ensue_engine::Outputs<Row>) -> Result<(), String>;
}

impl Driven for Engine<Row> {
    fn push(&mut self, row: Row, out: &mut ensue_engine::Outputs<Row>) -> Result<(), String> {
        Engine::push(self, row, out).map_err(text)
    }

    fn advance(&mut self, watermark: Timestamp, out: &mut ensue_engine::Outputs<Row>) -> Result<(), String> {
        Engine::advance(self, watermark, out).map_err(text)
    }
}

impl Driven for Sharded<Row> {
    fn push(&mut self, row: Row, out: &mut ensue_engine::Outputs<Row>) -> Result<(), String> {
        Sharded::push(self, row, out).map_err(text)
    }

    fn advance(&mut self, watermark: Timestamp, out: &mut ensue_engine::Outputs<Row>) -> Result<(), String> {
        Sharded::advance(self, watermark, out).map_err(text)
    }
}

/// An engine that is saved and restored after everything it is given.
struct Restarted {
    patterns: Arc<Patterns>,
    config: Config,
    engine: Engine<Row>,
}

impl Restarted {
    fn restart(&mut self) -> Result<(), String> {
        let bytes = self.engine.snapshot().map_err(text)?;
        self.engine = Engine::restore(&self.patterns, self.config.clone(), &bytes).map_err(text)?;
        Ok(())
    }
}

impl Driven for Restarted {
    fn push(&mut self, row: Row, out: &mut ensue_engine::Outputs<Row>) -> Result<(), String> {
        Driven::push(&mut self.engine, row, out)?;
        self.restart()
    }

    fn advance(&mut self, watermark: Timestamp, out: &mut ensue_engine::Outputs<Row>) -> Result<(), String> {
        Driven::advance(&mut self.engine, watermark, out)?;
        self.restart()
    }
}

/// Runs a case in every way, and compares each with the reference; the case's own expectation is not looked at. The
/// `seed` shuffles. Gives how many matches and timeouts there were.
///
/// # Errors
/// The first reading that differs.
pub fn agree(case: &Case, patterns: &Patterns, seed: u64) -> Result<usize, Box<Disagreement>> {
    let prepared = Prepared::with(patterns.clone(), &case.input);
    let mut case = case.clone();
    let reference = match prepared.given(Reading::Reference) {
        Ok(given) => given,
        Err(why) => return Err(Disagreement::new("the reference", &case, How::Failed(why))),
    };
    case.expected = reference.outputs.clone();
    case.expected.sort();
    for (name, reading) in [
        ("the engine", Reading::Engine),
        ("the engine, saved and restored after every item", Reading::Restarted),
        ("the engine on four shards", Reading::Shards(4)),
    ] {
        compare(name, &case, &reference, prepared.given(reading))?;
    }

    let reference = reference.without_arrival();
    let shuffled = variants::shuffled(&case, seed);
    let given = Prepared::with(patterns.clone(), &shuffled.input).given(Reading::Engine).map(Given::without_arrival);
    compare("the engine, with the events shuffled between two watermarks", &shuffled, &reference, given)?;

    if case.expected.late.is_empty() && is_of_events_alone(patterns) {
        let untimed = |given: Given| Given { outputs: variants::untimed(given.outputs), ..given };
        let unhurried = variants::unhurried(&case);
        let given = Prepared::with(patterns.clone(), &unhurried.input).given(Reading::Engine);
        let given = given.map(Given::without_arrival).map(untimed);
        compare("the engine, with the last watermark only", &unhurried, &untimed(reference), given)?;
    }
    Ok(case.expected.matches.len() + case.expected.timeouts.len())
}

fn compare(
    reading: &str,
    case: &Case,
    expected: &Given,
    given: Result<Given, String>,
) -> Result<(), Box<Disagreement>> {
    match given.map(|given| expected.difference(&given)) {
        Ok(None) => Ok(()),
        Ok(Some(how)) => Err(Disagreement::new(reading, case, how)),
        Err(why) => Err(Disagreement::new(reading, case, How::Failed(why))),
    }
}

/// Whether what comes out depends on the events alone, and not on how far apart the watermarks are. With a window and a
/// skip strategy it does not: what a match drops times out instead if the watermark that brought the match was past its
/// deadline as well.
fn is_of_events_alone(patterns: &Patterns) -> bool {
    patterns.patterns.iter().all(|pattern| pattern.skip == Skip::None || !has_window(pattern))
}

fn has_window(pattern: &Pattern) -> bool {
    pattern.within.is_some() || has_step_window(&pattern.sequence)
}

fn has_step_window(sequence: &Sequence) -> bool {
    sequence.steps.iter().any(|step| step.within.is_some() || step.term.sequences().iter().any(has_step_window))
}

impl Disagreement {
    fn new(reading: &str, case: &Case, how: How) -> Box<Self> {
        Box::new(Disagreement { reading: reading.to_owned(), case: case.clone(), how })
    }
}

impl fmt::Display for Disagreement {
    /// What differs, and the case as a line for `tests/corpus`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} does not give what the reference gives", self.reading)?;
        write!(f, "{}{}", self.case, self.how)?;
        writeln!(f, "{}", serde_json::to_string(&self.case).expect("a case is JSON"))
    }
}

impl fmt::Display for How {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            How::Outputs(difference) => write!(f, "{difference}"),
            How::Order(lines) => write!(f, "{lines}"),
            How::Rejected(expected, came) => {
                writeln!(f, "  rejected\n    expected {expected:?}\n    came     {came:?}")
            }
            How::Failed(why) => writeln!(f, "  error\n    {why}"),
        }
    }
}

/// A key, for a person.
fn name_of(key: &[Value<'static>]) -> String {
    key.iter().map(Value::to_string).collect::<Vec<_>>().join(", ")
}

fn item_of(item: &Input, patterns: &Patterns) -> Item<Row> {
    match item {
        Input::Event { e } => Item::Event(row_of(e, patterns)),
        Input::Watermark { wm } => Item::Watermark(Timestamp::from_millis(*wm)),
    }
}

/// The event's bytes are its id: so the outputs say which events the engine really gave back.
fn row_of(event: &CaseEvent, patterns: &Patterns) -> Row {
    let row = event.row(patterns);
    Row::of_text(row.time, &event.id.to_string(), row.values()).of_stream(row.stream())
}

fn id_of(row: &Row) -> i64 {
    let id = row.raw().parse().ok();
    id.expect("row_of has written the id")
}

fn text(error: ensue_engine::Error) -> String {
    error.to_string()
}

fn message_of(panic: &(dyn std::any::Any + Send)) -> String {
    let message = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let message = message.or_else(|| panic.downcast_ref::<String>().cloned());
    format!("panicked: {}", message.unwrap_or_default())
}
