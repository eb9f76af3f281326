//! Files as a source.

use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use crate::source::{Opened, Read, Source};
use crate::{Error, Position};

mod chunk;
mod content;
pub(super) mod identity;
mod known;
pub(super) mod listing;
mod look;
mod place;

use chunk::Chunk;
use content::Content;
use identity::{HEAD_BYTES, Head};
use known::{Begun, Known};
use listing::Pattern;
use place::{Place, Places};

/// How often files are looked at that may grow.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Looking takes at most such a part of the time, however many files there are.
const LOOKING_SHARE: u32 = 10;

/// So many files are kept open, those that were read last, in order to read them to their end if they are removed.
const OPEN_FILES_MAX: usize = 64;

/// Which files a [`FileSource`] reads.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FileSourceConfig {
    /// What they are called: `orders.csv`, `orders/*.csv`, `orders/**/*.csv`, or a folder for all files in it. Hidden files
    /// are not among those that a pattern or a folder stands for.
    pub paths: Vec<String>,
    /// Whether it goes on with what is written to them, and with files that come.
    pub follow: bool,
}

/// Files as a source: each is a document.
///
/// What is compressed by gzip or zstd is decompressed, whatever its name. Bytes are counted as they are after that; in order to
/// go on in the midst of such a file, it is decompressed up to there again.
///
/// What is there at the start is read in the order of the names, in which people count: `2.csv` before `10.csv`. Then the source
/// has [ended](Read::Ended), unless it follows.
///
/// # Following
///
/// Files are looked at ten times a second. Whatever is written to one of them is given, also to those that were read to their end
/// long ago: such a document is [opened](Read::Opened) again, and goes on where it was left. A document is left only at the end of a
/// line; a last line without an end waits for its rest. Files that come and fit are read as well. Between two files that both grow,
/// the source goes to and fro, so that neither waits for the other.
///
/// * **Rotation by renaming** (logrotate's `create`): a file is known by its inode and its beginning, not by its name. The one
///   that was renamed is read to its end, and what is still written to it is given; then the new one is read. Files that were
///   rotated away are found among their siblings, whether or not their new names fit: by several rotations at once, while nobody
///   looked, compressed. What is called after a rotated file with a number or a date behind it is one of its successors, if it
///   was written to later.
/// * **Rotation by copying** (`copytruncate`): a file that is named after one that is known, and begins like it, is its copy. It is
///   not read, except for what was written last before the file itself was cut. Of a file that was empty when it was last looked
///   at, no copy is known: what was written to it since, copied and cut before the next look is lost.
/// * **Truncation**: a file that is shorter than what has been read of it, or begins otherwise, without a copy to be found, is
///   read from its beginning, as a new document. That is logged as a warning, as something may have been lost.
/// * **Removal**: the last 64 files that were read are kept open, and so are read to their end. A last line without an end is
///   given when nothing has come for ten seconds and the file's name has gone to another one or to none.
///
/// # Positions
///
/// A position is JSON: where the document that goes on was last seen, its inode, a hash of its beginning, and how far it has been read; if
/// the source follows, the same of all others that it knows. Opened there, the source finds the files under
/// the names that they have then. If the document that goes on is not to be found, or is shorter, that is an error which says what is
/// lost. A source that does not follow goes on with the files behind it in the order of the names; but where one was that did
/// follow, it reads what that one would have read, and then ends.
///
/// ```
/// use std::time::Duration;
///
/// use ensue_connect::{FileSource, FileSourceConfig, Read, Source};
///
/// # let folder = tempfile::tempdir().expect("a folder");
/// # let path = folder.path().join("2.csv");
/// std::fs::write(&path, "a,1\n")?;
/// let config = FileSourceConfig { paths: vec![path.display().to_string()], follow: false };
/// let mut source = FileSource::open(&config, None)?;
/// assert!(matches!(source.read(Duration::ZERO)?, Read::Opened(_)));
/// assert_eq!(source.read(Duration::ZERO)?, Read::Bytes(b"a,1\n"));
/// assert_eq!(source.read(Duration::ZERO)?, Read::Ended);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct FileSource {
    patterns: Vec<Pattern>,
    follows: bool,
    /// Whether files are found by looking at all of them: where it follows, or goes on where one was that did.
    looks: bool,
    /// All that may be read; where the source does not look, in the order of reading.
    files: Vec<Known>,
    /// Those with something to read, by their index.
    next: VecDeque<usize>,
    /// The one that is open, or was last.
    document: Option<usize>,
    /// What is read of it; none when its end has been reached.
    content: Option<Content>,
    /// How it begins.
    beginning: Vec<u8>,
    first_line: Vec<u8>,
    /// Whether the document has to be said to be open.
    is_opening: bool,
    chunk: Chunk,
    /// The places of the others, for positions.
    others: String,
    /// When the files are looked at again.
    next_look: Option<Instant>,
    /// How often a file has been opened.
    turns: u64,
}

