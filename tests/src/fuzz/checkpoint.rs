//! Any bytes as a checkpoint, and as the state of an engine in it.

use std::num::NonZeroU64;
use std::sync::{Arc, LazyLock};

use ensue_engine::{Config, Engine, Most, Outputs, Snapshot, Survey, Watermarks};
use ensue_lang::{Options, Source, compile};
use ensue_model::{Patterns, Row, Schema, Timestamp, Type, Value};
use ensue_runtime::event::Numbered;
use ensue_runtime::job::checkpoint::from_bytes;
use xxhash_rust::xxh3::xxh3_64;

/// Runs told apart and not, any order, lookbacks, windows of steps and in events, a skip strategy, records that another pattern reads.
const PATTERNS: &str = "
pattern two    begin a followedBy b within 1m
pattern loop   begin a followedBy b+ where v >= first(a).v followedBy c
pattern group  begin ( a & b ) followedBy c within 10s of previous within 5m
pattern counts begin a followedBy c within 20 events
pattern skips  begin a followedByAny b followedBy c within 1m skip past last
pattern pairs  begin a followedBy c within 30s emit pair { k: a.k, v: c.v }
pattern above  from pair begin one where true followedBy other where v > one.v within 1m
";

/// So many events a state has seen at most.
const EVENTS_MAX: u8 = 40;

static COMPILED: LazyLock<Arc<Patterns>> = LazyLock::new(|| {
    let schema = Schema::stream("s").field("k", Type::Int).field("type", Type::String).field("v", Type::Int);
    let options = Options { schema: schema.key("k").type_field("type"), ..Options::default() };
    let compiled = compile(&[Source::new("fuzz.pattern", PATTERNS)], &options);
    Arc::new(compiled.unwrap_or_else(|errors| panic!("{errors}")).patterns)
});

fn config() -> Config {
    Config { watermarks: Watermarks::Ascending, ..Config::default() }
}

/// Reads bytes as a checkpoint: as they are, and with the frame around them without which each is refused. Reads them as changes to
/// the state of an engine, too: the first says how many events that has seen, each three that follow a place and what stands there.
/// It is refused, or the engine goes on with it to the end.
///
/// # Panics
/// If something of this panics.
pub fn checkpoint(data: &[u8]) {
    for bytes in [data, &framed(data)] {
        if let Ok(checkpoint) = from_bytes(bytes) {
            go_on(&checkpoint.engine);
        }
    }
    go_on(data);
    let Some((events, changes)) = data.split_first() else { return };
    let mut state = state(events % EVENTS_MAX);
    for change in changes.chunks_exact(3) {
        let place = usize::from(u16::from_le_bytes([change[0], change[1]])) % state.len();
        state[place] = change[2];
    }
    let is_whole = go_on(&state);
    assert!(is_whole || !changes.is_empty(), "a state that nobody has changed is refused");
}

/// What a file of checkpoints has around the bytes: what it is, and their hash.
fn framed(body: &[u8]) -> Vec<u8> {
    let mut bytes = [b"ensue checkpt 1\n", body].concat();
    bytes.extend_from_slice(&xxh3_64(&bytes).to_le_bytes());
    bytes
}

/// The state of an engine that has seen so many events.
fn state(events: u8) -> Vec<u8> {
    let mut engine = Engine::new(&COMPILED, config()).expect("the patterns are small");
    (0..events).for_each(|number| push(&mut engine, number));
    engine.save().to_bytes().expect("events can be written")
}

fn push(engine: &mut Engine<Numbered>, number: u8) {
    let mixed = u64::from(number).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
    let kind = ["a", "b", "c", "a"][(mixed & 3) as usize];
    let values = COMPILED.schema.fields.iter().map(|field| match field.name.as_str() {
        "k" => Value::Int((mixed >> 2 & 1) as i64),
        "v" => Value::Int((mixed >> 3 & 7) as i64),
        _ => Value::from(kind),
    });
    let row = Row::new(Timestamp::from_seconds(i64::from(number)), values.collect());
    // A limit may be reached.
    let _ = engine.push(Numbered { line: NonZeroU64::new(number.into()), row }, &mut Outputs::new());
}

/// Whether the bytes are a state. If so an engine takes more events with it, and looks at what is open.
fn go_on(state: &[u8]) -> bool {
    let Ok(snapshot) = Snapshot::<Numbered>::from_bytes(state, &COMPILED) else { return false };
    Survey::new(&COMPILED, &config()).expect("the patterns are small").places(&snapshot);
    let Ok(mut engine) = Engine::load(&COMPILED, config(), snapshot) else { return false };
    let now = engine.watermark();
    for pattern in 0..COMPILED.patterns.len() {
        let most = Most { runs: 100, events: 1_000 };
        engine.stack().runs_of(pattern, &[Value::Int(0)], now, most);
    }
    (EVENTS_MAX..EVENTS_MAX + 20).for_each(|number| push(&mut engine, number));
    let _ = engine.finish(&mut Outputs::new());
    true
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_state_that_nobody_has_changed_is_whole() {
        (0..super::EVENTS_MAX).for_each(|events| super::checkpoint(&[events]));
    }

    #[test]
    fn the_frame_is_that_of_checkpoints() {
        let refused = |bytes: &[u8]| super::from_bytes(bytes).map(drop).expect_err("it holds nothing");
        assert!(!refused(&super::framed(b"nothing")).contains("no checkpoint of this version"));
    }

    proptest::proptest! {
        #[test]
        fn no_change_is_worse_than_a_refusal(events: u8, changes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..12)) {
            super::checkpoint(&[&[events], &changes[..]].concat());
        }
    }
}
