//! What becomes of open runs when their pattern changes.

use std::sync::Arc;

use ensue_engine::{Change, Config, Engine, Fate, OnChange, Outputs, Snapshot};
use ensue_lang::{Options, Source};
use ensue_model::{FieldId, Patterns, Row, Schema, Tables, Timestamp, Type, Value};

fn schema() -> Schema {
    let schema = Schema::stream("events").field("key", Type::Int).field("type", Type::String).field("v", Type::Int);
    schema.key("key").type_field("type")
}

fn compile(text: &str) -> Arc<Patterns> {
    let options = Options { schema: schema(), ..Options::default() };
    let compiled = ensue_lang::compile(&[Source::new("p.pattern", text)], &options);
    Arc::new(compiled.unwrap_or_else(|wrong| panic!("{wrong}")).patterns)
}

/// `create` of key 1 at second 0 with the value 7.
fn row(text: &str) -> Row {
    let [kind, key, second, value] = text.split(' ').collect::<Vec<_>>()[..] else { panic!("{text}") };
    let int = |text: &str| Value::Int(text.parse().expect("a number"));
    let fields = [(FieldId(0), int(key)), (FieldId(1), kind.into()), (FieldId(2), int(value))];
    Row::of_text(Timestamp::from_seconds(second.parse().expect("a number")), text, fields)
}

/// Gives events to patterns, changes them, and gives further events; ends. Says what became of the runs, and what came out.
fn changed(before: &str, events: &[&str], after: &str, further: &[&str]) -> String {
    changed_as(OnChange::Keep, before, events, after, further)
}

fn changed_as(on_change: OnChange, before: &str, events: &[&str], after: &str, further: &[&str]) -> String {
    let config = Config { watermarks: ensue_engine::Watermarks::Ascending, ..Config::default() };
    let (before, after) = (compile(before), compile(after));
    let mut said = String::new();
    let mut out = Outputs::new();
    let mut engine = Engine::new(&before, config.clone()).expect("they are small");
    engine.push_all(events.iter().map(|text| row(text)), &mut out).expect("no limit is reached");
    said += &told(&before, &mut out);
    let snapshot: Snapshot<Row> =
        Snapshot::of_any(&engine.snapshot().expect("it can be written")).expect("it is whole");
    let keep = |event: &Arc<Row>| Some(event.clone());
    let changed = snapshot.change(&after, &config, &Tables::default(), on_change, keep).expect("they are small");
    changed.changes.iter().for_each(|change| said += &told_of(change));
    let mut engine = Engine::load(&after, config, changed.snapshot).expect("it is of these patterns");
    engine.push_all(further.iter().map(|text| row(text)), &mut out).expect("no limit is reached");
    engine.finish(&mut out).expect("no limit is reached");
    said + &told(&after, &mut out)
}

fn told_of(Change { pattern, fate }: &Change) -> String {
    match fate {
        Fate::New => format!("{pattern}: new\n"),
        Fate::Gone { dropped } => format!("{pattern}: gone, {dropped} dropped\n"),
        Fate::Changed { kept, dropped, reason: None } => format!("{pattern}: {kept} kept, {dropped} dropped\n"),
        Fate::Changed { kept, dropped, reason: Some(reason) } => {
            format!("{pattern}: {kept} kept, {dropped} dropped: {reason}\n")
        }
    }
}

fn told(patterns: &Patterns, out: &mut Outputs<Row>) -> String {
    let events = |run: &ensue_model::Partial<Row>| {
        let named = run.events.iter().map(|(stage, taken)| {
            format!(" {}={}", patterns.patterns[run.pattern].stage_name(*stage), taken.event.raw())
        });
        named.collect::<String>()
    };
    let matches = out.matches.drain(..).map(|found| format!("match{}\n", events(&found.run)));
    let matches: String = matches.collect();
    let timeouts =
        out.timeouts.drain(..).map(|lapsed| format!("timeout at {}{}\n", lapsed.deadline, events(&lapsed.run)));
    matches + &timeouts.collect::<String>()
}

const PAID: &str = "begin create followedBy pay within 15s";

#[test]
fn a_run_goes_on_where_the_window_has_changed() {
    let longer = changed(PAID, &["create 1 0 1"], "begin create followedBy pay within 30s", &["pay 1 20 1"]);
    assert_eq!(longer, "p: 1 kept, 0 dropped\nmatch create=create 1 0 1 pay=pay 1 20 1\n");
    let shorter =
        changed(PAID, &["create 1 0 1", "x 2 10 1"], "begin create followedBy pay within 5s", &["pay 1 11 1"]);
    assert_eq!(shorter, "p: 1 kept, 0 dropped\ntimeout at 1970-01-01T00:00:05Z create=create 1 0 1\n");
}

#[test]
fn steps_may_be_added_behind_and_taken_away() {
    let text = changed(
        PAID,
        &["create 1 0 1"],
        "begin create followedBy pay followedBy ship within 15s",
        &["pay 1 3 1", "ship 1 4 1"],
    );
    assert_eq!(text, "p: 1 kept, 0 dropped\nmatch create=create 1 0 1 pay=pay 1 3 1 ship=ship 1 4 1\n");
    let text =
        changed("begin create followedBy pay followedBy ship within 15s", &["create 1 0 1"], PAID, &["pay 1 3 1"]);
    assert_eq!(text, "p: 1 kept, 0 dropped\nmatch create=create 1 0 1 pay=pay 1 3 1\n");
}

