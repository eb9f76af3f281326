//! The program as a listing that a person reads.

use std::fmt;

use ensue_model::pattern::Skip;

use crate::program::{Action, Edge, Guard, Program, State, StateKind};

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "start {}", self.start.0)?;
        if let Some(within) = self.within {
            write!(f, ", within {within}")?;
        }
        match self.skip {
            Skip::None => {}
            Skip::ToNext => write!(f, ", skip to next")?,
            Skip::PastLast => write!(f, ", skip past last")?,
            Skip::ToFirst(stage) => write!(f, ", skip to first {}", self.stage_names[usize::from(stage.0)])?,
            Skip::ToLast(stage) => write!(f, ", skip to last {}", self.stage_names[usize::from(stage.0)])?,
        }
        writeln!(f)?;
        for (position, condition) in self.conditions.iter().enumerate() {
            let of = if condition.looks_back { "looks back" } else { "event" };
            writeln!(f, "c{position}: {of}")?;
        }
        for (position, state) in self.states.iter().enumerate() {
            self.write_state(f, position, state)?;
        }
        Ok(())
    }
}

impl Program {
    fn write_state(&self, f: &mut fmt::Formatter<'_>, position: usize, state: &State) -> fmt::Result {
        let stage = state.stage.map_or("", |stage| self.stage_names[usize::from(stage.0)].as_str());
        let kind = match state.kind {
            StateKind::Normal => "",
            StateKind::Final => "match",
            StateKind::Stop => "stop",
            StateKind::Absence => "absence",
        };
        let words: Vec<&str> = [stage, kind].into_iter().filter(|word| !word.is_empty()).collect();
        writeln!(f, "{position}: {}", words.join(" "))?;
        state.edges.iter().try_for_each(|edge| write_edge(f, edge))
    }
}

fn write_edge(f: &mut fmt::Formatter<'_>, edge: &Edge) -> fmt::Result {
    let action = match edge.action {
        Action::Take => "take",
        Action::Ignore => "ignore",
        Action::Proceed => "proceed",
    };
    write!(f, "    {action} -> {}", edge.target.0)?;
    if edge.guard != Guard::Always {
        write!(f, " if {}", edge.guard)?;
    }
    writeln!(f)
}

impl fmt::Display for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Guard::Always => f.write_str("true"),
            Guard::When(condition) => write!(f, "c{}", condition.0),
            Guard::Not(guard) => match **guard {
                Guard::All(_) => write!(f, "not ({guard})"),
                Guard::Always | Guard::When(_) | Guard::Not(_) => write!(f, "not {guard}"),
            },
            Guard::All(guards) => {
                let guards: Vec<String> = guards.iter().map(Guard::to_string).collect();
                f.write_str(&guards.join(" and "))
            }
        }
    }
}
