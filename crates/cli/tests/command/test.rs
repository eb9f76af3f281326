//! `ensue test`: cases that pass and fail, what is written for them, and what CI systems read.

use std::fs;

use crate::shell::{Shell, project};

const ORDERS: &str = "\
stream orders { order: int @key  type: string @type  amount: int?  at: timestamp @time }

pattern paid
begin create followedBy (card where amount > 0 | cash next receipt)
within 15m
";

const CASES: &str = "\
case paid in time
events
  1  0m  create  order=7
  2  1m  card    order=7 amount=5
outputs
  match  create 1, card 2

case paid too late, and nobody has noticed
events
  1  0m   create  order=7
  2  1m   create  order=8
  3  2m   card    order=8 amount=5
  4  20m  card    order=7 amount=5
outputs
  match  create 1, card 4
  match  create 2, card 3
";

const UNSAID: &str = "
case not said
events
  1  0m   create  order=7
";

fn shell() -> Shell {
    let shell = Shell::new();
    shell.file("jobs/orders.pattern", ORDERS).file("jobs/orders.case", CASES);
    shell.file("jobs/other/lonely.pattern", "begin a where type == \"a\"");
    shell
}

#[test]
fn the_cases_of_the_project_pass_and_reach_every_stage() {
    let said = Shell::new().run("ensue test patterns");
    assert!(said.starts_with("--- status 0\n"), "{said}");
    assert!(!said.contains("no case"), "{said}");
    for pattern in fs::read_dir(project().join("patterns")).unwrap() {
        let path = pattern.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "pattern") {
            let cases = path.with_extension("case");
            assert!(
                said.contains(&format!("patterns/{}: ", cases.file_name().unwrap().display())),
                "{}",
                path.display()
            );
        }
    }
}

#[test]
fn a_case_that_fails_is_shown_with_what_no_case_reaches() {
    insta::assert_snapshot!(shell().run("ensue test jobs"));
}

#[test]
fn what_comes_out_is_written_where_it_is_wanted_so() {
    let shell = shell();
    shell.file("jobs/orders.case", &format!("{CASES}{UNSAID}"));
    assert!(shell.run("ensue test jobs/orders.case").starts_with("--- status 1\n"));
    assert_eq!(shell.read("jobs/orders.case"), format!("{CASES}{UNSAID}"));
    insta::assert_snapshot!(shell.run_into("ensue test jobs/orders.case --update", &["jobs/orders.case"]));
    let written = shell.read("jobs/orders.case");
    assert!(shell.run("ensue test jobs/orders.case --update").starts_with("--- status 0\n"));
    assert_eq!(shell.read("jobs/orders.case"), written);
}

#[test]
fn ci_systems_read_a_report() {
    let shell = shell();
    shell
        .file("jobs/broken.case", "case a\nevnts\n")
        .file("jobs/refused.case", "pattern orders.pattern\ncase <b>\nevents\n  1 0m create order=x\n");
    shell.run("ensue test jobs --junit report.xml");
    insta::assert_snapshot!(shell.read("report.xml"));
}

#[test]
fn what_cannot_be_read_or_found_has_a_status_of_its_own() {
    let shell = shell();
    shell.file("jobs/broken.case", "case a\nevnts\n  1 0m create\n").file("empty/readme", "");
    let lines = [
        "ensue test empty",
        "ensue test jobs missing",
        "ensue test jobs/broken.case",
        "ensue test jobs/orders.case --junit no/report.xml",
    ];
    insta::assert_snapshot!(lines.map(|line| format!("$ {line}\n{}", shell.run(line))).join("\n"));
}

#[test]
fn without_a_name_the_folder_is_tested_where_it_is_called() {
    let shell = shell();
    let said = shell.run("ensue test");
    assert!(said.contains("ok      patterns/order_payment.case: 6 cases\n"), "{said}");
    assert!(said.contains("FAIL    jobs/orders.case: 1 of 2 cases failed\n"), "{said}");
}
