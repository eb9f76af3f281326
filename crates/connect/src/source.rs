//! Where bytes come from.

use std::time::Duration;

use crate::{Error, Position};

pub mod file;
#[cfg(feature = "parquet")]
pub mod parquet;
pub mod stream;

/// Where bytes come from: documents, one after the other.
///
/// Opened at a [`Position`] that it gave earlier, a source gives the same bytes from there on, though perhaps cut otherwise.
/// What it gives first is the document in which that place lies, [opened](Read::Opened) there; in which order other
/// documents follow, may differ where they grow at the same time.
///
/// ```
/// use std::time::Duration;
///
/// use ensue_connect::{Error, Opened, Position, Read, Source};
///
/// /// A text that is in memory.
/// struct Text {
///     text: String,
///     is_open: bool,
///     /// How much of it has been read.
///     read: usize,
/// }
///
/// impl Text {
///     fn open(text: &str, from: Option<&Position>) -> Result<Self, Error> {
///         let read = match from {
///             Some(position) => position.0.parse().map_err(|_| Error::new(format!("`{}` is no place in a text", position.0)))?,
///             None => 0,
///         };
///         Ok(Text { text: text.to_owned(), is_open: false, read })
///     }
/// }
///
/// impl Source for Text {
///     fn read(&mut self, _patience: Duration) -> Result<Read<'_>, Error> {
///         let (before, after) = self.text.as_bytes().split_at(self.read);
///         if !self.is_open {
///             self.is_open = true;
///             return Ok(Read::Opened(Opened::at("a text", before)));
///         }
///         self.read = self.text.len();
///         Ok(if after.is_empty() { Read::Ended } else { Read::Bytes(after) })
///     }
///
///     fn position(&self) -> Position {
///         Position(self.read.to_string())
///     }
/// }
///
/// let mut text = Text::open("a,1\nb,2\n", None)?;
/// assert_eq!(text.read(Duration::ZERO)?, Read::Opened(Opened::new("a text")));
/// let at_start = text.position();
/// assert_eq!(text.read(Duration::ZERO)?, Read::Bytes(b"a,1\nb,2\n"));
/// assert_eq!(text.read(Duration::ZERO)?, Read::Ended);
/// let mut again = Text::open("a,1\nb,2\n", Some(&at_start))?;
/// assert_eq!(again.read(Duration::ZERO)?, Read::Opened(Opened::new("a text")));
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

    /// Whether it can be opened at a position again. What gives its bytes only once, as standard input does, cannot.
    fn can_resume(&self) -> bool {
        true
    }
}

/// What a source gives.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Read<'a> {
    /// A document begins, or one that was left goes on. The one before it, if there was one, is over for now.
    Opened(Opened<'a>),
    /// More of the document that was opened last.
    Bytes(&'a [u8]),
    /// Nothing for now.
    Nothing,
    /// Nothing any more.
    Ended,
}

/// A document that begins; or goes on, where some of it has been read: because the source was opened in its midst, or because it
/// has grown after others were read. It is left only where a line ends, so that what follows begins a line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Opened<'a> {
    /// What it is called in messages.
    pub name: &'a str,
    /// How many of its bytes have been given before; what comes are those behind them.
    pub offset: u64,
    /// How many lines end in those bytes.
    pub lines: u64,
    /// Where some of it has been read, its first line, with its end if it has one: what a header says of the columns holds
    /// on. Empty for one that begins.
    pub first_line: &'a [u8],
}

impl<'a> Opened<'a> {
    /// A document that begins.
    pub fn new(name: &'a str) -> Self {
        Opened { name, offset: 0, lines: 0, first_line: &[] }
    }

    /// A document of which these bytes have been read.
    pub fn at(name: &'a str, before: &'a [u8]) -> Self {
        let lines = before.iter().filter(|&&byte| byte == b'\n').count() as u64;
        let first_line = before.split_inclusive(|&byte| byte == b'\n').next().unwrap_or_default();
        Opened { name, offset: before.len() as u64, lines, first_line }
    }
}
