//! A file that a source knows.

use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::sync::Arc;

use ensue_model::Timestamp;

use super::content::{Content, FIRST_LINE_BYTES_MAX};
use super::identity::{FileId, Head, Stamp};
use super::listing::{self, Listed};
use super::place::Place;
use crate::Error;

/// A file that has been or will be read.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) place: Place,
    /// What it was called when it came.
    pub(super) home: String,
    /// How it was when it was last looked at. None before.
    pub(super) stamp: Option<Stamp>,
    /// How it was when it was last read to its end.
    pub(super) read: Option<Stamp>,
    /// Kept open, so that it can be read to its end when its name goes to another one, or is removed.
    pub(super) file: Option<Arc<File>>,
    /// Whether it ends with a line that has no end yet.
    pub(super) has_rest: bool,
    /// Whether it ends in the midst of what is packed.
    pub(super) is_cut_off: bool,
    /// Whether the last line is given though its end is missing.
    pub(super) gives_rest: bool,
    /// Whether what was given last ended within a line.
    pub(super) is_within_line: bool,
    /// How often it has been looked at since something came.
    pub(super) quiet_looks: u32,
    /// Whether it was found under another name than its last one since it was looked at.
    pub(super) is_moved: bool,
    /// When it had been written last in the look before.
    pub(super) since: Option<Timestamp>,
    /// Whether it has no name any more.
    pub(super) is_gone: bool,
    /// Whether it was said to be open.
    pub(super) is_begun: bool,
    /// The number of the turn in which it was read last.
    pub(super) turn: u64,
}

/// What came of opening a file at its place.
pub(super) enum Begun {
    /// It is open there, and begins like this.
    Open(Content, Vec<u8>),
    /// It is another one now, or shorter.
    Changed,
    /// It is not there.
    Gone,
}

impl Known {
    pub(super) fn at(place: Place) -> Self {
        Known {
            home: place.path.clone(),
            place,
            stamp: None,
            read: None,
            file: None,
            has_rest: false,
            is_cut_off: false,
            gives_rest: false,
            is_within_line: false,
            quiet_looks: 0,
            is_moved: false,
            since: None,
            is_gone: false,
            is_begun: false,
            turn: 0,
        }
    }

    /// One of a position.
    pub(super) fn resumed(place: Place) -> Self {
        Known { since: place.modified, ..Known::at(place) }
    }

    /// Lets go of its inode if another file has come to it since the position, or it has been cut: then it is to be found by its
    /// beginning, and what is there now is new.
    pub(super) fn check_inode(&mut self, number: u64) -> Result<(), Error> {
        if let Some(found) = self.search()?
            && let Some((beginning, _)) = beginning(&found.path)
            // One that was empty and has been written to may be any.
            && (!self.place.head.fits(&beginning)
                || self.place.head.is_empty() && found.stamp.modified != self.place.modified)
        {
            self.place.file = FileId::lost(number);
        }
        Ok(())
    }

    /// One that nothing has been read of.
    pub(super) fn new(listed: &Listed) -> Result<Self, Error> {
        let path = listed.name()?.to_owned();
        let place = Place { modified: listed.stamp.modified, ..Place::start(path, listed.id) };
        Ok(Known { stamp: Some(listed.stamp), since: place.modified, ..Known::at(place) })
    }

    pub(super) fn path(&self) -> &Path {
        Path::new(&self.place.path)
    }

    /// Whether there is something to read.
    pub(super) fn has_news(&self) -> bool {
        !self.place.is_copy && self.stamp != self.read
    }

    /// Whether nothing will come of it any more.
    pub(super) fn is_over(&self) -> bool {
        self.is_gone && !self.has_news() && !self.has_rest
    }

    /// Whether its name has gone to another file, or to none.
    pub(super) fn is_away(&self) -> bool {
        self.is_gone || self.place.path != self.home
    }

    /// Takes down where it is now.
    pub(super) fn found(&mut self, listed: &Listed) {
        if let Some(path) = listed.path.to_str().filter(|path| *path != self.place.path) {
            path.clone_into(&mut self.place.path);
            self.is_moved = true;
        }
        self.is_gone = false;
        if self.place.head.is_empty() && listed.stamp.length > 0 {
            self.look_into();
        }
        self.looked_at(listed.stamp);
    }

    /// Takes down that it has no name any more. What is open can still be read.
    pub(super) fn not_found(&mut self) {
        self.is_gone = true;
        let metadata = self.file.as_ref().and_then(|file| file.metadata().ok());
        match metadata {
            Some(metadata) => self.looked_at(Stamp::of(&metadata)),
            None => {
                self.read = self.stamp;
                self.quiet_looks = self.quiet_looks.saturating_add(1);
            }
        }
    }

    fn looked_at(&mut self, stamp: Stamp) {
        let is_first = self.stamp.is_none();
        self.stamp = Some(stamp);
        self.place.modified = stamp.modified;
        // Opened at a position: what was read to its end, and has the same length, needs not be opened.
        if is_first && self.place.offset > 0 && self.place.length == stamp.length {
            self.read = self.stamp;
        }
        self.quiet_looks = if self.has_news() { 0 } else { self.quiet_looks.saturating_add(1) };
    }

    /// Takes down that it was read to its end, as it was when it was last looked at.
    pub(super) fn left(&mut self, has_rest: bool) {
        self.read = self.stamp;
        self.place.length = self.stamp.map_or(0, |stamp| stamp.length);
        self.has_rest = has_rest;
        self.gives_rest = false;
    }

