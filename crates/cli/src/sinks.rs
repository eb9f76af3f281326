//! Where outputs go: a sink for each kind, some of them perhaps the same file.

use std::fs::{self, File};
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};

use ensue_runtime::lines::{self, Line};

use crate::args::Run;
use crate::failure::Failure;

/// How much is handed on at once: what has come out when the input has to be waited for always is.
const BUFFER_BYTES: usize = 256 * 1024;

/// A kind of output.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    Match,
    Timeout,
    Late,
    Rejected,
}

impl Kind {
    pub(crate) fn of(line: &Line) -> Self {
        match line.kind {
            lines::Kind::Match(_) => Kind::Match,
            lines::Kind::Timeout(_) => Kind::Timeout,
            lines::Kind::Late => Kind::Late,
            lines::Kind::Rejected(_) => Kind::Rejected,
        }
    }
}

/// A sink for each kind of output that is wanted.
pub(crate) struct Sinks {
    sinks: Vec<Sink>,
    /// For each kind, in the order of [`Kind`], its place in `sinks`.
    routes: [Option<usize>; 4],
}

struct Sink {
    name: String,
    /// The file behind it; none for standard output.
    path: Option<PathBuf>,
    writer: Box<dyn Write + Send>,
    /// What has been written and is not handed on yet.
    buffer: Vec<u8>,
    /// Whether somebody still reads it.
    open: bool,
}

impl Sinks {
    /// Creates all files, so that one that cannot be written is known before the first event is read.
    pub(crate) fn create(args: &Run) -> Result<Self, Failure> {
        let standard_output = Path::new("-");
        let wanted = [
            Some(args.matches.as_deref().unwrap_or(standard_output)),
            Some(args.timeouts.as_deref().unwrap_or(standard_output)),
            args.late.as_deref(),
            args.rejected.as_deref(),
        ];
        let inputs = args.inputs.iter().map(|input| &input.value);
        let tables = args.reading.tables.iter().map(|(_, path)| path);
        let sources = args.patterns.iter().chain(inputs).chain(tables).filter_map(|path| real(path));
        let sources: Vec<PathBuf> = sources.filter(|path| path.is_file()).collect();
        let mut sinks = Sinks { sinks: Vec::new(), routes: [None; 4] };
        for (kind, path) in wanted.into_iter().enumerate() {
            sinks.routes[kind] = path.map(|path| sinks.open(path, &sources)).transpose()?;
        }
        Ok(sinks)
    }

    /// The place of the sink that writes there. A file that is named twice has one.
    fn open(&mut self, path: &Path, sources: &[PathBuf]) -> Result<usize, Failure> {
        if real(path).is_some_and(|path| sources.contains(&path)) {
            let message =
                format!("cannot write `{}`: it is an input, a table or a pattern; name another file", path.display());
            return Err(Failure::Call(message));
        }
        let opened = real(path);
        let same = |sink: &Sink| sink.path == opened && (opened.is_some() || path == Path::new("-"));
        if let Some(at) = self.sinks.iter().position(same) {
            return Ok(at);
        }
        self.sinks.push(Sink::create(path)?);
        Ok(self.sinks.len() - 1)
    }

    /// Whether anybody wants outputs of that kind.
    pub(crate) fn wants(&self, kind: Kind) -> bool {
        self.routes[kind as usize].is_some_and(|at| self.sinks[at].open)
    }

    /// Whether an output is shown on a terminal.
    pub(crate) fn on_terminal(&self) -> bool {
        self.sinks.iter().any(|sink| sink.path.is_none()) && io::stdout().is_terminal()
    }

    /// Whether nobody reads any output any more.
    pub(crate) fn are_closed(&self) -> bool {
        self.sinks.iter().all(|sink| !sink.open)
    }

    /// Writes lines of that kind, if anybody wants them.
    pub(crate) fn write(&mut self, kind: Kind, text: &[u8]) -> Result<(), Failure> {
        match self.routes[kind as usize].map(|at| &mut self.sinks[at]) {
            Some(sink) if sink.open => sink.write(text),
            _ => Ok(()),
        }
    }

    /// Hands on what has been written.
    pub(crate) fn flush(&mut self) -> Result<(), Failure> {
        self.sinks.iter_mut().try_for_each(Sink::flush)
    }
}

impl Sink {
    fn create(path: &Path) -> Result<Self, Failure> {
        if path == Path::new("-") {
            return Ok(Sink::new("standard output".to_owned(), None, Box::new(io::stdout())));
        }
        let name = format!("`{}`", path.display());
        let file = File::create(path).map_err(|error| Failure::write(&name, &error))?;
        Ok(Sink::new(name, real(path), Box::new(file)))
    }

    fn new(name: String, path: Option<PathBuf>, writer: Box<dyn Write + Send>) -> Self {
        Sink { name, path, writer, buffer: Vec::with_capacity(2 * BUFFER_BYTES), open: true }
    }

    #[inline]
    fn write(&mut self, text: &[u8]) -> Result<(), Failure> {
        self.buffer.extend_from_slice(text);
        if self.buffer.len() < BUFFER_BYTES { Ok(()) } else { self.hand_on(|_| Ok(())) }
    }

    fn flush(&mut self) -> Result<(), Failure> {
        self.hand_on(|writer| writer.flush())
    }

    /// Hands on what has been written and what else there is to do, unless nobody reads any more: a reader that has seen
    /// enough is no error.
    fn hand_on(&mut self, more: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), Failure> {
        if !self.open {
            return Ok(());
        }
        let done = self.writer.write_all(&self.buffer).and_then(|()| more(&mut self.writer));
        self.buffer.clear();
        match done {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.open = false;
                Ok(())
            }
            done => done.map_err(|error| Failure::write(&self.name, &error)),
        }
    }
}

impl Drop for Sink {
    /// What came out before a failure is written; the failure itself is told, and nothing else.
    fn drop(&mut self) {
        let _ = self.flush();
    }
}

/// The file behind a path, however it is spelt; none where there is none yet, and for a standard stream.
fn real(path: &Path) -> Option<PathBuf> {
    if path == Path::new("-") {
        return None;
    }
    fs::canonicalize(path).ok()
}
