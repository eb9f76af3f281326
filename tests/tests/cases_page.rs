//! The page of cases names all settings that there are. That its cases do what it says is `pages`' test.

use ensue_tests::markdown::document;
use ensue_tests::page::{Folder, complaints};

#[test]
fn every_setting_is_on_the_page() {
    let page = document("cases.md");
    let folder = Folder { pattern: "begin a where true".to_owned(), files: Vec::new() };
    let (report, _) = folder.run("nonsense\n");
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
