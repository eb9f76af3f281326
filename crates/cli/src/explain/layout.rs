//! Where the parts of a picture stand: marks on a page, in pixels.
//!
//! Time goes from left to right along an *axis*. Each part is sketched by itself, around the axis; what holds it moves it to its
//! place. Nothing is measured but text, with widths that no common font exceeds, so that the same picture is the same everywhere.

use super::phrases::{broken, broken_code};
use super::picture::{Again, Arrow, Bracket, End, Kind, Lane, Node, Picture, Shape, Text};

/// The widest row of boxes; what does not fit goes on in the next.
const ROW_MAX: i32 = 1_180;
const MARGIN: i32 = 24;
/// Of a line of text in a box, and above an arrow.
const LINE: i32 = 17;
const PAD: i32 = 12;
/// The shortest arrow.
const ARROW_MIN: i32 = 36;
/// The length of an arrow's head.
pub(super) const HEAD: i32 = 8;
/// The height of a bracket with its label.
const BRACKET: i32 = 30;
/// The height of the arrow that leads back to the box that it comes from.
const LOOP: i32 = 20;
/// From the frame of a group to its lanes, at each side, where they part.
const FORK: i32 = 34;
const LANE_GAP: i32 = 16;
const ROW_GAP: i32 = 44;
/// The most characters of a line of a condition, and the most lines.
const CODE_CHARS: usize = 34;
const CODE_LINES: usize = 6;
/// The most characters of a line of words above the boxes, or below.
const WORDS_CHARS: usize = 130;

/// How a mark looks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Look {
    Title,
    Words,
    /// Words above an arrow.
    Label,
    Name,
    Barred,
    Code,
    Stage,
    Optional,
    Barrier,
    Frame,
    OptionalFrame,
    Line,
    /// A line that several lanes begin or end at together.
    Bar,
    Bracket,
    BracketLabel,
    Match,
    MatchText,
    Timeout,
    TimeoutText,
    TimeoutLine,
}

/// What is drawn.
#[derive(Clone, Debug)]
pub(super) enum Mark {
    Box {
        x: i32,
        y: i32,
        width: i32,
        height: i32,
        round: i32,
        look: Look,
    },
    /// A line of text: its left end or its middle, and its base line.
    Text {
        x: i32,
        y: i32,
        is_centred: bool,
        look: Look,
        text: String,
    },
    /// Lines from point to point, with rounded corners; an arrow has a head at its end.
    Line {
        points: Vec<(i32, i32)>,
        has_head: bool,
        look: Look,
    },
    /// The beginning: a dot.
    Dot {
        x: i32,
        y: i32,
    },
    /// A sign of what must not come.
    Sign {
        x: i32,
        y: i32,
    },
}

/// A part of a picture around its axis, which is at 0.
#[derive(Default)]
struct Sketch {
    width: i32,
    /// How far it goes up from the axis, and down.
    above: i32,
    below: i32,
    /// How far from its left and right the box stands of which it is, or the last box of it.
    inset: i32,
    /// Whether lines go on inside, so that the arrow to it has no head.
    is_open: bool,
    marks: Vec<Mark>,
}

/// A page with what stands on it.
pub(super) struct Page {
    pub(super) width: i32,
    pub(super) height: i32,
    pub(super) marks: Vec<Mark>,
}

impl Mark {
    fn moved(self, right: i32, down: i32) -> Mark {
        match self {
            Mark::Box { x, y, width, height, round, look } => {
                Mark::Box { x: x + right, y: y + down, width, height, round, look }
            }
            Mark::Text { x, y, is_centred, look, text } => {
                Mark::Text { x: x + right, y: y + down, is_centred, look, text }
            }
            Mark::Line { points, has_head, look } => {
                let points = points.into_iter().map(|(x, y)| (x + right, y + down)).collect();
                Mark::Line { points, has_head, look }
            }
            Mark::Dot { x, y } => Mark::Dot { x: x + right, y: y + down },
            Mark::Sign { x, y } => Mark::Sign { x: x + right, y: y + down },
        }
    }
}

impl Sketch {
    fn height(&self) -> i32 {
        self.above + self.below
    }

    fn text(&mut self, x: i32, y: i32, is_centred: bool, look: Look, text: &str) {
        self.marks.push(Mark::Text { x, y, is_centred, look, text: text.to_owned() });
    }

    fn line(&mut self, points: &[(i32, i32)], has_head: bool, look: Look) {
        self.marks.push(Mark::Line { points: points.to_vec(), has_head, look });
    }

