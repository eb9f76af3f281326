//! What a trace tells of each key is what the engine gives of it: over the cases of the corpora and over cases that are drawn, with
//! watermarks as they come and with those that the events make.

#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ensue_engine::{Config, Engine, Outputs, Watermarks};
use ensue_model::hash::OutputIds;
use ensue_model::record::Values;
use ensue_model::{Key, Partial, Row, Timestamp, Value};
use ensue_testkit::case::Case;
use ensue_testkit::generate::{self, Profile};
use ensue_testkit::readings::Prepared;
use ensue_testkit::reference::Item;
use ensue_testkit::suite;
use ensue_testkit::trace::{End, Happening, Output, Recorder, Trace, Wanted};
use proptest::test_runner::{Config as Runs, RngAlgorithm, TestCaseError, TestRng, TestRunner};

/// An output by its id, with its deadline, and its record.
type Told = (u128, Option<Timestamp>, Option<Values>);

/// What came out of a key of a pattern.
#[derive(Default, PartialEq, Debug)]
struct OfKey {
    key: Option<Key>,
    matches: Vec<Told>,
    timeouts: Vec<Told>,
}

/// What the engine gives, by pattern and key.
fn given(prepared: &Prepared, items: &[Item<Row>], watermarks: Watermarks) -> BTreeMap<(usize, String), OfKey> {
    let patterns = Arc::new(prepared.patterns().clone());
    let mut engine = Engine::new(&patterns, Config { watermarks, ..Config::default() }).unwrap();
    prepared.tables().iter().for_each(|(table, rows)| engine.set_table(*table, rows.clone()));
    let mut out = Outputs::new();
    for item in items {
        match item {
            Item::Event(row) => engine.push(row.clone(), &mut out).unwrap(),
            Item::Watermark(watermark) => engine.advance(*watermark, &mut out).unwrap(),
        }
    }
    if watermarks != Watermarks::Explicit {
        engine.finish(&mut out).unwrap();
    }
    let mut given: BTreeMap<(usize, String), OfKey> = BTreeMap::new();
    let name = |run: &Partial<Row>| &patterns.patterns[run.pattern].name;
    for found in &out.matches {
        let of_key = of_key(&mut given, &found.run);
        of_key.matches.push((OutputIds::new("match", name(&found.run)).id(&found.run), None, found.record.clone()));
    }
    for lapsed in &out.timeouts {
        let of_key = of_key(&mut given, &lapsed.run);
        let id = OutputIds::new("timeout", name(&lapsed.run)).id(&lapsed.run);
        of_key.timeouts.push((id, Some(lapsed.deadline), lapsed.record.clone()));
    }
    given
}

fn of_key<'g>(given: &'g mut BTreeMap<(usize, String), OfKey>, run: &Partial<Row>) -> &'g mut OfKey {
    let of_key = given.entry((run.pattern, format!("{:?}", run.key))).or_default();
    of_key.key.get_or_insert(run.key.clone());
    of_key
}

