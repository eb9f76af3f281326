//! A trace as lines of JSON: `docs/trace.md` says what they hold.

use ensue_model::Value;
use ensue_model::pattern::StageId;
use ensue_testkit::reference::{Awaits, KeptBack};
use ensue_testkit::trace::{Answer, End, Happening, Moment, Output};
use serde_json::{Map, Value as Json};

use crate::failure::Failure;
use crate::subject::Found;
use crate::telling::Telling;

/// The version of what the lines hold. What is added does not change it; what is taken away or means something else does.
const VERSION: u32 = 1;

/// Gives the lines one after the other: the first tells what the trace is of, the last what else there is to know.
pub(crate) fn lines(telling: &Telling<'_>, give: &mut dyn FnMut(String) -> Result<(), Failure>) -> Result<(), Failure> {
    let writer = Lines { telling };
    give(writer.opening())?;
    for moment in &telling.trace.moments {
        if let Some(event) = moment.event {
            give(writer.event(event))?;
        }
        for happening in &moment.happenings {
            give(writer.happening(moment, happening))?;
        }
    }
    give(writer.closing())
}

/// What is said of a key that does not occur.
pub(crate) fn absence(found: &Found) -> String {
    let mut line = Line::of("absent");
    line.put("version", VERSION);
    line.put("pattern", found.patterns.patterns[found.pattern].name.as_str());
    line.put("key", found.wanted.as_str());
    line.put("late", found.recording.late);
    line.put("said", found.absence());
    line.done()
}

/// A line in the making: an object whose names keep their order.
struct Line(String);

impl Line {
    fn of(kind: &str) -> Self {
        Line(format!("{{\"kind\":{}", Json::from(kind)))
    }

    fn put(&mut self, name: &str, value: impl Into<Json>) {
        self.put_json(name, &value.into().to_string());
    }

    /// What is JSON already.
    fn put_json(&mut self, name: &str, value: &str) {
        self.0 += &format!(",{}:{value}", Json::from(name));
    }

    fn done(self) -> String {
        self.0 + "}"
    }
}

struct Lines<'t> {
    telling: &'t Telling<'t>,
}

