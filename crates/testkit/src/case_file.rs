//! A file of cases, as a person writes it beside patterns: what arrives, and what must come out.
//!
//! ```text
//! key order                        // settings, for all cases or for one
//!
//! case an order is not paid in time
//! events
//!   1  0m   create  order=7
//!   2  16m  pay     order=7
//! outputs
//!   timeout  create 1, awaiting pay, at 15m
//! ```
//!
//! What stands under `events`, `outputs` and `table` is what the manual's blocks hold, so that there is one such form. Knows
//! no patterns and no files: names and values are looked at when a case is made ready, see [`crate::trial`].

use std::fmt;

use chrono::DateTime;
use ensue_engine::Watermarks;
use ensue_io::{TimeFormat, time};
use ensue_model::{Span, Timestamp};

/// The cases of a file.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct CaseFile {
    /// In the order of the text; each has the settings of the file's head, too.
    pub cases: Vec<WrittenCase>,
}

/// A case as it is written.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct WrittenCase {
    /// Its name: the rest of its line.
    pub title: String,
    /// The line that names it, from 1.
    pub line: usize,
    /// What is said of it.
    pub settings: Settings,
    /// What arrives, in order.
    pub arrivals: Vec<ArrivalLine>,
    /// What must come out, in any order; none if that was never said.
    pub expected: Option<Vec<ExpectedLine>>,
    /// The last line that says something of it, from 1.
    last_line: usize,
    /// The line of `outputs`.
    outputs_line: Option<usize>,
}

/// What is said of a case beside its events and outputs.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Settings {
    /// The files of its patterns; if none is named, the one of the case file's name.
    pub patterns: Vec<String>,
    /// Values of parameters.
    pub parameters: Vec<(String, String)>,
    /// The key fields, where neither pattern nor stream says.
    pub key: Vec<String>,
    /// The field that a type stands for where the stream does not say.
    pub type_field: Option<String>,
    /// The instant from which times count.
    pub start: Option<Timestamp>,
    /// Where watermarks come from; if nothing is said, from the events, unless a line among them says `watermark`.
    pub watermarks: Option<Watermarks>,
    /// The rows of tables.
    pub tables: Vec<TableRows>,
    /// The files of events.
    pub inputs: Vec<InputFile>,
}

/// The rows of a table.
#[derive(Clone, PartialEq, Debug)]
pub struct TableRows {
    /// The table.
    pub name: String,
    /// The line that names it.
    pub line: usize,
    /// Where they are.
    pub rows: Rows,
}

/// Where the rows of a table are.
#[derive(Clone, PartialEq, Debug)]
pub enum Rows {
    /// In a file.
    File(String),
    /// Here: first the names of the columns; each with its line.
    Here(Vec<(usize, Vec<String>)>),
}

/// A file of events.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct InputFile {
    /// The line that names it.
    pub line: usize,
    /// The stream that it feeds, where it is named.
    pub stream: Option<String>,
    /// The file.
    pub path: String,
    /// The columns of a CSV without a header.
    pub columns: Option<Vec<String>>,
    /// What stands between two fields of a CSV.
    pub delimiter: Option<u8>,
    /// The field of the event time, where the stream does not mark one.
    pub time: Option<String>,
    /// How times are written.
    pub unit: TimeFormat,
}

/// What arrives.
#[derive(Clone, PartialEq, Debug)]
pub enum ArrivalLine {
    /// An event.
    Event(EventLine),
    /// A watermark.
    Watermark(When),
}

/// An event as it is written: `3  11m  orders:pay  order=7 note="on time"`.
#[derive(Clone, PartialEq, Debug)]
pub struct EventLine {
    /// Its line, from 1.
    pub line: usize,
    /// By which the outputs name it.
    pub name: String,
    /// Its time.
    pub when: When,
    /// Its stream, where it is named.
    pub stream: Option<String>,
    /// Its type; none where `-` or nothing stands there.
    pub kind: Option<String>,
    /// Its other fields, with their values as they are written.
    pub fields: Vec<(String, String)>,
    /// What stands behind its time.
    pub text: String,
}

/// A time as it is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum When {
    /// So long after the start.
    After(Span),
    /// An instant.
    At(Timestamp),
}

