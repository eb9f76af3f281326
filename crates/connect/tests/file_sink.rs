//! What a sink of files leaves in a folder.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use ensue_connect::{FileSink, Output, Position, Sink};
use ensue_model::Timestamp;
use proptest::prelude::*;
use tempfile::TempDir;

const DAY: i64 = 24 * 3_600;

/// A folder, and a sink of files in it.
struct Files {
    folder: TempDir,
    template: String,
    sink: Option<FileSink>,
}

impl Files {
    fn new(template: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let template = folder.path().join(template).display().to_string();
        Files { folder, template, sink: None }
    }

    fn open(&mut self, from: Option<&Position>) {
        self.sink = None;
        self.sink = Some(FileSink::open(&self.template, from).expect("opened"));
    }

    fn refusal(&mut self, from: Option<&Position>) -> String {
        self.sink = None;
        self.plain(&FileSink::open(&self.template, from).expect_err("refused").to_string())
    }

    fn plain(&self, text: &str) -> String {
        text.replace(&format!("{}/", self.folder.path().display()), "")
    }

    fn sink(&mut self) -> &mut FileSink {
        self.sink.as_mut().expect("open")
    }

    /// Puts a line of the day.
    fn put(&mut self, day: i64, line: &str) {
        let time = Timestamp::from_seconds(day * DAY);
        self.sink().put(Output { time, id: None, line: line.as_bytes() });
    }

    fn sync(&mut self) -> Position {
        self.sink().sync().expect("safe")
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.folder.path().join(name), text).expect("written");
    }

    /// All files with what they hold.
    fn all(&self) -> BTreeMap<String, String> {
        let mut files = BTreeMap::new();
        collect(self.folder.path(), &mut files);
        files.into_iter().map(|(path, text)| (self.plain(&path), text)).collect()
    }

    fn expect(&self, expected: &[(&str, &str)]) {
        let expected = expected.iter().map(|&(name, text)| (name.to_owned(), text.to_owned())).collect();
        assert_eq!(self.all(), expected);
    }
}

fn collect(folder: &Path, files: &mut BTreeMap<String, String>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        match path.is_dir() {
            true => collect(&path, files),
            false => _ = files.insert(path.display().to_string(), fs::read_to_string(&path).expect("text")),
        }
    }
}

#[test]
fn outputs_go_to_the_file_of_their_day() {
    let mut files = Files::new("out/{date}/matches-{hour}.jsonl");
    files.open(None);
    files.put(0, "a\n");
    files.put(1, "b\n");
    files.put(0, "c\n");
    files.expect(&[]);
    files.sync();
    files.put(1, "d\n");
    files.sink().flush().expect("written");
    files.expect(&[("out/1970-01-01/matches-00.jsonl", "a\nc\n"), ("out/1970-01-02/matches-00.jsonl", "b\nd\n")]);
}

#[test]
fn what_is_there_is_appended_to() {
    let mut files = Files::new("out.jsonl");
    files.write("out.jsonl", "before\n");
    files.open(None);
    let first = files.sync();
    files.put(0, "a\n");
    files.sync();
    files.expect(&[("out.jsonl", "before\na\n")]);
    files.open(Some(&first));
    files.expect(&[("out.jsonl", "before\n")]);
}

#[test]
fn opened_at_a_position_there_is_what_was_put_before_it_and_nothing_else() {
    let mut files = Files::new("{date}.jsonl");
    files.write("notes.jsonl", "not ours\n");
    files.open(None);
    files.put(0, "a\n");
    let position = files.sync();
    files.put(0, "b\n");
    files.put(1, "c\n");
    files.sync();
    files.put(2, "d\n");
    files.sink().flush().expect("written");
    files.open(Some(&position));
    files.expect(&[("1970-01-01.jsonl", "a\n"), ("notes.jsonl", "not ours\n")]);
    files.put(0, "b\n");
    files.put(1, "c\n");
    files.sync();
    files.expect(&[("1970-01-01.jsonl", "a\nb\n"), ("1970-01-02.jsonl", "c\n"), ("notes.jsonl", "not ours\n")]);
}

#[test]
fn a_position_of_another_template_cuts_its_files_and_removes_none() {
    let mut files = Files::new("old.jsonl");
    files.open(None);
    files.put(0, "a\n");
    let position = files.sync();
    files.put(0, "b\n");
    files.sync();
    files.write("new.jsonl", "of somebody\n");
    files.template = files.folder.path().join("new.jsonl").display().to_string();
    files.open(Some(&position));
    files.put(0, "b\n");
    files.sync();
    files.expect(&[("new.jsonl", "of somebody\nb\n"), ("old.jsonl", "a\n")]);
}

#[test]
fn more_files_than_may_be_open_are_written() {
    let mut files = Files::new("{date}.jsonl");
    files.open(None);
    for round in ["a\n", "b\n"] {
        (0..100).for_each(|day| files.put(day, round));
        files.sink().flush().expect("written");
    }
    let open = fs::read_dir("/proc/self/fd").map(|open| {
        open.flatten()
            .filter_map(|entry| fs::read_link(entry.path()).ok())
            .filter(|path| path.starts_with(files.folder.path()))
            .count()
    });
    assert!(open.is_ok_and(|open| open <= 16));
    files.sync();
    let all = files.all();
    assert_eq!(all.len(), 100);
    assert!(all.values().all(|text| text == "a\nb\n"));
}

