//! The workloads: who runs on what, against whom, and what is wanted.

use ensue_bench::any::RARE;
use ensue_bench::signal::VALUES;

use crate::Failure;
use crate::contest::{Contest, Entrant};
use crate::goal::{Bound, Goal, Measure};
use crate::place::Place;
use crate::program::Program;

/// How many events there are.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Size {
    /// So many that the ratios are right.
    Some,
    /// As many as others were measured with.
    Full,
    /// So many for all.
    Events(usize),
}

impl Size {
    fn of(self, some: usize, full: usize) -> usize {
        match self {
            Size::Some => some,
            Size::Full => full,
            Size::Events(events) => events,
        }
    }
}

type Build = fn(&Place, Size) -> Result<Vec<Entrant>, Failure>;

const CONTESTS: [(&str, Build); 10] = [
    ("w1", w1),
    ("w1b", w1b),
    ("w1-rust", w1_rust),
    ("w2", w2),
    ("w3", w3),
    ("w4", w4),
    ("w4-whole", w4_whole),
    ("w5", w5),
    ("start", start),
    ("compile", compile),
];

/// What a caller may ask for.
pub(crate) fn names() -> [&'static str; CONTESTS.len()] {
    CONTESTS.map(|(name, _)| name)
}

/// The contests of these names, or all.
pub(crate) fn contests(place: &Place, size: Size, names: &[String]) -> Result<Vec<Contest>, Failure> {
    let wanted = CONTESTS.into_iter().filter(|(name, _)| names.is_empty() || names.iter().any(|wanted| wanted == name));
    wanted.map(|(name, build)| Ok(Contest { name, entrants: build(place, size)? })).collect()
}

fn w1(place: &Place, size: Size) -> Result<Vec<Entrant>, Failure> {
    let events = size.of(2_000_000, 10_000_000);
    let input = place.events("w1", events, "csv")?;
    let by_hand = Program::w1_fast("w1_fast", place, &input, "");
    let command = |label, shards| Program::command(label, place).on_orders(&input).with("--shards").with(shards);
    Ok(vec![
        Entrant::new(by_hand, events),
        Entrant::new(command("ensue", "1"), events).against(0).same_as(0).goal(speed(1, 0.75)),
        Entrant::new(command("ensue, 2 shards", "2"), events).against(1).same_as(0).goal(speed(3, 1.6)),
    ])
}

fn w1b(place: &Place, size: Size) -> Result<Vec<Entrant>, Failure> {
    let events = size.of(2_000_000, 10_000_000);
    let (ordered, shuffled) = (place.events("w1", events, "csv")?, place.events("w1b", events, "csv")?);
    let by_hand = |label, input, lateness| Program::w1_fast(label, place, input, lateness);
    let command = Program::command("ensue on w1b", place).on_orders(&shuffled).with("--watermark out-of-order=10s");
    Ok(vec![
        Entrant::new(by_hand("w1_fast on w1", &ordered, ""), events),
        Entrant::new(by_hand("w1_fast on w1b", &shuffled, "10"), events).against(0),
        Entrant::new(Program::command("ensue on w1", place).on_orders(&ordered), events).against(0).same_as(0),
        Entrant::new(command, events).against(2).same_as(1).goal(speed(4, 0.7)),
    ])
}

fn w1_rust(place: &Place, size: Size) -> Result<Vec<Entrant>, Failure> {
    let events = size.of(2_000_000, 10_000_000);
    let bare = Program::inside("w1_map", place, "w1_map", &format!("{events} {}", place.seed));
    Ok(vec![
        Entrant::new(bare, events),
        Entrant::new(inside("ensue", place, "w1", events, ""), events)
            .against(0)
            .same_as(0)
            .goal(speed(2, 0.5))
            .goal(Goal::new(2, Measure::Rate, Bound::AtLeast(10e6))),
    ])
}

fn w2(place: &Place, size: Size) -> Result<Vec<Entrant>, Failure> {
    let events = size.of(1_000_000, 1_000_000);
    let counter = |label, least: u32| {
        Program::inside(label, place, "w2_counter", &format!("{events} 100 {least} {}", place.seed))
    };
    let ensue = |window: u32| {
        let program = inside(&format!("ensue, {window}"), place, "w2", events, &format!("--window {window}"));
        Entrant::new(program, events).same_as(0)
    };
    let flat = |window| {
        let flat = Goal::new(5, Measure::Cost, Bound::AtMost(1.3));
        ensue(window).against(1).goal(flat).goal(Goal::new(5, Measure::Rate, Bound::AtLeast(5e6)))
    };
    let rare = inside("ensue, 100, 85 wanted", place, "w2", events, &format!("--window 100 --least {RARE}"));
    let mut entrants = vec![Entrant::new(counter("w2_counter", VALUES), events), ensue(10).against(0)];
    entrants.extend([50, 100, 500, 1_000, 10_000].map(flat));
    let at = entrants.len();
    entrants.push(Entrant::new(counter("w2_counter, 85 wanted", RARE), events));
    entrants.push(Entrant::new(rare, events).against(at).same_as(at));
    Ok(entrants)
}

