//! What expressions give, as a reader of the language would write it: a value, and after `!` the faults that were counted.

use std::cell::RefCell;
use std::sync::Arc;

use ensue_model::eval::eval;
use ensue_model::expr::BinaryOperator::{self, *};
use ensue_model::expr::{LookbackId, TextPattern, UnaryOperator};
use ensue_model::function::Callee;
use ensue_model::functions::find;
use ensue_model::operators::{binary_type, unary_type};
use ensue_model::{Expr, Fault, FieldId, Scope, Span, Timestamp, Type, Value};

/// Field 0 is `"pay"`, field 1 is 10, all others are null. The time is one second, the key `"k"`, every lookback 7.
#[derive(Default)]
struct Event {
    faults: RefCell<Vec<Fault>>,
}

impl Scope for Event {
    fn field(&self, field: FieldId) -> Value<'_> {
        match field.0 {
            0 => "pay".into(),
            1 => 10.into(),
            _ => Value::Null,
        }
    }
    fn time(&self) -> Timestamp {
        Timestamp::from_seconds(1)
    }
    fn key(&self, _: u16) -> Value<'_> {
        "k".into()
    }
    fn lookback(&self, _: LookbackId) -> Value<'_> {
        Value::Int(7)
    }
    fn fault(&self, fault: Fault) {
        self.faults.borrow_mut().push(fault);
    }
}

/// The value of an expression, and the faults behind it.
fn outcome(expr: &Expr) -> (Value<'static>, Vec<Fault>) {
    let event = Event::default();
    let value = eval(expr, &event).into_owned();
    (value, event.faults.into_inner())
}

#[track_caller]
fn check(expr: Expr, expected: &str) {
    let (value, faults) = outcome(&expr);
    let faults: String = faults.iter().map(|fault| format!(" !{fault:?}")).collect();
    assert_eq!(format!("{value}{faults}"), expected, "{expr:?}");
}

/// Checks each row in both writings of its operands where the operator does not care which comes first.
#[track_caller]
fn check_binary(operator: BinaryOperator, rows: &[(Expr, Expr, &str)]) {
    for (a, b, expected) in rows {
        check(binary(operator, a.clone(), b.clone()), expected);
        if matches!(operator, Add | Multiply | Equal | NotEqual) {
            check(binary(operator, b.clone(), a.clone()), expected);
        }
    }
}

fn of(value: impl Into<Value<'static>>) -> Expr {
    Expr::Constant(value.into())
}

fn null() -> Expr {
    Expr::Constant(Value::Null)
}

fn int(value: i64) -> Expr {
    of(value)
}

fn decimal(text: &str) -> Expr {
    of(text.parse::<rust_decimal::Decimal>().expect("a decimal"))
}

fn seconds(seconds: i64) -> Expr {
    of(Span::from_seconds(seconds))
}

fn at(seconds: i64) -> Expr {
    of(Timestamp::from_seconds(seconds))
}

fn list(items: impl IntoIterator<Item = Expr>) -> Expr {
    Expr::List(items.into_iter().collect())
}

/// A list that is there before the expression is evaluated, as a field's is.
fn made(items: impl IntoIterator<Item = i64>) -> Expr {
    Expr::Constant(Value::List(items.into_iter().map(Value::Int).collect()))
}

fn record(fields: &[(&str, i64)]) -> Expr {
    Expr::Constant(Value::Record(fields.iter().map(|(name, value)| (Arc::from(*name), Value::Int(*value))).collect()))
}

fn unary(operator: UnaryOperator, operand: Expr) -> Expr {
    Expr::Unary(operator, Box::new(operand))
}

fn binary(operator: BinaryOperator, a: Expr, b: Expr) -> Expr {
    Expr::Binary(operator, Box::new(a), Box::new(b))
}

fn between(value: Expr, low: Expr, high: Expr) -> Expr {
    Expr::Between(Box::new(value), Box::new(low), Box::new(high))
}

fn within(value: Expr, list: Expr) -> Expr {
    Expr::In(Box::new(value), Box::new(list))
}

fn choose(condition: Expr, then: Expr, otherwise: Expr) -> Expr {
    Expr::If(Box::new(condition), Box::new(then), Box::new(otherwise))
}

fn matches(text: Expr, regex: &str) -> Expr {
    let pattern = TextPattern { source: regex.into(), like: false, regex: regex::Regex::new(regex).expect("a regex") };
    Expr::Matches(Box::new(text), pattern)
}

