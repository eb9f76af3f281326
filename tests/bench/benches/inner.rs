//! The inner loops, each by itself: `cargo bench -p ensue-bench`.

use std::cell::Cell;
use std::hint::black_box;
use std::sync::Arc;

use criterion::measurement::WallTime;
use criterion::{BatchSize, BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main};
use ensue::lang::Options;
use ensue::model::eval::{OfEvent, eval};
use ensue::model::pattern::Term;
use ensue::model::{StreamId, Tables};
use ensue::{Config, Engine, Outputs, Patterns, Row, Schema, Watermarks};
use ensue_bench::Line;
use ensue_bench::alerts::{Alerts, rules};
use ensue_bench::any::{self, Any};
use ensue_bench::creates::Creates;
use ensue_bench::job::{ORDER_COLUMNS, checked};
use ensue_bench::loops::{self, Loops};
use ensue_bench::orders::{self, Orders};
use ensue_bench::rows::{self, AsRow};
use ensue_bench::signal::VALUES;
use ensue_io::{Csv, Decoder, Envelope, Record, RowFormat, TimeField, TimeFormat};

#[global_allocator]
static ALLOCATOR: ensue_allocator::MiMalloc = ensue_allocator::MiMalloc;

criterion_main!(benches);
criterion_group!(benches, codecs, conditions, steps, snapshots);

fn compiled(text: &str, schema: Schema) -> Arc<Patterns> {
    checked("inner", text, &Options { schema, ..Options::default() })
}

/// A decoder, and the first line of a workload without its end.
fn decoder(patterns: &Patterns, format: &RowFormat, time: &str, event: &impl Line) -> (Decoder, Vec<u8>) {
    let time = TimeField { name: time.to_owned(), format: TimeFormat::Millis };
    let mut line = Vec::new();
    event.write(&mut line);
    line.pop();
    (Decoder::new(patterns, StreamId(0), format, &time).expect("the format has the fields"), line)
}

fn codecs(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("codec");
    let order = Orders::new(1).next().expect("the stream has no end");
    let csv = RowFormat::Csv(Csv::new(&ORDER_COLUMNS));
    decode(&mut group, "decode CSV", decoder(&compiled(orders::PATTERN, rows::orders()), &csv, "seconds", &order));
    let alert = Alerts::new(1).next().expect("the stream has no end");
    let rules = compiled(&rules(1, 10), Schema::open());
    decode(&mut group, "decode JSON", decoder(&rules, &RowFormat::JsonLines, "ts", &alert));
    encode(&mut group);
}

fn decode(group: &mut BenchmarkGroup<'_, WallTime>, name: &str, (decoder, line): (Decoder, Vec<u8>)) {
    group.throughput(Throughput::Bytes(line.len() as u64));
    group.bench_function(name, |bencher| bencher.iter(|| decoder.decode(black_box(&Record::new(1, &line)))));
}

fn encode(group: &mut BenchmarkGroup<'_, WallTime>) {
    let patterns = compiled(orders::PATTERN, rows::orders());
    let mut engine = Engine::new(&patterns, ascending(true)).expect("the pattern is small");
    let mut out = Outputs::new();
    let mut orders = Orders::new(1);
    while out.matches.is_empty() {
        let row = orders.next().expect("the stream has no end").row();
        engine.push(row, &mut out).expect("no limit is reached");
    }
    let formats = [(StreamId(0), RowFormat::JsonLines)];
    let (envelope, mut line) = (Envelope::new(&patterns, &formats), Vec::new());
    group.throughput(Throughput::Elements(1));
    group.bench_function("encode a match", |bencher| {
        bencher.iter(|| {
            line.clear();
            envelope.write_match(black_box(&out.matches[0]), &mut line);
        });
    });
}

