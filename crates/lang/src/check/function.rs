//! Calls: of lets, of what asks stages, of functions.

use std::sync::Arc;

use ensue_model::aggregate::aggregate_type;
use ensue_model::expr::{Aggregate, Ask, Expr, Pick};
use ensue_model::function::{Callee, Function, HostFunction};
use ensue_model::pattern::StageId;
use ensue_model::{Type, functions};

use super::expression::{Context, Kind, Lowering, Over, Place, Typed, counted};
use super::world::World;
use super::{constant, names};
use crate::code;
use crate::diagnostic::Diagnostic;
use crate::question::{self, QUESTIONS};
use crate::tree::{self, ExprKind, Name};

impl Lowering<'_, '_> {
    pub(super) fn call(
        &mut self,
        expr: &tree::Expr,
        name: &Name,
        arguments: &[tree::Expr],
        context: &Context<'_>,
    ) -> Typed {
        if let Some(let_) = self.declared.lets.get(name.text.as_str()) {
            return self.put_in(let_, name, arguments, context);
        }
        match (name.text.as_str(), arguments) {
            ("count", [stage]) => self.count(expr, stage, context),
            ("sum", [value]) => self.aggregate(expr, Aggregate::Sum, name, value, context),
            ("avg", [value]) => self.aggregate(expr, Aggregate::Avg, name, value, context),
            ("collect", [value]) => self.aggregate(expr, Aggregate::Collect, name, value, context),
            ("distinct", [value]) => self.aggregate(expr, Aggregate::Distinct, name, value, context),
            ("min", [value]) => self.aggregate(expr, Aggregate::Min, name, value, context),
            ("max", [value]) => self.aggregate(expr, Aggregate::Max, name, value, context),
            ("any", [stage, condition]) => self.each(expr, Aggregate::Any, stage, condition, context),
            ("all", [stage, condition]) => self.each(expr, Aggregate::All, stage, condition, context),
            ("first" | "last", [stage]) => self.event_as_value(expr, stage, context),
            ("time", []) => self.time_under_test(expr, context),
            ("time", [stage]) => self.time_of(expr, stage, context),
            ("key", []) => self.key(expr, context),
            ("awaiting", []) => self.of_timeout(expr, Expr::Awaiting, Type::List(Box::new(Type::String)), context),
            ("deadline", []) => self.of_timeout(expr, Expr::Deadline, Type::Timestamp, context),
            _ => self.function(expr, name, arguments, context),
        }
    }

    /// The stage that an argument has to be.
    fn stage_argument(&mut self, argument: &tree::Expr, context: &Context<'_>) -> Option<StageId> {
        let stage = self.whole_stage(argument, context);
        if stage.is_none() {
            let diagnostic = match &argument.kind {
                ExprKind::Name(name) => self.unknown_stage(name),
                _ => {
                    let message = format!("`{}` is not a stage", self.written(argument));
                    let help = match &argument.kind {
                        ExprKind::Member(base, _) if self.whole_stage(base, context).is_some() => {
                            format!("write `{}`", self.written(base))
                        }
                        _ => names::listed("the stages are", self.stages.names()),
                    };
                    Diagnostic::error(&code::NOT_A_STAGE, argument.place, message).help(help)
                }
            };
            self.report(diagnostic);
        }
        stage
    }

    /// Inside an aggregate one event is looked at, and no aggregate.
    fn asked_outside(&mut self, expr: &tree::Expr, context: &Context<'_>) -> bool {
        let outside = context.over == Over::Event;
        if !outside {
            let message = "an aggregate cannot stand inside another";
            self.report(Diagnostic::error(&code::OUT_OF_PLACE, expr.place, message));
        }
        outside
    }

    fn count(&mut self, expr: &tree::Expr, argument: &tree::Expr, context: &Context<'_>) -> Typed {
        match self.stage_argument(argument, context).filter(|_| self.asked_outside(expr, context)) {
            Some(stage) => {
                self.lookback(expr, stage, Ask::Aggregate(Aggregate::Count, Expr::truth()), Type::Int, context)
            }
            None => Typed::unknown(),
        }
    }

