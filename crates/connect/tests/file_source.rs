//! What a source of files gives, told as one text: a line in brackets for each document that opens, and its bytes.

#![expect(clippy::disallowed_methods, reason = "a test that waits for what comes must give up at some time")]

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use ensue_connect::{FileSource, FileSourceConfig, Opened, Position, Read, Source};
use proptest::prelude::*;
use tempfile::TempDir;

/// Nothing takes that long unless it never comes.
const DEADLINE: Duration = Duration::from_secs(20);

/// A folder, and a source of what is in it.
struct Files {
    folder: TempDir,
    config: FileSourceConfig,
    source: Option<FileSource>,
    /// What has been given.
    told: String,
}

impl Files {
    fn new(paths: &[&str], follow: bool) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let paths = paths.iter().map(|path| folder.path().join(path).display().to_string()).collect();
        Files { folder, config: FileSourceConfig { paths, follow }, source: None, told: String::new() }
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).expect("written");
    }

    fn write_bytes(&self, name: &str, bytes: &[u8]) {
        fs::write(self.path(name), bytes).expect("written");
    }

    fn append(&self, name: &str, text: &str) {
        let file = OpenOptions::new().append(true).create(true).open(self.path(name));
        file.and_then(|mut file| file.write_all(text.as_bytes())).expect("appended");
    }

    fn rename(&self, from: &str, to: &str) {
        fs::rename(self.path(from), self.path(to)).expect("renamed");
    }

    fn open(&mut self, from: Option<&Position>) {
        self.source = Some(FileSource::open(&self.config, from).expect("opened"));
    }

    fn refusal(&self, from: Option<&Position>) -> String {
        let refusal = FileSource::open(&self.config, from).expect_err("refused").to_string();
        refusal.replace(&format!("{}/", self.folder.path().display()), "")
    }

    fn position(&self) -> Position {
        self.source.as_ref().expect("open").position()
    }

    fn stop(&mut self) -> Position {
        let position = self.position();
        self.source = None;
        position
    }

    /// Reads once. False at the end.
    fn read(&mut self, patience: Duration) -> bool {
        let folder = format!("{}/", self.folder.path().display());
        let text = match self.source.as_mut().expect("open").read(patience).expect("read") {
            Read::Opened(opened) => told(&opened).replace(&folder, ""),
            Read::Bytes(bytes) => str::from_utf8(bytes).expect("text").to_owned(),
            Read::Nothing => String::new(),
            Read::Ended => return false,
        };
        self.told.push_str(&text);
        true
    }

    /// All that comes to the end.
    fn all(&mut self) -> &str {
        while self.read(Duration::ZERO) {}
        &self.told
    }

    /// Reads until this has been given since the last time, and no more.
    fn expect(&mut self, expected: &str) {
        let deadline = Instant::now() + DEADLINE;
        while self.told != expected && Instant::now() < deadline {
            assert!(self.read(Duration::from_millis(20)), "a source that follows has no end");
            assert!(expected.starts_with(&self.told), "expected:\n{expected}\ngiven:\n{}", self.told);
        }
        assert_eq!(self.told, expected);
        self.told.clear();
    }

    /// Reads for some looks, in which nothing comes.
    fn expect_nothing(&mut self) {
        let until = Instant::now() + Duration::from_millis(350);
        while Instant::now() < until {
            self.read(Duration::from_millis(50));
        }
        assert_eq!(self.told, "");
    }
}

fn told(opened: &Opened<'_>) -> String {
    let Opened { name, offset, lines, first_line } = opened;
    let first_line = str::from_utf8(first_line).expect("text").trim_end();
    match offset {
        0 => format!("[{name}]\n"),
        _ => format!("[{name} from byte {offset}, behind {lines} lines, first {first_line}]\n"),
    }
}

#[test]
fn files_come_in_the_order_in_which_people_count() {
    let mut files = Files::new(&["*.csv"], false);
    files.write("10.csv", "10\n");
    files.write("2.csv", "2\n");
    files.write("1.csv", "1\nwithout an end");
    files.write("2.txt", "not asked for");
    files.write(".3.csv", "hidden");
    fs::create_dir(files.path("4.csv")).expect("a folder");
    files.open(None);
    assert_eq!(files.all(), "[1.csv]\n1\nwithout an end[2.csv]\n2\n[10.csv]\n10\n");
}

