//! Why a source or a sink failed.

use std::fmt;
use std::io;

/// Why a source or a sink failed.
#[derive(Debug)]
pub struct Error {
    what: String,
    cause: Option<io::Error>,
    is_final: bool,
}

impl Error {
    /// An error that says what could not be done, in a sentence without a full stop: "cannot write `out.jsonl`".
    pub fn new(what: impl Into<String>) -> Self {
        Error { what: what.into(), cause: None, is_final: false }
    }

    /// The same, with what the system said of it.
    pub fn io(what: impl Into<String>, cause: io::Error) -> Self {
        Error { what: what.into(), cause: Some(cause), is_final: false }
    }

    /// The same, where trying again is of no use.
    #[must_use]
    pub fn for_good(self) -> Self {
        Error { is_final: true, ..self }
    }

    /// Whether trying again is of no use.
    pub fn is_final(&self) -> bool {
        self.is_final
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)?;
        match &self.cause {
            Some(cause) => write!(f, ": {}", Plain(cause)),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.cause.as_ref().map(|cause| cause as _)
    }
}

/// What the system said, in lower case and without its number.
struct Plain<'a>(&'a io::Error);

impl fmt::Display for Plain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.0.to_string();
        let text = text.split(" (os error").next().unwrap_or_default();
        let mut chars = text.chars();
        chars.next().map_or(Ok(()), |first| write!(f, "{}{}", first.to_lowercase(), chars.as_str()))
    }
}
