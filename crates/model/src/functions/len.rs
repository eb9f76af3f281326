//! How long a text or a list is.

use super::argument;
use crate::eval::Fault;
use crate::function::{Accepts, Function, Parameter};
use crate::operators::Outcome;
use crate::types::Type;
use crate::value::Value;

pub(super) static LEN: Function = Function {
    name: "len",
    parameters: &[Parameter::one("sequence", Accepts::Sequence)],
    result: |_| Some(Type::Int),
    takes_null: false,
    doc: "How many characters a string has, or items a list.",
    examples: &[(r#"len("naïve")"#, "5"), ("len([1, null])", "2"), (r#"len("")"#, "0")],
    call,
};

fn call<'a>(arguments: &[Value<'a>]) -> Outcome<Value<'a>> {
    match argument::any(arguments, 0)? {
        Value::String(text) => Ok(Value::Int(text.as_str().chars().count() as i64)),
        Value::List(items) => Ok(Value::Int(items.len() as i64)),
        _ => Err(Fault::UnlikeTypes),
    }
}