#[test]
fn a_folder_is_all_files_in_it_and_a_file_is_read_once() {
    let mut files = Files::new(&["", "b"], false);
    files.write("b", "b\n");
    files.write("a", "");
    files.open(None);
    assert_eq!(files.all(), "[a]\n[b]\nb\n");
}

#[test]
fn a_name_with_brackets_is_a_file_where_there_is_one() {
    let mut files = Files::new(&["a[1].csv"], false);
    files.write("a[1].csv", "it\n");
    files.write("a1.csv", "not it\n");
    files.open(None);
    assert_eq!(files.all(), "[a[1].csv]\nit\n");
}

#[test]
fn what_cannot_be_read_is_said() {
    assert!(Files::new(&["*.csv"], false).refusal(None).ends_with("*.csv`"), "no file is called");
    let no_pattern =
        Files { config: FileSourceConfig { paths: vec!["a[".into()], follow: false }, ..Files::new(&[], false) };
    assert_eq!(no_pattern.refusal(None), "`a[` is no pattern of file names: invalid range pattern at character 2");
    let one = Files::new(&["a.csv", "b.csv"], false);
    assert_eq!(one.refusal(None), "no file is called `a.csv` or `b.csv`");
    let mut below = Files::new(&["a.csv/b.csv"], false);
    below.write("a.csv", "");
    assert_eq!(below.refusal(None), "cannot read `a.csv/b.csv`: not a directory");
    below.config.paths.pop();
    assert_eq!(
        below.refusal(Some(&Position("5".into()))),
        "the position `5` is none of a source of files: invalid type: integer `5`, expected the places of files \
         at line 1 column 1"
    );
}

#[test]
fn a_file_that_vanishes_is_said_and_goes_on_when_it_is_back() {
    let mut files = Files::new(&["*"], false);
    files.write("1", "1\n");
    files.write("2", "2\n");
    files.open(None);
    assert!(files.read(Duration::ZERO) && files.read(Duration::ZERO));
    fs::rename(files.path("2"), files.folder.path().with_extension("away")).expect("moved");
    let gone = files.source.as_mut().expect("open").read(Duration::ZERO).expect_err("it is gone").to_string();
    assert!(gone.contains("it was there when the files were listed, and now it is gone"), "{gone}");
    fs::rename(files.folder.path().with_extension("away"), files.path("2")).expect("moved back");
    assert_eq!(files.all(), "[1]\n1\n[2]\n2\n");
}

#[test]
fn what_is_appended_is_given_and_a_line_without_an_end_waits_for_its_rest() {
    let mut files = Files::new(&["app.log"], true);
    files.open(None);
    files.expect("");
    files.append("app.log", "one\ntw");
    files.expect("[app.log]\none\n");
    files.expect_nothing();
    files.append("app.log", "o\nthree\n");
    files.expect("two\nthree\n");
}

#[test]
fn a_file_that_was_left_goes_on_where_it_was() {
    let mut files = Files::new(&["*.csv"], true);
    files.write("a.csv", "id,type\n1,a\n");
    files.write("b.csv", "id,type\n2,b\n");
    files.open(None);
    files.expect("[a.csv]\nid,type\n1,a\n[b.csv]\nid,type\n2,b\n");
    files.append("a.csv", "3,a\nhalf");
    files.expect("[a.csv from byte 12, behind 2 lines, first id,type]\n3,a\n");
    files.append("b.csv", "4,b\n");
    files.expect("[b.csv from byte 12, behind 2 lines, first id,type]\n4,b\n");
    files.append("a.csv", " a line\n");
    files.append("c.csv", "5\n");
    files.expect("[a.csv from byte 16, behind 3 lines, first id,type]\nhalf a line\n[c.csv]\n5\n");
}

