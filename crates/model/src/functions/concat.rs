//! Texts one after the other.

use std::fmt::Write;

use crate::function::{Accepts, Function, Parameter};
use crate::operators::Outcome;
use crate::types::Type;
use crate::value::Value;

pub(super) static CONCAT: Function = Function {
    name: "concat",
    parameters: &[Parameter::variadic("parts", Accepts::Any)],
    result: |_| Some(Type::String),
    takes_null: false,
    doc: "The parts one after the other as one text; what is no string is written out.",
    examples: &[
        (r#"concat("order ", 12, "/", 1.5)"#, r#""order 12/1.5""#),
        (r#"concat("at ", @2021-01-19T10:00:00Z)"#, r#""at 2021-01-19T10:00:00Z""#),
        (r#"concat("a", null)"#, "null"),
    ],
    call,
};

fn call<'a>(arguments: &[Value<'a>]) -> Outcome<Value<'a>> {
    let mut text = String::new();
    arguments.iter().try_for_each(|part| append(&mut text, part)).expect("writing to a string does not fail");
    Ok(text.into())
}

/// Strings and times without the marks that a pattern needs to know them by.
fn append(text: &mut String, part: &Value<'_>) -> std::fmt::Result {
    match part {
        Value::String(part) => text.write_str(part.as_str()),
        Value::Timestamp(time) => write!(text, "{time}"),
        other => write!(text, "{other}"),
    }
}
