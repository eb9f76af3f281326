//! What alternatives, any order and the bounds of runs mean, said by patterns that do without: the two sides of a law give
//! the same, whatever comes. A stage of one side can stand for several of the other: `a` for `a_1` and `a_2`.

use std::collections::BTreeSet;

use ensue_testkit::case::{Case, Input, Stages};
use ensue_testkit::generate::{self, Profile};
use ensue_testkit::readings::{Prepared, Reading};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

/// How many streams each law is tried on; `ENSUE_CASES` says otherwise.
const STREAMS: usize = 40;

fn streams() -> Vec<Vec<Input>> {
    let count = std::env::var("ENSUE_CASES").ok().map_or(STREAMS, |text| text.parse().expect("a whole number"));
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let cases = generate::cases(Profile::Time);
    let drawn = (0..count).map(|_| cases.new_tree(&mut runner).expect("cases can be drawn").current());
    drawn.map(|case| case.input).collect()
}

/// The condition of a stage, by its name: some events fit several.
fn condition(stage: &str) -> Option<&'static str> {
    match stage.split(['_', '{', '?']).next() {
        Some("x") => Some("v <= 3"),
        Some("a") => Some("type == \"a\""),
        Some("b") => Some("(type == \"b\" or type == \"a\" and v > 2)"),
        Some("c") => Some("(type == \"c\" or v > 4)"),
        Some("d") => Some("type == \"d\""),
        Some("ab") => Some("(type == \"a\" or type == \"b\" or type == \"a\" and v > 2)"),
        _ => None,
    }
}

/// A pattern of a sequence whose stages have no conditions yet.
fn pattern(sequence: &str) -> String {
    let mut text = String::from("pattern p key k begin ");
    for word in sequence.split_inclusive(['(', ')', ' ']) {
        let stage = word.trim_end_matches(['(', ')', ' ']);
        let condition = condition(stage).filter(|_| !text.ends_with(" of "));
        let condition = condition.map(|condition| format!(" where {condition}")).unwrap_or_default();
        text.extend([stage, &condition, &word[stage.len()..]]);
    }
    text
}

/// What a case gives, with the stages of each side under one name.
#[derive(PartialEq, Debug)]
struct Given {
    matches: BTreeSet<String>,
    timeouts: BTreeSet<String>,
}

fn named(stages: &Stages, names: &[(&str, &str)]) -> String {
    let mut renamed: Vec<(i64, String)> = Vec::new();
    for (stage, ids) in stages {
        renamed.extend(ids.iter().map(|id| (*id, name(stage, names))));
    }
    renamed.sort();
    format!("{renamed:?}")
}

fn name(stage: &str, names: &[(&str, &str)]) -> String {
    let stage = stage.split('_').next().unwrap_or(stage);
    names.iter().find(|(from, _)| *from == stage).map_or(stage, |(_, to)| to).to_owned()
}

fn given(pattern: &str, input: &[Input], reading: Reading, names: &[(&str, &str)]) -> Given {
    let case = Case { id: "law".into(), pattern: pattern.into(), input: input.to_vec(), ..Case::default() };
    let prepared = Prepared::of(&case).unwrap_or_else(|refused| panic!("{pattern}\n{refused}"));
    let outputs = prepared.outputs(reading).unwrap_or_else(|why| panic!("{pattern}\n{why}"));
    let matches = outputs.matches.iter().map(|line| format!("{} {}", line.at, named(&line.stages, names)));
    let timeouts = outputs.timeouts.iter().map(|line| {
        let awaiting = line.awaiting.iter().flatten().map(|stage| name(stage, names));
        let awaiting: BTreeSet<String> = awaiting.collect();
        format!("{} {} {} {awaiting:?}", line.at, line.ts, named(&line.stages, names))
    });
    Given { matches: matches.collect(), timeouts: timeouts.collect() }
}

fn holds(one: &str, other: &str, names: &[(&str, &str)]) {
    hold(&pattern(one), &pattern(other), names);
}

/// The same for patterns that are written out.
fn hold(one: &str, other: &str, names: &[(&str, &str)]) {
    let mut count = 0;
    for input in streams() {
        for reading in [Reading::Engine, Reading::Reference] {
            let (left, right) = (given(one, &input, reading, names), given(other, &input, reading, names));
            assert_eq!(left, right, "\n{one}\n{other}\n{reading:?}\n{input:#?}");
            count += left.matches.len();
        }
    }
    assert!(count > 0, "{one}: no stream has a match");
}

/// The same law with what may stand before and behind.
fn holds_everywhere(one: &str, other: &str, names: &[(&str, &str)]) {
    for frame in [
        "(@) within 1s",
        "x followedBy (@) within 1s",
        "x next (@) followedBy d_0",
        "x followedByAny (@) within 500ms",
        "x followedBy (@)? next d_0 within 1s",
        "x notFollowedBy d_0 followedBy (@) within 2s",
        "x followedBy (@) notFollowedBy d_0 within 1s",
        "x followedBy (@) within 300ms of previous",
        "x followedBy (@) within 500ms of x within 1s",
    ] {
        holds(&frame.replace("(@)", one), &frame.replace("(@)", other), names);
    }
}

