//! What is told of open runs while an engine runs is what comes of them: each is told with its events, what it awaits and when it
//! ends, and so it times out.

use std::collections::BTreeMap;
use std::sync::Arc;

use ensue::{Config, Engine, Outputs, Patterns, Row, Schema, Snapshot, Timestamp, Type, Value, Watermarks};
use ensue_engine::{Most, Place, Survey};
use ensue_model::output::Taken;
use ensue_model::pattern::StageId;
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

const KEYS: i64 = 5;

const ALL: Most = Most { runs: usize::MAX, events: usize::MAX };

/// Patterns whose open runs all time out if nothing comes.
const PATTERNS: [&str; 7] = [
    "begin a followedBy b within 1m",
    "begin a followedByAny b followedByAny c within 1m",
    "begin a followedBy b+ combinations followedBy c within 1m",
    "begin a followedBy b where v > last(a).v within 20s of previous followedBy c within 1m",
    "begin ( a & b ) followedBy c within 1m",
    "begin a followedBy b followedBy c skip past last within 1m",
    "begin a followedBy b within 1m keep latest",
];

fn config() -> Config {
    Config { watermarks: Watermarks::Ascending, ..Config::default() }
}

/// An engine that has taken some events.
fn fed(text: &str, seed: u64) -> (Arc<Patterns>, Engine<Row>) {
    let schema = Schema::stream("s").field("k", Type::Int).field("type", Type::String).field("v", Type::Int);
    let patterns = ensue::compile(text, &schema.key("k").type_field("type")).expect("the pattern is right");
    let mut engine = Engine::new(&patterns, config()).expect("the pattern is small");
    let mut random = Pcg64Mcg::seed_from_u64(seed);
    for second in 0..80 {
        let kind = ["a", "b", "c", "x"][random.random_range(0..4)];
        let (key, v) = (random.random_range(0..KEYS), random.random_range(0..10_i64));
        let values = patterns.schema.fields.iter().map(|field| match field.name.as_str() {
            "k" => key.into(),
            "v" => v.into(),
            _ => Value::from(kind),
        });
        let row = Row::new(Timestamp::from_seconds(second), values.collect());
        engine.push(row, &mut Outputs::new()).expect("no limit is reached");
    }
    (patterns, engine)
}

/// A run as a line: its key, what it has taken, what it awaits, when it ends.
fn line(key: &[Value<'_>], events: &[(StageId, Taken<Row>)], awaiting: &[StageId], end: Option<Timestamp>) -> String {
    let events: Vec<_> = events.iter().map(|(stage, taken)| (stage.0, taken.position)).collect();
    format!("{key:?} {events:?} {awaiting:?} {end:?}")
}

/// All open runs.
fn told(engine: &mut Engine<Row>) -> Vec<String> {
    let now = engine.watermark();
    let mut lines = Vec::new();
    for key in 0..KEYS {
        let key = [Value::Int(key)];
        let open = engine.stack().runs_of(0, &key, now, ALL);
        assert_eq!(open.count, open.runs.len() as u64);
        lines.extend(open.runs.iter().map(|open| line(&key, &open.run.events, &open.awaiting, open.end)));
    }
    lines.sort();
    lines
}

#[test]
fn each_open_run_is_told_as_it_times_out() {
    let mut open = 0;
    for (text, seed) in PATTERNS.into_iter().flat_map(|text| (0..20).map(move |seed| (text, seed))) {
        let (_, mut engine) = fed(text, seed);
        // Those of the last second wait until no earlier event can come.
        engine.advance(Timestamp::from_seconds(79), &mut Outputs::new()).expect("no limit is reached");
        let told = told(&mut engine);
        let mut out = Outputs::new();
        engine.finish(&mut out).expect("no limit is reached");
        let timed_out = out.timeouts.iter();
        let timed_out = timed_out.map(|it| line(&it.run.key, &it.run.events, &it.awaiting, Some(it.deadline)));
        let mut timed_out: Vec<_> = timed_out.collect();
        timed_out.sort();
        open += told.len();
        assert_eq!(told, timed_out, "{text}, seed {seed}");
    }
    assert!(open > 1_000, "{open}");
}

#[test]
fn no_more_are_spelled_out_than_are_asked_for() {
    let (_, mut engine) = fed("begin a followedBy b+ combinations followedBy c", 1);
    let now = engine.watermark();
    let of_key = |key: i64, most: Most, engine: &mut Engine<Row>| {
        let open = engine.stack().runs_of(0, &[Value::Int(key)], now, most);
        (open.count, open.runs.len())
    };
    let (count, all) = (0..KEYS).map(|key| of_key(key, ALL, &mut engine)).max().expect("there are keys");
    assert!(count > 8 && count == all as u64, "{count} of {all}");
    let key = (0..KEYS).find(|key| of_key(*key, ALL, &mut engine).0 == count).expect("it was found before");
    assert_eq!(of_key(key, Most { runs: 3, ..ALL }, &mut engine), (count, 3));
    assert_eq!(of_key(key, Most { events: 1, ..ALL }, &mut engine), (count, 1));
    assert_eq!(of_key(KEYS, ALL, &mut engine), (0, 0), "nothing has come for it");
}

/// Places by pattern and stages, whatever their order.
fn by_stages(places: impl IntoIterator<Item = Place>) -> BTreeMap<(usize, Vec<StageId>), (u64, Timestamp)> {
    places.into_iter().map(|place| ((place.pattern, place.awaiting), (place.runs, place.oldest))).collect()
}

#[test]
fn a_snapshot_tells_where_runs_wait_as_the_engine_does() {
    for (text, seed) in PATTERNS.into_iter().flat_map(|text| (0..5).map(move |seed| (text, seed))) {
        let (patterns, mut engine) = fed(text, seed);
        let bytes = engine.save().to_bytes().expect("it can be written");
        let snapshot = Snapshot::from_bytes(&bytes, &patterns).expect("it is whole");
        let mut survey = Survey::<Row>::new(&patterns, &config()).expect("the pattern is small");
        let found = by_stages(survey.places(&snapshot));
        assert!(!found.is_empty());
        assert_eq!(found, by_stages(engine.stack().places()), "{text}, seed {seed}");
    }
}
