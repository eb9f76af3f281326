//! Expressions: names resolved, types checked, literals made values.

use std::sync::Arc;

use ensue_model::expr::{Ask, BinaryOperator, Expr, Lookback, LookbackId, Pick, TextPattern, UnaryOperator};
use ensue_model::pattern::StageId;
use ensue_model::schema::StreamId;
use ensue_model::{Type, Value, operators};

use super::declarations::Declarations;
use super::held::Question;
use super::stages::Stages;
use super::world::{Whose, World};
use super::{constant, names};
use crate::code;
use crate::diagnostic::Diagnostic;
use crate::literal;
use crate::tree::{self, ExprKind, Let, Name};

/// How deep expressions can be, with the lets that are put in.
const DEPTH_MAX: usize = 256;

/// How many nodes the expressions of a pattern can have, with the lets that are put in.
const NODES_MAX: usize = 65_536;

/// How many different questions the expressions of a pattern can ask of the events taken: each run keeps the answers.
const LOOKBACKS_MAX: usize = 1_024;

/// Checks the expressions of one pattern.
pub(super) struct Lowering<'w, 'a> {
    pub(super) world: &'w mut World<'a>,
    pub(super) declared: &'w Declarations<'w>,
    pub(super) stages: &'w Stages<'w>,
    /// The streams that the pattern reads.
    pub(super) read: &'w [StreamId],
    /// The types of the key's parts.
    pub(super) key_kinds: Vec<Type>,
    lookbacks: Vec<Lookback>,
    depth: usize,
    nodes: usize,
}

/// Where an expression stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Place {
    /// In a key: over the event, before anything is taken.
    Key,
    /// In a stage's `where`, or a step's `until`, by the stage, or the last stage of the group.
    Stage(StageId),
    /// In `emit`.
    Emit,
    /// In `timeout`.
    Timeout,
}

/// Whose fields an expression's are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Over {
    /// The event under test.
    Event,
    /// `sum(a.x)`: each event of a stage, which has to be named.
    Named(StageId),
    /// `any(a, x > 3)`: each event of a stage, whose fields are the bare names.
    Bare(StageId),
}

/// What an expression is checked in.
#[derive(Clone, Copy)]
pub(super) struct Context<'c> {
    pub(super) place: Place,
    /// Whose fields bare names are: a stream's, or those of all that the pattern reads.
    pub(super) stream: Option<StreamId>,
    pub(super) over: Over,
    /// Whether a number with a decimal point is a decimal: it meets one.
    pub(super) exact: bool,
    bindings: Option<&'c Bindings<'c>>,
}

/// A let that is being put in, with what it was called with. Arguments are checked where they are used, in their caller's
/// context: so a stage can be an argument, which is no value.
struct Bindings<'c> {
    let_: &'c Let,
    arguments: &'c [tree::Expr],
    caller: &'c Context<'c>,
}

/// A checked expression with its type; no type is known of what was reported.
#[derive(Clone, Debug)]
pub(super) struct Typed {
    pub(super) expr: Expr,
    pub(super) kind: Kind,
}

/// What is known of an expression's type.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Kind {
    /// Nothing: something in it is wrong, and was reported. Nothing more is reported of it.
    Unknown,
    /// Its type.
    Is(Type),
}

impl Typed {
    pub(super) fn new(expr: Expr, kind: Type) -> Self {
        Typed { expr, kind: Kind::Is(kind) }
    }

    /// What stands for an expression that was reported.
    pub(super) fn unknown() -> Self {
        Typed { expr: Expr::Constant(Value::Null), kind: Kind::Unknown }
    }

    /// The type, `Any` where it is unknown: what is made of it is not reported again.
    pub(super) fn type_or_any(&self) -> Type {
        match &self.kind {
            Kind::Unknown => Type::Any,
            Kind::Is(kind) => kind.clone(),
        }
    }
}

impl<'c> Context<'c> {
    fn new(place: Place, stream: Option<StreamId>) -> Self {
        Context { place, stream, over: Over::Event, exact: false, bindings: None }
    }

    fn exact(self) -> Self {
        Context { exact: true, ..self }
    }

    pub(super) fn exact_if(self, exact: bool) -> Self {
        Context { exact: exact || self.exact, ..self }
    }

    /// Whether the expression stands in a let.
    pub(super) fn is_put_in(&self) -> bool {
        self.bindings.is_some()
    }

    /// What a name was bound to by the let it stands in, and the context of that.
    pub(super) fn argument(&self, name: &str) -> Option<(&'c tree::Expr, Context<'c>)> {
        let bindings = self.bindings?;
        let parameters = bindings.let_.parameters.as_deref().unwrap_or_default();
        let position = parameters.iter().position(|parameter| parameter.text == name)?;
        Some((bindings.arguments.get(position)?, *bindings.caller))
    }
}

impl<'w, 'a> Lowering<'w, 'a> {
    pub(super) fn new(
        world: &'w mut World<'a>,
        declared: &'w Declarations<'w>,
        stages: &'w Stages<'w>,
        read: &'w [StreamId],
    ) -> Self {
        Lowering { world, declared, stages, read, key_kinds: Vec::new(), lookbacks: Vec::new(), depth: 0, nodes: 0 }
    }

