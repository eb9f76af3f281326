//! Whether a text ends with another.

use super::argument;
use crate::function::{Accepts, Function, Parameter};
use crate::operators::Outcome;
use crate::types::Type;
use crate::value::Value;

pub(super) static ENDS_WITH: Function = Function {
    name: "ends_with",
    parameters: &[Parameter::one("text", Accepts::String), Parameter::one("part", Accepts::String)],
    result: |_| Some(Type::Bool),
    takes_null: false,
    doc: "Whether the text ends with `part`.",
    examples: &[(r#"ends_with("in.jsonl", ".jsonl")"#, "true"), (r#"ends_with("in.jsonl", ".csv")"#, "false")],
    call,
};

fn call<'a>(arguments: &[Value<'a>]) -> Outcome<Value<'a>> {
    let (text, part) = (argument::str(arguments, 0)?, argument::str(arguments, 1)?);
    Ok(text.ends_with(part).into())
}
