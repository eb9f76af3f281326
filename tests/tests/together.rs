//! What a pattern gives does not depend on the patterns beside it: an engine looks up which of them an event concerns.

use std::sync::Arc;

use ensue::{Config, Engine, Outputs, Partial, Patterns, Row, Schema, Timestamp, Value, Watermarks};
use rand::{Rng, RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

/// Patterns of every kind: those that a field's value tells, by text, by number, by both, and those that any event may
/// concern, since they are strict or ask for something else first.
fn patterns(random: &mut impl Rng) -> Vec<String> {
    let mut condition = |stage: &str| {
        let kind = random.random_range(0..4);
        let least = random.random_range(0..6);
        match random.random_range(0..8) {
            0 => format!("{stage} where type == \"t{kind}\""),
            1 => format!("{stage} where n == {kind}"),
            2 => format!("{stage} where type == \"t{kind}\" and n >= {least}"),
            3 => format!("{stage} where n == {kind} and x < 0.{least} and type != \"t1\""),
            4 => format!("{stage} where n >= {least} and type == \"t{kind}\""),
            5 => format!("{stage} where type in [\"t{kind}\", \"t0\"]"),
            6 => format!("{stage} where type == {kind}"),
            _ => format!("{stage} where type == \"t{kind}\" and (n > 2 or x > 0.5)"),
        }
    };
    let relations = ["followedBy", "followedByAny", "next", "notFollowedBy"];
    let patterns = (0..60).map(|number| {
        let relation = relations[number % relations.len()];
        let (a, b, c) = (condition("a"), condition("b"), condition("c"));
        // Windows of several lengths, and of steps.
        let (step, within) = (["", " within 15ms of previous"][number / 4 % 2], 20 + number / 8 % 3 * 10);
        format!("pattern p{number}\nkey k\nbegin {a}\n{relation} {b}\nfollowedBy {c}{step}\nwithin {within}ms\n\n")
    });
    patterns.collect()
}

/// Events whose fields are of all types, and sometimes absent.
fn events(random: &mut impl Rng) -> Vec<(Timestamp, Vec<(&'static str, Value<'static>)>)> {
    let events = (0..1_500).map(|index| {
        let kind = random.random_range(0..5);
        let kind = match random.random_range(0..12) {
            0 => Value::Null,
            1 => Value::Int(kind),
            2 => Value::Float(kind as f64),
            _ => Value::from(format!("t{kind}")),
        };
        let n = random.random_range(0..6);
        let n = match random.random_range(0..12) {
            0 => Value::Null,
            1 => Value::from(n.to_string()),
            2 => Value::Float(n as f64),
            _ => Value::Int(n),
        };
        let x = Value::Float(f64::from(random.random_range(0..10)) / 10.0);
        let key = Value::Int(random.random_range(0..4));
        (Timestamp::from_millis(index), vec![("k", key), ("type", kind), ("n", n), ("x", x)])
    });
    events.collect()
}

/// What comes out of each pattern, by its name.
fn outputs(text: &str, events: &[(Timestamp, Vec<(&str, Value<'static>)>)]) -> Vec<String> {
    let patterns: Arc<Patterns> = ensue::compile(text, &Schema::open()).unwrap_or_else(|wrong| panic!("{wrong}"));
    let config = Config { watermarks: Watermarks::Ascending, ..Config::default() };
    let mut engine = Engine::new(&patterns, config.clone()).expect("the patterns are small");
    let mut out = Outputs::new();
    let row = |(time, fields): &(Timestamp, Vec<(&str, Value<'static>)>)| {
        let value =
            |name: &str| fields.iter().find(|(field, _)| *field == name).map_or(Value::Null, |(_, v)| v.clone());
        Row::new(*time, patterns.schema.fields.iter().map(|field| value(&field.name)).collect())
    };
    let (before, after) = events.split_at(events.len() / 2);
    engine.push_all(before.iter().map(row), &mut out).expect("no limit is reached");
    let snapshot = engine.snapshot().expect("rows can be saved");
    let mut engine = Engine::restore(&patterns, config, &snapshot).expect("it is of these patterns");
    engine.push_all(after.iter().map(row), &mut out).expect("no limit is reached");
    engine.finish(&mut out).expect("no limit is reached");
    let line = |kind: &str, run: &Partial<Row>| {
        let taken: Vec<_> = run.events.iter().map(|(stage, taken)| (stage.0, taken.position)).collect();
        format!("{} {kind} {taken:?}", patterns.patterns[run.pattern].name)
    };
    let matches = out.matches.iter().map(|found| line("match", &found.run));
    let timeouts = out.timeouts.iter().map(|lapsed| line("timeout", &lapsed.run));
    let mut lines: Vec<String> = matches.chain(timeouts).collect();
    lines.sort();
    lines
}

#[test]
fn patterns_give_together_what_each_gives_alone() {
    for seed in 0..4 {
        let mut random = Pcg64Mcg::seed_from_u64(seed);
        let patterns = patterns(&mut random);
        let events = events(&mut random);
        let mut alone: Vec<String> = patterns.iter().flat_map(|pattern| outputs(pattern, &events)).collect();
        alone.sort();
        assert!(alone.len() > 1_000, "{} outputs", alone.len());
        assert_eq!(outputs(&patterns.concat(), &events), alone, "seed {seed}");
    }
}
