//! Pages of the manual that show patterns with the cases beside them.

use std::fs;

use ensue_lang::{Options, Source};
use ensue_testkit::cases::{self, FileReport, Verdict};
use ensue_testkit::coverage::Coverage;

use crate::markdown::{self, Block, blocks, document};

/// A pattern of a page, with the files that stand before its cases.
#[derive(Default)]
pub struct Folder {
    /// The text of the pattern file.
    pub pattern: String,
    /// Names and texts of the files.
    pub files: Vec<(String, String)>,
}

impl Folder {
    /// The cases of a text beside the pattern, and what they reach.
    ///
    /// # Panics
    /// If no folder can be made.
    pub fn run(&self, text: &str) -> (FileReport, Coverage) {
        let folder = tempfile::tempdir().expect("there is room");
        let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).expect("the folder is there");
        write("page.pattern", &self.pattern);
        write("page.case", text);
        self.files.iter().for_each(|(name, text)| write(name, text));
        let mut coverage = Coverage::default();
        (cases::run(&folder.path().join("page.case"), &mut coverage), coverage)
    }
}

/// What is wrong with the cases of a file, for a person.
pub fn complaints(FileReport { cases, unread, .. }: &FileReport) -> String {
    let complaints = cases.iter().filter_map(|case| case.verdict.complaint());
    complaints.chain(unread.as_deref()).collect()
}

/// What the compiler says of a pattern, also where it is only a warning; none if nothing.
pub fn said_of(pattern: &str) -> Option<String> {
    let options = Options { type_field: Some("type".into()), ..Options::default() };
    match ensue_lang::compile(&[Source::new("page.pattern", pattern)], &options) {
        Ok(compiled) if compiled.warnings.is_empty() => None,
        Ok(compiled) => Some(compiled.warnings.to_string()),
        Err(errors) => Some(errors.to_string()),
    }
}

/// Runs the patterns and cases of a page: in its order, each case beside the pattern before it. Says what is wrong, or writes
/// into the page what came out, where snapshots are written. Blocks of the words in `others` are not looked at.
pub fn run(name: &str, others: &[&str]) -> String {
    let page = document(name);
    let mut reader = Reader { updated: page.clone(), ..Reader::default() };
    for block in blocks(&page) {
        let complaint = match block.word {
            word if others.contains(&word) => None,
            _ => reader.read(&block),
        };
        reader.wrong.extend(complaint.map(|complaint| format!("docs/{name}:{}:\n{complaint}\n", block.line)));
    }
    markdown::hold(name, &reader.updated);
    reader.wrong
}

#[derive(Default)]
struct Reader {
    folder: Folder,
    failed: Option<String>,
    updated: String,
    wrong: String,
}

impl Reader {
    /// What is wrong with a block.
    fn read(&mut self, block: &Block<'_>) -> Option<String> {
        match block.word {
            "ensue" => {
                self.folder = Folder { pattern: block.text.clone(), files: Vec::new() };
                said_of(&block.text)
            }
            "case" => self.pass(&block.text),
            "case fails" => self.fail(&block.text),
            "report" => self.report(&block.text),
            word => match word.strip_prefix("file ") {
                Some(name) => {
                    self.folder.files.push((name.to_owned(), block.text.clone()));
                    None
                }
                None => Some(format!("no block is called {word:?} here")),
            },
        }
    }

    fn pass(&mut self, text: &str) -> Option<String> {
        let (report, _) = self.folder.run(text);
        match &report.updated {
            Some(came) if markdown::is_written() => {
                self.updated = self.updated.replacen(text, came, 1);
                None
            }
            _ => (!report.passed()).then(|| complaints(&report)),
        }
    }

    fn fail(&mut self, text: &str) -> Option<String> {
        let (report, _) = self.folder.run(text);
        self.failed = Some(complaints(&report));
        (!matches!(report.cases[0].verdict, Verdict::Differs(_))).then(|| "the case does not fail".to_owned())
    }

    fn report(&mut self, text: &str) -> Option<String> {
        let report = self.failed.take().unwrap_or_else(|| "a case that fails stands before its report\n".to_owned());
        (report != text).then_some(report)
    }
}
