//! What `emit` and `timeout` become, and patterns that read what others emit.

use ensue_model::expr::{Ask, Expr, Lookback, LookbackId, Pick};
use ensue_model::pattern::StageId;
use ensue_model::record::{Emission, Record};
use ensue_model::schema::{Field, FieldId, StreamId};
use ensue_model::{Patterns, Type};

use super::checked::{constant, equal, field, pattern};
use super::compile_all;
use super::streams::{conditions, patterns};
use crate::{Options, Source, compile};

const ORDERS: &str = "stream orders { id: int @key type: string @type amount: decimal? at: timestamp @time }\n";

/// `name: type`, with `?` for what may be null, of each field of a stream that is emitted.
fn fields(patterns: &Patterns, stream: &str) -> String {
    let stream = patterns.stream(stream).unwrap_or_else(|| panic!("{stream} is read"));
    let shown = |Field { name, kind, nullable }: &Field| format!("{name}: {kind}{}", if *nullable { "?" } else { "" });
    let fields = patterns.streams[usize::from(stream.0)].fields.iter();
    fields.map(|field| shown(patterns.schema.get(*field))).collect::<Vec<_>>().join(", ")
}

#[test]
fn a_record_has_lookbacks_of_its_own() {
    let pattern = pattern(
        "begin a where true followedBy b where x > a.x within 5m\n\
         emit { y: b.y, both: a.x + b.y, k: count(a) } timeout { y: a.y, late: deadline(), missing: awaiting() }",
    );
    let last = |stage, position| Lookback { stage: StageId(stage), ask: Ask::Pick(Pick::Last, *field(position)) };
    assert_eq!(pattern.lookbacks, [last(0, 0)]);
    let Record { name, stream, entries, lookbacks, condition: _ } = pattern.emit.record().expect("it is there");
    assert_eq!((name, stream, lookbacks.len()), (&None, &None, 3));
    assert_eq!(lookbacks[..2], [last(1, 1), last(0, 0)]);
    assert_eq!(entries[0].value, Expr::Lookback(LookbackId(0)));
    assert_eq!(entries.iter().map(|entry| entry.kind.clone()).collect::<Vec<_>>(), [Type::Any, Type::Any, Type::Int]);
    let timeout = pattern.timeout.record().expect("it is there");
    assert_eq!(timeout.lookbacks, [last(0, 1)]);
    assert_eq!((&timeout.entries[1].value, &timeout.entries[2].value), (&Expr::Deadline, &Expr::Awaiting));
}

#[test]
fn a_record_that_a_pattern_reads_is_a_stream() {
    let text = format!(
        "{ORDERS}pattern unhappy from unpaid key order begin a{{3}} where missing[0] == \"pay\" within 1h\n\
         pattern late begin create followedBy pay within 15m\n\
         emit paid {{ id: key() }} timeout unpaid {{ order: create.id, missing: awaiting(), amount: create.amount }}"
    );
    let patterns = patterns(&text);
    assert_eq!(fields(&patterns, "unpaid"), "order: int, missing: list<string>, amount: decimal?");
    let [unhappy, late] = patterns.patterns.as_slice() else { panic!("there are two") };
    // The order of the text stays, although the second is checked first.
    assert_eq!((unhappy.name.as_str(), &unhappy.from), ("unhappy", &vec![StreamId(1)]));
    assert!(patterns.streams[1].is_emitted && !patterns.streams[0].is_emitted);
    assert_eq!(patterns.streams.len(), 2);
    let timeout = late.timeout.record().expect("it is there");
    let ids: Vec<_> = timeout.entries.iter().map(|entry| entry.field).collect();
    // The amount is of the name and type that it has in the orders.
    assert_eq!((timeout.stream, ids), (Some(StreamId(1)), vec![Some(FieldId(4)), Some(FieldId(5)), Some(FieldId(2))]));
    // Nobody reads the other.
    let emit = late.emit.record().expect("it is there");
    assert_eq!((emit.name.as_deref(), emit.stream, emit.entries[0].field), (Some("paid"), None, None));
    // The marks are those of the only stream that is fed.
    assert_eq!((patterns.schema.stream.as_deref(), patterns.schema.time), (Some("orders"), Some(FieldId(3))));
}

