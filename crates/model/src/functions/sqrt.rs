//! The square root.

use super::argument;
use crate::eval::Fault;
use crate::function::{Accepts, Function, Parameter};
use crate::operators::Outcome;
use crate::types::Type;
use crate::value::Value;

pub(super) static SQRT: Function = Function {
    name: "sqrt",
    parameters: &[Parameter::one("number", Accepts::Number)],
    result: |_| Some(Type::Float),
    takes_null: false,
    doc: "The square root of the number as a float; of a negative one there is none.",
    examples: &[("sqrt(9)", "3.0"), ("sqrt(2.25)", "1.5"), ("sqrt(-1)", "null")],
    call,
};

fn call<'a>(arguments: &[Value<'a>]) -> Outcome<Value<'a>> {
    let number = argument::float(arguments, 0)?;
    if number < 0.0 { Err(Fault::Argument) } else { Ok(Value::Float(number.sqrt())) }
}
