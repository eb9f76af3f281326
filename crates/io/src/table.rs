//! Reference data: the rows of a table, from the bytes of a file.
//!
//! A table is whole or it is not read at all, so the first line that is wrong ends it, where a stream goes on with the next.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use ensue_model::Value;
use ensue_model::schema::Field;
use ensue_model::table::{Table, TableShape};

use crate::csv;
use crate::decode;
use crate::decode::json::Names;
use crate::format::{Csv, RowFormat};
use crate::records::{BadLine, Record, Records};
use crate::time::TimeFormat;

/// The table that a CSV with a header holds. Its columns may stand in any order; those that were not declared are passed
/// over, and those that may be null need not be there.
///
/// # Errors
/// The first line that is wrong: a value that is not of its column's type, no key, or a key that another row has.
///
/// ```
/// use ensue_io::table;
/// use ensue_model::schema::Field;
/// use ensue_model::table::{ColumnId, TableShape};
/// use ensue_model::Type;
///
/// let column = |name: &str| Field { name: name.to_owned(), kind: Type::String, nullable: false };
/// let columns = ["sku", "category"].map(column).to_vec();
/// let products = TableShape { name: "products".to_owned(), doc: String::new(), key: ColumnId(0), columns };
///
/// let table = table::from_csv(&products, b"category,sku,note\nfresh,a1,\ndigital,a2,\n").expect("two products");
/// assert_eq!(table.get(&"a2".into()).map(|row| row[1].to_string()), Some("\"digital\"".to_owned()));
/// let bad = table::from_csv(&products, b"sku,category\na1,fresh\na1,digital\n").expect_err("which one?");
/// assert_eq!(bad.to_string(), "line 3: the key \"a1\" has a row already, on line 2");
/// ```
pub fn from_csv(shape: &TableShape, bytes: &[u8]) -> Result<Table, BadLine> {
    const DELIMITER: u8 = b',';
    let mut records = whole(Records::csv(DELIMITER), bytes);
    let Some(header) = records.next() else { return Err(Record::new(1, b"").bad("expected a header".to_owned())) };
    let header = header?;
    let csv = Csv::from_header(&header, DELIMITER)?;
    let columns = columns_of(shape, &csv).map_err(|reason| header.bad(reason))?;
    read(shape, records, |record| csv_row(shape, &columns, record))
}

/// The table that JSON lines hold, an object a row. Members that were not declared are passed over, and those that may be
/// null need not be there.
///
/// # Errors
/// As [`from_csv`].
pub fn from_json_lines(shape: &TableShape, bytes: &[u8]) -> Result<Table, BadLine> {
    let names = Names::new(shape.columns.iter().map(|column| column.name.clone()).collect());
    let records = whole(Records::new(&RowFormat::JsonLines), bytes);
    read(shape, records, |record| json_row(shape, &names, record))
}

