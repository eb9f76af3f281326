//! Eight bytes at a time, in the registers that every processor has.
//!
//! The fields of an event are so short that a call into a library costs more than it finds; a loop over bytes costs more
//! still.

const ONES: u64 = 0x0101_0101_0101_0101;
/// The highest bit of each byte.
pub(crate) const HIGH: u64 = 0x8080_8080_8080_8080;
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

/// The highest bit of each byte of `word` that is a printable character of ASCII, the space included.
#[inline]
pub(crate) const fn printable(word: u64) -> u64 {
    let low = word & LOW;
    let from_space = low + all(0x80 - b' ');
    let to_tilde = !(low + all(0x7f - b'~'));
    from_space & to_tilde & !word & HIGH
}

/// The highest bit of each byte of `word` that is a digit.
#[inline]
pub(crate) const fn digits(word: u64) -> u64 {
    let low = word & LOW;
    let from_zero = low + all(0x80 - b'0');
    let to_nine = !(low + all(0x7f - b'9'));
    from_zero & to_nine & !word & HIGH
}

/// Where this byte stands at or behind `from`; the length where it does not.
#[inline]
pub(crate) fn find(byte: u8, bytes: &[u8], from: usize) -> usize {
    let mut at = from;
    while at < bytes.len() {
        match same(word(bytes, at), all(byte)) {
            0 => at += BYTES,
            // Behind the end there are zeros, which may be looked for.
            found => return bytes.len().min(at + found.trailing_zeros() as usize / 8),
        }
    }
    bytes.len()
}

/// Eight bytes from `at` on, which is not behind the end, and the highest bit of each of them that is.
#[inline]
pub(crate) fn word_and_end(bytes: &[u8], at: usize) -> (u64, u64) {
    let rest = &bytes[at..];
    match rest.first_chunk() {
        Some(word) => (u64::from_le_bytes(*word), 0),
        None => (last_word(bytes, at), HIGH << (8 * rest.len())),
    }
}

/// Whether all bytes are what `test` gives the highest bits of.
#[inline(always)]
pub(crate) fn are_all(bytes: &[u8], test: impl Fn(u64) -> u64) -> bool {
    let (words, rest) = bytes.as_chunks();
    words.iter().all(|word| test(u64::from_le_bytes(*word)) == HIGH)
        && (rest.is_empty() || {
            let others = HIGH << (8 * rest.len());
            test(word(bytes, bytes.len() - rest.len())) | others == HIGH
        })
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

/// The eight hexadecimal digits of a number: its halves, bytes and half bytes are moved apart until each has a byte.
#[inline]
pub(crate) const fn hexadecimal(number: u32) -> [u8; BYTES] {
    let number = number as u64;
    let halves = (number | number << 16) & 0x0000_ffff_0000_ffff;
    let bytes = (halves | halves << 8) & 0x00ff_00ff_00ff_00ff;
    let digits = (bytes | bytes << 4) & all(0x0f);
    // Those above nine reach sixteen with six more.
    let letters = (digits + all(6)) >> 4 & ONES;
    (digits + all(b'0') + letters * (b'a' - b'9' - 1) as u64).to_be_bytes()
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
            let at = at.min(bytes.len());
            let end: [u8; BYTES] = std::array::from_fn(|place| if at + place < bytes.len() { 0 } else { 0x80 });
            proptest::prop_assert_eq!(word_and_end(&bytes, at), (word(&bytes, at), u64::from_le_bytes(end)));
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
        fn a_byte_is_found_where_it_is(bytes in proptest::collection::vec(0..3_u8, 0..30), from in 0..31_usize) {
            let from = from.min(bytes.len());
            let expected = bytes[from..].iter().position(|&byte| byte == 0).map_or(bytes.len(), |found| from + found);
            proptest::prop_assert_eq!(find(0, &bytes, from), expected);
        }

        #[test]
        fn bytes_are_told_apart_by_kind(word: u64) {
            let bytes = word.to_le_bytes();
            let is = |kind: fn(&u8) -> bool| u64::from_le_bytes(bytes.map(|byte| if kind(&byte) { 0x80 } else { 0 }));
            proptest::prop_assert_eq!(digits(word), is(u8::is_ascii_digit));
            proptest::prop_assert_eq!(printable(word), is(|byte| (b' '..=b'~').contains(byte)));
        }

        #[test]
        fn all_bytes_are_tested(bytes in "[0-9]{0,20}", at in 0..20_usize, other: u8) {
            let mut bytes = bytes.into_bytes();
            proptest::prop_assert!(are_all(&bytes, digits));
            if let Some(byte) = bytes.get_mut(at) {
                *byte = other;
                proptest::prop_assert_eq!(are_all(&bytes, digits), other.is_ascii_digit());
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
