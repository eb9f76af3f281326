//! Tree to text. What can stand on a line, and where lines break, is said here for each part of the language; `layout`
//! breaks them. The formatter prints the same way, and puts in between what the tree does not hold (`format.rs`).

mod layout;

use std::collections::HashSet;

use ensue_model::expr::strength::{AND, COMPARISON, MINUS, NOT, OR, POSTFIX};
use ensue_model::pattern::Relation;
use ensue_model::{Type, Value};

use self::layout::{Base, Beside, Group, INDENT, Lines, Style, WIDTH_MAX, When, lay_out, width};
pub(crate) use self::layout::{Break, Edge, OwnLine, Piece, Word, WordKind};
use crate::parse::is_name;
use crate::tree::{
    Clause, ClauseKind, Emission, Ending, EndingKind, Entry, Expr, ExprKind, Field, File, Group as Parts, GroupKind,
    Item, Keep, Let, MarkKind, ModifierKind, Name, Param, Pattern, Place, Quantifier, QuantifierKind, Record, Sequence,
    Skip, Step, StepSpan, Stream, Table, Term, TypeName,
};

/// The text of a tree, in the layout that [`format`](crate::format) writes, with each step on a line of its own. Reading it
/// again gives an equal tree. Comments are not in the tree and get lost, but for the `///` before an item.
///
/// ```
/// use ensue_lang::{Source, parse, print};
/// let (file, _) = parse(&Source::new("x.pattern", "begin a{2}where(v>1)and b next`next` within 90m"));
/// assert_eq!(print(&file), "begin a{2} where v > 1 and b\nnext `next`\nwithin 90m\n");
/// ```
pub fn print(file: &File) -> String {
    let mut sections = sections(file, &Parentheses::new());
    for (section, item) in sections.iter_mut().zip(&file.items) {
        section.above.own = doc_lines(doc(item));
    }
    join(sections)
}

/// The places of expressions that stand in parentheses, which stay where the author put some that are not needed.
pub(crate) type Parentheses = HashSet<(usize, usize)>;

/// An item, and what stands above it.
pub(crate) struct Section {
    /// Where it begins: comments above it are its own lines.
    pub(crate) above: Break,
    /// The item; nothing at the end of the file.
    pub(crate) pieces: Vec<Piece>,
}

/// The items of a file, one by one, and its end.
pub(crate) fn sections(file: &File, parentheses: &Parentheses) -> Vec<Section> {
    let section = |pieces| Section { above: Break::new(0, Edge::Between), pieces };
    let items = file.items.iter().map(|item| {
        let mut printer = Printer { pieces: Vec::new(), parentheses, called: 0 };
        printer.item(item);
        section(printer.pieces)
    });
    items.chain([section(Vec::new())]).collect()
}

/// The text of sections: what has several lines stands apart, and lines that are alike have columns.
pub(crate) fn join(sections: Vec<Section>) -> String {
    let mut laid_out: Vec<(Break, Lines)> =
        sections.into_iter().map(|section| (section.above, lay_out(section.pieces))).collect();
    laid_out.chunk_by_mut(|(_, line), (above, next)| above.is_nothing() && are_alike(line, next)).for_each(widen);
    let mut lines = Lines::default();
    let mut was_long = false;
    for (above, item) in laid_out {
        let (is_long, is_end) = (item.text.contains('\n'), item.text.is_empty());
        let mut parts = !above.is_apart() && !is_end && (is_long || was_long);
        for line in &above.own {
            if line.empty_line || std::mem::take(&mut parts) {
                lines.empty_line();
            }
            lines.newline();
            lines.text.push_str(&line.text);
        }
        if !is_end && (above.empty_line || parts) {
            lines.empty_line();
        }
        lines.newline();
        lines.append(item);
        was_long = is_long;
    }
    lines.newline();
    lines.finish()
}