impl Lines<'_> {
    fn opening(&self) -> String {
        let trace = self.telling.trace;
        let names = &self.telling.pattern().key.names;
        let parts = names.iter().zip(trace.key.iter());
        let mut line = Line::of("trace");
        line.put("version", VERSION);
        line.put("pattern", self.telling.pattern().name.as_str());
        line.put("key", parts.map(|(name, part)| (name.clone(), value(part))).collect::<Map<_, _>>());
        line.put("events", trace.events.len());
        line.put("runs", trace.runs.len());
        line.put("matches", trace.matches.len());
        line.put("timeouts", trace.timeouts.len());
        line.put("late", self.telling.found.recording.late);
        line.done()
    }

    fn event(&self, event: usize) -> String {
        let (found, traced) = (self.telling.found, &self.telling.trace.events[event]);
        let mut line = Line::of("event");
        line.put("event", event + 1);
        line.put("time", traced.time.to_string());
        if let Some(stream) = found.stream(&traced.event.row) {
            line.put("stream", stream);
        }
        if let Some((file, number)) = found.source(&traced.event) {
            line.put("file", file);
            line.put("line", number);
        }
        // They stand there digit for digit as they came.
        line.put_json("values", &found.json(&traced.event));
        line.done()
    }

    fn happening(&self, moment: &Moment, happening: &Happening) -> String {
        let mut line = Line::of(kind(happening));
        line.put("time", moment.at.to_string());
        if let Some(event) = moment.event {
            line.put("event", event + 1);
        }
        match happening {
            Happening::NoneBegan { answers } => self.put_asked(&mut line, *answers),
            Happening::Began { run, stage } | Happening::Took { run, stage } => {
                line.put("run", run + 1);
                self.put_taken(&mut line, *run, *stage, moment);
            }
            Happening::Forked { run, from, stage } => {
                line.put("run", run + 1);
                line.put("from", from + 1);
                self.put_taken(&mut line, *run, *stage, moment);
            }
            Happening::Passed { runs, answers } => {
                line.put("runs", runs.iter().map(|run| run + 1).collect::<Vec<_>>());
                self.put_asked(&mut line, *answers);
            }
            Happening::Ended { run, end, answers } => {
                line.put("run", run + 1);
                self.put_end(&mut line, end, *answers);
            }
            Happening::Complete { run } => line.put("run", run + 1),
            Happening::Matched { run, output } => {
                line.put("run", run + 1);
                self.put_output(&mut line, output.map(|output| &self.telling.trace.matches[output]));
            }
            Happening::TimedOut { run, awaiting, output } => {
                line.put("run", run + 1);
                line.put("awaiting", self.names(awaiting));
                self.put_output(&mut line, output.map(|output| &self.telling.trace.timeouts[output]));
            }
        }
        line.put("text", self.telling.happening(moment, happening).1);
        line.done()
    }

    fn names(&self, stages: &[StageId]) -> Vec<&str> {
        stages.iter().map(|stage| self.telling.stage(*stage)).collect()
    }

    /// The stage that took the event, and what the run waits for then.
    fn put_taken(&self, line: &mut Line, run: usize, stage: StageId, moment: &Moment) {
        line.put("stage", self.telling.stage(stage));
        let waits = self.telling.trace.runs[run].waits.iter().find(|(event, _)| Some(*event) == moment.event);
        let Some((_, Awaits { stages, closes, absent })) = waits else { return };
        let stages: Vec<StageId> = stages.iter().map(|(stage, _)| *stage).collect();
        line.put("waits_for", self.names(&stages));
        if let Some(closes) = closes {
            line.put("before", closes.to_string());
        }
        if let Some(absent) = absent {
            line.put("match_at", absent.to_string());
        }
    }

    fn put_end(&self, line: &mut Line, end: &End, answers: Option<usize>) {
        line.put("how", how(end));
        match end {
            End::Stopped(stage) => line.put("stage", self.telling.stage(*stage)),
            End::Skipped(by) => line.put("by", by + 1),
            End::Matched | End::TimedOut(..) | End::Over | End::Unfit | End::Displaced => {}
        }
        if let Some(answers) = answers {
            self.put_asked(line, answers);
        }
    }

    fn put_output(&self, line: &mut Line, output: Result<&Output, KeptBack>) {
        let output = match output {
            Ok(output) => output,
            Err(why) => return line.put("kept_back", kept_back(why)),
        };
        line.put("id", format!("{:032x}", output.id));
        let mut events: Vec<(&str, Vec<usize>)> = Vec::new();
        for (stage, event) in &output.taken {
            let name = self.telling.stage(*stage);
            match events.iter_mut().find(|(known, _)| *known == name) {
                Some((_, of_stage)) => of_stage.push(event + 1),
                None => events.push((name, vec![event + 1])),
            }
        }
        let events = events.into_iter().map(|(name, events)| format!("{}:{}", Json::from(name), Json::from(events)));
        line.put_json("events", &format!("{{{}}}", events.collect::<Vec<_>>().join(",")));
        let pattern = self.telling.pattern();
        let emission = if output.is_timeout { &pattern.timeout } else { &pattern.emit };
        if let (Some(record), Some(values)) = (emission.record(), &output.record) {
            let entries = record.entries.iter().zip(values);
            let entries = entries.map(|(entry, part)| format!("{}:{}", Json::from(entry.name.as_str()), value(part)));
            line.put_json("record", &format!("{{{}}}", entries.collect::<Vec<_>>().join(",")));
        }
    }

    /// What was asked of the event, a list.
    fn put_asked(&self, line: &mut Line, answers: usize) {
        let answer = |answer: &Answer| {
            let mut said = Line(format!("{{\"stage\":{}", Json::from(self.telling.stage(answer.stage))));
            if answer.is_negated {
                said.put("negated", true);
            }
            said.put("fits", answer.refusals.is_empty());
            if !answer.refusals.is_empty() {
                said.put("why", answer.refusals.iter().map(ToString::to_string).collect::<Vec<_>>());
            }
            said.done()
        };
        let asked: Vec<String> = self.telling.trace.answers[answers].iter().map(answer).collect();
        line.put_json("asked", &format!("[{}]", asked.join(",")));
    }

    fn closing(&self) -> String {
        let trace = self.telling.trace;
        let mut line = Line::of("end");
        line.put("cut_after", trace.cut);
        line.put("uncompared", trace.uncompared.clone());
        line.put("differences", trace.differences.clone());
        line.put("said", super::epilogue(self.telling));
        line.done()
    }
}

fn kind(happening: &Happening) -> &'static str {
    match happening {
        Happening::NoneBegan { .. } => "untaken",
        Happening::Began { .. } => "begins",
        Happening::Took { .. } => "takes",
        Happening::Forked { .. } => "forks",
        Happening::Passed { .. } => "passes",
        Happening::Ended { .. } => "ends",
        Happening::Complete { .. } => "complete",
        Happening::Matched { .. } => "match",
        Happening::TimedOut { .. } => "timeout",
    }
}

fn how(end: &End) -> &'static str {
    match end {
        End::Matched => "match",
        End::TimedOut(..) => "timeout",
        End::Over => "over",
        End::Unfit => "unfit",
        End::Stopped(_) => "negation",
        End::Skipped(_) => "skip",
        End::Displaced => "keep",
    }
}

fn kept_back(why: KeptBack) -> &'static str {
    match why {
        KeptBack::ByNone => "none",
        KeptBack::ByCondition => "where",
        KeptBack::ByCooldown => "cooldown",
    }
}

/// A value as outputs have it: what JSON has no word for is a string.
fn value(value: &Value<'_>) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Bool(value) => (*value).into(),
        Value::Int(value) => (*value).into(),
        Value::Float(value) => (*value).into(),
        Value::String(text) => text.as_str().into(),
        Value::Decimal(_) | Value::Timestamp(_) | Value::Duration(_) => value.to_string().into(),
        Value::List(items) => items.iter().map(self::value).collect(),
        Value::Record(entries) => {
            let entries = entries.iter().map(|(name, part)| ((**name).to_owned(), self::value(part)));
            Json::Object(entries.collect())
        }
    }
}
