//! `ensue state`: what the checkpoints of a job hold.

use std::fmt::Write as _;

use ensue_model::Timestamp;
use ensue_runtime::job::checkpoint::{Checkpoint, Kept, SavedLoad, SavedPlace, SavedSink, SavedSource, all};
use serde_json::{Value, json};

use crate::args::{ReportFormat, State};
use crate::counted::counted;
use crate::failure::{Failure, say, write_line};

pub(crate) fn state(args: &State) -> Result<(), Failure> {
    let folder = args.folder.display();
    let kept = all(&args.folder).map_err(|error| Failure::Data(error.to_string()))?;
    if kept.is_empty() {
        return Err(Failure::Data(format!("no checkpoint in `{folder}`: it is the `dir` of a job's `checkpoint`")));
    }
    match args.format {
        ReportFormat::Text => write_line(text(&kept).trim_end())?,
        ReportFormat::Json => kept.iter().map(as_json).try_for_each(|line| write_line(&line.to_string()))?,
    }
    match kept.iter().any(|kept| kept.checkpoint.is_ok()) {
        true => Ok(()),
        false => Err(Failure::Data(format!("no checkpoint in `{folder}` is whole"))),
    }
}

/// The newest checkpoint that is whole, and a line for each of the others.
fn text(kept: &[Kept]) -> String {
    let mut text = String::new();
    let newest = kept.iter().find_map(|kept| Some((kept, kept.checkpoint.as_ref().ok()?)));
    if let Some((kept, checkpoint)) = newest {
        describe(kept, checkpoint, &mut text);
    }
    for kept in kept.iter().filter(|other| newest.is_none_or(|(newest, _)| newest.path != other.path)) {
        match &kept.checkpoint {
            Ok(older) => line(&mut text, &format!("older: {}, {}", title(kept, older), written(older.taken))),
            Err(reason) => say(&format!("warning: `{}` cannot be used: {reason}", kept.path.display())),
        }
    }
    text
}

fn title(kept: &Kept, checkpoint: &Checkpoint) -> String {
    format!("`{}`, checkpoint {}, {} bytes", kept.path.display(), checkpoint.number, kept.bytes)
}

fn describe(kept: &Kept, checkpoint: &Checkpoint, text: &mut String) {
    let Checkpoint { job, taken, patterns, sources, sinks, counts, open, waiting, has_ended, .. } = checkpoint;
    line(text, &format!("job `{job}`: {}", title(kept, checkpoint)));
    let ended = if *has_ended { "; the job had come to its end" } else { "" };
    line(text, &format!("taken {}{ended}", written(*taken)));
    section(text, "pattern files");
    patterns.iter().for_each(|(name, _)| line(text, &format!("  {name}")));
    section(text, "patterns");
    for of_pattern in &counts.patterns {
        let open = open.iter().find(|load| load.pattern == of_pattern.name).map(open_of).unwrap_or_default();
        let (name, matches, timeouts) = (&of_pattern.name, of_pattern.matches, of_pattern.timeouts);
        let (matches, timeouts) = (counted(matches, "match"), counted(timeouts, "timeout"));
        line(text, &format!("  {name}: {open}{matches} and {timeouts} so far"));
        waiting.iter().filter(|place| place.pattern == *name).for_each(|place| line(text, &waits(place)));
    }
    line(text, &format!("  {} late, {} rejected", counts.late, counts.rejected));
    section(text, "sources");
    sources.iter().for_each(|source| line(text, &format!("  {}: {}", source.name, come_to(source))));
    section(text, "sinks");
    sinks.iter().for_each(|sink| describe_sink(sink, text));
}

fn section(text: &mut String, title: &str) {
    line(text, &format!("\n{title}"));
}

fn line(text: &mut String, line: &str) {
    writeln!(text, "{line}").expect("memory takes all that is written");
}

fn open_of(load: &SavedLoad) -> String {
    let SavedLoad { keys, runs, bytes, .. } = load;
    let (runs, keys, bytes) = (counted(*runs, "open run"), counted(*keys, "key"), counted(*bytes, "byte"));
    format!("{runs} of {keys}, {bytes}; ")
}

/// For what some runs waited, and since when.
fn waits(SavedPlace { awaiting, runs, oldest, .. }: &SavedPlace) -> String {
    let (verb, since) = if *runs == 1 { ("awaits", "since") } else { ("await", "the oldest since") };
    let stages = if awaiting.is_empty() { "the end of the window".to_owned() } else { awaiting.join(" or ") };
    format!("    {runs} {verb} {stages}, {since} {}", written(*oldest))
}

