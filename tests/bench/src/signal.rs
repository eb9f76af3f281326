//! The events of W2 and W3.

use crate::line::{self, Line};

/// An event of a type, for a key, with a value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Signal {
    /// Its number, from 0.
    pub sequence: u64,
    /// Its type.
    pub kind: &'static str,
    /// Its key, from 0.
    pub key: u32,
    /// A value below [`VALUES`].
    pub value: u32,
    /// The event time in milliseconds since 1970.
    pub ms: i64,
}

/// How many values there are; each is as likely as the others.
pub const VALUES: u32 = 1_000_000;

/// The event time of the first event.
pub(crate) const FIRST_MS: i64 = 1_611_047_605_000;

impl Line for Signal {
    /// `seq,type,key,v,ms`
    fn write(&self, out: &mut Vec<u8>) {
        line::number(self.sequence, out);
        out.push(b',');
        out.extend_from_slice(self.kind.as_bytes());
        out.push(b',');
        line::number(self.key, out);
        out.push(b',');
        line::number(self.value, out);
        out.push(b',');
        line::number(self.ms, out);
        out.push(b'\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signal_is_a_line_of_five_fields() {
        let signal = Signal { sequence: 7, kind: "a", key: 3, value: 999_999, ms: FIRST_MS };
        assert_eq!(line::lines([signal].into_iter()), "7,a,3,999999,1611047605000\n");
    }
}
