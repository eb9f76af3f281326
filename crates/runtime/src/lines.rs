//! Outputs as lines of text: each shard writes its own, and what is handed on is bytes, with what tells where they go and in
//! which order.

use std::slice;

use ensue_engine::{Outputs, Rejected};
use ensue_io::{BadLine, Envelope};
use ensue_model::{Event, Match, StreamId, Timeout, Timestamp};

use crate::event::Numbered;
use crate::make::Make;

/// Lines of several shards, batch by batch.
#[derive(Debug, Default)]
pub struct Lines {
    /// For each batch, what the shards have written.
    batches: Vec<Vec<Part>>,
    /// Room that has been written before: it need not be asked for again, and is in the cache.
    room: Option<Part>,
}

/// What one shard has written for one batch: first what is rejected, then what is late, then matches and timeouts in the order
/// of their times. Time runs out before what happens at that time.
#[derive(Debug)]
pub struct Part {
    sheets: Vec<Sheet>,
}

/// Some lines, with their text. At the end of an input much comes out at once: a text that grew would be copied again and again.
#[derive(Debug)]
struct Sheet {
    lines: Vec<Line>,
    text: Vec<u8>,
}

/// When a sheet is full: most batches do not fill one.
const SHEET_BYTES: usize = 256 * 1024;

/// What is known of a line.
#[derive(Debug)]
pub struct Line {
    /// What it says.
    pub kind: Kind,
    /// The event time of what it says.
    pub time: Timestamp,
    /// The id of a match or a timeout; none where nobody wants it.
    pub id: Option<u128>,
    /// How many bytes of the text are its own. Where nobody wants it, none are.
    length: usize,
}

/// What a line says.
#[derive(Debug)]
pub enum Kind {
    /// An event that could not be taken in.
    Rejected(Box<Refusal>),
    /// An event that came too late.
    Late,
    /// A timeout of a pattern, by its place among the patterns.
    Timeout(usize),
    /// A match of a pattern, by its place among the patterns.
    Match(usize),
}

/// Why an event could not be taken in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refusal {
    /// Its stream.
    pub stream: StreamId,
    /// Where it stands, if it was a line, and the reason.
    pub what: String,
}

/// Lines that follow each other, with their text.
#[derive(Clone, Copy, Debug)]
pub struct Run<'l> {
    /// The lines.
    pub lines: &'l [Line],
    /// What they say, each with its end.
    pub text: &'l [u8],
}

impl Lines {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.batches.is_empty()
    }

    /// Lets go of all lines, and keeps room for as many as one shard has written last.
    pub fn clear(&mut self) {
        if let Some([part]) = self.batches.last_mut().map(|parts| &mut parts[..]) {
            part.clear();
            self.room = Some(std::mem::replace(part, Part { sheets: Vec::new() }));
        }
        self.batches.clear();
    }

    /// The lines in their order, as many together as come from one shard.
    pub fn runs(&self) -> impl Iterator<Item = Run<'_>> {
        self.batches.iter().flat_map(|parts| Merged { rests: parts.iter().map(Rest::of).collect() })
    }
}

impl Part {
    /// Without lines, and with room for so many with so many bytes.
    fn new(lines: usize, bytes: usize) -> Self {
        Part { sheets: vec![Sheet { lines: Vec::with_capacity(lines), text: Vec::with_capacity(bytes) }] }
    }

    fn clear(&mut self) {
        self.sheets.truncate(1);
        self.sheets.iter_mut().for_each(|sheet| {
            sheet.lines.clear();
            sheet.text.clear();
        });
    }

    fn write(&mut self, kind: Kind, time: Timestamp, write: impl FnOnce(&mut Vec<u8>) -> Option<u128>) {
        let Sheet { lines, text } = self.open_sheet();
        let before = text.len();
        let id = write(text);
        lines.push(Line { kind, time, id, length: text.len() - before });
    }

