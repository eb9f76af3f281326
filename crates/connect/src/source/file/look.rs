//! What has happened to files that are followed.

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use ensue_model::Timestamp;

use super::content::Content;
use super::identity::FileId;
use super::known::{Begun, Known, beginning, siblings};
use super::listing::{self, Listed};
use super::place::{self, Place};
use super::{FileSource, LOOK_EVERY, LOOKING_SHARE, OPEN_FILES_MAX, now};
use crate::Error;

/// After so many looks in which nothing came, nothing is waited for any more: some ten seconds.
const QUIET_LOOKS: u32 = 100;

/// What a new file has to do with those that are known.
enum Kinship<'a> {
    None,
    /// It is a copy: nothing new.
    CopyOf(&'a Known),
    /// It may be a copy that is being made. The next look will tell.
    Unclear,
}

impl FileSource {
    /// Looks at all files: which have grown, where those are that were known, which are new.
    pub(super) fn look(&mut self) -> Result<(), Error> {
        let begun = now();
        let listed = listing::files(&self.patterns)?;
        self.forget();
        let mut rotated = self.find(&listed)?;
        rotated.extend(self.followers(&listed));
        self.find_copies()?;
        let mut known = self.files.iter().map(|known| known.place.file).collect();
        for (path, since) in rotated {
            self.take_up_rotated(&path, since, &mut known)?;
        }
        self.take_up_all(&listed, &mut known)?;
        self.give_rests();
        self.queue();
        self.write_others();
        let ended = now();
        self.next_look = Some(ended + LOOK_EVERY.max((ended - begun) * LOOKING_SHARE));
        Ok(())
    }

    /// Looks as one that follows, and never again. All files are opened once more, as one that was read to its end may hold a last
    /// line without an end.
    pub(super) fn look_once(&mut self) -> Result<(), Error> {
        self.look()?;
        self.files.iter_mut().for_each(|known| known.read = None);
        self.queue();
        Ok(())
    }

    /// Forgets files of which nothing comes any more.
    fn forget(&mut self) {
        let document = self.document.map(|document| self.files[document].place.file);
        let is_done = |known: &Known| known.is_over() && known.quiet_looks > QUIET_LOOKS;
        self.files.retain(|known| !known.is_buried() && !is_done(known));
        self.document = document.and_then(|file| self.index(file));
    }

    fn index(&self, file: FileId) -> Option<usize> {
        self.files.iter().position(|known| known.place.file == file)
    }

    /// Finds the known files under the names that they have now. Gives the names from which files were rotated, and when those
    /// had been written last.
    fn find(&mut self, listed: &[Listed]) -> Result<Vec<(PathBuf, Timestamp)>, Error> {
        let by_id: HashMap<FileId, &Listed> = listed.iter().map(|listed| (listed.id, listed)).collect();
        let mut rotated = Vec::new();
        for known in &mut self.files {
            let was_gone = known.is_gone;
            let path = PathBuf::from(if known.is_moved { &known.home } else { &known.place.path });
            let found = match by_id.get(&known.place.file) {
                Some(&listed) => Some(listed.clone()),
                None => known.search()?,
            };
            match found {
                Some(found) => known.found(&found),
                None => known.not_found(),
            }
            let is_rotated = known.is_moved || known.is_gone && !was_gone;
            rotated.extend(known.since.filter(|_| is_rotated).map(|since| (path, since)));
            (known.is_moved, known.since) = (false, known.place.modified);
        }
        Ok(rotated)
    }

    /// The names that files have come to after others which were rotated from them, and when those had been written last. Between
    /// the two the name may have been that of others still: when it was looked at last, the old one had gone, and none had come.
    fn followers(&self, listed: &[Listed]) -> Vec<(PathBuf, Timestamp)> {
        let is_new = |listed: &&Listed| self.index(listed.id).is_none();
        let before = |listed: &Listed| {
            let had_name = |known: &&Known| {
                Path::new(&known.home) == listed.path || listing::is_rotated_from(known.path(), &listed.path)
            };
            let since = self.files.iter().filter(had_name).filter_map(|known| known.place.modified).max()?;
            Some((listed.path.clone(), since))
        };
        listed.iter().filter(is_new).filter_map(before).collect()
    }

    /// Goes on in copies of files that are gone and cannot be read any more, as those that were compressed.
    fn find_copies(&mut self) -> Result<(), Error> {
        for index in 0..self.files.len() {
            let known = &self.files[index];
            if known.is_gone && known.file.is_none() && known.quiet_looks == 1 {
                let is_cut = known.place.file.is_lost();
                if self.take_over_copy(index)?.is_none() && is_cut {
                    self.files[index].warn_of_loss();
                }
            }
        }
        Ok(())
    }

    /// Takes up the files that had a name after one that was rotated, and were rotated as well: more than once since the last
    /// look, or while nobody looked.
    fn take_up_rotated(&mut self, path: &Path, since: Timestamp, known: &mut HashSet<FileId>) -> Result<(), Error> {
        let mut later = siblings(path)?;
        later.retain(|listed| listing::is_rotated_from(&listed.path, path) && listed.stamp.modified >= Some(since));
        later.sort_by_key(|listed| listed.stamp.modified);
        self.take_up_all(&later, known)
    }

    /// Takes up the files that are new.
    fn take_up_all(&mut self, listed: &[Listed], known: &mut HashSet<FileId>) -> Result<(), Error> {
        for listed in listed {
            if known.contains(&listed.id) {
                continue;
            }
            let mut new = Known::new(listed)?;
            match self.kinship(listed) {
                Kinship::None => new.look_into(),
                Kinship::CopyOf(original) => {
                    let Place { path, file, .. } = new.place;
                    new.place = Place { path, file, is_copy: true, ..original.place.clone() };
                }
                Kinship::Unclear => continue,
            }
            self.files.push(new);
            known.insert(listed.id);
        }
        Ok(())
    }

