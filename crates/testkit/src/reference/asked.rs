//! What a run asks of an event, and which part of a condition does not hold. Only observers want to know: the matcher goes by
//! whether conditions hold, and so by [`Moment::meets`].

use ensue_model::eval::eval;
use ensue_model::expr::{BinaryOperator, Expr};
use ensue_model::pattern::{StepWindow, WindowSpan};
use ensue_model::{Event, Value};

use super::automaton::{Action, Automaton, Condition, Kind};
use super::moment::Moment;
use super::observer::{Asked, Refusal};
use super::position::Position;

impl<'p> Automaton<'p> {
    /// Whether an event fits the stages that a run at a position waits for. A stage that may be reached in several ways fits
    /// if it does in one of them.
    pub(super) fn asked<E: Event>(&self, from: &Position, moment: &Moment<'_, E>) -> Vec<Asked<'p>> {
        let mut walk = Walk { automaton: self, moment, seen: Vec::new(), asked: Vec::new() };
        walk.enter(from, &[]);
        walk.asked
    }
}

/// A walk over the states that a position proceeds to, also where the event does not let it.
struct Walk<'a, 'p, E> {
    automaton: &'a Automaton<'p>,
    moment: &'a Moment<'a, E>,
    seen: Vec<Position>,
    asked: Vec<Asked<'p>>,
}

impl<'p, E: Event> Walk<'_, 'p, E> {
    /// Asks at a position, which the event is kept from by `before`.
    fn enter(&mut self, from: &Position, before: &[Refusal<'p>]) {
        if self.seen.contains(from) {
            return;
        }
        self.seen.push(from.clone());
        match from {
            Position::At(state) => self.ask(*state, before),
            Position::Beside(beside) => {
                for position in self.automaton.inside(beside) {
                    self.enter(&position, before);
                }
                if let Some(sink) = self.automaton.behind(beside) {
                    self.enter(&sink, before);
                }
            }
        }
    }

    fn ask(&mut self, state: usize, before: &[Refusal<'p>]) {
        let automaton = self.automaton;
        let state = &automaton.states[state];
        for edge in &state.edges {
            let mut refusals = before.to_vec();
            self.refuse(&edge.condition, &mut refusals);
            match edge.action {
                Action::Take(stage) => self.note(Asked { stage, is_negated: false, refusals }),
                Action::Proceed if state.kind == Kind::PartEnd => {}
                Action::Proceed | Action::Begin(_) => match automaton.states[edge.target].kind {
                    Kind::Stopped(stage) => self.note(Asked { stage, is_negated: true, refusals }),
                    Kind::Open | Kind::Complete | Kind::Absence | Kind::AnyOrder(_) | Kind::PartEnd => {
                        self.enter(&Position::At(edge.target), &refusals);
                    }
                },
                Action::Ignore | Action::Yield => {}
            }
        }
    }

    fn note(&mut self, asked: Asked<'p>) {
        let is_same = |known: &&mut Asked<'p>| (known.stage, known.is_negated) == (asked.stage, asked.is_negated);
        match self.asked.iter_mut().find(is_same) {
            Some(known) if asked.refusals.len() < known.refusals.len() => known.refusals = asked.refusals,
            Some(_) => {}
            None => self.asked.push(asked),
        }
    }

    /// Why a condition does not hold.
    fn refuse(&self, condition: &Condition<'p>, refusals: &mut Vec<Refusal<'p>>) {
        match condition {
            Condition::Holds(expr) => unmet(expr, self.moment, &mut 0, refusals),
            Condition::InTime(_) | Condition::Not(_) if self.moment.meets(condition) => {}
            Condition::InTime(window) => refusals.push(self.too_late(*window)),
            Condition::Not(inner) => refusals.push(match **inner {
                // What an event must not fulfil is the `until` of a loop, or what a greedy loop could take.
                Condition::Holds(until) => Refusal::Until(until),
                Condition::InTime(_) | Condition::Not(_) | Condition::All(_) => Refusal::GivesWay,
            }),
            Condition::All(conditions) => conditions.iter().for_each(|condition| self.refuse(condition, refusals)),
        }
    }

    fn too_late(&self, window: StepWindow) -> Refusal<'p> {
        let end = match window.span {
            WindowSpan::Time(_) => self.moment.holding().end(&window),
            WindowSpan::Events(_) => None,
        };
        Refusal::TooLate { window, end }
    }
}

/// The parts of a condition that do not hold: of what `and` puts together, each by itself.
fn unmet<'p, E: Event>(expr: &'p Expr, moment: &Moment<'_, E>, parts: &mut usize, refusals: &mut Vec<Refusal<'p>>) {
    if let Expr::Binary(BinaryOperator::And, a, b) = expr {
        unmet(a, moment, parts, refusals);
        unmet(b, moment, parts, refusals);
        return;
    }
    let (part, outcome) = (*parts, eval(expr, moment).into_owned());
    *parts += 1;
    if outcome.holds() {
        return;
    }
    let mut values: Vec<(&'p Expr, Value<'static>)> = Vec::new();
    named(expr, &mut |leaf| {
        if !values.iter().any(|(known, _)| *known == leaf) {
            values.push((leaf, eval(leaf, moment).into_owned()));
        }
    });
    refusals.push(Refusal::Condition { expr, part, is_null: outcome.is_null(), values });
}

/// Calls `visit` on what an expression names: fields, what was taken, and what is made of them in one piece.
fn named<'p>(expr: &'p Expr, visit: &mut impl FnMut(&'p Expr)) {
    match expr {
        Expr::Constant(_) | Expr::OfStream(_) | Expr::KeyedBy(_) => {}
        Expr::Field(_) | Expr::Time | Expr::Key(_) | Expr::Lookback(_) | Expr::Awaiting | Expr::Deadline => visit(expr),
        Expr::Index(..) | Expr::Member(..) | Expr::Lookup(..) | Expr::Call(..) => visit(expr),
        Expr::Unary(_, a) | Expr::Matches(a, _) => named(a, visit),
        Expr::Binary(_, a, b) | Expr::In(a, b) => [a, b].into_iter().for_each(|expr| named(expr, visit)),
        Expr::Between(a, b, c) | Expr::If(a, b, c) => [a, b, c].into_iter().for_each(|expr| named(expr, visit)),
        Expr::List(items) => items.iter().for_each(|expr| named(expr, visit)),
    }
}
