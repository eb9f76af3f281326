//! What the operators of expressions mean: on values for the evaluator, and beside that on types for the checker. The
//! two are one table, read twice; a test holds them together for all pairs of types.
//!
//! | operands | `+ -` | `*` | `/` | `%` |
//! |---|---|---|---|---|
//! | int, int | int | int | float | int |
//! | decimal with decimal or int | decimal | decimal | decimal | decimal |
//! | float with any number | float | float | float | float |
//! | duration, duration | duration | | float | |
//! | duration, int | | duration | duration | |
//! | timestamp, duration | timestamp | | | |
//! | timestamp, timestamp | `-`: duration | | | |
//!
//! * `+` and `*` do not care which side comes first; `duration - timestamp` and `int / duration` mean nothing.
//! * The division of two ints is a float: `3 / 2` is 1.5. To cut the half off, as SQL does, is a trap in conditions such
//!   as `failed / sent > 0.5`, and a type that depends on whether it comes out even could not be checked. `floor(a / b)`
//!   cuts it off. A duration divided by an int is cut off at the microsecond.
//! * `%` has the sign of its left side, as in SQL.
//! * What leaves the range of ints, decimals, durations or times is null, with [`Fault::Overflow`]. Floats are IEEE's and
//!   have no such end. Division by zero is null for all of them, with [`Fault::DivisionByZero`].
//! * Numbers compare with numbers of every type, by value; strings with strings, by code point; timestamps and durations
//!   with their like. Bools, lists and records know only `==` and `!=`; lists and records do it by their items. NaN is
//!   IEEE's: it equals nothing, and is neither less nor greater.
//! * Null on either side gives null, and is not counted; all else is [`Fault::UnlikeTypes`].

use std::cmp::Ordering;

use rust_decimal::Decimal;

use crate::eval::Fault;
use crate::expr::{BinaryOperator, UnaryOperator};
use crate::number::{Numbers, decimal_with_float, int_with_float};
use crate::time::{Span, Timestamp};
use crate::types::Type;
use crate::value::Value;

/// What an operator gives.
pub type Outcome<T = Value<'static>> = Result<T, Fault>;

/// The type of `not x`, `-x`, `x is null`; none where the operator does not take such an operand.
pub fn unary_type(operator: UnaryOperator, operand: &Type) -> Option<Type> {
    match (operator, operand) {
        (UnaryOperator::IsNull, _) => Some(Type::Bool),
        (UnaryOperator::Not, Type::Bool | Type::Any) => Some(Type::Bool),
        (UnaryOperator::Negate, Type::Int | Type::Float | Type::Decimal | Type::Duration | Type::Any) => {
            Some(operand.clone())
        }
        (UnaryOperator::Not | UnaryOperator::Negate, _) => None,
    }
}

/// The type of `a + b`, `a < b`, `a and b`, ...; none where the operator does not take such operands.
///
/// `any` with anything is `bool` for comparisons and `any` for arithmetic. Of `a ?? b` it is what both have in common
/// ([`Type::common`]).
///
/// ```
/// use ensue_model::expr::BinaryOperator::{Add, Less};
/// use ensue_model::{Type, operators::binary_type};
/// assert_eq!(binary_type(Add, &Type::Timestamp, &Type::Duration), Some(Type::Timestamp));
/// assert_eq!(binary_type(Less, &Type::Int, &Type::String), None);
/// ```
pub fn binary_type(operator: BinaryOperator, a: &Type, b: &Type) -> Option<Type> {
    match operator {
        BinaryOperator::Or | BinaryOperator::And => (is_condition(a) && is_condition(b)).then_some(Type::Bool),
        BinaryOperator::Coalesce => a.common(b),
        BinaryOperator::Equal | BinaryOperator::NotEqual => can_be_equal(a, b).then_some(Type::Bool),
        BinaryOperator::Less
        | BinaryOperator::LessOrEqual
        | BinaryOperator::Greater
        | BinaryOperator::GreaterOrEqual => have_order(a, b).then_some(Type::Bool),
        BinaryOperator::Add
        | BinaryOperator::Subtract
        | BinaryOperator::Multiply
        | BinaryOperator::Divide
        | BinaryOperator::Remainder => arithmetic_type(operator, a, b),
    }
}

