//! What came out of a case, a line each: `timeout  create 2, awaiting pay, at 16m`.

use ensue_engine::Outputs;
use ensue_model::pattern::StageId;
use ensue_model::record::{Emission, Values};
use ensue_model::{Event, Key, Partial, Patterns, Timestamp};

use crate::arrivals::{Arrival, CaseRow};
use crate::case_file::{ExpectedLine, single_blanks, split_pattern};
use crate::trial::Trial;

/// What came out, in a stable order: pattern by pattern the matches, then the timeouts, each as they came; then what is late
/// and what was rejected.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    pub(crate) outputs: Vec<Output>,
}

/// An output.
#[derive(Clone, Debug)]
pub(crate) struct Output {
    /// As a case says it.
    pub(crate) text: String,
    /// What it holds, if it is a match or a timeout.
    pub(crate) held: Option<Held>,
}

/// What a match or a timeout holds.
#[derive(Clone, Debug)]
pub(crate) struct Held {
    pub(crate) pattern: usize,
    pub(crate) key: Key,
    /// When it came out.
    pub(crate) at: Timestamp,
    /// The events that it has taken.
    pub(crate) taken: Vec<Taken>,
    /// Of a timeout: what it was waiting for.
    pub(crate) awaiting: Option<Vec<String>>,
}

/// An event in a run: the stage that took it, and which of the arrivals it is, where it is none of the records.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Taken {
    pub(crate) stage: StageId,
    pub(crate) arrival: Option<usize>,
    pub(crate) time: Timestamp,
    /// As outputs name it.
    pub(crate) name: String,
}

/// What came out and what should have.
#[derive(Debug, Default)]
pub(crate) struct Difference<'o> {
    pub(crate) missing: Vec<&'o ExpectedLine>,
    pub(crate) unexpected: Vec<&'o Output>,
    /// What was expected and came.
    pub(crate) right: Vec<&'o Output>,
}

impl Outcome {
    /// The outputs, as a case says them.
    pub fn lines(&self) -> Vec<String> {
        self.outputs.iter().map(|output| output.text.clone()).collect()
    }

    /// What is expected and did not come, and the other way round; the order does not matter, and equal lines count.
    pub(crate) fn compare<'o>(&'o self, expected: &'o [ExpectedLine], patterns: &Patterns) -> Difference<'o> {
        let mut difference = Difference { missing: expected.iter().collect(), ..Difference::default() };
        for output in &self.outputs {
            let text = single_blanks(&output.text);
            match difference.missing.iter().position(|line| plain(&line.text, patterns) == text) {
                Some(at) => {
                    difference.missing.remove(at);
                    difference.right.push(output);
                }
                None => difference.unexpected.push(output),
            }
        }
        difference
    }
}

impl Difference<'_> {
    /// Whether all came that was expected, and nothing else.
    pub(crate) fn is_none(&self) -> bool {
        self.missing.is_empty() && self.unexpected.is_empty()
    }
}

/// An expected line as it would come out: where there is but one pattern, its name is not said.
pub(crate) fn plain<'t>(text: &'t str, patterns: &Patterns) -> &'t str {
    match (split_pattern(text), patterns.patterns.as_slice()) {
        ((Some(name), output), [only]) if only.name == name => output,
        _ => text,
    }
}

/// Writes down what comes out of a trial.
pub(crate) struct Scribe<'t> {
    pub(crate) trial: &'t Trial,
    pub(crate) patterns: &'t Patterns,
}

