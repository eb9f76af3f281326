//! Events as lines of text.

/// An event that a workload writes as a line.
pub trait Line {
    /// Appends the line with its end.
    fn write(&self, out: &mut Vec<u8>);
}

/// Appends a number.
pub(crate) fn number(number: impl itoa::Integer, out: &mut Vec<u8>) {
    out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

/// Appends eight hexadecimal digits.
pub(crate) fn hexadecimal(number: u32, out: &mut Vec<u8>) {
    let digit = |at: u32| b"0123456789abcdef"[(number >> (28 - 4 * at) & 15) as usize];
    out.extend((0..8).map(digit));
}

#[cfg(test)]
pub(crate) fn lines<L: Line>(events: impl Iterator<Item = L>) -> String {
    let mut out = Vec::new();
    events.for_each(|event| event.write(&mut out));
    String::from_utf8(out).unwrap()
}
