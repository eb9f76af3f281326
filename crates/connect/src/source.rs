//! Where bytes come from.

use std::time::Duration;

use crate::{Error, Position};

/// Where bytes come from: documents, one after the other.
///
/// Opened at a [`Position`] that it gave earlier, a source gives the same bytes from there on, though perhaps cut otherwise.
///
/// ```
/// use std::time::Duration;
///
/// use ensue_connect::{Error, Position, Read, Source};
///
/// /// The lines of a text that is in memory.
/// struct Text {
///     text: String,
///     /// How much of it has been read; nothing as long as it is not open.
///     read: Option<usize>,
/// }
///
/// impl Text {
///     fn open(text: &str, from: Option<&Position>) -> Result<Self, Error> {
///         let read = from.and_then(|position| position.0.parse().ok());
///         Ok(Text { text: text.to_owned(), read })
///     }
/// }
///
/// impl Source for Text {
///     fn read(&mut self, _patience: Duration) -> Result<Read<'_>, Error> {
///         let Some(read) = self.read else {
///             self.read = Some(0);
///             return Ok(Read::Opened { name: "a text" });
///         };
///         self.read = Some(self.text.len());
///         match &self.text.as_bytes()[read..] {
///             [] => Ok(Read::Ended),
///             bytes => Ok(Read::Bytes(bytes)),
///         }
///     }
///
///     fn position(&self) -> Position {
///         Position(self.read.map_or_else(String::new, |read| read.to_string()))
///     }
/// }
///
/// let mut text = Text::open("a,1\nb,2\n", None)?;
/// assert!(matches!(text.read(Duration::ZERO)?, Read::Opened { .. }));
/// let at_start = text.position();
/// assert_eq!(text.read(Duration::ZERO)?, Read::Bytes(b"a,1\nb,2\n"));
/// assert_eq!(text.read(Duration::ZERO)?, Read::Ended);
/// let mut again = Text::open("a,1\nb,2\n", Some(&at_start))?;
/// assert_eq!(again.read(Duration::ZERO)?, Read::Bytes(b"a,1\nb,2\n"));
/// # Ok::<(), Error>(())
/// ```
pub trait Source: Send {
    /// What comes next. Where nothing is there, it waits about as long as `patience` at most.
    ///
    /// # Errors
    /// If it cannot be read now. The caller may try again: nothing is lost.
    fn read(&mut self, patience: Duration) -> Result<Read<'_>, Error>;

    /// Where the next [`Source::read`] goes on: the source is opened there after a stop.
    fn position(&self) -> Position;
}

/// What a source gives.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Read<'a> {
    /// A document begins: a file, a stream. The one before it, if there was one, is over.
    Opened {
        /// What it is called in messages.
        name: &'a str,
    },
    /// More of the document that was opened last.
    Bytes(&'a [u8]),
    /// Nothing for now.
    Nothing,
    /// Nothing any more.
    Ended,
}
