//! The weekday of a time.

use super::argument;
use crate::function::{Accepts, Function, Parameter};
use crate::operators::Outcome;
use crate::time::Span;
use crate::types::Type;
use crate::value::Value;

pub(super) static DAY_OF_WEEK: Function = Function {
    name: "day_of_week",
    parameters: &[Parameter::one("time", Accepts::Timestamp)],
    result: |_| Some(Type::Int),
    takes_null: false,
    doc: "The day of the week in UTC, from 1 for Monday to 7 for Sunday.",
    examples: &[
        ("day_of_week(@2021-01-19T09:13:25Z)", "2"),
        ("day_of_week(@1970-01-01T00:00:00Z)", "4"),
        ("day_of_week(@1969-12-28T00:00:00Z)", "7"),
    ],
    call,
};

fn call<'a>(arguments: &[Value<'a>]) -> Outcome<Value<'a>> {
    let time = argument::timestamp(arguments, 0)?;
    let days_since_thursday = time.as_micros().div_euclid(Span::DAY.as_micros());
    Ok(Value::Int((days_since_thursday + 3).rem_euclid(7) + 1))
}
