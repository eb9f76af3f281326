//! Conditions that only compare fields of the event with constants, such as `type == "pay" and amount >= 100`, or ask
//! for its stream and then do that. Most conditions do, and they need no walk over an expression.

use std::cmp::Ordering;

use ensue_model::expr::BinaryOperator;
use ensue_model::{Event, Expr, FieldId, StreamId, Value};
use smallvec::SmallVec;

use crate::program::ConditionId;
use crate::subsets::Bits;

/// Comparisons that must all hold, of an event of a stream if one is named.
#[derive(Clone, Debug, Default)]
pub(crate) struct Comparisons {
    stream: Option<StreamId>,
    all: SmallVec<[Comparison; 2]>,
}

/// What an event must have for a condition to hold, or for one side of its `or`: a field with this value, a text or an int,
/// and what the condition goes on to compare.
#[derive(Clone, Debug)]
pub struct Need {
    /// The field.
    pub field: FieldId,
    /// Its value.
    pub value: Value<'static>,
    pub(crate) rest: Comparisons,
    /// The condition, if it holds where all that is compared does; none where it asks for more.
    pub(crate) condition: Option<ConditionId>,
}

impl Need {
    /// What a condition with this number needs, one of these; none if it does not begin with such a comparison, nor each side
    /// of its `or`.
    pub(crate) fn of(condition: &Expr, number: ConditionId) -> Option<Vec<Self>> {
        if let Some((field, value)) = first_equality(condition) {
            let comparisons = Comparisons::of(condition);
            let condition = comparisons.is_some().then_some(number);
            let rest = comparisons.map(Comparisons::behind_first).unwrap_or_default();
            return Some(vec![Need { field, value: value.clone(), rest, condition }]);
        }
        match condition {
            Expr::Binary(BinaryOperator::Or, left, right) => {
                Some([Need::of(left, number)?, Need::of(right, number)?].concat())
            }
            // Of the stream it is not asked here.
            Expr::Binary(BinaryOperator::And, first, second) if matches!(**first, Expr::OfStream(_)) => {
                let needs = Need::of(second, number)?;
                Some(needs.into_iter().map(|need| Need { condition: None, ..need }).collect())
            }
            _ => None,
        }
    }
}

/// The comparison that a condition begins with, if that is of a field with a text or an int: where it does not hold, the
/// condition does not. What it asks of the stream before that is passed over.
fn first_equality(condition: &Expr) -> Option<(FieldId, &Value<'static>)> {
    match condition {
        Expr::Binary(BinaryOperator::And, first, second) if matches!(**first, Expr::OfStream(_)) => {
            first_equality(second)
        }
        Expr::Binary(BinaryOperator::And, first, _) => first_equality(first),
        Expr::Binary(BinaryOperator::Equal, field, value) => match (&**field, &**value) {
            (Expr::Field(field), Expr::Constant(value @ (Value::String(_) | Value::Int(_)))) => Some((*field, value)),
            _ => None,
        },
        _ => None,
    }
}

/// The conditions of a program that begin with the comparison of one field with a text: it is read once for all of them. That
/// is so cheap that it need not be remembered for other programs.
#[derive(Debug)]
pub(crate) struct Switch {
    field: FieldId,
    cases: Box<[Case]>,
    /// The conditions, a bit each.
    pub(crate) asked: Bits,
}

#[derive(Debug)]
struct Case {
    text: Box<str>,
    rest: Comparisons,
    bit: Bits,
}

impl Switch {
    /// For the field that the first such condition asks for; none if there is no such condition.
    pub(crate) fn of<'c>(conditions: impl Iterator<Item = (Bits, &'c Expr)>) -> Option<Self> {
        let cases = conditions.filter_map(|(bit, condition)| {
            let comparisons = Comparisons::of(condition)?;
            let first = comparisons.all.first().filter(|first| first.operator == BinaryOperator::Equal)?;
            let Constant::Text(text) = &first.constant else { return None };
            Some((first.field, Case { text: text.clone(), rest: comparisons.clone().behind_first(), bit }))
        });
        let mut cases = cases.peekable();
        let field = cases.peek()?.0;
        let cases: Box<[Case]> = cases.filter(|(of, _)| *of == field).map(|(_, case)| case).collect();
        Some(Switch { field, asked: cases.iter().fold(0, |asked, case| asked | case.bit), cases })
    }

    /// Which of the conditions hold. None where the field is no text, or another one of another type than its constant: what
    /// that means, the expressions know.
    #[inline]
    pub(crate) fn hold(&self, event: &impl Event) -> Option<Bits> {
        let Value::String(value) = event.field(self.field) else { return None };
        let mut held = 0;
        for Case { text, rest, bit } in &self.cases {
            let is_it = value.as_str() == &**text;
            if is_it && (rest.is_none() || rest.hold(event, &mut LastRead::default())?) {
                held |= bit;
            }
        }
        Some(held)
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Comparison {
    pub(crate) field: FieldId,
    pub(crate) operator: BinaryOperator,
    pub(crate) constant: Constant,
}

#[derive(Clone, Debug)]
pub(crate) enum Constant {
    Text(Box<str>),
    Int(i64),
    Float(f64),
}

/// The field of an event that was read last: several conditions in a row often ask for the same.
#[derive(Default)]
pub(crate) struct LastRead<'e>(Option<(FieldId, Value<'e>)>);

