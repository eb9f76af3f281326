//! What a run asks of an event, in words.

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
    /// Why it does not fit, a sentence each: `type == "pay"` is false, as type is "ship". Nothing, if it does.
    pub refusals: Vec<String>,
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
        let mut refusals: Vec<String> = asked.refusals.iter().map(|refusal| self.refusal(refusal)).collect();
        refusals.dedup();
        Answer { stage: asked.stage, is_negated: asked.is_negated, refusals }
    }

    fn refusal(self, refusal: &Refusal<'p>) -> String {
        match refusal {
            Refusal::Condition { expr: Expr::OfStream(stream), .. } => {
                let name = self.patterns.streams[usize::from(stream.0)].name.as_deref();
                format!("it is not of stream `{}`", name.unwrap_or("events"))
            }
            Refusal::Condition { expr: Expr::KeyedBy(way), .. } => {
                let parts = &self.pattern.key.ways[usize::from(*way)].parts;
                let parts: Vec<String> = parts.iter().map(|part| self.written(part)).collect();
                format!("the key is not its {}", parts.join(", "))
            }
            Refusal::Condition { expr, is_null, values } => {
                let is = if *is_null { "null" } else { "false" };
                let values: Vec<String> = values.iter().map(|(expr, value)| self.value(expr, value)).collect();
                let values = if values.is_empty() { String::new() } else { format!(": {}", values.join(", ")) };
                format!("`{}` is {is}{values}", self.written(expr))
            }
            Refusal::TooLate { window, end } => {
                let over = end.map_or_else(String::new, |end| format!(", which was over at {end}"));
                format!("it is outside `within {}`{over}", self.window(window))
            }
            Refusal::Until(until) => format!("`until {}` holds, which ends the loop", self.written(until)),
            Refusal::GivesWay => "a greedy loop before it takes the event".to_owned(),
            Refusal::Inactive => "the pattern is not active at that time".to_owned(),
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
