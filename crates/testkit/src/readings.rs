//! The ways to run a case. They must all give the same.
//!
//! Knows the language and the engine by their front doors only. What the engine looks like from outside is written here
//! and nowhere else in this crate.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use ensue_engine::{Config, Engine, LEVEL_POSITIONS, OnChange, Snapshot};
use ensue_lang::{Diagnostics, Options, Source};
use ensue_model::output::Taken;
use ensue_model::pattern::{Pattern, Patterns, Sequence, Skip, StageId};
use ensue_model::record::{Emission, Values};
use ensue_model::table::{Table, TableId};
use ensue_model::{Event, Partial, Row, Schema, Tables, Timestamp, Value};
use ensue_runtime::Sharded;

use crate::case::{self, Case, Difference, Input, MatchLine, Outputs, RecordLine, Stages, TimeoutLine};
use crate::reference::{self, Composed, Item};
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
    /// The engine, saved after every input item and restored as if the patterns had changed, though they are the same.
    Changed,
    /// The engine on so many threads.
    Shards(usize),
}

/// A case with its patterns compiled.
#[derive(Clone, Debug)]
pub struct Prepared {
    patterns: Arc<Patterns>,
    tables: Vec<(TableId, Arc<Table>)>,
    input: Vec<Item<Row>>,
}

/// Why a case cannot run.
#[derive(Clone, Debug)]
pub enum Refused {
    /// The compiler refuses the patterns.
    Patterns(Diagnostics),
    /// An event is of a stream that the caller does not feed.
    Stream(i64, String),
    /// There are rows for a table that is not declared.
    Table(String),
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
    /// It rejects other events.
    Rejected(Vec<String>, Vec<String>),
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
    /// The records that patterns read and have no key for, sorted.
    rejected_records: Vec<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Kind {
    Match,
    Timeout,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refused::Patterns(diagnostics) => diagnostics.fmt(f),
            Refused::Stream(id, stream) => writeln!(f, "error: event {id} is of stream `{stream}`, which nobody feeds"),
            Refused::Table(table) => writeln!(f, "error: there are rows for table `{table}`, which is not declared"),
        }
    }
}

impl Prepared {
    /// Compiles the patterns of a case, over the streams that they declare, or over fields that nobody did.
    ///
    /// # Errors
    /// If the patterns do not compile; if the case names a stream or a table that they do not.
    pub fn of(case: &Case) -> Result<Prepared, Refused> {
        let source = Source::new(format!("{}.pattern", case.id), case.pattern.clone());
        let options = Options { schema: Schema::open(), ..Options::default() };
        let compiled = ensue_lang::compile(&[source], &options).map_err(Refused::Patterns)?;
        Prepared::with(compiled.patterns, case)
    }

    /// Patterns that were compiled elsewhere, with the input and the tables of a case.
    ///
    /// # Errors
    /// If the case names a stream or a table that the patterns do not.
    pub fn with(patterns: Patterns, case: &Case) -> Result<Prepared, Refused> {
        let input = case.input.iter().map(|item| item_of(item, &patterns)).collect::<Result<_, _>>()?;
        let table = |(name, rows): (&String, &Vec<_>)| {
            let table = patterns.table(name).ok_or_else(|| Refused::Table(name.clone()))?;
            let shape = &patterns.tables[usize::from(table.0)];
            Ok((table, Arc::new(case::table_of(shape, rows))))
        };
        let tables = case.tables.iter().map(table).collect::<Result<_, _>>()?;
        Ok(Prepared { patterns: Arc::new(patterns), tables, input })
    }

    /// The compiled patterns.
    pub fn patterns(&self) -> &Patterns {
        &self.patterns
    }

    /// What arrives.
    pub fn input(&self) -> &[Item<Row>] {
        &self.input
    }

