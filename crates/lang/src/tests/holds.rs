//! Conditions that are said never to hold, or always, are tried on all kinds of values; what can hold is not warned of.

use ensue_model::eval::eval;
use ensue_model::expr::LookbackId;
use ensue_model::pattern::Term;
use ensue_model::{Expr, Fault, FieldId, Schema, Scope, Timestamp, Value};
use proptest::prelude::*;

use super::compile_all;
use crate::{Diagnostics, Options};

/// What the fields `x` and `y` of an event can be.
fn values() -> Vec<Value<'static>> {
    let decimal = |text: &str| Value::Decimal(text.parse().expect("a decimal"));
    let numbers = [-1.0, 0.0, 0.5, 1.0, 1.25, 1.5, 1.75, 2.0, 2.5, f64::NAN, f64::INFINITY].map(Value::Float);
    let ints = [-1, 0, 1, 2, 3, i64::MAX].map(Value::Int);
    let texts = ["", "a", "ab", "abc", "b", "ba"].map(Value::from);
    let others = [Value::Null, true.into(), false.into(), decimal("1.5"), Timestamp::from_seconds(1).into()];
    numbers.into_iter().chain(ints).chain(texts).chain(others).collect()
}

struct Event<'e> {
    schema: &'e Schema,
    x: &'e Value<'static>,
    y: &'e Value<'static>,
}

impl Scope for Event<'_> {
    fn field(&self, field: FieldId) -> Value<'_> {
        match self.schema.get(field).name.as_str() {
            "x" => self.x.borrowed(),
            "y" => self.y.borrowed(),
            other => panic!("no condition asks for {other}"),
        }
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

/// What a condition gives for each event.
fn answers(condition: &str) -> (Vec<Value<'static>>, Diagnostics) {
    let compiled = compile_all(&format!("begin a where {condition}"), &Options::default());
    let mut compiled = compiled.unwrap_or_else(|errors| panic!("{condition}: {errors}"));
    let checked: Expr = match compiled.patterns.patterns.remove(0).sequence.steps.remove(0).term {
        Term::Stage(_, condition) => condition,
        other => panic!("{condition} is {other:?}"),
    };
    let (values, schema) = (values(), &compiled.patterns.schema);
    let pairs = values.iter().flat_map(|x| values.iter().map(move |y| Event { schema, x, y }));
    (pairs.map(|event| eval(&checked, &event).into_owned()).collect(), compiled.warnings)
}

fn is_said(warnings: &Diagnostics, says: &str) -> bool {
    warnings.iter().any(|diagnostic| diagnostic.labels.iter().any(|label| label.text == says))
}

/// Something that one asks of `x` or `y`.
fn question() -> impl Strategy<Value = String> {
    let field = prop::sample::select(vec!["x", "x", "x", "y"]);
    let constant = prop::sample::select(vec!["0", "1", "2", "1.5", "1.0", "\"a\"", "\"ab\"", "\"b\"", "true", "false"]);
    let order = prop::sample::select(vec!["==", "!=", "<", "<=", ">", ">="]);
    let items = prop::collection::vec(prop::sample::select(vec!["1", "2", "1.5", "\"a\"", "true", "null"]), 0..4);
    let list = items.prop_map(|items| format!("[{}]", items.join(", ")));
    let compared = (field.clone(), order.clone(), constant.clone());
    let bounds = (constant.clone(), constant.clone());
    prop_oneof![
        5 => compared.clone().prop_map(|(field, order, constant)| format!("{field} {order} {constant}")),
        1 => compared.prop_map(|(field, order, constant)| format!("{constant} {order} {field}")),
        2 => (field.clone(), bounds).prop_map(|(field, (low, high))| format!("{field} between {low} and {high}")),
        2 => (field.clone(), list).prop_map(|(field, list)| format!("{field} in {list}")),
        1 => field.clone().prop_map(|field| format!("{field} is null")),
        1 => field.clone().prop_map(|field| format!("{field} is not null")),
        1 => field.clone().prop_map(|field| format!("{field} like \"a%\"")),
        1 => field.clone().prop_map(str::to_owned),
        1 => (field.clone(), order, field).prop_map(|(left, order, right)| format!("{left} {order} {right}")),
        1 => prop::sample::select(vec!["true", "false", "1 < 2"]).prop_map(str::to_owned),
    ]
}

