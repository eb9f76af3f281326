//! A case: a pattern, what arrives, and what must come out. One JSON object a line.
//!
//! ```json
//! {"id": "loops-1-000007",
//!  "pattern": "pattern p\nkey k\nbegin s1 where type == \"a\" ...",
//!  "input": [{"e": {"id": 1, "ts": 1000, "k": "k1", "type": "a", "v": 5}}, {"wm": 1500}],
//!  "expected": {"matches":  [{"at": 3, "stages": {"s1": [1], "s2": [2, 4]}}],
//!               "timeouts": [{"at": 7, "ts": 2000, "stages": {"s1": [3]}}],
//!               "late": [5]}}
//! ```
//!
//! An event has an `id`, by which the outputs name it, a `ts` in milliseconds, and whatever fields the pattern asks for.
//! `at` is the position of the input item while which the output came, `ts` of a timeout its deadline. There is no end of
//! the input: what a last watermark would bring is not expected.
//!
//! The text may be a whole file. Where it declares several streams, an event says its own by `stream`; where it has several
//! patterns, an output says its own by `pattern`, and comes with the values of its `record`. A record that another pattern
//! has taken is named by a number below zero, see [`record_id`].

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use ensue_model::record::{Record, Values};
use ensue_model::table::{Table, TableShape};
use ensue_model::{Patterns, Row, StreamId, Timestamp, Type, Value};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

/// A pattern, what arrives, and what must come out.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Case {
    /// The case's name.
    pub id: String,
    /// The text of the pattern, or of a file of them.
    pub pattern: String,
    /// The rows of the tables that the patterns look things up in.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tables: BTreeMap<String, Vec<Map<String, Json>>>,
    /// What arrives, in order.
    pub input: Vec<Input>,
    /// What must come out.
    pub expected: Outputs,
}

/// What arrives.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Input {
    /// An event.
    Event {
        /// The event.
        e: CaseEvent,
    },
    /// A watermark.
    Watermark {
        /// In milliseconds.
        wm: i64,
    },
}

/// An event of a case.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct CaseEvent {
    /// By which the outputs name it.
    pub id: i64,
    /// Its time in milliseconds.
    pub ts: i64,
    /// The name of its stream; the first one, if it does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stream: Option<String>,
    /// Its other fields.
    #[serde(flatten)]
    pub fields: Map<String, Json>,
}

/// What comes out.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Outputs {
    /// The matches.
    pub matches: Vec<MatchLine>,
    /// The timeouts.
    pub timeouts: Vec<TimeoutLine>,
    /// The ids of late events, in order of arrival.
    pub late: Vec<i64>,
    /// The ids of the events that no pattern has a key for, in order of arrival. A case need not say; then they are not
    /// compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rejected: Option<Vec<i64>>,
}

/// The ids of the events that each stage took; stages that took none are left out.
pub type Stages = BTreeMap<String, Vec<i64>>;

/// The values of a record that an output comes out as.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RecordLine(Map<String, Json>);

/// A match.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Default, Serialize, Deserialize)]
pub struct MatchLine {
    /// The pattern that it is of, where there are several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pattern: Option<String>,
    /// The input item while which it came.
    pub at: usize,
    /// What it holds.
    pub stages: Stages,
    /// What it came out as. A case need not say of any match; then it is not compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<RecordLine>,
}

/// A timeout.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Default, Serialize, Deserialize)]
pub struct TimeoutLine {
    /// The pattern that it is of, where there are several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pattern: Option<String>,
    /// The input item while which it came.
    pub at: usize,
    /// Its deadline in milliseconds.
    pub ts: i64,
    /// What it holds.
    pub stages: Stages,
    /// The stages that it was waiting for, in the order of the pattern. A case need not say; then it is not compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub awaiting: Option<Vec<String>>,
    /// What it came out as. A case need not say of any timeout; then it is not compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<RecordLine>,
}

/// How what came out differs from what was expected: all outputs of both, each with its mark, in the order of the input.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Difference {
    lines: Vec<(Mark, String)>,
}

/// What is to say of an output.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Mark {
    /// It was expected and came.
    Right,
    /// It was expected and did not come.
    Missing,
    /// It came and was not expected.
    Unexpected,
    /// It came again.
    Repeated,
}

