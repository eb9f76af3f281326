//! Looks for a case on which two readings differ, and makes it small.

use std::cell::{Cell, RefCell};
use std::fmt;

use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};

use crate::case::Case;
use crate::generate::{self, Profile};
use crate::readings::{self, Disagreement, How, Prepared};

/// What a search went through without finding anything.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Searched {
    /// Cases on which all readings agree.
    pub agreed: u32,
    /// Outputs that the cases had, to see that they are not empty.
    pub outputs: usize,
}

impl fmt::Display for Searched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Searched { agreed, outputs } = self;
        write!(f, "{agreed} agreed, with {outputs} outputs")
    }
}

/// How long a case is made smaller, at most, in milliseconds.
const SHRINK_MS: u32 = 60_000;

/// Draws cases until two readings differ on one. That one is made as small as can be found.
///
/// # Errors
/// The readings that differ, with the case.
pub fn disagreement(profile: Profile, cases: u32, seed: u64) -> Result<Searched, Box<Disagreement>> {
    let config = Config {
        cases,
        failure_persistence: None,
        max_shrink_iters: 20_000,
        max_shrink_time: SHRINK_MS,
        ..Config::default()
    };
    let mut runner =
        TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &seed_of(seed, profile)));
    let searched = Cell::new(Searched::default());
    let smallest = RefCell::new(None);
    let result = runner.run(&generate::cases(profile), |case| match examine(&case, seed) {
        Ok(found) => {
            searched.set(searched.get().and(found));
            Ok(())
        }
        Err(disagreement) => {
            smallest.replace(Some(disagreement));
            Err(TestCaseError::fail("readings differ"))
        }
    });
    match (result, smallest.into_inner()) {
        (Err(TestError::Fail(_, case)), Some(disagreement)) => Err(examine(&case, seed).err().unwrap_or(disagreement)),
        _ => Ok(searched.get()),
    }
}

fn examine(case: &Case, seed: u64) -> Result<Searched, Box<Disagreement>> {
    let prepared = match Prepared::of(case) {
        Ok(prepared) => prepared,
        Err(refused) => {
            let why = refused.to_string();
            return Err(Box::new(Disagreement {
                reading: "the compiler".into(),
                case: case.clone(),
                how: How::Failed(why),
            }));
        }
    };
    let outputs = readings::agree(case, prepared.patterns(), seed)?;
    Ok(Searched { agreed: 1, outputs })
}

impl Searched {
    fn and(self, other: Searched) -> Searched {
        Searched { agreed: self.agreed + other.agreed, outputs: self.outputs + other.outputs }
    }
}

fn seed_of(seed: u64, profile: Profile) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    bytes[8] = profile as u8;
    bytes
}
