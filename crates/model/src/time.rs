//! Points and lengths of event time, in microseconds.

use std::fmt;
use std::ops::{Add, Neg, Sub};

use chrono::{DateTime, Datelike, SecondsFormat, Utc};
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

const MICROS_PER_MILLI: i64 = 1_000;
const MICROS_PER_SECOND: i64 = 1_000_000;

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
        match self.to_chrono() {
            Some(time) if (0..=9999).contains(&time.year()) => {
                let fraction = match self.0.rem_euclid(MICROS_PER_SECOND) {
                    0 => SecondsFormat::Secs,
                    micros if micros % MICROS_PER_MILLI == 0 => SecondsFormat::Millis,
                    _ => SecondsFormat::Micros,
                };
                f.write_str(&time.to_rfc3339_opts(fraction, true))
            }
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
    use super::*;

    #[test]
    fn spans_are_written_as_patterns_write_them() {
        for (millis, text) in [(0, "0s"), (900_000, "15m"), (5_400_000, "1h30m"), (250, "250ms"), (-1_500, "-1s500ms")]
        {
            assert_eq!(Span::from_millis(millis).to_string(), text);
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

    #[test]
    fn the_ends_of_time_hold() {
        assert_eq!(Timestamp::MAX + Span::from_seconds(1), Timestamp::MAX);
        assert_eq!(Timestamp::MIN.just_before(), Timestamp::MIN);
        assert_eq!(Timestamp::MAX.to_string(), "9223372036854775807us");
    }
}
