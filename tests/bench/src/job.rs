//! What the command does between its files, in memory.

use std::sync::Arc;

use ensue::lang::{Options, Source, compile};
use ensue::model::StreamId;
use ensue::{Config, Error, Outputs, Patterns, Row, Schema, Sharded, Type, Watermarks};
use ensue_io::{Csv, Decoder, Envelope, Records, RowFormat, TimeField, TimeFormat};

use crate::orders;

/// Patterns over bytes.
#[derive(Debug)]
pub struct Job {
    records: Records,
    decoder: Decoder,
    engine: Sharded<Row>,
    envelope: Envelope,
    out: Outputs<Row>,
}

/// The columns of W1, W1b and W5.
pub const ORDER_COLUMNS: [&str; 4] = ["order_id", "type", "tx_id", "seconds"];

impl Job {
    /// W1 as the command runs it: a CSV with these columns, whose types are not known.
    ///
    /// # Errors
    /// If a limit is too low for the pattern.
    pub fn of_orders(watermarks: Watermarks) -> Result<Self, Error> {
        let schema = ORDER_COLUMNS.iter().fold(Schema::open(), |schema, column| schema.nullable(column, Type::Any));
        let options = Options {
            schema: Schema { closed: true, ..schema },
            key: vec!["order_id".to_owned()],
            type_field: Some("type".to_owned()),
            parameters: vec![],
            ..Options::default()
        };
        let format = RowFormat::Csv(Csv::new(&ORDER_COLUMNS));
        let time = TimeField { name: "seconds".to_owned(), format: TimeFormat::Seconds };
        let patterns = checked("order_payment", orders::PATTERN, &options);
        Job::new(&patterns, Config { watermarks, ..Config::default() }, format, &time)
    }

    /// W4: JSON lines, of which nothing is known.
    ///
    /// # Errors
    /// If a limit is too low for the patterns.
    pub fn of_alerts(patterns: &Arc<Patterns>, timeouts: bool) -> Result<Self, Error> {
        let time = TimeField { name: "ts".to_owned(), format: TimeFormat::Millis };
        let config = Config { watermarks: Watermarks::Ascending, timeouts, ..Config::default() };
        Job::new(patterns, config, RowFormat::JsonLines, &time)
    }

    fn new(patterns: &Arc<Patterns>, config: Config, format: RowFormat, time: &TimeField) -> Result<Self, Error> {
        Ok(Job {
            records: Records::new(&format),
            decoder: Decoder::new(patterns, StreamId(0), &format, time)
                .expect("the format has the fields: both are written here"),
            engine: Sharded::new(patterns, config, 1)?,
            envelope: Envelope::new(patterns, &[(StreamId(0), format)]),
            out: Outputs::new(),
        })
    }

    /// Takes bytes. What comes out is given to `take` and then forgotten.
    ///
    /// # Errors
    /// If a limit is reached.
    ///
    /// # Panics
    /// If a line is no event.
    pub fn feed(&mut self, bytes: &[u8], mut take: impl FnMut(&Envelope, &Outputs<Row>)) -> Result<(), Error> {
        self.records.feed(bytes);
        while let Some(record) = self.records.next() {
            let row = record.and_then(|record| self.decoder.decode(&record)).expect("a workload's lines are events");
            self.engine.push(row, &mut self.out)?;
            self.give(&mut take);
        }
        Ok(())
    }

    /// Ends the input.
    ///
    /// # Errors
    /// If a limit is reached.
    pub fn finish(&mut self, mut take: impl FnMut(&Envelope, &Outputs<Row>)) -> Result<(), Error> {
        self.engine.finish(&mut self.out)?;
        self.give(&mut take);
        Ok(())
    }

    fn give(&mut self, take: &mut impl FnMut(&Envelope, &Outputs<Row>)) {
        if !self.out.is_empty() {
            take(&self.envelope, &self.out);
            self.out.matches.clear();
            self.out.timeouts.clear();
        }
    }
}

/// A pattern of a workload, checked.
///
/// # Panics
/// If something is wrong with it.
pub fn checked(name: &str, text: &str, options: &Options) -> Arc<Patterns> {
    let source = Source::new(name, text);
    match compile(&[source], options) {
        Ok(compiled) => Arc::new(compiled.patterns),
        Err(diagnostics) => panic!("a workload's pattern is wrong:\n{diagnostics}"),
    }
}
