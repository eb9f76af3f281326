//! The words that all crates of Ensue share: values, schemas, events, time, the checked pattern, expressions and the
//! built-in functions.
//!
//! Knows no pattern text, no automaton, no files, no clock, no threads. A type lives here only when two other crates
//! name it.

pub mod aggregate;
pub mod eval;
pub mod event;
pub mod expr;
pub mod function;
pub mod functions;
pub mod hash;
pub mod key;
mod number;
pub mod operators;
pub mod output;
pub mod pattern;
pub mod record;
pub mod row;
pub mod schema;
pub mod table;
pub mod time;
pub mod types;
pub mod value;

pub use eval::{Fault, Scope};
pub use event::Event;
pub use expr::Expr;
pub use key::{Key, Keys};
pub use output::{Match, Partial, Timeout};
pub use pattern::{Pattern, Patterns};
pub use record::Record;
pub use row::Row;
pub use rust_decimal::Decimal;
pub use schema::{FieldId, Schema, StreamId};
pub use table::Tables;
pub use time::{Span, Timestamp};
pub use types::Type;
pub use value::Value;
