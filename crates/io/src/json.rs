//! What a JSON text means, by the type that was declared for it.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use ensue_model::{Type, Value};
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::scalar::{self, Misfit};
use crate::time::TimeFormat;

/// A JSON text, taken for what its first byte says.
enum Token<'a> {
    Null,
    Bool(bool),
    Number(&'a str),
    String(Cow<'a, str>),
    Nested,
}

/// The value of a JSON text, by the type that was declared for it. A decimal may stand in quotes, where money often does to
/// stay exact.
pub(crate) fn value<'a>(text: &'a str, kind: &Type, times: TimeFormat) -> Result<Value<'a>, Misfit> {
    let token = token(text).ok_or(Misfit::Expected("JSON"))?;
    match (kind, token) {
        (_, Token::Null) => Ok(Value::Null),
        (Type::Any, token) => natural(text, token),
        (Type::Bool, Token::Bool(bool)) => Ok(Value::Bool(bool)),
        (Type::Bool, _) => Err(Misfit::Expected("true or false")),
        (Type::Int, Token::Number(text)) => scalar::int(text).map(Value::Int).ok_or(scalar::INT),
        (Type::Int, _) => Err(scalar::INT),
        (Type::Float, Token::Number(text)) => scalar::float(text).map(Value::Float).ok_or(scalar::FLOAT),
        (Type::Float, _) => Err(scalar::FLOAT),
        (Type::Decimal, token) => {
            let decimal = token.scalar().and_then(scalar::decimal);
            decimal.map(Value::Decimal).ok_or(scalar::DECIMAL)
        }
        (Type::String, Token::String(text)) => Ok(scalar::string(text)),
        (Type::String, _) => Err(Misfit::Expected("a string")),
        (Type::Timestamp, token) => times.timestamp(token.scalar().unwrap_or("")).map(Value::Timestamp),
        (Type::Duration, token) => times.duration(token.scalar().unwrap_or("")).map(Value::Duration),
        (Type::List(item), _) => list(text, item, times),
    }
}

/// The text of a number or a string; none for what is neither.
pub(crate) fn scalar_text(text: &str) -> Option<Cow<'_, str>> {
    match token(text)? {
        Token::Number(text) => Some(Cow::Borrowed(text)),
        Token::String(text) => Some(text),
        Token::Null | Token::Bool(_) | Token::Nested => None,
    }
}

fn token(text: &str) -> Option<Token<'_>> {
    match text.as_bytes() {
        [b'"', ..] => string(text).map(Token::String),
        [b'-' | b'0'..=b'9', ..] => Some(Token::Number(text)),
        b"null" => Some(Token::Null),
        b"true" => Some(Token::Bool(true)),
        b"false" => Some(Token::Bool(false)),
        [b'[' | b'{', ..] => Some(Token::Nested),
        _ => None,
    }
}

/// The text between the quotes, copied only where it holds escapes.
fn string(text: &str) -> Option<Cow<'_, str>> {
    match text.contains('\\') {
        true => serde_json::from_str(text).ok().map(Cow::Owned),
        false => text.strip_prefix('"')?.strip_suffix('"').map(Cow::Borrowed),
    }
}

fn natural<'a>(text: &'a str, token: Token<'a>) -> Result<Value<'a>, Misfit> {
    match token {
        Token::Null => Ok(Value::Null),
        Token::Bool(bool) => Ok(Value::Bool(bool)),
        Token::Number(text) => number(text).ok_or(Misfit::Expected("a finite number")),
        Token::String(text) => Ok(scalar::string(text)),
        Token::Nested => match serde_json::from_str(text) {
            Ok(Natural(value)) => Ok(value),
            Err(_) => Err(Misfit::Expected("JSON")),
        },
    }
}

/// An int where it fits 64 bits, else a float: as JSON itself has only one kind of number, how it is written decides.
fn number(text: &str) -> Option<Value<'static>> {
    match scalar::short_int(text.as_bytes()).or_else(|| scalar::int(text)) {
        Some(int) => Some(Value::Int(int)),
        None => scalar::float(text).map(Value::Float),
    }
}

fn list(text: &str, item: &Type, times: TimeFormat) -> Result<Value<'static>, Misfit> {
    let misfit = || Misfit::Wrong(Cow::Owned(format!("expected a list of {item}")));
    let texts: Vec<&RawValue> = serde_json::from_str(text).map_err(|_| misfit())?;
    let values: Result<Arc<[_]>, _> =
        texts.into_iter().map(|text| value(text.get(), item, times).map(Value::into_owned)).collect();
    values.map(Value::List).map_err(|_| misfit())
}

