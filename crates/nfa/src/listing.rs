//! The program as a listing that a person reads.

use std::collections::VecDeque;
use std::fmt;

use ensue_model::expr::{Expr, LookbackId, write_name};
use ensue_model::pattern::{Active, Keep, Skip, StageId, WindowSpan};
use ensue_model::{Pattern, Patterns, Timestamp};

use crate::program::{
    Action, Between, Condition, ConditionId, Edge, Guard, Of, Program, Shuffle, State, StateId, StateKind, Test,
};

impl Program {
    /// The program as text: where it starts and ends, its conditions as a pattern would write them, its states with their
    /// edges. States stand in the order in which runs come to them.
    ///
    /// # Panics
    /// When it is written, if the program was not compiled from that pattern.
    pub fn listing<'p>(&'p self, patterns: &'p Patterns, pattern: &'p Pattern) -> impl fmt::Display + 'p {
        Listing { program: self, patterns, pattern }
    }

    /// The windows over the whole match, as a pattern writes them.
    pub(crate) fn window_texts(&self) -> Vec<String> {
        let time = self.within.map(|within| format!("within {within}"));
        let events = self.within_events.map(|within| format!("within {within} events"));
        time.into_iter().chain(events).collect()
    }

    /// A step's window, as a pattern writes it.
    pub(crate) fn window_text(&self, since: LookbackId, span: WindowSpan) -> String {
        let anchor = match self.kept[usize::from(since.0)].stage {
            None => "previous".into(),
            Some(stage) => self.stage_text(stage),
        };
        format!("within {span} of {anchor}")
    }

    /// What a condition asks, as the pattern would write it.
    pub(crate) fn test_text(&self, test: &Test, patterns: &Patterns, pattern: &Pattern) -> String {
        match test {
            Test::Holds(expr) => expr.display(patterns, pattern).to_string(),
            Test::KeyedBy(way) => Expr::KeyedBy(*way).display(patterns, pattern).to_string(),
            Test::InWindow { since, span } => self.window_text(*since, *span),
        }
    }

    fn stage_text(&self, stage: StageId) -> String {
        let name = &self.stage_names[usize::from(stage.0)];
        fmt::from_fn(|f| write_name(f, name)).to_string()
    }

    /// All states, those first that are reached first; what no run reaches is last.
    fn states_in_order(&self) -> Vec<StateId> {
        let mut found = Vec::with_capacity(self.states.len());
        let mut is_found = vec![false; self.states.len()];
        let all = (0..self.states.len() as u32).map(StateId);
        for from in std::iter::once(self.start).chain(all) {
            let mut next = VecDeque::from([from]);
            while let Some(state) = next.pop_front() {
                if !std::mem::replace(&mut is_found[state.index()], true) {
                    found.push(state);
                    next.extend(self.states[state.index()].edges.iter().map(|edge| edge.target));
                }
            }
        }
        found
    }
}

/// A program with what its names are looked up in.
struct Listing<'p> {
    program: &'p Program,
    patterns: &'p Patterns,
    pattern: &'p Pattern,
}

impl fmt::Display for Listing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Program { start, active, skip, keep, .. } = self.program;
        write!(f, "start {}{}, ", start.0, active_text(*active))?;
        match self.program.window_texts().as_slice() {
            [] => f.write_str("no window, ")?,
            windows => windows.iter().try_for_each(|window| write!(f, "{window}, "))?,
        }
        let keep = keep_text(*keep).map(|keep| format!(", {keep}")).unwrap_or_default();
        writeln!(f, "skip {}{keep}", self.skip(*skip))?;
        for (condition, position) in self.program.conditions.iter().zip(0..) {
            self.condition(f, ConditionId(position), condition)?;
        }
        self.program.states_in_order().into_iter().try_for_each(|state| self.state(f, state))
    }
}