#[test]
fn a_file_that_is_renamed_is_read_to_its_end_before_the_new_one() {
    let mut files = Files::new(&["app.log"], true);
    files.write("app.log", "one\n");
    files.open(None);
    files.expect("[app.log]\none\n");
    files.append("app.log", "two\n");
    files.rename("app.log", "app.log.1");
    files.append("app.log.1", "three\n");
    files.write("app.log", "four\n");
    files.expect("two\nthree\n[app.log]\nfour\n");
    // The program that writes learns of it later.
    files.append("app.log.1", "five\n");
    files.expect("[app.log.1 from byte 14, behind 3 lines, first one]\nfive\n");
}

#[test]
fn a_file_that_is_renamed_is_one_whether_or_not_its_new_name_fits() {
    let mut files = Files::new(&["app.log*"], true);
    files.write("app.log", "one\n");
    files.open(None);
    files.expect("[app.log]\none\n");
    files.rename("app.log", "app.log.1");
    files.write("app.log", "two\n");
    files.expect("[app.log]\ntwo\n");
    files.expect_nothing();
}

#[test]
fn a_file_that_is_removed_is_read_to_its_end() {
    let mut files = Files::new(&["app.log"], true);
    files.write("app.log", "one\n");
    files.open(None);
    files.expect("[app.log]\none\n");
    files.append("app.log", "two\n");
    fs::remove_file(files.path("app.log")).expect("removed");
    files.write("app.log", "three\n");
    files.expect("two\n[app.log]\nthree\n");
}

#[test]
fn a_file_that_is_copied_and_cut_loses_nothing_and_gives_nothing_twice() {
    for pattern in ["app.log", "app.log*"] {
        let mut files = Files::new(&[pattern], true);
        files.write("app.log", "one\n");
        files.open(None);
        files.expect("[app.log]\none\n");
        fs::copy(files.path("app.log"), files.path("app.log.1")).expect("copied");
        files.expect_nothing();
        files.append("app.log.1", "two\n");
        let file = File::options().write(true).open(files.path("app.log")).expect("opened");
        file.set_len(0).expect("cut");
        files.expect("two\n");
        files.append("app.log", "3\n");
        files.expect("[app.log]\n3\n");
        files.expect_nothing();
    }
}

#[test]
fn a_file_that_is_cut_is_read_from_its_beginning() {
    let mut files = Files::new(&["app.log"], true);
    files.write("app.log", "one\ntwo\n");
    files.open(None);
    files.expect("[app.log]\none\ntwo\n");
    // As long as before and longer, it is seen by what it begins with.
    for text in ["1\n", "uno\ndos\n", "uns\ndeux\ntrois\n"] {
        files.write("app.log", text);
        files.expect(&format!("[app.log]\n{text}"));
    }
}

#[test]
fn neither_of_two_files_that_grow_waits_for_the_other() {
    let mut files = Files::new(&["*.log"], true);
    let line = "a line\n";
    for name in ["a.log", "b.log"] {
        files.write(name, line);
    }
    files.open(None);
    files.expect(&format!("[a.log]\n{line}[b.log]\n{line}"));
    // While a.log is read, it grows: that comes after b.log.
    files.append("a.log", line);
    files.append("b.log", line);
    while files.told.is_empty() {
        files.read(Duration::from_millis(20));
    }
    files.append("a.log", line);
    let length = line.len();
    files.expect(&format!(
        "[a.log from byte {length}, behind 1 lines, first a line]\n{line}\
         [b.log from byte {length}, behind 1 lines, first a line]\n{line}\
         [a.log from byte {}, behind 2 lines, first a line]\n{line}",
        2 * length
    ));
}

#[test]
fn after_a_stop_the_document_goes_on_and_then_the_others() {
    let mut files = Files::new(&["*.log"], true);
    files.write("a.log", "a\n");
    files.write("b.log", "b\n");
    files.open(None);
    files.expect("[a.log]\na\n[b.log]\nb\n");
    let position = files.stop();
    files.append("a.log", "aa\n");
    files.append("c.log", "c\n");
    files.open(Some(&position));
    files.expect(
        "[b.log from byte 2, behind 1 lines, first b]\n[a.log from byte 2, behind 1 lines, first a]\naa\n[c.log]\nc\n",
    );
}

