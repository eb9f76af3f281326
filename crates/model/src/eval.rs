//! Evaluates a checked expression.

use std::cell::Cell;
use std::cmp::Ordering;

use crate::event::Event;
use crate::expr::{BinaryOperator, Expr, LookbackId, TextPattern, UnaryOperator};
use crate::function::Callee;
use crate::operators::{self, Outcome};
use crate::schema::{FieldId, StreamId};
use crate::table::Tables;
use crate::time::Timestamp;
use crate::value::Value;

/// Why an evaluation gave null where a value was asked for. Counted, never fatal.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Fault {
    /// Values of unlike types met.
    UnlikeTypes,
    /// An integer, duration, time or decimal left its range.
    Overflow,
    /// Division by zero.
    DivisionByZero,
    /// An argument that the function has no result for.
    Argument,
}

/// Where an expression finds what it names.
pub trait Scope {
    /// A field of the event under test.
    fn field(&self, field: FieldId) -> Value<'_>;
    /// The event time of the event under test.
    fn time(&self) -> Timestamp;
    /// The stream of the event under test.
    fn stream(&self) -> StreamId {
        StreamId(0)
    }
    /// Whether the event under test has come by a way of key.
    fn is_keyed_by(&self, way: u8) -> bool {
        let _ = way;
        true
    }
    /// The reference data.
    fn tables(&self) -> &Tables {
        Tables::NONE
    }
    /// A part of the key.
    fn key(&self, part: u16) -> Value<'_>;
    /// What a run has taken.
    fn lookback(&self, lookback: LookbackId) -> Value<'_>;
    /// `awaiting()`.
    fn awaiting(&self) -> Value<'_> {
        Value::Null
    }
    /// `deadline()`.
    fn deadline(&self) -> Value<'_> {
        Value::Null
    }
    /// Counts an evaluation error.
    fn fault(&self, fault: Fault);
}

/// The scope of an expression over one event alone: a key's, or the inside of a lookback's.
#[derive(Debug)]
pub struct OfEvent<'e, E> {
    /// The event.
    pub event: &'e E,
    /// Where evaluation errors are counted.
    pub faults: &'e Cell<u64>,
    /// The reference data.
    pub tables: &'e Tables,
}

impl<E: Event> Scope for OfEvent<'_, E> {
    fn field(&self, field: FieldId) -> Value<'_> {
        self.event.field(field)
    }

    fn time(&self) -> Timestamp {
        self.event.time()
    }

    fn stream(&self) -> StreamId {
        self.event.stream()
    }

    fn tables(&self) -> &Tables {
        self.tables
    }

    fn key(&self, _: u16) -> Value<'_> {
        Value::Null
    }

    fn lookback(&self, _: LookbackId) -> Value<'_> {
        Value::Null
    }

    fn fault(&self, _: Fault) {
        self.faults.set(self.faults.get() + 1);
    }
}

/// The value of an expression. Never fails: what has no value is null, and counted with [`Scope::fault`].
///
/// Null is SQL's: what meets null is null, except where the other side decides alone (`false and x`, `true or x`).
/// What decides is evaluated first, and what it leaves undecided only then: the right side of `and`, `or` and `??`, the
/// branches of `if`, the items of `in [...]`. What is not evaluated counts no faults.
pub fn eval<'a, S: Scope + ?Sized>(expr: &'a Expr, scope: &'a S) -> Value<'a> {
    match expr {
        Expr::Constant(value) => value.borrowed(),
        Expr::Field(field) => scope.field(*field),
        Expr::Time => Value::Timestamp(scope.time()),
        Expr::OfStream(stream) => Value::Bool(scope.stream() == *stream),
        Expr::KeyedBy(way) => Value::Bool(scope.is_keyed_by(*way)),
        Expr::Key(part) => scope.key(*part),
        Expr::Lookback(lookback) => scope.lookback(*lookback),
        Expr::Awaiting => scope.awaiting(),
        Expr::Deadline => scope.deadline(),
        Expr::Unary(operator, operand) => unary(*operator, &eval(operand, scope), scope),
        Expr::Binary(operator, a, b) => binary(*operator, a, b, scope),
        Expr::Between(value, low, high) => between(value, low, high, scope).into(),
        Expr::In(value, list) => contained(&eval(value, scope), list, scope).into(),
        Expr::Matches(text, pattern) => matches(&eval(text, scope), pattern, scope).into(),
        Expr::If(condition, then, otherwise) => match condition_holds(condition, scope) {
            Some(true) => eval(then, scope),
            Some(false) | None => eval(otherwise, scope),
        },
        Expr::List(items) => Value::List(items.iter().map(|item| eval(item, scope).into_owned()).collect()),
        Expr::Index(list, index) => item(&eval(list, scope), &eval(index, scope), scope),
        Expr::Member(record, name) => member(&eval(record, scope), name, scope),
        Expr::Lookup(table, key, column) => scope.tables().find(*table, &eval(key, scope), *column),
        Expr::Call(function, arguments) => call(function, arguments, scope),
    }
}

