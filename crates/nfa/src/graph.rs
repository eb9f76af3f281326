//! The shared graph of runs: many runs that differ in how they began share how they go on.
//!
//! A node stands for a set of runs: those of one earlier node with one more event taken, or those of two nodes together.
//! Nodes name only nodes before them, so that the graph is swept in one pass and never walked by recursion. Unions are
//! ordered by the latest start, so that what a window has closed is cut off whole and never visited, as in M. Bucchi,
//! A. Grez, A. Quintana, C. Riveros and S. Vansummeren, *CORE: a complex event recognition engine*, VLDB 2022.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::ops::ControlFlow;

use ensue_model::output::Taken;
use ensue_model::pattern::StageId;
use ensue_model::{Event, Timestamp};
use serde::{Deserialize, Serialize};

/// A node by its position in the graph.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct NodeId(u32);

impl NodeId {
    /// The first of a graph.
    pub(crate) const FIRST: NodeId = NodeId(0);

    pub(crate) fn index(self) -> usize {
        self.0 as usize
    }
}

/// A set of runs.
#[derive(Debug)]
pub(crate) enum Node<E> {
    /// The runs of `before`, or the one that has nothing yet, with one more event.
    Take { extent: Extent, stage: StageId, before: Option<NodeId>, taken: Taken<E> },
    /// The runs of both. `first` has the latest start of all.
    Union { extent: Extent, first: NodeId, second: NodeId },
}

/// What a node says of all its runs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Extent {
    /// The latest start.
    pub(crate) latest: Timestamp,
    /// How many there are; those that a window has closed since are counted too. Stays at its most.
    pub(crate) runs: u32,
    /// How many events the longest has.
    pub(crate) events: u32,
}

impl Extent {
    fn and(self, other: Extent) -> Extent {
        Extent {
            latest: self.latest.max(other.latest),
            runs: self.runs.saturating_add(other.runs),
            events: self.events.max(other.events),
        }
    }
}

/// The nodes of one key, in the order in which they were made.
#[derive(Debug)]
pub(crate) struct Graph<E> {
    nodes: Vec<Node<E>>,
    /// How many nodes the last sweep kept.
    kept: u32,
    /// How many bytes the events take, about.
    event_bytes: usize,
}

/// Nodes are swept when there are twice as many as the last sweep kept, and at least so many.
const SWEEP_MIN: usize = 32;

impl<E> Default for Graph<E> {
    fn default() -> Self {
        Graph { nodes: Vec::new(), kept: 0, event_bytes: 0 }
    }
}

impl<E> Node<E> {
    fn extent(&self) -> Extent {
        match self {
            Node::Take { extent, .. } | Node::Union { extent, .. } => *extent,
        }
    }
}

impl<E: Event> Graph<E> {
    pub(crate) fn extent(&self, node: NodeId) -> Extent {
        self.node(node).extent()
    }

    /// The latest start of all runs of a node.
    pub(crate) fn latest(&self, node: NodeId) -> Timestamp {
        self.extent(node).latest
    }

    /// How many bytes the nodes and their events take, about.
    pub(crate) fn bytes(&self) -> usize {
        self.event_bytes + self.nodes.len() * size_of::<Node<E>>()
    }

    fn node(&self, node: NodeId) -> &Node<E> {
        &self.nodes[node.0 as usize]
    }

    fn push(&mut self, node: Node<E>) -> NodeId {
        self.event_bytes += self.new_event_bytes(&node);
        self.nodes.push(node);
        NodeId(self.nodes.len() as u32 - 1)
    }

    /// What a node adds to the bytes of events: nodes that take the same event are made one after the other.
    fn new_event_bytes(&self, node: &Node<E>) -> usize {
        let position = |node: &Node<E>| match node {
            Node::Take { taken, .. } => Some(taken.position),
            Node::Union { .. } => None,
        };
        match node {
            Node::Take { taken, .. } if self.nodes.last().and_then(position) != Some(taken.position) => {
                taken.event.size()
            }
            Node::Take { .. } | Node::Union { .. } => 0,
        }
    }

    /// The runs of `before` with one more event; without `before`, the run that starts with it.
    pub(crate) fn take(&mut self, before: Option<NodeId>, stage: StageId, taken: Taken<E>) -> NodeId {
        let begun = Extent { latest: taken.time, runs: 1, events: 0 };
        let extent = before.map_or(begun, |before| self.extent(before));
        let extent = Extent { events: extent.events.saturating_add(1), ..extent };
        self.push(Node::Take { extent, stage, before, taken })
    }

