//! A written case, made ready and run: its patterns compiled, its events and tables read, its outputs in the words of a case.

use std::fmt;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use ensue_engine::{Config, Engine, Outputs, Watermarks};
use ensue_io::table;
use ensue_lang::{Diagnostics, Options, Source};
use ensue_model::function::HostFunction;
use ensue_model::table::{Table, TableId, TableShape};
use ensue_model::{Patterns, Schema, Timestamp, Type};

use crate::arrivals::{self, Arrival, Arrived, CaseRow, TYPE_FIELD, Writer, extension};
use crate::case_file::{ArrivalLine, FormatError, Rows, Settings, TableRows, WrittenCase};
use crate::cases::cause;
use crate::outcome::{Outcome, Scribe};

/// What stands around a case.
#[derive(Clone, Copy, Debug)]
pub struct Surroundings<'s> {
    /// Its patterns.
    pub sources: &'s [Source],
    /// The folder from which its files are named.
    pub folder: &'s Path,
    /// Functions of the program that the patterns can call.
    pub functions: &'s [Arc<HostFunction>],
}

/// A case that is ready to run.
#[derive(Clone, Debug)]
pub struct Trial {
    /// What is odd about its patterns.
    pub warnings: Diagnostics,
    pub(crate) patterns: Arc<Patterns>,
    pub(crate) arrivals: Vec<Arrival>,
    /// The instant from which times count; none where they are shown as they are.
    pub(crate) zero: Option<Timestamp>,
    tables: Vec<(TableId, Arc<Table>)>,
    watermarks: Watermarks,
}

/// Why a case cannot run.
#[derive(Debug)]
pub enum Refusal {
    /// A pattern is wrong.
    Patterns(Diagnostics),
    /// Something in the case is, at that line.
    Case(FormatError),
    /// The engine gave up.
    Engine(String),
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::Patterns(diagnostics) => diagnostics.fmt(f),
            Refusal::Case(error) => error.fmt(f),
            Refusal::Engine(why) => f.write_str(why),
        }
    }
}

impl std::error::Error for Refusal {}

impl From<FormatError> for Refusal {
    fn from(error: FormatError) -> Self {
        Refusal::Case(error)
    }
}

impl Trial {
    /// Compiles the patterns and reads what arrives.
    ///
    /// # Errors
    /// If a pattern is wrong, a file cannot be read, or an event does not fit its stream.
    pub fn new(case: &WrittenCase, around: Surroundings<'_>) -> Result<Trial, Refusal> {
        let settings = &case.settings;
        let inputs = settings.inputs.iter().map(|said| arrivals::Source::open(said, around.folder));
        let inputs = inputs.collect::<Result<Vec<_>, _>>()?;
        let options = options(settings, &inputs, around.functions);
        let compiled = ensue_lang::compile(around.sources, &options).map_err(Refusal::Patterns)?;
        let patterns = Arc::new(compiled.patterns);
        let tables = settings.tables.iter().map(|rows| read_table(rows, &patterns, around.folder));
        let tables = tables.collect::<Result<_, _>>()?;
        // Of a file, times are what they are, unless the case says from when they count.
        let zero = settings.start.or_else(|| inputs.is_empty().then_some(EPOCH));
        let arrivals = match inputs.is_empty() {
            true => written(case, &patterns, zero.unwrap_or(EPOCH))?,
            false => read(inputs, &patterns)?,
        };
        let says_watermarks = arrivals.iter().any(|arrival| matches!(arrival, Arrival::Watermark(_)));
        let told = if says_watermarks { Watermarks::Explicit } else { Watermarks::Ascending };
        let watermarks = settings.watermarks.unwrap_or(told);
        Ok(Trial { warnings: compiled.warnings, patterns, arrivals, zero, tables, watermarks })
    }

    /// The patterns, compiled.
    pub fn patterns(&self) -> &Patterns {
        &self.patterns
    }

