//! Whether several things can be true, or false, of one event at once.
//!
//! A question compares something of the event, its *subject*, with constants, or two subjects with each other. What a
//! subject can be is tried out: as far as the constants can tell values apart, there are only so many of them, namely each
//! constant, something just above and just below it, nothing at all, NaN, and a value of another kind. If no try gives all
//! the answers that are wanted, no event does. What is not understood is taken to give any answer, so that nothing is
//! called impossible that is not.

use std::cmp::Ordering;

use ensue_model::expr::{BinaryOperator, Expr, TextPattern, UnaryOperator};
use ensue_model::{Value, operators};

/// The most questions to one subject that are looked at together.
const QUESTIONS_MAX: usize = 64;

/// The most questions that are looked at.
const ALL_MAX: usize = 256;

/// What is asked, and the answer that is wanted.
pub(super) struct Claim<'e> {
    subject: Subject<'e>,
    question: Question<'e>,
    answer: bool,
}

/// What is asked about.
#[derive(PartialEq)]
enum Subject<'e> {
    One(&'e Expr),
    /// Two that are compared with each other.
    Pair(&'e Expr, &'e Expr),
}

enum Question<'e> {
    /// `x < 5`, and `x < y` without a constant.
    Compared(BinaryOperator, Option<&'e Value<'static>>),
    Between(&'e Value<'static>, &'e Value<'static>),
    OneOf(&'e [Value<'static>]),
    Matches(&'e TextPattern),
    IsNull,
    /// The subject itself is a condition.
    Holds,
}

/// What a subject can be.
#[derive(Clone, Copy)]
enum Try<'e> {
    Null,
    Nan,
    /// Of another kind than all constants.
    Other,
    Exactly(&'e Value<'static>),
    /// Greater, or less, than the constant, and by less than all other constants are.
    Beside(&'e Value<'static>, Ordering),
    /// How the first of a pair stands to the second.
    Related(Ordering),
}

/// An answer; none where it cannot be foretold, `Some(None)` is null.
type Answer = Option<Option<bool>>;

static BOOLS: [Value<'static>; 2] = [Value::Bool(true), Value::Bool(false)];

impl<'e> Claim<'e> {
    /// That the condition is true, or false. None where it is not understood.
    pub(super) fn of(condition: &'e Expr, answer: bool) -> Option<Self> {
        // `x is not null`
        if let Expr::Unary(UnaryOperator::Not, inner) = condition {
            return Claim::of(inner, !answer);
        }
        let (subject, question) = match condition {
            Expr::Binary(operator, left, right) if is_comparison(*operator) => compared(*operator, left, right)?,
            Expr::Between(value, low, high) => {
                (Subject::One(value), Question::Between(distinct(low)?, distinct(high)?))
            }
            Expr::In(value, list) => (Subject::One(value), Question::OneOf(items(list)?)),
            Expr::Matches(value, pattern) => (Subject::One(value), Question::Matches(pattern)),
            Expr::Unary(UnaryOperator::IsNull, value) => (Subject::One(value), Question::IsNull),
            Expr::Field(_)
            | Expr::Lookback(_)
            | Expr::Member(..)
            | Expr::Index(..)
            | Expr::Lookup(..)
            | Expr::Call(..) => (Subject::One(condition), Question::Holds),
            Expr::Binary(..) | Expr::Unary(..) | Expr::If(..) | Expr::List(_) | Expr::Constant(_) => return None,
            Expr::Time | Expr::Key(_) | Expr::OfStream(_) | Expr::KeyedBy(_) | Expr::Awaiting | Expr::Deadline => {
                return None;
            }
        };
        let is_known = matches!(subject, Subject::One(Expr::Constant(_)));
        (!is_known).then_some(Claim { subject, question, answer })
    }

    /// What it is about, where that is one thing.
    pub(super) fn subject(&self) -> Option<&'e Expr> {
        match self.subject {
            Subject::One(subject) => Some(subject),
            Subject::Pair(..) => None,
        }
    }

    /// The constant that the subject is compared with.
    pub(super) fn constant(&self) -> Option<&'e Value<'static>> {
        match self.question {
            Question::Compared(_, value) => value,
            Question::Between(low, _) => Some(low),
            Question::OneOf(values) => values.first(),
            Question::Matches(_) | Question::IsNull | Question::Holds => None,
        }
    }

    /// The constant that the subject is said to be, or not to be.
    pub(super) fn equal_to(&self) -> Option<&'e Value<'static>> {
        match (&self.question, self.answer) {
            (Question::Compared(BinaryOperator::Equal, value), true) => *value,
            (Question::Compared(BinaryOperator::NotEqual, value), false) => *value,
            _ => None,
        }
    }

    /// Whether it compares something with itself.
    pub(super) fn is_of_itself(&self) -> bool {
        matches!(self.subject, Subject::Pair(first, second) if first == second)
    }

    fn is_met(&self, at: Try<'_>) -> bool {
        self.question.answer(at).is_none_or(|answer| answer == Some(self.answer))
    }

    fn is_denied(&self, at: Try<'_>) -> bool {
        self.question.answer(at) == Some(Some(!self.answer))
    }

    /// What its subject can be, as far as this question tells.
    fn tries(&self) -> Vec<Try<'e>> {
        if let Subject::Pair(first, second) = self.subject {
            let orders: &[Ordering] = if first == second {
                &[Ordering::Equal]
            } else {
                &[Ordering::Less, Ordering::Equal, Ordering::Greater]
            };
            return orders.iter().map(|order| Try::Related(*order)).collect();
        }
        match &self.question {
            Question::Compared(_, value) => value.iter().flat_map(|value| around(value)).collect(),
            Question::Between(low, high) => [*low, *high].into_iter().flat_map(around).collect(),
            Question::OneOf(values) => values.iter().flat_map(around).collect(),
            Question::Holds => BOOLS.iter().map(Try::Exactly).collect(),
            Question::Matches(_) | Question::IsNull => Vec::new(),
        }
    }
}

