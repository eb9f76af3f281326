//! The step in which a time lies.

use super::argument;
use crate::eval::Fault;
use crate::function::{Accepts, Function, Parameter};
use crate::operators::Outcome;
use crate::time::Span;
use crate::types::Type;
use crate::value::Value;

pub(super) static TRUNCATE: Function = Function {
    name: "truncate",
    parameters: &[Parameter::one("time", Accepts::Timestamp), Parameter::one("step", Accepts::Duration)],
    result: |_| Some(Type::Timestamp),
    takes_null: false,
    doc: "The start of the step of that length in which the time lies, in UTC; steps are counted from a \
          Monday, 2000-01-03, so that weeks start on Mondays.",
    examples: &[
        ("truncate(@2021-01-19T09:13:25Z, 15m)", "@2021-01-19T09:00:00Z"),
        ("truncate(@2021-01-19T09:13:25Z, 1w)", "@2021-01-18T00:00:00Z"),
        ("truncate(@2021-01-19T09:13:25Z, 0s)", "null"),
    ],
    call,
};

fn call<'a>(arguments: &[Value<'a>]) -> Outcome<Value<'a>> {
    let (time, step) = (argument::timestamp(arguments, 0)?, argument::duration(arguments, 1)?);
    if step <= Span::ZERO {
        return Err(Fault::Argument);
    }
    time.truncated(step).map(Value::Timestamp).ok_or(Fault::Overflow)
}
