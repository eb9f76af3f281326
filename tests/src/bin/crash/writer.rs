//! Writes the input of a run, as programs write logs: a little at a time, with rotations.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use ensue_runtime::job::checkpoint;
use rand::RngExt;
use rand_pcg::Pcg64Mcg;

use crate::input::Stream;

/// How many checkpoints the job keeps. Any of them may be the one that it goes on from.
pub(crate) const CHECKPOINTS_KEPT: u64 = 3;

/// Writes all streams of a run.
pub(crate) struct Writer {
    logs: Vec<Log>,
    state: State,
    random: Pcg64Mcg,
    /// How many rotations there were.
    pub(crate) rotations: u64,
}

/// The checkpoints of whoever reads.
#[derive(Clone)]
pub(crate) struct State {
    pub(crate) folder: PathBuf,
    /// How often one was damaged: then those behind it are written again, and may know less than they did.
    pub(crate) damaged: Arc<AtomicU64>,
}

/// A file that grows, and is rotated.
struct Log {
    stream: &'static str,
    header: &'static str,
    path: PathBuf,
    file: File,
    /// All that is written to it, in the end.
    bytes: Vec<u8>,
    written: usize,
    /// How many rotations there were.
    rotations: u64,
    /// Whether it is rotated by copying and cutting it, and not by renaming it. Who does both to one log within the tenth of a second
    /// in which nobody looks cannot be followed.
    is_copied: bool,
    /// How many bytes had been written when the file that grows now began.
    begun: usize,
    /// The first checkpoint that knows anything of this log, and of the file that grows now.
    known: Option<u64>,
    known_now: Option<u64>,
    /// How many checkpoints had been damaged then.
    damaged: u64,
}

impl Writer {
    /// Begins the files of the streams in a folder.
    pub(crate) fn begin(folder: &Path, state: State, streams: &[Stream], mut random: Pcg64Mcg) -> io::Result<Self> {
        let mut begin = |stream| Log::begin(folder, stream, random.random_ratio(1, 3));
        let logs = streams.iter().map(&mut begin).collect::<io::Result<_>>()?;
        Ok(Writer { logs, state, random, rotations: 0 })
    }

    /// Writes something, or rotates a file. False if all is written.
    pub(crate) fn step(&mut self) -> io::Result<bool> {
        let left = self.logs.iter_mut().filter(|log| log.written < log.bytes.len());
        let mut left: Vec<&mut Log> = left.collect();
        if left.is_empty() {
            return Ok(false);
        }
        let log = self.random.random_range(0..left.len());
        let log = &mut *left[log];
        match self.random.random_range(0..20) {
            0 => self.rotations += u64::from(log.rotate(&self.state, &mut self.random)?),
            1 => pause(&mut self.random, 100),
            _ => log.write(self.random.random_range(1..600))?,
        }
        pause(&mut self.random, 20);
        Ok(true)
    }
}

fn pause(random: &mut Pcg64Mcg, longest_ms: u64) {
    thread::sleep(Duration::from_millis(random.random_range(0..longest_ms)));
}

impl Log {
    fn begin(folder: &Path, stream: &Stream, is_copied: bool) -> io::Result<Self> {
        let path = folder.join(stream.file);
        let file = open(&path, stream.header)?;
        let bytes = stream.lines.iter().flat_map(|line| [line.as_bytes(), b"\n"].concat()).collect();
        let (name, header) = (stream.name, stream.header);
        Ok(Log {
            stream: name,
            header,
            path,
            file,
            bytes,
            written: 0,
            rotations: 0,
            is_copied,
            begun: 0,
            known: None,
            known_now: None,
            damaged: 0,
        })
    }

    /// Writes so many bytes: where they end, a line seldom does.
    fn write(&mut self, bytes: usize) -> io::Result<()> {
        let end = self.bytes.len().min(self.written + bytes);
        self.file.write_all(&self.bytes[self.written..end])?;
        self.written = end;
        Ok(())
    }

    fn end_line(&mut self) -> io::Result<()> {
        let rest = self.bytes[self.written..].iter().position(|&byte| byte == b'\n').map_or(0, |at| at + 1);
        let is_within_line = self.written > 0 && self.bytes[self.written - 1] != b'\n';
        if is_within_line { self.write(rest) } else { Ok(()) }
    }

    /// Rotates the file, if whoever reads it can know that: nobody finds what was rotated away before he first looked.
    fn rotate(&mut self, state: &State, random: &mut Pcg64Mcg) -> io::Result<bool> {
        let newest = self.look(state);
        let is_safe = |since: Option<u64>| since.is_some_and(|since| newest >= since + CHECKPOINTS_KEPT - 1);
        if !is_safe(if self.is_copied { self.known_now } else { self.known }) {
            return Ok(false);
        }
        self.end_line()?;
        self.rotations += 1;
        let away = PathBuf::from(format!("{}.{}", self.path.display(), self.rotations));
        if self.is_copied {
            fs::copy(&self.path, &away)?;
            self.file.set_len(0)?;
            self.file.write_all(self.header.as_bytes())?;
        } else {
            fs::rename(&self.path, &away)?;
            pause(random, 30);
            self.file = open(&self.path, self.header)?;
        }
        (self.begun, self.known_now) = (self.written, None);
        Ok(true)
    }

    /// Looks at the newest checkpoint, and gives its number.
    fn look(&mut self, state: &State) -> u64 {
        let damaged = state.damaged.load(Ordering::SeqCst);
        if damaged != self.damaged {
            (self.known, self.known_now, self.damaged) = (None, None, damaged);
        }
        // What is not readable just now will be.
        let Some(found) = checkpoint::newest(&state.folder).ok().flatten() else { return 0 };
        let source = found.checkpoint.sources.iter().find(|source| source.name == self.stream);
        let events = source.map_or(0, |source| source.progress.events);
        // Lines that are no events are counted as well: then it takes a few more events to be sure.
        let before = memchr::memchr_iter(b'\n', &self.bytes[..self.begun]).count() as u64;
        let number = found.checkpoint.number;
        if events > 0 {
            self.known.get_or_insert(number);
        }
        if events > before {
            self.known_now.get_or_insert(number);
        }
        number
    }
}

/// A new file, which begins with the header.
fn open(path: &Path, header: &str) -> io::Result<File> {
    let mut file = OpenOptions::new().create_new(true).append(true).open(path)?;
    file.write_all(header.as_bytes())?;
    Ok(file)
}