    /// `sum(a.x)`: the stage is the one that the argument names.
    fn aggregate(
        &mut self,
        expr: &tree::Expr,
        aggregate: Aggregate,
        name: &Name,
        argument: &tree::Expr,
        context: &Context<'_>,
    ) -> Typed {
        let Some(stage) = self.stage_in(argument, context) else {
            let message = format!("`{}` asks the events of a stage, and none is named", name.text);
            let field = match &argument.kind {
                ExprKind::Name(name) => name.text.as_str(),
                _ => "x",
            };
            let help = format!("write `{}(a.{field})`, with `a` a stage that takes several events", name.text);
            self.report(Diagnostic::error(&code::NOT_A_STAGE, argument.place, message).help(help));
            return Typed::unknown();
        };
        if self.whole_stage(argument, context).is_some() {
            let message = format!("`{}` needs a field of the stage's events", name.text);
            let help = format!("write `{}({}.x)`", name.text, self.written(argument));
            self.report(Diagnostic::error(&code::STAGE_AS_VALUE, argument.place, message).help(help));
            return Typed::unknown();
        }
        if !self.asked_outside(expr, context) {
            return Typed::unknown();
        }
        let value = self.lower(argument, &self.over(Over::Named(stage), context));
        let Kind::Is(kind) = value.kind else { return Typed::unknown() };
        match aggregate_type(aggregate, &kind) {
            Some(result) => self.lookback(expr, stage, Ask::Aggregate(aggregate, value.expr), result, context),
            None => {
                let message = format!("`{}` does not take {kind}", name.text);
                let diagnostic = Diagnostic::error(&code::ARGUMENT_TYPE, argument.place, message);
                let help = match aggregate {
                    Aggregate::Sum | Aggregate::Avg => {
                        "it goes over numbers; `count` counts events, `collect` lists values"
                    }
                    _ => "it goes over what has an order: numbers, texts, times, durations",
                };
                self.report(diagnostic.label(format!("this is {kind}")).help(help));
                Typed::unknown()
            }
        }
    }

    /// The first stage that an expression names.
    fn stage_in(&self, expr: &tree::Expr, context: &Context<'_>) -> Option<StageId> {
        self.whole_stage(expr, context)
            .or_else(|| expr.children().into_iter().find_map(|child| self.stage_in(child, context)))
    }

    /// `any(a, x > 3)`
    fn each(
        &mut self,
        expr: &tree::Expr,
        aggregate: Aggregate,
        stage: &tree::Expr,
        condition: &tree::Expr,
        context: &Context<'_>,
    ) -> Typed {
        let Some(stage) = self.stage_argument(stage, context).filter(|_| self.asked_outside(expr, context)) else {
            return Typed::unknown();
        };
        let condition = self.bool(condition, &self.over(Over::Bare(stage), context));
        match condition.kind {
            Kind::Unknown => condition,
            Kind::Is(_) => self.lookback(expr, stage, Ask::Aggregate(aggregate, condition.expr), Type::Bool, context),
        }
    }

    /// `first(a)` alone: an event is not a value.
    fn event_as_value(&mut self, expr: &tree::Expr, argument: &tree::Expr, context: &Context<'_>) -> Typed {
        if self.stage_argument(argument, context).is_some() {
            let diagnostic = Diagnostic::error(&code::STAGE_AS_VALUE, expr.place, "this is an event, not a value");
            self.report(diagnostic.help(format!("name a field of it: `{}.x`", self.written(expr))));
        }
        Typed::unknown()
    }

    fn time_under_test(&mut self, expr: &tree::Expr, context: &Context<'_>) -> Typed {
        let tested = matches!(context.place, Place::Key | Place::Stage(_)) || matches!(context.over, Over::Bare(_));
        if tested && !matches!(context.over, Over::Named(_)) {
            return Typed::new(Expr::Time, Type::Timestamp);
        }
        let diagnostic = Diagnostic::error(&code::OUT_OF_PLACE, expr.place, "no event is under test here");
        self.report(diagnostic.help("say which stage's event is meant: `time(a)`"));
        Typed::unknown()
    }

