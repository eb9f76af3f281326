//! Draws patterns: a tree without names, which is written as text.

use std::fmt::{self, Write};

use ensue_model::Timestamp;
use proptest::prelude::*;

use super::file::STREAMS;
use super::{Odds, chance, either, kinds, maybe};

/// A pattern before its stages have names.
#[derive(Clone, Debug)]
pub(super) struct Draft {
    steps: Vec<Step>,
    /// In milliseconds.
    within: Option<i64>,
    within_events: Option<u32>,
    skip: Option<Skip>,
    keep: Option<&'static str>,
    active: Option<Active>,
    key: Keyed,
    /// In milliseconds.
    cooldown: Option<i64>,
}

/// What the key is.
#[derive(Clone, Copy, Debug)]
enum Keyed {
    Simply,
    /// `key { one: k, two: j }`; the same as simply, where there is one stream.
    ByStream,
    /// No `key`: that of the stream; the same as simply, where there are no two streams.
    ByDefault,
    /// `key { s1: k, s2: j }`: for each stage a bit that says which.
    ByStage(u32),
}

/// `active from .. until ..`, both in milliseconds.
#[derive(Clone, Copy, Debug)]
struct Active {
    from: Option<i64>,
    until: Option<i64>,
}

#[derive(Clone, Debug)]
struct Step {
    relation: Relation,
    term: Term,
    quantifier: Option<Quantifier>,
    window: Option<Window>,
}

/// `within 300ms of previous`.
#[derive(Clone, Copy, Debug)]
struct Window {
    span: Span,
    /// The stage so many before this one, of those that it can count from; the latest event if none.
    anchor: Option<usize>,
}

