//! A pattern in sentences: one for each step, and what holds for the whole.

use ensue_model::key::KeyWay;
use ensue_model::pattern::{Active, Contiguity, Keep, Skip, StageId, WindowSpan};
use ensue_model::record::Emission;
use ensue_model::{Keys, Pattern, Patterns};

use super::outline::{self, Absence, Arrival, Item, Stage, What, can_time_out, is_over_with_one, stream_name};
use super::phrases::{amount, events, is_once, listed, quoted, reach, rounds, since, takes_any, wrapped};
use crate::counted::counted;

/// The lines that say what a pattern is.
pub(super) fn of(pattern: &Pattern, patterns: &Patterns) -> Vec<String> {
    let outline = outline::of(pattern, patterns);
    let mut lines = wrapped(&key(pattern, patterns, &outline), "", "");
    for (item, number) in outline.iter().zip(1..) {
        let marker = format!("{number}. ");
        Writer { pattern, lines: &mut lines }.item(item, &marker, "");
    }
    whole(pattern, &outline).iter().for_each(|sentence| lines.extend(wrapped(sentence, "", "")));
    lines
}

/// Which events are looked at together.
pub(super) fn key(pattern: &Pattern, patterns: &Patterns, outline: &[Item]) -> String {
    let Keys { names, ways } = &pattern.key;
    if names.is_empty() {
        return "All events together, as there is no key:".to_owned();
    }
    let way = |way: &KeyWay| {
        let parts: Vec<String> =
            way.parts.iter().map(|part| quoted(&part.display(patterns, pattern).to_string())).collect();
        (listed(&parts), way.stream)
    };
    let mut by_stage = Vec::new();
    stages(outline, &mut |stage| {
        by_stage.extend(stage.key.as_ref().map(|key| format!("{} for `{}`", quoted(key), stage.name)));
    });
    if !by_stage.is_empty() {
        return format!("For each value of a key by itself, which is {}:", listed(&by_stage));
    }
    match ways.as_slice() {
        [one] => format!("For each {} by itself:", way(one).0),
        ways => {
            let said = ways.iter().map(|of| {
                let (parts, stream) = way(of);
                stream.map_or(parts.clone(), |stream| format!("{parts} of `{}`", stream_name(stream, patterns)))
            });
            format!("For each value of a key by itself, which is {}:", listed(&said.collect::<Vec<_>>()))
        }
    }
}

fn stages(items: &[Item], visit: &mut impl FnMut(&Stage)) {
    for item in items {
        match &item.what {
            What::Stage(stage) | What::Absent(stage, _) => visit(stage),
            What::Group(sequence) => stages(sequence, visit),
            What::Either(parts) | What::All { parts, .. } => parts.iter().for_each(|part| stages(part, visit)),
        }
    }
}

struct Writer<'w> {
    pattern: &'w Pattern,
    lines: &'w mut Vec<String>,
}

impl Writer<'_> {
    /// The lines of a step: its sentence behind the marker, and under it the steps inside.
    fn item(&mut self, item: &Item, marker: &str, indent: &str) {
        let inner = format!("{indent}{}", " ".repeat(marker.chars().count()));
        self.lines.extend(wrapped(&sentence(item, self.pattern), &format!("{indent}{marker}"), &inner));
        match &item.what {
            What::Stage(_) | What::Absent(..) => {}
            What::Group(sequence) => sequence.iter().for_each(|item| self.item(item, "- ", &inner)),
            What::Either(parts) | What::All { parts, .. } => {
                parts.iter().zip(letters()).for_each(|(part, letter)| self.part(part, &format!("{letter}) "), &inner));
            }
        }
    }

    /// The steps of a part behind its letter: the only one, or several one under the other.
    fn part(&mut self, part: &[Item], letter: &str, indent: &str) {
        let (first, others) = part.split_first().expect("a part takes an event");
        if others.is_empty() {
            return self.item(first, letter, indent);
        }
        let blank = " ".repeat(letter.chars().count());
        self.item(first, &format!("{letter}- "), indent);
        others.iter().for_each(|item| self.item(item, "- ", &format!("{indent}{blank}")));
    }
}

/// a, b, .. z, aa, ab, ..
fn letters() -> impl Iterator<Item = String> {
    let letter = |number: usize| char::from(b'a' + (number % 26) as u8);
    (0..).map(move |number| match number / 26 {
        0 => letter(number).to_string(),
        more => format!("{}{}", letter(more - 1), letter(number)),
    })
}

