//! The page of cases says what is: its cases pass, the one that fails is shown as it is there, and its settings are all that
//! there are.

use std::fs;

use ensue_testkit::cases::{self, FileReport, Verdict};
use ensue_testkit::coverage::Coverage;
use ensue_tests::markdown::{Block, blocks, document};

/// The cases of a text beside a pattern and files.
fn run(pattern: &str, files: &[(&str, String)], text: &str) -> FileReport {
    let folder = tempfile::tempdir().expect("there is room");
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).expect("the folder is there");
    write("page.pattern", pattern);
    write("page.case", text);
    files.iter().for_each(|(name, text)| write(name, text));
    cases::run(&folder.path().join("page.case"), &mut Coverage::default())
}

fn complaints(FileReport { cases, unread, .. }: &FileReport) -> String {
    let complaints = cases.iter().filter_map(|case| case.verdict.complaint());
    complaints.chain(unread.as_deref()).collect()
}

#[test]
fn every_case_does_what_is_said_of_it() {
    let page = document("cases.md");
    let mut pattern = String::new();
    let mut files = Vec::new();
    let mut failed = None;
    for Block { word, line, text } in blocks(&page) {
        match word {
            "ensue" => {
                pattern = text;
                files.clear();
            }
            "case" => {
                let report = run(&pattern, &files, &text);
                assert!(report.passed(), "line {line}:\n{}", complaints(&report));
            }
            "case fails" => failed = Some(run(&pattern, &files, &text)),
            "report" => {
                let report = failed.take().expect("a case that fails stands before its report");
                assert!(matches!(report.cases[0].verdict, Verdict::Differs(_)), "line {line}");
                assert_eq!(complaints(&report), text, "line {line}");
            }
            word if word.starts_with("file ") => files.push((&word["file ".len()..], text)),
            "sh" | "text" | "rust" => {}
            other => panic!("line {line}: no block is called {other:?}"),
        }
    }
    assert!(failed.is_none(), "a case that fails is followed by its report");
}

#[test]
fn every_setting_is_on_the_page() {
    let page = document("cases.md");
    let report = run("begin a where true", &[], "nonsense\n");
    let said = complaints(&report);
    let words: Vec<&str> = said.split('`').skip(1).step_by(2).filter(|word| *word != "nonsense").collect();
    assert!(words.len() > 10, "{said}");
    for word in words {
        assert!(
            page.contains(&format!("\n{word}")) || page.contains(&format!("| `{word} ")),
            "`{word}` is not on the page"
        );
    }
}