/// An output that is expected.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ExpectedLine {
    /// Its line, from 1.
    pub line: usize,
    /// What is expected, with single blanks.
    pub text: String,
}

/// Why a text is no file of cases.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FormatError {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong there, in one sentence.
    pub why: String,
}

impl fmt::Display for FormatError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.why)
    }
}

impl std::error::Error for FormatError {}

/// The cases that a text holds.
///
/// # Errors
/// All that is wrong with it, line by line.
pub fn parse(text: &str) -> Result<CaseFile, Vec<FormatError>> {
    let mut reader = Reader::default();
    for (line, text) in (1..).zip(text.lines()) {
        if let Err(why) = reader.read(line, text) {
            reader.errors.push(FormatError { line, why });
        }
    }
    reader.end()
}

/// The events of a text that holds nothing else, an event or a watermark a line.
///
/// # Errors
/// All that is wrong with it.
pub fn events(text: &str) -> Result<Vec<ArrivalLine>, Vec<FormatError>> {
    body(&["events", &indented(text)].join("\n"))
        .map(|case| case.arrivals)
        .map_err(|errors| errors.into_iter().map(|error| FormatError { line: error.line - 1, ..error }).collect())
}

/// A case without its name: settings, tables, events, and perhaps outputs. All of it may be indented.
///
/// # Errors
/// All that is wrong with it.
pub fn body(text: &str) -> Result<WrittenCase, Vec<FormatError>> {
    let mut reader = Reader { cases: vec![WrittenCase::default()], ..Reader::default() };
    for (line, text) in (1..).zip(dedented(text)) {
        if let Err(why) = reader.read(line, text) {
            reader.errors.push(FormatError { line, why });
        }
    }
    reader.end().map(|mut file| file.cases.remove(0))
}

/// The rows of a table, under a line with the names of its columns.
///
/// # Errors
/// What is wrong with it.
pub fn rows(name: &str, text: &str) -> Result<TableRows, Vec<FormatError>> {
    let row = |(line, text)| match words(text) {
        Ok(cells) => Ok((line, cells.into_iter().map(str::to_owned).collect())),
        Err(why) => Err(vec![FormatError { line, why }]),
    };
    let lines = (1..).zip(text.lines()).filter(|(_, text)| !is_blank(text));
    Ok(TableRows { name: name.to_owned(), line: 0, rows: Rows::Here(lines.map(row).collect::<Result<_, _>>()?) })
}

/// The text with what came out in place of what each of these cases expects, or behind it where nothing was said.
pub fn updated(text: &str, came: &[(&WrittenCase, Vec<String>)]) -> String {
    let mut lines: Vec<&str> = text.lines().collect();
    let mut written: Vec<(usize, usize, String)> = came.iter().map(|(case, came)| case.outputs(&lines, came)).collect();
    written.sort_by_key(|(from, ..)| std::cmp::Reverse(*from));
    for (from, to, text) in &written {
        lines.splice(from..to, text.lines());
    }
    lines.into_iter().map(|line| format!("{line}\n")).collect()
}

impl WrittenCase {
    /// A case without a name, of which only its settings and events are known.
    pub fn of(settings: Settings, arrivals: Vec<ArrivalLine>) -> Self {
        WrittenCase { settings, arrivals, ..WrittenCase::default() }
    }

    /// The lines to replace, from 0, and what is to stand there. Comments between two expected lines would not be: they are about
    /// an output that may be gone.
    fn outputs(&self, lines: &[&str], came: &[String]) -> (usize, usize, String) {
        let came: String = came.iter().map(|line| format!("  {line}\n")).collect();
        let Some(outputs) = self.outputs_line else {
            return (self.last_line, self.last_line, format!("outputs\n{came}"));
        };
        let inside = |line: &&str| line.starts_with([' ', '\t']) || line.trim().is_empty();
        let count = lines[outputs..].iter().take_while(|line| inside(line)).count();
        let blank = lines[outputs..outputs + count].iter().rev().take_while(|line| line.trim().is_empty()).count();
        (outputs, outputs + count - blank, came)
    }
}

/// What the indented lines are that come next.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
enum Section {
    #[default]
    None,
    Events,
    Outputs,
    Table,
    /// Of a line that is wrong: its own lines are not wrong as well.
    Unknown,
}

