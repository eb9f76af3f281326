//! A picture as points and lines between them, for tools that place them themselves.

use super::phrases::broken_code;
use super::picture::{Again, Arrow, Bracket, End, Kind, Lane, Node, Picture, Shape, Text};

/// Pictures as one graph.
#[derive(Default)]
pub(super) struct Graph {
    pub(super) frames: Vec<Frame>,
    pub(super) points: Vec<Point>,
    pub(super) edges: Vec<Edge>,
}

/// A frame around points, and around other frames.
pub(super) struct Frame {
    /// The frame around; none around a pattern.
    pub(super) parent: Option<usize>,
    pub(super) title: String,
    /// What else is said of it.
    pub(super) about: Vec<String>,
    pub(super) is_optional: bool,
}

pub(super) struct Point {
    pub(super) frame: usize,
    pub(super) kind: PointKind,
    pub(super) lines: Vec<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum PointKind {
    Begin,
    Stage,
    Optional,
    Barrier,
    /// Where ways part of which one is taken, and where they meet again.
    OneOf,
    /// Where ways begin, or end, that are taken side by side.
    Bar,
    Match,
    Timeout,
}

/// A line between points, by their positions.
pub(super) struct Edge {
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) kind: EdgeKind,
    pub(super) lines: Vec<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum EdgeKind {
    /// What a run goes along.
    Way,
    /// Back, for another round.
    Again,
    /// Over what a window lies.
    Window,
    /// Where a run goes whose time is over.
    Over,
}

/// The points at which a box is entered and left.
#[derive(Clone, Copy)]
struct Ends {
    enter: usize,
    leave: usize,
}

/// The graph of pictures, each in a frame of its own.
pub(super) fn of(pictures: &[Picture]) -> Graph {
    let mut graph = Graph::default();
    pictures.iter().for_each(|picture| graph.picture(picture));
    graph
}

impl Graph {
    fn picture(&mut self, picture: &Picture) {
        let Picture { name, heading, whole, notes, .. } = picture;
        let about = heading.iter().chain(whole).chain(notes).cloned().collect();
        let frame = self.frame(Frame { parent: None, title: name.clone(), about, is_optional: false });
        let begin = self.point(frame, PointKind::Begin, Vec::new());
        let boxes = self.lane(&picture.lane, frame, Some(begin));
        let last = boxes.last().map_or(begin, |ends| ends.leave);
        self.end(&picture.complete, frame, last, PointKind::Match, EdgeKind::Way);
        if let Some(timeout) = &picture.timeout {
            let first = boxes.first().map_or(begin, |ends| ends.enter);
            self.end(timeout, frame, first, PointKind::Timeout, EdgeKind::Over);
        }
    }

    fn end(&mut self, end: &End, frame: usize, from: usize, kind: PointKind, way: EdgeKind) {
        let to = self.point(frame, kind, vec![end.label.clone()]);
        self.edge(from, to, way, owned(end.words));
    }

    /// The boxes of a lane, joined by its arrows, behind a point if there is one.
    fn lane(&mut self, lane: &Lane, frame: usize, before: Option<usize>) -> Vec<Ends> {
        let mut boxes: Vec<Ends> = Vec::new();
        for node in &lane.nodes {
            let ends = self.node(node, frame);
            if let Some(before) = boxes.last().map(|ends| ends.leave).or(before) {
                let (arrow, ends) = entered(node, ends);
                self.edge(before, ends, EdgeKind::Way, arrow);
            }
            boxes.push(ends);
        }
        for Bracket { from, to, label } in &lane.brackets {
            self.edge(boxes[*from].leave, boxes[*to].enter, EdgeKind::Window, vec![label.clone()]);
        }
        boxes
    }

