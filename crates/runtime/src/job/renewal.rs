//! Rows that were decoded for other patterns, as they would be decoded now.

use std::collections::HashMap;
use std::num::NonZeroU64;
use std::sync::Arc;

use ensue_io::{BadLine, Layout};
use ensue_model::Event;

use crate::event::Numbered;
use crate::job::plan::Plan;
use crate::job::records::{Bad, Decoded};

/// Makes rows of one layout those of another set of patterns.
pub(crate) struct Renewal<'p> {
    before: &'p Layout,
    /// None where the rows would be the same.
    now: Option<&'p Plan>,
    /// What was renewed already: events are shared by keys and by patterns.
    known: HashMap<*const Numbered, (Arc<Numbered>, Option<Arc<Numbered>>)>,
}

impl<'p> Renewal<'p> {
    pub(crate) fn new(before: &'p Layout, now: &'p Plan) -> Self {
        Renewal { before, now: (*before != now.layout).then_some(now), known: HashMap::new() }
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
        let renewed = self.of_event(event).ok().map(Arc::new);
        // The event is kept with it, so that its place in memory does not become another's.
        self.known.insert(Arc::as_ptr(event), (event.clone(), renewed.clone()));
        renewed
    }

    /// A record that was decoded and not taken yet. One that cannot be read any more is no event.
    pub(crate) fn of_decoded(&self, decoded: Decoded) -> Decoded {
        match decoded {
            Decoded::Event(event) if !self.is_idle() => self.of_event(&event).map_or_else(
                |reason| {
                    let line = event.line.map_or(0, NonZeroU64::get);
                    let line = BadLine { line, reason, raw: event.row.raw().as_bytes().to_vec() };
                    let document = "what was read before the patterns changed".to_owned();
                    Decoded::Bad(Box::new(Bad { document, line }))
                },
                Decoded::Event,
            ),
            Decoded::Event(_) | Decoded::Bad(_) => decoded,
        }
    }

    /// The event as the patterns see it now, or why there is none, in a sentence.
    fn of_event(&self, Numbered { line, row }: &Numbered) -> Result<Numbered, String> {
        let unread = || "no pattern reads its stream any more".to_owned();
        let now = self.now.ok_or_else(unread)?;
        let row = match row.raw() {
            "" => self.before.record_in(row, &now.patterns).ok_or_else(unread)?,
            raw => {
                let stream = self.before.stream_in(row.stream(), &now.patterns).ok_or_else(unread)?;
                let decoders = now.decoders().filter(|(of, _)| *of == stream);
                // Several sources may feed a stream, each in a format of its own.
                let rows = decoders.map(|(_, decoder)| decoder.decode_again(raw));
                rows.reduce(|row, other| row.or(other)).ok_or_else(unread)??
            }
        };
        Ok(Numbered { line: *line, row })
    }
}