fn traced(
    prepared: &Prepared,
    items: &[Item<Row>],
    watermarks: Watermarks,
    pattern: usize,
    key: &[Value<'_>],
) -> Trace<Row> {
    let patterns = Arc::new(prepared.patterns().clone());
    let mut recorder = Recorder::new(&patterns, pattern, Wanted::of(key), watermarks, usize::MAX).unwrap();
    prepared.tables().iter().for_each(|(table, rows)| recorder.set_table(*table, rows.clone()));
    for item in items {
        match item {
            Item::Event(row) => drop(recorder.push(row.clone()).unwrap()),
            Item::Watermark(watermark) => recorder.advance(*watermark).unwrap(),
        }
    }
    Trace::of(&recorder.finish().unwrap(), usize::MAX).expect("the key has outputs, and so events")
}

/// Traces each key that has outputs; gives how many outputs there were.
fn check(case: &Case) -> Result<usize, String> {
    let Ok(prepared) = Prepared::of(case) else { return Ok(0) };
    let mut in_order: Vec<Item<Row>> = prepared.input().to_vec();
    in_order.retain(|item| matches!(item, Item::Event(_)));
    in_order.sort_by_key(|item| match item {
        Item::Event(row) => row.time,
        Item::Watermark(_) => unreachable!("there is none any more"),
    });
    let explicit = check_items(&prepared, prepared.input(), Watermarks::Explicit)?;
    Ok(explicit + check_items(&prepared, &in_order, Watermarks::Ascending)?)
}

fn check_items(prepared: &Prepared, items: &[Item<Row>], watermarks: Watermarks) -> Result<usize, String> {
    let mut outputs = 0;
    for ((pattern, name), given) in given(prepared, items, watermarks) {
        let key = given.key.clone().expect("an output has a key");
        let trace = traced(prepared, items, watermarks, pattern, &key);
        let told =
            OfKey { key: given.key.clone(), matches: of(&trace.matches, false), timeouts: of(&trace.timeouts, true) };
        let because = |why: &str| {
            Err(format!(
                "{why}, pattern {pattern}, key {name}, {watermarks:?}\n{:#?}\n{:#?}",
                trace.runs, trace.moments
            ))
        };
        if told != given {
            return because(&format!("the engine gives {given:#?}, the trace {told:#?}"));
        }
        if !trace.differences.is_empty() || trace.uncompared.is_some() || trace.cut.is_some() {
            return because("the trace says that it differs, or not all");
        }
        if let Err(why) = tells_all(&trace) {
            return because(&why);
        }
        outputs += given.matches.len() + given.timeouts.len();
    }
    Ok(outputs)
}

fn of(outputs: &[Output], are_timeouts: bool) -> Vec<Told> {
    outputs.iter().map(|it| (it.id, are_timeouts.then_some(it.at), it.record.clone())).collect()
}

/// Whether each output is told once, of a run that holds what it holds; and each run's life is one.
fn tells_all(trace: &Trace<Row>) -> Result<(), String> {
    let happenings = || trace.moments.iter().flat_map(|moment| &moment.happenings);
    for (at, output) in trace.matches.iter().enumerate() {
        let told: Vec<usize> = happenings().filter_map(|it| matched(it, at)).collect();
        let [run] = told[..] else { return Err(format!("match {at} is told {} times", told.len())) };
        if !trace.runs[run].taken.starts_with(&output.taken) {
            return Err(format!("match {at} is not what run {run} holds"));
        }
    }
    for (at, output) in trace.timeouts.iter().enumerate() {
        let told: Vec<usize> = happenings().filter_map(|it| timed_out(it, at)).collect();
        let [run] = told[..] else { return Err(format!("timeout {at} is told {} times", told.len())) };
        if trace.runs[run].taken != output.taken {
            return Err(format!("timeout {at} is not what run {run} holds"));
        }
        if !matches!(trace.runs[run].end, Some((_, End::TimedOut(..)))) {
            return Err(format!("run {run} timed out, and goes on"));
        }
    }
    let is_sorted = trace.moments.is_sorted_by_key(|moment| moment.at);
    if !is_sorted {
        return Err("the moments are not in the order of time".to_owned());
    }
    let is_complete = |run: usize| happenings().any(|it| *it == Happening::Complete { run });
    let mut open = (0..trace.runs.len()).filter(|run| trace.runs[*run].end.is_none());
    let lost = open.find(|run| trace.runs[*run].waits.is_empty() && !is_complete(*run));
    lost.map_or(Ok(()), |run| Err(format!("run {run} neither waits nor has ended")))
}

fn matched(happening: &Happening, wanted: usize) -> Option<usize> {
    match happening {
        Happening::Matched { run, output: Ok(output) } if *output == wanted => Some(*run),
        _ => None,
    }
}

fn timed_out(happening: &Happening, wanted: usize) -> Option<usize> {
    match happening {
        Happening::TimedOut { run, output: Ok(output), .. } if *output == wanted => Some(*run),
        _ => None,
    }
}

/// The cases of the crate's corpus, and of what the fuzzer has found.
fn corpora() -> Vec<Case> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut cases = Vec::new();
    for folder in ["tests/corpus", "../../tests/corpus/cases"] {
        let entries = fs::read_dir(root.join(folder)).expect("the corpus is a folder");
        let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("the folder can be listed").path()).collect();
        files.sort();
        cases.extend(files.iter().flat_map(|file| suite::read(file).expect("the corpus holds cases")));
    }
    cases
}

#[test]
fn the_traces_of_the_corpora_tell_what_the_engine_gives() {
    let mut outputs = 0;
    for case in corpora() {
        outputs += check(&case).unwrap_or_else(|why| panic!("{case}{why}"));
    }
    assert!(outputs > 1_400, "only {outputs} outputs were told");
}

#[test]
fn the_traces_of_drawn_cases_tell_what_the_engine_gives() {
    let number = |name: &str, default| std::env::var(name).ok().map_or(default, |text| text.parse().expect("a number"));
    let (cases, seed) = (number("ENSUE_CASES", 20), number("ENSUE_SEED", 1));
    let outputs = Cell::new(0);
    for profile in Profile::ALL {
        let mut bytes = [profile as u8; 32];
        bytes[..4].copy_from_slice(&u32::to_le_bytes(seed));
        let config = Runs { cases, failure_persistence: None, max_shrink_iters: 2_000, ..Runs::default() };
        let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes));
        let smallest = RefCell::new(String::new());
        let done = runner.run(&generate::cases(profile), |case| match check(&case) {
            Ok(count) => {
                outputs.set(outputs.get() + count);
                Ok(())
            }
            Err(why) => {
                smallest.replace(format!("{case}{why}\n{}", serde_json::to_string(&case).expect("a case is JSON")));
                Err(TestCaseError::fail("the trace differs"))
            }
        });
        assert!(done.is_ok(), "{profile:?}: {}", smallest.into_inner());
    }
    assert!(outputs.get() > 0, "the cases had no outputs, and showed nothing");
}
