//! The outline of a pattern: its steps as they work, with names instead of numbers. What is said of a pattern, and what is
//! drawn of it, is taken from here.
//!
//! Where the place of a step changes what its words mean, the outline has what they mean there: it follows the compiler, which
//! follows Flink.

use ensue_model::expr::BinaryOperator;
use ensue_model::pattern::{
    Anchor, Contiguity, Quantifier, Relation, Sequence, StageId, Step, StepWindow, Term, WindowSpan,
};
use ensue_model::{Expr, Pattern, Patterns, StreamId};

/// A step, and how it comes behind the one before.
#[derive(Debug)]
pub(super) struct Item {
    pub(super) what: What,
    pub(super) arrival: Arrival,
    /// How often. What may lie between two rounds is in `between`.
    pub(super) times: Quantifier,
    pub(super) between: Contiguity,
    /// The condition of what ends the loop.
    pub(super) until: Option<String>,
    pub(super) window: Option<Window>,
    /// Whether a run can go on without it: it may be left out, or begins a group that may.
    pub(super) is_needless: bool,
    /// Whether the pattern is over behind it.
    pub(super) is_last: bool,
}

#[derive(Debug)]
pub(super) enum What {
    Stage(Stage),
    /// A stage that must not come.
    Absent(Stage, Absence),
    Group(Vec<Item>),
    /// One of several.
    Either(Vec<Vec<Item>>),
    /// So many of several, side by side.
    All {
        parts: Vec<Vec<Item>>,
        needed: u32,
    },
}

/// A stage, and which events it takes.
#[derive(Debug)]
pub(super) struct Stage {
    pub(super) id: StageId,
    pub(super) name: String,
    /// Where there are several that it could be.
    pub(super) stream: Option<String>,
    /// What of the event is the key, where that differs by stage.
    pub(super) key: Option<String>,
    /// None if any event will do.
    pub(super) condition: Option<String>,
}

/// How the first event of a step comes behind what was taken before.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Arrival {
    /// It starts a run.
    Start,
    /// It begins one of several parts: the group has said how.
    Part,
    /// With this in between.
    Behind(Contiguity),
}

/// Until when something must not come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Absence {
    /// It must not be the very next event.
    Next,
    /// Until something behind it is taken.
    UntilTaken,
    /// Until the window of the pattern is over, or its own, and then the run is a match.
    AtEnd,
    /// It stops nothing where it stands, as in Flink.
    Idle,
}

/// The window of a step.
#[derive(Debug)]
pub(super) struct Window {
    pub(super) span: WindowSpan,
    /// The stage from whose latest event it counts; none for the latest event whatever took it.
    pub(super) anchor: Option<StageId>,
    /// Its name.
    pub(super) anchor_name: Option<String>,
    /// Whether the stage may have taken nothing; then there is no window.
    pub(super) may_lack_anchor: bool,
}

impl Item {
    /// Whether it is what must not come until a window ends, at the end of the pattern.
    pub(super) fn is_absence_at_end(&self) -> bool {
        matches!(self.what, What::Absent(_, Absence::AtEnd))
    }
}

/// What a step of a sequence learns from the group around.
#[derive(Clone, Copy)]
struct Around {
    /// How the first step of the sequence comes.
    first: Arrival,
    /// What may lie between two rounds of the first step, if that is for the group to say.
    between: Option<Contiguity>,
    /// Whether the sequence may be left out.
    is_needless: bool,
    /// Whether the pattern is over behind the sequence.
    is_last: bool,
    /// Whether the sequence is in a loop whose rounds are not counted, and so is none that could be the last.
    is_endless: bool,
}

/// The steps of a pattern.
pub(super) fn of(pattern: &Pattern, patterns: &Patterns) -> Vec<Item> {
    let around = Around { first: Arrival::Start, between: None, is_needless: false, is_last: true, is_endless: false };
    Outliner { pattern, patterns }.sequence(&pattern.sequence, around)
}

struct Outliner<'p> {
    pattern: &'p Pattern,
    patterns: &'p Patterns,
}

