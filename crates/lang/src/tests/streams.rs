//! What patterns over several streams become.

use ensue_model::expr::{BinaryOperator, Expr, LookbackId};
use ensue_model::key::KeyWay;
use ensue_model::pattern::{Pattern, Step, Term};
use ensue_model::schema::{FieldId, Stream, StreamId};
use ensue_model::{Keys, Patterns, Schema, Type};

use super::checked::{constant, equal, field, pattern};
use super::compile_all;
use crate::{Options, Source, compile};

/// Two streams that share a field, with no more in common.
const STREAMS: &str = "stream orders { tx_id: int @key type: string @type amount: decimal }\n\
                       stream receipts { reference: int @key amount: decimal? note: string }\n";

pub(super) fn patterns(text: &str) -> Patterns {
    compile_all(text, &Options::default()).unwrap_or_else(|errors| panic!("{errors}")).patterns
}

/// The conditions of a pattern's steps, which are stages.
pub(super) fn conditions(pattern: &Pattern) -> Vec<Expr> {
    let condition = |step: &Step| match &step.term {
        Term::Stage(_, condition) => condition.clone(),
        other => panic!("{other:?}"),
    };
    pattern.sequence.steps.iter().map(condition).collect()
}

fn and(left: Expr, right: Expr) -> Expr {
    Expr::Binary(BinaryOperator::And, Box::new(left), Box::new(right))
}

fn of(stream: u16) -> Expr {
    Expr::OfStream(StreamId(stream))
}

#[test]
fn streams_share_the_fields_that_have_the_same_name_and_type() {
    let Patterns { schema, streams, .. } =
        patterns(&format!("{STREAMS}pattern p from orders key tx_id begin a where true"));
    let names: Vec<&str> = schema.fields.iter().map(|field| field.name.as_str()).collect();
    assert_eq!(names, ["tx_id", "type", "amount", "reference", "note"]);
    // In one of the streams it may be null.
    assert!(schema.fields[2].nullable);
    let fields = |stream: &Stream| stream.fields.iter().map(|field| field.0).collect::<Vec<_>>();
    assert_eq!((fields(&streams[0]), fields(&streams[1])), (vec![0, 1, 2], vec![3, 2, 4]));
    assert_eq!((streams[0].type_field, streams[1].type_field), (Some(FieldId(1)), None));
    assert_eq!((streams[0].key, streams[1].key), (Some(FieldId(0)), Some(FieldId(3))));
    // Of several streams, none gives its marks to all.
    assert_eq!((schema.stream, schema.key, schema.closed), (None, None, true));
}

#[test]
fn the_only_stream_keeps_its_positions_and_its_marks() {
    let schema = Schema::stream("orders").field("a", Type::Int).field("b", Type::Int).key("b");
    let options = Options { schema: schema.clone(), ..Options::default() };
    let patterns = compile_all("begin x where b == 1", &options).unwrap_or_else(|errors| panic!("{errors}")).patterns;
    assert_eq!(patterns.schema, schema);
    assert_eq!(patterns.streams, [Stream::only(&schema)]);
}

#[test]
fn a_pattern_reads_what_it_says_else_what_its_stages_name_else_the_only_stream() {
    let read = |text: &str| patterns(text).patterns.remove(0).from.iter().map(|stream| stream.0).collect::<Vec<_>>();
    let of_several = |text: &str| read(&format!("{STREAMS}{text}"));
    assert_eq!(of_several("pattern p from receipts begin a where true"), [1]);
    assert_eq!(of_several("pattern p from receipts, orders begin a where true"), [0, 1]);
    assert_eq!(of_several("pattern p begin a: receipts where true next b: receipts where true"), [1]);
    assert_eq!(of_several("pattern p begin a: receipts where true next b: orders"), [0, 1]);
    assert_eq!(read("stream s { x: int } pattern p begin a where true"), [0]);
    assert_eq!(read("begin a where true"), [0]);
}

#[test]
fn streams_of_which_nothing_is_declared_are_those_that_the_patterns_name() {
    let names = |patterns: &Patterns| patterns.streams.iter().map(|stream| stream.name.clone()).collect::<Vec<_>>();
    let named = |name: &str| Some(name.to_owned());
    assert_eq!(names(&patterns("begin a where true")), [None]);
    let one = patterns("pattern p from orders begin a where true pattern q begin b where true");
    assert_eq!((names(&one), &one.patterns[1].from), (vec![named("orders")], &vec![StreamId(0)]));
    let two = patterns("pattern p key id begin a: orders where x == y next b: receipts where z == a.x");
    assert_eq!(names(&two), [named("orders"), named("receipts")]);
    let fields = |stream: usize| two.streams[stream].fields.iter().map(|field| &two.schema.get(*field).name);
    assert_eq!(fields(0).collect::<Vec<_>>(), ["id", "x", "y"]);
    assert_eq!(fields(1).collect::<Vec<_>>(), ["id", "z"]);
    assert!(!two.schema.closed);
}

#[test]
fn streams_of_other_files_are_known() {
    let sources = [Source::new("p.pattern", "pattern p from orders begin create"), Source::new("s.pattern", STREAMS)];
    let compiled = compile(&sources, &Options::default()).unwrap_or_else(|errors| panic!("{errors}"));
    assert_eq!(compiled.patterns.patterns[0].from, [StreamId(0)]);
}

