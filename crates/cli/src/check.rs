//! `ensue check`: compiles patterns and says what is wrong with them.

use ensue_lang::{Severity, Source, compile};

use crate::args::{Check, ReportFormat};
use crate::failure::{Failure, print_diagnostics, say, write_line};
use crate::patterns;

pub(crate) fn check(args: &Check) -> Result<(), Failure> {
    let sources = patterns::read(&args.patterns)?;
    let mut wrong = false;
    for sources in patterns::compiled_together(&sources, args.together) {
        wrong |= !check_together(sources, args)?;
    }
    if wrong { Err(Failure::Told) } else { Ok(()) }
}

/// Says what is wrong with files. True if they have no errors.
fn check_together(sources: &[Source], args: &Check) -> Result<bool, Failure> {
    let options = patterns::options_without_input(&args.events);
    let (diagnostics, verdict) = match compile(sources, &options) {
        Ok(compiled) => {
            let patterns = counted(compiled.patterns.patterns.len(), "pattern");
            (compiled.warnings, format!("{patterns}, no errors"))
        }
        Err(diagnostics) => {
            let errors = diagnostics.iter().filter(|diagnostic| diagnostic.severity == Severity::Error).count();
            (diagnostics, counted(errors, "error"))
        }
    };
    match args.format {
        ReportFormat::Text => {
            if !diagnostics.is_empty() {
                print_diagnostics(&diagnostics);
                say("");
            }
            write_line(&format!("{}: {verdict}", patterns::names(sources)))?;
        }
        ReportFormat::Json => {
            for report in diagnostics.reports() {
                write_line(&serde_json::to_string(&report).expect("a report has only strings and numbers"))?;
            }
        }
    }
    Ok(!diagnostics.has_errors())
}

fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}
