//! A shard owns keys: it takes their events in the order of event time, and closes their windows.

use std::ops::{Add, Range};
use std::sync::Arc;

use ensue_model::hash::key_hash;
use ensue_model::record::Emission;
use ensue_model::table::{Table, TableId};
use ensue_model::{Event, Key, Patterns, Timestamp, Value};
use ensue_nfa::{Asked, Conditions, Incoming, Runs, Size};
use smallvec::SmallVec;

use crate::config::Config;
use crate::error::{Error, Kind};
use crate::intake::Route;
use crate::interest::Interest;
use crate::key_table::{Arrival, KeyTable};
use crate::keys::KeyClasses;
use crate::lane::Lane;
use crate::levels::Level;
use crate::outlet::Outlet;
use crate::output::{Most, OpenRuns, Outputs, Place, Shed};
use crate::places::Places;
use crate::reorder::Reorder;
use crate::windows::{Ahead, Of, WindowEnd, Windows};

/// An event for one shard, with the classes of keys that it is there for.
#[derive(Debug)]
pub struct Routed<E> {
    pub(crate) incoming: Incoming<E>,
    /// The level of the patterns that it is for.
    pub(crate) level: usize,
    pub(crate) classes: u64,
    /// The hash of its key in the first of these classes, where it is known.
    hash: Option<u64>,
    /// Up to where time had come with it.
    through: Timestamp,
}

impl<E: Event> Routed<E> {
    /// An event on one of its routes, with its position in the input, and the time up to which all events have come with it.
    #[inline]
    pub(crate) fn new(event: Arc<E>, position: u64, through: Timestamp, route: &Route) -> Self {
        let Route { shard: _, level, classes, hash, ways } = *route;
        let incoming = Incoming::shared(event, position).by_ways(ways);
        Routed { incoming, level, classes, hash: Some(hash), through }
    }

    /// An event that waited for time to come to it.
    pub(crate) fn waiting(incoming: Incoming<E>, level: usize, classes: u64) -> Self {
        Routed { incoming, level, classes, hash: None, through: Timestamp::MIN }
    }
}

/// A pattern without runs.
///
/// # Errors
/// If it is larger than a program may be.
pub(crate) fn lane(
    patterns: &Patterns,
    index: usize,
    config: &Config,
    conditions: &mut Conditions,
) -> Result<Lane, Error> {
    let pattern = &patterns.patterns[index];
    let program = Arc::new(ensue_nfa::compile(pattern)?);
    // What another pattern reads comes out, whether or not the caller takes it.
    let timeouts = match &pattern.timeout {
        Emission::Events => config.timeouts,
        Emission::Record(record) => config.timeouts || record.stream.is_some(),
        Emission::Nothing => false,
    };
    Ok(Lane::new(index, program, &Config { timeouts, ..config.clone() }, conditions))
}

/// A lane that the event at hand may concern.
#[derive(Debug)]
struct Concern {
    number: u32,
    /// What is known of its conditions, among all that is asked; nothing where it has been asked itself.
    asked: Range<usize>,
    /// Whether the event may begin a run.
    begins: bool,
}

/// How many events are looked at before the first of them is handled.
pub(crate) const LOOK_AHEAD: usize = 64;

/// So many patterns with the same key are asked one by one whether an event concerns them.
const LANES_ASKED: usize = 4;

/// The runs of the keys that one thread owns, for the patterns of one level.
#[derive(Debug)]
pub(crate) struct Shard<E> {
    /// The names of the patterns, by lane.
    names: Vec<String>,
    classes: Arc<KeyClasses>,
    pub(crate) lanes: Vec<Lane>,
    /// For each lane, its class of keys.
    class_of: Vec<usize>,
    /// For each class of keys, those with open runs.
    tables: Vec<KeyTable<E>>,
    /// For each class of keys, which of its lanes an event can make a difference to.
    interests: Vec<Interest>,
    /// What the lanes ask of the event at hand.
    conditions: Conditions,
    /// The lanes whose windows are closed by key.
    closed_by_key: Vec<usize>,
    /// How much the open runs of all lanes are.
    size: Size,
    pub(crate) held: Reorder<Routed<E>>,
    /// Room for the events that are handled together.
    batch: Vec<Routed<E>>,
    /// Room for the lanes that an event may concern.
    asked: Vec<Asked>,
    /// The lanes of a class that the event at hand may concern, each with what is known of its conditions.
    concerned: Vec<Concern>,
    windows: Windows,
    /// Of how many of the next window ends the memory that they need was read ahead.
    ends_touched: usize,
    pub(crate) outlet: Outlet,
}

