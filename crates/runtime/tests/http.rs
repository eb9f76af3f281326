//! What is to be seen of a running job: asked as anybody would, over a socket.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::thread::{self, JoinHandle, sleep};
use std::time::Duration;

use ensue_runtime::job::{Control, JobFile};
use tempfile::TempDir;

const ORDERS: &str =
    "order,type,ts\n1,create,0\n2,create,60\n1,pay,100\nwhat\n3,create,2000\n4,create,2001\n4,pay,2002\n";

/// A job that runs in the background, and goes on when its file ends.
struct Running {
    folder: TempDir,
    address: String,
    control: Arc<Control>,
    thread: Option<JoinHandle<()>>,
}

impl Running {
    /// A job with so many shards. `http` is where it is to be seen, with `ADDRESS` in it.
    fn start(shards: usize, http: &str) -> Self {
        Running::with(shards, http, "begin create followedBy pay within 15m", "\"order\"", ORDERS)
    }

    /// As [`Running::start`], with another pattern, key and file of orders.
    fn with(shards: usize, http: &str, pattern: &str, key: &str, orders: &str) -> Self {
        let folder = tempfile::tempdir().expect("there is room");
        fs::write(folder.path().join("orders.csv"), orders).expect("there is room");
        fs::write(folder.path().join("paid.pattern"), pattern).expect("there is room");
        let address = free_address();
        let text = job(shards, &http.replace("ADDRESS", &address), key);
        let control = Arc::new(Control::new());
        let thread = {
            let (control, folder) = (control.clone(), folder.path().to_owned());
            let job = JobFile::parse(&text).expect("it is right").job(&folder).expect("it is right");
            let running = job.prepare().expect("it is right");
            thread::spawn(move || drop(running.run(&control).expect("nothing fails")))
        };
        Running { folder, address, control, thread: Some(thread) }
    }

    fn get(&self, path: &str, headers: &str) -> (u16, String) {
        get(&self.address, path, headers)
    }

    /// Asks until the answer is as it should be.
    fn wait_for(&self, path: &str, is_there: impl Fn(u16, &str) -> bool) -> String {
        for _ in 0..300 {
            let (status, body) = self.get(path, "");
            if is_there(status, &body) {
                return body;
            }
            sleep(Duration::from_millis(50));
        }
        panic!("{path} did not become what it should within 15 seconds: {:?}", self.get(path, ""));
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.control.stop();
        self.thread.take().into_iter().for_each(|thread| thread.join().expect("the job ends well"));
    }
}

fn job(shards: usize, http: &str, key: &str) -> String {
    format!(
        r#"Job(
            name: "orders",
            patterns: ["paid.pattern"],
            key: [{key}],
            sources: [(name: "shop", from: File("orders.csv"), follow: true, time: (field: "ts", unit: Seconds))],
            matches: [File("out/matches.jsonl")],
            timeouts: [File("out/timeouts.jsonl")],
            rejected: File("out/rejected.jsonl"),
            checkpoint: (dir: "state", every: "1s"),
            shards: {shards},
            http: {http},
        )"#
    )
}

/// An address of this machine at which nobody listens.
fn free_address() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("there are free ports");
    listener.local_addr().expect("it is bound").to_string()
}

/// Status and body of an answer.
fn get(address: &str, path: &str, headers: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).expect("the job listens");
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n{headers}\r\n").expect("it reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("it answers in text");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head ends with an empty line");
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a head begins with a status");
    (status, body.to_owned())
}

/// The samples of a page of metrics, each with what kind of metric it is. Holds the page against the format.
fn samples(page: &str) -> BTreeMap<String, f64> {
    let mut samples = BTreeMap::new();
    let mut family = String::new();
    let body = page.strip_suffix("# EOF\n").expect("a page says where it ends");
    for line in body.lines() {
        if let Some(head) = line.strip_prefix("# ") {
            let mut words = head.splitn(3, ' ');
            let (kind, name) = (words.next().expect("a word"), words.next().expect("a name"));
            assert!(["HELP", "TYPE"].contains(&kind), "{line}");
            assert!(words.next().is_some_and(|text| !text.is_empty()), "{line}");
            family = name.to_owned();
            continue;
        }
        let (sample, value) = line.rsplit_once(' ').expect("a sample has a value");
        let name = sample.split('{').next().expect("it has a name");
        assert!(name.starts_with(&family) && name.starts_with("ensue_"), "{line} is none of {family}");
        assert!(!sample.contains('{') || sample.ends_with('}'), "{line}");
        let value = value.parse().expect("a value is a number");
        assert!(samples.insert(sample.to_owned(), value).is_none(), "{line} comes twice");
    }
    samples
}