    fn node(&mut self, node: &Node, frame: usize) -> Ends {
        let ends = match &node.shape {
            Shape::Stage { name, takes } => {
                let kind = if node.is_optional { PointKind::Optional } else { PointKind::Stage };
                let left_out = node.is_optional.then(|| "may be left out".to_owned());
                self.alone(frame, kind, lines(name, takes).into_iter().chain(left_out).collect())
            }
            Shape::Barrier { name, takes, words } => {
                let mut lines = lines(&format!("no {name}"), takes);
                lines.push((*words).to_owned());
                self.alone(frame, PointKind::Barrier, lines)
            }
            Shape::Group { kind, title, lanes } => self.group(*kind, title, lanes, frame, node.is_optional),
        };
        if let Some(Again { times, words }) = &node.again {
            let lines = [times.clone()].into_iter().chain(words.iter().cloned()).collect();
            self.edge(ends.leave, ends.enter, EdgeKind::Again, lines);
        }
        ends
    }

    fn group(&mut self, kind: Kind, title: &str, lanes: &[Lane], around: usize, is_optional: bool) -> Ends {
        let title = if is_optional { format!("{title}, or none of it") } else { title.to_owned() };
        let frame = self.frame(Frame { parent: Some(around), title, about: Vec::new(), is_optional });
        let point = match kind {
            Kind::Sequence => {
                let boxes = self.lane(&lanes[0], frame, None);
                let (first, last) = (boxes[0], boxes[boxes.len() - 1]);
                return Ends { enter: first.enter, leave: last.leave };
            }
            Kind::OneOf => PointKind::OneOf,
            Kind::SideBySide => PointKind::Bar,
        };
        let enter = self.point(frame, point, Vec::new());
        let leaves: Vec<usize> = lanes
            .iter()
            .map(|lane| self.lane(lane, frame, Some(enter)).last().map_or(enter, |ends| ends.leave))
            .collect();
        let leave = self.point(frame, point, Vec::new());
        leaves.into_iter().for_each(|last| self.edge(last, leave, EdgeKind::Way, Vec::new()));
        Ends { enter, leave }
    }

    fn alone(&mut self, frame: usize, kind: PointKind, lines: Vec<String>) -> Ends {
        let point = self.point(frame, kind, lines);
        Ends { enter: point, leave: point }
    }

    fn frame(&mut self, frame: Frame) -> usize {
        self.frames.push(frame);
        self.frames.len() - 1
    }

    fn point(&mut self, frame: usize, kind: PointKind, lines: Vec<String>) -> usize {
        self.points.push(Point { frame, kind, lines });
        self.points.len() - 1
    }

    fn edge(&mut self, from: usize, to: usize, kind: EdgeKind, lines: Vec<String>) {
        self.edges.push(Edge { from, to, kind, lines });
    }
}

/// Where a box is entered, with the words of the arrow to it: of a plain group, the arrow to its first box.
fn entered(node: &Node, ends: Ends) -> (Vec<String>, usize) {
    let mut arrow = node.arrow;
    let mut inner = node;
    while let Shape::Group { kind: Kind::Sequence, lanes, .. } = &inner.shape {
        inner = &lanes[0].nodes[0];
        arrow = inner.arrow;
    }
    (arrow.map_or_else(Vec::new, |Arrow { words }| owned(words)), ends.enter)
}

fn owned(words: &[&str]) -> Vec<String> {
    words.iter().map(|words| (*words).to_owned()).collect()
}

fn lines(name: &str, takes: &[Text]) -> Vec<String> {
    let takes = takes.iter().flat_map(|text| match text {
        Text::Words(words) => vec![words.clone()],
        Text::Code(code) => broken_code(code, CODE_CHARS),
    });
    [name.to_owned()].into_iter().chain(takes).collect()
}

/// The most characters of a line of a condition.
const CODE_CHARS: usize = 40;

/// The points of a frame, with their positions.
pub(super) fn points_of(graph: &Graph, frame: usize) -> impl Iterator<Item = (usize, &Point)> {
    graph.points.iter().enumerate().filter(move |(_, point)| point.frame == frame)
}

/// The frames in a frame, or those that are in none.
pub(super) fn frames_in(graph: &Graph, parent: Option<usize>) -> impl Iterator<Item = (usize, &Frame)> {
    graph.frames.iter().enumerate().filter(move |(_, frame)| frame.parent == parent)
}
