//! Makes runs with lives of the steps that the matcher tells.

use std::collections::HashMap;
use std::hash::Hash;

use ensue_model::pattern::StageId;
use ensue_model::{Event, Pattern, Patterns, Timestamp, Value};

use super::words::{Answer, Words};
use super::{End, Happening, Moment, Placed, Run, places};
use crate::reference::{Held, Item, KeptBack, Look, Observer, Step};

/// What a storyteller makes.
#[derive(Debug, Default)]
pub(super) struct Told {
    pub(super) runs: Vec<Run>,
    pub(super) moments: Vec<Moment>,
    pub(super) answers: Vec<Vec<Answer>>,
    pub(super) cut: Option<usize>,
}

/// Follows the steps of a matcher. Events are told by their place among the events, not among the items.
pub(super) struct Storyteller<'p, 'i, E> {
    words: Words<'p>,
    items: &'i [Item<Placed<E>>],
    /// For each item, which of the events it is.
    places: Vec<usize>,
    told: Told,
    /// The runs by what they hold or have held: one that was complete before may be told to be a match later.
    known: HashMap<Held, usize>,
    answers: HashMap<Vec<Answer>, usize>,
    /// The event that has come last.
    event: usize,
    /// Where among the moments that event is; those behind it are of the time since.
    came: usize,
    /// What runs have taken with that event, and do not wait, and were no match: by run, with what they hold.
    untold: Vec<usize>,
    /// Runs whose time is over, and have not timed out.
    closed: Vec<(usize, Timestamp)>,
    steps: usize,
    steps_max: usize,
}

impl<'p, 'i, E: Event> Storyteller<'p, 'i, E> {
    pub(super) fn new(
        patterns: &'p Patterns,
        pattern: &'p Pattern,
        items: &'i [Item<Placed<E>>],
        steps_max: usize,
    ) -> Self {
        Storyteller {
            words: Words { patterns, pattern },
            items,
            places: places(items),
            told: Told::default(),
            known: HashMap::new(),
            answers: HashMap::new(),
            event: 0,
            came: 0,
            untold: Vec::new(),
            closed: Vec::new(),
            steps: 0,
            steps_max,
        }
    }

    /// What has been told to the end.
    pub(super) fn told(mut self) -> Told {
        self.settle();
        self.told.moments[self.came..].sort_by_key(|moment| moment.at);
        if self.steps >= self.steps_max {
            let seen = self.told.moments.iter().filter(|moment| moment.event.is_some()).count();
            self.told.cut = Some(seen);
        }
        self.told
    }

    /// Ends what the last event or the last stretch of time has left open.
    fn settle(&mut self) {
        for run in std::mem::take(&mut self.untold) {
            if self.told.runs[run].end.is_none() {
                self.happen(self.came, Happening::Complete { run });
            }
        }
        for (run, at) in std::mem::take(&mut self.closed) {
            if self.told.runs[run].end.is_none() {
                self.end(run, at, End::Over, None);
            }
        }
    }

    fn came(&mut self, position: usize) {
        self.settle();
        let Item::Event(event) = &self.items[position] else { return };
        self.event = self.places[position];
        self.told.moments[self.came..].sort_by_key(|moment| moment.at);
        self.came = self.told.moments.len();
        self.told.moments.push(Moment { at: event.time(), event: Some(self.event), happenings: Vec::new() });
    }

    fn happen(&mut self, moment: usize, happening: Happening) {
        self.told.moments[moment].happenings.push(happening);
    }

    /// The moment for what happens at a time: that of the event that has come, or one of its own if time went on.
    fn moment_at(&mut self, at: Timestamp) -> usize {
        let came = self.told.moments.get(self.came).map(|moment| moment.at);
        if came.is_some_and(|came| at <= came) {
            return self.came;
        }
        let since = self.told.moments.iter().enumerate().skip(self.came);
        if let Some((known, _)) = since.into_iter().find(|(_, moment)| moment.event.is_none() && moment.at == at) {
            return known;
        }
        self.told.moments.push(Moment { at, event: None, happenings: Vec::new() });
        self.told.moments.len() - 1
    }

    fn looked(&mut self, look: Look<'p>) {
        let answers = self.words.answers(&look.asked);
        let answers = interned(&mut self.answers, &mut self.told.answers, answers);
        match self.run(&look.run) {
            Some(run) => self.looked_by(run, &look, answers),
            None if look.run.is_empty() && look.takes.is_empty() => {
                self.happen(self.came, Happening::NoneBegan { answers });
            }
            None => {
                for stage in &look.takes {
                    let run = self.begin(None, &look.run, *stage);
                    self.happen(self.came, Happening::Began { run, stage: *stage });
                }
            }
        }
    }

    fn looked_by(&mut self, run: usize, look: &Look<'p>, answers: usize) {
        // A match may go on.
        self.told.runs[run].end = None;
        let mut takes = look.takes.iter();
        if look.passes {
            self.pass(run, answers);
        } else if look.completes {
            self.pass(run, answers);
            self.untold.push(run);
        } else if let Some(stage) = takes.next() {
            self.take(run, &look.run, *stage);
            self.happen(self.came, Happening::Took { run, stage: *stage });
        } else {
            let end = match stopped_by(look) {
                Some(stage) => End::Stopped(stage),
                None => End::Unfit,
            };
            let at = self.told.moments[self.came].at;
            self.end(run, at, end, Some(answers));
        }
        for stage in takes {
            let child = self.begin(Some(run), &look.run, *stage);
            self.happen(self.came, Happening::Forked { run: child, from: run, stage: *stage });
        }
    }

