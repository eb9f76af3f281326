//! How the values of a stage's events become one: `sum(a.x)`, `count(a)`, `collect(a.x)`, ...

use std::cmp::Ordering;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::eval::Fault;
use crate::expr::Aggregate;
use crate::operators::{self, Outcome};
use crate::types::Type;
use crate::value::Value;

/// What an aggregate knows after some events. It is kept with a group of runs: compared, saved, and cloned where runs
/// part; a clone shares what is collected.
///
/// ```
/// use ensue_model::aggregate::Accumulator;
/// use ensue_model::{Value, expr::Aggregate};
///
/// let mut sum = Accumulator::new(Aggregate::Sum);
/// for amount in [Value::Int(1), Value::Null, Value::Int(2)] {
///     sum.add(amount, &mut |fault| panic!("{fault:?}"));
/// }
/// assert_eq!(sum.value(), Value::Int(3));
/// ```
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Accumulator {
    state: State,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
enum State {
    Count(i64),
    Sum(Folded),
    Avg { sum: Folded, count: i64 },
    Min(Folded),
    Max(Folded),
    Any(Folded),
    All(Folded),
    Collect(Arc<Vec<Value<'static>>>),
    Distinct(Arc<Vec<Value<'static>>>),
}

/// Values made into one by an operator.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
enum Folded {
    /// There was none.
    #[default]
    Nothing,
    /// What they made.
    Value(Value<'static>),
    /// The operator had no result, and what comes later gives none either: a sum from which one value is missing would
    /// be wrong, not null.
    Lost,
}

impl Accumulator {
    /// Before the first event.
    pub fn new(aggregate: Aggregate) -> Self {
        let state = match aggregate {
            Aggregate::Count => State::Count(0),
            Aggregate::Sum => State::Sum(Folded::Nothing),
            Aggregate::Avg => State::Avg { sum: Folded::Nothing, count: 0 },
            Aggregate::Min => State::Min(Folded::Nothing),
            Aggregate::Max => State::Max(Folded::Nothing),
            Aggregate::Any => State::Any(Folded::Nothing),
            Aggregate::All => State::All(Folded::Nothing),
            Aggregate::Collect => State::Collect(Arc::default()),
            Aggregate::Distinct => State::Distinct(Arc::default()),
        };
        Accumulator { state }
    }

    /// Takes in the value of one more event.
    ///
    /// `count`, `sum`, `avg`, `min` and `max` pass over null; `any` and `all` take it as a condition that is not known;
    /// `collect` and `distinct` hold it. `distinct` compares with every value that it holds, so that n different ones
    /// cost n² steps: it is for loops, whose length has a limit.
    pub fn add(&mut self, value: Value<'_>, fault: &mut impl FnMut(Fault)) {
        match &mut self.state {
            State::Count(count) => *count += i64::from(!value.is_null()),
            State::Sum(sum) => sum.fold(value, number, operators::add, fault),
            State::Avg { sum, count } => {
                *count += i64::from(!value.is_null());
                sum.fold(value, quantity, operators::add, fault);
            }
            State::Min(least) => least.fold(value, in_order, operators::lesser, fault),
            State::Max(greatest) => greatest.fold(value, in_order, operators::greater, fault),
            State::Any(any) => any.fold_condition(&value, operators::or, fault),
            State::All(all) => all.fold_condition(&value, operators::and, fault),
            State::Collect(values) => Arc::make_mut(values).push(value.into_owned()),
            State::Distinct(values) => {
                if !values.contains(&value) {
                    Arc::make_mut(values).push(value.into_owned());
                }
            }
        }
    }

    /// What the events so far make: of none 0 for `count` and `sum`, and null for all others.
    pub fn value(&self) -> Value<'static> {
        match &self.state {
            State::Count(count) => Value::Int(*count),
            State::Sum(Folded::Nothing) => Value::Int(0),
            State::Avg { sum, count } => operators::divide(&sum.value(), &Value::Int(*count)).unwrap_or_default(),
            State::Sum(folded) | State::Min(folded) | State::Max(folded) | State::Any(folded) | State::All(folded) => {
                folded.value()
            }
            State::Collect(values) | State::Distinct(values) if values.is_empty() => Value::Null,
            State::Collect(values) | State::Distinct(values) => Value::List(values.as_slice().into()),
        }
    }
}

impl Folded {
    fn value(&self) -> Value<'static> {
        match self {
            Folded::Nothing | Folded::Lost => Value::Null,
            Folded::Value(value) => value.clone(),
        }
    }

    /// Takes in a value unless it is null. The first is asked only whether it is one that `operator` takes.
    fn fold(
        &mut self,
        value: Value<'_>,
        accept: fn(&Value<'_>) -> Outcome<()>,
        operator: fn(&Value<'_>, &Value<'_>) -> Outcome,
        fault: &mut impl FnMut(Fault),
    ) {
        if value.is_null() {
            return;
        }
        let outcome = match self {
            Folded::Nothing => accept(&value).map(|()| value.into_owned()),
            Folded::Value(so_far) => accept(&value).and_then(|()| operator(so_far, &value)),
            Folded::Lost => return,
        };
        *self = outcome.map_or_else(
            |lost| {
                fault(lost);
                Folded::Lost
            },
            Folded::Value,
        );
    }

    /// Takes in a condition; one that is no condition counts, and is not known.
    fn fold_condition(
        &mut self,
        value: &Value<'_>,
        operator: fn(Option<bool>, Option<bool>) -> Option<bool>,
        fault: &mut impl FnMut(Fault),
    ) {
        let holds = operators::truth(value).unwrap_or_else(|unlike| {
            fault(unlike);
            None
        });
        let folded = match self {
            Folded::Value(Value::Bool(so_far)) => operator(Some(*so_far), holds),
            Folded::Value(_) | Folded::Lost => operator(None, holds),
            Folded::Nothing => holds,
        };
        *self = Folded::Value(folded.into());
    }
}

/// The type of an aggregate over values of a type; none where it does not take them. `any(a, ..)` and `all(a, ..)` take
/// conditions, `count` and `collect` anything. The sum of no decimals or floats is the int 0.
///
/// A sum takes numbers only, since the sum of nothing is 0, which is no duration.
pub fn aggregate_type(aggregate: Aggregate, value: &Type) -> Option<Type> {
    match (aggregate, value) {
        (Aggregate::Count, _) => Some(Type::Int),
        (Aggregate::Collect | Aggregate::Distinct, _) => Some(Type::List(Box::new(value.clone()))),
        (Aggregate::Any | Aggregate::All, Type::Bool | Type::Any) => Some(Type::Bool),
        (Aggregate::Any | Aggregate::All, _) => None,
        (Aggregate::Sum | Aggregate::Avg | Aggregate::Min | Aggregate::Max, Type::Any) => Some(Type::Any),
        (Aggregate::Sum, value) => value.is_number().then(|| value.clone()),
        (Aggregate::Avg, Type::Int) => Some(Type::Float),
        (Aggregate::Avg, value) => (value.is_number() || *value == Type::Duration).then(|| value.clone()),
        (Aggregate::Min | Aggregate::Max, Type::Bool | Type::List(_)) => None,
        (Aggregate::Min | Aggregate::Max, value) => Some(value.clone()),
    }
}

fn number(value: &Value<'_>) -> Outcome<()> {
    if value.type_of().is_number() { Ok(()) } else { Err(Fault::UnlikeTypes) }
}

fn quantity(value: &Value<'_>) -> Outcome<()> {
    if matches!(value, Value::Duration(_)) { Ok(()) } else { number(value) }
}

/// What has an order has one with itself.
fn in_order(value: &Value<'_>) -> Outcome<()> {
    operators::ordered(value, value, Ordering::is_eq).map(|_| ())
}
