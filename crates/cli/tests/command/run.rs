//! `ensue run` on inputs of all kinds.

use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;

use crate::shell::{EDGE, Shell, shown, without_seconds};

const PATTERN: &str = "ensue run -p patterns/order_payment.pattern";

const JSON: &str = r#"{"order_id": 1, "type": "create", "ts": 1000, "note": {"by": "a\u0062"}}
{"order_id": 2, "type": "create", "ts": 1000}
{"order_id": 1, "type": "pay", "ts": 2500}
"#;

#[test]
fn json_lines_keep_their_events_as_they_are() {
    let line = format!("{PATTERN} -i in.jsonl --key order_id --time ts --time-unit ms");
    insta::assert_snapshot!(Shell::new().file("in.jsonl", JSON).run(&line));
}

#[test]
fn events_of_logfmt_come_out_as_json() {
    let line = format!("{PATTERN} -i in.logfmt --key order_id --time ts --time-unit ms --rejected rejected");
    let logs = "level=info ts=1000 type=create order_id=1 note=\"for \\\"you\\\"\" amount=12.50 gift\n\
                level=info ts=1000 type=create order_id=2\n\
                level=info ts=2500 type=pay order_id=1\n\
                level=warn msg=\"no time\n";
    insta::assert_snapshot!(Shell::new().file("in.logfmt", logs).run_into(&line, &["rejected"]));
}

#[test]
fn standard_input_is_read_like_a_file() {
    let shell = Shell::new();
    let line = format!("{PATTERN} -i - --format jsonl --key order_id --time ts --time-unit ms");
    let piped = shown(&shell.pipe(JSON, &line));
    shell.file("in.ndjson", JSON);
    assert_eq!(piped, shell.run(&line.replace("-i - --format jsonl", "-i in.ndjson")));
}