/// A value for each column.
type Row = Box<[Value<'static>]>;

fn whole(mut records: Records, bytes: &[u8]) -> Records {
    records.feed(bytes);
    records.end();
    records
}

/// The table of all records.
fn read(shape: &TableShape, mut records: Records, row: impl Fn(&str) -> Result<Row, String>) -> Result<Table, BadLine> {
    let mut table = Table::new(shape);
    let mut lines = HashMap::new();
    while let Some(record) = records.next() {
        let record = record?;
        let row = row(record.text()?).map_err(|reason| record.bad(reason))?;
        check_key(shape, &row, record.line, &mut lines).map_err(|reason| record.bad(reason))?;
        table.insert(row);
    }
    Ok(table)
}

/// A row without a key could not be found, and of two with the same one of them.
fn check_key(shape: &TableShape, row: &Row, line: u64, lines: &mut HashMap<Value<'static>, u64>) -> Result<(), String> {
    let key = usize::from(shape.key.0);
    match lines.entry(row[key].clone()) {
        Entry::Vacant(_) if row[key].is_null() => Err(format!("the key `{}` has no value", shape.columns[key].name)),
        Entry::Occupied(first) => Err(format!("the key {} has a row already, on line {}", row[key], first.get())),
        Entry::Vacant(free) => {
            free.insert(line);
            Ok(())
        }
    }
}

/// For each column of the file, the one of the table that it is.
fn columns_of(shape: &TableShape, csv: &Csv) -> Result<Vec<Option<usize>>, String> {
    match shape.columns.iter().find(|column| !column.nullable && !csv.columns.contains(&column.name)) {
        Some(missing) => Err(format!("no column `{}`: {}", missing.name, decode::csv::named(csv))),
        None => {
            let column = |name: &String| shape.column(name).map(|column| usize::from(column.0));
            Ok(csv.columns.iter().map(column).collect())
        }
    }
}

fn csv_row(shape: &TableShape, columns: &[Option<usize>], record: &str) -> Result<Row, String> {
    let fields: Vec<_> = csv::fields(record, b',').collect();
    if fields.len() != columns.len() {
        return Err(decode::csv::miscounted(fields.len(), columns.len()));
    }
    let mut row = vec![Value::Null; shape.columns.len()];
    for (field, column) in fields.iter().zip(columns) {
        if let Some(column) = *column {
            row[column] = decode::csv::value(&field.text(), &shape.columns[column], TIMES)?.into_owned();
        }
    }
    Ok(row.into())
}

fn json_row(shape: &TableShape, names: &Names, record: &str) -> Result<Row, String> {
    let texts = names.texts(record.trim_ascii())?;
    let value = |(text, column): (&Option<&str>, &Field)| {
        decode::json::value(text.unwrap_or("null"), column, TIMES).map(Value::into_owned)
    };
    texts.iter().zip(&shape.columns).map(value).collect()
}

/// Times in a table are text: the unit of a number is that of an input's event times, and a table has none.
const TIMES: TimeFormat = TimeFormat::Rfc3339;

#[cfg(test)]
mod tests {
    use ensue_model::Type;
    use ensue_model::table::ColumnId;

    use super::*;

    /// Products with a key, a price and perhaps a note.
    fn products() -> TableShape {
        let column = |name: &str, kind, nullable| Field { name: name.to_owned(), kind, nullable };
        let columns = vec![
            column("sku", Type::String, false),
            column("price", Type::Decimal, false),
            column("since", Type::Timestamp, true),
        ];
        TableShape { name: "products".to_owned(), doc: String::new(), key: ColumnId(0), columns }
    }

    /// The rows of these keys, or what is wrong.
    fn shown(table: Result<Table, BadLine>, keys: &[&str]) -> Result<Vec<String>, String> {
        let table = table.map_err(|bad| bad.to_string())?;
        assert_eq!(table.len(), keys.len());
        let row = |key: &&str| table.get(&Value::from(*key)).expect("it has a row").iter().map(Value::to_string);
        Ok(keys.iter().map(|key| row(key).collect::<Vec<_>>().join(" ")).collect())
    }

    fn check_csv(text: &str, keys: &[&str], expected: Result<&[&str], &str>) {
        let expected = expected.map(|rows| rows.iter().map(|row| (*row).to_owned()).collect());
        assert_eq!(shown(from_csv(&products(), text.as_bytes()), keys), expected.map_err(str::to_owned), "{text}");
    }

    fn check_json(text: &str, keys: &[&str], expected: Result<&[&str], &str>) {
        let expected = expected.map(|rows| rows.iter().map(|row| (*row).to_owned()).collect());
        let table = from_json_lines(&products(), text.as_bytes());
        assert_eq!(shown(table, keys), expected.map_err(str::to_owned), "{text}");
    }

    #[test]
    fn rows_have_the_declared_types_whatever_the_order_of_their_columns() {
        let text = "\u{feff}price,colour,since,sku\r\n1.10,red,2021-01-19T10:00:00Z,007\r\n2,,,\"a\"\"b\"\r\n";
        let rows = ["\"007\" 1.10 @2021-01-19T10:00:00Z", "\"a\\\"b\" 2 null"];
        check_csv(text, &["007", "a\"b"], Ok(&rows));
        let text = r#"
            {"price": 1.10, "colour": {"r": 1}, "since": "2021-01-19T10:00:00Z", "sku": "007"}
            {"sku": "a\"b", "price": "2"}
        "#;
        check_json(text, &["007", "a\"b"], Ok(&rows));
    }

    #[test]
    fn a_table_may_have_no_rows_or_no_column_that_may_be_null() {
        check_csv("sku,price\n", &[], Ok(&[]));
        check_csv("sku,price\na,1\n", &["a"], Ok(&["\"a\" 1 null"]));
        check_json("\n", &[], Ok(&[]));
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line_and_column() {
        check_csv("", &[], Err("line 1: expected a header"));
        check_csv("sku,cost\na,1", &[], Err("line 1: no column `price`: the columns are `sku`, `cost`"));
        check_csv("sku,price,sku", &[], Err("line 1: the header names the column `sku` twice"));
        let wrong = "`price` is `dear`, expected a decimal of at most 28 digits";
        check_csv("sku,price\na,1\n\nb,dear", &[], Err(&format!("line 4: {wrong}")));
        check_csv("sku,price\na", &[], Err("line 2: 1 field, expected 2, one for each column"));
        check_csv("sku,price\na,\"1", &[], Err("line 2: field 2 opens a quote that is never closed"));
        let absent = "`price` has no value, and its type `decimal` does not allow null";
        check_csv("sku,price\na,", &[], Err(&format!("line 2: {absent}")));
        check_json("{\"sku\": \"a\"}", &[], Err(&format!("line 1: {absent}")));
        check_json("{\"sku\": 5, \"price\": 1}", &[], Err("line 1: `sku` is `5`, expected a string"));
        check_json("[]", &[], Err("line 1: expected a JSON object"));
        let number = "line 2: `since` is `1611047605`, expected a timestamp such as 2021-01-19T10:00:00Z";
        check_csv("sku,price,since\na,1,1611047605", &[], Err(number));
    }

    #[test]
    fn a_key_has_one_row_and_a_row_a_key() {
        check_csv("sku,price\na,1\nb,1\na,2", &[], Err("line 4: the key \"a\" has a row already, on line 2"));
        let same = "{\"sku\": \"a\", \"price\": 1}\n{\"price\": 2, \"sku\": \"\\u0061\"}";
        check_json(same, &[], Err("line 2: the key \"a\" has a row already, on line 1"));
        let mut shape = products();
        shape.columns[0] = Field { name: "sku".to_owned(), kind: Type::Any, nullable: true };
        let bad = from_csv(&shape, b"sku,price\n,1").expect_err("a row without a key");
        assert_eq!(bad.to_string(), "line 2: the key `sku` has no value");
    }

    #[test]
    fn equal_keys_are_one_however_they_are_written() {
        let mut shape = products();
        shape.key = ColumnId(1);
        let bad = from_csv(&shape, b"sku,price\na,1.0\nb,1.00").expect_err("the same price");
        assert_eq!(bad.to_string(), "line 3: the key 1.00 has a row already, on line 2");
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..60)) {
            let _ = from_json_lines(&products(), &bytes);
            let _ = from_csv(&products(), &[b"sku,price\n", &bytes[..]].concat());
        }
    }
}