    fn join(&mut self, a: NodeId, b: NodeId) -> NodeId {
        let (first, second) = if self.latest(a) >= self.latest(b) { (a, b) } else { (b, a) };
        self.push(Node::Union { extent: self.extent(first).and(self.extent(second)), first, second })
    }

    /// The runs of both. They are told apart by what they hold, so that none is in both.
    ///
    /// Where one side is a union, it is taken apart so far that the first part of the new one is not: a walk then finds a
    /// run at every second node, however much the window has cut off.
    pub(crate) fn union(&mut self, a: NodeId, b: NodeId) -> NodeId {
        let (first, second) = if self.latest(a) >= self.latest(b) { (a, b) } else { (b, a) };
        match (self.parts(first), self.parts(second)) {
            (None, _) => self.join(first, second),
            (Some((head, tail)), None) => {
                let rest = self.join(tail, second);
                self.join(head, rest)
            }
            (Some((head, tail)), Some((other_head, other_tail))) => {
                let tails = self.join(tail, other_tail);
                let rest = self.join(other_head, tails);
                self.join(head, rest)
            }
        }
    }

    fn parts(&self, node: NodeId) -> Option<(NodeId, NodeId)> {
        match self.node(node) {
            Node::Take { .. } => None,
            Node::Union { first, second, .. } => Some((*first, *second)),
        }
    }

