//! Where a run is, and what an event does there.
//!
//! Mostly it is at one state. In an any-order group it is in several parts at once, and in each part wherever what it has
//! taken can have led to: whether it has left a loop of that part, say, is not decided before it matters.
//!
//! # What happens in an any-order group
//!
//! * An event is taken by one part. Where several would take it, the run forks.
//! * The other parts that have begun see the event all the same: a part that waits for the very next event, or for an
//!   absence of this one, or whose window is over, lets the run end. They do not mind that it would fit them.
//! * An event that no part takes must be passed over by every part that has begun; and by the group, as long as there are
//!   parts that have not begun.
//! * When as many parts have begun as are needed, no other begins; when these can all be over, so can the group. An event that
//!   is passed over then lies either behind the group or inside it; if inside, another event must be taken before the
//!   group can be over.
//! * When the windows of steps leave fewer parts than are needed, the run has no way on in the group.
//! * A negation in a part that met its event ends the ways of that part which it concerns. If none is left, the run ends.

use std::collections::{BTreeMap, BTreeSet};

use ensue_model::pattern::StageId;
use ensue_model::{Event, Timestamp};

use super::automaton::{Action, AnyOrder, Automaton, Condition, Edge, Kind, State};
use super::moment::{Holding, Moment};

/// Where a run is.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(super) enum Position {
    /// At a state.
    At(usize),
    /// In an any-order group.
    Beside(Beside),
}

/// Where a run is in an any-order group that has begun.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(super) struct Beside {
    group: usize,
    /// For each part where it may be; nowhere, if it has not begun.
    parts: Vec<BTreeSet<Position>>,
    /// Whether an event was passed over when the group could have been over.
    lingers: bool,
}

/// What an event does in a position.
#[derive(Default)]
pub(super) struct Looked {
    /// Where the run can go: by taking the event into a stage, or by passing it over.
    pub(super) ways: Vec<(Option<StageId>, Position)>,
    /// Whether a negation met its event.
    pub(super) is_stopped: bool,
    /// Where it can go if another part of the group around takes the event.
    yielded: Vec<Position>,
    /// The ends of the part, if it may be over.
    ends: Vec<Position>,
}

impl Looked {
    /// By stage, all that taking the event can lead to.
    fn taken(&self) -> BTreeMap<StageId, BTreeSet<Position>> {
        let mut taken: BTreeMap<StageId, BTreeSet<Position>> = BTreeMap::new();
        for (stage, target) in &self.ways {
            if let Some(stage) = stage {
                taken.entry(*stage).or_default().insert(target.clone());
            }
        }
        taken
    }

    fn passed(&self) -> impl Iterator<Item = &Position> {
        self.ways.iter().filter(|(stage, _)| stage.is_none()).map(|(_, target)| target)
    }
}

