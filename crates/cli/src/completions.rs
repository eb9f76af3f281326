//! `ensue completions`: scripts that complete the command in shells.

use clap::CommandFactory;

use crate::args::{Arguments, Completions};
use crate::failure::{Failure, write_bytes};

pub(crate) fn completions(args: &Completions) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Arguments::command(), "ensue", &mut script);
    write_bytes(&script)
}
