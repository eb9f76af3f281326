//! What the aggregates make of values: the result, and after `!` the faults that were counted.

use std::hash::{DefaultHasher, Hash, Hasher};

use ensue_model::aggregate::{Accumulator, aggregate_type};
use ensue_model::expr::Aggregate::{self, *};
use ensue_model::{Fault, Span, Timestamp, Type, Value};

const AGGREGATES: [Aggregate; 9] = [Count, Sum, Avg, Min, Max, Any, All, Collect, Distinct];

/// The accumulator after the values, and the faults on the way.
fn accumulated(aggregate: Aggregate, values: &[Value<'static>]) -> (Accumulator, Vec<Fault>) {
    let mut accumulator = Accumulator::new(aggregate);
    let mut faults = Vec::new();
    for value in values {
        accumulator.add(value.borrowed(), &mut |fault| faults.push(fault));
    }
    (accumulator, faults)
}

#[track_caller]
fn check(aggregate: Aggregate, values: &[Value<'static>], expected: &str) {
    let (accumulator, faults) = accumulated(aggregate, values);
    let faults: String = faults.iter().map(|fault| format!(" !{fault:?}")).collect();
    assert_eq!(format!("{}{faults}", accumulator.value()), expected, "{aggregate:?} of {values:?}");
}

fn ints(values: impl IntoIterator<Item = i64>) -> Vec<Value<'static>> {
    values.into_iter().map(Value::Int).collect()
}

fn decimal(text: &str) -> Value<'static> {
    text.parse::<rust_decimal::Decimal>().expect("a decimal").into()
}

fn seconds(seconds: i64) -> Value<'static> {
    Span::from_seconds(seconds).into()
}

#[test]
fn count_and_sum_of_nothing_are_zero_and_all_else_is_null() {
    for aggregate in AGGREGATES {
        check(aggregate, &[], if matches!(aggregate, Count | Sum) { "0" } else { "null" });
    }
}

#[test]
fn nulls_do_not_count() {
    for (aggregate, expected) in [(Count, "2"), (Sum, "7"), (Avg, "3.5"), (Min, "3"), (Max, "4")] {
        check(aggregate, &[Value::Null, 3.into(), Value::Null, 4.into()], expected);
    }
    for (aggregate, expected) in [(Count, "0"), (Sum, "0"), (Avg, "null"), (Min, "null"), (Max, "null")] {
        check(aggregate, &[Value::Null], expected);
    }
}

#[test]
fn sum_adds_as_the_operator_does() {
    check(Sum, &ints(1..=4), "10");
    check(Sum, &[decimal("0.1"), decimal("0.2"), 1.into()], "1.3");
    check(Sum, &[1.into(), 0.5.into()], "1.5");
    check(Sum, &["1".into()], "null !UnlikeTypes");
    check(Sum, &[seconds(1)], "null !UnlikeTypes");
}

#[test]
fn a_sum_that_left_its_range_stays_lost_and_counts_once() {
    check(Sum, &ints([i64::MAX, 1, -5, 1]), "null !Overflow");
    check(Avg, &ints([i64::MAX, 1]), "null !Overflow");
    check(Sum, &[1.into(), "1".into(), 1.into()], "null !UnlikeTypes");
}

#[test]
fn avg_divides_as_the_operator_does() {
    check(Avg, &ints([1, 2]), "1.5");
    check(Avg, &[decimal("1.10"), decimal("1.20")], "1.15");
    check(Avg, &[seconds(1), seconds(2)], "1s500ms");
    check(Avg, &[Timestamp::from_seconds(1).into()], "null !UnlikeTypes");
}

#[test]
fn min_and_max_take_what_has_an_order() {
    for (values, least, greatest) in [
        (ints([2, 1, 3]), "1", "3"),
        (vec![2.into(), decimal("1.5"), 1.75.into()], "1.5", "2"),
        (vec!["b".into(), "a".into()], "\"a\"", "\"b\""),
        (vec![seconds(2), seconds(1)], "1s", "2s"),
        (
            vec![Timestamp::from_seconds(1).into(), Timestamp::from_seconds(0).into()],
            "@1970-01-01T00:00:00Z",
            "@1970-01-01T00:00:01Z",
        ),
        (vec![1.into(), f64::NAN.into(), 2.into()], "NaN", "NaN"),
        (vec![true.into()], "null !UnlikeTypes", "null !UnlikeTypes"),
        (vec![1.into(), "a".into(), 2.into()], "null !UnlikeTypes", "null !UnlikeTypes"),
    ] {
        check(Min, &values, least);
        check(Max, &values, greatest);
    }
}

