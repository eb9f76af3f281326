//! Pattern text to checked patterns: text → tree with places → [`ensue_model::Patterns`], with diagnostics; a printer, and a formatter.
//!
//! Knows the language and the words of `ensue-model`. Knows no automaton, no events but their schema, no files (a source
//! is a name and a text), no clock.
//!
//! ```
//! use ensue_lang::{Options, Source, compile};
//!
//! let text = r#"
//! begin create where type == "create"
//! followedBy pay where type == "pay"
//! within 15m
//! "#;
//! let compiled = compile(&[Source::new("order_payment.pattern", text)], &Options::default())?;
//! assert_eq!(compiled.patterns.patterns[0].name, "order_payment");
//! # Ok::<(), ensue_lang::Diagnostics>(())
//! ```

mod source;
pub mod tree;

mod format;
mod literal;
mod parse;
mod print;

mod check;

pub mod code;
mod diagnostic;
mod question;

pub use check::{Compiled, KnownTypes, Options, compile};
pub use code::Code;
pub use diagnostic::{Diagnostic, Diagnostics, Label, Report, Severity};
pub use format::{Unformatted, format};
pub use parse::parse;
pub use print::print;
pub use question::{QUESTIONS, Question};
pub use source::Source;

#[cfg(test)]
mod tests;
