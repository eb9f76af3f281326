//! Files to tables of reference data.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ensue_io::table;
use ensue_model::Patterns;
use ensue_model::table::{Table, TableId, TableShape};

use crate::args::Format;
use crate::failure::{Failure, say};
use crate::input::format_of;

/// The tables of the patterns that have a file, with their rows. It is said which have none: all that is looked up there is
/// null.
pub(crate) fn read(files: &[(String, PathBuf)], patterns: &Patterns) -> Result<Vec<(TableId, Arc<Table>)>, Failure> {
    let shapes = &patterns.tables;
    check_names(files, shapes)?;
    let mut tables = Vec::new();
    for (id, shape) in (0..).map(TableId).zip(shapes) {
        match files.iter().find(|(name, _)| *name == shape.name) {
            Some((_, path)) => tables.push((id, Arc::new(read_one(shape, path)?))),
            None => say(&format!("warning: table `{0}` has no rows: say --table {0}=FILE", shape.name)),
        }
    }
    Ok(tables)
}

/// Each name must be that of a table, and stand there once.
fn check_names(files: &[(String, PathBuf)], shapes: &[TableShape]) -> Result<(), Failure> {
    for (at, (name, path)) in files.iter().enumerate() {
        if !shapes.iter().any(|shape| shape.name == *name) {
            let tables: Vec<_> = shapes.iter().map(|shape| format!("`{}`", shape.name)).collect();
            let there = match tables.as_slice() {
                [] => "the patterns declare none".to_owned(),
                [only] => format!("there is only {only}"),
                tables => format!("the tables are {}", tables.join(", ")),
            };
            return Err(Failure::Call(format!("no table `{name}` for `{}`: {there}", path.display())));
        }
        if let Some((_, first)) = files[..at].iter().find(|(other, _)| other == name) {
            let (first, second) = (first.display(), path.display());
            return Err(Failure::Call(format!("table `{name}` has two files, `{first}` and `{second}`")));
        }
    }
    Ok(())
}

fn read_one(shape: &TableShape, path: &Path) -> Result<Table, Failure> {
    let file = path.display();
    let read = match format_of(path) {
        Some(Format::Csv) => table::from_csv,
        Some(Format::Jsonl) => table::from_json_lines,
        Some(Format::Logfmt) => {
            return Err(Failure::Call(format!("`{file}` is logfmt, which no table is: it is a .csv or a .jsonl")));
        }
        None => {
            let message = format!("the name of `{file}` does not tell its format: a table is a .csv or a .jsonl");
            return Err(Failure::Call(message));
        }
    };
    let name = format!("table `{}`", shape.name);
    let bytes = fs::read(path).map_err(|error| Failure::read(&format!("{name} from `{file}`"), &error))?;
    read(shape, &bytes).map_err(|bad| Failure::Data(format!("cannot read {name}: `{file}`, {bad}")))
}