fn sentence(item: &Item, pattern: &Pattern) -> String {
    let said = match &item.what {
        What::Stage(stage) => {
            let left_out = if item.times.optional { ", which may be left out" } else { "" };
            format!(
                "`{}`{left_out}: {}",
                stage.name,
                if is_once(&item.times) { once(item, stage) } else { several(item, stage) }
            )
        }
        What::Absent(stage, absence) => {
            format!("not `{}`: {}", stage.name, absent(item, stage, *absence, &end_of_time(pattern)))
        }
        What::Group(_) => group(item, "these steps"),
        What::Either(_) => parts(item, "one of these"),
        What::All { parts: all, needed } if *needed as usize == all.len() => parts(item, "all of these, in any order"),
        What::All { needed, .. } => parts(item, &format!("any {needed} of these, in any order")),
    };
    let mut sentences = vec![said];
    if !matches!(item.what, What::Absent(..)) {
        sentences.extend(numbers(item));
        sentences.extend(until(item));
        sentences.extend(window(item));
    }
    let text = sentences.join(" ");
    let has_inside = !matches!(item.what, What::Stage(_) | What::Absent(..));
    if has_inside { capital(text.trim_end_matches('.')) + ":" } else { text }
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

/// When the window of the whole is over.
fn end_of_time(pattern: &Pattern) -> String {
    let time = pattern.within.map(|within| format!("{} after the first event", within.in_words()));
    let count = pattern
        .within_events
        .map(|count| format!("{} of the key have come, the first included,", counted(u64::from(count.get()), "event")));
    let ends: Vec<String> = time.into_iter().chain(count).collect();
    ends.join(" or ")
}

/// A stage that takes one event.
fn once(item: &Item, stage: &Stage) -> String {
    let event = events("event", stage);
    match item.arrival {
        Arrival::Start => format!("each {event} starts a run."),
        Arrival::Part => format!("an {event}."),
        Arrival::Behind(Contiguity::Strict) if takes_any(stage) => {
            "then the very next event, whatever it is.".to_owned()
        }
        Arrival::Behind(Contiguity::Strict) if item.is_needless => {
            format!("then the very next event, if it {}.", is_fitting("has", "is", stage))
        }
        Arrival::Behind(Contiguity::Strict) => {
            format!("then the very next event, which must {}, or the run ends.", is_fitting("have", "be", stage))
        }
        Arrival::Behind(Contiguity::Relaxed) if takes_any(stage) => "then the next event, whatever it is.".to_owned(),
        Arrival::Behind(Contiguity::Relaxed) => format!("then the next {event}; others in between are passed over."),
        Arrival::Behind(Contiguity::Any) => {
            format!("then any later {event}: each that comes is taken, in a run of its own.")
        }
    }
}

/// What an event has to be for a stage: "must have `..`", "must be one of `orders`".
fn is_fitting(have: &str, be: &str, stage: &Stage) -> String {
    match (&stage.stream, &stage.condition, &stage.key) {
        (None, Some(condition), _) => format!("{have} {}", quoted(condition)),
        (None, None, Some(key)) => format!("{have} the key as its {}", quoted(key)),
        _ => format!("{be} {}", events("one", stage)),
    }
}

/// A stage that takes several events.
fn several(item: &Item, stage: &Stage) -> String {
    let amount = amount(&item.times);
    let noun = if item.times.max.is_none() || item.times.max > Some(1) { "events" } else { "event" };
    let taken = format!("{amount} {}", events(noun, stage));
    let between = between(item.between);
    match (item.arrival, item.between) {
        (Arrival::Start, _) => {
            format!("each {} starts a run, as the first of {amount}; {between}.", events("event", stage))
        }
        (Arrival::Part, _) => format!("{taken}; {between}."),
        (Arrival::Behind(Contiguity::Strict), Contiguity::Strict) => {
            format!("then {taken}, which are the very next ones; {between}.")
        }
        (Arrival::Behind(Contiguity::Strict), _) => format!("then {taken}, the very next event first; {between}."),
        (Arrival::Behind(Contiguity::Relaxed), Contiguity::Relaxed) => {
            format!("then {taken}; others before and in between are passed over.")
        }
        (Arrival::Behind(Contiguity::Relaxed), _) => {
            format!("then {taken}; others before the first are passed over, {between}.")
        }
        (Arrival::Behind(Contiguity::Any), _) => {
            format!("then {taken}, of which any later one is the first in a run of its own; {between}.")
        }
    }
}

/// What may lie between two events, or rounds, of a loop.
fn between(contiguity: Contiguity) -> &'static str {
    match contiguity {
        Contiguity::Strict => "nothing may lie in between",
        Contiguity::Relaxed => "others in between are passed over",
        Contiguity::Any => "any event in between may be passed over, so that each choice of them is a run of its own",
    }
}

