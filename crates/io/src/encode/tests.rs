use std::sync::Arc;

use ensue_model::pattern::{Sequence, Stage};
use ensue_model::record::{Emission, Entry};
use ensue_model::schema::Stream;
use ensue_model::{Expr, FieldId, Keys, Schema, Span, Type, Value};
use rust_decimal::Decimal;

use super::*;
use crate::format::Csv;

fn patterns(schema: Schema, key: &[&str]) -> Patterns {
    let stages = ["create", "note", "pay"].map(Stage::named).to_vec();
    let pattern = Pattern {
        key: Keys::new(key.iter().map(|name| ((*name).to_owned(), Expr::truth())).collect()),
        ..Pattern::new("say \"hi\"", stages, Sequence { steps: vec![] })
    };
    Patterns::of_one_stream(schema, vec![pattern])
}

fn json() -> [(StreamId, RowFormat); 1] {
    [(StreamId(0), RowFormat::JsonLines)]
}

/// A run whose events came as these bytes, a second apart, taken by these stages.
fn run(key: Vec<Value<'static>>, events: &[(u16, &str)]) -> Partial<Row> {
    let taken = |(second, &(stage, raw)): (i64, &(u16, &str))| {
        let time = Timestamp::from_millis(second * 1_000);
        let row = Row::of_text(time, raw, []);
        (StageId(stage), Taken { event: Arc::new(row), time, position: second as u64 })
    };
    Partial { pattern: 0, key: key.into_iter().collect(), events: (0..).zip(events).map(taken).collect() }
}

fn written(write: impl FnOnce(&mut Vec<u8>)) -> String {
    let mut out = Vec::new();
    write(&mut out);
    let text = String::from_utf8(out).unwrap();
    let line = text.strip_suffix('\n').expect("an output is a line");
    assert!(!line.contains('\n'), "an output is one line");
    serde_json::from_str::<serde_json::Value>(line).expect("an output is JSON");
    line.to_owned()
}

