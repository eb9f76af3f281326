//! The keys with open runs: a hash table that grows a little at a time, over slots that never move.
//!
//! A table of ten million keys that doubles at once stops the stream for as long as it takes to move them all. This one
//! splits one segment after the other as it grows (W. Litwin, *Linear hashing: a new tool for file and table addressing*,
//! VLDB 1980), so that no insertion moves more than a segment.

use hashbrown::HashTable;

/// Entries by the hash of their key, each at a place that stays its own until it is removed.
#[derive(Debug)]
pub(crate) struct OpenKeys<T> {
    segments: Vec<HashTable<Slot>>,
    /// The bits of a hash that choose the segment in this round of splits.
    round: usize,
    count: usize,
    /// Slots in blocks of [`BLOCK`]; all but the last are full.
    blocks: Vec<Vec<Option<T>>>,
    free: Vec<u32>,
}

/// Where an entry is, with a part of its hash, so that growing need not look at the entry.
#[derive(Clone, Copy, Debug)]
struct Slot {
    hash: u32,
    place: u32,
}

/// How many entries a segment has, on average, when another one is made: those that have been split in a round have fewer,
/// those that have not up to twice as many.
const SEGMENT: usize = 2_560;

const BLOCK: usize = 4_096;

/// The low bits of a hash choose the slot in a segment; these, above them, the segment.
const SEGMENT_SHIFT: u32 = 12;

impl<T> OpenKeys<T> {
    pub(crate) fn new() -> Self {
        OpenKeys { segments: vec![HashTable::new()], round: 0, count: 0, blocks: Vec::new(), free: Vec::new() }
    }

    pub(crate) fn len(&self) -> usize {
        self.count
    }

    /// The place of the entry with that hash for which `is_it` holds.
    pub(crate) fn find(&self, hash: u64, is_it: impl Fn(&T) -> bool) -> Option<u32> {
        let hash = part_of(hash);
        let matches = |slot: &Slot| slot.hash == hash && is_it(self.get(slot.place));
        self.segments[self.segment_of(hash)].find(spread(hash), matches).map(|slot| slot.place)
    }

    /// The place of an entry that may have that hash.
    pub(crate) fn probe(&self, hash: u64) -> Option<u32> {
        let hash = part_of(hash);
        self.segments[self.segment_of(hash)].find(spread(hash), |slot| slot.hash == hash).map(|slot| slot.place)
    }

    /// Adds an entry with a hash that no entry with the same key is there for.
    pub(crate) fn insert(&mut self, hash: u64, entry: T) -> u32 {
        self.count += 1;
        if self.count > self.segments.len() * SEGMENT {
            self.split();
        }
        let place = self.occupy(entry);
        let hash = part_of(hash);
        let segment = self.segment_of(hash);
        self.segments[segment].insert_unique(spread(hash), Slot { hash, place }, |slot| spread(slot.hash));
        place
    }

    /// Removes the entry at a place, whose hash has this [part](part_of).
    pub(crate) fn remove(&mut self, hash: u32, place: u32) -> Option<T> {
        let segment = self.segment_of(hash);
        let entry = self.segments[segment].find_entry(spread(hash), |slot| slot.place == place).ok()?;
        entry.remove();
        self.count -= 1;
        self.free.push(place);
        self.blocks[place as usize / BLOCK][place as usize % BLOCK].take()
    }

    /// The entry at a place; none if it was removed.
    pub(crate) fn at(&self, place: u32) -> Option<&T> {
        self.blocks[place as usize / BLOCK][place as usize % BLOCK].as_ref()
    }

    pub(crate) fn at_mut(&mut self, place: u32) -> Option<&mut T> {
        self.blocks[place as usize / BLOCK][place as usize % BLOCK].as_mut()
    }

    /// # Panics
    /// If there is no entry.
    pub(crate) fn get(&self, place: u32) -> &T {
        self.at(place).expect("a place is looked up while its entry is there")
    }

    /// # Panics
    /// If there is no entry.
    pub(crate) fn get_mut(&mut self, place: u32) -> &mut T {
        self.at_mut(place).expect("a place is looked up while its entry is there")
    }

