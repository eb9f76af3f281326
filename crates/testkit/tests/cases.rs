//! What is said of cases that fail, and of what cases do not reach.

#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

use std::fs;
use std::path::Path;

use ensue_testkit::cases::{self, FileReport};
use ensue_testkit::coverage::Coverage;

const ORDERS: &str = "
pattern payment
key order
begin create
followedBy pay where type == \"pay\" and amount > 0
within 15m
";

/// Runs the cases of a text beside a pattern; what is said, and what they reach.
fn run(pattern: &str, text: &str) -> (FileReport, Coverage) {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("p.pattern"), pattern).unwrap();
    fs::write(folder.path().join("p.case"), text).unwrap();
    fs::write(folder.path().join("in.csv"), "order,type,amount,at\n7,create,,0\n7,pay,5,60\n8,create,,x\n9,pay,1\n")
        .unwrap();
    let mut coverage = Coverage::default();
    let report = cases::run(&folder.path().join("p.case"), &mut coverage);
    (report, coverage)
}

/// What is said of each case, or of the file.
fn said(pattern: &str, text: &str) -> String {
    let (report, _) = run(pattern, text);
    let case =
        |case: &cases::CaseReport| format!("{}\n{}", case.title, case.verdict.complaint().unwrap_or("  passed\n"));
    let said: String = report.cases.iter().map(case).collect();
    said + report.unread.as_deref().unwrap_or_default()
}

fn case(events: &str, outputs: &str) -> String {
    format!("case it\nevents\n{events}\noutputs\n{outputs}\n")
}

#[test]
fn a_case_passes_whatever_the_order_and_the_blanks_of_its_outputs() {
    let text = case(
        "  1 0m create order=7\n  2 1m create order=8\n  3 2m pay order=7 amount=1\n  4 2m pay order=8 amount=1",
        "  match create 2,  pay 4\n  payment: match create 1, pay 3",
    );
    assert_eq!(said(ORDERS, &text), "it\n  passed\n");
}

#[test]
fn an_output_that_is_expected_twice_must_come_twice() {
    let once = "  match create 1, pay 2";
    let text = case("  1 0m create order=7\n  2 1m pay order=7 amount=1", &format!("{once}\n{once}"));
    assert!(said(ORDERS, &text).contains("- "), "{}", said(ORDERS, &text));
}

#[test]
fn a_match_that_came_too_late_is_shown_on_the_time_line_of_its_key() {
    let events =
        "  1 0m create order=7\n  2 1m create order=8\n  3 2m pay order=8 amount=3\n  4 15m pay order=7 amount=3";
    insta::assert_snapshot!(said(ORDERS, &case(events, "  match create 1, pay 4\n  match create 2, pay 3")));
}

#[test]
fn each_way_not_to_match_has_its_reason() {
    let events = "  1 0m a k=1 v=1\n  2 1m x k=1 v=2\n  3 2m b k=1 v=3\n  4 3m a k=2 v=1\n  5 4m b k=2 v=9";
    let missing = "  match a 1, b 3\n  match a 4, b 5";
    let of = |body: &str| {
        let active = if body.contains("v > 0") { "active from @1970-01-01T00:01:00Z\n" } else { "" };
        format!("// {active}{body}\n{}", said(&format!("pattern p\nkey k\n{active}{body}"), &case(events, missing)))
    };
    let said = [
        of("begin a next b"),
        of("begin a followedBy b within 1m"),
        of("begin a followedBy b within 1m of previous"),
        of("begin a followedBy b where type == \"c\""),
        of("begin a where v > 5 followedBy b"),
        of("begin a notFollowedBy x followedBy b"),
        of("begin a where v > 0 and type == \"a\" followedBy b"),
        of("begin a followedBy b emit { v: b.v } where b.v > 5"),
    ];
    insta::assert_snapshot!(said.join("\n"));
}

