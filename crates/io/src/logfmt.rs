//! The members of one line of logfmt: `level=info msg="order \"7\" paid" amount=12.50 retried`.
//!
//! Nobody has written down what logfmt is. This reads what the programs that write it agree on: members with white space between
//! them, each a name alone, or a name, `=` and a value; a value in quotes has the escapes of JSON, one without reaches to the next
//! white space, whatever else stands in it.

use std::borrow::Cow;

use nom::branch::alt;
use nom::bytes::complete::{is_not, tag, take_while, take_while_m_n, take_while1};
use nom::character::complete::char;
use nom::combinator::{map, map_opt, value};
use nom::error::{ErrorKind, ParseError};
use nom::multi::fold_many0;
use nom::sequence::{preceded, terminated};
use nom::{AsChar, IResult, Parser};

/// What a name alone says: a flag that is set.
pub(crate) const PRESENT: &str = "true";

/// What says without quotes that there is no value.
pub(crate) const NULL: &str = "null";

/// A name, and what is said of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Member<'a> {
    pub(crate) name: &'a str,
    pub(crate) said: Said<'a>,
}

/// What is said of a name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Said<'a> {
    /// Only that it is there: `retried`.
    Present,
    /// Nothing: `note=`.
    Nothing,
    /// A value without quotes: `amount=12.50`.
    Bare(&'a str),
    /// A text, which stood in quotes: `code="007"`.
    Quoted(Cow<'a, str>),
}

/// The members of a line, up to the first that is wrong, with the reason why it is.
pub(crate) fn members(line: &str) -> Members<'_> {
    Members { line, rest: line }
}

pub(crate) struct Members<'a> {
    line: &'a str,
    rest: &'a str,
}

impl<'a> Iterator for Members<'a> {
    type Item = Result<Member<'a>, String>;

    fn next(&mut self) -> Option<Self::Item> {
        self.rest = self.rest.trim_ascii_start();
        if self.rest.is_empty() {
            return None;
        }
        match member(self.rest) {
            Ok((rest, member)) => {
                self.rest = rest;
                Some(Ok(member))
            }
            Err(broken) => {
                let (nom::Err::Error(broken) | nom::Err::Failure(broken)) = broken else { return None };
                self.rest = "";
                Some(Err(broken.reason(self.line)))
            }
        }
    }
}

/// Where a line is no logfmt, and what was expected there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Broken<'a> {
    rest: &'a str,
    expected: Expected,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Expected {
    Name,
    Separator,
    ClosingQuote,
    Escape,
}

impl<'a> ParseError<&'a str> for Broken<'a> {
    fn from_error_kind(rest: &'a str, _: ErrorKind) -> Self {
        Broken { rest, expected: Expected::Name }
    }

    fn append(_: &'a str, _: ErrorKind, other: Self) -> Self {
        other
    }
}

impl Broken<'_> {
    fn reason(self, line: &str) -> String {
        let column = line[..line.len() - self.rest.len()].chars().count() + 1;
        match (self.expected, self.rest.chars().next()) {
            (Expected::Name, Some(found)) => format!("expected a name at column {column}, found `{found}`"),
            (Expected::Name, None) => format!("expected a name at column {column}"),
            (Expected::Separator, _) => format!("expected a space at column {column}, behind the closing quote"),
            (Expected::ClosingQuote, _) => format!("the quote at column {column} is never closed"),
            (Expected::Escape, _) => format!("the backslash at column {column} begins no escape of JSON"),
        }
    }
}

type Parsed<'a, T> = IResult<&'a str, T, Broken<'a>>;

fn member(line: &str) -> Parsed<'_, Member<'_>> {
    let (rest, name) = take_while1(is_of_name).parse(line)?;
    let (rest, said) = match rest.strip_prefix('=') {
        Some(rest) if rest.starts_with('"') => map(quoted, Said::Quoted).parse(rest)?,
        Some(rest) => map(bare, |text| if text.is_empty() { Said::Nothing } else { Said::Bare(text) }).parse(rest)?,
        // A name ends at white space, at the end, at `=`, or at a quote, which belongs to none.
        None if rest.starts_with('"') => return Err(failure(rest, Expected::Name)),
        None => (rest, Said::Present),
    };
    Ok((rest, Member { name, said }))
}

fn is_of_name(character: char) -> bool {
    !character.is_ascii_whitespace() && !matches!(character, '=' | '"')
}

fn bare(text: &str) -> Parsed<'_, &str> {
    take_while(|character: char| !character.is_ascii_whitespace()).parse(text)
}

/// What stands in quotes, copied only where it holds escapes.
fn quoted(text: &str) -> Parsed<'_, Cow<'_, str>> {
    let inner = &text[1..];
    let (rest, plain) = take_while(|character| !matches!(character, '"' | '\\')).parse(inner)?;
    let (rest, said) = match rest.starts_with('\\') {
        true => map(fold_many0(piece, String::new, Piece::append), Cow::Owned).parse(inner)?,
        false => (rest, Cow::Borrowed(plain)),
    };
    let Some(rest) = rest.strip_prefix('"') else { return Err(failure(text, Expected::ClosingQuote)) };
    match rest.chars().next() {
        Some(behind) if !behind.is_ascii_whitespace() => Err(failure(rest, Expected::Separator)),
        _ => Ok((rest, said)),
    }
}

