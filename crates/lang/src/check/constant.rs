//! Literals to values.

use std::sync::Arc;

use ensue_model::{Span, Type, Value, expr as checked};
use rust_decimal::Decimal;

use crate::code;
use crate::diagnostic::Diagnostic;
use crate::literal::{self, BadDuration};
use crate::tree::{Expr, ExprKind, Place};

/// The value of a literal; none for what is not one. A number with a decimal point is a decimal where `exact`.
pub(super) fn value(expr: &Expr, exact: bool) -> Option<Result<Value<'static>, Diagnostic>> {
    let place = expr.place;
    let value = match &expr.kind {
        ExprKind::Null => Ok(Value::Null),
        ExprKind::Bool(value) => Ok(Value::Bool(*value)),
        ExprKind::Int(text) => int(text, place),
        ExprKind::Float(text) if exact => decimal(text, place),
        ExprKind::Float(text) => float(text, place),
        ExprKind::Duration(text) => duration(text, place).map(Value::Duration),
        ExprKind::Time(text) => time(text, place),
        ExprKind::Text(text) => Ok(Value::from(text.clone())),
        ExprKind::Negate(inner) => return negative(inner, exact),
        _ => return None,
    };
    Some(value)
}

/// A negative literal is a literal: the least integer can be written only so.
fn negative(inner: &Expr, exact: bool) -> Option<Result<Value<'static>, Diagnostic>> {
    match &inner.kind {
        ExprKind::Int(text) => Some(int(&format!("-{text}"), inner.place)),
        ExprKind::Float(_) | ExprKind::Duration(_) => value(inner, exact).map(|value| value.map(negated)),
        _ => None,
    }
}

fn negated(value: Value<'static>) -> Value<'static> {
    match value {
        Value::Float(value) => Value::Float(-value),
        Value::Decimal(value) => Value::Decimal(-value),
        Value::Duration(value) => Value::Duration(-value),
        other => other,
    }
}

fn int(text: &str, place: Place) -> Result<Value<'static>, Diagnostic> {
    literal::int(text).map(Value::Int).ok_or_else(|| {
        let message = format!("`{text}` is more than 64 bits hold");
        Diagnostic::error(&code::NUMBER, place, message).help(format!("the largest int is {}", i64::MAX))
    })
}

fn float(text: &str, place: Place) -> Result<Value<'static>, Diagnostic> {
    let message = || format!("`{text}` is more than a float holds");
    literal::float(text).map(Value::Float).ok_or_else(|| Diagnostic::error(&code::NUMBER, place, message()))
}

fn decimal(text: &str, place: Place) -> Result<Value<'static>, Diagnostic> {
    let message = || format!("`{text}` has more digits than a decimal holds");
    let decimal = literal::decimal(text).map(Value::Decimal);
    decimal.ok_or_else(|| Diagnostic::error(&code::NUMBER, place, message()).help("a decimal has 28 digits"))
}

fn time(text: &str, place: Place) -> Result<Value<'static>, Diagnostic> {
    let message = || format!("`@{text}` is not a time");
    let time = literal::time(text).map(Value::Timestamp);
    time.ok_or_else(|| Diagnostic::error(&code::TIME, place, message()).help(meant_time(text)))
}

/// A day is meant from its start, a time without a zone in UTC.
fn meant_time(text: &str) -> String {
    let meant = ["T00:00:00Z", ":00Z", "Z"].map(|rest| format!("{text}{rest}"));
    match meant.iter().find(|text| literal::time(text).is_some()) {
        Some(meant) => format!("write `@{meant}`"),
        None => "write it like `@2021-01-19T10:00:00Z`".to_owned(),
    }
}

/// The length of a duration as it was written.
pub(super) fn duration(text: &str, place: Place) -> Result<Span, Diagnostic> {
    literal::duration(text).map_err(|bad| bad_duration(text, place, bad))
}