    #[inline]
    fn open_sheet(&mut self) -> &mut Sheet {
        if self.sheets.last().is_none_or(|sheet| sheet.text.len() >= SHEET_BYTES) {
            self.sheets.push(Sheet { lines: Vec::new(), text: Vec::with_capacity(SHEET_BYTES + SHEET_BYTES / 8) });
        }
        self.sheets.last_mut().expect("there is one that is not full")
    }

    /// How many lines there are, and how many bytes.
    fn size(&self) -> (usize, usize) {
        let sizes = self.sheets.iter().map(|sheet| (sheet.lines.len(), sheet.text.len()));
        sizes.fold((0, 0), |(lines, bytes), (of_sheet, more)| (lines + of_sheet, bytes + more))
    }
}

impl Sheet {
    fn run(&self) -> Run<'_> {
        Run { lines: &self.lines, text: &self.text }
    }
}

impl Line {
    /// Where it stands among the lines of all shards.
    fn place(&self) -> (Timestamp, u8) {
        match self.kind {
            Kind::Rejected(_) => (Timestamp::MIN, 0),
            Kind::Late => (Timestamp::MIN, 1),
            Kind::Timeout(_) => (self.time, 2),
            Kind::Match(_) => (self.time, 3),
        }
    }
}

impl<'l> Run<'l> {
    /// Each line by itself, with its text.
    pub fn each(self) -> impl Iterator<Item = (&'l Line, &'l [u8])> {
        self.split(|_, _| false).map(|run| (&run.lines[0], run.text))
    }

    /// The lines in pieces, as long as each is like the one before.
    pub fn split(self, are_alike: impl Fn(&Line, &Line) -> bool) -> impl Iterator<Item = Run<'l>> {
        let mut rest = self;
        self.lines.chunk_by(are_alike).map(move |lines| rest.split_off(lines.len()))
    }

    /// The first so many lines, which this then has no more.
    fn split_off(&mut self, count: usize) -> Run<'l> {
        let (lines, other_lines) = self.lines.split_at(count);
        let (text, other_text) = self.text.split_at(lines.iter().map(|line| line.length).sum());
        *self = Run { lines: other_lines, text: other_text };
        Run { lines, text }
    }
}

/// The lines of one batch: of the first of each part, the earliest comes next, and of equal ones that of the first part. What
/// one shard wrote keeps its order.
struct Merged<'l> {
    rests: Vec<Rest<'l>>,
}

/// What is left of a part.
struct Rest<'l> {
    /// What is left of the sheet at hand: something, unless nothing is left at all.
    run: Run<'l>,
    sheets: slice::Iter<'l, Sheet>,
}

impl<'l> Rest<'l> {
    fn of(part: &'l Part) -> Self {
        let mut rest = Rest { run: Run { lines: &[], text: &[] }, sheets: part.sheets.iter() };
        rest.turn();
        rest
    }

    /// Goes to the next sheet that has lines, where this one has none any more.
    fn turn(&mut self) {
        while self.run.lines.is_empty()
            && let Some(sheet) = self.sheets.next()
        {
            self.run = sheet.run();
        }
    }

    fn split_off(&mut self, count: usize) -> Run<'l> {
        let run = self.run.split_off(count);
        self.turn();
        run
    }
}

impl<'l> Iterator for Merged<'l> {
    type Item = Run<'l>;

    fn next(&mut self) -> Option<Run<'l>> {
        let (first, others) = self.first()?;
        let rest = &mut self.rests[first];
        let is_next = |line: &&Line| others.is_none_or(|others| (line.place(), first) < others);
        let count = rest.run.lines.iter().take_while(is_next).count();
        Some(rest.split_off(count))
    }
}

impl Merged<'_> {
    /// The part whose line comes next, and where the first line of the others stands.
    #[expect(clippy::type_complexity, reason = "a place and a part, twice")]
    fn first(&self) -> Option<(usize, Option<((Timestamp, u8), usize)>)> {
        let rests = self.rests.iter().zip(0..);
        let heads = rests.filter_map(|(rest, part)| Some((rest.run.lines.first()?.place(), part)));
        let (_, first) = heads.clone().min()?;
        Some((first, heads.filter(|(_, part)| *part != first).min()))
    }
}

