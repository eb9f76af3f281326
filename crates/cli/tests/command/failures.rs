//! Every way to go wrong, with its message and its exit status.

use std::fmt::Write;
use std::fs;
use std::process::Command;

use crate::shell::{EDGE, Shell, shown};

/// What each of these lines prints.
fn transcript(shell: &Shell, lines: &[&str]) -> String {
    let mut transcript = String::new();
    for line in lines {
        let output = shell.command(line).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(String::from_utf8_lossy(&output.stdout), "", "{line}");
        writeln!(transcript, "$ {line}\n{}[{}]\n", said, output.status.code().unwrap()).unwrap();
    }
    transcript
}

const ORDERS: &str = "-p patterns/order_payment.pattern -i examples/order-payment/orders-edge.csv";

#[test]
fn a_wrong_call_says_what_to_do() {
    let shell = Shell::new();
    shell.file("in.txt", "").file("in.jsonl", "");
    let orders = |arguments: &str| format!("ensue run {ORDERS} {arguments}");
    let lines = [
        "ensue run".to_owned(),
        "ensue walk".to_owned(),
        orders("--key order --time time"),
        orders("--type-field kind --time time"),
        orders("--key order_id --time ts"),
        orders("--key order_id"),
        orders("--time time --time-unit h"),
        orders("--time time --watermark 10s"),
        orders("--time time --watermark out-of-order=10x"),
        orders("--time time --shards 0"),
        orders("--time time --delimiter ;;"),
        orders("--time time --param patience"),
        orders("--time time --format xml"),
        orders("--time time --header"),
        orders("--time time --columns a,b,a"),
        orders("--time time --matches examples/order-payment/../order-payment/orders-edge.csv"),
        orders("--time time --late patterns/order_payment.pattern"),
        "ensue run -p patterns/order_payment.pattern -i -".to_owned(),
        "ensue run -p patterns/order_payment.pattern -i in.txt".to_owned(),
        "ensue run -p patterns/order_payment.pattern -i in.jsonl --columns a,b".to_owned(),
    ];
    let orders_before = shell.read("examples/order-payment/orders-edge.csv");
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    insta::assert_snapshot!(transcript(&shell, &lines));
    assert_eq!(shell.read("examples/order-payment/orders-edge.csv"), orders_before);
}

#[test]
fn an_input_and_the_stream_that_it_is_for_must_fit() {
    let shell = Shell::new();
    let stream = "stream orders { order_id: int @key  type: string @type  time: timestamp @time }";
    shell.file("paid.pattern", &format!("{stream}\npattern paid\nbegin create followedBy pay"));
    shell.file("more.csv", "order_id,type,time\n").file("more.jsonl", "");
    let orders = "examples/order-payment/orders-edge.csv";
    let run = |arguments: &str| format!("ensue run -p paid.pattern {arguments}");
    let lines = [
        run(&format!("-i {orders} -i more.csv")),
        run(&format!("-i orders={orders} -i more.csv")),
        run(&format!("-i orders={orders} -i orders=more.csv")),
        run(&format!("-i order={orders}")),
        run("-i orders=- -i receipts=- --format csv"),
        run("-i orders=- --format more=csv"),
        run("-i orders=-"),
        run(&format!("-i {orders} --time orders=time")),
        run(&format!("-i orders={orders} --time time --time receipts=paid_at")),
        run(&format!("-i orders={orders} --time orders=ts")),
        run("-i orders=more.jsonl --columns orders=order_id,type,time"),
        run("-i dt=1.csv"),
        format!("ensue run -p patterns/order_payment.pattern -i orders={orders}"),
        format!("ensue run -p patterns/order_payment.pattern -i orders={orders} -i receipts=more.csv --time time"),
    ];
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    insta::assert_snapshot!(transcript(&shell, &lines));
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let shell = Shell::new();
    shell.file("empty.csv", "").file("twice.csv", "a,b,a\n").file("quote.csv", "a,\"b\n1,2\n");
    fs::write(shell.path("latin.pattern"), b"begin caf\xe9").unwrap();
    fs::write(shell.path("latin.csv"), b"caf\xe9,ts\n").unwrap();
    let pattern = "ensue run -p patterns/order_payment.pattern --time ts";
    let lines = [
        "ensue run -p none.pattern -i in.csv".to_owned(),
        "ensue run -p patterns -i in.csv".to_owned(),
        "ensue run -p latin.pattern -i in.csv".to_owned(),
        "ensue check patterns/order_payment.pattern none.pattern".to_owned(),
        format!("{pattern} -i none.csv"),
        format!("{pattern} -i examples --format csv"),
        format!("{pattern} -i empty.csv"),
        format!("{pattern} -i twice.csv"),
        format!("{pattern} -i quote.csv"),
        format!("{pattern} -i latin.csv"),
    ];
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    insta::assert_snapshot!(transcript(&shell, &lines));
}

