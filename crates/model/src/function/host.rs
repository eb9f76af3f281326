//! Functions of the host program.

use std::fmt;

use rust_decimal::Decimal;
use smallvec::SmallVec;

use crate::eval::Fault;
use crate::time::{Span, Timestamp};
use crate::types::Type;
use crate::value::{Text, Value};

/// A function that the host program gives to its patterns.
///
/// It must give the same for the same arguments: conditions are evaluated once for all that ask, and state is restored and
/// replayed. It should be quick, since it runs between two events.
///
/// ```
/// use ensue_model::function::HostFunction;
/// use ensue_model::{Type, Value};
///
/// let risk = HostFunction::new("risk", ["amount", "country"], |amount: f64, country: &str| match country {
///     "home" => amount / 2.0,
///     _ => amount,
/// });
/// assert_eq!(risk.parameters[0], ("amount".to_owned(), Type::Float));
/// assert_eq!(risk.result, Type::Float);
/// assert_eq!(risk.apply(&[Value::Float(3.0), "home".into()]), Ok(Value::Float(1.5)));
///
/// // An int will do where a float is taken; what is asked of null is null.
/// assert_eq!(risk.apply(&[Value::Int(3), "away".into()]), Ok(Value::Float(3.0)));
/// assert_eq!(risk.apply(&[Value::Null, "home".into()]), Ok(Value::Null));
/// ```
pub struct HostFunction {
    /// The name that patterns use.
    pub name: String,
    /// The parameters' names and types.
    pub parameters: Vec<(String, Type)>,
    /// The type of the result.
    pub result: Type,
    /// One sentence that says what it gives.
    pub doc: String,
    call: Box<HostCall>,
}

/// What a host function does with arguments of its parameters' types, of which none is null.
type HostCall = dyn for<'a> Fn(&[Value<'a>]) -> Result<Value<'static>, Fault> + Send + Sync;

