//! What is wrong with a pattern, and how it is shown.

use std::fmt;
use std::sync::Arc;

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{Annotation, AnnotationKind, Level, Renderer, Snippet};
use serde::Serialize;

use crate::code::Code;
use crate::source::Source;
use crate::tree::Place;

/// How bad it is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The pattern does not compile.
    Error,
    /// The pattern compiles, and most likely does not do what it was meant to.
    Warning,
}

/// One thing that is wrong.
#[derive(Clone, PartialEq, Debug)]
pub struct Diagnostic {
    /// What kind of mistake.
    pub code: &'static Code,
    /// How bad.
    pub severity: Severity,
    /// One sentence.
    pub message: String,
    /// Where: the first is the primary one. None where the mistake is in no source, but in what the caller gave.
    pub labels: Vec<Label>,
    /// What to do, where it can be guessed.
    pub help: Option<String>,
    /// The source, by its position in what was compiled.
    pub source: usize,
}

/// A place with what is to say of it.
#[derive(Clone, PartialEq, Debug)]
pub struct Label {
    /// Where.
    pub place: Place,
    /// What; may be empty.
    pub text: String,
}

impl Diagnostic {
    /// An error at a place. The source is set by who knows it, see [`Diagnostic::of`].
    pub(crate) fn error(code: &'static Code, place: Place, message: impl Into<String>) -> Self {
        let labels = vec![Label { place, text: String::new() }];
        Diagnostic { code, severity: Severity::Error, message: message.into(), labels, help: None, source: 0 }
    }

    /// A warning at a place.
    pub(crate) fn warning(code: &'static Code, place: Place, message: impl Into<String>) -> Self {
        Diagnostic { severity: Severity::Warning, ..Diagnostic::error(code, place, message) }
    }

    /// An error in what the caller gave, which has no place.
    pub(crate) fn of_caller(code: &'static Code, message: impl Into<String>) -> Self {
        Diagnostic { labels: Vec::new(), ..Diagnostic::error(code, Place::default(), message) }
    }

    /// With words at the primary place.
    pub(crate) fn label(mut self, text: impl Into<String>) -> Self {
        if let Some(primary) = self.labels.first_mut() {
            primary.text = text.into();
        }
        self
    }

    /// With a second place.
    pub(crate) fn also(mut self, place: Place, text: impl Into<String>) -> Self {
        self.labels.push(Label { place, text: text.into() });
        self
    }

    /// With what to do.
    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// With what to do, where there is something.
    pub(crate) fn maybe_help(mut self, help: Option<String>) -> Self {
        self.help = help.or(self.help);
        self
    }

    /// In that source.
    pub(crate) fn of(mut self, source: usize) -> Self {
        self.source = source;
        self
    }

    /// Where it is to be sorted in, and by what it is told from others.
    fn position(&self) -> (usize, usize, &'static str) {
        (self.source, self.labels.first().map_or(0, |label| label.place.start), self.code.id)
    }

    fn is_same(&self, other: &Diagnostic) -> bool {
        self.position() == other.position() && self.message == other.message
    }
}

/// What is wrong with some sources, in the order of the text; displays itself as a compiler's messages do.
#[derive(Clone, Default)]
pub struct Diagnostics {
    sources: Arc<[Source]>,
    list: Vec<Diagnostic>,
    has_errors: bool,
    /// How many were left out.
    left_out: usize,
}

/// The most diagnostics that are kept; the others are counted.
pub(crate) const DIAGNOSTICS_MAX: usize = 1_000;

impl Diagnostics {
    /// In the order of the text, each once: what stands in a `let` is found wherever the `let` is used.
    pub(crate) fn new(sources: &[Source], mut list: Vec<Diagnostic>) -> Self {
        list.sort_by(|a, b| a.position().cmp(&b.position()));
        list.dedup_by(|a, b| a.is_same(b));
        let has_errors = list.iter().any(|diagnostic| diagnostic.severity == Severity::Error);
        let left_out = list.len().saturating_sub(DIAGNOSTICS_MAX);
        list.truncate(DIAGNOSTICS_MAX);
        Diagnostics { sources: sources.into(), list, has_errors, left_out }
    }

