//! Tree to text, in one layout: one clause or relation a line.

use ensue_model::pattern::Relation;
use ensue_model::{Type, Value};

use crate::parse::is_name;
use crate::tree::{
    Clause, ClauseKind, Emission, Ending, EndingKind, Entry, Expr, ExprKind, Field, File, Group, GroupKind, Item, Keep,
    Let, MarkKind, ModifierKind, Name, Param, Pattern, Quantifier, QuantifierKind, Record, Sequence, Skip, Step,
    StepSpan, Stream, Table, Term, TypeName,
};
use ensue_model::expr::strength::{AND, COMPARISON, MINUS, NOT, OR, POSTFIX};

/// The text of a tree, in the one layout that the formatter writes. Reading it again gives an equal tree. Comments are not
/// in the tree and get lost, but for the `///` before an item.
///
/// ```
/// use ensue_lang::{Source, parse, print};
/// let (file, _) = parse(&Source::new("x.pattern", "begin a{2}where(v>1)and b next`next` within 90m"));
/// assert_eq!(print(&file), "begin a{2} where v > 1 and b\nnext `next`\nwithin 90m\n");
/// ```
pub fn print(file: &File) -> String {
    let mut text = String::new();
    let mut before: Option<&Item> = None;
    for item in &file.items {
        if before.is_some_and(|before| !(is_short(before) && is_short(item))) {
            text.push('\n');
        }
        text.push_str(&self::item(item));
        before = Some(item);
    }
    text
}

/// Params and lets stand line by line; what has several lines stands apart.
fn is_short(item: &Item) -> bool {
    match item {
        Item::Param(param) => param.doc.is_empty(),
        Item::Let(let_) => let_.doc.is_empty(),
        Item::Stream(_) | Item::Table(_) | Item::Pattern(_) => false,
    }
}

fn item(item: &Item) -> String {
    match item {
        Item::Stream(stream) => self::stream(stream),
        Item::Param(param) => self::param(param),
        Item::Let(let_) => self::let_(let_),
        Item::Table(table) => self::table(table),
        Item::Pattern(pattern) => self::pattern(pattern),
    }
}

fn stream(stream: &Stream) -> String {
    format!("{}stream {} {}\n", doc(&stream.doc), name(&stream.name), fields(&stream.fields))
}

fn param(param: &Param) -> String {
    let default = param.default.as_ref().map(|value| format!(" = {}", expr(value)));
    let (name, kind) = (name(&param.name), type_name(&param.kind));
    format!("{}param {name}: {kind}{}\n", doc(&param.doc), default.unwrap_or_default())
}

fn let_(let_: &Let) -> String {
    let parameters = let_.parameters.as_ref().map(|names| format!("({})", self::names(names)));
    let (name, value) = (name(&let_.name), expr(&let_.value));
    format!("{}let {name}{} = {value}\n", doc(&let_.doc), parameters.unwrap_or_default())
}

fn table(table: &Table) -> String {
    let (doc, name, key) = (doc(&table.doc), name(&table.name), label(&table.key));
    format!("{doc}table {name} key {key} {}\n", fields(&table.fields))
}

fn doc(doc: &str) -> String {
    let line = |line: &str| if line.is_empty() { "///\n".to_owned() } else { format!("/// {line}\n") };
    doc.split('\n').filter(|_| !doc.is_empty()).map(line).collect()
}

fn fields(fields: &[Field]) -> String {
    let lines: String = fields.iter().map(|field| format!("  {}\n", self::field(field))).collect();
    format!("{{\n{lines}}}")
}

fn field(field: &Field) -> String {
    let marks = field.marks.iter().map(|mark| match mark.kind {
        MarkKind::Time => " @time",
        MarkKind::Key => " @key",
        MarkKind::Type => " @type",
    });
    format!("{}: {}{}", label(&field.name), type_name(&field.kind), marks.collect::<String>())
}

fn type_name(kind: &TypeName) -> String {
    let kind_text: &Type = &kind.kind;
    format!("{kind_text}{}", if kind.nullable { "?" } else { "" })
}

fn pattern(pattern: &Pattern) -> String {
    let mut lines: Vec<String> = pattern.name.iter().map(|name| format!("pattern {}", self::name(name))).collect();
    lines.extend(pattern.clauses.iter().map(clause));
    for (index, step) in pattern.sequence.steps.iter().enumerate() {
        let word = if index == 0 { "begin" } else { relation(step.relation) };
        lines.push(format!("{word} {}", self::step(step)));
    }
    lines.extend(pattern.endings.iter().map(ending));
    format!("{}{}\n", doc(&pattern.doc), lines.join("\n"))
}

