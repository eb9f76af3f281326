//! The pages of the manual that show commands: what they say is printed is what is printed.

use std::fs;
use std::path::PathBuf;

use crate::shell::{Shell, project, without_seconds};

#[test]
fn the_first_five_minutes_go_as_they_are_told() {
    check("start.md");
}

#[test]
fn the_tools_print_what_is_told() {
    check("tools.md");
}

#[test]
fn a_job_does_what_is_told_of_jobs() {
    check("jobs.md");
}

/// Goes through a page in its order: writes its files into an empty folder, and runs its commands there. What they print is
/// written into the page where snapshots are.
fn check(page: &str) {
    let path = project().join("docs").join(page);
    let text = fs::read_to_string(&path).unwrap();
    let shell = Shell::empty();
    let mut written = String::new();
    let mut rest = text.as_str();
    while let Some((before, block)) = rest.split_once("\n```") {
        let (word, block) = block.split_once('\n').unwrap();
        let (block, after) = block.split_once("\n```\n").unwrap();
        let block = match word.strip_prefix("file ") {
            Some(name) => {
                shell.file(name, &format!("{block}\n"));
                block.to_owned()
            }
            None if word == "console" => printed(&shell, block),
            None => block.to_owned(),
        };
        written.push_str(&format!("{before}\n```{word}\n{block}\n```\n"));
        rest = after;
    }
    written.push_str(rest);
    for name in text.split("](images/").skip(1).filter_map(|rest| rest.split(')').next()) {
        check_picture(&shell, name);
    }
    if without_seconds(&written) != without_seconds(&text) && !is_written(&path, &written) {
        similar(&text, &written, page);
    }
}

/// Holds a picture of the manual against the one of that name that a command of its page has drawn.
fn check_picture(shell: &Shell, name: &str) {
    let path = project().join("docs/images").join(name);
    let (found, drawn) = (fs::read_to_string(&path).unwrap_or_default(), shell.read(name));
    assert!(found == drawn || is_written(&path, &drawn), "docs/images/{name}: `INSTA_UPDATE=always` draws it anew");
}

/// The commands of a block, each with what it prints.
fn printed(shell: &Shell, block: &str) -> String {
    let commands = block.lines().filter(|line| line.starts_with("$ "));
    let shown = commands.map(|line| {
        let command = line.strip_prefix("$ ").unwrap();
        let printed = match command.strip_prefix("cat ") {
            Some(name) => shell.read(name),
            None => {
                let output = shell.command(command).output().unwrap();
                String::from_utf8([output.stdout, output.stderr].concat()).unwrap()
            }
        };
        format!("{line}\n{printed}")
    });
    shown.collect::<String>().trim_end().to_owned()
}

fn is_written(path: &PathBuf, text: &str) -> bool {
    let update = std::env::var_os("INSTA_UPDATE").is_some_and(|update| update == "always");
    update.then(|| fs::write(path, text).unwrap()).is_some()
}

fn similar(found: &str, printed: &str, page: &str) {
    let differ = found.lines().zip(printed.lines()).position(|(found, printed)| found != printed).unwrap_or(0);
    let line = |text: &str| text.lines().nth(differ).unwrap_or_default().to_owned();
    panic!(
        "docs/{page}:{}: it says\n{}\nand this is printed\n{}\n`INSTA_UPDATE=always` writes it",
        differ + 1,
        line(found),
        line(printed)
    );
}
