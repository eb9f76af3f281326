//! Where programs, inputs and outputs are.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use ensue_bench::alerts::rules;
use tempfile::TempDir;

use crate::Failure;

/// Where programs, inputs and outputs are.
pub(crate) struct Place {
    programs: PathBuf,
    /// Where inputs are kept.
    folder: PathBuf,
    out: TempDir,
    pub(crate) seed: u64,
}

/// Files in memory, where there are such: on a disk, what one program wrote is still on its way when the next one runs.
const MEMORY: &str = "/dev/shm";

impl Place {
    /// The programs are beside this one.
    pub(crate) fn new(folder: Option<PathBuf>, out: Option<PathBuf>, seed: u64) -> Result<Self, Failure> {
        let this = std::env::current_exe()?;
        let programs = this.parent().ok_or("this program is in no folder")?.to_owned();
        let folder = folder.unwrap_or_else(|| programs.join("../bench"));
        fs::create_dir_all(&folder)?;
        let memory = Some(PathBuf::from(MEMORY)).filter(|memory| memory.is_dir());
        let out = TempDir::with_prefix_in("ensue-bench-", out.or(memory).unwrap_or_else(|| folder.clone()))?;
        Ok(Place { programs, folder, out, seed })
    }

    /// A program of this workspace.
    pub(crate) fn program(&self, name: &str) -> PathBuf {
        self.programs.join(name)
    }

    /// A file for outputs.
    pub(crate) fn output(&self, name: &str) -> PathBuf {
        self.out.path().join(name)
    }

    /// Removes what a program put out: what is in the way of the next one would cost it time.
    pub(crate) fn clear(&self) -> Result<(), Failure> {
        for file in fs::read_dir(self.out.path())? {
            fs::remove_file(file?.path())?;
        }
        Ok(())
    }

    /// The events of a workload, written once.
    pub(crate) fn events(&self, workload: &str, events: usize, extension: &str) -> Result<PathBuf, Failure> {
        self.file(&format!("{workload}-{events}-{}.{extension}", self.seed), |path| {
            let (events, seed) = (events.to_string(), self.seed.to_string());
            let mut command = Command::new(self.program("workload"));
            command.args([workload, "--events", &events, "--seed", &seed]).stdout(File::create(path)?);
            if command.status()?.success() { Ok(()) } else { Err(format!("cannot write workload {workload}").into()) }
        })
    }

    /// Rules of W4, written once.
    pub(crate) fn rules(&self, count: usize) -> Result<PathBuf, Failure> {
        let write = |path: &Path| Ok(fs::write(path, rules(self.seed, count))?);
        self.file(&format!("rules-{count}-{}.pattern", self.seed), write)
    }

    /// Five orders that are created and then paid.
    pub(crate) fn ten_lines(&self) -> Result<PathBuf, Failure> {
        let orders = 10_000_000..10_000_005;
        let created = orders.clone().map(|order| format!("{order},create,,1611047605\n"));
        let paid = orders.map(|order| format!("{order},pay,0123abcd,1611047606\n"));
        self.file("ten-lines.csv", |path| Ok(fs::write(path, created.chain(paid).collect::<String>())?))
    }

    fn file(&self, name: &str, write: impl FnOnce(&Path) -> Result<(), Failure>) -> Result<PathBuf, Failure> {
        let path = self.folder.join(name);
        if !path.exists() {
            // A file that is there is whole.
            let part = self.folder.join(format!("{name}.part"));
            write(&part)?;
            fs::rename(part, &path)?;
        }
        Ok(path)
    }
}
