//! The bytes of a file that is open.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::sync::Arc;

use super::identity::HEAD_BYTES;

/// The longest first line that is looked for behind a file's beginning.
const FIRST_LINE_BYTES_MAX: usize = 1024 * 1024;

/// A file that is open, and read from some place on.
pub(super) struct Content {
    file: Arc<File>,
    bytes: Box<dyn Read + Send>,
    /// How many bytes have been read, after decompression.
    offset: u64,
    /// Nothing is read beyond, before decompression: what was added since is read in a turn of its own, lest others wait for
    /// a file that grows faster than it is read.
    until: u64,
}

impl Content {
    /// A file from its beginning.
    pub(super) fn of(file: Arc<File>) -> io::Result<Self> {
        let mut start = &*file;
        start.seek(SeekFrom::Start(0))?;
        let bytes = Box::new(Arc::clone(&file));
        Ok(Content { file, bytes, offset: 0, until: u64::MAX })
    }

    pub(super) fn until(mut self, length: u64) -> Self {
        self.until = length;
        self
    }

    /// Reads the beginning of a file, which is open at its start: its first line, and as much as tells it from others.
    pub(super) fn beginning(&mut self) -> io::Result<Vec<u8>> {
        let mut beginning = vec![0; HEAD_BYTES];
        let mut filled = 0;
        loop {
            let read = self.read(&mut beginning[filled..])?;
            filled += read;
            let has_line = beginning[..filled].contains(&b'\n') || filled >= FIRST_LINE_BYTES_MAX;
            if read == 0 || (filled >= HEAD_BYTES && has_line) {
                beginning.truncate(filled);
                return Ok(beginning);
            }
            if filled == beginning.len() {
                beginning.resize(2 * filled, 0);
            }
        }
    }

    /// Goes to a place behind what has been read, or at it. False if the file ends before.
    pub(super) fn go_to(&mut self, offset: u64) -> io::Result<bool> {
        if self.file.metadata()?.len() < offset {
            return Ok(false);
        }
        let mut file = &*self.file;
        file.seek(SeekFrom::Start(offset))?;
        self.offset = offset;
        Ok(true)
    }

    pub(super) fn file(&self) -> &Arc<File> {
        &self.file
    }
}

impl Read for Content {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.until.saturating_sub(self.offset)).unwrap_or(usize::MAX).min(into.len());
        let read = self.bytes.read(&mut into[..most])?;
        self.offset += read as u64;
        Ok(read)
    }
}
