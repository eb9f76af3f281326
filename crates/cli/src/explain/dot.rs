//! Pictures for Graphviz.

use std::fmt::Write as _;

use super::graph::{self, Edge, EdgeKind, Frame, Graph, PointKind, frames_in, points_of};
use super::picture::Picture;

const HEAD: &str = r##"digraph patterns {
  rankdir=LR
  compound=true
  fontname="Helvetica,Arial,sans-serif"
  node [fontname="Helvetica,Arial,sans-serif", fontsize=12, shape=box, style="filled,rounded", color="#0969da", fillcolor="#ddf4ff"]
  edge [fontname="Helvetica,Arial,sans-serif", fontsize=11, color="#59636e", fontcolor="#59636e"]
"##;

/// The text of a dot file.
pub(super) fn of(pictures: &[Picture]) -> String {
    let graph = graph::of(pictures);
    let mut dot = HEAD.to_owned();
    write_frames(&mut dot, &graph, None, "  ");
    graph.edges.iter().for_each(|edge| write_edge(&mut dot, edge));
    dot + "}\n"
}

fn write_frames(dot: &mut String, graph: &Graph, parent: Option<usize>, indent: &str) {
    for (number, frame) in frames_in(graph, parent) {
        let style = if frame.is_optional { "rounded,dashed" } else { "rounded" };
        // Writing to a text does not fail.
        let _ = writeln!(dot, "{indent}subgraph cluster_{number} {{");
        let _ = writeln!(dot, "{indent}  label={} labeljust=l style=\"{style}\" color=\"#818b98\"", left(frame));
        for (number, point) in points_of(graph, number) {
            let _ = writeln!(dot, "{indent}  n{number} [label={}{}]", label(&point.lines), look(point.kind));
        }
        write_frames(dot, graph, Some(number), &format!("{indent}  "));
        let _ = writeln!(dot, "{indent}}}");
    }
}

fn look(kind: PointKind) -> &'static str {
    match kind {
        PointKind::Begin => {
            r##", shape=circle, width=0.2, fixedsize=true, style=filled, color="#59636e", fillcolor="#59636e""##
        }
        PointKind::Stage => "",
        PointKind::Optional => r#", style="filled,rounded,dashed""#,
        PointKind::Barrier => r##", shape=octagon, style="filled,dashed", color="#cf222e", fillcolor="#ffebe9""##,
        PointKind::OneOf => {
            r##", shape=diamond, width=0.3, height=0.3, fixedsize=true, style=filled, color="#59636e", fillcolor="#ffffff""##
        }
        PointKind::Bar => {
            r##", shape=box, width=0.08, height=0.9, fixedsize=true, style=filled, color="#59636e", fillcolor="#59636e""##
        }
        PointKind::Match => r##", shape=ellipse, style=filled, color="#1a7f37", fillcolor="#dafbe1""##,
        PointKind::Timeout => r##", shape=ellipse, style=filled, color="#9a6700", fillcolor="#fff8c5""##,
    }
}

fn write_edge(dot: &mut String, Edge { from, to, kind, lines }: &Edge) {
    let look = match kind {
        EdgeKind::Way => "",
        EdgeKind::Again => ", constraint=false",
        EdgeKind::Window => {
            r##", constraint=false, style=dashed, dir=both, arrowhead=tee, arrowtail=tee, color="#8250df", fontcolor="#8250df""##
        }
        EdgeKind::Over => r##", style=dashed, color="#9a6700", fontcolor="#9a6700""##,
    };
    let _ = writeln!(dot, "  n{from} -> n{to} [label={}{look}]", label(lines));
}

/// Lines in the middle.
fn label(lines: &[String]) -> String {
    format!("\"{}\"", lines.iter().map(|line| escaped(line)).collect::<Vec<_>>().join("\\n"))
}

/// A title, and what else is said, in lines that begin at the left.
fn left(Frame { title, about, .. }: &Frame) -> String {
    format!("\"{}\"", [title].into_iter().chain(about).map(|line| escaped(line) + "\\l").collect::<String>())
}

/// In quotes; Graphviz reads entities of HTML in labels.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('\\', "\\\\").replace('"', "\\\"").replace(char::is_control, " ")
}
