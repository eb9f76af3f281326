//! Text to tree, item by item.

mod declaration;
mod expression;
mod failure;
mod hint;
mod pair;
mod pattern;
mod scan;

use std::collections::HashSet;

use pest::Parser;
use pest::iterators::Pair;

use crate::code;
use crate::diagnostic::Diagnostic;
use crate::source::Source;
use crate::tree::{File, Item, Place};

pub(crate) use self::scan::quoted_length;

/// The longest pattern text, in bytes.
const TEXT_BYTES_MAX: usize = 1 << 20;

/// How deeply parentheses, brackets and `if` can be nested: half of what a debug build's grammar can do on a thread with a
/// stack of 2 MiB.
const NESTING_MAX: usize = 64;

/// How deep the tree of one expression can be: nesting, and operators of one chain beside `and` and `or`.
const EXPRESSION_DEPTH_MAX: usize = 256;

/// The most mistakes that are looked for in one item.
const MISTAKES_MAX: usize = 100;

#[derive(pest_derive::Parser)]
#[grammar = "grammar.pest"]
struct Grammar;

/// The tree of a source, and what could not be read. Items that could not be read are left out; the others are there.
///
/// ```
/// use ensue_lang::{Source, parse, print};
/// let (file, diagnostics) = parse(&Source::new("x.pattern", "pattern x begin a where v>1 next b"));
/// assert!(diagnostics.is_empty());
/// assert_eq!(print(&file), "pattern x\nbegin a where v > 1\nnext b\n");
/// ```
pub fn parse(source: &Source) -> (File, Vec<Diagnostic>) {
    let Read { file, diagnostics, .. } = read(source);
    (file, diagnostics)
}

/// What was read of a source.
#[derive(Default)]
pub(crate) struct Read {
    pub(crate) file: File,
    pub(crate) diagnostics: Vec<Diagnostic>,
    /// The items that could not be read.
    pub(crate) unread: Vec<Unread>,
}

/// An item that could not be read: `stream`, `param`, ..., and the names that it may give.
pub(crate) struct Unread {
    pub(crate) word: String,
    pub(crate) names: HashSet<String>,
}

/// Reads a source.
pub(crate) fn read(source: &Source) -> Read {
    let text = source.text.as_str();
    let refused = |diagnostic| Read { diagnostics: vec![diagnostic], ..Read::default() };
    if text.len() > TEXT_BYTES_MAX {
        return refused(too_long(text));
    }
    let scan = match scan::scan(text) {
        Ok(scan) => scan,
        Err(diagnostic) => return refused(diagnostic),
    };
    if text[scan.start..].is_empty() {
        let diagnostic = Diagnostic::error(&code::EMPTY_FILE, Place::default(), "there is no pattern in this file");
        return refused(diagnostic.help("a pattern starts with `pattern NAME`, or with `begin`"));
    }
    let mut reader = Reader::new(text);
    if scan.is_body {
        reader.body(&scan);
    } else {
        reader.items(&scan);
    }
    Read { file: reader.file, diagnostics: reader.diagnostics, unread: reader.unread }
}

fn too_long(text: &str) -> Diagnostic {
    let message = format!("the text has {} bytes, the limit is {TEXT_BYTES_MAX}", text.len());
    Diagnostic::error(&code::TOO_LARGE, Place::default(), message)
}

/// Where the grammar stopped, and why.
struct Refusal {
    at: usize,
    diagnostic: Diagnostic,
}

/// Reads one source.
struct Reader<'s> {
    text: &'s str,
    /// Where the item at hand starts: the grammar sees the text from there on.
    offset: usize,
    /// Where the item before it ends.
    end_before: usize,
    file: File,
    diagnostics: Vec<Diagnostic>,
    unread: Vec<Unread>,
}

impl<'s> Reader<'s> {
    fn new(text: &'s str) -> Self {
        Reader { text, offset: 0, end_before: 0, file: File::default(), diagnostics: Vec::new(), unread: Vec::new() }
    }

