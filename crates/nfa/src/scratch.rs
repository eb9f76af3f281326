//! The working memory of one thread for one program.

use std::cell::Cell;

use ensue_model::eval::{OfEvent, eval};
use ensue_model::{Event, Tables};

use crate::asks::Asked;
use crate::comparison::{LastRead, Switch};
use crate::conditions::{Conditions, SharedId};
use crate::count::Count;
use crate::graph::Extent;
use crate::incoming::Incoming;
use crate::one::OneSteps;
use crate::outcomes::Outcome;
use crate::products::Products;
use crate::program::{Condition, ConditionId, Of, Program, Test};
use crate::registers::{self, Registers, UnderTest};
use crate::runs::Group;
use crate::subsets::{Bits, Position, Subset, SubsetId, Subsets, Transition, TransitionId};

/// What a matcher does not go beyond.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// How many events a run may take; with it, how long a loop may be. A longer one is not taken on.
    pub events_per_run: u32,
    /// How many matches one event may complete. Further ones do not come out.
    pub matches_per_event: u32,
}

/// A limit that a matcher has come to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Overflow {
    /// [`Limits::events_per_run`]
    EventsPerRun,
    /// [`Limits::matches_per_event`]
    MatchesPerEvent,
    /// The automaton has more than [`SUBSETS_MAX`](crate::SUBSETS_MAX) subsets.
    Subsets,
}

/// The working memory of one thread for one program: the automaton as far as it was made deterministic, and what is
/// counted.
#[derive(Debug)]
pub struct Scratch {
    pub(crate) subsets: Subsets,
    pub(crate) start: SubsetId,
    pub(crate) no_registers: Registers,
    /// Whether runs with different starts are told apart.
    pub(crate) by_start: bool,
    pub(crate) wants_timeouts: bool,
    /// Whether a key's only run, of one event, is kept without a graph.
    pub(crate) keeps_one: bool,
    pub(crate) one_steps: OneSteps,
    /// The conditions that a text decides first.
    switch: Option<Switch>,
    /// For each condition of the program that is on the event alone, what it is among those of all programs.
    shared: Vec<Option<SharedId>>,
    /// The same conditions, a bit each.
    of_event: Bits,
    /// The position of the event that was looked at.
    seen: u64,
    /// Which of the program's conditions on the event alone it fulfils.
    pub(crate) held: Bits,
    /// How many events of the key at hand have come, where they are counted.
    pub(crate) count: Count,
    pub(crate) arrived: Vec<(SubsetId, Group)>,
    pub(crate) faults: Cell<u64>,
    pub(crate) tables: Tables,
    pub(crate) limits: Limits,
    pub(crate) overflow: Cell<Option<Overflow>>,
}

impl Scratch {
    /// For a program; `wants_timeouts` says whether anybody takes the partial matches that time out. If nobody does, and
    /// the pattern lets it, runs with different starts move together.
    pub fn new(program: &Program, wants_timeouts: bool, limits: Limits, conditions: &mut Conditions) -> Self {
        let mut subsets = Subsets::new(program);
        let start = subsets.start(program);
        let ends_runs = program.within.is_some() && (wants_timeouts || program.has_absence_at_end());
        // The graph cuts off what is too old by time, not by how many events have come.
        let by_start = ends_runs || program.within_events.is_some();
        let is_tight = limits.events_per_run < 2 || limits.matches_per_event < 1;
        let shared = program.conditions.iter().map(Condition::of_event);
        let shared = shared.map(|of_event| of_event.map(|expr| conditions.intern(expr, &program.key)));
        let bits = || program.conditions.iter().enumerate().map(|(bit, condition)| (1 << bit, condition));
        let of_event = || bits().filter_map(|(bit, condition)| Some((bit, condition.of_event()?)));
        Scratch {
            start,
            subsets,
            no_registers: registers::empty(&program.kept),
            by_start,
            wants_timeouts,
            keeps_one: program.kept.is_empty() && !program.skips() && !program.counts() && !is_tight,
            one_steps: OneSteps::new(program),
            switch: Switch::of(of_event()),
            shared: shared.collect(),
            of_event: of_event().fold(0, |bits, (bit, _)| bits | bit),
            seen: u64::MAX,
            held: 0,
            count: Count::NONE,
            arrived: Vec::new(),
            faults: Cell::new(0),
            tables: Tables::default(),
            limits,
            overflow: Cell::new(None),
        }
    }

    /// Whether runs with different starts are told apart.
    pub fn tells_starts(&self) -> bool {
        self.by_start
    }

    /// The limit that the last event, or the last closing of windows, came to, if it did.
    pub fn take_overflow(&mut self) -> Option<Overflow> {
        if self.subsets.is_full() { Some(Overflow::Subsets) } else { self.overflow.take() }
    }

    /// Gives conditions other reference data.
    pub fn set_tables(&mut self, tables: Tables) {
        self.tables = tables;
        // What was found out of the event at hand may be another.
        self.seen = u64::MAX;
    }

    /// The scope of an expression over one event.
    pub(crate) fn of_event<'e, E>(&'e self, event: &'e E) -> OfEvent<'e, E> {
        OfEvent { event, faults: &self.faults, tables: &self.tables }
    }