fn condition() -> impl Strategy<Value = String> {
    let joined = |word: &'static str| move |parts: Vec<String>| format!("({})", parts.join(word));
    question().prop_recursive(3, 12, 3, move |inner| {
        let several = prop::collection::vec(inner.clone(), 2..4);
        prop_oneof![
            3 => several.clone().prop_map(joined(" and ")),
            2 => several.prop_map(joined(" or ")),
            1 => inner.prop_map(|inner| format!("not {inner}")),
        ]
    })
}

/// Whether a condition compares values of unlike kinds, so that it does not compile, or is no condition.
fn compiles(condition: &str) -> bool {
    compile_all(&format!("begin a where {condition}"), &Options::default()).is_ok()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn what_is_said_never_to_hold_holds_for_no_event(condition in condition().prop_filter("compiles", |text| compiles(text))) {
        let (answers, warnings) = answers(&condition);
        if is_said(&warnings, "so this is never taken") {
            let held = answers.iter().filter(|answer| answer.holds()).count();
            prop_assert_eq!(held, 0, "{}\n{}", condition, warnings);
        }
    }

    #[test]
    fn what_is_said_always_to_hold_is_never_false(
        first in question().prop_filter("compiles", |text| compiles(text)),
        second in question().prop_filter("compiles", |text| compiles(text)),
    ) {
        let (answers, warnings) = answers(&format!("{first} or {second}"));
        let says = |diagnostic: &crate::Diagnostic| diagnostic.message.starts_with("one of") && diagnostic.code.id == "E0502";
        if warnings.iter().any(says) {
            prop_assert!(!answers.contains(&Value::Bool(false)), "{} or {}\n{}", first, second, warnings);
            prop_assert!(answers.iter().any(Value::holds));
        }
    }
}

#[test]
fn what_can_hold_is_not_warned_of() {
    for condition in [
        "true",
        "x > 5 and x < 7",
        "x > 5 and x < 6",
        "x >= 5 and x <= 5",
        "x == 1 and x == 1.0",
        "x > 5 or x <= 5",
        "x == \"a\" or x == \"b\"",
        "x != \"a\" and x != \"b\"",
        "x > \"a\" and x < \"b\"",
        "x in [1, 2] and x in [2, 3]",
        "x in [1, null]",
        "x between 3 and 3",
        "x between y and 3 and x > 7",
        "x is null or x > 5",
        "not (x is null) and not (x == 3)",
        "x != x",
        "x < y or x > y",
        "x and not y",
        "x.a == 1 and x.b == 2",
        "x == 0.0000000000000000000000000000001 and x == 0.0000000000000000000000000000002",
        "lower(x) == \"a\" and x == \"A\"",
        "x like \"a%\" and x like \"%b\"",
        "x like \"a%\" and x > \"b\"",
        "time() > @2021-01-19T10:00:00Z or time() < @2021-01-19T10:00:00Z",
    ] {
        let compiled = compile_all(&format!("begin a where {condition}"), &Options::default()).expect(condition);
        assert!(compiled.warnings.is_empty(), "{}", compiled.warnings);
    }
}

#[test]
fn what_a_parameter_decides_is_not_warned_of() {
    let text = "param large: bool = false param least: int = 7 param names: list<string> = []\n\
                let many = count > least\n\
                let within_(low, high) = count > low and count < high\n\
                pattern p begin a where large and count > 1\n\
                next b where not large or count > 1\n\
                next c where many and count < 3 and name in names\n\
                notFollowedBy d where within_(least, 3)\n\
                within 5m";
    let compiled = compile_all(text, &Options::default()).expect("it compiles");
    assert!(compiled.warnings.is_empty(), "{}", compiled.warnings);
}

