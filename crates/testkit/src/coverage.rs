//! Which stages and branches of patterns the cases reach: those that some run has taken an event into.

use std::collections::BTreeSet;

use ensue_model::pattern::{Sequence, StageId, Term};
use ensue_model::{Pattern, Patterns};

use crate::outcome::Outcome;
use crate::trial::Trial;
use crate::watch::{self, Seen};

/// What cases have reached, of each pattern that one of them has.
#[derive(Clone, Debug, Default)]
pub struct Coverage {
    patterns: Vec<Covered>,
}

/// What cases have reached of a pattern.
#[derive(Clone, Debug)]
struct Covered {
    /// The file that it is in.
    file: String,
    pattern: Pattern,
    reached: BTreeSet<StageId>,
}

/// A pattern of which something was not reached.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Gap {
    /// The file that it is in.
    pub file: String,
    /// The pattern.
    pub pattern: String,
    /// What no case reaches, in words: `stage pay`, `branch cash, receipt`; all of it, where no run begins.
    pub unreached: Vec<String>,
}

impl Coverage {
    /// Adds what a trial reaches: by its outputs, and by its runs that come to nothing. `files` are the files of its patterns,
    /// in their order.
    pub(crate) fn add(&mut self, trial: &Trial, outcome: &Outcome, files: &[String]) {
        let places = self.places(&trial.patterns, files);
        let held = outcome.outputs.iter().filter_map(|output| output.held.as_ref());
        for held in held {
            self.patterns[places[held.pattern]].reached.extend(held.taken.iter().map(|taken| taken.stage));
        }
        watch::watch(trial, |pattern, seen| match seen {
            Seen::Taken(stages) => self.patterns[places[pattern]].reached.extend(stages),
            Seen::Waiting(_) | Seen::Ended(..) => {}
        });
    }

    /// Where each pattern is; those that are new have a place from now on.
    fn places(&mut self, patterns: &Patterns, files: &[String]) -> Vec<usize> {
        let places = patterns.patterns.iter().zip(files).map(|(pattern, file)| {
            let is_it = |covered: &Covered| covered.file == *file && covered.pattern.name == pattern.name;
            self.patterns.iter().position(is_it).unwrap_or_else(|| {
                let covered = Covered { file: file.clone(), pattern: pattern.clone(), reached: BTreeSet::new() };
                self.patterns.push(covered);
                self.patterns.len() - 1
            })
        });
        places.collect()
    }

    /// How many stages there are that can take an event, and how many of them were reached.
    pub fn stages(&self) -> (usize, usize) {
        let all = self.patterns.iter().map(|covered| taking(&covered.pattern).count()).sum();
        (all, self.patterns.iter().map(|covered| covered.reached.len()).sum())
    }

    /// What was not reached, in the order of the patterns.
    pub fn gaps(&self) -> Vec<Gap> {
        let gap = |Covered { file, pattern, reached }: &Covered| {
            let mut unreached = Vec::new();
            match reached.is_empty() {
                true => unreached.push("all of it: no run begins".to_owned()),
                false => name_unreached(&pattern.sequence, pattern, reached, &mut unreached),
            }
            Gap { file: file.clone(), pattern: pattern.name.clone(), unreached }
        };
        self.patterns.iter().map(gap).filter(|gap| !gap.unreached.is_empty()).collect()
    }

    /// The files that a case has a pattern of.
    pub fn files(&self) -> impl Iterator<Item = &str> {
        self.patterns.iter().map(|covered| covered.file.as_str())
    }
}

/// The stages that can take an event.
fn taking(pattern: &Pattern) -> impl Iterator<Item = StageId> {
    let stages = (0..).map(StageId).zip(&pattern.stages);
    stages.filter(|(_, stage)| !stage.negated).map(|(id, _)| id)
}

/// Names what was not reached: a branch as a whole where nothing of it was.
fn name_unreached(sequence: &Sequence, pattern: &Pattern, reached: &BTreeSet<StageId>, names: &mut Vec<String>) {
    for step in sequence.steps.iter().filter(|step| !step.is_negated()) {
        match &step.term {
            Term::Stage(stage, _) if reached.contains(stage) => {}
            Term::Stage(stage, _) => names.push(format!("stage {}", pattern.stage_name(*stage))),
            Term::Group(inner) => name_unreached(inner, pattern, reached, names),
            Term::All { parts, .. } => parts.iter().for_each(|part| name_unreached(part, pattern, reached, names)),
            Term::Either(branches) => {
                for branch in branches {
                    name_branch(branch, pattern, reached, names);
                }
            }
        }
    }
}

fn name_branch(branch: &Sequence, pattern: &Pattern, reached: &BTreeSet<StageId>, names: &mut Vec<String>) {
    let stages = stages_of(branch);
    if stages.iter().any(|stage| reached.contains(stage)) {
        return name_unreached(branch, pattern, reached, names);
    }
    let stages: Vec<&str> = stages.iter().map(|stage| pattern.stage_name(*stage)).collect();
    names.push(format!("branch {}", stages.join(", ")));
}

/// The stages of a sequence that can take an event.
fn stages_of(sequence: &Sequence) -> Vec<StageId> {
    let steps = sequence.steps.iter().filter(|step| !step.is_negated());
    let stages = steps.flat_map(|step| match &step.term {
        Term::Stage(stage, _) => vec![*stage],
        Term::Group(_) | Term::Either(_) | Term::All { .. } => {
            step.term.sequences().iter().flat_map(stages_of).collect()
        }
    });
    stages.collect()
}
