//! Conditions that never hold, or always, and what follows from it: stages that are never taken, or never reached.
//!
//! What a parameter decides is not looked at: it may be another one tomorrow.

mod first_event;
mod ruled_out;

use std::collections::HashSet;

use ensue_model::eval::eval;
use ensue_model::expr::{BinaryOperator, Expr, LookbackId, UnaryOperator};
use ensue_model::function::Callee;
use ensue_model::operators::binary_type;
use ensue_model::pattern::{Sequence, StageId, Step, Term};
use ensue_model::{Fault, FieldId, Scope, Timestamp, Type, Value};

use super::contradiction::{Claim, conflict};
use super::expression::Lowering;
use crate::code;
use crate::diagnostic::Diagnostic;
use crate::tree::{self, ExprKind, Place};

/// The longest condition that a message quotes.
const QUOTED_MAX: usize = 60;

/// The most conditions that are shown beside the last one that they cannot hold with.
const LABELS_MAX: usize = 3;

/// Looks through the conditions of a checked sequence.
pub(super) fn check(lowering: &mut Lowering<'_, '_>, written: &tree::Sequence, checked: &Sequence) {
    let mut found = Vec::new();
    Judge { lowering, found: &mut found, at: None }.sequence(written, checked);
    found.into_iter().for_each(|diagnostic| lowering.report(diagnostic));
}

struct Judge<'j, 'w, 'a> {
    lowering: &'j Lowering<'w, 'a>,
    found: &'j mut Vec<Diagnostic>,
    /// The stage whose condition is looked at.
    at: Option<StageId>,
}

/// What is known of a condition whatever the event.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Open,
    /// It is never true.
    Never,
    /// It is true wherever what it asks for is there.
    Always,
    /// It is never false, but true not always either.
    NeverFalse,
}

/// A part of a condition: as it was written, if it was written there, and as it was checked.
#[derive(Clone, Copy)]
struct Part<'e> {
    place: Place,
    written: Option<&'e tree::Expr>,
    checked: &'e Expr,
}

/// A part that is not made of others, with the answer that is wanted.
struct Leaf<'e> {
    part: Part<'e>,
    wanted: bool,
    /// Where it is shown.
    shown: Place,
}

