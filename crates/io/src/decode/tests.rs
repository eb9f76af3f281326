use ensue_model::pattern::{Pattern, Sequence, Stage, StageId, Step};
use ensue_model::schema::Stream;
use ensue_model::{Event, Expr, Schema};

use super::*;
use crate::format::Csv;
use crate::records::Records;
use crate::time::TimeFormat;

/// Patterns that ask for these fields.
fn asking(schema: Schema, fields: &[&str]) -> Patterns {
    let asked = fields.iter().map(|name| Expr::Field(schema.find(name).unwrap())).collect();
    let sequence = Sequence { steps: vec![Step::stage(StageId(0), Expr::List(asked))] };
    let pattern = Pattern::new("p", vec![Stage::named("a")], sequence);
    Patterns::of_one_stream(schema, vec![pattern])
}

fn asking_all(schema: Schema) -> Patterns {
    let names: Vec<String> = schema.fields.iter().map(|field| field.name.clone()).collect();
    asking(schema, &names.iter().map(String::as_str).collect::<Vec<_>>())
}

fn open(fields: &[&str]) -> Schema {
    let mut schema = Schema::open();
    for field in fields {
        schema.find_or_add(field);
    }
    schema
}

fn seconds() -> TimeField {
    TimeField { name: "ts".to_owned(), format: TimeFormat::Seconds }
}

/// A line for each row or error.
fn decode(patterns: &Patterns, format: &RowFormat, input: &[u8]) -> Vec<String> {
    let decoder = Decoder::new(patterns, StreamId(0), format, &seconds()).unwrap();
    let mut records = Records::new(format);
    records.feed(input);
    records.end();
    let mut lines = Vec::new();
    while let Some(record) = records.next() {
        lines.push(match record.and_then(|record| decoder.decode(&record)) {
            Ok(row) => {
                let fields = (0..patterns.schema.fields.len() as u16).map(FieldId);
                let values: Vec<_> = fields.map(|field| row.field(field).to_string()).collect();
                format!("{} {}", row.time().as_millis(), values.join(" "))
            }
            Err(bad) => bad.to_string(),
        });
    }
    lines
}

fn check_csv(schema: Schema, columns: &[&str], input: &str, expected: &[&str]) {
    let format = RowFormat::Csv(Csv::new(columns));
    assert_eq!(decode(&asking_all(schema), &format, input.as_bytes()), expected);
}

fn check_json(schema: Schema, input: &str, expected: &[&str]) {
    assert_eq!(decode(&asking_all(schema), &RowFormat::JsonLines, input.as_bytes()), expected);
}

#[test]
fn a_csv_row_holds_what_its_fields_look_like() {
    let columns = ["id", "type", "ts"];
    check_csv(
        open(&["type", "id"]),
        &columns,
        "7,create,1\n007,,2\n\"8\",\"a,\"\"b\"\"\",3\n",
        &["1000 \"create\" 7", "2000 null \"007\"", "3000 \"a,\\\"b\\\"\" 8"],
    );
}

