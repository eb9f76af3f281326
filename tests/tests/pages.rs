//! The pages of the manual do what they say, and lead somewhere.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use ensue_testkit::cases;
use ensue_tests::markdown::{blocks, document, hold, path};
use ensue_tests::page::run;

/// The pages, as `docs` names them.
fn pages() -> BTreeSet<String> {
    let root = path("");
    let files = cases::find(std::slice::from_ref(&root), "md").expect("the manual is there");
    let name = |file: &PathBuf| file.strip_prefix(&root).expect("it is in the manual").to_string_lossy().into_owned();
    files.iter().map(name).collect()
}

/// The test that runs the blocks of a page, and the words of those that it knows and this one does not.
enum Tested {
    /// By this one. Beside patterns and cases, blocks of these words stand there, which nobody runs.
    Here(&'static [&'static str]),
    /// By a test in this file of the project.
    By(&'static str),
}

fn tested(page: &str) -> Tested {
    match page {
        "language.md" => Tested::By("tests/tests/manual.rs"),
        "functions.md" => Tested::By("tests/tests/functions.rs"),
        "trace.md" => Tested::By("crates/cli/tests/command/trace.rs"),
        "explain.md" => Tested::By("crates/cli/tests/command/explain.rs"),
        "start.md" | "tools.md" | "jobs.md" => Tested::By("crates/cli/tests/command/manual.rs"),
        "rust.md" => Tested::By("tests/src/lib.rs"),
        page if page.starts_with("errors/") => Tested::By("tests/tests/errors.rs"),
        page if page.starts_with("from/") => Tested::Here(&["java", "sql", "eql", "epl"]),
        "cases.md" => Tested::Here(&["sh", "text", "rust"]),
        "style.md" => Tested::Here(&["sh", "before"]),
        "performance.md" => Tested::Here(&["sh", ""]),
        _ => Tested::Here(&[]),
    }
}

#[test]
fn every_pattern_compiles_and_every_case_passes() {
    let mut wrong = String::new();
    for page in pages() {
        match tested(&page) {
            Tested::Here(others) => wrong.push_str(&run(&page, others)),
            Tested::By(test) => assert!(path("..").join(test).exists(), "{page} is tested by {test}"),
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// The targets of the links of a page, with the text of each.
fn links(page: &str) -> Vec<String> {
    let mut text = page.to_owned();
    for block in blocks(page) {
        text = text.replacen(&block.text, "", 1);
    }
    let targets = text.split("](").skip(1).map(|rest| rest.split(')').next().unwrap_or_default().to_owned());
    targets.filter(|target| !target.starts_with("http")).collect()
}

/// The page that a link leads to, from the page on which it stands.
fn resolved(page: &str, target: &str) -> String {
    let mut parts: Vec<String> = Vec::new();
    let joined = Path::new(page).parent().unwrap_or(Path::new("")).join(target);
    for part in joined.components() {
        match part {
            Component::ParentDir => drop(parts.pop()),
            part => parts.push(part.as_os_str().to_string_lossy().into_owned()),
        }
    }
    parts.join("/")
}

/// The anchors of a page: its headings, as mdBook and the forges make them.
fn anchors(page: &str) -> BTreeSet<String> {
    let mut text = page.to_owned();
    for block in blocks(page) {
        text = text.replacen(&block.text, "", 1);
    }
    let headings = text.lines().filter(|line| line.starts_with('#')).map(|line| line.trim_start_matches('#').trim());
    let kept = |char: &char| char.is_alphanumeric() || matches!(char, '-' | '_' | ' ');
    headings.map(|heading| heading.to_lowercase().chars().filter(kept).collect::<String>().replace(' ', "-")).collect()
}

#[test]
fn every_link_leads_to_a_page_and_a_heading() {
    let mut wrong = String::new();
    for page in pages() {
        for target in links(&document(&page)) {
            let (file, anchor) = target.split_once('#').map_or((target.as_str(), None), |(file, at)| (file, Some(at)));
            let to = if file.is_empty() { page.clone() } else { resolved(&page, file) };
            let is_there = path(&to).exists()
                && anchor.is_none_or(|anchor| !to.ends_with(".md") || anchors(&document(&to)).contains(anchor));
            if !is_there {
                wrong.push_str(&format!("docs/{page}: {target}\n"));
            }
        }
    }
    assert!(wrong.is_empty(), "lead nowhere:\n{wrong}");
}

/// The summary with the pages of all codes below the one that lists them.
fn with_codes(summary: &str) -> String {
    let pages = pages();
    let codes = pages.iter().filter(|page| page.starts_with("errors/E"));
    let title = |page: &str| document(page).lines().next().unwrap_or_default().trim_start_matches("# ").to_owned();
    let codes: String = codes.map(|page| format!("  - [{}]({page})\n", title(page))).collect();
    let lines = summary.lines().filter(|line| !line.contains("](errors/E"));
    let below = |line: &str| if line.ends_with("](errors/README.md)") { codes.as_str() } else { "" };
    lines.map(|line| format!("{line}\n{}", below(line))).collect()
}

#[test]
fn the_summary_names_every_page_once() {
    let summary = document("SUMMARY.md");
    hold("SUMMARY.md", &with_codes(&summary));
    let mut named = links(&with_codes(&summary));
    named.sort();
    let all: Vec<String> = pages().into_iter().filter(|page| page != "SUMMARY.md").collect();
    assert_eq!(named, all);
}

#[test]
fn every_word_of_the_language_has_a_colour() {
    let grammar = std::fs::read_to_string(path("../crates/lang/src/grammar.pest")).expect("the grammar is there");
    let words = grammar.lines().filter(|line| line.starts_with("kw_")).filter_map(|line| line.split('"').nth(1));
    let colours = std::fs::read_to_string(path("theme/ensue.js")).expect("the theme is there");
    let coloured: BTreeSet<&str> = colours.split(|char: char| !char.is_alphanumeric()).collect();
    let missing: Vec<&str> = words.filter(|word| !coloured.contains(word)).collect();
    assert!(missing.is_empty(), "docs/theme/ensue.js does not know {missing:?}");
}
