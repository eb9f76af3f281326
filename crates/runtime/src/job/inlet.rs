//! A source of a running job: its bytes as batches of events, with the place before each batch.

use std::num::NonZeroU64;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use ensue_connect::Error;
use ensue_io::Decoder;

use crate::clock;
use crate::event::Numbered;
use crate::job::reader::{Heard, Mark, Reader};
use crate::job::records::{Bad, Decoded, Records};

/// So many records are one batch at most.
const BATCH_RECORDS: usize = 2_048;

/// What decodes the records of a source now. It is replaced when the patterns change, and counts how often it was.
#[derive(Debug)]
pub(crate) struct Decoding(Mutex<(usize, Arc<Decoder>)>);

impl Decoding {
    pub(crate) fn new(decoder: Arc<Decoder>) -> Arc<Self> {
        Arc::new(Decoding(Mutex::new((0, decoder))))
    }

    /// What decodes the batches that are read from now on.
    pub(crate) fn replace(&self, decoder: Arc<Decoder>) {
        let now = &mut *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *now = (now.0 + 1, decoder);
    }

    fn now(&self) -> (usize, Arc<Decoder>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Reads a source.
pub(crate) struct Inlet {
    reader: Reader,
    decoding: Arc<Decoding>,
    /// How many records are passed over, since they were taken before the source was opened.
    passed_over: u64,
    /// When the source last gave something.
    read: Instant,
}

/// Records that came together.
#[derive(Debug)]
pub(crate) struct Batch {
    /// Where the first of them stands.
    pub(crate) mark: Mark,
    /// Behind the last of them.
    pub(crate) after: Mark,
    /// What they are.
    pub(crate) records: Records,
    /// How often the patterns had changed when they were decoded.
    pub(crate) changes: usize,
    /// When they were read.
    pub(crate) read: Instant,
}

/// What an inlet gives.
#[derive(Debug)]
pub(crate) enum Given {
    Batch(Batch),
    /// Nothing for now; the source has come to there.
    Nothing(Mark),
    Ended(Mark),
}

impl Inlet {
    /// Goes on at a mark, at which the reader's source was opened.
    pub(crate) fn new(reader: Reader, decoding: Arc<Decoding>, mark: &Mark) -> Self {
        Inlet { reader, decoding, passed_over: mark.records, read: clock::started() }
    }

    /// The next records; where none are there, it waits about as long as `patience`.
    ///
    /// # Errors
    /// As the source; it may be asked again.
    pub(crate) fn read(&mut self, patience: Duration) -> Result<Given, Error> {
        loop {
            let mark = self.reader.mark();
            let mut records = Records::default();
            let (changes, decoder) = self.decoding.now();
            self.decode(&decoder, &mut records);
            let passed_over = self.passed_over.min(records.len() as u64);
            self.passed_over -= passed_over;
            records.by_ref().take(passed_over as usize).for_each(drop);
            if !records.is_empty() {
                let mark = Mark { records: passed_over, ..mark };
                return Ok(Given::Batch(Batch { mark, after: self.reader.mark(), records, changes, read: self.read }));
            }
            if passed_over > 0 {
                continue;
            }
            match self.reader.read(patience)? {
                Heard::More => self.read = clock::started(),
                Heard::Nothing => return Ok(Given::Nothing(self.reader.mark())),
                Heard::Ended => return Ok(Given::Ended(self.reader.mark())),
            }
        }
    }

    /// Decodes what is there.
    fn decode(&mut self, decoder: &Decoder, records: &mut Records) {
        while records.len() < BATCH_RECORDS
            && let Some(record) = self.reader.next()
        {
            let decoded = record.and_then(|record| {
                let line = NonZeroU64::new(record.line);
                decoder.decode(&record).map(|row| Numbered { line, row })
            });
            records.push(match decoded {
                Ok(event) => Decoded::Event(event),
                Err(line) => {
                    let document = self.reader.document().to_owned();
                    Decoded::Bad(Box::new(Bad { document, line }))
                }
            });
        }
    }
}
