//! `ensue run job.ron`, and `ensue check job.ron`.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Child, Command};
use std::thread::sleep;
use std::time::Duration;

use insta::assert_snapshot;

use crate::shell::Shell;

const ORDERS: &str = "order,type,ts\n1,create,0\n2,create,60\n1,pay,100\nwhat\n3,create,2000\n3,pay,2001\n";

const JOB: &str = r#"Job(
    name: "orders",
    patterns: ["paid.pattern"],
    key: ["order"],
    sources: [(from: File("orders*.csv"), time: (field: "ts", unit: Seconds))],
    matches: [File("out/matches-{date}.jsonl")],
    timeouts: [File("out/timeouts.jsonl")],
    rejected: File("out/rejected.jsonl"),
    checkpoint: (dir: "state", every: "1s"),
)
"#;

/// A folder with a job, its pattern and its orders.
fn shell(job: &str) -> Shell {
    let shell = Shell::empty();
    shell.file("job/orders.csv", ORDERS);
    shell.file("job/paid.pattern", "begin create followedBy pay within 15m\n");
    shell.file("job/job.ron", job);
    shell
}

const OUTPUTS: [&str; 3] = ["job/out/matches-1970-01-01.jsonl", "job/out/timeouts.jsonl", "job/out/rejected.jsonl"];

#[test]
fn a_job_runs_to_its_end_and_not_twice() {
    let shell = shell(JOB);
    assert_snapshot!(shell.run_into("ensue run -q job/job.ron", &OUTPUTS));
    let outputs = OUTPUTS.map(|name| shell.read(name));
    shell.run("ensue run -q job/job.ron");
    assert_eq!(OUTPUTS.map(|name| shell.read(name)), outputs);
}

#[test]
fn it_goes_on_with_what_comes_after_a_stop() {
    let shell = shell(&JOB.replace("orders*.csv\"), ", "orders*.csv\"), follow: true, "));
    let job = Running::start(&shell);
    job.wait_for(|| shell.path(OUTPUTS[0]).exists() && shell.read(OUTPUTS[0]).lines().count() == 2);
    job.stop();
    let mut orders = OpenOptions::new().append(true).open(shell.path("job/orders.csv")).unwrap();
    orders.write_all(b"4,create,3000\n").unwrap();
    let job = Running::start(&shell);
    orders.write_all(b"4,pay,3100\n5,create,4100\n").unwrap();
    job.wait_for(|| shell.read(OUTPUTS[0]).lines().count() == 3);
    job.stop();
    assert_eq!(shell.run("ensue run -q --until-end job/job.ron"), "--- status 0\n--- stdout\n--- stderr\n");
    let timeouts = shell.read(OUTPUTS[1]);
    let keys: Vec<_> =
        timeouts.lines().map(|line| line.contains("\"order\":2") || line.contains("\"order\":5")).collect();
    assert_eq!(keys, [true, true], "{timeouts}");
}

/// The newest checkpoint.
fn newest(shell: &Shell) -> Option<PathBuf> {
    let state = fs::read_dir(shell.path("job/state")).ok()?.map(|entry| entry.unwrap().path());
    state.filter(|path| path.extension().is_some_and(|extension| extension == "ensue")).max()
}

/// A job that runs in the background.
pub(crate) struct Running(Child);

impl Running {
    /// Starts a job, and waits until it has taken a checkpoint: from then on it knows signals.
    pub(crate) fn start(shell: &Shell) -> Self {
        Running::start_with(shell, "")
    }

    /// As [`Running::start`], with arguments.
    pub(crate) fn start_with(shell: &Shell, arguments: &str) -> Self {
        let before = newest(shell);
        let running = Running(shell.command(&format!("ensue run {arguments} job/job.ron")).spawn().unwrap());
        running.wait_for(|| newest(shell) > before);
        running
    }

    /// As [`Running::start`], with the log in a file.
    pub(crate) fn start_with_log(shell: &Shell, log: &str) -> Self {
        let before = newest(shell);
        let mut command = shell.command("ensue run job/job.ron");
        let running = Running(command.stderr(fs::File::create(shell.path(log)).unwrap()).spawn().unwrap());
        running.wait_for(|| newest(shell) > before);
        running
    }

    pub(crate) fn wait_for(&self, is_there: impl Fn() -> bool) {
        for _ in 0..600 {
            if is_there() {
                return;
            }
            sleep(Duration::from_millis(50));
        }
        panic!("it did not come within half a minute");
    }

