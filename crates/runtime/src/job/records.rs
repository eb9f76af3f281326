//! Records on their way from the thread that decodes them to the one that takes them.

use std::collections::VecDeque;

use ensue_io::BadLine;
use ensue_model::{Event, Timestamp};

use crate::event::Numbered;

/// A record that was looked at.
#[derive(Debug)]
pub(crate) enum Decoded {
    Event(Numbered),
    Bad(Box<Bad>),
}

/// A line that is no event.
#[derive(Debug)]
pub(crate) struct Bad {
    /// The document that it is of.
    pub(crate) document: String,
    pub(crate) line: BadLine,
}

/// What comes next.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Next {
    /// An event of this time.
    Event(Timestamp),
    Bad,
}

/// Records in their order, with the texts of their events in one piece: memory that one thread asks for and another gives up
/// costs both.
#[derive(Default, Debug)]
pub(crate) struct Records {
    /// Each with how many bytes of the texts are its own.
    records: VecDeque<(Decoded, usize)>,
    texts: String,
    /// Where the text of the first record starts.
    start: usize,
}

impl Records {
    pub(crate) fn len(&self) -> usize {
        self.records.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// How many are no events.
    pub(crate) fn bad(&self) -> u64 {
        self.records.iter().filter(|(record, _)| matches!(record, Decoded::Bad(_))).count() as u64
    }

    #[inline]
    pub(crate) fn push(&mut self, mut record: Decoded) {
        let before = self.texts.len();
        if let Decoded::Event(event) = &mut record {
            event.pack(&mut self.texts);
        }
        self.records.push_back((record, self.texts.len() - before));
    }

    /// What comes next, which stays.
    #[inline]
    pub(crate) fn peek(&self) -> Option<Next> {
        Some(match &self.records.front()?.0 {
            Decoded::Event(event) => Next::Event(event.time()),
            Decoded::Bad(_) => Next::Bad,
        })
    }
}

impl Iterator for Records {
    type Item = Decoded;

    #[inline]
    fn next(&mut self) -> Option<Decoded> {
        let (mut record, length) = self.records.pop_front()?;
        let end = self.start + length;
        if let Decoded::Event(event) = &mut record {
            event.unpack(&self.texts[self.start..end]);
        }
        self.start = end;
        Some(record)
    }
}

impl FromIterator<Decoded> for Records {
    fn from_iter<I: IntoIterator<Item = Decoded>>(decoded: I) -> Self {
        let mut records = Records::default();
        decoded.into_iter().for_each(|record| records.push(record));
        records
    }
}