/// Evaluating it shows in the faults.
fn faulty() -> Expr {
    binary(Divide, int(1), int(0))
}

#[test]
fn names_come_from_the_scope() {
    check(Expr::Field(FieldId(0)), "\"pay\"");
    check(Expr::Field(FieldId(9)), "null");
    check(Expr::Time, "@1970-01-01T00:00:01Z");
    check(Expr::Key(0), "\"k\"");
    check(Expr::Lookback(LookbackId(0)), "7");
    check(Expr::Awaiting, "null");
    check(Expr::Deadline, "null");
}

#[test]
fn and_or_not_have_three_values() {
    for (a, b, and, or) in [
        (of(true), of(true), "true", "true"),
        (of(true), of(false), "false", "true"),
        (of(true), null(), "null", "true"),
        (of(false), of(false), "false", "false"),
        (of(false), null(), "false", "null"),
        (null(), null(), "null", "null"),
    ] {
        check(binary(And, a.clone(), b.clone()), and);
        check(binary(And, b.clone(), a.clone()), and);
        check(binary(Or, a.clone(), b.clone()), or);
        check(binary(Or, b, a), or);
    }
    for (operand, expected) in
        [(of(true), "false"), (of(false), "true"), (null(), "null"), (int(1), "null !UnlikeTypes")]
    {
        check(unary(UnaryOperator::Not, operand), expected);
    }
}

#[test]
fn and_or_stop_where_the_left_side_decides() {
    check(binary(And, of(false), faulty()), "false");
    check(binary(Or, of(true), faulty()), "true");
    check(binary(And, of(true), faulty()), "null !DivisionByZero");
    check(binary(Or, null(), faulty()), "null !DivisionByZero");
}

#[test]
fn a_condition_that_is_no_bool_counts_and_is_like_null() {
    check(binary(And, int(1), of(false)), "false !UnlikeTypes");
    check(binary(And, of(true), of("yes")), "null !UnlikeTypes");
    check(binary(Or, int(1), of(true)), "true !UnlikeTypes");
}

#[test]
fn numbers_of_all_types_compare_by_value() {
    check_binary(
        Equal,
        &[
            (int(1), int(1), "true"),
            (int(1), of(1.0), "true"),
            (int(1), decimal("1.00"), "true"),
            (of(0.1), decimal("0.1"), "true"),
            (of(0.0), of(-0.0), "true"),
            (int(9_007_199_254_740_993), of(9_007_199_254_740_992.0), "false"),
            (int(i64::MAX), decimal("9223372036854775807"), "true"),
        ],
    );
    for (less, greater) in [
        (int(i64::MIN), int(i64::MAX)),
        (int(1), of(1.5)),
        (of(-1.5), int(-1)),
        (int(1), decimal("1.1")),
        (decimal("0.1"), int(1)),
        (of(0.1), decimal("0.10001")),
        (decimal("0.09999"), of(0.1)),
        (of(f64::NEG_INFINITY), int(i64::MIN)),
        (decimal("79228162514264337593543950335"), of(f64::INFINITY)),
    ] {
        check(binary(Less, less.clone(), greater.clone()), "true");
        check(binary(LessOrEqual, less.clone(), greater.clone()), "true");
        check(binary(Greater, less.clone(), greater.clone()), "false");
        check(binary(GreaterOrEqual, less.clone(), greater.clone()), "false");
        check(binary(NotEqual, less.clone(), greater.clone()), "true");
        check(binary(Greater, greater, less), "true");
    }
}

#[test]
fn nan_is_unequal_to_all_and_has_no_order() {
    for other in [of(f64::NAN), of(1.0), int(1), decimal("1")] {
        check(binary(NotEqual, of(f64::NAN), other.clone()), "true");
        for operator in [Equal, Less, LessOrEqual, Greater, GreaterOrEqual] {
            check(binary(operator, of(f64::NAN), other.clone()), "false");
            check(binary(operator, other.clone(), of(f64::NAN)), "false");
        }
    }
}

#[test]
fn what_is_no_number_compares_with_its_like() {
    for (less, greater) in [
        (of("a"), of("b")),
        (of(""), of("a")),
        (of("Z"), of("a")),
        (of("z"), of("é")),
        (of("\u{ffff}"), of("\u{10000}")),
        (at(-1), at(0)),
        (seconds(-1), seconds(1)),
    ] {
        check(binary(Less, less.clone(), greater.clone()), "true");
        check(binary(Equal, less.clone(), less), "true");
        check(binary(LessOrEqual, greater.clone(), greater), "true");
    }
}

