//! Input that nobody should send: what is no event is rejected with its line and its reason, what cannot be read is named, and
//! nothing else is lost.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{Seek, SeekFrom, Write as _};
use std::process::Stdio;

use crate::shell::{Shell, shown};

/// Of each type that text can fail at.
const PATTERN: &str = "stream s { k: string @key  type: string @type  x: float?  n: int?  ts: timestamp @time }\n\
                       pattern ab\nbegin a followedBy b within 1h\n\
                       pattern reads\nbegin much where x > 100 or n > 100\n";

const JOB: &str = r#"Job(
    name: "hostile",
    patterns: ["ab.pattern"],
    sources: [(from: FROM)],
    matches: [File("matches")],
    timeouts: [File("timeouts")],
    rejected: File("rejected"),
)
"#;

/// A folder with a pattern and a job.
fn shell(from: &str) -> Shell {
    let shell = Shell::empty();
    shell.file("ab.pattern", PATTERN).file("job.ron", &JOB.replace("FROM", from));
    shell
}

/// What the command and a job make of a file: what they say, and what they write.
fn check(name: &str, bytes: &[u8]) -> String {
    check_in("Rfc3339", name, bytes)
}

/// As [`check`], with times in a unit, as jobs call it.
fn check_in(unit: &str, name: &str, bytes: &[u8]) -> String {
    let option = if unit == "Millis" { "--time-unit ms " } else { "" };
    let format = if name.contains(".csv") { "csv" } else { "jsonl" };
    let outputs = "--matches matches --timeouts timeouts --rejected rejected";
    let mut transcript = String::new();
    for line in [
        format!("ensue run -p ab.pattern -i {name} --format {format} {option}{outputs}"),
        "ensue run --quiet job.ron".to_owned(),
    ] {
        let shell = shell(&format!("File(\"{name}\"), time: (unit: {unit})"));
        fs::write(shell.path(name), bytes).unwrap();
        write!(transcript, "$ {}\n{}", line.replace(outputs, ".."), without_clock(&shell.run(&line))).unwrap();
        for output in ["matches", "timeouts", "rejected"] {
            let written = fs::read_to_string(shell.path(output)).unwrap_or_default();
            let lines = written.lines().map(short).collect::<String>();
            write!(transcript, "--- {output}\n{lines}").unwrap();
        }
    }
    transcript
}

/// A line with its beginning and its end alone, if it is long.
fn short(line: &str) -> String {
    const SHOWN: usize = 200;
    let characters: Vec<char> = line.chars().collect();
    let shown = |part: &[char]| part.iter().collect::<String>();
    match characters.len() {
        length if length > 2 * SHOWN => {
            format!("{} .. {}\n", shown(&characters[..SHOWN]), shown(&characters[length - SHOWN..]))
        }
        _ => format!("{line}\n"),
    }
}

/// A log without its times.
fn without_clock(text: &str) -> String {
    let line = |line: &str| match line.split_once("Z ") {
        Some((time, rest)) if time.starts_with("20") => format!("{}\n", rest.trim_start()),
        _ => short(line),
    };
    text.lines().map(line).collect()
}

const HEADER: &str = "k,type,x,n,ts\n";

const A: &str = "k,a,1.5,1,2021-01-19T10:00:00Z\n";

const B: &str = "k,b,,,2021-01-19T10:00:02Z\n";

/// A CSV with these lines between two events that make a match.
fn csv(lines: &[u8]) -> Vec<u8> {
    [HEADER.as_bytes(), A.as_bytes(), lines, B.as_bytes()].concat()
}

/// JSON lines with these between two events that make a match.
fn json(lines: &[u8]) -> Vec<u8> {
    let event = |kind: &str, second: u8| {
        format!("{{\"k\":\"k\",\"type\":\"{kind}\",\"ts\":\"2021-01-19T10:00:0{second}Z\"}}\n").into_bytes()
    };
    [event("a", 0), lines.to_vec(), event("b", 2)].concat()
}