    /// How many evaluations had no result because of unlike types, overflow and the like.
    pub fn faults(&self) -> u64 {
        self.faults.get()
    }

    /// Whether the runs of a node must take no more events; notes that the limit was reached.
    pub(crate) fn is_long(&self, runs: Extent) -> bool {
        let is_long = runs.events >= self.limits.events_per_run;
        if is_long {
            self.overflow.set(Some(Overflow::EventsPerRun));
        }
        is_long
    }

    pub(crate) fn subset(&self, subset: SubsetId) -> &Subset {
        self.subsets.get(subset)
    }

    pub(crate) fn outcomes(&mut self, program: &Program, subset: SubsetId, bits: Bits) -> Vec<Outcome> {
        self.subsets.outcomes(program, subset, bits)
    }

    /// Finds out which of the program's conditions on the event alone an event fulfils.
    pub(crate) fn look_at<E: Event>(
        &mut self,
        program: &Program,
        incoming: &Incoming<E>,
        conditions: &mut Conditions,
    ) -> Bits {
        if self.seen != incoming.position() {
            self.seen = incoming.position();
            self.held = self.find_out(program, incoming, conditions);
        }
        self.held
    }

    /// Takes note of which of the program's conditions on the event alone an event fulfils, if all these say so.
    pub(crate) fn know<E: Event>(&mut self, incoming: &Incoming<E>, asked: &[Asked]) -> bool {
        let mut held = 0;
        for asked in asked {
            let Some(ConditionId(condition)) = asked.holds else { return false };
            held |= 1 << condition;
        }
        self.seen = incoming.position();
        self.held = held;
        true
    }

    fn find_out<E: Event>(&self, program: &Program, incoming: &Incoming<E>, conditions: &mut Conditions) -> Bits {
        let switched = self.switch.as_ref().and_then(|switch| Some((switch.hold(incoming.event())?, switch.asked)));
        let (mut held, known) = switched.unwrap_or_default();
        if known == self.of_event {
            return held;
        }
        let (mut bit, mut read) = (1, LastRead::default());
        for (condition, shared) in program.conditions.iter().zip(&self.shared) {
            if let Some(shared) = shared
                && known & bit == 0
            {
                let evaluate = || self.test(condition, program, incoming, &self.no_registers);
                if conditions.hold(*shared, incoming, &mut read, evaluate) {
                    held |= bit;
                }
            }
            bit <<= 1;
        }
        held
    }

    /// Which of a subset's conditions the event that was looked at fulfils, for runs with these registers.
    #[inline]
    pub(crate) fn bits<E: Event>(
        &self,
        program: &Program,
        subset: SubsetId,
        incoming: &Incoming<E>,
        registers: &Registers,
    ) -> Bits {
        let subset = self.subsets.get(subset);
        let mut bits = self.held & subset.asked;
        if subset.asks_more {
            for ConditionId(condition) in &subset.asks {
                let asked = &program.conditions[usize::from(*condition)];
                if asked.of != Of::Event {
                    bits |= Bits::from(self.test(asked, program, incoming, registers)) << condition;
                }
            }
        }
        bits
    }

    fn test<E: Event>(
        &self,
        condition: &Condition,
        program: &Program,
        incoming: &Incoming<E>,
        registers: &Registers,
    ) -> bool {
        match &condition.test {
            Test::Holds(expr) => {
                let Scratch { faults, tables, .. } = self;
                eval(expr, &UnderTest { incoming, program, registers, faults, tables }).holds()
            }
            Test::KeyedBy(way) => incoming.is_keyed_by(*way),
            Test::InWindow { since, span } => {
                registers::is_in_window(registers, *since, *span, incoming.time(), &self.count)
            }
        }
    }

    /// The transition of a subset for the event that was looked at, and for runs without registers.
    pub(crate) fn find<E: Event>(
        &mut self,
        program: &Program,
        subset: SubsetId,
        incoming: &Incoming<E>,
    ) -> TransitionId {
        let bits = self.bits(program, subset, incoming, &self.no_registers);
        self.subsets.find(program, subset, bits)
    }

    /// As [`Scratch::find`], for runs with these registers.
    pub(crate) fn find_for<E: Event>(
        &mut self,
        program: &Program,
        subset: SubsetId,
        incoming: &Incoming<E>,
        registers: &Registers,
    ) -> TransitionId {
        let bits = self.bits(program, subset, incoming, registers);
        self.subsets.find(program, subset, bits)
    }

    pub(crate) fn transition(&self, transition: TransitionId) -> &Transition {
        self.subsets.transition(transition)
    }

    pub(crate) fn position(&self, subset: SubsetId) -> &Position {
        &self.subsets.get(subset).position
    }

    pub(crate) fn products(&self) -> &Products {
        self.subsets.products()
    }

    pub(crate) fn products_mut(&mut self) -> &mut Products {
        self.subsets.products_mut()
    }

    pub(crate) fn intern(&mut self, program: &Program, position: Position) -> SubsetId {
        self.subsets.intern(program, position)
    }
}