/// A file that is being read.
#[derive(Default)]
struct Reader {
    head: Settings,
    cases: Vec<WrittenCase>,
    section: Section,
    errors: Vec<FormatError>,
}

const KEYWORDS: &str =
    "`case`, `pattern`, `param`, `key`, `type`, `start`, `watermarks`, `table`, `input`, `events` or `outputs`";

impl Reader {
    fn read(&mut self, line: usize, text: &str) -> Result<(), String> {
        if is_blank(text) {
            return Ok(());
        }
        let read = match text.starts_with([' ', '\t']) {
            true => self.read_inside(line, text.trim()),
            false => self.read_keyword(line, text.trim()),
        };
        if let Some(case) = self.cases.last_mut() {
            case.last_line = line;
        }
        read
    }

    fn read_inside(&mut self, line: usize, text: &str) -> Result<(), String> {
        match (self.section, self.cases.last_mut()) {
            (Section::Events, Some(case)) => case.read_arrival(line, text),
            (Section::Outputs, Some(case)) => case.read_expected(line, text),
            (Section::Table, case) => {
                let cells = words(text)?.into_iter().map(str::to_owned).collect();
                let settings = case.map_or(&mut self.head, |case| &mut case.settings);
                if let Some(TableRows { rows: Rows::Here(rows), .. }) = settings.tables.last_mut() {
                    rows.push((line, cells));
                }
                Ok(())
            }
            (Section::Unknown, _) => Ok(()),
            (Section::None | Section::Events | Section::Outputs, _) => {
                Err("an indented line belongs to `events`, `outputs` or a `table`, and none of them stands before it"
                    .to_owned())
            }
        }
    }

    fn read_keyword(&mut self, line: usize, text: &str) -> Result<(), String> {
        let (word, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
        let rest = rest.trim();
        self.section = Section::Unknown;
        self.section = match word {
            "case" => self.begin_case(line, rest)?,
            "events" | "outputs" => self.begin_section(line, word, rest)?,
            _ => {
                let settings = self.cases.last_mut().map_or(&mut self.head, |case| &mut case.settings);
                settings.read(line, word, rest)?
            }
        };
        Ok(())
    }

    fn begin_case(&mut self, line: usize, title: &str) -> Result<Section, String> {
        if title.is_empty() {
            return Err("a case has a name: `case an order is paid in time`".to_owned());
        }
        if let Some(first) = self.cases.iter().find(|case| case.title == title) {
            return Err(format!("the case of line {} has the same name", first.line));
        }
        self.cases.push(WrittenCase { title: title.to_owned(), line, last_line: line, ..WrittenCase::default() });
        Ok(Section::None)
    }

    fn begin_section(&mut self, line: usize, word: &str, rest: &str) -> Result<Section, String> {
        if !rest.is_empty() {
            return Err(format!("`{word}` stands alone on its line, and its lines behind it, indented"));
        }
        let Some(case) = self.cases.last_mut() else {
            return Err(format!("`{word}` belongs to a case, and no `case` stands before it"));
        };
        match (word, &case.expected) {
            ("outputs", Some(_)) => Err("the case says its outputs twice".to_owned()),
            ("outputs", None) => {
                case.expected = Some(Vec::new());
                case.outputs_line = Some(line);
                Ok(Section::Outputs)
            }
            _ => Ok(Section::Events),
        }
    }

    fn end(mut self) -> Result<CaseFile, Vec<FormatError>> {
        if self.errors.is_empty() {
            let named = self.cases.iter().filter(|case| case.line > 0);
            self.errors = named.filter_map(|case| case.lack_of_events(&self.head)).collect();
        }
        let Reader { head, mut cases, errors, .. } = self;
        cases.iter_mut().for_each(|case| case.settings.inherit(&head, !case.arrivals.is_empty()));
        if errors.is_empty() { Ok(CaseFile { cases }) } else { Err(errors) }
    }
}

impl WrittenCase {
    /// What is wrong if nothing arrives, or events stand here and in files.
    fn lack_of_events(&self, head: &Settings) -> Option<FormatError> {
        match (self.arrivals.as_slice(), self.settings.inputs.as_slice()) {
            ([], []) if head.inputs.is_empty() => {
                let why = "nothing arrives in this case: say its `events`, or an `input`".to_owned();
                Some(FormatError { line: self.line, why })
            }
            ([_, ..], [input, ..]) => {
                let why = "the events of a case come from an `input` or stand under `events`, not both".to_owned();
                Some(FormatError { line: input.line, why })
            }
            _ => None,
        }
    }

