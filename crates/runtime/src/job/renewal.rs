//! Rows that were decoded for other patterns, as they would be decoded now.

use std::collections::HashMap;
use std::sync::Arc;

use ensue_io::{Decoder, Layout};
use ensue_model::{Event, Patterns, StreamId};

use crate::event::Numbered;

/// Makes rows of one layout those of another set of patterns.
pub(crate) struct Renewal<'p> {
    before: Layout,
    /// None where the rows would be the same.
    now: Option<&'p Patterns>,
    /// For each source, the stream that it feeds, and what decodes it.
    decoders: Vec<(StreamId, &'p Decoder)>,
    /// What was renewed already: events are shared by keys and by patterns.
    known: HashMap<*const Numbered, (Arc<Numbered>, Option<Arc<Numbered>>)>,
}

impl<'p> Renewal<'p> {
    pub(crate) fn new(
        before: Layout,
        patterns: &'p Patterns,
        decoders: impl Iterator<Item = (StreamId, &'p Decoder)>,
    ) -> Self {
        let now = (before != Layout::of(patterns)).then_some(patterns);
        Renewal { before, now, decoders: decoders.collect(), known: HashMap::new() }
    }

    /// Whether rows are as they were.
    pub(crate) fn is_idle(&self) -> bool {
        self.now.is_none()
    }

    /// An event that is shared. None if it cannot be read as the patterns see it now.
    pub(crate) fn of_shared(&mut self, event: &Arc<Numbered>) -> Option<Arc<Numbered>> {
        if self.now.is_none() {
            return Some(event.clone());
        }
        if let Some((_, known)) = self.known.get(&Arc::as_ptr(event)) {
            return known.clone();
        }
        let renewed = self.of_event(event).map(Arc::new);
        // The event is kept with it, so that its place in memory does not become another's.
        self.known.insert(Arc::as_ptr(event), (event.clone(), renewed.clone()));
        renewed
    }

    fn of_event(&self, Numbered { line, row }: &Numbered) -> Option<Numbered> {
        let patterns = self.now?;
        let row = match row.raw() {
            "" => self.before.record_in(row, patterns),
            raw => {
                let stream = self.before.stream_in(row.stream(), patterns)?;
                let decoders = self.decoders.iter().filter(|(of, _)| *of == stream);
                // Several sources may feed a stream, each in a format of its own.
                decoders.map(|(_, decoder)| decoder.decode_again(raw)).find_map(Result::ok)
            }
        };
        row.map(|row| Numbered { line: *line, row })
    }
}
