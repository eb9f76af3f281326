//! `cooldown`: the keys of a pattern for which a match has come out, and until when no other does.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use ensue_model::hash::key_hash;
use ensue_model::{Key, Span, Timestamp};

use crate::open_keys::{OpenKeys, part_of};

/// The keys of a pattern that have a cooldown.
#[derive(Debug)]
pub(crate) struct Cooling {
    span: Span,
    keys: OpenKeys<Cooled>,
    /// When they end, and at which place.
    ends: BinaryHeap<Reverse<(Timestamp, u32)>>,
}

#[derive(Debug)]
struct Cooled {
    key: Key,
    until: Timestamp,
}

impl Cooling {
    pub(crate) fn new(span: Span) -> Self {
        Cooling { span, keys: OpenKeys::new(), ends: BinaryHeap::new() }
    }

    /// Whether a match of a key comes out at that time; if so, the next do not until the span is over. Those of a key are asked
    /// in the order of their times.
    pub(crate) fn lets_through(&mut self, key: &Key, at: Timestamp) -> bool {
        let hash = key_hash(key);
        let until = at + self.span;
        match self.keys.find(hash, |cooled| cooled.is_of(key)) {
            Some(place) if at < self.keys.get(place).until => false,
            Some(place) => {
                self.keys.get_mut(place).until = until;
                self.ends.push(Reverse((until, place)));
                true
            }
            None => {
                self.insert(key.clone(), until);
                true
            }
        }
    }

    pub(crate) fn insert(&mut self, key: Key, until: Timestamp) {
        let place = self.keys.insert(key_hash(&key), Cooled { key, until });
        self.ends.push(Reverse((until, place)));
    }

    /// Forgets the cooldowns that are over at `through`.
    pub(crate) fn pass(&mut self, through: Timestamp) {
        while let Some(Reverse((end, place))) = self.ends.peek().copied()
            && end <= through
        {
            self.ends.pop();
            // A key that has had another match since is cooling for longer, and its place may be another's by now.
            if let Some(cooled) = self.keys.at(place).filter(|cooled| cooled.until <= through) {
                let hash = part_of(key_hash(&cooled.key));
                self.keys.remove(hash, place);
            }
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&Key, Timestamp)> {
        self.keys.iter().map(|(_, cooled)| (&cooled.key, cooled.until))
    }
}

impl Cooled {
    fn is_of(&self, key: &Key) -> bool {
        self.key.iter().zip(&**key).all(|(a, b)| a.is_same(b))
    }
}

#[cfg(test)]
mod tests {
    use ensue_model::Value;

    use super::*;

    #[test]
    fn a_key_is_cold_again_when_the_span_is_over_and_then_takes_no_memory() {
        let key = |name: i64| std::iter::once(Value::Int(name)).collect::<Key>();
        let at = Timestamp::from_seconds;
        let mut cooling = Cooling::new(Span::from_seconds(10));
        assert!(cooling.lets_through(&key(1), at(0)));
        assert!(!cooling.lets_through(&key(1), at(0)));
        assert!(cooling.lets_through(&key(2), at(3)));
        assert!(!cooling.lets_through(&key(1), at(9)));
        assert!(cooling.lets_through(&key(1), at(10)));
        cooling.pass(at(13));
        assert_eq!(cooling.iter().map(|(_, until)| until).collect::<Vec<_>>(), [at(20)]);
        cooling.pass(at(20));
        assert_eq!(cooling.iter().count(), 0);
    }
}
