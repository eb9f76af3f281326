//! Points and lengths of event time, in microseconds.

use std::fmt;
use std::ops::{Add, Neg, RangeInclusive, Sub};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// A point of event time: microseconds since 1970-01-01T00:00:00Z, before it negative.
///
/// ```
/// use ensue_model::{Span, Timestamp};
/// let created = Timestamp::from_millis(1_611_047_605_000);
/// assert_eq!(created.to_string(), "2021-01-19T09:13:25Z");
/// assert_eq!((created + Span::from_millis(1)).to_string(), "2021-01-19T09:13:25.001Z");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(i64);

/// A length of time in microseconds; may be negative.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Span(i64);

/// The text of a point of time in RFC 3339, such as `2021-01-19T09:13:25Z`.
#[derive(Clone, Copy, Debug)]
pub struct Rfc3339 {
    bytes: [u8; RFC3339_BYTES_MAX],
    length: usize,
}

const MICROS_PER_MILLI: i64 = 1_000;
const MICROS_PER_SECOND: i64 = 1_000_000;
const SECONDS_PER_DAY: u64 = 24 * 3_600;

/// The first microsecond of the year 0, and the last of the year 9999.
const YEARS: RangeInclusive<i64> = -62_167_219_200_000_000..=253_402_300_799_999_999;

/// Of `9999-12-31T23:59:59.999999Z`.
const RFC3339_BYTES_MAX: usize = 27;

impl Timestamp {
    /// Before every event.
    pub const MIN: Timestamp = Timestamp(i64::MIN);
    /// After every event: the watermark at the end of a bounded input.
    pub const MAX: Timestamp = Timestamp(i64::MAX);

    /// From microseconds since the epoch.
    pub const fn from_micros(micros: i64) -> Self {
        Timestamp(micros)
    }

    /// From milliseconds since the epoch; saturates at the ends of time.
    pub const fn from_millis(millis: i64) -> Self {
        Timestamp(millis.saturating_mul(MICROS_PER_MILLI))
    }

    /// From seconds since the epoch; saturates at the ends of time.
    pub const fn from_seconds(seconds: i64) -> Self {
        Timestamp(seconds.saturating_mul(MICROS_PER_SECOND))
    }

    /// Microseconds since the epoch.
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// Whole milliseconds since the epoch, rounded down.
    pub const fn as_millis(self) -> i64 {
        self.0.div_euclid(MICROS_PER_MILLI)
    }

    /// The instant just before this one, `MIN` for `MIN`.
    pub const fn just_before(self) -> Self {
        Timestamp(self.0.saturating_sub(1))
    }

    /// The start of the step of that length in which this instant lies; none before the start of time. Steps are counted
    /// from a Monday, 2000-01-03, so that days start at midnight and weeks on Mondays, in UTC.
    ///
    /// # Panics
    /// If the step is not positive.
    pub fn truncated(self, step: Span) -> Option<Timestamp> {
        const MONDAY: i64 = 946_857_600 * MICROS_PER_SECOND;
        let into_step = (self.0.rem_euclid(step.0) - MONDAY.rem_euclid(step.0)).rem_euclid(step.0);
        self.0.checked_sub(into_step).map(Timestamp)
    }

    /// The same instant as chrono's type; none beyond the years that chrono can hold.
    pub fn to_chrono(self) -> Option<DateTime<Utc>> {
        DateTime::from_timestamp_micros(self.0)
    }

    /// RFC 3339 in UTC, with the fraction only where there is one, and then to milliseconds or microseconds. None outside of
    /// the years 0 to 9999, which are all that it can say.
    pub fn rfc3339(self) -> Option<Rfc3339> {
        if !YEARS.contains(&self.0) {
            return None;
        }
        let micros = (self.0 - YEARS.start()).cast_unsigned();
        let (seconds, micros) = (micros / 1_000_000, (micros % 1_000_000) as u32);
        let (day, second) = ((seconds / SECONDS_PER_DAY) as u32, (seconds % SECONDS_PER_DAY) as u32);
        let (year, month, day) = civil(day);
        let mut bytes = *b"0000-00-00T00:00:00Z.......";
        let numbers = [year / 100, year % 100, month, day, second / 3_600, second / 60 % 60, second % 60];
        for (at, number) in [0, 2, 5, 8, 11, 14, 17].into_iter().zip(numbers) {
            bytes[at..at + 2].copy_from_slice(&digits(number));
        }
        let text = Rfc3339 { bytes, length: 20 };
        Some(if micros == 0 { text } else { text.with_fraction(micros) })
    }
}