impl fmt::Debug for FileSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileSource").field("patterns", &self.patterns).field("position", &self.position()).finish()
    }
}

/// What a source gives next.
enum Step {
    Opened,
    Bytes(usize),
    Nothing,
    Ended,
}

impl FileSource {
    /// Opens the files, at their beginning or where a source of them was.
    ///
    /// # Errors
    /// If there is no such file, and the source does not follow; if one cannot be read; if it is not possible to go on at that
    /// position.
    pub fn open(config: &FileSourceConfig, from: Option<&Position>) -> Result<Self, Error> {
        let patterns = config.paths.iter().map(|path| Pattern::new(path)).collect::<Result<_, _>>()?;
        let places = from.map(Places::parse).transpose()?.unwrap_or_default();
        let mut source = FileSource {
            patterns,
            follows: config.follow,
            looks: config.follow || places.others.is_some(),
            files: places.others.into_iter().flatten().map(Known::resumed).collect(),
            next: VecDeque::new(),
            document: None,
            content: None,
            beginning: Vec::new(),
            first_line: Vec::new(),
            is_opening: false,
            chunk: Chunk::default(),
            others: String::new(),
            next_look: None,
            turns: 0,
        };
        for (number, known) in (0..).zip(&mut source.files) {
            known.check_inode(number)?;
        }
        if let Some(place) = places.document {
            source.go_on_with(place)?;
        }
        match source.looks {
            true if config.follow => source.look()?,
            true => source.look_once()?,
            false => source.list()?,
        }
        match source.files.is_empty() {
            true if config.follow => {
                tracing::info!("no file yet is called {}: waiting", listing::called(&source.patterns))
            }
            true => return Err(Error::new(format!("no file is called {}", listing::called(&source.patterns)))),
            false => {}
        }
        Ok(source)
    }

    /// Finds the document of a position, and opens it there.
    fn go_on_with(&mut self, place: Place) -> Result<(), Error> {
        let (path, offset) = (place.path.clone(), place.offset);
        let mut known = Known::resumed(place);
        if let Some(found) = known.search()? {
            known.found(&found);
        }
        self.files.push(known);
        let document = self.files.len() - 1;
        let open = match self.files[document].begin()? {
            Begun::Changed | Begun::Gone => self.take_over_copy(document)?,
            Begun::Open(content, beginning) => Some((content, beginning)),
        };
        let Some((content, beginning)) = open else {
            return Err(Error::new(format!(
                "cannot go on in `{path}` at byte {offset}: neither it nor a file beside it is the one that was read so far; \
                 what was written to that one behind byte {offset} is lost, unless it is put back"
            )));
        };
        self.opened(document, content, beginning);
        Ok(())
    }

    /// The files of a source that does not follow.
    fn list(&mut self) -> Result<(), Error> {
        let before = self.document.map(|document| (self.files[document].home.clone(), self.files[document].place.file));
        for listed in listing::files(&self.patterns)? {
            let is_read = before.as_ref().is_some_and(|(path, file)| {
                listed.id == *file || listing::natural(&listed.path, Path::new(path)).is_lt()
            });
            if !is_read {
                self.next.push_back(self.files.len());
                self.files.push(Known::new(&listed)?);
            }
        }
        Ok(())
    }

    fn advance(&mut self, patience: Duration) -> Result<Step, Error> {
        let deadline = now() + patience;
        loop {
            if self.is_opening {
                self.is_opening = false;
                return Ok(Step::Opened);
            }
            if let Some(step) = self.read_on()? {
                return Ok(step);
            }
            match self.next.front() {
                Some(&next) => self.begin(next)?,
                None if !self.follows => return Ok(Step::Ended),
                None if !self.wait(deadline) => return Ok(Step::Nothing),
                None => self.look()?,
            }
        }
    }

    /// More of the document that is open; none at its end.
    fn read_on(&mut self) -> Result<Option<Step>, Error> {
        let (Some(content), Some(document)) = (&mut self.content, self.document) else { return Ok(None) };
        let known = &mut self.files[document];
        let given = match self.chunk.read(content) {
            Ok(given) => given,
            Err(error) => {
                known.is_cut_off = error.kind() == io::ErrorKind::UnexpectedEof;
                let error = known.unreadable(error);
                return self.failed(document, error);
            }
        };
        known.is_cut_off = false;
        match given {
            0 => Ok(self.at_end(document)),
            given => Ok(Some(self.gave(document, given))),
        }
    }

