//! Text in small letters.

use super::argument;
use crate::function::{Accepts, Function, Parameter};
use crate::operators::Outcome;
use crate::types::Type;
use crate::value::Value;

pub(super) static LOWER: Function = Function {
    name: "lower",
    parameters: &[Parameter::one("text", Accepts::String)],
    result: |_| Some(Type::String),
    takes_null: false,
    doc: "The text in lower case.",
    examples: &[(r#"lower("PayPal")"#, r#""paypal""#), (r#"lower("ÄÖ")"#, r#""äö""#)],
    call,
};

fn call<'a>(arguments: &[Value<'a>]) -> Outcome<Value<'a>> {
    let text = argument::text(arguments, 0)?;
    if is_lower(text.as_str()) {
        return Ok(text.clone().into());
    }
    Ok(text.as_str().to_lowercase().into())
}

/// The usual text needs no copy.
fn is_lower(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase())
}
