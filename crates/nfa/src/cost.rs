//! What a pattern costs: how finely its open runs have to be told apart, and what lets them go.
//!
//! It says in words what `runs`, `registers` and `ordered` do with a program, from the program alone.

use std::collections::BTreeSet;
use std::fmt;
use std::num::NonZeroU32;

use ensue_model::expr::{Aggregate, Ask, Expr, Lookback, LookbackId, Pick, write_name};
use ensue_model::pattern::{Skip, StageId};
use ensue_model::{FieldId, Pattern, Patterns, Span};

use crate::listing::keep_text;
use crate::program::{Action, Asked, Edge, Guard, Kept, Program, ShuffleId, State, StateKind, Test, Window};

/// How the open runs of a key are held, which is what an event can cost.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Cost {
    /// All runs that wait for the same move as one, however many there are.
    Constant,
    /// Runs are told apart, and move as one where nothing differs.
    Groups {
        /// What tells them apart; not empty.
        apart: Vec<Apart>,
        /// Whether an event has to be compared with what the runs of each group have taken.
        compared: bool,
    },
    /// Runs are held one by one, because of this skip strategy, as it is written.
    Runs(String),
    /// Of the runs that wait for the same, one is held, because of this, as it is written.
    Kept(&'static str),
}

/// What tells runs apart.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Apart {
    /// The event that they began with: each has a window of its own, and something comes out when it ends.
    Start(WindowEnd),
    /// What later conditions ask of their events, as a pattern would write it: `last(a).v`.
    Value(String),
    /// The time from which a step's window counts: `within 5m of previous`, as the pattern writes it.
    StepTime(String),
    /// The event from which a step's window counts: `within 5 events of previous`, as the pattern writes it.
    StepEvent(String),
}

/// What comes out when the window of a run ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum WindowEnd {
    /// The run, as a timeout.
    Timeout,
    /// The run, as a match: the pattern ends with `notFollowedBy`.
    Absence,
    /// Nothing; but the window ends when so many events of the key have come.
    Counted(NonZeroU32),
}

/// What ends the open runs of a key, and so bounds what is held.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Bound {
    /// No run stays open: one event is a match.
    Instant,
    /// The window of the pattern.
    Window(Span),
    /// That many events of the key.
    Events(NonZeroU32),
    /// The window of the pattern, or that many events of the key, whichever is over first.
    WindowOrEvents(Span, NonZeroU32),
    /// The windows of its steps.
    Steps,
    /// A run goes on with each event or ends, and cannot go on for ever.
    Strict,
    /// A run goes on with each event or ends; but it can go on for as long as events fit.
    WhileFitting,
    /// A run may wait for ever; but of those that wait for the same, one is kept, because of this, as it is written.
    Kept(&'static str),
    /// A run may wait for ever.
    Nothing,
}

impl Program {
    /// What the program costs; `timeouts` says whether anybody takes its timeouts. The pattern is the one that it was
    /// compiled from, and one of the patterns.
    pub fn cost(&self, patterns: &Patterns, pattern: &Pattern, timeouts: bool) -> Cost {
        if let Some(keep) = keep_text(self.keep) {
            return Cost::Kept(keep);
        }
        if let Some(skip) = skip_text(self.skip, pattern) {
            return Cost::Runs(skip);
        }
        let mut apart: Vec<Apart> = self.window_end(timeouts).map(Apart::Start).into_iter().collect();
        let (any, after_begin) = (vec![true; self.states.len()], self.after_begin());
        // Where starts are told apart, they say all of what the first event alone can say.
        let telling = if apart.is_empty() { &any } else { &after_begin };
        let mut compared = false;
        for (kept, position) in self.kept.iter().zip(0..) {
            let id = LookbackId(position);
            let is_asked = self.asked_ahead(id);
            compared |= self.takes_for(kept, &is_asked, &any);
            if self.takes_for(kept, &is_asked, telling) {
                apart.extend(self.kept_apart(id, patterns, pattern));
            }
        }
        if apart.is_empty() { Cost::Constant } else { Cost::Groups { apart, compared } }
    }

