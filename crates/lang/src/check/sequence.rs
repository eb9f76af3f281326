//! Sequences: relations, quantifiers and groups in the matcher's words, and what has no shape.

use ensue_model::expr::Expr;
use ensue_model::pattern::{Contiguity, Quantifier, Relation, Sequence, StageId, Step, Term};
use ensue_model::schema::{FieldId, Stream, StreamId};
use ensue_model::{Span, Value, expr::BinaryOperator};

use super::expression::{Lowering, Place as At};
use super::parts::{PartKind, Parts};
use super::pattern::duration;
use super::step_window::Windowed;
use super::world::World;
use super::{holds, names};
use crate::code;
use crate::diagnostic::{Diagnostic, Severity};
use crate::literal;
use crate::print::modifier_word;
use crate::tree::{
    self, EndingKind, Group, GroupKind, Modifier, ModifierKind, Name, Number, Pattern, Place, QuantifierKind,
};

/// The sequence of a pattern whose window is known, with the way of key by which each stage's events come.
pub(super) fn check(
    lowering: &mut Lowering<'_, '_>,
    pattern: &Pattern,
    within: Option<Span>,
    stage_ways: &[u8],
) -> Sequence {
    let known = lowering.world.found.len();
    let has_window = within.is_some() || pattern.endings.iter().any(|ending| is_window(lowering, &ending.kind));
    let mut checker = Sequences { lowering, stage_ways, next_stage: 0, has_window, loops: 0 };
    let sequence = checker.sequence(&pattern.sequence, true);
    // What was reported is not known, and not to be reasoned about.
    if !lowering.world.found[known..].iter().any(|found| found.severity == Severity::Error) {
        holds::check(lowering, &pattern.sequence, &sequence);
    }
    sequence
}

/// Whether it ends the wait for what is not to come. A window that could not be read was reported, and may well be one.
fn is_window(lowering: &Lowering<'_, '_>, ending: &EndingKind) -> bool {
    match ending {
        EndingKind::WithinEvents(_) => true,
        EndingKind::Within(span) => !matches!(duration(lowering.declared, span), Ok(Some(Span::ZERO))),
        EndingKind::Skip(_) | EndingKind::Keep(_) | EndingKind::Cooldown(_) => false,
        EndingKind::Emit(_) | EndingKind::Timeout(_) => false,
    }
}

struct Sequences<'l, 'w, 'a> {
    lowering: &'l mut Lowering<'w, 'a>,
    /// The way of key by which each stage's events come; none where all come by all.
    stage_ways: &'l [u8],
    /// Stages are met in the order of the text, which is that of their ids.
    next_stage: u16,
    /// Whether the pattern as a whole has a window.
    has_window: bool,
    /// How many loops are around.
    loops: u32,
}

