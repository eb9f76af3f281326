//! The key of a pattern, and the ways in which events come to it.

use std::collections::HashMap;

use ensue_model::expr::Expr;
use ensue_model::key::KeyWay;
use ensue_model::pattern::StageId;
use ensue_model::schema::{FieldId, StreamId};
use ensue_model::{Keys, Type};

use super::expression::{Kind, Lowering, Place as At, Typed};
use super::names;
use crate::code;
use crate::diagnostic::Diagnostic;
use crate::tree::{self, ClauseKind, Entry, ExprKind, Name, Pattern, Place};

/// A pattern's key.
#[derive(Default)]
pub(super) struct Keyed {
    pub(super) keys: Keys,
    /// The types of its parts.
    pub(super) kinds: Vec<Type>,
    /// The way by which each stage's events come; none where all come by all.
    pub(super) stage_ways: Vec<u8>,
}

/// What the pattern says, else the streams, else the caller, else none.
pub(super) fn check(lowering: &mut Lowering<'_, '_>, pattern: &Pattern) -> Keyed {
    let said = pattern.clauses.iter().find_map(|clause| match &clause.kind {
        ClauseKind::Key(parts) => Some(of_all(lowering, parts)),
        ClauseKind::KeyMap(entries) => Some(of_map(lowering, entries, clause.place)),
        ClauseKind::From(_) | ClauseKind::Active { .. } => None,
    });
    said.unwrap_or_else(|| by_default(lowering, pattern))
}

/// A way in the making.
struct Way {
    stream: Option<StreamId>,
    parts: Vec<Typed>,
    /// What it is for, and where that is said.
    who: String,
    place: Place,
}

/// One expression for each part, which may be another field in each stream.
fn of_all(lowering: &mut Lowering<'_, '_>, parts: &[tree::Expr]) -> Keyed {
    let names = parts.iter().map(|part| part_name(lowering, part)).collect();
    let place = parts[0].place;
    let ways = lowering.read.iter().map(|stream| {
        let parts = parts.iter().map(|part| lowering.value(part, At::Key, Some(*stream))).collect();
        Way { stream: Some(*stream), parts, who: lowering.world.stream(*stream), place }
    });
    let ways = ways.collect();
    keyed(lowering, names, ways)
}

fn part_name(lowering: &Lowering<'_, '_>, part: &tree::Expr) -> String {
    match &part.kind {
        ExprKind::Name(name) => name.text.clone(),
        _ => lowering.written(part),
    }
}

/// The key of ways, one for each stream: where they are the same, there is one.
fn keyed(lowering: &mut Lowering<'_, '_>, names: Vec<String>, mut ways: Vec<Way>) -> Keyed {
    let kinds = agreed(lowering, &ways);
    if let [first, others @ ..] = ways.as_mut_slice()
        && others.iter().all(|other| is_same(first, other))
    {
        first.stream = None;
        ways.truncate(1);
    }
    Keyed { keys: Keys { names, ways: ways.into_iter().map(Way::checked).collect() }, kinds, stage_ways: Vec::new() }
}

fn is_same(a: &Way, b: &Way) -> bool {
    a.parts.len() == b.parts.len() && a.parts.iter().zip(&b.parts).all(|(a, b)| a.expr == b.expr)
}

impl Way {
    fn checked(self) -> KeyWay {
        KeyWay { stream: self.stream, parts: self.parts.into_iter().map(|part| part.expr).collect() }
    }
}

/// The types of the parts, which are the same by all ways: keys of different types are never equal.
fn agreed(lowering: &mut Lowering<'_, '_>, ways: &[Way]) -> Vec<Type> {
    let Some((first, others)) = ways.split_first() else { return Vec::new() };
    let mut kinds: Vec<Type> = first.parts.iter().map(Typed::type_or_any).collect();
    let mut by: Vec<&Way> = vec![first; kinds.len()];
    for way in others {
        for (position, part) in way.parts.iter().enumerate() {
            let kind = part.type_or_any();
            match &kinds[position] {
                Type::Any => {
                    kinds[position] = kind;
                    by[position] = way;
                }
                known if kind == Type::Any || kind == *known => {}
                known => {
                    let other = by[position];
                    let message = format!("the key is {known} for {} and {kind} for {}", other.who, way.who);
                    let diagnostic = Diagnostic::error(&code::UNLIKE_TYPES, way.place, message);
                    lowering.report(diagnostic.help("values of different types are never the same key"));
                    return kinds;
                }
            }
        }
    }
    kinds
}

