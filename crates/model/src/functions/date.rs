//! The day of a time.

use super::argument;
use crate::eval::Fault;
use crate::function::{Accepts, Function, Parameter};
use crate::operators::Outcome;
use crate::time::Span;
use crate::types::Type;
use crate::value::Value;

pub(super) static DATE: Function = Function {
    name: "date",
    parameters: &[Parameter::one("time", Accepts::Timestamp)],
    result: |_| Some(Type::Timestamp),
    takes_null: false,
    doc: "The start of the day in UTC.",
    examples: &[
        ("date(@2021-01-19T09:13:25Z)", "@2021-01-19T00:00:00Z"),
        ("date(@1969-12-31T23:59:59Z)", "@1969-12-31T00:00:00Z"),
    ],
    call,
};

fn call<'a>(arguments: &[Value<'a>]) -> Outcome<Value<'a>> {
    argument::timestamp(arguments, 0)?.truncated(Span::DAY).map(Value::Timestamp).ok_or(Fault::Overflow)
}