#[test]
fn after_a_stop_in_which_it_was_rotated_twice_nothing_is_lost() {
    let mut files = Files::new(&["app.log"], true);
    files.write("app.log", "one\n");
    set_age(&files.path("app.log"), 35);
    files.open(None);
    files.expect("[app.log]\none\n");
    let position = files.stop();
    files.append("app.log", "two\n");
    set_age(&files.path("app.log"), 30);
    files.rename("app.log", "app.log.2");
    files.write("app.log.1", "three\n");
    set_age(&files.path("app.log.1"), 20);
    files.write("app.log.0", "from before\n");
    set_age(&files.path("app.log.0"), 40);
    files.write("app.log", "four\n");
    files.open(Some(&position));
    files.expect("[app.log.2 from byte 4, behind 1 lines, first one]\ntwo\n[app.log.1]\nthree\n[app.log]\nfour\n");
    let position = files.stop();
    files.append("app.log.2", "late\n");
    files.open(Some(&position));
    files.expect(
        "[app.log from byte 5, behind 1 lines, first four]\n[app.log.2 from byte 8, behind 2 lines, first one]\nlate\n",
    );
}

#[test]
fn what_was_followed_is_read_to_its_end_by_one_that_does_not_follow() {
    let mut files = Files::new(&["*.log"], true);
    files.write("app.log", "one\n");
    files.write("ago.log", "a\nhalf");
    files.open(None);
    files.expect("[ago.log]\na\n[app.log]\none\n");
    let position = files.stop();
    files.append("app.log", "two\n");
    set_age(&files.path("app.log"), 30);
    files.rename("app.log", "app.log.1");
    files.write("app.log", "three\n");
    files.config.follow = false;
    let expected = "[app.log.1 from byte 4, behind 1 lines, first one]\ntwo\n\
                    [ago.log from byte 2, behind 1 lines, first a]\nhalf[app.log]\nthree\n";
    files.open(Some(&position));
    assert_eq!(files.all(), expected);
    for stop in 0..5 {
        files.told.clear();
        files.open(Some(&position));
        (0..stop).for_each(|_| _ = files.read(Duration::ZERO));
        let position = files.stop();
        let before = std::mem::take(&mut files.told);
        files.open(Some(&position));
        let without_names = |text: &str| {
            text.split('[').filter_map(|text| Some(text.split_once("]\n")?.1.to_owned())).collect::<String>()
        };
        assert_eq!(without_names(&before) + &without_names(files.all()), "two\nhalfthree\n", "stopped after {stop}");
    }
}

#[test]
fn what_came_and_went_under_a_name_that_was_free_is_not_lost() {
    for stops in [false, true] {
        let mut files = Files::new(&["app.log"], true);
        files.write("app.log", "one\n");
        set_age(&files.path("app.log"), 30);
        files.open(None);
        files.expect("[app.log]\none\n");
        files.rename("app.log", "app.log.1");
        files.expect_nothing();
        let position = files.position();
        files.write("app.log.2", "two\n");
        set_age(&files.path("app.log.2"), 20);
        files.write("app.log", "three\n");
        let mut expected = "[app.log.2]\ntwo\n[app.log]\nthree\n".to_owned();
        if stops {
            files.open(Some(&position));
            expected.insert_str(0, "[app.log.1 from byte 4, behind 1 lines, first one]\n");
        }
        files.expect(&expected);
    }
}

#[test]
fn after_a_stop_in_which_it_was_copied_and_cut_nothing_is_lost() {
    let mut files = Files::new(&["app.log"], true);
    files.write("app.log", "one\n");
    files.open(None);
    files.expect("[app.log]\none\n");
    let position = files.stop();
    files.append("app.log", "two\n");
    fs::copy(files.path("app.log"), files.path("app.log.1")).expect("copied");
    File::options().write(true).open(files.path("app.log")).and_then(|file| file.set_len(0)).expect("cut");
    files.append("app.log", "three\n");
    files.open(Some(&position));
    files.expect("[app.log.1 from byte 4, behind 1 lines, first one]\ntwo\n[app.log]\nthree\n");
}

