//! Decimals are exact from the text of an event to the text of an output: what is written is what is compared and added up.

use std::sync::Arc;

use ensue_engine::{Config, Engine, Outputs};
use ensue_io::{Csv, Decoder, Records, RowFormat, TimeField, TimeFormat};
use ensue_lang::{Options, Source, compile};
use ensue_model::pattern::Term;
use ensue_model::{Expr, Patterns, Row, StreamId, Value};

const STREAM: &str = "stream payments { ts: timestamp @time type: string @type amount: decimal? rate: float }\n\
                      param least: decimal = 0.1\nparam fee: decimal = 1\nlet above(value) = value > 0.05\n";

fn compiled(pattern: &str) -> Arc<Patterns> {
    let sources = [Source::new("p.pattern", format!("{STREAM}{pattern}"))];
    let compiled = compile(&sources, &Options::default());
    Arc::new(compiled.unwrap_or_else(|errors| panic!("{pattern}\n{errors}")).patterns)
}

fn rows(patterns: &Patterns, format: &RowFormat, text: &str) -> Vec<Row> {
    let time = TimeField { name: "ts".to_owned(), format: TimeFormat::Seconds };
    let decoder = Decoder::new(patterns, StreamId(0), format, &time).expect("the format has the fields");
    let mut records = Records::new(format);
    records.feed(text.as_bytes());
    records.end();
    let mut rows = Vec::new();
    while let Some(record) = records.next() {
        let row = decoder.decode(&record.expect("a short line"));
        rows.push(row.unwrap_or_else(|bad| panic!("{text}: {bad}")));
    }
    rows
}

/// The matches of a pattern over events of these amounts, a second after each other.
fn matches(pattern: &str, amounts: &[&str]) -> usize {
    let patterns = compiled(pattern);
    let line = |(second, amount): (usize, &&str)| {
        format!("{{\"ts\":{second},\"type\":\"a\",\"amount\":{amount},\"rate\":0.1}}\n")
    };
    let text: String = amounts.iter().enumerate().map(line).collect();
    let mut engine = Engine::new(&patterns, Config::default()).expect("the pattern is small");
    let mut out = Outputs::new();
    for row in rows(&patterns, &RowFormat::JsonLines, &text) {
        engine.push(row, &mut out).expect("an event is no error");
    }
    engine.finish(&mut out).expect("the end is no error");
    out.matches.len()
}

fn holds(condition: &str, amount: &str) -> bool {
    matches(&format!("pattern p begin a where {condition}"), &[amount]) == 1
}

#[test]
fn an_amount_is_what_its_text_says() {
    for (text, condition) in [
        ("0.1", "amount == 0.1"),
        ("0.10", "amount == 0.1"),
        ("\"0.10\"", "amount == 0.1"),
        ("1e2", "amount == 100"),
        ("1.5e-3", "amount == 0.0015"),
        ("-0.1", "amount == -0.1"),
        ("123456789012345678901234.5678", "amount == 123456789012345678901234.5678"),
        ("123456789012345678901234.5678", "amount > 123456789012345678901234.5677"),
        ("0.1000000000000000000000000001", "amount != 0.1"),
        ("9007199254740993", "amount == 9007199254740993 and amount != 9007199254740992"),
        ("null", "amount is null"),
    ] {
        assert!(holds(condition, text), "{text}: {condition}");
    }
}

#[test]
fn a_column_of_a_csv_is_as_exact() {
    let patterns = compiled("pattern p begin a where amount == 0.1 or amount is null");
    let columns = ["ts", "type", "amount", "rate"].map(str::to_owned).to_vec();
    let format = RowFormat::Csv(Csv { columns, delimiter: b',' });
    let amounts: Vec<Value<'static>> = rows(&patterns, &format, "0,a,0.1,1\n1,a,0.10,1\n2,a,,1\n3,a,1e2,1\n")
        .iter()
        .map(|row| ensue_model::Event::field(row, patterns.schema.find("amount").expect("a field")).into_owned())
        .collect();
    let shown: Vec<String> = amounts.iter().map(Value::to_string).collect();
    assert_eq!(shown, ["0.1", "0.10", "null", "100"]);
}