    /// Takes in the marks of another one.
    fn put(&mut self, other: Sketch, right: i32, down: i32) {
        self.marks.extend(other.marks.into_iter().map(|mark| mark.moved(right, down)));
    }

    fn reaches(&mut self, above: i32, below: i32) {
        self.above = self.above.max(above);
        self.below = self.below.max(below);
    }
}

/// Draws pictures one under the other.
pub(super) fn page(pictures: &[Picture]) -> Page {
    let mut page = Page { width: 0, height: MARGIN, marks: Vec::new() };
    for picture in pictures {
        let (top, sketch) = (page.height, picture_sketch(picture));
        page.width = page.width.max(sketch.width + 2 * MARGIN);
        page.height += sketch.height() + MARGIN;
        page.marks.extend(sketch.marks.into_iter().map(|mark| mark.moved(MARGIN, top)));
    }
    page
}

/// A picture below its axis: heading, rows of boxes, ends, notes.
fn picture_sketch(picture: &Picture) -> Sketch {
    let mut all = Sketch::default();
    let mut down = 18;
    all.text(0, down, false, Look::Title, &picture.name);
    all.width = text_width(&picture.name, Look::Title);
    down = paragraphs(&mut all, &picture.heading, down + 4) + 18;
    for row in rows(picture) {
        down += row.above;
        all.width = all.width.max(row.width);
        let below = row.below;
        all.put(row, 0, down);
        down += below + ROW_GAP;
    }
    down -= ROW_GAP;
    if !picture.notes.is_empty() {
        down = paragraphs(&mut all, &picture.notes, down + 14);
    }
    all.below = down;
    all
}

/// Sentences in lines; gives where they end.
fn paragraphs(all: &mut Sketch, sentences: &[String], top: i32) -> i32 {
    let mut down = top;
    for line in sentences.iter().flat_map(|sentence| broken(sentence, WORDS_CHARS)) {
        down += LINE;
        all.text(0, down, false, Look::Words, &line);
        all.width = all.width.max(text_width(&line, Look::Words));
    }
    down
}

/// A box in its row, with the arrow before it.
struct Placed {
    /// The box's left and right end.
    left: i32,
    right: i32,
    /// How far it goes down from the axis.
    below: i32,
    row: usize,
}

/// The boxes of the whole, in as many rows as they need.
fn rows(picture: &Picture) -> Vec<Sketch> {
    let nodes: Vec<Sketch> = picture.lane.nodes.iter().map(node).collect();
    let mut rows = vec![begin()];
    let mut placed: Vec<Placed> = Vec::new();
    for (index, (sketch, node)) in nodes.into_iter().zip(&picture.lane.nodes).enumerate() {
        let arrow = arrow_sketch(node.arrow);
        let row = rows.last_mut().expect("there is a first row");
        if index > 0 && row.width + arrow.width + sketch.width > ROW_MAX {
            rows.push(Sketch { width: FORK, ..Sketch::default() });
        }
        let number = rows.len() - 1;
        let row = &mut rows[number];
        placed.push(append(row, arrow, sketch, number));
    }
    let last = rows.len() - 1;
    ends(picture, &mut rows[last], &placed, last);
    brackets(&picture.lane.brackets, &placed, &mut rows);
    if let Some(whole) = &picture.whole {
        let span = Bracket { from: 0, to: placed.len() - 1, label: whole.clone() };
        brackets(&[span], &placed, &mut rows);
    }
    connect(&mut rows, &placed);
    rows
}

/// Puts an arrow and a box behind a row.
fn append(row: &mut Sketch, words: Sketch, sketch: Sketch, number: usize) -> Placed {
    let Sketch { width, above, below, inset, is_open, .. } = sketch;
    let from = if words.width > 0 { row.width - row.inset } else { row.width - HEAD };
    let left = row.width + words.width;
    row.reaches(words.above.max(above), below);
    row.line(&[(from, 0), (left + inset, 0)], !is_open, Look::Line);
    row.put(words, row.width, 0);
    row.put(sketch, left, 0);
    row.width = left + width;
    row.inset = inset;
    Placed { left: left + inset, right: left + width - inset, below, row: number }
}

/// The dot where all begins.
fn begin() -> Sketch {
    Sketch { width: 12, above: 8, below: 8, marks: vec![Mark::Dot { x: 6, y: 0 }], ..Sketch::default() }
}