    /// Calls `visit` with each run of a node that started after `closed`, until it breaks: its events from the last to the
    /// first.
    pub(crate) fn each_run<'g>(
        &'g self,
        node: NodeId,
        closed: Timestamp,
        mut visit: impl FnMut(&[(StageId, &'g Taken<E>)]) -> ControlFlow<()>,
    ) {
        let mut events: Vec<(StageId, &Taken<E>)> = Vec::new();
        let mut open: Vec<(NodeId, usize)> = vec![(node, 0)];
        while let Some((node, depth)) = open.pop() {
            let node = self.node(node);
            if node.extent().latest <= closed {
                continue;
            }
            events.truncate(depth);
            match node {
                Node::Union { first, second, .. } => open.extend([(*second, depth), (*first, depth)]),
                Node::Take { stage, before, taken, .. } => {
                    events.push((*stage, taken));
                    match before {
                        Some(before) => open.push((*before, depth + 1)),
                        None if visit(&events).is_break() => return,
                        None => {}
                    }
                }
            }
        }
    }

    /// The time and the position of the event that a node adds; of several runs, those of the one that started last.
    pub(crate) fn last_taken(&self, node: NodeId) -> (Timestamp, u64) {
        let mut at = node;
        loop {
            match self.node(at) {
                Node::Take { taken, .. } => return (taken.time, taken.position),
                Node::Union { first, .. } => at = *first,
            }
        }
    }

    /// The order in which two runs, each with a node of its own, come out: by their events, from the first on, then by the
    /// stages that took them.
    pub(crate) fn in_output_order(&self, run: NodeId, other: NodeId) -> Ordering {
        let [mut run, mut other] = [run, other].map(|node| self.only_run(node));
        run.reverse();
        other.reverse();
        let events = |run: &[(StageId, &Taken<E>)]| -> Vec<(Timestamp, u64)> {
            run.iter().map(|(_, taken)| (taken.time, taken.position)).collect()
        };
        let stages = |run: &[(StageId, &Taken<E>)]| -> Vec<StageId> { run.iter().map(|(stage, _)| *stage).collect() };
        events(&run).cmp(&events(&other)).then_with(|| stages(&run).cmp(&stages(&other)))
    }

    /// The events of a run that has its node for itself, from the last to the first.
    fn only_run(&self, node: NodeId) -> Vec<(StageId, &Taken<E>)> {
        let mut found = Vec::new();
        self.each_run(node, Timestamp::MIN, |events| {
            found = events.to_vec();
            ControlFlow::Break(())
        });
        found
    }

    /// Whether so many nodes were made since the last sweep that another pays.
    pub(crate) fn wants_sweep(&self) -> bool {
        self.nodes.len() >= SWEEP_MIN && self.nodes.len() >= 2 * self.kept as usize
    }

    /// Frees the nodes that no root leads to, and what started at `closed` or before. Roots are changed to the new ids; each
    /// must have a run that started after `closed`.
    pub(crate) fn sweep(&mut self, roots: &mut [&mut NodeId], closed: Timestamp) {
        let mut is_used = vec![false; self.nodes.len()];
        for root in roots.iter() {
            is_used[root.0 as usize] = true;
        }
        for position in (0..self.nodes.len()).rev() {
            if is_used[position] {
                let mut mark = |node: NodeId| is_used[node.0 as usize] |= self.latest(node) > closed;
                match &self.nodes[position] {
                    Node::Take { before, .. } => before.iter().for_each(|before| mark(*before)),
                    Node::Union { first, second, .. } => {
                        mark(*first);
                        mark(*second);
                    }
                }
            }
        }
        let moved = self.compact(&is_used);
        for root in roots {
            **root = moved[root.0 as usize].expect("a root is used");
        }
        self.kept = self.nodes.len() as u32;
    }

    /// Moves the used nodes together; gives where each went. A union with one side left is that side.
    fn compact(&mut self, is_used: &[bool]) -> Vec<Option<NodeId>> {
        let mut moved: Vec<Option<NodeId>> = Vec::with_capacity(self.nodes.len());
        let mut kept = Graph::default();
        for (node, is_used) in std::mem::take(&mut self.nodes).into_iter().zip(is_used) {
            if !is_used {
                moved.push(None);
                continue;
            }
            let at = |node: NodeId| moved[node.0 as usize];
            let node = match node {
                Node::Take { stage, before, taken, .. } => Some(kept.take(before.and_then(at), stage, taken)),
                Node::Union { first, second, .. } => match (at(first), at(second)) {
                    (Some(first), Some(second)) => Some(kept.join(first, second)),
                    (only, None) | (None, only) => only,
                },
            };
            moved.push(node);
        }
        *self = kept;
        moved
    }
}

/// A graph as a snapshot holds it: an event that several nodes took is there once.
#[derive(Debug, Serialize, Deserialize)]
#[serde(bound(serialize = "E: Serialize", deserialize = "E: Deserialize<'de>"))]
pub(crate) struct SavedGraph<E> {
    pub(crate) events: Vec<Taken<E>>,
    nodes: Vec<SavedNode>,
}

impl<E> SavedGraph<E> {
    /// How many runs each node stands for, in the order of the nodes.
    pub(crate) fn runs_of_nodes(&self) -> Vec<u32> {
        let mut runs: Vec<u32> = Vec::with_capacity(self.nodes.len());
        for node in &self.nodes {
            let of = |node: &NodeId| runs.get(node.index()).copied().unwrap_or(0);
            runs.push(match node {
                SavedNode::Take { before, .. } => before.as_ref().map_or(1, of),
                SavedNode::Union { first, second } => of(first).saturating_add(of(second)),
            });
        }
        runs
    }
}

#[derive(Debug, Serialize, Deserialize)]
enum SavedNode {
    Take { stage: StageId, before: Option<NodeId>, event: u32 },
    Union { first: NodeId, second: NodeId },
}

impl<E> SavedGraph<E> {
    /// One run of one event.
    pub(crate) fn of_one(stage: StageId, taken: Taken<E>) -> Self {
        SavedGraph { events: vec![taken], nodes: vec![SavedNode::Take { stage, before: None, event: 0 }] }
    }

    /// Changes the stages that have taken events.
    pub(crate) fn each_stage(&mut self, mut change: impl FnMut(&mut StageId)) {
        for node in &mut self.nodes {
            match node {
                SavedNode::Take { stage, .. } => change(stage),
                SavedNode::Union { .. } => {}
            }
        }
    }
}

impl<E: Event> Graph<E> {
    pub(crate) fn save(&self) -> SavedGraph<E> {
        let mut events: Vec<Taken<E>> = Vec::new();
        let mut places: HashMap<u64, u32> = HashMap::new();
        let nodes = self.nodes.iter().map(|node| match node {
            Node::Union { first, second, .. } => SavedNode::Union { first: *first, second: *second },
            Node::Take { stage, before, taken, .. } => {
                let event = *places.entry(taken.position).or_insert_with(|| {
                    events.push(taken.clone());
                    events.len() as u32 - 1
                });
                SavedNode::Take { stage: *stage, before: *before, event }
            }
        });
        let nodes = nodes.collect();
        SavedGraph { events, nodes }
    }

    /// The graph that was saved; none if a node names one that is not before it.
    pub(crate) fn load(saved: SavedGraph<E>) -> Option<Self> {
        let mut graph = Graph::default();
        for node in saved.nodes {
            match node {
                SavedNode::Take { stage, before, event } => {
                    let is_known = before.is_none_or(|before| graph.has(before));
                    let taken = saved.events.get(event as usize).filter(|_| is_known)?;
                    graph.take(before, stage, taken.clone());
                }
                SavedNode::Union { first, second } => {
                    if !graph.has(first) || !graph.has(second) {
                        return None;
                    }
                    graph.join(first, second);
                }
            }
        }
        graph.kept = graph.nodes.len() as u32;
        Some(graph)
    }

    /// The only event of the only run, and the stage that took it, if that is all there is.
    pub(crate) fn only_event(&self) -> Option<(StageId, &Taken<E>)> {
        match &self.nodes[..] {
            [Node::Take { stage, before: None, taken, .. }] => Some((*stage, taken)),
            _ => None,
        }
    }

    pub(crate) fn has(&self, node: NodeId) -> bool {
        (node.0 as usize) < self.nodes.len()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[derive(Debug)]
    struct At(i64);

    impl Event for At {
        fn time(&self) -> Timestamp {
            Timestamp::from_millis(self.0)
        }

        fn field(&self, _: ensue_model::FieldId) -> ensue_model::Value<'_> {
            ensue_model::Value::Null
        }
    }

    fn taken(at: i64) -> Taken<At> {
        Taken { event: Arc::new(At(at)), time: Timestamp::from_millis(at), position: at.unsigned_abs() }
    }

    fn runs(graph: &Graph<At>, node: NodeId, closed: i64) -> Vec<Vec<i64>> {
        let mut found = Vec::new();
        graph.each_run(node, Timestamp::from_millis(closed), |events| {
            found.push(events.iter().rev().map(|(_, taken)| taken.event.0).collect());
            ControlFlow::Continue(())
        });
        found.sort();
        found
    }

    /// Starts at 1, 2, 3, each with 4 and with 5 taken after.
    fn fork() -> (Graph<At>, NodeId) {
        let mut graph = Graph::default();
        let mut starts = graph.take(None, StageId(0), taken(1));
        for at in [2, 3] {
            let start = graph.take(None, StageId(0), taken(at));
            starts = graph.union(starts, start);
        }
        let fours = graph.take(Some(starts), StageId(1), taken(4));
        let fives = graph.take(Some(starts), StageId(1), taken(5));
        let all = graph.union(fours, fives);
        (graph, all)
    }

    #[test]
    fn a_union_holds_the_runs_of_both() {
        let (graph, all) = fork();
        assert_eq!(runs(&graph, all, 0), [[1, 4], [1, 5], [2, 4], [2, 5], [3, 4], [3, 5]]);
    }

    #[test]
    fn what_started_too_early_is_not_visited() {
        let (graph, all) = fork();
        assert_eq!(runs(&graph, all, 2), [[3, 4], [3, 5]]);
        assert!(runs(&graph, all, 3).is_empty());
    }

    #[test]
    fn a_sweep_frees_what_nothing_leads_to_and_what_is_closed() {
        let (mut graph, mut all) = fork();
        graph.take(None, StageId(0), taken(6));
        let before = graph.nodes.len();
        graph.sweep(&mut [&mut all], Timestamp::from_millis(1));
        assert!(graph.nodes.len() < before, "{} of {before}", graph.nodes.len());
        assert_eq!(runs(&graph, all, 0), [[2, 4], [2, 5], [3, 4], [3, 5]]);
    }

    #[test]
    fn a_run_of_a_hundred_thousand_events_needs_no_stack() {
        let mut graph = Graph::default();
        let mut run = None;
        for at in 0..100_000 {
            run = Some(graph.take(run, StageId(0), taken(at)));
        }
        let mut run = run.expect("it took events");
        graph.sweep(&mut [&mut run], Timestamp::MIN);
        assert_eq!(runs(&graph, run, -1)[0].len(), 100_000);
    }
}
