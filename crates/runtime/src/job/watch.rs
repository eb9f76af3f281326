//! Files that are looked at while a job runs: which of them are others than they were.
//!
//! Knows no contents: a file is another when its length or the time of its last change is, or when it has come or gone.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use ensue_model::{Span, Timestamp};

/// The time from one look to the next.
const EVERY: Span = Span::from_seconds(1);

/// Files and how they were when they were last looked at.
#[derive(Debug)]
pub(crate) struct WatchedFiles {
    files: Vec<(PathBuf, Option<Look>)>,
    looked: Timestamp,
}

/// What tells a file from what it was.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Look {
    bytes: u64,
    modified: Option<SystemTime>,
}

impl Look {
    /// None if it is not there, or nobody may look.
    fn at(path: &Path) -> Option<Self> {
        let metadata = fs::metadata(path).ok()?;
        Some(Look { bytes: metadata.len(), modified: metadata.modified().ok() })
    }
}

impl WatchedFiles {
    /// Files as they are now. What changes while they are read for the first time is found if they are looked at before.
    pub(crate) fn new(paths: impl IntoIterator<Item = PathBuf>, now: Timestamp) -> Self {
        let files = paths.into_iter().map(|path| {
            let look = Look::at(&path);
            (path, look)
        });
        WatchedFiles { files: files.collect(), looked: now }
    }

    /// The places of the files that have changed since the last look. Looks once a second.
    pub(crate) fn changed(&mut self, now: Timestamp) -> Vec<usize> {
        if self.files.is_empty() || now - self.looked < EVERY {
            return Vec::new();
        }
        self.looked = now;
        let has_changed = |(place, (path, before)): (usize, &mut (PathBuf, Option<Look>))| {
            let look = Look::at(path);
            (std::mem::replace(before, look) != look).then_some(place)
        };
        self.files.iter_mut().enumerate().filter_map(has_changed).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_comes_or_goes_has_changed_once() {
        let folder = tempfile::tempdir().unwrap();
        let [kept, other] = ["kept", "other"].map(|name| folder.path().join(name));
        fs::write(&kept, "1").unwrap();
        let mut watched = WatchedFiles::new([kept.clone(), other.clone()], Timestamp::from_seconds(0));
        let mut seconds = 0;
        let mut look = |watched: &mut WatchedFiles| {
            seconds += 1;
            watched.changed(Timestamp::from_seconds(seconds))
        };
        assert_eq!(look(&mut watched), [0_usize; 0]);
        fs::write(&other, "2").unwrap();
        assert_eq!(look(&mut watched), [1]);
        assert_eq!(look(&mut watched), [0_usize; 0]);
        fs::write(&kept, "12").unwrap();
        fs::remove_file(&other).unwrap();
        assert_eq!(look(&mut watched), [0, 1]);
        assert_eq!(look(&mut watched), [0_usize; 0]);
    }

    #[test]
    fn another_file_of_the_same_length_is_another() {
        let folder = tempfile::tempdir().unwrap();
        let [table, next] = ["table", "next"].map(|name| folder.path().join(name));
        fs::write(&table, "1").unwrap();
        let mut watched = WatchedFiles::new([table.clone()], Timestamp::from_seconds(0));
        fs::write(&next, "2").unwrap();
        let later = SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(4_000_000_000);
        fs::File::options().append(true).open(&next).unwrap().set_modified(later).unwrap();
        fs::rename(&next, &table).unwrap();
        assert_eq!(watched.changed(Timestamp::from_micros(999_999)), [0_usize; 0], "it is not looked at so often");
        assert_eq!(watched.changed(Timestamp::from_seconds(1)), [0]);
    }
}
