//! Text without the white space around it.

use super::argument;
use crate::function::{Accepts, Function, Parameter};
use crate::operators::Outcome;
use crate::types::Type;
use crate::value::Value;

pub(super) static TRIM: Function = Function {
    name: "trim",
    parameters: &[Parameter::one("text", Accepts::String)],
    result: |_| Some(Type::String),
    takes_null: false,
    doc: "The text without white space at either end.",
    examples: &[(r#"trim("  a b ")"#, r#""a b""#), (r#"trim("   ")"#, r#""""#)],
    call,
};

fn call<'a>(arguments: &[Value<'a>]) -> Outcome<Value<'a>> {
    let text = argument::text(arguments, 0)?;
    let start = text.as_str().len() - text.as_str().trim_start().len();
    let end = start + text.as_str().trim().len();
    Ok(text.slice(start..end).into())
}
