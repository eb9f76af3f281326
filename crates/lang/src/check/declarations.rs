//! What a file declares beside patterns and streams: parameters with their values, lets, tables.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};

use ensue_model::{Type, Value};

use super::world::World;
use super::{constant, names};
use crate::code;
use crate::diagnostic::Diagnostic;
use crate::literal;
use crate::parse::parse_literal;
use crate::tree::{Expr, ExprKind, File, Item, Let, Name, Param};

/// The most lets that are shown of a circle.
const WAY_SHOWN_MAX: usize = 6;

/// The most parameters that a let can have.
const LET_PARAMETERS_MAX: usize = 64;

/// What a file declares, by name. A file sees its own.
pub(super) struct Declarations<'a> {
    pub(super) source: usize,
    pub(super) lets: BTreeMap<&'a str, &'a Let>,
    /// Lets that cannot be put in: they need themselves, or are too large. It has been reported.
    pub(super) unusable: HashSet<&'a str>,
    pub(super) parameters: BTreeMap<&'a str, Parameter>,
}

/// A parameter with its value; none where the value is wrong, which has been reported.
pub(super) struct Parameter {
    pub(super) kind: Type,
    pub(super) value: Option<Value<'static>>,
}

pub(super) fn collect<'a>(world: &mut World<'_>, source: usize, file: &'a File) -> Declarations<'a> {
    let mut declared =
        Declarations { source, lets: BTreeMap::new(), unusable: HashSet::new(), parameters: BTreeMap::new() };
    let mut given: HashMap<&str, (&Name, &Item)> = HashMap::new();
    for item in &file.items {
        let name = match item {
            Item::Param(param) => &param.name,
            Item::Let(let_) => &let_.name,
            Item::Table(table) => &table.name,
            Item::Stream(_) | Item::Pattern(_) => continue,
        };
        match given.get(name.text.as_str()) {
            // Tables are known to all files, and what is wrong among them has been reported.
            Some((_, Item::Table(_))) if matches!(item, Item::Table(_)) => {}
            Some((first, _)) => world.report(source, names::twice("declaration", name, first.place)),
            None => {
                given.insert(&name.text, (name, item));
                declare(world, &mut declared, item);
            }
        }
    }
    find_recursion(world, &mut declared, file);
    declared
}

fn declare<'a>(world: &mut World<'_>, declared: &mut Declarations<'a>, item: &'a Item) {
    match item {
        Item::Param(param) => {
            let parameter = parameter(world, declared.source, param);
            declared.parameters.insert(&param.name.text, parameter);
        }
        Item::Let(let_) => {
            if !check_let_parameters(world, declared.source, let_) {
                declared.unusable.insert(&let_.name.text);
            }
            declared.lets.insert(&let_.name.text, let_);
        }
        Item::Table(_) | Item::Stream(_) | Item::Pattern(_) => {}
    }
}

/// Whether the let can be put in.
fn check_let_parameters(world: &mut World<'_>, source: usize, let_: &Let) -> bool {
    let parameters = let_.parameters.as_deref().unwrap_or_default();
    if let Some(too_many) = parameters.get(LET_PARAMETERS_MAX) {
        let (name, count) = (&let_.name.text, parameters.len());
        let message = format!("`{name}` has {count} parameters, the limit is {LET_PARAMETERS_MAX}");
        world.report(source, Diagnostic::error(&code::TOO_LARGE, too_many.place, message));
        return false;
    }
    for (index, parameter) in parameters.iter().enumerate() {
        if let Some(first) = parameters[..index].iter().find(|first| first.text == parameter.text) {
            world.report(source, names::twice("parameter", parameter, first.place));
        }
    }
    true
}

/// The caller's value, else the default.
fn parameter(world: &mut World<'_>, source: usize, param: &Param) -> Parameter {
    let kind = &param.kind.kind;
    let default = param.default.as_ref().map(|default| constant::of_type(default, kind, param.kind.nullable));
    let default = match default {
        Some(Err(diagnostic)) => {
            world.report(source, diagnostic.also(param.kind.place, "declared here"));
            None
        }
        Some(Ok(value)) => Some(value),
        None => None,
    };
    let options = world.options;
    let set = options.parameters.iter().rev().find(|(name, _)| *name == param.name.text);
    let value = match set {
        Some((_, text)) => caller_value(world, source, param, text),
        None => {
            if param.default.is_none() {
                world.report(source, no_value(param));
            }
            default
        }
    };
    Parameter { kind: kind.clone(), value }
}

fn no_value(param: &Param) -> Diagnostic {
    let name = &param.name.text;
    Diagnostic::error(&code::PARAMETER_VALUE, param.name.place, format!("parameter `{name}` has no value"))
        .help(format!("set it where the pattern is run, or give a default: `param {name}: {} = ..`", param.kind.kind))
}

