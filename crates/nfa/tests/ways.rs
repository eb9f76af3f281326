//! Patterns over several streams, and events that come to several keys, as the checker makes them: built by hand.

use ensue_model::expr::{BinaryOperator, Expr};
use ensue_model::key::KeyWay;
use ensue_model::output::Taken;
use ensue_model::pattern::{Pattern, Sequence, Stage, StageId, Step};
use ensue_model::{FieldId, Keys, Row, StreamId, Timestamp, Value};
use ensue_nfa::{Asks, Conditions, Incoming, Limits, Program, Runs, Scratch, Sink};

/// The fields of the events.
const PID: FieldId = FieldId(0);
const PARENT: FieldId = FieldId(1);
const KIND: FieldId = FieldId(2);

const FIRST_WAY: u64 = 0b01;
const SECOND_WAY: u64 = 0b10;

fn binary(operator: BinaryOperator, left: Expr, right: Expr) -> Expr {
    Expr::Binary(operator, Box::new(left), Box::new(right))
}

fn and(left: Expr, right: Expr) -> Expr {
    binary(BinaryOperator::And, left, right)
}

fn is(field: FieldId, value: Value<'static>) -> Expr {
    binary(BinaryOperator::Equal, Expr::Field(field), Expr::Constant(value))
}

fn is_kind(kind: &'static str) -> Expr {
    is(KIND, kind.into())
}

/// `begin a where .. followedBy b where ..`
fn followed_by(a: Expr, b: Expr) -> Pattern {
    let steps = vec![Step::stage(StageId(0), a), Step::stage(StageId(1), b)];
    Pattern::new("p", vec![Stage::named("a"), Stage::named("b")], Sequence { steps })
}

/// `key { a: pid, b: parent }`
fn keyed_by_stage(pattern: Pattern) -> Pattern {
    let way = |field| KeyWay { stream: None, parts: vec![Expr::Field(field)] };
    Pattern { key: Keys { names: vec!["pid".into()], ways: vec![way(PID), way(PARENT)] }, ..pattern }
}

fn program(pattern: &Pattern) -> Program {
    ensue_nfa::compile(pattern).unwrap_or_else(|too_large| panic!("{too_large}"))
}

fn event(pid: i64, parent: i64, kind: &'static str) -> Row {
    Row::new(Timestamp::from_seconds(0), vec![pid.into(), parent.into(), kind.into()])
}

/// The positions of the events of matches.
#[derive(Default)]
struct Matches(Vec<Vec<u64>>);

impl Sink<Row> for Matches {
    fn matched(&mut self, events: Vec<(StageId, Taken<Row>)>, _: Timestamp) {
        self.0.push(events.iter().map(|(_, taken)| taken.position).collect());
    }

    fn timed_out(&mut self, _: Vec<(StageId, Taken<Row>)>, _: Timestamp, _: Vec<StageId>) {}
}

/// A program with the runs of two keys.
struct Running {
    program: Program,
    conditions: Conditions,
    scratch: Scratch,
    keys: [Runs<Row>; 2],
    matches: Matches,
    position: u64,
}

impl Running {
    fn new(pattern: &Pattern) -> Self {
        let (program, mut conditions) = (program(pattern), Conditions::new());
        let limits = Limits { events_per_run: 10, matches_per_event: 10 };
        let scratch = Scratch::new(&program, true, limits, &mut conditions);
        Running { program, conditions, scratch, keys: Default::default(), matches: Matches::default(), position: 0 }
    }

    /// Gives an event to each of these keys, by these ways.
    fn give(&mut self, event: &Row, keys: &[(usize, u64)]) {
        for (key, ways) in keys {
            let Running { program, conditions, scratch, .. } = self;
            let incoming = Incoming::new(event.clone(), self.position).by_ways(*ways);
            if program.concerns(&incoming, scratch, conditions) {
                program.step(&mut self.keys[*key], &incoming, scratch, &mut self.matches);
            }
        }
        self.position += 1;
    }

    fn has_runs(&self) -> [bool; 2] {
        self.keys.each_ref().map(|runs| !runs.is_empty())
    }
}

fn family() -> Pattern {
    keyed_by_stage(followed_by(
        and(Expr::KeyedBy(0), is_kind("start")),
        and(Expr::KeyedBy(1), and(Expr::OfStream(StreamId(0)), is_kind("stop"))),
    ))
}

#[test]
fn an_event_is_taken_only_by_the_stage_that_its_way_of_key_is_for() {
    let mut running = Running::new(&family());
    running.give(&event(0, 1, "start"), &[(0, FIRST_WAY), (1, SECOND_WAY)]);
    assert_eq!(running.has_runs(), [true, false]);
    // The same the other way round: what was found out for the first key does not hold for the second.
    running.give(&event(1, 0, "start"), &[(0, SECOND_WAY), (1, FIRST_WAY)]);
    assert_eq!(running.has_runs(), [true, true]);
    running.give(&event(1, 0, "stop"), &[(1, FIRST_WAY), (0, SECOND_WAY)]);
    assert_eq!(running.matches.0, [[0, 2]]);
    assert_eq!(running.has_runs(), [false, true]);
}