/// A part of what stands in quotes.
enum Piece<'a> {
    Text(&'a str),
    Escaped(char),
}

impl Piece<'_> {
    fn append(mut text: String, piece: Piece<'_>) -> String {
        match piece {
            Piece::Text(piece) => text.push_str(piece),
            Piece::Escaped(character) => text.push(character),
        }
        text
    }
}

fn piece(text: &str) -> Parsed<'_, Piece<'_>> {
    alt((map(is_not("\"\\"), Piece::Text), map(escape, Piece::Escaped))).parse(text)
}

fn escape(text: &str) -> Parsed<'_, char> {
    let (rest, _) = char('\\').parse(text)?;
    let mut escape = alt((
        value('"', char::<_, Broken<'_>>('"')),
        value('\\', char('\\')),
        value('/', char('/')),
        value('\u{8}', char('b')),
        value('\u{c}', char('f')),
        value('\n', char('n')),
        value('\r', char('r')),
        value('\t', char('t')),
        preceded(char('u'), unicode),
    ));
    escape.parse(rest).map_err(|_| failure(text, Expected::Escape))
}

/// A character by its number; one beyond the first 65,536 by the two numbers that UTF-16 has for it.
fn unicode(text: &str) -> Parsed<'_, char> {
    let pair = (terminated(number, tag("\\u")), number);
    let pair = map_opt(pair, |(high, low)| {
        let is_pair = (0xd800..0xdc00).contains(&high);
        char::decode_utf16([high, low]).next().filter(|_| is_pair)?.ok()
    });
    alt((pair, map_opt(number, |number| char::from_u32(number.into())))).parse(text)
}

fn number(text: &str) -> Parsed<'_, u16> {
    map_opt(take_while_m_n(4, 4, AsChar::is_hex_digit), |digits| u16::from_str_radix(digits, 16).ok()).parse(text)
}

fn failure(rest: &str, expected: Expected) -> nom::Err<Broken<'_>> {
    nom::Err::Failure(Broken { rest, expected })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, expected: &[&str]) {
        let shown = |member: Result<Member<'_>, String>| match member {
            Ok(Member { name, said: Said::Present }) => name.to_owned(),
            Ok(Member { name, said: Said::Nothing }) => format!("{name}="),
            Ok(Member { name, said: Said::Bare(text) }) => format!("{name}={text}"),
            Ok(Member { name, said: Said::Quoted(text) }) => format!("{name}={text:?}"),
            Err(reason) => reason,
        };
        assert_eq!(members(line).map(shown).collect::<Vec<_>>(), expected, "{line}");
    }

    #[test]
    fn a_line_is_names_and_what_is_said_of_them() {
        check(
            "level=info msg=\"order \\\"7\\\" paid\" amount=12.50 retried",
            &["level=info", r#"msg="order \"7\" paid""#, "amount=12.50", "retried"],
        );
        check("  a=1\t\tb=  c=\"\" ", &["a=1", "b=", "c=\"\""]);
        check("", &[]);
        check("é=ü at=\u{a0}x", &["é=ü", "at=\u{a0}x"]);
    }

    #[test]
    fn a_value_without_quotes_reaches_to_the_next_white_space() {
        check("url=http://x/?a=b&c=\"d\" t=a\"b", &["url=http://x/?a=b&c=\"d\"", "t=a\"b"]);
    }

    #[test]
    fn the_escapes_are_those_of_json() {
        check(
            r#"a="\"\\\/\b\f\n\r\t" b="\u00e9\ud83d\uDE00\u0041" c="\t""#,
            &[r#"a="\"\\/\u{8}\u{c}\n\r\t""#, "b=\"é😀A\"", "c=\"\\t\""],
        );
        check("a=\"a raw\ttab\"", &["a=\"a raw\\ttab\""]);
    }

    #[test]
    fn what_is_wrong_is_told_with_its_column() {
        check("a=1 =2", &["a=1", "expected a name at column 5, found `=`"]);
        check("é \"b\"", &["é", "expected a name at column 3, found `\"`"]);
        check("a\"b\"", &["expected a name at column 2, found `\"`"]);
        check("a=\"b", &["the quote at column 3 is never closed"]);
        check(r#"a="\" b=1"#, &["the quote at column 3 is never closed"]);
        check("a=\"b\"c=1", &["expected a space at column 6, behind the closing quote"]);
        check(r#"a="é\x""#, &["the backslash at column 5 begins no escape of JSON"]);
        for escape in ["u12", "ud83d", "ud83dA", "uZZZZ", "ud83d\\u0041", ""] {
            check(&format!("a=\"\\{escape}"), &["the backslash at column 4 begins no escape of JSON"]);
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics(line in "[a=\" \\\\u0d8né\t]{0,40}") {
            let members: Vec<_> = members(&line).collect();
            proptest::prop_assert!(members.iter().rev().skip(1).all(Result::is_ok));
        }

        #[test]
        fn the_escapes_of_json_are_read(text: String) {
            let line = format!("a={}", serde_json::to_string(&text).unwrap());
            let expected = Member { name: "a", said: Said::Quoted(Cow::Borrowed(&text)) };
            proptest::prop_assert_eq!(members(&line).collect::<Vec<_>>(), [Ok(expected)]);
        }
    }
}
