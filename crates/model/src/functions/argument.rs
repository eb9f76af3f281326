//! What a function takes out of its arguments. The checker has counted them, and has seen their types where they are
//! known; a type that shows only now is a fault.

use crate::eval::Fault;
use crate::expr::BinaryOperator;
use crate::number::float_of;
use crate::operators::{Outcome, binary_type};
use crate::time::{Span, Timestamp};
use crate::types::Type;
use crate::value::{Text, Value};

pub(super) fn any<'v, 'a>(arguments: &'v [Value<'a>], position: usize) -> Outcome<&'v Value<'a>> {
    arguments.get(position).ok_or(Fault::Argument)
}

pub(super) fn text<'v, 'a>(arguments: &'v [Value<'a>], position: usize) -> Outcome<&'v Text<'a>> {
    match any(arguments, position)? {
        Value::String(text) => Ok(text),
        _ => Err(Fault::UnlikeTypes),
    }
}

pub(super) fn str<'v>(arguments: &'v [Value<'_>], position: usize) -> Outcome<&'v str> {
    text(arguments, position).map(Text::as_str)
}

pub(super) fn int(arguments: &[Value<'_>], position: usize) -> Outcome<i64> {
    match any(arguments, position)? {
        Value::Int(value) => Ok(*value),
        _ => Err(Fault::UnlikeTypes),
    }
}

pub(super) fn float(arguments: &[Value<'_>], position: usize) -> Outcome<f64> {
    float_of(any(arguments, position)?).ok_or(Fault::UnlikeTypes)
}

pub(super) fn timestamp(arguments: &[Value<'_>], position: usize) -> Outcome<Timestamp> {
    match any(arguments, position)? {
        Value::Timestamp(time) => Ok(*time),
        _ => Err(Fault::UnlikeTypes),
    }
}

pub(super) fn duration(arguments: &[Value<'_>], position: usize) -> Outcome<Span> {
    match any(arguments, position)? {
        Value::Duration(span) => Ok(*span),
        _ => Err(Fault::UnlikeTypes),
    }
}

/// An argument that may have been left out.
pub(super) fn optional<'a, T>(
    arguments: &[Value<'a>],
    position: usize,
    get: fn(&[Value<'a>], usize) -> Outcome<T>,
) -> Outcome<Option<T>> {
    if position < arguments.len() { get(arguments, position).map(Some) } else { Ok(None) }
}

/// The type of what is one of the arguments.
pub(super) fn common_type(arguments: &[Type]) -> Option<Type> {
    let (first, others) = arguments.split_first()?;
    others.iter().try_fold(first.clone(), |common, other| common.common(other))
}

/// The same where the arguments must have an order, each with each.
pub(super) fn common_ordered_type(arguments: &[Type]) -> Option<Type> {
    let in_order = |a, b| binary_type(BinaryOperator::Less, a, b).is_some();
    let all = arguments.iter().all(|a| arguments.iter().all(|b| in_order(a, b)));
    all.then(|| common_type(arguments)).flatten()
}
