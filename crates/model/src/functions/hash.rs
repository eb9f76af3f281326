//! A number for any value.

use crate::function::{Accepts, Function, Parameter};
use crate::hash::key_hash;
use crate::operators::Outcome;
use crate::types::Type;
use crate::value::Value;

pub(super) static HASH: Function = Function {
    name: "hash",
    parameters: &[Parameter::variadic("parts", Accepts::Any)],
    result: |_| Some(Type::Int),
    takes_null: false,
    doc: "A number from 0 on that is the same for the same values, on every machine and for ever; \
          `hash(user_id) % 100` draws a sample of users.",
    examples: &[
        (r#"hash("user-1") == hash("user-1")"#, "true"),
        (r#"hash("a", "b") == hash("ab")"#, "false"),
        ("hash(-12) >= 0", "true"),
        ("hash(null)", "null"),
    ],
    call,
};

fn call<'a>(arguments: &[Value<'a>]) -> Outcome<Value<'a>> {
    // Without the sign, so that the remainder by n is one of n buckets.
    Ok(Value::Int((key_hash(arguments) >> 1).cast_signed()))
}