fn is_condition(kind: &Type) -> bool {
    matches!(kind, Type::Bool | Type::Any)
}

fn can_be_equal(a: &Type, b: &Type) -> bool {
    match (a, b) {
        (Type::Bool, Type::Bool) => true,
        (Type::List(a), Type::List(b)) => can_be_equal(a, b),
        _ => have_order(a, b),
    }
}

fn have_order(a: &Type, b: &Type) -> bool {
    match (a, b) {
        (Type::Any, _) | (_, Type::Any) => true,
        (Type::String, Type::String) | (Type::Timestamp, Type::Timestamp) | (Type::Duration, Type::Duration) => true,
        _ => a.is_number() && b.is_number(),
    }
}

fn arithmetic_type(operator: BinaryOperator, a: &Type, b: &Type) -> Option<Type> {
    use BinaryOperator::{Add, Divide, Multiply, Subtract};
    match (operator, a, b) {
        (_, Type::Any, _) | (_, _, Type::Any) => Some(Type::Any),
        (Divide, Type::Int, Type::Int) => Some(Type::Float),
        (_, a, b) if a.is_number() && b.is_number() => Some(wider(a, b).clone()),
        (Add | Subtract, Type::Duration, Type::Duration) => Some(Type::Duration),
        (Add | Subtract, Type::Timestamp, Type::Duration) => Some(Type::Timestamp),
        (Add, Type::Duration, Type::Timestamp) => Some(Type::Timestamp),
        (Subtract, Type::Timestamp, Type::Timestamp) => Some(Type::Duration),
        (Multiply | Divide, Type::Duration, Type::Int) => Some(Type::Duration),
        (Multiply, Type::Int, Type::Duration) => Some(Type::Duration),
        (Divide, Type::Duration, Type::Duration) => Some(Type::Float),
        _ => None,
    }
}

/// Of two types of number the one that arithmetic gives.
fn wider<'a>(a: &'a Type, b: &'a Type) -> &'a Type {
    match (a, b) {
        (Type::Float, _) => a,
        (_, Type::Float) => b,
        (Type::Decimal, _) => a,
        _ => b,
    }
}

/// `not x`
pub fn not(operand: &Value<'_>) -> Outcome {
    Ok(truth(operand)?.map(|holds| !holds).into())
}

/// `-x`
pub fn negate(operand: &Value<'_>) -> Outcome {
    match operand {
        Value::Null => Ok(Value::Null),
        Value::Int(value) => int(value.checked_neg()),
        Value::Float(value) => Ok(Value::Float(-value)),
        Value::Decimal(value) => Ok(Value::Decimal(-*value)),
        Value::Duration(value) => duration(value.as_micros().checked_neg()),
        _ => Err(Fault::UnlikeTypes),
    }
}

/// A condition's value: none where it is null.
pub fn truth(condition: &Value<'_>) -> Outcome<Option<bool>> {
    match condition {
        Value::Null => Ok(None),
        Value::Bool(holds) => Ok(Some(*holds)),
        _ => Err(Fault::UnlikeTypes),
    }
}

/// `a and b` over SQL's three values: false wins over null.
pub fn and(a: Option<bool>, b: Option<bool>) -> Option<bool> {
    match (a, b) {
        (Some(false), _) | (_, Some(false)) => Some(false),
        (Some(true), Some(true)) => Some(true),
        (None, _) | (_, None) => None,
    }
}

/// `a or b` over SQL's three values: true wins over null.
pub fn or(a: Option<bool>, b: Option<bool>) -> Option<bool> {
    match (a, b) {
        (Some(true), _) | (_, Some(true)) => Some(true),
        (Some(false), Some(false)) => Some(false),
        (None, _) | (_, None) => None,
    }
}

/// `a == b`; none where the answer is null.
pub fn equal(a: &Value<'_>, b: &Value<'_>) -> Outcome<Option<bool>> {
    match (a, b) {
        (Value::Null, _) | (_, Value::Null) => Ok(None),
        (Value::String(a), Value::String(b)) => Ok(Some(a.as_str() == b.as_str())),
        (Value::Bool(a), Value::Bool(b)) => Ok(Some(a == b)),
        (Value::List(a), Value::List(b)) => {
            if a.len() != b.len() {
                return Ok(Some(false));
            }
            all_equal(a.iter().zip(b.iter()))
        }
        (Value::Record(a), Value::Record(b)) => {
            if !a.iter().map(|(name, _)| name).eq(b.iter().map(|(name, _)| name)) {
                return Ok(Some(false));
            }
            all_equal(a.iter().zip(b.iter()).map(|((_, a), (_, b))| (a, b)))
        }
        _ => Ok(Some(order_of(a, b)? == Some(Ordering::Equal))),
    }
}

