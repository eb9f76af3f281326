//! How what came out of a case differs from what was expected: on the time line of each key, with what can be said of why.

use std::fmt::Write as _;

use ensue_model::{Key, Timestamp};

use crate::arrivals::Arrival;
use crate::case_file::{ExpectedLine, FormatError, single_blanks, split_pattern};
use crate::expectation::{Expectation, keys_of};
use crate::outcome::{Difference, Outcome, Output};
use crate::reason::reasons;
use crate::trial::{Refusal, Trial};

/// The most events of a key that are shown; of more, those that are in outputs.
const EVENTS_SHOWN_MAX: usize = 40;

/// What a difference is about: a pattern and a key. None of both for late and rejected events; no key where none can be told.
#[derive(Clone, PartialEq, Debug)]
struct Subject {
    pattern: usize,
    key: Option<Key>,
}

/// The differences of a subject.
#[derive(Debug)]
struct Part<'o> {
    subject: Option<Subject>,
    missing: Vec<(&'o ExpectedLine, Option<Expectation<'o>>)>,
    unexpected: Vec<&'o Output>,
}

/// A line of the picture.
struct Row {
    time: Option<Timestamp>,
    /// At one time, events stand before outputs.
    is_output: bool,
    mark: char,
    text: String,
}

/// The difference for a person.
///
/// # Errors
/// If the engine reaches a limit, or an expected line names no pattern.
pub(crate) fn picture(trial: &Trial, outcome: &Outcome, difference: &Difference<'_>) -> Result<String, Refusal> {
    let mut picture = String::new();
    for part in parts(trial, outcome, difference)? {
        part.draw(trial, difference, &mut picture);
        part.say_why(trial, outcome, &mut picture)?;
    }
    Ok(picture)
}

/// The differences by subject, in the order in which they come.
fn parts<'o>(trial: &Trial, outcome: &Outcome, difference: &Difference<'o>) -> Result<Vec<Part<'o>>, FormatError> {
    let mut parts: Vec<Part<'o>> = Vec::new();
    for line in &difference.missing {
        let expectation = Expectation::of(line, trial)?;
        let subject = expectation.as_ref().map(|it| Subject { pattern: it.pattern, key: it.key(trial, outcome) });
        part_of(&mut parts, subject).missing.push((line, expectation));
    }
    for output in &difference.unexpected {
        let subject = output.held.as_ref().map(|held| Subject { pattern: held.pattern, key: Some(held.key.clone()) });
        part_of(&mut parts, subject).unexpected.push(output);
    }
    Ok(parts)
}

fn part_of<'p, 'o>(parts: &'p mut Vec<Part<'o>>, subject: Option<Subject>) -> &'p mut Part<'o> {
    let at = parts.iter().position(|part| part.subject == subject).unwrap_or_else(|| {
        parts.push(Part { subject, missing: Vec::new(), unexpected: Vec::new() });
        parts.len() - 1
    });
    &mut parts[at]
}

