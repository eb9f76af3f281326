//! A checked expression: names are gone, `let` and `param` are put in, constants are folded or not but typed.

mod display;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::function::Callee;
use crate::pattern::StageId;
use crate::schema::{FieldId, StreamId};
use crate::table::{ColumnId, TableId};
use crate::value::Value;

pub use display::write_name;

/// A checked expression.
#[derive(Clone, PartialEq, Debug)]
pub enum Expr {
    /// A literal, or a parameter's value.
    Constant(Value<'static>),
    /// A field of the event under test.
    Field(FieldId),
    /// `time()`: the event time of the event under test.
    Time,
    /// Whether the event under test is of a stream.
    OfStream(StreamId),
    /// Whether the event under test has come by a way of key, one of [`crate::key::Keys::ways`].
    KeyedBy(u8),
    /// `key()`: the key's only part, or one part of several by its position.
    Key(u16),
    /// What a run has taken: an entry of [`crate::pattern::Pattern::lookbacks`].
    Lookback(LookbackId),
    /// `awaiting()`, in a timeout's record: the names of the stages that the run was waiting for.
    Awaiting,
    /// `deadline()`, in a timeout's record.
    Deadline,
    /// `not x`, `-x`, `x is null`.
    Unary(UnaryOperator, Box<Expr>),
    /// `a + b`, `a < b`, `a and b`, ...
    Binary(BinaryOperator, Box<Expr>, Box<Expr>),
    /// `x between low and high`, both ends included.
    Between(Box<Expr>, Box<Expr>, Box<Expr>),
    /// `x in [a, b]`, or `x in list`.
    In(Box<Expr>, Box<Expr>),
    /// `x like "a%"`, `x matches "regex"`: the text is compiled once.
    Matches(Box<Expr>, TextPattern),
    /// `if c then a else b`.
    If(Box<Expr>, Box<Expr>, Box<Expr>),
    /// `[a, b]`.
    List(Vec<Expr>),
    /// `x[i]`: of a list from 0, from the end with negative ones.
    Index(Box<Expr>, Box<Expr>),
    /// `x.f`: a named value of a record.
    Member(Box<Expr>, Arc<str>),
    /// `products[sku].category`: a column of the row that a table has for a key; null where it has none.
    Lookup(TableId, Box<Expr>, ColumnId),
    /// A function.
    Call(Callee, Vec<Expr>),
}

/// A position in [`crate::pattern::Pattern::lookbacks`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct LookbackId(pub u16);

/// What an expression asks of the events that a stage has taken.
#[derive(Clone, PartialEq, Debug)]
pub struct Lookback {
    /// The stage.
    pub stage: StageId,
    /// What is asked of its events.
    pub ask: Ask,
}

/// What is asked of a stage's events. The expressions inside are over one event of the stage: `Field` and `Time` are
/// that event's, and there is no `Lookback` in them.
#[derive(Clone, PartialEq, Debug)]
pub enum Ask {
    /// `first(a).x`, `a.x`, `a[-1].x`, `time(a)`: the expression over one event; null where there is none.
    Pick(Pick, Expr),
    /// An aggregate over all events: `sum(a.x)`, `count(a)` (over the constant true).
    Aggregate(Aggregate, Expr),
}

/// Which of a stage's events.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Pick {
    /// `first(a)`, `a[0]`.
    First,
    /// `a`, `last(a)`, `a[-1]`.
    Last,
    /// `a[i]`: from 0; from the end with negative ones.
    At(i64),
}

/// How the events of a stage become one value.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Aggregate {
    /// `count(a)`: how many; nulls do not count.
    Count,
    /// `sum(a.x)`: 0 of nothing; nulls do not count.
    Sum,
    /// `avg(a.x)`: null of nothing.
    Avg,
    /// `min(a.x)`
    Min,
    /// `max(a.x)`
    Max,
    /// `any(a, x > 3)`: null of nothing.
    Any,
    /// `all(a, x > 3)`: null of nothing.
    All,
    /// `collect(a.x)`: a list, in the order in which they were taken.
    Collect,
    /// `distinct(a.x)`: a list of the different ones, in the order in which they came first.
    Distinct,
}

/// An operator before or behind one operand.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum UnaryOperator {
    /// `not x`
    Not,
    /// `-x`
    Negate,
    /// `x is null`
    IsNull,
}

/// An operator between two operands.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum BinaryOperator {
    /// `or`
    Or,
    /// `and`
    And,
    /// `??`
    Coalesce,
    /// `==`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`
    Divide,
    /// `%`
    Remainder,
}

/// A compiled `like` or `matches` pattern.
#[derive(Clone, Debug)]
pub struct TextPattern {
    /// The pattern as it was written.
    pub source: Arc<str>,
    /// Whether it is a `like` pattern (`%` any text, `_` any one character) and not a regular expression.
    pub like: bool,
    /// The regular expression that decides.
    pub regex: regex::Regex,
}

impl PartialEq for TextPattern {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source && self.like == other.like
    }
}

