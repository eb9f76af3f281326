//! `emit` and `timeout`: the records that outputs come out as, and the streams that they are for other patterns.

use std::collections::{HashMap, HashSet};

use ensue_model::Type;
use ensue_model::expr::{Aggregate, Ask, BinaryOperator, Expr, Lookback, Pick, UnaryOperator};
use ensue_model::pattern::{Sequence, StageId, Step, Term};
use ensue_model::record::{self, Emission, Record};
use ensue_model::schema::{Field, StreamId};

use super::expression::{Kind, Lowering, Place as At, Typed};
use super::names;
use super::world::World;
use crate::code;
use crate::diagnostic::Diagnostic;
use crate::tree::{self, EndingKind, Entry, Name, Pattern, Place};

/// A record that patterns emit, as the first of them in the order of checking does.
pub(super) struct Emitted {
    source: usize,
    place: Place,
    entries: Vec<(String, Type)>,
}

/// What the matches, and what the timeouts of a pattern come out as.
pub(super) fn check(lowering: &mut Lowering<'_, '_>, pattern: &Pattern, sequence: &Sequence) -> (Emission, Emission) {
    let mut checked = (Emission::Events, Emission::Events);
    for ending in &pattern.endings {
        match &ending.kind {
            EndingKind::Emit(emission) => {
                checked.0 = self::emission(lowering, emission, At::Emit, ending.place, &held(&sequence.steps));
            }
            EndingKind::Timeout(emission) => {
                checked.1 = self::emission(lowering, emission, At::Timeout, ending.place, &held_first(sequence));
            }
            EndingKind::Within(_) | EndingKind::WithinEvents(_) => {}
            EndingKind::Skip(_) | EndingKind::Keep(_) | EndingKind::Cooldown(_) => {}
        }
    }
    checked
}

fn emission(
    lowering: &mut Lowering<'_, '_>,
    emission: &tree::Emission,
    at: At,
    place: Place,
    held: &HashSet<StageId>,
) -> Emission {
    match emission {
        tree::Emission::None => Emission::Nothing,
        tree::Emission::Record(record, condition) => {
            Emission::Record(self::record(lowering, record, condition.as_ref(), at, place, held))
        }
    }
}

/// A record, and if it has a name, its stream. The stages of `held` hold an event whenever it comes out.
fn record(
    lowering: &mut Lowering<'_, '_>,
    record: &tree::Record,
    condition: Option<&tree::Expr>,
    at: At,
    place: Place,
    held: &HashSet<StageId>,
) -> Record {
    if record.entries.is_empty() {
        let diagnostic = Diagnostic::error(&code::EMPTY_RECORD, place, "this record has no entry");
        let help = "write what it says, as in `{ id: a.id }`; without a record, the events come out";
        lowering.report(diagnostic.help(help));
    }
    let patterns = lowering.swap_lookbacks(Vec::new());
    let values: Vec<Typed> = record.entries.iter().map(|entry| lowering.value(&entry.value, at, None)).collect();
    let condition = condition.map(|condition| lowering.condition(condition, at, None));
    let fields = fields(lowering, record, &values, held);
    let lookbacks = lowering.swap_lookbacks(patterns);
    let source = lowering.declared.source;
    let stream =
        record.name.as_ref().and_then(|name| fields.and_then(|fields| lowering.world.emit(source, name, fields)));
    let streams = &lowering.world.streams;
    let entries = record.entries.iter().zip(values).map(|(Entry { name, .. }, typed)| record::Entry {
        name: name.text.clone(),
        kind: typed.type_or_any(),
        value: typed.expr,
        field: stream.and_then(|stream| streams.find(stream, &name.text)),
    });
    let name = record.name.as_ref().map(|name| name.text.clone());
    Record { name, stream, entries: entries.collect(), condition, lookbacks }
}

/// The fields of a record's stream; none where something in it is wrong, which has been reported.
fn fields(
    lowering: &mut Lowering<'_, '_>,
    record: &tree::Record,
    values: &[Typed],
    held: &HashSet<StageId>,
) -> Option<Vec<Field>> {
    let mut given: HashMap<&str, &Name> = HashMap::new();
    let mut is_known = !record.entries.is_empty();
    for entry in &record.entries {
        if let Some(first) = given.insert(&entry.name.text, &entry.name) {
            lowering.report(names::twice("entry", &entry.name, first.place));
            is_known = false;
        }
    }
    is_known &= values.iter().all(|value| value.kind != Kind::Unknown);
    let nulls = Nulls { lowering, held };
    let fields = record.entries.iter().zip(values).map(|(entry, value)| Field {
        name: entry.name.text.clone(),
        kind: value.type_or_any(),
        nullable: nulls.may_be(&value.expr),
    });
    is_known.then(|| fields.collect())
}

