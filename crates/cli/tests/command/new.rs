//! `ensue new`: everything in the folder runs, as its README says.

use std::fs;
use std::path::Path;
use std::process::Output;

use crate::shell::{Shell, shown};

/// What a line gives in a new project.
fn in_project(shell: &Shell, line: &str) -> Output {
    shell.command(line).current_dir(shell.path("shop")).output().unwrap()
}

/// All files in a folder, by their paths.
fn files(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        match entry.file_type().unwrap().is_dir() {
            true => found.extend(files(&entry.path()).into_iter().map(|inner| format!("{name}/{inner}"))),
            false => found.push(name),
        }
    }
    found.sort();
    found
}

#[test]
fn a_new_project_says_what_to_do_next() {
    let shell = Shell::new();
    let said = shell.run("ensue new shop");
    let next = ["ensue test", "ensue run -p patterns/orders.pattern -i events.csv"];
    let came = next.map(|line| format!("\n$ {line}\n{}", shown(&in_project(&shell, line))));
    assert!(next.iter().all(|line| said.contains(&format!("  {line}\n"))), "{said}");
    insta::assert_snapshot!(format!("{said}\n{}\n{}", files(&shell.path("shop")).join("\n"), came.concat()));
}

#[test]
fn every_command_of_its_readme_and_its_workflow_runs() {
    let shell = Shell::new();
    shell.run("ensue new shop");
    let readme = shell.read("shop/README.md");
    assert!(readme.starts_with("# shop\n"), "{readme}");
    let workflow = shell.read("shop/.github/workflows/ensue.yml");
    let of_readme = readme.split("```sh\n").skip(1).flat_map(|block| block.split("```").next().unwrap().lines());
    let of_workflow = workflow.lines().filter_map(|line| line.trim().strip_prefix("- run: "));
    let lines: Vec<&str> = of_readme.chain(of_workflow).collect();
    assert_eq!(lines.len(), 7, "{lines:?}");
    for line in lines {
        let output = in_project(&shell, line);
        assert!(output.status.success(), "{line}\n{}", shown(&output));
    }
    // What the commands write is not for the repository.
    assert!(shell.read("shop/.gitignore").contains("/cases.xml\n"));
}

#[test]
fn what_it_begins_with_is_formatted() {
    let shell = Shell::new();
    shell.run("ensue new shop");
    let output = in_project(&shell, "ensue fmt");
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "1 file, all formatted\n");
}

#[test]
fn a_folder_that_is_not_empty_is_left_as_it_is() {
    let shell = Shell::new();
    shell.file("full/notes", "mine").file("file", "mine");
    fs::create_dir(shell.path("empty")).unwrap();
    let lines = ["ensue new full", "ensue new file", "ensue new file/inner", "ensue new", "ensue new empty"];
    insta::assert_snapshot!(lines.map(|line| format!("$ {line}\n{}", shell.run(line))).join("\n"));
    assert_eq!(files(&shell.path("full")), ["notes"]);
}
