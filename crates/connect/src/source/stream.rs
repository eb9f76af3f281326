//! What is read once: standard input.

use std::io;
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::thread;
use std::time::Duration;

use crate::source::{Opened, Read, Source};
use crate::{Error, Position};

/// How much is read at once.
const CHUNK_BYTES: usize = 64 * 1024;

/// How many pieces are read ahead.
const CHUNKS_AHEAD: usize = 4;

/// A stream of bytes as a source, standard input for one: a single document, which is given once.
///
/// It is read on a thread of its own, since a read cannot be given up when patience ends.
///
/// ```
/// use std::time::Duration;
///
/// use ensue_connect::{Opened, Read, Source, StreamSource};
///
/// let mut source = StreamSource::new("a text", "a,1\nb,2\n".as_bytes());
/// assert_eq!(source.read(Duration::ZERO)?, Read::Opened(Opened::new("a text")));
/// assert_eq!(source.read(Duration::from_secs(10))?, Read::Bytes(b"a,1\nb,2\n"));
/// assert_eq!(source.read(Duration::from_secs(10))?, Read::Ended);
/// assert!(!source.can_resume());
/// # Ok::<(), ensue_connect::Error>(())
/// ```
#[derive(Debug)]
pub struct StreamSource {
    name: String,
    is_open: bool,
    pieces: Receiver<io::Result<Vec<u8>>>,
    /// What was given last.
    piece: Vec<u8>,
    /// How many bytes have been given.
    offset: u64,
}

impl StreamSource {
    /// Standard input, from where it is: its beginning, if nothing else has read of it.
    ///
    /// # Errors
    /// If it is to go on at a position that is not its beginning: what has been read of standard input cannot be read again.
    pub fn stdin(from: Option<&Position>) -> Result<Self, Error> {
        match from.map(|position| position.0.as_str()) {
            None | Some("" | "0") => Ok(StreamSource::new("standard input", io::stdin())),
            Some(offset) => Err(Error::new(format!(
                "cannot go on at byte {offset} of standard input: it cannot be read again; read from a file, or begin again \
                 without what was saved"
            ))),
        }
    }

    /// What there is to read, with a name for messages.
    pub fn new(name: &str, bytes: impl io::Read + Send + 'static) -> Self {
        let (give, pieces) = sync_channel(CHUNKS_AHEAD);
        let name = name.to_owned();
        thread::spawn(move || {
            let mut bytes = bytes;
            let mut buffer = vec![0; CHUNK_BYTES];
            loop {
                let piece = bytes.read(&mut buffer).map(|read| buffer[..read].to_vec());
                let is_end = piece.as_ref().is_ok_and(Vec::is_empty);
                let is_interrupted = piece.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::Interrupted);
                if !is_interrupted && (give.send(piece).is_err() || is_end) {
                    return;
                }
            }
        });
        StreamSource { name, is_open: false, pieces, piece: Vec::new(), offset: 0 }
    }
}

impl Source for StreamSource {
    fn read(&mut self, patience: Duration) -> Result<Read<'_>, Error> {
        if !self.is_open {
            self.is_open = true;
            return Ok(Read::Opened(Opened::new(&self.name)));
        }
        match self.pieces.recv_timeout(patience) {
            Ok(Ok(piece)) if piece.is_empty() => Ok(Read::Ended),
            Ok(Ok(piece)) => {
                self.offset += piece.len() as u64;
                self.piece = piece;
                Ok(Read::Bytes(&self.piece))
            }
            Ok(Err(error)) => Err(Error::io(format!("cannot read {}", self.name), error)),
            Err(RecvTimeoutError::Timeout) => Ok(Read::Nothing),
            Err(RecvTimeoutError::Disconnected) => Ok(Read::Ended),
        }
    }

    fn position(&self) -> Position {
        Position(self.offset.to_string())
    }

    fn can_resume(&self) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(20);

    /// A stream that gives one piece after the other, and waits for them.
    struct Pieces(Receiver<io::Result<&'static str>>, VecDeque<u8>);

    impl io::Read for Pieces {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            match self.0.recv() {
                Ok(piece) => self.1.extend(piece?.bytes()),
                Err(_) => return Ok(0),
            }
            self.1.read(into)
        }
    }

    #[test]
    fn a_stream_is_given_as_it_comes() {
        let (send, pieces) = sync_channel(4);
        let mut source = StreamSource::new("a stream", Pieces(pieces, VecDeque::new()));
        assert_eq!(source.read(Duration::ZERO).expect("open"), Read::Opened(Opened::new("a stream")));
        assert_eq!(source.read(Duration::ZERO).expect("waits"), Read::Nothing);
        send.send(Ok("one\ntw")).expect("sent");
        assert_eq!(source.read(PATIENCE).expect("read"), Read::Bytes(b"one\ntw"));
        assert_eq!(source.read(Duration::from_millis(1)).expect("waits"), Read::Nothing);
        assert_eq!(source.position(), Position("6".into()));
        send.send(Err(io::ErrorKind::BrokenPipe.into())).expect("sent");
        assert_eq!(source.read(PATIENCE).expect_err("broken").to_string(), "cannot read a stream: broken pipe");
        send.send(Ok("o\n")).expect("sent");
        assert_eq!(source.read(PATIENCE).expect("read"), Read::Bytes(b"o\n"));
        drop(send);
        assert_eq!(source.read(PATIENCE).expect("read"), Read::Ended);
        assert_eq!(source.read(PATIENCE).expect("read"), Read::Ended);
    }

    #[test]
    fn standard_input_is_not_read_again() {
        let refused = StreamSource::stdin(Some(&Position("12".into()))).expect_err("refused").to_string();
        assert_eq!(
            refused,
            "cannot go on at byte 12 of standard input: it cannot be read again; read from a file, or begin again without \
             what was saved"
        );
    }
}