#[test]
fn an_entry_may_be_null_where_its_stage_may_hold_nothing() {
    let text = format!(
        "{ORDERS}pattern p begin create followedBy (pay & (ship followedBy note?)) followedBy (a | b) within 1h\n\
         emit done {{ c: create.id, p: pay.id, s: first(ship).at, n: note.id, a: a.id, m: create.amount, k: key(),\n\
         t: time(pay), u: time(note), x: note.id ?? 0, w: count(note), i: if count(note) > 0 then 1 else 2, d: pay.id / 2 }}\n\
         timeout open {{ c: create.id, p: pay.id, late: deadline() }}\n\
         pattern q from done, open key k begin z where true"
    );
    let error = compile_all(&text, &Options::default()).expect_err("`open` has no `k`").to_string();
    assert!(error.contains("stream `open` has no field `k`"), "{error}");
    let patterns = patterns(&text.replace("key k", "key { done: k, open: c }"));
    assert_eq!(
        fields(&patterns, "done"),
        "c: int, p: int?, s: timestamp, n: int?, a: int?, m: decimal?, k: int, t: timestamp, u: timestamp?, x: int, w: int, \
         i: int, d: float?"
    );
    // A field that streams share may be null where it may be in one of them.
    assert_eq!(fields(&patterns, "open"), "c: int, p: int?, late: timestamp");
}

#[test]
fn several_patterns_may_emit_the_same_record() {
    let text = format!(
        "{ORDERS}pattern large begin create where amount > 100.0 emit alert {{ id: create.id, what: \"large\" }}\n\
         pattern late begin create followedBy pay within 5m timeout alert {{ what: awaiting()[0], id: create.id }}\n\
         pattern any key id begin x: alert where what == \"large\" followedBy y: alert where id == x.id"
    );
    let patterns = patterns(&text);
    assert_eq!(fields(&patterns, "alert"), "id: int, what: string?");
    let streams = |position: usize| {
        let pattern = &patterns.patterns[position];
        pattern.emit.record().or(pattern.timeout.record()).and_then(|record| record.stream)
    };
    assert_eq!((streams(0), streams(1)), (Some(StreamId(1)), Some(StreamId(1))));
    assert_eq!(patterns.patterns[2].from, [StreamId(1)]);
}

#[test]
fn patterns_read_each_other_in_any_order_of_the_text() {
    let text = "pattern third key id begin c: two where v == 3 emit three { id: key() }\n\
                pattern second key id begin b: one where v == 2 emit two { id: b.id, v: b.v + 1 }\n\
                pattern first key id begin a where x == 1 emit one { id: a.id, v: 2 }\n\
                pattern fourth from three, one key id begin d where true";
    let patterns = patterns(text);
    let from: Vec<_> = patterns.patterns.iter().map(|pattern| pattern.from.clone()).collect();
    let named = |name: &str| patterns.stream(name).expect("it is read");
    let mut last = vec![named("three"), named("one")];
    last.sort();
    assert_eq!(from, [vec![named("two")], vec![named("one")], vec![StreamId(0)], last]);
    assert_eq!(fields(&patterns, "two"), "id: any?, v: int?");
    // What is fed has no name and grows by what is asked of it; what is emitted does not.
    assert_eq!(patterns.streams[0].name, None);
    assert_eq!(patterns.streams[0].fields.len(), 2);
    let v = patterns.schema.fields.iter().position(|field| field.name == "v").expect("it is a field") as u16;
    assert_eq!(conditions(&patterns.patterns[0]), [equal(field(v), constant(3))]);
}

#[test]
fn what_patterns_emit_has_no_key_of_its_own() {
    let text = "stream s { id: int @key } pattern p begin a where true emit e { id: a.id } pattern q from e begin b where true";
    let patterns = patterns(text);
    assert_eq!((patterns.patterns[0].key.names.len(), patterns.patterns[1].key.names.len()), (1, 0));
}

#[test]
fn outputs_come_out_on_a_condition_or_not_at_all() {
    let pattern = pattern(
        "begin a where true followedBy b where true within 5m\n\
         emit none timeout late { id: a.x } where a.x > 3 and awaiting()[0] == \"b\"",
    );
    assert_eq!(pattern.emit, Emission::Nothing);
    let record = pattern.timeout.record().expect("it is there");
    assert_eq!(record.entries.len(), 1);
    assert!(record.condition.is_some());
    assert_eq!(record.lookbacks.len(), 1, "the entry and the condition ask the same");
}

#[test]
fn records_of_other_files_are_known() {
    let reads = Source::new("reads.pattern", "pattern reads from seen key x begin a{2} where x > 1");
    let emits = Source::new("emits.pattern", "begin a where x > 1 emit seen { x: a.x }");
    let compiled = compile(&[reads.clone(), emits.clone()], &Options::default());
    let patterns = compiled.unwrap_or_else(|errors| panic!("{errors}")).patterns;
    assert_eq!(fields(&patterns, "seen"), "x: any?");
    let other = Source::new("other.pattern", "begin a where x > 1 emit seen { y: a.x }");
    let errors = compile(&[reads, emits, other], &Options::default()).expect_err("the records differ").to_string();
    assert!(errors.contains("the records `seen` differ: `x` is missing here"), "{errors}");
    assert!(
        errors.contains("--> other.pattern:1:26") && errors.contains("the other one is in emits.pattern"),
        "{errors}"
    );
}