    /// What ends open runs.
    pub fn bound(&self) -> Bound {
        let waits = self.waits();
        if !waits.contains(&true) {
            Bound::Instant
        } else if let Some(whole) = self.bound_of_whole() {
            whole
        } else if (0..waits.len()).any(|state| waits[state] && self.lets_pass(state, &waits) && !self.closes(state)) {
            keep_text(self.keep).map_or(Bound::Nothing, Bound::Kept)
        } else if self.has_step_windows() {
            Bound::Steps
        } else if self.has_circle(&waits) {
            Bound::WhileFitting
        } else {
            Bound::Strict
        }
    }

    fn bound_of_whole(&self) -> Option<Bound> {
        match (self.within, self.within_events) {
            (None, None) => None,
            (Some(within), None) => Some(Bound::Window(within)),
            (None, Some(events)) => Some(Bound::Events(events)),
            (Some(within), Some(events)) => Some(Bound::WindowOrEvents(within, events)),
        }
    }

    /// The fields that its conditions read, of the event under test and of earlier ones.
    pub fn fields(&self) -> BTreeSet<FieldId> {
        let conditions = self.conditions.iter().filter_map(|condition| match &condition.test {
            Test::Holds(expr) => Some(expr),
            Test::KeyedBy(_) | Test::InWindow { .. } => None,
        });
        let asks = self.kept.iter().filter_map(|kept| match &kept.asked {
            Asked::Value(Ask::Pick(_, expr) | Ask::Aggregate(_, expr)) => Some(expr),
            Asked::Number => None,
        });
        let mut fields = BTreeSet::new();
        for expr in conditions.chain(asks) {
            expr.walk(&mut |expr| {
                if let Expr::Field(field) = expr {
                    fields.insert(*field);
                }
            });
        }
        fields
    }

    /// What comes out when a window ends; without a window, or where nothing comes out when one in time ends, starts do not
    /// count.
    fn window_end(&self, timeouts: bool) -> Option<WindowEnd> {
        self.bound_of_whole()?;
        match (self.has_absence_at_end(), timeouts) {
            (true, _) => Some(WindowEnd::Absence),
            (false, true) => Some(WindowEnd::Timeout),
            (false, false) => self.within_events.map(WindowEnd::Counted),
        }
    }

    /// Whether an event that is taken in one of these states counts for what is kept, and a condition ahead may ask for it.
    fn takes_for(&self, kept: &Kept, is_asked: &[bool], states: &[bool]) -> bool {
        let counts = |state: &State| kept.stage.is_none_or(|stage| state.stage == Some(stage));
        let counting = self.states.iter().zip(states).filter(|(state, is_one)| **is_one && counts(state));
        counting.flat_map(|(state, _)| takes(state)).any(|edge| is_asked[edge.target.index()])
    }

    /// What is kept, in the pattern's words: what it asks for itself, or else the windows of its steps.
    fn kept_apart(&self, id: LookbackId, patterns: &Patterns, pattern: &Pattern) -> Vec<Apart> {
        if let Some(lookback) = pattern.lookbacks.get(usize::from(id.0)) {
            return vec![Apart::Value(value_text(lookback, id, patterns, pattern))];
        }
        let windows = self.states.iter().flat_map(|state| &state.windows).filter(|window| window.since == id);
        let texts: BTreeSet<String> = windows.map(|window| self.window_text(window.since, window.span)).collect();
        let apart = match self.kept[usize::from(id.0)].asked {
            Asked::Value(_) => Apart::StepTime,
            Asked::Number => Apart::StepEvent,
        };
        texts.into_iter().map(apart).collect()
    }

