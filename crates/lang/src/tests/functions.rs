//! The examples of the built-in functions, which are written as patterns write them.

use std::sync::Arc;

use ensue_model::function::HostFunction;
use ensue_model::pattern::Term;
use ensue_model::{Decimal, Expr, eval, functions};

use super::compile_all;
use crate::Options;
use crate::check::holds::Nothing;

/// The expression, out of a pattern that holds it.
fn checked(text: &str) -> Expr {
    checked_with(text, &Options::default())
}

fn checked_with(text: &str, options: &Options) -> Expr {
    let pattern = format!("begin a where ({text}) is null");
    let mut compiled = compile_all(&pattern, options).unwrap_or_else(|errors| panic!("{errors}"));
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

#[test]
fn a_function_of_the_program_is_called_as_a_built_in_one_is() {
    let scaled = HostFunction::new("scaled", ["by", "text"], |by: f64, text: &str| by * text.len() as f64);
    let cents = HostFunction::new("cents", ["price"], |price: Decimal| price * Decimal::ONE_HUNDRED);
    let first = HostFunction::new("first_char", ["text"], |text: &str| text.chars().next().map(String::from));
    let options = Options { functions: vec![scaled.into(), cents.into(), Arc::new(first)], ..Options::default() };
    let value = |text: &str| eval::eval(&checked_with(text, &options), &Nothing).to_string();
    assert_eq!(value("scaled(0.5, \"abc\")"), "1.5");
    // An int is taken where a float or a decimal is, and a number with a point is exact where a decimal is.
    assert_eq!(value("scaled(len(\"ab\"), \"abc\") + scaled(1, \"a\")"), "7.0");
    assert_eq!(value("[cents(0.1), cents(2)]"), "[10.0, 200]");
    assert_eq!(value("first_char(\"\") ?? first_char(null) ?? first_char(\"äb\")"), "\"ä\"");
    // A type that shows only when an event is there is a fault there.
    assert_eq!(value("scaled([1, \"x\"][1], \"abc\") is null"), "true");
}

#[test]
fn a_let_hides_a_function_of_the_program() {
    let one = HostFunction::new("one", [], || 1_i64);
    let options = Options { functions: vec![Arc::new(one)], ..Options::default() };
    let condition = |lets: &str| {
        let text = format!("{lets}\npattern p begin a where one() == 1");
        let mut compiled = compile_all(&text, &options).unwrap_or_else(|errors| panic!("{errors}"));
        format!("{:?}", compiled.patterns.patterns.remove(0).sequence.steps.remove(0).term)
    };
    assert!(condition("").contains("Call(Host(one), [])"), "{}", condition(""));
    assert!(!condition("let one() = 2").contains("Call"));
}
