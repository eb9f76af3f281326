//! Checkpoints on disk: written whole or not at all, and the newest good one is found again.

use std::fmt;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use ensue_connect::Position;
use ensue_io::Layout;
use ensue_model::Timestamp;
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::{Xxh3, xxh3_64};

use crate::job::flow::Progress;
use crate::job::outlets::Counts;

/// What a checkpoint begins with: what it is, and the version of the format. The rest follows, then the state of the engine, which
/// is never whole in memory, then a hash of all that.
const MAGIC: &[u8; 16] = b"ensue checkpt 2\n";

/// What one begins with that holds the state of the engine as a field.
const MAGIC_OF_ONE_PIECE: &[u8; 16] = b"ensue checkpt 1\n";

/// How many bytes the hash behind it takes.
const HASH_BYTES: usize = 8;

/// How much is written to the file at once.
const BUFFER_BYTES: usize = 256 * 1024;

/// Everything that a job needs to go on after a stop as if there had been none.
#[derive(Debug, Serialize, Deserialize)]
pub struct Checkpoint {
    /// The name of the job.
    pub job: String,
    /// Which one it is, from 1.
    pub number: u64,
    /// When it was taken, by the clock on the wall.
    pub taken: Timestamp,
    /// The pattern files, with their names.
    pub patterns: Vec<(String, String)>,
    /// What the rows hold that the engine keeps.
    #[serde(default)]
    pub layout: Option<Layout>,
    /// The sources, in their order.
    pub sources: Vec<SavedSource>,
    /// The sinks.
    pub sinks: Vec<SavedSink>,
    /// What has come out since the job began.
    pub counts: Counts,
    /// What each pattern had open. Older checkpoints do not say it.
    #[serde(default)]
    pub open: Vec<SavedLoad>,
    /// Where the open runs of each pattern waited. Older checkpoints do not say it.
    #[serde(default)]
    pub waiting: Vec<SavedPlace>,
    /// Whether the job had come to its end.
    pub has_ended: bool,
    /// The state of the engine: the bytes of a [`Snapshot`](ensue_engine::Snapshot).
    #[serde(default, skip_serializing, with = "serde_bytes")]
    pub engine: Vec<u8>,
}

/// A source in a checkpoint.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SavedSource {
    /// Its name in the job.
    pub name: String,
    /// The columns, where a header has said them.
    pub columns: Option<Vec<String>>,
    /// How far it had come.
    pub progress: Progress,
}

/// A sink in a checkpoint.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SavedSink {
    /// Its name in the job.
    pub name: String,
    /// How far it was safe.
    pub position: Position,
}

/// What a pattern had open in a checkpoint.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SavedLoad {
    /// The name of the pattern.
    pub pattern: String,
    /// Keys with open runs.
    pub keys: u64,
    /// Open runs.
    pub runs: u64,
    /// How many bytes these took in memory, about.
    pub bytes: u64,
}

/// Open runs of a pattern that waited for the same stages in a checkpoint.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SavedPlace {
    /// The name of the pattern.
    pub pattern: String,
    /// The stages that could take their next event.
    pub awaiting: Vec<String>,
    /// How many runs.
    pub runs: u64,
    /// When the first of them began.
    pub oldest: Timestamp,
}

/// A file in a folder of checkpoints.
#[derive(Debug)]
pub struct Kept {
    /// Where it is.
    pub path: PathBuf,
    /// How many bytes it has.
    pub bytes: u64,
    /// What it holds, or why it cannot be used.
    pub checkpoint: Result<Checkpoint, String>,
}

/// Why a checkpoint could not be written or read.
#[derive(Debug)]
pub struct StoreError {
    what: String,
    cause: Option<io::Error>,
}

impl StoreError {
    pub(crate) fn new(what: String) -> Self {
        StoreError { what, cause: None }
    }

    /// The same, for somebody else who has to know.
    pub(crate) fn copied(&self) -> Self {
        StoreError::new(self.to_string())
    }

    fn io(what: impl fmt::Display, path: &Path) -> impl FnOnce(io::Error) -> StoreError {
        let what = format!("cannot {what} `{}`", path.display());
        move |cause| StoreError { what, cause: Some(cause) }
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)?;
        self.cause.as_ref().map_or(Ok(()), |cause| write!(f, ": {cause}"))
    }
}

impl std::error::Error for StoreError {}

/// A folder of checkpoints, which one job at a time writes.
#[derive(Debug)]
pub struct Store {
    folder: PathBuf,
    keep: usize,
    /// Locked as long as the store is open, so that two jobs do not write the same state.
    _lock: File,
}

