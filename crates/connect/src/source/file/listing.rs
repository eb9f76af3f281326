//! Which files there are.

use std::cmp::Ordering;
use std::collections::HashSet;
use std::fs::{self, Metadata};
use std::io;
use std::path::{Path, PathBuf};

use glob::{MatchOptions, Paths};

use super::identity::{FileId, Stamp};
use crate::Error;

/// What files are called: a path, a folder, or a pattern.
#[derive(Debug)]
pub(in crate::source) struct Pattern {
    text: String,
}

/// A file that is there.
#[derive(Clone, Debug)]
pub(in crate::source) struct Listed {
    pub(in crate::source) path: PathBuf,
    pub(in crate::source) id: FileId,
    pub(in crate::source) stamp: Stamp,
}

impl Pattern {
    pub(in crate::source) fn new(text: &str) -> Result<Self, Error> {
        glob::Pattern::new(text).map_err(|error| {
            Error::new(format!("`{text}` is no pattern of file names: {} at character {}", error.msg, error.pos + 1))
        })?;
        Ok(Pattern { text: text.to_owned() })
    }

    /// The files of that name. Folders among what a pattern matches are passed over.
    fn files(&self) -> Result<Vec<Listed>, Error> {
        let path = Path::new(&self.text);
        match fs::metadata(path) {
            Ok(metadata) if metadata.is_dir() => folder(path),
            Ok(metadata) => Ok(vec![Listed::new(path.to_owned(), &metadata)]),
            Err(_) if self.is_glob() => matching(self.glob()?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(unreadable(path, error)),
        }
    }

    fn is_glob(&self) -> bool {
        self.text.contains(['*', '?', '['])
    }

    fn glob(&self) -> Result<Paths, Error> {
        // A name that begins with a dot is matched only by a dot, as in a shell: hidden files are those in the making.
        let options = MatchOptions { require_literal_leading_dot: true, ..MatchOptions::default() };
        glob::glob_with(&self.text, options).map_err(|error| Error::new(error.to_string()))
    }
}

impl Listed {
    /// Its path as text, as it is written into positions.
    pub(in crate::source) fn name(&self) -> Result<&str, Error> {
        self.path.to_str().ok_or_else(|| {
            Error::new(format!("cannot read `{}`: its name is not UTF-8; rename it", self.path.display()))
        })
    }

    pub(in crate::source) fn new(path: PathBuf, metadata: &Metadata) -> Self {
        Listed { path, id: FileId::of(metadata), stamp: Stamp::of(metadata) }
    }
}

/// What the patterns are, for messages.
pub(in crate::source) fn called(patterns: &[Pattern]) -> String {
    let called = |Pattern { text }: &Pattern| match Path::new(text).is_dir() {
        true => format!("`{text}`, a folder with no file in it"),
        false => format!("`{text}`"),
    };
    patterns.iter().map(called).collect::<Vec<_>>().join(" or ")
}

/// The files of all patterns in natural order, each file once, however many names it has.
pub(in crate::source) fn files(patterns: &[Pattern]) -> Result<Vec<Listed>, Error> {
    let mut seen = HashSet::new();
    let mut files = Vec::new();
    for pattern in patterns {
        files.extend(pattern.files()?.into_iter().filter(|file| seen.insert(file.id)));
    }
    files.sort_by(|left, right| natural(&left.path, &right.path));
    Ok(files)
}

/// The files of a folder but for the hidden ones.
pub(in crate::source) fn folder(path: &Path) -> Result<Vec<Listed>, Error> {
    let entries = fs::read_dir(path).map_err(|error| unreadable(path, error))?;
    let mut files = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|error| unreadable(path, error))?;
        if !entry.file_name().as_encoded_bytes().starts_with(b".") {
            files.extend(listed(entry.path())?);
        }
    }
    Ok(files)
}

/// Whether a file is called as another one with something behind it, as rotation names them: `app.log.1`, `app.log-20260101`.
pub(in crate::source) fn is_named_after(path: &Path, other: &Path) -> bool {
    // Without taking paths apart: where there are many new files, each is compared with all that are known.
    let (path, other) = (path.as_os_str().as_encoded_bytes(), other.as_os_str().as_encoded_bytes());
    let behind = path.strip_prefix(other);
    behind.is_some_and(|behind| !behind.is_empty() && !behind.iter().any(|byte| std::path::is_separator(*byte as char)))
}

