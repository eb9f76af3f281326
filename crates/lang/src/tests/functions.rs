//! The examples of the built-in functions, which are written as patterns write them.

use ensue_model::expr::LookbackId;
use ensue_model::pattern::Term;
use ensue_model::{Expr, Fault, FieldId, Scope, Timestamp, Value, eval, functions};

use super::compile_all;
use crate::Options;

/// Constants need no scope.
struct Nothing;

impl Scope for Nothing {
    fn field(&self, _: FieldId) -> Value<'_> {
        Value::Null
    }

    fn time(&self) -> Timestamp {
        Timestamp::MIN
    }

    fn key(&self, _: u16) -> Value<'_> {
        Value::Null
    }

    fn lookback(&self, _: LookbackId) -> Value<'_> {
        Value::Null
    }

    fn fault(&self, _: Fault) {}
}

/// The expression, out of a pattern that holds it.
fn checked(text: &str) -> Expr {
    let pattern = format!("begin a where ({text}) is null");
    let mut compiled = compile_all(&pattern, &Options::default()).unwrap_or_else(|errors| panic!("{errors}"));
    match compiled.patterns.patterns.remove(0).sequence.steps.remove(0).term {
        Term::Stage(_, Expr::Unary(_, inner)) => *inner,
        other => panic!("{text} is {other:?}"),
    }
}

#[test]
fn every_example_of_a_function_gives_what_it_says() {
    for function in functions::FUNCTIONS {
        for (text, expected) in function.examples {
            let (call, expected) = (checked(text), checked(expected));
            let (found, expected) = (eval::eval(&call, &Nothing), eval::eval(&expected, &Nothing));
            assert_eq!(found.to_string(), expected.to_string(), "{text}");
        }
    }
}