/// How many records of one level have names of their own.
const RECORDS_PER_LEVEL: i64 = 10_000;

/// The id by which outputs name a record that patterns have taken: the first that the patterns of the first level emit for
/// others is -1, the next -2; the first of the level above is -10001.
pub fn record_id(level: usize, number: u64) -> i64 {
    -(level as i64 * RECORDS_PER_LEVEL + number as i64 + 1)
}

impl CaseEvent {
    /// The event as a row; a field that it does not have is null. Its bytes are its id: so the outputs say which events the
    /// engine really gave back. None if the caller feeds no stream of that name.
    pub fn row(&self, patterns: &Patterns) -> Option<Row> {
        let stream = match &self.stream {
            None => StreamId(0),
            Some(name) => patterns.stream(name)?,
        };
        let shape = patterns.streams.get(usize::from(stream.0)).filter(|shape| !shape.is_emitted)?;
        let value = |name: &str, kind: &Type| match name {
            "id" => Value::Int(self.id),
            "ts" if *kind == Type::Timestamp => Value::Timestamp(Timestamp::from_millis(self.ts)),
            "ts" => Value::Int(self.ts),
            name => self.fields.get(name).map_or(Value::Null, value_of),
        };
        let values = shape.fields.iter().map(|id| {
            let field = patterns.schema.get(*id);
            (*id, value(&field.name, &field.kind))
        });
        Some(Row::of_text(Timestamp::from_millis(self.ts), &self.id.to_string(), values).of_stream(stream))
    }
}

/// The rows of a table; columns that a row does not have are null.
pub fn table_of(shape: &TableShape, rows: &[Map<String, Json>]) -> Table {
    let mut table = Table::new(shape);
    for row in rows {
        let values = shape.columns.iter().map(|column| row.get(&column.name).map_or(Value::Null, value_of));
        table.insert(values.collect());
    }
    table
}

/// A JSON value as the language has it: whole numbers are ints, others floats.
fn value_of(json: &Json) -> Value<'static> {
    match json {
        Json::Null => Value::Null,
        Json::Bool(value) => Value::Bool(*value),
        Json::Number(number) => match number.as_i64() {
            Some(int) => Value::Int(int),
            None => number.as_f64().map_or(Value::Null, Value::Float),
        },
        Json::String(text) => text.clone().into(),
        Json::Array(items) => Value::List(items.iter().map(value_of).collect()),
        Json::Object(items) => {
            Value::Record(items.iter().map(|(name, item)| (Arc::from(name.as_str()), value_of(item))).collect())
        }
    }
}

/// A value as JSON; what JSON does not have is text as the language writes it.
fn json_of(value: &Value<'_>) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Bool(value) => (*value).into(),
        Value::Int(value) => (*value).into(),
        Value::Float(value) => (*value).into(),
        Value::String(text) => text.as_str().into(),
        Value::Decimal(_) | Value::Timestamp(_) | Value::Duration(_) => value.to_string().into(),
        Value::List(items) => items.iter().map(json_of).collect(),
        Value::Record(items) => items.iter().map(|(name, item)| (name.to_string(), json_of(item))).collect(),
    }
}

impl RecordLine {
    /// The values of a record, by the names of its entries.
    pub fn new(record: &Record, values: &Values) -> Self {
        let entries = record.entries.iter().zip(values);
        RecordLine(entries.map(|(entry, value)| (entry.name.clone(), json_of(value))).collect())
    }
}

impl Ord for RecordLine {
    fn cmp(&self, other: &Self) -> Ordering {
        self.to_string().cmp(&other.to_string())
    }
}

impl PartialOrd for RecordLine {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for RecordLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", Json::Object(self.0.clone()))
    }
}

impl Outputs {
    /// How `actual` differs from what is expected here, if it does. Outputs are compared as sets for each `at`: the order
    /// within one is not part of a case.
    pub fn difference(&self, actual: &Outputs) -> Option<Difference> {
        let mut lines = self.compare_matches(actual);
        lines.extend(self.compare_timeouts(actual));
        lines.extend(compare_ids("late", &self.late, &actual.late));
        if let Some(rejected) = &self.rejected {
            lines.extend(compare_ids("rejected", rejected, actual.rejected.as_deref().unwrap_or(&[])));
        }
        let differs = lines.iter().any(|(mark, _)| *mark != Mark::Right);
        differs.then_some(Difference { lines })
    }

