//! What becomes of outputs before they leave a shard: their order, what a cooldown keeps back, and the records that they come
//! out as.

use std::cell::Cell;

use ensue_model::record::{Emission, Occasion};
use ensue_model::{Event, Key, Match, Pattern, Patterns, Tables, Timeout, Timestamp, Value};

use crate::cooling::Cooling;
use crate::output::Outputs;

/// The way out of a shard.
#[derive(Debug)]
pub(crate) struct Outlet {
    /// By pattern; none at all where no pattern asks for anything but the order.
    finishings: Vec<Finishing>,
    tables: Tables,
    faults: Cell<u64>,
    /// How many matches cooldowns have kept back.
    kept_back: u64,
}

/// What a pattern asks for.
#[derive(Debug)]
struct Finishing {
    stage_names: Vec<String>,
    cooling: Option<Cooling>,
    emit: Emission,
    timeout: Emission,
}

impl Finishing {
    fn of(pattern: &Pattern) -> Self {
        Finishing {
            stage_names: pattern.stages.iter().map(|stage| stage.name.clone()).collect(),
            cooling: pattern.cooldown.map(Cooling::new),
            emit: pattern.emit.clone(),
            timeout: pattern.timeout.clone(),
        }
    }

    fn is_plain(&self) -> bool {
        self.cooling.is_none() && [&self.emit, &self.timeout].iter().all(|emission| **emission == Emission::Events)
    }
}

impl Outlet {
    pub(crate) fn new(patterns: &Patterns) -> Self {
        let finishings: Vec<Finishing> = patterns.patterns.iter().map(Finishing::of).collect();
        let is_plain = finishings.iter().all(Finishing::is_plain);
        Outlet {
            finishings: if is_plain { Vec::new() } else { finishings },
            tables: Tables::empty(&patterns.tables),
            faults: Cell::new(0),
            kept_back: 0,
        }
    }

    /// How many evaluations of records had no result.
    pub(crate) fn faults(&self) -> u64 {
        self.faults.get()
    }

    /// How many matches cooldowns have kept back.
    pub(crate) fn kept_back(&self) -> u64 {
        self.kept_back
    }

    pub(crate) fn tables(&mut self) -> &mut Tables {
        &mut self.tables
    }

    /// Finishes what came out together, from these places on.
    pub(crate) fn give<E: Event>(&mut self, matches: usize, timeouts: usize, out: &mut Outputs<E>) {
        out.sort_from(matches, timeouts);
        if self.finishings.is_empty() {
            return;
        }
        out.timeouts.extract_if(timeouts.., |lapsed| !self.record_timeout(lapsed)).for_each(drop);
        out.matches.extract_if(matches.., |found| !self.record_match(found)).for_each(drop);
        let (finishings, kept_back) = (&mut self.finishings, &mut self.kept_back);
        let mut is_cold = |found: &mut Match<E>| {
            let cooling = finishings[found.run.pattern].cooling.as_mut();
            cooling.is_none_or(|cooling| cooling.lets_through(&found.run.key, found.at))
        };
        *kept_back += out.matches.extract_if(matches.., |found| !is_cold(found)).count() as u64;
    }

    /// Puts in the record, if the match comes out.
    fn record_match<E: Event>(&self, found: &mut Match<E>) -> bool {
        match &self.finishings[found.run.pattern].emit {
            Emission::Events => true,
            Emission::Nothing => false,
            Emission::Record(record) => {
                found.record = record.of(&found.run, self.occasion(None));
                found.record.is_some()
            }
        }
    }

    /// Puts in the record, if the timeout comes out.
    fn record_timeout<E: Event>(&self, lapsed: &mut Timeout<E>) -> bool {
        let Finishing { stage_names, timeout, .. } = &self.finishings[lapsed.run.pattern];
        match timeout {
            Emission::Events => true,
            Emission::Nothing => false,
            Emission::Record(record) => {
                let awaiting = lapsed.awaiting.iter().map(|stage| stage_names[usize::from(stage.0)].as_str());
                let awaiting: Vec<&str> = awaiting.collect();
                lapsed.record = record.of(&lapsed.run, self.occasion(Some((&awaiting, lapsed.deadline))));
                lapsed.record.is_some()
            }
        }
    }

    fn occasion<'o>(&'o self, timeout: Option<(&'o [&'o str], Timestamp)>) -> Occasion<'o> {
        Occasion { timeout, tables: &self.tables, faults: &self.faults }
    }

    /// Time has come to `through`: all that will come out comes later.
    pub(crate) fn pass(&mut self, through: Timestamp) {
        self.finishings.iter_mut().filter_map(|finishing| finishing.cooling.as_mut()).for_each(|it| it.pass(through));
    }

    /// The keys of a pattern that have a cooldown, with its end.
    pub(crate) fn cooling(&self, pattern: usize) -> Vec<(Vec<Value<'static>>, Timestamp)> {
        let cooling = self.finishings.get(pattern).and_then(|finishing| finishing.cooling.as_ref());
        cooling.map_or_else(Vec::new, |cooling| cooling.iter().map(|(key, until)| (key.to_vec(), until)).collect())
    }

    /// Takes over a cooldown from a snapshot.
    pub(crate) fn restore_cooling(&mut self, pattern: usize, key: Key, until: Timestamp) {
        let cooling = self.finishings.get_mut(pattern).and_then(|finishing| finishing.cooling.as_mut());
        if let Some(cooling) = cooling {
            cooling.insert(key, until);
        }
    }
}
