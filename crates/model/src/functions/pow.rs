//! A number to a power.

use super::argument;
use crate::eval::Fault;
use crate::function::{Accepts, Function, Parameter};
use crate::operators::Outcome;
use crate::types::Type;
use crate::value::Value;

pub(super) static POW: Function = Function {
    name: "pow",
    parameters: &[Parameter::one("base", Accepts::Number), Parameter::one("exponent", Accepts::Number)],
    result: |_| Some(Type::Float),
    takes_null: false,
    doc: "The base to the power of the exponent as a float.",
    examples: &[("pow(2, 10)", "1024.0"), ("pow(2, -1)", "0.5"), ("pow(9, 0.5)", "3.0"), ("pow(-8, 0.5)", "null")],
    call,
};

fn call<'a>(arguments: &[Value<'a>]) -> Outcome<Value<'a>> {
    let (base, exponent) = (argument::float(arguments, 0)?, argument::float(arguments, 1)?);
    if base == 0.0 && exponent < 0.0 {
        return Err(Fault::DivisionByZero);
    }
    let power = base.powf(exponent);
    if power.is_nan() && !base.is_nan() && !exponent.is_nan() {
        return Err(Fault::Argument);
    }
    Ok(Value::Float(power))
}
