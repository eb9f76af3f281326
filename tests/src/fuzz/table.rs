//! Any bytes as the rows of a table.

use ensue_io::table;
use ensue_model::schema::Field;
use ensue_model::table::{ColumnId, TableShape};
use ensue_model::{Type, Value};

/// Reads bytes as the table that a CSV and that JSON lines hold. It has a row for each key that stands in it, or the line is named
/// that is wrong. The first byte says which column is the key.
///
/// # Panics
/// If it does not hold.
pub fn table(data: &[u8]) {
    let Some((first, data)) = data.split_first() else { return };
    let shape = shape(*first);
    let lines = data.iter().filter(|byte| **byte == b'\n').count() as u64 + 1;
    for read in [table::from_csv(&shape, data), table::from_json_lines(&shape, data)] {
        match read {
            Ok(table) => {
                assert!(table.len() as u64 <= lines, "{} rows of {lines} lines", table.len());
                assert!(table.get(&Value::Null).is_none(), "a row without a key");
            }
            Err(bad) => {
                assert!((1..=lines).contains(&bad.line), "line {} of {lines}", bad.line);
                assert!(!bad.reason.is_empty());
            }
        }
    }
}

/// A column of each type, named by a letter; the key is one of them.
fn shape(key: u8) -> TableShape {
    let kinds = [
        Type::String,
        Type::Int,
        Type::Float,
        Type::Decimal,
        Type::Bool,
        Type::Timestamp,
        Type::Duration,
        Type::List(Box::new(Type::Int)),
        Type::Any,
    ];
    let key = ColumnId(u16::from(key) % kinds.len() as u16);
    let named = ('a'..).zip(kinds);
    let columns = named.map(|(name, kind)| Field { name: name.to_string(), kind, nullable: name != 'a' });
    TableShape { name: "t".to_owned(), doc: String::new(), key, columns: columns.collect() }
}

#[cfg(test)]
mod tests {
    proptest::proptest! {
        #[test]
        fn rows_are_read_or_their_line_is_named(
            head in "[a-i](,[a-i]){0,4}",
            rows in "([a1.\"]{0,3}(,[a1.\"]{0,3}){0,4}\n){0,5}",
            key: u8,
        ) {
            super::table(&[&[key], head.as_bytes(), b"\n", rows.as_bytes()].concat());
        }
    }
}
