//! One run: a job that is crashed until its input is written, and one that is left in peace.

use std::fmt;
use std::fs;
use std::io;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

use crate::compare;
use crate::input::{self, Stream};
use crate::process::Process;
use crate::rules;
use crate::trouble;
use crate::writer::{CHECKPOINTS_KEPT, State, Writer};

/// So long a job may take to stop when it is told to, and to read what is left.
const LONGEST: Duration = Duration::from_secs(120);

/// What happened in runs.
#[derive(Clone, Copy, Default)]
pub(crate) struct Told {
    lines: u64,
    starts: u64,
    kills: u64,
    stops: u64,
    rotations: u64,
    damaged: u64,
    full: u64,
    locked: u64,
    rules: u64,
}

impl Told {
    pub(crate) fn add(&mut self, other: &Told) {
        self.lines += other.lines;
        self.starts += other.starts;
        self.kills += other.kills;
        self.stops += other.stops;
        self.rotations += other.rotations;
        self.damaged += other.damaged;
        self.full += other.full;
        self.locked += other.locked;
        self.rules += other.rules;
    }
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Told { lines, starts, kills, stops, rotations, damaged, full, locked, rules } = self;
        write!(f, "{lines} lines; {starts} starts, {kills} kills, {stops} stops, {rotations} rotations, ")?;
        write!(f, "{damaged} checkpoints damaged, {full} times no room, {locked} times no right to write, ")?;
        write!(f, "{rules} times other rules")
    }
}

/// Why a run failed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The job did what it must not do.
    Job(String),
    /// The run itself could not go on.
    Own(io::Error),
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Failure::Own(error)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Job(what) => f.write_str(what),
            Failure::Own(error) => write!(f, "the run could not go on: {error}"),
        }
    }
}

/// Crashes a job, and compares.
pub(crate) fn run(seed: u64, ensue: &Path, folder: &Path) -> Result<Told, Failure> {
    let mut random = Pcg64Mcg::seed_from_u64(seed);
    let streams = input::streams(&mut random);
    let sources = folder.join("in");
    let made = [&sources, &folder.join("out"), &folder.join("log"), &folder.join("rules")];
    made.into_iter().try_for_each(fs::create_dir)?;
    fs::write(folder.join("levels.pattern"), input::patterns(&streams))?;
    let state = State { folder: folder.join("state"), damaged: Default::default() };
    let mut writer = Writer::begin(&sources, state.clone(), &streams, Pcg64Mcg::seed_from_u64(seed ^ 0x77))?;
    let mut run = Run { ensue, folder, streams: &streams, state, random, told: Told::default() };

    let is_written = AtomicBool::new(false);
    thread::scope(|scope| {
        let writing = scope.spawn(|| {
            let written = write(&mut writer);
            is_written.store(true, Ordering::SeqCst);
            written
        });
        let crashed = run.crash(&is_written);
        writing.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
        crashed
    })?;
    run.told.rotations = writer.rotations;
    run.read_to_the_end()?;
    run.read_in_peace()?;
    match compare::compare(&folder.join("peace/out"), &folder.join("out"))? {
        Ok(lines) => Ok(Told { lines, ..run.told }),
        Err(report) => Err(Failure::Job(report)),
    }
}

fn write(writer: &mut Writer) -> io::Result<()> {
    while writer.step()? {}
    Ok(())
}

struct Run<'r> {
    ensue: &'r Path,
    folder: &'r Path,
    streams: &'r [Stream],
    state: State,
    random: Pcg64Mcg,
    told: Told,
}

/// How a job comes to its end.
enum End {
    Killed {
        after: Duration,
    },
    KilledInCheckpoint,
    /// Soon after the rules have changed: when that is noticed, before, or after.
    KilledInChange {
        after: Duration,
    },
    Stopped {
        after: Duration,
        kill_after: Option<Duration>,
    },
}

/// What befalls it meanwhile.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mishap {
    None,
    Full,
    Locked,
}

