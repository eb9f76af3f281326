//! What a text means, by the type that was declared for it.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use ensue_model::{Type, Value};
use rust_decimal::Decimal;

use crate::json;
use crate::marks;
use crate::time::TimeFormat;
use crate::words;

/// Why a text is no value of its field. Reads on after "`ts` is `abc`, ".
#[derive(PartialEq, Eq, Debug)]
pub(crate) enum Misfit {
    /// Another kind of value is expected.
    Expected(&'static str),
    /// The kind is right and the value is not.
    Wrong(Cow<'static, str>),
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Misfit::Expected(what) => write!(f, "expected {what}"),
            Misfit::Wrong(why) => f.write_str(why),
        }
    }
}

/// The sentence that refuses a field's text. A long text is cut: the whole line is kept elsewhere.
pub(crate) fn refusal(field: &str, text: &str, misfit: &Misfit) -> String {
    const SHOWN_CHARS: usize = 60;
    match text.char_indices().nth(SHOWN_CHARS) {
        Some((end, _)) => format!("`{field}` is `{}…`, {misfit}", &text[..end]),
        None => format!("`{field}` is `{text}`, {misfit}"),
    }
}

/// The value of a CSV field that is not empty.
pub(crate) fn value<'a>(text: &'a str, kind: &Type, times: TimeFormat) -> Result<Value<'a>, Misfit> {
    match kind {
        Type::Any => Ok(inferred(text)),
        Type::Bool => bool(text).map(Value::Bool).ok_or(Misfit::Expected("true or false")),
        Type::Int => int(text).map(Value::Int).ok_or(INT),
        Type::Float => float(text).map(Value::Float).ok_or(FLOAT),
        Type::Decimal => decimal(text).map(Value::Decimal).ok_or(DECIMAL),
        Type::String => Ok(text.into()),
        Type::Timestamp => times.timestamp(text).map(Value::Timestamp),
        Type::Duration => times.duration(text).map(Value::Duration),
        Type::List(_) => json::value(text, kind, times),
    }
}

pub(crate) const INT: Misfit = Misfit::Expected("an int of 64 bits");
pub(crate) const FLOAT: Misfit = Misfit::Expected("a finite number");
pub(crate) const DECIMAL: Misfit = Misfit::Expected("a decimal of at most 28 digits");

/// What a text that nothing was declared for looks like: an int as a program writes it and that fits 64 bits, else a
/// finite number of JSON, else a string. So `007` and `+5` stay strings: they are codes more often than numbers.
pub(crate) fn inferred(text: &str) -> Value<'_> {
    if !is_json_number(text.as_bytes()) {
        return text.into();
    }
    match int(text) {
        Some(int) => Value::Int(int),
        None => float(text).map_or(text.into(), Value::Float),
    }
}

/// Whether a text that begins with it is a word, which [`inferred`] takes for a string.
#[inline]
pub(crate) fn begins_word(first: u8) -> bool {
    first.is_ascii_alphabetic()
}

