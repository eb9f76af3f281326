//! Patterns: clauses, sequences, groups, endings.

use ensue_model::pattern::Relation;
use pest::iterators::Pair;

use super::pair::{expect, parts};
use super::{Reader, Rule};
use crate::tree::{
    Clause, ClauseKind, Emission, Ending, EndingKind, Entry, Expr, Group, GroupKind, Item, Keep, Modifier,
    ModifierKind, Pattern, Place, Quantifier, QuantifierKind, Record, Sequence, Skip, Stage, Step, StepSpan,
    StepWithin, Term,
};

impl<'s> Reader<'s> {
    pub(super) fn pattern(&mut self, pair: Pair<'s, Rule>) -> Option<Item> {
        let doc = self.doc(self.place(&pair));
        let mut parts = parts(pair);
        let name = self.name(expect(&mut parts));
        let mut clauses = Vec::new();
        for part in parts {
            if part.as_rule() == Rule::body {
                let (sequence, endings) = self.sequence_and_endings(part)?;
                return Some(Item::Pattern(Pattern { doc, name: Some(name), clauses, sequence, endings }));
            }
            clauses.push(self.clause(part)?);
        }
        None
    }

    /// The pattern of a file that holds only a body.
    pub(super) fn bare_pattern(&mut self, pair: Pair<'s, Rule>) -> Option<Item> {
        let body = expect(&mut pair.into_inner());
        let doc = self.doc(self.place(&body));
        let (sequence, endings) = self.sequence_and_endings(body)?;
        Some(Item::Pattern(Pattern { doc, name: None, clauses: Vec::new(), sequence, endings }))
    }

    fn clause(&mut self, pair: Pair<'s, Rule>) -> Option<Clause> {
        let place = self.place(&pair);
        let kind = match pair.as_rule() {
            Rule::from => ClauseKind::From(self.names(pair.into_inner())),
            Rule::key => self.key(pair)?,
            _ => self.active(pair)?,
        };
        Some(Clause { kind, place })
    }

    fn key(&mut self, pair: Pair<'s, Rule>) -> Option<ClauseKind> {
        let mut parts = parts(pair).peekable();
        match parts.next_if(|part| part.as_rule() == Rule::key_map) {
            Some(map) => Some(ClauseKind::KeyMap(self.entries(map)?)),
            None => Some(ClauseKind::Key(parts.map(|part| self.expression(part)).collect::<Option<_>>()?)),
        }
    }

    fn active(&mut self, pair: Pair<'s, Rule>) -> Option<ClauseKind> {
        let (mut from, mut until) = (None, None);
        for part in parts(pair) {
            let is_from = part.as_rule() == Rule::active_from;
            let moment = expect(&mut expect(&mut super::pair::parts(part)).into_inner());
            let moment = self.expression(moment)?;
            if is_from { from = Some(moment) } else { until = Some(moment) }
        }
        Some(ClauseKind::Active { from, until })
    }

    fn entries(&mut self, pair: Pair<'s, Rule>) -> Option<Vec<Entry>> {
        parts(pair).filter(|part| part.as_rule() == Rule::entry).map(|entry| self.entry(entry)).collect()
    }

    fn entry(&mut self, pair: Pair<'s, Rule>) -> Option<Entry> {
        let mut parts = parts(pair);
        let name = self.name(expect(&mut parts));
        Some(Entry { name, value: self.expression(expect(&mut parts))? })
    }

    /// All is read before the first mistake counts, so that each is reported; so it is with the steps of a sequence.
    fn sequence_and_endings(&mut self, pair: Pair<'s, Rule>) -> Option<(Sequence, Vec<Ending>)> {
        let mut parts = parts(pair);
        let sequence = self.sequence(expect(&mut parts));
        let endings: Vec<_> = parts.map(|ending| self.ending(ending)).collect();
        Some((sequence?, endings.into_iter().collect::<Option<_>>()?))
    }

