//! Pictures in SVG, for a page that is light or dark.

use std::fmt::Write as _;

use super::layout::{HEAD, Look, Mark, Page, page};
use super::picture::Picture;
use crate::xml::escaped;

const STYLE: &str = "\
text { font: 12px system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif; fill: #1f2328 }
.page { fill: #ffffff } .title { font-size: 18px; font-weight: 700 } .words, .label { fill: #59636e }
.name, .barred, .match-text { font-size: 14px; font-weight: 600 } .barred { fill: #b3261e } .match-text { fill: #116329 }
.code { font-family: ui-monospace, 'SF Mono', Menlo, Consolas, 'DejaVu Sans Mono', monospace; white-space: pre }
.stage, .optional { fill: #ddf4ff; stroke: #0969da; stroke-width: 1.5 } .optional, .optional-frame { stroke-dasharray: 5 4 }
.barrier { fill: #ffebe9; stroke: #cf222e; stroke-width: 1.5; stroke-dasharray: 5 4 }
.bar-of-barrier { fill: none; stroke: #cf222e; stroke-width: 4; stroke-linecap: round }
.sign { fill: none; stroke: #cf222e; stroke-width: 2 }
.frame, .optional-frame { fill: #818b98; fill-opacity: 0.08; stroke: #818b98 }
.line { fill: none; stroke: #59636e; stroke-width: 1.5 } .head, .dot { fill: #59636e }
.bar { fill: none; stroke: #59636e; stroke-width: 4; stroke-linecap: round }
.bracket { fill: none; stroke: #8250df; stroke-width: 1.5 } .bracket-label { fill: #8250df }
.match { fill: #dafbe1; stroke: #1a7f37; stroke-width: 2 } .timeout { fill: #fff8c5; stroke: #9a6700; stroke-width: 2 }
.timeout-text { fill: #7d4e00 } .timeout-line { fill: none; stroke: #9a6700; stroke-width: 1.5; stroke-dasharray: 3 4 }
.timeout-head { fill: #9a6700 }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3 } .page { fill: #0d1117 } .words, .label { fill: #9198a1 } .barred { fill: #ff938a } .match-text { fill: #7ee787 }
.stage, .optional { fill: #121d2f; stroke: #4493f8 } .barrier { fill: #25171c; stroke: #f85149 }
.bar-of-barrier, .sign { stroke: #f85149 } .line, .bar { stroke: #9198a1 } .head, .dot { fill: #9198a1 }
.bracket { stroke: #ab7df8 } .bracket-label { fill: #c297ff } .match { fill: #12261e; stroke: #3fb950 }
.timeout { fill: #272115; stroke: #d29922 } .timeout-text { fill: #e3b341 } .timeout-line { stroke: #d29922 } .timeout-head { fill: #d29922 }
}
";

/// How far an arrow's head goes to each side.
const HEAD_HALF: i32 = 4;

/// How round corners of lines are.
const CORNER: i32 = 7;

/// The text of an SVG file. What stands in it is told to those who do not see it, too.
pub(super) fn of(pictures: &[Picture], told: &str) -> String {
    let Page { width, height, marks } = page(pictures);
    let names: Vec<&str> = pictures.iter().map(|picture| picture.name.as_str()).collect();
    let mut svg = String::new();
    let _ = writeln!(
        svg,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" \
         role=\"img\">\n<title>{}</title>\n<desc>{}</desc>\n<style>\n{STYLE}</style>\n\
         <rect class=\"page\" width=\"{width}\" height=\"{height}\"/>",
        escaped(&names.join(", ")),
        escaped(told.trim_end()),
    );
    marks.iter().for_each(|mark| write_mark(&mut svg, mark));
    svg + "</svg>\n"
}

fn write_mark(svg: &mut String, mark: &Mark) {
    // Writing to a text does not fail.
    let _ = match mark {
        Mark::Box { x, y, width, height, round, look } => writeln!(
            svg,
            "<rect class=\"{}\" x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" rx=\"{round}\"/>",
            class(*look)
        ),
        Mark::Text { x, y, is_centred, look, text } => {
            let anchor = if *is_centred { " text-anchor=\"middle\"" } else { "" };
            writeln!(svg, "<text class=\"{}\" x=\"{x}\" y=\"{y}\"{anchor}>{}</text>", class(*look), escaped(text))
        }
        Mark::Line { points, has_head, look } => {
            let class = if *look == Look::Barrier { "bar-of-barrier" } else { class(*look) };
            let path = writeln!(svg, "<path class=\"{class}\" d=\"{}\"/>", path(points, *has_head));
            path.and_then(|()| if *has_head { write_head(svg, points, *look) } else { Ok(()) })
        }
        Mark::Dot { x, y } => writeln!(svg, "<circle class=\"dot\" cx=\"{x}\" cy=\"{y}\" r=\"6\"/>"),
        Mark::Sign { x, y } => writeln!(
            svg,
            "<circle class=\"sign\" cx=\"{x}\" cy=\"{y}\" r=\"7\"/>\n<path class=\"sign\" d=\"M{} {}L{} {}\"/>",
            x - 5,
            y - 5,
            x + 5,
            y + 5
        ),
    };
}

fn class(look: Look) -> &'static str {
    match look {
        Look::Title => "title",
        Look::Words => "words",
        Look::Label => "label",
        Look::Name => "name",
        Look::Barred => "barred",
        Look::Code => "code",
        Look::Stage => "stage",
        Look::Optional => "optional",
        Look::Barrier => "barrier",
        Look::Frame => "frame",
        Look::OptionalFrame => "optional-frame",
        Look::Line => "line",
        Look::Bar => "bar",
        Look::Bracket => "bracket",
        Look::BracketLabel => "bracket-label",
        Look::Match => "match",
        Look::MatchText => "match-text",
        Look::Timeout => "timeout",
        Look::TimeoutText => "timeout-text",
        Look::TimeoutLine => "timeout-line",
    }
}

/// A path through points, with round corners. Under an arrow's head there is no line.
fn path(points: &[(i32, i32)], has_head: bool) -> String {
    let mut points = points.to_vec();
    if let ([.., before, last], true) = (points.as_mut_slice(), has_head) {
        *last = toward(*last, *before, HEAD - 1);
    }
    let Some(((x, y), rest)) = points.split_first() else { return String::new() };
    let mut path = format!("M{x} {y}");
    let mut from = (*x, *y);
    for (position, (x, y)) in rest.iter().enumerate() {
        let _ = match rest.get(position + 1) {
            Some(next) => {
                let (a, b) = (toward((*x, *y), from, CORNER), toward((*x, *y), *next, CORNER));
                write!(path, "L{} {}Q{x} {y} {} {}", a.0, a.1, b.0, b.1)
            }
            None => write!(path, "L{x} {y}"),
        };
        from = (*x, *y);
    }
    path
}

/// So far from a point toward another one on the same horizontal or vertical line; half of the way at most.
fn toward(from: (i32, i32), to: (i32, i32), far: i32) -> (i32, i32) {
    let step = |from: i32, to: i32| (to - from).signum() * far.min((to - from).abs() / 2);
    (from.0 + step(from.0, to.0), from.1 + step(from.1, to.1))
}

fn write_head(svg: &mut String, points: &[(i32, i32)], look: Look) -> std::fmt::Result {
    let [.., before, (x, y)] = points else { return Ok(()) };
    let (right, down) = ((x - before.0).signum(), (y - before.1).signum());
    let (back_x, back_y) = (x - right * HEAD, y - down * HEAD);
    let (aside_x, aside_y) = (down * HEAD_HALF, right * HEAD_HALF);
    let class = if look == Look::TimeoutLine { "timeout-head" } else { "head" };
    writeln!(
        svg,
        "<path class=\"{class}\" d=\"M{x} {y}L{} {}L{} {}Z\"/>",
        back_x + aside_x,
        back_y + aside_y,
        back_x - aside_x,
        back_y - aside_y
    )
}
