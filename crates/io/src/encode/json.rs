//! Values as JSON.

use std::fmt::Display;
use std::io::Write;

use ensue_model::{Timestamp, Value};

use super::line::Line;
use crate::marks;
use crate::words;

/// Writes items with a comma between each two.
pub(super) fn write_items<T>(
    items: impl IntoIterator<Item = T>,
    line: &mut Line<'_>,
    mut write: impl FnMut(T, &mut Line<'_>),
) {
    for (index, item) in items.into_iter().enumerate() {
        if index > 0 {
            line.put(b",");
        }
        write(item, line);
    }
}

/// Writes text in quotes.
#[inline]
pub(super) fn write_string(text: &str, line: &mut Line<'_>) {
    if !is_plain(text.as_bytes()) {
        return write_escaped(text, line);
    }
    line.put(b"\"");
    line.write(text.as_bytes());
    line.put(b"\"");
}

#[cold]
fn write_escaped(text: &str, line: &mut Line<'_>) {
    line.write_with(|out| serde_json::to_writer(out, text).expect("text is JSON, and a vector takes every byte"));
}

/// Whether a text is ASCII of which JSON escapes nothing. So are most, and need not be looked at twice.
#[inline]
fn is_plain(text: &[u8]) -> bool {
    marks::are_all(text, marks::plain)
}

/// Text in quotes.
pub(super) fn quoted(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let mut line = Line::behind(&mut out);
    write_string(text, &mut line);
    line.end();
    out
}

/// How many bytes a time in whole seconds has.
pub(super) const SECONDS_BYTES: usize = "2021-01-19T09:13:25Z".len();

/// Writes a time, without quotes.
pub(super) fn write_time(time: Timestamp, line: &mut Line<'_>) {
    let Some(text) = time.rfc3339() else { return write_plain(time, line) };
    match <&[u8; SECONDS_BYTES]>::try_from(text.as_bytes()) {
        Ok(text) => line.put(text),
        Err(_) => line.write(text.as_bytes()),
    }
}

/// Writes an int.
pub(super) fn write_int(int: impl itoa::Integer, line: &mut Line<'_>) {
    line.write(itoa::Buffer::new().format(int).as_bytes());
}

/// Writes 32 hexadecimal digits.
pub(super) fn write_hex(number: u128, line: &mut Line<'_>) {
    let digits = [96, 64, 32, 0].map(|shift| words::hexadecimal((number >> shift) as u32));
    line.put::<32>(digits.as_flattened().as_array().expect("a byte is two digits"));
}

/// Writes a value. Times are RFC 3339 and durations as patterns write them; decimals keep all their digits.
pub(super) fn write_value(value: &Value<'_>, line: &mut Line<'_>) {
    match value {
        Value::Null => line.put(b"null"),
        Value::Bool(bool) => write_plain(bool, line),
        Value::Int(int) => write_int(*int, line),
        // JSON has no NaN and no infinity; serde writes null for them.
        Value::Float(float) => write_float(*float, line),
        Value::Decimal(decimal) => write_plain(decimal, line),
        Value::String(text) => write_string(text.as_str(), line),
        Value::Timestamp(time) => {
            line.put(b"\"");
            write_time(*time, line);
            line.put(b"\"");
        }
        Value::Duration(span) => write_plain(format_args!("\"{span}\""), line),
        Value::List(values) => {
            line.put(b"[");
            write_items(values.iter(), line, write_value);
            line.put(b"]");
        }
        Value::Record(values) => {
            line.put(b"{");
            write_items(values.iter(), line, |(name, value), line| {
                write_string(name, line);
                line.put(b":");
                write_value(value, line);
            });
            line.put(b"}");
        }
    }
}

fn write_float(float: f64, line: &mut Line<'_>) {
    line.write_with(|out| serde_json::to_writer(out, &float).expect("a vector takes every byte"));
}

/// Writes what is JSON as it displays itself.
pub(super) fn write_plain(value: impl Display, line: &mut Line<'_>) {
    line.write_with(|out| write!(out, "{value}").expect("a vector takes every byte"));
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn a_text_is_written_as_serde_json_writes_it(text in "[a ~\"\\\\\u{7f}\u{1f}\u{0}\né]{0,20}") {
            proptest::prop_assert_eq!(quoted(&text), serde_json::to_vec(&text).unwrap());
        }

        #[test]
        fn any_character_is_written_as_serde_json_writes_it(before in "a{0,9}", char: char, behind in "a{0,9}") {
            let text = format!("{before}{char}{behind}");
            proptest::prop_assert_eq!(quoted(&text), serde_json::to_vec(&text).unwrap());
        }

        #[test]
        fn a_number_in_hex_is_as_rust_formats_it(number in proptest::prelude::any::<u128>()) {
            let mut out = Vec::new();
            let mut line = Line::behind(&mut out);
            write_hex(number, &mut line);
            line.end();
            proptest::prop_assert_eq!(String::from_utf8(out).unwrap(), format!("{number:032x}"));
        }
    }

    #[test]
    fn every_ascii_character_is_written_as_serde_json_writes_it() {
        for byte in 0..128_u8 {
            let text = char::from(byte).to_string();
            assert_eq!(quoted(&text), serde_json::to_vec(&text).unwrap());
        }
    }
}
