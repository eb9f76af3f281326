//! How a source writes times, and what they mean.

use std::borrow::Cow;
use std::str::FromStr;

use chrono::{DateTime, NaiveDateTime};
use ensue_model::time::UNITS;
use ensue_model::{Span, Timestamp};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use crate::scalar::{self, Misfit};

/// The field that holds the event time.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TimeField {
    /// Its name.
    pub name: String,
    /// How it is written.
    pub format: TimeFormat,
}

/// How times are written: as a number since 1970-01-01T00:00:00Z, which may have a fraction, or as text.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum TimeFormat {
    /// `2021-01-19T10:00:00Z`, with any offset; without one it is UTC.
    #[default]
    Rfc3339,
    /// A number of seconds.
    Seconds,
    /// A number of milliseconds.
    Millis,
    /// A number of microseconds.
    Micros,
    /// A number of nanoseconds, rounded down to microseconds.
    Nanos,
}

/// The first microsecond of the year 0, and the last of the year 9999: what RFC 3339 can say, and so can be written
/// again. It also finds a wrong unit: today's milliseconds are seconds in the year 50000.
const YEARS: std::ops::RangeInclusive<i64> = -62_167_219_200_000_000..=253_402_300_799_999_999;

impl FromStr for TimeFormat {
    type Err = String;

    /// `rfc3339`, `s`, `ms`, `us` or `ns`.
    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "rfc3339" => Ok(TimeFormat::Rfc3339),
            "s" => Ok(TimeFormat::Seconds),
            "ms" => Ok(TimeFormat::Millis),
            "us" => Ok(TimeFormat::Micros),
            "ns" => Ok(TimeFormat::Nanos),
            _ => Err("expected `s`, `ms`, `us`, `ns` or `rfc3339`".to_owned()),
        }
    }
}

impl TimeFormat {
    /// An event time.
    pub(crate) fn event_time(self, text: &str) -> Result<Timestamp, Misfit> {
        if self == TimeFormat::Rfc3339 {
            return match rfc3339(text) {
                Some(micros) => in_years(micros, self),
                None if has_far_year(text) => in_years(i128::MAX, self),
                None => Err(self.expected()),
            };
        }
        in_years(self.micros(text).ok_or(self.expected())?, self)
    }

    /// An event time that is a short int, as most are; none where [`TimeFormat::event_time`] has to take a closer look.
    pub(crate) fn short_event_time(self, text: &[u8]) -> Option<Timestamp> {
        self.event_time_of_int(scalar::short_int(text)?)
    }

    /// The event time that an int is; none where it is none, or beyond the years.
    #[inline]
    pub(crate) fn event_time_of_int(self, count: i64) -> Option<Timestamp> {
        let micros = match self {
            TimeFormat::Rfc3339 => None,
            TimeFormat::Seconds => count.checked_mul(1_000_000),
            TimeFormat::Millis => count.checked_mul(1_000),
            TimeFormat::Micros => Some(count),
            TimeFormat::Nanos => Some(count.div_euclid(1_000)),
        };
        micros.filter(|micros| YEARS.contains(micros)).map(Timestamp::from_micros)
    }

    /// A field that was declared as a timestamp: in this format, or as text.
    pub(crate) fn timestamp(self, text: &str) -> Result<Timestamp, Misfit> {
        let micros = self.micros(text).or_else(|| rfc3339(text));
        in_years(micros.ok_or(Misfit::Expected("a timestamp such as 2021-01-19T10:00:00Z"))?, self)
    }

    /// A field that was declared as a duration: in this unit, or as patterns write it.
    pub(crate) fn duration(self, text: &str) -> Result<Span, Misfit> {
        let number = self.micros(text).and_then(|micros| i64::try_from(micros).ok()).map(Span::from_micros);
        number.or_else(|| span(text)).ok_or(Misfit::Expected("a duration such as 15m"))
    }

