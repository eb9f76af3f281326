//! Why a command failed, and its exit status.

use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;

use ensue_lang::Diagnostics;

/// Why a command failed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// A pattern is wrong: status 1.
    Patterns(Diagnostics),
    /// A pattern is wrong, and what is wrong has been told: status 1.
    Told,
    /// A job file is wrong, and this shows where: status 2.
    Shown(String),
    /// The key that was asked about does not occur, and that has been told: status 4.
    NoSuchKey,
    /// The engine and the trace differ, and that has been told: status 5.
    Defect,
    /// The command was called in a wrong way: status 2.
    Call(String),
    /// Input or output failed: status 3.
    Data(String),
}

impl Failure {
    /// Says on standard error what is wrong.
    pub(crate) fn report(&self) -> ExitCode {
        match self {
            Failure::Patterns(diagnostics) => {
                print_diagnostics(diagnostics);
                ExitCode::from(1)
            }
            Failure::Told => ExitCode::from(1),
            Failure::Shown(shown) => {
                say(shown);
                ExitCode::from(2)
            }
            Failure::NoSuchKey => ExitCode::from(4),
            Failure::Defect => ExitCode::from(5),
            Failure::Call(message) => {
                say(&format!("error: {message}"));
                ExitCode::from(2)
            }
            Failure::Data(message) => {
                say(&format!("error: {message}"));
                ExitCode::from(3)
            }
        }
    }

    /// A file or a stream that could not be read.
    pub(crate) fn read(name: &str, error: &io::Error) -> Self {
        Failure::Data(format!("cannot read {name}: {}", cause(error)))
    }

    /// A file or a stream that could not be written.
    pub(crate) fn write(name: &str, error: &io::Error) -> Self {
        let cause = match error.kind() {
            io::ErrorKind::NotFound => "there is no such folder".to_owned(),
            io::ErrorKind::AlreadyExists | io::ErrorKind::NotADirectory => "a file is in the way".to_owned(),
            _ => cause(error),
        };
        Failure::Data(format!("cannot write {name}: {cause}"))
    }
}

/// Shows diagnostics on standard error, with colours where it is a terminal.
pub(crate) fn print_diagnostics(diagnostics: &Diagnostics) {
    let colour = io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    say(&diagnostics.render(colour));
}

/// Writes a line to standard error. If nobody listens there, there is nobody to tell.
pub(crate) fn say(line: &str) {
    let _ = writeln!(io::stderr(), "{line}");
}

/// Writes a line to standard output.
pub(crate) fn write_line(line: &str) -> Result<(), Failure> {
    write_bytes(format!("{line}\n").as_bytes())
}

/// Writes to standard output. A reader that has seen enough is no error.
pub(crate) fn write_bytes(bytes: &[u8]) -> Result<(), Failure> {
    match io::stdout().write_all(bytes) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Failure::write("standard output", &error)),
        _ => Ok(()),
    }
}

/// The cause in lower case, and without the system's number.
fn cause(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "there is no such file or folder".to_owned(),
        io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        io::ErrorKind::IsADirectory => "it is a folder, not a file".to_owned(),
        io::ErrorKind::InvalidData => "it is not UTF-8 text".to_owned(),
        _ => {
            let text = error.to_string();
            text.split(" (os error").next().unwrap_or(&text).to_lowercase()
        }
    }
}
