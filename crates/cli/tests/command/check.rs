//! `ensue check` on patterns that are right and wrong.

use crate::shell::Shell;

fn check(line: &str) -> String {
    let shell = Shell::new();
    shell.file("misspelt.pattern", "begin create where tpe == \"create\"\nfolowedBy pay\nwithin 15m\n");
    shell.file("unlike.pattern", "stream orders { amount: int  type: string @type }\npattern p\nbegin a where amount == \"5\"\npattern q\nbegin b where amout > 5");
    shell.file("parameter.pattern", "param limit: int\npattern p\nbegin a where amount > limit");
    shell.run(line)
}

#[test]
fn a_pattern_without_errors_is_said_to_have_none() {
    insta::assert_snapshot!(check("ensue check patterns/order_payment.pattern"));
}

#[test]
fn all_errors_of_all_files_are_shown() {
    insta::assert_snapshot!(check("ensue check misspelt.pattern patterns/order_payment.pattern unlike.pattern"));
}

#[test]
fn programs_read_an_error_a_line() {
    insta::assert_snapshot!(check(
        "ensue check misspelt.pattern patterns/order_payment.pattern unlike.pattern --format json"
    ));
}

#[test]
fn a_pattern_is_checked_for_the_columns_of_its_input() {
    insta::assert_snapshot!(check("ensue check patterns/order_payment.pattern --columns order_id,kind,ts"));
}

#[test]
fn a_parameter_is_checked_with_its_value() {
    assert!(check("ensue check parameter.pattern --param limit=5").starts_with("--- status 0\n"));
    insta::assert_snapshot!(check("ensue check parameter.pattern --param limit=five"));
}