    /// A number in this unit, in microseconds.
    fn micros(self, text: &str) -> Option<i128> {
        let (factor, divisor) = self.unit()?;
        if let Ok(count) = text.parse::<i64>() {
            return Some((i128::from(count) * i128::from(factor)).div_euclid(i128::from(divisor)));
        }
        let count = scalar::decimal(text)?;
        let micros = count.checked_mul(Decimal::from(factor))?.checked_div(Decimal::from(divisor))?;
        micros.floor().to_i128()
    }

    /// What makes microseconds of a number in this unit: a factor and a divisor.
    fn unit(self) -> Option<(i64, i64)> {
        match self {
            TimeFormat::Rfc3339 => None,
            TimeFormat::Seconds => Some((1_000_000, 1)),
            TimeFormat::Millis => Some((1_000, 1)),
            TimeFormat::Micros => Some((1, 1)),
            TimeFormat::Nanos => Some((1, 1_000)),
        }
    }

    fn expected(self) -> Misfit {
        Misfit::Expected(match self {
            TimeFormat::Rfc3339 => "a time such as 2021-01-19T10:00:00Z (a number needs a time unit)",
            TimeFormat::Seconds => "a number of seconds",
            TimeFormat::Millis => "a number of milliseconds",
            TimeFormat::Micros => "a number of microseconds",
            TimeFormat::Nanos => "a number of nanoseconds",
        })
    }

    fn words(self) -> &'static str {
        match self {
            TimeFormat::Rfc3339 => "a time",
            TimeFormat::Seconds => "seconds",
            TimeFormat::Millis => "milliseconds",
            TimeFormat::Micros => "microseconds",
            TimeFormat::Nanos => "nanoseconds",
        }
    }
}

fn in_years(micros: i128, format: TimeFormat) -> Result<Timestamp, Misfit> {
    match i64::try_from(micros) {
        Ok(micros) if YEARS.contains(&micros) => Ok(Timestamp::from_micros(micros)),
        _ => Err(Misfit::Wrong(Cow::Owned(format!("which as {} is not in the years 0 to 9999", format.words())))),
    }
}

fn rfc3339(text: &str) -> Option<i128> {
    let time = DateTime::parse_from_rfc3339(text).map(|time| time.timestamp_micros());
    let time = time.or_else(|_| without_offset(text).map(|time| time.and_utc().timestamp_micros()));
    time.ok().map(i128::from)
}

/// Whether a text begins with a year that RFC 3339 cannot say.
fn has_far_year(text: &str) -> bool {
    let year = text.strip_prefix(['+', '-']).unwrap_or(text);
    let digits = year.bytes().take_while(u8::is_ascii_digit).count();
    let is_year = digits >= 4 && year[digits..].starts_with('-');
    is_year && (digits > 4 || text.starts_with('-'))
}