    fn read_arrival(&mut self, line: usize, text: &str) -> Result<(), String> {
        let arrival = arrival(line, text)?;
        if let ArrivalLine::Event(event) = &arrival
            && let Some(first) = self.event(&event.name)
        {
            return Err(format!("the event of line {} is `{}`, too", first.line, event.name));
        }
        self.arrivals.push(arrival);
        Ok(())
    }

    /// The event of that name.
    fn event(&self, name: &str) -> Option<&EventLine> {
        self.arrivals.iter().find_map(|arrival| match arrival {
            ArrivalLine::Event(event) => Some(event).filter(|event| event.name == name),
            ArrivalLine::Watermark(_) => None,
        })
    }

    fn read_expected(&mut self, line: usize, text: &str) -> Result<(), String> {
        let text = single_blanks(text);
        let (_, output) = split_pattern(&text);
        match output.split(' ').next() {
            Some("match" | "timeout" | "late" | "rejected") => {}
            _ => {
                return Err(format!("`{text}` is no output: one begins with `match`, `timeout`, `late` or `rejected`"));
            }
        }
        self.expected.get_or_insert_default().push(ExpectedLine { line, text });
        Ok(())
    }
}

impl Settings {
    fn read(&mut self, line: usize, word: &str, rest: &str) -> Result<Section, String> {
        match word {
            "pattern" => self.patterns.push(one(rest, "a file: `pattern orders.pattern`")?.to_owned()),
            "param" => self.parameters.push(parameter(rest)?),
            "key" => self.key = names(rest)?,
            "type" => self.type_field = Some(one(rest, "a field: `type status`")?.to_owned()),
            "start" => self.start = Some(instant(rest).ok_or_else(|| no_time(rest, "2021-01-19T10:00:00Z"))?),
            "watermarks" => self.watermarks = Some(watermarks(rest)?),
            "table" => return self.read_table(line, rest),
            "input" => self.inputs.push(input(line, rest)?),
            _ => return Err(format!("`{word}` is no word of a case file: expected {KEYWORDS}")),
        }
        Ok(Section::None)
    }

    fn read_table(&mut self, line: usize, rest: &str) -> Result<Section, String> {
        let (name, rows, section) = match words(rest)?[..] {
            [name] => (name, Rows::Here(Vec::new()), Section::Table),
            [name, file] => (name, Rows::File(file.to_owned()), Section::None),
            _ => {
                return Err(
                    "expected a table, and its file or its rows behind it: `table products products.csv`".to_owned()
                );
            }
        };
        self.tables.push(TableRows { name: name.to_owned(), line, rows });
        Ok(section)
    }

    /// Takes over what the head of the file says and the case does not.
    fn inherit(&mut self, head: &Settings, has_events: bool) {
        let Settings { patterns, parameters, key, type_field, start, watermarks, tables, inputs } = head.clone();
        if self.patterns.is_empty() {
            self.patterns = patterns;
        }
        if self.key.is_empty() {
            self.key = key;
        }
        if self.inputs.is_empty() && !has_events {
            self.inputs = inputs;
        }
        self.type_field = self.type_field.take().or(type_field);
        self.start = self.start.or(start);
        self.watermarks = self.watermarks.or(watermarks);
        let said: Vec<String> = self.parameters.iter().map(|(name, _)| name.clone()).collect();
        self.parameters.extend(parameters.into_iter().filter(|(name, _)| !said.contains(name)));
        let said: Vec<String> = self.tables.iter().map(|table| table.name.clone()).collect();
        self.tables.extend(tables.into_iter().filter(|table| !said.contains(&table.name)));
    }
}

/// `3  11m  pay  order=7`, `watermark 5s`
fn arrival(line: usize, text: &str) -> Result<ArrivalLine, String> {
    let words = words(text)?;
    match words[..] {
        ["watermark", time] => Ok(ArrivalLine::Watermark(when(time)?)),
        ["watermark", ..] => Err("a watermark has a time and nothing else: `watermark 5s`".to_owned()),
        [name, time, kind, ref fields @ ..] if !kind.contains('=') => {
            let when = when(time)?;
            let (stream, kind) = kind.split_once(':').map_or((None, kind), |(stream, kind)| (Some(stream), kind));
            let behind_time = time.as_ptr().addr() - text.as_ptr().addr() + time.len();
            Ok(ArrivalLine::Event(EventLine {
                line,
                name: name.to_owned(),
                when,
                stream: stream.map(str::to_owned),
                kind: if kind.is_empty() || kind == "-" { None } else { Some(unquoted(kind)?) },
                fields: fields.iter().map(|field| event_field(field)).collect::<Result<_, _>>()?,
                text: text[behind_time..].trim().to_owned(),
            }))
        }
        _ => Err(
            "an event has a name, a time and a type, then its fields: `1  0m  create  order=7`; `-` stands for no type"
                .to_owned(),
        ),
    }
}

fn event_field(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err(format!("`{text}` is no field: expected its name and its value, such as order=7")),
    }
}