    /// Lets what follows ask for itself; gives what was asked before.
    pub(super) fn swap_lookbacks(&mut self, lookbacks: Vec<Lookback>) -> Vec<Lookback> {
        std::mem::replace(&mut self.lookbacks, lookbacks)
    }

    pub(super) fn lookback_of(&self, lookback: LookbackId) -> &Lookback {
        &self.lookbacks[usize::from(lookback.0)]
    }

    /// What the expressions ask of earlier stages.
    pub(super) fn finish(self) -> Vec<Lookback> {
        self.lookbacks
    }

    pub(super) fn report(&mut self, diagnostic: Diagnostic) {
        self.world.report(self.declared.source, diagnostic);
    }

    /// An expression as it was written.
    pub(super) fn written(&self, expr: &tree::Expr) -> String {
        self.world.sources[self.declared.source].at(expr.place).to_owned()
    }

    /// A value of any type, over events of a stream, or of all that the pattern reads.
    pub(super) fn value(&mut self, expr: &tree::Expr, place: Place, stream: Option<StreamId>) -> Typed {
        self.lower(expr, &Context::new(place, stream))
    }

    /// A condition.
    pub(super) fn condition(&mut self, expr: &tree::Expr, place: Place, stream: Option<StreamId>) -> Expr {
        self.bool(expr, &Context::new(place, stream)).expr
    }