#[test]
fn any_and_all_have_three_values() {
    let (yes, no, unknown) = (Value::Bool(true), Value::Bool(false), Value::Null);
    for (values, any, all) in [
        (vec![yes.clone(), no.clone()], "true", "false"),
        (vec![yes.clone(), yes.clone()], "true", "true"),
        (vec![no.clone(), no.clone()], "false", "false"),
        (vec![unknown.clone(), yes.clone()], "true", "null"),
        (vec![yes.clone(), unknown.clone()], "true", "null"),
        (vec![no.clone(), unknown.clone()], "null", "false"),
        (vec![unknown.clone(), no.clone(), yes], "true", "false"),
        (vec![unknown], "null", "null"),
    ] {
        check(Any, &values, any);
        check(All, &values, all);
    }
    check(Any, &[1.into(), true.into()], "true !UnlikeTypes");
    check(All, &[1.into(), true.into()], "null !UnlikeTypes");
}

#[test]
fn collect_keeps_all_and_distinct_the_first_of_each() {
    let values = [2.into(), 1.into(), 2.into(), Value::Null, Value::Null, 2.0.into()];
    check(Collect, &values, "[2, 1, 2, null, null, 2.0]");
    check(Distinct, &values, "[2, 1, null, 2.0]");
}

#[test]
fn a_clone_goes_its_own_way() {
    for aggregate in AGGREGATES {
        let (before, _) = accumulated(aggregate, &[Value::Bool(true)]);
        let mut after = before.clone();
        after.add(false.into(), &mut |_| {});
        assert_eq!(before, accumulated(aggregate, &[true.into()]).0);
        assert_eq!(after, accumulated(aggregate, &[true.into(), false.into()]).0);
    }
}

#[test]
fn equal_accumulators_have_equal_hashes() {
    let hash = |accumulator: &Accumulator| {
        let mut hasher = DefaultHasher::new();
        accumulator.hash(&mut hasher);
        hasher.finish()
    };
    for aggregate in AGGREGATES {
        let (a, _) = accumulated(aggregate, &[decimal("1.0"), decimal("2.0")]);
        let (b, _) = accumulated(aggregate, &[decimal("1.00"), decimal("2")]);
        assert_eq!(a, b);
        assert_eq!(hash(&a), hash(&b));
    }
    assert_ne!(accumulated(Sum, &[]).0, accumulated(Sum, &[0.into()]).0);
}

#[test]
fn what_was_saved_goes_on_where_it_stopped() {
    for aggregate in AGGREGATES {
        for values in [vec![], ints([3, 3, 4]), vec!["a".into(), Value::Null], vec![0.5.into(), f64::NAN.into()]] {
            let (accumulator, _) = accumulated(aggregate, &values);
            let saved = rmp_serde::to_vec(&accumulator).expect("an accumulator can be saved");
            let restored: Accumulator = rmp_serde::from_slice(&saved).expect("what was saved can be read");
            assert_eq!(restored, accumulator);
        }
    }
}

#[test]
fn results_have_the_types_that_the_checker_foretells() {
    for (kind, value) in [
        (Type::Bool, true.into()),
        (Type::Int, 2.into()),
        (Type::Float, 2.0.into()),
        (Type::Decimal, decimal("2")),
        (Type::String, "2".into()),
        (Type::Timestamp, Timestamp::from_seconds(2).into()),
        (Type::Duration, seconds(2)),
        (Type::List(Box::new(Type::Int)), Value::List(ints([2]).into())),
    ] {
        for aggregate in AGGREGATES {
            let (accumulator, faults) = accumulated(aggregate, &[value.clone(), value.clone()]);
            match aggregate_type(aggregate, &kind) {
                Some(Type::List(_)) => assert!(matches!(accumulator.value(), Value::List(_))),
                Some(foretold) => assert_eq!(accumulator.value().type_of(), foretold, "{aggregate:?} of {kind}"),
                None => assert_eq!(faults.first(), Some(&Fault::UnlikeTypes), "{aggregate:?} of {kind}"),
            }
        }
    }
}