fn group(item: &Item, what: &str) -> String {
    let left_out = if item.times.optional { ", or none of it" } else { "" };
    let then = if item.arrival == Arrival::Start || item.arrival == Arrival::Part { "" } else { "then " };
    match is_once(&item.times) {
        true => format!("{then}{what}{left_out}."),
        false => format!("{then}{what}, {}{left_out}; {}.", rounds(&item.times), between_rounds(item.between)),
    }
}

fn between_rounds(contiguity: Contiguity) -> &'static str {
    match contiguity {
        Contiguity::Strict => "nothing may lie between two rounds",
        Contiguity::Relaxed => "others between two rounds are passed over",
        Contiguity::Any => "any event between two rounds may be passed over, so that each choice is a run of its own",
    }
}

/// A group of several parts, in front of them.
fn parts(item: &Item, what: &str) -> String {
    let is_all = matches!(item.what, What::All { .. });
    let left_out = if item.times.optional { ", or none of it" } else { "" };
    let begins = match item.arrival {
        Arrival::Start => "; each event that begins one of them starts a run",
        Arrival::Part => "",
        Arrival::Behind(Contiguity::Strict) if item.is_needless => ", begun by the very next event",
        Arrival::Behind(Contiguity::Strict) => ", begun by the very next event, or the run ends",
        Arrival::Behind(Contiguity::Relaxed) => {
            ", begun by the next event that fits one of them; others before it are passed over"
        }
        Arrival::Behind(Contiguity::Any) => {
            ", begun by any later event that fits one of them, each in a run of its own"
        }
    };
    let then = if matches!(item.arrival, Arrival::Behind(_)) { "then " } else { "" };
    let times = if is_once(&item.times) { String::new() } else { format!(", {}", rounds(&item.times)) };
    let inside = match (is_all, is_once(&item.times), item.between) {
        (false, true, _) => String::new(),
        (false, false, contiguity) => format!("; {}", between_rounds(contiguity)),
        (true, _, Contiguity::Strict) => "; nothing may lie between the beginnings of the parts".to_owned(),
        (true, _, Contiguity::Relaxed) => "; what fits none in between is passed over".to_owned(),
        (true, _, Contiguity::Any) => "; any event in between may be passed over".to_owned(),
    };
    format!("{then}{what}{left_out}{times}{begins}{inside}.")
}

/// What comes of the different numbers of rounds that a loop may have.
fn numbers(item: &Item) -> Option<String> {
    let times = &item.times;
    if is_once(times) {
        return (times.greedy && !item.is_last).then(|| GREEDY.to_owned());
    }
    if times.max == Some(times.min) {
        return None;
    }
    Some(match (item.is_last, times.greedy) {
        (true, _) => "Each number of them is a match of its own.".to_owned(),
        (false, true) => GREEDY.to_owned(),
        (false, false) => "Each number of them goes on as a run of its own.".to_owned(),
    })
}

const GREEDY: &str = "It takes all it can: what fits here is not left to the next step.";

fn until(item: &Item) -> Option<String> {
    let until = item.until.as_ref()?;
    let few = match item.times.min {
        1 => String::new(),
        min => format!("; with fewer than {min} by then the run ends"),
    };
    Some(format!("An event with {} is not taken, and ends the loop once it has begun{few}.", quoted(until)))
}

fn window(item: &Item) -> Option<String> {
    let window = item.window.as_ref()?;
    let lacks = match (&window.anchor_name, window.may_lack_anchor) {
        (Some(_), true) => ", where that was taken",
        _ => "",
    };
    let (many, it) = match (is_once(&item.times), &item.what) {
        (true, What::Stage(_)) => (false, "It comes"),
        _ => (true, "Each event comes"),
    };
    let since = match (&item.what, window.anchor, many) {
        (What::Stage(stage), Some(anchor), true) if anchor == stage.id => "after the one before".to_owned(),
        (_, None, true) => "after the one taken before".to_owned(),
        _ => since(window),
    };
    Some(format!("{it} {} {since}{lacks}.", reach(window.span)))
}

