//! What happens in a trace, in sentences.

use std::fmt::Write as _;

use ensue_model::pattern::{Keep, Skip, StageId};
use ensue_model::record::Emission;
use ensue_model::{Pattern, Timestamp};
use ensue_runtime::event::Numbered;
use ensue_testkit::reference::KeptBack;
use ensue_testkit::trace::{Answer, End, Happening, Moment, Output, Sentence, Trace};

use crate::subject::Found;

/// Tells of a trace. Events and runs are numbered from 1.
pub(crate) struct Telling<'t> {
    pub(crate) found: &'t Found,
    pub(crate) trace: &'t Trace<Numbered>,
}

/// What kind of thing happens: it has a colour.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Tone {
    /// A run goes on its way.
    Way,
    /// Nothing changes.
    Quiet,
    /// A run comes to nothing.
    End,
    /// A timeout.
    Timeout,
    /// A match.
    Match,
}

impl<'t> Telling<'t> {
    pub(crate) fn pattern(&self) -> &'t Pattern {
        self.trace.of_pattern()
    }

    pub(crate) fn stage(&self, stage: StageId) -> &'t str {
        self.pattern().stage_name(stage)
    }

    /// `a`, `a or b`.
    pub(crate) fn stages(&self, stages: &[StageId]) -> String {
        let names: Vec<&str> = stages.iter().map(|stage| self.stage(*stage)).collect();
        names.join(" or ")
    }

    /// A happening with its tone.
    pub(crate) fn happening(&self, moment: &Moment, happening: &Happening) -> (Tone, String) {
        if let Some((tone, fate)) = self.fate(happening) {
            return (tone, sentence(&runs_of(happening), &fate));
        }
        match happening {
            Happening::NoneBegan { answers } => (Tone::Quiet, format!("no run begins: {}", self.refused(*answers))),
            Happening::Began { run, stage } => {
                let waits = self.waits(*run, moment);
                (Tone::Way, format!("run {} begins: {} takes it{waits}", run + 1, self.stage(*stage)))
            }
            Happening::Took { run, stage } => {
                let waits = self.waits(*run, moment);
                (Tone::Way, format!("run {} goes on: {} takes it{waits}", run + 1, self.stage(*stage)))
            }
            Happening::Forked { run, from, stage } => {
                let (stage, waits) = (self.stage(*stage), self.waits(*run, moment));
                (Tone::Way, format!("run {} forks from run {}: {stage} takes it{waits}", run + 1, from + 1))
            }
            Happening::Complete { run } => {
                let waits = "it waits until no earlier run can make it void";
                (Tone::Way, format!("run {} is complete; with `{}` {waits}", run + 1, self.skip()))
            }
            Happening::Matched { run, output: Ok(output) } => {
                let output = &self.trace.matches[*output];
                let (taken, record) = (self.taken(&output.taken), self.record(output));
                (Tone::Match, format!("run {} is a match: {taken}{record}", run + 1))
            }
            Happening::Matched { run, output: Err(why) } => {
                let why = self.kept_back(*why, &self.pattern().emit);
                (Tone::Match, format!("run {} is a match that does not come out: {why}", run + 1))
            }
            Happening::Passed { .. } | Happening::Ended { .. } | Happening::TimedOut { .. } => {
                unreachable!("they are fates")
            }
        }
    }

    /// What happens at a moment, as sentences with their tones and runs. Of what happens to several runs for the same reason
    /// there is one sentence, and that no run begins is worth a word only where nothing else happens.
    pub(crate) fn happenings(&self, moment: &Moment) -> Vec<Told> {
        let mut told: Vec<(Told, String)> = Vec::new();
        for happening in moment.happenings.iter().filter(|happening| Telling::is_telling(moment, happening)) {
            match self.fate(happening) {
                None => {
                    let (tone, text) = self.happening(moment, happening);
                    told.push((Told { tone, text, runs: runs_of(happening) }, String::new()));
                }
                Some((tone, fate)) => match told.iter_mut().find(|(_, known)| *known == fate) {
                    Some((told, _)) => told.runs.extend(runs_of(happening)),
                    None => told.push((Told { tone, text: String::new(), runs: runs_of(happening) }, fate)),
                },
            }
        }
        let finish = |(told, fate): (Told, String)| match fate.as_str() {
            "" => told,
            fate => Told { text: sentence(&told.runs, fate), ..told },
        };
        told.into_iter().map(finish).collect()
    }

    /// What becomes of runs, as what is said of one of them: several may share it.
    fn fate(&self, happening: &Happening) -> Option<(Tone, String)> {
        match happening {
            Happening::Passed { answers, .. } => {
                Some((Tone::Quiet, format!("waits on for {}", self.awaited(*answers))))
            }
            Happening::Ended { end, answers, .. } => Some((Tone::End, self.ended(end, *answers))),
            Happening::TimedOut { awaiting, output, .. } => Some((Tone::Timeout, self.timed_out(awaiting, *output))),
            Happening::NoneBegan { .. } | Happening::Began { .. } | Happening::Took { .. } => None,
            Happening::Forked { .. } | Happening::Complete { .. } | Happening::Matched { .. } => None,
        }
    }

    /// Whether a happening says more than that there was nothing to do.
    fn is_telling(moment: &Moment, happening: &Happening) -> bool {
        !matches!(happening, Happening::NoneBegan { .. }) || moment.happenings.len() == 1
    }

    /// What runs wait on for, and why an event was not it.
    fn awaited(&self, answers: usize) -> String {
        let awaited = || self.trace.answers[answers].iter().filter(|answer| !answer.is_negated);
        let stages: Vec<StageId> = awaited().map(|answer| answer.stage).collect();
        if awaited().any(|answer| answer.refusals.is_empty()) {
            return format!("another {}", self.stages(&stages));
        }
        let why = self.refused(answers);
        let other = if why.is_empty() { String::new() } else { format!(": {why}") };
        format!("{}{other}", self.stages(&stages))
    }

    /// Why an event does not fit: stage by stage, where there are several. What decides is the first part of a condition that
    /// does not hold.
    pub(crate) fn refused(&self, answers: usize) -> String {
        let answers = self.trace.answers[answers].iter().filter(|answer| !answer.is_negated);
        let refused: Vec<(&Answer, &Sentence)> =
            answers.filter_map(|answer| Some((answer, answer.refusals.first()?))).collect();
        match refused.as_slice() {
            [(_, why)] => why.to_string(),
            several => {
                let each = several.iter().map(|(answer, why)| format!("{}: {why}", self.stage(answer.stage)));
                each.collect::<Vec<_>>().join("; ")
            }
        }
    }

    /// What a run waits for once it has taken the event of a moment.
    pub(crate) fn waits(&self, run: usize, moment: &Moment) -> String {
        let waits = self.trace.runs[run].waits.iter().find(|(event, _)| Some(*event) == moment.event);
        let Some((_, waits)) = waits else { return String::new() };
        let stages: Vec<StageId> = waits.stages.iter().map(|(stage, _)| *stage).collect();
        let mut said = String::new();
        if !stages.is_empty() {
            let _ = write!(said, ", and it waits for {}", self.stages(&stages));
        }
        match (waits.absent, waits.closes) {
            (Some(absent), _) => {
                let nothing = self.negated_at_end().map_or_else(|| "nothing".to_owned(), |stage| format!("no {stage}"));
                let _ = write!(said, ", and it is a match if {nothing} comes before {}", self.clock(absent, moment.at));
            }
            (None, Some(closes)) => {
                let _ = write!(said, ", before {}", self.clock(closes, moment.at));
            }
            (None, None) => {}
        }
        said
    }

    /// The `notFollowedBy` that the pattern ends with.
    fn negated_at_end(&self) -> Option<&'t str> {
        let last = self.pattern().sequence.steps.last().filter(|step| step.is_negated())?;
        match last.term {
            ensue_model::pattern::Term::Stage(stage, _) => Some(self.stage(stage)),
            ensue_model::pattern::Term::Group(_)
            | ensue_model::pattern::Term::Either(_)
            | ensue_model::pattern::Term::All { .. } => None,
        }
    }

    /// How a run ended.
    pub(crate) fn ended(&self, end: &End, answers: Option<usize>) -> String {
        let why = answers.map(|answers| self.refused(answers)).filter(|why| !why.is_empty());
        match end {
            End::Matched => "is over".to_owned(),
            End::TimedOut(..) => "times out".to_owned(),
            End::Over => "is over: its time is up, and it has been a match already".to_owned(),
            End::Unfit => {
                let why = why.map_or_else(String::new, |why| format!(": {why}"));
                format!("ends: the event may not be passed over, and does not fit{why}")
            }
            End::Stopped(stage) => format!("ends: {} must not come, and this event is one", self.stage(*stage)),
            End::Skipped(by) => format!("is void: run {} is a match, and the pattern says `{}`", by + 1, self.skip()),
            End::Displaced => match self.pattern().keep {
                Keep::Latest => "gives way: `keep latest` keeps the run that came to wait last".to_owned(),
                Keep::First => "is dropped: `keep first` keeps the run that came to wait first".to_owned(),
                Keep::All => "is dropped".to_owned(),
            },
        }
    }

    fn skip(&self) -> String {
        match self.pattern().skip {
            Skip::None => "skip none".to_owned(),
            Skip::ToNext => "skip to next".to_owned(),
            Skip::PastLast => "skip past last".to_owned(),
            Skip::ToFirst(stage) => format!("skip to first {}", self.stage(stage)),
            Skip::ToLast(stage) => format!("skip to last {}", self.stage(stage)),
        }
    }

    fn timed_out(&self, awaiting: &[StageId], output: Result<usize, KeptBack>) -> String {
        let waited = format!("times out: nothing came in time for {}", self.stages(awaiting));
        match output {
            Ok(output) => waited + &self.record(&self.trace.timeouts[output]),
            Err(why) => format!("{waited}; it does not come out: {}", self.kept_back(why, &self.pattern().timeout)),
        }
    }

    pub(crate) fn kept_back(&self, why: KeptBack, emission: &Emission) -> String {
        match why {
            KeptBack::ByNone if *emission == self.pattern().emit => "the pattern says `emit none`".to_owned(),
            KeptBack::ByNone => "the pattern says `timeout none`".to_owned(),
            KeptBack::ByCondition => "the `where` of its record does not hold".to_owned(),
            KeptBack::ByCooldown => {
                let cooldown = self.pattern().cooldown.map_or_else(String::new, |span| format!(" {span}"));
                format!("`cooldown{cooldown}` since an earlier match is not over")
            }
        }
    }

    /// What a match or a run holds, by stages in the order of the events: `create 1, pay 2 3`.
    pub(crate) fn taken(&self, taken: &[(StageId, usize)]) -> String {
        let mut said = String::new();
        for (at, (stage, event)) in taken.iter().enumerate() {
            match at.checked_sub(1).map(|before| taken[before].0) {
                Some(before) if before == *stage => {}
                Some(_) => said += &format!(", {}", self.stage(*stage)),
                None => said += self.stage(*stage),
            }
            let _ = write!(said, " {}", event + 1);
        }
        said
    }

    /// The record that an output comes out as.
    fn record(&self, output: &Output) -> String {
        let Some(values) = &output.record else { return String::new() };
        let pattern = self.pattern();
        let emission = if output.is_timeout { &pattern.timeout } else { &pattern.emit };
        let Some(record) = emission.record() else { return String::new() };
        let entries = record.entries.iter().zip(values).map(|(entry, value)| format!("{}: {value}", entry.name));
        let name = record.name.as_ref().map_or_else(String::new, |name| format!("{name} "));
        format!(", which comes out as {name}{{ {} }}", entries.collect::<Vec<_>>().join(", "))
    }

    /// A time as it is said beside another one: of another day, with its date.
    pub(crate) fn clock(&self, time: Timestamp, beside: Timestamp) -> String {
        let (time, beside) = (time.to_string(), beside.to_string());
        match (time.split_once('T'), beside.split_once('T')) {
            (Some((day, clock)), Some((other, _))) if day == other => clock.trim_end_matches('Z').to_owned(),
            _ => time,
        }
    }
}

