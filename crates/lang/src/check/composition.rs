//! Which patterns read what others emit, and so in which order they are checked.

use std::collections::{HashMap, HashSet, VecDeque};

use super::names;
use super::streams::STREAMS_MAX;
use super::world::World;
use crate::code;
use crate::diagnostic::Diagnostic;
use crate::tree::{self, ClauseKind, EndingKind, File, Item, Name, Place, Sequence, Term};

/// The most patterns that are shown of a circle.
const WAY_SHOWN_MAX: usize = 6;

/// All patterns of all files, in the order of the text.
pub(super) struct Composition<'a> {
    pub(super) members: Vec<Member<'a>>,
    /// The patterns that emit a record of a name.
    emitters: HashMap<&'a str, Vec<usize>>,
}

/// A pattern with the streams that it names and the records that it names.
pub(super) struct Member<'a> {
    pub(super) source: usize,
    pub(super) pattern: &'a tree::Pattern,
    /// In `from`, and at stages.
    reads: Vec<&'a Name>,
    /// In `emit` and `timeout`.
    emits: Vec<&'a Name>,
}

impl<'a> Composition<'a> {
    pub(super) fn of(files: &'a [File]) -> Self {
        let mut members = Vec::new();
        for (source, file) in files.iter().enumerate() {
            let patterns = file.items.iter().filter_map(|item| match item {
                Item::Pattern(pattern) => Some(pattern),
                _ => None,
            });
            members.extend(patterns.map(|pattern| Member::of(source, pattern)));
        }
        let mut emitters: HashMap<&str, Vec<usize>> = HashMap::new();
        for (position, member) in members.iter().enumerate() {
            let emitted: HashSet<&str> = member.emits.iter().map(|name| name.text.as_str()).collect();
            emitted.into_iter().for_each(|name| emitters.entry(name).or_default().push(position));
        }
        Composition { members, emitters }
    }