    fn time_of(&mut self, expr: &tree::Expr, argument: &tree::Expr, context: &Context<'_>) -> Typed {
        let event = match self.event(argument, context) {
            Some(event) => Some(event),
            None => self.stage_argument(argument, context).map(|stage| (stage, Pick::Last)),
        };
        match event {
            Some((stage, pick)) => {
                self.of_stage(expr, stage, pick, context, |_| Typed::new(Expr::Time, Type::Timestamp))
            }
            None => Typed::unknown(),
        }
    }

    /// The key's only part, or all of them.
    fn key(&mut self, expr: &tree::Expr, context: &Context<'_>) -> Typed {
        let reason = match (context.place, context.over, self.key_kinds.as_slice()) {
            (Place::Key, _, _) => "the key cannot need itself",
            (_, Over::Named(_) | Over::Bare(_), _) => "the key is not asked inside an aggregate",
            (_, _, []) => "the pattern has no key",
            (_, _, [kind]) => return Typed::new(Expr::Key(0), kind.clone()),
            (_, _, [first, others @ ..]) => {
                let kind = others.iter().try_fold(first.clone(), |kind, other| kind.common(other));
                let parts = (0..self.key_kinds.len()).map(|part| Expr::Key(part as u16)).collect();
                return Typed::new(Expr::List(parts), Type::List(Box::new(kind.unwrap_or(Type::Any))));
            }
        };
        self.report(Diagnostic::error(&code::OUT_OF_PLACE, expr.place, reason));
        Typed::unknown()
    }

    fn of_timeout(&mut self, expr: &tree::Expr, asked: Expr, kind: Type, context: &Context<'_>) -> Typed {
        if context.place == Place::Timeout && context.over == Over::Event {
            return Typed::new(asked, kind);
        }
        let message = format!("`{}` has an answer only in `timeout`", self.written(expr));
        self.report(Diagnostic::error(&code::OUT_OF_PLACE, expr.place, message));
        Typed::unknown()
    }

    fn function(&mut self, expr: &tree::Expr, name: &Name, arguments: &[tree::Expr], context: &Context<'_>) -> Typed {
        if let Some(function) = functions::find(&name.text) {
            return self.built_in(expr, function, arguments, context);
        }
        let options = self.world.options;
        if let Some(function) = options.functions.iter().find(|function| function.name == name.text) {
            return self.host_function(expr, function, arguments, context);
        }
        let diagnostic = self.unknown_function(name, arguments.len());
        self.report(diagnostic);
        Typed::unknown()
    }

    fn built_in(
        &mut self,
        expr: &tree::Expr,
        function: &'static Function,
        arguments: &[tree::Expr],
        context: &Context<'_>,
    ) -> Typed {
        let name = function.name;
        let arguments_typed = self.all_together(arguments, context);
        if !takes(function, arguments.len()) {
            let message = format!("`{name}` takes {}, and has {}", arity(function), arguments.len());
            self.report(Diagnostic::error(&code::ARGUMENTS, expr.place, message).help(signature(function)));
            return Typed::unknown();
        }
        let mut fits = true;
        for (position, (typed, argument)) in arguments_typed.iter().zip(arguments).enumerate() {
            fits &= self.argument_fits(function, position, typed, argument);
        }
        if !fits || arguments_typed.iter().any(|typed| typed.kind == Kind::Unknown) {
            return Typed::unknown();
        }
        let kinds: Vec<Type> = arguments_typed.iter().map(Typed::type_or_any).collect();
        let exprs = arguments_typed.into_iter().map(|typed| typed.expr).collect();
        match (function.result)(&kinds) {
            Some(kind) => Typed::new(Expr::Call(Callee::BuiltIn(function), exprs), kind),
            None => {
                let message = format!("`{name}` does not go with {}", types(&kinds));
                self.report(Diagnostic::error(&code::ARGUMENT_TYPE, expr.place, message).help(signature(function)));
                Typed::unknown()
            }
        }
    }

