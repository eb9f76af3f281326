//! The manual of the language does what it says: each pattern compiles, each example with events gives what stands next to
//! it, each line of a block that holds does.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use ensue_engine::{Config, Engine, Outputs};
use ensue_lang::{Options, Source};
use ensue_model::functions::FUNCTIONS;
use ensue_model::{FieldId, Partial, Patterns, Row, Span, Timestamp, Value};

fn manual() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/language.md");
    std::fs::read_to_string(path).expect("the manual is there")
}

/// A fenced block: the word behind its fence, the line it starts on, its text.
struct Block<'t> {
    word: &'t str,
    line: usize,
    text: String,
}

fn blocks(manual: &str) -> Vec<Block<'_>> {
    let mut blocks = Vec::new();
    let mut lines = manual.lines().enumerate();
    while let Some((index, line)) = lines.next() {
        if let Some(word) = line.strip_prefix("```") {
            let inside = lines.by_ref().map(|(_, line)| line).take_while(|line| *line != "```");
            let text = inside.map(|line| format!("{line}\n")).collect();
            blocks.push(Block { word, line: index + 1, text });
        }
    }
    blocks
}

/// Compiled as the command line does where nothing is said.
fn compiled(text: &str) -> Arc<Patterns> {
    let options = Options { type_field: Some("type".into()), ..Options::default() };
    let compiled = ensue_lang::compile(&[Source::new("manual.pattern", text)], &options);
    let compiled = compiled.unwrap_or_else(|errors| panic!("{text}\n{errors}"));
    assert!(compiled.warnings.is_empty(), "{text}\n{}", compiled.warnings);
    Arc::new(compiled.patterns)
}

/// `1h30m`
fn span(text: &str) -> Span {
    let seconds = |unit: &str| match unit {
        "h" => 3_600,
        "m" => 60,
        "s" => 1,
        unit => panic!("no time in an example has the unit {unit:?}"),
    };
    let parts = text.split_inclusive(|char: char| char.is_alphabetic());
    let parts = parts.map(|part| part.split_at(part.len() - 1));
    Span::from_seconds(parts.map(|(count, unit)| seconds(unit) * count.parse::<i64>().expect("a number")).sum())
}

const EPOCH: Timestamp = Timestamp::from_seconds(0);

/// A value as an example's event has it.
fn value(text: &str) -> Value<'static> {
    match text.parse::<i64>() {
        Ok(int) => Value::Int(int),
        Err(_) => Value::from(text.to_owned()),
    }
}

/// `1  0m  create  order=7`: the event, as a row of the schema, with its number as raw bytes.
fn event(line: &str, patterns: &Patterns) -> Row {
    let mut words = line.split_whitespace();
    let [number, time, kind] = [(); 3].map(|()| words.next().expect("an event has a number, a time and a type"));
    let mut fields: HashMap<&str, &str> = words.map(|field| field.split_once('=').expect("name=value")).collect();
    fields.insert("type", kind);
    let named = patterns.schema.fields.iter();
    let values = named.map(|field| fields.get(field.name.as_str()).map_or(Value::Null, |text| value(text)));
    Row::of_text(EPOCH + span(time), number, (0..).map(FieldId).zip(values))
}

fn number(row: &Row) -> String {
    row.raw().to_owned()
}

/// What comes out of a pattern for these events and then the end of the input.
fn outputs(pattern: &str, events: &str) -> String {
    let patterns = compiled(pattern);
    let mut engine = Engine::new(&patterns, Config::default()).expect("the example is small");
    let mut out = Outputs::new();
    for line in events.lines() {
        let given = match line.strip_prefix("watermark ") {
            Some(time) => engine.advance(EPOCH + span(time), &mut out),
            None => engine.push(event(line, &patterns), &mut out),
        };
        given.unwrap_or_else(|error| panic!("{line}: {error}"));
    }
    engine.finish(&mut out).expect("the end of the input is no error");
    shown(&patterns, &out)
}

fn shown(patterns: &Patterns, out: &Outputs<Row>) -> String {
    let mut lines: Vec<(usize, String)> = Vec::new();
    let at = |run: &Partial<Row>| (run.pattern, stages(patterns, run));
    for found in &out.matches {
        let (pattern, stages) = at(&found.run);
        lines.push((pattern, format!("match    {stages}")));
    }
    for lapsed in &out.timeouts {
        let (pattern, stages) = at(&lapsed.run);
        let names: Vec<_> = lapsed.awaiting.iter().map(|stage| patterns.patterns[pattern].stage_name(*stage)).collect();
        let deadline = lapsed.deadline - EPOCH;
        lines.push((pattern, format!("timeout  {stages}, awaiting {}, at {deadline}", names.join(" "))));
    }
    // Several patterns are shown one after the other.
    lines.sort_by_key(|(pattern, _)| *pattern);
    let name = |pattern: usize| match patterns.patterns.len() {
        1 => String::new(),
        _ => format!("{}: ", patterns.patterns[pattern].name),
    };
    let mut lines: Vec<String> = lines.into_iter().map(|(pattern, line)| name(pattern) + &line).collect();
    lines.extend(out.late.iter().map(|row| format!("late     {}", number(row))));
    lines.extend(out.rejected.iter().map(|rejected| format!("rejected {}", number(&rejected.event))));
    lines.into_iter().map(|line| line + "\n").collect()
}

/// `create 1, pay 2 3`: in the order of the pattern.
fn stages(patterns: &Patterns, run: &Partial<Row>) -> String {
    let mut stages: Vec<_> = run.events.iter().map(|(stage, _)| *stage).collect();
    stages.sort();
    stages.dedup();
    let stage = |stage| {
        let numbers: Vec<String> = run.of(stage).map(|taken| number(&taken.event)).collect();
        format!("{} {}", patterns.patterns[run.pattern].stage_name(stage), numbers.join(" "))
    };
    stages.into_iter().map(stage).collect::<Vec<_>>().join(", ")
}

#[test]
fn every_example_gives_what_stands_next_to_it() {
    let manual = manual();
    let (mut pattern, mut events) = (None, None);
    let mut wrong = String::new();
    for Block { word, line, text } in blocks(&manual) {
        match word {
            "ensue" => {
                compiled(&text);
                pattern = Some(text);
            }
            "events" => events = Some(text),
            "outputs" => {
                let pattern = pattern.as_ref().expect("a pattern stands before its outputs");
                let events = events.take().expect("events stand before their outputs");
                let actual = outputs(pattern, &events);
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

fn holds(condition: &str) -> bool {
    let patterns = compiled(&format!("begin a where {condition}"));
    let values = patterns.schema.fields.iter().map(|field| known(&field.name)).collect();
    let mut engine = Engine::new(&patterns, Config::default()).expect("the example is small");
    let mut out = Outputs::new();
    engine.push(Row::new(EPOCH, values), &mut out).expect("one event is no error");
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