#[test]
fn a_position_whose_file_is_not_to_be_found_is_refused() {
    for follow in [false, true] {
        let mut files = Files::new(&["app.log"], follow);
        files.write("app.log", "one\ntwo\n");
        files.open(None);
        files.read(Duration::ZERO);
        files.read(Duration::ZERO);
        let position = files.stop();
        let expected = "cannot go on in `app.log` at byte 8: neither it nor a file beside it is the one that was read so far; \
                        what was written to that one behind byte 8 is lost, unless it is put back";
        files.write("app.log", "one\n");
        assert_eq!(files.refusal(Some(&position)), expected, "shorter");
        files.write("app.log", "another beginning\n");
        assert_eq!(files.refusal(Some(&position)), expected, "another one");
        fs::remove_file(files.path("app.log")).expect("removed");
        assert_eq!(files.refusal(Some(&position)), expected, "gone");
        files.write("app.log", "one\ntwo\nthree\n");
        files.told.clear();
        files.open(Some(&position));
        files.read(Duration::ZERO);
        files.read(Duration::ZERO);
        assert_eq!(files.told, "[app.log from byte 8, behind 2 lines, first one]\nthree\n", "put back from a copy");
    }
}

#[test]
fn positions_are_read_by_people() {
    let mut files = Files::new(&["*.log"], true);
    files.write("a.log", "one\n");
    files.write("b.log", "one\ntwo\n");
    files.open(None);
    files.expect("[a.log]\none\n[b.log]\none\ntwo\n");
    let position: serde_json::Value = serde_json::from_str(&files.position().0).expect("JSON");
    assert!(position["document"]["path"].as_str().expect("a path").ends_with("b.log"));
    assert_eq!(position["document"]["offset"], 8);
    assert_eq!(position["document"]["lines"], 2);
    assert!(position["others"][0]["path"].as_str().expect("a path").ends_with("a.log"));
}

#[test]
fn a_line_that_is_longer_than_any_record_comes_in_pieces_with_nothing_between_them() {
    let line = "x".repeat(40 * 1024 * 1024);
    let mut files = Files::new(&["*.log"], true);
    files.write("a.log", &format!("one\n{line}"));
    files.write("b.log", "two\n");
    files.open(None);
    (0..10).for_each(|_| assert!(files.read(Duration::ZERO)));
    assert!(files.told.len() > 32 * 1024 * 1024 && files.told.ends_with("xxx"), "its end is not there yet");
    let (position, given) = (files.position(), files.told.len());
    files.append("a.log", "\n");
    let expected = format!("[a.log]\none\n{line}\n[b.log]\ntwo\n");
    while !files.told.ends_with("two\n") {
        assert!(files.read(Duration::from_millis(20)) && expected.starts_with(&files.told));
    }
    files.told.clear();
    files.open(Some(&position));
    files.read(Duration::ZERO);
    files.told.clear();
    while !files.told.ends_with("two\n") {
        assert!(files.read(Duration::from_millis(20)) && expected[given..].starts_with(&files.told));
    }
}

#[test]
fn compressed_files_are_read_whatever_their_name_and_number_of_members() {
    let mut files = Files::new(&["*"], false);
    files.write_bytes("1.gz", &[gzip("a\n"), gzip("b\n")].concat());
    files.write_bytes("2.zst", &[zstd("c\n"), zstd("d\n")].concat());
    files.write_bytes("3", &gzip("e\n"));
    files.write_bytes("4", &zstd("f"));
    files.write_bytes("5.gz", b"");
    files.write_bytes("6.gz", b"not compressed\n");
    files.open(None);
    assert_eq!(files.all(), "[1.gz]\na\nb\n[2.zst]\nc\nd\n[3]\ne\n[4]\nf[5.gz]\n[6.gz]\nnot compressed\n");
}

#[test]
fn a_compressed_file_goes_on_in_its_midst() {
    for pack in [gzip, zstd] {
        let mut files = Files::new(&["packed"], false);
        let lines: String = (0..100_000).map(|number| format!("line {number}\n")).collect();
        files.write_bytes("packed", &pack(&lines));
        files.open(None);
        assert!(files.read(Duration::ZERO) && files.read(Duration::ZERO));
        let given = files.told.split_off("[packed]\n".len());
        assert!(!given.is_empty() && given.len() < lines.len());
        let position = files.stop();
        files.told.clear();
        files.open(Some(&position));
        let opened =
            format!("[packed from byte {}, behind {} lines, first line 0]\n", given.len(), given.lines().count());
        assert!(files.all() == opened + &lines[given.len()..]);
    }
}

