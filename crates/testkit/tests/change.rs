//! Patterns that change while runs are open. Where only what lies ahead of the runs has changed, the outcome is that of one pattern
//! whose conditions change with the time: events are handled when the watermark passes them, so that those before it are
//! judged by the earlier condition.

use ensue_model::Timestamp;
use ensue_testkit::case::{Case, Input, Outputs};
use ensue_testkit::generate::{self, Profile};
use ensue_testkit::readings::{Prepared, Reading};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

/// How many streams each pattern is tried on; `ENSUE_CASES` says otherwise.
const STREAMS: usize = 30;

fn streams() -> Vec<Vec<Input>> {
    let count = std::env::var("ENSUE_CASES").ok().map_or(STREAMS, |text| text.parse().expect("a whole number"));
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[11; 32]);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let cases = generate::cases(Profile::Time);
    let drawn = (0..count).map(|_| cases.new_tree(&mut runner).expect("cases can be drawn").current());
    drawn.map(|case| case.input).collect()
}

/// A pattern in which `<one ~ another>` becomes what `choose` makes of both.
fn written(template: &str, choose: impl Fn(&str, &str) -> String) -> String {
    let mut text = String::from("pattern p key k ");
    for (index, piece) in template.split(['<', '>']).enumerate() {
        match piece.split_once('~') {
            Some((before, after)) if index % 2 == 1 => text += &choose(before.trim(), after.trim()),
            _ => text += piece,
        }
    }
    // Comparisons are written as words, so that they do not look like what changes.
    text.replace(" lt ", " < ").replace(" gt ", " > ").replace(" ge ", " >= ")
}

fn prepared(pattern: &str, input: &[Input]) -> Prepared {
    let case = Case { id: "change".into(), pattern: pattern.into(), input: input.to_vec(), ..Case::default() };
    Prepared::of(&case).unwrap_or_else(|refused| panic!("{pattern}\n{refused}"))
}

fn sorted(mut outputs: Outputs) -> Outputs {
    outputs.sort();
    outputs
}

/// Holds a change to one pattern whose conditions change with the time.
fn holds(template: &str) {
    let (mut compared, mut different) = (0, 0);
    for input in streams() {
        let before = prepared(&written(template, |before, _| before.to_owned()), &input);
        let after = prepared(&written(template, |_, after| after.to_owned()), &input);
        let mut latest = i64::MIN;
        for (at, item) in input.iter().enumerate() {
            let Input::Watermark { wm } = item else { continue };
            // One that does not rise changes nothing.
            latest = latest.max(*wm);
            let watermark = Timestamp::from_millis(latest);
            let both = written(template, |before, after| {
                format!("(if time() <= @{watermark} then ({before}) else ({after}))")
            });
            let found = before.outputs_of_change(&after, at + 1).unwrap_or_else(|why| panic!("{template}\n{why}"));
            let Some(found) = found else { continue };
            let expected = prepared(&both, &input).outputs(Reading::Engine).expect("it runs");
            assert_eq!(sorted(found.clone()), sorted(expected), "\n{template}\nbefore item {}\n{input:#?}", at + 1);
            compared += 1;
            different += usize::from(sorted(found) != sorted(before.outputs(Reading::Engine).expect("it runs")));
        }
    }
    assert!(compared > 20 && different > 3, "{template}: {compared} were compared, {different} differ by the change");
}

#[test]
fn a_later_condition_may_change() {
    for template in [
        r#"begin a where type == "a" followedBy b where <type == "b" ~ v gt 3> within 1s"#,
        r#"begin a where type == "a" followedBy b where <type == "b" ~ v gt 3>"#,
        r#"begin a where type == "a" next b where <type == "b" ~ v gt 3> within 1s"#,
        r#"begin a where type == "a" followedByAny b where <type == "b" ~ v gt 3> followedBy c where v lt 4 within 1s"#,
        r#"begin a+ where type == "a" followedBy b where <type == "b" ~ v gt 3> within 1s"#,
        r#"begin x where v lt 5 followedBy a+ where type == "a" followedBy b where <type == "b" ~ v gt 3>"#,
        r#"begin a{2} where v lt 4 followedBy b where <type == "b" ~ type == "c" or v gt 4>"#,
        r#"begin (x where v lt 4 followedBy y where v gt 2) followedBy b where <type == "b" ~ type == "c"> within 2s"#,
        r#"begin (x where type == "a" followedBy y where v gt 2)+ followedBy b where <type == "b" ~ type == "c">"#,
        r#"begin ( x where type == "a" | y where type == "b" ) followedBy b where <type == "c" ~ v gt 3> within 1s"#,
        r#"begin ( x where type == "a" & y where v gt 2 ) followedBy b where <type == "c" ~ v lt 3> within 1s"#,
        r#"begin any 2 of ( x where type == "a" & y where v gt 2 & z where type == "b" ) followedBy b where <type == "c" ~ v lt 3>"#,
    ] {
        holds(template);
    }
}

#[test]
fn what_must_not_come_may_change() {
    for template in [
        r#"begin a where type == "a" notFollowedBy x where <type == "c" ~ v gt 4> followedBy b where type == "b" within 1s"#,
        r#"begin a where type == "a" notFollowedBy x where <type == "c" ~ v gt 2> within 500ms"#,
        r#"begin a where type == "a" notNext x where <type == "c" ~ v gt 2> followedBy b where type == "b" within 1s"#,
    ] {
        holds(template);
    }
}

#[test]
fn later_conditions_may_look_back_at_other_things() {
    for template in [
        r#"begin a where type == "a" followedBy b where <type == "b" ~ v ge a.v> within 1s"#,
        r#"begin a where type == "a" followedBy b where <v gt a.v ~ type == "b"> within 1s"#,
        r#"begin a+ where type == "a" followedBy b where <v ge last(a).v ~ v gt first(a).v or count(a) gt 1>"#,
        r#"begin a where v lt 5 followedBy b where v ge a.v followedBy c where <type == "c" ~ v lt a.v + b.v> within 2s"#,
        r#"begin a where v lt 5 followedByAny b where v lt 5 followedBy c where <type == "c" ~ v lt a.v + b.v> within 2s"#,
        r#"begin a where type == "a" followedBy b where <v gt 3 ~ v lt 3> within 300ms of a within 2s"#,
        r#"begin a where type == "a" followedBy b where type == "b" followedBy c where <v gt 3 ~ v lt 3> within 400ms of previous"#,
        r#"begin a where type == "a" followedBy b where <v gt 3 ~ v lt 3> within 2 events of previous"#,
    ] {
        holds(template);
    }
}

#[test]
fn under_a_skip_strategy_and_with_few_kept_as_well() {
    for template in [
        r#"begin a where v lt 5 followedBy b where <type == "b" ~ v gt 3> within 1s skip past last"#,
        r#"begin a+ where type == "a" followedBy b where <type == "b" ~ v ge a.v> skip to next"#,
        r#"begin a where v lt 5 followedBy b where v gt 1 followedBy c where <type == "b" ~ v gt 3> skip to last b"#,
        r#"begin a where v lt 5 followedBy b where <type == "b" ~ v gt 3> within 1s keep latest"#,
        r#"begin a where v lt 5 followedBy b where <type == "b" ~ v gt 3> within 1s keep first"#,
        r#"begin a where v lt 5 followedBy b where <type == "b" ~ v gt 3> within 5 events"#,
        r#"begin a where v lt 5 followedBy b where <type == "b" ~ v gt 3> within 1s timeout none"#,
    ] {
        holds(template);
    }
}
