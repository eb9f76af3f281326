//! `ensue run job.ron`: a job as its file describes it.

use std::fs;
use std::io::IsTerminal;
use std::path::Path;
use std::sync::Arc;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use ensue_runtime::job::{Control, Job, JobError, JobFile, Report};
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::filter::LevelFilter;

use crate::args::{LogFormat, RunJob};
use crate::failure::{Failure, say};
use crate::summary::{Counts, Summary};

/// Whether a file is called as jobs are.
pub(crate) fn is_job(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("ron"))
}

pub(crate) fn run(path: &Path, args: &RunJob, is_quiet: bool) -> Result<(), Failure> {
    log(args.log_format, is_quiet);
    keep_to_small_pages();
    let mut file = read(path)?;
    if args.until_end {
        file.until_end();
    }
    let started = crate::run::now();
    let control = Arc::new(Control::new());
    stop_at_signals(&control)?;
    let job = Job { on_change: args.on_change.into(), ..job(file, path)? };
    let running = job.prepare().map_err(failure)?;
    let report = running.run(&control).map_err(failure)?;
    if !is_quiet {
        say(&Summary { counts: counts(&report), took: started.elapsed() }.to_string());
    }
    Ok(())
}

/// Without this the allocator asks for large pages, and the kernel goes on putting small ones together, with what was given up
/// between them: the memory of a job that runs for months grows, though what it holds does not. Where the kernel knows nothing of
/// that, nothing is lost.
fn keep_to_small_pages() {
    #[cfg(target_os = "linux")]
    let _ = rustix::thread::disable_transparent_huge_pages(true);
}

/// Looks at a job without running it.
pub(crate) fn check(path: &Path) -> Result<ensue_lang::Diagnostics, Failure> {
    job(read(path)?, path)?.check().map_err(failure)
}

fn read(path: &Path) -> Result<JobFile, Failure> {
    let name = path.display().to_string();
    let text = fs::read_to_string(path).map_err(|error| Failure::read(&format!("job `{name}`"), &error))?;
    JobFile::parse(&text).map_err(|error| {
        let lines = text.split_inclusive('\n').take(error.line - 1).map(str::len).sum::<usize>();
        let columns = text[lines..].chars().take(error.column - 1).map(char::len_utf8).sum::<usize>();
        let at = (lines + columns).min(text.len());
        let snippet = Snippet::source(&text).path(&name).annotation(AnnotationKind::Primary.span(at..at));
        let report = Group::with_title(Level::ERROR.primary_title(error.to_string())).element(snippet);
        let renderer = if std::io::stderr().is_terminal() { Renderer::styled() } else { Renderer::plain() };
        Failure::Shown(renderer.render(&[report]))
    })
}

/// What a job file describes, with its paths relative to the folder that it is in.
fn job(file: JobFile, path: &Path) -> Result<Job, Failure> {
    file.job(path.parent().unwrap_or(Path::new(""))).map_err(failure)
}

fn failure(error: JobError) -> Failure {
    match error.diagnostics() {
        Some(diagnostics) => Failure::Patterns(diagnostics.clone()),
        None if error.is_config() => Failure::Call(error.to_string()),
        None => Failure::Data(error.to_string()),
    }
}

fn counts(report: &Report) -> Counts {
    Counts {
        events: report.events.iter().map(|(_, events)| events).sum(),
        matches: report.counts.patterns.iter().map(|pattern| pattern.matches).sum(),
        timeouts: report.counts.patterns.iter().map(|pattern| pattern.timeouts).sum(),
        late: report.counts.late,
        rejected: report.counts.rejected,
        ..Counts::default()
    }
}

/// Lets the job stop at the first SIGTERM or SIGINT. The second ends the process where it is: what comes after the last checkpoint is
/// done again at the next start.
fn stop_at_signals(control: &Arc<Control>) -> Result<(), Failure> {
    let failed = |error: std::io::Error| Failure::Data(format!("cannot wait for signals: {error}"));
    let control = control.clone();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().map_err(failed)?;
    let guard = runtime.enter();
    let mut signals =
        (signal(SignalKind::terminate()).map_err(failed)?, signal(SignalKind::interrupt()).map_err(failed)?);
    drop(guard);
    std::thread::spawn(move || {
        runtime.block_on(async {
            loop {
                tokio::select! {
                    _ = signals.0.recv() => {}
                    _ = signals.1.recv() => {}
                }
                if control.is_stopping() {
                    std::process::exit(130);
                }
                tracing::info!("stops after a last checkpoint; a second signal stops at once");
                control.stop();
            }
        });
    });
    Ok(())
}

fn log(format: LogFormat, is_quiet: bool) {
    let level = if is_quiet { LevelFilter::WARN } else { LevelFilter::INFO };
    let log = tracing_subscriber::fmt().with_max_level(level).with_writer(std::io::stderr).with_target(false);
    match format {
        LogFormat::Text => log.with_ansi(std::io::stderr().is_terminal()).init(),
        LogFormat::Json => log.json().init(),
    }
}