fn unary<S: Scope + ?Sized>(operator: UnaryOperator, operand: &Value<'_>, scope: &S) -> Value<'static> {
    match operator {
        UnaryOperator::Not => counted(operators::not(operand), scope),
        UnaryOperator::Negate => counted(operators::negate(operand), scope),
        UnaryOperator::IsNull => Value::Bool(operand.is_null()),
    }
}

fn binary<'a, S: Scope + ?Sized>(operator: BinaryOperator, a: &'a Expr, b: &'a Expr, scope: &'a S) -> Value<'a> {
    match operator {
        BinaryOperator::Or => either(a, b, scope).into(),
        BinaryOperator::And => both(a, b, scope).into(),
        BinaryOperator::Coalesce => match eval(a, scope) {
            Value::Null => eval(b, scope),
            value => value,
        },
        BinaryOperator::Equal => compared(operators::equal, a, b, scope).into(),
        BinaryOperator::NotEqual => compared(operators::equal, a, b, scope).map(|equal| !equal).into(),
        BinaryOperator::Less => ordered(Ordering::is_lt, a, b, scope).into(),
        BinaryOperator::LessOrEqual => ordered(Ordering::is_le, a, b, scope).into(),
        BinaryOperator::Greater => ordered(Ordering::is_gt, a, b, scope).into(),
        BinaryOperator::GreaterOrEqual => ordered(Ordering::is_ge, a, b, scope).into(),
        BinaryOperator::Add => computed(operators::add, a, b, scope),
        BinaryOperator::Subtract => computed(operators::subtract, a, b, scope),
        BinaryOperator::Multiply => computed(operators::multiply, a, b, scope),
        BinaryOperator::Divide => computed(operators::divide, a, b, scope),
        BinaryOperator::Remainder => computed(operators::remainder, a, b, scope),
    }
}

fn condition_holds<S: Scope + ?Sized>(condition: &Expr, scope: &S) -> Option<bool> {
    counted(operators::truth(&eval(condition, scope)), scope)
}

fn either<S: Scope + ?Sized>(a: &Expr, b: &Expr, scope: &S) -> Option<bool> {
    match condition_holds(a, scope) {
        Some(true) => Some(true),
        undecided => operators::or(undecided, condition_holds(b, scope)),
    }
}

fn both<S: Scope + ?Sized>(a: &Expr, b: &Expr, scope: &S) -> Option<bool> {
    match condition_holds(a, scope) {
        Some(false) => Some(false),
        undecided => operators::and(undecided, condition_holds(b, scope)),
    }
}

fn compared<S: Scope + ?Sized>(
    compare: impl FnOnce(&Value<'_>, &Value<'_>) -> Outcome<Option<bool>>,
    a: &Expr,
    b: &Expr,
    scope: &S,
) -> Option<bool> {
    counted(compare(&eval(a, scope), &eval(b, scope)), scope)
}

fn ordered<S: Scope + ?Sized>(holds: impl FnOnce(Ordering) -> bool, a: &Expr, b: &Expr, scope: &S) -> Option<bool> {
    compared(|a, b| operators::ordered(a, b, holds), a, b, scope)
}

fn computed<S: Scope + ?Sized>(
    compute: impl FnOnce(&Value<'_>, &Value<'_>) -> Outcome,
    a: &Expr,
    b: &Expr,
    scope: &S,
) -> Value<'static> {
    counted(compute(&eval(a, scope), &eval(b, scope)), scope)
}

