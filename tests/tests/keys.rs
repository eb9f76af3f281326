//! Keys that differ by stream or by stage, on any number of shards.

use ensue::{Config, Outputs, Partial, Row, Schema, Sharded, StreamId, Timestamp, Value, Watermarks};

/// A process starts another, and that one a third: the second is a child by one key and a parent by the other.
const PROCESSES: &str = r#"
stream processes { pid: int parent_pid: int? name: string }

pattern shell_of_editor
key { parent: pid, child: parent_pid }
begin parent where name == "editor"
followedBy child where name == "shell"
"#;

/// What pattern, events and shards give: the key and the positions of the events of each match, sorted.
fn matches(text: &str, events: &[&[(&str, Value<'static>)]], shards: usize) -> (Vec<String>, usize) {
    let patterns = ensue::compile(text, &Schema::open()).unwrap_or_else(|wrong| panic!("{wrong}"));
    let config = Config { watermarks: Watermarks::Ascending, ..Config::default() };
    let mut engine = Sharded::new(&patterns, config, shards).expect("the pattern is small");
    let mut out = Outputs::new();
    for (index, fields) in events.iter().enumerate() {
        let value = |name: &str| {
            fields.iter().find(|(field, _)| *field == name).map_or(Value::Null, |(_, value)| value.clone())
        };
        let stream = match value("stream") {
            Value::String(name) => patterns.stream(name.as_str()).expect("it is declared"),
            _ => StreamId(0),
        };
        let values = patterns.schema.fields.iter().map(|field| value(&field.name)).collect();
        let row = Row::new(Timestamp::from_seconds(index as i64), values).of_stream(stream);
        engine.push(row, &mut out).expect("no limit is reached");
    }
    engine.finish(&mut out).expect("no limit is reached");
    let shown = |run: &Partial<Row>| {
        let positions: Vec<u64> = run.events.iter().map(|(_, taken)| taken.position).collect();
        format!("{:?}: {positions:?}", &*run.key)
    };
    let mut found: Vec<String> = out.matches.iter().map(|found| shown(&found.run)).collect();
    found.sort();
    (found, out.rejected.len())
}

fn check(text: &str, events: &[&[(&str, Value<'static>)]], expected: &[&str], rejected: usize) {
    for shards in [1, 2, 5] {
        let (found, refused) = matches(text, events, shards);
        assert_eq!(found, expected, "{shards} shards");
        assert_eq!(refused, rejected, "{shards} shards");
    }
}

fn process(pid: i64, parent: Option<i64>, name: &'static str) -> [(&'static str, Value<'static>); 3] {
    [("pid", pid.into()), ("parent_pid", parent.map_or(Value::Null, Value::Int)), ("name", name.into())]
}

#[test]
fn an_event_is_taken_only_by_the_stages_that_the_key_is_for() {
    let events = [
        process(1, None, "init"),
        process(2, Some(1), "editor"),
        process(3, Some(2), "shell"),
        // Its own number is the editor's parent, which makes it no child of the editor.
        process(1, Some(9), "shell"),
        process(4, Some(3), "editor"),
        process(5, Some(4), "shell"),
        process(6, Some(4), "shell"),
    ];
    let events: Vec<&[_]> = events.iter().map(|event| &event[..]).collect();
    check(PROCESSES, &events, &["[Int(2)]: [1, 2]", "[Int(4)]: [4, 5]"], 0);
}

#[test]
fn an_event_comes_once_to_a_key_that_two_stages_give_it() {
    let text =
        PROCESSES.replace(r#"where name == "shell""#, "where true").replace(r#"where name == "editor""#, "where true");
    // Its own parent: it starts a run, and is not the child of that run.
    let events = [process(7, Some(7), "init"), process(8, Some(7), "shell"), process(7, Some(7), "init")];
    let events: Vec<&[_]> = events.iter().map(|event| &event[..]).collect();
    check(&text, &events, &["[Int(7)]: [0, 1]"], 0);
}

#[test]
fn an_event_without_any_of_its_keys_is_rejected() {
    let nobody = [("name", Value::from("editor"))];
    let events: [&[_]; 2] = [&nobody, &process(3, None, "shell")];
    check(PROCESSES, &events, &[], 1);
}

#[test]
fn events_of_two_streams_meet_by_keys_of_other_names() {
    let text = r#"
        stream orders { id: int type: string @type }
        stream receipts { reference: int }
        stream noise { id: int }
        pattern paid from orders, receipts
        key { orders: id, receipts: reference }
        begin pay: orders next receipt: receipts where true
    "#;
    let of = |stream: &'static str, field: &'static str, key: i64| {
        [("stream", stream.into()), (field, key.into()), ("type", "pay".into())]
    };
    let events = [
        of("orders", "id", 1),
        of("receipts", "reference", 2),
        // The pattern does not read it, so it does not stand between the others.
        of("noise", "id", 1),
        of("receipts", "reference", 1),
        of("orders", "id", 2),
        of("orders", "id", 2),
        of("receipts", "reference", 2),
    ];
    let events: Vec<&[_]> = events.iter().map(|event| &event[..]).collect();
    check(text, &events, &["[Int(1)]: [0, 3]", "[Int(2)]: [5, 6]"], 0);
}
