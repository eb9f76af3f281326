//! One pattern in one shard: what an event and the end of windows do to the runs of a key, and within which limits.

use std::ops::ControlFlow;
use std::sync::Arc;

use ensue_model::output::Taken;
use ensue_model::pattern::StageId;
use ensue_model::{Event, Key, Match, Partial, Tables, Timeout, Timestamp, Value};
use ensue_nfa::{
    Asked, Conditions, Incoming, Need, OpenRun, Overflow, Program, Runs, SUBSETS_MAX, Scratch, Sink, Size,
};

use crate::config::{Config, Limits, OnFull, Watermarks};
use crate::error::Full;
use crate::key_table::Arrival;
use crate::output::{Load, Most, Open, OpenRuns, Outputs, Rejected, Shed};
use crate::places::Places;
use crate::windows::EndsOf;

/// One pattern in one shard.
#[derive(Debug)]
pub(crate) struct Lane {
    pattern: usize,
    program: Arc<Program>,
    scratch: Scratch,
    ends: EndsOf,
    closing: Closing,
    /// How many keys have open runs.
    keys: usize,
    /// How much all open runs are.
    size: Size,
    limits: Limits,
    shed: Shed,
}

/// How time passes for the runs of a key. Without a skip strategy it makes no difference.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Closing {
    /// All that is over ends together.
    Together,
    /// One end after the other: where events move time, it passes every instant.
    InTurn,
    /// All that is over ends together, at each event of the key and at each watermark: explicit watermarks under a skip
    /// strategy, as in Flink. What other keys see must make no difference.
    ByKey,
}

impl Closing {
    fn new(program: &Program, watermarks: Watermarks) -> Self {
        match watermarks {
            _ if !program.skips() => Closing::Together,
            Watermarks::Explicit => Closing::ByKey,
            Watermarks::Steady | Watermarks::Ascending | Watermarks::OutOfOrder(_) => Closing::InTurn,
        }
    }
}

impl Lane {
    pub(crate) fn new(pattern: usize, program: Arc<Program>, config: &Config, conditions: &mut Conditions) -> Self {
        let Config { limits, timeouts, .. } = config;
        let of_runs =
            ensue_nfa::Limits { events_per_run: limits.events_per_run, matches_per_event: limits.matches_per_event };
        Lane {
            pattern,
            scratch: Scratch::new(&program, *timeouts, of_runs, conditions),
            ends: match program.within() {
                _ if program.has_step_windows() => EndsOf::Steps,
                Some(within) => EndsOf::Starts(within),
                None => EndsOf::Never,
            },
            closing: Closing::new(&program, config.watermarks),
            program,
            keys: 0,
            size: Size::default(),
            limits: limits.clone(),
            shed: Shed::default(),
        }
    }

    pub(crate) fn program(&self) -> &Program {
        &self.program
    }

    /// How the ends of its windows come.
    pub(crate) fn ends(&self) -> EndsOf {
        self.ends
    }

    /// Whether windows are closed at the events of their key and at watermarks only.
    pub(crate) fn is_closed_by_key(&self) -> bool {
        self.closing == Closing::ByKey
    }

    /// Whether its windows are closed with those of the other lanes of a key.
    #[inline]
    pub(crate) fn ends_with_key(&self) -> bool {
        matches!(self.ends, EndsOf::Starts(_)) && !self.is_closed_by_key()
    }

    pub(crate) fn pattern(&self) -> usize {
        self.pattern
    }

    /// Gives conditions other reference data.
    pub(crate) fn set_tables(&mut self, tables: Tables) {
        self.scratch.set_tables(tables);
    }

    /// How many evaluations had no result.
    pub(crate) fn faults(&self) -> u64 {
        self.scratch.faults()
    }

    /// What is open, and what was counted.
    pub(crate) fn load(&self) -> Load {
        let Lane { pattern, size, keys, shed, .. } = *self;
        Load { pattern, size, keys, faults: self.faults(), shed }
    }

    /// Counts the runs of a key by where they wait, with when the first of them began.
    pub(crate) fn count_places<E: Event>(&mut self, runs: &Runs<E>, places: &mut Places) {
        runs.each_place(&self.program, &mut self.scratch, |stages, runs, first| places.add(stages, runs, first));
    }