/// How a part is made of others.
enum Shape<'e> {
    All(Vec<Part<'e>>),
    Any(Vec<Part<'e>>),
    Not(Part<'e>),
    /// A let: its value.
    Let(Part<'e>),
    Leaf,
}

impl<'j> Judge<'j, '_, '_> {
    /// Whether the sequence is never completed, for a condition of it that never holds.
    fn sequence(&mut self, written: &'j tree::Sequence, checked: &'j Sequence) -> bool {
        let mut never = false;
        for (index, (step, checked_step)) in written.steps.iter().zip(&checked.steps).enumerate() {
            let behind = written.steps.get(index + 1);
            never |= self.step(step, checked_step, behind) && !checked_step.can_be_empty();
        }
        ruled_out::check(self.found, written, checked);
        never
    }

    /// Whether the step is never taken.
    fn step(&mut self, step: &'j tree::Step, checked: &'j Step, behind: Option<&tree::Step>) -> bool {
        let until = step.until.as_ref().zip(checked.until.as_ref());
        if let Some((written, checked)) = until {
            self.judge(Part { place: written.place, written: Some(written), checked: without_guards(checked) });
        }
        match (&step.term, &checked.term) {
            (tree::Term::Stage(stage), Term::Stage(id, condition)) => {
                let Some(written) = &step.condition else { return false };
                let first = self.found.len();
                let part = Part { place: written.place, written: Some(written), checked: without_guards(condition) };
                self.at = Some(*id);
                let never = self.stage(*id, part) == Verdict::Never;
                if let Some(diagnostic) = self.found.get_mut(first).filter(|_| never) {
                    consequence(diagnostic, &stage.name, checked, behind);
                }
                never
            }
            (tree::Term::Group(group), term) => self.group(group, term),
            (tree::Term::Stage(_), _) => false,
        }
    }

    fn stage(&mut self, id: StageId, condition: Part<'j>) -> Verdict {
        match self.judge(condition) {
            Verdict::Open if self.lowering.stages.get(id).repeats => self.first_event(id, condition),
            verdict => verdict,
        }
    }

    fn group(&mut self, group: &'j tree::Group, checked: &'j Term) -> bool {
        let parts = group.parts.iter().zip(checked.sequences());
        let never = parts.map(|(written, checked)| self.sequence(written, checked)).filter(|never| *never).count();
        match checked {
            Term::Stage(..) => false,
            Term::Group(_) => never > 0,
            Term::Either(parts) => never == parts.len(),
            Term::All { parts, needed } => parts.len() - never < *needed as usize,
        }
    }

    /// What is known of a condition; reports it where it decides the whole of what it stands in.
    fn judge(&mut self, part: Part<'j>) -> Verdict {
        match self.shape(part) {
            Shape::Let(value) => self.judge(value),
            Shape::Not(inner) => self.negated(part, inner),
            Shape::All(parts) => self.joined(part, &parts, Verdict::Never),
            Shape::Any(parts) => self.joined(part, &parts, Verdict::Always),
            Shape::Leaf => self.leaf(part),
        }
    }

    fn negated(&mut self, part: Part<'j>, inner: Part<'j>) -> Verdict {
        match self.judge(inner) {
            Verdict::Open => Verdict::Open,
            Verdict::Never => Verdict::NeverFalse,
            Verdict::Always => Verdict::Never,
            Verdict::NeverFalse => {
                self.found.push(self.alone(Verdict::Never, part));
                Verdict::Never
            }
        }
    }

    /// Parts that are joined by `and`, where one that never holds decides, or by `or`, where one that always holds does.
    fn joined(&mut self, whole: Part<'j>, parts: &[Part<'j>], deciding: Verdict) -> Verdict {
        let verdicts: Vec<Verdict> = parts.iter().map(|part| self.judge(*part)).collect();
        if let Some(verdict) = decided(&verdicts, deciding) {
            return verdict;
        }
        let mut leaves = Vec::new();
        self.leaves(whole, deciding == Verdict::Never, None, &mut leaves);
        let claims: Vec<_> = leaves.iter().map(|leaf| self.claim(leaf)).collect();
        match conflict(&claims) {
            None => Verdict::Open,
            Some(conflict) if deciding == Verdict::Always && !conflict.is_denied => Verdict::NeverFalse,
            Some(conflict) => {
                let mut places: Vec<Place> = conflict.claims.iter().map(|index| leaves[*index].shown).collect();
                places.dedup_by_key(|place| (place.start, place.end));
                let claims: Vec<_> = conflict.claims.iter().filter_map(|index| claims[*index].as_ref()).collect();
                self.found.push(self.together(deciding, &places, &claims));
                deciding
            }
        }
    }

    /// What has to be true, or false, each, so that the whole is. What stands in a negation is shown with that.
    fn leaves(&self, part: Part<'j>, wanted: bool, shown: Option<Place>, leaves: &mut Vec<Leaf<'j>>) {
        match (self.shape(part), wanted) {
            (Shape::All(parts), true) | (Shape::Any(parts), false) => {
                parts.into_iter().for_each(|part| self.leaves(part, wanted, shown, leaves));
            }
            (Shape::Not(inner), _) => self.leaves(inner, !wanted, shown.or(Some(part.place)), leaves),
            // In a message it is called by its name.
            (Shape::Let(value), _) => self.leaves(value, wanted, shown.or(Some(part.place)), leaves),
            (Shape::All(_) | Shape::Any(_) | Shape::Leaf, _) => {
                leaves.push(Leaf { part, wanted, shown: shown.unwrap_or(part.place) });
            }
        }
    }

    fn claim(&self, leaf: &Leaf<'j>) -> Option<Claim<'j>> {
        Claim::of(leaf.part.checked, leaf.wanted).filter(|_| self.is_fixed(leaf.part))
    }

    fn leaf(&mut self, part: Part<'j>) -> Verdict {
        if let (Some(ExprKind::If(written, _, _)), Expr::If(checked, _, _)) =
            (part.written.map(|written| &written.kind), part.checked)
        {
            self.judge(Part { place: written.place, written: Some(written), checked });
            return Verdict::Open;
        }
        if !self.is_fixed(part) {
            return Verdict::Open;
        }
        let claimed = |wanted| conflict(&[Claim::of(part.checked, wanted)]);
        let verdict = match constant(part.checked) {
            Some(Value::Bool(true)) => Verdict::Always,
            Some(Value::Bool(false)) => Verdict::Never,
            // Something that was reported, or compared with null, which was.
            Some(_) => return Verdict::Open,
            None if claimed(true).is_some() => Verdict::Never,
            None => match claimed(false) {
                None => {
                    // NaN differs from itself.
                    if self.is_of_itself(part) {
                        self.found.push(self.alone(Verdict::Always, part));
                    }
                    return Verdict::Open;
                }
                Some(conflict) if conflict.is_denied => Verdict::Always,
                Some(_) => return Verdict::NeverFalse,
            },
        };
        // `where true` is how one says that any event will do.
        let is_said = matches!(part.written.map(|written| &written.kind), Some(ExprKind::Bool(true)));
        if !is_said {
            self.found.push(self.alone(verdict, part));
        }
        verdict
    }

    /// Whether it compares something with itself; `x != x` is a question for NaN.
    fn is_of_itself(&self, part: Part<'_>) -> bool {
        let is_of_itself = Claim::of(part.checked, true).is_some_and(|claim| claim.is_of_itself());
        is_of_itself && !matches!(part.checked, Expr::Binary(BinaryOperator::NotEqual, ..))
    }

    fn shape(&self, part: Part<'j>) -> Shape<'j> {
        let lets = &self.lowering.declared.lets;
        let is_stage = |name: &str| self.lowering.stages.find(name).is_some();
        match (part.written.map(|written| &written.kind), part.checked) {
            (Some(ExprKind::And(operands)), checked) => zipped(operands, checked, BinaryOperator::And, Shape::All),
            (Some(ExprKind::Or(operands)), checked) => zipped(operands, checked, BinaryOperator::Or, Shape::Any),
            (Some(ExprKind::Not(inner)), Expr::Unary(UnaryOperator::Not, checked)) => {
                Shape::Not(Part { place: inner.place, written: Some(inner), checked })
            }
            (Some(ExprKind::Name(name)), checked) if !is_stage(&name.text) && lets.contains_key(name.text.as_str()) => {
                let value = &lets[name.text.as_str()].value;
                Shape::Let(Part { place: value.place, written: Some(value), checked })
            }
            (None, Expr::Binary(BinaryOperator::And, left, right)) => Shape::All(both(part.place, left, right)),
            (None, Expr::Binary(BinaryOperator::Or, left, right)) => Shape::Any(both(part.place, left, right)),
            (None, Expr::Unary(UnaryOperator::Not, checked)) => Shape::Not(Part { checked, ..part }),
            // What a let with parameters has become was written in several places.
            (Some(ExprKind::Call(name, _)), Expr::Binary(..) | Expr::Unary(..))
                if self.is_free_let(part, &name.text) =>
            {
                self.shape(Part { written: None, ..part })
            }
            _ => Shape::Leaf,
        }
    }

    /// Whether a call is one of a let in which no parameter of the file has a say.
    fn is_free_let(&self, part: Part<'_>, name: &str) -> bool {
        self.lowering.declared.lets.contains_key(name) && self.is_fixed(part)
    }

    /// Whether no parameter has a say.
    fn is_fixed(&self, part: Part<'_>) -> bool {
        part.written.is_none_or(|written| self.names_no_parameter(written, &mut HashSet::new()))
    }

    fn names_no_parameter<'n>(&self, written: &'n tree::Expr, seen: &mut HashSet<&'n str>) -> bool
    where
        'j: 'n,
    {
        let declared = self.lowering.declared;
        let mut names = Vec::new();
        written.names(&mut |name| names.push(name.text.as_str()));
        names.into_iter().filter(|name| seen.insert(name)).collect::<Vec<_>>().into_iter().all(|name| {
            let inside = declared.lets.get(name).map(|let_| &let_.value);
            !declared.parameters.contains_key(name) && inside.is_none_or(|inside| self.names_no_parameter(inside, seen))
        })
    }

    /// What cannot be together, or cannot all fail.
    fn together(&self, verdict: Verdict, places: &[Place], claims: &[&Claim<'_>]) -> Diagnostic {
        let (last, first) = places.split_last().expect("a conflict is of at least one claim");
        let subject = claims.first().and_then(|claim| claim.subject()).and_then(|subject| self.named(subject));
        let every =
            subject.map_or("always holds".to_owned(), |subject| format!("holds for every `{subject}` that there is"));
        let all = self.quoted(places);
        let (code, message) = match (verdict, first) {
            (Verdict::Never, []) => (&code::NEVER_HOLDS, format!("{all} never holds")),
            (Verdict::Never, _) => (&code::NEVER_HOLDS, format!("{all} never hold together")),
            (_, []) => (&code::ALWAYS_HOLDS, format!("{all} {every}")),
            (_, _) => (&code::ALWAYS_HOLDS, format!("one of {all} {every}")),
        };
        let (here, there) = match (verdict, first) {
            (_, []) => ("", ""),
            (Verdict::Never, [_]) => ("this does not hold", "where this does"),
            (Verdict::Never, _) => ("this does not hold", "together with this"),
            (_, [_]) => ("this does hold", "where this does not"),
            (_, _) => ("one of them holds", "one of them holds"),
        };
        let diagnostic = Diagnostic::warning(code, *last, message).label(here);
        let diagnostic =
            first.iter().take(LABELS_MAX).fold(diagnostic, |diagnostic, place| diagnostic.also(*place, there));
        match first {
            [] => diagnostic.help("its parts exclude each other"),
            _ => diagnostic.help(self.help(verdict, claims)),
        }
    }

    fn help(&self, verdict: Verdict, claims: &[&Claim<'_>]) -> String {
        let subject = claims.first().and_then(|claim| claim.subject());
        let subject = subject.and_then(|subject| self.named(subject));
        let equals: Option<Vec<String>> = claims.iter().map(|claim| claim.equal_to().map(Value::to_string)).collect();
        let kinds: Vec<Type> = claims.iter().filter_map(|claim| claim.constant()).map(Value::type_of).collect();
        if let [first, second] = kinds.as_slice()
            && binary_type(BinaryOperator::Equal, first, second).is_none()
        {
            return format!("no value is both {first} and {second}");
        }
        match (verdict, subject, equals) {
            (Verdict::Never, Some(subject), Some(equals)) => {
                format!("for one or the other, write `{subject} in [{}]`", equals.join(", "))
            }
            (Verdict::Never, _, _) => "for one or the other, write `or`".to_owned(),
            (_, Some(subject), Some(equals)) => {
                let all = if equals.len() == 2 { "both" } else { "all" };
                format!("to exclude {all}, write `not ({subject} in [{}])`", equals.join(", "))
            }
            (_, Some(subject), _) => {
                format!("for both, write `and`; to ask whether there is a value, `{subject} is not null`")
            }
            (_, None, _) => "for both, write `and`".to_owned(),
        }
    }

    /// One condition that never holds, or always, whatever else is asked.
    fn alone(&self, verdict: Verdict, part: Part<'_>) -> Diagnostic {
        let shown = self.quoted(&[part.place]);
        let is_of_itself = Claim::of(part.checked, true).is_some_and(|claim| claim.is_of_itself());
        let (code, holds) = match verdict {
            Verdict::Never => (&code::NEVER_HOLDS, "never holds"),
            _ => (&code::ALWAYS_HOLDS, "always holds"),
        };
        if is_of_itself {
            let diagnostic = Diagnostic::warning(code, part.place, format!("{shown} compares a value with itself"));
            return diagnostic.help(self.other_than_itself(part));
        }
        let help = match (part.written.map(|written| &written.kind), part.checked) {
            (Some(ExprKind::Between(value, low, high)), _) => {
                let [value, low, high] = [value, low, high].map(|expr| self.lowering.written(expr));
                format!("the lower bound stands first: `{value} between {high} and {low}`")
            }
            (_, Expr::In(_, list)) if **list == Expr::Constant(Value::List([].into())) => {
                "the list is empty".to_owned()
            }
            (Some(ExprKind::Not(_)), _) => {
                "what is compared with null is null: leave the null out, and ask for it with `is null`".to_owned()
            }
            (Some(ExprKind::Bool(_)), _) => "write when it holds, or leave the stage out".to_owned(),
            _ => "it does not depend on the event".to_owned(),
        };
        Diagnostic::warning(code, part.place, format!("{shown} {holds}")).help(help)
    }

    /// What may have been meant where a value is compared with itself.
    fn other_than_itself(&self, part: Part<'_>) -> String {
        let ExprKind::Binary(_, _, right) = (match part.written {
            Some(written) => &written.kind,
            None => &ExprKind::Null,
        }) else {
            return "compare it with something else".to_owned();
        };
        let earlier =
            self.at.and_then(|at| self.lowering.stages.list[..usize::from(at.0)].iter().rfind(|stage| !stage.negated));
        match (&right.kind, earlier) {
            (ExprKind::Name(field), Some(stage)) => {
                format!("for that of an earlier event, write `{}.{}`", stage.name.text, field.text)
            }
            (ExprKind::Name(field), None) => {
                let key =
                    format!("a key keeps events of one `{0}` together: `pattern NAME key {0} begin ..`", field.text);
                format!("{key}; to ask whether there is one, write `{} is not null`", field.text)
            }
            _ => "compare it with something else".to_owned(),
        }
    }

    /// "`a` and `b`"
    fn quoted(&self, places: &[Place]) -> String {
        let source = &self.lowering.world.sources[self.lowering.declared.source];
        let texts: Vec<&str> = places.iter().map(|place| without_parentheses(source.at(*place))).collect();
        let is_short = |text: &&str| text.len() <= QUOTED_MAX && !text.contains('\n');
        match texts.as_slice() {
            [text] if is_short(text) => format!("`{text}`"),
            [_] => "this condition".to_owned(),
            [first, second] if is_short(first) && is_short(second) => format!("`{first}` and `{second}`"),
            [_, _] => "these two conditions".to_owned(),
            _ => "these conditions".to_owned(),
        }
    }

    /// A field by its name.
    fn named(&self, subject: &Expr) -> Option<String> {
        match subject {
            Expr::Field(field) => Some(self.lowering.world.streams.field(*field).name.clone()),
            _ => None,
        }
    }
}

/// Says what comes of a condition that never holds.
fn consequence(diagnostic: &mut Diagnostic, stage: &tree::Name, checked: &Step, behind: Option<&tree::Step>) {
    let said = if checked.is_negated() { "so this rules nothing out" } else { "so this is never taken" };
    let mut with = diagnostic.clone().also(stage.place, said);
    if let Some(behind) = behind.filter(|_| !checked.can_be_empty())
        && let tree::Term::Stage(stage) = &behind.term
    {
        with = with.also(stage.name.place, "and this is never reached");
    }
    *diagnostic = with;
}

/// `(x in [])` without the parentheses around the whole.
fn without_parentheses(text: &str) -> &str {
    let inside = text.strip_prefix('(').and_then(|text| text.strip_suffix(')'));
    inside.filter(|inside| !inside.contains(['(', ')'])).unwrap_or(text)
}

/// What the parts of a chain say of the whole: one that decides, or all.
fn decided(verdicts: &[Verdict], deciding: Verdict) -> Option<Verdict> {
    let has = |verdict| verdicts.contains(&verdict);
    match deciding {
        _ if has(deciding) => Some(deciding),
        Verdict::Never if has(Verdict::Open) => None,
        Verdict::Never if has(Verdict::NeverFalse) => Some(Verdict::NeverFalse),
        Verdict::Never => Some(Verdict::Always),
        _ if has(Verdict::NeverFalse) => Some(Verdict::NeverFalse),
        _ if has(Verdict::Open) => None,
        _ => Some(Verdict::Never),
    }
}

/// The condition as it was written: not what the checker asks beside it.
fn without_guards(condition: &Expr) -> &Expr {
    match condition {
        Expr::Binary(BinaryOperator::And, guard, condition)
            if matches!(**guard, Expr::OfStream(_) | Expr::KeyedBy(_)) =>
        {
            without_guards(condition)
        }
        condition => condition,
    }
}

/// The operands of a chain beside what they were checked as, which is a tree as flat as can be.
fn zipped<'e>(
    written: &'e [tree::Expr],
    checked: &'e Expr,
    operator: BinaryOperator,
    shape: fn(Vec<Part<'e>>) -> Shape<'e>,
) -> Shape<'e> {
    let mut parts = Vec::with_capacity(written.len());
    if zip(written, checked, operator, &mut parts) { shape(parts) } else { Shape::Leaf }
}

/// False where they do not fit: something in the chain was reported.
fn zip<'e>(written: &'e [tree::Expr], checked: &'e Expr, operator: BinaryOperator, parts: &mut Vec<Part<'e>>) -> bool {
    match (written, checked) {
        ([one], checked) => {
            parts.push(Part { place: one.place, written: Some(one), checked });
            true
        }
        (several, Expr::Binary(joined, left, right)) if *joined == operator => {
            let (first, second) = several.split_at(several.len() / 2);
            zip(first, left, operator, parts) && zip(second, right, operator, parts)
        }
        _ => false,
    }
}

fn both<'e>(place: Place, left: &'e Expr, right: &'e Expr) -> Vec<Part<'e>> {
    [left, right].map(|checked| Part { place, written: None, checked }).into()
}

/// The value of what asks nothing of an event.
fn constant(expr: &Expr) -> Option<Value<'_>> {
    let mut is_constant = true;
    expr.walk(&mut |inner| {
        is_constant &= !matches!(
            inner,
            Expr::Field(_)
                | Expr::Time
                | Expr::Key(_)
                | Expr::Lookback(_)
                | Expr::OfStream(_)
                | Expr::KeyedBy(_)
                | Expr::Lookup(..)
                | Expr::Awaiting
                | Expr::Deadline
                | Expr::Call(Callee::Host(_), _)
        );
    });
    is_constant.then(|| eval(expr, &Nothing))
}

/// The scope of what asks nothing.
pub(crate) struct Nothing;

impl Scope for Nothing {
    fn field(&self, _: FieldId) -> Value<'_> {
        Value::Null
    }

    fn time(&self) -> Timestamp {
        Timestamp::MIN
    }

    fn key(&self, _: u16) -> Value<'_> {
        Value::Null
    }

    fn lookback(&self, _: LookbackId) -> Value<'_> {
        Value::Null
    }

    fn fault(&self, _: Fault) {}
}
