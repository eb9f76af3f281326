//! The drawing model: what a picture of a pattern shows, in words, with nothing said of where it stands.
//!
//! A picture shows what happens to one run: it moves along lanes from box to box. What the drawings in SVG, dot and Mermaid show
//! is this and no more.

use ensue_model::pattern::{Contiguity, StageId, WindowSpan};
use ensue_model::record::Emission;
use ensue_model::{Pattern, Patterns};

use super::outline::{self, Absence, Arrival, Item, Stage, What, Window, can_time_out};
use super::phrases::{is_once, reach, rounds, since, takes_any};
use super::sentences::{self, length};

/// A pattern.
pub(super) struct Picture {
    pub(super) name: String,
    /// What it is for, and which events are looked at together.
    pub(super) heading: Vec<String>,
    pub(super) lane: Lane,
    /// How long the whole may take.
    pub(super) whole: Option<String>,
    pub(super) complete: End,
    pub(super) timeout: Option<End>,
    /// What else holds for the whole.
    pub(super) notes: Vec<String>,
}

/// Boxes one behind the other.
pub(super) struct Lane {
    pub(super) nodes: Vec<Node>,
    /// Windows that begin and end in this lane.
    pub(super) brackets: Vec<Bracket>,
}

/// A box, with the arrow that leads to it.
pub(super) struct Node {
    pub(super) arrow: Option<Arrow>,
    pub(super) shape: Shape,
    /// What is said of a round that follows another.
    pub(super) again: Option<Again>,
    pub(super) is_optional: bool,
}

/// What lies between two boxes, in a few words.
#[derive(Clone, Copy)]
pub(super) struct Arrow {
    pub(super) words: &'static [&'static str],
}

/// That a box is taken several times.
pub(super) struct Again {
    /// How often.
    pub(super) times: String,
    /// What may lie in between, and what ends it.
    pub(super) words: Vec<String>,
}

pub(super) enum Shape {
    Stage {
        name: String,
        /// Which events it takes: their stream, their condition.
        takes: Vec<Text>,
    },
    Barrier {
        name: String,
        /// Which events must not come.
        takes: Vec<Text>,
        /// Until when.
        words: &'static str,
    },
    Group {
        kind: Kind,
        title: String,
        lanes: Vec<Lane>,
    },
}

/// How the lanes of a group belong together.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// There is one.
    Sequence,
    /// A run takes one of them.
    OneOf,
    /// A run takes several, side by side.
    SideBySide,
}

/// Words, or pattern text.
#[derive(Clone)]
pub(super) enum Text {
    Words(String),
    Code(String),
}

/// A window over what lies between two boxes of a lane, by their positions.
pub(super) struct Bracket {
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) label: String,
}

/// What becomes of a run.
pub(super) struct End {
    /// When.
    pub(super) words: &'static [&'static str],
    /// What comes out.
    pub(super) label: String,
}

const VERY_NEXT: Arrow = Arrow { words: &["the very next", "event"] };
const NEXT_FITTING: Arrow = Arrow { words: &["the next that fits;", "others are passed over"] };
const EACH_LATER: Arrow = Arrow { words: &["any later that fits,", "each in a run of its own"] };
const NEXT: Arrow = Arrow { words: &["the next event"] };
const EACH_NEXT: Arrow = Arrow { words: &["any later event,", "each in a run of its own"] };
const STARTS: Arrow = Arrow { words: &["each that fits", "starts a run"] };
const EACH_STARTS: Arrow = Arrow { words: &["each event", "starts a run"] };
const ON: Arrow = Arrow { words: &[] };

/// The picture of a pattern.
pub(super) fn of(pattern: &Pattern, patterns: &Patterns) -> Picture {
    let outline = outline::of(pattern, patterns);
    let key = sentences::key(pattern, patterns, &outline);
    let heading = pattern.doc.lines().chain([key.trim_end_matches(':')]);
    let mut lane = lane(&outline);
    for (at, pending) in set_brackets(&outline, &mut lane) {
        // A loop that begins the pattern counts from its own events.
        lane.brackets.push(Bracket { from: at, to: at, label: label(&pending, &outline[at]) });
    }
    Picture {
        name: pattern.name.clone(),
        heading: heading.map(plain).collect(),
        whole: whole(pattern, &outline),
        complete: complete(pattern, &outline),
        timeout: can_time_out(pattern, &outline).then(|| timeout(pattern)),
        notes: sentences::notes(pattern).iter().map(|note| plain(note)).collect(),
        lane,
    }
}

/// Without the backticks around pattern text: a picture has no other text that it could be taken for.
fn plain(text: &str) -> String {
    text.replace('`', "")
}

