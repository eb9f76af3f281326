//! `ensue man`: the help of each command as a manual page.

use std::fs;
use std::path::Path;

use clap::Command;
use clap_mangen::Man as Page;

use crate::args::{self, Man};
use crate::failure::{Failure, write_bytes, write_line};

pub(crate) fn man(args: &Man) -> Result<(), Failure> {
    let mut command = args::whole_command().disable_help_subcommand(true);
    command.build();
    match &args.folder {
        None => write_bytes(&rendered(&command)),
        Some(folder) => write(folder, &command),
    }
}

/// Writes the page of the command, and those of its commands: `ensue.1`, `ensue-run.1`, ...
fn write(folder: &Path, command: &Command) -> Result<(), Failure> {
    fs::create_dir_all(folder).map_err(|error| Failure::write(&format!("`{}`", folder.display()), &error))?;
    let pages: Vec<&Command> = [command].into_iter().chain(command.get_subcommands()).collect();
    for page in &pages {
        let path = folder.join(format!("{}.1", page.get_display_name().unwrap_or_else(|| page.get_name())));
        fs::write(&path, rendered(page)).map_err(|error| Failure::write(&format!("`{}`", path.display()), &error))?;
    }
    write_line(&format!("{} pages in `{}`", pages.len(), folder.display()))
}

fn rendered(command: &Command) -> Vec<u8> {
    let source = concat!("ensue ", env!("CARGO_PKG_VERSION"));
    let mut page = Vec::new();
    let written = Page::new(command.clone()).source(source).manual("Ensue").render(&mut page);
    written.expect("memory takes all that is written");
    let page = String::from_utf8(page).expect("the help is text");
    match page.split_once("\n.SH EXTRA\n") {
        Some((options, notes)) => format!("{options}\n.SH NOTES\n{}", as_they_are(notes)).into_bytes(),
        None => page.into_bytes(),
    }
}

/// Lines that are indented, which are examples, without line breaks of the page's own.
fn as_they_are(notes: &str) -> String {
    let lines: Vec<&str> = notes.lines().collect();
    let mut shown = String::new();
    for example in lines.chunk_by(|line, next| line.starts_with("  ") == next.starts_with("  ")) {
        let text = example.join("\n");
        match text.starts_with("  ") {
            true => shown += &format!(".nf\n{text}\n.fi\n"),
            false => shown += &format!("{text}\n"),
        }
    }
    shown
}