#[test]
fn what_other_matches_keep_from_coming_is_said_with_the_clause() {
    let events = "  1 0m a k=1\n  2 1m a k=1\n  3 2m b k=1\n  4 3m a k=1\n  5 4m b k=1";
    let missing = "  match a 2, b 3\n  match a 4, b 5\n  match a 1, b 3";
    let of = |clause: &str| {
        let pattern = format!("pattern p\nkey k\nbegin a followedBy b\n{clause}");
        format!("// {clause}\n{}", said(&pattern, &case(events, missing)))
    };
    insta::assert_snapshot!(["skip past last", "cooldown 1h", "keep first", "keep latest"].map(of).join("\n"));
}

#[test]
fn a_record_is_found_by_the_key_that_is_in_it() {
    let pattern = format!("{ORDERS} emit paid {{ order: key(), by: pay.amount }} timeout {{ order: key() }}");
    let events =
        "  1 0m create order=7\n  2 1m create order=8\n  3 2m pay order=8 amount=3\n  4 20m pay order=7 amount=3";
    let outputs =
        "  match paid { order: 7, by: 3 }\n  match paid { order: 8, by: 4 }\n  match paid { order: 9, by: 1 }";
    insta::assert_snapshot!(said(&pattern, &case(events, outputs)));
}

#[test]
fn what_is_named_and_is_not_there_is_said() {
    let events = "  1 0m create order=7\n  2 1m pay order=7 amount=1";
    let outputs = "  match create 1, paid 2\n  match create 1, pay 3\n  late 2";
    let two = format!("{ORDERS}\npattern other key order begin create next pay");
    let said = [
        said(ORDERS, &case(events, outputs)),
        said(ORDERS, &case(events, "  other: match create 1, pay 2")),
        said(&two, &case(events, "  match create 1, pay 2")),
    ];
    insta::assert_snapshot!(said.join("\n"));
}

#[test]
fn several_patterns_have_a_time_line_each_and_records_come_from_others() {
    let pattern = "
        pattern payment key order
        begin create followedBy pay within 15m
        timeout unpaid { order: create.order, user: create.user }
        pattern unreliable from unpaid key user
        begin first where true followedBy again where order != first.order within 1d
        emit { user: key(), orders: [first.order, again.order] }
    ";
    let events = "  1 0m create order=7 user=ann\n  2 1m create order=8 user=ann\n  3 2m pay order=8";
    let outputs = "  unreliable: match { user: \"ann\", orders: [7, 8] }\n  payment: match create 2, pay 3";
    insta::assert_snapshot!(said(pattern, &case(events, outputs)));
}

#[test]
fn events_of_a_file_are_named_by_their_lines() {
    let text = "
case of a file
input in.csv time=at time-unit=s
key order
outputs
  match     create 2, pay 3
  rejected  4
  rejected  5

case with times that count from an instant
input in.csv time=at time-unit=s
start 1970-01-01T00:00:00Z
key order
outputs
  timeout  create 2, awaiting pay, at 15m
";
    insta::assert_snapshot!(said(ORDERS.replace("key order", "").as_str(), text));
}

#[test]
fn a_case_that_cannot_run_says_why() {
    let stream = "stream s { order: int @key  type: string @type  amount: decimal  at: timestamp @time }\n\
                  stream t { order: int @key  at: timestamp @time }\n\
                  table rates key of { of: string  rate: decimal }\n";
    let pattern =
        format!("{stream}pattern p begin a: s where amount > rates[type].rate followedBy b: t where true within 1m");
    let of = |rest: &str| said(&pattern, &format!("case it\n{rest}\noutputs\n"));
    let said = [
        of("events\n  1 0m s:a order=x amount=1"),
        of("events\n  1 0m s:a order=1 amout=1"),
        of("events\n  1 0m s:a order=1"),
        of("events\n  1 0m a order=1 amount=1"),
        of("events\n  1 0m u:a order=1"),
        of("events\n  1 0m t:a order=1"),
        of("events\n  1 0m t: order=1 order=2"),
        of("events\n  1 0m t: order=1 at=5m"),
        of("table rate\n  of rate\nevents\n  1 0m t: order=1"),
        of("table rates\n  of rate\n\n  a 1\n  b dear\nevents\n  1 0m t: order=1"),
        of("table rates rates.csv\nevents\n  1 0m t: order=1"),
        of("input s=none.csv"),
        of("input s=in.csv"),
        of("input in.csv"),
        of("pattern other.pattern\nevents\n  1 0m t: order=1"),
        of("param patience = 5\nevents\n  1 0m t: order=1"),
        of("eevents\n  1 0m t: order=1"),
    ];
    let said = said.join("\n");
    // The folder has another name each time.
    let folder = said.split('`').find(|part| part.ends_with("/other.pattern")).unwrap();
    insta::assert_snapshot!(said.replace(folder, "other.pattern"));
}

