//! What the checker says can never be is tried: a pattern with a stage that is said never to be taken has no match, whatever the
//! events. All short streams are tried, each under a key of its own.

use std::sync::Arc;

use ensue_engine::{Config, Engine, Outputs};
use ensue_lang::{Compiled, Options, Source, compile};
use ensue_model::{Patterns, Row, Timestamp, Value};

/// The events that a stream is made of: the type and the `v` of each.
const EVENTS: [(&str, i64); 5] = [("x", 0), ("x", 1), ("y", 0), ("y", 1), ("z", 1)];

/// How many of them come.
const LENGTH: u32 = 3;

fn compiled(pattern: &str) -> Compiled {
    let sources = [Source::new("p.pattern", format!("pattern p key id {pattern}"))];
    compile(&sources, &Options::default()).unwrap_or_else(|errors| panic!("{errors}"))
}

fn says(compiled: &Compiled, code: &str, label: &str) -> bool {
    let mut warnings = compiled.warnings.iter().filter(|warning| warning.code.id == code);
    warnings.any(|warning| label.is_empty() || warning.labels.iter().any(|given| given.text == label))
}

fn row(patterns: &Patterns, at: i64, id: i64, (kind, v): (&str, i64)) -> Row {
    let value = |field: &str| match field {
        "id" => Value::Int(id),
        "type" => Value::from(kind.to_owned()),
        "v" => Value::Int(v),
        other => panic!("no pattern asks for {other}"),
    };
    let values = patterns.schema.fields.iter().map(|field| value(&field.name)).collect();
    Row::new(Timestamp::from_seconds(at), values)
}

/// How many matches a pattern has in all streams of `s` and so many events.
fn matches(patterns: Patterns) -> usize {
    outputs(patterns).matches.len()
}

/// What comes out of a pattern for all streams of `s` and so many events.
fn outputs(patterns: Patterns) -> Outputs<Row> {
    let patterns = Arc::new(patterns);
    let mut engine = Engine::new(&patterns, Config::default()).expect("the pattern is small");
    let mut out = Outputs::new();
    let kinds = EVENTS.len();
    for at in 0..=LENGTH {
        for stream in 0..kinds.pow(LENGTH) {
            let event = match at {
                0 => ("s", 1),
                at => EVENTS[stream / kinds.pow(at - 1) % kinds],
            };
            let event = row(&patterns, i64::from(at), stream as i64, event);
            engine.push(event, &mut out).expect("an event is no error");
        }
    }
    engine.finish(&mut out).expect("the end is no error");
    out
}

/// The patterns that are warned of so have no match; there are some, and some of the others have.
fn holds_of(patterns: impl Iterator<Item = String>, code: &str, label: &str) {
    let (mut warned, mut matched) = (0, 0);
    for pattern in patterns {
        let compiled = compiled(&pattern);
        let is_warned = says(&compiled, code, label);
        if !is_warned && warned < matched {
            continue;
        }
        let found = matches(compiled.patterns);
        assert!(!is_warned || found == 0, "{pattern}\n{}\n{found} matches", compiled.warnings);
        warned += usize::from(is_warned);
        matched += usize::from(found > 0);
    }
    assert!(warned > 5 && matched > 5, "{warned} are warned of, {matched} match");
}

#[test]
fn what_a_negation_rules_out_is_never_taken() {
    let conditions = ["type == \"x\"", "type == \"x\" and v > 0", "v > 0", "true"];
    let mut patterns = Vec::new();
    for (negation, relation) in [("notFollowedBy", "followedBy"), ("notFollowedBy", "followedByAny")]
        .into_iter()
        .chain([("notFollowedBy", "next"), ("notNext", "next"), ("notNext", "followedBy")])
    {
        for (forbidden, taken) in conditions.iter().flat_map(|a| conditions.iter().map(move |b| (a, b))) {
            for quantifier in ["", "{2}", "+", "?"] {
                for tail in ["", "followedBy d where type == \"z\"", "next d where true followedBy e? where true"] {
                    patterns.push(format!(
                        "begin a where type == \"s\" {negation} b where {forbidden} {relation} c{quantifier} where {taken} {tail}"
                    ));
                }
            }
        }
    }
    holds_of(patterns.into_iter(), "E0505", "");
}

