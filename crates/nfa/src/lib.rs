//! Matches one key's events against one program.
//!
//! A checked pattern is compiled ([`compile()`]) to a [`Program`]: an automaton whose edges *take* an event into a
//! stage, *ignore* it, or *proceed* without one. The program is immutable and shared. What changes is [`Runs`], the
//! memory of one key, and [`Scratch`], the working memory of one thread.
//!
//! Knows no pattern text, no files, no clock, no threads, no other keys, and no order of events but the one in which
//! they are given.

mod asks;
mod carry;
mod closing;
mod comparison;
mod compile;
mod conditions;
mod cost;
mod count;
mod due;
mod graph;
mod incoming;
mod keep;
mod listing;
mod matcher;
mod one;
mod open;
mod ordered;
mod outcomes;
mod products;
mod program;
mod registers;
mod roles;
mod runs;
mod scratch;
mod subsets;

pub use asks::{Asked, Asks};
pub use carry::{Carried, Carry, RUNS_TOLD_APART_MAX};
pub use comparison::Need;
pub use compile::{CONDITIONS_MAX, STATES_MAX, compile};
pub use conditions::Conditions;
pub use cost::{Apart, Bound, Cost, WindowEnd};
pub use incoming::Incoming;
pub use matcher::{Sink, Stepped};
pub use open::OpenRun;
pub use program::{CompileError, Program};
pub use roles::Shape;
pub use runs::{Runs, SavedRuns, Size};
pub use scratch::{Limits, Overflow, Scratch};
pub use subsets::SUBSETS_MAX;
