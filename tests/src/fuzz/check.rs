//! Pattern texts through the compiler.

use std::sync::Arc;

use ensue_engine::{Config, Engine};
use ensue_lang::{Compiled, Diagnostics, Options, Source, compile, print};
use ensue_model::{Pattern, Patterns, Row, Schema, Type};

use super::words;

/// Compiles a text, over fields that nobody declared and over a stream. There are patterns or at least one error;
/// diagnostics can be shown; and the text as it is printed compiles to the same.
///
/// # Panics
/// If something of this does not hold.
pub fn check(data: &[u8]) {
    let source = Source::new("fuzz.pattern", words::text(data));
    for options in [dynamic(), declared()] {
        match compile(std::slice::from_ref(&source), &options) {
            Ok(compiled) => accepted(&source, &options, compiled),
            Err(errors) => {
                assert!(errors.has_errors(), "a text was refused without an error");
                shown(&errors);
            }
        }
    }
}

fn accepted(source: &Source, options: &Options, compiled: Compiled) {
    assert!(!compiled.warnings.has_errors(), "a text with errors was accepted");
    shown(&compiled.warnings);
    let printed = print(&ensue_lang::parse(source).0);
    match compile(&[Source::new("fuzz.pattern", printed.as_str())], options) {
        Ok(again) => same(&compiled.patterns, &again.patterns),
        Err(errors) => panic!("as it is printed, the text does not compile:\n{printed}\n{errors}"),
    }
    // A pattern may be too large for a program; saying so is all that it may do.
    let _ = Engine::<Row>::new(&Arc::new(compiled.patterns), Config::default());
}

fn same(patterns: &Patterns, again: &Patterns) {
    assert_eq!(patterns.schema, again.schema);
    assert_eq!(patterns.patterns.len(), again.patterns.len());
    for (pattern, again) in patterns.patterns.iter().zip(&again.patterns) {
        assert_eq!(unnamed(pattern), unnamed(again));
    }
}

/// A part of the key is named as it was written, and may be printed with other spaces.
fn unnamed(pattern: &Pattern) -> Pattern {
    let mut pattern = pattern.clone();
    pattern.key.names.iter_mut().for_each(String::clear);
    pattern
}

fn shown(diagnostics: &Diagnostics) {
    for colour in [false, true] {
        assert_eq!(diagnostics.render(colour).is_empty(), diagnostics.is_empty());
    }
    assert_eq!(diagnostics.reports().len(), diagnostics.len());
}

/// Nothing is known of the events.
fn dynamic() -> Options {
    Options { schema: Schema::open(), type_field: Some("type".into()), ..Options::default() }
}

/// One field of each type, some that may be null, and a parameter that the caller sets.
fn declared() -> Options {
    let schema = Schema::stream("orders")
        .field("k", Type::String)
        .field("type", Type::String)
        .field("v", Type::Int)
        .nullable("amount", Type::Decimal)
        .nullable("price", Type::Float)
        .field("ok", Type::Bool)
        .field("ts", Type::Timestamp)
        .nullable("took", Type::Duration)
        .field("tags", Type::List(Box::new(Type::String)))
        .nullable("extra", Type::Any);
    Options {
        schema: schema.time("ts").key("k").type_field("type"),
        parameters: vec![("patience".into(), "15m".into())],
        ..Options::default()
    }
}