    /// Reports what is wrong in the rest of a sequence that the grammar took.
    pub(super) fn rest(&mut self, pair: Pair<'s, Rule>) {
        for part in parts(pair) {
            match part.as_rule() {
                Rule::stray => self.rest(part),
                Rule::term => drop(self.step((Relation::FollowedBy, Place::default()), part)),
                Rule::inner_sequence => drop(self.sequence(part)),
                Rule::condition | Rule::until => drop(self.expression(expect(&mut super::pair::parts(part)))),
                Rule::term_within => drop(self.step_within(part)),
                Rule::within | Rule::skip | Rule::keep | Rule::cooldown | Rule::emit | Rule::timeout => {
                    drop(self.ending(part));
                }
                _ => {}
            }
        }
    }

    fn ending(&mut self, pair: Pair<'s, Rule>) -> Option<Ending> {
        let place = self.place(&pair);
        let rule = pair.as_rule();
        let mut parts = parts(pair);
        let kind = match rule {
            Rule::within => self.window(expect(&mut parts))?,
            Rule::skip => EndingKind::Skip(self.skip(parts)),
            Rule::keep => EndingKind::Keep(keep(expect(&mut parts).as_rule())),
            Rule::cooldown => EndingKind::Cooldown(self.span(expect(&mut parts))?),
            Rule::emit => EndingKind::Emit(self.emission(parts)?),
            _ => EndingKind::Timeout(self.emission(parts)?),
        };
        Some(Ending { kind, place })
    }

    fn window(&mut self, pair: Pair<'s, Rule>) -> Option<EndingKind> {
        match pair.as_rule() {
            Rule::event_count => Some(EndingKind::WithinEvents(self.number(expect(&mut pair.into_inner())))),
            _ => Some(EndingKind::Within(self.span(pair)?)),
        }
    }

    fn step_span(&mut self, pair: Pair<'s, Rule>) -> Option<StepSpan> {
        match pair.as_rule() {
            Rule::event_count => Some(StepSpan::Events(self.number(expect(&mut pair.into_inner())))),
            _ => Some(StepSpan::Time(self.span(pair)?)),
        }
    }

    /// A duration, or a parameter. A number without a unit is an `Int`, which the check refuses with better words than
    /// the grammar could.
    fn span(&mut self, pair: Pair<'s, Rule>) -> Option<Expr> {
        self.expression(expect(&mut pair.into_inner()))
    }

    fn skip(&mut self, mut parts: impl Iterator<Item = Pair<'s, Rule>>) -> Skip {
        match expect(&mut parts).as_rule() {
            Rule::kw_none => Skip::None,
            Rule::kw_past => Skip::PastLast,
            _ => match expect(&mut parts).as_rule() {
                Rule::kw_next => Skip::ToNext,
                Rule::kw_first => Skip::ToFirst(self.name(expect(&mut parts))),
                _ => Skip::ToLast(self.name(expect(&mut parts))),
            },
        }
    }

    fn emission(&mut self, mut parts: impl Iterator<Item = Pair<'s, Rule>>) -> Option<Emission> {
        let first = expect(&mut parts);
        if first.as_rule() == Rule::nothing {
            return Some(Emission::None);
        }
        let record = self.record(first);
        let condition = match parts.next() {
            Some(condition) => Some(self.expression(expect(&mut self::parts(condition)))?),
            None => None,
        };
        Some(Emission::Record(record?, condition))
    }

    fn record(&mut self, pair: Pair<'s, Rule>) -> Option<Record> {
        let name = self.names(pair.clone().into_inner()).pop();
        Some(Record { name, entries: self.entries(pair)? })
    }

