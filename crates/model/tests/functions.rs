//! What the built-in functions give: a value as a pattern writes it, or `!` and the fault. Their examples, which are
//! pattern text, are run where there is a parser.

use ensue_model::function::{Accepts, Function};
use ensue_model::functions::{FUNCTIONS, find};
use ensue_model::{Fault, Span, Timestamp, Type, Value};

/// Checks the result, and that it has the type that the checker foretells.
#[track_caller]
fn check(name: &str, arguments: &[Value<'_>], expected: &str) {
    let function = find(name).expect("the function is in the table");
    let outcome = function.apply(arguments);
    let text = outcome.as_ref().map_or_else(|fault| format!("!{fault:?}"), Value::to_string);
    assert_eq!(text, expected, "{name} of {arguments:?}");
    if let Ok(value) = outcome {
        assert!(value.is_null() || foretold(&result(function, arguments), &value), "{name} of {arguments:?}");
    }
}

fn result(function: &Function, arguments: &[Value<'_>]) -> Option<Type> {
    (function.result)(&arguments.iter().map(Value::type_of).collect::<Vec<_>>())
}

fn foretold(kind: &Option<Type>, value: &Value<'_>) -> bool {
    match (kind, value) {
        (None, _) => false,
        (Some(Type::Any), _) => true,
        (Some(Type::List(kind)), Value::List(items)) => {
            items.iter().all(|item| foretold(&Some((**kind).clone()), item))
        }
        (Some(kind), value) => *kind == value.type_of(),
    }
}

fn decimal(text: &str) -> Value<'static> {
    text.parse::<rust_decimal::Decimal>().expect("a decimal").into()
}

fn at(seconds: i64) -> Value<'static> {
    Timestamp::from_seconds(seconds).into()
}

fn seconds(seconds: i64) -> Value<'static> {
    Span::from_seconds(seconds).into()
}