/// Text that is borrowed where it can be.
pub(crate) fn string(text: Cow<'_, str>) -> Value<'_> {
    match text {
        Cow::Borrowed(text) => text.into(),
        Cow::Owned(text) => text.into(),
    }
}

/// So many digits are a finite number: the largest float has 309.
pub(crate) const FINITE_DIGITS: usize = 308;

/// Whether [`inferred`] takes a text for a number.
pub(crate) fn is_number(text: &str) -> bool {
    match text.as_bytes() {
        [b'a'..=b'z' | b'A'..=b'Z', ..] => false,
        bytes => {
            is_json_number(bytes) && (bytes.len() <= FINITE_DIGITS && is_all_digits(bytes) || float(text).is_some())
        }
    }
}

fn is_all_digits(text: &[u8]) -> bool {
    marks::are_all(text, marks::digits)
}

/// The int that a text is, as a program writes it, if it is so short that it cannot overflow. So are most numbers, and this
/// is the short way for them.
#[inline]
pub(crate) fn short_int(text: &[u8]) -> Option<i64> {
    short_int_at(text, 0..text.len())
}

/// As [`short_int`], of a part of a text.
#[inline(always)]
pub(crate) fn short_int_at(text: &[u8], part: Range<usize>) -> Option<i64> {
    const WORD: usize = words::BYTES;
    let (sign, digits) = match text[part.clone()] {
        [b'-', b'1'..=b'9', ..] => (-1, part.len() - 1),
        [b'1'..=b'9', ..] => (1, part.len()),
        // `-0` is no int as a program writes it, and would be shown as another one where it is refused.
        [b'0'] => return Some(0),
        _ => return None,
    };
    let number = match digits {
        ..=WORD => words::number(text, part.end, digits)?,
        _ if digits <= 2 * WORD => {
            let front = words::number(text, part.end - WORD, digits - WORD)?;
            front * 100_000_000 + words::number(text, part.end, WORD)?
        }
        _ => return None,
    };
    Some(sign * number.cast_signed())
}

pub(crate) fn bool(text: &str) -> Option<bool> {
    text.parse().ok()
}

pub(crate) fn int(text: &str) -> Option<i64> {
    text.parse().ok()
}

/// A finite number: what JSON cannot write again is refused.
pub(crate) fn float(text: &str) -> Option<f64> {
    text.parse().ok().filter(|float: &f64| float.is_finite())
}

/// An exact number; none where its digits do not fit.
pub(crate) fn decimal(text: &str) -> Option<Decimal> {
    // The crate also reads `1_000`, which no format writes.
    if text.contains('_') {
        return None;
    }
    match text.split_once(['e', 'E']) {
        // It would round digits that are too many.
        Some((digits, _)) => Decimal::from_str_exact(digits).ok().and_then(|_| Decimal::from_scientific(text).ok()),
        None => Decimal::from_str_exact(text).ok(),
    }
}

/// Whether a text is a number as JSON writes it: `-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?`.
fn is_json_number(text: &[u8]) -> bool {
    let text = text.strip_prefix(b"-").unwrap_or(text);
    let (integer, text) = digits(text);
    if integer.is_empty() || integer.len() > 1 && integer[0] == b'0' {
        return false;
    }
    let text = match text.strip_prefix(b".").map(digits) {
        Some(([], _)) => return false,
        Some((_, text)) => text,
        None => text,
    };
    match text {
        [] => true,
        [b'e' | b'E', b'+' | b'-', text @ ..] | [b'e' | b'E', text @ ..] => {
            let (exponent, text) = digits(text);
            !exponent.is_empty() && text.is_empty()
        }
        _ => false,
    }
}

/// The digits at the front, and what follows.
fn digits(text: &[u8]) -> (&[u8], &[u8]) {
    text.split_at(text.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(kind: &Type, text: &str, expected: &str) {
        let found = match value(text, kind, TimeFormat::Seconds) {
            Ok(value) => value.to_string(),
            Err(misfit) => refusal("x", text, &misfit),
        };
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn what_looks_like_a_number_is_one() {
        for (text, expected) in [
            ("12", "12"),
            ("-12", "-12"),
            ("0", "0"),
            ("1.50", "1.5"),
            ("-1e3", "-1000.0"),
            ("9223372036854775807", "9223372036854775807"),
            ("9223372036854775808", "9.223372036854776e18"),
        ] {
            check(&Type::Any, text, expected);
        }
    }

    #[test]
    fn what_only_nearly_looks_like_a_number_is_a_string() {
        for text in
            ["007", "+5", "1.", ".5", "-", "1e", "1e+", "1_000", "0x10", " 1", "NaN", "inf", "1e999", "true", "-01"]
        {
            check(&Type::Any, text, &format!("{text:?}"));
        }
    }

    proptest::proptest! {
        #[test]
        fn the_short_ways_lead_where_the_long_ones_do(text in "-?[01]?[0-9]{0,22}(\\.[0-9]{0,3})?([eE][+-]?[0-9]{0,4})?[x ]?") {
            let is_number = matches!(inferred(&text), Value::Int(_) | Value::Float(_));
            proptest::prop_assert_eq!(is_number, is_number_long(&text));
            proptest::prop_assert_eq!(is_number, super::is_number(&text));
            if let Some(short) = short_int(text.as_bytes()) {
                proptest::prop_assert_eq!(Some(short), int(&text));
            }
        }
    }

    fn is_number_long(text: &str) -> bool {
        is_json_number(text.as_bytes()) && (int(text).is_some() || float(text).is_some())
    }

    #[test]
    fn a_long_number_is_one_while_it_is_finite() {
        for digits in [18, 19, 20, 308, 309, 310] {
            let text = "9".repeat(digits);
            assert_eq!(is_number(&text), is_number_long(&text), "{digits} digits");
            assert_eq!(matches!(inferred(&text), Value::String(_)), !is_number_long(&text), "{digits} digits");
        }
    }

    #[test]
    fn a_declared_type_is_read_strictly() {
        check(&Type::Bool, "true", "true");
        check(&Type::Bool, "TRUE", "`x` is `TRUE`, expected true or false");
        check(&Type::Int, "007", "7");
        check(&Type::Int, "5.0", "`x` is `5.0`, expected an int of 64 bits");
        check(&Type::Int, "9223372036854775808", "`x` is `9223372036854775808`, expected an int of 64 bits");
        check(&Type::Float, "1", "1.0");
        check(&Type::Float, "NaN", "`x` is `NaN`, expected a finite number");
        check(&Type::Float, "-inf", "`x` is `-inf`, expected a finite number");
        check(&Type::Float, "1e999", "`x` is `1e999`, expected a finite number");
        check(&Type::Decimal, "12.50", "12.50");
        check(&Type::Decimal, "1e2", "100");
        check(&Type::Decimal, "1_000", "`x` is `1_000`, expected a decimal of at most 28 digits");
        check(&Type::String, "007", "\"007\"");
        check(&Type::Timestamp, "1611047605", "@2021-01-19T09:13:25Z");
        check(&Type::Timestamp, "2021-01-19T09:13:25Z", "@2021-01-19T09:13:25Z");
        check(&Type::Timestamp, "soon", "`x` is `soon`, expected a timestamp such as 2021-01-19T10:00:00Z");
        check(&Type::Duration, "15m", "15m");
        check(&Type::List(Box::new(Type::Int)), "[1, 2]", "[1, 2]");
        check(&Type::List(Box::new(Type::Int)), "[1, 2.5]", "`x` is `[1, 2.5]`, expected a list of int");
    }

    #[test]
    fn a_long_text_is_cut_in_the_reason() {
        let text = "é".repeat(100);
        check(&Type::Int, &text, &format!("`x` is `{}…`, expected an int of 64 bits", "é".repeat(60)));
    }
}
