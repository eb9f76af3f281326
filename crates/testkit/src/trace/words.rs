//! What a run asks of an event, in words.

use std::cmp::Reverse;
use std::fmt;

use ensue_model::pattern::{Anchor, StageId, StepWindow, WindowSpan};
use ensue_model::{Expr, Pattern, Patterns, Value};

use crate::reference::{Asked, Refusal};

/// Why an event fits a stage or does not, in words.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Answer {
    /// The stage.
    pub stage: StageId,
    /// Whether it is one that must not come.
    pub is_negated: bool,
    /// Why it does not fit, a sentence each; nothing, if it does.
    pub refusals: Vec<Sentence>,
}

/// Why an event does not fit a stage: `` `type == "pay"` is false: type is "ship" ``.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Sentence {
    /// What is so for other events, too: `` `type == "pay"` is false ``.
    pub what: String,
    /// What is so for this one: `type is "ship"`. It may be empty.
    pub values: String,
    /// How many parts of the condition come before: an event comes nearer to a stage the more of them hold. All of them,
    /// where it is not the condition that keeps the event out.
    pub after: usize,
}

impl Answer {
    /// How near an event comes to the stage, to compare it with others: by how many parts of the condition hold before one
    /// that does not, then by how few do not.
    pub fn nearness(&self) -> (usize, Reverse<usize>) {
        let first = self.refusals.iter().map(|refusal| refusal.after).min();
        (first.unwrap_or(usize::MAX), Reverse(self.refusals.len()))
    }
}

impl fmt::Display for Sentence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Sentence { what, values, after: _ } = self;
        if values.is_empty() { f.write_str(what) } else { write!(f, "{what}: {values}") }
    }
}

/// The names that sentences need.
#[derive(Clone, Copy)]
pub(super) struct Words<'p> {
    pub(super) patterns: &'p Patterns,
    pub(super) pattern: &'p Pattern,
}

/// The longest text of a value that a sentence holds.
const VALUE_CHARS_MAX: usize = 80;

impl<'p> Words<'p> {
    pub(super) fn answers(self, asked: &[Asked<'p>]) -> Vec<Answer> {
        asked.iter().map(|asked| self.answer(asked)).collect()
    }

    fn answer(self, asked: &Asked<'p>) -> Answer {
        let mut refusals: Vec<Sentence> = asked.refusals.iter().map(|refusal| self.refusal(refusal)).collect();
        refusals.dedup();
        Answer { stage: asked.stage, is_negated: asked.is_negated, refusals }
    }

    fn refusal(self, refusal: &Refusal<'p>) -> Sentence {
        let said = |what: String| Sentence { what, values: String::new(), after: usize::MAX };
        match refusal {
            Refusal::Condition { expr: Expr::OfStream(stream), .. } => {
                let name = self.patterns.streams[usize::from(stream.0)].name.as_deref();
                Sentence { after: 0, ..said(format!("it is not of stream `{}`", name.unwrap_or("events"))) }
            }
            Refusal::Condition { expr: Expr::KeyedBy(way), .. } => {
                let parts = &self.pattern.key.ways[usize::from(*way)].parts;
                let parts: Vec<String> = parts.iter().map(|part| self.written(part)).collect();
                Sentence { after: 0, ..said(format!("the key is not its {}", parts.join(", "))) }
            }
            Refusal::Condition { expr, part, is_null, values } => {
                let is = if *is_null { "null" } else { "false" };
                let values: Vec<String> = values.iter().map(|(expr, value)| self.value(expr, value)).collect();
                let what = format!("`{}` is {is}", self.written(expr));
                Sentence { what, values: values.join(", "), after: *part }
            }
            Refusal::TooLate { window, end } => {
                let what = format!("it is outside `within {}`", self.window(window));
                let values = end.map_or_else(String::new, |end| format!("that was over at {end}"));
                Sentence { what, values, after: usize::MAX }
            }
            Refusal::Until(until) => said(format!("`until {}` holds, which ends the loop", self.written(until))),
            Refusal::GivesWay => said("a greedy loop before it takes the event".to_owned()),
            Refusal::Inactive => said("the pattern is not active at that time".to_owned()),
        }
    }

    fn written(self, expr: &Expr) -> String {
        expr.display(self.patterns, self.pattern).to_string()
    }

    fn value(self, expr: &Expr, value: &Value<'_>) -> String {
        let text = value.to_string();
        let shown = match text.char_indices().nth(VALUE_CHARS_MAX) {
            Some((end, _)) => format!("{}…", &text[..end]),
            None => text,
        };
        format!("{} is {shown}", self.written(expr))
    }

    /// A step's window as a pattern writes it.
    pub(super) fn window(self, StepWindow { span, anchor }: &StepWindow) -> String {
        let anchor = match anchor {
            Anchor::Previous => "previous",
            Anchor::Stage(stage) => self.pattern.stage_name(*stage),
        };
        match span {
            WindowSpan::Time(span) => format!("{span} of {anchor}"),
            WindowSpan::Events(count) => format!("{count} events of {anchor}"),
        }
    }
}
