//! What is wanted of a program, and whether it is so.

use crate::sample::Sample;

/// What is wanted of a program.
#[derive(Clone, Debug)]
pub(crate) struct Goal {
    number: u8,
    measure: Measure,
    bound: Bound,
}

/// What is measured.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Measure {
    /// Events per second.
    Rate,
    /// How many times as fast as the yardstick.
    Speed,
    /// The same, by the processor's time.
    SpeedByCpu,
    /// How many times what the yardstick takes for an event.
    Cost,
    /// What the program says under this name.
    Value(&'static str),
    /// How much more that is than what the yardstick says.
    Excess(&'static str),
    /// Nanoseconds for each event in a match, beyond what the yardstick takes, which has no matches.
    NanosecondsPerTaken,
}

/// Where it should be.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Bound {
    AtLeast(f64),
    AtMost(f64),
    /// Wherever it is, it is to be seen.
    Any,
}

/// A goal, and how far it is reached.
#[derive(Clone, Debug)]
pub(crate) struct Reached {
    pub(crate) number: u8,
    pub(crate) measure: Measure,
    pub(crate) bound: Bound,
    pub(crate) found: f64,
}

impl Goal {
    pub(crate) fn new(number: u8, measure: Measure, bound: Bound) -> Self {
        Goal { number, measure, bound }
    }

    /// How far it is reached, if this was found.
    pub(crate) fn reached(&self, found: f64) -> Reached {
        Reached { number: self.number, measure: self.measure, bound: self.bound, found }
    }

    /// What is found in one round.
    pub(crate) fn find(&self, own: &Sample, yardstick: Option<&Sample>) -> f64 {
        self.measure.find(own, yardstick.unwrap_or(own))
    }
}

impl Measure {
    fn find(self, own: &Sample, yardstick: &Sample) -> f64 {
        match self {
            Measure::Rate => own.rate(),
            Measure::Speed => own.rate() / yardstick.rate(),
            Measure::SpeedByCpu => own.rate_by_cpu() / yardstick.rate_by_cpu(),
            Measure::Cost => yardstick.rate() / own.rate(),
            Measure::Value(name) => own.value(name),
            Measure::Excess(name) => own.value(name) - yardstick.value(name),
            Measure::NanosecondsPerTaken => {
                (own.value("seconds") - yardstick.value("seconds")) * 1e9 / own.value("taken")
            }
        }
    }

    /// What is measured, in words; `yardstick` is the name of what it is compared with.
    pub(crate) fn describe(self, yardstick: &str) -> String {
        match self {
            Measure::Rate => "events/s".to_owned(),
            Measure::Speed => format!("speed of {yardstick}"),
            Measure::SpeedByCpu => format!("speed of {yardstick}, by CPU"),
            Measure::Cost => format!("cost of {yardstick}"),
            Measure::Value(name) => name.replace('_', " "),
            Measure::Excess(name) => format!("{} beyond {yardstick}", name.replace('_', " ")),
            Measure::NanosecondsPerTaken => "ns per event in a match".to_owned(),
        }
    }
}

impl Bound {
    pub(crate) fn holds(self, found: f64) -> bool {
        match self {
            Bound::AtLeast(least) => found >= least,
            Bound::AtMost(most) => found <= most,
            Bound::Any => true,
        }
    }
}
