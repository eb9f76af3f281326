//! How far files have been read, as it is written into a position.

use ensue_model::Timestamp;
use serde::{Deserialize, Serialize};

use super::identity::{FileId, Head};
use crate::{Error, Position};

/// How far a file has been read.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Place {
    /// Where it was last seen.
    pub(super) path: String,
    pub(super) file: FileId,
    pub(super) head: Head,
    /// How many of its bytes have been given, after decompression.
    pub(super) offset: u64,
    /// How many lines end in them.
    pub(super) lines: u64,
    /// How long the file itself was when it was last read to its end; less if never.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(super) length: u64,
    /// When it had been written last when it was last looked at, in microseconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) modified: Option<Timestamp>,
    /// Whether it is a copy of another one, and therefore not read.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) is_copy: bool,
}

/// How far a source has read its files.
#[derive(PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, expecting = "the places of files")]
pub(super) struct Places {
    /// The file that goes on.
    pub(super) document: Option<Place>,
    /// The others that are known. None if the source did not follow.
    #[serde(default)]
    pub(super) others: Option<Vec<Place>>,
}

impl Place {
    /// Where nothing has been read.
    pub(super) fn start(path: String, file: FileId) -> Self {
        Place { path, file, head: Head::of(&[]), offset: 0, lines: 0, length: 0, modified: None, is_copy: false }
    }
}

impl Places {
    pub(super) fn parse(position: &Position) -> Result<Self, Error> {
        match position.0.as_str() {
            "" => Ok(Places::default()),
            text => serde_json::from_str(text)
                .map_err(|error| Error::new(format!("the position `{text}` is none of a source of files: {error}"))),
        }
    }
}

/// The position of these places; the others as [`texts`] gives them.
pub(super) fn position(document: Option<&Place>, others: Option<&str>) -> Position {
    let document = document.map_or_else(|| "null".to_owned(), text);
    Position(match others {
        None => format!("{{\"document\":{document}}}"),
        Some(others) => format!("{{\"document\":{document},\"others\":[{others}]}}"),
    })
}

/// Places as the elements of a list.
pub(super) fn texts<'a>(places: impl Iterator<Item = &'a Place>) -> String {
    places.map(text).collect::<Vec<_>>().join(",")
}

fn text(place: &Place) -> String {
    serde_json::to_string(place).expect("a place is numbers and strings")
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}