#[derive(Clone, Copy, Debug)]
enum Span {
    Millis(i64),
    Events(u32),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Relation {
    Next,
    FollowedBy,
    FollowedByAny,
    NotNext,
    NotFollowedBy,
}

#[derive(Clone, Debug)]
enum Term {
    Stage(Condition),
    Group(Vec<Step>),
    Either(Vec<Vec<Step>>),
    /// So many of the parts, in any order; all if it does not say.
    AnyOrder(Option<usize>, Vec<Vec<Step>>),
}

#[derive(Clone, Debug)]
struct Quantifier {
    times: Times,
    optional: bool,
    greedy: bool,
    between: &'static str,
    /// Of loops without bound.
    until: Option<Condition>,
}

#[derive(Clone, Copy, Debug)]
enum Times {
    Once,
    Exactly(u32),
    Between(u32, u32),
    AtLeast(u32),
}

#[derive(Clone, Debug)]
struct Condition {
    test: Test,
    /// The stream of its stage, of those that the pattern reads, by position modulo their number.
    stream: Option<usize>,
    lookback: Option<Lookback>,
}

#[derive(Clone, Debug)]
enum Test {
    Type(&'static str),
    Either(&'static str, &'static str),
    Other(&'static str),
    Value(&'static str, i64),
    Anything,
    /// On the field whose type differs by stream.
    Own(i64),
    /// On what a table has for the type.
    Class(i64),
}

/// A condition on what was taken: by the stage so many before this one; by this one if there are not so many.
#[derive(Clone, Copy, Debug)]
struct Lookback {
    back: usize,
    ask: Ask,
}

#[derive(Clone, Copy, Debug)]
enum Ask {
    Fewer(i64),
    SumBelow(i64),
    Rising,
    Falling,
    AtLeastFirst,
    AtLeast(i64),
}

#[derive(Clone, Copy, Debug)]
enum Skip {
    ToNext,
    PastLast,
    /// Of the stages that can be named, by position modulo their number.
    ToFirst(usize),
    ToLast(usize),
}

/// Patterns with these odds.
pub(super) fn drafts(odds: Odds) -> impl Strategy<Value = Draft> {
    let within = maybe(odds.within, prop::sample::select(vec![300, 500, 1_000, 1_500, 3_000]));
    let skip = prop_oneof![
        Just(Skip::ToNext),
        Just(Skip::PastLast),
        (0..4usize).prop_map(Skip::ToFirst),
        (0..4usize).prop_map(Skip::ToLast)
    ];
    let keep = maybe(odds.keep, prop::sample::select(vec!["latest", "first"]));
    let within_events = maybe(odds.counted, prop_oneof![1..=6u32, 2..=4u32]);
    let key = prop_oneof![
        2 => Just(Keyed::ByStream),
        1 => Just(Keyed::ByDefault),
        3 => any::<u32>().prop_map(Keyed::ByStage)
    ];
    let key = either(odds.keys, key, Just(Keyed::Simply));
    let cooldown = maybe(odds.cooldown, prop::sample::select(vec![1, 100, 300, 1_000, 3_000]));
    let bounds = (within, within_events, maybe(odds.skip, skip), keep, maybe(odds.active, active()), cooldown);
    (steps(odds, 2), bounds, key).prop_map(|(steps, bounds, key)| {
        let (within, within_events, skip, keep, active, cooldown) = bounds;
        // Only a window says when it is certain that nothing came.
        let is_endless = within_events.is_none() && waits_in_vain(&steps);
        let within = if is_endless { within.or(Some(1_000)) } else { within };
        Draft { steps, within, within_events, skip, keep, active, key, cooldown }
    })
}

/// Inside the times of most streams: from some time on, or until some time, or both.
fn active() -> impl Strategy<Value = Active> {
    let from = prop::sample::select(vec![1_000, 1_050, 1_110, 1_310, 2_010]);
    let both = (from.clone(), prop::sample::select(vec![1, 100, 101, 500]))
        .prop_map(|(from, length)| Active { from: Some(from), until: Some(from + length) });
    prop_oneof![
        from.clone().prop_map(|from| Active { from: Some(from), until: None }),
        from.prop_map(|until| Active { from: None, until: Some(until) }),
        both
    ]
}

/// Whether they end with an absence that has no window of its own.
fn waits_in_vain(steps: &[Step]) -> bool {
    steps.last().is_some_and(|step| step.relation == Relation::NotFollowedBy && step.window.is_none())
}

fn steps(odds: Odds, depth: u32) -> BoxedStrategy<Vec<Step>> {
    prop::collection::vec(step(odds, depth), 1..=odds.steps_max).prop_map(well_formed).boxed()
}

/// A sequence begins with a step that takes something.
fn well_formed(mut steps: Vec<Step>) -> Vec<Step> {
    if steps[0].is_negation() {
        steps[0].relation = Relation::FollowedBy;
    }
    steps
}

fn step(odds: Odds, depth: u32) -> BoxedStrategy<Step> {
    let stage = (relation(), condition(odds), quantifiers(odds), window(odds)).prop_map(
        |(relation, condition, quantifier, window)| {
            let term = Term::Stage(condition);
            Step { relation, term, quantifier, window }
        },
    );
    let negated = prop_oneof![Just(Relation::NotNext), Just(Relation::NotFollowedBy)];
    let negation = (negated, condition(odds), window(odds)).prop_map(|(relation, condition, window)| Step {
        relation,
        term: Term::Stage(condition),
        quantifier: None,
        window,
    });
    let single = either(odds.negation, negation, stage);
    if depth == 0 {
        return single;
    }
    let inner = Odds { steps_max: 3, ..odds };
    let sequence = steps(inner, depth - 1).prop_map(closed).prop_map(Term::Group);
    let part = steps(Odds { steps_max: 2, ..odds }, depth - 1).prop_map(closed).prop_map(part);
    let parts = prop::collection::vec(part, 2..=3);
    let any_order = (maybe(0.4, 1..=3usize), parts.clone()).prop_map(|(needed, parts)| Term::AnyOrder(needed, parts));
    let several = prop_oneof![parts.prop_map(Term::Either), any_order];
    let term = either(odds.branches, several, sequence);
    let between = prop_oneof![4 => Just(""), 1 => Just(" consecutive"), 1 => Just(" combinations")];
    let group = (relation(), term, quantifiers(odds), window(odds), between);
    let group = group.prop_map(|(relation, term, quantifier, window, between)| {
        let quantifier = match &term {
            Term::AnyOrder(..) => quantifier.or(Some(Quantifier::once(between))),
            Term::Stage(_) | Term::Group(_) | Term::Either(_) => quantifier,
        };
        Step { relation, term, quantifier, window }
    });
    either(odds.group, group, single)
}

/// A part of several takes something, and begins and ends with what it takes.
fn part(mut steps: Vec<Step>) -> Vec<Step> {
    if steps.iter().all(Step::can_be_empty) {
        make_needed(&mut steps[0]);
    }
    take_first(&mut steps);
    take_last(&mut steps);
    steps
}

fn make_needed(step: &mut Step) {
    if let Some(quantifier) = &mut step.quantifier {
        quantifier.optional = false;
        quantifier.greedy &= !matches!(quantifier.times, Times::Once);
    }
    match &mut step.term {
        Term::Group(steps) if steps.iter().all(Step::can_be_empty) => make_needed(&mut steps[0]),
        Term::Stage(_) | Term::Group(_) | Term::Either(_) | Term::AnyOrder(..) => {}
    }
}

/// No negation stands before what has to be taken.
fn take_first(steps: &mut [Step]) {
    for step in steps {
        step.take_it();
        if let Term::Group(steps) = &mut step.term {
            take_first(steps);
        }
        if !step.can_be_empty() {
            return;
        }
    }
}

/// No negation stands behind it.
fn take_last(steps: &mut [Step]) {
    for step in steps.iter_mut().rev() {
        step.take_it();
        if let Term::Group(steps) = &mut step.term {
            take_last(steps);
        }
        if !step.can_be_empty() {
            return;
        }
    }
}

/// A group does not end with an absence: nothing in it says until when.
fn closed(mut steps: Vec<Step>) -> Vec<Step> {
    if let Some(last) = steps.last_mut().filter(|step| step.relation == Relation::NotFollowedBy) {
        last.relation = Relation::NotNext;
    }
    steps
}

fn window(odds: Odds) -> impl Strategy<Value = Option<Window>> {
    let millis = prop::sample::select(vec![50, 100, 101, 300, 500, 1_000, 1_500]).prop_map(Span::Millis);
    let span = either(odds.counted, (1..=4u32).prop_map(Span::Events), millis);
    let anchor = maybe(0.4, 0..3usize);
    maybe(odds.window, (span, anchor).prop_map(|(span, anchor)| Window { span, anchor }))
}

fn relation() -> impl Strategy<Value = Relation> {
    prop_oneof![
        3 => Just(Relation::FollowedBy),
        2 => Just(Relation::Next),
        2 => Just(Relation::FollowedByAny),
    ]
}

fn quantifiers(odds: Odds) -> impl Strategy<Value = Option<Quantifier>> {
    maybe(odds.quantifier, quantifier(odds))
}

fn quantifier(odds: Odds) -> impl Strategy<Value = Quantifier> {
    let times = prop_oneof![
        1 => Just(Times::Once),
        1 => (2..=3u32).prop_map(Times::Exactly),
        1 => (1..=2u32, 1..=2u32).prop_map(|(min, more)| Times::Between(min, min + more)),
        4 => (1..=2u32).prop_map(Times::AtLeast),
    ];
    let between = prop_oneof![2 => Just(""), 1 => Just(" consecutive"), 1 => Just(" combinations")];
    (times, chance(0.3), chance(0.3), between, maybe(0.25, condition(odds))).prop_map(
        |(times, optional, greedy, between, until)| match times {
            Times::Once => Quantifier { times, optional: true, greedy: false, between: "", until: None },
            Times::Exactly(_) | Times::Between(..) => Quantifier { times, optional, greedy, between, until: None },
            Times::AtLeast(_) => Quantifier { times, optional, greedy, between, until },
        },
    )
}

fn condition(odds: Odds) -> impl Strategy<Value = Condition> {
    let test = prop_oneof![
        6 => kinds().prop_map(Test::Type),
        2 => (kinds(), kinds()).prop_map(|(a, b)| Test::Either(a, b)),
        1 => kinds().prop_map(Test::Other),
        1 => (prop::sample::select(vec!["<", ">=", "!="]), 1..=6i64).prop_map(|(operator, v)| Test::Value(operator, v)),
        1 => Just(Test::Anything),
    ];
    let declared = prop_oneof![(1..=4i64).prop_map(Test::Own), (1..=2i64).prop_map(Test::Class)];
    let test = either(if odds.is_declared() { 0.15 } else { 0.0 }, declared, test);
    // What comes from a level to the next must often be taken there, to come to the one above.
    let test = either(if odds.levels { 0.3 } else { 0.0 }, Just(Test::Anything), test);
    let ask = prop_oneof![
        (1..=3i64).prop_map(Ask::Fewer),
        (5..=14i64).prop_map(Ask::SumBelow),
        Just(Ask::Rising),
        Just(Ask::Falling),
        Just(Ask::AtLeastFirst),
        prop::sample::select(vec![0, 1, 2, -1, -2]).prop_map(Ask::AtLeast),
    ];
    let lookback = maybe(odds.lookback, (0..3usize, ask).prop_map(|(back, ask)| Lookback { back, ask }));
    let stream = maybe(if odds.is_declared() { 0.5 } else { 0.0 }, 0..4usize);
    (test, stream, lookback).prop_map(|(test, stream, lookback)| Condition { test, stream, lookback })
}

impl Quantifier {
    /// Taken once: what may lie between is between the parts of a group.
    fn once(between: &'static str) -> Quantifier {
        Quantifier { times: Times::Once, optional: false, greedy: false, between, until: None }
    }
}

impl Step {
    fn is_negation(&self) -> bool {
        matches!(self.relation, Relation::NotNext | Relation::NotFollowedBy)
    }

    /// Takes what it would not have come.
    fn take_it(&mut self) {
        if self.is_negation() {
            self.relation = Relation::FollowedBy;
        }
    }

    fn can_be_empty(&self) -> bool {
        let is_empty = match &self.term {
            Term::Stage(_) | Term::Either(_) | Term::AnyOrder(..) => false,
            Term::Group(steps) => steps.iter().all(Step::can_be_empty),
        };
        self.is_negation() || is_empty || self.quantifier.as_ref().is_some_and(|quantifier| quantifier.optional)
    }

    fn repeats(&self) -> bool {
        self.quantifier.as_ref().is_some_and(|quantifier| match quantifier.times {
            Times::Once => false,
            Times::Exactly(_) | Times::Between(..) | Times::AtLeast(_) => true,
        })
    }
}

/// Writes a draft, and gives the stages their names.
#[derive(Default)]
struct Writer<'s> {
    text: String,
    /// The streams that the pattern reads, where any are declared.
    from: &'s [&'s str],
    stages: u32,
    /// The stages that take something, so far.
    taking: Vec<String>,
    /// Those of them on other branches than this, from which no window counts.
    elsewhere: Vec<String>,
}

impl Draft {
    /// The pattern of that name over those streams, and the stages that take something.
    pub(super) fn text(&self, name: &str, from: &[&str]) -> (String, Vec<String>) {
        let mut writer = Writer { from, ..Writer::default() };
        let mut names = Vec::new();
        for (index, step) in self.steps.iter().enumerate() {
            let is_stage = matches!(step.term, Term::Stage(_)) && !step.is_negation();
            writer.text.push('\n');
            writer.step(step, index == 0, index + 1 == self.steps.len());
            names.extend(writer.taking.last().filter(|_| is_stage).cloned());
        }
        let steps = std::mem::take(&mut writer.text);
        writer.head(self, name);
        writer.text.push_str(&steps);
        writer.endings(self, &names);
        (writer.text, writer.taking)
    }
}

impl Writer<'_> {
    fn put(&mut self, text: fmt::Arguments<'_>) {
        self.text.write_fmt(text).expect("writing to a string does not fail");
    }