    /// The context of what is asked of each of a stage's events.
    pub(super) fn over<'c>(&self, over: Over, context: &Context<'c>) -> Context<'c> {
        let stream = match over {
            Over::Event => context.stream,
            Over::Named(stage) | Over::Bare(stage) => self.stages.get(stage).stream,
        };
        Context { over, stream, ..*context }
    }

    /// What must be true or false.
    pub(super) fn bool(&mut self, expr: &tree::Expr, context: &Context<'_>) -> Typed {
        let typed = self.lower(expr, context);
        match &typed.kind {
            Kind::Unknown | Kind::Is(Type::Bool | Type::Any) => typed,
            Kind::Is(kind) => {
                let message = format!("a condition is true or false, and this is {kind}");
                let diagnostic = Diagnostic::error(&code::NOT_A_CONDITION, expr.place, message);
                let written = self.written(expr);
                let help = match kind {
                    Type::Int | Type::Float | Type::Decimal => format!("compare it, as in `{written} > 0`"),
                    Type::String => format!("compare it, as in `{written} == \"x\"`, or write `{written} is not null`"),
                    _ => format!("compare it, or write `{written} is not null`"),
                };
                self.report(diagnostic.label(format!("this is {kind}")).help(help));
                Typed::unknown()
            }
        }
    }

    /// Any expression.
    pub(super) fn lower(&mut self, expr: &tree::Expr, context: &Context<'_>) -> Typed {
        if self.depth >= DEPTH_MAX || self.nodes >= NODES_MAX {
            return self.too_large(expr);
        }
        self.depth += 1;
        self.nodes += 1;
        let typed = self.lower_kind(expr, context);
        self.depth -= 1;
        typed
    }

    fn too_large(&mut self, expr: &tree::Expr) -> Typed {
        let diagnostic = match self.depth >= DEPTH_MAX {
            true => {
                let message = format!("with the lets put in, this expression is nested more than {DEPTH_MAX} deep");
                Diagnostic::error(&code::TOO_DEEP, expr.place, message)
            }
            false => {
                let message = format!("with the lets put in, the expressions have more than {NODES_MAX} parts");
                Diagnostic::error(&code::TOO_LARGE, expr.place, message)
            }
        };
        self.stop(diagnostic)
    }

    /// Reports a limit once for each pattern, and lowers no more of it: the count stays above its limit.
    fn stop(&mut self, diagnostic: Diagnostic) -> Typed {
        if self.nodes <= NODES_MAX {
            self.report(diagnostic);
            self.nodes = NODES_MAX + 1;
        }
        Typed::unknown()
    }

    fn lower_kind(&mut self, expr: &tree::Expr, context: &Context<'_>) -> Typed {
        if let Some(value) = constant::value(expr, context.exact) {
            return self.constant(value);
        }
        match &expr.kind {
            ExprKind::Null | ExprKind::Bool(_) | ExprKind::Int(_) | ExprKind::Float(_) => Typed::unknown(),
            ExprKind::Duration(_) | ExprKind::Time(_) | ExprKind::Text(_) => Typed::unknown(),
            ExprKind::List(items) => self.list(items, context),
            ExprKind::Name(name) => self.name(name, context),
            ExprKind::Member(base, field) => self.member(expr, base, field, context),
            ExprKind::Index(base, index) => self.index(expr, base, index, context),
            ExprKind::Call(name, arguments) => self.call(expr, name, arguments, context),
            ExprKind::Not(inner) => self.not(inner, context),
            ExprKind::Negate(inner) => self.negate(inner, context),
            ExprKind::And(operands) => self.chain(BinaryOperator::And, operands, context),
            ExprKind::Or(operands) => self.chain(BinaryOperator::Or, operands, context),
            ExprKind::Binary(operator, left, right) => self.binary(*operator, [left, right], context),
            ExprKind::Between(value, low, high) => self.between([value, low, high], context),
            ExprKind::In(value, list) => self.is_in(value, list, context),
            ExprKind::Like(value, text) => self.text_pattern(value, text, true, context),
            ExprKind::Matches(value, text) => self.text_pattern(value, text, false, context),
            ExprKind::IsNull(inner) => self.is_null(inner, context),
            ExprKind::IsNotNull(inner) => {
                let typed = self.is_null(inner, context);
                Typed { expr: Expr::Unary(UnaryOperator::Not, Box::new(typed.expr)), ..typed }
            }
            ExprKind::If(condition, then, other) => self.conditional(condition, [then, other], context),
        }
    }

    fn constant(&mut self, value: Result<Value<'static>, Diagnostic>) -> Typed {
        match value {
            Ok(value) => {
                let kind = value.type_of();
                Typed::new(Expr::Constant(value), kind)
            }
            Err(diagnostic) => {
                self.report(diagnostic);
                Typed::unknown()
            }
        }
    }

    /// A list of constants is one: it is made once.
    fn list(&mut self, items: &[tree::Expr], context: &Context<'_>) -> Typed {
        let items = self.all_together(items, context);
        let first = items.first().map_or(Type::Any, Typed::type_or_any);
        let kind = items.iter().try_fold(first, |kind, item| kind.common(&item.type_or_any()));
        let kind = Type::List(Box::new(kind.unwrap_or(Type::Any)));
        let constants: Option<Vec<Value<'static>>> = items.iter().map(|item| as_constant(&item.expr)).collect();
        let expr = match constants {
            Some(values) => Expr::Constant(Value::List(Arc::from(values))),
            None => Expr::List(items.into_iter().map(|item| item.expr).collect()),
        };
        Typed::new(expr, kind)
    }

    /// A let's parameter, a stage, a let, a parameter, or a field: the nearest first.
    fn name(&mut self, name: &Name, context: &Context<'_>) -> Typed {
        if let Some((argument, caller)) = context.argument(&name.text) {
            return self.argument(name, argument, caller, context);
        }
        if context.over == Over::Event && self.stage(&name.text, context).is_some() {
            let message = format!("`{}` is a stage, not a value", name.text);
            let help = format!(
                "a text stands in quotes, `\"{0}\"`; a field of the stage's event is `{0}.x`, the field of that name `this.{0}`",
                name.text
            );
            self.report(Diagnostic::error(&code::STAGE_AS_VALUE, name.place, message).help(help));
            return Typed::unknown();
        }
        if let Some(let_) = self.declared.lets.get(name.text.as_str()) {
            return self.put_in(let_, name, &[], context);
        }
        if let Some(parameter) = self.declared.parameters.get(name.text.as_str()) {
            return match &parameter.value {
                Some(value) => Typed::new(Expr::Constant(value.clone()), parameter.kind.clone()),
                None => Typed::unknown(),
            };
        }
        if self.world.tables.is_declared(&name.text) {
            return self.table_as_value(name.place, &name.text, None);
        }
        self.field(name, context)
    }

    /// What a let was called with. Inside `any(a, ..)` and `sum(..)` names mean something else than where the argument was
    /// written, so there it has to be a constant.
    fn argument(&mut self, name: &Name, argument: &tree::Expr, caller: Context<'_>, context: &Context<'_>) -> Typed {
        let typed = self.lower(argument, &Context { exact: context.exact, ..caller });
        if caller.over == context.over || typed.kind == Kind::Unknown || as_constant(&typed.expr).is_some() {
            return typed;
        }
        let message = format!("`{}` is not about the events that are looked at here", name.text);
        let help = "inside `any(a, ..)` and the like, only constants and the fields of these events have a meaning";
        self.report(
            Diagnostic::error(&code::OUT_OF_PLACE, name.place, message)
                .also(argument.place, "it stands for this")
                .help(help),
        );
        Typed::unknown()
    }

    /// A field of the event that the expression is over.
    fn field(&mut self, name: &Name, context: &Context<'_>) -> Typed {
        if let Over::Named(stage) = context.over {
            let stage = &self.stages.get(stage).name.text;
            let message = format!("`{}` is a field of the event under test", name.text);
            let help = format!("here only events of `{stage}` are looked at: write `{stage}.{}`", name.text);
            self.report(Diagnostic::error(&code::OUT_OF_PLACE, name.place, message).help(help));
            return Typed::unknown();
        }
        if matches!(context.place, Place::Emit | Place::Timeout) && context.over == Over::Event {
            let message = format!("`{}` is a field of no event: no event is under test here", name.text);
            let stage = self.stages.names().next().unwrap_or("a");
            let help = format!("say which stage's event is meant, as in `{stage}.{}`", name.text);
            self.report(Diagnostic::error(&code::OUT_OF_PLACE, name.place, message).help(help));
            return Typed::unknown();
        }
        let stage = match (context.over, context.place) {
            (Over::Named(stage) | Over::Bare(stage), _) | (Over::Event, Place::Stage(stage)) => Some(stage),
            (Over::Event, Place::Key | Place::Emit | Place::Timeout) => None,
        };
        self.look_for_foreign_word(name, context.stream);
        self.field_of_event(name, context.stream, stage)
    }

    /// Of streams whose fields are known, the field is missed anyway.
    fn look_for_foreign_word(&mut self, name: &Name, stream: Option<StreamId>) {
        let streams = stream.as_ref().map_or(self.read, std::slice::from_ref);
        let is_open = streams.iter().any(|stream| !self.world.streams.is_closed(*stream));
        let written = self.world.sources[self.declared.source].at(name.place);
        if let Some(meant) = names::foreign(&name.text).filter(|_| is_open && !written.starts_with('`')) {
            let message = format!("`{}` is read as the name of a field", name.text);
            let diagnostic = Diagnostic::warning(&code::FOREIGN_WORD, name.place, message);
            let help = match meant {
                "null" => "write `null`; what is null is asked for with `x is null`".to_owned(),
                meant => format!("write `{meant}`"),
            };
            self.report(diagnostic.help(help));
        }
    }

    /// A field of an event of a stream, or of all that the pattern reads, which a stage asks for.
    fn field_of_event(&mut self, name: &Name, stream: Option<StreamId>, stage: Option<StageId>) -> Typed {
        let stage = stage.map(|stage| self.stages.get(stage).name.text.as_str());
        let streams = stream.as_ref().map_or(self.read, std::slice::from_ref);
        match self.world.field(
            self.declared.source,
            name,
            Whose { streams, read: self.read, stage, stages: Some(self.stages) },
        ) {
            Some(field) => Typed::new(Expr::Field(field), self.world.streams.field(field).kind.clone()),
            None => Typed::unknown(),
        }
    }

    /// The stage of that name, where stages can be named.
    fn stage(&self, name: &str, context: &Context<'_>) -> Option<StageId> {
        if context.place == Place::Key { None } else { self.stages.find(name) }
    }

    pub(super) fn unknown_stage(&self, name: &Name) -> Diagnostic {
        let names = self.stages.names();
        let help = self.stage_of_stream(&name.text).or_else(|| self.world.meant(&name.text, names.clone()));
        let help = help.unwrap_or_else(|| names::listed("the stages are", names));
        Diagnostic::error(&code::UNKNOWN_STAGE, name.place, format!("there is no stage `{}`", name.text)).help(help)
    }

    /// What to write instead of a stream's name, where a stage takes its events.
    fn stage_of_stream(&self, name: &str) -> Option<String> {
        let stream = self.world.streams.named(name)?;
        let stage = self.stages.list.iter().find(|stage| stage.stream == Some(stream))?;
        Some(format!("`{name}` is a stream; the stage that takes its events is `{}`", stage.name.text))
    }

    /// The event that an expression names, if it names one: `a`, `first(a)`, `a[-1]`.
    pub(super) fn event(&self, expr: &tree::Expr, context: &Context<'_>) -> Option<(StageId, Pick)> {
        match &expr.kind {
            ExprKind::Name(name) => match context.argument(&name.text) {
                Some((argument, caller)) => self.event(argument, &caller),
                None => self.stage(&name.text, context).map(|stage| (stage, Pick::Last)),
            },
            ExprKind::Index(base, index) => {
                let stage = self.whole_stage(base, context)?;
                Some((stage, pick(constant::value(index, false)?.ok()?)?))
            }
            ExprKind::Call(name, arguments) if !self.declared.lets.contains_key(name.text.as_str()) => {
                let [argument] = arguments.as_slice() else { return None };
                let pick = match name.text.as_str() {
                    "first" => Pick::First,
                    "last" => Pick::Last,
                    _ => return None,
                };
                Some((self.whole_stage(argument, context)?, pick))
            }
            _ => None,
        }
    }

    /// The stage that an expression names by its name alone.
    pub(super) fn whole_stage(&self, expr: &tree::Expr, context: &Context<'_>) -> Option<StageId> {
        let ExprKind::Name(name) = &expr.kind else { return None };
        match context.argument(&name.text) {
            Some((argument, caller)) => self.whole_stage(argument, &caller),
            None => self.stage(&name.text, context),
        }
    }

    fn member(&mut self, expr: &tree::Expr, base: &tree::Expr, field: &Name, context: &Context<'_>) -> Typed {
        if let Some((stage, pick)) = self.event(base, context) {
            let stream = self.stages.get(stage).stream;
            let of_event = |lowering: &mut Self| lowering.field_of_event(field, stream, Some(stage));
            return self.of_stage(expr, stage, pick, context, of_event);
        }
        if matches!(&base.kind, ExprKind::Name(name) if name.text == "this") {
            return self.field_of_this(expr, field, context);
        }
        if let ExprKind::Index(table, key) = &base.kind
            && let Some(table) = self.table(table, context)
        {
            return self.lookup(expr, table, key, field, context);
        }
        if let Some(diagnostic) = self.misspelt_stage(base, context).or_else(|| self.misspelt_table(base, context)) {
            self.report(diagnostic);
            return Typed::unknown();
        }
        self.look_for_stage(base, field, context);
        let typed = self.lower(base, context);
        match &typed.kind {
            Kind::Unknown => typed,
            Kind::Is(Type::Any) => {
                Typed::new(Expr::Member(Box::new(typed.expr), Arc::from(field.text.as_str())), Type::Any)
            }
            Kind::Is(kind) => {
                let message = format!("{kind} has no fields");
                self.report(
                    Diagnostic::error(&code::NO_MEMBERS, field.place, message)
                        .also(base.place, format!("this is {kind}"))
                        .help("what holds an object has the type `any`"),
                );
                Typed::unknown()
            }
        }
    }

    /// `this.x`: the field, where a stage has its name.
    fn field_of_this(&mut self, expr: &tree::Expr, field: &Name, context: &Context<'_>) -> Typed {
        match context.over {
            Over::Event => self.field(field, context),
            Over::Named(_) | Over::Bare(_) => {
                let message = "the event under test is not looked at here";
                self.report(Diagnostic::error(&code::OUT_OF_PLACE, expr.place, message));
                Typed::unknown()
            }
        }
    }

    /// Of declared streams it is known that `creat.x` is no field's.
    fn misspelt_stage(&self, base: &tree::Expr, context: &Context<'_>) -> Option<Diagnostic> {
        let ExprKind::Name(name) = &base.kind else { return None };
        let read = context.stream.as_ref().map_or(self.read, std::slice::from_ref);
        let known = self.is_nearer(&name.text, context)
            || self.world.tables.is_declared(&name.text)
            || self.is_field(&name.text, context)
            || read.iter().any(|stream| !self.world.streams.is_closed(*stream));
        (!known && context.place != Place::Key).then(|| self.unknown_stage(name))
    }

    /// Whether a name is something that hides tables and fields.
    pub(super) fn is_nearer(&self, name: &str, context: &Context<'_>) -> bool {
        context.argument(name).is_some()
            || (context.over == Over::Event && self.stage(name, context).is_some())
            || self.declared.lets.contains_key(name)
            || self.declared.parameters.contains_key(name)
    }

    /// Whether a name is known to be a field of the events that are looked at.
    pub(super) fn is_field(&self, name: &str, context: &Context<'_>) -> bool {
        let read = context.stream.as_ref().map_or(self.read, std::slice::from_ref);
        read.iter().any(|stream| self.world.streams.find(*stream, name).is_some())
    }

    fn index(&mut self, expr: &tree::Expr, base: &tree::Expr, index: &tree::Expr, context: &Context<'_>) -> Typed {
        if self.whole_stage(base, context).is_some() {
            let diagnostic = match self.event(expr, context) {
                Some(_) => Diagnostic::error(&code::STAGE_AS_VALUE, expr.place, "this is an event, not a value")
                    .help(format!("name a field of it: `{}.x`", self.written(expr))),
                None => Diagnostic::error(&code::OUT_OF_PLACE, index.place, "which event is meant has to be a number")
                    .help("the first is `a[0]`, the last `a[-1]`"),
            };
            self.report(diagnostic);
            return Typed::unknown();
        }
        if let Some(table) = self.table(base, context) {
            return self.table_as_value(expr.place, table, Some(index));
        }
        let (list, position) = (self.lower(base, context), self.lower(index, context));
        let kind = match (list.type_or_any(), position.type_or_any()) {
            (Type::List(item), Type::Int | Type::Any) => *item,
            (Type::Any, Type::Int | Type::Any) => Type::Any,
            (Type::List(_) | Type::Any, kind) => {
                let message = format!("a position is int, and this is {kind}");
                self.report(Diagnostic::error(&code::UNLIKE_TYPES, index.place, message));
                return Typed::unknown();
            }
            (kind, _) => {
                let message = format!("only a list has positions, and this is {kind}");
                let diagnostic = Diagnostic::error(&code::NOT_A_LIST, base.place, message);
                let written = self.written(base);
                let part = || format!("a part of a text is `substr({written}, start, length)`");
                self.report(diagnostic.maybe_help((kind == Type::String).then(part)));
                return Typed::unknown();
            }
        };
        Typed::new(Expr::Index(Box::new(list.expr), Box::new(position.expr)), kind)
    }

    /// Something of an event that a stage has taken: in an aggregate over that stage, of the event that is looked at.
    pub(super) fn of_stage(
        &mut self,
        expr: &tree::Expr,
        stage: StageId,
        pick: Pick,
        context: &Context<'_>,
        of_event: impl FnOnce(&mut Self) -> Typed,
    ) -> Typed {
        match context.over {
            Over::Named(looked_at) if looked_at == stage && pick == Pick::Last => of_event(self),
            Over::Named(_) | Over::Bare(_) => {
                let message = "only one stage's events are looked at here, one by one";
                let help = "what is asked of other events stands outside of the aggregate";
                self.report(Diagnostic::error(&code::OUT_OF_PLACE, expr.place, message).help(help));
                Typed::unknown()
            }
            Over::Event => {
                let typed = of_event(self);
                match typed.kind {
                    Kind::Unknown => typed,
                    Kind::Is(kind) => self.lookback(expr, stage, Ask::Pick(pick, typed.expr), kind, context),
                }
            }
        }
    }

    /// An entry of the pattern's lookbacks; equal ones are one.
    pub(super) fn lookback(
        &mut self,
        expr: &tree::Expr,
        stage: StageId,
        ask: Ask,
        kind: Type,
        context: &Context<'_>,
    ) -> Typed {
        if !self.can_be_asked(&Question { expr, stage, ask: &ask }, context) {
            return Typed::unknown();
        }
        let lookback = Lookback { stage, ask };
        let position = self.lookbacks.iter().position(|other| *other == lookback).unwrap_or(self.lookbacks.len());
        if position == LOOKBACKS_MAX {
            let message = format!("the pattern asks more than {LOOKBACKS_MAX} different questions of its stages");
            return self.stop(Diagnostic::error(&code::TOO_LARGE, expr.place, message));
        }
        if position == self.lookbacks.len() {
            self.lookbacks.push(lookback);
        }
        Typed::new(Expr::Lookback(LookbackId(position as u16)), kind)
    }

    /// A let where it is named: its value, with its parameters bound.
    pub(super) fn put_in(&mut self, let_: &Let, name: &Name, arguments: &[tree::Expr], context: &Context<'_>) -> Typed {
        let wanted = let_.parameters.as_deref().unwrap_or_default().len();
        if wanted != arguments.len() {
            let message = format!("`{}` takes {}, and has {}", name.text, counted(wanted), arguments.len());
            self.report(
                Diagnostic::error(&code::ARGUMENTS, name.place, message).also(let_.name.place, "declared here"),
            );
            return Typed::unknown();
        }
        if self.declared.unusable.contains(let_.name.text.as_str()) {
            return Typed::unknown();
        }
        let bindings = Bindings { let_, arguments, caller: context };
        self.lower(&let_.value, &Context { bindings: Some(&bindings), ..*context })
    }

    fn not(&mut self, inner: &tree::Expr, context: &Context<'_>) -> Typed {
        let typed = self.bool(inner, context);
        Typed { expr: Expr::Unary(UnaryOperator::Not, Box::new(typed.expr)), kind: bool_or_unknown(&[&typed.kind]) }
    }

    fn negate(&mut self, inner: &tree::Expr, context: &Context<'_>) -> Typed {
        let typed = self.lower(inner, context);
        let kind = typed.type_or_any();
        if operators::unary_type(UnaryOperator::Negate, &kind).is_none() {
            let message = format!("`-` takes a number or a duration, and this is {kind}");
            self.report(Diagnostic::error(&code::UNLIKE_TYPES, inner.place, message));
            return Typed::unknown();
        }
        Typed { expr: Expr::Unary(UnaryOperator::Negate, Box::new(typed.expr)), kind: typed.kind }
    }

    fn is_null(&mut self, inner: &tree::Expr, context: &Context<'_>) -> Typed {
        let typed = self.lower(inner, context);
        Typed { expr: Expr::Unary(UnaryOperator::IsNull, Box::new(typed.expr)), kind: bool_or_unknown(&[&typed.kind]) }
    }

    /// `a and b and c` as a tree as flat as can be, which is the same: `and` and `or` are associative, and the order of
    /// evaluation stays.
    fn chain(&mut self, operator: BinaryOperator, operands: &[tree::Expr], context: &Context<'_>) -> Typed {
        let typed: Vec<Typed> = operands.iter().map(|operand| self.bool(operand, context)).collect();
        let kinds: Vec<&Kind> = typed.iter().map(|operand| &operand.kind).collect();
        let kind = bool_or_unknown(&kinds);
        let exprs = typed.into_iter().map(|operand| operand.expr).collect();
        Typed { expr: balanced(operator, exprs), kind }
    }

    fn binary(&mut self, operator: BinaryOperator, operands: [&tree::Expr; 2], context: &Context<'_>) -> Typed {
        let [left, right] = self.together(operands, context);
        if let (ExprKind::Name(name), Kind::Unknown) = (&operands[1].kind, &right.kind) {
            self.suggest_text(name);
        }
        if is_comparison(operator)
            && let Some(null) = operands.iter().find(|operand| operand.kind == ExprKind::Null)
        {
            self.compared_with_null(operator, operands, null);
        }
        if left.kind == Kind::Unknown || right.kind == Kind::Unknown {
            return Typed::unknown();
        }
        let (left_kind, right_kind) = (left.type_or_any(), right.type_or_any());
        let never =
            is_arithmetic(operator) && [&left_kind, &right_kind].into_iter().any(|kind| !is_computed_with(kind));
        match operators::binary_type(operator, &left_kind, &right_kind).filter(|_| !never) {
            Some(kind) => Typed::new(Expr::Binary(operator, Box::new(left.expr), Box::new(right.expr)), kind),
            None => {
                self.unlike(operator.symbol(), operands, [&left_kind, &right_kind]);
                Typed::unknown()
            }
        }
    }

    /// What was missed as a field behind an operator may have been meant as a text.
    fn suggest_text(&mut self, name: &Name) {
        let is_missed = |found: &&mut Diagnostic| {
            let place = found.labels.first().map_or(0, |label| label.place.start);
            found.code == &code::UNKNOWN_FIELD && place == name.place.start
        };
        // A field that is nearly called so is likelier.
        if let Some(found) = self.world.found.last_mut().filter(is_missed)
            && let Some(help) = found.help.as_mut().filter(|help| !help.starts_with("did you mean"))
        {
            help.push_str(&format!("; a text stands in quotes, `\"{}\"`", name.text));
        }
    }

    /// Expressions that meet: where one is a decimal, the others' literals are exact.
    fn together<const N: usize>(&mut self, exprs: [&tree::Expr; N], context: &Context<'_>) -> [Typed; N] {
        let mut typed = exprs.map(|expr| self.lower(expr, context));
        self.make_exact(exprs, &mut typed, context);
        typed
    }

    /// The same of the items of a list, and the arguments of a function.
    pub(super) fn all_together(&mut self, exprs: &[tree::Expr], context: &Context<'_>) -> Vec<Typed> {
        let mut typed: Vec<Typed> = exprs.iter().map(|expr| self.lower(expr, context)).collect();
        self.make_exact(exprs, &mut typed, context);
        typed
    }

    fn make_exact<'e>(
        &mut self,
        exprs: impl IntoIterator<Item = &'e tree::Expr>,
        typed: &mut [Typed],
        context: &Context<'_>,
    ) {
        let is = |kind: &Type, of: &Type| kind == of || *kind == Type::List(Box::new(of.clone()));
        if context.exact || !typed.iter().any(|typed| is(&typed.type_or_any(), &Type::Decimal)) {
            return;
        }
        for (expr, typed) in exprs.into_iter().zip(typed) {
            if is(&typed.type_or_any(), &Type::Float) {
                *typed = self.lower(expr, &context.exact());
            }
        }
    }

    fn compared_with_null(&mut self, operator: BinaryOperator, operands: [&tree::Expr; 2], null: &tree::Expr) {
        let other = operands.iter().find(|operand| operand.kind != ExprKind::Null).unwrap_or(&null);
        let is = if operator == BinaryOperator::NotEqual { "is not null" } else { "is null" };
        let diagnostic = Diagnostic::warning(
            &code::COMPARED_WITH_NULL,
            null.place,
            "this is never true: what compares with null is null",
        );
        let help = format!("write `{} {is}`", self.written(other));
        self.report(diagnostic.help(help));
    }

    fn unlike(&mut self, symbol: &str, operands: [&tree::Expr; 2], kinds: [&Type; 2]) {
        let message = match symbol {
            "if" => format!("the two branches of `if` are {} and {}", kinds[0], kinds[1]),
            "in" => format!("`in` cannot find {} in {}", kinds[0], kinds[1]),
            "+" | "-" | "*" | "/" | "%" | "??" => format!("`{symbol}` cannot combine {} with {}", kinds[0], kinds[1]),
            _ => format!("`{symbol}` cannot compare {} with {}", kinds[0], kinds[1]),
        };
        let diagnostic = Diagnostic::error(&code::UNLIKE_TYPES, operands[1].place, message)
            .label(format!("this is {}", kinds[1]))
            .also(operands[0].place, format!("this is {}", kinds[0]))
            .maybe_help(unlike_help(symbol, operands, kinds));
        self.report(diagnostic);
    }

    fn between(&mut self, operands: [&tree::Expr; 3], context: &Context<'_>) -> Typed {
        let [value, low, high] = self.together(operands, context);
        for (bound, expr) in [(&low, operands[1]), (&high, operands[2])] {
            let kinds = [&value.type_or_any(), &bound.type_or_any()];
            if operators::binary_type(BinaryOperator::LessOrEqual, kinds[0], kinds[1]).is_none() {
                self.unlike("between", [operands[0], expr], kinds);
                return Typed::unknown();
            }
        }
        let kind = bool_or_unknown(&[&value.kind, &low.kind, &high.kind]);
        Typed { expr: Expr::Between(Box::new(value.expr), Box::new(low.expr), Box::new(high.expr)), kind }
    }

    fn is_in(&mut self, value: &tree::Expr, list: &tree::Expr, context: &Context<'_>) -> Typed {
        let [typed, listed] = self.together([value, list], context);
        match (typed.type_or_any(), listed.type_or_any()) {
            (_, Type::Any) => {}
            (kind, Type::List(item)) if operators::binary_type(BinaryOperator::Equal, &kind, &item).is_some() => {}
            (kind, Type::List(item)) => {
                self.unlike("in", [value, list], [&kind, &Type::List(item)]);
                return Typed::unknown();
            }
            (_, kind) => {
                let diagnostic =
                    Diagnostic::error(&code::NOT_A_LIST, list.place, format!("`in` needs a list, and this is {kind}"));
                self.report(diagnostic.help(format!("write `[{}]`", self.written(list))));
                return Typed::unknown();
            }
        }
        let kind = bool_or_unknown(&[&typed.kind, &listed.kind]);
        Typed { expr: Expr::In(Box::new(typed.expr), Box::new(listed.expr)), kind }
    }

    /// `like` and `matches`, compiled here once.
    fn text_pattern(&mut self, value: &tree::Expr, text: &tree::Expr, like: bool, context: &Context<'_>) -> Typed {
        let typed = self.lower(value, context);
        let word = if like { "like" } else { "matches" };
        let kind = typed.type_or_any();
        if !matches!(kind, Type::String | Type::Any) {
            let message = format!("`{word}` takes a string, and this is {kind}");
            self.report(Diagnostic::error(&code::UNLIKE_TYPES, value.place, message));
            return Typed::unknown();
        }
        let pattern = self.lower(text, context);
        if pattern.kind == Kind::Unknown {
            return pattern;
        }
        let Expr::Constant(Value::String(source)) = &pattern.expr else {
            let message = format!("the pattern of `{word}` has to be a text that is known beforehand");
            let help = "for a text that comes with an event, there are `starts_with`, `ends_with` and `contains`";
            self.report(Diagnostic::error(&code::TEXT_PATTERN, text.place, message).help(help));
            return Typed::unknown();
        };
        match compiled(source.as_str(), like) {
            Ok(compiled) => {
                Typed { expr: Expr::Matches(Box::new(typed.expr), compiled), kind: bool_or_unknown(&[&typed.kind]) }
            }
            Err(error) => {
                let message = format!("this is not a regular expression: {}", reason(&error));
                let help = r"a sign such as `(` that stands for itself is written `\\(`";
                self.report(Diagnostic::error(&code::TEXT_PATTERN, text.place, message).help(help));
                Typed::unknown()
            }
        }
    }

    fn conditional(&mut self, condition: &tree::Expr, branches: [&tree::Expr; 2], context: &Context<'_>) -> Typed {
        let condition = self.bool(condition, context);
        let [then, other] = self.together(branches, context);
        let (then_kind, other_kind) = (then.type_or_any(), other.type_or_any());
        let Some(kind) = then_kind.common(&other_kind) else {
            self.unlike("if", branches, [&then_kind, &other_kind]);
            return Typed::unknown();
        };
        let unknown = [&condition.kind, &then.kind, &other.kind].contains(&&Kind::Unknown);
        let kind = if unknown { Kind::Unknown } else { Kind::Is(kind) };
        Typed { expr: Expr::If(Box::new(condition.expr), Box::new(then.expr), Box::new(other.expr)), kind }
    }
}