#[test]
fn a_match_comes_out_while_the_input_is_still_open() {
    let shell = Shell::new();
    for shards in [1, 3] {
        let line = format!("{PATTERN} -i - --format jsonl --key order_id --time ts --time-unit ms --shards {shards}");
        let mut child = shell.command(&line).stdin(Stdio::piped()).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(JSON.as_bytes()).unwrap();
        let mut first = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut first).unwrap();
        assert!(first.starts_with(r#"{"kind":"match""#), "{first}");
        drop(stdin);
        assert!(child.wait().unwrap().success());
    }
}

#[test]
fn the_number_of_shards_changes_nothing() {
    let shell = Shell::new();
    assert_eq!(shell.run(EDGE), shell.run(&format!("{EDGE} --shards 4")));
}

#[test]
fn columns_may_rename_those_of_a_header() {
    let shell = Shell::new();
    shell.file("in.csv", "id,kind,when\n7,create,1\n7,pay,2\n");
    let line =
        format!("{PATTERN} -i in.csv --columns order_id,type,ts --header --key order_id --time ts --time-unit s");
    insta::assert_snapshot!(shell.run(&line));
}

#[test]
fn a_csv_may_have_tabs_and_another_name() {
    let shell = Shell::new();
    shell.file("in.txt", "\u{feff}order_id\ttype\tts\r\n007\tcreate\t1\r\n\r\n007\tpay\t2.5");
    let line = format!("{PATTERN} -i in.txt --format csv --delimiter tab --key order_id --time ts --time-unit s");
    insta::assert_snapshot!(shell.run(&line));
}

#[test]
fn an_input_may_name_its_stream_though_it_is_the_only_one() {
    let shell = Shell::new();
    shell.file("in.csv", "7;create;1\n7;pay;2\n");
    let of_all = "-i in.csv --delimiter ; --columns order_id,type,ts --time ts --time-unit s";
    let by_name = "-i orders=in.csv --delimiter orders=; --delimiter tab --columns orders=order_id,type,ts \
                   --time orders=ts --time no --time-unit orders=s --time-unit ns";
    let [of_all, by_name] = [of_all, by_name].map(|input| shell.run(&format!("{PATTERN} {input} --key order_id")));
    assert!(of_all.contains("2 events: 1 match"), "{of_all}");
    assert_eq!(of_all, by_name);
}

#[test]
fn several_patterns_run_at_once() {
    let shell = Shell::new();
    shell.file("in.jsonl", JSON);
    shell.file("quick.pattern", "begin create followedBy pay within 1s");
    let line = format!("{PATTERN} -p quick.pattern -i in.jsonl --key order_id --time ts --time-unit ms");
    insta::assert_snapshot!(shell.run(&line));
}

#[test]
fn a_parameter_is_given_by_the_caller() {
    let shell = Shell::new();
    shell.file("in.jsonl", JSON);
    shell.file("p.pattern", "param patience: duration = 15m\npattern p\nbegin create followedBy pay within patience");
    let line = "ensue run -p p.pattern -i in.jsonl --key order_id --time ts --time-unit ms --timeouts timeouts";
    assert!(shell.run(line).contains("3 events: 1 match, 1 timeout"), "{}", shell.run(line));
    let line = format!("{line} --param patience=1s");
    assert!(shell.run(&line).contains("3 events: 0 matches, 2 timeouts"), "{}", shell.run(&line));
}

#[test]
fn a_stream_says_its_time_key_and_type() {
    let shell = Shell::new();
    shell.file(
        "in.csv",
        "id,kind,when,amount\n1,create,2021-01-19T10:00:00Z,5.00\n1,pay,2021-01-19T10:01:00+00:00,5.0\n",
    );
    let stream = "stream orders { id: string @key  kind: string @type  when: timestamp @time  amount: decimal }";
    shell.file(
        "p.pattern",
        &format!("{stream}\npattern p\nbegin create followedBy pay where kind == \"pay\" and amount == create.amount"),
    );
    insta::assert_snapshot!(shell.run("ensue run -p p.pattern -i in.csv"));
}

#[test]
fn a_type_field_may_have_another_name() {
    let shell = Shell::new();
    shell.file("in.csv", "id,kind,ts\n1,create,1\n1,pay,2\n").file("p.pattern", "begin create followedBy pay");
    let line = "ensue run -p p.pattern -i in.csv --key id --time ts --time-unit s --type-field kind --quiet";
    insta::assert_snapshot!(shell.run(line));
}

#[test]
fn a_key_may_have_several_parts_or_none() {
    let shell = Shell::new();
    shell.file("in.csv", "shop,id,type,ts\na,1,create,1\nb,1,pay,2\na,1,pay,3\n");
    let line = format!("{PATTERN} -i in.csv --time ts --time-unit s --quiet");
    insta::assert_snapshot!(format!("{}\n{}", shell.run(&format!("{line} --key shop,id")), shell.run(&line)));
}

#[test]
fn all_kinds_may_go_to_one_file() {
    let line = format!("{EDGE} --matches all --timeouts ./all --late all --rejected all");
    let shown = Shell::new().run_into(&line, &["all"]);
    for kind in ["match", "timeout", "late", "rejected"] {
        assert!(shown.contains(&format!("\n{{\"kind\":\"{kind}\"")), "{shown}");
    }
    assert_eq!(shown.lines().filter(|line| line.starts_with('{') && line.ends_with('}')).count(), 11, "{shown}");
}

#[test]
fn a_misspelt_key_of_json_is_told_by_the_first_event_that_has_none() {
    let line = format!("{PATTERN} -i in.jsonl --key ordr_id --time ts --time-unit ms");
    insta::assert_snapshot!(Shell::new().file("in.jsonl", JSON).run(&line));
}

#[test]
fn a_quiet_run_says_nothing_of_itself() {
    let shown = Shell::new().run(&format!("{EDGE} --quiet"));
    assert!(shown.ends_with("--- stderr\n"), "{shown}");
}

#[test]
fn an_input_without_events_is_no_error() {
    let shell = Shell::new();
    shell.file("in.csv", "").file("header.csv", "order_id,type,ts\n").file("in.jsonl", "\n\n");
    for input in ["in.csv --columns order_id,type,ts", "header.csv", "in.jsonl"] {
        let shown = shell.run(&format!("{PATTERN} -i {input} --key order_id --time ts"));
        let summary = "0 events: 0 matches, 0 timeouts, 0 late, 0 rejected in .. s";
        assert_eq!(shown, format!("--- status 0\n--- stdout\n--- stderr\n{summary}\n"));
    }
}

#[test]
fn a_reader_that_has_seen_enough_ends_the_run_quietly() {
    let shell = Shell::new();
    let event = "{\"order_id\": 1, \"type\": \"create\", \"ts\": 1}\n{\"order_id\": 1, \"type\": \"pay\", \"ts\": 1}\n";
    shell.file("in.jsonl", &event.repeat(20_000));
    let line = "ensue run -p p.pattern -i in.jsonl --key order_id --time ts --time-unit s --timeouts timeouts";
    shell.file("p.pattern", "begin create next pay");
    let mut child = shell.command(&line.replace(" --timeouts timeouts", "")).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), String::from_utf8_lossy(&output.stderr).as_ref()), (Some(0), ""));
    // What others read is written to its end.
    let mut child = shell.command(line).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    let summary = without_seconds(&String::from_utf8_lossy(&output.stderr));
    assert!(summary.starts_with("40000 events: "), "{summary}");
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn evaluation_errors_are_counted_whatever_the_number_of_shards() {
    let shell = Shell::new();
    shell.file("large.pattern", "begin large where amount > 5");
    let events: String =
        (0..6).map(|id| format!("{{\"id\": {id}, \"ts\": {id}, \"amount\": {}}}\n", ["7", "\"7\""][id % 2])).collect();
    shell.file("in.jsonl", &events);
    for shards in [1, 3] {
        let line = format!("ensue run -p large.pattern -i in.jsonl --key id --time ts --time-unit s --shards {shards}");
        let said = shell.run(&line);
        let summary = "6 events: 3 matches, 0 timeouts, 0 late, 0 rejected, 3 evaluation errors in .. s";
        assert!(said.contains(summary), "{said}");
    }
}
