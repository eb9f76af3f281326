//! A checked expression as text, as a pattern would write it.

use std::fmt;

use super::strength::{COMPARISON, MINUS, NOT, POSTFIX};
use super::{Aggregate, Ask, BinaryOperator, Expr, LookbackId, Pick, UnaryOperator};
use crate::pattern::{Pattern, Patterns, StageId};
use crate::schema::{FieldId, StreamId};
use crate::table::{ColumnId, TableId};
use crate::value::Value;

impl Expr {
    /// The expression as a pattern would write it, with the names of fields and stages. Read again in the same pattern it
    /// is an equal expression; `let` and `param` have been put in.
    ///
    /// # Panics
    /// When it is written, if it names a field, a stage or a lookback that is not of these patterns and this pattern.
    pub fn display<'e>(&'e self, patterns: &'e Patterns, pattern: &'e Pattern) -> impl fmt::Display + 'e {
        Written { expr: self, patterns, pattern, over: Over::Tested }
    }
}

impl LookbackId {
    /// What is asked, as a pattern would write it: `last(a).x`, `sum(a.x)`.
    ///
    /// # Panics
    /// When it is written, if it is not of these patterns and this pattern.
    pub fn display<'e>(self, patterns: &'e Patterns, pattern: &'e Pattern) -> impl fmt::Display + 'e {
        Asked { lookback: self, patterns, pattern }
    }
}

/// A stage's or a field's name where words of the language have a meaning: in backticks where it is one of them.
pub fn write_name(f: &mut fmt::Formatter<'_>, name: &str) -> fmt::Result {
    if is_word(name) && !RESERVED.contains(&name) { f.write_str(name) } else { write!(f, "`{name}`") }
}

/// The words that are no names, where a name can stand.
const RESERVED: [&str; 23] = [
    "begin",
    "next",
    "followedByAny",
    "followedBy",
    "notNext",
    "notFollowedBy",
    "where",
    "until",
    "within",
    "and",
    "or",
    "not",
    "in",
    "is",
    "like",
    "matches",
    "between",
    "if",
    "then",
    "else",
    "true",
    "false",
    "null",
];

/// What nothing can take apart.
const WHOLE: u8 = u8::MAX;

/// An expression with what its names are looked up in.
#[derive(Clone, Copy)]
struct Written<'e> {
    expr: &'e Expr,
    patterns: &'e Patterns,
    pattern: &'e Pattern,
    over: Over<'e>,
}

/// Whose fields an expression's are.
#[derive(Clone, Copy)]
enum Over<'e> {
    /// The event under test.
    Tested,
    /// `any(a, x > 3)`: each event of a stage, whose fields are the bare names.
    Each,
    /// `sum(a.x)`, `first(a).x`: an event that is named.
    Of(Event<'e>),
}

/// An event as an expression names it.
#[derive(Clone, Copy)]
struct Event<'e> {
    stage: &'e str,
    /// None for each event of the stage, or its only one.
    pick: Option<Pick>,
}

/// A lookback with what its names are looked up in.
#[derive(Clone, Copy)]
struct Asked<'e> {
    lookback: LookbackId,
    patterns: &'e Patterns,
    pattern: &'e Pattern,
}