#[test]
fn bools_lists_and_records_know_only_equality() {
    check_binary(
        Equal,
        &[
            (of(true), of(true), "true"),
            (of(true), of(false), "false"),
            (list([]), list([]), "true"),
            (list([int(1), of("a")]), list([of(1.0), of("a")]), "true"),
            (list([int(1)]), list([int(1), int(2)]), "false"),
            (list([int(1), null()]), list([int(1), int(2)]), "null"),
            (list([int(1), null()]), list([int(2), int(2)]), "false"),
            (list([int(1)]), list([of("a")]), "null !UnlikeTypes"),
            (record(&[("x", 1)]), record(&[("x", 1)]), "true"),
            (record(&[("x", 1)]), record(&[("x", 2)]), "false"),
            (record(&[("x", 1)]), record(&[("y", 1)]), "false"),
        ],
    );
    for value in [of(true), list([int(1)]), record(&[])] {
        check(binary(Less, value.clone(), value), "null !UnlikeTypes");
    }
}

#[test]
fn comparing_with_null_is_null_and_no_fault() {
    for operator in [Equal, NotEqual, Less, LessOrEqual, Greater, GreaterOrEqual] {
        for value in [null(), int(1), of("a"), of(true), list([]), at(0)] {
            check(binary(operator, null(), value.clone()), "null");
            check(binary(operator, value, null()), "null");
        }
    }
}

#[test]
fn unlike_types_are_null_and_counted_once() {
    for operator in [Equal, NotEqual, Less, GreaterOrEqual, Add, Subtract, Multiply, Divide, Remainder] {
        check(binary(operator, int(1), of("1")), "null !UnlikeTypes");
        check(binary(operator, of(true), int(1)), "null !UnlikeTypes");
        check(binary(operator, list([]), at(0)), "null !UnlikeTypes");
    }
}

#[test]
fn addition() {
    check_binary(
        Add,
        &[
            (int(1), int(2), "3"),
            (int(i64::MAX), int(1), "null !Overflow"),
            (int(1), of(0.5), "1.5"),
            (decimal("0.1"), decimal("0.2"), "0.3"),
            (decimal("0.1"), int(1), "1.1"),
            (decimal("0.5"), of(0.25), "0.75"),
            (of(f64::MAX), of(f64::MAX), "inf"),
            (decimal("79228162514264337593543950335"), int(1), "null !Overflow"),
            (seconds(1), seconds(2), "3s"),
            (of(Span::from_micros(i64::MAX)), seconds(1), "null !Overflow"),
            (at(0), seconds(60), "@1970-01-01T00:01:00Z"),
            (of(Timestamp::MAX), seconds(1), "null !Overflow"),
            (at(0), at(0), "null !UnlikeTypes"),
            (seconds(1), int(1), "null !UnlikeTypes"),
            (of("a"), of("b"), "null !UnlikeTypes"),
            (null(), int(1), "null"),
            (null(), of("a"), "null"),
        ],
    );
}

#[test]
fn subtraction() {
    check_binary(
        Subtract,
        &[
            (int(1), int(2), "-1"),
            (int(i64::MIN), int(1), "null !Overflow"),
            (of(0.5), int(1), "-0.5"),
            (decimal("0.3"), decimal("0.1"), "0.2"),
            (seconds(1), seconds(2), "-1s"),
            (at(60), at(0), "1m"),
            (of(Timestamp::MAX), of(Timestamp::MIN), "null !Overflow"),
            (at(60), seconds(60), "@1970-01-01T00:00:00Z"),
            (of(Timestamp::MIN), seconds(1), "null !Overflow"),
            (seconds(60), at(60), "null !UnlikeTypes"),
            (at(60), int(60), "null !UnlikeTypes"),
            (int(1), null(), "null"),
        ],
    );
}

#[test]
fn multiplication() {
    check_binary(
        Multiply,
        &[
            (int(3), int(4), "12"),
            (int(i64::MAX), int(2), "null !Overflow"),
            (int(3), of(0.5), "1.5"),
            (decimal("1.10"), int(3), "3.30"),
            (decimal("79228162514264337593543950335"), int(2), "null !Overflow"),
            (seconds(30), int(2), "1m"),
            (of(Span::from_micros(i64::MAX)), int(2), "null !Overflow"),
            (seconds(30), of(2.0), "null !UnlikeTypes"),
            (seconds(1), seconds(1), "null !UnlikeTypes"),
            (at(1), int(2), "null !UnlikeTypes"),
            (null(), null(), "null"),
        ],
    );
}