    /// The open runs of a key at `now`, as far as they are asked for.
    pub(crate) fn runs_of<E: Event>(&mut self, key: &Key, of_key: &Runs<E>, now: Timestamp, most: Most) -> OpenRuns<E> {
        let Lane { pattern, program, scratch, .. } = self;
        let (mut runs, mut taken) = (Vec::new(), 0);
        let flow = of_key.each_open(program, scratch, now, |OpenRun { events, awaiting, end }| {
            if runs.len() >= most.runs || taken >= most.events {
                return ControlFlow::Break(());
            }
            taken += events.len();
            runs.push(Open { run: Partial { pattern: *pattern, key: key.clone(), events }, awaiting, end });
            ControlFlow::Continue(())
        });
        let count = if flow.is_break() { of_key.count_open() } else { runs.len() as u64 };
        OpenRuns { count, runs }
    }

    /// How many keys have open runs.
    pub(crate) fn key_count(&self) -> usize {
        self.keys
    }

    /// Whether an event that fulfils what is needed there, and no other condition, may begin a run.
    pub(crate) fn may_begin_with(&self, need: &Need) -> bool {
        self.program.may_start(need, &self.scratch)
    }

    /// Whether an event can make a difference to any key, if this is what was found out of its conditions.
    pub(crate) fn concerns<E: Event>(
        &mut self,
        incoming: &Incoming<E>,
        asked: &[Asked],
        conditions: &mut Conditions,
    ) -> bool {
        self.program.is_concerned(incoming, asked, &mut self.scratch, conditions) || self.is_closed_by_key()
    }

    /// Whether an event that has come to a key without runs begins one, or is a match by itself.
    #[inline]
    pub(crate) fn would_begin<E: Event>(&mut self, arrival: &mut Arrival<'_, E>, all: &Size) -> Result<bool, Reached> {
        if !self.program.starts(arrival.incoming, &mut self.scratch) {
            self.overflowed()?;
            return Ok(false);
        }
        Ok(!self.rejects(Size::default(), arrival, all))
    }

    /// The runs that an event begins.
    #[inline]
    pub(crate) fn begin<E: Event>(
        &mut self,
        key: &Key,
        arrival: &mut Arrival<'_, E>,
        all: &mut Size,
    ) -> Result<(Runs<E>, Option<Timestamp>), Reached> {
        let mut runs = Runs::default();
        let end = self.step(key, &mut runs, arrival, all)?;
        Ok((runs, end))
    }

    /// Gives an event to the runs of its key, of which there are some. Gives when time next does something to them, where that was
    /// found out. `all` is how much the runs of all patterns are.
    #[inline]
    pub(crate) fn step_known<E: Event>(
        &mut self,
        key: &Key,
        runs: &mut Runs<E>,
        arrival: &mut Arrival<'_, E>,
        all: &mut Size,
    ) -> Result<Option<Timestamp>, Reached> {
        if self.limits.on_full == OnFull::RejectEvent && self.rejects(runs.size(&self.scratch), arrival, all) {
            return Ok(None);
        }
        self.step(key, runs, arrival, all)
    }

    #[inline]
    fn step<E: Event>(
        &mut self,
        key: &Key,
        runs: &mut Runs<E>,
        arrival: &mut Arrival<'_, E>,
        all: &mut Size,
    ) -> Result<Option<Timestamp>, Reached> {
        let Lane { program, scratch, pattern, .. } = self;
        let (before, was_open) = (runs.size(scratch), !runs.is_empty());
        let mut sink = KeySink { pattern: *pattern, key, out: arrival.out };
        let stepped = program.step(runs, arrival.incoming, scratch, &mut sink);
        if !stepped.has_changed {
            return self.overflowed().map(|()| None);
        }
        let after = runs.size(scratch);
        self.resize(before, after, all);
        let kept = self.keep_in_limits(runs, after, all);
        self.keys = self.keys + usize::from(!runs.is_empty()) - usize::from(was_open);
        kept?;
        self.overflowed()?;
        Ok(self.next_end(runs, arrival.incoming, stepped.has_started))
    }

    /// Takes note of how much the runs of a key are.
    #[inline]
    fn resize(&mut self, before: Size, after: Size, all: &mut Size) {
        self.size = self.size - before + after;
        *all = *all - before + after;
    }