#[test]
fn an_output_that_cannot_be_written_is_named() {
    let run = format!("ensue run {ORDERS} --key order_id --time time --timeouts timeouts --matches matches");
    let lines = [
        format!("{run} --matches none/matches"),
        format!("{run} --late examples"),
        format!("{run} --rejected /dev/full"),
    ];
    let lines: Vec<String> =
        lines.iter().map(|line| line.replace("--matches matches --matches", "--matches")).collect();
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    insta::assert_snapshot!(transcript(&Shell::new(), &lines));
}

#[test]
fn a_wrong_pattern_is_shown_and_no_output_is_touched() {
    let shell = Shell::new();
    shell.file("wrong.pattern", "begin create where tpye == \"create\"\nfollowedBy pay within 15min\n");
    shell.file("matches", "of yesterday");
    let input = "-i examples/order-payment/orders-edge.csv --key order_id --time time --matches matches";
    insta::assert_snapshot!(transcript(&shell, &[&format!("ensue run -p wrong.pattern {input}")]));
    assert_eq!(shell.read("matches"), "of yesterday");
}

#[test]
fn a_strict_run_stops_at_the_first_line_that_is_no_event() {
    let shell = Shell::new();
    insta::assert_snapshot!(shell.run(&format!("{EDGE} --strict")));
    shell.file("in.jsonl", "{\"type\": \"create\", \"order_id\": null, \"ts\": 1}\n");
    let line =
        "ensue run -p patterns/order_payment.pattern -i in.jsonl --key order_id --time ts --time-unit s --strict";
    insta::assert_snapshot!(shell.run(line));
}

#[test]
fn what_came_out_before_a_failure_is_written() {
    let shell = Shell::new();
    let event = |kind: &str| format!("{{\"type\": \"{kind}\", \"order_id\": 1, \"ts\": 1}}\n");
    shell.file("in.jsonl", &[&event("create"), &event("pay"), "broken", "\n"].concat());
    let line =
        "ensue run -p patterns/order_payment.pattern -i in.jsonl --key order_id --time ts --time-unit s --strict";
    for shards in [1, 3] {
        let shown = shell.run(&format!("{line} --shards {shards}"));
        assert!(shown.starts_with("--- status 3\n--- stdout\n{\"kind\":\"match\""), "{shown}");
    }
}

/// The superuser may read and write everything, so the command is called as somebody else then.
#[cfg(unix)]
#[test]
fn a_file_that_may_not_be_read_or_written_is_named() {
    use std::os::unix::fs::PermissionsExt;
    use std::os::unix::process::CommandExt;

    let shell = Shell::new();
    let set = |path: &str, mode: u32| fs::set_permissions(shell.path(path), fs::Permissions::from_mode(mode)).unwrap();
    shell.file("in.csv", "order_id,type,ts\n").file("secret.csv", "").file("locked", "");
    // Copied by another process: a file that this one has open for writing, if only in a thread's fork, cannot be run.
    let copied = Command::new("cp").arg(env!("CARGO_BIN_EXE_ensue")).arg(shell.path("ensue")).status();
    assert!(copied.unwrap().success());
    let (all, nobody) = (0o755, 0o000);
    for (path, mode) in [("", all), ("patterns", all), ("ensue", all), ("secret.csv", nobody), ("locked", nobody)] {
        set(path, mode);
    }
    let is_superuser = fs::read(shell.path("secret.csv")).is_ok();
    let mut transcript = String::new();
    for arguments in ["-i secret.csv --time ts", "-i in.csv --time ts --late locked"] {
        let mut command = Command::new(shell.path("ensue"));
        command.current_dir(shell.path("")).args(["run", "-p", "patterns/order_payment.pattern"]);
        command.args(arguments.split_whitespace());
        if is_superuser {
            command.uid(65_534);
        }
        writeln!(transcript, "$ ensue run -p .. {arguments}\n{}", shown(&command.output().unwrap())).unwrap();
    }
    insta::assert_snapshot!(transcript);
}
