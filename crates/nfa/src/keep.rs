//! `keep latest`, `keep first`: of the runs of a key that wait for the same, one stays.
//!
//! Runs wait for the same where the stages that could take their next event are the same; windows are not asked, so that
//! it is known of a state, and time alone makes no difference. So a key has no more runs than there are such sets of
//! stages, and no two runs are in one group.

use std::cmp::Ordering;
use std::collections::{BTreeSet, HashMap, VecDeque};

use ensue_model::Event;
use ensue_model::pattern::{Keep, StageId};

use crate::graph::{Graph, NodeId};
use crate::program::{Program, StateId};
use crate::runs::{Group, Many, Waiting};
use crate::scratch::Scratch;
use crate::subsets::SubsetId;

impl Program {
    pub(crate) fn keeps_all(&self) -> bool {
        self.keep == Keep::All
    }

    /// Puts the groups that came to their subsets with an event to those that wait, and keeps one of those that wait for the
    /// same.
    pub(crate) fn settle_kept<E: Event>(&self, many: &mut Many<E>, scratch: &mut Scratch) {
        if scratch.arrived.is_empty() {
            return;
        }
        let Many { waiting, graph, tally, .. } = many;
        let before = waiting
            .drain(..)
            .flat_map(|Waiting { subset, groups }| groups.into_iter().map(move |group| (subset, group)));
        let mut all: Vec<(SubsetId, Group)> = before.collect();
        all.append(&mut scratch.arrived);
        let awaited = |subset: SubsetId| &scratch.subset(subset).awaited;
        all.sort_by(|(subset, group), (other_subset, other)| {
            awaited(*subset).cmp(awaited(*other_subset)).then_with(|| self.preferred(graph, group.runs, other.runs))
        });
        let mut kept: Option<SubsetId> = None;
        for (subset, group) in all {
            if kept.is_some_and(|kept| awaited(kept) == awaited(subset)) {
                tally.remove(graph.extent(group.runs));
            } else {
                waiting.push(Waiting { subset, groups: VecDeque::from([group]) });
                kept = Some(subset);
            }
        }
    }

    /// Of runs under a skip strategy that wait for the same, keeps one, in all states that it is in.
    pub(crate) fn keep_ordered<E: Event>(&self, many: &mut Many<E>, scratch: &mut Scratch) {
        let Many { ordered, graph, .. } = many;
        let mut awaited: HashMap<NodeId, BTreeSet<StageId>> = HashMap::new();
        for run in &ordered.runs {
            let subset = self.subset_of(StateId(run.state), scratch);
            awaited.entry(run.events).or_default().extend(&scratch.subset(subset).awaited);
        }
        let mut kept: HashMap<&BTreeSet<StageId>, NodeId> = HashMap::new();
        for (run, awaited) in &awaited {
            let kept = kept.entry(awaited).or_insert(*run);
            if self.preferred(graph, *run, *kept).is_lt() {
                *kept = *run;
            }
        }
        ordered.runs.retain(|run| kept[&awaited[&run.events]] == run.events);
    }

    /// Of two runs that wait for the same, the one that is kept comes before the other: the last, or the first, that came to
    /// wait; of those that came with one event, in the order in which runs come out.
    fn preferred<E: Event>(&self, graph: &Graph<E>, run: NodeId, other: NodeId) -> Ordering {
        let came = graph.last_taken(run).cmp(&graph.last_taken(other));
        let order = came.then_with(|| graph.in_output_order(run, other));
        match self.keep {
            Keep::All | Keep::First => order,
            Keep::Latest => order.reverse(),
        }
    }
}
