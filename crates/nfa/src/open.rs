//! The open runs of a key one by one, for who looks in: what each has taken, what it awaits, and when it ends.
//!
//! Runs that share what they took are spelled out one after the other, as far as somebody wants them: there can be far more
//! than anybody reads.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use ensue_model::output::Taken;
use ensue_model::pattern::StageId;
use ensue_model::{Event, Timestamp};

use crate::due::{Begun, Due};
use crate::graph::NodeId;
use crate::matcher::in_taken_order;
use crate::ordered::spell;
use crate::program::{Program, StateId};
use crate::runs::{Group, Held, Many, Runs, Waiting};
use crate::scratch::Scratch;
use crate::subsets::SubsetId;

/// An open run.
#[derive(Debug)]
pub struct OpenRun<E> {
    /// Stage and event, in the order in which they were taken.
    pub events: Vec<(StageId, Taken<E>)>,
    /// The stages that can take its next event.
    pub awaiting: Vec<StageId>,
    /// When it ends by its windows, if time goes on alone; none where no window of time ends it.
    pub end: Option<Timestamp>,
}

impl<E: Event> Runs<E> {
    /// Calls `visit` with the open runs, until it breaks. Those that a window has closed at `now` are left out.
    pub fn each_open(
        &self,
        program: &Program,
        scratch: &mut Scratch,
        now: Timestamp,
        mut visit: impl FnMut(OpenRun<E>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        match &self.0 {
            Held::None => ControlFlow::Continue(()),
            Held::One { taken, subset, stage } => visit(OpenRun {
                events: vec![(*stage, taken.clone())],
                awaiting: scratch.subset(*subset).awaited.to_vec(),
                end: program.end_of_one(taken.time),
            }),
            Held::Many(many) => {
                for Waiting { subset, groups } in &many.waiting {
                    groups
                        .iter()
                        .try_for_each(|group| many.each_of(*subset, group, program, scratch, now, &mut visit))?;
                }
                many.each_ordered(program, scratch, visit)
            }
        }
    }

    /// How many open runs there are, as far as that is known without spelling them out: those are counted too that a window has
    /// closed and that nobody has asked for since.
    pub fn count_open(&self) -> u64 {
        match &self.0 {
            Held::None => 0,
            Held::One { .. } => 1,
            Held::Many(many) => {
                let groups = many.waiting.iter().flat_map(|waiting| &waiting.groups);
                let waiting = groups.map(|group| u64::from(many.graph.extent(group.runs).runs)).sum::<u64>();
                let ordered: BTreeSet<NodeId> = many.ordered.runs.iter().map(|run| run.events).collect();
                waiting + ordered.len() as u64
            }
        }
    }
}

impl<E: Event> Many<E> {
    /// The runs of a group: they wait in one place, and may have begun at different times.
    fn each_of(
        &self,
        subset: SubsetId,
        group: &Group,
        program: &Program,
        scratch: &Scratch,
        now: Timestamp,
        visit: &mut impl FnMut(OpenRun<E>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let subset = scratch.subset(subset);
        let mut flow = ControlFlow::Continue(());
        self.graph.each_run(group.runs, program.closed(now), |events| {
            let began = events.last().map_or(group.start.time, |(_, first)| first.time);
            let due = Due::new(program, subset, Begun { time: began, ..group.begun() }, &self.count);
            let events = in_taken_order(events);
            flow = visit(OpenRun { events, awaiting: subset.awaited.to_vec(), end: due.end });
            flow
        });
        flow
    }

    /// Runs in their order. One that is in several states awaits what any of them can take, and ends when the last does.
    fn each_ordered(
        &self,
        program: &Program,
        scratch: &mut Scratch,
        mut visit: impl FnMut(OpenRun<E>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let mut found: BTreeMap<NodeId, (BTreeSet<StageId>, Vec<Option<Timestamp>>)> = BTreeMap::new();
        for run in &self.ordered.runs {
            let (awaiting, ends) = found.entry(run.events).or_default();
            let subset = program.subset_of(StateId(run.state), scratch);
            awaiting.extend(&scratch.subset(subset).awaited);
            ends.push(program.due(run, &self.count, scratch).end);
        }
        found.into_iter().try_for_each(|(node, (awaiting, ends))| {
            let end = if ends.contains(&None) { None } else { ends.into_iter().flatten().max() };
            visit(OpenRun { events: spell(&self.graph, node), awaiting: awaiting.into_iter().collect(), end })
        })
    }
}
