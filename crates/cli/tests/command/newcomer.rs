//! What people type who do not know the command yet: they are told what to type instead.

use crate::shell::Shell;

#[test]
fn who_takes_one_file_for_another_is_told_which_it_is() {
    let shell = Shell::new();
    shell.run("ensue new shop");
    shell.file("shop/alone.pattern", "begin a followedBy b\n");
    let lines = [
        "ensue check shop/events.csv",
        "ensue fmt shop/README.md",
        "ensue run -p shop/patterns/orders.case -i shop/events.csv",
        "ensue run -p shop/patterns -i shop/events.csv",
        "ensue run -p shop/patterns/orders.pattern -i shop",
        "ensue run -p shop/patterns/orders.pattern -i shop/README.md",
        "ensue run shop/patterns/orders.pattern",
        "ensue test shop/events.csv",
        "ensue test shop/alone.pattern",
        "ensue man shop/README.md",
    ];
    insta::assert_snapshot!(lines.map(|line| format!("$ {line}\n{}", shell.run(line))).join("\n"));
}

#[test]
fn a_pattern_stands_for_the_cases_beside_it() {
    let shell = Shell::new();
    shell.run("ensue new shop");
    let said = shell.run("ensue test shop/patterns/orders.pattern");
    assert_eq!(said, shell.run("ensue test shop/patterns/orders.case"));
    assert!(said.starts_with("--- status 0\n") && said.contains("3 cases: 3 passed"), "{said}");
}

#[test]
fn who_says_nothing_is_shown_the_commands() {
    let shell = Shell::new();
    let help = shell.command("ensue --help").output().unwrap().stdout;
    assert_eq!(shell.command("ensue").output().unwrap().stderr, help);
}

#[test]
fn a_word_that_is_misspelt_is_guessed() {
    let shell = Shell::new();
    let lines = ["ensue chek", "ensue tset", "ensue fmt --chekc", "ensue run --pattren x", "ensue completions tcsh"];
    insta::assert_snapshot!(lines.map(|line| format!("$ {line}\n{}", shell.run(line))).join("\n"));
}