/// How long a match may take; where it ends with an absence, how long that lasts.
fn whole(pattern: &Pattern, outline: &[Item]) -> Option<String> {
    let is_absence = outline.last().is_some_and(|last| last.is_absence_at_end() && last.window.is_none());
    let (long, from): (fn(WindowSpan) -> String, _) =
        if is_absence { (length, "from the first event on") } else { (reach, "from the first event to the last") };
    let time = pattern.within.map(|within| long(WindowSpan::Time(within)));
    let events = pattern.within_events.map(|count| format!("{} of the key", long(WindowSpan::Events(count))));
    let said: Vec<String> = time.into_iter().chain(events).collect();
    (!said.is_empty()).then(|| format!("{}, {from}", said.join(if is_absence { " or " } else { ", " })))
}

fn complete(pattern: &Pattern, outline: &[Item]) -> End {
    let absence = outline.last().filter(|last| last.is_absence_at_end());
    let words: &[&str] = match absence.map(|last| counts_events(last, pattern)) {
        Some(true) => &["when they have come"],
        Some(false) => &["when the time is over"],
        None => &[],
    };
    End { words, label: comes_out("match", &pattern.emit, "match, which does not come out") }
}

/// Whether how long an absence lasts is counted in events.
fn counts_events(absence: &Item, pattern: &Pattern) -> bool {
    match &absence.window {
        Some(window) => matches!(window.span, WindowSpan::Events(_)),
        None => pattern.within.is_none(),
    }
}

fn timeout(pattern: &Pattern) -> End {
    let label = comes_out("timeout", &pattern.timeout, "dropped");
    End { words: &["not complete when the time is over"], label }
}

fn comes_out(output: &str, emission: &Emission, nothing: &str) -> String {
    match emission {
        Emission::Events => output.to_owned(),
        Emission::Nothing => nothing.to_owned(),
        Emission::Record(record) => {
            record.name.as_ref().map_or_else(|| output.to_owned(), |name| format!("{output}: {name}"))
        }
    }
}

fn lane(items: &[Item]) -> Lane {
    Lane { nodes: items.iter().map(node).collect(), brackets: Vec::new() }
}

fn node(item: &Item) -> Node {
    Node {
        arrow: arrow(item),
        shape: shape(item),
        again: (!is_once(&item.times)).then(|| again(item)),
        is_optional: item.times.optional,
    }
}

/// The first stage of a group says how it comes; the group itself need not.
fn arrow(item: &Item) -> Option<Arrow> {
    if matches!(item.what, What::Absent(..) | What::Group(_)) {
        return (!matches!(item.arrival, Arrival::Part)).then_some(ON);
    }
    let is_any = matches!(&item.what, What::Stage(stage) if takes_any(stage));
    match (item.arrival, is_any) {
        (Arrival::Start, false) => Some(STARTS),
        (Arrival::Start, true) => Some(EACH_STARTS),
        (Arrival::Part, _) => None,
        (Arrival::Behind(Contiguity::Strict), _) => Some(VERY_NEXT),
        (Arrival::Behind(Contiguity::Relaxed), false) => Some(NEXT_FITTING),
        (Arrival::Behind(Contiguity::Relaxed), true) => Some(NEXT),
        (Arrival::Behind(Contiguity::Any), false) => Some(EACH_LATER),
        (Arrival::Behind(Contiguity::Any), true) => Some(EACH_NEXT),
    }
}

fn again(item: &Item) -> Again {
    let in_between = match item.between {
        Contiguity::Strict => "nothing in between",
        Contiguity::Relaxed => "others in between pass",
        Contiguity::Any => "any in between may pass",
    };
    let greedy = (item.times.greedy && !item.is_last).then(|| "takes all it can".to_owned());
    let until = item.until.as_ref().map(|until| format!("ends at {until}"));
    Again {
        times: rounds(&item.times),
        words: [in_between.to_owned()].into_iter().chain(greedy).chain(until).collect(),
    }
}

fn shape(item: &Item) -> Shape {
    let lanes = |parts: &[Vec<Item>]| parts.iter().map(|part| lane(part)).collect();
    match &item.what {
        What::Stage(stage) => Shape::Stage { name: stage.name.clone(), takes: takes(stage) },
        What::Absent(stage, absence) => {
            Shape::Barrier { name: stage.name.clone(), takes: takes(stage), words: until_when(*absence) }
        }
        What::Group(sequence) => {
            Shape::Group { kind: Kind::Sequence, title: "these steps".to_owned(), lanes: vec![lane(sequence)] }
        }
        What::Either(parts) => {
            Shape::Group { kind: Kind::OneOf, title: "one of these".to_owned(), lanes: lanes(parts) }
        }
        What::All { parts, needed } => {
            let title = if *needed as usize == parts.len() {
                "all of these, in any order".to_owned()
            } else {
                format!("any {needed} of these, in any order")
            };
            let between = match item.between {
                Contiguity::Strict => ", nothing between their beginnings",
                Contiguity::Relaxed => "",
                Contiguity::Any => ", any in between may pass",
            };
            Shape::Group { kind: Kind::SideBySide, title: title + between, lanes: lanes(parts) }
        }
    }
}

