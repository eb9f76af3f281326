//! `ensue run` with patterns that make records, and patterns that read them.

use crate::shell::Shell;

/// Orders that are paid, or not, with records of both; and what the records come to.
const PATTERNS: &str = r#"
stream orders   { id: int @key  type: string @type  price: decimal?  ts: timestamp @time }
stream receipts { order: int? @key  at: timestamp @time  amount: decimal  by: string? }

pattern paid
from orders, receipts
begin create: orders
followedBy pay: receipts where amount >= create.price
within 5m
emit    settled { ref: key(), by: pay.by, waited: time(pay) - time(create), change: pay.amount - create.price }
timeout unpaid  { ref: key(), missing: awaiting(), until: deadline(), price: create.price }

pattern twice
from unpaid
begin one where true
followedBy two where price > one.price
within 10m

pattern change
from settled
key by
begin much where change > 1
emit { by: key(), change: much.change }
"#;

const ORDERS: &str = "\
id,type,price,ts
1,create,9.50,2021-01-19T10:00:00Z
2,create,0.10,2021-01-19T10:00:01Z
3,create,123456789012345678901234.5678,2021-01-19T10:00:02Z
4,create,0.30,2021-01-19T10:00:03Z
5,create,5,2021-01-19T10:00:04Z
";

const RECEIPTS: &str = r#"{"order": 1, "at": "2021-01-19T10:00:10Z", "amount": 20, "by": "\"Ann\""}
{"order": 2, "at": "2021-01-19T10:01:10.500Z", "amount": 1.2}
{"order": null, "at": "2021-01-19T10:01:11Z", "amount": 1.2}
"#;

const RUN: &str = "ensue run -p p.pattern -i orders=orders.csv -i receipts=receipts.jsonl";

fn shell() -> Shell {
    let shell = Shell::new();
    shell.file("p.pattern", PATTERNS);
    shell.file("orders.csv", ORDERS).file("receipts.jsonl", RECEIPTS);
    shell
}

#[test]
fn records_come_out_exactly_and_go_on_to_the_patterns_that_read_them() {
    insta::assert_snapshot!(shell().run_into(&format!("{RUN} --rejected rejected"), &["rejected"]));
}

#[test]
fn a_record_without_a_key_is_told_like_a_line_without_one() {
    let shell = shell();
    shell.file("receipts.jsonl", RECEIPTS.lines().nth(1).unwrap());
    let quiet = "--matches matches --timeouts timeouts";
    insta::assert_snapshot!(
        [quiet, &format!("{quiet} --strict")].map(|end| shell.run(&format!("{RUN} {end}"))).join("\n")
    );
}

#[test]
fn the_number_of_shards_changes_nothing() {
    let shell = shell();
    assert_eq!(shell.run(RUN), shell.run(&format!("{RUN} --shards 3")));
}

#[test]
fn a_stream_of_records_takes_no_input() {
    insta::assert_snapshot!(shell().run(&format!("{RUN} -i unpaid=orders.csv")));
}
