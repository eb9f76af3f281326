//! The checked pattern: what the parser's tree becomes, and all that the matcher compiles.

use serde::{Deserialize, Serialize};

use crate::expr::{Expr, Lookback};
use crate::schema::Schema;
use crate::time::Span;

/// Patterns that were compiled together and read the same events.
#[derive(Clone, PartialEq, Debug)]
pub struct Patterns {
    /// The fields that rows hold, in order.
    pub schema: Schema,
    /// The patterns, in the order of the text.
    pub patterns: Vec<Pattern>,
}

/// A checked pattern.
#[derive(Clone, PartialEq, Debug)]
pub struct Pattern {
    /// Its name.
    pub name: String,
    /// What `///` said before it.
    pub doc: String,
    /// The parts of the key; none where the whole stream is one key.
    pub key: Vec<KeyPart>,
    /// All stages, also negated ones, in the order of the text.
    pub stages: Vec<Stage>,
    /// What the expressions ask of earlier stages, each once.
    pub lookbacks: Vec<Lookback>,
    /// The sequence.
    pub sequence: Sequence,
    /// `within 15m` after the sequence; none is forever.
    pub within: Option<Span>,
    /// What a match does to the other runs of its key.
    pub skip: Skip,
}

impl Pattern {
    /// The stage of that name.
    pub fn stage(&self, name: &str) -> Option<StageId> {
        self.stages.iter().position(|stage| stage.name == name).map(|position| StageId(position as u16))
    }

    /// A stage's name.
    ///
    /// # Panics
    /// If the stage is not of this pattern.
    pub fn stage_name(&self, stage: StageId) -> &str {
        &self.stages[usize::from(stage.0)].name
    }
}

/// A part of the key.
#[derive(Clone, PartialEq, Debug)]
pub struct KeyPart {
    /// Its name in the output: the field's name, or the expression as it was written.
    pub name: String,
    /// Its value, over the event.
    pub value: Expr,
}

/// A stage by its position in [`Pattern::stages`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct StageId(pub u16);

/// What is known of a stage wherever it is named.
#[derive(Clone, PartialEq, Debug)]
pub struct Stage {
    /// Its name.
    pub name: String,
    /// Whether it is a `notNext` or `notFollowedBy`, and takes nothing.
    pub negated: bool,
    /// Whether it can take more than one event: it, or a group around it, repeats.
    pub repeats: bool,
}

/// `begin term { relation term }`.
#[derive(Clone, PartialEq, Debug)]
pub struct Sequence {
    /// The terms, at least one. The first one's relation is `FollowedBy` and says nothing.
    pub steps: Vec<Step>,
}

impl Sequence {
    /// Whether it may be over without an event.
    pub fn can_be_empty(&self) -> bool {
        self.steps.iter().all(Step::can_be_empty)
    }
}

/// A term with its relation to the one before.
#[derive(Clone, PartialEq, Debug)]
pub struct Step {
    /// What may lie between.
    pub relation: Relation,
    /// The term.
    pub term: Term,
    /// How often.
    pub quantifier: Quantifier,
    /// What ends the loop: the event that fulfils it is not taken, and nothing more enters.
    pub until: Option<Expr>,
    /// `within 5m of previous`: a deadline of the step's own.
    pub within: Option<StepWindow>,
}

impl Step {
    /// Whether nothing is to come.
    pub fn is_negated(&self) -> bool {
        matches!(self.relation, Relation::NotNext | Relation::NotFollowedBy)
    }

    /// Whether it may be over without an event.
    pub fn can_be_empty(&self) -> bool {
        let is_empty = match &self.term {
            Term::Stage(..) => false,
            Term::Group(sequence) => sequence.can_be_empty(),
            Term::Either(parts) | Term::All { parts, .. } => parts.iter().any(Sequence::can_be_empty),
        };
        self.is_negated() || self.quantifier.optional || is_empty
    }
}

/// How long a step waits: each event that it takes lies less than `span` after the anchor's latest event. A run that
/// waits for the step alone ends when that time is over.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct StepWindow {
    /// The length.
    pub span: Span,
    /// From when it counts.
    pub anchor: Anchor,
}

/// From when a step's window counts.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Anchor {
    /// From the latest event that the run has taken.
    Previous,
    /// From the latest event that the stage has taken. If it has taken none, there is no deadline.
    Stage(StageId),
}

/// A stage or a group.
#[derive(Clone, PartialEq, Debug)]
pub enum Term {
    /// A stage with its condition.
    Stage(StageId, Expr),
    /// A nested sequence.
    Group(Sequence),
    /// `( a | b )`: one of several sequences, of which none can be empty.
    Either(Vec<Sequence>),
    /// `( a & b )`, `any 2 of ( a & b & c )`: so many of several sequences, side by side in any order. None of them can be
    /// empty, and none ends with a negation.
    All {
        /// The sequences.
        parts: Vec<Sequence>,
        /// How many of them: 1 to all.
        needed: u32,
    },
}

impl Term {
    /// The sequences inside, in the order of the text; a stage has none.
    pub fn sequences(&self) -> &[Sequence] {
        match self {
            Term::Stage(..) => &[],
            Term::Group(sequence) => std::slice::from_ref(sequence),
            Term::Either(parts) | Term::All { parts, .. } => parts,
        }
    }
}

/// What may lie between a term and the one before.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Relation {
    /// Nothing.
    Next,
    /// Anything that does not fit; the first that fits is taken.
    FollowedBy,
    /// Anything; every one that fits makes a run of its own.
    FollowedByAny,
    /// The very next event must not fit.
    NotNext,
    /// Nothing that fits until the next term is taken.
    NotFollowedBy,
}

/// How often a term is taken.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Quantifier {
    /// At least so often, 1 or more; see `optional` for none.
    pub min: u32,
    /// At most so often; none is without bound.
    pub max: Option<u32>,
    /// Whether the term may be left out altogether.
    pub optional: bool,
    /// Whether it takes as many as it can before the next term.
    pub greedy: bool,
    /// What may lie between two rounds.
    pub inner: Contiguity,
}

/// What may lie between two rounds of a loop.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Contiguity {
    /// Nothing: `consecutive`.
    Strict,
    /// What does not fit.
    Relaxed,
    /// Anything: `combinations`.
    Any,
}

impl Quantifier {
    /// Exactly one.
    pub const ONE: Quantifier =
        Quantifier { min: 1, max: Some(1), optional: false, greedy: false, inner: Contiguity::Relaxed };
}

/// What a match does to the other runs of its key.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Skip {
    /// Nothing.
    None,
    /// Drops runs that started with the same event.
    ToNext,
    /// Drops runs that started before the match ended.
    PastLast,
    /// Drops runs that started before the first event of the stage.
    ToFirst(StageId),
    /// Drops runs that started before the last event of the stage.
    ToLast(StageId),
}
