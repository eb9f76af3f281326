//! One pattern: its clauses, its sequence, its endings.

use std::collections::{BTreeSet, HashMap};

use ensue_model::pattern::Skip;
use ensue_model::{Pattern, Span, Type, Value};

use super::declarations::Declarations;
use super::expression::Lowering;
use super::stages::Stages;
use super::world::World;
use super::{bounds, constant, key, names, sequence};
use crate::code;
use crate::diagnostic::Diagnostic;
use crate::tree::{self, ClauseKind, EndingKind, Expr, ExprKind, File, Item, Name, Place};

/// All patterns of all files.
pub(super) fn check_all(world: &mut World<'_>, files: &[File], declared: &[Declarations<'_>]) -> Vec<Pattern> {
    let mut named: HashMap<String, (usize, Place)> = HashMap::new();
    let mut patterns = Vec::new();
    let items = files.iter().flat_map(|file| &file.items);
    let streams = items.filter_map(|item| match item {
        Item::Stream(stream) => Some(stream.name.text.as_str()),
        _ => None,
    });
    let streams: BTreeSet<&str> = streams.chain(world.options.schema.stream.as_deref()).collect();
    for (file, declared) in files.iter().zip(declared) {
        for item in &file.items {
            let Item::Pattern(pattern) = item else { continue };
            check_name(world, declared.source, pattern, &mut named);
            check_streams(world, declared.source, pattern, &streams);
            patterns.extend(check(world, declared, pattern));
        }
    }
    patterns
}

fn name_of<'a>(world: &World<'a>, source: usize, pattern: &'a tree::Pattern) -> &'a str {
    match &pattern.name {
        Some(name) => &name.text,
        None => world.sources[source].stem(),
    }
}

/// Names tell patterns apart in the output, so they are unique among all sources.
fn check_name(
    world: &mut World<'_>,
    source: usize,
    pattern: &tree::Pattern,
    named: &mut HashMap<String, (usize, Place)>,
) {
    let text = name_of(world, source, pattern).to_owned();
    let place = match &pattern.name {
        Some(name) => name.place,
        None => pattern.sequence.steps[0].relation_place,
    };
    let diagnostic = match named.get(&text) {
        None => {
            named.insert(text, (source, place));
            return;
        }
        Some((first_source, first)) if *first_source == source => {
            names::twice("pattern", &Name { text, place }, *first)
        }
        Some((first_source, _)) => {
            let file = &world.sources[*first_source].name;
            Diagnostic::error(&code::DUPLICATE, place, format!("there are two patterns `{text}`"))
                .label("given again")
                .help(format!("the other one is in {file}"))
        }
    };
    world.report(source, diagnostic);
}

/// `from` names what there is; where nothing is declared, what the caller feeds is not known by name.
fn check_streams(world: &mut World<'_>, source: usize, pattern: &tree::Pattern, streams: &BTreeSet<&str>) {
    for clause in &pattern.clauses {
        let ClauseKind::From(names) = &clause.kind else { continue };
        for name in names.iter().filter(|name| !streams.is_empty() && !streams.contains(name.text.as_str())) {
            let message = format!("there is no stream `{}`", name.text);
            let help = world.meant(&name.text, streams.iter().copied());
            let help = help.unwrap_or_else(|| names::listed("declared streams:", streams.iter().copied()));
            world.report(source, Diagnostic::error(&code::UNKNOWN_STREAM, name.place, message).help(help));
        }
    }
}

/// None where it cannot be looked at, which has been reported.
fn check(world: &mut World<'_>, declared: &Declarations<'_>, pattern: &tree::Pattern) -> Option<Pattern> {
    check_said_once(world, declared.source, pattern);
    let stages = Stages::collect(world, declared.source, &pattern.sequence)?;
    let name = name_of(world, declared.source, pattern).to_owned();
    let mut lowering = Lowering::new(world, declared, &stages);
    let key = key::parts(&mut lowering, pattern);
    lowering.key_parts = key.names.len();
    let active = bounds::active(&mut lowering, pattern);
    let within = within(&mut lowering, pattern);
    let sequence = sequence::check(&mut lowering, pattern, within);
    let skip = skip(&mut lowering, pattern);
    let cooldown = cooldown(&mut lowering, pattern);
    sequence::check_outputs(&mut lowering, pattern);
    let lookbacks = lowering.finish();
    let checked = Pattern::new(&name, stages.checked(), sequence);
    Some(Pattern { doc: pattern.doc.clone(), key, active, lookbacks, within, skip, cooldown, ..checked })
}

/// Clauses and endings are said once each.
fn check_said_once(world: &mut World<'_>, source: usize, pattern: &tree::Pattern) {
    let clauses = pattern.clauses.iter().map(|clause| (clause_word(&clause.kind), clause.place));
    let endings = pattern.endings.iter().map(|ending| (ending_word(&ending.kind), ending.place));
    let said: Vec<(&str, Place)> = clauses.chain(endings).collect();
    for (index, (word, place)) in said.iter().enumerate() {
        if let Some((_, first)) = said[..index].iter().find(|(other, _)| other == word) {
            let message = format!("`{word}` is said twice");
            let diagnostic = Diagnostic::error(&code::ENDING_TWICE, *place, message);
            world.report(source, diagnostic.label("said again").also(*first, "said here"));
        }
    }
}