    /// Gives the last line, if its end is not to be waited for, and leaves the document.
    fn at_end(&mut self, document: usize) -> Option<Step> {
        let is_last = !self.follows || self.files[document].gives_rest;
        if is_last && self.chunk.rest() > 0 {
            let rest = self.chunk.give_rest();
            return Some(self.gave(document, rest));
        }
        if self.follows && self.files[document].is_within_line {
            // It is not left before the line ends; a look finds the others again.
            self.next.clear();
        }
        self.content = None;
        self.files[document].left(self.chunk.rest() > 0);
        self.chunk.clear();
        None
    }

    /// Gives up reading for now: the next time, the document is opened again where it is. What ends too early is given as far
    /// as it goes, and if it may still grow, that is no failure.
    fn failed(&mut self, document: usize, error: Error) -> Result<Option<Step>, Error> {
        let is_cut_off = self.files[document].is_cut_off;
        if is_cut_off && self.follows {
            return Ok(self.at_end(document));
        }
        self.content = None;
        self.next.push_front(document);
        match self.chunk.rest() {
            rest if is_cut_off && rest > 0 => {
                self.chunk.give_rest();
                Ok(Some(self.gave(document, rest)))
            }
            _ => Err(error),
        }
    }

    /// Takes down that so much of the document has been given.
    fn gave(&mut self, document: usize, length: usize) -> Step {
        let bytes = self.chunk.bytes(length);
        let known = &mut self.files[document];
        if self.beginning.len() < HEAD_BYTES {
            // Some of it was there when the document was opened.
            let new = self.beginning.len() - known.place.offset as usize;
            self.beginning.extend_from_slice(bytes.get(new..).unwrap_or_default());
            self.beginning.truncate(HEAD_BYTES);
            known.place.head = Head::of(&self.beginning);
        }
        known.is_within_line = !bytes.ends_with(b"\n") && !known.gives_rest;
        known.place.offset += length as u64;
        known.place.lines += memchr::memchr_iter(b'\n', bytes).count() as u64;
        Step::Bytes(length)
    }

    /// Begins with the next file, or goes on with it.
    fn begin(&mut self, next: usize) -> Result<(), Error> {
        match self.files[next].begin()? {
            Begun::Open(content, beginning) => {
                self.next.pop_front();
                match self.looks && self.files[next].has_no_line(&beginning) {
                    true => self.files[next].left(!beginning.is_empty()),
                    false => self.opened(next, content, beginning),
                }
                Ok(())
            }
            Begun::Changed if self.looks => self.begin_anew(next),
            Begun::Changed => Err(self.files[next].vanished()),
            Begun::Gone => self.look_for(next),
        }
    }

    /// Takes a file that has been opened as the document.
    fn opened(&mut self, index: usize, content: Content, mut beginning: Vec<u8>) {
        self.turns += 1;
        let known = &mut self.files[index];
        let first_line = beginning.split_inclusive(|&byte| byte == b'\n').next().unwrap_or_default();
        self.first_line = if known.place.offset > 0 { first_line.to_vec() } else { Vec::new() };
        beginning.truncate(HEAD_BYTES);
        known.place.head = Head::of(&beginning);
        self.beginning = beginning;
        self.is_opening = self.document != Some(index) || !known.is_begun;
        known.is_begun = true;
        known.turn = self.turns;
        self.document = Some(index);
        self.chunk.clear();
        if !self.looks {
            self.content = Some(content);
            return;
        }
        known.file = Some(Arc::clone(content.file()));
        let until = known.stamp.map_or(u64::MAX, |stamp| stamp.length);
        self.content = Some(content.until(until));
        self.close_surplus();
        self.write_others();
    }

    /// Waits until it is time to look again. False if the time is over before.
    fn wait(&self, deadline: Instant) -> bool {
        let Some(next_look) = self.next_look else { return true };
        thread::sleep(next_look.min(deadline).saturating_duration_since(now()));
        next_look <= deadline
    }
}

impl Source for FileSource {
    fn read(&mut self, patience: Duration) -> Result<Read<'_>, Error> {
        Ok(match self.advance(patience)? {
            Step::Opened => self.document.map_or(Read::Nothing, |document| {
                let Place { path: name, offset, lines, .. } = &self.files[document].place;
                Read::Opened(Opened { name, offset: *offset, lines: *lines, first_line: &self.first_line })
            }),
            Step::Bytes(length) => Read::Bytes(self.chunk.bytes(length)),
            Step::Nothing => Read::Nothing,
            Step::Ended => Read::Ended,
        })
    }

    fn position(&self) -> Position {
        let document = self.document.map(|document| &self.files[document]).filter(|known| !known.is_over());
        place::position(document.map(|known| &known.place), self.looks.then_some(self.others.as_str()))
    }
}

#[expect(clippy::disallowed_methods, reason = "files are looked at again after a while")]
fn now() -> Instant {
    Instant::now()
}