/// A sentence about what happens.
pub(crate) struct Told {
    pub(crate) tone: Tone,
    pub(crate) text: String,
    /// The runs that it is about.
    pub(crate) runs: Vec<usize>,
}

/// What is said of runs: `run 1 waits ..`, `runs 1, 2 wait ..`.
fn sentence(runs: &[usize], fate: &str) -> String {
    let (verb, rest) = fate.split_once([' ', ':']).map_or((fate, ""), |(verb, _)| (verb, &fate[verb.len()..]));
    let verb = match (runs.len(), verb) {
        (1, verb) => verb,
        (_, "is") => "are",
        (_, verb) => verb.strip_suffix('s').unwrap_or(verb),
    };
    format!("{} {verb}{rest}", listed_runs(runs))
}

fn runs_of(happening: &Happening) -> Vec<usize> {
    match happening {
        Happening::NoneBegan { .. } => Vec::new(),
        Happening::Passed { runs, .. } => runs.clone(),
        Happening::Forked { run, from, .. } => vec![*run, *from],
        Happening::Began { run, .. }
        | Happening::Took { run, .. }
        | Happening::Ended { run, .. }
        | Happening::Complete { run }
        | Happening::Matched { run, .. }
        | Happening::TimedOut { run, .. } => vec![*run],
    }
}