fn clause_word(kind: &ClauseKind) -> &'static str {
    match kind {
        ClauseKind::From(_) => "from",
        ClauseKind::Key(_) | ClauseKind::KeyMap(_) => "key",
        ClauseKind::Active { .. } => "active",
    }
}

fn ending_word(kind: &EndingKind) -> &'static str {
    match kind {
        EndingKind::Within(_) => "within",
        EndingKind::WithinEvents(_) => "within .. events",
        EndingKind::Skip(_) => "skip",
        EndingKind::Keep(_) => "keep",
        EndingKind::Cooldown(_) => "cooldown",
        EndingKind::Emit(_) => "emit",
        EndingKind::Timeout(_) => "timeout",
    }
}

/// The window of the whole; `within 0s` is none.
fn within(lowering: &mut Lowering<'_, '_>, pattern: &tree::Pattern) -> Option<Span> {
    let span = pattern.endings.iter().find_map(|ending| match &ending.kind {
        EndingKind::Within(span) => Some(span),
        _ => None,
    })?;
    length(lowering, span)
}

/// None is none, and one of no length, too.
fn cooldown(lowering: &mut Lowering<'_, '_>, pattern: &tree::Pattern) -> Option<Span> {
    let span = pattern.endings.iter().find_map(|ending| match &ending.kind {
        EndingKind::Cooldown(span) => Some(span),
        _ => None,
    })?;
    length(lowering, span)
}

/// A length; none where there is none, or it is wrong, which is reported.
fn length(lowering: &mut Lowering<'_, '_>, span: &Expr) -> Option<Span> {
    match duration(lowering.declared, span) {
        Ok(span) => span.filter(|span| *span != Span::ZERO),
        Err(diagnostic) => {
            lowering.report(*diagnostic);
            None
        }
    }
}

/// The length that a literal or a parameter gives; none where the parameter's value is wrong, which has been reported.
pub(super) fn duration(declared: &Declarations<'_>, span: &Expr) -> Result<Option<Span>, Box<Diagnostic>> {
    match &span.kind {
        ExprKind::Duration(text) | ExprKind::Int(text) if text != "0" => {
            constant::duration(text, span.place).map(Some).map_err(Box::new)
        }
        ExprKind::Int(_) => Ok(Some(Span::ZERO)),
        ExprKind::Name(name) => duration_parameter(declared, name).map_err(Box::new),
        _ => {
            let diagnostic = Diagnostic::error(&code::NOT_A_DURATION, span.place, "this is not a duration");
            Err(Box::new(diagnostic.help("a duration is whole numbers with units, as in `1h30m`")))
        }
    }
}

fn duration_parameter(declared: &Declarations<'_>, name: &Name) -> Result<Option<Span>, Diagnostic> {
    let Some(parameter) = declared.parameters.get(name.text.as_str()) else {
        let message = format!("there is no parameter `{}`", name.text);
        let help = names::meant(&name.text, declared.parameters.keys().copied());
        let help = help.unwrap_or_else(|| "write a duration such as `15m`, or declare a `param`".into());
        return Err(Diagnostic::error(&code::NOT_A_DURATION, name.place, message).help(help));
    };
    match &parameter.value {
        Some(Value::Duration(span)) if *span >= Span::ZERO => Ok(Some(*span)),
        Some(Value::Duration(span)) => {
            let message = format!("parameter `{}` is {span}, and a window is not negative", name.text);
            Err(Diagnostic::error(&code::NOT_A_DURATION, name.place, message))
        }
        None if parameter.kind == Type::Duration => Ok(None),
        _ => {
            let message = format!("parameter `{}` is {}, not a duration", name.text, parameter.kind);
            Err(Diagnostic::error(&code::NOT_A_DURATION, name.place, message))
        }
    }
}

fn skip(lowering: &mut Lowering<'_, '_>, pattern: &tree::Pattern) -> Skip {
    let said = pattern.endings.iter().find_map(|ending| match &ending.kind {
        EndingKind::Skip(skip) => Some(skip),
        _ => None,
    });
    match said {
        None | Some(tree::Skip::None) => Skip::None,
        Some(tree::Skip::ToNext) => Skip::ToNext,
        Some(tree::Skip::PastLast) => Skip::PastLast,
        Some(tree::Skip::ToFirst(name)) => skip_target(lowering, name).map_or(Skip::None, Skip::ToFirst),
        Some(tree::Skip::ToLast(name)) => skip_target(lowering, name).map_or(Skip::None, Skip::ToLast),
    }
}

fn skip_target(lowering: &mut Lowering<'_, '_>, name: &Name) -> Option<ensue_model::pattern::StageId> {
    let Some(id) = lowering.stages.find(&name.text) else {
        let diagnostic = lowering.unknown_stage(name);
        lowering.report(diagnostic);
        return None;
    };
    let stage = lowering.stages.get(id);
    let reason = match (stage.negated, stage.in_group) {
        (true, _) => "takes no events",
        (false, true) => "stands inside a group",
        (false, false) => return Some(id),
    };
    let message = format!("cannot skip to `{}`: it {reason}", name.text);
    let diagnostic = Diagnostic::error(&code::SKIP_TARGET, name.place, message).also(stage.name.place, "the stage");
    lowering.report(diagnostic);
    None
}
