//! A part of a text.

use super::argument;
use crate::eval::Fault;
use crate::function::{Accepts, Function, Parameter};
use crate::operators::Outcome;
use crate::types::Type;
use crate::value::Value;

pub(super) static SUBSTR: Function = Function {
    name: "substr",
    parameters: &[
        Parameter::one("text", Accepts::String),
        Parameter::one("start", Accepts::Int),
        Parameter::optional("length", Accepts::Int),
    ],
    result: |_| Some(Type::String),
    takes_null: false,
    doc: "The characters of the text from `start` on, `length` of them or all; the first is 0, a negative \
          start counts from the end, and what lies outside is left out.",
    examples: &[
        (r#"substr("DE4930", 0, 2)"#, r#""DE""#),
        (r#"substr("DE4930", 2)"#, r#""4930""#),
        (r#"substr("DE4930", -2)"#, r#""30""#),
        (r#"substr("DE", 1, 5)"#, r#""E""#),
        (r#"substr("DE", 7)"#, r#""""#),
        (r#"substr("DE", 0, -1)"#, "null"),
    ],
    call,
};

fn call<'a>(arguments: &[Value<'a>]) -> Outcome<Value<'a>> {
    let text = argument::text(arguments, 0)?;
    let start = argument::int(arguments, 1)?;
    let length = argument::optional(arguments, 2, argument::int)?.unwrap_or(i64::MAX);
    if length < 0 {
        return Err(Fault::Argument);
    }
    let first =
        if start < 0 { from_end(text.as_str(), start.unsigned_abs()) } else { skip(text.as_str(), start as u64) };
    let last = first + skip(&text.as_str()[first..], length as u64);
    Ok(text.slice(first..last).into())
}

/// The byte position after so many characters, or the end.
fn skip(text: &str, characters: u64) -> usize {
    let characters = usize::try_from(characters).unwrap_or(usize::MAX);
    text.char_indices().nth(characters).map_or(text.len(), |(position, _)| position)
}

/// The byte position before so many characters at the end, or the beginning.
fn from_end(text: &str, characters: u64) -> usize {
    let before = usize::try_from(characters - 1).unwrap_or(usize::MAX);
    text.char_indices().nth_back(before).map_or(0, |(position, _)| position)
}