#[test]
fn a_loop_that_waits_for_itself_never_begins() {
    let conditions = [
        "v > a.v",
        "not (v > a.v)",
        "a.v == v or a.v is null",
        "a.v is null or v > a.v",
        "v > (a.v ?? -1)",
        "coalesce(a.v, 1) > 0",
        "a.v + 1 > 0",
        "count(a) >= 1",
        "count(a) < 2",
        "not (count(a) == 0)",
        "sum(a.v) + v < 2",
        "sum(a.v) > 0",
        "max(a.v) > 0",
        "any(a, v > 0)",
        "all(a, v > 0) is null",
        "v between a.v and 5",
        "not (v between a.v and 5)",
        "not (v between 5 and a.v)",
        "v in [a.v, 1]",
        "a.v in [0, 1]",
        "not (a.v in [0, 1])",
        "not (a.v in [])",
        "lower(a.type) == \"x\"",
        "a.type like \"%\"",
        "time() - time(a) < 5s",
        "if count(a) > 0 then v > 0 else v == 0",
        "first(a).v == v and a[1].v == v",
        "-a.v == v",
        "a.v == a.v",
    ];
    let patterns = conditions.iter().flat_map(|condition| {
        ["+", "{2}"].map(|quantifier| {
            format!("begin s where type == \"s\" followedBy a{quantifier} where {condition} followedBy z where type == \"z\"")
        })
    });
    holds_of(patterns, "E0501", "so this is never taken");
}

#[test]
fn a_condition_that_never_holds_lets_no_match_be() {
    let conditions = [
        "v > 0 and v < 1 and v != 0.5",
        "v > 0 and v < 0",
        "v == 0 and v == 1",
        "type == \"x\" and type == \"y\"",
        "type in [\"x\", \"y\"] and type == \"z\"",
        "type in [\"x\", \"y\"] and type != \"z\"",
        "v between 1 and 0",
        "v between 0 and 1",
        "not (v in [1, null])",
        "v in [1, null]",
        "v is null and v == 1",
        "v is not null and v != 1",
        "not (v > 0 or v <= 0)",
        "not (v > 0 or v < 0)",
        "v > v",
        "v >= v",
        "type like \"a%\" and type == \"x\"",
        "type like \"x%\" and type == \"x\"",
        "v == 1 and type == 1",
        "v == 1 or type == 1",
    ];
    let patterns = conditions.iter().flat_map(|condition| {
        ["", "{1,2}"].map(|quantifier| {
            format!("begin s where type == \"s\" followedBy a{quantifier} where {condition} followedBy z where type == \"z\"")
        })
    });
    holds_of(patterns, "E0501", "so this is never taken");
}

/// How many matches a stage has taken an event in.
fn with_stage(out: &Outputs<Row>, patterns: &Patterns, stage: &str) -> usize {
    let stage = patterns.patterns[0].stage(stage).expect("the pattern has the stage");
    out.matches.iter().filter(|found| found.run.of(stage).next().is_some()).count()
}

#[test]
fn a_branch_that_another_one_hides_is_in_no_match_of_a_short_stream() {
    let conditions = ["type == \"x\"", "type == \"x\" and v > 0", "v > 0", "v == 1", "v in [0, 1]", "true"];
    let shapes = [
        "begin s where type == \"s\" RELATION (a where FIRST | b where SECOND) TAIL",
        "begin (a where FIRST | b where SECOND) TAIL",
        "begin s where type == \"s\" RELATION (a where FIRST | b where SECOND)? followedBy e where type == \"y\" TAIL",
    ];
    let tails = ["", "followedBy c where type == \"z\"", "followedBy c where v == a.v"];
    let (mut hidden, mut seen) = (0, 0);
    for (shape, tail) in shapes.iter().flat_map(|shape| tails.map(|tail| (shape, tail))) {
        for (first, second) in conditions.iter().flat_map(|a| conditions.iter().map(move |b| (a, b))) {
            for relation in ["next", "followedBy"] {
                let text = shape.replace("RELATION", relation).replace("TAIL", tail).replace("FIRST", first);
                let compiled = compiled(&format!("{} skip past last", text.replace("SECOND", second)));
                let is_warned = says(&compiled, "E0507", "");
                if !is_warned && hidden < seen {
                    continue;
                }
                let (out, warnings) = (outputs(compiled.patterns.clone()), compiled.warnings);
                let found = with_stage(&out, &compiled.patterns, "b");
                assert!(!is_warned || found == 0, "{text} {second}\n{warnings}\n{found} matches");
                hidden += usize::from(is_warned);
                seen += usize::from(found > 0);
            }
        }
    }
    assert!(hidden > 50 && seen > 50, "{hidden} are warned of, {seen} are seen");
}

#[test]
fn branches_that_take_the_same_events_give_as_many_matches() {
    for (first, second) in
        [("v > 0 and type == \"x\"", "type == \"x\" and v > 0"), ("true", "true"), ("v > 1", "v > 1")]
    {
        let text = format!(
            "begin s where type == \"s\" followedBy (a where {first} | b where {second}) followedBy c where type == \"z\""
        );
        let compiled = compiled(&text);
        assert!(says(&compiled, "E0507", ""), "{text}");
        let out = outputs(compiled.patterns.clone());
        let [a, b] = ["a", "b"].map(|stage| with_stage(&out, &compiled.patterns, stage));
        assert_eq!(a, b, "{text}");
    }
}
