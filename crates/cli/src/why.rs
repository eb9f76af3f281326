//! `ensue why`: in three lines, why a key did not match, or how it did.

use ensue_model::pattern::StageId;
use ensue_model::{Span, Timestamp};
use ensue_testkit::trace::{Answer, Blamed, End, Happening, Moment, Run, Sentence};

use crate::args;
use crate::counted::counted;
use crate::failure::{Failure, write_line};
use crate::subject::{check, find};
use crate::telling::Telling;
use crate::trace::cut;

pub(crate) fn why(args: &args::Why) -> Result<(), Failure> {
    let found = find(&args.subject, &args.format)?;
    let Some(trace) = &found.trace else {
        found.absence().iter().try_for_each(|line| write_line(line))?;
        return Err(Failure::NoSuchKey);
    };
    let why = Why { telling: Telling { found: &found, trace } };
    why.lines().iter().try_for_each(|line| write_line(line))?;
    found.asides().iter().try_for_each(|line| write_line(&format!("also: {line}")))?;
    check(trace)
}

struct Why<'t> {
    telling: Telling<'t>,
}

impl Why<'_> {
    fn lines(&self) -> Vec<String> {
        let trace = self.telling.trace;
        let kept_back = || trace.runs.iter().position(|run| !run.matched.is_empty());
        let mut lines = match (trace.matches.is_empty(), kept_back(), self.best()) {
            (false, _, _) => self.matched(),
            (true, Some(run), _) => self.kept_back(run),
            (true, None, Some(best)) => self.unmatched(best),
            (true, None, None) => self.unbegun(),
        };
        lines.extend(cut(self.telling.found));
        lines
    }

    /// The run that came furthest: of those that took most stages, and of them most events, the last.
    fn best(&self) -> Option<usize> {
        let stages = |run: &Run| {
            let mut stages: Vec<StageId> = run.taken.iter().map(|(stage, _)| *stage).collect();
            stages.sort_unstable();
            stages.dedup();
            stages.len()
        };
        let runs = self.telling.trace.runs.iter().enumerate();
        runs.max_by_key(|(at, run)| (stages(run), run.taken.len(), *at)).map(|(at, _)| at)
    }

    /// How it matched: by which events the first time, how often, what else there was.
    fn matched(&self) -> Vec<String> {
        let trace = self.telling.trace;
        let first = &trace.matches[0];
        let count = counted(trace.matches.len() as u64, "match");
        let timeouts = match trace.timeouts.len() {
            0 => String::new(),
            some => format!(", and {}", counted(some as u64, "timeout")),
        };
        let which = if trace.matches.len() == 1 { "it" } else { "the first" };
        vec![
            format!("{} matched: {count}{timeouts}", self.telling.found.title()),
            format!("{which} holds {}", self.events(&first.taken)),
            format!("{which} came out at {} with id {:032x}", first.at, first.id),
        ]
    }

    /// It matched, and nothing came out.
    fn kept_back(&self, run: usize) -> Vec<String> {
        let telling = &self.telling;
        let found = &telling.trace.runs[run];
        let whys = found.matched.iter().filter_map(|output| output.err());
        let why = whys.map(|why| telling.kept_back(why, &telling.pattern().emit)).next().unwrap_or_default();
        vec![
            format!("{} matched, but no match came out", telling.found.title()),
            format!("run {} holds {}", run + 1, self.events(&found.taken)),
            format!("it does not come out: {why}"),
        ]
    }

    /// How far the best run came, what it waited for, what ended it.
    fn unmatched(&self, best: usize) -> Vec<String> {
        let telling = &self.telling;
        let run = &telling.trace.runs[best];
        let others = match telling.trace.runs.len() {
            1 => String::new(),
            runs => format!(" (run {} of {runs}, the one that came furthest)", best + 1),
        };
        let mut lines =
            vec![format!("{} did not match: it came to {}{others}", telling.found.title(), self.events(&run.taken))];
        lines.push(self.waited(run));
        lines.push(self.ended(best, run));
        lines
    }

    fn waited(&self, run: &Run) -> String {
        let telling = &self.telling;
        let Some((event, _)) = run.waits.last() else { return "it was complete".to_owned() };
        let at = telling.trace.events[*event].time;
        let moment = Moment { at, event: Some(*event), happenings: Vec::new() };
        let run = telling.trace.runs.iter().position(|other| other == run).unwrap_or_default();
        let waits = telling.waits(run, &moment);
        let waits = waits.strip_prefix(", and it ").unwrap_or(&waits).replacen("waits", "waited", 1);
        let window = telling.pattern().within.filter(|_| waits.contains(", before"));
        format!("it {waits}{}", window.map_or_else(String::new, |within| format!(" (within {within})")))
    }

    fn ended(&self, best: usize, run: &Run) -> String {
        let telling = &self.telling;
        match &run.end {
            None => {
                let latest = telling.found.recording.latest.unwrap_or(Timestamp::MIN);
                format!("it is still open: the input ends at {latest}{}", self.nearest(best, run, "; "))
            }
            Some((at, End::TimedOut(..) | End::Over)) => self.timed_out(best, run, *at),
            Some((at, end @ (End::Unfit | End::Stopped(_)))) => {
                let ending = self.ending(best);
                let event = ending.and_then(|(moment, _)| moment.event);
                let by = event.map_or_else(|| at.to_string(), |event| self.event(event));
                let answers = ending.and_then(|(_, answers)| answers);
                let ended = telling.ended(end, answers);
                format!("{by} ended it: {}", ended.strip_prefix("ends: ").unwrap_or(&ended))
            }
            Some((at, end @ (End::Matched | End::Skipped(_) | End::Displaced))) => {
                format!("at {at} it {}", telling.ended(end, None))
            }
        }
    }

    /// Its time ran out: who came too late, or came near.
    fn timed_out(&self, best: usize, run: &Run, at: Timestamp) -> String {
        let found = self.telling.found;
        let latest = found.recording.latest.unwrap_or(Timestamp::MIN);
        let over = match latest < at {
            true => {
                format!("its time is over at {at}, and the input ends at {latest}: what it waits for may still come")
            }
            false => format!("its time was over at {at}"),
        };
        if let Some(late) = self.too_late(run, at) {
            return format!("{over}; {late}");
        }
        let nearest = self.nearest(best, run, "; ");
        let nothing = if nearest.is_empty() { "; no other event of the key came since" } else { "" };
        format!("{over}{nothing}{nearest}")
    }

    /// The event that would have gone on with the run, if a clause had let it.
    fn too_late(&self, run: &Run, at: Timestamp) -> Option<String> {
        let trace = self.telling.trace;
        let goes_on = |blamed: &Blamed| {
            let goes_on = blamed.matches.iter().find(|found| found.taken.starts_with(&run.taken));
            goes_on.map(|found| (blamed.clause.clone(), found.taken[run.taken.len()..].to_vec()))
        };
        let (clause, rest) = self.telling.found.recording.blamed().iter().find_map(goes_on)?;
        let late = rest.iter().find(|(_, event)| trace.events[*event].time >= at)?;
        let behind: Span = trace.events[late.1].time - at;
        let behind = if behind == Span::ZERO { "just then".to_owned() } else { format!("{behind} too late") };
        let came = format!("{} came {behind}, {}", self.telling.stage(late.0), self.event(late.1));
        Some(format!("{came}: without {clause} it would have matched"))
    }

    /// Of the events that the run passed over on its last wait, the one that came nearest to what it waited for.
    fn nearest(&self, best: usize, run: &Run, before: &str) -> String {
        let Some(since) = run.waits.last().map(|(event, _)| *event) else { return String::new() };
        let trace = self.telling.trace;
        let passed = trace.moments.iter().filter(|moment| moment.event.is_some_and(|event| event > since));
        let passed = passed.filter_map(|moment| Some((moment.event?, passed_by(moment, best)?)));
        let mut count = 0;
        let mut nearest: Option<(usize, &Answer)> = None;
        for (event, answers) in passed {
            count += 1;
            nearest = nearer(nearest, event, &trace.answers[answers]);
        }
        let Some((event, answer)) = nearest else { return String::new() };
        let refusals = joined(&answer.refusals);
        let which =
            if count == 1 { "the only other event was".to_owned() } else { format!("of {count} events nearest was") };
        format!("{before}{which} {}, but for {} {refusals}", self.event(event), self.telling.stage(answer.stage))
    }

    /// How a run ended, with the moment and what it asked.
    fn ending(&self, run: usize) -> Option<(&Moment, Option<usize>)> {
        self.telling.trace.moments.iter().rev().find_map(|moment| {
            moment.happenings.iter().find_map(|happening| match happening {
                Happening::Ended { run: ended, answers, .. } if *ended == run => Some((moment, *answers)),
                _ => None,
            })
        })
    }

    /// No event began a run: which conditions of the first stages were false how often, and which event was nearest.
    fn unbegun(&self) -> Vec<String> {
        let telling = &self.telling;
        let trace = telling.trace;
        let looks = trace.moments.iter().filter_map(|moment| Some((moment.event?, untaken(moment)?)));
        let looks: Vec<(usize, &[Answer])> =
            looks.map(|(event, answers)| (event, &trace.answers[answers][..])).collect();
        let mut first: Vec<StageId> = Vec::new();
        let mut counts: Vec<(String, usize)> = Vec::new();
        let mut nearest: Option<(usize, &Answer)> = None;
        for (event, answers) in &looks {
            let taking = answers.iter().filter(|answer| !answer.is_negated).map(|answer| answer.stage);
            first.extend(taking.filter(|stage| !first.contains(stage)).collect::<Vec<_>>());
            nearest = nearer(nearest, *event, answers);
            for what in answers.iter().flat_map(|answer| &answer.refusals).map(|refusal| &refusal.what) {
                match counts.iter_mut().find(|(known, _)| known == what) {
                    Some((_, count)) => *count += 1,
                    None => counts.push((what.clone(), 1)),
                }
            }
        }
        counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        let all = looks.len();
        let count = |count: usize| match (count, all) {
            (1, 1) => "for the only event".to_owned(),
            (2, 2) => "for both events".to_owned(),
            (count, all) if count == all => format!("for all {all} events"),
            (count, all) => format!("for {count} of {all} events"),
        };
        let counts: Vec<String> = counts.iter().map(|(what, times)| format!("{what} {}", count(*times))).collect();
        let mut lines = vec![
            format!("{} did not match: no event began a run", telling.found.title()),
            format!("{} takes none of them: {}", telling.stages(&first), counts.join(", ")),
        ];
        if let Some((event, answer)) = nearest {
            lines.push(format!("nearest is {}: {}", self.event(event), joined(&answer.refusals)));
        }
        lines
    }

    /// An event with its place and time: `event 2 (OrderLog.csv line 4, 2021-01-19T09:13:36Z)`.
    fn event(&self, event: usize) -> String {
        let traced = &self.telling.trace.events[event];
        format!("event {} ({}, {})", event + 1, self.telling.found.origin(&traced.event), traced.time)
    }

    /// Stages with the events that they took; of many, the first and the last.
    fn events(&self, taken: &[(StageId, usize)]) -> String {
        let one =
            |(stage, event): &(StageId, usize)| format!("{} = {}", self.telling.stage(*stage), self.event(*event));
        match taken {
            [first @ .., last] if first.len() >= TAKEN_MAX => {
                format!("{}, … {} more …, {}", one(&first[0]), first.len() - 1, one(last))
            }
            all => all.iter().map(one).collect::<Vec<_>>().join(", "),
        }
    }
}

/// The event that comes nearest to a stage; of those that come equally near, the last.
fn nearer<'a>(known: Option<(usize, &'a Answer)>, event: usize, answers: &'a [Answer]) -> Option<(usize, &'a Answer)> {
    let nearest = answers.iter().filter(|answer| !answer.is_negated).max_by_key(|answer| answer.nearness());
    match (known, nearest) {
        (Some((_, known)), Some(answer)) if answer.nearness() >= known.nearness() => Some((event, answer)),
        (None, Some(answer)) => Some((event, answer)),
        (known, _) => known,
    }
}

/// The most events that are named one by one.
const TAKEN_MAX: usize = 6;

fn passed_by(moment: &Moment, run: usize) -> Option<usize> {
    moment.happenings.iter().find_map(|happening| match happening {
        Happening::Passed { runs, answers } if runs.contains(&run) => Some(*answers),
        _ => None,
    })
}

fn untaken(moment: &Moment) -> Option<usize> {
    moment.happenings.iter().find_map(|happening| match happening {
        Happening::NoneBegan { answers } => Some(*answers),
        _ => None,
    })
}

fn joined(refusals: &[Sentence]) -> String {
    refusals.iter().map(ToString::to_string).collect::<Vec<_>>().join(", and ")
}
