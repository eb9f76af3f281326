//! Complex event processing with a pattern language of its own.
//!
//! A pattern says which events, in which order and within which time, make a *match*. It is compiled to an automaton that
//! runs for each key over a stream in event time. What began and did not become a match in time comes out too, as a
//! *timeout*, apart from the matches.
//!
//! # Over events of your own type
//!
//! Implement [`Event`] for it: a time, and fields by their position in a [`Schema`].
//!
//! ```
//! use ensue::{Config, Engine, Event, FieldId, Outputs, Schema, Timestamp, Type, Value};
//!
//! struct Order {
//!     id: i64,
//!     kind: &'static str,
//!     seconds: i64,
//! }
//!
//! impl Event for Order {
//!     fn time(&self) -> Timestamp {
//!         Timestamp::from_seconds(self.seconds)
//!     }
//!
//!     fn field(&self, field: FieldId) -> Value<'_> {
//!         match field.0 {
//!             0 => self.id.into(),
//!             1 => self.kind.into(),
//!             _ => Value::Null,
//!         }
//!     }
//! }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let schema = Schema::stream("orders").field("id", Type::Int).field("kind", Type::String).key("id").type_field("kind");
//! let patterns = ensue::compile("begin create followedBy pay within 15m", &schema)?;
//!
//! let mut engine = Engine::new(&patterns, Config::default())?;
//! let mut out = Outputs::new();
//! for (id, kind, seconds) in [(1234, "create", 0), (1235, "create", 1), (1234, "pay", 11)] {
//!     engine.push(Order { id, kind, seconds }, &mut out)?;
//! }
//! engine.advance(Timestamp::from_seconds(60), &mut out)?; // no event before this will come
//!
//! // The match holds the events themselves.
//! let paid: Vec<&Order> = out.matches[0].run.events.iter().map(|(_, taken)| &*taken.event).collect();
//! assert_eq!((paid[0].id, paid[0].seconds, paid[1].seconds), (1234, 0, 11));
//!
//! engine.finish(&mut out)?; // the end of time: what is open times out
//! assert_eq!(out.timeouts[0].run.events[0].1.event.id, 1235);
//! assert_eq!(out.timeouts[0].deadline, Timestamp::from_seconds(901));
//! # Ok(())
//! # }
//! ```
//!
//! # Over rows
//!
//! Where the fields are known only at run time, events are [`Row`]s, with a value for each field of
//! [`Patterns::schema`](ensue_model::Patterns).
//!
//! ```
//! use ensue::{Config, Engine, Outputs, Row, Schema, Timestamp};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let text = r#"
//!     pattern rising
//!     key sensor
//!     begin low where celsius < 50
//!     next high where celsius > low.celsius + 20
//!     within 1m
//! "#;
//! let patterns = ensue::compile(text, &Schema::open())?;
//!
//! let mut engine = Engine::new(&patterns, Config::default())?;
//! let mut out = Outputs::new();
//! for (sensor, celsius, seconds) in [("a", 40, 0), ("b", 41, 1), ("a", 61, 10), ("b", 42, 11)] {
//!     let values = patterns.schema.fields.iter().map(|field| match field.name.as_str() {
//!         "sensor" => sensor.into(),
//!         _ => i64::from(celsius).into(),
//!     });
//!     engine.push(Row::new(Timestamp::from_seconds(seconds), values.collect()), &mut out)?;
//! }
//! engine.finish(&mut out)?;
//! assert_eq!(out.matches.len(), 1);
//! # Ok(())
//! # }
//! ```
//!
//! # Functions of your own
//!
//! A closure is a function of the patterns; its types are theirs.
//!
//! ```
//! use ensue::lang::Options;
//! use ensue::{HostFunction, Schema, Type};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let risk = HostFunction::new("risk", ["amount", "country"], |amount: f64, country: &str| match country {
//!     "home" => amount / 1000.0,
//!     _ => amount / 100.0,
//! });
//! let schema = Schema::stream("payments").field("amount", Type::Float).field("country", Type::String);
//! let options = Options { schema, functions: vec![risk.into()], ..Options::default() };
//! let patterns = ensue::compile_with("begin a where risk(amount, country) > 0.5", &options)?;
//!
//! let error = ensue::compile_with("begin a where risk(country, country) > 0.5", &options)
//!     .expect_err("an amount is no text");
//! assert!(error.to_string().contains("`risk` needs float as `amount`, and this is string"));
//! # let mut out = ensue::Outputs::new();
//! # let mut engine = ensue::Engine::new(&patterns, ensue::Config::default())?;
//! # for (amount, country) in [(400.0, "home"), (400.0, "away")] {
//! #     engine.push(ensue::Row::new(ensue::Timestamp::from_seconds(0), vec![amount.into(), country.into()]), &mut out)?;
//! # }
//! # engine.finish(&mut out)?;
//! # assert_eq!(out.matches.len(), 1);
//! # Ok(())
//! # }
//! ```
//!
//! # Several streams
//!
//! The text declares them; an event says its own, by its position in [`Patterns::streams`](ensue_model::Patterns).
//!
//! ```
//! use ensue::{Config, Engine, Outputs, Row, Schema, StreamId, Timestamp, Value};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let text = r#"
//!     stream orders   { order: int }
//!     stream receipts { reference: int }
//!
//!     pattern paid
//!     key { orders: order, receipts: reference }
//!     begin create: orders where true
//!     followedBy pay: receipts where true
//!     within 15m
//! "#;
//! let patterns = ensue::compile(text, &Schema::open())?;
//! let stream = |name: &str| patterns.stream(name).expect("it is declared");
//! let event = |stream: StreamId, key: i64, seconds: i64| {
//!     let field = patterns.streams[usize::from(stream.0)].fields[0];
//!     Row::of_text(Timestamp::from_seconds(seconds), "", [(field, Value::Int(key))]).of_stream(stream)
//! };
//!
//! let mut engine = Engine::new(&patterns, Config::default())?;
//! let mut out = Outputs::new();
//! engine.push(event(stream("orders"), 1234, 0), &mut out)?;
//! engine.push(event(stream("receipts"), 1234, 11), &mut out)?;
//! engine.finish(&mut out)?;
//! assert_eq!(out.matches.len(), 1);
//! # Ok(())
//! # }
//! ```
//!
//! # Records and tables
//!
//! A record is what an output comes out as; a table is what is known beside the events. It may get other rows at any time.
//!
//! ```
//! use std::sync::Arc;
//!
//! use ensue::{Config, Engine, Outputs, Row, Schema, Table, Timestamp, Value};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let text = r#"
//!     stream sales { sku: string @key }
//!     table products key sku { sku: string, category: string }
//!
//!     pattern sold
//!     begin sale where true
//!     emit { sku: sale.sku, category: products[sale.sku].category }
//! "#;
//! let patterns = ensue::compile(text, &Schema::open())?;
//! let products = patterns.table("products").expect("it is declared");
//! let rows = |category: &str| {
//!     let mut table = Table::new(&patterns.tables[usize::from(products.0)]);
//!     table.insert(["b-1".into(), category.to_owned().into()].into());
//!     Arc::new(table)
//! };
//!
//! let mut engine = Engine::new(&patterns, Config::default())?;
//! let mut out = Outputs::new();
//! let sale = |seconds| Row::new(Timestamp::from_seconds(seconds), vec!["b-1".into()]);
//! engine.set_table(products, rows("books"));
//! engine.push(sale(0), &mut out)?;
//! engine.advance(Timestamp::from_seconds(0), &mut out)?;
//! engine.set_table(products, rows("gifts"));
//! engine.push(sale(1), &mut out)?;
//! engine.finish(&mut out)?;
//!
//! let category = |index: usize| out.matches[index].record.as_ref().map(|values| values[1].clone());
//! assert_eq!([category(0), category(1)], [Some(Value::from("books")), Some(Value::from("gifts"))]);
//! # Ok(())
//! # }
//! ```
//!
//! # On several threads
//!
//! [`Sharded`] takes the same calls and deals the keys out to threads, which may each [make](Make) of their outputs what the program needs.

