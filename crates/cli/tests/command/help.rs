//! What the command says of itself: help, manual pages, and scripts that complete it.

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use crate::shell::{Shell, shown};

fn help(shell: &Shell, command: &str, columns: &str) -> String {
    let output = shell.command(&format!("ensue {command} --help")).env("COLUMNS", columns).output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

/// The names of all commands, as the help lists them.
fn commands(shell: &Shell) -> Vec<String> {
    let help = help(shell, "", "100");
    let (_, listed) = help.split_once("Commands:\n").unwrap();
    let (listed, _) = listed.split_once("\n\n").unwrap();
    let names = listed.lines().filter_map(|line| line.strip_prefix("  ")).filter(|line| !line.starts_with(' '));
    names.filter_map(|line| line.split_whitespace().next()).map(str::to_owned).filter(|name| name != "help").collect()
}

/// The lines of a shell below those that say that an example comes: each with those that go on behind a backslash.
fn examples(help: &str) -> Vec<String> {
    let mut examples: Vec<String> = Vec::new();
    for line in help.lines().filter_map(|line| line.strip_prefix("  ")) {
        match examples.last_mut() {
            Some(last) if last.ends_with('\\') => {
                last.push('\n');
                last.push_str(line);
            }
            _ if line.starts_with("ensue ") || line.contains("<(ensue ") => examples.push(line.to_owned()),
            _ => {}
        }
    }
    examples
}

/// Runs a line in a shell whose home is a folder of the test, and where `ensue` is the command.
fn bash(shell: &Shell, line: &str) -> Output {
    let folder = Path::new(env!("CARGO_BIN_EXE_ensue")).parent().unwrap();
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap());
    let mut command = Command::new("bash");
    command
        .args(["-c", line])
        .current_dir(shell.path(""))
        .env("PATH", path)
        .env("HOME", shell.path(""))
        .stdin(Stdio::null());
    command.output().unwrap()
}

fn is_there(program: &str) -> bool {
    Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok()
}

#[test]
fn the_help_says_all_there_is_to_say() {
    let shell = Shell::new();
    let commands = commands(&shell);
    let shown = [String::new()].iter().chain(&commands).map(|command| help(&shell, command, "80")).collect::<Vec<_>>();
    insta::assert_snapshot!(shown.join("\n────\n\n"));
}

#[test]
fn no_line_of_the_help_is_wider_than_a_terminal() {
    let shell = Shell::new();
    for command in commands(&shell) {
        for line in help(&shell, &command, "80").lines() {
            assert!(line.chars().count() <= 80, "{command}: {line}");
        }
    }
}

#[test]
fn every_command_has_an_example_that_works() {
    for command in commands(&Shell::new()) {
        let shell = Shell::new();
        let examples = examples(&help(&shell, &command, "80"));
        assert!(!examples.is_empty(), "the help of {command} shows no example");
        for example in examples {
            let output = bash(&shell, &example);
            assert!(output.status.success(), "{example}\n{}", shown(&output));
        }
    }
}

#[test]
fn the_scripts_name_every_command_and_bash_can_read_its_own() {
    let shell = Shell::new();
    for name in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let output = shell.command(&format!("ensue completions {name}")).output().unwrap();
        assert!(output.status.success() && output.stderr.is_empty(), "{}", shown(&output));
        let script = String::from_utf8(output.stdout).unwrap();
        for command in commands(&shell) {
            assert!(script.contains(&command), "{name} does not know {command}");
        }
    }
    let output = bash(&shell, "bash -n <(ensue completions bash)");
    assert!(output.status.success(), "{}", shown(&output));
}

#[test]
fn bash_completes_commands_options_and_files() {
    let shell = Shell::new();
    let completed = |line: &str| {
        let words: Vec<&str> = line.split(' ').collect();
        let script = format!(
            "source <(ensue completions bash); COMP_WORDS=({}); COMP_CWORD={}; _ensue ensue \"{}\" \"{}\"; echo \"${{COMPREPLY[@]}}\"",
            words.iter().map(|word| format!("'{word}'")).collect::<Vec<_>>().join(" "),
            words.len() - 1,
            words[words.len() - 1],
            words[words.len() - 2],
        );
        String::from_utf8(bash(&shell, &script).stdout).unwrap().trim().to_owned()
    };
    assert_eq!(completed("ensue ex"), "explain");
    assert_eq!(completed("ensue fmt --c"), "--check");
    assert_eq!(
        completed("ensue run -p patterns/order_payment."),
        "patterns/order_payment.case patterns/order_payment.pattern"
    );
}

#[test]
fn the_manual_has_a_page_for_each_command_that_groff_takes_without_a_word() {
    let shell = Shell::new();
    let output = shell.command("ensue man pages").output().unwrap();
    assert!(output.status.success(), "{}", shown(&output));
    let mut pages: Vec<String> = commands(&shell).iter().map(|command| format!("ensue-{command}.1")).collect();
    pages.push("ensue.1".to_owned());
    pages.sort();
    let mut found: Vec<String> = fs::read_dir(shell.path("pages"))
        .unwrap()
        .map(|page| page.unwrap().file_name().into_string().unwrap())
        .collect();
    found.sort();
    assert_eq!(found, pages);
    if is_there("groff") {
        let output = bash(&shell, "groff -man -ww -Tutf8 -z pages/*.1");
        assert!(output.status.success() && output.stderr.is_empty(), "{}", shown(&output));
    }
    assert_eq!(shell.command("ensue man").output().unwrap().stdout, shell.read("pages/ensue.1").into_bytes());
}

#[test]
fn examples_of_a_page_are_not_filled_up_like_text() {
    let shell = Shell::new();
    shell.run("ensue man pages");
    insta::assert_snapshot!(shell.read("pages/ensue-check.1"));
}