    /// The rows of the tables.
    pub fn tables(&self) -> &[(TableId, Arc<Table>)] {
        &self.tables
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
        match reading {
            Reading::Reference => Ok(self.reference()),
            Reading::Engine => self.drive(self.engine()?),
            Reading::Restarted => self.drive(Restarted { prepared: self, engine: self.engine()?, is_changed: false }),
            Reading::Changed => self.drive(Restarted { prepared: self, engine: self.engine()?, is_changed: true }),
            Reading::Shards(shards) => {
                self.drive(Sharded::new(&self.patterns, Config::default(), shards).map_err(text)?)
            }
        }
    }

    fn engine(&self) -> Result<Engine<Row>, String> {
        Engine::new(&self.patterns, Config::default()).map_err(text)
    }

    fn filled_tables(&self) -> Tables {
        Tables::of(&self.patterns.tables, &self.tables)
    }

    /// The engine of a snapshot of other patterns, and how many runs were dropped for that.
    fn changed(&self, bytes: &[u8]) -> Result<(Engine<Row>, u64), String> {
        let (config, tables) = (Config::default(), self.filled_tables());
        let snapshot = Snapshot::<Row>::of_any(bytes).map_err(text)?;
        let rows = self.input.iter().filter_map(|item| match item {
            Item::Event(row) => Some((id_of(row)?, Arc::new(row.clone()))),
            Item::Watermark(_) => None,
        });
        let rows: BTreeMap<i64, Arc<Row>> = rows.collect();
        // Each event as these patterns see it; the records of patterns are as they were.
        let renew = |event: &Arc<Row>| Some(id_of(event).map_or(event, |id| &rows[&id]).clone());
        let changed = snapshot.change(&self.patterns, &config, &tables, OnChange::Keep, renew).map_err(text)?;
        let dropped = changed.changes.iter().map(|change| change.fate.dropped()).sum();
        Ok((Engine::load(&self.patterns, config, changed.snapshot).map_err(text)?, dropped))
    }

    /// What the case gives if the patterns become others before an item. None where runs are dropped for
    /// that.
    ///
    /// # Errors
    /// If the engine refuses or fails.
    pub fn outputs_of_change(&self, to: &Prepared, at: usize) -> Result<Option<Outputs>, String> {
        let (mut engine, mut given) = (self.engine()?, Given::default());
        self.tables.iter().for_each(|(table, rows)| engine.set_table(*table, rows.clone()));
        self.drive_over(0..at, &mut engine, &mut given)?;
        let (mut engine, dropped) = to.changed(&engine.snapshot().map_err(text)?)?;
        to.tables.iter().for_each(|(table, rows)| engine.set_table(*table, rows.clone()));
        to.drive_over(at..self.input.len(), &mut engine, &mut given)?;
        Ok((dropped == 0).then_some(given.outputs))
    }

    fn reference(&self) -> Given {
        let composed = reference::run_all(&self.patterns, &self.filled_tables(), &self.input);
        let mut given = Given::default();
        for (index, outcome) in composed.outcomes.iter().enumerate() {
            let stages = |events: &[(StageId, usize)]| {
                let named = events.iter().map(|(stage, position)| (*stage, self.id_at(&composed, *position)));
                self.stages(index, named)
            };
            for found in &outcome.matches {
                let line = self.match_line(index, found.at, stages(&found.events), found.record.as_ref());
                given.note_match(index, &found.key, line);
            }
            for lapsed in &outcome.timeouts {
                let stages = stages(&lapsed.events);
                let line = TimeoutLine { at: lapsed.at, ts: lapsed.deadline.as_millis(), stages, ..Default::default() };
                let line = self.timeout_line(index, line, &lapsed.awaiting, lapsed.record.as_ref());
                given.note_timeout(index, &lapsed.key, line);
            }
            let late = outcome.late.iter().filter(|position| **position < self.input.len());
            given.outputs.late = late.map(|position| self.id_at(&composed, *position)).collect();
        }
        composed.rejected.iter().for_each(|position| given.note_rejected(event_at(&composed.events, *position)));
        given
    }

