//! What came out when it was last looked at, where nothing else says what is right.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use crate::Failure;
use crate::sample::Outputs;

/// What is expected, from `expected.tsv`.
pub(crate) struct Expected {
    outputs: BTreeMap<String, Outputs>,
}

impl Expected {
    pub(crate) fn read() -> Result<Self, Failure> {
        let text = fs::read_to_string(path())?;
        let outputs: Result<_, Failure> = text.lines().skip(1).map(parse).collect();
        Ok(Expected { outputs: outputs? })
    }

    /// What is expected of a run with this name; what was found, from now on, where nothing is.
    pub(crate) fn get_or_add(&mut self, name: [&str; 4], found: Outputs) -> Option<Outputs> {
        let name = name.join("\t");
        let stored = self.outputs.get(&name).copied();
        self.outputs.entry(name).or_insert(found);
        stored
    }

    pub(crate) fn write(&self) -> Result<(), Failure> {
        let lines = self.outputs.iter().map(|(name, outputs)| {
            let Outputs { matches, timeouts, fingerprint } = outputs;
            format!("{name}\t{matches}\t{timeouts}\t{fingerprint:016x}\n")
        });
        Ok(fs::write(path(), HEAD.to_owned() + &lines.collect::<String>())?)
    }
}

const HEAD: &str = "workload\tprogram\tevents\tseed\tmatches\ttimeouts\tfingerprint\n";

fn path() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("expected.tsv")
}

fn parse(line: &str) -> Result<(String, Outputs), Failure> {
    let [workload, program, events, seed, matches, timeouts, fingerprint] = line.split('\t').collect::<Vec<_>>()[..]
    else {
        return Err(format!("`{}` has a line that is not of seven cells: {line}", path().display()).into());
    };
    let outputs = Outputs {
        matches: matches.parse()?,
        timeouts: timeouts.parse()?,
        fingerprint: u64::from_str_radix(fingerprint, 16)?,
    };
    Ok(([workload, program, events, seed].join("\t"), outputs))
}
