//! `ensue explain`: what patterns say, what they cost, and what they are compiled to.

mod outline;
mod phrases;
mod sentences;

mod picture;

mod layout;
mod svg;

mod dot;
mod graph;
mod mermaid;

use std::collections::BTreeSet;
use std::path::Path;
use std::{fs, iter};

use ensue_lang::{Source, compile};
use ensue_model::expr::Ask;
use ensue_model::pattern::{Keep, Term};
use ensue_model::record::Emission;
use ensue_model::{Expr, FieldId, Pattern, Patterns, Record, StreamId};
use ensue_nfa::{Bound, Program, SUBSETS_MAX};

use crate::args::Explain;
use crate::failure::{Failure, print_diagnostics, say, write_line};
use crate::patterns;
use outline::stream_name;
use phrases::wrapped;
use picture::Picture;

pub(crate) fn explain(args: &Explain) -> Result<(), Failure> {
    let sources = patterns::read(&args.patterns)?;
    let mut explained = Explained::default();
    let mut is_wrong = false;
    for sources in patterns::compiled_together(&sources, args.together) {
        is_wrong |= !explain_together(sources, args, &mut explained);
    }
    // A picture of some of the patterns would be taken for one of all.
    if !is_wrong || !args.draws() {
        explained.write(args)?;
    }
    if is_wrong { Err(Failure::Told) } else { Ok(()) }
}

/// What has been said of patterns, and drawn.
#[derive(Default)]
struct Explained {
    texts: Vec<String>,
    pictures: Vec<Picture>,
}

impl Explained {
    fn write(&self, Explain { svg, dot, mermaid, .. }: &Explain) -> Result<(), Failure> {
        let text = self.texts.join("\n");
        match (svg, dot, mermaid) {
            (Some(out), _, _) => write_to(out, &svg::of(&self.pictures, &text)),
            (_, Some(out), _) => write_to(out, &dot::of(&self.pictures)),
            (_, _, Some(out)) => write_to(out, &mermaid::of(&self.pictures)),
            (None, None, None) => write_text(&text),
        }
    }
}

fn write_to(out: &Path, text: &str) -> Result<(), Failure> {
    if out == Path::new("-") {
        return write_text(text);
    }
    fs::write(out, text).map_err(|error| Failure::write(&format!("`{}`", out.display()), &error))
}

fn write_text(text: &str) -> Result<(), Failure> {
    text.lines().try_for_each(write_line)
}

