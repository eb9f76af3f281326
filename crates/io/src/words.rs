//! Eight bytes at a time, in the registers that every processor has.
//!
//! The fields of an event are so short that a call into a library costs more than it finds; a loop over bytes costs more
//! still.

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x8080_8080_8080_8080;
const LOW: u64 = !HIGH;

/// How many bytes a word has.
pub(crate) const BYTES: usize = 8;

/// Eight bytes from `at` on, the first one lowest; zeros behind the end.
#[inline]
pub(crate) fn word(bytes: &[u8], at: usize) -> u64 {
    match bytes.get(at..).unwrap_or_default().first_chunk() {
        Some(word) => u64::from_le_bytes(*word),
        None => last_word(bytes, at),
    }
}

#[inline]
fn last_word(bytes: &[u8], at: usize) -> u64 {
    let rest = &bytes[at.min(bytes.len())..];
    match bytes.last_chunk() {
        Some(_) if rest.is_empty() => 0,
        Some(word) => u64::from_le_bytes(*word) >> (8 * (BYTES - rest.len())),
        None => rest.iter().rev().fold(0, |word, &byte| word << 8 | u64::from(byte)),
    }
}

/// This byte eight times.
pub(crate) const fn all(byte: u8) -> u64 {
    byte as u64 * ONES
}

/// The highest bit of each byte of `word` that is the same as in `other`.
#[inline]
pub(crate) const fn same(word: u64, other: u64) -> u64 {
    let differs = word ^ other;
    // No sum carries into the next byte, so that each byte is told apart from its neighbours.
    !(((differs & LOW) + LOW) | differs) & HIGH
}

/// The number that eight digits write: pairs, then fours, then all eight in one multiplication each.
#[inline]
pub(crate) fn eight_digits(text: [u8; BYTES]) -> Option<u64> {
    let digits = u64::from_le_bytes(text) ^ all(b'0');
    // What is above nine reaches the upper half of its byte now or with six more.
    if (digits | digits.wrapping_add(all(6))) & all(0xf0) != 0 {
        return None;
    }
    let pairs = digits.wrapping_mul(10 << 8 | 1) >> 8 & 0x00ff_00ff_00ff_00ff;
    let fours = pairs.wrapping_mul(100 << 16 | 1) >> 16 & 0x0000_ffff_0000_ffff;
    Some(fours.wrapping_mul(10_000 << 32 | 1) >> 32)
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn a_word_is_the_next_bytes_and_zeros(bytes in proptest::collection::vec(0..=255_u8, 0..20), at in 0..25_usize) {
            let mut expected = [0; BYTES];
            bytes.iter().skip(at).zip(&mut expected).for_each(|(byte, place)| *place = *byte);
            proptest::prop_assert_eq!(word(&bytes, at), u64::from_le_bytes(expected));
        }

        #[test]
        fn bytes_are_the_same_where_they_are(word: u64, at in 0..8_usize, nudge in -1..=1_i8, flip in 0..8_u32) {
            let near = word.to_le_bytes()[at].wrapping_add_signed(nudge);
            for byte in [near, word.to_le_bytes()[at] ^ (1_u8 << flip)] {
                let expected = word.to_le_bytes().map(|found| if found == byte { 0x80 } else { 0 });
                proptest::prop_assert_eq!(same(word, all(byte)), u64::from_le_bytes(expected));
            }
        }

        #[test]
        fn eight_digits_are_the_number_that_is_parsed(digits in "[0-9]{8}", at in 0..8_usize, byte: u8) {
            let mut text: [u8; BYTES] = digits.as_bytes().try_into().unwrap();
            proptest::prop_assert_eq!(eight_digits(text), digits.parse().ok());
            text[at] = byte;
            let is_number = byte.is_ascii_digit();
            proptest::prop_assert_eq!(eight_digits(text).is_some(), is_number, "{}", text.escape_ascii());
        }
    }
}