impl Listing<'_> {
    fn skip(&self, skip: Skip) -> String {
        match skip {
            Skip::None => "none".into(),
            Skip::ToNext => "to next".into(),
            Skip::PastLast => "past last".into(),
            Skip::ToFirst(stage) => format!("to first {}", self.program.stage_text(stage)),
            Skip::ToLast(stage) => format!("to last {}", self.program.stage_text(stage)),
        }
    }

    fn condition(&self, f: &mut fmt::Formatter<'_>, id: ConditionId, condition: &Condition) -> fmt::Result {
        let looks_back = if condition.of == Of::Run { "    (looks back)" } else { "" };
        writeln!(f, "{id}: {}{looks_back}", self.program.test_text(&condition.test, self.patterns, self.pattern))
    }

    fn state(&self, f: &mut fmt::Formatter<'_>, id: StateId) -> fmt::Result {
        let state = &self.program.states[id.index()];
        let in_loop = if state.in_loop { ", may leave the loop" } else { "" };
        let windows =
            state.windows.iter().map(|window| format!(", {}", self.program.window_text(window.since, window.span)));
        writeln!(f, "{}: {}{in_loop}{}", id.0, self.kind(state), windows.collect::<String>())?;
        state.edges.iter().try_for_each(|edge| write_edge(f, edge))
    }

    fn kind(&self, state: &State) -> String {
        match (state.kind, state.stage) {
            (StateKind::Normal, Some(stage)) if self.pattern.stages[usize::from(stage.0)].negated => {
                format!("not {}", self.program.stage_text(stage))
            }
            (StateKind::Normal, Some(stage)) => self.program.stage_text(stage),
            (StateKind::Normal, None) => "between rounds".into(),
            (StateKind::Final, _) => "match".into(),
            (StateKind::Stop, Some(stage)) => format!("stop, {} came", self.program.stage_text(stage)),
            (StateKind::Stop, None) => "stop".into(),
            (StateKind::Absence, Some(stage)) => {
                format!("match when the window ends, if no {} came", self.program.stage_text(stage))
            }
            (StateKind::Absence, None) => "match when the window ends".into(),
            (StateKind::Fork, _) => "one of several branches".into(),
            (StateKind::Shuffle(shuffle), _) => {
                let Shuffle { parts, needed, between, .. } = self.program.shuffle(shuffle);
                let any_of = if *needed < parts.len() { format!("any {needed} of ") } else { String::new() };
                let between = match between {
                    None => "nothing",
                    Some(Between { is_relaxed: true, .. }) => "what begins no other",
                    Some(Between { is_relaxed: false, .. }) => "anything",
                };
                format!("{any_of}{} parts in any order, with {between} between", parts.len())
            }
            (StateKind::PartEnd(_), _) => "a part is over; when all that are needed are".into(),
        }
    }
}

/// Which runs are kept, as a pattern writes it; none if all are.
pub(crate) fn keep_text(keep: Keep) -> Option<&'static str> {
    match keep {
        Keep::All => None,
        Keep::Latest => Some("keep latest"),
        Keep::First => Some("keep first"),
    }
}

/// When runs may start, as a pattern writes it.
fn active_text(Active { from, until }: Active) -> String {
    let moment = |word: &str, time: Option<Timestamp>| time.map(|time| format!(" {word} @{time}")).unwrap_or_default();
    let (from, until) = (moment("from", from), moment("until", until));
    if from.len() + until.len() == 0 { String::new() } else { format!(" active{from}{until}") }
}

fn write_edge(f: &mut fmt::Formatter<'_>, edge: &Edge) -> fmt::Result {
    let action = match edge.action {
        Action::Take => "take",
        Action::Ignore => "ignore",
        Action::Proceed => "proceed",
        Action::Begin(_) => "begin",
        Action::Yield => "yield",
    };
    match &edge.guard {
        Guard::Always => writeln!(f, "    {action} -> {}", edge.target.0),
        guard => writeln!(f, "    {action} -> {} if {guard}", edge.target.0),
    }
}

impl fmt::Display for ConditionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "c{}", self.0)
    }
}

impl fmt::Display for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Guard::Always => f.write_str("true"),
            Guard::When(condition) => condition.fmt(f),
            Guard::Not(guard) => match &**guard {
                Guard::Always => f.write_str("false"),
                Guard::All(_) => write!(f, "not ({guard})"),
                Guard::When(_) | Guard::Not(_) => write!(f, "not {guard}"),
            },
            Guard::All(guards) => {
                let guards: Vec<String> = guards.iter().map(Guard::to_string).collect();
                f.write_str(&guards.join(" and "))
            }
        }
    }
}