    fn pass(&mut self, run: usize, answers: usize) {
        for happening in &mut self.told.moments[self.came].happenings {
            if let Happening::Passed { runs, answers: known } = happening
                && *known == answers
            {
                runs.push(run);
                return;
            }
        }
        self.happen(self.came, Happening::Passed { runs: vec![run], answers });
    }

    /// A run that begins with the event, by itself or as a fork.
    fn begin(&mut self, parent: Option<usize>, held: &Held, stage: StageId) -> usize {
        let run = self.told.runs.len();
        let taken = held.iter().map(|(stage, position)| (*stage, self.places[*position])).collect();
        let (waits, matched) = (Vec::new(), Vec::new());
        self.told.runs.push(Run { parent, since: self.event, taken, waits, end: None, matched });
        self.hold(run, held, stage);
        run
    }

    fn take(&mut self, run: usize, held: &Held, stage: StageId) {
        self.hold(run, held, stage);
    }

    fn hold(&mut self, run: usize, held: &Held, stage: StageId) {
        self.told.runs[run].taken.push((stage, self.event));
        let position = self.places.partition_point(|place| *place < self.event);
        let position = (position..).find(|at| matches!(self.items[*at], Item::Event(_))).unwrap_or(position);
        let mut held = held.clone();
        held.push((stage, position));
        self.known.insert(held, run);
        self.untold.push(run);
    }

    fn end(&mut self, run: usize, at: Timestamp, end: End, answers: Option<usize>) {
        self.told.runs[run].end = Some((at, end.clone()));
        let moment = self.moment_at(at);
        self.happen(moment, Happening::Ended { run, end, answers });
    }

    fn matched(&mut self, held: &Held, at: Timestamp, output: Result<usize, KeptBack>) {
        let Some(run) = self.known.get(held).copied() else { return };
        if self.run(held).is_none() {
            self.told.runs[run].matched.push(output);
            let moment = self.moment_at(at);
            return self.happen(moment, Happening::Matched { run, output });
        }
        // One that was a match since nothing came is over, unless it could take more: then it will be heard of again.
        let is_absent = |absent: Option<Timestamp>| absent.is_some_and(|absent| absent <= at);
        let waits = self.told.runs[run].waits.last();
        let is_open = !self.untold.contains(&run) && !waits.is_none_or(|(_, waiting)| is_absent(waiting.absent));
        self.untold.retain(|other| *other != run);
        self.told.runs[run].matched.push(output);
        if !is_open {
            self.told.runs[run].end = Some((at, End::Matched));
        }
        let moment = self.moment_at(at);
        self.happen(moment, Happening::Matched { run, output });
    }

    fn timed_out(&mut self, run: usize, at: Timestamp, awaiting: Vec<StageId>, output: Result<usize, KeptBack>) {
        self.closed.retain(|(other, _)| *other != run);
        self.told.runs[run].end = Some((at, End::TimedOut(awaiting.clone(), output)));
        let moment = self.moment_at(at);
        self.happen(moment, Happening::TimedOut { run, awaiting, output });
    }

    /// The run that holds this, and has not taken more since.
    fn run(&self, held: &Held) -> Option<usize> {
        self.known.get(held).copied().filter(|run| self.told.runs[*run].taken.len() == held.len())
    }
}

impl<'p, E: Event> Observer<'p> for Storyteller<'p, '_, E> {
    fn see(&mut self, _: &[Value<'static>], step: Step<'p>) {
        match step {
            Step::Came { position } => self.came(position),
            Step::Looked(look) => {
                self.steps += 1;
                self.looked(look);
            }
            Step::Waits { run, waiting } => {
                if let Some(run) = self.run(&run) {
                    self.untold.retain(|other| *other != run);
                    self.told.runs[run].waits.push((self.event, waiting));
                }
            }
            Step::Closed { run, at } => self.closed.extend(self.run(&run).map(|run| (run, at))),
            Step::Skipped { at, run, by } => {
                if let (Some(run), Some(by)) = (self.run(&run), self.run(&by))
                    && run != by
                {
                    self.untold.retain(|other| *other != run);
                    self.end(run, at, End::Skipped(by), None);
                }
            }
            Step::Displaced { run } => {
                if let Some(run) = self.run(&run) {
                    self.untold.retain(|other| *other != run);
                    let at = self.told.moments[self.came].at;
                    self.end(run, at, End::Displaced, None);
                }
            }
            Step::Matched { run, at, output } => {
                self.matched(&run, at, output);
            }
            Step::TimedOut { run, deadline, awaiting, output } => {
                if let Some(run) = self.run(&run) {
                    self.timed_out(run, deadline, awaiting, output);
                }
            }
        }
    }

    fn has_enough(&self) -> bool {
        self.steps >= self.steps_max
    }
}

/// The negation that met its event.
fn stopped_by(look: &Look<'_>) -> Option<StageId> {
    let met = look.asked.iter().find(|asked| asked.is_negated && asked.refusals.is_empty());
    met.filter(|_| look.is_stopped).map(|asked| asked.stage)
}

/// The place of a value in a list that holds each once.
fn interned<T: Clone + Eq + Hash>(known: &mut HashMap<T, usize>, all: &mut Vec<T>, value: T) -> usize {
    *known.entry(value).or_insert_with_key(|value| {
        all.push(value.clone());
        all.len() - 1
    })
}
