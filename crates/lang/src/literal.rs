//! The small formats inside a pattern: durations, times, numbers, texts.

use std::borrow::Cow;

use chrono::DateTime;
use ensue_model::time::UNITS;
use ensue_model::{Span, Timestamp};
use nom::Parser;
use nom::bytes::complete::{take_while, take_while1};
use nom::combinator::all_consuming;
use nom::multi::many1;
use rust_decimal::Decimal;

/// Why a duration is none.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum BadDuration {
    /// A number without a unit.
    NoUnit,
    /// A unit that there is not.
    Unit(String),
    /// More than 292,000 years.
    TooLong,
    /// Not numbers with units.
    Form,
}

/// The duration that is written as `15m`, `1h30m`.
pub(crate) fn duration(text: &str) -> Result<Span, BadDuration> {
    let parts = duration_parts(text).ok_or(BadDuration::Form)?;
    let spans = parts.into_iter().map(|(count, unit)| duration_part(count, unit));
    spans.into_iter().try_fold(Span::ZERO, |sum, span| sum.checked_add(span?).ok_or(BadDuration::TooLong))
}

/// Numbers with what stands behind each.
fn duration_parts(text: &str) -> Option<Vec<(&str, &str)>> {
    let count = take_while1::<_, &str, nom::error::Error<&str>>(|char: char| char.is_ascii_digit() || char == '_');
    let unit = take_while(|char: char| char.is_alphabetic());
    all_consuming(many1((count, unit))).parse(text).ok().map(|(_, parts)| parts)
}

fn duration_part(count: &str, unit: &str) -> Result<Span, BadDuration> {
    if unit.is_empty() {
        return Err(BadDuration::NoUnit);
    }
    let known = UNITS.iter().find(|(name, _)| *name == unit);
    let (_, micros) = known.ok_or_else(|| BadDuration::Unit(unit.to_owned()))?;
    let count = int(count).ok_or(BadDuration::TooLong)?;
    Span::from_micros(*micros).checked_mul(count).ok_or(BadDuration::TooLong)
}

/// The unit that somebody may have meant with another word for it.
pub(crate) fn meant_unit(word: &str) -> Option<&'static str> {
    match word.to_lowercase().as_str() {
        "w" | "wk" | "week" | "weeks" => Some("w"),
        "d" | "day" | "days" => Some("d"),
        "h" | "hr" | "hrs" | "hour" | "hours" => Some("h"),
        "m" | "min" | "mins" | "minute" | "minutes" => Some("m"),
        "s" | "sec" | "secs" | "second" | "seconds" => Some("s"),
        "ms" | "msec" | "millis" | "millisecond" | "milliseconds" => Some("ms"),
        "us" | "µs" | "micros" | "microsecond" | "microseconds" => Some("us"),
        _ => None,
    }
}

/// The instant that is written as `2021-01-19T10:00:00Z`.
pub(crate) fn time(text: &str) -> Option<Timestamp> {
    let time = DateTime::parse_from_rfc3339(text).ok()?;
    Some(Timestamp::from_micros(time.timestamp_micros()))
}

/// What a token that starts with a digit is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum NumberShape {
    /// `12`, `1_000`
    Int,
    /// `2.5`, `1e9`
    Float,
    /// Anything else with letters: a duration, or meant as one.
    Duration,
}

/// What a token that starts with a digit is.
pub(crate) fn number_shape(text: &str) -> NumberShape {
    if text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_') {
        NumberShape::Int
    } else if float(text).is_some() {
        NumberShape::Float
    } else {
        NumberShape::Duration
    }
}

/// The digits without the `_` between them.
fn digits(text: &str) -> Cow<'_, str> {
    if text.contains('_') { Cow::Owned(text.replace('_', "")) } else { Cow::Borrowed(text) }
}

/// The integer, none where it has more than 64 bits.
pub(crate) fn int(text: &str) -> Option<i64> {
    digits(text).parse().ok()
}

/// The double nearest to what is written; none where that is infinite.
pub(crate) fn float(text: &str) -> Option<f64> {
    let number: f64 = digits(text).parse().ok()?;
    number.is_finite().then_some(number)
}

/// Exactly what is written; none where 28 digits do not hold it.
pub(crate) fn decimal(text: &str) -> Option<Decimal> {
    let text = digits(text);
    let Some((digits, _)) = text.split_once(['e', 'E']) else { return Decimal::from_str_exact(&text).ok() };
    // With an exponent, digits that are too many would be rounded.
    Decimal::from_str_exact(digits).ok().and_then(|_| Decimal::from_scientific(&text).ok())
}

