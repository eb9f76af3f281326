//! Each code of a diagnostic has a page, `docs/errors/E0101.md`, that says what is wrong with a pattern, what is said of it, and
//! how it is mended: blocks of `wrong`, `message` and `right`. A block before them may say how they are called: `console` by
//! the command line, `rust` with functions of the program.

use std::collections::BTreeSet;
use std::sync::Arc;

use ensue_lang::code::CODES;
use ensue_lang::{Code, Compiled, Diagnostics, KnownTypes, Options, Source, compile};
use ensue_model::function::HostFunction;
use ensue_tests::markdown::{Block, blocks, document, hold, path};

fn page(code: &Code) -> String {
    format!("errors/{}.md", code.id)
}

/// As the command line compiles where nothing is said.
fn plain() -> Options {
    Options { type_field: Some("type".into()), ..Options::default() }
}

/// What a block before a pattern says of how it is compiled.
fn options(block: &Block<'_>) -> Options {
    match block.word {
        "console" => block.text.split(" --").skip(1).fold(plain(), called),
        "rust" => {
            let names = block.text.split("HostFunction::new(\"").skip(1).filter_map(|rest| rest.split('"').next());
            let functions = names.map(|name| HostFunction::new(name, ["text"], |text: &str| text.to_owned()));
            Options { functions: functions.map(Arc::new).collect(), ..plain() }
        }
        other => panic!("line {}: nothing is compiled by {other:?}", block.line),
    }
}

/// With what one option of a command line says.
fn called(mut options: Options, option: &str) -> Options {
    match option.trim().split_once(' ') {
        Some(("param", set)) => {
            let (name, value) = set.split_once('=').expect("a parameter is set with =");
            options.parameters.push((name.into(), value.into()));
        }
        // What stands in that file is said on the page.
        Some(("input", "orders.csv")) => {
            let values = ["create", "pay", "ship"].map(str::to_owned).into();
            options.types.push(KnownTypes { stream: Some("orders".into()), values });
        }
        other => panic!("no page sets {other:?}"),
    }
    options
}

fn compiled(text: &str, options: &Options) -> Result<Compiled, Diagnostics> {
    compile(&[Source::new("orders.pattern", text)], options)
}

fn said(text: &str, options: &Options) -> Diagnostics {
    compiled(text, options).map_or_else(|errors| errors, |compiled| compiled.warnings)
}

/// The page with the messages that are given now.
fn with_messages(page: &str) -> String {
    let (mut wrong, mut calling, mut shown) = (String::new(), plain(), String::new());
    let mut blocks = blocks(page).into_iter();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        shown.push_str(&format!("{line}\n"));
        if !line.starts_with("```") {
            continue;
        }
        let block = blocks.next().expect("a fence begins a block");
        lines.by_ref().take_while(|line| *line != "```").for_each(drop);
        let text = match block.word {
            "message" => format!("{}\n", said(&wrong, &std::mem::replace(&mut calling, plain()))),
            _ => block.text.clone(),
        };
        shown.push_str(&format!("{text}```\n"));
        match block.word {
            "wrong" => wrong = block.text,
            "console" | "rust" => calling = options(&block),
            "right" => calling = plain(),
            "message" => {}
            other => panic!("line {}: no block is called {other:?}", block.line),
        }
    }
    shown
}

#[test]
fn every_code_has_a_page_and_every_page_a_code() {
    let entries = std::fs::read_dir(path("errors")).expect("there are pages");
    let names = entries.map(|entry| entry.expect("a page").file_name().to_string_lossy().into_owned());
    let pages: BTreeSet<String> = names.filter(|name| name != "README.md").collect();
    let codes: BTreeSet<String> = CODES.iter().map(|code| format!("{}.md", code.id)).collect();
    assert_eq!(pages, codes);
}

#[test]
fn every_page_shows_the_message_that_is_given() {
    for code in CODES.iter().copied() {
        hold(&page(code), &with_messages(&document(&page(code))));
    }
}

/// The wrong patterns of a page with their options, and what is wrong with the order of its blocks.
#[test]
fn every_page_has_a_pattern_that_is_wrong_in_its_way_and_mends_it() {
    for code in CODES.iter().copied() {
        let text = document(&page(code));
        assert!(text.starts_with(&format!("# {}: {}\n", code.id, code.title)), "{}: the title", code.id);
        let blocks = blocks(&text);
        let words: Vec<&str> =
            blocks.iter().map(|block| block.word).filter(|word| !["console", "rust"].contains(word)).collect();
        assert!(words.chunks(3).all(|chunk| chunk == ["wrong", "message", "right"]), "{}: {words:?}", code.id);
        let mut calling = plain();
        for block in &blocks {
            match block.word {
                "console" | "rust" => calling = options(block),
                "wrong" => is_wrong(code, block, &calling),
                "right" => is_right(code, block, &calling),
                _ => calling = plain(),
            }
        }
    }
}

fn is_wrong(code: &Code, block: &Block<'_>, options: &Options) {
    let said = said(&block.text, options);
    assert!(!said.is_empty() && said.iter().all(|diagnostic| diagnostic.code == code), "{}: {said}", code.id);
}

fn is_right(code: &Code, block: &Block<'_>, options: &Options) {
    let said = said(&block.text, options);
    assert!(said.is_empty(), "{}, line {}: {said}", code.id, block.line);
}

#[test]
fn the_index_lists_every_code() {
    let families = [
        ("E01", "The text"),
        ("E02", "Names and stages"),
        ("E03", "Types"),
        ("E04", "The shape of sequences"),
        ("E05", "What compiles and can hardly be meant"),
        ("E09", "Limits"),
    ];
    let mut index = String::from(
        "# What is wrong with a pattern\n\n\
         Each message has a code. Its page says what is meant, shows a pattern that is wrong in that way and what is said of it, and \
         mends it. A\nwarning is about a pattern that compiles, and most likely does not do what it was meant to.\n",
    );
    for (family, title) in families {
        index.push_str(&format!("\n## {title}\n\n| code | | |\n|---|---|---|\n"));
        for code in CODES.iter().filter(|code| code.id.starts_with(family)) {
            let explanation = code.explanation.replace('|', "\\|").replace('<', "&lt;");
            index.push_str(&format!("| [{id}]({id}.md) | {} | {explanation} |\n", code.title, id = code.id));
        }
    }
    assert!(CODES.iter().all(|code| index.contains(code.id)), "a family is missing");
    hold("errors/README.md", &index);
}
