//! `ensue trace`: what happened to the runs of one key, as text, as lines of JSON, or as a page.

use std::fs;
use std::io::{self, IsTerminal};

use ensue_model::Timestamp;
use ensue_testkit::trace::{Happening, Moment};

use crate::args::{self, ReportFormat, TraceFormat};
use crate::counted::counted;
use crate::failure::{Failure, write_line};
use crate::subject::{Found, check, find};
use crate::telling::{Telling, Tone};

mod json;
mod page;

pub(crate) fn trace(args: &args::Trace) -> Result<(), Failure> {
    let mut format = ReportFormat::Text;
    let mut formats = Vec::new();
    for said in &args.format {
        match said {
            TraceFormat::Report(report) => format = *report,
            TraceFormat::Events(events) => formats.push(events.clone()),
        }
    }
    let found = find(&args.subject, &formats)?;
    let Some(trace) = &found.trace else {
        match format {
            ReportFormat::Text => found.absence().iter().try_for_each(|line| write_line(line))?,
            ReportFormat::Json => write_line(&json::absence(&found))?,
        }
        return Err(Failure::NoSuchKey);
    };
    let telling = Telling { found: &found, trace };
    match (&args.html, format) {
        (Some(path), _) => {
            let page = page::page(&telling);
            fs::write(path, page).map_err(|error| Failure::write(&format!("`{}`", path.display()), &error))?;
            write_line(&format!("{}: {}", path.display(), summary(&telling)))?;
        }
        (None, ReportFormat::Text) => Text::new(&telling).write()?,
        (None, ReportFormat::Json) => json::lines(&telling, &mut write_line_of)?,
    }
    check(trace)
}

fn write_line_of(line: String) -> Result<(), Failure> {
    write_line(&line)
}

/// What there was in all: `3 events, 2 runs: 1 match, 1 timeout`.
pub(crate) fn summary(telling: &Telling<'_>) -> String {
    let trace = telling.trace;
    let counts = [
        (trace.events.len(), "event"),
        (trace.runs.len(), "run"),
        (trace.matches.len(), "match"),
        (trace.timeouts.len(), "timeout"),
    ];
    let [events, runs, matches, timeouts] = counts.map(|(count, what)| counted(count as u64, what));
    format!("{events}, {runs}: {matches}, {timeouts}")
}

/// Where a trace was cut, and how to see more.
pub(crate) fn cut(found: &Found) -> Option<String> {
    let trace = found.trace.as_ref()?;
    let cut = trace.cut?;
    let all = found.recording.events;
    Some(format!(
        "the trace ends here, with event {cut} of {all}: it has come to its bound; a larger --steps N shows more"
    ))
}

/// What a trace tells at its end: what is still open, where the input ends, what was left out.
pub(crate) fn epilogue(telling: &Telling<'_>) -> Vec<String> {
    let mut lines = Vec::new();
    let open: Vec<usize> = (0..telling.trace.runs.len()).filter(|run| telling.trace.runs[*run].end.is_none()).collect();
    if telling.trace.cut.is_none() && !open.is_empty() {
        let is = if open.len() == 1 { "is" } else { "are" };
        lines.push(format!("{} {is} still open at the end of the input", crate::telling::listed_runs(&open)));
    }
    let after = telling.trace.moments.last().map(|moment| moment.at).zip(telling.found.recording.latest);
    if let Some((last, latest)) = after
        && last > latest
        && last < Timestamp::MAX
    {
        lines.push(format!("the input ends at {latest}: what is told behind that comes because time goes on"));
    }
    lines.extend(cut(telling.found));
    lines.extend(telling.found.asides());
    lines
}

/// Of a longer stretch of events with which nothing happens, one is shown.
const DULL_MAX: usize = 3;

/// Whether it is an event with which nothing happens.
fn is_dull(moment: &Moment) -> bool {
    matches!(moment.happenings.as_slice(), [Happening::NoneBegan { .. }])
}

/// A trace as a terminal shows it.
struct Text<'t> {
    telling: &'t Telling<'t>,
    has_colours: bool,
    /// How wide the column of times is.
    width: usize,
}

impl<'t> Text<'t> {
    fn new(telling: &'t Telling<'t>) -> Self {
        let has_colours = io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        let clocks = telling.trace.moments.iter().map(|moment| clock(moment.at).1.len());
        Text { telling, has_colours, width: clocks.max().unwrap_or_default() }
    }

    fn write(&self) -> Result<(), Failure> {
        write_line(&self.painted("1", &format!("{}: {}", self.telling.found.title(), summary(self.telling))))?;
        let mut day = String::new();
        for stretch in self.telling.trace.moments.chunk_by(|a, b| is_dull(a) && is_dull(b)) {
            let (shown, folded) = stretch.split_at(if stretch.len() > DULL_MAX { 1 } else { stretch.len() });
            for moment in shown {
                let (of_day, _) = clock(moment.at);
                if of_day != day {
                    write_line(&format!("\n{}", self.painted("1", &of_day)))?;
                    day = of_day;
                }
                self.moment(moment)?;
            }
            if let [first, .., last] = folded {
                let numbers = [first, last].map(|moment| moment.event.map_or(0, |event| event + 1));
                let text = format!("events {}–{}  no run begins with any of them", numbers[0], numbers[1]);
                write_line(&format!("{:width$}  {}", "…", self.painted("2", &text), width = self.width))?;
            }
        }
        let epilogue = epilogue(self.telling);
        if !epilogue.is_empty() {
            write_line("")?;
        }
        epilogue.iter().try_for_each(|line| write_line(line))
    }

    fn moment(&self, moment: &Moment) -> Result<(), Failure> {
        let (_, clock) = clock(moment.at);
        let width = self.width;
        let mut before = format!("{clock:<width$}  ");
        if let Some(event) = moment.event {
            write_line(&format!("{before}{}", self.event(event)))?;
            before = " ".repeat(width + 4);
        }
        for told in self.telling.happenings(moment) {
            write_line(&format!("{before}{}", self.painted(colour(told.tone), &told.text)))?;
            before = " ".repeat(width + if moment.event.is_some() { 4 } else { 2 });
        }
        Ok(())
    }

    fn event(&self, event: usize) -> String {
        let traced = &self.telling.trace.events[event];
        let found = self.telling.found;
        let number = self.painted("1", &format!("event {}", event + 1));
        let origin = self.painted("2", &found.origin(&traced.event));
        format!("{number}  {}  {origin}", found.json(&traced.event))
    }

    fn painted(&self, code: &str, text: &str) -> String {
        if self.has_colours && !code.is_empty() { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}

fn colour(tone: Tone) -> &'static str {
    match tone {
        Tone::Way => "",
        Tone::Quiet => "2",
        Tone::End => "31",
        Tone::Timeout => "33",
        Tone::Match => "32",
    }
}

/// The day of a time, and the time of that day.
fn clock(time: Timestamp) -> (String, String) {
    let text = time.to_string();
    match text.split_once('T') {
        Some((day, clock)) => (day.to_owned(), clock.trim_end_matches('Z').to_owned()),
        None => (String::new(), "the end of time".to_owned()),
    }
}
