//! A part of a key, as somebody writes it who asks for the key.

use ensue_model::Value;

use crate::scalar;
use crate::time::{self, TimeFormat};

/// All values that are written so: `7` is an int, a float, a decimal and a string. In double quotes it is the string alone.
///
/// ```
/// use ensue_io::key;
/// use ensue_model::Value;
///
/// assert!(key::readings("7").contains(&Value::Int(7)) && key::readings("7").contains(&"7".into()));
/// assert_eq!(key::readings("\"7\""), ["7".into()]);
/// assert_eq!(key::readings("a"), ["a".into()]);
/// ```
pub fn readings(text: &str) -> Vec<Value<'static>> {
    if let Some(quoted) = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')) {
        return vec![quoted.to_owned().into()];
    }
    // `007` is a code, as everywhere.
    let number = Some(text).filter(|text| scalar::is_number(text));
    let typed = [
        scalar::bool(text).map(Value::Bool),
        number.and_then(scalar::int).map(Value::Int),
        number.and_then(scalar::float).map(Value::Float),
        number.and_then(scalar::decimal).map(Value::Decimal),
        TimeFormat::Rfc3339.timestamp(text).ok().map(Value::Timestamp),
        time::span(text).map(Value::Duration),
    ];
    typed.into_iter().flatten().chain([text.to_owned().into()]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[&str]) {
        assert_eq!(readings(text).iter().map(Value::to_string).collect::<Vec<_>>(), expected, "{text}");
    }

    #[test]
    fn a_part_is_all_that_is_written_so() {
        check("7", &["7", "7.0", "7", "\"7\""]);
        check("1.50", &["1.5", "1.50", "\"1.50\""]);
        check("007", &["\"007\""]);
        check("true", &["true", "\"true\""]);
        check("15m", &["15m", "\"15m\""]);
        check("2026-03-02T08:00:00Z", &["@2026-03-02T08:00:00Z", "\"2026-03-02T08:00:00Z\""]);
        check("", &["\"\""]);
    }

    #[test]
    fn in_quotes_it_is_the_string_alone() {
        check("\"7\"", &["\"7\""]);
        check("\"", &["\"\\\"\""]);
    }
}
