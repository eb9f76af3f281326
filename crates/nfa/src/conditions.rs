//! What is known of the event at hand: which conditions it fulfils.

use std::collections::HashMap;

use ensue_model::Expr;
use ensue_model::pattern::KeyPart;

/// The different conditions on an event alone that the programs of one thread ask for. Equal ones are one, whichever
/// program asks, and each is evaluated at most once for an event.
#[derive(Debug, Default)]
pub struct Conditions {
    /// By what they are, spelt out: an expression has no hash.
    places: HashMap<String, u32>,
    known: Vec<Known>,
}

/// Whether a condition holds for the event at a position of the input.
#[derive(Clone, Copy, Debug)]
struct Known {
    position: u64,
    holds: bool,
}

/// A condition on an event alone.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SharedId(u32);

impl Conditions {
    /// No conditions yet.
    pub fn new() -> Self {
        Conditions::default()
    }

    /// The condition of a pattern with this key.
    pub(crate) fn intern(&mut self, condition: &Expr, key: &[KeyPart]) -> SharedId {
        let mut asks_key = false;
        condition.walk(&mut |part| asks_key |= matches!(part, Expr::Key(_)));
        let key = if asks_key { key } else { &[] };
        let next = self.known.len() as u32;
        let place = *self.places.entry(format!("{condition:?} {key:?}")).or_insert(next);
        if place == next {
            self.known.push(Known { position: u64::MAX, holds: false });
        }
        SharedId(place)
    }

    /// Whether a condition holds for the event at a position; evaluates it if that is not known.
    pub(crate) fn holds(&mut self, SharedId(place): SharedId, position: u64, evaluate: impl FnOnce() -> bool) -> bool {
        let known = &mut self.known[place as usize];
        if known.position != position {
            *known = Known { position, holds: evaluate() };
        }
        known.holds
    }
}
