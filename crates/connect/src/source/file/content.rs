//! The bytes of a file that is open, unpacked.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::Arc;

use flate2::bufread::MultiGzDecoder;

use super::identity::HEAD_BYTES;

/// The longest first line that is looked for behind a file's beginning.
pub(super) const FIRST_LINE_BYTES_MAX: usize = 1024 * 1024;

/// A file that is open, and read from some place on.
pub(super) struct Content {
    file: Arc<File>,
    bytes: Box<dyn Read + Send>,
    is_packed: bool,
    /// How many bytes have been read, unpacked.
    offset: u64,
    /// Nothing is read beyond, if it is not packed: what was added since is read in a turn of its own, lest others wait for a file
    /// that grows faster than it is read.
    until: u64,
}

/// How the bytes of a file are packed.
enum Packing {
    None,
    Gzip,
    Zstd,
}

impl Content {
    /// A file from its beginning.
    pub(super) fn of(file: Arc<File>, path: &Path) -> io::Result<Self> {
        let packing = Packing::of(&file, path)?;
        (&*file).seek(SeekFrom::Start(0))?;
        let is_packed = !matches!(packing, Packing::None);
        let bytes = packing.unpack(Arc::clone(&file))?;
        Ok(Content { file, bytes, is_packed, offset: 0, until: u64::MAX })
    }

    pub(super) fn until(mut self, length: u64) -> Self {
        if !self.is_packed {
            self.until = length;
        }
        self
    }

    pub(super) fn is_packed(&self) -> bool {
        self.is_packed
    }

    /// Reads the beginning of a file, which is open at its start: its first line, and as much as tells it from others; less if
    /// that is all there is, or all that can be unpacked.
    pub(super) fn beginning(&mut self) -> io::Result<Vec<u8>> {
        let mut beginning = vec![0; HEAD_BYTES];
        let mut filled = 0;
        loop {
            let read = or_end(self.read(&mut beginning[filled..]))?;
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

    /// Goes to a place. None if the file ends before.
    pub(super) fn go_to(mut self, offset: u64, path: &Path) -> io::Result<Option<Self>> {
        if self.is_packed {
            return self.unpack_to(offset, path);
        }
        if self.file.metadata()?.len() < offset {
            return Ok(None);
        }
        (&*self.file).seek(SeekFrom::Start(offset))?;
        self.offset = offset;
        Ok(Some(self))
    }

    /// What is packed has to be unpacked up to a place, since nothing says where in the file it is.
    fn unpack_to(self, offset: u64, path: &Path) -> io::Result<Option<Self>> {
        let mut content = if self.offset <= offset { self } else { Content::of(self.file, path)? };
        let before = offset - content.offset;
        let unpacked = or_end(io::copy(&mut (&mut content).take(before), &mut io::sink()))?;
        // Where unpacking ends too early, it does not say after how many bytes.
        Ok((unpacked == before || content.offset == offset).then_some(content))
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

impl Packing {
    /// How a file is packed, by its first bytes; by its name as long as it is too short to tell.
    fn of(file: &File, path: &Path) -> io::Result<Self> {
        let mut start = Vec::new();
        let mut file = file;
        file.seek(SeekFrom::Start(0))?;
        file.take(4).read_to_end(&mut start)?;
        let ending = path.extension().and_then(|ending| ending.to_str());
        Ok(match (start.as_slice(), ending) {
            ([0x1f, 0x8b, ..], _) | ([0x1f], Some("gz")) => Packing::Gzip,
            ([0x28, 0xb5, 0x2f, 0xfd], _) | ([0x28] | [0x28, 0xb5] | [0x28, 0xb5, 0x2f], Some("zst")) => Packing::Zstd,
            _ => Packing::None,
        })
    }

    fn unpack(self, file: Arc<File>) -> io::Result<Box<dyn Read + Send>> {
        Ok(match self {
            Packing::None => Box::new(file),
            Packing::Gzip => Box::new(MultiGzDecoder::new(BufReader::new(file))),
            Packing::Zstd => Box::new(zstd::Decoder::with_buffer(BufReader::new(file))?),
        })
    }
}

/// What was read; the end where what is packed ends too early or is broken.
fn or_end<T: Default>(read: io::Result<T>) -> io::Result<T> {
    use io::ErrorKind::{InvalidData, InvalidInput, UnexpectedEof};
    match read {
        Err(error) if matches!(error.kind(), InvalidData | InvalidInput | UnexpectedEof) => Ok(T::default()),
        read => read,
    }
}
