//! A bit for each byte: whether it is of a kind, for 64 bytes at a time.
//!
//! One look at all bytes of a record tells where each of its fields ends and which of them are plain, where a search for each
//! field would start anew. Made of blocks of 16 bytes, for which all processors that matter have registers.

use wide::u8x16;

/// How many bytes have a bit.
pub(crate) const WINDOW: usize = 64;

const BLOCK: usize = 16;

/// Sixteen bytes.
pub(crate) type Block = u8x16;

/// For each kind of byte, the bits of the 64 bytes from `at` on, the first one lowest; zeros behind the end. `kinds` has all
/// bits set in those bytes of a block that are of the kind.
#[inline(always)]
pub(crate) fn marks<const KINDS: usize>(
    bytes: &[u8],
    at: usize,
    kinds: impl Fn(Block) -> [Block; KINDS],
) -> [u64; KINDS] {
    let end = bytes.len().min(at + WINDOW);
    let (blocks, tail) = bytes.get(at..end).unwrap_or_default().as_chunks::<BLOCK>();
    let mut marks = [0; KINDS];
    let mut mark = |block: &[u8; BLOCK], from: usize, dropped: usize| {
        let found = kinds(Block::new(*block));
        marks
            .iter_mut()
            .zip(found)
            .for_each(|(marks, found)| *marks |= u64::from(found.to_bitmask() >> dropped) << from);
    };
    blocks.iter().zip((0..).step_by(BLOCK)).for_each(|(block, from)| mark(block, from, 0));
    if !tail.is_empty() {
        let missing = BLOCK - tail.len();
        mark(&last_block(&bytes[..end]), blocks.len() * BLOCK, missing);
    }
    marks
}

/// The last block, with zeros before bytes that are fewer.
#[inline(always)]
fn last_block(bytes: &[u8]) -> [u8; BLOCK] {
    match bytes.last_chunk() {
        Some(block) => *block,
        None => {
            let mut block = [0; BLOCK];
            block[BLOCK - bytes.len()..].copy_from_slice(bytes);
            block
        }
    }
}

/// Finds the next byte of a kind, where such bytes are asked for from the front to the back.
#[derive(Debug)]
pub(crate) struct Finder<'a, const KINDS: usize> {
    bytes: &'a [u8],
    kinds: fn(Block) -> [Block; KINDS],
    /// Where the bytes start that were looked at.
    window: usize,
    marks: [u64; KINDS],
}

impl<'a, const KINDS: usize> Finder<'a, KINDS> {
    #[inline(always)]
    pub(crate) fn new(bytes: &'a [u8], kinds: fn(Block) -> [Block; KINDS]) -> Self {
        Finder { bytes, kinds, window: 0, marks: marks(bytes, 0, kinds) }
    }

    /// Where the first byte of a kind stands at or behind `from`; the length where there is none.
    #[inline(always)]
    pub(crate) fn find(&mut self, kind: usize, from: usize) -> usize {
        match self.marks[kind].unbounded_shr((from - self.window) as u32) {
            0 => self.find_behind_window(kind, from),
            marks => from + marks.trailing_zeros() as usize,
        }
    }

    #[inline(never)]
    fn find_behind_window(&mut self, kind: usize, from: usize) -> usize {
        let mut at = from.max(self.window + WINDOW);
        while at < self.bytes.len() {
            self.window = at;
            self.marks = marks(self.bytes, at, self.kinds);
            if self.marks[kind] != 0 {
                return at + self.marks[kind].trailing_zeros() as usize;
            }
            at += WINDOW;
        }
        self.bytes.len()
    }
}

/// This byte.
#[inline(always)]
pub(crate) fn same(block: Block, byte: u8) -> Block {
    block.simd_eq(Block::splat(byte))
}

/// A digit.
#[inline(always)]
pub(crate) fn digits(block: Block) -> Block {
    between(block, b'0', b'9')
}

/// What stands for itself in a string of JSON, and is ASCII.
#[inline(always)]
pub(crate) fn plain(block: Block) -> Block {
    between(block, b' ', b'~') & !(same(block, b'"') | same(block, b'\\'))
}

/// What cannot stand in a string of JSON as it is: the quote that ends it, escapes, control characters.
#[inline(always)]
pub(crate) fn ends_string(block: Block) -> Block {
    same(block, b'"') | same(block, b'\\') | between(block, 0, 0x1f)
}

#[inline(always)]
fn between(block: Block, first: u8, last: u8) -> Block {
    block.max(Block::splat(first)).min(Block::splat(last)).simd_eq(block)
}

/// Whether all bytes are of a kind.
#[inline(always)]
pub(crate) fn are_all(bytes: &[u8], kind: impl Fn(Block) -> Block) -> bool {
    let (blocks, tail) = bytes.as_chunks::<BLOCK>();
    blocks.iter().all(|block| kind(Block::new(*block)).all())
        && (tail.is_empty() || {
            let others = kind(Block::new(last_block(bytes))).to_bitmask() | ((1 << (BLOCK - tail.len())) - 1);
            others == 0xffff
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn each_byte_has_its_bit(bytes in proptest::collection::vec(0..=255_u8, 0..200), at in 0..210_usize) {
            let expected = |is: fn(&u8) -> bool| {
                let bits = bytes.iter().skip(at).take(WINDOW).map(|byte| u64::from(is(byte)));
                bits.zip(0..).fold(0, |marks, (bit, place)| marks | bit << place)
            };
            let found = marks(&bytes, at, |block| [same(block, b','), digits(block), plain(block)]);
            let is_plain = |byte: &u8| matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\');
            let expected = [expected(|byte| *byte == b','), expected(u8::is_ascii_digit), expected(is_plain)];
            proptest::prop_assert_eq!(found, expected);
        }

        #[test]
        fn every_byte_is_told_by_its_kind(byte: u8) {
            let is = |kind: Block| kind.all();
            let block = Block::splat(byte);
            proptest::prop_assert_eq!(is(digits(block)), byte.is_ascii_digit());
            proptest::prop_assert_eq!(is(same(block, b'"')), byte == b'"');
            proptest::prop_assert_eq!(is(plain(block)), matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\');
        }

        #[test]
        fn all_bytes_are_tested(bytes in "[0-9]{0,40}", at in 0..40_usize, other: u8) {
            let mut bytes = bytes.into_bytes();
            proptest::prop_assert!(are_all(&bytes, digits));
            if let Some(byte) = bytes.get_mut(at) {
                *byte = other;
                proptest::prop_assert_eq!(are_all(&bytes, digits), other.is_ascii_digit());
            }
        }
    }
}