    /// By which outputs name an event of the reference.
    fn id_at(&self, composed: &Composed<Row>, position: usize) -> i64 {
        let Some(number) = position.checked_sub(self.input.len()) else {
            return id_of(event_at(&composed.events, position)).expect("it has come with the input");
        };
        let level = composed.levels[number];
        let before = composed.levels[..number].iter().filter(|other| **other == level).count();
        case::record_id(level, before as u64)
    }

    /// What a case says of a match.
    fn match_line(&self, pattern: usize, at: usize, stages: Stages, record: Option<&Values>) -> MatchLine {
        let record = record_line(&self.patterns.patterns[pattern].emit, record);
        MatchLine { pattern: self.pattern_name(pattern), at, stages, record }
    }

    /// What a case says of a timeout.
    fn timeout_line(
        &self,
        pattern: usize,
        line: TimeoutLine,
        awaiting: &[StageId],
        record: Option<&Values>,
    ) -> TimeoutLine {
        TimeoutLine {
            pattern: self.pattern_name(pattern),
            awaiting: Some(self.names(pattern, awaiting)),
            record: record_line(&self.patterns.patterns[pattern].timeout, record),
            ..line
        }
    }

    /// Where there are several.
    fn pattern_name(&self, pattern: usize) -> Option<String> {
        let patterns = &self.patterns.patterns;
        (patterns.len() > 1).then(|| patterns[pattern].name.clone())
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
        for (table, rows) in &self.tables {
            engine.set_table(*table, rows.clone(), &mut out)?;
        }
        self.drive_over(0..self.input.len(), &mut engine, &mut given)?;
        Ok(given)
    }

    fn drive_over(&self, items: Range<usize>, engine: &mut impl Driven, given: &mut Given) -> Result<(), String> {
        let mut out = ensue_engine::Outputs::default();
        for at in items {
            match &self.input[at] {
                Item::Event(row) => engine.push(row.clone(), &mut out)?,
                Item::Watermark(watermark) => engine.advance(*watermark, &mut out)?,
            }
            self.note(at, &mut out, given);
        }
        Ok(())
    }