    /// Tells it to stop, as systems do.
    pub(crate) fn stop(self) {
        let log = self.stop_quietly();
        assert!(log.contains("stops after a last checkpoint"), "{log}");
    }

    /// The same, where the log is elsewhere. Gives what there is of it.
    pub(crate) fn stop_quietly(self) -> String {
        Command::new("kill").arg(self.0.id().to_string()).status().unwrap();
        let output = self.0.wait_with_output().unwrap();
        let log = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{log}");
        log
    }
}

/// Three orders, of which one is paid, as other programs write them: timestamps in milliseconds, the type as a dictionary.
const PARQUET: &[u8] = include_bytes!("orders.parquet");

#[test]
fn history_is_read_from_parquet() {
    let from = "from: Parquet(\"orders.parquet\"), time: (field: \"ts\")";
    let shell = shell(&JOB.replace("from: File(\"orders*.csv\"), time: (field: \"ts\", unit: Seconds)", from));
    fs::write(shell.path("job/orders.parquet"), PARQUET).unwrap();
    assert_snapshot!(shell.run_into("ensue run -q job/job.ron", &["job/out/matches-2026-03-02.jsonl", OUTPUTS[1]]));
}

#[test]
fn what_is_wrong_with_a_job_file_is_shown_where_it_stands() {
    let check = |from: &str, to: &str| shell(&JOB.replace(from, to)).run("ensue check job/job.ron");
    assert_snapshot!("unknown_field", check("timeouts:", "timeout:"));
    assert_snapshot!("no_duration", check("\"1s\"", "\"soon\""));
    assert_snapshot!("not_ron", check("name: \"orders\",", "name: \"orders\""));
    assert_snapshot!("no_pattern_file", check("paid.pattern", "pay.pattern"));
    assert_snapshot!("no_events", check("orders*.csv", "order-*.csv"));
    assert_snapshot!("no_column", check("key: [\"order\"]", "key: [\"ordr\"]"));
    assert_snapshot!("no_such_pattern", check("rejected:", "outputs: { \"pad\": (matches: [Stdout]) }, rejected:"));
    assert_snapshot!("no_parameter", check("key:", "params: { \"patience\": env(\"NO_SUCH\") }, key:"));
    assert_snapshot!("right", check("nothing", "nothing"));
}

#[test]
fn a_wrong_pattern_of_a_job_is_shown_as_always() {
    let shell = shell(JOB);
    shell.file("job/paid.pattern", "begin create followedBy pay where typ == \"pay\" within 15m\n");
    assert_snapshot!(shell.run("ensue check job/job.ron"));
}

#[test]
fn a_damaged_checkpoint_is_told_and_an_older_one_taken() {
    let shell = shell(&JOB.replace("orders*.csv\"), ", "orders*.csv\"), follow: true, "));
    for _ in 0..2 {
        let job = Running::start(&shell);
        job.wait_for(|| shell.path(OUTPUTS[0]).exists() && shell.read(OUTPUTS[0]).lines().count() == 2);
        job.stop();
    }
    let newest = newest(&shell).unwrap();
    let bytes = fs::read(&newest).unwrap();
    fs::write(&newest, &bytes[..bytes.len() / 2]).unwrap();
    let shown = shell.run("ensue run --until-end job/job.ron");
    assert!(
        shown.contains("cannot be used: its bytes are not those that were written; an older one is used"),
        "{shown}"
    );
    assert_eq!(shell.read(OUTPUTS[0]).lines().count(), 2);
    assert_eq!(shell.read(OUTPUTS[1]).lines().count(), 1);
}