#[test]
fn metrics_say_what_came_in_and_went_out_for_any_number_of_shards() {
    for shards in [1, 3] {
        let running = Running::start(shards, "\"ADDRESS\"");
        running.wait_for("/ready", |status, _| status == 200);
        let page = running.wait_for("/metrics", |_, page| {
            page.contains("ensue_open_runs{pattern=\"paid\"} 1") && page.contains("ensue_checkpoint_number 2")
        });
        let samples = samples(&page);
        let expected = [
            ("ensue_events_total{source=\"shop\"}", 6.0),
            ("ensue_unreadable_lines_total{source=\"shop\"}", 1.0),
            ("ensue_rejected_total", 1.0),
            ("ensue_late_events_total", 0.0),
            ("ensue_matches_total{pattern=\"paid\"}", 2.0),
            ("ensue_timeouts_total{pattern=\"paid\"}", 1.0),
            ("ensue_open_keys{pattern=\"paid\"}", 1.0),
            ("ensue_evaluation_errors_total{pattern=\"paid\"}", 0.0),
            ("ensue_sink_retries_total{sink=\"out/matches.jsonl\"}", 0.0),
            ("ensue_source_holds_time{source=\"shop\"}", 0.0),
        ];
        for (sample, value) in expected {
            assert_eq!(samples.get(sample), Some(&value), "{sample} in\n{page}");
        }
        let open = "{\"patterns\":[{\"pattern\":\"paid\",\"stages\":[\"create\",\"pay\"],\"open_runs\":1,\
                    \"waiting\":[{\"awaiting\":[\"pay\"],\"runs\":1,\"oldest\":\"1970-01-01T00:33:20Z\"}]}],\"refused\":null}\n";
        assert_eq!(running.get("/patterns", ""), (200, open.to_owned()));
        for sample in ["ensue_processing_seconds_count", "ensue_watermark_lag_seconds", "ensue_checkpoint_bytes"] {
            assert!(samples[sample] > 0.0, "{sample} in\n{page}");
        }
    }
}

#[test]
fn the_open_runs_of_a_key_are_told_with_what_they_took_await_and_end_by() {
    for shards in [1, 3] {
        let running = Running::start(shards, "\"ADDRESS\"");
        let run = "{\"key\":{\"order\":3},\"start\":\"1970-01-01T00:33:20Z\",\"ends\":\"1970-01-01T00:48:20Z\",\
                   \"awaiting\":[\"pay\"],\"events\":{\"create\":[{\"order\":3,\"type\":\"create\",\"ts\":2000}]}}";
        let page =
            |runs: &str, count: u64| format!("{{\"pattern\":\"paid\",\"open_runs\":{count},\"runs\":[{runs}]}}\n");
        running.wait_for("/runs?pattern=paid&key=3", |status, body| (status, body) == (200, &page(run, 1)));
        for closed in ["1", "4", "nobody", "%223%22"] {
            let found = running.get(&format!("/runs?pattern=paid&key={closed}"), "");
            assert_eq!(found, (200, page("", 0)), "{closed}");
        }
    }
}

#[test]
fn parts_of_a_key_stand_in_their_order_as_they_are_written() {
    let orders = "tenant,order,type,ts\nown er&co,007,create,0\nown er&co,7,create,1\nx,7,create,2\n";
    let pattern = "begin create followedBy pay within 15m";
    let running = Running::with(1, "\"ADDRESS\"", pattern, "\"tenant\", \"order\"", orders);
    let expected = [
        ("key=own+er%26co&key=007", 1),
        ("key=own%20er%26co&key=%22007%22", 1),
        ("key=own+er%26co&key=7", 1),
        ("key=own+er%26co&key=%227%22", 0),
        ("key=7&key=own+er%26co", 0),
    ];
    for (keys, runs) in expected {
        let is_there = format!("\"open_runs\":{runs},");
        running
            .wait_for(&format!("/runs?pattern=paid&{keys}"), |status, body| status == 200 && body.contains(&is_there));
    }
}

#[test]
fn of_very_many_open_runs_the_first_are_shown_and_all_are_counted() {
    let orders = (0..40).map(|ts| format!("1,{},{ts}\n", if ts < 20 { "create" } else { "pay" })).collect::<String>();
    let orders = format!("order,type,ts\n{orders}1,x,40\n");
    let running = Running::with(
        1,
        "\"ADDRESS\"",
        "begin create followedByAny pay followedBy ship within 15m",
        "\"order\"",
        &orders,
    );
    let all = 20 + 20 * 20;
    let page = running.wait_for("/runs?pattern=paid&key=1", |_, body| body.contains(&format!("\"open_runs\":{all},")));
    assert_eq!(page.matches("\"start\"").count(), 100);
    assert!(running.get("/patterns", "").1.contains(&format!("\"open_runs\":{all},")));
}

