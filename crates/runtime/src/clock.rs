//! The clock on the wall: the only place in this crate that asks for the time.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use ensue_model::Timestamp;

/// The time by the clock on the wall.
#[expect(clippy::disallowed_methods, reason = "a job has to know for how long a source has been silent")]
pub(crate) fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}

/// A point to measure from.
#[expect(clippy::disallowed_methods, reason = "a job says how long a checkpoint took")]
pub(crate) fn started() -> Instant {
    Instant::now()
}
