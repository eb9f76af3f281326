//! The patterns of this crate, tested in the three ways that there are.

use ensue_testkit::{assert_cases, assert_outputs};
use snapshot_tests::OVERHEATING;

/// 1. Cases beside the patterns, as text: `ensue test patterns` runs them, too.
#[test]
fn the_cases_beside_the_patterns_pass() {
    assert_cases!("patterns");
}

/// 2. A snapshot, which `cargo insta review` shows and accepts.
#[test]
fn each_machine_has_its_own_alarms() {
    assert_outputs!(
        OVERHEATING,
        "
        1  0m  reading  machine=press celsius=81
        2  0m  reading  machine=drill celsius=90
        3  1m  reading  machine=press celsius=85
        4  1m  reading  machine=drill celsius=91
        5  2m  reading  machine=press celsius=90
        6  2m  reading  machine=drill celsius=92
        7  3m  visit    machine=drill
        ",
    );
}

/// 3. A snapshot that stands in the test.
#[test]
fn an_impatient_factory_sounds_the_alarm_earlier() {
    assert_outputs!(
        OVERHEATING,
        "
        param patience = 3m
        events
          1  0m  reading  machine=press celsius=81
          2  1m  reading  machine=press celsius=85
          3  2m  reading  machine=press celsius=90
          4  9m  visit    machine=press
        ",
        @r#"match    alarm { machine: "press", from: 81.0, to: 90.0 }"#,
    );
}

#[test]
fn the_pattern_is_right() {
    if let Err(diagnostics) = snapshot_tests::patterns() {
        panic!("{diagnostics}");
    }
}
