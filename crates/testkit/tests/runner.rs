//! The binary `conformance`, as it is called.

use std::fs;
use std::process::Command;

/// A case whose pattern is a single stage.
fn case(id: &str, pattern: &str, matched: i64) -> String {
    format!(
        r#"{{"id":"{id}","pattern":"{pattern}","input":[{{"e":{{"id":7,"ts":5,"type":"a"}}}},{{"wm":9}}],"expected":{{"matches":[{{"at":1,"stages":{{"a":[{matched}]}}}}],"timeouts":[],"late":[]}}}}"#
    )
}

fn right() -> String {
    case("right", "begin a where type == \\\"a\\\"", 7)
}

fn wrong() -> String {
    case("wrong", "begin a where type == \\\"a\\\"", 8)
}

/// Exit status, what it printed and what it complained of. The folder's name is not the same twice, and left out.
fn conformance(lines: &[String], options: &[&str]) -> (i32, String, String) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    fs::write(folder.path().join("cases.jsonl"), lines.join("\n")).expect("the cases can be written");
    fs::write(folder.path().join("differences.md"), "* `wrong`: it expects too much").expect("it can be written");
    let mut command = Command::new(env!("CARGO_BIN_EXE_conformance"));
    let output = command.current_dir(&folder).args(options).output().expect("the binary runs");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("the output is text");
    (output.status.code().unwrap_or(-1), text(output.stdout), text(output.stderr))
}

#[test]
fn all_passed_is_success_in_every_reading() {
    for options in [&[][..], &["--reference"], &["--restart"], &["--shards", "2"]] {
        let (status, out, _) = conformance(&[right(), right()], &[&["cases.jsonl"], options].concat());
        assert_eq!((status, out.as_str()), (0, "2 passed, 0 failed\n"), "{options:?}");
    }
}

#[test]
fn a_failure_shows_the_case_and_both_outputs() {
    let (status, out, _) = conformance(&[right(), wrong()], &["cases.jsonl"]);
    assert_eq!(status, 1);
    insta::assert_snapshot!(out);
}

#[test]
fn a_pattern_that_does_not_compile_is_a_failure() {
    let broken = case("broken", "begin a where type = \\\"a\\\"", 7);
    let (status, out, _) = conformance(&[broken], &["cases.jsonl"]);
    assert_eq!(status, 1);
    assert!(out.contains("case broken") && out.contains("error[E") && out.ends_with("0 passed, 1 failed\n"));
}

#[test]
fn a_case_that_differs_on_purpose_does_not_fail() {
    let (status, out, _) = conformance(&[right(), wrong()], &["cases.jsonl", "--allow", "differences.md"]);
    assert_eq!((status, out.as_str()), (0, "1 differ on purpose\n1 passed, 0 failed\n"));
}

#[test]
fn a_case_that_is_said_to_differ_and_passes_is_a_failure() {
    let mended = case("wrong", "begin a where type == \\\"a\\\"", 7);
    let (status, out, _) = conformance(&[right(), mended], &["cases.jsonl", "--allow", "differences.md"]);
    assert_eq!(status, 1);
    insta::assert_snapshot!(out);
}

#[test]
fn a_line_that_is_no_case_is_named() {
    let (status, _, complaint) = conformance(&[right(), "{\"id\":1}".to_owned()], &["cases.jsonl"]);
    assert_eq!(status, 2);
    insta::assert_snapshot!(complaint);
}

#[test]
fn a_wrong_call_is_told_from_a_failure() {
    for options in [&[][..], &["missing.jsonl"], &["cases.jsonl", "--restart", "--reference"], &["--nonsense"]] {
        let (status, _, complaint) = conformance(&[right()], options);
        assert!(status == 2 && complaint.starts_with("error: "), "{options:?}: {status} {complaint}");
    }
}