impl fmt::Display for Written<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.expr {
            Expr::Constant(value) => value.fmt(f),
            Expr::Field(field) => self.field(f, *field),
            Expr::Time => match self.over {
                Over::Tested | Over::Each => f.write_str("time()"),
                Over::Of(event) => write!(f, "time({event})"),
            },
            Expr::OfStream(stream) => self.of_stream(f, *stream),
            Expr::KeyedBy(way) => self.keyed_by(f, *way),
            Expr::Key(_) if self.pattern.key.names.len() == 1 => f.write_str("key()"),
            Expr::Key(part) => write!(f, "key()[{part}]"),
            Expr::Lookback(lookback) => self.asked(*lookback).fmt(f),
            Expr::Awaiting => f.write_str("awaiting()"),
            Expr::Deadline => f.write_str("deadline()"),
            Expr::Unary(operator, operand) => self.unary(f, *operator, operand),
            Expr::Binary(operator, a, b) => self.binary(f, *operator, a, b),
            Expr::Between(value, low, high) => {
                let [value, low, high] = [value, low, high].map(|expr| self.operand(expr, COMPARISON + 1));
                write!(f, "{value} between {low} and {high}")
            }
            Expr::In(value, list) => {
                let [value, list] = [value, list].map(|expr| self.operand(expr, COMPARISON + 1));
                write!(f, "{value} in {list}")
            }
            Expr::Matches(text, pattern) => {
                let (text, source) = (self.operand(text, COMPARISON + 1), Value::from(&*pattern.source));
                write!(f, "{text} {} {source}", if pattern.like { "like" } else { "matches" })
            }
            Expr::If(condition, then, other) => {
                write!(f, "if {} then {} else {}", self.of(condition), self.of(then), self.of(other))
            }
            Expr::List(items) if self.is_whole_key(items) => f.write_str("key()"),
            Expr::List(items) => {
                f.write_str("[")?;
                self.separated(f, items)?;
                f.write_str("]")
            }
            Expr::Index(list, index) => write!(f, "{}[{}]", self.operand(list, POSTFIX), self.of(index)),
            Expr::Member(record, name) => {
                write!(f, "{}.", self.operand(record, POSTFIX))?;
                write_label(f, name)
            }
            Expr::Lookup(table, key, column) => self.lookup(f, *table, key, *column),
            Expr::Call(function, arguments) => {
                write!(f, "{}(", function.name())?;
                self.separated(f, arguments)?;
                f.write_str(")")
            }
        }
    }
}

impl<'e> Written<'e> {
    /// An expression inside this one.
    fn of(&self, expr: &'e Expr) -> Written<'e> {
        Written { expr, ..*self }
    }

    /// An expression inside this one, where something binds that strongly.
    fn operand(&self, expr: &'e Expr, needed: u8) -> Operand<'e> {
        Operand { written: self.of(expr), needed }
    }

    fn asked(&self, lookback: LookbackId) -> Asked<'e> {
        Asked { lookback, patterns: self.patterns, pattern: self.pattern }
    }

    /// A stage hides a field of its name; `this` shows it.
    fn field(&self, f: &mut fmt::Formatter<'_>, field: FieldId) -> fmt::Result {
        let name = &self.patterns.schema.get(field).name;
        let is_hidden = name == "this" || self.pattern.stage(name).is_some();
        match self.over {
            Over::Tested if is_hidden => f.write_str("this.").and_then(|()| write_label(f, name)),
            Over::Tested | Over::Each => write_name(f, name),
            Over::Of(event) => write!(f, "{event}.").and_then(|()| write_label(f, name)),
        }
    }

    /// In words: a pattern says it by the stage's stream, and has no expression for it.
    fn of_stream(&self, f: &mut fmt::Formatter<'_>, stream: StreamId) -> fmt::Result {
        let name = self.patterns.streams[usize::from(stream.0)].name.as_deref();
        f.write_str("of stream ").and_then(|()| write_name(f, name.unwrap_or("(the only one)")))
    }

    /// In words, as for streams.
    fn keyed_by(&self, f: &mut fmt::Formatter<'_>, way: u8) -> fmt::Result {
        f.write_str("by key ")?;
        self.separated(f, &self.pattern.key.ways[usize::from(way)].parts)
    }

    fn lookup(&self, f: &mut fmt::Formatter<'_>, table: TableId, key: &'e Expr, column: ColumnId) -> fmt::Result {
        let table = &self.patterns.tables[usize::from(table.0)];
        write_name(f, &table.name)?;
        write!(f, "[{}].", self.of(key))?;
        write_label(f, &table.columns[usize::from(column.0)].name)
    }

    fn unary(&self, f: &mut fmt::Formatter<'_>, operator: UnaryOperator, operand: &'e Expr) -> fmt::Result {
        match (operator, operand) {
            (UnaryOperator::Not, Expr::Unary(UnaryOperator::IsNull, inner)) => {
                write!(f, "{} is not null", self.operand(inner, COMPARISON + 1))
            }
            (UnaryOperator::Not, operand) => write!(f, "not {}", self.operand(operand, NOT)),
            (UnaryOperator::Negate, operand) => write!(f, "-{}", self.operand(operand, MINUS)),
            (UnaryOperator::IsNull, operand) => write!(f, "{} is null", self.operand(operand, COMPARISON + 1)),
        }
    }

    fn binary(&self, f: &mut fmt::Formatter<'_>, operator: BinaryOperator, a: &'e Expr, b: &'e Expr) -> fmt::Result {
        let (symbol, strength) = (operator.symbol(), operator.strength());
        if let Some(operands) = chain(operator, self.expr) {
            for (index, operand) in operands.into_iter().enumerate() {
                let between = if index == 0 { String::new() } else { format!(" {symbol} ") };
                write!(f, "{between}{}", self.operand(operand, strength + 1))?;
            }
            return Ok(());
        }
        // Arithmetic associates to the left; comparisons do not chain.
        let is_arithmetic = strength > COMPARISON;
        let left = self.operand(a, if is_arithmetic { strength } else { strength + 1 });
        write!(f, "{left} {symbol} {}", self.operand(b, strength + 1))
    }

    /// `key()` of several parts is the list of them.
    fn is_whole_key(&self, items: &[Expr]) -> bool {
        let mut parts = items.iter().zip(0..);
        items.len() > 1
            && items.len() == self.pattern.key.names.len()
            && parts.all(|(item, part)| *item == Expr::Key(part))
    }

    fn separated(&self, f: &mut fmt::Formatter<'_>, items: &'e [Expr]) -> fmt::Result {
        for (index, item) in items.iter().enumerate() {
            write!(f, "{}{}", if index == 0 { "" } else { ", " }, self.of(item))?;
        }
        Ok(())
    }

    /// How strongly the expression holds together as it is written.
    fn strength(&self) -> u8 {
        match self.expr {
            // Its `else` takes in all that follows.
            Expr::If(..) => 0,
            Expr::Unary(UnaryOperator::Not, inner) if matches!(**inner, Expr::Unary(UnaryOperator::IsNull, _)) => {
                COMPARISON
            }
            Expr::Unary(UnaryOperator::Not, _) => NOT,
            Expr::Unary(UnaryOperator::Negate, _) => MINUS,
            Expr::Unary(UnaryOperator::IsNull, _) => COMPARISON,
            Expr::Binary(operator, ..) => operator.strength(),
            Expr::Between(..) | Expr::In(..) | Expr::Matches(..) => COMPARISON,
            Expr::Constant(value) if is_negative(value) => MINUS,
            Expr::Lookback(lookback) => self.asked(*lookback).strength(),
            Expr::Field(_) | Expr::Index(..) | Expr::Member(..) | Expr::Lookup(..) => POSTFIX,
            Expr::Constant(_) | Expr::Time | Expr::Key(_) | Expr::Awaiting | Expr::Deadline => WHOLE,
            Expr::OfStream(_) | Expr::KeyedBy(_) => COMPARISON,
            Expr::List(_) | Expr::Call(..) => WHOLE,
        }
    }
}

/// An expression in a place that needs it to hold together that strongly.
struct Operand<'e> {
    written: Written<'e>,
    needed: u8,
}

