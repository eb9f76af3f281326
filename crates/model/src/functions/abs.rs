//! A number without its sign.

use super::argument;
use crate::eval::Fault;
use crate::function::{Accepts, Function, Parameter};
use crate::operators::Outcome;
use crate::value::Value;

pub(super) static ABS: Function = Function {
    name: "abs",
    parameters: &[Parameter::one("number", Accepts::Number)],
    result: |arguments| arguments.first().cloned(),
    takes_null: false,
    doc: "The number without its sign.",
    examples: &[("abs(-2)", "2"), ("abs(2.5)", "2.5")],
    call,
};

fn call<'a>(arguments: &[Value<'a>]) -> Outcome<Value<'a>> {
    match argument::any(arguments, 0)? {
        Value::Int(number) => number.checked_abs().map(Value::Int).ok_or(Fault::Overflow),
        Value::Float(number) => Ok(Value::Float(number.abs())),
        Value::Decimal(number) => Ok(Value::Decimal(number.abs())),
        _ => Err(Fault::UnlikeTypes),
    }
}
