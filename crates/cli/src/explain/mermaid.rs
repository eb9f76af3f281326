//! Pictures for Mermaid, which many tools draw where they stand in a text.

use std::fmt::Write as _;

use super::graph::{self, Edge, EdgeKind, Graph, Point, PointKind, frames_in, points_of};
use super::picture::Picture;

const CLASSES: &str = "
  classDef about fill:none,stroke:none,text-align:left
  classDef stage fill:#ddf4ff,stroke:#0969da,color:#1f2328
  classDef optional fill:#ddf4ff,stroke:#0969da,color:#1f2328,stroke-dasharray:5 4
  classDef barrier fill:#ffebe9,stroke:#cf222e,color:#82071e,stroke-dasharray:5 4
  classDef point fill:#59636e,stroke:#59636e,color:#ffffff
  classDef match fill:#dafbe1,stroke:#1a7f37,color:#116329
  classDef timeout fill:#fff8c5,stroke:#9a6700,color:#7d4e00
";

/// The text of a Mermaid diagram.
pub(super) fn of(pictures: &[Picture]) -> String {
    let graph = graph::of(pictures);
    let mut mermaid = "flowchart LR\n".to_owned();
    write_frames(&mut mermaid, &graph, None, "  ");
    graph.edges.iter().for_each(|edge| write_edge(&mut mermaid, edge));
    mermaid + CLASSES.trim_start_matches('\n')
}

fn write_frames(mermaid: &mut String, graph: &Graph, parent: Option<usize>, indent: &str) {
    for (number, frame) in frames_in(graph, parent) {
        // Writing to a text does not fail.
        let _ = writeln!(mermaid, "{indent}subgraph g{number}[\"{}\"]", escaped(&frame.title));
        let _ = writeln!(mermaid, "{indent}  direction LR");
        if !frame.about.is_empty() {
            // A title of several lines would stand on what is in the frame.
            let _ = writeln!(mermaid, "{indent}  a{number}[\"{}\"]:::about", text(&frame.about));
            let first = points_of(graph, number).next().map_or(0, |(first, _)| first);
            let _ = writeln!(mermaid, "{indent}  a{number} ~~~ n{first}");
        }
        for (number, point) in points_of(graph, number) {
            let _ = writeln!(mermaid, "{indent}  n{number}{}:::{}", shape(point), class(point.kind));
        }
        write_frames(mermaid, graph, Some(number), &format!("{indent}  "));
        let _ = writeln!(mermaid, "{indent}end");
        if frame.is_optional {
            let _ = writeln!(mermaid, "{indent}style g{number} stroke-dasharray:5 4");
        }
    }
}

fn shape(Point { kind, lines, .. }: &Point) -> String {
    let text = text(lines);
    match kind {
        PointKind::Begin => "((\" \"))".to_owned(),
        PointKind::Stage | PointKind::Optional => format!("[\"{text}\"]"),
        PointKind::Barrier => format!("{{{{\"{text}\"}}}}"),
        PointKind::OneOf => "{\" \"}".to_owned(),
        PointKind::Bar => "[[\" \"]]".to_owned(),
        PointKind::Match | PointKind::Timeout => format!("([\"{text}\"])"),
    }
}

fn class(kind: PointKind) -> &'static str {
    match kind {
        PointKind::Begin | PointKind::OneOf | PointKind::Bar => "point",
        PointKind::Stage => "stage",
        PointKind::Optional => "optional",
        PointKind::Barrier => "barrier",
        PointKind::Match => "match",
        PointKind::Timeout => "timeout",
    }
}

fn write_edge(mermaid: &mut String, Edge { from, to, kind, lines }: &Edge) {
    let arrow = match kind {
        EdgeKind::Way | EdgeKind::Again => "-->",
        EdgeKind::Window | EdgeKind::Over => "-.->",
    };
    let label = if lines.is_empty() { String::new() } else { format!("|\"{}\"|", text(lines)) };
    let _ = writeln!(mermaid, "  n{from} {arrow}{label} n{to}");
}

/// Lines as a label in quotes takes them.
fn text(lines: &[String]) -> String {
    lines.iter().map(|line| escaped(line)).collect::<Vec<_>>().join("<br/>")
}

/// Mermaid reads labels as HTML; its own `#quot;` is not read by all of its versions. A backtick would begin Markdown, and a
/// backslash with an n end a line, if nothing, however thin, came between the two.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '"' => escaped.push_str("&quot;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            '#' => escaped.push_str("&num;"),
            '`' => escaped.push_str("&grave;"),
            '\\' => escaped.push_str("&bsol;&ZeroWidthSpace;"),
            char if char.is_control() => escaped.push(' '),
            char => escaped.push(char),
        }
    }
    escaped
}