fn until_when(absence: Absence) -> &'static str {
    match absence {
        Absence::Next => "must not be the very next event",
        Absence::UntilTaken => "must not come before the next step",
        Absence::AtEnd => "must not come until then",
        Absence::Idle => "stops nothing here",
    }
}

/// Which events a stage takes.
fn takes(stage: &Stage) -> Vec<Text> {
    let stream = stage.stream.as_ref().map(|stream| Text::Words(format!("of {stream}")));
    let key = stage.key.as_ref().map(|key| Text::Words(format!("key: {key}")));
    let condition = stage.condition.as_ref().map(|condition| Text::Code(condition.clone()));
    let any = (stage.condition.is_none()).then(|| Text::Words("any event".to_owned()));
    stream.into_iter().chain(key).chain(condition.or(any)).collect()
}

/// A window whose lane is looked for.
struct Pending<'i> {
    window: &'i Window,
    item: &'i Item,
    /// Whether the lane that is looked at is one around that of the step.
    is_outside: bool,
}

/// Puts the windows of steps into the lanes that hold both what they count from and what they are for. Gives those that count
/// from outside of the lane.
fn set_brackets<'i>(items: &'i [Item], lane: &mut Lane) -> Vec<(usize, Pending<'i>)> {
    let mut outside = Vec::new();
    for (to, (item, node)) in items.iter().zip(&mut lane.nodes).enumerate() {
        let mut pending = inside(item, node);
        let own = item.window.as_ref().map(|window| Pending { window, item, is_outside: false });
        pending.extend(own);
        for pending in pending {
            match counts_from(items, to, &pending) {
                Some(from) => lane.brackets.push(Bracket { from, to, label: label(&pending, &items[from]) }),
                None => outside.push((to, pending)),
            }
        }
    }
    outside
}

fn inside<'i>(item: &'i Item, node: &mut Node) -> Vec<Pending<'i>> {
    let Shape::Group { lanes, .. } = &mut node.shape else { return Vec::new() };
    let parts: Vec<&'i [Item]> = match &item.what {
        What::Stage(_) | What::Absent(..) => Vec::new(),
        What::Group(sequence) => vec![sequence],
        What::Either(parts) | What::All { parts, .. } => parts.iter().map(Vec::as_slice).collect(),
    };
    let outside = parts.into_iter().zip(lanes).flat_map(|(part, lane)| set_brackets(part, lane));
    outside.map(|(_, pending)| Pending { is_outside: true, ..pending }).collect()
}

/// The box of a lane that a window counts from.
fn counts_from(items: &[Item], to: usize, pending: &Pending<'_>) -> Option<usize> {
    match pending.window.anchor {
        None => items[..to].iter().rposition(|item| !matches!(item.what, What::Absent(..))),
        Some(anchor) => items[..=to].iter().position(|item| holds(item, anchor)),
    }
}

fn holds(item: &Item, wanted: StageId) -> bool {
    let is_in = |items: &[Item]| items.iter().any(|item| holds(item, wanted));
    match &item.what {
        What::Stage(stage) => stage.id == wanted,
        What::Absent(..) => false,
        What::Group(sequence) => is_in(sequence),
        What::Either(parts) | What::All { parts, .. } => parts.iter().any(|part| is_in(part)),
    }
}

/// What a bracket says that begins at a box.
fn label(Pending { window, item, is_outside }: &Pending<'_>, from: &Item) -> String {
    let name = match &item.what {
        What::Stage(stage) if *is_outside => format!("{}: ", stage.name),
        _ => String::new(),
    };
    let is_seen = match (&from.what, window.anchor) {
        (What::Stage(stage), Some(anchor)) => stage.id == anchor && is_once(&from.times),
        (What::Stage(_), None) => is_once(&item.times) && matches!(item.what, What::Stage(_) | What::Absent(..)),
        _ => false,
    };
    let length = if item.is_absence_at_end() { length(window.span) } else { reach(window.span) };
    let lacks = if window.may_lack_anchor { ", where that was taken" } else { "" };
    match is_seen && !is_outside {
        true => format!("{length}{lacks}"),
        false => plain(&format!("{name}{length} {}{lacks}", since(window))),
    }
}