impl Run<'_> {
    /// Starts the job and ends it, until all is written.
    fn crash(&mut self, is_written: &AtomicBool) -> Result<(), Failure> {
        while !is_written.load(Ordering::SeqCst) {
            let (end, mishap) = (self.end(), self.mishap());
            let lived = self.live(end, mishap);
            // Also for who looks at the folder of a run that failed.
            trouble::lock(&self.out(), false)?;
            lived?;
            self.disturb()?;
        }
        Ok(())
    }

    fn out(&self) -> PathBuf {
        self.folder.join("out")
    }

    fn span(&mut self, from: u64, to: u64) -> Duration {
        Duration::from_millis(self.random.random_range(from..to))
    }

    fn end(&mut self) -> End {
        match self.random.random_range(0..20) {
            0..4 => End::Killed { after: self.span(0, 60) },
            4..10 => End::Killed { after: self.span(60, 500) },
            10..13 => End::Killed { after: self.span(500, 1_200) },
            13..15 => End::KilledInCheckpoint,
            15..17 => End::KilledInChange { after: self.span(500, 3_200) },
            _ => {
                let kill_after = self.random.random_ratio(1, 3).then(|| self.span(0, 100));
                End::Stopped { after: self.span(100, 700), kill_after }
            }
        }
    }

    fn mishap(&mut self) -> Mishap {
        match self.random.random_range(0..10) {
            0 | 1 => Mishap::Full,
            2 => Mishap::Locked,
            _ => Mishap::None,
        }
    }

    fn start(&mut self, until_end: bool) -> Result<Process, Failure> {
        let shards = self.random.random_range(1..4);
        fs::write(self.folder.join("job.ron"), job(self.streams, shards, |stream| stream.file.to_owned()))?;
        self.told.starts += 1;
        let log = format!("log/{:03}", self.told.starts);
        Ok(Process::start(self.ensue, self.folder, &log, until_end)?)
    }

    /// One life of the job.
    fn live(&mut self, end: End, mishap: Mishap) -> Result<(), Failure> {
        let mut process = self.start(false)?;
        let mut status = self.befall(&mut process, mishap)?;
        if status.is_none() {
            status = self.finish(&mut process, end)?;
        }
        match status {
            Some(status) if !status.success() && mishap == Mishap::None => {
                Err(Failure::Job(format!("the job ended with {status}:\n    {}", process.last_words())))
            }
            _ => Ok(()),
        }
    }

    /// Lets a mishap come, and mostly go again. Gives how the job ended, if it did.
    fn befall(&mut self, process: &mut Process, mishap: Mishap) -> Result<Option<ExitStatus>, Failure> {
        if mishap == Mishap::None {
            return Ok(None);
        }
        let before = self.span(0, 300);
        if let Some(status) = process.wait(before)? {
            return Ok(Some(status));
        }
        self.set(process, mishap, true)?;
        let during = self.span(50, 600);
        let status = process.wait(during)?;
        if self.random.random_ratio(3, 4) {
            self.set(process, mishap, false)?;
        }
        Ok(status)
    }

    fn set(&mut self, process: &Process, mishap: Mishap, is_on: bool) -> Result<(), Failure> {
        let out = self.out();
        match mishap {
            Mishap::None => {}
            Mishap::Full => {
                let bytes = is_on.then(|| trouble::soon_reached(&out, &mut self.random));
                trouble::limit(process.id(), bytes);
                self.told.full += u64::from(is_on);
            }
            Mishap::Locked => {
                trouble::lock(&out, is_on)?;
                self.told.locked += u64::from(is_on);
            }
        }
        Ok(())
    }

    /// Ends the job. Gives how it ended, if it did so itself.
    fn finish(&mut self, process: &mut Process, end: End) -> Result<Option<ExitStatus>, Failure> {
        let status = match end {
            End::Killed { after } => process.wait(after)?,
            End::KilledInChange { after } => self.change_while_running(process, after)?,
            End::KilledInCheckpoint => {
                process.wait_or(Duration::from_millis(800), || trouble::is_writing(&self.state.folder))?
            }
            End::Stopped { after, kill_after } => self.stop(process, after, kill_after)?,
        };
        if status.is_none() {
            process.kill()?;
            self.told.kills += 1;
        }
        Ok(status)
    }

    /// Tells the job to stop, and mostly lets it. Gives how it ended, if it did.
    fn stop(
        &mut self,
        process: &mut Process,
        after: Duration,
        kill_after: Option<Duration>,
    ) -> Result<Option<ExitStatus>, Failure> {
        if let Some(status) = process.wait(after)? {
            return Ok(Some(status));
        }
        process.stop()?;
        self.told.stops += 1;
        match process.wait(kill_after.unwrap_or(LONGEST))? {
            None if kill_after.is_none() => Err(Failure::Job("the job does not stop when it is told to".to_owned())),
            // It did not listen to signals yet, so that this one ended it.
            Some(status) if status.signal().is_some() => Ok(None),
            status => Ok(status),
        }
    }

    /// Changes the rules of a job that has read them, and leaves it so long. Gives how it ended, if it did.
    fn change_while_running(&mut self, process: &mut Process, after: Duration) -> Result<Option<ExitStatus>, Failure> {
        let log = process.log().to_owned();
        let status = process.wait_or(LONGEST, || has_started(&log))?;
        if status.is_some() || !has_started(&log) {
            return Ok(status);
        }
        self.change_rules(true)?;
        Ok(process.wait(after)?)
    }

    fn change_rules(&mut self, is_running: bool) -> Result<(), Failure> {
        self.told.rules += 1;
        Ok(rules::change(&self.folder.join("rules"), is_running, &mut self.random)?)
    }

    /// What happens to files while the job is down.
    fn disturb(&mut self) -> Result<(), Failure> {
        // Also where it was wrong: with that no job starts.
        if self.random.random_ratio(1, 5) || rules::is_wrong(&self.folder.join("rules"))? {
            self.change_rules(false)?;
        }
        if self.random.random_ratio(1, 6) && trouble::damage(&self.state.folder, &mut self.random)? {
            self.state.damaged.fetch_add(1, Ordering::SeqCst);
            self.told.damaged += 1;
        }
        if self.random.random_ratio(1, 6) && self.state.folder.exists() {
            trouble::leave_part(&self.state.folder)?;
        }
        let pause = self.span(0, 60);
        thread::sleep(pause);
        Ok(())
    }

    /// Lets the job read what is left, and end.
    fn read_to_the_end(&mut self) -> Result<(), Failure> {
        while self.random.random_ratio(1, 3) {
            let mut process = self.start(true)?;
            let after = self.span(0, 300);
            if process.wait(after)?.is_none() {
                process.kill()?;
                self.told.kills += 1;
            }
        }
        end(self.start(true)?)
    }

    /// Runs the same job over the whole input.
    fn read_in_peace(&self) -> Result<(), Failure> {
        let folder = self.folder.join("peace");
        fs::create_dir(&folder)?;
        fs::create_dir(folder.join("rules"))?;
        fs::copy(self.folder.join("levels.pattern"), folder.join("levels.pattern"))?;
        for stream in self.streams {
            let parts = folder.join("in").join(stream.name);
            fs::create_dir_all(&parts)?;
            let log = self.folder.join("in").join(stream.file);
            let rotated = (1..).map(|number| PathBuf::from(format!("{}.{number}", log.display())));
            let rotated = rotated.take_while(|path| path.exists());
            for (number, path) in rotated.chain([log.clone()]).enumerate() {
                fs::copy(path, parts.join(number.to_string()))?;
            }
        }
        fs::write(folder.join("job.ron"), job(self.streams, 1, |stream| format!("{}/*", stream.name)))?;
        end(Process::start(self.ensue, &folder, "log", true)?)
    }
}