#[test]
fn alternatives_of_stages_are_one_stage_with_either_condition() {
    holds_everywhere("(a | b)", "ab", &[("a", "ab"), ("b", "ab")]);
    holds_everywhere("(a followedBy c_1 | b followedBy c_2)", "(ab followedBy c)", &[("a", "ab"), ("b", "ab")]);
}

#[test]
fn two_in_any_order_are_one_after_the_other_either_way() {
    holds_everywhere("(a & b)", "(a_1 followedBy b_1 | b_2 followedBy a_2)", &[]);
}

#[test]
fn three_in_any_order_are_their_permutations() {
    let permutations = "(a_1 followedBy (b_1 followedBy c_1 | c_2 followedBy b_2) \
                        | b_3 followedBy (a_3 followedBy c_3 | c_4 followedBy a_4) \
                        | c_5 followedBy (a_5 followedBy b_5 | b_6 followedBy a_6))";
    holds_everywhere("(a & b & c)", permutations, &[]);
}

#[test]
fn two_of_three_are_the_pairs() {
    let pairs = "(a_1 followedBy (b_1 | c_2) | b_3 followedBy (a_3 | c_4) | c_5 followedBy (a_5 | b_6))";
    holds_everywhere("any 2 of (a & b & c)", pairs, &[]);
}

#[test]
fn one_of_several_is_an_alternative() {
    holds_everywhere("any 1 of (a followedBy c_1 & b)", "(a followedBy c_1 | b)", &[]);
}

#[test]
fn parts_of_several_events_are_interleaved() {
    let interleaved = "(a_1 followedBy (c_1 followedBy b_1 | b_2 followedBy c_2) | b_3 followedBy a_3 followedBy c_3)";
    holds_everywhere("(a followedBy c & b)", interleaved, &[]);
}

#[test]
fn consecutive_and_combinations_say_what_lies_between_parts() {
    holds("x next (a & b) consecutive", "x next (a_1 next b_1 | b_2 next a_2)", &[]);
    holds(
        "x followedByAny (a & b) combinations within 1s",
        "x followedByAny (a_1 followedByAny b_1 | b_2 followedByAny a_2) within 1s",
        &[],
    );
}

#[test]
fn next_in_a_part_leaves_no_room_for_another() {
    holds(
        "x followedBy (a next c & b)",
        "x followedBy (a_1 next c_1 followedBy b_1 | b_2 followedBy a_2 next c_2)",
        &[],
    );
}

#[test]
fn a_group_in_any_order_that_repeats_is_several() {
    holds("(a & b){2} followedBy d within 3s", "(a_1 & b_1) followedBy (a_2 & b_2) followedBy d within 3s", &[]);
}

#[test]
fn a_loop_in_a_part_goes_on_beside_the_others() {
    let interleaved = "(b_1 followedBy c_1 followedBy c_2 | c_3 followedBy (b_3 followedBy c_4 | c_5 followedBy b_5))";
    holds_everywhere("(b & c{2})", interleaved, &[]);
}

/// Sequences with what runs wait for, to which something is said that makes no difference.
const SEQUENCES: [&str; 5] = [
    "a followedBy b",
    "a followedBy b{1,} followedBy c within 1s",
    "x followedBy (a & b) next d",
    "a notFollowedBy d followedBy b within 500ms skip past last",
    "a next (b | c) within 300ms of previous",
];

#[test]
fn a_window_that_no_run_outlasts_is_none() {
    for sequence in SEQUENCES {
        holds(sequence, &format!("{sequence} within 1000000 events"), &[]);
    }
    holds("a followedBy b followedBy c", "a followedBy b within 1000000 events of a followedBy c", &[]);
}

#[test]
fn to_keep_all_is_to_say_nothing() {
    for sequence in SEQUENCES {
        holds(sequence, &format!("{sequence} keep all"), &[]);
    }
}

#[test]
fn active_at_all_times_is_to_say_nothing() {
    for sequence in SEQUENCES {
        let pattern = pattern(sequence);
        for active in ["active until @9999-12-31T23:59:59Z", "active from @0001-01-01T00:00:00Z"] {
            hold(&pattern, &pattern.replace("key k", &format!("key k {active}")), &[]);
        }
    }
}

#[test]
fn where_no_two_runs_wait_for_the_same_it_does_not_matter_which_is_kept() {
    // Runs go on in step, or end.
    for sequence in ["a next b", "x next b next c", "a next b next c next d? within 1s", "a next b skip to next"] {
        holds(sequence, &format!("{sequence} keep latest"), &[]);
        holds(sequence, &format!("{sequence} keep first"), &[]);
    }
}

#[test]
fn a_window_in_events_over_the_whole_is_one_of_each_step_from_the_first() {
    holds("a followedBy b within 3 events", "a followedBy b within 2 events of previous", &[]);
    holds(
        "a followedBy b followedBy c within 4 events",
        "a followedBy b within 3 events of a followedBy c within 3 events of a",
        &[],
    );
    holds(
        "x followedBy (a & b) within 5 events within 500ms",
        "x followedBy (a & b) within 4 events of x within 500ms",
        &[],
    );
}

#[test]
fn the_very_next_event_is_one_event_of_the_one_before() {
    holds("a next b next c", "a next b within 1 events of previous next c within 2 events of a", &[]);
}
