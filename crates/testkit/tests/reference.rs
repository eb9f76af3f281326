//! What the reference says beyond what a case can: the order of outputs, what a timeout waited for, what was rejected.

use ensue_lang::{Options, Source};
use ensue_model::{Row, Timestamp};
use ensue_testkit::reference::{self, Item, Outcome};

/// Runs a pattern over events that are written as `a@1000`; `|1000` is a watermark. Position and type in the outcome are
/// those of the words.
fn outcome(pattern: &str, input: &str) -> Outcome {
    let source = Source::new("p.pattern", pattern);
    let compiled = ensue_lang::compile(&[source], &Options::default()).expect("the pattern compiles");
    let schema = compiled.patterns.schema;
    let millis = |text: &str| Timestamp::from_millis(text.parse().expect("a time in milliseconds"));
    let item = |word: &str| match word.split_once('@') {
        Some((kind, time)) => {
            let value = |name: &str| if name == "type" { kind.to_owned().into() } else { Default::default() };
            let values = schema.fields.iter().map(|field| value(&field.name)).collect();
            Item::Event(Row::new(millis(time), values))
        }
        None => Item::Watermark(millis(&word[1..])),
    };
    let input: Vec<Item<Row>> = input.split(' ').map(item).collect();
    reference::run(&compiled.patterns.patterns[0], &input)
}

fn matched(outcome: &Outcome) -> Vec<Vec<usize>> {
    outcome.matches.iter().map(|found| found.events.iter().map(|(_, position)| *position).collect()).collect()
}

#[test]
fn matches_of_one_event_come_in_the_order_of_their_starts() {
    let outcome = outcome(r#"begin a where type == "a" followedBy b where type == "b""#, "a@3 a@1 a@2 b@4 |4");
    assert_eq!(matched(&outcome), [[1, 3], [2, 3], [0, 3]]);
}

#[test]
fn matches_with_the_same_start_come_in_the_order_of_their_events() {
    let pattern = r#"begin a where type == "a" followedByAny b where type == "b" followedBy c where type == "c""#;
    assert_eq!(matched(&outcome(pattern, "a@1 b@2 b@3 b@4 c@5 |9")), [[0, 1, 4], [0, 2, 4], [0, 3, 4]]);
}

#[test]
fn events_of_one_time_keep_their_order_of_arrival() {
    let pattern = r#"begin a where type == "a" next b where type == "b""#;
    assert_eq!(matched(&outcome(pattern, "b@1 a@1 b@1 |1")), [[1, 2]]);
}

#[test]
fn nothing_comes_out_before_a_watermark() {
    assert_eq!(outcome("begin a where true", "a@1 a@2"), Outcome::default());
}

#[test]
fn a_timeout_says_when_and_what_it_waited_for() {
    let pattern = r#"begin a where type == "a" followedBy b where type == "b" within 1s"#;
    let outcome = outcome(pattern, "a@1000 |1999 |2500");
    let [timeout] = &outcome.timeouts[..] else { panic!("{outcome:?}") };
    assert_eq!((timeout.at, timeout.deadline), (2, Timestamp::from_millis(2_000)));
    assert_eq!(timeout.awaiting.iter().map(|stage| stage.0).collect::<Vec<_>>(), [1]);
}

#[test]
fn timeouts_come_in_the_order_of_their_deadlines() {
    let pattern = r#"begin a where type == "a" followedBy b where type == "b" within 1s"#;
    let deadlines = |input| -> Vec<i64> {
        outcome(pattern, input).timeouts.iter().map(|timeout| timeout.deadline.as_millis()).collect()
    };
    assert_eq!(deadlines("a@300 a@100 a@200 |9000"), [1_100, 1_200, 1_300]);
}

#[test]
fn an_event_without_a_key_is_rejected_unless_it_is_late() {
    let outcome = outcome("pattern p key k begin a where true", "a@5 |9 a@9");
    assert_eq!((outcome.rejected, outcome.late), (vec![0], vec![2]));
}