impl World<'_> {
    /// A record of a name. Gives its stream, where a pattern reads it.
    fn emit(&mut self, source: usize, name: &Name, fields: Vec<Field>) -> Option<StreamId> {
        let entries = fields.iter().map(|field| (field.name.clone(), field.kind.clone())).collect();
        let emitted = Emitted { source, place: name.place, entries };
        match self.emitted.get(&name.text) {
            Some(first) => {
                if let Some(difference) = difference(&emitted.entries, &first.entries) {
                    let diagnostic = self.differs(&emitted, name, first, &difference);
                    self.report(source, diagnostic);
                    return None;
                }
            }
            None => {
                self.emitted.insert(name.text.clone(), emitted);
            }
        }
        let stream = self.streams.named(&name.text).filter(|stream| self.streams.get(*stream).is_emitted)?;
        self.streams.define(stream, fields.into_iter());
        Some(stream)
    }

    fn differs(&self, emitted: &Emitted, name: &Name, first: &Emitted, difference: &str) -> Diagnostic {
        let message = format!("the records `{}` differ: {difference}", name.text);
        let diagnostic = Diagnostic::error(&code::UNLIKE_RECORDS, emitted.place, message);
        let help = "records of one name are one stream, so their entries have the same names and types";
        match first.source == emitted.source {
            true => diagnostic.also(first.place, "given here").help(help),
            false => diagnostic.help(format!("{help}; the other one is in {}", self.sources[first.source].name)),
        }
    }
}

/// How the entries of a record differ from those of an earlier one.
fn difference(entries: &[(String, Type)], first: &[(String, Type)]) -> Option<String> {
    let mut here: HashMap<&str, &Type> = entries.iter().map(|(name, kind)| (name.as_str(), kind)).collect();
    for (name, there) in first {
        match here.remove(name.as_str()) {
            None => return Some(format!("`{name}` is missing here")),
            Some(kind) if kind != there => return Some(format!("`{name}` is {kind} here and {there} there")),
            Some(_) => {}
        }
    }
    let more = entries.iter().find(|(name, _)| here.contains_key(name.as_str()));
    more.map(|(name, _)| format!("`{name}` is missing there"))
}

/// The stages that hold an event in every match of the steps.
fn held(steps: &[Step]) -> HashSet<StageId> {
    let certain = steps.iter().filter(|step| !step.is_negated() && !step.quantifier.optional);
    certain.flat_map(|step| held_in(&step.term)).collect()
}

fn held_in(term: &Term) -> HashSet<StageId> {
    match term {
        Term::Stage(stage, _) => HashSet::from([*stage]),
        Term::Group(sequence) => held(&sequence.steps),
        Term::Either(_) => HashSet::new(),
        Term::All { parts, needed } if *needed as usize == parts.len() => {
            parts.iter().flat_map(|part| held(&part.steps)).collect()
        }
        Term::All { .. } => HashSet::new(),
    }
}

/// The stages that hold an event in every run that has taken one.
fn held_first(sequence: &Sequence) -> HashSet<StageId> {
    match sequence.steps.first() {
        Some(first) if !first.is_negated() && !first.quantifier.optional => match &first.term {
            Term::Stage(stage, _) => HashSet::from([*stage]),
            Term::Group(sequence) => held_first(sequence),
            Term::Either(_) | Term::All { .. } => HashSet::new(),
        },
        _ => HashSet::new(),
    }
}

/// Which values of a record may be null.
struct Nulls<'l, 'w, 'a> {
    lowering: &'l Lowering<'w, 'a>,
    held: &'l HashSet<StageId>,
}

impl Nulls<'_, '_, '_> {
    /// Whether a value may be null, as far as can be seen: what may leave its range may.
    fn may_be(&self, expr: &Expr) -> bool {
        match expr {
            Expr::Constant(value) => value.is_null(),
            Expr::Time | Expr::Key(_) | Expr::Awaiting | Expr::Deadline | Expr::List(_) => false,
            Expr::OfStream(_) | Expr::KeyedBy(_) | Expr::Unary(UnaryOperator::IsNull, _) => false,
            Expr::Lookback(lookback) => self.answer_may_be(self.lowering.lookback_of(*lookback)),
            Expr::Binary(BinaryOperator::Coalesce, a, b) => self.may_be(a) && self.may_be(b),
            Expr::If(_, a, b) => self.may_be(a) || self.may_be(b),
            Expr::Field(_) | Expr::Unary(..) | Expr::Binary(..) | Expr::Between(..) | Expr::In(..) => true,
            Expr::Matches(..) | Expr::Index(..) | Expr::Member(..) | Expr::Lookup(..) | Expr::Call(..) => true,
        }
    }

    fn answer_may_be(&self, lookback: &Lookback) -> bool {
        match &lookback.ask {
            Ask::Pick(Pick::First | Pick::Last, Expr::Time) => !self.held.contains(&lookback.stage),
            Ask::Pick(Pick::First | Pick::Last, Expr::Field(field)) => {
                // A field that only some of the streams have is null for the others.
                let is_of_one =
                    self.lowering.read.len() == 1 || self.lowering.stages.get(lookback.stage).stream.is_some();
                !self.held.contains(&lookback.stage) || !is_of_one || self.lowering.world.streams.field(*field).nullable
            }
            Ask::Aggregate(Aggregate::Count | Aggregate::Collect | Aggregate::Distinct, _) => false,
            Ask::Pick(..) | Ask::Aggregate(..) => true,
        }
    }
}
