//! What functions are: the built-in ones, which are one file each in [`crate::functions`], and those of a host program.

mod host;

use std::fmt;
use std::sync::Arc;

use crate::Fault;
use crate::types::Type;
use crate::value::Value;

pub use host::{Argument, Arguments, HostFunction, Returned};

/// A built-in function: what the checker, the manual and the evaluator know of it.
pub struct Function {
    /// The name that patterns use.
    pub name: &'static str,
    /// The parameters. Where the last is variadic, it stands for one or more.
    pub parameters: &'static [Parameter],
    /// The type of the result, from the types of the arguments, which the parameters accept; none where they are unlike
    /// (`coalesce(name, 0)`).
    pub result: fn(&[Type]) -> Option<Type>,
    /// Whether null arguments reach `call`. If not, one null argument makes the result null.
    pub takes_null: bool,
    /// One sentence that says what it gives.
    pub doc: &'static str,
    /// Expressions with their results, as patterns write both; each is run by the tests.
    pub examples: &'static [(&'static str, &'static str)],
    /// The function; call it by [`Function::apply`]. Arguments have the declared types or are dynamic; a fault gives null
    /// and is counted.
    pub call: for<'a> fn(&[Value<'a>]) -> Result<Value<'a>, Fault>,
}

/// A parameter of a built-in function.
pub struct Parameter {
    /// Its name, for messages and the manual.
    pub name: &'static str,
    /// What it accepts.
    pub accepts: Accepts,
    /// Whether it may be left out.
    pub optional: bool,
    /// Whether there may be several.
    pub variadic: bool,
}

/// What a parameter accepts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Accepts {
    /// Anything.
    Any,
    /// `int`, `float` or `decimal`.
    Number,
    /// `int`
    Int,
    /// `string`
    String,
    /// `timestamp`
    Timestamp,
    /// `duration`
    Duration,
    /// `string` or a list.
    Sequence,
}

impl Accepts {
    /// Whether an argument of that type fits; `any` may fit, which shows when an event is there.
    pub fn admits(self, argument: &Type) -> bool {
        match self {
            Accepts::Any => true,
            _ if *argument == Type::Any => true,
            Accepts::Number => argument.is_number(),
            Accepts::Int => *argument == Type::Int,
            Accepts::String => *argument == Type::String,
            Accepts::Timestamp => *argument == Type::Timestamp,
            Accepts::Duration => *argument == Type::Duration,
            Accepts::Sequence => matches!(argument, Type::String | Type::List(_)),
        }
    }
}

impl fmt::Display for Accepts {
    /// As a message names it: `a number`, `a string or a list`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Accepts::Any => "any value",
            Accepts::Number => "a number",
            Accepts::Int => "an int",
            Accepts::String => "a string",
            Accepts::Timestamp => "a timestamp",
            Accepts::Duration => "a duration",
            Accepts::Sequence => "a string or a list",
        })
    }
}

impl Parameter {
    /// A parameter that is given once.
    pub const fn one(name: &'static str, accepts: Accepts) -> Self {
        Parameter { name, accepts, optional: false, variadic: false }
    }

    /// A parameter that may be left out.
    pub const fn optional(name: &'static str, accepts: Accepts) -> Self {
        Parameter { name, accepts, optional: true, variadic: false }
    }

    /// A parameter that is given once or more.
    pub const fn variadic(name: &'static str, accepts: Accepts) -> Self {
        Parameter { name, accepts, optional: false, variadic: true }
    }
}

impl Function {
    /// The least and the greatest number of arguments; none is without bound.
    pub fn arity(&self) -> (usize, Option<usize>) {
        let least = self.parameters.iter().filter(|parameter| !parameter.optional).count();
        let bounded = !self.parameters.last().is_some_and(|parameter| parameter.variadic);
        (least, bounded.then_some(self.parameters.len()))
    }

    /// The result for arguments: null where one is null, unless the function takes nulls.
    pub fn apply<'a>(&self, arguments: &[Value<'a>]) -> Result<Value<'a>, Fault> {
        if !self.takes_null && arguments.iter().any(Value::is_null) {
            return Ok(Value::Null);
        }
        (self.call)(arguments)
    }

    /// The parameter that takes the argument at `position`: a variadic one takes all from its own on.
    pub fn parameter(&self, position: usize) -> Option<&Parameter> {
        self.parameters.get(position).or_else(|| self.parameters.last().filter(|parameter| parameter.variadic))
    }
}

/// What a call calls.
#[derive(Clone, PartialEq, Debug)]
pub enum Callee {
    /// A built-in function.
    BuiltIn(&'static Function),
    /// A function of the host program.
    Host(Arc<HostFunction>),
}

impl Callee {
    /// The name that patterns use.
    pub fn name(&self) -> &str {
        match self {
            Callee::BuiltIn(function) => function.name,
            Callee::Host(function) => &function.name,
        }
    }

    /// The result for arguments; null where one is null, unless the function takes nulls.
    pub fn apply<'a>(&self, arguments: &[Value<'a>]) -> Result<Value<'a>, Fault> {
        match self {
            Callee::BuiltIn(function) => function.apply(arguments),
            Callee::Host(function) => function.apply(arguments),
        }
    }
}

impl PartialEq for Function {
    /// Functions are told apart by name: a name is in the table once.
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl fmt::Debug for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}
