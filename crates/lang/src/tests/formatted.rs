//! What a text looks like when it is formatted, and that it says the same.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use regex::Regex;

use super::conformance::patterns;
use super::round_trip::item;
use super::{Options, compile_all};
use crate::tree::File;
use crate::{Source, Unformatted, format, print};

fn formatted(text: &str) -> String {
    format(&Source::new("x.pattern", text)).unwrap_or_else(|why| panic!("{text}\n{why}"))
}

/// That a text is formatted as expected, which stays as it is.
#[track_caller]
fn check(text: &str, expected: &str) {
    assert_eq!(formatted(text), expected);
    assert_eq!(formatted(expected), expected);
}

/// That a text is as the formatter wants it.
#[track_caller]
fn keeps(text: &str) {
    check(text, text);
}

#[test]
fn what_its_author_wrote_on_one_line_stays_there() {
    keeps("begin a followedBy b within 5m\n");
    keeps("begin a followedBy b\nwithin 5m\n");
    keeps("pattern p from s key k\nbegin a next b\n");
    keeps("stream s { a: int @key, at: timestamp @time }\n");
    check("pattern  p key k begin a next b within 5m", "pattern p key k begin a next b within 5m\n");
}

#[test]
fn what_its_author_wrote_on_several_lines_has_a_line_for_each_part() {
    check("begin a followedBy b\nfollowedBy c", "begin a\nfollowedBy b\nfollowedBy c\n");
    check("pattern p from s\nkey k begin a next b", "pattern p\nfrom s\nkey k\nbegin a next b\n");
    check("begin a\nwithin 5m skip past last", "begin a\nwithin 5m\nskip past last\n");
    check("begin a emit x { a: 1,\n b: 2 }", "begin a\nemit x {\n  a: 1,\n  b: 2,\n}\n");
    check("begin ( a\n| b next c )", "begin (\n    a\n  | b next c\n)\n");
    check("begin (a\nnext b)+ within 5m of previous", "begin (\n  a\n  next b\n)+ within 5m of previous\n");
}

#[test]
fn what_is_too_long_for_a_line_is_broken_where_it_joins() {
    check(
        "begin a where type == \"withdrawal\" and amount > 1_000_000 and currency in [\"EUR\", \"USD\", \"GBP\"] and true followedBy b",
        "begin a where type == \"withdrawal\"\n  and amount > 1_000_000\n  and currency in [\"EUR\", \"USD\", \"GBP\"]\n  and true\n\
         followedBy b\n",
    );
    check(
        "begin a where type == \"withdrawal\" and amount > 1_000_000 or type == \"transfer\" and amount > 2_000_000 and is_new \
         until status == \"closed\" within 5m of previous",
        "begin a where type == \"withdrawal\" and amount > 1_000_000\n  \
         or type == \"transfer\" and amount > 2_000_000 and is_new\n  until status == \"closed\"\n  within 5m of previous\n",
    );
    check(
        "let kind = if amount > 1_000_000 then \"LARGE\" else if amount > 1_000 then \"MEDIUM\" else if amount > 10 then \"SMALL\" else \"TINY\"",
        "let kind =\n  if amount > 1_000_000 then \"LARGE\"\n  else if amount > 1_000 then \"MEDIUM\"\n  \
         else if amount > 10 then \"SMALL\"\n  else \"TINY\"\n",
    );
}

#[test]
fn what_is_broken_stands_further_to_the_right_than_what_it_belongs_to() {
    check(
        "begin a where sum(before.amount_in_the_currency_of_the_account) + amount_in_the_currency > limit_of_the_account",
        "begin a where sum(before.amount_in_the_currency_of_the_account) + amount_in_the_currency\n    \
         > limit_of_the_account\n",
    );
    check(
        "begin a where x and coalesce(first_of_the_names_that_are_asked, second_of_the_names_that_are_asked, third) is not null",
        "begin a where x\n  and coalesce(\n    first_of_the_names_that_are_asked,\n    second_of_the_names_that_are_asked,\n    \
         third\n  ) is not null\n",
    );
}

