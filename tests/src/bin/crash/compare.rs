//! Holds the outputs of two jobs against each other.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::io;
use std::path::Path;

use crate::rules;

/// How many lines of each kind are shown of a file, and how many files.
const LINES_SHOWN: usize = 2;
const FILES_SHOWN: usize = 3;

/// How often each line stands in each file of a folder.
type Lines = BTreeMap<String, BTreeMap<String, i64>>;

/// Compares the files of two folders, as so many times each line. Gives how many lines there are, or what is different.
pub(crate) fn compare(expected: &Path, found: &Path) -> io::Result<Result<u64, String>> {
    let (expected, found) = (lines(expected)?, lines(found)?);
    let none = BTreeMap::new();
    let of = |lines: &'_ Lines, file| BTreeMap::get(lines, file).unwrap_or(&none).clone();
    let files = expected.keys().chain(found.keys().filter(|file| !expected.contains_key(*file)));
    let told = files.filter_map(|file| tell(file, &of(&expected, file), &of(&found, file)));
    let told: Vec<String> = told.collect();
    let count = expected.values().flat_map(BTreeMap::values).sum::<i64>();
    Ok(match told.len() {
        0 => Ok(count.unsigned_abs()),
        files => Err(format!("{files} files of outputs differ{}", told[..files.min(FILES_SHOWN)].concat())),
    })
}

/// How a file differs.
fn tell(file: &str, expected: &BTreeMap<String, i64>, found: &BTreeMap<String, i64>) -> Option<String> {
    let mut differences: BTreeMap<&str, i64> = BTreeMap::new();
    found.iter().for_each(|(line, count)| *differences.entry(line).or_default() += count);
    expected.iter().for_each(|(line, count)| *differences.entry(line).or_default() -= count);
    let (lost, surplus): (Vec<_>, Vec<_>) =
        differences.into_iter().filter(|(_, count)| *count != 0).partition(|(_, count)| *count < 0);
    let mut report = String::new();
    for (what, lines) in [("lost", lost), ("there too often", surplus)].iter().filter(|(_, lines)| !lines.is_empty()) {
        write!(report, "\n  {file}: {} lines are {what}", lines.len()).expect("a text takes it");
        for (line, _) in lines.iter().take(LINES_SHOWN) {
            write!(report, "\n    {}", line.trim_end()).expect("a text takes it");
        }
    }
    (!report.is_empty()).then_some(report)
}

fn lines(folder: &Path) -> io::Result<Lines> {
    let mut lines = Lines::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let text = fs::read_to_string(entry.path())?;
        let of_file = lines.entry(entry.file_name().to_string_lossy().into_owned()).or_default();
        let compared = text.split_inclusive('\n').filter(|line| !line.contains(rules::MARK));
        compared.for_each(|line| *of_file.entry(comparable(line)).or_default() += 1);
    }
    // A file that holds nothing is none.
    lines.retain(|_, lines| !lines.is_empty());
    Ok(lines)
}

/// Patterns that read what others emit. Events of the input have numbers of their own; records are numbered as they come, also
/// those of patterns that come and go, so that ids of what holds them are others then.
const READERS: [&str; 2] = ["\"pattern\":\"user_trouble\"", "\"pattern\":\"region_trouble\""];

/// A line without what may differ. What is rejected says which file it stood in, and a file that was rotated has several names.
fn comparable(line: &str) -> String {
    if let Some((before, reason)) = line.split_once("\"reason\":\"/") {
        let reason = reason.split_once(", ").map_or(reason, |(_, reason)| reason);
        return format!("{before}\"reason\":\"{reason}");
    }
    match line.split_once("\"id\":\"") {
        Some((before, behind)) if READERS.iter().any(|reader| line.contains(reader)) => {
            let (_, behind) = behind.split_once('"').unwrap_or_default();
            format!("{before}\"id\":\"{behind}")
        }
        _ => line.to_owned(),
    }
}
