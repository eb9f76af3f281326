//! Tree to checked patterns: names resolved, types checked, `let` and `param` put in.

mod bounds;
mod branches;
mod composition;
mod consequence;
mod constant;
mod contradiction;
mod declarations;
mod endless;
mod expression;
mod function;
mod held;
pub(crate) mod holds;
mod key;
mod names;
mod parts;
mod pattern;
mod reads;
mod record;
mod sequence;
mod stages;
mod step_window;
mod streams;
mod table;
mod world;

use std::collections::BTreeSet;
use std::sync::Arc;

use ensue_model::function::HostFunction;
use ensue_model::{Patterns, Schema};

use crate::diagnostic::Diagnostics;
use crate::parse;
use crate::source::Source;

/// What the caller knows of the events, and wants of the patterns.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// What the events look like, where no source declares a stream: [`Schema::open`] if nothing is known. It is one stream;
    /// if it has no name, it has the one by which the patterns call it.
    pub schema: Schema,
    /// The fields that are the key where neither pattern nor stream says.
    pub key: Vec<String>,
    /// The field that a bare stage name stands for where the stream does not say.
    pub type_field: Option<String>,
    /// Values of parameters, as `NAME=VALUE` would give them.
    pub parameters: Vec<(String, String)>,
    /// The types that events have, where that is known: a stage that stands for another one is warned of.
    pub types: Vec<KnownTypes>,
    /// Functions of the program that patterns can call, beside the built-in ones.
    pub functions: Vec<Arc<HostFunction>>,
}

/// The values that the type field has in the events of a stream.
#[derive(Clone, Debug, Default)]
pub struct KnownTypes {
    /// The stream's name; none for the only one, where nothing is declared.
    pub stream: Option<String>,
    /// The values; if there are none, nothing is known.
    pub values: BTreeSet<String>,
}

/// Patterns, and what is odd about them.
#[derive(Clone, Debug)]
pub struct Compiled {
    /// All patterns of all sources; they share one schema.
    pub patterns: Patterns,
    /// What compiles, and most likely is not what was meant.
    pub warnings: Diagnostics,
}

/// Compiles sources together. The errors are those of all sources at once.
pub fn compile(sources: &[Source], options: &Options) -> Result<Compiled, Diagnostics> {
    let mut found = Vec::new();
    let mut files = Vec::with_capacity(sources.len());
    let mut unread = Vec::new();
    for (source, text) in sources.iter().enumerate() {
        let read = parse::read(text);
        found.extend(read.diagnostics.into_iter().map(|diagnostic| diagnostic.of(source)));
        unread.extend(read.unread);
        files.push(read.file);
    }
    let patterns = world::check(sources, &files, options, &mut found);
    found.retain(|diagnostic| !consequence::is_one(diagnostic, sources, &unread));
    let diagnostics = Diagnostics::new(sources, found);
    if diagnostics.has_errors() {
        return Err(diagnostics);
    }
    Ok(Compiled { patterns, warnings: diagnostics })
}
