//! What comes out of a key, and in which order, does not depend on the number of shards.

use std::sync::Arc;

use ensue::{
    Config, Engine, Outputs, Partial, Patterns, Row, Schema, Sharded, Snapshot, Span, Timestamp, Type, Watermarks,
};
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

/// So many that two shards, and three, are given several batches.
const EVENTS: i64 = 12_000;

/// Events of 40 keys, most of them up to 50 ms out of order: key and type.
fn stream(seed: u64) -> Vec<(Timestamp, i64, &'static str)> {
    let mut random = Pcg64Mcg::seed_from_u64(seed);
    let events = (0..EVENTS).map(|index| {
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
    let patterns = compiled(text);
    let config = Config { watermarks, ..Config::default() };
    let mut engine = Sharded::new(&patterns, config, shards).expect("the pattern is small");
    let mut out = Outputs::new();
    for (index, event) in stream(1).into_iter().enumerate() {
        let time = event.0;
        engine.push(row(event, &patterns), &mut out).expect("no limit is reached");
        if watermarks == Watermarks::Explicit && index % 500 == 499 {
            engine.advance(time - Span::from_millis(60), &mut out).expect("no limit is reached");
        }
    }
    engine.finish(&mut out).expect("no limit is reached");
    given(&out)
}

fn compiled(text: &str) -> Arc<Patterns> {
    let schema = Schema::stream("s").field("k", Type::Int).field("type", Type::String).type_field("type");
    ensue::compile(text, &schema).expect("the pattern is right")
}

fn row((time, key, kind): (Timestamp, i64, &'static str), patterns: &Patterns) -> Row {
    let values = patterns.schema.fields.iter().map(|field| match field.name.as_str() {
        "k" => key.into(),
        _ => kind.into(),
    });
    Row::new(time, values.collect())
}

/// The same events in pieces of some length, each event at its position but the pieces turned round; time moves with every
/// piece. After each so many pieces the engine is saved, and another one with another number of shards goes on.
fn in_pieces(text: &str, length: usize, shards: &[usize]) -> Given {
    let patterns = compiled(text);
    let config = Config { watermarks: Watermarks::Steady, ..Config::default() };
    let mut engine = Sharded::new(&patterns, config.clone(), shards[0]).expect("the pattern is small");
    let mut out = Outputs::new();
    let events: Vec<_> = (0..).zip(stream(1)).collect();
    let mut newest = Timestamp::MIN;
    for (piece, events) in events.chunks(length).enumerate() {
        let placed = events.iter().rev().map(|(position, event)| (*position, row(*event, &patterns)));
        engine.push_all_at(placed, &mut out).expect("no limit is reached");
        newest = events.iter().map(|(_, (time, ..))| *time).fold(newest, Timestamp::max);
        engine.pass(newest - Span::from_millis(60), &mut out).expect("no limit is reached");
        if piece % 40 == 39 {
            let saved = engine.save(&mut out).and_then(|saved| saved.to_bytes()).expect("rows can be saved");
            let saved = Snapshot::from_bytes(&saved, &patterns).expect("it is whole");
            let shards = shards[piece % shards.len()];
            engine = Sharded::load(&patterns, config.clone(), shards, saved).expect("it is of these patterns");
        }
    }
    engine.finish(&mut out).expect("no limit is reached");
    given(&out)
}

fn given(out: &Outputs<Row>) -> Given {
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

fn check_pieces(text: &str) {
    let whole = in_pieces(text, EVENTS as usize, &[1]);
    assert!(!whole.matches.is_empty() && !whole.timeouts.is_empty() && whole.late == 0, "something comes out");
    assert_eq!(outputs(text, Watermarks::OutOfOrder(Span::from_millis(60)), 1), whole, "as if events moved time");
    for (length, shards) in [(1, vec![1, 4, 3]), (17, vec![2, 1]), (64, vec![3, 2]), (500, vec![5])] {
        assert_eq!(in_pieces(text, length, &shards), whole, "{length} at a time, {shards:?} shards");
    }
}

#[test]
fn what_is_saved_goes_on_with_another_number_of_shards_in_any_steps() {
    check_pieces("pattern p key k begin a followedBy b next c within 500ms");
    check_pieces("pattern p key k begin a followedBy b+ followedBy c within 400ms skip past last");
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

/// What is open at the end of 30,000 keys, by piece: when each key timed out.
fn ended(text: &str, watermarks: Watermarks, shards: usize) -> Vec<Vec<(Timestamp, String)>> {
    let patterns = compiled(text);
    let config = Config { watermarks, ..Config::default() };
    let mut engine = Sharded::new(&patterns, config, shards).expect("the pattern is small");
    for key in 0..30_000 {
        let event = row((Timestamp::from_millis(key / 7), key, "a"), &patterns);
        engine.push(event, &mut Outputs::new()).expect("no limit is reached");
    }
    let (mut pieces, mut is_over) = (Vec::new(), false);
    while !is_over {
        let mut out = Outputs::new();
        is_over = engine.finish_some(&mut out).expect("no limit is reached");
        let piece = out.timeouts.iter().map(|lapsed| (lapsed.deadline, format!("{:?}", lapsed.run.key)));
        pieces.push(piece.collect());
    }
    pieces
}

#[test]
fn what_is_open_at_the_end_comes_in_pieces() {
    let pattern = "pattern p key k begin a followedBy b within 10s";
    let order = |pieces: &[Vec<(Timestamp, String)>]| {
        let mut all = pieces.concat();
        assert!(all.is_sorted_by_key(|(deadline, _)| *deadline), "they come in the order of their deadlines");
        all.sort();
        all
    };
    let whole = ended(pattern, Watermarks::Ascending, 1);
    assert_eq!(order(&whole).len(), 30_000);
    for shards in [1, 2, 3] {
        let pieces = ended(pattern, Watermarks::Ascending, shards);
        assert_eq!(order(&pieces), order(&whole), "{shards} shards");
        let largest = pieces.iter().map(Vec::len).max();
        assert!(pieces.len() > 1 && largest < Some(15_000), "{shards} shards: {largest:?}");
    }
    // What ends at a watermark under a skip strategy ends together.
    let skipping = format!("{pattern} skip past last");
    assert_eq!(ended(&skipping, Watermarks::Explicit, 2).len(), 1);
}

#[test]
fn an_event_that_waits_for_others_is_saved_with_the_rest() {
    let patterns = compiled("pattern p key k begin a followedBy b within 10s");
    let config = Config { watermarks: Watermarks::Ascending, ..Config::default() };
    let mut engine = Engine::new(&patterns, config.clone()).expect("the pattern is small");
    let mut out = Outputs::new();
    let events = (0..).zip(["a", "b", "a"]).map(|(ms, kind)| row((Timestamp::from_millis(ms), 7, kind), &patterns));
    events.for_each(|event| engine.push_later(event, &mut out).expect("no limit is reached"));
    assert_eq!((out.matches.len(), engine.open_keys()), (0, 0), "all wait");
    let mut restored =
        Engine::restore(&patterns, config, &engine.snapshot().expect("rows can be saved")).expect("it is whole");
    for engine in [&mut engine, &mut restored] {
        let mut out = Outputs::new();
        engine.finish(&mut out).expect("no limit is reached");
        assert_eq!((out.matches.len(), out.timeouts.len()), (1, 1));
    }
}