/// Leads from the end of each row to the beginning of the next.
fn connect(rows: &mut [Sketch], placed: &[Placed]) {
    for row in 1..rows.len() {
        let end = placed.iter().rfind(|placed| placed.row + 1 == row).map_or(0, |placed| placed.right);
        let (below, above) = (rows[row - 1].below, rows[row].above);
        let between = below + ROW_GAP / 2;
        let start = -(above + ROW_GAP - ROW_GAP / 2);
        // The first half is drawn with the row above, the second with the row below; they meet between the two.
        let turn = end + 18;
        rows[row - 1].line(&[(end, 0), (turn, 0), (turn, between), (FORK / 2, between)], false, Look::Line);
        rows[row].line(&[(FORK / 2, start), (FORK / 2, 0), (FORK, 0)], false, Look::Line);
        rows[row - 1].width = rows[row - 1].width.max(turn);
    }
}

/// The ends behind the last box: what a complete run is, and one whose time is over.
fn ends(picture: &Picture, row: &mut Sketch, placed: &[Placed], last: usize) {
    let first = placed.iter().find(|placed| placed.row == last).map_or((0, 0), |first| (first.left, first.below));
    let over = picture.timeout.as_ref().map(|timeout| (timeout, end(timeout, Look::Timeout, Look::TimeoutText)));
    let complete = end(&picture.complete, Look::Match, Look::MatchText);
    let left = append(row, words_above(picture.complete.words), complete, last).left;
    let Some((timeout, over)) = over else { return };
    let down = row.below + 30;
    let words = timeout.words.join(" ");
    let from = first.0 + 16;
    let label = text_width(&words, Look::Label);
    let left = left.max(from + label + 40);
    row.line(&[(from, first.1 + 2), (from, down), (left, down)], true, Look::TimeoutLine);
    row.text(from + 12, down - 6, false, Look::TimeoutText, &words);
    row.width = row.width.max(left + over.width);
    row.below = down + over.below + 2;
    row.put(over, left, down);
}

fn end(end: &End, look: Look, text: Look) -> Sketch {
    let width = text_width(&end.label, text) + 2 * PAD + 8;
    let mut sketch = Sketch { width, above: 17, below: 17, ..Sketch::default() };
    sketch.marks.push(Mark::Box { x: 0, y: -17, width, height: 34, round: 17, look });
    sketch.text(width / 2, 5, true, text, &end.label);
    sketch
}

/// The words above the arrow to a box, in the gap before it.
fn arrow_sketch(arrow: Option<Arrow>) -> Sketch {
    arrow.map_or_else(Sketch::default, |arrow| words_above(arrow.words))
}

fn words_above(words: &[&str]) -> Sketch {
    let widest = words.iter().map(|line| text_width(line, Look::Label)).max();
    let width = widest.map_or(ARROW_MIN, |widest| ARROW_MIN.max(widest + 28));
    let lines = words.len() as i32;
    let mut sketch = Sketch { width, above: 8 + lines * LINE, ..Sketch::default() };
    for (line, number) in words.iter().zip(0..) {
        sketch.text(width / 2 - 4, -8 - (lines - 1 - number) * LINE, true, Look::Label, line);
    }
    sketch
}

/// A box, and what leads back to it.
fn node(node: &Node) -> Sketch {
    let mut sketch = match &node.shape {
        Shape::Stage { name, takes } => stage(name, takes, node.is_optional),
        Shape::Barrier { name, takes, words } => barrier(name, takes, words),
        Shape::Group { kind, title, lanes } => group(*kind, title, lanes, node.is_optional),
    };
    if let Some(again) = &node.again {
        lead_back(&mut sketch, again);
    }
    sketch
}

/// An arrow from the box's right upper corner to its left one, with its words above.
fn lead_back(sketch: &mut Sketch, again: &Again) {
    let words: Vec<String> = again.words.iter().flat_map(|words| broken(words, CODE_CHARS)).collect();
    let lines = || std::iter::once((&again.times, Look::Name)).chain(words.iter().map(|words| (words, Look::Label)));
    let widest = lines().map(|(text, look)| text_width(text, look)).max().unwrap_or(0);
    let (wide, was) = (sketch.width.max(widest), sketch.width);
    let marks = std::mem::take(&mut sketch.marks);
    let aside = (wide - was) / 2;
    sketch.marks = marks.into_iter().map(|mark| mark.moved(aside, 0)).collect();
    sketch.inset = aside;
    sketch.width = wide;
    let (top, middle) = (-sketch.above, wide / 2);
    let half = (was / 2 - 14).min(46);
    let points = [(middle + half, top), (middle + half, top - LOOP), (middle - half, top - LOOP), (middle - half, top)];
    sketch.line(&points, true, Look::Line);
    let count = 1 + words.len() as i32;
    for ((text, look), number) in lines().zip(0..) {
        sketch.text(middle, top - LOOP - 7 - (count - 1 - number) * LINE, true, look, text);
    }
    sketch.above += LOOP + 8 + count * LINE;
}