impl<'p> Automaton<'p> {
    /// The state of a position that is one.
    pub(super) fn state(&self, position: &Position) -> Option<&State<'p>> {
        match position {
            Position::At(state) => Some(&self.states[*state]),
            Position::Beside(_) => None,
        }
    }

    pub(super) fn kind(&self, position: &Position) -> Kind {
        self.state(position).map_or(Kind::Open, |state| state.kind)
    }

    fn is_end(&self, position: &Position) -> bool {
        self.kind(position) == Kind::PartEnd
    }

    fn group(&self, beside: &Beside) -> &AnyOrder<'p> {
        &self.any_orders[beside.group]
    }

    /// How many parts are still to begin.
    fn to_begin(&self, beside: &Beside) -> usize {
        self.group(beside).needed - beside.parts.iter().filter(|part| !part.is_empty()).count()
    }

    /// A position and all that it proceeds to over edges that fit, each once: an empty round is not taken. A group that may be
    /// over is left.
    pub(super) fn proceed(&self, from: &Position, fits: &impl Fn(&Edge<'_>) -> bool) -> Vec<Position> {
        let mut seen = Vec::new();
        let mut open = vec![from.clone()];
        while let Some(position) = open.pop() {
            if seen.contains(&position) {
                continue;
            }
            match &position {
                Position::At(state) if self.states[*state].kind != Kind::PartEnd => {
                    let edges = self.states[*state].edges.iter();
                    let onward = edges.filter(|edge| edge.action == Action::Proceed && fits(edge));
                    open.extend(onward.map(|edge| Position::At(edge.target)));
                }
                Position::At(_) => {}
                Position::Beside(beside) if self.can_be_over(beside, fits) => {
                    open.push(Position::At(self.group(beside).sink));
                }
                Position::Beside(_) => {}
            }
            seen.push(position);
        }
        seen
    }

    fn can_be_over(&self, beside: &Beside, fits: &impl Fn(&Edge<'_>) -> bool) -> bool {
        let begun = || beside.parts.iter().filter(|part| !part.is_empty());
        !beside.lingers && self.to_begin(beside) == 0 && begun().all(|part| self.can_end(part, fits))
    }

    fn can_end(&self, part: &BTreeSet<Position>, fits: &impl Fn(&Edge<'_>) -> bool) -> bool {
        let ends = |position: &Position| {
            let state = self.state(position).filter(|state| state.kind == Kind::PartEnd);
            state.is_some_and(|end| end.edges.iter().all(fits))
        };
        part.iter().any(|position| self.proceed(position, fits).iter().any(ends))
    }

    /// What an event does in a position, and in all that it proceeds to.
    pub(super) fn look<E: Event>(&self, from: &Position, moment: &Moment<'_, E>) -> Looked {
        let mut looked = Looked::default();
        for position in self.proceed(from, &|edge: &Edge<'_>| moment.meets(&edge.condition)) {
            match &position {
                Position::At(state) => self.look_at(*state, moment, &mut looked),
                Position::Beside(beside) => self.look_beside(beside, moment, &mut looked),
            }
        }
        looked
    }

    fn look_at<E: Event>(&self, at: usize, moment: &Moment<'_, E>, looked: &mut Looked) {
        let state = &self.states[at];
        looked.is_stopped |= matches!(state.kind, Kind::Stopped(_));
        if let Kind::AnyOrder(_) = state.kind
            && self.way_at(at, moment.holding()).iter().any(|closes| is_over(*closes, moment.now()))
        {
            return;
        }
        for edge in state.edges.iter().filter(|edge| moment.meets(&edge.condition)) {
            let target = Position::At(edge.target);
            match (edge.action, state.kind) {
                (Action::Take(stage), _) => looked.ways.push((Some(stage), target)),
                (Action::Ignore, _) => looked.ways.push((None, target)),
                (Action::Yield, _) => looked.yielded.push(target),
                (Action::Begin(part), Kind::AnyOrder(group)) => self.begin(group, part, moment, looked),
                (Action::Begin(_), _) => unreachable!("only any-order groups have parts"),
                (Action::Proceed, Kind::PartEnd) => looked.ends.push(Position::At(at)),
                (Action::Proceed, _) => {}
            }
        }
    }

    /// The event may be the first that a group takes.
    fn begin<E: Event>(&self, group: usize, part: usize, moment: &Moment<'_, E>, looked: &mut Looked) {
        let first = Position::At(self.any_orders[group].parts[part].first);
        for (stage, targets) in self.look(&first, moment).taken() {
            let mut parts = vec![BTreeSet::new(); self.any_orders[group].parts.len()];
            parts[part] = targets;
            looked.ways.push((Some(stage), Position::Beside(Beside { group, parts, lingers: false })));
        }
    }

    fn look_beside<E: Event>(&self, beside: &Beside, moment: &Moment<'_, E>, looked: &mut Looked) {
        if !self.is_whole(beside) && is_over(self.ways_beside(beside, moment.holding())[0], moment.now()) {
            return;
        }
        let group = self.group(beside);
        let may_begin = self.to_begin(beside) > 0;
        let begun: Vec<Option<Looked>> =
            beside.parts.iter().map(|part| (!part.is_empty()).then(|| self.look_in_part(part, moment))).collect();
        let is_over = !may_begin && begun.iter().flatten().all(|part| !part.ends.is_empty());

        // Where the parts are, if the event is not theirs; none if one of them cannot be anywhere.
        let others =
            |without: Option<usize>, go_on: fn(&Looked) -> Vec<&Position>| -> Option<Vec<BTreeSet<Position>>> {
                let mut parts = Vec::new();
                for (index, part) in begun.iter().enumerate() {
                    let Some(part) = part.as_ref().filter(|_| without != Some(index)) else {
                        parts.push(BTreeSet::new());
                        continue;
                    };
                    let positions: BTreeSet<Position> = go_on(part).into_iter().chain(&part.ends).cloned().collect();
                    if positions.is_empty() {
                        return None;
                    }
                    parts.push(positions);
                }
                Some(parts)
            };

        for (index, part) in begun.iter().enumerate() {
            let taken = match part {
                Some(part) => part.taken(),
                None if may_begin => self.look(&Position::At(group.parts[index].first), moment).taken(),
                None => BTreeMap::new(),
            };
            for (stage, targets) in taken {
                if let Some(mut parts) = others(Some(index), |part| part.yielded.iter().collect()) {
                    parts[index] = targets;
                    looked.ways.push((Some(stage), self.settled(Beside { parts, lingers: false, ..beside.clone() })));
                }
            }
        }

        let lingers = beside.lingers || is_over;
        let ignore = group.ignore.as_ref().filter(|ignore| moment.meets(ignore));
        let waiting = group.parts.iter().zip(&begun).filter(|(_, begun)| begun.is_none());
        let fits = waiting.into_iter().any(|(part, _)| moment.meets(&part.begins));
        let passes = !may_begin || ignore.is_some_and(|_: &Condition<'_>| !(group.is_relaxed && fits));
        if passes && let Some(parts) = others(None, |part| part.passed().collect()) {
            let next = self.going_on(Beside { parts, lingers, ..beside.clone() });
            looked.ways.extend(next.map(|next| (None, next)));
        }
        if (!may_begin || ignore.is_some())
            && let Some(parts) = others(None, |part| part.yielded.iter().collect())
        {
            looked.yielded.extend(self.going_on(Beside { parts, lingers, ..beside.clone() }));
        }
    }

    /// What an event does in a part that has begun. A negation that met it ends the ways that it concerns.
    fn look_in_part<E: Event>(&self, part: &BTreeSet<Position>, moment: &Moment<'_, E>) -> Looked {
        let mut all = Looked::default();
        for looked in part.iter().map(|position| self.look(position, moment)).filter(|looked| !looked.is_stopped) {
            all.ways.extend(looked.ways);
            all.yielded.extend(looked.yielded);
            all.ends.extend(looked.ends);
        }
        all
    }

    /// The group after it has passed an event over. One that could have been over and can take nothing more is.
    fn going_on(&self, next: Beside) -> Option<Position> {
        let goes_on = !next.lingers || next.parts.iter().flatten().any(|position| !self.is_end(position));
        goes_on.then(|| self.settled(next))
    }

    /// A group of which nothing more can come is over.
    fn settled(&self, beside: Beside) -> Position {
        let is_free =
            |condition: &Condition<'_>| matches!(condition, Condition::All(conditions) if conditions.is_empty());
        let is_free_end = |position: &Position| {
            self.is_end(position)
                && self.state(position).is_some_and(|end| end.edges.iter().all(|edge| is_free(&edge.condition)))
        };
        let is_over = self.to_begin(&beside) == 0
            && beside.parts.iter().all(|part| part.is_empty() || part.len() == 1 && part.iter().all(is_free_end));
        if is_over { Position::At(self.group(&beside).sink) } else { Position::Beside(beside) }
    }

    /// Whether a run there has begun a loop that it may leave, or go on with: in a group, whether each part that is not over
    /// has.
    pub(super) fn in_loop(&self, position: &Position) -> bool {
        let Position::Beside(beside) = position else {
            return self.state(position).is_some_and(|state| state.in_loop);
        };
        let may_leave = |position: &Position| {
            let part = BTreeSet::from([position.clone()]);
            self.is_end(position) || self.in_loop(position) && self.can_end(&part, &|_: &Edge<'_>| true)
        };
        beside.parts.iter().filter(|part| !part.is_empty()).all(|part| part.iter().any(may_leave))
    }

    /// The stages that could take the next event, also by leaving a loop or something optional out, each with the time after
    /// which it is too late: in a group also because the group is.
    pub(super) fn awaited(&self, from: &Position, holding: Holding<'_>) -> Vec<(StageId, Option<Timestamp>)> {
        let mut found = Vec::new();
        for position in self.proceed(from, &|_: &Edge<'_>| true) {
            match &position {
                Position::At(at) => {
                    let state = &self.states[*at];
                    found.extend(state.edges.iter().filter_map(|edge| match edge.action {
                        Action::Take(stage) => Some((stage, closing(state, holding))),
                        Action::Ignore | Action::Proceed | Action::Begin(_) | Action::Yield => None,
                    }));
                    let begins = state.edges.iter().filter(|edge| matches!(edge.action, Action::Begin(_)));
                    let begins = begins.flat_map(|edge| self.awaited(&Position::At(edge.target), holding));
                    let closes = self.way_at(*at, holding).into_iter().flatten().min();
                    found.extend(begins.map(|(stage, own)| (stage, earliest(own, closes))));
                }
                Position::Beside(beside) => {
                    let positions = self.inside(beside);
                    let parts = positions.iter().flat_map(|position| self.awaited(position, holding));
                    let closes = || self.ways_beside(beside, holding).into_iter().flatten().min();
                    let closes = if self.is_whole(beside) { None } else { closes() };
                    found.extend(parts.map(|(stage, own)| (stage, earliest(own, closes))));
                }
            }
        }
        found
    }

    /// Where a run may be in each part of a group, also in those that may still begin.
    pub(super) fn inside(&self, beside: &Beside) -> Vec<Position> {
        beside.parts.iter().flatten().cloned().chain(self.beginnings(beside)).collect()
    }

    /// What comes after a group that can be over.
    pub(super) fn behind(&self, beside: &Beside) -> Option<Position> {
        let is_over = self.can_be_over(beside, &|_: &Edge<'_>| true);
        is_over.then(|| Position::At(self.group(beside).sink))
    }

    /// Whether a group has all that it needs, though it may take more.
    fn is_whole(&self, beside: &Beside) -> bool {
        beside.lingers || self.can_be_over(beside, &|_: &Edge<'_>| true)
    }

    /// The positions with which further parts may begin.
    fn beginnings(&self, beside: &Beside) -> Vec<Position> {
        if self.to_begin(beside) == 0 {
            return Vec::new();
        }
        let parts = self.group(beside).parts.iter().zip(&beside.parts);
        parts.filter(|(_, begun)| begun.is_empty()).map(|(part, _)| Position::At(part.first)).collect()
    }

    /// When a run there can take nothing more, or not all that it needs, since windows are over; never, if there is a way
    /// without one.
    pub(super) fn closes(&self, from: &Position, holding: Holding<'_>) -> Option<Timestamp> {
        let ways = self.proceed(from, &|_: &Edge<'_>| true).into_iter().flat_map(|position| match &position {
            Position::At(at) => self.way_at(*at, holding),
            Position::Beside(beside) => self.ways_beside(beside, holding),
        });
        open_until(1, ways.collect())
    }

    fn way_at(&self, at: usize, holding: Holding<'_>) -> Vec<Option<Timestamp>> {
        let state = &self.states[at];
        if let Kind::AnyOrder(group) = state.kind {
            let group = &self.any_orders[group];
            let parts = group.parts.iter().map(|part| self.closes(&Position::At(part.first), holding));
            return vec![open_until(group.needed, parts.collect())];
        }
        let is_way = state.edges.iter().any(|edge| match edge.action {
            Action::Take(_) => true,
            // It waits for an event that is passed over.
            Action::Ignore => state.kind == Kind::Absence || self.states[edge.target].kind == Kind::Complete,
            Action::Proceed | Action::Begin(_) | Action::Yield => false,
        });
        is_way.then(|| closing(state, holding)).into_iter().collect()
    }

    fn ways_beside(&self, beside: &Beside, holding: Holding<'_>) -> Vec<Option<Timestamp>> {
        let always = |_: &Edge<'_>| true;
        let begun = || beside.parts.iter().filter(|part| !part.is_empty());
        let takes = |position: &&Position| !self.is_end(position);
        let takes_more = |part: &&BTreeSet<Position>| part.iter().any(|position| takes(&position));
        let closes = |part: &BTreeSet<Position>| {
            open_until(1, part.iter().filter(takes).map(|position| self.closes(position, holding)).collect())
        };
        if self.is_whole(beside) {
            return begun().filter(takes_more).map(closes).collect();
        }
        let mut needed: Vec<Option<Timestamp>> =
            begun().filter(|part| !self.can_end(part, &always)).map(closes).collect();
        let beginnings = self.beginnings(beside);
        if !beginnings.is_empty() {
            let beginnings = beginnings.iter().map(|first| self.closes(first, holding));
            needed.push(open_until(self.to_begin(beside), beginnings.collect()));
        }
        vec![open_until(needed.len(), needed)]
    }
}

pub(super) fn earliest(one: Option<Timestamp>, other: Option<Timestamp>) -> Option<Timestamp> {
    one.into_iter().chain(other).min()
}

fn is_over(closes: Option<Timestamp>, now: Timestamp) -> bool {
    closes.is_some_and(|closes| closes <= now)
}

/// When fewer than so many of these are open: none is never. Of nothing it is never.
fn open_until(needed: usize, mut closes: Vec<Option<Timestamp>>) -> Option<Timestamp> {
    closes.sort_by_key(|time| (time.is_none(), *time));
    let first = closes.len().checked_sub(needed)?;
    closes.get(first).copied().flatten()
}

/// When a window of a state is over for a run that holds this.
pub(super) fn closing(state: &State<'_>, holding: Holding<'_>) -> Option<Timestamp> {
    state.windows.iter().filter_map(|window| holding.end(window)).min()
}
