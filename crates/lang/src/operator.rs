//! The operators between two operands, as they are written: one table for parser, checker and printer.

use ensue_model::expr::BinaryOperator;

/// Each with its sign and how strongly it binds. All but the comparisons are left-associative; comparisons do not chain.
const OPERATORS: [(BinaryOperator, &str, u8); 14] = [
    (BinaryOperator::Or, "or", OR),
    (BinaryOperator::And, "and", AND),
    (BinaryOperator::Equal, "==", COMPARISON),
    (BinaryOperator::NotEqual, "!=", COMPARISON),
    (BinaryOperator::Less, "<", COMPARISON),
    (BinaryOperator::LessOrEqual, "<=", COMPARISON),
    (BinaryOperator::Greater, ">", COMPARISON),
    (BinaryOperator::GreaterOrEqual, ">=", COMPARISON),
    (BinaryOperator::Coalesce, "??", 5),
    (BinaryOperator::Add, "+", 6),
    (BinaryOperator::Subtract, "-", 6),
    (BinaryOperator::Multiply, "*", 7),
    (BinaryOperator::Divide, "/", 7),
    (BinaryOperator::Remainder, "%", 7),
];

/// How strongly `or` binds.
pub(crate) const OR: u8 = 1;
/// How strongly `and` binds.
pub(crate) const AND: u8 = 2;
/// How strongly `not` binds.
pub(crate) const NOT: u8 = 3;
/// How strongly `==`, `between`, `in`, `like`, `matches` and `is null` bind.
pub(crate) const COMPARISON: u8 = 4;
/// How strongly the `-` before a number binds.
pub(crate) const MINUS: u8 = 8;
/// How strongly `.x` and `[i]` bind.
pub(crate) const POSTFIX: u8 = 9;

/// The operator with that sign.
///
/// # Panics
/// If there is none: the grammar lets only these through.
pub(crate) fn find(sign: &str) -> BinaryOperator {
    OPERATORS.iter().find(|(_, other, _)| *other == sign).expect("the grammar has the operators of this table").0
}

/// The operator's sign.
pub(crate) fn symbol(operator: BinaryOperator) -> &'static str {
    row(operator).1
}

/// How strongly the operator binds its operands.
pub(crate) fn strength(operator: BinaryOperator) -> u8 {
    row(operator).2
}

fn row(operator: BinaryOperator) -> &'static (BinaryOperator, &'static str, u8) {
    OPERATORS.iter().find(|(other, ..)| *other == operator).expect("each operator has a row")
}