    /// What stands before the steps, of which it has to know the stages.
    fn head(&mut self, draft: &Draft, name: &str) {
        self.put(format_args!("pattern {name}"));
        if !self.from.is_empty() {
            self.put(format_args!("\nfrom {}", self.from.join(", ")));
        }
        match draft.key {
            Keyed::ByStream if self.from.len() > 1 => {
                let fields = ["k", "j"].into_iter().cycle();
                let of_streams = self.from.iter().zip(fields).map(|(stream, field)| format!("{stream}: {field}"));
                self.put(format_args!("\nkey {{ {} }}", of_streams.collect::<Vec<_>>().join(", ")));
            }
            Keyed::ByDefault if !self.from.is_empty() && STREAMS.starts_with(self.from) => {}
            Keyed::Simply | Keyed::ByStream | Keyed::ByDefault => self.put(format_args!("\nkey k")),
            Keyed::ByStage(bits) => {
                let field = |stage: u32| if bits >> (stage % u32::BITS) & 1 == 0 { "k" } else { "j" };
                let of_stages = (1..=self.stages).map(|stage| format!("s{stage}: {}", field(stage)));
                self.put(format_args!("\nkey {{ {} }}", of_stages.collect::<Vec<_>>().join(", ")));
            }
        }
        if let Some(Active { from, until }) = draft.active {
            let moment = |word: &str, millis: Option<i64>| {
                millis.map(|millis| format!(" {word} @{}", Timestamp::from_millis(millis))).unwrap_or_default()
            };
            self.put(format_args!("\nactive{}{}", moment("from", from), moment("until", until)));
        }
    }