    /// The one pattern of a file that holds only a body.
    fn body(&mut self, scan: &scan::Scan) {
        match self.read(Rule::bare_body) {
            Ok(body) => {
                let item = self.bare_pattern(body);
                self.keep(item, self.text.len());
            }
            Err(refusal) => self.go_on(refusal, self.text.len(), scan),
        }
    }

    /// Items until the text ends. Behind a broken one it goes on at the next line that starts like an item.
    fn items(&mut self, scan: &scan::Scan) {
        let mut start = Some(scan.start);
        while let Some(offset) = start.filter(|offset| *offset < self.text.len()) {
            self.offset = offset;
            start = match self.read(Rule::unit) {
                Ok(unit) => Some(self.unit(unit)),
                Err(refusal) => {
                    let next = scan.item_behind(offset);
                    let end = next.unwrap_or(self.text.len());
                    self.keep(None, end);
                    self.go_on(refusal, end, scan);
                    next
                }
            };
        }
    }

    /// Looks through the rest of an item that has a mistake, so that the first does not hide the others: on from the next
    /// word that starts a part of a sequence. What it reads there is not kept. For each mistake the grammar looks through the
    /// text that is left, so it ends when there are more than anyone mends at once.
    fn go_on(&mut self, refusal: Refusal, end: usize, scan: &scan::Scan) {
        let mut at = refusal.at;
        self.diagnostics.push(refusal.diagnostic);
        for _ in 1..MISTAKES_MAX {
            let Some(part) = scan.part_from(at).filter(|part| *part < end) else { return };
            self.offset = part;
            match self.read(Rule::rest) {
                Ok(rest) => return self.rest(rest),
                Err(refusal) => {
                    // A word that was refused, and behind which nothing fits: the same mistake, such as a field `within`.
                    if part > at || !scan::is_one_word(&self.text[part..refusal.at]) {
                        self.diagnostics.push(refusal.diagnostic);
                    }
                    // The word itself can always be read, so the next part is a later one.
                    at = refusal.at.max(part + 1);
                }
            }
        }
    }

    /// One item; where the next one starts.
    fn unit(&mut self, unit: Pair<'s, Rule>) -> usize {
        let next = self.offset + unit.as_span().end();
        if let Some(item) = unit.into_inner().next() {
            let end = self.place(&item).end;
            let item = self.item(item);
            self.end_before = end;
            self.keep(item, next);
        }
        next
    }

    /// None where something in it is wrong, which has been reported.
    fn keep(&mut self, item: Option<Item>, end: usize) {
        match item {
            Some(item) => self.file.items.push(item),
            None => self.unread.push(scan::names(&self.text[self.offset..end])),
        }
    }

    /// What a rule makes of the text from the offset on.
    fn read(&self, rule: Rule) -> Result<Pair<'s, Rule>, Refusal> {
        match Grammar::parse(rule, &self.text[self.offset..]) {
            Ok(mut pairs) => Ok(pairs.next().expect("a rule that fits is a pair")),
            Err(error) => {
                let at = self.offset + failure::position(&error);
                Err(Refusal { at, diagnostic: failure::explain(self.text, at, &error) })
            }
        }
    }
}

/// Whether a word can stand for a name without backticks.
pub(crate) fn is_name(word: &str) -> bool {
    let name = Grammar::parse(Rule::name, word);
    name.is_ok_and(|mut pairs| pairs.next().is_some_and(|pair| pair.as_str() == word && !word.starts_with('`')))
}

/// An expression alone, as a caller gives a parameter's value; none where it is not one.
pub(crate) fn parse_literal(text: &str) -> Option<crate::tree::Expr> {
    scan::scan(text).ok().filter(|_| text.len() <= TEXT_BYTES_MAX)?;
    let mut reader = Reader::new(text);
    let pair = reader.read(Rule::bare_expression).ok()?;
    reader.expression(pair.into_inner().next()?)
}
