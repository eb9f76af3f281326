//! The first value that is there.

use super::argument;
use crate::function::{Accepts, Function, Parameter};
use crate::operators::Outcome;
use crate::value::Value;

pub(super) static COALESCE: Function = Function {
    name: "coalesce",
    parameters: &[Parameter::one("a", Accepts::Any), Parameter::variadic("b", Accepts::Any)],
    result: argument::common_type,
    takes_null: true,
    doc: "The first of the values that is not null; `a ?? b` is the same for two.",
    examples: &[("coalesce(null, 1, 2)", "1"), ("coalesce(null, null)", "null")],
    call,
};

fn call<'a>(arguments: &[Value<'a>]) -> Outcome<Value<'a>> {
    Ok(arguments.iter().find(|value| !value.is_null()).cloned().unwrap_or_default())
}