    /// What stands behind the steps. A skip strategy can name these stages.
    fn endings(&mut self, draft: &Draft, names: &[String]) {
        if let Some(within) = draft.within {
            self.put(format_args!("\nwithin {within}ms"));
        }
        if let Some(events) = draft.within_events {
            self.put(format_args!("\nwithin {events} events"));
        }
        if let Some(keep) = draft.keep {
            self.put(format_args!("\nkeep {keep}"));
        }
        match draft.skip {
            Some(Skip::ToNext) => self.put(format_args!("\nskip to next")),
            Some(Skip::PastLast) => self.put(format_args!("\nskip past last")),
            Some(Skip::ToFirst(index)) if !names.is_empty() => {
                self.put(format_args!("\nskip to first {}", names[index % names.len()]));
            }
            Some(Skip::ToLast(index)) if !names.is_empty() => {
                self.put(format_args!("\nskip to last {}", names[index % names.len()]));
            }
            Some(Skip::ToFirst(_) | Skip::ToLast(_)) | None => {}
        }
        if let Some(cooldown) = draft.cooldown {
            self.put(format_args!("\ncooldown {cooldown}ms"));
        }
    }

    fn step(&mut self, step: &Step, first: bool, last: bool) {
        let before = self.taking.len();
        let relation = match step.relation {
            _ if first => "begin",
            Relation::Next => "next",
            Relation::FollowedBy => "followedBy",
            Relation::FollowedByAny => "followedByAny",
            Relation::NotNext => "notNext",
            Relation::NotFollowedBy => "notFollowedBy",
        };
        self.put(format_args!("{relation} "));
        match &step.term {
            Term::Stage(condition) => self.stage(step, condition),
            Term::Group(steps) => self.group(step, &[steps], ""),
            Term::Either(branches) => self.group(step, &branches.iter().collect::<Vec<_>>(), " | "),
            Term::AnyOrder(needed, parts) => {
                if let Some(needed) = needed {
                    self.put(format_args!("any {} of ", (*needed).min(parts.len())));
                }
                self.group(step, &parts.iter().collect::<Vec<_>>(), " & ");
            }
        }
        let is_absence = last && step.relation == Relation::NotFollowedBy;
        if is_absence || !step.is_negation() {
            self.window(step, before);
        }
    }