fn conditions(criterion: &mut Criterion) {
    let schema = Schema::stream("alerts").field("type", ensue::Type::String).field("bytes", ensue::Type::Int);
    let patterns = compiled("begin a where type == \"t16\" and bytes >= 785 followedBy b where true", schema);
    let Term::Stage(_, condition) = &patterns.patterns[0].sequence.steps[0].term else {
        panic!("the pattern begins with a stage");
    };
    let time = ensue::Timestamp::from_millis(0);
    let row = Row::new(time, vec!["t16".into(), 800.into()]);
    let faults = Cell::new(0);
    criterion.bench_function("condition/two comparisons", |bencher| {
        bencher.iter(|| {
            eval(black_box(condition), &OfEvent { event: black_box(&row), faults: &faults, tables: Tables::NONE })
                .holds()
        });
    });
}

fn ascending(timeouts: bool) -> Config {
    Config { watermarks: Watermarks::Ascending, timeouts, ..Config::default() }
}

fn steps(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("step");
    group.sample_size(20);
    let orders = compiled(orders::PATTERN, rows::orders());
    step(&mut group, "W1", &orders, true, 500_000, Orders::new(1).map(|order| order.row()));
    for window in [100, 10_000] {
        let patterns = compiled(&any::pattern(window, VALUES), rows::signals());
        step(
            &mut group,
            &format!("W2, {window} events"),
            &patterns,
            false,
            20_000,
            Any::new(1).map(|signal| signal.row()),
        );
    }
    let patterns = compiled(&loops::pattern(1_000, 1, VALUES), rows::signals());
    step(&mut group, "W3", &patterns, false, 20_000, Loops::new(1, 1).map(|signal| signal.row()));
    for count in [10, 1_000] {
        let patterns = compiled(&rules(1, count), Schema::open());
        step(&mut group, &format!("W4, {count} rules"), &patterns, false, 5_000, alerts(&patterns));
    }
}

/// The rows of W4 that these rules ask for.
fn alerts(patterns: &Patterns) -> impl Iterator<Item = Row> {
    let first = Alerts::new(1).next().expect("the stream has no end");
    let (decoder, _) = decoder(patterns, &RowFormat::JsonLines, "ts", &first);
    let mut line = Vec::new();
    Alerts::new(1).map(move |alert| {
        line.clear();
        alert.write(&mut line);
        decoder.decode(&Record::new(1, &line)).expect("a workload's lines are events")
    })
}

/// An engine that has seen so many events takes on.
fn step(
    group: &mut BenchmarkGroup<'_, WallTime>,
    name: &str,
    patterns: &Arc<Patterns>,
    timeouts: bool,
    seen: usize,
    mut rows: impl Iterator<Item = Row>,
) {
    const AT_ONCE: usize = 1_000;
    let mut engine = Engine::new(patterns, ascending(timeouts)).expect("the patterns are small");
    let mut push = |rows: Vec<Row>| {
        let mut out = Outputs::new();
        rows.into_iter().for_each(|row| engine.push(row, &mut out).expect("no limit is reached"));
        out
    };
    drop(push(rows.by_ref().take(seen).collect()));
    group.throughput(Throughput::Elements(AT_ONCE as u64));
    group.bench_function(name, |bencher| {
        bencher.iter_batched(|| rows.by_ref().take(AT_ONCE).collect(), &mut push, BatchSize::LargeInput);
    });
}

fn snapshots(criterion: &mut Criterion) {
    const OPEN: usize = 10_000;
    let patterns = compiled(orders::PATTERN, rows::orders());
    let mut engine = Engine::new(&patterns, ascending(true)).expect("the pattern is small");
    let mut out = Outputs::new();
    Creates::new(1).take(OPEN).for_each(|order| engine.push(order.row(), &mut out).expect("no limit is reached"));
    let bytes = engine.snapshot().expect("rows can be written");
    let mut group = criterion.benchmark_group("snapshot");
    group.throughput(Throughput::Elements(OPEN as u64));
    group.bench_function("save", |bencher| bencher.iter(|| engine.snapshot()));
    group.bench_function("restore", |bencher| {
        bencher.iter(|| Engine::<Row>::restore(&patterns, ascending(true), black_box(&bytes)));
    });
}