#[test]
fn lost_outputs_are_said() {
    let mut files = Files::new("out.jsonl");
    files.open(None);
    files.put(0, "a\nb\n");
    let position = files.sync();
    files.write("out.jsonl", "a\n");
    assert_eq!(
        files.refusal(Some(&position)),
        "cannot go on in `out.jsonl` behind byte 4: it has only 2 bytes now, so that outputs are lost; put back what it \
         held, or begin again without what was saved"
    );
    fs::remove_file(files.folder.path().join("out.jsonl")).expect("removed");
    assert_eq!(files.refusal(Some(&position)), "cannot go on in `out.jsonl` behind byte 4: no such file or directory");
}

#[test]
fn a_file_that_is_removed_or_changed_while_it_is_written_is_said() {
    let mut files = Files::new("out.jsonl");
    files.open(None);
    files.put(0, "a\n");
    files.sync();
    fs::remove_file(files.folder.path().join("out.jsonl")).expect("removed");
    files.put(0, "b\n");
    let error = files.sink().sync().expect_err("it is gone").to_string();
    assert_eq!(
        files.plain(&error),
        "what was written to `out.jsonl` is not there: it has 0 bytes, and 4 were written; something else has removed, \
         replaced or changed it"
    );
}

#[test]
fn one_sink_writes_to_a_file() {
    let mut files = Files::new("out.jsonl");
    files.open(None);
    files.put(0, "a\n");
    let position = files.sync();
    let mut second = FileSink::open(&files.template, None).expect("opened");
    second.put(Output { time: Timestamp::from_seconds(0), id: None, line: b"b\n" });
    let expected =
        "cannot write to `out.jsonl`: another sink or another process writes to it; give each a file of its own";
    assert_eq!(files.plain(&second.flush().expect_err("refused").to_string()), expected);
    files.put(0, "c\n");
    files.sync();
    let running = FileSink::open(&files.template, Some(&position)).expect_err("it is being written").to_string();
    assert_eq!(files.plain(&running), expected);
    files.expect(&[("out.jsonl", "a\nc\n")]);
}

#[test]
fn what_cannot_be_written_is_said_and_waits() {
    let mut files = Files::new("out/a.jsonl");
    files.open(None);
    files.put(0, "a\n");
    files.write("out", "a file");
    assert_eq!(
        files.plain(&FileSink::open(&files.template, None).expect_err("refused").to_string()),
        "cannot write to `out/a.jsonl`: not a directory"
    );
    let error = files.sink().flush().expect_err("there is no folder").to_string();
    assert_eq!(files.plain(&error), "cannot make the folder `out`: file exists");
    fs::remove_file(files.folder.path().join("out")).expect("removed");
    files.sync();
    files.expect(&[("out/a.jsonl", "a\n")]);
    assert_eq!(
        files.refusal(Some(&Position("5".into()))),
        "the position `5` is none of a sink of files: invalid type: integer `5`, expected the lengths of files at line 1 \
         column 1"
    );
    files.template = files.folder.path().join("out").display().to_string();
    assert_eq!(files.refusal(None), "cannot write to `out`: it is a folder");
}

#[test]
fn paths_may_be_relative() {
    for prefix in ["", "./"] {
        let folder = tempfile::tempdir_in(".").expect("a folder");
        let name = folder.path().file_name().and_then(|name| name.to_str()).expect("text");
        let template = format!("{prefix}{name}/{{date}}.jsonl");
        let mut sink = FileSink::open(&template, None).expect("opened");
        let empty = sink.sync().expect("safe");
        sink.put(Output { time: Timestamp::from_seconds(0), id: None, line: b"a\n" });
        let full = sink.sync().expect("safe");
        drop(sink);
        assert_eq!(
            full.0,
            format!(r#"{{"template":"{name}/{{date}}.jsonl","files":{{"{name}/1970-01-01.jsonl":2}}}}"#)
        );
        drop(FileSink::open(&template, Some(&full)).expect("opened"));
        assert_eq!(fs::read(folder.path().join("1970-01-01.jsonl")).expect("kept"), b"a\n");
        drop(FileSink::open(&template, Some(&empty)).expect("opened"));
        assert!(!folder.path().join("1970-01-01.jsonl").exists());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    /// Whatever is put and wherever it stops: taken up at the last position, with what came behind it put again, each
    /// line is there once.
    #[test]
    fn what_is_put_again_after_a_stop_is_there_once(
        steps in prop::collection::vec((0_u8..4, 0_i64..5), 1..60),
        stops in prop::collection::vec(0_usize..60, 0..5),
    ) {
        let mut files = Files::new("{date}.jsonl");
        files.open(None);
        let mut safe = (files.sync(), 0);
        let mut stops = stops;
        let mut at = 0;
        while at < steps.len() {
            let (what, day) = steps[at];
            match what {
                0 => files.sink().flush().expect("written"),
                1 => safe = (files.sync(), at),
                _ => files.put(day, &format!("{at}\n")),
            }
            at += 1;
            if let Some(stop) = stops.iter().position(|stop| *stop == at) {
                stops.remove(stop);
                files.open(Some(&safe.0));
                at = safe.1;
            }
        }
        files.sync();
        let mut expected: BTreeMap<String, String> = BTreeMap::new();
        for (at, (_, day)) in steps.iter().enumerate().filter(|(_, (what, _))| *what > 1) {
            *expected.entry(format!("1970-01-0{}.jsonl", day + 1)).or_default() += &format!("{at}\n");
        }
        prop_assert_eq!(files.all(), expected);
    }
}
