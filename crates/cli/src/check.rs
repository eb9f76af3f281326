//! `ensue check`: compiles patterns and says what is wrong with them.

use std::path::Path;

use ensue_lang::{Diagnostics, Severity, Source, compile};

use crate::args::{Check, ReportFormat};
use crate::failure::{Failure, print_diagnostics, say, write_line};
use crate::job;
use crate::patterns;

pub(crate) fn check(args: &Check) -> Result<(), Failure> {
    let (jobs, patterns): (Vec<_>, Vec<_>) = args.patterns.iter().cloned().partition(|path| job::is_job(path));
    let sources = if patterns.is_empty() { Vec::new() } else { patterns::read_below(&patterns)? };
    let mut wrong = false;
    for path in jobs {
        wrong |= !check_job(&path, args)?;
    }
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
            let verdict = verdict(&diagnostics);
            (diagnostics, verdict)
        }
    };
    tell(&diagnostics, &format!("{}: {verdict}", patterns::names(sources)), args.format)?;
    Ok(!diagnostics.has_errors())
}

/// Says what is wrong with a job, as far as it is known without running it. True if it has no errors.
fn check_job(path: &Path, args: &Check) -> Result<bool, Failure> {
    let diagnostics = match job::check(path) {
        Ok(warnings) => warnings,
        Err(Failure::Patterns(diagnostics)) => diagnostics,
        Err(failure) => return Err(failure),
    };
    let verdict = if diagnostics.has_errors() { verdict(&diagnostics) } else { "no errors".to_owned() };
    tell(&diagnostics, &format!("{}: {verdict}", path.display()), args.format)?;
    Ok(!diagnostics.has_errors())
}

fn verdict(diagnostics: &Diagnostics) -> String {
    let errors = diagnostics.iter().filter(|diagnostic| diagnostic.severity == Severity::Error).count();
    counted(errors, "error")
}

fn tell(diagnostics: &Diagnostics, verdict: &str, format: ReportFormat) -> Result<(), Failure> {
    match format {
        ReportFormat::Text => {
            if !diagnostics.is_empty() {
                print_diagnostics(diagnostics);
                say("");
            }
            write_line(verdict)
        }
        ReportFormat::Json => {
            for report in diagnostics.reports() {
                write_line(&serde_json::to_string(&report).expect("a report has only strings and numbers"))?;
            }
            Ok(())
        }
    }
}

fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}