fn caller_value(world: &mut World<'_>, source: usize, param: &Param, text: &str) -> Option<Value<'static>> {
    let kind = &param.kind.kind;
    let value = literal_of(text, kind).and_then(|expr| constant::of_type(&expr, kind, param.kind.nullable).ok());
    if value.is_none() {
        let message = format!("parameter `{}` is {kind}, and `{text}` is not", param.name.text);
        let diagnostic = Diagnostic::error(&code::PARAMETER_VALUE, param.kind.place, message);
        world.report(source, diagnostic.label("declared here"));
    }
    value
}

/// What a caller's text is as a literal. Text needs no quotes there, and a time no `@`: a shell's user writes neither.
fn literal_of(text: &str, kind: &Type) -> Option<Expr> {
    let bare = |kind: ExprKind| Some(Expr { kind, place: Default::default() });
    match kind {
        Type::String if !text.starts_with('"') => bare(ExprKind::Text(text.to_owned())),
        Type::Timestamp if literal::time(text).is_some() => bare(ExprKind::Time(text.to_owned())),
        _ => parse_literal(text),
    }
}

/// A value for a parameter that no file declares was meant for another.
pub(super) fn check_caller_parameters(world: &mut World<'_>, files: &[File]) {
    let declared = files.iter().flat_map(|file| &file.items).filter_map(|item| match item {
        Item::Param(param) => Some(param.name.text.as_str()),
        _ => None,
    });
    let declared: Vec<&str> = declared.collect();
    let options = world.options;
    for (name, _) in options.parameters.iter().filter(|(name, _)| !declared.contains(&name.as_str())) {
        let message = format!("there is no parameter `{name}`");
        let help = match declared.is_empty() {
            true => "no parameter is declared".to_owned(),
            false => names::meant(name, declared.iter().copied())
                .unwrap_or_else(|| names::listed("the parameters are", declared.iter().copied())),
        };
        world.report(0, Diagnostic::of_caller(&code::UNKNOWN_PARAMETER, message).help(help));
    }
}

/// Reports each circle of lets once, at the let that comes first in the text.
fn find_recursion<'a>(world: &mut World<'_>, declared: &mut Declarations<'a>, file: &'a File) {
    let needs: Needs<'_> = declared.lets.iter().map(|(name, let_)| (*name, needed_by(&declared.lets, let_))).collect();
    let circular = circular(&needs);
    for item in &file.items {
        let Item::Let(let_) = item else { continue };
        let name = let_.name.text.as_str();
        if !circular.contains(name) || declared.unusable.contains(name) {
            continue;
        }
        let mut open = vec![name];
        while let Some(next) = open.pop() {
            if declared.unusable.insert(next) {
                open.extend(needs[next].iter().filter(|other| circular.contains(*other)));
            }
        }
        let message = format!("`{name}` needs itself{}", by_way_of(&circle(&needs, name)));
        let diagnostic = Diagnostic::error(&code::RECURSIVE_LET, let_.name.place, message);
        let help = "a let is replaced by its value wherever it is named, and this would never end";
        world.report(declared.source, diagnostic.help(help));
    }
}

/// The lets between a let on a circle and itself, the shortest way.
fn circle<'a>(needs: &Needs<'a>, name: &'a str) -> Vec<&'a str> {
    let mut needed_by: HashMap<&str, &str> = HashMap::new();
    let mut open = VecDeque::from([name]);
    while let Some(next) = open.pop_front().filter(|_| !needed_by.contains_key(name)) {
        for other in &needs[next] {
            if !needed_by.contains_key(other) {
                needed_by.insert(other, next);
                open.push_back(other);
            }
        }
    }
    let way = std::iter::successors(needed_by.get(name), |at| needed_by.get(*at));
    let mut way: Vec<&str> = way.take_while(|at| **at != name).copied().collect();
    way.reverse();
    way
}

/// ", by way of `b` and `c`"
fn by_way_of(way: &[&str]) -> String {
    let shown: Vec<String> = way.iter().take(WAY_SHOWN_MAX).map(|name| format!("`{name}`")).collect();
    match shown.split_last() {
        None => String::new(),
        Some((last, [])) => format!(", by way of {last}"),
        Some(_) if way.len() > WAY_SHOWN_MAX => format!(", by way of {}, ..", shown.join(", ")),
        Some((last, first)) => format!(", by way of {} and {last}", first.join(", ")),
    }
}

/// The lets on circles, and between two circles: what is left when those that need none of the others are taken away, and
/// those that none of the others needs.
fn circular<'a>(needs: &Needs<'a>) -> HashSet<&'a str> {
    let ends_in_circle = unsettled(needs);
    let mut needed_by = Needs::new();
    for name in &ends_in_circle {
        needed_by.entry(name).or_default();
        for other in needs[name].iter().filter(|other| ends_in_circle.contains(*other)) {
            needed_by.entry(other).or_default().push(name);
        }
    }
    unsettled(&needed_by)
}

/// What needs what, each once.
type Needs<'a> = HashMap<&'a str, Vec<&'a str>>;

/// What is left when all that needs none of the others is taken away, again and again.
fn unsettled<'a>(needs: &Needs<'a>) -> HashSet<&'a str> {
    let mut open_needs: HashMap<&str, usize> = needs.iter().map(|(name, needed)| (*name, needed.len())).collect();
    let mut needed_by = Needs::new();
    for (name, needed) in needs {
        needed.iter().for_each(|other| needed_by.entry(other).or_default().push(name));
    }
    let mut settled: Vec<&str> = open_needs.iter().filter(|(_, count)| **count == 0).map(|(name, _)| *name).collect();
    while let Some(name) = settled.pop() {
        open_needs.remove(name);
        for other in needed_by.get(name).into_iter().flatten() {
            let count = open_needs.get_mut(other).expect("what needs an unsettled let is unsettled");
            *count -= 1;
            if *count == 0 {
                settled.push(other);
            }
        }
    }
    open_needs.into_keys().collect()
}

/// The lets that a let names, each once, in the order of the text.
fn needed_by<'a>(lets: &BTreeMap<&'a str, &'a Let>, let_: &'a Let) -> Vec<&'a str> {
    let parameters = let_.parameters.as_deref().unwrap_or_default();
    let (mut needed, mut seen) = (Vec::new(), HashSet::new());
    let_.value.names(&mut |name| {
        let is_parameter = parameters.iter().any(|parameter| parameter.text == name.text);
        let known = lets.get_key_value(name.text.as_str()).filter(|_| !is_parameter);
        needed.extend(known.map(|(name, _)| *name).filter(|name| seen.insert(*name)));
    });
    needed
}