fn all_equal<'a>(pairs: impl Iterator<Item = (&'a Value<'static>, &'a Value<'static>)>) -> Outcome<Option<bool>> {
    let mut so_far = Some(true);
    for (a, b) in pairs {
        so_far = and(so_far, equal(a, b)?);
        if so_far == Some(false) {
            break;
        }
    }
    Ok(so_far)
}

/// `a < b` and its like: `holds` says which orders it wants. None where the answer is null; false where one side is NaN.
pub fn ordered(a: &Value<'_>, b: &Value<'_>, holds: impl FnOnce(Ordering) -> bool) -> Outcome<Option<bool>> {
    if a.is_null() || b.is_null() {
        return Ok(None);
    }
    Ok(Some(order_of(a, b)?.is_some_and(holds)))
}

/// The order of two values that are not null; none where one is NaN.
fn order_of(a: &Value<'_>, b: &Value<'_>) -> Outcome<Option<Ordering>> {
    match (a, b) {
        (Value::Int(a), Value::Int(b)) => Ok(Some(a.cmp(b))),
        (Value::Float(a), Value::Float(b)) => Ok(a.partial_cmp(b)),
        (Value::Decimal(a), Value::Decimal(b)) => Ok(Some(a.cmp(b))),
        (Value::Int(a), Value::Float(b)) => Ok(int_with_float(*a, *b)),
        (Value::Float(a), Value::Int(b)) => Ok(int_with_float(*b, *a).map(Ordering::reverse)),
        (Value::Int(a), Value::Decimal(b)) => Ok(Some(Decimal::from(*a).cmp(b))),
        (Value::Decimal(a), Value::Int(b)) => Ok(Some(a.cmp(&Decimal::from(*b)))),
        (Value::Decimal(a), Value::Float(b)) => Ok(decimal_with_float(*a, *b)),
        (Value::Float(a), Value::Decimal(b)) => Ok(decimal_with_float(*b, *a).map(Ordering::reverse)),
        (Value::String(a), Value::String(b)) => Ok(Some(a.as_str().cmp(b.as_str()))),
        (Value::Timestamp(a), Value::Timestamp(b)) => Ok(Some(a.cmp(b))),
        (Value::Duration(a), Value::Duration(b)) => Ok(Some(a.cmp(b))),
        _ => Err(Fault::UnlikeTypes),
    }
}

/// The lesser of two values that are not null: the first of equals, NaN where one is.
pub fn lesser(a: &Value<'_>, b: &Value<'_>) -> Outcome {
    extreme(a, b, Ordering::is_gt)
}

/// The greater of two values that are not null: the first of equals, NaN where one is.
pub fn greater(a: &Value<'_>, b: &Value<'_>) -> Outcome {
    extreme(a, b, Ordering::is_lt)
}

fn extreme(a: &Value<'_>, b: &Value<'_>, second: impl FnOnce(Ordering) -> bool) -> Outcome {
    let chosen = match order_of(a, b)? {
        Some(order) if second(order) => b,
        Some(_) => a,
        None => &Value::Float(f64::NAN),
    };
    Ok(chosen.clone().into_owned())
}

/// `a + b`
pub fn add(a: &Value<'_>, b: &Value<'_>) -> Outcome {
    match (a, b) {
        (Value::Null, _) | (_, Value::Null) => Ok(Value::Null),
        (Value::Duration(a), Value::Duration(b)) => duration(a.as_micros().checked_add(b.as_micros())),
        (Value::Timestamp(time), Value::Duration(span)) | (Value::Duration(span), Value::Timestamp(time)) => {
            timestamp(time.as_micros().checked_add(span.as_micros()))
        }
        _ => match numbers(a, b)? {
            Numbers::Int(a, b) => int(a.checked_add(b)),
            Numbers::Float(a, b) => Ok(Value::Float(a + b)),
            Numbers::Decimal(a, b) => decimal(a.checked_add(b)),
        },
    }
}

