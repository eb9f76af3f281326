//! A row of Parquet as a line of JSON.

use std::io::Write;

use ensue_model::Timestamp;
use parquet::basic::{ConvertedType, LogicalType, TimeUnit, Type as Physical};
use parquet::record::{Field, Row};
use parquet::schema::types::Type;

const MICROS_PER_MILLI: i64 = 1_000;
const NANOS_PER_MICRO: i64 = 1_000;
const MICROS_PER_SECOND: i64 = 1_000_000;

/// Writes a row of that type as an object, on one line.
pub(super) fn write_row(row: &Row, kind: &Type, out: &mut Vec<u8>) {
    write_group(row, kind, out);
    out.push(b'\n');
}

/// The first column that [`write_row`] cannot write, with its type.
pub(super) fn unreadable(kind: &Type) -> Option<(String, String)> {
    if kind.is_group() {
        return kind.get_fields().iter().find_map(|field| unreadable(field));
    }
    let converted = kind.get_basic_info().converted_type();
    match is_readable(kind.get_physical_type(), converted) {
        true => None,
        false => Some((kind.name().to_owned(), format!("{} as {converted}", kind.get_physical_type()))),
    }
}

/// What the reader of rows makes values of; it panics on others.
fn is_readable(physical: Physical, converted: ConvertedType) -> bool {
    use ConvertedType as As;
    match physical {
        Physical::BOOLEAN | Physical::FLOAT | Physical::DOUBLE | Physical::INT96 => true,
        Physical::INT32 => matches!(
            converted,
            As::NONE
                | As::INT_8
                | As::INT_16
                | As::INT_32
                | As::UINT_8
                | As::UINT_16
                | As::UINT_32
                | As::DATE
                | As::TIME_MILLIS
                | As::DECIMAL
        ),
        Physical::INT64 => matches!(
            converted,
            As::NONE
                | As::INT_64
                | As::UINT_64
                | As::TIME_MICROS
                | As::TIMESTAMP_MILLIS
                | As::TIMESTAMP_MICROS
                | As::DECIMAL
        ),
        Physical::BYTE_ARRAY => {
            matches!(converted, As::NONE | As::UTF8 | As::ENUM | As::JSON | As::BSON | As::DECIMAL)
        }
        Physical::FIXED_LEN_BYTE_ARRAY => matches!(converted, As::NONE | As::DECIMAL),
    }
}

fn write_group(row: &Row, kind: &Type, out: &mut Vec<u8>) {
    write_between(b"{}", row.get_column_iter().zip(kind.get_fields()), out, |((name, field), kind), out| {
        write_string(name, out);
        out.push(b':');
        write_field(field, kind, out);
    });
}

fn write_field(field: &Field, kind: &Type, out: &mut Vec<u8>) {
    match field {
        Field::Null => put(out, "null"),
        Field::Bool(bool) => put(out, bool),
        Field::Byte(int) => put(out, int),
        Field::Short(int) => put(out, int),
        Field::Int(int) => put(out, int),
        Field::UByte(int) => put(out, int),
        Field::UShort(int) => put(out, int),
        Field::UInt(int) => put(out, int),
        Field::ULong(int) => put(out, int),
        Field::Long(int) => write_long(*int, kind, out),
        Field::Float16(float) => write_float(f64::from(*float), out),
        Field::Float(float) if float.is_finite() => write_json(float, out),
        Field::Float(_) => put(out, "null"),
        Field::Double(float) => write_float(*float, out),
        // It writes all digits, and no exponent.
        Field::Decimal(_) => put(out, field),
        Field::Str(text) => write_string(text, out),
        Field::Bytes(bytes) => write_bytes(bytes.data(), kind, out),
        Field::Date(days) => write_date(*days, out),
        Field::TimeMillis(millis) => write_time_of_day(i64::from(*millis) * MICROS_PER_MILLI, out),
        Field::TimeMicros(micros) => write_time_of_day(*micros, out),
        Field::TimestampMillis(millis) => write_time(Timestamp::from_millis(*millis), out),
        Field::TimestampMicros(micros) => write_time(Timestamp::from_micros(*micros), out),
        Field::Group(row) => write_group(row, kind, out),
        Field::ListInternal(list) => {
            let element = element(kind);
            write_between(b"[]", list.elements(), out, |field, out| write_field(field, element, out));
        }
        Field::MapInternal(map) => {
            let (key, value) = entry(kind);
            write_between(b"{}", map.entries(), out, |(name, field), out| {
                write_name(name, key, out);
                out.push(b':');
                write_field(field, value, out);
            });
        }
    }
}

/// Writes items between two brackets, with commas between them.
fn write_between<T>(
    brackets: &[u8; 2],
    items: impl IntoIterator<Item = T>,
    out: &mut Vec<u8>,
    mut write: impl FnMut(T, &mut Vec<u8>),
) {
    out.push(brackets[0]);
    for (at, item) in items.into_iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        write(item, out);
    }
    out.push(brackets[1]);
}