impl Sequences<'_, '_, '_> {
    /// A sequence; behind it the pattern ends or goes on.
    fn sequence(&mut self, sequence: &tree::Sequence, is_last: bool) -> Sequence {
        let last = sequence.steps.len() - 1;
        let steps = sequence.steps.iter().enumerate();
        Sequence { steps: steps.map(|(index, step)| self.step(step, is_last && index == last)).collect() }
    }

    fn step(&mut self, step: &tree::Step, is_last: bool) -> Step {
        let first = self.next_stage;
        let quantifier = self.quantifier(step);
        self.loops += u32::from(is_loop(&quantifier));
        let term = match &step.term {
            tree::Term::Stage(stage) => self.stage(step, &stage.name),
            tree::Term::Group(group) => self.group(step, group, is_last),
        };
        self.loops -= u32::from(is_loop(&quantifier));
        let last = StageId(self.next_stage.saturating_sub(1));
        let until = step.until.as_ref().map(|until| self.until(step, until, last));
        self.check_until(step, &quantifier);
        self.check_negated(step);
        if is_last && step.relation == Relation::NotFollowedBy {
            self.check_absence(step);
        }
        let within = Windowed { step, stages: first..self.next_stage, is_last }.check(self.lowering);
        Step { relation: step.relation, term, quantifier, until, within }
    }

    fn stage(&mut self, step: &tree::Step, name: &Name) -> Term {
        let id = StageId(self.next_stage);
        self.next_stage += 1;
        let stream = self.lowering.stages.get(id).stream;
        let condition = match &step.condition {
            Some(condition) => self.lowering.condition(condition, At::Stage(id), stream),
            None => {
                self.check_type(name, stream);
                self.is_of_type(name, stream)
            }
        };
        Term::Stage(id, self.for_stage(id, condition))
    }

    /// What ends a loop: of a stage's, an event that the stage might take; of a group's, any.
    fn until(&mut self, step: &tree::Step, until: &tree::Expr, last: StageId) -> Expr {
        match &step.term {
            tree::Term::Stage(_) => {
                let stream = self.lowering.stages.get(last).stream;
                let until = self.lowering.condition(until, At::Stage(last), stream);
                self.for_stage(last, until)
            }
            tree::Term::Group(_) => self.lowering.condition(until, At::Stage(last), None),
        }
    }

    /// The condition, for events of the stage's stream that have come by the stage's way of key. Of a pattern that reads one
    /// stream, all events are of that.
    fn for_stage(&self, stage: StageId, condition: Expr) -> Expr {
        let stream = self.lowering.stages.get(stage).stream.filter(|_| self.lowering.read.len() > 1);
        let of_stream = stream.map(Expr::OfStream);
        let keyed_by = self.stage_ways.get(usize::from(stage.0)).map(|way| Expr::KeyedBy(*way));
        let condition = of_stream.into_iter().fold(condition, |condition, guard| and(guard, condition));
        keyed_by.into_iter().fold(condition, |condition, guard| and(guard, condition))
    }

    /// Where the types of all events are known that a bare stage can take, its name is one of them.
    fn check_type(&mut self, name: &Name, stream: Option<StreamId>) {
        let World { streams: known, options, .. } = &mut *self.lowering.world;
        let streams = stream.as_ref().map_or(self.lowering.read, std::slice::from_ref);
        let callers = options.type_field.as_deref();
        let typed: Vec<StreamId> =
            streams.iter().copied().filter(|stream| known.type_field(*stream, callers).is_some()).collect();
        let types_of = |stream: &StreamId| {
            let called = &known.get(*stream).name;
            options.types.iter().find(|types| types.stream == *called).map(|types| &types.values)
        };
        let Some(types) = typed.iter().map(types_of).collect::<Option<Vec<_>>>() else { return };
        // Without an event nothing is known.
        if types.iter().any(|types| types.is_empty() || types.contains(&name.text)) || types.is_empty() {
            return;
        }
        let diagnostic = of_no_event(name, types.into_iter().flatten().map(String::as_str));
        self.lowering.report(diagnostic);
    }

    /// A bare stage stands for events whose type is its name: of the stream that it names, or of all that the pattern reads.
    fn is_of_type(&mut self, name: &Name, stream: Option<StreamId>) -> Expr {
        let read = self.lowering.read;
        let streams = stream.as_ref().map_or(read, std::slice::from_ref);
        let World { streams: known, options, .. } = &mut *self.lowering.world;
        let type_fields: Vec<(StreamId, FieldId)> = streams
            .iter()
            .filter_map(|stream| Some((*stream, known.type_field(*stream, options.type_field.as_deref())?)))
            .collect();
        let is_named = |field: FieldId| {
            let name = Expr::Constant(Value::from(name.text.clone()));
            Expr::Binary(BinaryOperator::Equal, Box::new(Expr::Field(field)), Box::new(name))
        };
        let Some(((_, field), others)) = type_fields.split_first() else {
            if !streams.iter().any(|stream| known.is_unknown(*stream)) {
                let diagnostic = no_type_field(name, stream, self.lowering.world, streams);
                self.lowering.report(diagnostic);
            }
            return Expr::truth();
        };
        // In a stream that has the field and does not mark it, it says something else.
        let field_name = &known.field(*field).name;
        let has_other = |stream: &StreamId| {
            known.find(*stream, field_name) == Some(*field) && !type_fields.contains(&(*stream, *field))
        };
        if others.iter().all(|(_, other)| other == field) && !streams.iter().any(has_other) {
            return is_named(*field);
        }
        let each = type_fields.iter().map(|(stream, field)| and(Expr::OfStream(*stream), is_named(*field)));
        let either = |a, b| Expr::Binary(BinaryOperator::Or, Box::new(a), Box::new(b));
        each.reduce(either).expect("there is a type field")
    }

    fn group(&mut self, step: &tree::Step, group: &Group, is_last: bool) -> Term {
        if let Some(condition) = &step.condition {
            let message = "a group has no `where`";
            let diagnostic = Diagnostic::error(&code::GROUP_CONDITION, condition.place, message);
            self.lowering.report(diagnostic.help("write it at the stages inside; `until` can end a group's loop"));
        }
        let needed = self.any_of(group);
        // No part of several in any order is the last.
        let is_last = is_last && group.kind != GroupKind::AnyOrder;
        let mut parts: Vec<Sequence> = group.parts.iter().map(|part| self.sequence(part, is_last)).collect();
        self.check_parts(group, &parts, is_last);
        match group.kind {
            GroupKind::Sequence => Term::Group(parts.swap_remove(0)),
            GroupKind::Alternatives => Term::Either(parts),
            GroupKind::AnyOrder => Term::All { needed: needed.unwrap_or(parts.len() as u32), parts },
        }
    }

    fn check_parts(&mut self, group: &Group, checked: &[Sequence], is_last: bool) {
        let kind = match group.kind {
            GroupKind::Sequence => return,
            GroupKind::Alternatives => PartKind::Branch { is_last: is_last && self.loops == 0 },
            GroupKind::AnyOrder => PartKind::SideBySide,
        };
        let parts = Parts { written: &group.parts, checked, kind };
        parts.diagnostics().into_iter().for_each(|diagnostic| self.lowering.report(diagnostic));
    }

    /// How many of its parts a group needs; none if it does not say, or says what cannot be, which has been reported.
    fn any_of(&mut self, group: &Group) -> Option<u32> {
        let number = group.any_of.as_ref()?;
        let parts = group.parts.len();
        let diagnostic = match (group.kind, literal::int(&number.text)) {
            (GroupKind::AnyOrder, Some(count)) if (1..=parts as i64).contains(&count) => return Some(count as u32),
            (GroupKind::AnyOrder, Some(0)) => {
                let help = "a group takes at least one of its parts; where it may be left out, write `?` behind it";
                Diagnostic::error(&code::ANY_OF, number.place, "any 0 of them is nothing").help(help)
            }
            (GroupKind::AnyOrder, _) => {
                let message = format!("any {} of {parts} parts cannot be", number.text);
                let help = format!("write `any 1 of` up to `any {parts} of`; without it, all {parts} are needed");
                Diagnostic::error(&code::ANY_OF, number.place, message).help(help)
            }
            (GroupKind::Alternatives, _) => {
                let message = "`any n of` speaks of parts that are joined by `&`, and these are joined by `|`";
                let help = "with `|`, one of them is taken; write `any 2 of (a & b & c)` for more";
                Diagnostic::error(&code::ANY_OF, group.place, message).help(help)
            }
            (GroupKind::Sequence, _) => {
                let message = "`any n of` speaks of parts that are joined by `&`, and this is one sequence";
                Diagnostic::error(&code::ANY_OF, group.place, message).help("write `any 2 of (a & b & c)`")
            }
        };
        self.lowering.report(diagnostic);
        None
    }

    /// A `notFollowedBy` at the end waits for the end of a window: its own, or the pattern's.
    fn check_absence(&mut self, step: &tree::Step) {
        if self.has_window || step.within.is_some() {
            return;
        }
        let message = "that nothing follows is known only when a window ends, and there is none";
        let diagnostic = Diagnostic::error(&code::NO_WINDOW, step.relation_place, message);
        self.lowering.report(diagnostic.help("write `within 15m`, or how long to wait, behind the sequence"));
    }

    fn quantifier(&mut self, step: &tree::Step) -> Quantifier {
        let mut quantifier = match &step.quantifier {
            Some(written) => self.bounds(&written.kind),
            None => Quantifier::ONE,
        };
        self.check_modifiers(step, &quantifier);
        for modifier in &step.modifiers {
            match modifier.kind {
                ModifierKind::Optional => quantifier.optional = true,
                ModifierKind::Greedy => quantifier.greedy = true,
                ModifierKind::Consecutive => quantifier.inner = Contiguity::Strict,
                ModifierKind::Combinations => quantifier.inner = Contiguity::Any,
            }
        }
        quantifier
    }

    fn bounds(&mut self, kind: &QuantifierKind) -> Quantifier {
        let (min, max) = match kind {
            QuantifierKind::Optional => return Quantifier { optional: true, ..Quantifier::ONE },
            QuantifierKind::OneOrMore => return Quantifier { max: None, ..Quantifier::ONE },
            QuantifierKind::Any => return Quantifier { max: None, optional: true, ..Quantifier::ONE },
            QuantifierKind::Times(count) => (self.count(count), Some((count, self.count(count)))),
            QuantifierKind::AtLeast(min) => (self.count(min), None),
            QuantifierKind::Between(min, max) => (self.count(min), Some((max, self.count(max)))),
        };
        if let Some((written, max)) = max {
            self.check_bounds(written, min, max);
        }
        Quantifier { min: min.max(1), max: max.map(|(_, max)| max.max(1)), optional: min == 0, ..Quantifier::ONE }
    }

    fn count(&mut self, number: &Number) -> u32 {
        match literal::int(&number.text).and_then(|count| u32::try_from(count).ok()) {
            Some(count) => count,
            None => {
                let message = format!("`{}` is not a number of events: it is 0 to {}", number.text, u32::MAX);
                self.lowering.report(Diagnostic::error(&code::BOUNDS, number.place, message));
                1
            }
        }
    }

    fn check_bounds(&mut self, written: &Number, min: u32, max: u32) {
        let diagnostic = match max {
            0 => Diagnostic::error(&code::BOUNDS, written.place, "at most 0 times is never")
                .help("leave the stage out; that it does not come is said with `notFollowedBy`"),
            max if max < min => {
                let message = format!("at least {min} times and at most {max} times cannot be");
                Diagnostic::error(&code::BOUNDS, written.place, message).help(format!("write `{{{max},{min}}}`"))
            }
            _ => return,
        };
        self.lowering.report(diagnostic);
    }

    fn check_modifiers(&mut self, step: &tree::Step, quantifier: &Quantifier) {
        for (index, modifier) in step.modifiers.iter().enumerate() {
            let before = &step.modifiers[..index];
            if let Some(other) = before.iter().find(|other| excludes(other.kind, modifier.kind)) {
                self.modifiers_exclude(modifier, other);
            } else if needs_loop(modifier.kind, step, quantifier) {
                let message = format!("`{}` speaks of a loop, and this is none", modifier_word(modifier.kind));
                let diagnostic = Diagnostic::error(&code::NO_LOOP, modifier.place, message);
                self.lowering.report(diagnostic.help(loops(step)));
            }
        }
    }

    fn modifiers_exclude(&mut self, modifier: &Modifier, other: &Modifier) {
        let (word, first) = (modifier_word(modifier.kind), modifier_word(other.kind));
        let message = match word == first {
            true => format!("`{word}` is said twice"),
            false => format!("`{word}` and `{first}` exclude each other"),
        };
        let diagnostic = Diagnostic::error(&code::MODIFIERS, modifier.place, message).also(other.place, "said here");
        self.lowering.report(diagnostic.help("leave one of them out"));
    }

    fn check_until(&mut self, step: &tree::Step, quantifier: &Quantifier) {
        let Some(until) = step.until.as_ref().filter(|_| !is_loop(quantifier)) else { return };
        let diagnostic = Diagnostic::error(&code::NO_LOOP, until.place, "`until` ends a loop, and this is none");
        self.lowering.report(diagnostic.help(loops(step)));
    }

    fn check_negated(&mut self, step: &tree::Step) {
        if !matches!(step.relation, Relation::NotNext | Relation::NotFollowedBy) {
            return;
        }
        let wrong: [(Option<Place>, &str); 3] = [
            (group_place(step), "group"),
            (step.quantifier.as_ref().map(|quantifier| quantifier.place), "quantifier"),
            (step.modifiers.first().map(|modifier| modifier.place), "modifier"),
        ];
        for (place, what) in wrong {
            let Some(place) = place else { continue };
            let (message, help) = match what {
                "group" => (
                    "only a stage can be negated, not a group".to_owned(),
                    "write a negation for each stage that must not come",
                ),
                what => (
                    format!("a negated stage has no {what}: it takes nothing"),
                    "leave it out: one event that fits is enough to end the run",
                ),
            };
            let diagnostic = Diagnostic::error(&code::NEGATED_SHAPE, place, message);
            self.lowering.report(diagnostic.also(step.relation_place, "negated here").help(help));
        }
    }
}

