//! A time as it was written last: outputs come in the order of time, and many that come together have the same.

use std::cell::Cell;

use ensue_model::Timestamp;

use super::json::{SECONDS_BYTES, write_time};
use super::line::Line;

/// The time that was written last in one place of outputs, where it is one in whole seconds.
#[derive(Clone, Debug, Default)]
pub(super) struct LastTime(Cell<Option<(Timestamp, [u8; SECONDS_BYTES])>>);

impl LastTime {
    /// Writes a time, without quotes.
    #[inline]
    pub(super) fn write(&self, time: Timestamp, line: &mut Line<'_>) {
        match self.0.get() {
            Some((last, text)) if last == time => line.put(&text),
            _ => self.write_other(time, line),
        }
    }

    fn write_other(&self, time: Timestamp, line: &mut Line<'_>) {
        write_time(time, line);
        self.0.set(time.rfc3339().and_then(|text| Some((time, text.as_bytes().try_into().ok()?))));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_written_as_ever_whatever_came_before() {
        let last = LastTime::default();
        let micros = [0, 0, 1_000_000, 1_000_001, 1_000_001, 1_000_000, i64::MAX, i64::MIN, i64::MIN, 0];
        for time in micros.map(Timestamp::from_micros) {
            let mut out = Vec::new();
            let mut line = Line::behind(&mut out);
            last.write(time, &mut line);
            line.end();
            assert_eq!(String::from_utf8(out).unwrap(), time.to_string());
        }
    }
}
