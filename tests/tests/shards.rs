//! What comes out of a key, and in which order, does not depend on the number of shards.

use std::sync::Arc;

use ensue::{Config, Outputs, Partial, Patterns, Row, Schema, Sharded, Span, Timestamp, Type, Watermarks};
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

/// Events of 40 keys, most of them up to 50 ms out of order: key and type.
fn stream(seed: u64) -> Vec<(Timestamp, i64, &'static str)> {
    let mut random = Pcg64Mcg::seed_from_u64(seed);
    let events = (0..6_000).map(|index| {
        let time = Timestamp::from_millis(10 * index / 3 - random.random_range(0..50));
        let kind = ["a", "b", "c"][random.random_range(0..3)];
        (time, random.random_range(0..40), kind)
    });
    events.collect()
}

/// What came out: key and line, in the order in which each key gave them.
#[derive(PartialEq, Debug)]
struct Given {
    matches: Vec<(String, String)>,
    timeouts: Vec<(String, String)>,
    late: usize,
}

fn outputs(text: &str, watermarks: Watermarks, shards: usize) -> Given {
    let schema = Schema::stream("s").field("k", Type::Int).field("type", Type::String).type_field("type");
    let patterns: Arc<Patterns> = ensue::compile(text, &schema).expect("the pattern is right");
    let config = Config { watermarks, ..Config::default() };
    let mut engine = Sharded::new(&patterns, config, shards).expect("the pattern is small");
    let mut out = Outputs::new();
    for (index, (time, key, kind)) in stream(1).into_iter().enumerate() {
        let values = patterns.schema.fields.iter().map(|field| match field.name.as_str() {
            "k" => key.into(),
            _ => kind.into(),
        });
        engine.push(Row::new(time, values.collect()), &mut out).expect("no limit is reached");
        if watermarks == Watermarks::Explicit && index % 500 == 499 {
            engine.advance(time - Span::from_millis(60), &mut out).expect("no limit is reached");
        }
    }
    engine.finish(&mut out).expect("no limit is reached");
    let key = |run: &Partial<Row>| format!("{:?}", run.key);
    let events = |run: &Partial<Row>| run.events.iter().map(|(_, taken)| taken.position).collect::<Vec<_>>();
    let mut matches: Vec<_> = out
        .matches
        .iter()
        .map(|found| (key(&found.run), format!("{} {:?}", found.run.end(), events(&found.run))))
        .collect();
    let mut timeouts: Vec<_> = out
        .timeouts
        .iter()
        .map(|lapsed| (key(&lapsed.run), format!("{} {:?}", lapsed.deadline, events(&lapsed.run))))
        .collect();
    matches.sort_by(|(a, _), (b, _)| a.cmp(b));
    timeouts.sort_by(|(a, _), (b, _)| a.cmp(b));
    Given { matches, timeouts, late: out.late.len() }
}

fn check(text: &str) {
    let late = Watermarks::OutOfOrder(Span::from_millis(40));
    for watermarks in [Watermarks::Explicit, Watermarks::Ascending, late] {
        let alone = outputs(text, watermarks, 1);
        assert!(!alone.matches.is_empty() && !alone.timeouts.is_empty(), "{watermarks:?}: something comes out");
        for shards in [2, 3, 7] {
            assert_eq!(outputs(text, watermarks, shards), alone, "{watermarks:?}, {shards} shards");
        }
    }
}

#[test]
fn sequences_give_the_same_from_any_number_of_shards() {
    check("pattern p key k begin a followedBy b next c within 500ms");
}

#[test]
fn loops_and_step_windows_do_too() {
    check("pattern p key k begin a followedBy b{1,3} within 200ms of previous followedBy c within 300ms");
}

#[test]
fn and_skip_strategies_with_windows() {
    check("pattern p key k begin a followedBy b+ followedBy c within 400ms skip past last");
}
