//! A number rounded to the nearest.

use rust_decimal::{Decimal, RoundingStrategy};

use super::argument;
use crate::eval::Fault;
use crate::function::{Accepts, Function, Parameter};
use crate::number::decimal_of;
use crate::operators::Outcome;
use crate::value::Value;

pub(super) static ROUND: Function = Function {
    name: "round",
    parameters: &[Parameter::one("number", Accepts::Number), Parameter::optional("digits", Accepts::Int)],
    result: |arguments| arguments.first().cloned(),
    takes_null: false,
    doc: "The number rounded to so many digits after the point, 0 to 28 and 0 if not given; a half goes away \
          from zero.",
    examples: &[
        ("round(2.5)", "3.0"),
        ("round(-2.5)", "-3.0"),
        ("round(2.675, 2)", "2.68"),
        ("round(7)", "7"),
        ("round(1.5, -1)", "null"),
    ],
    call,
};

fn call<'a>(arguments: &[Value<'a>]) -> Outcome<Value<'a>> {
    let digits = argument::optional(arguments, 1, argument::int)?.unwrap_or(0);
    let digits = u32::try_from(digits).ok().filter(|digits| *digits <= Decimal::MAX_SCALE).ok_or(Fault::Argument)?;
    match argument::any(arguments, 0)? {
        Value::Int(number) => Ok(Value::Int(*number)),
        Value::Float(number) => Ok(Value::Float(round_float(*number, digits))),
        Value::Decimal(number) => Ok(Value::Decimal(round_decimal(*number, digits))),
        _ => Err(Fault::UnlikeTypes),
    }
}

fn round_decimal(number: Decimal, digits: u32) -> Decimal {
    number.round_dp_with_strategy(digits, RoundingStrategy::MidpointAwayFromZero)
}

/// Rounds the number that is written, not the double behind it: 2.675 is a little less as a double, and people who
/// round it to cents expect 2.68.
fn round_float(number: f64, digits: u32) -> f64 {
    if digits == 0 {
        return number.round();
    }
    match decimal_of(number) {
        Some(decimal) => {
            round_decimal(decimal, digits).to_string().parse().expect("a decimal is written as a float is")
        }
        None => number,
    }
}
