//! One of a sink's files.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use crate::Error;
use crate::sink::write_from;

/// A file, with what is to be written to it.
#[derive(Debug)]
pub(super) struct Target {
    path: PathBuf,
    /// How long it is, so far as it was written here.
    length: u64,
    /// What was put and is not written yet, from `written` on.
    waiting: Vec<u8>,
    written: usize,
    file: Option<File>,
    /// Whether something was written that may not be on the disk yet.
    is_dirty: bool,
    /// Folders in which names may not be on the disk yet.
    folders: Vec<PathBuf>,
    /// When it was used last, in turns of the sink.
    pub(super) turn: u64,
}

impl Target {
    /// A file of that length; 0 if it is not there.
    pub(super) fn new(path: PathBuf, length: u64) -> Self {
        Target {
            path,
            length,
            waiting: Vec::new(),
            written: 0,
            file: None,
            is_dirty: false,
            folders: Vec::new(),
            turn: 0,
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn length(&self) -> u64 {
        self.length
    }

    pub(super) fn is_open(&self) -> bool {
        self.file.is_some()
    }

    pub(super) fn put(&mut self, line: &[u8]) {
        self.waiting.extend_from_slice(line);
    }

    /// Whether something is to be written.
    pub(super) fn is_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    pub(super) fn needs_sync(&self) -> bool {
        self.is_dirty || !self.folders.is_empty()
    }

    /// Writes what waits. What is written stays written: after an error it goes on behind that.
    pub(super) fn write(&mut self) -> Result<(), Error> {
        self.open()?;
        let file = self.file.as_mut().expect("it was opened");
        self.is_dirty = true;
        let before = self.written;
        let result = write_from(file, &self.waiting, &mut self.written);
        self.length += (self.written - before) as u64;
        result.map_err(|error| Error::io(format!("cannot write to `{}`", self.path.display()), error))?;
        self.waiting.clear();
        self.written = 0;
        Ok(())
    }

    /// Cuts what came after a length.
    pub(super) fn cut(&mut self, length: u64) -> Result<(), Error> {
        self.open()?;
        let cut = |error| Error::io(format!("cannot cut `{}` to {length} bytes", self.path.display()), error);
        let mut file = self.file.as_ref().expect("it was opened");
        file.set_len(length).and_then(|()| file.seek(SeekFrom::Start(length))).map_err(cut)?;
        (self.length, self.is_dirty) = (length, true);
        Ok(())
    }

    /// Makes it outlast a crash of the machine.
    pub(super) fn sync(&mut self) -> Result<(), Error> {
        let unsafe_yet = |error| Error::io(format!("cannot bring `{}` to the disk", self.path.display()), error);
        if let (true, Some(file)) = (self.is_dirty, &self.file) {
            file.sync_data().map_err(unsafe_yet)?;
            self.check()?;
        }
        self.is_dirty = false;
        self.folders.iter().try_for_each(|folder| sync_folder(folder)).map_err(unsafe_yet)?;
        self.folders.clear();
        Ok(())
    }

    /// Whether what was written is found under its name.
    fn check(&self) -> Result<(), Error> {
        let found = fs::metadata(&self.path).map_or(0, |metadata| metadata.len());
        match found == self.length {
            true => Ok(()),
            false => Err(Error::new(format!(
                "what was written to `{}` is not there: it has {found} bytes, and {} were written; something else has \
                 removed, replaced or changed it",
                self.path.display(),
                self.length
            ))
            .for_good()),
        }
    }

    /// Closes it, after it has been made safe.
    pub(super) fn close(&mut self) -> Result<(), Error> {
        self.sync()?;
        self.file = None;
        Ok(())
    }

    fn open(&mut self) -> Result<(), Error> {
        if self.file.is_some() {
            return Ok(());
        }
        if !self.path.exists() {
            self.make_folders()?;
        }
        let failed = |error| Error::io(format!("cannot open `{}` for writing", self.path.display()), error);
        let mut file = OpenOptions::new().write(true).create(true).truncate(false).open(&self.path).map_err(failed)?;
        match file.try_lock() {
            // Where the file system knows no locks, it is written without one.
            Ok(()) | Err(TryLockError::Error(_)) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(Error::new(format!(
                    "cannot write to `{}`: another sink or another process writes to it; give each a file of its own",
                    self.path.display()
                )));
            }
        }
        let length = file.metadata().map_err(failed)?.len();
        if length != self.length {
            return Err(Error::new(format!(
                "cannot write to `{}`: it has {length} bytes, and should have {}: something else has written to it",
                self.path.display(),
                self.length
            ))
            .for_good());
        }
        file.seek(SeekFrom::Start(length)).map_err(failed)?;
        self.file = Some(file);
        Ok(())
    }

    /// Makes the folders in which it lies, and notes in which folders there are new names.
    fn make_folders(&mut self) -> Result<(), Error> {
        let mut folders = Vec::new();
        for path in self.path.ancestors() {
            folders.push(folder(path).to_owned());
            if folder(path).exists() {
                break;
            }
        }
        fs::create_dir_all(&folders[0])
            .map_err(|error| Error::io(format!("cannot make the folder `{}`", folders[0].display()), error))?;
        self.folders = folders;
        Ok(())
    }
}

/// The folder in which a path lies.
pub(super) fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Brings the names in a folder to the disk.
#[cfg(unix)]
pub(super) fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Elsewhere that is done when a file is made.
#[cfg(not(unix))]
pub(super) fn sync_folder(_folder: &Path) -> io::Result<()> {
    Ok(())
}