    fn host_function(
        &mut self,
        expr: &tree::Expr,
        function: &Arc<HostFunction>,
        arguments: &[tree::Expr],
        context: &Context<'_>,
    ) -> Typed {
        let (name, parameters) = (&function.name, &function.parameters);
        if parameters.len() != arguments.len() {
            let message = format!("`{name}` takes {}, and has {}", counted(parameters.len()), arguments.len());
            self.report(Diagnostic::error(&code::ARGUMENTS, expr.place, message).help(host_signature(function)));
            return Typed::unknown();
        }
        let mut exprs = Vec::new();
        for ((parameter, wanted), argument) in parameters.iter().zip(arguments) {
            let typed = self.lower(argument, &context.exact_if(*wanted == Type::Decimal));
            match &typed.kind {
                Kind::Is(kind) if admits(wanted, kind) => exprs.push(constant::int_as(typed.expr, wanted)),
                Kind::Is(kind) => {
                    let message = format!("`{name}` needs {wanted} as `{parameter}`, and this is {kind}");
                    let diagnostic = Diagnostic::error(&code::ARGUMENT_TYPE, argument.place, message);
                    self.report(diagnostic.label(format!("this is {kind}")).help(host_signature(function)));
                }
                Kind::Unknown => {}
            }
        }
        match exprs.len() == parameters.len() {
            true => Typed::new(Expr::Call(Callee::Host(function.clone()), exprs), function.result.clone()),
            false => Typed::unknown(),
        }
    }

    fn argument_fits(&mut self, function: &Function, position: usize, typed: &Typed, argument: &tree::Expr) -> bool {
        let Some(parameter) = function.parameter(position) else { return true };
        let kind = typed.type_or_any();
        let fits = parameter.accepts.admits(&kind);
        if !fits {
            let (name, wanted) = (parameter.name, parameter.accepts);
            let message = format!("`{}` needs {wanted} as `{name}`, and this is {kind}", function.name);
            let diagnostic = Diagnostic::error(&code::ARGUMENT_TYPE, argument.place, message);
            self.report(diagnostic.label(format!("this is {kind}")).help(signature(function)));
        }
        fits
    }

    fn unknown_function(&self, name: &Name, arguments: usize) -> Diagnostic {
        if let Some(question) = question::find(&name.text) {
            let message = format!("`{}` cannot be asked with {}", name.text, counted(arguments));
            return Diagnostic::error(&code::ARGUMENTS, name.place, message).help(question.help());
        }
        let functions = functions::FUNCTIONS.iter().map(|function| function.name);
        let hosts = self.world.options.functions.iter().map(|function| function.name.as_str());
        let questions = QUESTIONS.iter().map(|question| question.name);
        let lets = self.declared.lets.keys().copied();
        let near = || names::meant(&name.text, functions.chain(hosts).chain(questions).chain(lets));
        let help = foreign(&name.text).map(str::to_owned).or_else(near);
        Diagnostic::error(&code::UNKNOWN_FUNCTION, name.place, format!("there is no function `{}`", name.text))
            .maybe_help(help)
    }
}

