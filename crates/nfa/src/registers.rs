//! Registers: what later conditions may still ask of the events that a run has taken, kept up to date as it takes them,
//! so that no condition walks over a run's events.

use std::cell::Cell;
use std::collections::VecDeque;

use ensue_model::aggregate::Accumulator;
use ensue_model::eval::{Fault, OfEvent, Scope, eval};
use ensue_model::expr::{Ask, LookbackId, Pick};
use ensue_model::key::key_part;
use ensue_model::pattern::{StageId, WindowSpan};
use ensue_model::{Event, FieldId, StreamId, Tables, Timestamp, Value};
use serde::{Deserialize, Serialize};

use crate::count::Count;
use crate::incoming::Incoming;
use crate::program::{Asked, Kept, Program, Window};

/// The value of one lookback for the runs of a group.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub(crate) enum Register {
    /// No condition ahead asks for it: runs do not differ by it.
    Dead,
    /// The first or the last event's.
    Value(Value<'static>, bool),
    /// The event's after so many more.
    After(u64, Value<'static>),
    /// The last ones', the oldest first.
    Tail(VecDeque<Value<'static>>),
    /// An aggregate.
    Fold(Accumulator),
    /// The number of the last event among those of its key; none if there is none yet.
    Number(Option<u64>),
}

/// The registers of a group; none where the pattern looks at nothing back.
pub(crate) type Registers = Option<Box<[Register]>>;

/// The registers of a run that has taken nothing.
pub(crate) fn empty(kept: &[Kept]) -> Registers {
    (!kept.is_empty()).then(|| kept.iter().map(Register::empty).collect())
}

/// The registers after a stage has taken an event.
pub(crate) fn after<E: Event>(
    registers: &Registers,
    kept: &[Kept],
    live: &[bool],
    stage: StageId,
    scope: &OfEvent<'_, E>,
    count: &Count,
) -> Registers {
    let registers = registers.as_ref()?;
    let next = registers.iter().zip(kept).zip(live).map(|((register, kept), is_live)| {
        if !is_live {
            Register::Dead
        } else if kept.stage.is_none_or(|of| of == stage) {
            register.clone().with(&kept.asked, scope, count)
        } else {
            register.clone()
        }
    });
    Some(next.collect())
}

/// The registers where nothing was taken, without those that no condition ahead asks for.
pub(crate) fn trimmed(registers: Registers, live: &[bool]) -> Registers {
    let mut registers = registers?;
    for (register, is_live) in registers.iter_mut().zip(live) {
        if !is_live {
            *register = Register::Dead;
        }
    }
    Some(registers)
}

/// When a window closes for runs with these registers; none if its anchor has taken nothing. One in events has no end before it
/// has come.
pub(crate) fn window_end(registers: &Registers, window: &Window, count: &Count) -> Option<Timestamp> {
    end_of(registers, window.since, window.span, count)
}

/// Whether the event at hand, which is the latest that was counted, lies in a window.
pub(crate) fn is_in_window(
    registers: &Registers,
    since: LookbackId,
    span: WindowSpan,
    at: Timestamp,
    count: &Count,
) -> bool {
    end_of(registers, since, span, count).is_none_or(|end| at < end)
}

fn end_of(registers: &Registers, since: LookbackId, span: WindowSpan, count: &Count) -> Option<Timestamp> {
    match (&registers.as_ref()?[usize::from(since.0)], span) {
        (Register::Value(Value::Timestamp(since), _), WindowSpan::Time(span)) => Some(*since + span),
        (Register::Number(Some(since)), WindowSpan::Events(most)) => count.end_of_step(*since, most),
        _ => None,
    }
}

impl Register {
    fn empty(kept: &Kept) -> Register {
        match &kept.asked {
            Asked::Value(Ask::Pick(Pick::First | Pick::Last, _)) => Register::Value(Value::Null, false),
            Asked::Value(Ask::Pick(Pick::At(index), _)) => match u64::try_from(*index) {
                Ok(after) => Register::After(after, Value::Null),
                Err(_) => Register::Tail(VecDeque::new()),
            },
            Asked::Value(Ask::Aggregate(aggregate, _)) => Register::Fold(Accumulator::new(*aggregate)),
            Asked::Number => Register::Number(None),
        }
    }

    /// The register with one more event.
    fn with<E: Event>(self, asked: &Asked, scope: &OfEvent<'_, E>, count: &Count) -> Register {
        match (self, asked) {
            (Register::Dead, Asked::Number) => Register::Dead,
            (_, Asked::Number) => Register::Number(Some(count.number())),
            (register, Asked::Value(ask)) => register.with_value(ask, scope),
        }
    }

    fn with_value<E: Event>(self, ask: &Ask, scope: &OfEvent<'_, E>) -> Register {
        match (self, ask) {
            (Register::Dead, _) => Register::Dead,
            // `a[1]` is found once, too; the last events are those of a tail.
            (Register::Value(value, true), Ask::Pick(Pick::First | Pick::At(_), _)) => Register::Value(value, true),
            (Register::Value(..), Ask::Pick(_, expr)) => Register::Value(eval(expr, scope).into_owned(), true),
            (Register::After(0, _), Ask::Pick(_, expr)) => Register::Value(eval(expr, scope).into_owned(), true),
            (Register::After(after, value), _) => Register::After(after - 1, value),
            (Register::Tail(mut values), Ask::Pick(Pick::At(index), expr)) => {
                if values.len() as u64 == index.unsigned_abs() {
                    values.pop_front();
                }
                values.push_back(eval(expr, scope).into_owned());
                Register::Tail(values)
            }
            (Register::Fold(mut accumulator), Ask::Aggregate(_, expr)) => {
                accumulator.add(eval(expr, scope), &mut |fault| scope.fault(fault));
                Register::Fold(accumulator)
            }
            (register @ (Register::Value(..) | Register::Tail(_) | Register::Fold(_) | Register::Number(_)), _) => {
                register
            }
        }
    }

    fn value(&self, asked: &Asked) -> Value<'_> {
        match (self, asked) {
            (Register::Value(value, _), _) => value.borrowed(),
            (Register::Tail(values), Asked::Value(Ask::Pick(Pick::At(index), _)))
                if values.len() as u64 == index.unsigned_abs() =>
            {
                values[0].borrowed()
            }
            (Register::Fold(accumulator), _) => accumulator.value(),
            (Register::Dead | Register::After(..) | Register::Tail(_) | Register::Number(_), _) => Value::Null,
        }
    }
}

/// What a condition sees: the event under test with its key, and the registers of a group.
pub(crate) struct UnderTest<'s, E> {
    pub(crate) incoming: &'s Incoming<E>,
    pub(crate) program: &'s Program,
    pub(crate) registers: &'s Registers,
    pub(crate) faults: &'s Cell<u64>,
    pub(crate) tables: &'s Tables,
}

impl<E: Event> Scope for UnderTest<'_, E> {
    fn field(&self, field: FieldId) -> Value<'_> {
        self.incoming.event().field(field)
    }

    fn time(&self) -> Timestamp {
        self.incoming.time()
    }

    fn stream(&self) -> StreamId {
        self.incoming.event().stream()
    }

    fn is_keyed_by(&self, way: u8) -> bool {
        self.incoming.is_keyed_by(way)
    }

    fn tables(&self) -> &Tables {
        self.tables
    }

    fn key(&self, part: u16) -> Value<'_> {
        let event = self.incoming.event();
        let mut ways = self.program.key.ways_of(event.stream());
        let way = ways.find(|(way, _)| self.incoming.is_keyed_by(*way));
        way.map_or(Value::Null, |(_, way)| key_part(&way.parts[usize::from(part)], event, self.faults))
    }

    fn lookback(&self, lookback: LookbackId) -> Value<'_> {
        let index = usize::from(lookback.0);
        match self.registers {
            Some(registers) => registers[index].value(&self.program.kept[index].asked),
            None => Value::Null,
        }
    }

    fn fault(&self, _: Fault) {
        self.faults.set(self.faults.get() + 1);
    }
}