#[test]
fn of_a_compressed_file_that_is_cut_off_all_is_given_that_there_is_and_then_an_error() {
    for pack in [gzip, zstd] {
        let mut files = Files::new(&["*"], false);
        let lines: String = (0..100_000).map(|number| format!("line {number}\n")).collect();
        let packed = pack(&lines);
        files.write_bytes("1", &packed[..packed.len() - packed.len() / 4]);
        files.write("2", "two\n");
        files.open(None);
        let error = loop {
            match files.source.as_mut().expect("open").read(Duration::ZERO) {
                Ok(Read::Bytes(bytes)) => files.told += str::from_utf8(bytes).expect("text"),
                Ok(_) => {}
                Err(error) => break error.to_string(),
            }
        };
        assert!(files.told.len() > lines.len() / 2 && lines.starts_with(&files.told));
        let expected = format!(
            "its compressed bytes end too early, behind {} bytes of what they hold; put the whole file there",
            files.told.len()
        );
        assert!(error.ends_with(&expected), "{error}");
        let again = files.source.as_mut().expect("open").read(Duration::ZERO).expect_err("still").to_string();
        assert_eq!(again, error);
        files.write_bytes("1", &packed);
        files.all();
        assert!(files.told == lines + "[2]\ntwo\n");
    }
}

#[test]
fn a_broken_compressed_file_is_said() {
    let mut files = Files::new(&["*"], false);
    let mut packed = gzip("a line\n");
    packed[12] ^= 0xff;
    files.write_bytes("1.gz", &packed);
    files.open(None);
    assert!(files.read(Duration::ZERO));
    files.told.clear();
    let error = loop {
        match files.source.as_mut().expect("open").read(Duration::ZERO) {
            Ok(Read::Bytes(_)) => {}
            Ok(other) => panic!("{other:?}"),
            Err(error) => break error.to_string(),
        }
    };
    assert!(
        error.ends_with("1.gz` behind 7 bytes of what it holds: corrupt gzip stream does not have a matching checksum"),
        "{error}"
    );
}

#[test]
fn a_compressed_file_that_is_being_written_is_followed() {
    let mut files = Files::new(&["*.gz"], true);
    let packed = gzip("one\ntwo\nthree");
    files.write_bytes("a.gz", &packed[..1]);
    files.open(None);
    files.expect_nothing();
    files.write_bytes("a.gz", &packed[..packed.len() / 2]);
    files.write_bytes("a.gz", &packed);
    files.expect("[a.gz]\none\ntwo\n");
    files.write_bytes("a.gz", &[packed, gzip(" and four\n")].concat());
    files.expect("three and four\n");
}

#[test]
fn a_rotated_file_that_is_compressed_is_no_new_one() {
    let mut files = Files::new(&["app.log*"], true);
    files.write("app.log", "one\n");
    files.open(None);
    files.expect("[app.log]\none\n");
    files.rename("app.log", "app.log.1");
    files.append("app.log.1", "two\n");
    let position = files.stop();
    files.write_bytes("app.log.1.gz", &gzip("one\ntwo\n"));
    fs::remove_file(files.path("app.log.1")).expect("removed");
    files.write("app.log", "three\n");
    files.open(Some(&position));
    files.expect("[app.log.1.gz from byte 4, behind 1 lines, first one]\ntwo\n[app.log]\nthree\n");
    files.rename("app.log", "app.log.1");
    let packed = gzip("three\n");
    files.write_bytes("app.log.1.gz.new", &packed[..5]);
    files.expect_nothing();
    files.write_bytes("app.log.1.gz.new", &packed);
    files.expect_nothing();
    fs::remove_file(files.path("app.log.1")).expect("removed");
    files.expect_nothing();
    let position = files.stop();
    files.write("app.log", "four\n");
    files.open(Some(&position));
    files.expect("[app.log]\nfour\n");
}

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(text.as_bytes()).expect("memory takes all");
    encoder.finish().expect("memory takes all")
}

