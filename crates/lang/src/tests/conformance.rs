//! Patterns whose meaning is Flink's: a part of the conformance cases' patterns, all of which must be read and checked.

use ensue_model::Pattern;

use super::compile_all;
use crate::{Options, Source, parse, print};

pub(super) fn patterns() -> impl Iterator<Item = &'static str> {
    include_str!("conformance.txt").split("\n\n")
}

#[test]
fn every_pattern_is_read_and_checked() {
    for text in patterns() {
        let compiled = compile_all(text, &Options::default()).unwrap_or_else(|errors| panic!("{text}\n{errors}"));
        assert_eq!(compiled.patterns.patterns.len(), 1);
    }
}

#[test]
fn every_pattern_reads_the_same_when_it_is_printed() {
    for text in patterns() {
        let (file, _) = parse(&Source::new("x", text));
        let printed = print(&file);
        let (again, diagnostics) = parse(&Source::new("x", printed.as_str()));
        assert_eq!((file, Vec::new()), (again, diagnostics), "{text}\n{printed}");
    }
}

#[test]
fn every_pattern_means_the_same_when_it_is_printed() {
    let meaning = |text: &str| -> Vec<Pattern> {
        compile_all(text, &Options::default()).map(|compiled| compiled.patterns.patterns).unwrap_or_default()
    };
    for text in patterns() {
        let (file, _) = parse(&Source::new("x", text));
        assert_eq!(meaning(text), meaning(&print(&file)));
    }
}
