//! `ensue completions`: scripts that complete the command in shells.

use crate::args::{self, Completions};
use crate::failure::{Failure, write_bytes};

pub(crate) fn completions(args: &Completions) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut args::whole_command(), "ensue", &mut script);
    write_bytes(&script)
}
