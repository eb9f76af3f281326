//! What the language has and the engine does not run yet. Each construct has one line in [`REFUSED`]; who teaches the engine
//! a construct takes its line away, and its variant with it.

use crate::code;
use crate::diagnostic::Diagnostic;
use crate::tree::{EndingKind, File, Item, Pattern, Place};

/// A construct that can be refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Construct {
    WithinEvents,
}

/// What the engine does not run yet.
const REFUSED: &[Construct] = &[Construct::WithinEvents];

/// The diagnostics for what files have of it.
pub(crate) fn refused(files: &[File]) -> Vec<Diagnostic> {
    let mut gate = Gate { found: Vec::new() };
    let mut refused = Vec::new();
    for (source, file) in files.iter().enumerate() {
        file.items.iter().for_each(|item| gate.item(item));
        refused.extend(gate.found.drain(..).map(|diagnostic| diagnostic.of(source)));
    }
    refused
}

struct Gate {
    found: Vec<Diagnostic>,
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
            Item::Table(_) | Item::Stream(_) | Item::Param(_) | Item::Let(_) => {}
        }
    }

    fn pattern(&mut self, pattern: &Pattern) {
        for ending in &pattern.endings {
            self.ending(&ending.kind, ending.place);
        }
    }

    fn ending(&mut self, kind: &EndingKind, place: Place) {
        match kind {
            EndingKind::Skip(_) | EndingKind::Keep(_) | EndingKind::Within(_) | EndingKind::Cooldown(_) => {}
            EndingKind::WithinEvents(_) => self.meet(Construct::WithinEvents, place, "`within .. events`"),
            EndingKind::Emit(_) | EndingKind::Timeout(_) => {}
        }
    }
}
