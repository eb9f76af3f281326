//! The examples of the project, as its texts show them.

use std::fs;

use crate::shell::{EDGE, Shell, project, without_seconds};

#[test]
fn the_order_log_has_one_match_and_two_timeouts() {
    let line = "ensue run -p patterns/order_payment.pattern -i examples/order-payment/OrderLog.csv \
                --columns order_id,type,tx_id,ts --key order_id --time ts --time-unit s";
    insta::assert_snapshot!(Shell::new().run(line));
}

#[test]
fn the_edge_cases_go_to_four_files() {
    let line = format!("{EDGE} --matches matches --timeouts timeouts --late late --rejected rejected");
    insta::assert_snapshot!(Shell::new().run_into(&line, &["matches", "timeouts", "late", "rejected"]));
}

#[test]
fn on_standard_output_matches_and_timeouts_come_in_event_time() {
    insta::assert_snapshot!(Shell::new().run(EDGE));
}

#[test]
fn the_readmes_show_what_the_command_prints() {
    assert_eq!(["order-payment", "payments-and-receipts"].map(check_readme), [2, 1]);
}

/// Runs what an example's text shows; gives how many commands that are.
fn check_readme(example: &str) -> usize {
    let readme = fs::read_to_string(project().join(format!("examples/{example}/README.md"))).unwrap();
    let shell = Shell::new();
    let mut examples = 0;
    for block in readme.split("```console\n$ ").skip(1) {
        let (block, _) = block.split_once("\n```").unwrap();
        let (command, expected) = block.split_at(command_length(block));
        let output = shell.command(command).output().unwrap();
        let printed = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        assert_eq!(without_seconds(&printed), without_seconds(expected));
        examples += 1;
    }
    examples
}

/// Every pattern of the project, as its text calls it.
#[test]
fn the_systems_give_what_is_said_of_them() {
    let readme = fs::read_to_string(project().join("patterns/README.md")).unwrap();
    let shell = Shell::new();
    let mut called = Vec::new();
    for block in readme.split("```console\n$ ").skip(1) {
        let (command, _) = block.split_once("\n```").unwrap();
        let (_, name) = command.split_once("-p patterns/").unwrap();
        let (name, _) = name.split_once(".pattern").unwrap();
        insta::assert_snapshot!(name, shell.run(command));
        called.push(format!("{name}.pattern"));
    }
    let files = fs::read_dir(project().join("patterns")).unwrap().map(|entry| entry.unwrap().file_name());
    let mut patterns: Vec<String> = files.map(|name| name.into_string().unwrap()).collect();
    patterns.retain(|name| name.ends_with(".pattern"));
    patterns.sort();
    called.sort();
    assert_eq!(called, patterns);
}

/// The length of the command at the front, which goes on behind a line that ends with a backslash.
fn command_length(block: &str) -> usize {
    let mut length = 0;
    for line in block.split_inclusive('\n') {
        length += line.len();
        if !line.ends_with("\\\n") {
            break;
        }
    }
    length
}
