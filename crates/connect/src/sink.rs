//! Where outputs go.

use std::io::{self, Write};

use ensue_model::Timestamp;

use crate::{Error, Position};

pub mod file;
pub mod stream;

/// Where outputs go: lines, one after the other.
///
/// Opened at a [`Position`] that [`Sink::sync`] gave, a sink holds what was put up to then and nothing else, if it can: then what is put
/// again after a crash is there once. One that cannot take back gets outputs again, with the same [`Output::id`].
pub trait Sink: Send {
    /// Takes an output, whatever the state of what is behind it.
    fn put(&mut self, output: Output<'_>);

    /// Hands on what has been put. After an error it is called again, and goes on where it failed: nothing is lost and nothing
    /// is written twice.
    ///
    /// # Errors
    /// If it cannot be handed on now.
    fn flush(&mut self) -> Result<(), Error>;

    /// As [`Sink::flush`], and makes it outlast a crash of the machine. Gives where the sink can be taken up again.
    ///
    /// # Errors
    /// As [`Sink::flush`].
    fn sync(&mut self) -> Result<Position, Error>;
}

/// An output on its way to a sink.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Output<'a> {
    /// The event time of a match or a timeout, which decides into which of several files it goes.
    pub time: Timestamp,
    /// What tells it from others, and is the same if it comes again after a crash. What is late or rejected has none.
    pub id: Option<u128>,
    /// The line, with its end.
    pub line: &'a [u8],
}

/// Writes what is behind `written`, and takes down how far that came.
fn write_from(writer: &mut impl Write, bytes: &[u8], written: &mut usize) -> io::Result<()> {
    while *written < bytes.len() {
        match writer.write(&bytes[*written..]) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(count) => *written += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A writer that takes what it is told to, in turn.
    struct Faulty {
        takes: Vec<Result<usize, io::ErrorKind>>,
        taken: Vec<u8>,
    }

    impl Write for Faulty {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let takes = if self.takes.is_empty() { Ok(bytes.len()) } else { self.takes.remove(0) };
            let taken = takes?.min(bytes.len());
            self.taken.extend_from_slice(&bytes[..taken]);
            Ok(taken)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn writing_goes_on_behind_the_last_byte_that_was_taken() {
        let takes = vec![Ok(3), Err(io::ErrorKind::Interrupted), Ok(2), Err(io::ErrorKind::StorageFull), Ok(1), Ok(0)];
        let mut writer = Faulty { takes, taken: Vec::new() };
        let mut written = 0;
        let full = write_from(&mut writer, b"0123456789", &mut written).expect_err("it is full");
        assert_eq!((full.kind(), written), (io::ErrorKind::StorageFull, 5));
        let nothing = write_from(&mut writer, b"0123456789", &mut written).expect_err("it takes nothing");
        assert_eq!((nothing.kind(), written), (io::ErrorKind::WriteZero, 6));
        write_from(&mut writer, b"0123456789", &mut written).expect("it takes the rest");
        assert_eq!((writer.taken.as_slice(), written), (b"0123456789".as_slice(), 10));
    }
}
