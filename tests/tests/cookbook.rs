//! Each recipe of the cookbook is a pattern over a declared stream with cases that reach all of it. That they pass is `pages`' test.

use ensue_tests::markdown::{Block, blocks, document, path};
use ensue_tests::page::Folder;

/// The pages of the cookbook, as `docs` names them.
fn pages() -> Vec<String> {
    let files = std::fs::read_dir(path("cookbook")).expect("the cookbook is there");
    let names = files.map(|file| file.expect("it can be listed").file_name().to_string_lossy().into_owned());
    let mut pages: Vec<String> = names.map(|name| format!("cookbook/{name}")).collect();
    pages.sort();
    pages
}

/// A recipe: the question, and what stands below it.
struct Recipe<'t> {
    question: &'t str,
    blocks: Vec<Block<'t>>,
}

fn recipes(page: &str) -> Vec<Recipe<'_>> {
    let sections = page.split("\n## ").skip(1);
    let recipe = |section| Recipe { question: str::lines(section).next().unwrap_or_default(), blocks: blocks(section) };
    sections.map(recipe).collect()
}

#[test]
fn every_recipe_has_a_declared_stream_and_cases_that_reach_all_of_its_pattern() {
    let texts: Vec<String> =
        pages().iter().filter(|page| !page.ends_with("README.md")).map(|page| document(page)).collect();
    let recipes: Vec<Recipe<'_>> = texts.iter().flat_map(|text| recipes(text)).collect();
    assert!(recipes.len() >= 30, "there are {}", recipes.len());
    for Recipe { question, blocks } in recipes {
        let words: Vec<&str> = blocks.iter().map(|block| block.word).collect();
        assert!(words == ["ensue", "case"], "{question}: a pattern and its cases, and not {words:?}");
        assert!(blocks[0].text.contains("stream "), "{question}: no stream is declared");
        let folder = Folder { pattern: blocks[0].text.clone(), files: Vec::new() };
        let (report, coverage) = folder.run(&blocks[1].text);
        let gaps: Vec<_> = coverage.gaps().into_iter().flat_map(|gap| gap.unreached).collect();
        assert!(gaps.is_empty(), "{question}: no case reaches {gaps:?}");
        assert!(report.cases.len() >= 2, "{question}: one case shows what it finds, another what it does not");
    }
}

#[test]
fn every_recipe_is_in_the_list_of_questions() {
    let list = document("cookbook/README.md");
    for page in pages().iter().filter(|page| !page.ends_with("README.md")) {
        for Recipe { question, .. } in recipes(&document(page)) {
            assert!(list.contains(&format!("[{question}](")), "{page}: {question}");
        }
    }
}
