//! The stages of a pattern, and which of them can have been taken before which.

use std::collections::HashMap;
use std::ops::Range;

use ensue_model::pattern::{Relation, Stage, StageId};
use ensue_model::schema::StreamId;

use super::names;
use super::world::World;
use crate::code;
use crate::diagnostic::Diagnostic;
use crate::tree::{Group, GroupKind, ModifierKind, Name, QuantifierKind, Sequence, Step, Term};

/// The most stages that a pattern can have.
const STAGES_MAX: usize = 1_024;

/// The stages of a pattern, in the order of the text, which is that of their ids.
#[derive(Default)]
pub(super) struct Stages<'a> {
    pub(super) list: Vec<StageInfo<'a>>,
    by_name: HashMap<&'a str, StageId>,
}

/// What is known of a stage.
pub(super) struct StageInfo<'a> {
    pub(super) name: &'a Name,
    pub(super) negated: bool,
    /// Whether it, or a group around it, repeats.
    pub(super) repeats: bool,
    pub(super) in_group: bool,
    /// Whether each run that goes on behind it has taken exactly one event of it.
    pub(super) takes_one: bool,
    /// The stream that it names, as it was written.
    pub(super) stream_name: Option<&'a Name>,
    /// The stream whose events it takes; those of all that the pattern reads if it names none.
    pub(super) stream: Option<StreamId>,
    /// Stages up to here can have been taken before: those before it, itself, and all of a loop around it.
    horizon: usize,
    /// But not those: they stand on other branches.
    others: Vec<Range<usize>>,
}

impl<'a> Stages<'a> {
    /// The stages of a pattern's sequence. None where they are too many; a name that is given twice is reported, and is
    /// the first one's.
    pub(super) fn collect(world: &mut World<'_>, source: usize, sequence: &'a Sequence) -> Option<Self> {
        let mut stages = Stages::default();
        stages.sequence(sequence, Around::default());
        if let Some(too_many) = stages.list.get(STAGES_MAX) {
            let message = format!("the pattern has {} stages, the limit is {STAGES_MAX}", stages.list.len());
            world.report(source, Diagnostic::error(&code::TOO_LARGE, too_many.name.place, message));
            return None;
        }
        for (position, stage) in stages.list.iter().enumerate() {
            match stages.by_name.get(stage.name.text.as_str()) {
                Some(first) => {
                    let first = stages.list[usize::from(first.0)].name.place;
                    let name = &stage.name.text;
                    let help = format!(
                        "each stage needs a name of its own, also on branches of which only one is taken: \
                         `{name}2 where ..`"
                    );
                    world.report(source, names::twice("stage", stage.name, first).help(help));
                }
                None => {
                    stages.by_name.insert(&stage.name.text, StageId(position as u16));
                }
            }
        }
        Some(stages)
    }

    /// The stage of that name.
    pub(super) fn find(&self, name: &str) -> Option<StageId> {
        self.by_name.get(name).copied()
    }

