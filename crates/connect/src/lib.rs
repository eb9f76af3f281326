//! Where bytes come from and go to.
//!
//! A [`Source`] gives the bytes of documents (files, mostly), one after the other, and says at each point where it could be
//! taken up again; a [`Sink`] takes lines, and says how far they are safe. What the bytes mean is not known here.
//!
//! Both block, and run on threads of their own: what waits for a disk waits on a thread in any case.

pub mod error;
pub mod sink;
pub mod source;

pub use error::Error;
pub use sink::file::FileSink;
pub use sink::stream::StreamSink;
pub use sink::{Output, Sink};
pub use source::file::{FileSource, FileSourceConfig};
#[cfg(feature = "parquet")]
pub use source::parquet::{ParquetSource, ParquetSourceConfig};
pub use source::stream::StreamSource;
pub use source::{Opened, Read, Source};

use serde::{Deserialize, Serialize};

/// A place in a source or a sink, as these write it: a text that says enough to go on from there in another process.
#[derive(Clone, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Position(pub String);
