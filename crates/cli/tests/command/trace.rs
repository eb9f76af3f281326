//! `ensue trace`: what happened to a key, as text, as lines of JSON, as a page.

use crate::shell::{Shell, shown};

const ORDERS: &str = "-i examples/order-payment/OrderLog.csv --columns order_id,type,tx_id,ts --time ts --time-unit s";
const EDGE: &str = "-i examples/order-payment/orders-edge.csv --time time --watermark out-of-order=1m";

/// An order that was paid in full, one that was refunded, one that was paid too late; and another order between them.
const PAYMENTS: &str = "\
order_id,type,amount,ts
7,create,20,2026-11-20T21:58:00Z
8,create,1,2026-11-20T21:58:30Z
7,view,0,2026-11-20T21:59:10Z
7,pay,5,2026-11-20T22:01:30Z
7,pay,20,2026-11-20T22:03:00Z
7,ship,0,2026-11-20T22:20:00Z
7,view,0,2026-11-20T22:20:10Z
7,view,0,2026-11-20T22:20:20Z
7,ship,0,2026-11-20T22:20:30Z
7,create,35,2026-11-20T22:21:00Z
7,refund,20,2026-11-20T22:24:00Z
7,create,40,2026-11-20T22:30:00Z
7,pay,12,2026-11-20T22:33:00Z
7,pay,40,2026-11-20T22:46:40Z
";

const IN_FULL: &str = "\
pattern paid_in_full
key order_id
begin create
notFollowedBy refund
followedBy pay where type == \"pay\" and amount == create.amount
within 15m
";

pub(crate) fn payments() -> Shell {
    let shell = Shell::new();
    shell.file("full.pattern", IN_FULL).file("payments.csv", PAYMENTS);
    shell
}

#[test]
fn a_match_and_a_timeout_are_told_from_their_first_event_on() {
    let shell = Shell::new();
    let line = format!("ensue trace patterns/order_payment.pattern {ORDERS} --key order_id=");
    let orders: Vec<String> = ["1234", "1235"].iter().map(|order| shell.run(&format!("{line}{order}"))).collect();
    insta::assert_snapshot!(orders.join("\n"));
}

#[test]
fn what_ends_a_run_is_told_with_the_condition_and_its_values() {
    insta::assert_snapshot!(payments().run("ensue trace full.pattern -i payments.csv --time ts --key 7"));
}

#[test]
fn a_line_of_json_tells_each_step() {
    insta::assert_snapshot!(payments().run("ensue trace full.pattern -i payments.csv --time ts --key 7 --format json"));
}

#[test]
fn the_ids_of_outputs_are_those_of_a_run() {
    let shell = Shell::new();
    let run = shell.run(&format!("ensue run -p patterns/order_payment.pattern {ORDERS} --key order_id -q"));
    for order in ["1234", "1236"] {
        let line = format!("ensue trace patterns/order_payment.pattern {ORDERS} --format json --key order_id={order}");
        let trace = shell.run(&line);
        let id = trace.split("\"id\":\"").nth(1).and_then(|rest| rest.split('"').next()).expect("there is an output");
        assert!(run.contains(&format!("{{\"order_id\":{order}}}")) && run.contains(id), "{run}\n{trace}");
    }
}

#[test]
fn negations_loops_forks_and_skip_strategies_are_told() {
    let shell = Shell::new();
    shell.file(
        "skip.pattern",
        "pattern skipping\nbegin a where type == \"a\"\nfollowedBy b{1,2} where type == \"b\"\nnext c where type == \"c\"\n\
         within 1m\nskip past last\nemit done { many: count(b) }",
    );
    let events = ["a 0", "b 1", "x 2", "b 3", "c 4", "a 5", "a 6", "b 7", "d 8", "a 9"];
    let event = |event: &&str| {
        let (kind, second) = event.split_once(' ').expect("a type and a second");
        format!("{{\"type\": \"{kind}\", \"ts\": {second}}}\n")
    };
    shell.file("in.jsonl", &events.iter().map(event).collect::<String>());
    insta::assert_snapshot!(shell.run("ensue trace skip.pattern -i in.jsonl --time ts --time-unit s"));
}

#[test]
fn an_absence_is_told_with_when_it_is_a_match() {
    let shell = payments();
    shell.file("absence.pattern", "pattern quiet key order_id begin create notFollowedBy pay within 15m");
    insta::assert_snapshot!(shell.run("ensue trace absence.pattern -i payments.csv --time ts --key 8"));
}