#[test]
fn csv_lines_that_are_no_events_are_rejected_and_the_rest_is_taken() {
    insta::assert_snapshot!(
        "csv_fields",
        check("in.csv", &csv(b"k,a\nk,a,1,1,2021-01-19T10:00:01Z,too,many\n\xff,a,1,1,x\n"))
    );
    insta::assert_snapshot!(
        "csv_floats",
        check(
            "in.csv",
            &csv(b"k,a,NaN,1,2021-01-19T10:00:01Z\nk,a,-inf,,2021-01-19T10:00:01Z\n\
        k,a,1e999,,2021-01-19T10:00:01Z\nk,a,,9223372036854775808,2021-01-19T10:00:01Z\n")
        )
    );
    insta::assert_snapshot!(
        "csv_times",
        check(
            "in.csv",
            &csv(b"z,a,,,10000-01-01T00:00:00Z\nz,a,,,+262143-01-01T00:00:00Z\n\
        z,a,,,2021-02-30T00:00:00Z\nz,a,,,1611047605\nz,a,,,-0001-01-01T00:00:00Z\n")
        )
    );
    insta::assert_snapshot!("csv_nul", check("in.csv", &csv(b"z\0z,a,,,2021-01-19T10:00:01Z\n\0\0\0\n")));
    insta::assert_snapshot!("csv_quote", check("in.csv", &csv(b"z,a,\",,2021-01-19T10:00:01Z\n")));
    let millis = "before,a,,,-1\nbefore,b,,,1\nyear9999,a,,,253402300799999\nbeyond,a,,,253402300800000\n\
        beyond,a,,,9223372036854775807\nbeyond,a,,,1e30\nz,a,,,1.5.5\nz,a,,,\n";
    insta::assert_snapshot!("csv_millis", check_in("Millis", "in.csv", format!("{HEADER}{millis}").as_bytes()));
    let marked = [b"\xef\xbb\xbf", &csv(b"\n")[..]].concat();
    let windows = String::from_utf8(marked).unwrap().replace('\n', "\r\n");
    insta::assert_snapshot!("csv_of_windows", check("in.csv", windows.as_bytes()));
}

#[test]
fn json_that_is_no_event_is_rejected_and_the_rest_is_taken() {
    let deep = |field: &str| {
        let (open, close) = ("[".repeat(10_000), "]".repeat(10_000));
        format!("{{\"k\":\"z\",\"type\":\"a\",\"ts\":\"2021-01-19T10:00:01Z\",\"{field}\":{open}{close}}}\n")
    };
    let lines = [deep("x"), deep("unread"), "[".repeat(10_000), "\n".to_owned()].concat();
    insta::assert_snapshot!("json_deep", check("in.jsonl", &json(lines.as_bytes())));
    let float = |value: &str| format!("{{\"k\":\"z\",\"type\":\"a\",\"ts\":\"2021-01-19T10:00:01Z\",\"x\":{value}}}\n");
    let floats = ["NaN", "Infinity", "1e999", "\"NaN\""].map(float).concat();
    insta::assert_snapshot!("json_floats", check("in.jsonl", &json(floats.as_bytes())));
    let odd = b"{\"k\":\"\xff\",\"type\":\"a\",\"ts\":\"2021-01-19T10:00:01Z\"}\n\0\n{\"k\":\"z\n";
    insta::assert_snapshot!("json_bytes", check("in.jsonl", &json(odd)));
}

#[test]
fn files_without_events_are_said_to_be_so_or_give_nothing() {
    insta::assert_snapshot!("empty_csv", check("in.csv", b""));
    insta::assert_snapshot!("only_a_header", check("in.csv", HEADER.as_bytes()));
    insta::assert_snapshot!("empty_json", check("in.jsonl", b""));
}

#[test]
fn what_is_packed_or_pretends_to_be_is_told() {
    use flate2::Compression;
    use flate2::write::GzEncoder;
    let pack = |bytes: &[u8]| {
        let mut packed = GzEncoder::new(Vec::new(), Compression::default());
        packed.write_all(bytes).unwrap();
        packed.finish().unwrap()
    };
    let packed = pack(&csv(b""));
    insta::assert_snapshot!("packed", check("in.csv.gz", &packed));
    insta::assert_snapshot!("not_packed", check("in.csv.gz", &csv(b"")));
    insta::assert_snapshot!("cut_off", check("in.csv.gz", &packed[..packed.len() - 12]));
    insta::assert_snapshot!("cut_off_zstd", check("in.csv.zst", b"\x28\xb5\x2f\xfd\x24\x0a\x51"));
    let parquet = shell("Parquet(\"in.parquet\")");
    parquet.file("in.parquet", HEADER);
    insta::assert_snapshot!("no_parquet", without_clock(&parquet.run("ensue run --quiet job.ron")));
}

