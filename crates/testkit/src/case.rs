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
//! An event has an `id`, by which the outputs name it, a `ts` in milliseconds, and whatever fields the pattern asks for. Where
//! the pattern declares several streams, `stream` names the one that the event is of; if it names none, that is the first.
//! `at` is the position of the input item while which the output came, `ts` of a timeout its deadline. There is no end of
//! the input: what a last watermark would bring is not expected.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use ensue_model::schema::Field;
use ensue_model::{FieldId, Patterns, Row, StreamId, Timestamp, Value};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

/// A pattern, what arrives, and what must come out.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Case {
    /// The case's name.
    pub id: String,
    /// The pattern's text.
    pub pattern: String,
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
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct CaseEvent {
    /// By which the outputs name it.
    pub id: i64,
    /// Its time in milliseconds.
    pub ts: i64,
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
}

/// The ids of the events that each stage took; stages that took none are left out.
pub type Stages = BTreeMap<String, Vec<i64>>;

/// A match.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct MatchLine {
    /// The input item while which it came.
    pub at: usize,
    /// What it holds.
    pub stages: Stages,
}

/// A timeout.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct TimeoutLine {
    /// The input item while which it came.
    pub at: usize,
    /// Its deadline in milliseconds.
    pub ts: i64,
    /// What it holds.
    pub stages: Stages,
    /// The stages that it was waiting for, in the order of the pattern. A case need not say; then it is not compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub awaiting: Option<Vec<String>>,
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

impl CaseEvent {
    /// The event as the patterns read it; a field that it does not have is null.
    pub fn row(&self, patterns: &Patterns) -> Row {
        let stream = self.stream(patterns);
        let has = |field| match patterns.streams.as_slice() {
            [_] => true,
            streams => streams.get(usize::from(stream.0)).is_some_and(|stream| stream.fields.contains(&field)),
        };
        let fields = (0..).map(FieldId).zip(&patterns.schema.fields);
        let value = |(id, field): (FieldId, &Field)| if has(id) { self.field(&field.name) } else { Value::Null };
        Row::new(Timestamp::from_millis(self.ts), fields.map(value).collect()).of_stream(stream)
    }

    /// The stream that it is of; of one that the patterns do not know, none of theirs.
    fn stream(&self, patterns: &Patterns) -> StreamId {
        match self.fields.get("stream").and_then(Json::as_str) {
            Some(name) if patterns.streams.len() > 1 => patterns.stream(name).unwrap_or(StreamId(u16::MAX)),
            Some(_) | None => StreamId(0),
        }
    }

    fn field(&self, name: &str) -> Value<'static> {
        match name {
            "id" => Value::Int(self.id),
            "ts" => Value::Int(self.ts),
            name => self.fields.get(name).map_or(Value::Null, value_of),
        }
    }
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

impl Outputs {
    /// How `actual` differs from what is expected here, if it does. Outputs are compared as sets for each `at`: the order
    /// within one is not part of a case.
    pub fn difference(&self, actual: &Outputs) -> Option<Difference> {
        let mut lines = compare(&self.matches, &actual.matches);
        lines.extend(self.compare_timeouts(actual));
        if self.late != actual.late {
            lines.push((Mark::Missing, format!("late {:?}", self.late)));
            lines.push((Mark::Unexpected, format!("late {:?}", actual.late)));
        }
        let differs = lines.iter().any(|(mark, _)| *mark != Mark::Right);
        differs.then_some(Difference { lines })
    }

    fn compare_timeouts(&self, actual: &Outputs) -> Vec<(Mark, String)> {
        if self.timeouts.iter().any(|line| line.awaiting.is_some()) {
            return compare(&self.timeouts, &actual.timeouts);
        }
        let unsaid = |line: &TimeoutLine| TimeoutLine { awaiting: None, ..line.clone() };
        let actual: Vec<TimeoutLine> = actual.timeouts.iter().map(unsaid).collect();
        compare(&self.timeouts, &actual)
    }

    /// Sorts matches and timeouts, so that the same outputs look the same.
    pub fn sort(&mut self) {
        self.matches.sort();
        self.timeouts.sort();
    }
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
        write!(f, "match at {}", self.at)?;
        write_stages(f, &self.stages)
    }
}

impl fmt::Display for TimeoutLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "timeout at {}, deadline {}", self.at, self.ts)?;
        write_stages(f, &self.stages)?;
        match &self.awaiting {
            Some(stages) => write!(f, ", awaiting {}", stages.join(" ")),
            None => Ok(()),
        }
    }
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
            Input::Event { e: CaseEvent { id, ts, fields } } => {
                write!(f, "event {id} at {ts}")?;
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
        writeln!(f, "  input")?;
        self.input.iter().enumerate().try_for_each(|(at, item)| writeln!(f, "    {at:>3}  {item}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outputs(matches: &[(usize, i64)]) -> Outputs {
        let line = |(at, id): &(usize, i64)| MatchLine { at: *at, stages: Stages::from([("a".to_owned(), vec![*id])]) };
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
}