fn of_no_event<'t>(name: &Name, types: impl Iterator<Item = &'t str> + Clone) -> Diagnostic {
    let help = names::meant(&name.text, types.clone());
    let help = help.unwrap_or_else(|| names::listed("the types of the events are", types));
    let message = format!("none of the events given has the type `{}`", name.text);
    let diagnostic = Diagnostic::warning(&code::UNKNOWN_TYPE, name.place, message);
    diagnostic.label("a stage without `where` stands for events of this type").help(help)
}

fn no_type_field(name: &Name, named: Option<StreamId>, world: &World<'_>, streams: &[StreamId]) -> Diagnostic {
    let stage = &name.text;
    let lacks = match &world.options.type_field {
        Some(field) => format!("field `{field}`"),
        None => "type field".to_owned(),
    };
    let (lacking, mark) = match streams {
        [stream] => match &world.streams.get(*stream) {
            Stream { name: Some(stream), is_emitted: true, .. } => (
                format!("`{stream}` is a record, which has no type field"),
                format!("compare one of its fields, as in `where x == \"{stage}\"`"),
            ),
            Stream { name: Some(stream), .. } => {
                (format!("stream `{stream}` has no {lacks}"), "mark the type field with @type".to_owned())
            }
            Stream { name: None, .. } if world.streams.is_closed(*stream) => {
                (format!("the events have no {lacks}"), "name the field that holds their type".to_owned())
            }
            Stream { name: None, .. } => (
                "no type field is known".to_owned(),
                "declare a stream with a field that is marked with @type".to_owned(),
            ),
        },
        streams => (
            format!("none of the streams {} has a {lacks}", world.listed(streams)),
            "mark the type fields with @type".to_owned(),
        ),
    };
    let message = format!("stage `{stage}` has no `where`, and {lacking}");
    let of_stream =
        named.and_then(|stream| world.streams.get(stream).name.as_ref()).map(|stream| format!(": {stream}"));
    let of_stream = of_stream.unwrap_or_default();
    Diagnostic::error(&code::NO_TYPE_FIELD, name.place, message)
        .label(format!("nothing to compare with \"{stage}\""))
        .help(format!("write `{stage}{of_stream} where true` to take any event, or {mark}"))
}