/// The newest checkpoint that is whole.
#[derive(Debug)]
pub struct Found {
    /// It.
    pub checkpoint: Checkpoint,
    /// What is wrong with newer ones.
    pub damaged: Vec<String>,
}

impl Store {
    /// Opens a folder of checkpoints, and makes it if it is not there. So many of the newest are kept.
    ///
    /// # Errors
    /// If another job uses it, or it cannot be written.
    pub fn open(folder: &Path, keep: usize) -> Result<Self, StoreError> {
        fs::create_dir_all(folder).map_err(StoreError::io("make the folder", folder))?;
        let path = folder.join("lock");
        let lock = OpenOptions::new().create(true).truncate(false).write(true).open(&path);
        let lock = lock.map_err(StoreError::io("write", &path))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let message = format!("`{}` is in use: another job writes its checkpoints there", folder.display());
                return Err(StoreError::new(message));
            }
            Err(TryLockError::Error(error)) => return Err(StoreError::io("lock", &path)(error)),
        }
        let store = Store { folder: folder.to_owned(), keep: keep.max(1), _lock: lock };
        store.clear()?;
        Ok(store)
    }

    /// Removes what an earlier process has left half written.
    fn clear(&self) -> Result<(), StoreError> {
        let entries = fs::read_dir(&self.folder).map_err(StoreError::io("read", &self.folder))?;
        for entry in entries.filter_map(Result::ok) {
            if entry.path().extension().is_some_and(|extension| extension == "part") {
                fs::remove_file(entry.path()).map_err(StoreError::io("remove", &entry.path()))?;
            }
        }
        Ok(())
    }

    /// The newest checkpoint that is whole; none where none was ever written.
    ///
    /// # Errors
    /// If there are some and none of them is whole.
    pub fn newest(&self) -> Result<Option<Found>, StoreError> {
        newest(&self.folder)
    }

    /// Writes a checkpoint, for which `write_engine` writes the state of the engine, and forgets those that are too old. Gives how
    /// many bytes it is.
    ///
    /// # Errors
    /// If it cannot be written: then those that were there still are.
    pub fn write(
        &self,
        checkpoint: &Checkpoint,
        write_engine: impl FnOnce(&mut dyn Write) -> Result<(), String>,
    ) -> Result<u64, StoreError> {
        let path = self.folder.join(file_name(checkpoint.number));
        let part = path.with_extension("part");
        let written = write_file(&part, checkpoint, write_engine);
        if written.is_err() {
            // What was written of it would take the room that may be all that was missing.
            let _ = fs::remove_file(&part);
        }
        let bytes = written?;
        fs::rename(&part, &path).map_err(StoreError::io("write", &path))?;
        let synced = File::open(&self.folder).and_then(|folder| folder.sync_all());
        synced.map_err(StoreError::io("write", &self.folder))?;
        for (_, old) in numbered(&self.folder)?.into_iter().skip(self.keep) {
            fs::remove_file(&old).map_err(StoreError::io("remove", &old))?;
        }
        Ok(bytes)
    }
}

/// Writes a file that is safe then; gives how many bytes it has.
fn write_file(
    path: &Path,
    checkpoint: &Checkpoint,
    write_engine: impl FnOnce(&mut dyn Write) -> Result<(), String>,
) -> Result<u64, StoreError> {
    let file = File::create(path).map_err(StoreError::io("write", path))?;
    let mut out = BufWriter::with_capacity(BUFFER_BYTES, Sealed::new(file));
    let encoded = encode(checkpoint, write_engine, &mut out);
    let flushed = out.flush();
    let sealed = out.get_mut();
    // What encodes does not say it as well.
    if let Some(error) = sealed.failed.take() {
        return Err(StoreError::io("write", path)(error));
    }
    encoded.map_err(|reason| StoreError::new(format!("cannot encode a checkpoint: {reason}")))?;
    flushed.and_then(|()| sealed.seal()).map_err(StoreError::io("write", path))
}

fn encode(
    checkpoint: &Checkpoint,
    write_engine: impl FnOnce(&mut dyn Write) -> Result<(), String>,
    out: &mut impl Write,
) -> Result<(), String> {
    out.write_all(MAGIC).map_err(|error| error.to_string())?;
    rmp_serde::encode::write_named(out, checkpoint).map_err(|error| error.to_string())?;
    write_engine(out)
}

/// A file that ends with the hash of what was written to it.
struct Sealed {
    file: File,
    hash: Xxh3,
    bytes: u64,
    /// Why it could not be written.
    failed: Option<io::Error>,
}

