//! Events as the rows that an engine takes, and what they look like.

use ensue::{Row, Schema, Timestamp, Type};

use crate::orders::Order;
use crate::signal::Signal;

/// An event that a program has as a row already.
pub trait AsRow {
    /// The row, with a value for each field of the schema.
    fn row(&self) -> Row;
}

/// W1 and W5 from a program.
pub fn orders() -> Schema {
    Schema::stream("orders").field("order_id", Type::Int).field("type", Type::String).key("order_id").type_field("type")
}

impl AsRow for Order {
    fn row(&self) -> Row {
        let kind = if self.payment.is_some() { "pay" } else { "create" };
        Row::new(Timestamp::from_seconds(self.seconds), vec![i64::from(self.order_id).into(), kind.into()])
    }
}

/// W2 and W3 from a program.
pub fn signals() -> Schema {
    Schema::stream("signals").field("type", Type::String).field("key", Type::Int).field("v", Type::Int)
}

impl AsRow for Signal {
    fn row(&self) -> Row {
        let values = vec![self.kind.into(), i64::from(self.key).into(), i64::from(self.value).into()];
        Row::new(Timestamp::from_millis(self.ms), values)
    }
}
