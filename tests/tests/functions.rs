//! The manual of the functions, `docs/functions.md`, is made from their table and from that of the questions, whose examples
//! are run here; the functions' own are run where there is a parser.

use std::sync::Arc;

use ensue_engine::{Config, Engine, Outputs};
use ensue_lang::{Options, QUESTIONS, Question, Source, compile};
use ensue_model::function::{Accepts, Function, Parameter};
use ensue_model::functions::FUNCTIONS;
use ensue_model::{Patterns, Row, Span, Timestamp, Type, Value};
use ensue_tests::markdown::hold;

/// The titles of the manual's parts, with the function that each starts with.
const PARTS: [(&str, &str); 5] =
    [("lower", "Text"), ("abs", "Numbers"), ("coalesce", "Null"), ("hour", "Time"), ("hash", "The rest")];

const INTRODUCTION: &str = "\
# Functions

Made from the tables that the language itself reads: `crates/model/src/functions` and `crates/lang/src/question.rs`. Each example is
run by a test. For those at hand, [the manual of the language](language.md#functions) has a page of examples.

A function of values gives null where one of them is null, unless it says otherwise, and where it has no result, such as the root of a
negative number; that is counted, and never stops anything. Behind `//` stands what an example gives. A `?` behind a parameter says that it may
be left out, `...` that there may be more of it.
";

const QUESTIONS_INTRODUCTION: &str = "
## What was taken

These ask a stage, the key or the run. They stand in conditions, in `emit` and in `timeout`; while a loop goes on, the stage holds what was taken
before. In the examples a stage `a` has taken three events, a minute after each other: their `x` is 1, 2 and 6, their `name`
`\"ann\"`, `\"ben\"` and `\"ann\"`. The event under test comes an hour after the first of them, the key is `\"u1\"`, and in a
timeout the run waits for `b`, for two hours after its first event.
";

fn manual() -> String {
    let mut manual = String::from(INTRODUCTION);
    for function in FUNCTIONS {
        if let Some((_, title)) = PARTS.iter().find(|(first, _)| *first == function.name) {
            manual.push_str(&format!("\n## {title}\n"));
        }
        manual.push_str(&entry(function));
    }
    manual.push_str(QUESTIONS_INTRODUCTION);
    QUESTIONS.iter().for_each(|question| manual.push_str(&asked(question)));
    manual
}

fn entry(function: &Function) -> String {
    let names: Vec<String> = function.parameters.iter().map(marked).collect();
    let takes: Vec<String> = function.parameters.iter().map(taken).collect();
    let nulls = if function.takes_null { " Null is a value like others to it." } else { "" };
    format!(
        "\n### {}({})\n\n{}{nulls}\n\nTakes {}. Gives {}.\n\n{}",
        function.name,
        names.join(", "),
        function.doc,
        joined(&takes),
        result(function),
        examples(function.examples),
    )
}

fn marked(parameter: &Parameter) -> String {
    let mark = match (parameter.variadic, parameter.optional) {
        (true, _) => ", ...",
        (_, true) => "?",
        _ => "",
    };
    format!("{}{mark}", parameter.name)
}

fn taken(parameter: &Parameter) -> String {
    let more = if parameter.variadic { ", and more of them" } else { "" };
    format!("`{}`, {}{more}", parameter.name, parameter.accepts)
}

fn joined(parts: &[String]) -> String {
    match parts {
        [most @ .., last] if !most.is_empty() => format!("{}, and {last}", most.join(", ")),
        parts => parts.concat(),
    }
}

/// What a function gives, as its result shows for all types that its parameters accept.
fn result(function: &Function) -> String {
    let several = function.parameters.iter().map(|parameter| types(parameter.accepts));
    let combinations = several.fold(vec![Vec::new()], |combinations: Vec<Vec<Type>>, types| {
        let longer = |types: &[Type], start: &Vec<Type>| -> Vec<Vec<Type>> {
            types.iter().map(|kind| start.iter().chain([kind]).cloned().collect()).collect()
        };
        combinations.iter().flat_map(|start| longer(&types, start)).collect()
    });
    let results: Vec<(&[Type], Type)> = combinations
        .iter()
        .filter_map(|arguments| Some((arguments.as_slice(), (function.result)(arguments)?)))
        .collect();
    let (_, first) = results.first().expect("a function gives something");
    if results.iter().all(|(_, result)| result == first) {
        return format!("`{first}`");
    }
    match results.iter().all(|(arguments, result)| *result == arguments[0]) {
        true => format!("the type of `{}`", function.parameters[0].name),
        false => "the type that all of them have; `any`, if these are different types of number".to_owned(),
    }
}

fn types(accepts: Accepts) -> Vec<Type> {
    let list = Type::List(Box::new(Type::Int));
    let all = [Type::Bool, Type::Int, Type::Float, Type::Decimal, Type::String, Type::Timestamp, Type::Duration, list];
    all.into_iter().filter(|kind| accepts.admits(kind)).collect()
}

fn asked(question: &Question) -> String {
    format!(
        "\n### {}\n\n{}\n\nGives {}.\n\n{}",
        question.forms.join(", "),
        question.doc,
        quoted(question.result),
        examples(question.examples)
    )
}

/// `int` in words that say more stays as it is.
fn quoted(result: &str) -> String {
    if result.contains(' ') { result.to_owned() } else { format!("`{result}`") }
}

/// One below the other, with the results in a column.
fn examples(examples: &[(&str, &str)]) -> String {
    let width = examples.iter().map(|(text, _)| text.chars().count()).max().unwrap_or_default();
    let lines = examples.iter().map(|(text, result)| format!("{text:width$}  // {result}\n"));
    format!("```ensue\n{}```\n", lines.collect::<String>())
}

#[test]
fn the_manual_is_what_the_tables_say() {
    hold("functions.md", &manual());
}

#[test]
fn every_part_of_the_manual_starts_with_a_function() {
    for (first, title) in PARTS {
        assert!(FUNCTIONS.iter().any(|function| function.name == first), "{title} starts with {first}");
    }
}

#[test]
fn every_function_of_the_specification_is_there() {
    let specified = "lower upper trim len contains starts_with ends_with replace split substr concat \
                     abs ceil floor round sqrt pow min max coalesce hour day_of_week date truncate hash cidr";
    let missing: Vec<&str> =
        specified.split(' ').filter(|name| !FUNCTIONS.iter().any(|function| function.name == *name)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

/// The events of the questions' examples, up to those that wait for `b`.
fn events(patterns: &Patterns) -> Vec<Row> {
    let event = |minute: i64, kind: &str, x: i64, name: &str| {
        let value = |field: &str| match field {
            "user" => "u1".into(),
            "type" => Value::from(kind.to_owned()),
            "name" => Value::from(name.to_owned()),
            "x" => Value::Int(x),
            other => panic!("no example asks for {other}"),
        };
        let values = patterns.schema.fields.iter().map(|field| value(&field.name)).collect();
        Row::new(Timestamp::from_seconds(60 * minute), values)
    };
    vec![event(0, "a", 1, "ann"), event(1, "a", 2, "ben"), event(2, "a", 6, "ann"), event(60, "b", 0, "")]
}

fn compiled(text: &str) -> Arc<Patterns> {
    let options = Options { type_field: Some("type".into()), ..Options::default() };
    let compiled = compile(&[Source::new("q.pattern", text)], &options);
    Arc::new(compiled.unwrap_or_else(|errors| panic!("{text}\n{errors}")).patterns)
}

/// Whether an example gives its result: as a condition of the event that comes, or in the record of the timeout.
fn gives(question: &Question, text: &str, result: &str) -> bool {
    let in_timeout = ["awaiting", "deadline"].contains(&question.name);
    let pattern = "pattern q key user begin a{3} where type == \"a\" next b";
    let (patterns, taken) = match in_timeout {
        true => (compiled(&format!("{pattern} within 2h timeout {{ same: ({text}) == ({result}) }}")), 3),
        false => (compiled(&format!("{pattern} where ({text}) == ({result}) within 2h")), 4),
    };
    let mut engine = Engine::new(&patterns, Config::default()).expect("the example is small");
    let mut out = Outputs::new();
    for event in events(&patterns).into_iter().take(taken) {
        engine.push(event, &mut out).expect("an event is no error");
    }
    engine.advance(Timestamp::from_seconds(0) + Span::from_seconds(7_200), &mut out).expect("time goes on");
    match in_timeout {
        true => out.timeouts.iter().any(|lapsed| lapsed.record.as_deref() == Some(&[Value::Bool(true)])),
        false => out.matches.len() == 1,
    }
}

#[test]
fn every_example_of_a_question_gives_what_it_says() {
    for question in QUESTIONS {
        assert!(!question.examples.is_empty(), "{} has no example", question.name);
        for (text, result) in question.examples {
            assert!(gives(question, text, result), "{text} is not {result}");
        }
    }
}
