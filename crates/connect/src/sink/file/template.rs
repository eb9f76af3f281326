//! The names of a sink's files.

use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

use chrono::NaiveDate;
use ensue_model::Timestamp;

use crate::Error;

const DATE: &str = "{date}";
const HOUR: &str = "{hour}";
const HOUR_MICROS: i64 = 3_600_000_000;
const HOURS_PER_DAY: i64 = 24;

/// As a date is written, from the year 0 to 9999: what has a time before or after is put on the first or the last day.
const DATE_FORMAT: &str = "%Y-%m-%d";
const DATE_BYTES: usize = 10;

/// A path in which `{date}` and `{hour}` stand for those of an output.
#[derive(Clone, Debug)]
pub(super) struct Template {
    text: String,
    parts: Vec<Part>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Part {
    Text(String),
    Date,
    Hour,
}

/// The time that one file is for. Without a date or an hour in the path, all of it is one.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub(super) struct Period {
    date: NaiveDate,
    hour: i64,
}

impl Period {
    const ALL: Period = Period { date: NaiveDate::MIN, hour: 0 };
}

impl Template {
    pub(super) fn new(text: &str) -> Result<Self, Error> {
        let refused = |what: String| Error::new(format!("cannot write to `{text}`: {what}"));
        if [".gz", ".zst"].iter().any(|ending| text.ends_with(ending)) {
            return Err(refused("compressed files are read, but not written; leave out the ending".to_owned()));
        }
        if text.is_empty() || text.ends_with('/') {
            return Err(refused("it names no file".to_owned()));
        }
        // As paths are that are found, so that they can be compared.
        let components = Path::new(text).components().filter(|component| *component != Component::CurDir);
        let text = components.collect::<PathBuf>().to_string_lossy().into_owned();
        let mut parts = Vec::new();
        let mut rest = text.as_str();
        while !rest.is_empty() {
            let end = if rest.starts_with('{') { rest.find('}').map(|at| at + 1) } else { rest.find('{') };
            let (part, after) = rest.split_at(end.unwrap_or(rest.len()));
            parts.push(match part {
                DATE => Part::Date,
                HOUR => Part::Hour,
                part if part.starts_with('{') => {
                    return Err(refused(format!("`{part}` stands for nothing; there are `{DATE}` and `{HOUR}`")));
                }
                part => Part::Text(part.to_owned()),
            });
            rest = after;
        }
        if parts.contains(&Part::Hour) && !parts.contains(&Part::Date) {
            return Err(refused(format!("with `{HOUR}` and without `{DATE}`, all days would go to the same files")));
        }
        Ok(Template { text, parts })
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// The period of an output of that time.
    pub(super) fn period(&self, time: Timestamp) -> Period {
        let hour = time.as_micros().div_euclid(HOUR_MICROS);
        Period {
            date: if self.parts.contains(&Part::Date) {
                date(hour.div_euclid(HOURS_PER_DAY))
            } else {
                Period::ALL.date
            },
            hour: if self.parts.contains(&Part::Hour) { hour.rem_euclid(HOURS_PER_DAY) } else { Period::ALL.hour },
        }
    }

    /// The path of a period's file.
    pub(super) fn path(&self, period: Period) -> PathBuf {
        let mut path = String::new();
        for part in &self.parts {
            match part {
                Part::Text(text) => path.push_str(text),
                Part::Date => path.push_str(&period.date.format(DATE_FORMAT).to_string()),
                Part::Hour => path.push_str(&format!("{:02}", period.hour)),
            }
        }
        PathBuf::from(path)
    }

    /// The files that there are, with their periods and lengths.
    pub(super) fn files(&self) -> Result<Vec<(Period, PathBuf, u64)>, Error> {
        let mut files = Vec::new();
        let candidates = self.candidates()?;
        for (period, path) in candidates {
            match fs::metadata(&path) {
                Ok(metadata) if metadata.is_dir() => {
                    return Err(Error::new(format!("cannot write to `{}`: it is a folder", path.display())));
                }
                Ok(metadata) => files.push((period, path, metadata.len())),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(Error::io(format!("cannot write to `{}`", path.display()), error)),
            }
        }
        Ok(files)
    }

    /// The paths that may be those of periods: those that are there.
    fn candidates(&self) -> Result<Vec<(Period, PathBuf)>, Error> {
        if self.parts.iter().all(|part| matches!(part, Part::Text(_))) {
            return Ok(vec![(Period::ALL, self.path(Period::ALL))]);
        }
        let pattern: String = self.parts.iter().map(Part::pattern).collect();
        let paths = glob::glob(&pattern).map_err(|error| Error::new(error.to_string()))?;
        let mut candidates = Vec::new();
        for path in paths {
            let path = path.map_err(|error| {
                let folder = error.path().display().to_string();
                Error::io(format!("cannot look for files in `{folder}`"), error.into())
            })?;
            candidates.extend(self.period_of(&path).map(|period| (period, path)));
        }
        Ok(candidates)
    }

    /// The period whose file that path is.
    fn period_of(&self, path: &Path) -> Option<Period> {
        let mut rest = path.to_str()?;
        let mut period = Period::ALL;
        for part in &self.parts {
            match part {
                Part::Text(text) => rest = rest.strip_prefix(text.as_str())?,
                Part::Date => {
                    period.date = NaiveDate::parse_from_str(rest.get(..DATE_BYTES)?, DATE_FORMAT).ok()?;
                    rest = &rest[DATE_BYTES..];
                }
                Part::Hour => {
                    period.hour = rest.get(..2)?.parse().ok().filter(|hour| (0..HOURS_PER_DAY).contains(hour))?;
                    rest = &rest[2..];
                }
            }
        }
        // What is written otherwise, or stands there twice with different values, is not ours.
        (rest.is_empty() && self.path(period) == path).then_some(period)
    }
}

impl Part {
    fn pattern(&self) -> String {
        match self {
            Part::Text(text) => glob::Pattern::escape(text),
            Part::Date | Part::Hour => "*".to_owned(),
        }
    }
}

/// The date of so many days after 1970-01-01.
fn date(days: i64) -> NaiveDate {
    let year = |year, month, day| NaiveDate::from_ymd_opt(year, month, day).expect("it is one of the calendar");
    let (first, last) = (year(0, 1, 1), year(9999, 12, 31));
    let days = i32::try_from(days).unwrap_or(if days < 0 { i32::MIN } else { i32::MAX });
    match NaiveDate::from_epoch_days(days) {
        Some(date) => date.clamp(first, last),
        None if days < 0 => first,
        None => last,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(template: &str, time: Timestamp) -> String {
        let template = Template::new(template).expect("a template");
        let path = template.path(template.period(time));
        assert_eq!(template.period_of(&path), Some(template.period(time)));
        path.display().to_string()
    }

    #[test]
    fn the_event_time_decides_on_the_file() {
        let time = Timestamp::from_seconds(1_611_047_605);
        assert_eq!(path("out.jsonl", time), "out.jsonl");
        assert_eq!(path("out/{date}.jsonl", time), "out/2021-01-19.jsonl");
        assert_eq!(path("out/{date}/{hour}.jsonl", time), "out/2021-01-19/09.jsonl");
        assert_eq!(path("{date}", Timestamp::from_micros(-1)), "1969-12-31");
        assert_eq!(path("{date}", Timestamp::MIN), "0000-01-01");
        assert_eq!(path("{date}", Timestamp::MAX), "9999-12-31");
    }

    #[test]
    fn only_what_is_called_as_the_template_says_is_one_of_its_files() {
        let template = Template::new("out/{date}-{hour}.jsonl").expect("a template");
        let is_one = |path: &str| template.period_of(Path::new(path)).is_some();
        assert!(is_one("out/2021-01-19-09.jsonl"));
        for other in [
            "out/2021-01-19-24.jsonl",
            "out/2021-01-19-+9.jsonl",
            "out/2021-1-19-09.jsonl",
            "out/2021-02-30-00.jsonl",
            "out/2021-01-19-09.jsonl.old",
            "out/notes-09.jsonl",
            "2021-01-19-09.jsonl",
        ] {
            assert!(!is_one(other), "{other}");
        }
    }

    #[test]
    fn what_is_no_template_is_refused() {
        let refusal = |text: &str| Template::new(text).expect_err("refused").to_string();
        assert_eq!(
            refusal("out/{day}.jsonl"),
            "cannot write to `out/{day}.jsonl`: `{day}` stands for nothing; there are `{date}` and `{hour}`"
        );
        assert_eq!(refusal("{da"), "cannot write to `{da`: `{da` stands for nothing; there are `{date}` and `{hour}`");
        assert_eq!(
            refusal("out.jsonl.gz"),
            "cannot write to `out.jsonl.gz`: compressed files are read, but not written; leave out the ending"
        );
        assert_eq!(refusal("out/"), "cannot write to `out/`: it names no file");
        assert_eq!(
            refusal("{hour}"),
            "cannot write to `{hour}`: with `{hour}` and without `{date}`, all days would go to the same files"
        );
    }
}