    /// Takes down how it begins, so that it or a copy of it is found even if it is rotated before anything of it is read.
    pub(super) fn look_into(&mut self) {
        let beginning = beginning(self.path()).map(|(beginning, _)| beginning);
        self.place.head = Head::of(&beginning.unwrap_or_default());
    }

    /// Whether there is nothing to give of a file that begins like this. It is no document before: a position names only
    /// documents that can be told from others.
    pub(super) fn has_no_line(&self, beginning: &[u8]) -> bool {
        self.place.offset == 0
            && !self.gives_rest
            && !beginning.contains(&b'\n')
            && beginning.len() < FIRST_LINE_BYTES_MAX
    }

    /// The same file, of which nothing has been read.
    pub(super) fn anew(&self) -> Self {
        let (path, file) = (self.place.path.clone(), self.place.file);
        let place = Place { modified: self.place.modified, ..Place::start(path, file) };
        Known { stamp: self.stamp, file: self.file.clone(), since: self.place.modified, ..Known::at(place) }
    }

    /// What was read of it, taken as read of a copy. None if the copy's name cannot be written down.
    pub(super) fn moved_to(&self, copy: &Listed) -> Option<Self> {
        let (path, home) = (copy.path.to_str()?.to_owned(), self.home.clone());
        let place = Place { path, file: copy.id, length: 0, ..self.place.clone() };
        let (is_begun, since) = (self.is_begun, self.since);
        Some(Known { home, stamp: Some(copy.stamp), is_begun, is_moved: true, since, ..Known::at(place) })
    }

    /// Makes it one that is to be forgotten.
    pub(super) fn bury(&mut self) {
        *self = Known { is_gone: true, ..Known::at(Place::start(String::new(), FileId::NONE)) };
    }

    pub(super) fn is_buried(&self) -> bool {
        self.place.file == FileId::NONE
    }

    /// Where the file is now, under whatever name in its folder.
    pub(super) fn search(&self) -> Result<Option<Listed>, Error> {
        let is_it = |listed: &Listed| listed.id == self.place.file;
        let here = fs::metadata(self.path()).ok().map(|metadata| Listed::new(self.path().to_owned(), &metadata));
        match here.filter(is_it) {
            Some(here) => Ok(Some(here)),
            None => Ok(siblings(self.path())?.into_iter().find(is_it)),
        }
    }

    /// Opens it where it goes on.
    pub(super) fn begin(&self) -> Result<Begun, Error> {
        self.try_begin().map_err(|error| self.unreadable(error))
    }

    fn try_begin(&self) -> io::Result<Begun> {
        let file = match (&self.file, File::open(self.path())) {
            (Some(file), _) => Arc::clone(file),
            (None, Ok(file)) => Arc::new(file),
            (None, Err(error)) if error.kind() == io::ErrorKind::NotFound => return Ok(Begun::Gone),
            (None, Err(error)) => return Err(error),
        };
        let metadata = file.metadata()?;
        if FileId::of(&metadata) != self.place.file {
            return Ok(Begun::Gone);
        }
        let mut content = Content::of(file, self.path())?;
        let beginning = content.beginning()?;
        if !self.place.head.fits(&beginning) {
            return Ok(Begun::Changed);
        }
        let content = content.go_to(self.place.offset, self.path())?;
        Ok(content.map_or(Begun::Changed, |content| Begun::Open(content, beginning)))
    }

    /// Says that it was cut or written anew, and nothing is found of what was there.
    pub(super) fn warn_of_loss(&self) {
        let Place { path, offset, .. } = &self.place;
        tracing::warn!(
            "`{path}` was cut or written anew after it had been read to byte {offset}: it is read from its beginning, and what \
             had been written to it behind byte {offset} is lost"
        );
    }

    /// A file that is not followed is one that was there: it does not help to wait for it.
    pub(super) fn vanished(&self) -> Error {
        Error::new(format!(
            "cannot read `{}`: it was there when the files were listed, and now it is gone or another one; put it back to \
             go on, or begin again without it",
            self.place.path
        ))
        .for_good()
    }

    pub(super) fn unreadable(&self, error: io::Error) -> Error {
        let Place { path, offset, .. } = &self.place;
        match error.kind() {
            io::ErrorKind::UnexpectedEof => Error::new(format!(
                "cannot read `{path}` to its end: its compressed bytes end too early, behind {offset} bytes of what they \
                 hold; put the whole file there"
            ))
            .for_good(),
            io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput => {
                Error::io(format!("cannot decompress `{path}` behind {offset} bytes of what it holds"), error).for_good()
            }
            _ => Error::io(format!("cannot read `{path}`"), error),
        }
    }
}

/// How a file begins that may be a copy, and whether it is packed; none if it cannot be read.
pub(super) fn beginning(path: &Path) -> Option<(Vec<u8>, bool)> {
    let file = File::open(path).ok()?;
    let mut content = Content::of(Arc::new(file), path).ok()?;
    Some((content.beginning().ok()?, content.is_packed()))
}

/// The files in the folder of a path; none if there is no such folder any more.
pub(super) fn siblings(path: &Path) -> Result<Vec<Listed>, Error> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let mut files = listing::folder(folder)?;
    for file in &mut files {
        // As the path was written: `./app.log` and `app.log` are one.
        if let Some(name) = file.path.file_name() {
            file.path = path.with_file_name(name);
        }
    }
    Ok(files)
}
