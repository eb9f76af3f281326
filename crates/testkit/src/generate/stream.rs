//! Draws what arrives.

use proptest::prelude::*;
use serde_json::{Map, json};

use super::file::STREAMS;
use super::{Odds, chance, maybe};
use crate::case::{CaseEvent, Input};

/// Where time begins, in milliseconds.
const FIRST: i64 = 1_000;

/// So long after the last event comes the last watermark: longer than any window that is drawn.
const AFTERWARDS: i64 = 10_000;

/// An event before it has its id and its time.
#[derive(Clone, Debug)]
struct Arrival {
    kind: &'static str,
    v: i64,
    /// One event in many has none.
    key: Option<&'static str>,
    /// Another field that can be its key.
    other_key: Option<&'static str>,
    stream: &'static str,
    /// After the event before.
    gap: i64,
    /// Before the time that has been reached, for an event out of order.
    back: i64,
    /// The watermark after it, as what it lags behind the time that has been reached.
    watermark: Option<i64>,
}

/// Streams, each with a last watermark that ends all windows.
pub(super) fn streams(odds: Odds) -> impl Strategy<Value = Vec<Input>> {
    prop::collection::vec(arrival(odds.disorder), 3..=odds.events_max).prop_map(|arrivals| inputs(&arrivals))
}

fn arrival(disorder: f64) -> impl Strategy<Value = Arrival> {
    let kind = prop_oneof![8 => super::kinds(), 1 => Just("x")];
    let gap = prop::sample::select(vec![10, 0, 1, 10, 50, 100, 100, 300, 1_000]);
    let back = prop_oneof![Just(0), prop::sample::select(vec![1, 10, 100, 400])];
    let back = (chance(disorder), back).prop_map(|(out_of_order, back)| if out_of_order { back } else { 0 });
    let lag = prop::sample::select(vec![0, 1, 50, 200, 1_000, -1, -300]);
    let watermark = maybe(0.5, lag);
    let key = prop_oneof![
        40 => Just(Some("k1")),
        6 => Just(Some("k2")),
        3 => Just(Some("k3")),
        1 => Just(None)
    ];
    let other_key = prop_oneof![4 => Just(Some("k1")), 2 => Just(Some("k2")), 1 => Just(None)];
    let origin = (key, other_key, prop_oneof![4 => Just(STREAMS[0]), 4 => Just(STREAMS[1]), 1 => Just(STREAMS[2])]);
    (kind, 1..=6i64, origin, gap, back, watermark).prop_map(|(kind, v, origin, gap, back, watermark)| Arrival {
        kind,
        v,
        key: origin.0,
        other_key: origin.1,
        stream: origin.2,
        gap,
        back,
        watermark,
    })
}

fn inputs(arrivals: &[Arrival]) -> Vec<Input> {
    let mut inputs = Vec::new();
    let mut reached = FIRST;
    for (index, arrival) in arrivals.iter().enumerate() {
        reached += arrival.gap;
        inputs.push(Input::Event { e: event(index as i64 + 1, reached - arrival.back, arrival) });
        if let Some(lag) = arrival.watermark {
            inputs.push(Input::Watermark { wm: reached - lag });
        }
    }
    inputs.push(Input::Watermark { wm: reached + AFTERWARDS });
    inputs
}

fn event(id: i64, ts: i64, arrival: &Arrival) -> CaseEvent {
    let fields = [
        ("k".to_owned(), json!(arrival.key)),
        ("j".to_owned(), json!(arrival.other_key)),
        ("type".to_owned(), json!(arrival.kind)),
        ("z".to_owned(), if arrival.stream == STREAMS[1] { json!(arrival.kind) } else { json!(arrival.v) }),
        ("v".to_owned(), json!(arrival.v)),
    ];
    CaseEvent { id, ts, stream: Some(arrival.stream.to_owned()), fields: Map::from_iter(fields) }
}