/// `low <= value and value <= high`, with the value evaluated once.
fn between<S: Scope + ?Sized>(value: &Expr, low: &Expr, high: &Expr, scope: &S) -> Option<bool> {
    let value = eval(value, scope);
    let above = counted(operators::ordered(&eval(low, scope), &value, Ordering::is_le), scope);
    if above == Some(false) {
        return above;
    }
    let below = counted(operators::ordered(&value, &eval(high, scope), Ordering::is_le), scope);
    operators::and(above, below)
}

/// `value == a or value == b or ...`: null where no item is equal and one is null. A list that is written out is not built.
fn contained<S: Scope + ?Sized>(value: &Value<'_>, list: &Expr, scope: &S) -> Option<bool> {
    match list {
        Expr::List(items) => one_of(value, items.iter().map(|item| eval(item, scope)), scope),
        Expr::Constant(Value::List(items)) => one_of(value, items.iter().map(Value::borrowed), scope),
        list => match eval(list, scope) {
            Value::List(items) => one_of(value, items.iter().map(Value::borrowed), scope),
            Value::Null => None,
            _ => counted(Err(Fault::UnlikeTypes), scope),
        },
    }
}

fn one_of<'a, S: Scope + ?Sized>(value: &Value<'_>, items: impl Iterator<Item = Value<'a>>, scope: &S) -> Option<bool> {
    let mut found = Some(false);
    for item in items {
        found = operators::or(found, counted(operators::equal(value, &item), scope));
        if found == Some(true) {
            break;
        }
    }
    found
}

fn matches<S: Scope + ?Sized>(text: &Value<'_>, pattern: &TextPattern, scope: &S) -> Option<bool> {
    match text {
        Value::String(text) => Some(pattern.regex.is_match(text.as_str())),
        Value::Null => None,
        _ => counted(Err(Fault::UnlikeTypes), scope),
    }
}

/// `list[index]`: null where the list has no such item.
fn item<S: Scope + ?Sized>(list: &Value<'_>, index: &Value<'_>, scope: &S) -> Value<'static> {
    match (list, index) {
        (Value::List(items), Value::Int(index)) => {
            position(*index, items.len()).map_or(Value::Null, |position| items[position].clone())
        }
        (Value::Null, _) | (_, Value::Null) => Value::Null,
        _ => counted(Err(Fault::UnlikeTypes), scope),
    }
}

/// Where `[index]` of so many items is: from 0, and from the end with negative ones; none where nothing is there.
pub fn position(index: i64, length: usize) -> Option<usize> {
    let from_start = if index < 0 { i64::try_from(length).ok()?.checked_add(index)? } else { index };
    usize::try_from(from_start).ok().filter(|position| *position < length)
}

fn member<S: Scope + ?Sized>(record: &Value<'_>, name: &str, scope: &S) -> Value<'static> {
    match record {
        Value::Record(fields) => {
            fields.iter().find(|(field, _)| &**field == name).map_or(Value::Null, |(_, value)| value.clone())
        }
        Value::Null => Value::Null,
        _ => counted(Err(Fault::UnlikeTypes), scope),
    }
}

/// Few arguments are the rule; they need no vector.
fn call<'a, S: Scope + ?Sized>(function: &Callee, arguments: &'a [Expr], scope: &'a S) -> Value<'a> {
    let outcome = match arguments {
        [] => function.apply(&[]),
        [a] => function.apply(&[eval(a, scope)]),
        [a, b] => function.apply(&[eval(a, scope), eval(b, scope)]),
        [a, b, c] => function.apply(&[eval(a, scope), eval(b, scope), eval(c, scope)]),
        many => function.apply(&many.iter().map(|argument| eval(argument, scope)).collect::<Vec<_>>()),
    };
    counted(outcome, scope)
}

/// The outcome, or null for a fault, which is counted.
fn counted<T: Default, S: Scope + ?Sized>(outcome: Result<T, Fault>, scope: &S) -> T {
    outcome.unwrap_or_else(|fault| {
        scope.fault(fault);
        T::default()
    })
}