/// Which event `a[i]` is; the first and the last have a form of their own, so that equal questions are equal.
fn pick(position: Value<'_>) -> Option<Pick> {
    match position {
        Value::Int(0) => Some(Pick::First),
        Value::Int(-1) => Some(Pick::Last),
        Value::Int(position) => Some(Pick::At(position)),
        _ => None,
    }
}

fn as_constant(expr: &Expr) -> Option<Value<'static>> {
    match expr {
        Expr::Constant(value) => Some(value.clone()),
        _ => None,
    }
}

fn bool_or_unknown(kinds: &[&Kind]) -> Kind {
    if kinds.contains(&&Kind::Unknown) { Kind::Unknown } else { Kind::Is(Type::Bool) }
}

fn balanced(operator: BinaryOperator, mut operands: Vec<Expr>) -> Expr {
    match operands.len() {
        1 => operands.remove(0),
        count => {
            let right = operands.split_off(count / 2);
            Expr::Binary(operator, Box::new(balanced(operator, operands)), Box::new(balanced(operator, right)))
        }
    }
}

fn is_arithmetic(operator: BinaryOperator) -> bool {
    operator.strength() >= BinaryOperator::Add.strength()
}

/// Whether arithmetic has a result with it: with a text there is none, also where the other side is not known yet.
fn is_computed_with(kind: &Type) -> bool {
    !matches!(kind, Type::Bool | Type::String | Type::List(_))
}