#[test]
fn a_loop_that_says_what_its_first_event_is_is_not_warned_of() {
    for pattern in [
        "begin a+ where a.x is null or x > a.x next b where true",
        "begin a+ where x > (a.x ?? 0) next b where true",
        "begin a+ where count(a) < 3 next b where true",
        "begin a+ where sum(a.x) + x <= 10 next b where true",
        "begin a+ where not (any(a, x == 3) ?? false) next b where true",
        "begin a+ where if count(a) == 0 then x > 3 else x > a.x next b where true",
        "begin a+ where x > coalesce(a.x, 0) next b where true",
        "begin a+ where true next b+ where x > a.x next c where x > b.x",
        "begin (a where true next b where x > a.x)+",
    ] {
        let compiled = compile_all(&format!("{pattern} within 1h"), &Options::default()).expect(pattern);
        assert!(compiled.warnings.is_empty(), "{}", compiled.warnings);
    }
}

#[test]
fn what_can_be_taken_behind_a_negation_is_not_warned_of() {
    for pattern in [
        // The first event of the wait that is large, as long as none that is small comes before.
        "begin a where x == 1 notFollowedBy b where x == 2 and y < 5 followedBy c where x == 2 followedBy d where x == 3",
        // The event completes the match, which comes out.
        "begin a where x == 1 notFollowedBy b where x == 2 followedBy c where x == 2",
        // The negation looks at the event before.
        "begin a where x == 1 notNext b where x == 2 followedBy c where x == 2",
        "begin a where x == 1 notFollowedBy b where x == 2 followedBy c? where x == 2 followedBy d where x == 3",
    ] {
        let compiled = compile_all(pattern, &Options::default()).expect(pattern);
        assert!(compiled.warnings.is_empty(), "{}", compiled.warnings);
    }
}

#[test]
fn branches_that_may_differ_and_loops_that_something_ends_are_not_warned_of() {
    for pattern in [
        // Both matches come out, and say different things.
        "pattern p begin (a where x == 1 | b where x == 1 and y == 2) within 1h",
        // What is narrower decides first.
        "pattern p begin (a where x == 1 and y == 2 | b where x == 1) within 1h skip past last",
        // The one may be complete where the other is not.
        "pattern p begin (a where x == 1 | b where x == 1) followedBy c where y == a.y within 1h",
        "pattern p begin (a where x == 1 | b where x == 1) followedBy c where y == 1 within 5m of a within 1h",
        "pattern p begin (a where x == 1 | b where x == 1 followedBy c where x == 2) within 1h skip past last",
        "pattern p begin (a where x == 1 | b{2} where x == 1) within 1h skip past last",
        // Null is not greater than 0, and not 1.
        "pattern p begin (a where x >= 0 | b where y == 1 or x == 1) within 1h skip past last",
        // The parameter may be another one tomorrow.
        "param least: int = 5 pattern p begin (a where x > least | b where x > 7) within 1h skip past last",
        "pattern p begin a+ where x == 1 until x == 2 next b where x == 3",
        "pattern p begin a+ where x == 1 next b where x == 2 skip past last",
        "pattern p begin a+ where x == 1 notFollowedBy b where x == 2 followedBy c where x == 3",
        "pattern p begin a where x == 0 next (b+ where x == 1 next c where x == 2){2} consecutive",
        "pattern p begin a+ where x == 1 within 5 events of previous next b where x == 2",
    ] {
        let compiled = compile_all(pattern, &Options::default()).expect(pattern);
        assert!(compiled.warnings.is_empty(), "{pattern}\n{}", compiled.warnings);
    }
}