impl HostFunction {
    /// A function with names for its parameters. Their types are those of what it takes: `bool`, `i64`, `f64`, `Decimal`,
    /// `&str`, `String`, `Timestamp`, `Span`. It gives one of these, or an `Option` of one, or a `Result` with a [`Fault`], which is
    /// counted and gives null.
    pub fn new<A, R, const N: usize>(name: &str, parameters: [&str; N], call: impl Arguments<A, R, N>) -> Self
    where
        R: Returned,
    {
        let kinds = call.kinds();
        let parameters = parameters.into_iter().map(str::to_owned).zip(kinds).collect();
        let call = move |arguments: &[Value<'_>]| call.call(arguments)?.returned();
        HostFunction::of_values(name, parameters, R::kind(), call)
    }

    /// A function over values, which have the parameters' types and are not null.
    pub fn of_values(
        name: &str,
        parameters: Vec<(String, Type)>,
        result: Type,
        call: impl for<'a> Fn(&[Value<'a>]) -> Result<Value<'static>, Fault> + Send + Sync + 'static,
    ) -> Self {
        HostFunction { name: name.to_owned(), parameters, result, doc: String::new(), call: Box::new(call) }
    }

    /// With one sentence that says what it gives, for messages.
    #[must_use]
    pub fn doc(self, doc: &str) -> Self {
        HostFunction { doc: doc.to_owned(), ..self }
    }

    /// The result for arguments: null where one is null; a fault where one is of another type than its parameter. An int
    /// becomes what its parameter is, as in arithmetic.
    pub fn apply(&self, arguments: &[Value<'_>]) -> Result<Value<'static>, Fault> {
        if arguments.iter().any(Value::is_null) {
            return Ok(Value::Null);
        }
        if arguments.len() != self.parameters.len() {
            return Err(Fault::UnlikeTypes);
        }
        let pairs = || arguments.iter().zip(self.parameters.iter().map(|(_, kind)| kind));
        if pairs().all(|(argument, kind)| is_of(argument, kind)) {
            return (self.call)(arguments);
        }
        let widened: Option<SmallVec<[Value<'_>; 4]>> =
            pairs().map(|(argument, kind)| widened(argument, kind)).collect();
        (self.call)(&widened.ok_or(Fault::UnlikeTypes)?)
    }
}

/// Whether a value is of a type as it stands.
fn is_of(value: &Value<'_>, kind: &Type) -> bool {
    match (value, kind) {
        (_, Type::Any) => true,
        (Value::List(items), Type::List(item)) => items.iter().all(|value| value.is_null() || is_of(value, item)),
        (value, kind) => value.type_of() == *kind,
    }
}

/// The value as one of a type: an int becomes another number.
fn widened<'v>(value: &'v Value<'_>, kind: &Type) -> Option<Value<'v>> {
    match (value, kind) {
        (Value::Int(int), Type::Float) => Some(Value::Float(*int as f64)),
        (Value::Int(int), Type::Decimal) => Some(Value::Decimal(Decimal::from(*int))),
        (value, kind) => is_of(value, kind).then(|| value.borrowed()),
    }
}

impl PartialEq for HostFunction {
    /// Functions are told apart by name: a program gives a name once.
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl fmt::Debug for HostFunction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

/// What a host function can take.
pub trait Argument<'v> {
    /// The same, with the lifetime of the value that it is in.
    type Of;

    /// Its type in the language.
    fn kind() -> Type;

    /// The value as it; none if it is of another type.
    fn of(value: &'v Value<'_>) -> Option<Self::Of>;
}

/// What a host function can give.
pub trait Returned {
    /// Its type in the language, beside null.
    fn kind() -> Type;

    /// It as a value.
    fn returned(self) -> Result<Value<'static>, Fault>;
}

/// A type of Rust that is one of the language.
macro_rules! types {
    ($($rust:ty, $kind:ident, $variant:ident;)*) => {$(
        impl<'v> Argument<'v> for $rust {
            type Of = $rust;

            fn kind() -> Type {
                Type::$kind
            }

            fn of(value: &'v Value<'_>) -> Option<$rust> {
                match value {
                    Value::$variant(value) => Some(*value),
                    _ => None,
                }
            }
        }

        impl Returned for $rust {
            fn kind() -> Type {
                Type::$kind
            }

            fn returned(self) -> Result<Value<'static>, Fault> {
                Ok(Value::$variant(self))
            }
        }
    )*};
}

types! {
    bool, Bool, Bool;
    i64, Int, Int;
    f64, Float, Float;
    Decimal, Decimal, Decimal;
    Timestamp, Timestamp, Timestamp;
    Span, Duration, Duration;
}

impl<'v> Argument<'v> for &str {
    type Of = &'v str;

    fn kind() -> Type {
        Type::String
    }

    fn of(value: &'v Value<'_>) -> Option<&'v str> {
        match value {
            Value::String(text) => Some(Text::as_str(text)),
            _ => None,
        }
    }
}

impl<'v> Argument<'v> for String {
    type Of = String;

    fn kind() -> Type {
        Type::String
    }

    fn of(value: &'v Value<'_>) -> Option<String> {
        <&str as Argument<'v>>::of(value).map(str::to_owned)
    }
}

impl Returned for String {
    fn kind() -> Type {
        Type::String
    }

    fn returned(self) -> Result<Value<'static>, Fault> {
        Ok(self.into())
    }
}

impl Returned for &'static str {
    fn kind() -> Type {
        Type::String
    }

    fn returned(self) -> Result<Value<'static>, Fault> {
        Ok(self.into())
    }
}

impl<R: Returned> Returned for Option<R> {
    fn kind() -> Type {
        R::kind()
    }

    fn returned(self) -> Result<Value<'static>, Fault> {
        self.map_or(Ok(Value::Null), R::returned)
    }
}

impl<R: Returned> Returned for Result<R, Fault> {
    fn kind() -> Type {
        R::kind()
    }

    fn returned(self) -> Result<Value<'static>, Fault> {
        self.and_then(R::returned)
    }
}