impl Scribe<'_> {
    pub(crate) fn outcome(&self, out: &Outputs<CaseRow>) -> Outcome {
        let mut outputs: Vec<(usize, Output)> = Vec::new();
        for found in &out.matches {
            let shown = self.shown(&self.patterns.patterns[found.run.pattern].emit, found.record.as_ref(), &found.run);
            let held = self.held(&found.run, found.at, None);
            outputs.push((found.run.pattern, self.output(format!("match    {shown}"), held)));
        }
        for lapsed in &out.timeouts {
            let pattern = &self.patterns.patterns[lapsed.run.pattern];
            let shown = self.shown(&pattern.timeout, lapsed.record.as_ref(), &lapsed.run);
            let awaiting: Vec<_> = lapsed.awaiting.iter().map(|stage| pattern.stage_name(*stage).to_owned()).collect();
            let at = self.trial.shown_time(lapsed.deadline);
            let text = format!("timeout  {shown}, awaiting {}, at {at}", awaiting.join(" "));
            let held = self.held(&lapsed.run, lapsed.deadline, Some(awaiting));
            outputs.push((lapsed.run.pattern, self.output(text, held)));
        }
        // Several patterns are shown one after the other.
        outputs.sort_by_key(|(pattern, _)| *pattern);
        let mut outputs: Vec<Output> = outputs.into_iter().map(|(_, output)| output).collect();
        let event = |word: &str, name: String| Output { text: format!("{word:<9}{name}"), held: None };
        outputs.extend(out.late.iter().map(|row| event("late", self.name(row))));
        let no_events = self.trial.arrivals.iter().filter_map(|arrival| match arrival {
            Arrival::NoEvent(name) => Some(name.clone()),
            Arrival::Event(_) | Arrival::Watermark(_) => None,
        });
        let rejected = out.rejected.iter().map(|rejected| self.name(&rejected.event));
        outputs.extend(no_events.chain(rejected).map(|name| event("rejected", name)));
        Outcome { outputs }
    }

    fn output(&self, text: String, held: Held) -> Output {
        let text = match self.patterns.patterns.len() {
            1 => text,
            _ => format!("{}: {text}", self.patterns.patterns[held.pattern].name),
        };
        Output { text, held: Some(held) }
    }

    pub(crate) fn held(&self, run: &Partial<CaseRow>, at: Timestamp, awaiting: Option<Vec<String>>) -> Held {
        let taken = run.events.iter().map(|(stage, taken)| self.taken(*stage, &taken.event));
        Held { pattern: run.pattern, key: run.key.clone(), at, taken: taken.collect(), awaiting }
    }

    pub(crate) fn taken(&self, stage: StageId, event: &CaseRow) -> Taken {
        Taken { stage, arrival: event.arrival, time: event.time(), name: self.name(event) }
    }

    /// An output's record, `unpaid { order: 7 }`, or its events.
    fn shown(&self, emission: &Emission, values: Option<&Values>, run: &Partial<CaseRow>) -> String {
        let (Some(record), Some(values)) = (emission.record(), values) else {
            return stages(&self.patterns.patterns[run.pattern], &self.held(run, run.end(), None).taken);
        };
        let entries = record.entries.iter().zip(values).map(|(entry, value)| format!("{}: {value}", entry.name));
        let name = record.name.as_ref().map(|name| format!("{name} ")).unwrap_or_default();
        format!("{name}{{ {} }}", entries.collect::<Vec<_>>().join(", "))
    }

    /// The name of an event; of one that a pattern has emitted, its stream and its time.
    fn name(&self, event: &CaseRow) -> String {
        match event.arrival {
            Some(at) => self.trial.event(at).name.clone(),
            None => {
                let stream = self.patterns.streams[usize::from(event.stream().0)].name.as_deref();
                format!("{}@{}", stream.unwrap_or_default(), self.trial.shown_time(event.time()))
            }
        }
    }
}

/// `create 1, pay 2 3`: in the order of the pattern.
pub(crate) fn stages(pattern: &ensue_model::Pattern, taken: &[Taken]) -> String {
    let mut stages: Vec<StageId> = taken.iter().map(|taken| taken.stage).collect();
    stages.sort();
    stages.dedup();
    let stage = |stage: StageId| {
        let of_stage = taken.iter().filter(|taken| taken.stage == stage);
        let names: Vec<&str> = of_stage.map(|taken| taken.name.as_str()).collect();
        format!("{} {}", pattern.stage_name(stage), names.join(" "))
    };
    stages.into_iter().map(stage).collect::<Vec<_>>().join(", ")
}
