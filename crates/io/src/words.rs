//! Eight digits at a time, in the registers that every processor has.

const ONES: u64 = 0x0101_0101_0101_0101;

/// How many bytes a word has.
pub(crate) const BYTES: usize = 8;

/// This byte eight times.
const fn all(byte: u8) -> u64 {
    byte as u64 * ONES
}

/// The number that the last `count` bytes before `end` write, one to eight digits.
#[inline(always)]
pub(crate) fn number(bytes: &[u8], end: usize, count: usize) -> Option<u64> {
    let others = 8 * (BYTES - count);
    let digits = (word_before(bytes, end) ^ all(b'0')) >> others << others;
    // What is above nine reaches the upper half of its byte now or with six more.
    if (digits | digits.wrapping_add(all(6))) & all(0xf0) != 0 {
        return None;
    }
    // Pairs, then fours, then all eight in one multiplication each.
    let pairs = digits.wrapping_mul(10 << 8 | 1) >> 8 & 0x00ff_00ff_00ff_00ff;
    let fours = pairs.wrapping_mul(100 << 16 | 1) >> 16 & 0x0000_ffff_0000_ffff;
    Some(fours.wrapping_mul(10_000 << 32 | 1) >> 32)
}

/// Eight bytes up to `end`, the last one highest; zeros before the first.
#[inline(always)]
fn word_before(bytes: &[u8], end: usize) -> u64 {
    match bytes[..end].last_chunk() {
        Some(word) => u64::from_le_bytes(*word),
        None => bytes[..end].iter().fold(0, |word, &byte| word >> 8 | u64::from(byte) << 56),
    }
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
        fn digits_are_the_number_that_is_parsed(
            before in "[0-9a,]{0,12}",
            digits in "[0-9]{1,8}",
            at in 0..8_usize,
            byte: u8,
        ) {
            let mut text = [before.as_bytes(), digits.as_bytes()].concat();
            proptest::prop_assert_eq!(number(&text, text.len(), digits.len()), digits.parse().ok());
            let place = before.len() + at % digits.len();
            text[place] = byte;
            let is_number = byte.is_ascii_digit();
            let found = number(&text, text.len(), digits.len());
            proptest::prop_assert_eq!(found.is_some(), is_number, "{}", text.escape_ascii());
        }
    }
}
