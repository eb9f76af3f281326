//! The least of several values.

use super::argument;
use crate::eval::Fault;
use crate::function::{Accepts, Function, Parameter};
use crate::operators::{self, Outcome};
use crate::value::Value;

pub(super) static MIN: Function = Function {
    name: "min",
    parameters: &[Parameter::one("a", Accepts::Any), Parameter::variadic("b", Accepts::Any)],
    result: argument::common_ordered_type,
    takes_null: false,
    doc: "The least of the values, which are numbers, or strings, or times, or durations.",
    examples: &[("min(3, 1.5)", "1.5"), (r#"min("b", "a", "c")"#, r#""a""#), ("min(1, null)", "null")],
    call,
};

fn call<'a>(arguments: &[Value<'a>]) -> Outcome<Value<'a>> {
    let (first, others) = arguments.split_first().ok_or(Fault::Argument)?;
    others.iter().try_fold(first.clone(), |least, other| operators::lesser(&least, other))
}