/// Whether a file is called as rotation calls those that had the name of another one: with a number or a date behind it, and perhaps
/// compressed. Other files may be called after it too, and are none of its past.
pub(in crate::source) fn is_rotated_from(path: &Path, other: &Path) -> bool {
    let behind = || path.file_name()?.to_str()?.strip_prefix(other.file_name()?.to_str()?);
    let Some(behind) = behind().filter(|_| is_named_after(path, other)) else { return false };
    let behind = [".gz", ".zst"].iter().find_map(|ending| behind.strip_suffix(ending)).unwrap_or(behind);
    let is_of_date = |character: char| character.is_ascii_digit() || ".-_T:Z".contains(character);
    behind.chars().all(is_of_date) && behind.contains(|character: char| character.is_ascii_digit())
}

fn matching(paths: Paths) -> Result<Vec<Listed>, Error> {
    let mut files = Vec::new();
    for path in paths {
        let path = path.map_err(|error| {
            let path = error.path().to_owned();
            unreadable(&path, error.into())
        })?;
        files.extend(listed(path)?);
    }
    Ok(files)
}

/// The file of that name; none if it is a folder, or has gone since its name was read.
fn listed(path: PathBuf) -> Result<Option<Listed>, Error> {
    match fs::metadata(&path) {
        Ok(metadata) if metadata.is_dir() => Ok(None),
        Ok(metadata) => Ok(Some(Listed::new(path, &metadata))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(unreadable(&path, error)),
    }
}

fn unreadable(path: &Path, error: io::Error) -> Error {
    Error::io(format!("cannot read `{}`", path.display()), error)
}

/// The order in which people count: `2.csv` before `10.csv`.
pub(in crate::source) fn natural(left: &Path, right: &Path) -> Ordering {
    let (left_text, right_text) = (left.to_string_lossy(), right.to_string_lossy());
    let by_numbers = pieces(&left_text).cmp(pieces(&right_text));
    by_numbers.then_with(|| left.cmp(right))
}

/// A part of a name. Numbers come before text.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Piece<'a> {
    /// Digits without leading zeros: more of them are a larger number.
    Number(usize, &'a str),
    Text(char),
}

fn pieces(mut text: &str) -> impl Iterator<Item = Piece<'_>> {
    std::iter::from_fn(move || {
        let digits = text.len() - text.trim_start_matches(|character: char| character.is_ascii_digit()).len();
        let taken = if digits > 0 { digits } else { text.chars().next()?.len_utf8() };
        let (piece, rest) = text.split_at(taken);
        text = rest;
        let number = piece.trim_start_matches('0');
        Some(if digits > 0 { Piece::Number(number.len(), number) } else { Piece::Text(piece.chars().next()?) })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_in_the_order_in_which_people_count() {
        let mut names = ["b1", "a10", "a", "a2b", "a2", "a02", "a.csv", "10/a", "9/b"].map(PathBuf::from);
        names.sort_by(|left, right| natural(left, right));
        let expected = ["9/b", "10/a", "a", "a02", "a2", "a2b", "a10", "a.csv", "b1"].map(PathBuf::from);
        assert_eq!(names, expected);
    }

    #[test]
    fn rotation_names_files_after_others() {
        let is_named_after = |path: &str, other: &str| is_named_after(Path::new(path), Path::new(other));
        assert!(is_named_after("logs/app.log.1", "logs/app.log"));
        assert!(is_named_after("app.log-20260101.gz", "app.log"));
        assert!(!is_named_after("app.log", "app.log"));
        assert!(!is_named_after("old/app.log.1", "logs/app.log"));
        assert!(!is_named_after("app.txt", "app.log"));
    }

    #[test]
    fn rotated_files_have_a_number_or_a_date_behind_their_name() {
        let is_rotated_from = |path: &str| is_rotated_from(Path::new(path), Path::new("app.log"));
        for path in ["app.log.1", "app.log.12.gz", "app.log-20260101", "app.log-2026-01-01T10:00:00Z.zst", "app.log_3"]
        {
            assert!(is_rotated_from(path), "{path}");
        }
        for path in ["app.log", "app.log.gz", "app.log.lock", "app.log.1.md5", "app.log-", "app.log.old", "b.log.1"] {
            assert!(!is_rotated_from(path), "{path}");
        }
    }
}