fn bad_duration(text: &str, place: Place, bad: BadDuration) -> Diagnostic {
    let units = "the units are w, d, h, m, s, ms and us, as in `1h30m`";
    match bad {
        BadDuration::NoUnit => {
            Diagnostic::error(&code::UNIT, place, format!("`{text}` lacks a unit of time")).help(units)
        }
        BadDuration::Unit(unit) => {
            let help = match literal::meant_unit(&unit) {
                Some(meant) => format!("write `{}`", text.replacen(&unit, meant, 1)),
                None => units.into(),
            };
            Diagnostic::error(&code::UNIT, place, format!("there is no unit `{unit}`")).help(help)
        }
        BadDuration::TooLong => Diagnostic::error(&code::TOO_LARGE, place, format!("`{text}` is too long"))
            .help("a duration is at most 292,000 years"),
        BadDuration::Form => Diagnostic::error(&code::UNIT, place, format!("`{text}` is not a number, nor a duration"))
            .help("a duration is whole numbers with units, as in `1h30m`"),
    }
}

/// The value of a literal of a declared type; the error says what is expected.
pub(super) fn of_type(expr: &Expr, kind: &Type, nullable: bool) -> Result<Value<'static>, Diagnostic> {
    if let (ExprKind::List(items), Type::List(_) | Type::Any) = (&expr.kind, kind) {
        let item = if let Type::List(item) = kind { item.as_ref() } else { &Type::Any };
        let values: Result<Vec<_>, _> = items.iter().map(|value| of_type(value, item, nullable)).collect();
        return Ok(Value::List(Arc::from(values?)));
    }
    let found = value(expr, *kind == Type::Decimal).unwrap_or_else(|| Err(not_a_literal(expr.place)))?;
    let fits = match (&found, kind) {
        (Value::Null, _) => nullable,
        (_, Type::Any) => true,
        (Value::Int(value), Type::Float) => return Ok(Value::Float(*value as f64)),
        (Value::Int(value), Type::Decimal) => return Ok(Value::Decimal(Decimal::from(*value))),
        (found, kind) => found.type_of() == *kind,
    };
    if fits { Ok(found) } else { Err(wrong_type(&found, kind, expr.place)) }
}

/// An int that is written where another number is needed is that: `2` as a float or a decimal.
pub(super) fn int_as(expr: checked::Expr, kind: &Type) -> checked::Expr {
    match (expr, kind) {
        (checked::Expr::Constant(Value::Int(int)), Type::Float) => checked::Expr::Constant(Value::Float(int as f64)),
        (checked::Expr::Constant(Value::Int(int)), Type::Decimal) => {
            checked::Expr::Constant(Value::Decimal(Decimal::from(int)))
        }
        (expr, _) => expr,
    }
}

fn not_a_literal(place: Place) -> Diagnostic {
    Diagnostic::error(&code::PARAMETER_VALUE, place, "a parameter's value is a literal")
        .help("to give an expression a name, write `let`")
}

fn wrong_type(found: &Value<'_>, kind: &Type, place: Place) -> Diagnostic {
    let message = match found {
        Value::Null => format!("null is not {kind}"),
        found => format!("`{found}` is {}, not {kind}", found.type_of()),
    };
    let help = match (found, kind) {
        (Value::Int(int), Type::Duration) => format!("a duration has a unit: `{int}s`, `{int}m`"),
        (Value::Int(_) | Value::Float(_), Type::String) => format!("as text it is written `\"{found}\"`"),
        (Value::String(text), kind) if kind.is_number() => {
            format!("without quotes it is a number: `{}`", text.as_str())
        }
        (Value::String(_), Type::Timestamp) => {
            "a time is written like `@2021-01-19T10:00:00Z`, without quotes".to_owned()
        }
        (Value::String(_), Type::Duration) => "a duration is written like `1h30m`, without quotes".to_owned(),
        (Value::Null, kind) => format!("what may be null ends in `?`: `{kind}?`"),
        (_, kind) => format!("write a value of type {kind}, or declare another type"),
    };
    Diagnostic::error(&code::PARAMETER_VALUE, place, message).help(help)
}