impl Sealed {
    fn new(file: File) -> Self {
        Sealed { file, hash: Xxh3::new(), bytes: 0, failed: None }
    }

    /// Writes the hash, and waits until all is on the disk. Gives how many bytes that is.
    fn seal(&mut self) -> io::Result<u64> {
        self.file.write_all(&self.hash.digest().to_le_bytes())?;
        self.file.sync_all()?;
        Ok(self.bytes + HASH_BYTES as u64)
    }
}

impl Write for Sealed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes).inspect_err(|error| {
            if error.kind() != io::ErrorKind::Interrupted {
                self.failed =
                    Some(error.raw_os_error().map_or_else(|| error.kind().into(), io::Error::from_raw_os_error));
            }
        })?;
        self.hash.update(&bytes[..written]);
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// The newest checkpoint in a folder that is whole; none where none was ever written.
///
/// # Errors
/// If there are some and none of them is whole.
pub fn newest(folder: &Path) -> Result<Option<Found>, StoreError> {
    let mut damaged = Vec::new();
    for (_, path) in numbered(folder)? {
        let bytes = fs::read(&path).map_err(StoreError::io("read", &path))?;
        match from_bytes(&bytes) {
            Ok(checkpoint) => return Ok(Some(Found { checkpoint, damaged })),
            Err(reason) => damaged.push(format!("checkpoint `{}` cannot be used: {reason}", path.display())),
        }
    }
    match damaged.is_empty() {
        true => Ok(None),
        false => Err(StoreError::new(damaged.join("; "))),
    }
}

/// All checkpoints in a folder, newest first, also damaged ones. Changes nothing: a job may be running there.
///
/// # Errors
/// If the folder cannot be read.
pub fn all(folder: &Path) -> Result<Vec<Kept>, StoreError> {
    let mut kept = Vec::new();
    for (_, path) in numbered(folder)? {
        match fs::read(&path) {
            Ok(bytes) => kept.push(Kept { path, bytes: bytes.len() as u64, checkpoint: from_bytes(&bytes) }),
            // A job that runs there has forgotten it meanwhile.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(StoreError::io("read", &path)(error)),
        }
    }
    Ok(kept)
}

/// The checkpoints of a folder with their numbers, newest first.
fn numbered(folder: &Path) -> Result<Vec<(u64, PathBuf)>, StoreError> {
    let entries = fs::read_dir(folder).map_err(StoreError::io("read", folder))?;
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    let number =
        |path: &Path| path.file_name()?.to_str()?.strip_prefix("checkpoint-")?.strip_suffix(".ensue")?.parse().ok();
    let mut numbered: Vec<(u64, PathBuf)> = paths.filter_map(|path| Some((number(&path)?, path))).collect();
    numbered.sort_by(|a, b| b.cmp(a));
    Ok(numbered)
}

fn file_name(number: u64) -> String {
    format!("checkpoint-{number:08}.ensue")
}

