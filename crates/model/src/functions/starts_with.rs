//! Whether a text begins with another.

use super::argument;
use crate::function::{Accepts, Function, Parameter};
use crate::operators::Outcome;
use crate::types::Type;
use crate::value::Value;

pub(super) static STARTS_WITH: Function = Function {
    name: "starts_with",
    parameters: &[Parameter::one("text", Accepts::String), Parameter::one("part", Accepts::String)],
    result: |_| Some(Type::Bool),
    takes_null: false,
    doc: "Whether the text begins with `part`.",
    examples: &[(r#"starts_with("EUR 12", "EUR")"#, "true"), (r#"starts_with("EUR", "EUR 12")"#, "false")],
    call,
};

fn call<'a>(arguments: &[Value<'a>]) -> Outcome<Value<'a>> {
    let (text, part) = (argument::str(arguments, 0)?, argument::str(arguments, 1)?);
    Ok(text.starts_with(part).into())
}
