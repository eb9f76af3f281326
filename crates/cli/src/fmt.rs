//! `ensue fmt`: pattern files in the one style.

use std::fs;
use std::io::{self, Read};
use std::path::Path;

use ensue_lang::{Source, Unformatted, format};
use similar::TextDiff;

use crate::args::Fmt;
use crate::counted::counted;
use crate::failure::{Failure, say, write_bytes, write_line};
use crate::patterns;

pub(crate) fn fmt(args: &Fmt) -> Result<(), Failure> {
    match args.paths.as_slice() {
        [path] if is_standard_input(path) => standard_input(args.check),
        paths if paths.iter().any(|path| is_standard_input(path)) => {
            Err(Failure::Call("standard input is formatted by itself: name either - or files".to_owned()))
        }
        _ => files(args),
    }
}

fn is_standard_input(path: &Path) -> bool {
    path == Path::new("-")
}

fn standard_input(check: bool) -> Result<(), Failure> {
    let mut text = String::new();
    let read = io::stdin().read_to_string(&mut text);
    read.map_err(|error| Failure::read("standard input", &error))?;
    let source = Source::new("standard input", text);
    let formatted = formatted(&source)?;
    if check {
        return if formatted == source.text {
            Ok(())
        } else {
            show_difference(&source, &formatted).and(Err(Failure::Told))
        };
    }
    write_bytes(formatted.as_bytes())
}

fn files(args: &Fmt) -> Result<(), Failure> {
    let sources = patterns::read_below(&args.paths)?;
    let mut counts = Counts { files: sources.len(), changed: 0, wrong: 0 };
    for source in &sources {
        match formatted(source) {
            Ok(formatted) if formatted == source.text => {}
            Ok(formatted) => {
                counts.changed += 1;
                if args.check { show_difference(source, &formatted)? } else { write(source, &formatted)? }
            }
            Err(failure) => {
                counts.wrong += 1;
                failure.report();
                say("");
            }
        }
    }
    write_line(&counts.said(args.check))?;
    let is_well = counts.wrong == 0 && !(args.check && counts.changed > 0);
    if is_well { Ok(()) } else { Err(Failure::Told) }
}

/// The text in the one style. That it says the same is made sure of there.
fn formatted(source: &Source) -> Result<String, Failure> {
    format(source).map_err(|why| match why {
        Unformatted::Wrong(diagnostics) => Failure::Patterns(diagnostics),
        Unformatted::Changed => Failure::Data(format!("{}: {why}; it is left as it is", source.name)),
    })
}

fn write(source: &Source, formatted: &str) -> Result<(), Failure> {
    fs::write(&source.name, formatted).map_err(|error| Failure::write(&format!("`{}`", source.name), &error))?;
    write_line(&format!("formatted {}", source.name))
}

/// The lines that change, with one around them.
fn show_difference(source: &Source, formatted: &str) -> Result<(), Failure> {
    let difference = TextDiff::from_lines(source.text.as_str(), formatted);
    let (name, wanted) = (&source.name, format!("{}, formatted", source.name));
    let shown = difference.unified_diff().context_radius(1).header(name, &wanted).to_string();
    write_line(&shown)
}

/// How many files there are, and what was found.
struct Counts {
    files: usize,
    changed: usize,
    wrong: usize,
}

impl Counts {
    fn said(&self, check: bool) -> String {
        let files = counted(self.files, "file");
        let mut said = match (self.changed, check) {
            (0, _) if self.wrong > 0 => files,
            (0, _) => format!("{files}, all formatted"),
            (changed, true) => format!("{files}, {changed} not formatted: `ensue fmt` formats them"),
            (changed, false) => format!("{files}, {changed} formatted anew"),
        };
        if self.wrong > 0 {
            said += &format!("; {} cannot be read as patterns", self.wrong);
        }
        said
    }
}
