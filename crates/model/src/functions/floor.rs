//! A number rounded down.

use super::argument;
use crate::eval::Fault;
use crate::function::{Accepts, Function, Parameter};
use crate::operators::Outcome;
use crate::value::Value;

pub(super) static FLOOR: Function = Function {
    name: "floor",
    parameters: &[Parameter::one("number", Accepts::Number)],
    result: |arguments| arguments.first().cloned(),
    takes_null: false,
    doc: "The greatest whole number that is not above the number, of the same type.",
    examples: &[("floor(1.8)", "1.0"), ("floor(-1.2)", "-2.0"), ("floor(7 / 2)", "3.0")],
    call,
};

fn call<'a>(arguments: &[Value<'a>]) -> Outcome<Value<'a>> {
    match argument::any(arguments, 0)? {
        Value::Int(number) => Ok(Value::Int(*number)),
        Value::Float(number) => Ok(Value::Float(number.floor())),
        Value::Decimal(number) => Ok(Value::Decimal(number.floor())),
        _ => Err(Fault::UnlikeTypes),
    }
}