    /// The names of all records.
    pub(super) fn emitted(&self) -> impl Iterator<Item = &'a str> {
        let mut seen = HashSet::new();
        self.members
            .iter()
            .flat_map(|member| &member.emits)
            .map(|name| name.text.as_str())
            .filter(move |name| seen.insert(*name))
    }

    fn is_emitted(&self, name: &Name) -> bool {
        self.emitters.contains_key(name.text.as_str())
    }

    /// The names of streams that are no record's, each once. One that is almost a record's is likely meant to be that.
    pub(super) fn undeclared_names(&self) -> Vec<&'a str> {
        let mut seen = HashSet::new();
        let names = self.members.iter().flat_map(|member| &member.reads).filter(|name| !self.is_emitted(name));
        let names = names.map(|name| name.text.as_str()).filter(|name| seen.insert(*name)).take(STREAMS_MAX + 1);
        names.filter(|name| names::meant(name, self.emitted()).is_none()).collect()
    }

    /// Makes those records streams that some pattern reads. A name that is a declared stream's is none for a record.
    pub(super) fn expect(&self, world: &mut World<'_>) {
        for member in &self.members {
            for name in &member.emits {
                if world.streams.named(&name.text).is_none() {
                    continue;
                }
                let message = format!("there is a stream `{}`, so a record needs another name", name.text);
                let help = "a record with a name is a stream of its own, which other patterns can read";
                world.report(member.source, Diagnostic::error(&code::DUPLICATE, name.place, message).help(help));
            }
        }
        for member in &self.members {
            for name in member.reads.iter().filter(|name| self.is_emitted(name)) {
                if world.streams.named(&name.text).is_some() {
                    continue;
                }
                if world.streams.len() >= STREAMS_MAX {
                    let message = format!("there are more than {STREAMS_MAX} streams");
                    return world.report(member.source, Diagnostic::error(&code::TOO_LARGE, name.place, message));
                }
                world.streams.expect(&name.text);
            }
        }
    }

    /// The patterns in an order in which each comes behind those whose records it reads, else in that of the text. Those
    /// that wait for each other are reported, and come last.
    pub(super) fn order(&self, world: &mut World<'_>) -> Vec<usize> {
        let levels = self.levels();
        let circular: Vec<usize> = (0..levels.len()).filter(|member| levels[*member].is_none()).collect();
        self.report_circles(world, &circular);
        let mut order: Vec<usize> = (0..levels.len()).collect();
        order.sort_by_key(|member| (levels[*member].unwrap_or(usize::MAX), *member));
        order
    }

    /// How many patterns lie before each on the longest way from what is fed; none behind a circle.
    fn levels(&self) -> Vec<Option<usize>> {
        let mut readers: HashMap<&str, Vec<usize>> = HashMap::new();
        // How many of the records that a pattern reads, of the patterns that emit a record, are still to come.
        let mut awaited: Vec<usize> = Vec::new();
        let mut open: HashMap<&str, usize> = self.emitters.iter().map(|(name, by)| (*name, by.len())).collect();
        for (position, member) in self.members.iter().enumerate() {
            let read: HashSet<&str> = member.reads.iter().map(|name| name.text.as_str()).collect();
            let read: Vec<&str> = read.into_iter().filter(|name| open.contains_key(name)).collect();
            awaited.push(read.len());
            read.into_iter().for_each(|name| readers.entry(name).or_default().push(position));
        }
        let mut levels = vec![None; self.members.len()];
        let mut ready: VecDeque<(usize, usize)> =
            (0..).zip(&awaited).filter(|(_, count)| **count == 0).map(|(member, _)| (member, 0)).collect();
        while let Some((member, level)) = ready.pop_front() {
            levels[member] = Some(level);
            let emitted: HashSet<&str> = self.members[member].emits.iter().map(|name| name.text.as_str()).collect();
            for name in emitted {
                let emitters = open.get_mut(name).expect("it was counted by what emits it");
                *emitters -= 1;
                for reader in readers.get(name).into_iter().flatten().filter(|_| *emitters == 0) {
                    awaited[*reader] -= 1;
                    if awaited[*reader] == 0 {
                        ready.push_back((*reader, level + 1));
                    }
                }
            }
        }
        levels
    }

    /// Each that has no level reads of one that has none: who goes from one to the next ends in a circle.
    fn report_circles(&self, world: &mut World<'_>, circular: &[usize]) {
        let mut emitters: HashMap<&str, usize> = HashMap::new();
        for member in circular {
            for name in &self.members[*member].emits {
                emitters.entry(&name.text).or_insert(*member);
            }
        }
        let next: HashMap<usize, (&Name, usize)> = circular
            .iter()
            .filter_map(|member| {
                let awaited = self.members[*member]
                    .reads
                    .iter()
                    .find_map(|name| Some((*name, *emitters.get(name.text.as_str())?)));
                Some((*member, awaited?))
            })
            .collect();
        let mut seen: HashSet<usize> = HashSet::new();
        for start in circular {
            let mut way: Vec<usize> = Vec::new();
            let mut at = *start;
            while seen.insert(at) {
                way.push(at);
                at = next[&at].1;
            }
            if let Some(first) = way.iter().position(|member| *member == at) {
                let circle: Vec<(usize, &Name)> = way[first..].iter().map(|member| (*member, next[member].0)).collect();
                self.report_circle(world, &circle);
            }
        }
    }

    fn report_circle(&self, world: &mut World<'_>, circle: &[(usize, &Name)]) {
        let name = |member: usize| self.members[member].name(world).to_owned();
        let (first, read) = circle[0];
        let message = match circle {
            [_] => format!("pattern `{}` reads `{}`, which it emits itself", name(first), read.text),
            circle => {
                let reads = circle.iter().zip(circle.iter().cycle().skip(1));
                let reads =
                    reads.map(|((_, read), (emitter, _))| format!("reads `{}` of `{}`", read.text, name(*emitter)));
                let shown: Vec<String> = reads.take(WAY_SHOWN_MAX).collect();
                let more = if circle.len() > WAY_SHOWN_MAX { ", .." } else { "" };
                format!("patterns wait for each other: `{}` {}{more}", name(first), shown.join(", which "))
            }
        };
        let help = "what a pattern reads has to be complete without what it emits";
        let diagnostic = Diagnostic::error(&code::CIRCULAR, read.place, message).help(help);
        world.report(self.members[first].source, diagnostic);
    }
}

impl<'a> Member<'a> {
    fn of(source: usize, pattern: &'a tree::Pattern) -> Self {
        let mut reads: Vec<&Name> = Vec::new();
        for clause in &pattern.clauses {
            if let ClauseKind::From(names) = &clause.kind {
                reads.extend(names);
            }
        }
        stage_streams(&pattern.sequence, &mut reads);
        let emits = pattern.endings.iter().filter_map(|ending| match &ending.kind {
            EndingKind::Emit(emission) | EndingKind::Timeout(emission) => emission.record()?.name.as_ref(),
            _ => None,
        });
        Member { source, pattern, reads, emits: emits.collect() }
    }

    /// Its name, or that of its file.
    pub(super) fn name<'n>(&self, world: &'n World<'_>) -> &'n str
    where
        'a: 'n,
    {
        match &self.pattern.name {
            Some(name) => &name.text,
            None => world.sources[self.source].stem(),
        }
    }

    /// Where it begins.
    pub(super) fn place(&self) -> Place {
        match &self.pattern.name {
            Some(name) => name.place,
            None => self.pattern.sequence.steps[0].relation_place,
        }
    }
}

fn stage_streams<'a>(sequence: &'a Sequence, found: &mut Vec<&'a Name>) {
    for step in &sequence.steps {
        match &step.term {
            Term::Stage(stage) => found.extend(&stage.stream),
            Term::Group(group) => group.parts.iter().for_each(|part| stage_streams(part, found)),
        }
    }
}
