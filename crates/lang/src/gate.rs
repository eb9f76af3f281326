//! What the language has and the engine does not run yet. Each construct has one line in [`REFUSED`]; who teaches the engine
//! a construct takes its line away, and its variant with it.

use crate::code;
use crate::diagnostic::Diagnostic;
use crate::tree::{ClauseKind, EndingKind, File, Item, Keep, Pattern, Place, Sequence, Step, Term};

/// A construct that can be refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Construct {
    WithinEvents,
    Keep,
    Emit,
    Timeout,
    Table,
    StreamOfStage,
    SeveralStreams,
    KeyMap,
}

/// What the engine does not run yet.
const REFUSED: &[Construct] = &[
    Construct::WithinEvents,
    Construct::Keep,
    Construct::Emit,
    Construct::Timeout,
    Construct::Table,
    Construct::StreamOfStage,
    Construct::SeveralStreams,
    Construct::KeyMap,
];

/// The diagnostics for what files have of it.
pub(crate) fn refused(files: &[File]) -> Vec<Diagnostic> {
    let mut gate = Gate { found: Vec::new(), streams: 0 };
    let mut refused = Vec::new();
    for (source, file) in files.iter().enumerate() {
        file.items.iter().for_each(|item| gate.item(item));
        refused.extend(gate.found.drain(..).map(|diagnostic| diagnostic.of(source)));
    }
    refused
}

struct Gate {
    found: Vec<Diagnostic>,
    /// How many streams the files have declared so far.
    streams: usize,
}

impl Gate {
    fn meet(&mut self, construct: Construct, place: Place, shown: &str) {
        if REFUSED.contains(&construct) {
            self.found.push(Diagnostic::error(&code::NOT_YET, place, format!("{shown} is not supported yet")));
        }
    }

    fn item(&mut self, item: &Item) {
        match item {
            Item::Pattern(pattern) => self.pattern(pattern),
            Item::Table(table) => self.meet(Construct::Table, table.name.place, "a `table`"),
            Item::Stream(stream) => {
                self.streams += 1;
                if self.streams > 1 {
                    self.meet(Construct::SeveralStreams, stream.name.place, "a second stream");
                }
            }
            Item::Param(_) | Item::Let(_) => {}
        }
    }

    fn pattern(&mut self, pattern: &Pattern) {
        for clause in &pattern.clauses {
            match &clause.kind {
                ClauseKind::From(streams) if streams.len() > 1 => {
                    self.meet(Construct::SeveralStreams, clause.place, "`from` more than one stream");
                }
                ClauseKind::KeyMap(_) => {
                    self.meet(Construct::KeyMap, clause.place, "a `key` that differs by stream or stage")
                }
                ClauseKind::From(_) | ClauseKind::Key(_) | ClauseKind::Active { .. } => {}
            }
        }
        self.sequence(&pattern.sequence);
        for ending in &pattern.endings {
            self.ending(&ending.kind, ending.place);
        }
    }

    fn ending(&mut self, kind: &EndingKind, place: Place) {
        match kind {
            EndingKind::Skip(_) | EndingKind::Keep(Keep::All) | EndingKind::Within(_) | EndingKind::Cooldown(_) => {}
            EndingKind::WithinEvents(_) => self.meet(Construct::WithinEvents, place, "`within .. events`"),
            EndingKind::Keep(Keep::Latest) => self.meet(Construct::Keep, place, "`keep latest`"),
            EndingKind::Keep(Keep::First) => self.meet(Construct::Keep, place, "`keep first`"),
            EndingKind::Emit(_) => self.meet(Construct::Emit, place, "`emit`"),
            EndingKind::Timeout(_) => self.meet(Construct::Timeout, place, "`timeout`"),
        }
    }

    fn sequence(&mut self, sequence: &Sequence) {
        sequence.steps.iter().for_each(|step| self.step(step));
    }

    fn step(&mut self, step: &Step) {
        match &step.term {
            Term::Stage(stage) => {
                if let Some(stream) = &stage.stream {
                    self.meet(Construct::StreamOfStage, stream.place, "a stage's stream");
                }
            }
            Term::Group(group) => group.parts.iter().for_each(|part| self.sequence(part)),
        }
    }
}