#[test]
fn a_folder_in_place_of_a_file_is_told() {
    let shell = shell("File(\"in.csv\")");
    fs::create_dir(shell.path("in.csv")).unwrap();
    let lines = ["ensue run -p ab.pattern -i in.csv", "ensue run --quiet job.ron"];
    insta::assert_snapshot!(
        "folder",
        lines.map(|line| format!("$ {line}\n{}", without_clock(&shell.run(line)))).concat()
    );
}

#[test]
fn a_key_of_a_megabyte_is_a_key_like_others() {
    let key = "é".repeat(512 * 1024);
    let events = ["a", "b"].map(|kind| format!("{key},{kind},,,2021-01-19T10:00:01Z\n")).concat();
    for line in ["ensue run -p ab.pattern -i in.csv --matches matches", "ensue run --quiet job.ron"] {
        let shell = shell("File(\"in.csv\")");
        fs::write(shell.path("in.csv"), csv(events.as_bytes())).unwrap();
        shell.run(line);
        let matches = shell.read("matches");
        let found: Vec<_> = matches.lines().map(|line| line.matches(&key).count()).collect();
        assert_eq!(found, [3, 0], "the key and two events of it, then the other match");
    }
}

/// So much memory, in KiB, the command may use. A line of a gibibyte would not fit.
const MEMORY_KIB: usize = 700_000;

const GIBIBYTE: u64 = 1 << 30;

/// Runs a line with little memory, and a gibibyte without a line end and then two events as its standard input.
fn with_long_line(shell: &Shell, line: &str) -> String {
    let arguments = line.strip_prefix("ensue").expect("the command is `ensue`");
    let mut command = std::process::Command::new("sh");
    let script = format!("ulimit -v {MEMORY_KIB} && exec '{}' {arguments}", env!("CARGO_BIN_EXE_ensue"));
    command.current_dir(shell.path("")).args(["-c", &script]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    let part = vec![b'x'; 1 << 20];
    (0..GIBIBYTE >> 20).for_each(|_| input.write_all(&part).unwrap());
    input.write_all(&[b"\n", &json(b"")[..]].concat()).unwrap();
    drop(input);
    without_clock(&shown(&child.wait_with_output().unwrap()))
}

fn check_long_line(shell: &Shell, said: &str, limit: &str) {
    assert!(said.starts_with("--- status 0"), "{said}");
    let (rejected, matches) = (shell.read("rejected"), shell.read("matches"));
    assert!(rejected.contains("\"line\":1,") && rejected.contains(limit), "{}", short(&rejected));
    assert!(rejected.len() < 7_000, "only its beginning is kept");
    assert_eq!(matches.lines().count(), 1, "{said}");
}

#[test]
fn a_line_of_a_gibibyte_is_rejected_and_never_in_memory() {
    const DEFAULT: &str = "the event is longer than the limit of 16 MiB";
    let run = "ensue run -p ab.pattern -i - --format jsonl --matches matches --timeouts timeouts --rejected rejected";
    let piped = shell("Stdin, format: JsonLines");
    check_long_line(&piped, &with_long_line(&piped, run), DEFAULT);
    check_long_line(&piped, &with_long_line(&piped, &format!("{run} --event-limit 1MiB")), "the limit of 1 MiB");
    let of_job = shell("Stdin, format: JsonLines");
    check_long_line(&of_job, &with_long_line(&of_job, "ensue run --quiet job.ron"), DEFAULT);

    let limited = shell("File(\"in.jsonl\")");
    limited.file("job.ron", &limited.read("job.ron").replace("rejected:", "limits: (event: \"3MB\"), rejected:"));
    let mut file = File::create(limited.path("in.jsonl")).unwrap();
    file.seek(SeekFrom::Start(GIBIBYTE)).unwrap();
    file.write_all(&[b"\n", &json(b"")[..]].concat()).unwrap();
    check_long_line(&limited, &limited.run("ensue run --quiet job.ron"), "the limit of 3000000 bytes");
}
