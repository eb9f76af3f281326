//! `ensue explain`: what is said of patterns, and their listings.

use std::fs;

use crate::shell::{Shell, project, shown};

const COSTS: &str = r#"
/// Anybody who comes back.
pattern constant
key user
begin visit
followedBy buy

pattern starts
key user, shop
begin visit
followedBy buy
within 1h

/// Prices that rise three times or more,
/// and fall again.
pattern values
begin tick
followedBy up{3,} where type == "tick" and price > last(up).price ?? tick.price
followedBy down where type == "tick" and price < last(up).price

pattern both
key user
begin visit
followedBy look+
followedBy buy where type == "buy" and item == last(look).item
within 30m

pattern absence
key user
begin visit
notFollowedBy buy
within 1d

pattern skipping
begin visit+
followedBy buy
within 1h
skip to last visit

pattern strict
begin visit
next buy

pattern any_order
key user
begin visit
followedBy any 2 of (praise & share next again where type == "share" & buy)
within 1h

pattern alone
begin visit where time() > @2021-01-19T00:00:00Z
"#;

fn explain(line: &str) -> String {
    let shell = Shell::new();
    shell.file("costs.pattern", COSTS);
    shell.file("misspelt.pattern", "begin create where tpe == \"create\"\nfolowedBy pay\nwithin 15m\n");
    shell.file("large.pattern", "begin a{70000}\n");
    shell.run(line)
}

#[test]
fn each_kind_of_cost_is_said_in_words() {
    insta::assert_snapshot!(explain("ensue explain costs.pattern"));
}

/// A pattern or more for each construct of the language.
const CONSTRUCTS: &str = include_str!("constructs.pattern");

#[test]
fn each_construct_is_said_in_sentences() {
    let shell = Shell::new();
    shell.file("constructs.pattern", CONSTRUCTS);
    insta::assert_snapshot!(shell.run("ensue explain constructs.pattern"));
}

#[test]
fn the_patterns_of_the_project_are_said_in_sentences() {
    let shell = Shell::new();
    let mut files: Vec<String> = fs::read_dir(shell.path("patterns"))
        .unwrap()
        .map(|entry| format!("patterns/{}", entry.unwrap().file_name().to_str().unwrap()))
        .filter(|file| file.ends_with(".pattern"))
        .collect();
    files.sort();
    insta::assert_snapshot!(shell.run(&format!("ensue explain {}", files.join(" "))));
}

/// One snapshot for each way to draw, in a file that can be looked at.
#[test]
fn each_construct_is_drawn() {
    let shell = Shell::new();
    shell.file("constructs.pattern", CONSTRUCTS);
    let drawn = |option: &str| shell.command(&format!("ensue explain constructs.pattern {option}")).output().unwrap();
    insta::assert_binary_snapshot!("constructs_in_svg.svg", drawn("--svg").stdout);
    insta::assert_binary_snapshot!("constructs_in_dot.dot", drawn("--dot").stdout);
    insta::assert_binary_snapshot!("constructs_in_mermaid.mmd", drawn("--mermaid").stdout);
}

/// What is in names and conditions must not be taken for what the drawing is written in.
#[test]
fn what_a_condition_holds_does_not_break_a_drawing() {
    let shell = Shell::new();
    let condition = r##"x == "<b>&amp; \"q\" #35; `code` \\n ]] |" and y like "%\u0001größe 漢字%""##;
    shell.file(
        "odd.pattern",
        &format!("/// <script> & \"doc\" ]]>\nbegin größe where {condition}\nnext end where true\n"),
    );
    insta::assert_snapshot!(
        ["--svg", "--dot", "--mermaid"]
            .map(|option| {
                let drawn = shell.run(&format!("ensue explain odd.pattern {option}"));
                let (style_begins, style_ends) = ("<style>", "</style>");
                match (drawn.find(style_begins), drawn.find(style_ends)) {
                    (Some(begin), Some(end)) => drawn[..begin].to_owned() + &drawn[end + style_ends.len()..],
                    _ => drawn,
                }
            })
            .join("\n")
    );
}

#[test]
fn a_drawing_goes_to_a_file_if_all_patterns_are_right() {
    let shell = Shell::new();
    shell.file("wrong.pattern", "begin a where x >\n");
    let right = "patterns/order_payment.pattern patterns/close_order.pattern";
    assert_eq!(shell.run(&format!("ensue explain {right} --dot=both.dot")), "--- status 0\n--- stdout\n--- stderr\n");
    assert!(shell.read("both.dot").contains("close_order"));
    assert!(shell.run(&format!("ensue explain {right} wrong.pattern --svg=some.svg")).starts_with("--- status 1\n"));
    assert!(!shell.path("some.svg").exists());
    insta::assert_snapshot!(shell.run("ensue explain patterns/order_payment.pattern --mermaid=nowhere/a.mmd"));
    assert!(shell.run("ensue explain patterns/order_payment.pattern --svg --dot").starts_with("--- status 2\n"));
}

