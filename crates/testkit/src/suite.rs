//! Files of cases, and whether a reading gives what they expect.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use crate::case::Case;
use crate::readings::{Prepared, Reading};

/// Whether a reading gives what a case expects.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// It does.
    Passed,
    /// It does not: a report for a person.
    Failed(String),
}

/// Why a file of cases cannot be read.
#[derive(Debug)]
pub struct ReadError {
    path: PathBuf,
    line: Option<usize>,
    why: String,
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (path, why) = (self.path.display(), &self.why);
        match self.line {
            Some(line) => write!(f, "cannot read line {line} of `{path}`: {why}"),
            None => write!(f, "cannot read `{path}`: {why}"),
        }
    }
}

impl std::error::Error for ReadError {}

/// The cases of a file, one a line. Empty lines are passed over.
///
/// # Errors
/// If the file cannot be read, or a line is not a case; the error says which.
pub fn read(path: &Path) -> Result<Vec<Case>, ReadError> {
    let error = |line, why: String| ReadError { path: path.to_owned(), line, why };
    let text = fs::read_to_string(path).map_err(|why| error(None, why.to_string()))?;
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    lines.map(|(index, line)| serde_json::from_str(line).map_err(|why| error(Some(index + 1), reason(&why)))).collect()
}

/// The reason alone: the line that serde counts is the one within the line.
fn reason(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let reason = text.split(" at line ").next().unwrap_or(&text);
    format!("{reason}, at byte {}", error.column())
}

/// Runs a case.
pub fn judge(case: &Case, reading: Reading) -> Verdict {
    let prepared = match Prepared::of(case) {
        Ok(prepared) => prepared,
        Err(refused) => return Verdict::Failed(format!("{case}{refused}\n")),
    };
    match prepared.outputs(reading).map(|outputs| case.expected.difference(&outputs)) {
        Ok(None) => Verdict::Passed,
        Ok(Some(difference)) => Verdict::Failed(format!("{case}{difference}")),
        Err(why) => Verdict::Failed(format!("{case}  error\n    {why}\n")),
    }
}