fn csv_event(schema: Schema, columns: &[&str], raw: &str) -> String {
    let envelope = Envelope::new(&patterns(schema, &[]), &[(StreamId(0), RowFormat::Csv(Csv::new(columns)))]);
    let row = Row::of_text(Timestamp::from_millis(0), raw, []);
    let line = written(|out| envelope.write_late(&row, out));
    let event = line.strip_prefix(r#"{"kind":"late","time":"1970-01-01T00:00:00Z","event":"#).unwrap();
    event.strip_suffix('}').unwrap().to_owned()
}

fn logfmt_event(schema: Schema, raw: &str) -> String {
    let envelope = Envelope::new(&patterns(schema, &[]), &[(StreamId(0), RowFormat::Logfmt)]);
    let row = Row::of_text(Timestamp::from_millis(0), raw, []);
    let line = written(|out| envelope.write_late(&row, out));
    let event = line.strip_prefix(r#"{"kind":"late","time":"1970-01-01T00:00:00Z","event":"#).unwrap();
    event.strip_suffix('}').unwrap().to_owned()
}

#[test]
fn a_logfmt_event_is_an_object_of_its_names() {
    insta::assert_snapshot!(
        logfmt_event(Schema::open(), r#"level=info msg="say \"é\"\n" amount=12.50 code="007" id=007 retried note= gone=null ok=false"#),
        @r#"{"level":"info","msg":"say \"é\"\n","amount":12.50,"code":"007","id":"007","retried":true,"note":null,"gone":null,"ok":false}"#
    );
    let schema = Schema::stream("s")
        .field("code", Type::String)
        .field("flag", Type::String)
        .nullable("note", Type::String)
        .field("list", Type::List(Box::new(Type::Int)))
        .field("ok", Type::Bool);
    insta::assert_snapshot!(logfmt_event(schema, r#"code=7 flag note= list="[1, 2]" ok=true other=true"#), @r#"{"code":"7","flag":"true","note":null,"list":[1, 2],"ok":true,"other":true}"#);
    insta::assert_snapshot!(logfmt_event(Schema::open(), "a=1 b=2 a=3"), @r#"{"b":2,"a":3}"#);
}

proptest::proptest! {
    /// What the event of a line shows is what its fields say.
    #[test]
    fn a_logfmt_event_shows_what_its_fields_say(
        fields in proptest::collection::btree_map("[a-z]{1,3}", proptest::prop_oneof!["-?[0-9]{1,3}(\\.[1-9])?", "true", "[a-z=\"]{1,5}", "\".{0,9}\""], 0..6),
    ) {
        let fields: Vec<(String, String)> = fields.into_iter().collect();
        let written: Vec<(&str, String)> = fields.iter().map(|(name, value)| match value.strip_prefix('"') {
            Some(text) => (&**name, serde_json::to_string(text.strip_suffix('"').unwrap_or(text)).unwrap()),
            None => (&**name, value.clone()),
        }).collect();
        let line: Vec<String> = written.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let shown: serde_json::Value = serde_json::from_str(&logfmt_event(Schema::open(), &line.join(" "))).unwrap();
        for (name, value) in written {
            let expected = serde_json::from_str(&value).unwrap_or(serde_json::Value::String(value));
            proptest::prop_assert_eq!(&shown[name], &expected);
        }
    }
}

#[test]
fn a_match_is_the_envelope_with_its_events_by_stage() {
    let envelope = Envelope::new(&patterns(Schema::open(), &["order_id", "shop"]), &json());
    let key = vec![Value::Int(1234), Value::from("a\"b")];
    let run = run(key, &[(0, r#"{"n":1.50}"#), (2, r#"{"n": 2}"#), (2, "{}")]);
    let matched = Match { at: run.end(), run, record: None };
    insta::assert_snapshot!(written(|out| _ = envelope.write_match(&matched, out)), @r#"{"kind":"match","pattern":"say \"hi\"","key":{"order_id":1234,"shop":"a\"b"},"start":"1970-01-01T00:00:00Z","end":"1970-01-01T00:00:02Z","id":"96d71a4478544c232657ce6271ad4598","events":{"create":[{"n":1.50}],"pay":[{"n": 2},{}]}}"#);
}

#[test]
fn a_timeout_names_the_stages_that_it_waited_for() {
    let envelope = Envelope::new(&patterns(Schema::open(), &[]), &json());
    let run = run(vec![], &[(0, "{}")]);
    let deadline = run.start() + Span::from_millis(900_500);
    let timeout = Timeout { run, deadline, awaiting: vec![StageId(1), StageId(2)], record: None };
    insta::assert_snapshot!(written(|out| _ = envelope.write_timeout(&timeout, out)), @r#"{"kind":"timeout","pattern":"say \"hi\"","key":{},"start":"1970-01-01T00:00:00Z","deadline":"1970-01-01T00:15:00.500Z","awaiting":["note","pay"],"id":"6d24aa4df58f21c866f6561df4ea88b0","events":{"create":[{}]}}"#);
}

/// A record of entries with these names.
fn record(names: &[&str]) -> Emission {
    let entry = |name: &&str| Entry { name: (*name).to_owned(), kind: Type::Any, value: Expr::truth(), field: None };
    let entries = names.iter().map(entry).collect();
    Emission::Record(Record { name: None, stream: None, entries, condition: None, lookbacks: vec![] })
}

#[test]
fn a_record_stands_in_the_place_of_the_events() {
    let mut patterns = patterns(Schema::open(), &["order_id"]);
    patterns.patterns[0].emit = record(&["order \"id\"", "price", "waited"]);
    patterns.patterns[0].timeout = record(&["missing"]);
    let envelope = Envelope::new(&patterns, &json());
    let run = run(vec![Value::Int(7)], &[(0, "{}")]);
    let decimal = Decimal::from_str_exact("123456789012345678901234.5600").unwrap();
    let values = vec![Value::Int(7), decimal.into(), Span::from_millis(1_500).into()];
    let matched = Match { at: run.end(), run: run.clone(), record: Some(values.into()) };
    insta::assert_snapshot!(written(|out| _ = envelope.write_match(&matched, out)), @r#"{"kind":"match","pattern":"say \"hi\"","key":{"order_id":7},"start":"1970-01-01T00:00:00Z","end":"1970-01-01T00:00:00Z","id":"6ffe88c990373210168fe636f8cab0ab","record":{"order \"id\"":7,"price":123456789012345678901234.5600,"waited":"1s500ms"}}"#);
    let missing = Value::List(Arc::from(["note", "pay"].map(Value::from)));
    let deadline = run.start() + Span::from_millis(1_000);
    let timeout = Timeout { run, deadline, awaiting: vec![StageId(1)], record: Some([missing].into()) };
    insta::assert_snapshot!(written(|out| _ = envelope.write_timeout(&timeout, out)), @r#"{"kind":"timeout","pattern":"say \"hi\"","key":{"order_id":7},"start":"1970-01-01T00:00:00Z","deadline":"1970-01-01T00:00:01Z","awaiting":["note"],"id":"8e122fd861cdd41236351484d053e25a","record":{"missing":["note","pay"]}}"#);
}

#[test]
fn the_id_is_that_of_the_model() {
    let envelope = Envelope::new(&patterns(Schema::open(), &[]), &json());
    let run = run(vec![], &[(0, "{}")]);
    let id = format!("\"id\":\"{:032x}\"", OutputIds::new("match", "say \"hi\"").id(&run));
    let matched = Match { at: run.end(), run, record: None };
    assert!(written(|out| _ = envelope.write_match(&matched, out)).contains(&id));
}

#[test]
fn a_csv_event_is_written_with_all_its_columns() {
    let event = csv_event(Schema::open(), &["a", "b\"", "c", "d"], r#"1.50,"x ""y""",,007"#);
    assert_eq!(event, r#"{"a":1.50,"b\"":"x \"y\"","c":null,"d":"007"}"#);
    let event = csv_event(Schema::open(), &["a", "b"], "12345678901234567890123,1e999");
    assert_eq!(event, r#"{"a":12345678901234567890123,"b":"1e999"}"#);
}

#[test]
fn a_declared_column_is_written_as_it_is_read() {
    let schema = Schema::stream("s")
        .field("code", Type::String)
        .nullable("note", Type::String)
        .field("paid", Type::Bool)
        .field("items", Type::List(Box::new(Type::Int)));
    let columns = ["code", "note", "paid", "items"];
    let event = csv_event(schema.clone(), &columns, "12,34,true,\"[1,\n2]\"");
    assert_eq!(event, r#"{"code":"12","note":"34","paid":true,"items":[1, 2]}"#);
    let event = csv_event(schema, &columns, ",,yes,[1");
    assert_eq!(event, r#"{"code":"","note":null,"paid":"yes","items":"[1"}"#);
}

#[test]
fn a_row_that_was_never_bytes_is_written_from_its_values() {
    let schema = Schema::stream("s").field("a", Type::Any).field("b", Type::Any);
    let envelope = Envelope::new(&patterns(schema, &[]), &json());
    let list: Vec<Value<'static>> = vec![
        Value::Null,
        Value::Bool(true),
        Value::Float(2.0),
        Value::Float(f64::NAN),
        Value::Decimal(Decimal::new(1250, 2)),
        Value::Timestamp(Timestamp::from_millis(1)),
        Value::Duration(Span::from_millis(90_000)),
    ];
    let record = Value::Record(vec![(Arc::from("n"), Value::Int(-1))].into());
    let row = Row::new(Timestamp::from_millis(0), vec![Value::List(list.into()), record]);
    insta::assert_snapshot!(written(|out| envelope.write_late(&row, out)), @r#"{"kind":"late","time":"1970-01-01T00:00:00Z","event":{"a":[null,true,2.0,null,12.50,"1970-01-01T00:00:00.001Z","1m30s"],"b":{"n":-1}}}"#);
}

#[test]
fn each_stream_is_written_as_it_came() {
    let patterns = of_three_streams();
    let csv = |columns: &[&str]| RowFormat::Csv(Csv::new(columns));
    let formats = [(StreamId(0), csv(&["code", "paid"])), (StreamId(1), csv(&["code"]))];
    let envelope = Envelope::new(&patterns, &formats);
    let time = Timestamp::from_seconds(0);
    let taken = |row| Taken { event: Arc::new(row), time, position: 0 };
    let events = vec![
        (StageId(0), taken(Row::of_text(time, "007,true", []))),
        (StageId(1), taken(Row::of_text(time, "7", []).of_stream(StreamId(1)))),
        (StageId(2), taken(unpaid("a"))),
    ];
    let run = Partial { pattern: 0, key: [].into_iter().collect(), events };
    let line = written(|out| _ = envelope.write_match(&Match { at: time, run, record: None }, out));
    let (_, events) = line.split_once(r#""events":"#).unwrap();
    let expected = r#"{"create":[{"code":"007","paid":true}],"note":[{"code":7}],"pay":[{"paid":null,"code":"a"}]}}"#;
    assert_eq!(events, expected);
}

#[test]
fn what_does_not_come_in_names_its_stream_where_there_are_several() {
    let envelope = Envelope::new(&of_three_streams(), &json());
    let late = Row::of_text(Timestamp::from_seconds(0), "{}", []).of_stream(StreamId(1));
    insta::assert_snapshot!(written(|out| envelope.write_late(&late, out)), @r#"{"kind":"late","stream":"receipts","time":"1970-01-01T00:00:00Z","event":{}}"#);
    let refused = written(|out| envelope.write_rejected(StreamId(1), 3, "no", b"x", out));
    insta::assert_snapshot!(refused, @r#"{"kind":"rejected","stream":"receipts","line":3,"reason":"no","raw":"x"}"#);
    let refused = written(|out| envelope.write_rejected_record(&unpaid("a"), "its key `paid` is null", out));
    insta::assert_snapshot!(refused, @r#"{"kind":"rejected","stream":"unpaid","reason":"its key `paid` is null","event":{"paid":null,"code":"a"}}"#);
}

/// Two streams that are fed, and one of records.
fn of_three_streams() -> Patterns {
    let schema = Schema { closed: true, ..Schema::open() };
    let schema = schema.field("code", Type::String).field("paid", Type::Bool).field("code", Type::Int);
    let stream = |name: &str, fields: &[u16], is_emitted| Stream {
        fields: fields.iter().map(|field| FieldId(*field)).collect(),
        is_emitted,
        ..Stream::only(&Schema::stream(name))
    };
    let streams =
        vec![stream("orders", &[0, 1], false), stream("receipts", &[2], false), stream("unpaid", &[1, 0], true)];
    Patterns { streams, ..patterns(schema, &[]) }
}

/// A record that was never bytes.
fn unpaid(code: &str) -> Row {
    Row::of_text(Timestamp::from_seconds(0), "", [(FieldId(0), Value::from(code))]).of_stream(StreamId(2))
}

#[test]
fn a_refused_line_is_written_with_its_number_and_reason() {
    let envelope = Envelope::new(&patterns(Schema::open(), &[]), &json());
    let line = written(|out| envelope.write_rejected(StreamId(0), 17, "`ts` is `x`", b"a\xff\"\t", out));
    insta::assert_snapshot!(line, @r#"{"kind":"rejected","line":17,"reason":"`ts` is `x`","raw":"a�\"\t"}"#);
}