fn and(left: Expr, right: Expr) -> Expr {
    match right == Expr::truth() {
        true => left,
        false => Expr::Binary(BinaryOperator::And, Box::new(left), Box::new(right)),
    }
}

fn loops(step: &tree::Step) -> String {
    let term = match &step.term {
        tree::Term::Stage(stage) => stage.name.text.as_str(),
        tree::Term::Group(_) => "( .. )",
    };
    format!("a loop is written `{term}+`, `{term}*`, `{term}{{2}}`, `{term}{{2,}}` or `{term}{{2,4}}`")
}

fn is_loop(quantifier: &Quantifier) -> bool {
    quantifier.max != Some(1)
}

fn is_any_order(step: &tree::Step) -> bool {
    match &step.term {
        tree::Term::Stage(_) => false,
        tree::Term::Group(group) => group.kind == GroupKind::AnyOrder,
    }
}

fn excludes(first: ModifierKind, second: ModifierKind) -> bool {
    let contiguity = |kind| matches!(kind, ModifierKind::Consecutive | ModifierKind::Combinations);
    first == second || (contiguity(first) && contiguity(second))
}

/// Whether a modifier stands where there is no loop for it. `greedy` has a meaning for what is optional, too; and what may lie
/// between rounds, between the parts of a group in any order.
fn needs_loop(kind: ModifierKind, step: &tree::Step, quantifier: &Quantifier) -> bool {
    let optional = quantifier.optional || step.modifiers.iter().any(|modifier| modifier.kind == ModifierKind::Optional);
    match kind {
        ModifierKind::Optional => false,
        ModifierKind::Greedy => !is_loop(quantifier) && !optional,
        ModifierKind::Consecutive | ModifierKind::Combinations => !is_loop(quantifier) && !is_any_order(step),
    }
}

fn group_place(step: &tree::Step) -> Option<Place> {
    match &step.term {
        tree::Term::Group(group) => Some(group.place),
        tree::Term::Stage(_) => None,
    }
}
