//! What a program under measurement says of itself, as lines `name value` on standard output: it is read by the program that
//! started it.

use std::collections::BTreeMap;

use crate::stopwatch::Took;

/// Names with numbers.
#[derive(Clone, PartialEq, Default, Debug)]
pub struct Report {
    values: BTreeMap<String, f64>,
}

impl Report {
    /// That so many events took so long.
    pub fn of(events: usize, took: Took) -> Self {
        let mut report = Report::default();
        report.set("events", events as f64);
        report.set("seconds", took.wall.as_secs_f64());
        report.set("cpu_seconds", took.cpu.as_secs_f64());
        report
    }

    /// Adds a number.
    pub fn set(&mut self, name: &str, value: f64) {
        self.values.insert(name.to_owned(), value);
    }

    /// The same report with another number.
    pub fn with(mut self, name: &str, value: f64) -> Self {
        self.set(name, value);
        self
    }

    /// The number of that name.
    pub fn get(&self, name: &str) -> Option<f64> {
        self.values.get(name).copied()
    }

    /// What a program wrote; other lines are passed over.
    pub fn parse(text: &str) -> Self {
        let values = text.lines().filter_map(|line| line.split_once(' '));
        let values = values.filter_map(|(name, value)| Some((name.to_owned(), value.trim().parse().ok()?)));
        Report { values: values.collect() }
    }
}

impl std::fmt::Display for Report {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.values.iter().try_for_each(|(name, value)| writeln!(f, "{name} {value}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let report = Report::default().with("events", 3.0).with("seconds", 0.25);
        assert_eq!(Report::parse(&report.to_string()), report);
        assert_eq!(report.get("seconds"), Some(0.25));
    }
}