impl<E: Event> Shard<E> {
    /// A shard without events.
    ///
    /// # Errors
    /// If a pattern is larger than a program may be.
    pub(crate) fn new(patterns: &Patterns, level: &Level, config: &Config) -> Result<Self, Error> {
        let mut conditions = Conditions::new();
        let classes = level.classes.clone();
        let mut lanes: Vec<Lane> = Vec::with_capacity(level.patterns.len());
        for index in &level.patterns {
            lanes.push(lane(patterns, *index, config, &mut conditions)?);
        }
        let interest = |class| {
            let mut interest = Interest::new();
            let patterns = classes.patterns_of(class);
            for pattern in patterns {
                match &lanes[*pattern] {
                    // A few are asked faster than looked up.
                    _ if patterns.len() <= LANES_ASKED => interest.add_always(*pattern),
                    lane if lane.is_closed_by_key() => interest.add_always(*pattern),
                    lane => interest.add(*pattern, lane),
                }
            }
            interest
        };
        let mut class_of = vec![0; lanes.len()];
        for class in 0..classes.len() {
            classes.patterns_of(class).iter().for_each(|lane| class_of[*lane] = class);
        }
        let ends = lanes.iter().zip(&class_of).map(|(lane, class)| (*class, lane.ends(), !lane.is_closed_by_key()));
        Ok(Shard {
            windows: Windows::new(ends),
            tables: (0..classes.len()).map(|_| KeyTable::new()).collect(),
            class_of,
            interests: (0..classes.len()).map(interest).collect(),
            names: level.patterns.iter().map(|index| patterns.patterns[*index].name.clone()).collect(),
            outlet: Outlet::new(patterns),
            classes,
            closed_by_key: (0..lanes.len()).filter(|index| lanes[*index].is_closed_by_key()).collect(),
            lanes,
            conditions,
            size: Size::default(),
            held: Reorder::new(),
            batch: Vec::with_capacity(LOOK_AHEAD),
            asked: Vec::new(),
            concerned: Vec::new(),
            ends_touched: 0,
        })
    }

    /// How many evaluations had no result because of unlike types, overflow and the like.
    pub(crate) fn faults(&self) -> u64 {
        self.lanes.iter().map(Lane::faults).sum::<u64>() + self.outlet.faults()
    }

    /// How many matches cooldowns have kept back.
    pub(crate) fn kept_back(&self) -> u64 {
        self.outlet.kept_back()
    }

    /// Gives a table other rows, for the events that are handled from now on.
    pub(crate) fn set_table(&mut self, table: TableId, rows: &Arc<Table>) {
        let tables = self.outlet.tables();
        tables.set(table, rows.clone());
        self.lanes.iter_mut().for_each(|lane| lane.set_tables(tables.clone()));
    }

    /// How many keys have open runs, over all patterns.
    pub(crate) fn open_keys(&self) -> usize {
        self.lanes.iter().map(Lane::key_count).sum()
    }

    /// What was given up at limits.
    pub(crate) fn shed(&self) -> Shed {
        let mut shed = Shed::default();
        self.lanes.iter().for_each(|lane| shed.add(lane.shed()));
        shed
    }

    /// How much all open runs are: how many, and about how many bytes.
    pub(crate) fn size(&self) -> Size {
        self.size
    }

