//! The process of a job, which can be killed.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::trouble;

/// How long it is waited for in one go.
const TICK: Duration = Duration::from_millis(2);

/// A job that runs.
pub(crate) struct Process {
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts the job of a folder. What it logs goes to a file.
    pub(crate) fn start(ensue: &Path, folder: &Path, log: &str, until_end: bool) -> io::Result<Self> {
        let log = folder.join(log);
        let mut command = trouble::command(ensue);
        command
            .args(["run", "--on-change", "keep"])
            .arg(folder.join("job.ron"))
            .args(until_end.then_some("--until-end"));
        let child = Command::stdin(&mut command, Stdio::null()).stdout(Stdio::null()).stderr(File::create(&log)?);
        Ok(Process { child: child.spawn()?, log })
    }

    pub(crate) fn id(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    /// Where what it says is.
    pub(crate) fn log(&self) -> &Path {
        &self.log
    }

    /// Waits for its end, so long at most.
    pub(crate) fn wait(&mut self, longest: Duration) -> io::Result<Option<ExitStatus>> {
        self.wait_or(longest, || false)
    }

    /// Waits for its end or for something else, so long at most.
    pub(crate) fn wait_or(
        &mut self,
        longest: Duration,
        mut or: impl FnMut() -> bool,
    ) -> io::Result<Option<ExitStatus>> {
        for _ in 0..longest.as_millis() / TICK.as_millis() {
            if let Some(status) = self.child.try_wait()? {
                return Ok(Some(status));
            }
            if or() {
                return Ok(None);
            }
            thread::sleep(TICK);
        }
        self.child.try_wait()
    }

    /// Asks it to stop.
    pub(crate) fn stop(&self) -> io::Result<()> {
        Ok(kill_process(self.id(), Signal::TERM)?)
    }

    /// Ends it where it is.
    pub(crate) fn kill(&mut self) -> io::Result<()> {
        self.child.kill()?;
        self.child.wait().map(drop)
    }

    /// The last that it said.
    pub(crate) fn last_words(&self) -> String {
        let said = fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = said.lines().collect();
        lines[lines.len().saturating_sub(8)..].join("\n    ")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // A run that fails leaves nothing running.
        let _ = self.kill();
    }
}