fn list(items: &[Value<'static>]) -> Value<'static> {
    Value::List(items.into())
}

const SHARED: &str = "  Ä b ";

/// The same text as an event lends it, and as a collected one is owned.
fn both(text: &str) -> [Value<'_>; 2] {
    [text.into(), Value::from(text).into_owned()]
}

#[test]
fn lower_and_upper_know_more_than_ascii() {
    for (text, lower, upper) in [
        ("PayPal 1", "\"paypal 1\"", "\"PAYPAL 1\""),
        ("already", "\"already\"", "\"ALREADY\""),
        ("ΟΔΟΣ", "\"οδος\"", "\"ΟΔΟΣ\""),
        ("ß", "\"ß\"", "\"SS\""),
        ("", "\"\"", "\"\""),
    ] {
        check("lower", &[text.into()], lower);
        check("upper", &[text.into()], upper);
    }
}

#[test]
fn trim_takes_white_space_from_both_ends() {
    for text in both(SHARED) {
        check("trim", &[text], "\"Ä b\"");
    }
    check("trim", &[" \t\n ".into()], "\"\"");
    check("trim", &["a".into()], "\"a\"");
}

#[test]
fn trim_lends_what_it_was_lent() {
    let trimmed = find("trim").expect("trim is in the table").apply(&[SHARED.into()]);
    assert!(matches!(trimmed, Ok(Value::String(ensue_model::value::Text::Borrowed("Ä b")))));
}

#[test]
fn len_counts_characters_and_items() {
    check("len", &["naïve".into()], "5");
    check("len", &["".into()], "0");
    check("len", &[list(&[1.into(), Value::Null])], "2");
    check("len", &[1.into()], "!UnlikeTypes");
}

#[test]
fn contains_starts_with_and_ends_with_look_for_text() {
    for (text, part, contains, starts, ends) in [
        ("paypal", "pal", "true", "false", "true"),
        ("paypal", "pay", "true", "true", "false"),
        ("paypal", "Pay", "false", "false", "false"),
        ("paypal", "", "true", "true", "true"),
        ("", "a", "false", "false", "false"),
    ] {
        check("contains", &[text.into(), part.into()], contains);
        check("starts_with", &[text.into(), part.into()], starts);
        check("ends_with", &[text.into(), part.into()], ends);
    }
}

#[test]
fn replace_exchanges_every_place() {
    check("replace", &["1,234,567".into(), ",".into(), "".into()], "\"1234567\"");
    check("replace", &["aaa".into(), "aa".into(), "b".into()], "\"ba\"");
    check("replace", &["abc".into(), "x".into(), "y".into()], "\"abc\"");
    check("replace", &["abc".into(), "".into(), "-".into()], "\"abc\"");
}

#[test]
fn split_keeps_empty_parts() {
    check("split", &["a,b,,c".into(), ",".into()], "[\"a\", \"b\", \"\", \"c\"]");
    check("split", &["".into(), ",".into()], "[\"\"]");
    check("split", &["a--b".into(), "--".into()], "[\"a\", \"b\"]");
    check("split", &["ab".into(), "".into()], "!Argument");
}

#[test]
fn substr_counts_characters_from_either_end() {
    for (start, length, expected) in [
        (0, Some(1), "\"n\""),
        (2, Some(1), "\"ï\""),
        (2, None, "\"ïve\""),
        (2, Some(0), "\"\""),
        (3, Some(9), "\"ve\""),
        (5, None, "\"\""),
        (9, None, "\"\""),
        (-2, None, "\"ve\""),
        (-3, Some(2), "\"ïv\""),
        (-5, None, "\"naïve\""),
        (-9, Some(2), "\"na\""),
        (i64::MIN, None, "\"naïve\""),
        (i64::MAX, Some(i64::MAX), "\"\""),
        (0, Some(-1), "!Argument"),
    ] {
        for text in both("naïve") {
            let arguments: Vec<_> = [text, start.into()].into_iter().chain(length.map(Value::Int)).collect();
            check("substr", &arguments, expected);
        }
    }
}

#[test]
fn concat_writes_out_what_is_no_string() {
    check("concat", &["a".into(), "b".into()], "\"ab\"");
    check("concat", &["order ".into(), 12.into(), "/".into(), decimal("1.50")], "\"order 12/1.50\"");
    check("concat", &[at(0), " ".into(), seconds(90)], "\"1970-01-01T00:00:00Z 1m30s\"");
    check("concat", &[true.into(), list(&["a".into()])], "\"true[\\\"a\\\"]\"");
    check("concat", &["a".into(), Value::Null], "null");
}

#[test]
fn abs_drops_the_sign() {
    check("abs", &[Value::Int(-2)], "2");
    check("abs", &[Value::Float(-2.5)], "2.5");
    check("abs", &[decimal("-2.50")], "2.50");
    check("abs", &[i64::MIN.into()], "!Overflow");
}

#[test]
fn ceil_floor_and_round_keep_the_type() {
    for (number, ceil, floor, round) in [
        (7.into(), "7", "7", "7"),
        (1.5.into(), "2.0", "1.0", "2.0"),
        (Value::Float(-1.5), "-1.0", "-2.0", "-2.0"),
        (1.25.into(), "2.0", "1.0", "1.0"),
        (decimal("2.5"), "3", "2", "3"),
        (decimal("-2.5"), "-2", "-3", "-3"),
        (f64::INFINITY.into(), "inf", "inf", "inf"),
        (f64::NAN.into(), "NaN", "NaN", "NaN"),
    ] {
        check("ceil", std::slice::from_ref(&number), ceil);
        check("floor", std::slice::from_ref(&number), floor);
        check("round", &[number], round);
    }
}

#[test]
fn round_goes_by_the_digits_that_are_written() {
    for (number, digits, expected) in [
        (2.675.into(), 2, "2.68"),
        (Value::Float(-2.675), 2, "-2.68"),
        (1.005.into(), 2, "1.01"),
        (0.125.into(), 2, "0.13"),
        (1e300.into(), 2, "1e300"),
        (f64::NAN.into(), 2, "NaN"),
        (1e-300.into(), 28, "0.0"),
        (1e17.into(), 1, "1e17"),
        (decimal("2.665"), 2, "2.67"),
        (decimal("2.6"), 28, "2.6"),
        (7.into(), 2, "7"),
        (1.5.into(), 29, "!Argument"),
        (1.5.into(), -1, "!Argument"),
    ] {
        check("round", &[number, digits.into()], expected);
    }
}

#[test]
fn sqrt_and_pow_give_floats() {
    check("sqrt", &[9.into()], "3.0");
    check("sqrt", &[decimal("2.25")], "1.5");
    check("sqrt", &[0.into()], "0.0");
    check("sqrt", &[Value::Int(-1)], "!Argument");
    check("sqrt", &[f64::NAN.into()], "NaN");
    check("pow", &[2.into(), 10.into()], "1024.0");
    check("pow", &[decimal("0.5"), Value::Int(-1)], "2.0");
    check("pow", &[0.into(), 0.into()], "1.0");
    check("pow", &[0.into(), Value::Int(-1)], "!DivisionByZero");
    check("pow", &[Value::Int(-8), 0.5.into()], "!Argument");
    check("pow", &[10.into(), 400.into()], "inf");
}

#[test]
fn min_and_max_choose_and_do_not_convert() {
    for (arguments, least, greatest) in [
        (vec![3.into(), 1.5.into()], "1.5", "3"),
        (vec![3.into(), 1.into(), 2.into()], "1", "3"),
        (vec![decimal("0.1"), 0.1.into()], "0.1", "0.1"),
        (vec!["b".into(), "a".into(), "c".into()], "\"a\"", "\"c\""),
        (vec![seconds(5), seconds(60)], "5s", "1m"),
        (vec![1.into(), f64::NAN.into(), 2.into()], "NaN", "NaN"),
        (vec![1.into(), Value::Null], "null", "null"),
        (vec![1.into(), "a".into()], "!UnlikeTypes", "!UnlikeTypes"),
        (vec![true.into(), false.into()], "!UnlikeTypes", "!UnlikeTypes"),
    ] {
        check("min", &arguments, least);
        check("max", &arguments, greatest);
    }
}

#[test]
fn coalesce_takes_the_first_that_is_there() {
    check("coalesce", &[Value::Null, 1.into(), 2.into()], "1");
    check("coalesce", &[false.into(), true.into()], "false");
    check("coalesce", &[Value::Null, Value::Null], "null");
}

#[test]
fn parts_of_a_time_hold_before_1970_too() {
    for (time, hour, weekday, date) in [
        (at(0), "0", "4", "@1970-01-01T00:00:00Z"),
        (at(-1), "23", "3", "@1969-12-31T00:00:00Z"),
        (at(1_611_047_605), "9", "2", "@2021-01-19T00:00:00Z"),
        (at(86_400 * 3), "0", "7", "@1970-01-04T00:00:00Z"),
        (at(86_400 * 4), "0", "1", "@1970-01-05T00:00:00Z"),
    ] {
        check("hour", std::slice::from_ref(&time), hour);
        check("day_of_week", std::slice::from_ref(&time), weekday);
        check("date", &[time], date);
    }
    check("date", &[Timestamp::MIN.into()], "!Overflow");
}

#[test]
fn truncate_goes_to_the_start_of_a_step() {
    for (time, step, expected) in [
        (at(1_611_047_605), seconds(900), "@2021-01-19T09:00:00Z"),
        (at(1_611_047_605), seconds(86_400), "@2021-01-19T00:00:00Z"),
        (at(1_611_047_605), seconds(7 * 86_400), "@2021-01-18T00:00:00Z"),
        (at(946_857_600), seconds(7 * 86_400), "@2000-01-03T00:00:00Z"),
        (at(946_857_599), seconds(7 * 86_400), "@1999-12-27T00:00:00Z"),
        (at(-1), seconds(60), "@1969-12-31T23:59:00Z"),
        (Timestamp::MIN.into(), seconds(60), "!Overflow"),
        (at(0), seconds(0), "!Argument"),
        (at(0), seconds(-60), "!Argument"),
    ] {
        check("truncate", &[time, step], expected);
    }
}

#[test]
fn a_hash_never_changes_and_has_no_sign() {
    // Patterns draw samples with it: another number would draw another sample after an upgrade.
    check("hash", &["user-1".into()], "3493038632582437384");
    check("hash", &[1.into(), Value::Null], "null");
    check("hash", &["a".into(), "b".into()], "2738006045565031288");
}

#[test]
fn cidr_tells_whether_an_address_is_of_a_network() {
    for (address, network, expected) in [
        ("10.1.2.3", "10.0.0.0/8", "true"),
        ("11.1.2.3", "10.0.0.0/8", "false"),
        ("10.1.2.3", "10.9.9.9/8", "true"),
        ("192.168.1.127", "192.168.1.0/25", "true"),
        ("192.168.1.128", "192.168.1.0/25", "false"),
        ("10.1.2.3", "10.1.2.3", "true"),
        ("10.1.2.4", "10.1.2.3/32", "false"),
        ("1.2.3.4", "0.0.0.0/0", "true"),
        ("2001:db8::1", "2001:db8::/32", "true"),
        ("2001:db9::1", "2001:db8::/32", "false"),
        ("::1", "::1/128", "true"),
        ("::1", "::/0", "true"),
        ("1.2.3.4", "::/0", "false"),
        ("::ffff:10.1.2.3", "10.0.0.0/8", "true"),
        ("10.1.2", "10.0.0.0/8", "!Argument"),
        ("10.1.2.3", "10.0.0.0/33", "!Argument"),
        ("10.1.2.3", "10.0.0.0/", "!Argument"),
        ("10.1.2.3", "10.0.0.0/-1", "!Argument"),
        ("10.1.2.3", "home", "!Argument"),
        ("", "", "!Argument"),
    ] {
        check("cidr", &[address.into(), network.into()], expected);
    }
}

#[test]
fn a_null_argument_makes_null_without_a_fault() {
    for function in FUNCTIONS.iter().filter(|function| !function.takes_null) {
        for length in 1..=3 {
            assert_eq!(function.apply(&vec![Value::Null; length]), Ok(Value::Null), "{}", function.name);
        }
    }
}

#[test]
fn the_table_has_each_name_once_with_all_that_the_manual_needs() {
    for function in FUNCTIONS {
        assert!(
            std::ptr::eq(find(function.name).expect("in the table"), *function),
            "{} is there twice",
            function.name
        );
        assert!(function.doc.ends_with('.'), "{}", function.doc);
        assert!(!function.examples.is_empty(), "{} has no example", function.name);
        for (expression, _) in function.examples {
            assert!(expression.contains(&format!("{}(", function.name)), "{expression} shows another function");
        }
    }
    assert!(find("no_such_function").is_none());
}

#[test]
fn optional_and_variadic_parameters_come_last() {
    for (name, least, most) in
        [("lower", 1, Some(1)), ("substr", 2, Some(3)), ("min", 2, None), ("concat", 1, None), ("round", 1, Some(2))]
    {
        assert_eq!(find(name).expect("in the table").arity(), (least, most), "{name}");
    }
    for function in FUNCTIONS {
        let before_last = function.parameters.split_last().map_or(&[][..], |(_, before)| before);
        assert!(before_last.iter().all(|parameter| !parameter.optional && !parameter.variadic), "{}", function.name);
    }
}

#[test]
fn accepts_says_which_types_fit() {
    let all = [
        Type::Bool,
        Type::Int,
        Type::Float,
        Type::Decimal,
        Type::String,
        Type::Timestamp,
        Type::Duration,
        Type::List(Box::new(Type::Int)),
        Type::Any,
    ];
    for (accepts, expected) in [
        (Accepts::Any, "bool int float decimal string timestamp duration list<int> any"),
        (Accepts::Number, "int float decimal any"),
        (Accepts::Int, "int any"),
        (Accepts::String, "string any"),
        (Accepts::Timestamp, "timestamp any"),
        (Accepts::Duration, "duration any"),
        (Accepts::Sequence, "string list<int> any"),
    ] {
        let admitted: Vec<_> = all.iter().filter(|kind| accepts.admits(kind)).map(Type::to_string).collect();
        assert_eq!(admitted.join(" "), expected, "{accepts}");
    }
}

/// A value of each type.
fn samples() -> Vec<Value<'static>> {
    vec![
        true.into(),
        2.into(),
        2.5.into(),
        decimal("2.5"),
        "text".into(),
        at(2),
        seconds(2),
        list(&[2.into()]),
        Value::Record([("x".into(), 1.into())].into()),
    ]
}

/// All lists of so many samples.
fn tuples(length: usize) -> Vec<Vec<Value<'static>>> {
    match length {
        0 => vec![vec![]],
        _ => tuples(length - 1)
            .into_iter()
            .flat_map(|tuple| samples().into_iter().map(move |value| [&tuple[..], &[value]].concat()))
            .collect(),
    }
}