    /// Takes an event. It is handled when time comes to it: at once, where no event before it can come and none waits.
    ///
    /// # Errors
    /// As [`Shard::advance`].
    pub(crate) fn push(&mut self, event: Routed<E>, out: &mut Outputs<E>) -> Result<(), Error> {
        if event.incoming.time() <= event.through && self.held.is_empty() {
            self.close_windows(event.incoming.time(), out);
            return self.step(event, out);
        }
        self.hold(event);
        Ok(())
    }

    /// As [`Shard::push`] for one after the other, but faster.
    ///
    /// # Errors
    /// As [`Shard::advance`]. The events behind the one that reached the limit are lost.
    pub(crate) fn push_all(&mut self, events: &mut Vec<Routed<E>>, out: &mut Outputs<E>) -> Result<(), Error> {
        if self.held.is_empty() && events.iter().all(|event| event.incoming.time() <= event.through) {
            return self.step_all(events, out);
        }
        events.drain(..).for_each(|event| self.hold(event));
        Ok(())
    }

    /// Takes an event, to be handled when time comes to it.
    pub(crate) fn hold(&mut self, event: Routed<E>) {
        self.held.push(event.incoming.time(), event.incoming.position(), event);
    }

    /// Moves event time: handles the events up to `through` in their order, and closes the windows that end up to then.
    ///
    /// # Errors
    /// If a limit is reached, and the shard is to stop there.
    pub(crate) fn advance(&mut self, through: Timestamp, out: &mut Outputs<E>) -> Result<(), Error> {
        let mut batch = std::mem::take(&mut self.batch);
        while let Some(event) = self.held.pop(through) {
            batch.push(event);
            if batch.len() == LOOK_AHEAD {
                self.step_all(&mut batch, out)?;
            }
        }
        self.step_all(&mut batch, out)?;
        self.batch = batch;
        self.close_windows(through, out);
        if !self.closed_by_key.is_empty() {
            self.close_each_key(through, out);
        }
        self.outlet.pass(through);
        Ok(())
    }

    /// A time by which some of what is open will have ended, and not all, if there is much and the steps in which time goes on make
    /// no difference; else the end of time.
    pub(crate) fn some_end(&self) -> Timestamp {
        self.windows.some_end()
    }

    /// Where windows are closed by key, closes those that end up to then.
    fn close_each_key(&mut self, through: Timestamp, out: &mut Outputs<E>) {
        let (matches, timeouts) = (out.matches.len(), out.timeouts.len());
        for index in 0..self.closed_by_key.len() {
            let lane = self.closed_by_key[index];
            while let Some(place) = self.windows.pop_of(lane, through) {
                self.close_lane(lane, place, through, out);
            }
        }
        self.outlet.give(matches, timeouts, out);
    }

    /// Handles events whose time has come.
    fn step_all(&mut self, events: &mut Vec<Routed<E>>, out: &mut Outputs<E>) -> Result<(), Error> {
        let mut events = events.drain(..);
        while !events.as_slice().is_empty() {
            let ahead = events.as_slice();
            self.read_ahead(&ahead[..ahead.len().min(LOOK_AHEAD)]);
            for event in events.by_ref().take(LOOK_AHEAD) {
                self.close_windows(event.incoming.time(), out);
                self.step(event, out)?;
            }
        }
        Ok(())
    }

    /// Reads a little of what these events will need, so that they need not wait for the memory one after the other.
    fn read_ahead(&self, batch: &[Routed<E>]) {
        let [table] = &self.tables[..] else { return };
        if batch.len() < 2 || !table.is_large() {
            return;
        }
        let hashes: SmallVec<[u64; LOOK_AHEAD]> = batch.iter().filter_map(|event| event.hash).collect();
        std::hint::black_box(table.touch(&hashes));
    }

    fn step(&mut self, event: Routed<E>, out: &mut Outputs<E>) -> Result<(), Error> {
        let Routed { incoming, mut classes, mut hash, .. } = event;
        if !self.closed_by_key.is_empty() {
            self.close_by_key(&incoming, classes, out);
        }
        let (matches, timeouts) = (out.matches.len(), out.timeouts.len());
        while classes != 0 {
            let class = classes.trailing_zeros() as usize;
            classes &= classes - 1;
            self.step_class(class, &incoming, hash.take(), out)?;
        }
        self.give(matches, timeouts, out);
        Ok(())
    }

