//! A trace as a page: a time line of the key with a lane for each run, and the story beside it. One file that needs nothing
//! else, and asks nothing of any network.

use ensue_model::Timestamp;
use ensue_testkit::trace::{End, Moment, Run};
use serde_json::{Value as Json, json};

use crate::telling::{Telling, Told, Tone};
use crate::xml::escaped;

const HTML: &str = include_str!("page.html");
const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// The most that is told of one moment: a page has to open.
const HAPPENINGS_MAX: usize = 40;

/// The longest text of an event that a page holds, in bytes.
const EVENT_BYTES_MAX: usize = 4_096;

/// The page of a trace.
pub(crate) fn page(telling: &Telling<'_>) -> String {
    let title = telling.found.title();
    // In a script nothing may look like its end.
    let data = data(telling).to_string().replace('<', "\\u003c");
    let parts = [("{{title}}", escaped(&title)), ("{{style}}", STYLE.to_owned()), ("{{data}}", data)];
    let page = parts.into_iter().fold(HTML.to_owned(), |page, (name, part)| page.replacen(name, &part, 1));
    page.replacen("{{script}}", SCRIPT, 1)
}

fn data(telling: &Telling<'_>) -> Json {
    let trace = telling.trace;
    let pattern = telling.pattern();
    let stages: Vec<&str> = pattern.stages.iter().map(|stage| stage.name.as_str()).collect();
    json!({
        "title": telling.found.title(),
        "pattern": pattern.name,
        "doc": pattern.doc,
        "within": pattern.within.map(|within| within.to_string()),
        "summary": {
            "events": trace.events.len(),
            "runs": trace.runs.len(),
            "matches": trace.matches.len(),
            "timeouts": trace.timeouts.len(),
            "late": telling.found.recording.late,
        },
        "defects": trace.differences,
        "notes": super::epilogue(telling),
        "stages": stages,
        "latest": telling.found.recording.latest.and_then(micros),
        "events": (0..trace.events.len()).map(|event| self::event(telling, event)).collect::<Vec<_>>(),
        "runs": trace.runs.iter().map(|run| self::run(telling, run)).collect::<Vec<_>>(),
        "moments": trace.moments.iter().map(|moment| self::moment(telling, moment)).collect::<Vec<_>>(),
    })
}

/// A time in microseconds since 1970; none at the ends of time.
fn micros(time: Timestamp) -> Option<i64> {
    Some(time.as_micros()).filter(|_| time != Timestamp::MAX && time != Timestamp::MIN)
}

/// Its time, where it comes from, its stream, its values.
fn event(telling: &Telling<'_>, event: usize) -> Json {
    let traced = &telling.trace.events[event];
    let found = telling.found;
    let mut values = found.json(&traced.event);
    if values.len() > EVENT_BYTES_MAX {
        let end = (0..=EVENT_BYTES_MAX).rev().find(|end| values.is_char_boundary(*end)).unwrap_or_default();
        values.truncate(end);
        values.push('…');
    }
    json!([micros(traced.time), found.origin(&traced.event), found.stream(&traced.event.row), values])
}

/// Its parent, the event it begins with, what it took, what it waited for, how it ended.
fn run(telling: &Telling<'_>, run: &Run) -> Json {
    let taken: Vec<Json> = run.taken.iter().map(|(stage, event)| json!([stage.0, event])).collect();
    let waits = run.waits.iter().map(|(event, waits)| {
        let stages: Vec<_> = waits.stages.iter().map(|(stage, _)| *stage).collect();
        let until = waits.absent.or(waits.closes).and_then(micros);
        json!([event, telling.stages(&stages), until, waits.absent.is_some()])
    });
    let end = run.end.as_ref().map(|(at, end)| json!([micros(*at), ending(end), telling.ended(end, None)]));
    json!({
        "parent": run.parent,
        "since": run.since,
        "taken": taken,
        "waits": waits.collect::<Vec<_>>(),
        "end": end,
        "matched": run.matched.iter().any(Result::is_ok),
        "kept": !run.matched.is_empty() && run.matched.iter().all(Result::is_err),
    })
}

fn ending(end: &End) -> &'static str {
    match end {
        End::Matched => "match",
        End::TimedOut(..) => "timeout",
        End::Over => "over",
        End::Unfit | End::Stopped(_) => "end",
        End::Skipped(_) | End::Displaced => "void",
    }
}

/// Its time, its event, and what happened: a tone, a sentence and the runs of each.
fn moment(telling: &Telling<'_>, moment: &Moment) -> Json {
    let told = telling.happenings(moment);
    let more = told.len().saturating_sub(HAPPENINGS_MAX);
    let mut happenings: Vec<Json> = told.into_iter().take(HAPPENINGS_MAX).map(happening).collect();
    if more > 0 {
        happenings.push(json!(["quiet", format!("and {more} more: --format json tells each"), []]));
    }
    json!([micros(moment.at), moment.event, happenings])
}

fn happening(Told { tone, text, mut runs }: Told) -> Json {
    let tone = match tone {
        Tone::Way => "way",
        Tone::Quiet => "quiet",
        Tone::End => "end",
        Tone::Timeout => "timeout",
        Tone::Match => "match",
    };
    runs.truncate(HAPPENINGS_MAX);
    json!([tone, text, runs])
}