/// A function of `N` arguments of types `A`, each an [`Argument`], that gives an `R`. It is there for all closures that are such,
/// up to six arguments, and for nothing else.
pub trait Arguments<A, R, const N: usize>: Send + Sync + 'static {
    /// The types of the parameters.
    fn kinds(&self) -> [Type; N];

    /// The result for values of these types; a fault where one is of another.
    fn call(&self, arguments: &[Value<'_>]) -> Result<R, Fault>;
}

/// The function for so many arguments. That it is one of arguments with any lifetime is said a second time: the first time
/// tells the compiler which types they are.
macro_rules! arguments {
    ($count:literal $($argument:ident $value:ident)*) => {
        impl<F, R, $($argument),*> Arguments<($($argument,)*), R, $count> for F
        where
            F: Fn($($argument),*) -> R + for<'v> Fn($(<$argument as Argument<'v>>::Of),*) -> R + Send + Sync + 'static,
            $($argument: for<'v> Argument<'v>,)*
        {
            fn kinds(&self) -> [Type; $count] {
                [$(<$argument as Argument<'_>>::kind()),*]
            }

            fn call(&self, arguments: &[Value<'_>]) -> Result<R, Fault> {
                let [$($value),*] = arguments else { return Err(Fault::UnlikeTypes) };
                Ok(self($(<$argument as Argument<'_>>::of($value).ok_or(Fault::UnlikeTypes)?),*))
            }
        }
    };
}

arguments!(0);
arguments!(1 A a);
arguments!(2 A a B b);
arguments!(3 A a B b C c);
arguments!(4 A a B b C c D d);
arguments!(5 A a B b C c D d E e);
arguments!(6 A a B b C c D d E e G g);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_follow_from_the_function() {
        fn shout(text: String) -> String {
            text.to_uppercase()
        }
        let function = |function: HostFunction| {
            let kinds: Vec<String> = function.parameters.iter().map(|(name, kind)| format!("{name}: {kind}")).collect();
            format!("{}({}): {}", function.name, kinds.join(", "), function.result)
        };
        assert_eq!(function(HostFunction::new("shout", ["text"], shout)), "shout(text: string): string");
        assert_eq!(function(HostFunction::new("one", [], || 1_i64)), "one(): int");
        let first = HostFunction::new("first", ["text", "count"], |text: &str, count: i64| -> Option<String> {
            text.get(..usize::try_from(count).ok()?).map(str::to_owned)
        });
        assert_eq!(first.apply(&["abc".into(), Value::Int(2)]), Ok("ab".into()));
        assert_eq!(first.apply(&["abc".into(), Value::Int(-2)]), Ok(Value::Null));
        assert_eq!(function(first), "first(text: string, count: int): string");
        let all = HostFunction::new(
            "all",
            ["a", "b", "c", "d", "e", "f"],
            |_: bool, _: Decimal, _: Timestamp, _: Span, _: f64, _: &str| -> Result<Span, Fault> {
                Err(Fault::Overflow)
            },
        );
        let shown = "all(a: bool, b: decimal, c: timestamp, d: duration, e: float, f: string): duration";
        assert_eq!(function(all), shown);
    }

    #[test]
    fn an_argument_of_another_type_is_a_fault_and_never_reaches_the_function() {
        let half = HostFunction::new("half", ["of"], |of: f64| of / 2.0);
        assert_eq!(half.apply(&["text".into()]), Err(Fault::UnlikeTypes));
        assert_eq!(half.apply(&[]), Err(Fault::UnlikeTypes));
        assert_eq!(half.apply(&[Value::Decimal(Decimal::ONE)]), Err(Fault::UnlikeTypes));
        assert_eq!(half.apply(&[Value::Int(3)]), Ok(Value::Float(1.5)));
        let cents = HostFunction::new("cents", ["of"], |of: Decimal| of * Decimal::ONE_HUNDRED);
        assert_eq!(cents.apply(&[Value::Int(3)]), Ok(Value::Decimal(Decimal::from(300))));
        let fails = HostFunction::new("fails", ["of"], |_: i64| -> Result<i64, Fault> { Err(Fault::Argument) });
        assert_eq!(fails.apply(&[Value::Int(3)]), Err(Fault::Argument));
    }

    #[test]
    fn a_list_is_taken_where_all_its_items_fit() {
        let texts = Type::List(Box::new(Type::String));
        let count =
            HostFunction::of_values("count", vec![("of".to_owned(), texts)], Type::Int, |arguments| match arguments {
                [Value::List(items)] => Ok(Value::Int(items.len() as i64)),
                _ => Err(Fault::Argument),
            });
        let list = |items: Vec<Value<'static>>| Value::List(items.into());
        assert_eq!(count.apply(&[list(vec!["a".into(), Value::Null])]), Ok(Value::Int(2)));
        assert_eq!(count.apply(&[list(vec!["a".into(), Value::Int(1)])]), Err(Fault::UnlikeTypes));
    }
}
