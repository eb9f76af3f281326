//! The manual of the language does what it says: each pattern compiles, each example with events gives what stands next to
//! it, each line of a block that holds does.

use std::path::Path;
use std::sync::Arc;

use ensue_engine::{Config, Engine, Outputs};
use ensue_lang::{Compiled, Options, Source};
use ensue_model::function::HostFunction;
use ensue_model::functions::FUNCTIONS;
use ensue_model::{Row, Timestamp, Value};
use ensue_testkit::case_file::{self, Settings, TableRows, WrittenCase};
use ensue_testkit::trial::{Surroundings, Trial};
use ensue_tests::markdown::{Block, blocks, document};

fn manual() -> String {
    document("language.md")
}

/// Compiled as the command line does where nothing is said.
fn checked(text: &str) -> Compiled {
    let options = Options { type_field: Some("type".into()), functions: vec![risk_function()], ..Options::default() };
    let compiled = ensue_lang::compile(&[Source::new("manual.pattern", text)], &options);
    compiled.unwrap_or_else(|errors| panic!("{text}\n{errors}"))
}

/// The function that the manual says a program gives.
fn risk_function() -> Arc<HostFunction> {
    let risk = |amount: f64, country: &str| if country == "home" { amount / 1000.0 } else { amount / 100.0 };
    Arc::new(HostFunction::new("risk", ["amount", "country"], risk))
}

/// What comes out of a pattern for these events and then the end of the input, with these tables.
fn outputs(pattern: &str, events: &str, tables: &[TableRows]) -> String {
    let arrivals = case_file::events(events).unwrap_or_else(|errors| panic!("{events}\n{}", errors[0]));
    let settings = Settings { tables: tables.to_vec(), ..Settings::default() };
    let case = WrittenCase::of(settings, arrivals);
    let sources = [Source::new("manual.pattern", pattern)];
    let around = Surroundings { sources: &sources, folder: Path::new("."), functions: &[risk_function()] };
    let trial = Trial::new(&case, around).unwrap_or_else(|refusal| panic!("{pattern}\n{refusal}"));
    assert!(trial.warnings.is_empty(), "{pattern}\n{}", trial.warnings);
    let outcome = trial.run().unwrap_or_else(|refusal| panic!("{pattern}\n{refusal}"));
    outcome.lines().into_iter().map(|line| line + "\n").collect()
}

#[test]
fn every_example_gives_what_stands_next_to_it() {
    let manual = manual();
    let (mut pattern, mut events) = (None, None);
    let mut tables: Vec<TableRows> = Vec::new();
    let mut wrong = String::new();
    for Block { word, line, text } in blocks(&manual) {
        match word {
            "ensue" => {
                let warnings = checked(&text).warnings;
                assert!(warnings.is_empty(), "{text}\n{warnings}");
                pattern = Some(text);
                tables.clear();
            }
            word if word.starts_with("table ") => {
                tables.push(case_file::rows(&word["table ".len()..], &text).expect("the rows are in order"));
            }
            "events" => events = Some(text),
            "outputs" => {
                let pattern = pattern.as_ref().expect("a pattern stands before its outputs");
                let events = events.take().expect("events stand before their outputs");
                let actual = outputs(pattern, &events, &tables);
                if actual != text {
                    wrong.push_str(&format!("line {line}: expected\n{text}and this came:\n{actual}\n"));
                }
            }
            "holds" | "text" => {}
            other => panic!("line {line}: no block is called {other:?}"),
        }
        assert!(events.is_none() || word == "events", "line {line}: there are events and no outputs");
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// The event over which each line of a `holds` block is tried.
fn known(field: &str) -> Value<'static> {
    match field {
        "amount" => Value::Int(30),
        "name" => "Ann Lee".into(),
        "tags" => Value::List(["new", "vip"].map(Value::from).into()),
        _ => Value::Null,
    }
}

/// Most of these conditions hold whatever the event, which is warned of.
fn holds(condition: &str) -> bool {
    let patterns = Arc::new(checked(&format!("begin a where {condition}")).patterns);
    let values = patterns.schema.fields.iter().map(|field| known(&field.name)).collect();
    let mut engine = Engine::new(&patterns, Config::default()).expect("the example is small");
    let mut out = Outputs::new();
    engine.push(Row::new(Timestamp::from_seconds(0), values), &mut out).expect("one event is no error");
    engine.finish(&mut out).expect("the end of the input is no error");
    out.matches.len() == 1
}

#[test]
fn every_line_that_is_said_to_hold_does() {
    let manual = manual();
    for Block { line, text, .. } in blocks(&manual).into_iter().filter(|block| block.word == "holds") {
        for (index, condition) in text.lines().enumerate() {
            assert!(holds(condition), "line {}: {condition}", line + index + 1);
        }
    }
    assert!(!holds("amount == 31") && !holds("missing == 1"));
}

#[test]
fn every_function_has_an_example() {
    let manual = manual();
    let shown: String =
        blocks(&manual).into_iter().filter(|block| block.word == "holds").map(|block| block.text).collect();
    let is_shown = |name: &str| shown.contains(&format!("{name}("));
    let missing: Vec<_> = FUNCTIONS.iter().map(|function| function.name).filter(|name| !is_shown(name)).collect();
    assert!(missing.is_empty(), "not in the manual: {missing:?}");
}
