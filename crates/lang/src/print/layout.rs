//! Where lines break: a text as pieces, and the pieces as lines of at most [`WIDTH_MAX`] columns.
//!
//! Knows no language. A group of pieces stands on one line where it fits, or else breaks at all its breaks; it is decided from
//! the outside in, as in D. C. Oppen, *Prettyprinting*, 1980, and P. Wadler, *A prettier printer*, 2003.

/// The longest line, in characters, as far as there are places to break it.
pub(super) const WIDTH_MAX: usize = 100;

/// By how much what stands inside something stands further to the right.
pub(super) const INDENT: usize = 2;

/// A part of a text.
#[derive(Clone, Debug)]
pub(crate) enum Piece {
    /// A word, or a sign.
    Word(Word),
    /// A blank.
    Space,
    /// A comma; it holds on to the word before it.
    Comma(When),
    /// Blanks up to a column where the group is broken, else one.
    Pad(usize),
    /// The end of a column: blanks follow where the line above or below is alike and has a wider one.
    Column,
    /// As `Pad`, if the groups that are called so stand on a line each.
    Beside(Beside),
    /// A blank, or nothing, where the group is on one line; else a line break.
    Break(Break),
    /// The start of a group.
    Open(Group),
    /// The end of a group.
    Close,
    /// A comment inside a line.
    Comment(String),
    /// A comment that ends its line.
    Trailing(String),
    /// A line break where there should be none: a comment stands before it.
    Forced(Vec<OwnLine>),
}

/// A word of a text.
#[derive(Clone, Debug)]
pub(crate) struct Word {
    /// As it is to be written.
    pub(crate) text: String,
    /// What it is, for who looks for it in another text.
    pub(crate) kind: WordKind,
}

/// What a word is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum WordKind {
    /// A keyword, a number, a sign.
    Plain,
    /// A name, in backticks where it needs them.
    Name,
    /// A quoted text: there are several ways to write it.
    Text,
}

/// In which layout a comma stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum When {
    Always,
    OneLine,
    Broken,
}

/// Columns of lines that stand below each other.
#[derive(Clone, Debug)]
pub(crate) struct Beside {
    /// How many blanks.
    pub(super) blanks: usize,
    /// The groups that have to stand on a line each, and the column in which they then start.
    pub(super) groups: std::ops::Range<usize>,
    pub(super) start: usize,
}

/// A place where a line may break.
#[derive(Clone, Debug)]
pub(crate) struct Break {
    /// Whether there is a blank where it does not break.
    pub(super) blank: bool,
    /// By how much the next line stands to the right of the group's base.
    pub(super) indent: usize,
    pub(crate) edge: Edge,
    /// Whether there is an empty line before what comes next.
    pub(crate) empty_line: bool,
    /// Comments on lines of their own, between the two.
    pub(crate) own: Vec<OwnLine>,
    /// Whether it has to break.
    pub(crate) must: bool,
}

/// What a break stands between.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Edge {
    /// Parts of one thing, between which there are no empty lines.
    Inner,
    /// Things of a list: an empty line may stand between them.
    Between,
    /// A bracket and the first thing of its list.
    Opening,
    /// The last thing of a list and its bracket.
    Closing,
}

/// A comment on a line of its own.
#[derive(Clone, Debug)]
pub(crate) struct OwnLine {
    /// Whether there is an empty line before it.
    pub(crate) empty_line: bool,
    pub(crate) text: String,
}

/// Pieces that stand on one line or break together.
#[derive(Clone, Debug)]
pub(crate) struct Group {
    pub(super) style: Style,
    pub(super) base: Base,
    /// A number by which a [`Beside`] calls it.
    pub(super) called: Option<usize>,
    /// Whether its words stood on one line in the text that is laid out anew.
    pub(crate) was_one_line: Option<bool>,
    /// Whether something in it has to break: known when all is measured.
    must_break: bool,
    /// Its width on one line.
    width: usize,
    /// The piece that closes it.
    close: usize,
}