/// The pictures that the manual and the README show.
const PICTURES: [&str; 4] = ["order_payment", "bill_check", "close_order", "order_lifecycle"];

#[test]
fn the_pictures_of_the_manual_are_those_of_the_patterns() {
    let shell = Shell::new();
    for name in PICTURES {
        let key = if name == "order_payment" { "--key order_id" } else { "" };
        let output = shell.command(&format!("ensue explain patterns/{name}.pattern {key} --svg")).output().unwrap();
        hold(&format!("docs/pictures/{name}.svg"), &String::from_utf8(output.stdout).unwrap());
    }
}

#[test]
fn the_page_of_explain_shows_what_is_printed() {
    let (shell, page) = (Shell::new(), fs::read_to_string(project().join(PAGE)).unwrap());
    fs::create_dir_all(shell.path("docs/pictures")).unwrap();
    let mut blocks = page.split("```console\n$ ");
    let mut expected = blocks.next().unwrap().to_owned();
    for block in blocks {
        let (line, behind) = block.split_once('\n').unwrap();
        let (_, behind) = behind.split_once("```\n").unwrap();
        let output = shell.command(line).output().unwrap();
        assert!(output.status.success(), "{line}");
        expected += &format!("```console\n$ {line}\n{}```\n{behind}", String::from_utf8(output.stdout).unwrap());
    }
    hold(PAGE, &expected);
}

const PAGE: &str = "docs/explain.md";

/// Holds a file of the project to what it should be; writes it anew where snapshots are.
fn hold(name: &str, expected: &str) {
    let path = project().join(name);
    if std::env::var_os("INSTA_UPDATE").is_some_and(|update| update == "always") {
        return fs::write(path, expected).unwrap();
    }
    let found = fs::read_to_string(path).unwrap_or_default();
    assert!(found == expected, "{name} is not up to date; run `INSTA_UPDATE=always cargo test -p ensue-cli`");
}

#[test]
fn a_program_is_listed() {
    insta::assert_snapshot!(explain("ensue explain --program patterns/order_payment.pattern"));
}

#[test]
fn what_is_wrong_is_said_and_the_rest_explained() {
    insta::assert_snapshot!(explain(
        "ensue explain misspelt.pattern large.pattern patterns/order_payment.pattern --columns order_id,type,ts --key order_id"
    ));
}

#[test]
fn a_file_that_cannot_be_read_and_a_wrong_call_have_statuses_of_their_own() {
    insta::assert_snapshot!(explain("ensue explain patterns/order_payment.pattern missing.pattern"));
    assert!(explain("ensue explain").starts_with("--- status 2\n"));
}

#[test]
fn the_example_of_the_help_works() {
    let shell = Shell::new();
    let help = shell.command("ensue explain --help").output().unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    let (_, example) = help.split_once("Example, from the project's root:\n  ").unwrap();
    let (example, _) = example.split_once("\n\n").unwrap();
    let output = shown(&shell.command(example).output().unwrap());
    assert!(output.starts_with("--- status 0\n") && output.contains("one group per start"), "{output}");
}

/// Patterns over two streams and over what one of them emits.
const COMPOSED: [(&str, &str); 4] = [
    (
        "streams.pattern",
        "stream orders { id: int @key  type: string @type }\nstream receipts { order: int @key  amount: decimal? }\n",
    ),
    (
        "paid.pattern",
        "pattern paid\nfrom orders, receipts\nbegin create: orders\nfollowedBy pay: receipts where true\nwithin 1h\n\
         emit { amount: pay.amount }\ntimeout unpaid { id: create.id, waited: deadline() - time(create) }\n",
    ),
    (
        "rare.pattern",
        "pattern rare\nfrom unpaid\nbegin one where id > 0\nfollowedBy two where true\nwithin 1d\n\
         emit { id: two.id } where two.waited > one.waited\ntimeout none\n",
    ),
    ("often.pattern", "pattern often\nkey id\nfrom unpaid\nbegin one{2} where waited > 1m\n"),
];

#[test]
fn streams_and_records_are_said_and_files_that_belong_together_know_each_others() {
    let shell = Shell::new();
    for (name, text) in COMPOSED {
        shell.file(name, text);
    }
    let files = COMPOSED.map(|(name, _)| name).join(" ");
    let lines =
        ["ensue explain --together", "ensue check --together", "ensue check"].map(|line| format!("{line} {files}"));
    insta::assert_snapshot!(lines.map(|line| format!("$ {line}\n{}", shell.run(&line))).join("\n"));
}
