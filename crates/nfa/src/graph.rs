//! The shared graph of runs: many runs that differ in how they began share how they go on.
//!
//! A node stands for a set of runs: those of one earlier node with one more event taken, or those of two nodes together.
//! Nodes name only nodes before them, so that the graph is swept in one pass and never walked by recursion. Unions are
//! ordered by the latest start, so that what a window has closed is cut off whole and never visited, as in M. Bucchi,
//! A. Grez, A. Quintana, C. Riveros and S. Vansummeren, *CORE: a complex event recognition engine*, VLDB 2022.

use std::collections::HashMap;

use ensue_model::Timestamp;
use ensue_model::output::Taken;
use ensue_model::pattern::StageId;
use serde::{Deserialize, Serialize};

/// A node by its position in the graph.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct NodeId(u32);

/// A set of runs.
#[derive(Debug)]
pub(crate) enum Node<E> {
    /// The runs of `before`, or the one that has nothing yet, with one more event.
    Take { latest: Timestamp, stage: StageId, before: Option<NodeId>, taken: Taken<E> },
    /// The runs of both. `first` has the latest start of all.
    Union { latest: Timestamp, first: NodeId, second: NodeId },
}

/// The nodes of one key, in the order in which they were made.
#[derive(Debug)]
pub(crate) struct Graph<E> {
    nodes: Vec<Node<E>>,
    /// How many nodes the last sweep kept.
    kept: u32,
}

/// Nodes are swept when there are twice as many as the last sweep kept, and at least so many.
const SWEEP_MIN: usize = 32;

impl<E> Default for Graph<E> {
    fn default() -> Self {
        Graph { nodes: Vec::new(), kept: 0 }
    }
}

impl<E> Node<E> {
    /// The latest start of all runs here.
    fn latest(&self) -> Timestamp {
        match self {
            Node::Take { latest, .. } | Node::Union { latest, .. } => *latest,
        }
    }
}

impl<E> Graph<E> {
    pub(crate) fn latest(&self, node: NodeId) -> Timestamp {
        self.node(node).latest()
    }

    pub(crate) fn len(&self) -> usize {
        self.nodes.len()
    }

    fn node(&self, node: NodeId) -> &Node<E> {
        &self.nodes[node.0 as usize]
    }

    fn push(&mut self, node: Node<E>) -> NodeId {
        self.nodes.push(node);
        NodeId(self.nodes.len() as u32 - 1)
    }

    /// The runs of `before` with one more event; without `before`, the run that starts with it.
    pub(crate) fn take(&mut self, before: Option<NodeId>, stage: StageId, taken: Taken<E>) -> NodeId {
        let latest = before.map_or(taken.time, |before| self.latest(before));
        self.push(Node::Take { latest, stage, before, taken })
    }

    fn join(&mut self, a: NodeId, b: NodeId) -> NodeId {
        let (first, second) = if self.latest(a) >= self.latest(b) { (a, b) } else { (b, a) };
        self.push(Node::Union { latest: self.latest(first), first, second })
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

    /// Calls `visit` with each run of a node that started after `closed`: its events from the last to the first.
    pub(crate) fn each_run<'g>(
        &'g self,
        node: NodeId,
        closed: Timestamp,
        mut visit: impl FnMut(&[(StageId, &'g Taken<E>)]),
    ) {
        let mut events: Vec<(StageId, &Taken<E>)> = Vec::new();
        let mut open: Vec<(NodeId, usize)> = vec![(node, 0)];
        while let Some((node, depth)) = open.pop() {
            let node = self.node(node);
            if node.latest() <= closed {
                continue;
            }
            events.truncate(depth);
            match node {
                Node::Union { first, second, .. } => open.extend([(*second, depth), (*first, depth)]),
                Node::Take { stage, before, taken, .. } => {
                    events.push((*stage, taken));
                    match before {
                        Some(before) => open.push((*before, depth + 1)),
                        None => visit(&events),
                    }
                }
            }
        }
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
                let mut mark = |node: NodeId| is_used[node.0 as usize] |= self.node(node).latest() > closed;
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
        let mut kept: Vec<Node<E>> = Vec::new();
        for (node, is_used) in std::mem::take(&mut self.nodes).into_iter().zip(is_used) {
            if !is_used {
                moved.push(None);
                continue;
            }
            let at = |node: NodeId| moved[node.0 as usize];
            let node = match node {
                Node::Take { latest, stage, before, taken } => {
                    Node::Take { latest, stage, before: before.and_then(at), taken }
                }
                Node::Union { latest, first, second } => match (at(first), at(second)) {
                    (Some(first), Some(second)) => Node::Union { latest, first, second },
                    (only, None) | (None, only) => {
                        moved.push(only);
                        continue;
                    }
                },
            };
            kept.push(node);
            moved.push(Some(NodeId(kept.len() as u32 - 1)));
        }
        self.nodes = kept;
        moved
    }
}

/// A graph as a snapshot holds it: an event that several nodes took is there once.
#[derive(Debug, Serialize, Deserialize)]
#[serde(bound(serialize = "E: Serialize", deserialize = "E: Deserialize<'de>"))]
pub(crate) struct SavedGraph<E> {
    events: Vec<Taken<E>>,
    nodes: Vec<SavedNode>,
}

#[derive(Debug, Serialize, Deserialize)]
enum SavedNode {
    Take { stage: StageId, before: Option<NodeId>, event: u32 },
    Union { first: NodeId, second: NodeId },
}

impl<E> Graph<E> {
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
                    let latest = graph.latest(first);
                    graph.push(Node::Union { latest, first, second });
                }
            }
        }
        graph.kept = graph.nodes.len() as u32;
        Some(graph)
    }

    pub(crate) fn has(&self, node: NodeId) -> bool {
        (node.0 as usize) < self.nodes.len()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn taken(at: i64) -> Taken<i64> {
        Taken { event: Arc::new(at), time: Timestamp::from_millis(at), position: at.unsigned_abs() }
    }

    fn runs(graph: &Graph<i64>, node: NodeId, closed: i64) -> Vec<Vec<i64>> {
        let mut found = Vec::new();
        graph.each_run(node, Timestamp::from_millis(closed), |events| {
            found.push(events.iter().rev().map(|(_, taken)| *taken.event).collect());
        });
        found.sort();
        found
    }

    /// Starts at 1, 2, 3, each with 4 and with 5 taken after.
    fn fork() -> (Graph<i64>, NodeId) {
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
        let before = graph.len();
        graph.sweep(&mut [&mut all], Timestamp::from_millis(1));
        assert!(graph.len() < before, "{} of {before}", graph.len());
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
