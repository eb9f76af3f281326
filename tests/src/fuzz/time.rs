//! Any bytes as a time, a point in time and a duration.

use ensue_io::{Decoder, Record, RowFormat, TimeField, TimeFormat, time as written};
use ensue_model::pattern::{Pattern, Sequence, Stage, StageId, Step};
use ensue_model::{Event, Expr, Patterns, Row, Schema, StreamId, Type, Value};

const FORMATS: [TimeFormat; 5] =
    [TimeFormat::Rfc3339, TimeFormat::Seconds, TimeFormat::Millis, TimeFormat::Micros, TimeFormat::Nanos];

/// Reads a text as an event time, as a timestamp and as a duration: in each format, as a value of JSON and as a string of it. It is
/// refused, or it can be written, and what was written is read as the same.
///
/// # Panics
/// If it does not hold.
pub fn time(data: &[u8]) {
    let text = String::from_utf8_lossy(data).replace(['\r', '\n'], " ");
    let string = serde_json::to_string(&text).expect("a text is JSON");
    let patterns = patterns();
    for format in FORMATS {
        let now = if format == TimeFormat::Rfc3339 { "\"1970-01-01T00:00:00Z\"" } else { "0" };
        for value in [&*text, &string] {
            if let Some(row) = row(&format!("{{\"ts\":{value}}}"), format, &patterns) {
                check_time(&Value::Timestamp(row.time));
            }
            for name in ["at", "took"] {
                if let Some(row) = row(&format!("{{\"ts\":{now},\"{name}\":{value}}}"), format, &patterns) {
                    let field = patterns.schema.find(name).expect("it was declared");
                    check_time(&row.field(field));
                }
            }
        }
    }
}

fn row(line: &str, format: TimeFormat, patterns: &Patterns) -> Option<Row> {
    let time = TimeField { name: "ts".to_owned(), format };
    let decoder = Decoder::new(patterns, StreamId(0), &RowFormat::JsonLines, &time).expect("JSON needs no columns");
    decoder.decode(&Record::new(1, line.as_bytes())).ok()
}

fn check_time(value: &Value<'_>) {
    match value {
        Value::Timestamp(time) => {
            let text = time.rfc3339().unwrap_or_else(|| panic!("{time:?} cannot be written"));
            let line = format!("{{\"ts\":\"{}\"}}", text.as_str());
            let again = row(&line, TimeFormat::Rfc3339, &patterns()).unwrap_or_else(|| panic!("{line} is not read"));
            assert_eq!(again.time, *time, "{line}");
        }
        Value::Duration(span) => assert_eq!(written::span(&span.to_string()), Some(*span), "{span}"),
        other => assert!(other.is_null(), "{other} is neither a time nor a duration"),
    }
}

/// Patterns that ask for a timestamp and a duration.
fn patterns() -> Patterns {
    let schema = Schema::stream("s").nullable("at", Type::Timestamp).nullable("took", Type::Duration);
    let asked = ["at", "took"].map(|name| Expr::Field(schema.find(name).expect("it was declared"))).to_vec();
    let sequence = Sequence { steps: vec![Step::stage(StageId(0), Expr::List(asked))] };
    Patterns::of_one_stream(schema, vec![Pattern::new("p", vec![Stage::named("a")], sequence)])
}

#[cfg(test)]
mod tests {
    proptest::proptest! {
        #[test]
        fn what_is_read_is_written_and_read_as_the_same(
            text in "-?[0-9]{1,30}(\\.[0-9]{1,12})?(e-?[0-9]{1,2})?|-?([0-9]{1,12}(us|ms|s|m|h|d|w)){1,4}|\
                     [+-]?[0-9]{3,6}-[01][0-9]-[0-3][0-9][T ][0-2][0-9]:[0-6][0-9]:[0-6][0-9](\\.[0-9]{1,12})?(Z|[+-][0-2][0-9]:[0-6][0-9])?",
        ) {
            super::time(text.as_bytes());
        }
    }
}
