//! What one run of a program gave.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use ensue_bench::report::Report;
use xxhash_rust::xxh3::xxh3_64;

use crate::Failure;

/// What one run of a program gave.
#[derive(Clone, Debug)]
pub(crate) struct Sample {
    /// `events`, `seconds`, `cpu_seconds`, and whatever else the program says of itself.
    pub(crate) report: Report,
    /// The most memory that it had.
    pub(crate) peak_bytes: u64,
    pub(crate) outputs: Outputs,
}

/// What came out.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(crate) struct Outputs {
    pub(crate) matches: u64,
    pub(crate) timeouts: u64,
    /// The sum of the hashes of all lines, so that their order makes no difference; 0 where nothing is written.
    pub(crate) fingerprint: u64,
}

impl Sample {
    /// What the program says of itself under this name; not a number where it says nothing.
    pub(crate) fn value(&self, name: &str) -> f64 {
        self.report.get(name).unwrap_or(f64::NAN)
    }

    /// Events per second.
    pub(crate) fn rate(&self) -> f64 {
        self.value("events") / self.value("seconds")
    }

    /// Events per second of the processor.
    pub(crate) fn rate_by_cpu(&self) -> f64 {
        self.value("events") / self.value("cpu_seconds")
    }
}

impl Outputs {
    /// Reads what a program has written.
    pub(crate) fn read(matches: &Path, timeouts: &Path) -> Result<Self, Failure> {
        let (matches, first) = lines(matches)?;
        let (timeouts, second) = lines(timeouts)?;
        Ok(Outputs { matches, timeouts, fingerprint: first.wrapping_add(second) })
    }

    /// What a program says that it has found.
    pub(crate) fn said(report: &Report) -> Self {
        let count = |name| report.get(name).unwrap_or(0.0) as u64;
        Outputs { matches: count("matches"), timeouts: count("timeouts"), fingerprint: 0 }
    }
}

/// How many lines there are, and the sum of their hashes.
fn lines(path: &Path) -> Result<(u64, u64), Failure> {
    let mut reader = BufReader::with_capacity(1 << 20, File::open(path)?);
    let (mut count, mut sum, mut line) = (0, 0_u64, Vec::new());
    while reader.read_until(b'\n', &mut line)? > 0 {
        count += 1;
        sum = sum.wrapping_add(xxh3_64(&line));
        line.clear();
    }
    Ok((count, sum))
}