#[test]
fn what_keeps_a_match_from_coming_out_is_told() {
    let shell = payments();
    let body = "key order_id\nbegin pay";
    shell.file("cold.pattern", &format!("pattern cold\n{body}\ncooldown 10m"));
    shell.file(
        "where.pattern",
        &format!("pattern few\n{body}\nemit large {{ amount: pay.amount }} where pay.amount > 15"),
    );
    let lines = ["cold", "where"]
        .map(|name| shell.run(&format!("ensue trace {name}.pattern -i payments.csv --time ts --key 7")));
    insta::assert_snapshot!(lines.join("\n"));
}

#[test]
fn records_of_other_patterns_are_events_too() {
    let shell = Shell::new();
    let line =
        "ensue trace patterns/order_lifecycle.pattern -i patterns/inputs/orders.jsonl --watermark out-of-order=5s";
    let without = shell.run(&format!("{line} --key 1"));
    assert!(without.contains("which pattern is it? Say --pattern NAME"), "{without}");
    let unknown = shell.run(&format!("{line} --key 1 --pattern stuck"));
    assert!(unknown.contains("there is no pattern `stuck`: there are `"), "{unknown}");
    shell.file(
        "vip.pattern",
        "stream orders { id: int @key user: string type: string @type ts: timestamp @time }\n\
         pattern unpaid from orders\nbegin create followedBy pay within 10m\ntimeout late { user: create.user, id: create.id }\n\
         pattern twice from late key user\nbegin one where true followedBy other where id != one.id\n",
    );
    let order = |id: i64, user: &str, minute: i64| {
        format!(
            "{{\"id\": {id}, \"user\": \"{user}\", \"type\": \"create\", \"ts\": \"2026-11-20T10:{minute:02}:00Z\"}}\n"
        )
    };
    let events = [order(1, "ann", 0), order(2, "bob", 1), order(3, "ann", 2), order(4, "bob", 59)];
    shell.file("in.jsonl", &events.concat());
    insta::assert_snapshot!(shell.run("ensue trace vip.pattern -i in.jsonl --pattern twice --key ann"));
}

#[test]
fn several_inputs_and_tables_are_read_as_in_a_run() {
    let shell = Shell::new();
    let line = "ensue trace patterns/tx_match.pattern -i orders=examples/order-payment/OrderLog.csv \
                -i receipts=patterns/inputs/ReceiptLog.csv --columns orders=order_id,type,tx_id,ts \
                --columns receipts=tx_id,channel,ts --time-unit s --key akdb3833";
    let dispatch = "ensue trace patterns/dispatch.pattern -i orders=patterns/inputs/dispatch_orders.jsonl \
                    -i items=patterns/inputs/items.jsonl --table products=patterns/inputs/products.csv \
                    --table warehouses=patterns/inputs/warehouses.csv --key 1";
    insta::assert_snapshot!([line, dispatch].map(|line| shell.run(line)).join("\n"));
}

#[test]
fn late_and_rejected_events_of_the_key_are_told_of() {
    let shell = Shell::new();
    let line = format!("ensue trace patterns/order_payment.pattern {EDGE} --key order_id=");
    let orders = ["2003", "2005", "2006"].map(|order| shell.run(&format!("{line}{order}")));
    insta::assert_snapshot!(orders.join("\n"));
}

#[test]
fn a_key_that_does_not_occur_has_a_status_of_its_own_and_near_ones() {
    let shell = payments();
    let line = "ensue trace full.pattern -i payments.csv --time ts";
    let said = ["--key 77", "--key 77 --format json", "--key zebra", "--key \"7\""]
        .map(|key| shell.run(&format!("{line} {key}")));
    insta::assert_snapshot!(said.join("\n"));
}

#[test]
fn a_wrong_key_says_what_to_write() {
    let shell = payments();
    let orders = format!("ensue trace patterns/order_payment.pattern {ORDERS}");
    let full = "ensue trace full.pattern -i payments.csv --time ts";
    let lines = [
        format!("{orders} --key 1234"),
        format!("{orders} --key oder_id=1234"),
        full.to_owned(),
        format!("{full} --key 7,8"),
        format!("{full} --key id=7"),
        format!("{full} --key order_id="),
        format!("{full} --key 7 --key 8"),
        format!("{full} --key 7 --format xml"),
    ];
    insta::assert_snapshot!(lines.map(|line| shell.run(&line)).join("\n"));
}

#[test]
fn a_key_of_several_parts_may_name_them_in_any_order() {
    let shell = Shell::new();
    shell.file("in.csv", "shop,id,type,ts\na,1,create,1\nb,1,pay,2\n\"a,b\",1,pay,3\na,1,pay,4\n");
    let line = "ensue trace patterns/order_payment.pattern -i in.csv --time ts --time-unit s --key";
    let named = shell.run(&format!("{line} shop=a,id=1"));
    assert!(named.contains("order_payment, shop a, id 1: 2 events, 1 run: 1 match, 0 timeouts"), "{named}");
    shell.file("keyed.pattern", "pattern order_payment key shop, id begin create followedBy pay within 15m");
    let keyed = line.replace("patterns/order_payment.pattern", "keyed.pattern");
    for key in ["a,1", "id=1,shop=a", "\"a\",1"] {
        assert_eq!(shell.run(&format!("{keyed} {key}")), named, "{key}");
    }
    let quoted = shell.run(&format!("{keyed} \"a,b\",1"));
    assert!(quoted.contains("order_payment, shop a,b, id 1: 1 event"), "{quoted}");
}

