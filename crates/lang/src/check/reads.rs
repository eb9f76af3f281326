//! Which streams a pattern reads: those of its `from`; else those that its stages name, and the only one that is fed.

use ensue_model::pattern::StageId;
use ensue_model::schema::StreamId;

use super::composition::Member;
use super::names;
use super::stages::Stages;
use super::world::World;
use crate::code;
use crate::diagnostic::Diagnostic;
use crate::tree::{ClauseKind, Name};

/// The most streams that a pattern can read: each may have a way to the key of its own.
const READ_MAX: usize = 64;

/// The streams, in the order of their numbers; at least one. Says of the stages which of them they take.
pub(super) fn resolve(world: &mut World<'_>, member: &Member<'_>, stages: &mut Stages<'_>) -> Vec<StreamId> {
    let said = from(world, member);
    let mut read = said.clone().unwrap_or_default();
    for position in 0..stages.list.len() {
        let stage = StageId(position as u16);
        if let Some(name) = stages.get(stage).stream_name {
            let stream = stream(world, member.source, name);
            if said.as_ref().is_some_and(|said| !said.contains(&stream)) && !world.streams.is_unknown(stream) {
                not_read(world, member, stages.get(stage).name, name, &read);
            }
            stages.take_from(stage, stream);
            read.push(stream);
        }
    }
    if said.is_none() && stages.list.iter().any(|stage| stage.stream_name.is_none()) {
        read.push(only_one(world, member));
    }
    read.sort();
    read.dedup();
    if read.len() > READ_MAX {
        let message = format!("the pattern reads {} streams, the limit is {READ_MAX}", read.len());
        world.report(member.source, Diagnostic::error(&code::TOO_LARGE, member.place(), message));
        read.truncate(READ_MAX);
    }
    read
}

/// The streams of `from`, if it has one.
fn from(world: &mut World<'_>, member: &Member<'_>) -> Option<Vec<StreamId>> {
    let names = member.pattern.clauses.iter().find_map(|clause| match &clause.kind {
        ClauseKind::From(names) => Some(names),
        _ => None,
    })?;
    if let Some(too_many) = names.get(READ_MAX) {
        let message = format!("`from` names {} streams, the limit is {READ_MAX}", names.len());
        world.report(member.source, Diagnostic::error(&code::TOO_LARGE, too_many.place, message));
    }
    let names = &names[..names.len().min(READ_MAX)];
    for (index, name) in names.iter().enumerate() {
        if let Some(first) = names[..index].iter().find(|other| other.text == name.text) {
            let message = format!("`from` names `{}` twice", name.text);
            let diagnostic = Diagnostic::error(&code::DUPLICATE, name.place, message);
            world.report(member.source, diagnostic.also(first.place, "named here"));
        }
    }
    Some(names.iter().map(|name| stream(world, member.source, name)).collect())
}

/// The stream of that name; what stands for it where there is none, which has been reported.
fn stream(world: &mut World<'_>, source: usize, name: &Name) -> StreamId {
    if let Some(stream) = world.streams.named(&name.text) {
        return stream;
    }
    if world.records.contains(&name.text) {
        // There were more streams than there can be, which has been reported.
        return world.streams.unknown();
    }
    let is_unread = |name: &&str| world.streams.named(name).is_none();
    let unread = || world.records.iter().map(String::as_str).filter(is_unread);
    let names = || world.streams.all_names().chain(unread());
    let message = format!("there is no stream `{}`", name.text);
    let help = world.meant(&name.text, names()).unwrap_or_else(|| match names().next() {
        Some(_) => names::listed("the streams are", names()),
        None => format!("declare it: `stream {} {{ .. }}`", name.text),
    });
    world.report(source, Diagnostic::error(&code::UNKNOWN_STREAM, name.place, message).help(help));
    world.streams.unknown()
}

/// The stream whose events stages take that name none.
fn only_one(world: &mut World<'_>, member: &Member<'_>) -> StreamId {
    let fed: Vec<StreamId> = world.streams.fed().collect();
    if let [only] = fed.as_slice() {
        return *only;
    }
    let message = format!("there are the streams {}: which does the pattern read?", world.listed(&fed));
    let names = |count| fed.iter().take(count).filter_map(|stream| world.streams.get(*stream).name.clone());
    let (all, first) = (names(3).collect::<Vec<_>>().join(", "), names(1).collect::<String>());
    let help = match &member.pattern.name {
        Some(_) => {
            format!("write `from {all}` before `begin`, or at each stage which stream's events it takes: `a: {first}`")
        }
        None => format!("write at each stage which stream's events it takes: `a: {first}`"),
    };
    world.report(member.source, Diagnostic::error(&code::STREAM_UNSAID, member.place(), message).help(help));
    world.streams.unknown()
}

fn not_read(world: &mut World<'_>, member: &Member<'_>, stage: &Name, stream: &Name, read: &[StreamId]) {
    let message = format!("stage `{}` takes events of `{}`, which the pattern does not read", stage.text, stream.text);
    let names = read.iter().filter_map(|stream| world.streams.get(*stream).name.as_deref());
    let names = names.chain([stream.text.as_str()]).collect::<Vec<_>>().join(", ");
    let help = format!("write `from {names}`");
    world.report(member.source, Diagnostic::error(&code::STREAM_UNSAID, stream.place, message).help(help));
}
