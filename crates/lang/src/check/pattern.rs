//! One pattern: its clauses, its sequence, its endings.

use std::collections::HashMap;

use ensue_model::pattern::Skip;
use ensue_model::{Pattern, Span, Type, Value};

use super::composition::{Composition, Member};
use super::declarations::Declarations;
use super::expression::Lowering;
use super::stages::Stages;
use super::world::World;
use super::{bounds, branches, constant, endless, key, names, reads, record, sequence};
use crate::code;
use crate::diagnostic::{Diagnostic, Severity};
use crate::tree::{self, ClauseKind, EndingKind, Expr, ExprKind, Name, Place};

/// All patterns of all files, in the order of the text.
pub(super) fn check_all(
    world: &mut World<'_>,
    composition: &Composition<'_>,
    declared: &[Declarations<'_>],
) -> Vec<Pattern> {
    let mut named: HashMap<String, (usize, Place)> = HashMap::new();
    composition.members.iter().for_each(|member| check_name(world, member, &mut named));
    let mut patterns: Vec<Option<Pattern>> = composition.members.iter().map(|_| None).collect();
    for position in composition.order(world) {
        let member = &composition.members[position];
        patterns[position] = check(world, &declared[member.source], member);
    }
    patterns.into_iter().flatten().collect()
}

/// Names tell patterns apart in the output, so they are unique among all sources.
fn check_name(world: &mut World<'_>, member: &Member<'_>, named: &mut HashMap<String, (usize, Place)>) {
    let text = member.name(world).to_owned();
    let place = member.place();
    match named.get(&text) {
        None => {
            named.insert(text, (member.source, place));
        }
        Some(first) => {
            let name = Name { text, place };
            let diagnostic = names::twice_in_all(world.sources, "pattern", member.source, &name, *first);
            world.report(member.source, diagnostic);
        }
    }
}

/// None where it cannot be looked at, which has been reported.
fn check(world: &mut World<'_>, declared: &Declarations<'_>, member: &Member<'_>) -> Option<Pattern> {
    let pattern = member.pattern;
    let known = world.found.len();
    check_said_once(world, declared.source, pattern);
    let mut stages = Stages::collect(world, declared.source, &pattern.sequence)?;
    let name = member.name(world).to_owned();
    let read = reads::resolve(world, member, &mut stages);
    let mut lowering = Lowering::new(world, declared, &stages, &read);
    let keyed = key::check(&mut lowering, pattern);
    lowering.key_kinds = keyed.kinds;
    let active = bounds::active(&mut lowering, pattern);
    let within = within(&mut lowering, pattern);
    let within_events = bounds::within_events(&mut lowering, pattern);
    let sequence = sequence::check(&mut lowering, pattern, within, &keyed.stage_ways);
    let skip = skip(&mut lowering, pattern);
    let keep = bounds::keep(pattern);
    let cooldown = cooldown(&mut lowering, pattern);
    let (emit, timeout) = record::check(&mut lowering, pattern, &sequence);
    let lookbacks = lowering.finish();
    let checked = Pattern::new(&name, stages.checked(), sequence);
    let checked = Pattern { from: read, key: keyed.keys, active, lookbacks, within, within_events, ..checked };
    let checked = Pattern { doc: pattern.doc.clone(), skip, keep, cooldown, emit, timeout, ..checked };
    // What was reported is not known, and not to be reasoned about; and in a loop that never begins no run stays.
    let is_said = |found: &Diagnostic| {
        found.severity == Severity::Error || *found.code == code::NEVER_HOLDS || *found.code == code::NEVER_TAKEN
    };
    if !world.found[known..].iter().any(is_said) {
        let odd = endless::check(pattern, &checked).into_iter().chain(branches::check(pattern, &checked, declared));
        odd.for_each(|diagnostic| world.report(declared.source, diagnostic));
    }
    Some(checked)
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
            world
                .report(source, diagnostic.label("said again").also(*first, "said here").help("leave one of them out"));
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
            let help = format!("declare it as `param {}: duration`", name.text);
            Err(Diagnostic::error(&code::NOT_A_DURATION, name.place, message).help(help))
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
    let targets = lowering.stages.list.iter().filter(|stage| !stage.negated && !stage.in_group);
    let mut targets = targets.map(|stage| stage.name.text.as_str()).peekable();
    let help = match targets.peek() {
        Some(_) => names::listed("one can skip to", targets),
        None => "`skip past last` drops all runs that started before the match ended".to_owned(),
    };
    lowering.report(diagnostic.help(help));
    None
}