    fn compare_matches(&self, actual: &Outputs) -> Vec<(Mark, String)> {
        if self.matches.iter().any(|line| line.record.is_some()) {
            return compare(&self.matches, &actual.matches);
        }
        let unsaid = |line: &MatchLine| MatchLine { record: None, ..line.clone() };
        compare(&self.matches, &actual.matches.iter().map(unsaid).collect::<Vec<_>>())
    }

    fn compare_timeouts(&self, actual: &Outputs) -> Vec<(Mark, String)> {
        let says_awaiting = self.timeouts.iter().any(|line| line.awaiting.is_some());
        let says_record = self.timeouts.iter().any(|line| line.record.is_some());
        let said = |line: &TimeoutLine| TimeoutLine {
            awaiting: line.awaiting.clone().filter(|_| says_awaiting),
            record: line.record.clone().filter(|_| says_record),
            ..line.clone()
        };
        compare(&self.timeouts, &actual.timeouts.iter().map(said).collect::<Vec<_>>())
    }

    /// Sorts matches and timeouts, so that the same outputs look the same.
    pub fn sort(&mut self) {
        self.matches.sort();
        self.timeouts.sort();
    }
}

fn compare_ids(what: &str, expected: &[i64], actual: &[i64]) -> Vec<(Mark, String)> {
    if expected == actual {
        return Vec::new();
    }
    vec![(Mark::Missing, format!("{what} {expected:?}")), (Mark::Unexpected, format!("{what} {actual:?}"))]
}

fn compare<T: Ord + fmt::Display>(expected: &[T], actual: &[T]) -> Vec<(Mark, String)> {
    let expected: BTreeSet<&T> = expected.iter().collect();
    let mut times: BTreeMap<&T, usize> = expected.iter().map(|line| (*line, 0)).collect();
    for line in actual {
        *times.entry(line).or_default() += 1;
    }
    let mark = |line, times| match (expected.contains(line), times) {
        (_, 2..) => Mark::Repeated,
        (true, 0) => Mark::Missing,
        (true, _) => Mark::Right,
        (false, _) => Mark::Unexpected,
    };
    times.into_iter().map(|(line, times)| (mark(line, times), line.to_string())).collect()
}

impl fmt::Display for MatchLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "match{} at {}", of_pattern(&self.pattern), self.at)?;
        write_stages(f, &self.stages)?;
        write_record(f, self.record.as_ref())
    }
}

impl fmt::Display for TimeoutLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "timeout{} at {}, deadline {}", of_pattern(&self.pattern), self.at, self.ts)?;
        write_stages(f, &self.stages)?;
        if let Some(stages) = &self.awaiting {
            write!(f, ", awaiting {}", stages.join(" "))?;
        }
        write_record(f, self.record.as_ref())
    }
}

fn of_pattern(pattern: &Option<String>) -> String {
    pattern.as_ref().map_or_else(String::new, |pattern| format!(" of {pattern}"))
}

fn write_record(f: &mut fmt::Formatter<'_>, record: Option<&RecordLine>) -> fmt::Result {
    record.map_or(Ok(()), |record| write!(f, ", as {record}"))
}

fn write_stages(f: &mut fmt::Formatter<'_>, stages: &Stages) -> fmt::Result {
    for (index, (stage, ids)) in stages.iter().enumerate() {
        write!(f, "{} {stage} {ids:?}", if index == 0 { ":" } else { "," })?;
    }
    Ok(())
}

impl fmt::Display for Difference {
    /// One line an output, with what is to say of it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "  outputs")?;
        for (mark, line) in &self.lines {
            let word = match mark {
                Mark::Right => "",
                Mark::Missing => "MISSING",
                Mark::Unexpected => "UNEXPECTED",
                Mark::Repeated => "REPEATED",
            };
            writeln!(f, "    {word:<10}  {line}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Input::Event { e: CaseEvent { id, ts, stream, fields } } => {
                let of = stream.as_ref().map_or_else(String::new, |stream| format!(" of {stream}"));
                write!(f, "event {id}{of} at {ts}")?;
                fields.iter().try_for_each(|(name, value)| write!(f, " {name}={value}"))
            }
            Input::Watermark { wm } => write!(f, "watermark {wm}"),
        }
    }
}