#[test]
fn what_has_too_many_digits_is_refused_and_not_rounded() {
    let patterns = compiled("pattern p begin a where amount > 0");
    let time = TimeField { name: "ts".to_owned(), format: TimeFormat::Seconds };
    let decoder = Decoder::new(&patterns, StreamId(0), &RowFormat::JsonLines, &time).expect("JSON needs no columns");
    for text in [
        "0.12345678901234567890123456789012345",
        "0.12345678901234567890123456789012345e1",
        "1.2345678901234567890123456789012345e0",
        "99999999999999999999999999999",
        "1e40",
    ] {
        let mut records = Records::new(&RowFormat::JsonLines);
        records.feed(format!("{{\"ts\":0,\"type\":\"a\",\"amount\":{text},\"rate\":1}}\n").as_bytes());
        records.end();
        let record = records.next().expect("a line").expect("a short one");
        assert!(decoder.decode(&record).is_err(), "{text} was taken");
        let pattern = format!("{STREAM}pattern p begin a where amount > {text}");
        assert!(compile(&[Source::new("p.pattern", pattern)], &Options::default()).is_err(), "{text} was compiled");
    }
}

/// Conditions of an amount of 0.1 that hold only where all that is written is exact.
const EXACT: [&str; 22] = [
    "amount == 0.1",
    "0.1 == amount",
    "amount == -(-0.1)",
    "amount == 0.3 - 0.2",
    "amount + 0.2 == 0.3",
    "amount * 3 == 0.3",
    "3 * (amount + 0.2) == 0.9",
    "amount / 0.1 == 1",
    "amount % 0.03 == 0.01",
    "amount between 0.1 and 0.1",
    "amount in [0.3, 0.1]",
    "0.1 in [amount, 0.3]",
    "[amount, 0.2] == [0.1, 0.2]",
    "(amount ?? 0.0) + 0.2 == 0.3",
    "coalesce(amount, 0.0) + 0.2 == 0.3",
    "min(amount, 0.3) + 0.2 == 0.3",
    "max(amount, 0.05) + 0.2 == 0.3",
    "(if amount > 0.05 then amount else 0.2) + 0.2 == 0.3",
    "round(amount * 1.05, 3) == 0.105",
    "abs(0.0 - amount) + 0.2 == 0.3",
    "amount == least and amount + fee == 1.1",
    "above(amount) and not (amount < 0.1)",
];

#[test]
fn a_number_that_meets_a_decimal_is_exact_wherever_it_stands() {
    for condition in EXACT {
        let patterns = compiled(&format!("pattern p begin a where {condition}"));
        let Term::Stage(_, checked) = &patterns.patterns[0].sequence.steps[0].term else { panic!("a stage") };
        let mut floats = 0;
        checked.walk(&mut |expr| floats += usize::from(has_float(expr)));
        assert_eq!(floats, 0, "{condition} is {checked:?}");
        assert!(holds(condition, "0.1"), "{condition}");
    }
}

fn has_float(expr: &Expr) -> bool {
    let is_float = |value: &Value<'_>| matches!(value, Value::Float(_));
    match expr {
        Expr::Constant(Value::List(items)) => items.iter().any(is_float),
        Expr::Constant(value) => is_float(value),
        _ => false,
    }
}

#[test]
fn a_number_that_meets_a_float_stays_one() {
    assert!(holds("rate == 0.1 and rate + 0.2 != 0.3", "1"));
}

#[test]
fn sums_means_and_bounds_of_decimals_are_exact() {
    for condition in [
        "sum(a.amount) == 0.6",
        "sum(a.amount) + amount == 1.0",
        "avg(a.amount) == 0.2",
        "min(a.amount) == 0.1 and max(a.amount) == 0.3",
        "sum(a.amount * 0.1) == 0.06",
        "any(a, amount == 0.3) and all(a, amount <= 0.3)",
        "collect(a.amount) == [0.1, 0.2, 0.3]",
        "count(a) * 0.1 + amount - amount == 0.3",
    ] {
        let pattern = format!("pattern p begin a{{3}} where type == \"a\" next b where {condition}");
        assert_eq!(matches(&pattern, &["0.1", "0.2", "0.3", "0.4"]), 1, "{condition}");
    }
}

#[test]
fn a_loop_adds_up_to_the_cent() {
    let pattern =
        "pattern p begin a{10} where sum(a.amount) + amount <= 1.0 next b where sum(a.amount) == 1.0 skip past last";
    assert_eq!(matches(pattern, &["0.1"; 11]), 1);
}
