//! What of a job depends on its patterns. It is made from their texts as one, and replaced as one when these change.

use std::sync::Arc;

use ensue_io::{Decoder, Envelope, Layout, RowFormat, TimeFormat};
use ensue_lang::{Diagnostics, Options, Source};
use ensue_model::table::{Table, TableId};
use ensue_model::{Patterns, StreamId};

use crate::job::binding::{self, Bound};
use crate::job::{JobError, OfOne, Outputs, Routes, TableFile};
use crate::lines::Encoder;

/// What of a job does not depend on its patterns, as far as plans are made from it.
pub(crate) struct Planner {
    pub(crate) options: Options,
    pub(crate) feeds: Vec<Feed>,
    pub(crate) outputs: Outputs,
    /// The names of the sinks.
    pub(crate) sinks: Vec<String>,
    pub(crate) tables: Vec<TableFile>,
}

/// A source, as far as plans are made from it.
#[derive(Clone, Debug)]
pub(crate) struct Feed {
    pub(crate) name: String,
    /// The stream that it feeds, where that is said.
    pub(crate) stream: Option<String>,
    pub(crate) rows: RowFormat,
    /// The field of the event time, where that is said.
    pub(crate) time: Option<String>,
    pub(crate) time_format: TimeFormat,
}

/// What depends on the patterns.
#[derive(Debug)]
pub(crate) struct Plan {
    /// The texts of the patterns.
    pub(crate) texts: Vec<Source>,
    pub(crate) patterns: Arc<Patterns>,
    /// What rows hold.
    pub(crate) layout: Layout,
    /// For each source the stream that it feeds.
    pub(crate) streams: Vec<StreamId>,
    /// For each source what decodes its records.
    pub(crate) decoders: Vec<Arc<Decoder>>,
    /// For each source its stream, and how its rows are written.
    formats: Vec<(StreamId, RowFormat)>,
    /// Which sinks take what comes out.
    pub(crate) routes: Routes,
    /// The rows of the tables.
    pub(crate) tables: Vec<(TableId, Arc<Table>)>,
}

impl Feed {
    fn bound(&self) -> Bound<'_> {
        Bound { name: &self.name, stream: self.stream.as_deref(), rows: &self.rows }
    }

    fn decoder(&self, stream: StreamId, patterns: &Patterns) -> Result<Arc<Decoder>, JobError> {
        let time = binding::time_field(&self.bound(), self.time.as_deref(), self.time_format, stream, patterns);
        let time = time.map_err(JobError::config)?;
        let decoder = Decoder::new(patterns, stream, &self.rows, &time);
        let decoder = decoder.map_err(|error| JobError::config(format!("source `{}`: {error}", self.name)))?;
        Ok(Arc::new(decoder))
    }
}

impl Planner {
    /// The plan for patterns of these texts, and what is odd about them.
    ///
    /// # Errors
    /// If they do not compile, or do not fit the sources, the sinks or the tables.
    pub(crate) fn plan(&self, texts: Vec<Source>) -> Result<(Plan, Diagnostics), JobError> {
        let bound: Vec<Bound<'_>> = self.feeds.iter().map(Feed::bound).collect();
        let compiled = ensue_lang::compile(&texts, &binding::options(&bound, &self.options));
        let compiled = compiled.map_err(JobError::patterns)?;
        let patterns = Arc::new(compiled.patterns);
        let streams = binding::streams_of(&bound, &patterns).map_err(JobError::config)?;
        binding::check_fields(&bound, &streams, &patterns).map_err(JobError::config)?;
        let decoders = self.feeds.iter().zip(&streams).map(|(feed, stream)| feed.decoder(*stream, &patterns));
        let formats = streams.iter().copied().zip(self.feeds.iter().map(|feed| feed.rows.clone()));
        let plan = Plan {
            texts,
            layout: Layout::of(&patterns),
            decoders: decoders.collect::<Result<_, _>>()?,
            formats: formats.collect(),
            routes: self.routes(&patterns)?,
            tables: self.tables(&patterns)?,
            streams,
            patterns,
        };
        Ok((plan, compiled.warnings))
    }

    /// The rows of the tables that the patterns declare.
    fn tables(&self, patterns: &Patterns) -> Result<Vec<(TableId, Arc<Table>)>, JobError> {
        let read = |file: &TableFile| file.read(patterns).map(|(table, rows)| (table, Arc::new(rows)));
        self.tables.iter().map(read).collect::<Result<_, _>>().map_err(JobError::config)
    }

    /// The places of the sinks that take what.
    fn routes(&self, patterns: &Patterns) -> Result<Routes, JobError> {
        let Outputs { matches, timeouts, late, rejected, patterns: own } = &self.outputs;
        let is_there = |name: &str| patterns.patterns.iter().any(|pattern| pattern.name == name);
        if let Some((name, _)) = own.iter().find(|(name, _)| !is_there(name)) {
            return Err(JobError::config(format!("outputs are said for `{name}`, and there is no such pattern")));
        }
        let mut routes = Routes { late: self.places(late)?, rejected: self.places(rejected)?, ..Routes::default() };
        for pattern in &patterns.patterns {
            let own = own.iter().find(|(of, _)| *of == pattern.name).map(|(_, own)| own);
            let or_all = |said: fn(&OfOne) -> &Option<Vec<String>>, all: &[String]| {
                self.places(own.and_then(|own| said(own).as_deref()).unwrap_or(all))
            };
            routes.matches.push(or_all(|own| &own.matches, matches)?);
            routes.timeouts.push(or_all(|own| &own.timeouts, timeouts)?);
        }
        Ok(routes)
    }

    fn places(&self, names: &[String]) -> Result<Vec<usize>, JobError> {
        let place = |name: &String| {
            let place = self.sinks.iter().position(|sink| sink == name);
            place.ok_or_else(|| JobError::config(format!("there is no sink `{name}`")))
        };
        names.iter().map(place).collect()
    }
}

impl Plan {
    /// Writes what comes out.
    pub(crate) fn envelope(&self) -> Envelope {
        Envelope::new(&self.patterns, &self.formats)
    }

    /// Writes what comes out on the shards.
    pub(crate) fn encoder(&self) -> Encoder {
        Encoder::new(self.envelope(), self.routes.wanted())
    }

    /// For each source its stream, and what decodes its records.
    pub(crate) fn decoders(&self) -> impl Iterator<Item = (StreamId, &Decoder)> {
        self.streams.iter().copied().zip(self.decoders.iter().map(|decoder| &**decoder))
    }
}