#[test]
fn only_the_fields_that_are_asked_for_are_decoded() {
    let schema = Schema::stream("s").field("a", Type::Int).field("b", Type::Int);
    let csv = RowFormat::Csv(Csv::new(&["a", "b", "ts"]));
    assert_eq!(decode(&asking(schema.clone(), &["b"]), &csv, b"x,5,1\n"), ["1000 null 5"]);
    let lines = decode(&asking(schema, &["b"]), &RowFormat::JsonLines, br#"{"a": "x", "b": 5, "ts": 1}"#);
    assert_eq!(lines, ["1000 null 5"]);
}

#[test]
fn a_row_keeps_its_bytes() {
    let format = RowFormat::JsonLines;
    let decoder = Decoder::new(&asking_all(open(&[])), StreamId(0), &format, &seconds()).unwrap();
    let mut records = Records::new(&format);
    records.feed(b" {\"ts\": 1.50, \"x\": [ ]}\r\n");
    let row = decoder.decode(&records.next().unwrap().unwrap()).unwrap();
    assert_eq!(row.raw(), "{\"ts\": 1.50, \"x\": [ ]}");
}

#[test]
fn the_time_may_be_a_field_that_is_asked_for() {
    check_csv(open(&["ts"]), &["ts"], "1.5\n", &["1500 1.5"]);
    check_json(open(&["ts"]), r#"{"ts": "2"}"#, &["2000 \"2\""]);
}

#[test]
fn a_declared_field_is_read_strictly_and_null_only_where_it_may_be() {
    let schema = || Schema::stream("s").field("amount", Type::Decimal).nullable("note", Type::String);
    let columns = ["amount", "note", "ts"];
    check_csv(
        schema(),
        &columns,
        "1.10,007,1\n1.10,,1\n,x,1\nabc,,1\n",
        &[
            "1000 1.10 \"007\"",
            "1000 1.10 null",
            "line 3: `amount` has no value, and its type `decimal` does not allow null",
            "line 4: `amount` is `abc`, expected a decimal of at most 28 digits",
        ],
    );
    check_json(
        schema(),
        "{\"ts\":1,\"amount\":0.1}\n{\"ts\":1,\"amount\":null}\n{\"ts\":1,\"amount\":1,\"note\":5}",
        &[
            "1000 0.1 null",
            "line 2: `amount` has no value, and its type `decimal` does not allow null",
            "line 3: `note` is `5`, expected a string",
        ],
    );
    check_csv(Schema::stream("s").field("note", Type::String), &["note", "ts"], ",1", &["1000 \"\""]);
}

#[test]
fn a_json_row_holds_what_its_json_says() {
    let input = r#"
        {"ts": 1, "a": {"b": [1, 2.0]}, "other": {"deep": [[]]}}
        {"a": 1, "ts": 1, "a": "last"}
        {"\u0061": "escaped", "t\u0073": "1"}
    "#;
    check_json(open(&["a"]), input, &["1000 {b: [1, 2.0]}", "1000 \"last\"", "1000 \"escaped\""]);
}

#[test]
fn names_are_found_whatever_their_length() {
    let names: Vec<String> = [1, 2, 7, 8, 9, 30, 31, 32, 40].map(|length| "n".repeat(length)).to_vec();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let members: Vec<String> = names.iter().map(|name| format!("\"{name}\": {}", name.len())).collect();
    let flat = format!("{{\"ts\": 1, {}, \"nnn\": 0}}", members.join(", "));
    let nested = flat.replace("\"nnn\": 0", "\"nnn\": {}");
    let expected = "1000 1 2 7 8 9 30 31 32 40";
    check_json(open(&names), &format!("{flat}\n{nested}"), &[expected, expected]);
}

#[test]
fn a_broken_csv_line_says_what_is_wrong_and_the_next_is_read() {
    let input = "1,abc\n2\n3,3,3\n4,\n\"5,5\n6,99999999999999\n7,7\n";
    check_csv(
        open(&["id"]),
        &["id", "ts"],
        input,
        &[
            "line 1: `ts` is `abc`, expected a number of seconds",
            "line 2: 1 field, expected 2, one for each column",
            "line 3: 3 fields, expected 2, one for each column",
            "line 4: `ts`, the event time, has no value",
            "line 5: field 1 opens a quote that is never closed",
            "line 6: `ts` is `99999999999999`, which as seconds is not in the years 0 to 9999",
            "7000 7",
        ],
    );
}

#[test]
fn a_time_that_is_refused_is_shown_as_it_stands_there() {
    let time = TimeField { name: "ts".to_owned(), format: TimeFormat::Rfc3339 };
    let format = RowFormat::Csv(Csv::new(&["ts"]));
    let decoder = Decoder::new(&asking_all(open(&["ts"])), StreamId(0), &format, &time).unwrap();
    for text in ["0", "-0", "12", "-12", "007", "99999999999999999999", "soon"] {
        let bad = decoder.decode(&Record::new(1, text.as_bytes())).unwrap_err();
        let expected = format!("line 1: `ts` is `{text}`, expected a time such as");
        assert!(bad.to_string().starts_with(&expected), "{bad}");
    }
}

#[test]
fn a_broken_json_line_says_what_is_wrong_and_the_next_is_read() {
    let input = "{\"ts\": 1\n[1]\n5\n{\"ts\": 1} x\n{\"a\": 1}\n{\"ts\": null}\n{\"ts\": true}\n{\"ts\": 1, }\n\
        {\"ts\": 1e999}\nts=1\n{\"ts\": 7}";
    check_json(
        open(&["id"]),
        input,
        &[
            "line 1: the JSON is broken at byte 8: EOF while parsing an object",
            "line 2: expected a JSON object",
            "line 3: expected a JSON object",
            "line 4: the JSON is broken at byte 11: trailing characters",
            "line 5: `ts`, the event time, has no value",
            "line 6: `ts`, the event time, has no value",
            "line 7: `ts` is `true`, expected a number of seconds",
            "line 8: the JSON is broken at byte 11: trailing comma",
            "line 9: `ts` is `1e999`, expected a number of seconds",
            "line 10: expected a JSON object",
            "7000 null",
        ],
    );
}

#[test]
fn what_is_not_utf_8_is_refused() {
    let csv = RowFormat::Csv(Csv::new(&["id", "ts"]));
    let lines = decode(&asking_all(open(&["id"])), &csv, b"\xff,1\na,1\nab\xc3,1\n");
    assert_eq!(lines, ["line 1: byte 1 is not UTF-8", "1000 \"a\"", "line 3: byte 3 is not UTF-8"]);
}

#[test]
fn json_is_nested_128_deep_at_most() {
    let nested = |depth: usize| format!("{{\"ts\": 1, \"a\": {}{}}}\n", "[".repeat(depth), "]".repeat(depth));
    let bracketed = format!("{{\"ts\": 1, \"a\": \"{}\\\"{}\"}}", "[".repeat(300), "{".repeat(300));
    let patterns = asking_all(open(&["b"]));
    let refused = "the JSON is nested deeper than the limit of 128";
    let input = [nested(127), nested(128), nested(1_000_000), bracketed].concat();
    assert_eq!(
        decode(&patterns, &RowFormat::JsonLines, input.as_bytes()),
        ["1000 null", &format!("line 2: {refused}"), &format!("line 3: {refused}"), "1000 null",]
    );
    // An asked field of that depth is read, too.
    let lines = decode(&asking_all(open(&["a"])), &RowFormat::JsonLines, nested(127).as_bytes());
    assert_eq!(lines, [format!("1000 {}{}", "[".repeat(127), "]".repeat(127))]);
}

/// Patterns over two streams: stage `a` takes events of the first one, `b` of the second, `c` of both.
fn of_two_streams(conditions: [Expr; 3]) -> Patterns {
    let schema = Schema { closed: true, ..Schema::open() };
    let schema = schema.field("id", Type::Int).field("code", Type::String).field("code", Type::Int);
    let stream =
        |fields: [u16; 2]| Stream { fields: fields.map(FieldId).to_vec(), ..Stream::only(&Schema::stream("s")) };
    let stages = [("a", Some(StreamId(0))), ("b", Some(StreamId(1))), ("c", None)];
    let stages = stages.map(|(name, stream)| Stage { stream, ..Stage::named(name) }).to_vec();
    let steps = (0..).zip(conditions).map(|(stage, condition)| Step::stage(StageId(stage), condition)).collect();
    let from = vec![StreamId(0), StreamId(1)];
    let pattern = Pattern { from, ..Pattern::new("p", stages, Sequence { steps }) };
    let streams = vec![stream([0, 1]), stream([0, 2])];
    Patterns { streams, ..Patterns::of_one_stream(schema, vec![pattern]) }
}

#[test]
fn a_stream_is_read_for_what_is_asked_of_its_own_events() {
    let [id, text, int] = [0, 1, 2].map(|field| Expr::Field(FieldId(field)));
    let decode = |patterns: &Patterns, stream: u16, line: &str| {
        let decoder = Decoder::new(patterns, StreamId(stream), &RowFormat::JsonLines, &seconds()).unwrap();
        let row = decoder.decode(&Record::new(1, line.as_bytes())).map_err(|bad| bad.to_string())?;
        assert_eq!(row.stream(), StreamId(stream));
        Ok(row.values().map(|(field, value)| format!("{}={value}", field.0)).collect::<Vec<_>>().join(" "))
    };
    let line = r#"{"ts": 1, "id": 5, "code": "7"}"#;
    let refused = Err("line 1: `code` is `\"7\"`, expected an int of 64 bits".to_owned());
    let both = of_two_streams([text.clone(), int.clone(), id.clone()]);
    assert_eq!(decode(&both, 0, line), Ok("0=5 1=\"7\"".to_owned()));
    assert_eq!(decode(&both, 1, line), refused);
    let by_stage = of_two_streams([id.clone(), Expr::truth(), Expr::truth()]);
    assert_eq!([0, 1].map(|stream| decode(&by_stage, stream, line).unwrap()), ["0=5", ""]);
    let of_none = Patterns { patterns: vec![], ..both };
    assert_eq!(decode(&of_none, 1, line), Ok(String::new()));
}

#[test]
fn a_column_that_is_needed_has_to_be_there() {
    let new = |schema: Schema, columns: &[&str]| {
        let format = RowFormat::Csv(Csv::new(columns));
        Decoder::new(&asking_all(schema), StreamId(0), &format, &seconds())
            .map(|_| ())
            .map_err(|error| error.to_string())
    };
    let columns = "the columns are `id`, `time`";
    let message = format!("no column `ts` for the event time: {columns}");
    assert_eq!(new(open(&[]), &["id", "time"]), Err(message));
    let schema = Schema::stream("s").field("amount", Type::Int);
    let message = "no column `amount` that a pattern asks for: the columns are `id`, `ts`".to_owned();
    assert_eq!(new(schema, &["id", "ts"]), Err(message));
    assert_eq!(new(Schema::stream("s").nullable("amount", Type::Int), &["id", "ts"]), Ok(()));
}

#[test]
fn a_header_names_the_columns_once() {
    let read = |header: &str| {
        let mut records = Records::csv(b';');
        records.feed(header.as_bytes());
        records.end();
        let header = records.next().unwrap().unwrap();
        Csv::from_header(&header, b';').map(|csv| csv.columns).map_err(|bad| bad.to_string())
    };
    assert_eq!(read("\u{feff}id;\"a;b\"\r\n"), Ok(vec!["id".to_owned(), "a;b".to_owned()]));
    assert_eq!(read("id;ts;id"), Err("line 1: the header names the column `id` twice".to_owned()));
}

fn check_logfmt(schema: Schema, input: &str, expected: &[&str]) {
    assert_eq!(decode(&asking_all(schema), &RowFormat::Logfmt, input.as_bytes()), expected);
}

#[test]
fn a_logfmt_row_holds_what_its_values_look_like() {
    let input = "ts=1 a=5 b=2.5 c=\"5\" d=true\nts=2 a b= c=null d=007 e=x\n\nd=\"a \\\"b\\\"\" ts=\"3\" a=1 a=2\n";
    check_logfmt(
        open(&["a", "b", "c", "d"]),
        input,
        &[r#"1000 5 2.5 "5" true"#, r#"2000 true null null "007""#, r#"3000 2 null null "a \"b\"""#],
    );
}

#[test]
fn a_declared_field_of_logfmt_is_read_strictly() {
    let schema = || {
        Schema::stream("s")
            .nullable("flag", Type::Bool)
            .nullable("count", Type::Int)
            .nullable("note", Type::String)
            .nullable("list", Type::List(Box::new(Type::Int)))
    };
    let input = "ts=1 flag count=7 note=7 list=\"[1, 2]\"\nts=1 flag=no\nts=1 count\nts=1 count=\"8\" note\n";
    check_logfmt(
        schema(),
        input,
        &[
            r#"1000 true 7 "7" [1, 2]"#,
            "line 2: `flag` is `no`, expected true or false",
            "line 3: `count` is `true`, expected an int of 64 bits",
            r#"1000 null 8 "true" null"#,
        ],
    );
    let never_null = Schema::stream("s").field("note", Type::String).field("count", Type::Int);
    check_logfmt(
        never_null,
        "ts=1 note= count=1\nts=1 note=null count=1\nts=1 note=a",
        &[
            r#"1000 "" 1"#,
            "line 2: `note` has no value, and its type `string` does not allow null",
            "line 3: `count` has no value, and its type `int` does not allow null",
        ],
    );
}

#[test]
fn a_broken_line_of_logfmt_says_what_is_wrong_and_the_next_is_read() {
    check_logfmt(
        open(&["a"]),
        "ts=1 =2\nts=1 a=\"b\na=1\nts=soon\nts\nts=5 a=6",
        &[
            "line 1: expected a name at column 6, found `=`",
            "line 2: the quote at column 8 is never closed",
            "line 3: `ts`, the event time, has no value",
            "line 4: `ts` is `soon`, expected a number of seconds",
            "line 5: `ts` is `true`, expected a number of seconds",
            "5000 6",
        ],
    );
}

proptest::proptest! {
    #[test]
    fn no_bytes_panic(input in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..60)) {
        decode(&asking_all(open(&["a"])), &RowFormat::JsonLines, &input);
        decode(&asking_all(open(&["a"])), &RowFormat::Logfmt, &input);
        decode(&asking_all(open(&["a"])), &RowFormat::Csv(Csv::new(&["a", "ts"])), &input);
    }

    #[test]
    fn no_text_of_the_formats_characters_panics(input in "[{}\\[\\]\",:\\\\a1.\r\nts]{0,60}") {
        decode(&asking_all(open(&["a"])), &RowFormat::JsonLines, input.as_bytes());
        decode(&asking_all(open(&["a"])), &RowFormat::Logfmt, input.replace(':', "=").as_bytes());
        decode(&asking_all(open(&["a"])), &RowFormat::Csv(Csv::new(&["a", "ts"])), input.as_bytes());
    }

    #[test]
    fn what_serde_json_writes_is_read(text in ".{0,20}", int in proptest::prelude::any::<i64>(), float in -1e300..1e300_f64) {
        let event = serde_json::json!({ "ts": 1, "text": text, "int": int, "float": float }).to_string();
        let patterns = asking_all(open(&["text", "int", "float"]));
        let decoder = Decoder::new(&patterns, StreamId(0), &RowFormat::JsonLines, &seconds()).unwrap();
        let row = decoder.decode(&Record::new(1, event.as_bytes())).unwrap();
        let expected = [Value::from(text), Value::from(int), Value::from(float)];
        let values: Vec<_> = row.values().map(|(_, value)| value).collect();
        proptest::prop_assert_eq!(values, expected);
    }
}
