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

#[test]
fn rules_come_change_and_go_while_the_job_runs() {
    let shell = Shell::empty();
    shell.file("job/job.ron", &JOB.replace("\"paid.pattern\"", "\"rules\"").replace("every: \"1s\"", "every: \"1h\""));
    shell.file("job/rules/paid.pattern", PAID);
    shell.file("job/orders.csv", "order,type,amount,ts\n1,create,5,0\n1,pay,5,9\n2,create,20,10\n");
    let job = Running::start_with(&shell, "--on-change stop");
    let has_checkpoint = |number: u32| shell.path(&format!("job/state/checkpoint-{number:08}.ensue")).exists();
    job.wait_for(|| matches(&shell) == 1);
    // A run goes on, and a checkpoint follows at once.
    shell.file(
        "job/rules/paid.pattern",
        "begin create followedBy pay where type == \"pay\" and amount >= create.amount within 1h\n",
    );
    job.wait_for(|| has_checkpoint(2));
    shell.file(
        "job/rules/large.pattern",
        "begin create where type == \"create\" and amount > 10 followedBy pay within 1h\n",
    );
    job.wait_for(|| has_checkpoint(3));
    append(&shell, "job/orders.csv", "2,pay,20,2000\n3,create,30,2001\n3,pay,30,2002\n");
    job.wait_for(|| matches(&shell) == 4);
    let text = shell.read("job/matches.jsonl");
    assert_eq!(text.matches(r#""pattern":"large""#).count(), 1, "it has not seen the second order begin: {text}");
    shell.path("job/rules/large.pattern").metadata().expect("it is there");
    std::fs::remove_file(shell.path("job/rules/large.pattern")).expect("it is there");
    job.wait_for(|| has_checkpoint(4));
    append(&shell, "job/orders.csv", "4,create,40,2003\n4,pay,40,2004\n");
    job.wait_for(|| matches(&shell) == 5);
    job.stop();
}

#[test]
fn rules_that_are_wrong_or_would_lose_runs_are_refused_while_the_others_go_on() {
    let shell = Shell::empty();
    shell.file("job/job.ron", JOB);
    shell.file("job/paid.pattern", PAID);
    shell.file("job/orders.csv", "order,type,amount,ts\n1,create,5,0\n");
    let job = Running::start_with_log(&shell, "job/log");
    let has_said = |what: &str| shell.read("job/log").contains(what);
    shell.file("job/paid.pattern", "begin create followedBy pay where amont > 3 within 15m\n");
    job.wait_for(|| has_said("the events have no field `amont`"));
    shell.file("job/paid.pattern", "begin create where amount > 1 followedBy pay within 15m\n");
    job.wait_for(|| has_said("`create`, which they have passed, is another now"));
    append(&shell, "job/orders.csv", "1,pay,5,9\n");
    job.wait_for(|| matches(&shell) == 1);
    // Now nothing is open that could be lost; but what was refused is tried again only when it changes.
    shell.file("job/paid.pattern", PAID);
    job.wait_for(|| has_said("the pattern files say again what runs"));
    shell.file("job/paid.pattern", "begin create where amount > 1 followedBy pay within 15m\n");
    job.wait_for(|| has_said("other patterns run from now on"));
    job.stop_quietly();
}
