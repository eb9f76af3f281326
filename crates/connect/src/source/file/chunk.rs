//! The bytes that are given next, cut where a line ends.

use std::io::{self, Read};

use memchr::memrchr;

/// How much is read at once, unless a line is longer.
pub(super) const CHUNK_BYTES: usize = 256 * 1024;

/// A line that is longer is given in pieces: whoever reads records refuses it in any case.
const LINE_BYTES_MAX: usize = 16 * 1024 * 1024 + 1;

/// What has been read of a document and not been given yet.
#[derive(Debug, Default)]
pub(super) struct Chunk {
    buffer: Vec<u8>,
    /// Up to here it has been given.
    given: usize,
    /// Up to here there is something in the buffer.
    filled: usize,
}

impl Chunk {
    /// The bytes that were given last.
    pub(super) fn bytes(&self, length: usize) -> &[u8] {
        &self.buffer[self.given - length..self.given]
    }

    /// Forgets what has not been given.
    pub(super) fn clear(&mut self) {
        (self.given, self.filled) = (0, 0);
    }

    /// How many bytes have been read and not been given: a line whose end is not there yet.
    pub(super) fn rest(&self) -> usize {
        self.filled - self.given
    }

    /// Gives what is left, though its line may go on. Says how many bytes that is.
    pub(super) fn give_rest(&mut self) -> usize {
        let rest = self.rest();
        self.given = self.filled;
        rest
    }

    /// Reads on until a line ends, and gives what is there up to the last end of a line. Says how many bytes that is: none at
    /// the end of the document. What fails can be tried again.
    pub(super) fn read(&mut self, document: &mut impl Read) -> io::Result<usize> {
        self.buffer.copy_within(self.given..self.filled, 0);
        (self.given, self.filled) = (0, self.rest());
        loop {
            if self.filled == LINE_BYTES_MAX {
                return Ok(self.give_rest());
            }
            self.make_room();
            let read = match document.read(&mut self.buffer[self.filled..]) {
                Ok(0) => return Ok(0),
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            let end = memrchr(b'\n', &self.buffer[self.filled..self.filled + read]).map(|at| self.filled + at + 1);
            self.filled += read;
            if let Some(end) = end {
                self.given = end;
                return Ok(end);
            }
        }
    }

    fn make_room(&mut self) {
        if self.filled == self.buffer.len() {
            self.buffer.resize((self.filled * 2).clamp(CHUNK_BYTES, LINE_BYTES_MAX), 0);
        }
    }
}
