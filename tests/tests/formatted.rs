//! The patterns that the documents show are as `ensue fmt` writes them; and whatever is formatted means the same.

use ensue_lang::{Options, Source, compile, format};
use ensue_model::Patterns;
use ensue_testkit::generate::{self, Profile};
use ensue_testkit::suite;
use ensue_tests::markdown::{blocks, document, hold, path};
use proptest::prelude::*;

/// The document with its patterns formatted. What cannot be read stays: pages show what is wrong, too.
fn formatted(text: &str) -> String {
    let mut shown = String::new();
    let mut blocks = blocks(text).into_iter();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        shown.push_str(&format!("{line}\n"));
        if !line.starts_with("```") {
            continue;
        }
        let block = blocks.next().expect("a fence begins a block");
        lines.by_ref().take_while(|line| *line != "```").for_each(drop);
        let is_pattern = ["ensue", "right", "wrong"].contains(&block.word);
        let formatted = is_pattern.then(|| format(&Source::new("orders.pattern", block.text.as_str())).ok()).flatten();
        shown.push_str(&formatted.unwrap_or(block.text));
        shown.push_str("```\n");
    }
    shown
}

/// The documents of a folder of `docs`, and of those in it.
fn documents(folder: &str) -> Vec<String> {
    let entries = std::fs::read_dir(path(folder)).expect("there are documents").map(|entry| entry.expect("a document"));
    let named = entries.map(|entry| (entry.path(), format!("{folder}{}", entry.file_name().to_string_lossy())));
    let found = named.flat_map(|(path, name)| match path.is_dir() {
        true => documents(&format!("{name}/")),
        false => vec![name],
    });
    found.filter(|name| name.ends_with(".md")).collect()
}

#[test]
fn the_patterns_of_the_documents_are_formatted() {
    for name in documents("") {
        hold(&name, &formatted(&document(&name)));
    }
}

#[test]
fn the_page_of_the_style_shows_what_is_written() {
    let page = document("style.md");
    let mut pairs = 0;
    for pair in blocks(&page).windows(2).filter(|pair| pair[0].word == "before") {
        let formatted = format(&Source::new("orders.pattern", pair[0].text.as_str())).expect("it can be read");
        assert_eq!(formatted, pair[1].text, "docs/style.md, line {}", pair[0].line);
        pairs += 1;
    }
    assert_eq!(pairs, 4);
}

fn meaning(text: &str) -> Option<Patterns> {
    compile(&[Source::new("p.pattern", text)], &Options::default()).map(|compiled| compiled.patterns).ok()
}

fn stays_what_it_is(text: &str) {
    let formatted = |text: &str| format(&Source::new("p.pattern", text)).unwrap_or_else(|why| panic!("{text}\n{why}"));
    let once = formatted(text);
    assert_eq!(formatted(&once), once, "formatted again, it is another text:\n{text}");
    assert_eq!(meaning(&once), meaning(text), "formatted, it means something else:\n{text}\n{once}");
}

#[test]
fn the_patterns_of_the_corpus_mean_the_same_when_they_are_formatted() {
    let cases = std::fs::read_dir(path("../tests/corpus/cases")).expect("there are cases");
    for case in cases.flat_map(|file| suite::read(&file.expect("a file").path()).expect("it holds cases")) {
        stays_what_it_is(&case.pattern);
    }
}

proptest! {
    #[test]
    fn patterns_that_are_drawn_mean_the_same_when_they_are_formatted(
        case in proptest::sample::select(Profile::ALL.to_vec()).prop_flat_map(generate::cases),
    ) {
        stays_what_it_is(&case.pattern);
    }
}