impl Outliner<'_> {
    fn sequence(&self, sequence: &Sequence, around: Around) -> Vec<Item> {
        (0..sequence.steps.len()).map(|index| self.item(&sequence.steps, index, around)).collect()
    }

    fn item(&self, steps: &[Step], index: usize, around: Around) -> Item {
        let step = &steps[index];
        let is_last = around.is_last && index + 1 == steps.len();
        let is_needless = step.quantifier.optional || (index == 0 && around.is_needless);
        let arrival = arrival(step, index, around);
        let is_stage = matches!(step.term, Term::Stage(..));
        // Flink gives the first stage of a group what may lie between the rounds of the group.
        let of_group = around.between.filter(|_| index == 0 && is_stage);
        Item {
            what: self.what(steps, index, arrival, Around { is_last, is_needless, ..around }),
            arrival,
            times: step.quantifier,
            between: of_group.unwrap_or(step.quantifier.inner),
            until: step.until.as_ref().and_then(|until| self.condition(until)),
            window: step.within.map(|window| self.window(window, step)),
            is_needless,
            is_last,
        }
    }

    fn what(&self, steps: &[Step], index: usize, arrival: Arrival, around: Around) -> What {
        let step = &steps[index];
        let is_endless = around.is_endless || step.quantifier.max.is_none();
        let part = Around { first: Arrival::Part, between: None, is_needless: false, is_endless, ..around };
        let parts = |parts: &[Sequence]| parts.iter().map(|sequence| self.sequence(sequence, part)).collect();
        match &step.term {
            Term::Stage(id, condition) if step.is_negated() => {
                What::Absent(self.stage(*id, condition), self.absence(steps, index, around))
            }
            Term::Stage(id, condition) => What::Stage(self.stage(*id, condition)),
            Term::Group(sequence) => {
                let between = Some(step.quantifier.inner);
                let Around { is_needless, .. } = around;
                What::Group(self.sequence(sequence, Around { first: arrival, between, is_needless, ..part }))
            }
            Term::Either(branches) => What::Either(parts(branches)),
            // It is compiled as alternatives.
            Term::All { parts: branches, needed: 1 } => What::Either(parts(branches)),
            Term::All { parts: all, needed } => What::All { parts: parts(all), needed: *needed },
        }
    }

    fn stage(&self, id: StageId, condition: &Expr) -> Stage {
        let mut stage = Stage {
            id,
            name: self.pattern.stage_name(id).to_owned(),
            stream: None,
            key: None,
            condition: self.condition(condition),
        };
        for guard in guards(condition) {
            match guard {
                Guard::OfStream(stream) => stage.stream = Some(stream_name(stream, self.patterns).to_owned()),
                Guard::KeyedBy(way) => stage.key = Some(self.key_by(way)),
            }
        }
        stage
    }

    /// What the key is by a way.
    fn key_by(&self, way: u8) -> String {
        let parts = &self.pattern.key.ways[usize::from(way)].parts;
        parts.iter().map(|part| self.text(part)).collect::<Vec<_>>().join(", ")
    }

    /// The condition as a pattern writes it, without what the checker asks beside it.
    fn condition(&self, condition: &Expr) -> Option<String> {
        let condition = without_guards(condition);
        let is_any = *condition == Expr::truth() || Guard::of(condition).is_some();
        (!is_any).then(|| self.text(condition))
    }

    fn text(&self, expr: &Expr) -> String {
        expr.display(self.patterns, self.pattern).to_string()
    }

    fn absence(&self, steps: &[Step], index: usize, around: Around) -> Absence {
        let Pattern { within, within_events, .. } = self.pattern;
        let step = &steps[index];
        if step.relation == Relation::NotNext {
            return Absence::Next;
        }
        let behind = steps[index + 1..].iter().find(|step| step.relation != Relation::NotFollowedBy);
        let has_window = within.is_some() || within_events.is_some() || step.within.is_some();
        match behind {
            Some(step) if !step.is_negated() => Absence::UntilTaken,
            None if around.is_last && has_window && !around.is_endless => Absence::AtEnd,
            Some(_) | None => Absence::Idle,
        }
    }

    fn window(&self, StepWindow { span, anchor }: StepWindow, step: &Step) -> Window {
        let anchor = match anchor {
            Anchor::Previous => None,
            Anchor::Stage(stage) => Some(stage),
        };
        Window {
            span,
            anchor,
            anchor_name: anchor.map(|stage| self.pattern.stage_name(stage).to_owned()),
            may_lack_anchor: anchor.is_some_and(|stage| !self.is_always_taken(stage, step)),
        }
    }

    /// Whether a stage has always been taken when a run comes to a step behind it, or to itself again.
    fn is_always_taken(&self, stage: StageId, step: &Step) -> bool {
        let is_it = |term: &Term| matches!(term, Term::Stage(id, _) if *id == stage);
        is_it(&step.term) || always_taken(&self.pattern.sequence, step, stage).unwrap_or(false)
    }
}

fn arrival(step: &Step, index: usize, around: Around) -> Arrival {
    let is_group = matches!(step.term, Term::Group(_));
    match around.first {
        _ if index > 0 => Arrival::Behind(contiguity(step.relation)),
        // A group that begins a group is as strict as Flink makes it.
        Arrival::Behind(_) if is_group => Arrival::Behind(Contiguity::Strict),
        first => first,
    }
}