use std::sync::Arc;

pub use ensue_engine::{
    Change, Changed, Config, Engine, Error, Fate, Limits, OnChange, OnFull, Outputs, Rejected, Shed, Size, Snapshot,
    Watermarks,
};
pub use ensue_lang::Diagnostics;
pub use ensue_model::function::HostFunction;
pub use ensue_model::record::Values;
pub use ensue_model::table::{Table, TableId};
pub use ensue_model::{
    Decimal, Event, FieldId, Match, Partial, Patterns, Row, Schema, Span, StreamId, Tables, Timeout, Timestamp, Type,
    Value,
};
pub use ensue_runtime::{Events, Make, Sharded};

/// The language's front end, for tools: sources, options, the tree, the printer.
pub use ensue_lang as lang;
/// All the words of the model, for what has no short name here.
pub use ensue_model as model;

/// Compiles the text of a pattern file for events that look like `schema`; [`Schema::open`] where nothing is known of
/// them.
///
/// # Errors
/// Everything that is wrong with the text, at once. The diagnostics display themselves as a person reads them.
///
/// ```
/// use ensue::Schema;
/// let error = ensue::compile("begin a where amout > 5", &Schema::stream("orders").field("amount", ensue::Type::Int))
///     .expect_err("there is no field `amout`");
/// assert!(error.to_string().contains("amount"));
/// ```
pub fn compile(text: &str, schema: &Schema) -> Result<Arc<Patterns>, Diagnostics> {
    compile_with(text, &lang::Options { schema: schema.clone(), ..lang::Options::default() })
}

/// Compiles the text of a pattern file with all that can be said of it: values of parameters, functions, a default key.
///
/// # Errors
/// As [`compile`].
pub fn compile_with(text: &str, options: &lang::Options) -> Result<Arc<Patterns>, Diagnostics> {
    let source = lang::Source { name: "pattern".to_owned(), text: text.to_owned() };
    lang::compile(&[source], options).map(|compiled| Arc::new(compiled.patterns))
}