impl<'e> LastRead<'e> {
    #[inline]
    pub(crate) fn field(&mut self, field: FieldId, event: &'e impl Event) -> &Value<'e> {
        if self.0.as_ref().is_none_or(|(last, _)| *last != field) {
            self.0 = None;
        }
        let (_, value) = self.0.get_or_insert_with(|| (field, event.field(field)));
        value
    }
}

impl Comparisons {
    /// The comparisons that a condition is; none if it is anything else.
    pub(crate) fn of(condition: &Expr) -> Option<Self> {
        let mut found = Comparisons::default();
        found.collect(condition)?;
        Some(found)
    }

    /// Whether there is nothing to compare.
    pub(crate) fn is_none(&self) -> bool {
        self.stream.is_none() && self.all.is_empty()
    }

    /// The comparison, if it is one, of whatever stream.
    pub(crate) fn only(&self) -> Option<&Comparison> {
        match &self.all[..] {
            [comparison] if self.stream.is_none() => Some(comparison),
            _ => None,
        }
    }

    /// Without the first.
    fn behind_first(mut self) -> Self {
        self.all.drain(..self.all.len().min(1));
        self
    }

    fn collect(&mut self, condition: &Expr) -> Option<()> {
        match condition {
            Expr::Binary(BinaryOperator::And, left, right) => {
                self.collect(left)?;
                self.collect(right)
            }
            // What stands before it is evaluated first, and can be a fault.
            Expr::OfStream(stream) if self.stream.is_none() && self.all.is_empty() => {
                self.stream = Some(*stream);
                Some(())
            }
            Expr::Binary(operator, field, constant) => {
                self.all.push(Comparison::of(*operator, field, constant)?);
                Some(())
            }
            _ => None,
        }
    }

    /// Whether all hold for an event. None where a field is of another type than its constant: what that means, the
    /// expression knows.
    #[inline]
    pub(crate) fn hold<'e>(&self, event: &'e impl Event, read: &mut LastRead<'e>) -> Option<bool> {
        if self.stream.is_some_and(|stream| event.stream() != stream) {
            return Some(false);
        }
        for comparison in &self.all {
            if !comparison.holds(read.field(comparison.field, event))? {
                return Some(false);
            }
        }
        Some(true)
    }
}

impl Comparison {
    fn of(operator: BinaryOperator, field: &Expr, constant: &Expr) -> Option<Self> {
        let (Expr::Field(field), Expr::Constant(constant)) = (field, constant) else { return None };
        let constant = match constant {
            Value::String(text) => Constant::Text(text.as_str().into()),
            Value::Int(int) => Constant::Int(*int),
            Value::Float(float) => Constant::Float(*float),
            _ => return None,
        };
        let comparison = Comparison { field: *field, operator, constant };
        // Of the operators that are no comparison, none holds.
        comparison.is(Ordering::Equal).map(|_| comparison)
    }

    fn holds(&self, value: &Value<'_>) -> Option<bool> {
        match (value, &self.constant) {
            (Value::String(text), Constant::Text(constant)) if self.operator == BinaryOperator::Equal => {
                Some(text.as_str() == &**constant)
            }
            (Value::String(text), Constant::Text(constant)) => self.is(text.as_str().cmp(constant)),
            (Value::Int(int), Constant::Int(constant)) => self.is(int.cmp(constant)),
            // Where one is no number, they have no order.
            (Value::Float(float), Constant::Float(constant)) => self.is(float.partial_cmp(constant)?),
            _ => None,
        }
    }

    /// Whether the operator holds between two values that are in this order.
    fn is(&self, order: Ordering) -> Option<bool> {
        match self.operator {
            BinaryOperator::Equal => Some(order.is_eq()),
            BinaryOperator::NotEqual => Some(order.is_ne()),
            BinaryOperator::Less => Some(order.is_lt()),
            BinaryOperator::LessOrEqual => Some(order.is_le()),
            BinaryOperator::Greater => Some(order.is_gt()),
            BinaryOperator::GreaterOrEqual => Some(order.is_ge()),
            _ => None,
        }
    }
}