/// What stands in a box: lines of text with how they look.
fn lines(head: (String, Look), takes: &[Text], below: Option<&str>) -> Vec<(String, Look)> {
    let mut lines = vec![head];
    for text in takes {
        match text {
            Text::Words(words) => lines.push((words.clone(), Look::Words)),
            Text::Code(code) => {
                let mut code = broken_code(code, CODE_CHARS);
                if code.len() > CODE_LINES {
                    code.truncate(CODE_LINES);
                    code[CODE_LINES - 1].push_str(" …");
                }
                lines.extend(code.into_iter().map(|line| (line, Look::Code)));
            }
        }
    }
    lines.extend(below.map(|words| (words.to_owned(), Look::Words)));
    lines
}

fn stage(name: &str, takes: &[Text], is_optional: bool) -> Sketch {
    let below = is_optional.then_some("may be left out");
    let look = if is_optional { Look::Optional } else { Look::Stage };
    text_box(&lines((name.to_owned(), Look::Name), takes, below), 0, look)
}

fn barrier(name: &str, takes: &[Text], words: &str) -> Sketch {
    let mut sketch = text_box(&lines((format!("no {name}"), Look::Barred), takes, Some(words)), 26, Look::Barrier);
    let (top, height) = (-sketch.above, sketch.height());
    sketch.marks.push(Mark::Sign { x: 20, y: top + 18 });
    for x in [0, sketch.width] {
        sketch.line(&[(x, top - 6), (x, top + height + 6)], false, Look::Barrier);
    }
    sketch.reaches(sketch.above + 8, sketch.below + 8);
    sketch
}

/// A box around lines of text, which begin `aside` from its left.
fn text_box(lines: &[(String, Look)], aside: i32, look: Look) -> Sketch {
    let widest = lines.iter().map(|(text, look)| text_width(text, *look)).max().unwrap_or(0);
    let width = widest + 2 * PAD + aside;
    let height = lines.len() as i32 * LINE + PAD + 2;
    let top = -height / 2;
    let mut sketch = Sketch { width, above: -top, below: height + top, ..Sketch::default() };
    sketch.marks.push(Mark::Box { x: 0, y: top, width, height, round: 6, look });
    for ((text, look), number) in lines.iter().zip(1..) {
        sketch.text(PAD + aside, top + number * LINE + 2, false, *look, text);
    }
    sketch
}

/// A frame around lanes, with its title above them.
fn group(kind: Kind, title: &str, lanes: &[Lane], is_optional: bool) -> Sketch {
    let title = if is_optional { format!("{title}, or none of it") } else { title.to_owned() };
    let side = if kind == Kind::Sequence { 10 } else { FORK };
    let sketches: Vec<Sketch> = lanes.iter().map(lane).collect();
    let widest = sketches.iter().map(|lane| lane.width).max().unwrap_or(0);
    let width = (widest + 2 * side).max(text_width(&title, Look::Label) + 2 * PAD);
    let inner: i32 = sketches.iter().map(Sketch::height).sum::<i32>() + LANE_GAP * (sketches.len() as i32 - 1);
    let first = sketches.first().map_or(0, |lane| lane.above);
    let last = sketches.last().map_or(0, |lane| lane.below);
    // The axis of the frame is in the middle between the first lane and the last.
    let axis = first + (inner - first - last) / 2;
    let (above, below) = (axis + LINE + 14, inner - axis + 10);
    let mut sketch = Sketch { width, above, below, is_open: true, ..Sketch::default() };
    let look = if is_optional { Look::OptionalFrame } else { Look::Frame };
    sketch.marks.push(Mark::Box { x: 0, y: -above, width, height: above + below, round: 10, look });
    sketch.text(PAD, LINE - above, false, Look::Label, &title);
    let mut down = -axis;
    let mut ways = Vec::new();
    for lane in sketches {
        let at = down + lane.above;
        ways.push((at, side + lane.width - lane.inset));
        down += lane.height() + LANE_GAP;
        sketch.put(lane, side, at);
    }
    match kind {
        Kind::Sequence => {
            sketch.line(&[(0, 0), (side, 0)], false, Look::Line);
            sketch.line(&[(ways[0].1, 0), (width, 0)], false, Look::Line);
        }
        Kind::OneOf => fork(&mut sketch, &ways, width),
        Kind::SideBySide => side_by_side(&mut sketch, &ways, width),
    }
    sketch
}

