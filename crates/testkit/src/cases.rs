//! Case files beside patterns: found, read with their patterns, run, and brought up to date.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use ensue_lang::Source;
use ensue_lang::tree::Item;

use crate::case_file::{self, CaseFile, FormatError, WrittenCase};
use crate::coverage::Coverage;
use crate::outcome::Outcome;
use crate::time_line;
use crate::trial::{Refusal, Surroundings, Trial};

/// How a file of cases has done.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FileReport {
    /// The file.
    pub path: PathBuf,
    /// Its cases, in order.
    pub cases: Vec<CaseReport>,
    /// Why it has none: it cannot be read, or is no file of cases. For a person, some lines.
    pub unread: Option<String>,
    /// The file with all that came out in place of what was expected, where that is something else.
    pub updated: Option<String>,
}

/// How a case has done.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CaseReport {
    /// Its name.
    pub title: String,
    /// Its line.
    pub line: usize,
    /// How it has done.
    pub verdict: Verdict,
}

/// How a case has done.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// What came out is what was expected.
    Passed,
    /// It is not: how, for a person.
    Differs(String),
    /// Nothing was ever expected: what came out.
    Unsaid(String),
    /// It cannot run: why, for a person.
    Refused(String),
}

impl FileReport {
    /// Whether all is as expected.
    pub fn passed(&self) -> bool {
        self.unread.is_none() && self.cases.iter().all(|case| case.verdict == Verdict::Passed)
    }
}

impl Verdict {
    /// What is wrong, for a person.
    pub fn complaint(&self) -> Option<&str> {
        match self {
            Verdict::Passed => None,
            Verdict::Differs(complaint) | Verdict::Unsaid(complaint) | Verdict::Refused(complaint) => Some(complaint),
        }
    }
}

/// The files with this ending, in the order of their names: those that are named, and those in folders that are, and in the folders
/// there. What begins with a dot is passed over, and so are folders of builds.
///
/// # Errors
/// If a file or a folder is not there, or a folder cannot be listed.
pub fn find(paths: &[PathBuf], ending: &str) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for path in paths {
        match fs::metadata(path)?.is_dir() {
            true => find_in(path, ending, &mut found)?,
            false => found.push(path.clone()),
        }
    }
    found.dedup();
    Ok(found)
}

fn find_in(folder: &Path, ending: &str, found: &mut Vec<PathBuf>) -> io::Result<()> {
    let mut paths =
        fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<_>, _>>()?;
    paths.sort();
    for path in paths {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let is_folder = !path.is_symlink() && path.is_dir();
        match is_folder {
            _ if name.starts_with('.') => {}
            true if name == "target" => {}
            true => find_in(&path, ending, found)?,
            false if path.extension().is_some_and(|extension| extension == ending) => {
                // Named as the caller names the folder, without a `./` that says nothing.
                found.push(path.strip_prefix("./").unwrap_or(&path).to_owned());
            }
            false => {}
        }
    }
    Ok(())
}

/// Runs the cases of a file; what they reach is added.
pub fn run(path: &Path, coverage: &mut Coverage) -> FileReport {
    let report = FileReport { path: path.to_owned(), cases: Vec::new(), unread: None, updated: None };
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) => return FileReport { unread: Some(cause(&error)), ..report },
    };
    let CaseFile { cases } = match case_file::parse(&text) {
        Ok(file) => file,
        Err(errors) => return FileReport { unread: Some(listed(&errors)), ..report },
    };
    let tried: Vec<Tried> = cases.iter().map(|case| attempt(path, case, coverage)).collect();
    let came = cases.iter().zip(&tried).filter(|(_, tried)| is_to_write(&tried.verdict));
    let came: Vec<_> = came.map(|(case, tried)| (case, tried.came.clone())).collect();
    let updated = (!came.is_empty()).then(|| case_file::updated(&text, &came));
    let report_of = |(case, tried): (&WrittenCase, Tried)| CaseReport {
        title: case.title.clone(),
        line: case.line,
        verdict: tried.verdict,
    };
    FileReport { cases: cases.iter().zip(tried).map(report_of).collect(), updated, ..report }
}

fn listed(errors: &[FormatError]) -> String {
    errors.iter().map(FormatError::to_string).collect::<Vec<_>>().join("\n")
}

/// Whether what came out is something else than what the file says.
pub fn is_to_write(verdict: &Verdict) -> bool {
    match verdict {
        Verdict::Differs(_) | Verdict::Unsaid(_) => true,
        Verdict::Passed | Verdict::Refused(_) => false,
    }
}

/// A case that was run.
struct Tried {
    verdict: Verdict,
    came: Vec<String>,
}

fn attempt(path: &Path, case: &WrittenCase, coverage: &mut Coverage) -> Tried {
    let tried = sources(path, case).map_err(Refusal::Case).and_then(|sources| {
        let folder = path.parent().unwrap_or(Path::new("."));
        let around = Surroundings { sources: &sources, folder, functions: &[] };
        let trial = Trial::new(case, around)?;
        let outcome = trial.run()?;
        coverage.add(&trial, &outcome, &files(&sources));
        Ok(Tried { verdict: judge(&trial, case, &outcome)?, came: outcome.lines() })
    });
    tried.unwrap_or_else(|refusal| Tried { verdict: Verdict::Refused(format!("{refusal}\n")), came: Vec::new() })
}

/// How a trial has done.
///
/// # Errors
/// If the engine reaches a limit while it is asked why.
pub fn judge(trial: &Trial, case: &WrittenCase, outcome: &Outcome) -> Result<Verdict, Refusal> {
    let Some(expected) = &case.expected else {
        let came = outcome.lines().into_iter().map(|line| format!("  + {line}\n"));
        return Ok(Verdict::Unsaid(format!(
            "the case does not say its outputs; this came:\n{}",
            came.collect::<String>()
        )));
    };
    let difference = outcome.compare(expected, trial.patterns());
    match difference.is_none() {
        true => Ok(Verdict::Passed),
        false => Ok(Verdict::Differs(time_line::picture(trial, outcome, &difference)?)),
    }
}

/// The patterns of a case: those that it names, else those of the file with its own file's name.
fn sources(path: &Path, case: &WrittenCase) -> Result<Vec<Source>, FormatError> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let own = path.with_extension("pattern");
    let paths: Vec<PathBuf> = match case.settings.patterns.as_slice() {
        [] => vec![own],
        named => named.iter().map(|name| folder.join(name)).collect(),
    };
    let source = |path: &PathBuf| match fs::read_to_string(path) {
        Ok(text) => Ok(Source::new(path.display().to_string(), text)),
        Err(error) => {
            let why =
                format!("cannot read pattern `{}`: {}; `pattern FILE` names another", path.display(), cause(&error));
            Err(FormatError { line: case.line, why })
        }
    };
    paths.iter().map(source).collect()
}

/// The file of each pattern, in the order of the patterns.
fn files(sources: &[Source]) -> Vec<String> {
    let patterns = |source: &Source| {
        let (file, _) = ensue_lang::parse(source);
        file.items.iter().filter(|item| matches!(item, Item::Pattern(_))).count()
    };
    sources.iter().flat_map(|source| std::iter::repeat_n(source.name.clone(), patterns(source))).collect()
}

/// Why a file cannot be read, without the system's number.
pub(crate) fn cause(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "there is no such file".to_owned(),
        io::ErrorKind::InvalidData => "it is not UTF-8 text".to_owned(),
        _ => error.to_string().split(" (os error").next().unwrap_or_default().to_lowercase(),
    }
}
