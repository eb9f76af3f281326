//! Expressions. The grammar gives chains of operators; here they become a tree, by precedence.

use ensue_model::expr::BinaryOperator;
use pest::iterators::Pair;

use super::pair::{expect, parts};
use super::{EXPRESSION_DEPTH_MAX, Reader, Rule};
use crate::code;
use crate::diagnostic::Diagnostic;
use crate::literal::{self, NumberShape};
use crate::tree::{Expr, ExprKind, Place};

impl<'s> Reader<'s> {
    /// None where something in it is wrong, which has been reported.
    pub(super) fn expression(&mut self, pair: Pair<'s, Rule>) -> Option<Expr> {
        self.expression_at(pair, 0)
    }

    /// An expression that has `depth` nodes of its tree above it.
    fn expression_at(&mut self, pair: Pair<'s, Rule>, depth: usize) -> Option<Expr> {
        if depth > EXPRESSION_DEPTH_MAX {
            let message = format!("this expression has more than {EXPRESSION_DEPTH_MAX} operators inside each other");
            let diagnostic = Diagnostic::error(&code::TOO_DEEP, self.place(&pair), message);
            self.diagnostics.push(diagnostic.help("name parts of it with `let`"));
            return None;
        }
        let place = self.place(&pair);
        let kind = match pair.as_rule() {
            Rule::expression => return self.logic(pair, depth),
            Rule::comparison => return self.comparison(pair, depth),
            Rule::sum => return self.sum(pair, depth),
            Rule::postfix => return self.postfix(pair, depth),
            Rule::parens => return self.parens(pair, depth, place),
            Rule::string => self.text(&pair, place)?,
            Rule::time => ExprKind::Time(pair.as_str()[1..].to_owned()),
            Rule::number => number(pair.as_str()),
            Rule::kw_true => ExprKind::Bool(true),
            Rule::kw_false => ExprKind::Bool(false),
            Rule::kw_null => ExprKind::Null,
            Rule::list => ExprKind::List(self.expressions(parts(pair), depth)?),
            Rule::conditional => self.conditional(pair, depth)?,
            Rule::call => {
                let mut parts = parts(pair);
                let name = self.name(expect(&mut parts));
                ExprKind::Call(name, self.expressions(parts, depth)?)
            }
            _ => ExprKind::Name(self.name(pair)),
        };
        Some(Expr { kind, place })
    }

    fn expressions(&mut self, pairs: impl Iterator<Item = Pair<'s, Rule>>, depth: usize) -> Option<Vec<Expr>> {
        pairs.map(|pair| self.expression_at(pair, depth + 1)).collect()
    }

    /// The parentheses belong to the expression's place, so that a message shows the whole.
    fn parens(&mut self, pair: Pair<'s, Rule>, depth: usize, place: Place) -> Option<Expr> {
        let inner = self.expression_at(expect(&mut parts(pair)), depth + 1)?;
        Some(Expr { place, ..inner })
    }

    fn conditional(&mut self, pair: Pair<'s, Rule>, depth: usize) -> Option<ExprKind> {
        let mut parts = parts(pair);
        let mut part = || self.expression_at(expect(&mut parts), depth + 1).map(Box::new);
        Some(ExprKind::If(part()?, part()?, part()?))
    }

    fn text(&mut self, pair: &Pair<'s, Rule>, place: Place) -> Option<ExprKind> {
        let inside = &pair.as_str()[1..pair.as_str().len() - 1];
        match literal::unescape(inside) {
            Ok(text) => Some(ExprKind::Text(text)),
            Err(escape) => {
                let wrong = Place { start: place.start + 1 + escape.start, end: place.start + 1 + escape.end };
                let message = format!("there is no escape `{}`", &inside[escape]);
                let help = "the escapes are those of JSON; for a backslash write `\\\\`";
                self.diagnostics.push(Diagnostic::error(&code::ESCAPE, wrong, message).help(help));
                None
            }
        }
    }

