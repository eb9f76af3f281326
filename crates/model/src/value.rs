//! A value of a field or of an expression.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::time::{Span, Timestamp};
use crate::types::Type;

/// A value. Text is borrowed from the event under test where it can be, so that a condition copies nothing;
/// `Value<'static>` owns what it holds and is cheap to clone.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub enum Value<'a> {
    /// Absent or unknown.
    #[default]
    Null,
    /// True or false.
    Bool(bool),
    /// A 64-bit integer.
    Int(i64),
    /// An IEEE double.
    Float(f64),
    /// An exact number in base ten.
    Decimal(Decimal),
    /// Text.
    String(Text<'a>),
    /// A point of time.
    Timestamp(Timestamp),
    /// A length of time.
    Duration(Span),
    /// Values in order.
    List(Arc<[Value<'static>]>),
    /// Named values in the order in which they came, as a JSON object has them.
    Record(Arc<[(Arc<str>, Value<'static>)]>),
}

/// Text that is borrowed or shared.
#[derive(Clone, Debug)]
pub enum Text<'a> {
    /// Borrowed from an event or a constant.
    Borrowed(&'a str),
    /// Shared.
    Shared(Arc<str>),
}

impl Value<'_> {
    /// Whether the value is null.
    pub fn is_null(&self) -> bool {
        matches!(self, Value::Null)
    }

    /// Whether a condition with this result holds: null does not.
    pub fn holds(&self) -> bool {
        matches!(self, Value::Bool(true))
    }

    /// The same value, owning its text.
    pub fn into_owned(self) -> Value<'static> {
        match self {
            Value::Null => Value::Null,
            Value::Bool(value) => Value::Bool(value),
            Value::Int(value) => Value::Int(value),
            Value::Float(value) => Value::Float(value),
            Value::Decimal(value) => Value::Decimal(value),
            Value::String(text) => Value::String(text.into_owned()),
            Value::Timestamp(value) => Value::Timestamp(value),
            Value::Duration(value) => Value::Duration(value),
            Value::List(values) => Value::List(values),
            Value::Record(values) => Value::Record(values),
        }
    }

    /// The same value, borrowing its text from this one.
    pub fn borrowed(&self) -> Value<'_> {
        match self {
            Value::String(text) => Value::String(Text::Borrowed(text.as_str())),
            Value::Null => Value::Null,
            Value::Bool(value) => Value::Bool(*value),
            Value::Int(value) => Value::Int(*value),
            Value::Float(value) => Value::Float(*value),
            Value::Decimal(value) => Value::Decimal(*value),
            Value::Timestamp(value) => Value::Timestamp(*value),
            Value::Duration(value) => Value::Duration(*value),
            Value::List(values) => Value::List(values.clone()),
            Value::Record(values) => Value::Record(values.clone()),
        }
    }

    /// The type of this value; `Any` for null, whose type nothing tells.
    pub fn type_of(&self) -> Type {
        match self {
            Value::Null => Type::Any,
            Value::Bool(_) => Type::Bool,
            Value::Int(_) => Type::Int,
            Value::Float(_) => Type::Float,
            Value::Decimal(_) => Type::Decimal,
            Value::String(_) => Type::String,
            Value::Timestamp(_) => Type::Timestamp,
            Value::Duration(_) => Type::Duration,
            Value::List(_) => Type::List(Box::new(Type::Any)),
            Value::Record(_) => Type::Any,
        }
    }

    /// Whether two values are the same thing: as keys and registers are compared, not as `==` of the language.
    /// Null is the same as null, a float as the one with the same bits, and values of different types differ.
    pub fn is_same(&self, other: &Value<'_>) -> bool {
        match (self, other) {
            (Value::Null, Value::Null) => true,
            (Value::Bool(a), Value::Bool(b)) => a == b,
            (Value::Int(a), Value::Int(b)) => a == b,
            (Value::Float(a), Value::Float(b)) => a.to_bits() == b.to_bits(),
            (Value::Decimal(a), Value::Decimal(b)) => a == b,
            (Value::String(a), Value::String(b)) => a.as_str() == b.as_str(),
            (Value::Timestamp(a), Value::Timestamp(b)) => a == b,
            (Value::Duration(a), Value::Duration(b)) => a == b,
            (Value::List(a), Value::List(b)) => a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| a.is_same(b)),
            (Value::Record(a), Value::Record(b)) => {
                a.len() == b.len() && a.iter().zip(b.iter()).all(|((m, a), (n, b))| m == n && a.is_same(b))
            }
            _ => false,
        }
    }
}

impl PartialEq for Value<'_> {
    /// As [`Value::is_same`].
    fn eq(&self, other: &Self) -> bool {
        self.is_same(other)
    }
}

