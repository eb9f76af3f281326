//! The manual of the language does what it says: each pattern compiles, each example with events gives what stands next to
//! it, each line of a block that holds does.

use std::collections::HashMap;
use std::sync::Arc;

use ensue_engine::{Config, Engine, Outputs};
use ensue_lang::{Compiled, Options, Source};
use ensue_model::function::HostFunction;
use ensue_model::functions::FUNCTIONS;
use ensue_model::record::{Emission, Values};
use ensue_model::table::{Table, TableId};
use ensue_model::{Event, FieldId, Partial, Patterns, Row, Span, StreamId, Timestamp, Type, Value};
use ensue_tests::markdown::{Block, blocks, document};

fn manual() -> String {
    document("language.md")
}

/// Compiled as the command line does where nothing is said.
fn checked(text: &str) -> Compiled {
    let functions = vec![Arc::new(HostFunction::new("risk", ["amount", "country"], risk))];
    let options = Options { type_field: Some("type".into()), functions, ..Options::default() };
    let compiled = ensue_lang::compile(&[Source::new("manual.pattern", text)], &options);
    compiled.unwrap_or_else(|errors| panic!("{text}\n{errors}"))
}

fn compiled(text: &str) -> Arc<Patterns> {
    let compiled = checked(text);
    assert!(compiled.warnings.is_empty(), "{text}\n{}", compiled.warnings);
    Arc::new(compiled.patterns)
}

/// The function that the manual says a program gives.
fn risk(amount: f64, country: &str) -> f64 {
    if country == "home" { amount / 1000.0 } else { amount / 100.0 }
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

/// `1  0m  create  order=7`: the event, as a row with its number as raw bytes; `orders:create`, of a stream.
fn event(line: &str, patterns: &Patterns) -> Row {
    let mut words = line.split_whitespace();
    let [number, time, kind] = [(); 3].map(|()| words.next().expect("an event has a number, a time and a type"));
    let (stream, kind) = kind.split_once(':').map_or((None, kind), |(stream, kind)| (Some(stream), kind));
    let stream = stream.map_or(StreamId(0), |name| patterns.stream(name).expect("its stream is declared"));
    let mut fields: HashMap<&str, &str> = words.map(|field| field.split_once('=').expect("name=value")).collect();
    fields.insert("type", kind);
    let named = patterns.streams[usize::from(stream.0)].fields.iter();
    let values = named.filter_map(|field| {
        let text = fields.get(patterns.schema.get(*field).name.as_str())?;
        Some((*field, value(text)))
    });
    let mut values: Vec<(FieldId, Value<'_>)> = values.collect();
    values.sort_by_key(|(field, _)| *field);
    Row::of_text(EPOCH + span(time), number, values).of_stream(stream)
}

/// The number of an event; of one that a pattern has emitted, which has none, its stream and its time.
fn number(patterns: &Patterns, row: &Row) -> String {
    match &patterns.streams[usize::from(row.stream().0)] {
        stream if stream.is_emitted => {
            format!("{}@{}", stream.name.as_deref().expect("it has a name"), row.time - EPOCH)
        }
        _ => row.raw().to_owned(),
    }
}

/// The rows of a table, under a line with the names of its columns.
fn table(text: &str, name: &str, patterns: &Patterns) -> (TableId, Arc<Table>) {
    let position = patterns.tables.iter().position(|shape| shape.name == name).expect("the table is declared");
    let shape = &patterns.tables[position];
    let mut lines = text.lines();
    let columns: Vec<&str> = lines.next().expect("columns have names").split_whitespace().collect();
    assert!(columns.iter().eq(shape.columns.iter().map(|column| &column.name)), "{columns:?}");
    let mut table = Table::new(shape);
    for line in lines {
        let cell = |(text, kind): (&str, &Type)| match kind {
            Type::Decimal => Value::Decimal(text.parse().expect("a decimal")),
            _ => value(text),
        };
        let kinds = shape.columns.iter().map(|column| &column.kind);
        let replaced = table.insert(line.split_whitespace().zip(kinds).map(cell).collect());
        assert!(replaced.is_none(), "{line}");
    }
    (TableId(position as u16), Arc::new(table))
}

/// What comes out of a pattern for these events and then the end of the input, with these tables.
fn outputs(pattern: &str, events: &str, tables: &[(&str, String)]) -> String {
    let patterns = compiled(pattern);
    let mut engine = Engine::new(&patterns, Config::default()).expect("the example is small");
    for (name, text) in tables {
        let (id, rows) = table(text, name, &patterns);
        engine.set_table(id, rows);
    }
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
    for found in &out.matches {
        let pattern = found.run.pattern;
        let shown = shown_as(patterns, &patterns.patterns[pattern].emit, found.record.as_ref(), &found.run);
        lines.push((pattern, format!("match    {shown}")));
    }
    for lapsed in &out.timeouts {
        let pattern = lapsed.run.pattern;
        let shown = shown_as(patterns, &patterns.patterns[pattern].timeout, lapsed.record.as_ref(), &lapsed.run);
        let names: Vec<_> = lapsed.awaiting.iter().map(|stage| patterns.patterns[pattern].stage_name(*stage)).collect();
        let deadline = lapsed.deadline - EPOCH;
        lines.push((pattern, format!("timeout  {shown}, awaiting {}, at {deadline}", names.join(" "))));
    }
    // Several patterns are shown one after the other.
    lines.sort_by_key(|(pattern, _)| *pattern);
    let name = |pattern: usize| match patterns.patterns.len() {
        1 => String::new(),
        _ => format!("{}: ", patterns.patterns[pattern].name),
    };
    let mut lines: Vec<String> = lines.into_iter().map(|(pattern, line)| name(pattern) + &line).collect();
    lines.extend(out.late.iter().map(|row| format!("late     {}", number(patterns, row))));
    lines.extend(out.rejected.iter().map(|rejected| format!("rejected {}", number(patterns, &rejected.event))));
    lines.into_iter().map(|line| line + "\n").collect()
}

/// An output's record, `unpaid { order: 7 }`, or its events.
fn shown_as(patterns: &Patterns, emission: &Emission, values: Option<&Values>, run: &Partial<Row>) -> String {
    let (Some(record), Some(values)) = (emission.record(), values) else { return stages(patterns, run) };
    let entries = record.entries.iter().zip(values).map(|(entry, value)| format!("{}: {value}", entry.name));
    let name = record.name.as_ref().map(|name| format!("{name} ")).unwrap_or_default();
    format!("{name}{{ {} }}", entries.collect::<Vec<_>>().join(", "))
}

/// `create 1, pay 2 3`: in the order of the pattern.
fn stages(patterns: &Patterns, run: &Partial<Row>) -> String {
    let mut stages: Vec<_> = run.events.iter().map(|(stage, _)| *stage).collect();
    stages.sort();
    stages.dedup();
    let stage = |stage| {
        let numbers: Vec<String> = run.of(stage).map(|taken| number(patterns, &taken.event)).collect();
        format!("{} {}", patterns.patterns[run.pattern].stage_name(stage), numbers.join(" "))
    };
    stages.into_iter().map(stage).collect::<Vec<_>>().join(", ")
}

#[test]
fn every_example_gives_what_stands_next_to_it() {
    let manual = manual();
    let (mut pattern, mut events) = (None, None);
    let mut tables: Vec<(&str, String)> = Vec::new();
    let mut wrong = String::new();
    for Block { word, line, text } in blocks(&manual) {
        match word {
            "ensue" => {
                compiled(&text);
                pattern = Some(text);
                tables.clear();
            }
            word if word.starts_with("table ") => tables.push((&word["table ".len()..], text)),
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
