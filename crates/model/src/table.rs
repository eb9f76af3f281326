//! Reference data that patterns look things up in: `products[sku].category`.

use std::collections::HashMap;
use std::sync::Arc;

use crate::hash::key_hash;
use crate::schema::Field;
use crate::value::Value;

/// A table by its position in [`Patterns::tables`](crate::Patterns::tables).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct TableId(pub u16);

/// A column by its position in [`TableShape::columns`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct ColumnId(pub u16);

/// What a table looks like, as it was declared.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TableShape {
    /// Its name.
    pub name: String,
    /// What `///` said before it.
    pub doc: String,
    /// The column that rows are found by.
    pub key: ColumnId,
    /// The columns.
    pub columns: Vec<Field>,
}

impl TableShape {
    /// The column of that name.
    pub fn column(&self, name: &str) -> Option<ColumnId> {
        self.columns.iter().position(|column| column.name == name).map(|position| ColumnId(position as u16))
    }
}

/// The rows of a table, by their keys.
#[derive(Clone, Debug, Default)]
pub struct Table {
    /// By the hash of the key; keys with the same hash stand together.
    rows: HashMap<u64, Vec<Box<[Value<'static>]>>>,
    key: usize,
}

impl Table {
    /// A table without rows.
    pub fn new(shape: &TableShape) -> Self {
        Table { rows: HashMap::new(), key: usize::from(shape.key.0) }
    }

    /// Adds a row, with a value for each column. One with the same key is replaced, and given back.
    ///
    /// # Panics
    /// If the row has not a value for each column.
    pub fn insert(&mut self, row: Box<[Value<'static>]>) -> Option<Box<[Value<'static>]>> {
        let alike = self.rows.entry(key_hash(&row[self.key..=self.key])).or_default();
        match alike.iter_mut().find(|other| other[self.key].is_same(&row[self.key])) {
            Some(known) => Some(std::mem::replace(known, row)),
            None => {
                alike.push(row);
                None
            }
        }
    }

    /// The row that a key has.
    pub fn get(&self, key: &Value<'_>) -> Option<&[Value<'static>]> {
        let alike = self.rows.get(&key_hash(std::slice::from_ref(key)))?;
        alike.iter().map(|row| &**row).find(|row| row[self.key].is_same(key))
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.rows.values().map(Vec::len).sum()
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}

/// The reference data of a set of patterns, as it is at one moment. A clone shares the rows.
#[derive(Clone, Debug, Default)]
pub struct Tables {
    tables: Vec<Arc<Table>>,
}

impl Tables {
    /// No tables at all.
    pub const NONE: &'static Tables = &Tables { tables: Vec::new() };

    /// Tables without rows.
    pub fn empty(shapes: &[TableShape]) -> Self {
        Tables { tables: shapes.iter().map(|shape| Arc::new(Table::new(shape))).collect() }
    }

    /// Tables with these rows; those of which nothing is said have none.
    ///
    /// # Panics
    /// If there is no such table.
    pub fn of<'r>(shapes: &[TableShape], rows: impl IntoIterator<Item = &'r (TableId, Arc<Table>)>) -> Self {
        let mut tables = Tables::empty(shapes);
        rows.into_iter().for_each(|(table, rows)| tables.set(*table, rows.clone()));
        tables
    }

    /// Gives a table other rows.
    ///
    /// # Panics
    /// If there is no such table.
    pub fn set(&mut self, table: TableId, rows: Arc<Table>) {
        self.tables[usize::from(table.0)] = rows;
    }

    /// A column of the row that a table has for a key; null where it has none.
    pub fn find(&self, table: TableId, key: &Value<'_>, column: ColumnId) -> Value<'_> {
        let row = self.tables.get(usize::from(table.0)).and_then(|table| table.get(key));
        row.map_or(Value::Null, |row| row[usize::from(column.0)].borrowed())
    }
}

#[cfg(test)]
mod tests {
    use crate::types::Type;

    use super::*;

    fn products() -> TableShape {
        let column = |name: &str| Field { name: name.to_owned(), kind: Type::String, nullable: false };
        let columns = ["sku", "category"].map(column).to_vec();
        TableShape { name: "products".to_owned(), doc: String::new(), key: ColumnId(0), columns }
    }

    #[test]
    fn a_row_is_found_by_its_key_and_the_last_one_counts() {
        let mut table = Table::new(&products());
        assert!(table.insert(["a".into(), "fresh".into()].into()).is_none());
        assert!(table.insert(["b".into(), "digital".into()].into()).is_none());
        let replaced = table.insert(["a".into(), "other".into()].into()).expect("there was one");
        assert!(replaced[1].is_same(&"fresh".into()));
        assert_eq!(table.len(), 2);
        let tables = Tables::of(&[products()], &[(TableId(0), Arc::new(table))]);
        let category = |sku: &str| tables.find(TableId(0), &sku.into(), ColumnId(1)).to_string();
        assert_eq!([category("a"), category("b"), category("c")], ["\"other\"", "\"digital\"", "null"]);
    }
}
