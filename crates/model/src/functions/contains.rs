//! Whether a text is in another.

use super::argument;
use crate::function::{Accepts, Function, Parameter};
use crate::operators::Outcome;
use crate::types::Type;
use crate::value::Value;

pub(super) static CONTAINS: Function = Function {
    name: "contains",
    parameters: &[Parameter::one("text", Accepts::String), Parameter::one("part", Accepts::String)],
    result: |_| Some(Type::Bool),
    takes_null: false,
    doc: "Whether `part` is somewhere in the text.",
    examples: &[
        (r#"contains("paypal", "pal")"#, "true"),
        (r#"contains("paypal", "Pal")"#, "false"),
        (r#"contains("a", "")"#, "true"),
    ],
    call,
};

fn call<'a>(arguments: &[Value<'a>]) -> Outcome<Value<'a>> {
    let (text, part) = (argument::str(arguments, 0)?, argument::str(arguments, 1)?);
    Ok(text.contains(part).into())
}