#[test]
fn what_a_run_waits_for_may_have_another_name() {
    let text = changed(PAID, &["create 1 0 1"], "begin create followedBy settle within 15s", &["settle 1 3 1"]);
    assert_eq!(text, "p: 1 kept, 0 dropped\nmatch create=create 1 0 1 settle=settle 1 3 1\n");
}

#[test]
fn a_run_is_dropped_that_has_passed_a_stage_that_is_another_now() {
    let dear = "begin create where type == \"create\" and v > 5 followedBy pay within 15s";
    let text = changed(PAID, &["create 1 0 9"], dear, &["pay 1 3 1", "create 1 4 9", "pay 1 5 1"]);
    let expected = "p: 0 kept, 1 dropped: `create`, which they have passed, is another now\nmatch create=create 1 4 9 pay=pay 1 5 1\n";
    assert_eq!(text, expected);
    let three = |second: &str| format!("begin a followedBy {second} followedBy c within 1m");
    let text = changed(&three("b"), &["a 1 0 1", "a 2 0 1", "b 2 1 1"], &three("b where v > 0"), &["c 2 2 1"]);
    let expected = "p: 1 kept, 1 dropped: `b`, which they have passed, is another now\ntimeout at 1970-01-01T00:01:00Z a=a 1 0 1\n";
    assert_eq!(text, expected);
}

#[test]
fn a_negation_counts_as_passed_when_the_next_step_is_taken() {
    let guarded = |guard: &str| format!("begin a notFollowedBy x where {guard} followedBy b followedBy c within 1m");
    let (before, after) = (guarded("v > 1"), guarded("v > 2"));
    let text = changed(&before, &["a 1 0 1"], &after, &["x 1 1 2", "b 1 2 1", "c 1 3 1"]);
    assert_eq!(text, "p: 1 kept, 0 dropped\nmatch a=a 1 0 1 b=b 1 2 1 c=c 1 3 1\n");
    let text = changed(&before, &["a 1 0 1", "b 1 2 1"], &after, &["c 1 3 1"]);
    assert!(text.starts_with("p: 0 kept, 1 dropped: "), "{text}");
    let text =
        changed("begin a notNext x followedBy b", &["a 1 0 1", "y 1 1 1"], "begin a notNext y followedBy b", &[]);
    assert!(text.starts_with("p: 0 kept, 1 dropped: "), "{text}");
}

#[test]
fn no_run_goes_on_where_the_key_or_the_skip_strategy_has_changed() {
    let text = changed(PAID, &["create 1 0 1"], "pattern p key v begin create followedBy pay within 15s", &[]);
    assert_eq!(text, "p: 0 kept, 1 dropped: its key is another now\n");
    let text = changed(PAID, &["create 1 0 1"], "begin create followedBy pay within 15s skip to next", &[]);
    assert_eq!(text, "p: 0 kept, 1 dropped: `skip` is another now\n");
}

#[test]
fn a_pattern_may_come_and_go() {
    let text = changed(
        "pattern one begin a followedBy b within 1m",
        &["a 1 0 1", "a 1 1 1"],
        "pattern two begin a followedBy b within 1m",
        &["b 1 2 1", "a 1 3 1", "b 1 4 1"],
    );
    assert_eq!(text, "two: new\none: gone, 2 dropped\nmatch a=a 1 3 1 b=b 1 4 1\n");
}

#[test]
fn nothing_is_said_of_patterns_that_are_as_they_were_and_of_what_they_emit() {
    let two = |second: &str| {
        format!("pattern one begin a followedBy b within 1m pattern two begin a followedBy c within {second}")
    };
    let text = changed(&two("1m"), &["a 1 0 1"], &two("2m emit { v: c.v }"), &["b 1 1 1", "c 1 2 1"]);
    assert_eq!(text, "two: 1 kept, 0 dropped\nmatch a=a 1 0 1 b=b 1 1 1\nmatch a=a 1 0 1 c=c 1 2 1\n");
    let text = changed(PAID, &["create 1 0 1"], &format!("{PAID} emit {{ v: create.v }}"), &["pay 1 1 1"]);
    assert_eq!(text, "match create=create 1 0 1 pay=pay 1 1 1\n");
}

#[test]
fn the_runs_of_what_has_changed_may_all_be_dropped() {
    let two = |within: &str| {
        format!("pattern one begin a followedBy b within {within} pattern two begin a followedBy b within 1m")
    };
    let text = changed_as(OnChange::Drop, &two("1m"), &["a 1 0 1"], &two("2m"), &["b 1 1 1"]);
    assert_eq!(text, "one: 0 kept, 1 dropped: it has changed\nmatch a=a 1 0 1 b=b 1 1 1\n");
}

#[test]
fn what_a_window_has_closed_stays_closed_where_it_is_longer_now() {
    let any = |within: &str| format!("begin a followedByAny b where v > 1 followedBy c within {within} timeout none");
    let events = ["a 1 0 1", "a 1 8 1", "b 1 9 2", "b 1 12 2"];
    let text = changed(&any("10s"), &events, &any("1m"), &["c 1 13 1"]);
    let expected =
        "p: 1 kept, 0 dropped\nmatch a=a 1 8 1 b=b 1 9 2 c=c 1 13 1\nmatch a=a 1 8 1 b=b 1 12 2 c=c 1 13 1\n";
    assert_eq!(text.lines().skip(1).collect::<Vec<_>>(), expected.lines().skip(1).collect::<Vec<_>>(), "{text}");
}