/// `a - b`
pub fn subtract(a: &Value<'_>, b: &Value<'_>) -> Outcome {
    match (a, b) {
        (Value::Null, _) | (_, Value::Null) => Ok(Value::Null),
        (Value::Duration(a), Value::Duration(b)) => duration(a.as_micros().checked_sub(b.as_micros())),
        (Value::Timestamp(a), Value::Timestamp(b)) => duration(a.as_micros().checked_sub(b.as_micros())),
        (Value::Timestamp(time), Value::Duration(span)) => timestamp(time.as_micros().checked_sub(span.as_micros())),
        _ => match numbers(a, b)? {
            Numbers::Int(a, b) => int(a.checked_sub(b)),
            Numbers::Float(a, b) => Ok(Value::Float(a - b)),
            Numbers::Decimal(a, b) => decimal(a.checked_sub(b)),
        },
    }
}

/// `a * b`
pub fn multiply(a: &Value<'_>, b: &Value<'_>) -> Outcome {
    match (a, b) {
        (Value::Null, _) | (_, Value::Null) => Ok(Value::Null),
        (Value::Duration(span), Value::Int(factor)) | (Value::Int(factor), Value::Duration(span)) => {
            duration(span.as_micros().checked_mul(*factor))
        }
        _ => match numbers(a, b)? {
            Numbers::Int(a, b) => int(a.checked_mul(b)),
            Numbers::Float(a, b) => Ok(Value::Float(a * b)),
            Numbers::Decimal(a, b) => decimal(a.checked_mul(b)),
        },
    }
}

/// `a / b`
pub fn divide(a: &Value<'_>, b: &Value<'_>) -> Outcome {
    match (a, b) {
        (Value::Null, _) | (_, Value::Null) => Ok(Value::Null),
        (Value::Duration(_), Value::Int(0)) => Err(Fault::DivisionByZero),
        (Value::Duration(span), Value::Int(divisor)) => duration(span.as_micros().checked_div(*divisor)),
        (Value::Duration(a), Value::Duration(b)) => ratio(a.as_micros() as f64, b.as_micros() as f64),
        _ => match numbers(a, b)? {
            Numbers::Int(a, b) => ratio(a as f64, b as f64),
            Numbers::Float(a, b) => ratio(a, b),
            Numbers::Decimal(_, b) if b.is_zero() => Err(Fault::DivisionByZero),
            Numbers::Decimal(a, b) => decimal(a.checked_div(b)),
        },
    }
}

/// `a % b`
pub fn remainder(a: &Value<'_>, b: &Value<'_>) -> Outcome {
    if a.is_null() || b.is_null() {
        return Ok(Value::Null);
    }
    match numbers(a, b)? {
        Numbers::Int(_, 0) | Numbers::Float(_, 0.0) => Err(Fault::DivisionByZero),
        Numbers::Decimal(_, b) if b.is_zero() => Err(Fault::DivisionByZero),
        // The least int divided by -1 overflows, its remainder does not: it is 0.
        Numbers::Int(a, b) => Ok(Value::Int(a.wrapping_rem(b))),
        Numbers::Float(a, b) => Ok(Value::Float(a % b)),
        Numbers::Decimal(a, b) => decimal(a.checked_rem(b)),
    }
}

fn numbers(a: &Value<'_>, b: &Value<'_>) -> Outcome<Numbers> {
    Numbers::of(a, b).ok_or(Fault::UnlikeTypes)
}

fn ratio(a: f64, b: f64) -> Outcome {
    if b == 0.0 { Err(Fault::DivisionByZero) } else { Ok(Value::Float(a / b)) }
}

fn int(value: Option<i64>) -> Outcome {
    value.map(Value::Int).ok_or(Fault::Overflow)
}

fn decimal(value: Option<Decimal>) -> Outcome {
    value.map(Value::Decimal).ok_or(Fault::Overflow)
}

fn duration(micros: Option<i64>) -> Outcome {
    micros.map(|micros| Value::Duration(Span::from_micros(micros))).ok_or(Fault::Overflow)
}

fn timestamp(micros: Option<i64>) -> Outcome {
    micros.map(|micros| Value::Timestamp(Timestamp::from_micros(micros))).ok_or(Fault::Overflow)
}