    /// The entries with their places.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u32, &T)> {
        self.blocks.iter().flatten().zip(0..).filter_map(|(slot, place)| Some((place, slot.as_ref()?)))
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.blocks.iter_mut().flatten().flatten()
    }

    #[inline]
    fn segment_of(&self, hash: u32) -> usize {
        let segment = (hash >> SEGMENT_SHIFT) as usize & self.round;
        // Not split yet in this round.
        if segment < self.segments.len() { segment } else { segment & (self.round >> 1) }
    }

    /// Makes one more segment, of those entries of the next one to split that belong there.
    fn split(&mut self) {
        let new = self.segments.len();
        let old = new - (new + 1).next_power_of_two() / 2;
        let whole = std::mem::take(&mut self.segments[old]);
        // Each gets about half, and no more room than that needs.
        self.segments[old] = HashTable::with_capacity(whole.len() / 2);
        self.segments.push(HashTable::with_capacity(whole.len() / 2));
        self.round = self.segments.len().next_power_of_two() - 1;
        for slot in whole {
            let segment = self.segment_of(slot.hash);
            self.segments[segment].insert_unique(spread(slot.hash), slot, |slot| spread(slot.hash));
        }
    }

    fn occupy(&mut self, entry: T) -> u32 {
        if let Some(place) = self.free.pop() {
            self.blocks[place as usize / BLOCK][place as usize % BLOCK] = Some(entry);
            return place;
        }
        match self.blocks.last_mut() {
            // The first block grows with its entries: most engines have few.
            None => self.blocks.push(vec![Some(entry)]),
            Some(block) if block.len() < BLOCK => block.push(Some(entry)),
            Some(_) => {
                let mut block = Vec::with_capacity(BLOCK);
                block.push(Some(entry));
                self.blocks.push(block);
            }
        }
        let last = self.blocks.len() - 1;
        (last * BLOCK + self.blocks[last].len() - 1) as u32
    }
}

/// The part of a hash that is kept.
pub(crate) fn part_of(hash: u64) -> u32 {
    (hash >> 32) as u32
}

/// A hash for a segment, which looks at the lowest and at the highest bits.
fn spread(hash: u32) -> u64 {
    u64::from(hash) | u64::from(hash) << 32
}

#[cfg(test)]
mod tests {
    use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};

    use super::*;

    fn hash(number: u64) -> u64 {
        BuildHasherDefault::<DefaultHasher>::default().hash_one(number)
    }

    fn find(keys: &OpenKeys<u64>, number: u64) -> Option<u32> {
        keys.find(hash(number), |entry| *entry == number)
    }

    #[test]
    fn an_entry_is_found_at_its_place_until_it_is_removed() {
        let mut keys = OpenKeys::new();
        let places: Vec<u32> = (0..100_000).map(|number| keys.insert(hash(number), number)).collect();
        assert_eq!(keys.len(), 100_000);
        for (number, place) in (0..).zip(&places) {
            assert_eq!(find(&keys, number), Some(*place));
        }
        for (number, place) in (0..).zip(&places).step_by(2) {
            assert_eq!(keys.remove(part_of(hash(number)), *place), Some(number));
        }
        for (number, place) in (0..).zip(&places) {
            let is_left = number % 2 == 1;
            assert_eq!(find(&keys, number), is_left.then_some(*place));
            assert_eq!(keys.at(*place).copied(), is_left.then_some(number));
        }
        assert_eq!(keys.iter().map(|(_, number)| number).sum::<u64>(), (1..100_000).step_by(2).sum());
    }

    #[test]
    fn a_place_is_used_again() {
        let mut keys = OpenKeys::new();
        let place = keys.insert(hash(1), 1);
        assert_eq!(keys.remove(part_of(hash(1)), place), Some(1));
        assert_eq!(keys.remove(part_of(hash(1)), place), None);
        assert_eq!(keys.insert(hash(2), 2), place);
    }

    #[test]
    fn equal_hashes_are_told_apart() {
        let mut keys = OpenKeys::new();
        let places = [keys.insert(7, 1), keys.insert(7, 2)];
        assert_eq!([1, 2].map(|number| keys.find(7, |entry| *entry == number)), places.map(Some));
    }

    #[test]
    fn no_segment_is_much_larger_than_the_others() {
        let mut keys = OpenKeys::new();
        for number in 0..300_000 {
            keys.insert(hash(number), number);
        }
        let most = keys.segments.iter().map(HashTable::len).max().expect("there is a segment");
        assert!(most < 3 * SEGMENT, "{most}");
    }
}