/// When a group breaks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Style {
    /// Where it does not fit.
    Fit,
    /// Where it does not fit; between two of its things only where the next one does not.
    Fill,
    /// Where it does not fit, or was on several lines; and if nobody has written it yet, as is said here.
    AsWritten { one_line: bool },
}

/// From where the indents of a group count.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Base {
    /// From where those of the group around it do.
    Same,
    /// From further to the right.
    In(usize),
    /// From the column in which it starts.
    Here,
}

impl Piece {
    pub(super) fn word(text: impl Into<String>) -> Piece {
        Piece::Word(Word { text: text.into(), kind: WordKind::Plain })
    }
}

impl Break {
    pub(crate) fn new(indent: usize, edge: Edge) -> Break {
        Break { blank: true, indent, edge, empty_line: false, own: Vec::new(), must: false }
    }

    /// Whether there is an empty line somewhere between the two.
    pub(super) fn is_apart(&self) -> bool {
        self.empty_line || self.own.iter().any(|line| line.empty_line)
    }

    /// Whether there is nothing between the two.
    pub(super) fn is_nothing(&self) -> bool {
        self.own.is_empty() && !self.empty_line
    }

    /// One that leaves no blank.
    pub(super) fn tight(indent: usize, edge: Edge) -> Break {
        Break { blank: false, ..Break::new(indent, edge) }
    }
}

impl Group {
    pub(super) fn new(style: Style, base: Base) -> Group {
        Group { style, base, called: None, was_one_line: None, must_break: false, width: 0, close: 0 }
    }

    /// One that a [`Beside`] calls by a number.
    pub(super) fn called(number: usize, style: Style) -> Group {
        Group { called: Some(number), ..Group::new(style, Base::Same) }
    }

    /// Whether it may stand on one line.
    fn may_be_flat(&self) -> bool {
        let is_wanted = match self.style {
            Style::Fit | Style::Fill => true,
            Style::AsWritten { one_line } => self.was_one_line.unwrap_or(one_line),
        };
        is_wanted && !self.must_break
    }
}

/// Lines of text, with the comments at their ends.
#[derive(Default)]
pub(super) struct Lines {
    pub(crate) text: String,
    /// Where the comments start that end a line.
    trailing: Vec<usize>,
    /// Where columns end.
    columns: Vec<usize>,
}

impl Lines {
    /// Begins a new line if there is one.
    pub(super) fn newline(&mut self) {
        if !self.text.is_empty() && !self.text.ends_with('\n') {
            self.text.push('\n');
        }
    }

    /// Begins a new line, behind an empty one.
    pub(super) fn empty_line(&mut self) {
        self.newline();
        if !self.text.is_empty() && !self.text.ends_with("\n\n") {
            self.text.push('\n');
        }
    }

    /// A comment at the line's end.
    pub(super) fn trailing(&mut self, comment: &str) {
        self.trailing.push(self.text.len());
        self.text.push_str(comment);
    }

    /// How wide the columns are of what is one line, each with what stands before it.
    pub(super) fn columns(&self) -> Vec<usize> {
        let starts = [0].into_iter().chain(self.columns.iter().copied());
        starts.zip(&self.columns).map(|(start, end)| width(&self.text[start..*end])).collect()
    }

    /// Widens the columns of what is one line.
    pub(super) fn widen(&mut self, widths: &[usize]) {
        let missing: Vec<usize> = widths.iter().zip(self.columns()).map(|(wanted, is)| wanted - is).collect();
        for (at, blanks) in self.columns.iter().zip(missing).rev() {
            self.text.insert_str(*at, &" ".repeat(blanks));
            self.trailing.iter_mut().for_each(|place| *place += blanks);
        }
    }