    fn note(&self, at: usize, out: &mut ensue_engine::Outputs<Row>, given: &mut Given) {
        let stages = |run: &Partial<Row>| {
            self.stages(run.pattern, run.events.iter().map(|(stage, taken)| (*stage, id_of_taken(taken))))
        };
        for found in out.matches.drain(..) {
            let line = self.match_line(found.run.pattern, at, stages(&found.run), found.record.as_ref());
            given.note_match(found.run.pattern, &found.run.key, line);
        }
        for lapsed in out.timeouts.drain(..) {
            let (pattern, stages) = (lapsed.run.pattern, stages(&lapsed.run));
            let line = TimeoutLine { at, ts: lapsed.deadline.as_millis(), stages, ..Default::default() };
            let line = self.timeout_line(pattern, line, &lapsed.awaiting, lapsed.record.as_ref());
            given.note_timeout(pattern, &lapsed.run.key, line);
        }
        given.outputs.late.extend(out.late.drain(..).map(|row| id_of(&row).expect("no record is late")));
        out.rejected.drain(..).for_each(|rejected| given.note_rejected(&rejected.event));
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

    fn note_rejected(&mut self, row: &Row) {
        let Some(id) = id_of(row) else {
            let values: Vec<String> = row.values().map(|(field, value)| format!("{}: {value}", field.0)).collect();
            let record = format!("record of stream {} at {}: {}", row.stream().0, row.time, values.join(", "));
            self.rejected_records.push(record);
            self.rejected_records.sort();
            return;
        };
        self.outputs.rejected.get_or_insert_default().push(id);
    }

    /// How another reading differs from this one, if it does.
    fn difference(&self, other: &Given) -> Option<How> {
        if let Some(difference) = self.outputs.difference(&other.outputs) {
            return Some(How::Outputs(difference));
        }
        if self.rejected() != other.rejected() {
            return Some(How::Rejected(self.rejected(), other.rejected()));
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

    /// All that was rejected: first events of the input, by id.
    fn rejected(&self) -> Vec<String> {
        let ids = self.outputs.rejected.iter().flatten().map(i64::to_string);
        ids.chain(self.rejected_records.iter().cloned()).collect()
    }

    /// As if what is in order of arrival had no order.
    fn without_arrival(mut self) -> Given {
        self.outputs.late.sort_unstable();
        self.outputs.rejected.iter_mut().for_each(|ids| ids.sort_unstable());
        self
    }
}

/// What takes events and watermarks.
trait Driven {
    fn push(&mut self, row: Row, out: &mut ensue_engine::Outputs<Row>) -> Result<(), String>;
    fn advance(&mut self, watermark: Timestamp, out: &mut ensue_engine::Outputs<Row>) -> Result<(), String>;
    fn set_table(
        &mut self,
        table: TableId,
        rows: Arc<Table>,
        out: &mut ensue_engine::Outputs<Row>,
    ) -> Result<(), String>;
}

impl Driven for Engine<Row> {
    fn push(&mut self, row: Row, out: &mut ensue_engine::Outputs<Row>) -> Result<(), String> {
        Engine::push(self, row, out).map_err(text)
    }

    fn advance(&mut self, watermark: Timestamp, out: &mut ensue_engine::Outputs<Row>) -> Result<(), String> {
        Engine::advance(self, watermark, out).map_err(text)
    }

    fn set_table(
        &mut self,
        table: TableId,
        rows: Arc<Table>,
        _: &mut ensue_engine::Outputs<Row>,
    ) -> Result<(), String> {
        Engine::set_table(self, table, rows);
        Ok(())
    }
}

impl Driven for Sharded<Row> {
    fn push(&mut self, row: Row, out: &mut ensue_engine::Outputs<Row>) -> Result<(), String> {
        Sharded::push(self, row, out).map_err(text)
    }

    fn advance(&mut self, watermark: Timestamp, out: &mut ensue_engine::Outputs<Row>) -> Result<(), String> {
        Sharded::advance(self, watermark, out).map_err(text)
    }

    fn set_table(
        &mut self,
        table: TableId,
        rows: Arc<Table>,
        out: &mut ensue_engine::Outputs<Row>,
    ) -> Result<(), String> {
        Sharded::set_table(self, table, rows, out).map_err(text)
    }
}

/// An engine that is saved and restored after everything it is given.
struct Restarted<'p> {
    prepared: &'p Prepared,
    engine: Engine<Row>,
    /// Whether it is restored as one of changed patterns.
    is_changed: bool,
}

impl Restarted<'_> {
    fn restart(&mut self) -> Result<(), String> {
        let bytes = self.engine.snapshot().map_err(text)?;
        self.engine = if self.is_changed {
            let (engine, dropped) = self.prepared.changed(&bytes)?;
            if dropped > 0 {
                return Err(format!("{dropped} runs were dropped, though nothing has changed"));
            }
            engine
        } else {
            Engine::restore(&self.prepared.patterns, Config::default(), &bytes).map_err(text)?
        };
        // A snapshot does not hold them.
        self.prepared.tables.iter().for_each(|(table, rows)| self.engine.set_table(*table, rows.clone()));
        Ok(())
    }
}

impl Driven for Restarted<'_> {
    fn push(&mut self, row: Row, out: &mut ensue_engine::Outputs<Row>) -> Result<(), String> {
        Driven::push(&mut self.engine, row, out)?;
        self.restart()
    }

    fn advance(&mut self, watermark: Timestamp, out: &mut ensue_engine::Outputs<Row>) -> Result<(), String> {
        Driven::advance(&mut self.engine, watermark, out)?;
        self.restart()
    }

