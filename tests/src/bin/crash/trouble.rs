//! What befalls a job besides being killed.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use ensue_runtime::job::checkpoint;
use rand::RngExt;
use rand_pcg::Pcg64Mcg;
use rustix::process::{Pid, geteuid};

/// What takes from a process of root the right to write everywhere.
const WITHOUT_RIGHTS: [&str; 2] = ["setpriv", "--bounding-set=-all"];

/// What cannot be tried on this machine.
pub(crate) fn untried() -> Vec<&'static str> {
    let mut untried = Vec::new();
    if !can_lock() {
        untried
            .push("a folder that cannot be written (setpriv is not there, which would take the rights of root away)");
    }
    if !cfg!(target_os = "linux") {
        untried.push("a full disk (only Linux limits the files of a process that runs)");
    }
    untried
}

fn can_lock() -> bool {
    let setpriv = || Command::new(WITHOUT_RIGHTS[0]).args([WITHOUT_RIGHTS[1], "true"]).status();
    !geteuid().is_root() || setpriv().is_ok_and(|status| status.success())
}

/// The command as a process that what is here can befall: a write beyond a limit fails, as it does where a disk is full, and
/// does not end it; and it may not write where nobody may.
pub(crate) fn command(ensue: &Path) -> Command {
    let shell = ["sh", "-c", "trap '' XFSZ; exec \"$0\" \"$@\""];
    let rights = if geteuid().is_root() && can_lock() { &WITHOUT_RIGHTS[..] } else { &[] };
    let words: Vec<&str> = rights.iter().chain(&shell).copied().collect();
    let mut command = Command::new(words[0]);
    command.args(&words[1..]).arg(ensue);
    command
}

/// Lets no file of a process grow beyond so many bytes, or lifts that.
#[cfg(target_os = "linux")]
pub(crate) fn limit(process: Pid, bytes: Option<u64>) {
    use rustix::process::{Resource, Rlimit, prlimit};
    // A process that has ended needs no limit.
    let _ = prlimit(Some(process), Resource::Fsize, Rlimit { current: bytes, maximum: None });
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn limit(_process: Pid, _bytes: Option<u64>) {}

/// A limit that the largest file of a folder will reach soon.
pub(crate) fn soon_reached(folder: &Path, random: &mut Pcg64Mcg) -> u64 {
    let files = fs::read_dir(folder).into_iter().flatten().flatten();
    let largest = files.filter_map(|file| Some(file.metadata().ok()?.len())).max();
    largest.unwrap_or(0) + random.random_range(0..4_000)
}

/// Lets nobody make files in a folder, or lifts that.
pub(crate) fn lock(folder: &Path, is_locked: bool) -> io::Result<()> {
    fs::set_permissions(folder, Permissions::from_mode(if is_locked { 0o555 } else { 0o755 }))
}

/// Cuts the newest checkpoint or flips a byte of it, if an older one is left to go on from.
pub(crate) fn damage(state: &Path, random: &mut Pcg64Mcg) -> io::Result<bool> {
    let whole: Vec<PathBuf> = checkpoints(state)?.into_iter().filter(|path| is_whole(path)).collect();
    let [.., _, newest] = &whole[..] else { return Ok(false) };
    let mut bytes = fs::read(newest)?;
    let at = random.random_range(0..bytes.len());
    if random.random() {
        bytes.truncate(at);
    } else {
        bytes[at] ^= 1 << random.random_range(0..8);
    }
    fs::write(newest, bytes)?;
    Ok(true)
}

/// Leaves a checkpoint that was being written.
pub(crate) fn leave_part(state: &Path) -> io::Result<()> {
    fs::write(state.join("checkpoint-00000777.part"), "ensue checkpt 1\nhalf")
}

/// Whether a checkpoint is being written.
pub(crate) fn is_writing(state: &Path) -> bool {
    let mut files = fs::read_dir(state).into_iter().flatten().flatten();
    files.any(|file| file.path().extension().is_some_and(|extension| extension == "part"))
}

/// The checkpoints of a folder, oldest first.
fn checkpoints(state: &Path) -> io::Result<Vec<PathBuf>> {
    let Ok(entries) = fs::read_dir(state) else { return Ok(Vec::new()) };
    let mut paths = entries.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "ensue"));
    paths.sort();
    Ok(paths)
}

/// Whether a job could go on from a checkpoint: alone in a folder, it is the newest.
fn is_whole(path: &Path) -> bool {
    let Ok(alone) = tempfile::tempdir() else { return false };
    let copied = path.file_name().map(|name| fs::copy(path, alone.path().join(name)));
    matches!(copied, Some(Ok(_))) && checkpoint::newest(alone.path()).is_ok_and(|found| found.is_some())
}