    pub(super) fn get(&self, stage: StageId) -> &StageInfo<'a> {
        &self.list[usize::from(stage.0)]
    }

    /// Says whose events a stage takes.
    pub(super) fn take_from(&mut self, stage: StageId, stream: StreamId) {
        self.list[usize::from(stage.0)].stream = Some(stream);
    }

    /// All names, for messages.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> + Clone {
        self.list.iter().map(|stage| stage.name.text.as_str())
    }

    /// Whether `taken` can hold events when `at` is tried.
    pub(super) fn can_precede(&self, taken: StageId, at: StageId) -> bool {
        let at = self.get(at);
        let taken = usize::from(taken.0);
        taken < at.horizon && !at.others.iter().any(|other| other.contains(&taken))
    }

    /// Whether an event that the stage takes can be another one than the run's first.
    pub(super) fn can_come_second(&self, stage: StageId) -> bool {
        let own = self.get(stage);
        let earlier = (0..own.horizon).map(|position| StageId(position as u16));
        let takes_before = |other: StageId| !self.get(other).negated && self.can_precede(other, stage);
        own.repeats || earlier.filter(|other| *other != stage).any(takes_before)
    }

    /// As the checked pattern has them.
    pub(super) fn checked(&self) -> Vec<Stage> {
        let checked = |stage: &StageInfo<'_>| Stage {
            name: stage.name.text.clone(),
            negated: stage.negated,
            repeats: stage.repeats,
            stream: stage.stream,
        };
        self.list.iter().map(checked).collect()
    }

    fn sequence(&mut self, sequence: &'a Sequence, around: Around) {
        for step in &sequence.steps {
            let first = self.list.len();
            let repeats = around.repeats || repeats(step);
            let may_lack = around.may_lack || is_optional(step);
            match &step.term {
                Term::Stage(stage) => self.list.push(StageInfo {
                    name: &stage.name,
                    negated: is_negated(step.relation),
                    repeats,
                    in_group: around.in_group,
                    takes_one: !repeats && !may_lack,
                    stream_name: stage.stream.as_ref(),
                    stream: None,
                    horizon: first + 1,
                    others: Vec::new(),
                }),
                Term::Group(group) => {
                    self.group(group, Around { repeats, may_lack: may_lack || group.parts.len() > 1, in_group: true })
                }
            }
            if repeats {
                self.all_reach(first);
            }
        }
    }

    fn group(&mut self, group: &'a Group, around: Around) {
        let first = self.list.len();
        let mut branches = Vec::new();
        for part in &group.parts {
            let start = self.list.len();
            self.sequence(part, around);
            branches.push(start..self.list.len());
        }
        match group.kind {
            GroupKind::Sequence => {}
            GroupKind::AnyOrder => self.all_reach(first),
            GroupKind::Alternatives if around.repeats => {}
            GroupKind::Alternatives => self.part(&branches),
        }
    }

    /// From `first` on, each can have been taken before each.
    fn all_reach(&mut self, first: usize) {
        let end = self.list.len();
        self.list[first..].iter_mut().for_each(|stage| stage.horizon = end);
    }

    /// No stage of one branch is taken in a run that takes another.
    fn part(&mut self, branches: &[Range<usize>]) {
        for branch in branches {
            let others = branches.first().map_or(0, |first| first.start)..branch.start;
            self.list[branch.clone()].iter_mut().for_each(|stage| stage.others.push(others.clone()));
        }
    }
}

/// What is around a sequence.
#[derive(Clone, Copy, Default)]
struct Around {
    repeats: bool,
    /// Whether a run can do without.
    may_lack: bool,
    in_group: bool,
}

fn is_negated(relation: Relation) -> bool {
    matches!(relation, Relation::NotNext | Relation::NotFollowedBy)
}

/// Whether a step can be left out.
fn is_optional(step: &Step) -> bool {
    let quantifier = step.quantifier.as_ref().map(|quantifier| &quantifier.kind);
    let from_none = match quantifier {
        None | Some(QuantifierKind::OneOrMore) => false,
        Some(QuantifierKind::Optional | QuantifierKind::Any) => true,
        Some(QuantifierKind::Times(min) | QuantifierKind::AtLeast(min) | QuantifierKind::Between(min, _)) => {
            min.text == "0"
        }
    };
    from_none || step.modifiers.iter().any(|modifier| modifier.kind == ModifierKind::Optional)
}

/// Whether a step can be taken more than once.
fn repeats(step: &Step) -> bool {
    match step.quantifier.as_ref().map(|quantifier| &quantifier.kind) {
        None | Some(QuantifierKind::Optional) => false,
        Some(QuantifierKind::OneOrMore | QuantifierKind::Any | QuantifierKind::AtLeast(_)) => true,
        Some(QuantifierKind::Times(max) | QuantifierKind::Between(_, max)) => max.text != "1",
    }
}
