//! A job runs to the end of its sources; stopped anywhere and started again it gives what it would have given.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ensue_connect::{Error, Opened, Output, Position, Read, Sink, Source};
use ensue_engine::Limits;
use ensue_io::records::RECORD_BYTES_MAX;
use ensue_io::{Csv, RowFormat, TimeFormat};
use ensue_lang::Options;
use ensue_model::Span;
use ensue_runtime::job::{
    Checkpoints, Control, Format, Job, OnChange, Outputs, Pace, Report, SinkSpec, SourceSpec, Texts,
};

const PATTERN: &str = "begin create where type == \"create\" followedBy pay where type == \"pay\" within 15m";

/// A text in memory, some bytes at a time; it tells the job to stop after so many of them.
struct Text {
    text: Arc<str>,
    read: usize,
    is_open: bool,
    stop: Option<(usize, Arc<Control>)>,
}

impl Source for Text {
    fn read(&mut self, _: Duration) -> Result<Read<'_>, Error> {
        let bytes = self.text.as_bytes();
        if !self.is_open {
            self.is_open = true;
            return Ok(Read::Opened(Opened::at("text", &bytes[..self.read])));
        }
        if let Some((after, control)) = &self.stop
            && self.read >= *after
        {
            control.stop();
            return Ok(Read::Nothing);
        }
        let from = self.read;
        self.read = bytes.len().min(from + 100);
        Ok(if from == self.read { Read::Ended } else { Read::Bytes(&bytes[from..self.read]) })
    }

    fn position(&self) -> Position {
        Position(self.read.to_string())
    }
}

/// A file in memory.
struct Memory {
    file: Arc<Mutex<Vec<u8>>>,
    waiting: Vec<u8>,
}

impl Memory {
    fn open(file: &Arc<Mutex<Vec<u8>>>, at: Option<&Position>) -> Self {
        let length = at.map_or(0, |at| at.0.parse().expect("it is a number"));
        file.lock().expect("nobody panics while writing").truncate(length);
        Memory { file: file.clone(), waiting: Vec::new() }
    }
}

impl Sink for Memory {
    fn put(&mut self, output: Output<'_>) {
        self.waiting.extend_from_slice(output.line);
    }

    fn flush(&mut self) -> Result<(), Error> {
        self.file.lock().expect("nobody panics while writing").append(&mut self.waiting);
        Ok(())
    }

    fn sync(&mut self) -> Result<Position, Error> {
        self.flush()?;
        Ok(Position(self.file.lock().expect("nobody panics while writing").len().to_string()))
    }
}

/// Orders, of which each third is not paid; one line that is no event.
fn orders(first: usize, step: usize, count: usize) -> String {
    let mut text = String::from("order,type,ts\n");
    for order in (first..).step_by(step).take(count) {
        text += &format!("{order},create,{}\n", order * 10);
        if order % 3 > 0 {
            text += &format!("{order},pay,{}\n", order * 10 + 5);
        }
        if order == 50 {
            text += "what,is\n";
        }
    }
    text
}

struct Inputs {
    texts: Vec<Arc<str>>,
    shards: usize,
    out: Arc<Mutex<Vec<u8>>>,
}

impl Inputs {
    fn new(texts: &[String]) -> Self {
        let texts = texts.iter().map(|text| Arc::from(text.as_str())).collect();
        Inputs { texts, shards: 1, out: Arc::default() }
    }

    fn run(&self, state: Option<&Path>, stop: Option<usize>) -> Report {
        let control = Arc::new(Control::new());
        self.job(state, stop, &control).prepare().expect("it is right").run(&control).expect("nothing fails")
    }

