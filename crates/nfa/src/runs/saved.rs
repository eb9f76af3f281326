//! How many runs a snapshot has, and where they wait: what [`Runs::each_place`](super::Runs::each_place) tells of runs that are open.

use ensue_model::pattern::StageId;
use ensue_model::{Event, Timestamp};

use super::{Group, Saved, SavedMany, SavedOne, SavedRuns, SavedWaiting, subset_of};
use crate::products::SavedProduct;
use crate::program::Program;
use crate::scratch::Scratch;
use crate::subsets::SubsetId;

impl<E: Event> SavedRuns<E> {
    /// How many there are; where runs with different starts were not told apart, how many groups.
    pub fn count(&self, tells_starts: bool) -> u64 {
        match &self.0 {
            Saved::One(_) => 1,
            Saved::Many(many) => {
                let of_node = if tells_starts { many.graph.runs_of_nodes() } else { Vec::new() };
                let of_group = |group: &Group| of_node.get(group.runs.index()).copied().map_or(1, u64::from);
                let groups = many.waiting.iter().flat_map(|waiting| &waiting.groups);
                groups.map(of_group).sum::<u64>() + many.ordered.len() as u64
            }
        }
    }

    /// Tells where the runs wait: by which stages their next event can be taken, how many runs, and when the first of them began.
    /// Tells nothing of states that are not there: they are those of another program.
    pub fn each_place(
        &self,
        program: &Program,
        scratch: &mut Scratch,
        mut tell: impl FnMut(&[StageId], u64, Timestamp),
    ) {
        match &self.0 {
            Saved::One(SavedOne { products, states, matched, stage: _, taken }) => {
                let subset = subset(products, states, *matched, program, scratch);
                subset.into_iter().for_each(|subset| tell(&scratch.subset(subset).awaited, 1, taken.time));
            }
            Saved::Many(many) => many.each_place(program, scratch, tell),
        }
    }
}

impl<E: Event> SavedMany<E> {
    fn each_place(&self, program: &Program, scratch: &mut Scratch, mut tell: impl FnMut(&[StageId], u64, Timestamp)) {
        let of_node = if scratch.by_start { self.graph.runs_of_nodes() } else { Vec::new() };
        for SavedWaiting { states, matched, groups } in &self.waiting {
            let Some(subset) = subset(&self.products, states, *matched, program, scratch) else { continue };
            let of_group = |node: usize| of_node.get(node).copied().map_or(1, u64::from);
            let runs = groups.iter().map(|group| of_group(group.runs.index())).sum();
            let first = groups.iter().map(|group| group.start.time).min();
            first.into_iter().for_each(|first| tell(&scratch.subset(subset).awaited, runs, first));
        }
        let mut ordered = self.ordered.clone();
        let restored = scratch.products_mut().load(program, self.products.clone());
        if restored.is_some_and(|restored| ordered.restore(&restored).is_some()) {
            program.each_ordered_place(&ordered, scratch, tell);
        }
    }
}

/// The subset that saved states are.
fn subset(
    products: &[SavedProduct],
    states: &[u32],
    matched: bool,
    program: &Program,
    scratch: &mut Scratch,
) -> Option<SubsetId> {
    let restored = scratch.products_mut().load(program, products.to_vec())?;
    subset_of(states, matched, |state| restored.get(state), program, scratch)
}
