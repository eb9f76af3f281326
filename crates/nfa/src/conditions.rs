//! What is known of the event at hand: which conditions it fulfils.

use std::collections::HashMap;

use ensue_model::{Event, Expr, Keys};

use crate::comparison::{Comparisons, LastRead};
use crate::incoming::Incoming;

/// The different conditions on an event alone that the programs of one thread ask for. Equal ones are one, whichever
/// program asks, and each is evaluated at most once for an event.
#[derive(Debug, Default)]
pub struct Conditions {
    /// By what they are, spelt out: an expression has no hash.
    places: HashMap<String, u32>,
    conditions: Vec<Condition>,
}

#[derive(Debug)]
struct Condition {
    comparisons: Option<Comparisons>,
    /// The position in the input of the event that it was evaluated for.
    position: u64,
    /// Whether it held for that event.
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
    pub(crate) fn intern(&mut self, condition: &Expr, key: &Keys) -> SharedId {
        let mut asks_key = false;
        condition.walk(&mut |part| asks_key |= matches!(part, Expr::Key(_)));
        let key = asks_key.then_some(key);
        let next = self.conditions.len() as u32;
        let place = *self.places.entry(format!("{condition:?} {key:?}")).or_insert(next);
        if place == next {
            let comparisons = Comparisons::of(condition);
            self.conditions.push(Condition { comparisons, position: u64::MAX, holds: false });
        }
        SharedId(place)
    }

    /// Whether a condition holds for an event; where that is not known, and is not easily found, asks `evaluate`.
    #[inline]
    pub(crate) fn hold<'e, E: Event>(
        &mut self,
        SharedId(place): SharedId,
        incoming: &'e Incoming<E>,
        read: &mut LastRead<'e>,
        evaluate: impl FnOnce() -> bool,
    ) -> bool {
        let Condition { comparisons, position, holds } = &mut self.conditions[place as usize];
        if *position != incoming.position() {
            let compared = comparisons.as_ref().and_then(|comparisons| comparisons.hold(incoming.event(), read));
            *holds = compared.unwrap_or_else(evaluate);
            *position = incoming.position();
        }
        *holds
    }
}
