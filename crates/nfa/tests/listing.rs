//! The listings of typical patterns, to be read.

use ensue_lang::{Options, Source, compile};

/// Each pattern with its listing.
fn listings(patterns: &[&str]) -> String {
    patterns.iter().map(|pattern| format!("{pattern}\n\n{}", listing(pattern))).collect::<Vec<_>>().join("\n\n")
}

fn listing(text: &str) -> String {
    let options = Options { type_field: Some("type".into()), ..Options::default() };
    let compiled = compile(&[Source::new("p.pattern", text)], &options).unwrap_or_else(|wrong| panic!("{wrong}"));
    let pattern = &compiled.patterns.patterns[0];
    let program = ensue_nfa::compile(pattern).unwrap_or_else(|too_large| panic!("{too_large}"));
    program.listing(&compiled.patterns, pattern).to_string()
}

#[test]
fn relations() {
    insta::assert_snapshot!(listings(&[
        "begin a next b",
        "begin a followedBy b",
        "begin a followedByAny b",
        "begin a notNext x followedBy b",
        "begin a notFollowedBy x followedBy b",
    ]));
}

#[test]
fn absences_at_the_end() {
    insta::assert_snapshot!(listings(&[
        "begin a notNext x",
        "begin a notFollowedBy x within 15m",
        "begin a+ notFollowedBy x within 15m",
    ]));
}

#[test]
fn quantifiers() {
    insta::assert_snapshot!(listings(&[
        "begin a followedBy b? followedBy c",
        "begin a followedBy b+ followedBy c",
        "begin a followedBy b* followedBy c",
        "begin a followedBy b{2} followedBy c",
        "begin a followedBy b{2,} followedBy c",
        "begin a followedBy b{2,3} followedBy c",
        "begin a followedBy b{2,3} optional followedBy c",
    ]));
}

#[test]
fn modifiers_of_loops() {
    insta::assert_snapshot!(listings(&[
        "begin a+ consecutive next b",
        "begin a+ combinations followedBy b",
        "begin a+ greedy followedBy b where v > 3",
        "begin a+ until type == \"x\" followedBy b",
        "begin a+ greedy until type == \"x\" followedBy b",
    ]));
}

#[test]
fn groups() {
    insta::assert_snapshot!(listings(&[
        "begin a followedBy (b next c) followedBy d",
        "begin (a followedBy b)? next c",
        "begin (a followedBy b)+ next c",
        "begin (a followedBy (b next c){2}){1,2}",
    ]));
}

#[test]
fn alternatives() {
    insta::assert_snapshot!(listings(&[
        "begin a followedBy (b | c next d) followedBy e",
        "begin a next (b? next c | d)+ next e",
        "begin a followedBy (b within 5m of previous | c)",
    ]));
}

#[test]
fn any_order() {
    insta::assert_snapshot!(listings(&[
        "begin a followedBy (b & c) next d",
        "begin any 2 of (a & b followedBy c & d+) consecutive",
    ]));
}

#[test]
fn a_program_in_any_order_is_as_large_as_its_parts_together() {
    let lines = |parts: usize| {
        let stages: Vec<String> = (0..parts).map(|stage| format!("s{stage}")).collect();
        listing(&format!("begin a followedBy ({})", stages.join(" & "))).lines().count()
    };
    assert_eq!(lines(30) - lines(20), lines(20) - lines(10));
}

#[test]
fn skip_strategies_and_windows() {
    insta::assert_snapshot!(listings(&[
        "begin a followedBy b skip none",
        "begin a followedBy b within 1h30m skip to next",
        "begin a followedBy b skip past last",
        "begin a+ followedBy b skip to first a",
        "begin a+ followedBy `next` skip to last `next`",
        "begin a followedBy b skip past last keep latest",
        "begin a followedBy b keep first",
    ]));
}

#[test]
fn when_runs_may_start() {
    insta::assert_snapshot!(listings(&[
        "pattern p active from @2021-01-19T10:00:00Z until @2021-01-20T10:00:00Z begin a",
        "param closing: timestamp = @2021-01-20T10:00:00Z pattern p active until closing begin a within 1h",
    ]));
}

#[test]
fn conditions() {
    insta::assert_snapshot!(listings(&[
        "begin create where true followedBy pay where amount >= create.amount and pay.amount is null",
        "begin a+ where v > last(a).v and sum(a.v) + v < 100 until count(a) >= 3 followedBy b where any(a, v > 3)",
        "begin a where type == \"a\" or v in [1, 2] next b where not (type == \"a\" or v in [1, 2])",
        "param limit: int = 5 let large(x) = x.v > limit pattern p key k begin a where true next b where large(a) and key() != k",
    ]));
}

#[test]
fn what_fits_always_is_never_passed_over() {
    insta::assert_snapshot!(listings(&["begin a where true followedBy b where true"]));
}

#[test]
fn windows_of_steps() {
    insta::assert_snapshot!(listings(&[
        "begin a followedBy b within 5m of previous within 1h",
        "begin a followedBy b+ within 5m of a next c where v > a.v",
        "begin a notFollowedBy b within 5m of previous",
    ]));
}

#[test]
fn windows_in_events() {
    insta::assert_snapshot!(listings(&[
        "begin a followedBy b within 100 events",
        "begin a followedBy b within 15m within 100 events",
        "begin a followedBy b within 5 events of previous followedBy c within 10 events of a",
        "begin a notFollowedBy b within 100 events",
    ]));
}