/// Whether the checker lets the arguments pass, had it known their types.
fn admitted(function: &Function, arguments: &[Value<'_>]) -> bool {
    let fits = |(position, argument): (usize, &Value<'_>)| {
        function.parameter(position).is_some_and(|parameter| parameter.accepts.admits(&argument.type_of()))
    };
    arguments.iter().enumerate().all(fits) && result(function, arguments).is_some()
}

#[test]
fn the_checker_and_the_functions_take_the_same_arguments() {
    let known = |value: &Value<'_>| !matches!(value, Value::Record(_));
    for function in FUNCTIONS {
        let (least, most) = function.arity();
        for arguments in (least..=most.unwrap_or(3)).flat_map(tuples).filter(|tuple| tuple.iter().all(known)) {
            match (admitted(function, &arguments), function.apply(&arguments)) {
                (true, Ok(value)) => {
                    assert!(foretold(&result(function, &arguments), &value), "{function:?} of {arguments:?}: {value}");
                }
                (true, outcome) => assert_eq!(outcome, Err(Fault::Argument), "{function:?} of {arguments:?}"),
                (false, outcome) if function.takes_null => assert!(outcome.is_ok()),
                (false, outcome) => assert_eq!(outcome, Err(Fault::UnlikeTypes), "{function:?} of {arguments:?}"),
            }
        }
    }
}

#[test]
fn any_number_of_any_arguments_makes_no_panic() {
    for function in FUNCTIONS {
        for arguments in (0..=3).flat_map(tuples) {
            let _ = function.apply(&arguments);
        }
    }
}
