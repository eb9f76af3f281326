//! Texts that no one writes in good faith: no panic, no overflow of the stack, no endless work.

use proptest::prelude::*;

use super::compile_all;
use crate::{Diagnostics, Options, Source, compile, parse, print};

fn errors(text: &str) -> Diagnostics {
    match compile_all(text, &Options::default()) {
        Ok(_) => Diagnostics::default(),
        Err(errors) => errors,
    }
}

fn codes(text: &str) -> Vec<&'static str> {
    let errors = errors(text);
    // Every diagnostic must be able to show itself.
    assert!(!errors.render(true).is_empty() || errors.is_empty());
    assert_eq!(errors.reports().len(), errors.len());
    errors.iter().map(|diagnostic| diagnostic.code.id).collect()
}

#[test]
fn what_is_nested_too_deeply_is_refused_by_name() {
    let deep = |open: &str, inner: &str, close: &str, count: usize| {
        format!("{}{inner}{}", open.repeat(count), close.repeat(count))
    };
    for count in [65, 30_000] {
        for text in [
            format!("begin a where {}", deep("(", "true", ")", count)),
            format!("begin a where {} == 1", deep("[", "1", "]", count)),
            format!("begin a where {}", deep("f(", "1", ")", count)),
            format!("begin a where {}", deep("if ", "true", " then true else true", count)),
            format!("begin a where {}", deep("", "", "if true then true else ", count)),
            format!("begin {}", deep("(", "a", ")", count)),
        ] {
            assert_eq!(codes(&text), ["E0902"], "{:.60}", text);
        }
    }
    for text in [
        format!("begin a where {}true", "not ".repeat(100_000)),
        format!("begin a where {}1 > 2", "- ".repeat(100_000)),
        format!("begin a where x{} > 2", ".x".repeat(100_000)),
        format!("begin a where x{} > 2", " + 1".repeat(100_000)),
    ] {
        assert_eq!(codes(&text), ["E0902"], "{:.60}", text);
    }
}

#[test]
fn what_is_nested_as_deeply_as_allowed_is_read() {
    for text in [
        format!("begin a where {}true{}", "(".repeat(64), ")".repeat(64)),
        format!("begin a where {}true", "not ".repeat(200)),
        format!("begin a where x{} > 2", " + 1".repeat(200)),
        format!("begin {}a where true{}", "(".repeat(64), ")".repeat(64)),
        format!("begin a where true{}", " and x > 1".repeat(20_000)),
        format!("begin a where {}true", "if x then 1 > 2 else ".repeat(64)),
    ] {
        assert_eq!(codes(&text), [""; 0], "{:.60}", text);
    }
}

#[test]
fn a_text_that_is_too_long_names_the_limit() {
    let text = " ".repeat((1 << 20) + 1);
    let (_, diagnostics) = parse(&Source::new("x", text));
    assert_eq!(diagnostics[0].message, "the text has 1048577 bytes, the limit is 1048576");
}

#[test]
fn more_mistakes_than_anyone_reads_are_counted() {
    let errors = errors(&"let x = =\n".repeat(3_000));
    assert_eq!(errors.len(), 1_000);
    assert!(errors.has_errors() && errors.to_string().ends_with("and 2000 more"));
}

#[test]
fn a_body_is_not_read_on_for_ever() {
    for text in ["where ", "next a where x = 1 ", "next (a where x = 1 ", "within 5 next "] {
        let text = format!("begin a where x = 1 {}", text.repeat((1 << 16) / text.len()));
        assert!((1..=100).contains(&codes(&text).len()), "{:.60}", text);
    }
}

#[test]
fn lets_that_multiply_are_stopped() {
    let mut text = String::from("let l0(x) = x + x\n");
    for level in 1..40 {
        text.push_str(&format!("let l{level}(x) = l{}(x) + l{}(x)\n", level - 1, level - 1));
    }
    text.push_str("pattern p begin a where l39(1) > 0");
    assert_eq!(codes(&text), ["E0903"]);
    let mut text = String::from("let l0 = true\n");
    for level in 1..1_000 {
        text.push_str(&format!("let l{level} = not l{}\n", level - 1));
    }
    text.push_str("pattern p begin a where l999");
    assert_eq!(codes(&text), ["E0902"]);
}

#[test]
fn too_many_stages_are_refused() {
    let text: String = (0..1_025).map(|stage| format!("next s{stage} where true ")).collect();
    let errors = errors(&text.replacen("next", "begin", 1));
    let messages: Vec<_> = errors.iter().map(|diagnostic| diagnostic.message.as_str()).collect();
    assert_eq!(messages, ["the pattern has 1025 stages, the limit is 1024"]);
}