#[test]
fn division() {
    check_binary(
        Divide,
        &[
            (int(4), int(2), "2.0"),
            (int(3), int(2), "1.5"),
            (int(i64::MIN), int(-1), "9.223372036854776e18"),
            (int(1), int(0), "null !DivisionByZero"),
            (int(1), of(0.0), "null !DivisionByZero"),
            (of(1.0), of(-0.0), "null !DivisionByZero"),
            (decimal("1"), int(3), "0.3333333333333333333333333333"),
            (decimal("1"), decimal("0.00"), "null !DivisionByZero"),
            (decimal("1"), of(4.0), "0.25"),
            (decimal("79228162514264337593543950335"), decimal("0.1"), "null !Overflow"),
            (seconds(60), int(2), "30s"),
            (of(Span::from_micros(5)), int(2), "2us"),
            (seconds(60), int(0), "null !DivisionByZero"),
            (of(Span::from_micros(i64::MIN)), int(-1), "null !Overflow"),
            (seconds(30), seconds(60), "0.5"),
            (seconds(30), seconds(0), "null !DivisionByZero"),
            (int(60), seconds(30), "null !UnlikeTypes"),
            (null(), int(0), "null"),
        ],
    );
}

#[test]
fn remainder() {
    check_binary(
        Remainder,
        &[
            (int(7), int(3), "1"),
            (int(-7), int(3), "-1"),
            (int(7), int(-3), "1"),
            (int(i64::MIN), int(-1), "0"),
            (int(7), int(0), "null !DivisionByZero"),
            (of(7.5), int(2), "1.5"),
            (of(7.5), of(0.0), "null !DivisionByZero"),
            (decimal("7.5"), int(2), "1.5"),
            (decimal("7.5"), int(0), "null !DivisionByZero"),
            (seconds(7), seconds(2), "null !UnlikeTypes"),
            (null(), int(0), "null"),
        ],
    );
}

#[test]
fn negation() {
    for (operand, expected) in [
        (int(1), "-1"),
        (int(i64::MIN), "null !Overflow"),
        (of(1.5), "-1.5"),
        (decimal("1.50"), "-1.50"),
        (seconds(5), "-5s"),
        (of(Span::from_micros(i64::MIN)), "null !Overflow"),
        (null(), "null"),
        (of("a"), "null !UnlikeTypes"),
        (at(0), "null !UnlikeTypes"),
    ] {
        check(unary(UnaryOperator::Negate, operand), expected);
    }
}

#[test]
fn is_null_asks_and_never_is_null() {
    check(unary(UnaryOperator::IsNull, null()), "true");
    check(unary(UnaryOperator::IsNull, of(false)), "false");
    check(unary(UnaryOperator::IsNull, faulty()), "true !DivisionByZero");
}

#[test]
fn coalesce_takes_the_right_side_only_for_null() {
    check(binary(Coalesce, of("a"), faulty()), "\"a\"");
    check(binary(Coalesce, null(), of("b")), "\"b\"");
    check(binary(Coalesce, of(false), of(true)), "false");
    check(binary(Coalesce, null(), null()), "null");
}

#[test]
fn between_includes_both_ends() {
    for (value, low, high, expected) in [
        (int(1), int(1), int(3), "true"),
        (int(3), int(1), int(3), "true"),
        (int(4), int(1), int(3), "false"),
        (int(0), int(1), int(3), "false"),
        (int(2), int(3), int(1), "false"),
        (decimal("1.5"), int(1), of(1.5), "true"),
        (int(0), int(1), null(), "false"),
        (int(4), null(), int(3), "false"),
        (int(2), null(), int(3), "null"),
        (int(2), int(1), null(), "null"),
        (null(), int(1), int(3), "null"),
        (int(0), int(1), faulty(), "false"),
        (of("b"), of("a"), of("c"), "true"),
        (of("b"), int(1), of("a"), "false !UnlikeTypes"),
        (of("b"), int(1), of("c"), "null !UnlikeTypes"),
        (of(f64::NAN), int(1), int(3), "false"),
    ] {
        check(between(value, low, high), expected);
    }
}

