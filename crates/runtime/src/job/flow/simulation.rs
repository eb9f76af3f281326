//! A flow in a world that a seed decides: in which pieces sources give their events, how long they are silent, what time it is, when
//! checkpoints are cut and when they are safe, when all falls down, and on how many threads it is taken up again. What has come
//! out at the end is what comes out when nothing happens.
//!
//! `ENSUE_SEED=17 cargo test -p ensue-runtime simulation` does again what seed 17 did.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use ensue_connect::Position;
use ensue_engine::{Config, Snapshot};
use ensue_io::{BadLine, Envelope};
use ensue_lang::{Options, Source};
use ensue_model::{Patterns, Row, Span, StreamId, Timestamp, Value};
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

use super::{Cut, Flow, Outflow, Pace, Progress};
use crate::clock;
use crate::event::Numbered;
use crate::job::inlet::Batch;
use crate::job::reader::Mark;
use crate::job::records::{Bad, Decoded};
use crate::lines::{Encoder, Kind, Run, Wanted};

/// Three levels, with keys that part and meet again.
const LEVELS: &str = r#"
stream events { id: int @key type: string @type user: int }

pattern unpaid_order from events
begin create notFollowedBy pay
within 300ms
emit unpaid { user: create.user, id: create.id }

pattern paid_order from events
begin create followedBy pay
within 300ms
emit paid { user: create.user, waited: time(pay) - time(create) }

pattern user_trouble from unpaid, paid key user
begin first: unpaid where true
notFollowedBy forgiven: paid where waited < 100ms
followedBy second: unpaid where id != first.id
within 2s
skip past last
emit trouble { user: key() }

pattern trouble_again from trouble, events key user
begin trouble: trouble where true
followedBy created: events where type == "create"
within 500ms
cooldown 100ms
"#;

/// So many worlds.
const SEEDS: u64 = 200;

const OUT_OF_ORDER: Span = Span::from_millis(60);

/// So long a source is silent that has nothing more to give, until the others do not wait for it.
const IDLE: Span = Span::from_millis(1_000);

/// What a source gives.
#[derive(Clone)]
enum Item {
    Event { time: Timestamp, id: i64, kind: &'static str },
    Bad,
}

/// What there is to read.
struct World {
    patterns: Arc<Patterns>,
    encoder: Encoder,
    pace: Pace,
    sources: Vec<Vec<Item>>,
}

impl World {
    fn draw(random: &mut Pcg64Mcg, idle: Option<Span>) -> Self {
        let compiled = ensue_lang::compile(&[Source::new("levels.pattern", LEVELS)], &Options::default());
        let patterns = compiled.unwrap_or_else(|wrong| panic!("{wrong}")).patterns;
        let of_all = vec![true; patterns.patterns.len()];
        let wanted = Wanted { matches: of_all.clone(), timeouts: of_all, late: true, rejected: true };
        let encoder = Encoder::new(Envelope::new(&patterns, &[]), wanted);
        let sources = (0..random.random_range(1..4)).map(|_| items(random)).collect();
        let pace = Pace { out_of_order: OUT_OF_ORDER, idle };
        World { patterns: Arc::new(patterns), encoder, pace, sources }
    }

    fn flow(&self, shards: usize, from: Option<Cut>, now: Timestamp) -> Flow {
        let paces = vec![self.pace; self.sources.len()];
        let encoder = self.encoder.clone();
        Flow::new(&self.patterns, encoder, &Config::default(), shards, &paces, from, now)
            .expect("the patterns are small")
    }

    /// Some of what a source gives, with the places before and behind it.
    fn batch(&self, source: usize, range: Range<usize>) -> Batch {
        let (mark, after) = (mark(range.start), mark(range.end));
        let records = range.map(|index| self.decoded(source, index)).collect();
        Batch { mark, after, records, changes: 0, read: clock::started() }
    }