    /// Takes note of a limit that the matcher itself came to.
    #[inline]
    fn overflowed(&mut self) -> Result<(), Reached> {
        match self.scratch.take_overflow() {
            None => Ok(()),
            Some(overflow) => self.note_overflow(overflow),
        }
    }

    #[cold]
    fn note_overflow(&mut self, overflow: Overflow) -> Result<(), Reached> {
        self.shed.overflows += 1;
        let reached = match overflow {
            Overflow::EventsPerRun => Reached::new("events_per_run", self.limits.events_per_run.into()),
            Overflow::MatchesPerEvent => Reached::new("matches_per_event", self.limits.matches_per_event.into()),
            Overflow::Subsets => return Err(Reached::new("subsets of the automaton", SUBSETS_MAX as u64)),
        };
        if self.limits.on_full == OnFull::Stop { Err(reached) } else { Ok(()) }
    }

    /// Whether the runs of a key, and all runs, are within the limits.
    #[inline]
    fn is_kept(&self, of_key: Size, all: &Size) -> bool {
        let Limits { open_runs_per_key, open_runs, bytes_per_key, bytes, .. } = self.limits;
        let is_key_kept = of_key.runs <= open_runs_per_key && of_key.bytes <= bytes_per_key;
        is_key_kept && all.runs <= open_runs && all.bytes <= bytes
    }

    /// The limit that the runs of a key, or all runs, are beyond.
    fn reached(&self, of_key: Size, all: &Size) -> Option<Reached> {
        let Limits { open_runs_per_key, open_runs, bytes_per_key, bytes, .. } = self.limits;
        let limits = [
            ("open_runs_per_key", of_key.runs, open_runs_per_key),
            ("open_runs", all.runs, open_runs),
            ("bytes_per_key", of_key.bytes as u64, bytes_per_key as u64),
            ("bytes", all.bytes as u64, bytes as u64),
        ];
        let reached = limits.into_iter().find(|(_, now, limit)| now > limit);
        reached.map(|(name, _, limit)| Reached::new(name, limit))
    }

    /// Whether an event does not come in because its key, or all, is full.
    #[inline]
    fn rejects<E: Event>(&mut self, of_key: Size, arrival: &mut Arrival<'_, E>, all: &Size) -> bool {
        let is_full = self.limits.on_full == OnFull::RejectEvent && !self.is_kept(of_key, all);
        if is_full {
            self.reject(of_key, arrival, all);
        }
        is_full
    }

    #[cold]
    fn reject<E: Event>(&mut self, of_key: Size, arrival: &mut Arrival<'_, E>, all: &Size) {
        let Some(reached) = self.reached(of_key, all) else { return };
        self.shed.events += 1;
        let key = show(arrival.key);
        let reason = format!("key {key} is full: the limit `{}` of {} is reached", reached.name, reached.limit);
        arrival.out.rejected.push(Rejected { event: arrival.incoming.share(), reason });
    }

    #[inline]
    fn keep_in_limits<E: Event>(&mut self, runs: &mut Runs<E>, of_key: Size, all: &mut Size) -> Result<(), Reached> {
        if self.is_kept(of_key, all) { Ok(()) } else { self.bring_into_limits(runs, of_key, all) }
    }

    #[cold]
    fn bring_into_limits<E: Event>(
        &mut self,
        runs: &mut Runs<E>,
        mut of_key: Size,
        all: &mut Size,
    ) -> Result<(), Reached> {
        while let Some(reached) = self.reached(of_key, all) {
            match self.limits.on_full {
                OnFull::Stop => return Err(reached),
                // What made it full stays; the next event does not come in.
                OnFull::RejectEvent => return Ok(()),
                OnFull::DropOldest => {
                    let dropped = runs.drop_oldest(&self.scratch);
                    let left = runs.size(&self.scratch);
                    self.resize(of_key, left, all);
                    of_key = left;
                    self.shed.runs += dropped;
                    if dropped == 0 {
                        return Ok(());
                    }
                }
            }
        }
        Ok(())
    }

    /// How much all open runs are.
    pub(crate) fn size(&self) -> Size {
        self.size
    }