/// Claims that are not met together by any event.
pub(super) struct Conflict {
    /// Their positions; as few as show it.
    pub(super) claims: Vec<usize>,
    /// Whether one of them is denied by each value that there is, and not only null or not known.
    pub(super) is_denied: bool,
}

/// The claims that cannot all be met; none where they may well be.
pub(super) fn conflict(claims: &[Option<Claim<'_>>]) -> Option<Conflict> {
    let known = || claims.iter().enumerate().filter_map(|(index, claim)| Some((index, claim.as_ref()?))).take(ALL_MAX);
    let mut seen: Vec<&Subject<'_>> = Vec::new();
    for (_, claim) in known() {
        if seen.contains(&&claim.subject) {
            continue;
        }
        seen.push(&claim.subject);
        let same: Vec<_> = known().filter(|(_, other)| other.subject == claim.subject).take(QUESTIONS_MAX).collect();
        if is_impossible(&same) {
            let fewest = fewest(&same);
            let is_denied = is_denied(&fewest);
            return Some(Conflict { claims: fewest.into_iter().map(|(index, _)| index).collect(), is_denied });
        }
    }
    None
}

fn is_impossible(claims: &[(usize, &Claim<'_>)]) -> bool {
    let always = [Try::Null, Try::Nan, Try::Other];
    let tries = claims.iter().flat_map(|(_, claim)| claim.tries());
    !always.into_iter().chain(tries).any(|at| claims.iter().all(|(_, claim)| claim.is_met(at)))
}

fn is_denied(claims: &[(usize, &Claim<'_>)]) -> bool {
    let mut tries = claims.iter().flat_map(|(_, claim)| claim.tries());
    tries.all(|at| claims.iter().any(|(_, claim)| claim.is_denied(at)))
}

/// One that is impossible alone, else two that are together, else all.
fn fewest<'c, 'e>(claims: &[(usize, &'c Claim<'e>)]) -> Vec<(usize, &'c Claim<'e>)> {
    if let Some(alone) = claims.iter().find(|claim| is_impossible(&[**claim])) {
        return vec![*alone];
    }
    let firsts = |index: usize| claims[..index].iter();
    let mut pairs =
        claims.iter().enumerate().flat_map(|(index, second)| firsts(index).map(move |first| [*first, *second]));
    pairs.find(|pair| is_impossible(pair)).map_or_else(|| claims.to_vec(), Vec::from)
}

fn compared<'e>(operator: BinaryOperator, left: &'e Expr, right: &'e Expr) -> Option<(Subject<'e>, Question<'e>)> {
    match (left, right) {
        (left, Expr::Constant(_)) => Some((Subject::One(left), Question::Compared(operator, Some(distinct(right)?)))),
        (Expr::Constant(_), right) => {
            Some((Subject::One(right), Question::Compared(turned(operator), Some(distinct(left)?))))
        }
        (left, right) => Some((Subject::Pair(left, right), Question::Compared(operator, None))),
    }
}

/// The same question with its sides exchanged.
fn turned(operator: BinaryOperator) -> BinaryOperator {
    match operator {
        BinaryOperator::Less => BinaryOperator::Greater,
        BinaryOperator::LessOrEqual => BinaryOperator::GreaterOrEqual,
        BinaryOperator::Greater => BinaryOperator::Less,
        BinaryOperator::GreaterOrEqual => BinaryOperator::LessOrEqual,
        other => other,
    }
}

fn is_comparison(operator: BinaryOperator) -> bool {
    operator.strength() == BinaryOperator::Equal.strength()
}

fn items(list: &Expr) -> Option<&[Value<'static>]> {
    match list {
        Expr::Constant(Value::List(items)) if items.iter().all(|item| item.is_null() || is_distinct(item)) => {
            Some(items)
        }
        _ => None,
    }
}

fn distinct(constant: &Expr) -> Option<&Value<'static>> {
    match constant {
        Expr::Constant(value) if is_distinct(value) => Some(value),
        _ => None,
    }
}

/// Whether what is equal to the constant is equal to no constant that differs from it. Numbers near zero are not: a float
/// is compared with a decimal by its first 28 places, in which several have the same.
fn is_distinct(value: &Value<'_>) -> bool {
    match value {
        Value::Null | Value::List(_) | Value::Record(_) => false,
        Value::Float(value) => *value == 0.0 || (1e-9..1e28).contains(&value.abs()),
        Value::Decimal(value) => !value.is_zero() && value.abs() > rust_decimal::Decimal::new(1, 9),
        Value::Bool(_) | Value::Int(_) | Value::String(_) | Value::Timestamp(_) | Value::Duration(_) => true,
    }
}

/// A constant and its neighbours; those of true and false are each other.
fn around<'e>(value: &'e Value<'static>) -> Vec<Try<'e>> {
    match value {
        Value::Bool(_) => BOOLS.iter().map(Try::Exactly).collect(),
        value => vec![Try::Exactly(value), Try::Beside(value, Ordering::Less), Try::Beside(value, Ordering::Greater)],
    }
}

impl Question<'_> {
    fn answer(&self, at: Try<'_>) -> Answer {
        match self {
            Question::IsNull => Some(Some(matches!(at, Try::Null))),
            Question::Compared(operator, None) => Some(related(*operator, at)),
            Question::Compared(operator, Some(value)) => Some(comparison(*operator, at, value)),
            Question::Between(low, high) => {
                let above = comparison(BinaryOperator::GreaterOrEqual, at, low);
                Some(operators::and(above, comparison(BinaryOperator::LessOrEqual, at, high)))
            }
            Question::OneOf(values) => {
                let equal = values.iter().map(|value| comparison(BinaryOperator::Equal, at, value));
                Some(equal.fold(Some(false), operators::or))
            }
            Question::Matches(pattern) => matches_at(pattern, at),
            Question::Holds => Some(holds_at(at)),
        }
    }
}

fn related(operator: BinaryOperator, at: Try<'_>) -> Option<bool> {
    match at {
        Try::Related(order) => Some(holds_for(operator, Some(order))),
        Try::Nan => Some(holds_for(operator, None)),
        // Null, or two that cannot be compared.
        Try::Null | Try::Other | Try::Exactly(_) | Try::Beside(..) => None,
    }
}

fn comparison(operator: BinaryOperator, at: Try<'_>, value: &Value<'_>) -> Option<bool> {
    match at {
        Try::Nan => value.type_of().is_number().then(|| holds_for(operator, None)),
        Try::Exactly(exactly) => match operator {
            BinaryOperator::Equal => operators::equal(exactly, value).ok().flatten(),
            BinaryOperator::NotEqual => operators::equal(exactly, value).ok().flatten().map(|equal| !equal),
            _ => Some(holds_for(operator, Some(order_of(exactly, value)?))),
        },
        Try::Beside(near, side) => Some(holds_for(operator, Some(order_of(near, value)?.then(side)))),
        Try::Null | Try::Other | Try::Related(_) => None,
    }
}

/// Whether a comparison holds of two in that order; NaN has none.
fn holds_for(operator: BinaryOperator, order: Option<Ordering>) -> bool {
    match operator {
        BinaryOperator::NotEqual => order != Some(Ordering::Equal),
        BinaryOperator::Less => order.is_some_and(Ordering::is_lt),
        BinaryOperator::LessOrEqual => order.is_some_and(Ordering::is_le),
        BinaryOperator::Greater => order.is_some_and(Ordering::is_gt),
        BinaryOperator::GreaterOrEqual => order.is_some_and(Ordering::is_ge),
        _ => order.is_some_and(Ordering::is_eq),
    }
}

/// None where two have no order.
fn order_of(a: &Value<'_>, b: &Value<'_>) -> Option<Ordering> {
    let is = |holds: fn(Ordering) -> bool| operators::ordered(a, b, holds).ok().flatten();
    match (is(Ordering::is_lt)?, is(Ordering::is_eq)?) {
        (true, _) => Some(Ordering::Less),
        (_, true) => Some(Ordering::Equal),
        _ => Some(Ordering::Greater),
    }
}

fn matches_at(pattern: &TextPattern, at: Try<'_>) -> Answer {
    match at {
        Try::Exactly(Value::String(text)) => Some(Some(pattern.regex.is_match(text.as_str()))),
        Try::Beside(Value::String(_), _) | Try::Other => None,
        Try::Null | Try::Nan | Try::Exactly(_) | Try::Beside(..) | Try::Related(_) => Some(None),
    }
}

fn holds_at(at: Try<'_>) -> Option<bool> {
    match at {
        Try::Exactly(Value::Bool(value)) => Some(*value),
        Try::Null | Try::Nan | Try::Other | Try::Exactly(_) | Try::Beside(..) | Try::Related(_) => None,
    }
}