fn is_comparison(operator: BinaryOperator) -> bool {
    operator.strength() == BinaryOperator::Equal.strength()
}

/// What was probably meant by operands of unlike types.
fn unlike_help(symbol: &str, operands: [&tree::Expr; 2], kinds: [&Type; 2]) -> Option<String> {
    if symbol == "+" && kinds.contains(&&Type::String) {
        return Some("to join texts, write `concat(a, b)`".into());
    }
    if symbol == "if" {
        return Some("both branches need the same type, since the `if` as a whole has one".into());
    }
    if kinds == [&Type::Bool, &Type::Bool] {
        return Some("true and false have no order; they are equal, `==`, or not, `!=`".into());
    }
    if symbol == "in" {
        return Some(format!("the list would have to hold {}", kinds[0]));
    }
    operands.iter().zip([kinds[1], kinds[0]]).find_map(|(operand, other)| match &operand.kind {
        ExprKind::Text(text) if other.is_number() && text.parse::<f64>().is_ok() => {
            Some(format!("without quotes it is a number: `{text}`"))
        }
        ExprKind::Int(text) | ExprKind::Float(text) if *other == Type::String => {
            Some(format!("as text it is written `\"{text}\"`"))
        }
        ExprKind::Int(text) if *other == Type::Duration => Some(format!("a duration has a unit: `{text}s`, `{text}m`")),
        ExprKind::Text(text) if *other == Type::Timestamp => Some(match literal::time(text) {
            Some(_) => format!("a time is written `@{text}`, without quotes"),
            None => "a time is written like `@2021-01-19T10:00:00Z`".into(),
        }),
        _ => None,
    })
}

