//! Nothing grows without bound: each limit is reached, named, and handled as the configuration says.

use std::sync::Arc;

use ensue::{Config, Engine, Limits, OnFull, Outputs, Patterns, Row, Schema, Shed, Timestamp};

const LOOP: &str = "begin a+ combinations where type == \"a\" followedBy b where type == \"b\" within 1h";

/// Feeds events of one type, one a millisecond, to a pattern; gives the engine, what came out, and how it ended.
fn feed(text: &str, limits: Limits, types: impl Iterator<Item = &'static str>) -> (Engine<Row>, Outputs<Row>, String) {
    let patterns: Arc<Patterns> = ensue::compile(text, &Schema::open()).expect("the pattern is right");
    let mut engine = Engine::new(&patterns, Config { limits, ..Config::default() }).expect("the pattern is small");
    let mut out = Outputs::new();
    for (millis, kind) in types.enumerate() {
        let time = Timestamp::from_millis(millis as i64);
        let pushed = engine.push(Row::new(time, vec![kind.into()]), &mut out);
        if let Err(error) = pushed.and_then(|()| engine.advance(time, &mut out)) {
            return (engine, out, error.to_string());
        }
    }
    (engine, out, "done".to_owned())
}

fn shed(events: u64, runs: u64, overflows: u64) -> Shed {
    Shed { events, runs, overflows }
}

#[test]
fn a_loop_of_combinations_over_100_000_events_ends_in_a_named_limit() {
    let (_, _, ended) = feed(LOOP, Limits::default(), std::iter::repeat_n("a", 100_000));
    assert_eq!(ended, "pattern `pattern`, key (none): the limit `open_runs_per_key` of 1000000 is reached");
}

#[test]
fn so_does_one_whose_every_length_is_a_match() {
    let (_, out, ended) =
        feed("begin a+ combinations where type == \"a\"", Limits::default(), std::iter::repeat_n("a", 100_000));
    assert_eq!(ended, "pattern `pattern`, key (none): the limit `matches_per_event` of 1000000 is reached");
    assert!(out.matches.len() < 4_000_000);
}

#[test]
fn the_error_names_the_limit_that_was_reached() {
    let small = |limits: Limits| feed(LOOP, limits, std::iter::repeat_n("a", 1_000)).2;
    let none = Limits::default();
    for (limits, name) in [
        (Limits { open_runs_per_key: 100, ..none.clone() }, "`open_runs_per_key` of 100"),
        (Limits { open_runs: 100, ..none.clone() }, "`open_runs` of 100"),
        (Limits { bytes_per_key: 10_000, ..none.clone() }, "`bytes_per_key` of 10000"),
        (Limits { bytes: 10_000, ..none.clone() }, "`bytes` of 10000"),
        (Limits { events_per_run: 5, ..none.clone() }, "`events_per_run` of 5"),
    ] {
        let ended = small(limits);
        assert!(ended.contains(name), "{ended}");
    }
}

#[test]
fn a_full_key_rejects_events_until_runs_have_ended() {
    let limits = Limits { open_runs_per_key: 100, on_full: OnFull::RejectEvent, ..Limits::default() };
    let (engine, out, ended) = feed(LOOP, limits, std::iter::repeat_n("a", 20));
    assert_eq!(ended, "done");
    assert_eq!(out.rejected[0].reason, "key (none) is full: the limit `open_runs_per_key` of 100 is reached");
    // 2⁷ - 1 runs after seven events are too many; the other thirteen events do not come in.
    assert_eq!((engine.size().runs, engine.shed()), (127, shed(13, 0, 0)));
}

#[test]
fn dropping_the_oldest_keeps_a_key_below_its_limit() {
    let limits = Limits { open_runs_per_key: 100, on_full: OnFull::DropOldest, ..Limits::default() };
    let (engine, out, ended) = feed(LOOP, limits, std::iter::repeat_n("a", 50));
    assert_eq!(ended, "done");
    assert!(engine.size().runs <= 100 && engine.shed().runs > 0, "{:?} {:?}", engine.size(), engine.shed());
    assert!(out.rejected.is_empty());
}

#[test]
fn a_run_that_is_too_long_takes_no_more_and_the_rest_goes_on() {
    let limits = Limits { events_per_run: 3, on_full: OnFull::DropOldest, ..Limits::default() };
    let types = std::iter::repeat_n("a", 5).chain(["b"]);
    let (engine, out, _) = feed("begin a+ where type == \"a\" followedBy b where type == \"b\"", limits, types);
    let longest = out.matches.iter().map(|found| found.run.events.len()).max();
    assert_eq!(longest, Some(3));
    assert!(engine.shed().overflows > 0);
}

#[test]
fn a_pattern_that_needs_too_many_states_is_refused_by_name() {
    let text = "begin ((a where type == \"a\"){1000}){1000}";
    let patterns = ensue::compile(text, &Schema::open()).expect("the pattern is right");
    let error = Engine::<Row>::new(&patterns, Config::default()).expect_err("a million states are too many");
    assert_eq!(error.to_string(), "pattern `pattern` needs more than 65536 states, which is the limit");
}