impl Eq for Value<'_> {}

impl std::hash::Hash for Value<'_> {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        std::mem::discriminant(self).hash(state);
        match self {
            Value::Null => {}
            Value::Bool(value) => value.hash(state),
            Value::Int(value) => value.hash(state),
            Value::Float(value) => value.to_bits().hash(state),
            Value::Decimal(value) => value.hash(state),
            Value::String(text) => text.as_str().hash(state),
            Value::Timestamp(value) => value.hash(state),
            Value::Duration(value) => value.hash(state),
            Value::List(values) => values.hash(state),
            Value::Record(values) => values.hash(state),
        }
    }
}

impl<'a> Text<'a> {
    /// The text.
    pub fn as_str(&self) -> &str {
        match self {
            Text::Borrowed(text) => text,
            Text::Shared(text) => text,
        }
    }

    /// The part between two byte positions, borrowed where the text is.
    ///
    /// # Panics
    /// If one of them is not between two characters.
    pub fn slice(&self, range: Range<usize>) -> Text<'a> {
        match self {
            Text::Borrowed(text) => Text::Borrowed(&text[range]),
            Text::Shared(text) if range == (0..text.len()) => Text::Shared(text.clone()),
            Text::Shared(text) => Text::Shared(Arc::from(&text[range])),
        }
    }

    /// The same text, owned.
    pub fn into_owned(self) -> Text<'static> {
        match self {
            Text::Borrowed(text) => Text::Shared(Arc::from(text)),
            Text::Shared(text) => Text::Shared(text),
        }
    }
}

impl Serialize for Text<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Text<'_> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        Ok(Text::Shared(Arc::from(text)))
    }
}

impl From<bool> for Value<'_> {
    fn from(value: bool) -> Self {
        Value::Bool(value)
    }
}

impl From<i64> for Value<'_> {
    fn from(value: i64) -> Self {
        Value::Int(value)
    }
}

impl From<f64> for Value<'_> {
    fn from(value: f64) -> Self {
        Value::Float(value)
    }
}

impl From<Decimal> for Value<'_> {
    fn from(value: Decimal) -> Self {
        Value::Decimal(value)
    }
}

impl From<Timestamp> for Value<'_> {
    fn from(value: Timestamp) -> Self {
        Value::Timestamp(value)
    }
}

impl From<Span> for Value<'_> {
    fn from(value: Span) -> Self {
        Value::Duration(value)
    }
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(text: &'a str) -> Self {
        Value::String(Text::Borrowed(text))
    }
}

impl From<String> for Value<'_> {
    fn from(text: String) -> Self {
        Value::String(Text::Shared(Arc::from(text)))
    }
}

impl<'a> From<Text<'a>> for Value<'a> {
    fn from(text: Text<'a>) -> Self {
        Value::String(text)
    }
}

impl<'a, T: Into<Value<'a>>> From<Option<T>> for Value<'a> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Value::Null, Into::into)
    }
}

impl fmt::Display for Value<'_> {
    /// As a pattern writes it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Null => f.write_str("null"),
            Value::Bool(value) => write!(f, "{value}"),
            Value::Int(value) => write!(f, "{value}"),
            Value::Float(value) => write!(f, "{value:?}"),
            Value::Decimal(value) => write!(f, "{value}"),
            Value::String(text) => write_quoted(f, text.as_str()),
            Value::Timestamp(value) => write!(f, "@{value}"),
            Value::Duration(value) => write!(f, "{value}"),
            Value::List(values) => {
                f.write_str("[")?;
                for (index, value) in values.iter().enumerate() {
                    write!(f, "{}{value}", if index == 0 { "" } else { ", " })?;
                }
                f.write_str("]")
            }
            Value::Record(values) => {
                f.write_str("{")?;
                for (index, (name, value)) in values.iter().enumerate() {
                    write!(f, "{}{name}: {value}", if index == 0 { "" } else { ", " })?;
                }
                f.write_str("}")
            }
        }
    }
}

/// Writes text in quotes with JSON's escapes.
fn write_quoted(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    f.write_str("\"")?;
    for char in text.chars() {
        match char {
            '"' => f.write_str("\\\"")?,
            '\\' => f.write_str("\\\\")?,
            '\n' => f.write_str("\\n")?,
            '\r' => f.write_str("\\r")?,
            '\t' => f.write_str("\\t")?,
            char if (char as u32) < 0x20 => write!(f, "\\u{:04x}", char as u32)?,
            char => write!(f, "{char}")?,
        }
    }
    f.write_str("\"")
}