    fn set_table(
        &mut self,
        table: TableId,
        rows: Arc<Table>,
        out: &mut ensue_engine::Outputs<Row>,
    ) -> Result<(), String> {
        Driven::set_table(&mut self.engine, table, rows, out)
    }
}

/// Runs a case in every way, and compares each with the reference; the case's own expectation is not looked at. The
/// `seed` shuffles. Gives how many matches and timeouts there were.
///
/// # Errors
/// The first reading that differs.
pub fn agree(case: &Case, patterns: &Patterns, seed: u64) -> Result<usize, Box<Disagreement>> {
    let prepare = |case: &Case| {
        let prepared = Prepared::with(patterns.clone(), case);
        prepared.map_err(|refused| Disagreement::new("the case", case, How::Failed(refused.to_string())))
    };
    let prepared = prepare(case)?;
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
        ("the engine, restored after every item as if the patterns had changed", Reading::Changed),
    ] {
        compare(name, &case, &reference, prepared.given(reading))?;
    }
    for shards in shards(patterns) {
        let name = format!("the engine on {shards} shards");
        compare(&name, &case, &reference, prepared.given(Reading::Shards(*shards)))?;
    }

    let reference = reference.without_arrival();
    let shuffled = variants::shuffled(&case, seed);
    let given = prepare(&shuffled)?.given(Reading::Engine).map(Given::without_arrival);
    compare("the engine, with the events shuffled between two watermarks", &shuffled, &reference, given)?;

    if case.expected.late.is_empty() && is_of_events_alone(patterns) {
        let untimed = |given: Given| Given { outputs: variants::untimed(given.outputs), ..given };
        let unhurried = variants::unhurried(&case);
        let given = prepare(&unhurried)?.given(Reading::Engine);
        let given = given.map(Given::without_arrival).map(untimed);
        compare("the engine, with the last watermark only", &unhurried, &untimed(reference), given)?;
    }
    Ok(case.expected.matches.len() + case.expected.timeouts.len())
}

/// On how many shards to run: what has one key and one pattern differs little from one number to another.
fn shards(patterns: &Patterns) -> &'static [usize] {
    let is_one = patterns.patterns.len() == 1 && patterns.patterns[0].key.ways.len() == 1;
    if is_one { &[4] } else { &[1, 2, 3, 5] }
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

fn item_of(item: &Input, patterns: &Patterns) -> Result<Item<Row>, Refused> {
    match item {
        Input::Event { e } => {
            let refused = || Refused::Stream(e.id, e.stream.clone().unwrap_or_default());
            e.row(patterns).map(Item::Event).ok_or_else(refused)
        }
        Input::Watermark { wm } => Ok(Item::Watermark(Timestamp::from_millis(*wm))),
    }
}

fn event_at(items: &[Item<Row>], position: usize) -> &Row {
    match &items[position] {
        Item::Event(row) => row,
        Item::Watermark(_) => unreachable!("outputs hold events only"),
    }
}

/// The id of an event of the input; what a pattern emitted has none.
fn id_of(row: &Row) -> Option<i64> {
    row.raw().parse().ok()
}

/// By which outputs name an event of the engine: where it came from the input is told by its bytes, and else by its position.
fn id_of_taken(taken: &Taken<Row>) -> i64 {
    id_of(&taken.event).unwrap_or_else(|| {
        let level = taken.position / LEVEL_POSITIONS - 1;
        case::record_id(level as usize, taken.position % LEVEL_POSITIONS)
    })
}

fn record_line(emission: &Emission, values: Option<&Values>) -> Option<RecordLine> {
    Some(RecordLine::new(emission.record()?, values?))
}

fn text(error: ensue_engine::Error) -> String {
    error.to_string()
}

fn message_of(panic: &(dyn std::any::Any + Send)) -> String {
    let message = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let message = message.or_else(|| panic.downcast_ref::<String>().cloned());
    format!("panicked: {}", message.unwrap_or_default())
}
