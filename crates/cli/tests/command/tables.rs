//! `ensue run` with tables of reference data.

use crate::shell::Shell;

const EVENTS: &str = "-i in.csv --time t --time-unit s --key id";

/// Purchases of three products.
fn shell() -> Shell {
    let shell = Shell::new();
    shell.file("in.csv", "id,type,sku,t\n1,buy,a1,1\n2,buy,b2,2\n3,buy,c3,3\n");
    shell
}

#[test]
fn a_table_is_named_by_what_is_declared() {
    let shell = shell();
    shell.file("p.pattern", "pattern p begin buy").file("products.csv", "sku,category\n");
    let lines = [
        format!("ensue run -p p.pattern {EVENTS} --table products=products.csv"),
        format!("ensue run -p p.pattern {EVENTS} --table products.csv"),
    ];
    insta::assert_snapshot!(lines.map(|line| format!("$ {line}\n{}", shell.run(&line))).join("\n"));
}
