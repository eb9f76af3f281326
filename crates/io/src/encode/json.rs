//! Values as JSON.

use std::fmt::Display;
use std::io::Write;

use ensue_model::{Timestamp, Value};

/// Writes items with a comma between each two.
pub(super) fn write_items<T>(
    items: impl IntoIterator<Item = T>,
    out: &mut Vec<u8>,
    mut write: impl FnMut(T, &mut Vec<u8>),
) {
    for (index, item) in items.into_iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write(item, out);
    }
}

/// Writes text in quotes.
pub(super) fn write_string(text: &str, out: &mut Vec<u8>) {
    match is_plain(text.as_bytes()) {
        true => write_unescaped(text.as_bytes(), out),
        false => serde_json::to_writer(out, text).expect("text is JSON, and a vector takes every byte"),
    }
}

/// Writes bytes in quotes, as text; those that are not UTF-8 as `U+FFFD`.
pub(super) fn write_text(text: &[u8], out: &mut Vec<u8>) {
    match is_plain(text) {
        true => write_unescaped(text, out),
        false => write_string(&String::from_utf8_lossy(text), out),
    }
}

fn write_unescaped(text: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    out.extend_from_slice(text);
    out.push(b'"');
}

/// Whether a text is ASCII of which JSON escapes nothing. So are most, and need not be looked at twice.
fn is_plain(text: &[u8]) -> bool {
    text.iter().all(|&byte| PLAIN[usize::from(byte)])
}

const PLAIN: [bool; 256] = {
    let mut plain = [false; 256];
    let mut byte = b' ';
    while byte <= b'~' {
        plain[byte as usize] = byte != b'"' && byte != b'\\';
        byte += 1;
    }
    plain
};

/// Text in quotes.
pub(super) fn quoted(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    write_string(text, &mut out);
    out
}

/// Writes a time, without quotes.
pub(super) fn write_time(time: Timestamp, out: &mut Vec<u8>) {
    match time.rfc3339() {
        Some(text) => out.extend_from_slice(text.as_bytes()),
        None => write_plain(time, out),
    }
}

/// Writes an int.
pub(super) fn write_int(int: impl itoa::Integer, out: &mut Vec<u8>) {
    out.extend_from_slice(itoa::Buffer::new().format(int).as_bytes());
}

/// Writes 32 hexadecimal digits.
pub(super) fn write_hex(number: u128, out: &mut Vec<u8>) {
    let digits = number.to_be_bytes().map(|byte| HEX[usize::from(byte)]);
    out.extend_from_slice(digits.as_flattened());
}

/// The two digits of each byte.
const HEX: [[u8; 2]; 256] = {
    let digits = b"0123456789abcdef";
    let mut hex = [[0; 2]; 256];
    let mut byte = 0;
    while byte < hex.len() {
        hex[byte] = [digits[byte >> 4], digits[byte & 15]];
        byte += 1;
    }
    hex
};

/// Writes a value. Times are RFC 3339 and durations as patterns write them; decimals keep all their digits.
pub(super) fn write_value(value: &Value<'_>, out: &mut Vec<u8>) {
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Bool(bool) => write_plain(bool, out),
        Value::Int(int) => write_int(*int, out),
        // JSON has no NaN and no infinity; serde writes null for them.
        Value::Float(float) => serde_json::to_writer(out, float).expect("a vector takes every byte"),
        Value::Decimal(decimal) => write_plain(decimal, out),
        Value::String(text) => write_string(text.as_str(), out),
        Value::Timestamp(time) => {
            out.push(b'"');
            write_time(*time, out);
            out.push(b'"');
        }
        Value::Duration(span) => write_plain(format_args!("\"{span}\""), out),
        Value::List(values) => {
            out.push(b'[');
            write_items(values.iter(), out, write_value);
            out.push(b']');
        }
        Value::Record(values) => {
            out.push(b'{');
            write_items(values.iter(), out, |(name, value), out| {
                write_string(name, out);
                out.push(b':');
                write_value(value, out);
            });
            out.push(b'}');
        }
    }
}

/// Writes what is JSON as it displays itself.
pub(super) fn write_plain(value: impl Display, out: &mut Vec<u8>) {
    write!(out, "{value}").expect("a vector takes every byte");
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn a_text_is_written_as_serde_json_writes_it(text in "[a ~\"\\\\\u{7f}\u{1f}\u{0}\né]{0,20}") {
            let expected = serde_json::to_vec(&text).unwrap();
            proptest::prop_assert_eq!(quoted(&text), expected.as_slice());
            let mut out = Vec::new();
            write_text(text.as_bytes(), &mut out);
            proptest::prop_assert_eq!(out, expected);
        }

        #[test]
        fn a_number_in_hex_is_as_rust_formats_it(number in proptest::prelude::any::<u128>()) {
            let mut out = Vec::new();
            write_hex(number, &mut out);
            proptest::prop_assert_eq!(String::from_utf8(out).unwrap(), format!("{number:032x}"));
        }
    }

    #[test]
    fn bytes_that_are_not_utf_8_become_replacement_characters() {
        let mut out = Vec::new();
        write_text(b"a\xff\xc3\"", &mut out);
        assert_eq!(String::from_utf8(out).unwrap(), "\"a\u{fffd}\u{fffd}\\\"\"");
    }
}