    /// Each, in the order of the text.
    pub fn iter(&self) -> std::slice::Iter<'_, Diagnostic> {
        self.list.iter()
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Whether one is an error.
    pub fn has_errors(&self) -> bool {
        self.has_errors
    }

    /// As a compiler shows them, with or without a terminal's colours.
    pub fn render(&self, colour: bool) -> String {
        let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
        let renderer = renderer.decor_style(DecorStyle::Ascii);
        let shown = self.list.iter().map(|diagnostic| self.render_one(diagnostic, &renderer));
        let more = (self.left_out > 0).then(|| format!("and {} more", self.left_out));
        let shown: Vec<String> = shown.chain(more).collect();
        shown.join("\n\n")
    }

    fn render_one(&self, diagnostic: &Diagnostic, renderer: &Renderer) -> String {
        let level = match diagnostic.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let source = self.sources.get(diagnostic.source).filter(|_| !diagnostic.labels.is_empty());
        let snippet = source.map(|source| snippet(source, &diagnostic.labels));
        let mut group = level.primary_title(diagnostic.message.as_str()).id(diagnostic.code.id).elements(snippet);
        if let Some(help) = &diagnostic.help {
            group = group.element(Level::HELP.message(help.as_str()));
        }
        renderer.render(&[group])
    }

    /// In a form that programs read.
    pub fn reports(&self) -> Vec<Report> {
        self.list.iter().map(|diagnostic| self.report(diagnostic)).collect()
    }

    fn report(&self, diagnostic: &Diagnostic) -> Report {
        let spot = self.sources.get(diagnostic.source).zip(diagnostic.labels.first());
        let start = spot.map(|(source, label)| source.line_and_column(label.place.start));
        let end = spot.map(|(source, label)| source.line_and_column(label.place.end));
        Report {
            code: diagnostic.code.id.to_owned(),
            severity: diagnostic.severity,
            message: diagnostic.message.clone(),
            file: spot.map(|(source, _)| source.name.clone()),
            line: start.map(|(line, _)| line),
            column: start.map(|(_, column)| column),
            end_line: end.map(|(line, _)| line),
            end_column: end.map(|(_, column)| column),
            help: diagnostic.help.clone(),
        }
    }
}

/// The labels on the lines that they are about: the renderer looks through all that it is given, and a text with many
/// mistakes would be looked through for each.
fn snippet<'s>(source: &'s Source, labels: &'s [Label]) -> Snippet<'s, Annotation<'s>> {
    let first = labels.iter().map(|label| label.place.start).min().unwrap_or_default();
    let last = labels.iter().map(|label| label.place.end).max().unwrap_or_default();
    let start = source.text[..first].rfind('\n').map_or(0, |newline| newline + 1);
    let end = source.text[last..].find('\n').map_or(source.text.len(), |newline| last + newline);
    let (line, _) = source.line_and_column(start);
    let annotations = labels.iter().enumerate().map(|(index, label)| {
        let kind = if index == 0 { AnnotationKind::Primary } else { AnnotationKind::Context };
        let annotation = kind.span(label.place.start - start..label.place.end - start);
        if label.text.is_empty() { annotation } else { annotation.label(label.text.as_str()) }
    });
    let snippet = Snippet::source(&source.text[start..end]).line_start(line).path(source.name.as_str());
    snippet.annotations(annotations)
}

/// A diagnostic for programs: lines and columns count from 1, columns count characters, the end is the column after the
/// last. File and positions are absent where the mistake is in what the caller gave.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Report {
    /// `E0101`
    pub code: String,
    /// `error` or `warning`
    pub severity: Severity,
    /// One sentence.
    pub message: String,
    /// The source's name.
    pub file: Option<String>,
    /// The first line.
    pub line: Option<usize>,
    /// The first column.
    pub column: Option<usize>,
    /// The last line.
    pub end_line: Option<usize>,
    /// The column after the last.
    pub end_column: Option<usize>,
    /// What to do.
    pub help: Option<String>,
}

impl<'a> IntoIterator for &'a Diagnostics {
    type Item = &'a Diagnostic;
    type IntoIter = std::slice::Iter<'a, Diagnostic>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl fmt::Debug for Diagnostics {
    /// As `Display`: this is what `unwrap` and a `main` that returns it show.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\n{self}")
    }
}

impl std::error::Error for Diagnostics {}