/// Whether two items are one line each, of the same kind.
fn are_alike(one: &Lines, other: &Lines) -> bool {
    let word = |lines: &Lines| lines.text.split(' ').next().map(str::to_owned);
    let is_line = |lines: &Lines| !lines.text.contains('\n');
    is_line(one) && is_line(other) && one.columns().len() == other.columns().len() && word(one) == word(other)
}

/// Makes the columns of lines as wide as the widest, unless that makes a line too long.
fn widen(items: &mut [(Break, Lines)]) {
    let columns: Vec<Vec<usize>> = items.iter().map(|(_, line)| line.columns()).collect();
    let count = columns.first().map_or(0, Vec::len);
    let widest = |column: usize| columns.iter().map(|widths| widths[column]).max().unwrap_or_default();
    let widths: Vec<usize> = (0..count).map(widest).collect();
    let whole = |(line, columns): (&(Break, Lines), &Vec<usize>)| {
        line.1.width() + widths.iter().sum::<usize>() - columns.iter().sum::<usize>()
    };
    if items.iter().zip(&columns).map(whole).all(|width| width <= WIDTH_MAX) {
        items.iter_mut().for_each(|(_, line)| line.widen(&widths));
    }
}

fn doc(item: &Item) -> &str {
    match item {
        Item::Stream(stream) => &stream.doc,
        Item::Param(param) => &param.doc,
        Item::Let(let_) => &let_.doc,
        Item::Table(table) => &table.doc,
        Item::Pattern(pattern) => &pattern.doc,
    }
}

fn doc_lines(doc: &str) -> Vec<OwnLine> {
    let line = |(index, line)| OwnLine { empty_line: index == 0, text: format!("/// {line}").trim_end().to_owned() };
    doc.split('\n').filter(|_| !doc.is_empty()).enumerate().map(line).collect()
}

/// On one line unless it is too long.
const FIT: Style = Style::Fit;

/// On one line if its author wrote it so, and where there is none.
const COMPACT: Style = Style::AsWritten { one_line: true };

/// On one line if its author wrote it so, and only then.
const SPREAD: Style = Style::AsWritten { one_line: false };

/// Writes one item down as pieces.
struct Printer<'p> {
    pieces: Vec<Piece>,
    parentheses: &'p Parentheses,
    /// How many groups have been given a number.
    called: usize,
}

