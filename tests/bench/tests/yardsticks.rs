//! The yardsticks do the same work as the engine: what comes out is the same.

use std::error::Error;
use std::fs;
use std::path::Path;
use std::process::Command;

use ensue::lang::Options;
use ensue::{Config, Engine, Outputs, Row, Span, Watermarks};
use ensue_bench::Line;
use ensue_bench::any::{self, Any};
use ensue_bench::job::{Job, checked};
use ensue_bench::orders::{Order, Orders, Shuffled};
use ensue_bench::rows::{self, AsRow};
use ensue_bench::signal::{Signal, VALUES};

/// An eighth of the orders: so this many events last for longer than the window.
fn some(orders: impl Iterator<Item = Order>) -> Vec<u8> {
    let mut lines = Vec::new();
    orders.filter(|order| order.order_id % 8 == 0).take(200_000).for_each(|order| order.write(&mut lines));
    lines
}

/// Matches and timeouts as the engine gives them.
fn engine(input: &[u8], watermarks: Watermarks) -> Result<(String, String), Box<dyn Error>> {
    let (mut matches, mut timeouts) = (Vec::new(), Vec::new());
    let mut job = Job::of_orders(watermarks)?;
    let mut take = |envelope: &ensue_io::Envelope, out: &Outputs<Row>| {
        out.matches.iter().for_each(|found| _ = envelope.write_match(found, &mut matches));
        out.timeouts.iter().for_each(|lapsed| _ = envelope.write_timeout(lapsed, &mut timeouts));
    };
    job.feed(input, &mut take)?;
    job.finish(&mut take)?;
    Ok((String::from_utf8(matches)?, String::from_utf8(timeouts)?))
}

/// Matches and timeouts as the yardstick gives them.
fn by_hand(input: &[u8], arguments: &[&str]) -> Result<(String, String), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let path = |name: &str| folder.path().join(name);
    fs::write(path("input"), input)?;
    let mut command = Command::new(env!("CARGO_BIN_EXE_w1_fast"));
    let output = command.args(["input", "matches", "timeouts"].map(path)).args(arguments).output()?;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let read = |path: &Path| fs::read_to_string(path);
    Ok((read(&path("matches"))?, read(&path("timeouts"))?))
}

fn check(input: &[u8], watermarks: Watermarks, arguments: &[&str]) {
    let expected = engine(input, watermarks).expect("the engine takes the workload");
    let found = by_hand(input, arguments).expect("the yardstick takes the workload");
    for (expected, found) in [(&expected.0, &found.0), (&expected.1, &found.1)] {
        assert!(expected.lines().count() > 10_000);
        let different = expected.lines().zip(found.lines()).find(|(expected, found)| expected != found);
        assert_eq!(different, None);
        assert_eq!(expected.len(), found.len());
    }
}

#[test]
fn w1_by_hand_is_w1_byte_for_byte() {
    check(&some(Orders::new(1)), Watermarks::Ascending, &[]);
}

#[test]
fn w1_by_hand_puts_events_into_order_as_the_engine_does() {
    check(&some(Shuffled::new(1, 10)), Watermarks::OutOfOrder(Span::from_seconds(10)), &["10"]);
}

#[test]
fn payments_that_look_like_numbers_are_written_as_the_engine_writes_them() {
    let payments = ["12345678", "01234567", "1234e002", "1234e999", "0e123456", "00e12345", "e1234567", "1234567e"];
    let mut lines = String::new();
    for (order, payment) in (10_000_000..).zip(payments) {
        lines += &format!("{order},create,,1611047605\n{order},pay,{payment},1611047605\n");
    }
    let found = by_hand(lines.as_bytes(), &[]).unwrap();
    assert_eq!(found, engine(lines.as_bytes(), Watermarks::Ascending).unwrap());
    assert_eq!(found.0.lines().count(), payments.len());
}

#[test]
fn the_counters_of_w2_count_what_the_engine_finds() {
    let signals: Vec<Signal> = Any::new(1).take(2_000).collect();
    for (window, least) in [(3, 0), (10, 0), (50, 0), (100, VALUES / 2), (500, VALUES / 10 * 9)] {
        let options = Options { schema: rows::signals(), ..Options::default() };
        let patterns = checked("any", &any::pattern(window, least), &options);
        let config = Config { watermarks: Watermarks::Ascending, timeouts: false, ..Config::default() };
        let mut engine = Engine::new(&patterns, config).unwrap();
        let mut out = Outputs::new();
        signals.iter().for_each(|signal| engine.push(signal.row(), &mut out).unwrap());
        assert!(!out.matches.is_empty());
        assert_eq!(out.matches.len() as u64, any::matches(&signals, window, least), "window {window}");
    }
}