    /// Lets out what came out together, from these places on.
    #[inline]
    fn give(&mut self, matches: usize, timeouts: usize, out: &mut Outputs<E>) {
        if out.matches.len() > matches || out.timeouts.len() > timeouts {
            self.outlet.give(matches, timeouts, out);
        }
    }

    /// Where windows are closed by key, closes those of the event's keys that are over with it. What comes out of that comes
    /// out before what the event completes.
    fn close_by_key(&mut self, incoming: &Incoming<E>, classes: u64, out: &mut Outputs<E>) {
        let keys = self.classes.clone();
        let (matches, timeouts) = (out.matches.len(), out.timeouts.len());
        for lane in 0..self.closed_by_key.len() {
            let lane = self.closed_by_key[lane];
            let class = self.class_of[lane];
            let table = &self.tables[class];
            let find = || keys.with_key(class, incoming.event(), incoming.ways(), |key| table.find(key_hash(key), key));
            if classes >> class & 1 == 1
                && let Ok(Some(place)) = find()
            {
                self.close_lane(lane, place, incoming.time(), out);
            }
        }
        self.outlet.give(matches, timeouts, out);
    }

    fn step_class(
        &mut self,
        class: usize,
        incoming: &Incoming<E>,
        hash: Option<u64>,
        out: &mut Outputs<E>,
    ) -> Result<(), Error> {
        self.find_concerned(class, incoming);
        if self.concerned.is_empty() {
            return Ok(());
        }
        let Shard { classes, lanes, tables, asked, concerned, conditions, size, names, windows, .. } = self;
        let table = &mut tables[class];
        let stepped = classes.with_key(class, incoming.event(), incoming.ways(), |key| {
            let hash = hash.unwrap_or_else(|| key_hash(key));
            let mut arrival = Arrival { incoming, key, hash, place: table.find(hash, key), out };
            for Concern { number, asked: of_lane, begins } in concerned.iter() {
                let number = *number;
                if !begins && !table.has(arrival.place, number) {
                    continue;
                }
                let lane = &mut lanes[number as usize];
                if !of_lane.is_empty() && !lane.concerns(incoming, &asked[of_lane.clone()], conditions) {
                    continue;
                }
                let stepped = table.step(number, lane, &mut arrival, size);
                let end = stepped.map_err(|reached| Lane::full(&names[number as usize], key, reached))?;
                if let (Some(deadline), Some(place)) = (end, arrival.place) {
                    windows.push(number, deadline, place);
                }
            }
            Ok(())
        });
        // The intake has seen that it has a key.
        stepped.unwrap_or(Ok(())).map_err(|full| Kind::Full(full).into())
    }

    /// The lanes of a class that an event may concern. Those of which all is known are not looked at.
    fn find_concerned(&mut self, class: usize, incoming: &Incoming<E>) {
        let Shard { lanes, interests, asked, concerned, conditions, .. } = self;
        concerned.clear();
        let found = interests[class].find(incoming.event(), asked);
        let mut end = 0;
        for asked in found.chunk_by(|asked, next| asked.program == next.program) {
            let (number, start) = (asked[0].program, end);
            end += asked.len();
            if asked.iter().all(Asked::is_sure) {
                let begins = asked.iter().any(|asked| asked.begins);
                concerned.push(Concern { number, asked: start..end, begins });
            } else if lanes[number as usize].concerns(incoming, asked, conditions) {
                concerned.push(Concern { number, asked: 0..0, begins: true });
            }
        }
    }

    /// Closes the windows that end up to then, in the order of their ends.
    #[inline]
    fn close_windows(&mut self, through: Timestamp, out: &mut Outputs<E>) {
        if self.windows.is_due(through) {
            self.close_due(through, out);
        }
    }