impl fmt::Display for Operand<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Operand { written, needed } = self;
        if written.strength() < *needed { write!(f, "({written})") } else { written.fmt(f) }
    }
}

impl fmt::Display for Asked<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.ask() {
            Ask::Pick(pick, expr) => self.over(expr, Over::Of(self.event(Some(*pick)))).fmt(f),
            Ask::Aggregate(Aggregate::Count, _) => write!(f, "count({})", self.event(None)),
            Ask::Aggregate(aggregate @ (Aggregate::Any | Aggregate::All), expr) => {
                write!(f, "{}({}, {})", aggregate.name(), self.event(None), self.over(expr, Over::Each))
            }
            Ask::Aggregate(aggregate, expr) => {
                write!(f, "{}({})", aggregate.name(), self.over(expr, Over::Of(self.event(None))))
            }
        }
    }
}

impl<'e> Asked<'e> {
    fn ask(&self) -> &'e Ask {
        &self.pattern.lookbacks[usize::from(self.lookback.0)].ask
    }

    fn stage(&self) -> StageId {
        self.pattern.lookbacks[usize::from(self.lookback.0)].stage
    }

    /// The last of a stage that takes only one is that one.
    fn event(&self, pick: Option<Pick>) -> Event<'e> {
        let stage = &self.pattern.stages[usize::from(self.stage().0)];
        Event { stage: &stage.name, pick: pick.filter(|pick| stage.repeats || *pick != Pick::Last) }
    }

    fn over(&self, expr: &'e Expr, over: Over<'e>) -> Written<'e> {
        Written { expr, patterns: self.patterns, pattern: self.pattern, over }
    }

    fn strength(&self) -> u8 {
        match self.ask() {
            Ask::Pick(_, expr) => self.over(expr, Over::Tested).strength(),
            Ask::Aggregate(..) => WHOLE,
        }
    }
}