    /// Whether a file is a copy of one that is being read.
    fn kinship(&self, listed: &Listed) -> Kinship<'_> {
        let is_named_after = |known: &&Known| {
            let can_tell = !known.place.head.is_empty() && !known.place.is_copy;
            let names = [known.path(), Path::new(&known.home)];
            can_tell && names.iter().any(|name| listing::is_named_after(&listed.path, name))
        };
        let mut originals = self.files.iter().filter(is_named_after).peekable();
        if originals.peek().is_none() {
            return Kinship::None;
        }
        let Some((copy, is_packed)) = beginning(&listed.path) else { return Kinship::Unclear };
        // A copy is no longer than what it was made of, unless that has been cut since, and then it is looked for.
        let may_be = |known: &&Known| is_packed || known.stamp.is_some_and(|stamp| listed.stamp.length <= stamp.length);
        for original in originals.filter(may_be) {
            if original.place.head.fits(&copy) {
                return Kinship::CopyOf(original);
            }
            if original.place.head.is_longer_than(&copy)
                && beginning(original.path()).is_some_and(|(original, _)| original.starts_with(&copy))
            {
                return Kinship::Unclear;
            }
        }
        Kinship::None
    }

    /// Lets go of lines without an end where none will come.
    fn give_rests(&mut self) {
        for known in self.files.iter_mut().filter(|known| known.quiet_looks == QUIET_LOOKS) {
            known.is_within_line = false;
            if known.is_cut_off {
                tracing::warn!(
                    "the compressed bytes of `{}` end too early: their rest is waited for",
                    known.place.path
                );
            }
            if known.has_rest && known.is_away() {
                known.gives_rest = true;
            }
        }
    }

    /// Those with something to read.
    fn queue(&mut self) {
        // A document is left only where a line ends.
        let only = self.document.filter(|&document| self.files[document].is_within_line);
        let files = self.files.iter().enumerate().filter(|(index, _)| only.is_none_or(|only| *index == only));
        let open = self.document.filter(|_| self.content.is_some());
        let files = files.filter(|(index, _)| Some(*index) != open);
        self.next = files.filter(|(_, known)| known.has_news() || known.gives_rest).map(|(index, _)| index).collect();
    }

    /// Begins a file anew that has been cut, or written again. What was written to it before may be found in a copy.
    pub(super) fn begin_anew(&mut self, index: usize) -> Result<(), Error> {
        let mut cut = self.files[index].anew();
        cut.look_into();
        match self.take_over_copy(index)? {
            Some((content, beginning)) => {
                self.next.pop_front();
                self.next.push_front(self.files.len());
                self.files.push(cut);
                self.opened(index, content, beginning);
            }
            None => {
                self.files[index].warn_of_loss();
                self.files[index] = cut;
            }
        }
        Ok(())
    }

    /// Leaves a file that is not under its name any more: it has another one, or a copy is there, or it is lost.
    pub(super) fn look_for(&mut self, index: usize) -> Result<(), Error> {
        if let Some(found) = self.files[index].search()? {
            self.files[index].found(&found);
            return Ok(());
        }
        if !self.looks {
            return Err(self.files[index].vanished());
        }
        self.next.pop_front();
        match self.take_over_copy(index)? {
            Some((content, beginning)) => self.opened(index, content, beginning),
            None => {
                let Place { path, offset, .. } = &self.files[index].place;
                tracing::warn!("`{path}` was removed: what had been written to it behind byte {offset} is lost");
                self.files[index].not_found();
            }
        }
        Ok(())
    }

    /// Goes on in a copy of a file, which is open then. None if there is none.
    pub(super) fn take_over_copy(&mut self, index: usize) -> Result<Option<(Content, Vec<u8>)>, Error> {
        let Known { place, home, .. } = &self.files[index];
        if place.head.is_empty() {
            return Ok(None);
        }
        let names = [PathBuf::from(home), PathBuf::from(&place.path)];
        let mut copies = siblings(&names[0])?;
        copies.retain(|copy| {
            let is_named_so = names.iter().any(|name| copy.path == *name || listing::is_named_after(&copy.path, name));
            is_named_so && self.files.iter().all(|known| known.place.file != copy.id || known.place.is_copy)
        });
        copies.sort_by_key(|copy| Reverse(copy.stamp.modified));
        for copy in copies {
            let known = self.files[index].moved_to(&copy);
            // A copy that cannot be read is none.
            if let Some(known) = known
                && let Ok(Begun::Open(content, beginning)) = known.begin()
            {
                self.files.iter_mut().filter(|known| known.place.file == copy.id).for_each(Known::bury);
                self.files[index] = known;
                return Ok(Some((content, beginning)));
            }
        }
        Ok(None)
    }

    /// Closes files that were read long ago.
    pub(super) fn close_surplus(&mut self) {
        let open = self.files.iter_mut().filter(|known| known.file.is_some());
        let mut open: Vec<&mut Known> = open.collect();
        if open.len() > OPEN_FILES_MAX
            && let Some(oldest) = open.iter_mut().min_by_key(|known| known.turn)
        {
            oldest.file = None;
        }
    }

    /// Writes the places of all but the document.
    pub(super) fn write_others(&mut self) {
        if !self.looks {
            return;
        }
        let others = self.files.iter().enumerate().filter(|(index, known)| {
            // Also those of which nothing has been read: they have to be found if they are renamed before.
            Some(*index) != self.document && !known.is_over() && !known.is_buried()
        });
        self.others = place::texts(others.map(|(_, known)| &known.place));
    }
}