    fn sequence(&mut self, pair: Pair<'s, Rule>) -> Option<Sequence> {
        let mut relation = (Relation::FollowedBy, Place::default());
        let mut steps = Vec::new();
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::kw_begin => relation.1 = self.place(&part),
                Rule::relation => relation = (relation_of(&part), self.place(&part)),
                _ => steps.push(self.step(relation, part)),
            }
        }
        Some(Sequence { steps: steps.into_iter().collect::<Option<_>>()? })
    }

    fn step(&mut self, (relation, relation_place): (Relation, Place), pair: Pair<'s, Rule>) -> Option<Step> {
        let place = self.place(&pair);
        let mut parts = parts(pair);
        let term = self.term(expect(&mut parts))?;
        let mut step = Step {
            relation,
            relation_place,
            term,
            quantifier: None,
            modifiers: Vec::new(),
            condition: None,
            until: None,
            within: None,
            place,
        };
        for part in parts {
            match part.as_rule() {
                Rule::quantifier => step.quantifier = Some(self.quantifier(part)),
                Rule::modifier => step.modifiers.push(self.modifier(part)),
                Rule::condition => step.condition = Some(self.expression(expect(&mut super::pair::parts(part)))?),
                Rule::until => step.until = Some(self.expression(expect(&mut super::pair::parts(part)))?),
                _ => step.within = Some(self.step_within(part)?),
            }
        }
        Some(step)
    }

    fn term(&mut self, pair: Pair<'s, Rule>) -> Option<Term> {
        match pair.as_rule() {
            Rule::stage => {
                let mut names = self.names(pair.into_inner()).into_iter();
                let name = names.next().expect("a stage has a name");
                Some(Term::Stage(Stage { name, stream: names.next() }))
            }
            _ => self.group(pair).map(Term::Group),
        }
    }

    fn group(&mut self, pair: Pair<'s, Rule>) -> Option<Group> {
        let place = self.place(&pair);
        let mut parts = parts(pair).peekable();
        let any_of = parts.next_if(|part| part.as_rule() == Rule::any_of);
        let any_of = any_of.map(|any_of| self.number(expect(&mut super::pair::parts(any_of))));
        let inner = expect(&mut parts);
        let kind = group_kind(&inner);
        let parts = super::pair::parts(inner).map(|part| self.sequence(part)).collect::<Option<_>>()?;
        Some(Group { any_of, kind, parts, place })
    }

    fn quantifier(&self, pair: Pair<'s, Rule>) -> Quantifier {
        let place = self.place(&pair);
        let kind = match pair.as_str() {
            "?" => QuantifierKind::Optional,
            "+" => QuantifierKind::OneOrMore,
            "*" => QuantifierKind::Any,
            _ => self.times(expect(&mut pair.into_inner())),
        };
        Quantifier { kind, place }
    }

    fn times(&self, pair: Pair<'s, Rule>) -> QuantifierKind {
        let open = pair.clone().into_inner().any(|part| part.as_rule() == Rule::times_comma);
        let mut numbers = pair.into_inner().filter(|part| part.as_rule() == Rule::number);
        let min = self.number(expect(&mut numbers));
        match numbers.next() {
            Some(max) => QuantifierKind::Between(min, self.number(max)),
            None if open => QuantifierKind::AtLeast(min),
            None => QuantifierKind::Times(min),
        }
    }

    fn modifier(&self, pair: Pair<'s, Rule>) -> Modifier {
        let place = self.place(&pair);
        let kind = match expect(&mut pair.into_inner()).as_rule() {
            Rule::kw_optional => ModifierKind::Optional,
            Rule::kw_greedy => ModifierKind::Greedy,
            Rule::kw_consecutive => ModifierKind::Consecutive,
            _ => ModifierKind::Combinations,
        };
        Modifier { kind, place }
    }

    fn step_within(&mut self, pair: Pair<'s, Rule>) -> Option<StepWithin> {
        let place = self.place(&pair);
        let mut parts = parts(pair);
        let span = self.step_span(expect(&mut parts))?;
        Some(StepWithin { span, anchor: self.name(expect(&mut parts)), place })
    }
}

fn relation_of(pair: &Pair<'_, Rule>) -> Relation {
    match expect(&mut pair.clone().into_inner()).as_rule() {
        Rule::kw_next => Relation::Next,
        Rule::kw_followed_by => Relation::FollowedBy,
        Rule::kw_followed_by_any => Relation::FollowedByAny,
        Rule::kw_not_next => Relation::NotNext,
        _ => Relation::NotFollowedBy,
    }
}

fn group_kind(inner: &Pair<'_, Rule>) -> GroupKind {
    match inner.clone().into_inner().nth(1).map(|pair| pair.as_rule()) {
        Some(Rule::pipe) => GroupKind::Alternatives,
        Some(_) => GroupKind::AnyOrder,
        None => GroupKind::Sequence,
    }
}

fn keep(rule: Rule) -> Keep {
    match rule {
        Rule::kw_all => Keep::All,
        Rule::kw_latest => Keep::Latest,
        _ => Keep::First,
    }
}