#[test]
fn a_trace_that_is_too_long_says_where_it_ends_and_how_to_see_more() {
    let shell = Shell::new();
    shell.file("any.pattern", "begin a where true followedByAny b where true followedByAny c where true within 1h");
    let events: String = (0..25).map(|second| format!("{{\"ts\": {second}}}\n")).collect();
    shell.file("in.jsonl", &events);
    let line = "ensue trace any.pattern -i in.jsonl --time ts --time-unit s";
    let cut = shell.run(&format!("{line} --steps 100"));
    let told = "the trace ends here, with event 9 of 25: it has come to its bound; a larger --steps N shows more";
    assert!(cut.contains(told), "{cut}");
    assert!(cut.contains("was not compared: not all of its events were followed"), "{cut}");
    let whole = shell.run(line);
    assert!(!whole.contains("--steps") && whole.contains("25 events, "), "{whole}");
}

#[test]
fn the_manual_calls_what_there_is_and_knows_every_kind_of_line() {
    let manual = std::fs::read_to_string(crate::shell::project().join("docs/trace.md")).unwrap();
    let shell = payments();
    let commands = manual.split("\n$ ").skip(1).map(|rest| rest.split("\n$ ").next().unwrap());
    let commands: Vec<&str> = commands.map(|command| command.split("\n```").next().unwrap()).collect();
    assert_eq!(commands.len(), 2);
    for command in commands {
        assert!(shell.run(command).starts_with("--- status 0"), "{command}");
    }
    shell.file(
        "skip.pattern",
        "pattern p key order_id begin any where true followedByAny pay followedBy ship skip past last",
    );
    shell.file("next.pattern", "pattern p key order_id begin create next pay within 15m");
    let line = "-i payments.csv --time ts --format json --key";
    let told: Vec<String> = ["full.pattern", "skip.pattern", "next.pattern"]
        .iter()
        .flat_map(|pattern| ["7", "9"].map(|key| shell.run(&format!("ensue trace {pattern} {line} {key}"))))
        .collect();
    let lines = told.iter().flat_map(|told| told.lines()).filter_map(|line| line.strip_prefix("{\"kind\":\""));
    let mut kinds: Vec<&str> = lines.filter_map(|line| line.split('"').next()).collect();
    kinds.sort_unstable();
    kinds.dedup();
    assert!(kinds.len() >= 11, "{kinds:?}");
    for kind in kinds {
        assert!(manual.contains(&format!("\n| `{kind}` | ")), "docs/trace.md does not know lines of kind `{kind}`");
    }
}

#[test]
fn a_page_is_one_file_with_all_that_it_needs() {
    let shell = payments();
    let line = "ensue trace full.pattern -i payments.csv --time ts --key 7 --html out.html";
    let output = shell.command(line).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", shown(&output));
    let page = shell.read("out.html");
    let data =
        page.split("id=\"data\">").nth(1).and_then(|rest| rest.split("</script>").next()).expect("the page has data");
    let data: serde_json::Value = serde_json::from_str(data).expect("the data is JSON");
    insta::assert_snapshot!(serde_json::to_string_pretty(&data["runs"]).unwrap());
    assert_eq!(data["summary"]["matches"], 1);
    for outside in ["http://", "https://", "src=", "@import", "{{"] {
        assert!(!page.replace("http-equiv", "").contains(outside), "the page has {outside}");
    }
    let missing = shell.run(&line.replace("out.html", "no/out.html"));
    assert!(missing.contains("cannot write `no/out.html`: there is no such folder"), "{missing}");
}

#[test]
fn values_cannot_end_the_script_that_they_stand_in() {
    let shell = Shell::new();
    shell.file("p.pattern", "pattern p key k begin a where true");
    shell.file("in.jsonl", "{\"k\": \"</script><b>\", \"ts\": 1}\n");
    let line = "ensue trace p.pattern -i in.jsonl --time ts --time-unit s --key </script><b> --html out.html";
    let said = shell.run(line);
    assert!(said.starts_with("--- status 0"), "{said}");
    let page = shell.read("out.html");
    assert_eq!(page.matches("</script>").count(), 2);
    assert!(page.contains("<title>p, k &lt;/script&gt;&lt;b&gt;</title>"));
}