    /// Before the first event of a run there is nothing to count from.
    fn window(&mut self, step: &Step, before: usize) {
        let Some(Window { span, anchor }) = step.window else { return };
        let anchors = if step.repeats() { &self.taking[..] } else { &self.taking[..before] };
        let anchors: Vec<&String> = anchors.iter().filter(|stage| !self.elsewhere.contains(stage)).collect();
        if anchors.is_empty() {
            return;
        }
        let anchor = anchor.map_or("previous", |back| anchors[anchors.len() - 1 - back % anchors.len()]).to_owned();
        match span {
            Span::Millis(millis) => self.put(format_args!(" within {millis}ms of {anchor}")),
            Span::Events(events) => self.put(format_args!(" within {events} events of {anchor}")),
        }
    }

    fn stage(&mut self, step: &Step, condition: &Condition) {
        self.stages += 1;
        let name = format!("s{}", self.stages);
        if !step.is_negation() {
            self.taking.push(name.clone());
        }
        self.put(format_args!("{name}"));
        let stream = condition.stream.filter(|_| !self.from.is_empty()).map(|index| self.from[index % self.from.len()]);
        if let Some(stream) = stream {
            self.put(format_args!(": {stream}"));
        }
        self.quantifier(step.quantifier.as_ref());
        self.put(format_args!(" where "));
        self.condition(condition, stream);
        self.until(step.quantifier.as_ref());
    }

