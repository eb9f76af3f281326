//! What a built-in function is. The functions themselves are one file each in [`crate::functions`].

use std::fmt;

use crate::Fault;
use crate::types::Type;
use crate::value::Value;

/// A built-in function: what the checker, the manual and the evaluator know of it.
pub struct Function {
    /// The name that patterns use.
    pub name: &'static str,
    /// The parameters. Where the last is variadic, it stands for one or more.
    pub parameters: &'static [Parameter],
    /// The type of the result, from the types of the arguments.
    pub result: fn(&[Type]) -> Type,
    /// Whether null arguments reach `call`. If not, one null argument makes the result null.
    pub takes_null: bool,
    /// One sentence that says what it gives.
    pub doc: &'static str,
    /// Expressions with their results, as patterns write both; each is run by the tests.
    pub examples: &'static [(&'static str, &'static str)],
    /// The function. Arguments have the declared types or are dynamic; a fault gives null and is counted.
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
