//! `ensue run` on several inputs.

use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;

use crate::shell::{Shell, shown};

/// Orders that are paid and receipts of the payments, of which nothing says that they come at once.
const PAID: &str = r#"
stream orders   { tx_id: string @key  type: string @type  ts: timestamp @time }
stream receipts { reference: string @key  paid_at: timestamp @time  amount: decimal }

pattern paid
from orders, receipts
begin pay: orders
followedBy receipt: receipts where amount > 1.00
within 5m
"#;

const ORDERS: &str = "\
tx_id,type,ts
a,pay,2021-01-19T10:00:00Z
b,pay,2021-01-19T10:01:00Z
c,pay,2021-01-19T10:02:00Z
d,pay,2021-01-19T10:03:00Z
";

/// Receipts for `b` and `a`, one that is none, one for `c` before its order, and one for `d` that comes too late.
const RECEIPTS: &str = r#"{"reference": "b", "paid_at": 1611050465, "amount": 2.50}
{"reference": "a", "paid_at": 1611050470, "amount": "12345678901234567890.10"}
{"reference": 5, "paid_at": 1611050471, "amount": 3}
{"reference": "c", "paid_at": 1611050519, "amount": 3}
{"reference": "d", "paid_at": 1611050470, "amount": 3}
"#;

const RUN: &str = "ensue run -p paid.pattern -i orders=orders.csv -i receipts=receipts.jsonl --time-unit receipts=s";

fn shell() -> Shell {
    let shell = Shell::new();
    shell.file("paid.pattern", PAID).file("orders.csv", ORDERS).file("receipts.jsonl", RECEIPTS);
    shell
}

/// The values of a field of one stage of each match, in their order.
fn each(shown: &str, field: &str) -> String {
    let field = format!("\"{field}\":");
    let values = shown.lines().filter_map(|line| line.split_once(&field)?.1.split_terminator([',', '}']).next());
    values.map(|value| value.trim_matches([' ', '"'])).collect::<Vec<_>>().join(" ")
}

#[test]
fn the_events_of_two_inputs_meet_each_as_it_was_written() {
    let line = format!("{RUN} --late late --rejected rejected");
    insta::assert_snapshot!(shell().run_into(&line, &["late", "rejected"]));
}

#[test]
fn the_input_with_the_earliest_event_comes_next_and_of_equal_times_the_first_named() {
    let shell = Shell::new();
    shell.file("all.pattern", "pattern all from a, b, c begin any where n > 0");
    shell.file("a.csv", "n,t\n1,1\n5,5\n8,9\n").file("b.csv", "n,t\n2,1\n3,2\n6,5\n7,8\n").file("c.csv", "n,t\n4,2\n");
    let order =
        |inputs: &str| each(&shell.run(&format!("ensue run -p all.pattern {inputs} --time t --time-unit s")), "n");
    assert_eq!(order("-i a=a.csv -i b=b.csv -i c=c.csv"), "1 2 3 4 5 6 7 8");
    assert_eq!(order("-i c=c.csv -i b=b.csv -i a=a.csv"), "2 1 4 3 6 5 7 8");
}

#[test]
fn an_input_out_of_order_holds_the_others_back_no_further_than_the_watermark_says() {
    let shell = Shell::new();
    shell.file("all.pattern", "pattern all from a, b begin any where n > 0");
    shell.file("a.csv", "n,t\n1,3\n2,1\n4,10\n5,4\n").file("b.csv", "n,t\n3,4\n6,7\n");
    let line = "ensue run -p all.pattern -i a=a.csv -i b=b.csv --time t --time-unit s --watermark out-of-order=4s";
    let shown = shell.run(&format!("{line} --late -"));
    // 5 comes six seconds behind 4, and is late; 6 stands before 4, as its time does.
    assert_eq!(each(&shown, "n"), "5 2 1 3 6 4", "{shown}");
}

#[test]
fn the_number_of_shards_changes_nothing() {
    let shell = shell();
    assert_eq!(shell.run(RUN), shell.run(&format!("{RUN} --shards 3")));
}

#[test]
fn one_of_several_inputs_may_be_standard_input() {
    let shell = shell();
    let line = RUN.replace("orders=orders.csv", "orders=-") + " --format orders=csv";
    assert_eq!(shown(&shell.pipe(ORDERS, &line)), shell.run(RUN));
}

#[test]
fn a_match_comes_out_before_an_input_that_stays_silent_is_waited_for() {
    let shell = shell();
    for shards in [1, 3] {
        let line = RUN.replace("orders=orders.csv", "orders=-") + &format!(" --format orders=csv --shards {shards}");
        let mut child = shell.command(&line).stdin(Stdio::piped()).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        // The last of them says that none before it will come.
        stdin.write_all(ORDERS.as_bytes()).unwrap();
        let mut first = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut first).unwrap();
        assert!(first.starts_with(r#"{"kind":"match""#), "{first}");
        drop(stdin);
        assert!(child.wait().unwrap().success());
    }
}

#[test]
fn streams_need_not_be_declared() {
    let shell = Shell::new();
    shell.file("p.pattern", "pattern p key id begin a: left where x > 1 followedBy b: right where y == a.x");
    shell.file("left.csv", "1;5;1\n2;1;1\n").file("right.csv", "id,y,t\n1,5,2\n2,1,2\n");
    let line = "ensue run -p p.pattern -i left=left.csv -i right=right.csv --columns left=id,x,t --delimiter left=; \
                --time t --time-unit s";
    insta::assert_snapshot!(shell.run(line));
}

#[test]
fn a_strict_run_names_the_input() {
    insta::assert_snapshot!(shell().run(&format!("{RUN} --strict --matches matches --timeouts matches")));
}

#[test]
fn each_stream_that_is_read_needs_an_input() {
    let shell = shell();
    shell.file("p.pattern", "pattern p key id begin a: left where xx > 1 followedBy b: right where y == a.xx");
    shell.file("q.pattern", "pattern q from left, right begin any where x > 1");
    shell.file("left.csv", "id,x,t\n").file("right.csv", "id,y,t\n");
    let lines = [
        "ensue run -p paid.pattern -i orders=orders.csv",
        "ensue run -p paid.pattern -i orders.csv",
        "ensue run -p paid.pattern -i orders=orders.csv -i receipt=receipts.jsonl",
        "ensue run -p paid.pattern -i orders=orders.csv -i receipts=receipts.jsonl --time receipts=time --columns a,b",
        "ensue run -p p.pattern -i left=left.csv -i right=right.csv --time t",
        "ensue run -p q.pattern -i left=left.csv -i right=right.csv --time left=t",
    ];
    insta::assert_snapshot!(lines.map(|line| format!("$ {line}\n{}", shell.run(line))).join("\n"));
}