fn clause(clause: &Clause) -> String {
    match &clause.kind {
        ClauseKind::From(streams) => format!("from {}", names(streams)),
        ClauseKind::Key(parts) => format!("key {}", exprs(parts)),
        ClauseKind::KeyMap(entries) => format!("key {{ {} }}", self::entries(entries)),
        ClauseKind::Active { from, until } => {
            let moment =
                |word: &str, moment: &Option<Expr>| moment.as_ref().map(|moment| format!(" {word} {}", expr(moment)));
            let (from, until) = (moment("from", from), moment("until", until));
            format!("active{}{}", from.unwrap_or_default(), until.unwrap_or_default())
        }
    }
}

fn ending(ending: &Ending) -> String {
    match &ending.kind {
        EndingKind::Within(span) => format!("within {}", expr(span)),
        EndingKind::WithinEvents(count) => format!("within {} events", count.text),
        EndingKind::Skip(skip) => format!("skip {}", self::skip(skip)),
        EndingKind::Keep(Keep::All) => "keep all".into(),
        EndingKind::Keep(Keep::Latest) => "keep latest".into(),
        EndingKind::Keep(Keep::First) => "keep first".into(),
        EndingKind::Cooldown(span) => format!("cooldown {}", expr(span)),
        EndingKind::Emit(emission) => format!("emit {}", self::emission(emission)),
        EndingKind::Timeout(emission) => format!("timeout {}", self::emission(emission)),
    }
}

fn skip(skip: &Skip) -> String {
    match skip {
        Skip::None => "none".into(),
        Skip::ToNext => "to next".into(),
        Skip::PastLast => "past last".into(),
        Skip::ToFirst(stage) => format!("to first {}", name(stage)),
        Skip::ToLast(stage) => format!("to last {}", name(stage)),
    }
}

fn emission(emission: &Emission) -> String {
    match emission {
        Emission::None => "none".into(),
        Emission::Record(record, None) => self::record(record),
        Emission::Record(record, Some(condition)) => format!("{} where {}", self::record(record), expr(condition)),
    }
}

fn record(record: &Record) -> String {
    let name = record.name.as_ref().map(|name| format!("{} ", self::name(name))).unwrap_or_default();
    match record.entries.is_empty() {
        true => format!("{name}{{}}"),
        false => format!("{name}{{ {} }}", entries(&record.entries)),
    }
}

fn entries(entries: &[Entry]) -> String {
    join(entries, |entry| format!("{}: {}", label(&entry.name), expr(&entry.value)))
}

/// A sequence inside a group: on one line, without `begin`.
fn sequence(sequence: &Sequence) -> String {
    let mut text = String::new();
    for (index, step) in sequence.steps.iter().enumerate() {
        if index > 0 {
            text.push_str(&format!(" {} ", relation(step.relation)));
        }
        text.push_str(&self::step(step));
    }
    text
}

fn step_span(span: &StepSpan) -> String {
    match span {
        StepSpan::Time(span) => expr(span),
        StepSpan::Events(count) => format!("{} events", count.text),
    }
}

fn relation(relation: Relation) -> &'static str {
    match relation {
        Relation::Next => "next",
        Relation::FollowedBy => "followedBy",
        Relation::FollowedByAny => "followedByAny",
        Relation::NotNext => "notNext",
        Relation::NotFollowedBy => "notFollowedBy",
    }
}

fn step(step: &Step) -> String {
    let mut text = match &step.term {
        Term::Stage(stage) => {
            let stream = stage.stream.as_ref().map(|stream| format!(": {}", name(stream)));
            format!("{}{}", name(&stage.name), stream.unwrap_or_default())
        }
        Term::Group(group) => self::group(group),
    };
    text.extend(step.quantifier.iter().map(quantifier));
    text.extend(step.modifiers.iter().map(|modifier| format!(" {}", modifier_word(modifier.kind))));
    text.extend(step.condition.iter().map(|condition| format!(" where {}", expr(condition))));
    text.extend(step.until.iter().map(|until| format!(" until {}", expr(until))));
    text.extend(
        step.within.iter().map(|within| format!(" within {} of {}", step_span(&within.span), name(&within.anchor))),
    );
    text
}

fn group(group: &Group) -> String {
    let any_of = group.any_of.as_ref().map(|count| format!("any {} of ", count.text)).unwrap_or_default();
    let between = match group.kind {
        GroupKind::Sequence => "",
        GroupKind::Alternatives => " | ",
        GroupKind::AnyOrder => " & ",
    };
    let parts: Vec<String> = group.parts.iter().map(sequence).collect();
    format!("{any_of}({})", parts.join(between))
}

fn quantifier(quantifier: &Quantifier) -> String {
    match &quantifier.kind {
        QuantifierKind::Optional => "?".into(),
        QuantifierKind::OneOrMore => "+".into(),
        QuantifierKind::Any => "*".into(),
        QuantifierKind::Times(count) => format!("{{{}}}", count.text),
        QuantifierKind::AtLeast(min) => format!("{{{},}}", min.text),
        QuantifierKind::Between(min, max) => format!("{{{},{}}}", min.text, max.text),
    }
}