fn without_offset(text: &str) -> Result<NaiveDateTime, chrono::ParseError> {
    NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f")
        .or_else(|_| NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f"))
}

/// A duration as patterns write it: `1h30m`, `-250ms`.
pub fn span(text: &str) -> Option<Span> {
    let (sign, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text),
    };
    let mut sum = Span::ZERO;
    loop {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let (count, behind) = rest.split_at(digits);
        let letters = behind.find(|c: char| c.is_ascii_digit()).unwrap_or(behind.len());
        let (unit, behind) = behind.split_at(letters);
        let (_, micros) = UNITS.iter().find(|(name, _)| *name == unit)?;
        let part = Span::from_micros(*micros).checked_mul(count.parse().ok()?)?;
        sum = sum.checked_add(part)?;
        rest = behind;
        if rest.is_empty() {
            return sum.checked_mul(sign);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(format: TimeFormat, text: &str, expected: &str) {
        let found = match format.event_time(text) {
            Ok(time) => time.to_string(),
            Err(misfit) => misfit.to_string(),
        };
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn a_number_is_a_time_in_its_unit() {
        check(TimeFormat::Seconds, "1611047605", "2021-01-19T09:13:25Z");
        check(TimeFormat::Millis, "1611047605001", "2021-01-19T09:13:25.001Z");
        check(TimeFormat::Micros, "1611047605000001", "2021-01-19T09:13:25.000001Z");
        check(TimeFormat::Nanos, "1611047605000001999", "2021-01-19T09:13:25.000001Z");
        check(TimeFormat::Nanos, "253402300799000000000", "9999-12-31T23:59:59Z");
        check(TimeFormat::Seconds, "-1", "1969-12-31T23:59:59Z");
    }

    proptest::proptest! {
        #[test]
        fn a_short_int_is_the_time_that_a_closer_look_finds(text in "-?[0-9]{1,20}") {
            use TimeFormat::*;
            for format in [Rfc3339, Seconds, Millis, Micros, Nanos] {
                if let Some(short) = format.short_event_time(text.as_bytes()) {
                    proptest::prop_assert_eq!(Ok(short), format.event_time(&text));
                }
            }
        }
    }

    #[test]
    fn a_number_may_have_a_fraction_or_an_exponent() {
        check(TimeFormat::Seconds, "1611047605.5", "2021-01-19T09:13:25.500Z");
        check(TimeFormat::Seconds, "1611047605.1234567", "2021-01-19T09:13:25.123456Z");
        check(TimeFormat::Seconds, "1.611047605e9", "2021-01-19T09:13:25Z");
        check(TimeFormat::Seconds, "-0.0000001", "1969-12-31T23:59:59.999999Z");
        check(TimeFormat::Nanos, "-1", "1969-12-31T23:59:59.999999Z");
    }

    #[test]
    fn text_is_rfc_3339_and_without_an_offset_utc() {
        check(TimeFormat::Rfc3339, "2021-01-19T10:13:25.5+01:00", "2021-01-19T09:13:25.500Z");
        check(TimeFormat::Rfc3339, "2021-01-19T09:13:25", "2021-01-19T09:13:25Z");
        check(TimeFormat::Rfc3339, "2021-01-19 09:13:25.25", "2021-01-19T09:13:25.250Z");
        check(TimeFormat::Rfc3339, "9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999999Z");
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in ["abc", "", "NaN", "inf", "1 ", "1_000", "0x10"] {
            check(TimeFormat::Seconds, text, "expected a number of seconds");
        }
        for text in ["1611047605", "2021-01-19", "2021-13-19T10:00:00Z"] {
            let expected = "expected a time such as 2021-01-19T10:00:00Z (a number needs a time unit)";
            check(TimeFormat::Rfc3339, text, expected);
        }
    }

    #[test]
    fn a_time_beyond_the_years_names_its_unit() {
        check(TimeFormat::Seconds, "1611047605000", "which as seconds is not in the years 0 to 9999");
        check(TimeFormat::Seconds, "9223372036854775807", "which as seconds is not in the years 0 to 9999");
        check(TimeFormat::Seconds, "253402300799.9999999", "9999-12-31T23:59:59.999999Z");
        for text in ["10000-01-01T00:00:00Z", "+12345-01-01T00:00:00Z", "-0001-01-01T00:00:00Z", "99999999-01-01"] {
            check(TimeFormat::Rfc3339, text, "which as a time is not in the years 0 to 9999");
        }
        check(TimeFormat::Rfc3339, "9999-12-31T23:59:59-01:00", "which as a time is not in the years 0 to 9999");
    }

    #[test]
    fn durations_are_numbers_in_the_unit_or_written() {
        for (text, expected) in [("90", "1m30s"), ("1.5", "1s500ms"), ("1h30m", "1h30m"), ("-250ms", "-250ms")] {
            assert_eq!(TimeFormat::Seconds.duration(text).map(|span| span.to_string()), Ok(expected.to_owned()));
        }
        for text in ["", "-", "m", "15", "15min", "9999999999999w", "1h30"] {
            assert_eq!(TimeFormat::Rfc3339.duration(text), Err(Misfit::Expected("a duration such as 15m")), "{text}");
        }
    }
}
