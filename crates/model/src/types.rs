//! The types of the language.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A type of the language. Whether null is allowed too is said beside it (`schema::Field::nullable`).
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum Type {
    /// `bool`
    Bool,
    /// `int`: 64 bits, signed.
    Int,
    /// `float`: IEEE double.
    Float,
    /// `decimal`: exact, in base ten.
    Decimal,
    /// `string`
    String,
    /// `timestamp`: UTC.
    Timestamp,
    /// `duration`
    Duration,
    /// `list<T>`
    List(Box<Type>),
    /// `any`: known only when an event is there.
    Any,
}

impl Type {
    /// Whether the type is a number.
    pub fn is_number(&self) -> bool {
        matches!(self, Type::Int | Type::Float | Type::Decimal)
    }

    /// The type of what is of this type or of the other: the branches of an `if`, the items of a list, `a ?? b`. None
    /// where they are unlike.
    ///
    /// Of two different types of number it is `any`, not the wider one: which of the two it is shows only when an event
    /// is there, and nothing converts it.
    pub fn common(&self, other: &Type) -> Option<Type> {
        match (self, other) {
            (Type::Any, _) | (_, Type::Any) => Some(Type::Any),
            (Type::List(a), Type::List(b)) => Some(Type::List(Box::new(a.common(b)?))),
            (a, b) if a == b => Some(a.clone()),
            (a, b) if a.is_number() && b.is_number() => Some(Type::Any),
            _ => None,
        }
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Type::Bool => f.write_str("bool"),
            Type::Int => f.write_str("int"),
            Type::Float => f.write_str("float"),
            Type::Decimal => f.write_str("decimal"),
            Type::String => f.write_str("string"),
            Type::Timestamp => f.write_str("timestamp"),
            Type::Duration => f.write_str("duration"),
            Type::List(item) => write!(f, "list<{item}>"),
            Type::Any => f.write_str("any"),
        }
    }
}