/// The type of what a list holds. Its group has a repeated group with one field, the element; lists of old writers are the
/// repeated element itself.
fn element(kind: &Type) -> &Type {
    if kind.get_basic_info().converted_type() != ConvertedType::LIST {
        return kind;
    }
    let Some(repeated) = kind.get_fields().first() else { return kind };
    match repeated.is_group() {
        true if repeated.get_fields().len() == 1 && !is_tuple(kind, repeated) => &repeated.get_fields()[0],
        _ => repeated,
    }
}

/// Names that old writers gave to an element that is a group.
fn is_tuple(list: &Type, repeated: &Type) -> bool {
    repeated.name() == "array" || repeated.name() == format!("{}_tuple", list.name())
}

/// The types of the keys and the values of a map.
fn entry(kind: &Type) -> (&Type, &Type) {
    let entry = kind.get_fields().first().filter(|entry| entry.is_group()).map(|entry| entry.get_fields());
    match entry {
        Some([key, value]) => (key, value),
        _ => (kind, kind),
    }
}

/// A key as the name of a member: what is no string is written as one.
fn write_name(key: &Field, kind: &Type, out: &mut Vec<u8>) {
    let mut name = Vec::new();
    write_field(key, kind, &mut name);
    match name.first() {
        Some(b'"') => out.extend_from_slice(&name),
        _ => write_string(&String::from_utf8_lossy(&name), out),
    }
}

/// An int; a time, if that is what the type says.
fn write_long(int: i64, kind: &Type, out: &mut Vec<u8>) {
    match kind.get_basic_info().logical_type_ref() {
        Some(LogicalType::Timestamp(kind)) => write_time(Timestamp::from_micros(micros(int, &kind.unit)), out),
        Some(LogicalType::Time(kind)) => write_time_of_day(micros(int, &kind.unit), out),
        _ => put(out, int),
    }
}

fn micros(count: i64, unit: &TimeUnit) -> i64 {
    match unit {
        TimeUnit::MILLIS => count.saturating_mul(MICROS_PER_MILLI),
        TimeUnit::MICROS => count,
        TimeUnit::NANOS => count.div_euclid(NANOS_PER_MICRO),
    }
}

/// A time in RFC 3339; beyond the years that this can say, its microseconds since 1970.
fn write_time(time: Timestamp, out: &mut Vec<u8>) {
    match time.rfc3339() {
        Some(text) => write_string(text.as_str(), out),
        None => put(out, time.as_micros()),
    }
}

fn write_date(days: i32, out: &mut Vec<u8>) {
    const SECONDS_PER_DAY: i64 = 24 * 3_600;
    const DATE_BYTES: usize = "2021-01-19".len();
    match Timestamp::from_seconds(i64::from(days) * SECONDS_PER_DAY).rfc3339() {
        Some(text) => write_string(&text.as_str()[..DATE_BYTES], out),
        None => put(out, days),
    }
}

/// `"10:00:00"`, with microseconds where there are some.
fn write_time_of_day(micros: i64, out: &mut Vec<u8>) {
    let (seconds, micros) = (micros.div_euclid(MICROS_PER_SECOND), micros.rem_euclid(MICROS_PER_SECOND));
    let fraction = if micros == 0 { String::new() } else { format!(".{micros:06}") };
    put(out, format_args!("\"{:02}:{:02}:{:02}{fraction}\"", seconds / 3_600, seconds / 60 % 60, seconds % 60));
}

/// JSON has no number for what is none, and none for what is beyond all.
fn write_float(float: f64, out: &mut Vec<u8>) {
    match float.is_finite() {
        true => write_json(&float, out),
        false => put(out, "null"),
    }
}

/// Text where it is UTF-8, as it was written before there was a type for text; else hexadecimal digits.
fn write_bytes(bytes: &[u8], kind: &Type, out: &mut Vec<u8>) {
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    match (kind.get_basic_info().logical_type_ref(), str::from_utf8(bytes)) {
        (Some(LogicalType::Uuid), _) if bytes.len() == 16 => {
            let parts = [0..4, 4..6, 6..8, 8..10, 10..16].map(|part| hex(&bytes[part]));
            write_string(&parts.join("-"), out);
        }
        (_, Ok(text)) => write_string(text, out),
        (_, Err(_)) => write_string(&hex(bytes), out),
    }
}

fn write_string(text: &str, out: &mut Vec<u8>) {
    write_json(text, out);
}

fn write_json<T: serde::Serialize + ?Sized>(value: &T, out: &mut Vec<u8>) {
    serde_json::to_writer(out, value).expect("text and numbers are JSON, and a vector takes every byte");
}

fn put(out: &mut Vec<u8>, value: impl std::fmt::Display) {
    write!(out, "{value}").expect("a vector takes every byte");
}
