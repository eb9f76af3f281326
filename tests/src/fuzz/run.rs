//! A pattern and a stream through the engine, against the reference.

use std::cell::RefCell;

use ensue_model::pattern::{Pattern, Sequence, Step, Term};
use ensue_testkit::case::{Case, Input};
use ensue_testkit::generate::{self, Profile};
use ensue_testkit::readings::{Prepared, Reading};
use proptest::strategy::{BoxedStrategy, Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use super::{arrivals, words};

/// Stands between the pattern and the stream.
const SEPARATOR: &str = "\n---\n";

/// The reference keeps every run by itself, and larger patterns make too many: rounds of all loops together.
const ROUNDS_MAX: u64 = 32;

/// Stages of a pattern, likewise.
const STAGES_MAX: usize = 8;

/// Runs a case: the engine, and the engine that is saved and restored after every item, must give what the reference gives.
///
/// # Panics
/// If one gives something else.
pub fn run(data: &[u8]) {
    let Some(case) = case(data) else { return };
    let Ok(prepared) = Prepared::of(&case) else { return };
    if !is_small(&prepared.patterns().patterns) {
        return;
    }
    let expected = prepared.outputs(Reading::Reference).expect("the reference does not fail");
    let case = Case { expected, ..case };
    for reading in [Reading::Engine, Reading::Restarted] {
        match prepared.outputs(reading).map(|outputs| case.expected.difference(&outputs)) {
            Ok(None) => {}
            Ok(Some(difference)) => panic!("{reading:?} differs from the reference\n{case}{difference}{}", json(&case)),
            // A pattern can be too large for a program.
            Err(why) => assert!(why.contains("which is the limit"), "{reading:?} fails: {why}\n{case}{}", json(&case)),
        }
    }
}

/// The case that the bytes describe: a pattern, a line `---` and a stream; or, where the first byte is the number of a
/// profile of the generator, the pattern that it draws for the next eight as its seed, and a stream.
pub fn case(data: &[u8]) -> Option<Case> {
    let (first, rest) = data.split_first()?;
    match Profile::ALL.get(usize::from(*first)) {
        Some(profile) => drawn(*profile, rest),
        None => written(&words::text(data)),
    }
}

fn written(text: &str) -> Option<Case> {
    let (pattern, stream) = text.split_once(SEPARATOR)?;
    Some(case_of(pattern.to_owned(), arrivals::inputs(stream)))
}

thread_local! {
    /// Making one takes longer than drawing from it.
    static STRATEGIES: RefCell<Vec<BoxedStrategy<Case>>> =
        RefCell::new(Profile::ALL.map(|profile| generate::cases(profile).boxed()).into());
}

/// So many bytes say which pattern of a profile is drawn.
const SEED: usize = 8;

/// The bytes cannot be the generator's random numbers themselves: proptest gives each branch of a choice half of those that
/// are left, and at the end of them some draws never get done.
fn drawn(profile: Profile, data: &[u8]) -> Option<Case> {
    let (seed, stream) = data.split_at_checked(SEED)?;
    let mut bytes = [0; 32];
    bytes[..SEED].copy_from_slice(seed);
    let random = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let mut runner = TestRunner::new_with_rng(Config { failure_persistence: None, ..Config::default() }, random);
    let position = Profile::ALL.iter().position(|other| *other == profile)?;
    let tree = STRATEGIES.with_borrow(|strategies| strategies[position].new_tree(&mut runner));
    let drawn = tree.ok()?.current();
    Some(case_of(drawn.pattern, arrivals::inputs(&String::from_utf8_lossy(stream))))
}

fn case_of(pattern: String, input: Vec<Input>) -> Case {
    Case { id: "fuzz".to_owned(), pattern, input, ..Case::default() }
}

/// Whether the reference can run it. Patterns that read what others emit multiply what comes to them, so there must be one.
fn is_small(patterns: &[Pattern]) -> bool {
    let [pattern] = patterns else { return false };
    pattern.stages.len() <= STAGES_MAX && rounds(&pattern.sequence) <= ROUNDS_MAX
}

fn rounds(sequence: &Sequence) -> u64 {
    sequence.steps.iter().fold(0, |sum, step| sum.saturating_add(rounds_of(step)))
}

fn rounds_of(step: &Step) -> u64 {
    let inner = match &step.term {
        Term::Stage(..) => 1,
        Term::Group(sequence) => rounds(sequence),
        Term::Either(parts) | Term::All { parts, .. } => {
            parts.iter().fold(0_u64, |sum, part| sum.saturating_add(rounds(part)))
        }
    };
    let most = step.quantifier.max.unwrap_or_else(|| step.quantifier.min.saturating_add(1));
    inner.saturating_mul(u64::from(most))
}

/// The case as a line for the corpus.
fn json(case: &Case) -> String {
    serde_json::to_string(case).expect("a case is JSON")
}