impl Printer<'_> {
    fn item(&mut self, item: &Item) {
        match item {
            Item::Stream(stream) => self.stream(stream),
            Item::Param(param) => self.param(param),
            Item::Let(let_) => self.let_(let_),
            Item::Table(table) => self.table(table),
            Item::Pattern(pattern) => self.pattern(pattern),
        }
    }

    // ── pieces ──

    fn word(&mut self, word: impl Into<String>) {
        self.pieces.push(Piece::word(word));
    }

    /// Words with blanks between them.
    fn words(&mut self, words: &[&str]) {
        for (index, word) in words.iter().enumerate() {
            if index > 0 {
                self.space();
            }
            self.word(*word);
        }
    }

    fn space(&mut self) {
        self.pieces.push(Piece::Space);
    }

    /// What stands up to here has the same width in lines below each other.
    fn column(&mut self) {
        self.pieces.push(Piece::Column);
    }

    fn comma(&mut self) {
        self.pieces.push(Piece::Comma(When::Always));
    }

    /// A line may break here; if it does, the next one is so much further to the right.
    fn line(&mut self, indent: usize) {
        self.pieces.push(Piece::Break(Break::new(indent, Edge::Inner)));
    }

    /// As `line`, between two things that stand for themselves.
    fn between(&mut self, indent: usize) {
        self.pieces.push(Piece::Break(Break::new(indent, Edge::Between)));
    }

    fn group(&mut self, style: Style, base: Base, inside: impl FnOnce(&mut Self)) {
        self.pieces.push(Piece::Open(Group::new(style, base)));
        inside(self);
        self.pieces.push(Piece::Close);
    }

    /// A name where words of the language have a meaning.
    fn name(&mut self, name: &Name) {
        self.named(name_text(name));
    }

    /// A name where every word is one: behind a dot, before a colon.
    fn label(&mut self, name: &Name) {
        self.named(label_text(name));
    }

    fn named(&mut self, text: String) {
        self.pieces.push(Piece::Word(Word { text, kind: WordKind::Name }));
    }

    fn names(&mut self, names: &[Name]) {
        self.separated(names, Break::new(INDENT, Edge::Inner), |printer, name| printer.name(name));
    }

    /// With commas between.
    fn separated<T>(&mut self, items: &[T], at: Break, shown: impl Fn(&mut Self, &T)) {
        for (index, item) in items.iter().enumerate() {
            if index > 0 {
                self.comma();
                self.pieces.push(Piece::Break(at.clone()));
            }
            shown(self, item);
        }
    }

    // ── declarations ──

    fn stream(&mut self, stream: &Stream) {
        self.word("stream");
        self.space();
        self.name(&stream.name);
        self.column();
        self.space();
        self.fields(&stream.fields);
    }

    fn table(&mut self, table: &Table) {
        self.word("table");
        self.space();
        self.name(&table.name);
        self.column();
        self.space();
        self.word("key");
        self.space();
        self.label(&table.key);
        self.column();
        self.space();
        self.fields(&table.fields);
    }

    fn param(&mut self, param: &Param) {
        self.group(FIT, Base::Same, |printer| {
            printer.word("param");
            printer.space();
            printer.name(&param.name);
            printer.word(":");
            printer.space();
            printer.type_name(&param.kind);
            param.default.iter().for_each(|value| printer.assigned(value));
        });
    }

    fn let_(&mut self, let_: &Let) {
        self.group(FIT, Base::Same, |printer| {
            printer.word("let");
            printer.space();
            printer.name(&let_.name);
            if let Some(parameters) = &let_.parameters {
                printer.word("(");
                printer.names(parameters);
                printer.word(")");
            }
            printer.assigned(&let_.value);
        });
    }

    fn assigned(&mut self, value: &Expr) {
        self.space();
        self.word("=");
        self.line(INDENT);
        self.group(FIT, Base::Here, |printer| printer.expr(value));
    }

    fn fields(&mut self, fields: &[Field]) {
        let label = fields.iter().map(|field| width(&label_text(&field.name))).max().unwrap_or_default();
        let marked = fields.iter().filter(|field| !field.marks.is_empty());
        let kind = marked.map(|field| width(&type_text(&field.kind))).max().unwrap_or_default();
        self.braces(SPREAD, fields, When::OneLine, |printer, field| {
            printer.label(&field.name);
            printer.word(":");
            printer.pad(label, width(&label_text(&field.name)));
            printer.type_name(&field.kind);
            for (index, mark) in field.marks.iter().enumerate() {
                match index {
                    0 => printer.pad(kind, width(&type_text(&field.kind))),
                    _ => printer.space(),
                }
                printer.word(mark_text(mark.kind));
            }
        });
    }

    /// Blanks up to the column behind the widest.
    fn pad(&mut self, widest: usize, width: usize) {
        self.pieces.push(Piece::Pad(1 + widest.saturating_sub(width)));
    }

    /// A list in braces, of which each thing has a line if it has not one line in all.
    fn braces<T>(&mut self, style: Style, items: &[T], comma: When, shown: impl Fn(&mut Self, &T)) {
        let called = self.called;
        self.called += 1;
        self.pieces.push(Piece::Open(Group::called(called, style)));
        self.word("{");
        for (index, item) in items.iter().enumerate() {
            let edge = if index == 0 { Edge::Opening } else { Edge::Between };
            self.pieces.push(Piece::Break(Break::new(INDENT, edge)));
            shown(self, item);
            let is_last = index + 1 == items.len();
            match comma {
                When::OneLine if is_last => {}
                When::OneLine => self.pieces.push(Piece::Comma(When::OneLine)),
                _ => self.pieces.push(Piece::Comma(if is_last { When::Broken } else { When::Always })),
            }
        }
        let closing = Break { blank: !items.is_empty(), ..Break::new(0, Edge::Closing) };
        self.pieces.push(Piece::Break(closing));
        self.word("}");
        self.pieces.push(Piece::Close);
    }

    fn type_name(&mut self, kind: &TypeName) {
        self.kind(&kind.kind);
        if kind.nullable {
            self.word("?");
        }
    }

    fn kind(&mut self, kind: &Type) {
        match kind {
            Type::List(item) => {
                self.word("list");
                self.word("<");
                self.kind(item);
                self.word(">");
            }
            plain => self.word(plain.to_string()),
        }
    }

    // ── patterns ──

    fn pattern(&mut self, pattern: &Pattern) {
        self.group(SPREAD, Base::Same, |printer| {
            if let Some(name) = &pattern.name {
                printer.header(name, &pattern.clauses);
                printer.between(0);
            }
            printer.group(SPREAD, Base::Same, |printer| {
                printer.steps(&pattern.sequence);
                printer.endings(&pattern.endings);
            });
        });
    }

    fn header(&mut self, name: &Name, clauses: &[Clause]) {
        self.group(SPREAD, Base::Same, |printer| {
            printer.word("pattern");
            printer.space();
            printer.name(name);
            printer.column();
            for clause in clauses {
                printer.between(0);
                printer.clause(clause);
            }
        });
    }

    fn clause(&mut self, clause: &Clause) {
        match &clause.kind {
            ClauseKind::From(streams) => self.list_clause("from", |printer| printer.names(streams)),
            ClauseKind::Key(parts) => self.list_clause("key", |printer| {
                let at = Break::new(INDENT, Edge::Inner);
                printer
                    .separated(parts, at, |printer, part| printer.group(FIT, Base::Here, |printer| printer.expr(part)));
            }),
            ClauseKind::KeyMap(entries) => {
                self.word("key");
                self.space();
                self.entries(entries);
            }
            ClauseKind::Active { from, until } => {
                self.word("active");
                for (word, moment) in [("from", from), ("until", until)] {
                    let Some(moment) = moment else { continue };
                    self.space();
                    self.word(word);
                    self.space();
                    self.expr(moment);
                }
            }
        }
    }

    fn list_clause(&mut self, word: &str, list: impl FnOnce(&mut Self)) {
        self.group(FIT, Base::Same, |printer| {
            printer.word(word);
            printer.space();
            list(printer);
        });
    }

    /// The steps of a pattern, each on a line.
    fn steps(&mut self, sequence: &Sequence) {
        self.group(SPREAD, Base::Same, |printer| {
            for (index, step) in sequence.steps.iter().enumerate() {
                match index {
                    0 => printer.word("begin"),
                    _ => {
                        printer.between(0);
                        printer.word(relation(step.relation));
                    }
                }
                printer.space();
                printer.step(step);
            }
        });
    }

    /// A sequence inside a group, without `begin`.
    fn inner_steps(&mut self, sequence: &Sequence, style: Style, base: Base) {
        self.group(style, base, |printer| {
            for (index, step) in sequence.steps.iter().enumerate() {
                if index > 0 {
                    printer.between(0);
                    printer.word(relation(step.relation));
                    printer.space();
                }
                printer.step(step);
            }
        });
    }

    fn step(&mut self, step: &Step) {
        self.term(&step.term);
        step.quantifier.iter().for_each(|quantifier| self.quantifier(quantifier));
        for modifier in &step.modifiers {
            self.space();
            self.word(modifier_word(modifier.kind));
        }
        // Apart from the term: a group of several lines does not break what stands behind it.
        self.group(FIT, Base::Same, |printer| printer.step_clauses(step));
    }

    fn step_clauses(&mut self, step: &Step) {
        if let Some(condition) = &step.condition {
            self.space();
            self.condition("where", condition);
        }
        if let Some(until) = &step.until {
            self.line(INDENT);
            self.condition("until", until);
        }
        if let Some(within) = &step.within {
            self.line(INDENT);
            self.word("within");
            self.space();
            self.step_span(&within.span);
            self.space();
            self.word("of");
            self.space();
            self.name(&within.anchor);
        }
    }

    fn condition(&mut self, word: &str, condition: &Expr) {
        self.word(word);
        self.space();
        self.group(FIT, Base::In(INDENT), |printer| match printer.chained(condition) {
            Some((operands, word, needed)) => printer.chain(operands, word, needed, Base::Same),
            None => printer.expr(condition),
        });
    }

    fn step_span(&mut self, span: &StepSpan) {
        match span {
            StepSpan::Time(span) => self.expr(span),
            StepSpan::Events(count) => self.words(&[&count.text, "events"]),
        }
    }

    fn term(&mut self, term: &Term) {
        match term {
            Term::Stage(stage) => {
                self.name(&stage.name);
                if let Some(stream) = &stage.stream {
                    self.word(":");
                    self.space();
                    self.name(stream);
                }
            }
            Term::Group(group) => self.parts(group),
        }
    }

    fn parts(&mut self, group: &Parts) {
        if let Some(count) = &group.any_of {
            self.words(&["any", &count.text, "of"]);
            self.space();
        }
        self.group(COMPACT, Base::Same, |printer| {
            printer.word("(");
            match group.kind {
                GroupKind::Sequence => {
                    printer.pieces.push(Piece::Break(Break::tight(INDENT, Edge::Opening)));
                    let inside = group.parts.iter();
                    inside.for_each(|sequence| printer.inner_steps(sequence, COMPACT, Base::In(INDENT)));
                }
                GroupKind::Alternatives => printer.several_parts("|", &group.parts),
                GroupKind::AnyOrder => printer.several_parts("&", &group.parts),
            }
            printer.pieces.push(Piece::Break(Break::tight(0, Edge::Closing)));
            printer.word(")");
        });
    }

    /// The sign between two parts hangs out to the left, so that the parts stand below each other.
    fn several_parts(&mut self, sign: &str, parts: &[Sequence]) {
        for (index, part) in parts.iter().enumerate() {
            match index {
                0 => self.pieces.push(Piece::Break(Break::tight(2 * INDENT, Edge::Opening))),
                _ => {
                    self.between(INDENT);
                    self.word(sign);
                    self.space();
                }
            }
            self.inner_steps(part, COMPACT, Base::In(2 * INDENT));
        }
    }

    fn quantifier(&mut self, quantifier: &Quantifier) {
        match &quantifier.kind {
            QuantifierKind::Optional => self.word("?"),
            QuantifierKind::OneOrMore => self.word("+"),
            QuantifierKind::Any => self.word("*"),
            QuantifierKind::Times(count) => self.times(&count.text, None),
            QuantifierKind::AtLeast(min) => self.times(&min.text, Some("")),
            QuantifierKind::Between(min, max) => self.times(&min.text, Some(&max.text)),
        }
    }

    fn times(&mut self, min: &str, max: Option<&str>) {
        self.word("{");
        self.word(min);
        if let Some(max) = max {
            self.comma();
            if !max.is_empty() {
                self.word(max);
            }
        }
        self.word("}");
    }

    // ── what stands behind a sequence ──

    fn endings(&mut self, endings: &[Ending]) {
        for run in endings.chunk_by(are_records_alike) {
            let records: Vec<&Record> = run.iter().filter_map(record).collect();
            let names = records.iter().map(|record| width(&record_name(record))).max().unwrap_or_default();
            let columns = Columns { groups: self.called..self.called + records.len(), names };
            for ending in run {
                self.between(0);
                match record(ending) {
                    Some(record) if run.len() > 1 => self.record_below(&ending.kind, record, &columns),
                    _ => self.ending(ending),
                }
                self.emission_condition(ending);
            }
        }
    }

    fn ending(&mut self, ending: &Ending) {
        match &ending.kind {
            EndingKind::Within(span) => self.window("within", span),
            EndingKind::WithinEvents(count) => self.words(&["within", &count.text, "events"]),
            EndingKind::Skip(skip) => self.skip(skip),
            EndingKind::Keep(Keep::All) => self.words(&["keep", "all"]),
            EndingKind::Keep(Keep::Latest) => self.words(&["keep", "latest"]),
            EndingKind::Keep(Keep::First) => self.words(&["keep", "first"]),
            EndingKind::Cooldown(span) => self.window("cooldown", span),
            EndingKind::Emit(emission) => self.emission("emit", emission),
            EndingKind::Timeout(emission) => self.emission("timeout", emission),
        }
    }

    fn window(&mut self, word: &str, span: &Expr) {
        self.word(word);
        self.space();
        self.expr(span);
    }

    fn skip(&mut self, skip: &Skip) {
        match skip {
            Skip::None => self.words(&["skip", "none"]),
            Skip::ToNext => self.words(&["skip", "to", "next"]),
            Skip::PastLast => self.words(&["skip", "past", "last"]),
            Skip::ToFirst(stage) | Skip::ToLast(stage) => {
                let which = if matches!(skip, Skip::ToFirst(_)) { "first" } else { "last" };
                self.words(&["skip", "to", which]);
                self.space();
                self.name(stage);
            }
        }
    }

    fn emission(&mut self, word: &str, emission: &Emission) {
        self.word(word);
        self.space();
        match emission {
            Emission::None => self.word("none"),
            Emission::Record(record, _) => {
                if let Some(name) = &record.name {
                    self.name(name);
                    self.space();
                }
                self.entries(&record.entries);
            }
        }
    }

    /// As `emission`, where another stands above or below it: names and records begin in the same columns.
    fn record_below(&mut self, kind: &EndingKind, record: &Record, columns: &Columns) {
        let word = if matches!(kind, EndingKind::Emit(_)) { "emit" } else { "timeout" };
        self.word(word);
        let name = width(&record_name(record));
        match &record.name {
            Some(record_name) => {
                self.beside(columns, 1 + width("timeout") - width(word));
                self.name(record_name);
                self.beside(columns, 1 + columns.names - name);
            }
            None => self.beside(columns, columns.start() - width(word)),
        }
        self.entries(&record.entries);
    }

    fn beside(&mut self, columns: &Columns, blanks: usize) {
        let beside = Beside { blanks, groups: columns.groups.clone(), start: columns.start() };
        self.pieces.push(Piece::Beside(beside));
    }

    fn emission_condition(&mut self, ending: &Ending) {
        let (EndingKind::Emit(emission) | EndingKind::Timeout(emission)) = &ending.kind else { return };
        if let Emission::Record(_, Some(condition)) = emission {
            self.group(FIT, Base::Same, |printer| {
                printer.line(INDENT);
                printer.condition("where", condition);
            });
        }
    }

    fn entries(&mut self, entries: &[Entry]) {
        let label = entries.iter().map(|entry| width(&label_text(&entry.name))).max().unwrap_or_default();
        self.braces(COMPACT, entries, When::Always, |printer, entry| {
            printer.label(&entry.name);
            printer.word(":");
            printer.pad(label, width(&label_text(&entry.name)));
            printer.group(FIT, Base::Here, |printer| printer.expr(&entry.value));
        });
    }

    // ── expressions ──

    fn expr(&mut self, expr: &Expr) {
        self.operand(expr, 0);
    }

    /// In parentheses where it binds less strongly than its place needs, or where its author put some.
    fn operand(&mut self, expr: &Expr, needed: u8) {
        if binds(expr) >= needed && !self.is_in_parentheses(expr) {
            return self.bare(expr);
        }
        self.word("(");
        self.group(FIT, Base::Here, |printer| printer.bare(expr));
        self.word(")");
    }

    fn is_in_parentheses(&self, expr: &Expr) -> bool {
        let Place { start, end } = expr.place;
        self.parentheses.contains(&(start, end))
    }

    fn bare(&mut self, expr: &Expr) {
        match &expr.kind {
            ExprKind::Null => self.word("null"),
            ExprKind::Bool(value) => self.word(value.to_string()),
            ExprKind::Int(text) | ExprKind::Float(text) | ExprKind::Duration(text) => self.word(text),
            ExprKind::Time(text) => self.word(format!("@{text}")),
            ExprKind::Text(text) => {
                let text = Value::from(text.as_str()).to_string();
                self.pieces.push(Piece::Word(Word { text, kind: WordKind::Text }));
            }
            ExprKind::List(items) => self.list(items),
            ExprKind::Name(name) => self.name(name),
            ExprKind::Member(base, field) => {
                self.operand(base, POSTFIX);
                self.word(".");
                self.label(field);
            }
            ExprKind::Index(base, index) => {
                self.operand(base, POSTFIX);
                self.word("[");
                self.expr(index);
                self.word("]");
            }
            ExprKind::Call(name, arguments) => self.call(name, arguments),
            ExprKind::Not(inner) => {
                self.word("not");
                self.space();
                self.operand(inner, NOT);
            }
            ExprKind::Negate(inner) => {
                self.word("-");
                self.operand(inner, MINUS);
            }
            ExprKind::And(operands) => self.chain(operands, "and", AND + 1, Base::Here),
            ExprKind::Or(operands) => self.chain(operands, "or", OR + 1, Base::Here),
            ExprKind::Binary(operator, left, right) => {
                let strength = operator.strength();
                // Comparisons do not chain; the others associate to the left.
                let needed = if strength == COMPARISON { COMPARISON + 1 } else { strength };
                self.group(FIT, Base::Same, |printer| {
                    printer.operand(left, needed);
                    printer.line(INDENT);
                    printer.word(operator.symbol());
                    printer.space();
                    printer.operand(right, strength + 1);
                });
            }
            ExprKind::Between(value, low, high) => {
                self.compared(value, &["between"], Some(low));
                self.space();
                self.word("and");
                self.space();
                self.operand(high, COMPARISON + 1);
            }
            ExprKind::In(value, list) => self.compared(value, &["in"], Some(list)),
            ExprKind::Like(value, text) => self.compared(value, &["like"], Some(text)),
            ExprKind::Matches(value, text) => self.compared(value, &["matches"], Some(text)),
            ExprKind::IsNull(inner) => self.compared(inner, &["is", "null"], None),
            ExprKind::IsNotNull(inner) => self.compared(inner, &["is", "not", "null"], None),
            ExprKind::If(..) => self.conditional(expr),
        }
    }

    fn compared(&mut self, value: &Expr, words: &[&str], with: Option<&Expr>) {
        self.operand(value, COMPARISON + 1);
        self.space();
        self.words(words);
        if let Some(with) = with {
            self.space();
            self.operand(with, COMPARISON + 1);
        }
    }

    fn list(&mut self, items: &[Expr]) {
        self.group(Style::Fill, Base::Same, |printer| {
            printer.word("[");
            if !items.is_empty() {
                printer.pieces.push(Piece::Break(Break::tight(INDENT, Edge::Opening)));
                printer.separated(items, Break::new(INDENT, Edge::Inner), Self::expr);
                printer.pieces.push(Piece::Comma(When::Broken));
            }
            printer.pieces.push(Piece::Break(Break::tight(0, Edge::Closing)));
            printer.word("]");
        });
    }

    fn call(&mut self, name: &Name, arguments: &[Expr]) {
        self.name(name);
        self.group(FIT, Base::Same, |printer| {
            printer.word("(");
            if !arguments.is_empty() {
                printer.pieces.push(Piece::Break(Break::tight(INDENT, Edge::Opening)));
                printer.separated(arguments, Break::new(INDENT, Edge::Inner), |printer, argument| {
                    printer.group(FIT, Base::Here, |printer| printer.expr(argument));
                });
            }
            printer.pieces.push(Piece::Break(Break::tight(0, Edge::Closing)));
            printer.word(")");
        });
    }

    /// What `and` or `or` joins, the word, and how strongly each part has to bind; none for what stands in parentheses.
    fn chained<'e>(&self, expr: &'e Expr) -> Option<(&'e [Expr], &'static str, u8)> {
        match &expr.kind {
            _ if self.is_in_parentheses(expr) => None,
            ExprKind::And(operands) => Some((operands, "and", AND + 1)),
            ExprKind::Or(operands) => Some((operands, "or", OR + 1)),
            _ => None,
        }
    }

    fn chain(&mut self, operands: &[Expr], word: &str, needed: u8, base: Base) {
        self.group(FIT, base, |printer| {
            for (index, operand) in operands.iter().enumerate() {
                if index > 0 {
                    printer.line(0);
                    printer.word(word);
                    printer.space();
                }
                match printer.chained(operand) {
                    // `and` inside `or` stands further to the right.
                    Some((inner, word, strength)) if binds(operand) >= needed => {
                        printer.chain(inner, word, strength, Base::In(INDENT));
                    }
                    _ => printer.operand(operand, needed),
                }
            }
        });
    }

    /// `if .. then .. else if .. then .. else ..`: as one list of cases.
    fn conditional(&mut self, expr: &Expr) {
        self.group(FIT, Base::Here, |printer| {
            let mut rest = expr;
            while let ExprKind::If(condition, then, other) = &rest.kind {
                printer.case(condition, then);
                printer.line(0);
                printer.word("else");
                printer.space();
                rest = other;
                if printer.is_in_parentheses(rest) {
                    break;
                }
            }
            printer.expr(rest);
        });
    }

    fn case(&mut self, condition: &Expr, then: &Expr) {
        self.group(FIT, Base::Same, |printer| {
            printer.word("if");
            printer.space();
            printer.expr(condition);
            printer.line(INDENT);
            printer.word("then");
            printer.space();
            printer.expr(then);
        });
    }
}

