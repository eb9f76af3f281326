//! What a stage holds when it is asked: nothing, its only event, or several.

use ensue_model::expr::Ask;
use ensue_model::pattern::StageId;

use super::expression::{Context, Lowering, Place};
use super::names;
use super::stages::StageInfo;
use crate::code;
use crate::diagnostic::Diagnostic;
use crate::tree::{self, ExprKind, Name};

/// A question to a stage, as it was written.
pub(super) struct Question<'q> {
    pub(super) expr: &'q tree::Expr,
    pub(super) stage: StageId,
    pub(super) ask: &'q Ask,
}

impl Lowering<'_, '_> {
    /// Whether a stage can be asked; says so where it cannot, and where the answer is always the same.
    pub(super) fn can_be_asked(&mut self, question: &Question<'_>, context: &Context<'_>) -> bool {
        let info = self.stages.get(question.stage);
        if info.negated {
            let diagnostic = self.negated(question, info, context);
            self.report(diagnostic);
            return false;
        }
        if let Place::Stage(at) = context.place
            && let Some(diagnostic) = self.foreseen(question, info, at, context)
        {
            self.report(diagnostic);
        }
        true
    }

    /// Where fields are not declared, `creat.amount` is of a field `creat`; if it is but one letter from a stage, that was
    /// hardly meant.
    pub(super) fn look_for_stage(&mut self, base: &tree::Expr, field: &Name, context: &Context<'_>) {
        let ExprKind::Name(name) = &base.kind else { return };
        let text = name.text.as_str();
        let is_known = self.is_nearer(text, context) || self.world.tables.is_declared(text);
        let mut read = context.stream.as_ref().map_or(self.read, std::slice::from_ref).iter();
        let is_open = read.all(|stream| !self.world.streams.is_closed(*stream)) && context.place != Place::Key;
        let is_near = |stage: &&str| strsim::damerau_levenshtein(stage, text) == 1;
        let near = self.stages.names().find(is_near).filter(|_| !is_known && text.len() > 3);
        if let Some(stage) = near.filter(|_| is_open) {
            let message = format!("`{text}` is read as a field, and `{stage}` is a stage");
            let diagnostic = Diagnostic::warning(&code::UNKNOWN_STAGE, name.place, message);
            let help = format!("did you mean `{stage}.{}`?", field.text);
            self.report(diagnostic.help(help));
        }
    }

    fn negated(&self, question: &Question<'_>, info: &StageInfo<'_>, context: &Context<'_>) -> Diagnostic {
        let message = format!("stage `{}` is negated and holds no events", info.name.text);
        let diagnostic = Diagnostic::error(&code::NEGATED_STAGE, question.expr.place, message);
        let diagnostic = diagnostic.also(info.name.place, "what is not to come is never taken");
        if context.place == Place::Stage(question.stage) {
            return diagnostic.help(self.under_test(question));
        }
        let holding = self.stages.list.iter().filter(|stage| !stage.negated).map(|stage| stage.name.text.as_str());
        diagnostic.help(names::listed("the stages that hold events are", holding))
    }

    /// What is odd about a question whose answer is known beforehand.
    fn foreseen(
        &self,
        question: &Question<'_>,
        info: &StageInfo<'_>,
        at: StageId,
        context: &Context<'_>,
    ) -> Option<Diagnostic> {
        if !self.stages.can_precede(question.stage, at) {
            let (later, own) = (&info.name.text, &self.stages.get(at).name.text);
            let (why, help) = match at < question.stage {
                true => (
                    "it comes later",
                    format!("this is always null, or 0; write the condition at `{later}`, where `{own}` is known"),
                ),
                false => (
                    "a run takes this branch or the other, not both",
                    "this is always null, and a comparison with it never holds; a count or sum is always 0".to_owned(),
                ),
            };
            return Some(never_holds(question, info).also(info.name.place, why).help(help));
        }
        if question.stage == at && !info.repeats {
            let diagnostic =
                never_holds(question, info).also(info.name.place, "it takes one event, and this decides which");
            return Some(diagnostic.help(self.under_test(question)));
        }
        // In a let it may be meant for other stages.
        let is_one = question.stage < at && info.takes_one && !context.is_put_in();
        is_one.then(|| self.of_one(question, info)).flatten()
    }

    /// How the event under test is asked, where its stage was.
    fn under_test(&self, question: &Question<'_>) -> String {
        let name = &self.stages.get(question.stage).name.text;
        match &question.expr.kind {
            ExprKind::Member(_, field) if self.stages.find(&field.text).is_some() => {
                format!("for the event under test write `this.{}`", field.text)
            }
            ExprKind::Member(_, field) => format!("for the event under test write `{}`", field.text),
            ExprKind::Call(function, _) if function.text == "time" => "for the event under test write `time()`".into(),
            _ => format!(
                "to take several events, write `{name}+` or `{name}{{3}}`; what is asked here then holds those before"
            ),
        }
    }

    /// An aggregate over a stage that has taken one event.
    fn of_one(&self, question: &Question<'_>, info: &StageInfo<'_>) -> Option<Diagnostic> {
        let Ask::Aggregate(..) = question.ask else { return None };
        let name = &info.name.text;
        let written = self.written(question.expr);
        let ExprKind::Call(function, arguments) = &question.expr.kind else { return None };
        let result = match (function.text.as_str(), arguments.as_slice()) {
            ("count", _) => "1".to_owned(),
            ("sum" | "avg" | "min" | "max", [value]) => format!("`{}`", self.written(value)),
            ("collect" | "distinct", [value]) => format!("`[{}]`", self.written(value)),
            _ => "about that one".to_owned(),
        };
        let message = format!("`{name}` takes one event, so `{written}` is {result}");
        let diagnostic = Diagnostic::warning(&code::OF_ONE_EVENT, question.expr.place, message);
        let help = format!("to take several events, write `{name}+`, `{name}{{3}}` or `{name}{{3,}}`");
        Some(diagnostic.also(info.name.place, "this takes one").help(help))
    }
}

fn never_holds(question: &Question<'_>, info: &StageInfo<'_>) -> Diagnostic {
    let message = format!("stage `{}` never holds an event when this is asked", info.name.text);
    Diagnostic::warning(&code::LATER_STAGE, question.expr.place, message)
}