/// The day of that number since 0000-01-01, as year, month and day of the Gregorian calendar: by C. Neri and L. Schneider,
/// *Euclidean affine functions and their application to calendar algorithms*, 2022, with their names. Years begin in March,
/// so that the leap day is the last of its year; one era of 400 years is added, so that no number is negative.
fn civil(day: u32) -> (u32, u32, u32) {
    const DAYS_PER_ERA: u32 = 146_097;
    const JANUARY_AND_FEBRUARY: u32 = 60;
    let n1 = 4 * (day + DAYS_PER_ERA - JANUARY_AND_FEBRUARY) + 3;
    let (century, day_of_century) = (n1 / DAYS_PER_ERA, n1 % DAYS_PER_ERA / 4);
    let n2 = 2_939_745 * u64::from(4 * day_of_century + 3);
    let (year_of_century, day_of_year) = ((n2 >> 32) as u32, n2 as u32 / 2_939_745 / 4);
    let n3 = 2_141 * day_of_year + 197_913;
    let (month, day) = (n3 >> 16, (n3 & 0xffff) / 2_141 + 1);
    let (month, into_next) = if day_of_year < 306 { (month, 0) } else { (month - 12, 1) };
    (100 * century + year_of_century + into_next - 400, month, day)
}

impl Rfc3339 {
    /// The text.
    ///
    /// # Panics
    /// Never: it is ASCII.
    pub fn as_str(&self) -> &str {
        str::from_utf8(self.as_bytes()).expect("it is ASCII")
    }

    /// The text's bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }

    fn with_fraction(mut self, micros: u32) -> Self {
        self.bytes[19] = b'.';
        self.bytes[20..22].copy_from_slice(&digits(micros / 10_000));
        self.bytes[22..24].copy_from_slice(&digits(micros / 100 % 100));
        self.bytes[24..26].copy_from_slice(&digits(micros % 100));
        let end = if micros.is_multiple_of(1_000) { 23 } else { 26 };
        self.bytes[end] = b'Z';
        self.length = end + 1;
        self
    }
}

/// The two digits of a number below 100.
fn digits(number: u32) -> [u8; 2] {
    const DIGITS: [[u8; 2]; 100] = {
        let mut digits = [[0; 2]; 100];
        let mut number = 0;
        while number < digits.len() {
            digits[number] = [b'0' + (number / 10) as u8, b'0' + (number % 10) as u8];
            number += 1;
        }
        digits
    };
    DIGITS[number as usize]
}

impl Span {
    /// No time.
    pub const ZERO: Span = Span(0);
    /// An hour.
    pub const HOUR: Span = Span::from_seconds(3_600);
    /// A day of 24 hours.
    pub const DAY: Span = Span::from_seconds(24 * 3_600);

    /// From microseconds.
    pub const fn from_micros(micros: i64) -> Self {
        Span(micros)
    }

    /// From milliseconds; saturates.
    pub const fn from_millis(millis: i64) -> Self {
        Span(millis.saturating_mul(MICROS_PER_MILLI))
    }

    /// From seconds; saturates.
    pub const fn from_seconds(seconds: i64) -> Self {
        Span(seconds.saturating_mul(MICROS_PER_SECOND))
    }

    /// The length in microseconds.
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// The sum, none on overflow.
    pub fn checked_add(self, other: Span) -> Option<Span> {
        self.0.checked_add(other.0).map(Span)
    }

    /// The product, none on overflow.
    pub fn checked_mul(self, factor: i64) -> Option<Span> {
        self.0.checked_mul(factor).map(Span)
    }

    /// As a sentence says it: `15 minutes`, `1 hour 30 minutes`, `30 days`. Weeks are counted as days, but for whole ones.
    ///
    /// ```
    /// use ensue_model::Span;
    /// assert_eq!(Span::from_seconds(5_400).in_words(), "1 hour 30 minutes");
    /// assert_eq!((Span::DAY.in_words(), Span::DAY.checked_mul(30).unwrap().in_words()), ("1 day".into(), "30 days".into()));
    /// ```
    pub fn in_words(self) -> String {
        let week = Span::DAY.0 * 7;
        let units = if self.0 != 0 && self.0 % week == 0 { &UNITS[..] } else { &UNITS[1..] };
        let mut rest = self.0.unsigned_abs();
        let mut words = Vec::new();
        for (unit, micros) in units {
            let count = rest / micros.unsigned_abs();
            rest %= micros.unsigned_abs();
            if count > 0 {
                words.push(format!("{count} {}{}", unit_in_words(unit), if count == 1 { "" } else { "s" }));
            }
        }
        let sign = if self.0 < 0 { "minus " } else { "" };
        if words.is_empty() { "no time".to_owned() } else { format!("{sign}{}", words.join(" ")) }
    }
}

fn unit_in_words(unit: &str) -> &str {
    match unit {
        "w" => "week",
        "d" => "day",
        "h" => "hour",
        "m" => "minute",
        "s" => "second",
        "ms" => "millisecond",
        "us" => "microsecond",
        unit => unit,
    }
}

impl Add<Span> for Timestamp {
    type Output = Timestamp;

    /// Saturates at the ends of time, which are no event's time.
    fn add(self, span: Span) -> Timestamp {
        Timestamp(self.0.saturating_add(span.0))
    }
}

impl Sub<Span> for Timestamp {
    type Output = Timestamp;

    fn sub(self, span: Span) -> Timestamp {
        Timestamp(self.0.saturating_sub(span.0))
    }
}

impl Sub for Timestamp {
    type Output = Span;

    fn sub(self, other: Timestamp) -> Span {
        Span(self.0.saturating_sub(other.0))
    }
}

