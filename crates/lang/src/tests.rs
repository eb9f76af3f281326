//! Tests of the whole way from text to checked pattern; what concerns one module alone is tested there.

mod checked;
mod conformance;
mod functions;
mod hostile;
mod records;
mod round_trip;
mod streams;
mod tables;
mod wrong;

use crate::check::compile_behind;
use crate::{Compiled, Diagnostic, Diagnostics, Options, Source, tree};

/// Lets everything through that the language has.
fn open_gate(_: &[tree::File]) -> Vec<Diagnostic> {
    Vec::new()
}

fn compile_all(text: &str, options: &Options) -> Result<Compiled, Diagnostics> {
    compile_behind(open_gate, &[Source::new("orders.pattern", text)], options)
}
