//! Loops whose first event cannot be taken. In a loop's own condition the stage holds what was taken before; before the
//! first that is nothing: counts and sums are 0, all else is null.

use ensue_model::Value;
use ensue_model::eval::eval;
use ensue_model::expr::{Aggregate, Ask, BinaryOperator, Expr, LookbackId, UnaryOperator};
use ensue_model::function::Callee;
use ensue_model::pattern::StageId;

use super::{Judge, Leaf, Nothing, Part, Verdict};
use crate::code;
use crate::diagnostic::Diagnostic;
use crate::question;
use crate::tree::{self, ExprKind};

impl<'j> Judge<'j, '_, '_> {
    pub(super) fn first_event(&mut self, stage: StageId, condition: Part<'j>) -> Verdict {
        let mut leaves = Vec::new();
        self.leaves(condition, true, None, &mut leaves);
        let before = Before { judge: self, stage };
        let fails = |leaf: &Leaf<'j>| self.is_fixed(leaf.part) && before.fails(leaf.part.checked, leaf.wanted);
        let Some(leaf) = leaves.into_iter().find(fails) else { return Verdict::Open };
        let diagnostic = before.diagnostic(&leaf);
        self.found.push(diagnostic);
        Verdict::Never
    }
}

/// The moment before the first event of a stage.
struct Before<'b, 'j, 'w, 'a> {
    judge: &'b Judge<'j, 'w, 'a>,
    stage: StageId,
}

impl Before<'_, '_, '_, '_> {
    /// Whether a condition has not the wanted answer then, whatever the event.
    fn fails(&self, condition: &Expr, wanted: bool) -> bool {
        let is_null = |expr: &Expr| self.known(expr).is_some_and(|value| value.is_null());
        match condition {
            // With one bound unknown it may still be false, but not true.
            Expr::Between(value, low, high) => [value, low, high].into_iter().any(|part| wanted && is_null(part)),
            Expr::In(value, _) => wanted && is_null(value),
            Expr::Matches(value, _) => is_null(value),
            condition => self.known(condition).is_some_and(|value| value != Value::Bool(wanted)),
        }
    }

    /// The value that an expression has then, where it does not depend on the event.
    fn known(&self, expr: &Expr) -> Option<Value<'static>> {
        match expr {
            Expr::Constant(value) => Some(value.clone()),
            Expr::Lookback(lookback) => self.held(*lookback),
            Expr::Unary(UnaryOperator::IsNull, value) => Some(Value::Bool(self.known(value)?.is_null())),
            Expr::Binary(BinaryOperator::Coalesce, left, right) => match self.known(left)? {
                Value::Null => self.known(right),
                value => Some(value),
            },
            Expr::Binary(BinaryOperator::And | BinaryOperator::Or, ..) | Expr::If(..) => None,
            Expr::Unary(operator, value) => Some(folded(&Expr::Unary(*operator, constant(self.known(value)?)))),
            Expr::Binary(operator, left, right) => match (self.known(left), self.known(right)) {
                (Some(Value::Null), _) | (_, Some(Value::Null)) => Some(Value::Null),
                (left, right) => Some(folded(&Expr::Binary(*operator, constant(left?), constant(right?)))),
            },
            Expr::Call(callee, arguments) if takes_no_null(callee) => {
                let is_null = |argument| self.known(argument).is_some_and(|value| value.is_null());
                arguments.iter().any(is_null).then_some(Value::Null)
            }
            Expr::Index(of, _) | Expr::Member(of, _) | Expr::Lookup(_, of, _) => self.known(of).filter(Value::is_null),
            Expr::Call(..) | Expr::Between(..) | Expr::In(..) | Expr::Matches(..) | Expr::List(_) => None,
            Expr::Field(_) | Expr::Time | Expr::Key(_) | Expr::OfStream(_) | Expr::KeyedBy(_) => None,
            Expr::Awaiting | Expr::Deadline => None,
        }
    }

    /// What the stage answers before it has taken anything; none of other stages.
    fn held(&self, lookback: LookbackId) -> Option<Value<'static>> {
        let asked = self.judge.lowering.lookback_of(lookback);
        let nothing = match asked.ask {
            Ask::Aggregate(Aggregate::Count | Aggregate::Sum, _) => Value::Int(0),
            Ask::Aggregate(..) | Ask::Pick(..) => Value::Null,
        };
        (asked.stage == self.stage).then_some(nothing)
    }

    fn diagnostic(&self, leaf: &Leaf<'_>) -> Diagnostic {
        let name = self.judge.lowering.stages.get(self.stage).name.text.as_str();
        let asked = leaf.part.written.and_then(|written| Some((written, asked_in(written, name)?)));
        let (reason, help) = match asked {
            Some((_, asked)) if is_number(asked) => {
                let asked = self.judge.lowering.written(asked);
                (
                    format!("`{asked}` is 0"),
                    format!("how many events it takes is said behind its name, as in `{name}{{3,}}`"),
                )
            }
            Some((written, asked)) => {
                let (asked, written) = (self.judge.lowering.written(asked), self.judge.lowering.written(written));
                (format!("`{asked}` is null"), format!("to take any first one, write `({asked} is null or {written})`"))
            }
            None => (
                format!("{} does not hold", self.judge.quoted(&[leaf.shown])),
                "say what the first event is".to_owned(),
            ),
        };
        let message = format!("no event can be the first of `{name}`: before it, {reason}");
        Diagnostic::warning(&code::NEVER_HOLDS, leaf.shown, message).help(help)
    }
}

/// What asks a stage, in an expression: `a.x`, `sum(a.x)`.
fn asked_in<'t>(expr: &'t tree::Expr, stage: &str) -> Option<&'t tree::Expr> {
    let asks = match &expr.kind {
        ExprKind::Member(base, _) => names(base, stage),
        ExprKind::Call(name, _) => question::find(&name.text).is_some() && names(expr, stage),
        _ => false,
    };
    if asks { Some(expr) } else { expr.children().into_iter().find_map(|child| asked_in(child, stage)) }
}

fn names(expr: &tree::Expr, stage: &str) -> bool {
    let mut found = false;
    expr.names(&mut |name| found |= name.text == stage);
    found
}

/// Whether what a question asks of no event is 0, and not null.
fn is_number(question: &tree::Expr) -> bool {
    matches!(&question.kind, ExprKind::Call(name, _) if matches!(name.text.as_str(), "count" | "sum"))
}

fn takes_no_null(callee: &Callee) -> bool {
    match callee {
        Callee::BuiltIn(function) => !function.takes_null,
        Callee::Host(_) => true,
    }
}

fn constant(value: Value<'static>) -> Box<Expr> {
    Box::new(Expr::Constant(value))
}

fn folded(expr: &Expr) -> Value<'static> {
    eval(expr, &Nothing).into_owned()
}