    fn decoded(&self, source: usize, index: usize) -> Decoded {
        let field = |name| self.patterns.schema.find(name).expect("the patterns ask for it");
        match &self.sources[source][index] {
            Item::Event { time, id, kind } => {
                let raw = format!("{{\"source\":{source},\"index\":{index}}}");
                let values = [
                    (field("id"), Value::Int(*id)),
                    (field("type"), (*kind).into()),
                    (field("user"), Value::Int(id % 5)),
                ];
                Decoded::Event(Numbered { line: None, row: Row::of_text(*time, &raw, values).of_stream(StreamId(0)) })
            }
            Item::Bad => {
                let line = BadLine { line: index as u64, reason: String::new(), raw: Vec::new() };
                Decoded::Bad(Box::new(Bad { document: source.to_string(), line }))
            }
        }
    }

    /// What comes out when nothing happens.
    fn in_peace(&self) -> Vec<String> {
        let now = Timestamp::from_seconds(0);
        let mut flow = self.flow(1, None, now);
        for (source, items) in self.sources.iter().enumerate() {
            if !items.is_empty() {
                flow.give(source, self.batch(source, 0..items.len()), now);
            }
            flow.close(source, mark(items.len()));
        }
        while flow.run(now).expect("no limit is reached") {}
        assert!(flow.has_ended(), "all has been given");
        while !flow.finish_some().expect("no limit is reached") {}
        let mut lines = Vec::new();
        take(flow.out(), &mut lines);
        lines
    }
}

/// Takes what has come out since the last time.
fn take(out: &mut Outflow, written: &mut Vec<String>) {
    let Outflow { lines, bad } = std::mem::take(out);
    for (line, text) in lines.runs().flat_map(Run::each) {
        assert!(!matches!(line.kind, Kind::Rejected(_)), "each event has a key");
        written.push(String::from_utf8(text.to_vec()).expect("lines are text"));
    }
    written.extend(bad.iter().map(|(source, bad)| format!("bad line {} of {source}", bad.line.line)));
}

/// Events of forty orders, out of order, some of them late, and lines that are no events.
fn items(random: &mut Pcg64Mcg) -> Vec<Item> {
    let count = random.random_range(0..150);
    let mut item = |index: i64| {
        let delay = if random.random_ratio(1, 30) { 300 } else { 50 };
        let time = Timestamp::from_millis(20 * index - random.random_range(0..delay));
        let kind = ["create", "pay", "other"][random.random_range(0..3)];
        let event = Item::Event { time, id: random.random_range(0..40), kind };
        if random.random_ratio(1, 40) { Item::Bad } else { event }
    };
    (0..count).map(&mut item).collect()
}

fn mark(index: usize) -> Mark {
    Mark { position: Position(index.to_string()), ..Mark::default() }
}

/// Where a source goes on behind a mark.
fn index(progress: &Progress) -> usize {
    let Mark { position, records, .. } = &progress.mark;
    position.0.parse::<usize>().unwrap_or(0) + *records as usize
}

/// A checkpoint.
struct Saved {
    progress: Vec<Progress>,
    engine: Vec<u8>,
    /// How many lines had been written.
    written: usize,
}

/// A job in the world.
struct Simulation<'w> {
    world: &'w World,
    random: Pcg64Mcg,
    flow: Flow,
    now: Timestamp,
    /// How many of its items each source has given.
    given: Vec<usize>,
    written: Vec<String>,
    /// The checkpoint that is being written, and the one that is safe.
    pending: Option<Saved>,
    safe: Option<Saved>,
    crashes: usize,
}

impl<'w> Simulation<'w> {
    fn new(world: &'w World, random: Pcg64Mcg) -> Self {
        let now = Timestamp::from_seconds(1_000);
        Simulation {
            world,
            random,
            flow: world.flow(1, None, now),
            now,
            given: vec![0; world.sources.len()],
            written: Vec::new(),
            pending: None,
            safe: None,
            crashes: 0,
        }
    }

    /// What has come out in the end, and how often all fell down.
    fn run(mut self) -> (Vec<String>, usize) {
        while !self.flow.has_ended() {
            self.step();
        }
        while !self.flow.finish_some().expect("no limit is reached") {}
        self.write();
        (self.written, self.crashes)
    }