    fn group(&mut self, step: &Step, parts: &[&Vec<Step>], between: &str) {
        self.put(format_args!("("));
        let (before, elsewhere) = (self.taking.len(), self.elsewhere.len());
        for (index, part) in parts.iter().enumerate() {
            if index > 0 {
                self.put(format_args!("{between}"));
                let branches = if between == " | " { self.taking[before..].to_vec() } else { Vec::new() };
                self.elsewhere.truncate(elsewhere);
                self.elsewhere.extend(branches);
            }
            self.sequence(part);
        }
        self.elsewhere.truncate(elsewhere);
        self.put(format_args!(")"));
        self.quantifier(step.quantifier.as_ref());
        self.until(step.quantifier.as_ref());
    }

    fn sequence(&mut self, steps: &[Step]) {
        for (index, step) in steps.iter().enumerate() {
            if index > 0 {
                self.put(format_args!(" "));
            }
            self.step(step, index == 0, false);
        }
    }

    fn quantifier(&mut self, quantifier: Option<&Quantifier>) {
        let Some(Quantifier { times, optional, greedy, between, .. }) = quantifier else { return };
        match times {
            Times::Once if *optional => self.put(format_args!("?")),
            Times::Once => {}
            Times::Exactly(times) => self.put(format_args!("{{{times}}}")),
            Times::Between(min, max) => self.put(format_args!("{{{min},{max}}}")),
            Times::AtLeast(1) => self.put(format_args!("{}", if *optional { "*" } else { "+" })),
            Times::AtLeast(min) => self.put(format_args!("{{{min},}}")),
        }
        if *optional && !matches!(times, Times::Once | Times::AtLeast(1)) {
            self.put(format_args!(" optional"));
        }
        self.put(format_args!("{}{between}", if *greedy { " greedy" } else { "" }));
    }

    fn until(&mut self, quantifier: Option<&Quantifier>) {
        if let Some(until) = quantifier.and_then(|quantifier| quantifier.until.as_ref()) {
            self.put(format_args!(" until "));
            self.condition(until, None);
        }
    }

    /// A condition on events of a stream, or of any.
    fn condition(&mut self, condition: &Condition, stream: Option<&str>) {
        match condition.test {
            Test::Type(kind) => self.put(format_args!("type == \"{kind}\"")),
            Test::Either(a, b) => self.put(format_args!("(type == \"{a}\" or type == \"{b}\")")),
            Test::Other(kind) => self.put(format_args!("not (type == \"{kind}\")")),
            Test::Value(operator, v) => self.put(format_args!("v {operator} {v}")),
            Test::Anything => self.put(format_args!("true")),
            Test::Own(least) => match stream {
                Some("one") => self.put(format_args!("z >= {least}")),
                Some("two") => self.put(format_args!("z >= \"{}\"", ["a", "b", "c", "d"][least as usize % 4])),
                Some(_) | None => self.put(format_args!("v >= {least}")),
            },
            Test::Class(class) if self.from.is_empty() => self.put(format_args!("v != {class}")),
            Test::Class(class) => self.put(format_args!("classes[type].class == {class}")),
        }
        let Some(Lookback { back, ask }) = condition.lookback else { return };
        let Some(stage) = self.taking.iter().rev().nth(back).or(self.taking.last()).cloned() else { return };
        match ask {
            Ask::Fewer(count) => self.put(format_args!(" and count({stage}) < {count}")),
            Ask::SumBelow(sum) => self.put(format_args!(" and sum({stage}.v) + v < {sum}")),
            Ask::Rising => self.put(format_args!(" and (count({stage}) < 1 or v > last({stage}).v)")),
            Ask::Falling => self.put(format_args!(" and (count({stage}) < 1 or v < last({stage}).v)")),
            Ask::AtLeastFirst => self.put(format_args!(" and v >= first({stage}).v")),
            Ask::AtLeast(index) => self.put(format_args!(" and v >= ({stage}[{index}].v ?? 0)")),
        }
    }
}
