//! What an event, or the end of its window, does to the only run of a key. Most keys have one run of one event, or none; what an
//! event does to such a key follows from where the run waits and from which conditions hold, and is kept in a table.

use ensue_model::pattern::{Active, StageId};
use ensue_model::{Event, Timestamp};

use crate::incoming::Incoming;
use crate::program::{Of, Program};
use crate::scratch::Scratch;
use crate::subsets::{Bits, SubsetId, Taking, Transition};

/// What an event does to a key that has one run of one event, or none.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum OneStep {
    /// Nothing.
    Stay,
    /// It starts the only run.
    Start { stage: StageId, target: SubsetId },
    /// The run passes it over, and waits elsewhere.
    Move(SubsetId),
    /// The run ends.
    End,
    /// The run takes it, and is a match with it.
    Match(StageId),
    /// There may be more than one run behind it, or a run with more than one event.
    More,
}

/// What is known of the steps of a program that has few conditions, all on the event alone.
#[derive(Debug)]
pub(crate) struct OneSteps {
    /// One place for each combination of conditions: first of a key without runs, then of one whose run waits in the first
    /// subset, and so on.
    known: Vec<Option<OneStep>>,
    /// How many conditions there are; none if there are too many.
    conditions: Option<u32>,
}

/// So many conditions have a place for each combination.
const CONDITIONS_MAX: usize = 5;

impl OneSteps {
    pub(crate) fn new(program: &Program) -> Self {
        let is_known = program.conditions.len() <= CONDITIONS_MAX
            && program.active == Active::default()
            && program.conditions.iter().all(|condition| condition.of == Of::Event);
        OneSteps { known: Vec::new(), conditions: is_known.then_some(program.conditions.len() as u32) }
    }

    /// The place of what an event does that fulfils these conditions.
    #[inline]
    fn place(&self, waits: Option<SubsetId>, held: Bits) -> Option<usize> {
        let row = waits.map_or(0, |subset| subset.0 as usize + 1);
        Some((row << self.conditions?) + held as usize)
    }

    fn learn(&mut self, place: usize, step: OneStep) {
        if place >= self.known.len() {
            self.known.resize(place + 1, None);
        }
        self.known[place] = Some(step);
    }
}

impl Program {
    /// What the event that was looked at does to a key whose only run waits in a subset, or that has no runs.
    #[inline]
    pub(crate) fn one_step<E: Event>(
        &self,
        waits: Option<SubsetId>,
        incoming: &Incoming<E>,
        scratch: &mut Scratch,
    ) -> OneStep {
        let steps = &scratch.one_steps;
        let place = steps.place(waits, scratch.held);
        match place.and_then(|place| *steps.known.get(place)?) {
            Some(known) => known,
            None => self.find_one_step(waits, incoming, scratch, place),
        }
    }

    #[cold]
    fn find_one_step<E: Event>(
        &self,
        waits: Option<SubsetId>,
        incoming: &Incoming<E>,
        scratch: &mut Scratch,
        place: Option<usize>,
    ) -> OneStep {
        let step = match waits {
            None => self.first_step(incoming, scratch),
            Some(subset) => self.next_step(subset, incoming, scratch),
        };
        if let Some(place) = place {
            scratch.one_steps.learn(place, step);
        }
        step
    }

    fn first_step<E: Event>(&self, incoming: &Incoming<E>, scratch: &mut Scratch) -> OneStep {
        let Some(start) = self.beginning(incoming, scratch) else { return OneStep::Stay };
        match scratch.transition(start).taken[..] {
            [Taking { stage, target: Some(target), matches: false }] => OneStep::Start { stage, target },
            _ => OneStep::More,
        }
    }

    fn next_step<E: Event>(&self, subset: SubsetId, incoming: &Incoming<E>, scratch: &mut Scratch) -> OneStep {
        let transition = scratch.find(self, subset, incoming);
        if self.beginning(incoming, scratch).is_some() {
            return OneStep::More;
        }
        let Transition { passed, passed_matches, taken, is_stay } = scratch.transition(transition);
        match (passed, &taken[..]) {
            _ if *passed_matches => OneStep::More,
            (Some(_), []) if *is_stay => OneStep::Stay,
            (Some(target), []) => OneStep::Move(*target),
            (None, []) => OneStep::End,
            (None, [Taking { stage, target: None, matches: true }]) => OneStep::Match(*stage),
            _ => OneStep::More,
        }
    }

    /// When the only run of a key ends that began at a time. Nothing is kept of its event but the event, so that no window counts
    /// from it but that of the whole.
    #[inline]
    pub(crate) fn end_of_one(&self, began: Timestamp) -> Option<Timestamp> {
        self.within.map(|within| began + within)
    }
}
