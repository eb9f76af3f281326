//! Hashes that stay the same for ever: of keys, which decide the key group, and of outputs, which make their ids.

use xxhash_rust::xxh3::Xxh3;

use crate::output::Partial;
use crate::value::Value;

/// A state's snapshot splits by key group: the hash of the key modulo this.
pub const KEY_GROUPS: u64 = 32_768;

/// The stable hash of a key.
pub fn key_hash(key: &[Value<'_>]) -> u64 {
    let mut hasher = Xxh3::new();
    key.iter().for_each(|part| feed(&mut hasher, part));
    hasher.digest()
}

/// The stable id of an output: of the pattern's name, the key, and the positions and stages of its events.
pub fn output_id<E>(kind: &str, pattern: &str, run: &Partial<E>) -> u128 {
    let mut hasher = Xxh3::new();
    feed_text(&mut hasher, kind);
    feed_text(&mut hasher, pattern);
    run.key.iter().for_each(|part| feed(&mut hasher, part));
    for (stage, taken) in &run.events {
        hasher.update(&stage.0.to_le_bytes());
        hasher.update(&taken.position.to_le_bytes());
        hasher.update(&taken.time.as_micros().to_le_bytes());
    }
    hasher.digest128()
}

/// Each value is fed as a tag and its bytes, so that no two different keys feed the same.
fn feed(hasher: &mut Xxh3, value: &Value<'_>) {
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

fn feed_word(hasher: &mut Xxh3, tag: u8, word: i64) {
    hasher.update(&[tag]);
    hasher.update(&word.to_le_bytes());
}

fn feed_text(hasher: &mut Xxh3, text: &str) {
    hasher.update(&(text.len() as u64).to_le_bytes());
    hasher.update(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_hash_never_changes() {
        // State on disk is split by it: another value here means that old snapshots cannot be restored.
        assert_eq!(key_hash(&[Value::Int(1234)]), 12_463_572_684_468_211_518);
        assert_eq!(key_hash(&["a".into(), Value::Null]), 3_479_566_615_681_570_280);
    }
}
