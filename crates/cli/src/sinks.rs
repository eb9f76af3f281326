//! Where outputs go: a sink for each kind, some of them perhaps the same file.

use std::fs::{self, File};
use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::{Path, PathBuf};

use crate::args::Run;
use crate::failure::Failure;

/// How much is written at once, at most: what has come out when the input has to be waited for is always handed on.
const BUFFER_BYTES: usize = 256 * 1024;

/// A kind of output.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    Match,
    Timeout,
    Late,
    Rejected,
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
    writer: BufWriter<Box<dyn Write + Send>>,
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
        let sources = args.patterns.iter().chain([&args.input]).filter_map(|path| real(path));
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
            let message = format!("cannot write `{}`: it is the input or a pattern; name another file", path.display());
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

    /// Writes lines of that kind.
    pub(crate) fn write(&mut self, kind: Kind, lines: &[u8]) -> Result<(), Failure> {
        match self.routes[kind as usize] {
            Some(at) => self.sinks[at].attempt(|writer| writer.write_all(lines)),
            None => Ok(()),
        }
    }

    /// Hands on what has been written.
    pub(crate) fn flush(&mut self) -> Result<(), Failure> {
        self.sinks.iter_mut().try_for_each(|sink| sink.attempt(Write::flush))
    }
}

impl Sink {
    fn create(path: &Path) -> Result<Self, Failure> {
        if path == Path::new("-") {
            let writer: Box<dyn Write + Send> = Box::new(io::stdout());
            let name = "standard output".to_owned();
            return Ok(Sink { name, path: None, writer: BufWriter::with_capacity(BUFFER_BYTES, writer), open: true });
        }
        let name = format!("`{}`", path.display());
        let file = File::create(path).map_err(|error| Failure::write(&name, &error))?;
        let writer: Box<dyn Write + Send> = Box::new(file);
        Ok(Sink { name, path: real(path), writer: BufWriter::with_capacity(BUFFER_BYTES, writer), open: true })
    }

    /// Writes, unless nobody reads any more: a reader that has seen enough is no error.
    fn attempt(
        &mut self,
        write: impl FnOnce(&mut BufWriter<Box<dyn Write + Send>>) -> io::Result<()>,
    ) -> Result<(), Failure> {
        if !self.open {
            return Ok(());
        }
        match write(&mut self.writer) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.open = false;
                Ok(())
            }
            done => done.map_err(|error| Failure::write(&self.name, &error)),
        }
    }
}

/// The file behind a path, however it is spelt; none where there is none yet, and for a standard stream.
fn real(path: &Path) -> Option<PathBuf> {
    if path == Path::new("-") {
        return None;
    }
    fs::canonicalize(path).ok()
}
