//! `ensue test`: the cases beside patterns, and what they do not reach.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use ensue_testkit::cases::{self, FileReport, Verdict};
use ensue_testkit::coverage::Coverage;

use crate::args::Test;
use crate::counted::counted;
use crate::failure::{Failure, write_line};
use crate::junit;
use crate::patterns;

pub(crate) fn test(args: &Test) -> Result<(), Failure> {
    let paths = args.paths.iter().map(|path| meant(path)).collect::<Result<Vec<_>, _>>()?;
    let files = patterns::find(&paths, "case")?;
    if files.is_empty() {
        let paths: Vec<_> = args.paths.iter().map(|path| format!("`{}`", path.display())).collect();
        return Err(Failure::Call(format!("there are no cases in {}: no file ends with .case", paths.join(", "))));
    }
    let mut coverage = Coverage::default();
    let mut reports = Vec::new();
    for file in &files {
        let report = cases::run(file, &mut coverage);
        let written = if args.update { update(&report)? } else { false };
        show(&report, written)?;
        reports.push(if written { accepted(report) } else { report });
    }
    if let Some(path) = &args.junit {
        let name = format!("`{}`", path.display());
        fs::write(path, junit::report(&reports)).map_err(|error| Failure::write(&name, &error))?;
    }
    show_coverage(&coverage, &patterns::find(&args.paths, "pattern")?)?;
    show_counts(&reports)?;
    if reports.iter().all(FileReport::passed) { Ok(()) } else { Err(Failure::Told) }
}

/// Where the cases are: a pattern stands for those beside it.
fn meant(path: &Path) -> Result<PathBuf, Failure> {
    match path.extension().and_then(OsStr::to_str) {
        Some("pattern") if path.is_file() => {
            let cases = path.with_extension("case");
            if cases.exists() {
                return Ok(cases);
            }
            Err(Failure::Call(format!("there are no cases beside `{}`: no file `{}`", path.display(), cases.display())))
        }
        Some("csv" | "jsonl" | "ndjson" | "json" | "md" | "ron") if path.is_file() => {
            Err(Failure::Call(format!("`{}` holds no cases, by its name: cases end with .case", path.display())))
        }
        _ => Ok(path.to_owned()),
    }
}

/// Writes what came out, where it is something else than what the file says.
fn update(FileReport { path, updated, .. }: &FileReport) -> Result<bool, Failure> {
    let Some(text) = updated else { return Ok(false) };
    fs::write(path, text).map_err(|error| Failure::write(&format!("`{}`", path.display()), &error))?;
    Ok(true)
}

/// The report of a file that says what came out by now.
fn accepted(mut report: FileReport) -> FileReport {
    for case in &mut report.cases {
        if cases::is_to_write(&case.verdict) {
            case.verdict = Verdict::Passed;
        }
    }
    report
}

fn show(report: &FileReport, written: bool) -> Result<(), Failure> {
    let path = report.path.display();
    let count = report.cases.len();
    if report.passed() {
        return write_line(&format!("ok      {path}: {}", counted(count, "case")));
    }
    let failed = report.cases.iter().filter(|case| case.verdict != Verdict::Passed);
    let (word, said) = match written {
        true => ("update", "written"),
        false => ("FAIL", "failed"),
    };
    let all = format!("{} of {} {said}", failed.clone().count(), counted(count, "case"));
    write_line(&format!(
        "{word:<8}{path}{}",
        if report.unread.is_some() { String::new() } else { format!(": {all}") }
    ))?;
    report.unread.iter().flat_map(|why| why.lines()).try_for_each(|line| write_line(&format!("  {line}")))?;
    for case in failed.filter(|case| !written || !cases::is_to_write(&case.verdict)) {
        write_line(&format!("  {} (line {})", case.title, case.line))?;
        case.verdict.complaint().unwrap_or_default().lines().try_for_each(write_line)?;
    }
    Ok(())
}

/// What no case reaches; and of the patterns in folders that are tested, which have no case at all.
fn show_coverage(coverage: &Coverage, patterns: &[PathBuf]) -> Result<(), Failure> {
    let (all, reached) = coverage.stages();
    write_line(&format!("\n{reached} of {} reached", counted(all, "stage")))?;
    for gap in coverage.gaps() {
        write_line(&format!("  {}, {}: no case reaches {}", gap.file, gap.pattern, gap.unreached.join(", ")))?;
    }
    let is_tested = |path: &Path| coverage.files().any(|file| is_same(Path::new(file), path));
    for path in patterns.iter().filter(|path| path.extension().is_some_and(|ending| ending == "pattern")) {
        if !is_tested(path) {
            write_line(&format!("  {}: no case at all", path.display()))?;
        }
    }
    Ok(())
}

/// Whether both are one file, however it is spelt.
fn is_same(one: &Path, other: &Path) -> bool {
    one == other
        || fs::canonicalize(one).ok().is_some_and(|one| fs::canonicalize(other).is_ok_and(|other| one == other))
}

fn show_counts(reports: &[FileReport]) -> Result<(), Failure> {
    let cases = || reports.iter().flat_map(|report| &report.cases);
    let passed = cases().filter(|case| case.verdict == Verdict::Passed).count();
    let unread = reports.iter().filter(|report| report.unread.is_some()).count();
    let mut counts =
        format!("{}: {passed} passed, {} failed", counted(cases().count(), "case"), cases().count() - passed);
    if unread > 0 {
        counts += &format!("; {} not read", counted(unread, "file"));
    }
    let differs = cases().any(|case| cases::is_to_write(&case.verdict));
    write_line(&counts)?;
    if differs { write_line("--update writes what came out in place of what was expected") } else { Ok(()) }
}
