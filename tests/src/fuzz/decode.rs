//! Any bytes as what a source gives.

use ensue_io::{Csv, Decoder, Envelope, Records, RowFormat, TimeField, TimeFormat};
use ensue_model::pattern::{Pattern, Sequence, Stage, StageId, Step};
use ensue_model::{Expr, Patterns, Schema, StreamId, Type};
use serde_json::Value;

/// Long lines are refused, which is a way of its own.
const RECORD_BYTES_MAX: usize = 200;

/// Reads bytes as each format, in chunks of a length that the first byte says. Each record is a row, which is written as an
/// event, or it is refused, and that is written: either way one line of JSON. However the bytes are cut, the lines are the same.
///
/// # Panics
/// If it does not hold.
pub fn decode(data: &[u8]) {
    let Some((first, data)) = data.split_first() else { return };
    let csv = RowFormat::Csv(Csv::new(&["a", "ts", "s"]));
    let typed = RowFormat::Csv(Csv::new(&["ts", "a", "i", "f", "d", "b", "t", "w", "l"]));
    for format in [RowFormat::JsonLines, RowFormat::Logfmt, csv, typed] {
        let lines = lines_of(data, &format, data.len().max(1));
        let cut = lines_of(data, &format, usize::from(*first).max(1));
        assert_eq!(cut, lines, "cut into chunks, other lines come out");
        for line in lines.split_inclusive('\n') {
            let read = serde_json::from_str::<Value>(line);
            assert!(line.ends_with('\n') && read.is_ok_and(|read| read.is_object()), "no line of JSON: {line}");
        }
    }
}

/// What comes of the bytes, cut into chunks of that length.
fn lines_of(data: &[u8], format: &RowFormat, chunk: usize) -> String {
    let patterns = patterns();
    let time = TimeField { name: "ts".to_owned(), format: TimeFormat::Seconds };
    let decoder = Decoder::new(&patterns, StreamId(0), format, &time).expect("each format has all fields");
    let envelope = Envelope::new(&patterns, &[(StreamId(0), format.clone())]);
    let mut records = Records::new(format).with_limit(RECORD_BYTES_MAX);
    let mut out = Vec::new();
    let mut write = |records: &mut Records| {
        while let Some(record) = records.next() {
            match record.and_then(|record| decoder.decode(&record)) {
                Ok(row) => envelope.write_late(&row, &mut out),
                Err(bad) => envelope.write_rejected(StreamId(0), bad.line, &bad.reason, &bad.raw, &mut out),
            }
        }
    };
    for chunk in data.chunks(chunk) {
        records.feed(chunk);
        write(&mut records);
    }
    records.end();
    write(&mut records);
    String::from_utf8(out).expect("JSON is text")
}

/// Patterns that ask for a field of no type and for one of each type.
fn patterns() -> Patterns {
    let typed = [
        ("s", Type::String),
        ("i", Type::Int),
        ("f", Type::Float),
        ("d", Type::Decimal),
        ("b", Type::Bool),
        ("t", Type::Timestamp),
        ("w", Type::Duration),
        ("l", Type::List(Box::new(Type::Float))),
    ];
    let schema = Schema::stream("s").field("a", Type::Any);
    let schema = typed.into_iter().fold(schema, |schema, (name, kind)| schema.nullable(name, kind));
    let names = ["a", "s", "i", "f", "d", "b", "t", "w", "l"];
    let asked = names.map(|name| Expr::Field(schema.find(name).expect("it was declared"))).to_vec();
    let sequence = Sequence { steps: vec![Step::stage(StageId(0), Expr::List(asked))] };
    Patterns::of_one_stream(schema, vec![Pattern::new("p", vec![Stage::named("a")], sequence)])
}

#[cfg(test)]
mod tests {
    proptest::proptest! {
        #[test]
        fn all_bytes_are_lines_that_say_what_came(data in "[a1\"=,:{}\\[\\]\\\\\r\n tsu.é-]{0,300}", chunk: u8) {
            super::decode(&[&[chunk], data.as_bytes()].concat());
        }

        #[test]
        fn objects_and_members_are_lines_that_say_what_came(
            members in proptest::collection::vec(("[ats]{1,2}", "[0-9]{1,3}|\"[a=\\\\\"é]{0,3}\"|\\[1\\]"), 0..4),
            chunk: u8,
        ) {
            let logfmt: Vec<String> = members.iter().map(|(name, value)| format!("{name}={value}")).collect();
            let json: Vec<String> = members.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
            let data = format!("{} ts=1\n{{{}}}\n{{\"ts\":1,{}}}", logfmt.join(" "), json.join(","), json.join(","));
            super::decode(&[&[chunk], data.as_bytes()].concat());
        }
    }
}
