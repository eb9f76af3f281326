//! Numbers of things, in words.

use std::fmt::Display;

/// A number of things: `1 event`, `2 events`, `2 matches`.
pub(crate) fn counted<N: Display + PartialEq + From<u8>>(count: N, what: &str) -> String {
    match what {
        _ if count == N::from(1) => format!("1 {what}"),
        "match" => format!("{count} matches"),
        _ => format!("{count} {what}s"),
    }
}
