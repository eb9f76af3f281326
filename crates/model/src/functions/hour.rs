//! The hour of a time.

use super::argument;
use crate::function::{Accepts, Function, Parameter};
use crate::operators::Outcome;
use crate::time::Span;
use crate::types::Type;
use crate::value::Value;

pub(super) static HOUR: Function = Function {
    name: "hour",
    parameters: &[Parameter::one("time", Accepts::Timestamp)],
    result: |_| Some(Type::Int),
    takes_null: false,
    doc: "The hour of the day in UTC, 0 to 23.",
    examples: &[("hour(@2021-01-19T09:13:25Z)", "9"), ("hour(@1969-12-31T23:59:59Z)", "23")],
    call,
};

fn call<'a>(arguments: &[Value<'a>]) -> Outcome<Value<'a>> {
    let time = argument::timestamp(arguments, 0)?;
    Ok(Value::Int(time.as_micros().rem_euclid(Span::DAY.as_micros()) / Span::HOUR.as_micros()))
}
