//! `ensue explain`: what patterns cost, and what they are compiled to.

use ensue_lang::{Source, compile};
use ensue_model::{Pattern, Patterns};
use ensue_nfa::{Program, SUBSETS_MAX};

use crate::args::Explain;
use crate::failure::{Failure, print_diagnostics, say, write_line};
use crate::patterns;

pub(crate) fn explain(args: &Explain) -> Result<(), Failure> {
    let sources = patterns::read(&args.patterns)?;
    let mut explained = Vec::new();
    let mut is_wrong = false;
    for source in &sources {
        is_wrong |= !explain_one(source, args, &mut explained);
    }
    write_text(&explained.join("\n"))?;
    if is_wrong { Err(Failure::Told) } else { Ok(()) }
}

fn write_text(text: &str) -> Result<(), Failure> {
    text.lines().try_for_each(write_line)
}

/// Explains the patterns of a file; gives whether it has no errors, and says which.
fn explain_one(source: &Source, args: &Explain, explained: &mut Vec<String>) -> bool {
    let options = patterns::options_without_input(&args.events);
    let compiled = match compile(std::slice::from_ref(source), &options) {
        Ok(compiled) => compiled,
        Err(diagnostics) => {
            print_diagnostics(&diagnostics);
            return false;
        }
    };
    if !compiled.warnings.is_empty() {
        print_diagnostics(&compiled.warnings);
    }
    let patterns = &compiled.patterns;
    let mut is_right = true;
    for pattern in &compiled.patterns.patterns {
        match ensue_nfa::compile(pattern) {
            Ok(program) => {
                let heading = format!("{} ({})\n", pattern.name, source.name);
                let text = if args.program {
                    listing(pattern, &program, patterns)
                } else {
                    words(pattern, &program, patterns)
                };
                explained.push(heading + &text);
            }
            Err(too_large) => {
                say(&format!("error: {}: {too_large}", source.name));
                is_right = false;
            }
        }
    }
    is_right
}

fn listing(pattern: &Pattern, program: &Program, patterns: &Patterns) -> String {
    program.listing(patterns, pattern).to_string()
}

/// What is said of a pattern, a line or more under each word.
fn words(pattern: &Pattern, program: &Program, patterns: &Patterns) -> String {
    let doc = pattern.doc.lines().map(|line| format!("  {line}").trim_end().to_owned() + "\n");
    let doc: String = doc.chain((!pattern.doc.is_empty()).then(|| "\n".to_owned())).collect();
    let said = [
        ("cost", cost(pattern, program, patterns)),
        ("memory", vec![program.bound().to_string()]),
        ("key", vec![key(pattern)]),
        ("reads", vec![fields(program, patterns)]),
        ("states", states(program)),
    ];
    let said = said.iter().flat_map(|(word, lines)| {
        let words = std::iter::once(*word).chain(std::iter::repeat(""));
        words.zip(lines).map(|(word, line)| format!("  {word:<8}{line}\n"))
    });
    doc + &said.collect::<String>()
}

/// What it costs as the command runs it, and without timeouts where that is less.
fn cost(pattern: &Pattern, program: &Program, patterns: &Patterns) -> Vec<String> {
    let [cost, without] = [true, false].map(|timeouts| program.cost(patterns, pattern, timeouts));
    let mut lines = vec![cost.to_string(), cost.per_event().to_owned()];
    if cost != without {
        lines.push(format!("where nobody takes its timeouts: {without}"));
    }
    lines
}

/// How many there are, and how many are made as runs come to them.
fn states(program: &Program) -> Vec<String> {
    let groups = program.side_by_side().map(|parts| {
        format!("and for {parts} parts in any order one for each combination that runs come to, {SUBSETS_MAX} at most")
    });
    std::iter::once(program.state_count().to_string()).chain(groups).collect()
}

fn key(pattern: &Pattern) -> String {
    match pattern.key.names.as_slice() {
        [] => "none: all events are one sequence".to_owned(),
        parts => format!("{}: all of this for each value that has open runs", parts.join(", ")),
    }
}

fn fields(program: &Program, patterns: &Patterns) -> String {
    let fields: Vec<&str> =
        program.fields().into_iter().map(|field| patterns.schema.get(field).name.as_str()).collect();
    if fields.is_empty() { "no field".to_owned() } else { fields.join(", ") }
}
