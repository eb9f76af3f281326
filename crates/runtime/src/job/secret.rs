//! Texts that a job file holds, or names: what is secret stands in the environment or in a file of its own.

use std::env;
use std::fmt;
use std::fs;
use std::path::Path;

use ron::value::RawValue;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

/// A text as it stands, or where it is to be found: `"text"`, `env("NAME")`, `file("path")`.
#[derive(Clone, PartialEq, Eq)]
pub struct Text(Place);

#[derive(Clone, PartialEq, Eq)]
enum Place {
    Here(String),
    Named(Named),
}

#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(rename = "Text")]
enum Named {
    #[serde(rename = "env")]
    Environment(String),
    #[serde(rename = "file")]
    File(String),
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = <&RawValue>::deserialize(deserializer)?.trim();
        let place = if raw.get_ron().starts_with(['"', 'r']) {
            raw.into_rust().map(Place::Here)
        } else {
            raw.into_rust().map(Place::Named)
        };
        place.map(Text).map_err(|_| D::Error::custom("expected a text, env(\"NAME\") or file(\"path\")"))
    }
}

/// Never shows what a secret is.
impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Place::Here(_) => f.write_str("\"..\""),
            Place::Named(Named::Environment(name)) => write!(f, "env({name:?})"),
            Place::Named(Named::File(path)) => write!(f, "file({path:?})"),
        }
    }
}

impl Text {
    /// The text; that of a file without the line end behind it. Paths are relative to `folder`.
    ///
    /// # Errors
    /// If it is not where it should be: a sentence that does not show it.
    pub fn get(&self, folder: &Path) -> Result<String, String> {
        match &self.0 {
            Place::Here(text) => Ok(text.clone()),
            Place::Named(Named::Environment(name)) => env::var(name).map_err(|_| {
                format!("env(\"{name}\"): the environment has no text `{name}`; set it, or write it here")
            }),
            Place::Named(Named::File(path)) => match fs::read_to_string(folder.join(path)) {
                Ok(text) => Ok(text.strip_suffix('\n').map(str::to_owned).unwrap_or(text)),
                Err(error) => Err(format!("file(\"{path}\") cannot be read: {error}")),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(ron: &str) -> Result<Text, String> {
        ron::from_str(ron).map_err(|error| error.code.to_string())
    }

    #[test]
    fn a_text_stands_there_or_is_named() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("token"), "s3cret\n").unwrap();
        let get = |ron: &str| text(ron).unwrap().get(folder.path());
        assert_eq!(get("\"a b\""), Ok("a b".to_owned()));
        assert_eq!(get(" file(\"token\")"), Ok("s3cret".to_owned()));
        assert_eq!(get("env(\"PATH\")"), Ok(env::var("PATH").unwrap()));
        let missing = get("env(\"NO_SUCH_NAME\")").unwrap_err();
        assert_eq!(
            missing,
            "env(\"NO_SUCH_NAME\"): the environment has no text `NO_SUCH_NAME`; set it, or write it here"
        );
        assert!(get("file(\"none\")").unwrap_err().starts_with("file(\"none\") cannot be read: No such file"));
        assert_eq!(text("7").unwrap_err(), "expected a text, env(\"NAME\") or file(\"path\")");
    }

    #[test]
    fn what_it_is_is_never_shown() {
        assert_eq!(format!("{:?}", text("\"s3cret\"").unwrap()), "\"..\"");
        assert_eq!(format!("{:?}", text("env(\"TOKEN\")").unwrap()), "env(\"TOKEN\")");
    }
}