    /// The width of what is one line, without the comment that ends it.
    pub(super) fn width(&self) -> usize {
        width(&self.text[..self.trailing.first().copied().unwrap_or(self.text.len())])
    }

    /// Further lines.
    pub(super) fn append(&mut self, lines: Lines) {
        let start = self.text.len();
        self.trailing.extend(lines.trailing.into_iter().map(|at| start + at));
        self.text.push_str(&lines.text);
    }

    /// The text: comments at the ends of lines that follow each other, indented alike, stand below each other.
    pub(super) fn finish(self) -> String {
        let mut spots: Vec<Spot> = Vec::new();
        let (mut line, mut counted) = (0, 0);
        for at in self.trailing {
            line += self.text[counted..at].matches('\n').count();
            counted = at;
            let start = self.text[..at].rfind('\n').map_or(0, |newline| newline + 1);
            let before = &self.text[start..at];
            let indent = before.len() - before.trim_start().len();
            spots.push(Spot { at, line, indent, column: width(before) });
        }
        let mut text = String::with_capacity(self.text.len() + 8 * spots.len());
        let mut written = 0;
        for run in spots.chunk_by(Spot::is_above) {
            let column = run.iter().map(|spot| spot.column).max().unwrap_or_default();
            for spot in run {
                text.push_str(&self.text[written..spot.at]);
                text.extend(std::iter::repeat_n(' ', column - spot.column + GAP));
                written = spot.at;
            }
        }
        text.push_str(&self.text[written..]);
        text
    }
}

/// The blanks before a comment that ends a line.
const GAP: usize = 2;

/// Comments behind lines whose lengths differ by more do not stand below each other.
const FAR: usize = 24;

/// Where a comment ends a line.
struct Spot {
    at: usize,
    line: usize,
    indent: usize,
    /// Where the line ends without it.
    column: usize,
}

impl Spot {
    fn is_above(&self, next: &Spot) -> bool {
        let are_alike = self.indent == next.indent && self.column.abs_diff(next.column) <= FAR;
        next.line == self.line + 1 && are_alike
    }
}

/// Lays pieces out, from the start of a line.
pub(super) fn lay_out(mut pieces: Vec<Piece>) -> Lines {
    let called = measure(&mut pieces);
    let mut setter =
        Setter { pieces: &pieces, called: &called, lines: Lines::default(), column: 0, blanks: 0, frames: vec![] };
    for at in 0..pieces.len() {
        setter.set(at);
    }
    setter.lines
}

/// Finds how wide each group is, where it ends, and whether it has to break. Gives the places of those that are called.
fn measure(pieces: &mut [Piece]) -> Vec<usize> {
    let mut called = Vec::new();
    let mut open: Vec<usize> = Vec::new();
    let mut widths: Vec<(usize, bool)> = vec![(0, false)];
    for at in 0..pieces.len() {
        match &pieces[at] {
            Piece::Open(group) => {
                if let Some(number) = group.called {
                    called.resize(called.len().max(number + 1), 0);
                    called[number] = at;
                }
                open.push(at);
                widths.push((0, false));
            }
            Piece::Close => {
                let (inside, must) = widths.pop().expect("each group was opened");
                let opened = open.pop().expect("each group was opened");
                let Piece::Open(group) = &mut pieces[opened] else { continue };
                (group.width, group.must_break, group.close) = (inside, must, at);
                let breaks_lines = !group.may_be_flat();
                let (width, breaks) = widths.last_mut().expect("there is a level around each group");
                *width += inside;
                *breaks |= breaks_lines;
            }
            piece => {
                let (width, breaks) = widths.last_mut().expect("there is always a level");
                *width += flat_width(piece);
                *breaks |= must_break(piece);
            }
        }
    }
    called
}

