//! Values of a job file that have a form of their own: durations, sizes, the number of shards.

use std::fmt;
use std::net::SocketAddr;
use std::path::Path;
use std::thread::available_parallelism;

use ensue_io::{size, time};
use ensue_model::Span;
use ron::value::RawValue;
use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer};

use crate::job::secret::Text;
use crate::job::{Http, Token};

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

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        size::bytes(&text).map(Bytes).map_err(D::Error::custom)
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

/// Where a job is to be seen: `"127.0.0.1:9464"`, or `(address: "..", token: env(".."))`.
#[derive(Debug)]
pub(crate) struct HttpEntry(HttpFields);

#[derive(Debug, Deserialize)]
#[serde(rename = "Http", deny_unknown_fields)]
struct HttpFields {
    address: Address,
    #[serde(default, deserialize_with = "said")]
    token: Option<Text>,
}

/// A value that need not be wrapped: what stands inside a raw value has lost the extensions of the file.
fn said<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Text>, D::Error> {
    Text::deserialize(deserializer).map(Some)
}

impl<'de> Deserialize<'de> for HttpEntry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = <&RawValue>::deserialize(deserializer)?.trim();
        let fields = if raw.get_ron().starts_with('"') {
            raw.into_rust().map(|address| HttpFields { address, token: None })
        } else {
            raw.into_rust()
        };
        fields.map(HttpEntry).map_err(|error| D::Error::custom(error.code))
    }
}

impl HttpEntry {
    /// # Errors
    /// If the token is not where it should be, or others could ask without one: a sentence that does not show it.
    pub(crate) fn http(&self, folder: &Path) -> Result<Http, String> {
        let HttpFields { address: Address(address), token } = &self.0;
        let token = match token {
            Some(text) => Some(Token::new(text.get(folder)?).ok_or("http: the token is empty")?),
            None if address.ip().is_loopback() => None,
            None => {
                return Err(format!(
                    "http: whoever reaches {address} could read it: say a token, \
                     as in `http: (address: \"{address}\", token: env(\"ENSUE_TOKEN\"))`"
                ));
            }
        };
        Ok(Http { address: *address, token })
    }
}

#[derive(Clone, Copy, Debug)]
struct Address(SocketAddr);

impl<'de> Deserialize<'de> for Address {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let address = text.parse().map(Address);
        address.map_err(|_| D::Error::custom(format!("`{text}` is not an address such as 127.0.0.1:9464")))
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

    #[test]
    fn who_is_not_on_this_machine_needs_a_token() {
        let http = |text: &str| {
            let entry: HttpEntry = ron::from_str(text).map_err(|error| error.code.to_string())?;
            entry.http(Path::new("")).map(|http| format!("{http:?}"))
        };
        assert_eq!(http("\"127.0.0.1:9464\"").unwrap(), "Http { address: 127.0.0.1:9464, token: None }");
        let open = "http: whoever reaches 0.0.0.0:9464 could read it: say a token, as in \
                    `http: (address: \"0.0.0.0:9464\", token: env(\"ENSUE_TOKEN\"))`";
        assert_eq!(http("\"0.0.0.0:9464\"").unwrap_err(), open);
        let closed = http("(address: \"0.0.0.0:9464\", token: \"s3cret\")").unwrap();
        assert_eq!(closed, "Http { address: 0.0.0.0:9464, token: Some(\"..\") }");
        assert_eq!(http("(address: \"[::1]:9464\", token: \"\")").unwrap_err(), "http: the token is empty");
        assert_eq!(http("\"here\"").unwrap_err(), "`here` is not an address such as 127.0.0.1:9464");
        let unknown = http("(address: \"127.0.0.1:1\", tokn: 1)").unwrap_err();
        assert!(unknown.contains("tokn"), "{unknown}");
    }
}
