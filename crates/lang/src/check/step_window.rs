//! `within 5m of previous`, `within 5 events of previous`: the window of one step.

use std::ops::Range;

use ensue_model::Span;
use ensue_model::pattern::{Anchor, Relation, StageId, StepWindow, WindowSpan};

use super::bounds::event_count;
use super::expression::Lowering;
use super::names;
use super::pattern::duration;
use crate::code;
use crate::diagnostic::Diagnostic;
use crate::tree::{Expr, Name, Step, StepSpan, StepWithin};

/// The word that stands for the latest event that a run has taken, whichever stage took it.
const PREVIOUS: &str = "previous";

/// A step that may have a window.
pub(super) struct Windowed<'t> {
    pub(super) step: &'t Step,
    /// The stages of the step, by their positions.
    pub(super) stages: Range<u16>,
    /// Whether nothing comes after it.
    pub(super) is_last: bool,
}

impl Windowed<'_> {
    /// The window. None where there is none, or where something is wrong with it, which has been reported.
    pub(super) fn check(&self, lowering: &mut Lowering<'_, '_>) -> Option<StepWindow> {
        let within = self.step.within.as_ref()?;
        if let Some(diagnostic) = self.not_here(within) {
            lowering.report(diagnostic);
            return None;
        }
        let span = match &within.span {
            StepSpan::Time(span) => positive_span(lowering, span).map(WindowSpan::Time),
            StepSpan::Events(count) => event_count(lowering, count).map(WindowSpan::Events),
        };
        let anchor = self.anchor(lowering, within);
        Some(StepWindow { span: span?, anchor: anchor? })
    }

    /// A negated stage takes nothing and so waits for nothing, unless the pattern ends with its absence.
    fn not_here(&self, within: &StepWithin) -> Option<Diagnostic> {
        let (message, help) = match (self.step.relation, self.is_last) {
            (Relation::Next | Relation::FollowedBy | Relation::FollowedByAny, _) => return None,
            (Relation::NotFollowedBy, true) => return None,
            (Relation::NotFollowedBy, false) => (
                "this `notFollowedBy` lasts until the next stage is taken, so it has no window of its own",
                "write the `within` at the next stage, which it then bounds together with the absence",
            ),
            (Relation::NotNext, _) => (
                "`notNext` looks at the very next event, whenever that comes, so it has no window",
                "that something does not come for some time is said with `notFollowedBy` at the end",
            ),
        };
        let diagnostic = Diagnostic::error(&code::NEGATED_SHAPE, within.place, message);
        Some(diagnostic.also(self.step.relation_place, "negated here").help(help))
    }

    fn anchor(&self, lowering: &mut Lowering<'_, '_>, within: &StepWithin) -> Option<Anchor> {
        let found = match within.anchor.text.as_str() {
            PREVIOUS => self.previous(lowering, within),
            _ => self.stage(lowering, &within.anchor),
        };
        found.map_err(|diagnostic| lowering.report(*diagnostic)).ok()
    }

    /// Before the first event of a run there is none to count from.
    fn previous(&self, lowering: &Lowering<'_, '_>, within: &StepWithin) -> Result<Anchor, Box<Diagnostic>> {
        let stages = lowering.stages;
        if self.stages().any(|stage| stages.get(stage).negated || stages.can_come_second(stage)) {
            return Ok(Anchor::Previous);
        }
        let message = "nothing is taken before this, so there is nothing to count from";
        let diagnostic = Diagnostic::error(&code::NO_ANCHOR, within.anchor.place, message);
        Err(Box::new(diagnostic.help("to bound the whole match, write `within` without `of`, behind the sequence")))
    }

    fn stage(&self, lowering: &Lowering<'_, '_>, name: &Name) -> Result<Anchor, Box<Diagnostic>> {
        let stages = lowering.stages;
        let Some(anchor) = stages.find(&name.text) else { return Err(Box::new(unknown(lowering, name))) };
        let info = stages.get(anchor);
        if info.negated {
            let message = format!("stage `{}` is negated and holds no events to count from", name.text);
            let diagnostic = Diagnostic::error(&code::NEGATED_STAGE, name.place, message);
            return Err(Box::new(diagnostic.also(info.name.place, "what is not to come is never taken")));
        }
        let counts = |stage| stages.can_precede(anchor, stage) && (anchor != stage || info.repeats);
        if self.stages().any(counts) {
            return Ok(Anchor::Stage(anchor));
        }
        Err(Box::new(never_before(name, info.name, self.stages().any(|stage| stage == anchor))))
    }

    fn stages(&self) -> impl Iterator<Item = StageId> {
        self.stages.clone().map(StageId)
    }
}

/// A window that is longer than nothing.
fn positive_span(lowering: &mut Lowering<'_, '_>, span: &Expr) -> Option<Span> {
    let diagnostic = match duration(lowering.declared, span) {
        Ok(Some(Span::ZERO)) => {
            let message = "no event lies in a window that has no length";
            let diagnostic = Diagnostic::error(&code::NOT_A_DURATION, span.place, message);
            Box::new(diagnostic.help("write how long to wait, as in `15m`"))
        }
        Ok(length) => return length,
        Err(diagnostic) => diagnostic,
    };
    lowering.report(*diagnostic);
    None
}

fn unknown(lowering: &Lowering<'_, '_>, name: &Name) -> Diagnostic {
    let names = lowering.stages.names().chain([PREVIOUS]);
    let help = names::meant(&name.text, names);
    let all = || names::listed("it counts from `previous`, or from a stage:", lowering.stages.names());
    let message = format!("there is no stage `{}`", name.text);
    Diagnostic::error(&code::UNKNOWN_STAGE, name.place, message).help(help.unwrap_or_else(all))
}

fn never_before(name: &Name, stage: &Name, is_itself: bool) -> Diagnostic {
    let message = match is_itself {
        true => format!("`{}` is taken once, so no event of it comes before", name.text),
        false => format!("stage `{}` is never taken before this", name.text),
    };
    let diagnostic = Diagnostic::error(&code::NO_ANCHOR, name.place, message);
    let help = "a window counts from the latest event, `previous`, or from an earlier stage";
    diagnostic.also(stage.place, if is_itself { "it does not repeat" } else { "it stands here" }).help(help)
}
