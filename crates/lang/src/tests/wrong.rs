//! Wrong patterns, and what is said of them. One file for each code, in which lines of `---` part the patterns; what the
//! caller gives stands in `//:` lines: `//: key NAME`, `//: type NAME`, `//: types NAME,NAME`, `//: columns NAME,NAME`, `//: function NAME`, `//: parameter NAME=VALUE`.

use std::sync::Arc;

use ensue_model::function::HostFunction;
use ensue_model::{Decimal, Schema, Type};

use crate::code::CODES;
use crate::{KnownTypes, Options, Source, compile};

/// A file with its code, by the code.
macro_rules! wrong {
    ($($code:literal)*) => {
        [$(($code, include_str!(concat!("wrong/", $code, ".txt")))),*]
    };
}

const WRONG: &[(&str, &str)] = &wrong! {
    "E0101" "E0102" "E0103" "E0104" "E0105" "E0106" "E0107" "E0108" "E0109" "E0110"
    "E0201" "E0202" "E0203" "E0204" "E0205" "E0206" "E0207" "E0208" "E0209" "E0210" "E0211" "E0212" "E0213" "E0214" "E0215" "E0216" "E0217" "E0218" "E0219" "E0220" "E0221" "E0222" "E0223"
    "E0301" "E0302" "E0303" "E0304" "E0305" "E0306" "E0307" "E0308" "E0309"
    "E0401" "E0402" "E0403" "E0404" "E0406" "E0407" "E0408" "E0409" "E0410" "E0411" "E0412" "E0413" "E0415" "E0416"
    "E0501" "E0502" "E0503" "E0504" "E0505" "E0506" "E0507" "E0508"
};

fn options(text: &str) -> Options {
    let mut options = Options::default();
    for line in text.lines().filter_map(|line| line.strip_prefix("//: ")) {
        match line.split_once(' ').unwrap_or((line, "")) {
            ("key", name) => options.key.push(name.into()),
            ("columns", names) => {
                let schema = names.split(',').fold(Schema::open(), |schema, name| schema.nullable(name, Type::Any));
                options.schema = Schema { closed: true, ..schema };
            }
            ("function", name) => {
                let risk =
                    |amount: f64, _: &str, limit: Decimal| Decimal::try_from(amount).is_ok_and(|amount| amount > limit);
                let risk = HostFunction::new(name, ["amount", "country", "limit"], risk);
                options.functions.push(Arc::new(risk.doc("Whether somebody should look at it.")));
            }
            ("types", names) => {
                let values = names.split(',').map(str::to_owned).collect();
                options.types.push(KnownTypes { stream: Some("orders".to_owned()), values });
            }
            ("type", name) => options.type_field = Some(name.into()),
            ("parameter", set) => {
                let (name, value) = set.split_once('=').expect("a parameter is set with =");
                options.parameters.push((name.into(), value.into()));
            }
            (other, _) => panic!("nothing is set by {other}"),
        }
    }
    options
}

/// What is said of each pattern of a file, and that it is of the file's code.
fn judged(code: &str, texts: &str) -> String {
    let mut said = Vec::new();
    for text in texts.split("---\n") {
        let source = Source::new("orders.pattern", text);
        let diagnostics = match compile(&[source], &options(text)) {
            Ok(compiled) => compiled.warnings,
            Err(errors) => errors,
        };
        assert!(diagnostics.iter().any(|diagnostic| diagnostic.code.id == code), "no {code}:\n{text}\n{diagnostics}");
        said.push(diagnostics.to_string());
    }
    said.join("\n\n----------------------------------------\n\n")
}

#[test]
fn every_mistake_is_said_in_words_that_help() {
    for (code, texts) in WRONG.iter().copied() {
        insta::assert_snapshot!(code, judged(code, texts));
    }
}

#[test]
fn every_code_has_a_wrong_pattern() {
    // Texts beyond the limits are made by the tests of hostile texts.
    let known = WRONG.iter().map(|(code, _)| *code).chain(["E0902", "E0903"]);
    assert!(known.eq(CODES.iter().map(|code| code.id)));
}