    /// For each state, whether a condition there or ahead asks for the lookback.
    fn asked_ahead(&self, lookback: LookbackId) -> Vec<bool> {
        let asks: Vec<bool> =
            self.conditions.iter().map(|condition| condition.lookbacks().contains(&lookback)).collect();
        let mut before: Vec<Vec<usize>> = vec![Vec::new(); self.states.len()];
        let mut next = Vec::new();
        for (position, state) in self.states.iter().enumerate() {
            let mut is_asked = false;
            for next in self.other_parts(position) {
                before[next].push(position);
            }
            for edge in &state.edges {
                before[edge.target.index()].push(position);
                edge.guard.conditions(&mut |condition| is_asked |= asks[usize::from(condition.0)]);
            }
            next.extend(is_asked.then_some(position));
        }
        reach(next, |state| before[state].clone(), self.states.len())
    }

    /// For each state, whether a run that has begun can come there.
    fn after_begin(&self) -> Vec<bool> {
        let onward = |state| self.targets(state, |action| matches!(action, Action::Proceed | Action::Begin(_)));
        let first = reach(vec![self.start.index()], onward, self.states.len());
        let first = self.states.iter().zip(first).filter(|(_, is_first)| *is_first);
        let begun = first.flat_map(|(state, _)| takes(state)).map(|edge| edge.target.index()).collect();
        reach(begun, |state| self.onward(state), self.states.len())
    }

    /// Where a run goes on from a state: behind a part of an any-order group, also with the other parts.
    fn onward(&self, state: usize) -> Vec<usize> {
        let mut onward = self.targets(state, |_| true);
        onward.extend(self.other_parts(state));
        onward
    }

    fn other_parts(&self, state: usize) -> impl Iterator<Item = usize> {
        let shuffle = match self.states[state].kind {
            StateKind::PartEnd(shuffle) => Some(self.shuffle(shuffle)),
            StateKind::Normal | StateKind::Final | StateKind::Stop | StateKind::Absence => None,
            StateKind::Fork | StateKind::Shuffle(_) => None,
        };
        shuffle.into_iter().flat_map(|shuffle| &shuffle.parts).map(|part| part.head.index())
    }

    /// For each state, whether a run that has begun can come there and is open then.
    fn waits(&self) -> Vec<bool> {
        let is_open = |state: &State| match state.kind {
            StateKind::Normal | StateKind::Absence | StateKind::Fork => true,
            StateKind::Shuffle(_) | StateKind::PartEnd(_) => true,
            StateKind::Final | StateKind::Stop => false,
        };
        self.after_begin()
            .into_iter()
            .zip(&self.states)
            .map(|(is_reached, state)| is_reached && is_open(state))
            .collect()
    }

    fn targets(&self, state: usize, by: impl Fn(Action) -> bool) -> Vec<usize> {
        let edges = self.states[state].edges.iter().filter(|edge| by(edge.action) && !is_never(&edge.guard));
        edges.map(|edge| edge.target.index()).collect()
    }

    /// Whether a run can pass an event over there and stay open; behind a part of an any-order group, while it waits for
    /// others.
    fn lets_pass(&self, state: usize, waits: &[bool]) -> bool {
        match self.states[state].kind {
            StateKind::PartEnd(shuffle) => self.shuffle(shuffle).between.is_some(),
            StateKind::Normal | StateKind::Final | StateKind::Stop | StateKind::Absence => self.ignores(state, waits),
            StateKind::Fork | StateKind::Shuffle(_) => self.ignores(state, waits),
        }
    }

    fn ignores(&self, state: usize, waits: &[bool]) -> bool {
        self.targets(state, |action| action == Action::Ignore).into_iter().any(|target| waits[target])
    }

    /// Whether the state has a window that is always counted: its anchor has been taken by then, whatever the way. Where a
    /// run waits for several things, whether so many have one that the others will not do.
    fn closes(&self, state: usize) -> bool {
        let State { kind, windows, .. } = &self.states[state];
        let ahead = match kind {
            StateKind::Normal | StateKind::Final | StateKind::Stop | StateKind::Absence => false,
            StateKind::Fork => {
                self.targets(state, |action| action == Action::Proceed).into_iter().all(|branch| self.closes(branch))
            }
            StateKind::Shuffle(shuffle) => self.open_parts(*shuffle) < self.shuffle(*shuffle).needed,
            // One part is over, and that may be one with a window.
            StateKind::PartEnd(shuffle) => self.open_parts(*shuffle) + 1 < self.shuffle(*shuffle).needed,
        };
        ahead || self.has_counted_window(state, windows)
    }

