//! The events of all inputs in the order of their times.

use ensue_io::BadLine;
use ensue_model::{Event, StreamId};
use ensue_runtime::event::Numbered;

use crate::failure::Failure;
use crate::feeds::{self, Feed, Until};

/// What is given the events of inputs.
pub(crate) trait Taker {
    /// Takes the next event.
    fn take(&mut self, event: Numbered) -> Result<(), Failure>;

    /// Takes a line of the input of a stream that is no event.
    fn refuse(&mut self, stream: StreamId, bad: BadLine) -> Result<(), Failure>;

    /// Is told that an input has to be waited for. False if nobody needs more.
    fn before_waiting(&mut self, feed: &Feed) -> Result<bool, Failure> {
        let _ = feed;
        Ok(true)
    }

    /// Is told how much has been read.
    fn has_read(&mut self, bytes: u64) {
        let _ = bytes;
    }
}

/// Reads inputs to their ends: each gives its events in its own order, and the one whose next event is the earliest comes
/// next. False if nobody needed more before that.
pub(crate) fn merge(feeds: &mut [Feed], taker: &mut impl Taker) -> Result<bool, Failure> {
    loop {
        for feed in &mut *feeds {
            if !look_ahead(feed, taker)? {
                return Ok(false);
            }
        }
        match feeds::first(feeds) {
            Some((first, until)) => take(first, &mut feeds[first], until, taker)?,
            None => return Ok(true),
        }
    }
}

/// Reads an input up to its next event, or to its end. False if nobody needs more.
fn look_ahead(feed: &mut Feed, taker: &mut impl Taker) -> Result<bool, Failure> {
    while feed.next.is_none() && !feed.has_ended {
        feed.next = next(feed, taker)?;
        if feed.next.is_none() && !read_on(feed, taker)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Waits for more of an input. False if nobody needs more.
fn read_on(feed: &mut Feed, taker: &mut impl Taker) -> Result<bool, Failure> {
    if !taker.before_waiting(feed)? {
        return Ok(false);
    }
    let before = feed.input.read();
    feed.has_ended = !feed.input.fill()?;
    taker.has_read(feed.input.read() - before);
    Ok(true)
}

/// Takes the events of an input that have been read, up to where those of another one come first.
fn take(at: usize, feed: &mut Feed, until: Option<Until>, taker: &mut impl Taker) -> Result<(), Failure> {
    let mut event = feed.next.take();
    while let Some(found) = event {
        if until.is_some_and(|until| (found.time(), at) > until) {
            feed.next = Some(found);
            return Ok(());
        }
        taker.take(found)?;
        event = next(feed, taker)?;
    }
    Ok(())
}

/// The next event of what has been read of an input. What comes before and is none is refused.
#[inline]
fn next(feed: &mut Feed, taker: &mut impl Taker) -> Result<Option<Numbered>, Failure> {
    while let Some(decoded) = feed.decode() {
        match decoded {
            Ok(event) => return Ok(Some(event)),
            Err(bad) => taker.refuse(feed.stream, bad)?,
        }
    }
    Ok(None)
}
