//! The page `/metrics`: what the meters say, in the text format of OpenMetrics, which Prometheus reads.

use std::fmt;
use std::sync::Arc;

use ensue_model::Timestamp;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric, text};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::metrics::{MetricType, TypedMetric};
use prometheus_client::registry::Registry;

use crate::job::http::figures::Figures;
use crate::job::meters::Meters;
use crate::job::plan::Plan;

/// What the page is, for who reads it.
pub(super) const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

const MICROS: f64 = 1e6;

/// The page. Without figures, and the patterns that they are of, what only the engine knows is left out.
pub(super) fn page(
    meters: &Arc<Meters>,
    figures: Option<(Arc<Plan>, Figures)>,
    now: Timestamp,
) -> Result<String, fmt::Error> {
    let mut registry = Registry::with_prefix("ensue");
    registry.register_collector(Box::new(Seen { meters: meters.clone(), figures, now }));
    let mut page = String::new();
    text::encode(&mut page, &registry)?;
    Ok(page)
}

/// What there is to be said at one moment.
#[derive(Debug)]
struct Seen {
    meters: Arc<Meters>,
    figures: Option<(Arc<Plan>, Figures)>,
    now: Timestamp,
}

impl Collector for Seen {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut page = Page { encoder };
        self.stream(&mut page)?;
        self.time(&mut page)?;
        self.checkpoints(&mut page)?;
        self.figures.as_ref().map_or(Ok(()), |(plan, figures)| self.engine(plan, figures, &mut page))
    }
}

impl Seen {
    /// What comes in and goes out.
    fn stream(&self, page: &mut Page<'_>) -> fmt::Result {
        let Meters { job, sources, sinks, late, rejected, latency, .. } = &*self.meters;
        let patterns = self.meters.patterns();
        page.gauges("job_info", "The job that this is", [(("name", &**job), 1.0)])?;
        let events = sources.iter().map(|source| (("source", &*source.name), source.events.get()));
        page.counters("events", "Events taken, since the job first began", events)?;
        let unreadable = sources.iter().map(|source| (("source", &*source.name), source.unreadable.get()));
        page.counters("unreadable_lines", "Lines that are no events, since this process began", unreadable)?;
        page.counter("rejected", "Lines and events rejected, since the job first began", rejected.get())?;
        page.counter("late_events", "Events that came too late, since the job first began", late.get())?;
        let matches = patterns.iter().map(|pattern| (("pattern", &*pattern.name), pattern.matches.get()));
        page.counters("matches", "Matches that came out, since the job first began", matches)?;
        let timeouts = patterns.iter().map(|pattern| (("pattern", &*pattern.name), pattern.timeouts.get()));
        page.counters("timeouts", "Timeouts that came out, since the job first began", timeouts)?;
        let refused = flag(self.meters.refused().is_some());
        page.gauge("patterns_refused", "Whether the pattern files say what cannot be taken up", refused)?;
        let retries = sources.iter().map(|source| (("source", &*source.name), source.trouble.retries.get()));
        page.counters("source_retries", "Times that a source was asked again after it failed", retries)?;
        let retries = sinks.iter().map(|sink| (("sink", &*sink.name), sink.trouble.retries.get()));
        page.counters("sink_retries", "Times that a sink was asked again after it failed", retries)?;
        let failing = sinks.iter().map(|sink| (("sink", &*sink.name), flag(sink.trouble.get().is_some())));
        page.gauges("sink_failing", "Whether a sink fails now", failing)?;
        let help = "Time from reading a batch of events until what they complete was handed to the sinks";
        let histogram = page.encoder.encode_descriptor("processing_seconds", help, None, MetricType::Histogram)?;
        latency.encode(histogram)
    }

    fn time(&self, page: &mut Page<'_>) -> fmt::Result {
        let Meters { sources, watermark, .. } = &*self.meters;
        if let Some(watermark) = watermark.get() {
            let time = watermark.as_micros() as f64 / MICROS;
            page.gauge("watermark_seconds", "Event time, in seconds since 1970: events up to here are late", time)?;
            let help = "How far event time is behind the clock on the wall";
            page.gauge("watermark_lag_seconds", help, self.since(watermark))?;
        }
        let lags = sources.iter().filter_map(|source| Some((("source", &*source.name), source.watermark.get()?)));
        let lags = lags.map(|(labels, time)| (labels, self.since(time)));
        page.gauges("source_watermark_lag_seconds", "How far the time of a source is behind the clock", lags)?;
        let holder = self.meters.holder().map(|holder| &*holder.name);
        let holds = sources.iter().map(|source| (("source", &*source.name), flag(holder == Some(&source.name))));
        page.gauges("source_holds_time", "Whether a silent source holds back time while others have gone on", holds)
    }

