//! Events on their way from the intake to the shard that owns their key.

use std::sync::Arc;

use ensue_model::{Event, Timestamp};

use crate::intake::Route;
use crate::shard::Routed;

/// An event on its way to a shard. One that goes to no other is whole, and is shared where the shard is: memory that one thread
/// asks for and another gives up costs both.
#[derive(Debug)]
pub struct Parcel<E> {
    event: Held<E>,
    position: u64,
    /// Up to where time had come with it.
    through: Timestamp,
    route: Route,
}

#[derive(Debug)]
enum Held<E> {
    Whole(E),
    Shared(Arc<E>),
}

impl<E: Event> Parcel<E> {
    #[inline]
    pub(crate) fn whole(event: E, position: u64, through: Timestamp, route: Route) -> Self {
        Parcel { event: Held::Whole(event), position, through, route }
    }

    #[inline]
    pub(crate) fn shared(event: Arc<E>, position: u64, through: Timestamp, route: Route) -> Self {
        Parcel { event: Held::Shared(event), position, through, route }
    }

    /// The event for its shard.
    #[inline]
    pub fn open(self) -> Routed<E> {
        let Parcel { event, position, through, route } = self;
        let event = match event {
            Held::Whole(event) => Arc::new(event),
            Held::Shared(event) => event,
        };
        Routed::new(event, position, through, &route)
    }
}

/// Parcels for the thread of a shard, with the texts of their events in one piece.
#[derive(Debug)]
pub struct Freight<E> {
    /// Each with how many bytes of the texts are its own.
    parcels: Vec<(Parcel<E>, usize)>,
    texts: String,
}

impl<E> Default for Freight<E> {
    fn default() -> Self {
        Freight { parcels: Vec::new(), texts: String::new() }
    }
}

impl<E: Event> Freight<E> {
    /// Adds a parcel.
    #[inline]
    pub fn load(&mut self, mut parcel: Parcel<E>) {
        if self.parcels.is_empty() {
            self.texts.clear();
        }
        let before = self.texts.len();
        if let Held::Whole(event) = &mut parcel.event {
            event.pack(&mut self.texts);
        }
        self.parcels.push((parcel, self.texts.len() - before));
    }

    /// The events, in their order. The room stays for others.
    pub fn unload(&mut self) -> impl Iterator<Item = Routed<E>> {
        let Freight { parcels, texts } = self;
        let mut texts = &**texts;
        parcels.drain(..).map(move |(mut parcel, length)| {
            let (text, others) = texts.split_at(length);
            texts = others;
            if let Held::Whole(event) = &mut parcel.event {
                event.unpack(text);
            }
            parcel.open()
        })
    }
}