/// Lines from one point to each lane, and from each lane to one point.
fn fork(sketch: &mut Sketch, ways: &[(i32, i32)], width: i32) {
    for (at, end) in ways {
        let turn = FORK / 2 - 4;
        sketch.line(&[(0, 0), (turn, 0), (turn, *at), (FORK - HEAD, *at)], false, Look::Line);
        sketch.line(&[(*end, *at), (width - turn, *at), (width - turn, 0), (width, 0)], false, Look::Line);
    }
}

/// The lanes between two bars, at which all begin and end together.
fn side_by_side(sketch: &mut Sketch, ways: &[(i32, i32)], width: i32) {
    let (first, last) = (ways.first().map_or(0, |way| way.0), ways.last().map_or(0, |way| way.0));
    for x in [10, width - 10] {
        sketch.line(&[(x, first - 14), (x, last + 14)], false, Look::Bar);
    }
    sketch.line(&[(0, 0), (10, 0)], false, Look::Line);
    sketch.line(&[(width - 10, 0), (width, 0)], false, Look::Line);
    for (at, end) in ways {
        sketch.line(&[(10, *at), (FORK - HEAD, *at)], false, Look::Line);
        sketch.line(&[(*end, *at), (width - 10, *at)], false, Look::Line);
    }
}

/// Boxes in one row, without the ends.
fn lane(lane: &Lane) -> Sketch {
    let mut row = Sketch::default();
    let mut placed = Vec::new();
    for node in &lane.nodes {
        let sketch = self::node(node);
        placed.push(append(&mut row, arrow_sketch(node.arrow), sketch, 0));
    }
    let mut rows = vec![row];
    brackets(&lane.brackets, &placed, &mut rows);
    rows.pop().expect("there is one row")
}

/// Draws windows above what they span, in each row that they are over.
fn brackets(brackets: &[Bracket], placed: &[Placed], rows: &mut [Sketch]) {
    for Bracket { from, to, label } in brackets {
        let (first, last) = (&placed[*from], &placed[*to]);
        for (row, sketch) in rows.iter_mut().enumerate().take(last.row + 1).skip(first.row) {
            let in_row = || placed[*from..=*to].iter().filter(|placed| placed.row == row);
            let left = in_row().next().map_or(0, |placed| placed.left);
            let right = in_row().next_back().map_or(0, |placed| placed.right);
            let label = if row == first.row { label.clone() } else { format!("… {label}") };
            bracket(sketch, left, right, row == first.row, row == last.row, &label);
        }
    }
}

fn bracket(row: &mut Sketch, left: i32, right: i32, begins: bool, ends: bool, label: &str) {
    let y = -(row.above + 12);
    let mut points = vec![(left, y), (right, y)];
    if begins {
        points.insert(0, (left, y + 8));
    }
    if ends {
        points.push((right, y + 8));
    }
    row.line(&points, false, Look::Bracket);
    let middle = (left + right) / 2;
    let half = text_width(label, Look::BracketLabel) / 2;
    row.text(middle.max(half), y - 6, true, Look::BracketLabel, label);
    row.width = row.width.max(middle.max(half) + half);
    row.above += BRACKET + 2;
}

/// How wide a line of text is, at most, in common fonts.
fn text_width(text: &str, look: Look) -> i32 {
    let (size, is_bold) = match look {
        Look::Title => (18, true),
        Look::Name | Look::Barred | Look::MatchText => (14, true),
        _ => (12, false),
    };
    let of = |char| if look == Look::Code { code_width(char) } else { char_width(char) };
    let thousandths: i32 = text.chars().map(of).sum();
    let bold = if is_bold { 112 } else { 100 };
    thousandths * size * bold / 100_000 + 1
}

/// In thousandths of the size; of a font in which letters are as wide as they are.
fn char_width(char: char) -> i32 {
    match char {
        'i' | 'j' | 'l' | '\'' | '|' | '.' | ',' | ':' | ';' | ' ' | '!' | 'I' => 340,
        'f' | 't' | 'r' | '(' | ')' | '[' | ']' | '/' | '-' | '`' => 430,
        'm' | 'w' | 'M' | 'W' | '@' | '%' => 960,
        'A'..='Z' => 720,
        '\0'..='\u{24f}' => 620,
        _ => 1_000,
    }
}

/// Of a font in which all letters are equally wide.
fn code_width(char: char) -> i32 {
    match char {
        '\0'..='\u{24f}' | '…' => 610,
        _ => 1_020,
    }
}
