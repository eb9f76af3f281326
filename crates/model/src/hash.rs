//! Hashes that stay the same for ever: of keys, which decide the key group, of outputs, which make their ids, and of texts.

use std::fmt;

use xxhash_rust::xxh3::{Xxh3, xxh3_64, xxh3_128};

use crate::output::Partial;
use crate::value::Value;

/// A state's snapshot splits by key group: the hash of the key modulo this.
pub const KEY_GROUPS: u64 = 32_768;

/// The stable hash of a key.
pub fn key_hash(key: &[Value<'_>]) -> u64 {
    match key {
        [] => return xxh3_64(&[]),
        [Value::Int(int)] => return xxh3_64(&word(2, *int)),
        _ => {}
    }
    let mut hasher = Hasher::new();
    key.iter().for_each(|part| feed(&mut hasher, part));
    hasher.digest(xxh3_64, Xxh3::digest)
}

/// The stable hash of a text.
pub fn text_hash(text: &str) -> u64 {
    xxh3_64(text.as_bytes())
}

/// The stable ids of the outputs of a pattern: hashes of the kind of output, the pattern's name, the key, and the positions and
/// stages of the events.
#[derive(Clone, Debug)]
pub struct OutputIds {
    /// What has been fed the kind and the name, with which all that is hashed begins.
    begun: Hasher,
}

impl OutputIds {
    /// The ids of one kind of output.
    pub fn new(kind: &str, pattern: &str) -> Self {
        let texts = [kind, pattern].map(|text| [&(text.len() as u64).to_le_bytes(), text.as_bytes()].concat());
        let mut begun = Hasher::new();
        begun.update(&texts.concat());
        OutputIds { begun }
    }

    /// The id of the output of a run.
    pub fn id<E>(&self, run: &Partial<E>) -> u128 {
        let mut hasher = self.begun.clone();
        run.key.iter().for_each(|part| feed(&mut hasher, part));
        for (stage, taken) in &run.events {
            let mut event = [0; 18];
            event[..2].copy_from_slice(&stage.0.to_le_bytes());
            event[2..10].copy_from_slice(&taken.position.to_le_bytes());
            event[10..].copy_from_slice(&taken.time.as_micros().to_le_bytes());
            hasher.update(&event);
        }
        hasher.digest(xxh3_128, Xxh3::digest128)
    }
}

/// Holds what is fed until it is hashed in one piece. The hash of a stream is the same, but its state of 500 bytes costs more
/// to set up than a key costs to hash, so only what is long becomes one.
#[derive(Clone)]
struct Hasher {
    bytes: [u8; HELD_BYTES],
    length: usize,
    stream: Option<Box<Xxh3>>,
}

/// Enough for the id of an output of two events whose pattern and key have some thirty bytes.
const HELD_BYTES: usize = 128;

impl Hasher {
    fn new() -> Self {
        Hasher { bytes: [0; HELD_BYTES], length: 0, stream: None }
    }

    #[inline]
    fn update(&mut self, bytes: &[u8]) {
        match self.bytes.get_mut(self.length..self.length + bytes.len()) {
            Some(free) => {
                free.copy_from_slice(bytes);
                self.length += bytes.len();
            }
            None => self.stream(bytes),
        }
    }

    #[cold]
    fn stream(&mut self, bytes: &[u8]) {
        let stream = self.stream.get_or_insert_with(|| Box::new(Xxh3::new()));
        stream.update(&self.bytes[..self.length]);
        stream.update(bytes);
        self.length = 0;
    }

    /// By reference: to move what is held costs more than to hash it.
    #[inline]
    fn digest<T>(&mut self, of_bytes: fn(&[u8]) -> T, of_stream: fn(&Xxh3) -> T) -> T {
        let held = &self.bytes[..self.length];
        match &mut self.stream {
            None => of_bytes(held),
            Some(stream) => {
                stream.update(held);
                of_stream(stream)
            }
        }
    }
}

impl fmt::Debug for Hasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hasher").field("length", &self.length).finish_non_exhaustive()
    }
}

/// Each value is fed as a tag and its bytes, so that no two different keys feed the same.
fn feed(hasher: &mut Hasher, value: &Value<'_>) {
    match value {
        Value::Null => hasher.update(&[0]),
        Value::Bool(value) => hasher.update(&[1, u8::from(*value)]),
        Value::Int(value) => feed_word(hasher, 2, *value),
        Value::Float(value) => feed_word(hasher, 3, value.to_bits().cast_signed()),
        Value::Decimal(value) => {
            hasher.update(&[4]);
            hasher.update(&value.normalize().serialize());
        }
        Value::String(text) => {
            hasher.update(&[5]);
            feed_text(hasher, text.as_str());
        }
        Value::Timestamp(value) => feed_word(hasher, 6, value.as_micros()),
        Value::Duration(value) => feed_word(hasher, 7, value.as_micros()),
        Value::List(values) => {
            feed_word(hasher, 8, values.len() as i64);
            values.iter().for_each(|value| feed(hasher, value));
        }
        Value::Record(values) => {
            feed_word(hasher, 9, values.len() as i64);
            for (name, value) in values.iter() {
                feed_text(hasher, name);
                feed(hasher, value);
            }
        }
    }
}

fn word(tag: u8, word: i64) -> [u8; 9] {
    let [a, b, c, d, e, f, g, h] = word.to_le_bytes();
    [tag, a, b, c, d, e, f, g, h]
}

fn feed_word(hasher: &mut Hasher, tag: u8, word: i64) {
    hasher.update(&self::word(tag, word));
}

fn feed_text(hasher: &mut Hasher, text: &str) {
    hasher.update(&(text.len() as u64).to_le_bytes());
    hasher.update(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use crate::output::Taken;
    use crate::pattern::StageId;
    use crate::time::Timestamp;

    use super::*;

    #[test]
    fn an_output_id_never_changes() {
        let taken = |position: u64| {
            let time = Timestamp::from_seconds(position as i64);
            (StageId(position as u16 % 3), Taken { event: Arc::new(()), time, position })
        };
        let run = |events| Partial { pattern: 0, key: ["a".into(), Value::Int(7)].into_iter().collect(), events };
        let ids = OutputIds::new("match", "p");
        let short = run((0..2).map(taken).collect());
        assert_eq!(format!("{:032x}", ids.id(&short)), "22c7de0a92146cd50e295bb3e04a1cac");
        // Beyond what is held before it is hashed.
        let long = run((0..40).map(taken).collect());
        assert_eq!(format!("{:032x}", ids.id(&long)), "58c7b47da363158513b8c6ce167a1bd8");
    }

    proptest::proptest! {
        #[test]
        fn what_is_held_is_hashed_as_a_stream_is(parts in proptest::collection::vec(proptest::collection::vec(0..=255_u8, 0..300), 0..9)) {
            let (mut held, mut stream) = (Hasher::new(), Xxh3::new());
            for part in &parts {
                held.update(part);
                stream.update(part);
            }
            proptest::prop_assert_eq!(held.digest(xxh3_128, Xxh3::digest128), stream.digest128());
        }
    }

    #[test]
    fn a_key_hash_never_changes() {
        // State on disk is split by it: another value here means that old snapshots cannot be restored.
        assert_eq!(key_hash(&[Value::Int(1234)]), 12_463_572_684_468_211_518);
        assert_eq!(key_hash(&["a".into(), Value::Null]), 3_479_566_615_681_570_280);
    }
}
