//! Cases from Rust: what comes out of a pattern as a snapshot, and the cases of a folder as a test.

use std::path::Path;

use ensue_lang::Source;

use crate::case_file::{self, FormatError, WrittenCase};
use crate::cases::{self, FileReport};
use crate::coverage::Coverage;
use crate::trial::{Refusal, Surroundings, Trial};

/// Holds what comes out of a pattern against a snapshot of the crate `insta`, which the caller's crate needs for its tests.
///
/// The events are written as in a case: an event or a watermark a line. Where something is to be said of them, such as parameters
/// or tables, it stands before a line `events`. Outputs come in a stable order and hold neither ids nor the time of day: times count
/// from the start.
///
/// ```
/// ensue_testkit::assert_outputs!(
///     "pattern paid key order begin create followedBy pay within 15m",
///     "
///     1  0m   create  order=7
///     2  1m   create  order=8
///     3  11m  pay     order=7
///     ",
///     @r"
///     match    create 1, pay 3
///     timeout  create 2, awaiting pay, at 16m
///     ",
/// );
/// ```
///
/// # Panics
/// If the pattern or an event is wrong; and as `insta::assert_snapshot!` does, if something else comes out.
#[macro_export]
macro_rules! assert_outputs {
    ($pattern:expr, $events:expr, @$expected:literal $(,)?) => {
        $crate::assert_outputs!(in $events, $crate::asserts::outputs($pattern, $events), @$expected)
    };
    ($pattern:expr, $events:expr $(,)?) => {
        $crate::assert_outputs!(in $events, $crate::asserts::outputs($pattern, $events),)
    };
    // A snapshot shows the events that it is of.
    (in $events:expr, $outputs:expr, $($expected:tt)*) => {{
        let outputs = $outputs;
        let events = $crate::asserts::dedented($events);
        ::insta::with_settings!({ description => events, omit_expression => true }, {
            ::insta::assert_snapshot!(outputs, $($expected)*);
        });
    }};
}

/// Runs the cases of a file, or of a folder and the folders in it; the path counts from the caller's manifest. What
/// `ensue test` does, as a test.
///
/// ```no_run
/// ensue_testkit::assert_cases!("patterns");
/// ```
///
/// # Panics
/// If a case fails, with all that is to say of those that do; if there are none.
#[macro_export]
macro_rules! assert_cases {
    ($path:expr $(,)?) => {
        $crate::asserts::cases(::std::path::Path::new(::std::env!("CARGO_MANIFEST_DIR")), $path)
    };
}

/// What comes out of a pattern, a line each.
///
/// # Panics
/// If the pattern or an event is wrong.
#[track_caller]
pub fn outputs(pattern: &str, events: &str) -> String {
    let case = written(events).unwrap_or_else(|errors| panic!("{}", listed(&errors)));
    let sources = [Source::new("pattern", pattern)];
    let around = Surroundings { sources: &sources, folder: Path::new("."), functions: &[] };
    let outcome = Trial::new(&case, around).and_then(|trial| trial.run());
    let outcome = outcome.unwrap_or_else(|refusal: Refusal| panic!("{refusal}"));
    outcome.lines().join("\n")
}

/// A text without the indent that all its lines have, as a snapshot shows it.
pub fn dedented(text: &str) -> String {
    case_file::dedented(text).collect::<Vec<_>>().join("\n").trim_matches('\n').to_owned()
}

/// Events alone, or a case that says more before its line `events`.
fn written(text: &str) -> Result<WrittenCase, Vec<FormatError>> {
    match text.lines().any(|line| line.trim() == "events") {
        true => case_file::body(text),
        false => case_file::events(text).map(|arrivals| WrittenCase::of(case_file::Settings::default(), arrivals)),
    }
}

fn listed(errors: &[FormatError]) -> String {
    errors.iter().map(|error| format!("{error}\n")).collect()
}

/// Runs the cases below a path that counts from a folder.
///
/// # Panics
/// If a case fails, or there is none.
#[track_caller]
pub fn cases(folder: &Path, path: &str) {
    let files =
        cases::find(&[folder.join(path)], "case").unwrap_or_else(|error| panic!("`{path}`: {}", cases::cause(&error)));
    assert!(!files.is_empty(), "there are no cases in `{path}`: no file ends with .case");
    let mut coverage = Coverage::default();
    let reports = files.iter().map(|file| cases::run(file, &mut coverage));
    let failed: String = reports.filter(|report| !report.passed()).map(|report| said(&report, folder)).collect();
    assert!(failed.is_empty(), "\n{failed}`ensue test --update` writes what came out in place of what was expected");
}

/// All that is wrong with a file.
fn said(report: &FileReport, folder: &Path) -> String {
    let path = report.path.strip_prefix(folder).unwrap_or(&report.path).display();
    let unread = report.unread.iter().map(|why| format!("{path}: {why}\n"));
    let failed = report
        .cases
        .iter()
        .filter_map(|case| Some(format!("{path}, line {}: {}\n{}", case.line, case.title, case.verdict.complaint()?)));
    unread.chain(failed).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn outputs_may_need_more_than_events() {
        let pattern = "param patience: duration = 15m
                       pattern paid key order begin create followedBy pay within patience";
        let events = "
            param patience = 5m
            events
              1  0m  create  order=7
              2  6m  pay     order=7
        ";
        assert_eq!(outputs(pattern, events), "timeout  create 1, awaiting pay, at 5m");
    }

    #[test]
    #[should_panic(expected = "line 2: an event has a name, a time and a type")]
    fn a_line_that_is_no_event_fails_the_test() {
        outputs("begin a where type == \"a\"", "1 0m a\n2 0m\n");
    }

    #[test]
    #[should_panic(expected = "error[E0")]
    fn a_wrong_pattern_fails_the_test() {
        outputs("begin a where", "1 0m a\n");
    }

    /// What is said of the cases of a folder.
    fn complaint(files: &[(&str, &str)]) -> Option<String> {
        let folder = tempfile::tempdir().expect("there is room");
        for (name, text) in files {
            fs::write(folder.path().join(name), text).expect("the folder is there");
        }
        let said = std::panic::catch_unwind(|| cases(folder.path(), ".")).err()?;
        said.downcast_ref::<String>().cloned()
    }

    #[test]
    fn cases_that_fail_are_all_said() {
        let pattern = ("a.pattern", "begin a followedBy b within 1m");
        let right = ("a.case", "case right\nevents\n  1 0m a\n  2 1s b\noutputs\n  match a 1, b 2\n");
        assert_eq!(complaint(&[pattern, right]), None);
        let wrong = ("b.case", "pattern a.pattern\ncase wrong\nevents\n  1 0m a\noutputs\n  match a 1, b 2\n");
        let files = [pattern, right, wrong, ("c.case", "nonsense")];
        insta::assert_snapshot!(complaint(&files).unwrap_or_default());
    }

    #[test]
    fn a_folder_without_cases_fails_the_test() {
        let complaint = complaint(&[("a.pattern", "")]);
        assert_eq!(complaint.as_deref(), Some("there are no cases in `.`: no file ends with .case"));
    }
}