impl Token<'_> {
    /// The text of a number or a string.
    fn scalar(&self) -> Option<&str> {
        match self {
            Token::Number(text) => Some(text),
            Token::String(text) => Some(text),
            Token::Null | Token::Bool(_) | Token::Nested => None,
        }
    }
}

/// A name in an object, copied only where it holds escapes.
#[derive(Deserialize)]
pub(crate) struct Name<'a>(#[serde(borrow)] pub(crate) Cow<'a, str>);

/// A value that is what its JSON says.
struct Natural(Value<'static>);

impl<'de> Deserialize<'de> for Natural {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NaturalVisitor).map(Natural)
    }
}

struct NaturalVisitor;

impl<'de> Visitor<'de> for NaturalVisitor {
    type Value = Value<'static>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value<'static>, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, bool: bool) -> Result<Value<'static>, E> {
        Ok(Value::Bool(bool))
    }

    fn visit_i64<E>(self, int: i64) -> Result<Value<'static>, E> {
        Ok(Value::Int(int))
    }

    fn visit_u64<E>(self, int: u64) -> Result<Value<'static>, E> {
        Ok(i64::try_from(int).map_or(Value::Float(int as f64), Value::Int))
    }

    fn visit_f64<E>(self, float: f64) -> Result<Value<'static>, E> {
        Ok(Value::Float(float))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value<'static>, E> {
        Ok(text.to_owned().into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value<'static>, A::Error> {
        let mut values = Vec::new();
        while let Some(Natural(value)) = items.next_element()? {
            values.push(value);
        }
        Ok(Value::List(values.into()))
    }

    /// Of a name that comes twice the last value counts, in the place of the first.
    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value<'static>, A::Error> {
        let mut values: Vec<(Arc<str>, Value<'static>)> = Vec::new();
        while let Some((Name(name), Natural(value))) = entries.next_entry()? {
            match values.iter_mut().find(|(seen, _)| **seen == *name) {
                Some((_, seen)) => *seen = value,
                None => values.push((Arc::from(name), value)),
            }
        }
        Ok(Value::Record(values.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(kind: &Type, text: &str, expected: &str) {
        let found = match value(text, kind, TimeFormat::Millis) {
            Ok(value) => value.to_string(),
            Err(misfit) => misfit.to_string(),
        };
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn a_value_is_what_its_json_says() {
        check(&Type::Any, "null", "null");
        check(&Type::Any, "true", "true");
        check(&Type::Any, "5", "5");
        check(&Type::Any, "5.0", "5.0");
        check(&Type::Any, "9223372036854775808", "9.223372036854776e18");
        check(&Type::Any, r#""5""#, r#""5""#);
        check(&Type::Any, r#""a\u00e9\n""#, r#""aé\n""#);
        check(&Type::Any, r#"[1, "b", [2.5], null]"#, r#"[1, "b", [2.5], null]"#);
        check(&Type::Any, r#"{"a": {"b": 1, "c": 18446744073709551615}}"#, "{a: {b: 1, c: 1.8446744073709552e19}}");
        check(&Type::Any, r#"{"a": 1, "b": 2, "a": 3}"#, "{a: 3, b: 2}");
    }

    #[test]
    fn a_declared_type_is_read_strictly() {
        check(&Type::Bool, "1", "expected true or false");
        check(&Type::Int, r#""5""#, "expected an int of 64 bits");
        check(&Type::Int, "5.0", "expected an int of 64 bits");
        check(&Type::Float, "5", "5.0");
        check(&Type::Float, r#""5""#, "expected a finite number");
        check(&Type::Decimal, "0.1", "0.1");
        check(&Type::Decimal, "123456789012345678901234.5678", "123456789012345678901234.5678");
        check(&Type::Decimal, r#""12.50""#, "12.50");
        check(&Type::Decimal, "true", "expected a decimal of at most 28 digits");
        check(&Type::String, "5", "expected a string");
        check(&Type::Timestamp, "1500", "@1970-01-01T00:00:01.500Z");
        check(&Type::Timestamp, r#""1970-01-01T00:00:01Z""#, "@1970-01-01T00:00:01Z");
        check(&Type::Timestamp, "[]", "expected a timestamp such as 2021-01-19T10:00:00Z");
        check(&Type::Duration, r#""15m""#, "15m");
        check(&Type::Duration, "1500", "1s500ms");
        let decimals = Type::List(Box::new(Type::Decimal));
        check(&decimals, "[0.1, null]", "[0.1, null]");
        check(&decimals, "[true]", "expected a list of decimal");
        check(&decimals, "{}", "expected a list of decimal");
        check(&decimals, "[1", "expected a list of decimal");
    }
}