#[test]
fn lists_are_filled_up_to_the_width() {
    check(
        "begin a where word in [\"alpha\",\"beta\",\"gamma\",\"delta\",\"epsilon\",\"zeta\",\"eta\",\"theta\",\"iota\",\"kappa\",\"lambda\",\"mu\"]",
        "begin a where word in [\n    \"alpha\", \"beta\", \"gamma\", \"delta\", \"epsilon\", \"zeta\", \"eta\", \"theta\", \"iota\", \"kappa\", \"lambda\",\n    \
         \"mu\",\n  ]\n",
    );
}

#[test]
fn columns_stand_below_each_other() {
    check(
        "stream s {\na: int @key\nlonger: timestamp? @time\nc: string? }",
        "stream s {\n  a:      int        @key\n  longer: timestamp? @time\n  c:      string?\n}\n",
    );
    check(
        "begin a\nemit x { a: 1 }\ntimeout longer { b: 2 } where true",
        "begin a\nemit    x      { a: 1 }\ntimeout longer { b: 2 } where true\n",
    );
    check("begin a\nemit {\na: 1 }\ntimeout { b: 2 }", "begin a\nemit {\n  a: 1,\n}\ntimeout { b: 2 }\n");
    check(
        "param a: int = 1 // one\nparam longer: int = 2 // two\n",
        "param a: int = 1       // one\nparam longer: int = 2  // two\n",
    );
}

#[test]
fn lines_of_one_kind_have_columns_if_nothing_is_between() {
    keeps("stream orders   { id: int }  // one\nstream receipts { id: int }  // two\n\nstream a { id: int }\n");
    check(
        "table products key sku { sku: int }\ntable warehouses key district { district: int }\nstream s { a: int }",
        "table products   key sku      { sku: int }\ntable warehouses key district { district: int }\nstream s { a: int }\n",
    );
    check("pattern p begin a\npattern longer key k begin b", "pattern p      begin a\npattern longer key k begin b\n");
    // Not where a line would be too long for it.
    let name = "n".repeat(60);
    keeps(&format!("stream s {{ {}a: int }}\nstream {name} {{ a: int }}\n", "a: int, ".repeat(4)));
}

#[test]
fn parentheses_stay_but_for_doubled_ones() {
    keeps("begin a where (x and y) or (not (z == 1)) and x * (y / z) > 1\n");
    check("begin a where ((x)) and (((y or z)))", "begin a where (x) and (y or z)\n");
}

#[test]
fn texts_stay_as_they_were_written_and_names_lose_backticks_that_say_nothing() {
    check("begin `a` where `x` == \"\\u00e4\\/\" and `in` > 1", "begin a where x == \"\\u00e4\\/\" and `in` > 1\n");
}

const COMMENTED: &str = "// The first line.\n\n/* one */ /* line */ stream s { // behind a brace\n id: int @key // behind a field\n\
         /* own */\n\n // before a field\n  type: string @type, // behind a comma\nts: timestamp @time\n // before a brace\n}\n\
         param a: int // in a param\n = 1\nlet large = amount > 1 // in a chain\n or b\n\
         /// A doc.\npattern p from s // behind a clause\nkey id /* before a comma */, lower(x /* in a call */)\n\n\n\
         // before a sequence\nbegin a // behind a step\n\n // between steps\n\n // twice\nfollowedBy ( // behind a parenthesis\n\
         b // behind a stage\n | /* in a part */ c where x > // in a comparison\n 1\n// before a parenthesis\n) { 2, /* in a quantifier */ 3 }\n\
         within /* in a window */ 5m // behind a window\nemit x { a: 1, // one\n // before an entry\n bc: 2 // two\n}\n\n// The last line.";

#[test]
fn comments_stay_where_they_were() {
    insta::assert_snapshot!(formatted(COMMENTED));
}

#[test]
fn a_comment_before_a_bracket_stays_behind_the_last_thing_in_it() {
    keeps("begin a where x in [1 /* one */, 2 /* two */] and f(y /* why */) emit { z: 1 /* last */ }\n");
    keeps("stream s { a: int /* last */ }\n");
    check("begin a emit {\n z: 1 /* last */ }", "begin a\nemit {\n  z: 1 /* last */,\n}\n");
}

