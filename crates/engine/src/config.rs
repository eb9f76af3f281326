//! What the caller decides about an engine.

use ensue_model::Span;

/// What the caller decides about an engine.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Config {
    /// Where watermarks come from.
    pub watermarks: Watermarks,
    /// Whether anybody takes the partial matches that time out. If nobody does, runs with different starts move together
    /// where the pattern lets them, and no timeout comes out.
    pub timeouts: bool,
}

impl Default for Config {
    /// Explicit watermarks; timeouts come out.
    fn default() -> Self {
        Config { watermarks: Watermarks::Explicit, timeouts: true }
    }
}

/// Where watermarks come from: the points of event time before which no more events are expected.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Watermarks {
    /// From the caller, by `advance`.
    Explicit,
    /// From the events, which come in the order of their times. One before the latest is late.
    Ascending,
    /// From the events, which come at most so much later than one with a later time.
    OutOfOrder(Span),
}
