//! Tests of the whole way from text to checked pattern; what concerns one module alone is tested there.

mod checked;
mod conformance;
mod formatted;
mod functions;
mod holds;
mod hostile;
mod newcomer;
mod records;
mod round_trip;
mod streams;
mod tables;
mod wrong;

use crate::{Compiled, Diagnostics, Options, Source, compile};

fn compile_all(text: &str, options: &Options) -> Result<Compiled, Diagnostics> {
    compile(&[Source::new("orders.pattern", text)], options)
}