/// A modifier as it is written.
pub(crate) fn modifier_word(kind: ModifierKind) -> &'static str {
    match kind {
        ModifierKind::Optional => "optional",
        ModifierKind::Greedy => "greedy",
        ModifierKind::Consecutive => "consecutive",
        ModifierKind::Combinations => "combinations",
    }
}

fn join<T>(items: &[T], shown: impl Fn(&T) -> String) -> String {
    items.iter().map(shown).collect::<Vec<_>>().join(", ")
}

fn names(names: &[Name]) -> String {
    join(names, name)
}

/// A name where words of the language have a meaning.
fn name(name: &Name) -> String {
    if is_name(&name.text) { name.text.clone() } else { format!("`{}`", name.text) }
}

/// A name where every word is one: behind a dot, before a colon.
fn label(name: &Name) -> String {
    let mut chars = name.text.chars();
    let starts = chars.next().is_some_and(|char| char == '_' || is_name(char.encode_utf8(&mut [0; 4])));
    // With a letter before it, no word is reserved.
    let is_word = starts && is_name(&format!("x{}", name.text));
    if is_word { name.text.clone() } else { format!("`{}`", name.text) }
}

fn exprs(items: &[Expr]) -> String {
    join(items, expr)
}

fn expr(expr: &Expr) -> String {
    match &expr.kind {
        ExprKind::Null => "null".into(),
        ExprKind::Bool(value) => value.to_string(),
        ExprKind::Int(text) | ExprKind::Float(text) | ExprKind::Duration(text) => text.clone(),
        ExprKind::Time(text) => format!("@{text}"),
        ExprKind::Text(text) => Value::from(text.as_str()).to_string(),
        ExprKind::List(items) => format!("[{}]", exprs(items)),
        ExprKind::Name(name) => self::name(name),
        ExprKind::Member(base, field) => format!("{}.{}", operand(base, POSTFIX), label(field)),
        ExprKind::Index(base, index) => format!("{}[{}]", operand(base, POSTFIX), self::expr(index)),
        ExprKind::Call(name, arguments) => format!("{}({})", self::name(name), exprs(arguments)),
        ExprKind::Not(inner) => format!("not {}", operand(inner, NOT)),
        ExprKind::Negate(inner) => format!("-{}", operand(inner, MINUS)),
        ExprKind::And(operands) => chain(operands, " and ", AND + 1),
        ExprKind::Or(operands) => chain(operands, " or ", OR + 1),
        ExprKind::Binary(operator, left, right) => {
            let strength = operator.strength();
            // Comparisons do not chain; the others associate to the left.
            let left = operand(left, if strength == COMPARISON { COMPARISON + 1 } else { strength });
            format!("{left} {} {}", operator.symbol(), operand(right, strength + 1))
        }
        ExprKind::Between(value, low, high) => {
            format!("{} between {} and {}", compared(value), compared(low), compared(high))
        }
        ExprKind::In(value, list) => format!("{} in {}", compared(value), compared(list)),
        ExprKind::Like(value, text) => format!("{} like {}", compared(value), compared(text)),
        ExprKind::Matches(value, text) => format!("{} matches {}", compared(value), compared(text)),
        ExprKind::IsNull(inner) => format!("{} is null", compared(inner)),
        ExprKind::IsNotNull(inner) => format!("{} is not null", compared(inner)),
        ExprKind::If(condition, then, other) => {
            format!("if {} then {} else {}", self::expr(condition), self::expr(then), self::expr(other))
        }
    }
}

fn chain(operands: &[Expr], between: &str, needed: u8) -> String {
    operands.iter().map(|operand| self::operand(operand, needed)).collect::<Vec<_>>().join(between)
}

fn compared(expr: &Expr) -> String {
    operand(expr, COMPARISON + 1)
}

/// In parentheses where it binds less strongly than its place needs.
fn operand(expr: &Expr, needed: u8) -> String {
    let text = self::expr(expr);
    if binds(expr) < needed { format!("({text})") } else { text }
}

/// How strongly an expression holds together.
fn binds(expr: &Expr) -> u8 {
    match &expr.kind {
        // Its `else` takes in all that follows.
        ExprKind::If(..) => 0,
        ExprKind::Or(_) => OR,
        ExprKind::And(_) => AND,
        ExprKind::Not(_) => NOT,
        ExprKind::Between(..) | ExprKind::In(..) | ExprKind::Like(..) | ExprKind::Matches(..) => COMPARISON,
        ExprKind::IsNull(_) | ExprKind::IsNotNull(_) => COMPARISON,
        ExprKind::Binary(operator, ..) => operator.strength(),
        ExprKind::Negate(_) => MINUS,
        ExprKind::Member(..) | ExprKind::Index(..) => POSTFIX,
        ExprKind::Null | ExprKind::Bool(_) | ExprKind::Int(_) | ExprKind::Float(_) | ExprKind::Duration(_) => u8::MAX,
        ExprKind::Time(_) | ExprKind::Text(_) | ExprKind::List(_) | ExprKind::Name(_) | ExprKind::Call(..) => u8::MAX,
    }
}
