//! Patterns that read what others emit give the same for any number of shards, and when they are stopped and go on.

use std::fmt::Write;
use std::sync::Arc;

use ensue::{Config, Engine, Error, Outputs, Patterns, Row, Schema, Sharded, Span, StreamId, Timestamp, Watermarks};
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

/// Three levels, with keys that part and meet again: orders, then users, then regions, which read the orders as well.
const LEVELS: &str = r#"
stream orders { id: int @key type: string @type user: int region: string }

pattern order_late from orders
begin create notFollowedBy pay
within 300ms
emit late { user: create.user, region: create.region, id: create.id }

pattern order_paid from orders
begin create followedBy pay
within 300ms
emit paid { user: create.user, region: create.region, waited: time(pay) - time(create) }
timeout none

pattern user_trouble from late, paid key user
begin first: late where true
notFollowedBy forgiven: paid where waited < 200ms
followedBy second: late where id != first.id
within 2s
skip past last
emit trouble { region: second.region, user: key() }

pattern region_trouble from trouble, orders key region
begin trouble: trouble where true
followedBy created: orders where type == "create"
within 500ms
cooldown 100ms
emit { user: trouble.user, id: created.id, gap: time(created) - time(trouble) }
timeout { user: trouble.user, until: deadline() }
"#;

fn patterns() -> Arc<Patterns> {
    ensue::compile(LEVELS, &Schema::open()).unwrap_or_else(|wrong| panic!("{wrong}"))
}

/// So many that two shards, and three, are given several batches.
const EVENTS: i64 = 12_000;

/// Events of 60 orders of 7 users in 3 regions, up to 50 ms out of order, many at the same time.
fn stream(patterns: &Patterns) -> Vec<Row> {
    let mut random = Pcg64Mcg::seed_from_u64(7);
    let mut row = |index: i64| {
        let time = Timestamp::from_millis(10 * (index / 3) - random.random_range(0..50));
        let kind = ["create", "pay", "other", "other"][random.random_range(0..4)];
        let id: i64 = random.random_range(0..60);
        let values = patterns.schema.fields.iter().map(|field| match field.name.as_str() {
            "id" => id.into(),
            "type" => kind.into(),
            "user" => (id % 7).into(),
            "region" => ["north", "south", "west"][id as usize % 3].into(),
            // It is a record's.
            _ => ensue::Value::Null,
        });
        Row::new(time, values.collect())
    };
    (0..EVENTS).map(&mut row).collect()
}

/// A line for each output, in the order in which each key of each pattern gave them.
fn lines(patterns: &Patterns, out: &Outputs<Row>) -> Vec<String> {
    let mut lines: Vec<(String, String)> = Vec::new();
    let mut put = |kind, run: &ensue::Partial<Row>, at: Timestamp, record: &Option<ensue::Values>| {
        let mut line = format!("{kind} at {at}:");
        for (stage, taken) in &run.events {
            write!(line, " {} {}", stage.0, taken.position).expect("a text takes it");
        }
        record.iter().flatten().for_each(|value| write!(line, " {value}").expect("a text takes it"));
        lines.push((format!("{} {:?}", patterns.patterns[run.pattern].name, run.key), line));
    };
    out.matches.iter().for_each(|found| put("match", &found.run, found.at, &found.record));
    out.timeouts.iter().for_each(|lapsed| put("timeout", &lapsed.run, lapsed.deadline, &lapsed.record));
    lines.sort_by(|(a, _), (b, _)| a.cmp(b));
    lines.into_iter().map(|(key, line)| format!("{key} {line}")).collect()
}

fn config(watermarks: Watermarks) -> Config {
    Config { watermarks, ..Config::default() }
}

/// Where explicit watermarks stand: behind each so many events, and so much before the last of them.
const STEP: usize = 250;

fn watermark(row: &Row) -> Timestamp {
    row.time - Span::from_millis(60)
}

fn sharded(watermarks: Watermarks, shards: usize) -> Vec<String> {
    let patterns = patterns();
    let mut engine = Sharded::new(&patterns, config(watermarks), shards).expect("the patterns are small");
    let mut out = Outputs::new();
    for (index, row) in stream(&patterns).into_iter().enumerate() {
        let watermark = watermark(&row);
        engine.push(row, &mut out).expect("no limit is reached");
        if watermarks == Watermarks::Explicit && index % STEP == STEP - 1 {
            engine.advance(watermark, &mut out).expect("no limit is reached");
        }
    }
    engine.finish(&mut out).expect("no limit is reached");
    lines(&patterns, &out)
}

const ALL: [Watermarks; 3] =
    [Watermarks::Explicit, Watermarks::Ascending, Watermarks::OutOfOrder(Span::from_millis(60))];

#[test]
fn three_levels_give_the_same_from_any_number_of_shards() {
    for watermarks in ALL {
        let alone = sharded(watermarks, 1);
        for pattern in ["order_late", "order_paid", "user_trouble", "region_trouble"] {
            assert!(alone.iter().any(|line| line.starts_with(pattern)), "{watermarks:?}: {pattern} gives something");
        }
        for shards in [2, 3, 7] {
            assert_eq!(sharded(watermarks, shards), alone, "{watermarks:?}, {shards} shards");
        }
    }
}

#[test]
fn watermarks_that_come_in_other_steps_make_no_difference() {
    let late = sharded(Watermarks::OutOfOrder(Span::from_millis(60)), 1);
    assert_eq!(sharded(Watermarks::Explicit, 1), late, "none of the events is late in either");
}

#[test]
fn three_levels_go_on_where_they_were_stopped() {
    for watermarks in ALL {
        let patterns = patterns();
        let new = || Engine::new(&patterns, config(watermarks)).expect("the patterns are small");
        let mut engine = new();
        let mut out = Outputs::new();
        for (index, row) in stream(&patterns).into_iter().enumerate() {
            let watermark = watermark(&row);
            engine.push(row, &mut out).expect("no limit is reached");
            if watermarks == Watermarks::Explicit && index % STEP == STEP - 1 {
                engine.advance(watermark, &mut out).expect("no limit is reached");
            }
            if index % 97 == 0 {
                let bytes = engine.snapshot().expect("rows can be saved");
                engine = Engine::restore(&patterns, config(watermarks), &bytes).expect("it is of these patterns");
            }
        }
        engine.finish(&mut out).expect("no limit is reached");
        assert_eq!(lines(&patterns, &out), sharded(watermarks, 1), "{watermarks:?}");
    }
}

/// An event that can be no record.
#[derive(Debug)]
struct Fixed;

impl ensue::Event for Fixed {
    fn time(&self) -> Timestamp {
        Timestamp::MIN
    }

    fn field(&self, _: ensue::FieldId) -> ensue::Value<'_> {
        ensue::Value::Null
    }

    fn stream(&self) -> StreamId {
        StreamId(0)
    }
}

#[test]
fn a_program_whose_events_are_no_records_is_told_so() {
    let refused: Result<Engine<Fixed>, Error> = Engine::new(&patterns(), Config::default());
    let message = refused.expect_err("no event of it can be read").to_string();
    assert_eq!(
        message,
        "pattern `user_trouble` reads what another emits, and the program's events cannot be records: \
         `Event::of_record` makes one"
    );
}
