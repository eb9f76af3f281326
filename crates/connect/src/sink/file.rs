//! Files as a sink.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::sink::{Output, Sink};
use crate::{Error, Position};

mod target;
mod template;

use target::Target;
use template::{Period, Template};

/// So many files are open at a time; then that is closed which was used least recently.
const OPEN_FILES_MAX: usize = 16;

/// Files as a sink. In the path, `{date}` and `{hour}` stand for those of an output, by its event time, in UTC:
/// `out/matches-{date}.jsonl`.
///
/// What is there is appended to; files and folders that are not there are made. Each file is locked while it is open, so that no
/// other sink writes to it.
///
/// A position is JSON: the length of each file. A sink that is opened there cuts the files to these lengths, and removes those that
/// came after it, whose names are made from the same template: what they hold comes again. A sink that is opened without a position
/// appends, and says in its first position how long the files are that it has found. Take that position before anything is put,
/// and what is put comes once, however often the sink is opened at its last position.
///
/// ```
/// use ensue_connect::{FileSink, Output, Sink};
/// use ensue_model::Timestamp;
///
/// # let folder = tempfile::tempdir()?;
/// # let folder = folder.path().display();
/// let template = format!("{folder}/matches-{{date}}.jsonl");
/// let mut sink = FileSink::open(&template, None)?;
/// let empty = sink.sync()?;
/// sink.put(Output { time: Timestamp::from_seconds(1_611_047_605), id: None, line: b"{}\n" });
/// sink.sync()?;
/// drop(sink);
/// let file = format!("{folder}/matches-2021-01-19.jsonl");
/// assert_eq!(std::fs::read_to_string(&file)?, "{}\n");
///
/// let sink = FileSink::open(&template, Some(&empty))?;
/// assert!(!std::fs::exists(&file)?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct FileSink {
    template: Template,
    targets: Vec<Target>,
    /// The target of each period, by its index.
    periods: HashMap<Period, usize>,
    /// The one that was put to last.
    last: Option<(Period, usize)>,
    /// Those to which something waits to be written.
    waiting: Vec<usize>,
    turns: u64,
}

/// A position as it is written.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "the lengths of files")]
struct Lengths {
    template: String,
    /// How long each file is, by its path.
    files: BTreeMap<String, u64>,
}

impl FileSink {
    /// Opens files of that name, where a sink of them was, or else behind what they hold.
    ///
    /// # Errors
    /// If the template is none; if at a position files are missing or shorter than they were, so that outputs are lost; if files
    /// cannot be read, cut or removed.
    pub fn open(template: &str, from: Option<&Position>) -> Result<Self, Error> {
        let template = Template::new(template)?;
        let found = template.files()?;
        let mut sink = FileSink {
            template,
            targets: Vec::new(),
            periods: HashMap::new(),
            last: None,
            waiting: Vec::new(),
            turns: 0,
        };
        let lengths = from.map(Lengths::parse).transpose()?;
        if let Some(lengths) = &lengths {
            lengths.files.iter().try_for_each(|(path, length)| cut(Path::new(path), *length))?;
        }
        let lengths = lengths.filter(|lengths| lengths.template == sink.template.text());
        for (period, path, length) in found {
            let kept = lengths.as_ref().map_or(Some(length), |lengths| lengths.of(&path));
            match kept {
                Some(length) => _ = sink.add(period, path, length),
                None => remove(path, length)?,
            }
        }
        Ok(sink)
    }

    fn add(&mut self, period: Period, path: PathBuf, length: u64) -> usize {
        let index = self.targets.len();
        self.targets.push(Target::new(path, length));
        self.periods.insert(period, index);
        index
    }

    /// The target for outputs of that period.
    fn target(&mut self, period: Period) -> usize {
        if let Some((last, index)) = self.last
            && last == period
        {
            return index;
        }
        let index = match self.periods.get(&period) {
            Some(&index) => index,
            None => self.add(period, self.template.path(period), 0),
        };
        self.last = Some((period, index));
        index
    }

    /// Closes the file that was used least recently, if one more would be too many.
    fn make_room(&mut self) -> Result<(), Error> {
        let open = self.targets.iter_mut().filter(|target| target.is_open());
        let mut open: Vec<&mut Target> = open.collect();
        if open.len() < OPEN_FILES_MAX {
            return Ok(());
        }
        open.iter_mut().min_by_key(|target| target.turn).map_or(Ok(()), |oldest| oldest.close())
    }

    fn write(&mut self, index: usize) -> Result<(), Error> {
        if !self.targets[index].is_open() {
            self.make_room()?;
        }
        self.turns += 1;
        self.targets[index].turn = self.turns;
        self.targets[index].write()
    }

    fn position(&self) -> Position {
        let files = self.targets.iter().map(|target| (target.path().display().to_string(), target.length())).collect();
        let lengths = Lengths { template: self.template.text().to_owned(), files };
        Position(serde_json::to_string(&lengths).expect("lengths are strings and numbers"))
    }
}

impl Sink for FileSink {
    fn put(&mut self, output: Output<'_>) {
        let index = self.target(self.template.period(output.time));
        if !self.targets[index].is_waiting() {
            self.waiting.push(index);
        }
        self.targets[index].put(output.line);
    }

    fn flush(&mut self) -> Result<(), Error> {
        while let Some(&index) = self.waiting.last() {
            self.write(index)?;
            self.waiting.pop();
        }
        Ok(())
    }

    fn sync(&mut self) -> Result<Position, Error> {
        self.flush()?;
        self.targets.iter_mut().filter(|target| target.needs_sync()).try_for_each(Target::sync)?;
        Ok(self.position())
    }
}

impl Lengths {
    fn parse(position: &Position) -> Result<Self, Error> {
        serde_json::from_str(&position.0)
            .map_err(|error| Error::new(format!("the position `{}` is none of a sink of files: {error}", position.0)))
    }

    fn of(&self, path: &Path) -> Option<u64> {
        self.files.get(path.to_str()?).copied()
    }
}

/// Cuts a file to the length that it had.
fn cut(path: &Path, length: u64) -> Result<(), Error> {
    let found = match fs::metadata(path) {
        Ok(metadata) => metadata.len(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && length == 0 => return Ok(()),
        Err(error) => {
            return Err(Error::io(format!("cannot go on in `{}` behind byte {length}", path.display()), error));
        }
    };
    if found < length {
        return Err(Error::new(format!(
            "cannot go on in `{}` behind byte {length}: it has only {found} bytes now, so that outputs are lost; put back \
             what it held, or begin again without what was saved",
            path.display()
        )));
    }
    let mut target = Target::new(path.to_owned(), found);
    if found > length {
        target.cut(length)?;
    }
    target.sync()
}

/// Removes a file that was made after a position.
fn remove(path: PathBuf, length: u64) -> Result<(), Error> {
    // Opened before, so that a file to which another process writes stays.
    let mut target = Target::new(path, length);
    target.cut(0)?;
    let path = target.path();
    let removed = fs::remove_file(path).and_then(|()| target::sync_folder(target::folder(path)));
    removed.map_err(|error| Error::io(format!("cannot remove `{}`", path.display()), error))
}