/// Explains the patterns of files; gives whether they have no errors, and says which.
fn explain_together(sources: &[Source], args: &Explain, explained: &mut Explained) -> bool {
    let files = patterns::names(sources);
    let options = patterns::options_without_input(&args.events);
    let compiled = match compile(sources, &options) {
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
    let file = if args.together { String::new() } else { format!(" ({files})") };
    let mut is_right = true;
    for pattern in &compiled.patterns.patterns {
        match ensue_nfa::compile(pattern) {
            Ok(program) => explained.add(pattern, &program, patterns, args, &file),
            Err(too_large) => {
                say(&format!("error: {files}: {too_large}"));
                is_right = false;
            }
        }
    }
    is_right
}

impl Explained {
    fn add(&mut self, pattern: &Pattern, program: &Program, patterns: &Patterns, args: &Explain, file: &str) {
        if args.draws() {
            self.pictures.push(picture::of(pattern, patterns));
            self.texts.push(format!("{}: {}\n", pattern.name, sentences::of(pattern, patterns).join("\n")));
            return;
        }
        let text = if args.program { listing(pattern, program, patterns) } else { words(pattern, program, patterns) };
        self.texts.push(format!("{}{file}\n{text}", pattern.name));
    }
}

fn listing(pattern: &Pattern, program: &Program, patterns: &Patterns) -> String {
    program.listing(patterns, pattern).to_string()
}

/// What is said of a pattern: what it is for, its steps, and facts, a line or more under each word.
fn words(pattern: &Pattern, program: &Program, patterns: &Patterns) -> String {
    let paragraph = |lines: Vec<String>| {
        let lines = lines.iter().map(|line| format!("  {line}").trim_end().to_owned() + "\n");
        lines.chain(["\n".to_owned()]).collect::<String>()
    };
    let doc = if pattern.doc.is_empty() {
        String::new()
    } else {
        paragraph(pattern.doc.lines().map(str::to_owned).collect())
    };
    let facts = [
        ("cost", cost(pattern, program, patterns)),
        ("memory", memory(pattern, program)),
        ("from", streams(pattern, patterns)),
        ("reads", vec![fields(pattern, program, patterns)]),
        ("states", states(program)),
        ("emits", emissions(pattern)),
    ];
    let facts = facts.iter().flat_map(|(word, lines)| {
        let words = iter::once(*word).chain(iter::repeat(""));
        words.zip(lines).flat_map(|(word, line)| wrapped(line, &format!("{word:<8}"), "          "))
    });
    let facts = facts.map(|line| format!("  {line}\n"));
    doc + &paragraph(sentences::of(pattern, patterns)) + &facts.collect::<String>()
}

/// What it costs as the command runs it, and without timeouts where that is less.
fn cost(pattern: &Pattern, program: &Program, patterns: &Patterns) -> Vec<String> {
    let times_out = pattern.timeout != Emission::Nothing;
    let [cost, without] = [times_out, false].map(|timeouts| program.cost(patterns, pattern, timeouts));
    let mut lines = vec![cost.to_string(), cost.per_event().to_owned()];
    if cost != without {
        lines.push(format!("where nobody takes its timeouts: {without}"));
    }
    lines
}

/// What ends its runs, and how many a key may have.
fn memory(pattern: &Pattern, program: &Program) -> Vec<String> {
    let bound = program.bound();
    let kept = match pattern.keep {
        Keep::Latest => Some("keep latest"),
        Keep::First => Some("keep first"),
        Keep::All => None,
    };
    let count = match (bound, kept) {
        (Bound::Instant, _) => None,
        (_, Some(keep)) => Some(match waits(pattern) {
            Some(1) => format!("`{keep}`: at most one run for each key"),
            Some(waits) => {
                format!("`{keep}`: at most {waits} runs for each key, one for each stage that they wait for")
            }
            None => format!("`{keep}`: one run for each set of stages that runs of a key wait for"),
        }),
        (Bound::Window(_) | Bound::Events(_) | Bound::WindowOrEvents(..), None) => {
            Some("each key has as many as begin in that time".to_owned())
        }
        (Bound::Steps | Bound::Strict | Bound::WhileFitting | Bound::Kept(_) | Bound::Nothing, None) => None,
    };
    iter::once(bound.to_string()).chain(count).collect()
}

/// How many different stages a run can wait for, where it waits for one after the other.
fn waits(pattern: &Pattern) -> Option<usize> {
    let steps = &pattern.sequence.steps;
    let is_plain = steps.iter().all(|step| {
        let times = step.quantifier;
        matches!(step.term, Term::Stage(..)) && !step.is_negated() && !times.optional && times.max == Some(times.min)
    });
    // What starts a run is waited for only where it is to come again.
    let waits = steps.len() - usize::from(steps[0].quantifier.min == 1);
    (is_plain && waits > 0).then_some(waits)
}

/// How many there are, and how many are made as runs come to them.
fn states(program: &Program) -> Vec<String> {
    let groups = program.side_by_side().map(|parts| {
        format!("and for {parts} parts in any order one for each combination that runs come to, {SUBSETS_MAX} at most")
    });
    iter::once(program.state_count().to_string()).chain(groups).collect()
}

/// The streams, where there are several, each with the patterns whose records are its events.
fn streams(pattern: &Pattern, patterns: &Patterns) -> Vec<String> {
    let read = pattern.from.iter().filter(|_| patterns.streams.len() > 1);
    let stream = |id: &StreamId| {
        let emits = |other: &&Pattern| records_of(other).any(|record| record.stream == Some(*id));
        let emitters: Vec<_> = patterns.patterns.iter().filter(emits).map(|other| other.name.as_str()).collect();
        let name = stream_name(*id, patterns);
        if emitters.is_empty() { name.to_owned() } else { format!("{name}, emitted by {}", emitters.join(", ")) }
    };
    read.map(stream).collect()
}

/// The fields that it asks for, with those of its records.
fn fields(pattern: &Pattern, program: &Program, patterns: &Patterns) -> String {
    let mut fields: BTreeSet<FieldId> = program.fields().into_iter().collect();
    for lookback in records_of(pattern).flat_map(|record| &record.lookbacks) {
        let (Ask::Pick(_, asked) | Ask::Aggregate(_, asked)) = &lookback.ask;
        asked.walk(&mut |expr| fields.extend(if let Expr::Field(field) = expr { Some(*field) } else { None }));
    }
    let names: Vec<&str> = fields.into_iter().map(|field| patterns.schema.get(field).name.as_str()).collect();
    if names.is_empty() { "no field".to_owned() } else { names.join(", ") }
}

/// What its outputs come out as, where that is not what they hold.
fn emissions(pattern: &Pattern) -> Vec<String> {
    let emission = |(output, emission): (&str, &Emission)| match emission {
        Emission::Events => None,
        Emission::Nothing => Some(format!("no {output}")),
        Emission::Record(record) => Some(format!("a {output} as {}", shape(record))),
    };
    [("match", &pattern.emit), ("timeout", &pattern.timeout)].into_iter().filter_map(emission).collect()
}

/// A record with the types of its values.
fn shape(Record { name, entries, condition, .. }: &Record) -> String {
    let name = name.as_ref().map_or_else(String::new, |name| format!("{name} "));
    let entries: Vec<_> = entries.iter().map(|entry| format!("{}: {}", entry.name, entry.kind)).collect();
    let condition = if condition.is_some() { ", where its condition holds" } else { "" };
    format!("{name}{{ {} }}{condition}", entries.join(", "))
}

/// The records of a pattern.
fn records_of(pattern: &Pattern) -> impl Iterator<Item = &Record> {
    [&pattern.emit, &pattern.timeout].into_iter().filter_map(Emission::record)
}