fn w3(place: &Place, size: Size) -> Result<Vec<Entrant>, Failure> {
    let one = size.of(1_000_000, 1_000_000);
    let many = size.of(2_000_000, 5_000_000);
    let ensue = |label: &str, events, arguments: &str| {
        Entrant::new(inside(&format!("ensue, {label}"), place, "w3", events, arguments), events)
    };
    let flat = || Goal::new(6, Measure::Cost, Bound::AtMost(1.3));
    let per_taken = || Goal::new(6, Measure::NanosecondsPerTaken, Bound::Any);
    Ok(vec![
        ensue("100", one, "--window 100"),
        ensue("1000", one, "--window 1000").against(0).goal(flat()),
        ensue("10000", one, "--window 10000").against(0).goal(flat()),
        ensue("100 keys of 10k", many, "--keys 10000 --window 100"),
        ensue("1000 keys of 10k", many, "--keys 10000 --window 1000").against(3).goal(flat()),
        ensue("1000, every c", one, "--window 1000 --least 0").against(1).goal(per_taken()),
        ensue("2000, each 10th c", one, "--window 2000 --least 900000").against(1).goal(per_taken()),
    ])
}

fn w4(place: &Place, size: Size) -> Result<Vec<Entrant>, Failure> {
    let events = size.of(100_000, 1_000_000);
    let ensue = |rules: u32| {
        let program = inside(&format!("ensue, {rules} rules"), place, "w4", events, &format!("--rules {rules}"));
        Entrant::new(program, events)
    };
    let cost = Goal::new(7, Measure::Cost, Bound::AtMost(3.0));
    Ok(vec![ensue(10), ensue(1).against(0), ensue(100).against(0), ensue(1_000).against(0).goal(cost)])
}

/// The same as whole processes, which write what times out too; that is more, the more rules there are.
fn w4_whole(place: &Place, size: Size) -> Result<Vec<Entrant>, Failure> {
    let events = size.of(50_000, 1_000_000);
    let input = place.events("w4", events, "jsonl")?;
    let command = |rules| -> Result<Entrant, Failure> {
        let program =
            Program::command(&format!("ensue, {rules} rules"), place).with("--time ts --time-unit ms --input");
        Ok(Entrant::new(program.file(&input).with("--pattern").file(&place.rules(rules)?), events))
    };
    let cost = Goal::new(7, Measure::Cost, Bound::Any);
    Ok(vec![command(10)?, command(1_000)?.against(0).goal(cost)])
}

fn w5(place: &Place, size: Size) -> Result<Vec<Entrant>, Failure> {
    let events = size.of(2_000_000, 10_000_000);
    let pause = |name| Goal::new(8, Measure::Value(name), Bound::AtMost(50.0));
    let names = ["push_longest_ms", "push_longest_cpu_ms", "expiry_longest_ms", "expiry_longest_cpu_ms"];
    let engine = Entrant::new(inside("ensue", place, "w5", events, ""), events).against(0);
    let engine = engine.goal(Goal::new(8, Measure::Excess("bytes_per_event"), Bound::AtMost(120.0)));
    Ok(vec![
        Entrant::new(inside("rows in a vector", place, "w5", events, "--hold"), events),
        names.into_iter().map(pause).fold(engine, Entrant::goal),
    ])
}

fn start(place: &Place, _: Size) -> Result<Vec<Entrant>, Failure> {
    let program = Program::first_output("ensue, 10 lines", place).on_orders(&place.ten_lines()?);
    let limit = |name, most| Goal::new(9, Measure::Value(name), Bound::AtMost(most));
    Ok(vec![Entrant::new(program, 10).goal(limit("first_output_ms", 20.0)).goal(limit("binary_mb", 25.0))])
}

fn compile(place: &Place, _: Size) -> Result<Vec<Entrant>, Failure> {
    const RULES: usize = 1_000;
    let program = Program::inside("ensue", place, "inside", &format!("compile --rules {RULES} --seed {}", place.seed));
    Ok(vec![Entrant::new(program, RULES).goal(Goal::new(10, Measure::Value("seconds"), Bound::AtMost(1.0)))])
}

/// A workload from Rust.
fn inside(label: &str, place: &Place, workload: &str, events: usize, arguments: &str) -> Program {
    let arguments = format!("{workload} --events {events} --seed {} {arguments}", place.seed);
    Program::inside(label, place, "inside", &arguments)
}

/// Compared with the yardstick, at least so fast.
fn speed(number: u8, least: f64) -> Goal {
    Goal::new(number, Measure::Speed, Bound::AtLeast(least))
}