/// What stands between the quotes, with escapes resolved; or where in it the first wrong escape stands.
pub(crate) fn unescape(text: &str) -> Result<String, std::ops::Range<usize>> {
    let mut result = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find('\\') {
        result.push_str(&rest[..start]);
        let at = text.len() - rest.len() + start;
        let (char, length) = escape(&rest[start..]).ok_or_else(|| at..(at + escape_length(&rest[start..])))?;
        result.push(char);
        rest = &rest[start + length..];
    }
    result.push_str(rest);
    Ok(result)
}

/// The character that an escape stands for, and the escape's length.
fn escape(text: &str) -> Option<(char, usize)> {
    let char = match text.as_bytes().get(1)? {
        b'"' => '"',
        b'\\' => '\\',
        b'/' => '/',
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        b'u' => return unicode_escape(text),
        _ => return None,
    };
    Some((char, 2))
}

/// `\u00e4`, or a surrogate pair of two.
fn unicode_escape(text: &str) -> Option<(char, usize)> {
    let high = code_unit(text)?;
    match char::from_u32(high.into()) {
        Some(char) => Some((char, 6)),
        None => {
            let low = code_unit(text.get(6..)?)?;
            let char = char::decode_utf16([high, low]).next()?.ok()?;
            Some((char, 12))
        }
    }
}

fn code_unit(text: &str) -> Option<u16> {
    let hex = text.strip_prefix("\\u")?.get(..4)?;
    if hex.bytes().all(|byte| byte.is_ascii_hexdigit()) { u16::from_str_radix(hex, 16).ok() } else { None }
}

/// How much of a wrong escape to show.
fn escape_length(text: &str) -> usize {
    1 + text[1..].chars().next().map_or(0, char::len_utf8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_numbers_with_units() {
        let micros = |text| duration(text).map(Span::as_micros);
        assert_eq!(micros("15m"), Ok(900_000_000));
        assert_eq!(micros("1h30m"), Ok(5_400_000_000));
        assert_eq!(micros("250ms"), Ok(250_000));
        assert_eq!(micros("1_000us"), Ok(1_000));
        assert_eq!(micros("1w"), Ok(604_800_000_000));
        assert_eq!(micros("15"), Err(BadDuration::NoUnit));
        assert_eq!(micros("1h30"), Err(BadDuration::NoUnit));
        assert_eq!(micros("15min"), Err(BadDuration::Unit("min".into())));
        assert_eq!(micros("99999999999999999999s"), Err(BadDuration::TooLong));
        assert_eq!(micros("9999999999999d"), Err(BadDuration::TooLong));
        assert_eq!(micros("2.5m"), Err(BadDuration::Form));
    }

    #[test]
    fn times_are_rfc_3339() {
        assert_eq!(time("2021-01-19T10:00:00Z"), Some(Timestamp::from_seconds(1_611_050_400)));
        assert_eq!(time("2021-01-19T12:00:00.5+02:00"), Some(Timestamp::from_millis(1_611_050_400_500)));
        assert_eq!(time("2021-01-19"), None);
        assert_eq!(time("2021-13-19T10:00:00Z"), None);
    }

    #[test]
    fn numbers_are_told_by_their_letters() {
        for (text, shape) in [
            ("1_000", NumberShape::Int),
            ("2.5", NumberShape::Float),
            ("1e9", NumberShape::Float),
            ("1.5e-3", NumberShape::Float),
            ("15m", NumberShape::Duration),
            ("2.5m", NumberShape::Duration),
        ] {
            assert_eq!(number_shape(text), shape, "{text}");
        }
    }

    #[test]
    fn decimals_are_exact() {
        assert_eq!(decimal("1_000.10").map(|number| number.to_string()), Some("1000.10".into()));
        assert_eq!(decimal("1e3"), Some(Decimal::from(1_000)));
        assert_eq!(decimal("0.00000000000000000000000000000000001"), None);
        assert_eq!(decimal("0.12345678901234567890123456789012345e1"), None);
    }

    #[test]
    fn escapes_are_those_of_json() {
        assert_eq!(unescape(r#"a\"\\\/\n\u00e4\ud83d\ude00"#), Ok("a\"\\/\nä😀".into()));
        assert_eq!(unescape(r"a\x"), Err(1..3));
        assert_eq!(unescape(r"\u12"), Err(0..2));
        assert_eq!(unescape(r"\ud83d"), Err(0..2));
        assert_eq!(unescape(r"\u+123"), Err(0..2));
    }
}
