//! The files of the tables that patterns declare.

use std::fs;
use std::path::PathBuf;

use ensue_io::table;
use ensue_model::Patterns;
use ensue_model::table::{Table, TableId};

/// Where the rows of a table stand.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TableFile {
    /// The name of the table in the patterns.
    pub name: String,
    /// A CSV with a header, if it is called so, else JSON lines.
    pub path: PathBuf,
}

impl TableFile {
    /// The table of the patterns that it is, with its rows.
    ///
    /// # Errors
    /// If there is no such table, the file cannot be read, or a row does not fit: a sentence that says which and where.
    pub(crate) fn read(&self, patterns: &Patterns) -> Result<(TableId, Table), String> {
        let TableFile { name, path } = self;
        let file = path.display();
        let id = patterns.table(name);
        let id = id.ok_or_else(|| format!("no table `{name}` for `{file}`: the patterns declare none"))?;
        let shape = &patterns.tables[usize::from(id.0)];
        let bytes = fs::read(path).map_err(|error| format!("cannot read table `{name}` from `{file}`: {error}"))?;
        let is_csv = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("csv"));
        let rows = if is_csv { table::from_csv(shape, &bytes) } else { table::from_json_lines(shape, &bytes) };
        let rows = rows.map_err(|bad| format!("cannot read table `{name}`: `{file}`, {bad}"))?;
        Ok((id, rows))
    }
}
