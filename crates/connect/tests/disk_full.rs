//! What a sink of files does when there is no room: in a process of its own, whose files can be only so long.

#![cfg(unix)]

use std::env;
use std::fs;
use std::process::Command;

use ensue_connect::{FileSink, Output, Sink};
use ensue_model::Timestamp;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Says to the process that it is the one with the limit, and where to write.
const PATH: &str = "ENSUE_TEST_DISK_FULL";

/// The limit in bytes: in the midst of a line.
const LIMIT: u64 = 10_001;

#[test]
fn what_finds_no_room_is_written_when_there_is_some() {
    match env::var(PATH) {
        Ok(path) => write_beyond_the_limit(&path),
        Err(_) => run_with_limit(),
    }
}

fn run_with_limit() {
    let folder = tempfile::tempdir().expect("a folder");
    let test = env::current_exe().expect("this test");
    // Without the signal, a write beyond the limit fails as it does where the disk is full.
    let status = Command::new("sh")
        .args(["-c", "trap '' XFSZ; exec \"$0\" --exact what_finds_no_room_is_written_when_there_is_some"])
        .arg(test)
        .env(PATH, folder.path().join("out.jsonl"))
        .status();
    assert!(status.expect("run").success());
}

fn write_beyond_the_limit(path: &str) {
    let limit = Rlimit { current: Some(LIMIT), ..getrlimit(Resource::Fsize) };
    setrlimit(Resource::Fsize, limit).expect("limited");
    let mut sink = FileSink::open(path, None).expect("opened");
    let mut expected = String::new();
    for number in 0..2_000 {
        let line = format!("line {number}\n");
        sink.put(Output { time: Timestamp::from_seconds(0), id: None, line: line.as_bytes() });
        expected += &line;
    }
    for _ in 0..3 {
        let error = sink.flush().expect_err("there is no room").to_string();
        assert_eq!(error, format!("cannot write to `{path}`: file too large"));
        assert_eq!(fs::metadata(path).expect("it is there").len(), LIMIT);
    }
    assert!(sink.sync().is_err());
    setrlimit(Resource::Fsize, Rlimit { current: None, ..limit }).expect("no limit");
    let position = sink.sync().expect("there is room");
    assert_eq!(fs::read_to_string(path).expect("text"), expected);
    drop(sink);
    FileSink::open(path, Some(&position)).expect("the position is of all of it");
    assert_eq!(fs::read_to_string(path).expect("text"), expected);
}