/// What to write for what other languages have a function for.
fn foreign(name: &str) -> Option<&'static str> {
    let help = match name.to_lowercase().replace('_', "").as_str() {
        "isnull" => "write `x is null`",
        "exists" | "isnotnull" | "notnull" | "has" => "write `x is not null`",
        "ifnull" | "nvl" => "write `coalesce(x, 0)`, or `x ?? 0`",
        "length" | "strlen" | "size" | "charlength" => "write `len(x)`",
        "substring" | "mid" | "left" | "right" => "write `substr(x, start, length)`",
        "tolower" | "lcase" | "lowercase" => "write `lower(x)`",
        "toupper" | "ucase" | "uppercase" => "write `upper(x)`",
        "indexof" | "position" | "instr" | "strpos" => "write `contains(x, part)`",
        "regexplike" | "regexmatch" | "regexp" | "rlike" => "write `x matches \"..\"`",
        "now" | "currenttimestamp" | "sysdate" | "timestamp" | "eventtime" => {
            "`time()` is the time of the event under test"
        }
        "prev" | "previous" | "lag" => {
            "`a.x` is of the latest event that the stage `a` has taken, `a[-2].x` of the one before"
        }
        "mean" | "average" => "write `avg(a.x)`",
        "power" => "write `pow(x, y)`",
        "ceiling" => "write `ceil(x)`",
        "datetrunc" | "startof" => "write `truncate(t, 1d)`",
        "dayofweek" | "weekday" | "dow" => "write `day_of_week(t)`",
        "iif" => "write `if c then a else b`",
        "cast" | "convert" | "toint" | "tostring" | "tonumber" | "parse" => {
            "values have the types that the `stream` declares; `concat(x)` makes a text"
        }
        _ => return None,
    };
    Some(help)
}

fn takes(function: &Function, count: usize) -> bool {
    let (least, most) = function.arity();
    count >= least && most.is_none_or(|most| count <= most)
}

fn arity(function: &Function) -> String {
    match function.arity() {
        (least, None) => format!("{} or more", counted(least)),
        (least, Some(most)) if least < most => format!("{least} to {most} arguments"),
        (_, Some(most)) => counted(most),
    }
}

/// `substr(text, start, length?)`
fn signature(function: &Function) -> String {
    let parameters = function.parameters.iter().map(|parameter| {
        let mark = if parameter.variadic {
            ", ..."
        } else if parameter.optional {
            "?"
        } else {
            ""
        };
        format!("{}{mark}", parameter.name)
    });
    format!("`{}({})`: {}", function.name, parameters.collect::<Vec<_>>().join(", "), function.doc)
}

/// `risk(amount: float, country: string)`
fn host_signature(function: &HostFunction) -> String {
    let parameters = function.parameters.iter().map(|(name, kind)| format!("{name}: {kind}"));
    let doc = if function.doc.is_empty() { String::new() } else { format!(": {}", function.doc) };
    format!("`{}({})`{doc}", function.name, parameters.collect::<Vec<_>>().join(", "))
}

/// Whether a parameter of a host function takes what is of a type: an int where another number is, and what may fit.
fn admits(parameter: &Type, argument: &Type) -> bool {
    match (parameter, argument) {
        (Type::Any, _) | (_, Type::Any) => true,
        (Type::Float | Type::Decimal, Type::Int) => true,
        (Type::List(parameter), Type::List(argument)) => parameter.common(argument).is_some(),
        (parameter, argument) => parameter == argument,
    }
}

/// The program's functions have names that are not taken.
pub(super) fn check_host_functions(world: &mut World<'_>) {
    let options = world.options;
    for (position, function) in options.functions.iter().enumerate() {
        let name = function.name.as_str();
        let is_built_in = functions::find(name).is_some() || question::find(name).is_some();
        let is_given_before = options.functions[..position].iter().any(|other| other.name == name);
        let message = match (is_built_in, is_given_before) {
            (true, _) => format!("the program gives a function `{name}`, and that name is built in"),
            (false, true) => format!("the program gives two functions `{name}`"),
            (false, false) => continue,
        };
        world.report(0, Diagnostic::of_caller(&code::HOST_FUNCTION, message).help("give it another name"));
    }
}

/// "int and string", "int, string and bool"
fn types(kinds: &[Type]) -> String {
    let kinds: Vec<String> = kinds.iter().map(Type::to_string).collect();
    match kinds.as_slice() {
        [most @ .., last] if !most.is_empty() => format!("{} and {last}", most.join(", ")),
        kinds => kinds.concat(),
    }
}