    fn step(&mut self) {
        let source = self.random.random_range(0..self.given.len());
        match self.random.random_range(0..32) {
            0..12 => self.give(source),
            12..20 => _ = self.flow.run(self.now).expect("no limit is reached"),
            20 | 21 => self.flow.silent(source, mark(self.given[source])),
            22 => self.flow.settle().expect("no limit is reached"),
            23..26 => self.write(),
            26 | 27 => self.cut(),
            28 | 29 => self.safe = self.pending.take().or(self.safe.take()),
            30 => self.pass_time(),
            _ => self.fall(),
        }
    }

    /// Gives some of a source's items; its end, if none are left.
    fn give(&mut self, source: usize) {
        let (from, length) = (self.given[source], self.world.sources[source].len());
        if from == length {
            // Also a source that has nothing more may stay open for long.
            if self.random.random_ratio(1, 8) {
                self.flow.close(source, mark(from));
            }
            return;
        }
        let to = length.min(from + self.random.random_range(1..40));
        self.flow.give(source, self.world.batch(source, from..to), self.now);
        self.given[source] = to;
    }

    fn write(&mut self) {
        take(self.flow.out(), &mut self.written);
    }

    fn cut(&mut self) {
        let Cut { progress, engine } = self.flow.cut().expect("no limit is reached");
        self.write();
        let engine = engine.to_bytes().expect("rows can be saved");
        self.pending = Some(Saved { progress, engine, written: self.written.len() });
    }

    /// Lets some time pass by the clock. No source is silent meanwhile that has something to give.
    fn pass_time(&mut self) {
        self.now = self.now + Span::from_millis(self.random.random_range(0..2_000));
        let waiting = (0..self.given.len()).filter(|source| self.given[*source] < self.world.sources[*source].len());
        waiting.collect::<Vec<_>>().into_iter().for_each(|source| self.give(source));
    }

    /// Loses all that is not safe, and goes on from what is.
    fn fall(&mut self) {
        self.crashes += 1;
        self.pending = None;
        let from = self.safe.as_ref().map(|saved| Cut {
            progress: saved.progress.clone(),
            engine: Snapshot::from_bytes(&saved.engine, &self.world.patterns).expect("it is of these patterns"),
        });
        let progress = from.as_ref().map_or_else(Vec::new, |from| from.progress.clone());
        self.given = vec![0; self.given.len()];
        self.given.iter_mut().zip(&progress).for_each(|(given, progress)| *given = index(progress));
        self.written.truncate(self.safe.as_ref().map_or(0, |saved| saved.written));
        self.flow = self.world.flow(self.random.random_range(1..4), from, self.now);
    }
}

/// How often each line is there.
fn counted(lines: Vec<String>) -> BTreeMap<String, i64> {
    let mut counted = BTreeMap::new();
    lines.into_iter().for_each(|line| *counted.entry(line).or_default() += 1);
    counted
}

fn seeds() -> Range<u64> {
    let seed = std::env::var("ENSUE_SEED").ok().map(|seed| seed.parse::<u64>().expect("a seed is a number"));
    seed.map_or(0..SEEDS, |seed| seed..seed + 1)
}

fn check(idle: Option<Span>) {
    let (mut lines, mut crashes) = (0, 0);
    for seed in seeds() {
        let mut random = Pcg64Mcg::seed_from_u64(seed);
        let world = World::draw(&mut random, idle);
        let expected = counted(world.in_peace());
        let (found, fallen) = Simulation::new(&world, random).run();
        let found = counted(found);
        let of = |lines: &BTreeMap<String, i64>, line: &String| lines.get(line).copied().unwrap_or(0);
        let differs = expected.keys().chain(found.keys()).find(|line| of(&expected, line) != of(&found, line));
        if let Some(line) = differs {
            let (expected, found) = (of(&expected, line), of(&found, line));
            panic!("ENSUE_SEED={seed}: {expected} times expected, {found} times found: {line}");
        }
        lines += expected.len();
        crashes += fallen;
    }
    assert!(
        seeds().count() == 1 || lines > 10_000 && crashes > 200,
        "it is worth the time: {lines} lines, {crashes} crashes"
    );
}

#[test]
fn whatever_falls_down_when_the_same_comes_out() {
    check(None);
}

#[test]
fn a_source_that_has_nothing_more_to_give_makes_no_difference_by_being_idle() {
    check(Some(IDLE));
}