/// Whether a job has said that it starts: then it has read its patterns.
fn has_started(log: &Path) -> bool {
    fs::read_to_string(log).is_ok_and(|said| said.contains(" starts "))
}

/// Waits until a job has read all.
fn end(mut process: Process) -> Result<(), Failure> {
    match process.wait(LONGEST)? {
        Some(status) if status.success() => Ok(()),
        Some(status) => {
            Err(Failure::Job(format!("the job ended with {status} at the end:\n    {}", process.last_words())))
        }
        None => Err(Failure::Job(format!("the job does not come to its end:\n    {}", process.last_words()))),
    }
}

/// The job file.
fn job(streams: &[Stream], shards: u32, files: impl Fn(&Stream) -> String) -> String {
    let source = |stream: &Stream| {
        let Stream { name, entry, .. } = stream;
        let (files, out_of_order) = (files(stream), input::out_of_order());
        format!(
            "        (stream: \"{name}\", from: File(\"in/{files}\"), follow: true, {entry}, \
             watermark: OutOfOrder(\"{out_of_order}\")),\n"
        )
    };
    let sources: String = streams.iter().map(source).collect();
    format!(
        r#"Job(
    name: "crash",
    patterns: ["levels.pattern", "rules"],
    sources: [
{sources}    ],
    matches: [File("out/matches-{{date}}.jsonl")],
    timeouts: [File("out/timeouts.jsonl")],
    outputs: {{ "user_trouble": (matches: [File("out/trouble-{{date}}-{{hour}}.jsonl"), File("out/matches-{{date}}.jsonl")]) }},
    late: File("out/late.jsonl"),
    rejected: File("out/rejected.jsonl"),
    checkpoint: (dir: "state", every: "200ms", keep: {CHECKPOINTS_KEPT}),
    shards: {shards},
)
"#
    )
}