/// `key { .. }`: by stream, or by stage.
fn of_map(lowering: &mut Lowering<'_, '_>, entries: &[Entry], place: Place) -> Keyed {
    let mut given: HashMap<&str, Place> = HashMap::new();
    for Entry { name, .. } in entries {
        if let Some(first) = given.insert(&name.text, name.place) {
            lowering.report(names::twice("entry", name, first));
            return Keyed::default();
        }
    }
    let streams: Vec<Option<StreamId>> = entries.iter().map(|entry| stream(lowering, &entry.name)).collect();
    let stages: Vec<Option<StageId>> = entries.iter().map(|entry| lowering.stages.find(&entry.name.text)).collect();
    if let Some(streams) = streams.iter().copied().collect::<Option<Vec<_>>>() {
        return by_stream(lowering, entries, &streams, place);
    }
    if let Some(stages) = stages.iter().copied().collect::<Option<Vec<_>>>() {
        return by_stage(lowering, entries, &stages, place);
    }
    for ((entry, stream), stage) in entries.iter().zip(&streams).zip(&stages) {
        if stream.is_none() && stage.is_none() {
            let diagnostic = unknown_entry(lowering, &entry.name);
            lowering.report(diagnostic);
            return Keyed::default();
        }
    }
    let diagnostic = mixed(entries, &streams);
    lowering.report(diagnostic);
    Keyed::default()
}

/// A stream of that name that the pattern reads.
fn stream(lowering: &Lowering<'_, '_>, name: &Name) -> Option<StreamId> {
    lowering.world.streams.named(&name.text).filter(|stream| lowering.read.contains(stream))
}

fn unknown_entry(lowering: &Lowering<'_, '_>, name: &Name) -> Diagnostic {
    let read = lowering.read.iter().filter_map(|stream| lowering.world.streams.get(*stream).name.as_deref());
    if lowering.world.streams.named(&name.text).is_some() {
        let message = format!("the pattern does not read stream `{}`", name.text);
        let help = names::listed("it reads", read);
        return Diagnostic::error(&code::KEY_MAP, name.place, message).help(help);
    }
    let message = format!("`{}` is neither a stage of the pattern nor a stream that it reads", name.text);
    let help = lowering.world.meant(&name.text, lowering.stages.names().chain(read));
    let all = || names::listed("the stages are", lowering.stages.names());
    Diagnostic::error(&code::KEY_MAP, name.place, message).help(help.unwrap_or_else(all))
}

fn mixed(entries: &[Entry], streams: &[Option<StreamId>]) -> Diagnostic {
    let find = |is_stream: bool| entries.iter().zip(streams).find(|(_, stream)| stream.is_some() == is_stream);
    let name = |is_stream| find(is_stream).map_or("", |(entry, _)| entry.name.text.as_str());
    let message =
        format!("a key differs by stream or by stage: `{}` is a stream, `{}` a stage", name(true), name(false));
    let place = find(false).map_or(entries[0].name.place, |(entry, _)| entry.name.place);
    Diagnostic::error(&code::KEY_MAP, place, message).help("name only streams, or only stages")
}

fn by_stream(lowering: &mut Lowering<'_, '_>, entries: &[Entry], streams: &[StreamId], place: Place) -> Keyed {
    let missing = lowering.read.iter().copied().find(|stream| !streams.contains(stream));
    if let Some(missing) = missing.filter(|stream| !lowering.world.streams.is_unknown(*stream)) {
        let name = lowering.world.streams.get(missing).name.clone().unwrap_or_default();
        let message = format!("the key of stream `{name}` is missing");
        let diagnostic = Diagnostic::error(&code::KEY_MAP, place, message);
        lowering.report(diagnostic.help(format!("the pattern reads it: add `{name}: ..` to the key")));
    }
    let mut ways: Vec<Way> = Vec::new();
    for (entry, stream) in entries.iter().zip(streams) {
        let part = lowering.value(&entry.value, At::Key, Some(*stream));
        let who = format!("stream `{}`", entry.name.text);
        ways.push(Way { stream: Some(*stream), parts: vec![part], who, place: entry.value.place });
    }
    keyed(lowering, vec![part_name(lowering, &entries[0].value)], ways)
}

fn by_stage(lowering: &mut Lowering<'_, '_>, entries: &[Entry], stages: &[StageId], place: Place) -> Keyed {
    let mut positions = 0..lowering.stages.list.len() as u16;
    if let Some(missing) = positions.find(|position| !stages.contains(&StageId(*position))) {
        let name = lowering.stages.get(StageId(missing)).name.clone();
        let message = format!("the key of stage `{}` is missing", name.text);
        let diagnostic = Diagnostic::error(&code::KEY_MAP, place, message).also(name.place, "the stage");
        lowering.report(diagnostic.help(format!("add `{}: ..` to the key", name.text)));
        return Keyed::default();
    }
    let mut ways: Vec<Way> = Vec::new();
    let mut stage_ways = vec![0; lowering.stages.list.len()];
    for (entry, stage) in entries.iter().zip(stages) {
        // Of a pattern that reads one stream, the stages that name it and those that do not have the same events.
        let stream = lowering.stages.get(*stage).stream.filter(|_| lowering.read.len() > 1);
        let part = lowering.value(&entry.value, At::Key, stream);
        let who = format!("stage `{}`", entry.name.text);
        let way = Way { stream, parts: vec![part], who, place: entry.value.place };
        let known = ways.iter().position(|other| other.stream == way.stream && is_same(other, &way));
        stage_ways[usize::from(stage.0)] = known.unwrap_or(ways.len());
        if known.is_none() {
            ways.push(way);
        }
    }
    if let Some(too_many) = ways.get(WAYS_MAX) {
        let message = format!("events come to the key by {} ways, the limit is {WAYS_MAX}", ways.len());
        lowering.report(Diagnostic::error(&code::TOO_LARGE, too_many.place, message));
        return Keyed::default();
    }
    let kinds = agreed(lowering, &ways);
    let stage_ways = match ways.len() {
        1 => Vec::new(),
        _ => stage_ways.into_iter().map(|way| way as u8).collect(),
    };
    let names = vec![part_name(lowering, &entries[0].value)];
    Keyed { keys: Keys { names, ways: ways.into_iter().map(Way::checked).collect() }, kinds, stage_ways }
}