/// Writes what comes out of a shard.
#[derive(Clone, Debug)]
pub struct Encoder {
    envelope: Envelope,
    wanted: Wanted,
    /// How much there was last: about as much there will be.
    expected: (usize, usize),
}

/// What somebody wants to have written. The rest is only counted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Wanted {
    /// For each pattern, its matches.
    pub matches: Vec<bool>,
    /// For each pattern, its timeouts.
    pub timeouts: Vec<bool>,
    /// Late events.
    pub late: bool,
    /// Events that could not be taken in.
    pub rejected: bool,
}

impl Encoder {
    /// What writes lines of that form.
    pub fn new(envelope: Envelope, wanted: Wanted) -> Self {
        Encoder { envelope, wanted, expected: (0, 0) }
    }

    /// Writes outputs, and leaves none.
    fn write(&self, outputs: &mut Outputs<Numbered>, part: &mut Part) {
        outputs.rejected.drain(..).for_each(|rejected| self.write_rejected(&rejected, part));
        outputs.late.drain(..).for_each(|late| self.write_late(&late, part));
        let mut matches = outputs.matches.drain(..).peekable();
        for timeout in outputs.timeouts.drain(..) {
            while let Some(matched) = matches.next_if(|matched| matched.at < timeout.deadline) {
                self.write_match(&matched, part);
            }
            self.write_timeout(&timeout, part);
        }
        matches.for_each(|matched| self.write_match(&matched, part));
    }

    fn write_rejected(&self, rejected: &Rejected<Numbered>, part: &mut Part) {
        let Numbered { line, row } = &*rejected.event;
        let reason = &rejected.reason;
        let bad = line.map(|line| BadLine { line: line.get(), reason: reason.clone(), raw: row.raw().into() });
        let what = bad.as_ref().map_or_else(|| reason.clone(), BadLine::to_string);
        let kind = Kind::Rejected(Box::new(Refusal { stream: row.stream(), what }));
        part.write(kind, row.time(), |text| {
            match &bad {
                _ if !self.wanted.rejected => {}
                Some(bad) => self.envelope.write_rejected(row.stream(), bad.line, reason, &bad.raw, text),
                None => self.envelope.write_rejected_record(row, reason, text),
            }
            None
        });
    }

    fn write_late(&self, late: &Numbered, part: &mut Part) {
        part.write(Kind::Late, late.time(), |text| {
            if self.wanted.late {
                self.envelope.write_late(&late.row, text);
            }
            None
        });
    }

    fn write_match(&self, matched: &Match<Numbered>, part: &mut Part) {
        let pattern = matched.run.pattern;
        let is_wanted = self.wanted.matches[pattern];
        part.write(Kind::Match(pattern), matched.at, |text| {
            is_wanted.then(|| self.envelope.write_match(matched, text))
        });
    }

    fn write_timeout(&self, timeout: &Timeout<Numbered>, part: &mut Part) {
        let pattern = timeout.run.pattern;
        let is_wanted = self.wanted.timeouts[pattern];
        part.write(Kind::Timeout(pattern), timeout.deadline, |text| {
            is_wanted.then(|| self.envelope.write_timeout(timeout, text))
        });
    }
}

impl Make<Numbered> for Encoder {
    type Made = Part;
    type Out = Lines;

    fn make(&mut self, outputs: &mut Outputs<Numbered>) -> Part {
        let (lines, bytes) = self.expected;
        let mut part = Part::new(lines, (bytes + bytes / 8).min(SHEET_BYTES));
        self.write(outputs, &mut part);
        self.expected = part.size();
        part
    }

    fn make_here(&mut self, outputs: &mut Outputs<Numbered>, out: &mut Lines) {
        let mut part = out.room.take().unwrap_or_else(|| Part::new(0, 0));
        self.write(outputs, &mut part);
        out.batches.push(vec![part]);
    }