/// Where the records of endings that stand below each other begin, if each of these groups is on one line.
struct Columns {
    groups: std::ops::Range<usize>,
    /// The width of the widest name; 0 where none has one.
    names: usize,
}

impl Columns {
    fn start(&self) -> usize {
        let names = if self.names > 0 { 1 + self.names } else { 0 };
        width("timeout ") + names
    }
}

/// The record of an ending that has one.
fn record(ending: &Ending) -> Option<&Record> {
    match &ending.kind {
        EndingKind::Emit(emission) | EndingKind::Timeout(emission) => emission.record(),
        EndingKind::Within(_) | EndingKind::WithinEvents(_) | EndingKind::Skip(_) => None,
        EndingKind::Keep(_) | EndingKind::Cooldown(_) => None,
    }
}

/// Whether two endings are records that both have a name, or both have none.
fn are_records_alike(ending: &Ending, next: &Ending) -> bool {
    let has_name = |ending| record(ending).map(|record| record.name.is_some());
    has_name(ending).is_some() && has_name(ending) == has_name(next)
}

fn record_name(record: &Record) -> String {
    record.name.as_ref().map(name_text).unwrap_or_default()
}

fn mark_text(mark: MarkKind) -> &'static str {
    match mark {
        MarkKind::Time => "@time",
        MarkKind::Key => "@key",
        MarkKind::Type => "@type",
    }
}

fn type_text(kind: &TypeName) -> String {
    format!("{}{}", kind.kind, if kind.nullable { "?" } else { "" })
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

/// A modifier as it is written.
pub(crate) fn modifier_word(kind: ModifierKind) -> &'static str {
    match kind {
        ModifierKind::Optional => "optional",
        ModifierKind::Greedy => "greedy",
        ModifierKind::Consecutive => "consecutive",
        ModifierKind::Combinations => "combinations",
    }
}

fn name_text(name: &Name) -> String {
    if is_name(&name.text) { name.text.clone() } else { format!("`{}`", name.text) }
}

fn label_text(name: &Name) -> String {
    let mut chars = name.text.chars();
    let starts = chars.next().is_some_and(|char| char == '_' || is_name(char.encode_utf8(&mut [0; 4])));
    // With a letter before it, no word is reserved.
    let is_word = starts && is_name(&format!("x{}", name.text));
    if is_word { name.text.clone() } else { format!("`{}`", name.text) }
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
