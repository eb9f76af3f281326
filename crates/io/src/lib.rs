//! Codecs: bytes to rows and to tables, and outputs to bytes.
//!
//! Knows no files, no sockets, no patterns' text and no matcher: bytes are fed in, [`Row`](ensue_model::Row)s come out;
//! matches go in, lines of JSON come out.
//!
//! ```
//! use ensue_io::{Decoder, Records, RowFormat, TimeField, TimeFormat};
//! use ensue_model::{Patterns, Schema, StreamId, Timestamp};
//!
//! let patterns = Patterns::of_one_stream(Schema::open(), vec![]);
//! let time = TimeField { name: "ts".to_owned(), format: TimeFormat::Seconds };
//! let decoder = Decoder::new(&patterns, StreamId(0), &RowFormat::JsonLines, &time).expect("JSON needs no columns");
//!
//! let mut records = Records::new(&RowFormat::JsonLines);
//! records.feed(b"{\"ts\": 1611047605}\n{\"ts\": \"soon\"}\n");
//! records.end();
//! let first = records.next().expect("two lines").expect("a short one");
//! assert_eq!(decoder.decode(&first).expect("it has a time").time, Timestamp::from_seconds(1_611_047_605));
//! let second = records.next().expect("two lines").expect("a short one");
//! let bad = decoder.decode(&second).expect_err("a word is no time");
//! assert_eq!(bad.to_string(), "line 2: `ts` is `\"soon\"`, expected a number of seconds");
//! ```

pub mod format;
pub mod key;
pub mod records;
pub mod size;
pub mod time;

pub mod decode;
pub mod encode;
pub mod layout;
pub mod table;

mod asked;
mod buffer;
mod csv;
mod json;
mod logfmt;
mod marks;
mod quotes;
mod scalar;
mod words;

pub use decode::{Decoder, FormatError};
pub use encode::Envelope;
pub use format::{Csv, RowFormat};
pub use layout::Layout;
pub use records::{BadLine, Record, Records};
pub use time::{TimeField, TimeFormat};