#[test]
fn an_event_that_comes_by_both_ways_is_for_both_stages() {
    let either = |way| and(Expr::KeyedBy(way), is_kind("both"));
    let mut running = Running::new(&keyed_by_stage(followed_by(either(0), either(1))));
    running.give(&event(0, 0, "both"), &[(0, FIRST_WAY | SECOND_WAY)]);
    assert!(running.matches.0.is_empty());
    running.give(&event(0, 0, "both"), &[(0, FIRST_WAY | SECOND_WAY)]);
    assert_eq!(running.matches.0, [[0, 1]]);
}

#[test]
fn a_stage_that_asks_for_nothing_but_its_way_takes_what_comes_by_it() {
    let mut running = Running::new(&keyed_by_stage(followed_by(Expr::KeyedBy(0), Expr::KeyedBy(1))));
    running.give(&event(0, 1, "x"), &[(1, SECOND_WAY), (0, FIRST_WAY)]);
    assert_eq!(running.has_runs(), [true, false]);
    running.give(&event(1, 0, "y"), &[(1, FIRST_WAY), (0, SECOND_WAY)]);
    assert_eq!(running.matches.0, [[0, 1]]);
}

#[test]
fn the_key_is_that_by_which_the_event_has_come() {
    let is_key_7 = binary(BinaryOperator::Equal, Expr::Key(0), Expr::Constant(Value::Int(7)));
    let mut running = Running::new(&keyed_by_stage(followed_by(is_key_7, is_kind("stop"))));
    running.give(&event(7, 8, "x"), &[(1, SECOND_WAY), (0, FIRST_WAY)]);
    assert_eq!(running.has_runs(), [true, false]);
    running.give(&event(8, 7, "x"), &[(1, SECOND_WAY), (0, FIRST_WAY)]);
    assert_eq!(running.has_runs(), [true, true]);
}

/// What an event needs, as `field value`; none where any event may concern the pattern.
fn needs(pattern: &Pattern) -> Option<Vec<String>> {
    let needs = program(pattern).needs()?;
    Some(needs.iter().map(|need| format!("{} {}", need.field.0, need.value)).collect())
}

#[test]
fn what_an_event_needs_is_seen_behind_its_way_and_its_stream() {
    let expected = Some(vec!["2 \"stop\"".to_owned(), "2 \"start\"".to_owned()]);
    assert_eq!(needs(&family()), expected);
    let any = keyed_by_stage(followed_by(Expr::KeyedBy(0), and(Expr::KeyedBy(1), is_kind("stop"))));
    assert_eq!(needs(&any), None);
}

#[test]
fn each_side_of_an_or_says_what_it_needs() {
    let of = |stream, condition| and(Expr::OfStream(StreamId(stream)), condition);
    let either = binary(BinaryOperator::Or, of(0, is_kind("start")), of(1, is(PID, Value::Int(3))));
    let pattern = followed_by(either.clone(), of(1, is_kind("stop")));
    assert_eq!(needs(&pattern), Some(["2 \"stop\"", "2 \"start\"", "0 3"].map(String::from).to_vec()));
    let pattern = followed_by(binary(BinaryOperator::Or, either, Expr::OfStream(StreamId(1))), is_kind("stop"));
    assert_eq!(needs(&pattern), None);
}

#[test]
fn an_event_of_another_stream_is_not_one_that_is_needed() {
    let of_second = |condition| and(Expr::OfStream(StreamId(1)), condition);
    let program = program(&followed_by(of_second(is_kind("start")), of_second(is_kind("stop"))));
    let needs = program.needs().expect("both begin with a comparison");
    let mut asks = Asks::default();
    needs.into_iter().for_each(|need| asks.add(7, need, true));
    let asked = |event| {
        let mut found = Vec::new();
        asks.find(&event, &mut found);
        found.iter().map(|asked| asked.program).collect::<Vec<_>>()
    };
    let start = event(0, 0, "start");
    assert_eq!(asked(start.clone()), []);
    assert_eq!(asked(start.of_stream(StreamId(1))), [7, 7]);
}

#[test]
fn a_stage_of_a_stream_takes_events_of_that_stream_only() {
    let of = |stream, kind| and(Expr::OfStream(StreamId(stream)), is_kind(kind));
    let mut running = Running::new(&followed_by(of(0, "x"), of(1, "x")));
    let x = event(0, 0, "x");
    running.give(&x.clone().of_stream(StreamId(1)), &[(0, FIRST_WAY)]);
    assert_eq!(running.has_runs(), [false, false]);
    running.give(&x, &[(0, FIRST_WAY)]);
    running.give(&x.of_stream(StreamId(1)), &[(0, FIRST_WAY)]);
    assert_eq!(running.matches.0, [[1, 2]]);
}
