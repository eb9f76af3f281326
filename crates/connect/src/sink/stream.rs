//! What takes bytes and keeps none: standard output.

use std::io::{self, Write};

use crate::sink::{Output, Sink};
use crate::{Error, Position};

/// A stream of bytes as a sink, standard output for one. What it has taken it does not take back: after a stop, outputs
/// come again, with the same [`Output::id`].
///
/// ```
/// use ensue_connect::{Output, Sink, StreamSink};
/// use ensue_model::Timestamp;
///
/// let mut sink = StreamSink::stdout();
/// sink.put(Output { time: Timestamp::from_seconds(0), id: None, line: b"{}\n" });
/// sink.flush()?;
/// # Ok::<(), ensue_connect::Error>(())
/// ```
#[derive(Debug)]
pub struct StreamSink<W> {
    name: String,
    stream: W,
    waiting: Vec<u8>,
    /// How much of it has been written.
    written: usize,
    /// How much has been written in all.
    length: u64,
}

impl StreamSink<io::Stdout> {
    /// Standard output.
    pub fn stdout() -> Self {
        StreamSink::new("standard output", io::stdout())
    }
}

impl<W: Write> StreamSink<W> {
    /// What takes bytes, with a name for messages.
    pub fn new(name: &str, stream: W) -> Self {
        StreamSink { name: name.to_owned(), stream, waiting: Vec::new(), written: 0, length: 0 }
    }
}

impl<W: Write + Send> Sink for StreamSink<W> {
    fn put(&mut self, output: Output<'_>) {
        self.waiting.extend_from_slice(output.line);
    }

    fn flush(&mut self) -> Result<(), Error> {
        let before = self.written;
        let result = super::write_from(&mut self.stream, &self.waiting, &mut self.written);
        self.length += (self.written - before) as u64;
        result
            .and_then(|()| self.stream.flush())
            .map_err(|error| Error::io(format!("cannot write to {}", self.name), error))?;
        self.waiting.clear();
        self.written = 0;
        Ok(())
    }

    fn sync(&mut self) -> Result<Position, Error> {
        self.flush()?;
        Ok(Position(self.length.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use ensue_model::Timestamp;

    use super::*;

    /// Takes three bytes at a time, and every other time none.
    #[derive(Default)]
    struct Slow {
        taken: Vec<u8>,
        is_full: bool,
    }

    impl Write for Slow {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.is_full = !self.is_full;
            if !self.is_full {
                return Err(io::ErrorKind::WouldBlock.into());
            }
            let taken = bytes.len().min(3);
            self.taken.extend_from_slice(&bytes[..taken]);
            Ok(taken)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn nothing_is_lost_or_doubled_by_a_stream_that_fails() {
        let mut sink = StreamSink::new("a pipe", Slow::default());
        for line in [b"one\n".as_slice(), b"two\n"] {
            sink.put(Output { time: Timestamp::from_seconds(0), id: None, line });
        }
        assert_eq!(sink.flush().expect_err("full").to_string(), "cannot write to a pipe: operation would block");
        let failures = std::iter::from_fn(|| sink.sync().err()).count();
        assert_eq!((failures, sink.stream.taken.as_slice()), (1, b"one\ntwo\n".as_slice()));
        assert_eq!(sink.sync().expect("empty"), Position("8".into()));
    }
}
