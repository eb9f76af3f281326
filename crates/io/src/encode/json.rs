//! Values as JSON.

use std::fmt::Display;
use std::io::Write;

use ensue_model::Value;

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
    serde_json::to_writer(out, text).expect("text is JSON, and a vector takes every byte");
}

/// Text in quotes.
pub(super) fn quoted(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    write_string(text, &mut out);
    out
}

/// Writes a value. Times are RFC 3339 and durations as patterns write them; decimals keep all their digits.
pub(super) fn write_value(value: &Value<'_>, out: &mut Vec<u8>) {
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Bool(bool) => write_plain(bool, out),
        Value::Int(int) => write_plain(int, out),
        // JSON has no NaN and no infinity; serde writes null for them.
        Value::Float(float) => serde_json::to_writer(out, float).expect("a vector takes every byte"),
        Value::Decimal(decimal) => write_plain(decimal, out),
        Value::String(text) => write_string(text.as_str(), out),
        Value::Timestamp(time) => write_plain(format_args!("\"{time}\""), out),
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
