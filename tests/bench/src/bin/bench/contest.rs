//! Programs that run in turn on the same events.

use crate::Failure;
use crate::expected::Expected;
use crate::goal::{Bound, Goal, Measure, Reached};
use crate::place::Place;
use crate::program::Program;
use crate::sample::{Outputs, Sample};

/// Programs that run in turn.
pub(crate) struct Contest {
    pub(crate) name: &'static str,
    pub(crate) entrants: Vec<Entrant>,
}

/// A program in a contest.
pub(crate) struct Entrant {
    program: Program,
    events: usize,
    /// The entrant that it is compared with.
    yardstick: Option<usize>,
    /// The entrant whose outputs it must give too.
    same_as: Option<usize>,
    goals: Vec<Goal>,
}

impl Entrant {
    pub(crate) fn new(program: Program, events: usize) -> Self {
        Entrant { program, events, yardstick: None, same_as: None, goals: Vec::new() }
    }

    /// Compared with the one at this place of the contest.
    pub(crate) fn against(mut self, yardstick: usize) -> Self {
        self.yardstick = Some(yardstick);
        self
    }

    /// With the outputs of the one at this place of the contest, which comes earlier.
    pub(crate) fn same_as(mut self, other: usize) -> Self {
        self.same_as = Some(other);
        self
    }

    pub(crate) fn goal(mut self, goal: Goal) -> Self {
        self.goals.push(goal);
        self
    }
}

/// What an entrant gave in all rounds.
pub(crate) struct Summary {
    pub(crate) contest: &'static str,
    pub(crate) program: String,
    pub(crate) events_per_second: f64,
    pub(crate) cpu_seconds: f64,
    pub(crate) peak_bytes: u64,
    pub(crate) outputs: Outputs,
    /// By what the outputs were verified.
    pub(crate) verified: String,
    pub(crate) compared: Option<Compared>,
    pub(crate) goals: Vec<Reached>,
}

/// How many times as fast as its yardstick a program is: the median over the rounds.
pub(crate) struct Compared {
    pub(crate) yardstick: String,
    /// By the clock on the wall.
    pub(crate) speed: f64,
    /// By what the processor did, which other programs disturb less.
    pub(crate) speed_by_cpu: f64,
}

impl Contest {
    /// The samples of each entrant, by round.
    pub(crate) fn run(&self, place: &Place, rounds: usize) -> Result<Vec<Vec<Sample>>, Failure> {
        let mut samples = vec![Vec::new(); self.entrants.len()];
        for _ in 0..rounds {
            for (entrant, samples) in self.entrants.iter().zip(&mut samples) {
                let mut sample = entrant.program.run(place)?;
                sample.report.set("events", entrant.events as f64);
                samples.push(sample);
                eprint!(".");
            }
        }
        Ok(samples)
    }

    /// Verifies what came out, then sums up.
    pub(crate) fn summarise(
        &self,
        samples: &[Vec<Sample>],
        seed: u64,
        expected: &mut Expected,
    ) -> Result<Vec<Summary>, Failure> {
        let verified: Result<Vec<String>, Failure> =
            (0..self.entrants.len()).map(|at| self.verify(at, samples, seed, expected)).collect();
        let entrants = self.entrants.iter().zip(samples).zip(verified?);
        Ok(entrants.map(|((entrant, own), verified)| self.summary(entrant, own, samples, verified)).collect())
    }

    fn verify(
        &self,
        at: usize,
        samples: &[Vec<Sample>],
        seed: u64,
        expected: &mut Expected,
    ) -> Result<String, Failure> {
        let Entrant { program, events, same_as, .. } = &self.entrants[at];
        let outputs = samples[at][0].outputs;
        for sample in &samples[at] {
            self.compare(&program.label, sample.outputs, outputs, "what it gave before")?;
        }
        if let Some(other) = *same_as {
            let label = &self.entrants[other].program.label;
            self.compare(&program.label, outputs, samples[other][0].outputs, label)?;
            return Ok(label.clone());
        }
        match expected.get_or_add([self.name, &program.label, &events.to_string(), &seed.to_string()], outputs) {
            Some(stored) => self.compare(&program.label, outputs, stored, "stored").map(|()| "stored".to_owned()),
            None => Ok("no".to_owned()),
        }
    }

    fn compare(&self, program: &str, found: Outputs, expected: Outputs, whose: &str) -> Result<(), Failure> {
        if found == expected {
            return Ok(());
        }
        let name = self.name;
        Err(format!("{name}: `{program}` gave {found:?}, which is not as {whose}: {expected:?}").into())
    }

    fn summary(&self, entrant: &Entrant, own: &[Sample], all: &[Vec<Sample>], verified: String) -> Summary {
        let yardstick = entrant.yardstick.map(|at| &all[at]);
        let find = |goal: &Goal| {
            let rounds = own.iter().enumerate();
            median(rounds.map(|(round, sample)| goal.find(sample, yardstick.map(|samples| &samples[round]))))
        };
        let compared = |at: usize| Compared {
            yardstick: self.entrants[at].program.label.clone(),
            speed: find(&Goal::new(0, Measure::Speed, Bound::Any)),
            speed_by_cpu: find(&Goal::new(0, Measure::SpeedByCpu, Bound::Any)),
        };
        Summary {
            contest: self.name,
            program: entrant.program.label.clone(),
            events_per_second: median(own.iter().map(Sample::rate)),
            cpu_seconds: median(own.iter().map(|sample| sample.value("cpu_seconds"))),
            peak_bytes: own.iter().map(|sample| sample.peak_bytes).max().unwrap_or(0),
            outputs: own[0].outputs,
            verified,
            compared: entrant.yardstick.map(compared),
            goals: entrant.goals.iter().map(|goal| goal.reached(find(goal))).collect(),
        }
    }
}

/// The middle one; of two in the middle, their mean.
fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    let half = values.len() / 2;
    if values.len() % 2 == 1 { values[half] } else { (values[half - 1] + values[half]) / 2.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_in_the_middle() {
        assert_eq!(median([3.0, 1.0, 2.0].into_iter()), 2.0);
        assert_eq!(median([4.0, 1.0, 2.0, 3.0].into_iter()), 2.5);
    }
}