/// The checkpoint that the bytes of a file hold.
///
/// # Errors
/// Why they hold none, in words.
pub fn from_bytes(bytes: &[u8]) -> Result<Checkpoint, String> {
    let Some((body, hash)) = bytes.split_last_chunk::<HASH_BYTES>() else { return Err("it is cut off".to_owned()) };
    let is_whole = || match xxh3_64(body) == u64::from_le_bytes(*hash) {
        true => Ok(()),
        false => Err("its bytes are not those that were written".to_owned()),
    };
    if let Some(mut rest) = body.strip_prefix(MAGIC) {
        is_whole()?;
        let checkpoint: Checkpoint = rmp_serde::from_read(&mut rest).map_err(|error| error.to_string())?;
        return Ok(Checkpoint { engine: rest.to_vec(), ..checkpoint });
    }
    let Some(piece) = body.strip_prefix(MAGIC_OF_ONE_PIECE) else {
        return Err("it is no checkpoint of this version".to_owned());
    };
    is_whole()?;
    rmp_serde::from_slice(piece).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checkpoint(number: u64) -> Checkpoint {
        let sources = vec![SavedSource { name: "orders".to_owned(), columns: None, progress: Progress::default() }];
        Checkpoint {
            job: "shop".to_owned(),
            number,
            taken: Timestamp::from_seconds(7),
            patterns: Vec::new(),
            layout: None,
            sources,
            sinks: Vec::new(),
            counts: Counts::default(),
            open: Vec::new(),
            waiting: Vec::new(),
            has_ended: false,
            engine: Vec::new(),
        }
    }

    fn write(store: &Store, number: u64) {
        let engine = |out: &mut dyn Write| out.write_all(&[1, 2, 3]).map_err(|error| error.to_string());
        store.write(&checkpoint(number), engine).unwrap();
    }

    fn numbers(folder: &Path) -> Vec<u64> {
        numbered(folder).unwrap().into_iter().map(|(number, _)| number).collect()
    }

    #[test]
    fn the_newest_is_found_and_so_many_are_kept() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path(), 2).unwrap();
        assert!(store.newest().unwrap().is_none(), "nothing has been written");
        for number in 1..=12 {
            write(&store, number);
        }
        assert_eq!(numbers(folder.path()), [12, 11]);
        let found = store.newest().unwrap().unwrap();
        assert_eq!((found.checkpoint.number, found.damaged.len()), (12, 0));
        assert_eq!(found.checkpoint.engine, [1, 2, 3]);
    }

    #[test]
    fn one_that_is_damaged_in_any_byte_or_cut_off_is_passed_over_and_named() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path(), 3).unwrap();
        write(&store, 1);
        write(&store, 2);
        let newest = folder.path().join(file_name(2));
        let whole = fs::read(&newest).unwrap();
        for at in 0..whole.len() {
            let mut flipped = whole.clone();
            flipped[at] ^= 0x10;
            for damaged in [&flipped[..], &whole[..at]] {
                fs::write(&newest, damaged).unwrap();
                let found = store.newest().unwrap().unwrap();
                assert_eq!(found.checkpoint.number, 1, "byte {at}");
                assert!(found.damaged[0].contains("checkpoint-00000002.ensue` cannot be used"), "{:?}", found.damaged);
            }
        }
        fs::write(folder.path().join(file_name(1)), b"").unwrap();
        let error = store.newest().unwrap_err().to_string();
        assert!(error.contains("00000001.ensue` cannot be used: it is cut off"), "{error}");
        let all = all(folder.path()).unwrap();
        let reasons: Vec<_> = all.iter().map(|kept| kept.checkpoint.as_ref().unwrap_err().as_str()).collect();
        assert_eq!(reasons, ["its bytes are not those that were written", "it is cut off"]);
    }

    #[test]
    fn an_older_one_is_read_that_is_one_piece_and_does_not_say_what_is_open() {
        #[derive(Serialize)]
        struct Older<'c> {
            job: &'c str,
            number: u64,
            taken: Timestamp,
            patterns: &'c [(String, String)],
            sources: &'c [SavedSource],
            sinks: &'c [SavedSink],
            counts: &'c Counts,
            has_ended: bool,
            #[serde(with = "serde_bytes")]
            engine: &'c [u8],
        }
        let Checkpoint { job, number, taken, patterns, sources, sinks, counts, has_ended, .. } = &checkpoint(7);
        let (number, taken, has_ended, engine) = (*number, *taken, *has_ended, &[1, 2, 3]);
        let older = Older { job, number, taken, patterns, sources, sinks, counts, has_ended, engine };
        let mut bytes = MAGIC_OF_ONE_PIECE.to_vec();
        rmp_serde::encode::write_named(&mut bytes, &older).unwrap();
        bytes.extend_from_slice(&xxh3_64(&bytes).to_le_bytes());
        let read = from_bytes(&bytes).unwrap();
        assert_eq!((read.number, read.open.len(), read.waiting.len()), (7, 0, 0));
        assert_eq!(read.engine, [1, 2, 3]);
    }

    #[test]
    fn one_that_finds_no_room_leaves_nothing_and_says_why() {
        let path = Path::new("/dev/full");
        let failed = write_file(path, &checkpoint(1), |out| out.write_all(&[0; 3]).map_err(|error| error.to_string()));
        let error = failed.unwrap_err().to_string();
        assert!(error.starts_with("cannot write `/dev/full`: No space left on device"), "{error}");
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path(), 1).unwrap();
        let error = store.write(&checkpoint(1), |_| Err("a key has no bytes".to_owned())).unwrap_err().to_string();
        assert_eq!(error, "cannot encode a checkpoint: a key has no bytes");
        let left: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(left, ["lock"]);
    }

    #[test]
    fn a_folder_has_one_writer_and_what_is_half_written_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        let part = folder.path().join("checkpoint-00000009.part");
        fs::write(&part, b"half").unwrap();
        let store = Store::open(folder.path(), 1).unwrap();
        assert!(!part.exists());
        let error = Store::open(folder.path(), 1).unwrap_err().to_string();
        assert!(error.ends_with("is in use: another job writes its checkpoints there"), "{error}");
        drop(store);
        Store::open(folder.path(), 1).unwrap();
    }
}