/// `1h30m`, `2021-01-19T10:00:00Z`
fn when(text: &str) -> Result<When, String> {
    let when = time::span(text).map(When::After).or_else(|| instant(text).map(When::At));
    when.ok_or_else(|| no_time(text, "1h30m or 2021-01-19T10:00:00Z"))
}

/// The instant that is written so, perhaps with an `@` before it, as the language has it.
pub(crate) fn instant(text: &str) -> Option<Timestamp> {
    let time = DateTime::parse_from_rfc3339(text.strip_prefix('@').unwrap_or(text)).ok()?;
    Some(Timestamp::from_micros(time.timestamp_micros()))
}

fn no_time(text: &str, example: &str) -> String {
    format!("`{text}` is no time: expected one such as {example}")
}

/// `patience = 5m`
fn parameter(text: &str) -> Result<(String, String), String> {
    match text.split_once('=').map(|(name, value)| (name.trim(), value.trim())) {
        Some((name, value)) if !name.is_empty() && !value.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("expected a name and a value: `param patience = 5m`".to_owned()),
    }
}

/// `tenant, user`
fn names(text: &str) -> Result<Vec<String>, String> {
    let names: Vec<String> = text.split(',').map(|name| name.trim().to_owned()).collect();
    match names.iter().any(String::is_empty) {
        true => Err("expected names with commas between them: `tenant, user`".to_owned()),
        false => Ok(names),
    }
}

fn one<'t>(text: &'t str, expected: &str) -> Result<&'t str, String> {
    match words(text)?[..] {
        [word] => Ok(word),
        _ => Err(format!("expected {expected}")),
    }
}

fn watermarks(text: &str) -> Result<Watermarks, String> {
    let span = |text| time::span(text).filter(|span| *span >= Span::ZERO);
    match text.split_once(' ').map(|(word, span)| (word, span.trim())) {
        None if text == "ascending" => Ok(Watermarks::Ascending),
        None if text == "explicit" => Ok(Watermarks::Explicit),
        Some(("out-of-order", length)) if span(length).is_some() => {
            Ok(Watermarks::OutOfOrder(span(length).unwrap_or_default()))
        }
        _ => Err("expected `ascending`, `out-of-order 10s` or `explicit`".to_owned()),
    }
}

/// `orders=orders.csv columns=order_id,ts time=ts time-unit=s`
fn input(line: usize, text: &str) -> Result<InputFile, String> {
    let words = words(text)?;
    let [file, options @ ..] = &words[..] else {
        return Err("expected a file: `input orders.csv`, or for a stream `input orders=orders.csv`".to_owned());
    };
    let (stream, path) = file.split_once('=').map_or((None, *file), |(stream, path)| (Some(stream), path));
    let mut input =
        InputFile { line, stream: stream.map(str::to_owned), path: path.to_owned(), ..InputFile::default() };
    for option in options {
        let (name, value) = option.split_once('=').unwrap_or((option, ""));
        input.read(name, value)?;
    }
    Ok(input)
}

impl InputFile {
    fn read(&mut self, name: &str, value: &str) -> Result<(), String> {
        match name {
            "columns" => self.columns = Some(names(value)?),
            "delimiter" => self.delimiter = Some(delimiter(value)?),
            "time" => self.time = Some(value.to_owned()),
            "time-unit" => self.unit = value.parse()?,
            _ => {
                return Err(format!(
                    "`{name}` is nothing that is said of an input: expected `columns=`, `delimiter=`, `time=` or `time-unit=`"
                ));
            }
        }
        Ok(())
    }
}