/// How far a source had come.
fn come_to(source: &SavedSource) -> String {
    let progress = &source.progress;
    let mut said = format!("{} events", progress.events);
    if progress.newest > Timestamp::MIN {
        let _ = write!(said, ", the newest of {}", written(progress.newest));
    }
    match &progress.mark.document {
        _ if progress.has_ended => said.push_str("; it had ended"),
        Some(place) => {
            let _ = write!(said, "; at `{}`, line {}, byte {}", place.name, place.line, place.bytes);
            if progress.mark.records > 0 {
                let _ = write!(said, ", and {} records on", progress.mark.records);
            }
        }
        None => said.push_str("; nothing was read"),
    }
    said
}

/// A sink with its files, where it has such.
fn describe_sink(sink: &SavedSink, text: &mut String) {
    match position(sink) {
        Value::Object(position) if position.get("files").is_some_and(Value::is_object) => {
            line(text, &format!("  {}", sink.name));
            for (path, length) in position["files"].as_object().into_iter().flatten() {
                line(text, &format!("    `{path}`: safe up to byte {length}"));
            }
        }
        Value::String(text_of) if text_of.is_empty() => line(text, &format!("  {}: keeps no place", sink.name)),
        other => line(text, &format!("  {}: {other}", sink.name)),
    }
}

/// The position of a sink: as JSON, where it is some.
fn position(sink: &SavedSink) -> Value {
    serde_json::from_str(&sink.position.0).unwrap_or_else(|_| Value::from(sink.position.0.as_str()))
}

fn as_json(kept: &Kept) -> Value {
    let Kept { path, bytes, checkpoint } = kept;
    let path = path.display().to_string();
    match checkpoint {
        Err(reason) => json!({ "path": path, "bytes": bytes, "damaged": reason }),
        Ok(checkpoint) => {
            let counts = &checkpoint.counts;
            json!({
                "path": path,
                "bytes": bytes,
                "job": checkpoint.job,
                "number": checkpoint.number,
                "taken": written(checkpoint.taken),
                "has_ended": checkpoint.has_ended,
                "files": checkpoint.patterns.iter().map(|(name, _)| name).collect::<Vec<_>>(),
                "patterns": counts.patterns.iter().map(|of| pattern_as_json(of, checkpoint)).collect::<Vec<_>>(),
                "late": counts.late,
                "rejected": counts.rejected,
                "sources": checkpoint.sources.iter().map(source_as_json).collect::<Vec<_>>(),
                "sinks": checkpoint.sinks.iter().map(sink_as_json).collect::<Vec<_>>(),
            })
        }
    }
}

fn pattern_as_json(pattern: &ensue_runtime::job::OfPattern, checkpoint: &Checkpoint) -> Value {
    let load = checkpoint.open.iter().find(|load| load.pattern == pattern.name);
    let open = load.map(|load| json!({ "runs": load.runs, "keys": load.keys, "bytes": load.bytes }));
    let waiting = checkpoint.waiting.iter().filter(|place| place.pattern == pattern.name);
    let waiting = waiting.map(|SavedPlace { awaiting, runs, oldest, .. }| {
        json!({ "awaiting": awaiting, "runs": runs, "oldest": written(*oldest) })
    });
    json!({
        "name": pattern.name,
        "matches": pattern.matches,
        "timeouts": pattern.timeouts,
        "open": open,
        "waiting": waiting.collect::<Vec<_>>(),
    })
}

fn source_as_json(source: &SavedSource) -> Value {
    let progress = &source.progress;
    let newest = (progress.newest > Timestamp::MIN).then(|| written(progress.newest));
    let place = progress.mark.document.as_ref();
    let place = place.map(|place| json!({ "document": place.name, "line": place.line, "bytes": place.bytes }));
    json!({
        "name": source.name,
        "events": progress.events,
        "newest": newest,
        "has_ended": progress.has_ended,
        "at": place,
        "records_on": progress.mark.records,
    })
}

fn sink_as_json(sink: &SavedSink) -> Value {
    json!({ "name": sink.name, "position": position(sink) })
}

fn written(time: Timestamp) -> String {
    time.rfc3339().map_or_else(|| time.as_micros().to_string(), |time| time.as_str().to_owned())
}
