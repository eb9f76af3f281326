//! Lines as what arrives. Every line is something, so that whatever the fuzzer makes of a stream is a stream.
//!
//! A line has up to four characters. The first is what: `a` to `d` and `x` are events of that type, `w` is a watermark. The
//! second is the event's `v`, the third the time since what came before, the fourth what is odd about it:
//!
//! ```text
//! a4      an event of type a with v 4, at the same time
//! b25     one of type b with v 2, 300 ms later
//! b251    one with another key
//! w       a watermark at the time that has been reached
//! w3      one 50 ms before it
//! ```

use ensue_testkit::case::{CaseEvent, Input};
use serde_json::{Map, Value, json};

/// Longer ones make patterns whose runs multiply with every event too slow for the reference.
const ARRIVALS_MAX: usize = 14;

/// Where time begins, in milliseconds.
const FIRST: i64 = 1_000;

/// So long after the last event comes the last watermark.
const AFTERWARDS: i64 = 10_000;

/// How far times lie apart, in milliseconds: `0` to `9`.
const GAPS: [i64; 10] = [0, 1, 10, 50, 100, 300, 499, 500, 501, 1_000];

/// The input that the lines describe, with a last watermark after all windows that are not very long.
pub(super) fn inputs(lines: &str) -> Vec<Input> {
    let mut inputs = Vec::new();
    let mut reached = FIRST;
    for (index, line) in lines.lines().take(ARRIVALS_MAX).enumerate() {
        let line = Line::of(line);
        reached += line.gap();
        inputs.push(match line.what {
            'w' => Input::Watermark { wm: reached - digit(line.value, &GAPS) },
            _ => Input::Event { e: line.event(index as i64 + 1, reached) },
        });
    }
    inputs.push(Input::Watermark { wm: reached + AFTERWARDS });
    inputs
}

struct Line {
    what: char,
    value: char,
    gap: char,
    odd: char,
}

impl Line {
    fn of(line: &str) -> Self {
        let mut characters = line.chars();
        let mut next = || characters.next().unwrap_or('0');
        Line { what: next(), value: next(), gap: next(), odd: next() }
    }

    /// `z` goes back before 1970, once or more.
    fn gap(&self) -> i64 {
        if self.gap == 'z' { -3_000 } else { digit(self.gap, &GAPS) }
    }

    fn event(&self, id: i64, reached: i64) -> CaseEvent {
        let fields = [("k", self.key()), ("type", self.kind()), ("v", self.v())];
        let fields = fields.into_iter().filter(|(_, value)| !value.is_null());
        let fields = Map::from_iter(fields.map(|(name, value)| (name.to_owned(), value)));
        CaseEvent { id, ts: reached - self.back(), fields, ..CaseEvent::default() }
    }

    fn kind(&self) -> Value {
        match self.what {
            'a'..='d' => json!(self.what.to_string()),
            'n' => Value::Null,
            _ => json!("x"),
        }
    }

    fn v(&self) -> Value {
        match self.value {
            'n' => Value::Null,
            'f' => json!(2.5),
            's' => json!("s"),
            't' => json!(true),
            'm' => json!(i64::MAX),
            'l' => json!([1, "s", null]),
            '-' => json!(-3),
            value => json!(value.to_digit(10).unwrap_or(1)),
        }
    }

    fn key(&self) -> Value {
        match self.odd {
            '1' => json!("k2"),
            'n' => Value::Null,
            'i' => json!(1),
            'f' => json!(1.0),
            _ => json!("k1"),
        }
    }

    /// How long before the time that has been reached.
    fn back(&self) -> i64 {
        match self.odd {
            '2' => 1,
            '3' => 100,
            '4' => 400,
            _ => 0,
        }
    }
}

/// The entry that a digit says; the first for what is none.
fn digit(character: char, table: &[i64; 10]) -> i64 {
    character.to_digit(10).map_or(table[0], |index| table[index as usize])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_an_event_or_a_watermark() {
        let shown: Vec<String> = inputs("a4\nb25\nb251\nw3\nxn03").iter().map(Input::to_string).collect();
        let expected = [
            r#"event 1 at 1000 k="k1" type="a" v=4"#,
            r#"event 2 at 1300 k="k1" type="b" v=2"#,
            r#"event 3 at 1600 k="k2" type="b" v=2"#,
            "watermark 1550",
            r#"event 5 at 1500 k="k1" type="x""#,
            "watermark 11600",
        ];
        assert_eq!(shown, expected);
    }
}