#[test]
fn who_asks_for_runs_that_there_cannot_be_is_told_what_to_ask() {
    let running = Running::start(1, "\"ADDRESS\"");
    let check = |query: &str, status: u16, reason: &str| {
        assert_eq!(running.get(&format!("/runs{query}"), ""), (status, format!("{reason}\n")), "{query}");
    };
    check("", 400, "which pattern is it? ask for /runs?pattern=NAME&key=VALUE");
    check("?key=3", 400, "which pattern is it? ask for /runs?pattern=NAME&key=VALUE");
    check("?pattern=paid", 400, "the key of `paid` is `order`: say key=..");
    check("?pattern=paid&key=3&key=4", 400, "the key of `paid` is `order`: say key=..");
    check("?pattern=payed&key=3", 404, "there is no pattern `payed`: there are `paid`");
    check("?pattern=paid&order=3", 400, "`order` is not known: ask for /runs?pattern=NAME&key=VALUE");
    check("?pattern=paid&key=%ff", 400, "`%ff` is not UTF-8");
}

#[test]
fn a_job_that_runs_is_healthy_and_ready_and_lists_its_pages() {
    let running = Running::start(1, "\"ADDRESS\"");
    running.wait_for("/ready", |status, _| status == 200);
    let health = "{\"job\":\"orders\",\"status\":\"ok\",\"problems\":[]}\n".to_owned();
    assert_eq!(running.get("/health", ""), (200, health));
    let (status, front) = running.get("/", "");
    assert_eq!(status, 200);
    for page in ["metrics", "health", "patterns", "ready"] {
        assert!(front.contains(&format!("href=\"{page}\"")), "{front}");
        assert_eq!(running.get(&format!("/{page}"), "").0, 200, "{page}");
    }
    assert_eq!(running.get("/nothing", "").0, 404);
}

#[test]
fn a_token_is_asked_for_and_shown_nowhere() {
    let running = Running::start(1, "(address: \"ADDRESS\", token: \"s3cret-of-the-shop\")");
    for path in ["/", "/metrics", "/health", "/patterns", "/runs?pattern=paid&key=3", "/ready", "/nothing"] {
        for headers in ["", "Authorization: Bearer s3cret\r\n", "Authorization: Basic s3cret-of-the-shop\r\n"] {
            let (status, body) = running.get(path, headers);
            assert_eq!(status, 401, "{path} with {headers:?}");
            assert!(!body.contains("s3cret"), "{body}");
        }
    }
    let token = "Authorization: Bearer s3cret-of-the-shop\r\n";
    for path in ["/", "/metrics", "/health", "/patterns", "/runs?pattern=paid&key=3", "/ready"] {
        let (status, body) = running.get(path, token);
        assert_eq!(status, 200, "{path}");
        assert!(!body.contains("s3cret"), "{body}");
    }
    running.control.stop();
    assert!(!holds(running.folder.path(), b"s3cret"), "neither outputs nor checkpoints hold it");
}

/// Whether a file in a folder holds these bytes.
fn holds(folder: &Path, bytes: &[u8]) -> bool {
    fs::read_dir(folder).expect("it is a folder").any(|entry| {
        let path = entry.expect("it can be read").path();
        match path.is_dir() {
            true => holds(&path, bytes),
            false => fs::read(&path).is_ok_and(|text| text.windows(bytes.len()).any(|window| window == bytes)),
        }
    })
}

#[test]
fn an_address_in_use_is_said_before_anything_starts() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("there are free ports");
    let folder = tempfile::tempdir().expect("there is room");
    fs::write(folder.path().join("orders.csv"), ORDERS).expect("there is room");
    fs::write(folder.path().join("paid.pattern"), "begin create followedBy pay within 15m").expect("there is room");
    let address = taken.local_addr().expect("it is bound").to_string();
    let job = JobFile::parse(&job(1, &format!("{address:?}"), "\"order\"")).expect("it is right").job(folder.path());
    let Err(error) = job.expect("it is right").prepare() else { panic!("{address} is taken") };
    let error = error.to_string();
    assert!(error.starts_with(&format!("http: cannot listen at {address}: Address already in use")), "{error}");
}
