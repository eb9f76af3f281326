//! The mistakes that one makes in the first hours, and what is said of them: by what one wanted to write, with what one
//! should have written. Lines of `---` part the mistakes, a line of `+++` parts the mistake from its remedy.

use crate::{Compiled, Diagnostics, Options, Source, compile};

/// A file with its name.
macro_rules! newcomer {
    ($($name:literal)*) => {
        [$(($name, include_str!(concat!("newcomer/", $name, ".txt")))),*]
    };
}

const NEWCOMER: &[(&str, &str)] =
    &newcomer! { "words" "conditions" "null" "types" "stages" "windows" "loops" "never" "declarations" };

/// As the command line does where nothing is said.
fn compiled(text: &str) -> Result<Compiled, Diagnostics> {
    let options = Options { type_field: Some("type".into()), ..Options::default() };
    compile(&[Source::new("orders.pattern", text)], &options)
}

/// What is said of a text, if anything is.
fn said(text: &str) -> Diagnostics {
    compiled(text).map_or_else(|errors| errors, |compiled| compiled.warnings)
}

/// What is said of each mistake, with its remedy.
fn judged(texts: &str) -> String {
    let cases = texts.split("---\n").map(|case| {
        let (mistake, remedy) = parted(case);
        format!("{}\n\nmended:\n{remedy}", said(mistake))
    });
    cases.collect::<Vec<_>>().join("\n----------------------------------------\n\n")
}

fn parted(case: &str) -> (&str, &str) {
    case.split_once("+++\n").expect("a mistake has a remedy")
}

#[test]
fn every_first_mistake_is_said_with_what_to_write() {
    for (name, texts) in NEWCOMER.iter().copied() {
        insta::assert_snapshot!(name, judged(texts));
    }
}

#[test]
fn of_every_first_mistake_something_is_said_with_a_help_and_of_its_remedy_nothing() {
    let mut wrong = String::new();
    for case in NEWCOMER.iter().flat_map(|(_, texts)| texts.split("---\n")) {
        let (mistake, remedy) = parted(case);
        let (said, mended) = (said(mistake), said(remedy));
        if said.is_empty() || said.iter().any(|diagnostic| diagnostic.help.is_none()) {
            wrong.push_str(&format!("{mistake}is said to be\n{said}\n\n"));
        }
        if !mended.is_empty() {
            wrong.push_str(&format!("{remedy}is said to be\n{mended}\n\n"));
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}