#[test]
fn in_has_the_null_rules_of_sql() {
    for (value, items, expected) in [
        (int(2), list([int(1), of(2.0)]), "true"),
        (int(3), list([int(1), int(2)]), "false"),
        (int(2), list([null(), int(2)]), "true"),
        (int(3), list([int(1), null()]), "null"),
        (null(), list([int(1)]), "null"),
        (null(), list([]), "false"),
        (int(1), list([int(1), faulty()]), "true"),
        (of("a"), list([int(1), of("a")]), "true !UnlikeTypes"),
        (int(2), made([1, 2]), "true"),
        (int(3), made([1, 2]), "false"),
        (int(2), choose(of(true), made([1, 2]), null()), "true"),
        (int(2), null(), "null"),
        (int(2), int(2), "null !UnlikeTypes"),
    ] {
        check(within(value, items), expected);
    }
}

#[test]
fn matches_takes_text() {
    check(matches(Expr::Field(FieldId(0)), "^p.y$"), "true");
    check(matches(Expr::Field(FieldId(0)), "^q"), "false");
    check(matches(null(), "a"), "null");
    check(matches(int(1), "1"), "null !UnlikeTypes");
}

#[test]
fn if_evaluates_one_branch_and_null_takes_the_other() {
    check(choose(of(true), int(1), faulty()), "1");
    check(choose(of(false), faulty(), int(2)), "2");
    check(choose(null(), int(1), int(2)), "2");
    check(choose(of("yes"), int(1), int(2)), "2 !UnlikeTypes");
}

#[test]
fn index_counts_from_either_end() {
    for (items, index, expected) in [
        (made([5, 6, 7]), int(0), "5"),
        (made([5, 6, 7]), int(2), "7"),
        (made([5, 6, 7]), int(3), "null"),
        (made([5, 6, 7]), int(-1), "7"),
        (made([5, 6, 7]), int(-3), "5"),
        (made([5, 6, 7]), int(-4), "null"),
        (made([]), int(0), "null"),
        (made([5]), int(i64::MIN), "null"),
        (made([5]), int(i64::MAX), "null"),
        (made([5]), null(), "null"),
        (null(), int(0), "null"),
        (made([5]), of("0"), "null !UnlikeTypes"),
        (made([5]), of(0.0), "null !UnlikeTypes"),
        (of("text"), int(0), "null !UnlikeTypes"),
    ] {
        check(Expr::Index(Box::new(items), Box::new(index)), expected);
    }
}

#[test]
fn a_record_gives_its_members() {
    let member = |record, name: &str| Expr::Member(Box::new(record), name.into());
    check(member(record(&[("x", 1), ("y", 2)]), "y"), "2");
    check(member(record(&[("x", 1)]), "z"), "null");
    check(member(null(), "x"), "null");
    check(member(int(1), "x"), "null !UnlikeTypes");
}

#[test]
fn a_list_holds_what_its_items_give() {
    check(list([Expr::Field(FieldId(0)), int(1), null(), list([])]), "[\"pay\", 1, null, []]");
}

#[test]
fn a_call_passes_all_its_arguments_and_counts_its_fault() {
    let call =
        |name: &str, arguments: Vec<Expr>| Expr::Call(Callee::BuiltIn(find(name).expect("in the table")), arguments);
    check(call("upper", vec![Expr::Field(FieldId(0))]), "\"PAY\"");
    check(call("contains", vec![Expr::Field(FieldId(0)), of("a")]), "true");
    check(call("substr", vec![Expr::Field(FieldId(0)), int(1), int(1)]), "\"a\"");
    check(call("min", vec![int(4), int(3), int(2), int(1)]), "1");
    check(call("coalesce", vec![null(), null(), null(), null(), int(5)]), "5");
    check(call("upper", vec![null()]), "null");
    check(call("upper", vec![int(1)]), "null !UnlikeTypes");
    check(call("sqrt", vec![int(-1)]), "null !Argument");
    check(call("upper", vec![faulty()]), "null !DivisionByZero");
}

#[test]
fn text_is_borrowed_and_not_copied() {
    let event = Event::default();
    let field = Expr::Field(FieldId(0));
    let chosen = choose(of(true), binary(Coalesce, field, of("none")), null());
    assert!(matches!(eval(&chosen, &event), Value::String(ensue_model::value::Text::Borrowed("pay"))));
}