#[test]
fn expectations_that_are_missing_or_wrong_are_written() {
    let text = "\
// Of orders.
case new
events
  1  0m  create  order=7
  2  1m  pay     order=7 amount=2

// Of the next.
case wrong
events
  1  0m  create  order=7
outputs
  match create 1, pay 2

case right
events
  1  0m  pay  order=7
outputs
";
    let (report, _) = run(ORDERS, text);
    let updated = report.updated.unwrap();
    insta::assert_snapshot!(updated);
    let (report, _) = run(ORDERS, &updated);
    assert!(report.passed() && report.updated.is_none());
}

#[test]
fn stages_and_branches_that_no_case_reaches_are_gaps() {
    let pattern = "
        pattern p key k
        begin a followedBy (b next c | d followedBy e | f next g) next h notFollowedBy x followedBy i within 1h
        pattern q begin never where type == \"never\"
        pattern r begin a next (b & c) next d
        pattern s begin a next b emit none timeout none
        pattern t begin a next b emit { v: b.k } where b.k > 5
    ";
    let events = "  1 0m a k=1\n  2 1m b k=1\n  3 2m a k=2\n  4 3m d k=2\n  5 4m x k=2";
    let (_, coverage) = run(pattern, &case(events, ""));
    assert_eq!(coverage.stages(), (18, 9));
    let gaps = coverage.gaps().into_iter().map(|gap| format!("{}: {}\n", gap.pattern, gap.unreached.join("; ")));
    insta::assert_snapshot!(gaps.collect::<String>());
}

#[test]
fn cases_are_found_in_folders_and_by_their_names() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["b.case", "a/c.case", "a/c.pattern", ".git/x.case", "target/y.case"] {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "").unwrap();
    }
    let found = cases::find(&[folder.path().to_owned()], "case").unwrap();
    let names: Vec<&Path> = found.iter().map(|path| path.strip_prefix(folder.path()).unwrap()).collect();
    assert_eq!(names, [Path::new("a/c.case"), Path::new("b.case")]);
    assert!(cases::find(&[folder.path().join("missing.case")], "case").is_err());
}

#[test]
fn of_very_many_events_only_outputs_are_looked_at() {
    let events = |count: usize| {
        let event = |at: usize| format!("  {at} {at}s {} k=1\n", if at == 1 { "a" } else { "x" });
        case(&(1..=count).map(event).collect::<String>(), "  match a 1, b 2")
    };
    let pattern = "pattern p key k begin a followedBy b";
    let (report, coverage) = run(pattern, &events(10_000));
    assert_eq!(coverage.stages(), (2, 1));
    let complaint = report.cases[0].verdict.complaint().unwrap();
    assert!(complaint.contains("the furthest run had a 1"), "{complaint}");
    assert!(complaint.contains("and 9998 other events"), "{complaint}");
    let (report, coverage) = run(pattern, &events(10_001));
    assert_eq!(coverage.stages(), (2, 0));
    assert!(!report.cases[0].verdict.complaint().unwrap().contains("furthest"));
}