    fn checkpoints(&self, page: &mut Page<'_>) -> fmt::Result {
        let checkpoints = &self.meters.checkpoints;
        let help = "Checkpoints that could not be written, since this process began";
        page.counter("checkpoint_failures", help, checkpoints.trouble.retries.get())?;
        let Some(written) = checkpoints.written.get() else { return Ok(()) };
        page.gauge("checkpoint_number", "The number of the newest checkpoint", checkpoints.number.get() as f64)?;
        page.gauge("checkpoint_bytes", "Size of the newest checkpoint", checkpoints.bytes.get() as f64)?;
        let took = checkpoints.took_us.get() as f64 / MICROS;
        page.gauge("checkpoint_duration_seconds", "Time that it took to write the newest checkpoint", took)?;
        let pause = checkpoints.pause_us.get() as f64 / MICROS;
        page.gauge("checkpoint_pause_seconds", "Time that the stream stood still for the last checkpoint", pause)?;
        page.gauge("checkpoint_age_seconds", "Time since the newest checkpoint was written", self.since(written))
    }

    /// What the engine says of itself.
    fn engine(&self, plan: &Plan, figures: &Figures, page: &mut Page<'_>) -> fmt::Result {
        let limits = &self.meters.limits;
        let names = |pattern: usize| ("pattern", &*plan.patterns.patterns[pattern].name);
        let loads = || figures.loads.iter().map(|load| (names(load.pattern), load));
        let runs = loads().map(|(labels, load)| (labels, load.size.runs as f64));
        page.gauges("open_runs", "Open runs", runs)?;
        page.gauges("open_keys", "Keys with open runs", loads().map(|(labels, load)| (labels, load.keys as f64)))?;
        let bytes = loads().map(|(labels, load)| (labels, load.size.bytes as f64));
        page.gauges("state_bytes", "Memory that open runs take, about", bytes)?;
        page.gauge("open_runs_limit", "Open runs of all patterns together, at most", limits.open_runs as f64)?;
        page.gauge("state_limit_bytes", "Memory of all open runs together, at most", limits.bytes as f64)?;
        let faults = loads().map(|(labels, load)| (labels, load.faults));
        let help =
            "Conditions that had no result because of unlike types, overflow and the like, since this process began";
        page.counters("evaluation_errors", help, faults)?;
        let help = "Values of outputs that had no result, since this process began";
        page.counter("output_evaluation_errors", help, figures.output_faults())?;
        let help = "Matches that a cooldown kept back, since this process began";
        page.counter("kept_back_matches", help, figures.kept_back)?;
        let shed = loads().map(|(labels, load)| (labels, load.shed.events));
        page.counters("shed_events", "Events not taken in at a limit, since this process began", shed)?;
        let shed = loads().map(|(labels, load)| (labels, load.shed.runs));
        page.counters("shed_runs", "Open runs dropped at a limit, since this process began", shed)?;
        let shed = loads().map(|(labels, load)| (labels, load.shed.overflows));
        let help = "Events at which a run was too long, or matches too many, since this process began";
        page.counters("overflows", help, shed)
    }

    fn since(&self, time: Timestamp) -> f64 {
        (self.now - time).as_micros() as f64 / MICROS
    }
}

fn flag(is_set: bool) -> f64 {
    if is_set { 1.0 } else { 0.0 }
}

/// A page that is being written.
struct Page<'p> {
    encoder: DescriptorEncoder<'p>,
}

impl Page<'_> {
    fn counter(&mut self, name: &str, help: &str, count: u64) -> fmt::Result {
        self.one(name, help, &ConstCounter::new(count))
    }

    fn gauge(&mut self, name: &str, help: &str, value: f64) -> fmt::Result {
        self.one(name, help, &ConstGauge::new(value))
    }

    fn counters<'l>(
        &mut self,
        name: &str,
        help: &str,
        counts: impl IntoIterator<Item = ((&'l str, &'l str), u64)>,
    ) -> fmt::Result {
        self.several(name, help, counts.into_iter().map(|(label, count)| (label, ConstCounter::new(count))))
    }

    fn gauges<'l>(
        &mut self,
        name: &str,
        help: &str,
        values: impl IntoIterator<Item = ((&'l str, &'l str), f64)>,
    ) -> fmt::Result {
        self.several(name, help, values.into_iter().map(|(label, value)| (label, ConstGauge::new(value))))
    }

    fn one<M: EncodeMetric + TypedMetric>(&mut self, name: &str, help: &str, metric: &M) -> fmt::Result {
        metric.encode(self.encoder.encode_descriptor(name, help, None, M::TYPE)?)
    }

    /// Samples of one metric with a label each. A metric without samples is left out.
    fn several<'l, M: EncodeMetric + TypedMetric>(
        &mut self,
        name: &str,
        help: &str,
        samples: impl Iterator<Item = ((&'l str, &'l str), M)>,
    ) -> fmt::Result {
        let mut samples = samples.peekable();
        if samples.peek().is_none() {
            return Ok(());
        }
        let mut family = self.encoder.encode_descriptor(name, help, None, M::TYPE)?;
        samples.try_for_each(|(label, metric)| metric.encode(family.encode_family(&[label])?))
    }
}
