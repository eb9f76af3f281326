//! Text with a part exchanged.

use super::argument;
use crate::function::{Accepts, Function, Parameter};
use crate::operators::Outcome;
use crate::types::Type;
use crate::value::Value;

pub(super) static REPLACE: Function = Function {
    name: "replace",
    parameters: &[
        Parameter::one("text", Accepts::String),
        Parameter::one("from", Accepts::String),
        Parameter::one("to", Accepts::String),
    ],
    result: |_| Some(Type::String),
    takes_null: false,
    doc: "The text with `to` in every place where `from` was; an empty `from` is nowhere.",
    examples: &[
        (r#"replace("1,234,567", ",", "")"#, r#""1234567""#),
        (r#"replace("aaa", "aa", "b")"#, r#""ba""#),
        (r#"replace("a", "", "-")"#, r#""a""#),
    ],
    call,
};

fn call<'a>(arguments: &[Value<'a>]) -> Outcome<Value<'a>> {
    let text = argument::text(arguments, 0)?;
    let (from, to) = (argument::str(arguments, 1)?, argument::str(arguments, 2)?);
    if from.is_empty() || !text.as_str().contains(from) {
        return Ok(text.clone().into());
    }
    Ok(text.as_str().replace(from, to).into())
}
