//! `ensue why`: in three lines, why a key did not match.

use crate::shell::Shell;
use crate::trace::payments;

/// What is said of a key of some of the payments: those lines of the file, and its header.
fn of_payments(lines: &[usize]) -> String {
    let shell = payments();
    let all: Vec<String> = shell.read("payments.csv").lines().map(str::to_owned).collect();
    let some = lines.iter().map(|line| all[line - 1].as_str());
    shell.file(
        "some.csv",
        &[all[0].as_str()].into_iter().chain(some).map(|line| format!("{line}\n")).collect::<String>(),
    );
    shell.run("ensue why full.pattern -i some.csv --time ts --key 7")
}

#[test]
fn a_run_that_timed_out_says_what_came_nearest() {
    insta::assert_snapshot!(of_payments(&[2, 4, 5, 7, 8]));
}

#[test]
fn an_event_that_came_too_late_is_named_with_the_clause_that_kept_it_out() {
    insta::assert_snapshot!(of_payments(&[13, 14, 15]));
}

#[test]
fn a_run_whose_time_is_not_over_says_where_the_input_ends() {
    insta::assert_snapshot!(of_payments(&[2, 4]));
}

#[test]
fn a_negation_that_ended_the_run_is_named_with_its_event() {
    insta::assert_snapshot!(of_payments(&[11, 12]));
}

#[test]
fn an_event_that_may_not_be_passed_over_is_named() {
    let shell = Shell::new();
    let line = "ensue why patterns/order_payment_strict.pattern -i patterns/inputs/strict.jsonl --key";
    insta::assert_snapshot!(["bob", "eve", "dan"].map(|user| shell.run(&format!("{line} {user}"))).join("\n"));
}

#[test]
fn where_no_run_began_the_conditions_are_counted() {
    insta::assert_snapshot!(of_payments(&[4, 5, 6, 7]));
    let shell = payments();
    shell.file("large.pattern", "pattern large key order_id begin create where type == \"create\" and amount > 100");
    insta::assert_snapshot!(shell.run("ensue why large.pattern -i payments.csv --time ts --key 7"));
}

#[test]
fn a_key_that_did_match_says_by_which_events() {
    insta::assert_snapshot!(payments().run("ensue why full.pattern -i payments.csv --time ts --key 7"));
}

#[test]
fn a_match_that_does_not_come_out_says_what_keeps_it_back() {
    let shell = payments();
    shell.file("none.pattern", "pattern silent key order_id begin create followedBy pay within 15m emit none");
    insta::assert_snapshot!(shell.run("ensue why none.pattern -i payments.csv --time ts --key 7"));
}

#[test]
fn runs_that_are_still_open_have_no_deadline() {
    let shell = payments();
    shell.file("open.pattern", "pattern open key order_id begin create followedBy pay where amount > 1000");
    insta::assert_snapshot!(shell.run("ensue why open.pattern -i payments.csv --time ts --key 7"));
}

#[test]
fn a_key_that_does_not_occur_or_only_late_or_rejected_is_explained() {
    let shell = Shell::new();
    let line = "ensue why patterns/order_payment.pattern -i examples/order-payment/orders-edge.csv --time time \
                --watermark out-of-order=1m --key order_id=";
    let mut said: Vec<String> =
        ["2003", "2006", "3000"].iter().map(|order| shell.run(&format!("{line}{order}"))).collect();
    shell.file("late.csv", "order_id,type,ts\n1,create,100\n2,create,5\n2,pay,6\n");
    said.push(
        shell.run("ensue why patterns/order_payment.pattern -i late.csv --time ts --time-unit s --key order_id=2"),
    );
    insta::assert_snapshot!(said.join("\n"));
}