/// The most ways in which events can come to a key: which of them one has come by is a bit each.
const WAYS_MAX: usize = 64;

/// Each stream's key, else what the caller says of those that it feeds. Where none has one, all is one key.
fn by_default(lowering: &mut Lowering<'_, '_>, pattern: &Pattern) -> Keyed {
    let place = pattern.name.as_ref().map_or(pattern.sequence.steps[0].relation_place, |name| name.place);
    let read: Vec<StreamId> = lowering.read.to_vec();
    let mut keys: Vec<(StreamId, Vec<FieldId>)> = Vec::new();
    for stream in read {
        keys.push((stream, default_fields(lowering, stream)));
    }
    let streams = &lowering.world.streams;
    if keys.iter().any(|(stream, _)| streams.is_unknown(*stream)) {
        return Keyed::default();
    }
    if keys.iter().all(|(_, fields)| fields.is_empty()) {
        if let Some(diagnostic) = without_callers_key(lowering, place) {
            lowering.report(diagnostic);
        }
        return Keyed::default();
    }
    if let Some(diagnostic) = incomplete(lowering, &keys, place) {
        lowering.report(diagnostic);
        return Keyed::default();
    }
    let names = keys[0].1.iter().map(|field| streams.field(*field).name.clone()).collect();
    let part =
        |field: &FieldId| Typed { expr: Expr::Field(*field), kind: Kind::Is(streams.field(*field).kind.clone()) };
    let ways = keys.iter().map(|(stream, fields)| Way {
        stream: Some(*stream),
        parts: fields.iter().map(part).collect(),
        who: lowering.world.stream(*stream),
        place,
    });
    let ways = ways.collect();
    keyed(lowering, names, ways)
}

/// The caller's fields join an open stream only here, where a pattern needs them: each field of a schema is decoded for
/// each event. What patterns emit has no key of its own.
fn default_fields(lowering: &mut Lowering<'_, '_>, stream: StreamId) -> Vec<FieldId> {
    let options = lowering.world.options;
    let streams = &mut lowering.world.streams;
    match (streams.get(stream).key, streams.get(stream).is_emitted) {
        (Some(field), _) => vec![field],
        (None, true) => Vec::new(),
        (None, false) => options.key.iter().filter_map(|name| streams.find_or_add(stream, name)).collect(),
    }
}

/// What the caller names as the key is there in some of the streams that it feeds, but in none that the pattern reads.
fn without_callers_key(lowering: &Lowering<'_, '_>, place: Place) -> Option<Diagnostic> {
    let streams = &lowering.world.streams;
    let name = lowering.world.options.key.first()?;
    let fed = lowering.read.iter().find(|stream| !streams.get(**stream).is_emitted)?;
    let is_there = streams.fed().any(|stream| streams.find(stream, name).is_some());
    let message = format!("{} has no field `{name}`, which is to be the key", lowering.world.stream(*fed));
    let diagnostic = Diagnostic::error(&code::KEY_MAP, place, message);
    is_there.then(|| diagnostic.help("say the pattern's own: `key ..` before `begin`"))
}

/// Of several streams each has a key, or none.
fn incomplete(lowering: &Lowering<'_, '_>, keys: &[(StreamId, Vec<FieldId>)], place: Place) -> Option<Diagnostic> {
    let (with, fields) = keys.iter().find(|(_, fields)| !fields.is_empty())?;
    let (without, _) = keys.iter().find(|(_, other)| other.len() != fields.len())?;
    let field = &lowering.world.streams.field(fields[0]).name;
    let message = format!(
        "{} has the key `{field}`, and {} has no such key",
        lowering.world.stream(*with),
        lowering.world.stream(*without)
    );
    let name = |stream: StreamId| lowering.world.streams.get(stream).name.as_deref().unwrap_or("..");
    let help = format!("say what belongs together: `key {{ {}: {field}, {}: .. }}`", name(*with), name(*without));
    Some(Diagnostic::error(&code::KEY_MAP, place, message).help(help))
}
