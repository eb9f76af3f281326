//! What an expected line speaks of: a pattern, stages with their events, a key.

use std::cell::Cell;

use ensue_model::key::key_part;
use ensue_model::{Event, Key, Pattern, Timestamp};

use crate::arrivals::Arrival;
use crate::case_file::{ExpectedLine, FormatError, instant, split_pattern};
use crate::outcome::{Held, Outcome};
use crate::trial::Trial;

/// An expected match or timeout, as far as its text tells.
#[derive(Debug)]
pub(crate) struct Expectation<'c> {
    pub(crate) line: &'c ExpectedLine,
    pub(crate) pattern: usize,
    pub(crate) is_match: bool,
    /// Its stages, each with the names of its events; none where a record is expected.
    pub(crate) stages: Option<Vec<(&'c str, Vec<&'c str>)>>,
}

impl<'c> Expectation<'c> {
    /// What a line expects; none if it is about an event alone.
    ///
    /// # Errors
    /// If it names a pattern that there is not, or none where there are several.
    pub(crate) fn of(line: &'c ExpectedLine, trial: &Trial) -> Result<Option<Self>, FormatError> {
        let (name, output) = split_pattern(&line.text);
        let (word, rest) = output.split_once(' ').unwrap_or((output, ""));
        let is_match = match word {
            "match" => true,
            "timeout" => false,
            _ => return Ok(None),
        };
        let pattern = pattern_of(name, trial).map_err(|why| FormatError { line: line.line, why })?;
        let is_record = rest.split_once(" awaiting ").map_or(rest, |(held, _)| held).contains('{');
        let stages = (!is_record).then(|| stages(rest));
        Ok(Some(Expectation { line, pattern, is_match, stages }))
    }

    /// The events that it names, by their places among what arrives.
    pub(crate) fn arrivals(&self, trial: &Trial) -> Vec<usize> {
        let names = self.stages.iter().flatten().flat_map(|(_, names)| names);
        names.filter_map(|name| place_of(name, trial)).collect()
    }

    /// The key of its events; of a record, the one whose parts are among its values; of a run over records, that of an output
    /// with one of them.
    pub(crate) fn key(&self, trial: &Trial, outcome: &Outcome) -> Option<Key> {
        let arrivals = self.arrivals(trial);
        match (arrivals.first(), &self.stages) {
            (Some(first), _) => {
                let mut keys = keys_of(trial, self.pattern, *first).into_iter();
                keys.find(|key| arrivals.iter().all(|at| keys_of(trial, self.pattern, *at).contains(key)))
            }
            (None, None) => self.key_of_record(trial, outcome),
            (None, Some(stages)) => {
                let names: Vec<&str> = stages.iter().flat_map(|(_, names)| names.iter().copied()).collect();
                let is_there = |held: &&Held| held.taken.iter().any(|taken| names.contains(&taken.name.as_str()));
                self.held(outcome).find(is_there).map(|held| held.key.clone())
            }
        }
    }

    fn held<'o>(&self, outcome: &'o Outcome) -> impl Iterator<Item = &'o Held> {
        let pattern = self.pattern;
        let held = outcome.outputs.iter().filter_map(|output| output.held.as_ref());
        held.filter(move |held| held.pattern == pattern)
    }

    fn key_of_record(&self, trial: &Trial, outcome: &Outcome) -> Option<Key> {
        let pattern = &trial.patterns.patterns[self.pattern];
        let text = format!("{} ", self.line.text.replace(',', " ,"));
        let came = || self.held(outcome).map(|held| held.key.clone());
        let keys = || (0..trial.arrivals.len()).flat_map(|at| keys_of(trial, self.pattern, at)).chain(came());
        let says = |key: &Key, says: &dyn Fn(&str, String) -> bool| {
            pattern.key.names.iter().zip(key.iter()).all(|(name, part)| says(name, part.to_string()))
        };
        let by_name = |name: &str, value: String| text.contains(&format!(" {name}: {value} "));
        let by_value = |_: &str, value: String| text.contains(&format!(": {value} "));
        keys().find(|key| says(key, &by_name)).or_else(|| keys().find(|key| says(key, &by_value)))
    }

    /// When it should have come, as far as its text tells: of a match, with its last event.
    pub(crate) fn time(&self, trial: &Trial) -> Option<Timestamp> {
        match self.line.text.rsplit_once(", at ") {
            Some((_, at)) if !self.is_match => {
                let span = ensue_io::time::span(at).and_then(|span| Some(trial.zero? + span));
                span.or_else(|| instant(at))
            }
            _ => self.arrivals(trial).into_iter().map(|at| trial.event(at).row.time).max(),
        }
    }
}

fn pattern_of(name: Option<&str>, trial: &Trial) -> Result<usize, String> {
    let patterns = &trial.patterns.patterns;
    let names = || patterns.iter().map(|pattern| format!("`{}`", pattern.name)).collect::<Vec<_>>().join(", ");
    match name {
        None if patterns.len() == 1 => Ok(0),
        None => Err(format!("of which pattern? There are {}: say its name and a colon before the output", names())),
        Some(name) => {
            let found = patterns.iter().position(|pattern| pattern.name == name);
            found.ok_or_else(|| format!("there is no pattern `{name}`: there is {}", names()))
        }
    }
}

/// `create 1, pay 2 3, awaiting ship, at 16m`
fn stages(text: &str) -> Vec<(&str, Vec<&str>)> {
    let held = text.split(", ").take_while(|part| !part.starts_with("awaiting ") && !part.starts_with("at "));
    held.map(|part| {
        part.split_once(' ').map_or((part, Vec::new()), |(stage, names)| (stage, names.split(' ').collect()))
    })
    .collect()
}

/// The place of the event of that name.
pub(crate) fn place_of(name: &str, trial: &Trial) -> Option<usize> {
    trial.arrivals.iter().position(|arrival| matches!(arrival, Arrival::Event(event) if event.name == name))
}

/// The keys of a pattern to which the event at a place comes; none if it is no event, or of a stream that the pattern does not
/// read.
pub(crate) fn keys_of(trial: &Trial, pattern: usize, at: usize) -> Vec<Key> {
    let Arrival::Event(event) = &trial.arrivals[at] else { return Vec::new() };
    let Pattern { from, key, .. } = &trial.patterns.patterns[pattern];
    let stream = event.row.stream();
    if !from.contains(&stream) {
        return Vec::new();
    }
    let faults = Cell::new(0);
    let part = |part| key_part(part, &event.row, &faults).into_owned();
    let keys = key.ways_of(stream).map(|(_, way)| way.parts.iter().map(part).collect::<Vec<_>>());
    let keys = keys.filter(|parts| !parts.iter().any(ensue_model::Value::is_null)).map(|parts| Key::of(&parts));
    keys.fold(Vec::new(), |mut keys, key| {
        if !keys.contains(&key) {
            keys.push(key);
        }
        keys
    })
}