    /// How many parts of an any-order group can be waited for without end.
    fn open_parts(&self, shuffle: ShuffleId) -> usize {
        self.shuffle(shuffle).parts.iter().filter(|part| !self.closes(part.head.index())).count()
    }

    fn has_counted_window(&self, state: usize, windows: &[Window]) -> bool {
        windows.iter().any(|window| match self.kept[usize::from(window.since.0)].stage {
            None => true,
            Some(anchor) => !self.reached_without(anchor)[state],
        })
    }

    /// For each state, whether a run can come there that has taken no event into the stage.
    fn reached_without(&self, stage: StageId) -> Vec<bool> {
        let onward = |state: usize| match self.states[state].stage == Some(stage) {
            true => self.targets(state, |action| action != Action::Take),
            false => self.onward(state),
        };
        reach(vec![self.start.index()], onward, self.states.len())
    }

    /// Whether a run can come back to where it was: states without another before them are taken away until none is left.
    fn has_circle(&self, among: &[bool]) -> bool {
        // The parts of an any-order group are taken once each: that others follow one is no circle.
        let inside = |state: usize| self.targets(state, |_| true).into_iter().filter(|target| among[*target]);
        let mut before = vec![0_usize; self.states.len()];
        let members: Vec<usize> = (0..among.len()).filter(|state| among[*state]).collect();
        members.iter().flat_map(|state| inside(*state)).for_each(|target| before[target] += 1);
        let mut free: Vec<usize> = members.iter().copied().filter(|state| before[*state] == 0).collect();
        let mut taken = 0;
        while let Some(state) = free.pop() {
            taken += 1;
            for target in inside(state) {
                before[target] -= 1;
                free.extend((before[target] == 0).then_some(target));
            }
        }
        taken < members.len()
    }
}

fn takes(state: &State) -> impl Iterator<Item = &Edge> {
    state.edges.iter().filter(|edge| edge.action == Action::Take && !is_never(&edge.guard))
}

/// Whether no event opens it: what does not fit `where true`.
fn is_never(guard: &Guard) -> bool {
    match guard {
        Guard::Not(guard) => **guard == Guard::Always,
        Guard::All(guards) => guards.iter().any(is_never),
        Guard::Always | Guard::When(_) => false,
    }
}

/// What can be reached from there.
fn reach(mut next: Vec<usize>, onward: impl Fn(usize) -> Vec<usize>, count: usize) -> Vec<bool> {
    let mut reached = vec![false; count];
    while let Some(state) = next.pop() {
        if !std::mem::replace(&mut reached[state], true) {
            next.extend(onward(state));
        }
    }
    reached
}

fn skip_text(skip: Skip, pattern: &Pattern) -> Option<String> {
    match skip {
        Skip::None => None,
        Skip::ToNext => Some("skip to next".into()),
        Skip::PastLast => Some("skip past last".into()),
        Skip::ToFirst(stage) => Some(format!("skip to first {}", name(pattern, stage))),
        Skip::ToLast(stage) => Some(format!("skip to last {}", name(pattern, stage))),
    }
}

fn name(pattern: &Pattern, stage: StageId) -> String {
    fmt::from_fn(|f| write_name(f, pattern.stage_name(stage))).to_string()
}

