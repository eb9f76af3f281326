//! A folder with the project's patterns and examples, where the command is called.

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

/// The pattern of the examples, on their edge cases.
pub(crate) const EDGE: &str = "ensue run -p patterns/order_payment.pattern -i examples/order-payment/orders-edge.csv \
                               --key order_id --time time --watermark out-of-order=1m";

pub(crate) struct Shell {
    folder: TempDir,
}

impl Shell {
    /// A folder with nothing in it.
    pub(crate) fn empty() -> Self {
        Shell { folder: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn new() -> Self {
        let shell = Shell::empty();
        ["patterns", "examples"].into_iter().for_each(|name| shell.copy(Path::new(name)));
        shell
    }

    /// Copies a folder of the project.
    fn copy(&self, folder: &Path) {
        for entry in fs::read_dir(project().join(folder)).unwrap() {
            let name = folder.join(entry.unwrap().file_name());
            match fs::read(project().join(&name)) {
                Ok(bytes) => {
                    let path = self.folder.path().join(&name);
                    fs::create_dir_all(path.parent().unwrap()).unwrap();
                    fs::write(path, bytes).unwrap();
                }
                // It is a folder itself.
                Err(_) => self.copy(&name),
            }
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn file(&self, name: &str, text: &str) -> &Self {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
        self
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    /// The command that a line says, in the folder. No argument of a test holds white space.
    pub(crate) fn command(&self, line: &str) -> Command {
        let arguments = line.strip_prefix("ensue").expect("the command is `ensue`").split_whitespace();
        let mut command = Command::new(env!("CARGO_BIN_EXE_ensue"));
        command.current_dir(self.folder.path()).args(arguments.filter(|argument| *argument != "\\"));
        command.env_remove("COLUMNS").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs a line with this text as its standard input.
    pub(crate) fn pipe(&self, text: &str, line: &str) -> Output {
        let mut child = self.command(line).stdin(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        child.wait_with_output().unwrap()
    }

    /// Runs a line, and says what came of it.
    pub(crate) fn run(&self, line: &str) -> String {
        shown(&self.command(line).output().unwrap())
    }

    /// Runs a line, and says what came of it and what stands in these files.
    pub(crate) fn run_into(&self, line: &str, files: &[&str]) -> String {
        let mut shown = self.run(line);
        for file in files {
            write!(shown, "--- {file}\n{}", self.read(file)).unwrap();
        }
        shown
    }
}

/// What a command printed, with its exit status.
pub(crate) fn shown(output: &Output) -> String {
    let stdout = String::from_utf8_lossy(&output.stdout);
    let stderr = without_seconds(&String::from_utf8_lossy(&output.stderr));
    format!("--- status {}\n--- stdout\n{stdout}--- stderr\n{stderr}", output.status.code().unwrap())
}

/// The text without the time that a run took.
pub(crate) fn without_seconds(text: &str) -> String {
    let lines = text.lines().map(|line| match line.rsplit_once(" in ") {
        Some((counts, took)) if took.ends_with(" s") => format!("{counts} in .. s\n"),
        _ => format!("{line}\n"),
    });
    lines.collect()
}

/// The project's root.
pub(crate) fn project() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap().to_owned()
}