fn absent(item: &Item, stage: &Stage, absence: Absence, over: &str) -> String {
    let event = events("event", stage);
    let unfit = is_fitting("have", "be", stage);
    match (absence, item.is_last) {
        (Absence::Next, false) => {
            format!(
                "the very next event must not {unfit}, or the run ends. It is not taken: the next step looks at it."
            )
        }
        (Absence::Next, true) => {
            format!(
                "the very next event must not {unfit}, or the run ends. When another comes, the run is a match without it."
            )
        }
        (Absence::UntilTaken, _) => format!("until the next step is taken no {event} may come, or the run ends."),
        (Absence::AtEnd, _) => match &item.window {
            Some(window) => format!(
                "for {} {} no {event} may come, or the run ends. Then the run is a match.",
                length(window.span),
                since(window)
            ),
            None => format!("until {over} no {event} may come, or the run ends. Then the run is a match."),
        },
        (Absence::Idle, _) => {
            format!("this stops nothing here. No {event} would be wanted, but nothing behind it says until when.")
        }
    }
}

/// How long something must not come.
pub(super) fn length(span: WindowSpan) -> String {
    match span {
        WindowSpan::Time(span) => span.in_words(),
        WindowSpan::Events(count) => counted(u64::from(count.get()), "event"),
    }
}

/// What holds for the whole pattern.
fn whole(pattern: &Pattern, outline: &[Item]) -> Vec<String> {
    let within = window_of_whole(pattern).filter(|_| !is_over_with_one(outline));
    let within = within.map(|within| format!("From the first event to the last a match {within}."));
    within.into_iter().chain(timeouts(pattern, outline)).chain(notes(pattern)).collect()
}

/// What holds for the whole pattern besides its windows.
pub(super) fn notes(pattern: &Pattern) -> Vec<String> {
    let cooldown = pattern.cooldown.map(|cooldown| {
        let cooldown = cooldown.in_words();
        format!("After a match, those of the same key in less than {cooldown} are counted but do not come out.")
    });
    [active(pattern.active), skip(pattern), keep(pattern.keep), cooldown].into_iter().flatten().collect()
}

fn active(Active { from, until }: Active) -> Option<String> {
    let when = match (from, until) {
        (None, None) => return None,
        (Some(from), None) => format!("from {from} on"),
        (None, Some(until)) => format!("before {until}"),
        (Some(from), Some(until)) => format!("from {from} on and before {until}"),
    };
    Some(format!("Runs start only with events {when}; those that have started go on."))
}

/// How long a match may take, as what it does: "takes less than 15 minutes".
pub(super) fn window_of_whole(pattern: &Pattern) -> Option<String> {
    let time = pattern.within.map(|within| format!("takes less than {}", within.in_words()));
    let events = pattern.within_events.map(|count| {
        format!("spans at most {} of its key, whatever they are", counted(u64::from(count.get()), "event"))
    });
    let said: Vec<String> = time.into_iter().chain(events).collect();
    (!said.is_empty()).then(|| listed(&said))
}

fn timeouts(pattern: &Pattern, outline: &[Item]) -> Option<String> {
    if !can_time_out(pattern, outline) {
        return None;
    }
    let what = match &pattern.timeout {
        Emission::Nothing => "is dropped",
        Emission::Events | Emission::Record(_) => "comes out as a timeout",
    };
    Some(format!("A run that is not complete when its time is over {what}."))
}

fn skip(pattern: &Pattern) -> Option<String> {
    let name = |stage: StageId| pattern.stage_name(stage);
    let dropped = match pattern.skip {
        Skip::None => return None,
        Skip::ToNext => "started with the same event".to_owned(),
        Skip::PastLast => "started before it ended".to_owned(),
        Skip::ToFirst(stage) => format!("started before its first `{}`", name(stage)),
        Skip::ToLast(stage) => format!("started before its last `{}`", name(stage)),
    };
    Some(format!("A match drops the other runs of its key that {dropped}."))
}

fn keep(keep: Keep) -> Option<String> {
    let kept = match keep {
        Keep::All => return None,
        Keep::Latest => "the one that came last; the one before is dropped",
        Keep::First => "the one that came first; later ones are dropped",
    };
    Some(format!("Where several runs of a key wait for the same, it keeps {kept}."))
}
