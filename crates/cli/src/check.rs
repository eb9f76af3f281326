//! `ensue check`: compiles patterns and says what is wrong with them; given events, also what does not fit those.

use std::collections::BTreeSet;
use std::path::Path;

use ensue_lang::{Compiled, Diagnostics, KnownTypes, Options, Severity, Source, compile};
use ensue_model::{Event, Patterns, Value};

use crate::args::{Check, Reading, ReportFormat};
use crate::counted::counted;
use crate::failure::{Failure, print_diagnostics, say, write_line};
use crate::feeds::{self, Feed};
use crate::input::Input;
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
    let (diagnostics, verdict) = match compiled(sources, args)? {
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

/// The patterns, for the events that are given, if any are.
fn compiled(sources: &[Source], args: &Check) -> Result<Result<Compiled, Diagnostics>, Failure> {
    if args.inputs.is_empty() {
        return Ok(compile(sources, &patterns::options_without_input(&args.events)));
    }
    let reading = args.reading();
    let inputs = args.inputs.iter().map(|input| Input::open(input, &[], &reading)).collect::<Result<Vec<_>, _>>()?;
    patterns::check_columns(&reading.events, &inputs)?;
    let options = patterns::options_of_inputs(&reading.events, &inputs);
    let Ok(compiled) = compile(sources, &options) else { return Ok(compile(sources, &options)) };
    let types = known_types(inputs, &compiled.patterns, &reading)?;
    // What is known of the types is known only when the patterns have said which field they are in.
    Ok(compile(sources, &Options { types, ..options }))
}

/// The types that the events of each stream have.
fn known_types(inputs: Vec<Input>, patterns: &Patterns, reading: &Reading) -> Result<Vec<KnownTypes>, Failure> {
    let mut feeds = feeds::connect(inputs, patterns, reading)?;
    feeds.iter_mut().map(|feed| types_of(feed, patterns)).collect()
}

fn types_of(feed: &mut Feed, patterns: &Patterns) -> Result<KnownTypes, Failure> {
    let stream = &patterns.streams[usize::from(feed.stream.0)];
    let mut values = BTreeSet::new();
    let Some(field) = stream.type_field else { return Ok(KnownTypes { stream: stream.name.clone(), values }) };
    loop {
        // A line that is no event says nothing of types, and a run tells what is wrong with it.
        while let Some(decoded) = feed.decode() {
            let Ok(event) = decoded else { continue };
            if let Value::String(kind) = event.field(field)
                && !values.contains(kind.as_str())
            {
                values.insert(kind.as_str().to_owned());
            }
        }
        if !feed.input.fill()? {
            return Ok(KnownTypes { stream: stream.name.clone(), values });
        }
    }
}