    fn close_due(&mut self, through: Timestamp, out: &mut Outputs<E>) {
        let (matches, timeouts) = (out.matches.len(), out.timeouts.len());
        while self.windows.is_due(through) {
            self.read_ends_ahead();
            match self.windows.pop(through) {
                Some(WindowEnd { deadline, place, of: Of::Class(class, within) }) => {
                    let Shard { tables, lanes, size, .. } = self;
                    tables[class].close(place, within, deadline, lanes, size, out);
                }
                Some(WindowEnd { deadline, place, of: Of::Lane(lane) }) => self.close_lane(lane, place, deadline, out),
                None => {}
            }
        }
        self.give(matches, timeouts, out);
    }

    /// Closes the windows of a lane that end up to `now`, of the key at a place.
    fn close_lane(&mut self, number: usize, place: u32, now: Timestamp, out: &mut Outputs<E>) {
        let Shard { tables, lanes, class_of, size, windows, .. } = self;
        let table = &mut tables[class_of[number]];
        if let Some(deadline) = table.close_in(place, number as u32, &mut lanes[number], now, size, out) {
            windows.push(number as u32, deadline, place);
        }
    }

    /// Reads a little of what the next window ends will need, where that was not done.
    fn read_ends_ahead(&mut self) {
        if self.ends_touched > 0 {
            self.ends_touched -= 1;
            return;
        }
        let Some(Ahead { class, within, last, places }) = self.windows.ahead() else { return };
        let places = &places[..places.len().min(LOOK_AHEAD)];
        std::hint::black_box(self.tables[class].touch_ending(places, within, last));
        self.ends_touched = places.len();
    }

    /// The open runs: of which lane, and of which key.
    pub(crate) fn open(&self) -> impl Iterator<Item = (usize, &Key, &Runs<E>)> {
        self.tables.iter().flat_map(KeyTable::open).map(|(key, _, lane, runs)| (lane as usize, key, runs))
    }

    /// Where the open runs of each pattern wait. Looks at all of them.
    pub(crate) fn places(&mut self) -> impl Iterator<Item = Place> {
        let Shard { lanes, tables, .. } = self;
        let mut places: Vec<Places> = lanes.iter().map(|_| Places::default()).collect();
        for (_, _, lane, runs) in tables.iter().flat_map(KeyTable::open) {
            lanes[lane as usize].count_places(runs, &mut places[lane as usize]);
        }
        lanes.iter().zip(places).flat_map(|(lane, places)| places.of(lane.pattern()))
    }

    /// The open runs of a key of a pattern at `now`, as far as they are asked for. None if the pattern is of another level.
    pub(crate) fn runs_of(
        &mut self,
        pattern: usize,
        key: &[Value<'_>],
        now: Timestamp,
        most: Most,
    ) -> Option<OpenRuns<E>> {
        let Shard { lanes, tables, class_of, .. } = self;
        let index = lanes.iter().position(|lane| lane.pattern() == pattern)?;
        let found = tables[class_of[index]].runs_of(index as u32, key);
        Some(found.map_or_else(OpenRuns::default, |(key, runs)| lanes[index].runs_of(key, runs, now, most)))
    }

    /// Takes over the runs of a key from a snapshot; their windows must follow.
    pub(crate) fn restore(&mut self, lane: usize, key: Key, runs: Runs<E>) {
        if !runs.is_empty() {
            self.lanes[lane].restore(&runs);
            self.tables[self.class_of[lane]].restore(key, lane as u32, runs);
        }
    }

    /// Finds the ends of all windows again, after a restore.
    pub(crate) fn restore_windows(&mut self) {
        self.size = self.lanes.iter().map(Lane::size).fold(Size::default(), Size::add);
        self.tables.iter_mut().for_each(KeyTable::sort);
        let mut ends: Vec<(Timestamp, u32, u32)> = Vec::new();
        for (_, place, lane, runs) in self.tables.iter().flat_map(KeyTable::open) {
            self.lanes[lane as usize].find_ends(runs, |deadline| ends.push((deadline, place, lane)));
        }
        ends.sort_unstable();
        ends.dedup();
        ends.into_iter().for_each(|(deadline, place, lane)| self.windows.push(lane, deadline, place));
    }
}
