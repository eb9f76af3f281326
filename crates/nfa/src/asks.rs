//! Of many conditions that begin with the same comparison, which hold for an event, without a look at each of them.

use std::cmp::Ordering;
use std::ops::Range;

use ensue_model::expr::BinaryOperator;
use ensue_model::{Event, FieldId, Value};

use crate::comparison::{Comparison, Comparisons, Constant, LastRead, Need};
use crate::program::ConditionId;

/// A program that an event may concern, and one of its conditions.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Asked {
    /// The program, by the number that the caller gave it.
    pub program: u32,
    /// The condition, which holds. None where that has not been found out: the program has to be asked.
    pub(crate) holds: Option<ConditionId>,
    /// Whether an event that fulfils the condition may begin a run.
    pub begins: bool,
}

impl Asked {
    /// A program that has to be asked.
    pub fn unsure(program: u32) -> Self {
        Asked { program, holds: None, begins: true }
    }

    /// Whether the condition is known to hold.
    pub fn is_sure(&self) -> bool {
        self.holds.is_some()
    }
}

/// Conditions of several programs that all begin with the same comparison, by what they go on to compare. A thousand rules
/// may have fifty conditions on each type of event, of which few hold.
#[derive(Debug, Default)]
pub struct Asks {
    /// Those that go on to compare nothing.
    plain: Vec<Asked>,
    /// Those that go on to compare one field with a constant, by the field and the operator.
    bounds: Vec<Bounds>,
    others: Vec<(Comparisons, Asked)>,
}

/// Conditions that compare a field with constants by one operator.
#[derive(Debug)]
struct Bounds {
    field: FieldId,
    operator: BinaryOperator,
    constants: Constants,
}

/// In their order, each with the condition that it belongs to.
#[derive(Debug)]
enum Constants {
    Ints(Vec<(i64, Asked)>),
    Floats(Vec<(f64, Asked)>),
    Texts(Vec<(Box<str>, Asked)>),
}

impl Asks {
    /// Adds a condition of a program, of which `begins` says whether an event that fulfils it may begin a run.
    pub fn add(&mut self, program: u32, need: Need, begins: bool) {
        let Need { rest, condition, .. } = need;
        let asked = Asked { program, holds: condition, begins };
        match rest.only() {
            // Without more to compare it need not hold, if what follows is no comparison.
            None if rest.is_none() => self.plain.push(asked),
            Some(comparison) if self.add_bound(comparison, asked).is_some() => {}
            _ => self.others.push((rest, asked)),
        }
    }

    /// None where there is no order to find it by.
    fn add_bound(&mut self, comparison: &Comparison, asked: Asked) -> Option<()> {
        let Comparison { field, operator, constant } = comparison;
        let is_ordered = *operator != BinaryOperator::NotEqual;
        let mut of_kind = Constants::of(constant).filter(|_| is_ordered)?;
        let is_like = |bounds: &&mut Bounds| {
            (bounds.field, bounds.operator) == (*field, *operator) && bounds.constants.is_like(&of_kind)
        };
        match self.bounds.iter_mut().find(is_like) {
            Some(bounds) => bounds.constants.insert(constant, asked),
            None => {
                of_kind.insert(constant, asked);
                self.bounds.push(Bounds { field: *field, operator: *operator, constants: of_kind });
            }
        }
        Some(())
    }

    /// Puts in the conditions that hold for an event that has what they all begin with, and those that may.
    pub fn find(&self, event: &impl Event, found: &mut Vec<Asked>) {
        found.extend_from_slice(&self.plain);
        let mut read = LastRead::default();
        for bounds in &self.bounds {
            bounds.find(read.field(bounds.field, event), found);
        }
        for (rest, asked) in &self.others {
            match rest.hold(event, &mut read) {
                Some(true) => found.push(*asked),
                Some(false) => {}
                None => found.push(Asked::unsure(asked.program)),
            }
        }
    }
}

impl Bounds {
    fn find(&self, value: &Value<'_>, found: &mut Vec<Asked>) {
        match (&self.constants, value) {
            (Constants::Ints(all), Value::Int(int)) => self.give(all, |constant| constant.cmp(int), found),
            (Constants::Floats(all), Value::Float(float)) if !float.is_nan() => {
                self.give(all, |constant| constant.total_cmp(&(float + 0.0)), found);
            }
            (Constants::Texts(all), Value::String(text)) => {
                self.give(all, |constant| (**constant).cmp(text.as_str()), found);
            }
            // What that means, the expressions know.
            (Constants::Ints(all), _) => found.extend(all.iter().map(unsure)),
            (Constants::Floats(all), _) => found.extend(all.iter().map(unsure)),
            (Constants::Texts(all), _) => found.extend(all.iter().map(unsure)),
        }
    }