/// `run 3`, `runs 1, 3–6`.
pub(crate) fn listed_runs(runs: &[usize]) -> String {
    let mut runs: Vec<usize> = runs.to_vec();
    runs.sort_unstable();
    let stretches: Vec<String> = runs
        .chunk_by(|a, b| a + 1 == *b)
        .map(|stretch| match stretch {
            [one] => (one + 1).to_string(),
            [one, other] => format!("{}, {}", one + 1, other + 1),
            [first, .., last] => format!("{}–{}", first + 1, last + 1),
            [] => String::new(),
        })
        .collect();
    format!("{} {}", if runs.len() == 1 { "run" } else { "runs" }, stretches.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_run_waits_and_several_wait() {
        assert_eq!(sentence(&[0], "ends: it does not fit"), "run 1 ends: it does not fit");
        assert_eq!(sentence(&[0, 2], "ends: it does not fit"), "runs 1, 3 end: it does not fit");
        assert_eq!(sentence(&[0, 1, 2], "is void"), "runs 1–3 are void");
    }

    #[test]
    fn runs_are_listed_in_stretches() {
        assert_eq!(listed_runs(&[2]), "run 3");
        assert_eq!(listed_runs(&[5, 0, 2, 3, 4, 8, 9]), "runs 1, 3–6, 9, 10");
    }
}