impl Neg for Span {
    type Output = Span;

    fn neg(self) -> Span {
        Span(self.0.saturating_neg())
    }
}

impl fmt::Display for Timestamp {
    /// RFC 3339 in UTC, with the fraction only where there is one.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(text) = self.rfc3339() {
            return f.write_str(text.as_str());
        }
        match self.to_chrono() {
            Some(time) => write!(f, "{}", time.format("%+")),
            None => write!(f, "{}us", self.0),
        }
    }
}

/// The units of a written duration, the largest first, with their length in microseconds.
pub const UNITS: [(&str, i64); 7] = [
    ("w", 7 * 24 * 3_600 * MICROS_PER_SECOND),
    ("d", 24 * 3_600 * MICROS_PER_SECOND),
    ("h", 3_600 * MICROS_PER_SECOND),
    ("m", 60 * MICROS_PER_SECOND),
    ("s", MICROS_PER_SECOND),
    ("ms", MICROS_PER_MILLI),
    ("us", 1),
];

impl fmt::Display for Span {
    /// As a pattern writes it: `1h30m`, `250ms`, `0s`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == 0 {
            return f.write_str("0s");
        }
        if self.0 < 0 {
            f.write_str("-")?;
        }
        let mut rest = self.0.unsigned_abs();
        for (unit, micros) in UNITS {
            let count = rest / micros.unsigned_abs();
            rest %= micros.unsigned_abs();
            if count > 0 {
                write!(f, "{count}{unit}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use chrono::SecondsFormat;

    use super::*;

    #[test]
    fn spans_are_written_as_patterns_write_them() {
        for (millis, text) in [(0, "0s"), (900_000, "15m"), (5_400_000, "1h30m"), (250, "250ms"), (-1_500, "-1s500ms")]
        {
            assert_eq!(Span::from_millis(millis).to_string(), text);
        }
    }

    #[test]
    fn spans_are_said_in_words() {
        let said = [
            (0, "no time"),
            (1, "1 millisecond"),
            (900_000, "15 minutes"),
            (-1_500, "minus 1 second 500 milliseconds"),
        ];
        let long = [(7, "1 week"), (14, "2 weeks"), (3, "3 days"), (30, "30 days")]
            .map(|(days, text)| (days * 86_400_000, text));
        for (millis, text) in said.into_iter().chain(long) {
            assert_eq!(Span::from_millis(millis).in_words(), text);
        }
    }

    #[test]
    fn timestamps_show_the_fraction_they_have() {
        for (micros, text) in
            [(0, "1970-01-01T00:00:00Z"), (-1, "1969-12-31T23:59:59.999999Z"), (1_000, "1970-01-01T00:00:00.001Z")]
        {
            assert_eq!(Timestamp::from_micros(micros).to_string(), text);
        }
    }

    /// As chrono writes it.
    fn by_chrono(time: Timestamp) -> String {
        let fraction = match time.0.rem_euclid(MICROS_PER_SECOND) {
            0 => SecondsFormat::Secs,
            micros if micros % MICROS_PER_MILLI == 0 => SecondsFormat::Millis,
            _ => SecondsFormat::Micros,
        };
        time.to_chrono().expect("chrono holds the years 0 to 9999").to_rfc3339_opts(fraction, true)
    }

    #[test]
    fn every_day_of_ten_thousand_years_is_as_chrono_writes_it() {
        for day in (YEARS.start() / MICROS_PER_SECOND..=YEARS.end() / MICROS_PER_SECOND).step_by(86_400) {
            let midnight = Timestamp::from_seconds(day);
            assert_eq!(midnight.rfc3339().expect("RFC 3339 can say it").as_str(), by_chrono(midnight));
        }
    }

    #[test]
    fn rfc_3339_ends_with_the_year_9999() {
        let (first, last) = (Timestamp::from_micros(*YEARS.start()), Timestamp::from_micros(*YEARS.end()));
        assert_eq!(first.to_string(), "0000-01-01T00:00:00Z");
        assert_eq!(last.to_string(), "9999-12-31T23:59:59.999999Z");
        assert!(first.just_before().rfc3339().is_none());
        assert_eq!(first.just_before().to_string(), "-0001-12-31T23:59:59.999999+00:00");
        assert_eq!((last + Span::from_micros(1)).to_string(), "+10000-01-01T00:00:00+00:00");
    }

    proptest::proptest! {
        #[test]
        fn timestamps_are_as_chrono_writes_them(micros in YEARS, step in proptest::sample::select(vec![1, 1_000, 1_000_000])) {
            let time = Timestamp::from_micros(micros.div_euclid(step) * step);
            proptest::prop_assume!(YEARS.contains(&time.0));
            proptest::prop_assert_eq!(time.to_string(), by_chrono(time));
        }
    }

    #[test]
    fn the_ends_of_time_hold() {
        assert_eq!(Timestamp::MAX + Span::from_seconds(1), Timestamp::MAX);
        assert_eq!(Timestamp::MIN.just_before(), Timestamp::MIN);
        assert_eq!(Timestamp::MAX.to_string(), "9223372036854775807us");
    }
}