#[test]
fn too_many_questions_to_stages_are_refused() {
    let asks = |count: usize| {
        let asked: Vec<String> = (0..count).map(|index| format!("a[{index}].x > 1")).collect();
        format!("begin a+ where true next b where {}", asked.join(" and "))
    };
    assert_eq!(codes(&asks(1_024)), [""; 0]);
    let errors = errors(&asks(1_030));
    let messages: Vec<_> = errors.iter().map(|diagnostic| diagnostic.message.as_str()).collect();
    assert_eq!(messages, ["the pattern asks more than 1024 different questions of its stages"]);
}

#[test]
fn too_many_fields_are_refused() {
    let fields: String = (0..65_536).map(|field| format!("x{field}:int ")).collect();
    let errors = errors(&format!("stream s {{ {fields} }} pattern p begin a where true"));
    let messages: Vec<_> = errors.iter().map(|diagnostic| diagnostic.message.as_str()).collect();
    assert_eq!(messages, ["stream `s` has 65536 fields, the limit is 65535"]);
}

#[test]
fn too_many_parameters_of_a_let_are_refused() {
    let parameters: Vec<String> = (0..65).map(|parameter| format!("x{parameter}")).collect();
    let text = format!("let f({}) = x0 > 1 pattern p begin a where f(1)", parameters.join(", "));
    let errors = errors(&text);
    let messages: Vec<_> = errors.iter().map(|diagnostic| diagnostic.message.as_str()).collect();
    assert_eq!(messages[0], "`f` has 65 parameters, the limit is 64");
}

/// The messages of the errors, which are to come soon.
fn messages(text: &str) -> Vec<String> {
    errors(text).iter().map(|diagnostic| diagnostic.message.clone()).collect()
}

#[test]
fn too_many_streams_are_refused() {
    let streams = |count: usize| (0..count).map(|stream| format!("stream s{stream}{{}}\n")).collect::<String>();
    let text = format!("{}pattern p from s1 begin a where true", streams(1_025));
    assert_eq!(messages(&text), ["there are more than 1024 streams"]);
    let names = |count: usize| (0..count).map(|stream| format!("s{stream}")).collect::<Vec<_>>().join(", ");
    let text = format!("{}pattern p from {} begin a where true", streams(65), names(65));
    assert_eq!(messages(&text), ["`from` names 65 streams, the limit is 64"]);
    let stages: String = (0..65).map(|stream| format!("next a{stream}: s{stream} where true ")).collect();
    let text = format!("{}pattern p {}", streams(65), stages.replacen("next", "begin", 1));
    assert_eq!(messages(&text), ["the pattern reads 65 streams, the limit is 64"]);
    let undeclared: String = (0..1_100).map(|at| format!("pattern p{at} from s{at} begin a where true\n")).collect();
    assert_eq!(messages(&undeclared)[0], "the patterns name more than 1024 streams");
    let records: String = (0..1_100)
        .map(|at| {
            format!(
                "pattern p{at} begin a where true emit r{at} {{ x: 1 }} pattern q{at} from r{at} begin a where true\n"
            )
        })
        .collect();
    assert_eq!(messages(&records)[0], "there are more than 1024 streams");
}

#[test]
fn too_many_fields_of_several_streams_are_refused() {
    let fields = |first: usize| (first..first + 40_000).map(|field| format!("x{field}:int ")).collect::<String>();
    let text =
        format!("stream s {{ {} }} stream t {{ {} }} pattern p from s begin a where true", fields(0), fields(40_000));
    assert_eq!(messages(&text), ["streams and records have more than 65535 fields together"]);
    let shared =
        format!("stream s {{ {} }} stream t {{ {} }} pattern p from s begin a where true", fields(0), fields(0));
    assert_eq!(messages(&shared), [""; 0]);
}

#[test]
fn too_many_ways_to_a_key_are_refused() {
    let stages: String = (0..65).map(|stage| format!("next a{stage} where true ")).collect();
    let entries = |count: usize| (0..count).map(|stage| format!("a{stage}: x{stage}")).collect::<Vec<_>>().join(", ");
    let text = format!("pattern p key {{ {} }} {}", entries(65), stages.replacen("next", "begin", 1));
    assert_eq!(messages(&text), ["events come to the key by 65 ways, the limit is 64"]);
    let text = text.replace("a64: x64", "a64: x0");
    assert_eq!(messages(&text), [""; 0]);
}

#[test]
fn too_many_tables_and_columns_are_refused() {
    let tables: String = (0..1_025).map(|table| format!("table t{table} key k {{ k: int }}\n")).collect();
    assert_eq!(messages(&format!("{tables}pattern p begin a where true")), ["there are more than 1024 tables"]);
    let columns: String = (0..1_025).map(|column| format!("c{column}: int ")).collect();
    let text = format!("table t key c0 {{ {columns} }} pattern p begin a where t[1].c1 > 2");
    assert_eq!(messages(&text), ["table `t` has 1025 columns, the limit is 1024"]);
}

