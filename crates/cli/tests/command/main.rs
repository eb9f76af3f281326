//! The command as a user calls it: what it prints, what it writes, and its exit status.

#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

mod changes;
mod check;
mod examples;
mod explain;
mod failures;
mod fmt;
mod help;
mod hostile;
mod jobs;
mod manual;
mod new;
mod newcomer;
mod records;
mod run;
mod shell;
mod streams;
mod tables;
mod test;
mod trace;
mod why;
