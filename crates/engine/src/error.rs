//! Why an engine could not be made, restored or go on.

use std::fmt;

/// Why an engine could not be made, restored or go on.
#[derive(Debug)]
pub struct Error(Kind);

#[derive(Debug)]
pub(crate) enum Kind {
    Program(ensue_nfa::CompileError),
    KeyClasses { limit: usize },
    Circle { pattern: String },
    NoRecords { pattern: String },
    Full(Full),
    Encode(rmp_serde::encode::Error),
    Decode(rmp_serde::decode::Error),
    Version { found: u32, known: u32 },
    OtherPatterns { pattern: String },
    Damaged { pattern: String },
}

impl From<Kind> for Error {
    fn from(kind: Kind) -> Self {
        Error(kind)
    }
}

/// A limit that was reached.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Full {
    pub(crate) pattern: String,
    pub(crate) key: String,
    /// The limit's name in the configuration.
    pub(crate) name: &'static str,
    pub(crate) limit: u64,
}

impl fmt::Display for Full {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Full { pattern, key, name, limit } = self;
        write!(f, "pattern `{pattern}`, key {key}: the limit `{name}` of {limit} is reached")
    }
}

impl From<ensue_nfa::CompileError> for Error {
    fn from(error: ensue_nfa::CompileError) -> Self {
        Error(Kind::Program(error))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Program(error) => error.fmt(f),
            Kind::KeyClasses { limit } => {
                write!(f, "the patterns have more than {limit} different keys, which is the limit")
            }
            Kind::Circle { pattern } => write!(f, "pattern `{pattern}` reads, by way of others, what it emits itself"),
            Kind::NoRecords { pattern } => write!(
                f,
                "pattern `{pattern}` reads what another emits, and the program's events cannot be records: \
                 `Event::of_record` makes one"
            ),
            Kind::Full(full) => full.fmt(f),
            Kind::Encode(error) => write!(f, "cannot write a snapshot: {error}"),
            Kind::Decode(error) => write!(f, "cannot read a snapshot: {error}"),
            Kind::Version { found, known } => {
                write!(f, "cannot read a snapshot: it is of version {found}, and this program knows version {known}")
            }
            Kind::OtherPatterns { pattern } => {
                write!(f, "cannot restore a snapshot: pattern `{pattern}` is not the one that it was taken of")
            }
            Kind::Damaged { pattern } => {
                write!(f, "cannot restore a snapshot: the runs of pattern `{pattern}` are damaged")
            }
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.0 {
            Kind::Program(error) => Some(error),
            Kind::Encode(error) => Some(error),
            Kind::Decode(error) => Some(error),
            Kind::KeyClasses { .. }
            | Kind::Circle { .. }
            | Kind::NoRecords { .. }
            | Kind::Full(_)
            | Kind::Version { .. }
            | Kind::OtherPatterns { .. }
            | Kind::Damaged { .. } => None,
        }
    }
}
