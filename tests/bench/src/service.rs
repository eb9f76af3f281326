//! W1 as a job in a process of its own, which can be looked at while it runs.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use std::{fs, thread};

use tempfile::TempDir;
use wait4::Wait4;

use crate::job::ORDER_COLUMNS;
use crate::orders::PATTERN;
use crate::report::Report;

/// What a job is asked to do.
#[derive(Clone, Copy, Debug)]
pub struct Settings<'a> {
    /// A file of orders; standard input without one.
    pub input: Option<&'a Path>,
    /// Threads that share the keys.
    pub shards: usize,
    /// Whether it takes a checkpoint every ten seconds.
    pub has_checkpoints: bool,
    /// Whether it answers over HTTP.
    pub answers: bool,
}

/// A job that runs. It puts out to standard output.
#[derive(Debug)]
pub struct Service {
    /// The process.
    pub child: Child,
    /// Where its metrics are to be had, if it answers.
    pub address: Option<SocketAddr>,
    has_ended: bool,
    _folder: TempDir,
}

/// The command that was built beside this program.
///
/// # Errors
/// If this program cannot be found itself.
pub fn command_beside() -> io::Result<PathBuf> {
    Ok(std::env::current_exe()?.with_file_name("ensue"))
}

impl Service {
    /// Starts a job in a folder of its own. Metrics can be asked for from then on.
    ///
    /// # Errors
    /// If the folder cannot be written, or the command does not start.
    pub fn start(ensue: &Path, settings: &Settings<'_>, stdout: Stdio) -> io::Result<Self> {
        let folder = TempDir::with_prefix("ensue-service-")?;
        let address = settings.answers.then(free_address).transpose()?;
        fs::write(folder.path().join("order_payment.pattern"), PATTERN)?;
        fs::write(folder.path().join("job.ron"), job_file(settings, address))?;
        let stdin = if settings.input.is_some() { Stdio::null() } else { Stdio::piped() };
        let mut command = Command::new(ensue);
        command.args(["run", "--quiet"]).arg(folder.path().join("job.ron")).stdin(stdin).stdout(stdout);
        let service = Service { child: command.spawn()?, address, has_ended: false, _folder: folder };
        address.map_or(Ok(()), wait_for)?;
        Ok(service)
    }

    /// The memory that it has, in bytes.
    ///
    /// # Errors
    /// If it does not run any more.
    pub fn resident_bytes(&self) -> io::Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.strip_suffix("kB"));
        let kilobytes = resident.and_then(|kilobytes| kilobytes.trim().parse::<u64>().ok());
        kilobytes.map(|kilobytes| kilobytes * 1_024).ok_or_else(|| io::Error::other("the job has ended"))
    }

    /// Waits for its end, and says what it took of the processor.
    ///
    /// # Errors
    /// If it fails.
    pub fn end(mut self) -> io::Result<Duration> {
        let used = self.child.wait4()?;
        self.has_ended = true;
        let cpu = used.rusage.utime + used.rusage.stime;
        used.status.success().then_some(cpu).ok_or_else(|| io::Error::other(format!("the job failed: {}", used.status)))
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // A program that fails leaves nothing running. The number of one that has ended may be another's.
        if !self.has_ended {
            let _ = self.child.kill();
        }
    }
}

/// What a job says of itself at `/metrics`, by names with labels.
///
/// # Errors
/// If it does not answer.
pub fn metrics(address: SocketAddr) -> io::Result<Report> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(Report::parse(&answer))
}

fn job_file(settings: &Settings<'_>, address: Option<SocketAddr>) -> String {
    let from = settings.input.map_or("Stdin".to_owned(), |path| format!("File({path:?})"));
    let shards = settings.shards;
    let checkpoint = if settings.has_checkpoints { "checkpoint: (dir: \"state\", every: \"10s\")," } else { "" };
    let http = address.map_or(String::new(), |address| format!("http: \"{address}\","));
    format!(
        r#"Job(
    name: "orders",
    patterns: ["order_payment.pattern"],
    key: ["order_id"],
    type_field: "type",
    sources: [(name: "orders", from: {from}, format: Csv(columns: {ORDER_COLUMNS:?}), time: (field: "seconds", unit: Seconds))],
    shards: {shards},
    {checkpoint}
    {http}
)
"#
    )
}

fn free_address() -> io::Result<SocketAddr> {
    TcpListener::bind("127.0.0.1:0")?.local_addr()
}

/// Waits until somebody listens there.
fn wait_for(address: SocketAddr) -> io::Result<()> {
    for _ in 0..1_000 {
        if TcpStream::connect(address).is_ok() {
            return Ok(());
        }
        thread::sleep(Duration::from_millis(5));
    }
    Err(io::Error::other("the job does not answer"))
}
