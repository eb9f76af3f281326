//! Draws files: the streams, and the patterns over them, of which some may read what others emit.

use std::fmt::Write;

use proptest::prelude::*;
use serde_json::{Map, Value as Json, json};

use super::draft::{self, Draft};
use super::{Odds, chance, either, maybe};
use crate::case::{Case, Input};

/// Patterns, and what they read.
#[derive(Clone, Debug)]
pub(super) struct File {
    origin: Origin,
    parts: Vec<Part>,
}

/// What the events are of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Origin {
    /// Nothing that was declared.
    Open,
    /// Of the streams that the patterns read, and of one that they do not.
    Several,
    /// Of one stream.
    One,
}

/// A pattern that knows where it stands.
#[derive(Clone, Debug)]
struct Part {
    draft: Draft,
    /// Whether it is a level above the one before it.
    rises: bool,
    /// Of what it could read what it does, a bit each.
    reads: u8,
    emit: Emission,
    timeout: Emission,
}

/// What outputs come out as.
#[derive(Clone, Copy, Debug)]
enum Emission {
    Events,
    Nothing,
    Record(Record),
}

#[derive(Clone, Copy, Debug)]
struct Record {
    /// Which of the names that records of its level have; nobody reads one without.
    name: Option<usize>,
    /// The stages that it asks, by position modulo their number.
    stages: [usize; 2],
    value: Asked,
    condition: Option<(Asked, i64)>,
}

/// What a record asks of a stage: all are integers, so that records of one name have the same types.
#[derive(Clone, Copy, Debug)]
enum Asked {
    Count,
    First,
    Sum,
}

/// Streams of the same fields, but for `z`, whose type differs, and of other default keys.
pub(super) const STREAMS: [&str; 3] = ["one", "two", "unread"];

const DECLARED: [&str; 3] = [
    "stream one { k: string? @key j: string? type: string v: int z: int }",
    "stream two { k: string? j: string? @key type: string v: int z: string }",
    "stream unread { k: string? j: string? type: string v: int }",
];

/// How many of them patterns read.
const READ: usize = 2;

/// The only stream, where patterns read what others emit.
const ONLY: &str = "e";

const DECLARED_ONLY: &str = "stream e { k: string? j: string? type: string v: int }";

/// What [`draft`] looks types up in.
const TABLE: &str = "table classes key type { type: string class: int? }";

/// The rows of the table: one type has a class that is null, and one has no row.
fn rows() -> Vec<Map<String, Json>> {
    let row =
        |(kind, class): (&str, Json)| Map::from_iter([("type".to_owned(), kind.into()), ("class".to_owned(), class)]);
    [("a", json!(1)), ("b", json!(2)), ("c", Json::Null)].map(row).to_vec()
}

/// Files with these odds.
pub(super) fn files(odds: Odds) -> BoxedStrategy<File> {
    if odds.levels {
        let parts = prop::collection::vec(part(odds), 2..=3);
        return parts.prop_map(|parts| File { origin: Origin::One, parts }).boxed();
    }
    let several = either(odds.streams, Just(Origin::Several), Just(Origin::Open));
    (part(odds), several).prop_map(|(part, origin)| File { origin, parts: vec![part] }).boxed()
}

fn part(odds: Odds) -> impl Strategy<Value = Part> {
    let place: BoxedStrategy<(bool, u8)> =
        if odds.levels { (chance(0.8), any::<u8>()).boxed() } else { Just((false, u8::MAX)).boxed() };
    (draft::drafts(odds), place, emission(odds), emission(odds))
        .prop_map(|(draft, (rises, reads), emit, timeout)| Part { draft, rises, reads, emit, timeout })
}

fn emission(odds: Odds) -> impl Strategy<Value = Emission> {
    let rare = prop_oneof![
        1 => Just(Emission::Nothing),
        6 => record(odds).prop_map(Emission::Record),
    ];
    either(odds.emission, rare, Just(Emission::Events))
}

fn record(odds: Odds) -> impl Strategy<Value = Record> {
    let name = maybe(if odds.levels { 0.9 } else { 0.0 }, prop_oneof![3 => Just(0_usize), 1 => Just(1)]);
    let asked = prop_oneof![Just(Asked::First), Just(Asked::Count), Just(Asked::Sum)];
    let condition = maybe(0.2, (asked.clone(), 1..=4i64));
    (name, [0..4usize, 0..4usize], asked, condition).prop_map(|(name, stages, value, condition)| Record {
        name,
        stages,
        value,
        condition,
    })
}