fn zstd(text: &str) -> Vec<u8> {
    zstd::encode_all(text.as_bytes(), 0).expect("memory takes all")
}

#[test]
fn a_running_writer_loses_nothing_to_rotations() {
    let mut files = Files::new(&["app.log"], true);
    files.write("app.log", "");
    files.open(None);
    let path = files.path("app.log");
    let writer = std::thread::spawn(move || {
        for rotation in 0..6 {
            let mut file = OpenOptions::new().append(true).create(true).open(&path).expect("opened");
            for line in 0..500 {
                write!(file, "{rotation} {line}").expect("half");
                writeln!(file, " of a line").expect("the rest");
                if line % 100 == 0 {
                    std::thread::sleep(Duration::from_millis(5));
                }
            }
            fs::rename(&path, path.with_extension(format!("log.{rotation}"))).expect("renamed");
        }
    });
    let expected: Vec<String> = (0..6).flat_map(|r| (0..500).map(move |l| format!("{r} {l} of a line"))).collect();
    let deadline = Instant::now() + DEADLINE;
    let lines =
        |told: &str| -> Vec<String> { told.lines().filter(|l| !l.starts_with('[')).map(str::to_owned).collect() };
    while lines(&files.told).len() < expected.len() && Instant::now() < deadline {
        files.read(Duration::from_millis(20));
    }
    writer.join().expect("written");
    assert_eq!(lines(&files.told), expected);
}

/// What a program and logrotate do to a log.
#[derive(Clone, Copy, Debug)]
enum Deed {
    /// So many lines are written.
    Write(usize),
    /// A line is written up to its midst; the next one to be written ends it.
    WriteHalf,
    /// The file is renamed, and made anew.
    Rename,
    /// The file is copied and cut.
    CopyAndCut,
    /// The oldest file but for one is compressed.
    Compress,
    /// A source reads so many times, and stops.
    Read(usize),
}

fn deed() -> impl Strategy<Value = Deed> {
    prop_oneof![
        4 => (1_usize..4).prop_map(Deed::Write),
        1 => Just(Deed::WriteHalf),
        2 => Just(Deed::Rename),
        1 => Just(Deed::CopyAndCut),
        1 => Just(Deed::Compress),
        4 => (0_usize..8).prop_map(Deed::Read),
    ]
}

/// A log that is written to and rotated, and what has been read of it.
struct Log {
    files: Files,
    position: Option<Position>,
    /// The lines that were written.
    written: Vec<String>,
    half: Option<String>,
    /// Whether there was something in the file when it was last looked at.
    is_seen: bool,
    rotations: usize,
    seconds: u64,
}

impl Log {
    fn new(pattern: &str) -> Self {
        let files = Files::new(&[pattern], true);
        Log { files, position: None, written: Vec::new(), half: None, is_seen: false, rotations: 0, seconds: 0 }
    }

    fn see_to(&mut self, deed: Deed) {
        self.seconds += 1;
        match deed {
            Deed::Write(lines) => (0..lines).for_each(|_| self.write()),
            Deed::WriteHalf if self.half.is_none() => {
                let half = format!("{} lines before, and then ", self.written.len());
                self.append(&half);
                self.half = Some(half);
            }
            Deed::Read(times) => self.read(times),
            Deed::Compress => self.compress(),
            // A program rotates where a line ends.
            Deed::Rename if self.half.is_none() => self.rotate(true),
            // Of a file of which nothing was seen, no copy is known.
            Deed::CopyAndCut if self.half.is_none() && self.is_seen => self.rotate(false),
            Deed::Rename | Deed::CopyAndCut | Deed::WriteHalf => {}
        }
    }

    fn write(&mut self) {
        let line = format!("line {} of a log that is written to and rotated", self.written.len());
        self.append(&format!("{line}\n"));
        self.written.push(self.half.take().unwrap_or_default() + &line);
    }

    fn append(&self, text: &str) {
        self.files.append("app.log", text);
        self.set_time("app.log");
    }