    /// What was given up at limits.
    pub(crate) fn shed(&self) -> Shed {
        self.shed
    }

    /// A limit that was reached with a key, for the error.
    pub(crate) fn full(pattern: &str, key: &[Value<'_>], reached: Reached) -> Full {
        Full { pattern: pattern.to_owned(), key: show(key), name: reached.name, limit: reached.limit }
    }

    /// When time next does something to the runs of a key that an event has changed, where that is another time than before.
    #[inline]
    fn next_end<E: Event>(&mut self, runs: &Runs<E>, incoming: &Incoming<E>, has_started: bool) -> Option<Timestamp> {
        match self.ends {
            EndsOf::Steps => self.program.next_due(runs, &mut self.scratch),
            EndsOf::Starts(within) if has_started => Some(incoming.time() + within),
            EndsOf::Starts(_) | EndsOf::Never => None,
        }
    }

    /// Closes the windows of a key that end up to `now`. Gives when time next does something to its runs, where that is another
    /// time than was known.
    #[inline]
    pub(crate) fn close<E: Event>(
        &mut self,
        key: &Key,
        runs: &mut Runs<E>,
        now: Timestamp,
        all: &mut Size,
        out: &mut Outputs<E>,
    ) -> Option<Timestamp> {
        let Lane { program, scratch, pattern, closing, .. } = self;
        let (before, was_open) = (runs.size(scratch), !runs.is_empty());
        let mut sink = KeySink { pattern: *pattern, key, out };
        match closing {
            Closing::InTurn => program.close_in_turn(runs, now, scratch, &mut sink),
            Closing::Together | Closing::ByKey => program.close(runs, now, scratch, &mut sink),
        }
        let after = runs.size(scratch);
        self.resize(before, after, all);
        self.keys -= usize::from(was_open && runs.is_empty());
        if self.ends == EndsOf::Steps { self.program.next_due(runs, &mut self.scratch) } else { None }
    }

    pub(crate) fn parts(&mut self) -> (&Program, &mut Scratch) {
        (&self.program, &mut self.scratch)
    }

    pub(crate) fn scratch(&self) -> &Scratch {
        &self.scratch
    }

    /// Takes note of runs from a snapshot.
    pub(crate) fn restore<E: Event>(&mut self, runs: &Runs<E>) {
        self.size = self.size + runs.size(&self.scratch);
        self.keys += 1;
    }

    /// When windows of open runs end: all ends that have to be noted.
    pub(crate) fn find_ends<E: Event>(&mut self, runs: &Runs<E>, mut note: impl FnMut(Timestamp)) {
        match self.ends {
            EndsOf::Never => {}
            EndsOf::Starts(within) => runs.starts().for_each(|(time, _)| note(time + within)),
            EndsOf::Steps => self.program.next_due(runs, &mut self.scratch).into_iter().for_each(note),
        }
    }
}

/// A limit that was reached.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Reached {
    name: &'static str,
    limit: u64,
}

impl Reached {
    fn new(name: &'static str, limit: u64) -> Self {
        Reached { name, limit }
    }
}

/// A key as a message shows it.
fn show(key: &[Value<'_>]) -> String {
    let parts: Vec<String> = key.iter().map(Value::to_string).collect();
    if parts.is_empty() { "(none)".to_owned() } else { parts.join(", ") }
}

/// Adds the pattern and the key to what the matcher gives.
struct KeySink<'k, E> {
    pattern: usize,
    key: &'k Key,
    out: &'k mut Outputs<E>,
}

impl<E> KeySink<'_, E> {
    fn run(&self, events: Vec<(StageId, Taken<E>)>) -> Partial<E> {
        Partial { pattern: self.pattern, key: self.key.clone(), events }
    }
}

impl<E> Sink<E> for KeySink<'_, E> {
    fn matched(&mut self, events: Vec<(StageId, Taken<E>)>, at: Timestamp) {
        let run = self.run(events);
        self.out.matches.push(Match { run, at, record: None });
    }

    fn timed_out(&mut self, events: Vec<(StageId, Taken<E>)>, deadline: Timestamp, awaiting: Vec<StageId>) {
        let run = self.run(events);
        self.out.timeouts.push(Timeout { run, deadline, awaiting, record: None });
    }
}