#[test]
fn long_ways_and_great_circles_of_patterns_are_judged_soon() {
    let reads = |at: usize, from: usize| {
        format!("pattern p{at} key x begin a: r{from} where x > {at} emit r{at} {{ x: a.x }}\n")
    };
    let start = "pattern p0 key x begin a where x > 0 emit r0 { x: a.x }\n";
    let way: String = (1..1_000).rev().map(|at| reads(at, at - 1)).collect();
    assert_eq!(messages(&format!("{way}{start}")), [""; 0]);
    let circle: String = (0..1_000).map(|at| reads(at, (at + 999) % 1_000)).collect();
    let said = messages(&circle);
    assert_eq!(said.len(), 1);
    assert!(
        said[0].starts_with("patterns wait for each other: `p0` reads `r999` of `p999`, which reads"),
        "{}",
        said[0]
    );
    // Many that emit, and many that read, the same.
    let many: String = (0..2_000)
        .map(|at| {
            format!("pattern e{at} begin a where true emit r {{ x: 1 }}\npattern r{at} from r begin a where x > 1\n")
        })
        .collect();
    assert_eq!(messages(&many), [""; 0]);
}

#[test]
fn a_name_that_is_given_very_often_is_judged_soon() {
    let names = "s, ".repeat(100_000);
    assert_eq!(messages(&format!("stream s {{ x: int }} pattern p from {names}s begin a where true")).len(), 64);
    let entries = "a: 1, ".repeat(50_000);
    let text = format!("pattern p key {{ {entries} }} begin a where true emit r {{ {entries} }}");
    assert!(messages(&text).len() > 3);
}

#[test]
fn line_ends_tabs_and_marks_of_other_systems_are_white_space() {
    let text = "\u{feff}begin\ta where x == \"ä\"\r\nnext b where größe > 1 // ö\r\nwithin 5m\r\n";
    assert_eq!(codes(text), [""; 0]);
}

#[test]
fn every_beginning_of_a_pattern_is_judged() {
    let text = "/// d\nstream o { a: int @key t: string? @type l: list<int> }\nparam p: duration = 1h30m\nlet f(x) = x > 2.5\n\
                table t key a { b: string }\npattern p from o key a, t\nbegin a+ greedy where f(a) until sum(a.a) > 3\n\
                followedByAny (b | c where t like \"ü%\" and not a in [1, 2])? within p of previous\nwithin 5m skip past last\n\
                emit x { a: if a then `b` else -c[1].d ?? 'x' } // ü";
    for end in (0..=text.len()).filter(|end| text.is_char_boundary(*end)) {
        codes(&text[..end]);
    }
}

/// Words and signs of the language, thrown together.
fn soup() -> impl Strategy<Value = String> {
    let words = prop::sample::select(vec![
        "begin",
        "next",
        "followedBy",
        "notNext",
        "notFollowedBy",
        "where",
        "until",
        "within",
        "of",
        "previous",
        "skip",
        "to",
        "first",
        "last",
        "past",
        "pattern",
        "p",
        "a",
        "b",
        "stream",
        "param",
        "let",
        "table",
        "key",
        "from",
        "{",
        "}",
        "(",
        ")",
        "[",
        "]",
        ",",
        ":",
        "=",
        "==",
        "<",
        "+",
        "-",
        "*",
        "?",
        "??",
        ".",
        "|",
        "&",
        "and",
        "or",
        "not",
        "in",
        "is",
        "null",
        "if",
        "then",
        "else",
        "12",
        "2.5",
        "15m",
        "15min",
        "@2021-01-19T10:00:00Z",
        "\"x\"",
        "\"",
        "`",
        "`w`",
        "//",
        "/*",
        "*/",
        "///",
        "\n",
        "ü",
        "count",
        "sum",
        "any",
        "emit",
        "timeout",
        "events",
        "matches",
        "like",
        "\"(\"",
        "{2}",
        "{3,2}",
        "99999999999999999999",
        "int",
        "@key",
        "list<",
        ">",
        "true",
        "this",
    ]);
    prop::collection::vec(words, 0..40).prop_map(|words| words.join(" "))
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "\\PC*") {
        codes(&text);
    }

    #[test]
    fn no_mixture_of_words_makes_it_panic(text in soup()) {
        codes(&text);
        codes(&format!("begin a where {text}"));
        codes(&format!("pattern p begin a where true\n{text}\npattern q begin b where true"));
        let _ = compile(&[Source::new("x", text.as_str())], &Options::default());
    }

    #[test]
    fn what_is_read_of_any_mixture_is_printed_and_read_again(text in soup()) {
        let (file, _) = parse(&Source::new("x", format!("pattern p begin a where {text}")));
        let printed = print(&file);
        if !file.items.is_empty() {
            prop_assert_eq!((file, vec![]), parse(&Source::new("x", printed)));
        }
    }
}
