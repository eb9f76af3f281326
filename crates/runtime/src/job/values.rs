//! Values of a job file that have a form of their own: durations, sizes, the number of shards.

use std::fmt;
use std::thread::available_parallelism;

use ensue_io::time;
use ensue_model::Span;
use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer};

/// A duration such as `"10s"` or `"1m30s"`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Period(pub(crate) Span);

impl<'de> Deserialize<'de> for Period {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        match time::span(&text) {
            Some(span) if span >= Span::ZERO => Ok(Period(span)),
            _ => Err(D::Error::custom(format!("`{text}` is not a duration such as 10s or 1m30s"))),
        }
    }
}

/// A number of bytes such as `"4GiB"`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Bytes(pub(crate) usize);

const UNITS: [(&str, usize); 7] = [
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("kB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("B", 1),
];

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let bytes = UNITS.iter().find_map(|(unit, factor)| {
            let count: usize = text.strip_suffix(unit)?.trim_end().parse().ok()?;
            count.checked_mul(*factor)
        });
        bytes.map(Bytes).ok_or_else(|| D::Error::custom(format!("`{text}` is not a size such as 512MiB or 4GiB")))
    }
}

/// What stands between two fields of a CSV.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Delimiter(pub(crate) u8);

impl Default for Delimiter {
    fn default() -> Self {
        Delimiter(b',')
    }
}

impl<'de> Deserialize<'de> for Delimiter {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match String::deserialize(deserializer)?.as_bytes() {
            b"\"" | b"\n" | b"\r" => Err(D::Error::custom("quotes and line ends have a meaning of their own in CSV")),
            [byte] if byte.is_ascii() => Ok(Delimiter(*byte)),
            _ => Err(D::Error::custom("expected one ASCII character, such as \";\" or \"\\t\"")),
        }
    }
}

/// How many threads share the keys: `Auto` for as many as the machine has cores.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Shards {
    Auto,
    Exactly(usize),
}

impl Default for Shards {
    fn default() -> Self {
        Shards::Exactly(1)
    }
}

/// The most shards that a job has.
const SHARDS_MAX: u64 = 1_024;

impl Shards {
    pub(crate) fn count(self) -> usize {
        match self {
            Shards::Auto => available_parallelism().map_or(1, usize::from),
            Shards::Exactly(count) => count,
        }
    }
}

impl<'de> Deserialize<'de> for Shards {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ShardsVisitor)
    }
}

struct ShardsVisitor;

impl Visitor<'_> for ShardsVisitor {
    type Value = Shards;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`Auto` or a number from 1 to {SHARDS_MAX}")
    }

    fn visit_u64<E: Error>(self, count: u64) -> Result<Shards, E> {
        match count {
            1..=SHARDS_MAX => Ok(Shards::Exactly(count as usize)),
            _ => Err(E::custom(format!("expected `Auto` or a number from 1 to {SHARDS_MAX}"))),
        }
    }

    /// `Auto` is a name alone.
    fn visit_unit<E: Error>(self) -> Result<Shards, E> {
        Ok(Shards::Auto)
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Debug;

    use serde::de::DeserializeOwned;

    use super::*;

    fn check<T: DeserializeOwned + PartialEq + Debug>(ron: &str, expected: Result<T, &str>) {
        let found = ron::from_str(ron).map_err(|error| error.code.to_string());
        assert_eq!(found, expected.map_err(str::to_owned), "{ron}");
    }

    #[test]
    fn durations_sizes_and_counts_are_read_as_people_write_them() {
        check("\"1m30s\"", Ok(Period(Span::from_seconds(90))));
        check::<Period>("\"soon\"", Err("`soon` is not a duration such as 10s or 1m30s"));
        check::<Period>("\"-1s\"", Err("`-1s` is not a duration such as 10s or 1m30s"));
        check("\"4GiB\"", Ok(Bytes(4 << 30)));
        check("\"10 MB\"", Ok(Bytes(10_000_000)));
        check("\"7B\"", Ok(Bytes(7)));
        check::<Bytes>("\"4\"", Err("`4` is not a size such as 512MiB or 4GiB"));
        check("\";\"", Ok(Delimiter(b';')));
        check::<Delimiter>("\"ab\"", Err("expected one ASCII character, such as \";\" or \"\\t\""));
        check("Auto", Ok(Shards::Auto));
        check("8", Ok(Shards::Exactly(8)));
        check::<Shards>("0", Err("expected `Auto` or a number from 1 to 1024"));
    }
}
