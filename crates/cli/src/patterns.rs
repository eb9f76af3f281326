//! Pattern files to checked patterns.

use std::fs;
use std::path::{Path, PathBuf};

use ensue_lang::{Options, Source};
use ensue_model::{Schema, Type};
use ensue_testkit::cases;

use crate::args::{Events, OfStream, said};
use crate::failure::Failure;
use crate::feeds::listed;
use crate::input::Input;

/// The field that a bare stage stands for where nobody says otherwise.
const TYPE_FIELD: &str = "type";

/// The texts of pattern files.
pub(crate) fn read(paths: &[PathBuf]) -> Result<Vec<Source>, Failure> {
    paths.iter().map(|path| read_one(path)).collect()
}

/// The texts of pattern files, and of those in folders; at least one.
pub(crate) fn read_below(paths: &[PathBuf]) -> Result<Vec<Source>, Failure> {
    let found = find(paths, "pattern")?;
    if found.is_empty() {
        let named: Vec<_> = paths.iter().map(|path| format!("`{}`", path.display())).collect();
        return Err(Failure::Call(format!(
            "there are no patterns in {}: no file ends with .pattern",
            named.join(", ")
        )));
    }
    read(&found)
}

fn read_one(path: &Path) -> Result<Source, Failure> {
    let name = path.display().to_string();
    if let Some(what) = held_instead(path) {
        return Err(Failure::Call(format!("`{name}` holds {what}, by its name: patterns end with .pattern")));
    }
    match fs::read_to_string(path) {
        Ok(text) => Ok(Source { name, text }),
        Err(error) => Err(Failure::read(&format!("pattern `{name}`"), &error)),
    }
}

/// What a file holds whose name says that it holds no patterns. One that says nothing may hold some.
fn held_instead(path: &Path) -> Option<&'static str> {
    match path.extension()?.to_str()? {
        "csv" | "jsonl" | "ndjson" | "json" => Some("events"),
        "case" => Some("cases"),
        "ron" => Some("a job"),
        "md" => Some("a text for people"),
        _ => None,
    }
}

/// The files with that ending. What is named and is not there is told by its name.
pub(crate) fn find(paths: &[PathBuf], ending: &str) -> Result<Vec<PathBuf>, Failure> {
    let mut found = Vec::new();
    for path in paths {
        let of_path = cases::find(std::slice::from_ref(path), ending);
        found.extend(of_path.map_err(|error| Failure::read(&format!("`{}`", path.display()), &error))?);
    }
    Ok(found)
}

/// The sources that are compiled together: all of them, or each by itself, as files need not belong together.
pub(crate) fn compiled_together(sources: &[Source], together: bool) -> std::slice::Chunks<'_, Source> {
    sources.chunks(if together { sources.len() } else { 1 })
}

/// The names of sources.
pub(crate) fn names(sources: &[Source]) -> String {
    sources.iter().map(|source| source.name.as_str()).collect::<Vec<_>>().join(", ")
}

/// What the patterns are compiled with, for a stream of this name whose events have these columns, or any fields.
pub(crate) fn options(events: &Events, stream: Option<&str>, columns: Option<&[String]>) -> Options {
    let has_type = columns.is_none_or(|columns| columns.iter().any(|column| column == TYPE_FIELD));
    Options {
        schema: Schema { stream: stream.map(str::to_owned), ..columns.map_or_else(Schema::open, schema) },
        key: events.key.clone(),
        type_field: events.type_field.clone().or_else(|| has_type.then(|| TYPE_FIELD.to_owned())),
        parameters: events.parameters.clone(),
        ..Options::default()
    }
}

/// As [`options`], for inputs. The columns of one that is the only one are all that there is; of several it is for the patterns
/// to say which stream has which fields.
pub(crate) fn options_of_inputs(events: &Events, inputs: &[Input]) -> Options {
    let [only] = inputs else { return options(events, None, None) };
    options(events, only.stream.as_deref(), only.columns())
}

/// Fields that the call names must be there, where it is known what is there: a misspelt key would make every event a
/// rejected one.
pub(crate) fn check_columns(events: &Events, inputs: &[Input]) -> Result<(), Failure> {
    let [only] = inputs else { return Ok(()) };
    let Some(columns) = only.columns() else { return Ok(()) };
    let named = events.key.iter().map(|field| (field, "key"));
    let mut named = named.chain(events.type_field.iter().map(|field| (field, "type")));
    match named.find(|(field, _)| !columns.contains(field)) {
        None => Ok(()),
        Some((field, purpose)) => {
            let columns = listed(columns);
            Err(Failure::Call(format!("no column `{field}` for the {purpose}: the columns are {columns}")))
        }
    }
}

/// As [`options`], where there is no input: for the columns of the only stream of which some are said.
pub(crate) fn options_without_input(events: &Events) -> Options {
    match events.columns.as_slice() {
        [OfStream { stream, value }] => options(events, stream.as_deref(), Some(value)),
        columns => options(events, None, said(columns, None).map(Vec::as_slice)),
    }
}

/// The columns of a CSV: no others can be asked for, and what is in them is not known before it comes.
fn schema(columns: &[String]) -> Schema {
    let fields = columns.iter().fold(Schema::open(), |schema, column| schema.nullable(column, Type::Any));
    Schema { closed: true, ..fields }
}