    /// Gives all that arrives to an engine, then the end of the input; what comes out.
    ///
    /// # Errors
    /// If the engine reaches a limit.
    pub fn run(&self) -> Result<Outcome, Refusal> {
        self.run_with(&self.patterns)
    }

    /// As [`Trial::run`], with these patterns, which are the case's own but for some clause.
    pub(crate) fn run_with(&self, patterns: &Arc<Patterns>) -> Result<Outcome, Refusal> {
        let mut engine = self.engine(patterns)?;
        let mut out = Outputs::new();
        for at in 0..self.arrivals.len() {
            self.give(at, &mut engine, &mut out)?;
        }
        engine.finish(&mut out).map_err(given_up)?;
        Ok(Scribe { trial: self, patterns }.outcome(&out))
    }

    pub(crate) fn config(&self) -> Config {
        Config { watermarks: self.watermarks, ..Config::default() }
    }

    pub(crate) fn engine(&self, patterns: &Arc<Patterns>) -> Result<Engine<CaseRow>, Refusal> {
        let mut engine = Engine::new(patterns, self.config()).map_err(given_up)?;
        self.set_tables(&mut engine);
        Ok(engine)
    }

    /// The rows of the tables.
    pub(crate) fn tables(&self) -> &[(TableId, Arc<Table>)] {
        &self.tables
    }

    fn set_tables(&self, engine: &mut Engine<CaseRow>) {
        self.tables.iter().for_each(|(table, rows)| engine.set_table(*table, rows.clone()));
    }

    /// Gives what arrives at that place.
    pub(crate) fn give(
        &self,
        at: usize,
        engine: &mut Engine<CaseRow>,
        out: &mut Outputs<CaseRow>,
    ) -> Result<(), Refusal> {
        match &self.arrivals[at] {
            Arrival::Event(Arrived { row, .. }) => {
                engine.push(CaseRow { arrival: Some(at), row: row.clone() }, out).map_err(given_up)
            }
            Arrival::Watermark(time) => engine.advance(*time, out).map_err(given_up),
            Arrival::NoEvent(_) => Ok(()),
        }
    }

    /// The event that arrives at that place.
    ///
    /// # Panics
    /// If it is none: only events are in runs.
    pub(crate) fn event(&self, at: usize) -> &Arrived {
        match &self.arrivals[at] {
            Arrival::Event(event) => event,
            Arrival::Watermark(_) | Arrival::NoEvent(_) => unreachable!("only events are pushed"),
        }
    }

    /// A time as it is shown.
    pub(crate) fn shown_time(&self, time: Timestamp) -> String {
        self.zero.map_or_else(|| time.to_string(), |zero| (time - zero).to_string())
    }
}

const EPOCH: Timestamp = Timestamp::from_seconds(0);

pub(crate) fn given_up(error: ensue_engine::Error) -> Refusal {
    Refusal::Engine(error.to_string())
}