    fn rotate(&mut self, by_name: bool) {
        let name = format!("app.log-{:03}", self.rotations);
        self.rotations += 1;
        self.is_seen = false;
        if by_name {
            self.files.rename("app.log", &name);
        } else {
            fs::copy(self.files.path("app.log"), self.files.path(&name)).expect("copied");
            self.set_time(&name);
        }
        self.files.write("app.log", "");
        self.seconds += 1;
        self.set_time("app.log");
    }

    fn compress(&self) {
        let Some(last) = self.rotations.checked_sub(2) else { return };
        let name = format!("app.log-{last:03}");
        let Ok(text) = fs::read_to_string(self.files.path(&name)) else { return };
        let modified = fs::metadata(self.files.path(&name)).and_then(|metadata| metadata.modified()).expect("a time");
        let packed = self.files.path(&format!("{name}.gz"));
        fs::write(&packed, gzip(&text)).expect("written");
        File::options()
            .write(true)
            .open(&packed)
            .and_then(|file| file.set_modified(modified))
            .expect("its time is set");
        fs::remove_file(self.files.path(&name)).expect("removed");
    }

    fn set_time(&self, name: &str) {
        let time = std::time::UNIX_EPOCH + Duration::from_secs(1_000_000_000 + self.seconds);
        let file = File::options().write(true).open(self.files.path(name));
        file.and_then(|file| file.set_modified(time)).expect("its time is set");
    }

    fn read(&mut self, times: usize) {
        self.is_seen = fs::metadata(self.files.path("app.log")).is_ok_and(|metadata| metadata.len() > 0);
        self.files.open(self.position.as_ref());
        for _ in 0..times {
            self.files.read(Duration::ZERO);
        }
        self.position = Some(self.files.stop());
    }

    /// The lines that have been read.
    fn told(&self) -> Vec<&str> {
        self.files.told.lines().filter(|line| !line.starts_with('[')).collect()
    }
}

fn set_age(path: &Path, seconds: u64) {
    let time = std::time::SystemTime::now() - Duration::from_secs(seconds);
    File::options().write(true).open(path).and_then(|file| file.set_modified(time)).expect("its time is set");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    /// Whatever is done to a log, and wherever a source of it stops and goes on: each line comes once.
    #[test]
    fn each_line_of_a_log_comes_once(
        pattern in prop_oneof![Just("app.log"), Just("app.log*")],
        deeds in prop::collection::vec(deed(), 1..30),
    ) {
        let mut log = Log::new(pattern);
        // The source is there before the log.
        log.see_to(Deed::Write(1));
        log.see_to(Deed::Read(2));
        deeds.into_iter().for_each(|deed| log.see_to(deed));
        log.see_to(Deed::Write(1));
        log.see_to(Deed::Read(100));
        let mut told = log.told();
        let mut written: Vec<&str> = log.written.iter().map(String::as_str).collect();
        told.sort();
        written.sort();
        prop_assert_eq!(told, written, "{}", log.files.told);
    }

    /// What comes behind any position is what came there before.
    #[test]
    fn a_source_goes_on_at_every_position(
        lengths in prop::collection::vec(prop::collection::vec(0_usize..200_000, 0..6), 1..4),
        follow: bool,
    ) {
        let mut files = Files::new(&["*.log"], follow);
        for (index, lines) in lengths.iter().enumerate() {
            let text: String = lines.iter().map(|length| "x".repeat(*length) + "\n").collect();
            files.write(&format!("{index}.log"), &text);
        }
        files.open(None);
        let mut positions = vec![(files.position(), Vec::new())];
        let mut given = Vec::new();
        loop {
            match files.source.as_mut().expect("open").read(Duration::ZERO).expect("read") {
                Read::Bytes(bytes) => given.extend_from_slice(bytes),
                Read::Opened(_) => {}
                Read::Nothing | Read::Ended => break,
            }
            positions.push((files.position(), given.clone()));
        }
        for (position, before) in positions {
            files.open(Some(&position));
            let mut again = before;
            loop {
                match files.source.as_mut().expect("open").read(Duration::ZERO).expect("read") {
                    Read::Bytes(bytes) => again.extend_from_slice(bytes),
                    Read::Opened(_) => {}
                    Read::Nothing | Read::Ended => break,
                }
            }
            prop_assert!(again == given, "at {}", position.0);
        }
    }
}