    /// Those for which the operator holds between the value and the constant, which is in this order to the value.
    fn give<T>(&self, all: &[(T, Asked)], order: impl Fn(&T) -> Ordering, found: &mut Vec<Asked>) {
        let below = || all.partition_point(|(constant, _)| order(constant).is_lt());
        let through = || all.partition_point(|(constant, _)| order(constant).is_le());
        let held: Range<usize> = match self.operator {
            BinaryOperator::Equal => below()..through(),
            BinaryOperator::GreaterOrEqual => 0..through(),
            BinaryOperator::Greater => 0..below(),
            BinaryOperator::Less => through()..all.len(),
            BinaryOperator::LessOrEqual => below()..all.len(),
            _ => unreachable!("no others are put into order"),
        };
        found.extend(all[held].iter().map(|(_, asked)| *asked));
    }
}

fn unsure<T>((_, asked): &(T, Asked)) -> Asked {
    Asked::unsure(asked.program)
}

impl Constants {
    /// For constants like this one; none where it has no order.
    fn of(constant: &Constant) -> Option<Self> {
        match constant {
            Constant::Int(_) => Some(Constants::Ints(Vec::new())),
            Constant::Float(float) => (!float.is_nan()).then_some(Constants::Floats(Vec::new())),
            Constant::Text(_) => Some(Constants::Texts(Vec::new())),
        }
    }

    fn is_like(&self, other: &Constants) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other)
    }

    /// Puts in a constant of their kind, at its place.
    fn insert(&mut self, constant: &Constant, asked: Asked) {
        match (self, constant) {
            (Constants::Ints(all), Constant::Int(int)) => {
                let place = all.partition_point(|(other, _)| other <= int);
                all.insert(place, (*int, asked));
            }
            (Constants::Floats(all), Constant::Float(float)) => {
                // Zero is one number, whatever its sign.
                let float = float + 0.0;
                let place = all.partition_point(|(other, _)| other.total_cmp(&float).is_le());
                all.insert(place, (float, asked));
            }
            (Constants::Texts(all), Constant::Text(text)) => {
                let place = all.partition_point(|(other, _)| other <= text);
                all.insert(place, (text.clone(), asked));
            }
            _ => unreachable!("constants of one kind are put together"),
        }
    }
}

#[cfg(test)]
mod tests {
    use ensue_model::expr::BinaryOperator::{And, Equal, Greater, GreaterOrEqual, Less, LessOrEqual, NotEqual};
    use ensue_model::{Expr, Row, Timestamp};
    use proptest::prelude::*;

    use super::*;

    const KIND: FieldId = FieldId(0);

    fn compare(operator: BinaryOperator, field: FieldId, constant: Value<'static>) -> Expr {
        Expr::Binary(operator, Box::new(Expr::Field(field)), Box::new(Expr::Constant(constant)))
    }

    fn operators() -> impl Strategy<Value = BinaryOperator> {
        prop::sample::select(vec![Equal, NotEqual, Less, LessOrEqual, Greater, GreaterOrEqual])
    }

    fn values() -> impl Strategy<Value = Value<'static>> {
        let floats = prop::sample::select(vec![-0.0, 0.0, 0.5, 1.0, f64::NAN, f64::INFINITY]);
        let texts = prop::sample::select(vec!["", "a", "b"]);
        prop_oneof![
            (0..4_i64).prop_map(Value::Int),
            floats.prop_map(Value::Float),
            texts.prop_map(Value::from),
            Just(Value::Null)
        ]
    }

    fn comparisons() -> impl Strategy<Value = (BinaryOperator, FieldId, Value<'static>)> {
        (operators(), (1..3_u16).prop_map(FieldId), values())
    }

    proptest! {
        #[test]
        fn what_is_found_is_what_a_look_at_each_condition_finds(
            conditions in prop::collection::vec(prop::collection::vec(comparisons(), 0..3), 0..20),
            fields in prop::collection::vec(values(), 2),
        ) {
            let is_it = || compare(Equal, KIND, "x".into());
            let and = |first, (operator, field, constant)| {
                Expr::Binary(And, Box::new(first), Box::new(compare(operator, field, constant)))
            };
            let conditions: Vec<Expr> =
                conditions.into_iter().map(|rest| rest.into_iter().fold(is_it(), and)).collect();
            let values = [vec!["x".into()], fields].concat();
            let event = Row::new(Timestamp::MIN, values);

            let (mut asks, mut expected) = (Asks::default(), Vec::new());
            for (program, condition) in (0..).zip(&conditions) {
                let needs = Need::of(condition, ConditionId(3)).expect("it begins with a comparison");
                for need in needs {
                    let begins = need.condition.is_none();
                    asks.add(program, need, begins);
                }
                let holds = Comparisons::of(condition).map(|all| all.hold(&event, &mut LastRead::default()));
                match holds.flatten() {
                    Some(true) => expected.push(Asked { program, holds: Some(ConditionId(3)), begins: false }),
                    Some(false) => {}
                    None => expected.push(Asked::unsure(program)),
                }
            }
            let mut found = Vec::new();
            asks.find(&event, &mut found);
            found.sort();
            prop_assert_eq!(found, expected);
        }
    }
}