    fn job(&self, state: Option<&Path>, stop: Option<usize>, control: &Arc<Control>) -> Job {
        let source = |(index, text): (usize, &Arc<str>)| {
            let (text, stop) = (text.clone(), stop.map(|after| (after, control.clone())));
            SourceSpec {
                name: format!("source {index}"),
                stream: (self.texts.len() > 1).then(|| "orders".to_owned()),
                open: Box::new(move |at| {
                    let read = at.map_or(0, |at| at.0.parse().expect("it is a number"));
                    Ok(Box::new(Text { text: text.clone(), read, is_open: false, stop: stop.clone() }))
                }),
                format: Format { rows: RowFormat::Csv(Csv::new(&[])), has_header: true },
                event_bytes_max: RECORD_BYTES_MAX,
                time: Some("ts".to_owned()),
                time_format: TimeFormat::Seconds,
                pace: Pace { out_of_order: Span::ZERO, idle: None },
            }
        };
        let out = self.out.clone();
        let sink = SinkSpec { name: "out".to_owned(), open: Box::new(move |at| Ok(Box::new(Memory::open(&out, at)))) };
        let all = || vec!["out".to_owned()];
        Job {
            name: "orders".to_owned(),
            texts: Texts::Fixed(vec![ensue_lang::Source::new("paid.pattern", self.pattern())]),
            options: Options { key: vec!["order".to_owned()], ..Options::default() },
            sources: self.texts.iter().enumerate().map(source).collect(),
            sinks: vec![sink],
            outputs: Outputs { matches: all(), timeouts: all(), late: all(), rejected: all(), patterns: Vec::new() },
            tables: Vec::new(),
            checkpoints: state.map(|state| Checkpoints {
                folder: state.to_owned(),
                every: Duration::from_millis(1),
                keep: 2,
            }),
            shards: self.shards,
            limits: Limits::default(),
            on_change: OnChange::default(),
            http: None,
        }
    }

    fn pattern(&self) -> String {
        match self.texts.len() {
            1 => PATTERN.to_owned(),
            _ => format!(
                "stream orders {{ order: int, type: string, ts: timestamp @time }} pattern paid from orders {PATTERN}"
            ),
        }
    }

    /// The lines that came out, in order.
    fn lines(&self) -> Vec<String> {
        let out = self.out.lock().expect("nobody panics while writing");
        let mut lines: Vec<_> =
            String::from_utf8(out.clone()).expect("lines are text").lines().map(str::to_owned).collect();
        lines.sort();
        lines
    }
}

#[test]
fn a_job_runs_to_the_end_of_its_source() {
    let inputs = Inputs::new(&[orders(0, 1, 100)]);
    let report = inputs.run(None, None);
    assert!(report.has_ended);
    assert_eq!(report.events, [("source 0".to_owned(), 166)]);
    let [of_pattern] = &report.counts.patterns[..] else { panic!("there is one pattern") };
    assert_eq!((of_pattern.matches, of_pattern.timeouts, report.counts.rejected), (66, 34, 1));
    let lines = inputs.lines();
    assert_eq!(lines.len(), 101);
    assert!(lines.iter().any(|line| line.contains("text, ") && line.contains("\"raw\":\"what,is\"")), "{lines:?}");
}

/// Stopped after each so many bytes and started again, each time with another number of shards.
fn check_stopped(texts: &[String]) {
    let whole = Inputs::new(texts);
    whole.run(None, None);
    let expected = whole.lines();
    for step in [150, 400, 1_001] {
        let state = tempfile::tempdir().expect("there is room");
        let mut inputs = Inputs::new(texts);
        let longest = texts.iter().map(String::len).max().expect("there is a text");
        for stop in (step..longest).step_by(step) {
            let report = inputs.run(Some(state.path()), Some(stop));
            assert!(!report.has_ended, "stopped at {stop}");
            inputs.shards = stop % 3 + 1;
        }
        let report = inputs.run(Some(state.path()), None);
        assert!(report.has_ended);
        assert_eq!(inputs.lines(), expected, "stopped each {step} bytes");
        let again = inputs.run(Some(state.path()), None);
        assert_eq!(again, report, "a job that has ended has nothing to do");
        assert_eq!(inputs.lines(), expected);
    }
}

#[test]
fn stopped_and_started_again_it_gives_the_same() {
    check_stopped(&[orders(0, 1, 100)]);
}

#[test]
fn with_several_sources_too() {
    check_stopped(&[orders(0, 2, 60), orders(1, 2, 50), orders(400, 5, 7)]);
}

#[test]
fn nothing_is_written_until_the_first_checkpoint_is_safe() {
    let inputs = Inputs::new(&[orders(0, 1, 100)]);
    let folder = tempfile::tempdir().expect("there is room");
    let state = folder.path().join("state");
    let control = Arc::new(Control::new());
    let running = inputs.job(Some(&state), None, &control).prepare().expect("it is right");
    std::fs::remove_dir_all(&state).expect("it was made");
    let error = running.run(&control).expect_err("there is no folder for checkpoints").to_string();
    assert!(error.starts_with("cannot write `"), "{error}");
    assert_eq!(inputs.lines(), [""; 0], "what is written would come again at the next start");
}