fn flat_width(piece: &Piece) -> usize {
    match piece {
        Piece::Word(word) => width(&word.text),
        Piece::Space | Piece::Pad(_) | Piece::Beside(_) => 1,
        Piece::Comma(When::Always | When::OneLine) => 1,
        Piece::Break(at) => usize::from(at.blank),
        Piece::Comment(text) => 1 + width(text),
        Piece::Comma(When::Broken)
        | Piece::Column
        | Piece::Open(_)
        | Piece::Close
        | Piece::Trailing(_)
        | Piece::Forced(_) => 0,
    }
}

fn must_break(piece: &Piece) -> bool {
    match piece {
        Piece::Break(at) => at.must,
        Piece::Trailing(_) | Piece::Forced(_) => true,
        Piece::Word(word) => word.text.contains('\n'),
        Piece::Comment(text) => text.contains('\n'),
        Piece::Space | Piece::Column | Piece::Comma(_) | Piece::Pad(_) | Piece::Beside(_) => false,
        Piece::Open(_) | Piece::Close => false,
    }
}

/// The width where what stands around it is broken.
fn broken_width(piece: &Piece) -> usize {
    match piece {
        Piece::Comma(When::OneLine) => 0,
        Piece::Comma(When::Broken) => 1,
        piece => flat_width(piece),
    }
}

/// Whether a line ends there, or can.
fn ends_line(piece: &Piece) -> bool {
    matches!(piece, Piece::Break(_) | Piece::Trailing(_) | Piece::Forced(_))
}

pub(crate) fn width(text: &str) -> usize {
    text.chars().count()
}

/// A group that is open.
struct Frame {
    style: Style,
    base: usize,
    is_broken: bool,
}

struct Setter<'p> {
    pieces: &'p [Piece],
    /// The groups that are called by a number.
    called: &'p [usize],
    lines: Lines,
    column: usize,
    /// Blanks that stand before what comes next, unless a line ends there.
    blanks: usize,
    frames: Vec<Frame>,
}

