//! Text taken apart.

use super::argument;
use crate::eval::Fault;
use crate::function::{Accepts, Function, Parameter};
use crate::operators::Outcome;
use crate::types::Type;
use crate::value::Value;

pub(super) static SPLIT: Function = Function {
    name: "split",
    parameters: &[Parameter::one("text", Accepts::String), Parameter::one("separator", Accepts::String)],
    result: |_| Some(Type::List(Box::new(Type::String))),
    takes_null: false,
    doc: "The parts of the text between the separators, as a list; an empty separator is an error.",
    examples: &[
        (r#"split("a,b,,c", ",")"#, r#"["a", "b", "", "c"]"#),
        (r#"split("host.example.org", ".")[-1]"#, r#""org""#),
        (r#"split("", ",")"#, r#"[""]"#),
        (r#"split("ab", "")"#, "null"),
    ],
    call,
};

fn call<'a>(arguments: &[Value<'a>]) -> Outcome<Value<'a>> {
    let (text, separator) = (argument::str(arguments, 0)?, argument::str(arguments, 1)?);
    if separator.is_empty() {
        return Err(Fault::Argument);
    }
    Ok(Value::List(text.split(separator).map(|part| Value::from(part).into_owned()).collect()))
}
