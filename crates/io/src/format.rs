//! How a source writes its rows.

use std::borrow::Cow;
use std::collections::HashSet;

use crate::csv;
use crate::records::{BadLine, Record};

/// How a source writes its rows.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum RowFormat {
    /// Fields between delimiters, in the order of the columns.
    Csv(Csv),
    /// A JSON object a line.
    JsonLines,
    /// Names and values on a line, as many programs write their logs: `level=info msg="it works" retried`.
    Logfmt,
}

/// What must be known of a CSV to read its rows.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Csv {
    /// The names of the columns, in order, each once.
    pub columns: Vec<String>,
    /// What stands between two fields: an ASCII character that is neither a quote nor a line end.
    pub delimiter: u8,
}

impl Csv {
    /// Columns with a comma between them.
    pub fn new(columns: &[&str]) -> Self {
        Csv { columns: columns.iter().map(|&column| column.to_owned()).collect(), delimiter: b',' }
    }

    /// The columns that a header names. A name that stands there twice is an error: a row could not be written as an
    /// object.
    pub fn from_header(header: &Record<'_>, delimiter: u8) -> Result<Csv, BadLine> {
        let names = csv::fields(header.text()?, delimiter).map(|field| field.text());
        let columns: Vec<String> = names.map(Cow::into_owned).collect();
        let mut seen = HashSet::new();
        match columns.iter().find(|column| !seen.insert(column.as_str())) {
            Some(twice) => Err(header.bad(format!("the header names the column `{twice}` twice"))),
            None => Ok(Csv { columns, delimiter }),
        }
    }
}
