//! Why a job does not run.

use std::fmt;

use ensue_lang::Diagnostics;

use crate::job::checkpoint::StoreError;

/// Why a job does not run, or has stopped.
#[derive(Debug)]
pub struct JobError {
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Patterns(Diagnostics),
    Config(String),
    Source { name: String, error: ensue_connect::Error },
    Sink { name: String, error: ensue_connect::Error },
    Checkpoint(StoreError),
    Engine(ensue_engine::Error),
}

impl JobError {
    pub(crate) fn patterns(diagnostics: Diagnostics) -> Self {
        JobError { kind: Kind::Patterns(diagnostics) }
    }

    pub(crate) fn config(message: String) -> Self {
        JobError { kind: Kind::Config(message) }
    }

    pub(crate) fn source(name: &str, error: ensue_connect::Error) -> Self {
        JobError { kind: Kind::Source { name: name.to_owned(), error } }
    }

    pub(crate) fn sink(name: &str, error: ensue_connect::Error) -> Self {
        JobError { kind: Kind::Sink { name: name.to_owned(), error } }
    }

    /// What is wrong with the patterns, if that is why.
    pub fn diagnostics(&self) -> Option<&Diagnostics> {
        match &self.kind {
            Kind::Patterns(diagnostics) => Some(diagnostics),
            _ => None,
        }
    }

    /// Whether the job is described in a way that cannot be run.
    pub fn is_config(&self) -> bool {
        matches!(self.kind, Kind::Config(_))
    }
}

impl fmt::Display for JobError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            Kind::Patterns(diagnostics) => f.write_str(&diagnostics.render(false)),
            Kind::Config(message) => f.write_str(message),
            Kind::Source { name, error } => write!(f, "source `{name}`: {error}"),
            Kind::Sink { name, error } => write!(f, "sink `{name}`: {error}"),
            Kind::Checkpoint(error) => error.fmt(f),
            Kind::Engine(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for JobError {}

impl From<StoreError> for JobError {
    fn from(error: StoreError) -> Self {
        JobError { kind: Kind::Checkpoint(error) }
    }
}

impl From<ensue_engine::Error> for JobError {
    fn from(error: ensue_engine::Error) -> Self {
        JobError { kind: Kind::Engine(error) }
    }
}