fn contiguity(relation: Relation) -> Contiguity {
    match relation {
        Relation::Next | Relation::NotNext => Contiguity::Strict,
        Relation::FollowedBy | Relation::NotFollowedBy => Contiguity::Relaxed,
        Relation::FollowedByAny => Contiguity::Any,
    }
}

/// Whether the stage stands before the step with nothing that could leave it out; none if the step is not in the sequence.
fn always_taken(sequence: &Sequence, wanted: &Step, stage: StageId) -> Option<bool> {
    for (index, step) in sequence.steps.iter().enumerate() {
        let before = || sequence.steps[..index].iter().any(|step| takes_always(step, stage));
        if std::ptr::eq(step, wanted) {
            return Some(before());
        }
        if let Some(inside) = step.term.sequences().iter().find_map(|inside| always_taken(inside, wanted, stage)) {
            return Some(inside || before());
        }
    }
    None
}

fn takes_always(step: &Step, stage: StageId) -> bool {
    let is_taken = match &step.term {
        Term::Stage(id, _) => *id == stage,
        Term::Group(sequence) => sequence.steps.iter().any(|step| takes_always(step, stage)),
        Term::Either(_) => false,
        Term::All { parts, needed } => {
            let is_in = |part: &Sequence| part.steps.iter().any(|step| takes_always(step, stage));
            *needed as usize == parts.len() && parts.iter().any(is_in)
        }
    };
    is_taken && !step.quantifier.optional && !step.is_negated()
}

/// The name of a stream.
pub(super) fn stream_name(stream: StreamId, patterns: &Patterns) -> &str {
    patterns.streams[usize::from(stream.0)].name.as_deref().unwrap_or("events")
}

/// What the checker asks before the condition that was written.
#[derive(Clone, Copy)]
enum Guard {
    OfStream(StreamId),
    KeyedBy(u8),
}

impl Guard {
    fn of(expr: &Expr) -> Option<Guard> {
        match expr {
            Expr::OfStream(stream) => Some(Guard::OfStream(*stream)),
            Expr::KeyedBy(way) => Some(Guard::KeyedBy(*way)),
            _ => None,
        }
    }
}

fn guards(condition: &Expr) -> Vec<Guard> {
    match condition {
        Expr::Binary(BinaryOperator::And, first, behind) => {
            Guard::of(first).map_or_else(Vec::new, |first| [vec![first], guards(behind)].concat())
        }
        alone => Guard::of(alone).into_iter().collect(),
    }
}

fn without_guards(condition: &Expr) -> &Expr {
    match condition {
        Expr::Binary(BinaryOperator::And, first, behind) if Guard::of(first).is_some() => without_guards(behind),
        condition => condition,
    }
}

/// Whether a run can be open that has taken something, waits for more, and has an end of its time.
pub(super) fn can_time_out(pattern: &Pattern, outline: &[Item]) -> bool {
    let has_whole = pattern.within.is_some() || pattern.within_events.is_some();
    // What may be left out before an absence at the end is waited for apart from that.
    let leaves_out = outline.iter().any(|item| item.is_absence_at_end()) && outline.iter().any(may_leave_out);
    (has_whole || outline.iter().any(has_window)) && (leaves_out || !is_over_with_one(outline))
}

fn may_leave_out(item: &Item) -> bool {
    let inside = match &item.what {
        What::Stage(_) | What::Absent(..) => false,
        What::Group(sequence) => sequence.iter().any(may_leave_out),
        What::Either(parts) | What::All { parts, .. } => parts.iter().flatten().any(may_leave_out),
    };
    inside || item.times.optional
}

fn has_window(item: &Item) -> bool {
    let inside = match &item.what {
        What::Stage(_) => false,
        // Its end is a match.
        What::Absent(..) => return false,
        What::Group(sequence) => sequence.iter().any(has_window),
        What::Either(parts) | What::All { parts, .. } => parts.iter().flatten().any(has_window),
    };
    inside || item.window.is_some()
}

/// Whether a run is complete with its first event, whichever that is.
pub(super) fn is_over_with_one(items: &[Item]) -> bool {
    let waits_for_next = |item: &Item| matches!(item.what, What::Absent(_, Absence::Next));
    let mut taken = items.iter().filter(|item| !matches!(item.what, What::Absent(..)));
    let first = taken.next().is_none_or(is_one);
    first && taken.all(|item| is_one(item) && item.times.optional) && !items.iter().any(waits_for_next)
}

fn is_one(item: &Item) -> bool {
    let inside = match &item.what {
        What::Stage(_) | What::Absent(..) => true,
        What::Group(sequence) => is_over_with_one(sequence),
        What::Either(parts) => parts.iter().all(|part| is_over_with_one(part)),
        What::All { .. } => false,
    };
    inside && item.times.min == 1
}
