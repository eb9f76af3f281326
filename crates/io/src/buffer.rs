//! The bytes that wait to be cut into records.

use std::mem;
use std::ops::Range;

/// Bytes that wait to be cut into records. They are known to be text where they are, which is cheaper to find out for a whole
/// chunk than for each line of it.
#[derive(Debug)]
pub(crate) enum Buffer {
    Text(String),
    /// Not all of them are text, if only because the last character is not there yet.
    Bytes(Vec<u8>),
}

impl Buffer {
    pub(crate) fn new() -> Self {
        Buffer::Text(String::new())
    }

    #[inline]
    pub(crate) fn bytes(&self) -> &[u8] {
        match self {
            Buffer::Text(text) => text.as_bytes(),
            Buffer::Bytes(bytes) => bytes,
        }
    }

    /// The text of a part, where it is known to be text.
    #[inline]
    pub(crate) fn text(&self, part: Range<usize>) -> Option<&str> {
        match self {
            Buffer::Text(text) => text.get(part),
            Buffer::Bytes(_) => None,
        }
    }

    /// Lets go of the first `used` bytes, behind which a line starts, and takes a chunk.
    pub(crate) fn feed(&mut self, used: usize, chunk: &[u8]) {
        if let (Buffer::Text(text), Ok(chunk)) = (&mut *self, str::from_utf8(chunk)) {
            text.drain(..used);
            text.push_str(chunk);
            return;
        }
        let mut bytes = mem::replace(self, Buffer::new()).into_bytes();
        bytes.drain(..used);
        // Bytes that wait are read again no more often than new ones come, however long the line is that they belong to.
        let is_worth_it = bytes.len() <= chunk.len();
        bytes.extend_from_slice(chunk);
        *self = if is_worth_it { Buffer::of(bytes) } else { Buffer::Bytes(bytes) };
    }

    fn of(bytes: Vec<u8>) -> Self {
        match String::from_utf8(bytes) {
            Ok(text) => Buffer::Text(text),
            Err(error) => Buffer::Bytes(error.into_bytes()),
        }
    }

    fn into_bytes(self) -> Vec<u8> {
        match self {
            Buffer::Text(text) => text.into_bytes(),
            Buffer::Bytes(bytes) => bytes,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_known_as_text_again_when_they_are() {
        let mut buffer = Buffer::new();
        buffer.feed(0, b"a\n\xc3");
        assert_eq!((buffer.bytes(), buffer.text(0..1)), (&b"a\n\xc3"[..], None));
        buffer.feed(2, b"\xa9\n");
        assert_eq!(buffer.text(0..3), Some("é\n"));
        buffer.feed(3, b"\xff\nbc");
        assert_eq!(buffer.text(2..4), None);
        buffer.feed(2, b"d\n");
        assert_eq!(buffer.text(0..4), Some("bcd\n"));
    }
}
