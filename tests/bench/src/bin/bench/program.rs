//! A program that is measured, and how.

use std::ffi::OsString;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use ensue_bench::report::Report;
use ensue_bench::stopwatch::now;
use wait4::{ResUse, Wait4};

use crate::Failure;
use crate::place::Place;
use crate::sample::{Outputs, Sample};

/// A program that is measured.
#[derive(Clone, Debug)]
pub(crate) struct Program {
    /// What the table calls it.
    pub(crate) label: String,
    path: PathBuf,
    arguments: Vec<OsString>,
    kind: Kind,
}

/// What is measured of it.
#[derive(Clone, Copy, Debug)]
enum Kind {
    /// The whole process; it writes matches and timeouts to files.
    Whole,
    /// What it says of itself.
    Inside,
    /// How long it takes until the first byte comes out.
    FirstOutput,
}

/// The files that programs write, in the folder that they are started in.
const MATCHES: &str = "matches";
const TIMEOUTS: &str = "timeouts";

impl Program {
    fn new(kind: Kind, label: impl Into<String>, path: PathBuf) -> Self {
        Program { label: label.into(), path, arguments: Vec::new(), kind }
    }

    /// A program that measures itself.
    pub(crate) fn inside(label: impl Into<String>, place: &Place, name: &str, arguments: &str) -> Self {
        Program::new(Kind::Inside, label, place.program(name)).with(arguments)
    }

    /// W1 by hand.
    pub(crate) fn w1_fast(label: &str, place: &Place, input: &Path, lateness: &str) -> Self {
        let program = Program::new(Kind::Whole, label, place.program("w1_fast"));
        program.file(input).file(&place.output(MATCHES)).file(&place.output(TIMEOUTS)).with(lateness)
    }

    /// The command, with its outputs in files.
    pub(crate) fn command(label: &str, place: &Place) -> Self {
        Program::new(Kind::Whole, label, place.program("ensue"))
            .with("run --quiet --matches")
            .file(&place.output(MATCHES))
            .with("--timeouts")
            .file(&place.output(TIMEOUTS))
    }

    /// The command, until its first output.
    pub(crate) fn first_output(label: &str, place: &Place) -> Self {
        Program::new(Kind::FirstOutput, label, place.program("ensue")).with("run --quiet")
    }

    /// With the input and the pattern of W1.
    pub(crate) fn on_orders(self, input: &Path) -> Self {
        let pattern = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../patterns/order_payment.pattern");
        self.with("--pattern")
            .file(&pattern)
            .with("--input")
            .file(input)
            .with("--columns order_id,type,tx_id,seconds --key order_id --time seconds --time-unit s")
    }

    /// With more arguments, between spaces.
    pub(crate) fn with(mut self, arguments: &str) -> Self {
        self.arguments.extend(arguments.split_whitespace().map(OsString::from));
        self
    }

    /// With a file as an argument.
    pub(crate) fn file(mut self, path: &Path) -> Self {
        self.arguments.push(path.into());
        self
    }

    /// Runs it once.
    pub(crate) fn run(&self, place: &Place) -> Result<Sample, Failure> {
        place.clear()?;
        match self.kind {
            Kind::Whole => self.run_whole(place),
            Kind::Inside => self.run_inside(),
            Kind::FirstOutput => self.run_to_first_output(),
        }
    }

    fn run_whole(&self, place: &Place) -> Result<Sample, Failure> {
        let started = now();
        let used = self.wait(self.start(Stdio::null())?)?;
        let seconds = started.elapsed().as_secs_f64();
        let outputs = Outputs::read(&place.output(MATCHES), &place.output(TIMEOUTS))?;
        place.clear()?;
        let cpu = used.rusage.utime + used.rusage.stime;
        let report = Report::default().with("seconds", seconds).with("cpu_seconds", cpu.as_secs_f64());
        Ok(Sample { report, peak_bytes: used.rusage.maxrss, outputs })
    }

    fn run_inside(&self) -> Result<Sample, Failure> {
        let mut child = self.start(Stdio::piped())?;
        let mut said = String::new();
        child.stdout.take().expect("it is piped").read_to_string(&mut said)?;
        let used = self.wait(child)?;
        let report = Report::parse(&said);
        Ok(Sample { outputs: Outputs::said(&report), report, peak_bytes: used.rusage.maxrss })
    }

    fn run_to_first_output(&self) -> Result<Sample, Failure> {
        let started = now();
        let mut child = self.start(Stdio::piped())?;
        let mut stdout = child.stdout.take().expect("it is piped");
        stdout.read_exact(&mut [0])?;
        let seconds = started.elapsed().as_secs_f64();
        let mut rest = Vec::new();
        stdout.read_to_end(&mut rest)?;
        let used = self.wait(child)?;
        let cpu = used.rusage.utime + used.rusage.stime;
        let lines = |kind: &str| rest.split(|byte| *byte == b'\n').filter(|line| contains(line, kind)).count() as u64;
        let outputs =
            Outputs { matches: lines("\"kind\":\"match\""), timeouts: lines("\"kind\":\"timeout\""), fingerprint: 0 };
        let report = Report::default()
            .with("seconds", seconds)
            .with("cpu_seconds", cpu.as_secs_f64())
            .with("first_output_ms", seconds * 1e3)
            .with("binary_mb", self.path.metadata()?.len() as f64 / 1e6);
        Ok(Sample { report, peak_bytes: used.rusage.maxrss, outputs })
    }

    fn start(&self, stdout: Stdio) -> Result<Child, Failure> {
        let mut command = Command::new(&self.path);
        let started = command.args(&self.arguments).stdin(Stdio::null()).stdout(stdout).spawn();
        started.map_err(|error| format!("cannot start `{}`: {error}", self.path.display()).into())
    }

    fn wait(&self, mut child: Child) -> Result<ResUse, Failure> {
        let used = child.wait4()?;
        if !used.status.success() {
            return Err(format!("`{}` {:?} failed: {}", self.path.display(), self.arguments, used.status).into());
        }
        Ok(used)
    }
}

fn contains(line: &[u8], part: &str) -> bool {
    line.windows(part.len()).any(|window| window == part.as_bytes())
}
