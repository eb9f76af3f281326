//! Where outputs go.

use ensue_model::Timestamp;

use crate::{Error, Position};

pub mod file;

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
