//! What makes a file the one that was read, whatever it is called now.

use std::fs::Metadata;
use std::time::SystemTime;

use ensue_model::Timestamp;
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

/// So many bytes of a file's beginning tell it from another one that has come to its number.
pub(in crate::source) const HEAD_BYTES: usize = 1_024;

/// The number under which the system knows a file, as `device:inode` in hexadecimal. It stays when the file is renamed, and
/// may go to another one when it is removed.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub(in crate::source) struct FileId {
    device: u64,
    inode: u64,
}

impl FileId {
    /// That of no file.
    pub(in crate::source) const NONE: FileId = FileId { device: 0, inode: 0 };

    /// One that no file has, for one that has lost its own.
    pub(in crate::source) fn lost(number: u64) -> Self {
        FileId { device: u64::MAX, inode: number }
    }

    pub(in crate::source) fn is_lost(self) -> bool {
        self.device == u64::MAX
    }

    #[cfg(unix)]
    pub(in crate::source) fn of(metadata: &Metadata) -> Self {
        use std::os::unix::fs::MetadataExt;
        FileId { device: metadata.dev(), inode: metadata.ino() }
    }

    /// Where files have no number that can be asked for, the time at which one was made is the nearest to it.
    #[cfg(not(unix))]
    pub(in crate::source) fn of(metadata: &Metadata) -> Self {
        let made = metadata.created().ok().and_then(|time| time.duration_since(SystemTime::UNIX_EPOCH).ok());
        FileId { device: 0, inode: made.map_or(0, |made| made.as_nanos() as u64) }
    }
}

impl From<FileId> for String {
    fn from(id: FileId) -> String {
        format!("{:x}:{:x}", id.device, id.inode)
    }
}

impl TryFrom<String> for FileId {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let read = |text: &str| u64::from_str_radix(text, 16).ok();
        let parts = text.split_once(':').and_then(|(device, inode)| Some((read(device)?, read(inode)?)));
        let (device, inode) = parts.ok_or_else(|| format!("`{text}` is no device and inode"))?;
        Ok(FileId { device, inode })
    }
}

/// The beginning of a file, at most [`HEAD_BYTES`] of it, as `length:hash`: those bytes stay as long as it only grows.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub(in crate::source) struct Head {
    bytes: usize,
    hash: u64,
}

impl Head {
    /// Of a file that begins with these bytes.
    pub(in crate::source) fn of(beginning: &[u8]) -> Self {
        let bytes = beginning.len().min(HEAD_BYTES);
        Head { bytes, hash: xxh3_64(&beginning[..bytes]) }
    }

    /// Whether a file that begins with these bytes may be the same.
    pub(in crate::source) fn fits(self, beginning: &[u8]) -> bool {
        beginning.get(..self.bytes).is_some_and(|beginning| Head::of(beginning) == self)
    }

    /// Whether these bytes are too few to tell.
    pub(in crate::source) fn is_longer_than(self, beginning: &[u8]) -> bool {
        beginning.len() < self.bytes
    }

    pub(in crate::source) fn is_empty(self) -> bool {
        self.bytes == 0
    }
}

impl From<Head> for String {
    fn from(head: Head) -> String {
        format!("{}:{:016x}", head.bytes, head.hash)
    }
}

impl TryFrom<String> for Head {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let parts = text.split_once(':');
        let parts = parts.and_then(|(bytes, hash)| Some((bytes.parse().ok()?, u64::from_str_radix(hash, 16).ok()?)));
        match parts {
            Some((bytes, hash)) if bytes <= HEAD_BYTES => Ok(Head { bytes, hash }),
            _ => Err(format!("`{text}` is no length and hash of a file's beginning")),
        }
    }
}

/// A time of the system, to the microsecond; none before 1970.
fn timestamp(time: SystemTime) -> Option<Timestamp> {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    i64::try_from(since.as_micros()).ok().map(Timestamp::from_micros)
}

/// What changes when a file is written to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::source) struct Stamp {
    pub(in crate::source) length: u64,
    pub(in crate::source) modified: Option<Timestamp>,
}

impl Stamp {
    pub(in crate::source) fn of(metadata: &Metadata) -> Self {
        Stamp { length: metadata.len(), modified: metadata.modified().ok().and_then(timestamp) }
    }
}
