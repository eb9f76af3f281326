//! What becomes of outputs before they leave a shard: their order, what a cooldown keeps back, and the records that they come
//! out as.

use std::cell::Cell;

use ensue_model::record::Occasion;
use ensue_model::{Event, Key, Match, Pattern, Patterns, Record, Tables, Timeout, Timestamp, Value};

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
    emit: Option<Record>,
    timeout: Option<Record>,
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
        self.cooling.is_none() && self.emit.is_none() && self.timeout.is_none()
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
        let (finishings, kept_back) = (&mut self.finishings, &mut self.kept_back);
        let is_cold = |found: &mut Match<E>| {
            let cooling = finishings[found.run.pattern].cooling.as_mut();
            cooling.is_none_or(|cooling| cooling.lets_through(&found.run.key, found.at))
        };
        let mut is_cold = is_cold;
        *kept_back += out.matches.extract_if(matches.., |found| !is_cold(found)).count() as u64;
        out.matches[matches..].iter_mut().for_each(|found| self.record_match(found));
        out.timeouts[timeouts..].iter_mut().for_each(|lapsed| self.record_timeout(lapsed));
    }

    fn record_match<E: Event>(&self, found: &mut Match<E>) {
        let emit = self.finishings[found.run.pattern].emit.as_ref();
        found.record = emit.map(|emit| emit.of(&found.run, self.occasion(None)));
    }

    fn record_timeout<E: Event>(&self, lapsed: &mut Timeout<E>) {
        let Finishing { stage_names, timeout, .. } = &self.finishings[lapsed.run.pattern];
        lapsed.record = timeout.as_ref().map(|timeout| {
            let name = |stage: &ensue_model::pattern::StageId| stage_names[usize::from(stage.0)].as_str();
            let awaiting: Vec<&str> = lapsed.awaiting.iter().map(name).collect();
            timeout.of(&lapsed.run, self.occasion(Some((&awaiting, lapsed.deadline))))
        });
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