#[test]
fn a_checkpoint_is_shown_with_what_is_open_and_where_sources_and_sinks_are() {
    let shell = shell(&JOB.replace("orders*.csv\"), ", "orders*.csv\"), follow: true, "));
    shell.file("job/orders.csv", &format!("{ORDERS}4,create,2002\n5,create,2003\n6,nothing,2004\n"));
    let job = Running::start(&shell);
    job.wait_for(|| shell.path(OUTPUTS[0]).exists() && shell.read(OUTPUTS[0]).lines().count() == 2);
    job.stop();
    let shown = shell.run("ensue state job/state");
    let expected = [
        "job `orders`: `job/state/checkpoint-",
        "  job/paid.pattern",
        "  paid: 2 open runs of 2 keys, ",
        " bytes; 2 matches and 1 timeout so far\n    2 await pay, the oldest since 1970-01-01T00:33:22Z\n",
        "  0 late, 1 rejected",
        "  source 1: 8 events, the newest of 1970-01-01T00:33:24Z; at `job/orders.csv`, line 11, byte 120",
        "    `job/out/timeouts.jsonl`: safe up to byte ",
    ];
    for line in expected {
        assert!(shown.contains(line), "{line}\nis not in\n{shown}");
    }
    let json = shell.run("ensue state --format json job/state");
    assert!(json.contains("\"at\":{\"bytes\":120,\"document\":\"job/orders.csv\",\"line\":11}"), "{json}");
    let waiting = "\"waiting\":[{\"awaiting\":[\"pay\"],\"oldest\":\"1970-01-01T00:33:22Z\",\"runs\":2}]";
    assert!(json.contains(waiting), "{json}");
    let newest = newest(&shell).unwrap();
    let whole = fs::read(&newest).unwrap();
    fs::write(&newest, &whole[..whole.len() / 2]).unwrap();
    let shown = shell.run("ensue state job/state");
    assert!(shown.contains("cannot be used: its bytes are not those that were written"), "{shown}");
    assert!(shown.contains("--- status 0"), "an older one is whole: {shown}");
}

#[test]
fn a_folder_without_checkpoints_is_said_to_be_one() {
    let shell = Shell::empty();
    shell.file("empty/readme", "nothing\n");
    assert!(shell.run("ensue state empty").contains("no checkpoint in `empty`"));
    assert!(shell.run("ensue state nowhere").contains("cannot read `nowhere`"));
}

/// Follows purchases of products, of which a table says what they are.
const FRESH_JOB: &str = r#"Job(
    name: "fresh",
    patterns: ["fresh.pattern"],
    tables: { "products": "products.csv" },
    sources: [(from: File("buys.csv"), follow: true, time: (field: "ts", unit: Seconds))],
    matches: [File("out/fresh.jsonl")],
    timeouts: [],
    checkpoint: (dir: "state", every: "1s"),
)
"#;

const FRESH: &str = "table products key sku { sku: string, category: string }\n\
                     pattern fresh\nbegin buy where products[sku].category == \"fresh\"\n";

#[test]
fn a_table_that_changes_holds_for_what_comes_then_and_one_that_is_wrong_changes_nothing() {
    let shell = Shell::empty();
    shell.file("job/job.ron", FRESH_JOB).file("job/fresh.pattern", FRESH);
    shell.file("job/buys.csv", "sku,type,ts\na,buy,1\nb,buy,2\n");
    shell.file("job/products.csv", "sku,category\na,fresh\nb,tinned\n");
    let mut buys = OpenOptions::new().append(true).open(shell.path("job/buys.csv")).unwrap();
    let (log, read) = (shell.path("log"), || shell.read("job/out/fresh.jsonl"));
    let mut command = shell.command("ensue run job/job.ron");
    command.stderr(fs::File::create(&log).unwrap());
    let job = Running(command.spawn().unwrap());
    let said = |what: &str| shell.read("log").contains(what);
    job.wait_for(|| shell.path("job/out/fresh.jsonl").exists() && read().lines().count() == 1);

    shell.file("job/products.csv", "sku,category\na,fresh\nb,fresh\nb,twice\n");
    job.wait_for(|| {
        said("`job/products.csv`, line 4: the key \"b\" has a row already, on line 3; the rows stay as they were")
    });
    buys.write_all(b"b,buy,3\na,buy,4\nx,buy,5\n").unwrap();
    job.wait_for(|| read().lines().count() == 2);

    fs::remove_file(shell.path("job/products.csv")).unwrap();
    job.wait_for(|| said("cannot read table `products` from `job/products.csv`: "));
    shell.file("job/next.csv", "sku,category\nb,fresh\n");
    fs::rename(shell.path("job/next.csv"), shell.path("job/products.csv")).unwrap();
    job.wait_for(|| said("read again table=\"products\" file=job/products.csv rows=1"));
    buys.write_all(b"a,buy,6\nb,buy,7\nx,buy,8\n").unwrap();
    job.wait_for(|| read().lines().count() == 3);
    Command::new("kill").arg(job.0.id().to_string()).status().unwrap();
    assert!(job.0.wait_with_output().unwrap().status.success());
    let of_keys: Vec<_> = read().lines().map(|line| line.contains("\"sku\":\"a\"")).collect();
    assert_eq!(of_keys, [true, true, false], "{}", read());
}