/// What the patterns are compiled with, as the command does: the columns of a file that is the only one are all that there
/// is.
fn options(settings: &Settings, inputs: &[arrivals::Source<'_>], functions: &[Arc<HostFunction>]) -> Options {
    let columns = if let [only] = inputs { only.columns() } else { None };
    let has_type = columns.is_none_or(|columns| columns.iter().any(|column| column == TYPE_FIELD));
    let stream = if let [only] = inputs { only.said.stream.clone() } else { None };
    Options {
        schema: Schema { stream, ..columns.map_or_else(Schema::open, schema) },
        key: settings.key.clone(),
        type_field: settings.type_field.clone().or_else(|| has_type.then(|| TYPE_FIELD.to_owned())),
        parameters: settings.parameters.clone(),
        functions: functions.to_vec(),
        ..Options::default()
    }
}

fn schema(columns: &[String]) -> Schema {
    let fields = columns.iter().fold(Schema::open(), |schema, column| schema.nullable(column, Type::Any));
    Schema { closed: true, ..fields }
}

/// What stands in the case.
fn written(case: &WrittenCase, patterns: &Patterns, zero: Timestamp) -> Result<Vec<Arrival>, Refusal> {
    let writer = Writer { patterns, settings: &case.settings, zero };
    let arrival = |line: &ArrivalLine| match line {
        ArrivalLine::Event(event) => Ok(Arrival::Event(writer.arrived(event)?)),
        ArrivalLine::Watermark(when) => Ok(Arrival::Watermark(writer.instant(*when))),
    };
    case.arrivals.iter().map(arrival).collect()
}

/// What stands in files. Each stream that a pattern reads needs one.
fn read(inputs: Vec<arrivals::Source<'_>>, patterns: &Patterns) -> Result<Vec<Arrival>, Refusal> {
    if let Some(missing) = stream_without_input(&inputs, patterns) {
        let why = format!("stream `{missing}` has no input: say `input {missing}=FILE`");
        return Err(FormatError { line: inputs[0].said.line, why }.into());
    }
    let alone = inputs.len() == 1;
    let source = |input: arrivals::Source<'_>| {
        let name = input.said.stream.clone().filter(|_| !alone);
        Ok((name, input.rows(patterns)?))
    };
    let sources = inputs.into_iter().map(source).collect::<Result<Vec<_>, Refusal>>()?;
    Ok(arrivals::merged(sources))
}

fn stream_without_input<'p>(inputs: &[arrivals::Source<'_>], patterns: &'p Patterns) -> Option<&'p str> {
    let said: Vec<Option<&str>> = inputs.iter().map(|input| input.said.stream.as_deref()).collect();
    if said == [None] {
        return None;
    }
    let is_read = |name: &&str| {
        let stream = patterns.stream(name);
        patterns.patterns.iter().any(|pattern| pattern.from.iter().any(|from| Some(*from) == stream))
    };
    arrivals::fed_names(patterns).filter(is_read).find(|name| !said.contains(&Some(name)))
}

fn read_table(rows: &TableRows, patterns: &Patterns, folder: &Path) -> Result<(TableId, Arc<Table>), FormatError> {
    let wrong = |line, why| FormatError { line, why };
    let Some(id) = patterns.table(&rows.name) else {
        return Err(wrong(rows.line, format!("the patterns declare no table `{}`", rows.name)));
    };
    let shape = &patterns.tables[usize::from(id.0)];
    let table = match &rows.rows {
        Rows::File(path) => read_table_file(path, shape, folder).map_err(|why| wrong(rows.line, why))?,
        Rows::Here(lines) => {
            let csv: String = lines.iter().map(|(_, cells)| csv_line(cells)).collect();
            // Its lines are those of the rows, without what lies between them.
            let line = |bad: u64| lines.get(bad as usize - 1).map_or(rows.line, |(line, _)| *line);
            table::from_csv(shape, csv.as_bytes()).map_err(|bad| wrong(line(bad.line), bad.reason))?
        }
    };
    Ok((id, Arc::new(table)))
}

fn read_table_file(path: &str, shape: &TableShape, folder: &Path) -> Result<Table, String> {
    let read = match extension(path).as_deref() {
        Some("csv") => table::from_csv,
        Some("jsonl" | "ndjson" | "json") => table::from_json_lines,
        _ => return Err(format!("`{path}` is no .csv and no .jsonl")),
    };
    let bytes = fs::read(folder.join(path)).map_err(|error| format!("cannot read `{path}`: {}", cause(&error)))?;
    read(shape, &bytes).map_err(|bad| format!("`{path}`, {bad}"))
}

/// The cells of a row as a line of CSV.
fn csv_line(cells: &[String]) -> String {
    let cell = |cell: &String| match crate::case_file::unquoted(cell) {
        _ if cell == "null" => String::new(),
        Ok(text) => format!("\"{}\"", text.replace('"', "\"\"")),
        Err(_) => cell.clone(),
    };
    cells.iter().map(cell).collect::<Vec<_>>().join(",") + "\n"
}
