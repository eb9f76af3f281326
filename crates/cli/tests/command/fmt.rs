//! `ensue fmt`: what it writes, what it shows, and what it leaves as it is.

use std::fs;

use crate::shell::{Shell, shown};

/// Two patterns that are not formatted, and one that cannot be read.
fn shell() -> Shell {
    let shell = Shell::new();
    let paid = "/// An order that is paid.\nstream orders { order_id:int @key\n  type: string @type // what happened\n}\n\n\n\
                pattern paid  begin create // the order\n  followedBy ( card|cash )\nwithin 15m\n";
    shell.file("shop/paid.pattern", paid);
    shell.file("shop/deep/short.pattern", "begin a   followedBy b within 5m\n");
    shell.file("wrong.pattern", "begin create\nfolowedBy   pay\n");
    shell
}

#[test]
fn the_patterns_of_the_project_are_formatted() {
    let said = Shell::new().run("ensue fmt --check");
    assert!(said.starts_with("--- status 0\n") && said.contains(" files, all formatted"), "{said}");
}

#[test]
fn what_would_change_is_shown_and_not_written() {
    let shell = shell();
    let before = shell.read("shop/paid.pattern");
    insta::assert_snapshot!(shell.run("ensue fmt --check shop"));
    assert_eq!(shell.read("shop/paid.pattern"), before);
}

#[test]
fn files_are_formatted_and_one_that_cannot_be_read_is_left_as_it_is() {
    let shell = shell();
    insta::assert_snapshot!(
        shell.run_into(
            "ensue fmt shop wrong.pattern",
            &["shop/paid.pattern", "shop/deep/short.pattern", "wrong.pattern"]
        )
    );
    assert!(shell.run("ensue fmt shop").contains("2 files, all formatted"));
}

#[test]
fn a_file_that_is_formatted_is_not_written() {
    let shell = shell();
    shell.run("ensue fmt shop");
    let file = shell.path("shop/paid.pattern");
    let written = || fs::metadata(&file).and_then(|metadata| metadata.modified()).unwrap();
    let before = written();
    shell.run("ensue fmt shop");
    assert_eq!(written(), before);
}

#[test]
fn standard_input_is_formatted_to_standard_output() {
    let shell = Shell::new();
    let outputs = [
        shell.pipe("begin a   where  x>1 next b", "ensue fmt -"),
        shell.pipe("begin a   where  x>1 next b", "ensue fmt --check -"),
        shell.pipe("begin a next b\n", "ensue fmt --check -"),
        shell.pipe("begin a wher x\n", "ensue fmt -"),
    ];
    insta::assert_snapshot!(outputs.map(|output| shown(&output)).join("\n"));
}

#[test]
fn what_is_not_there_is_named() {
    let shell = shell();
    let lines = ["ensue fmt examples/order-payment", "ensue fmt nowhere", "ensue fmt - shop", "ensue fmt --chek shop"];
    insta::assert_snapshot!(lines.map(|line| shell.run(line)).join("\n"));
}
