//! A number rounded up.

use super::argument;
use crate::eval::Fault;
use crate::function::{Accepts, Function, Parameter};
use crate::operators::Outcome;
use crate::value::Value;

pub(super) static CEIL: Function = Function {
    name: "ceil",
    parameters: &[Parameter::one("number", Accepts::Number)],
    result: |arguments| arguments.first().cloned(),
    takes_null: false,
    doc: "The least whole number that is not below the number, of the same type.",
    examples: &[("ceil(1.2)", "2.0"), ("ceil(-1.8)", "-1.0"), ("ceil(3)", "3")],
    call,
};

fn call<'a>(arguments: &[Value<'a>]) -> Outcome<Value<'a>> {
    match argument::any(arguments, 0)? {
        Value::Int(number) => Ok(Value::Int(*number)),
        Value::Float(number) => Ok(Value::Float(number.ceil())),
        Value::Decimal(number) => Ok(Value::Decimal(number.ceil())),
        _ => Err(Fault::UnlikeTypes),
    }
}
