//! How numbers of different types meet.
//!
//! In arithmetic an `int` becomes what the other side is, and a `decimal` that meets a `float` becomes a `float`: what
//! is exact stays exact until something inexact touches it. Comparisons convert nothing that would lose digits: an
//! `int` meets a `float` as the numbers that both are, and a `float` meets a `decimal` as the decimal that it is
//! written as. So `price == 0.1` holds for the decimal 0.1, although no double is a tenth.

use std::cmp::Ordering;
use std::fmt::{self, Write};

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use crate::value::Value;

/// Two numbers of one type.
pub(crate) enum Numbers {
    /// Both were ints.
    Int(i64, i64),
    /// One was a float.
    Float(f64, f64),
    /// One was a decimal, none a float.
    Decimal(Decimal, Decimal),
}

impl Numbers {
    /// The two as arithmetic takes them; none where one is not a number.
    pub(crate) fn of(a: &Value<'_>, b: &Value<'_>) -> Option<Numbers> {
        match (a, b) {
            (Value::Int(a), Value::Int(b)) => Some(Numbers::Int(*a, *b)),
            (Value::Decimal(a), Value::Decimal(b)) => Some(Numbers::Decimal(*a, *b)),
            (Value::Int(a), Value::Decimal(b)) => Some(Numbers::Decimal(Decimal::from(*a), *b)),
            (Value::Decimal(a), Value::Int(b)) => Some(Numbers::Decimal(*a, Decimal::from(*b))),
            _ => Some(Numbers::Float(float_of(a)?, float_of(b)?)),
        }
    }
}

/// A number as a float, rounded where it has more digits; none of what is not a number.
pub(crate) fn float_of(value: &Value<'_>) -> Option<f64> {
    match value {
        Value::Int(value) => Some(*value as f64),
        Value::Float(value) => Some(*value),
        Value::Decimal(value) => value.to_f64(),
        _ => None,
    }
}

/// The order of an int and a float, exactly: rounding the int to a float would make 9,007,199,254,740,993 equal to its
/// neighbour. None for NaN.
pub(crate) fn int_with_float(a: i64, b: f64) -> Option<Ordering> {
    const INTS_END: f64 = 9_223_372_036_854_775_808.0;
    if b.is_nan() {
        return None;
    }
    if b >= INTS_END {
        return Some(Ordering::Less);
    }
    if b < -INTS_END {
        return Some(Ordering::Greater);
    }
    let whole = b.trunc();
    Some(a.cmp(&(whole as i64)).then_with(|| whole.total_cmp(&b)))
}

/// The order of a decimal and a float, of which the first 28 places count, as many as a decimal has. None for NaN.
pub(crate) fn decimal_with_float(a: Decimal, b: f64) -> Option<Ordering> {
    if b.is_nan() {
        return None;
    }
    match decimal_of(b) {
        Some(b) => Some(a.cmp(&b)),
        None if b > 0.0 => Some(Ordering::Less),
        None => Some(Ordering::Greater),
    }
}

/// The decimal that a float is written as, to 28 places; none beyond the decimals' range.
pub(crate) fn decimal_of(float: f64) -> Option<Decimal> {
    const DECIMALS_END: f64 = 79_228_162_514_264_337_593_543_950_336.0;
    /// From here on a float has no fraction, and its shortest form may stand for other digits than it has.
    const WHOLE: f64 = 9_007_199_254_740_992.0;
    if float.is_nan() || float.abs() >= DECIMALS_END {
        return None;
    }
    if float.abs() >= WHOLE {
        return Some(Decimal::from_i128_with_scale(float as i128, 0));
    }
    let mut written = Written { bytes: [0; 64], length: 0 };
    write!(written, "{float}").expect("what does not fit is cut off");
    written.as_str().parse().ok()
}

/// The digits of a float, without an allocation.
struct Written {
    /// A sign, 16 digits and a point leave 46 places: more than the 28 that a decimal has.
    bytes: [u8; 64],
    length: usize,
}

impl Written {
    fn as_str(&self) -> &str {
        std::str::from_utf8(&self.bytes[..self.length]).expect("a float is written in ASCII")
    }
}

impl Write for Written {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let length = text.len().min(self.bytes.len() - self.length);
        self.bytes[self.length..self.length + length].copy_from_slice(&text.as_bytes()[..length]);
        self.length += length;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_int_is_compared_with_a_float_as_the_numbers_that_they_are() {
        let huge = 9_007_199_254_740_993;
        for (int, float, expected) in [
            (1, 1.0, Some(Ordering::Equal)),
            (1, 1.5, Some(Ordering::Less)),
            (-1, -1.5, Some(Ordering::Greater)),
            (0, -0.5, Some(Ordering::Greater)),
            (0, -0.0, Some(Ordering::Equal)),
            (huge, 9_007_199_254_740_992.0, Some(Ordering::Greater)),
            (i64::MAX, 9_223_372_036_854_775_808.0, Some(Ordering::Less)),
            (i64::MIN, -9_223_372_036_854_775_808.0, Some(Ordering::Equal)),
            (i64::MIN, f64::NEG_INFINITY, Some(Ordering::Greater)),
            (i64::MAX, f64::INFINITY, Some(Ordering::Less)),
            (0, f64::NAN, None),
        ] {
            assert_eq!(int_with_float(int, float), expected, "{int} with {float}");
        }
    }

    #[test]
    fn a_float_is_compared_with_a_decimal_as_it_is_written() {
        for (decimal, float, expected) in [
            ("0.1", 0.1, Some(Ordering::Equal)),
            ("0.10", 0.1, Some(Ordering::Equal)),
            ("0.1000000000000000000000000001", 0.1, Some(Ordering::Greater)),
            ("-2.5", -2.5, Some(Ordering::Equal)),
            ("0", -0.0, Some(Ordering::Equal)),
            ("0.0000000000000000000000000001", 1e-28, Some(Ordering::Equal)),
            ("0.0000000000000000000000000001", 1e-300, Some(Ordering::Greater)),
            ("1152921504606846976", 1_152_921_504_606_846_976.0, Some(Ordering::Equal)),
            ("79228162514264337593543950335", 7.922_816_251_426_434e28, Some(Ordering::Less)),
            ("-79228162514264337593543950335", f64::NEG_INFINITY, Some(Ordering::Greater)),
            ("1", f64::NAN, None),
        ] {
            let decimal = decimal.parse().unwrap();
            assert_eq!(decimal_with_float(decimal, float), expected, "{decimal} with {float}");
        }
    }

    #[test]
    fn every_float_within_the_range_of_decimals_has_one() {
        let ascending = [
            -7.9e28,
            -4_503_599_627_370_497.5,
            -1e-28,
            0.0,
            1.234_567_890_123_456_7e-20,
            0.1,
            0.300_000_000_000_000_04,
            9_007_199_254_740_991.0,
            9_007_199_254_740_992.0,
            7.9e28,
        ];
        let decimals: Vec<_> = ascending.iter().map(|float| decimal_of(*float).unwrap()).collect();
        assert!(decimals.is_sorted_by(|a, b| a < b), "{decimals:?}");
        for beyond in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, f64::MAX, 8e28] {
            assert_eq!(decimal_of(beyond), None, "{beyond}");
        }
    }
}