#[test]
fn a_stages_stream_is_a_part_of_its_condition_and_its_names_are_of_that() {
    let text = format!(
        "{STREAMS}pattern p begin create: orders\nfollowedBy pay: receipts where note == \"x\" and amount < create.amount"
    );
    let pattern = patterns(&text).patterns.remove(0);
    let [create, pay] = conditions(&pattern).try_into().expect("there are two");
    assert_eq!(create, and(of(0), equal(field(1), constant("create"))));
    let less = Expr::Binary(BinaryOperator::Less, field(2), Box::new(Expr::Lookback(LookbackId(0))));
    assert_eq!(pay, and(of(1), and(equal(field(4), constant("x")), less)));
    assert_eq!(
        pattern.stages.iter().map(|stage| stage.stream).collect::<Vec<_>>(),
        [Some(StreamId(0)), Some(StreamId(1))]
    );
    // Where only one stream is read, all events are of that.
    let one = patterns(&format!("{STREAMS}pattern p begin pay: receipts where note == \"x\"")).patterns.remove(0);
    assert_eq!(conditions(&one), [equal(field(4), constant("x"))]);
}

#[test]
fn a_loop_of_a_stream_is_ended_by_events_of_that() {
    let text = format!("{STREAMS}pattern p begin a: orders next b+: receipts where true until amount > 5");
    // The quantifier stands behind the stream.
    let text = text.replace("b+: receipts", "b: receipts+");
    let mut pattern = patterns(&text).patterns.remove(0);
    let exact = Expr::Binary(BinaryOperator::Greater, field(2), constant(5));
    assert_eq!(pattern.sequence.steps.remove(1).until, Some(and(of(1), exact)));
}

#[test]
fn a_bare_stage_asks_the_type_of_each_stream_that_has_one() {
    let bare = |streams: &str| {
        let streams: String = ["a", "b"]
            .into_iter()
            .zip(streams.split('|'))
            .map(|(name, fields)| format!("stream {name} {{ id: int @key {fields} }}\n"))
            .collect();
        conditions(&patterns(&format!("{streams}pattern p from a, b begin x")).patterns[0]).remove(0)
    };
    let is_x = |position| equal(field(position), constant("x"));
    // A field that both share asks both.
    assert_eq!(bare("type: string @type|type: string @type"), is_x(1));
    // What only one has is null for the other.
    assert_eq!(bare("type: string @type|"), is_x(1));
    assert_eq!(bare("|type: string @type"), is_x(1));
    // What is not marked in one of them says something else there.
    assert_eq!(bare("type: string @type|type: string"), and(of(0), is_x(1)));
    let either = Expr::Binary(BinaryOperator::Or, Box::new(and(of(0), is_x(1))), Box::new(and(of(1), is_x(2))));
    assert_eq!(bare("type: string @type|kind: string @type"), either);
}

#[test]
fn a_key_has_a_way_for_each_stream_where_it_differs() {
    let key = |text: &str| patterns(&format!("{STREAMS}pattern p from orders, receipts {text}")).patterns.remove(0).key;
    let way = |stream: Option<u16>, parts: &[u16]| KeyWay {
        stream: stream.map(StreamId),
        parts: parts.iter().map(|part| *field(*part)).collect(),
    };
    let by_stream = Keys { names: vec!["tx_id".into()], ways: vec![way(Some(0), &[0]), way(Some(1), &[3])] };
    assert_eq!(key("begin a where true"), by_stream);
    let said = key("key { receipts: reference, orders: tx_id } begin a where true");
    assert_eq!(said, Keys { names: vec!["reference".into()], ways: vec![way(Some(1), &[3]), way(Some(0), &[0])] });
    let shared = key("key amount, amount begin a where true");
    assert_eq!(shared, Keys { names: vec!["amount".into(), "amount".into()], ways: vec![way(None, &[2, 2])] });
    // What has the same name and another type in each is another field.
    let unlike = "stream a { id: any } stream b { id: int } pattern p from a, b key id begin x where true";
    assert_eq!(patterns(unlike).patterns.remove(0).key.ways, [way(Some(0), &[0]), way(Some(1), &[1])]);
}

#[test]
fn a_stages_key_is_a_part_of_its_condition() {
    let pattern = pattern(
        "stream processes { pid: int parent_pid: int type: string @type }\n\
         pattern p key { parent: pid, child: parent_pid, other: pid } begin parent\n\
         followedBy child where true notFollowedBy other where true within 1m",
    );
    let way = |position| KeyWay { stream: None, parts: vec![*field(position)] };
    assert_eq!(pattern.key, Keys { names: vec!["pid".into()], ways: vec![way(0), way(1)] });
    let by = Expr::KeyedBy;
    let parent = and(by(0), equal(field(2), constant("parent")));
    assert_eq!(conditions(&pattern), [parent, by(1), by(0)]);
    // One way needs no telling apart.
    let same = self::pattern("pattern p key { a: id, b: id } begin a where true next b where true");
    assert_eq!(same.key.ways, [way(0)]);
    assert_eq!(conditions(&same), [Expr::truth(), Expr::truth()]);
}

#[test]
fn a_stages_key_is_over_the_stream_that_it_takes() {
    let text = format!(
        "{STREAMS}pattern p from orders, receipts key {{ create: tx_id, pay: reference, any: amount }} begin create: orders\n\
         followedBy pay: receipts where true followedBy any where true"
    );
    let error = compile_all(&text, &Options::default()).expect_err("an int is no decimal");
    assert!(error.to_string().contains("the key is int for stage `create` and decimal for stage `any`"), "{error}");
    let mut pattern = patterns(&text.replace("any: amount", "any: tx_id ?? reference")).patterns.remove(0);
    let streams: Vec<Option<u16>> = pattern.key.ways.iter().map(|way| way.stream.map(|stream| stream.0)).collect();
    assert_eq!(streams, [Some(0), Some(1), None]);
    let Term::Stage(_, condition) = pattern.sequence.steps.remove(1).term else { panic!("it is a stage") };
    assert_eq!(condition, and(Expr::KeyedBy(1), of(1)));
}