#[test]
fn empty_lines_stay_one_by_one() {
    keeps("param a: int\nparam b: int\n\nparam c: int\n");
    check("begin a\n\n\n\nnext b\n\nwithin 5m\n\n\n", "begin a\n\nnext b\n\nwithin 5m\n");
    check("stream s {\n\n  a: int\n\n  b: int\n\n}", "stream s {\n  a: int\n\n  b: int\n}\n");
    // What has several lines stands apart.
    check(
        "param a: int\npattern p\nbegin a\npattern q begin b",
        "param a: int\n\npattern p\nbegin a\n\npattern q begin b\n",
    );
}

#[test]
fn a_doc_is_of_the_item_that_begins_the_line_below_it() {
    check("/// D.\nparam p: int = 1 param q: int = 2", "/// D.\nparam p: int = 1\nparam q: int = 2\n");
}

#[test]
fn line_ends_are_those_of_the_first_line() {
    check("begin a // x  \r\nnext b /* y \r\n z */\r\n", "begin a  // x\r\nnext b   /* y\r\n z */\r\n");
    check("\u{feff}begin a\nnext b\r\n", "begin a\nnext b\n");
}

#[test]
fn a_text_that_cannot_be_read_is_not_formatted() {
    for text in ["", "// nothing", "begin a where", "begin a /* open", "begin a next"] {
        let why = format(&Source::new("x.pattern", text)).expect_err("it cannot be read");
        assert!(matches!(why, Unformatted::Wrong(_)), "{text}: {why}");
    }
}

#[test]
fn every_pattern_means_the_same_when_it_is_formatted() {
    let meaning = |text: &str| compile_all(text, &Options::default()).map(|compiled| compiled.patterns).ok();
    for text in patterns() {
        let formatted = formatted(text);
        check(&formatted, &formatted);
        assert_eq!(meaning(text), meaning(&formatted));
    }
}

/// The words and signs of a text: white space and comments can stand between any two.
fn words(text: &str) -> Vec<&str> {
    let word = r#""(\\.|[^"\\])*"|`[^`]*`|@\w[\w:+.-]*|\d[\d_]*(\.\d[\d_]*)?([eE][+-]\d+)?\w*|\w+|[=!<>]=|\?\?|\S"#;
    let word = Regex::new(word).expect("it is an expression");
    word.find_iter(text).map(|found| found.as_str()).collect()
}

/// What stands between two words; `#` becomes a number.
fn between() -> impl Strategy<Value = &'static str> {
    prop_oneof![
        12 => Just(" "),
        4 => select(vec!["\n", "\n\n", "\n\n\n  ", "\r\n"]),
        4 => select(vec![
            " // c#\n",
            " /* c# */ ",
            "\n// c#\n",
            "\n\n// c#\n\n",
            "\n/* c# */ ",
            " /* c#\n  more */ ",
            "\n/// c#\n",
            " // c#\n// d#\n",
            " /* c# *//* d# */ // e#  \n\n /* f# */ /* g# */",
        ]),
    ]
}

proptest! {
    #[test]
    fn every_comment_stays_and_a_second_formatting_changes_nothing(
        items in vec(item(), 1..3), strewn in vec(between(), 1..200), doc in any::<bool>(),
    ) {
        // The printer writes docs, which are comments; here they are strewn in.
        let text = print(&File { items });
        let plain: String = text.lines().filter(|line| !line.starts_with("///")).map(|line| format!("{line}\n")).collect();
        let mut strewn = strewn.into_iter().cycle().enumerate();
        let mut text = if doc { "/// doc\n".to_owned() } else { String::new() };
        for word in words(&plain) {
            text.push_str(word);
            let (number, comment) = strewn.next().expect("it never ends");
            text.push_str(&comment.replace('#', &number.to_string()));
        }
        // That the tree is the same, and the comments, is made sure of each time that something is formatted.
        let once = formatted(&text);
        prop_assert_eq!(formatted(&once), once.as_str(), "of\n{}", text);
    }
}