impl File {
    /// The case of this file and an input.
    pub(super) fn case(&self, mut input: Vec<Input>) -> Case {
        let pattern = self.text();
        input.iter_mut().for_each(|item| self.leave_out(item, &pattern));
        let tables = if pattern.contains(TABLE) { vec![("classes".to_owned(), rows())] } else { Vec::new() };
        Case { id: "drawn".to_owned(), pattern, tables: tables.into_iter().collect(), input, ..Case::default() }
    }

    /// What the patterns do not ask for would be in the way of who reads the case.
    fn leave_out(&self, item: &mut Input, pattern: &str) {
        let Input::Event { e } = item else { return };
        if self.origin != Origin::Several {
            e.stream = None;
            e.fields.remove("z");
        }
        if self.origin == Origin::Open && !pattern.contains(": j") {
            e.fields.remove("j");
        }
    }

    fn text(&self) -> String {
        let patterns = self.patterns();
        let mut lines: Vec<&str> = match self.origin {
            Origin::Open => Vec::new(),
            Origin::Several => DECLARED.to_vec(),
            Origin::One => vec![DECLARED_ONLY],
        };
        lines.extend(patterns.contains("classes[").then_some(TABLE));
        lines.push(&patterns);
        lines.join("\n")
    }

    fn patterns(&self) -> String {
        let mut level = 0;
        // What patterns of the levels below, and those of this level, have emitted.
        let (mut below, mut beside): (Vec<String>, Vec<String>) = (Vec::new(), Vec::new());
        let mut patterns = Vec::new();
        for (index, part) in self.parts.iter().enumerate() {
            if index > 0 && part.rises {
                level += 1;
                below.append(&mut beside);
            }
            let name = if self.origin == Origin::One { format!("p{}", index + 1) } else { "p".to_owned() };
            let from = self.read_by(part, &below);
            let (mut text, stages) = part.draft.text(&name, &from);
            for (word, emission) in [("emit", part.emit), ("timeout", part.timeout)] {
                beside.extend(emission.write(&mut text, word, level, &stages));
            }
            beside.dedup();
            patterns.push(text);
        }
        patterns.join("\n")
    }

    /// The streams that a pattern reads: none where none is declared.
    fn read_by<'a>(&self, part: &Part, below: &'a [String]) -> Vec<&'a str> {
        match self.origin {
            Origin::Open => Vec::new(),
            Origin::Several => STREAMS[..READ].to_vec(),
            Origin::One => {
                let is_read = |index: usize| part.reads >> (index % 8) & 1 == 1;
                let records = below.iter().enumerate().filter(|(index, _)| is_read(index + 1));
                let mut from: Vec<&str> = records.map(|(_, name)| name.as_str()).collect();
                from.extend(below.last().filter(|_| from.is_empty()).map(String::as_str));
                if from.is_empty() || is_read(0) {
                    from.insert(0, ONLY);
                }
                from.sort_unstable();
                from.dedup();
                from
            }
        }
    }
}

impl Emission {
    /// Writes it behind a pattern with these stages. Gives the name by which others can read it.
    fn write(self, text: &mut String, word: &str, level: usize, stages: &[String]) -> Option<String> {
        let record = match self {
            Emission::Events => return None,
            Emission::Nothing => {
                text.push_str(&format!("\n{word} none"));
                return None;
            }
            Emission::Record(record) => record,
        };
        let [one, two] = record.stages.map(|stage| stages[stage % stages.len()].as_str());
        let name = record.name.map(|name| format!("{}{level}", ["r", "q"][name]));
        let more = match (word, &name) {
            ("timeout", None) => ", left: awaiting(), until: deadline()",
            _ => "",
        };
        write!(
            text,
            "\n{word} {}{{ k: key(), j: last({one}).j, type: last({two}).type, v: {}{more} }}",
            name.as_ref().map(|name| format!("{name} ")).unwrap_or_default(),
            record.value.of(one),
        )
        .expect("writing to a string does not fail");
        if let Some((asked, least)) = record.condition {
            write!(text, " where {} >= {least}", asked.of(two)).expect("writing to a string does not fail");
        }
        name
    }
}

impl Asked {
    fn of(self, stage: &str) -> String {
        match self {
            Asked::Count => format!("count({stage})"),
            Asked::First => format!("first({stage}).v"),
            Asked::Sum => format!("sum({stage}.v)"),
        }
    }
}