pub(super) fn counted(count: usize) -> String {
    match count {
        0 => "no argument".into(),
        1 => "1 argument".into(),
        count => format!("{count} arguments"),
    }
}

fn compiled(source: &str, like: bool) -> Result<TextPattern, regex::Error> {
    let regex = if like { regex::Regex::new(&like_regex(source))? } else { regex::Regex::new(source)? };
    Ok(TextPattern { source: Arc::from(source), like, regex })
}

/// `%` is any text, `_` any one character, and all else stands for itself.
fn like_regex(source: &str) -> String {
    let mut regex = String::from(r"(?s)\A");
    for char in source.chars() {
        match char {
            '%' => regex.push_str(".*"),
            '_' => regex.push('.'),
            char => regex.push_str(&regex::escape(char.encode_utf8(&mut [0; 4]))),
        }
    }
    regex.push_str(r"\z");
    regex
}

/// The last line of a regex error says why; those before draw the place.
fn reason(error: &regex::Error) -> String {
    match error {
        regex::Error::CompiledTooBig(limit) => format!("compiled, it is larger than {limit} bytes"),
        error => {
            let text = error.to_string();
            let last = text.lines().last().unwrap_or_default();
            last.strip_prefix("error: ").unwrap_or(last).to_owned()
        }
    }
}