/// A value of each type, by which types and values are held together. None is zero, so that division has a result.
fn samples() -> Vec<(Type, Expr)> {
    vec![
        (Type::Bool, of(true)),
        (Type::Int, int(2)),
        (Type::Float, of(2.0)),
        (Type::Decimal, decimal("2")),
        (Type::String, of("2")),
        (Type::Timestamp, at(2)),
        (Type::Duration, seconds(2)),
        (Type::List(Box::new(Type::Int)), made([2])),
        (Type::List(Box::new(Type::String)), list([of("2")])),
    ]
}

/// Whether a value that came out is one of the type that the checker foretold.
fn foretold(kind: &Type, value: &Value<'_>) -> bool {
    match (kind, value) {
        (Type::Any, value) => !value.is_null(),
        (Type::List(kind), Value::List(items)) => items.iter().all(|item| foretold(kind, item)),
        (kind, value) => *kind == value.type_of(),
    }
}

#[track_caller]
fn check_foretold(expr: &Expr, kind: Option<Type>) {
    match (kind, outcome(expr)) {
        (Some(kind), (value, faults)) => {
            assert!(foretold(&kind, &value), "{expr:?} should be {kind}, is {value}");
            assert_eq!(faults, [], "{expr:?}");
        }
        (None, (value, faults)) => {
            assert!(value.is_null(), "{expr:?} should have no value, is {value}");
            assert_eq!(faults, [Fault::UnlikeTypes], "{expr:?}");
        }
    }
}

const STRICT: [BinaryOperator; 11] =
    [Equal, NotEqual, Less, LessOrEqual, Greater, GreaterOrEqual, Add, Subtract, Multiply, Divide, Remainder];

#[test]
fn values_have_the_types_that_the_checker_foretells() {
    for (a_type, a) in samples() {
        for operator in [UnaryOperator::Not, UnaryOperator::Negate, UnaryOperator::IsNull] {
            check_foretold(&unary(operator, a.clone()), unary_type(operator, &a_type));
        }
        for (b_type, b) in samples() {
            for operator in STRICT {
                check_foretold(&binary(operator, a.clone(), b.clone()), binary_type(operator, &a_type, &b_type));
            }
        }
    }
}

#[test]
fn and_or_take_conditions_and_coalesce_what_has_a_common_type() {
    for (a_type, a) in samples() {
        for (b_type, b) in samples() {
            for operator in [And, Or] {
                // The left side does not decide, so that the right one is looked at.
                let left = if a_type == Type::Bool { of(operator == And) } else { a.clone() };
                let kind = binary_type(operator, &a_type, &b_type);
                let faults = outcome(&binary(operator, left, b.clone())).1;
                assert_eq!(kind.is_none(), !faults.is_empty(), "{operator:?} of {a_type} and {b_type}");
            }
            if let Some(kind) = binary_type(Coalesce, &a_type, &b_type) {
                assert!(foretold(&kind, &outcome(&binary(Coalesce, a.clone(), b.clone())).0));
                assert!(foretold(&kind, &outcome(&binary(Coalesce, null(), b)).0));
            }
        }
    }
}

#[test]
fn what_is_known_only_at_run_time_may_meet_anything() {
    for (kind, _) in samples() {
        for operator in STRICT {
            let expected =
                if matches!(operator, Add | Subtract | Multiply | Divide | Remainder) { Type::Any } else { Type::Bool };
            assert_eq!(binary_type(operator, &Type::Any, &kind), Some(expected.clone()));
            assert_eq!(binary_type(operator, &kind, &Type::Any), Some(expected));
        }
    }
}

#[test]
fn unlike_types_have_nothing_in_common() {
    let list = |kind| Type::List(Box::new(kind));
    for (a, b, common) in [
        (Type::Int, Type::Int, Some(Type::Int)),
        (Type::Int, Type::Decimal, Some(Type::Any)),
        (Type::Any, Type::String, Some(Type::Any)),
        (Type::Int, Type::String, None),
        (Type::Timestamp, Type::Duration, None),
        (list(Type::Int), list(Type::Float), Some(list(Type::Any))),
        (list(Type::Int), list(Type::Bool), None),
        (list(Type::Int), Type::Int, None),
    ] {
        assert_eq!(a.common(&b), common, "{a} and {b}");
        assert_eq!(b.common(&a), common, "{b} and {a}");
    }
}
