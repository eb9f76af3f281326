//! Jobs whose patterns change.

use crate::jobs::Running;
use crate::shell::Shell;

const JOB: &str = r#"Job(
    name: "orders",
    patterns: ["paid.pattern"],
    key: ["order"],
    sources: [(name: "shop", from: File("orders.csv"), follow: true, time: (field: "ts", unit: Seconds))],
    matches: [File("matches.jsonl")],
    timeouts: [File("timeouts.jsonl")],
    checkpoint: (dir: "state", every: "1s"),
)
"#;

const PAID: &str = "begin create followedBy pay within 15m\n";

/// A folder with a job that has run on two orders, of which one is still open. Its amount was not asked for.
fn stopped() -> Shell {
    let shell = Shell::empty();
    shell.file("job/job.ron", JOB);
    shell.file("job/paid.pattern", PAID);
    shell.file("job/orders.csv", "order,type,amount,ts\n1,create,5,0\n1,pay,5,9\n2,create,20,10\n");
    let job = Running::start(&shell);
    job.wait_for(|| matches(&shell) == 1);
    job.stop();
    shell
}

fn matches(shell: &Shell) -> usize {
    if shell.path("job/matches.jsonl").exists() { shell.read("job/matches.jsonl").lines().count() } else { 0 }
}

fn append(shell: &Shell, name: &str, more: &str) {
    let text = shell.read(name);
    shell.file(name, &(text + more));
}

#[test]
fn an_open_run_goes_on_with_the_new_condition_on_a_field_that_was_not_asked_for_before() {
    let shell = stopped();
    shell.file(
        "job/paid.pattern",
        "begin create followedBy pay where type == \"pay\" and amount >= create.amount within 1h\n",
    );
    append(&shell, "job/orders.csv", "2,pay,19,2000\n2,pay,20,2100\n");
    let job = Running::start(&shell);
    job.wait_for(|| matches(&shell) == 2);
    job.stop();
    let last = shell.read("job/matches.jsonl").lines().last().map(str::to_owned).expect("there are two");
    assert!(last.contains(r#""amount":20,"ts":10}"#) && last.contains(r#""amount":20,"ts":2100}"#), "{last}");
    assert!(!shell.path("job/timeouts.jsonl").exists(), "nothing has timed out");
}

#[test]
fn a_change_that_would_lose_runs_stops_the_job_unless_that_is_wanted() {
    let shell = stopped();
    shell.file("job/paid.pattern", "begin create where type == \"create\" and amount > 1 followedBy pay within 15m\n");
    let refused = shell.run("ensue run -q job/job.ron");
    let expected = "\
--- status 2
--- stdout
--- stderr
error: the patterns have changed, and open runs would be lost:
  `paid`: 1 of 1: `create`, which they have passed, is another now
`--on-change keep` goes on without these, `--on-change drop` without any run of what has changed
";
    assert_eq!(refused, expected);
    append(&shell, "job/orders.csv", "2,pay,20,40\n3,create,20,50\n3,pay,20,60\n");
    let job = Running::start_with(&shell, "--on-change keep");
    job.wait_for(|| matches(&shell) == 2);
    job.stop();
    let text = shell.read("job/matches.jsonl");
    assert!(!text.contains(r#""order":2"#) && text.contains(r#""order":3"#), "{text}");
}

#[test]
fn all_runs_of_what_has_changed_can_be_dropped() {
    let shell = stopped();
    shell.file("job/paid.pattern", "begin create followedBy pay within 1h\n");
    append(&shell, "job/orders.csv", "2,pay,20,40\n3,create,20,50\n3,pay,20,60\n");
    let job = Running::start_with(&shell, "--on-change drop");
    job.wait_for(|| matches(&shell) == 2);
    job.stop();
    let text = shell.read("job/matches.jsonl");
    assert!(!text.contains(r#""order":2"#) && text.contains(r#""order":3"#), "{text}");
}