impl fmt::Display for Event<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let before = match self.pick {
            Some(Pick::First) => "first(",
            Some(Pick::Last) => "last(",
            Some(Pick::At(_)) | None => "",
        };
        f.write_str(before)?;
        write_name(f, self.stage)?;
        match self.pick {
            Some(Pick::First | Pick::Last) => f.write_str(")"),
            Some(Pick::At(position)) => write!(f, "[{position}]"),
            None => Ok(()),
        }
    }
}

/// The operands of a chain of `and` or `or`, if it has the shape that the chain without parentheses has: as flat as can be.
fn chain(operator: BinaryOperator, expr: &Expr) -> Option<Vec<&Expr>> {
    match expr {
        Expr::Binary(BinaryOperator::And | BinaryOperator::Or, a, b) if is_binary(expr, operator) => {
            let (mut left, right) = (operands(operator, a)?, operands(operator, b)?);
            let is_flat = left.len() == (left.len() + right.len()) / 2;
            left.extend(right);
            is_flat.then_some(left)
        }
        _ => None,
    }
}

fn operands(operator: BinaryOperator, expr: &Expr) -> Option<Vec<&Expr>> {
    if is_binary(expr, operator) { chain(operator, expr) } else { Some(vec![expr]) }
}

fn is_binary(expr: &Expr, wanted: BinaryOperator) -> bool {
    matches!(expr, Expr::Binary(operator, ..) if *operator == wanted)
}

/// Whether a literal is written with a `-`.
fn is_negative(value: &Value<'_>) -> bool {
    match value {
        Value::Int(value) => *value < 0,
        Value::Float(value) => value.is_sign_negative(),
        Value::Decimal(value) => value.is_sign_negative(),
        Value::Duration(value) => value.as_micros() < 0,
        Value::Null | Value::Bool(_) | Value::String(_) | Value::Timestamp(_) => false,
        Value::List(_) | Value::Record(_) => false,
    }
}

/// A name where every word is one: behind a dot.
fn write_label(f: &mut fmt::Formatter<'_>, name: &str) -> fmt::Result {
    if is_word(name) { f.write_str(name) } else { write!(f, "`{name}`") }
}

/// Whether a name needs no backticks for its letters. A letter that is rare enough may get them without need.
fn is_word(name: &str) -> bool {
    let is_letter = |char: char| char == '_' || char.is_alphabetic();
    name.starts_with(is_letter) && name.chars().all(|char| is_letter(char) || char.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expr::Lookback;
    use crate::pattern::{Sequence, Stage};
    use crate::schema::Schema;
    use crate::types::Type;

    fn pattern(lookbacks: Vec<Lookback>) -> Pattern {
        let stages = vec![Stage { repeats: true, ..Stage::named("a") }, Stage::named("x")];
        Pattern { lookbacks, ..Pattern::new("p", stages, Sequence { steps: Vec::new() }) }
    }

    fn patterns(schema: Schema) -> Patterns {
        Patterns::of_one_stream(schema, Vec::new())
    }

    #[test]
    fn a_field_that_a_stage_hides_is_shown_by_this_but_not_inside_an_aggregate() {
        let patterns = patterns(Schema::stream("s").field("x", Type::Int));
        let x = Expr::Field(FieldId(0));
        assert_eq!(x.display(&patterns, &pattern(Vec::new())).to_string(), "this.x");
        let any = Lookback { stage: StageId(0), ask: Ask::Aggregate(Aggregate::Any, x) };
        assert_eq!(LookbackId(0).display(&patterns, &pattern(vec![any])).to_string(), "any(a, x)");
    }

    #[test]
    fn chains_of_another_shape_than_they_are_read_in_have_parentheses() {
        let schema = Schema::stream("s").field("p", Type::Bool).field("q", Type::Bool).field("r", Type::Bool);
        let patterns = patterns(schema);
        let [p, q, r] = [0, 1, 2].map(|field| Expr::Field(FieldId(field)));
        let and = |a: &Expr, b: &Expr| Expr::Binary(BinaryOperator::And, Box::new(a.clone()), Box::new(b.clone()));
        let written = |expr: &Expr| expr.display(&patterns, &pattern(Vec::new())).to_string();
        assert_eq!(written(&and(&p, &and(&q, &r))), "p and q and r");
        assert_eq!(written(&and(&and(&p, &q), &r)), "(p and q) and r");
    }
}