impl fmt::Display for Case {
    /// The pattern and the input, as a person reads them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "case {}", self.id)?;
        self.pattern.lines().try_for_each(|line| writeln!(f, "    {line}"))?;
        for (name, rows) in &self.tables {
            writeln!(f, "  table {name}")?;
            rows.iter().try_for_each(|row| writeln!(f, "    {}", Json::Object(row.clone())))?;
        }
        writeln!(f, "  input")?;
        self.input.iter().enumerate().try_for_each(|(at, item)| writeln!(f, "    {at:>3}  {item}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outputs(matches: &[(usize, i64)]) -> Outputs {
        let line = |(at, id): &(usize, i64)| MatchLine {
            at: *at,
            stages: Stages::from([("a".to_owned(), vec![*id])]),
            ..MatchLine::default()
        };
        Outputs { matches: matches.iter().map(line).collect(), ..Outputs::default() }
    }

    fn shown(expected: &[(usize, i64)], actual: &[(usize, i64)]) -> Option<String> {
        outputs(expected).difference(&outputs(actual)).map(|difference| difference.to_string())
    }

    #[test]
    fn the_order_within_an_item_does_not_matter() {
        assert_eq!(shown(&[(1, 10), (1, 11)], &[(1, 11), (1, 10)]), None);
    }

    #[test]
    fn a_difference_shows_what_is_missing_unexpected_and_repeated() {
        let shown = shown(&[(1, 10), (1, 11), (2, 12)], &[(1, 10), (2, 11), (2, 12), (2, 12)]);
        let lines = [
            "  outputs",
            "                match at 1: a [10]",
            "    MISSING     match at 1: a [11]",
            "    UNEXPECTED  match at 2: a [11]",
            "    REPEATED    match at 2: a [12]",
            "",
        ];
        assert_eq!(shown.unwrap(), lines.join("\n"));
    }

    #[test]
    fn late_events_are_compared_in_order() {
        let late = |ids: &[i64]| Outputs { late: ids.to_vec(), ..Outputs::default() };
        assert!(late(&[1, 2]).difference(&late(&[2, 1])).is_some());
    }

    #[test]
    fn a_case_is_read_as_it_is_written() {
        let line = r#"{"id":"x","pattern":"begin a where true","input":[{"e":{"id":1,"ts":5,"k":"k1","v":2}},{"wm":9}],"expected":{"matches":[{"at":1,"stages":{"a":[1]}}],"timeouts":[],"late":[]}}"#;
        let case: Case = serde_json::from_str(line).unwrap();
        assert_eq!(serde_json::to_string(&case).unwrap(), line);
    }

    #[test]
    fn a_case_of_several_streams_and_patterns_is_read_as_it_is_written() {
        let line = r#"{"id":"x","pattern":"..","tables":{"t":[{"key":1}]},"input":[{"e":{"id":1,"ts":5,"stream":"s","v":2}}],"expected":{"matches":[{"pattern":"p","at":1,"stages":{"a":[-1]},"record":{"v":2}}],"timeouts":[],"late":[],"rejected":[1]}}"#;
        let case: Case = serde_json::from_str(line).unwrap();
        assert_eq!(serde_json::to_string(&case).unwrap(), line);
    }

    #[test]
    fn records_are_compared_where_a_case_says_them() {
        let of = |record: Option<&str>| {
            let mut outputs = outputs(&[(1, 10)]);
            outputs.matches[0].record = record.map(|text| serde_json::from_str(text).unwrap());
            outputs
        };
        let [none, one, two] = [of(None), of(Some(r#"{"v":1}"#)), of(Some(r#"{"v":2}"#))];
        assert!(none.difference(&one).is_none() && one.difference(&one).is_none());
        assert!(one.difference(&two).is_some() && one.difference(&none).is_some());
    }

    #[test]
    fn rejected_events_are_compared_where_a_case_says_them() {
        let rejected = |ids: Option<&[i64]>| Outputs { rejected: ids.map(<[i64]>::to_vec), ..Outputs::default() };
        assert!(rejected(None).difference(&rejected(Some(&[1]))).is_none());
        assert!(rejected(Some(&[])).difference(&rejected(Some(&[1]))).is_some());
    }
}