    fn put_together(made: Vec<Part>, out: &mut Lines) {
        if made.iter().any(|part| part.size().0 > 0) {
            out.batches.push(made);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lines that are told by a kind, a time and a name: `t5 a` is a timeout at 5.
    fn part(lines: &[&str]) -> Part {
        let mut part = Part::new(0, 0);
        for said in lines {
            let (place, name) = said.split_once(' ').expect("a line has a name");
            let time = || Timestamp::from_seconds(place[1..].parse().expect("a time is a number"));
            let (kind, time) = match &place[..1] {
                "m" => (Kind::Match(0), time()),
                "t" => (Kind::Timeout(0), time()),
                "l" => (Kind::Late, Timestamp::from_seconds(100)),
                _ => {
                    let refusal = Refusal { stream: StreamId(0), what: name.to_owned() };
                    (Kind::Rejected(Box::new(refusal)), Timestamp::from_seconds(100))
                }
            };
            part.write(kind, time, |text| {
                text.extend_from_slice(name.as_bytes());
                None
            });
        }
        part
    }

    fn check(batches: &[&[&[&str]]], expected: &str) {
        let mut lines = Lines::default();
        for parts in batches {
            Encoder::put_together(parts.iter().map(|lines| part(lines)).collect(), &mut lines);
        }
        let runs: Vec<&str> = lines.runs().map(|run| str::from_utf8(run.text).expect("names are text")).collect();
        assert_eq!(runs.join(" "), expected);
        let each: Vec<u8> = lines.runs().flat_map(Run::each).flat_map(|(_, text)| text).copied().collect();
        assert_eq!(String::from_utf8(each).expect("names are text"), expected.replace(' ', ""));
    }

    #[test]
    fn lines_of_several_shards_come_in_the_order_of_time() {
        check(&[&[&["m1 a", "m3 b", "m3 c"], &["m2 d", "m4 e"]]], "a d bc e");
    }

    #[test]
    fn of_one_time_timeouts_come_first_and_then_the_first_shard() {
        check(&[&[&["t1 a", "m1 b", "t2 c"], &["t1 d", "m1 e", "m2 f"]]], "a d b e c f");
    }

    #[test]
    fn what_is_rejected_or_late_comes_before_all_that_has_its_time() {
        check(&[&[&["r a", "l b", "m1 c"], &["r d", "l e", "m0 f"]]], "a d b ef c");
    }

    #[test]
    fn what_a_shard_wrote_keeps_its_order() {
        check(&[&[&["m5 a", "m1 b"], &["m2 c"]]], "c ab");
    }

    #[test]
    fn batches_stay_apart() {
        check(&[&[&["m5 a"], &[]], &[&[], &[]], &[&["m1 b"], &["m0 c"]]], "a c b");
    }

    #[test]
    fn what_fills_several_sheets_keeps_its_order() {
        let mut lines = Lines::default();
        let name = |index: i64| format!("{index:01000}");
        let part_of = |indices: &mut dyn Iterator<Item = i64>| {
            let mut part = Part::new(0, 0);
            for index in indices {
                part.write(Kind::Match(0), Timestamp::from_seconds(index), |text| {
                    text.extend_from_slice(name(index).as_bytes());
                    None
                });
            }
            part
        };
        let parts = vec![part_of(&mut (0..2_000).step_by(2)), part_of(&mut (1..2_000).step_by(2))];
        assert!(parts.iter().all(|part| part.sheets.len() > 3));
        Encoder::put_together(parts, &mut lines);
        let found: Vec<&[u8]> = lines.runs().flat_map(Run::each).map(|(_, text)| text).collect();
        let expected: Vec<String> = (0..2_000).map(name).collect();
        assert!(found.into_iter().eq(expected.iter().map(String::as_bytes)));
    }

    #[test]
    fn a_run_is_split_where_lines_differ() {
        let part = part(&["m1 a", "m2 b", "t3 c", "m4 d"]);
        let are_alike = |a: &Line, b: &Line| a.place().1 == b.place().1;
        let pieces: Vec<&[u8]> = part.sheets[0].run().split(are_alike).map(|run| run.text).collect();
        assert_eq!(pieces, [&b"ab"[..], b"c", b"d"]);
    }
}
