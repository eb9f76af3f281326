//! What a condition sees: the event under test, and the events that one run has taken.

use ensue_model::aggregate::Accumulator;
use ensue_model::eval::{Scope, eval};
use ensue_model::expr::{Ask, Lookback, LookbackId, Pick};
use ensue_model::pattern::{Anchor, StageId, StepWindow, WindowSpan};
use ensue_model::{Event, Expr, Fault, FieldId, Pattern, StreamId, Tables, Timestamp, Value};

use super::Item;
use super::automaton::Condition;

/// An event that a stage of a run has taken.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(super) struct Taken {
    pub(super) stage: StageId,
    /// Its position in the input.
    pub(super) position: usize,
    pub(super) time: Timestamp,
    /// Which of the events of its key it is, from 1.
    pub(super) number: u64,
}

impl Taken {
    /// Where the event stands among those of its key: by event time, then order of arrival.
    pub(super) fn order(&self) -> (Timestamp, usize) {
        (self.time, self.position)
    }
}

/// How many events of a key have come, and when the latest did.
#[derive(Clone, Copy, Debug)]
pub(super) struct Count {
    pub(super) events: u64,
    pub(super) latest: Timestamp,
}

/// What was over before the latest event came is over at the beginning of time.
const OVER: Timestamp = Timestamp::MIN;

impl Count {
    /// Before the first event.
    pub(super) const NONE: Count = Count { events: 0, latest: OVER };

    /// When a window is over that holds so many events behind one: as the first comes that is too far.
    pub(super) fn end(&self, anchor: u64, most: u64) -> Option<Timestamp> {
        match self.events - anchor {
            behind if behind <= most => None,
            behind if behind == most + 1 => Some(self.latest),
            _ => Some(OVER),
        }
    }

    /// The time at which something comes out that is over then.
    pub(super) fn comes_out(&self, end: Timestamp) -> Timestamp {
        if end == OVER { self.latest } else { end }
    }
}

/// What a run has taken, of a key of which so many events have come.
#[derive(Clone, Copy, Debug)]
pub(super) struct Holding<'a> {
    pub(super) taken: &'a [Taken],
    pub(super) count: Count,
}

impl Holding<'_> {
    /// When a step's window is over; never if nothing of its anchor was taken, and not known before if it counts events.
    pub(super) fn end(&self, window: &StepWindow) -> Option<Timestamp> {
        let anchor = match window.anchor {
            Anchor::Previous => self.taken.last(),
            Anchor::Stage(stage) => self.taken.iter().rfind(|taken| taken.stage == stage),
        }?;
        match window.span {
            WindowSpan::Time(span) => Some(anchor.time + span),
            WindowSpan::Events(most) => self.count.end(anchor.number, most.get().into()),
        }
    }
}

/// One event under test, against one run.
pub(super) struct Moment<'a, E> {
    pub(super) pattern: &'a Pattern,
    pub(super) tables: &'a Tables,
    pub(super) input: &'a [Item<E>],
    pub(super) event: &'a E,
    /// The ways by which the event has come to the key.
    pub(super) ways: &'a [u8],
    pub(super) key: &'a [Value<'static>],
    /// The events of the key that have come, with this one.
    pub(super) count: Count,
    pub(super) taken: &'a [Taken],
}

impl<E: Event> Moment<'_, E> {
    /// The same event against another run.
    pub(super) fn against<'b>(&'b self, taken: &'b [Taken]) -> Moment<'b, E> {
        Moment { taken, ..*self }
    }

    /// What the run has taken.
    pub(super) fn holding(&self) -> Holding<'_> {
        Holding { taken: self.taken, count: self.count }
    }

    /// The event's time.
    pub(super) fn now(&self) -> Timestamp {
        self.event.time()
    }

    /// Whether the condition holds. Null does not, and so its negation does.
    pub(super) fn meets(&self, condition: &Condition<'_>) -> bool {
        match condition {
            Condition::Holds(expr) => eval(expr, self).holds(),
            Condition::InTime(window) => self.holding().end(window).is_none_or(|end| self.now() < end),
            Condition::Not(condition) => !self.meets(condition),
            Condition::All(conditions) => conditions.iter().all(|condition| self.meets(condition)),
        }
    }

    /// The events that the run has taken for a stage, in order.
    fn of(&self, stage: StageId) -> Vec<&E> {
        let of_stage = self.taken.iter().filter(|taken| taken.stage == stage);
        of_stage.map(|taken| self.event_at(taken.position)).collect()
    }

    fn event_at(&self, position: usize) -> &E {
        match &self.input[position] {
            Item::Event(event) => event,
            Item::Watermark(_) => unreachable!("a run takes events only"),
        }
    }

    /// The expression over one event that was taken.
    fn over(&self, expr: &Expr, event: &E) -> Value<'static> {
        let moment = Moment { event, taken: &[], ..*self };
        eval(expr, &moment).into_owned()
    }
}

impl<E: Event> Scope for Moment<'_, E> {
    fn field(&self, field: FieldId) -> Value<'_> {
        self.event.field(field)
    }

    fn time(&self) -> Timestamp {
        self.event.time()
    }

    fn stream(&self) -> StreamId {
        self.event.stream()
    }

    fn is_keyed_by(&self, way: u8) -> bool {
        self.ways.contains(&way)
    }

    fn tables(&self) -> &Tables {
        self.tables
    }

    fn key(&self, part: u16) -> Value<'_> {
        self.key.get(usize::from(part)).map_or(Value::Null, Value::borrowed)
    }

    fn lookback(&self, lookback: LookbackId) -> Value<'_> {
        let Lookback { stage, ask } = &self.pattern.lookbacks[usize::from(lookback.0)];
        let events = self.of(*stage);
        match ask {
            Ask::Pick(pick, expr) => picked(*pick, &events).map_or(Value::Null, |event| self.over(expr, event)),
            Ask::Aggregate(aggregate, expr) => {
                let mut accumulator = Accumulator::new(*aggregate);
                for event in events {
                    accumulator.add(self.over(expr, event), &mut |_| {});
                }
                accumulator.value()
            }
        }
    }

    /// The reference counts no faults.
    fn fault(&self, _: Fault) {}
}

fn picked<'a, E>(pick: Pick, events: &[&'a E]) -> Option<&'a E> {
    match pick {
        Pick::First => events.first().copied(),
        Pick::Last => events.last().copied(),
        Pick::At(index) if index >= 0 => events.get(usize::try_from(index).ok()?).copied(),
        Pick::At(index) => {
            let from_end = usize::try_from(index.unsigned_abs()).ok()?;
            events.len().checked_sub(from_end).map(|index| events[index])
        }
    }
}
