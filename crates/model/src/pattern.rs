//! The checked pattern: what the parser's tree becomes, and all that the matcher compiles.

use std::fmt;
use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};

use crate::expr::{Expr, Lookback};
use crate::key::Keys;
use crate::record::Emission;
use crate::schema::{Schema, Stream, StreamId};
use crate::table::{TableId, TableShape};
use crate::time::{Span, Timestamp};

/// Patterns that were compiled together and read the same events.
#[derive(Clone, PartialEq, Debug)]
pub struct Patterns {
    /// The fields that rows hold, in order: those of all streams. Streams that have a field of the same name and type share
    /// it. Its marks are those of the only stream that the caller feeds, where there is one.
    pub schema: Schema,
    /// The streams: first those that the caller feeds, of which there is at least one; then those of the records that the
    /// patterns emit.
    pub streams: Vec<Stream>,
    /// The reference data that they look things up in, which the caller binds.
    pub tables: Vec<TableShape>,
    /// The patterns, in the order of the text.
    pub patterns: Vec<Pattern>,
}

impl Patterns {
    /// Patterns over one stream that the caller feeds.
    pub fn of_one_stream(schema: Schema, patterns: Vec<Pattern>) -> Self {
        Patterns { streams: vec![Stream::only(&schema)], schema, tables: Vec::new(), patterns }
    }

    /// The stream of that name.
    pub fn stream(&self, name: &str) -> Option<StreamId> {
        let position = self.streams.iter().position(|stream| stream.name.as_deref() == Some(name));
        position.map(|position| StreamId(position as u16))
    }

    /// The table of that name.
    pub fn table(&self, name: &str) -> Option<TableId> {
        self.tables.iter().position(|table| table.name == name).map(|position| TableId(position as u16))
    }
}

/// A checked pattern.
#[derive(Clone, PartialEq, Debug)]
pub struct Pattern {
    /// Its name.
    pub name: String,
    /// What `///` said before it.
    pub doc: String,
    /// The streams that it reads, in the order of their numbers; at least one.
    pub from: Vec<StreamId>,
    /// The key.
    pub key: Keys,
    /// When runs may start.
    pub active: Active,
    /// All stages, also negated ones, in the order of the text.
    pub stages: Vec<Stage>,
    /// What the expressions ask of earlier stages, each once.
    pub lookbacks: Vec<Lookback>,
    /// The sequence.
    pub sequence: Sequence,
    /// `within 15m` after the sequence; none is forever.
    pub within: Option<Span>,
    /// `within 100 events`: a match spans at most so many events of its key.
    pub within_events: Option<NonZeroU32>,
    /// What a match does to the other runs of its key.
    pub skip: Skip,
    /// Which runs a key keeps where several wait for the same.
    pub keep: Keep,
    /// `cooldown 1h`: after a match that came out, those of the same key in less than that time do not.
    pub cooldown: Option<Span>,
    /// What a match comes out as, in its envelope.
    pub emit: Emission,
    /// What a timeout comes out as, in its envelope.
    pub timeout: Emission,
}

impl Pattern {
    /// A pattern of a name, some stages and a sequence over them, and nothing else: one key, no window, no lookbacks.
    ///
    /// ```
    /// use ensue_model::pattern::{Pattern, Sequence, Stage, StageId, Step};
    /// use ensue_model::Expr;
    ///
    /// let stages = vec![Stage::named("a")];
    /// let sequence = Sequence { steps: vec![Step::stage(StageId(0), Expr::truth())] };
    /// let pattern = Pattern::new("anything", stages, sequence);
    /// assert_eq!(pattern.stage("a"), Some(StageId(0)));
    /// ```
    pub fn new(name: &str, stages: Vec<Stage>, sequence: Sequence) -> Self {
        Pattern {
            name: name.to_owned(),
            doc: String::new(),
            from: vec![StreamId(0)],
            key: Keys::default(),
            active: Active::default(),
            stages,
            lookbacks: Vec::new(),
            sequence,
            within: None,
            within_events: None,
            skip: Skip::None,
            keep: Keep::All,
            cooldown: None,
            emit: Emission::Events,
            timeout: Emission::Events,
        }
    }

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

/// `active from .. until ..`: the event time in which a pattern starts runs. Those that have started go on.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Active {
    /// From then on; none is always.
    pub from: Option<Timestamp>,
    /// Before then; none is for ever.
    pub until: Option<Timestamp>,
}

impl Active {
    /// Whether a run may start with an event of that time.
    pub fn includes(&self, time: Timestamp) -> bool {
        self.from.is_none_or(|from| from <= time) && self.until.is_none_or(|until| time < until)
    }
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
    /// `pay: receipts`: the stream whose events it takes; those of any that the pattern reads where it does not say. Its
    /// condition asks for it, too.
    pub stream: Option<StreamId>,
}

impl Stage {
    /// A stage that takes at most one event, of any stream.
    pub fn named(name: &str) -> Self {
        Stage { name: name.to_owned(), negated: false, repeats: false, stream: None }
    }
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
    /// `within 5m of previous`, `within 5 events of previous`: a deadline of the step's own.
    pub within: Option<StepWindow>,
}

impl Step {
    /// A stage that takes one event that fulfils a condition.
    pub fn stage(stage: StageId, condition: Expr) -> Self {
        let term = Term::Stage(stage, condition);
        Step { relation: Relation::FollowedBy, term, quantifier: Quantifier::ONE, until: None, within: None }
    }

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

/// How long a step waits: each event that it takes lies less than a time after the anchor's latest event, or is at most so
/// many events of its key behind it. A run that waits for the step alone ends when the window is over.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct StepWindow {
    /// The length.
    pub span: WindowSpan,
    /// From when it counts.
    pub anchor: Anchor,
}

/// The length of a step's window.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum WindowSpan {
    /// An event lies less than that after the anchor.
    Time(Span),
    /// An event is at most that many events of its key, as the pattern reads it, behind the anchor.
    Events(NonZeroU32),
}

impl fmt::Display for WindowSpan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            WindowSpan::Time(span) => span.fmt(f),
            WindowSpan::Events(count) => write!(f, "{count} events"),
        }
    }
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

/// Which runs a key keeps where several wait for the same: the stages that could take their next event are the same.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Keep {
    /// All.
    All,
    /// One that comes to wait replaces the one that waits there.
    Latest,
    /// One that comes to wait where another waits is dropped.
    First,
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