impl Setter<'_> {
    fn set(&mut self, at: usize) {
        let pieces = self.pieces;
        match &pieces[at] {
            Piece::Word(word) => self.word(&word.text),
            Piece::Space => self.space(1),
            Piece::Column => self.lines.columns.push(self.lines.text.len()),
            Piece::Comma(when) => self.comma(*when),
            Piece::Pad(blanks) => self.space(if self.is_broken() { *blanks } else { 1 }),
            Piece::Beside(beside) => self.space(if self.is_beside(beside) { beside.blanks } else { 1 }),
            Piece::Break(place) => self.line(place, at),
            Piece::Open(group) => self.open(group),
            Piece::Close => drop(self.frames.pop()),
            Piece::Comment(text) => self.comment(text),
            Piece::Trailing(text) => {
                self.blanks = 0;
                self.lines.trailing(text);
                self.column += width(text);
            }
            Piece::Forced(own) => {
                let indent = self.base() + INDENT;
                self.own_lines(own, indent, false);
                self.newline(indent);
            }
        }
    }

    fn is_broken(&self) -> bool {
        self.frames.last().is_none_or(|frame| frame.is_broken)
    }

    fn base(&self) -> usize {
        self.frames.last().map_or(0, |frame| frame.base)
    }

    fn is_line_start(&self) -> bool {
        self.lines.text.is_empty() || self.lines.text.ends_with('\n')
    }

    fn space(&mut self, blanks: usize) {
        // The blanks that indent a line are waiting at its start.
        if !self.is_line_start() {
            self.blanks = self.blanks.max(blanks);
        }
    }

    fn word(&mut self, text: &str) {
        // Only a comment leaves a blank before a bracket that closes.
        if matches!(text, ")" | "]") && self.lines.text.ends_with("*/") {
            self.blanks = 0;
        }
        self.write(text);
    }

    fn write(&mut self, text: &str) {
        self.lines.text.extend(std::iter::repeat_n(' ', self.blanks));
        self.column += self.blanks;
        self.blanks = 0;
        self.lines.text.push_str(text);
        self.column = match text.rsplit_once('\n') {
            Some((_, last)) => width(last),
            None => self.column + width(text),
        };
    }

    fn comma(&mut self, when: When) {
        let is_wanted = match when {
            When::Always => true,
            When::OneLine => !self.is_broken(),
            When::Broken => self.is_broken(),
        };
        if is_wanted {
            self.blanks = 0;
            self.write(",");
        }
    }

    fn comment(&mut self, text: &str) {
        if !self.lines.text.ends_with(['(', '[']) {
            self.space(1);
        }
        self.write(text);
        self.space(1);
    }

    fn newline(&mut self, indent: usize) {
        self.blanks = 0;
        self.lines.newline();
        (self.blanks, self.column) = (indent, 0);
    }

    fn own_lines(&mut self, own: &[OwnLine], indent: usize, keeps_empty_lines: bool) {
        for (index, line) in own.iter().enumerate() {
            if line.empty_line && (keeps_empty_lines || index > 0) {
                self.lines.empty_line();
            }
            self.newline(indent);
            self.write(&line.text);
        }
    }

    fn line(&mut self, place: &Break, at: usize) {
        if !self.breaks(place, at) {
            return self.space(usize::from(place.blank));
        }
        let indent = self.base() + place.indent;
        let comment_indent = if place.edge == Edge::Closing { indent + INDENT } else { indent };
        let keeps_empty_lines = matches!(place.edge, Edge::Between | Edge::Closing);
        self.own_lines(&place.own, comment_indent, keeps_empty_lines);
        let is_apart = place.edge == Edge::Between || place.edge == Edge::Opening && !place.own.is_empty();
        if place.empty_line && is_apart {
            self.lines.empty_line();
        }
        self.newline(indent);
    }

    fn breaks(&self, place: &Break, at: usize) -> bool {
        let is_filled = self.frames.last().is_some_and(|frame| frame.style == Style::Fill);
        match self.is_broken() {
            true if is_filled && place.edge == Edge::Inner => place.must || !self.next_fits(at),
            is_broken => is_broken,
        }
    }

    fn open(&mut self, group: &Group) {
        let column = self.column + self.blanks;
        let base = match group.base {
            Base::Same => self.base(),
            Base::In(indent) => self.base() + indent,
            Base::Here => column,
        };
        let is_flat = !self.frames.last().is_none_or(|frame| frame.is_broken)
            || group.may_be_flat()
                && column + group.width <= WIDTH_MAX
                && self.fits(group.close + 1, column + group.width);
        self.frames.push(Frame { style: group.style, base, is_broken: !is_flat });
    }

    /// Whether what stands up to the next break fits on the line; it is not asked what group that break belongs to, as one
    /// that comes later can still break.
    fn fits(&self, from: usize, column: usize) -> bool {
        let rest = self.pieces[from..].iter().take_while(|piece| !ends_line(piece));
        column + rest.map(broken_width).sum::<usize>() <= WIDTH_MAX
    }

    /// Whether the next thing of a list fits on the line.
    fn next_fits(&self, from: usize) -> bool {
        let mut column = self.column;
        let mut depth = 0_usize;
        for (at, piece) in self.pieces.iter().enumerate().skip(from) {
            match piece {
                Piece::Break(_) | Piece::Close if depth == 0 && at > from => break,
                Piece::Open(group) if group.must_break => return false,
                Piece::Open(_) => depth += 1,
                Piece::Close => depth -= 1,
                _ => {}
            }
            column += if depth == 0 { broken_width(piece) } else { flat_width(piece) };
        }
        column <= WIDTH_MAX
    }

    fn is_beside(&self, beside: &Beside) -> bool {
        let fits = |number: usize| match &self.pieces[self.called[number]] {
            Piece::Open(group) => group.may_be_flat() && beside.start + group.width <= WIDTH_MAX,
            _ => false,
        };
        self.is_broken() && beside.groups.clone().all(fits)
    }
}
