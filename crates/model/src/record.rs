//! `emit` and `timeout`: the record that an output comes out as.

use std::cell::Cell;

use crate::aggregate::Accumulator;
use crate::eval::{Fault, OfEvent, Scope, eval, position};
use crate::event::Event;
use crate::expr::{Ask, Expr, Lookback, LookbackId, Pick};
use crate::output::Partial;
use crate::schema::{FieldId, StreamId};
use crate::table::Tables;
use crate::time::Timestamp;
use crate::types::Type;
use crate::value::Value;

/// The values of a record, in the order of its entries.
pub type Values = Box<[Value<'static>]>;

/// What the matches, or the timeouts, of a pattern come out as.
#[derive(Clone, PartialEq, Debug)]
pub enum Emission {
    /// Their events.
    Events,
    /// A record.
    Record(Record),
    /// `none`: they do not come out.
    Nothing,
}

impl Emission {
    /// The record, if it is one.
    pub fn record(&self) -> Option<&Record> {
        match self {
            Emission::Events | Emission::Nothing => None,
            Emission::Record(record) => Some(record),
        }
    }
}

/// What a match or a timeout comes out as.
#[derive(Clone, PartialEq, Debug)]
pub struct Record {
    /// Its name, if it has one; then it is a stream that other patterns can read.
    pub name: Option<String>,
    /// The stream, where a pattern reads it: [`Entry::field`] then names the field of each entry.
    pub stream: Option<StreamId>,
    /// The values that it has.
    pub entries: Vec<Entry>,
    /// `where ..`: an output for which it does not hold does not come out.
    pub condition: Option<Expr>,
    /// What the entries and the condition ask of the events taken, each once.
    pub lookbacks: Vec<Lookback>,
}

/// A named value of a record.
#[derive(Clone, PartialEq, Debug)]
pub struct Entry {
    /// Its name.
    pub name: String,
    /// Its type.
    pub kind: Type,
    /// Its value, over a run; its lookbacks are the record's.
    pub value: Expr,
    /// The field that it is for the patterns that read the record.
    pub field: Option<FieldId>,
}

/// What a record is made of, besides the events.
#[derive(Clone, Copy, Debug)]
pub struct Occasion<'o> {
    /// Of a timeout: the names of the stages that the run was waiting for, and its deadline.
    pub timeout: Option<(&'o [&'o str], Timestamp)>,
    /// The reference data.
    pub tables: &'o Tables,
    /// Where evaluation errors are counted.
    pub faults: &'o Cell<u64>,
}

impl Record {
    /// The values of the record for a run; none if its condition does not hold.
    pub fn of<E: Event>(&self, run: &Partial<E>, occasion: Occasion<'_>) -> Option<Values> {
        let lookbacks = self.lookbacks.iter().map(|lookback| answer(lookback, run, occasion)).collect();
        let scope = OfRun { run, lookbacks, occasion };
        if let Some(condition) = &self.condition
            && !eval(condition, &scope).holds()
        {
            return None;
        }
        Some(self.entries.iter().map(|entry| eval(&entry.value, &scope).into_owned()).collect())
    }
}

/// What a run answers to a lookback.
fn answer<E: Event>(Lookback { stage, ask }: &Lookback, run: &Partial<E>, occasion: Occasion<'_>) -> Value<'static> {
    let Occasion { tables, faults, .. } = occasion;
    let mut events = run.of(*stage).map(|taken| OfEvent { event: &*taken.event, faults, tables });
    match ask {
        Ask::Pick(pick, expr) => {
            let event = match pick {
                Pick::First => events.next(),
                Pick::Last => events.last(),
                Pick::At(index) => position(*index, run.of(*stage).count()).and_then(|position| events.nth(position)),
            };
            event.map_or(Value::Null, |scope| eval(expr, &scope).into_owned())
        }
        Ask::Aggregate(aggregate, expr) => {
            let mut all = Accumulator::new(*aggregate);
            events.for_each(|scope| all.add(eval(expr, &scope), &mut |fault| scope.fault(fault)));
            all.value().into_owned()
        }
    }
}

/// The scope of a record's entries. No event is under test there.
struct OfRun<'r, E> {
    run: &'r Partial<E>,
    lookbacks: Vec<Value<'static>>,
    occasion: Occasion<'r>,
}

impl<E> Scope for OfRun<'_, E> {
    fn field(&self, _: FieldId) -> Value<'_> {
        Value::Null
    }

    fn time(&self) -> Timestamp {
        Timestamp::MIN
    }

    fn tables(&self) -> &Tables {
        self.occasion.tables
    }

    fn key(&self, part: u16) -> Value<'_> {
        self.run.key.get(usize::from(part)).map_or(Value::Null, Value::borrowed)
    }

    fn lookback(&self, lookback: LookbackId) -> Value<'_> {
        self.lookbacks[usize::from(lookback.0)].borrowed()
    }

    fn awaiting(&self) -> Value<'_> {
        let names = |names: &[&str]| Value::List(names.iter().map(|name| Value::from((*name).to_owned())).collect());
        self.occasion.timeout.map_or(Value::Null, |(awaiting, _)| names(awaiting))
    }

    fn deadline(&self) -> Value<'_> {
        self.occasion.timeout.map_or(Value::Null, |(_, deadline)| Value::Timestamp(deadline))
    }

    fn fault(&self, _: Fault) {
        self.occasion.faults.set(self.occasion.faults.get() + 1);
    }
}