    /// `not`, `and`, `or`: `or` joins groups of what `and` joins.
    fn logic(&mut self, pair: Pair<'s, Rule>, depth: usize) -> Option<Expr> {
        let mut groups: Vec<Vec<Expr>> = vec![Vec::new()];
        let mut nots: Vec<Place> = Vec::new();
        let single = pair.clone().into_inner().nth(1).is_none();
        // An expression of one operand is that operand: no node, no depth.
        let below = if single { depth } else { depth + 2 };
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::kw_not => nots.push(self.place(&part)),
                Rule::logic if part.as_str().starts_with("or") => groups.push(Vec::new()),
                Rule::logic => {}
                _ => {
                    let operand = self.expression_at(part, below + nots.len())?;
                    let operand = prefixed(nots.drain(..), operand, ExprKind::Not);
                    groups.last_mut().expect("there is a first group").push(operand);
                }
            }
        }
        let groups = groups.into_iter().map(|group| joined(group, ExprKind::And)).collect();
        Some(joined(groups, ExprKind::Or))
    }

    fn comparison(&mut self, pair: Pair<'s, Rule>, depth: usize) -> Option<Expr> {
        let mut pairs = pair.into_inner();
        let left = expect(&mut pairs);
        let Some(tail) = pairs.next() else { return self.expression_at(left, depth) };
        let place = self.place(&left).to(self.place(&tail));
        let left = Box::new(self.expression_at(left, depth + 1)?);
        let rule = tail.as_rule();
        if rule == Rule::is_null {
            let negated = tail.into_inner().any(|part| part.as_rule() == Rule::kw_not);
            let kind = if negated { ExprKind::IsNotNull(left) } else { ExprKind::IsNull(left) };
            return Some(Expr { kind, place });
        }
        let mut parts = parts(tail).filter(|part| part.as_rule() != Rule::kw_and).peekable();
        let operator = parts.next_if(|part| part.as_rule() == Rule::compare_op);
        let mut operand = || self.expression_at(expect(&mut parts), depth + 1).map(Box::new);
        let kind = match rule {
            Rule::between => ExprKind::Between(left, operand()?, operand()?),
            Rule::in_ => ExprKind::In(left, operand()?),
            Rule::like => ExprKind::Like(left, operand()?),
            Rule::matches => ExprKind::Matches(left, operand()?),
            _ => {
                let operator = operator_of(operator.expect("a comparison has an operator").as_str());
                ExprKind::Binary(operator, left, operand()?)
            }
        };
        Some(Expr { kind, place })
    }

    /// Precedence climbing with a stack each of operands and operators; all operators are left-associative.
    fn sum(&mut self, pair: Pair<'s, Rule>, depth: usize) -> Option<Expr> {
        let below = depth + pair.clone().into_inner().filter(|part| part.as_rule() != Rule::postfix).count();
        let (mut operands, mut operators) = (Vec::new(), Vec::new());
        let mut minuses: Vec<Place> = Vec::new();
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::minus => minuses.push(self.place(&part)),
                Rule::sum_op => {
                    let operator = operator_of(part.as_str());
                    reduce(&mut operands, &mut operators, operator.strength());
                    operators.push(operator);
                }
                _ => {
                    let operand = self.expression_at(part, below)?;
                    operands.push(prefixed(minuses.drain(..), operand, ExprKind::Negate));
                }
            }
        }
        reduce(&mut operands, &mut operators, 0);
        operands.pop()
    }

    fn postfix(&mut self, pair: Pair<'s, Rule>, depth: usize) -> Option<Expr> {
        let mut pairs = pair.into_inner();
        let first = expect(&mut pairs);
        let below = depth + pairs.len();
        let mut expr = self.expression_at(first, below)?;
        for part in pairs {
            let place = expr.place.to(self.place(&part));
            let is_member = part.as_rule() == Rule::member;
            let inner = expect(&mut parts(part));
            let kind = if is_member {
                ExprKind::Member(Box::new(expr), self.name(inner))
            } else {
                ExprKind::Index(Box::new(expr), Box::new(self.expression_at(inner, below + 1)?))
            };
            expr = Expr { kind, place };
        }
        Some(expr)
    }
}

fn number(text: &str) -> ExprKind {
    match literal::number_shape(text) {
        NumberShape::Int => ExprKind::Int(text.to_owned()),
        NumberShape::Float => ExprKind::Float(text.to_owned()),
        NumberShape::Duration => ExprKind::Duration(text.to_owned()),
    }
}

/// `not not x`, `- - x`: the last prefix binds first.
fn prefixed(places: impl DoubleEndedIterator<Item = Place>, operand: Expr, kind: fn(Box<Expr>) -> ExprKind) -> Expr {
    places.rev().fold(operand, |operand, place| {
        let place = place.to(operand.place);
        Expr { kind: kind(Box::new(operand)), place }
    })
}

/// One operand is itself.
fn joined(mut operands: Vec<Expr>, kind: fn(Vec<Expr>) -> ExprKind) -> Expr {
    let first = operands.first().expect("an operand stands on both sides of an operator").place;
    let last = operands.last().expect("an operand stands on both sides of an operator").place;
    match operands.len() {
        1 => operands.remove(0),
        _ => Expr { kind: kind(operands), place: first.to(last) },
    }
}

/// Joins what binds at least as strongly as the operator that comes.
fn reduce(operands: &mut Vec<Expr>, operators: &mut Vec<BinaryOperator>, coming: u8) {
    while let Some(operator) = operators.pop_if(|operator| operator.strength() >= coming) {
        let right = operands.pop().expect("an operand stands behind each operator");
        let left = operands.pop().expect("an operand stands before each operator");
        let place = left.place.to(right.place);
        operands.push(Expr { kind: ExprKind::Binary(operator, Box::new(left), Box::new(right)), place });
    }
}

/// # Panics
/// Never: the grammar lets only operators through.
fn operator_of(symbol: &str) -> BinaryOperator {
    BinaryOperator::of_symbol(symbol).expect("the grammar has the operators of the model's table")
}
