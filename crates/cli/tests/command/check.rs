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
fn a_pattern_is_checked_against_events() {
    let shell = Shell::new();
    shell.file("orders.csv", "order_id,type,ts\n1,create,1\n1,pay,2\nbroken\n2,cancel,3\n");
    shell.file(
        "orders.jsonl",
        "{\"type\": \"create\", \"ts\": 1}\n{\"ts\": 2}\nno json\n{\"type\": \"pay\", \"ts\": 2}\n",
    );
    shell.file("empty.jsonl", "");
    shell.file("types.pattern", "begin craete followedBy pay where amount > 5 within 15m\n");
    shell.file(
        "two.pattern",
        "stream orders { order_id: int @key  type: string @type  ts: timestamp @time }\n\
         stream receipts { order: int @key  kind: string @type  at: timestamp @time }\n\
         pattern p from orders, receipts\nbegin create\nfollowedBy cash: receipts\nnotFollowedBy refund\nwithin 1d\n",
    );
    shell.file("receipts.csv", "order,kind,at\n1,card,5\n");
    let lines = [
        "ensue check types.pattern -i orders.jsonl --time ts --time-unit s",
        "ensue check types.pattern -i orders.csv --time ts --time-unit s",
        "ensue check types.pattern -i empty.jsonl --time ts",
        "ensue check two.pattern -i orders=orders.csv -i receipts=receipts.csv --time-unit s",
        "ensue check two.pattern -i orders=orders.csv",
        "ensue check types.pattern -i missing.csv",
        "ensue check types.pattern --time ts",
    ];
    insta::assert_snapshot!(lines.map(|line| format!("$ {line}\n{}", shell.run(line))).join("\n"));
}

#[test]
fn the_examples_of_the_help_work() {
    let shell = Shell::new();
    let help = shell.command("ensue check --help").output().unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    let examples: Vec<&str> = help.lines().filter_map(|line| line.strip_prefix("  ensue ")).collect();
    assert_eq!(examples.len(), 2, "{help}");
    for example in examples {
        let said = shell.run(&format!("ensue {example}"));
        assert!(said.starts_with("--- status 0\n") && said.ends_with("1 pattern, no errors\n--- stderr\n"), "{said}");
    }
}

#[test]
fn a_parameter_is_checked_with_its_value() {
    assert!(check("ensue check parameter.pattern --param limit=5").starts_with("--- status 0\n"));
    insta::assert_snapshot!(check("ensue check parameter.pattern --param limit=five"));
}