impl Part<'_> {
    fn draw(&self, trial: &Trial, difference: &Difference<'_>, picture: &mut String) {
        let mut rows = self.outputs(trial, difference);
        if let Some(Subject { pattern, key: Some(key) }) = &self.subject {
            rows.extend(self.events(trial, *pattern, key, difference));
        }
        rows.sort_by_key(|row| (row.time.is_none(), row.time, row.is_output));
        let times: Vec<String> =
            rows.iter().map(|row| row.time.map_or_else(String::new, |time| trial.shown_time(time))).collect();
        let width = times.iter().map(String::len).max().unwrap_or_default();
        let names = rows.iter().filter(|row| !row.is_output).map(|row| row.text.find(' ').unwrap_or_default());
        let indent = names.max().map_or(0, |width| width + 2);
        let _ = writeln!(picture, "    {}", self.heading(trial));
        for (row, time) in rows.iter().zip(times) {
            let text = if row.is_output { format!("{:indent$}{}", "", row.text) } else { row.text.clone() };
            let _ = writeln!(picture, "{}", format!("  {} {time:>width$}  {text}", row.mark).trim_end());
        }
    }

    fn heading(&self, trial: &Trial) -> String {
        let Some(Subject { pattern, key }) = &self.subject else {
            return "late and rejected events".to_owned();
        };
        let pattern = &trial.patterns.patterns[*pattern];
        let key = match key {
            None => "a key that cannot be told".to_owned(),
            Some(key) if key.is_empty() => "all events".to_owned(),
            Some(key) => {
                let parts = pattern.key.names.iter().zip(key.iter()).map(|(name, part)| format!("{name} {part}"));
                parts.collect::<Vec<_>>().join(", ")
            }
        };
        if trial.patterns.patterns.len() == 1 { key } else { format!("{}, {key}", pattern.name) }
    }

    /// The outputs of the subject: those that are missing, those that came, and those that were right.
    fn outputs(&self, trial: &Trial, difference: &Difference<'_>) -> Vec<Row> {
        let output = |mark, time, text: &str| {
            let text = split_pattern(text).1.to_owned();
            Row { time, is_output: true, mark, text: aligned(&text) }
        };
        let missing = self.missing.iter().map(|(line, expectation)| {
            let time = expectation.as_ref().and_then(|expectation| expectation.time(trial));
            output('-', time, &line.text)
        });
        let came = |mark, it: &Output| output(mark, it.held.as_ref().map(|held| held.at), &it.text);
        let unexpected = self.unexpected.iter().map(|it| came('+', it));
        let is_here = |output: &&&Output| {
            let held = output.held.as_ref();
            self.subject.is_some()
                && held.map(|held| Subject { pattern: held.pattern, key: Some(held.key.clone()) }) == self.subject
        };
        let right = difference.right.iter().filter(is_here).map(|it| came(' ', it));
        missing.chain(right).chain(unexpected).collect()
    }

    /// The events of a key.
    fn events(&self, trial: &Trial, pattern: usize, key: &Key, difference: &Difference<'_>) -> Vec<Row> {
        let all: Vec<usize> =
            (0..trial.arrivals.len()).filter(|at| keys_of(trial, pattern, *at).contains(key)).collect();
        let is_many = all.len() > EVENTS_SHOWN_MAX;
        let named = if is_many { self.named(trial, difference) } else { Vec::new() };
        let shown = all.iter().filter(|at| !is_many || named.contains(at));
        let mut rows: Vec<Row> = shown.map(|at| event(trial, *at)).collect();
        if rows.len() < all.len() {
            let text = format!("and {} other events", all.len() - rows.len());
            rows.push(Row { time: None, is_output: true, mark: ' ', text });
        }
        rows
    }

    /// The events that are in outputs.
    fn named(&self, trial: &Trial, difference: &Difference<'_>) -> Vec<usize> {
        let held = self.unexpected.iter().chain(&difference.right).filter_map(|output| output.held.as_ref());
        let came = held.flat_map(|held| &held.taken).filter_map(|taken| taken.arrival);
        let missing = self.missing.iter().filter_map(|(_, expectation)| expectation.as_ref());
        came.chain(missing.flat_map(|expectation| expectation.arrivals(trial))).collect()
    }

    /// Why the matches are missing.
    fn say_why(&self, trial: &Trial, outcome: &Outcome, picture: &mut String) -> Result<(), Refusal> {
        for (line, expectation) in &self.missing {
            let Some(expectation) = expectation.as_ref().filter(|expectation| expectation.is_match) else { continue };
            let key = self.subject.as_ref().and_then(|subject| subject.key.as_ref());
            let reasons = reasons(trial, expectation, key, outcome)?;
            if !reasons.is_empty() {
                let _ = writeln!(picture, "    why `{}` did not come:", split_pattern(&line.text).1);
            }
            for reason in reasons {
                let _ = writeln!(picture, "      {reason}");
            }
        }
        Ok(())
    }
}

fn event(trial: &Trial, at: usize) -> Row {
    let Arrival::Event(event) = &trial.arrivals[at] else { unreachable!("only events have keys") };
    let text = format!("{}  {}", event.name, event.text);
    Row { time: Some(event.row.time), is_output: false, mark: ' ', text }
}

/// The output with its word in a column, as it came.
fn aligned(text: &str) -> String {
    let text = single_blanks(text);
    text.split_once(' ').map_or(text.clone(), |(word, rest)| format!("{word:<9}{rest}"))
}