impl BinaryOperator {
    /// All of them.
    pub const ALL: [BinaryOperator; 14] = [
        BinaryOperator::Or,
        BinaryOperator::And,
        BinaryOperator::Coalesce,
        BinaryOperator::Equal,
        BinaryOperator::NotEqual,
        BinaryOperator::Less,
        BinaryOperator::LessOrEqual,
        BinaryOperator::Greater,
        BinaryOperator::GreaterOrEqual,
        BinaryOperator::Add,
        BinaryOperator::Subtract,
        BinaryOperator::Multiply,
        BinaryOperator::Divide,
        BinaryOperator::Remainder,
    ];

    /// The operator that a pattern writes so.
    pub fn of_symbol(symbol: &str) -> Option<BinaryOperator> {
        BinaryOperator::ALL.into_iter().find(|operator| operator.symbol() == symbol)
    }

    /// As a pattern writes it.
    pub fn symbol(self) -> &'static str {
        self.written().0
    }

    /// How strongly it binds its operands, against the other operators.
    pub fn strength(self) -> u8 {
        self.written().1
    }

    fn written(self) -> (&'static str, u8) {
        match self {
            BinaryOperator::Or => ("or", strength::OR),
            BinaryOperator::And => ("and", strength::AND),
            BinaryOperator::Equal => ("==", strength::COMPARISON),
            BinaryOperator::NotEqual => ("!=", strength::COMPARISON),
            BinaryOperator::Less => ("<", strength::COMPARISON),
            BinaryOperator::LessOrEqual => ("<=", strength::COMPARISON),
            BinaryOperator::Greater => (">", strength::COMPARISON),
            BinaryOperator::GreaterOrEqual => (">=", strength::COMPARISON),
            BinaryOperator::Coalesce => ("??", strength::COALESCE),
            BinaryOperator::Add => ("+", strength::SUM),
            BinaryOperator::Subtract => ("-", strength::SUM),
            BinaryOperator::Multiply => ("*", strength::PRODUCT),
            BinaryOperator::Divide => ("/", strength::PRODUCT),
            BinaryOperator::Remainder => ("%", strength::PRODUCT),
        }
    }
}

/// How strongly operators bind, the weakest first. All but the comparisons are left-associative; comparisons do not chain.
pub mod strength {
    /// `or`
    pub const OR: u8 = 1;
    /// `and`
    pub const AND: u8 = 2;
    /// `not`
    pub const NOT: u8 = 3;
    /// `==`, `<`, ..., `between`, `in`, `like`, `matches`, `is null`
    pub const COMPARISON: u8 = 4;
    /// `??`
    pub const COALESCE: u8 = 5;
    /// `+`, `-`
    pub const SUM: u8 = 6;
    /// `*`, `/`, `%`
    pub const PRODUCT: u8 = 7;
    /// The `-` before a number.
    pub const MINUS: u8 = 8;
    /// `.x`, `[i]`
    pub const POSTFIX: u8 = 9;
}

impl Aggregate {
    /// As a pattern calls it.
    pub fn name(self) -> &'static str {
        match self {
            Aggregate::Count => "count",
            Aggregate::Sum => "sum",
            Aggregate::Avg => "avg",
            Aggregate::Min => "min",
            Aggregate::Max => "max",
            Aggregate::Any => "any",
            Aggregate::All => "all",
            Aggregate::Collect => "collect",
            Aggregate::Distinct => "distinct",
        }
    }
}

impl Expr {
    /// The constant true.
    pub fn truth() -> Expr {
        Expr::Constant(Value::Bool(true))
    }

    /// Calls `visit` on this expression and on every one inside.
    pub fn walk(&self, visit: &mut impl FnMut(&Expr)) {
        visit(self);
        match self {
            Expr::Constant(_) | Expr::Field(_) | Expr::Time | Expr::Key(_) | Expr::Lookback(_) => {}
            Expr::OfStream(_) | Expr::KeyedBy(_) | Expr::Awaiting | Expr::Deadline => {}
            Expr::Unary(_, a) | Expr::Matches(a, _) | Expr::Member(a, _) | Expr::Lookup(_, a, _) => a.walk(visit),
            Expr::Binary(_, a, b) | Expr::In(a, b) | Expr::Index(a, b) => {
                a.walk(visit);
                b.walk(visit);
            }
            Expr::Between(a, b, c) | Expr::If(a, b, c) => {
                a.walk(visit);
                b.walk(visit);
                c.walk(visit);
            }
            Expr::List(items) | Expr::Call(_, items) => items.iter().for_each(|item| item.walk(visit)),
        }
    }

    /// The lookbacks that the expression asks for, each once, in order of appearance.
    pub fn lookbacks(&self) -> Vec<LookbackId> {
        let mut found = Vec::new();
        self.walk(&mut |expr| {
            if let Expr::Lookback(lookback) = expr
                && !found.contains(lookback)
            {
                found.push(*lookback);
            }
        });
        found
    }
}
