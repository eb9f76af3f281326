//! Text in capital letters.

use super::argument;
use crate::function::{Accepts, Function, Parameter};
use crate::operators::Outcome;
use crate::types::Type;
use crate::value::Value;

pub(super) static UPPER: Function = Function {
    name: "upper",
    parameters: &[Parameter::one("text", Accepts::String)],
    result: |_| Some(Type::String),
    takes_null: false,
    doc: "The text in upper case.",
    examples: &[(r#"upper("eur")"#, r#""EUR""#), (r#"upper("straße")"#, r#""STRASSE""#)],
    call,
};

fn call<'a>(arguments: &[Value<'a>]) -> Outcome<Value<'a>> {
    let text = argument::text(arguments, 0)?;
    if is_upper(text.as_str()) {
        return Ok(text.clone().into());
    }
    Ok(text.as_str().to_uppercase().into())
}

/// The usual text needs no copy.
fn is_upper(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_lowercase())
}