/// What is kept for a lookback, which may be more than its value.
fn value_text(lookback: &Lookback, id: LookbackId, patterns: &Patterns, pattern: &Pattern) -> String {
    let asked = id.display(patterns, pattern);
    match lookback.ask {
        // The ones that will be that far from the end are kept too.
        Ask::Pick(Pick::At(..-1), _) => format!("`{asked}` with those after it"),
        Ask::Aggregate(Aggregate::Avg, _) => format!("`{asked}` with its count"),
        Ask::Pick(Pick::First | Pick::Last | Pick::At(_), _) | Ask::Aggregate(..) => format!("`{asked}`"),
    }
}

impl Cost {
    /// What an event costs, in one sentence.
    pub fn per_event(&self) -> &'static str {
        match self {
            Cost::Constant => "all runs that wait for the same move as one, however many they are",
            Cost::Groups { compared: true, .. } => "an event is tried with each group",
            Cost::Groups { compared: false, .. } => {
                "an event that fits moves each group that waits for it; any other costs nothing more"
            }
            Cost::Runs(_) | Cost::Kept(_) => "an event is tried with each open run",
        }
    }
}

impl fmt::Display for Cost {
    /// As a person who writes patterns would say it: `one group per distinct `last(a).v``.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Cost::Constant => f.write_str("constant per event"),
            Cost::Groups { apart, .. } => write_groups(f, apart),
            Cost::Runs(skip) => write!(f, "one per run, because of `{skip}`"),
            Cost::Kept(keep) => write!(f, "one run per set of stages that runs wait for, because of `{keep}`"),
        }
    }
}

fn write_groups(f: &mut fmt::Formatter<'_>, apart: &[Apart]) -> fmt::Result {
    let (mut starts, mut values, mut times, mut events) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for apart in apart {
        match apart {
            Apart::Start(end) => starts.push(end.to_string()),
            Apart::Value(value) => values.push(value.as_str()),
            Apart::StepTime(step) => times.push(format!("of `{step}`")),
            Apart::StepEvent(step) => events.push(format!("of `{step}`")),
        }
    }
    let mut per: Vec<String> = starts.iter().map(|_| "start".to_owned()).collect();
    per.extend((!values.is_empty()).then(|| format!("distinct {}", listed(&values))));
    per.extend((!times.is_empty()).then(|| "time that a step's window counts from".to_owned()));
    per.extend((!events.is_empty()).then(|| "event that a step's window counts from".to_owned()));
    let because = [starts, times, events].concat();
    write!(f, "one group per {}", listed(&per))?;
    if because.is_empty() { Ok(()) } else { write!(f, ", because {}", listed(&because)) }
}

/// "a", "a and b", "a, b and c"
fn listed(items: &[impl AsRef<str>]) -> String {
    let items: Vec<&str> = items.iter().map(AsRef::as_ref).collect();
    match items.as_slice() {
        [most @ .., last] if !most.is_empty() => format!("{} and {last}", most.join(", ")),
        items => items.concat(),
    }
}

impl fmt::Display for WindowEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            WindowEnd::Timeout => f.write_str("its timeouts come out"),
            WindowEnd::Absence => f.write_str("it ends with an absence, which is a match when the window ends"),
            WindowEnd::Counted(within) => write!(f, "`within {within} events` counts from it"),
        }
    }
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Bound::Instant => f.write_str("none: one event is a match"),
            Bound::Window(within) => write!(f, "a run ends {} after its first event", within.in_words()),
            Bound::Events(events) => write!(f, "a run ends {events} events of its key after its first"),
            Bound::WindowOrEvents(within, events) => {
                write!(f, "a run ends {}, or {events} events of its key, after its first event", within.in_words())
            }
            Bound::Steps => f.write_str("the windows of its steps bound how long a run waits"),
            Bound::Strict => f.write_str("bounded: a run ends with the first event of its key that does not fit"),
            Bound::WhileFitting => f.write_str(
                "nothing bounds how many events can fit: no `within`; a run ends with the first of its key that does not",
            ),
            Bound::Kept(keep) => write!(f, "`{keep}` bounds how many runs a key has; each may wait for ever"),
            Bound::Nothing => f.write_str("nothing bounds it: a run may wait for ever, as there is no `within`"),
        }
    }
}