fn delimiter(text: &str) -> Result<u8, String> {
    match text.as_bytes() {
        b"tab" => Ok(b'\t'),
        [byte] if byte.is_ascii_graphic() && *byte != b'"' => Ok(*byte),
        _ => Err("a delimiter is one ASCII character, or `tab`".to_owned()),
    }
}

/// Whether a line says nothing: it is empty, or a comment.
fn is_blank(text: &str) -> bool {
    let text = text.trim();
    text.is_empty() || text.starts_with("//")
}

/// The words of a line. Blanks part them, but not in quotes and not inside of brackets.
fn words(text: &str) -> Result<Vec<&str>, String> {
    let mut words = Vec::new();
    let (mut start, mut depth, mut is_quoted, mut is_escaped) = (None, 0_usize, false, false);
    for (at, char) in text.char_indices() {
        let is_end = char.is_whitespace() && depth == 0 && !is_quoted;
        if is_end {
            words.extend(start.take().map(|start| &text[start..at]));
            continue;
        }
        start.get_or_insert(at);
        match char {
            _ if is_escaped => is_escaped = false,
            '\\' if is_quoted => is_escaped = true,
            '"' => is_quoted = !is_quoted,
            '[' | '{' if !is_quoted => depth += 1,
            ']' | '}' if !is_quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    match (is_quoted, depth) {
        (true, _) => Err("a quote is opened and never closed".to_owned()),
        (false, 1..) => Err("a bracket is opened and never closed".to_owned()),
        (false, 0) => {
            words.extend(start.map(|start| &text[start..]));
            Ok(words)
        }
    }
}

/// The text that a word is, which may stand in quotes.
pub(crate) fn unquoted(word: &str) -> Result<String, String> {
    match word.starts_with('"') {
        true => serde_json::from_str(word).map_err(|_| format!("{word} is no text in quotes")),
        false => Ok(word.to_owned()),
    }
}

/// The pattern that an output names, `paid: match ..`, and the output.
pub(crate) fn split_pattern(text: &str) -> (Option<&str>, &str) {
    match text.split_once(": ") {
        Some((pattern, output)) if !pattern.contains(' ') => (Some(pattern), output),
        _ => (None, text),
    }
}

/// The text with one blank between two words.
pub(crate) fn single_blanks(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("  {}\n", line.trim())).collect()
}

/// The lines without the indent that all of them have.
pub(crate) fn dedented(text: &str) -> impl Iterator<Item = &str> {
    let indent = |line: &str| line.len() - line.trim_start().len();
    let common = text.lines().filter(|line| !line.trim().is_empty()).map(indent).min().unwrap_or_default();
    text.lines().map(move |line| line.get(common..).unwrap_or(""))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAID: &str = "\
// Of all cases.
key order
param patience = 15m
table products products.csv

case paid in time
param patience = 5m
table customers
  id  name
  1   \"Ann Lee\"
events
  1  0m                     create  order=7 tags=[\"a b\", 2]
  // A payment.
  2  2021-01-19T10:00:00Z  orders:pay  note=\"on \\\"time\\\"\"
  watermark 1h30m
outputs
  match    create 1,  pay 2

case from a file
input orders=in.csv columns=id,ts time=ts time-unit=s delimiter=tab
";

    fn event(arrival: &ArrivalLine) -> &EventLine {
        let ArrivalLine::Event(event) = arrival else { panic!("{arrival:?} is no event") };
        event
    }

    #[test]
    fn a_case_has_the_settings_of_the_head_unless_it_says_others() {
        let CaseFile { cases } = parse(PAID).unwrap();
        let titles: Vec<_> = cases.iter().map(|case| (case.line, case.title.as_str())).collect();
        assert_eq!(titles, [(6, "paid in time"), (19, "from a file")]);
        let patience = |case: &WrittenCase| case.settings.parameters[0].1.clone();
        assert_eq!([patience(&cases[0]), patience(&cases[1])], ["5m", "15m"]);
        assert_eq!(cases[1].settings.key, ["order"]);
        let tables =
            |case: &WrittenCase| case.settings.tables.iter().map(|table| table.name.clone()).collect::<Vec<_>>();
        assert_eq!(tables(&cases[0]), ["customers", "products"]);
        assert_eq!(tables(&cases[1]), ["products"]);
    }

    #[test]
    fn an_event_is_a_name_a_time_a_type_and_fields() {
        let case = &parse(PAID).unwrap().cases[0];
        let [create, pay] = [0, 1].map(|at| event(&case.arrivals[at]));
        assert_eq!(create.when, When::After(Span::ZERO));
        assert_eq!((create.stream.as_deref(), create.kind.as_deref()), (None, Some("create")));
        assert_eq!(create.fields[1], ("tags".to_owned(), "[\"a b\", 2]".to_owned()));
        assert_eq!(pay.when, When::At(Timestamp::from_seconds(1_611_050_400)));
        assert_eq!((pay.stream.as_deref(), pay.kind.as_deref()), (Some("orders"), Some("pay")));
        assert_eq!(unquoted(&pay.fields[0].1).unwrap(), "on \"time\"");
        assert_eq!(case.arrivals[2], ArrivalLine::Watermark(When::After(Span::from_seconds(5_400))));
        assert_eq!(case.expected.as_ref().unwrap()[0].text, "match create 1, pay 2");
        let Rows::Here(rows) = &case.settings.tables[0].rows else { panic!("its rows stand here") };
        assert_eq!(rows[1], (10, vec!["1".to_owned(), "\"Ann Lee\"".to_owned()]));
    }

    #[test]
    fn an_input_says_how_it_is_written() {
        let case = &parse(PAID).unwrap().cases[1];
        assert_eq!(case.expected, None);
        let expected = InputFile {
            line: 20,
            stream: Some("orders".to_owned()),
            path: "in.csv".to_owned(),
            columns: Some(vec!["id".to_owned(), "ts".to_owned()]),
            delimiter: Some(b'\t'),
            time: Some("ts".to_owned()),
            unit: TimeFormat::Seconds,
        };
        assert_eq!(case.settings.inputs, [expected]);
    }

    #[test]
    fn all_that_is_wrong_is_said_with_its_line() {
        let wrong = "\
events
watermarks late
patern x
  1 2 3
  1
case
case a
  1  0m  create
events now
  1
events
  1  soon  create
  1  0m  order=7
  1  0m  create  order
  2  0m  create  note=\"x
  3  0m  create
  3  1m  create
  watermark
outputs
  paid
table a b c
start now
input
input x speed=5
case a
";
        let errors = parse(wrong).unwrap_err();
        let shown: String = errors.iter().map(|error| format!("{error}\n")).collect();
        insta::assert_snapshot!(shown);
    }

    #[test]
    fn a_case_without_events_is_wrong_and_so_is_one_with_two_sources_of_them() {
        let errors = parse("case a\noutputs\n").unwrap_err();
        assert_eq!(errors[0].to_string(), "line 1: nothing arrives in this case: say its `events`, or an `input`");
        let errors = parse("case a\nevents\n  1 0m x\ninput x.csv\n").unwrap_err();
        let both = "line 4: the events of a case come from an `input` or stand under `events`, not both";
        assert_eq!(errors[0].to_string(), both);
    }

    #[test]
    fn what_came_out_is_written_where_outputs_stand_or_behind_the_case() {
        let file = parse(PAID).unwrap();
        let came = vec!["timeout  create 1, awaiting pay, at 5m".to_owned(), "late     2".to_owned()];
        let came: Vec<_> = file.cases.iter().map(|case| (case, came.clone())).collect();
        let updated = updated(PAID, &came);
        insta::assert_snapshot!(updated);
        assert_eq!(super::updated(&updated, &[]), updated);
        assert!(parse(&updated).unwrap().cases.iter().all(|case| case.expected.as_ref().unwrap().len() == 2));
    }

    #[test]
    fn a_body_may_be_indented_as_a_whole() {
        let case = body(
            "
            param patience = 5m
            events
              1  0m  create
              2  1m  pay
        ",
        );
        let case = case.unwrap();
        assert_eq!((case.arrivals.len(), case.settings.parameters.len()), (2, 1));
        assert_eq!(events("1  0m  create\n2  1m\n").unwrap_err()[0].line, 2);
    }
}
